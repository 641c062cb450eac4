"""Each baseline against a hand computation, or against the law that it must reduce to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from sim.calibration.baselines import (
    LEAN,
    LEARNT,
    NAMES,
    SPREADS,
    Said,
    Taught,
    average_claims,
    forecast,
    take_median,
    teach,
)
from sim.calibration.scores import Established, score_draws

SHARES = (np.arange(1000) + 0.5) / 1000
LOGS = np.log([100.5, 200.5, 800.5])


def said(logs, own_sd=None, independent=None, sources=None, sides=None, victims="military"):
    logs = np.asarray(logs, dtype=float)
    return Said(
        logs,
        np.zeros(logs.size) if own_sd is None else np.asarray(own_sd, dtype=float),
        np.zeros(logs.size, dtype=bool) if independent is None else np.asarray(independent),
        tuple(f"s{place}" for place in range(logs.size)) if sources is None else sources,
        ("other",) * logs.size if sides is None else sides,
        victims,
    )


def to_log(draws):
    return np.log(draws + 0.5)


def log_quantiles(law):
    """Return what a baseline with this law of log(count + 1/2) must give, on that scale."""
    return np.maximum(law.ppf(SHARES), np.log(0.5))


def established(value):
    return Established(value, value, value)


@pytest.mark.parametrize("name", NAMES)
def test_without_claims_every_baseline_is_the_prior(name):
    assert to_log(forecast(name, said([]))) == pytest.approx(log_quantiles(stats.norm(np.log(1000), 3.45)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("logs", [[7.0], [7.0, 7.0], [0.0, 3.0], LOGS])
def test_every_baseline_gives_counts(name, logs):
    draws = forecast(name, said(logs))
    assert draws.shape == (1000,)
    assert np.isfinite(draws).all()
    assert (draws >= 0).all()
    assert (np.diff(draws) >= 0).all()


def test_naive_mean_has_the_standard_error_of_the_claims():
    law = stats.norm(LOGS.mean(), LOGS.std(ddof=1) / np.sqrt(3))
    assert to_log(forecast("naive_mean", said(LOGS))) == pytest.approx(log_quantiles(law))


def test_naive_mean_of_one_claim_and_of_claims_that_agree():
    assert to_log(forecast("naive_mean", said([5.0]))) == pytest.approx(log_quantiles(stats.norm(5, 0.5)))
    assert to_log(forecast("naive_mean", said([5.0, 5.0]))) == pytest.approx(log_quantiles(stats.norm(5, 0.01)))


def test_constant_spread_goes_around_the_mean():
    law = stats.norm(LOGS.mean(), 0.8)
    assert to_log(forecast("constant_spread", said(LOGS), Taught({}, 0.8))) == pytest.approx(log_quantiles(law))


def test_the_median_is_that_of_the_independent_claims():
    chosen = said([1.0, 2.0, 6.0, 9.0], independent=[True, False, True, True])
    assert take_median(chosen) == 6
    assert take_median(said([1.0, 2.0, 6.0, 9.0])) == 4
    assert average_claims(chosen) == 4.5
    assert to_log(forecast("independent_median", chosen, Taught({}, 0.3))) == pytest.approx(
        log_quantiles(stats.norm(6, 0.3))
    )


@pytest.mark.parametrize("name", LEARNT)
def test_the_spread_is_the_best_of_the_grid(name, rng):
    """Against the scores of the forecasts themselves, at the spread, and a step of the grid either way."""
    saids = [said(rng.normal(8, 1, 3), sides=("own", "adversary", "other")) for _ in range(12)]
    truths = [Established(0.8 * value, value, 1.1 * value) for value in np.exp(rng.normal(8, 1.2, 12))]
    found = teach(name, saids, truths)
    place = int(np.argmin(np.abs(SPREADS - found.spread)))
    steps = [Taught(found.factors, near) for near in SPREADS[[place - 1, place, place + 1]]]
    costs = [
        np.mean([score_draws(truth, forecast(name, row, near)).crps for row, truth in zip(saids, truths, strict=True)])
        for near in steps
    ]
    assert np.argmin(costs) == 1


def test_the_spread_finds_that_of_the_errors():
    """Errors that are the mid-quantiles of N(0, .6): the best constant log sd is .6, to a step of the grid."""
    errors = stats.norm.ppf((np.arange(200) + 0.5) / 200, 0, 0.6)
    truths = [established(np.exp(9 + error) - 0.5) for error in errors]
    spread = teach("constant_spread", [said([9.0])] * 200, truths).spread
    assert spread == pytest.approx(0.6, rel=0.06)


def test_rows_without_claims_teach_no_spread():
    assert teach("constant_spread", [said([])], [established(10)]) == Taught({}, 0.5)
    assert teach("constant_spread", [], []) == Taught({}, 0.5)
    one = teach("constant_spread", [said([5.0])], [established(400)])
    assert teach("constant_spread", [said([]), said([5.0])], [established(9), established(400)]) == one


def test_the_rule_of_three_numbers_takes_off_what_each_side_adds():
    """Own claims are half, the adversary's four times the truth, others right: all come back, and a mean of two."""
    truths = [established(np.exp(log) - 0.5) for log in (5.0, 6.0, 7.0)]
    rows = [
        said([log - np.log(2), log + np.log(4), log], sides=("own", "adversary", "other")) for log in (5.0, 6.0, 7.0)
    ]
    found = teach("role_rule", rows, truths)
    assert found.factors["own", ""] == pytest.approx(-np.log(2))
    assert found.factors["adversary", ""] == pytest.approx(np.log(4))
    new = said([4.0, 6.0], sides=("own", "adversary"))
    law = stats.norm((4 + np.log(2) + 6 - np.log(4)) / 2, found.spread)
    assert to_log(forecast("role_rule", new, found)) == pytest.approx(log_quantiles(law))


