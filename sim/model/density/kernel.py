"""The log density of one design, and of several that share parameters, with their gradients."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from sim.model.density.access import copy, floats_of, inner, ints_of, outer, reserve, reserve_zeros, size_of
from sim.model.density.bursts import back_bursts, run_bursts, run_picks
from sim.model.density.codes import Field, Saved, SavedBurst, SharedField, Size, Slope
from sim.model.density.priors import (
    back_priors,
    back_standardise,
    prior_density,
    run_latents,
    run_priors,
    standardise_effects,
)
from sim.model.density.rows import add_bias, back_bias, run_rows
from sim.model.density.state import back_smooth, back_sum_up, count_cells, run_smooth, sum_up
from sim.model.density.tiles import TILE_FLOATS
from sim.system.code_cache import compile_callback

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_SHARED_FIELDS = len(SharedField)
_SAVED_BURST, _SLOPES = len(SavedBurst), len(Slope)


@outer
def log_density(x: Any, grad: Any, floats: Any, ints: Any) -> float:
    """Return the log posterior density at the unconstrained `x`, up to a constant, and fill its gradient.

    Parameters
    ----------
    x, grad : arrays, shape (n,)
        Free parameters, walk, effects, statements, bursts.
    floats, ints : arrays
        Two views of the buffer of `pack_design`.
    """
    work = np.empty(_count_work(len(x), ints))
    work[0] = 1.0
    return _run_density(x, grad, work, floats, ints)


@inner
def _count_work(n: int, ints: Any) -> int:
    """Return the length of the workspace: of all that is reserved, and the one float that says how much is taken."""
    params, rows, segments = size_of(ints, Size.PARAMETERS), size_of(ints, Size.ROWS), size_of(ints, Size.SEGMENTS)
    bounded, personnel, sized = size_of(ints, Size.BOUNDED), size_of(ints, Size.PERSONNEL), size_of(ints, Size.SIZED)
    outcomes, forces, bursts = size_of(ints, Size.FREE), size_of(ints, Size.FORCES), size_of(ints, Size.BURSTS)
    latents = size_of(ints, Size.WALKS) + size_of(ints, Size.EFFECTS)
    of_priors = 3 * params + latents + 3 * (n - latents - size_of(ints, Size.STATEMENTS) - bursts)
    of_state = 3 * count_cells(ints) + 2 * (size_of(ints, Size.STEPS) + 1)
    of_segments = (2 * forces + 2 * sized + outcomes + size_of(ints, Size.BURST_ROWS) + 1) * segments
    of_bounded = bounded * ((Saved.SPLIT + 2 * personnel + 3) * segments + 12)
    of_rows = TILE_FLOATS + (_SLOPES + 4) * rows + 2 * size_of(ints, Size.TERMS) + 2 * size_of(ints, Size.READINGS)
    return 1 + of_priors + of_state + of_segments + of_bounded + of_rows + (_SAVED_BURST + 2) * bursts


@inner
def _run_density(x: Any, grad: Any, work: Any, floats: Any, ints: Any) -> float:
    params, walks, bursts = size_of(ints, Size.PARAMETERS), size_of(ints, Size.WALKS), size_of(ints, Size.BURSTS)
    latents, last = walks + size_of(ints, Size.EFFECTS), len(x) - bursts
    free = last - latents - size_of(ints, Size.STATEMENTS)
    standard, statement, burst = reserve(work, latents), x[free + latents : last], x[last:]
    copy(x[free : free + latents], standard)
    walk, effects = standard[:walks], standard[walks:]
    d_standard, d_statement, d_burst = grad[free : free + latents], grad[free + latents : last], grad[last:]
    d_walk, d_effects = d_standard[:walks], d_standard[walks:]
    theta, slope, d_theta = reserve(work, params), reserve_zeros(work, params), reserve_zeros(work, params)
    family, arguments = ints_of(ints, Field.FAMILY), floats_of(floats, ints, Field.ARGUMENTS)
    apparent, centred = ints_of(ints, Field.APPARENT), ints_of(ints, Field.CENTRED)
    value = run_priors(x[:free], grad[:free], theta, slope, work, floats, ints)
    value += standardise_effects(effects, theta, centred)
    value += run_latents(standard, d_standard, free, theta, d_theta, floats, ints)
    d_statement[:] = 0.0  # its prior is among the rows
    for p in range(params):
        if apparent[p] >= 0:
            theta[p] -= add_bias(apparent[p], theta, effects, ints)
            a, b, c = arguments[3 * p], arguments[3 * p + 1], arguments[3 * p + 2]
            density, d = prior_density(family[p], a, b, c, theta[p])
            value += density
            d_theta[p] += d
    if size_of(ints, Size.ROWS) + bursts > 0:
        segments, cells = size_of(ints, Size.SEGMENTS), count_cells(ints)
        bounded, sized, outcomes = size_of(ints, Size.BOUNDED), size_of(ints, Size.SIZED), size_of(ints, Size.FREE)
        burst_rows, saved_rows = size_of(ints, Size.BURST_ROWS), Saved.SPLIT + 2 * size_of(ints, Size.PERSONNEL)
        state, held, d_state = reserve_zeros(work, cells), reserve_zeros(work, cells), reserve_zeros(work, cells)
        arrivals = reserve_zeros(work, sized * segments).reshape((sized, segments))
        saved = reserve(work, bounded * saved_rows * segments).reshape((bounded, saved_rows, segments))
        paths = reserve(work, outcomes * segments).reshape((outcomes, segments))
        smooth = reserve(work, burst_rows * segments).reshape((burst_rows, segments))
        shares = reserve(work, _SAVED_BURST * bursts).reshape((_SAVED_BURST, bursts))
        run_smooth(theta, walk, state, arrivals, saved, paths, work, floats, ints)
        value += run_bursts(theta, burst, state, smooth, shares, floats, ints)
        sum_up(state, held, ints)
        value += run_rows(
            theta, effects, statement, state, d_theta, d_effects, d_statement, d_state, work, floats, ints
        )
        value += run_picks(theta, state, d_theta, d_state, floats, ints)
        back_sum_up(d_state, state, held, ints)
        back_bursts(d_state, theta, smooth, shares, d_theta, d_burst, work, ints)
        back_smooth(d_state, theta, walk, arrivals, saved, paths, d_theta, d_walk, work, floats, ints)
    for p in range(params):
        if apparent[p] >= 0:
            back_bias(apparent[p], -d_theta[p], theta, effects, d_theta, d_effects, ints)
    back_standardise(effects, theta, d_effects, d_theta, centred)
    back_priors(grad[:free], d_theta, slope, work, floats, ints)
    return value


@outer
def log_density_many(x: Any, grad: Any, floats: Any, ints: Any) -> float:
    """Return the log posterior density of several designs that share parameters, and fill its gradient.

    The first of `x` are standard normals behind the shared parameters: mean + root x on their normal scales. Each
    design finds its own unconstrained vector by its slots; what it shares is not counted a second time.
    """
    mean, root = floats_of(floats, ints, SharedField.MEAN), floats_of(floats, ints, SharedField.ROOT)
    starts, lengths = ints_of(ints, SharedField.STARTS), ints_of(ints, SharedField.LENGTHS)
    slots, shared = ints_of(ints, SharedField.SLOTS), len(mean)
    all_floats, all_ints = floats_of(floats, ints, SharedField.BUFFERS), ints_of(ints, SharedField.BUFFERS)
    u, value, used = x.copy(), 0.0, 0
    for i in range(shared):
        u[i] = mean[i]
        for j in range(i + 1):
            u[i] += root[i * shared + j] * x[j]
        value -= 0.5 * x[i] * x[i] + _LOG_SQRT_2PI
    d_u = np.zeros(len(x))
    for design in range(len(lengths)):
        own = slots[used : used + lengths[design]]
        used += lengths[design]
        local, d_local = np.empty(len(own)), np.zeros(len(own))
        for k in range(len(own)):
            local[k] = u[own[k]]
        first, after = starts[design], starts[design + 1]
        value += log_density(local, d_local, all_floats[first:after], all_ints[first:after])
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
        is_shared = fields == _SHARED_FIELDS
        value = log_density_many(x, grad, floats, ints) if is_shared else log_density(x, grad, floats, ints)
        numba.carray(value_, (1,))[0] = value
        if not math.isfinite(value):
            return 4
        for k in range(n):
            if not math.isfinite(grad[k]):
                return 3
        return 0

    return compile_callback(density, signature, error_model="numpy")
