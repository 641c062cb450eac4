"""The log posterior density of a case and its gradient, by hand, compiled once for all cases.

PyMC's model (`sim.model.pymc_model.build_model`) is the definition; a test holds this one equal to it, density and
gradient, at random points of every kind of case. What differs between cases is data: `sim.model.buffer` puts a design
into one buffer of eight-byte slots, whole numbers and floats alike, whose fields are found by the offsets at its head.
So no case needs a compilation of its own, and the machine code is kept on disk.

Each function runs one step of the model forward, or backward: names that start with `d_` are derivatives of the log
density with respect to the rest of the name. All of it is in this one file, and takes nothing from others, because the
cache on disk is renewed when this file changes and does not look at others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from sim.system.code_cache import compile_callback, compile_function

FAMILIES = (
    "",
    "Normal",
    "LogNormal",
    "HalfNormal",
    "HalfCauchy",
    "Beta",
    "Uniform",
    "Exponential",
    "Gamma",
    "StudentT",
    "LogitNormal",
)

# The fields of the buffer, in order; those in FLOATS hold floats, the others whole numbers.
FIELDS = (
    "sizes", "family", "arguments", "bin", "days", "position", "inside", "root_days", "lulls", "lull_cover", "waves",
    "arrivals", "bounded_force", "bounded_sized", "share", "ratio", "captured", "missing", "has", "bounded_tilt",
    "personnel", "free_force", "free_total", "free_ratio", "free_tilt", "role", "in_war", "source", "source_outcome",
    "top_start", "top_term", "top_until", "top_since", "whole_start", "whole_term", "whole_until", "whole_since",
    "is_share", "is_capped", "statement", "noise", "own_sd", "contaminated", "reference_noise", "form", "lower",
    "upper", "point", "log_width", "sign", "wording", "reading", "group", "log_weight", "is_prior", "constants",
    "joint", "joint_mean", "joint_root", "apparent", "centred", "counts",
)  # fmt: skip
FLOATS = {
    "arguments", "days", "position", "inside", "root_days", "lull_cover", "arrivals", "has",
    "own_sd", "lower", "upper", "point", "log_width", "sign", "log_weight",
    "constants", "joint_mean", "joint_root", "counts",
}  # fmt: skip
(
    SIZES, FAMILY, ARGS, BIN, DAYS, POSITION, INSIDE, ROOT_DAYS, LULLS, LULL_COVER, WAVES,
    ARRIVALS, BOUNDED_FORCE, BOUNDED_SIZED, SHARE, RATIO, CAPTURED, MISSING, HAS, BOUNDED_TILT,
    PEOPLE, FREE_FORCE, FREE_TOTAL, FREE_RATIO, FREE_TILT, ROLE, IN_WAR, SOURCE, SOURCE_OUTCOME,
    TOP_START, TOP_TERM, TOP_UNTIL, TOP_SINCE, WHOLE_START, WHOLE_TERM, WHOLE_UNTIL, WHOLE_SINCE,
    IS_SHARE, IS_CAPPED, STATEMENT, NOISE, OWN_SD, CONTAMINATED, REFERENCE_NOISE, FORM, LOWER, UPPER,
    POINT, LOG_WIDTH, SIGN, WORDING, READING, GROUP, LOG_WEIGHT, IS_PRIOR,
    CONSTANTS, JOINT, JOINT_MEAN, JOINT_ROOT, APPARENT, CENTRED, COUNTS,
) = range(len(FIELDS))  # fmt: skip

# The fields of the buffer of several designs (`sim.model.buffer.pack_many`).
MEAN, ROOT, STARTS, LENGTHS, SLOTS, PIECES = range(6)

_SQRT_2 = math.sqrt(2.0)
_SQRT_PI = math.sqrt(math.pi)
_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_SQRT_2PI = math.sqrt(2 * math.pi)
_LOG_2 = math.log(2.0)
_LEAST = 1e-300  # stands for a probability of zero
_NARROW = 0.5  # width of a cell, in noise sds and times its distance from the belief, that needs no CDF
_FAR = 25.0  # sds from which a CDF is taken by its logarithm


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls too, and keep its machine code on disk.

    Division by zero gives an infinity, which the sampler takes for a point outside the support.
    """
    kept: F = compile_function(function, error_model="numpy")
    return kept


