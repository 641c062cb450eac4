"""What moves the answer: a curve over all variants of a case, and who disagrees with whom."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

from matplotlib.transforms import blended_transform_factory

from sim.contract.sensitivity import Sensitivity
from sim.report.labels import PALETTE, name_count, name_group
from sim.report.plots.frame import cut_text, wrap_text
from sim.report.plots.style import (
    FORMATS,
    INK,
    POSTERIOR,
    SOFT,
    TITLE_LINE,
    WIDTH,
    Figure,
    flatten_intervals,
    make_canvas,
    put_columns,
    put_title,
    save_figure,
    set_count_axis,
    span_counts,
    use_style,
)
from sim.report.robustness import find_base, list_conflicts, list_shown, name_pivot, tell_apart
from sim.report.table import Row
from sim.words import show_count, show_day, show_number, show_signed

KINDS = {
    "leave_source_out": "a source left out",
    "leave_claim_out": "a claim left out",
    "leave_part_out": "a part of the claims left out",
    "structure": "another form of the model",
    "prior_set": "another prior set",
    "prior_power": "a prior weaker or stronger",
    "wording": "another reading of words",
    "role": "another reading of a role",
    "lull": "a lull dropped",
    "duplicate_source": "a source copied, unmarked",
    "echo": "everything repeated, marked",
}
COLOURS = dict(zip(KINDS, (*PALETTE[: len(KINDS) - 1], SOFT), strict=True))
ROW, NAMES = 0.165, 3.6  # inches of a line, and of the names


def draw_sensitivity(report: Sensitivity, folder: Path) -> list[Path]:
    """Draw the figures of a sensitivity report into a folder; return the PNG files."""
    with use_style():
        drawn = {"variants": plot_variants(report), "conflict": plot_conflict(report)}
        return [save_figure(figure, folder, name, tuple(FORMATS)) for name, figure in drawn.items() if figure]


def plot_variants(report: Sensitivity) -> Figure:
    """Draw the median and intervals of the headline under every variant, ordered by the median."""
    base = find_base(report)
    shown = list_shown(report)
    entries = sorted([*shown, base], key=lambda each: each.median)
    all_of = len(report.scenarios)
    count = f"{all_of} variants" if len(shown) == all_of else f"the {len(shown)} of {all_of} variants that move it most"
    names = [wrap_text(entry.label, NAMES, 8, bold=entry is base) for entry in entries]
    tops = list(accumulate((len(lines) for lines in names), initial=0))
    title = "\n".join(wrap_text(name_pivot(report), WIDTH - 0.3, 12, bold=True))
    more = TITLE_LINE * title.count("\n")
    height = 2.3 + more + ROW * tops[-1]
    canvas = make_canvas(height)
    put_title(
        canvas,
        title,
        f"{report.title}, as of {show_day(report.as_of)}: {count}, ordered by their medians. "
        "Tick: median; thick line: 50% credible interval; thin line: 90%. Band: the 90% interval of the case as it "
        "stands. At the right: median, and shift in standard deviations of the posterior. Log scale.",
    )
    axes = canvas.add_axes((0.50, 0.42 / height, 0.33, 1 - (2.2 + more) / height))
    low, high = span_counts([edge for entry in entries for edge in entry.intervals["0.9"]])
    axes.axvspan(*[max(edge, 0.5) for edge in base.intervals["0.9"]], color=POSTERIOR, alpha=0.08, lw=0)
    axes.axvline(max(base.median, 0.5), color=POSTERIOR, lw=0.8)
    put_columns(canvas, axes, -1.3, [(0.905, "median", "right", "soft"), (0.985, "shift", "right", "soft")])
    across = blended_transform_factory(canvas.transFigure, axes.transData)
    for entry, lines, top in zip(entries, names, tops, strict=False):
        row = top + (len(lines) - 1) / 2
        colour = COLOURS.get(entry.kind, POSTERIOR)
        for level, width in (("0.9", 0.9), ("0.5", 2.6)):
            edges = [max(edge, 0.5) for edge in entry.intervals[level]]
            axes.plot(edges, [row, row], color=colour, lw=width, solid_capstyle="butt")
        axes.plot([max(entry.median, 0.5)], [row], marker="|", ms=5.5, mew=1.4, color=INK, ls="none")
        style = "bold" if entry is base else ""
        shift = "" if entry is base else show_signed(entry.shift_sd, 2)
        cells = [
            (0.030, "\n".join(lines), "left", style),
            (0.905, show_count(entry.median), "right", style),
            (0.985, shift, "right", "bold" if entry is not base and abs(entry.shift_sd) > 1 / 3 else "soft"),
        ]
        put_columns(canvas, axes, row, cells)
        axes.plot([0.020], [row], marker="s", ms=4, color=colour, ls="none", clip_on=False, transform=across)
    axes.set_ylim(tops[-1] - 0.3, -0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, low, high, most=5)
    rows = [
        {
            "kind": entry.kind, "what": entry.what, "label": entry.label, "how": entry.how,
            "median": entry.median, **flatten_intervals(entry.intervals),
            "shift_sd": entry.shift_sd, "width_ratio": entry.width_ratio,
        }
        for entry in entries
    ]  # fmt: skip
    _put_key(canvas, 1.08 + more, [kind for kind in KINDS if any(entry.kind == kind for entry in entries)])
    return Figure(canvas, rows)


def _put_key(canvas: Any, above: float, kinds: list[str]) -> None:
    """Name the colours of the kinds of variants, in three columns, so many inches below the edge."""
    for number, kind in enumerate(kinds):
        x, y = 0.020 + 0.33 * (number % 3), 1 - (above + 0.17 * (number // 3)) / canvas.get_figheight()
        canvas.text(x, y, "■", color=COLOURS[kind], fontsize=8, va="center")
        canvas.text(x + 0.015, y, KINDS[kind], color=INK, fontsize=8, va="center")


def plot_conflict(report: Sensitivity) -> Figure | None:
    """Draw by what factor groups of sources differ in what they would say alone."""
    entries = report.conflict
    if not entries:
        return None
    title = "\n".join(wrap_text(_find_conflict(report), WIDTH - 0.3, 12, bold=True))
    more = TITLE_LINE * title.count("\n")
    height = 1.75 + more + 0.3 * len(entries)
    canvas = make_canvas(height)
    tests = entries[0].tests
    put_title(
        canvas,
        title,
        f"{report.title}: the count by the first group's claims alone over that by the second's, median and 90% "
        "interval; both allow for what such sources made of the truth in past wars. At the right: median, and p-value "
        f"of no difference, corrected for {tests} {'tests' if tests > 1 else 'test'} (Holm). Log scale.",
    )
    axes = canvas.add_axes((0.56, 0.42 / height, 0.25, 1 - (1.62 + more) / height))
    axes.axvline(1, color=SOFT, lw=0.8)
    put_columns(canvas, axes, 0.9, [(0.885, "factor", "right", "soft"), (0.985, "p, corrected", "right", "soft")])
    of = tell_apart(report)
    for row, entry in enumerate(entries):
        certain = entry.p_adjusted < 0.05
        axes.plot(entry.interval_90, [-row, -row], color=PALETTE[0] if certain else POSTERIOR, lw=1.4)
        axes.plot([entry.factor], [-row], marker="o", ms=5, color=PALETTE[0] if certain else POSTERIOR, ls="none")
        pair = f"{name_group(entry.first)} over {name_group(entry.second)}"
        cells = [
            (0.015, cut_text(pair, 0.39 * WIDTH, 8, lines=1)[0], "left", ""),
            (0.545, name_count(entry.quantity, of[entry.force]), "right", ""),
            (0.885, _show_factor(entry.factor), "right", "bold"),
            (0.985, f"{entry.p_adjusted:.2g}", "right", "bold" if certain else "soft"),
        ]
        put_columns(canvas, axes, -row, cells)
    axes.set_ylim(-len(entries) + 0.4, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    low, high = span_counts([0.5, 2, *(edge for entry in entries for edge in entry.interval_90)], floor=1e-6)
    set_count_axis(axes, low, high, most=7)
    rows: list[Row] = [
        {
            "first": entry.first, "second": entry.second, "force": entry.force, "quantity": entry.quantity,
            "factor": entry.factor, "trusted": entry.trusted, "p": entry.p, "p_adjusted": entry.p_adjusted,
            "tests": entry.tests, "low_0.9": entry.interval_90[0], "high_0.9": entry.interval_90[1],
        }
        for entry in entries
    ]  # fmt: skip
    return Figure(canvas, rows)


def _find_conflict(report: Sensitivity) -> str:
    """Return which groups of sources contradict each other most, in a line."""
    apart = list_conflicts(report)
    if not apart:
        return "No two groups of sources conflict"
    more = f", and {len(apart) - 1} more" if len(apart) > 1 else ""
    return f"Sources conflict: {apart[0].partition(' (p ')[0]}{more}"


def _show_factor(factor: float) -> str:
    return f"{factor:.2f}" if factor < 10 else show_number(factor, 2)
