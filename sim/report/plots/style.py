"""The look of the figures: colours, type, axes, numbers, files."""

from __future__ import annotations

import logging
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import blended_transform_factory

from sim.report.labels import OTHERS
from sim.report.table import Cell, Row, write_rows
from sim.words import show_number

INK = "#222222"
SOFT = OTHERS
RULE = "#d9d9d9"
POSTERIOR = "#1f5a89"
PRIOR = "#b0b0b0"
WIDTH = 8.0
NOTE = ContextVar("note", default="")  # said at the foot of every figure
ZERO = 0.5  # where zero is drawn on a log axis
LEAST_TICKS = 3  # of an axis, from which it can be read
TITLE_LINE = 0.2  # inches of a further line of a headline
_LETTER, _LINE = 0.088, 0.17  # inches of a digit, and of a line, of a tick
_EDGE = 0.03  # of an axis, within which a number would reach beyond its end

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "truetoll",
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Figure:
    """A drawn figure with the rows that it shows."""

    canvas: Canvas
    rows: Sequence[Row]


@contextmanager
def use_style(families: Sequence[str] = (), note: str = "") -> Iterator[None]:
    """Apply the look within a block, with fonts for letters that the first one lacks, and a note for the foot."""
    look = _STYLE | {"font.family": [_STYLE["font.family"], *families]}
    before = NOTE.set(note)
    fonts = logging.getLogger("matplotlib.font_manager")  # it tells of a font without a bold face, which is no fault
    level = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        with mpl.rc_context(look), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            yield
    finally:
        fonts.setLevel(level)
        NOTE.reset(before)


def make_canvas(height: float) -> Canvas:
    """Return an empty figure of the common width, `height` in inches."""
    return Canvas(figsize=(WIDTH, height))


FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": 160},
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
}


def save_figure(figure: Figure, folder: Path, name: str, formats: Sequence[str] = ("png", "svg")) -> Path:
    """Write a figure in formats of `FORMATS`, and its rows as CSV; return the path of the first."""
    paths = [folder / f"{name}.{kind}" for kind in (*formats, "csv")]
    for path in paths:
        path.unlink(missing_ok=True)  # a link or a pipe in its place is not written through
    for path, kind in zip(paths, formats, strict=False):
        figure.canvas.savefig(path, **FORMATS[kind])
    write_rows(paths[-1], figure.rows)
    return paths[0]


def put_title(canvas: Canvas, title: str, caption: str, *, top: float = 0.12, width: int = 118) -> None:
    """Put a headline, of one or more lines, and a caption at the top left, `top` inches below the edge."""
    height = canvas.get_figheight()
    canvas.text(0.015, 1 - top / height, title, fontsize=12, fontweight="bold", va="top")
    canvas.text(
        0.015,
        1 - (top + 0.28 + TITLE_LINE * title.count("\n")) / height,
        textwrap.fill(caption, width),
        fontsize=8.5,
        color=SOFT,
        va="top",
        linespacing=1.35,
    )


