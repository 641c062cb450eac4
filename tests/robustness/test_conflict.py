"""Groups of sources that contradict each other beyond what their biases allow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.robustness.conflict import adjust_holm, compare_groups
from sim.robustness.counts import QUANTILES, CountSummary, FitSummary


def test_groups_that_contradict_each_other_are_found():
    """Two exact laws apart by four standard deviations of their difference give that p-value."""
    logs = [stats.norm.ppf(QUANTILES, mean, 1.0) for mean in (7.0, 7.0 + 4 * np.sqrt(2))]
    keys, topics = {("x", "killed"): ("killed",)}, {group: {("x", "killed")} for group in ("own", "adversary")}
    known = {"force": "x", "quantity": "killed", "median": 1.0, "log_sd": 1.0, "intervals": {}, "log_mcse": 0.01}
    counts = [CountSummary(**known, log_quantiles=each.tolist()) for each in logs]
    fits = [FitSummary(True, "refit", None, [count]) for count in counts]
    (found,) = compare_groups({"own": fits[0], "adversary": fits[1]}, keys, topics)
    assert found.factor == pytest.approx(np.exp(-4 * np.sqrt(2)), rel=0.05)
    assert found.p == pytest.approx(2 * stats.norm.sf(4), abs=2e-4)
    (same,) = compare_groups({"own": fits[0], "adversary": fits[0]}, keys, topics)
    assert same.p == pytest.approx(1, abs=0.02)
    assert compare_groups({"own": fits[0], "adversary": fits[1]}, keys, {**topics, "own": set()}) == ()  # it is silent


def test_holms_correction():
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([0.9]) == [0.9]
