"""Forecasts by simple rules from the claims alone: what a model must beat to be worth its trouble."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from sim.calibration.scores import POINTS, Established, Vector

NAMES = (
    "naive_mean", "constant_spread", "random_effects", "linear_pool", "independent_median", "published",
    "role_rule", "role_victims_rule",
)  # fmt: skip
SINGLE_SD = 0.5  # log sd where one claim is all there is
LEAST_ERROR = 0.01  # of a mean: claims that agree to the digit are not certain
LEAST_CLAIM_SD = 0.1
POINT_CLAIM_SD = 0.3
PRIOR = (float(np.log(1000)), 3.45)  # of log C, after Radford et al. 2023
SOURCE_SD = 1.0
CLAIM_SD = 0.5
SPREADS = np.geomspace(0.05, 3, 83)  # steps of 5%
LEAN = 5  # claims at the mean of its side that a factor by victims begins with
LARGEST_LOG = 700.0  # exp of more is no float; a t law with one degree of freedom gets there
_SHARES = (np.arange(1000) + 0.5) / 1000


@dataclass(frozen=True)
class Said:
    """The claims on one quantity of one force.

    Attributes
    ----------
    log_claims : ndarray of shape (claims,)
        log(number + 1/2), natural; for a range, of the root of low x high.
    own_sd : ndarray of shape (claims,)
        For a range (ln high - ln low) / (2 x 1.2816): read as a central 80%; 0 for a single number.
    independent : ndarray of bool of shape (claims,)
        Whether the source belongs to neither side.
    sources : tuple of str
        Who said it.
    sides : tuple of str
        Of each claim: own, adversary or other.
    victims : str
        Whose losses they are: military, civilians, mixed or equipment.
    """

    log_claims: Vector
    own_sd: Vector
    independent: NDArray[np.bool_]
    sources: tuple[str, ...]
    sides: tuple[str, ...]
    victims: str = "military"


@dataclass(frozen=True)
class Taught:
    """What a rule of those in LEARNT takes from other wars: the factors of sides, and a constant log sd."""

    factors: Mapping[tuple[str, str], float]
    spread: float = SINGLE_SD


def forecast(name: str, said: Said, taught: Taught | None = None) -> Vector:
    """Forecast a count by one rule.

    Parameters
    ----------
    name : str
        One of NAMES.
    said : Said
        Without a claim every rule gives the prior, log C ~ N(log 1000, 3.45).
    taught : Taught, optional
        What the rules in LEARNT take from other wars, by `teach`; the others take no notice.

    Returns
    -------
    ndarray of shape (1000,)
        Counts in rising order, at least 0: the quantiles at (i + 1/2) / 1000. No chance enters.
    """
    if not said.log_claims.size:
        logs = _spread_normal(*PRIOR)
    elif name in LEARNT:
        taught = taught or Taught({})
        logs = _spread_normal(LEARNT[name](said, taught.factors), taught.spread)
    else:
        logs = _RULES[name](said)
    return np.maximum(np.exp(np.minimum(logs, LARGEST_LOG)) - 0.5, 0)


def teach(name: str, saids: Sequence[Said], established: Sequence[Established]) -> Taught:
    """Learn what a rule takes from rows with known outcomes, which must not be those of the war to be forecast.

    Parameters
    ----------
    name : str
        One of LEARNT.
    saids : sequence of Said
        Rows without a claim are passed over.
    established : sequence of Established
        The outcome of each.

    Returns
    -------
    Taught
        The factors of sides are means of log claim less log truth; by victims they lean on the side's own mean as if
        LEAN claims were at it. The spread is that of SPREADS with the least mean CRPS of a normal law of
        log(count + 1/2); .5 where there is no row.
    """
    rows = [(said, _to_logs(truth)) for said, truth in zip(saids, established, strict=True) if said.log_claims.size]
    factors = _learn_factors(rows) if name in BY_SIDE else {}
    gaps = [logs - LEARNT[name](said, factors) for said, logs in rows]
    if not gaps:
        return Taught(factors)
    costs = [np.mean(_score_normal(np.array(gaps), spread)) for spread in SPREADS]
    return Taught(factors, float(SPREADS[np.argmin(costs)]))


@cache
def _to_logs(truth: Established) -> Vector:
    return np.log(truth.points(POINTS) + 0.5)


def _learn_factors(rows: Sequence[tuple[Said, Vector]]) -> dict[tuple[str, str], float]:
    """Return the mean log factor of each side, under (side, ""), and of each side on each kind of victims."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for said, logs in rows:
        for side, claim in zip(said.sides, said.log_claims, strict=True):
            for victims in ("", said.victims):
                found[side, victims].append(float(claim - logs.mean()))
    mean = {key: float(np.mean(gaps)) for key, gaps in found.items()}
    return {
        (side, victims): mean[side, ""]
        if not victims
        else float((sum(gaps) + LEAN * mean[side, ""]) / (len(gaps) + LEAN))
        for (side, victims), gaps in found.items()
    }


