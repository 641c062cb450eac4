"""The memo as DOCX: real styles, headings, captions and numbered tables."""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, fromstring  # nosec B405

from sim.errors import quote_value, refuse
from sim.report.memo.blocks import Block, Memo, Picture, Points, Table
from sim.system.reading import read_bytes

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

SMALL = 8  # points, in tables
LOOK = "Light Shading"
WIDTH = 6.3  # inches between the margins
MAX_PACKAGE, MAX_UNPACKED, MAX_PARTS = 20_000_000, 100_000_000, 500  # of a template: bytes, bytes, files
_PLAIN = (".xml", ".rels", ".png", ".jpg", ".jpeg", ".gif")  # how the parts of a document end
_OBJECTS = {"altChunk", "object", "OLEObject", "control"}  # elements that bring more than text
_ASKING = re.compile(r"DDE|INCLUDE|IMPORT|\bLINK\b", re.IGNORECASE)  # fields that fetch or run something


def write_docx(memo: Memo, pictures: Mapping[str, bytes], templates: Path | None = None) -> bytes:
    """Return a memo as the bytes of a DOCX file.

    Parameters
    ----------
    memo : Memo
        From `sim.report.memo.content.compose_memo`.
    pictures : mapping of str to bytes
        The figures as PNG, by file name; one that is not there is left out.
    templates : Path, optional
        A folder whose `memo.docx` has the styles to use.
    """
    import docx

    base = templates / "memo.docx" if templates and os.path.lexists(templates / "memo.docx") else None
    document = docx.Document(io.BytesIO(read_package(base)) if base else None)
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
            _add(document, block, pictures, counts)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def read_package(path: Path) -> bytes:
    """Return a user's DOCX template, or refuse one that is large, or holds more than text and styles.

    What a document brings beside these, a memo made of it would bring on: programs, and addresses that Word asks.
    """
    content = read_bytes(path, MAX_PACKAGE, inside=path.parent)
    remedy = "save it anew as a plain .docx"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                what = f"unpacks to more than {MAX_PARTS} parts or {MAX_UNPACKED // 1_000_000} MB"
                raise refuse(path.name, "", what, remedy)
            for part in parts:
                problem = _find_more(part.filename, package.read(part))
                if problem:
                    raise refuse(path.name, "", f"its part {quote_value(part.filename)} {problem}", remedy)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, ParseError) as error:
        raise refuse(path.name, "", f"is no DOCX file: {error}", remedy) from None
    return content


def _find_more(name: str, content: bytes) -> str | None:
    """Return what a part of a document brings beside text, styles and pictures; None where that is nothing."""
    if not name.endswith(_PLAIN):
        return "is no part of a plain document"
    if not name.endswith((".xml", ".rels")):
        return None
    if b"<!" in content.replace(b"<!--", b"") or b"\0" in content:
        return "declares more than XML"
    fields = ""
    for element in fromstring(content).iter():  # noqa: S314 - it declares no entities  # nosec B314
        tag = str(element.tag).rpartition("}")[2]
        if tag in _OBJECTS:
            return f"holds {tag}"
        if element.get("TargetMode") == "External" and not str(element.get("Type")).endswith("/hyperlink"):
            return "leads to another file"
        fields += (element.text or "") if tag == "instrText" else ""
        fields += " ".join(value for key, value in element.items() if key.endswith("instr"))
    return "holds a field that fetches something" if _ASKING.search(fields) else None


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


def _add(document: Document, block: Block, pictures: Mapping[str, bytes], counts: dict[str, int]) -> None:
    if isinstance(block, Points):
        for item in block.items:
            document.add_paragraph(_clean(item), style="List Bullet")
    elif isinstance(block, Table):
        _caption(document, "Table", block.caption, counts)
        _tabulate(document, block)
    elif isinstance(block, Picture):
        if block.file in pictures:
            from docx.shared import Inches

            document.add_picture(io.BytesIO(pictures[block.file]), width=Inches(WIDTH * block.share))
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
