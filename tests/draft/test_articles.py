"""Text, pages and PDFs are read as articles; what is none of them is refused in one line."""

from __future__ import annotations

import datetime as dt
import io
import re
import resource
import zlib

import pytest
import sheets
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from sim.draft.articles import read_article
from sim.draft.drafting import draft_rows
from sim.draft.grammar.language import read_language
from sim.errors import InputError

ENGLISH = read_language()
PAGE = """<!DOCTYPE html><html><head><title>Losses | Invented Post</title>
<meta property="og:title" content="Losses on the river line"><meta property="og:site_name" content="Invented Post">
<meta property="article:published_time" content="2031-03-12T08:00:00Z"><link rel="canonical" href="https://example.org/a">
</head><body><nav><ul><li><a href="/x">900 killed in another war</a></li></ul></nav><article>
<h1>Losses on the river line</h1>
<p>The defence ministry said on Wednesday that <b>1,250</b> soldiers had been killed since the war began, and that the
fighting on the river line had not stopped for weeks, whatever the other side might claim of it.</p>
<p>Western officials, who asked not to be named, put the figure at between 2,000 and 2,500, and said that many more had
been wounded in the same weeks on the same few miles of the front.</p></article><footer>© 2031</footer></body></html>"""


def make_pdf(*lines, password=None, owner=None):
    """Return a PDF whose pages have a line of text each; with an owner, one that may be read and not changed."""
    writer = PdfWriter()
    for line in lines:
        page = writer.add_blank_page(612, 792)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 72 700 Td ({line}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password or owner:
        writer.encrypt(password or "", owner, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def say_aes(raw):
    """Return a locked PDF that says that it is encrypted by AES, as nearly all are."""
    filters = b"/V 4 /CF << /StdCF << /CFM /AESV2 /Length 16 >> >> /StmF /StdCF /StrF /StdCF"
    assert b"/V 2" in raw
    return raw.replace(b"/V 2", filters)


def read_bytes(folder, raw, name="article"):
    file = folder / name
    file.write_bytes(raw)
    return read_article(file, ENGLISH)


def test_a_page_is_read_without_what_stands_around_it(tmp_path):
    article = read_bytes(tmp_path, PAGE.encode())
    assert (article.published, article.outlet) == (dt.date(2031, 3, 12), "Invented Post")
    assert (article.title, article.url) == ("Losses on the river line", "https://example.org/a")
    assert "900" not in article.text
    assert [draft.cells.get("value") for draft in draft_rows(article, ENGLISH)] == [1250, None]


def test_the_text_of_a_pdf_is_read(tmp_path):
    article = read_bytes(tmp_path, make_pdf("12 March 2031", "The army said that 14 soldiers were killed."))
    assert article.published == dt.date(2031, 3, 12)
    assert [draft.cells["value"] for draft in draft_rows(article, ENGLISH)] == [14]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_of_any_usual_encoding_is_read(encoding, tmp_path):
    text = "The army’s spokesman said: “At least 14 soldiers were killed.”"
    article = read_bytes(tmp_path, text.encode(encoding))
    assert article.text == text


def test_wrapped_lines_are_one_sentence(tmp_path):
    text = "The defence ministry of the republic said on Wednesday that more than\n1,250 soldiers had been killed.\n"
    (draft,) = draft_rows(read_bytes(tmp_path, text.encode()), ENGLISH)
    assert draft.cells["qualifier"] == "at_least"


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Published: 6 February 2025", (2025, 2, 6)),
        ("February 6, 2025", (2025, 2, 6)),
        ("KYIV, Feb 6, 2025 (Wire) - Shelling went on.", (2025, 2, 6)),
        ("Date: 2025-02-06", (2025, 2, 6)),
        (
            "A photograph released on January 11, 2025 shows a man who was detained in the region of Kursk by an army.",
            None,
        ),
    ],
)
def test_the_day_of_an_article_is_that_of_its_head(line, day, tmp_path):
    article = read_bytes(tmp_path, f"Losses grow\n\n{line}\n\nThe army lost 14 soldiers.".encode())
    assert article.published == (dt.date(*day) if day else None)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "has no text"),
        (b"\0\1\2" * 100, "is not text"),
        (b"PK\x03\x04" + b"x" * 100, "is an office document"),
        (b"%PDF-1.4\nnothing", "is no PDF that can be read"),
        (make_pdf(""), "a scan"),
        (make_pdf("secret", password="x"), "locked by a password"),  # noqa: S106 - a made-up file
        (say_aes(make_pdf("read and not changed", owner="x")), "is encrypted; print it to a new PDF"),
        (b"<html><body>" + b"<div>" * 5_000 + b"14 killed", "nests deeper"),
        (b"x" * 6_000_000, "is larger than 5 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_article_is_refused_in_one_line(raw, problem, tmp_path):
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        read_bytes(tmp_path, raw)
    assert len(str(caught.value).splitlines()) == 1


def make_bomb():
    """Return a PDF of some kB whose text unpacks to gigabytes."""
    packed = zlib.compress(zlib.compress(b"BT (14 killed) Tj ET " * 20_000_000, 9), 9)
    stream = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(packed), packed)
    start = sheets.make_pdf("x")
    return re.sub(rb"<< /Length \d+ >>\nstream.*?endstream", lambda _: stream, start, flags=re.DOTALL)


def make_loop():
    """Return a PDF whose tree of pages leads back to itself."""
    return sheets.make_pdf("x").replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")


@pytest.mark.parametrize("make", [make_bomb, make_loop])
def test_a_pdf_that_explodes_is_told_in_one_line(make, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(InputError) as caught:
        read_bytes(tmp_path, make())
    assert len(str(caught.value).splitlines()) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before.ru_utime < 20


@pytest.mark.parametrize("text", ["<title>14 dead</title>", "<title>14 killed</title><body></body><body></body>"])
def test_a_page_that_readability_cannot_read_is_read_whole(text, tmp_path):
    assert "14" in read_bytes(tmp_path, f"<html><head>{text}</head></html>".encode()).text


@pytest.mark.parametrize(
    "raw",
    [
        b"<html><body>" + b"<p>14 soldiers were killed, the army said. " * 1_500,
        b"<html><body><p>" + b"14 soldiers were killed " * 1_900,
        b"14 soldiers were killed, the army said, and " * 1_900,
        b"<html><body><p>14 killed." + b"&lt;" * 50_000 + b"<a href=" * 10_000,
        b"14 killed " + b"." * 90_000,
        b"14 killed " + b"x" * 4_900_000,
        b"14 killed " + b"General said " * 40_000,
        b"14 killed (" + b"Aa of the " * 30_000,
    ],
    ids=lambda raw: raw[-8:].decode(),
)
def test_hostile_articles_are_read_within_the_limits(raw, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert 1 <= len(draft_rows(read_bytes(tmp_path, raw), ENGLISH)) <= 2_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 30


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"1," * 60_000, "has more than 100,000 words and marks"),
        (b"." * 4_900_000, "has more than 100,000 words and marks"),
        (b"<html><body><p>" + b"a " * 200_000, "has more than 100,000 words and marks"),
        (b"14 soldiers were killed. " * 2_100, "says more than 2,000 numbers, as a table does"),
    ],
    ids=["commas", "dots", "page", "rows"],
)
def test_what_is_more_than_an_article_is_refused_at_once(raw, problem, tmp_path):
    with pytest.raises(InputError, match=problem) as caught:
        draft_rows(read_bytes(tmp_path, raw), ENGLISH)
    assert len(str(caught.value).splitlines()) == 1
