r"""Trajectories of the no-U-turn sampler in machine code, for a density in machine code.

They are those of Hoffman and Gelman (2014, jmlr.org/papers/v15/hoffman14a) with multinomial sampling and the
generalised criterion of Betancourt (2017, arXiv 1701.02434), without recursion: of a subtree of 2^d leaves d points are
kept, and wherever a leaf ends a balanced subtree the criterion is looked at (Phan et al. 2019, arXiv 1912.11554). A
trajectory whose energy is off by more than MAX_ERROR has diverged (Betancourt 2016, arXiv 1601.00225).

A chain is moved by `move_chain`; what is learned between its calls is in `sim.sampler.chains`. The density comes as a
pointer, so this file is compiled once for all of them, and its cache on disk is renewed when it changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import types

from sim.system.code_cache import compile_function

MAX_ERROR = 1_000.0
MAX_DEPTH = 10

# The workspace has a row for each vector. Of a point there are five, velocity and push being the metric times momentum
# and gradient; of such points three: either end of the trajectory, and the leaf that grows it.
X, P, V, GRAD, PUSH = range(5)
POINT = 5
LEFT, RIGHT, LEAF = 0, POINT, 2 * POINT
# Then a subtree's proposal, the momenta summed over the trajectory and over the subtree, and a sum of the moment.
NEW_X, NEW_GRAD, RHO, SUB_RHO, SUM = range(3 * POINT, 3 * POINT + 5)
# And of the first leaf of each balanced subtree that has not ended: momentum, velocity, and the momenta summed to it.
KEPT_P, KEPT_V, KEPT_RHO = (3 * POINT + 5 + k * MAX_DEPTH for k in range(3))
ROWS = 3 * POINT + 5 + 3 * MAX_DEPTH

# What is told of each move, and what the step is set by.
STEPS, ACCEPTANCE, DIVERGED = 0, 1, 2
LOG_STEP, MEAN_LOG_STEP, ERROR, TARGET, UPDATES, ANCHOR = 0, 1, 2, 3, 4, 5

_pointer = types.CPointer(types.double)
_DENSITY = types.FunctionType(types.int64(types.uint64, _pointer, _pointer, _pointer, types.voidptr))
_VECTOR, _MATRIX = types.Array(types.double, 1, "C"), types.Array(types.double, 2, "C")
_GENERATOR = types.npy_rng


def _inner[F: Callable[..., Any]](function: F, **options: Any) -> F:
    part: F = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)
    return part


@partial(_inner, fastmath={"reassoc", "contract"})
def _multiply(metric: Any, scale: Any, p: Any, v: Any) -> None:
    """Fill v with the metric times p; a metric without rows stands for the diagonal scale^2.

    The metric is symmetric: two rows at a time, what lies before the diagonal stands for what lies behind it. The order
    of sums is free, so that they are made in vectors.
    """
    n = len(p)
    if metric.shape[0] == 0:
        for i in range(n):
            v[i] = scale[i] * scale[i] * p[i]
        return
    if n % 2:
        v[0] = metric[0, 0] * p[0]
    for i in range(n % 2, n, 2):
        one, two, first, second = p[i], p[i + 1], 0.0, 0.0
        for j in range(i):
            v[j] += metric[i, j] * one + metric[i + 1, j] * two
            first += metric[i, j] * p[j]
            second += metric[i + 1, j] * p[j]
        v[i] = first + metric[i, i] * one + metric[i + 1, i] * two
        v[i + 1] = second + metric[i + 1, i] * one + metric[i + 1, i + 1] * two


@_inner
def _draw_momentum(rng: Any, root: Any, scale: Any, p: Any) -> None:
    """Draw a momentum whose covariance is the metric's inverse: R'z, R the inverse of the metric's Cholesky factor."""
    n = len(p)
    if root.shape[0] == 0:
        for i in range(n):
            p[i] = rng.standard_normal() / scale[i]
        return
    p[:] = 0.0
    for i in range(n):
        z = rng.standard_normal()
        for j in range(i + 1):
            p[j] += root[i, j] * z


@_inner
def _dot(a: Any, b: Any) -> float:
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@_inner
def _log_add(a: float, b: float) -> float:
    top = max(a, b)
    return top + math.log(math.exp(a - top) + math.exp(b - top)) if top > -np.inf else top


@_inner
def _is_turning(first_p: Any, first_v: Any, last_p: Any, last_v: Any, rho: Any) -> bool:
    """Whether either end moves against the momenta summed between them, half of each end's own left out."""
    first, last = 0.0, 0.0
    for i in range(len(rho)):
        between = rho[i] - 0.5 * (first_p[i] + last_p[i])
        first += first_v[i] * between
        last += last_v[i] * between
    return first <= 0 or last <= 0


