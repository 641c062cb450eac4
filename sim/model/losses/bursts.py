r"""Bursts: how the losses of single days lie about the smooth path.

For each outcome the days of which somebody speaks, the headline and the end cut the path into intervals. With m the
share of the smooth losses up to `end` that falls into each, and n the declared events on its days,

.. math:: X_i \sim \mathrm{Gamma}(\kappa m_i + n_i, 1), \qquad
          \mathrm{share}_i = X_i / \textstyle\sum_j X_j \text{ up to the end}, \quad X_i / \kappa \text{ after it},

and what was lost in an interval is the smooth total times its share. Up to the end these are the increments of a gamma
process given its sum, a Dirichlet law, so that a further cut changes nothing of the rest, and the total is untouched.
An outcome of which there is one interval and none beyond has no bursts.

The unknown of an interval is u with, a = max(kappa m + n, LEAST_SIZE) and v = u (1 + a)^(-1/4),

.. math:: \log X = \log(1 + a) + v - \log(1 + e^{-2 (v + 6)}) / (2 a),

a map with exactly that law. A share that is known sits where log X is v but for a constant, whatever a; one of a small
a of which nothing is known some six below, with a scale of one or two. The map must not turn where a share can still
be told: there one of a small a moves 1 / a times as fast as elsewhere, in steps that fit nothing else. (Turning at -3,
half as sharply, chains diverged in 5 of 12 fits of Kursk, to all its claims and to those of one January; at -6 in none.
Of six maps, turning at 3 to 6 below and one to three times as sharply, it had the fewest. The power 1/4 stands between
the scale of a known share and that of a free one: of 0, 1/4 and 1/2 it took the fewest steps on three cases.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sim.case.case import Case
from sim.case.observations import Observation
from sim.case.timeline import Timeline, effective_bin_days
from sim.model.density.bursts import POWER, SHARP, SHIFT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Key = tuple[str, str]

LEAST_SIZE = 1e-7  # of the gamma law of an interval: below, its share is zero to any number that a computer holds
LEAST_TOTAL = 1e-300  # an outcome of which nothing is lost has no shares
MAX_STEPS, FOUND = 100, 1e-10  # of Newton's method, and how short the last of them is
MAX_BURSTS = 1_000  # intervals of a case, from which running totals within a bin read the smooth path


@dataclass(frozen=True)
class Burst:
    """The intervals of one outcome.

    Attributes
    ----------
    series : int
        Among the series of `sim.model.state.run_state`.
    size : int
        Position in theta of kappa.
    first : int
        Of its unknowns among all.
    cuts : ndarray of int, shape (n + 1,)
        Positions of the intervals' edges among the cuts of the timeline, from 0 to the last.
    inside : int
        How many intervals lie before the end.
    events : ndarray, shape (n,)
        How many declared events lie in each.
    """

    series: int
    size: int
    first: int
    cuts: Ints
    inside: int
    events: Floats

    @property
    def count(self) -> int:
        """The number of intervals."""
        return len(self.cuts) - 1

    @property
    def group(self) -> Ints:
        """The interval of each segment of the timeline."""
        return np.repeat(np.arange(self.count), np.diff(self.cuts))


def cut_bursts(
    case: Case, observations: Iterable[Observation], timeline: Timeline, days: Iterable[dt.date]
) -> dict[Key, Ints]:
    """Return the edges of the intervals of each force and outcome that has bursts (see `Burst.cuts`).

    Parameters
    ----------
    case : Case
    observations : iterable of Observation
    timeline : Timeline
    days : iterable of date
        The headline's, and others that are asked for: cuts of all outcomes.
    """
    if not timeline.has_path:
        return {}
    end, last = timeline.evening(case.end), len(timeline.cuts) - 1
    always = {0, end, last, *(timeline.evening(day) for day in days)}
    keys = [(force, outcome) for force in case.forces for outcome in case.forces[force].outcomes]
    near: dict[Key, set[int]] = {key: set(always) for key in keys}
    far: dict[Key, set[int]] = {key: set() for key in keys}
    for item in observations:
        claim = item.claim
        edges = {timeline.evening(claim.as_of)}
        is_short = False
        if claim.since is not None:
            edges.add(timeline.morning(claim.since))
            is_short = (claim.as_of - claim.since).days < effective_bin_days(case)
        for key in _list_spoken(case, item):
            (near if is_short else far)[key] |= edges
    for key, day in _list_events(case):
        near[key] |= {timeline.morning(day), timeline.evening(day)}
    cuts = {key: near[key] | far[key] for key in keys}
    if sum(len(each) - 1 for each in cuts.values()) > MAX_BURSTS:
        bin_ends = np.searchsorted(timeline.bin, timeline.bin, side="right")
        cuts = {key: near[key] | {int(bin_ends[cut - 1]) for cut in far[key] if cut} for key in keys}
    return {key: np.array(sorted(each)) for key, each in cuts.items() if len(each) > 2 or end < last}


def _list_events(case: Case) -> Iterator[tuple[Key, dt.date]]:
    """Yield the declared events: force and outcome, and the day."""
    for key, force in case.forces.items():
        yield from (((key, event.outcome), event.on) for event in force.events)


def _list_spoken(case: Case, item: Observation) -> set[Key]:
    """Return the forces' outcomes of whose losses an observation speaks."""
    names = [(force, name) for force, name in item.topics if name != "deployed"]
    return {(force, part) for force, name in names for part in case.parts_of(force, name)}


