"""The state: parts add up, losses stay below those sent, paths end where they must."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from examples import CASE, RICH_ROWS, UNBOUNDED, UNBOUNDED_ROWS
from kinds import smooth

from sim.model.arrays import NUMPY
from sim.model.design import sample_prior, trace_state
from sim.model.losses.picks import weigh_picks
from sim.posterior.sample import Sample


def prior_sample(laid, draws=400):
    return Sample(laid, sample_prior(laid, np.random.default_rng(5), draws), 1)


def test_parts_add_up_and_losses_stay_below_those_sent(design):
    """Draw by draw, at every day: killed + wounded = casualties, losses <= deployed."""
    sample = prior_sample(design(RICH_ROWS))
    traces = {
        name: sample.cumulate("x", name)
        for name in ("killed", "wounded", "captured", "casualties", "losses", "deployed")
    }
    np.testing.assert_allclose(traces["killed"] + traces["wounded"], traces["casualties"], rtol=1e-12)
    assert (traces["losses"] <= traces["deployed"] * (1 + 1e-9)).all()
    assert (np.diff(sample.state, axis=-1) >= -1e-9).all()


def test_reported_counts_are_whole_and_add_up(design):
    headline = prior_sample(design(RICH_ROWS)).headline
    for values in headline.values():
        np.testing.assert_array_equal(values, np.rint(values))
    get = {
        name: headline["x", name]
        for name in ("killed", "wounded", "captured", "casualties", "losses", "deployed", "standing")
    }
    np.testing.assert_array_equal(get["killed"] + get["wounded"], get["casualties"])
    np.testing.assert_array_equal(get["casualties"] + get["captured"], get["losses"])
    np.testing.assert_array_equal(get["losses"] + get["standing"], get["deployed"])


def test_bounded_losses_follow_their_definition(design):
    """Each soldier of a wave is lost with probability 1 - exp(-(H(t) - H(arrival))): a sum over arrival days."""
    laid = smooth(design(RICH_ROWS))
    unknowns = sample_prior(laid, np.random.default_rng(6), 5)
    state = trace_state(laid, unknowns)
    line = laid.timeline
    theta = unknowns["theta"]
    share = theta[:, laid.parameters.index("share", "x")]
    size = np.exp(theta[:, laid.parameters.index("wave.size", "x", "a")])
    levels = np.concatenate(
        [np.zeros((5, 1)), np.cumsum(theta[:, [laid.state.step]] * laid.state.root_days * unknowns["walk"], axis=1)],
        axis=1,
    )
    rate = np.exp(levels[:, line.bin])
    grid = np.linspace(0, 91, 91 * 200 + 1)
    for draw in range(5):
        segment = np.clip(np.searchsorted(line.cuts, grid[:-1], side="right") - 1, 0, len(line.days) - 1)
        hazard = np.concatenate([[0], np.cumsum(rate[draw][segment] / 200)])
        hazard *= np.log1p(np.exp(share[draw])) / hazard[-1]
        arrivals = np.arange(0, 20, 1 / 200) + 1 / 400
        at = np.interp(arrivals, grid, hazard)
        for cut in (10, 20, 45, 91):
            here = arrivals <= cut
            lost = size[draw] * (1 - np.exp(-(np.interp(cut, grid, hazard) - at[here]))).sum() / len(arrivals)
            if cut in line.cuts:
                place = np.searchsorted(line.cuts, cut)
                fought = [name for name in laid.state.personnel if name != "captured"]
                total = sum(state[draw, laid.state.locate("x", name), place] for name in fought)
                assert total == pytest.approx(lost, rel=2e-3)


def test_unbounded_total_is_reached_at_the_end(design):
    laid = design(UNBOUNDED_ROWS, UNBOUNDED)
    unknowns = sample_prior(laid, np.random.default_rng(7), 50)
    state = trace_state(laid, unknowns)
    end = laid.timeline.evening(dt.date(2024, 3, 31))
    theta = unknowns["theta"]
    tanks = np.exp(theta[:, laid.parameters.index("total", "a", "tanks")])
    np.testing.assert_allclose(state[:, laid.state.locate("a", "tanks"), end], tanks, rtol=1e-9)
    killed = theta[:, laid.parameters.index("total", "a", "killed")]
    ratio = theta[:, laid.parameters.index("wounded_per_killed", "a")]
    np.testing.assert_allclose(state[:, laid.state.locate("a", "wounded"), end], np.exp(killed + ratio), rtol=1e-9)


def test_a_lull_lowers_losses_of_its_days_alone(design):
    laid = smooth(design(UNBOUNDED_ROWS, UNBOUNDED))
    unknowns = sample_prior(laid, np.random.default_rng(8), 50)
    unknowns["walk"][:] = 0
    for name in laid.parameters.items:
        if name.variable == "path.tilt":
            unknowns["theta"][:, laid.parameters.index(name.name)] = 0
    depth = unknowns["theta"][:, laid.parameters.index("lull", "a", "0")]
    increments = np.diff(trace_state(laid, unknowns)[:, laid.state.locate("a", "tanks")], axis=-1) / laid.timeline.days
    covered = laid.timeline.cover(dt.date(2024, 2, 3), dt.date(2024, 2, 20)).astype(bool)
    assert covered.any()
    inside = increments[:, covered].mean(axis=1)
    outside = increments[:, ~covered].mean(axis=1)
    np.testing.assert_allclose(inside / outside, np.exp(-depth), rtol=1e-6)


def test_after_the_end_the_path_goes_on_and_widens(design):
    """The headline may lie later than the last claim: losses grow on, their interval widens."""
    later = design(RICH_ROWS, CASE, as_of=dt.date(2024, 8, 31))
    sample = prior_sample(later, 2000)
    now, then = (sample.count("x", "losses", day) for day in (dt.date(2024, 3, 31), dt.date(2024, 8, 31)))
    assert (then >= now).all()
    sample.unknowns["theta"][:] = np.median(sample.unknowns["theta"], axis=0)
    fresh = Sample(later, sample.unknowns, 1)
    widths = [np.std(np.log(fresh.count("x", "losses", day))) for day in (dt.date(2024, 3, 31), dt.date(2024, 8, 31))]
    assert widths[1] > widths[0]


def test_moving_the_headline_does_not_move_the_model(design):
    early, late = (design(RICH_ROWS, CASE, as_of=day) for day in (dt.date(2024, 2, 5), dt.date(2024, 3, 31)))
    assert early.timeline.end == late.timeline.end
    assert early.state.walks == late.state.walks


def test_prisoners_are_a_share_of_those_who_stand_at_the_end(design):
    """And no force loses more than it has, though it gives up whole before its last wave is there."""
    laid = design([{"value": 900, "quantity": "captured", "source": "foe"}])
    unknowns = sample_prior(laid, np.random.default_rng(2), 200)
    share, sent = laid.parameters.index("captured_share", "x"), laid.state.locate("x", "deployed")
    state, end = trace_state(laid, unknowns), laid.state.end
    rows = {name: state[:, laid.state.locate("x", name)] for name in laid.state.personnel}
    stood = state[:, sent, end] - rows["killed"][:, end] - rows["wounded"][:, end]
    np.testing.assert_allclose(rows["captured"][:, end], unknowns["theta"][:, share] * stood, rtol=1e-9, atol=1e-6)
    unknowns["theta"][:, share] = 1
    state = trace_state(laid, unknowns)
    lost = state[:, [laid.state.locate("x", name) for name in laid.state.personnel]].sum(axis=1)
    assert (lost <= state[:, sent] * (1 + 1e-9)).all()


def test_that_nobody_speaks_of_prisoners_tells_of_few(design):
    """Since the last word of them, up to the last that anybody wrote of losses, a surrender would have been told."""
    day, later = "2024-03-01", "2024-03-31"
    taken = {"value": 90, "quantity": "captured", "source": "foe", "published": day}
    assert not len(design([]).picks.silences)
    assert not len(design([{"value": 300, "as_of": day}, {**taken, "as_of": later, "published": later}]).picks.silences)
    assert len(design([{"value": 300, "as_of": later}, {**taken, "as_of": day}]).picks.silences) == 1
    assert len(design([{"value": 300, "as_of": day}, {**taken, "as_of": day}]).picks.silences) == 1  # who wrote later
    laid = design([{"value": 300, "as_of": day, "published": day}])
    unknowns = sample_prior(laid, np.random.default_rng(1), 200)
    state, theta = trace_state(laid, unknowns), unknowns["theta"]
    cut = laid.timeline.evening(dt.date(2024, 3, 1))
    share = state[:, laid.state.locate("x", "captured"), cut] / state[:, laid.state.locate("x", "deployed"), cut]
    found = weigh_picks(NUMPY, laid.picks, state.reshape(200, -1), theta)
    np.testing.assert_allclose(found, 30 * np.log(np.maximum(1 - share, 1e-12)), rtol=1e-9, atol=1e-9)


def test_silence_after_the_fighting_is_a_lull(design):
    """Of a war that is over, and that was told of for a shorter time than it was not; of an open one there is none."""
    rows = [{"value": 30, "as_of": "2024-01-10"}, {"value": 50, "as_of": "2024-01-12", "source": "foe"}]
    plain = CASE.replace(', "captured"]', "]")
    laid = design(rows, plain)
    (lull,) = laid.case.forces["x"].lulls
    assert (lull.start, lull.end) == (dt.date(2024, 1, 13), dt.date(2024, 3, 31))
    assert [(pick.since, pick.times) for pick in laid.picks.spells] == [(0, 2)]
    assert not design([*rows, {"value": 60, "as_of": "2024-02-15"}], plain).case.forces["x"].lulls
    going_on = plain.replace("end = 2024-03-31\n", "").replace("as_of = 2024-03-31\n", "")
    assert not design(rows, going_on).case.forces["x"].lulls
    assert design(rows, plain).case.forces == laid.case.forces
