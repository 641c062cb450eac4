"""Pages as a designer sees them: what belongs together stays together, nothing is lost, letters that can be read."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from contextlib import chdir
from dataclasses import replace

import docx
import pytest
from docx.oxml.ns import qn
from PIL import Image

from sim.report.memo import compose_memo, list_pictures, render_memo
from sim.report.memo.blocks import Link, Memo, Picture, Points, Section, Table, Text
from sim.report.memo.pages import set_page
from sim.report.memo.pictures import read_pictures
from sim.report.memo.spelling import spell_memo
from sim.report.memo.word import LOWEST, write_docx
from sim.report.plots.fonts import TRANSLITERATED

LONG = "Recalled in an article of April; only the month is told: as of its middle, published by its end. " * 4


def make_memo(*blocks):
    return Memo("The finding", "2025-04-30", True, (Section("", (Text("We say 4."),)), Section("Evidence", blocks)))


def read_pages(memo, tmp_path):
    """Return the text of each page of the PDF."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is missing: the pages of the PDF are not read")
    page = tmp_path / "memo.pdf"
    with chdir(tmp_path):  # as the process that sets it does, which takes longer to start than to set a page
        page.write_bytes(set_page(spell_memo(memo), "pdf", read_pictures(tmp_path, list_pictures(memo))))
    told = subprocess.run(["pdftotext", "-layout", page, "-"], capture_output=True, text=True, check=True).stdout
    return [" ".join(text.split()) for text in told.split("\f")]


@pytest.mark.parametrize("filler", range(30, 42, 2))
def test_a_lead_in_is_on_the_page_of_what_it_leads_in(tmp_path, filler):
    """Wherever the page ends: lines before it push it over the edge."""
    lines = [Text(f"Line {number}.") for number in range(filler)]
    pages = read_pages(make_memo(*lines, Text("It can be read in two ways:"), Points(("First way.",))), tmp_path)
    (page,) = [page for page in pages if "in two ways:" in page]
    assert "First way." in page


@pytest.mark.parametrize("filler", range(2, 42, 8))
def test_a_figure_leaves_no_page_half_empty(tmp_path, kursk_folder, filler):
    """It stands after its heading where it fits; where not, the text after it fills the page before it."""
    (tmp_path / "figures").mkdir()
    shutil.copy(kursk_folder / "figures/biases.png", tmp_path / "figures")
    lines = [Text(f"Line {number}.") for number in range(filler)]
    after = [Text(f"After {number}.") for number in range(60)]
    pages = read_pages(make_memo(*lines, Picture("biases.png", "Biases"), *after), tmp_path)
    place = next(number for number, page in enumerate(pages) if "Figure 1" in page)
    assert f"Line {filler - 1}." in pages[place] or "After 0." in pages[place - 1]
    if "Evidence" in pages[place]:
        assert "Figure 1" not in pages[place].partition("Evidence")[0]


def test_long_texts_stand_under_their_row_on_paper(tmp_path):
    rows = tuple((f"Source {number}", "600", LONG, Link("The paper", "https://x.org")) for number in range(40))
    table = Table("Claims", ("Source", "Said", "Wording", "Read in"), rows, "lrll", under=2)
    pages = read_pages(make_memo(table), tmp_path)
    for number in range(40):  # a row and what stands under it are not parted
        (page,) = [page for page in pages if f"Source {number} " in page]
        told = page.partition(f"Source {number} ")[2].partition("Source")[0]
        assert told.count("Recalled in an article") == 4
    assert all("Source Said" in page for page in pages if "Source 3" in page)  # the head comes again
    assert "| Source | Said | Wording | Read in |" in render_memo(make_memo(table))


def test_a_caption_is_on_the_page_of_its_table(tmp_path):
    for filler in range(34, 46, 2):
        lines = [Text(f"Line {number}.") for number in range(filler)]
        rows = tuple((f"Source {number}", "600", LONG) for number in range(12))
        table = Table("Claims that count", ("Source", "Said", "Wording"), rows, "lrl", under=1)
        (page,) = [page for page in read_pages(make_memo(*lines, table), tmp_path) if "Claims that count" in page]
        assert "Source 0 " in page


def read_docx(*blocks):
    return docx.Document(io.BytesIO(write_docx(make_memo(*blocks), {})))


def list_kept(table):
    return [
        any(paragraph.paragraph_format.keep_with_next for paragraph in row.cells[0].paragraphs) for row in table.rows
    ]


def test_a_long_table_of_a_document_keeps_its_head_alone():
    """LibreOffice loses the rest of a table of which more rows keep together at the foot of a page."""
    long = Table("", ("Variant", "Median"), tuple((f"Variant {number}", "630") for number in range(70)), "lr")
    short = replace(long, rows=long.rows[:6])
    assert list_kept(read_docx(long).tables[0]) == [True] + [False] * 70
    assert list_kept(read_docx(short).tables[0]) == [True] * 6 + [False]


def test_a_document_sets_long_texts_under_their_row():
    rows = (("Source 1", "600", LONG, ""), ("Source 2", "700", "", ""))
    (table,) = read_docx(Table("", ("Source", "Said", "Wording", "Read in"), rows, "lrll", under=2)).tables
    assert [row.cells[0].text[:8] for row in table.rows] == ["Source", "Source 1", "Recalled", "Source 2"]
    assert len(table.rows[2]._tr.findall(qn("w:tc"))) == 1  # over the whole width
    assert list_kept(table) == [True, True, False, False]


