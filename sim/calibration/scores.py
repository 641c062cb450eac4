"""How good forecasts of known outcomes were: coverage, interval score and CRPS on log(count + 1/2), natural."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

LEVELS = (0.5, 0.8, 0.9, 0.95)
POINTS = 101  # of the truth's law, for means over it
RESAMPLES = 4000  # of the wars
WORLDS = 4000  # of a calibrated forecaster
WORST = 3  # wars left out of a mean, to show whether they alone make it
_CLIP = 2.5  # no normal score counts as further out: one gross miss must not set the correlation

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Established:
    """What is known today of a count: a triangular law over low..high with mode `value`, or a point.

    Attributes
    ----------
    low, value, high : float
        Counts, low <= value <= high. Where low = high the truth is a point.
    """

    low: float
    value: float
    high: float

    def cdf(self, x: float) -> float:
        """Return the probability that the truth is at most `x`."""
        if x >= self.high:
            return 1.0
        if x <= self.low:
            return 0.0
        if x <= self.value:
            return (x - self.low) ** 2 / ((self.high - self.low) * (self.value - self.low))
        return 1 - (self.high - x) ** 2 / ((self.high - self.low) * (self.high - self.value))

    def probability(self, lower: float, upper: float) -> float:
        """Return the probability that the truth lies in the closed interval lower..upper."""
        if self.low == self.high:
            return float(lower <= self.value <= upper)
        return self.cdf(upper) - self.cdf(lower)

    def points(self, n: int) -> Vector:
        """Return the quantiles at (i + 1/2) / n, rising: an array of shape (n,)."""
        shares = (np.arange(n) + 0.5) / n
        width = self.high - self.low
        rising = self.low + np.sqrt(shares * width * (self.value - self.low))
        falling = self.high - np.sqrt((1 - shares) * width * (self.high - self.value))
        return np.where(shares * width <= self.value - self.low, rising, falling)


@dataclass(frozen=True)
class Score:
    """How one forecast did.

    Attributes
    ----------
    median : float
        Of the draws; a count.
    intervals : dict of float to (float, float)
        Equal-tailed, on counts, by level.
    covered : dict of float to float
        The probability that the truth lies in each.
    interval_score_90 : float
        Width of the 90% interval plus 20 times what the truth misses it by (Gneiting & Raftery 2007,
        doi 10.1198/016214506000001437). Less is better; an interval from a third of the truth to three
        times it scores 2.2.
    crps : float
        Continuous ranked probability score. Less is better; a forecast of one number has its absolute error.
    abs_error : float
        Of the median.
    pit : float
        Share of the draws below the truth, ties by half: uniform over rows where the forecasts are calibrated.
    mass : dict of float to float
        Share of the draws in each interval, its ends among them. Of counts it is more than the level: a 50% interval
        of 3 to 5 men holds all three, and two thirds of the draws may be one of them.
    """

    median: float
    intervals: dict[float, tuple[float, float]]
    covered: dict[float, float]
    interval_score_90: float
    crps: float
    abs_error: float
    pit: float
    mass: dict[float, float]


def score_draws(established: Established, draws: Vector) -> Score:
    """Score draws of a count against what is established.

    Parameters
    ----------
    established : Established
    draws : ndarray of shape (n,)
        Counts, at least 0, in any order.

    Returns
    -------
    Score
        Coverage is exact; the other scores are means over the truth's quantiles at (i + 1/2) / 101.
    """
    counts = np.sort(draws)
    logs = _to_log(counts)
    truths = _to_log(established.points(POINTS))
    intervals = {level: _find_interval(counts, level) for level in LEVELS}
    median = float(np.median(counts))
    return Score(
        median,
        intervals,
        {level: established.probability(*edges) for level, edges in intervals.items()},
        float(np.mean(_score_interval(_to_log(np.array(intervals[0.9])), truths, 0.9))),
        float(np.mean(_score_ranks(logs, truths))),
        float(np.mean(np.abs(_to_log(np.array(median)) - truths))),
        float(np.mean(_place(logs, truths))),
        {level: _measure_mass(counts, edges) for level, edges in intervals.items()},
    )


def _to_log(counts: Vector) -> Vector:
    return np.log(counts + 0.5)


def _find_interval(counts: Vector, level: float) -> tuple[float, float]:
    low, high = np.quantile(counts, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _measure_mass(counts: Vector, edges: tuple[float, float]) -> float:
    """Return the share of counts, in rising order, in a closed interval."""
    first, end = np.searchsorted(counts, edges[0], "left"), np.searchsorted(counts, edges[1], "right")
    return float(end - first) / counts.size


def _score_interval(edges: Vector, truths: Vector, level: float) -> Vector:
    low, high = edges
    missed = np.maximum(low - truths, 0) + np.maximum(truths - high, 0)
    return np.asarray(high - low + 2 / (1 - level) * missed)


def _score_ranks(ordered: Vector, truths: Vector) -> Vector:
    """Return the CRPS of the draws' ECDF, E|X - y| - E|X - X'| / 2, at each truth y; draws in rising order."""
    count = ordered.size
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    below = np.searchsorted(ordered, truths)
    distance = (truths * (2 * below - count) + sums[-1] - 2 * sums[below]) / count
    half_spread = np.sum((2 * np.arange(count) - count + 1) * ordered) / count**2
    return np.asarray(distance - half_spread)


def _place(ordered: Vector, truths: Vector) -> Vector:
    """Return the share of the draws below each truth, ties by half; draws in rising order."""
    sides = [np.searchsorted(ordered, truths, side) for side in ("left", "right")]
    return np.sum(sides, axis=0) / (2 * ordered.size)


def summarise(scores: Sequence[Score], wars: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    """Sum up the scores of many rows.

    Parameters
    ----------
    scores : sequence of Score
        One for each row; at least one.
    wars : sequence of str
        The war of each row. Rows of one war are not independent, so wars are what is resampled.
    rng : Generator

    Returns
    -------
    dict
        `n` rows and `wars`; `coverage`, `interval_score_90`, `crps` and `median_abs_error`, each a mean over rows,
        with the mean of the wars' means under NAME_by_war and, under NAME_interval_80, the central 80% of the mean
        over rows when wars are drawn anew with replacement. Coverage is by level ("0.5" ... "0.95"), as is
        `coverage_band`: see `bound_coverage`.
    """
    covered = np.array([[score.covered[level] for level in LEVELS] for score in scores])
    errors = np.array([[score.interval_score_90, score.crps, score.abs_error] for score in scores])
    table = np.hstack([covered, errors])
    middle = table.mean(axis=0)
    by_war = _average_wars(table, wars).mean(axis=0)
    bounds = np.quantile(_resample_wars(table, wars, rng), [0.1, 0.9], axis=0).T
    mass = {level: [score.mass[level] for score in scores] for level in LEVELS}
    band = bound_coverage([score.pit for score in scores], wars, rng, mass)
    found: dict[str, Any] = {"n": len(scores), "wars": len(set(wars))}
    for suffix, values in (("", middle), ("_by_war", by_war), ("_interval_80", bounds)):
        listed = values.tolist()
        found[f"coverage{suffix}"] = {str(level): listed[column] for column, level in enumerate(LEVELS)}
        for column, name in enumerate(("interval_score_90", "crps", "median_abs_error"), len(LEVELS)):
            found[f"{name}{suffix}"] = listed[column]
    return found | {"coverage_band": {str(level): list(edges) for level, edges in band.items()}}


def bound_coverage(
    pits: Sequence[float], wars: Sequence[str], rng: np.random.Generator, mass: Mapping[float, Sequence[float]]
) -> dict[float, tuple[float, float]]:
    """Return the central 90% of the coverage that a perfectly calibrated forecaster of these rows would show.

    Such a forecaster's interval holds the truth as often as it holds a draw, which of counts is oftener than its level.

    The normal scores of the rows are standard normal with one common correlation within a war (a Gaussian copula).
    The correlation is estimated from the rows' own PITs: their normal scores, clipped to +-2.5, give the mean product
    over pairs of one war, over their mean square, so that intervals of the wrong width do not pass for clusters; a
    pair weighs 1 / (rows of its war - 1), so that one large war does not decide alone. It is kept within 0 to .95.

    Parameters
    ----------
    pits : sequence of float
        The PIT of each row.
    wars : sequence of str
    rng : Generator
    mass : mapping of float to sequence of float
        By level, of each row: see `Score.mass`.

    Returns
    -------
    dict of float to (float, float)
        By level. Coverage outside speaks of intervals of the wrong width or centre. Each truth is taken for a point:
        where truths are wide ranges the band is too wide. The correlation is estimated: with few wars of few rows
        the band is only roughly a 90% one.
    """
    correlation = estimate_correlation(pits, wars)
    _, war = np.unique(wars, return_inverse=True)
    shared = rng.standard_normal((WORLDS, war.max() + 1))[:, war]
    own = rng.standard_normal((WORLDS, war.size))
    distance = np.abs(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    found = {}
    for level in LEVELS:
        coverage = np.mean(distance <= ndtri((1 + np.asarray(mass[level])) / 2), axis=1)
        low, high = np.quantile(coverage, [0.05, 0.95])
        found[level] = (float(low), float(high))
    return found


def estimate_correlation(pits: Sequence[float], wars: Sequence[str]) -> float:
    """Return the correlation of the normal scores of two rows of one war, by moments, within 0 to .95."""
    scores = np.clip(ndtri(np.asarray(pits)), -_CLIP, _CLIP)
    _, war = np.unique(wars, return_inverse=True)
    rows = np.bincount(war)
    products = (np.bincount(war, scores) ** 2 - np.bincount(war, scores**2)) / 2
    many = rows > 1
    square = np.mean(scores**2)
    if not many.any() or square == 0:
        return 0.0
    product = np.sum(products[many] / (rows[many] - 1)) / np.sum(rows[many] / 2)
    return float(np.clip(product / square, 0, 0.95))


def compare(
    ours: Sequence[Score], theirs: Sequence[Score], wars: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Compare two forecasters of the same rows, in the same order.

    Parameters
    ----------
    ours, theirs : sequence of Score
    wars : sequence of str
        The war of each row.
    rng : Generator

    Returns
    -------
    dict
        `crps_difference` and `interval_score_90_difference`: the `mean` over rows of ours less theirs (below 0 where
        ours is better) and its `interval_80` when wars are drawn anew. For the interval score,
        `mean_without_worst_wars` leaves out the three wars where ours has the largest mean interval score: a sign
        that turns there rests on those wars. It is None where no war would remain.
    """
    table = np.array([[score.crps, score.interval_score_90] for score in ours])
    difference = table - np.array([[score.crps, score.interval_score_90] for score in theirs])
    means = difference.mean(axis=0).tolist()
    bounds = np.quantile(_resample_wars(difference, wars, rng), [0.1, 0.9], axis=0).T.tolist()
    crps, interval = ({"mean": mean, "interval_80": edges} for mean, edges in zip(means, bounds, strict=True))
    interval["mean_without_worst_wars"] = _leave_out_worst(table[:, 1], difference[:, 1], wars)
    return {"crps_difference": crps, "interval_score_90_difference": interval}


