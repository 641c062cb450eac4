"""The commands that make a case or fit it: run, check, new, import."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.console import DONE, NOT_TRUSTED, TRIPPED, guarded, parse_dates, parse_day, say, show, show_written
from sim.cli.options import (
    RESULTS,
    AsOfOption,
    CaseArgument,
    DatesOption,
    JsonOption,
    KnownByOption,
    PriorOption,
    QuietOption,
    ResultsOption,
    SeedOption,
)
from sim.errors import quote_value, refuse

if TYPE_CHECKING:
    from sim.case.case import Case


@guarded
def run(
    case: Annotated[
        str | None,
        typer.Argument(
            metavar="CASE",
            help="A shipped case's name, a path with a slash, or record:NAME for a case of past wars.",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 1,
    prior: PriorOption = None,
    as_of: AsOfOption = None,
    known_by: KnownByOption = None,
    draws: Annotated[
        int | None,
        typer.Option(
            help="Draws of each of the four chains.", min=100, max=1_000_000, show_default="by the case's size"
        ),
    ] = None,
    dates: DatesOption = None,
    sampler: Annotated[
        str, typer.Option(help="What draws: kernel (our own), nutpie, or pymc, from the PyMC model.")
    ] = "kernel",
    results: ResultsOption = RESULTS,
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
        from sim.contract.check import dump_record
        from sim.posterior.engines import check_engine
        from sim.report.table import show_text
        from sim.runs.run import read_command, run_case, write_run

        imported = time.perf_counter() - started
        engine = check_engine(sampler)
        done = run_case(
            _find_recorded(case, quiet=quiet), seed=seed, prior=prior, as_of=days[0], known_by=days[1], draws=draws,
            sampler=engine, dates=parse_dates(dates), quiet=quiet,
        )  # fmt: skip
        read = done.design.case
        if read.remarks:
            say(f"{read.claims_file}: {'; '.join(read.remarks)}", quiet=quiet)
        done.seconds = {"import": imported, **done.seconds}
        folder = write_run(done, results, read_command(), drawing)
    if as_json:
        show(json.dumps(dump_record(done.result), ensure_ascii=False, allow_nan=False))
    else:
        show(show_text(done.result))
    say(f"\nWritten to {folder}", quiet=quiet)
    return DONE if done.verdict.trusted else NOT_TRUSTED


def _find_recorded(case: str, *, quiet: bool) -> str | Case:
    """Return what `run_case` takes: a case of the record where the name says so, else the name."""
    prefix, _, name = case.partition(":")
    if prefix != "record" or not name:
        return case
    from sim.calibration.record import find_record_case, read_shipped_record

    found = find_record_case(read_shipped_record(), name)
    say("The default priors have learned from this war too; for a forecast without it: truetoll backtest", quiet=quiet)
    return found


def _verify(folder: Path, *, as_json: bool, quiet: bool) -> int:
    from sim.runs.verify import tell_verdict, verify_run

    report = verify_run(folder, quiet=quiet)
    show(json.dumps(asdict(report), ensure_ascii=False) if as_json else "\n".join(tell_verdict(report)))
    return DONE if report.stands else TRIPPED


@guarded
def check(
    case: CaseArgument,
    dates: DatesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Read and validate a case without sampling; warn of echoes, contradictions, slips, duplicates.

    Example: truetoll check kursk
    """
    from sim.case.check import check_case

    report = check_case(case, parse_dates(dates))
    if as_json:
        show(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for line in report.list_lines():
            show(line)
        say(report.tell_counts(), quiet=quiet)
    return DONE


@guarded
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")],
    xlsx: Annotated[
        bool, typer.Option("--xlsx", help="A workbook for claims and sources, with drop-down lists and help.")
    ] = False,
    like: Annotated[
        str,
        typer.Option(metavar="KIND", help="What it is like: one_force, two_forces (a war that is over) or one_day."),
    ] = "one_force",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write a commented case to start from.

    Example: truetoll new ./mycase --like two_forces
    """
    from sim.case.folder import KINDS, write_case
    from sim.report.blank import write_workbook_case

    if like not in KINDS:
        raise refuse("--like", "", f"{quote_value(like)} is no kind of case", f"use one of {', '.join(KINDS)}")
    (write_workbook_case if xlsx else write_case)(folder, like)
    shown = folder if folder.is_absolute() else f"./{folder}"
    show_written(
        [folder / name for name in ("case.toml", "claims.xlsx" if xlsx else "claims.csv")], as_json=as_json, quiet=quiet
    )
    say(f"Edit them, then: truetoll run {shown}", quiet=quiet or as_json)
    return DONE


@guarded
def import_case(
    form: Annotated[
        str, typer.Argument(metavar="FORMAT", help="Whose table it is: economist, radford, ucdp or table.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The table.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the case is written; it must not exist.")],
    mapped: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="MAP", help="Of table: what its columns mean, a file or a name.", show_default=False
        ),
    ] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Of table: guess a map from the header, and write it.")
    ] = False,
    dates: DatesOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DAY", help="Of table: the day of rows that do not say theirs.", show_default=False
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Of table: rows of earlier days are left out.", show_default=False),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Of table: rows of later days are left out.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Make a case from another project's table.

    `table` is any table, by a map of its columns. Maps come with the program: acled, oryx, oryx_systems,
    oryx_totals, ucdp, wikipedia.

    Example: truetoll import economist estimates.csv ./ukraine
    """
    from sim.importers import import_any, import_table

    order, day = parse_dates(dates), parse_day(as_of, "--as-of")
    span = parse_day(first, "--first"), parse_day(last, "--last")
    if form == "table":
        if (mapped is None) != guess:
            raise refuse("import table", "", "wants --map MAP or --guess, one of them", "see truetoll import --help")
        written = import_any(file, folder, mapped, lambda line: say(line, quiet=quiet), order, day, span)
        show_written([written], as_json=as_json, quiet=quiet)
        return DONE
    if mapped is not None or guess or day is not None or any(span):
        raise refuse(
            "--map", "", f"says nothing of {quote_value(form)}, which has a map of its own", "use import table"
        )
    written = import_table(form, file, folder, lambda line: say(line, quiet=quiet), order)
    show_written([written], as_json=as_json, quiet=quiet)
    return DONE
