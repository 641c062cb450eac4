"""Back-tests: how often intervals held the truth, and how wide each was around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, cycle, groupby
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

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
    span_counts,
    use_style,
)
from sim.report.table import Row
from sim.words import show_count

LEVELS = ("0.5", "0.8", "0.9", "0.95")
PROMISED = tuple(float(level) for level in LEVELS)
MISSED = PALETTE[0]
THIN = (PALETTE[0], *PALETTE[2:6], SOFT)  # neither blue, which is too near to that of the posterior, nor black
GAP = 0.042  # least distance of two labels, as a share of the axis
PAGE = 60  # rows of a figure
FURTHEST = 200.0  # beyond this multiple of the truth, or its inverse, an interval runs off the axis


def draw_calibration(summary: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw observed against nominal coverage.

    Parameters
    ----------
    summary : mapping
        From `scores.summarise`: n, wars, coverage and coverage_band by level.
    baselines : mapping of str to mapping
        By name; each with its coverage by level.

    Returns
    -------
    Figure
        Its rows: one for each forecaster and level, with the band.
    """
    with use_style():
        canvas = make_canvas(5.2)
        put_title(
            canvas,
            "How often the intervals held the truth",
            f"{summary['n']} outcomes in {summary['wars']} wars. Shaded: where a perfectly calibrated forecaster of "
            "these counts would be nine times in ten; above it intervals are wider than need be, below it too narrow. "
            "Dashed: as often as promised.",
        )
        axes = canvas.add_axes((0.092, 0.1, 0.655, 0.715))
        _draw_band(axes, summary["coverage_band"])
        coverage = {"truetoll": summary["coverage"]} | {name: entry["coverage"] for name, entry in baselines.items()}
        colours = dict(zip(coverage, chain([POSTERIOR], cycle(THIN)), strict=False))
        for name, shares in coverage.items():
            _draw_line(axes, shares, colours[name], ours=name == "truetoll")
        _set_shares(axes, [share for shares in coverage.values() for share in shares.values()])
        _label_lines(axes, {name: shares["0.95"] for name, shares in coverage.items()}, colours)
    return Figure(canvas, _list_coverage(coverage, summary["coverage_band"]))


def _draw_band(axes: Axes, band: Mapping[str, Sequence[float]]) -> None:
    low, high = zip(*(band[level] for level in LEVELS), strict=True)
    axes.fill_between(PROMISED, low, high, color=POSTERIOR, alpha=0.13, lw=0)
    axes.plot([0, 1], [0, 1], color=SOFT, lw=0.8, ls=(0, (4, 3)))


def _draw_line(axes: Axes, shares: Mapping[str, float], colour: str, *, ours: bool) -> None:
    width, size, order = (2.2, 5.5, 4) if ours else (0.9, 2.8, 3)
    observed = [shares[level] for level in LEVELS]
    axes.plot(PROMISED, observed, color=colour, lw=width, marker="o", ms=size, zorder=order)


