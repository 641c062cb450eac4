"""The command line: parse, call one function, print. Nothing here imports pymc, arviz or matplotlib before it must."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.console import (
    DONE,
    NOT_TRUSTED,
    TRIPPED,
    AsOfOption,
    CaseArgument,
    JsonOption,
    KnownByOption,
    QuietOption,
    RunArgument,
    SeedOption,
    guarded,
    parse_day,
    say,
    show,
)
from sim.errors import refuse
from sim.system.writing import replace_files


@guarded
def run(
    case: Annotated[
        str | None,
        typer.Argument(metavar="CASE", help="A shipped case's name, or a path with a slash.", show_default=False),
    ] = None,
    seed: SeedOption = 1,
    prior: Annotated[str | None, typer.Option(help="A prior set in place of the case's.", show_default=False)] = None,
    as_of: AsOfOption = None,
    known_by: KnownByOption = None,
    draws: Annotated[
        int | None,
        typer.Option(
            help="Draws of each of the four chains.", min=100, max=1_000_000, show_default="by the case's size"
        ),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where runs are written.")] = Path("results"),
    verify: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Repeat a finished run, and say whether it stands.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Fit a case and write estimates, figures and a memo.

    --verify takes everything from the folder of a run, writes nothing, and exits 5 where the run does not stand.

    Example: truetoll run kursk
    """
    if verify is not None:
        if case is not None:
            raise refuse("--verify", "", f"takes the case from the run, not {case}", "leave out CASE")
        return _verify(verify, as_json=as_json, quiet=quiet)
    if case is None:
        raise typer.BadParameter("Missing argument 'CASE': name one (truetoll run kursk), or a run (--verify RUN)")
    from sim.system.figure_process import start_figure_process

    days = parse_day(as_of, "--as-of"), parse_day(known_by, "--known-by")
    with start_figure_process() as drawing:
        started = time.perf_counter()
        from sim.report.table import show_text
        from sim.runs.run import read_command, run_case, write_run

        imported = time.perf_counter() - started
        done = run_case(case, seed=seed, prior=prior, as_of=days[0], known_by=days[1], draws=draws, quiet=quiet)
        done.seconds = {"import": imported, **done.seconds}
        folder = write_run(done, results, read_command(), drawing)
    if as_json:
        show(json.dumps(done.result, ensure_ascii=False, allow_nan=False))
    else:
        show(show_text(done.result))
    say(f"\nWritten to {folder}", quiet=quiet)
    return DONE if done.verdict.trusted else NOT_TRUSTED


def _verify(folder: Path, *, as_json: bool, quiet: bool) -> int:
    from sim.runs.verify import tell_verdict, verify_run

    report = verify_run(folder, quiet=quiet)
    show(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(tell_verdict(report)))
    return DONE if report["stands"] else TRIPPED


