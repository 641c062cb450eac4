"""What the commands share: exit statuses, and how results, notes and faults are printed."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import typer

from sim.errors import FIRST_YEAR, LAST_YEAR, InputError, escape_controls, quote_value, refuse
from sim.system.signals import tell_kept
from sim.system.writing import FULL, explain, tell_reason

DONE, DEFECT, BAD_INPUT, NOT_TRUSTED, TRIPPED = 0, 1, 3, 4, 5  # 2 is a call that typer refuses

MACHINE = (OSError, ImportError)  # faults of the machine, not of the input
LACKS = (*FULL, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.EROFS)


def guarded(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a fault of the input, or a file that cannot be written, into lines on standard error and exit status 3."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            status = command(*args, **options)
        except InputError as error:
            say(str(error))
            if options.get("as_json"):
                show(json.dumps({"schema": 1, "faults": [asdict(fault) for fault in error.faults]}, ensure_ascii=False))
            raise typer.Exit(BAD_INPUT) from None
        except BaseException as error:
            told = _find_excess(error)
            if told is not None:
                say(str(told))
                raise typer.Exit(BAD_INPUT) from None
            fault = _find_fault(error)
            if fault is None or not isinstance(error, Exception):
                raise
            if isinstance(fault, OSError) and fault.filename and fault.errno not in LACKS:
                path = str(fault.filename2 or fault.filename)
                say(
                    str(
                        refuse(path, "", f"cannot be used ({tell_reason(fault)})", "move it away, or give another path")
                    )
                )
                raise typer.Exit(BAD_INPUT) from None
            raise typer.Exit(report_fault(fault)) from None
        raise typer.Exit(status)

    return run


def _find_excess(error: BaseException) -> InputError | None:
    """Return the refusal of an input that is too much: for the memory, the stack, a library, or for arithmetic."""
    if isinstance(error, SystemError) and error.__cause__:  # memory that failed where Python looks for no error
        error = error.__cause__
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = " ".join(str(error).split())[:200]
    if "MemoryError" in kinds:
        what = f"{_name_step(error)} needs more memory than there is ({reason or 'it does not say how much'})"
        return refuse("truetoll", "", what, "give a smaller input, or fewer draws")
    if "RecursionError" in kinds:
        return refuse("truetoll", "", f"{_name_step(error)} finds it nested too deep", "write it flatter")
    if "PanicException" in kinds:  # of a library written in Rust, and no Exception
        return refuse(
            "truetoll", "", f"{_name_step(error)} broke a library ({reason})", "leave out what is odd about it"
        )
    if kinds & {"ArithmeticError", "LinAlgError"}:
        what = f"{_name_step(error)} meets numbers that cannot be reckoned with ({reason})"
        return refuse("truetoll", "", what, "look for priors fixed at an edge, or out of proportion")
    return None


def _name_step(error: BaseException) -> str:
    """Return the innermost function of this program that an error passed through, in words."""
    steps = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [step.co_name for step in steps if f"{os.sep}sim{os.sep}" in step.co_filename]
    return (ours or ["a step"])[-1].strip("_<>").replace("_", " ")


def _find_fault(error: BaseException) -> Exception | None:
    """Return the fault of the machine that an exception is or came of; libraries stumble over some and raise others."""
    if isinstance(error, MACHINE):
        return error
    before = error.__cause__ or error.__context__
    while before is not None and not (isinstance(before, OSError) and before.errno in LACKS):
        before = before.__cause__ or before.__context__
    return before


def report_fault(error: Exception) -> int:
    """Say what the machine lacks, and what is kept; return the exit status."""
    where = getattr(error, "filename", None) or "truetoll"
    reason = tell_reason(error) if isinstance(error, OSError) else " ".join(f"{error}".split())[:200]
    say(str(refuse(str(where), "", f"cannot go on ({reason or type(error).__name__})", tell_kept())))
    return DEFECT


def say(text: str, *, quiet: bool = False) -> None:
    """Print a note on standard error."""
    if not quiet and sys.stderr:
        with suppress(OSError):  # of who does not listen
            print(escape_controls(text), file=sys.stderr, flush=True)  # noqa: T201


def show(text: str) -> None:
    """Print a result on standard output; who reads it may have had enough."""
    try:
        print(escape_controls(text), flush=True)  # noqa: T201
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what Python still holds of it goes there
        if not isinstance(error, BrokenPipeError):
            raise explain(Path("standard output"), error) from None


def show_written(files: Iterable[Path], *, as_json: bool, quiet: bool) -> None:
    """Print which files were written: as the result, or as a note."""
    paths = [str(path) for path in files]
    if as_json:
        show(json.dumps({"schema": 1, "written": paths}))
    else:
        say(f"Written: {', '.join(paths)}", quiet=quiet)


def parse_dates(text: str | None) -> Literal["day-first", "month-first"] | None:
    """Return the order that --dates names; None where it was not given."""
    if text == "day-first":
        return "day-first"
    if text == "month-first":
        return "month-first"
    if text is None:
        return None
    raise refuse("--dates", "", f"{quote_value(text)} is no order", "use day-first or month-first")


def parse_day(text: str | None, option: str) -> dt.date | None:
    """Return the day that an option names; None where it was not given."""
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise refuse(option, "", f"{quote_value(text)} is not a day", "write it as YYYY-MM-DD") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise refuse(option, "", f"{day} is outside the years {FIRST_YEAR} to {LAST_YEAR}", "give a day within them")
    return day