def mend_by_side(said: Said, factors: Mapping[tuple[str, str], float]) -> float:
    """Return the mean of the log claims, each less the mean log factor of its side."""
    return average_claims(said) - float(np.mean([factors.get((side, ""), 0.0) for side in said.sides]))


def mend_by_victims(said: Said, factors: Mapping[tuple[str, str], float]) -> float:
    """Return the same with the factor of its side on victims of this kind, where any are known."""
    known = [factors.get((side, said.victims), factors.get((side, ""), 0.0)) for side in said.sides]
    return average_claims(said) - float(np.mean(known))


def average_claims(said: Said) -> float:
    """Return the mean of the log claims."""
    return float(np.mean(said.log_claims))


def take_median(said: Said) -> float:
    """Return the median of the independent log claims, or of all where none is independent."""
    chosen = said.log_claims[said.independent] if said.independent.any() else said.log_claims
    return float(np.median(chosen))


def forecast_naive_mean(said: Said) -> Vector:
    """Return log quantiles around the mean of log claims with its standard error; log sd .5 for a single claim."""
    count = said.log_claims.size
    error = np.std(said.log_claims, ddof=1) / np.sqrt(count) if count > 1 else SINGLE_SD
    return _spread_normal(average_claims(said), max(float(error), LEAST_ERROR))


def forecast_random_effects(said: Said) -> Vector:
    """Return log quantiles of the mean of a random-effects meta-analysis.

    Between-claim variance by moments (DerSimonian & Laird 1986, doi 10.1016/0197-2456(86)90046-2), the mean's error
    and its t law with n - 1 degrees of freedom by Hartung & Knapp 2001 (doi 10.1002/sim.791). Each claim has its own
    log sd, at least .1. This is the law of the mean that claims scatter around: a bias that they share is not in it.
    """
    y, count = said.log_claims, said.log_claims.size
    if count == 1:
        return _spread_normal(float(y[0]), SINGLE_SD)
    variance = np.maximum(said.own_sd, LEAST_CLAIM_SD) ** 2
    weight = 1 / variance
    heterogeneity = np.sum(weight * (y - np.average(y, weights=weight)) ** 2)
    scale = np.sum(weight) - np.sum(weight**2) / np.sum(weight)
    between = max((heterogeneity - (count - 1)) / scale, 0)
    weight = 1 / (variance + between)
    mean = np.average(y, weights=weight)
    error = np.sqrt(np.sum(weight * (y - mean) ** 2) / ((count - 1) * np.sum(weight)))
    return np.asarray(mean + max(error, LEAST_ERROR) * stdtrit(count - 1, _SHARES))


def forecast_linear_pool(said: Said) -> Vector:
    """Return log quantiles of the equal-weight mixture of normals at the claims; log sd .3 where a claim has none."""
    spread = np.where(said.own_sd > 0, said.own_sd, POINT_CLAIM_SD)
    ends = said.log_claims[:, None] + spread[:, None] * ndtri(_SHARES)
    low, high = ends.min(axis=0), ends.max(axis=0)  # a mixture's quantile lies among those of its parts
    for _ in range(60):
        middle = (low + high) / 2
        below = np.mean(ndtr((middle - said.log_claims[:, None]) / spread[:, None]), axis=0) < _SHARES
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def forecast_published(said: Said) -> Vector:
    """Return log quantiles of log C as Radford et al. 2023 (doi 10.1073/pnas.2307372120) treat one day's claims.

    log y = log C + b_source + e with log C ~ N(log 1000, 3.45), b ~ N(0, 1) one for each source, e ~ N(0, .5) one for
    each claim. The posterior is normal: a source of m claims counts as one observation with variance 1 + .25 / m.
    """
    names, spoken_by, counts = np.unique(said.sources, return_inverse=True, return_counts=True)
    means = np.bincount(spoken_by, said.log_claims, minlength=names.size) / counts
    precision = 1 / (SOURCE_SD**2 + CLAIM_SD**2 / counts)
    centre, sd = PRIOR
    total = sd**-2 + np.sum(precision)
    return _spread_normal(float((centre / sd**2 + np.sum(precision * means)) / total), float(total**-0.5))


def _spread_normal(mean: float, sd: float) -> Vector:
    return np.asarray(mean + sd * ndtri(_SHARES))


def _score_normal(gaps: Vector, sd: float) -> Vector:
    """Return the CRPS of a normal law at truths that lie `gaps` above its mean."""
    z = gaps / sd
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


Factors = Mapping[tuple[str, str], float]
LEARNT: dict[str, Callable[[Said, Factors], float]] = {
    "constant_spread": lambda said, _: average_claims(said),
    "independent_median": lambda said, _: take_median(said),
    "role_rule": mend_by_side,
    "role_victims_rule": mend_by_victims,
}
BY_SIDE = ("role_rule", "role_victims_rule")
_RULES: dict[str, Callable[[Said], Vector]] = {
    "naive_mean": forecast_naive_mean,
    "random_effects": forecast_random_effects,
    "linear_pool": forecast_linear_pool,
    "published": forecast_published,
}
