"""Machine code that is kept on disk where that can be done, and compiled by two processes where it is not there yet.

Numba itself fails where no folder can be written, where the disk is full, and where what is kept is damaged. Here the
code is then compiled anew, as if none had been kept.

Numba renews what it has kept when the file of the function changes, and does not look at the files of the functions
that it calls. Here it is renewed when any file of the same folder changes: what compiled functions call stands in one
folder with them.
"""

from __future__ import annotations

import hashlib
import inspect
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import IO, Any, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.ccallback import CFunc
from numba.core.sigutils import normalize_signature

from sim.system.children import make_environment, order_python


class _Kept(FunctionCache):  # type: ignore[misc] # numba ships no types
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = (self._impl.locator.get_source_stamp(), _stamp_folder(Path(inspect.getfile(function)).parent))
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever damaged bytes make of the unpickler
            with suppress(OSError):
                self.flush()  # an index that cannot be read would hinder what is compiled now from being kept
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)


def compile_function(function: Callable[..., Any], **options: Any) -> Any:
    """Return a function that numba compiles for the types that it is called with."""
    compiled = numba.njit(**options)(function)
    _keep(compiled, function)
    return compiled


def compile_callback(function: Callable[..., Any], signature: Any, **options: Any) -> Any:
    """Return a function as machine code that machine code can call by its address."""
    callback = CFunc(function, normalize_signature(signature), {}, options)
    _keep(callback, function)
    callback.compile()
    return callback


@contextmanager
def compile_meanwhile(function: Callable[[], None], after: float) -> Iterator[None]:
    """Have another process call a function while the block runs, and wait for it: the compiler takes only one thread.

    What it compiles is then on the disk. Where no process can be started, or the disk keeps nothing, the function has
    done nothing yet: call it after the block in any case.

    Parameters
    ----------
    function : callable
        Of a module, without arguments, such as compiles functions that are kept.
    after : float
        Seconds that the block may take before the process is started: one that only loads what is kept needs none.
    """
    module, name = function.__module__, function.__name__
    code = f"from sim.system.signals import end_with_input\nend_with_input()\nfrom {module} import {name}\n{name}()"
    started: list[subprocess.Popen[bytes]] = []

    def start_process() -> None:
        with suppress(OSError):  # the system has no process left
            process = subprocess.Popen(  # noqa: S603 - this program's own function
                order_python("-c", code), env=make_environment(),
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            started.append(process)

    timer = Timer(after, start_process)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    for process in started:
        with cast("IO[bytes]", process.stdin):  # which ends the process too, should this one be interrupted
            process.wait()


def _stamp_folder(folder: Path) -> str:
    """Return a hash of the source of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _keep(compiled: Any, function: Callable[..., Any]) -> None:
    with suppress(RuntimeError, OSError):  # no folder can be written, or none read
        compiled._cache = _Kept(function)
