"""Posterior densities as quantile dotplots, and the posterior beside the prior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from sim.contract.summary import Estimate, Result, list_distinct
from sim.report.finding import name_forces, write_title
from sim.report.labels import name_count, name_row, name_unit, raise_first, tell_forces_apart
from sim.report.plots.frame import MARGIN, TEXT, WIDTH, Frame, cut_text, measure_text, name_source, open_frame
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    PRIOR,
    RULE,
    SOFT,
    ZERO,
    Figure,
    flatten_intervals,
    set_count_axis,
    span_counts,
)
from sim.report.table import Row, list_headline, show_estimate, show_range
from sim.words import show_day

MAX_ROWS = 30
LOST = 4.0  # times as long as its own, that an axis shared with others may be for a count to be read on it
Span = tuple[float, float]
_NUMBERS, _DOT = 2.6, 7.5  # inches of a count's numbers; points of a dot, at most
DOTS = (
    "Each dot is 5% of the probability: count dots to read a chance. Thick line: 50% credible interval; thin line: "
    "90%; tick: median."
)
_HEAD, _DOTS, _GUTTER = 0.2, 0.98, 0.35  # inches of a row: its head, the dots over their axis; between two columns


def plot_estimates(result: Result, force: str) -> Figure | None:
    """Draw each estimate as twenty dots, one for each 5% of probability, over its 50% and 90% intervals.

    Quantile dotplots are read more precisely than densities (Kay et al. 2016, doi 10.1145/2858036.2858558).
    """
    entries = list_distinct(result, force)
    title = f"{raise_first(name_forces(result)[force])}: {_find_known(entries)}" if entries else ""
    return _plot_dots(result, entries, title, dict.fromkeys(name_forces(result), ""))


def _find_known(entries: Sequence[Estimate]) -> str:
    """Return of which count most is known, and of which least, by how far apart the ends of its 90% interval are."""
    first, last = min(entries, key=_measure_open), max(entries, key=_measure_open)
    if first is last:
        return f"{show_range(first)} {name_count(first.quantity)}"
    return f"most is known of the {name_count(first.quantity)}, least of the {name_count(last.quantity)}"


def _measure_open(entry: Estimate) -> float:
    low, high = (max(edge, ZERO) for edge in entry.intervals["0.9"])
    return high / low


def plot_headline(result: Result, _: str = "") -> Figure | None:
    """Draw what a memo leads with and every outcome with a threshold, of all forces, as `plot_estimates` does."""
    return _plot_leading(result, write_title(result))


def plot_page_one(result: Result, _: str = "") -> Figure | None:
    """Draw the same without a title, which a memo's page one has in its heading."""
    return _plot_leading(result, "")


def _plot_leading(result: Result, title: str) -> Figure | None:
    leading = {(entry.force, entry.quantity) for entry in list_headline(result)}
    asked = {(entry.force, entry.quantity) for entry in result.exceedance}
    entries = [entry for entry in result.estimates if (entry.force, entry.quantity) in leading | asked]
    columns = 2 if len(entries) > 2 else 1
    return _plot_dots(result, entries, title, tell_forces_apart(result.forces), columns)


