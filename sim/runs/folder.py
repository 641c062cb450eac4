"""The folder of a run, read again: its summary, its manifest, and the sensitivity report beside it."""

from __future__ import annotations

import os
from pathlib import Path

from sim.contract.check import parse_manifest, parse_result, parse_sensitivity
from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import Result
from sim.errors import InputError
from sim.system.reading import read_json

SENSITIVITY = "sensitivity-"  # how the folders of such reports begin, beside the runs of a case


def read_result(folder: Path) -> Result:
    """Return the `summary.json` of a run's folder.

    Raises
    ------
    InputError
        Where it is missing, damaged, or of another schema.
    """
    path = folder / "summary.json"
    return parse_result(read_json(path), str(path))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the `manifest.json` of a run's folder; None where there is none."""
    path = folder / "manifest.json"
    return parse_manifest(read_json(path), str(path)) if os.path.lexists(path) else None


def find_sensitivity(run: Path, result: Result) -> tuple[Path | None, Sensitivity | None]:
    """Return the latest sensitivity report of a run's inputs that lies beside it, with its folder; none where none."""
    for folder in sorted(run.resolve().parent.glob(f"{SENSITIVITY}*"), reverse=True):
        path = folder / "sensitivity.json"
        try:
            report = read_json(path)
        except InputError:
            continue
        if isinstance(report, dict) and report.get("schema") == 1 and report.get("inputs") == result.inputs:
            return folder, parse_sensitivity(report, str(path))
    return None, None