def _label_lines(axes: Axes, ends: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """Name each line at its right end, with a leader to where its label had to move."""
    names = sorted(ends, key=lambda name: ends[name])
    bottom, top = axes.get_ylim()
    heights = spread_labels([ends[name] for name in names], GAP * (top - bottom))
    for name, height in zip(names, heights, strict=True):
        axes.plot([0.956, 0.978], [ends[name], height], color=colours[name], lw=0.6, clip_on=False)
        text = f"{name.replace('_', ' ')}  {ends[name]:.0%}"
        weight = "bold" if name == "truetoll" else "normal"
        axes.text(0.981, height, text, color=colours[name], fontsize=8, fontweight=weight, va="center", clip_on=False)


def spread_labels(values: Sequence[float], gap: float) -> list[float]:
    """Return heights for labels of rising values: at least `gap` apart, and as near to their values as may be."""
    blocks: list[list[float]] = []  # the values, and how many labels stand in front of each in its block
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and _find_start(blocks[-1], gap) < _find_start(blocks[-2], gap) + gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    return [_find_start(block, gap) + gap * number for block in blocks for number in range(len(block))]


def _find_start(block: Sequence[float], gap: float) -> float:
    """Return where the first of a block of labels stands, so that they are about their values' mean."""
    return float(np.mean(block)) - gap * (len(block) - 1) / 2


def _set_shares(axes: Axes, shares: Sequence[float]) -> None:
    axes.set_xticks(PROMISED, [f"{level:.0%}" for level in PROMISED])
    axes.set_yticks(np.arange(0, 1.01, 0.1), [f"{tick:.0%}" for tick in np.arange(0, 1.01, 0.1)])
    axes.set_xlim(0.48, 0.96)
    axes.set_ylim(min(0.4, *shares) - 0.03, 1.01)
    axes.set_xlabel("promised: level of the interval")
    axes.set_ylabel("observed: truths inside")


def _list_coverage(coverage: Mapping[str, Mapping[str, float]], band: Mapping[str, Sequence[float]]) -> list[Row]:
    return [
        {"forecaster": name, "level": level, "coverage": shares[level], "band_low": band[level][0],
         "band_high": band[level][1]}
        for name, shares in coverage.items() for level in LEVELS
    ]  # fmt: skip


def draw_sharpness(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw each outcome's intervals as a multiple of the truth, by war.

    Parameters
    ----------
    rows : sequence of mapping
        Each with case, group (the war), force, quantity, truth, truth_low, truth_high, median, and intervals by
        level. Counts; drawn is (count + 1/2) / (truth + 1/2), so that zero can be shown on the log scale.

    Returns
    -------
    Figure or None
        None where there are no rows.
    """
    if not rows:
        return None
    ordered = _order_rows(rows)
    height = 1.75 + 0.2 * len(ordered)
    with use_style():
        canvas = make_canvas(height)
        put_title(
            canvas,
            "How near the estimates came to the truth",
            "Estimate as a multiple of what is established today: 1 is right, 2 is twice the truth. Thick line: 50% "
            "credible interval; thin line: 90%; tick: median. Grey: the range that the truth is known within. Orange: "
            "the 90% interval misses its best value. An arrow: the interval goes on. Log scale, of count + ½.",
            width=122,
        )
        axes = canvas.add_axes((0.55, 0.42 / height, 0.275, 1 - 1.67 / height))
        limits = _span_rows(ordered)
        _finish_rows(axes, len(ordered), limits)
        put_columns(canvas, axes, 1.33, [(0.905, "median", "right", "soft"), (0.985, "truth", "right", "soft")])
        said = Counter(_key_row(row) for row in ordered)
        for number, row in enumerate(ordered):
            _draw_row(axes, row, -number, limits)
            first = number == 0 or row["group"] != ordered[number - 1]["group"]
            if first and number:
                across = blended_transform_factory(canvas.transFigure, axes.transData)
                axes.plot([0.015, 0.985], [-number + 0.5] * 2, transform=across, color=RULE, lw=0.6, clip_on=False)
            cells = _list_cells(row, first=first, alone=said[_key_row(row)] == 1)
            put_columns(canvas, axes, -number, cells)
    return Figure(canvas, [_list_row(row) for row in ordered])


def _order_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows by war, and wars, from the furthest below the truth to the furthest above it."""
    wars = [list(war) for _, war in groupby(sorted(rows, key=lambda row: row["group"]), key=lambda row: row["group"])]
    for war in wars:
        war.sort(key=lambda row: _compare_to_truth(row, row["median"]))
    wars.sort(key=lambda war: np.mean([np.log(_compare_to_truth(row, row["median"])) for row in war]))
    return [row for war in wars for row in war]


def _compare_to_truth(row: Mapping[str, Any], count: float) -> float:
    return float((count + 0.5) / (row["truth"] + 0.5))


def _span_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return limits of the axis that hold all, as far as FURTHEST."""
    counts = [(row, count) for row in rows for count in (*row["intervals"]["0.9"], row["truth_low"], row["truth_high"])]
    edges = [_compare_to_truth(row, count) for row, count in counts]
    return span_counts([0.5, 2, *np.clip(edges, 1 / FURTHEST, FURTHEST)], floor=1 / FURTHEST)


def _finish_rows(axes: Axes, count: int, limits: tuple[float, float]) -> None:
    set_count_axis(axes, *limits, most=7)
    axes.set_ylim(-count + 0.4, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labeltop=True, labelsize=8)
    axes.grid(axis="x", color=RULE, lw=0.4)
    axes.set_axisbelow(True)
    axes.axvline(1, color=SOFT, lw=0.8, zorder=1)


def _draw_row(axes: Axes, row: Mapping[str, Any], y: float, limits: tuple[float, float]) -> None:
    known = [_compare_to_truth(row, row[name]) for name in ("truth_low", "truth_high")]
    axes.plot(known, [y, y], color="#c4c4c4", lw=8, solid_capstyle="butt", zorder=1.5)
    colour = POSTERIOR if _holds_truth(row) else MISSED
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        ends = [_compare_to_truth(row, count) for count in row["intervals"][level]]
        axes.plot(np.clip(ends, *limits), [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=2)
        for end, limit, mark in zip(ends, limits, "<>", strict=True):
            if np.clip(end, *limits) != end:
                axes.plot([limit], [y], marker=mark, ms=5.5, color=colour, clip_on=False)
    axes.plot([_compare_to_truth(row, row["median"])], [y], marker="|", ms=8, mew=1.6, color=INK, zorder=3)


def _holds_truth(row: Mapping[str, Any]) -> bool:
    low, high = row["intervals"]["0.9"]
    return bool(low <= row["truth"] <= high)


def _key_row(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["group"], row["force"], row["quantity"]


def _list_cells(row: Mapping[str, Any], *, first: bool, alone: bool) -> list[tuple[float, str, str, str]]:
    """Return the text of a row; the case is named where the war has more of that force and quantity."""
    names = [row["force"], row["quantity"]] if alone else [clip_text(row["case"], 20), row["force"], row["quantity"]]
    return [
        (0.015, clip_text(row["group"].replace("_", " "), 22) if first else "", "left", "bold"),
        (0.535, clip_text(", ".join(names).replace("_", " "), 48), "right", ""),
        (0.905, show_count(row["median"]), "right", "bold"),
        (0.985, show_count(row["truth"]), "right", "soft"),
    ]


def _list_row(row: Mapping[str, Any]) -> Row:
    columns = ("case", "group", "force", "quantity", "truth_low", "truth", "truth_high", "median")
    return {name: row[name] for name in columns} | flatten_intervals(row["intervals"])


def cut_pages(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return rows by pages of some PAGE, in the order in which they are drawn; a war stands on one page."""
    pages: list[list[Mapping[str, Any]]] = [[]]
    for _, war in groupby(_order_rows(rows), key=lambda row: row["group"]):
        own = list(war)
        if pages[-1] and len(pages[-1]) + len(own) > PAGE:
            pages.append([])
        pages[-1] += own
    return pages


def draw_backtest(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw the figures of a back-test as PNG and SVG, with their data as CSV; return the PNG files.

    The rows go on in `sharpness-2` and so on where they are many.
    """
    with use_style():
        figures: dict[str, Figure | None] = {"calibration": draw_calibration(report, report["baselines"])}
        for number, rows in enumerate(cut_pages(report["rows"]), 1):
            figures["sharpness" if number == 1 else f"sharpness-{number}"] = draw_sharpness(rows)
        return [save_figure(figure, folder, name) for name, figure in figures.items() if figure is not None]
