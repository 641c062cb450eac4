"""The published model that the benchmark sets ours beside: its density in machine code is that of PyMC's model."""

import numpy as np
import pytensor
import pytest
from published_fit import Fit, read_draw
from published_kernel import OFFSETS, SLOPE_MU, SLOPE_SD, START, START_SD, log_density, open_buffer, pack_reports, part
from published_model import Reports, build_published, make_splines
from published_whitening import Layout, gather, spread, whiten

pytestmark = pytest.mark.slow  # it compiles a model that no user runs: `make bench` does, and `make test-full`

KINDS, SOURCES, DAYS, KNOTS, ROWS = 4, 3, 40, 6, 60
LAYOUT = Layout(KINDS, KNOTS + 2, SOURCES)


@pytest.fixture(scope="module")
def reports() -> Reports:
    rng = np.random.default_rng(3)
    return Reports(
        kind=rng.integers(0, KINDS, ROWS),
        source=rng.integers(0, SOURCES, ROWS),
        day=rng.integers(0, DAYS, ROWS),
        number=rng.integers(0, 200, ROWS).astype(float),
        daily=rng.random(ROWS) < 0.3,
        low=(rng.random(ROWS) < 0.3).astype(float),
        high=(rng.random(ROWS) < 0.2).astype(float),
        country=np.array([0, 1, 0, 1]),
        kinds=tuple("abcd"),
        sources=tuple("xyz"),
        days=DAYS,
    )


def to_pymc(reports: Reports, buffer: np.ndarray, x: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """Return a point as PyMC's model has it, and the log of the determinant of the way there."""
    u, bases = part(x, open_buffer(buffer)), LAYOUT.bases
    root, z = np.zeros((KINDS, KINDS)), np.zeros((KINDS, KINDS))
    z[np.tril_indices(KINDS, -1)] = np.tanh(u.y)
    for i in range(KINDS):
        root[i, i] = np.sqrt(np.prod(1 - z[i, :i] ** 2))
        root[i, :i] = z[i, :i] * np.sqrt(np.concatenate([[1.0], np.cumprod(1 - z[i, :i] ** 2)[:-1]]))[:i]
    splines, slope, log_sigma, phi = u.own[:, :bases], *u.own[:, bases + 1 : bases + OFFSETS].T
    rate = read_draw(Fit(reports, x, LAYOUT, 0, 0), x, make_splines(DAYS, KNOTS))[0][:, 0]
    rate = rate - (u.common[SLOPE_MU] + np.exp(u.common[SLOPE_SD]) * slope) / 365
    start = rate - np.exp(log_sigma) * (splines @ make_splines(DAYS, KNOTS)[:, 0])
    low, high = u.ends.reshape(2, SOURCES)
    names = (
        "bias_sd_log__", "low_mu", "low_sd_log__", "high_mu", "high_sd_log__", "phi_mu", "phi_sd_log__", "start_mu",
        "start_sd_log__", "slope_mu", "slope_sd_log__",
    )  # fmt: skip
    point = dict(zip(names, u.common, strict=True)) | {
        "sigma_log__": log_sigma,
        "phi_offset": phi,
        "slope_offset": slope,
        "start_offset": (start - u.common[START]) / np.exp(u.common[START_SD]),
        "source_sd_log__": u.log_sd.reshape(SOURCES, 2),
        "bias_source": u.of_source.reshape(SOURCES, 2),
        "bias_kind": u.own[:, bases + OFFSETS :],
        "low_offset": low,
        "high_offset": high,
        "raw": np.linalg.solve(root, splines),
        "partial_logodds__": 2 * u.y,
    }
    return point, bases * np.log(np.diag(root)).sum() + KINDS * u.common[START_SD]


def test_its_density_is_that_of_the_pymc_model(reports):
    with pytensor.config.change_flags(traceback__limit=0):  # which takes half the time of building a graph
        density = build_published(reports, KNOTS).compile_logp(mode="FAST_COMPILE")
    buffer, rng, apart = pack_reports(reports, KNOTS), np.random.default_rng(1), []
    for _ in range(5):
        x = 0.5 * rng.normal(size=LAYOUT.size)
        point, determinant = to_pymc(reports, buffer, x)
        apart.append(log_density(x, np.zeros(LAYOUT.size), buffer) - (float(density(point)) - determinant))
    assert np.ptp(apart) < 1e-8


def test_its_gradient_is_that_of_its_density(reports):
    buffer, rng, step = pack_reports(reports, KNOTS), np.random.default_rng(2), 1e-5
    x, grad, unused = 0.5 * rng.normal(size=LAYOUT.size), np.zeros(LAYOUT.size), np.zeros(LAYOUT.size)
    log_density(x, grad, buffer)
    for way in np.eye(LAYOUT.size):
        rise = log_density(x + step * way, unused, buffer) - log_density(x - step * way, unused, buffer)
        assert grad @ way == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-4)


def test_whitening_makes_the_curvature_of_blocks_with_a_border_the_identity():
    rng, n, edge, end = np.random.default_rng(4), LAYOUT.size, LAYOUT.edge, LAYOUT.edge + LAYOUT.common
    root = np.zeros((n, n))
    for t in range(KINDS):
        here = slice(t * LAYOUT.block, (t + 1) * LAYOUT.block)
        root[here, here] = rng.normal(size=(LAYOUT.block, LAYOUT.block))
    root[edge:end, :end] = rng.normal(size=(LAYOUT.common, end))
    root[end:, end:] = np.diag(rng.uniform(1, 2, n - end))
    curvature = root @ root.T
    curvature[:end, :end] += np.eye(end)
    # Of the border's inverse nothing is left out: the blocks meet only in it.
    curvature[:edge, :edge] *= np.kron(np.eye(KINDS), np.ones((LAYOUT.block, LAYOUT.block)))
    white = whiten(curvature, LAYOUT)
    back, along = np.empty((n, n)), np.empty((n, n))
    for i, way in enumerate(np.eye(n)):
        spread(way, along[i], KINDS, LAYOUT.block, LAYOUT.common, white.pack())
        gather(way, back[i], KINDS, LAYOUT.block, LAYOUT.common, white.pack())
    assert along @ curvature @ along.T == pytest.approx(np.eye(n), abs=1e-6)
    assert pytest.approx(along, abs=1e-9) == back.T
    x = rng.normal(size=n)
    assert white.undo(x, LAYOUT) @ along == pytest.approx(x, abs=1e-6)
