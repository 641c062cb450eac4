"""The table of Radford et al. 2023: some 4,600 reports of losses in the first year of Russia's war on Ukraine.

One row is what one side, country or kind of source said of one category of losses of one country, since the invasion
or on one day. The table was collected by hand and written by R: whole rows come twice, and some counts stand under
another day, category or country than their own. It is the replication data of an article (doi 10.1073/pnas.2307372120)
and does not change, so a cell that it cannot hold is refused; nothing in it is mended.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from sim.case.case import DEFAULT_TOTALS, CaseFile
from sim.case.claims import MAX_NUMBER, Claim
from sim.errors import MAX_FAULTS, Fault, InputError, quote_value, refuse
from sim.importers import Imported, name_apart, read_names
from sim.system.tables import read_rows, tidy_text

URL = "https://doi.org/10.1073/pnas.2307372120"
TABLE = "replication-data-pnas.csv of Radford et al. 2023"
COLUMNS = ("days", "loss_count", "claim_source", "time_frame", "loss_country", "minimum", "maximum", "category")
START = dt.date(2022, 2, 24)
DAYS = 365
MOST_ROWS = 10_000  # the table has 4,609
FORCES = {"russia": "Russian forces", "ukraine": "Ukrainian forces", "ukraine_civilians": "Ukrainian civilians"}
MEASURES = {"Cumulative": "cumulative", "Day": "interval"}
QUALIFIERS = {("0", "0"): "about", ("1", "0"): "at_least", ("0", "1"): "at_most"}

NAMES = read_names(__file__)
SOURCES: dict[str, dict[str, str]] = NAMES["sources"]
CATEGORIES: dict[str, str] = NAMES["categories"]
TOTALS: dict[str, list[str]] = NAMES["totals"]
# By source, country and category, day, count.
SLIPS: dict[tuple[str, str, str, int, int], str] = {
    (row["source"], row["country"], row["category"], row["day"], row["count"]): slip["why"]
    for slip in NAMES["slips"]
    for row in slip["rows"]
}

# A count since the invasion does not fall. But sources round and report late, and a key stands for many speakers: only
# a factor of five against the median of what the same source said on at least five days of a fortnight is a slip.
NEAR_DAYS, MIN_DAYS, FACTOR = 14, 5, 5
TOO_LOW = "slip: under a fifth of what the source had counted in the fortnight before, so no count since the invasion"
TOO_HIGH = "slip: over five times what the source counted in the fortnight after, so no count since the invasion"
NOT_OF_A_DAY = "slip: the source's count since the invasion, which had begun before this day"

# R writes the shorter of the plain and the scientific form: "1e+05" is how it spells 100,000, and the table has no
# "100000". So the form tells nothing of the digits meant, and `digits` stays empty: the rounding of `about` holds.
_COUNT = re.compile(r"\d{1,16}|\d(\.\d{1,15})?e\+\d{2}", re.ASCII)

REMARKS = (
    "Reports of losses in the first year of Russia's war on Ukraine, collected by B. J. Radford and others (PNAS 2023,",
    f"{URL}; MIT licence), as read by `truetoll import`.",
    "Day 1 is 24 February 2022. minimum = 1 is at_least, maximum = 1 at_most, every other number about; Day is of that",
    "day alone, Cumulative since the invasion. Excluded are rows that repeat another in every cell, and counts that",
    "cannot be what their row says (exclude begins with 'slip'); nothing is mended. 1e+05 is R's spelling of 100000.",
    "What the table does not tell: who spoke (a source is a side, a country or a kind of source, and may contradict",
    "itself), where it was read, when it was published (here as_of), which rows were said in one breath or repeat",
    "another source (each counts by itself), and which at_least and at_most of one day are the ends of one range.",
    "Odd, but used as it stands: Ukrainian counts of days 2 and 3 as losses of that day alone; military deaths of days",
    "39, 46 and 74 that look like all casualties, with armoured vehicles among the tanks; Ukrainian counts of days 11,",
    "13 (748, 900 tanks) and 83 (3134 tanks); 17000 Ukrainian dead on day 37; at least 7500 tanks on day 255.",
)


@dataclass(frozen=True)
class _Row:
    """A row of the table; `said` holds its cells in the order of COLUMNS."""

    number: int
    said: tuple[str, ...]
    day: int
    count: int
    source: str
    force: str
    quantity: str
    measure: str
    qualifier: str

    @property
    def topic(self) -> tuple[str, ...]:
        return self.source, self.force, self.quantity


def read_foreign(file: Path) -> Imported:
    """Read the replication data of Radford et al. 2023.

    Parameters
    ----------
    file : Path
        `replication-data-pnas.csv`, as its authors publish it.

    Returns
    -------
    Imported
        A claim for each row, in the table's order; exact duplicates and slips are excluded, none is left out.

    Raises
    ------
    InputError
        With every fault of the file: another layout, or a cell that the table cannot hold.
    """
    rows: list[_Row] = []
    faults: list[Fault] = []
    for number, cells in read_rows(file, COLUMNS, f"the {TABLE}", MOST_ROWS):
        found = list(_check_cells(cells))
        faults += [
            Fault(file.name, f"row {number}, column {column}", f"{quote_value(cells.get(column, ''))} {what}", remedy)
            for column, what, remedy in found
        ]
        rows += [] if found else [_parse_row(number, cells)]
        if len(faults) > MAX_FAULTS:
            break
    if faults:
        raise InputError(faults)
    if not rows:
        raise refuse(file.name, "", "has no rows", f"give the {TABLE}")
    claims = tuple(_make_claims(rows, tidy_text(file.name)))
    return Imported(_make_case(rows), claims, (), REMARKS)


def _check_cells(cells: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Return of each cell that the table cannot hold the column, what is wrong, and what to do."""
    lacking = [name for name in COLUMNS if name not in cells]
    if lacking:
        yield lacking[0], "is missing: the row ends before it", "fetch the file again"
        return
    if not re.fullmatch(r"\d{1,3}", cells["days"], re.ASCII) or not 1 <= int(cells["days"]) <= DAYS:
        yield "days", f"is no day of the table's year, 1 to {DAYS}", "fetch the file again"
    if _parse_count(cells["loss_count"]) is None:
        yield "loss_count", "is no count", "write a whole number of digits, zero or more"
    known: tuple[tuple[str, Sequence[str]], ...] = (
        ("claim_source", tuple(SOURCES)), ("time_frame", tuple(MEASURES)), ("loss_country", ("Russia", "Ukraine")),
        ("category", tuple(CATEGORIES)), ("minimum", ("0", "1")), ("maximum", ("0", "1")),
    )  # fmt: skip
    for column, values in known:
        if cells[column] not in values:
            yield column, f"is no {column} of the table", f"use {', '.join(values)}"
    if cells["minimum"] == cells["maximum"] == "1":
        yield "maximum", "is set beside minimum: a number is not both at least and at most", "set one of them to 0"
    if cells["category"].startswith("Civilian ") and cells["loss_country"] == "Russia":
        yield "category", "is told of Russia: the case has Ukraine's civilians alone", "take the row out"


