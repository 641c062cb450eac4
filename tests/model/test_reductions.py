"""With the priors of published studies the model is their model: a case, a prior set, a run, and their figures."""

from __future__ import annotations

import pytest
from studies import PRINTED, STUDIES, solve, write_study

from sim.runs.run import run_case
from sim.sampler.diagnostics import load_statistics


@pytest.mark.parametrize("name", STUDIES)
def test_quadrature_gives_the_printed_figures(name):
    exact = solve(STUDIES[name])
    for key, printed in PRINTED[name].items():
        # The sd of tau under a half-Cauchy prior converges slowly in its tail, hence 0.1%.
        assert exact[key] == pytest.approx(printed, rel=1e-3)


def draws_of(run):
    posterior = run.posterior["posterior"]
    return {
        "mu": posterior["total"].sel(force="x", outcome="killed").to_numpy(),
        "tau": posterior["scale.source"].to_numpy(),
        "theta_new": posterior["new_source"].sel(force="x", outcome="killed").to_numpy(),
    }


@pytest.mark.parametrize("name", STUDIES)
def test_the_model_reduces_to_the_study(name, tmp_path):
    """Mean and sd of mu, tau and theta_new within 4 Monte Carlo standard errors of the exact ones."""
    write_study(tmp_path / name, STUDIES[name])
    run = run_case(tmp_path / name, seed=11, draws=2_000)
    assert run.verdict.divergences == 0
    for key, draws in draws_of(run).items():
        for moment, exact in zip(("mean", "sd"), solve(STUDIES[name])[key], strict=True):
            found = draws.mean() if moment == "mean" else draws.std()
            error = load_statistics().mcse(draws, chain_axis=0, draw_axis=1, method=moment)
            assert abs(found - exact) < 4 * error, (key, moment, found, exact, error)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_long_run_agrees_to_a_per_cent(name, tmp_path):
    """With many draws the means agree to 1% and the sds to 2%; the tail of a half-Cauchy needs the most of them."""
    write_study(tmp_path / name, STUDIES[name])
    run = run_case(tmp_path / name, seed=12, draws=60_000)
    for key, draws in draws_of(run).items():
        mean, sd = solve(STUDIES[name])[key]
        assert draws.mean() == pytest.approx(mean, rel=0.01, abs=0.01 * sd), key
        assert draws.std() == pytest.approx(sd, rel=0.02), key
