"""Interruptions: Ctrl-C, SIGTERM and SIGHUP end the program at once, tidy and with one line that says what is kept.

The program ends inside the handler. An exception would have to find its way through libraries, some of which swallow
it, and would wait for chains that move in machine code.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
LOOK = 0.5  # seconds between two looks whether the parent lives

_cleanups: list[Callable[[], object]] = []
_kept: dict[str, Callable[[], str]] = {}


def install_signal_handlers() -> None:
    """End the program tidily on an interruption; one that is ignored stays so, as with `nohup` or in a script's `&`."""
    for number in _list_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ignore_signals() -> None:
    """Let no interruption through any more: all is done, or another one is being followed."""
    for number in _list_signals():
        signal.signal(number, signal.SIG_IGN)


def _list_signals() -> list[signal.Signals]:
    return [signal.Signals[name] for name in SIGNALS if name in signal.Signals.__members__]


def _end(number: int, _: FrameType | None) -> None:
    ignore_signals()
    for cleanup in reversed(_cleanups):
        with suppress(Exception):
            cleanup()
    bar = "\r\x1b[K\x1b[?25h" if os.isatty(2) else ""  # where a bar is shown, it has hidden the cursor
    with suppress(OSError):
        # Past Python's own buffer: it may be what was interrupted.
        os.write(2, f"{bar}Interrupted ({signal.Signals(number).name}): {tell_kept()}\n".encode())
    os._exit(128 + number)


@contextmanager
def tidying(cleanup: Callable[[], object]) -> Iterator[None]:
    """Have an interruption during a block call `cleanup`, those added last first."""
    _cleanups.append(cleanup)
    try:
        yield
    finally:
        _cleanups.remove(cleanup)


def note_kept(what: str, tell: Callable[[], str]) -> None:
    """Have an interruption or a full disk tell of something that is kept; `tell` may find that it is nothing: ""."""
    _kept[what] = tell


def tell_kept() -> str:
    """Return what this process has kept so far, and how to go on."""
    told = [text for text in (tell() for tell in _kept.values()) if text]
    return "; ".join(told) or "nothing of this is kept, all that was there before is as it was; start it again"


def end_with_parent(parent: int) -> None:
    """Have this process end soon after its parent has, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    if sys.platform != "win32":  # where the number stays that of the parent
        Thread(target=watch, daemon=True).start()


def end_with_input() -> None:
    """Have this process end as soon as who started it has: then the pipe that is its standard input is closed."""

    def watch() -> None:
        while os.read(0, 1):  # Python's own buffer must not be in use when this process ends
            pass
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def shielding_children() -> Iterator[None]:
    """Start processes in a block that no Ctrl-C reaches: this one ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # which lets the signal through again where it has to start something
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
