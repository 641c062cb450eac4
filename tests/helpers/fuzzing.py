"""The contract of every door that files come in by, and one function that tries an input at a door.

An input is taken (0), refused (3) or found not to be trusted (4): never a traceback, one line for each fault, nothing
that steers a terminal, in seconds and within memory.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import resource
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import TypedDict
from unittest import mock

import docx
from doors import Door, lay_case, list_doors_of_articles, list_doors_of_tables
from doors_of_records import list_doors_of_records
from typer.main import get_command

from sim.cli.app import app
from sim.cli.console import guarded
from sim.errors import MAX_FAULTS, refuse
from sim.system.store import Store

ALLOWED = {0, 3, 4}
MOST_SECONDS = 5.0
MOST_MEMORY = 500_000  # kB, by which one input may raise the memory of the process
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ESTIMATES = (
    "date,estimate_low,estimate_high,estimate,type,source,source_url,country,"
    '"ignore for chart, data from warring parties"\n'
    "01/03/2023,,200000,,casualties,UK MoD,https://x.org/2023/03/02/a,Russia,\n"
    '31/12/2022,"10,000",13000,,deaths,Office of the President of Ukraine,,Ukraine,yes\n'
    "5/5/2024,,,50471,deaths,BBC Russian,https://bbc.com,Russia,\n1/1/2024,7,8,,injured,Nobody (known),note,Ukraine,\n"
)
LOSSES = (
    '"","days","loss_count","claim_source","time_frame","loss_country","minimum","maximum","category"\n'
    "1,56,647,UA Source,Cumulative,Russia,0,0,Tanks\n2,60,1e+05,RU Source,Day,Ukraine,1,0,Military Deaths\n"
    "3,61,20,United Nations,Cumulative,Ukraine,0,1,Civilian Deaths\n"
)
EVENTS = (
    "id,conflict_name,date_start,date_end,deaths_a,deaths_b,best,high,low\n"
    "1,A war,2020-01-01 00:00:00.000,2020-01-03,1,1,5,9,2\n2,A war,2020-03-01,2020-03-02,0,0,0,4,0\n"
    "3,A war,2021-05-05,2021-05-05,1,0,1,1,1\n"
)


def _lay_table(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8") and None


def lay_run(run: Path) -> Callable[[Path], None]:
    """Return what copies a finished run, with a sensitivity report of its inputs beside it."""

    def lay(folder: Path) -> None:
        (folder / "run" / "figures").mkdir(parents=True)
        for name in ("manifest.json", "unknowns.npy", "figures/page-one.png"):
            shutil.copy(run / name, folder / "run" / name)
        shutil.copytree(run / "inputs", folder / "run" / "inputs")
        (folder / "sensitivity-1").mkdir()
        result = trim_result(json.loads((run / "summary.json").read_text(encoding="utf-8")))
        (folder / "run" / "summary.json").write_text(json.dumps(result), encoding="utf-8")
        report = json.dumps(make_report(result))
        (folder / "sensitivity-1" / "sensitivity.json").write_text(report, encoding="utf-8")

    return lay


def trim_result(result: dict) -> dict:
    """Return a summary with a few entries of each kind: of a small input a change sooner hits what matters."""
    claims = sorted(result["claims"], key=lambda claim: not claim["used"])
    forms = {(claim["used"], claim["qualifier"], claim["unit"]): claim for claim in claims}
    kept = {name: result[name][:2] for name in ("exceedance", "bias", "variance", "next_reports", "derived")}
    counts = {entry["quantity"] for entry in kept["variance"]}
    kept["estimates"] = [entry for entry in result["estimates"] if entry["quantity"] in counts]
    path = {name: each[:6] if isinstance(each, list) else each for name, each in result["paths"][0].items()}
    return {**result, **kept, "claims": list(forms.values()), "paths": [path]}


def make_report(result: dict) -> dict:
    """Return a small sensitivity report of a run."""
    names = ("force", "quantity", "median", "log_sd", "intervals")
    counts = [{name: each[name] for name in names} for each in result["estimates"]]
    moved = [{**each, "shift_sd": 0.5, "shift_mcse": 0.01, "width_ratio": 1.1} for each in counts]
    head = {"force": counts[0]["force"], "quantity": counts[0]["quantity"]}
    scenario = {"what": "a", "how": "refit", "k": None, "trusted": True, **moved[0], "quantities": moved}
    kinds = ("leave_source_out", "duplicate_source", "echo", "role")
    conflict = {"first": "own", "second": "adversary", **head, "factor": 2.0, "interval_90": [1.0, 4.0],
                "trusted": True, "p": 0.01, "p_adjusted": 0.02, "tests": 1}  # fmt: skip
    return {
        "schema": 1, "case": result["case"], "title": result["title"], "as_of": result["as_of"],
        "inputs": result["inputs"], "force": head["force"], "headline": head["quantity"], "headlines": [head],
        "seed": 1, "base": {"trusted": True, "how": "fit", "k": None, "quantities": counts},
        "scenarios": [{**scenario, "kind": kind, "label": f"without {kind}"} for kind in kinds],
        "priors": [{**head, "group": "bias", "psense": 0.2}], "conflict": [conflict], "groups": ["own"],
        "fits": 5, "untrusted_fits": 0,
    }  # fmt: skip


def list_doors(run: Path) -> dict[str, Door]:
    """Return the doors by name; `run` is the folder of a finished run of the shipped case."""
    finished = lay_run(run)
    doors = {
        "case": Door("case.toml", lay_case, lambda place: ["check", f"{place}/"]),
        "claims": Door("claims.csv", lay_case, lambda place: ["check", f"{place}/", "--json"]),
        "priors": Door("set.toml", lay_case, lambda place: ["priors", "show", f"{place}/set.toml"]),
        "memo": Door("run/summary.json", finished, lambda place: ["memo", f"{place}/run"]),
        "compare": Door("run/summary.json", finished, lambda place: ["compare", str(run), f"{place}/run", "--json"]),
        "plot": Door("run/summary.json", finished, lambda place: ["plot", f"{place}/run", "--format", "svg"]),
        "manifest": Door("run/manifest.json", finished, lambda place: ["memo", f"{place}/run"]),
        "report": Door("sensitivity-1/sensitivity.json", finished, lambda place: ["memo", f"{place}/run"]),
        "since": Door(
            "run/summary.json", _lay_two(run), lambda place: ["memo", f"{place}/now", "--since", f"{place}/run"]
        ),
        "draws": Door("run/unknowns.npy", finished, _seal_draws),
        "kept-case": Door("run/inputs/case.toml", finished, _seal_inputs),
        "kept-claims": Door("run/inputs/claims.csv", finished, _seal_inputs),
        "kept-priors": Door("run/inputs/priors/default.toml", finished, _seal_inputs),
        "verified": Door("run/manifest.json", finished, lambda place: ["open-inputs", f"{place}/run"]),
        "figure": Door(
            "run/figures/page-one.png", finished, lambda place: ["memo", f"{place}/run", "--format", "html,docx"]
        ),
        "store": Door("done.jsonl", _lay_store, lambda place: ["store", f"{place}/done.jsonl"]),
    }
    for file, form in (("memo.md.j2", "md"), ("memo.html.j2", "html"), ("memo.typ.j2", "pdf"), ("memo.docx", "docx")):
        doors[f"template-{form}"] = Door(f"house/{file}", _lay_template(run, file), _set_memo(form))
    for form, text in (("economist", ESTIMATES), ("radford", LOSSES), ("ucdp", EVENTS)):
        doors[form] = Door("table.csv", _lay_table("table.csv", text), _import_as(form))
    return doors | list_doors_of_tables() | list_doors_of_articles() | list_doors_of_records()


def _seal_draws(place: Path) -> list[str]:
    """Have the manifest know the draws as they are now, as whoever makes a folder can; return the command."""
    path = place / "run" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["outputs"]["unknowns.npy"] = hashlib.sha256((place / "run" / "unknowns.npy").read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return ["simulate", "kursk", "--n", "5", "--run", f"{place}/run"]


def _seal_inputs(place: Path) -> list[str]:
    """Have the manifest know the inputs as they are now, likewise."""
    path, inputs = place / "run" / "manifest.json", place / "run" / "inputs"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["inputs"] = {name: hashlib.sha256((inputs / name).read_bytes()).hexdigest() for name in manifest["inputs"]}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return ["open-inputs", f"{place}/run"]


def _lay_two(run: Path) -> Callable[[Path], None]:
    """Return what lays out a run, and a later one beside it."""

    def lay(folder: Path) -> None:
        lay_run(run)(folder)
        shutil.copytree(folder / "run", folder / "now")

    return lay


def _lay_template(run: Path, file: str) -> Callable[[Path], None]:
    """Return what lays out a run, and beside it our own template as if it were somebody else's."""

    def lay(folder: Path) -> None:
        lay_run(run)(folder)
        (folder / "house").mkdir()
        if file == "memo.docx":
            docx.Document().save(str(folder / "house" / file))
        else:
            shutil.copy(files("sim.report.memo") / "templates" / file, folder / "house" / file)

    return lay


