"""A process that draws the figures while this one goes on: it loads what drawing needs while the chains move."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

from sim.system.children import make_environment, order_python
from sim.system.signals import tidying


class FigureProcess:
    """A process that waits for a summary to draw (see `sim.report.plots.__main__`).

    It has a group of its own, with the process that it forks, so that both can be ended at once.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - this program's own module
            order_python("-m", "sim.report.plots"), env=make_environment(),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            process_group=0,
        )  # fmt: skip

    @contextmanager
    def draw(self, summary: Path, folder: Path) -> Iterator[None]:
        """Have the figures of a summary drawn into a folder during a block, whose failure ends the drawing."""
        orders = cast("TextIO", self.process.stdin)  # stays open: its end tells that this process has ended
        with suppress(OSError):  # that the other has died is found out by `is_done`
            orders.write(json.dumps([os.path.abspath(summary), os.path.abspath(folder)]) + "\n")  # noqa: PTH100 - as it leads
            orders.flush()
        try:
            yield
        except BaseException:
            self.end()
            raise

    def is_done(self) -> bool:
        """Wait for the figures; return whether they are all drawn."""
        return self.process.wait() == 0

    def kill(self) -> None:
        """End the process and what it forked, without waiting."""
        if sys.platform == "win32":  # where nothing is forked
            self.process.kill()
        else:
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End the process, whatever it has done by now."""
        if self.process.returncode is None:
            self.kill()
        with suppress(OSError):
            cast("TextIO", self.process.stdin).close()
        self.process.wait()


@contextmanager
def start_figure_process() -> Iterator[FigureProcess | None]:
    """Yield a process that draws, and end it at the end of the block; None where the system has no process left."""
    try:
        drawing = FigureProcess()
    except OSError:
        yield None
        return
    try:
        with tidying(drawing.kill):
            yield drawing
    finally:
        drawing.end()
