"""A DOCX template from a stranger: what it may hold, and each kind of thing that it may not."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from strangers import accept, refuse

from sim.errors import InputError
from sim.report.memo.word_package import read_package


@pytest.fixture
def run(kursk_folder, tmp_path):
    """Return a copy of the folder of a finished run."""
    return Path(shutil.copytree(kursk_folder, tmp_path / "run"))


def _write_docx(path, edit=lambda text: text, more=(), drop=None):
    """Write a plain DOCX template, of whose parts some are changed, one is left out, and to which some are added."""
    import docx

    docx.Document().save(path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for part in whole.infolist():
            if part.filename == drop:
                continue
            made.writestr(part.filename, edit(whole.read(part)))
        for name, text in more:
            made.writestr(name, text)


RELATION = (
    b'<Relationship Id="rX" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%b" '
    b'Target="https://x.org/x" TargetMode="External"/></Relationships>'
)
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (98 + n, *[97 + n] * 8) for n in range(20)
)
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
FIELD = b"<f><instrText> INCL</instrText><instrText>&#85;DEPICTURE</instrText></f>"


def _make_field(*parts):
    """Return a part of a document with a field: of texts, and of marks by their first letter."""
    marks = {"b": "begin", "s": "separate", "e": "end"}
    told = (
        f'<w:fldChar w:fldCharType="{marks[part]}"/>' if part in marks else f"<w:instrText>{part}</w:instrText>"
        for part in parts
    )
    return f"<w:p {WORD}><w:r>{'</w:r><w:r>'.join(told)}</w:r></w:p>".encode()


def _relate(kind, mode=""):
    """Return a change of a document's relations: one more, of a kind."""
    more = f'<Relationship Id="rY" Type="http://x.org/relationships/{kind}" Target="x.xml"{mode}/></Relationships>'
    own = b"relationships/styles"  # those of the document itself
    return {"edit": lambda text: text.replace(b"</Relationships>", more.encode()) if own in text else text}


def _link(element):
    """Return a change of a document: an element of its text names a relation of a link that leads elsewhere."""
    space = b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:q="x"'

    def edit(text):
        if b"relationships/styles" in text:
            return text.replace(b"</Relationships>", RELATION % b"hyperlink")
        return text.replace(b"<w:sectPr", b"<%b %b/><w:sectPr" % (element, space), 1)

    return {"edit": edit}


PACKAGES = {
    "a picture by a link": _link(b'q:blip r:link="rX"'),
    "a picture that is a link": _link(b'q:blip r:embed="rX"'),
    "a template by a link": _link(b'q:attachedTemplate r:id="rX"'),
    "a template elsewhere": {"edit": lambda text: text.replace(b"</Relationships>", RELATION % b"attachedTemplate")},
    "a picture elsewhere": {"edit": lambda text: text.replace(b"</Relationships>", RELATION % b"image")},
    "a program": {"more": [("word/vbaProject.bin", b"x")]},
    "an object": {"more": [("word/more.xml", b'<w:object xmlns:w="x"/>')]},
    "a field that asks": {"more": [("word/more.xml", FIELD)]},
    "another encoding": {"more": [("word/more.xml", "<!DOCTYPE x>".encode("utf-16"))]},
    "entities": {"more": [("word/more.xml", ENTITIES + b"]><x>&t;</x>")]},
    "a bomb": {"more": [("word/media/x.png", bytes(200_000_000))]},
    "a field that another names": {"more": [("word/more.xml", _make_field("b", "b", "QUOTE 73", "e", "DE x", "e"))]},
    "a field within another": {"more": [("word/more.xml", _make_field("b", "IF 1=1 ", "b", "DDEAUTO x", "e", "e"))]},
    "a field in pieces": {"more": [("word/more.xml", _make_field("b", " INCL", "UDE", "TEXT x", "s", "e"))]},
    "a field that was deleted": {
        "more": [("word/more.xml", _make_field("b", "RD x", "e").replace(b"instr", b"delInstr"))]
    },
    "a field that asks the printer": {
        "more": [("word/more.xml", f'<w:p {WORD}><w:x w:instr="PRINT x"/></w:p>'.encode())]
    },
    "a source of data": {"more": [("word/more.xml", f"<w:x {WORD}><w:mailMerge/></w:x>".encode())]},
    "a page in a picture": {"more": [("word/more.xml", b'<x><webVideoPr embeddedHtml="&lt;iframe&gt;"/></x>')]},
    "an extension of Word": _relate("webextensiontaskpanes"),
    "a program by another name": _relate("vbaProject"),
    "a piece of another document": _relate("aFChunk"),
    "a template in its own folder": _relate("attachedTemplate"),
    "another mode": _relate("settings", ' TargetMode="external"'),
    "an old drawing": {"more": [("word/more.xml", b'<v xmlns:v="v"><v:imagedata v:src="https://x.org/x"/></v>')]},
    "an encoding that hides": {"more": [("word/more.xml", b'<?xml version="1.0" encoding="utf-7"?>+ADw-x/+AD4-')]},
    "brackets without end": {"more": [("word/more.xml", b"<a>" * 1_000_000)]},
    "millions of elements": {"more": [("word/more.xml", b"<x>" + b"<a/>" * 3_000_000 + b"</x>")]},
    "no document": {"drop": "word/document.xml"},
    "no types": {"drop": "[Content_Types].xml"},
    "no relations": {"drop": "_rels/.rels"},
    "many parts": {"more": [(f"word/{n}.xml", b"<x/>") for n in range(1_000)]},
}


