"""The memo as DOCX: real styles, headings, captions that are fields, numbered tables, live links."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.report.memo.blocks import Block, Memo, Picture, Points, Section, Table, Terms, Text
from sim.report.memo.widths import tie_end
from sim.report.memo.word_heights import LEADING, measure_rest
from sim.report.memo.word_package import add_styles, read_package
from sim.report.memo.word_tables import SMALL, clean, make_element, measure_page, set_table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

INK, SOFT, ACCENT = (0x22, 0x22, 0x22), (0x66, 0x66, 0x66), (0x1F, 0x5A, 0x89)
TALLEST = 7.8  # inches of a picture: so that a heading has room
LOWEST, SPARE = 1.4, 0.15  # inches of page one's picture, however much stands beside it, and of that page's foot
CAPTION = 0.9  # inches of a page that a picture leaves to its caption
MAX_TITLE = 255  # letters of a document's title, by its format
_SIZES = {"Normal": 10, "Title": 18, "Subtitle": 10, "Heading 1": 14, "Caption": 9, "Quote": 10}  # points


def write_docx(memo: Memo, pictures: Mapping[str, bytes], templates: Path | None = None) -> bytes:
    """Return a memo as the bytes of a DOCX file.

    Parameters
    ----------
    memo : Memo
        From `sim.report.memo.content.compose_memo`.
    pictures : mapping of str to bytes
        The figures as PNG, by file name; one that is not there is left out.
    templates : Path, optional
        A document, or a folder whose `memo.docx` it is, that has the styles, margins and heads to use.
    """
    import docx

    base = templates / "memo.docx" if templates and templates.is_dir() else templates
    base = base if base and os.path.lexists(base) else None
    document = docx.Document(io.BytesIO(read_package(base)) if base else None)
    if base is None:
        _set_styles(document)
        _number_pages(document)
    add_styles(document)
    _set_properties(document, memo)
    _classify(document, memo)
    _set_head(document, memo, None if base else ACCENT)
    counts, (width, height) = {"Table": 0, "Figure": 0}, measure_page(document)
    tallest = min(TALLEST, height - CAPTION)
    for number, section in enumerate(memo.sections):
        if section.title:
            heading = document.add_heading(clean(section.title), 1)
            heading.paragraph_format.page_break_before = base is None and number == 1 and not memo.sections[0].title
        rest = 0.0 if section.title else measure_rest(memo, section, {**_SIZES, "Table": SMALL}, width)
        most = tallest if section.title else min(max(height - rest - SPARE, LOWEST), 0.4 * height)
        for block, after in zip(section.blocks, (*section.blocks[1:], None), strict=False):
            _add(document, block, after, pictures, counts, most)
            if not section.title and isinstance(block, Text) and block.kind == "text":
                _refer(document.paragraphs[-1], section, pictures)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _set_properties(document: Document, memo: Memo) -> None:
    """Say what the document is, of whom, and that it was made today; a template's own past is not its."""
    properties, now = document.core_properties, dt.datetime.now(dt.UTC).replace(tzinfo=None)
    properties.title = clean(memo.title)[:MAX_TITLE]
    properties.subject = clean(memo.subject)[:MAX_TITLE]
    properties.author = clean(memo.author)[:MAX_TITLE] or "truetoll"
    properties.comments = ""
    properties.created = properties.modified = now
    properties.revision = 1


def _set_styles(document: Document) -> None:
    from docx.shared import Mm, Pt, RGBColor

    styles: Any = document.styles
    for name, size in _SIZES.items():
        style = styles[name]
        style.element.get_or_add_rPr().get_or_add_rFonts().attrib.clear()
        style.font.name, style.font.size = "Calibri", Pt(size)
        style.font.color.rgb = RGBColor(*(SOFT if name in ("Subtitle", "Caption", "Quote") else INK))
        style.paragraph_format.space_after = Pt(4)
        for spacing in style.element.rPr.findall(make_element("w:spacing").tag):
            style.element.rPr.remove(spacing)
    styles["Title"].font.bold = styles["Heading 1"].font.bold = True
    styles["Caption"].font.bold = styles["Quote"].font.italic = styles["Subtitle"].font.italic = False
    styles["Heading 1"].paragraph_format.space_before = Pt(16)
    styles["Normal"].paragraph_format.line_spacing = LEADING
    border = styles["Title"].element.get_or_add_pPr().find(make_element("w:pBdr").tag)
    if border is not None:  # python-docx's own template rules off the title
        border.getparent().remove(border)
    for section in document.sections:
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(21)
        section.top_margin = section.bottom_margin = Mm(19)


