"""The folder of a run: what lies in it, who writes and who reads each of its files; and how it is read again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sim.contract.check import parse_manifest, parse_result, parse_sensitivity
from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import Result
from sim.errors import InputError, refuse
from sim.system.reading import read_json

SUMMARY, MANIFEST, INPUTS = "summary.json", "manifest.json", "inputs"
POSTERIOR, UNKNOWNS = "posterior.nc", "unknowns.npy"
SENSITIVITY = "sensitivity-"  # how the folders of such reports begin, beside the runs of a case


@dataclass(frozen=True)
class RunFile:
    """A file of a run's folder, or a folder in it: the functions that write it, and those of ours that read it."""

    name: str
    writers: tuple[str, ...]
    readers: tuple[str, ...] = ()


_MEMO = "sim.report.memo.write_memo"
FILES = (
    RunFile(SUMMARY, ("sim.runs.run.write_run",), ("sim.runs.folder.read_result",)),
    RunFile("summary.csv", ("sim.report.table.write_summary_csv",)),
    RunFile("summary.xlsx", ("sim.report.workbook.write_summary_workbook",)),
    RunFile(POSTERIOR, ("sim.runs.run.write_run",)),
    RunFile(UNKNOWNS, ("sim.runs.unknowns.write_unknowns",), ("sim.runs.unknowns.read_sample",)),
    RunFile("draws.csv", ("sim.runs.draws.write_draws",)),
    RunFile("draws.parquet", ("sim.runs.draws.write_draws",)),
    RunFile("memo.md", ("sim.runs.run.write_run", _MEMO)),
    RunFile("figures", ("sim.report.plots.draw_figures",), (_MEMO,)),
    RunFile(MANIFEST, ("sim.runs.run.write_run",), ("sim.runs.folder.read_manifest",)),
    RunFile(INPUTS, ("sim.runs.inputs.write_inputs",), ("sim.runs.inputs.open_inputs",)),
)
ASKED = tuple(RunFile(f"memo.{name}", (_MEMO,)) for name in ("html", "docx", "pdf"))  # which `memo` adds


def find_run(argument: Path, results: Path = Path("results")) -> Path:
    """Return the folder of a run; `latest` is that which was written last among `results`.

    Raises
    ------
    InputError
        Where there is none.
    """
    if str(argument) != "latest":
        return argument
    runs = [path.parent for path in results.glob(f"*/*/{SUMMARY}") if (path.parent / MANIFEST).is_file()]
    if not runs:
        raise refuse("latest", "", f"there is no run in {results}", "run a case, or give the folder of a run")
    return max(runs, key=lambda run: ((run / MANIFEST).stat().st_mtime_ns, run.name))


def read_result(folder: Path) -> Result:
    """Return the `summary.json` of a run's folder.

    Raises
    ------
    InputError
        Where it is missing, damaged, or of another schema.
    """
    path = folder / SUMMARY
    return parse_result(read_json(path, inside=folder), str(path))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the `manifest.json` of a run's folder; None where there is none."""
    path = folder / MANIFEST
    return parse_manifest(read_json(path, inside=folder), str(path)) if os.path.lexists(path) else None


def find_sensitivity(run: Path, result: Result) -> tuple[Path | None, Sensitivity | None]:
    """Return the latest sensitivity report of a run's inputs that lies beside it, with its folder; none where none."""
    for folder in sorted(run.resolve().parent.glob(f"{SENSITIVITY}*"), reverse=True):
        path = folder / "sensitivity.json"
        try:
            report = read_json(path, inside=folder.parent)
        except InputError:
            continue
        if isinstance(report, dict) and report.get("schema") == 1 and report.get("inputs") == result.inputs:
            return folder, parse_sensitivity(report, str(path))
    return None, None
