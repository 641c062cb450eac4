"""The commands of many fits or worlds: simulate, sensitivity, sbc, backtest."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.console import DONE, NOT_TRUSTED, guarded, parse_day, say, show
from sim.cli.options import (
    RESULTS,
    AsOfOption,
    CaseArgument,
    ClaimsArgument,
    DaskOption,
    JobsOption,
    JsonOption,
    KnownByOption,
    PriorOption,
    QuietOption,
    ResultsOption,
    ResumeOption,
    SeedOption,
    TruthArgument,
)
from sim.errors import refuse
from sim.system.writing import replace_files

if TYPE_CHECKING:
    from sim.model.design import Design
    from sim.system.tasks import TaskOptions

MOST_WORLDS = 100_000
MAX_FAILED = 0.02  # of many fits, beyond which the whole is not to be trusted


def _design_case(case: str, prior: str | None, as_of: dt.date | None = None, known_by: dt.date | None = None) -> Design:
    from sim.case.folder import read_case, read_case_priors
    from sim.model.design import design_model

    read = read_case(case)
    if as_of is not None and as_of < read.start:
        raise refuse("--as-of", "", f"{as_of} is before the start of the case ({read.start})", "give a later day")
    return design_model(read, read_case_priors(read, prior), as_of, known_by)


@guarded
def simulate(
    case: CaseArgument,
    n: Annotated[int, typer.Option("--n", help="How many worlds.")] = 1_000,
    seed: SeedOption = 1,
    prior: PriorOption = None,
    run: Annotated[
        Path | None, typer.Option(help="A run's folder: truths from its posterior.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Draw truths from the prior, or a run's posterior, and the claims that each source would make of them.

    Example: truetoll simulate kursk --n 1000
    """
    import numpy as np

    from sim.posterior.simulate import simulate_worlds, tabulate_worlds
    from sim.report.table import show_worlds
    from sim.runs.unknowns import read_sample

    if not 1 <= n <= MOST_WORLDS:
        raise refuse("--n", "", f"{n} is outside 1 to {MOST_WORLDS:,}", "give a number of worlds within it")
    design = _design_case(case, prior)
    truths = None if run is None else read_sample(run, design)
    result = tabulate_worlds(design, simulate_worlds(design, np.random.default_rng(seed), n, truths))
    show(json.dumps(result) if as_json else show_worlds(result))
    return DONE