def _parse_count(text: str) -> int | None:
    number = Decimal(text) if _COUNT.fullmatch(text) else None
    if number is None or number > Decimal(MAX_NUMBER) or number != number.to_integral_value():
        return None
    return int(number)


def _parse_row(number: int, cells: dict[str, str]) -> _Row:
    civilian = cells["category"].startswith("Civilian ")
    return _Row(
        number=number,
        said=tuple(cells[name] for name in COLUMNS),
        day=int(cells["days"]),
        count=_parse_count(cells["loss_count"]) or 0,
        source=cells["claim_source"],
        force="ukraine_civilians" if civilian else cells["loss_country"].lower(),
        quantity=CATEGORIES[cells["category"]],
        measure=MEASURES[cells["time_frame"]],
        qualifier=QUALIFIERS[cells["minimum"], cells["maximum"]],
    )


def _make_claims(rows: Sequence[_Row], file: str) -> Iterator[Claim]:
    taken: dict[str, int] = {}
    first: dict[tuple[str, ...], str] = {}
    series: dict[tuple[str, ...], list[_Row]] = {}
    for row in {row.said: row for row in rows}.values():
        series.setdefault(row.topic, []).append(row)
    for row in rows:
        day = START + dt.timedelta(days=row.day - 1)
        alone = row.measure == "interval"
        name = name_apart(f"{SOURCES[row.source]['key']}-{row.force}-{row.quantity}-{day}{'-day' * alone}", taken)
        written = row.said[COLUMNS.index("loss_count")]
        kept = first.setdefault(row.said, name)
        yield Claim.model_validate(
            {
                "id": name,
                "source": SOURCES[row.source]["key"],
                "speaker": row.source,
                "force": row.force,
                "quantity": row.quantity,
                "measure": row.measure,
                "since": day if alone else None,
                "published": day,
                "qualifier": row.qualifier,
                "value": row.count,
                "report": f"{file}, row {row.number}",
                "url": URL,
                "note": "" if written.isdigit() else f"the table writes {written}",
                "exclude": _tell_slip(row, series[row.topic]) if kept == name else f"exact duplicate of {kept}",
            }
        )


