"""Where the program begins: interruptions are heeded before anything is loaded that takes long."""

from __future__ import annotations

import atexit
import gc
import os
import subprocess
import sys
import warnings
from typing import NoReturn

from sim.system.children import order_python
from sim.system.signals import ignore_signals, install_signal_handlers

# What numba, Matplotlib and ArviZ obey where it lies in the working folder: it says where machine code is loaded from,
# where a trace is written, and what sets the text of figures.
OBEYED = (".numba_config.yaml", "matplotlibrc", "arvizrc")


def main() -> None:
    """Run the command line."""
    install_signal_handlers()
    atexit.register(ignore_signals)  # the first to be registered is called last, when all is done
    atexit.register(gc.freeze)  # or the collector takes half a second over what the end of the process frees anyway
    # What arithmetic warns of is told, or not, by what comes of it: numbers that cannot be reckoned with are refused.
    warnings.simplefilter("ignore", RuntimeWarning)
    _open_streams()
    os.environ["PYTHONSAFEPATH"] = "1"  # the working folder may be a stranger's: no process looks there for a module
    _look_around()
    _try_processor()
    # Joblib's tracker of semaphores would speak on standard error after the last line of an interruption.
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [given, "ignore:resource_tracker:UserWarning"]))
    from sim.cli.app import main as run_command

    run_command()


def _look_around() -> None:
    """End in one line where a file lies in the working folder that libraries would obey."""
    for name in filter(os.path.lexists, OBEYED):
        _refuse(name, "lies in the working folder, and libraries obey it", "work in another folder, or move it away")


def _refuse(what: str, problem: str, remedy: str) -> NoReturn:
    from sim.cli.console import BAD_INPUT, say
    from sim.errors import refuse

    say(str(refuse(what, "", problem, remedy)))
    sys.exit(BAD_INPUT)


def _try_processor() -> None:
    """End in one line where the user has chosen a kernel of linear algebra that this processor lacks.

    It would end this process without a word, at the first product of matrices; so another one tries it.
    """
    kernel = os.environ.get("OPENBLAS_CORETYPE")
    if kernel:
        trial = order_python("-c", "import numpy; numpy.linalg.eigh(numpy.ones((64, 64)) @ numpy.ones((64, 64)))")
        status = subprocess.run(trial, capture_output=True, check=False).returncode  # noqa: S603 - our own words
        if status:
            what = f"{kernel!r} does not work on this processor (status {status})"
            _refuse("OPENBLAS_CORETYPE", what, "unset it, or name another")


def _open_streams() -> None:
    """Open standard streams that are closed on nothing: else the next file opened takes their place, and their text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
