"""Bursts, forward and backward: from smooth losses on segments to those with bursts (see `sim.model.losses.bursts`)."""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import (
    compiled,
    constant_of,
    copy,
    floats_of,
    index_of,
    inner,
    int_at,
    ints_of,
    reserve_zeros,
    size_of,
)
from sim.model.density.codes import Common, Constant, Field, SavedBurst, Size
from sim.model.density.terms import turn

# Of the map behind an interval: where it turns, how sharply, and the power of 1 + size that is the scale of its unknown
# (see `sim.model.losses.bursts`).
SHIFT, SHARP, POWER = 6.0, 2.0, 0.25
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@inner
def _log_gamma(x: float) -> tuple[float, float]:
    """Return the log of the gamma function at x > 0, and its derivative, the digamma function.

    Raised to 10 by recurrence, the log of the product of what is passed and its derivative taken off, from where
    Stirling's series is exact.
    """
    product, slope = 1.0, 0.0
    while x < 10.0:
        slope = slope * x + product
        product *= x
        x += 1
    log_x, over = math.log(x), 1 / x
    y = over * over
    rest = over * (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * 691 / 360360)))))
    fall = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * 691 / 32760)))))
    log_gamma = (x - 0.5) * log_x - x + _HALF_LOG_2PI + rest - math.log(product)
    return log_gamma, log_x - 0.5 * over - fall - slope / product


@compiled
def gamma_move(size: float, u: float) -> tuple[float, float, float, float, float, float]:
    """Return log X and its derivatives by u and size, and the log density of u with its derivatives by the same."""
    per_size, per_whole = 1 / size, 1 / (1 + size)
    root = math.sqrt(math.sqrt(per_whole))  # POWER is a quarter
    v = u * root
    softened, falling = turn(-SHARP * (v + SHIFT))
    log_size, fallen = math.log1p(size), softened * per_size / SHARP
    log_x, extra = log_size + v - fallen, falling * per_size
    one, d_v = 1 + extra, -POWER * v * per_whole
    d_one = -SHARP * (extra * (1 - falling)) / one
    x, (log_gamma, digamma) = math.exp(log_x), _log_gamma(size)
    value = size * log_x - x - log_gamma + math.log1p(extra) - POWER * log_size
    by_u, by_size = one * root, per_whole + one * d_v + fallen * per_size
    rest = d_one * d_v - extra * per_size / one - POWER * per_whole
    slope_u = (size - x) * by_u + d_one * root
    return log_x, by_u, by_size, value, slope_u, log_x + (size - x) * by_size - digamma + rest


@inner
def run_bursts(theta: Any, burst: Any, state: Any, smooth: Any, saved: Any, floats: Any, ints: Any) -> float:
    """Turn increments of the state into those with bursts, keep the smooth ones; return the log density of `burst`."""
    series, segments, value = ints_of(ints, Field.BURST_SERIES), size_of(ints, Size.SEGMENTS), 0.0
    for h in range(len(series)):
        base = series[h] * (segments + 1) + 1
        copy(state[base : base + segments], smooth[h])
        value += _share_out(h, theta, burst, smooth[h], saved, floats, ints)
        for i in range(int_at(ints, Field.BURST_START, h), int_at(ints, Field.BURST_START, h + 1)):
            mass = saved[SavedBurst.MASS, i]
            factor = saved[SavedBurst.SHARE, i] / mass if mass > 0 else 0.0
            for s in range(int_at(ints, Field.BURST_SINCE, i), int_at(ints, Field.BURST_UNTIL, i)):
                state[base + s] *= factor
    return value


@inner
def _share_out(h: int, theta: Any, burst: Any, smooth: Any, saved: Any, floats: Any, ints: Any) -> float:
    """Fill the shares of the intervals of one outcome, and what is saved of them (`codes.SavedBurst`)."""
    first, after = int_at(ints, Field.BURST_START, h), int_at(ints, Field.BURST_START, h + 1)
    end = first + int_at(ints, Field.BURST_INSIDE, h)
    kappa, least = theta[int_at(ints, Field.BURST_SIZE, h)], constant_of(floats, ints, Constant.LEAST_SIZE)
    total, value, top, norm = 0.0, 0.0, -math.inf, 0.0
    events = floats_of(floats, ints, Field.BURST_EVENTS)
    for i in range(first, after):
        mass = 0.0
        for s in range(int_at(ints, Field.BURST_SINCE, i), int_at(ints, Field.BURST_UNTIL, i)):
            mass += smooth[s]
        saved[SavedBurst.MASS, i] = mass
        if i < end:
            total += mass
    for i in range(first, after):
        saved[SavedBurst.MASS, i] /= max(total, constant_of(floats, ints, Constant.LEAST_TOTAL))
        size = kappa * saved[SavedBurst.MASS, i] + events[i]
        log_x, by_u, by_size, density, slope_u, slope_size = gamma_move(max(size, least), burst[i])
        value += density
        is_free = 1.0 if size > least else 0.0
        saved[SavedBurst.SHARE, i] = log_x
        saved[SavedBurst.MOVE_BY_U, i], saved[SavedBurst.SLOPE_BY_U, i] = by_u, slope_u
        saved[SavedBurst.MOVE_BY_SIZE, i], saved[SavedBurst.SLOPE_BY_SIZE, i] = is_free * by_size, is_free * slope_size
        if i < end:
            top = max(top, log_x)
    for i in range(first, after):
        saved[SavedBurst.SHARE, i] = math.exp(saved[SavedBurst.SHARE, i] - (top if i < end else 0.0))
        if i < end:
            norm += saved[SavedBurst.SHARE, i]
    for i in range(first, after):
        saved[SavedBurst.SHARE, i] /= norm if i < end else kappa
    return value