def inner[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that is a part of others alone: it needs no wrapper for Python and no place on disk."""
    part: F = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return part


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
def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    e = math.exp(x)
    return e / (1 + e)


@inner
def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@inner
def constrain(family: int, a: float, b: float, x: float) -> tuple[float, float]:
    """Return a parameter and its derivative with respect to the unconstrained `x` (PyMC's default transforms)."""
    if family in (1, 9):
        return x, 1.0
    if family in (5, 10):
        y = _sigmoid(x)
        return y, y * (1 - y)
    if family == 6:
        y = _sigmoid(x)
        return a + (b - a) * y, (b - a) * y * (1 - y)
    y = math.exp(x)
    return y, y


@inner
def prior_density(family: int, a: float, b: float, c: float, x: float) -> tuple[float, float]:
    """Return the log density of a parameter at the unconstrained `x`, Jacobian included, and its derivative.

    `a`, `b`, `c` are the family's arguments in the order of `sim.case.priors.ARGUMENTS`.
    """
    if family in (1, 2, 10):  # Normal; LogNormal and LogitNormal, whose Jacobians leave a normal of x
        z = (x - a) / b
        return -0.5 * z * z - math.log(b) - _LOG_SQRT_2PI, -z / b
    if family == 3:  # HalfNormal
        z = math.exp(x) / a
        return _LOG_2 - 0.5 * z * z - math.log(a) - _LOG_SQRT_2PI + x, 1 - z * z
    if family == 4:  # HalfCauchy
        z = math.exp(x) / a
        return _LOG_2 - math.log(math.pi * a) - math.log1p(z * z) + x, 1 - 2 * z * z / (1 + z * z)
    if family == 5:  # Beta
        y = _sigmoid(x)
        log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        return -a * _softplus(-x) - b * _softplus(x) - log_beta, a - (a + b) * y
    if family == 6:  # Uniform
        return -_softplus(-x) - _softplus(x), 1 - 2 * _sigmoid(x)
    if family == 7:  # Exponential
        y = math.exp(x)
        return math.log(a) - a * y + x, 1 - a * y
    if family == 8:  # Gamma
        y = math.exp(x)
        return a * math.log(b) - math.lgamma(a) + a * x - b * y, a - b * y
    # StudentT: a = nu, b = mu, c = sigma
    z = (x - b) / c
    constant = math.lgamma((a + 1) / 2) - math.lgamma(a / 2) - 0.5 * math.log(math.pi * a) - math.log(c)
    return constant - (a + 1) / 2 * math.log1p(z * z / a), -(a + 1) * z / (a + z * z) / c


# The terms: what one claim says under one component of its noise. Each returns the density as exp(first) * second, so
# that two of them are mixed with one exponential and one logarithm, and its logarithm's derivatives by the belief, the
# noise and the wording's mean.


@compiled
def density_term(t: float, s: float) -> tuple[float, float, float, float, float]:
    """Return the density of N(0, s^2) at t (which falls as the belief rises)."""
    z = t / s
    return -0.5 * z * z, 1 / (s * _SQRT_2PI), z / s, (z * z - 1) / s, 0.0


@compiled
def cell_term(lower: float, upper: float, s: float) -> tuple[float, float, float, float, float]:
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
def worded_term(t: float, s: float, m: float) -> tuple[float, float, float, float, float]:
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
def run_rates(theta: Any, walk: Any, n: Any, bins: Any, root_days: Any, step: int, lulls: Any, cover: Any) -> Any:
    """Return the log rate of each force on each segment; n is (forces, segments, bins - 1)."""
    forces, segments, steps = n
    log_rate = np.zeros((forces, segments))
    level = np.zeros(steps + 1)
    for f in range(forces):
        if step >= 0 and steps > 0:
            for j in range(steps):
                level[j + 1] = level[j] + theta[step] * root_days[j] * walk[f * steps + j]
            for s in range(segments):
                log_rate[f, s] = level[bins[s]]
        for k in range(len(lulls)):
            for s in range(segments):
                log_rate[f, s] -= theta[lulls[k]] * cover[(k * forces + f) * segments + s]
    return log_rate


@inner
def back_rates(
    d_log_rate: Any, theta: Any, walk: Any, bins: Any, root_days: Any, step: int, lulls: Any, cover: Any,
    d_theta: Any, d_walk: Any,
) -> None:  # fmt: skip
    """Carry the derivative by log rates back to theta and the walk."""
    forces, segments = d_log_rate.shape
    steps = len(root_days)
    d_level = np.zeros(steps + 1)
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
def split_shares(
    theta: Any, has: Any, ratio: int, captured: int, missing: int, share: Any
) -> tuple[float, float, float]:
    """Fill the shares of killed, wounded, captured, missing before tilting; return wounded share, captured, missing."""
    c = theta[captured] * has[2] if captured >= 0 else 0.0
    m = theta[missing] * has[3] if missing >= 0 else 0.0
    w = _sigmoid(theta[ratio]) if ratio >= 0 else 0.5
    both = has[0] * has[1]
    hurt = (1 - c) * (1 - m) * max(has[0], has[1])
    share[0] = hurt * (both * (1 - w) + (1 - both) * has[0])
    share[1] = hurt * (both * w + (1 - both) * has[1])
    share[2] = c
    share[3] = m * (1 - c)
    return w, c, m


@inner
def back_shares(d_share: Any, has: Any, ratio: int, captured: int, missing: int, wcm: Any, d_theta: Any) -> None:
    """Carry the derivative by the shares back to theta."""
    w, c, m = wcm
    both = has[0] * has[1]
    top = max(has[0], has[1])
    hurt = (1 - c) * (1 - m) * top
    parts = d_share[0] * (both * (1 - w) + (1 - both) * has[0]) + d_share[1] * (both * w + (1 - both) * has[1])
    if ratio >= 0:
        d_theta[ratio] += hurt * both * (d_share[1] - d_share[0]) * w * (1 - w)
    if captured >= 0:
        d_theta[captured] += has[2] * (-(1 - m) * top * parts + d_share[2] - m * d_share[3])
    if missing >= 0:
        d_theta[missing] += has[3] * (-(1 - c) * top * parts + (1 - c) * d_share[3])


@compiled
def log_density(x: Any, grad: Any, floats: Any, ints: Any) -> float:
    """Return the log posterior density at the unconstrained `x`, up to a constant, and fill its gradient.

    Parameters
    ----------
    x, grad : arrays, shape (n,)
    floats, ints : arrays
        Two views of the buffer of `pack_design`.
    """
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    params, walks, latents, statements = n[0], n[1], n[2], n[3]
    free = len(x) - walks - latents - statements
    standard, statement = x[free : free + walks + latents].copy(), x[free + walks + latents :]
    walk, effects = standard[:walks], standard[walks:]
    d_standard, d_statement = grad[free : free + walks + latents], grad[free + walks + latents :]
    d_walk, d_effects = d_standard[:walks], d_standard[walks:]
    centred = ints[ints[CENTRED] : ints[CENTRED + 1]]
    theta, slope, d_theta = np.empty(params), np.zeros(params), np.zeros(params)
    value = _priors(x, grad, theta, slope, floats, ints)
    value += _standardise(effects, theta, centred)
    value += _latents(standard, d_standard, free, theta, d_theta, floats, ints)
    d_statement[:] = 0.0  # its prior is among the rows
    apparent = ints[ints[APPARENT] : ints[APPARENT + 1]]
    for p in range(params):
        if apparent[p] >= 0:
            theta[p] -= _bias(apparent[p], theta, effects, n, ints)
            arguments = floats[ints[ARGS] + 3 * p : ints[ARGS] + 3 * p + 3]
            family = ints[ints[FAMILY] + p]
            density, d = prior_density(family, arguments[0], arguments[1], arguments[2], theta[p])
            value += density
            d_theta[p] += d
    if n[14] > 0:
        value += _claims(theta, walk, effects, statement, d_theta, d_walk, d_effects, d_statement, floats, ints)
    for p in range(params):
        if apparent[p] >= 0:
            _bias_backward(apparent[p], -d_theta[p], theta, effects, n, d_theta, d_effects, ints)
    _standardise_backward(effects, theta, d_effects, d_theta, centred)
    _back_priors(grad, d_theta, slope, floats, ints)
    return value


@inner
def _priors(x: Any, grad: Any, theta: Any, slope: Any, floats: Any, ints: Any) -> float:
    """Fill the parameters, and the gradient of their priors; return the log density of these.

    Those of a joint prior are standard normals in `x`, correlated before they are constrained. One that is `apparent`
    (a total as a source sees it) is left as it is: its prior is evaluated where it has become the total.
    """
    family = ints[ints[FAMILY] : ints[FAMILY + 1]]
    arguments = floats[ints[ARGS] : ints[ARGS + 1]]
    counts, apparent = floats[ints[COUNTS] : ints[COUNTS + 1]], ints[ints[APPARENT] : ints[APPARENT + 1]]
    joint, mean = ints[ints[JOINT] : ints[JOINT + 1]], floats[ints[JOINT_MEAN] : ints[JOINT_MEAN + 1]]
    root = floats[ints[JOINT_ROOT] : ints[JOINT_ROOT + 1]]
    u, value, free = x.copy(), 0.0, 0
    is_joint = np.zeros(len(x), dtype=np.bool_)
    for i in range(len(joint)):
        u[joint[i]] = mean[i]
        for j in range(i + 1):
            u[joint[i]] += root[i * len(joint) + j] * x[joint[j]]
        is_joint[joint[i]] = True
    for p in range(len(family)):
        a, b, c = arguments[3 * p], arguments[3 * p + 1], arguments[3 * p + 2]
        if family[p] == 0:
            theta[p] = a
            continue
        theta[p], slope[p] = constrain(family[p], a, b, u[free])
        if is_joint[free]:
            value -= 0.5 * x[free] * x[free] + _LOG_SQRT_2PI
            grad[free] = -x[free]
        elif apparent[p] >= 0:
            grad[free] = 0.0
        else:
            density, d = prior_density(family[p], a, b, c, u[free])
            value += counts[free] * density
            grad[free] = counts[free] * d
        free += 1
    return value


@inner
def _back_priors(grad: Any, d_theta: Any, slope: Any, floats: Any, ints: Any) -> None:
    """Carry the derivative by the parameters back to the unconstrained vector."""
    family, free = ints[ints[FAMILY] : ints[FAMILY + 1]], 0
    joint, root = ints[ints[JOINT] : ints[JOINT + 1]], floats[ints[JOINT_ROOT] : ints[JOINT_ROOT + 1]]
    d_u = np.zeros(len(grad))
    for p in range(len(family)):
        if family[p] != 0:
            d_u[free] = d_theta[p] * slope[p]
            free += 1
    for i in range(len(joint)):
        for j in range(i + 1):
            grad[joint[j]] += root[i * len(joint) + j] * d_u[joint[i]]
        d_u[joint[i]] = 0.0
    for k in range(free):
        grad[k] += d_u[k]


@inner
def _standardise(effects: Any, theta: Any, centred: Any) -> float:
    """Divide the centred effects by their scales, and return the log of what that makes of a density."""
    value = 0.0
    for k in range(len(effects)):
        if centred[k] >= 0:
            effects[k] /= theta[centred[k]]
            value -= math.log(theta[centred[k]])
    return value


@inner
def _standardise_backward(effects: Any, theta: Any, d_effects: Any, d_theta: Any, centred: Any) -> None:
    for k in range(len(effects)):
        if centred[k] >= 0:
            d_effects[k] /= theta[centred[k]]
            d_theta[centred[k]] -= d_effects[k] * effects[k] + 1 / theta[centred[k]]


@inner
def _latents(x: Any, grad: Any, free: int, theta: Any, d_theta: Any, floats: Any, ints: Any) -> float:
    """Return the log density of walks and effects, and fill its gradient.

    All are standard normals, but for the effects of sources: with the probability `outlier.source` one is wider by
    `outlier.factor`.
    """
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    walks, counts = n[1], floats[ints[COUNTS] + free : ints[COUNTS + 1]]
    q, factor, value = theta[n[22]], theta[n[18]], 0.0
    for k in range(len(x)):
        core = -0.5 * x[k] * x[k] - _LOG_SQRT_2PI
        if q <= 0.0 or k - walks < n[23] or k - walks >= n[24]:
            value += counts[k] * core
            grad[k] = -counts[k] * x[k]
            continue
        z = x[k] / factor
        first = math.log1p(-q) + core
        far = -0.5 * z * z - _LOG_SQRT_2PI - math.log(factor)
        second = math.log(q) + far
        both = max(first, second) + math.log1p(math.exp(-abs(first - second)))
        w = counts[k] * math.exp(second - both)
        value += counts[k] * both
        grad[k] = -(counts[k] - w) * x[k] - w * z / factor
        d_theta[n[22]] += counts[k] * (math.exp(far - both) - math.exp(core - both))
        d_theta[n[18]] += w * (z * z - 1) / factor
    return value


@inner
def _claims(
    theta: Any, walk: Any, effects: Any, statement: Any, d_theta: Any, d_walk: Any, d_effects: Any, d_statement: Any,
    floats: Any, ints: Any,
) -> float:  # fmt: skip
    """Return the log likelihood of the claims, and add its derivatives: forward through the state, rows, and back."""
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    forces, segments, steps, step = n[4], n[5], n[6], n[7]
    bounded, people, free, sized = n[8], n[9], n[10], n[12]
    bins, root_days = ints[ints[BIN] : ints[BIN + 1]], floats[ints[ROOT_DAYS] : ints[ROOT_DAYS + 1]]
    lulls, cover = ints[ints[LULLS] : ints[LULLS + 1]], floats[ints[LULL_COVER] : ints[LULL_COVER + 1]]
    if step < 0:
        lulls = lulls[:0]
    log_rate = run_rates(theta, walk, (forces, segments, steps), bins, root_days, step, lulls, cover)
    width = segments + 1
    state = np.zeros((bounded * people + free + sized) * width)
    arrivals = np.zeros((sized, segments))
    _arrive(theta, arrivals, state[(bounded * people + free) * width :], floats, ints)
    saved = np.empty((bounded, 4 + 2 * people, segments))
    for b in range(bounded):
        _bounded_forward(b, theta, log_rate, arrivals, saved[b], state, floats, ints)
    paths = np.empty((free, segments))
    for k in range(free):
        _free_forward(k, theta, log_rate, paths[k], state[(bounded * people + k) * width :], floats, ints)
    d_state = np.zeros(len(state))
    value = _rows(theta, effects, statement, state, d_theta, d_effects, d_statement, d_state, floats, ints)
    # From the derivative by each cumulative count to that by each increment.
    for row in range(len(d_state) // width):
        for c in range(width - 2, 0, -1):
            d_state[row * width + c] += d_state[row * width + c + 1]
    d_log_rate = np.zeros((forces, segments))
    d_arrivals = np.zeros((sized, segments))
    for k in range(free):
        _free_backward(
            k, theta, paths[k], d_state[(bounded * people + k) * width + 1 :], d_theta, d_log_rate, floats, ints
        )
    for d in range(sized):
        for s in range(segments):
            d_arrivals[d, s] += d_state[(bounded * people + free + d) * width + 1 + s]
    for b in range(bounded):
        _bounded_backward(b, theta, arrivals, saved[b], d_state, d_theta, d_log_rate, d_arrivals, floats, ints)
    waves, share_in = ints[ints[WAVES] : ints[WAVES + 1]], floats[ints[ARRIVALS] : ints[ARRIVALS + 1]]
    for w in range(len(waves)):
        total = 0.0
        for d in range(sized):
            for s in range(segments):
                total += d_arrivals[d, s] * share_in[(w * sized + d) * segments + s]
        d_theta[waves[w]] += total * math.exp(theta[waves[w]])
    back_rates(d_log_rate, theta, walk, bins, root_days, step, lulls, cover, d_theta, d_walk)
    return value


@inner
def _arrive(theta: Any, arrivals: Any, state: Any, floats: Any, ints: Any) -> None:
    """Fill arrivals on each segment, and their cumulative sums."""
    sized, segments = arrivals.shape
    waves, share_in = ints[ints[WAVES] : ints[WAVES + 1]], floats[ints[ARRIVALS] : ints[ARRIVALS + 1]]
    for w in range(len(waves)):
        size = math.exp(theta[waves[w]])
        for d in range(sized):
            for s in range(segments):
                arrivals[d, s] += size * share_in[(w * sized + d) * segments + s]
    for d in range(sized):
        for s in range(segments):
            state[d * (segments + 1) + s + 1] = state[d * (segments + 1) + s] + arrivals[d, s]


@inner
def _bounded_forward(
    b: int, theta: Any, log_rate: Any, arrivals: Any, saved: Any, state: Any, floats: Any, ints: Any
) -> None:
    """Fill the losses of one bounded force; `saved` keeps path, hazard, those before, loss, split, and its slopes."""
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    segments, people = n[5], n[9]
    days, position = floats[ints[DAYS] : ints[DAYS + 1]], floats[ints[POSITION] : ints[POSITION + 1]]
    inside = floats[ints[INSIDE] : ints[INSIDE + 1]]
    normalise(log_rate[ints[ints[BOUNDED_FORCE] + b]], 0.0, position, days, inside, saved[0])
    hazard = _softplus(theta[ints[ints[SHARE] + b]])
    for s in range(segments):
        saved[1, s] = hazard * saved[0, s]
    lose_bounded(saved[1], arrivals[ints[ints[BOUNDED_SIZED] + b]], saved[2], saved[3])
    share = np.empty(4)
    has = floats[ints[HAS] + 4 * b : ints[HAS] + 4 * b + 4]
    split_shares(theta, has, ints[ints[RATIO] + b], ints[ints[CAPTURED] + b], ints[ints[MISSING] + b], share)
    for k in range(people):
        tilt = ints[ints[BOUNDED_TILT] + b * people + k]
        for s in range(segments):
            saved[4 + people + k, s] = math.exp(theta[tilt] * position[s]) if tilt >= 0 else 1.0
    for s in range(segments):
        total = 0.0
        for k in range(people):
            total += share[ints[ints[PEOPLE] + k]] * saved[4 + people + k, s]
        for k in range(people):
            saved[4 + people + k, s] /= total
            saved[4 + k, s] = share[ints[ints[PEOPLE] + k]] * saved[4 + people + k, s]
            base = (b * people + k) * (segments + 1) + s
            state[base + 1] = state[base] + saved[3, s] * saved[4 + k, s]


@inner
def _bounded_backward(
    b: int, theta: Any, arrivals: Any, saved: Any, d_state: Any, d_theta: Any, d_log_rate: Any, d_arrivals: Any,
    floats: Any, ints: Any,
) -> None:  # fmt: skip
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    segments, people = n[5], n[9]
    position, inside = floats[ints[POSITION] : ints[POSITION + 1]], floats[ints[INSIDE] : ints[INSIDE + 1]]
    has = floats[ints[HAS] + 4 * b : ints[HAS] + 4 * b + 4]
    ratio, captured, missing = ints[ints[RATIO] + b], ints[ints[CAPTURED] + b], ints[ints[MISSING] + b]
    share, d_share, d_loss = np.empty(4), np.zeros(4), np.empty(segments)
    wcm = split_shares(theta, has, ratio, captured, missing, share)
    for s in range(segments):
        mean = 0.0
        for k in range(people):
            mean += d_state[(b * people + k) * (segments + 1) + 1 + s] * saved[4 + k, s]
        d_loss[s] = mean
        for k in range(people):
            tilt = ints[ints[BOUNDED_TILT] + b * people + k]
            d = saved[3, s] * (d_state[(b * people + k) * (segments + 1) + 1 + s] - mean)
            d_share[ints[ints[PEOPLE] + k]] += d * saved[4 + people + k, s]
            if tilt >= 0:
                d_theta[tilt] += d * saved[4 + k, s] * position[s]
    back_shares(d_share, has, ratio, captured, missing, wcm, d_theta)
    d_x, d_g = np.empty(segments), np.empty(segments)
    place = ints[ints[BOUNDED_SIZED] + b]
    back_bounded(d_loss, saved[1], arrivals[place], saved[2], d_x, d_arrivals[place])
    at = ints[ints[SHARE] + b]
    hazard, total = _softplus(theta[at]), 0.0
    for s in range(segments):
        total += d_x[s] * saved[0, s]
        d_g[s] = d_x[s] * hazard
    d_theta[at] += total * _sigmoid(theta[at])
    back_normalise(d_g, saved[0], inside, position, d_log_rate[ints[ints[BOUNDED_FORCE] + b]])


@inner
def _free_total(k: int, theta: Any, ints: Any) -> float:
    ratio = ints[ints[FREE_RATIO] + k]
    return math.exp(theta[ints[ints[FREE_TOTAL] + k]] + (theta[ratio] if ratio >= 0 else 0.0))


@inner
def _free_forward(k: int, theta: Any, log_rate: Any, path: Any, state: Any, floats: Any, ints: Any) -> None:
    """Fill the cumulative count of one outcome with a total of its own."""
    days, position = floats[ints[DAYS] : ints[DAYS + 1]], floats[ints[POSITION] : ints[POSITION + 1]]
    tilt = ints[ints[FREE_TILT] + k]
    inside = floats[ints[INSIDE] : ints[INSIDE + 1]]
    normalise(log_rate[ints[ints[FREE_FORCE] + k]], theta[tilt] if tilt >= 0 else 0.0, position, days, inside, path)
    total = _free_total(k, theta, ints)
    for s in range(len(path)):
        state[s + 1] = state[s] + total * path[s]


@inner
def _free_backward(
    k: int, theta: Any, path: Any, d_increment: Any, d_theta: Any, d_log_rate: Any, floats: Any, ints: Any
) -> None:
    position, inside = floats[ints[POSITION] : ints[POSITION + 1]], floats[ints[INSIDE] : ints[INSIDE + 1]]
    count, d_total = _free_total(k, theta, ints), 0.0
    d_g = np.empty(len(path))
    for s in range(len(path)):
        d_total += d_increment[s] * path[s]
        d_g[s] = d_increment[s] * count
    d_theta[ints[ints[FREE_TOTAL] + k]] += d_total * count
    ratio, tilt = ints[ints[FREE_RATIO] + k], ints[ints[FREE_TILT] + k]
    if ratio >= 0:
        d_theta[ratio] += d_total * count
    d_tilt = back_normalise(d_g, path, inside, position, d_log_rate[ints[ints[FREE_FORCE] + k]])
    if tilt >= 0:
        d_theta[tilt] += d_tilt


@inner
def _rows(
    theta: Any, effects: Any, statement: Any, state: Any, d_theta: Any, d_effects: Any, d_statement: Any, d_state: Any,
    floats: Any, ints: Any,
) -> float:  # fmt: skip
    """Return the log likelihood of all rows, readings of roles averaged, and add its derivatives."""
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    terms, rows, readings = n[13], n[14], n[15]
    lift, d_bias = np.zeros(terms), np.zeros(terms)
    for t in range(terms):
        lift[t] = math.exp(_bias(t, theta, effects, n, ints))
    tops, wholes = _believe(TOP_START, rows, state, lift, ints), _believe(WHOLE_START, rows, state, lift, ints)
    # Derivatives by belief, core noise, outlier factor, probability, wording; of the belief by numerator, denominator.
    slopes, by_reading, weight = np.empty((7, rows)), np.zeros(readings), np.ones(readings)
    _rows_forward(theta, statement, tops, wholes, by_reading, slopes, floats, ints)
    value = _mix_readings(by_reading, weight, n[16], floats, ints)
    _rows_backward(theta, statement, weight, slopes, d_theta, d_statement, floats, ints)
    _believe_backward(TOP_START, slopes[5], state, lift, d_state, d_bias, ints)
    _believe_backward(WHOLE_START, slopes[6], state, lift, d_state, d_bias, ints)
    for t in range(terms):
        _bias_backward(t, d_bias[t], theta, effects, n, d_theta, d_effects, ints)
    return value


@inner
def _mix_readings(by_reading: Any, weight: Any, mixtures: int, floats: Any, ints: Any) -> float:
    """Return the log likelihood of all readings, those of one role averaged; fill the weight of each."""
    readings, total = len(by_reading), 0.0
    for k in range(readings):
        if ints[ints[GROUP] + k] < 0:
            total += by_reading[k]
    for group in range(mixtures):
        top = -np.inf
        for k in range(readings):
            if ints[ints[GROUP] + k] == group:
                top = max(top, by_reading[k] + floats[ints[LOG_WEIGHT] + k])
        mass = 0.0
        for k in range(readings):
            if ints[ints[GROUP] + k] == group:
                weight[k] = math.exp(by_reading[k] + floats[ints[LOG_WEIGHT] + k] - top)
                mass += weight[k]
        for k in range(readings):
            if ints[ints[GROUP] + k] == group:
                weight[k] /= mass
        total += top + math.log(mass)
    return total


@inner
def _bias(t: int, theta: Any, effects: Any, n: Any, ints: Any) -> float:
    total = 0.0
    if ints[ints[ROLE] + t] >= 0:
        total += theta[ints[ints[ROLE] + t]]
    for k in range(3):
        place = ints[ints[IN_WAR + k] + t]
        if place >= 0:
            total += theta[n[19 + k]] * effects[place]
    return total


@inner
def _bias_backward(t: int, d: float, theta: Any, effects: Any, n: Any, d_theta: Any, d_effects: Any, ints: Any) -> None:
    if ints[ints[ROLE] + t] >= 0:
        d_theta[ints[ints[ROLE] + t]] += d
    for k in range(3):
        place = ints[ints[IN_WAR + k] + t]
        if place >= 0:
            d_theta[n[19 + k]] += d * effects[place]
            d_effects[place] += d * theta[n[19 + k]]


@inner
def _believe(first: int, rows: int, state: Any, lift: Any, ints: Any) -> Any:
    """Return the sum that each row speaks of, 1 for one without parts.

    `first` is the field of where each row's parts start, before those of their terms and places in the state; `lift`
    is exp(bias).
    """
    start, term = ints[ints[first] : ints[first + 1]], ints[ints[first + 1] : ints[first + 2]]
    until, since = ints[ints[first + 2] : ints[first + 3]], ints[ints[first + 3] : ints[first + 4]]
    believed = np.ones(rows)
    for r in range(rows):
        if start[r] < start[r + 1]:
            believed[r] = 0.0
            for p in range(start[r], start[r + 1]):
                believed[r] += (state[until[p]] - state[since[p]]) * lift[term[p]]
    return believed


@inner
def _believe_backward(first: int, slope: Any, state: Any, lift: Any, d_state: Any, d_bias: Any, ints: Any) -> None:
    """Carry the derivative by what each row speaks of back to the state and the biases."""
    start, term = ints[ints[first] : ints[first + 1]], ints[ints[first + 1] : ints[first + 2]]
    until, since = ints[ints[first + 2] : ints[first + 3]], ints[ints[first + 3] : ints[first + 4]]
    for r in range(len(slope)):
        for p in range(start[r], start[r + 1]):
            d = slope[r] * lift[term[p]]
            d_state[until[p]] += d
            d_state[since[p]] -= d
            d_bias[term[p]] += d * (state[until[p]] - state[since[p]])


@inner
def _centre(top: float, whole: float, is_share: int, is_capped: int, cap: float) -> tuple[float, float, float]:
    """Return a row's belief on its own scale, and its derivatives by the logs of numerator and denominator."""
    if is_share == 0:
        return math.log(top), 1.0, 0.0
    ratio = math.log(top) - math.log(whole)
    if is_capped:
        log_share, slope = -_softplus(-cap * ratio) / cap, _sigmoid(-cap * ratio)
    else:
        log_share, slope = min(ratio, -1e-12), 1.0
    rest = -math.expm1(log_share)
    return log_share - math.log(rest), slope / rest, -slope / rest


@inner
def _term(
    form: int, gaps: tuple[float, float, float], sign: float, s: float, mean: float
) -> tuple[float, float, float, float, float]:
    """Return the term of a row's form at the gaps of the number said, and of its cell's edges, to the belief."""
    point, lower, upper = gaps
    if form == 1:
        return cell_term(lower, upper, s)
    if form == 0:
        return density_term(point, s)
    e, f, d_t, d_s, d_m = worded_term(sign * point, s, mean)
    return e, f, -sign * d_t, d_s, d_m


@inner
def _rows_forward(
    theta: Any, statement: Any, tops: Any, wholes: Any, by_reading: Any, slopes: Any, floats: Any, ints: Any
) -> None:
    """Add up the log likelihood of the rows of each reading, and fill their slopes (see `_rows`)."""
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    cap, floor = floats[ints[CONSTANTS]], floats[ints[CONSTANTS] + 1]
    reading, form = ints[ints[READING] : ints[READING + 1]], ints[ints[FORM] : ints[FORM + 1]]
    is_share, is_capped = ints[ints[IS_SHARE] : ints[IS_SHARE + 1]], ints[ints[IS_CAPPED] : ints[IS_CAPPED + 1]]
    statements, is_prior = ints[ints[STATEMENT] : ints[STATEMENT + 1]], ints[ints[IS_PRIOR] : ints[IS_PRIOR + 1]]
    reference = ints[ints[REFERENCE_NOISE] : ints[REFERENCE_NOISE + 1]]
    noises, wording = ints[ints[NOISE] : ints[NOISE + 1]], ints[ints[WORDING] : ints[WORDING + 1]]
    contaminated = ints[ints[CONTAMINATED] : ints[CONTAMINATED + 1]]
    own_sd, log_width = floats[ints[OWN_SD] : ints[OWN_SD + 1]], floats[ints[LOG_WIDTH] : ints[LOG_WIDTH + 1]]
    lower, upper = floats[ints[LOWER] : ints[LOWER + 1]], floats[ints[UPPER] : ints[UPPER + 1]]
    point, signs = floats[ints[POINT] : ints[POINT + 1]], floats[ints[SIGN] : ints[SIGN + 1]]
    p, factor = theta[n[17]], theta[n[18]]
    q = max(p, _LEAST)
    log_rest, log_q = math.log1p(-p), math.log(q)
    for r in range(len(tops)):
        centre, d_top, d_whole = _centre(tops[r], wholes[r], is_share[r], is_capped[r], cap)
        slopes[5, r], slopes[6, r] = d_top / tops[r], d_whole / wholes[r]
        value, number, sign = log_width[r], statements[r], signs[r]
        if number >= 0:
            shared = max(theta[reference[number]], floor)
            centre += (-shared if is_prior[r] else shared) * statement[number]
            if is_prior[r]:
                value += math.log(shared)
        mean = max(theta[wording[r]], 1e-6) if form[r] == 2 else 1.0
        base = max(theta[noises[r]], floor) if noises[r] >= 0 else floor
        gaps = point[r] - centre, lower[r] - centre, upper[r] - centre
        s = math.sqrt(base * base + own_sd[r] * own_sd[r])
        e, f, d_belief, d_s, d_m = _term(form[r], gaps, sign, s, mean)
        if not contaminated[r]:
            slopes[0, r], slopes[1, r], slopes[4, r] = d_belief, d_s * base / s, d_m
            slopes[2, r] = slopes[3, r] = 0.0
            by_reading[reading[r]] += value + e + math.log(f)
            continue
        far = math.sqrt(factor * factor * base * base + own_sd[r] * own_sd[r])
        e2, f2, d_belief2, d_s2, d_m2 = _term(form[r], gaps, sign, far, mean)
        e, e2 = e + log_rest, e2 + log_q  # not as factors: a mass of 1e-130 times the least probability is zero
        if e >= e2:
            value, f2 = value + e, f2 * math.exp(e2 - e)
        else:
            value, f = value + e2, f * math.exp(e - e2)
        both = f + f2
        by_reading[reading[r]] += value + math.log(both)
        w, w2 = f / both, f2 / both
        slopes[0, r] = w * d_belief + w2 * d_belief2
        slopes[1, r] = w * d_s * base / s + w2 * d_s2 * factor * factor * base / far
        slopes[2, r] = w2 * d_s2 * factor * base * base / far
        slopes[3, r] = w2 / q - w / (1 - p)
        slopes[4, r] = w * d_m + w2 * d_m2


@inner
def _rows_backward(
    theta: Any, statement: Any, weight: Any, slopes: Any, d_theta: Any, d_statement: Any, floats: Any, ints: Any
) -> None:
    """Carry the slopes of all rows, times the weight of their readings, back to the parameters and statements.

    What is left in `slopes` is the derivative by numerator and denominator.
    """
    n = ints[ints[SIZES] : ints[SIZES + 1]]
    floor = floats[ints[CONSTANTS] + 1]
    reading, statements = ints[ints[READING] : ints[READING + 1]], ints[ints[STATEMENT] : ints[STATEMENT + 1]]
    is_prior = ints[ints[IS_PRIOR] : ints[IS_PRIOR + 1]]
    reference = ints[ints[REFERENCE_NOISE] : ints[REFERENCE_NOISE + 1]]
    noises, wording = ints[ints[NOISE] : ints[NOISE + 1]], ints[ints[WORDING] : ints[WORDING + 1]]
    d_factor, d_probability = 0.0, 0.0
    for r in range(slopes.shape[1]):
        by = weight[reading[r]]
        d_centre, number = by * slopes[0, r], statements[r]
        if number >= 0:
            at = reference[number]
            shared, d_error = max(theta[at], floor), -d_centre if is_prior[r] else d_centre
            d_statement[number] += d_error * shared
            if theta[at] > floor:
                d_theta[at] += d_error * statement[number] + (by / shared if is_prior[r] else 0.0)
        if noises[r] >= 0 and theta[noises[r]] > floor:
            d_theta[noises[r]] += by * slopes[1, r]
        d_factor += by * slopes[2, r]
        d_probability += by * slopes[3, r]
        if wording[r] >= 0:
            d_theta[wording[r]] += by * slopes[4, r]
        slopes[5, r] *= d_centre
        slopes[6, r] *= d_centre
    d_theta[n[18]] += d_factor
    d_theta[n[17]] += d_probability


@compiled
def log_density_many(x: Any, grad: Any, floats: Any, ints: Any) -> float:
    """Return the log posterior density of several designs that share parameters, and fill its gradient.

    The first of `x` are standard normals behind the shared parameters: mean + root x on their normal scales. Each
    design finds its own unconstrained vector by its slots; what it shares is not counted a second time.
    """
    mean, root = floats[ints[MEAN] : ints[MEAN + 1]], floats[ints[ROOT] : ints[ROOT + 1]]
    starts, lengths = ints[ints[STARTS] : ints[STARTS + 1]], ints[ints[LENGTHS] : ints[LENGTHS + 1]]
    slots, shared = ints[ints[SLOTS] : ints[SLOTS + 1]], len(mean)
    u, value, place = x.copy(), 0.0, 0
    for i in range(shared):
        u[i] = mean[i]
        for j in range(i + 1):
            u[i] += root[i * shared + j] * x[j]
        value -= 0.5 * x[i] * x[i] + _LOG_SQRT_2PI
    d_u = np.zeros(len(x))
    for piece in range(len(lengths)):
        own = slots[place : place + lengths[piece]]
        place += lengths[piece]
        local, d_local = np.empty(len(own)), np.zeros(len(own))
        for k in range(len(own)):
            local[k] = u[own[k]]
        first, last = ints[PIECES] + starts[piece], ints[PIECES] + starts[piece + 1]
        value += log_density(local, d_local, floats[first:last], ints[first:last])
        for k in range(len(own)):
            d_u[own[k]] += d_local[k]
    for k in range(shared, len(x)):
        grad[k] = d_u[k]
    for j in range(shared):
        grad[j] = -x[j]
        for i in range(j, shared):
            grad[j] += root[i * shared + j] * d_u[i]
    return value


@cache
def compile_density() -> Any:
    """Return the density as machine code that the sampler calls: (n, x, grad, log density, buffer) -> status.

    The number of fields in the buffer tells whether it holds one design or several.
    """
    pointer = types.CPointer(types.double)
    signature = types.int64(types.uint64, pointer, pointer, pointer, types.voidptr)

    def density(n, x_, grad_, value_, buffer_):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        head = numba.carray(buffer_, (1,), np.int64)
        fields = head[0] - 1
        length = numba.carray(buffer_, (fields + 1,), np.int64)[fields]
        floats = numba.carray(buffer_, (length,), np.float64)
        ints = numba.carray(buffer_, (length,), np.int64)
        x, grad = numba.carray(x_, (n,)), numba.carray(grad_, (n,))
        value = log_density_many(x, grad, floats, ints) if fields == PIECES + 1 else log_density(x, grad, floats, ints)
        numba.carray(value_, (1,))[0] = value
        if not math.isfinite(value):
            return 4
        for k in range(n):
            if not math.isfinite(grad[k]):
                return 3
        return 0

    return compile_callback(density, signature, error_model="numpy")