def _set_memo(form: str) -> Callable[[Path], list[str]]:
    return lambda place: ["memo", f"{place}/run", "--format", form, "--template", f"{place}/house"]


class KeptNumbers(TypedDict):
    """An entry of a store such as studies keep."""

    trusted: bool
    fractions: dict[str, float]


def _make_store(path: Path) -> Store:
    return Store(path, "k", "seed", KeptNumbers)


def _lay_store(folder: Path) -> None:
    for seed in range(5):
        _make_store(folder / "done.jsonl").append(seed, {"trusted": True, "fractions": {"killed": seed / 7, "x": 0.5}})


def _import_as(form: str) -> Callable[[Path], list[str]]:
    return lambda place: ["import", form, f"{place}/table.csv", f"{place}/made"]


@guarded
def _resume_store(path: Path) -> int:
    """Go on from a store as `sbc`, `backtest` and `sensitivity` do."""
    _make_store(path).begin(resume=True)
    return 0


@guarded
def _open_inputs(run: Path) -> int:
    """Read what a run was made from as `run --verify` does, which goes on to make it again."""
    from sim.runs.folder import read_manifest
    from sim.runs.inputs import open_inputs

    manifest = read_manifest(run)
    if manifest is None:
        raise refuse(str(run), "", "has no manifest", "give another")
    with open_inputs(run, manifest):
        return 0


