"""Any table as a case, by a map of its columns; what is left out is counted by reason."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sim.case.case import DEFAULT_TOTALS, MAX_LABEL, PERSONNEL, CaseFile
from sim.case.claims import Claim, Day, check_row
from sim.case.observations import RANGE_SPAN
from sim.errors import describe_error, quote_value, refuse
from sim.importers import Imported, LeftOut, choose_bin_days, name_apart, read_table
from sim.importers.counts import guess_count, read_numbers, show_decimal, split_cell, strip_notes
from sim.importers.keeping import check_span, find_units, keep_days, keep_last
from sim.importers.mapping import NUMBERS, TableMap, as_source, find_columns
from sim.importers.published import read_published
from sim.system.sheets.cells import CellReader, Dates, TwoReadings
from sim.system.tables import tidy_text

MOST_ROWS = 300_000
DAYS = ("as_of", "since", "published")
_BEFORE_DAY = re.compile(r"\A.*(?:[–—]|\s-\s|\b(?:to|until|till|by|as of|since|on)\b)", re.IGNORECASE | re.DOTALL)
_parse_day = TypeAdapter(Day).validate_python
type Cells = dict[str, Any]  # of a claim that is not checked yet, by its columns


def read_mapped(file: Path, found: TableMap, dates: Dates | None = None) -> Imported:
    """Read a table by a map of its columns; `dates` stands in the place of the map's own.

    Raises
    ------
    InputError
        Where it cannot be read, lacks a column of the map, has a cell of two readings, or no row that can be a claim.
    """
    if found.format:
        return read_table(found.format, file, dates or found.dates)
    grid, _ = read_published(file, [name for names in found.columns.values() for name in names], MOST_ROWS)
    header = [tidy_text(name).lower() for name in grid.header]
    columns, wide = find_columns(found, header, file.name)
    units = find_units(found, columns, wide, grid.header, file.name)
    rows = [(number, dict(zip(header, map(tidy_text, cells), strict=False))) for number, cells in grid.rows]
    shown = [*columns.items(), *(item for ends in wide.values() for item in ends.items())]
    named = [{ours: cells.get(theirs, "")} for _, cells in rows for ours, theirs in shown]
    decimal = found.decimal or show_decimal(cells.get(name, "") for cells in named for name in NUMBERS)
    reader = CellReader(named, grid.separator, dates or found.dates, decimal)
    left = LeftOut("rows")
    labels: dict[str, dict[str, str]] = {"source": {}, "force": {}}
    drafts: list[Cells] = []
    for number, cells in rows:
        try:
            for draft in _read_row(cells, found, columns, wide, units, reader, labels):
                if isinstance(draft, tuple):
                    left.add(number, *draft)
                else:
                    drafts.append({**draft, "row": number})
        except TwoReadings as two:
            remedy = 'say dates = "day-first" or decimal = "." in the map'
            raise refuse(file.name, f"row {number}", f"a cell {two.problem}", remedy) from None
    drafts = keep_days(drafts, found, left)
    drafts = keep_last(drafts, left) if found.keep else drafts
    wording = found.constants.get("qualifier", "counted" if found.sum == "all" else "")
    claims, start = _make_claims(_add_up(drafts, found.sum, wording) if found.sum else drafts, file, left)
    if not claims:
        undated = "no row has a day: say --as-of 2024-05-31, or give another map" if drafts else "give another map"
        raise refuse(file.name, "", "has no row that can be a claim", left.say() or undated)
    check_span(claims, start, file)
    told = tuple(f"{quote_value(name)} counts in units of {unit:,.10g}" for name, unit in found.scale.items())
    assumed = (*grid.remarks, *reader.remarks, *told)
    remarks = (f"From {quote_value(file.name)}, by a map of its columns.", *assumed)
    return Imported(_make_case(claims, start, found, labels), claims, left.lines, remarks, assumed)


def _read_row(
    cells: dict[str, str], found: TableMap, columns: dict[str, str], wide: dict[str, dict[str, str]],
    units: dict[str, dict[str, float]], reader: CellReader,
    labels: dict[str, dict[str, str]],
) -> Iterator[Cells | tuple[str, float]]:  # fmt: skip
    """Yield the cells of each claim that a row makes, or why it makes none and how many it counts."""
    raw = {ours: cells.get(theirs, "") for ours, theirs in columns.items()}
    counts = [cells.get(next(iter(ends.values())), "") for ends in wide.values()] or [
        raw.get("value") or found.constants.get("value", "")
    ]
    counted = sum(map(guess_count, counts))
    for theirs, kept in found.filters.items():
        if "*" not in kept and cells.get(theirs.lower(), "").lower() not in {each.lower() for each in kept}:
            yield f"{theirs} is filtered out", counted
            return
    given: Cells = {**found.constants, **{name: cell for name, cell in raw.items() if cell}}
    for name, table in found.values.items():
        if name == "quantity" and name in found.within:
            continue  # each number of the cell has words of its own
        value = _look_up(str(given.get(name, "")), table, inside=name in found.within)
        if not value:
            yield f"{name} is not in the map's values, or is left out by it", counted
            return
        given[name] = value
    try:
        given |= {name: _read_day(name, given[name], reader) for name in DAYS if isinstance(given.get(name), str)}
    except ValueError:
        yield "a day cannot be read", counted
        return
    if "as_of" not in given and "published" not in given and found.sum != "all":
        yield "has no day", counted
        return
    for name in ("source", "force"):
        plain = strip_notes(str(given.get(name, "")))
        given[name] = _name_key(plain or "unknown", labels[name])
    for column, quantity, texts in _list_numbers(given, found, _fill(wide, cells)):
        force = column.rpartition(".")[0]
        key = _slug(quantity)
        wording, scales = str(given.get("qualifier", "")), units.get(column, {})
        said = read_numbers(texts, reader, wording, scales) if key else "has no quantity that is known"
        if isinstance(said, str):
            yield said, guess_count(texts.get("value", ""))
        else:
            row = {name: cell for name, cell in given.items() if name not in NUMBERS}
            yield {**row, **said, "quantity": key, **({"force": force} if force else {})}


def _fill(wide: dict[str, dict[str, str]], cells: dict[str, str]) -> dict[str, dict[str, str]]:
    return {ours: {end: cells.get(theirs, "") for end, theirs in ends.items()} for ours, ends in wide.items()}


def _list_numbers(
    given: Cells, found: TableMap, wide: dict[str, dict[str, str]]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield what a row counts: the key of its column, of what, and the cells that say how many."""
    table = found.values.get("quantity", {})
    for key, texts in (wide or {"": {name: str(given.get(name, "")) for name in NUMBERS}}).items():
        quantity = key.rpartition(".")[2]
        if wide and not any(texts.values()):
            continue
        if quantity not in ("", "*"):
            yield key, quantity, texts
        elif "quantity" in found.within:
            for words, number in split_cell(strip_notes(texts.get("value", ""))):
                yield key, _look_up(words, table, inside=True), {"value": number}
        else:
            yield key, str(given.get("quantity", "")), texts


