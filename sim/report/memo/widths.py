"""How a page is shared out among the columns of a table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from sim.report.memo.blocks import Link, Table

_LETTER, _WORD, _BOLD = (
    0.58,
    0.65,
    0.7,
)  # of its size, that a letter is wide: on average, in one word, in a bold one; for a wide face
SHORTEST = 22  # letters of a column that is not wrapped where there is room
_JOINT = re.compile(r"(?<=\w)[/_-](?=\w)")
_RANGE = re.compile(r"(?<=\d) to (?=\d)")
_PAD = 0.16  # inches of a cell's edges


def share_width(block: Table, room: float, size: float) -> list[float]:
    """Return the widths of columns in inches: none less than its longest word, and then so that rows are low.

    Rows are lowest where the columns that are wrapped take as many lines as each other. A head is wrapped before what
    stands under it, and numbers, whose column is set to the right, and short texts after everything else.
    """
    letter = size * _LETTER / 72
    columns = _list_columns(block)
    words = _measure_words(block, size)
    whole = [
        max(letter * max(map(len, column), default=0) + _PAD, low) for column, low in zip(columns, words, strict=True)
    ]
    spread = [max(width, size * _BOLD / 72 * len(text) + _PAD) for width, text in zip(whole, block.header, strict=True)]
    for wanted in (spread, whole):
        if sum(wanted) <= room:
            return [width * room / sum(wanted) for width in wanted]
    short = [
        side == "r" or max(map(len, column)) <= SHORTEST for side, column in zip(block.align, columns, strict=True)
    ]
    numbers = [full if kept else low for full, low, kept in zip(whole, words, short, strict=True)]
    least = numbers if sum(numbers) < room else words
    if sum(least) >= room:
        return [width * room / sum(least) for width in least]
    mean = [letter * sum(map(len, column)) / max(len(column), 1) for column in columns]
    narrow, wide = 0.0, 100.0  # the share of its mean text that a column has on a line
    for _ in range(40):
        share = (narrow + wide) / 2
        widths = [min(max(low, share * text + _PAD), most) for low, text, most in zip(least, mean, whole, strict=True)]
        narrow, wide = (narrow, share) if sum(widths) > room else (share, wide)
    return [width * room / sum(widths) for width in widths]


def fit_size(block: Table, room: float, size: float, least: float) -> float:
    """Return the size of letters, not above `size`, in which no word of a table is broken; the least where none is."""
    while size > least and sum(_measure_words(block, size)) > room:
        size -= 0.5
    return size


def _measure_words(block: Table, size: float) -> list[float]:
    """Return the width of each column that its longest word takes."""
    return [
        max(size * _BOLD / 72 * _longest(head), size * _WORD / 72 * max(map(_longest, column), default=0)) + _PAD
        for head, column in zip(block.header, _list_columns(block), strict=True)
    ]


def tie_end(title: str) -> str:
    """Return a title whose last line has more than its last word, and whose ranges stand on one line."""
    return "\N{NO-BREAK SPACE}".join(_RANGE.sub("\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}", title).rsplit(" ", 1))


def count_lines(block: Table, widths: Sequence[float], size: float) -> list[int]:
    """Return about how many lines each row of a table takes, the head first."""
    letter = size * _LETTER / 72
    rows = [block.header, *([_read(cell) for cell in row] for row in block.rows)]
    return [
        max(math.ceil(letter * len(text) / max(width - _PAD, letter)) for text, width in zip(row, widths, strict=True))
        for row in rows
    ]


def loosen(text: str) -> str:
    """Return text whose long names may part at the end of a line, in a narrow column."""
    return _JOINT.sub("\\g<0>\N{ZERO WIDTH SPACE}", text)


def _list_columns(block: Table) -> list[tuple[str, ...]]:
    """Return the text of each column, without its head."""
    rows = [[_read(cell) for cell in row] for row in block.rows]
    return [tuple(row[index] for row in rows) for index in range(len(block.header))]


def _read(cell: str | Link) -> str:
    return cell.text if isinstance(cell, Link) else cell


def _longest(text: str) -> int:
    """Return the length of the longest word, of a name its longest part; what is beyond reason is broken anyway."""
    return min(max((len(word) for word in re.split(r"[ \t\n/_-]+", text)), default=0), 24)
