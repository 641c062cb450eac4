"""Reading an article: plain text, a web page, the text layer of a PDF, or standard input."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from sim.draft.grammar.language import USUAL, Language, find_language, list_languages
from sim.draft.grammar.sentences import join_lines
from sim.draft.grammar.tokens import count_tokens
from sim.draft.heads import find_published
from sim.draft.pages import MAX_ARTICLE, PAGE, PDF, decode_article
from sim.errors import quote_value, refuse
from sim.system.confinement import run_confined
from sim.system.reading import FORBIDDEN, read_bytes

MAX_PDF = 50_000_000
MAX_WORDS = 100_000  # with marks of punctuation; each takes up to a tenth of a millisecond
STDIN = "-"
# Possessive, as all that repeats here: or comments without end are divided among each other in all ways.
_HTML = re.compile(
    rb"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body|article|div|p|h1|meta|\?xml)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Article:
    """An article.

    Attributes
    ----------
    file : str
        The name of its file; `-` of standard input.
    text : str
        A line is a paragraph.
    title, outlet, url : str
        Where they are told.
    published : date or None
        As the page, or a line of its head or foot, says.
    language : str
        By whose table it is read.
    """

    file: str
    text: str
    title: str = ""
    outlet: str = ""
    url: str = ""
    published: dt.date | None = None
    language: str = USUAL

    @property
    def report(self) -> str:
        """What stands in the column `report`."""
        return ", ".join(part for part in (self.outlet, self.title) if part) or self.file


def read_article(path: Path, language: Language | None = None) -> Article:
    """Read an article, `-` from standard input, or refuse it in one line.

    Parameters
    ----------
    path : Path
    language : Language, optional
        Else it is recognised by its words.

    Raises
    ------
    InputError
        Where it cannot be read, has no text, or is larger than an article may be.
    """
    name = path.name if str(path) != STDIN else "standard input"
    raw = _read_stdin() if str(path) == STDIN else read_bytes(path, MAX_PDF)
    if raw[:1024].lstrip().startswith(b"%PDF-"):
        article = _read_confined(PDF, raw, name)
    else:
        if len(raw) > MAX_ARTICLE:
            raise refuse(name, "", f"is larger than {MAX_ARTICLE // 1_000_000} MB", "give one article at a time")
        if raw[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
            raise refuse(name, "", "is an office document, not text", "save it as text, HTML or PDF")
        is_page = _HTML.match(raw[:4096])
        article = _read_confined(PAGE, raw, name) if is_page else Article(name, join_lines(decode_article(raw, name)))
    article = replace(article, text=FORBIDDEN.sub(" ", article.text), title=article.title or _find_title(article.text))
    if not article.text.strip():
        raise refuse(name, "", "has no text", "give the text of the article; of a scan, read by a program for that")
    if count_tokens(article.text, MAX_WORDS) > MAX_WORDS:
        problem = f"has more than {MAX_WORDS:,} words and marks"
        raise refuse(name, "", problem, "give one article at a time, or of a book the pages that count")
    language = language or find_language(article.text)
    if language is None:
        known = [each.capitalize() for each in list_languages()]
        raise refuse(name, "", f"is by its words neither {' nor '.join(known)}", "give --language, where it is")
    published = article.published or find_published(article.text, language)
    return replace(article, published=published, language=language.name)


def _read_stdin() -> bytes:
    raw = sys.stdin.buffer.read(MAX_PDF + 1)
    if len(raw) > MAX_PDF:
        raise refuse("standard input", "", f"is larger than {MAX_PDF // 1_000_000} MB", "give one article at a time")
    return raw


def _read_confined(kind: bytes, raw: bytes, name: str) -> Article:
    """Return the article of a page or a PDF, whose parsers, large as they are, work in a confined process."""
    remedy = "save it as text"
    made = json.loads(run_confined("sim.draft.pages", kind + raw, Path(__file__).parent, name, remedy))
    if "problem" in made:
        raise refuse(name, "", made["problem"], made["remedy"])
    day = made.pop("published")
    return Article(name, **made, published=dt.date.fromisoformat(day) if day else None)


def _find_title(text: str) -> str:
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return first if len(first) <= 150 and not first.endswith(".") else ""


def describe_article(article: Article) -> str:
    """Return what was read, in one line."""
    day = f"published {article.published}" if article.published else "undated"
    spoken = "" if article.language == USUAL else f", read as {article.language.capitalize()}"
    return f"{quote_value(article.file)}: {day}, {len(article.text.split())} words{spoken}"
