"""Faults that were planted in the code and that no test noticed: each of these fails on one of them.

`tests/suites/planted.py` has the list, plants them one at a time, and says which test noticed.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from examples import CASE
from planted import find_faults_of_list
from records import write_record
from scipy import stats
from small_cases import claims, toml_of

from sim.calibration import forecast
from sim.calibration.backtest import score_baseline
from sim.calibration.baselines import Said
from sim.calibration.bywar.belief import Belief
from sim.calibration.bywar.passes import LearnedSites
from sim.calibration.forecast import LeftOut, forecast_war
from sim.calibration.hindcasts import update_odds
from sim.calibration.learn import Diagnostics, Learned
from sim.calibration.record import read_record, read_shipped_record
from sim.calibration.scores import LEVELS, Established, Score, bound_coverage, compare, summarise
from sim.case.priors import read_priors
from sim.posterior.next_report import expected_variance, value_reports
from sim.posterior.sample import draw_prior
from sim.posterior.simulate import simulate_worlds
from sim.posterior.summary import intervals
from sim.posterior.summary import summarise as summarise_run
from sim.posterior.variance import REST, share_out
from sim.posterior.verdict import choose_ladder, fit_design


def test_every_fault_of_the_list_can_be_planted():
    """Its text is in its file, once, and its test is there: `make mutants` plants them."""
    assert find_faults_of_list() == []


def _say(war, said, truth):
    """Return a scored truth of a war: one claim of a number, and what is established."""
    claim = Said(np.log([said + 0.5]), np.zeros(1), np.zeros(1, dtype=bool), ("a",), ("other",))
    law = SimpleNamespace(established=Established(truth, truth, truth))
    return SimpleNamespace(hindcast=SimpleNamespace(war=war), truth=law, said=claim)


def test_simple_rules_choose_their_spread_without_the_war_that_they_forecast():
    """One war whose claims are exact, in two cases, and one whose claims are ten times too high."""
    rows = [_say("exact", 1_000, 1_000), _say("exact", 500, 500), _say("wild", 10_000, 1_000)]
    widths = [np.ptp(np.log(score.intervals[0.9])) for score in score_baseline("constant_spread", rows, None)]
    wild = 2 * stats.norm.ppf(0.95) * math.log(10)  # of one error the best spread is near its size
    assert widths[2] < 0.3
    assert widths[0] == pytest.approx(widths[1], rel=0.02)
    assert 0.4 * wild < widths[0] < 1.6 * wild


def test_a_war_of_several_cases_is_left_out_whole(tmp_path, monkeypatch):
    seen = []

    class LeaveError(Exception):
        pass

    def learn(hindcasts, *_, **__):
        seen.extend(item.case.name for item in hindcasts)
        raise LeaveError

    monkeypatch.setattr(forecast, "learn_sites", learn)
    record = read_record(*write_record(tmp_path))
    assert [item.case.name for item in record.hindcasts if item.war == "war_c"] == ["c", "d"]
    left_out = LeftOut(SimpleNamespace(), ("war_c",))
    with pytest.raises(LeaveError):
        forecast_war(record, "war_c", None, left_out, read_priors("vague"), 1)
    assert seen == ["a", "b"]


def test_the_odds_of_nothing_never_saw_the_left_out_war():
    """The odds are those of the other wars alone: without one that has invented losses they are smaller."""
    record, vague = read_shipped_record(), read_priors("vague")
    learned = SimpleNamespace(
        without=lambda _: LearnedSites.without(LearnedSites(vague.joint.keys, Belief.of(vague.joint), {}, None)),
        diagnostics=SimpleNamespace(trusted=True),
    )
    found, _ = LeftOut(learned, ()).learn_without(record, "israel_arab_1967_73", vague, 1)
    everything = update_odds(vague, record.hindcasts, vague)
    others = update_odds(vague, [item for item in record.hindcasts if item.war != "israel_arab_1967_73"], vague)
    assert found.get("nothing.claimed").mu == others.get("nothing.claimed").mu != everything.get("nothing.claimed").mu


def _fit(laid):
    fit = fit_design(laid, 1, choose_ladder(laid))
    return summarise_run(fit.sample, draw_prior(laid, 1), fit.draws, fit.verdict, 1)


def test_readings_have_the_posterior_of_a_mixture_of_normal_laws(design):
    """Log C ~ N(6.9, 1); a claim of 6,000 with variance .2525, whose source has no bias, or one of N(1.5, .3^2)."""
    toml = toml_of(1).replace('role = "independent"', 'role = ["independent", "adversary"]')
    result = _fit(design(claims(1, qualifier="exact", log_sd=0.5, value=6_000), toml))
    said, noise = math.log(6_000), 0.5**2 + 0.05**2
    laws = {"independent": (0.0, 0.0), "adversary": (1.5, 0.3**2)}
    odds = {role: stats.norm(6.9 + mean, math.sqrt(1 + wide + noise)).pdf(said) for role, (mean, wide) in laws.items()}
    assert {each.role for each in result.readings} == set(laws)
    for each in result.readings:
        mean, wide = laws[each.role]
        assert each.probability == pytest.approx(odds[each.role] / sum(odds.values()), abs=0.03)
        middle = 6.9 + (said - 6.9 - mean) / (1 + wide + noise)
        assert math.log(each.medians["x.killed"]) == pytest.approx(middle, abs=0.1)


def test_what_is_left_of_the_prior_is_told_as_a_variance(design):
    """Truth and bias of variance 1 each, and a claim of their sum: of each is left 1 - 1 / (2 + noise)."""
    result = _fit(design(claims(1, qualifier="exact", log_sd=0.5, value=1_000), toml_of(1, "{ fixed = 1 }")))
    left = 1 - 1 / (2 + 0.5**2 + 0.05**2)
    assert result.estimates[0].prior_share == pytest.approx(left, abs=0.06)
    assert result.bias[0].prior_share == pytest.approx(left, abs=0.06)


def test_a_count_is_told_with_the_errors_of_its_own_edges_and_what_biases_explain(design):
    """Truth + bias + noise = claim, under a wide prior: of the truth's variance biases explain theirs.

    The error of an edge of a log-normal count grows as the edge does: that of the 90% edges more than of the 50%.
    """
    toml = toml_of(1, "{ fixed = 0.5 }", noise=0.3).replace("mu = 6.9, sigma = 1.0", "mu = 6.9, sigma = 30.0")
    count = _fit(design(claims(1, qualifier="exact", log_sd=0.01, value=30_000), toml)).estimates[0]
    assert count.bias_share == pytest.approx(0.25 / 0.34, abs=0.05)
    low, high = count.mcse_interval_90
    assert high / low > math.exp((stats.norm.ppf(0.95) + stats.norm.ppf(0.75)) * math.sqrt(0.34))


def test_how_far_a_claim_is_off_is_told_in_standard_deviations_of_what_was_expected(design):
    """A prior of sd .3 and a source of sd .5, which says 1.2 less and would say it again with an error of .3."""
    toml = toml_of(1, "{ fixed = 0.5 }", noise=0.3).replace("mu = 6.9, sigma = 1.0", "mu = 6.9, sigma = 0.3")
    (claim,) = _fit(design(claims(1, qualifier="exact", log_sd=0.01), toml)).claims
    known, noise, off = 0.3**2 + 0.5**2, 0.3**2, math.log(300) - 6.9
    left = known * noise / (known + noise)
    expected = off - off * known / (known + noise)
    assert claim.standardised == pytest.approx(expected / math.sqrt(left + noise), abs=0.08)


def test_the_next_report_may_be_an_outlier_as_often_as_the_model_says(design, rng):
    """Half of all errors are ten times as wide: a report is worth what reports with such errors are."""
    toml = toml_of(1, noise=0.5).replace(
        '"outlier.probability" = { fixed = 0 }',
        '"outlier.probability" = { fixed = 0.5 }\n"outlier.factor" = { fixed = 10 }',
    )
    laid = design(claims(1, qualifier="exact", log_sd=1e-6), toml)
    _, sample, _, _ = fit_design(laid, 1, choose_ladder(laid))
    worth = {each.source: each.width_ratio for each in value_reports(sample, "x", "killed")}
    truth = np.log(sample.count("x", "killed") + 0.5)
    error = 0.5 * np.where(rng.uniform(size=truth.size) < 0.5, 10, 1) * rng.standard_normal(truth.size)
    left = expected_variance(truth, truth + error) / np.var(truth)
    assert worth["s0"] == pytest.approx(math.sqrt(left), abs=0.05)


@pytest.mark.parametrize("statement", ["", "s"])
def test_simulated_sources_err_far_as_often_as_the_model_says(statement, design, rng):
    """Three errors in ten are twenty times as wide, of a row alone and of what was said in one breath."""
    toml = toml_of(1, noise=0.1).replace('{ dist = "Normal", mu = 6.9, sigma = 1.0 }', "{ fixed = 6.9 }")
    toml = toml.replace(
        '"outlier.probability" = { fixed = 0 }',
        '"outlier.probability" = { fixed = 0.3 }\n"outlier.factor" = { fixed = 20 }',
    )
    more = {"qualifier": "exact", "log_sd": 0.01, "statement": statement}
    toml = toml.replace('["killed"]', '["killed", "wounded"]')
    # One number of each series: what is said of the same again is given the last.
    said = ("killed", "wounded") if statement else ("killed",)
    rows = [{**claims(1, **more)[0], "id": quantity, "quantity": quantity} for quantity in said]
    worlds = simulate_worlds(design(rows, toml), rng, 3_000)
    errors = np.array([world.observations[0].point for world in worlds]) - 6.9
    core, far = stats.norm(0, 0.1).sf(0.5), stats.norm(0, 2.0).sf(0.5)
    assert np.mean(np.abs(errors) > 0.5) == pytest.approx(2 * (0.7 * core + 0.3 * far), abs=0.035)


def test_missing_and_captured_are_not_each_other(design):
    """Of those left standing a tenth are captured, and three tenths of the other losses are missing."""
    fixed = {"captured_share": 0.1, "missing_share": 0.3, "path.tilt": 0, "path.step": 0.01}
    priors = "[priors]\n" + "".join(f'"{key}" = {{ fixed = {value} }}\n' for key, value in fixed.items())
    toml = CASE.replace('"captured"]', '"captured", "missing"]').replace("[forces.x]", f"{priors}[forces.x]")
    counts = draw_prior(design([{"value": 300}], toml), 1).headline
    captured = counts["x", "captured"].sum()
    fought = counts["x", "losses"].sum() - captured
    assert captured / (counts["x", "deployed"].sum() - fought) == pytest.approx(0.1, abs=0.01)
    assert counts["x", "missing"].sum() / fought == pytest.approx(0.3, abs=0.01)


def test_edges_of_intervals_lie_between_the_draws_in_proportion():
    """Type 7 of Hyndman and Fan, doi 10.1080/00031305.1996.10473566."""
    found = intervals(np.array([0.0, 1.0, 2.0, 3.0]))
    assert found["0.5"] == (0.75, 2.25)
    assert found["0.9"] == pytest.approx((0.15, 2.85))


def test_the_band_widens_with_the_correlation_within_wars(rng):
    """Ten rows of one war in each of twelve, correlation .5: indicators correlate too, by the bivariate normal law."""
    wars = [str(war) for war in range(12) for _ in range(10)]
    alone = [str(row) for row in range(120)]
    scores = math.sqrt(0.5) * rng.standard_normal(12).repeat(10) + math.sqrt(0.5) * rng.standard_normal(120)
    pits = stats.norm.cdf(scores).tolist()
    wide, narrow = (
        np.ptp(bound_coverage(pits, names, rng, {level: [level] * 120 for level in LEVELS})[0.5])
        for names in (wars, alone)
    )
    edge = stats.norm.ppf(0.75)
    both = stats.multivariate_normal(cov=[[1, 0.5], [0.5, 1]])
    inside = both.cdf([edge, edge], lower_limit=[-edge, -edge])
    expected = math.sqrt(1 + 9 * (inside - 0.25) / 0.25)
    assert expected > 1.2
    assert wide / narrow == pytest.approx(expected, rel=0.25)


def test_the_interval_of_a_difference_is_one_of_80_percent(rng):
    values = rng.standard_normal(100)
    ours, theirs = ([Score(0.0, {}, {}, value, value, 0.0, 0.5, {}) for value in each] for each in (values, 0 * values))
    found = compare(ours, theirs, [str(place) for place in range(100)], rng)
    for name in ("crps_difference", "interval_score_90_difference"):
        low, high = found[name]["interval_80"]
        assert (high - low) / 2 == pytest.approx(stats.norm.ppf(0.9) * values.std() / 10, rel=0.08)


def test_three_copies_of_one_variable_have_a_third_each(rng):
    """By Shapley's weights; by Banzhaf's they would have a quarter, and of two a half by both."""
    x = rng.standard_normal((5_000, 1))
    assert share_out(x[:, 0], {name: x.copy() for name in "abc"}) == pytest.approx(
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, REST: 0.0}, abs=1e-3
    )


def test_what_is_learned_is_the_covariance_of_all_chains(rng):
    """Chains that stand apart, as they do while they have not mixed, widen it."""
    draws = rng.standard_normal((4, 50, 2)) + np.array([0.0, 1.0, 2.0, 5.0])[:, None, None]
    flat = draws.reshape(-1, 2)
    apart = flat - flat.mean(axis=0)
    learned = Learned(("a", "b"), draws, Diagnostics(1.0, 200.0, 200.0, 0, 10.0, 2, True))
    assert learned.covariance == pytest.approx(apart.T @ apart / (len(flat) - 1))


def test_coverage_is_a_mean_over_rows_and_over_wars(rng):
    """One war of three rows that are all covered, one of a single row that is not."""
    rows = [
        Score(0.0, {}, dict.fromkeys(LEVELS, hit), 1.0, 1.0, 0.0, 0.5, {each: each for each in LEVELS})
        for hit in (1.0, 1.0, 1.0, 0.0)
    ]
    found = summarise(rows, ["a", "a", "a", "b"], rng)
    assert (found["coverage"]["0.5"], found["coverage_by_war"]["0.5"]) == (0.75, 0.5)