@inner
def back_bursts(
    d_state: Any, theta: Any, smooth: Any, saved: Any, d_theta: Any, d_burst: Any, work: Any, ints: Any
) -> None:
    """Carry the derivative by increments with bursts back to the smooth ones, in place, and to theta and `burst`."""
    series, segments = ints_of(ints, Field.BURST_SERIES), size_of(ints, Size.SEGMENTS)
    for h in range(len(series)):
        base = series[h] * (segments + 1) + 1
        d_increment = d_state[base : base + segments]
        first, after = int_at(ints, Field.BURST_START, h), int_at(ints, Field.BURST_START, h + 1)
        _back_shares_out(h, theta, smooth[h], saved, d_increment, d_theta, d_burst[first:after], work, ints)


@inner
def _back_shares_out(
    h: int, theta: Any, smooth: Any, saved: Any, d_increment: Any, d_theta: Any, d_burst: Any, work: Any, ints: Any
) -> None:
    first, after = int_at(ints, Field.BURST_START, h), int_at(ints, Field.BURST_START, h + 1)
    inside, at = int_at(ints, Field.BURST_INSIDE, h), int_at(ints, Field.BURST_SIZE, h)
    kappa, total, pull, back = theta[at], 0.0, 0.0, 0.0
    d_share, d_mass = reserve_zeros(work, after - first), reserve_zeros(work, after - first)
    for k in range(after - first):
        mass, since, until = _span(first + k, saved, ints)
        for s in range(since, until):
            d_share[k] += d_increment[s] * smooth[s] / mass if mass > 0 else 0.0
            total += smooth[s] if k < inside else 0.0
        pull += saved[SavedBurst.SHARE, first + k] * d_share[k] if k < inside else 0.0
    for k in range(after - first):
        i = first + k
        mass, share = saved[SavedBurst.MASS, i], saved[SavedBurst.SHARE, i]
        d_log_x = share * (d_share[k] - (pull if k < inside else 0.0))
        if k >= inside:
            d_theta[at] -= share * d_share[k] / kappa
        d_burst[k] = saved[SavedBurst.SLOPE_BY_U, i] + d_log_x * saved[SavedBurst.MOVE_BY_U, i]
        d_size = saved[SavedBurst.SLOPE_BY_SIZE, i] + d_log_x * saved[SavedBurst.MOVE_BY_SIZE, i]
        d_theta[at] += d_size * mass
        d_mass[k] = d_size * kappa - (share * d_share[k] / mass if mass > 0 else 0.0)
        back += d_mass[k] * mass
    for k in range(after - first):
        mass, since, until = _span(first + k, saved, ints)
        factor = saved[SavedBurst.SHARE, first + k] / mass if mass > 0 else 0.0
        for s in range(since, until):
            d_increment[s] = factor * d_increment[s] + (d_mass[k] - (back if k < inside else 0.0)) / total


@inner
def _span(i: int, saved: Any, ints: Any) -> tuple[float, int, int]:
    """Return an interval's share of the smooth losses, its first segment, and one past its last."""
    return saved[SavedBurst.MASS, i], int_at(ints, Field.BURST_SINCE, i), int_at(ints, Field.BURST_UNTIL, i)


@inner
def run_picks(theta: Any, state: Any, d_theta: Any, d_state: Any, floats: Any, ints: Any) -> float:
    """Return the log of how much likelier than at random the spells were told of, and add its derivatives."""
    starts, share_of_days = ints_of(ints, Field.PICK_START), floats_of(floats, ints, Field.PICK_SHARE)
    untils, sinces = ints_of(ints, Field.PICK_UNTIL), ints_of(ints, Field.PICK_SINCE)
    times = floats_of(floats, ints, Field.PICK_TIMES)
    totals, at, value = ints_of(ints, Field.PICK_TOTAL), index_of(ints, Common.PICK_BY_SIZE), 0.0
    for c in range(size_of(ints, Size.PICKS)):
        pi, lost, total = theta[at], 0.0, 0.0
        for v in range(starts[c], starts[c + 1]):
            lost += state[untils[v]] - state[sinces[v]]
            total += state[totals[v]]
        gain = lost / total / share_of_days[c]
        weight = 1 - pi + pi * gain
        value += times[c] * math.log(weight)
        d_theta[at] += times[c] * (gain - 1) / weight
        d = times[c] * pi / share_of_days[c] / weight / total
        for v in range(starts[c], starts[c + 1]):
            d_state[untils[v]] += d
            d_state[sinces[v]] -= d
            d_state[totals[v]] -= d * lost / total
    return value + _hear_silences(theta, state, d_theta, d_state, floats, ints)


@inner
def _hear_silences(theta: Any, state: Any, d_theta: Any, d_state: Any, floats: Any, ints: Any) -> float:
    """Return the log of how likely those who speak of a force's losses leave out its prisoners, as they do."""
    places, at, value = ints_of(ints, Field.SILENCE), index_of(ints, Common.SURRENDER_TOLD), 0.0
    least_sent = constant_of(floats, ints, Constant.LEAST_SENT)
    least_left = constant_of(floats, ints, Constant.LEAST_LEFT)
    for c in range(len(places) // 3):
        until, since, sent = places[3 * c], places[3 * c + 1], places[3 * c + 2]
        whole = max(state[sent], least_sent)
        share = (state[until] - state[since]) / whole
        log_left = math.log(max(1 - share, least_left))
        value += theta[at] * log_left
        d_theta[at] += log_left
        if 1 - share > least_left:
            d = theta[at] / (1 - share) / whole
            d_state[until] -= d
            d_state[since] += d
            d_state[sent] += d * share if state[sent] > least_sent else 0.0
    return value
