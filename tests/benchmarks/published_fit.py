"""Draws from the posterior of the published model (see `published_model`), and what it says of reports.

Its thousands of unknowns are whitened by the mean curvature where chains stand, blocks with a border (Cholesky of each
type's block, then of the Schur complement of what is common), a few times in turn; a diagonal metric takes the rest.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from published_kernel import COMMON, LENGTH, LOG_SIGMA, OFFSETS, WHITE, find_loudest, pack_reports
from published_model import YEAR, Reports, make_splines
from published_whitening import Layout, Whitening, compile_published, spread, whiten
from scipy.optimize import minimize
from scipy.special import gammaln

from sim.sampler import chains as sampler
from sim.sampler.chains import CURVATURE_STEP, sample_chains
from sim.sampler.trajectory import measure_curvature

Floats = NDArray[np.float64]

DEPTH = 9  # doublings of a trajectory at most: a fold then takes minutes
CLIMB = 150  # iterations towards the mode before the first look at the curvature
NEAR = 0.25  # starting values are uniform within this, as the paper's
_POINTER = ctypes.POINTER(ctypes.c_double)


def look_around(density: Any, buffer: Floats, points: list[Floats]) -> Floats:
    """Return the mean of minus the Hessian at some points."""

    def measure(x: Floats) -> Floats:
        found = np.zeros((len(x), len(x)))
        measure_curvature(density, buffer, x, CURVATURE_STEP, found)
        return found

    with ThreadPoolExecutor(len(points)) as pool:
        return np.asarray(np.mean(list(pool.map(measure, points)), axis=0))


def climb(density: Any, buffer: Floats, x: Floats, layout: Layout) -> Floats:
    """Return a point nearer the mode, scales and correlations left where they are: at the mode they are degenerate."""
    free = np.ones(layout.size)
    free[: layout.edge].reshape(layout.kinds, layout.block)[:, layout.bases + LOG_SIGMA] = 0
    free[layout.edge + layout.common :] = 0
    call = density.ctypes
    value, grad = np.zeros(1), np.zeros(len(x))

    def fall(at: Floats) -> tuple[float, Floats]:
        status = call(len(at), *(v.ctypes.data_as(_POINTER) for v in (at, grad, value)), buffer.ctypes.data)
        return (1e300, np.zeros(len(at))) if status else (-value[0], -grad * free)

    return np.asarray(minimize(fall, x, jac=True, method="L-BFGS-B", options={"maxiter": CLIMB}).x)


@dataclass(frozen=True)
class Fit:
    """Draws of the unknowns given some reports, shape (chains, draws, n), steps a draw, and divergences."""

    reports: Reports
    x: Floats
    layout: Layout
    steps: float
    divergences: int


def fit_reports(reports: Reports, knots: int, seed: int, chains: int, rounds: list[int], draws: int) -> Fit:
    """Sample the posterior: `rounds` of tuning, the metric learned anew from one to the next."""
    density, buffer = compile_published(), pack_reports(reports, knots)
    layout = Layout(len(reports.kinds), int(buffer[1]), len(reports.sources))
    sampler.DENSE_BY_DATA = 0  # a metric of thousands of unknowns costs more than the density
    sampler.MAX_DEPTH = DEPTH
    rng = np.random.default_rng(seed)
    points = [climb(density, buffer, rng.uniform(-NEAR, NEAR, layout.size), layout) for _ in range(chains)]
    for number, tune in enumerate(rounds):
        white = whiten(look_around(density, buffer, points), layout)
        full = np.concatenate([buffer, white.pack()])
        full[WHITE], full[LENGTH] = len(buffer), len(full)
        starts: Iterator[Floats] = iter([white.undo(x, layout) for x in points])
        moves, _ = sample_chains(
            density, full, lambda _, starts=starts: next(starts), seed + number, chains=chains, tune=tune,
            draws=draws if number == len(rounds) - 1 else 1, target_accept=0.9,
        )  # fmt: skip
        points = [colour(z[-1:], white, layout)[0] for z in moves.draws]
    x = np.array([colour(z, white, layout) for z in moves.draws])
    return Fit(reports, x, layout, float(moves.stats[..., 0].mean()), int(moves.stats[..., 2].sum()))


def colour(z: Floats, white: Whitening, layout: Layout) -> Floats:
    """Return the x of many z, shape (draws, n)."""
    x, packed = np.empty_like(z), white.pack()
    for row, out in zip(z, x, strict=True):
        spread(row, out, layout.kinds, layout.block, layout.common, packed)
    return x


def forecast(fit: Fit, reports: Reports, knots: int, rows: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """Return draws of what each of some reports would say, and the log probability of what it does, (draws, rows)."""
    rng, splines = np.random.default_rng(seed), make_splines(reports.days, knots)
    k, s, d = reports.kind[rows], reports.source[rows], reports.day[rows]
    place, n, one = 2 * s + reports.country[k], reports.number[rows], reports.daily[rows]
    drawn, logs = [], []
    for x in fit.x.reshape(-1, fit.layout.size):
        rate, phi, own, parts = read_draw(fit, x, splines)
        top, log_sd, of_source, end = parts
        eta = np.where(one, rate[k, d], np.log(np.cumsum(np.exp(rate), axis=1))[k, d])
        eta += np.exp(top[0]) * of_source[place] + np.exp(log_sd[place]) * own[k, fit.layout.bases + OFFSETS + s]
        eta += reports.low[rows] * (top[1] + np.exp(top[2]) * end[0, s])
        eta += reports.high[rows] * (top[3] + np.exp(top[4]) * end[1, s])
        mean, f = np.exp(np.minimum(eta, 30.0)), phi[k]
        scatter = np.where(one, 1.0, rng.gamma(f) / f)
        drawn.append(rng.poisson(mean * scatter))
        spread_out = gammaln(n + f) - gammaln(f) + f * np.log(f) + n * eta - (n + f) * np.log(f + mean)
        logs.append(np.where(one, n * eta - mean, spread_out) - gammaln(n + 1))
    return np.array(drawn, dtype=float), np.array(logs)


def read_draw(fit: Fit, x: Floats, splines: Floats) -> tuple[Floats, Floats, Floats, tuple[Floats, ...]]:
    """Return the log of each day's losses, phi, the unknowns of types, and those in common, of one draw."""
    layout, loudest = fit.layout, find_loudest(fit.reports)
    own = x[: layout.edge].reshape(layout.kinds, layout.block)
    sizes = np.cumsum([COMMON, 2 * layout.sources, 2 * layout.sources, 2 * layout.sources])
    top, log_sd, of_source, end = np.split(x[layout.edge : layout.edge + layout.common], sizes[:-1])
    u, (start, slope, log_sigma, phi) = own[:, : layout.bases], own[:, layout.bases : layout.bases + OFFSETS].T
    slope = top[9] + np.exp(top[10]) * slope
    rate = slope[:, None] * np.arange(1, splines.shape[1] + 1) / YEAR + np.exp(log_sigma)[:, None] * u @ splines
    place, offset = 2 * loudest + fit.reports.country, own[np.arange(layout.kinds), layout.bases + OFFSETS + loudest]
    bias = np.exp(top[0]) * of_source[place] + np.exp(log_sd[place]) * offset
    rate += (start - bias - np.log(np.exp(rate).sum(axis=1)))[:, None]
    return rate, np.exp(-(top[5] + np.exp(top[6]) * phi)), own, (top, log_sd, of_source, end.reshape(2, layout.sources))