@_inner
def _ends_turning(leaf: int, work: Any) -> bool:
    """Whether one of the balanced subtrees that this leaf ends turns; a leaf that begins one is kept.

    The bits of the leaf's number tell which: it begins a subtree where it is even, and ends as many as it has ones at
    its end.
    """
    row, bits = 0, leaf >> 1
    while bits > 0:
        row += bits & 1
        bits >>= 1
    p, v, rho = work[LEAF + P], work[LEAF + V], work[SUB_RHO]
    if leaf % 2 == 0:
        work[KEPT_P + row], work[KEPT_V + row], work[KEPT_RHO + row] = p, v, rho
        return False
    bits = leaf
    while bits & 1:
        first_p = work[KEPT_P + row]
        for i in range(len(rho)):
            work[SUM, i] = rho[i] - work[KEPT_RHO + row, i] + first_p[i]
        if _is_turning(first_p, work[KEPT_V + row], p, v, work[SUM]):
            return True
        bits >>= 1
        row -= 1
    return False


@_inner
def _joins_turning(far: int, near: int, work: Any) -> bool:
    """Whether the old half, from `far` to `near`, and the new one, from its first leaf to its last, turn when joined.

    A trajectory that comes back to itself just between the halves shows only in the old half with the first point of
    the new, or in the new with the last of the old (stan-dev/stan, pull request 2800).
    """
    rho, sub_rho, between = work[RHO], work[SUB_RHO], work[SUM]
    first_p, first_v, last_p, last_v = work[KEPT_P], work[KEPT_V], work[LEAF + P], work[LEAF + V]
    for i in range(len(rho)):
        between[i] = rho[i] + sub_rho[i]
    if _is_turning(work[far + P], work[far + V], last_p, last_v, between):
        return True
    for i in range(len(rho)):
        between[i] = rho[i] + first_p[i]
    if _is_turning(work[far + P], work[far + V], first_p, first_v, between):
        return True
    for i in range(len(rho)):
        between[i] = sub_rho[i] + work[near + P, i]
    return _is_turning(work[near + P], work[near + V], last_p, last_v, between)


@_inner
def _adapt_step(step: Any, acceptance: float) -> None:
    """Move the log step by dual averaging (Hoffman and Gelman 2014, section 3.2): gamma .05, t0 10, kappa .75."""
    step[UPDATES] += 1
    weight = 1 / (step[UPDATES] + 10)
    step[ERROR] = (1 - weight) * step[ERROR] + weight * (step[TARGET] - acceptance)
    step[LOG_STEP] = step[ANCHOR] - step[ERROR] * math.sqrt(step[UPDATES]) / 0.05
    share = step[UPDATES] ** -0.75
    step[MEAN_LOG_STEP] = share * step[LOG_STEP] + (1 - share) * step[MEAN_LOG_STEP]


@_inner
def _grow_half(
    density: Any, buffer: Any, rng: Any, metric: Any, scale: Any, way: float, leaves: int, start: float, work: Any
) -> tuple[float, float, int, float, bool, bool]:
    """Grow the trajectory from the leaf in `work` by a new half of so many leaves, a step of `way` each.

    Returns the log weight of the half, the log density of its proposal, the steps taken, their acceptance summed, and
    whether it turns or diverged before it is whole.
    """
    x, p, v, grad, push = work[LEAF + X], work[LEAF + P], work[LEAF + V], work[LEAF + GRAD], work[LEAF + PUSH]
    n, size, value = len(x), np.uint64(len(x)), np.zeros(1)
    weight, log_p, accepted = -np.inf, 0.0, 0.0
    work[SUB_RHO] = 0.0
    for leaf in range(leaves):
        # A leapfrog step; the velocity is moved as the momentum is, so that the metric is multiplied once.
        for i in range(n):
            p[i] += 0.5 * way * grad[i]
            v[i] += 0.5 * way * push[i]
            x[i] += way * v[i]
        density(size, x.ctypes, grad.ctypes, value.ctypes, buffer.ctypes)
        _multiply(metric, scale, grad, push)
        for i in range(n):
            p[i] += 0.5 * way * grad[i]
            v[i] += 0.5 * way * push[i]
        error = value[0] - 0.5 * _dot(p, v) - start
        if not error > -MAX_ERROR:  # so that what is not a number ends here too
            return weight, log_p, leaf + 1, accepted, False, True
        accepted += min(1.0, math.exp(error))
        weight = _log_add(weight, error)
        if math.log(rng.random()) < error - weight:
            work[NEW_X], work[NEW_GRAD], log_p = x, grad, value[0]
        for i in range(n):
            work[SUB_RHO, i] += p[i]
        if _ends_turning(leaf, work):
            return weight, log_p, leaf + 1, accepted, True, False
    return weight, log_p, leaves, accepted, False, False


