"""Bursts and picks: single days scatter as a law says that does not care where the days are cut."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from examples import CALENDAR_ROWS, CASE, DAY_ROWS, RICH_ROWS, TWO_WAVES, UNBOUNDED, WAVE_DAYS
from kinds import smooth
from scipy import integrate, stats

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.arrays import NUMPY
from sim.model.buffer import constrain_draws, count_unknowns, evaluate_density
from sim.model.density.bursts import gamma_move
from sim.model.design import design_model, log_bursts, log_likelihood, sample_prior, trace_state
from sim.model.losses.bursts import draw_bursts, log_burst_density, log_gamma_variable
from sim.model.losses.picks import weigh_picks
from sim.model.state import size_intervals
from sim.posterior.fit import sample_posterior
from sim.posterior.sample import take_posterior

SIZES = [1e-4, 0.01, 0.3, 1.0, 7.0, 400.0]
SHARED = Path(__file__).parents[3] / "shared" / "cases"
CLAIM_DAYS = ("2024-01-07", "2024-02-03", "2024-02-04", "2024-03-11")


EVENT = dt.date(2024, 1, 15)
EVENTFUL = """
schema = 1
start = 2024-01-01
end = 2024-03-31
[forces.a]
outcomes = ["killed", "wounded"]
events = [{ on = 2024-01-15, outcome = "killed" }]
[sources.own]
role = "own"
[priors]
"bursts.default" = { fixed = 12 }
"path.step" = { fixed = 1e-12 }
"path.tilt" = { fixed = 0 }
"""
EDGES = (-200, -20, -9, -5, -3, -1, 1, 3, 5, 7, 9, 12, 20, 200)


@pytest.mark.parametrize("size", SIZES)
def test_the_variable_of_an_interval_is_gamma(size):
    """The density of its unknown has a mass of one, and the gamma law's Laplace transform."""
    for s in (0.0, 0.5, 3.0):

        def weigh(u, s=s):
            return np.exp(
                log_burst_density(NUMPY, size, u) - s * np.exp(min(log_gamma_variable(NUMPY, size, u), 700.0))
            )

        mass = sum(integrate.quad(weigh, *span, limit=400)[0] for span in pairwise(EDGES))
        assert mass == pytest.approx((1 + s) ** -size, abs=1e-8)


@pytest.mark.parametrize("size", SIZES)
def test_unknowns_are_drawn_from_their_law(size):
    u = draw_bursts(np.random.default_rng(1), np.full(4_000, size))

    def density(v):
        return np.exp(log_burst_density(NUMPY, size, v))

    below = [integrate.quad(density, -60, edge, limit=200)[0] for edge in np.quantile(u, [0.1, 0.5, 0.9])]
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=0.03)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("u", [-3.0, -0.4, 0.9, 2.5])
def test_the_compiled_variable_and_its_slopes(size, u):
    log_x, by_u, by_size, value, slope_u, slope_size = gamma_move(size, u)
    assert log_x == pytest.approx(log_gamma_variable(NUMPY, size, u), rel=1e-12)
    assert value == pytest.approx(log_burst_density(NUMPY, size, u), rel=1e-10)
    h = 1e-5
    up, down, more, less = (
        gamma_move(*at) for at in ((size, u + h), (size, u - h), (size * (1 + h), u), (size * (1 - h), u))
    )
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(by_u, rel=1e-6)
    assert (more[0] - less[0]) / (2 * h * size) == pytest.approx(by_size, rel=1e-6)
    assert (up[3] - down[3]) / (2 * h) == pytest.approx(slope_u, rel=1e-5, abs=1e-5)
    assert (more[3] - less[3]) / (2 * h * size) == pytest.approx(slope_size, rel=1e-4, abs=1e-4 / size)


