"""Losses over time: a panel for each quantity that anybody spoke of, with every claim on it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from sim.case.case import STATES
from sim.case.wordings import read_known_whole
from sim.contract.summary import CountPath, JudgedClaim, Result
from sim.report.finding import name_forces
from sim.report.labels import colour_sources, name_count, name_unit, raise_first
from sim.report.plots.frame import MARGIN, WIDTH, name_source, open_frame
from sim.report.plots.keys import (
    draw_spells,
    list_key,
    list_spells,
    measure_key,
    number_sources,
    put_key,
    set_day_axis,
)
from sim.report.plots.style import INK, POSTERIOR, SOFT, ZERO, Figure, set_count_axis, span_counts
from sim.report.table import Row
from sim.words import show_day

MAX_PANELS = 8
MAX_NUMBERED = 40  # marks of a panel that have the number of their source beside them
MAX_APART = 400  # marks of a panel that are moved apart
Looks = tuple[Mapping[str, str], Mapping[str, str]]  # of sources: colours, and numbers
_PANEL, _SPELLS, _LEFT = 1.75, 0.75, 0.72  # inches
_SIZE = 6.0  # points, of a mark
_DIGIT, _TALL = 4.8, 7.0  # points, of its tag
_ASIDE = (0.0, 6.5, -6.5, 13.0, -13.0, 19.5, -19.5)  # points, by which a mark is moved
# Columns of the data, and the curves of a path that they hold.
_CURVES = {"low_0.9": "low_90", "low_0.5": "low_50", "median": "median", "high_0.5": "high_50", "high_0.9": "high_90"}


@dataclass(frozen=True)
class Mark:
    """A claim on a panel; the numbers of a share are put there times `factor`: its whole if known, or that's median."""

    claim: JudgedClaim
    factor: float = 1.0

    @property
    def numbers(self) -> tuple[float, ...]:
        """The number said as a count, or both ends of a range."""
        return tuple(self.factor * number for number in self.claim.said)


def plot_losses(result: Result, force: str) -> Figure | None:
    """Draw the path of each quantity with its 50% and 90% intervals, and the claims as they were made."""
    paths = [path for path in result.paths if path.force == force and len(path.days) > 1]
    claims: dict[str, list[JudgedClaim]] = defaultdict(list)
    for claim in result.claims:
        if claim.force == force:
            claims[claim.quantity].append(claim)
    by_quantity = {path.quantity: path for path in reversed(result.paths) if path.force == force}
    marks = {path.quantity: _list_marks(claims[path.quantity], path, by_quantity) for path in paths}
    spells = {path.quantity: list_spells(claims[path.quantity]) for path in paths}
    told = [path for path in paths if marks[path.quantity] or spells[path.quantity]]
    shown = told[:MAX_PANELS] or paths[:1]
    if not shown:
        return None
    heights = [_PANEL + (_SPELLS if spells[path.quantity] else 0.0) for path in shown]
    every = [mark for path in shown for mark in marks[path.quantity]]
    speaking = [mark.claim for mark in every] + [claim for path in shown for claim in spells[path.quantity]]
    key = list_key(result, speaking)
    bars = " Bars: what was said of single days or spells." if any(spells.values()) else ""
    more = f" The first {MAX_PANELS} of {len(told)} counts." if len(told) > MAX_PANELS else ""
    frame = open_frame(
        _find_middle(shown[0], name_forces(result)[force]),
        f"Line: posterior median; bands: 50% and 90% credible intervals.{_tell_marks(every)}{bars}{more}",
        sum(heights) + measure_key(key) + 0.3,
        name_source(result, f"{name_unit(path.quantity for path in shown)} in all, by the day; log scale."),
    )
    colours, numbers = colour_sources(result), number_sources(result, speaking)
    above = put_key(frame, key, every)
    rows: list[Row] = []
    for panel, (path, height) in enumerate(zip(shown, heights, strict=True)):
        frame.write(name_count(path.quantity).capitalize(), MARGIN, above, fontweight="bold")
        last = panel == len(shown) - 1
        axes = frame.place(_LEFT, above + 0.24, WIDTH - _LEFT - 0.2, _PANEL - 0.36)
        _draw_panel(axes, path, marks[path.quantity], (colours, numbers), result.as_of)
        if spells[path.quantity]:
            below = frame.place(_LEFT, above + _PANEL + 0.02, WIDTH - _LEFT - 0.2, _SPELLS - 0.2)
            draw_spells(below, spells[path.quantity], colours, numbers)
            below.set_xlim(axes.get_xlim())
            set_day_axis(below, path.days[0], path.days[-1], labels=last)
        set_day_axis(axes, path.days[0], path.days[-1], labels=last and not spells[path.quantity])
        above += height
        rows += _list_rows(path, marks[path.quantity], spells[path.quantity])
    return Figure(frame.canvas, rows)


def _tell_marks(marks: Sequence[Mark]) -> str:
    """Return what the marks of a figure are, of the kinds that it has."""
    hollow = "" if all(mark.claim.used for mark in marks) else "; hollow marks repeat others and are not used"
    return f" Marks: what each source said by that day{hollow}." if marks else ""


