"""Scores against closed forms and hand computations; the band holds a calibrated forecaster."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri

from sim.calibration.scores import (
    LEVELS,
    Established,
    Score,
    bound_coverage,
    compare,
    estimate_correlation,
    score_draws,
    summarise,
)
from sim.report.plots.calibration import draw_calibration, draw_sharpness, spread_labels
from sim.report.plots.style import save_figure, use_style

# Rows in each war: a table of a few large wars and many small ones.
SIZES = (8, 5, 4, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1)
WARS = [f"war {place}" for place, size in enumerate(SIZES) for _ in range(size)]


def point(value):
    return Established(value, value, value)


def log_draws(mean, sd, count=20_000):
    """Return the mid-quantiles of a normal law of log(count + 1/2), as counts."""
    return np.exp(stats.norm.ppf((np.arange(count) + 0.5) / count, mean, sd)) - 0.5


def made_score(pit=0.5, crps=1.0, interval_score=2.0):
    distance = abs(ndtri(pit))
    covered = {level: float(distance <= ndtri((1 + level) / 2)) for level in LEVELS}
    return Score(0.0, {}, covered, interval_score, crps, 0.0, pit, {level: level for level in LEVELS})


def level_masses(rows):
    """Return what intervals hold that are of numbers without gaps: their level."""
    return {level: [level] * rows for level in LEVELS}


def draw_pits(rng, correlation):
    _, war = np.unique(WARS, return_inverse=True)
    shared, own = rng.standard_normal(len(SIZES))[war], rng.standard_normal(len(WARS))
    return ndtr(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)


@pytest.mark.parametrize("mode", [10.0, 13.0, 20.0])
def test_a_range_is_a_triangular_law(mode):
    law = stats.triang((mode - 10) / 10, loc=10, scale=10)
    truth = Established(10, mode, 20)
    for x in (5, 10, 11.5, 13, 17, 20, 30):
        assert truth.cdf(x) == pytest.approx(law.cdf(x), abs=1e-12)
    assert truth.points(7) == pytest.approx(law.ppf((np.arange(7) + 0.5) / 7))


def test_a_range_by_hand():
    """Low 0, mode 10, high 20: an eighth lies below 5, an eighth above 15."""
    truth = Established(0, 10, 20)
    assert truth.probability(5, 15) == pytest.approx(0.75)
    assert truth.probability(-3, 5) == pytest.approx(0.125)
    assert truth.probability(0, 20) == 1
    assert truth.probability(21, 30) == 0


def test_a_point_lies_in_a_closed_interval_or_does_not():
    truth = point(7.0)
    assert [truth.cdf(x) for x in (6.9, 7, 7.1)] == [0, 1, 1]
    assert [truth.probability(*edges) for edges in ((7, 9), (5, 7), (7, 7), (8, 9), (5, 6))] == [1, 1, 1, 0, 0]
    assert truth.points(3).tolist() == [7, 7, 7]


@pytest.mark.parametrize("gap", [-2.0, -0.4, 0.0, 1.3])
def test_crps_of_a_normal_forecast(gap):
    """Against the closed form of Gneiting & Raftery 2007, section 4.2."""
    mean, sd = np.log(1000), 0.7
    score = score_draws(point(np.exp(mean + gap) - 0.5), log_draws(mean, sd))
    z = gap / sd
    exact = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert score.crps == pytest.approx(exact, rel=2e-4)
    assert score.pit == pytest.approx(stats.norm.cdf(z), abs=1e-4)
    assert score.abs_error == pytest.approx(abs(gap), abs=1e-4)


def test_crps_by_all_pairs(rng):
    """With ties and a range, against the double sum over draws, averaged over the truth."""
    draws = rng.poisson(20, 200).astype(float)
    truth = Established(12, 15, 30)
    logs, truths = np.log(draws + 0.5), np.log(truth.points(101) + 0.5)
    pairs = np.abs(logs[:, None] - logs).mean() / 2
    score = score_draws(truth, draws)
    assert score.crps == pytest.approx(np.abs(logs[:, None] - truths).mean() - pairs)
    below = (logs[:, None] < truths).mean() + (logs[:, None] == truths).mean() / 2
    assert score.pit == pytest.approx(below)


def test_a_forecast_of_one_number():
    """CRPS is its absolute error; a truth equal to it is covered, and in the middle of the ties."""
    score = score_draws(point(9.5), np.full(50, 19.5))
    assert score.crps == pytest.approx(np.log(2))
    assert score.pit == 0
    same = score_draws(point(4.0), np.full(50, 4.0))
    assert same.crps == pytest.approx(0, abs=1e-12)
    assert (same.pit, same.covered[0.5], same.interval_score_90) == (0.5, 1, 0)


def test_interval_score_by_hand():
    """Draws 0 to 100 in steps of 1: the 90% interval is 5 to 95. A truth of 200 lies ln(200.5 / 95.5) above it."""
    draws = np.arange(101.0)[::-1]
    inside, above = (score_draws(point(value), draws) for value in (50.0, 200.0))
    assert inside.intervals[0.9] == pytest.approx((5, 95))
    assert inside.intervals[0.5] == pytest.approx((25, 75))
    assert inside.median == 50
    assert inside.interval_score_90 == pytest.approx(np.log(95.5 / 5.5))
    assert above.interval_score_90 == pytest.approx(np.log(95.5 / 5.5) + 20 * np.log(200.5 / 95.5))
    assert above.covered == dict.fromkeys(LEVELS, 0.0)


def test_coverage_of_a_range_is_a_probability():
    """Interval 5 to 95; the truth is triangular over 0..10 with mode 5, so half of it lies above 5."""
    score = score_draws(Established(0, 5, 10), np.arange(101.0))
    assert score.covered[0.9] == pytest.approx(0.5)
    assert score.covered[0.5] == 0


def test_summary_means_over_rows_and_over_wars(rng):
    """Three rows of war a with CRPS 1 and one of war b with 5: 2 over rows, 3 over wars."""
    scores = [made_score(crps=1.0)] * 3 + [made_score(pit=0.999, crps=5.0)]
    found = summarise(scores, ["a", "a", "a", "b"], rng)
    assert (found["n"], found["wars"]) == (4, 2)
    assert (found["crps"], found["crps_by_war"]) == (2, 3)
    assert found["crps_interval_80"] == [1, 5]
    assert found["coverage"] == dict.fromkeys(map(str, LEVELS), 0.75)
    assert found["coverage_by_war"]["0.9"] == 0.5
    assert found["coverage_interval_80"]["0.9"] == [0, 1]
    assert list(found["coverage_band"]) == ["0.5", "0.8", "0.9", "0.95"]


def test_summary_of_one_row(rng):
    found = summarise([made_score()], ["a"], rng)
    assert found["crps_interval_80"] == [1, 1]
    assert all(low <= 1 for low, _ in found["coverage_band"].values())


def test_bootstrap_of_a_mean_is_as_wide_as_its_standard_error(rng):
    values = rng.standard_normal(100)
    found = summarise([made_score(crps=value) for value in values], [str(place) for place in range(100)], rng)
    low, high = found["crps_interval_80"]
    assert (high - low) / 2 == pytest.approx(1.2816 * values.std() / 10, rel=0.06)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_band_holds_a_calibrated_forecaster(rng, correlation):
    """About nine times in ten, at every level, when the correlation must be estimated too.

    Coverage comes in steps of one row, which the band's ends include: more than nine in ten is to be expected.
    """
    tables = 150
    held = dict.fromkeys(LEVELS, 0)
    for _ in range(tables):
        scores = [made_score(pit) for pit in draw_pits(rng, correlation)]
        band = bound_coverage([score.pit for score in scores], WARS, rng, level_masses(len(WARS)))
        for level, (low, high) in band.items():
            held[level] += low <= np.mean([score.covered[level] for score in scores]) <= high
    for count in held.values():
        assert 0.90 - 4 * np.sqrt(0.9 * 0.1 / tables) < count / tables <= 1
    assert np.mean(list(held.values())) / tables < 0.98


def test_the_band_leaves_out_a_forecaster_whose_intervals_are_too_narrow(rng):
    """Errors twice as large as said: coverage near .26 at 50%, whatever the clusters."""
    scores = 2 * stats.norm.ppf(draw_pits(rng, 0.3))
    low, _ = bound_coverage(stats.norm.cdf(scores).tolist(), WARS, rng, level_masses(len(WARS)))[0.9]
    assert np.mean(np.abs(scores) <= stats.norm.ppf(0.95)) < low


def test_independent_rows_have_a_binomial_band(rng):
    """One row a war: no pair, no correlation; coverage of 40 rows is binomial."""
    band = bound_coverage([0.3, 0.7] * 20, [str(place) for place in range(40)], rng, level_masses(40))
    for level, edges in band.items():
        assert edges == pytest.approx(stats.binom.ppf([0.05, 0.95], 40, level) / 40, abs=1 / 40 + 1e-9)


def test_the_band_holds_a_forecaster_of_small_counts(rng):
    """Truths drawn from the very forecasts, of few men: their coverage is above the level, and within the band."""
    rates, rows = rng.gamma(1.5, 3, 200), []
    for rate in rates:
        draws = np.sort(rng.poisson(rate, 2_000)).astype(float)
        rows.append(score_draws(point(float(rng.poisson(rate))), draws))
    found = summarise(rows, [str(row) for row in range(len(rows))], rng)
    for level in LEVELS:
        low, high = found["coverage_band"][str(level)]
        assert low <= found["coverage"][str(level)] <= high
        assert low < np.mean([row.mass[level] for row in rows]) < high
    assert np.mean([row.mass[0.5] for row in rows]) > 0.6
    assert found["coverage_band"]["0.5"][0] > 0.5


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.8])
def test_the_correlation_is_recovered(rng, correlation):
    found = [estimate_correlation(draw_pits(rng, correlation), WARS) for _ in range(400)]
    assert np.median(found) == pytest.approx(correlation, abs=0.1)


def test_the_correlation_by_hand():
    """The one pair's product over the mean square of all: 2 over 2 is cut to .95, .5 over .75 is 2/3, -1 is 0."""
    assert estimate_correlation(stats.norm.cdf([1, 2, -1]), ["a", "a", "b"]) == pytest.approx(0.95)
    assert estimate_correlation(stats.norm.cdf([0.5, 1, -1]), ["a", "a", "b"]) == pytest.approx(0.5 / 0.75)
    assert estimate_correlation(stats.norm.cdf([1, -1, 1]), ["a", "a", "b"]) == 0
    assert estimate_correlation([0.0, 1.0, 0.5], ["a", "a", "b"]) == 0
    assert estimate_correlation([0.5, 0.5], ["a", "a"]) == 0


