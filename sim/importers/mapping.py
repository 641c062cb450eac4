"""A map of a table's columns: what each means here, in a TOML file that a person writes, or that is guessed."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from sim.case.case import Key, Role, Source
from sim.case.claims import Claim
from sim.errors import InputError, describe_error, list_some, quote_value, refuse
from sim.system.reading import is_file, read_toml
from sim.system.sheets.cells import Dates
from sim.system.sheets.grids import read_grid
from sim.system.tables import tidy_text

MAPS = files("sim") / "importers" / "maps"
GUESS = "guess"
DAYS = ("as_of", "since", "published")
NUMBERS = ("low", "value", "high")
FREE = ("key", "note", "url", "report", "phrase", "speaker")  # columns that a table may lack
EVENTS = ("latitude", "longitude", "lat", "lon", "incident", "incident_id", "incident_date")
THINGS = ("system", "equipment", "model", "vehicle", "vehicle_type", "weapon", "tail_number", "hull_number")
NAMES = ("name", "full_name", "surname", "last_name", "family_name", "first_name", "given_name", "nombre", "nom")

Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
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
        From a quantity to a column that counts it: each makes a row of its own.
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
    sum : {"", "all", "month", "week"}
        Each row is an event, or a person: `all` adds them up to one count by the last day, the others to intervals.
    keep : {"", "last"}
        Of a list that grows, its last state alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    format: Literal["", "ucdp"] = ""
    columns: dict[Column, Names] = {}
    wide: dict[Key, Names] = {}
    constants: dict[str, str] = {}
    values: dict[Column, dict[str, str]] = {}
    within: tuple[Column, ...] = ()
    filters: dict[str, Names] = {}
    dates: Dates | None = None
    decimal: Literal[",", "."] | None = None
    sum: Literal["", "all", "month", "week"] = ""
    keep: Literal["", "last"] = ""
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
    if not found.format and not found.wide and not (set(found.columns) | set(found.constants)) & set(NUMBERS):
        raise refuse(path.name, "columns", "names no column of a number", "add value, low and high, or [wide]")
    unknown = sorted(set(found.constants) - set(Claim.model_fields))
    if unknown:
        raise refuse(
            path.name, "constants", f"{quote_value(unknown[0])} is no column of claims.csv", "see docs/formats.md"
        )
    return found


def find_columns(found: TableMap, header: Sequence[str], file: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the table's columns by ours, and those of [wide] by quantity.

    Raises
    ------
    InputError
        Where a column of the map is not in the table.
    """
    known = {name.lower() for name in header}
    for name in found.filters:
        if name.lower() not in known:
            raise refuse(
                "the map", "filters", f"{quote_value(name)} is no column of {file}", f"use {list_some([*header])}"
            )
    out: tuple[dict[str, str], dict[str, str]] = ({}, {})
    tables: tuple[dict[Any, tuple[str, ...]], ...] = (found.columns, found.wide)
    for place, table, named in zip(out, ("columns", "wide"), tables, strict=True):
        for ours, names in named.items():
            theirs = next((name.lower() for name in names if name.lower() in known), None)
            if theirs is not None:
                place[ours] = theirs
            elif table == "columns" and ours not in FREE and ours not in found.constants:
                problem = f"{' or '.join(map(quote_value, names))} is no column of {file}"
                day = "say --as-of 2024-05-31, or " if ours == "as_of" else ""
                raise refuse("the map", f"{table}.{ours}", problem, f"{day}use {list_some([*header])}")
    return out


def set_day(found: TableMap, as_of: dt.date | None) -> TableMap:
    """Return a map by which rows that do not say their day are of `as_of`."""
    return found if as_of is None else found.model_copy(update={"constants": {**found.constants, "as_of": str(as_of)}})


def guess_map(file: Path, as_of: dt.date | None = None) -> tuple[TableMap, str]:
    """Return a map for a table by its header, and its text to be mended.

    A map that comes with the program is taken where the table has all its columns; else names of columns are looked up.

    Raises
    ------
    InputError
        Where no column can be told to be a number.
    """
    header = [tidy_text(name) for name in read_grid(file, most=300_000).header]
    for name in list_maps():
        shipped = set_day(read_map(name), as_of)
        try:
            find_columns(shipped, header, file.name)
        except InputError:
            continue
        return shipped, f"# The map {name}, which has the columns of this table.\n" + (MAPS / f"{name}.toml").read_text(
            "utf-8"
        )
    return _guess_columns(header, file.name, {} if as_of is None else {"as_of": str(as_of)})


