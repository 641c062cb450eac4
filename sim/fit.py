"""Sampling the posterior of a case with nutpie: chains, seeds, progress.

The density is `sim.kernel`'s: machine code that serves every case, held equal to PyMC's model by a test.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import refuse
from sim.kernel import compile_copy, compile_density, log_density, log_density_many
from sim.model import Design
from sim.packing import constrain_draws, count_unknowns, pack_design

CHAINS = 4
TUNE = 1_000
DRAWS = 1_500
TARGET_ACCEPT = 0.98
MAX_STARTS = 50
LOW_RANK_UP_TO = 150


@dataclass(frozen=True)
class Draws:
    """Draws of the unknowns of a design, by chain.

    Attributes
    ----------
    unknowns : dict of str to ndarray, shape (chains, draws, ...)
        `theta`, `walk`, `effects`, `statement` (see `sim.model.Design`).
    divergences : int
        Diverging transitions after tuning.
    steps : float
        Mean number of gradient evaluations of a draw.
    seconds : dict of str to float
        Wall time of compiling and sampling.
    """

    unknowns: dict[str, NDArray[np.float64]]
    divergences: int
    steps: float
    seconds: dict[str, float]

    @property
    def shape(self) -> tuple[int, int]:
        """The number of chains, and of draws in each."""
        chains, draws = self.unknowns["theta"].shape[:2]
        return chains, draws

    def flatten(self) -> dict[str, NDArray[np.float64]]:
        """Return the unknowns with chains put end to end, shape (chains x draws, ...)."""
        chains, draws = self.shape
        return {name: values.reshape(chains * draws, *values.shape[2:]) for name, values in self.unknowns.items()}


def sample_posterior(
    design: Design,
    seed: int,
    *,
    draws: int = DRAWS,
    tune: int = TUNE,
    target_accept: float = TARGET_ACCEPT,
    quiet: bool = False,
) -> Draws:
    """Sample the posterior.

    Parameters
    ----------
    design : Design
    seed : int
        The same seed gives the same draws on the same machine.
    draws, tune : int
        Of each of the four chains.
    target_accept : float
        Mean acceptance that the step size is tuned for.
    quiet : bool
        Show no progress; there is none either where standard error is no terminal.

    Returns
    -------
    Draws
    """
    started = time.perf_counter()
    compiled = prepare_sampler(design)
    compiled_at = time.perf_counter()
    found = sample_buffer(compiled, seed, draws=draws, tune=tune, target_accept=target_accept, quiet=quiet)
    return Draws(
        unknowns=constrain_draws(design, found.x),
        divergences=found.divergences,
        steps=found.steps,
        seconds={"compile": compiled_at - started, "sample": time.perf_counter() - compiled_at},
    )


@dataclass(frozen=True)
class RawDraws:
    """Draws of the unconstrained vector, shape (chains, draws, n)."""

    x: NDArray[np.float64]
    divergences: int
    steps: float


def sample_buffer(
    compiled: Any, seed: int, *, draws: int, tune: int, target_accept: float, quiet: bool, chains: int = CHAINS
) -> RawDraws:
    """Sample what `prepare_sampler` or `prepare_many` returned (see `sample_posterior`)."""
    import nutpie

    with show_progress(quiet) as report:
        trace = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=chains,
            seed=seed,
            target_accept=target_accept,
            # The size of a force and its losses share a ridge: a low-rank metric triples the bulk ESS of both. Its own
            # cost grows with the unknowns: with 700 of them a diagonal one takes an eighth of the time.
            adaptation="low_rank" if compiled.n_dim <= LOW_RANK_UP_TO else "diag",
            progress_bar=False,
            progress_callback=report,
            save_warmup=False,
        )
    stats = trace["sample_stats"]
    return RawDraws(np.asarray(trace["posterior"]["x"]), int(stats["diverging"].sum()), float(stats["n_steps"].mean()))


def prepare_sampler(design: Design) -> Any:
    """Return what nutpie samples: the compiled density with the buffer of this design."""
    return _prepare(log_density, pack_design(design), count_unknowns(design), design.case.name)


def prepare_many(buffer: NDArray[np.float64], size: int) -> Any:
    """Return what nutpie samples of several designs that share parameters (see `sim.packing.pack_many`)."""
    return _prepare(log_density_many, buffer, size, "the track record")


def _prepare(density: Any, buffer: NDArray[np.float64], size: int, name: str) -> Any:
    import pandas as pd
    from nutpie.compile_pymc import CompiledPyMCModel

    gradient = np.zeros(size)

    def start(seed: int | None) -> NDArray[np.float64]:
        rng = np.random.default_rng(seed)
        for _ in range(MAX_STARTS):
            point = rng.uniform(-1, 1, size)
            value = density(point, gradient.copy(), buffer, buffer.view(np.int64))
            if np.isfinite(value):
                return point
        raise refuse(name, "", "the priors and claims leave no state possible", "look for priors fixed at an edge")

    start(0)

    return CompiledPyMCModel(
        _n_dim=size,
        dims={"x": ("unknown",)},
        _coords={"unknown": pd.RangeIndex(size), "unconstrained_parameter": pd.RangeIndex(size)},
        _shapes={"x": (size,)},
        compiled_logp_func=compile_density(),
        compiled_expand_func=compile_copy(),
        initial_point_func=start,
        shared_data={},
        shared_var_keys={},
        user_data=buffer,
        n_expanded=size,
        shape_info=(["x"], [slice(0, size)], [(size,)]),
        logp_func=None,
        expand_func=None,
        reparameterized_names=[],
    )


@contextmanager
def show_progress(quiet: bool) -> Iterator[Any]:
    """Show a bar with the time left on a terminal, and yield the callback that moves it; elsewhere yield None."""
    with _show_bar("sampling", quiet) as bar:
        if bar is None:
            yield None
            return
        task = bar.add_task("", total=None)

        def report(chains: Sequence[Any]) -> None:
            total = sum(chain.total_draws for chain in chains)
            bar.update(task, total=total, completed=sum(chain.finished_draws for chain in chains))

        yield report


@contextmanager
def show_steps(what: str, count: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a bar of `count` steps on a terminal, and yield what moves it by one; elsewhere that does nothing."""
    with _show_bar(what, quiet) as bar:
        task = None if bar is None else bar.add_task("", total=count)

        def advance() -> None:
            if bar is not None:
                bar.advance(task)

        yield advance


@contextmanager
def _show_bar(what: str, quiet: bool) -> Iterator[Any]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
