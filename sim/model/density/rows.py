"""The rows of the likelihood: each claim under each reading of its source's role, from the state and the biases.

The last rows are no claims but the priors of statements' errors, one for each reading (`Field.IS_PRIOR`): such a row
has no parts, so that its belief is zero on the log scale, and its number is the error itself.
"""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import (
    constant_of,
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
from sim.model.density.codes import Common, Constant, Field, Size, Slope
from sim.model.density.memory import back_given
from sim.model.density.tiles import weigh_rows

_SLOPES = len(Slope)
_EFFECTS = 3  # kinds of them, each with a field and a scale: of a role in this war, a source, a source by outcome


@inner
def run_rows(
    theta: Any, effects: Any, statement: Any, state: Any, d_theta: Any, d_effects: Any, d_statement: Any, d_state: Any,
    work: Any, floats: Any, ints: Any,
) -> float:  # fmt: skip
    """Return the log likelihood of all rows, readings of roles averaged, and add its derivatives."""
    terms, rows, readings = size_of(ints, Size.TERMS), size_of(ints, Size.ROWS), size_of(ints, Size.READINGS)
    lift, d_bias = reserve(work, terms), reserve_zeros(work, terms)
    for t in range(terms):
        lift[t] = math.exp(add_bias(t, theta, effects, ints))
    parts, whole_parts = _parts_of(ints, Field.TOP_START), _parts_of(ints, Field.WHOLE_START)
    least = constant_of(floats, ints, Constant.LEAST_BELIEF)
    tops, wholes, known, log_tops = (
        reserve(work, rows), reserve(work, rows), reserve(work, rows), reserve(work, rows),
    )  # fmt: skip
    _believe(parts, state, lift, least, tops)
    _believe(whole_parts, state, lift, least, wholes)
    _fall_short(theta, tops, known, log_tops, floats, ints)
    slopes = reserve(work, _SLOPES * rows).reshape((_SLOPES, rows))
    by_reading, weight = reserve_zeros(work, readings), reserve(work, readings)
    weigh_rows(theta, statement, tops, wholes, log_tops, by_reading, slopes, work, floats, ints)
    value = _mix_readings(by_reading, weight, floats, ints)
    _back_rows(theta, statement, tops, weight, slopes, d_theta, d_statement, floats, ints)
    _back_short(tops, known, slopes[Slope.TOP], d_theta, floats, ints)
    _back_believe(parts, slopes[Slope.TOP], state, lift, d_state, d_bias)
    _back_believe(whole_parts, slopes[Slope.WHOLE], state, lift, d_state, d_bias)
    for t in range(terms):
        back_bias(t, d_bias[t], theta, effects, d_theta, d_effects, ints)
    return value


@inner
def add_bias(t: int, theta: Any, effects: Any, ints: Any) -> float:
    """Return the log bias of a term: the role's mean, and the effects times its spread."""
    role, spread = int_at(ints, Field.ROLE, t), int_at(ints, Field.SPREAD, t)
    total = theta[role] if role >= 0 else 0.0
    return total + _add_effects(t, theta, effects, ints) * (theta[spread] if spread >= 0 else 1.0)


@inner
def _add_effects(t: int, theta: Any, effects: Any, ints: Any) -> float:
    """Return the sum of a term's effects, each times its scale."""
    total = 0.0
    for k in range(_EFFECTS):
        effect = int_at(ints, Field.IN_WAR + k, t)
        if effect >= 0:
            total += theta[index_of(ints, Common.SCALE_ROLE_IN_WAR + k)] * effects[effect]
    return total


@inner
def back_bias(t: int, d: float, theta: Any, effects: Any, d_theta: Any, d_effects: Any, ints: Any) -> None:
    """Carry the derivative by a term's bias back to theta and the effects."""
    role, spread = int_at(ints, Field.ROLE, t), int_at(ints, Field.SPREAD, t)
    if role >= 0:
        d_theta[role] += d
    if spread >= 0:
        d_theta[spread] += d * _add_effects(t, theta, effects, ints)
        d *= theta[spread]
    for k in range(_EFFECTS):
        effect = int_at(ints, Field.IN_WAR + k, t)
        if effect >= 0:
            scale = index_of(ints, Common.SCALE_ROLE_IN_WAR + k)
            d_theta[scale] += d * effects[effect]
            d_effects[effect] += d * theta[scale]


@inline
def _parts_of(ints: Any, first: int) -> Any:
    """Return where each row's parts start, and of each part its term, and where its span of the state ends and starts.

    `first` is the first of the four fields.
    """
    return ints_of(ints, first), ints_of(ints, first + 1), ints_of(ints, first + 2), ints_of(ints, first + 3)


@inner
def _believe(parts: Any, state: Any, lift: Any, least: float, believed: Any) -> None:
    """Fill the sum that each row speaks of and `least`, 1 for one without parts; `lift` is exp(bias)."""
    start, term, until, since = parts
    for r in range(len(believed)):
        total = least if start[r] < start[r + 1] else 1.0
        for p in range(start[r], start[r + 1]):
            total += (state[until[p]] - state[since[p]]) * lift[term[p]]
        believed[r] = total


@inner
def _fall_short(theta: Any, tops: Any, known: Any, log_tops: Any, floats: Any, ints: Any) -> None:
    """Take from each row's sum what was not known yet when it was said; fill by what it is multiplied, and its log."""
    early, log_factor = floats_of(floats, ints, Field.EARLY), theta[index_of(ints, Common.FIRST_REPORT)]
    for r in range(len(tops)):
        known[r] = math.exp(log_factor * early[r]) if early[r] > 0 else 1.0
        tops[r] *= known[r]
        log_tops[r] = math.log(tops[r])


@inner
def _back_short(tops: Any, known: Any, slope: Any, d_theta: Any, floats: Any, ints: Any) -> None:
    """Carry the derivative by what was known of each row's sum back to the log factor, and to the whole sum."""
    early, at = floats_of(floats, ints, Field.EARLY), index_of(ints, Common.FIRST_REPORT)
    for r in range(len(tops)):
        if early[r] > 0:
            d_theta[at] += slope[r] * tops[r] * early[r]
            slope[r] *= known[r]


@inner
def _back_believe(parts: Any, slope: Any, state: Any, lift: Any, d_state: Any, d_bias: Any) -> None:
    """Carry the derivative by what each row speaks of back to the state and the biases."""
    start, term, until, since = parts
    for r in range(len(slope)):
        for p in range(start[r], start[r + 1]):
            d = slope[r] * lift[term[p]]
            d_state[until[p]] += d
            d_state[since[p]] -= d
            d_bias[term[p]] += d * (state[until[p]] - state[since[p]])


@inner
def _back_rows(
    theta: Any, statement: Any, tops: Any, weight: Any, slopes: Any, d_theta: Any, d_statement: Any,
    floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Carry the slopes of all rows, times the weight of their readings, back to the parameters and statements.

    What is left in the last two of `slopes` is the derivative by numerator and denominator.
    """
    floor = constant_of(floats, ints, Constant.FLOOR_SD)
    reading, is_prior = ints_of(ints, Field.READING), ints_of(ints, Field.IS_PRIOR)
    statements, reference = ints_of(ints, Field.STATEMENT), ints_of(ints, Field.REFERENCE_NOISE)
    noises, wording = ints_of(ints, Field.NOISE), ints_of(ints, Field.WORDING)
    d_factor, d_probability = 0.0, 0.0
    for r in range(slopes.shape[1]):
        by = weight[reading[r]]
        d_centre, number = by * slopes[Slope.BELIEF, r], statements[r]
        if number >= 0:
            at = reference[number]
            shared, d_error = max(theta[at], floor), -d_centre if is_prior[r] else d_centre
            d_statement[number] += d_error * shared
            if theta[at] > floor:
                d_theta[at] += d_error * statement[number] + (by / shared if is_prior[r] else 0.0)
        if noises[r] >= 0 and theta[noises[r]] > floor:
            d_theta[noises[r]] += by * slopes[Slope.NOISE, r]
        d_factor += by * slopes[Slope.FACTOR, r]
        d_probability += by * slopes[Slope.PROBABILITY, r]
        if wording[r] >= 0:
            d_theta[wording[r]] += by * slopes[Slope.WORDING, r]
        slopes[Slope.TOP, r] *= d_centre
        slopes[Slope.WHOLE, r] *= d_centre
    back_given(theta, tops, weight, slopes, d_theta, floats, ints)
    d_theta[index_of(ints, Common.OUTLIER_FACTOR)] += d_factor
    d_theta[index_of(ints, Common.OUTLIER_PROBABILITY)] += d_probability


@inner
def _mix_readings(by_reading: Any, weight: Any, floats: Any, ints: Any) -> float:
    """Return the log likelihood of all readings, those of one role averaged; fill the weight of each."""
    group_of, log_weight = ints_of(ints, Field.GROUP), floats_of(floats, ints, Field.LOG_WEIGHT)
    readings, total = len(by_reading), 0.0
    for k in range(readings):
        weight[k] = 1.0
        if group_of[k] < 0:
            total += by_reading[k]
    for group in range(size_of(ints, Size.MIXTURES)):
        top = -math.inf
        for k in range(readings):
            if group_of[k] == group:
                top = max(top, by_reading[k] + log_weight[k])
        mass = 0.0
        for k in range(readings):
            if group_of[k] == group:
                weight[k] = math.exp(by_reading[k] + log_weight[k] - top)
                mass += weight[k]
        for k in range(readings):
            if group_of[k] == group:
                weight[k] /= mass
        total += top + math.log(mass)
    return total
