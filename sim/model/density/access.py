"""How the buffer is read, and how functions are compiled.

The buffer comes as two views, `floats` and `ints`, of the same slots. Its head, which `ints` reads, says where each
field begins. Every accessor is inlined: a field costs as much as an array of its own.

No part of the density takes memory: what it works in is one array (`reserve`), which the outermost function makes. So
the parts need not count who holds an array (`_nrt`), which of a small case took a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from sim.model.density.codes import Field
from sim.system.code_cache import compile_function

_PART = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls too, and keep its machine code on disk.

    Division by zero gives an infinity, which the sampler takes for a point outside the support.
    """
    kept: F = compile_function(function, error_model="numpy")
    return kept


def inner[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that is a part of others alone: it needs no wrapper for Python and is not kept by itself."""
    part: F = numba.njit(error_model="numpy", **_PART)(function)
    return part


def inline[F: Callable[..., Any]](function: F) -> F:
    """Put the lines of a function where it is called: the only way to an array that is part of another."""
    part: F = numba.njit(error_model="numpy", inline="always", **_PART)(function)
    return part


def outer[F: Callable[..., Any]](function: F) -> F:
    """Put the lines of a function, which may take memory, into the callback.

    Called as a function of its own, all that it calls would be optimised once more with it.
    """
    part: F = numba.njit(error_model="numpy", inline="always")(function)
    return part


@inline
def ints_of(ints: Any, field: int) -> Any:
    """Return a field of whole numbers."""
    return ints[ints[field] : ints[field + 1]]


@inline
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


@inline
def reserve(work: Any, count: int) -> Any:
    """Return the next so many floats of the workspace, of which the first says where they begin.

    None is written beyond its end, whatever was counted.
    """
    first = int(work[0])
    if first + count > len(work):
        raise MemoryError("the workspace of the density is too small")
    work[0] = first + count
    return work[first : first + count]


@inner
def copy(values: Any, into: Any) -> None:
    """Copy an array into another; by slices numba would take memory, for the case that they overlap."""
    for k in range(len(into)):
        into[k] = values[k]


@inline
def reserve_zeros(work: Any, count: int) -> Any:
    """Return the next so many floats of the workspace, as zeros."""
    zeros = reserve(work, count)
    zeros[:] = 0.0
    return zeros
