"""The command line: parse, call one function, print. Nothing here imports pymc, arviz or matplotlib before it must."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.errors import InputError, refuse

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="From conflicting claims of war losses to credible intervals. Start with: truetoll run kursk",
)
priors_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The prior sets. Example: truetoll priors list"
)
app.add_typer(priors_app, name="priors")

DONE, DEFECT, USAGE, BAD_INPUT, NOT_TRUSTED = 0, 1, 2, 3, 4

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="A shipped case's name, or a path with a slash.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same draws.", min=0, max=2**31 - 1)]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress and no notes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the machine-readable result alone.")]
DayOption = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", show_default=False)]


def main() -> None:
    """Run the command line."""
    app()


def _guarded(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a fault of the input into lines on standard error and exit status 3."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            status = command(*args, **options)
        except InputError as error:
            print(error, file=sys.stderr)  # noqa: T201
            raise typer.Exit(BAD_INPUT) from None
        raise typer.Exit(status)

    return run


def _say(text: str, *, quiet: bool = False) -> None:
    if not quiet:
        print(text, file=sys.stderr)  # noqa: T201


def _print(text: str) -> None:
    print(text)  # noqa: T201


def _parse_day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise refuse(option, "", f"{text!r} is not a day", "write it as YYYY-MM-DD") from None


@app.command()
@_guarded
def run(
    case: CaseArgument,
    seed: SeedOption = 1,
    prior: Annotated[str | None, typer.Option(help="A prior set in place of the case's.", show_default=False)] = None,
    as_of: DayOption = None,
    known_by: DayOption = None,
    draws: Annotated[int, typer.Option(help="Draws of each of the four chains.", min=100, max=1_000_000)] = 1_500,
    results: Annotated[Path, typer.Option(help="Where runs are written.")] = Path("results"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Fit a case and write estimates, figures and a memo.

    --as-of moves the day of the headline; --known-by leaves out claims published later.

    Example: truetoll run kursk
    """
    from sim.runs import read_command, run_case, write_run
    from sim.table import show_text

    days = _parse_day(as_of, "--as-of"), _parse_day(known_by, "--known-by")
    done = run_case(case, seed=seed, prior=prior, as_of=days[0], known_by=days[1], draws=draws, quiet=quiet)
    folder = write_run(done, results, read_command())
    if as_json:
        _print(json.dumps(done.result, ensure_ascii=False, allow_nan=False))
    else:
        _print(show_text(done.result))
    _say(f"\nWritten to {folder}", quiet=quiet)
    return DONE if done.verdict.trusted else NOT_TRUSTED


@app.command()
@_guarded
def check(
    case: CaseArgument,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Read and validate a case without sampling; warn of echoes, contradictions, slips, duplicates.

    Example: truetoll check kursk
    """
    from sim.check import check_case

    report = check_case(case)
    if as_json:
        _print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for warning in report.warnings:
            _print(str(warning))
        _say(report.tell_counts(), quiet=quiet)
    return DONE


@app.command()
@_guarded
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")],
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write a commented case to start from.

    Example: truetoll new ./mycase
    """
    from sim.new import write_case

    write_case(folder)
    shown = folder if folder.is_absolute() else f"./{folder}"
    _tell_written([folder / name for name in ("case.toml", "claims.csv")], as_json=as_json)
    _say(f"Edit them, then: truetoll run {shown}", quiet=quiet or as_json)
    return DONE


@app.command()
@_guarded
def memo(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="Formats, separated by commas; md alone so far.")] = "md",
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write the memo again from a finished run.

    Example: truetoll memo results/kursk/20250501-120000-seed1
    """
    from sim.memo import write_memo
    from sim.read import read_result

    others = sorted(set(formats.split(",")) - {"md"})
    if others:
        raise refuse("--format", "", f"{', '.join(others)} is not available", "use md")
    result = read_result(run)
    with _damage_told(run):
        write_memo(result, run / "memo.md")
    _tell_written([run / "memo.md"], as_json=as_json, quiet=quiet)
    return DONE


@app.command()
@_guarded
def plot(
    run: RunArgument,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Draw the figures again from a finished run.

    Example: truetoll plot results/kursk/20250501-120000-seed1
    """
    from sim.plots import draw_figures
    from sim.read import read_result

    result = read_result(run)
    with _damage_told(run):
        written = draw_figures(result, run / "figures")
    if not written:
        raise refuse(str(run / "summary.json"), "", "holds nothing to draw", "run the case again")
    _tell_written(written, as_json=as_json, quiet=quiet)
    return DONE


