"""How the buffer is read, and how functions are compiled.

The buffer comes as two views, `floats` and `ints`, of the same slots. Its head, which `ints` reads, says where each
field begins. Every accessor is inlined: a field costs as much as an array of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from sim.model.density.codes import Field
from sim.system.code_cache import compile_function


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls too, and keep its machine code on disk.

    Division by zero gives an infinity, which the sampler takes for a point outside the support.
    """
    kept: F = compile_function(function, error_model="numpy")
    return kept


def inner[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that is a part of others alone: it needs no wrapper for Python and is not kept by itself."""
    part: F = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return part


@inner
def ints_of(ints: Any, field: int) -> Any:
    """Return a field of whole numbers."""
    return ints[ints[field] : ints[field + 1]]


@inner
def floats_of(floats: Any, ints: Any, field: int) -> Any:
    """Return a field of floats."""
    return floats[ints[field] : ints[field + 1]]


@inner
def int_at(ints: Any, field: int, position: int) -> int:
    """Return one element of a field of whole numbers."""
    found: int = ints[ints[field] + position]
    return found


@inner
def size_of(ints: Any, size: int) -> int:
    """Return how many there are of what `codes.Size` names."""
    return int_at(ints, Field.SIZES, size)


@inner
def index_of(ints: Any, common: int) -> int:
    """Return where a parameter that `codes.Common` names stands in theta."""
    return int_at(ints, Field.COMMON, common)


@inner
def constant_of(floats: Any, ints: Any, constant: int) -> float:
    """Return a number that `codes.Constant` names."""
    found: float = floats[ints[Field.CONSTANTS] + constant]
    return found
