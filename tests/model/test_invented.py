"""Losses that may be none: who is heard, the odds, what they reduce to, and what learns them."""

import datetime as dt

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from sim.case.evidence import weigh_claims
from sim.case.folder import read_case
from sim.case.prior_keys import NOTHING_TERMS
from sim.case.priors import read_priors
from sim.model.claims.invented import SELECTED, doubt, find_claimed, find_doubtful, learn_odds
from sim.model.design import sample_prior
from sim.posterior.sample import Sample

CASE = """
schema = 1
start = 2024-01-01
end = 2024-01-31
[forces.b]
outcomes = ["killed", "wounded", "aircraft"]
[sources.own]
role = "own"
[sources.foe]
role = "adversary"
[sources.foe_paper]
role = "adversary"
[sources.press]
role = "independent"
[sources.unclear]
role = ["own", "adversary"]
"""
PLANES = {"source": "foe", "quantity": "aircraft", "qualifier": "exact", "value": 20, "as_of": "2024-01-31"}


def hear(write, *rows):
    case = read_case(write([{"force": "b", **row} for row in rows], CASE))
    return {key[1]: each for key, each in find_doubtful(case, weigh_claims(case)).items()}


def test_what_an_adversary_alone_claims_is_doubtful(write):
    assert hear(write, PLANES)["aircraft"].terms.tolist() == [1, pytest.approx(np.log10(2)), 0, 0, 0]


@pytest.mark.parametrize(
    ("row", "term"),
    [
        ({"source": "own", "value": 0}, "denied"),
        ({"source": "own", "value": 0, "as_of": "2024-01-28"}, "denied"),  # a return that closed three days before
        ({"source": "press", "value": 0}, "denied"),
        ({"source": "press", "value": 3}, "bystander"),
        ({"source": "unclear", "value": 3}, None),  # it may be the own side's
        ({"source": "foe_paper", "value": 18}, "accuser"),
        ({"source": "own", "qualifier": "at_most", "value": 5}, ""),  # says nothing of whether there were any
        ({"source": "own", "value": 0, "as_of": "2024-01-10"}, ""),  # before anybody claimed any
        ({"source": "press", "value": 0, "measure": "interval", "since": "2024-01-31"}, ""),  # of a day
        ({"source": "foe", "value": 0, "as_of": "2024-02-10"}, ""),  # by who claims them
    ],
)
def test_who_else_speaks(write, row, term):
    found = hear(write, PLANES, {**PLANES, "published": "2024-04-01", **row})
    if term is None:
        assert not found
        return
    moved = dict(zip(NOTHING_TERMS, found["aircraft"].terms, strict=True))
    assert {name for name in ("denied", "bystander", "accuser") if moved[name]} == ({term} if term else set())


def test_what_a_side_admits_is_no_invention(write):
    assert not hear(write, PLANES, {**PLANES, "source": "own", "value": 1})


def test_a_total_that_is_admitted_admits_its_parts(write):
    killed = {**PLANES, "quantity": "killed"}
    assert set(hear(write, killed)) == {"killed"}
    assert not hear(write, killed, {**PLANES, "source": "own", "quantity": "casualties", "value": 3})


def test_echoes_are_no_further_accusers(write):
    echo = {**PLANES, "source": "foe_paper", "origin": "foe", "published": "2024-04-01"}
    assert hear(write, PLANES, echo)["aircraft"].terms.tolist() == hear(write, PLANES)["aircraft"].terms.tolist()


def test_nothing_is_drawn_as_often_as_the_odds_say(write):
    case = read_case(write([{"force": "b", **PLANES}], CASE))
    evidence, priors = weigh_claims(case), read_priors("default")
    drawn = doubt(case, evidence, priors, np.random.default_rng(1), 200_000)["b", "aircraft"]
    terms = find_doubtful(case, evidence)["b", "aircraft"].terms
    each = [priors.get(f"nothing.{term}") for term in NOTHING_TERMS]
    law = stats.norm(
        sum(prior.mu * term for prior, term in zip(each, terms, strict=True)),
        np.sqrt(sum((prior.sigma * term) ** 2 for prior, term in zip(each, terms, strict=True))),
    )
    expected = integrate.quad(lambda odds: expit(odds) * law.pdf(odds), -np.inf, np.inf)[0]
    assert drawn.mean() == pytest.approx(expected, abs=0.005)


def test_where_nothing_was_lost_nothing_is_counted_and_sources_still_err(design):
    laid = design([{"force": "b", **PLANES}, {"force": "b", **PLANES, "quantity": "killed"}], CASE)
    unknowns = sample_prior(laid, np.random.default_rng(1), 4_000)
    unknowns["statement"] = np.zeros((4_000, 0))
    plain, doubtful = Sample(laid, unknowns, 1), Sample(laid, unknowns, 1, doubts=True)
    nothing = doubtful.nothing["b", "aircraft"]
    assert 0 < nothing.mean() < 1
    assert not doubtful.count("b", "aircraft")[nothing].any()
    known = np.maximum(plain.count("b", "aircraft"), 1)  # given that there was a loss it was one at least
    np.testing.assert_array_equal(doubtful.count("b", "aircraft")[~nothing], known[~nothing])
    np.testing.assert_array_equal(doubtful.flat_state, plain.flat_state)
    assert not plain.nothing
    # Who invents the dead invents the aircraft: the likelier of the two is nothing wherever the other is.
    both = [doubtful.nothing["b", name] for name in ("killed", "aircraft")]
    assert np.all(both[0] == both[1])


