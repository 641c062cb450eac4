"""Forests: each source's bias, and each claim as it was said beside what the model expected."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from sim.case.wordings import WORDINGS, list_bounds
from sim.contract.summary import Bias, JudgedClaim, Result
from sim.report.labels import label_forces, label_sources, name_count
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    RULE,
    SOFT,
    Figure,
    clip_text,
    colour_sources,
    flatten_intervals,
    make_canvas,
    put_columns,
    put_title,
    set_count_axis,
    span_counts,
)
from sim.words import show_given, show_given_share, show_number, show_share

MAX_ROWS = 60


def plot_biases(result: Result, force: str) -> Figure | None:
    """Draw each source's bias as a multiplier of the truth, by what it speaks of."""
    labels = label_sources(result)
    entries = [entry for entry in result.bias if entry.force == force][:MAX_ROWS]
    entries.sort(key=lambda entry: (labels[entry.source], entry.quantity))
    if not entries:
        return None
    height = 1.5 + 0.3 * len(entries)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_forces(result)[force]}: what each source makes of the truth",
        "Bias as a multiplier: 1 is none, 2 says twice the truth. Thick line: 50% credible interval; thin line: 90%; "
        "tick: median. At the right: median, and how much of its uncertainty is still the prior's. Log scale.",
    )
    axes = canvas.add_axes((0.50, 0.42 / height, 0.29, 1 - 1.42 / height))
    low, high = span_counts([0.5, 2, *(edge for entry in entries for edge in entry.intervals["0.9"])], floor=1e-3)
    colours = colour_sources(result, force)
    axes.axvline(1, color=SOFT, lw=0.8)
    before = None
    for row, entry in enumerate(entries):
        _draw_row(axes, entry, -row, colours.get(entry.source, SOFT))
        name = clip_text(labels[entry.source], 44) if entry.source != before else ""
        if name and row:
            across = blended_transform_factory(canvas.transFigure, axes.transData)
            axes.plot([0.015, 0.985], [-row + 0.5] * 2, transform=across, color=RULE, lw=0.6, clip_on=False)
        before = entry.source
        cells = [
            (0.015, name, "left", "bold"),
            (0.485, name_count(entry.quantity), "right", ""),
            (0.85, show_number(entry.median, 2), "right", "bold"),
            (0.985, f"prior {show_share(entry.prior_share)}", "right", "soft"),
        ]
        put_columns(canvas, axes, -row, cells)
    _finish(axes, len(entries), low, high)
    rows = [
        {
            "source": entry.source, "quantity": entry.quantity, "median": entry.median,
            **flatten_intervals(entry.intervals),
            "prior_share": entry.prior_share,
        }
        for entry in entries
    ]  # fmt: skip
    return Figure(canvas, rows)


def _draw_row(axes: Axes, entry: Bias, y: float, colour: str) -> None:
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        axes.plot(entry.intervals[level], [y, y], color=colour, lw=width, solid_capstyle="butt")
    axes.plot([entry.median], [y], marker="|", ms=9, mew=1.8, color=INK, ls="none")


def _finish(axes: Axes, count: int, low: float, high: float) -> None:
    axes.set_ylim(-count + 0.4, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_count_axis(axes, low, high, most=7)


def plot_claims(result: Result, force: str) -> Figure | None:
    """Draw each used claim as it was said, over what the model expected its source to say."""
    labels = label_sources(result)
    entries = [claim for claim in result.claims if claim.expected and claim.force == force][:MAX_ROWS]
    if not entries:
        return None
    entries.sort(key=lambda claim: (claim.quantity, claim.as_of))
    height = 1.6 + 0.34 * len(entries)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_forces(result)[force]}: what was said, and what was expected",
        f"Mark: the number as said (an arrow for {_name_bounds()}, a bar for a range). Lines: what the "
        "model expects the source to say, 50% and 90%. All as a multiple of that expectation's median. Log scale.",
    )
    axes = canvas.add_axes((0.55, 0.42 / height, 0.22, 1 - 1.52 / height))
    colours = colour_sources(result, force)
    axes.axvline(1, color=SOFT, lw=0.8)
    edges = [0.5, 2.0]
    columns = ("id", "source", "quantity", "as_of", "qualifier", "low", "value", "high", "expected", "standardised")
    put_columns(canvas, axes, 0.9, [(0.905, "said", "right", "soft"), (0.985, "expected", "right", "soft")])
    for row, claim in enumerate(entries):
        edges += _draw_claim(axes, claim, -row, colours[claim.source])
        cells = [
            (0.015, clip_text(labels[claim.source], 42), "left", "bold"),
            (0.545, f"{name_count(claim.quantity)}, {claim.as_of}", "right", ""),
            (0.905, _show_said(claim), "right", "bold"),
            (0.985, _show(claim.expected, claim), "right", "soft"),
        ]
        put_columns(canvas, axes, -row, cells)
    rows = [{name: getattr(claim, name) for name in columns} for claim in entries]
    _finish(axes, len(entries), *span_counts(edges, floor=1e-3))
    return Figure(canvas, rows)


def _name_bounds() -> str:
    *names, last = (name_count(wording.name) for wording in list_bounds())
    return f"{', '.join(names)} and {last}"


def _show(value: float | None, claim: JudgedClaim) -> str:
    return show_share(value) if claim.unit == "share" else show_number(value)


def _show_said(claim: JudgedClaim) -> str:
    wording = WORDINGS[claim.qualifier]
    show = show_given_share if claim.unit == "share" else show_given
    if wording.law == "range":
        return f"{show(claim.low)} to {show(claim.high)}"
    return f"{wording.symbol}{show(claim.value)}"


def _draw_claim(axes: Axes, claim: JudgedClaim, y: float, colour: str) -> list[float]:
    """Draw one claim; return the numbers that the axis must hold."""
    centre, intervals = claim.expected or 1.0, claim.expected_intervals or {}
    expected = {level: [edge / centre for edge in intervals[level]] for level in ("0.5", "0.9")}
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        axes.plot(expected[level], [y, y], color=POSTERIOR, alpha=0.45, lw=width, solid_capstyle="butt")
    wording = WORDINGS[claim.qualifier]
    if wording.law == "range":
        said = [max(number, 1e-9) / centre for number in claim.said]
        axes.plot(said, [y, y], color=colour, lw=2.4, marker=wording.pointer, ms=7, mew=1.6, zorder=4)
    else:
        said = [max(number, 0.5 if claim.unit == "count" else 1e-3) / centre for number in claim.said]
        axes.plot(said, [y], marker=wording.pointer, ms=6.5, color=colour, ls="none", zorder=4)
    return [*said, *expected["0.9"]]
