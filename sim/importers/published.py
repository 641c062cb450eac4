"""Tables as projects publish them, made into plain ones: a list copied from a page, a row of tags, days in parts."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection
from pathlib import Path

from sim.system.reading import MAX_ROWS, MAX_TABLE, read_bytes
from sim.system.sheets.grids import Grid, decode_usual, read_grid
from sim.system.sheets.workbooks import is_workbook

MONTH, YEAR = "year and month", "end of year"  # columns that are made of these
_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{4})", re.ASCII)
_STATES = ("destroyed", "damaged", "abandoned", "captured")
_SIDE = re.compile(r"([A-Z][\w ]{1,40}) [-–] [\d,]+,? of which")
_KIND = re.compile(r"([A-Z][\w ,/&'’-]{1,80}) \(([\d,]+),? of which:? ([^)]{1,200})\)")
_TAG = re.compile(r"#[a-z]\w*(?: ?\+\w+)*", re.IGNORECASE | re.ASCII)


def read_published(file: Path, known: Collection[str] = (), most: int = MAX_ROWS) -> tuple[Grid, dict[str, str]]:
    """Read a table, and the tags that its columns have besides their names (HXL's); the row of tags is none of it."""
    raw = read_bytes(file, MAX_TABLE)
    listed = None if is_workbook(raw) else _read_list(decode_usual(raw, file.name)[0])
    grid = listed or _join_months(_join_heads(read_grid(file, known, most)))
    first = [cell.strip() for cell in grid.rows[0][1]] if grid.rows else []
    if not any(first) or not all(_TAG.fullmatch(cell) for cell in first if cell):
        return grid, {}
    remarks = (*grid.remarks, "the row of tags below the header is no data")
    return Grid(grid.header, grid.rows[1:], grid.separator, remarks), dict(zip(grid.header, first, strict=False))


def _read_list(text: str) -> Grid | None:
    """Return the heads of a list as Oryx writes it, "Tanks (12, of which destroyed: 8, damaged: 4)"; else None."""
    rows, side = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        whose, kind = _SIDE.match(line.strip()), _KIND.match(line.strip())
        side = whose[1] if whose else side
        if kind:
            counts = dict(re.findall(r"(\w+):? ([\d,]+)", kind[3]))
            cells = (side, kind[1], kind[2], *(counts.get(state, "0") for state in _STATES))
            rows.append((number, [cell.replace(",", "") for cell in cells[2:]]))
            rows[-1][1][:0] = cells[:2]
    remarks = (f"a list copied from a page, of which the heads are read: {len(rows)} kinds",)
    return Grid(["country", "equipment_type", "type_total", *_STATES], rows, "", remarks) if rows else None


def _join_heads(grid: Grid) -> Grid:
    """Return a table whose header has two rows, sides above and what is counted of each below, as one of one row."""
    below = [cell.strip() for cell in grid.rows[0][1]] if len(grid.rows) > 1 else []
    above: list[str] = []
    for name in grid.header:
        above.append(name.strip() or (above[-1] if above else ""))
    shared = {index for index, name in enumerate(above) if above.count(name) > 1 and name and below[index : index + 1]}
    filled = [index for index in shared if below[index] and re.search(r"\d", grid.rows[1][1][index])]
    if len(filled) < 2 or any(re.search(r"\d", cell) for cell in below):
        return grid
    header = [f"{name} {below[n]}".strip() if n in shared else name for n, name in enumerate(above)]
    return Grid(header, grid.rows[1:], grid.separator, (*grid.remarks, "two rows of the header are read as one"))


def _join_months(grid: Grid) -> Grid:
    """Add the last day of the month, where a table tells year and month apart, or of the year where it has no month."""
    names = [name.strip().lower() for name in grid.header]
    if "year" not in names:
        return _end_months(grid)
    year, month = names.index("year"), names.index("month") if "month" in names else None
    ends = (_end_month(cells[year], "12" if month is None else cells[month]) for _, cells in grid.rows)
    rows = [(number, [*cells, end]) for (number, cells), end in zip(grid.rows, ends, strict=True)]
    return Grid([*grid.header, YEAR if month is None else MONTH], rows, grid.separator, grid.remarks)


def _end_months(grid: Grid) -> Grid:
    """Add the last day of the month, where the cells of a column are months, 2024-05 or 05/2024."""
    for index in range(len(grid.header)):
        cells = [cells[index].strip() for _, cells in grid.rows if index < len(cells) and cells[index].strip()]
        if cells and all(map(_MONTH.fullmatch, cells)):
            break
    else:
        return grid
    rows = []
    for number, row in grid.rows:
        found = _MONTH.fullmatch(row[index].strip()) if index < len(row) else None
        rows.append((number, [*row, _end_month(found[1] or found[4], found[2] or found[3]) if found else ""]))
    return Grid([*grid.header, MONTH], rows, grid.separator, grid.remarks)


def _end_month(year: str, month: str) -> str:
    names = [name.lower() for name in calendar.month_name]
    short = [name for name in names if name and name.startswith(month.strip().lower()[:3])]
    number = int(month) if month.strip().isdecimal() else names.index(short[0]) if month.strip() and short else 0
    if not year.strip().isdecimal() or not 1 <= number <= 12 or not 1 <= int(year) <= 9999:
        return ""
    return f"{int(year):04}-{number:02}-{calendar.monthrange(int(year), number)[1]:02}"
