"""Any table as a case, by a map of its columns; what is left out is counted by reason."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sim.case.case import DEFAULT_TOTALS, MAX_LABEL, PERSONNEL, CaseFile
from sim.case.claims import Claim, Day, check_row
from sim.errors import describe_error, quote_value, refuse
from sim.importers import Imported, LeftOut, choose_bin_days, name_apart, read_table
from sim.importers.mapping import NUMBERS, TableMap, as_source, find_columns
from sim.system.sheets.cells import CellReader, TwoReadings
from sim.system.sheets.grids import read_grid
from sim.system.tables import tidy_text

MOST_ROWS = 300_000
DAYS = ("as_of", "since", "published")
_FOOTNOTE = re.compile(r"\[[^\]]{0,40}\]|\((?:est|estimate|claim)[^)]*\)", re.IGNORECASE)
_NUMBER = r"\d{1,3}(?:[,\u00a0\u202f ]\d{3})+|\d+(?:\.\d+)?"
_CELL = re.compile(
    r"(?P<word>[~≈<>≥≤+]|c\.|up to|at least|more than|over|about|around)?\s*"
    rf"(?P<low>{_NUMBER})(?:\s*(?:[-–—]|to)\s*(?P<high>{_NUMBER}))?(?P<plus>\+)?",
    re.IGNORECASE,
)
_WORDS = {
    "~": "about", "≈": "about", "c.": "about", "about": "about", "around": "about", ">": "at_least", "≥": "at_least",
    "at least": "at_least", "more than": "at_least", "over": "at_least", "+": "at_least",
    "<": "at_most", "≤": "at_most", "up to": "at_most",
}  # fmt: skip
_parse_day = TypeAdapter(Day).validate_python


def read_mapped(file: Path, found: TableMap) -> Imported:
    """Read a table by a map of its columns.

    Raises
    ------
    InputError
        Where it cannot be read, lacks a column of the map, or has no row that can be a claim.
    """
    if found.format:
        return read_table(found.format, file)
    grid = read_grid(file, [name for names in found.columns.values() for name in names], MOST_ROWS)
    header = [tidy_text(name).lower() for name in grid.header]
    columns, wide = find_columns(found, header, file.name)
    rows = [(number, dict(zip(header, map(tidy_text, cells), strict=False))) for number, cells in grid.rows]
    named = ({ours: cells.get(theirs, "") for ours, theirs in columns.items()} for _, cells in rows)
    reader = CellReader(named, grid.separator, found.dates)
    left = LeftOut("rows")
    labels: dict[str, dict[str, str]] = {"source": {}, "force": {}}
    drafts: list[dict[str, Any]] = []
    for number, cells in rows:
        for draft in _read_row(cells, found, columns, wide, reader, labels):
            if isinstance(draft, tuple):
                left.add(number, *draft)
            else:
                drafts.append({**draft, "row": number})
    claims = _make_claims(_add_up(drafts, found.sum) if found.sum else drafts, file, left)
    if not claims:
        raise refuse(file.name, "", "has no row that can be a claim", left.say() or "give another map")
    remarks = (f"From {quote_value(file.name)}, by a map of its columns.", *grid.remarks, *reader.remarks)
    return Imported(_make_case(claims, found, labels), claims, left.lines, remarks)


def _read_row(
    cells: dict[str, str], found: TableMap, columns: dict[str, str], wide: dict[str, str], reader: CellReader,
    labels: dict[str, dict[str, str]],
) -> Iterator[dict[str, Any] | tuple[str, float]]:  # fmt: skip
    """Yield the cells of each claim that a row makes, or why it makes none and how many it counts."""
    raw = {ours: cells.get(theirs, "") for ours, theirs in columns.items()}
    counted = _guess_count(raw.get("value", ""))
    for theirs, kept in found.filters.items():
        if cells.get(theirs.lower(), "").lower() not in {each.lower() for each in kept}:
            yield f"{theirs} is filtered out", counted
            return
    given: dict[str, Any] = {**found.constants, **{name: cell for name, cell in raw.items() if cell}}
    for name, table in found.values.items():
        value = _look_up(str(given.get(name, "")), table, inside=name in found.within)
        if not value:
            yield f"{name} is not in the map's values, or is left out by it", counted
            return
        given[name] = value
    try:
        given |= {name: _parse_day(reader.read(name, given[name])) for name in DAYS if isinstance(given.get(name), str)}
    except (TwoReadings, ValueError) as error:
        yield (f"a day {error.problem}" if isinstance(error, TwoReadings) else "a day cannot be read"), counted
        return
    if "as_of" not in given and "published" not in given:
        yield "has no day", counted
        return
    for name in ("source", "force"):
        given[name] = _name_key(str(given.get(name, "") or "unknown"), labels[name])
    numbers = [(quantity, {"value": cells.get(theirs, "")}) for quantity, theirs in wide.items()]
    numbers = numbers or [(str(given.get("quantity", "")), {name: str(given.get(name, "")) for name in NUMBERS})]
    for quantity, texts in numbers:
        if wide and not texts["value"]:
            continue
        key = _slug(quantity)
        said = _read_numbers(texts, reader, str(given.get("qualifier", ""))) if key else "has no quantity"
        if isinstance(said, str):
            yield said, _guess_count(texts.get("value", ""))
        else:
            yield {**{name: cell for name, cell in given.items() if name not in NUMBERS}, **said, "quantity": key}


def _look_up(text: str, table: dict[str, str], *, inside: bool) -> str:
    lower = text.lower()
    if inside:
        return next((ours for theirs, ours in table.items() if theirs.lower() in lower), table.get("*", ""))
    known = {theirs.lower(): ours for theirs, ours in table.items()}
    return known.get(lower, known.get("*", ""))


def _read_numbers(texts: dict[str, str], reader: CellReader, qualifier: str) -> dict[str, Any] | str:
    """Return the cells that say a number, or why there is none."""
    out: dict[str, Any] = {}
    for name, text in texts.items():
        if not text:
            continue
        try:
            plain = reader.read(name, text)
        except TwoReadings as two:
            return f"a number {two.problem}"
        cell = _CELL.search(_FOOTNOTE.sub("", plain))
        if cell is None:
            return "a number cannot be read"
        number = float(re.sub(r"[,\u00a0\u202f ]", "", cell["low"]))
        if cell["high"] and name == "value":
            return {"qualifier": "range", "low": number, "high": float(re.sub(r"[,\u00a0\u202f ]", "", cell["high"]))}
        word = _WORDS.get((cell["word"] or cell["plus"] or "").lower(), "")
        out |= {name: number, **({"qualifier": word} if word and name == "value" else {})}
    if not out:
        return "has no number"
    if "low" in out and "high" in out:
        if out["low"] > out["high"]:
            return "its low is above its high"
        if out["low"] == out["high"]:
            out = {"value": out["low"]}
        else:
            return {**out, "qualifier": "range"}
    if "value" not in out:
        name = next(iter(out))
        return {"value": out[name], "qualifier": "at_least" if name == "low" else "at_most"}
    return {"value": out["value"], "qualifier": out.get("qualifier") or qualifier or "about"}


def _guess_count(text: str) -> float:
    found = re.search(_NUMBER, text)
    return float(re.sub(r"[,\u00a0\u202f ]", "", found[0])) if found else 0.0


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]
    return key if not key or key[0].isalpha() else f"x_{key}"[:60]


def _name_key(text: str, labels: dict[str, str]) -> str:
    key = _slug(text) or "unknown"
    labels.setdefault(key, text[:MAX_LABEL])
    return key


def _add_up(drafts: list[dict[str, Any]], span: str) -> list[dict[str, Any]]:
    """Return the events of each week or month of a source, a force and a quantity as one row: an interval."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for draft in drafts:
        first, last = _spell(draft.get("as_of") or draft["published"], span)
        groups[draft["source"], draft["force"], draft["quantity"], first, last].append(draft)
    out = []
    for (source, force, quantity, first, last), group in sorted(groups.items(), key=lambda item: item[0][3]):
        low, value, high = (sum(_end(draft, name) for draft in group) for name in NUMBERS)
        row: dict[str, Any] = {
            "source": source, "force": force, "quantity": quantity, "measure": "interval", "since": first,
            "as_of": last, "published": last, "qualifier": group[0]["qualifier"], "value": value,
            "row": group[0]["row"], "report": f"{len(group)} events from row {group[0]['row']}",
        }  # fmt: skip
        if low < high:
            row = {**row, "qualifier": "range", "low": low, "high": high, "value": None}
        out.append(row)
    return out


def _end(draft: dict[str, Any], name: str) -> float:
    given = draft.get(name)
    if given is None:
        given = draft.get("value") if draft.get("value") is not None else draft.get("low")
    return float(given or 0.0)


def _spell(day: dt.date, span: str) -> tuple[dt.date, dt.date]:
    if span == "week":
        first = day - dt.timedelta(days=day.weekday())
        return first, first + dt.timedelta(days=6)
    first = day.replace(day=1)
    after = dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - dt.timedelta(days=1)


def _make_claims(drafts: list[dict[str, Any]], file: Path, left: LeftOut) -> tuple[Claim, ...]:
    """Return the claims of rows that keep the rules of one."""
    taken: dict[str, int] = {}
    claims: list[Claim] = []
    for draft in drafts:
        day = draft.get("as_of") or draft["published"]
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
    return tuple(claims)


def _make_case(claims: tuple[Claim, ...], found: TableMap, labels: dict[str, dict[str, str]]) -> CaseFile:
    start = min(claim.since or claim.as_of for claim in claims)
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
