"""Forests: each source's bias, and each claim as it was said beside what the model expected.

Rows stand under their source, whose name has the whole width. Where there are many, the figure has those that matter,
says so, and its data has all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from sim.case.wordings import list_bounds
from sim.contract.summary import Bias, JudgedClaim, Result
from sim.report.confidence import find_conflicts
from sim.report.finding import name_forces
from sim.report.labels import (
    choose_sources,
    colour_sources,
    label_sources,
    name_count,
    name_number,
    name_whole,
    raise_first,
    sort_naturally,
    tell_forces_apart,
)
from sim.report.plots.frame import MARGIN, SMALL, TEXT, WIDTH, Frame, cut_text, name_source, open_frame
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    RULE,
    SOFT,
    ZERO,
    Figure,
    flatten_intervals,
    set_count_axis,
    span_counts,
)
from sim.words import join_words, show_day, show_factor, show_given_in, show_in, show_share

MOST_CLAIMS = 30  # in a figure
LEAST = {"count": ZERO, "share": 1e-3, "ratio": 1e-9}  # that an axis can show, by unit
NEAR, FAR = 1.25, 1.5  # a factor of the truth, and standard deviations from what was expected
_ROW, _LINE = 0.225, 0.19  # inches
_NAMES, _AXIS = 2.3, 2.25  # inches of the names of rows, and of the axis


def plot_biases(result: Result, force: str) -> Figure | None:
    """Draw each source's bias as a multiplier of the truth, by what it speaks of."""
    labels = label_sources(result)
    every = [entry for entry in result.bias if entry.force == force]
    if not every:
        return None
    every.sort(key=lambda entry: (sort_naturally(labels[entry.source]), entry.source, entry.quantity))
    biased = {entry.source for entry in every}
    kept = choose_sources(result, force)
    entries = [entry for entry in every if entry.source in kept]
    more = f" The {len(kept)} of {len(biased)} sources that speak most; all are in the data." * (
        len(biased) > len(kept)
    )
    frame, axes, rows = _open_forest(
        result,
        [(entry.source, entry) for entry in entries],
        _find_bias(result, every, name_forces(result)[force]),
        "Bias as a multiplier: 1 is none, 2 says twice the truth. Thick line: 50% credible interval; thin line: 90%; "
        f"tick: median. Prior's: how much of its uncertainty the claims have left.{more}",
        "Multiple of the truth; log scale.",
        ("median", "prior's"),
        lambda entry: name_count(entry.quantity),
    )
    low, high = span_counts([0.5, 2, *(edge for entry in entries for edge in entry.intervals["0.9"])], floor=1e-3)
    colours = colour_sources(result)
    for y, entry in rows:
        for level, width in (("0.9", 1.2), ("0.5", 4.0)):
            edges = entry.intervals[level]
            axes.plot(edges, [y, y], color=colours.get(entry.source, SOFT), lw=width, solid_capstyle="butt")
        axes.plot([entry.median], [y], marker="|", ms=9, mew=1.8, color=INK, ls="none")
        _set_cells(axes, y, name_count(entry.quantity), show_factor(entry.median), show_share(entry.prior_share))
    set_count_axis(axes, low, high, most=6)
    data = [
        {
            "source": entry.source, "quantity": entry.quantity, "median": entry.median,
            **flatten_intervals(entry.intervals),
            "prior_share": entry.prior_share,
        }
        for entry in every
    ]  # fmt: skip
    return Figure(frame.canvas, data)


def _find_bias(result: Result, entries: Sequence[Bias], force: str) -> str:
    """Return which source is furthest from the truth, in a line."""
    first = max(entries, key=lambda entry: max(entry.median, 1 / max(entry.median, 1e-9)))
    label, name = label_sources(result)[first.source], name_number(first.quantity)
    if 1 / NEAR < first.median < NEAR:
        return f"{raise_first(force)}: no source is far from the truth"
    times = f"{show_factor(first.median)} times" if first.median > 1 else f"{show_share(first.median)} of"
    return f"{raise_first(force)}: {label} told {times} the true {name}"


