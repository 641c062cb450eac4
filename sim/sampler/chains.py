r"""Chains of the no-U-turn sampler, moved in threads, with one metric and one step learned from all of them.

While tuning, the step follows the mean acceptance, and the metric is renewed at the end of windows of growing length.
It is the matrix that makes of draws and gradients alike a standard normal (Seyboldt et al. 2026, arXiv 2603.18845), the
geometric mean of the covariance C of the draws and the inverse of that of the gradients, G. The latter is also the mean
curvature E[-Hessian], of which a few points tell more than a few gradients do: it is measured where the chains are,
so that a full metric is there after the first window, and counts as long as draws are few. Of many unknowns and few
data the metric is diagonal: root(var x / var gradient). Nothing is adapted once draws are kept.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.sampler.trajectory import (
    ANCHOR,
    LOG_STEP,
    MAX_DEPTH,
    MEAN_LOG_STEP,
    ROWS,
    TARGET,
    measure_curvature,
    move_chain,
)

Floats = NDArray[np.float64]

FIRST_WINDOW = 15  # iterations before the metric is renewed for the first time
GROWTH = 1.5  # of one window to the next
FIRST_STEP = 0.1
FIRST_DEPTH = 6  # doublings of a trajectory at most while the metric is a first guess
GUESSES = 4  # windows of which that holds, and of more while they have fewer iterations than there are unknowns
BLOCK = 100  # iterations between two looks at the clock
DENSE_UP_TO = 400  # unknowns of a full metric; of more only where its elements are fewer than
DENSE_BY_DATA = 20  # times the numbers that the density reads, so that it costs less than that
CURVATURE_STEP = 1e-4
LEAST_CURVATURE = 1e-3  # of any direction, in units of a standard normal's


@dataclass(frozen=True)
class Metric:
    """The inverse mass matrix: the diagonal scale^2, or where `matrix` has rows that, with the inverse of its root."""

    scale: Floats
    matrix: Floats
    root: Floats


@dataclass
class Chain:
    """Where a chain is, and what its step is set by (see `sim.sampler.trajectory`)."""

    rng: np.random.Generator
    x: Floats
    grad: Floats
    step: Floats
    work: Floats


@dataclass(frozen=True)
class Moves:
    """Draws of all chains, shape (chains, count, n), gradients if asked for, and stats, shape (chains, count, 3)."""

    draws: Floats
    grads: Floats
    stats: Floats


@dataclass(frozen=True)
class ChainState:
    """What chains are resumed from: where they are, shape (chains, n), their metric and the log of their step.

    `is_borrowed` where these are of another density: the metric is a first guess then, and learned anew. `resumed` is
    how often they were: each time has random numbers of its own.
    """

    x: Floats
    metric: Metric
    log_step: float
    is_borrowed: bool = False
    resumed: int = 0

    def carry(self, indices: Sequence[int | None], start: Floats, x: Floats | None = None) -> ChainState | None:
        """Return the state of chains of another density, most of whose unknowns are among those of this one.

        Parameters
        ----------
        indices : sequence of int or None
            Of each of its unknowns, the index here.
        start : ndarray, shape (n,)
            Where those stand that are not here; their metric is that of a standard normal.
        x : ndarray, shape (chains, n here), optional
            Where the chains are to begin instead of where these ended.

        Returns
        -------
        ChainState or None
            None where the metric is diagonal, of large cases.
        """
        if not len(self.metric.matrix):
            return None
        known = np.array([number for number, index in enumerate(indices) if index is not None])
        here = np.array([index for index in indices if index is not None])
        x = self.x if x is None else x
        begun = np.tile(start, (len(x), 1))
        begun[:, known] = x[:, here]
        matrix = np.eye(len(indices))
        matrix[np.ix_(known, known)] = self.metric.matrix[np.ix_(here, here)]
        return ChainState(begun, make_metric(matrix), self.log_step, is_borrowed=True, resumed=self.resumed)


def sample_chains(
    density: Any,
    buffer: Floats,
    start: Callable[[np.random.Generator], Floats],
    seed: int,
    *,
    chains: int,
    tune: int,
    draws: int,
    target_accept: float,
    report: Callable[[int, int], None] | None = None,
    resume_from: ChainState | None = None,
) -> tuple[Moves, ChainState]:
    """Sample a density.

    Parameters
    ----------
    density : compiled function
        (n, x, gradient, log density, buffer) -> status, as `sim.model.density.kernel.compile_density` returns it.
    buffer : ndarray
        Handed to the density.
    start : callable
        From a generator to a point where the density is not zero, shape (n,).
    seed : int
        Each chain has a stream of its own; the draws do not depend on the number of threads.
    chains, tune, draws : int
        Without tuning, chains that are resumed keep their step too.
    target_accept : float
        Mean acceptance of a trajectory that the step is tuned for.
    report : callable, optional
        Is told now and then how many iterations of how many are done.
    resume_from : ChainState, optional
        Of the same number of chains: they keep its metric, and tune the step alone; one that is borrowed they renew.

    Returns
    -------
    moves : Moves
        Draws after tuning.
    state : ChainState
        To resume the chains from.
    """
    times = resume_from.resumed + 1 if resume_from else 0
    if resume_from is None:
        streams = np.random.default_rng(seed).spawn(chains)
        all_chains = [_begin(start(rng), rng, target_accept) for rng in streams]
        metric = make_diagonal(np.ones(len(all_chains[0].x)))
        windows = list(_cut_windows(tune))
    else:
        streams = np.random.default_rng([seed, times]).spawn(chains)
        all_chains = [_begin(x, rng, target_accept) for x, rng in zip(resume_from.x, streams, strict=True)]
        metric = resume_from.metric
        windows = list(_cut_windows(tune)) if resume_from.is_borrowed else [(tune, True)]
        for chain in all_chains:
            _anchor_step(chain.step, resume_from.log_step)
    n, done, total = len(all_chains[0].x), 0, chains * (tune + draws)
    full = n <= DENSE_UP_TO or n * n < DENSE_BY_DATA * len(buffer)
    with ThreadPoolExecutor(max_workers=min(chains, os.cpu_count() or 1)) as pool:
        for number, (window, is_last) in enumerate(windows):
            is_guess = (number < GUESSES or window < n) and not is_last
            depth = FIRST_DEPTH if is_guess else MAX_DEPTH
            moves = _move(pool, density, buffer, metric, all_chains, window, depth)
            done += chains * window
            if report:
                report(done, total)
            if not is_last:
                curvature = _measure_curvature(pool, density, buffer, all_chains) if full else None
                metric = learn_metric(moves, curvature)
                _restart_steps(all_chains)
        _settle_steps(all_chains)
        kept: list[Moves] = []
        while draws > 0:
            block = min(BLOCK, draws)
            kept.append(_move(pool, density, buffer, metric, all_chains, block))
            draws -= block
            done += chains * block
            if report:
                report(done, total)
    moves = Moves(
        *(np.concatenate([getattr(each, name) for each in kept], axis=1) for name in ("draws", "grads", "stats"))
    )
    ends, log_step = np.array([chain.x for chain in all_chains]), float(all_chains[0].step[LOG_STEP])
    return moves, ChainState(ends, metric, log_step, resumed=times)


def _begin(x: Floats, rng: np.random.Generator, target: float) -> Chain:
    step = np.zeros(6)
    step[TARGET] = target
    _anchor_step(step, math.log(FIRST_STEP))
    return Chain(rng, np.array(x), np.zeros(len(x)), step, np.zeros((ROWS, len(x))))


def _anchor_step(step: Floats, log_step: float) -> None:
    """Begin to adapt a step from a value: dual averaging leans towards ten times that."""
    target = step[TARGET]
    step[:] = 0.0
    step[TARGET], step[LOG_STEP], step[MEAN_LOG_STEP], step[ANCHOR] = (
        target,
        log_step,
        log_step,
        log_step + math.log(10),
    )


def _restart_steps(chains: list[Chain]) -> None:
    for chain in chains:
        _anchor_step(chain.step, chain.step[MEAN_LOG_STEP])


def _settle_steps(chains: list[Chain]) -> None:
    """Give all chains the geometric mean of their steps."""
    step = float(np.mean([chain.step[MEAN_LOG_STEP] for chain in chains]))
    for chain in chains:
        chain.step[LOG_STEP] = step


def _cut_windows(tune: int) -> Iterator[tuple[int, bool]]:
    """Cut the tuning into windows of growing length; the last takes what is left, a third or more of the whole."""
    left, window = tune, FIRST_WINDOW
    while left - window > tune / 3:
        yield window, False
        left -= window
        window = round(window * GROWTH)
    yield left, True


def _move(
    pool: ThreadPoolExecutor,
    density: Any,
    buffer: Floats,
    metric: Metric,
    chains: list[Chain],
    count: int,
    tuning_depth: int = 0,
) -> Moves:
    """Move every chain `count` times; with a depth, while tuning, and the gradients are kept."""
    n, adapting = len(chains[0].x), tuning_depth > 0
    draws, stats = np.empty((len(chains), count, n)), np.empty((len(chains), count, 3))
    grads = np.empty((len(chains), count if adapting else 0, n))

    def move(number: int) -> None:
        chain = chains[number]
        move_chain(
            density, buffer, chain.rng, metric.matrix, metric.root, metric.scale, chain.x, chain.grad, chain.step,
            tuning_depth or MAX_DEPTH, adapting, draws[number], grads[number], stats[number], chain.work,
        )  # fmt: skip

    list(pool.map(move, range(len(chains))))
    return Moves(draws, grads, stats)


def _measure_curvature(pool: ThreadPoolExecutor, density: Any, buffer: Floats, chains: list[Chain]) -> Floats:
    """Return the mean of minus the Hessian where the chains are; those that are not finite are passed over."""

    def measure(chain: Chain) -> Floats:
        found = np.zeros((len(chain.x), len(chain.x)))
        measure_curvature(density, buffer, chain.x, CURVATURE_STEP, found)
        return found

    usable = [found for found in pool.map(measure, chains) if np.isfinite(found).all()]
    return np.asarray(np.mean(usable, axis=0)) if usable else np.eye(len(chains[0].x))


def learn_metric(moves: Moves, curvature: Floats | None) -> Metric:
    """Return the metric that the draws of all chains ask for: full where the curvature is given, else diagonal.

    Parameters
    ----------
    moves : Moves
        With gradients.
    curvature : ndarray, shape (n, n), optional
        The mean of minus the Hessian.
    """
    x, grad = (values.reshape(-1, values.shape[-1]) for values in (moves.draws, moves.grads))
    if curvature is None:
        spread, slope = (np.clip(values.std(axis=0), 1e-10, 1e10) for values in (x, grad))
        return make_diagonal(np.sqrt(spread / slope))
    return make_metric(whiten(x - x.mean(axis=0), grad - grad.mean(axis=0), curvature))


def make_diagonal(scale: Floats) -> Metric:
    """Return the metric of unknowns that have a scale each, shape (n,)."""
    return Metric(scale, np.zeros((0, 0)), np.zeros((0, 0)))


def make_metric(matrix: Floats) -> Metric:
    """Return the full metric of an inverse mass matrix, symmetric positive definite."""
    root = np.linalg.inv(np.linalg.cholesky(matrix))
    return Metric(np.ones(len(matrix)), np.ascontiguousarray(matrix), np.ascontiguousarray(root))


def whiten(x: Floats, grad: Floats, curvature: Floats) -> Floats:
    r"""Return the geometric mean of the covariance C of draws and the inverse of that of their gradients, G.

    .. math:: S = G^{-1/2} (G^{1/2} C G^{1/2})^{1/2} G^{-1/2}.

    By the weight of as many draws as there are unknowns G is shrunk to the curvature, and C to the inverse of G. A
    direction of negative curvature counts with its absolute value (Betancourt 2013, arXiv 1212.4693).

    Parameters
    ----------
    x, grad : ndarray, shape (draws, n)
        Centred.
    curvature : ndarray, shape (n, n)
        Minus the mean Hessian, symmetric.
    """
    count, n = x.shape
    values, vectors = np.linalg.eigh(curvature)
    curvature = vectors * np.maximum(np.abs(values), LEAST_CURVATURE) @ vectors.T
    values, vectors = np.linalg.eigh((grad.T @ grad + n * curvature) / (count + n))
    root, inverse = (vectors * values**power @ vectors.T for power in (0.5, -0.5))
    flat = x @ root
    inner, rotation = np.linalg.eigh((flat.T @ flat + n * np.eye(n)) / (count + n))
    matrix = inverse @ (rotation * np.sqrt(inner) @ rotation.T) @ inverse
    return np.asarray((matrix + matrix.T) / 2)