def lay_out_bursts(
    case: Case, timeline: Timeline, cuts: Mapping[Key, Ints], series: Sequence[Key], sizes: Mapping[Key, int]
) -> tuple[Burst, ...]:
    """Lay out the bursts of a case; `sizes` says where each kappa stands in theta."""
    end, found, first = timeline.evening(case.end), [], 0
    days = [(key, timeline.evening(day)) for key, day in _list_events(case)]
    for key in (key for key in series if key in cuts):
        inside = int((cuts[key][1:] <= end).sum())
        events, _ = np.histogram([day for other, day in days if other == key], cuts[key] + 0.5)
        found.append(Burst(series.index(key), sizes[key], first, cuts[key], inside, events.astype(float)))
        first += found[-1].count
    return tuple(found)


def count_bursts(bursts: Collection[Burst]) -> int:
    """Return the number of intervals of all outcomes: one unknown each."""
    return sum(burst.count for burst in bursts)


def size_bursts(xp: Any, bursts: Sequence[Burst], smooth: Any, theta: Any) -> Any:
    """Return the size a of the gamma law of each interval, shape (..., intervals).

    Parameters
    ----------
    smooth : array, shape (..., series, S)
        Losses on each segment without bursts.
    """
    sizes = [
        xp.maximum(
            theta[..., burst.size, None] * _share_mass(xp, burst, smooth[..., burst.series, :]) + burst.events,
            LEAST_SIZE,
        )
        for burst in bursts
    ]
    return xp.concatenate(sizes, axis=-1)


def _share_mass(xp: Any, burst: Burst, smooth: Any) -> Any:
    """Return what falls into each interval of the smooth losses, over those up to the end."""
    mass = xp.dot(smooth, np.equal.outer(burst.group, np.arange(burst.count)).astype(float))
    total = xp.sum(mass[..., : burst.inside], axis=-1, keepdims=True)
    return mass / xp.maximum(total, LEAST_TOTAL)


def spread_losses(xp: Any, bursts: Sequence[Burst], smooth: Any, theta: Any, u: Any) -> Any:
    """Return the losses on each segment, shape (..., series, S), with bursts.

    Parameters
    ----------
    u : array, shape (..., intervals)
    """
    sizes, by_series = size_bursts(xp, bursts, smooth, theta), {burst.series: burst for burst in bursts}
    rows = []
    for number in range(max(by_series) + 1):
        row = smooth[..., number, :]
        if number in by_series:
            burst = by_series[number]
            own = slice(burst.first, burst.first + burst.count)
            log_x = log_gamma_variable(xp, sizes[..., own], u[..., own])
            inside, beyond = log_x[..., : burst.inside], log_x[..., burst.inside :]
            x = xp.exp(inside - xp.max(inside, axis=-1, keepdims=True))
            kappa = theta[..., burst.size, None]
            share = xp.concatenate([x / xp.sum(x, axis=-1, keepdims=True), xp.exp(beyond) / kappa], axis=-1)
            mass = _share_mass(xp, burst, row)
            factor = xp.where(mass > 0, share / xp.where(mass > 0, mass, 1.0), 0.0)
            row = row * xp.take(factor, burst.group, axis=-1)
        rows.append(row)
    done = xp.stack(rows, axis=-2)
    return xp.concatenate([done, smooth[..., len(rows) :, :]], axis=-2)


def log_gamma_variable(xp: Any, size: Any, u: Any) -> Any:
    """Return the log of a variable with the law Gamma(size, 1), as a smooth map of `u`."""
    v = u / (1 + size) ** POWER
    return xp.log1p(size) + v - _log1p_exp(xp, -SHARP * (v + SHIFT)) / (SHARP * size)


def log_burst_density(xp: Any, size: Any, u: Any) -> Any:
    """Return the log density of each u, with which the variable has exactly its law."""
    log_x = log_gamma_variable(xp, size, u)
    falling = 1 / (1 + xp.exp(SHARP * (u / (1 + size) ** POWER + SHIFT)))
    jacobian = xp.log1p(falling / size) - POWER * xp.log1p(size)
    return size * log_x - xp.exp(log_x) - xp.gammaln(size) + jacobian


def _log1p_exp(xp: Any, x: Any) -> Any:
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def draw_bursts(rng: np.random.Generator, size: Floats) -> Floats:
    """Draw the unknowns of intervals whose gamma laws have these sizes."""
    # Gamma(a) is Gamma(a + 1) times U^(1/a), whose log a computer holds however small a is.
    log_x = np.log(rng.gamma(size + 1)) + np.log(rng.uniform(size=size.shape)) / size
    # The map rises and bends down, at a slope of one at least: from below Newton's steps reach it, and pass it never.
    root = (1 + size) ** POWER
    v = log_x - np.log1p(size)
    for _ in range(MAX_STEPS):
        step = (log_x - log_gamma_variable(np, size, v * root)) / (1 + expit(-SHARP * (v + SHIFT)) / size)
        v += step
        if np.max(np.abs(step), initial=0.0) < FOUND:
            break
    return np.asarray(v * root)
