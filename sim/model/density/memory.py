"""The rows that are read given the next one of their source's series (see `sim.model.beliefs`, memory)."""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import constant_of, floats_of, index_of, inner, int_at, ints_of
from sim.model.density.codes import Common, Constant, Field, Form, Link, Slope
from sim.model.density.terms import LEAST, LEAST_WORDING, form_term


@inner
def _recall(
    link: int, c: float, a: float, said: float, s: float, eta: float, next_sd: float
) -> tuple[float, float, tuple[float, float, float, float], tuple[float, float, float]]:
    """Return mean and variance of a row given its successor (see `sim.model.beliefs`), slip and own error apart.

    With the derivatives of the mean by c (one), a, s and eta, and half those of the variance by a (minus that by c), s
    and eta.
    """
    keep, gap, var = 1 / (1 + eta * eta), said - a, next_sd * next_sd
    if link == Link.INTERVAL:
        rho, known = math.sqrt(keep), s * s / (s * s + var)
        d_known = 2 * s * (var / (s * s + var)) / (s * s + var)
        d_mean = 1.0, -rho * known, rho * gap * d_known, -eta * rho * keep * known * gap
        d_var = 0.0, s * (1 - keep * known) - 0.5 * s * s * keep * d_known, s * s * known * eta * keep * keep
        return c + rho * known * gap, s * s * (1 - keep * known), d_mean, d_var
    before = math.exp(min(c - a, 0.0)) if link == Link.TOTAL else 0.0
    w, fresh = 1 - before, eta * eta * keep
    d_w = before * w * s * s * fresh if c < a else 0.0
    d_var = d_w, w * w * fresh * s, w * w * s * s * eta * keep * keep
    return c + gap, w * w * s * s * fresh + var, (1.0, -1.0, 0.0, 0.0), d_var


@inner
def weigh_given(
    r: int, theta: Any, tops: Any, log_tops: Any, odds: tuple[float, float], slopes: Any, floats: Any, ints: Any
) -> float:
    """Return the log likelihood of a row given the one that follows it in its series, and fill its slopes.

    `odds` are the logs of the probabilities that it carries the error on, and that it is made anew.
    """
    floor, next_row = constant_of(floats, ints, Constant.FLOOR_SD), int_at(ints, Field.SUCCESSOR, r)
    form, wording = int_at(ints, Field.FORM, r), int_at(ints, Field.WORDING, r)
    own_sd, sign = floats_of(floats, ints, Field.OWN_SD)[r], floats_of(floats, ints, Field.SIGN)[r]
    said, next_sd = floats_of(floats, ints, Field.NEXT_POINT)[r], floats_of(floats, ints, Field.NEXT_SD)[r]
    point, lower = floats_of(floats, ints, Field.POINT)[r], floats_of(floats, ints, Field.LOWER)[r]
    upper = floats_of(floats, ints, Field.UPPER)[r]
    s, eta = max(theta[int_at(ints, Field.NOISE, r)], floor), theta[int_at(ints, Field.FRESH, r)]
    slip, factor = max(theta[index_of(ints, Common.SLIP)], floor), theta[index_of(ints, Common.OUTLIER_FACTOR)]
    p = theta[index_of(ints, Common.RENEWAL)]
    q = max(p, LEAST)
    c, a = log_tops[r], log_tops[next_row]
    mean, var, d_mean, d_var = _recall(int_at(ints, Field.LINK, r), c, a, said, s, eta, next_sd)
    v, far = math.sqrt(var + slip * slip + own_sd * own_sd), math.sqrt(factor * factor * s * s + own_sd * own_sd)
    m = max(theta[wording], LEAST_WORDING) if form == Form.WORDED else 1.0
    gaps, far_gaps = (point - mean, lower - mean, upper - mean), (point - c, lower - c, upper - c)
    e, f, d_centre, d_v, d_m = form_term(int_at(ints, Field.CORE_FORM, r), gaps, sign, v, m)
    e2, f2, d_centre2, d_far, d_m2 = form_term(form, far_gaps, sign, far, m)
    e, e2 = e + odds[0], e2 + odds[1]
    top = max(e, e2)
    if e >= e2:
        f2 *= math.exp(e2 - e)
    else:
        f *= math.exp(e - e2)
    both = f + f2
    w, w2 = f / both, f2 / both
    by_var = w * d_v / v
    slopes[Slope.BELIEF, r] = w * d_centre - by_var * d_var[0] + w2 * d_centre2
    slopes[Slope.AFTER, r] = w * d_centre * d_mean[1] + by_var * d_var[0]
    slopes[Slope.NOISE, r] = w * d_centre * d_mean[2] + by_var * d_var[1] + w2 * d_far * factor * factor * s / far
    slopes[Slope.FRESH, r] = w * d_centre * d_mean[3] + by_var * d_var[2]
    slopes[Slope.SLIP, r] = by_var * slip
    slopes[Slope.FACTOR, r] = w2 * d_far * factor * s * s / far
    slopes[Slope.RENEWAL, r], slopes[Slope.PROBABILITY, r] = w2 / q - w / (1 - p), 0.0
    slopes[Slope.WORDING, r] = w * d_m + w2 * d_m2
    slopes[Slope.TOP, r], slopes[Slope.WHOLE, r] = 1 / tops[r], 0.0
    value: float = floats_of(floats, ints, Field.LOG_WIDTH)[r] + top + math.log(both)
    return value


@inner
def back_given(theta: Any, tops: Any, weight: Any, slopes: Any, d_theta: Any, floats: Any, ints: Any) -> None:
    """Carry the slopes of rows that are read given others back to these others, and to what memory is made of."""
    floor, reading = constant_of(floats, ints, Constant.FLOOR_SD), ints_of(ints, Field.READING)
    links, after, fresh = ints_of(ints, Field.LINK), ints_of(ints, Field.SUCCESSOR), ints_of(ints, Field.FRESH)
    renewal, slip = index_of(ints, Common.RENEWAL), index_of(ints, Common.SLIP)
    for r in range(len(tops)):
        if links[r] == Link.NONE:
            continue
        by, n = weight[reading[r]], after[r]
        slopes[Slope.TOP, n] += by * slopes[Slope.AFTER, r] / tops[n]
        d_theta[fresh[r]] += by * slopes[Slope.FRESH, r]
        d_theta[renewal] += by * slopes[Slope.RENEWAL, r]
        if theta[slip] > floor:
            d_theta[slip] += by * slopes[Slope.SLIP, r]
