"""A walk through drafted rows: the sentence, the row, and what becomes of it. Each decision is on the disk at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.case.claims import Claim, check_row
from sim.case.folder import read_case
from sim.draft.drafts import EXCLUDE
from sim.draft.entering import CASE, CLAIMS, COLUMNS, read_rows, read_sentences, write_rows
from sim.errors import InputError, describe_error, quote_value, refuse
from sim.system.reading import read_text
from sim.system.writing import replace_files

HELP = "k keep, d [reason] drop, m column=value mend, n next, q quit"
DROPPED = "dropped in review"
SHOWN = tuple(name for name in COLUMNS if name not in ("exclude", "report", "url"))


@dataclass
class Table:
    """A claims file as it stands: the header and the rows, each a dictionary of text."""

    header: list[str]
    rows: list[dict[str, str]]
    separator: str

    @classmethod
    def read(cls, folder: Path) -> Table:
        """Read the claims of a case, which must be without faults."""
        read_case(folder)
        grid = read_rows(folder)
        rows = [dict(zip(grid.header, map(str.strip, cells), strict=False)) for _, cells in grid.rows]
        return cls(grid.header, rows, grid.separator)

    def write(self, folder: Path) -> None:
        """Write the table over the old one, if the case is still without faults."""
        rows = [self.header, *([row.get(name, "") for name in self.header] for row in self.rows)]
        with replace_files(folder) as draft:
            (draft / CLAIMS).write_text(write_rows(rows, self.separator), encoding="utf-8")
            (draft / CASE).write_text(read_text(folder / CASE, inside=folder), encoding="utf-8")
            read_case(draft)
            (draft / CASE).unlink()


def review_drafts(
    folder: Path, ask: Callable[[], str | None], tell: Callable[[str, tuple[tuple[int, int], ...]], None]
) -> tuple[int, int, int]:
    """Walk through the rows of a case that are not confirmed yet.

    Parameters
    ----------
    folder : Path
        Of the case.
    ask : callable
        Returns the next line that the person types; None where there is no more.
    tell : callable
        Is given a line to show, and where in it words are to be marked.

    Returns
    -------
    kept, dropped, left : int
        Rows confirmed and dropped now, and those still to be confirmed.
    """
    table = Table.read(folder)
    sentences = read_sentences(folder)
    kept = dropped = 0
    for number, row in enumerate(table.rows):
        if row.get("exclude") != EXCLUDE:
            continue
        _show_row(row, sentences.get(row["id"], {}), _count_left(table), tell)
        decision = _decide(table, number, folder, ask, tell)
        kept, dropped = kept + (decision == "k"), dropped + (decision == "d")
        if decision == "q":
            break
    return kept, dropped, _count_left(table)


def _count_left(table: Table) -> int:
    return sum(row.get("exclude") == EXCLUDE for row in table.rows)


def _show_row(row: dict[str, str], sentence: dict[str, Any], left: int, tell: Callable[..., None]) -> None:
    tell("", ())
    tell(f"{row['id']}  ({left} to confirm)", ())
    if sentence.get("text"):
        tell(sentence["text"], tuple((start, end) for start, end in sentence.get("marks", [])))
    else:
        tell(row.get("phrase", ""), ())
    _show_cells(row, tell)


def _show_cells(row: dict[str, str], tell: Callable[..., None]) -> None:
    tell(
        "  "
        + ", ".join(f"{name} {row[name]}" for name in SHOWN if row.get(name) and name not in ("id", "note", "phrase")),
        (),
    )
    tell(f"  {row.get('note', '')}", ())


def _decide(table: Table, number: int, folder: Path, ask: Callable[[], str | None], tell: Callable[..., None]) -> str:
    """Return what the person decides of a row; a row that cannot be kept stays until it is mended."""
    while True:
        tell(HELP, ())
        line = ask()
        word, _, rest = (line or "q").strip().partition(" ")
        if word in ("q", "n"):
            return word
        before = dict(table.rows[number])
        try:
            if word == "k":
                _change(table, number, {"exclude": ""})
            elif word == "d":
                _change(table, number, {"exclude": rest.strip() or DROPPED}, checked=False)
            elif word == "m" and "=" in rest:
                name, _, value = rest.partition("=")
                _change(table, number, {name.strip(): value.strip()}, checked=False)
            else:
                continue
            table.write(folder)
        except InputError as error:
            table.rows[number] = before
            tell(str(error), ())
            continue
        if word != "m":
            return word
        _show_cells(table.rows[number], tell)


def _change(table: Table, number: int, cells: dict[str, str], *, checked: bool = True) -> None:
    """Put cells into a row, if it can be a claim then."""
    for name in cells:
        if name not in COLUMNS:
            raise refuse("claims.csv", "", f"{quote_value(name)} is no column", f"use {', '.join(SHOWN)}")
        if name not in table.header:
            table.header.append(name)
    row = {**table.rows[number], **cells}
    for problem in _find_faults(row):
        if checked:
            raise refuse("this row", problem[0], *problem[1:])
    table.rows[number] = row


def _find_faults(row: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    given = {name: cell for name, cell in row.items() if name in COLUMNS and cell}
    try:
        claim = Claim.model_validate(given)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            fault = describe_error(item, "", "column ")
            yield fault.where, fault.problem, f"{fault.remedy}: m column=value"
        return
    for column, value, problem, remedy in check_row(claim):
        yield f"column {column}", f"{value or ''} {problem}".strip(), f"{remedy}: m {column}=value"
