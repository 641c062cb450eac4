"""Tables as people keep them: CSV of any separator and usual encoding, and sheets; what was assumed is said."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sim.errors import refuse
from sim.system.reading import MAX_COLUMNS, MAX_ROWS, MAX_TABLE, count_lines, read_bytes, refuse_controls
from sim.system.sheets.workbooks import Sheet, is_workbook, read_sheets, unzip_table

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes
    ----------
    header : list of str
    rows : list of (int, list of str)
        Those with any text, by their number in the file, each as long as the header, or longer where more is filled.
    separator : str
        Of CSV; empty for a sheet.
    remarks : tuple of str
        What was assumed in reading the file, and is not the plain case.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    separator: str = ","
    remarks: tuple[str, ...] = field(default=())


def read_grid(
    path: Path,
    known: Collection[str] = (),
    most: int = MAX_ROWS,
    sheet: str = "claims",
    *,
    fit: bool = True,
    inside: Path | None = None,
) -> Grid:
    """Read a table: CSV, .xlsx or .ods, as its content shows.

    Parameters
    ----------
    path : Path
    known : collection of str
        Names of columns, by which the separator and the sheet are chosen.
    most : int
        Rows that it may have.
    sheet : str
        The sheet's name, where there are several; else the first that has a known column.
    fit : bool
        Whether rows that end early are filled up with empty cells.
    inside : Path, optional
        A folder above the file: links below it are refused.

    Raises
    ------
    InputError
        Where it cannot be read, or is no table.
    """
    raw = unzip_table(read_bytes(path, MAX_TABLE, inside), path.name)
    if is_workbook(raw):
        return choose_sheet(read_sheets(raw, path.name), known, sheet)
    text, remarks = decode_usual(raw, path.name)
    grid = split_grid(text, path.name, known, most, fit=fit)
    return Grid(grid.header, grid.rows, grid.separator, (*remarks, *grid.remarks))


def decode_usual(raw: bytes, file: str) -> tuple[str, list[str]]:
    """Return the text of a file in UTF-8, UTF-16 or Windows-1252, and what was assumed."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return raw.decode("utf-16"), ["read as UTF-16"]
        except UnicodeDecodeError:
            raise refuse(file, "", "begins as UTF-16 and is not", "save the file as UTF-8") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = count_lines(raw[: error.start].decode("latin-1"), error.start)
        try:
            return raw.decode("cp1252"), [f"read as Windows-1252, for line {line} is not UTF-8"]
        except UnicodeDecodeError:
            raise refuse(file, f"line {line}", "is neither UTF-8 nor Windows-1252", "save the file as UTF-8") from None
    if "\0" in text:
        raise refuse(file, f"line {count_lines(text, text.index(chr(0)))}", "holds a NUL byte", "save it as text")
    return text, []


def split_grid(text: str, file: str, known: Collection[str] = (), most: int = MAX_ROWS, *, fit: bool = True) -> Grid:
    """Return the table that a text of CSV is; the separator is that by which most known columns are named."""
    refuse_controls(text, file)
    told = _SEP_LINE.match(text)
    skipped = 1 if told else 0
    text = text[told.end() :] if told else text
    separator = told[1] if told else _choose_separator(text, known)
    lines = split_rows(text, file, most=most, separator=separator)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    rows = list(_fit_rows(lines, header, skipped, fit=fit))
    remarks = () if separator == "," else (f"columns are separated by {SEPARATORS[separator]}",)
    return Grid(*_drop_empty(header, rows), separator, remarks)


def split_rows(
    text: str,
    file: str,
    remedy: str = "quote cells that hold commas or quotes",
    most: int = MAX_ROWS,
    separator: str = ",",
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of CSV with the number of their last line: the first, then those that are not blank.

    Below the header there may be `most`.

    Raises
    ------
    InputError
        Where the text is not CSV, or has too many rows or columns.
    """
    reader, count = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 0
    try:
        for cells in reader:
            if len(cells) > MAX_COLUMNS:
                problem = f"has {len(cells)} columns, more than {MAX_COLUMNS}"
                raise refuse(file, f"row {reader.line_num}", problem, "see docs/formats.md for the columns")
            if count == 0 or any(cell and not cell.isspace() for cell in cells):
                if count > most:
                    raise refuse(file, f"row {reader.line_num}", f"is beyond {most} rows", "split the table")
                count += 1
                yield reader.line_num, cells
    except csv.Error as error:
        raise refuse(file, f"line {reader.line_num}", f"is not CSV ({error})", remedy) from None


def _choose_separator(text: str, known: Collection[str]) -> str:
    """Return the mark that parts the header: into most known names, or else into most parts."""
    line = re.sub(r'"[^"\n]*"', lambda found: re.sub(r"[,;\t|]", "_", found[0]), text.partition("\n")[0])
    names = set(known)
    ranked = [
        (len(names & {part.strip().strip('"').lower() for part in line.split(mark)}), line.count(mark), -n)
        for n, mark in enumerate(SEPARATORS)
    ]
    return list(SEPARATORS)[ranked.index(max(ranked))]


def _fit_rows(
    lines: Iterator[tuple[int, list[str]]], header: list[str], skipped: int, *, fit: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yield rows as long as the header: a short one ends early, and empty cells beyond it are nothing."""
    width = len(header)
    for number, cells in lines:
        kept = list(cells)
        while len(kept) > width and not kept[-1].strip():
            kept.pop()
        yield number + skipped, kept + [""] * (width - len(kept) if fit else 0)


def _drop_empty(header: list[str], rows: list[tuple[int, list[str]]]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Leave out columns without a name at the end that hold nothing."""
    width = len(header)
    while (
        width
        and not header[width - 1]
        and not any(cells[width - 1].strip() for _, cells in rows if len(cells) >= width)
    ):
        width -= 1
    return header[:width], [(number, cells[:width] + cells[len(header) :]) for number, cells in rows]


def choose_sheet(sheets: list[Sheet], known: Collection[str], name: str) -> Grid:
    """Return the table on the sheet of that name, or else on the first that has most known columns."""
    names = {each.lower() for each in known}

    def rank(sheet: Sheet) -> tuple[bool, int]:
        return sheet.name.lower() == name, len(names & {cell.strip().lower() for cell in sheet.rows[0][1]})

    sheet = max(sheets, key=rank)
    remarks = (
        [f"read from the sheet {sheet.name!r}, one of {len(sheets)}"] if len(sheets) > 1 and not rank(sheet)[0] else []
    )
    if sheet.formulas:
        remarks.append(f"formulas are read as what they last came to ({sheet.formulas} in the workbook)")
    header = [cell.strip() for cell in sheet.rows[0][1]]
    rows = list(_fit_rows(iter(sheet.rows[1:]), header, 0))
    return Grid(*_drop_empty(header, rows), "", tuple(remarks))