OWN = {"force": "b", "source": "own", "as_of": "2024-01-10", "published": "2024-01-11"}


@pytest.mark.parametrize(
    ("row", "is_claimed"),
    [
        ({"value": 1}, True),
        ({"value": 3, "qualifier": "at_least"}, True),
        ({"value": 1, "source": "foe"}, True),  # it has odds of nothing
        ({"value": 1, "source": "press"}, False),  # it has none, and may be a rumour
        ({"value": 1, "source": "unclear"}, False),
        ({"low": 2, "high": 5, "qualifier": "range"}, True),
        ({"value": 1, "measure": "interval", "since": "2024-01-09"}, True),
        ({"low": 0, "high": 5, "qualifier": "range"}, False),
        ({"value": 3, "qualifier": "at_most"}, False),
        ({"value": 0}, False),
        ({"value": 4, "quantity": "losses"}, False),  # of the parts it names none
        ({"value": 4, "quantity": "missing"}, False),  # they may be found
    ],
)
def test_what_is_admitted_or_has_odds_of_nothing_was_else_one_at_least(row, is_claimed, write):
    case = read_case(write([OWN | row], CASE.replace('"aircraft"', '"missing"')))
    found = find_claimed(case, weigh_claims(case))
    assert found == ({("b", "killed"): dt.date(2024, 1, 10)} if is_claimed else {})


@pytest.mark.parametrize(("source", "stands"), [("own", False), ("press", True)])
def test_who_says_later_that_there_was_none_has_taken_it_back(source, stands, write):
    later = OWN | {"source": source, "value": 0, "as_of": "2024-01-20", "published": "2024-01-21"}
    case = read_case(write([OWN | {"value": 2}, later], CASE))
    assert bool(find_claimed(case, weigh_claims(case))) == stands


def test_a_loss_that_is_claimed_is_one_at_least_from_its_day_on(design):
    """Draws of a size near none are one; all others, other outcomes and earlier days stay as they are."""
    own = [{"force": "b", "value": n, "as_of": f"2024-01-{day}"} for n, day in ((1, 25), (1, 20), (0, 10))]
    laid = design([*own, {"force": "b", **PLANES}], CASE)
    unknowns = sample_prior(laid, np.random.default_rng(1), 4_000)
    unknowns["statement"] = np.zeros((4_000, 0))
    plain, whole = Sample(laid, unknowns, 1), Sample(laid, unknowns, 1, doubts=True)
    before, day = dt.date(2024, 1, 10), dt.date(2024, 1, 20)
    assert (plain.count("b", "killed", day) < 0.5).any()
    np.testing.assert_array_equal(whole.count("b", "killed", day), np.maximum(plain.count("b", "killed", day), 1))
    np.testing.assert_array_equal(whole.count("b", "killed", before), plain.count("b", "killed", before))
    assert whole.headline["b", "killed"].min() == 1
    np.testing.assert_array_equal(whole.count("b", "wounded"), plain.count("b", "wounded"))


def test_how_wide_the_prior_of_totals_is_does_not_make_a_loss_doubtful(design):
    share = []
    for sd in (2, 5):
        prior = f'\n[priors]\n"total.aircraft" = {{ dist = "Normal", mu = 4.0, sigma = {sd} }}\n'
        laid = design([{"force": "b", **PLANES}], CASE + prior)
        unknowns = sample_prior(laid, np.random.default_rng(1), 4_000)
        share.append(Sample(laid, unknowns, 1, doubts=True).nothing["b", "aircraft"].mean())
    assert share[0] == share[1]


def test_odds_are_learned_as_by_quadrature():
    before = dict.fromkeys(NOTHING_TERMS, (0.0, 1e-3)) | {"claimed": (-2.0, 1.0)}
    seen = [(np.array([1.0, 0, 0, 0, 0]), number < 30) for number in range(100)]
    mean, sd = learn_odds(seen, before)["claimed"]
    grid = np.linspace(-8, 4, 20_001)
    log = SELECTED * 30 * np.log(expit(grid)) + 70 * np.log(expit(-grid)) - 0.5 * (grid + 2) ** 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    middle = weight @ grid
    assert mean == pytest.approx(middle, abs=0.05)
    assert sd == pytest.approx(np.sqrt(weight @ (grid - middle) ** 2), rel=0.05)


def test_nothing_seen_teaches_nothing():
    before = dict.fromkeys(NOTHING_TERMS, (0.5, 2.0))
    assert learn_odds([], before) == before
