"""A DOCX template of the user's, who may have it from a stranger: text and styles are taken, and nothing more."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring  # nosec B405

from sim.errors import quote_value, refuse
from sim.system.reading import list_parts, read_bytes

MAX_PACKAGE, MAX_UNPACKED, MAX_PARTS = 20_000_000, 100_000_000, 500  # of a template: bytes, bytes, files
_PLAIN = (".xml", ".rels", ".png", ".jpg", ".jpeg", ".gif")  # how the parts of a document end
_OBJECTS = {"altChunk", "object", "OLEObject", "control"}  # elements that bring more than text
_ASKING = re.compile(r"DDE|INCLUDE|IMPORT|\bLINK\b", re.IGNORECASE)  # fields that fetch or run something


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
