"""Reading tables of rows: CSV within stated limits, as typed records with every fault listed, or as tidied text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sim.errors import MAX_FAULTS, Fault, InputError, describe_error, quote_value, refuse
from sim.system.reading import MAX_ROWS
from sim.system.sheets.grids import Grid, read_grid, split_grid

RowFault = tuple[str, object, str, str]  # column, value, problem, remedy
Tidy = Callable[[dict[str, str]], dict[str, str] | list[RowFault]]


def parse_records[R: BaseModel](
    table: str | Grid,
    file: str,
    kind: type[R],
    optional: Iterable[str] = (),
    defaults: dict[str, Any] | None = None,
    check: Callable[[R], Iterator[RowFault]] = lambda _: iter(()),
    tidy: Tidy = lambda cells: cells,
) -> tuple[list[R], list[Fault], set[str]]:
    """Parse a table of our own: the columns are the fields of a record, and each row is one.

    Parameters
    ----------
    table : str or Grid
        The text of CSV, or a table that was read already.
    file : str
        The file's name for messages.
    kind : type of BaseModel
        Its fields are the columns, and those without a default are required; its field `row` is the line of the row.
    optional : iterable of str
        Fields without a default that the record fills in by itself.
    defaults : dict, optional
        Of cells that are empty, or of columns that are not there.
    check : callable
        From a record to the breaches of rules that a row can keep by itself.
    tidy : callable
        From the cells of a row to the same as the record wants them, or to what cannot be read.

    Returns
    -------
    records : list
        The rows without a fault of their own.
    faults : list of Fault
    unread : set of str
        The ids of the other rows, as written: those that refer to them are not at fault.
    """
    required = [name for name, field in kind.model_fields.items() if field.is_required() and name not in set(optional)]
    records: list[R] = []
    faults: list[Fault] = []
    unread: set[str] = set()
    try:
        columns = [name for name in kind.model_fields if name != "row"]
        grid = split_grid(table, file, columns) if isinstance(table, str) else table
        faults += _check_header(grid.header, file, kind, required)
        known = [name if name in kind.model_fields else "" for name in grid.header]
        for row, cells in grid.rows if set(required) <= set(grid.header) else ():
            parsed = _parse_row(known, cells, row, file, kind, defaults or {}, check, tidy)
            if not isinstance(parsed, list):
                records.append(parsed)
                continue
            faults += parsed
            unread |= {cell.strip() for name, cell in zip(grid.header, cells, strict=False) if name == "id"}
            if len(faults) > MAX_FAULTS:
                break
    except InputError as error:
        faults += error.faults
    if len(faults) > MAX_FAULTS:
        raise InputError(faults)
    return records, faults, unread


def _check_header(header: list[str], file: str, kind: type[BaseModel], required: list[str]) -> Iterable[Fault]:
    columns = [name for name in kind.model_fields if name != "row"]
    if not header:
        yield Fault(file, "row 1", "has no header", f"name the columns: {', '.join(required)} and others")
        return
    for name in dict.fromkeys(header):
        if name not in columns:
            remedy = f"use {', '.join(columns)}" if name else "name it, or empty it"
            yield Fault(file, "row 1", f"has an unknown column {quote_value(name)}", remedy)
        elif header.count(name) > 1:
            yield Fault(file, "row 1", f"has the column {quote_value(name)} twice", "keep one")
    for name in required:
        if name not in header:
            yield Fault(file, "row 1", f"lacks the column '{name}'", "add it")


def _parse_row[R: BaseModel](
    header: list[str],
    cells: list[str],
    row: int,
    file: str,
    kind: type[R],
    defaults: dict[str, Any],
    check: Callable[[R], Iterator[RowFault]],
    tidy: Tidy,
) -> R | list[Fault]:
    """Return the record of a row, or its faults; columns not known have no name here: they were reported already."""
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header has {len(header)}"
        return [Fault(file, f"row {row}", problem, "quote cells that hold what separates columns")]
    given = {name: text for name, cell in zip(header, cells, strict=True) if name and (text := cell.strip())}
    tidied = tidy(given)
    if isinstance(tidied, list):
        return [_tell_cell(file, row, *fault) for fault in tidied]
    try:
        record = kind.model_validate({**defaults, **tidied, "row": row})
    except ValidationError as error:
        return [_describe(item, file, row, next(iter(given.values()), "")) for item in _drop_consequences(error)]
    return [_tell_cell(file, row, *fault) for fault in check(record)] or record


def _tell_cell(file: str, row: int, column: str, value: object, problem: str, remedy: str) -> Fault:
    return Fault(file, f"row {row}, column {column}", f"{_show_value(value)}{problem}", remedy)


def _describe(item: dict[str, Any], file: str, row: int, first: str) -> Fault:
    """Return the fault of a cell, or of the row as a whole: then it is told by its first cell."""
    if item["loc"]:
        return describe_error(item, file, f"row {row}, column ")
    return describe_error({**item, "input": first}, file, f"row {row}")


def _show_value(value: object) -> str:
    if value == "":
        return ""
    return f"{quote_value(f'{value:.15g}' if isinstance(value, float) else str(value))} "


def _drop_consequences(error: ValidationError) -> list[Any]:
    """Leave out the fault of a defaulted as_of where `published` itself is at fault."""
    items: list[Any] = error.errors(include_url=False)
    bad = {item["loc"][0] for item in items if item["loc"]}
    repeated = {"published", "as_of"} <= bad
    return [item for item in items if not (repeated and item["loc"] and item["loc"][0] == "as_of")]


def read_rows(
    file: Path, columns: tuple[str, ...], whose: str, most: int = MAX_ROWS
) -> Iterator[tuple[int, dict[str, str]]]:
    """Return the rows of a table by column, tidied; those without any text are skipped.

    Parameters
    ----------
    file : Path
    columns : tuple of str
        Those that the header must name, in small letters; others are returned too.
    whose : str
        What the table is called, for the remedy.
    most : int
        Rows that it may have.

    Returns
    -------
    iterator of (int, dict)
        The line and the cells; a row that ends early lacks its last columns.
    """
    grid = read_grid(file, columns, most, fit=False)
    header = [tidy_text(name).lower() for name in grid.header]
    lacking = [name for name in columns if header.count(name) != 1]
    if lacking:
        problem = f"the header {quote_value(','.join(header))} does not name {', '.join(lacking)} once"
        raise refuse(file.name, "row 1", problem, f"give {whose}, or name another format")
    for row, cells in grid.rows:
        tidy = [tidy_text(cell) for cell in cells]
        if any(tidy):
            yield row, dict(zip(header, tidy, strict=False))


def tidy_text(text: str) -> str:
    """Return a text on one line, without stray spaces or characters that do not print."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())
