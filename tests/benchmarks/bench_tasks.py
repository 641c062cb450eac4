"""Refits a second of one worker and of two: `python tests/benchmarks/bench_tasks.py [N]`, on a quiet machine.

Replicates of `truetoll sbc kursk`, by joblib's processes and by a Dask cluster, after every worker has compiled. Each
worker has a core of its own, as on a cluster: a fit moves its four chains in threads, so that one worker that is free
to take two cores gains little by a second. Prints JSON; exit status 1 where two are less than 1.7 times as fast.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim.calibration.sbc import run_replicate
from sim.case.folder import find_case, read_case
from sim.case.priors import read_priors
from sim.model.design import Design, design_model
from sim.system.cluster import open_cluster
from sim.system.store import Entry
from sim.system.tasks import finish_tasks

GAIN = 1.7
SEED = 1_000_000


def lay_out() -> Design:
    """Return the design of the Kursk case."""
    case = read_case(find_case("kursk"))
    return design_model(case, read_priors(case.file.prior))


def fit_on_own_core(design: Design, seats: Path, task: int) -> Entry:
    """Fit a replicate on the core that this process took at its first one."""
    if len(os.sched_getaffinity(0)) > 1:
        for core in sorted(os.sched_getaffinity(0)):
            try:
                (seats / str(core)).touch(exist_ok=False)
            except FileExistsError:
                continue
            os.sched_setaffinity(0, [core])  # of this thread, and of those that it will start
            break
    return {"fractions": run_replicate(design, SEED + task).fractions, "worker": os.getpid()}


@contextmanager
def open_local_cluster(count: int) -> Iterator[Any]:
    """Yield the client of a cluster of `count` processes here."""
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
        open_cluster(cluster.scheduler_address) as client,
    ):
        yield client


def measure(work: Callable[[int], Entry], count: int, workers: int, who: dict[str, Any]) -> tuple[float, Any]:
    """Return replicates a second, and their fractions, after every worker has compiled."""
    warm: set[int] = set()
    first = 500_000
    while len(warm) < workers:
        warm |= {entry["worker"] for _, entry in finish_tasks(work, range(first, first + 2 * workers), **who)}
        first += 2 * workers
    started = time.perf_counter()
    found = dict(finish_tasks(work, range(count), **who))
    seconds = time.perf_counter() - started
    assert {entry["worker"] for entry in found.values()} <= warm, "a worker came or went: measure again"
    return count / seconds, [found[task]["fractions"] for task in range(count)]


def measure_here(work: Callable[[int], Entry], count: int, workers: int) -> tuple[float, Any]:
    """Measure `--jobs`, from a process of its own: one worker does the replicates there, held to a core."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, work, count, workers, {"jobs": workers}).result()


def main() -> int:
    """Measure both ways with one worker and with two."""
    count, design = int(sys.argv[1]) if len(sys.argv) > 1 else 60, lay_out()
    report: dict[str, Any] = {"case": "kursk", "replicates": count, "cores": len(os.sched_getaffinity(0))}
    results = []
    for kind in ("loky", "dask"):
        rates = {}
        for workers in (1, 2):
            with TemporaryDirectory() as seats:
                work = partial(fit_on_own_core, design, Path(seats))
                if kind == "dask":
                    with open_local_cluster(workers) as client:
                        rates[workers], found = measure(work, count, workers, {"client": client})
                else:
                    rates[workers], found = measure_here(work, count, workers)
            results.append(found)
        report[kind] = {"one": rates[1], "two": rates[2], "gain": rates[2] / rates[1]}
    report["equal"] = all(found == results[0] for found in results)
    report["passed"] = report["equal"] and min(report[kind]["gain"] for kind in ("loky", "dask")) >= GAIN
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    import bench_tasks  # by its own name, so that workers find in it what they are to do

    warnings.simplefilter("ignore")
    sys.exit(bench_tasks.main())
