"""Losses over time: a panel for each quantity that anybody spoke of, with every claim on it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from sim.case.wordings import WORDINGS
from sim.contract.summary import CountPath, JudgedClaim, Result
from sim.report.labels import label_forces, label_sources, name_count
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    SOFT,
    Figure,
    colour_sources,
    make_canvas,
    put_title,
    set_count_axis,
    span_counts,
)
from sim.report.table import Row

MAX_PANELS = 8
MAX_NAMED = 60  # sources in the legend
PER_ROW = 3  # sources in a row of the legend
# Columns of the data, and the curves of a path that they hold.
_CURVES = {"low_0.9": "low_90", "low_0.5": "low_50", "median": "median", "high_0.5": "high_50", "high_0.9": "high_90"}


@dataclass(frozen=True)
class Mark:
    """A claim on a panel; the numbers of a share of the force are put there times `factor`, the median of its whole."""

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
    shown = [path for path in paths if marks[path.quantity]][:MAX_PANELS] or paths[:1]
    if not shown:
        return None
    speaking = list(dict.fromkeys(mark.claim.source for path in shown for mark in marks[path.quantity]))[:MAX_NAMED]
    top = 1.2 + 0.19 * -(-len(speaking) // PER_ROW)
    height = top + 0.4 + 1.75 * len(shown)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_forces(result)[force]}: losses over time",
        "Line: posterior median; bands: 50% and 90% credible intervals. Marks: what each source said, by its wording; "
        "hollow marks repeat others and are not used. Claims on a change between two days are not shown. Log scale.",
    )
    grid = canvas.add_gridspec(
        len(shown), 1, left=0.105, right=0.975, top=1 - top / height, bottom=0.42 / height, hspace=0.32
    )
    colours = colour_sources(result, force)
    rows: list[Row] = []
    for panel, path in enumerate(shown):
        axes = canvas.add_subplot(grid[panel])
        _draw_panel(axes, path, marks[path.quantity], colours, result.as_of)
        if panel < len(shown) - 1:
            axes.tick_params(labelbottom=False)
        rows += _list_rows(path, marks[path.quantity])
    _put_legend(canvas, result, speaking, [mark for path in shown for mark in marks[path.quantity]], colours)
    return Figure(canvas, rows)


def _list_marks(claims: Sequence[JudgedClaim], path: CountPath, paths: Mapping[str, CountPath]) -> list[Mark]:
    """Return the claims on a quantity; a share of the force is put on the panel times the median of its whole."""
    found = []
    for claim in claims:
        if not claim.said or claim.exclude or claim.measure == "interval":
            continue  # without a number, of another population, or a change between two days: not on this curve
        factor = 1.0
        if claim.unit == "share":
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


def _draw_panel(axes: Axes, path: CountPath, marks: Sequence[Mark], colours: Mapping[str, str], as_of: str) -> None:
    days: Any = [dt.date.fromisoformat(day) for day in path.days]
    axes.fill_between(days, path.low_90, path.high_90, color=POSTERIOR, alpha=0.14, lw=0)
    axes.fill_between(days, path.low_50, path.high_50, color=POSTERIOR, alpha=0.26, lw=0)
    axes.plot(days, path.median, color=POSTERIOR, lw=1.6)
    alike: dict[tuple[str, str, bool], list[Mark]] = defaultdict(list)
    for mark in marks:
        alike[colours[mark.claim.source], mark.claim.qualifier, mark.claim.used].append(mark)
    for (colour, qualifier, used), group in alike.items():
        _draw_marks(axes, group, colour, qualifier, used=used)
    given = ((mark.factor, each) for mark in marks for each in (mark.claim.low, mark.claim.value, mark.claim.high))
    numbers = [factor * number for factor, number in given if number]
    top = max([*path.high_90, *numbers])
    # The first days reach down to nothing; the axis follows the claims and the second half of the path.
    half = path.low_90[len(days) // 3 :]
    low, high = span_counts([max(min([*half, *numbers]), top / 1e4, 0.5), max(top, 2.0)])
    set_count_axis(axes, low, high, "y", most=6)
    axes.set_title(name_count(path.quantity).capitalize(), pad=3)
    axes.set_xlim(days[0], days[-1] + (days[-1] - days[0]) * 0.02)
    day: Any = dt.date.fromisoformat(as_of)
    axes.axvline(day, color=SOFT, lw=0.6, ls=(0, (2, 2)))
    dates: Any = mdates
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False))


def _draw_marks(axes: Axes, marks: Sequence[Mark], colour: str, qualifier: str, *, used: bool) -> None:
    days: Any = [dt.date.fromisoformat(mark.claim.as_of) for mark in marks]
    wording = WORDINGS[qualifier]
    if wording.law == "range":
        low, high = zip(*(mark.numbers for mark in marks), strict=True)
        axes.vlines(days, low, high, color=colour, lw=2.2 if used else 1.0, zorder=4)
        axes.plot([*days, *days], [*low, *high], ls="none", marker=wording.mark, ms=7, mew=1.4, color=colour, zorder=4)
        return
    values = [max(number, 0.5) for mark in marks for number in mark.numbers]
    look: dict[str, Any] = {"ms": 6.0, "mfc": colour, "zorder": 5} if used else {"ms": 5.0, "mfc": "white", "zorder": 3}
    axes.plot(days, values, ls="none", marker=wording.mark, mec=colour, mew=1.1, **look)


def _put_legend(
    canvas: Canvas, result: Result, names: Sequence[str], marks: Sequence[Mark], colours: Mapping[str, str]
) -> None:
    labels = label_sources(result)
    sources = [Line2D([], [], ls="none", marker="o", ms=6, color=colours[key], label=labels[key]) for key in names]
    said = {wording.label: wording for wording in (WORDINGS[mark.claim.qualifier] for mark in marks)}
    shapes = [
        Line2D([], [], ls="none", marker="|" if wording.law == "range" else wording.mark, ms=6, mfc=SOFT, mec=SOFT,
               mew=1.4, label=label)
        for label, wording in said.items()
    ]  # fmt: skip
    height = canvas.get_figheight()
    look: dict[str, Any] = {"frameon": False, "fontsize": 8, "handletextpad": 0.3, "columnspacing": 1.2, "borderpad": 0}
    start = 0.74
    for row in range(0, len(sources), PER_ROW):
        corner = (0.012, 1 - start / height)
        canvas.legend(
            handles=sources[row : row + PER_ROW], loc="upper left", bbox_to_anchor=corner, ncols=PER_ROW, **look
        )
        start += 0.19
    corner = (0.012, 1 - start / height)
    canvas.legend(handles=shapes, loc="upper left", bbox_to_anchor=corner, ncols=6, labelcolor=INK, **look)


def _list_rows(path: CountPath, marks: Sequence[Mark]) -> list[Row]:
    empty: Row = dict.fromkeys(("claim", "source", "qualifier", "low", "value", "high", "used"), "")
    curves = {column: getattr(path, name) for column, name in _CURVES.items()}
    rows: list[Row] = [
        {"quantity": path.quantity, "day": day, **{column: curve[number] for column, curve in curves.items()}, **empty}
        for number, day in enumerate(path.days)
    ]
    for mark in marks:
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
