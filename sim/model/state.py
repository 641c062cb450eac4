r"""The state of the forces: how many were sent and lost by the evening of each day.

**Path.** The log rate of losses is a random walk over bins, r_1 = 0, r_j = r_{j-1} + step sqrt(days) z_j, lowered by
delta on the days of a lull; G is the cumulative sum of exp(r) over days, normalised to one at `end`.

**Bounded.** The hazard H(t) = H(end) G(t), with 1 - exp(-H(end)) the lost share; those standing at the end of a segment
with hazard x and even arrivals A are

.. math:: S_j = e^{-x_j} S_{j-1} + A_j \varphi(x_j), \qquad \varphi(x) = (1 - e^{-x}) / x,

so losses never exceed those sent. Outcomes split each segment's loss.

**Unbounded.** C_k(t) = C_k(end) G_k(t).

Outcomes differ in time by a tilt of the log rate, d_k times the position of the day in the path.

Functions take the array namespace first (`sim.model.arrays.NUMPY` or `PYTENSOR`); draws, where there are any, are the
leading axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, Case
from sim.case.timeline import Timeline
from sim.model.parameters import Parameters, list_free_outcomes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StateLayout:
    """Indices and constants of the state of a case. F forces, B bounded ones, N free outcomes, W waves, S segments.

    Attributes
    ----------
    forces, bounded : tuple of str
        Keys of all forces, and of the bounded ones.
    free : tuple of (str, str)
        Force and outcome of each series with a total of its own, or tied to one by wounded per killed.
    bin, days, position, inside : arrays of shape (S,)
        See Timeline.
    root_days : ndarray, shape (bins - 1,)
        Root of the days from one bin's middle to the next.
    step : int or None
        Position in theta of the walk's step; None where all was lost on one day.
    lulls : ndarray of int, shape (L,), and lull_cover, shape (L, F, S)
        Positions in theta of the lulls' depths, and the segments that they cover.
    waves : ndarray of int, shape (W,), and arrivals, shape (W, B', S)
        Positions in theta of the log sizes, and the share of each wave that arrives in each segment, by force.
    """

    forces: tuple[str, ...]
    bounded: tuple[str, ...]
    personnel: tuple[str, ...]
    free: tuple[tuple[str, str], ...]
    sized: tuple[str, ...]
    bin: Ints
    days: Floats
    position: Floats
    inside: Floats
    root_days: Floats
    step: int | None
    lulls: Ints
    lull_cover: Floats
    waves: Ints
    arrivals: Floats
    share: Ints
    ratio: Ints
    captured: Ints
    missing: Ints
    has: Floats
    bounded_tilt: Ints
    free_total: Ints
    free_ratio: Ints
    free_tilt: Ints

    @property
    def walks(self) -> int:
        """The number of standard normals that drive the walks of all forces."""
        return len(self.forces) * len(self.root_days)

    def locate(self, force: str, quantity: str) -> int:
        """Return which series of `run_state` holds a base outcome, or `deployed`, of a force."""
        return self.series.index((force, quantity))

    @property
    def series(self) -> list[tuple[str, str]]:
        """Force and quantity of each series of `run_state`."""
        split = [(force, outcome) for force in self.bounded for outcome in self.personnel]
        return [*split, *self.free, *((force, "deployed") for force in self.sized)]


def lay_out_state(case: Case, timeline: Timeline, parameters: Parameters) -> StateLayout:
    """Lay out the state of a case.

    A position of -1 in theta stands for "none": the value is zero there.
    """
    forces = tuple(case.forces)
    bounded = tuple(key for key in forces if case.forces[key].bounded)
    used = {outcome for key in bounded for outcome in case.forces[key].outcomes}
    personnel = tuple(outcome for outcome in PERSONNEL if outcome in used)
    free = tuple(
        (key, outcome)
        for key in forces
        for outcome in case.forces[key].outcomes
        if not (case.forces[key].bounded and outcome in PERSONNEL)
    )
    sized = tuple(key for key in forces if case.forces[key].waves)

    def find(variable: str, *labels: str) -> int:
        names = {item.name for item in parameters.items}
        return parameters.index(variable, *labels) if ".".join([variable, *labels]) in names else -1

    own = {key: list_free_outcomes(case.forces[key].outcomes, case.forces[key].bounded) for key in forces}
    middles = np.cumsum(timeline.bin_days) - timeline.bin_days / 2
    lulls = [(f, n, lull) for f, key in enumerate(forces) for n, lull in enumerate(case.forces[key].lulls)]
    cover = np.zeros((len(lulls), len(forces), len(timeline.days)))
    for row, (f, _, lull) in enumerate(lulls):
        cover[row, f] = timeline.cover(lull.start, lull.end)
    waves = [(f, wave) for f, key in enumerate(sized) for wave in case.forces[key].waves]
    arrivals = np.zeros((len(waves), len(sized), len(timeline.days)))
    for row, (f, wave) in enumerate(waves):
        inside = timeline.cover(wave.start, wave.end) * timeline.days
        arrivals[row, f] = inside / ((wave.end - wave.start).days + 1)
    return StateLayout(
        forces=forces,
        bounded=bounded,
        personnel=personnel,
        free=free,
        sized=sized,
        bin=timeline.bin,
        days=timeline.days,
        position=timeline.position,
        inside=timeline.inside.astype(float),
        root_days=np.sqrt(np.diff(middles)),
        step=find("path.step") if timeline.has_path else None,
        lulls=_ints(find("lull", forces[f], str(n)) for f, n, _ in lulls),
        lull_cover=cover,
        waves=_ints(find("wave.size", sized[f], wave.name) for f, wave in waves),
        arrivals=arrivals,
        share=_ints(find("share", key) for key in bounded),
        ratio=_ints(find("wounded_per_killed", key) for key in bounded),
        captured=_ints(find("captured_share", key) for key in bounded),
        missing=_ints(find("missing_share", key) for key in bounded),
        has=np.array([[float(name in case.forces[key].outcomes) for name in PERSONNEL] for key in bounded]).reshape(
            -1, 4
        ),
        bounded_tilt=_ints(find("path.tilt", key, name) for key in bounded for name in personnel).reshape(
            len(bounded), len(personnel)
        ),
        free_total=_ints(find("total", key, name if name in own[key] else "killed") for key, name in free),
        free_ratio=_ints(-1 if name in own[key] else find("wounded_per_killed", key) for key, name in free),
        free_tilt=_ints(find("path.tilt", key, name) for key, name in free),
    )


def _ints(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)


def pick(xp: Any, vector: Any, positions: Ints) -> Any:
    """Return elements of the last axis of `vector`, zero where the position is -1."""
    if (positions >= 0).all():
        return xp.take(vector, positions, axis=-1)
    return xp.take(vector, np.maximum(positions, 0), axis=-1) * (positions >= 0)


def run_state(xp: Any, layout: StateLayout, theta: Any, walk: Any) -> Any:
    """Return cumulative losses and arrivals.

    Parameters
    ----------
    xp : namespace
    layout : StateLayout
    theta : array, shape (..., parameters)
    walk : array, shape (..., F x (bins - 1))
        Standard normals.

    Returns
    -------
    array, shape (..., series, S + 1)
        Cumulative count at each cut, for each of `layout.series`.
    """
    log_rate = _log_rates(xp, layout, theta, walk)
    pieces = []
    if layout.bounded:
        pieces.append(_lose_bounded(xp, layout, theta, log_rate))
    if layout.free:
        pieces.append(_lose_free(xp, layout, theta, log_rate))
    if layout.sized:
        pieces.append(_arrive(xp, layout, theta))
    increments = xp.concatenate(pieces, axis=-2)
    return xp.concatenate([xp.zeros_like(increments[..., :1]), xp.cumsum(increments, axis=-1)], axis=-1)


def _log_rates(xp: Any, layout: StateLayout, theta: Any, walk: Any) -> Any:
    """Return the log rate of each force on each segment, shape (..., F, S)."""
    shape, bins = (len(layout.forces), len(layout.root_days)), len(layout.root_days) + 1
    flat = theta[..., :1] * 0.0
    if layout.step is None or bins == 1:
        log_rate = flat[..., None] + np.zeros((shape[0], len(layout.days)))
    else:
        steps = theta[..., layout.step, None, None] * layout.root_days * walk.reshape((*walk.shape[:-1], *shape))
        levels = xp.concatenate([xp.zeros_like(steps[..., :1]), xp.cumsum(steps, axis=-1)], axis=-1)
        log_rate = xp.take(levels, layout.bin, axis=-1)
    if len(layout.lulls) and layout.step is not None:
        depth = xp.take(theta, layout.lulls, axis=-1)
        log_rate = log_rate - xp.sum(depth[..., :, None, None] * layout.lull_cover, axis=-3)
    return log_rate


def _normalise(xp: Any, layout: StateLayout, log_rate: Any) -> Any:
    """Return the increments of G on each segment: rate times days, over their sum to `end`."""
    mass = xp.exp(log_rate) * layout.days
    return mass / xp.sum(mass * layout.inside, axis=-1, keepdims=True)


def _arrive(xp: Any, layout: StateLayout, theta: Any) -> Any:
    """Return arrivals on each segment, shape (..., forces with waves, S)."""
    sizes = xp.exp(xp.take(theta, layout.waves, axis=-1))
    return xp.sum(sizes[..., :, None, None] * layout.arrivals, axis=-3)


def _lose_bounded(xp: Any, layout: StateLayout, theta: Any, log_rate: Any) -> Any:
    """Return losses on each segment by outcome, shape (..., B x personnel, S)."""
    rows = _positions(layout.forces, layout.bounded)
    x = softplus(xp, xp.take(theta, layout.share, axis=-1))[..., None] * _normalise(
        xp, layout, xp.take(log_rate, rows, axis=-2)
    )
    arrivals = xp.take(_arrive(xp, layout, theta), _positions(layout.sized, layout.bounded), axis=-2)
    safe = xp.maximum(x, 1e-5)
    kept = xp.where(x > 1e-5, -xp.expm1(-safe) / safe, 1 - x / 2)
    lost_on_arrival = xp.where(x > 1e-5, 1 - kept, x / 2)
    standing = xp.decay(x, arrivals * kept)
    before = xp.concatenate([xp.zeros_like(standing[..., :1]), standing[..., :-1]], axis=-1)
    loss = -xp.expm1(-x) * before + lost_on_arrival * arrivals
    split = _split_losses(xp, layout, theta)
    out = loss[..., :, None, :] * split
    return out.reshape((*theta.shape[:-1], len(layout.bounded) * len(layout.personnel), len(layout.days)))


def _split_losses(xp: Any, layout: StateLayout, theta: Any) -> Any:
    """Return the share of each outcome in the loss of each segment, shape (..., B, personnel, S)."""
    has = layout.has
    captured = xp.take(theta, np.maximum(layout.captured, 0), axis=-1) * has[:, 2] if _any(layout.captured) else 0.0
    missing = xp.take(theta, np.maximum(layout.missing, 0), axis=-1) * has[:, 3] if _any(layout.missing) else 0.0
    base = theta[..., :1] * 0.0
    hurt = base + (1 - captured) * (1 - missing) * np.maximum(has[:, 0], has[:, 1])
    wounded = 1 / (1 + xp.exp(-pick(xp, theta, layout.ratio))) if _any(layout.ratio) else base
    both = has[:, 0] * has[:, 1]
    parts = {
        "killed": hurt * (both * (1 - wounded) + (1 - both) * has[:, 0]),
        "wounded": hurt * (both * wounded + (1 - both) * has[:, 1]),
        "captured": base + captured * (1.0 + 0.0 * hurt),
        "missing": base + missing * (1 - captured),
    }
    share = xp.stack([parts[name] for name in layout.personnel], axis=-1)
    if _any(layout.bounded_tilt):
        tilt = pick(xp, theta, layout.bounded_tilt.ravel()).reshape((*theta.shape[:-1], *layout.bounded_tilt.shape))
        weight = share[..., None] * xp.exp(tilt[..., None] * layout.position)
    else:
        weight = share[..., None] * np.ones(len(layout.days))
    return weight / xp.sum(weight, axis=-2, keepdims=True)


def _lose_free(xp: Any, layout: StateLayout, theta: Any, log_rate: Any) -> Any:
    """Return losses on each segment of the outcomes with totals of their own, shape (..., N, S)."""
    rate = xp.take(log_rate, _positions(layout.forces, [force for force, _ in layout.free]), axis=-2)
    if _any(layout.free_tilt):
        rate = rate + pick(xp, theta, layout.free_tilt)[..., None] * layout.position
    return xp.exp(free_totals(xp, layout, theta))[..., None] * _normalise(xp, layout, rate)


def free_totals(xp: Any, layout: StateLayout, theta: Any) -> Any:
    """Return the log count lost by `end` of each of `layout.free`, shape (..., N)."""
    total = xp.take(theta, layout.free_total, axis=-1)
    return total + pick(xp, theta, layout.free_ratio) if _any(layout.free_ratio) else total


def _any(positions: Ints) -> bool:
    return bool((positions >= 0).any())


def _positions(names: Sequence[str], wanted: Sequence[str]) -> Ints:
    return np.array([names.index(name) for name in wanted], dtype=np.int64)


def softplus(xp: Any, x: Any) -> Any:
    """Return log(1 + exp(x))."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))
