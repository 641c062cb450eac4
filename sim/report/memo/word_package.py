"""A DOCX template of the user's, who may have it from a stranger: text and styles are taken, and nothing more."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError, fromstring  # nosec B405

from sim.errors import quote_value, refuse
from sim.system.reading import list_parts, read_bytes

if TYPE_CHECKING:
    from docx.document import Document

MAX_PACKAGE, MAX_UNPACKED, MAX_PARTS = 20_000_000, 100_000_000, 500  # of a template: bytes, bytes, files
MAX_XML = 10_000_000  # bytes of all its XML: a tree of more takes long, and memory of many times its size
_XML = (".xml", ".rels")
_PLAIN = (*_XML, ".png", ".jpg", ".jpeg", ".gif")  # how the parts of a document end
# Relations of parts, fields and elements: what is not known to be harmless is refused, and named in the refusal.
_RELATIONS = {
    "comments", "commentsExtended", "commentsExtensible", "commentsIds", "core-properties", "custom-properties",
    "customXml", "customXmlProps", "endnotes", "extended-properties", "fontTable", "footer", "footnotes",
    "glossaryDocument", "header", "hyperlink", "image", "numbering", "officeDocument", "people", "settings",
    "styles", "stylesWithEffects", "theme", "thumbnail", "webSettings",
}  # fmt: skip
_FIELDS = {
    "=", "AUTHOR", "AUTONUM", "AUTONUMLGL", "AUTONUMOUT", "BIBLIOGRAPHY", "CITATION", "COMMENTS", "COMPARE",
    "CREATEDATE", "DATE", "DOCPROPERTY", "EDITTIME", "EQ", "FILENAME", "FILESIZE", "FORMCHECKBOX", "FORMDROPDOWN",
    "FORMTEXT", "HYPERLINK", "IF", "INDEX", "KEYWORDS", "LASTSAVEDBY", "LISTNUM", "MERGEFIELD", "NOTEREF",
    "NUMCHARS", "NUMPAGES", "NUMWORDS", "PAGE", "PAGEREF", "PRINTDATE", "QUOTE", "REF", "REVNUM", "SAVEDATE",
    "SECTION", "SECTIONPAGES", "SEQ", "SET", "STYLEREF", "SUBJECT", "SYMBOL", "TC", "TIME", "TITLE", "TOC", "XE",
}  # fmt: skip
# Elements that bring more than text: objects, other documents, a source of data, a page with a program in it.
_OBJECTS = {
    "OLEObject", "altChunk", "contentPart", "control", "frameset", "mailMerge", "object", "subDoc", "taskpane",
    "taskpanes", "webVideoPr", "webextension", "webextensionref",
}  # fmt: skip
_LINKS = {"hlinkClick", "hlinkHover", "hlinkMouseOver", "hyperlink"}  # what a reader clicks
_PAINTS = {"fill", "imagedata", "stroke"}  # of the older kind of drawings, which name pictures by attributes
_SOURCES = {"althref", "href", "src"}
STYLES = ("Title", "Subtitle", "Heading 1", "Caption", "Quote", "List Bullet")  # of a memo
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OWN_LOOK = ("rFonts", "color", "numPr", "pBdr", "basedOn", "next", "link")  # of another document's styles
_TYPES = "[Content_Types].xml"
_TEMPLATE, _DOCUMENT = (f"wordprocessingml.{kind}.main+xml".encode() for kind in ("template", "document"))


def read_package(path: Path) -> bytes:
    """Return a user's DOCX template, or refuse one that is large, or holds more than text and styles.

    What a document brings beside these, a memo made of it would bring on: programs, and addresses that Word asks.
    """
    content = read_bytes(path, MAX_PACKAGE, inside=path.parent)
    remedy = "save it anew as a plain .docx"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = list_parts(package)
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                what = f"unpacks to more than {MAX_PARTS} parts or {MAX_UNPACKED // 1_000_000} MB"
                raise refuse(path.name, "", what, remedy)
            if sum(part.file_size for part in parts if part.filename.endswith(_XML)) > MAX_XML:
                raise refuse(path.name, "", f"unpacks to more than {MAX_XML // 1_000_000} MB of XML", remedy)
            outside = _list_outside(package, parts)
            for part in parts:
                problem = _find_more(part.filename, package.read(part), outside.get(part.filename, set()))
                if problem:
                    raise refuse(path.name, "", f"its part {quote_value(part.filename)} {problem}", remedy)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, ParseError) as error:
        raise refuse(path.name, "", f"is no DOCX file: {error}", remedy) from None
    return _make_document(content)


def _make_document(content: bytes) -> bytes:
    """Return a template of Word's (.dotx) as a document."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        types = package.read(_TYPES) if _TYPES in package.namelist() else b""
        if _TEMPLATE not in types:
            return content
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as document:
            for part in package.infolist():
                read = types.replace(_TEMPLATE, _DOCUMENT) if part.filename == _TYPES else package.read(part)
                document.writestr(part.filename, read)
        return made.getvalue()