def _read_day(name: str, text: str, reader: CellReader) -> dt.date:
    """Return the day in a cell; of a span of time the last."""
    plain = strip_notes(text)
    day = reader.read(name, plain)
    if day == plain:
        day = reader.read(name, _BEFORE_DAY.sub("", plain).strip())
    parsed: dt.date = _parse_day(day)
    return parsed


def _look_up(text: str, table: dict[str, str], *, inside: bool) -> str:
    lower = text.lower()
    if inside:
        return next((ours for theirs, ours in table.items() if theirs.lower() in lower), table.get("*", ""))
    known = {theirs.lower(): ours for theirs, ours in table.items()}
    found = known.get(lower, known.get("*", ""))
    return text if found == "*" else found


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]
    return key if not key or key[0].isalpha() else f"x_{key}"[:60]


def _name_key(text: str, labels: dict[str, str]) -> str:
    key = _slug(text) or "unknown"
    labels.setdefault(key, text[:MAX_LABEL])
    return key


def _add_up(drafts: list[Cells], span: str, wording: str) -> list[Cells]:
    """Return the events of a source, a force and a quantity as one row, or as intervals of a week, month or year."""
    days = [day for draft in drafts if (day := draft.get("as_of") or draft.get("published"))]
    if not days:
        return []
    groups: dict[tuple[Any, ...], list[Cells]] = defaultdict(list)
    for draft in drafts:
        spell = (min(days), max(days)) if span == "all" else _spell(draft.get("as_of") or draft["published"], span)
        groups[draft["source"], draft["force"], draft["quantity"], *spell].append(draft)
    out = []
    for (source, force, quantity, first, last), group in sorted(groups.items(), key=lambda item: item[0][3]):
        low, value, high = (sum(_end(draft, name) for draft in group) for name in NUMBERS)
        row: Cells = {
            "source": source, "force": force, "quantity": quantity, "as_of": last, "published": last,
            "qualifier": wording or group[0]["qualifier"], "value": value, "row": group[0]["row"], "first": first,
            "report": f"{len(group)} event{'s' if len(group) > 1 else ''} from row {group[0]['row']}",
            **({} if span == "all" else {"measure": "interval", "since": first}),
        }  # fmt: skip
        if low < high and row["qualifier"] == "counted":
            row["log_sd"] = float(f"{math.log(high / max(low, 0.5)) / RANGE_SPAN:.4g}")
        elif low < high:
            row = {**row, "qualifier": "range", "low": low, "high": high, "value": None}
        out.append(row)
    return out


