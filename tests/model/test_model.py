"""The model as a whole: one definition, one fast density, and the invariants that it must keep."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from examples import CASE, LOUD_ROWS, ONE_DAY, ONE_DAY_ROWS, RICH_ROWS, SERIES_ROWS, UNBOUNDED
from kinds import KINDS, smooth

from sim.model.arrays import NUMPY
from sim.model.buffer import constrain_draws, count_unknowns, evaluate_density
from sim.model.design import log_likelihood, sample_prior, trace_state


def unknowns_at(design, x):
    return {name: values[None] for name, values in constrain_draws(design, x).items()}


@pytest.mark.parametrize("many", [3, 100])
@pytest.mark.parametrize("kind", [*KINDS, "loud", "series in two roles"])
def test_gradient_is_a_difference_of_densities(kind, many, design, rng, monkeypatch):
    monkeypatch.setattr("sim.model.design.MANY_CLAIMS", many)
    more = {"loud": (LOUD_ROWS, UNBOUNDED), "series in two roles": (SERIES_ROWS, CASE)}
    laid = design(*{**KINDS, **more}[kind])
    x = rng.normal(0, 0.4, count_unknowns(laid))
    _, gradient = evaluate_density(laid, x)
    for place in range(len(x)):
        step = np.zeros(len(x))
        step[place] = 1e-6
        slope = (evaluate_density(laid, x + step)[0] - evaluate_density(laid, x - step)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=2e-3)


def test_no_claims_give_the_prior(design, rng):
    laid = design([])
    x = rng.normal(0, 0.5, count_unknowns(laid))
    unknowns = unknowns_at(laid, x)
    assert log_likelihood(NUMPY, laid, *(unknowns[k] for k in ("theta", "walk", "effects", "statement", "burst"))) == 0


def likelihood_of(laid, draws=50):
    unknowns = sample_prior(laid, np.random.default_rng(3), draws)
    statement = np.random.default_rng(4).standard_normal((draws, laid.beliefs.statements))
    at = [unknowns[name] for name in ("theta", "walk", "effects")]
    return log_likelihood(NUMPY, laid, *at, statement, unknowns["burst"])


def test_closed_lists_alone_are_read_without_any_effect(design):
    laid = design(*KINDS["lists alone"])
    assert laid.beliefs.latents == 0
    assert np.isfinite(likelihood_of(laid)).all()


def test_roles_in_a_war_and_sources_are_drawn_as_wide_as_the_law_has_them(design):
    """The variance of a contaminated normal, 1 - q + q factor^2; effects by outcome are standard normals."""
    wide = '[priors]\n"outlier.source" = { fixed = 0.3 }\n"outlier.factor" = { fixed = 4 }\n'
    laid = design(ONE_DAY_ROWS, ONE_DAY + wide)
    effects = sample_prior(laid, np.random.default_rng(1), 40_000)["effects"]
    expected = np.where(np.arange(laid.beliefs.latents) < laid.beliefs.wide_latents, 0.7 + 0.3 * 16, 1.0)
    names = laid.beliefs.effects
    assert laid.beliefs.wide_latents == len(names["role_in_war"]) + len(names["source"]) > len(names["source"])
    np.testing.assert_allclose(effects.var(axis=0), expected, rtol=0.06)


def test_marked_echoes_move_nothing(design):
    """Ten marked echoes of a claim leave every density where it was."""
    echoes = [
        {"id": f"e{n}", "source": "foe", "value": 300, "as_of": "2024-02-01", "origin": "c0" if n % 2 else "own"}
        for n in range(10)
    ]
    base, more = design(RICH_ROWS), design([*RICH_ROWS, *echoes])
    assert len(more.evidence.observations) == len(base.evidence.observations)
    np.testing.assert_array_equal(likelihood_of(more), likelihood_of(base))


def test_rows_in_any_order_give_the_same_density(design, rng):
    rows = [{"id": f"c{number}", **row} for number, row in enumerate(RICH_ROWS)]
    shuffled = [rows[place] for place in rng.permutation(len(rows))]
    base, other = design(rows), design(shuffled)
    # The order of the rows may change the order of latent effects, so compare the whole density at its centre.
    zero = np.zeros(count_unknowns(base))
    assert evaluate_density(other, zero)[0] == pytest.approx(evaluate_density(base, zero)[0], rel=1e-12)
    np.testing.assert_allclose(likelihood_of(other), likelihood_of(base), rtol=1e-9)


def test_relabelling_sources_changes_nothing(design):
    """The same source effects under other names give the same likelihood at every draw."""
    renamed = CASE.replace("sources.foe", "sources.aaa")
    rows = [{**row, "source": "aaa"} if row.get("source") == "foe" else row for row in RICH_ROWS]
    base, other = design(RICH_ROWS), design(rows, renamed)

    def place_effects(laid):
        names = [(kind, *key) for kind, keys in laid.beliefs.effects.items() for key in keys]
        return [tuple("foe" if part == "aaa" else part for part in name) for name in names]

    unknowns = sample_prior(base, np.random.default_rng(3), 40)
    statement = np.random.default_rng(4).standard_normal((40, base.beliefs.statements))
    order = [place_effects(base).index(name) for name in place_effects(other)]
    values = [
        log_likelihood(NUMPY, laid, unknowns["theta"], unknowns["walk"], effects, statement, unknowns["burst"])
        for laid, effects in ((base, unknowns["effects"]), (other, unknowns["effects"][:, order]))
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-10)


def test_a_claim_date_does_not_change_the_prior_of_the_path(design):
    """Cutting a bin where a claim speaks leaves the smooth state at other days as it was, draw by draw."""
    few = smooth(design([{"value": 300, "as_of": "2024-02-20"}]))
    many = smooth(design([{"value": 300, "as_of": f"2024-02-{day:02}"} for day in range(1, 25)]))
    for laid in (few, many):
        assert laid.state.walks == few.state.walks
    walk = np.random.default_rng(1).standard_normal((30, few.state.walks))
    day = dt.date(2024, 3, 31)
    ends = []
    theta = few.parameters.sample(np.random.default_rng(2), 30)
    for laid in (few, many):  # the fresh error of a source that speaks often comes last among the parameters
        own = np.column_stack([theta, np.ones((30, len(laid.parameters) - len(few.parameters)))])
        state = trace_state(laid, {"theta": own, "walk": walk, "burst": walk[:, :0]})
        ends.append(state[:, :, laid.timeline.evening(day)])
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-10)


@pytest.mark.parametrize(
    "row",
    [
        {"value": 300, "qualifier": "exact", "as_of": "2024-02-03"},
        {"value": 300, "qualifier": "about", "as_of": "2024-01-01"},
        {"value": 0.3, "unit": "share", "quantity": "losses", "as_of": "2024-02-03"},
        {"low": 300, "high": 400, "qualifier": "range", "as_of": "2024-03-03"},
    ],
)
def test_a_claim_of_infinite_noise_changes_nothing(row, design):
    """Its likelihood is flat: the same at every point, up to the range of beliefs over its noise."""
    # That it leaves out prisoners would tell of them; that nobody speaks after it, of a war that is over.
    toml = CASE.replace(', "captured"]', "]").replace("end = 2024-03-31\nas_of = 2024-03-31\n", "")
    assert np.ptp(likelihood_of(design([{**row, "log_sd": 1e9}], toml))) < 1e-12