@pytest.mark.parametrize(("rows", "toml"), [(DAY_ROWS, UNBOUNDED), ([*RICH_ROWS, *WAVE_DAYS], TWO_WAVES)])
def test_cutting_the_days_more_finely_leaves_the_law_of_the_rest(rows, toml, design):
    """The sizes of the finer intervals add up to the coarser ones': with gamma laws, the law of the coarser shares."""
    force = "a" if toml is UNBOUNDED else "x"
    more = [{"force": force, "value": 9, "as_of": day, "log_sd": 1e6, "source": "foe"} for day in CLAIM_DAYS]
    coarse, fine = design(rows, toml), design([*rows, *more], toml)
    assert fine.state.burst_count > coarse.state.burst_count
    names = [item.name for item in fine.parameters.items]
    order = [names.index(item.name) for item in coarse.parameters.items]
    drawn = sample_prior(fine, np.random.default_rng(3), 30)
    theta, walk = drawn["theta"], drawn["walk"]
    sizes = [
        size_intervals(NUMPY, laid.state, *at)
        for laid, at in ((coarse, (theta[:, order], walk)), (fine, (theta, walk)))
    ]
    others = {burst.series: burst for burst in fine.state.bursts}
    for burst in coarse.state.bursts:
        own = sizes[0][:, burst.first : burst.first + burst.count]
        other = others[burst.series]
        days = [laid.timeline.cuts[each.cuts] for laid, each in ((coarse, burst), (fine, other))]
        assert set(days[0]) <= set(days[1])
        group = np.searchsorted(days[0], days[1][:-1], side="right") - 1
        parts = sizes[1][:, other.first : other.first + other.count]
        merged = np.stack([parts[:, group == i].sum(axis=1) for i in range(burst.count)], axis=1)
        np.testing.assert_allclose(merged, own, rtol=1e-8, atol=1e-5)
        big = own > 1e-3  # where no part is at the least size
        np.testing.assert_allclose(merged[big], own[big], rtol=1e-3)


@pytest.mark.parametrize(("rows", "toml"), [(DAY_ROWS, UNBOUNDED), (CALENDAR_ROWS, UNBOUNDED)])
def test_no_total_is_below_its_own_days(rows, toml, design):
    """Draw by draw the days add up to the total, and that is the total without bursts."""
    laid = design(rows, toml)
    drawn = sample_prior(laid, np.random.default_rng(1), 300)
    state, path = trace_state(laid, drawn), trace_state(smooth(laid), drawn)
    assert laid.state.burst_count > 0
    assert (np.diff(state, axis=-1) >= -1e-9 * state[..., -1:]).all()
    np.testing.assert_allclose(state[..., laid.state.end], path[..., laid.state.end], rtol=1e-9)
    told = laid.picks.spells[0]
    row = laid.state.locate(told.force, told.quantity)
    days = [np.diff(each[:, row, told.since : told.since + 2]) for each in (state, path)]
    assert np.median(np.abs(days[0] / days[1] - 1)) > 0.5


def test_events_without_number_are_the_smooth_path(design):
    laid = design(DAY_ROWS, UNBOUNDED)
    drawn = sample_prior(laid, np.random.default_rng(1), 50)
    drawn["theta"][:, [burst.size for burst in laid.state.bursts]] = 1e15
    drawn["burst"] = np.random.default_rng(2).standard_normal(drawn["burst"].shape)
    np.testing.assert_allclose(trace_state(laid, drawn), trace_state(smooth(laid), drawn), rtol=1e-2)


def test_losses_of_a_destroyed_force_stay_below_those_who_have_arrived(design):
    laid = design([*RICH_ROWS, *WAVE_DAYS], TWO_WAVES)
    assert laid.state.capped.all()
    drawn = sample_prior(laid, np.random.default_rng(1), 300)
    drawn["theta"][:, laid.parameters.index("share", "x")] = 8.0
    drawn["theta"][:, laid.parameters.index("captured_share", "x")] = 0.999
    state = trace_state(laid, drawn)
    lost = state[:, : len(laid.state.personnel)].sum(axis=1)
    sent = state[:, laid.state.locate("x", "deployed")]
    assert (lost <= sent * (1 + 1e-9) + 1e-9).all()
    free = trace_state(design_free(laid), drawn)[:, : len(laid.state.personnel)].sum(axis=1)
    assert (free > sent * (1 + 1e-6)).any()  # else the test would say nothing


