"""The program: its commands put together. Nothing here imports pymc, arviz or matplotlib before it must."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Annotated

import typer

from sim.cli import (
    draft_commands,
    priors_commands,
    record_commands,
    report_commands,
    run_commands,
    study_commands,
)
from sim.cli.console import MACHINE, report_fault, show

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
record_app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="The record of past wars, and how far sources were from the truth. Example: truetoll record sources",
)
app.add_typer(record_app, name="record")


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as find_version

        show(f"truetoll {find_version('truetoll')}")
        raise typer.Exit


@app.callback()
def _take_options(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version, and end.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    pass


def _write_out(error: UnicodeError) -> tuple[str, int]:
    """Return characters that a terminal cannot show as JSON writes them out, so that what is JSON stays it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4)), error.end


codecs.register_error("write-out", _write_out)


def main() -> None:
    """Run the command line; a character that the terminal cannot show is written out.

    A path in the place of a command is a case to run.
    """
    if sys.argv[1:2] and (sys.argv[1] in (".", "..") or sys.argv[1].startswith(("./", "../", "/"))):
        sys.argv.insert(1, "run")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="write-out")
    try:
        app()
    except MACHINE as error:  # of what no command does, such as --help
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where Python puts what it still holds
        sys.exit(report_fault(error))


for command in (
    run_commands.run,
    run_commands.check,
    run_commands.new,
    report_commands.memo,
    report_commands.compare,
    report_commands.plot,
):
    app.command()(command)
app.command("import")(run_commands.import_case)
app.command()(draft_commands.draft)
for command in (study_commands.simulate, study_commands.sensitivity, study_commands.sbc, study_commands.backtest):
    app.command()(command)
priors_app.command("list")(priors_commands.list_priors)
priors_app.command("show")(priors_commands.show_priors)
priors_app.command("fit")(priors_commands.fit_priors)
record_app.callback()(record_commands.show_record)
record_app.command("list")(record_commands.list_record)
record_app.command("sources")(record_commands.sources)
record_app.command("check")(record_commands.check)