def _plot_dots(
    result: Result, entries: Sequence[Estimate], title: str, of: Mapping[str, str], columns: int = 1
) -> Figure | None:
    if not entries:
        return None
    shown = entries[:MAX_ROWS]
    more = f" The first {MAX_ROWS} of {len(entries)} counts; all are in the data." if len(entries) > MAX_ROWS else ""
    own = [span_counts([*entry.dots, *entry.intervals["0.9"]]) for entry in shown]
    limits = _share_axes(shown, own)
    several = len({entry.force for entry in shown}) > 1
    same = "" if not several else ", of each its own" if limits == own else ", the same for the same count"
    unit = f"{name_unit(entry.quantity for entry in shown)} by {show_day(result.as_of)}; log scale{same}."
    wide = (WIDTH - 2 * MARGIN - _GUTTER * (columns - 1)) / columns
    names = [raise_first(name_row(entry.quantity, of[entry.force])) for entry in shown]
    # In two columns, or where a name is long, a count's numbers stand under its name.
    apart = columns > 1 or any(measure_text(name, TEXT, bold=True) > wide - _NUMBERS for name in names)
    titles = [cut_text(name, wide, TEXT, bold=True, lines=3) for name in names]
    head = _HEAD * (max(map(len, titles)) + 1 if apart else 1)
    high = head + _DOTS
    frame = open_frame(title, DOTS + more, -(-len(shown) // columns) * high, name_source(result, unit))
    for row, entry in enumerate(shown):
        above, left = row // columns * high, MARGIN + row % columns * (wide + _GUTTER)
        _name_row(frame, entry, titles[row], (left, above, wide), head if apart else 0.0)
        _draw_dots(frame.place(left + 0.1, above + head, wide - 0.2, _DOTS - 0.4), entry, limits[row])
    rows: list[Row] = [
        {"force": entry.force, "quantity": entry.quantity, "dot": number, "value": value}
        for entry in entries
        for number, value in enumerate(entry.dots, start=1)
    ]
    return Figure(frame.canvas, rows)


def _share_axes(shown: Sequence[Estimate], own: Sequence[Span]) -> list[Span]:
    """Return the ends of the axis of each estimate: the same for the same count of several forces.

    Where one of them would be lost on it, as a dozen beside a million, each has its own.
    """
    spans: dict[str, Span] = {}
    for entry, (low, high) in zip(shown, own, strict=True):
        least, most = spans.get(entry.quantity, (low, high))
        spans[entry.quantity] = min(least, low), max(most, high)
    shared = [spans[entry.quantity] for entry in shown]
    lost = any(
        math.log(span[1] / span[0]) > LOST * math.log(each[1] / each[0]) for span, each in zip(shared, own, strict=True)
    )
    return list(own) if lost else shared


def _name_row(
    frame: Frame, entry: Estimate, name: Sequence[str], box: tuple[float, float, float], apart: float
) -> None:
    """Set the name of a count at the left and its numbers at the right, over its dots; or, apart, under the name."""
    left, above, wide = box
    below = above + max(apart - _HEAD, 0.0)
    frame.write("\n".join(name), left, above, fontweight="bold")
    frame.write(f"90%: {show_range(entry)}", left + wide, below, ha="right", color=SOFT)
    number, side = (left, "left") if apart else (left + wide - 1.95, "right")
    frame.write(show_estimate(entry), number, below, ha=side, fontweight="bold")


def _draw_dots(axes: Axes, entry: Estimate, limits: tuple[float, float]) -> None:
    low, high = limits
    dots = np.maximum(np.array(entry.dots), ZERO)
    width = max((np.log(high) - np.log(low)) / 20, 1e-9)
    columns = np.rint((np.log(dots) - np.log(low)) / width)
    heights = [int(np.sum(columns[: dot + 1] == column)) for dot, column in enumerate(columns)]
    top = max(4.0, max(heights) + 0.5)
    size = min(_DOT, 0.92 * 72 * (_DOTS - 0.4) / (top + 1.3))
    axes.plot(
        np.exp(np.log(low) + columns * width), np.array(heights) - 0.3, marker="o", ms=size, color=POSTERIOR, ls="none"
    )
    _draw_interval(axes, entry.intervals, entry.median, -0.7, POSTERIOR)
    axes.set_ylim(-1.3, top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, low, high, whole=True)


def _draw_interval(
    axes: Axes, intervals: Mapping[str, tuple[float, float]], median: float, y: float, colour: str
) -> None:
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        edges = [max(edge, ZERO) for edge in intervals[level]]
        axes.plot(edges, [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=3)
    axes.plot([max(median, ZERO)], [y], marker="|", ms=9, mew=1.8, color=INK, zorder=4, ls="none")


def plot_prior_posterior(result: Result, force: str) -> Figure | None:
    """Draw each estimate's posterior interval under its prior interval: what the claims have taught."""
    entries = list_distinct(result, force)
    if not entries:
        return None
    shown = entries[:MAX_ROWS]
    names = [cut_text(name_count(entry.quantity).capitalize(), 1.45, lines=3) for entry in shown]
    heights = [max(0.46, 0.19 * len(lines) + 0.1) for lines in names]
    frame = open_frame(
        _find_lesson(result, shown[0], name_forces(result)[force]),
        "Grey: prior, before any claim; blue: posterior. Thick line: 50% credible interval; thin line: 90%; tick: "
        "median. At the right: share of the prior's variance that is left.",
        sum(heights) + 0.3,
        name_source(result, f"{name_unit(entry.quantity for entry in shown)}; log scale."),
    )
    axes = frame.place(1.65, 0.0, WIDTH - 1.65 - 0.65, sum(heights))
    values = [edge for entry in entries for each in (entry.intervals, entry.prior_intervals) for edge in each["0.9"]]
    y = 0.0
    for entry, lines, height in zip(shown, names, heights, strict=True):
        y -= height / 2
        _draw_interval(axes, entry.prior_intervals, entry.prior_median, y + 0.08, PRIOR)
        _draw_interval(axes, entry.intervals, entry.median, y - 0.08, POSTERIOR)
        across = axes.get_yaxis_transform()
        axes.text(-0.02, y, "\n".join(lines), transform=across, va="center", ha="right")
        axes.text(1.02, y, f"{entry.prior_share:.0%}", transform=across, va="center")
        y -= height / 2
        axes.axhline(y, color=RULE, lw=0.5)
    axes.set_ylim(y, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, *span_counts(values), whole=True)
    rows = [
        {"quantity": entry.quantity, "which": which, "median": median, **flatten_intervals(intervals)}
        for entry in entries
        for which, median, intervals in (
            ("prior", entry.prior_median, entry.prior_intervals),
            ("posterior", entry.median, entry.intervals),
        )
    ]
    return Figure(frame.canvas, rows)


def _find_lesson(result: Result, entry: Estimate, force: str) -> str:
    """Return what the claims have taught of a count, in a line."""
    name = name_count(entry.quantity)
    if not result.used_claims or entry.prior_share > 0.95:
        return f"{raise_first(force)}: of the {name} the claims taught next to nothing"
    gone = 1 - entry.prior_share
    share = "nearly all" if gone > 0.95 else "most" if gone > 0.5 else "some"
    return f"{raise_first(force)}: the claims settle {share} of what was open about the {name}"
