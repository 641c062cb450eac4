"""Where the uncertainty of a count comes from: its posterior variance, shared out among what it hangs on.

A source's number is the truth times its bias, its noise and wording, and the growth between its day and the headline's;
so the log of the count is, draw by draw, nearly linear in the realised biases, errors, growth, split of the losses and
size of the force. How much of its variance each of these groups explains depends on which others are known already; the
mean over all orders is the Shapley effect (Owen and Prieur 2017, doi 10.1137/16M1097717; for a linear regression, the
LMG measure of Groemping 2007, doi 10.1198/000313007X188252). The shares add up to one with what is not explained.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, STATES
from sim.case.observations import Observation
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import expect
from sim.posterior.sample import Sample

BIAS, NOISE, PATH, SPLIT, SIZE, REST = "bias", "noise and wording", "path", "split of the losses", "size", "rest"
MOST_DAYS = 12  # of claims, whose growth to the headline's day is looked at
Floats = NDArray[np.float64]
Key = tuple[str, str]


def share_variance(sample: Sample, errors: dict[Key, Floats], key: Key) -> dict[str, float]:
    """Return the share of the variance of the log of a count that each group explains.

    Parameters
    ----------
    sample : Sample
        Of the posterior.
    errors : dict
        From `realise_errors`.
    key : (force, quantity)

    Returns
    -------
    dict of str to float
        Within 0 to 1, adding up to 1; empty for a count whose 90% interval is a point.
    """
    force, quantity = key
    target = _log(sample.count(force, quantity))
    if np.ptp(np.quantile(sample.headline[key], [0.05, 0.95])) == 0:
        return {}
    groups = {
        BIAS: [values for (_, of, _), values in sample.biases.items() if of == force],
        NOISE: [values for (of, _), values in errors.items() if of == force],
        PATH: list(_list_growth(sample, force, quantity)),
        SPLIT: list(_list_splits(sample, force)),
        SIZE: [] if quantity in STATES else _list_sizes(sample, force),
    }
    columns = {name: _stack(values) for name, values in groups.items()}
    return share_out(target, {name: values for name, values in columns.items() if values.shape[1]})


def realise_errors(sample: Sample) -> dict[Key, Floats]:
    """Return the mean error of each source's claims on each quantity: what it said less its belief, shape (draws,).

    By (force, "source quantity"). The error holds noise, wording and rounding.
    """
    beliefs = sample.design.beliefs
    found: dict[Key, list[Floats]] = defaultdict(list)
    theta = sample.unknowns["theta"]
    centre = map_draws(
        lambda block: expect(NUMPY, beliefs, theta[block], sample.flat_state[block], sample.terms[block]), len(theta)
    )
    mixed = {number for group in beliefs.mixtures for number in group}
    for number, row in enumerate(beliefs.rows):
        item = row.observation
        said = None if item is None else _number(item)
        if item is None or said is None:
            continue
        error = said - centre[:, number]
        if row.reading in mixed:  # of several readings of a role the one that holds in the draw
            error = np.where(sample.readings[:, row.reading], error, 0.0)
        name = f"{item.source} {item.claim.quantity} {item.claim.unit} {item.topics[1:]}"
        for force in dict.fromkeys(force for force, _ in item.topics):
            found[force, name].append(error)
    return {key: np.mean(values, axis=0) for key, values in found.items()}


def _number(item: Observation) -> float | None:
    """Return the number said on the row's scale; of a cell its middle, and none where it is open."""
    if item.form != "cell":
        return item.point
    return (item.lower + item.upper) / 2 if math.isfinite(item.lower) and math.isfinite(item.upper) else None


def _list_growth(sample: Sample, force: str, quantity: str) -> list[Floats]:
    """Return the log growth of a count from the days of the claims to the headline's day."""
    as_of = sample.design.as_of
    days: set[dt.date] = {
        item.claim.as_of
        for item in sample.design.evidence.observations
        if item.claim.force == force and item.claim.quantity not in STATES and item.claim.as_of != as_of
    }
    ordered = sorted(days)
    chosen = ordered[:: max(1, -(-len(ordered) // MOST_DAYS))]
    now = _log(sample.count(force, quantity))
    return [now - _log(sample.count(force, quantity, day)) for day in chosen]


def _list_splits(sample: Sample, force: str) -> list[Floats]:
    """Return the log share of each outcome in the personnel lost."""
    people = [outcome for outcome in sample.design.case.forces[force].outcomes if outcome in PERSONNEL]
    counts = [sample.count(force, outcome) for outcome in people]
    total = _log(np.asarray(sum(counts)))
    return [_log(count) - total for count in counts] if len(counts) > 1 else []


def _list_sizes(sample: Sample, force: str) -> list[Floats]:
    case = sample.design.case.forces[force]
    return [_log(sample.count(force, "deployed"))] if case.bounded or case.waves else []


def _log(count: Floats) -> Floats:
    """Return the log of a count as reports and scores take it: of zero it is that of one half."""
    return np.asarray(np.log(count + 0.5))


def _stack(values: list[Floats]) -> Floats:
    kept = [each for each in values if np.ptp(each) > 0]
    return np.column_stack(kept) if kept else np.zeros((0, 0))


def share_out(target: Floats, groups: dict[str, Floats]) -> dict[str, float]:
    """Return Shapley's shares of the variance that groups of columns explain of a target by linear regression.

    Parameters
    ----------
    target : ndarray, shape (n,)
    groups : dict of str to ndarray, shape (n, columns)
    """
    names = list(groups)
    if not names:
        return {REST: 1.0}
    joined = np.column_stack([*groups.values(), target])
    joined = (joined - joined.mean(axis=0)) / joined.std(axis=0)
    correlation = joined.T @ joined / len(joined)
    ends = np.cumsum([0, *(values.shape[1] for values in groups.values())])
    columns = {name: list(range(ends[k], ends[k + 1])) for k, name in enumerate(names)}

    def explained(chosen: tuple[str, ...]) -> float:
        at = [column for name in chosen for column in columns[name]]
        if not at:
            return 0.0
        to_target = correlation[at, -1]
        # Columns may be nearly tied: a ridge of a millionth stands in for a pseudo-inverse, at its speed.
        inner = correlation[np.ix_(at, at)] + 1e-6 * np.eye(len(at))
        return float(np.clip(to_target @ np.linalg.solve(inner, to_target), 0.0, 1.0))

    known = {chosen: explained(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)}
    shares = {}
    for name in names:
        others = [each for each in names if each != name]
        shares[name] = 0.0
        for size in range(len(names)):
            weight = 1 / (len(names) * math.comb(len(others), size))
            for chosen in combinations(others, size):
                with_it = tuple(each for each in names if each in chosen or each == name)
                shares[name] += weight * max(known[with_it] - known[chosen], 0.0)
    total = sum(shares.values())
    scale = 1 / total if total > 1 else 1.0
    return {**{name: value * scale for name, value in shares.items()}, REST: max(1 - total, 0.0)}
