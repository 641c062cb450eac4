"""Sheets of .xlsx and .ods, as rows of text; a workbook is data here, and what could be more in it is refused.

What can be told of it beforehand is told in words of its own; what its parser makes of the rest, it makes of it in a
confined process (see `opening`).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sim.errors import list_some, refuse
from sim.system.confinement import run_confined
from sim.system.reading import MAX_COLUMNS, MAX_ROWS, MAX_TABLE, list_parts
from sim.system.sheets.opening import LOCKED, MAX_CELLS, SAVE

MAX_UNPACKED = 200_000_000  # bytes of all parts of a workbook
MAX_PARTS = 5_000
_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>/]*>\s*<(?:f|v|is)\b')
_FORMULA = re.compile(rb"<f\b|table:formula=")
_UNSAVED = re.compile(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:</c>|<v\s*/>|<v>\s*</v>)")
_ERROR = re.compile(rb'<c\b[^>]*\bt="e"|calcext:value-type="error"')
_REPEATED = re.compile(rb'<table:table-cell\b[^>]*number-columns-repeated="(\d+)"[^>]*>')
_ROWS = re.compile(rb'<table:table-row\b[^>]*number-rows-repeated="(\d+)"[^>]*>(.{0,2000})', re.DOTALL)
_OVERLAP = 500
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)  # a zip


@dataclass(frozen=True)
class Sheet:
    """A sheet: its rows of text, each with its number from 1 up, and what was assumed in reading the workbook."""

    name: str
    rows: tuple[tuple[int, list[str]], ...]
    remarks: tuple[str, ...] = ()


def is_workbook(raw: bytes) -> bool:
    """Whether a file is a workbook, or something else of that kind: a zip, or an older office document."""
    return raw[:4] == b"PK\x03\x04" or raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX/)|/$")  # what a Mac adds, and folders


def unzip_table(raw: bytes, file: str) -> bytes:
    """Return the one table of CSV in a zip that holds no workbook, whatever lies beside it; anything else as it is."""
    if raw[:4] != b"PK\x03\x04":
        return raw
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = [part for part in list_parts(archive) if not _HIDDEN.search(part.filename)]
            _refuse_locked(parts, file)
            if {"[Content_Types].xml", "content.xml"} & set(archive.namelist()):
                return raw
            kinds = (
                [part for part in parts if part.filename.lower().endswith(end)] for end in (".csv", ".tsv", ".txt")
            )
            tables = next(filter(None, kinds), [])
            if len(tables) > 1:
                names = list_some([part.filename for part in tables])
                raise refuse(file, "", f"holds {len(tables)} tables: {names}", "unpack it, and give one of them")
            if tables and tables[0].file_size > MAX_UNPACKED:
                raise refuse(file, "", f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB", "split it")
            return archive.read(tables[0]) if tables else raw
    except _BROKEN:
        return raw


def read_sheets(raw: bytes, file: str) -> list[Sheet]:
    """Return the sheets of a workbook that are not empty.

    Parameters
    ----------
    raw : bytes
    file : str
        Its name, for messages.

    Raises
    ------
    InputError
        Where it is no workbook, has macros or a password, or is larger than one may be.
    """
    if len(raw) > MAX_TABLE:
        raise refuse(file, "", f"is larger than {MAX_TABLE // 1_000_000} MB", "split it")
    if raw[:4] != b"PK\x03\x04":
        locked = "EncryptedPackage".encode("utf-16-le") in raw
        raise refuse(file, "", *(LOCKED if locked else ("is of an older office program", SAVE)))
    found = _inspect(raw, file)
    if found["unsaved"]:
        problem = f"has formulas without what they came to ({found['unsaved']} of them)"
        raise refuse(file, "", problem, "open it in a spreadsheet program, and save it")
    remarks = []
    if found["formula"]:
        remarks.append(f"formulas are read as what they last came to ({found['formula']} in the workbook)")
    if found["error"]:
        remarks.append(f"cells that show an error are read as empty ({found['error']} in the workbook)")
    made = json.loads(run_confined("sim.system.sheets.opening", raw, Path(__file__).parent, file, SAVE))
    if "problem" in made:
        raise refuse(file, "", made["problem"], made["remedy"])
    sheets = [
        Sheet(name, tuple((number, cells) for number, cells in rows), tuple(remarks)) for name, rows in made["sheets"]
    ]
    kept = [sheet for sheet in sheets if sheet.rows]
    if not kept:
        raise refuse(file, "", "has no cell that is filled", "fill it, or give another file")
    return kept


def _inspect(raw: bytes, file: str) -> Counter[str]:
    """Refuse what a workbook may not hold, before a parser sees it; count its formulas and errors."""
    found = Counter[str]()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = list_parts(archive)
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise refuse(file, "", f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB", "split it")
            names = {part.filename for part in parts}
            if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
                raise refuse(file, "", "holds macros", "save it without: .xlsx or .ods")
            if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise refuse(file, "", *LOCKED)
            _refuse_locked(parts, file)
            for part in parts:
                if part.filename.endswith(".xml"):
                    found += _inspect_part(archive, part, file)
    except _BROKEN as error:
        raise refuse(file, "", f"is no workbook ({' '.join(str(error).split())[:60]})", SAVE) from None
    return found


def _refuse_locked(parts: list[zipfile.ZipInfo], file: str) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise refuse(file, "", *LOCKED)


def _inspect_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, file: str) -> Counter[str]:
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
        raise refuse(file, "", problem, f"keep to {MAX_ROWS} rows and {MAX_COLUMNS} columns, {MAX_CELLS} cells in all")
    return counts


def _number_column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
