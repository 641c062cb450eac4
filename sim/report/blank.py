"""The workbook of a new case: claims with lists to choose from, sources, and help."""

from __future__ import annotations

import csv
import datetime as dt
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from sim.case.case import DEFAULT_TOTALS, PERSONNEL, ROLES
from sim.case.wordings import WORDINGS, Unit
from sim.system.writing import build_new

WORKBOOK = "claims.xlsx"
FILLED = 2_000  # rows that the drop-down lists reach
DAYS = ("as_of", "since", "published")
NUMBERS = ("low", "value", "high", "digits", "log_sd")
# What stands on the sheet of help, and beside the head of each column.
HELP = {
    "id": "unique in the table",
    "source": "the institution whose estimate it is: a key of the sheet sources",
    "speaker": "the person or outlet",
    "force": "a key of [forces] in case.toml; may be left out where there is one",
    "quantity": "killed, wounded, captured, missing, a kind of equipment, a total, or deployed",
    "measure": "cumulative since the start (default), interval (since to as_of), stock (of deployed)",
    "as_of": "the day that the number is about; left empty, the day of publication",
    "since": "of an interval: its first day",
    "published": "the day on which it could be known",
    "qualifier": "the wording: about (default), exact, at_least, at_most, range, counted, register",
    "low": "of a range", "value": "the number", "high": "of a range",
    "unit": "count (default); share: 0 to 1 of what is in of; ratio: for each one of what is in of",
    "of": "what a share is of: a quantity (left empty, deployed) or how many there were; or a ratio: also FORCE.killed",
    "part": "the place or unit that the number is of, where it is not of the whole force",
    "statement": "rows said in one breath share an id",
    "replaces": "the id of the row that this one corrects",
    "origin": "whom this row repeats: a row's id, or a source's key",
    "report": "where it was read", "url": "its address",
    "phrase": "the few words that decided the qualifier",
    "note": "free text", "exclude": "a reason; the row is kept, shown, and not used",
}  # fmt: skip


def _read_template(kind: str, name: str) -> str:
    return (files("sim") / "case" / "template" / kind / name).read_text(encoding="utf-8")


def write_workbook_case(folder: Path, kind: str = "one_force") -> None:
    """Write a commented case (see `sim.case.folder.write_case`) with a workbook, whose sheet has the sources.

    Raises
    ------
    InputError
        Where the folder exists already, or cannot be made.
    """
    text = _read_template(kind, "case.toml")
    sources = tomllib.loads(text)["sources"]
    with build_new(folder) as draft:
        told = f"# Sources stand on the sheet sources of {WORKBOOK}.\n\n"
        kept = re.sub(r"# Role: .*?(?=\[\[)", told, text, flags=re.S)
        (draft / "case.toml").write_text(kept, encoding="utf-8")
        _write_workbook(draft / WORKBOOK, kind, sources)


def _write_workbook(path: Path, kind: str, sources: dict[str, Any]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        formats = {"head": book.add_format({"bold": True}), "day": book.add_format({"num_format": "yyyy-mm-dd"})}
        formats["text"] = book.add_format({"text_wrap": True, "valign": "top"})
        _fill_claims(book.add_worksheet("claims"), kind, formats)
        _fill_sources(book.add_worksheet("sources"), sources, formats)
        help_sheet = book.add_worksheet("help")
        for line, (name, meaning) in enumerate(HELP.items()):
            help_sheet.write_string(line, 0, name, formats["head"])
            help_sheet.write_string(line, 1, meaning, formats["text"])
        help_sheet.set_column(1, 1, 90)


def _fill_sources(sheet: Any, sources: dict[str, Any], formats: dict[str, Any]) -> None:
    forces = dict.fromkeys(
        force for each in sources.values() if isinstance(each["role"], dict) for force in each["role"]
    )
    names = [f"role.{force}" for force in forces]
    rows = [["key", "label", *names, "role"]]
    for key, each in sources.items():
        towards = (
            [each["role"].get(force, "") for force in forces] if isinstance(each["role"], dict) else [""] * len(forces)
        )
        rows.append([key, each["label"], *towards, "" if isinstance(each["role"], dict) else each["role"]])
    for line, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell:
                sheet.write_string(line, column, cell, formats["head"] if line == 0 else None)
    message = "A role; several, with commas between, are equally likely readings."
    for column in range(2, len(rows[0])):
        _offer(sheet, column, list(ROLES), message, strict=False)
    sheet.set_column(0, len(rows[0]) - 1, 30)


def _fill_claims(sheet: Any, kind: str, formats: dict[str, Any]) -> None:
    rows = list(csv.DictReader(_read_template(kind, "claims.csv").splitlines()))
    for column, name in enumerate(HELP):
        sheet.write_string(0, column, name, formats["head"])
        for line, row in enumerate(rows, start=1):
            cell = row.get(name, "")
            if cell and name in DAYS:
                sheet.write_datetime(line, column, dt.datetime.fromisoformat(cell), formats["day"])
            elif cell and name in NUMBERS:
                sheet.write_number(line, column, float(cell))
            elif cell:
                sheet.write_string(line, column, cell)
        if name in DAYS:
            sheet.set_column(column, column, 12, formats["day"])
    columns = list(HELP)
    quantities = [*PERSONNEL, *DEFAULT_TOTALS, "deployed"]
    _offer(sheet, columns.index("qualifier"), list(WORDINGS), HELP["qualifier"])
    _offer(sheet, columns.index("measure"), ["cumulative", "interval", "stock"], HELP["measure"])
    _offer(sheet, columns.index("unit"), list(get_args(Unit)), HELP["unit"])
    _offer(sheet, columns.index("quantity"), quantities, HELP["quantity"], strict=False)
    _offer(sheet, columns.index("source"), "=sources!$A$2:$A$2000", HELP["source"])
    sheet.freeze_panes(1, 1)


def _offer(sheet: Any, column: int, source: list[str] | str, message: str, *, strict: bool = True) -> None:
    """Offer the values of a column in a list; other values are asked about, or refused where `strict`."""
    sheet.data_validation(
        1, column, FILLED, column,
        {
            "validate": "list", "source": source, "input_message": message[:250],
            "error_type": "stop" if strict else "information",
        },
    )  # fmt: skip
