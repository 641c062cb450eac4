"""Where the program begins: interruptions are heeded before anything is loaded that takes long."""

from __future__ import annotations

import atexit
import gc
import os

from sim.system.signals import ignore_signals, install_signal_handlers


def main() -> None:
    """Run the command line."""
    install_signal_handlers()
    atexit.register(ignore_signals)  # the first to be registered is called last, when all is done
    atexit.register(gc.freeze)  # or the collector takes half a second over what the end of the process frees anyway
    _open_streams()
    # Joblib's tracker of semaphores would speak on standard error after the last line of an interruption.
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [given, "ignore:resource_tracker:UserWarning"]))
    from sim.cli.app import main as run_command

    run_command()


def _open_streams() -> None:
    """Open standard streams that are closed on nothing: else the next file opened takes their place, and their text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
