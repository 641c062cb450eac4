"""A war quarter by quarter: what was estimated then, what is established now, and the newspaper's present curve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes

from sim.report.plots.style import (
    INK,
    POSTERIOR,
    SOFT,
    Figure,
    make_canvas,
    put_title,
    save_figure,
    set_count_axis,
    use_style,
)
from sim.report.table import Row

CURVE = "#D55E00"


def draw_quarters(report: Mapping[str, Any], labels: Mapping[str, str], curve: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a panel for each force and quantity: estimates at the ends of quarters, truth, and the curve."""
    series = list(dict.fromkeys((row["force"], row["quantity"]) for row in report["rows"]))
    height = 1.6 + 2.5 * len(series)
    canvas = make_canvas(height)
    put_title(
        canvas,
        "What could be known at the end of each quarter",
        "Points and bars: posterior median, 50% and 90% intervals from the claims published by then, with priors that "
        "never saw this war. Grey: what is established now. Orange: the newspaper's curve of today with its 95% "
        "prediction interval, which knows what came later. Log scale.",
    )
    grid = canvas.add_gridspec(
        len(series), 1, left=0.1, right=0.97, top=1 - 1.3 / height, bottom=0.45 / height, hspace=0.3
    )
    rows = []
    for number, (force, quantity) in enumerate(series):
        own = [row for row in report["rows"] if (row["force"], row["quantity"]) == (force, quantity)]
        beside = [point for point in curve if point["country"] == force and quantity == "killed"]
        axes = canvas.add_subplot(grid[number])
        rows += _draw_panel(axes, own, beside)
        axes.set_title(f"{labels[force]}: {quantity}", loc="left", fontsize=9, color=INK)
    return Figure(canvas, rows)


def _draw_panel(axes: Axes, own: Sequence[Mapping[str, Any]], curve: Sequence[Mapping[str, Any]]) -> list[Row]:
    days: Any = [dt.date.fromisoformat(row["day"]) for row in own]
    shown = [point for point in curve if own[0]["day"] <= point["day"] <= own[-1]["day"]]
    if shown:
        when: Any = [dt.date.fromisoformat(point["day"]) for point in shown]
        low, high = [point["pi_low"] for point in shown], [point["pi_high"] for point in shown]
        axes.fill_between(when, low, high, color=CURVE, alpha=0.15, linewidth=0)
        axes.plot(when, [point["estimate"] for point in shown], color=CURVE, linewidth=1.2)
    axes.fill_between(
        days, [row["truth_low"] for row in own], [row["truth_high"] for row in own], color=SOFT, alpha=0.35, linewidth=0
    )
    axes.plot(days, [row["truth"] for row in own], color=SOFT, linewidth=1.2)
    for level, width in (("0.9", 1.2), ("0.5", 3.5)):
        axes.vlines(
            days,
            [row["intervals"][level][0] for row in own],
            [row["intervals"][level][1] for row in own],
            color=POSTERIOR,
            linewidth=width,
        )
    axes.plot(days, [row["median"] for row in own], "o", color=POSTERIOR, markersize=5, markeredgecolor="white")
    edges = [edge for row in own for edge in (*row["intervals"]["0.9"], row["truth_low"], row["truth_high"])]
    set_count_axis(axes, min(edges), max(edges), axis="y", most=5)
    margin = dt.timedelta(days=25)
    axes.set_xlim(days[0] - margin, days[-1] + margin)
    axes.xaxis.set_major_locator(mdates.MonthLocator(bymonth=(1, 7)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%b %Y"))  # type: ignore[no-untyped-call]
    by_day = {point["day"]: point for point in shown}
    return [_list_row(row, by_day.get(row["day"])) for row in own]


def _list_row(row: Mapping[str, Any], point: Mapping[str, Any] | None) -> Row:
    names = ("force", "quantity", "day", "truth_low", "truth", "truth_high", "median")
    edges = {
        f"{level}_{side}": row["intervals"][level][k]
        for level in ("0.5", "0.9")
        for k, side in ((0, "low"), (1, "high"))
    }
    beside = {name: point[name] if point else "" for name in ("estimate", "pi_low", "pi_high")}
    return {**{name: row[name] for name in names}, **edges, **{f"curve_{k}": v for k, v in beside.items()}}


def save_quarters(
    report: Mapping[str, Any], labels: Mapping[str, str], curve: Sequence[Mapping[str, Any]], folder: Path
) -> Path:
    """Write the figure as PNG and SVG, with its data as CSV; return the PNG file."""
    with use_style():
        return save_figure(draw_quarters(report, labels, curve), folder, "through-time")
