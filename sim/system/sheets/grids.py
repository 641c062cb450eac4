"""Tables as people keep them: CSV of any separator and usual encoding, and sheets; what was assumed is said."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sim.errors import quote_value, refuse
from sim.system.reading import MAX_COLUMNS, MAX_ROWS, MAX_TABLE, count_lines, read_bytes, refuse_controls
from sim.system.sheets.cells import unquote
from sim.system.sheets.workbooks import Sheet, is_workbook, read_sheets, unzip_table

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*(?:\r\n?|\n)', re.IGNORECASE)
MAX_LINES, MAX_MARKS = 2_000_000, 2_000_000  # of a table, blank ones too; of a row, quoted ones too
_LOOKED = 20  # rows at the top, among which the header is looked for


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
        Whether rows that end early are filled up with empty cells, and columns that hold nothing are left out.
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
    wide = _is_utf16(raw)
    if wide:
        try:
            return raw.decode(wide), ["read as UTF-16"]
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


def _is_utf16(raw: bytes) -> str:
    """Return the name of the encoding of a file that has UTF-16's mark, or begins with letters of two bytes each."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    head = raw[:20]
    if len(raw) % 2 or len(head) < 2:
        return ""
    low, high = head[::2], head[1::2]
    if 0 not in low and not any(high):
        return "utf-16-le"
    return "utf-16-be" if 0 not in high and not any(low) else ""


def split_grid(text: str, file: str, known: Collection[str] = (), most: int = MAX_ROWS, *, fit: bool = True) -> Grid:
    """Return the table that a text of CSV is; the separator is that by which most known columns are named."""
    refuse_controls(text, file)
    told = _SEP_LINE.match(text)
    skipped = 1 if told else 0
    text = text[told.end() :] if told else text
    separator = told[1] if told else _choose_separator(text, known)
    lines = split_rows(text, file, most=most, separator=separator)
    remarks = () if separator == "," else (f"columns are separated by {SEPARATORS[separator]}",)
    return _make_grid([(number + skipped, cells) for number, cells in lines], known, separator, remarks, fit=fit)


def _make_grid(
    lines: list[tuple[int, list[str]]],
    known: Collection[str],
    separator: str,
    remarks: tuple[str, ...],
    *,
    fit: bool = True,
) -> Grid:
    """Return the table below its header: the first row that names most known columns, or else the first of all."""
    names = set(known)
    counts = [sum(name_column(cell, names) in names for cell in cells) for _, cells in lines[:_LOOKED]]
    index = counts.index(max(counts)) if max(counts, default=0) > 1 else 0
    number, cells = lines[index] if lines else (1, [])
    if index:
        remarks = (*remarks, f"the table begins in row {number}")
    header = [name_column(cell, names) for cell in cells]
    rows = _fit_rows(lines[index + 1 :], header, fit=fit)
    return Grid(*(_drop_nameless(header, rows) if fit else (header, rows)), separator, remarks)


def name_column(cell: str, known: Collection[str]) -> str:
    """Return the name in a cell of the header: a known one in whatever quotes and capitals, or as it is."""
    plain = unquote(cell.strip())
    tidy = re.sub(r"[\s.-]+", "_", plain.lower())
    return tidy if tidy in known else plain


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
    marks = [0]  # since the last row
    reader, count = csv.reader(_list_lines(text, file, separator, marks), delimiter=separator, strict=True), 0
    try:
        for cells in reader:
            marks[0] = 0
            if len(cells) > MAX_COLUMNS:
                problem = f"has {len(cells)} columns, more than {MAX_COLUMNS}"
                raise refuse(file, f"row {reader.line_num}", problem, "see docs/formats.md for the columns")
            if any(cell and not cell.isspace() for cell in cells):
                if count > most:
                    raise refuse(file, f"row {reader.line_num}", f"is beyond {most} rows", "split the table")
                count += 1
                yield reader.line_num, cells
    except csv.Error as error:
        raise refuse(file, f"line {reader.line_num}", f"is not CSV ({error})", remedy) from None


def _list_lines(text: str, file: str, separator: str, marks: list[int]) -> Iterator[str]:
    """Yield the lines of CSV; refuse what would take the parser long, or memory of many times the file's size."""
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")
    for number, line in enumerate(stream, start=1):
        marks[0] += line.count(separator)
        if marks[0] > MAX_MARKS:
            problem = f"has more than {MAX_MARKS} marks that separate columns"
            raise refuse(file, f"row {number}", problem, "see docs/formats.md for the columns")
        if number > MAX_LINES:
            raise refuse(file, f"line {number}", f"is beyond {MAX_LINES} lines", "take out those that are blank")
        yield line


def _choose_separator(text: str, known: Collection[str]) -> str:
    """Return the mark that parts a line at the top into most known names, or else the first into most parts."""
    names = set(known)
    quoted = [
        re.sub(r'"[^"\n]*"', lambda found: re.sub(r"[,;\t|]", "_", found[0]), line) for line in _first_lines(text)
    ]

    def rank(mark: str) -> tuple[int, int]:
        counts = [
            len({name_column(part.strip().strip('"'), names) for part in line.split(mark)} & names) for line in quoted
        ]
        return max(counts, default=0), quoted[0].count(mark) if quoted else 0

    return max(SEPARATORS, key=rank)


def _first_lines(text: str) -> list[str]:
    lines = text[:200_000].splitlines()[: 2 * _LOOKED]
    return [line for line in lines if line.strip()][:_LOOKED]


def _fit_rows(
    lines: list[tuple[int, list[str]]], header: list[str], *, fit: bool = True
) -> list[tuple[int, list[str]]]:
    """Return rows as long as the header: a short one ends early, and empty cells beyond it are nothing."""
    width, out = len(header), []
    for number, cells in lines:
        kept = list(cells)
        while len(kept) > width and not kept[-1].strip():
            kept.pop()
        out.append((number, kept + [""] * (width - len(kept) if fit else 0)))
    return out


def _drop_nameless(
    header: list[str], rows: list[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Leave out columns without a name that hold nothing."""
    bare = {
        index
        for index, name in enumerate(header)
        if not name and not any(cells[index].strip() for _, cells in rows if len(cells) > index)
    }
    if not bare:
        return header, rows

    def keep(cells: list[str]) -> list[str]:
        return [cell for index, cell in enumerate(cells) if index not in bare]

    return keep(header), [(number, keep(cells)) for number, cells in rows]


def choose_sheet(sheets: list[Sheet], known: Collection[str], name: str) -> Grid:
    """Return the table on the sheet of that name, or else on the first that has most known columns."""
    names = {each.lower() for each in known}

    def rank(sheet: Sheet) -> tuple[bool, int]:
        counts = [len({name_column(cell, names) for cell in cells} & names) for _, cells in sheet.rows[:_LOOKED]]
        return sheet.name.lower() == name, max(counts)

    sheet = max(sheets, key=rank)
    remarks = list(sheet.remarks)
    if len(sheets) > 1 and not rank(sheet)[0]:
        remarks.insert(0, f"read from the sheet {quote_value(sheet.name)}, one of {len(sheets)}")
    return _make_grid(list(sheet.rows), known, "", tuple(remarks))
