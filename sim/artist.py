"""A process that draws the figures while this one goes on: it loads what drawing needs while the chains move."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast


class Artist:
    """A process that waits for a summary to draw (see `sim.plots.__main__`)."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sim.plots"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip

    @contextmanager
    def draw(self, summary: Path, folder: Path) -> Iterator[None]:
        """Have the figures of a summary drawn into a folder during a block, whose failure ends the drawing."""
        with suppress(OSError), cast("TextIO", self.process.stdin) as paper:  # who has died is found out by `is_done`
            json.dump([str(summary.resolve()), str(folder.resolve())], paper)
        try:
            yield
        except BaseException:
            self.dismiss()
            raise

    def is_done(self) -> bool:
        """Wait for the figures; return whether they are all drawn."""
        return self.process.wait() == 0

    def dismiss(self) -> None:
        """End the process, whatever it has done by now."""
        self.process.kill()
        with suppress(OSError):
            cast("TextIO", self.process.stdin).close()
        self.process.wait()


@contextmanager
def hire_artist() -> Iterator[Artist]:
    """Yield an artist, who is dismissed at the end of the block."""
    artist = Artist()
    try:
        yield artist
    finally:
        artist.dismiss()
