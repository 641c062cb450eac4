"""The priors of the shipped cases leave room for what happened in comparable wars, and none for the absurd."""

from __future__ import annotations

import numpy as np
import pytest

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.design import design_model
from sim.posterior.sample import draw_prior

# Shares lost by expeditions, from those that were spared to those that were all but destroyed.
COMPARABLE_SHARES = (0.02, 0.4, 0.8)


@pytest.fixture(scope="module")
def samples():
    found = {}
    for name in ("kursk", "vietnam"):
        case = read_case(name)
        found[name] = draw_prior(design_model(case, read_priors(case.file.prior)), 1)
    return found


@pytest.mark.parametrize("name", ["kursk", "vietnam"])
def test_comparable_shares_are_not_excluded(name, samples):
    sample = samples[name]
    share = sample.count("dprk", "losses") / sample.count("dprk", "deployed")
    for known in COMPARABLE_SHARES:
        tail = np.mean(share > known)
        assert 0.005 < tail < 0.995, (known, tail)


def test_wounded_per_killed_covers_known_wars(samples):
    ratio = samples["kursk"].count("dprk", "wounded") / samples["kursk"].count("dprk", "killed")
    low, high = np.quantile(ratio, [0.01, 0.99])
    assert low < 1.5  # US officials on both sides in Ukraine, 2023
    assert high > 10.8  # United States in Afghanistan


def test_the_absurd_has_no_visible_mass(samples):
    """An expedition of more than 300,000 would be a war of another kind: fewer than 1 in 1,000 draws send it."""
    assert np.mean(samples["kursk"].count("dprk", "deployed") > 300_000) < 0.001
    for sample in samples.values():
        assert (sample.count("dprk", "losses") <= sample.count("dprk", "deployed") * (1 + 1e-9)).all()