app.command("store", hidden=True)(_resume_store)
app.command("open-inputs", hidden=True)(_open_inputs)
COMMAND = get_command(app)


def try_input(door: Door, content: bytes, place: Path) -> int:
    """Put content in the place of the door's file, in a folder laid out for it; hold the command to the contract."""
    path = place / door.file
    path.write_bytes(content)
    shutil.rmtree(place / "made", ignore_errors=True)
    return hold_to_contract(door.arguments(place))


def hold_to_contract(arguments: list[str]) -> int:
    """Run a command in this process; return its exit status."""
    return run_here(arguments)[0]


class Heard(io.StringIO):
    """What is said on standard error; who asks for its number, to say where time is spent, gets the own.

    Else the question is an error within the command that is tried, and taken for one of the machine.
    """

    def fileno(self) -> int:
        """Return the number of this process's own standard error."""
        return 2


def run_here(arguments: list[str], most_seconds: float = MOST_SECONDS) -> tuple[int, str, str]:
    """Run a command in this process, held to the contract; return its exit status and what it says."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    answers = mock.patch("sys.stdin", io.StringIO("q\n"))  # to what a review asks
    with answers, redirect_stdout(io.StringIO()) as out, redirect_stderr(Heard()) as err:
        status = int(COMMAND.main(arguments, prog_name="truetoll", standalone_mode=False) or 0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = min(after.ru_utime - before.ru_utime, time.perf_counter() - started)  # others may use the processor too
    grown = after.ru_maxrss - before.ru_maxrss
    check_contract(status, out.getvalue(), err.getvalue())
    assert seconds < most_seconds, f"took {seconds:.1f} s"
    assert grown < MOST_MEMORY, f"took {grown / 1000:.0f} MB"
    return status, out.getvalue(), err.getvalue()


def check_contract(status: int, stdout: str, stderr: str) -> None:
    """Hold what a command said to the contract."""
    assert status in ALLOWED, (status, stderr)
    assert "Traceback" not in stderr
    for text in (stdout, stderr):
        found = STEERING.search(text)
        assert not found, f"{found[0]!r} is printed"
    if status == 3:
        lines = stderr.splitlines()
        assert 1 <= len(lines) <= MAX_FAULTS + 1
        assert not stdout or len(json.loads(stdout)["faults"]) == len(lines)
        for line in lines:
            assert re.fullmatch(r".+: .+; .+", line), line