@partial(compile_function, nogil=True, error_model="numpy")
def move_chain(  # type: ignore[no-untyped-def] # noqa: ANN201
    density, buffer, rng, metric, root, scale, x, grad, step, depth_limit, adapting, draws, grads, stats, work  # noqa: ANN001
):  # fmt: skip
    """Move a chain once for each row of `draws`, and fill `draws`, `stats`, and `grads` where that has rows.

    Parameters
    ----------
    density : compiled function (n, x, gradient, log density, buffer) -> status
    buffer : array
        Handed to the density.
    rng : numpy.random.Generator
    metric, root : arrays, shape (n, n) or (0, 0)
        The inverse mass matrix, and the inverse of its lower Cholesky factor; none for the diagonal.
    scale : array, shape (n,)
        Root of the diagonal, where that is the metric.
    x, grad : arrays, shape (n,)
        Where the chain is, and the gradient there; both are moved.
    step : array, shape (6,)
        LOG_STEP and what sets it while `adapting`.
    depth_limit : int
        Doublings of a trajectory at most, up to MAX_DEPTH.
    draws, grads, stats, work : arrays, shape (count, n), (count or 0, n), (count, 3), (ROWS, n)
    """
    n, value = len(x), np.zeros(1)
    density(np.uint64(n), x.ctypes, grad.ctypes, value.ctypes, buffer.ctypes)
    log_p = value[0]
    for number in range(len(draws)):
        size = math.exp(step[LOG_STEP])
        p, v = work[LEFT + P], work[LEFT + V]
        _draw_momentum(rng, root, scale, p)
        _multiply(metric, scale, p, v)
        start = log_p - 0.5 * _dot(p, v)
        work[LEFT + X], work[LEFT + GRAD], work[RHO] = x, grad, p
        _multiply(metric, scale, grad, work[LEFT + PUSH])
        work[RIGHT : RIGHT + POINT] = work[LEFT : LEFT + POINT]
        log_weight, steps, accepted, diverged = 0.0, 0, 0.0, False
        for depth in range(depth_limit):
            near, way = (RIGHT, size) if rng.random() < 0.5 else (LEFT, -size)
            work[LEAF : LEAF + POINT] = work[near : near + POINT]
            weight, new_log_p, taken, accepted_there, turning, diverged = _grow_half(
                density, buffer, rng, metric, scale, way, 1 << depth, start, work
            )
            steps += taken
            accepted += accepted_there
            if diverged or turning:
                break
            if math.log(rng.random()) < weight - log_weight:
                x[:], grad[:], log_p = work[NEW_X], work[NEW_GRAD], new_log_p
            log_weight = _log_add(log_weight, weight)
            turning = _joins_turning(LEFT + RIGHT - near, near, work)
            work[near : near + POINT] = work[LEAF : LEAF + POINT]
            for i in range(n):
                work[RHO, i] += work[SUB_RHO, i]
            if turning:
                break
        draws[number] = x
        if len(grads):
            grads[number] = grad
        stats[number, STEPS], stats[number, DIVERGED] = steps, diverged
        stats[number, ACCEPTANCE] = accepted / max(steps, 1)
        if adapting:
            _adapt_step(step, stats[number, ACCEPTANCE])


@partial(compile_function, nogil=True, error_model="numpy")
def measure_curvature(density, buffer, x, step, curvature):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Add to `curvature`, shape (n, n), minus the Hessian at `x`: central differences of gradients, made symmetric."""
    n, value = len(x), np.zeros(1)
    moved, above, below = x.copy(), np.empty(n), np.empty(n)
    for i in range(n):
        moved[i] = x[i] + step
        density(np.uint64(n), moved.ctypes, above.ctypes, value.ctypes, buffer.ctypes)
        moved[i] = x[i] - step
        density(np.uint64(n), moved.ctypes, below.ctypes, value.ctypes, buffer.ctypes)
        moved[i] = x[i]
        for j in range(n):
            slope = (below[j] - above[j]) / (4 * step)
            curvature[i, j] += slope
            curvature[j, i] += slope


def compile_sampler() -> None:
    """Compile what moves a chain for any density, or load it from the disk."""
    move_chain.compile(
        types.void(_DENSITY, _VECTOR, _GENERATOR, _MATRIX, _MATRIX, _VECTOR, _VECTOR, _VECTOR, _VECTOR,
                   types.int64, types.boolean, _MATRIX, _MATRIX, _MATRIX, _MATRIX)
    )  # fmt: skip
    measure_curvature.compile(types.void(_DENSITY, _VECTOR, _VECTOR, types.double, _MATRIX))