@guarded
def sensitivity(
    case: CaseArgument,
    seed: SeedOption = 1,
    prior: PriorOption = None,
    as_of: AsOfOption = None,
    known_by: KnownByOption = None,
    jobs: JobsOption = 2,
    dask: DaskOption = None,
    results: ResultsOption = RESULTS,
    resume: ResumeOption = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Reweight the draws alone: claims, sources and priors, in seconds.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell what would change the answer: sources, claims, priors, wordings and roles otherwise, copies, conflict.

    Example: truetoll sensitivity kursk
    """
    from sim.system.cluster import open_cluster

    days = parse_day(as_of, "--as-of"), parse_day(known_by, "--known-by")
    with open_cluster(dask) as client:  # before what takes long: a wrong address is told at once
        from sim.contract.check import dump_record
        from sim.report.robustness import count_failed, show_sensitivity
        from sim.robustness.folder import write_sensitivity
        from sim.robustness.sensitivity import examine_case

        design = _design_case(case, prior, *days)
        store = results / design.case.name / f"sensitivity-seed{seed}.jsonl"
        report = examine_case(
            design, seed, quick=quick, store=None if quick else store, resume=resume, jobs=jobs, client=client,
            quiet=quiet,
        )  # fmt: skip
    folder = write_sensitivity(report, results)
    show(json.dumps(dump_record(report), ensure_ascii=False) if as_json else show_sensitivity(report))
    say(f"\nWritten to {folder}", quiet=quiet)
    return NOT_TRUSTED if count_failed(report) > MAX_FAILED * report.fits else DONE


@guarded
def sbc(
    case: CaseArgument,
    n: Annotated[int, typer.Option("--n", help="How many replicates.")] = 100,
    seed: SeedOption = 1,
    prior: PriorOption = None,
    jobs: JobsOption = 2,
    dask: DaskOption = None,
    results: ResultsOption = RESULTS,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Check the computation: fit claims that the model itself made, and test that the truth's ranks are uniform.

    Example: truetoll sbc vietnam --n 50
    """
    from sim.system.cluster import open_cluster

    with open_cluster(dask) as client:  # before what takes long: a wrong address is told at once
        from sim.calibration.sbc import calibrate
        from sim.report.plots.ranks import draw_ranks
        from sim.report.table import show_calibration

        design = _design_case(case, prior)
        store = results / design.case.name / f"sbc-seed{seed}.jsonl"
        report, replicates = calibrate(
            design, n, seed, store=store, resume=resume, quiet=quiet, jobs=jobs, client=client
        )
    with replace_files(store.parent) as draft:
        draw_ranks([each.fractions for each in replicates], design.case.title, draft / f"{store.stem}.png")
    show(json.dumps(report) if as_json else show_calibration(report))
    say(f"Replicates are kept in {store}, ranks drawn in {store.with_suffix('.png')}", quiet=quiet)
    return NOT_TRUSTED if report["untrusted_fits"] > MAX_FAILED * n else DONE


@guarded
def backtest(
    claims: ClaimsArgument,
    truth: TruthArgument,
    prior: Annotated[
        str | None, typer.Option(help="This set as it stands; default: learned without each war.", show_default=False)
    ] = None,
    seed: SeedOption = 1,
    jobs: JobsOption = 2,
    dask: DaskOption = None,
    results: ResultsOption = RESULTS,
    resume: ResumeOption = False,
    refit: Annotated[
        int,
        typer.Option(help="How many of the most influential wars are left out by learning anew.", min=0),
    ] = 0,
    through_time: Annotated[
        bool, typer.Option("--through-time", help="CLAIMS is the folder of a case: estimate it quarter by quarter.")
    ] = False,
    curve: Annotated[Path | None, typer.Option(help="A curve to draw beside it.", show_default=False)] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Forecast wars whose losses are now known, and score the forecasts beside simple rules.

    Example: truetoll backtest claims.csv truth.csv --prior default
    """
    from sim.system.cluster import open_cluster

    with open_cluster(dask) as client:  # before what takes long: a wrong address is told at once
        options: TaskOptions = {"jobs": jobs, "client": client, "resume": resume, "quiet": quiet}
        if through_time:
            return _backtest_quarters(claims, truth, prior, curve, seed, results, options, as_json=as_json)
        return _backtest_wars(claims, truth, prior, seed, refit, results, options, as_json=as_json)


def _backtest_wars(
    claims: Path,
    truth: Path,
    prior: str | None,
    seed: int,
    refit: int,
    results: Path,
    options: TaskOptions,
    *,
    as_json: bool,
) -> int:
    from sim.calibration.backtest import find_reference, report_backtest
    from sim.calibration.forecast import forecast_wars
    from sim.calibration.record import read_record
    from sim.case.priors import read_priors
    from sim.report.past import show_backtest
    from sim.report.plots.calibration import draw_backtest

    record = read_record(claims, truth)
    chosen = read_priors(prior) if prior else None
    name = f"{claims.resolve().parent.name}-{Path(prior).stem if prior else 'left-out'}-seed{seed}"
    folder = results / "backtest" / name
    options["store"] = folder / "forecasts.jsonl"
    forecasts = forecast_wars(record, chosen, read_priors("vague"), seed, refit, **options)
    report = report_backtest(record, forecasts, seed, find_reference(chosen))
    with replace_files(folder) as draft:
        (draft / "backtest.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        draw_backtest(report, draft)
    show(json.dumps(report) if as_json else show_backtest(report))
    say(f"Forecasts, figures and report are kept in {folder}", quiet=options["quiet"])
    return NOT_TRUSTED if report["untrusted_fits"] > MAX_FAILED * report["fits"] else DONE


def _backtest_quarters(
    folder: Path,
    truth: Path,
    prior: str | None,
    curve: Path | None,
    seed: int,
    results: Path,
    options: TaskOptions,
    *,
    as_json: bool,
) -> int:
    from sim.calibration.through_time import backtest_quarters, read_curve
    from sim.calibration.truths import read_truths
    from sim.case.folder import find_case, read_case
    from sim.case.priors import read_priors
    from sim.report.past import show_quarters
    from sim.report.plots.quarters import save_quarters

    case = read_case(find_case(str(folder) if "/" in str(folder) else f"./{folder}"))
    points = read_curve(curve) if curve else []
    priors = read_priors(prior) if prior else None
    kept = results / "backtest" / f"{case.name}-through-time-seed{seed}"
    options["store"] = kept / "quarters.jsonl"
    report = backtest_quarters(case, read_truths(truth), priors, seed, **options)
    with replace_files(kept) as draft:
        (draft / "through-time.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        save_quarters(report, {key: case.label_force(key) for key in case.forces}, points, draft)
    show(json.dumps(report) if as_json else show_quarters(report))
    say(f"Quarters, report and figure are kept in {kept}", quiet=options["quiet"])
    return NOT_TRUSTED if report["untrusted_fits"] > MAX_FAILED * report["fits"] else DONE
