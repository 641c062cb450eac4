"""What the HTML memo can be asked: chances of any threshold, the answer without a source, and claims on their path.

All of it is numbers and text from the summary and the sensitivity report; the page draws them itself. Everything that
is asked stands in a table too, which is what prints, and what other formats have.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping

from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import CountPath, JudgedClaim, Result
from sim.report.labels import colour_sources, label_sources, name_count, name_row, raise_first, tell_forces_apart
from sim.report.memo.asked import Asked, Asking, Mark, Panel, Without
from sim.report.memo.blocks import Material, Table
from sim.report.memo.claims import show_expected, show_owner, show_said
from sim.report.robustness import find_base, list_forces, look_at, name_headline, show_scenario
from sim.report.table import list_headline
from sim.words import MONTHS, say_probability, show_count, show_day

CHANCES = (95, 80, 50, 20, 5)  # percent, of the table of thresholds
MOST_PANELS, MOST_MARKS = 6, 300
LEFT, RIGHT, TOP, BOTTOM = 62.0, 628.0, 12.0, 190.0  # of a panel of 640 by 220
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
        (name_row(entry.quantity, of[entry.force]), *(show_count(entry.percentiles[99 - each], 2) for each in CHANCES))
        for entry in list_headline(result)
    )
    header = ("More than, with a probability of", *(f"{each}%" for each in CHANCES))
    return Table("How likely more: the number that a count exceeds with each probability", header, rows, "lrrrrr")


def _list_views(material: Material) -> list[Sensitivity]:
    report = material.sensitivity
    views = [look_at(report, force) for force in list_forces(report)] if report else []
    return [view for view in views if view]


def _list_without(material: Material) -> Iterator[Without]:
    views = _list_views(material)
    if not views:
        return
    yield Without("every source", tuple(show_scenario(find_base(view)) for view in views))
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
            yield _draw_panel(path, claims[:MOST_MARKS], result, of)


def _is_shown(claim: JudgedClaim, path: CountPath) -> bool:
    same = (claim.force, claim.quantity) == (path.force, path.quantity)
    return (
        same and claim.measure != "interval" and claim.unit == "count" and bool(claim.said) and not claim.exclude
        and path.days[0] <= claim.as_of <= path.days[-1]
    )  # fmt: skip


def _draw_panel(path: CountPath, claims: list[JudgedClaim], result: Result, of: Mapping[str, str]) -> Panel:
    said = [max(number, 0.5) for claim in claims for number in claim.said]
    top = max(*path.high_90, *said) * 1.15
    low = max(min(*path.low_90[len(path.days) // 3 :], *said) / 1.15, top / 1e4, 0.5)
    first, last = (dt.date.fromisoformat(path.days[place]).toordinal() for place in (0, -1))

    def across(day: str) -> float:
        return _round(LEFT + (RIGHT - LEFT) * (dt.date.fromisoformat(day).toordinal() - first) / max(last - first, 1))

    def up(count: float) -> float:
        share = math.log(max(count, low) / low) / math.log(max(top / low, 1.01))
        return _round(BOTTOM - (BOTTOM - TOP) * min(share, 1.0))

    def trace(curve: tuple[float, ...]) -> list[str]:
        return [f"{across(day)},{up(count)}" for day, count in zip(path.days, curve, strict=True)]

    def band(below: tuple[float, ...], above: tuple[float, ...]) -> str:
        return " ".join([*trace(above), *reversed(trace(below))])

    labels, colours = label_sources(result), colour_sources(result)
    return Panel(
        name=raise_first(name_count(path.quantity, of[path.force])),
        wide=band(path.low_90, path.high_90),
        narrow=band(path.low_50, path.high_50),
        median=" ".join(trace(path.median)),
        across=tuple((across(day), name) for day, name in _choose_days(path.days)),
        up=tuple((up(count), show_count(count)) for count in _choose_counts(low, top)),
        marks=tuple(
            Mark(
                across(claim.as_of), up(math.sqrt(math.prod(max(each, 0.5) for each in _ends(claim)))),
                _SHAPES.get(claim.wording.mark, "round"), claim.used, _tell_claim(claim, labels),
                colours[claim.source],
            )
            for claim in claims
        ),
    )  # fmt: skip


def _ends(claim: JudgedClaim) -> tuple[float, float]:
    return claim.said[0], claim.said[-1]


def _tell_claim(claim: JudgedClaim, labels: dict[str, str]) -> str:
    """Return what a claim says, its wording, and what came of it."""
    words = f" “{claim.phrase}”." if claim.phrase else ""
    fate = f"The model expected {show_expected(claim)}." if claim.used else f"Not used: {claim.why_not or 'a repeat'}."
    owner = show_owner(claim, labels) if claim.used else labels[claim.source]
    return f"{owner}, {show_day(claim.as_of)}: {show_said(claim)} {name_count(claim.quantity)}.{words} {fate}"


def _choose_days(days: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return a few days of a path with their names; a year is said where it begins, and first."""
    step = max(len(days) // 5, 1)
    chosen = days[::step]
    years = ["", *(day[:4] for day in chosen)]
    return [
        (day, f"{int(day[8:])} {MONTHS[int(day[5:7]) - 1][:3]}{f' {day[:4]}' if day[:4] != before else ''}")
        for day, before in zip(chosen, years, strict=False)
    ]


def _choose_counts(low: float, top: float) -> list[float]:
    """Return a few whole counts on a log scale."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(top)) + 1)
    steps: tuple[int, ...] = _STEPS if math.log10(top / low) < 2 else (1,)
    found = [step * 10.0**decade for decade in decades for step in steps]
    return [count for count in found if low <= count <= top and count >= 1]


def _round(number: float) -> float:
    return round(number, 1)
