"""From the draws of a case to a variant: moved and weighed draws, short fits, and one of many that are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import CASE, UNBOUNDED
from scipy import stats

from sim.case.folder import find_case, read_case
from sim.case.priors import read_priors
from sim.model.buffer import pack_design
from sim.model.design import design_model
from sim.posterior.fit import list_densities
from sim.posterior.sample import take_posterior
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import choose_ladder, fit_design
from sim.report.robustness import GOOD_K
from sim.robustness import sensitivity
from sim.robustness.bridging import carry_chains, compare_densities, match_moments, weigh_draws
from sim.robustness.counts import describe_counts, quantiles_of, read_fit
from sim.robustness.footing import draw_more, stand_on, thin_footing
from sim.robustness.sensitivity import examine_case, fit_task
from sim.robustness.variants import Variant, build_variant
from sim.sampler.diagnostics import load_statistics

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


def _slope(mean, spread):
    """Return the slopes of the log of the ratio of a normal law to the standard one."""
    return lambda x: x - (x - mean) / np.square(spread)


def test_draws_are_moved_to_a_law_that_they_hardly_reach():
    """Along three directions that are none of the axes, of draws whose unknowns hang together."""
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    mix = turn * np.geomspace(0.1, 10, 12)
    z = rng.normal(size=(4_000, 12))
    mean, spread = np.zeros(12), np.ones(12)
    mean[:2], spread[1:3] = (1.4, -0.8), (1.2, 0.6)
    base, target, slope = _normal(0, 1), _normal(mean, spread), _slope(mean, spread)
    back = np.linalg.inv(mix).T
    arguments = z @ mix.T, base(z), lambda x: target(x @ back), lambda x: slope(x @ back) @ back.T
    found, still = match_moments(*arguments, 1_000), match_moments(*arguments, 1e9)
    assert np.array_equal(still.x, arguments[0])  # where so many are needed no move is tried
    assert found.k <= GOOD_K
    assert still.count < 1_000 < found.count
    weights = np.exp(found.log_weights - found.log_weights.max())
    error = found.count**-0.5
    for place, values in enumerate((found.x @ back).T):
        middle = np.average(values, weights=weights)
        assert abs(middle - mean[place]) < 4 * error * spread[place]
        width = np.sqrt(np.average((values - middle) ** 2, weights=weights))
        assert width == pytest.approx(spread[place], rel=4 * error)


def test_draws_are_moved_on_until_enough_of_them_are_effective():
    """A small k does not suffice where a few draws have all the weight."""
    x = np.random.default_rng(4).normal(size=(4_000, 2))
    mean, spread = np.array([1.6, 0.0]), np.ones(2)
    arguments = x, _normal(0, 1)(x), _normal(mean, spread), _slope(mean, spread)
    once = match_moments(*arguments, 100)
    assert once.k <= GOOD_K
    assert np.array_equal(once.x, x)
    assert once.count < 1_000 < match_moments(*arguments, 1_000).count


def test_draws_that_cannot_be_in_a_variant_have_no_weight():
    x = np.random.default_rng(2).normal(size=(4_000, 2))
    own, flat = _normal(0, 1), np.zeros_like

    def cut(least):
        return lambda y: np.where(y[:, 0] > least, own(y), -np.inf)

    half = match_moments(x, own(x), cut(-1), flat, 400)
    weights = np.exp(half.log_weights - half.log_weights.max())
    assert half.k <= GOOD_K
    assert not weights[half.x[:, 0] <= -1].any()
    middle = quantiles_of(half.x[:, 0], np.array([0.5]), weights)[0]
    assert middle == pytest.approx(stats.truncnorm(-1, np.inf).median(), abs=0.06)
    assert match_moments(x, own(x), cut(9), flat, 400).k == np.inf


def test_the_same_density_leaves_draws_as_they_are():
    x = np.random.default_rng(3).normal(size=(500, 3))
    same = match_moments(x, _normal(0, 1)(x), lambda y: _normal(0, 1)(y) + 7.0, np.zeros_like, 400)
    assert np.array_equal(same.x, x)
    assert np.ptp(same.log_weights) < 1e-9
    assert same.count == pytest.approx(len(x))


def test_the_slopes_of_a_ratio_are_those_of_its_densities(stand):
    """Of a variant that lacks unknowns, beside finite differences."""
    footing, *_ = stand("forces")
    x = footing.x.reshape(-1, footing.x.shape[-1])
    varied = build_variant(footing.design, Variant("leave_source_out", "mixed", ""))
    ratio = compare_densities(footing.design, varied, x)
    assert len(ratio.rest)
    points, buffer, gap = x[::800], pack_design(footing.design), 1e-5
    found = ratio.list_slopes(points)
    for place in range(x.shape[1]):
        ends = [points + step * np.eye(x.shape[1])[place] for step in (gap, -gap)]
        high, low = (ratio.list_densities(end) - list_densities(buffer, end) for end in ends)
        np.testing.assert_allclose(found[:, place], (high - low) / (2 * gap), rtol=1e-4, atol=1e-4)


def test_more_draws_are_of_the_same_law_and_more_of_them_effective(stand):
    """In the mean, and in the spread, of every unknown; more of the counts that lead are effective."""
    found, _, base = stand("forces")
    assert found.effective > base.effective
    assert found.x.shape == base.x.shape
    flat = found.x.reshape(-1, found.x.shape[-1])
    assert np.array_equal(found.densities, list_densities(pack_design(found.design), flat))
    fresh, own, err = found.x[:, found.x.shape[1] // 2 :], base.x, load_statistics().mcse
    gaps = []
    for place in range(own.shape[-1]):
        both = [draws[..., place] for draws in (fresh, own)]
        for values in (both, [np.square(draws - own[..., place].mean()) for draws in both]):
            error = np.hypot(*(err(draws, chain_axis=0, draw_axis=1, method="mean") for draws in values))
            gaps.append((values[0].mean() - values[1].mean()) / error)
    assert np.abs(gaps).max() < 5
    assert np.mean(np.square(gaps)) < 2


def test_of_many_draws_every_other_one_is_weighed(stand, monkeypatch):
    """They have the densities that they had, and each is worth more than it was among its neighbours; none is new."""
    *_, base = stand("forces")
    monkeypatch.setattr("sim.robustness.footing.sample_posterior", lambda *_, **__: pytest.fail("more were drawn"))
    many, first = base.x.shape[1], choose_ladder(base.design).efforts[0]
    thinner = draw_more(base, 1, replace(first, draws=many // 2))
    assert np.array_equal(thinner.x, base.x[:, ::2])
    assert np.array_equal(thinner.densities, base.densities.reshape(base.x.shape[:2])[:, ::2].ravel())
    assert base.efficiency < thinner.efficiency <= 1
    assert thin_footing(base, 1, many) is base


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
            ladder = choose_ladder(design)
            fit = fit_design(design, 1, ladder)
            base = stand_on(design, fit.draws, fit.sample)
            footings[name] = draw_more(base, 1, ladder.efforts[0]), choose_keys(fit.sample), base
        return footings[name]

    return find


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_judged_from_the_base_is_what_a_whole_fit_says(name, stand):
    """Medians and both ends of intervals differ by the Monte Carlo errors of the two, in the mean and at most."""
    footing, keys, _ = stand(name)
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
    footing, *_ = stand("forces")
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