def _classify(document: Document, memo: Memo) -> None:
    """Put the classification at the head of every page, above what a template has there."""
    for index, section in enumerate(document.sections if memo.classification else ()):
        heads = [section.header]
        heads += [section.first_page_header] if section.different_first_page_header_footer else []
        heads += [section.even_page_header] if document.settings.odd_and_even_pages_header_footer else []
        for number, head in enumerate(heads):
            if head.is_linked_to_previous and (number or index):
                continue
            first = head.paragraphs[0] if head.paragraphs else head.add_paragraph()
            paragraph = first.insert_paragraph_before() if first.text or len(first._p) > 1 else first
            paragraph.add_run(clean(memo.classification).upper()).bold = True


def _number_pages(document: Document) -> None:
    foot: Any = document.sections[0].footer.paragraphs[0]
    foot.alignment = 2
    for number, name in enumerate(("PAGE", "NUMPAGES")):
        foot.add_run(" of " if number else "")
        _add_field(foot, name, "1")


def _set_head(document: Document, memo: Memo, accent: tuple[int, int, int] | None) -> None:
    from docx.shared import Pt, RGBColor

    if memo.subject:
        subject = document.add_paragraph()
        subject.paragraph_format.space_after = Pt(0)
        run = subject.add_run(clean(memo.subject))
        run.bold = True
        if accent:
            run.font.color.rgb = RGBColor(*accent)
    document.add_heading(tie_end(clean(memo.title)), 0)
    document.add_paragraph(clean(" · ".join(memo.byline)), style="Subtitle")


def _add(
    document: Document, block: Block, after: Block | None, pictures: Mapping[str, bytes], counts: dict[str, int],
    tallest: float,
) -> None:  # fmt: skip
    if isinstance(block, Points):
        styles: Any = document.styles
        bullet = "" if styles["List Bullet"].element.xpath(".//w:numPr") else "• "  # of a template that has no lists
        for item in block.items:
            document.add_paragraph(bullet + clean(item), style="List Bullet")
    elif isinstance(block, Table):
        _caption(document, "Table", block.caption, counts)
        set_table(document, block)
    elif isinstance(block, Picture):
        if block.file in pictures:
            _add_picture(document, block, pictures[block.file], tallest)
            _caption(document, "Figure", block.caption, counts)
    elif isinstance(block, Terms):
        for term, text in block.items:
            paragraph = document.add_paragraph()
            paragraph.add_run(f"{clean(term)}. ").bold = True
            paragraph.add_run(clean(text))
    else:
        paragraph = document.add_paragraph(clean(block.text), style="Normal" if block.kind == "text" else "Quote")
        paragraph.paragraph_format.keep_with_next = block.leads_in(after)


def _add_picture(document: Document, block: Picture, content: bytes, tallest: float) -> None:
    """Add a picture as wide as its share of the page, and no taller than the page; it stays with its caption."""
    from docx.shared import Inches

    document.add_picture(io.BytesIO(content), width=Inches(measure_page(document)[0] * block.share))
    shape = document.inline_shapes[-1]
    if shape.height > Inches(tallest):
        shape.width, shape.height = int(shape.width * Inches(tallest) / shape.height), Inches(tallest)
    shape._inline.docPr.set("descr", clean(block.caption))  # for those who cannot see it
    document.paragraphs[-1].paragraph_format.keep_with_next = True


def _refer(paragraph: Paragraph, section: Section, pictures: Mapping[str, bytes]) -> None:
    """Add where the reader of page one finds the figure and the table, by fields that follow their captions."""
    drawn = any(isinstance(block, Picture) and block.file in pictures for block in section.blocks)
    for number, name in enumerate((["Figure1"] if drawn else []) + ["Table1"]):
        paragraph.add_run(", " if number else " (")
        _add_field(paragraph, f"REF {name} \\h", f"{name[:-1]}\N{NO-BREAK SPACE}1")
    paragraph.add_run(")")


def _caption(document: Document, word: str, text: str, counts: dict[str, int]) -> None:
    """Add a caption whose number is a field, as Word's own captions have it, with a bookmark that is referred to."""
    counts[word] += 1
    paragraph = document.add_paragraph(style="Caption")
    paragraph.paragraph_format.keep_with_next = word == "Table"
    mark = str(1 + 2 * counts[word] + (word == "Table"))
    paragraph._p.append(make_element("w:bookmarkStart", id=mark, name=f"{word}{counts[word]}"))
    paragraph.add_run(f"{word}\N{NO-BREAK SPACE}")
    _add_field(paragraph, f"SEQ {word} \\* ARABIC", str(counts[word]))
    paragraph._p.append(make_element("w:bookmarkEnd", id=mark))
    paragraph.add_run(f". {clean(text)}")


def _add_field(paragraph: Paragraph, instruction: str, shown: str) -> None:
    field = make_element("w:fldSimple", instr=f" {instruction} ")
    run, number = make_element("w:r"), make_element("w:t")
    number.text = shown
    run.append(number)
    field.append(run)
    paragraph._p.append(field)
