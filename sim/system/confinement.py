"""A process for what a stranger may have written: it has little time, memory and room, no network, and dies alone.

The limits of memory, processor time and output are the system's own where it has them (Linux; macOS but for memory);
elsewhere the clock ends it. What it is given comes on standard input, and what it makes goes to standard output.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from sim.errors import InputError, refuse
from sim.system.children import make_environment, order_python
from sim.system.signals import end_with_parent, tidying

MAX_SECONDS = 20  # of processor time
MAX_WAIT = 120  # seconds by the clock: other programs may use the processor too
MAX_MEMORY = 2_000_000_000  # bytes that it may ask for
MAX_OUTPUT = 100_000_000  # bytes
REFUSED = 3
_MESSAGE = 2_000  # bytes of a message
_NOWHERE = "http://127.0.0.1:9"  # where nobody listens: for libraries that would ask the network


def run_confined(module: str, request: bytes, folder: Path, file: str, remedy: str) -> bytes:
    """Run a module, which must call `serve`, in a confined process; return what it makes of a request.

    Parameters
    ----------
    module : str
        Its name, as `python -m` takes it.
    request : bytes
    folder : Path
        The folder that it works in.
    file, remedy : str
        What is blamed where it fails, and what to do about that.

    Raises
    ------
    InputError
        Where it refuses the request, or meets a limit.
    """
    child = subprocess.Popen(  # noqa: S603 - this program's own module
        order_python("-m", module), cwd=folder, env=_make_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    made = b""
    with child, tidying(child.kill):
        clock = threading.Timer(MAX_WAIT, child.kill)
        clock.start()
        try:
            threading.Thread(target=_feed, args=(child.stdin, request), daemon=True).start()
            made = cast("IO[bytes]", child.stdout).read(MAX_OUTPUT + 1)
        finally:
            clock.cancel()
            if len(made) > MAX_OUTPUT:
                child.kill()
    if len(made) > MAX_OUTPUT:
        raise refuse(file, "", f"makes more than {MAX_OUTPUT // 1_000_000} MB", remedy)
    if child.returncode == 0:
        return made
    if child.returncode == REFUSED:
        raise refuse(file, "", f"fails ({made[:_MESSAGE].decode(errors='replace')})", remedy)
    limits = f"{MAX_SECONDS} s of the processor, {MAX_WAIT} s by the clock, {MAX_MEMORY // 1_000_000} MB"
    raise refuse(file, "", f"ends its process (status {child.returncode}): it may take {limits}", remedy)


def _make_environment() -> dict[str, str]:
    """Return the environment of a child, and a proxy in it where nobody listens."""
    proxies = {name: _NOWHERE for kind in ("http_proxy", "https_proxy", "all_proxy") for name in (kind, kind.upper())}
    kept = {name: value for name, value in make_environment().items() if not name.lower().endswith("_proxy")}
    return {**kept, **proxies}


def _feed(pipe: IO[bytes] | None, request: bytes) -> None:
    with suppress(OSError), cast("IO[bytes]", pipe) as paper:  # who has died does not read
        paper.write(request)


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Be the confined process: read the request, give up what is not needed, answer, and end.

    An error of the answer's, of whatever kind, is told by a line and the exit status REFUSED.
    """
    parent, request, out = os.getppid(), sys.stdin.buffer.read(), os.dup(1)
    os.dup2(2, 1)  # a library that prints does not print into the answer
    _give_up()
    end_with_parent(parent)  # now: a process of several threads may not leave its users' space of names
    try:
        made, status = answer(request), 0
    except BaseException as error:  # a panic of a library is no Exception
        made, status = _tell(error).encode(errors="replace")[:_MESSAGE], REFUSED
    with suppress(OSError):
        while made:
            made = made[os.write(out, made) :]
    os._exit(status)


def _tell(error: BaseException) -> str:
    if isinstance(error, InputError):
        return error.faults[0].problem
    if isinstance(error, MemoryError):
        return f"it needs more than {MAX_MEMORY // 1_000_000} MB of memory"
    if isinstance(error, RecursionError):
        return "it nests too deep, or calls itself without end"
    text = " ".join(str(error).split())[:200] or type(error).__name__
    line = getattr(error, "lineno", None)
    return f"{text}, line {line}" if line else text


def _give_up() -> None:
    """Limit this process, and cut it off from the network, as far as the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {"RLIMIT_AS": MAX_MEMORY, "RLIMIT_CPU": MAX_SECONDS, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
    for what, most in limits.items():
        number = getattr(resource, what, None)
        if number is not None:
            _, hard = resource.getrlimit(number)
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(OSError, ValueError):
                resource.setrlimit(number, (limit, limit))
    if sys.platform == "linux":
        with suppress(OSError):  # where it may not, there is the proxy
            os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
