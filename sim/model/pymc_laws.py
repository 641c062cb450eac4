"""The laws of what is said, as PyMC takes them: the log density of a claim, and how it would be said again.

`s` and `wide` are the standard deviations of the two components of the noise, `p` is the probability of the wide one,
`log_width` the measure of a narrow cell.
"""

from __future__ import annotations

from typing import Any

from sim.model.arrays import PYTENSOR
from sim.model.likelihood import NEVER, log_cell, log_density, log_understated, mix_components

LEAST = 1e-300  # stands for a probability of zero


def _mix(core: Any, wide: Any, p: Any, log_width: Any) -> Any:
    never = PYTENSOR.where(p > 0, PYTENSOR.maximum(PYTENSOR.log(PYTENSOR.maximum(p, LEAST)), NEVER), NEVER)
    return mix_components(PYTENSOR, core, wide, PYTENSOR.log1p(-p), never) + log_width


def _said_rounded(said: Any, expected: Any, s: Any, wide: Any, p: Any, log_width: Any, below: Any, above: Any) -> Any:
    edges = said + below - expected, said + above - expected
    return _mix(log_cell(PYTENSOR, *edges, s), log_cell(PYTENSOR, *edges, wide), p, log_width)


def _said_exactly(said: Any, expected: Any, s: Any, wide: Any, p: Any, log_width: Any) -> Any:
    gap = said - expected
    return _mix(log_density(PYTENSOR, gap, s), log_density(PYTENSOR, gap, wide), p, log_width)


def _said_as_bound(said: Any, expected: Any, s: Any, wide: Any, p: Any, log_width: Any, mean: Any, sign: Any) -> Any:
    gap = sign * (said - expected)
    return _mix(log_understated(PYTENSOR, gap, s, mean), log_understated(PYTENSOR, gap, wide, mean), p, log_width)


LAWS = {"rounded": _said_rounded, "exactly": _said_exactly, "as_bound": _said_as_bound}


def say(expected: Any, s: Any, wide: Any, p: Any, *rest: Any) -> Any:
    """Return the law of what would be said again, before rounding; PyMC gives the size last."""
    import pymc as pm

    spread = PYTENSOR.where(pm.Bernoulli.dist(p, size=rest[-1]), wide, s)
    return pm.Normal.dist(expected, spread, size=rest[-1])


def say_bound(*terms: Any) -> Any:
    """Return the same of a number that is less, or more, than what is believed, by its wording."""
    import pymc as pm

    *common, mean, sign, size = terms
    return say(*common, size) - sign * pm.Exponential.dist(scale=mean, size=size)
