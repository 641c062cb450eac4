"""The text of a web page, or of a PDF, read by large parsers in a confined process: `python -m sim.draft.pages`."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import re
from typing import Any

from sim.draft.grammar.sentences import join_lines
from sim.errors import InputError, refuse
from sim.system.confinement import serve
from sim.system.reading import FORBIDDEN

PAGE, PDF = b"h", b"p"  # the first byte of a request: what follows it
MAX_ARTICLE = 5_000_000  # bytes: a book of two thousand pages
MAX_PAGES = 500
MAX_DEPTH = 200  # elements of a page within each other
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BLOCKS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "div", "td", "th", "tr", "table", "section", "article", "blockquote",
    "pre", "br", "ul", "ol", "dl", "dt", "dd", "header", "footer", "figcaption",
}  # fmt: skip


def decode_article(raw: bytes, name: str) -> str:
    """Return text: UTF-8, UTF-16 with its mark, else Windows-1252, in which every page of the West can be read."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw:
        raise refuse(name, "", "is not text", "give plain text, HTML or PDF")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_pdf(raw: bytes) -> dict[str, Any]:
    """Return the text layer of a PDF."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise refuse("", "", "is locked by a password", "save it without")
        if len(reader.pages) > MAX_PAGES:
            raise refuse("", "", f"has more than {MAX_PAGES} pages", "give one article at a time")
        text = ""
        for page in reader.pages:
            text += page.extract_text() + "\n"
            if len(text) > MAX_ARTICLE:
                raise refuse("", "", f"holds more than {MAX_ARTICLE // 1_000_000} MB of text", "give one article")
    except InputError:
        raise
    except DependencyError:  # of AES, which is asked of another library
        raise refuse("", "", "is encrypted", "print it to a new PDF, or save it as text") from None
    except Exception as error:  # whatever a damaged file leads the parser to
        raise refuse("", "", f"is no PDF that can be read ({type(error).__name__})", "save it as text") from None
    if not text.strip():
        raise refuse(
            "", "", "is a PDF without text: a scan", "have its text read by a program for that, and give the text"
        )
    return {"text": join_lines(text)}


def read_page(raw: bytes) -> dict[str, Any]:
    """Return the article of a page, without what stands around it: readability's text."""
    from lxml import etree, html

    head = raw[:4096].lower()
    text = decode_article(raw, "") if b"charset=iso" not in head else raw.decode("cp1252", errors="replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", FORBIDDEN.sub(" ", text))
    if not _is_shallow(text):
        raise refuse("", "", f"nests deeper than {MAX_DEPTH} elements", "save the page as text")
    try:
        page = html.document_fromstring(text)
        title, outlet, url, published = _read_head(page)
        whole = _list_lines(page)
    except (etree.LxmlError, ValueError, RecursionError) as error:
        raise refuse("", "", f"is no page that can be read ({type(error).__name__})", "save it as text") from None
    short = _find_body(text)
    chosen = short if len(short) >= 0.3 * min(len(whole), 3_000) else whole
    if title and title not in chosen[: len(title) + 200]:
        chosen = f"{title}\n\n{chosen}"
    return {"text": chosen, "title": title, "outlet": outlet, "url": url, "published": published}


def _find_body(text: str) -> str:
    """Return the text of a page without what stands around it; nothing where readability finds no way through it."""
    from lxml import html
    from readability import Document

    logging.getLogger("readability").setLevel(logging.CRITICAL)
    try:
        return _list_lines(html.fragment_fromstring(Document(text).summary(html_partial=True), create_parent="div"))
    except Exception:  # it asserts, and divides by nothing
        return ""


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


def answer(request: bytes) -> bytes:
    """Return what a page or a PDF says, as JSON: the fields of an article, or why it is none."""
    try:
        found = (read_pdf if request[:1] == PDF else read_page)(request[1:])
    except InputError as error:
        fault = error.faults[0]
        return json.dumps({"problem": fault.problem, "remedy": fault.remedy}).encode()
    day = found.pop("published", None)
    return json.dumps({**found, "published": day.isoformat() if day else None}).encode()


if __name__ == "__main__":
    serve(answer)
