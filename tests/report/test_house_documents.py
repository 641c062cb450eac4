"""DOCX templates as institutions have them: pages of any size, letterheads, styles that were never used, .dotx."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import docx
import pytest
from docx.shared import Mm
from PIL import Image
from program import call

from sim.report.memo.blocks import Memo, Picture, Points, Section, Table, Text
from sim.report.memo.word import write_docx

TALL = Picture("tall.png", "A figure")
TABLE = Table("Rows", ("Source", "Role", "Bias"), (("a", "independent", "1.1"),), "llr")


def make_memo(*blocks):
    sections = (Section("", (Text("We say 4."),)), Section("Evidence", blocks))
    return Memo("The finding", "2025-04-30", True, sections, subject="A war", classification="Restricted")


def draw_tall():
    content = io.BytesIO()
    Image.new("RGB", (100, 400), "white").save(content, "PNG")
    return {"tall.png": content.getvalue()}


def make_template(change, path):
    document = docx.Document()
    change(document)
    document.save(path)
    return path


def read_back(memo, path):
    return docx.Document(io.BytesIO(write_docx(memo, draw_tall(), path)))


@pytest.mark.parametrize("size", [(297, 210), (148, 210), (216, 279)])
def test_a_picture_leaves_its_caption_room_on_a_page_of_any_size(tmp_path, size):
    def turn(document):
        section = document.sections[0]
        section.page_width, section.page_height = map(Mm, size)

    document = read_back(make_memo(TALL), make_template(turn, tmp_path / "house.docx"))
    section, (picture,) = document.sections[0], document.inline_shapes
    room = section.page_height - section.top_margin - section.bottom_margin
    assert picture.height < room - Mm(20)
    assert picture.height > room / 2


def test_the_last_section_is_the_one_that_is_measured(tmp_path):
    """A cover of one size, and a body of another in which the memo stands."""

    def add_body(document):
        body = document.add_section()
        body.page_width, body.page_height = Mm(148), Mm(210)
        body.left_margin = body.right_margin = Mm(20)

    document = read_back(make_memo(TABLE), make_template(add_body, tmp_path / "house.docx"))
    assert sum(column.width for column in document.tables[0].columns) == pytest.approx(Mm(108), rel=0.01)


def test_the_classification_stands_above_every_letterhead(tmp_path):
    def add_heads(document):
        section = document.sections[0]
        section.different_first_page_header_footer = True
        section.header.paragraphs[0].text = "Institute"
        section.first_page_header.paragraphs[0].text = "Institute, its address"

    path = make_template(add_heads, tmp_path / "house.docx")
    section = read_back(make_memo(), path).sections[0]
    for head, letters in ((section.header, "Institute"), (section.first_page_header, "Institute, its address")):
        assert [each.text for each in head.paragraphs] == ["RESTRICTED", letters]
    bare = read_back(replace(make_memo(), classification=""), path).sections[0]
    assert [each.text for each in bare.header.paragraphs] == ["Institute"]
    plain = docx.Document(io.BytesIO(write_docx(make_memo(), {}))).sections[0]
    assert plain.header.paragraphs[0].text == "RESTRICTED"


def test_styles_that_a_template_never_used_are_added_in_its_font(tmp_path):
    """Word keeps in a file only the styles that were used in it."""
    never_used = ("Subtitle", "Caption", "Quote", "List Bullet")

    def drop(document):
        document.styles["Normal"].font.name = "Georgia"
        for name in never_used:
            element = document.styles[name].element
            element.getparent().remove(element)

    memo = make_memo(Text("A note.", "note"), Points(("One.",)), TABLE)
    document = read_back(memo, make_template(drop, tmp_path / "house.docx"))
    assert {"Caption", "Quote", "List Bullet", "Subtitle"} <= {each.style.name for each in document.paragraphs}
    assert "• One." in [each.text for each in document.paragraphs]
    for name in never_used:
        style = document.styles[name]
        assert (style.font.name, style.base_style.name) == (None, "Normal")


def test_a_template_of_words_own_kind_is_a_document(kursk_folder, tmp_path):
    plain = make_template(lambda document: document.add_paragraph("House cover"), tmp_path / "plain.docx")
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(tmp_path / "house.dotx", "w") as made:
        for name in source.namelist():
            content = source.read(name)
            made.writestr(name, content.replace(b"wordprocessingml.document.main", b"wordprocessingml.template.main"))
    with pytest.raises(ValueError, match="not a Word file"):
        docx.Document(tmp_path / "house.dotx")
    done = call("memo", kursk_folder, "--template", tmp_path / "house.dotx", "--out", tmp_path / "memo.docx")
    assert done.returncode == 0, done.stderr
    assert docx.Document(tmp_path / "memo.docx").paragraphs[0].text == "House cover"


def test_what_leads_in_to_a_table_stays_with_it():
    after = Table("", ("Count",), (("killed",),), "l")
    assert Text("Expected: what the source was expected to say.").leads_in(after)
    assert not Text("A long text. " * 40).leads_in(after)
    assert not Text("An end.").leads_in(Text("More."))
    document = docx.Document(io.BytesIO(write_docx(make_memo(Text("Off by:  how far."), TABLE), {})))
    (lead,) = (each for each in document.paragraphs if each.text.startswith("Off by"))
    assert lead.paragraph_format.keep_with_next