def test_a_constant_difference_has_no_uncertainty(rng):
    values = rng.random(len(WARS))
    ours = [made_score(crps=value, interval_score=value) for value in values]
    theirs = [made_score(crps=value + 0.25, interval_score=value - 0.5) for value in values]
    found = compare(ours, theirs, WARS, rng)
    assert found["crps_difference"]["mean"] == pytest.approx(-0.25)
    assert found["crps_difference"]["interval_80"] == pytest.approx([-0.25, -0.25])
    interval = found["interval_score_90_difference"]
    assert interval["interval_80"] == pytest.approx([0.5, 0.5])
    assert interval["mean_without_worst_wars"] == pytest.approx(0.5)


def test_the_worst_wars_are_those_of_ours(rng):
    """Wars c, d, e have our worst means (8, 9, 10); without them rows a, a, b differ by 1, 2, 3."""
    ours = [made_score(interval_score=value) for value in (1.0, 2.0, 3.0, 8.0, 9.0, 10.0)]
    theirs = [made_score(interval_score=value) for value in (0.0, 0.0, 0.0, 50.0, 50.0, 50.0)]
    wars = ["a", "a", "b", "c", "d", "e"]
    found = compare(ours, theirs, wars, rng)["interval_score_90_difference"]
    assert found["mean_without_worst_wars"] == pytest.approx(2)
    assert found["mean"] == pytest.approx((1 + 2 + 3 - 42 - 41 - 40) / 6)
    few = compare(ours[:3], theirs[:3], wars[:3], rng)["interval_score_90_difference"]
    assert few["mean_without_worst_wars"] is None


