"""Commands about the record of past wars: list, sources, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.console import DONE, guarded, say, show
from sim.cli.options import RESULTS, ClaimsArgument, JsonOption, QuietOption, ResultsOption, TruthArgument
from sim.errors import refuse
from sim.system.writing import replace_files

WAYS = ("role", "victims", "source", "body", "state")


def show_record(context: typer.Context) -> None:
    """List the record where no other command of it is named."""
    if context.invoked_subcommand is None:
        list_record()


@guarded
def list_record(as_json: JsonOption = False) -> int:
    """List the cases of the record of past wars; each runs as `truetoll run record:CASE`.

    Example: truetoll record list
    """
    from sim.calibration.record import list_cases, read_shipped_record
    from sim.report.past import show_record

    cases = list_cases(read_shipped_record())
    show(json.dumps({"schema": 1, "cases": cases}, ensure_ascii=False) if as_json else show_record(cases))
    return DONE


@guarded
def sources(
    source: Annotated[str | None, typer.Option(help="One source, by its key.", show_default=False)] = None,
    role: Annotated[str | None, typer.Option(help="Those of one role towards the force.", show_default=False)] = None,
    victims: Annotated[
        str | None, typer.Option(help="Claims of military, civilians, mixed or equipment.", show_default=False)
    ] = None,
    body: Annotated[str | None, typer.Option(help="Those of one kind of body.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option(help="Those that speak for one state.", show_default=False)] = None,
    by: Annotated[
        str | None, typer.Option(help="What the rows are: role, victims, source, body, state.", show_default=False)
    ] = None,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell how far sources were from the truth in past wars: table, JSON, and a figure.

    Example: truetoll record sources --role adversary --victims military
    """
    from sim.calibration.past import choose_past, list_past, report_past
    from sim.calibration.record import read_shipped_record
    from sim.case.priors import read_priors
    from sim.report.past import show_past

    wanted = {"source": source, "role": role, "victims": victims, "body": body, "state": state}
    rows = _choose_rows(by, [name for name, value in wanted.items() if value])
    chosen = choose_past(list_past(read_shipped_record()), wanted)
    report = report_past(chosen, wanted, rows, read_priors("default"))
    show(json.dumps(report, ensure_ascii=False) if as_json else show_past(report))
    name = "-".join(["sources", *(value for value in wanted.values() if value), *([f"by-{by}"] if by else [])])
    drawn = _draw(report, results / "record", name)
    say(f"Drawn in {drawn}" if drawn else "Nothing to draw: no claim is all of that", quiet=quiet)
    return DONE


def _choose_rows(by: str | None, given: list[str]) -> list[str]:
    """Return what the rows are: as asked, else by role and victims where these are open, else by source."""
    if by is not None:
        names = [name.strip() for name in by.split(",")]
        unknown = [name for name in names if name not in WAYS]
        if unknown:
            raise refuse("--by", "", f"{', '.join(unknown)} is not available", f"use {', '.join(WAYS)}")
        return names
    return [name for name in ("role", "victims") if name not in given] or ["source"]


def _draw(report: dict[str, object], folder: Path, name: str) -> Path | None:
    from sim.report.plots.past import save_past

    with replace_files(folder) as draft:
        drawn = save_past(report, draft, name)
    return folder / drawn.name if drawn else None


@guarded
def check(claims: ClaimsArgument, truth: TruthArgument, as_json: JsonOption = False, quiet: QuietOption = False) -> int:
    """Hold a record of your own against the rules: faults end with status 3, what a contribution lacks is told.

    Example: truetoll record check claims.csv truth.csv
    """
    from sim.calibration.record import read_record, review_record

    record = read_record(claims, truth)
    lacks = review_record(record)
    counts = f"{sum(len(item.truths) for item in record.hindcasts)} established losses in {len(record.wars)} wars"
    if as_json:
        report = {"schema": 1, "wars": len(record.wars), "cases": len(record.hindcasts), "lacks": lacks}
        show(json.dumps({**report, "skipped": list(record.skipped)}, ensure_ascii=False))
    else:
        for line in lacks:
            show(line)
        say(f"{counts}; {len(lacks)} things to mend before it can be contributed", quiet=quiet)
    return DONE
