"""What the HTML memo can be asked: chances of any threshold, the answer without a source, and claims on their path.

All of it is numbers and text from the summary and the sensitivity report; the page draws them itself. Everything that
is asked stands in a table too, which is what prints, and what other formats have.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import CountPath, Estimate, JudgedClaim, Result
from sim.report.days import choose_days, name_days
from sim.report.labels import colour_sources, label_sources, name_count, name_row, raise_first, tell_forces_apart
from sim.report.memo.asked import Asked, Asking, Bar, Mark, Panel, Without
from sim.report.memo.blocks import Material, Table
from sim.report.memo.claims import show_expected, show_owner, show_said, tell_why
from sim.report.robustness import find_base, list_forces, look_at, name_headline, show_scenario
from sim.report.table import list_headline
from sim.words import choose_digits, say_probability, show_count, show_day

CHANCES = (95, 80, 50, 20, 5)  # percent, of the table of thresholds
MOST_PANELS, MOST_MARKS = 6, 300
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 62.0, 628.0, 12.0, 190.0, 220.0  # of a panel 640 wide
DEEPER, TALLEST, NARROWEST = 84.0, 62.0, 7.0  # what the bars of spells add to it, how tall they are, and how narrow
ASIDE = 11.0  # of marks that would hide each other
_SHAPES = {"^": "up", "v": "down", "s": "square"}
_STEPS = (1, 2, 5)


def compose_asking(material: Material) -> Asking:
    """Return what can be asked of a run."""
    result, of = material.result, tell_forces_apart(material.result.forces)
    return Asking(
        counts=tuple(
            Asked(raise_first(name_row(entry.quantity, of[entry.force])), entry.percentiles)
            for entry in list_headline(result)
        ),
        words=tuple(say_probability(percent / 100, material.scale) for percent in range(101)),
        headlines=tuple(raise_first(name_headline(view)) for view in _list_views(material)),
        without=tuple(_list_without(material)),
        panels=tuple(_draw_panels(result, of)),
    )


def tabulate_chances(result: Result) -> Table:
    """Return what each headline count exceeds with some probabilities."""
    of = tell_forces_apart(result.forces)
    rows = tuple(
        (name_row(entry.quantity, of[entry.force]), *(_show_chance(entry, each) for each in CHANCES))
        for entry in list_headline(result)
    )
    header = ("More than, with a probability of", *(f"{each}%" for each in CHANCES))
    return Table("How likely more: the number that a count exceeds with each probability", header, rows, "lrrrrr")


def _show_chance(entry: Estimate, percent: int) -> str:
    return show_count(entry.percentiles[99 - percent], choose_digits(entry.intervals["0.9"]))


def _list_views(material: Material) -> list[Sensitivity]:
    report = material.sensitivity
    views = [look_at(report, force) for force in list_forces(report)] if report else []
    return [view for view in views if view]


def _list_without(material: Material) -> Iterator[Without]:
    views = _list_views(material)
    if not views:
        return
    yield Without("with every source", tuple(show_scenario(find_base(view)) for view in views))
    for number, first in enumerate(views[0].scenarios):
        if first.kind == "leave_source_out" and first.trusted:
            yield Without(first.label, tuple(show_scenario(view.scenarios[number]) for view in views))


def _draw_panels(result: Result, of: Mapping[str, str]) -> Iterator[Panel]:
    """Yield the paths that somebody spoke of, those of the headline first."""
    leading = [(entry.force, entry.quantity) for entry in list_headline(result)]
    paths = sorted(result.paths, key=lambda path: (path.force, path.quantity) not in leading)
    drawn = 0
    for path in paths:
        claims = [claim for claim in result.claims if _is_shown(claim, path)]
        if len(path.days) > 1 and claims and drawn < MOST_PANELS:
            drawn += 1
            spells = [claim for claim in claims if claim.measure == "interval"]
            sums = [claim for claim in claims if claim.measure != "interval"]
            yield _draw_panel(path, sums[:MOST_MARKS], spells[:MOST_MARKS], result, of)


def _is_shown(claim: JudgedClaim, path: CountPath) -> bool:
    same = (claim.force, claim.quantity) == (path.force, path.quantity)
    return (
        same and claim.unit == "count" and bool(claim.said) and not claim.exclude
        and path.days[0] <= claim.as_of <= path.days[-1] and (claim.measure != "interval" or claim.since is not None)
    )  # fmt: skip


def _draw_panel(
    path: CountPath, claims: list[JudgedClaim], spells: list[JudgedClaim], result: Result, of: Mapping[str, str]
) -> Panel:
    said = [max(number, 0.5) for claim in claims for number in claim.said]
    top = max([*path.high_90, *said]) * 1.15
    low = max(min([*path.low_90[len(path.days) // 3 :], *said]) / 1.15, top / 1e4, 0.5)
    first, last = (dt.date.fromisoformat(path.days[fraction]).toordinal() for fraction in (0, -1))

    def across(day: str) -> float:
        fraction = (dt.date.fromisoformat(day).toordinal() - first) / max(last - first, 1)
        return _round(LEFT + (RIGHT - LEFT) * max(fraction, 0.0))

    def up(count: float) -> float:
        share = math.log(max(count, low) / low) / math.log(max(top / low, 1.01))
        return _round(BOTTOM - (BOTTOM - TOP) * min(share, 1.0))

    def trace(curve: tuple[float, ...]) -> list[str]:
        return [f"{across(day)},{up(count)}" for day, count in zip(path.days, curve, strict=True)]

    def band(below: tuple[float, ...], above: tuple[float, ...]) -> str:
        return " ".join([*trace(above), *reversed(trace(below))])

    labels, colours = label_sources(result), colour_sources(result)
    known = {claim.id: claim for claim in result.claims}
    ticks = choose_days(dt.date.fromordinal(first), dt.date.fromordinal(last), most=6)
    most = max((claim.said[-1] for claim in spells), default=0.0)

    def raise_bar(claim: JudgedClaim) -> Bar:
        x, end = across(claim.since or claim.as_of), across(claim.as_of)
        width = max(end - x, NARROWEST)
        height = max(TALLEST * claim.said[-1] / max(most, 1.0), 2.0)
        return Bar(
            _round(min(x, RIGHT - width)), _round(HEIGHT + DEEPER - height - 2.0), _round(width), _round(height),
            claim.used, _tell_claim(claim, known, labels), colours[claim.source],
        )  # fmt: skip

    def put_mark(claim: JudgedClaim) -> Mark:
        low, high = (up(max(each, 0.5)) for each in (claim.said[0], claim.said[-1]))
        shape = "range" if claim.wording.law == "range" else _SHAPES.get(claim.wording.mark, "round")
        label, middle = _tell_claim(claim, known, labels), _round((low + high) / 2)
        reach = max(_round((low - high) / 2), 2.0) if shape == "range" else 0.0
        return Mark(across(claim.as_of), middle, shape, claim.used, label, colours[claim.source], reach)

    return Panel(
        name=raise_first(name_count(path.quantity, of[path.force])),
        height=HEIGHT + DEEPER * bool(spells),
        wide=band(path.low_90, path.high_90),
        narrow=band(path.low_50, path.high_50),
        median=" ".join(trace(path.median)),
        across=tuple(zip((across(day.isoformat()) for day in ticks), name_days(ticks, " "), strict=True)),
        up=tuple((up(count), show_count(count)) for count in _choose_counts(low, top)),
        marks=tuple(_move_apart(map(put_mark, claims))),
        bars=tuple(map(raise_bar, sorted(spells, key=lambda claim: -_count_days(claim)))),
        most=show_count(most),
    )  # fmt: skip


def _count_days(claim: JudgedClaim) -> int:
    """Return how many days a claim on a spell speaks of; a short one is drawn over a long one."""
    first, last = (dt.date.fromisoformat(day) for day in (claim.since or claim.as_of, claim.as_of))
    return (last - first).days


def _move_apart(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Yield marks moved aside from their day where they would hide one before them."""
    placed: list[Mark] = []
    for mark in marks:

        def hides(aside: float, mark: Mark = mark) -> bool:
            return any(
                abs(mark.x + aside - other.x) < ASIDE and abs(mark.y - other.y) < ASIDE + mark.reach + other.reach
                for other in placed
            )

        free = (sign * ASIDE * step for step in range(6) for sign in (-1.0, 1.0) if not hides(sign * ASIDE * step))
        placed.append(replace(mark, x=_round(mark.x + next(free, 0.0))))
        yield placed[-1]


