"""From the draws of a case to a variant: moved and weighed draws, short fits, and one of many that are the same."""

from __future__ import annotations

import numpy as np
import pytest
from examples import CASE, UNBOUNDED
from scipy import stats

from sim.case.folder import find_case, read_case
from sim.case.priors import read_priors
from sim.model.design import design_model
from sim.posterior.sample import take_posterior
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import choose_ladder, fit_design
from sim.report.robustness import GOOD_K
from sim.robustness import sensitivity
from sim.robustness.bridging import carry_chains, match_moments, weigh_draws
from sim.robustness.counts import describe_counts, quantiles_of, read_fit
from sim.robustness.sensitivity import examine_case, fit_task
from sim.robustness.variants import Variant, build_variant

FORCES = [
    {"force": "a", "value": 300, "as_of": "2024-02-01"},
    {"force": "a", "value": 900, "source": "foe", "qualifier": "at_least"},
    {"force": "a", "value": 500, "source": "mixed", "qualifier": "about"},
    {"force": "b", "value": 50, "source": "foe"},
    {"force": "b", "value": 400, "source": "own", "qualifier": "about"},
    {"force": "b", "value": 150, "source": "mixed"},
    {"id": "quiet", "force": "a", "exclude": "enters as a lull"},
]
# Of each case variants that are weighed, weighed after a move, begun at weighed draws, and begun with new unknowns.
VARIANTS = {
    "kursk": [
        "wording: at_least as a hard bound", "leave_claim_out: nis-2025-04-killed", "leave_source_out: nis",
        "prior_set: sceptical", "duplicate_source: csis x2",
    ],
    "forces": ["leave_source_out: mixed", "prior_set: flat", "group: adversary", "duplicate_source: foe x2"],
}  # fmt: skip


def _normal(mean, spread):
    return lambda x: stats.norm.logpdf(x, mean, spread).sum(axis=1)


def test_draws_are_moved_to_a_law_that_they_hardly_reach():
    x = np.random.default_rng(1).normal(size=(4_000, 12))
    mean, spread = np.zeros(12), np.ones(12)
    mean[:2], spread[2:4] = (2.2, -1.5), (1.6, 0.5)
    target = _normal(mean, spread)
    found = match_moments(x, _normal(0, 1)(x), target)
    still = match_moments(
        x, _normal(0, 1)(x), lambda y: target(y) if np.array_equal(x, y) else np.full(len(y), -np.inf)
    )
    assert found.k <= GOOD_K < still.k
    weights = np.exp(found.log_weights - found.log_weights.max())
    error = found.count**-0.5
    for place in range(12):
        middle = np.average(found.x[:, place], weights=weights)
        assert abs(middle - mean[place]) < 4 * error * spread[place]
        width = np.sqrt(np.average((found.x[:, place] - middle) ** 2, weights=weights))
        assert width == pytest.approx(spread[place], rel=4 * error)


def test_draws_that_cannot_be_in_a_variant_have_no_weight():
    x = np.random.default_rng(2).normal(size=(4_000, 2))
    half = match_moments(x, _normal(0, 1)(x), lambda y: np.where(y[:, 0] > -1, _normal(0, 1)(y), -np.inf))
    weights = np.exp(half.log_weights - half.log_weights.max())
    assert half.k <= GOOD_K
    assert not weights[half.x[:, 0] <= -1].any()
    middle = quantiles_of(half.x[:, 0], np.array([0.5]), weights)[0]
    assert middle == pytest.approx(stats.truncnorm(-1, np.inf).median(), abs=0.06)
    none = match_moments(x, _normal(0, 1)(x), lambda y: np.where(y[:, 0] > 9, _normal(0, 1)(y), -np.inf))
    assert none.k == np.inf


def test_the_same_density_leaves_draws_as_they_are():
    x = np.random.default_rng(3).normal(size=(500, 3))
    same = match_moments(x, _normal(0, 1)(x), lambda y: _normal(0, 1)(y) + 7.0)
    assert np.array_equal(same.x, x)
    assert np.ptp(same.log_weights) < 1e-9
    assert same.count == pytest.approx(len(x))


def _lay_out(name, write):
    folder = find_case("kursk") if name == "kursk" else write(FORCES, UNBOUNDED)
    case = read_case(folder)
    return design_model(case, read_priors(case.file.prior, overrides=case.file.priors))


@pytest.fixture(scope="module")
def footings():
    """Return what variants of a case are judged from, fitted once."""
    return {}


