"""What the commands share: exit statuses, options, and how faults and notes are told."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.errors import InputError, refuse

DONE, DEFECT, USAGE, BAD_INPUT, NOT_TRUSTED, TRIPPED = 0, 1, 2, 3, 4, 5

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="A shipped case's name, or a path with a slash.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same draws.", min=0, max=2**31 - 1)]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress and no notes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the machine-readable result alone.")]
AsOfOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="The day of the headline.", show_default=False)
]
KnownByOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="Leave out claims published later.", show_default=False)
]


def guarded(command: Callable[..., int]) -> Callable[..., None]:
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


def say(text: str, *, quiet: bool = False) -> None:
    """Print a note on standard error."""
    if not quiet:
        print(text, file=sys.stderr)  # noqa: T201


def show(text: str) -> None:
    """Print a result on standard output."""
    print(text)  # noqa: T201


def parse_day(text: str | None, option: str) -> dt.date | None:
    """Return the day that an option names; None where it was not given."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise refuse(option, "", f"{text!r} is not a day", "write it as YYYY-MM-DD") from None
