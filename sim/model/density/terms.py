"""What one claim says of one belief, under one component of its noise.

Each term returns the density as exp(first) * second, so that two of them are mixed with one exponential and one
logarithm, and its logarithm's derivatives by the belief, the noise and the wording's mean.
"""

from __future__ import annotations

import math

from sim.model.density.access import compiled, inner
from sim.model.density.codes import Form

LEAST = 1e-300  # stands for a probability of zero
LEAST_WORDING = 1e-6  # of the wording's mean
_SQRT_2 = math.sqrt(2.0)
_SQRT_PI = math.sqrt(math.pi)
_SQRT_2PI = math.sqrt(2 * math.pi)
_NARROW = 0.5  # width of a cell, in noise sds and times its distance from the belief, that needs no CDF
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


@compiled
def density_term(t: float, s: float) -> Term:
    """Return the density of N(0, s^2) at t (which falls as the belief rises)."""
    z = t / s
    return -0.5 * z * z, 1 / (s * _SQRT_2PI), z / s, (z * z - 1) / s, 0.0


@compiled
def cell_term(lower: float, upper: float, s: float) -> Term:
    """Return the mass of N(0, s^2) between two edges.

    Of a cell that is narrow beside s it is the density's Taylor series about the middle m, over the width w:
    phi(m) w (1 + He_2 w^2 / 24 + He_4 w^4 / 1920 + ...), He_k the Hermite polynomials at m; what is left out is below
    1e-10 of it.
    """
    a, b = lower / s, upper / s
    m, w = 0.5 * (a + b), b - a
    if w * max(1.0, abs(m)) < _NARROW:
        m2, q = m * m, 0.25 * w * w
        h2 = m2 - 1
        h4 = m2 * (m2 - 6) + 3
        h6 = m2 * (m2 * (m2 - 15) + 45) - 15
        h8 = m2 * (m2 * (m2 * (m2 - 28) + 210) - 420) + 105
        rest = 1 + q * (h2 / 6 + q * (h4 / 120 + q * (h6 / 5040 + q * h8 / 362880)))
        slope = q * (2 / 6 + q * (4 * (m2 - 3) / 120 + q * (6 * (m2 * (m2 - 10) + 15) / 5040
                + q * 8 * (m2 * (m2 * (m2 - 21) + 105) - 105) / 362880)))  # fmt: skip
        spread = q * (2 * h2 / 6 + q * (4 * h4 / 120 + q * (6 * h6 / 5040 + q * 8 * h8 / 362880)))
        d_m = m * (slope / rest - 1)
        return -0.5 * m2, w * rest / _SQRT_2PI, -d_m / s, -(m * d_m + 1 + spread / rest) / s, 0.0
    mirror = a + b > 0
    left, right = (-b, -a) if mirror else (a, b)
    if right > -_FAR:
        exponent, mass = 0.0, 0.5 * (math.erfc(-right / _SQRT_2) - math.erfc(-left / _SQRT_2))
    else:
        log_right = _log_cdf(right)
        exponent, mass = log_right, -math.expm1(_log_cdf(left) - log_right)
    d_a = -math.exp(-0.5 * a * a - exponent) / (mass * _SQRT_2PI)
    d_b = math.exp(-0.5 * b * b - exponent) / (mass * _SQRT_2PI)
    return exponent, mass, -(d_a + d_b) / s, -(a * d_a + b * d_b) / s, 0.0


@compiled
def worded_term(t: float, s: float, m: float) -> Term:
    """Return the density at t of e - d (see `sim.model.likelihood.log_understated`); the first derivative is by t."""
    q = (t / s + s / m) / _SQRT_2
    if q > 0:
        scaled = _erfcx(q)
        mills = math.sqrt(2 / math.pi) / scaled
        exponent, factor = -0.5 * (t / s) ** 2, 0.5 * scaled / m
    else:
        cdf = 1 - 0.5 * math.erfc(-q)
        mills = math.exp(-q * q) / (_SQRT_2PI * cdf)
        exponent, factor = t / m + 0.5 * (s / m) ** 2, cdf / m
    d_t = 1 / m - mills / s
    d_s = s / m**2 + mills * (t / s**2 - 1 / m)
    d_m = -1 / m - t / m**2 - s**2 / m**3 + mills * s / m**2
    return exponent, factor, d_t, d_s, d_m


@inner
def form_term(form: int, gaps: tuple[float, float, float], sign: float, s: float, mean: float) -> Term:
    """Return the term of a row's form at the gaps of the number said, and of its cell's edges, to the belief."""
    point, lower, upper = gaps
    if form == Form.CELL:
        return cell_term(lower, upper, s)
    if form == Form.DENSITY:
        return density_term(point, s)
    e, f, d_t, d_s, d_m = worded_term(sign * point, s, mean)
    return e, f, -sign * d_t, d_s, d_m
