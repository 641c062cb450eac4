"""A map of a table's columns: what each means here, in a TOML file that a person writes, or that is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sim.case.case import Key, Role, Source
from sim.case.claims import Claim
from sim.errors import InputError, describe_error, list_some, quote_value, refuse
from sim.system.reading import is_file, read_toml
from sim.system.sheets.cells import Dates
from sim.system.tables import tidy_text

MAPS = files("sim") / "importers" / "maps"
GUESS = "guess"
DAYS = ("as_of", "since", "published")
NUMBERS = ("low", "value", "high")
FREE = ("key", "note", "url", "report", "phrase", "speaker")  # columns that a table may lack
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


def _join_keys(value: Any) -> Any:
    """Return a table of tables as one: killed of [wide.north] is "north.killed"."""
    if not isinstance(value, dict):
        return value
    parts = (
        {f"{key}.{inner}": names for inner, names in named.items()} if isinstance(named, dict) else {key: named}
        for key, named in value.items()
    )
    return {key: names for part in parts for key, names in part.items()}


def _check_counted(named: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for key in named:
        if not re.fullmatch(r"([a-z][a-z0-9_]{0,59}\.)?[a-z][a-z0-9_]{0,59}|[a-z][a-z0-9_]{0,59}\.\*", key):
            raise ValueError(f"{quote_value(key)} is neither killed, nor north.killed or north.*, in small letters")
    return named


Counted = Annotated[dict[str, Names], BeforeValidator(_join_keys), AfterValidator(_check_counted)]
Column = Literal[
    "id", "key", "source", "speaker", "force", "quantity", "measure", "as_of", "since", "published", "qualifier",
    "low", "value", "high", "unit", "of", "digits", "log_sd", "statement", "report", "url", "phrase", "note",
]  # fmt: skip


class TableMap(BaseModel):
    """What the columns of a table mean (see `docs/formats.md`).

    Attributes
    ----------
    columns : dict
        From a column of `claims.csv` to theirs, or to the names that it may have; `key` tells rows apart.
    wide : dict
        From a quantity to a column that counts it: each makes a row of its own. `north.killed` is that of a force, and
        `north.*` counts what the row says.
    low, high : dict
        From a quantity to the columns of its least and most, of a table that has columns for several.
    constants : dict
        What every row has.
    values : dict
        By column of `claims.csv`, from what theirs says to what is meant; empty leaves the row out.
    within : tuple of str
        Columns whose values are looked for inside the cell.
    filters : dict
        By column of theirs, the values of rows that are kept.
    dates, decimal
        How days such as 03/04/2025 and numbers such as 1.500 are meant.
    sum : {"", "all", "year", "month", "week"}
        Each row is an event, or a person: `all` adds them up to one count by the last day, the others to intervals.
    keep : {"", "last"}
        Of a list that grows, its last state alone.
    first, last : date, optional
        The days of rows that are kept.
    scale : dict
        By column of theirs, in units of how many it counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    format: Literal["", "ucdp"] = ""
    columns: dict[Column, Names] = {}
    wide: Counted = {}
    low: Counted = {}
    high: Counted = {}
    constants: dict[str, str] = {}
    values: dict[Column, dict[str, str]] = {}
    within: tuple[Column, ...] = ()
    filters: dict[str, Names] = {}
    dates: Dates | None = None
    decimal: Literal[",", "."] | None = None
    sum: Literal["", "all", "year", "month", "week"] = ""
    keep: Literal["", "last"] = ""
    first: dt.date | None = None
    last: dt.date | None = None
    scale: dict[str, Annotated[float, Field(gt=0, le=1e12)]] = {}
    forces: dict[Key, str] = {}
    sources: dict[Key, Source] = {}


def list_maps() -> list[str]:
    """Return the names of the maps that come with the program."""
    names = (Path(entry.name) for entry in MAPS.iterdir())
    return sorted(name.stem for name in names if name.suffix == ".toml" and name.stem != GUESS)


