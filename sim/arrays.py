"""The array namespaces in which the model is written once: numpy for draws, PyTensor for the sampler's graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


class _NumPy:
    """numpy with the special functions that the likelihood needs."""

    erfc = staticmethod(special.erfc)
    erfcx = staticmethod(special.erfcx)

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
