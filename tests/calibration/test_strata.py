"""Scores by kind of row, ranks, words and losses of zero: each against what can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from records import WARS, write_record

from sim.calibration.backtest import list_scored_truths
from sim.calibration.record import read_record
from sim.calibration.scores import Established, score_draws
from sim.calibration.strata import LEAST_P, STRATA, count_pits, rate_words, report_strata, score_zeros
from sim.report.plots.calibration import PAGE, cut_pages


@pytest.fixture
def record(tmp_path):
    return read_record(*write_record(tmp_path))


def test_each_row_stands_in_one_stratum_of_each_kind(record):
    rows = list_scored_truths(record)
    scores = [score_draws(row.truth.established, np.geomspace(10, 1000, 1000)) for row in rows]
    report = report_strata(rows, scores, {"good": scores, "bad": [*scores[1:], scores[0]]}, 1)
    assert set(report["strata"]) == set(STRATA)
    assert all(sum(each["n"] for each in kind.values()) == len(rows) for kind in report["strata"].values())
    assert list(report["strata"]["size"]) == ["10 to 100", "100 to 1,000", "1,000 to 10,000"]
    assert list(report["strata"]["victims"]) == ["equipment", "military"]
    assert report["strata"]["claims"]["2"]["n"] == 3


def test_a_stratum_has_the_scores_of_its_rows_alone(record):
    rows = list_scored_truths(record)
    scores = [score_draws(row.truth.established, np.geomspace(10, 1000, 1000)) for row in rows]
    found = report_strata(rows, scores, {"same": scores}, 1)["strata"]["quantity"]["aircraft"]
    (own,) = [score for row, score in zip(rows, scores, strict=True) if row.truth.quantity == "aircraft"]
    assert found["crps"] == pytest.approx(own.crps)
    assert found["crps_difference"]["mean"] == 0
    assert found["median_log_error"] == pytest.approx(math.log(own.median + 0.5) - math.log(20.5))


def test_nothing_scored_has_no_strata():
    assert report_strata([], [], {}, 1) == {"best_rule": None, "strata": {}}


def test_ranks_are_counted_by_tenths():
    forecast = np.arange(1000.0)
    scores = [score_draws(Established(value, value, value), forecast) for value in (5.0, 55.0, 950.0, 2000.0)]
    assert count_pits(scores) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_words_are_held_against_what_came_true():
    """Of ten forecasts that say 70% likely above 100, seven come true; other thresholds are certain, and left out."""
    forecast = np.array([50.0] * 300 + [500.0] * 700)
    truths = [Established(value, value, value) for value in [500.0] * 7 + [50.0] * 3]
    (found,) = rate_words(truths, [forecast] * 10, [f"w{number}" for number in range(10)])
    assert (found["words"], found["n"], found["wars"]) == ("likely", 10, 10)
    assert (found["probability"], found["right"]) == (pytest.approx(0.7), pytest.approx(0.7))


def test_zero_or_not_is_scored_over_all_rows(record):
    truths = [truth for item in record.hindcasts for truth in item.truths]
    found = score_zeros([(truth, 0.4 if truth.is_zero else 0.1) for truth in truths])
    zeros = sum(truth.is_zero for truth in truths)
    assert found["log_score"] == pytest.approx((zeros * math.log(0.4) + (4 - zeros) * math.log(0.9)) / 4)
    assert (found["invented"], found["p_zero_of_invented"], found["real_below_10"]) == (1, 0.4, 0)
    sure = score_zeros([(truth, 0.0) for truth in truths if truth.is_zero])
    assert sure["log_score"] == pytest.approx(math.log(LEAST_P))
    assert len(WARS["truths"]) == 4


def test_a_figure_of_many_rows_goes_on_on_other_pages():
    """A hundred wars of one row and one of sixty: every row once, no page above what it holds, no war on two."""
    level = {"0.9": (50.0, 200.0), "0.5": (80.0, 120.0)}
    rows = [
        {"group": f"w{war}", "case": f"c{n}", "truth": 100.0, "median": 100.0 + war, "intervals": level}
        for n, war in enumerate([*range(100), *([100] * PAGE)])
    ]
    pages = cut_pages(rows)
    assert sorted(row["case"] for page in pages for row in page) == sorted(row["case"] for row in rows)
    assert all(len(page) <= PAGE for page in pages)
    assert sum("w100" in {row["group"] for row in page} for page in pages) == 1
