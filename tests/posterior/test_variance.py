"""Where the uncertainty comes from, and what the next report would be worth: held to laws that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from small_cases import claims, toml_of

from sim.posterior.next_report import expected_variance, value_reports
from sim.posterior.variance import BIAS, NOISE, REST, realise_errors, share_out, share_variance
from sim.posterior.verdict import choose_ladder, fit_design


def test_independent_groups_have_the_shares_of_their_variances(rng):
    parts = {name: scale * rng.standard_normal((40_000, 2)) for name, scale in (("a", 1.0), ("b", 2.0))}
    rest = 3.0 * rng.standard_normal(40_000)
    target = sum(values.sum(axis=1) for values in parts.values()) + rest
    shares = share_out(target, parts)
    assert shares == pytest.approx({"a": 2 / 19, "b": 8 / 19, REST: 9 / 19}, abs=0.01)


def test_groups_that_are_one_another_share_alike(rng):
    """Of two copies of one variable each has half: neither counts for nothing, nor twice."""
    x = rng.standard_normal((5_000, 1))
    assert share_out(x[:, 0], {"a": x, "b": x.copy()}) == pytest.approx({"a": 0.5, "b": 0.5, REST: 0.0}, abs=1e-3)


def test_one_claim_is_split_between_its_bias_and_its_noise(design):
    """Under a wide prior of the total, log C = log said - bias - error: the variances of these two are the shares."""
    toml = toml_of(1, "{ fixed = 0.5 }", noise=0.3).replace("mu = 6.9, sigma = 1.0", "mu = 6.9, sigma = 30.0")
    laid = design(claims(1, qualifier="exact", log_sd=0.01), toml)
    _, sample, verdict, _ = fit_design(laid, 1, choose_ladder(laid))
    assert verdict.trusted
    shares = share_variance(sample, realise_errors(sample), ("x", "killed"))
    assert shares[BIAS] == pytest.approx(0.25 / 0.34, abs=0.04)
    assert shares[NOISE] == pytest.approx(0.09 / 0.34, abs=0.04)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-6)


def test_what_is_left_of_the_variance_is_that_of_the_normal_law(rng):
    x = rng.standard_normal(50_000)
    assert expected_variance(x, x + 0.5 * rng.standard_normal(50_000)) == pytest.approx(0.2, rel=0.02)
    assert expected_variance(x, rng.standard_normal(50_000)) == pytest.approx(1.0, rel=0.02)


def test_the_next_report_of_a_source_without_bias_narrows_as_the_conjugate_law_does(design):
    """A normal prior and two normal reports of one variance: the second leaves v / (1 + v / s^2) of the variance v."""
    laid = design(claims(1, qualifier="exact", log_sd=1e-6), toml_of(1, noise=0.5))
    _, sample, _, _ = fit_design(laid, 1, choose_ladder(laid))
    worth = {each.source: each for each in value_reports(sample, "x", "killed")}
    v = 1 / (1 / 1.0**2 + 1 / 0.5**2)
    left = 1 / (1 + v / 0.5**2)
    assert worth["s0"].width_ratio == pytest.approx(np.sqrt(left), abs=0.02)
    assert worth["s0"].log_score_gain == pytest.approx(-0.5 * np.log(left), abs=0.04)
    assert worth["s0"].width_ratio < worth["new_count"].width_ratio < 1


def test_a_run_tells_where_its_uncertainty_comes_from(kursk_run):
    for entry in kursk_run.result.variance:
        assert sum(entry.shares.values()) == pytest.approx(1, abs=0.01)
        assert min(entry.shares.values()) >= 0
    reports = kursk_run.result.next_reports
    assert {"nis", "new_estimate", "new_count"} <= {each.source for each in reports}
    assert all(0 < each.width_ratio <= 1 for each in reports)
