"""Sampling the posterior of a case: starts, seeds, progress.

The density is `sim.model.density`'s: machine code that serves every case, held equal to PyMC's model by a test. The
sampler is `sim.sampler.chains`'s, held by tests to known laws and to nutpie's draws.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import refuse
from sim.model.buffer import constrain_draws, count_unknowns, find_middle, pack_design
from sim.model.density.kernel import compile_density
from sim.model.design import Design
from sim.sampler.chains import ChainState, sample_chains
from sim.sampler.trajectory import DIVERGED, STEPS, compile_sampler
from sim.system.code_cache import compile_meanwhile
from sim.system.progress import show_progress

CHAINS = 4
MANY_UNKNOWNS = 150  # from which a case is large
NEARLY = 1.1  # R-hat below which chains have found the same region
MAX_STARTS = 50
LOADED = 0.5  # seconds within which machine code is there that is on the disk
_POINTER = ctypes.POINTER(ctypes.c_double)


@dataclass(frozen=True)
class Effort:
    """How long each chain runs: draws, iterations of tuning, and the mean acceptance that the step is tuned for."""

    draws: int
    tune: int
    target_accept: float


def choose_effort(design: Design) -> Effort:
    """Return the effort with which a case is sampled at first.

    A small posterior has narrow parts that ask for small steps, and its draws cost nothing; of a large one the metric
    takes longer to learn, and the number of unknowns keeps the steps small.
    """
    return Effort(800, 400, 0.9) if count_unknowns(design) >= MANY_UNKNOWNS else Effort(1_000, 300, 0.95)


@dataclass(frozen=True)
class Draws:
    """Draws of the unknowns of a design, by chain.

    Attributes
    ----------
    unknowns : dict of str to ndarray, shape (chains, draws, ...)
        `theta`, `walk`, `effects`, `statement` (see `sim.model.design.Design`).
    divergences : int
        Diverging transitions after tuning.
    steps : float
        Mean number of gradient evaluations of a draw.
    seconds : dict of str to float
        Wall time of compiling and sampling.
    chain_state : ChainState, optional
        What the chains can be resumed from.
    x : ndarray, shape (chains, draws, n), optional
        The unconstrained vector, as our own sampler draws it.
    """

    unknowns: dict[str, NDArray[np.float64]]
    divergences: int
    steps: float
    seconds: dict[str, float]
    chain_state: ChainState | None = None
    x: NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The number of chains, and of draws in each."""
        chains, draws = self.unknowns["theta"].shape[:2]
        return chains, draws

    def flatten(self) -> dict[str, NDArray[np.float64]]:
        """Return the unknowns with chains put end to end, shape (chains x draws, ...)."""
        chains, draws = self.shape
        return {name: values.reshape(chains * draws, *values.shape[2:]) for name, values in self.unknowns.items()}

    def join(self, more: Draws) -> Draws:
        """Return these draws with those that the same chains made after them."""
        counts = [self.shape[1], more.shape[1]]
        unknowns = {name: np.concatenate([own, more.unknowns[name]], axis=1) for name, own in self.unknowns.items()}
        return Draws(
            unknowns=unknowns,
            divergences=self.divergences + more.divergences,
            steps=float(np.average([self.steps, more.steps], weights=counts)),
            seconds={name: own + more.seconds[name] for name, own in self.seconds.items()},
            chain_state=more.chain_state,
            x=None if self.x is None or more.x is None else np.concatenate([self.x, more.x], axis=1),
        )


