"""A map guessed from a table: by the names of its columns, the words these are made of, and what stands in them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import InputError, quote_value, refuse
from sim.importers.counts import find_unit, is_count, strip_notes
from sim.importers.mapping import GUESS, MAPS, NUMBERS, TableMap, find_columns, list_maps, read_map, set_day
from sim.importers.published import MONTH, YEAR, read_published
from sim.system.reading import read_toml
from sim.system.sheets.grids import Grid
from sim.system.tables import tidy_text

EVENTS = (
    "latitude", "longitude", "lat", "lon", "location", "incident", "incident_id", "incident_date", "strike_id",
    "engagement",
)  # fmt: skip
THINGS = ("system", "equipment", "model", "vehicle", "vehicle_type", "weapon", "tail_number", "hull_number")
NAMES = ("name", "full_name", "surname", "last_name", "family_name", "first_name", "given_name", "nombre", "nom")
PERSONS = ("killed", "wounded", "captured", "missing")
LOOKED = 1_000  # rows, of which the cells are looked at
Wide = dict[str, dict[str, str]]  # from value, low and high to columns by what they count
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class _Table:
    """What is looked at: columns by their plain names, from the last to the first, and the cells of each."""

    by_slug: dict[str, str]
    cells: dict[str, list[str]]
    words: dict[str, set[str]]

    def counts(self, name: str) -> bool:
        """Whether most cells of a column, of those that hold anything, are counts."""
        filled = [cell for cell in self.cells[name] if cell]
        return bool(filled) and sum(map(is_count, filled)) >= 0.8 * len(filled)

    def read_quantity(self, slug: str) -> tuple[str, set[str]]:
        """Return the one quantity that the words of a name say, and the words that say something else."""
        parts = set(slug.split("_"))
        said = [quantity for quantity in PERSONS if parts & self.words[quantity]]
        said = said or [name for name in ("casualties", "losses") if name in parts]
        if len(said) != 1:
            return "", parts
        return said[0], parts - self.words.get(said[0], {said[0]}) - self.words["idle"]


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
        text = (MAPS / f"{name}.toml").read_text("utf-8")
        if as_of is not None and "[constants]\n" in text:
            text = text.replace("[constants]\n", f'[constants]\nas_of     = "{as_of}"\n')
        return shipped, f"# The map {name}, which has the columns of this table.\n{text}"
    aliases = read_toml(Path(str(MAPS / f"{GUESS}.toml")))[0]
    table = _look_at(grid, header, {tidy_text(name): tag for name, tag in tags.items()}, aliases)
    tables, total = _guess_tables(table, aliases, file.name, {} if as_of is None else {"as_of": str(as_of)})
    return TableMap.model_validate({**_unflatten(tables), "sum": total}), format_map(tables, total)


def _look_at(grid: Grid, header: list[str], tags: dict[str, str], aliases: dict[str, Any]) -> _Table:
    words = {name: set(listed) for name, listed in aliases["words"].items()}
    by_slug = {name_column(name): name for name in reversed([*tags.values(), *header])}
    by_slug |= {slug: next((name for name, tag in tags.items() if tag == own), own) for slug, own in by_slug.items()}
    running = {slug: "_".join(each for each in slug.split("_") if each not in words["running"]) for slug in by_slug}
    by_slug |= {plain: by_slug[slug] for slug, plain in running.items() if plain != slug}  # before the same of a day
    rows = [[tidy_text(cell) for cell in cells] for _, cells in grid.rows[:LOOKED]]
    cells = {name: [row[index] for row in rows if len(row) > index] for index, name in enumerate(header)}
    return _Table(by_slug, cells, words)


def _guess_tables(
    table: _Table, aliases: dict[str, Any], file: str, day: dict[str, str]
) -> tuple[dict[str, dict[str, str]], str]:
    """Return the tables of a map, and how its rows are added up."""
    by_slug = table.by_slug
    columns, wide, forces = _find_counts(table, aliases)
    values = _name_quantities(table, table.cells[columns["quantity"]]) if "quantity" in columns else {}
    if "as_of" not in columns:
        dated = [name for slug, name in by_slug.items() if set(slug.split("_")) & table.words["day"]]
        columns |= {"as_of": dated[-1]} if dated else {}  # by_slug is in the order from the last to the first
    counted = any(wide.values())
    numbers = counted or set(columns) & set(NUMBERS)
    things = any(name in by_slug for name in THINGS)
    constants = {} if "quantity" in columns or counted else {"quantity": "equipment" if things else "killed"}
    said = any(table.read_quantity(slug)[0] and table.counts(name) for slug, name in by_slug.items())
    listed = not numbers and not said and any(name in by_slug for name in NAMES)
    totals = [name_column(name).split("_") for ends in wide.values() for name in ends.values()]
    running = any(set(words) & table.words["running"] for words in totals)
    happened = not running and any(
        name in EVENTS or ({"event", "battle"} & set(name.split("_")) and not table.read_quantity(name)[0])
        for name in by_slug
    )
    if listed:  # of persons
        columns = {
            ours: theirs for ours, theirs in columns.items() if ours in ("as_of", "since", "force", "note", "url")
        }
        constants = {"quantity": "killed", "value": "1"}
    header = quote_value(",".join(table.cells))
    if not numbers and not listed:
        remedy = 'write a map: [columns] value = "their column"'
        raise refuse(file, "row 1", f"the header {header} names no column of a number that is known", remedy)
    if "as_of" not in columns and "since" in columns:
        columns["as_of"] = columns.pop("since")
    if not {"as_of", "published"} & set(columns) and not listed and not day:
        remedy = 'say --as-of 2024-05-31, or write a map: [columns] as_of = "their column"'
        raise refuse(file, "row 1", f"the header {header} names no day that is known", remedy)
    if listed or happened:
        gone = ("source", "since", *(() if listed else ("force",)))
        columns = {ours: theirs for ours, theirs in columns.items() if ours not in gone}
        alone = {} if "force" in columns or forces else {"force": "all"}
        constants |= {"source": "the_table", "qualifier": "counted", **alone}
    elif "since" in columns:
        constants["measure"] = "interval"
    spans = {MONTH: "month", YEAR: "year"}
    total = spans.get(columns.get("as_of", ""), "all" if listed or happened else "")
    counting = [columns[name] for name in NUMBERS if name in columns]
    counting += [name for ends in wide.values() for name in ends.values()]
    return {
        "columns": columns, "wide": wide["value"], "low": wide["low"], "high": wide["high"],
        "constants": constants | day, "values.quantity": values, "forces": forces,
        "scale": {name: f"{unit:.0f}" for name in counting if (unit := find_unit(name)[0]) > 1},
    }, total  # fmt: skip


def _find_counts(table: _Table, aliases: dict[str, Any]) -> tuple[dict[str, str], Wide, dict[str, str]]:
    """Return the columns that are known, those that count a quantity each, and the labels of forces that these name."""
    columns, known = (_look_up_names(aliases[name], table.by_slug) for name in ("columns", "wide"))
    wide: Wide = {"value": known, "low": {}, "high": {}}
    forces: dict[str, str] = {}
    total = table.by_slug.get("total")
    if "force" not in columns and not known and columns.get("value", total) == total:
        columns, wide, forces = _read_across(table, columns)
    if "value" in columns and (len(known) > 1 or ("quantity" not in columns and columns["value"] in known.values())):
        del columns["value"]
    elif "value" in columns or {"low", "high"} <= set(columns):
        wide["value"] = {}
    if not any(wide.values()) and not set(columns) & set(NUMBERS):
        wide = _read_words(table)
    if not any(wide.values()) and not set(columns) & {*NUMBERS, "force"}:
        wide, forces = _read_sides(table)
    return columns, wide, forces


def _read_words(table: _Table) -> Wide:
    """Return the columns whose names say a quantity, and whether its least or most, and nothing that is not known.

    Of one quantity told of soldiers and of civilians apart, neither is the whole, and neither is taken.
    """
    told = [(table.read_quantity(slug), slug, name) for slug, name in reversed(table.by_slug.items())]
    apart = {quantity for (quantity, rest), _, _ in told if rest & table.words["military"]}
    found: Wide = {"value": {}, "low": {}, "high": {}}
    for (quantity, rest), slug, name in told:
        other = rest - table.words["low"] - table.words["high"]
        if quantity and not other - (set() if quantity in apart else table.words["civilian"]):
            found[_read_end(table, slug)].setdefault(quantity, name)
    return found


def _read_end(table: _Table, slug: str) -> str:
    return next((end for end in ("low", "high") if set(slug.split("_")) & table.words[end]), "value")


def _read_sides(table: _Table) -> tuple[Wide, dict[str, str]]:
    """Return the columns of counts whose names say a quantity, and by their other words of which of several forces."""
    found: Wide = {"value": {}, "low": {}, "high": {}}
    forces: dict[str, str] = {}
    for slug, name in reversed(table.by_slug.items()):
        quantity, rest = table.read_quantity(slug)
        rest -= table.words["low"] | table.words["high"] | table.words["running"]
        if quantity and rest and not rest & table.words["part"] and table.counts(name):
            force = _name_force(slug, rest)
            found[_read_end(table, slug)].setdefault(f"{force}.{quantity}", name)
            forces.setdefault(force, _label_force(name, rest))
    if len(forces) < 2:
        return {"value": {}, "low": {}, "high": {}}, {}
    order = list(forces)  # as TOML has them, force after force
    by_force = {end: sorted(named, key=lambda key: order.index(key.partition(".")[0])) for end, named in found.items()}
    return {end: {key: found[end][key] for key in keys} for end, keys in by_force.items()}, forces


def _read_across(table: _Table, columns: dict[str, str]) -> tuple[dict[str, str], Wide, dict[str, str]]:
    """Return a table with a row for each quantity and a column for each force, as articles have them."""
    said = next((name for name in table.cells if len(_name_quantities(table, table.cells[name])) > 2), None)
    rest_of = {ours: name for ours, name in columns.items() if ours not in ("quantity", *NUMBERS)}
    taken = {*rest_of.values(), said}
    sides = {}
    for slug, name in reversed(table.by_slug.items()):
        if slug and name not in taken and not table.read_quantity(slug)[0] and table.counts(name):
            rest = set(slug.split("_")) - table.words["idle"] - table.words["number"]
            if rest and not rest & table.words["part"]:
                sides[_name_force(slug, rest)] = name
    if said is None or len(sides) < 2:
        return columns, {"value": {}, "low": {}, "high": {}}, {}
    wide: Wide = {"value": {f"{force}.*": name for force, name in sides.items()}, "low": {}, "high": {}}
    return {**rest_of, "quantity": said}, wide, {force: strip_notes(name) for force, name in sides.items()}


def _name_force(slug: str, words: set[str]) -> str:
    key = "_".join(part for part in slug.split("_") if part in words)[:60]
    return key if key[0].isalpha() else f"x_{key}"[:60]


def _label_force(name: str, words: set[str]) -> str:
    return " ".join(part for part in re.findall(r"[^\W_]+", _HUMP.sub(" ", strip_notes(name))) if part.lower() in words)


def _name_quantities(table: _Table, cells: Iterable[str]) -> dict[str, str]:
    """Return what is meant by the cells that say a quantity in words of their own, and that others stay as they are."""
    found = {}
    for cell in dict.fromkeys(cells):
        quantity, rest = table.read_quantity(name_column(cell))
        if quantity and not rest - table.words["civilian"] - table.words["military"]:
            found[cell] = quantity
    return {**found, "*": "*"} if found else {}


def name_column(text: str) -> str:
    """Return the name of a column in small letters, with one mark between its words, without footnotes and its unit."""
    return re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", strip_notes(find_unit(text)[1])).lower()).strip("_")


def _look_up_names(aliases: dict[str, list[str]], known: dict[str, str]) -> dict[str, str]:
    """Return the columns of a table that are called as one of ours often is."""
    found = {ours: next((known[each] for each in names if each in known), "") for ours, names in aliases.items()}
    return {ours: theirs for ours, theirs in found.items() if theirs}


def _unflatten(tables: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the tables of a map as TOML nests them."""
    values = tables["values.quantity"]
    plain = {name: named for name, named in tables.items() if name != "values.quantity"}
    return {**plain, "values": {"quantity": values} if values else {}}


