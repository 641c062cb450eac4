"""What makes the posterior of the published model nearly a standard normal: blocks with a border.

The curvature of its thousands of unknowns is that of each type of loss by itself, beside what all have in common, and
the correlations. So x = A z with A from the Cholesky factor of each type's block, then of the Schur complement of what
is common; of the correlations only the scale is set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from published_kernel import HEAD, LENGTH, OFFSETS, WHITE, count_common, log_density
from scipy.linalg import cholesky, solve_triangular

from sim.system.code_cache import compile_callback

Floats = NDArray[np.float64]

LEAST_CURVATURE = 1e-2  # of a direction, where a prior's is one


@dataclass(frozen=True)
class Layout:
    """How many unknowns there are: `kinds` blocks of `block`, `common` ones, and partial correlations."""

    kinds: int
    bases: int
    sources: int

    @property
    def block(self) -> int:
        """The unknowns of a type."""
        return self.bases + OFFSETS + self.sources

    @property
    def common(self) -> int:
        """The unknowns that all types have in common."""
        return count_common(self.sources)

    @property
    def edge(self) -> int:
        """Where the common ones begin."""
        return self.kinds * self.block

    @property
    def size(self) -> int:
        """The number of all."""
        return self.edge + self.common + self.kinds * (self.kinds - 1) // 2


@dataclass(frozen=True)
class Whitening:
    """x of z: common = wall z, block t = inner[t] z - lean[t] common, correlations = scale z."""

    scale: Floats
    wall: Floats
    inner: Floats
    lean: Floats

    def pack(self) -> Floats:
        """Return the numbers that `published_kernel.spread` reads."""
        rows = np.concatenate([self.inner, self.lean], axis=2)
        return np.concatenate([self.scale, self.wall.ravel(), rows.ravel()])

    def undo(self, x: Floats, layout: Layout) -> Floats:
        """Return the z of an x."""
        edge, end = layout.edge, layout.edge + layout.common
        blocks = x[:edge].reshape(layout.kinds, layout.block) + self.lean @ x[edge:end]
        inner = [solve_triangular(m, row) for m, row in zip(self.inner, blocks, strict=True)]
        return np.concatenate([*inner, np.linalg.solve(self.wall, x[edge:end]), x[end:] / self.scale[end:]])


def straighten(matrix: Floats) -> Floats:
    """Return a symmetric matrix with the absolute values of its eigenvalues, at least the least curvature."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.maximum(np.abs(values), LEAST_CURVATURE) @ vectors.T)


def whiten(curvature: Floats, layout: Layout) -> Whitening:
    """Return what makes of a posterior of this curvature nearly a standard normal."""
    edge, end = layout.edge, layout.edge + layout.common
    inner, lean = [], []
    schur = curvature[edge:end, edge:end].copy()
    for t in range(layout.kinds):
        here = slice(t * layout.block, (t + 1) * layout.block)
        root = cholesky(straighten(curvature[here, here]), lower=True)
        border = curvature[here, edge:end]
        half = solve_triangular(root, border, lower=True)
        inner.append(solve_triangular(root, np.eye(layout.block), lower=True).T)
        lean.append(inner[-1] @ half)
        schur -= half.T @ half
    wall = np.linalg.inv(cholesky(straighten(schur), lower=True)).T
    scale = np.ones(layout.size)
    scale[end:] = np.maximum(np.abs(np.diag(curvature)[end:]), LEAST_CURVATURE) ** -0.5
    return Whitening(scale, wall, np.array(inner), np.array(lean))


@numba.njit(error_model="numpy", fastmath=True)
def spread(z, x, kinds, block, common, b):
    """Fill x with the point that stands for z (see `whiten`)."""
    n, at = len(z), kinds * block
    x[:] = b[:n] * z
    wall = b[n : n + common * common].reshape(common, common)
    inner = b[n + common * common :][: kinds * block * (block + common)].reshape(kinds, block, block + common)
    moved = np.zeros(common)
    for i in range(common):
        for j in range(common):
            moved[i] += wall[i, j] * z[at + j]
        x[at + i] = moved[i]
    for t in range(kinds):
        for i in range(block):
            row, part = inner[t, i], 0.0
            for j in range(i, block):
                part += row[j] * z[t * block + j]
            for j in range(common):
                part -= row[block + j] * moved[j]
            x[t * block + i] = part


@numba.njit(error_model="numpy", fastmath=True)
def gather(gx, gz, kinds, block, common, b):
    """Fill gz with the gradient in z where gx is that in x: the transpose of `spread`."""
    n, at = len(gx), kinds * block
    gz[:] = 0.0
    gz[at + common :] = b[at + common : n] * gx[at + common :]
    wall = b[n : n + common * common].reshape(common, common)
    inner = b[n + common * common :][: kinds * block * (block + common)].reshape(kinds, block, block + common)
    moved = gx[at : at + common].copy()
    for t in range(kinds):
        for i in range(block):
            row, push = inner[t, i], gx[t * block + i]
            for j in range(i, block):
                gz[t * block + j] += row[j] * push
            for j in range(common):
                moved[j] -= row[block + j] * push
    for i in range(common):
        for j in range(common):
            gz[at + j] += wall[i, j] * moved[i]


def compile_published() -> Any:
    """Return the density as the sampler calls it: of x, or of z where the buffer has what `whiten` made."""
    pointer = numba.types.CPointer(numba.types.double)
    signature = numba.types.int64(numba.types.uint64, pointer, pointer, pointer, numba.types.voidptr)

    border = numba.njit(count_common)

    def density(n, x_, grad_, value_, buffer_):  # type: ignore[no-untyped-def]
        head = numba.carray(buffer_, (HEAD,), np.float64)
        kinds, bases, sources, white = int(head[0]), int(head[1]), int(head[3]), int(head[WHITE])
        b = numba.carray(buffer_, (int(head[LENGTH]),), np.float64)
        z, gz = numba.carray(x_, (n,)), numba.carray(grad_, (n,))
        if white:
            block, common = bases + OFFSETS + sources, border(sources)
            x, gx = np.empty(n), np.empty(n)
            spread(z, x, kinds, block, common, b[white:])
            value = log_density(x, gx, b)
            gather(gx, gz, kinds, block, common, b[white:])
        else:
            value = log_density(z, gz, b)
        numba.carray(value_, (1,))[0] = value
        if not math.isfinite(value):
            return 4
        for k in range(n):
            if not math.isfinite(gz[k]):
                return 3
        return 0

    return compile_callback(density, signature, error_model="numpy")