def sample_posterior(
    design: Design,
    seed: int,
    *,
    draws: int,
    tune: int,
    target_accept: float,
    quiet: bool = False,
    resume_from: ChainState | None = None,
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
    resume_from : ChainState, optional
        Chains to resume: with their metric, and no tuning but of the step; those of another design learn it anew.

    Returns
    -------
    Draws
    """
    started = time.perf_counter()
    prepare_density()
    compiled_at = time.perf_counter()
    found = sample_buffer(
        pack_design(design), find_middle(design), design.case.name, seed,
        draws=draws, tune=tune, target_accept=target_accept, quiet=quiet, resume_from=resume_from,
    )  # fmt: skip
    return Draws(
        unknowns=constrain_draws(design, found.x),
        divergences=found.divergences,
        steps=found.steps,
        seconds={"compile": compiled_at - started, "sample": time.perf_counter() - compiled_at},
        chain_state=found.chain_state,
        x=found.x,
    )


@cache
def prepare_density() -> Any:
    """Return the density as machine code, and have the sampler's ready; both are compiled the first time on a machine.

    The sampler is compiled by another process meanwhile, and loaded from the disk here.
    """
    with compile_meanwhile(compile_sampler, after=LOADED):
        density = compile_density()
    compile_sampler()
    return density


def list_densities(buffer: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log densities of what a buffer holds at points, shape (points, n); where it has none, -infinity."""
    found, (evaluate, _, value) = np.full(len(x), -np.inf), _point_at(buffer, x.shape[1])
    for index, point in enumerate(x):
        if evaluate(point):
            found[index] = value[0]
    return np.where(np.isnan(found), -np.inf, found)


def list_gradients(buffer: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gradients of what a buffer holds at points, shape (points, n), as the sampler sees them."""
    found, (evaluate, slope, _) = np.empty(x.shape), _point_at(buffer, x.shape[1])
    for index, point in enumerate(x):
        evaluate(point)
        found[index] = slope
    return found


def _point_at(
    buffer: NDArray[np.float64], count: int
) -> tuple[Callable[[NDArray[np.float64]], bool], NDArray[np.float64], NDArray[np.float64]]:
    """Return what evaluates the density at a point and says whether it has one, and what it fills: gradient, value.

    The pointers are made once: to make them takes as long as a density of a small case.
    """
    at, slope, value = np.empty(count), np.empty(count), np.empty(1)
    call, pointers = prepare_density().ctypes, [each.ctypes.data_as(_POINTER) for each in (at, slope, value)]
    address = buffer.ctypes.data

    def evaluate(point: NDArray[np.float64]) -> bool:
        at[:] = point
        return bool(call(count, *pointers, address) == 0)

    return evaluate, slope, value


@dataclass(frozen=True)
class RawDraws:
    """Draws of the unconstrained vector, shape (chains, draws, n)."""

    x: NDArray[np.float64]
    divergences: int
    steps: float
    chain_state: ChainState


def sample_buffer(
    buffer: NDArray[np.float64],
    middle: NDArray[np.float64],
    name: str,
    seed: int,
    *,
    draws: int,
    tune: int,
    target_accept: float,
    quiet: bool,
    chains: int = CHAINS,
    resume_from: ChainState | None = None,
) -> RawDraws:
    """Sample what `sim.model.buffer` packed: one design, or several that share parameters (see `sample_posterior`).

    Parameters
    ----------
    buffer : ndarray
    middle : ndarray, shape (n,)
        The unconstrained vector about which the chains start.
    name : str
        Of what is sampled, for an error.
    """
    density, size = prepare_density(), len(middle)

    def start(rng: np.random.Generator) -> NDArray[np.float64]:
        evaluate, _, _ = _point_at(buffer, size)
        for _ in range(MAX_STARTS):
            point = middle + rng.uniform(-1, 1, size)
            if evaluate(point):
                return point
        problem = (
            f"no starting point with a finite density in {MAX_STARTS} tries: priors and claims contradict each other"
        )
        raise refuse(name, "", problem, "look for priors fixed at the edge of what is possible")

    with show_progress(quiet) as report:
        moves, chain_state = sample_chains(
            density, buffer, start, seed,
            chains=chains, tune=tune, draws=draws, target_accept=target_accept, report=report,
            resume_from=resume_from,
        )  # fmt: skip
    divergences, steps = int(moves.stats[..., DIVERGED].sum()), float(moves.stats[..., STEPS].mean())
    return RawDraws(moves.draws, divergences, steps, chain_state)
