"""Many tasks at once: in processes on this machine by joblib, or on a Dask cluster; what is finished is kept.

A task's result follows from the task alone (its seed from its name or number), so that it is the same wherever and
whenever it is done. Tasks are handed out a few at a time, each by itself, and yielded as they are finished.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from sim.errors import refuse
from sim.system.cluster import run_on_cluster
from sim.system.progress import show_steps
from sim.system.signals import end_with_parent, shielding_children
from sim.system.store import Entry, Store, hash_parts

MAX_KILLED = 3  # times in a row that workers may be killed before anything is finished


class TaskOptions(TypedDict, total=False):
    """How many tasks are done: what every study of many fits takes besides its own arguments.

    Attributes
    ----------
    store : Path, optional
        The file that finished tasks are kept in; without it nothing is kept.
    resume : bool
        Go on from what the store holds; without it the store begins anew. Default False.
    jobs : int
        Processes on this machine; 1, the default, is this process itself.
    client : distributed.Client, optional
        Of a cluster that does the tasks instead of this machine (see `sim.system.cluster.open_cluster`).
    quiet : bool
        Show no progress. Default True.
    """

    store: Path | None
    resume: bool
    jobs: int
    client: Any
    quiet: bool


def gather_results[T, R](
    work: Callable[[T], Entry],
    tasks: Sequence[T],
    read: Callable[[T, Entry], R],
    *,
    depends_on: Iterable[str],
    label: str,
    plural: str,
    shape: Any = Entry,
    fits: Callable[[Any, Entry], bool] | None = None,
    store: Path | None = None,
    resume: bool = False,
    jobs: int = 1,
    client: Any = None,
    quiet: bool = True,
) -> Iterator[tuple[T, R]]:
    """Yield each task with its result, as they are finished, those that are kept first.

    Parameters
    ----------
    work, tasks
        See `finish_tasks`.
    read : callable
        From a task and its entry, as JSON gives it back, to a result.
    depends_on : iterable of str
        All that entries depend on beside the task: those kept of anything else are not gone on from.
    label, plural : str
        The field of a line of the store that holds a task, and what many tasks are called.
    shape, fits
        What a kept entry must be (see `sim.system.store.Store`).
    store, resume, jobs, client, quiet
        See `TaskOptions`.
    """
    kept = Store(store, hash_parts(depends_on), label, shape, fits) if store else None
    with show_steps(plural, len(tasks), quiet) as advance:
        for task, entry in finish_tasks(work, tasks, store=kept, resume=resume, jobs=jobs, client=client):
            advance()
            yield task, read(task, entry)


def finish_tasks[T](
    work: Callable[[T], Entry],
    tasks: Sequence[T],
    *,
    store: Store | None = None,
    resume: bool = False,
    jobs: int = 1,
    client: Any = None,
) -> Iterator[tuple[T, Entry]]:
    """Yield each task with its entry, as they are finished; those that are kept come first.

    Parameters
    ----------
    work : callable
        From a task to an entry of what JSON holds; a function of a module, or a `functools.partial` of one.
    tasks : sequence
        Names or numbers, all different.
    store : Store, optional
        Each entry is added to it before it is yielded.
    resume, jobs, client
        See `TaskOptions`.
    """
    with store.hold() if store else nullcontext():
        kept = store.begin(resume) if store else {}
        for task in tasks:
            if task in kept:
                yield task, kept[task]
        rest, work_alone = [task for task in tasks if task not in kept], partial(_do_alone, work)
        # Closed at once, not when it is collected: an interruption or an error stops the workers.
        running = _run_here(work_alone, rest, jobs) if client is None else run_on_cluster(work_alone, rest, client)
        anew = not resume  # what an earlier run has kept is there until something replaces it
        with closing(running):
            for task, entry in running:
                if store:
                    store.append(task, entry, anew=anew)
                    anew = False
                yield task, entry
        if store and anew:
            store.clear()


def _do_alone[T](work: Callable[[T], Entry], task: T) -> tuple[T, Entry]:
    """Do a task with one thread of linear algebra: what is summed by several differs in the last digit."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return task, work(task)


def _run_here[T](work: Callable[[T], tuple[T, Entry]], tasks: Sequence[T], jobs: int) -> Generator[tuple[T, Entry]]:
    """Do tasks in `jobs` processes; what one was doing that is killed is done again."""
    from joblib import Parallel, delayed

    rest, killed = dict.fromkeys(tasks), 0
    while rest:
        # Arrays go by value: those that joblib would map from a file are read-only.
        parallel = Parallel(
            n_jobs=jobs, return_as="generator_unordered", batch_size=1, max_nbytes=None,
            initializer=end_with_parent, initargs=(os.getpid(),),
        )  # fmt: skip
        with shielding_children():
            found = parallel([delayed(work)(task) for task in rest])
        try:
            for task, entry in found:
                del rest[task]
                killed = 0
                yield task, entry
        except BrokenProcessPool:
            killed += 1
            if killed > MAX_KILLED:
                what = f"workers were killed {killed} times in a row, maybe for want of memory"
                raise refuse(f"--jobs {jobs}", "", what, "give fewer, and --resume to go on") from None
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib's, that closing it cancels tasks
                found.close()