def _end(draft: Cells, name: str) -> float:
    """Return the least, best or most of an event; what is not told is the best, which of a range is the middle."""
    low, value, high = (draft.get(each) for each in NUMBERS)
    best = value if value is not None else ((low or 0.0) + (high or 0.0)) / 2
    given = draft.get(name)
    return float(best if given is None else given)


def _spell(day: dt.date, span: str) -> tuple[dt.date, dt.date]:
    if span == "week":
        first = day - dt.timedelta(days=day.weekday())
        return first, first + dt.timedelta(days=6)
    if span == "year":
        return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)
    first = day.replace(day=1)
    after = dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - dt.timedelta(days=1)


def _make_claims(drafts: list[Cells], file: Path, left: LeftOut) -> tuple[tuple[Claim, ...], dt.date]:
    """Return the claims of rows that keep the rules of one, and the first day that any of them speaks of."""
    taken: dict[str, int] = {}
    claims: list[Claim] = []
    started: list[dt.date] = []
    for draft in drafts:
        day = draft.get("as_of") or draft["published"]
        first = draft.pop("first", day)
        cells = {name: cell for name, cell in draft.items() if cell not in (None, "") and name != "key"}
        cells.setdefault("published", day)
        cells["published"] = max(cells["published"], day)
        cells["id"] = name_apart(f"{draft['source'][:30]}-{day}-{draft['force'][:20]}-{draft['quantity'][:30]}", taken)
        cells.setdefault("report", f"{tidy_text(file.name)}, row {draft['row']}")
        try:
            claim = Claim.model_validate(cells)
        except ValidationError as error:
            fault = describe_error(error.errors(include_url=False)[0], "", "")
            left.add(draft["row"], f"{fault.where} {fault.problem}"[:90], draft.get("value") or 0.0)
            continue
        faults = [f"{column} {problem}" for column, _, problem, _ in check_row(claim)]
        if faults:
            left.add(draft["row"], faults[0], draft.get("value") or 0.0)
        else:
            claims.append(claim)
            started.append(first)
    return tuple(claims), min(started, default=dt.date.max)


def _make_case(
    claims: tuple[Claim, ...], first: dt.date, found: TableMap, labels: dict[str, dict[str, str]]
) -> CaseFile:
    start = min([first, *(claim.since or claim.as_of for claim in claims)])
    end = max(claim.as_of for claim in claims)
    forces: dict[str, dict[str, None]] = defaultdict(dict)
    for claim in claims:
        parts = DEFAULT_TOTALS.get(claim.quantity, (claim.quantity,))
        forces[claim.force] |= dict.fromkeys(part for part in parts if part not in ("deployed", "captured", "missing"))
        forces[claim.force] |= {claim.quantity: None} if claim.quantity in ("captured", "missing") else {}
    sources = {claim.source for claim in claims}
    return CaseFile.model_validate(
        {
            "schema": 1,
            "title": found.title or "A case from a table",
            "start": start,
            "end": end,
            "bin_days": choose_bin_days(start, end),
            "forces": {
                key: {
                    "label": found.forces.get(key) or labels["force"].get(key, key),
                    "outcomes": sorted(outcomes or {"killed": None}, key=_rank_outcome),
                }
                for key, outcomes in forces.items()
            },
            "sources": {
                key: found.sources.get(key) or as_source(labels["source"].get(key, key)) for key in sorted(sources)
            },
        }
    )


def _rank_outcome(name: str) -> tuple[bool, int, str]:
    known = name in PERSONNEL
    return not known, PERSONNEL.index(name) if known else 0, name
