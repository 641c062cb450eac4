"""A run: fitting a case, and its folder, which appears whole or not at all and never over another."""

from __future__ import annotations

import datetime as dt
import json
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread

from sim.case.case import Case
from sim.case.claims import take_day
from sim.case.folder import read_case, read_case_priors
from sim.case.priors import PriorSet
from sim.contract.check import adapt, dump_record, parse_result
from sim.contract.manifest import Manifest, Settings
from sim.contract.summary import Result
from sim.errors import InputError, quote_value, refuse, take_whole
from sim.model.design import Design, design_model
from sim.posterior.engines import OWN_SAMPLER, TAKES_PART, Engine, check_engine
from sim.posterior.sample import draw_prior
from sim.posterior.summary import summarise
from sim.posterior.verdict import choose_ladder, fit_design
from sim.runs.finished import Run
from sim.runs.folder import MANIFEST, POSTERIOR, SUMMARY
from sim.runs.inputs import gather_inputs, hash_inputs, write_inputs
from sim.sampler.diagnostics import load_statistics
from sim.system.figure_process import FigureProcess
from sim.system.reading import hash_file
from sim.system.sheets.cells import Dates
from sim.system.writing import build_folder, format_json

# What takes part in a run: what draws, judges the draws, keeps and shows them.
LIBRARIES = ("numpy", "scipy", "numba", "arviz-stats", "xarray", "matplotlib", "pydantic")


def run_case(
    case: str | Path | Case,
    *,
    seed: int = 1,
    prior: str | None = None,
    as_of: dt.date | str | None = None,
    known_by: dt.date | str | None = None,
    draws: int | None = None,
    sampler: Engine = OWN_SAMPLER,
    dates: Dates | None = None,
    quiet: bool = True,
) -> Run:
    """Fit a case and summarise it, without writing anything.

    Parameters
    ----------
    case : str, Path or Case
        A shipped case's name, a folder (a string with a slash), or a case that was read.
    seed : int
    prior : str, optional
        A prior set instead of the case's.
    as_of : date or str, optional
        The day of the headline, also as YYYY-MM-DD; all claims are used.
    known_by : date or str, optional
        Claims published later are left out.
    draws : int, optional
        Of each of the four chains; default by the size of the case.
    sampler : {"kernel", "nutpie", "pymc"}
        What draws: our own machine code, or another sampler from the PyMC model (`sim.pymc_model`).
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant.
    quiet : bool
        Show no progress.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Where the case or the prior set breaks a rule.

    Examples
    --------
    >>> run = sim.run("vietnam", seed=1, as_of="1972-12-31")
    >>> run.summary
    """
    started = time.perf_counter()
    seed = take_whole(seed, "seed")
    draws = None if draws is None else take_whole(draws, "draws", 10, 1_000_000)
    read, priors = _read_both(case, prior, dates)
    days = {"as_of": read_day(as_of, "as_of"), "known_by": read_day(known_by, "known_by")}
    seconds = {"read": time.perf_counter() - started}
    run = fit_case(read, priors, seed=seed, **days, draws=draws, sampler=sampler, quiet=quiet)
    return replace(run, seconds=seconds | run.seconds, settings=replace(run.settings, prior=prior))


def fit_case(
    case: Case,
    priors: PriorSet,
    *,
    seed: int,
    as_of: dt.date | None = None,
    known_by: dt.date | None = None,
    draws: int | None = None,
    sampler: Engine = OWN_SAMPLER,
    quiet: bool = True,
) -> Run:
    """Fit a case that has been read, with priors that have: see `run_case`."""
    started = time.perf_counter()
    if as_of is not None and as_of < case.start:
        raise refuse("--as-of", "", f"{as_of} is before the start of the case ({case.start})", "give a later day")
    check_engine(sampler)  # also where types are not looked at
    inputs = gather_inputs(case, priors)
    design = design_model(case, priors, as_of, known_by)
    designed = time.perf_counter()
    # The chains move in machine code and leave the interpreter to this thread.
    Thread(target=_load_ahead, daemon=True).start()
    drawn, sample, verdict, attempts = fit_design(
        design, seed, choose_ladder(design, draws), sampler=sampler, quiet=quiet
    )
    sampled = time.perf_counter()
    prior_sample = draw_prior(design, seed)
    result = summarise(sample, prior_sample, drawn, verdict, seed, attempts)
    seconds = {
        "design": designed - started,
        **drawn.seconds,
        "fit": sampled - designed,
        "summarise": time.perf_counter() - sampled,
    }
    days = {name: None if day is None else day.isoformat() for name, day in (("as_of", as_of), ("known_by", known_by))}
    settings = Settings(prior=None, **days, draws=draws, sampler=sampler)
    return Run(design, drawn, sample, prior_sample, verdict, result, seed, inputs, settings, seconds)


def _read_both(case: str | Path | Case, prior: str | None, dates: Dates | None = None) -> tuple[Case, PriorSet]:
    read = case if isinstance(case, Case) else read_case(case, dates)
    return read, read_case_priors(read, prior)


