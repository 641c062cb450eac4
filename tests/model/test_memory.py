"""The memory of sources: what is a series, what its numbers tell, and that one claim a source is left as it was."""

from __future__ import annotations

import numpy as np
import pytest
from examples import CASE, ONE_DAY, ONE_DAY_ROWS, SERIES_ROWS
from scipy import stats

from sim.model.arrays import NUMPY
from sim.model.beliefs import expect, row_log_likelihoods
from sim.model.buffer import count_unknowns, evaluate_density
from sim.model.claims.counting import count_claims
from sim.model.claims.series import find_point, measure_rounding
from sim.model.density.codes import Link
from sim.model.design import sample_prior, trace_state
from sim.posterior.simulate import simulate_worlds

SURE = (
    CASE
    + """
[priors]
"memory.renewal" = { fixed = 0 }
"""
)
IMPOSSIBLE = -300.0  # below, a source counts anew rather: the probability of that is 1e-300 at least
TOTALS = [{"value": value, "as_of": f"2024-0{month}-20"} for month, value in ((1, 100), (2, 160), (3, 240))]


def describe_links(laid):
    """Return for each claim that is read given another: how, and which."""
    beliefs = laid.beliefs
    ids = [row.observation.claim.id if row.observation else "" for row in beliefs.rows]
    return {
        ids[row]: (Link(beliefs.link[row]).name, ids[beliefs.successor[row]]) for row in np.flatnonzero(beliefs.link)
    }


def draw_rows(laid, change=None):
    unknowns = sample_prior(laid, np.random.default_rng(3), 20)
    statement = np.zeros((20, laid.beliefs.statements))
    if change:
        change(unknowns)
    flat = trace_state(laid, unknowns).reshape(20, -1)
    return row_log_likelihoods(NUMPY, laid.beliefs, flat, unknowns["theta"], unknowns["effects"], statement)


def test_numbers_are_read_given_the_next_one_that_is_not_zero(design):
    rows = [
        *TOTALS,
        {"qualifier": "exact", "value": 0, "as_of": "2024-02-10"},
        {"value": 250, "as_of": "2024-03-20", "published": "2024-04-02"},
        {"value": 20, "as_of": "2024-02-20", "since": "2024-02-19", "measure": "interval"},
        {"value": 30, "as_of": "2024-02-22", "since": "2024-02-21", "measure": "interval"},
        {"qualifier": "counted", "value": 90, "as_of": "2024-02-22"},
        {"value": 40, "source": "foe", "as_of": "2024-02-22"},
        {"value": 0.5, "unit": "share", "quantity": "losses", "as_of": "2024-02-22"},
    ]
    assert describe_links(design(rows)) == {
        "c0": ("TOTAL", "c1"),
        "c3": ("TOTAL", "c1"),
        "c1": ("TOTAL", "c2"),
        "c2": ("RECOUNT", "c4"),
        "c5": ("INTERVAL", "c6"),
    }


def test_a_zero_that_comes_last_tells_no_error(design):
    rows = [*TOTALS, {"qualifier": "exact", "value": 0, "as_of": "2024-03-31"}]
    assert "c2" not in describe_links(design(rows))


def test_earlier_totals_tell_nothing_of_the_level(design, monkeypatch):
    """Another effect of the source moves the likelihood of its last total alone."""
    monkeypatch.setattr(
        "sim.model.claims.layout.LEAST_BELIEF", 1e-300
    )  # a twentieth of a person would move a little else
    laid = design(TOTALS, SURE)

    def shift(unknowns):
        unknowns["effects"] += 1.0

    before, after = draw_rows(laid), draw_rows(laid, shift)
    near = before[:, :2] > IMPOSSIBLE
    np.testing.assert_allclose(before[:, :2][near], after[:, :2][near], rtol=1e-9)
    assert np.abs(before[:, 2] - after[:, 2]).min() > 1e-3


