"""What a fit says of each count of the headline, kept in full enough that two fits can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.posterior.sample import Sample, by_chain
from sim.posterior.summary import LEVELS, intervals, plain
from sim.sampler.diagnostics import mcse_quantile

QUANTILES = np.linspace(0.0025, 0.9975, 200)  # of the log of each count, kept of every fit

Key = tuple[str, str]  # force and quantity
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CountSummary:
    """A count as one fit has it.

    Attributes
    ----------
    force, quantity : str
    median : float
    log_sd : float
        Standard deviation of the log.
    log_mcse : float or None
        Monte Carlo error of the median of the log; None of weighted draws.
    intervals : dict of str to list
        Low and high by level.
    log_quantiles : list of float
        Of the log, at QUANTILES.
    """

    force: str
    quantity: str
    median: float
    log_sd: float
    log_mcse: float | None
    intervals: dict[str, list[float]]
    log_quantiles: list[float]

    @property
    def key(self) -> Key:
        """Force and quantity."""
        return self.force, self.quantity


@dataclass(frozen=True)
class FitSummary:
    """A fit of the case, or of a variant of it.

    Attributes
    ----------
    trusted : bool
    how : str
        `fit` of the base, `refit`, `psis` (reweighted without a claim), or `power-scaled`.
    k : float or None
        Pareto's k, where draws are reweighted.
    quantities : list of CountSummary
    """

    trusted: bool
    how: str
    k: float | None
    quantities: list[CountSummary]

    def find(self, key: Key) -> CountSummary:
        """Return what it says of one count."""
        return next(each for each in self.quantities if each.key == key)


def read_fit(entry: Mapping[str, Any]) -> FitSummary:
    """Return the fit that `dataclasses.asdict` made an entry of."""
    return FitSummary(**{**entry, "quantities": [CountSummary(**each) for each in entry["quantities"]]})


def describe_counts(sample: Sample, chains: int, log_weights: Floats | None = None) -> list[CountSummary]:
    """Return what draws, weighted or not, say of each count of the headline."""
    weights = None if log_weights is None else np.exp(log_weights - log_weights.max())
    found = []
    for (force, quantity), values in sample.headline.items():
        logs = np.log(values + 0.5)
        points = quantiles_of(logs, QUANTILES, weights)
        middle = np.exp(quantiles_of(logs, np.array([0.5]), weights)[0]) - 0.5
        found.append(
            CountSummary(
                force=force,
                quantity=quantity,
                median=plain(max(middle, 0.0)),
                log_sd=plain(_spread(logs, weights)),
                log_mcse=plain(mcse_quantile(by_chain(logs, chains)), 3) if weights is None else None,
                intervals=intervals(values) if weights is None else _read_intervals(np.exp(points) - 0.5),
                log_quantiles=[plain(point) for point in points],
            )
        )
    return found


def quantiles_of(values: Floats, shares: Floats, weights: Floats | None) -> Floats:
    """Return quantiles of draws, weighted where weights are given."""
    if weights is None:
        return np.asarray(np.quantile(values, shares))
    order = np.argsort(values)
    mass = np.cumsum(weights[order])
    return np.asarray(np.interp(shares * mass[-1], mass - weights[order] / 2, values[order]))


def _read_intervals(points: Floats) -> dict[str, list[float]]:
    """Return the intervals of a count from its quantiles at QUANTILES."""
    shares = {str(level): ((1 - level) / 2, (1 + level) / 2) for level in LEVELS}
    return {
        level: [plain(max(float(np.interp(edge, QUANTILES, points)), 0.0)) for edge in edges]
        for level, edges in shares.items()
    }


def _spread(logs: Floats, weights: Floats | None) -> float:
    mean = np.average(logs, weights=weights)
    return float(np.sqrt(np.average((logs - mean) ** 2, weights=weights)))
