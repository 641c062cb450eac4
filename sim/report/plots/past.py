"""Past wars: how far what sources said was from what is established, by who spoke and of whose losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.report.labels import PALETTE
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    RULE,
    SOFT,
    Figure,
    clip_text,
    flatten_intervals,
    make_canvas,
    put_columns,
    put_title,
    save_figure,
    set_count_axis,
    use_style,
)
from sim.report.table import Row
from sim.words import show_number

WIDEST = 20.0  # a factor beyond it, or its inverse, runs off the axis
MOST_ROWS = 40


def draw_past(report: Mapping[str, Any]) -> Figure | None:
    """Draw the factors of each group of claims: median, 50 and 90%.

    Parameters
    ----------
    report : mapping
        Of `truetoll record sources`.

    Returns
    -------
    Figure or None
        None where there is nothing to show; of many groups the first MOST_ROWS.
    """
    groups = report["groups"][:MOST_ROWS]
    if not groups:
        return None
    height = 1.75 + 0.24 * len(groups)
    limits = _span(groups)
    with use_style():
        canvas = make_canvas(height)
        put_title(
            canvas,
            "Who exaggerates, whom, by how much",
            "What was claimed as a multiple of what is established today: 1 is right, 2 is twice the truth. Thick "
            "line: half of the claims; thin line: nine in ten; tick: the median claim. Orange: 90% of the median, when "
            "wars are drawn anew, is clear of 1. An arrow: the line goes on. Log scale.",
            width=122,
        )
        axes = canvas.add_axes((0.36, 0.42 / height, 0.4, 1 - 1.67 / height))
        set_count_axis(axes, *limits, most=7)
        axes.set_ylim(-len(groups) + 0.4, 0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(labeltop=True, labelsize=8)
        axes.grid(axis="x", color=RULE, lw=0.4)
        axes.set_axisbelow(True)
        axes.axvline(1, color=SOFT, lw=0.8, zorder=1)
        heads = [
            (0.84, "median", "right", "soft"),
            (0.915, "claims", "right", "soft"),
            (0.985, "wars", "right", "soft"),
        ]
        put_columns(canvas, axes, 1.33, heads)
        for number, group in enumerate(groups):
            _draw_group(axes, group, -number, limits)
            put_columns(canvas, axes, -number, _list_cells(group, report["by"]))
    return Figure(canvas, [_list_row(group, report["by"]) for group in groups])


def _span(groups: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    edges = [edge for group in groups for edge in group["intervals"]["0.9"]]
    low, high = np.clip([min([0.5, *edges]), max([2.0, *edges])], 1 / WIDEST, WIDEST)
    return float(low) / 1.15, float(high) * 1.15


def _draw_group(axes: Any, group: Mapping[str, Any], y: float, limits: tuple[float, float]) -> None:
    sure = group["median_90"]
    colour = PALETTE[0] if sure and not sure[0] <= 1 <= sure[1] else POSTERIOR
    for level, width in (("0.9", 1.2), ("0.5", 4.5)):
        ends = group["intervals"][level]
        axes.plot(np.clip(ends, *limits), [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=2)
        for end, limit, mark in zip(ends, limits, "<>", strict=True):
            if np.clip(end, *limits) != end:
                axes.plot([limit], [y], marker=mark, ms=5.5, color=colour, clip_on=False)
    axes.plot([np.clip(group["median"], *limits)], [y], marker="|", ms=9, mew=1.8, color=INK, zorder=3)


def _list_cells(group: Mapping[str, Any], by: Sequence[str]) -> list[tuple[float, str, str, str]]:
    return [
        (0.015, clip_text(name_group(group, by), 46), "left", "bold"),
        (0.84, f"{group['median']:.2f}", "right", "bold"),
        (0.915, show_number(group["claims"]), "right", "soft"),
        (0.985, show_number(group["wars"]), "right", "soft"),
    ]


def name_group(group: Mapping[str, Any], by: Sequence[str]) -> str:
    """Return what the claims of a group have in common, in words."""
    words = {"own": "the own side", "adversary": "the adversary", "independent": "independents", "military": "soldiers"}
    parts = [words.get(str(group[name]), str(group[name] or f"no {name}").replace("_", " ")) for name in by]
    return " on ".join(parts) or "all claims"


def _list_row(group: Mapping[str, Any], by: Sequence[str]) -> Row:
    return {
        **{name: group[name] for name in (*by, "claims", "wars", "median")},
        **flatten_intervals(group["intervals"]),
    }


def save_past(report: Mapping[str, Any], folder: Path, name: str) -> Path | None:
    """Write the figure as PNG and SVG, and what it shows as CSV; return the PNG."""
    figure = draw_past(report)
    if figure is None:
        return None
    with use_style():
        return save_figure(figure, folder, name)
