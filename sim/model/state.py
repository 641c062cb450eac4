r"""The state of the forces: how many were sent and lost by the evening of each day.

**Path.** The log rate of losses is a random walk over bins, r_1 = 0, r_j = r_{j-1} + step sqrt(days) z_j, lowered by
delta on the days of a lull; G is the cumulative sum of exp(r) over days, normalised to one at `end`.

**Bounded.** The hazard H(t) = H(end) G(t), with 1 - exp(-H(end)) the lost share; those standing at the end of a segment
with hazard x and even arrivals A are

.. math:: S_j = e^{-x_j} S_{j-1} + A_j \varphi(x_j), \qquad \varphi(x) = (1 - e^{-x}) / x,

so losses never exceed those sent. Outcomes split each segment's loss. Of those who stand at the end a share is taken
prisoner, in time as the losses are: a garrison may lose few and give up whole. Where a force's only outcome is
`captured`, that is the loss.

**Unbounded.** C_k(t) = C_k(end) G_k(t).

Outcomes differ in time by a tilt of the log rate, d_k times the position of the day in the path.

**Bursts.** About this smooth path the losses of the days that are spoken of lie as `sim.model.losses.bursts` says.
Where they would run ahead of the arrivals of a bounded force, L_k(t) is held at q_k D(t), with q_k its share of what
the force lost by `end`, and D(t) those who arrived.

Functions take the array namespace first (`sim.model.arrays.NUMPY` or `PYTENSOR`); draws, where there are any, are the
leading axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.losses.bursts import size_bursts, spread_losses
from sim.model.losses.layout import StateLayout

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def pick(xp: Any, vector: Any, positions: Ints) -> Any:
    """Return elements of the last axis of `vector`, zero where the position is -1."""
    if (positions >= 0).all():
        return xp.take(vector, positions, axis=-1)
    if (positions < 0).all():  # the vector may have no elements
        return xp.sum(vector, axis=-1, keepdims=True) * np.zeros(len(positions))
    return xp.take(vector, np.maximum(positions, 0), axis=-1) * (positions >= 0)


def run_state(xp: Any, layout: StateLayout, theta: Any, walk: Any, burst: Any) -> Any:
    """Return cumulative losses and arrivals.

    Parameters
    ----------
    xp : namespace
    layout : StateLayout
    theta : array, shape (..., parameters)
    walk : array, shape (..., F x (bins - 1))
        Standard normals.
    burst : array, shape (..., intervals)
        See `sim.model.losses.bursts`.

    Returns
    -------
    array, shape (..., series, S + 1)
        Cumulative count at each cut, for each of `layout.series`.
    """
    losses = _lose_smoothly(xp, layout, theta, walk)
    if layout.bursts:
        losses = spread_losses(xp, layout.bursts, losses, theta, burst)
    cumulative = xp.cumsum(losses, axis=-1)
    if layout.sized:
        arrived = xp.cumsum(_arrive(xp, layout, theta), axis=-1)
        if layout.capped.any():
            cumulative = _cap_losses(xp, layout, cumulative, arrived)
        cumulative = xp.concatenate([cumulative, arrived], axis=-2)
    return xp.concatenate([xp.zeros_like(cumulative[..., :1]), cumulative], axis=-1)


def size_intervals(xp: Any, layout: StateLayout, theta: Any, walk: Any) -> Any:
    """Return the size of the gamma law of each interval of the bursts, shape (..., intervals)."""
    if not layout.bursts:
        return theta[..., :0]
    return size_bursts(xp, layout.bursts, _lose_smoothly(xp, layout, theta, walk), theta)


def _lose_smoothly(xp: Any, layout: StateLayout, theta: Any, walk: Any) -> Any:
    """Return losses on each segment without bursts, shape (..., series of losses, S)."""
    log_rate = _log_rates(xp, layout, theta, walk)
    pieces = []
    if layout.bounded:
        pieces.append(_lose_bounded(xp, layout, theta, log_rate))
    if layout.free:
        pieces.append(_lose_free(xp, layout, theta, log_rate))
    return xp.concatenate(pieces, axis=-2)


def _cap_losses(xp: Any, layout: StateLayout, cumulative: Any, arrived: Any) -> Any:
    """Hold the outcomes of bounded forces at their shares of those who have arrived, but for the last day's."""
    count, last = len(layout.personnel), layout.end - 1
    is_last = np.arange(len(layout.days)) == last
    pieces = []
    for number, force in enumerate(layout.bounded):
        block = cumulative[..., number * count : (number + 1) * count, :]
        if layout.capped[number]:
            at_end = block[..., last, None]
            here = layout.sized.index(force)
            most = at_end / xp.sum(at_end, axis=-2, keepdims=True) * arrived[..., here : here + 1, :]
            block = xp.where(is_last, block, xp.minimum(block, most))
        pieces.append(block)
    return xp.concatenate([*pieces, cumulative[..., len(layout.bounded) * count :, :]], axis=-2)


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
    out = loss[..., :, None, :] * _split_losses(xp, layout, theta)
    if _any(layout.captured):
        taken = _take_prisoners(xp, layout, theta, loss, arrivals)
        is_captured = np.array([name == "captured" for name in layout.personnel])[:, None]
        out = out + xp.where(is_captured, taken[..., :, None, :], 0.0)
    return out.reshape((*theta.shape[:-1], len(layout.bounded) * len(layout.personnel), len(layout.days)))


def _take_prisoners(xp: Any, layout: StateLayout, theta: Any, loss: Any, arrivals: Any) -> Any:
    """Return those taken prisoner on each segment: of the survivors a share, in time as the losses, tilted."""
    tilt = np.zeros(len(layout.bounded), dtype=np.int64) - 1
    if "captured" in layout.personnel:
        tilt = layout.bounded_tilt[:, layout.personnel.index("captured")]
    weight = loss * xp.exp(pick(xp, theta, tilt)[..., None] * layout.position) if _any(tilt) else loss
    weight = weight / xp.sum(weight * layout.inside, axis=-1, keepdims=True)
    standing = xp.sum((arrivals - loss) * layout.inside, axis=-1, keepdims=True)
    return pick(xp, theta, layout.captured)[..., None] * xp.maximum(standing, 0.0) * weight


def _split_losses(xp: Any, layout: StateLayout, theta: Any) -> Any:
    """Return the share of each outcome in the loss of each segment, shape (..., B, personnel, S)."""
    has = layout.has
    missing = xp.take(theta, np.maximum(layout.missing, 0), axis=-1) * has[:, 3] if _any(layout.missing) else 0.0
    base = theta[..., :1] * 0.0
    hurt = base + (1 - missing) * np.maximum(has[:, 0], has[:, 1])
    wounded = 1 / (1 + xp.exp(-pick(xp, theta, layout.ratio))) if _any(layout.ratio) else base
    both = has[:, 0] * has[:, 1]
    parts = {
        "killed": hurt * (both * (1 - wounded) + (1 - both) * has[:, 0]),
        "wounded": hurt * (both * wounded + (1 - both) * has[:, 1]),
        "captured": base + has[:, 2] * (layout.captured < 0),
        "missing": base + missing,
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