def read_map(argument: str) -> TableMap:
    """Read a map: a file, or by its name one that comes with the program.

    Raises
    ------
    InputError
        Where there is none, or it says nothing of a table.
    """
    shipped = argument in list_maps()
    path = Path(str(MAPS / f"{argument}.toml")) if shipped else Path(argument)
    if not shipped and not is_file(path):
        problem = f"no map is called {quote_value(argument)}"
        raise refuse("--map", "", problem, f"give a file, or one of {', '.join(list_maps())}")
    try:
        found = TableMap.model_validate(read_toml(path)[0])
    except ValidationError as error:
        raise InputError(describe_error(item, path.name, "") for item in error.errors(include_url=False)) from None
    if (
        not found.format
        and not (found.wide or found.low or found.high)
        and not (set(found.columns) | set(found.constants)) & set(NUMBERS)
    ):
        raise refuse(path.name, "columns", "names no column of a number", "add value, low and high, or [wide]")
    unknown = sorted(set(found.constants) - set(Claim.model_fields))
    if unknown:
        raise refuse(
            path.name, "constants", f"{quote_value(unknown[0])} is no column of claims.csv", "see docs/formats.md"
        )
    return found


def find_columns(found: TableMap, header: Sequence[str], file: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the table's columns by ours, and those of a quantity: of its value, low and high.

    Raises
    ------
    InputError
        Where a column of the map is not in the table.
    """
    known = {name.lower() for name in header}
    for table, name in (*(("filters", name) for name in found.filters), *(("scale", name) for name in found.scale)):
        if name.lower() not in known:
            raise refuse("the map", table, f"{quote_value(name)} is no column of {file}", f"use {list_some([*header])}")
    plain = {plain_name(name): name.lower() for name in reversed(header)}
    columns: dict[str, str] = {}
    wide: dict[str, dict[str, str]] = {}
    tables: dict[str, dict[Any, tuple[str, ...]]] = {
        "columns": found.columns, "wide": found.wide, "low": found.low, "high": found.high,
    }  # fmt: skip
    for table, named in tables.items():
        for ours, names in named.items():
            theirs = next((plain[plain_name(name)] for name in names if plain_name(name) in plain), None)
            if theirs is not None and table == "columns":
                columns[ours] = theirs
            elif theirs is not None:
                wide.setdefault(ours, {})["value" if table == "wide" else table] = theirs
            elif table != "columns" or (ours not in FREE and ours not in found.constants):
                problem = f"{' or '.join(map(quote_value, names))} is no column of {file}"
                day = "say --as-of 2024-05-31, or " if ours == "as_of" else ""
                raise refuse("the map", f"{table}.{ours}", problem, f"{day}use {list_some([*header])}")
    return columns, wide


def plain_name(name: str) -> str:
    """Return a column's name however it is parted: "Date Start", date.start and DateStart are date_start."""
    return re.sub(r"[\s_.-]+", "", tidy_text(name).lower()) or name


def set_day(found: TableMap, as_of: dt.date | None) -> TableMap:
    """Return a map by which rows that do not say their day are of `as_of`."""
    return found if as_of is None else found.model_copy(update={"constants": {**found.constants, "as_of": str(as_of)}})


def set_span(found: TableMap, span: tuple[dt.date | None, dt.date | None]) -> TableMap:
    """Return a map that keeps the rows of these days alone; None leaves what it says."""
    named = {name: day for name, day in zip(("first", "last"), span, strict=True) if day is not None}
    if named and found.format:
        raise refuse("--first", "", "says nothing of UCDP's events", "leave the rows of other days out of the table")
    return found.model_copy(update=named)


ANY_ROLE: tuple[Role, ...] = ("own", "ally_of_own", "adversary", "ally_of_adversary", "independent")


def as_source(label: str) -> dict[str, Any]:
    """Return a source of which nobody has told on whose side it is."""
    return {"label": label, "role": ANY_ROLE}
