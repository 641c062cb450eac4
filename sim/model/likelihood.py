r"""What one claim says of one belief: wording, rounding and noise, as log densities.

All functions take the array namespace `xp` first, `sim.model.arrays.NUMPY` or `PYTENSOR`, so that the sampler's graph
and the numbers of the summary come from the same equation. With :math:`t` the number said less what the source
believes (on the log scale for counts and ratios, the logit scale for shares), the noise is a contaminated normal,

.. math:: e \sim (1 - p)\,N(0, s^2 + w^2) + p\,N(0, k^2 s^2 + w^2),

with s the noise of the source's role and w the error that the source itself gave,
and each function below is the log density or log mass of one form of wording, for a single component :math:`N(0, s^2)`;
`mix_components` adds the two. Arguments broadcast against each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_LOG_SQRT_2PI = 0.5 * float(np.log(2 * np.pi))
_SQRT_2 = float(np.sqrt(2.0))
NEVER = -1e6  # the log of a probability of zero, finite so that its gradient is


def log_density(xp: Any, t: Any, s: Any) -> Any:
    """Return the log density of N(0, s^2) at `t`."""
    return -0.5 * xp.square(t / s) - xp.log(s) - _LOG_SQRT_2PI


def log_cdf(xp: Any, z: Any) -> Any:
    """Return log Phi(z), exact in both tails.

    Both branches are evaluated at arguments where they are finite, so that the gradient of the one not chosen is too.
    """
    below, above = xp.minimum(z, 0.0), xp.maximum(z, 0.0)
    lower = xp.log(0.5 * xp.erfcx(-below / _SQRT_2)) - 0.5 * xp.square(below)
    return xp.where(z < 0, lower, xp.log1p(-0.5 * xp.erfc(above / _SQRT_2)))


def log_cell(xp: Any, lower: Any, upper: Any, s: Any) -> Any:
    r"""Return the log mass of N(0, s^2) between `lower` and `upper`, by CDFs in the nearer tail.

    .. math:: \log\{\Phi(b) - \Phi(a)\} = \log\Phi(b) + \log\{1 - e^{\log\Phi(a) - \log\Phi(b)}\}

    with the cell mirrored to lie mostly below zero. Infinite edges are given as +-1e6 standard deviations or more.
    """
    a, b = lower / s, upper / s
    mirror = a + b > 0
    a, b = xp.where(mirror, -b, a), xp.where(mirror, -a, b)
    log_b = log_cdf(xp, b)
    return log_b + xp.log(-xp.expm1(log_cdf(xp, a) - log_b))


def log_understated(xp: Any, t: Any, s: Any, mean: Any) -> Any:
    r"""Return the log density at `t` of e - d, e ~ N(0, s^2), d exponential with that mean.

    "More than x" understates what the source believes by exp(d); so does a count of those found so far. "At most"
    overstates: give -t. An exponentially modified normal (Grushka 1972, doi 10.1021/ac60319a011), in the form that is
    stable on either side:

    .. math:: f(t) = \frac{1}{2 m} e^{-t^2/2s^2}\,\mathrm{erfcx}(q), \quad q = (t/s + s/m)/\sqrt 2.
    """
    q = (t / s + s / mean) / _SQRT_2
    right, left = xp.maximum(q, 0.0), xp.minimum(q, 0.0)
    above = xp.log(0.5 * xp.erfcx(right)) - 0.5 * xp.square(t / s)
    below = xp.log1p(-0.5 * xp.erfc(-left)) + t / mean + 0.5 * xp.square(s / mean)
    return xp.where(q > 0, above, below) - xp.log(mean)


def mix_components(xp: Any, core: Any, outlier: Any, log_core: Any, log_outlier: Any) -> Any:
    """Return log{(1 - p) exp(core) + p exp(outlier)}, with log(1 - p) and log p given."""
    first, second = core + log_core, outlier + log_outlier
    return xp.maximum(first, second) + xp.log1p(xp.exp(-xp.abs(first - second)))