def _leave_out_worst(scores: Vector, values: Vector, wars: Sequence[str]) -> float | None:
    """Return the mean of values over the rows of all wars but those with the largest mean scores."""
    _, war = np.unique(wars, return_inverse=True)
    worst = np.argsort(_average_wars(scores[:, None], wars)[:, 0])[-WORST:]
    kept = values[~np.isin(war, worst)]
    return float(kept.mean()) if kept.size else None


def _sum_wars(table: Vector, wars: Sequence[str]) -> tuple[Vector, NDArray[np.int64]]:
    """Return the sums of a table's columns over each war, of shape (wars, columns), and the rows of each war."""
    _, war, rows = np.unique(wars, return_inverse=True, return_counts=True)
    sums = np.zeros((rows.size, table.shape[1]))
    np.add.at(sums, war, table)
    return sums, rows


def _average_wars(table: Vector, wars: Sequence[str]) -> Vector:
    sums, rows = _sum_wars(table, wars)
    return sums / rows[:, None]


def _resample_wars(table: Vector, wars: Sequence[str], rng: np.random.Generator) -> Vector:
    """Return the means of a table's columns over rows, with wars drawn anew: shape (RESAMPLES, columns)."""
    sums, rows = _sum_wars(table, wars)
    times = rng.multinomial(rows.size, np.full(rows.size, 1 / rows.size), size=RESAMPLES)
    return np.asarray((times @ sums) / (times @ rows)[:, None])
