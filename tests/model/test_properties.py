"""Invariants of the model as properties, on densities or on exact one-dimensional posteriors, never on draws."""

from __future__ import annotations

import re

import numpy as np
import pytest
from examples import CASE, UNBOUNDED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from sim.model.arrays import NUMPY
from sim.model.buffer import count_unknowns, evaluate_density
from sim.model.design import log_likelihood, sample_prior
from sim.posterior.simulate import round_count

PATIENT = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# One outcome on one day, every scale fixed: the log of the total is all that is unknown.
FIXED = """
schema = 1
start = 2024-01-01
end = 2024-01-01
[forces.x]
outcomes = ["killed"]
[sources.one]
role = "independent"
[sources.two]
role = "independent"
[sources.three]
role = "independent"
[sources.four]
role = "independent"
[sources.five]
role = "independent"
[priors]
"role.independent.losses" = { fixed = 0 }
"scale.role_in_war" = { fixed = 0 }
"scale.source" = { fixed = 0 }
"scale.source_outcome" = { fixed = 0 }
"noise.independent" = { fixed = 0.4 }
"outlier.probability" = { fixed = PROBABILITY }
"wording.at_least" = { fixed = 0.4 }
"wording.at_most" = { fixed = 0.4 }
"wording.counted" = { fixed = 0.7 }
"""
GRID = np.linspace(-20, 40, 24_001)
DAY = {"published": "2024-01-01", "source": "one"}


def posterior_on_grid(design, rows, probability=0.0):
    """Return the exact posterior density of the log total on GRID."""
    laid = design([{**DAY, **row} for row in rows], FIXED.replace("PROBABILITY", str(probability)))
    theta = laid.parameters.sample(np.random.default_rng(0), len(GRID))
    place = laid.parameters.index("total", "x", "killed")
    theta[:, place] = GRID
    prior = laid.parameters.items[place].prior
    nothing = np.zeros((len(GRID), laid.beliefs.latents))
    empty = np.zeros((len(GRID), 0))
    log = (
        log_likelihood(NUMPY, laid, theta, empty, nothing, empty, empty) - 0.5 * ((GRID - prior.mu) / prior.sigma) ** 2
    )
    density = np.exp(log - log.max())
    return density / trapezoid(density, GRID)


def mean_on_grid(density):
    return float(trapezoid(density * GRID, GRID))


@PATIENT
@given(value=st.integers(1_000, 10**6), qualifier=st.sampled_from(["at_least", "counted"]))
def test_at_least_raises_the_chance_of_more_and_keeps_the_mean_finite(design, value, qualifier):
    """For numbers from the prior's median up.

    Far below it, to say "more than 3" of what may be thousands tells that it is few: the wording understates by a
    factor of its own, unlike a censored count.
    """
    above = np.log(value) < GRID
    prior, after = (posterior_on_grid(design, rows) for rows in ([], [{"value": value, "qualifier": qualifier}]))
    assert trapezoid((after * above), GRID) > trapezoid((prior * above), GRID)
    # The mean of the count converges: the last decades add nothing.
    count = after * np.exp(GRID)
    assert trapezoid(count[GRID > 30], GRID[GRID > 30]) < 1e-6 * trapezoid(count, GRID)


@PATIENT
@given(
    value=st.integers(1, 10**6),
    factor=st.floats(1.01, 100),
    qualifier=st.sampled_from(["exact", "at_least", "at_most", "counted"]),
)
def test_a_higher_number_never_lowers_the_posterior(design, value, factor, qualifier):
    """Scales and contamination fixed, one source, its own day."""
    low, high = (
        mean_on_grid(posterior_on_grid(design, [{"value": number, "qualifier": qualifier, "log_sd": 0.1}]))
        for number in (value, value * factor)
    )
    assert high >= low - 1e-9


def test_with_contamination_an_outlier_loses_its_pull(design):
    names = ("two", "three", "four", "five")  # of one source, the last would tell all that they tell
    others = [{"value": 1_000, "source": name, "qualifier": "exact", "log_sd": 0.2} for name in names]
    pulls = []
    for factor in (3, 30, 300, 3_000, 30_000):
        said = {"value": 1_000 * factor, "qualifier": "exact", "log_sd": 0.01}
        pulls.append(mean_on_grid(posterior_on_grid(design, [*others, said], 0.1)) - np.log(1_000))
    shares = np.array(pulls) / np.log([3, 30, 300, 3_000, 30_000])
    assert shares[1] < 0.5 * shares[0]  # told to be thirty times higher, it follows far less of the way
    without = mean_on_grid(posterior_on_grid(design, [*others, {"value": 30_000, "log_sd": 0.01}]))
    assert pulls[1] < 0.5 * (without - np.log(1_000))


def test_a_shrinking_range_tends_to_a_claim_at_its_centre(design):
    centre = posterior_on_grid(design, [{"value": 523.5}])
    gaps = []
    for width in (0.5, 0.05, 0.005):
        row = {"qualifier": "range", "low": 523.5 * np.exp(-width), "high": 523.5 * np.exp(width)}
        gaps.append(float(np.abs(posterior_on_grid(design, [row]) - centre).max()))
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-4


