"""Sheets of .xlsx and .ods, as rows of text; a workbook is data here, and what could be more in it is refused.

What can be told of it beforehand is told in words of its own; that is looked for, and what its parser makes of the rest
is made, in a confined process (see `opening`).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from sim.errors import list_some, refuse
from sim.system.confinement import run_confined
from sim.system.reading import MAX_TABLE, list_parts
from sim.system.sheets.inspection import BROKEN, LOCKED, MAX_UNPACKED, SAVE, refuse_locked


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
            refuse_locked(parts, file)
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
    except BROKEN:
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
    made = json.loads(run_confined("sim.system.sheets.opening", raw, Path(__file__).parent, file, SAVE))
    if "problem" in made:
        raise refuse(file, "", made["problem"], made["remedy"])
    found, remarks = made["counts"], []
    if found.get("formula"):
        remarks.append(f"formulas are read as what they last came to ({found['formula']} in the workbook)")
    if found.get("error"):
        remarks.append(f"cells that show an error are read as empty ({found['error']} in the workbook)")
    sheets = [
        Sheet(name, tuple((number, cells) for number, cells in rows), tuple(remarks)) for name, rows in made["sheets"]
    ]
    kept = [sheet for sheet in sheets if sheet.rows]
    if not kept:
        raise refuse(file, "", "has no cell that is filled", "fill it, or give another file")
    return kept