def design_free(laid):
    """Return the design with nothing that holds losses below arrivals."""
    return replace(laid, state=replace(laid.state, capped=np.zeros(len(laid.state.bounded), dtype=bool)))


def test_the_density_where_losses_are_held_has_its_gradient(design, rng):
    laid = design([*RICH_ROWS, *WAVE_DAYS], TWO_WAVES)
    free = [item for item in laid.parameters.items if item.prior.dist]
    tried = rng.normal(0, 0.3, (200, count_unknowns(laid)))
    tried[:, [item.name for item in free].index("share.x")] = 6.0
    unknowns = constrain_draws(laid, tried)
    held = (trace_state(laid, unknowns) != trace_state(design_free(laid), unknowns)).any(axis=(1, 2))
    assert held.any()  # else the test would say nothing
    x = tried[np.argmax(held)]
    _, gradient = evaluate_density(laid, x)
    for place in range(len(x)):
        step = np.zeros(len(x))
        step[place] = 1e-6
        slope = (evaluate_density(laid, x + step)[0] - evaluate_density(laid, x - step)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=2e-3)


def test_one_day_at_the_end_has_no_bursts(design):
    """Neither unknowns nor parameters: such a case is what it was before there were any."""
    laid = design([{"value": 300}, {"value": 90, "quantity": "captured", "source": "foe"}])
    assert laid.state.burst_count == 0
    assert not laid.picks.spells
    assert not {"bursts", "pick.by_size"} & {item.variable for item in laid.parameters.items}


def test_a_daily_calendar_of_infinite_noise_changes_nothing(design):
    days = np.datetime64("2024-01-01") + np.arange(91)
    rows = [
        {"value": 5, "log_sd": 1e9, "qualifier": "exact", "measure": "interval", "since": str(day), "as_of": str(day)}
        for day in days
    ]
    laid = design(rows, CASE.replace(', "captured"]', "]"))
    assert laid.state.burst_count >= 91
    drawn = sample_prior(laid, np.random.default_rng(3), 50)
    at = [drawn[name] for name in ("theta", "walk", "effects")]
    assert np.ptp(log_likelihood(NUMPY, laid, *at, np.zeros((50, 0)), drawn["burst"])) < 1e-10


def test_days_of_several_sources_are_one_pick(design):
    laid = design(DAY_ROWS, UNBOUNDED)
    told = [
        (one.force, one.quantity, laid.timeline.cuts[one.until] - laid.timeline.cuts[one.since])
        for one in laid.picks.spells
    ]
    assert told == [("a", "killed", 2), ("a", "killed", 1), ("b", "killed", 5), ("a", "casualties", 2)]


def test_a_day_picked_by_its_losses_is_one_event_larger(design):
    """A share with the law Beta(a, b), weighed by itself, has the law Beta(a + 1, b)."""
    fixed = '[priors]\n"bursts.default" = { fixed = 20 }\n"pick.by_size" = { fixed = 1 }\n"path.step" = { fixed = 0 }\n'
    toml = CASE.replace("bounded = true", "").replace(
        'waves = [{ name = "a", from = 2024-01-01, to = 2024-01-20, median = 5000, log_sd = 0.5 }]', ""
    )
    toml = toml.replace('outcomes = ["killed", "wounded", "captured"]', 'outcomes = ["killed"]').split("[[derived]]")[0]
    laid = design([{"value": 5, "measure": "interval", "since": "2024-03-01", "as_of": "2024-03-09"}], toml + fixed)
    drawn = sample_prior(laid, np.random.default_rng(1), 40_000)
    state = trace_state(laid, drawn)
    (pick,) = laid.picks.spells
    share = (state[:, 0, pick.until] - state[:, 0, pick.since]) / state[:, 0, laid.state.end]
    weight = np.exp(weigh_picks(NUMPY, laid.picks, state.reshape(len(state), -1), drawn["theta"]))
    assert pick.times == 1
    a = 20 * pick.days_share
    law = stats.beta(a + 1, 20 - a)
    assert weight.mean() == pytest.approx(1, abs=0.03)
    for power in (1, 2):
        found = np.sum(weight * share**power) / weight.sum()
        assert found == pytest.approx(law.moment(power), rel=0.03)


