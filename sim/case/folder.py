"""A case as its two files: reading them, with every fault listed at once, and writing them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.case.case import DEFAULT_TOTALS, STATES, Case, CaseFile
from sim.case.claims import REQUIRED_COLUMNS, TABLE, Claim, list_columns, parse_grid, read_frame, take_day
from sim.case.priors import PriorSet, read_priors
from sim.case.rules import check_institutions, find_faults
from sim.errors import InputError, describe_errors, escape_controls, quote_value, refuse
from sim.system.reading import MAX_TABLE, is_file, is_folder, read_bytes, read_toml
from sim.system.sheets.cells import Dates, check_order, has_two_readings
from sim.system.sheets.grids import Grid, choose_sheet, read_grid
from sim.system.sheets.workbooks import Sheet, read_sheets
from sim.system.writing import build_new

KINDS = ("one_force", "two_forces", "one_day")  # of commented cases to start from
FILES = ("case.toml", "claims.csv")
_NAME = re.compile(r"(?!\.\.?$)[^/\\\x00-\x1f\ud800-\udfff]{1,100}")  # of a case, and so of a folder of results
CLAIMS = ("claims.csv", "claims.xlsx", "claims.ods")  # of which a case has one


def list_shipped_cases() -> list[str]:
    """Return the names of the cases inside the package."""
    return sorted(entry.name for entry in _shipped_cases().iterdir() if (entry / "case.toml").is_file())


def _shipped_cases() -> Path:
    return Path(str(files("sim"))) / "cases"


def find_case(argument: str) -> Path:
    """Return the folder of a case: a path with a slash, or `.`, or one of its `case.toml`; or else a shipped name."""
    path = Path(argument)
    if "/" in argument or "\\" in argument or argument in (".", "..", FILES[0]):
        folder = path.parent if path.name == FILES[0] and not path.is_dir() else path
        if not is_file(folder / "case.toml"):
            remedy = "give a folder that holds case.toml and claims.csv"
            raise refuse(str(folder / "case.toml"), "", "is missing", remedy)
        return folder
    if argument not in list_shipped_cases():
        known = ", ".join(list_shipped_cases())
        remedy = f"use one of {known}, or give a path with a slash (./{argument})"
        raise refuse("case", "", f"no shipped case is called {quote_value(argument)}", remedy)
    return _shipped_cases() / argument


def find_claims(folder: Path) -> Path:
    """Return the file that holds a case's claims: `claims.csv`, or a sheet in its place.

    Raises
    ------
    InputError
        Where there are two of them, or one of a form that is not read.
    """
    found = [folder / name for name in CLAIMS if is_file(folder / name)]
    others = [] if found or not is_folder(folder) else sorted(folder.glob("[Cc][Ll][Aa][Ii][Mm][Ss].*"))
    if others:
        problem = f"holds {quote_value(others[0].name)}, and none of {', '.join(CLAIMS)}"
        raise refuse(str(folder), "", problem, f"save it as {CLAIMS[0]} or {CLAIMS[1]}")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise refuse(str(folder), "", f"holds {names}, and which is meant is not said", "keep one")
    return found[0] if found else folder / CLAIMS[0]


def read_case(argument: str | Path, dates: Dates | None = None) -> Case:
    """Read a case and check it as a whole.

    Parameters
    ----------
    argument : str or Path
        A shipped case's name, or the path of a folder (a string with a slash is a path).
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant, in place of what `case.toml` says: a run of it writes them plainly.

    Raises
    ------
    InputError
        With every fault of `case.toml` and `claims.csv`.

    Examples
    --------
    >>> case = sim.read_case("kursk")
    >>> [claim.id for claim in case.claims if not claim.exclude]
    """
    if not isinstance(argument, str | Path):
        raise refuse("case", "", f"{quote_value(argument)} is no case", "give a name, a path, or a Case")
    check_order(dates)
    folder = argument if isinstance(argument, Path) else find_case(argument)
    folder = folder.parent if folder.name == FILES[0] and not folder.is_dir() else folder
    path = find_claims(folder)
    grid, listed = read_claims_grid(path, folder)
    case_file = _read_case_file(folder, listed, path.name)
    only = next(iter(case_file.forces)) if len(case_file.forces) == 1 else ""
    claims, faults, unread, remarks = parse_grid(grid, path.name, only, dates or case_file.dates)
    case = Case(
        name=_name_case(folder), folder=folder, file=case_file, claims=tuple(claims), claims_file=path.name,
        remarks=remarks, is_edited=dates not in (None, case_file.dates),
    )  # fmt: skip
    found = [*find_faults(case, unread), *check_institutions(case)]
    faults += [replace(fault, file=path.name) if fault.file == CLAIMS[0] else fault for fault in found]
    if faults:
        raise InputError(faults)
    return case


def _name_case(folder: Path) -> str:
    """Return the folder's name, as text that can be written whatever bytes it is made of."""
    name = os.fsencode(folder.resolve().name).decode("utf-8", errors="backslashreplace")
    return escape_controls(name).replace("\n", "\\n") or "case"