@pytest.fixture
def stand(write, footings):
    """Return a function from the name of a case to what its variants are judged from."""

    def find(name):
        if name not in footings:
            design = _lay_out(name, write)
            fit = fit_design(design, 1, choose_ladder(design))
            footings[name] = sensitivity._stand_on(design, fit), choose_keys(fit.sample)
        return footings[name]

    return find


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_judged_from_the_base_is_what_a_whole_fit_says(name, stand):
    """Medians and both ends of intervals differ by the Monte Carlo errors of the two, in the mean and at most."""
    footing, keys = stand(name)
    gaps, ways = [], set()
    for task in VARIANTS[name]:
        told = read_fit(fit_task(footing, 1, task))
        assert told.trusted
        ways.add(told.how)
        design = sensitivity._lay_out(footing.design, task)
        whole = fit_design(design, 7, choose_ladder(design))
        assert whole.verdict.trusted
        counts = {each.key: each for each in describe_counts(whole.sample, 4)}
        for key in keys:
            ours, theirs = told.find(key), counts[key]
            error = np.hypot(ours.log_mcse, theirs.log_mcse)
            said = np.asarray(theirs.log_quantiles)
            for k in (10, 100, 190):
                # The error of a quantile goes with the root of q (1 - q), and with how thin the draws lie there.
                q = k / 200
                thinness = (said[k + 5] - said[k - 5]) / (said[105] - said[95])
                gaps.append((ours.log_quantiles[k] - said[k]) / (error * 2 * np.sqrt(q * (1 - q)) * thinness))
    assert ways >= ({"psis", "refit"} if name == "kursk" else {"refit"})
    assert np.abs(gaps).max() < 5
    assert np.mean(np.square(gaps)) < 2.5


def test_chains_of_a_variant_begin_at_draws_of_the_base(stand):
    """Those with weights at likely ones; those with other unknowns where the base's ended; else nowhere."""
    footing, _ = stand("forces")
    x = footing.x.reshape(-1, footing.x.shape[-1])
    varied = build_variant(footing.design, Variant("prior_set", "flat", ""))
    weighed = weigh_draws(footing, varied)
    start = carry_chains(footing, varied, weighed, 1)
    assert start.is_borrowed
    for point in start.x:
        assert (weighed.x == point).all(axis=1).any()
    copies = build_variant(footing.design, Variant("duplicate_source", "foe x2", ""))
    assert weigh_draws(footing, copies) is None
    begun = carry_chains(footing, copies, None, 1)
    assert begun.x.shape[1] > x.shape[1]
    assert set(footing.chain_state.x[0]) <= set(begun.x[0])


def test_variants_of_one_density_are_judged_once(design, monkeypatch):
    """A source of one claim left out is that claim left out; an echo is the base, to the last digit."""
    rows = [{"value": 300}, {"value": 900, "source": "foe"}, {"value": 500, "source": "mixed"}]
    laid = design(rows, CASE)
    kinds = ("leave_source_out", "leave_claim_out", "echo")
    real = sensitivity.list_variants
    monkeypatch.setattr(sensitivity, "list_variants", lambda d: [v for v in real(d) if v.kind in kinds])
    monkeypatch.setattr(sensitivity, "list_groups", lambda _: {})
    monkeypatch.setattr(sensitivity, "reweigh_claims", lambda *_: iter(()))
    done, fit = [], sensitivity.fit_task
    monkeypatch.setattr(sensitivity, "fit_task", lambda *a: done.append(a[-1]) or fit(*a))
    report = examine_case(laid, 1)
    assert sorted(done) == [f"leave_source_out: {name}" for name in ("foe", "mixed", "own")]
    told = {(each.kind, each.what): each for each in report.scenarios}
    for source, claim in (("own", "c0"), ("foe", "c1"), ("mixed", "c2")):
        assert told["leave_source_out", source].quantities == told["leave_claim_out", claim].quantities
    echo = told["echo", "every claim"]
    assert (echo.how, echo.shift_sd) == ("same", 0.0)
    assert [each.median for each in echo.quantities] == [each.median for each in report.base.quantities]


def test_the_base_of_the_report_is_the_run(design):
    laid = design([{"value": 300}, {"value": 900, "source": "foe"}], CASE)
    fit = fit_design(laid, 3, choose_ladder(laid))
    known = describe_counts(take_posterior(laid, fit.draws, 3), 4)
    report = examine_case(laid, 3, quick=True)
    assert [each.median for each in report.base.quantities] == [each.median for each in known]