def add_styles(document: Document) -> None:
    """Add the styles that a memo asks for and a template lacks: Word keeps only those that were used in it.

    They are as a new document of Word's has them, in the template's own font.
    """
    import docx

    styles: Any = document.styles
    known = {style.name for style in styles}
    base = next((style.style_id for style in styles if style.name == "Normal"), None)
    ours: Any = docx.Document().styles
    for name in STYLES:
        if name in known:
            continue
        element = deepcopy(ours[name].element)
        for found in list(element.iter()):
            if found.tag == f"{_WORD}basedOn" and base:
                found.set(f"{_WORD}val", base)
            elif found.tag.removeprefix(_WORD) in _OWN_LOOK:
                found.getparent().remove(found)
        styles.element.append(element)


def _list_outside(package: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> dict[str, set[str]]:
    """Return for each part the relations that lead out of the document: links, where `_find_more` takes it."""
    found = {}
    for part in parts:
        rels = re.fullmatch(r"(.*)_rels/([^/]+)\.rels", part.filename)
        content = package.read(part) if rels else b""
        if rels and b"<!" not in content:
            relations = fromstring(content)  # noqa: S314 - it declares no entities  # nosec B314
            leading = (each for each in relations if each.get("TargetMode", "Internal") != "Internal")
            found[f"{rels[1]}{rels[2]}"] = {str(each.get("Id")) for each in leading}
    return found


def _find_more(name: str, content: bytes, outside: set[str]) -> str | None:
    """Return what a part of a document brings beside text, styles and pictures; None where that is nothing.

    `outside` are those of its relations that lead out of the document, which links alone may name.
    """
    if not name.endswith(_PLAIN):
        return "is no part of a plain document"
    if not name.endswith(_XML):
        return None
    if b"<!" in content.replace(b"<!--", b"") or b"\0" in content:
        return "declares more than XML"
    root = fromstring(content)  # noqa: S314 - it declares no entities  # nosec B314
    for element in root.iter():
        tag = _cut_space(element.tag)
        if tag in _OBJECTS:
            return f"holds {tag}"
        if tag == "Relationship":
            kind = str(element.get("Type")).rpartition("/")[2]
            if element.get("TargetMode", "Internal") != "Internal" and kind != "hyperlink":
                return "leads to another file"
            if kind not in _RELATIONS:
                return f"holds a relation of the kind {quote_value(kind)}"
        if tag not in _LINKS and outside & {value for key, value in element.items() if "/relationships}" in key}:
            return "leads to another file"
        if tag in _PAINTS and _SOURCES & set(map(_cut_space, element.keys())):
            return "leads to another file"
    odd = [name for name in _list_fields(root) if name.upper() not in _FIELDS]
    return f"holds a field {quote_value(odd[0])}, which may fetch or run something" if odd else None


def _cut_space(name: str) -> str:
    """Return a name without its namespace."""
    return str(name).rpartition("}")[2]


def _list_fields(root: Element) -> Iterator[str]:
    """Yield the first word of each field: nothing where another field must first say what it is."""
    within: list[str | None] = []  # the instruction of each open field, None once its name is known
    for element in root.iter():
        tag = _cut_space(element.tag)
        yield from (_name_field(value) for key, value in element.items() if _cut_space(key) == "instr")
        if tag in ("instrText", "delInstrText"):
            within = within or [""]
            said = within[-1]
            within[-1] = None if said is None else said + (element.text or "")
        elif tag == "fldChar":
            kinds = {_cut_space(key): value for key, value in element.items()}
            kind = kinds.get("fldCharType")
            if within and within[-1] is not None and (kind == "begin" or within[-1].strip()):
                yield _name_field(within[-1])
                within[-1] = None
            if kind == "begin":
                within.append("")
            elif kind == "end":
                within = within[:-1]
    yield from (_name_field(said) for said in within if said)


def _name_field(instruction: str) -> str:
    found = re.match(r"\s*([A-Za-z]+|=)", instruction)
    return found[1] if found else ""