def _find_middle(path: CountPath, force: str) -> str:
    """Return the day by which half of the losses had come, as the median has it."""
    half = path.median[-1] / 2
    name = name_count(path.quantity)
    if path.quantity in STATES or half <= 0:
        return f"{raise_first(force)}: the {name} over time"
    day = next(day for day, count in zip(path.days, path.median, strict=True) if count >= half)
    of = {"killed": "dead"}.get(path.quantity, name)
    return f"{raise_first(force)}: half of the {of} by {show_day(day)}"


def _list_marks(claims: Sequence[JudgedClaim], path: CountPath, paths: Mapping[str, CountPath]) -> list[Mark]:
    """Return the claims on a quantity; a share of the force is put on the panel times the median of its whole.

    A ratio is no number of either side.
    """
    found = []
    for claim in claims:
        if not claim.said or claim.exclude or claim.measure == "interval" or claim.unit == "ratio":
            continue  # without a number, of another population, or a change between two days: not on this curve
        known = read_known_whole(claim.unit, claim.of)
        factor = known or 1.0
        if claim.unit == "share" and known is None:
            whole = paths.get(claim.of or "deployed")
            if whole is None or not whole.days:
                continue
            factor = _read_path(whole, claim.as_of)
        if claim.as_of >= path.days[0]:
            found.append(Mark(claim, factor))
    return found


def _read_path(path: CountPath, day: str) -> float:
    """Return the median on the last day of the path that is not after `day`."""
    return path.median[max(bisect_right(path.days, day) - 1, 0)]


