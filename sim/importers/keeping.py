"""Which rows of a mapped table are kept, over which days, and in which units they count."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from sim.case.case import MAX_DAYS
from sim.case.claims import Claim
from sim.errors import quote_value, refuse
from sim.importers import LeftOut
from sim.importers.counts import find_unit
from sim.importers.mapping import NUMBERS, TableMap
from sim.system.tables import tidy_text

type Cells = dict[str, Any]  # of a claim that is not checked yet, by its columns


def find_units(
    found: TableMap, columns: dict[str, str], wide: dict[str, dict[str, str]], header: list[str], file: str
) -> dict[str, dict[str, float]]:
    """Return the units of numbers that are not counted one by one, by quantity and by low, value or high.

    Raises
    ------
    InputError
        Where a header says a unit, and the map does not.
    """
    said = {name.lower(): unit for name, unit in found.scale.items()}
    ends = {"": {name: columns[name] for name in NUMBERS if name in columns}, **wide}
    for theirs in dict.fromkeys(name for named in ends.values() for name in named.values()):
        unit = find_unit(theirs)[0]
        if unit > 1 and theirs not in said:
            written = next(name for name in header if tidy_text(name).lower() == theirs)
            remedy = f"add to the map: [scale] {json.dumps(written, ensure_ascii=False)} = {unit:.0f}, or 1"
            raise refuse(file, "row 1", f"the header {quote_value(written)} says units of {unit:,.0f}", remedy)
    return {
        ours: {end: said[theirs] for end, theirs in named.items() if theirs in said} for ours, named in ends.items()
    }


def keep_days(drafts: list[Cells], found: TableMap, left: LeftOut) -> list[Cells]:
    """Return the rows within the days of the map; those of no day stay."""
    kept = []
    for draft in drafts:
        day = draft.get("as_of") or draft.get("published")
        if day and found.first and day < found.first:
            left.add(draft["row"], f"before {found.first}, the map's first day", draft.get("value") or 0.0)
        elif day and found.last and day > found.last:
            left.add(draft["row"], f"after {found.last}, the map's last day", draft.get("value") or 0.0)
        else:
            kept.append(draft)
    return kept


def keep_last(drafts: list[Cells], left: LeftOut) -> list[Cells]:
    """Return the last state of each list; the earlier ones are left out."""

    def key(draft: Cells) -> tuple[Any, ...]:
        return draft["source"], draft["force"], draft["quantity"]

    last: dict[tuple[Any, ...], dt.date] = {}
    for draft in drafts:
        last[key(draft)] = max(last.get(key(draft), dt.date.min), draft.get("as_of") or draft["published"])
    kept = []
    for draft in drafts:
        if (draft.get("as_of") or draft["published"]) == last[key(draft)]:
            kept.append(draft)
        else:
            left.add(draft["row"], "an earlier state of the same list", 0.0)
    return kept


def check_span(claims: tuple[Claim, ...], start: dt.date, file: Path) -> None:
    """Refuse a table of more days than a case may have, before it is written."""
    last = max(claims, key=lambda claim: claim.as_of)
    begun = min([start, *(claim.since or claim.as_of for claim in claims)])
    if (last.as_of - begun).days > MAX_DAYS:
        problem = f"spans {begun} to {last.as_of} (row {last.row}), more than {MAX_DAYS:,} days"
        raise refuse(file.name, "", problem, "keep those of one war: --first 2022-02-24, --last 2024-05-31, or both")
