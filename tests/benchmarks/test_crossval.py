"""Claims that are left out and forecast: nothing that stays has seen them, and their forecast is the model's."""

import re

import numpy as np
from bench_crossval import forecast_rows, leave_out
from examples import UNBOUNDED

from sim.model.density.codes import Link
from sim.posterior.sample import draw_prior

DAYS = ("2024-01-10", "2024-02-01", "2024-02-20", "2024-03-20")
WAR = re.sub(r"\nlulls.*", "", UNBOUNDED)


def _rows(third=310):
    values = (100, 200, third, 400)
    return [
        {"force": "a", "value": value, "as_of": day, "source": "foe"} for value, day in zip(values, DAYS, strict=True)
    ]


def _read(design, third=310):
    whole = design(_rows(third), WAR)
    days = [str(row.observation.claim.as_of) for row in whole.beliefs.rows]
    return whole, [days.index(day) for day in DAYS]


def test_a_series_passes_over_what_was_left_out(design):
    whole, (first, second, third, last) = _read(design)
    rows = np.zeros(len(whole.beliefs.rows), dtype=bool)
    rows[[second, third]] = True
    left = leave_out(whole, rows).beliefs
    assert whole.beliefs.successor[[first, second, third]].tolist() == [second, third, last]
    assert left.link.tolist().count(Link.NONE) == len(rows) - 1
    assert left.link[first] == Link.TOTAL
    assert left.successor[first] == last
    assert left.next_point[first] == whole.beliefs.next_point[third]


def test_no_row_that_stays_knows_the_number_that_was_left_out(design):
    told = []
    for number in (310, 3_100):
        whole, (_, _, third, _) = _read(design, number)
        rows = np.arange(len(whole.beliefs.rows)) == third
        left = leave_out(whole, rows).beliefs
        told.append([left.next_point[left.link != Link.NONE], left.next_sd[left.link != Link.NONE]])
    np.testing.assert_array_equal(*told)


def test_the_last_of_a_series_is_forecast_by_itself_and_others_given_the_next(design):
    whole, (_, second, third, last) = _read(design)
    rows = np.isin(np.arange(len(whole.beliefs.rows)), [third, last])
    sample, rng = draw_prior(whole, 1), np.random.default_rng(1)
    found = forecast_rows(whole, sample, rows, rng)
    assert sorted(found) == sorted([third, last])
    assert second not in found
    np.testing.assert_array_equal(found[last].mean, found[last].far)
    assert np.median(found[third].sd) < np.median(found[last].sd)
    edges = np.quantile(found[last].draw(rng), [0.25, 0.75])
    assert np.isclose(np.exp(found[last].weigh(*edges)) * np.diff(edges)[0], 0.5, atol=0.03)
