"""Tables of a DOCX memo: columns as wide as what stands in them needs, rows that stay whole, heads that come again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sim.report.memo.blocks import Link, Table
from sim.report.memo.widths import count_lines, fit_size, loosen, share_width

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

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
    from docx.oxml.ns import qn
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
    for column, width in zip(table.columns, widths, strict=True):
        column.width = _inches(width)
    lines = count_lines(folded, widths, size)
    kept = len(lines) - 1 if sum(lines) <= SHORT and not block.under else 1
    for number, row in enumerate((folded.header, *folded.show_rows())):
        line: Any = table.add_row()
        line._tr.get_or_add_trPr().append(make_element("w:cantSplit"))
        if not number:
            line._tr.get_or_add_trPr().append(make_element("w:tblHeader"))
        under = told[number - 1] if number else ()
        for cell, text, side, width in zip(line.cells, row, folded.align, widths, strict=True):
            cell.width = _inches(width)
            _fill(cell, text, side, size, bold=not number, narrow=len(folded.header) > NARROW)
            if number < kept or under:  # a short table stays on its page, a head with its first row: of more
                # rows that keep together at the foot of a page LibreOffice loses the rest of the table
                cell.paragraphs[0].paragraph_format.keep_with_next = True
        if under:
            _add_under(table, line, [text for _, text in under])
    after = document.add_paragraph()  # what follows keeps its distance
    after.paragraph_format.space_after = Pt(0)
    after.paragraph_format.line_spacing = Pt(6)


def _add_under(table: Any, above: Any, texts: list[str | Link]) -> None:
    """Add what stands under a row, over the whole width and without a rule between them."""
    from docx.shared import Inches, Pt, RGBColor

    line = table.add_row()
    line._tr.get_or_add_trPr().append(make_element("w:cantSplit"))
    for cell in above.cells:
        borders = make_element("w:tcBorders")
        borders.append(make_element("w:bottom", val="nil"))
        cell._tc.get_or_add_tcPr().append(borders)
    whole = line.cells[0].merge(line.cells[-1])
    borders = make_element("w:tcBorders")
    borders.append(make_element("w:top", val="nil"))
    whole._tc.get_or_add_tcPr().append(borders)
    paragraph = whole.paragraphs[0]
    paragraph.paragraph_format.left_indent = Inches(0.15)
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(0), Pt(4)
    paragraph.paragraph_format.line_spacing = 1.0
    for number, text in enumerate(texts):
        if number:
            paragraph.add_run(" · ").font.size = Pt(TINY)
        if isinstance(text, Link):
            _link(paragraph, text, TINY)
            continue
        run = paragraph.add_run(clean(text))
        run.font.size, run.font.color.rgb = Pt(TINY), RGBColor(0x46, 0x46, 0x46)


def _inches(width: float) -> Any:
    from docx.shared import Inches

    return Inches(width)


def _make_borders() -> Any:
    borders = make_element("w:tblBorders")
    for side, weight in (("top", "8"), ("bottom", "8"), ("insideH", "4")):
        borders.append(make_element(f"w:{side}", val="single", sz=weight, space="0", color=_RULE))
    return borders


def _fill(cell: _Cell, text: str | Link, side: str, size: float, *, bold: bool, narrow: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = paragraph.paragraph_format.space_before = Pt(2)
    paragraph.paragraph_format.line_spacing = 1.0
    if isinstance(text, Link):
        _link(paragraph, text, size)
    else:
        run = paragraph.add_run(loosen(clean(text)) if narrow else clean(text))
        run.font.size, run.bold = Pt(size), bold
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if side == "r" else WD_ALIGN_PARAGRAPH.LEFT


def _link(paragraph: Any, link: Link, size: float) -> None:
    """Add a text that leads to an address."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(clean(link.text))
    run.font.size, run.font.underline, run.font.color.rgb = Pt(size), True, RGBColor(0x1F, 0x5A, 0x89)
    relation = paragraph.part.relate_to(clean(link.url), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    element = make_element("w:hyperlink")
    element.set(qn("r:id"), relation)
    run._r.getparent().replace(run._r, element)
    element.append(run._r)
