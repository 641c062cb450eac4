"""About how high the blocks of a DOCX page are, so that its picture is as high as the rest leaves room for.

Word sets the page, in a face that may be another on each machine: heights are those of a wide one.
"""

from __future__ import annotations

import math

from sim.report.memo.blocks import Block, Memo, Picture, Points, Section, Table, Terms
from sim.report.memo.widths import count_lines, share_width

LEADING = 1.08  # of a face's own height, that a line takes
_LETTER, _LINE, _POINT = 0.52, 1.37, 1 / 72  # of its size, a letter's width and a line's height; inches
_AFTER, _PADDED = 4.0, 4.0  # points after a paragraph, and of a row's edges
_REFERENCE = 22  # letters that tell where figure and table are


def measure_rest(memo: Memo, section: Section, sizes: dict[str, float], width: float) -> float:
    """Return the height in inches of a memo's first section and what stands over it, without its picture.

    Parameters
    ----------
    memo : Memo
    section : Section
    sizes : dict of str to float
        Of each style, in points, and of the text of tables, as `Table`.
    width : float
        Of a line, in inches.
    """
    head = [(memo.subject, "Normal"), (memo.title, "Title"), (" · ".join(memo.byline), "Subtitle")]
    return sum(_measure_text(text, sizes[style], width) for text, style in head if text) + sum(
        _measure(block, sizes, width) for block in section.blocks
    )


def _measure(block: Block, sizes: dict[str, float], width: float) -> float:
    size = sizes["Normal"]
    if isinstance(block, Picture):
        return _measure_text(block.caption, sizes["Caption"], width)
    if isinstance(block, Table):
        small = sizes["Table"]
        lines = count_lines(block, share_width(block, width, small), small)
        rows = sum(count * small * _LINE + _PADDED for count in lines) * _POINT
        return _measure_text(block.caption, sizes["Caption"], width) + rows + 0.1
    if isinstance(block, Points):
        return sum(_measure_text(text, size, width - 0.3) for text in block.items)
    if isinstance(block, Terms):
        return sum(_measure_text(f"{term}. {text}", size, width) for term, text in block.items)
    return _measure_text(block.text + " " * _REFERENCE, size, width)


def _measure_text(text: str, size: float, width: float) -> float:
    lines = math.ceil(len(text) * size * _LETTER * _POINT / width)
    return (lines * size * _LINE * LEADING + _AFTER) * _POINT
