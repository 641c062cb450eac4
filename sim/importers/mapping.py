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
from sim.importers.published import MONTH, read_published
from sim.system.reading import is_file, read_toml
from sim.system.sheets.cells import Dates
from sim.system.tables import tidy_text

MAPS = files("sim") / "importers" / "maps"
GUESS = "guess"
DAYS = ("as_of", "since", "published")
NUMBERS = ("low", "value", "high")
FREE = ("key", "note", "url", "report", "phrase", "speaker")  # columns that a table may lack
EVENTS = ("latitude", "longitude", "lat", "lon", "location", "incident", "incident_id", "incident_date", "strike_id")
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
    low: dict[Key, Names] = {}
    high: dict[Key, Names] = {}
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
    for name in found.filters:
        if name.lower() not in known:
            raise refuse(
                "the map", "filters", f"{quote_value(name)} is no column of {file}", f"use {list_some([*header])}"
            )
    columns: dict[str, str] = {}
    wide: dict[str, dict[str, str]] = {}
    tables: dict[str, dict[Any, tuple[str, ...]]] = {
        "columns": found.columns, "wide": found.wide, "low": found.low, "high": found.high,
    }  # fmt: skip
    for table, named in tables.items():
        for ours, names in named.items():
            theirs = next((name.lower() for name in names if name.lower() in known), None)
            if theirs is not None and table == "columns":
                columns[ours] = theirs
            elif theirs is not None:
                wide.setdefault(ours, {})["value" if table == "wide" else table] = theirs
            elif table == "columns" and ours not in FREE and ours not in found.constants:
                problem = f"{' or '.join(map(quote_value, names))} is no column of {file}"
                day = "say --as-of 2024-05-31, or " if ours == "as_of" else ""
                raise refuse("the map", f"{table}.{ours}", problem, f"{day}use {list_some([*header])}")
    return columns, wide


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
    grid, tags = read_published(file, most=300_000)
    header = [tidy_text(name) for name in grid.header]
    for name in list_maps():
        shipped = set_day(read_map(name), as_of)
        try:
            find_columns(shipped, header, file.name)
        except InputError:
            continue
        return shipped, f"# The map {name}, which has the columns of this table.\n" + (MAPS / f"{name}.toml").read_text(
            "utf-8"
        )
    tags = {tidy_text(name): tag for name, tag in tags.items()}
    return _guess_columns(header, tags, file.name, {} if as_of is None else {"as_of": str(as_of)})


def _guess_columns(header: list[str], tags: dict[str, str], file: str, day: dict[str, str]) -> tuple[TableMap, str]:
    """Return a map by the names that columns have in many tables, or by the words that they are made of."""
    aliases = read_toml(Path(str(MAPS / f"{GUESS}.toml")))[0]
    by_slug = {name_column(name): name for name in reversed([*tags.values(), *header])}
    by_slug |= {slug: next((name for name, tag in tags.items() if tag == own), own) for slug, own in by_slug.items()}
    columns, wide = (_look_up_names(aliases[table], by_slug) for table in ("columns", "wide"))
    if "value" in columns and (len(wide) > 1 or ("quantity" not in columns and columns["value"] in wide.values())):
        del columns["value"]
    elif "value" in columns or {"low", "high"} <= set(columns):
        wide = {}
    ends: dict[str, dict[str, str]] = {"low": {}, "high": {}}
    if not wide and not set(columns) & set(NUMBERS):
        wide, ends = _read_words(by_slug, aliases["words"])
    if "as_of" not in columns:
        dated = [name for slug, name in by_slug.items() if set(slug.split("_")) & set(aliases["words"]["day"])]
        columns |= {"as_of": dated[-1]} if dated else {}  # by_slug is in the order from the last to the first
    counted = wide or ends["low"] or ends["high"]
    things = any(name in by_slug for name in THINGS)
    constants = {} if "quantity" in columns or counted else {"quantity": "equipment" if things else "killed"}
    listed = not counted and not set(columns) & set(NUMBERS) and any(name in by_slug for name in NAMES)
    totals = [name_column(name).split("_") for table in (wide, *ends.values()) for name in table.values()]
    running = any(set(words) & set(aliases["words"]["running"]) for words in totals)
    happened = not running and any("event" in name.split("_") or name in EVENTS for name in by_slug)
    if listed:  # of persons
        columns = {
            ours: theirs for ours, theirs in columns.items() if ours in ("as_of", "since", "force", "note", "url")
        }
        constants = {"quantity": "killed", "value": "1"}
    if not counted and not listed and not set(columns) & set(NUMBERS):
        problem = f"the header {quote_value(','.join(header))} names no column of a number that is known"
        raise refuse(file, "row 1", problem, 'write a map: [columns] value = "their column"')
    if "as_of" not in columns and "since" in columns:
        columns["as_of"] = columns.pop("since")
    if not {"as_of", "published"} & set(columns) and not listed and not day:
        problem = f"the header {quote_value(','.join(header))} names no day that is known"
        remedy = 'say --as-of 2024-05-31, or write a map: [columns] as_of = "their column"'
        raise refuse(file, "row 1", problem, remedy)
    if listed or happened:
        gone = ("source", "since", *(() if listed else ("force",)))
        columns = {ours: theirs for ours, theirs in columns.items() if ours not in gone}
        constants |= {"source": "the_table", "qualifier": "counted", **({} if "force" in columns else {"force": "all"})}
    constants |= day
    total = "month" if columns.get("as_of") == MONTH else "all" if listed or happened else ""
    tables = {"columns": columns, "wide": wide, **ends, "constants": constants}
    return TableMap.model_validate({**tables, "sum": total}), format_map(tables, total)


def _read_words(
    by_slug: dict[str, str], words: dict[str, list[str]]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the columns whose names say a quantity, and whether its least or most, and nothing that is not known."""
    found: dict[str, dict[str, str]] = {"value": {}, "low": {}, "high": {}}
    for slug, name in reversed(by_slug.items()):
        parts = set(slug.split("_"))
        said = [quantity for quantity in ("killed", "wounded", "captured", "missing") if parts & set(words[quantity])]
        end = next((end for end in ("low", "high") if parts & set(words[end])), "value")
        rest = parts.difference(words["idle"], words["low"], words["high"], *(words[each] for each in said))
        if len(said) == 1 and not rest:
            found[end].setdefault(said[0], name)
    return found.pop("value"), found


def name_column(text: str) -> str:
    """Return the name of a column in small letters, with one mark between its words."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def format_map(tables: dict[str, dict[str, str]], total: str) -> str:
    """Return a guessed map as TOML, with what a person may add."""
    lines = ["# Guessed from the header: mend it, and import again with --map."]
    lines += [f'sum = "{total}"   # each row is an event, or a person'] if total else []
    lines += [] if total else ['# sum = "all"    # where each row is an event, or a person']
    lines += ['# keep = "last"  # of a list that grows, its last state alone']
    lines += ['# dates = "day-first"', '# decimal = ","']
    for table, named in tables.items():
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
