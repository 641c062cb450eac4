"""The parameters and latents from the unconstrained vector: their links, their log densities, and the way back."""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import copy, floats_of, index_of, inner, ints_of, reserve, reserve_zeros, size_of
from sim.model.density.codes import Common, Family, Field, Size
from sim.model.density.terms import sigmoid, softplus

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_LOG_2 = math.log(2.0)


@inner
def constrain(family: int, a: float, b: float, x: float) -> tuple[float, float]:
    """Return a parameter and its derivative with respect to the unconstrained `x` (PyMC's default transforms)."""
    if family in (Family.Normal, Family.StudentT):
        return x, 1.0
    if family in (Family.Beta, Family.LogitNormal):
        y = sigmoid(x)
        return y, y * (1 - y)
    if family == Family.Uniform:
        y = sigmoid(x)
        return a + (b - a) * y, (b - a) * y * (1 - y)
    y = math.exp(x)
    return y, y


@inner
def prior_density(family: int, a: float, b: float, c: float, x: float) -> tuple[float, float]:
    """Return the log density of a parameter at the unconstrained `x`, Jacobian included, and its derivative.

    `a`, `b`, `c` are the family's arguments in the order of `sim.case.families`.
    """
    if family in (Family.Normal, Family.LogNormal, Family.LogitNormal):  # the Jacobians leave a normal of x
        z = (x - a) / b
        return -0.5 * z * z - math.log(b) - _LOG_SQRT_2PI, -z / b
    if family == Family.HalfNormal:
        z = math.exp(x) / a
        return _LOG_2 - 0.5 * z * z - math.log(a) - _LOG_SQRT_2PI + x, 1 - z * z
    if family == Family.HalfCauchy:
        z = math.exp(x) / a
        return _LOG_2 - math.log(math.pi * a) - math.log1p(z * z) + x, 1 - 2 * z * z / (1 + z * z)
    if family == Family.Beta:
        y = sigmoid(x)
        log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        return -a * softplus(-x) - b * softplus(x) - log_beta, a - (a + b) * y
    if family == Family.Uniform:
        return -softplus(-x) - softplus(x), 1 - 2 * sigmoid(x)
    if family == Family.Exponential:
        y = math.exp(x)
        return math.log(a) - a * y + x, 1 - a * y
    if family == Family.Gamma:
        y = math.exp(x)
        return a * math.log(b) - math.lgamma(a) + a * x - b * y, a - b * y
    # StudentT: a = nu, b = mu, c = sigma
    z = (x - b) / c
    constant = math.lgamma((a + 1) / 2) - math.lgamma(a / 2) - 0.5 * math.log(math.pi * a) - math.log(c)
    return constant - (a + 1) / 2 * math.log1p(z * z / a), -(a + 1) * z / (a + z * z) / c


@inner
def run_priors(x: Any, grad: Any, theta: Any, slope: Any, work: Any, floats: Any, ints: Any) -> float:
    """Fill the parameters, and the gradient of their priors; return the log density of these.

    Those of a joint prior are standard normals in `x`, correlated before they are constrained. One that is `apparent`
    (a total as a source sees it) is left as it is: its prior is evaluated where it has become the total.
    """
    family, arguments = ints_of(ints, Field.FAMILY), floats_of(floats, ints, Field.ARGUMENTS)
    counts, apparent = floats_of(floats, ints, Field.COUNTS), ints_of(ints, Field.APPARENT)
    joint, mean = ints_of(ints, Field.JOINT), floats_of(floats, ints, Field.JOINT_MEAN)
    root = floats_of(floats, ints, Field.JOINT_ROOT)
    u, is_joint, value, free = reserve(work, len(x)), reserve_zeros(work, len(x)), 0.0, 0
    copy(x, u)
    for i in range(len(joint)):
        u[joint[i]] = mean[i]
        for j in range(i + 1):
            u[joint[i]] += root[i * len(joint) + j] * x[joint[j]]
        is_joint[joint[i]] = 1.0
    for p in range(len(family)):
        a, b, c = arguments[3 * p], arguments[3 * p + 1], arguments[3 * p + 2]
        if family[p] == Family.Fixed:
            theta[p] = a
            continue
        theta[p], slope[p] = constrain(family[p], a, b, u[free])
        if is_joint[free] > 0:
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
def back_priors(grad: Any, d_theta: Any, slope: Any, work: Any, floats: Any, ints: Any) -> None:
    """Carry the derivative by the parameters back to the unconstrained vector."""
    family, free = ints_of(ints, Field.FAMILY), 0
    joint, root = ints_of(ints, Field.JOINT), floats_of(floats, ints, Field.JOINT_ROOT)
    d_u = reserve_zeros(work, len(grad))
    for p in range(len(family)):
        if family[p] != Family.Fixed:
            d_u[free] = d_theta[p] * slope[p]
            free += 1
    for i in range(len(joint)):
        for j in range(i + 1):
            grad[joint[j]] += root[i * len(joint) + j] * d_u[joint[i]]
        d_u[joint[i]] = 0.0
    for k in range(free):
        grad[k] += d_u[k]


@inner
def standardise_effects(effects: Any, theta: Any, centred: Any) -> float:
    """Divide the centred effects by their scales, and return the log of what that makes of a density."""
    value = 0.0
    for k in range(len(effects)):
        if centred[k] >= 0:
            effects[k] /= theta[centred[k]]
            value -= math.log(theta[centred[k]])
    return value


@inner
def back_standardise(effects: Any, theta: Any, d_effects: Any, d_theta: Any, centred: Any) -> None:
    """Carry the derivative by the standard normals back to the centred effects and their scales."""
    for k in range(len(effects)):
        if centred[k] >= 0:
            d_effects[k] /= theta[centred[k]]
            d_theta[centred[k]] -= d_effects[k] * effects[k] + 1 / theta[centred[k]]


@inner
def run_latents(x: Any, grad: Any, free: int, theta: Any, d_theta: Any, floats: Any, ints: Any) -> float:
    """Return the log density of walks and effects, and fill its gradient.

    All are standard normals, but for the effects of roles in this war and of sources: with the probability
    `outlier.source` one is wider by `outlier.factor`.
    """
    walks, counts = size_of(ints, Size.WALKS), floats_of(floats, ints, Field.COUNTS)[free:]
    after = walks + size_of(ints, Size.WIDE_EFFECTS)
    at_q, at_factor = index_of(ints, Common.OUTLIER_SOURCE), index_of(ints, Common.OUTLIER_FACTOR)
    q, factor, value = theta[at_q], theta[at_factor], 0.0
    log_q, log_rest, log_factor = math.log(q), math.log1p(-q), math.log(factor)
    for k in range(len(x)):
        core = -0.5 * x[k] * x[k] - _LOG_SQRT_2PI
        if q <= 0.0 or k < walks or k >= after:
            value += counts[k] * core
            grad[k] = -counts[k] * x[k]
            continue
        z = x[k] / factor
        near = log_rest + core
        wide = -0.5 * z * z - _LOG_SQRT_2PI - log_factor
        far = log_q + wide
        both = max(near, far) + math.log1p(math.exp(-abs(near - far)))
        w = counts[k] * math.exp(far - both)
        value += counts[k] * both
        grad[k] = -(counts[k] - w) * x[k] - w * z / factor
        d_theta[at_q] += counts[k] * (math.exp(wide - both) - math.exp(core - both))
        d_theta[at_factor] += w * (z * z - 1) / factor
    return value
