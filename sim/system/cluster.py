"""Tasks on a Dask cluster: who may do them, and how they are handed out.

The cluster is spoken to by distributed's own client. Joblib's backend for it hands out tasks in batches, waits for ever
for one whose workers were killed too often, and leaves the rest running after an interruption.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from socket import gethostname
from typing import Any
from uuid import uuid4

from sim.errors import InputError, quote_value, refuse

CONNECT = 3.0  # seconds for a scheduler to answer
HIRE = 2.0  # seconds for a first worker to be there
ANSWER = 3.0  # seconds for the workers to tell their versions
PATIENCE = 60.0  # seconds without a worker in the middle of a run
CHECKED = ("truetoll", "numba", "numpy", "scipy")  # what draws depend on


@contextmanager
def open_cluster(address: str | None) -> Iterator[Any]:
    """Yield a client of the Dask scheduler at an address, and let go of the cluster at the end; None yields None.

    Refused within ten seconds: where the library is missing, where no scheduler answers or it has no worker, and where
    a worker lacks truetoll or has another version of what the results depend on.
    """
    if address is None:
        yield None
        return
    name = f"--dask {quote_value(address)}"
    if find_spec("distributed") is None:
        what = "needs the library distributed, which is not installed"
        raise refuse(name, "", what, "install it with: pip install 'truetoll[dask]'")
    from distributed import Client

    with _keep_quiet():
        _ask_scheduler(address, name)
        try:
            client = Client(address, timeout=CONNECT, set_as_default=False)
        except OSError as error:
            raise _no_scheduler(name, error) from None
        with client:
            _ask_workers(client, name)
            yield client


def run_on_cluster[T, R](work: Callable[[T], R], tasks: Sequence[T], client: Any) -> Generator[R]:
    """Yield results as tasks are finished; at the end, whatever ends it, the rest is cancelled.

    The scheduler itself gives to others what a killed worker was doing. No more is handed out than workers can soon
    begin with, and nothing is left on the cluster that could be lost with a worker.
    """
    waiting, run = iter(tasks), uuid4().hex[:8]
    running: set[Any] = set()
    call = partial(_do_checked, find_versions(), work)
    try:
        while True:
            with _explained(client):
                room = max(1, 2 * sum(client.nthreads().values())) - len(running)
                for task in islice(waiting, max(room, 0)):  # below 0 where workers are gone
                    running.add(client.submit(call, task, key=f"truetoll-{run}-{task}", pure=False))
                done = _wait_for_any(client, running)
            if not done:
                return
            for future in done:
                if future.status == "error":
                    raise _blame(future.exception(), client, future.key)
                with _explained(client):
                    results = _fetch(future)
                for result in results:
                    running.remove(future)
                    yield result
    finally:
        with suppress(Exception):  # of a scheduler that is lost
            client.cancel(list(running))


def _wait_for_any(client: Any, running: Collection[Any]) -> Collection[Any]:
    from distributed import wait

    while running:
        try:
            with client.as_current():
                done: Collection[Any] = wait(list(running), timeout=PATIENCE, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            if not client.nthreads():
                what = f"has had no worker for {PATIENCE:.0f} seconds"
                raise refuse(_name(client), "", what, "start some, and go on with --resume") from None
        else:
            return done
    return ()


def _fetch(future: Any) -> list[Any]:
    """Return a list of the result; an empty one where that was lost with its worker, and the task is done again."""
    try:
        return [future.result(timeout=PATIENCE)]
    except Exception as error:
        if isinstance(error, TimeoutError) or future.status == "error":
            return []
        raise


@contextmanager
def _explained(client: Any) -> Iterator[None]:
    try:
        yield
    except (OSError, CancelledError) as error:
        what = f"the scheduler was lost, or started anew ({type(error).__name__})"
        raise refuse(_name(client), "", what, "go on with --resume") from None


def _blame(error: Exception, client: Any, task: str) -> Exception:
    """Return what a task raised, or a refusal where that was the cluster's fault."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        what = "its workers were killed time and again, maybe for want of memory"
        return refuse(_name(client), task, what, "look at their logs, and go on with --resume")
    return error


def _name(client: Any) -> str:
    return f"--dask {client.scheduler.address}"


@cache
def find_versions() -> dict[str, str]:
    """Return the versions, here, of what the results depend on."""
    return {**{name: version(name) for name in CHECKED}, "python": ".".join(map(str, sys.version_info[:2]))}


def _mismatch(worker: str, found: Any, wanted: dict[str, str] | None = None) -> InputError | None:
    """Return the refusal of a worker of other versions than those wanted; `found` may be what it failed with."""
    wanted = wanted or find_versions()
    if isinstance(found, Exception):
        what = f"lacks truetoll, or cannot import it ({quote_value(str(found))[1:-1]})"
        return refuse("--dask", worker, what, f"install truetoll {wanted['truetoll']} there")
    for name, own in wanted.items():
        if found.get(name) != own:
            what = f"has {name} {found.get(name)}, and this command {own}: results may differ"
            return refuse("--dask", worker, what, f"install {name} {own} there")
    return None


def _do_checked[T, R](wanted: dict[str, str], work: Callable[[T], R], task: T) -> R:
    """Do a task, on a worker that may have come after the others were asked for their versions."""
    refusal = _mismatch(f"a worker on {gethostname()}", find_versions(), wanted)
    if refusal:
        raise refusal
    return work(task)


def _ask_scheduler(address: str, name: str) -> None:
    """Refuse an address where no scheduler answers: a client's own timeout does not cover a port that stays silent."""
    import asyncio

    from distributed import rpc
    from distributed.security import Security

    async def ask() -> Any:
        secrets = Security().get_connection_args("client")
        async with asyncio.timeout(CONNECT), rpc(address, connection_args=secrets) as there:
            return await there.identity()

    try:
        kind = asyncio.run(ask())["type"]
    except Exception as error:
        raise _no_scheduler(name, error) from None
    if kind != "Scheduler":
        raise _no_scheduler(name, f"but a {kind}")


def _no_scheduler(name: str, why: object) -> InputError:
    told = f"within {CONNECT:.0f} seconds" if isinstance(why, TimeoutError) else quote_value(str(why))[1:-1]
    remedy = "start one with `dask scheduler` and give its address, such as tcp://127.0.0.1:8786"
    return refuse(name, "", f"no Dask scheduler answers there ({told})", remedy)


def _ask_workers(client: Any, name: str) -> None:
    """Refuse a cluster without workers, or with one of other versions."""
    try:
        client.wait_for_workers(1, timeout=HIRE)
    except TimeoutError:
        raise refuse(name, "", "has no worker", "start some with `dask worker ADDRESS`") from None
    try:
        answers = client.run(find_versions, on_error="return", callback_timeout=ANSWER)
    except TimeoutError:
        what = f"not all workers answer within {ANSWER:.0f} seconds"
        raise refuse(name, "", what, "look at their logs, or stop those that hang") from None
    for worker, found in answers.items():
        refusal = _mismatch(f"worker {worker}", found)
        if refusal:
            raise refusal


@contextmanager
def _keep_quiet() -> Iterator[None]:
    """Keep distributed's log off standard error: what matters of it is told in one line."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")  # of other versions than ours: we ask ourselves
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
