"""The array namespaces in which the model is written once: numpy for draws, PyTensor for the referee's graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

BLOCK = 250


class _NumPy:
    """numpy with the special functions that the likelihood needs."""

    erfc = staticmethod(special.erfc)
    erfcx = staticmethod(special.erfcx)
    gammaln = staticmethod(special.gammaln)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def decay(x: Any, inflow: Any) -> Any:
        """Return S_j = exp(-x_j) S_{j-1} + inflow_j along the last axis, from S = 0."""
        out, stay = np.empty_like(inflow), np.exp(-x)
        before = np.zeros(inflow.shape[:-1])
        for segment in range(inflow.shape[-1]):
            before = stay[..., segment] * before + inflow[..., segment]
            out[..., segment] = before
        return out


class _PyTensor:
    """PyTensor's tensors; imported only when it is asked for something."""

    def __getattr__(self, name: str) -> Any:
        import pytensor.tensor as pt

        return getattr(pt, name)

    @staticmethod
    def decay(x: Any, inflow: Any) -> Any:
        """Return the same as a sum over what came in before: no loop in the graph, and no exponent above zero."""
        import pytensor.tensor as pt

        passed = pt.cumsum(x, axis=-1)
        gap = passed[..., :, None] - passed[..., None, :]
        order = pt.arange(x.shape[-1])
        kept = pt.where(order[:, None] >= order[None, :], pt.exp(-pt.maximum(gap, 0.0)), 0.0)
        return pt.sum(kept * inflow[..., None, :], axis=-1)


NUMPY = _NumPy()
PYTENSOR = _PyTensor()


def map_draws(function: Callable[[slice], NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    """Return what a function makes of `count` draws, BLOCK of them at a time, so that what it needs meanwhile is small.

    Parameters
    ----------
    function : callable
        From a slice of the draws to an array whose first axis is these draws.
    count : int
    """
    first = function(slice(0, BLOCK))
    found = np.empty((count, *first.shape[1:]))
    found[:BLOCK] = first
    for start in range(BLOCK, count, BLOCK):
        found[start : start + BLOCK] = function(slice(start, start + BLOCK))
    return found
