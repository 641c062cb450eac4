"""Cases from other projects' tables: one module for each table, which says what each of its rows claims.

May import `case`, `system` and the top.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.case.case import MAX_BINS, CaseFile, Source
from sim.case.claims import Claim
from sim.case.folder import format_claims, quote_toml
from sim.errors import InputError, describe_error, quote_value, refuse
from sim.system.reading import read_toml
from sim.system.sheets.cells import Dates
from sim.system.writing import build_new

MOST_TOLD = 1_000  # rows left out, that are told one by one


@dataclass(frozen=True)
class Imported:
    """What a table became.

    Attributes
    ----------
    case : CaseFile
        The contents of `case.toml`.
    claims : tuple of Claim
        In the table's order; a row that is not to be used says why in `exclude`.
    left_out : tuple of str
        One line for each row of the table that cannot be a claim at all: which, and why.
    remarks : tuple of str
        What a reader of the case must know of the table; they head `case.toml`.
    assumed : tuple of str
        Of these, how the file was read where it is not the plain case: told at once.
    """

    case: CaseFile
    claims: tuple[Claim, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    assumed: tuple[str, ...] = ()

    @property
    def report(self) -> tuple[str, ...]:
        """Lines: what was assumed, the rows by force and quantity, those mended or excluded, and each left out."""
        claims = [claim for claim in self.claims if not claim.exclude]
        used = Counter((claim.force, claim.quantity) for claim in claims)
        counts = ", ".join(f"{count} of {quantity} ({force})" for (force, quantity), count in sorted(used.items()))
        return (
            *self.assumed,
            f"{used.total()} claims: {counts or 'none'}",
            *_count("count for the source in origin", (claim.origin for claim in claims)),
            *_count("mended", (claim.note.split("; ")[0] for claim in claims if claim.note.startswith("slip:"))),
            *_count("kept but excluded", self._reasons()),
            *self.told_out,
        )

    @property
    def told_out(self) -> tuple[str, ...]:
        """The rows left out, the first of them where there are very many."""
        more = len(self.left_out) - MOST_TOLD
        return (*self.left_out[:MOST_TOLD], *([f"and {more} more rows are left out"] if more > 0 else []))

    def _reasons(self) -> Iterator[str]:
        """Yield why rows are excluded, without the id of the row that one of them repeats: each has another."""
        ids = {claim.id for claim in self.claims}
        for claim in self.claims:
            yield " ".join("another row" if word in ids else word for word in claim.exclude.split())


def _count(what: str, reasons: Iterable[str]) -> Iterator[str]:
    for reason, count in sorted(Counter(reason for reason in reasons if reason).items()):
        yield f"{count} {what}: {reason}"


# Each is a module of this folder, with a function `read_foreign` from the file to what it became.
FORMATS = ("economist", "radford", "ucdp")
UNDATED = ("ucdp",)  # of which it is not said how a day is written


def read_table(name: str, file: Path, dates: Dates | None = None) -> Imported:
    """Read another project's table.

    Parameters
    ----------
    name : str
        One of `FORMATS`.
    file : Path
        The table, as its owner publishes it.
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant, where the format does not say it.

    Raises
    ------
    InputError
        Where the format is unknown, or the file cannot be read or has another layout.
    """
    if name not in FORMATS:
        raise refuse("format", "", f"no format is called {quote_value(name)}", f"use {', '.join(FORMATS)}")
    if dates is not None and name not in UNDATED:
        raise refuse("--dates", "", f"says nothing of {name}, which writes its days in one way", "leave it out")
    try:
        read: Callable[..., Imported] = import_module(f"sim.importers.{name}").read_foreign
        imported = read(file) if dates is None else read(file, dates)
    except ValidationError as error:  # the table makes more of a case than one may hold
        raise InputError(describe_error(item, file.name, "") for item in error.errors(include_url=False)) from None
    return imported


def read_names(module: str) -> dict[str, Any]:
    """Return what an importer knows by name: the TOML file beside its module, of which `module` is the path."""
    return read_toml(Path(module).with_suffix(".toml"))[0]


def import_any(
    file: Path,
    folder: Path,
    chosen: str | None,
    tell: Callable[[str], object] | None = None,
    dates: Dates | None = None,
    as_of: dt.date | None = None,
    span: tuple[dt.date | None, dt.date | None] = (None, None),
) -> Path:
    """Turn any table into a case, by a map of its columns.

    Parameters
    ----------
    file, folder, tell, dates
        As for `import_table`.
    chosen : str or None
        The map: a file, or the name of one that comes with the program; None guesses one from the header, and writes it
        as `map.toml` beside the case.
    as_of : date, optional
        The day of rows that do not say theirs.
    span : tuple of two dates, or None
        The first and the last day of rows that are kept.

    Raises
    ------
    InputError
        As `import_table`, and where the map does not fit.
    """
    from sim.importers.guessing import guess_map
    from sim.importers.mapped import read_mapped
    from sim.importers.mapping import read_map, set_day, set_span

    if folder.is_symlink() or folder.exists():
        raise refuse(str(folder), "", "exists already", "give the path of a new folder")
    found, text = (set_day(read_map(chosen), as_of), "") if chosen is not None else guess_map(file, as_of)
    found, text = set_span(found, span), "".join([*_write_span(span), text]) if text else ""
    try:
        imported = read_mapped(file, found, dates)
    except ValidationError as error:
        raise InputError(describe_error(item, file.name, "") for item in error.errors(include_url=False)) from None
    return _write_imported(imported, folder, tell, text)


def _write_span(span: tuple[dt.date | None, dt.date | None]) -> Iterator[str]:
    for name, day in zip(("first", "last"), span, strict=True):
        if day is not None:
            yield f"{name} = {day}   # of rows that are kept\n"


def import_table(
    name: str,
    file: Path,
    folder: Path,
    tell: Callable[[str], object] | None = None,
    dates: Dates | None = None,
) -> Path:
    """Turn another project's table into a case.

    Parameters
    ----------
    name, file, dates
        As for `read_table`.
    folder : Path
        A folder that does not exist yet; it appears whole or not at all.
    tell : callable, optional
        Is given each line of the report.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        As `read_table`, and where the folder exists already or cannot be made.
    """
    if folder.is_symlink() or folder.exists():
        raise refuse(str(folder), "", "exists already", "give the path of a new folder")
    return _write_imported(read_table(name, file, dates), folder, tell)


def _write_imported(imported: Imported, folder: Path, tell: Callable[[str], object] | None, guessed: str = "") -> Path:
    with build_new(folder) as draft:
        (draft / "case.toml").write_text(format_case(imported), encoding="utf-8")
        (draft / "claims.csv").write_text(format_claims(imported.claims), encoding="utf-8")
        if guessed:
            (draft / "map.toml").write_text(guessed, encoding="utf-8")
    if tell:
        for line in imported.report:
            tell(line)
    return folder


def name_apart(name: str, taken: dict[str, int]) -> str:
    """Return `name`, with a number where it is taken, and take it; `taken` holds the last number of each."""
    number, free = taken.get(name, 0), name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken[name] = max(number, 1)
    taken.setdefault(free, 1)
    return free


def leave_out(file: Path, row: int, why: str) -> str:
    """Return the line that tells of a row that cannot be a claim."""
    return f"{quote_value(file.name)}, row {row}: {why}; left out"


class LeftOut:
    """What a table says that became no claim, counted by reason, and how many people or things that is."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: dict[str, list[tuple[int, float]]] = {}

    def add(self, row: int, why: str, count: float = 0.0) -> None:
        """Add a row that is left out; `count` is how many it speaks of."""
        self._found.setdefault(why, []).append((row, count))

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each reason: how many rows, how many dead or lost those are, and the first of them."""
        return tuple(self._tell(why, rows) for why, rows in sorted(self._found.items()))

    def _tell(self, why: str, rows: list[tuple[int, float]]) -> str:
        first = ", ".join(str(row) for row, _ in rows[:3]) + (" and others" if len(rows) > 3 else "")
        what = self._what if len(rows) > 1 else self._what.removesuffix("s")
        return f"{len(rows)} {what} left out, which count {sum(count for _, count in rows):,.0f}: {why} (row {first})"

    def say(self) -> str:
        """Return the reasons in one line."""
        return "; ".join(self.lines)[:600]


def choose_bin_days(start: dt.date, end: dt.date) -> int:
    """Return the fewest whole weeks, in days, with which a path has no more bins than it may."""
    return 7 * math.ceil(((end - start).days + 1) / (7 * MAX_BINS))


def format_case(imported: Imported) -> str:
    """Return the text of `case.toml`: the remarks as comments, then what an importer sets of a case."""
    case = imported.case
    lines = [f"# {line}" for line in (*imported.remarks, *imported.told_out)]
    lines += ["schema = 1", f"title = {quote_toml(case.title)}", f"start = {case.start}"]
    lines += [f"{key} = {day}" for key, day in (("end", case.end), ("as_of", case.as_of)) if day]
    lines += [f"bin_days = {case.bin_days}", f"prior = {quote_toml(case.prior)}"]
    for key, force in case.forces.items():
        outcomes = ", ".join(quote_toml(outcome) for outcome in force.outcomes)
        lines += ["", f"[forces.{key}]", f"label = {quote_toml(force.label)}", f"outcomes = [{outcomes}]"]
        lines += [f'victims = "{force.victims}"'] * (force.victims != "military")
        lines += ["bounded = true"] if force.bounded else []
    lines += ["", "[totals]"] if case.totals else []
    lines += [f"{name} = [{', '.join(map(quote_toml, parts))}]" for name, parts in case.totals.items()]
    for key, source in case.sources.items():
        lines += ["", f"[sources.{key}]", f"label = {quote_toml(source.label)}", f"role = {_format_role(source)}"]
    return "\n".join(lines) + "\n"


def _format_role(source: Source) -> str:
    def format_one(roles: tuple[str, ...]) -> str:
        quoted = [quote_toml(role) for role in roles]
        return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"

    if isinstance(source.role, dict):
        return "{ " + ", ".join(f"{force} = {format_one(roles)}" for force, roles in source.role.items()) + " }"
    return format_one(source.role)
