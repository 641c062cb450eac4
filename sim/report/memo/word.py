"""The memo as DOCX: real styles, headings, captions and numbered tables."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from sim.errors import refuse
from sim.report.memo.blocks import Block, Memo, Picture, Points, Table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

SMALL = 8  # points, in tables
LOOK = "Light Shading"
WIDTH = 6.3  # inches between the margins


def write_docx(memo: Memo, figures: Path, templates: Path | None = None) -> bytes:
    """Return a memo as the bytes of a DOCX file.

    Parameters
    ----------
    memo : Memo
        From `sim.report.memo.content.compose_memo`.
    figures : Path
        The folder of the figures; one that is not there is left out.
    templates : Path, optional
        A folder whose `memo.docx` has the styles to use.
    """
    import docx
    from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
    from docx.opc.exceptions import OpcError

    base = templates / "memo.docx" if templates and (templates / "memo.docx").is_file() else None
    try:
        document = docx.Document(str(base)) if base else docx.Document()
        if base is None:
            _set_styles(document)
        document.core_properties.title = _clean(memo.title)
        document.core_properties.author = "truetoll"
        document.add_heading(_clean(memo.title), 0)
        document.add_paragraph(f"As of {memo.as_of}", style="Subtitle")
        counts = {"Table": 0, "Figure": 0}
        for section in memo.sections:
            document.add_heading(_clean(section.title), 1)
            for block in section.blocks:
                _add(document, block, figures, counts)
    except (InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError, ZeroDivisionError) as error:
        raise refuse(str(figures), "", f"holds an image that cannot be read ({error!r})", "draw them again") from error
    except (KeyError, ValueError, OSError, BadZipFile, OpcError) as error:
        raise refuse(str(base or "memo.docx"), "", f"fails ({error})", "mend its styles, or leave out docx") from error
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _clean(text: str) -> str:
    """Return text without what XML forbids."""
    return "".join(letter for letter in " ".join(str(text).split()) if letter.isprintable())


def _set_styles(document: Document) -> None:
    from docx.shared import Inches, Pt, RGBColor

    styles: Any = document.styles
    for name in ("Normal", "Title", "Subtitle", "Heading 1", "Caption"):
        styles[name].font.name = "Calibri"
        styles[name].element.get_or_add_rPr().get_or_add_rFonts().attrib.clear()
        styles[name].font.name = "Calibri"
    styles["Normal"].font.size = Pt(10.5)
    styles["Title"].font.size = Pt(20)
    styles["Heading 1"].font.size = Pt(13)
    styles["Caption"].font.size = Pt(9)
    for name in ("Title", "Heading 1", "Caption", "Subtitle"):
        styles[name].font.color.rgb = RGBColor(0x22, 0x22, 0x22)
    for section in document.sections:
        section.left_margin = section.right_margin = Inches(1.1)
        section.top_margin = section.bottom_margin = Inches(0.9)


def _add(document: Document, block: Block, figures: Path, counts: dict[str, int]) -> None:
    if isinstance(block, Points):
        for item in block.items:
            document.add_paragraph(_clean(item), style="List Bullet")
    elif isinstance(block, Table):
        _caption(document, "Table", block.caption, counts)
        _tabulate(document, block)
    elif isinstance(block, Picture):
        path = figures / block.file
        if path.is_file():
            from docx.shared import Inches

            document.add_picture(str(path), width=Inches(WIDTH * block.share))
            document.paragraphs[-1].paragraph_format.keep_with_next = True
            _describe_picture(document, block.caption)
            _caption(document, "Figure", block.caption, counts)
    else:
        style = "Normal" if block.kind == "text" else "Quote"
        document.add_paragraph(_clean(block.text), style=style)


def _describe_picture(document: Document, text: str) -> None:
    """Give the last picture an alternative text, for those who cannot see it."""
    document.inline_shapes[-1]._inline.docPr.set("descr", _clean(text))


def _caption(document: Document, word: str, text: str, counts: dict[str, int]) -> None:
    """Add a caption whose number is a field, as Word's own captions have it."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    counts[word] += 1
    paragraph = document.add_paragraph(style="Caption")
    paragraph.paragraph_format.keep_with_next = word == "Table"
    paragraph.add_run(f"{word} ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), f" SEQ {word} \\* ARABIC ")
    run, number = OxmlElement("w:r"), OxmlElement("w:t")
    number.text = str(counts[word])
    run.append(number)
    field.append(run)
    paragraph._p.append(field)
    paragraph.add_run(f". {_clean(text)}")


def _tabulate(document: Document, block: Table) -> None:
    from docx.oxml.ns import qn

    table = document.add_table(rows=1, cols=len(block.header))
    table.style = LOOK if LOOK in [style.name for style in document.styles] else None
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    if look is not None:  # the first row stands out, no column, and no band
        for name, value in (("firstColumn", "0"), ("noHBand", "1"), ("val", "0620")):
            look.set(qn(f"w:{name}"), value)
    _repeat_header(table.rows[0])
    for cell, text, side in zip(table.rows[0].cells, block.header, block.align, strict=True):
        _fill(cell, text, side)
    for row in block.rows:
        for cell, text, side in zip(table.add_row().cells, row, block.align, strict=True):
            _fill(cell, text, side)
    document.add_paragraph()


def _repeat_header(row: Any) -> None:
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _fill(cell: _Cell, text: str, side: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.add_run(_clean(text)).font.size = Pt(SMALL)
    if side == "r":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
