"""Chains of a variant go on until their draws are good: whether what is told of their errors still holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from sim.posterior.fit import Effort
from sim.posterior.verdict import Ladder, fit_until_good
from sim.robustness.reweighing import OF_SHIFTS
from sim.robustness.sensitivity import _lighten
from sim.sampler.diagnostics import OF_INTERVALS, judge_draws, mcse_quantile

EFFORTS = _lighten(Ladder((Effort(1_000, 300, 0.95),), OF_INTERVALS), is_begun=True).efforts
SHARES = (0.05, 0.5, 0.95)


def stop_when_good(slowness, rng):
    """Return how far quantiles of chains of a normal law are off, in the errors that are told of them.

    Each draw is the one before times `slowness`, and what is new. Draws are kept and filled up until they are good.
    """
    new = rng.normal(size=(4, EFFORTS[-1].draws))
    new[:, 1:] *= np.sqrt(1 - slowness**2)
    chains = signal.lfilter([1], [1, -slowness], new, axis=1)
    draws = fit_until_good(
        EFFORTS,
        lambda effort, _: chains[:, : effort.draws],
        lambda found: judge_draws({"count": found}, 0, OF_SHIFTS).trusted,
    )
    return [(np.quantile(draws, share) - stats.norm.ppf(share)) / mcse_quantile(draws, share) for share in SHARES]


@pytest.mark.slow
def test_errors_are_about_as_told_where_chains_go_on_until_they_are_good(rng):
    """Who stops at the first good verdict stops where draws happen to look good: that costs a tenth of the error."""
    gaps = np.array([stop_when_good(slowness, rng) for slowness in (0.5, 0.65, 0.75) for _ in range(100)])
    assert 0.9 < np.sqrt(np.mean(gaps**2)) < 1.2
    assert np.abs(gaps.mean(axis=0)).max() < 0.25 + 4 / np.sqrt(len(gaps))  # as of chains of one length, and by chance