def test_a_docx_template_may_have_fields_and_relations_as_word_writes_them(run, tmp_path):
    """A page's number in pieces, a date, a contents list with links, comments, and data of one's own."""
    contents = ("b", ' TOC \\o "1-3" ', "s", "b", " PAGEREF _Toc1 \\h ", "s", "e", "e")
    pieces = [
        ("b", " PA", "GE ", "s", "e"),
        ("b", ' DATE \\@ "d MMMM" ', "e"),
        ("b", "=2+", "b", "SEQ x", "e", "e"),
        contents,
    ]
    more = [(f"word/more{number}.xml", _make_field(*piece)) for number, piece in enumerate(pieces)]
    _write_docx(tmp_path / "house.docx", **_relate("people"), more=[*more, ("word/x.xml", b"<x/>")])
    accept("memo", run, "--format", "docx", "--template", tmp_path / "house.docx")
    _write_docx(tmp_path / "house.docx", **_link(b'w:hyperlink r:id="rX"'))
    accept("memo", run, "--format", "docx", "--template", tmp_path / "house.docx")


# Those of which it is the library that finds the fault, or the limits of the process that might have to.
FOUND_LATER = (
    "no document",
    "an encoding that hides",
    "no types",
    "no relations",
    "brackets without end",
    "millions of elements",
    "a bomb",
)


def test_a_plain_docx_template_is_taken(run, tmp_path):
    """All the others differ from it in one thing."""
    (tmp_path / "house").mkdir()
    _write_docx(tmp_path / "house" / "memo.docx")
    accept("memo", run, "--format", "docx", "--template", tmp_path / "house")
    read_package(tmp_path / "house" / "memo.docx")


@pytest.mark.parametrize("name", [*FOUND_LATER, "a program", "a picture by a link"])
def test_a_memo_of_a_docx_template_that_brings_more_is_refused(name, run, tmp_path):
    (tmp_path / "house").mkdir()
    _write_docx(tmp_path / "house" / "memo.docx", **PACKAGES[name])
    refuse("memo.docx", "memo", run, "--format", "docx", "--template", tmp_path / "house")


@pytest.mark.parametrize("name", [name for name in PACKAGES if name not in FOUND_LATER])
def test_a_docx_template_brings_text_and_styles_alone(name, tmp_path):
    """It is refused by what every template is read by, before anything is made of it."""
    _write_docx(tmp_path / "memo.docx", **PACKAGES[name])
    with pytest.raises(InputError, match=r"memo\.docx") as caught:
        read_package(tmp_path / "memo.docx")
    assert len(str(caught.value).splitlines()) == 1
