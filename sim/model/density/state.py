"""The losses and arrivals of all forces: forward from the parameters and the walk, and backward.

The state is flat: a row for each outcome of personnel of each bounded force, then one for each outcome with a total of
its own, then one for those sent of each force with waves; in each row the cumulative count at every cut, from zero.
"""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import (
    copy,
    floats_of,
    index_of,
    inline,
    inner,
    int_at,
    ints_of,
    reserve,
    reserve_zeros,
    size_of,
)
from sim.model.density.codes import Common, Field, Saved, Size
from sim.model.density.paths import (
    back_bounded,
    back_normalise,
    back_rates,
    back_shares,
    back_take_prisoners,
    lose_bounded,
    normalise,
    run_rates,
    split_shares,
    take_prisoners,
)
from sim.model.density.terms import sigmoid, softplus


@inner
def find_free(ints: Any) -> int:
    """Return the first row of the state of those outcomes that have totals of their own."""
    return size_of(ints, Size.BOUNDED) * size_of(ints, Size.PERSONNEL)


@inner
def find_sized(ints: Any) -> int:
    """Return the first row of the state of those sent."""
    return find_free(ints) + size_of(ints, Size.FREE)


@inner
def count_cells(ints: Any) -> int:
    """Return the length of the state."""
    return (find_sized(ints) + size_of(ints, Size.SIZED)) * (size_of(ints, Size.SEGMENTS) + 1)


@inline
def list_lulls(ints: Any) -> Any:
    """Return where the depths of lulls stand in theta; none where all was lost on one day."""
    lulls = ints_of(ints, Field.LULLS)
    return lulls if index_of(ints, Common.PATH_STEP) >= 0 else lulls[:0]


@inner
def run_smooth(
    theta: Any, walk: Any, state: Any, arrivals: Any, saved: Any, paths: Any, work: Any, floats: Any, ints: Any
) -> None:
    """Fill the zeros of `state` with smooth losses on each segment, and with arrivals as their sums.

    And what is saved for the way back: arrivals by segment (onto zeros), bounded forces (`codes.Saved`), free paths.
    """
    forces, segments = size_of(ints, Size.FORCES), size_of(ints, Size.SEGMENTS)
    log_rate = reserve_zeros(work, forces * segments).reshape((forces, segments))
    lulls = list_lulls(ints)
    run_rates(
        theta, walk, ints_of(ints, Field.BIN), floats_of(floats, ints, Field.ROOT_DAYS),
        index_of(ints, Common.PATH_STEP), lulls, floats_of(floats, ints, Field.LULL_COVER), log_rate, work,
    )  # fmt: skip
    width, first_free, first_sized = segments + 1, find_free(ints), find_sized(ints)
    _arrive(theta, arrivals, state[first_sized * width :], floats, ints)
    for b in range(len(saved)):
        _lose_of_bounded(b, theta, log_rate, arrivals, saved[b], state, work, floats, ints)
    for k in range(len(paths)):
        _lose_free(k, theta, log_rate, paths[k], state[(first_free + k) * width :], floats, ints)


@inner
def sum_up(state: Any, held: Any, ints: Any) -> None:
    """Turn losses on each segment into the cumulative counts of the state, held below arrivals; mark where held."""
    width, count = size_of(ints, Size.SEGMENTS) + 1, size_of(ints, Size.PERSONNEL)
    first_sized, end = find_sized(ints), size_of(ints, Size.END)
    for row in range(first_sized):
        for c in range(1, width):
            state[row * width + c] += state[row * width + c - 1]
    for b in range(size_of(ints, Size.BOUNDED)):
        if not int_at(ints, Field.CAPPED, b):
            continue
        sent, total = (first_sized + int_at(ints, Field.BOUNDED_SIZED, b)) * width, 0.0
        for k in range(b * count, (b + 1) * count):
            total += state[k * width + end]
        for k in range(b * count, (b + 1) * count):
            share = state[k * width + end] / total
            for c in range(1, width):
                if c != end and state[k * width + c] > share * state[sent + c]:
                    state[k * width + c], held[k * width + c] = share * state[sent + c], 1.0


