"""Tables of a DOCX memo: columns as wide as what stands in them needs, rows that stay whole, heads that come again.

Rows are written as XML, and not by python-docx, which takes some tens of times as long over each cell.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from sim.report.memo.blocks import Link, Table
from sim.report.memo.widths import count_lines, fit_size, loosen, share_width

if TYPE_CHECKING:
    from docx.document import Document

SMALL, TINY, LEAST = 9.0, 8.0, 6.5  # points, of a table, of one with many columns, and of one on a narrow page
MANY, NARROW = 6, 5  # columns, beyond which type is small, and long names may part
SHORT = 14  # lines of a table that stays on its page
EDGE = "108"  # twentieths of a point, between a cell's edge and its text
_RULE = "8C8C8C"


def clean(text: object) -> str:
    """Return text without what XML forbids; a space that does not break stays one."""
    flat = " ".join(re.split(r"[ \t\r\n\f\v]+", str(text))).strip()
    return "".join(letter for letter in flat if letter.isprintable() or letter == "\N{NO-BREAK SPACE}")


def make_element(tag: str, **attributes: str) -> Any:
    """Return an element of Word's XML."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element


def measure_page(document: Document) -> tuple[float, float]:
    """Return the width and height, in inches, that text has on a page of the section in which a document ends."""
    section: Any = document.sections[-1]
    width = section.page_width - section.left_margin - section.right_margin - (section.gutter or 0)
    return width / 914_400, (section.page_height - section.top_margin - section.bottom_margin) / 914_400


def set_table(document: Document, block: Table) -> None:
    """Add a table."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls, qn
    from docx.shared import Pt

    room = measure_page(document)[0]
    folded, told = block.fold()
    size = fit_size(folded, room, TINY if len(folded.header) > MANY else SMALL, LEAST)
    widths = share_width(folded, room, size)
    table = document.add_table(rows=0, cols=len(folded.header))
    table.autofit = False
    width = table._tbl.tblPr.find(qn("w:tblW"))  # after which these stand, by the format
    width.addnext(_make_borders())
    width.addnext(make_element("w:tblInd", w=EDGE, type="dxa"))  # its rules begin where text does
    inches = [_inches(width) for width in widths]
    for column, width in zip(table.columns, inches, strict=True):
        column.width = width
    lines = count_lines(folded, widths, size)
    kept = len(lines) - 1 if sum(lines) <= SHORT and not block.under else 1
    narrow, rows = len(folded.header) > NARROW, []
    for number, row in enumerate((folded.header, *folded.show_rows())):
        under = told[number - 1] if number else ()
        # A short table stays on its page, a head with its first row: of more rows that keep together at the foot of a
        # page LibreOffice loses the rest of the table.
        keep = "<w:keepNext/>" if number < kept or under else ""
        cells = (
            _write_cell(document, text, side, width.twips, size, keep, bold=not number, narrow=narrow, parted=not under)
            for text, side, width in zip(row, folded.align, inches, strict=True)
        )
        rows.append(f"<w:tr><w:trPr><w:cantSplit/>{'' if number else '<w:tblHeader/>'}</w:trPr>{''.join(cells)}</w:tr>")
        if under:
            rows.append(_write_under(document, [text for _, text in under], [width.twips for width in inches]))
    table._tbl.extend(list(parse_xml(f"<w:tbl {nsdecls('w', 'r')}>{''.join(rows)}</w:tbl>")))
    after = document.add_paragraph()  # what follows keeps its distance
    after.paragraph_format.space_after = Pt(0)
    after.paragraph_format.line_spacing = Pt(6)


def _write_under(document: Document, texts: list[str | Link], widths: list[int]) -> str:
    """Return the row of what stands under another, over the whole width and without a rule between them."""
    span = f'<w:gridSpan w:val="{len(widths)}"/>' if len(widths) > 1 else ""
    told = [
        _write_link(document, text, TINY)
        if isinstance(text, Link)
        else _write_run(clean(text), TINY, '<w:color w:val="464646"/>')
        for text in texts
    ]
    return (
        f'<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{sum(widths)}"/>{span}'
        '<w:tcBorders><w:top w:val="nil"/></w:tcBorders></w:tcPr><w:p><w:pPr>'
        '<w:spacing w:before="0" w:after="80" w:line="240" w:lineRule="auto"/><w:ind w:left="216"/></w:pPr>'
        f"{_write_run(' · ', TINY).join(told)}</w:p></w:tc></w:tr>"
    )


def _inches(width: float) -> Any:
    from docx.shared import Inches

    return Inches(width)


def _make_borders() -> Any:
    borders = make_element("w:tblBorders")
    for side, weight in (("top", "8"), ("bottom", "8"), ("insideH", "4")):
        borders.append(make_element(f"w:{side}", val="single", sz=weight, space="0", color=_RULE))
    return borders


def _write_cell(
    document: Document, text: str | Link, side: str, width: int, size: float, keep: str, *, bold: bool, narrow: bool,
    parted: bool,
) -> str:  # fmt: skip
    """Return a cell; one that is not parted from what stands under it has no rule."""
    if isinstance(text, Link):
        told = _write_link(document, text, size)
    else:
        told = _write_run(
            loosen(clean(text)) if narrow else clean(text), size, "<w:b/>" if bold else '<w:b w:val="0"/>'
        )
    rule = '<w:tcBorders><w:bottom w:val="nil"/></w:tcBorders>' if not parted else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/>{rule}</w:tcPr><w:p><w:pPr>{keep}'
        '<w:spacing w:after="40" w:before="40" w:line="240" w:lineRule="auto"/>'
        f'<w:jc w:val="{"right" if side == "r" else "left"}"/></w:pPr>{told}</w:p></w:tc>'
    )


def _write_run(text: str, size: float, before: str = "", after: str = "") -> str:
    """Return a run of text, as python-docx would make it; `before` and `after` its size stand its other properties."""
    space = ' xml:space="preserve"' if text.strip() != text else ""
    told = f"<w:t{space}>{escape(text, quote=False)}</w:t>" if text else ""
    return f'<w:r><w:rPr>{before}<w:sz w:val="{round(2 * size)}"/>{after}</w:rPr>{told}</w:r>'


def _write_link(document: Document, link: Link, size: float) -> str:
    """Return a text that leads to an address."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    relation = document.part.relate_to(clean(link.url), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    run = _write_run(clean(link.text), size, '<w:color w:val="1F5A89"/>', '<w:u w:val="single"/>')
    return f'<w:hyperlink r:id="{relation}">{run}</w:hyperlink>'
