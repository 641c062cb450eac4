"""UCDP's Georeferenced Event Dataset: the deaths of each event of organised violence, as low, best and high.

Events are disjoint, and a table of them is a count of what was reported: their sum is one claim of the last day,
`counted`. Low and high are read as the ends of the program's own 80% interval about the best estimate. All deaths
count, of either side and of civilians: the table's low and high are of these together. Whoever wants one conflict
filters the table first: all events in the file are one case.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from sim.case.case import MAX_DAYS, MAX_LABEL, CaseFile
from sim.case.claims import Claim, Day, Number
from sim.case.observations import RANGE_SPAN
from sim.errors import quote_value, refuse
from sim.importers import Imported, LeftOut, choose_bin_days
from sim.importers.mapping import plain_name
from sim.importers.ucdp_order import LIKE_A_DAY, name_columns
from sim.system.sheets.cells import CellReader, Dates, TwoReadings
from sim.system.sheets.grids import read_grid
from sim.system.tables import tidy_text

# Each column, and what it has been called since version 17 and in the candidate events: without marks and capitals, for
# date_start is DateStart, date.start and "Date Start" in what other programs make of the table.
COLUMNS = {
    "id": ("id", "eventid", "relid"),
    "date_start": ("datestart", "eventdatestart", "startdate"),
    "date_end": ("dateend", "eventdateend", "enddate", "datestart", "eventdatestart", "startdate"),
    "best": ("best", "bestest", "bestestimate", "deathsbest", "fatalitiesbest"),
    "high": ("high", "highest", "highestimate", "deathshigh", "fatalitieshigh"),
    "low": ("low", "lowest", "lowestimate", "deathslow", "fatalitieslow"),
    "conflict_name": ("conflictname", "conflict", "dyadname"),
}
NEEDED = ("date_start", "best", "high", "low")
MOST_ROWS = 300_000
SITE = "https://ucdp.uu.se/downloads/"
REMARKS = (
    "From UCDP's Georeferenced Event Dataset (Sundberg and Melander 2013, doi 10.1177/0022343313484347).",
    "One claim: the sum of all events, as counted by the last day; low and high are read as an 80% interval.",
    "All deaths together: of both sides, of civilians and of unknown people.",
)
_parse_day, _parse_number = TypeAdapter(Day).validate_python, TypeAdapter(Number).validate_python


class _Event(NamedTuple):
    """An event: its days, its numbers, and what was mended of them."""

    first: dt.date
    last: dt.date
    low: float
    best: float
    high: float
    mended: str


def read_foreign(file: Path, dates: Dates | None = None) -> Imported:
    """Read a table of events.

    Parameters
    ----------
    file : Path
        UCDP's CSV, or a part of its rows; without a header, with its columns from the days to the numbers.
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2020 are meant.

    Raises
    ------
    InputError
        Where the file cannot be read, or is another table, or its days have two readings.
    """
    left, mended = LeftOut("events"), LeftOut("events")
    events: list[tuple[str, _Event]] = []
    names: set[str] = set()
    rows, reader, remarks = _read_cells(file, dates)
    for row, cells in rows:
        try:
            event = _read_event(cells, reader)
        except TwoReadings as two:
            raise refuse(
                file.name, f"row {row}", f"a day {two.problem}", "say --dates day-first or month-first"
            ) from None
        if isinstance(event, str):
            left.add(row, event, _count(cells.get("best", "")))
            continue
        if event.mended:
            mended.add(row, event.mended, event.best)
        events.append((cells.get("id") or f"row {row}", event))
        names.add(cells.get("conflict_name", ""))
    if not events:
        raise refuse(file.name, "", "has no event that can be used", left.say() or "give UCDP's table of events")
    start, end = min(event.first for _, event in events), max(event.last for _, event in events)
    if (end - start).days > MAX_DAYS:
        raise refuse(
            file.name,
            "",
            f"spans {start} to {end}",
            f"give at most {MAX_DAYS:,} days: mend date_start, or leave rows out",
        )
    title = next(iter(names)) if len(names) == 1 else f"{len(names)} conflicts"
    told = tuple(line.replace("left out", "mended") for line in mended.lines)
    claim = _make_claim([event for _, event in events], events[0][0], end, file)
    return Imported(
        _make_case(title, start, end),
        (claim,),
        left.lines,
        (*REMARKS, *remarks, *reader.remarks, *told),
        (*remarks, *reader.remarks),
    )


def _read_cells(
    file: Path, dates: Dates | None
) -> tuple[list[tuple[int, dict[str, str]]], CellReader, tuple[str, ...]]:
    """Return the rows by our names of the columns, and the reader of their days."""
    grid = read_grid(file, [name for names in COLUMNS.values() for name in names], MOST_ROWS, fit=False)
    header, lines, remarks = [plain_name(name) for name in grid.header], grid.rows, grid.remarks
    named = any(name in header for names in COLUMNS.values() for name in names)
    if not named and any(map(LIKE_A_DAY.match, map(tidy_text, grid.header))):
        lines = [(1, grid.header), *lines]
        found_names, told = name_columns([cells for _, cells in lines], file.name)
        header = [plain_name(name) for name in found_names]
        remarks = (*remarks, told)
    found = {ours: [header.index(name) for name in names if name in header] for ours, names in COLUMNS.items()}
    lacking = [name for name in NEEDED if not found[name]]
    if lacking:
        problem = f"the header {quote_value(','.join(grid.header))} does not name {', '.join(lacking)}"
        raise refuse(file.name, "row 1", problem, "give UCDP's table of events with its header, or name another format")
    rows = [
        (number, {ours: tidy_text("".join(cells[columns[0] :][:1])) for ours, columns in found.items() if columns})
        for number, cells in lines
    ]
    days = ({"since": cells["date_start"], "as_of": cells.get("date_end", "")} for _, cells in rows)
    return rows, CellReader(days, grid.separator, dates), remarks


def _read_event(cells: dict[str, str], reader: CellReader) -> _Event | str:
    """Return an event, or why it cannot be used."""
    try:
        first, last = (_parse_day(reader.read("since", cells.get(name, ""))) for name in ("date_start", "date_end"))
    except ValueError:  # and so is one of pydantic
        return "a day cannot be read"
    given = [_parse_given(cells.get(name, "")) for name in ("low", "best", "high")]
    known = [number for number in given if number is not None]
    if not known:
        return "has no number"
    if last < first:
        return "ends before it began"
    if max(known) >= 1e9:
        return "has a number beyond all reckoning"
    best = given[1]
    if best is None:
        middle = float(round(sum(known) / len(known)))
        return _Event(first, last, min(known), middle, max(known), "no best estimate: the middle is taken")
    mended = "best lies outside low and high: they are widened to it" if known != sorted(known) else ""
    return _Event(first, last, min(known), best, max(known), mended)


def _parse_given(text: str) -> float | None:
    try:
        return float(_parse_number(text))
    except ValueError:
        return None


def _count(text: str) -> float:
    return _parse_given(text) or 0.0


def _make_claim(events: list[_Event], first: str, end: dt.date, file: Path) -> Claim:
    report = f"{tidy_text(file.name)}, {len(events)} event{'s' if len(events) > 1 else ''} from {first}"
    low, best, high = (sum(getattr(event, name) for event in events) for name in ("low", "best", "high"))
    return Claim(
        id=f"ucdp-{end}", source="ucdp", force="all", quantity="killed", as_of=end, published=end, report=report,
        url=SITE, row=2, **dict(_word(low, best, high)),
    )  # fmt: skip


def _word(low: float, best: float, high: float) -> Iterator[tuple[str, Any]]:
    """Return the cells that say the number: a best estimate with its own error, or what is left of it at zero."""
    if best == 0 and high > 0:
        yield from (("qualifier", "at_most"), ("value", high))
        return
    yield from (("qualifier", "counted"), ("value", best))  # of what was reported: the whole is larger
    if low < high:  # a low end of zero is read as one half, as that of a range is
        yield "log_sd", float(f"{math.log(high / max(low, 0.5)) / RANGE_SPAN:.4g}")


def _make_case(title: str, start: dt.date, end: dt.date) -> CaseFile:
    return CaseFile.model_validate(
        {
            "schema": 1,
            "title": f"Deaths in organised violence: {title}"[:MAX_LABEL] if title else "Deaths in organised violence",
            "start": start,
            "end": end,
            "bin_days": choose_bin_days(start, end),
            "forces": {"all": {"label": "All who died", "outcomes": ("killed",), "victims": "mixed"}},
            "sources": {"ucdp": {"label": "Uppsala Conflict Data Program", "role": ("independent",)}},
        }
    )
