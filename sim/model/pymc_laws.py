"""The laws of what is said, as PyMC takes them: the log density of a claim, and how it would be said again.

`core` and `s` are mean and standard deviation of the first component of the noise, `expected` and `wide` those of the
second and `p` its probability, `log_width` the measure of a narrow cell. The means differ where a number is read given
the next one of its source.
"""

from __future__ import annotations

from typing import Any

from sim.model.arrays import PYTENSOR
from sim.model.likelihood import NEVER, log_cell, log_density, log_understated, mix_components

LEAST = 1e-300  # stands for a probability of zero


def _mix(core: Any, wide: Any, p: Any, log_width: Any) -> Any:
    never = PYTENSOR.where(p > 0, PYTENSOR.maximum(PYTENSOR.log(PYTENSOR.maximum(p, LEAST)), NEVER), NEVER)
    return mix_components(PYTENSOR, core, wide, PYTENSOR.log1p(-p), never) + log_width


def _said_rounded(
    said: Any, core: Any, expected: Any, s: Any, wide: Any, p: Any, log_width: Any, below: Any, above: Any
) -> Any:
    lower, upper = said + below, said + above
    near = log_cell(PYTENSOR, lower - core, upper - core, s)
    return _mix(near, log_cell(PYTENSOR, lower - expected, upper - expected, wide), p, log_width)


def _said_exactly(said: Any, core: Any, expected: Any, s: Any, wide: Any, p: Any, log_width: Any) -> Any:
    return _mix(log_density(PYTENSOR, said - core, s), log_density(PYTENSOR, said - expected, wide), p, log_width)


def _said_as_bound(
    said: Any,
    core: Any,
    expected: Any,
    s: Any,
    wide: Any,
    p: Any,
    log_width: Any,
    mean: Any,
    sign: Any,
    is_carried: Any,
) -> Any:
    near = log_understated(PYTENSOR, sign * (said - core), s, mean)
    near = PYTENSOR.where(is_carried > 0, log_density(PYTENSOR, said - core, s), near)
    return _mix(near, log_understated(PYTENSOR, sign * (said - expected), wide, mean), p, log_width)


LAWS = {"rounded": _said_rounded, "exactly": _said_exactly, "as_bound": _said_as_bound}


def say(core: Any, expected: Any, s: Any, wide: Any, p: Any, *rest: Any) -> Any:
    """Return the law of what would be said again, before rounding; PyMC gives the size last."""
    import pymc as pm

    is_wide = pm.Bernoulli.dist(p, size=rest[-1])
    return pm.Normal.dist(PYTENSOR.where(is_wide, expected, core), PYTENSOR.where(is_wide, wide, s), size=rest[-1])


def say_bound(*terms: Any) -> Any:
    """Return the same of a number that is less, or more, than what is believed, by its wording."""
    import pymc as pm

    core, expected, s, wide, p, _, mean, sign, is_carried, size = terms
    is_wide = pm.Bernoulli.dist(p, size=size)
    said = pm.Normal.dist(PYTENSOR.where(is_wide, expected, core), PYTENSOR.where(is_wide, wide, s), size=size)
    short = PYTENSOR.where(is_wide, 1.0, 1.0 - is_carried)  # one that is carried on falls short as its successor does
    return said - short * sign * pm.Exponential.dist(scale=mean, size=size)