def read_case_priors(case: Case, name: str | None = None) -> PriorSet:
    """Read the priors of a case: those that it names, or in their place `name`, in the words of who runs it.

    What a case names lies in its folder or is shipped; who runs it may name any file, here or beside the case.
    """
    if name is None:
        return read_priors(case.file.prior, beside=case.folder, overrides=case.file.priors)
    beside = case.folder if str(name).endswith(".toml") and not is_file(Path(name)) else None
    return read_priors(name, beside, case.file.priors)


def read_claims_grid(path: Path, folder: Path) -> tuple[Grid, dict[str, Any]]:
    """Return the table of claims, and the sources that a workbook lists on a sheet of their own."""
    if path.suffix == ".csv":
        return read_grid(path, list_columns(), inside=folder), {}
    sheets = read_sheets(read_bytes(path, MAX_TABLE, folder), path.name)
    table = next((sheet for sheet in sheets if sheet.name.lower() == "sources"), None)
    rest = [sheet for sheet in sheets if sheet is not table and sheet.name.lower() != "help"]
    if not rest:
        raise refuse(path.name, "", "has no sheet of claims", "name one claims")
    return choose_sheet(rest, list_columns(), "claims"), _read_sources(table, path.name) if table else {}


def _read_sources(table: Sheet, file: str) -> dict[str, Any]:
    """Return the sources of a sheet by its columns key, label, role or role.FORCE (several with commas), and others."""
    grid = choose_sheet([table], ("key", "label", "role"), "sources")
    header = [name.lower() for name in grid.header]
    if "key" not in header:
        raise refuse(file, "sheet sources", "has no column 'key'", "name its columns key, label, role")
    out: dict[str, Any] = {}
    for row, cells in grid.rows:
        given = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name and cell.strip()}
        key = given.pop("key", "")
        if key in out or not key:
            problem = f"{quote_value(key)} is there twice" if key else "has no key"
            raise refuse(file, f"sheet sources, row {row}", problem, "give each source a key of its own")
        towards = {name.removeprefix("role."): given.pop(name) for name in [*given] if name.startswith("role.")}
        if towards and "role" in given:
            problem = "has a role, and roles towards forces"
            raise refuse(file, f"sheet sources, row {row}", problem, "fill role, or the columns role.FORCE")
        roles: Any = {force: _split_roles(cell) for force, cell in towards.items()} or _split_roles(
            given.get("role", "")
        )
        out[key] = {**given, **({"role": roles} if roles else {})}
    return out


def _split_roles(cell: str) -> list[str]:
    return [role.strip() for role in cell.split(",") if role.strip()]


def _read_case_file(folder: Path, listed: dict[str, Any], file: str) -> CaseFile:
    data, _ = read_toml(folder / "case.toml", inside=folder)
    if listed:
        known = data.get("sources", {})
        twice = sorted(set(known) & set(listed)) if isinstance(known, dict) else []
        if twice:
            raise refuse(file, "sheet sources", f"{quote_value(twice[0])} is in case.toml too", "keep one of them")
        data["sources"] = {**known, **listed} if isinstance(known, dict) else known
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        raise InputError(describe_errors(error, "case.toml", CaseFile)) from None


def write_case(folder: Path, kind: str = KINDS[0]) -> None:
    """Write a commented case into a new folder, which appears whole or not at all.

    Parameters
    ----------
    folder : Path
    kind : str
        One of `KINDS`: a battle of one force, a war of two that is over, an event of one day.

    Raises
    ------
    InputError
        Where the folder exists already, or cannot be made.
    """
    template = files("sim") / "case" / "template" / kind
    with build_new(folder) as draft:
        for name in FILES:
            (draft / name).write_text((template / name).read_text(encoding="utf-8"), encoding="utf-8")


