"""Each form of the likelihood against an integral or a law that scipy knows."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import integrate, stats

from sim.model.arrays import NUMPY
from sim.model.density.terms import cell_term, density_term, worded_term
from sim.model.likelihood import log_cdf, log_cell, log_density, log_understated, mix_components


def points(rng, count=200):
    """Return random gaps and standard deviations."""
    return rng.normal(0, 2, count), np.exp(rng.normal(-1, 0.8, count))


def test_density_is_the_normal_law(rng):
    t, s = points(rng)
    np.testing.assert_allclose(log_density(NUMPY, t, s), stats.norm.logpdf(t, scale=s), rtol=1e-10)


def test_log_cdf_is_exact_in_both_tails():
    z = np.concatenate([np.linspace(-40, 40, 401), [-200.0, -1e4]])
    np.testing.assert_allclose(log_cdf(NUMPY, z), stats.norm.logcdf(z), rtol=1e-10, atol=1e-300)


def test_cell_is_a_difference_of_cdfs(rng):
    t, s = points(rng)
    width = np.exp(rng.normal(-1, 1, len(t)))
    inside = np.abs(t) < 4 * s
    with np.errstate(divide="ignore"):
        direct = np.log(stats.norm.cdf((t + width) / s) - stats.norm.cdf(t / s))
    np.testing.assert_allclose(log_cell(NUMPY, t, t + width, s)[inside], direct[inside], rtol=1e-6)


@pytest.mark.parametrize("side", [-1, 1])
def test_cell_keeps_its_digits_far_from_the_belief(side):
    """Thirty standard deviations out, a naive difference of CDFs is zero; the log mass is that of the nearer edge."""
    edges = sorted((30.0 * side, 30.5 * side))
    tail = stats.norm.logcdf(-30.0)
    assert log_cell(NUMPY, edges[0], edges[1], 1.0) == pytest.approx(tail, rel=1e-4)


def test_cells_of_small_counts_and_zero_sum_to_one(rng):
    for mu, s in zip(rng.normal(1, 1.5, 20), np.exp(rng.normal(-0.5, 0.5, 20)), strict=True):
        counts = np.arange(1, 40_000)
        masses = np.exp(log_cell(NUMPY, np.log(counts - 0.5) - mu, np.log(counts + 0.5) - mu, s))
        zero = np.exp(log_cell(NUMPY, -1e9, np.log(0.5) - mu, s))
        assert masses.sum() + zero == pytest.approx(1, abs=1e-4)


def test_understated_is_the_convolution(rng):
    """With e normal and d exponential, e - d: the closed form against the integral over d."""
    for t, s, m in zip(
        rng.normal(0, 1.5, 25), np.exp(rng.normal(-1, 0.7, 25)), np.exp(rng.normal(-1, 1, 25)), strict=True
    ):
        top = m * 60 + 40 * s
        direct, _ = integrate.quad(
            lambda d, t=t, s=s, m=m: stats.norm.pdf(t + d, scale=s) * np.exp(-d / m) / m, 0, top, limit=400,
            points=[max(-t, 0.0)],
        )  # fmt: skip
        assert np.exp(log_understated(NUMPY, t, s, m)) == pytest.approx(direct, rel=1e-5, abs=1e-6)


def test_understated_is_scipys_exponnorm(rng):
    t, s = points(rng)
    m = np.exp(rng.normal(-1, 0.8, len(t)))
    known = stats.exponnorm.logpdf(-t, m / s, scale=s)
    usable = np.isfinite(known) & (known > -300)
    np.testing.assert_allclose(log_understated(NUMPY, t, s, m)[usable], known[usable], rtol=1e-7, atol=1e-9)


def test_understated_tends_to_the_normal_as_the_wording_loses_its_force():
    assert log_understated(NUMPY, 0.3, 0.5, 1e-7) == pytest.approx(stats.norm.logpdf(0.3, scale=0.5), abs=1e-5)


def test_mixture_adds_densities(rng):
    t, s = points(rng)
    mixed = mix_components(NUMPY, log_density(NUMPY, t, s), log_density(NUMPY, t, 5 * s), np.log(0.9), np.log(0.1))
    direct = np.log(0.9 * stats.norm.pdf(t, scale=s) + 0.1 * stats.norm.pdf(t, scale=5 * s))
    usable = np.isfinite(direct)
    np.testing.assert_allclose(mixed[usable], direct[usable], rtol=1e-9)


def test_compiled_terms_and_their_derivatives(rng):
    """The compiled terms equal the readable ones, and their derivatives a difference of them."""
    h = 1e-6
    for t, s, m in zip(
        rng.normal(0, 1.5, 60), np.exp(rng.normal(-0.7, 0.5, 60)), np.exp(rng.normal(-1, 0.7, 60)), strict=True
    ):
        exponent, factor, d_belief, d_s, _ = density_term(t, 1 / s)
        assert exponent + np.log(factor) == pytest.approx(log_density(NUMPY, t, s), abs=1e-10)
        assert -d_belief == pytest.approx(_slope(lambda x, s=s: log_density(NUMPY, x, s), t, h), rel=1e-4, abs=1e-5)
        for width in (0.02, 0.1, 0.4, 0.9, 3.0):
            exponent, factor, d_belief, d_s, _ = cell_term(t, t + width, 1 / s)
            law = partial(_log_cell, width)
            assert exponent + np.log(factor) == pytest.approx(law(t, s), rel=1e-8, abs=1e-8)
            assert -d_belief == pytest.approx(_slope(lambda x, s=s, law=law: law(x, s), t, h), rel=1e-4, abs=1e-4)
            assert d_s == pytest.approx(_slope(lambda x, t=t, law=law: law(t, x), s, h), rel=1e-4, abs=1e-4)
        exponent, factor, d_t, d_s, d_m = worded_term(t, 1 / s, m)
        assert exponent + np.log(factor) == pytest.approx(log_understated(NUMPY, t, s, m), rel=1e-8, abs=1e-8)
        for found, law, at in (
            (d_t, lambda x, s=s, m=m: log_understated(NUMPY, x, s, m), t),
            (d_s, lambda x, t=t, m=m: log_understated(NUMPY, t, x, m), s),
            (d_m, lambda x, t=t, s=s: log_understated(NUMPY, t, s, x), m),
        ):
            assert found == pytest.approx(_slope(law, at, h), rel=1e-4, abs=1e-4)


def _log_cell(width, t, s):
    return log_cell(NUMPY, t, t + width, s)


def _slope(law, x, h):
    return float(law(x + h) - law(x - h)) / (2 * h)