def design_case(
    case: str | Path | Case,
    *,
    prior: str | None = None,
    as_of: dt.date | str | None = None,
    known_by: dt.date | str | None = None,
) -> Design:
    """Lay out the model of a case without fitting it; the arguments are those of `run_case`."""
    return design_model(*_read_both(case, prior), read_day(as_of, "as_of"), read_day(known_by, "known_by"))


def read_day(day: dt.date | str | None, name: str) -> dt.date | None:
    """Return a day that is given as such or as YYYY-MM-DD."""
    day = take_day(day)
    if day is None or isinstance(day, dt.date):
        return day
    try:
        return dt.date.fromisoformat(day)
    except (TypeError, ValueError):
        raise refuse(name, "", f"{quote_value(day)} is not a day", "write it as YYYY-MM-DD") from None


def _load_ahead() -> None:
    """Prepare what the verdict and the folder will need; what fails here fails again where it is needed."""
    with suppress(Exception):
        import h5netcdf  # noqa: F401

        load_statistics()
        adapt(Result)


def write_run(run: Run, results: Path, command: Sequence[str] = (), drawing: FigureProcess | None = None) -> Path:
    """Write the folder of a run: `results/<case>/<run-id>/`.

    Parameters
    ----------
    run : Run
    results : Path
        Made where it is missing.
    command : sequence of str
        For the manifest.
    drawing : FigureProcess, optional
        Draws the figures while the rest is written; without one they are drawn here.

    Returns
    -------
    Path
        The folder. It is made under another name and renamed when whole; a run of the same second gets a suffix.
    """
    from sim.report.memo import render_memo
    from sim.report.memo.content import compose_memo
    from sim.report.table import write_summary_csv
    from sim.report.workbook import write_summary_workbook
    from sim.runs.draws import write_draws
    from sim.runs.unknowns import write_unknowns

    summary, parent = format_summary(run.result), results / run.design.case.name
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    with build_folder(parent, f"{stamp}-seed{run.seed}") as (folder, placed):
        before = time.perf_counter()
        (folder / SUMMARY).write_text(summary, encoding="utf-8")
        with drawing.draw(folder / SUMMARY, folder / "figures") if drawing else nullcontext():
            write_summary_csv(run.result, folder / "summary.csv")
            write_summary_workbook(run.result, folder / "summary.xlsx")
            memo = compose_memo(run.result, manifest=describe_run(run, command))
            (folder / "memo.md").write_text(render_memo(memo), encoding="utf-8")
            told = time.perf_counter()
            # HDF5 crashes where it meets a full disk itself.
            (folder / POSTERIOR).write_bytes(bytes(run.posterior.to_netcdf(engine="h5netcdf")))
            write_draws(run.sample, folder)
            unknowns = write_unknowns(run.sample, folder)
            write_inputs(run.inputs, folder)
            stored = time.perf_counter()
        if not (drawing and drawing.is_done()):  # where the process failed, draw here, so that its error is raised
            from sim.report.plots import draw_figures

            draw_figures(run.result, folder / "figures")
        run.seconds |= {"memo": told - before, "store": stored - told, "figures": time.perf_counter() - stored}
        outputs = {POSTERIOR: hash_file(folder / POSTERIOR), **unknowns}
        manifest = replace(describe_run(run, command), outputs=outputs)
        (folder / MANIFEST).write_text(format_json(dump_record(manifest)), encoding="utf-8")
    run.folder = placed[0]
    return placed[0]


def format_summary(result: Result) -> str:
    """Return the text of `summary.json`, or refuse a result that its own readers would refuse: of absurd numbers."""
    try:
        text = format_json(dump_record(result))
        parse_result(json.loads(text), SUMMARY)
    except (ValueError, InputError) as error:
        reason = error.faults[0] if isinstance(error, InputError) else error
        what = f"gives numbers that cannot be reckoned with ({reason})"
        remedy = "look for priors fixed at an edge, or out of proportion"
        raise refuse(result.case, "", what, remedy) from None
    return text


def describe_run(run: Run, command: Sequence[str]) -> Manifest:
    """Return the manifest: inputs by hash, versions, seed, command, timings by stage."""
    design = run.design
    return Manifest(
        case=design.case.name,
        seed=run.seed,
        settings=run.settings,
        command=tuple(command),
        as_of=design.as_of.isoformat(),
        hidden_claims=tuple(design.evidence.hidden),
        inputs=hash_inputs(run.inputs),
        versions=find_versions(("truetoll", "python", *LIBRARIES, *TAKES_PART[run.settings.sampler])),
        platform=describe_platform(),
        written=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds={stage: round(value, 3) for stage, value in run.seconds.items()},
    )


def find_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of libraries; those that are not installed are left out."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = platform.python_version() if name == "python" else version(name)
    return found


def describe_platform() -> str:
    """Return the kind of machine."""
    return f"{platform.system()} {platform.machine()}"


def read_command() -> list[str]:
    """Return the command as typed, with the program's name for its path."""
    return ["truetoll", *sys.argv[1:]]
