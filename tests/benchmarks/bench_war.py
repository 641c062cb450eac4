"""A whole war: `python tests/benchmarks/bench_war.py TABLE`, the published table of Radford et al. 2023, fetched.

Imports and fits it as `truetoll run` does, and says what a second of it yields: effective draws of the deaths of both
sides, and of the worst reported quantity. Beside it the same model in PyMC, compiled by nutpie: its time to compile and
for a gradient. Then how far a gradient is from what its bytes and its elementary functions cost alone. Prints JSON.
"""

from __future__ import annotations

import ctypes
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from sim.importers import import_table
from sim.model.buffer import count_unknowns, pack_design
from sim.model.design import Design
from sim.model.pymc_model import build_model
from sim.posterior.fit import prepare_density
from sim.posterior.sample import by_chain
from sim.runs.run import Run, run_case
from sim.sampler.diagnostics import load_statistics

FORCES = ("russia", "ukraine")
_POINTER = ctypes.POINTER(ctypes.c_double)


@numba.njit
def take_logs(values, out):
    """Take a logarithm of each value: a stand-in for exponentials and the like, which cost about the same."""
    for i in range(len(values)):
        out[i] = np.log(values[i])


def time_best(call: Callable[[], object], count: int) -> float:
    """Return the seconds of a call: the best of seven runs of `count`."""
    best = np.inf
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(count):
            call()
        best = min(best, (time.perf_counter() - started) / count)
    return best


def time_gradient(design: Design, count: int = 200) -> float:
    """Return the seconds of one evaluation of the density and its gradient, by the compiled kernel."""
    density, buffer, size = prepare_density(), pack_design(design), count_unknowns(design)
    x, grad, value = np.random.default_rng(1).uniform(-0.1, 0.1, size), np.empty(size), np.empty(1)
    places = [each.ctypes.data_as(_POINTER) for each in (x, grad, value)]
    return time_best(lambda: density.ctypes(size, *places, buffer.ctypes.data), count)


def time_pymc(design: Design) -> dict[str, float]:
    """Return the seconds that nutpie takes to compile PyMC's model, and for a gradient of it."""
    import nutpie

    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(build_model(design))
    seconds = time.perf_counter() - started
    for seed in (1, 2):  # the first call compiles what is left
        started_drawing = time.perf_counter()
        drawn = nutpie.sample(
            compiled, draws=1, tune=30, chains=1, cores=1, maxdepth=5, seed=seed, progress_bar=False
        )  # fmt: skip
        gradient = time.perf_counter() - started_drawing
    gradient /= sum(float(np.sum(drawn[group]["n_steps"])) for group in ("warmup_sample_stats", "sample_stats"))
    return {"compile": round(seconds, 1), "gradient": gradient}


def describe_run(run: Run, seconds: float) -> dict[str, object]:
    """Return what a run of so many seconds cost, and how good its draws are."""
    return {
        "claims": len(run.design.evidence.observations),
        "unknowns": count_unknowns(run.design),
        "seconds": {"all": round(seconds, 1), **{name: round(each, 1) for name, each in run.seconds.items()}},
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "trusted": run.verdict.trusted,
        "attempts": run.result.diagnostics.attempts,
        "max_rhat": run.verdict.max_rhat,
        "min_ess": {"bulk": run.verdict.min_ess_bulk, "tail": run.verdict.min_ess_tail},
        "steps_of_a_draw": run.drawn.steps,
    }


def main(table: Path) -> None:
    """Measure and print."""
    if not table.is_file():
        sys.stderr.write(f"{table} is missing: fetch replication-data-pnas.csv of doi.org/10.1073/pnas.2307372120\n")
        return
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        folder = import_table("radford", table, Path(place) / "war", tell=lambda _: None)
        run = run_case(folder, seed=1)
        seconds = time.perf_counter() - started
    statistics = load_statistics()
    deaths = {
        force: float(
            statistics.ess(
                by_chain(np.log(run.sample.count(force, "killed")), 4), chain_axis=0, draw_axis=1, method="bulk"
            )
        )
        for force in FORCES
    }
    gradient, buffer = time_gradient(run.design), pack_design(run.design)
    values = np.random.default_rng(1).uniform(1, 2, 100_000)
    out = np.empty_like(values)
    take_logs(values, out)
    found = {
        **describe_run(run, seconds),
        "ess_of_deaths": deaths,
        "ess_of_deaths_per_second_of_sampling": {f: each / run.seconds["sample"] for f, each in deaths.items()},
        "ess_of_the_worst_per_gradient": run.verdict.min_ess_bulk / (run.drawn.steps * np.prod(run.drawn.shape)),
        "gradient": gradient,
        "buffer_bytes": buffer.nbytes,
        "seconds_to_read_the_buffer": time_best(buffer.sum, 200),
        "seconds_of_a_logarithm": time_best(lambda: take_logs(values, out), 20) / len(values),
        "pymc": time_pymc(run.design),
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