def quote_toml(text: str) -> str:
    """Return a TOML string; a JSON string is one, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_case_file(file: CaseFile) -> str:
    """Return the text of a `case.toml` that reads as `file`: a line for each key that is not at its default."""
    entries = file.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    return "".join(f"{key} = {_format_toml(value)}\n" for key, value in {"schema": 1, **entries}.items())


def _format_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote_toml(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{quote_toml(key)} = {_format_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_toml, value))}]"
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def format_claims(claims: tuple[Claim, ...]) -> str:
    """Return the text of `claims.csv`, with the columns that any row fills."""
    fields = {name: field.default for name, field in Claim.model_fields.items() if name != "row"}
    columns = [
        name
        for name, default in fields.items()
        if name in (*REQUIRED_COLUMNS, "as_of", "qualifier") or any(getattr(claim, name) != default for claim in claims)
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_format_cell(getattr(claim, name)) for name in columns] for claim in claims)
    return out.getvalue()


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    return f"{text}0" if isinstance(value, float) and has_two_readings(text) else text


def make_case(
    claims: Any,
    *,
    forces: Mapping[str, Any] | Iterable[str] | str,
    sources: Mapping[str, Any],
    name: str = "case",
    dates: Dates | None = None,
    **settings: Any,
) -> Case:
    """Make a case of claims in memory.

    Parameters
    ----------
    claims : DataFrame, or iterable of mapping
        Rows by the columns of `claims.csv`; a row without an `id` is given one.
    forces : str, iterable of str, or mapping
        The forces by key, each with its outcomes or its table of `case.toml`; of one that says no outcomes they are
        what the claims speak of.
    sources : mapping
        The role of each source, or its table of `case.toml`.
    name : str
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant.
    **settings
        Other entries of `case.toml`; `start` is else the first day that a claim speaks of.

    Raises
    ------
    InputError
        With every fault, and the row of each.

    Examples
    --------
    >>> rows = [{"source": "ministry", "quantity": "killed", "published": "2024-05-20", "value": 60}]
    >>> case = sim.Case.from_frame(rows, forces="north", sources={"ministry": "own"}, start="2024-05-01")
    """
    check_order(dates)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refuse("case", "name", f"{quote_value(name)} is no name of a folder", "give words without a slash")
    forces = dict(forces.items()) if hasattr(forces, "items") else forces  # a Series, too
    sources = dict(sources.items()) if hasattr(sources, "items") else sources
    if not isinstance(forces, Iterable):
        raise refuse("case", "forces", f"{quote_value(forces)} names no force", "give a key, or a mapping by key")
    if not isinstance(sources, Mapping):
        raise refuse("case", "sources", f"{quote_value(sources)} gives no roles", 'give a mapping: {"ministry": "own"}')
    keys = [forces] if isinstance(forces, str) else list(forces)
    if not all(isinstance(key, str) for key in keys):
        raise refuse("case", "forces", f"{quote_value(keys)} are no keys", "give text, or a mapping by key")
    read, faults = read_frame(claims, str(keys[0]) if len(keys) == 1 else "", dates=dates)
    if faults:
        raise InputError(faults)
    if not read:
        raise refuse(TABLE, "", "has no row", "give at least one claim")
    given = {key: forces[key] if isinstance(forces, Mapping) else {} for key in keys}
    entries = {
        "start": min(claim.since or claim.as_of for claim in read),
        "forces": {key: _describe_force(key, force, read) for key, force in given.items()},
        "sources": {
            key: source if isinstance(source, Mapping) else {"role": source} for key, source in sources.items()
        },
        **{name: each for name, value in settings.items() if (each := take_day(value)) is not None},
    }
    try:
        file = CaseFile.model_validate({"schema": 1, **entries})
    except ValidationError as error:
        raise InputError(describe_errors(error, "case", CaseFile)) from None
    case = Case(name=name, folder=Path(), file=file, claims=tuple(read), claims_file=TABLE, is_edited=True)
    found = find_faults(case)
    if found:
        raise InputError(found)
    return case


def _describe_force(key: str, force: Any, claims: list[Claim]) -> Any:
    """Return the entry of a force; one that names no outcomes has those that the claims speak of."""
    if isinstance(force, list | tuple):
        return {"outcomes": force}
    if not isinstance(force, Mapping) or "outcomes" in force:
        return force
    spoken = [name for claim in claims for of, name in claim.told if of == key and name not in STATES]
    parts = dict.fromkeys(part for quantity in spoken for part in DEFAULT_TOTALS.get(quantity, (quantity,)))
    return {**force, "outcomes": list(parts) or ["killed"]}