def _tell_slip(row: _Row, others: Sequence[_Row]) -> str:
    """Return why a row is certainly a slip, or nothing; `others` are of its source, force and quantity."""
    counts = [other for other in others if other.measure == "cumulative" and other.qualifier == "about"]
    if row.measure == "interval":
        begun = any(other.day < row.day and other.count for other in counts)
        whole = any((other.day, other.count) == (row.day, row.count) for other in counts)
        return NOT_OF_A_DAY if begun and whole else ""
    if row.qualifier != "about":
        return ""
    before = [other for other in counts if 0 < row.day - other.day <= NEAR_DAYS]
    after = [other for other in counts if 0 < other.day - row.day <= NEAR_DAYS]
    if _has_days(before) and row.count * FACTOR < median(other.count for other in before):
        return TOO_LOW
    if _has_days(after) and row.count > FACTOR * median(other.count for other in after):
        return TOO_HIGH
    _, _, source, _, country, _, _, category = row.said
    return SLIPS.get((source, country, category, row.day, row.count), "")


def _has_days(rows: Sequence[_Row]) -> bool:
    return len({row.day for row in rows}) >= MIN_DAYS


def _make_case(rows: Sequence[_Row]) -> CaseFile:
    """Make a case of the forces, outcomes and sources that the rows name; the parts of a named total are outcomes."""
    named: dict[str, set[str]] = {}
    for row in rows:
        parts = {**DEFAULT_TOTALS, **TOTALS}.get(row.quantity, (row.quantity,))
        named.setdefault(row.force, set()).update(parts)
    forces: dict[str, Any] = {
        key: {
            "label": label,
            "outcomes": [name for name in dict.fromkeys(CATEGORIES.values()) if name in named[key]],
            "victims": "civilians" if key == "ukraine_civilians" else "military",
        }
        for key, label in FORCES.items()
        if key in named
    }
    sources: dict[str, Any] = {}
    for name, item in SOURCES.items():
        roles = {force: item["russia" if force == "russia" else "ukraine"] for force in forces}
        if any(row.source == name for row in rows):
            role = "independent" if item["russia"] == "independent" else roles
            sources[item["key"]] = {"label": item["label"], "role": role}
    end = START + dt.timedelta(days=DAYS - 1)
    return CaseFile.model_validate(
        {
            "schema": 1,
            "title": "Losses in the first year of Russia's war on Ukraine",
            "start": START,
            "end": end,
            "as_of": end,
            "bin_days": 14,
            "forces": forces,
            "totals": {name: parts for name, parts in TOTALS.items() if any(row.quantity == name for row in rows)},
            "sources": sources,
        }
    )