def plot_claims(result: Result, force: str) -> Figure | None:
    """Draw each used claim as it was said, over what the model expected its source to say."""
    labels, name = label_sources(result), partial(_name_claim, of=tell_forces_apart(result.forces))
    every = [claim for claim in result.claims if claim.expected and claim.force == force]
    if not every:
        return None
    every.sort(key=lambda claim: (sort_naturally(labels[claim.source]), claim.source, claim.quantity, claim.as_of))
    far = sorted(every, key=lambda claim: -abs(claim.standardised or 0.0))[:MOST_CLAIMS]
    entries = [claim for claim in every if claim in far]
    more = f" The {len(far)} of {len(every)} claims furthest from it; all are in the data." * (len(every) > len(far))
    frame, axes, rows = _open_forest(
        result,
        [(claim.source, claim) for claim in entries],
        _find_claim(result, far[0], name_forces(result)[force]),
        f"Mark: the number as said{_name_marks(entries)}. Lines: what the model expects the source to say, 50% and "
        f"90%.{more}",
        "Multiple of what was expected; log scale.",
        ("said", "expected"),
        name,
    )
    colours, edges = colour_sources(result), [0.5, 2.0]
    for y, claim in rows:
        edges += _draw_claim(axes, claim, y, colours[claim.source])
        _set_cells(axes, y, name(claim), _show_said(claim), _show(claim.expected, claim))
    columns = ("id", "source", "quantity", "as_of", "qualifier", "low", "value", "high", "expected", "standardised")
    set_count_axis(axes, *span_counts(edges, floor=1e-3), most=6)
    return Figure(frame.canvas, [{name: getattr(claim, name) for name in columns} for claim in every])


def _find_claim(result: Result, claim: JudgedClaim, force: str) -> str:
    """Return which claim is furthest from what was expected, in a line."""
    conflict = next(find_conflicts(result), "") if len(result.forces) == 1 else ""
    if abs(claim.standardised or 0.0) < FAR and conflict:
        return f"{raise_first(force)}: {conflict}"
    if abs(claim.standardised or 0.0) < FAR:
        return f"{raise_first(force)}: every claim is near what the model expects of its source"
    said = _show_said(claim)
    name = name_count(claim.quantity) + name_whole(claim, tell_forces_apart(result.forces))
    return (
        f"{label_sources(result)[claim.owner]} said {said} {name}, where the model expected "
        f"{_show(claim.expected, claim)}: the furthest off"
    )


def _open_forest[Entry: (Bias, JudgedClaim)](
    result: Result,
    entries: Sequence[tuple[str, Entry]],
    title: str,
    caption: str,
    unit: str,
    heads: tuple[str, str],
    name: Callable[[Entry], str],
) -> tuple[Frame, Axes, list[tuple[float, Entry]]]:
    """Return a figure with each source's name over its rows, its axes, and where the row of each entry stands."""
    labels, before, y = label_sources(result), None, -0.24
    names: list[tuple[float, list[str]]] = []
    rows: list[tuple[float, Entry]] = []
    for source, entry in entries:
        if source != before:
            lines = cut_text(labels[source], WIDTH - 2 * MARGIN, TEXT, bold=True)
            names.append((y - 0.05, lines))
            y -= 0.07 + _LINE * len(lines)
            before = source
        row = _ROW + _LINE * (len(_wrap_name(name(entry))) - 1)
        rows.append((y - row / 2, entry))
        y -= row
    frame = open_frame(title, caption, 0.32 - y, name_source(result, unit))
    axes = frame.place(_NAMES, 0.0, _AXIS, -y)
    axes.set_ylim(y, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1, color=SOFT, lw=0.8)
    across = blended_transform_factory(frame.canvas.transFigure, axes.transData)
    for top, lines in names:
        axes.plot([MARGIN / WIDTH, 1 - MARGIN / WIDTH], [top + 0.03] * 2, transform=across, color=RULE, lw=0.6,
                  clip_on=False)  # fmt: skip
        axes.text(MARGIN / WIDTH, top, "\n".join(lines), transform=across, va="top", fontsize=TEXT, fontweight="bold",
                  linespacing=1.2, bbox={"fc": "white", "ec": "none", "pad": 0.5})  # fmt: skip
    for x, head in zip((_SAID, WIDTH - MARGIN), heads, strict=True):
        axes.text(x / WIDTH, -0.1, head, transform=across, ha="right", va="center", fontsize=SMALL, color=SOFT)
    return frame, axes, rows


