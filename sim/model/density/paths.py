"""The steps of the state, each forward and backward: rates, paths, hazards, shares of outcomes."""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import inner, reserve_zeros
from sim.model.density.terms import sigmoid


@inner
def run_rates(
    theta: Any, walk: Any, bins: Any, root_days: Any, step: int, lulls: Any, cover: Any, log_rate: Any, work: Any
) -> None:
    """Add the log rate of each force on each segment to the zeros of `log_rate`."""
    forces, segments = log_rate.shape
    steps = len(root_days)
    level = reserve_zeros(work, steps + 1)
    for f in range(forces):
        if step >= 0 and steps > 0:
            for j in range(steps):
                level[j + 1] = level[j] + theta[step] * root_days[j] * walk[f * steps + j]
            for s in range(segments):
                log_rate[f, s] = level[bins[s]]
        for k in range(len(lulls)):
            for s in range(segments):
                log_rate[f, s] -= theta[lulls[k]] * cover[(k * forces + f) * segments + s]


@inner
def back_rates(
    d_log_rate: Any, theta: Any, walk: Any, bins: Any, root_days: Any, step: int, lulls: Any, cover: Any,
    d_theta: Any, d_walk: Any, work: Any,
) -> None:  # fmt: skip
    """Carry the derivative by log rates back to theta and the walk."""
    forces, segments = d_log_rate.shape
    steps = len(root_days)
    d_level = reserve_zeros(work, steps + 1)
    for f in range(forces):
        for k in range(len(lulls)):
            for s in range(segments):
                d_theta[lulls[k]] -= d_log_rate[f, s] * cover[(k * forces + f) * segments + s]
        if step < 0 or steps == 0:
            continue
        d_level[:] = 0.0
        for s in range(segments):
            d_level[bins[s]] += d_log_rate[f, s]
        later = 0.0
        for j in range(steps - 1, -1, -1):
            later += d_level[j + 1]
            d_walk[f * steps + j] += theta[step] * root_days[j] * later
            d_theta[step] += root_days[j] * walk[f * steps + j] * later


@inner
def normalise(log_rate: Any, tilt: float, position: Any, days: Any, inside: Any, g: Any) -> None:
    """Fill `g` with the increments of the path: rate times days over their sum to `end`."""
    total = 0.0
    for s in range(len(days)):
        g[s] = math.exp(log_rate[s] + tilt * position[s]) * days[s]
        total += g[s] * inside[s]
    for s in range(len(days)):
        g[s] /= total


@inner
def back_normalise(d_g: Any, g: Any, inside: Any, position: Any, d_log_rate: Any) -> float:
    """Carry the derivative by the path's increments back to the log rates; return that by the tilt."""
    total = 0.0
    for s in range(len(g)):
        total += d_g[s] * g[s]
    d_tilt = 0.0
    for s in range(len(g)):
        d = g[s] * (d_g[s] - inside[s] * total)
        d_log_rate[s] += d
        d_tilt += d * position[s]
    return d_tilt


@inner
def _keep(x: float) -> tuple[float, float, float]:
    """Return 1 - exp(-x), that over x, phi(x), and the derivative of phi."""
    gone = -math.expm1(-x)
    if x < 1e-5:
        return gone, 1 - x / 2, -0.5 + x / 3
    phi = gone / x
    return gone, phi, -0.5 + x / 3 - x * x / 8 + x**3 / 30 if x < 1e-2 else (1 - gone - phi) / x


@inner
def lose_bounded(x: Any, arrivals: Any, before: Any, loss: Any) -> None:
    """Fill those standing before each segment, and its losses, from its hazard and arrivals."""
    standing = 0.0
    for s in range(len(x)):
        before[s] = standing
        gone, phi, _ = _keep(x[s])
        lost_on_arrival = 1 - phi if x[s] > 1e-5 else x[s] / 2
        loss[s] = gone * standing + lost_on_arrival * arrivals[s]
        standing = (1 - gone) * standing + phi * arrivals[s]


@inner
def back_bounded(d_loss: Any, x: Any, arrivals: Any, before: Any, d_x: Any, d_arrivals: Any) -> None:
    """Carry the derivative by losses back to hazards and arrivals."""
    d_standing = 0.0
    for s in range(len(x) - 1, -1, -1):
        gone, phi, d_phi = _keep(x[s])
        d_x[s] = (d_standing - d_loss[s]) * (-(1 - gone) * before[s] + d_phi * arrivals[s])
        d_arrivals[s] += d_standing * phi + d_loss[s] * (1 - phi)
        d_standing += (d_loss[s] - d_standing) * gone


@inner
def split_shares(theta: Any, has: Any, ratio: int, captured: int, missing: int, share: Any) -> tuple[float, float]:
    """Fill the shares of killed, wounded, captured, missing before tilting; return the wounded's and the missing's.

    The captured have none where they are a share of the survivors.
    """
    m = theta[missing] * has[3] if missing >= 0 else 0.0
    w = sigmoid(theta[ratio]) if ratio >= 0 else 0.5
    both = has[0] * has[1]
    hurt = (1 - m) * max(has[0], has[1])
    share[0] = hurt * (both * (1 - w) + (1 - both) * has[0])
    share[1] = hurt * (both * w + (1 - both) * has[1])
    share[2] = has[2] if captured < 0 else 0.0
    share[3] = m
    return w, m


@inner
def back_shares(d_share: Any, has: Any, ratio: int, missing: int, drawn: Any, d_theta: Any) -> None:
    """Carry the derivative by the shares back to theta."""
    w, m = drawn
    both = has[0] * has[1]
    top = max(has[0], has[1])
    hurt = (1 - m) * top
    parts = d_share[0] * (both * (1 - w) + (1 - both) * has[0]) + d_share[1] * (both * w + (1 - both) * has[1])
    if ratio >= 0:
        d_theta[ratio] += hurt * both * (d_share[1] - d_share[0]) * w * (1 - w)
    if missing >= 0:
        d_theta[missing] += has[3] * (d_share[3] - top * parts)


@inner
def take_prisoners(loss: Any, arrivals: Any, inside: Any, pull: Any, taken: Any) -> float:
    """Fill `taken` with who is taken on each segment, over all until the end; return those standing at the end."""
    total, standing = 0.0, 0.0
    for s in range(len(loss)):
        taken[s] = loss[s] * pull[s]
        total += taken[s] * inside[s]
        standing += (arrivals[s] - loss[s]) * inside[s]
    for s in range(len(loss)):
        taken[s] /= total
    return max(standing, 0.0)


@inner
def back_take_prisoners(
    d_count: Any, share: float, loss: Any, arrivals: Any, inside: Any, position: Any, pull: Any, taken: Any,
    d_loss: Any, d_arrivals: Any,
) -> tuple[float, float]:  # fmt: skip
    """Carry the derivative by who was taken on each segment back to losses and arrivals; return those by share, tilt.

    `d_count` is that by the count of each segment, share x standing x taken.
    """
    mean, total, standing, d_tilt = 0.0, 0.0, 0.0, 0.0
    for s in range(len(loss)):
        mean += d_count[s] * taken[s]
        total += inside[s] * loss[s] * pull[s]
        standing += (arrivals[s] - loss[s]) * inside[s]
    standing = max(standing, 0.0)
    for s in range(len(loss)):
        d = share * standing * (d_count[s] - inside[s] * mean)
        d_tilt += d * taken[s] * position[s]
        d_loss[s] += d * pull[s] / total
        if standing > 0:
            d_loss[s] -= share * mean * inside[s]
            d_arrivals[s] += share * mean * inside[s]
    return standing * mean, d_tilt
