"""The frame of a figure: a title that says the finding, what the marks are, the body, and the source below.

Text is measured before it is set, so that a title of any length is whole, and the body moves down for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties

from sim.contract.summary import Result
from sim.report.plots.style import INK, NOTE, SOFT
from sim.words import show_day

WIDTH = 6.6  # inches, as it stands on a page
MARGIN = 0.1
TITLE, TEXT, SMALL = 12.5, 9.5, 8.5  # points
_BLANK = re.compile(r"[ \t\r\n\f\v]+")  # without the space that does not break
_LEADING = 1.32
_POINT = 1 / 72
_FINE = 16  # text is measured so many times as large: small letters are put on whole pixels


@dataclass(frozen=True)
class Frame:
    """An empty figure between its head and its foot; `top` and `bottom` in inches from its edges."""

    canvas: Canvas
    height: float
    top: float
    bottom: float

    def place(self, left: float, above: float, width: float, height: float) -> Axes:
        """Return axes, in inches: from the left edge, and from the end of the head down."""
        bottom = self.height - self.top - above - height
        return self.canvas.add_axes((left / WIDTH, bottom / self.height, width / WIDTH, height / self.height))

    def write(self, text: str, left: float, above: float, **look: Any) -> None:
        """Set text, its top left in inches from the left edge and from the end of the head."""
        position = (left / WIDTH, 1 - (self.top + above) / self.height)
        self.canvas.text(*position, text, **{"va": "top", "fontsize": TEXT, "color": INK, **look})


def open_frame(title: str, caption: str, body: float, source: str) -> Frame:
    """Return a figure with its head and foot, and `body` inches between them; one without a title has none."""
    room = WIDTH - 2 * MARGIN
    head = wrap_text(title, room, TITLE, bold=True) if title else []
    told = wrap_text(caption, room, SMALL)
    foot = wrap_text(f"{source} {NOTE.get()}".rstrip(), room, SMALL)
    below = MARGIN + _height(head, TITLE) + (0.06 if head else 0.0)
    top = below + _height(told, SMALL) + 0.14
    bottom = 0.1 + _height(foot, SMALL) + 0.06
    height = top + body + bottom
    canvas = Canvas(figsize=(WIDTH, height))
    left = MARGIN / WIDTH
    look: dict[str, Any] = {"va": "top", "linespacing": _LEADING / 1.2}
    canvas.text(left, 1 - MARGIN / height, "\n".join(head), fontsize=TITLE, fontweight="bold", **look)
    canvas.text(left, 1 - below / height, "\n".join(told), fontsize=SMALL, color=SOFT, **look)
    canvas.text(left, (bottom - 0.1) / height, "\n".join(foot), fontsize=SMALL, color=SOFT, **look)
    return Frame(canvas, height, top, bottom)


def name_source(result: Result, unit: str) -> str:
    """Return the foot of a figure: the unit, and what it is made from."""
    used = [claim for claim in result.claims if claim.used]
    count, sources = len(used), len({claim.owner for claim in used})
    made = f"{count} claim{'' if count == 1 else 's'} of {sources} source{'' if sources == 1 else 's'}"
    return f"{unit} Source: {made}; truetoll, case {result.case}, as of {show_day(result.as_of)}, seed {result.seed}."


def _height(lines: Sequence[str], size: float) -> float:
    return len(lines) * size * _LEADING * _POINT


@lru_cache(maxsize=20_000)
def _measure(text: str, size: float, weight: str, family: tuple[str, ...]) -> float:
    prop = FontProperties(family=list(family), size=size * _FINE, weight=weight)
    width, _, _ = _renderer().get_text_width_height_descent(text, prop, False)
    return float(width) * _POINT / _FINE


@lru_cache(maxsize=1)
def _renderer() -> Any:
    agg: Any = RendererAgg  # it has no types
    return agg(8, 8, 72)


def measure_text(text: str, size: float = TEXT, *, bold: bool = False) -> float:
    """Return the width of a line of text in inches."""
    import matplotlib as mpl

    return _measure(text, size, "bold" if bold else "normal", tuple(mpl.rcParams["font.family"]))


def wrap_text(text: str, room: float, size: float = TEXT, *, bold: bool = False) -> list[str]:
    """Return text in lines that fit into `room` inches; a word longer than a line is broken."""
    lines: list[str] = []
    line = ""
    for word in _BLANK.split(text):
        longer = f"{line} {word}" if line else word
        if measure_text(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while measure_text(line, size, bold=bold) > room and len(line) > 1:
            end = _fit(line, room, size, bold=bold)
            lines.append(line[:end])
            line = line[end:]
    return [*lines, line]


def _fit(word: str, room: float, size: float, *, bold: bool) -> int:
    """Return how many letters of a word fit; at least one."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure_text(word[:middle], size, bold=bold) <= room else (low, middle - 1)
    return low


def cut_text(text: str, room: float, size: float = TEXT, *, bold: bool = False, lines: int = 2) -> list[str]:
    """Return text in at most so many lines; of a longer one the middle is left out, where long names are alike."""
    found = wrap_text(text, room, size, bold=bold)
    kept = len(text)
    while len(found) > lines and kept > 8:
        kept = int(kept * 0.92)
        found = wrap_text(" … ".join(_take_ends(text, kept // 2)), room, size, bold=bold)
    return found


def _take_ends(text: str, length: int) -> tuple[str, str]:
    """Return the beginning and the end of a text, of whole words where these are not much shorter."""
    first, last = text[:length], text[-length:]
    if text[length : length + 1].strip() and first.rfind(" ") > length / 2:
        first = first[: first.rfind(" ")]
    if text[-length - 1].strip() and -1 < last.find(" ") < length / 2:
        last = last[last.find(" ") :]
    return first.rstrip(), last.lstrip()
