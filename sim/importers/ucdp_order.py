"""UCDP's events without a header, as some releases come: which column is which, told by what they hold.

Every version since 17 has the days of an event side by side, then the deaths of side a, of side b, of civilians and of
unknown people, then best, high and low in an order that differs. Best is the sum of the four, so that these columns are
known by their numbers alone; what could be read in two ways is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from itertools import permutations

from sim.errors import refuse

# The order of all columns, since version 18 and in the candidate events.
ORDER = (
    "id", "relid", "year", "active_year", "code_status", "type_of_violence", "conflict_dset_id", "conflict_new_id",
    "conflict_name", "dyad_dset_id", "dyad_new_id", "dyad_name", "side_a_dset_id", "side_a_new_id", "side_a",
    "side_b_dset_id", "side_b_new_id", "side_b", "number_of_sources", "source_article", "source_office", "source_date",
    "source_headline", "source_original", "where_prec", "where_coordinates", "where_description", "adm_1", "adm_2",
    "latitude", "longitude", "geom_wkt", "priogrid_gid", "country", "country_id", "region", "event_clarity",
    "date_prec", "date_start", "date_end", "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high",
    "low", "gwnoa", "gwnob",
)  # fmt: skip
PARTS = ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
ENDS = ("best", "high", "low")
LOOKED = 5_000  # rows by which columns are told
SURE = 0.97  # of these, that must be as the column says: a few events have slips
REMEDY = "put the header of its release above the rows: UCDP's codebook of that version has the names in order"
LIKE_A_DAY = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)|\d{1,2}[./-]\d{1,2}[./-]\d{4}", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}(?:\.0+)?", re.ASCII)


def name_columns(rows: Sequence[Sequence[str]], file: str) -> tuple[list[str], str]:
    """Return a name for each column of a table without a header, empty for one that is not needed, and a remark.

    Raises
    ------
    InputError
        Where the days and numbers cannot be told, or in more than one way.
    """
    width = max(map(len, rows))
    columns = [[row[index].strip() if index < len(row) else "" for row in rows[:LOOKED]] for index in range(width)]
    days = {
        index for index, column in enumerate(columns) if _share(bool(LIKE_A_DAY.match(cell)) for cell in column) > SURE
    }
    starts = [index for index in sorted(days) if index + 1 in days and _follow(columns[index], columns[index + 1])]
    found = [(start, order) for start in starts for order in _list_orders(columns, start + 2)]
    if not found:
        what = "has no header, and no columns of days with deaths by side, best, high and low after them"
        raise refuse(file, "row 1", what, REMEDY)
    if len(found) > 1:
        raise refuse(file, "row 1", f"has no header, and its columns can be read in {len(found)} ways", REMEDY)
    ((start, order),) = found
    whole = width == len(ORDER) and start == ORDER.index("date_start")
    if whole and order == ENDS:
        return list(ORDER), "without a header: the columns are read in the order of the dataset"
    names = list(ORDER) if whole else [""] * width
    names[start : start + 2 + len(PARTS) + len(order)] = ["date_start", "date_end", *PARTS, *order]
    if start and not names[0] and len(set(columns[0])) == len(columns[0]):
        names[0] = "id"
    return names, (
        f"without a header: columns {start + 1} and {start + 2} are read as days, and {start + 7} to {start + 9} as "
        f"{', '.join(order)}, by what they hold"
    )


def _list_orders(columns: Sequence[Sequence[str]], first: int) -> list[tuple[str, ...]]:
    """Return in which orders best, high and low may stand after the deaths by side; what is the same counts once."""
    if first + len(PARTS) + len(ENDS) > len(columns):
        return []
    read = [[_read(cell or "0") for cell in columns[first + index]] for index in range(len(PARTS))]
    read += [[_read(cell) for cell in columns[first + len(PARTS) + index]] for index in range(len(ENDS))]
    whole = [row for row in zip(*read, strict=True) if None not in row]
    if len(whole) <= SURE * len(columns[first]):
        return []
    told = any(sum(row[: len(PARTS)]) for row in whole)
    found: dict[tuple[int, ...], tuple[str, ...]] = {}
    for order in permutations(ENDS):
        index = {name: len(PARTS) + number for number, name in enumerate(order)}
        sums = _share(sum(row[: len(PARTS)]) == row[index["best"]] for row in whole)
        inside = _share(row[index["low"]] <= row[index["best"]] <= row[index["high"]] for row in whole)
        if (sums > SURE or not told) and inside > SURE:
            said = tuple(row[index[name]] for row in whole for name in ENDS)
            found.setdefault(said, order)
    return list(found.values())


def _read(cell: str) -> int | None:
    return int(float(cell)) if _WHOLE.fullmatch(cell) else None


def _follow(starts: Sequence[str], ends: Sequence[str]) -> bool:
    """Return whether no event ends before it begins, as far as days are written in the order of the calendar."""
    pairs = [(_find_day(start), _find_day(end)) for start, end in zip(starts, ends, strict=True)]
    return _share(start <= end for start, end in pairs if start and end) > SURE


def _find_day(cell: str) -> dt.date | None:
    found = LIKE_A_DAY.match(cell)
    try:
        return dt.date(*map(int, found.groups())) if found and found[1] else None
    except ValueError:
        return None


def _share(found: Iterable[bool]) -> float:
    """Return how many of them hold; all, where there is none."""
    each = list(found)
    return sum(each) / len(each) if each else 1.0