def test_a_claim_more_does_not_raise_the_mean_variance(design):
    """Averaged over the prior predictive: the law of total variance, for claims made by the model itself."""
    rng = np.random.default_rng(1)
    after_one, after_two = [], []
    for truth in rng.normal(np.log(1_000), 3.45, 80):
        said = [float(np.exp(truth + rng.normal(0, 0.4))) for _ in range(2)]
        rows = [{"value": f"{number:.9g}", "source": name} for number, name in zip(said, ("one", "two"), strict=True)]
        for store, used in ((after_one, rows[:1]), (after_two, rows)):
            density = posterior_on_grid(design, used)
            mean = mean_on_grid(density)
            store.append(trapezoid(density * (GRID - mean) ** 2, GRID))
    assert np.mean(after_two) < np.mean(after_one)


def at_zero(laid):
    return evaluate_density(laid, np.zeros(count_unknowns(laid)))[0]


ROWS = [
    {"value": 3_000, "as_of": "2024-02-10", "force": "a"},
    {"value": 12_000, "source": "foe", "qualifier": "at_least", "quantity": "casualties", "force": "a"},
    {"low": 1_000, "high": 2_000, "qualifier": "range", "source": "mixed", "force": "b"},
    {"value": 700, "qualifier": "counted", "force": "b", "as_of": "2024-03-01"},
]
PLAIN = UNBOUNDED.replace('lulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]\n', "")


def test_units_do_not_matter(design, monkeypatch):
    """Claims and prior locations times ten give the same density at counts times ten.

    Unbounded, no small counts, and without the twentieth of a person that is added to beliefs.
    """
    monkeypatch.setattr("sim.model.claims.layout.LEAST_BELIEF", 1e-300)
    tenfold = [{**row, **{k: 10 * row[k] for k in ("value", "low", "high") if k in row}} for row in ROWS]
    priors = '\n[priors]\n"total.default" = { dist = "Normal", mu = MU, sigma = 3.45 }\n'
    base = design(ROWS, PLAIN + priors.replace("MU", "6.0"))
    more = design(tenfold, PLAIN + priors.replace("MU", str(6.0 + np.log(10))))
    unknowns = sample_prior(base, np.random.default_rng(2), 40)
    values = []
    for laid, shift in ((base, 0.0), (more, np.log(10))):
        theta = unknowns["theta"].copy()
        for place, item in enumerate(laid.parameters.items):
            if item.variable == "total":
                theta[:, place] += shift
        at = unknowns["walk"], unknowns["effects"], np.zeros((40, 0)), unknowns["burst"]
        values.append(log_likelihood(NUMPY, laid, theta, *at))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9)


def test_the_calendar_does_not_matter(design):
    """All days 364 earlier: the same density at every point."""

    def shift(text):
        return re.sub(r"\d{4}-\d\d-\d\d", lambda day: str(np.datetime64(day.group()) - np.timedelta64(364, "D")), text)

    earlier = [
        {k: shift(v) if isinstance(v, str) else v for k, v in {"published": "2024-03-31", **row}.items()}
        for row in ROWS
    ]
    base, other = design(ROWS, PLAIN), design(earlier, shift(PLAIN))
    unknowns = sample_prior(base, np.random.default_rng(3), 40)
    values = [
        log_likelihood(
            NUMPY, laid, *(unknowns[k] for k in ("theta", "walk", "effects")), np.zeros((40, 0)), unknowns["burst"]
        )
        for laid in (base, other)
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


def test_a_force_that_nobody_speaks_of_leaves_the_others(design):
    """The density factorises: what it adds is its own prior."""
    silent = PLAIN + '[forces.c]\noutcomes = ["killed"]\n'
    silent = silent.replace('b = "adversary" }', 'b = "adversary", c = "own" }')
    silent = silent.replace('b = "own" }', 'b = "own", c = "own" }').replace(
        'b = "independent" }', 'b = "independent", c = "own" }'
    )
    base, more = design(ROWS, PLAIN), design(ROWS, silent)
    added = [item for item in more.parameters.items if ("force", "c") in item.coords]
    walk = more.state.walks - base.state.walks
    prior = sum(-0.5 * (item.prior.mu / item.prior.sigma) ** 2 - np.log(item.prior.sigma) for item in added)
    prior -= 0.5 * np.log(2 * np.pi) * (len(added) + walk)
    assert at_zero(more) - at_zero(base) == pytest.approx(prior, abs=1e-9)


@given(st.floats(0.51, 1e9), st.sampled_from([None, 1, 2, 3]))
def test_rounding_cells_hold_their_number_and_do_not_overlap(count, digits):
    """Cells tile the line: the cell of a number holds it, and the cell above begins where this one ends."""
    lower, upper = round_count(np.log(count), digits)
    assert lower - 1e-9 <= np.log(count) <= upper + 1e-9
    above = round_count(upper + 1e-7, digits)
    if upper < 20:
        assert above[0] == pytest.approx(upper, abs=2e-6)


def test_bounded_losses_never_exceed_those_sent_whatever_is_claimed(design):
    laid = design([{"value": 900_000, "quantity": "losses", "source": "foe"}], CASE)
    theta = sample_prior(laid, np.random.default_rng(4), 500)
    theta["theta"][:, laid.parameters.index("share", "x")] = 50.0
    from sim.posterior.sample import Sample

    sample = Sample(laid, theta, 1)
    assert (sample.cumulate("x", "losses") <= sample.cumulate("x", "deployed") * (1 + 1e-9)).all()
