"""The array namespace in which numpy stands in for PyTensor: the same names, the same meanings."""

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


NUMPY = _NumPy()