@guarded
def check(
    case: CaseArgument,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Read and validate a case without sampling; warn of echoes, contradictions, slips, duplicates.

    Example: truetoll check kursk
    """
    from sim.case.check import check_case

    report = check_case(case)
    if as_json:
        show(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for warning in report.warnings:
            show(str(warning))
        say(report.tell_counts(), quiet=quiet)
    return DONE


@guarded
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")],
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write a commented case to start from.

    Example: truetoll new ./mycase
    """
    from sim.case.folder import write_case

    write_case(folder)
    shown = folder if folder.is_absolute() else f"./{folder}"
    _tell_written([folder / name for name in ("case.toml", "claims.csv")], as_json=as_json)
    say(f"Edit them, then: truetoll run {shown}", quiet=quiet or as_json)
    return DONE


@guarded
def memo(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="md, html, docx, pdf, separated by commas.")] = "md",
    template: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Templates in place of ours.", show_default=False)
    ] = None,
    words: Annotated[str, typer.Option(help="Whose words for probabilities: icd203, phia or ipcc.")] = "icd203",
    since: Annotated[
        Path | None, typer.Option(metavar="RUN", help="An earlier run, to say what has changed.", show_default=False)
    ] = None,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write the memo again from a finished run, in one or more formats.

    The latest sensitivity report of the same inputs beside the run is part of it.

    Example: truetoll memo results/kursk/20250501-120000-seed1 --format html,pdf
    """
    from sim.report.memo import FORMATS, write_memo
    from sim.report.memo.content import compose_memo
    from sim.runs.folder import find_sensitivity, read_manifest, read_result
    from sim.words import SCALES

    chosen = _choose_formats(formats, FORMATS)
    if words not in SCALES:
        raise refuse("--words", "", f"{words} is not available", f"use {', '.join(SCALES)}")
    if template is not None and not template.is_dir():
        raise refuse("--template", "", f"{template} is no folder", "give the folder of your templates")
    result = read_result(run)
    with _damage_told(run):
        change = _tell_change(since, run) if since else None
        place, sensitivity = find_sensitivity(run, result)
        told = compose_memo(result, scale=words, sensitivity=sensitivity, change=change, manifest=read_manifest(run))
        written = write_memo(told, run, chosen, template)
    if place is not None:
        say(f"Robustness from {place}", quiet=quiet or as_json)
    _tell_written(written, as_json=as_json, quiet=quiet)
    return DONE


def _tell_change(since: Path, run: Path) -> list[str]:
    from sim.runs.compare import compare_runs, tell_change

    return tell_change(compare_runs(since, run))


@guarded
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a later one.")],
    max_shift: Annotated[
        float | None,
        typer.Option(
            metavar="SD", help="Exit 5 where a median moves by more standard deviations.", min=0, show_default=False
        ),
    ] = None,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell what changed between two runs: inputs, and each count beyond Monte Carlo error or not.

    Example: truetoll compare results/kursk/20250501-120000-seed1 results/kursk/20250601-120000-seed1
    """
    from sim.runs.compare import compare_runs, largest_shift, tell_change

    with _damage_told(second):
        report = compare_runs(first, second)
    show(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(tell_change(report)))
    if max_shift is not None and largest_shift(report) > max_shift:
        far = largest_shift(report)
        what = f"A count moved by {far:.2f} standard deviations" if far < float("inf") else "Not every count is in both"
        say(f"{what}; the limit is {max_shift:g}", quiet=quiet)
        return TRIPPED
    return DONE


@guarded
def plot(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="png, svg, pdf, separated by commas.")] = "png,svg,pdf",
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Draw the figures again from a finished run.

    Example: truetoll plot results/kursk/20250501-120000-seed1
    """
    from sim.report.plots import draw_figures
    from sim.report.plots.style import FORMATS
    from sim.runs.folder import read_result

    chosen = _choose_formats(formats, FORMATS)

    result, figures = read_result(run), run / "figures"
    if figures.is_symlink():
        raise refuse(str(figures), "", "is a link to another place", "take it away")
    with _damage_told(run), replace_files(figures) as draft:
        drawn = draw_figures(result, draft, formats=chosen)
    if not drawn:
        raise refuse(str(run / "summary.json"), "", "holds nothing to draw", "run the case again")
    _tell_written([figures / path.name for path in drawn], as_json=as_json, quiet=quiet)
    return DONE


def _choose_formats(text: str, known: Iterable[str]) -> list[str]:
    """Return the formats that an option names, each once."""
    chosen = list(dict.fromkeys(part.strip() for part in text.split(",")))
    others = sorted(set(chosen) - set(known))
    if others:
        raise refuse("--format", "", f"{', '.join(others)} is not available", f"use {', '.join(known)}")
    return chosen


def _tell_written(files: list[Path], *, as_json: bool, quiet: bool = False) -> None:
    if as_json:
        show(json.dumps({"schema": 1, "written": [str(path) for path in files]}))
    else:
        say("Written: " + ", ".join(str(path) for path in files), quiet=quiet)


@contextmanager
def _damage_told(run: Path) -> Iterator[None]:
    """Turn what a damaged summary breaks into one line."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError) as error:
        raise refuse(str(run / "summary.json"), "", f"is damaged ({error!r})", "run the case again") from error


@guarded
def import_case(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="Whose table it is: economist, radford or ucdp.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The table.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the case is written; it must not exist.")],
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Make a case from another project's table.

    Example: truetoll import economist estimates.csv ./ukraine
    """
    from sim.importers import import_table

    written = import_table(form, file, folder, tell=lambda line: say(line, quiet=quiet))
    _tell_written([written], as_json=as_json, quiet=quiet)
    return DONE
