"""What one claim says of one belief, under one component of its noise.

Each term returns the density as exp(first) * second, so that two of them are mixed with one exponential and one
logarithm, and its logarithm's derivatives by the belief, the noise and the wording's mean.
"""

from __future__ import annotations

import math

from sim.model.density.access import compiled, inline, inner
from sim.model.density.codes import Form

LEAST = 1e-300  # stands for a probability of zero
LEAST_WORDING = 1e-6  # of the wording's mean
_SQRT_2 = math.sqrt(2.0)
_SQRT_PI = math.sqrt(math.pi)
_SQRT_2PI = math.sqrt(2 * math.pi)
_PEAK = 1 / _SQRT_2PI  # of a standard normal density
NARROW = 1.0  # width of a cell, in noise sds and times its distance from the belief, that needs no CDF
_FAR = 25.0  # sds from which a CDF is taken by its logarithm

Term = tuple[float, float, float, float, float]


@inner
def _erfcx(x: float) -> float:
    """Return exp(x^2) erfc(x) for x >= 0."""
    if x < 10.0:
        return math.exp(x * x) * math.erfc(x)
    # Abramowitz and Stegun 7.1.23: the terms fall until k is about x^2.
    total, term = 1.0, 1.0
    for k in range(1, 16):
        term *= -(2 * k - 1) / (2 * x * x)
        total += term
    return total / (x * _SQRT_PI)


@inner
def _log_cdf(z: float) -> float:
    if z < 0:
        return math.log(0.5 * _erfcx(-z / _SQRT_2)) - 0.5 * z * z
    return math.log1p(-0.5 * math.erfc(z / _SQRT_2))


@inner
def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x))."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    e = math.exp(x)
    return e / (1 + e)


