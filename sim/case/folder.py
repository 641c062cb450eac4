"""A case as its two files: reading them, with every fault listed at once, and writing them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.case.case import Case, CaseFile
from sim.case.claims import REQUIRED_COLUMNS, Claim, parse_claims
from sim.case.priors import PriorSet, read_priors
from sim.case.rules import check_institutions, find_faults
from sim.errors import InputError, describe_error, escape_controls, quote_value, refuse
from sim.system.reading import is_file, read_text, read_toml
from sim.system.writing import build_new

FILES = ("case.toml", "claims.csv")


def list_shipped_cases() -> list[str]:
    """Return the names of the cases inside the package."""
    return sorted(entry.name for entry in _shipped_cases().iterdir() if (entry / "case.toml").is_file())


def _shipped_cases() -> Path:
    return Path(str(files("sim"))) / "cases"


def find_case(argument: str) -> Path:
    """Return the folder of a case: an argument with a slash is a path, one without is a shipped name."""
    if "/" in argument or "\\" in argument:
        folder = Path(argument)
        if not is_file(folder / "case.toml"):
            raise refuse(
                str(folder / "case.toml"), "", "is missing", "give a folder that holds case.toml and claims.csv"
            )
        return folder
    if argument not in list_shipped_cases():
        known = ", ".join(list_shipped_cases())
        remedy = f"use one of {known}, or give a path with a slash (./{argument})"
        raise refuse("case", "", f"no shipped case is called {quote_value(argument)}", remedy)
    return _shipped_cases() / argument


def read_case(argument: str | Path) -> Case:
    """Read a case and check it as a whole.

    Parameters
    ----------
    argument : str or Path
        A shipped case's name, or the path of a folder (a string with a slash is a path).

    Raises
    ------
    InputError
        With every fault of `case.toml` and `claims.csv`.

    Examples
    --------
    >>> case = sim.read_case("kursk")
    >>> [claim.id for claim in case.claims if not claim.exclude]
    """
    folder = argument if isinstance(argument, Path) else find_case(argument)
    case_file = _read_case_file(folder)
    only = next(iter(case_file.forces)) if len(case_file.forces) == 1 else ""
    claims, faults, unread = parse_claims(read_text(folder / "claims.csv", inside=folder), "claims.csv", Claim, only)
    case = Case(name=_name_case(folder), folder=folder, file=case_file, claims=tuple(claims))
    faults += [*find_faults(case, unread), *check_institutions(case)]
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
    beside = case.folder if name.endswith(".toml") and not is_file(Path(name)) else None
    return read_priors(name, beside, case.file.priors)


def _read_case_file(folder: Path) -> CaseFile:
    data, _ = read_toml(folder / "case.toml", inside=folder)
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        raise InputError(describe_error(item, "case.toml", "") for item in _merge_unions(error)) from None


def _merge_unions(error: ValidationError) -> list[Any]:
    """Keep one fault for each key: an alternative of a union that was not meant says nothing to the reader."""
    kept: dict[tuple[Any, ...], Any] = {}
    for item in error.errors(include_url=False):
        key = tuple(part for part in item["loc"] if not str(part).startswith(("function-", "dict[", "tuple[")))
        kept.setdefault(key[:3] if "role" in key else key, {**item, "loc": key})
    return list(kept.values())


def write_case(folder: Path) -> None:
    """Write a commented case into a new folder, which appears whole or not at all.

    Raises
    ------
    InputError
        Where the folder exists already, or cannot be made.
    """
    template = files("sim") / "case" / "template"
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
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
