"""Tables in memory: the rows of a DataFrame, of whatever library, and what their cells say."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from sim.errors import quote_value, refuse
from sim.system.sheets.opening import show_cell

MISSING = ("nan", "NaN", "sNaN", "NaT", "<NA>")  # what is not given, as pandas and others show it
MOST = 1e30  # above, a whole number is too long to be shown


def list_frame_rows(table: Any, first: int, name: str) -> list[tuple[int, Mapping[Any, Any]]]:
    """Return the rows of a table by their numbers; the libraries are known by their methods, and none is wanted."""
    labels: list[Any] = []
    if hasattr(table, "to_dicts"):  # of polars
        rows = table.to_dicts()
    elif hasattr(table, "to_pylist"):  # of pyarrow
        rows = table.to_pylist()
    elif hasattr(table, "to_dict") and hasattr(table, "columns"):  # of pandas
        twice = sorted({str(each) for each in table.columns if list(table.columns).count(each) > 1})
        if twice:
            raise refuse(name, "", f"has the column {quote_value(twice[0])} twice", "name each column once")
        labels, rows = list(table.index), table.to_dict("records")
    else:
        rows = list(table) if isinstance(table, Iterable) and not isinstance(table, str | bytes | Mapping) else [table]
    whole = bool(labels) and all(isinstance(label, int) for label in labels)
    numbered = list(zip(labels if whole else range(first, first + len(rows)), rows, strict=True))
    for number, row in numbered:
        if not isinstance(row, Mapping):
            problem = f"{quote_value(row)} is no row"
            raise refuse(name, f"row {number}", problem, "give a DataFrame, or mappings by the columns of claims.csv")
    return numbered


def show_cells(cells: Mapping[Any, Any]) -> dict[str, str]:
    """Return the cells of a row that hold anything, as text; what is not given, whatever it is called, is no cell."""
    return {str(name): text for name, cell in cells.items() if (text := _show(cell))}


def _show(cell: Any) -> str:
    if cell is None or (not isinstance(cell, str) and str(cell) in MISSING):  # some do not compare with themselves
        return ""
    plain = cell.item() if hasattr(cell, "item") and getattr(cell, "size", 1) == 1 else cell
    if isinstance(plain, dt.datetime):
        plain = plain.date()
    if isinstance(plain, int) and abs(plain) > MOST:
        plain = math.inf
    return show_cell(plain).strip()
