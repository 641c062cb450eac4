"""How a page is shared out among the columns of a table."""

from __future__ import annotations

import re

from sim.report.memo.blocks import Link, Table

_LETTER, _BOLD = 0.58, 0.7  # of its size, that a letter is wide on average, with room to spare for a wide face
_PAD = 0.16  # inches of a cell's edges


def share_width(block: Table, room: float, size: float) -> list[float]:
    """Return the widths of columns in inches: none less than its longest word, and then so that rows are low.

    Rows are lowest where the columns that are wrapped take as many lines as each other.
    """
    letter = size * _LETTER / 72
    columns = list(zip(block.header, *([_read(cell) for cell in row] for row in block.rows), strict=True))
    heads = [size * _BOLD / 72 * _longest(text) + _PAD for text in block.header]
    least = [
        max(head, letter * max(_longest(text) for text in column) + _PAD)
        for head, column in zip(heads, columns, strict=True)
    ]
    whole = [max(letter * max(map(len, column)) + _PAD, low) for column, low in zip(columns, least, strict=True)]
    if sum(whole) <= room:
        return [width * room / sum(whole) for width in whole]
    if sum(least) >= room:
        return [width * room / sum(least) for width in least]
    mean = [letter * sum(map(len, column)) / len(column) for column in columns]
    narrow, wide = 0.0, 100.0  # the share of its mean text that a column has on a line
    for _ in range(40):
        share = (narrow + wide) / 2
        widths = [min(max(low, share * text + _PAD), most) for low, text, most in zip(least, mean, whole, strict=True)]
        narrow, wide = (narrow, share) if sum(widths) > room else (share, wide)
    return [width * room / sum(widths) for width in widths]


def _read(cell: str | Link) -> str:
    return cell.text if isinstance(cell, Link) else cell


def _longest(text: str) -> int:
    """Return the length of the longest word, of a name its longest part; what is beyond reason is broken anyway."""
    return min(max((len(word) for word in re.split(r"[ \t\n/_-]+", text)), default=0), 24)
