"""Ratios of two numbers: what they reduce to, and what changes nothing of them."""

from __future__ import annotations

import numpy as np
import pytest
from examples import RATIO_ROWS, UNBOUNDED

from sim.model.arrays import NUMPY
from sim.model.buffer import count_unknowns, evaluate_density
from sim.model.design import log_likelihood
from sim.posterior.simulate import round_observation, simulate_worlds

# Two forces on one day; of the second's tanks there were a hundred, and every bias is known.
TWO = """
schema = 1
start = 2024-01-01
end = 2024-01-01
[forces.a]
outcomes = ["killed"]
[forces.b]
outcomes = ["tanks", "killed"]
[sources.one]
role = { a = "adversary", b = "own" }
[sources.other]
role = "independent"
[priors]
"total.tanks" = { fixed = 4.605170185988092 }
"role.own.losses" = { fixed = OWN }
"role.adversary.losses" = { fixed = FOE }
"scale.role_in_war" = { fixed = 0 }
"scale.source" = { fixed = 0 }
"scale.source_outcome" = { fixed = 0 }
"noise.adversary" = { fixed = 0.3 }
"noise.own" = { fixed = 0.1 }
"spread.own" = { fixed = 1 }
"noise.independent" = { fixed = 0.2 }
"outlier.probability" = { fixed = CHANCE }
"outlier.factor" = { fixed = 5 }
"role.independent.losses" = { fixed = 0 }
"wording.at_least" = { fixed = 0.4 }
"wording.at_most" = { fixed = 0.4 }
"""
RATIO = {"source": "one", "force": "a", "published": "2024-01-01", "unit": "ratio", "of": "b.tanks"}
COUNT = {"source": "one", "force": "a", "published": "2024-01-01"}
GRID = np.linspace(2, 9, 301)  # logs of the killed of either force


def fill(own=0.0, foe=0.0, chance=0.1):
    return TWO.replace("OWN", str(own)).replace("FOE", str(foe)).replace("CHANCE", str(chance))


def likelihood(design, rows, own=0.0, foe=0.0, killed=(GRID, 3.0)):
    """Return the log likelihood of rows, given the logs of the killed of both forces."""
    laid = design(rows, fill(own, foe))
    theta = laid.parameters.sample(np.random.default_rng(0), len(GRID))
    for force, log in zip("ab", killed, strict=True):
        theta[:, laid.parameters.index("total", force, "killed")] = log
    nothing, empty = np.zeros((len(GRID), laid.beliefs.latents)), np.zeros((len(GRID), 0))
    return log_likelihood(NUMPY, laid, theta, empty, nothing, empty, empty)


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({"value": 3}, {"value": 300}),
        ({"value": 3, "digits": 2}, {"value": 300, "digits": 2}),
        ({"value": 3.5}, {"value": 350, "log_sd": 1e-9}),
        ({"value": 3, "qualifier": "at_least"}, {"value": 300, "qualifier": "at_least"}),
        ({"value": 0.5, "qualifier": "at_most"}, {"value": 50, "qualifier": "at_most"}),
        ({"low": 0.1, "high": 0.4, "qualifier": "range"}, {"low": 10, "high": 40, "qualifier": "range"}),
        ({"value": 2, "log_sd": 0.2}, {"value": 200, "log_sd": 0.2}),
    ],
)
def test_a_ratio_to_a_known_number_is_a_count(said, counted, design):
    """Of so many times that number, with its wording, its rounding and the noise of the role towards its force."""
    found = likelihood(design, [{**RATIO, **said}])
    np.testing.assert_allclose(found, likelihood(design, [{**COUNT, **counted}]), rtol=1e-9, atol=1e-9)
    assert np.ptp(found) > 1


def test_a_source_has_the_bias_of_each_side(design):
    """Who makes twice of the one side and half of the other makes four times of their ratio."""
    rows = [{**RATIO, "value": 3, "of": "b.killed"}]
    biased = likelihood(design, rows, own=-np.log(2), foe=np.log(2))
    shifted = likelihood(design, rows, killed=(GRID + np.log(4), 3.0))
    np.testing.assert_allclose(biased, shifted, rtol=1e-9, atol=1e-9)


def test_a_ratio_tells_nothing_of_how_many_there_were(design):
    """Both sides times seven: as likely."""
    rows = [{**RATIO, "value": 3, "of": "b.killed"}]
    once = likelihood(design, rows, killed=(GRID, GRID[::-1]))
    np.testing.assert_allclose(once, likelihood(design, rows, killed=(GRID + 7, GRID[::-1] + 7)), atol=1e-9)


@pytest.mark.parametrize("qualifier", ["about", "at_least", "at_most"])
def test_a_ratio_of_infinite_error_changes_nothing(qualifier, design):
    rows = [{**COUNT, "value": 300}]
    ratio = {**RATIO, "source": "other", "value": 3, "of": "b.killed", "log_sd": 1e9, "qualifier": qualifier}
    added = likelihood(design, [*rows, ratio]) - likelihood(design, rows)
    assert np.ptp(added) < 1e-6


def at_zero(laid):
    return evaluate_density(laid, np.zeros(count_unknowns(laid)))[0]


def test_neither_the_order_of_rows_nor_names_matter(design):
    """The same density with the rows turned round, and with the forces by names that stand in another order."""
    # A statement's error has the unit of its first reading's noise, in the order of names.
    plain = [row for row in RATIO_ROWS if "statement" not in row]
    base = at_zero(design(plain, UNBOUNDED))
    assert at_zero(design(plain[::-1], UNBOUNDED)) == pytest.approx(base, abs=1e-9)
    named = {"a": "z", "b": "c"}
    rows = [
        {key: named[value] if key == "force" else rename(value) if key == "of" else value for key, value in row.items()}
        for row in plain
    ]
    toml = UNBOUNDED.replace("forces.a", "forces.z").replace("forces.b", "forces.c")
    toml = toml.replace("{ a =", "{ z =").replace(", b =", ", c =")
    assert at_zero(design(rows, toml)) == pytest.approx(base, abs=1e-9)


def rename(of):
    return of.replace("a.", "z.").replace("b.", "c.")


def test_a_ratio_is_said_again_about_what_it_is_of(design, rng):
    """In made-up worlds the log of what is said is the truth's and the biases', with the noise of the role."""
    laid = design([{**RATIO, "value": 3.5, "of": "b.killed"}], fill(-0.5, 0.5, 0.0))
    off = []
    for world in simulate_worlds(laid, rng, 2_000):
        a, b = (float(world.truth.count(force, "killed")[0]) for force in "ab")
        off.append(world.observations[0].point - np.log(a / b) - 1)
    assert abs(np.mean(off)) < 4 * 0.3 / np.sqrt(2_000)
    assert np.std(off) == pytest.approx(0.3, rel=0.07)


@pytest.mark.parametrize("said", [-2.0, 0.0, 1.1, 1.2, 6.0])
def test_rounded_ratios_tile_the_line(said, design):
    """The cell of a ratio that is said anew holds it, and is as wide on the log scale as the row's."""
    (item,) = design([{**RATIO, "value": 3}], fill()).evidence.observations
    new = round_observation(item, said)
    assert new.lower <= said < new.upper
    assert new.upper - new.lower == pytest.approx(np.log(3.5 / 2.5))
    assert round_observation(item, new.upper + 1e-9).lower == pytest.approx(new.upper)