def test_scores_repeat_with_the_seed():
    scores = [made_score(pit) for pit in draw_pits(np.random.default_rng(3), 0.3)]
    first, second = (summarise(scores, WARS, np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_labels_keep_their_distance():
    """Those apart stay; those together spread about their mean; a block that grows takes in its neighbour."""
    assert spread_labels([0.1, 0.5, 0.9], 0.1) == [0.1, 0.5, 0.9]
    assert spread_labels([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
    assert spread_labels([0.5, 0.59, 0.6, 0.9], 0.1) == pytest.approx([0.46333, 0.56333, 0.66333, 0.9], abs=1e-4)


def test_the_calibration_figure_shows_coverage_and_band(rng, tmp_path):
    summary = summarise([made_score(pit) for pit in draw_pits(rng, 0.3)], WARS, rng)
    figure = draw_calibration(summary, {"naive_mean": {"coverage": dict.fromkeys(summary["coverage"], 0.3)}})
    assert [(row["forecaster"], row["level"]) for row in figure.rows[3:5]] == [
        ("truetoll", "0.95"),
        ("naive_mean", "0.5"),
    ]
    assert figure.rows[2]["coverage"] == summary["coverage"]["0.9"]
    assert [figure.rows[2]["band_low"], figure.rows[2]["band_high"]] == summary["coverage_band"]["0.9"]
    with use_style():
        assert save_figure(figure, tmp_path, "calibration").stat().st_size > 0


def test_the_sharpness_figure_goes_by_war_from_below_the_truth_to_above(tmp_path):
    """Also with an interval down to zero, and one far off the axis."""
    intervals = {"0.5": [50.0, 1e6], "0.9": [0.0, 1e9]}
    known = {"case": "x", "quantity": "killed", "truth": 100.0, "truth_low": 90.0, "truth_high": 150.0}
    medians = {("a", "red"): 900.0, ("a", "blue"): 60.0, ("b", "red"): 40.0}
    rows = [
        {**known, "group": war, "force": force, "median": median, "intervals": intervals}
        for (war, force), median in medians.items()
    ]
    figure = draw_sharpness(rows)
    assert [row["median"] for row in figure.rows] == [40, 60, 900]
    assert draw_sharpness([]) is None
    with use_style():
        assert save_figure(figure, tmp_path, "sharpness").stat().st_size > 0
