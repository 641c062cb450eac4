"""Bars of progress on a terminal; of many steps elsewhere a line at each tenth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

FEW = 10  # steps, below which none is told


@contextmanager
def show_progress(quiet: bool) -> Iterator[Any]:
    """Show a bar with the time left on a terminal, and yield the callback that moves it; elsewhere yield None."""
    with _show_bar("sampling", quiet) as bar:
        if bar is None:
            yield None
            return
        task = bar.add_task("", total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, total=total, completed=done)

        yield report


@contextmanager
def show_steps(what: str, count: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a bar of `count` steps on a terminal, and yield what moves it by one; elsewhere that tells each tenth."""
    with _show_bar(what, quiet) as bar:
        task = None if bar is None else bar.add_task("", total=count)
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            if bar is not None:
                bar.advance(task)
            elif count >= FEW and 10 * done // count > 10 * (done - 1) // count:
                tell_step(f"{done} of {count} {what}", quiet=quiet)

        yield advance


def tell_step(text: str, *, quiet: bool) -> None:
    """Say on standard error how far something is."""
    if not quiet and sys.stderr:
        with suppress(OSError):  # of who does not listen
            print(text, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def _show_bar(what: str, quiet: bool) -> Iterator[Any]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
