"""Posterior densities as quantile dotplots, and the posterior beside the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from sim.contract.summary import Estimate, Result
from sim.report.labels import label_forces, name_count
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    PRIOR,
    RULE,
    SOFT,
    Figure,
    flatten_intervals,
    make_canvas,
    put_title,
    set_count_axis,
    span_counts,
)
from sim.report.table import Row, list_distinct, list_headline
from sim.words import show_count

MAX_ROWS = 30


def plot_estimates(result: Result, force: str) -> Figure | None:
    """Draw each estimate as twenty dots, one for each 5% of probability, over its 50% and 90% intervals.

    Quantile dotplots are read more precisely than densities (Kay et al. 2016, doi 10.1145/2858036.2858558).
    """
    return _plot_dots(result, force, list_distinct(result, force)[:MAX_ROWS])


def plot_headline(result: Result, force: str) -> Figure | None:
    """Draw the counts that a memo leads with, as `plot_estimates` does."""
    entries = [entry for entry in list_headline(result) if entry.force == force][:MAX_ROWS]
    return _plot_dots(result, force, entries)


def _plot_dots(result: Result, force: str, entries: Sequence[Estimate]) -> Figure | None:
    if not entries:
        return None
    height = 1.15 + 1.0 * len(entries)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_forces(result)[force]}: estimates as of {result.as_of}",
        "Each dot is 5% of the probability: count dots to read a chance. Thick line: 50% credible interval; thin line: "
        "90%; tick: median. Numbers: median and 90% interval. Log scale, each row its own.",
    )
    grid = canvas.add_gridspec(
        len(entries), 1, left=0.15, right=0.74, top=1 - 0.85 / height, bottom=0.3 / height, hspace=0.62
    )
    for row, entry in enumerate(entries):
        _draw_dots(canvas.add_subplot(grid[row]), entry)
    rows: list[Row] = [
        {"quantity": entry.quantity, "dot": number, "value": value}
        for entry in entries
        for number, value in enumerate(entry.dots, start=1)
    ]
    return Figure(canvas, rows)


def _draw_dots(axes: Axes, entry: Estimate) -> None:
    dots = np.maximum(np.array(entry.dots), 0.5)
    low, high = span_counts([*dots, *entry.intervals["0.9"]])
    width = max((np.log(high) - np.log(low)) / 12, 1e-9)
    columns = np.rint((np.log(dots) - np.log(low)) / width)
    heights = [int(np.sum(columns[: dot + 1] == column)) for dot, column in enumerate(columns)]
    axes.plot(
        np.exp(np.log(low) + columns * width), np.array(heights) - 0.3, marker="o", ms=6.2, color=POSTERIOR, ls="none"
    )
    _draw_interval(axes, entry.intervals, entry.median, -0.7, POSTERIOR)
    axes.set_ylim(-1.3, max(6.0, max(heights) + 0.3))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, low, high, most=7)
    _name_row(axes, entry)


def _name_row(axes: Axes, entry: Estimate) -> None:
    inside = axes.transAxes
    name = name_count(entry.quantity).capitalize()
    axes.text(-0.02, 0.4, name, transform=inside, ha="right", fontweight="bold")
    low, high = entry.intervals["0.9"]
    axes.text(1.02, 0.4, show_count(entry.median), transform=inside, ha="left", fontweight="bold")
    axes.text(1.17, 0.4, f"{show_count(low)} to {show_count(high)}", transform=inside, ha="left", color=SOFT)


def _draw_interval(
    axes: Axes, intervals: Mapping[str, tuple[float, float]], median: float, y: float, colour: str
) -> None:
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        edges = [max(edge, 0.5) for edge in intervals[level]]
        axes.plot(edges, [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=3)
    axes.plot([max(median, 0.5)], [y], marker="|", ms=9, mew=1.8, color=INK, zorder=4, ls="none")


def plot_prior_posterior(result: Result, force: str) -> Figure | None:
    """Draw each estimate's posterior interval under its prior interval: what the claims have taught."""
    entries = list_distinct(result, force)[:MAX_ROWS]
    if not entries:
        return None
    height = 1.45 + 0.5 * len(entries)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_forces(result)[force]}: what the claims have taught",
        "Grey: prior, before any claim; blue: posterior. Thick line: 50% credible interval; thin line: 90%; tick: "
        "median. At the right: share of the prior's variance that is left (log scale). Log scale.",
    )
    axes = canvas.add_axes((0.15, 0.42 / height, 0.73, 1 - 1.35 / height))
    values = [edge for entry in entries for each in (entry.intervals, entry.prior_intervals) for edge in each["0.9"]]
    low, high = span_counts(values)
    for row, entry in enumerate(entries):
        y = -row
        _draw_interval(axes, entry.prior_intervals, entry.prior_median, y + 0.16, PRIOR)
        _draw_interval(axes, entry.intervals, entry.median, y - 0.16, POSTERIOR)
        axes.axhline(y - 0.5, color=RULE, lw=0.5)
        axes.text(1.02, y, f"{entry.prior_share:.0%}", transform=axes.get_yaxis_transform(), va="center")
    axes.set_ylim(-len(entries) + 0.5, 0.5)
    axes.set_yticks(range(0, -len(entries), -1), [name_count(entry.quantity).capitalize() for entry in entries])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, low, high)
    rows = [
        {"quantity": entry.quantity, "which": which, "median": median, **flatten_intervals(intervals)}
        for entry in entries
        for which, median, intervals in (
            ("prior", entry.prior_median, entry.prior_intervals),
            ("posterior", entry.median, entry.intervals),
        )
    ]
    return Figure(canvas, rows)
