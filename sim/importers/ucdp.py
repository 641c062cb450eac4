"""UCDP's Georeferenced Event Dataset: the deaths of each event of organised violence, as low, best and high.

Events are disjoint, so that what is said of a month (of a week, of a conflict shorter than half a year) is the sum of
its events; such a sum is one claim, an interval. Low and high are read as the ends of the program's own 80% interval
about the best estimate. All deaths count, of either side and of civilians: the table's low and high are of these
together. Whoever wants one conflict filters the table first: all events in the file are one case.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from sim.case.case import MAX_DAYS, MAX_LABEL, CaseFile
from sim.case.claims import Claim, Day, Number
from sim.case.observations import RANGE_SPAN
from sim.errors import quote_value, refuse
from sim.importers import Imported, LeftOut, choose_bin_days
from sim.system.sheets.cells import CellReader, TwoReadings
from sim.system.sheets.grids import read_grid
from sim.system.tables import tidy_text

# Each column, and what it has been called since version 17 and in the candidate events.
COLUMNS = {
    "id": ("id", "event_id", "relid"),
    "date_start": ("date_start", "event_date_start"),
    "date_end": ("date_end", "event_date_end", "date_start"),
    "best": ("best", "best_est", "best_estimate"),
    "high": ("high", "high_est", "high_estimate"),
    "low": ("low", "low_est", "low_estimate"),
    "conflict_name": ("conflict_name", "conflict", "dyad_name"),
}
NEEDED = ("date_start", "best", "high", "low")
MOST_ROWS = 300_000
SHORT = 183  # days of a conflict up to which weeks are summed instead of months
SITE = "https://ucdp.uu.se/downloads/"
REMARKS = (
    "From UCDP's Georeferenced Event Dataset (Sundberg and Melander 2013, doi 10.1177/0022343313484347).",
    "A claim is the sum of the events that began in its days; low and high are read as an 80% interval.",
    "Between them, days without an event in the table are a claim of none.",
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


@dataclass
class _Sum:
    """Sums over the events that began within some days."""

    first: dt.date
    last: dt.date
    low: float = 0
    best: float = 0
    high: float = 0
    events: list[str] = field(default_factory=list)


def read_foreign(file: Path) -> Imported:
    """Read a table of events.

    Parameters
    ----------
    file : Path
        UCDP's CSV, or a part of its rows with the header.

    Raises
    ------
    InputError
        Where the file cannot be read, or is another table.
    """
    left, mended = LeftOut("events"), LeftOut("events")
    events: list[tuple[str, dt.date, dt.date, float, float, float]] = []
    names: set[str] = set()
    rows, reader, remarks = _read_cells(file)
    for row, cells in rows:
        event = _read_event(cells, reader)
        if isinstance(event, str):
            left.add(row, event, _count(cells.get("best", "")))
            continue
        if event.mended:
            mended.add(row, event.mended, event.best)
        events.append((cells.get("id") or f"row {row}", *event[:5]))
        names.add(cells.get("conflict_name", ""))
    if not events:
        raise refuse(file.name, "", "has no event that can be used", left.say() or "give UCDP's table of events")
    days = [day for _, day, *_ in events]
    start, end = min(days), max(*days, *(last for _, _, last, *_ in events))
    if (end - start).days > MAX_DAYS:
        raise refuse(file.name, "", f"spans {start} to {end}", f"give at most {MAX_DAYS} days")
    sums = _add_up(events, start, monthly=(end - start).days >= SHORT)
    sums[-1].last = max(sums[-1].last, end)  # of an event that goes on: its deaths count where it began
    claims = tuple(_make_claim(number, each, file) for number, each in enumerate(_fill_quiet(sums), start=2))
    title = next(iter(names)) if len(names) == 1 else f"{len(names)} conflicts"
    told = tuple(line.replace("left out", "mended") for line in mended.lines)
    case = _make_case(title, start, max(each.last for each in sums))
    return Imported(case, claims, left.lines, (*REMARKS, *remarks, *told))


def _read_cells(file: Path) -> tuple[list[tuple[int, dict[str, str]]], CellReader, tuple[str, ...]]:
    """Return the rows by our names of the columns, and the reader of their days."""
    grid = read_grid(file, [name for names in COLUMNS.values() for name in names], MOST_ROWS)
    header = [tidy_text(name).lower() for name in grid.header]
    found = {ours: [header.index(name) for name in names if name in header] for ours, names in COLUMNS.items()}
    lacking = [name for name in NEEDED if not found[name]]
    if lacking:
        problem = f"the header {quote_value(','.join(header))} does not name {', '.join(lacking)}"
        raise refuse(file.name, "row 1", problem, "give UCDP's table of events with its header, or name another format")
    rows = [
        (number, {ours: tidy_text(cells[places[0]]) for ours, places in found.items() if places})
        for number, cells in grid.rows
    ]
    days = ({"since": cells["date_start"], "as_of": cells.get("date_end", "")} for _, cells in rows)
    reader = CellReader(days, grid.separator)
    return rows, reader, grid.remarks


def _read_event(cells: dict[str, str], reader: CellReader) -> _Event | str:
    """Return an event, or why it cannot be used."""
    try:
        first, last = (
            _parse_day(reader.read("since", cells.get(name, "")[:10])) for name in ("date_start", "date_end")
        )
    except TwoReadings as two:
        return f"a day {two.problem}"
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


def _add_up(events: list[Any], start: dt.date, *, monthly: bool) -> list[_Sum]:
    found: dict[Any, _Sum] = {}
    grouped = defaultdict(list)
    for event in events:
        day = event[1]
        grouped[(day.year, day.month) if monthly else (day - start).days // 7].append(event)
    for key, group in sorted(grouped.items()):
        first, last = _span(key, start)
        total = found.setdefault(key, _Sum(max(first, start), last))
        for name, _, _, low, best, high in group:
            total.low, total.best, total.high = total.low + low, total.best + best, total.high + high
            total.events.append(name)
    return list(found.values())


def _fill_quiet(sums: list[_Sum]) -> Iterator[_Sum]:
    """Yield the sums, and between them the days of which the table knows no event: none was recorded."""
    for before, each in itertools.pairwise([None, *sums]):
        if before is not None and each is not None and (each.first - before.last).days > 1:
            day = dt.timedelta(days=1)
            yield _Sum(before.last + day, each.first - day)
        if each is not None:
            yield each


def _span(key: Any, start: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a month, or of a week counted from the start."""
    if isinstance(key, int):
        first = start + dt.timedelta(days=7 * key)
        return first, first + dt.timedelta(days=6)
    year, month = key
    after = dt.date(year + month // 12, month % 12 + 1, 1)
    return dt.date(year, month, 1), after - dt.timedelta(days=1)


def _make_claim(row: int, total: _Sum, file: Path) -> Claim:
    count = len(total.events)
    if not count:
        return Claim(
            id=f"ucdp-{total.first}-none", source="ucdp", force="all", quantity="killed", measure="interval",
            since=total.first, as_of=total.last, published=total.last, qualifier="exact", value=0,
            report=f"{tidy_text(file.name)}, no event", url=SITE, row=row,
        )  # fmt: skip
    report = f"{tidy_text(file.name)}, {count} event{'s' if count > 1 else ''} from {total.events[0]}"
    return Claim(
        id=f"ucdp-{total.first}", source="ucdp", force="all", quantity="killed", measure="interval",
        since=total.first, as_of=total.last, published=total.last, report=report, url=SITE, row=row,
        **dict(_word(total)),
    )  # fmt: skip


def _word(total: _Sum) -> Iterator[tuple[str, Any]]:
    """Return the cells that say the number: a best estimate with its own error, or what is left of it at zero."""
    if total.best == 0 and total.high > 0:
        yield from (("qualifier", "at_most"), ("value", total.high))
        return
    yield from (("qualifier", "counted"), ("value", total.best))  # of what was reported: the whole is larger
    if total.low < total.high:  # a low end of zero is read as one half, as that of a range is
        yield "log_sd", float(f"{math.log(total.high / max(total.low, 0.5)) / RANGE_SPAN:.4g}")


def _make_case(title: str, start: dt.date, end: dt.date) -> CaseFile:
    return CaseFile.model_validate(
        {
            "schema": 1,
            "title": f"Deaths in organised violence: {title}"[:MAX_LABEL] if title else "Deaths in organised violence",
            "start": start,
            "end": end,
            "bin_days": choose_bin_days(start, end),
            "forces": {"all": {"label": "All who died", "outcomes": ("killed",)}},
            "sources": {"ucdp": {"label": "Uppsala Conflict Data Program", "role": ("independent",)}},
        }
    )