@inner
def softplus(x: float) -> float:
    """Return log(1 + exp(x))."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@inner
def turn(x: float) -> tuple[float, float]:
    """Return softplus(x) and its derivative, 1 / (1 + exp(-x)), by one exponential."""
    e = math.exp(-abs(x))
    slope = 1 / (1 + e)
    return max(x, 0.0) + math.log1p(e), slope if x >= 0 else e * slope


@inner
def centre_row(log_top: float, whole: float, is_share: int, is_capped: int, cap: float) -> tuple[float, float, float]:
    """Return a row's belief on its own scale, and its derivatives by the logs of numerator and denominator.

    A count is the ratio of it to one, which takes no logarithm.
    """
    ratio = log_top if whole == 1.0 else log_top - math.log(whole)
    if is_share == 0:
        return ratio, 1.0, -1.0
    if is_capped:
        log_share, slope = -softplus(-cap * ratio) / cap, sigmoid(-cap * ratio)
    else:
        log_share, slope = min(ratio, -1e-12), 1.0
    rest = -math.expm1(log_share)
    return log_share - math.log(rest), slope / rest, -slope / rest


@compiled
def density_term(t: float, sharp: float) -> Term:
    """Return the density of N(0, s^2) at t (which falls as the belief rises); `sharp` is 1 / s, here and below."""
    z = t * sharp
    return -0.5 * z * z, sharp * _PEAK, z * sharp, (z * z - 1) * sharp, 0.0


@inline
def narrow_cell(a: float, b: float) -> Term:
    """Return the mass of N(0, 1) between two edges that are close, its derivatives by mean and sd, and how wide it is.

    It is the density's Taylor series about the middle m, over the width w: phi(m) w (1 + He_2 w^2 / 24 + He_4 w^4 /
    1920 + ...), He_k the Hermite polynomials at m, of which the odd ones are here over m. What is left out is below
    1e-11 of it where the width, in sds and times m if that is above one, is below NARROW.
    """
    m, w = 0.5 * (a + b), b - a
    m2, q = m * m, 0.25 * w * w
    h2, o3 = m2 - 1, m2 - 3
    h4 = m2 * o3 - 3 * h2
    o5 = h4 - 4 * o3
    h6 = m2 * o5 - 5 * h4
    o7 = h6 - 6 * o5
    h8 = m2 * o7 - 7 * h6
    o9 = h8 - 8 * o7
    h10 = m2 * o9 - 9 * h8
    o11 = h10 - 10 * o9
    h12 = m2 * o11 - 11 * h10
    o13 = h12 - 12 * o11
    h14 = m2 * o13 - 13 * h12
    q2 = q * (1 / 6)  # q^k / (2k + 1)!
    q4 = q2 * q * (1 / 20)
    q6 = q4 * q * (1 / 42)
    q8 = q6 * q * (1 / 72)
    q10 = q8 * q * (1 / 110)
    q12 = q10 * q * (1 / 156)
    q14 = q12 * q * (1 / 210)
    series = 1 + q2 * h2 + q4 * h4 + q6 * h6 + q8 * h8 + q10 * h10 + q12 * h12 + q14 * h14
    by_m = 2 * q2 + 4 * q4 * o3 + 6 * q6 * o5 + 8 * q8 * o7 + 10 * q10 * o9 + 12 * q12 * o11 + 14 * q14 * o13
    by_w = 2 * q2 * h2 + 4 * q4 * h4 + 6 * q6 * h6 + 8 * q8 * h8 + 10 * q10 * h10 + 12 * q12 * h12 + 14 * q14 * h14
    share = 1 / series
    d_m = m * (by_m * share - 1)
    return -0.5 * m2, w * series * _PEAK, -d_m, -(m * d_m + 1 + by_w * share), w * max(1.0, abs(m))


@compiled
def cell_term(lower: float, upper: float, sharp: float) -> Term:
    """Return the mass of N(0, s^2) between two edges."""
    a, b = lower * sharp, upper * sharp
    exponent, mass, by_mean, by_sd, width = narrow_cell(a, b)
    if width < NARROW:
        return exponent, mass, by_mean * sharp, by_sd * sharp, 0.0
    mirror = a + b > 0
    left, right = (-b, -a) if mirror else (a, b)
    if right > -_FAR:
        exponent, mass = 0.0, 0.5 * (math.erfc(-right / _SQRT_2) - math.erfc(-left / _SQRT_2))
    else:
        log_right = _log_cdf(right)
        exponent, mass = log_right, -math.expm1(_log_cdf(left) - log_right)
    peak = _PEAK / mass
    d_a, d_b = -math.exp(-0.5 * a * a - exponent) * peak, math.exp(-0.5 * b * b - exponent) * peak
    return exponent, mass, -(d_a + d_b) * sharp, -(a * d_a + b * d_b) * sharp, 0.0


@compiled
def worded_term(t: float, sharp: float, m: float) -> Term:
    """Return the density at t of e - d (see `sim.model.likelihood.log_understated`); the first derivative is by t."""
    s, per_m = 1 / sharp, 1 / m
    z, spread = t * sharp, s * per_m
    q = (z + spread) / _SQRT_2
    if q > 0:
        scaled = _erfcx(q)
        mills = math.sqrt(2 / math.pi) / scaled
        exponent, factor = -0.5 * z * z, 0.5 * scaled * per_m
    else:
        cdf = 1 - 0.5 * math.erfc(-q)
        mills = math.exp(-q * q) / (_SQRT_2PI * cdf)
        exponent, factor = t * per_m + 0.5 * spread * spread, cdf * per_m
    d_t = per_m - mills * sharp
    d_s = spread * per_m + mills * (z * sharp - per_m)
    d_m = per_m * (-1 - t * per_m - spread * spread + mills * spread)
    return exponent, factor, d_t, d_s, d_m


@inner
def form_term(form: int, gaps: tuple[float, float, float], sign: float, sharp: float, mean: float) -> Term:
    """Return the term of a row's form at the gaps of the number said, and of its cell's edges, to the belief."""
    point, lower, upper = gaps
    if form == Form.CELL:
        return cell_term(lower, upper, sharp)
    if form == Form.DENSITY:
        return density_term(point, sharp)
    e, f, d_t, d_s, d_m = worded_term(sign * point, sharp, mean)
    return e, f, -sign * d_t, d_s, d_m