def test_a_lead_in_of_a_document_keeps_with_what_it_leads_in():
    paragraphs = {each.text: each for each in read_docx(Text("Two ways:"), Points(("One.",)), Text("End.")).paragraphs}
    assert paragraphs["Two ways:"].paragraph_format.keep_with_next
    assert not paragraphs["End."].paragraph_format.keep_with_next


def test_letters_that_no_font_has_are_spelt_and_said(monkeypatch):
    find, korean = "sim.report.plots.fonts.find_missing", "국가정보원"
    memo = make_memo(Table("", ("Source", "Said"), ((korean, "600"), ("Министерство", "700")), "lr"))
    monkeypatch.setattr(find, lambda texts: ([], set(korean).intersection(*texts)))
    spelt = spell_memo(memo)
    cells = [row[0] for row in spelt.sections[1].blocks[0].rows]
    assert re.fullmatch(r"[A-Z][a-z]+", cells[0])
    assert cells[1] == "Министерство"
    assert spelt.sections[0].blocks[-1] == Text(TRANSLITERATED, "note")
    monkeypatch.setattr(find, lambda _: (["Noto Sans KR"], set()))
    assert spell_memo(memo) == memo


def test_a_title_does_not_end_in_one_word():
    title = "They lost 300 to 1,300 dead"
    content = write_docx(replace(make_memo(), title=title), {})
    whole = "They lost 300 to 1,300 dead".replace(" ", "\N{NO-BREAK SPACE}").replace("\N{NO-BREAK SPACE}", " ", 2)
    assert docx.Document(io.BytesIO(content)).paragraphs[0].text == whole  # its range stands on one line, too
    assert whole in render_memo(replace(make_memo(), title=title), "typ")


def test_the_memo_does_not_repeat_itself(kursk_run):
    """No sentence stands twice; what every memo must say of shared biases stands under what is not known."""
    memo = compose_memo(kursk_run.result)
    sentences = [
        sentence
        for section in memo.sections
        for block in section.blocks
        for text in ([block.text] if isinstance(block, Text) else block.items if isinstance(block, Points) else [])
        for sentence in re.split(r"(?<=[.:])\s", text)
    ]
    assert len(sentences) == len(set(sentences))
    limits = next(section for section in memo.sections if section.title == "What is not known")
    assert limits.blocks[0].items[0].startswith("Not identified")


def draw_wide():
    content = io.BytesIO()
    Image.new("RGB", (600, 300), "white").save(content, "PNG")
    return {"wide.png": content.getvalue()}


def test_a_documents_first_picture_leaves_page_one_room_for_its_text():
    """As high as may be where little stands beside it, and lower the more does; never so low that nothing is seen."""
    heights = []
    for lines in (0, 6, 17, 40):
        first = (Picture("wide.png", "How likely"), *(Text("Why it is so, in a line. " * 4) for _ in range(lines)))
        memo = Memo("The finding", "2025-04-30", True, (Section("", first), Section("Evidence", (Text("So it is."),))))
        (picture,) = docx.Document(io.BytesIO(write_docx(memo, draw_wide()))).inline_shapes
        heights.append(picture.height.inches)
    assert heights[0] == heights[1] > heights[2] > heights[3] == pytest.approx(LOWEST)


@pytest.mark.parametrize("filler", [6, 12, 15])
def test_page_one_of_a_document_is_one_page(tmp_path, filler):
    """As LibreOffice sets it, in whatever face stands for Calibri."""
    office = shutil.which("libreoffice") or shutil.which("soffice")
    if office is None or not shutil.which("pdftotext"):
        pytest.skip("LibreOffice or pdftotext is missing: the pages of the document are not read")
    rows = tuple((f"count {number}", "1,200", "800 to 1,600", "500 to 2,300") for number in range(7))
    table = Table("Estimates", ("Count", "Median", "50% interval", "90% interval"), rows, "lrrr")
    why = (
        Text(f"Why {number}: it is so, and that is told in a line or a little more than one.")
        for number in range(filler)
    )
    first = (Text("We say 4."), Picture("wide.png", "How likely"), table, *why)
    memo = Memo("The finding", "2025-04-30", True, (Section("", first), Section("Evidence", (Text("So it is."),))))
    (tmp_path / "memo.docx").write_bytes(write_docx(memo, draw_wide()))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    order = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, tmp_path / "memo.docx"]
    subprocess.run(order, capture_output=True, check=True, timeout=300)
    told = subprocess.run(["pdftotext", tmp_path / "memo.pdf", "-"], capture_output=True, text=True, check=True).stdout
    pages = told.split("\f")
    assert f"Why {filler - 1}" in pages[0]
    assert "Evidence" in pages[1]


def test_the_parts_of_a_tables_properties_stand_in_the_order_of_the_format():
    (table,) = read_docx(Table("", ("Count",), (("killed",),), "l")).tables
    names = [element.tag.rpartition("}")[2] for element in table._tbl.tblPr]
    order = ["tblStyle", "tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblLook"]
    assert names == [name for name in order if name in names]
    assert {"tblInd", "tblBorders"} <= set(names)


@pytest.mark.parametrize("filler", [22, 26, 28])
def test_page_one_is_one_page(tmp_path, kursk_folder, filler):
    """Its figure is as high as leaves room for the text after it."""
    (tmp_path / "figures").mkdir()
    shutil.copy(kursk_folder / "figures/page-one.png", tmp_path / "figures")
    first = (Text("We say 4."), Picture("page-one.png", "How likely"), *(Text(f"Why {n}.") for n in range(filler)))
    memo = Memo("The finding", "2025-04-30", True, (Section("", first), Section("Evidence", (Text("So it is."),))))
    pages = read_pages(memo, tmp_path)
    assert f"Why {filler - 1}." in pages[0]
    assert "Evidence" in pages[1]