def _tell_written(files: list[Path], *, as_json: bool, quiet: bool = False) -> None:
    if as_json:
        _print(json.dumps({"schema": 1, "written": [str(path) for path in files]}))
    else:
        _say("Written: " + ", ".join(str(path) for path in files), quiet=quiet)


@contextmanager
def _damage_told(run: Path) -> Iterator[None]:
    """Turn what a damaged summary breaks into one line."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise refuse(str(run / "summary.json"), "", f"is damaged ({error!r})", "run the case again") from error


@priors_app.command("list")
@_guarded
def list_priors(
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """List the prior sets.

    Example: truetoll priors list
    """
    from sim.priors import list_prior_sets, read_priors

    sets = [read_priors(name) for name in list_prior_sets()]
    if as_json:
        _print(json.dumps([{"name": s.name, "provisional": s.provisional, "note": s.note} for s in sets]))
        return DONE
    for each in sets:
        _print(f"{each.name}{' (provisional)' if each.provisional else ''}: {' '.join(each.note.split())}")
    return DONE


@priors_app.command("show")
@_guarded
def show_priors(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A prior set's name, or a path.")],
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Show a prior set: each parameter's distribution, source and rationale.

    Example: truetoll priors show default
    """
    from sim.priors import read_priors

    found = read_priors(name)
    if as_json:
        content = {key: prior.model_dump(exclude_none=True) for key, prior in sorted(found.priors.items())}
        _print(json.dumps({"name": found.name, "sha256": found.sha256, "priors": content}, ensure_ascii=False))
        return DONE
    _print(f"{found.name}: {' '.join(found.note.split())}\n")
    for key, prior in sorted(found.priors.items()):
        taken = " (from the default set)" if key in found.borrowed else ""
        _print(f"{key} ~ {prior}{taken}\n    {' '.join([prior.why, prior.source, prior.url]).strip()}")
    return DONE


def _design(case: str, prior: str | None) -> Any:
    from sim.model import design_model
    from sim.priors import read_priors
    from sim.read import read_case

    read = read_case(case)
    return design_model(read, read_priors(prior or read.file.prior, beside=read.folder, overrides=read.file.priors))


@app.command()
@_guarded
def simulate(
    case: CaseArgument,
    n: Annotated[int, typer.Option("--n", help="How many worlds.")] = 1_000,
    seed: SeedOption = 1,
    prior: Annotated[str | None, typer.Option(help="A prior set in place of the case's.", show_default=False)] = None,
    run: Annotated[
        Path | None, typer.Option(help="A run's folder: truths from its posterior.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Draw truths from the prior, or a run's posterior, and the claims that each source would make of them.

    Example: truetoll simulate kursk --n 1000
    """
    import numpy as np

    from sim.simulate import simulate_worlds, tabulate_worlds
    from sim.table import show_worlds
    from sim.trace import read_sample

    if not 1 <= n <= 100_000:
        raise refuse("--n", "", f"{n} worlds are none or too many", "give 1 to 100000")
    design = _design(case, prior)
    truths = None if run is None else read_sample(run, design)
    result = tabulate_worlds(design, simulate_worlds(design, np.random.default_rng(seed), n, truths))
    _print(json.dumps(result) if as_json else show_worlds(result))
    return DONE


@app.command()
@_guarded
def sbc(
    case: CaseArgument,
    n: Annotated[int, typer.Option("--n", help="How many replicates.")] = 100,
    seed: SeedOption = 1,
    prior: Annotated[str | None, typer.Option(help="A prior set in place of the case's.", show_default=False)] = None,
    results: Annotated[Path, typer.Option(help="Where finished replicates and the report are kept.")] = Path("results"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the replicates that are kept.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Check the computation: fit claims that the model itself made, and test that the truth's ranks are uniform.

    Example: truetoll sbc vietnam --n 50
    """
    from sim.plots.ranks import draw_ranks
    from sim.sbc import calibrate
    from sim.table import show_calibration

    if not 1 <= n <= 1_000_000:
        raise refuse("--n", "", f"{n} replicates are none or too many", "give 1 to 1000000")
    design = _design(case, prior)
    store = results / design.case.name / f"sbc-seed{seed}.jsonl"
    report, replicates = calibrate(design, n, seed, store, resume, quiet=quiet)
    draw_ranks(replicates, design.case.title, store.with_suffix(".png"))
    _print(json.dumps(report) if as_json else show_calibration(report))
    _say(f"Replicates are kept in {store}, ranks drawn in {store.with_suffix('.png')}", quiet=quiet)
    return NOT_TRUSTED if report["untrusted_fits"] > 0.02 * n else DONE