def set_count_axis(axes: Axes, low: float, high: float, axis: str = "x", most: int = 8, *, whole: bool = False) -> None:
    """Give an axis of counts a log scale with ticks at 1, 2, 5 times powers of ten, written out.

    On a `whole` one, of people or things, nothing stands between 1 and zero, which is drawn at one half. Ticks whose
    numbers would touch are thinned out.
    """
    target = axes.xaxis if axis == "x" else axes.yaxis
    (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
    (axes.set_xlim if axis == "x" else axes.set_ylim)(low, high)
    room = _measure_axis(axes, axis)
    for fewer in range(most, 1, -1):
        ticks = [tick for tick in choose_ticks(low, high, fewer) if not whole or (tick >= 1 and tick.is_integer())]
        if whole and low <= ZERO:
            ticks = [ZERO, *(tick for tick in ticks if tick >= 2)]
        if not _collide(ticks, low, high, room, upright=axis == "y", whole=whole):
            break
    positions = [(np.log(tick) - np.log(low)) / (np.log(high) - np.log(low)) for tick in ticks]
    ends: dict[int, Literal["left", "right"]] = {0: "left"} if positions and positions[0] < _EDGE else {}
    ends |= {len(ticks) - 1: "right"} if positions and positions[-1] > 1 - _EDGE else {}
    target.set_major_locator(FixedLocator(ticks))
    target.set_minor_locator(NullLocator())
    target.set_major_formatter(FuncFormatter(lambda value, _: _show_tick(value, whole=whole)))
    target.set_minor_formatter(NullFormatter())
    labels = target.get_ticklabels() if axis == "x" else []
    for number, side in ends.items() if labels else ():
        labels[number].set_horizontalalignment(side)  # so that no number is cut by the edge


def _show_tick(value: float, *, whole: bool) -> str:
    return "0" if whole and value < 1 else show_number(value)


def _measure_axis(axes: Axes, axis: str) -> float:
    """Return the length of an axis in inches."""
    box = axes.get_position()
    size = axes.figure.get_figure(root=True)
    if size is None:
        return 4.0
    width, height = size.get_size_inches()
    return float(box.width * width if axis == "x" else box.height * height)


def _collide(ticks: Sequence[float], low: float, high: float, room: float, *, upright: bool, whole: bool) -> bool:
    """Return whether the numbers of two neighbouring ticks would touch."""
    positions = [room * (np.log(tick) - np.log(low)) / (np.log(high) - np.log(low)) for tick in ticks]
    widths = [_LINE if upright else _LETTER * len(_show_tick(tick, whole=whole)) + 0.06 for tick in ticks]
    return any(
        positions[number + 1] - positions[number] < (widths[number] + widths[number + 1]) / 2
        for number in range(len(ticks) - 1)
    )


def choose_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Return ticks within low..high: 1-2-5 steps, finer ones where these are one or two, or coarser ones."""
    decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)

    def place(steps: Sequence[float]) -> list[float]:
        return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]

    for steps in ((1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = place(steps)
        if len(ticks) >= LEAST_TICKS:
            break
    for coarser in ((1, 2, 5), (1, 3), (1,)):
        if len(ticks) <= most:
            return ticks
        ticks = place(coarser) or ticks
    return ticks[:: int(np.ceil(len(ticks) / most))]


def span_counts(values: Sequence[float], floor: float = 0.5) -> tuple[float, float]:
    """Return limits of a log axis that hold all values, with a margin; zeros are drawn at `floor`."""
    kept = np.maximum(np.asarray([value for value in values if np.isfinite(value)], dtype=float), floor)
    low, high = float(kept.min()), float(kept.max())
    margin = max((high / low) ** 0.06, 1.15)
    return low / margin, high * margin


def put_columns(canvas: Canvas, axes: Axes, y: float, cells: Sequence[tuple[float, str, str, str]]) -> None:
    """Set text beside a row of `axes`, as (share of the figure's width, text, alignment, style: bold, soft or none)."""
    beside = blended_transform_factory(canvas.transFigure, axes.transData)
    for x, text, align, style in cells:
        weight, colour = "bold" if style == "bold" else "normal", SOFT if style == "soft" else INK
        axes.text(
            x,
            y,
            text,
            transform=beside,
            ha=align,
            va="center",
            fontsize=8,
            clip_on=False,
            fontweight=weight,
            color=colour,
        )


def flatten_intervals(intervals: Mapping[str, tuple[float, float]]) -> dict[str, Cell]:
    """Return the 50% and 90% intervals as columns."""
    return {
        f"{end}_{level}": intervals[level][side] for level in ("0.5", "0.9") for side, end in enumerate(("low", "high"))
    }


def clip_text(text: str, limit: int) -> str:
    """Return text cut at `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