def _tell_claim(claim: JudgedClaim, known: dict[str, JudgedClaim], labels: dict[str, str]) -> str:
    """Return what a claim says, its wording, and what came of it."""
    words = f" “{claim.phrase}”." if claim.phrase else ""
    expected = "It denies what others count." if claim.denies else f"The model expected {show_expected(claim)}."
    fate = expected if claim.used else f"Not used: {tell_why(claim, known, labels) or 'a repeat'}."
    owner = show_owner(claim, labels) if claim.used else labels[claim.source]
    return f"{owner}, {_tell_days(claim)}: {show_said(claim)} {name_count(claim.quantity)}.{words} {fate}"


def _tell_days(claim: JudgedClaim) -> str:
    """Return the day of a claim, or of one on a spell its days."""
    if claim.measure != "interval" or claim.since is None:
        return show_day(claim.as_of)
    if claim.since == claim.as_of:
        return f"{show_day(claim.as_of)} alone"
    return f"{show_day(claim.since)} to {show_day(claim.as_of)} alone"


def _choose_counts(low: float, top: float) -> list[float]:
    """Return a few whole counts on a log scale."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(top)) + 1)
    steps: tuple[int, ...] = _STEPS if math.log10(top / low) < 2 else (1,)
    found = [step * 10.0**decade for decade in decades for step in steps]
    return [count for count in found if low <= count <= top and count >= 1]


def _round(number: float) -> float:
    return round(number, 1)
