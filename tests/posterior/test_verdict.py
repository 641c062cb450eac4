"""A fit whose draws are bad is tried harder, as its ladder says, and judged by the limits that it asks for."""

from __future__ import annotations

import numpy as np
import pytest

from sim.model.design import sample_prior
from sim.posterior.fit import Effort
from sim.posterior.sample import Sample
from sim.posterior.verdict import fit_until_good, list_reported
from sim.sampler.diagnostics import OF_INTERVALS, Limits, judge_draws

EFFORTS = [Effort(10, 1, 0.8), Effort(20, 1, 0.9), Effort(40, 1, 0.95)]


@pytest.mark.parametrize(("enough", "tried"), [(10, [10]), (20, [10, 20]), (99, [10, 20, 40])])
def test_efforts_are_tried_until_one_is_good_and_the_last_stands(enough, tried):
    """Each attempt sees what the one before it gave."""
    seen = []

    def fit(effort, before):
        seen.append((before, effort.draws))
        return effort.draws

    assert fit_until_good(EFFORTS, fit, lambda draws: draws >= enough) == tried[-1]
    assert seen == list(zip([None, *tried], tried, strict=False))


def test_draws_are_judged_by_the_limits_that_are_asked(rng):
    """Few draws, of which some diverged, do for ranks and not for intervals; what is not finite does for nothing."""
    few = {"killed": rng.normal(size=(4, 80))}
    loose = Limits(max_rhat=1.1)
    assert judge_draws(few, 3, loose).trusted
    verdict = judge_draws(few, 3, OF_INTERVALS)
    assert not verdict.trusted
    assert any("diverged" in reason for reason in verdict.reasons)
    assert any("ESS" in reason for reason in verdict.reasons)
    apart = {"killed": few["killed"] + np.arange(4)[:, None]}
    assert not judge_draws(apart, 0, loose).trusted
    assert not judge_draws({**few, "wounded": np.full((4, 80), np.nan)}, 0, loose).trusted


def test_counts_are_judged_as_they_are_reported(design):
    """What lies below half a person is none in the report, so how seldom chains go from there to less is all one."""
    laid = design([{"value": 300}])
    sample = Sample(laid, sample_prior(laid, np.random.default_rng(3), 500), 1)
    told = list_reported(sample)
    for (force, quantity), whole in sample.headline.items():
        assert np.array_equal(told[f"{force}.{quantity}"], whole)
        assert np.array_equal(whole, np.rint(whole))