_SAID = WIDTH - MARGIN - 0.72  # where the first of the numbers ends


def _set_cells(axes: Axes, y: float, name: str, number: str, beside: str) -> None:
    """Set the text of a row: what it is of, its number, and one beside it."""
    across = blended_transform_factory(axes.figure.transFigure, axes.transData)
    look: dict[str, Any] = {"transform": across, "va": "center", "fontsize": TEXT}
    axes.text((MARGIN + 0.12) / WIDTH, y, "\n".join(_wrap_name(name)), ha="left", linespacing=1.15, **look)
    axes.text(_SAID / WIDTH, y, number, ha="right", fontweight="bold", **look)
    axes.text(1 - MARGIN / WIDTH, y, beside, ha="right", color=SOFT, **look)


def _wrap_name(name: str) -> list[str]:
    """Return what a row is of in the lines that it takes beside the axis."""
    return cut_text(name, _NAMES - 0.3, TEXT, lines=4)


def _name_claim(claim: JudgedClaim, of: Mapping[str, str]) -> str:
    """Return what a claim is of and its day; of a spell, its length and last day."""
    if claim.measure == "interval" and claim.since:
        days = (dt.date.fromisoformat(claim.as_of) - dt.date.fromisoformat(claim.since)).days
        spell = f"{days} day{'' if days == 1 else 's'} to "
    else:
        spell = ""
    return f"{name_count(claim.quantity)}{name_whole(claim, of)}, {spell}{show_day(claim.as_of, 3)}"


def _name_marks(claims: Sequence[JudgedClaim]) -> str:
    """Return what marks of other shapes say, of those that a figure has."""
    worded = {claim.wording.name for claim in claims}
    bounds = [name_count(wording.name) for wording in list_bounds() if wording.name in worded]
    told = [f"an arrow for {join_words(bounds)}"] if bounds else []
    told += ["a bar for a range"] if any(claim.wording.law == "range" for claim in claims) else []
    return f" ({', '.join(told)})" if told else ""


def _show(value: float | None, claim: JudgedClaim) -> str:
    return show_in(value, claim.unit)


def _show_said(claim: JudgedClaim) -> str:
    wording = claim.wording
    show = partial(show_given_in, unit=claim.unit)
    if wording.law == "range":
        return f"{show(claim.low)}–{show(claim.high)}"
    return f"{wording.symbol}{show(claim.value)}"


def _draw_claim(axes: Axes, claim: JudgedClaim, y: float, colour: str) -> list[float]:
    """Draw one claim; return the numbers that the axis must hold."""
    centre, intervals = claim.expected or 1.0, claim.expected_intervals or {}
    expected = {level: [edge / centre for edge in intervals[level]] for level in ("0.5", "0.9")}
    for level, width in (("0.9", 1.2), ("0.5", 4.0)):
        axes.plot(expected[level], [y, y], color=POSTERIOR, alpha=0.45, lw=width, solid_capstyle="butt")
    wording = claim.wording
    if wording.law == "range":
        said = [max(number, 1e-9) / centre for number in claim.said]
        axes.plot(said, [y, y], color=colour, lw=2.4, marker=wording.pointer, ms=7, mew=1.6, zorder=4)
    else:
        said = [max(number, LEAST[claim.unit]) / centre for number in claim.said]
        axes.plot(said, [y], marker=wording.pointer, ms=6.5, color=colour, ls="none", zorder=4, mec="white", mew=0.4)
    return [*said, *expected["0.9"]]