def _draw_panel(axes: Axes, path: CountPath, marks: Sequence[Mark], looks: Looks, as_of: str) -> None:
    colours, tags = looks
    days: Any = [dt.date.fromisoformat(day) for day in path.days]
    axes.fill_between(days, path.low_90, path.high_90, color=POSTERIOR, alpha=0.14, lw=0)
    axes.fill_between(days, path.low_50, path.high_50, color=POSTERIOR, alpha=0.26, lw=0)
    axes.plot(days, path.median, color=POSTERIOR, lw=1.6)
    given = ((mark.factor, each) for mark in marks for each in (mark.claim.low, mark.claim.value, mark.claim.high))
    numbers = [factor * number for factor, number in given if number is not None]
    top = max([*path.high_90, *numbers])
    # The first days reach down to nothing; the axis follows the claims and the second half of the path.
    half = path.low_90[len(days) // 3 :]
    low, high = span_counts([max(min([*half, *numbers]), top / 1e4, ZERO), max(top, 2.0)])
    set_count_axis(axes, low, high, "y", most=6, whole=True)
    span = days[-1] - days[0]
    axes.set_xlim(days[0] - span * 0.01, days[-1] + span * 0.02)
    day: Any = dt.date.fromisoformat(as_of)
    axes.axvline(day, color=SOFT, lw=0.6, ls=(0, (2, 2)))
    spots = move_apart(axes, marks)
    texts = choose_tagged([tags.get(mark.claim.source, "") for mark in marks])
    curve = axes.transData.transform(
        [(_number_day(day), count) for day, count in zip(path.days, path.median, strict=True)]
    )
    positions = place_tags(spots, texts, curve * 72 / axes.figure.dpi)
    for mark, spot in zip(marks, spots, strict=True):
        _draw_mark(axes, mark, colours[mark.claim.source], spot.shift)
    look: dict[str, Any] = {"fontsize": 7.5, "color": INK, "ha": "center", "va": "center", "zorder": 6}
    for mark, spot, text, (x, y) in zip(marks, spots, texts, positions, strict=True):
        if not text:
            continue
        position = _number_day(mark.claim.as_of), max(mark.numbers[-1], ZERO)
        aside = x - spot.x + spot.shift, y - spot.high
        axes.annotate(text, position, aside, textcoords="offset points", annotation_clip=False, **look)


def choose_tagged(texts: Sequence[str]) -> list[str]:
    """Return the number beside each mark; where there are very many, every source keeps its last ones."""
    left, turns = Counter(texts), []
    for text in texts:  # how many marks of its source follow
        left[text] -= 1
        turns.append(left[text])
    numbered = sorted(turn for text, turn in zip(texts, turns, strict=True) if text)
    most = max(numbered[MAX_NUMBERED], 1) if len(numbered) > MAX_NUMBERED else len(texts)
    return [text if turn < most else "" for text, turn in zip(texts, turns, strict=True)]


def _number_day(day: str) -> float:
    number: Any = mdates.date2num(dt.date.fromisoformat(day))  # type: ignore[no-untyped-call]
    return float(number)


@dataclass(frozen=True)
class Spot:
    """Where a mark stands, in points: its middle, aside of its day by `shift`, and its ends."""

    x: float
    low: float
    high: float
    shift: float = 0.0

    def touches(self, x: float, low: float, high: float, width: float) -> bool:
        """Return whether something of a width would hide it."""
        return abs(self.x - x) < (_SIZE + width) / 2 and low < self.high + _SIZE / 2 and self.low - _SIZE / 2 < high


def move_apart(axes: Axes, marks: Sequence[Mark]) -> list[Spot]:
    """Return where each mark stands, moved aside from its day so that none hides another."""
    points = 72 / axes.figure.dpi
    placed: list[Spot] = []
    for mark in marks:
        day = _number_day(mark.claim.as_of)
        ends = [axes.transData.transform((day, max(number, ZERO))) * points for number in mark.numbers]
        (x, low), high = ends[0], ends[-1][1]
        shifts = _ASIDE if len(marks) <= MAX_APART else ()
        free = (
            each for each in shifts
            if not any(spot.touches(x + each, low - _SIZE / 2, high + _SIZE / 2, _SIZE) for spot in placed)
        )  # fmt: skip
        shift = next(free, 0.0)
        placed.append(Spot(x + shift, low, high, shift))
    return placed


def place_tags(spots: Sequence[Spot], texts: Sequence[str], curve: Any) -> list[tuple[float, float]]:
    """Return the middle of each mark's tag: beside, over or under it, where it hides the least.

    Parameters
    ----------
    spots : sequence of Spot
    texts : sequence of str
        One for each; none where it is empty.
    curve : array of shape (days, 2)
        The median's, which a tag had better not cross, in points as all positions are.
    """
    placed: list[tuple[float, float, float]] = []
    for spot, text in zip(spots, texts, strict=True):
        if not text:
            placed.append((spot.x, spot.high, 0.0))
            continue
        width = _DIGIT * len(text)
        beside, over = (_SIZE + width) / 2 + 2.0, (_SIZE + _TALL) / 2 + 1.0
        middle = (spot.low + spot.high) / 2
        tried = [
            (spot.x + x, y)
            for x, y in (
                (beside, spot.high), (0.0, spot.high + over), (0.0, spot.low - over), (-beside, spot.high),
                (beside, spot.high + over), (beside, spot.low - over), (-beside, spot.high + over),
                (-beside, spot.low - over), (beside, middle), (-beside, middle),
            )
        ]  # fmt: skip

        def hides(position: tuple[float, float], width: float = width) -> float:
            x, y = position
            marks = sum(each.touches(x, y - _TALL / 2, y + _TALL / 2, width) for each in spots)
            tags = sum(abs(x - ax) < (width + wide) / 2 and abs(y - ay) < _TALL for ax, ay, wide in placed if wide)
            crossed = abs(y - float(np.interp(x, curve[:, 0], curve[:, 1], left=-1e9, right=-1e9))) < _TALL / 2 + 1
            return marks + tags + 0.5 * crossed

        best = min(tried, key=hides)
        placed.append((*best, width))
    return [(x, y) for x, y, _ in placed]


def _draw_mark(axes: Axes, mark: Mark, colour: str, shift: float) -> None:
    wording, used = mark.claim.wording, mark.claim.used
    day: Any = dt.date.fromisoformat(mark.claim.as_of)
    aside = axes.transData + ScaledTranslation(shift / 72, 0, axes.figure.dpi_scale_trans)
    look: dict[str, Any] = {"ls": "none", "clip_on": False, "transform": aside, "zorder": 5 if used else 4}
    if wording.law == "range":
        low, high = (max(number, ZERO) for number in mark.numbers)
        axes.plot([day, day], [low, high], color=colour, **{**look, "ls": "-", "lw": 2.2 if used else 1.0})
        axes.plot([day, day], [low, high], marker=wording.mark, ms=7, mew=1.4, color=colour, **look)
        return
    values = [max(number, ZERO) for number in mark.numbers]
    size, face, edge = (6.5, colour, "white") if used else (5.5, "white", colour)
    axes.plot([day] * len(values), values, marker=wording.mark, ms=size, mfc=face, mec=edge, mew=0.5 if used else 1.2,
              **look)  # fmt: skip


def _list_rows(path: CountPath, marks: Sequence[Mark], spells: Sequence[JudgedClaim]) -> list[Row]:
    empty: Row = dict.fromkeys(("claim", "source", "qualifier", "low", "value", "high", "used"), "")
    curves = {column: getattr(path, name) for column, name in _CURVES.items()}
    rows: list[Row] = [
        {"quantity": path.quantity, "day": day, **{column: curve[number] for column, curve in curves.items()}, **empty}
        for number, day in enumerate(path.days)
    ]
    for mark in [*marks, *map(Mark, spells)]:
        claim = mark.claim
        given = {"low": claim.low, "value": claim.value, "high": claim.high}
        rows.append(
            {
                "quantity": path.quantity, "day": claim.as_of, **dict.fromkeys(_CURVES, ""), "claim": claim.id,
                "source": claim.source, "qualifier": claim.qualifier, "used": claim.used,
                **{name: "" if number is None else mark.factor * number for name, number in given.items()},
            }
        )  # fmt: skip
    return rows