def test_a_smooth_source_says_nothing_of_the_noise(design):
    """The noise of its role acts on its last total, and on what is fresh: without that, on no other."""
    laid = design(TOTALS, SURE + '"memory.fresh" = { fixed = 0 }\n')
    place = laid.parameters.index("noise", "own")

    def double(unknowns):
        unknowns["theta"][:, place] *= 2

    before, after = draw_rows(laid), draw_rows(laid, double)
    near = before[:, :2] > IMPOSSIBLE
    np.testing.assert_array_equal(before[:, :2][near], after[:, :2][near])
    assert not np.allclose(before[:, 2], after[:, 2])


def test_a_series_is_one_claim_of_the_effects(design):
    assert count_claims(design(TOTALS).beliefs).tolist() == [1, 1, 1]


def test_a_number_that_others_follow_leaves_its_statement(design):
    """Of the first statement both totals are followed, and of the second none."""
    said = [(20, "s"), (25, "t")]
    rows = [
        {"value": day * (1 + number), "as_of": f"2024-02-{day}", "statement": name, "quantity": quantity}
        for day, name in said
        for number, quantity in enumerate(("killed", "wounded"))
    ]
    laid = design(rows)
    assert [item.statement for item in laid.evidence.observations] == ["", "", "own:t", "own:t"]
    assert laid.beliefs.statements == 1
    left = design(rows[:3])  # the second statement is a single number
    assert [item.statement for item in left.evidence.observations] == ["", "", ""]
    assert left.beliefs.statements == 0


def test_one_claim_a_source_has_no_memory(design):
    """Then every row is read alone, and there is no parameter of memory that is not fixed: the model is as without."""
    laid = design(ONE_DAY_ROWS, ONE_DAY)
    assert not laid.beliefs.link.any()
    assert not [item for item in laid.parameters.items if item.key.startswith("memory.") and item.prior.dist]
    priors = '[priors]\n"memory.renewal" = { fixed = 0.5 }\n"memory.statement" = { fixed = 2 }\n'
    other = design(ONE_DAY_ROWS, ONE_DAY + priors)
    x = np.linspace(-0.5, 0.5, count_unknowns(laid))
    (value, slope), (again, slope_again) = (evaluate_density(each, x) for each in (laid, other))
    assert value == again
    assert slope.tolist() == slope_again.tolist()


def test_made_up_running_totals_seldom_fall(design):
    toml = SURE + '"memory.fresh" = { fixed = 0.4 }\n'
    laid = design(TOTALS, toml)
    worlds = simulate_worlds(laid, np.random.default_rng(2), 200)
    said = np.array([[find_point(item) for item in world.observations] for world in worlds])
    falls = said[:, 1:] < said[:, :-1]
    assert falls[np.isfinite(said).all(axis=1)].mean() < 0.03


def test_a_made_up_number_has_the_law_of_the_likelihood(design):
    """The error of a total is that of the next one, and what is fresh on what was added, as wide as it should be."""
    toml = SURE + '"memory.fresh" = { fixed = 1 }\n"memory.statement" = { fixed = 0.3 }\n'
    rows = [{**row, "qualifier": "exact", "log_sd": 0.2} for row in TOTALS[1:]]
    laid = design(rows, toml)
    place, scores = laid.parameters.index("noise", "own"), []
    for world in simulate_worlds(laid, np.random.default_rng(1), 400):
        sample = world.truth
        own, later = expect(NUMPY, laid.beliefs, sample.unknowns["theta"], sample.flat_state, sample.terms)[0]
        s = sample.unknowns["theta"][0, place]
        first, second = (item.point for item in world.observations)
        sd = np.sqrt(0.5 * (s * (1 - np.exp(own - later))) ** 2 + 0.3**2 + 2 * 0.2**2)
        scores.append((first - own - (second - later)) / sd)
    assert stats.kstest(scores, "norm").pvalue > 1e-3


def test_the_middle_of_a_cell_is_what_was_said(design):
    laid = design(SERIES_ROWS)
    for item in laid.evidence.observations:
        if item.form == "cell" and item.claim.value:
            assert find_point(item) == pytest.approx(np.log(item.claim.value), abs=1e-12)
            assert measure_rounding(item) > 0
