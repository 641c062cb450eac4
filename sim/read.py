"""Reading a case from its folder, with every fault of its two files listed at once."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.case import Case, CaseFile
from sim.claims import Claim, describe_error, parse_claims, read_text
from sim.errors import InputError, quote_value, refuse
from sim.rules import find_faults

SENSITIVITY = "sensitivity-"  # how the folders of such reports begin, beside the runs of a case
REQUIRED = (
    "case", "title", "as_of", "inputs", "known_by", "prior", "forces", "sources", "trusted", "diagnostics", "estimates",
    "exceedance", "bias", "variance", "next_reports", "readings", "claims", "derived", "used_claims", "paths",
)  # fmt: skip


def list_shipped_cases() -> list[str]:
    """Return the names of the cases inside the package."""
    return sorted(entry.name for entry in _shipped_cases().iterdir() if (entry / "case.toml").is_file())


def _shipped_cases() -> Path:
    return Path(str(files("sim"))) / "cases"


def find_case(argument: str) -> Path:
    """Return the folder of a case: an argument with a slash is a path, one without is a shipped name."""
    if "/" in argument or "\\" in argument:
        folder = Path(argument)
        if not (folder / "case.toml").is_file():
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
    """
    folder = argument if isinstance(argument, Path) else find_case(argument)
    case_file = _read_case_file(folder / "case.toml")
    claims, faults, unread = parse_claims(read_text(folder / "claims.csv"), "claims.csv", Claim)
    if len(case_file.forces) == 1:
        only = next(iter(case_file.forces))
        claims = [claim if claim.force else claim.model_copy(update={"force": only}) for claim in claims]
    case = Case(name=folder.resolve().name, folder=folder, file=case_file, claims=tuple(claims))
    faults += find_faults(case, unread)
    if faults:
        raise InputError(faults)
    return case


def _read_case_file(path: Path) -> CaseFile:
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refuse(path.name, "", f"is not TOML ({error})", "mend it there") from None
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        raise InputError(describe_error(item, path.name, "") for item in _merge_unions(error)) from None


def _merge_unions(error: ValidationError) -> list[Any]:
    """Keep one fault for each place: an alternative of a union that was not meant says nothing to the reader."""
    kept: dict[tuple[Any, ...], Any] = {}
    for item in error.errors(include_url=False):
        place = tuple(part for part in item["loc"] if not str(part).startswith(("function-", "dict[", "tuple[")))
        kept.setdefault(place[:3] if "role" in place else place, {**item, "loc": place})
    return list(kept.values())


def read_result(folder: Path) -> dict[str, Any]:
    """Return the `summary.json` of a run's folder.

    Raises
    ------
    InputError
        Where it is missing, damaged, or of another schema.
    """
    path = folder / "summary.json"
    try:
        result = json.loads(read_text(path))
    except ValueError as error:
        raise refuse(str(path), "", f"is damaged ({error})", "run the case again") from None
    if not isinstance(result, dict) or result.get("schema") != 1:
        raise refuse(str(path), "schema", "is not 1", "use the version of truetoll that wrote it")
    missing = [key for key in REQUIRED if key not in result]
    if missing:
        raise refuse(str(path), "", f"lacks {', '.join(missing)}", "run the case again")
    return result


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the `manifest.json` of a run's folder; empty where there is none that can be read."""
    try:
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def find_sensitivity(run: Path, result: dict[str, Any]) -> tuple[Path | None, dict[str, Any] | None]:
    """Return the latest sensitivity report of a run's inputs that lies beside it, with its folder; none where none."""
    for folder in sorted(run.resolve().parent.glob(f"{SENSITIVITY}*"), reverse=True):
        try:
            report = json.loads((folder / "sensitivity.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(report, dict) and report.get("schema") == 1 and report.get("inputs") == result["inputs"]:
            return folder, report
    return None, None