def _guess_columns(header: list[str], file: str, day: dict[str, str]) -> tuple[TableMap, str]:
    """Return a map by the names that columns have in many tables."""
    aliases = read_toml(Path(str(MAPS / f"{GUESS}.toml")))[0]
    by_slug = {name_column(name): name for name in reversed(header)}
    columns, wide = (_look_up_names(aliases[table], by_slug) for table in ("columns", "wide"))
    if "value" in columns and (len(wide) > 1 or ("quantity" not in columns and columns["value"] in wide.values())):
        del columns["value"]
    elif "value" in columns or {"low", "high"} <= set(columns):
        wide = {}
    things = any(name in by_slug for name in THINGS)
    constants = {} if "quantity" in columns or wide else {"quantity": "equipment" if things else "killed"}
    listed = not wide and not set(columns) & set(NUMBERS) and any(name in by_slug for name in NAMES)
    happened = any(name.startswith("event") or name in EVENTS for name in by_slug)
    if listed:  # of persons
        columns = {
            ours: theirs for ours, theirs in columns.items() if ours in ("as_of", "since", "force", "note", "url")
        }
        constants = {"quantity": "killed", "value": "1"}
    if not wide and not listed and not set(columns) & set(NUMBERS):
        problem = f"the header {quote_value(','.join(header))} names no column of a number that is known"
        raise refuse(file, "row 1", problem, 'write a map: [columns] value = "their column"')
    if "as_of" not in columns and "since" in columns:
        columns["as_of"] = columns.pop("since")
    if "as_of" not in columns and not listed and not day:
        problem = f"the header {quote_value(','.join(header))} names no day that is known"
        remedy = 'say --as-of 2024-05-31, or write a map: [columns] as_of = "their column"'
        raise refuse(file, "row 1", problem, remedy)
    if listed or happened:
        gone = ("source", "since", *(() if listed else ("force",)))
        columns = {ours: theirs for ours, theirs in columns.items() if ours not in gone}
        constants |= {"source": "the_table", "qualifier": "counted", **({} if "force" in columns else {"force": "all"})}
    constants |= day
    total = "all" if listed or happened else ""
    found = TableMap.model_validate({"columns": columns, "wide": wide, "constants": constants, "sum": total})
    return found, format_map(columns, wide, constants, total)


def name_column(text: str) -> str:
    """Return the name of a column in small letters, with one mark between its words."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def format_map(columns: dict[str, str], wide: dict[str, str], constants: dict[str, str], total: str) -> str:
    """Return a guessed map as TOML, with what a person may add."""
    lines = ["# Guessed from the header: mend it, and import again with --map."]
    lines += [f'sum = "{total}"   # each row is an event, or a person'] if total else []
    lines += [] if total else ['# sum = "all"    # where each row is an event, or a person']
    lines += ['# keep = "last"  # of a list that grows, its last state alone']
    lines += ['# dates = "day-first"', '# decimal = ","']
    for table, named in (("columns", columns), ("wide", wide), ("constants", constants)):
        cells = [f"{ours} = {json.dumps(theirs, ensure_ascii=False)}" for ours, theirs in named.items()]
        lines += ["", f"[{table}]", *cells] if named else []
    lines += [
        "",
        '# [values.quantity]   # what theirs says, and what is meant; "" leaves the row out',
        '# "Deaths" = "killed"',
    ]
    lines += ["", "# [filters]           # rows that are kept", '# country = ["..."]', ""]
    return "\n".join(lines)


def _look_up_names(aliases: dict[str, list[str]], known: dict[str, str]) -> dict[str, str]:
    """Return the columns of a table that are called as one of ours often is."""
    found = {ours: next((known[each] for each in names if each in known), "") for ours, names in aliases.items()}
    return {ours: theirs for ours, theirs in found.items() if theirs}


ANY_ROLE: tuple[Role, ...] = ("own", "ally_of_own", "adversary", "ally_of_adversary", "independent")


def as_source(label: str) -> dict[str, Any]:
    """Return a source of which nobody has told on whose side it is."""
    return {"label": label, "role": ANY_ROLE}
