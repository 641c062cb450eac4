"""Reading an article: plain text, a web page, the text layer of a PDF, or standard input."""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.draft.grammar.language import Language
from sim.draft.grammar.sentences import join_lines
from sim.draft.heads import find_published
from sim.errors import quote_value, refuse
from sim.system.reading import FORBIDDEN, read_bytes

MAX_ARTICLE = 5_000_000  # bytes: a book of two thousand pages
MAX_PDF = 50_000_000
MAX_PAGES = 500
MAX_DEPTH = 200  # elements of a page within each other
STDIN = "-"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|article|div|p|h1|meta|\?xml)\b",
    re.IGNORECASE | re.DOTALL,
)
_BLOCKS = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "div",
    "td",
    "th",
    "tr",
    "table",
    "section",
    "article",
    "blockquote",
    "pre",
    "br",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "header",
    "footer",
    "figcaption",
]


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
    """

    file: str
    text: str
    title: str = ""
    outlet: str = ""
    url: str = ""
    published: dt.date | None = None

    @property
    def report(self) -> str:
        """What stands in the column `report`."""
        return ", ".join(part for part in (self.outlet, self.title) if part) or self.file


def read_article(path: Path, language: Language) -> Article:
    """Read an article, `-` from standard input, or refuse it in one line.

    Raises
    ------
    InputError
        Where it cannot be read, has no text, or is larger than an article may be.
    """
    name = path.name if str(path) != STDIN else "standard input"
    raw = _read_stdin() if str(path) == STDIN else read_bytes(path, MAX_PDF)
    if raw[:1024].lstrip().startswith(b"%PDF-"):
        article = Article(name, join_lines(_read_pdf(raw, name)))
    else:
        if len(raw) > MAX_ARTICLE:
            raise refuse(name, "", f"is larger than {MAX_ARTICLE // 1_000_000} MB", "give one article at a time")
        if raw[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
            raise refuse(name, "", "is an office document, not text", "save it as text, HTML or PDF")
        article = _read_html(raw, name) if _HTML.match(raw[:4096]) else Article(name, join_lines(_decode(raw, name)))
    article = replace(article, text=FORBIDDEN.sub(" ", article.text), title=article.title or _find_title(article.text))
    if not article.text.strip():
        raise refuse(name, "", "has no text", "give the text of the article; of a scan, read by a program for that")
    return replace(article, published=article.published or find_published(article.text, language))


def _read_stdin() -> bytes:
    raw = sys.stdin.buffer.read(MAX_PDF + 1)
    if len(raw) > MAX_PDF:
        raise refuse("standard input", "", f"is larger than {MAX_PDF // 1_000_000} MB", "give one article at a time")
    return raw


def _decode(raw: bytes, name: str) -> str:
    """Return text: UTF-8, UTF-16 with its mark, else Windows-1252, in which every page of the West can be read."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw:
        raise refuse(name, "", "is not text", "give plain text, HTML or PDF")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _find_title(text: str) -> str:
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return first if len(first) <= 150 and not first.endswith(".") else ""


def _read_pdf(raw: bytes, name: str) -> str:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise refuse(name, "", "is locked by a password", "save it without")
        if len(reader.pages) > MAX_PAGES:
            raise refuse(name, "", f"has more than {MAX_PAGES} pages", "give one article at a time")
        text = ""
        for page in reader.pages:
            text += page.extract_text() + "\n"
            if len(text) > MAX_ARTICLE:
                raise refuse(name, "", f"holds more than {MAX_ARTICLE // 1_000_000} MB of text", "give one article")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise refuse(name, "", f"is no PDF that can be read ({type(error).__name__})", "save it as text") from None
    if not text.strip():
        raise refuse(
            name, "", "is a PDF without text: a scan", "have its text read by a program for that, and give the text"
        )
    return text


def _read_html(raw: bytes, name: str) -> Article:
    """Return the article of a page, without what stands around it: readability's text."""
    from lxml import etree, html
    from readability import Document
    from readability.readability import Unparseable

    head = raw[:4096].lower()
    text = _decode(raw, name) if b"charset=iso" not in head else raw.decode("cp1252", errors="replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", FORBIDDEN.sub(" ", text))
    if not _is_shallow(text):
        raise refuse(name, "", f"nests deeper than {MAX_DEPTH} elements", "save the page as text")
    try:
        page = html.document_fromstring(text)
        title, outlet, url, published = _read_head(page)
        body = html.fragment_fromstring(Document(text).summary(html_partial=True), create_parent="div")
        whole, short = _list_lines(page), _list_lines(body)
    except (etree.LxmlError, Unparseable, ValueError, RecursionError) as error:
        raise refuse(name, "", f"is no page that can be read ({type(error).__name__})", "save it as text") from None
    chosen = short if len(short) >= 0.3 * min(len(whole), 3_000) else whole
    if title and title not in chosen[: len(title) + 200]:
        chosen = f"{title}\n\n{chosen}"
    return Article(name, chosen, title, outlet, url, published)


def _is_shallow(text: str) -> bool:
    """Whether a page opens no more elements within each other than a parser bears."""
    depth = 0
    for found in re.finditer(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>", text):
        if found[2].lower() in ("br", "img", "meta", "link", "input", "hr", "p", "li", "td", "tr", "source", "wbr"):
            continue
        depth = max(0, depth - 1) if found[1] else depth + (not found[3])
        if depth > MAX_DEPTH:
            return False
    return True


def _read_head(page: Any) -> tuple[str, str, str, dt.date | None]:
    """Return title, outlet, address and day, as the head of a page tells them."""
    metas: dict[str, str] = {}
    for meta in page.iter("meta"):
        key = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        metas.setdefault(key, (meta.get("content") or "").strip())
    title = (
        metas.get("og:title")
        or next((each.text_content().strip() for each in page.iter("h1")), "")
        or next((each.text_content().strip() for each in page.iter("title")), "")
    )
    times = [each.get("datetime") or "" for each in page.iter("time")][:1]
    scripts = [each.text or "" for each in page.iter("script") if "ld+json" in (each.get("type") or "")][:5]
    told = [found[1] for each in scripts if (found := re.search(r'"datePublished"\s*:\s*"([^"]{10,40})"', each))]
    named = [
        metas.get(key, "")
        for key in ("article:published_time", "datepublished", "date", "dc.date", "pubdate", "publish-date")
    ]
    days = [day for each in (*named, *told, *times) if (found := _DAY.match(each)) and (day := _make_day(found[0]))]
    links = [each.get("href") or "" for each in page.iter("link") if each.get("rel") == "canonical"]
    url = next((each for each in (*links, metas.get("og:url", "")) if each.startswith(("http://", "https://"))), "")
    return " ".join(title.split())[:300], metas.get("og:site_name", "")[:100], url[:500], days[0] if days else None


def _make_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _list_lines(page: Any) -> str:
    """Return the text of a page, a line for each block."""
    from lxml import etree

    parts: list[str] = []
    for event, element in etree.iterwalk(page, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in _BLOCKS:
                parts.append("\n- " if tag == "li" else "\n")
            if tag not in ("script", "style", "noscript", "head", "") and element.text:
                parts.append(re.sub(r"\s+", " ", element.text))
        else:
            parts.append("\n" if tag in _BLOCKS else "")
            parts.append(re.sub(r"\s+", " ", element.tail or ""))
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def describe_article(article: Article) -> str:
    """Return what was read, in one line."""
    day = f"published {article.published}" if article.published else "undated"
    return f"{quote_value(article.file)}: {day}, {len(article.text.split())} words"