def format_map(tables: dict[str, dict[str, str]], total: str) -> str:
    """Return a guessed map as TOML, with what a person may add."""
    lines = ["# Guessed from the header: mend it, and import again with --map."]
    lines += [f'sum = "{total}"   # each row is an event, or a person'] if total else []
    lines += [] if total else ['# sum = "all"    # where each row is an event, or a person']
    lines += ['# keep = "last"  # of a list that grows, its last state alone']
    lines += ['# dates = "day-first"', '# decimal = ","']
    for table, named in tables.items():
        sides = table in ("wide", "low", "high")
        quote = str if table == "scale" else _quote
        cells = [f"{_format_key(ours, sides=sides)} = {quote(theirs)}" for ours, theirs in named.items()]
        lines += ["", f"[{table}]", *cells] if named else []
    if not tables["values.quantity"]:
        lines += ["", '# [values.quantity]   # what theirs says, and what is meant; "" leaves the row out']
        lines += ['# "Deaths" = "killed"']
    lines += ["", "# [filters]           # rows that are kept", '# country = ["..."]', ""]
    return "\n".join(lines)


def _format_key(key: str, *, sides: bool) -> str:
    """Return a key as TOML has it; of the columns of sides a dotted one, north.killed or north."*"."""
    parts = key.split(".") if sides else [key]
    return ".".join(part if re.fullmatch(r"[a-z][a-z0-9_]*", part) else _quote(part) for part in parts)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
