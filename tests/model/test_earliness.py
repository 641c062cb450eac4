"""First reports: what each lacks beside a later one, and zeros that deny what others count."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from examples import CASE, ONE_DAY
from kinds import KINDS

from sim.case.evidence import set_denials
from sim.model.arrays import NUMPY
from sim.model.beliefs import row_log_likelihoods
from sim.model.claims.earliness import FINDING, find_earliness
from sim.model.claims.invented import find_doubtful
from sim.model.design import sample_prior, trace_state
from sim.posterior.sample import Sample
from sim.posterior.summary import describe_claims

STRIKE = {"as_of": "2024-01-01", "published": "2024-01-01", "qualifier": "exact"}


def weigh(laid):
    found = find_earliness(laid.case, laid.evidence.observations)
    return {item.claim.id: value for item, value in zip(laid.evidence.observations, found, strict=True)}


def test_what_stands_alone_or_comes_last_is_not_early(design):
    assert weigh(design([{**STRIKE, "value": 14}], ONE_DAY)) == {"c0": 0.0}
    rows = [{**STRIKE, "value": 14}, {**STRIKE, "value": 40, "source": "foe", "published": "2024-01-11"}]
    found = weigh(design(rows, ONE_DAY))
    assert found["c1"] == 0
    assert found["c0"] == pytest.approx(1 - math.exp(-10 / FINDING))


def test_the_weight_is_the_mean_over_the_days_of_a_war(design):
    """What became known between two numbers of a total of twenty days, added up day by day."""
    rows = [
        {"value": 200, "as_of": "2024-01-20", "published": "2024-01-22"},
        {"value": 300, "as_of": "2024-01-20", "published": "2024-01-27", "source": "foe"},
    ]
    days = [dt.date(2024, 1, day) for day in range(1, 21)]
    unknown = [np.mean([math.exp(-(dt.date(2024, 1, said) - day).days / FINDING) for day in days]) for said in (22, 27)]
    assert weigh(design(rows))["c0"] == pytest.approx(unknown[0] - unknown[1])


def test_registers_places_days_and_zeros_are_neither_early_nor_followed(design):
    first = {**STRIKE, "value": 14}
    for late in (
        {"qualifier": "register", "value": 40},
        {"part": "the market", "value": 9},
        {"measure": "interval", "since": "2024-01-01", "value": 40},
        {"value": 0},
    ):
        rows = [first, {**STRIKE, "source": "foe", "published": "2024-01-20", **late}]
        assert weigh(design(rows, ONE_DAY)) == {"c0": 0, "c1": 0}


def test_a_first_report_is_believed_to_lack_what_the_parameter_says(design):
    """The row's density moves by as much as if the number had been said that much larger."""
    laid = design(*KINDS["first reports"])
    unknowns = sample_prior(laid, np.random.default_rng(1), 50)
    at, early = laid.beliefs.first_report, laid.beliefs.early
    assert early.max() > 0.9
    flat = trace_state(laid, unknowns).reshape(50, -1)

    def rows(beliefs, theta):
        return row_log_likelihoods(NUMPY, beliefs, flat, theta, unknowns["effects"], np.zeros((50, 0)))

    theta = unknowns["theta"].copy()
    theta[:, at] = -0.5
    plain = theta.copy()
    plain[:, at] = 0.0
    moved = np.flatnonzero(early)
    assert np.abs(rows(laid.beliefs, theta) - rows(laid.beliefs, plain))[:, moved].max() > 0.1
    others = np.flatnonzero(early == 0)
    linked = [row for row in others if laid.beliefs.successor[row] in moved]
    alone = [row for row in others if row not in linked]
    np.testing.assert_array_equal(rows(laid.beliefs, theta)[:, alone], rows(laid.beliefs, plain)[:, alone])


def test_a_zero_denies_what_others_count(design):
    """By whomever, of the same days, of the whole: it tells whether, and nothing of how many."""
    count, zero = {**STRIKE, "value": 40}, {**STRIKE, "source": "foe", "value": 0}

    def edge(*rows, toml=ONE_DAY):
        return design(list(rows), toml).evidence.observations[-1].upper

    assert edge(count, zero) == math.inf
    assert edge({**count, "source": "foe"}, {**zero, "source": "own"}) == math.inf
    assert edge(zero) == math.log(0.5)
    assert edge({**count, "qualifier": "at_most"}, zero) == math.log(0.5)
    assert edge(count, {**zero, "qualifier": "register"}) == math.log(0.5)
    assert edge({**count, "source": "foe"}, count, zero) == math.log(0.5)  # its source counts some itself


def test_a_zero_of_an_earlier_time_is_a_number(design):
    rows = [{"value": 40, "as_of": "2024-03-01"}, {"value": 0, "as_of": "2024-02-01", "source": "foe"}]
    assert design(rows).evidence.observations[1].upper == math.log(0.5)
    rows[1]["as_of"] = "2024-02-24"  # within a return's time of what it denies
    assert design(rows).evidence.observations[1].upper == math.inf


def test_a_denial_says_nothing_of_how_many(design):
    """Its likelihood is one whatever was lost, and whether there was any hears of it as before."""
    rows = [{**STRIKE, "value": 40, "source": "foe"}, {**STRIKE, "value": 0}]
    laid = design(rows, ONE_DAY)
    unknowns = sample_prior(laid, np.random.default_rng(1), 20)
    flat = trace_state(laid, unknowns).reshape(20, -1)
    found = row_log_likelihoods(NUMPY, laid.beliefs, flat, unknowns["theta"], unknowns["effects"], np.zeros((20, 0)))
    denied = [n for n, row in enumerate(laid.beliefs.rows) if row.observation and row.observation.claim.value == 0]
    np.testing.assert_allclose(found[:, denied], 0.0, atol=1e-15)
    assert find_doubtful(laid.case, laid.evidence)["x", "killed"].denied


def test_without_what_it_denies_a_zero_is_a_number_again(design):
    laid = design([{**STRIKE, "value": 40, "source": "foe"}, {**STRIKE, "value": 0}], ONE_DAY)
    (zero,) = set_denials(laid.case, laid.evidence.observations[1:])
    assert zero.upper == math.log(0.5)
    both = laid.evidence.observations
    assert all(one is other for one, other in zip(both, set_denials(laid.case, both), strict=True))


def test_a_total_of_none_denies_its_parts_and_a_part_no_total(design):
    dead, none = {"value": 40, "as_of": "2024-03-01"}, {"value": 0, "as_of": "2024-03-01", "source": "foe"}
    assert design([dead, {**none, "quantity": "casualties"}], CASE).evidence.observations[1].upper == math.inf
    rows = [{**dead, "quantity": "casualties"}, none]
    assert design(rows, CASE).evidence.observations[1].upper == math.log(0.5)


def test_nothing_is_expected_of_a_denial(design):
    """A memo would else call it far off what the model expected, and lower its confidence."""
    laid = design([{**STRIKE, "value": 40, "source": "foe"}, {**STRIKE, "value": 0}], ONE_DAY)
    drawn = sample_prior(laid, np.random.default_rng(1), 200)
    drawn["statement"] = np.zeros((200, 0))
    told = {claim.id: claim for claim in describe_claims(Sample(laid, drawn, 1))}
    assert (told["c1"].used, told["c1"].denies, told["c1"].expected, told["c1"].standardised) == (
        True,
        True,
        None,
        None,
    )
    assert not told["c0"].denies
    assert told["c0"].standardised is not None
