"""`summary.xlsx`: estimates, derived quantities and claims of a run, for whoever works in a spreadsheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.contract.check import dump_record
from sim.contract.summary import Result
from sim.report.table import list_summary_rows

# Of every workbook, so that a run made again gives the same bytes.
CREATED = dt.datetime(2000, 1, 1)


def write_summary_workbook(result: Result, path: Path) -> None:
    """Write the sheets `estimates` (as `summary.csv`), `exceedance` and `claims`; text is never a formula."""
    import xlsxwriter

    said = dump_record(result)
    claims = [
        {name: claim.get(name) for name in ("id", "used", "why_not", "expected", "standardised")}
        for claim in said["claims"]
    ]
    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        book.set_properties({"title": result.case, "created": CREATED})
        bold = book.add_format({"bold": True})
        for name, rows in (
            ("estimates", list_summary_rows(result)), ("exceedance", said["exceedance"]), ("claims", claims),
        ):  # fmt: skip
            _write_sheet(book.add_worksheet(name), rows, bold)


def _write_sheet(sheet: Any, rows: Sequence[Mapping[str, Any]], bold: Any) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for index, name in enumerate(columns):
        sheet.write_string(0, index, name, bold)
    for line, row in enumerate(rows, start=1):
        for index, name in enumerate(columns):
            value = row.get(name)
            if isinstance(value, bool):
                sheet.write_boolean(line, index, value)
            elif isinstance(value, int | float):
                sheet.write_number(line, index, value)
            elif value is not None:
                sheet.write_string(line, index, str(value)[:32_000])
    sheet.freeze_panes(1, 0)
    sheet.autofit()
