"""One verdict on the draws, from R-hat, effective sample sizes and divergences."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

NO_TAIL = 1e-9  # difference of log ratios that is none
_LOADING = Lock()  # a run loads the statistics while its chains move


@dataclass(frozen=True)
class Limits:
    """What draws must keep to be trusted.

    Attributes
    ----------
    max_rhat : float
        R-hat of every quantity is below it.
    min_ess : float
        Bulk and tail effective sample size of every quantity are above it.
    may_diverge : bool
        Whether transitions may have diverged.
    """

    max_rhat: float
    min_ess: float = 0.0
    may_diverge: bool = True


OF_INTERVALS = Limits(max_rhat=1.01, min_ess=400, may_diverge=False)  # which end in the tails


@dataclass(frozen=True)
class Verdict:
    """Whether the draws can be trusted.

    Rank-normalised split R-hat, bulk and tail effective sample size as in Vehtari et al. 2021,
    doi 10.1214/20-BA1221. All three say whether the chains agree, none whether the model is right.

    Attributes
    ----------
    max_rhat, min_ess_bulk, min_ess_tail : float
        The worst over the reported quantities.
    divergences : int
    worst : dict of str to str
        The quantity that is worst by each.
    reasons : tuple of str
        Why the draws are not to be trusted; empty where they are.
    """

    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    divergences: int
    worst: dict[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """True where the draws keep the limits that they were judged by; those of a run: OF_INTERVALS."""
        return not self.reasons


def judge_draws(
    quantities: Mapping[str, NDArray[np.float64]], divergences: int, limits: Limits = OF_INTERVALS
) -> Verdict:
    """Judge draws by the quantities that will be reported.

    Parameters
    ----------
    quantities : mapping of str to ndarray of shape (chains, draws)
        Constant ones are passed over: they carry no Monte Carlo error.
    divergences : int
    limits : Limits

    Returns
    -------
    Verdict
    """
    array_stats = load_statistics()
    found: dict[str, tuple[float, float, float]] = {}
    broken = [name for name, draws in quantities.items() if not np.isfinite(draws).all()]
    for name, draws in quantities.items():
        if name in broken or np.ptp(draws) == 0:
            continue
        found[name] = (
            float(array_stats.rhat(draws, chain_axis=0, draw_axis=1)),
            float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk")),
            float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))),
        )
    if not found:
        return Verdict(
            1.0, float("inf"), float("inf"), divergences, {}, tuple(f"{name} is not finite" for name in broken)
        )
    rhat = max(found, key=lambda name: found[name][0])
    bulk = min(found, key=lambda name: found[name][1])
    tail = min(found, key=lambda name: found[name][2])
    reasons = [f"{name} is not finite" for name in broken]
    if not found[rhat][0] < limits.max_rhat:
        reasons.append(f"R-hat of {rhat} is {found[rhat][0]:.3f}")
    if not found[bulk][1] > limits.min_ess:
        reasons.append(f"bulk ESS of {bulk} is {found[bulk][1]:.0f}")
    if not found[tail][2] > limits.min_ess:
        reasons.append(f"tail ESS of {tail} is {found[tail][2]:.0f}")
    if divergences and not limits.may_diverge:
        reasons.append(f"{divergences} transitions diverged")
    return Verdict(
        found[rhat][0],
        found[bulk][1],
        found[tail][2],
        divergences,
        {"rhat": rhat, "ess_bulk": bulk, "ess_tail": tail},
        tuple(reasons),
    )


def mcse_quantile(draws: NDArray[np.float64], probability: float = 0.5) -> float:
    """Return the Monte Carlo standard error of a quantile, the median by default, of draws of shape (chains, draws)."""
    if np.ptp(draws) == 0:
        return 0.0
    return float(load_statistics().mcse(draws, chain_axis=0, draw_axis=1, method="quantile", prob=probability))


def count_weighted(log_weights: NDArray[np.float64]) -> float:
    """Return how many draws of equal weight would be as good as these (Kish 1965)."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / np.sum(weights**2))


def load_statistics() -> Any:
    """Return ArviZ's diagnostics of arrays, untyped and imported late, and alone.

    ArviZ loads xarray and pandas with them, which takes longer than to sample a small case, and which they do not use.
    So they are loaded from packages whose own files are not run, and which are taken away again; of an ArviZ where that
    cannot be done all is loaded.
    """
    with _LOADING:
        return _load_arrays()


@cache
def _load_arrays() -> Any:
    try:
        return _load_alone()
    except (ImportError, AttributeError):
        return import_module("arviz_stats.base").array_stats


def _load_alone() -> Any:
    packages = ("arviz_stats", "arviz_stats.base")
    if packages[-1] in sys.modules:  # somebody has loaded all of it
        return import_module("arviz_stats.base.array").array_stats
    before = {name: module for name, module in sys.modules.items() if name.startswith(packages)}
    try:
        for name in packages:
            spec = find_spec(name)
            if spec is not None:
                sys.modules[name] = module_from_spec(spec)
        return import_module("arviz_stats.base.array").array_stats
    finally:
        for name in [name for name in sys.modules if name.startswith(packages)]:
            del sys.modules[name]
        sys.modules.update(before)


def smooth_weights(log_ratios: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return Pareto-smoothed log importance weights of draws, shape (draws,), and Pareto's k.

    Above a k of .7 they are not to be trusted (Vehtari et al. 2024, arXiv 1507.02646). Where the largest ratios are all
    the same there is no tail to smooth, and k is 0.
    """
    largest = np.sort(log_ratios)[-math.ceil(min(len(log_ratios) / 5, 3 * math.sqrt(len(log_ratios)))) :]
    if np.ptp(largest) < NO_TAIL:
        return log_ratios - logsumexp(log_ratios), 0.0
    log_weights, k = load_statistics().psislw(-log_ratios)  # ArviZ takes log likelihoods of what is left out
    return np.asarray(log_weights), float(k)