@inner
def back_sum_up(d_state: Any, state: Any, held: Any, ints: Any) -> None:
    """Carry the derivative by the state back to the losses on each segment, in place; of arrivals too."""
    width, count = size_of(ints, Size.SEGMENTS) + 1, size_of(ints, Size.PERSONNEL)
    first_sized, end = find_sized(ints), size_of(ints, Size.END)
    for b in range(size_of(ints, Size.BOUNDED)):
        if not int_at(ints, Field.CAPPED, b):
            continue
        sent, total = (first_sized + int_at(ints, Field.BOUNDED_SIZED, b)) * width, 0.0
        for k in range(b * count, (b + 1) * count):
            total += state[k * width + end]
        for k in range(b * count, (b + 1) * count):
            share, d_share = state[k * width + end] / total, 0.0
            for c in range(1, width):
                if held[k * width + c] > 0:
                    d_share += d_state[k * width + c] * state[sent + c]
                    d_state[sent + c] += share * d_state[k * width + c]
                    d_state[k * width + c] = 0.0
            d_state[k * width + end] += d_share / total
            for other in range(b * count, (b + 1) * count):
                d_state[other * width + end] -= d_share * share / total
    for row in range(len(d_state) // width):
        for c in range(width - 2, 0, -1):
            d_state[row * width + c] += d_state[row * width + c + 1]


@inner
def back_smooth(
    d_state: Any, theta: Any, walk: Any, arrivals: Any, saved: Any, paths: Any, d_theta: Any, d_walk: Any,
    work: Any, floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Carry the derivative by smooth losses and arrivals on each segment back to theta and the walk."""
    forces, segments, sized = size_of(ints, Size.FORCES), size_of(ints, Size.SEGMENTS), size_of(ints, Size.SIZED)
    width, first_free, first_sized = segments + 1, find_free(ints), find_sized(ints)
    d_log_rate = reserve_zeros(work, forces * segments).reshape((forces, segments))
    d_arrivals = reserve_zeros(work, sized * segments).reshape((sized, segments))
    d_path, lulls = reserve(work, segments), list_lulls(ints)
    for k in range(len(paths)):
        d_increment = d_state[(first_free + k) * width + 1 :]
        _back_free(k, theta, paths[k], d_increment, d_theta, d_log_rate, d_path, floats, ints)
    for d in range(sized):
        for s in range(segments):
            d_arrivals[d, s] += d_state[(first_sized + d) * width + 1 + s]
    for b in range(len(saved)):
        _back_of_bounded(b, theta, arrivals, saved[b], d_state, d_theta, d_log_rate, d_arrivals, work, floats, ints)
    _back_arrive(theta, d_arrivals, d_theta, floats, ints)
    back_rates(
        d_log_rate, theta, walk, ints_of(ints, Field.BIN), floats_of(floats, ints, Field.ROOT_DAYS),
        index_of(ints, Common.PATH_STEP), lulls, floats_of(floats, ints, Field.LULL_COVER), d_theta, d_walk, work,
    )  # fmt: skip


@inner
def _arrive(theta: Any, arrivals: Any, state: Any, floats: Any, ints: Any) -> None:
    """Fill arrivals on each segment, and their cumulative sums."""
    sized, segments = arrivals.shape
    waves, share_in = ints_of(ints, Field.WAVES), floats_of(floats, ints, Field.ARRIVALS)
    for w in range(len(waves)):
        size = math.exp(theta[waves[w]])
        for d in range(sized):
            for s in range(segments):
                arrivals[d, s] += size * share_in[(w * sized + d) * segments + s]
    for d in range(sized):
        for s in range(segments):
            state[d * (segments + 1) + s + 1] = state[d * (segments + 1) + s] + arrivals[d, s]


@inner
def _back_arrive(theta: Any, d_arrivals: Any, d_theta: Any, floats: Any, ints: Any) -> None:
    sized, segments = d_arrivals.shape
    waves, share_in = ints_of(ints, Field.WAVES), floats_of(floats, ints, Field.ARRIVALS)
    for w in range(len(waves)):
        total = 0.0
        for d in range(sized):
            for s in range(segments):
                total += d_arrivals[d, s] * share_in[(w * sized + d) * segments + s]
        d_theta[waves[w]] += total * math.exp(theta[waves[w]])


@inner
def _lose_of_bounded(
    b: int, theta: Any, log_rate: Any, arrivals: Any, saved: Any, state: Any, work: Any, floats: Any, ints: Any
) -> None:
    """Fill the losses of one bounded force by outcome, and what is saved of it (`codes.Saved`)."""
    segments, personnel = size_of(ints, Size.SEGMENTS), ints_of(ints, Field.PERSONNEL)
    days, position = floats_of(floats, ints, Field.DAYS), floats_of(floats, ints, Field.POSITION)
    inside, tilts = floats_of(floats, ints, Field.INSIDE), Saved.SPLIT + len(personnel)
    normalise(log_rate[int_at(ints, Field.BOUNDED_FORCE, b)], 0.0, position, days, inside, saved[Saved.PATH])
    hazard = softplus(theta[int_at(ints, Field.SHARE, b)])
    for s in range(segments):
        saved[Saved.HAZARD, s] = hazard * saved[Saved.PATH, s]
    arriving = arrivals[int_at(ints, Field.BOUNDED_SIZED, b)]
    lose_bounded(saved[Saved.HAZARD], arriving, saved[Saved.BEFORE], saved[Saved.LOSS])
    share, has = reserve(work, 4), floats_of(floats, ints, Field.HAS)[4 * b : 4 * b + 4]
    ratio, captured = int_at(ints, Field.RATIO, b), int_at(ints, Field.CAPTURED, b)
    split_shares(theta, has, ratio, captured, int_at(ints, Field.MISSING, b), share)
    for k in range(len(personnel)):
        tilt = int_at(ints, Field.BOUNDED_TILT, b * len(personnel) + k)
        for s in range(segments):
            saved[tilts + k, s] = math.exp(theta[tilt] * position[s]) if tilt >= 0 else 1.0
    if captured >= 0:
        copy(saved[tilts + find_captured(ints)], saved[Saved.PULL])
    for s in range(segments):
        total = 0.0
        for k in range(len(personnel)):
            total += share[personnel[k]] * saved[tilts + k, s]
        for k in range(len(personnel)):
            saved[tilts + k, s] /= total
            saved[Saved.SPLIT + k, s] = share[personnel[k]] * saved[tilts + k, s]
            base = (b * len(personnel) + k) * (segments + 1) + s
            state[base + 1] = saved[Saved.LOSS, s] * saved[Saved.SPLIT + k, s]
    if captured >= 0:
        standing = take_prisoners(saved[Saved.LOSS], arriving, inside, saved[Saved.PULL], saved[Saved.TAKEN])
        base = (b * len(personnel) + find_captured(ints)) * (segments + 1) + 1
        for s in range(segments):
            state[base + s] = theta[captured] * standing * saved[Saved.TAKEN, s]


@inner
def find_captured(ints: Any) -> int:
    """Return the index of the captured among the outcomes of personnel."""
    personnel, index = ints_of(ints, Field.PERSONNEL), 0
    for k in range(len(personnel)):
        if personnel[k] == 2:
            index = k
    return index


@inner
def _back_of_bounded(
    b: int, theta: Any, arrivals: Any, saved: Any, d_state: Any, d_theta: Any, d_log_rate: Any, d_arrivals: Any,
    work: Any, floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Carry the derivative by the losses of one bounded force back to theta, rates and arrivals."""
    segments, personnel = size_of(ints, Size.SEGMENTS), ints_of(ints, Field.PERSONNEL)
    position, inside = floats_of(floats, ints, Field.POSITION), floats_of(floats, ints, Field.INSIDE)
    has, tilts = floats_of(floats, ints, Field.HAS)[4 * b : 4 * b + 4], Saved.SPLIT + len(personnel)
    ratio, captured = int_at(ints, Field.RATIO, b), int_at(ints, Field.CAPTURED, b)
    missing = int_at(ints, Field.MISSING, b)
    share, d_share, d_loss = reserve(work, 4), reserve_zeros(work, 4), reserve(work, segments)
    drawn = split_shares(theta, has, ratio, captured, missing, share)
    for s in range(segments):
        mean = 0.0
        for k in range(len(personnel)):
            mean += d_state[(b * len(personnel) + k) * (segments + 1) + 1 + s] * saved[Saved.SPLIT + k, s]
        d_loss[s] = mean
        for k in range(len(personnel)):
            tilt = int_at(ints, Field.BOUNDED_TILT, b * len(personnel) + k)
            d = saved[Saved.LOSS, s] * (d_state[(b * len(personnel) + k) * (segments + 1) + 1 + s] - mean)
            d_share[personnel[k]] += d * saved[tilts + k, s]
            if tilt >= 0:
                d_theta[tilt] += d * saved[Saved.SPLIT + k, s] * position[s]
    back_shares(d_share, has, ratio, missing, drawn, d_theta)
    d_hazard, d_path = reserve(work, segments), reserve(work, segments)
    force = int_at(ints, Field.BOUNDED_SIZED, b)
    if captured >= 0:
        k = find_captured(ints)
        base = (b * len(personnel) + k) * (segments + 1) + 1
        d_captured, d_tilt = back_take_prisoners(
            d_state[base : base + segments], theta[captured], saved[Saved.LOSS], arrivals[force], inside, position,
            saved[Saved.PULL], saved[Saved.TAKEN], d_loss, d_arrivals[force],
        )  # fmt: skip
        d_theta[captured] += d_captured
        at = int_at(ints, Field.BOUNDED_TILT, b * len(personnel) + k)
        if at >= 0:
            d_theta[at] += d_tilt
    back_bounded(d_loss, saved[Saved.HAZARD], arrivals[force], saved[Saved.BEFORE], d_hazard, d_arrivals[force])
    at = int_at(ints, Field.SHARE, b)
    hazard, total = softplus(theta[at]), 0.0
    for s in range(segments):
        total += d_hazard[s] * saved[Saved.PATH, s]
        d_path[s] = d_hazard[s] * hazard
    d_theta[at] += total * sigmoid(theta[at])
    back_normalise(d_path, saved[Saved.PATH], inside, position, d_log_rate[int_at(ints, Field.BOUNDED_FORCE, b)])


@inner
def _count_free(k: int, theta: Any, ints: Any) -> float:
    """Return the total of one outcome that has one of its own, or is tied to one by wounded per killed."""
    ratio = int_at(ints, Field.FREE_RATIO, k)
    return math.exp(theta[int_at(ints, Field.FREE_TOTAL, k)] + (theta[ratio] if ratio >= 0 else 0.0))


@inner
def _lose_free(k: int, theta: Any, log_rate: Any, path: Any, state: Any, floats: Any, ints: Any) -> None:
    """Fill the losses of one outcome with a total of its own on each segment, and its path."""
    days, position = floats_of(floats, ints, Field.DAYS), floats_of(floats, ints, Field.POSITION)
    inside, at = floats_of(floats, ints, Field.INSIDE), int_at(ints, Field.FREE_TILT, k)
    tilt = theta[at] if at >= 0 else 0.0
    normalise(log_rate[int_at(ints, Field.FREE_FORCE, k)], tilt, position, days, inside, path)
    total = _count_free(k, theta, ints)
    for s in range(len(path)):
        state[s + 1] = total * path[s]


@inner
def _back_free(
    k: int, theta: Any, path: Any, d_increment: Any, d_theta: Any, d_log_rate: Any, d_path: Any, floats: Any, ints: Any
) -> None:
    """Carry the derivative by the counts of such an outcome back to theta and rates, by way of `d_path`."""
    position, inside = floats_of(floats, ints, Field.POSITION), floats_of(floats, ints, Field.INSIDE)
    count, d_total = _count_free(k, theta, ints), 0.0
    for s in range(len(path)):
        d_total += d_increment[s] * path[s]
        d_path[s] = d_increment[s] * count
    d_theta[int_at(ints, Field.FREE_TOTAL, k)] += d_total * count
    ratio, tilt = int_at(ints, Field.FREE_RATIO, k), int_at(ints, Field.FREE_TILT, k)
    if ratio >= 0:
        d_theta[ratio] += d_total * count
    d_tilt = back_normalise(d_path, path, inside, position, d_log_rate[int_at(ints, Field.FREE_FORCE, k)])
    if tilt >= 0:
        d_theta[tilt] += d_tilt