def test_the_same_by_victims_leans_on_the_side_where_they_are_few():
    """Nine claims on soldiers at twice the truth, one on civilians at it: each is drawn to the mean of all ten."""
    rows = [said([5 + np.log(2)], sides=("adversary",))] * 9 + [said([5.0], sides=("adversary",), victims="civilians")]
    found = teach("role_victims_rule", rows, [established(np.exp(5.0) - 0.5)] * 10).factors
    mean = 0.9 * np.log(2)
    assert found["adversary", "civilians"] == pytest.approx(LEAN * mean / (LEAN + 1))
    assert found["adversary", "military"] == pytest.approx((9 * np.log(2) + LEAN * mean) / (LEAN + 9))
    unseen = said([5.0], sides=("adversary",), victims="mixed")
    known = Taught(found, 0.5)
    assert forecast("role_victims_rule", unseen, known) == pytest.approx(forecast("role_rule", unseen, known))


def test_random_effects_of_equal_claims_is_the_t_interval():
    """With one sd for all, every weight is the same and Hartung and Knapp's interval is Student's."""
    law = stats.t(2, LOGS.mean(), LOGS.std(ddof=1) / np.sqrt(3))
    assert to_log(forecast("random_effects", said(LOGS))) == pytest.approx(log_quantiles(law))


def test_random_effects_by_hand():
    """Claims 1, 2, 4 with sd 1, .5, 1: weights 1, 4, 1.

    Fixed mean 13/6, Q = 49/36 + 4/36 + 121/36 = 29/6, scale 6 - 18/6 = 3, tau2 = (29/6 - 2) / 3 = 17/18. Weights
    18/35, 36/43, 18/35.
    """
    y, weight = np.array([1.0, 2, 4]), np.array([18 / 35, 36 / 43, 18 / 35])
    mean = (weight @ y) / weight.sum()
    error = np.sqrt(weight @ (y - mean) ** 2 / (2 * weight.sum()))
    draws = forecast("random_effects", said(y, own_sd=[1, 0.5, 1]))
    assert to_log(draws) == pytest.approx(log_quantiles(stats.t(2, mean, error)))


def test_random_effects_of_one_claim_and_of_claims_that_agree():
    assert to_log(forecast("random_effects", said([5.0]))) == pytest.approx(log_quantiles(stats.norm(5, 0.5)))
    together = to_log(forecast("random_effects", said([5.0, 5.0, 5.0])))
    assert together == pytest.approx(log_quantiles(stats.t(2, 5, 0.01)))


def test_linear_pool_of_one_claim_is_normal():
    assert to_log(forecast("linear_pool", said([6.0]))) == pytest.approx(log_quantiles(stats.norm(6, 0.3)))
    ranged = forecast("linear_pool", said([6.0], own_sd=[0.7]))
    assert to_log(ranged) == pytest.approx(log_quantiles(stats.norm(6, 0.7)))


def test_linear_pool_is_the_mean_of_the_claims_laws():
    """The mean CDF of N(5, .3) and N(8, .6) at each quantile is its share; half lies below a point in between."""
    logs = to_log(forecast("linear_pool", said([5.0, 8.0], own_sd=[0, 0.6])))
    assert (stats.norm(5, 0.3).cdf(logs) + stats.norm(8, 0.6).cdf(logs)) / 2 == pytest.approx(SHARES)


def test_published_by_quadrature():
    """Two claims of one source and one of another: log C against the likelihood integrated over each b."""
    y, sources = np.array([7.0, 7.8, 5.5]), ("a", "a", "b")
    grid = np.linspace(-2, 14, 4001)
    density = stats.norm.pdf(grid, np.log(1000), 3.45)
    for logs in (y[:2], y[2:]):
        shared = np.linspace(-8, 8, 801)
        inner = stats.norm.pdf(shared)[:, None] * np.ones_like(grid)
        for log in logs:
            inner = inner * stats.norm.pdf(log, grid + shared[:, None], 0.5)
        density = density * integrate.trapezoid(inner, shared, axis=0)
    density /= integrate.trapezoid(density, grid)
    mean = integrate.trapezoid(grid * density, grid)
    sd = np.sqrt(integrate.trapezoid((grid - mean) ** 2 * density, grid))
    draws = to_log(forecast("published", said(y, sources=sources)))
    assert draws == pytest.approx(log_quantiles(stats.norm(mean, sd)), abs=1e-5)


def test_published_treats_many_claims_of_one_source_as_one_witness():
    """A hundred claims of one source leave its bias: the sd stays near 1."""
    draws = to_log(forecast("published", said([8.0] * 100, sources=("a",) * 100)))
    exact = (1 / 3.45**2 + 1 / (1 + 0.25 / 100)) ** -0.5
    assert (draws[-1] - draws[0]) / (2 * stats.norm.ppf(SHARES[-1])) == pytest.approx(exact)
