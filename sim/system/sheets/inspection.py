"""Look through a workbook before a parser sees it: what may not be in it, how far it spans, and its formulas.

This is done in the confined process too (see `opening`): what looks for patterns in a text of others can be led to look
for hours.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter

from sim.errors import refuse
from sim.system.reading import MAX_COLUMNS, MAX_ROWS, list_parts

MAX_UNPACKED = 200_000_000  # bytes of all parts of a workbook
MAX_PARTS = 5_000
MAX_CELLS = 5_000_000  # of one sheet, empty ones between others too
SAVE = "save it as .xlsx or .ods, or as CSV"
LOCKED = ("is locked by a password", "save it without")
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)  # a zip
_CELL = re.compile(rb'<c\b[^<>]*?\br="([A-Z]{1,3})(\d{1,7})"[^<>/]*>\s*<(?:f|v|is)\b')
_FORMULA = re.compile(rb"<f\b|table:formula=")
_UNSAVED = re.compile(rb"<f\b[^<>]*(?:/>|>[^<]*</f>)\s*(?:</c>|<v\s*/>|<v>\s*</v>)")
_ERROR = re.compile(rb'<c\b[^<>]*\bt="e"|calcext:value-type="error"')
_REPEATED = re.compile(rb'<table:table-cell\b[^<>]*number-columns-repeated="(\d+)"[^<>]*>')
_ROWS = re.compile(rb'<table:table-row\b[^<>]*number-rows-repeated="(\d+)"[^<>]*>(.{0,2000})', re.DOTALL)
_OVERLAP = 500


def inspect_workbook(raw: bytes) -> Counter[str]:
    """Refuse what a workbook may not hold; return how many formulas, unsaved ones, and errors it has."""
    found = Counter[str]()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = list_parts(archive)
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise refuse("", "", f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB", "split it")
            names = {part.filename for part in parts}
            if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
                raise refuse("", "", "holds macros", "save it without: .xlsx or .ods")
            if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise refuse("", "", *LOCKED)
            refuse_locked(parts)
            for part in parts:
                if part.filename.endswith(".xml"):
                    found += _inspect_part(archive, part)
    except BROKEN as error:
        raise refuse("", "", f"is no workbook ({' '.join(str(error).split())[:60]})", SAVE) from None
    return found


def refuse_locked(parts: list[zipfile.ZipInfo], file: str = "") -> None:
    """Refuse a zip of which a part is locked."""
    if any(part.flag_bits & 1 for part in parts):
        raise refuse(file, "", *LOCKED)


def _inspect_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Counter[str]:
    """Look through a part of a workbook: reading it to its end shows that it is as large as it says."""
    rows = columns = 0
    counts = Counter[str]()
    before = b""
    with archive.open(part) as stream:
        while chunk := stream.read(1_000_000):
            text = before + chunk
            for found in _CELL.finditer(text):
                rows, columns = max(rows, int(found[2])), max(columns, _number_column(found[1]))
            for name, pattern in (("formula", _FORMULA), ("unsaved", _UNSAVED), ("error", _ERROR)):
                counts[name] += len(pattern.findall(text)) - len(pattern.findall(before))
            wide = [int(found[1]) for found in _REPEATED.finditer(text) if b"value-type" in found[0]]
            high = [
                int(found[1])
                for found in _ROWS.finditer(text)
                if b"value-type" in found[2].split(b"</table:table-row")[0]
            ]
            columns, rows = max([columns, *wide]), max([rows, *high])
            before = text[-_OVERLAP:]
    if rows * max(columns, 1) > MAX_CELLS or rows > MAX_ROWS + 1 or columns > MAX_COLUMNS:
        problem = f"spans {rows} rows and {columns} columns"
        raise refuse("", "", problem, f"keep to {MAX_ROWS} rows and {MAX_COLUMNS} columns, {MAX_CELLS} cells in all")
    return counts


def _number_column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
