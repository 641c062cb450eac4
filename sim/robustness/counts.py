"""What a fit says of each count of the headline, kept in full enough that two fits can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betaincinv

from sim.contract.sensitivity import FittedCount
from sim.contract.values import LEVELS, round_figures
from sim.posterior.sample import Sample, by_chain
from sim.posterior.summary import intervals
from sim.sampler.diagnostics import count_weighted, mcse_quantile

QUANTILES = np.linspace(0.0025, 0.9975, 200)  # of the log of each count, kept of every fit

Key = tuple[str, str]  # force and quantity
Floats = NDArray[np.float64]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Edges = Annotated[list[Finite], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, kw_only=True)
class CountSummary(FittedCount):
    """A count as one fit has it.

    Attributes
    ----------
    log_mcse : float or None
        Monte Carlo error of the median of the log; None of weighted draws whose efficiency is not told.
    log_quantiles : list of float
        Of the log, at QUANTILES.
    """

    log_mcse: float | None
    log_quantiles: list[float]

    @property
    def key(self) -> Key:
        """Force and quantity."""
        return self.force, self.quantity

    @property
    def fitted(self) -> FittedCount:
        """The count as the report has it: without what the comparison needs, and no reader."""
        return FittedCount(**{field.name: getattr(self, field.name) for field in fields(FittedCount)})


@dataclass(frozen=True)
class FitSummary:
    """A fit of the case, or of a variant of it.

    Attributes
    ----------
    trusted : bool
    how : str
        `fit` of the base, `refit`, `psis` (the base's draws weighed), `same` (as the base is), or `power-scaled`.
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
    """Return the fit that `dataclasses.asdict` made an entry of, as JSON keeps it."""
    counts = []
    for each in entry["quantities"]:
        edges = {level: (low, high) for level, (low, high) in each["intervals"].items()}
        counts.append(CountSummary(**{**each, "intervals": edges}))
    return FitSummary(**{**entry, "quantities": counts})


def describe_counts(
    sample: Sample, chains: int, log_weights: Floats | None = None, efficiency: float | None = None
) -> list[CountSummary]:
    """Return what draws, weighted or not, say of each count of the headline.

    `efficiency` is that of draws that are weighted: how many effective ones each is, were their weights equal.
    """
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
                median=round_figures(max(middle, 0.0)),
                log_sd=round_figures(_spread(logs, weights)),
                log_mcse=_err(logs, chains, log_weights, efficiency),
                intervals=intervals(values) if weights is None else _read_intervals(np.exp(points) - 0.5),
                log_quantiles=[round_figures(point) for point in points],
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


def _read_intervals(points: Floats) -> dict[str, tuple[float, float]]:
    """Return the intervals of a count from its quantiles at QUANTILES."""
    found = {}
    for level in LEVELS:
        low, high = np.interp([(1 - level) / 2, (1 + level) / 2], QUANTILES, points)
        found[str(level)] = round_figures(max(low, 0.0)), round_figures(max(high, 0.0))
    return found


def _err(logs: Floats, chains: int, log_weights: Floats | None, efficiency: float | None) -> float | None:
    """Return the Monte Carlo error of the median; of weighted draws by two quantiles beside it."""
    if log_weights is None:
        return round_figures(mcse_quantile(by_chain(logs, chains)), 3)
    if efficiency is None:
        return None
    half = efficiency * count_weighted(log_weights) / 2
    beside = betaincinv(half + 1, half + 1, [0.1586553, 0.8413447])
    low, high = quantiles_of(logs, np.asarray(beside), np.exp(log_weights - log_weights.max()))
    return round_figures((high - low) / 2, 3)


def _spread(logs: Floats, weights: Floats | None) -> float:
    mean = np.average(logs, weights=weights)
    return float(np.sqrt(np.average((logs - mean) ** 2, weights=weights)))


class _KeptCount(TypedDict):
    force: str
    quantity: str
    log_quantiles: Annotated[list[Finite], Field(min_length=len(QUANTILES), max_length=len(QUANTILES))]
    median: Finite
    log_sd: Finite
    log_mcse: Finite | None
    intervals: dict[str, Edges]


class KeptFit(TypedDict):
    """A variant's fit as it is kept."""

    trusted: bool
    how: Literal["refit", "psis"]
    k: Finite | None
    quantities: list[_KeptCount]


def has_counts(base: FitSummary, _: Any, entry: dict[str, Any]) -> bool:
    """Whether a kept fit tells of the same counts as the base, at the same levels."""
    counts = [(each.force, each.quantity, each.intervals.keys()) for each in base.quantities]
    return [(each["force"], each["quantity"], each["intervals"].keys()) for each in entry["quantities"]] == counts
