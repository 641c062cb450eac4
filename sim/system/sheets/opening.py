"""Open a workbook in a confined process: its parser takes a cell's place at its word, and memory for all before it."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from sim.errors import InputError, refuse
from sim.system.confinement import serve
from sim.system.reading import FORBIDDEN
from sim.system.sheets.inspection import LOCKED, MAX_CELLS, SAVE, inspect_workbook

_THOUSANDTHS = re.compile(r"\d{1,3}\.\d{3}", re.ASCII)


def open_sheets(raw: bytes) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    """Return the sheets of a workbook by name, each as rows of text with their numbers from 1 up."""
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(raw))
        return [(name, list(_list_rows(book.get_sheet_by_name(name)))) for name in book.sheet_names]
    except calamine.PasswordError:
        raise refuse("", "", *LOCKED) from None
    except calamine.CalamineError as error:
        raise refuse("", "", f"is no workbook that can be read ({' '.join(str(error).split())[:80]})", SAVE) from None


def _list_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    if sheet.total_height * max(sheet.total_width, 1) > MAX_CELLS:
        raise refuse("", "", f"spans {sheet.total_height} rows and {sheet.total_width} columns", "split it")
    top = (sheet.start or (0, 0))[0]
    for number, cells in enumerate(sheet.to_python(skip_empty_area=True), start=top + 1):
        texts = [show_cell(cell) for cell in cells]
        if any(text.strip() for text in texts):
            yield number, texts


def show_cell(cell: Any) -> str:
    """Return the content of a cell as text: numbers without separators and in one reading, days as YYYY-MM-DD."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        text = f"{cell:.15g}"
        return f"{text}0" if _THOUSANDTHS.fullmatch(text) else text  # no 1,234 is meant
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return FORBIDDEN.sub(" ", str(cell))


def answer(request: bytes) -> bytes:
    """Return the sheets of a workbook as JSON, and what was counted in it, or why there are none."""
    try:
        counts = inspect_workbook(request)
        if counts["unsaved"]:
            problem = f"has formulas without what they came to ({counts['unsaved']} of them)"
            raise refuse("", "", problem, "open it in a spreadsheet program, and save it")
        return json.dumps({"sheets": open_sheets(request), "counts": counts}).encode()
    except InputError as error:
        fault = error.faults[0]
        return json.dumps({"problem": fault.problem, "remedy": fault.remedy}).encode()


if __name__ == "__main__":
    serve(answer)
