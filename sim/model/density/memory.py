"""The rows that are read given the next one of their source's series (see `sim.model.beliefs`, memory)."""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import constant_of, floats_of, index_of, inner, ints_of
from sim.model.density.codes import TILE, Common, Constant, Error, Field, Given, Link, Slope
from sim.model.density.terms import LEAST


@inner
def _recall(
    link: int, c: float, a: float, ratio: float, said: float, s: float, eta: float, next_sd: float
) -> tuple[float, float, tuple[float, float, float], tuple[float, float, float]]:
    """Return mean and variance of a row given its successor (see `sim.model.beliefs`), slip and own error apart.

    `c` and `a` are the logs of what the two speak of, and `ratio` that of these. With the derivatives of the mean by a,
    s and eta (that by c is one), and half those of the variance by a (minus that by c), s and eta.
    """
    keep, gap, var = 1 / (1 + eta * eta), said - a, next_sd * next_sd
    if link == Link.INTERVAL:
        rho, known = math.sqrt(keep), s * s / (s * s + var)
        d_known = 2 * s * (var / (s * s + var)) / (s * s + var)
        d_mean = -rho * known, rho * gap * d_known, -eta * rho * keep * known * gap
        d_var = 0.0, s * (1 - keep * known) - 0.5 * s * s * keep * d_known, s * s * known * eta * keep * keep
        return c + rho * known * gap, s * s * (1 - keep * known), d_mean, d_var
    before = min(ratio, 1.0) if link == Link.TOTAL else 0.0
    w, fresh = 1 - before, eta * eta * keep
    d_w = before * w * s * s * fresh  # zero where the later total is no larger, as w is
    d_var = d_w, w * w * fresh * s, w * w * s * s * eta * keep * keep
    return c + gap, w * w * s * s * fresh + var, (-1.0, 0.0, 0.0), d_var


@inner
def set_given(
    first: int, rows: int, theta: Any, tops: Any, log_tops: Any, slopes: Any, near: Any, far: Any, given: Any,
    floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Fill the errors of a tile's rows that are read given another (`sim.model.density.tiles`)."""
    floor, factor = constant_of(floats, ints, Constant.FLOOR_SD), theta[index_of(ints, Common.OUTLIER_FACTOR)]
    links, after, fresh = ints_of(ints, Field.LINK), ints_of(ints, Field.SUCCESSOR), ints_of(ints, Field.FRESH)
    noises, own_sd = ints_of(ints, Field.NOISE), floats_of(floats, ints, Field.OWN_SD)
    next_point, next_sd = floats_of(floats, ints, Field.NEXT_POINT), floats_of(floats, ints, Field.NEXT_SD)
    point, lower = floats_of(floats, ints, Field.POINT), floats_of(floats, ints, Field.LOWER)
    upper = floats_of(floats, ints, Field.UPPER)
    renewed, slip = theta[index_of(ints, Common.RENEWAL)], max(theta[index_of(ints, Common.SLIP)], floor)
    log_kept, log_renewed = math.log1p(-renewed), math.log(max(renewed, LEAST))
    for k in range(rows):
        r = first + k
        if links[r] == Link.NONE:
            continue
        n, centre, base = after[r], log_tops[r], max(theta[noises[r]], floor)
        mean, variance, d_mean, d_variance = _recall(
            links[r], centre, log_tops[n], tops[r] / tops[n], next_point[r], base, theta[fresh[r]], next_sd[r]
        )
        slopes[Slope.TOP, r], slopes[Slope.WHOLE, r] = 1 / tops[r], 0.0
        own = own_sd[r] * own_sd[r]
        near[Error.VARIANCE * TILE + k] = variance + slip * slip + own
        far[Error.VARIANCE * TILE + k] = (factor * base) ** 2 + own
        near[Error.POINT * TILE + k], far[Error.POINT * TILE + k] = point[r] - mean, point[r] - centre
        near[Error.LOWER * TILE + k], far[Error.LOWER * TILE + k] = lower[r] - mean, lower[r] - centre
        near[Error.UPPER * TILE + k], far[Error.UPPER * TILE + k] = upper[r] - mean, upper[r] - centre
        given[Given.BASE * TILE + k] = base
        given[Given.LOG_REST * TILE + k], given[Given.LOG_ODDS * TILE + k] = log_kept, log_renewed
        given[Given.MEAN_BY_AFTER * TILE + k], given[Given.VARIANCE_BY_AFTER * TILE + k] = d_mean[0], d_variance[0]
        given[Given.MEAN_BY_NOISE * TILE + k], given[Given.VARIANCE_BY_NOISE * TILE + k] = d_mean[1], d_variance[1]
        given[Given.MEAN_BY_FRESH * TILE + k], given[Given.VARIANCE_BY_FRESH * TILE + k] = d_mean[2], d_variance[2]


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