def test_a_declared_event_is_one_more_of_those_that_losses_behave_like(design, rng):
    """Of kappa events its day has by mean one of kappa + 1, the law of the rest is untouched, and so is the total."""
    laid, days = design([{"value": 100, "as_of": "2024-03-31"}], EVENTFUL), 91
    drawn = sample_prior(laid, rng, 20_000)
    dead = trace_state(laid, drawn)[:, laid.state.locate("a", "killed")]
    before, after = laid.timeline.morning(EVENT), laid.timeline.evening(EVENT)
    share = (dead[:, after] - dead[:, before]) / dead[:, laid.state.end]
    # Beta(1 + 12 / 91, 12 - 12 / 91): its mean and its 95% point.
    law = stats.beta(1 + 12 / days, 12 * (1 - 1 / days))
    assert share.mean() == pytest.approx(law.mean(), rel=0.03)
    assert np.quantile(share, 0.95) == pytest.approx(law.ppf(0.95), rel=0.04)
    rest = (dead[:, before] / (dead[:, laid.state.end] - dead[:, after] + dead[:, before])).mean()
    assert rest == pytest.approx(14 / 90, rel=0.05)
    wounded = trace_state(laid, drawn)[:, laid.state.locate("a", "wounded")]
    assert np.ptp(wounded[:, after] / wounded[:, before]) < 1e-9  # nobody speaks of their days: the smooth path


def test_with_many_cuts_running_totals_read_the_path_of_their_bin(design, rng, monkeypatch):
    """The days that are told of keep their edges; the density is still that of the arrays."""
    every = design(DAY_ROWS, UNBOUNDED).state.burst_count
    monkeypatch.setattr("sim.model.losses.bursts.MAX_BURSTS", 5)
    laid = design(DAY_ROWS, UNBOUNDED)
    assert laid.state.burst_count < every + len(laid.state.bursts)
    x = rng.normal(0, 0.3, count_unknowns(laid))
    other = x.copy()
    other[-1] += 0.5
    change = evaluate_density(laid, other)[0] - evaluate_density(laid, x)[0]
    values = []
    for each in (x, other):
        at = {name: value[None] for name, value in constrain_draws(laid, each).items()}
        terms = [at[name] for name in ("theta", "walk", "effects", "statement", "burst")]
        values.append(log_likelihood(NUMPY, laid, *terms) + log_bursts(NUMPY, laid, terms[0], terms[1], terms[4]))
    assert change == pytest.approx(float(values[1][0] - values[0][0]), rel=1e-7, abs=1e-8)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")
def test_a_bad_day_does_not_multiply_its_war():
    """A day told by four sources leaves the total of the war where it was, within a quarter."""
    medians = []
    for name in ("days-0", "days-4"):
        case = read_case(SHARED / name)
        laid = design_model(case, read_priors(case.file.prior))
        sample = take_posterior(
            laid, sample_posterior(laid, 1, draws=1_000, tune=500, target_accept=0.9, quiet=True), 1
        )
        medians.append(np.median(sample.headline["x", "killed"]))
        if laid.picks.spells:
            (pick,) = laid.picks.spells
            assert (
                sample.state[:, 0, pick.until] - sample.state[:, 0, pick.since] <= sample.state[:, 0, laid.state.end]
            ).all()
    assert medians[1] == pytest.approx(medians[0], rel=0.25)
