"""The sampler: known laws, divergences, threads, and another sampler's draws."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import numba
import numpy as np
import pytest
from numba import types
from scipy import stats

from sim.errors import InputError
from sim.model.buffer import constrain_draws, count_unknowns, evaluate_density, pack_design
from sim.model.density.codes import Field
from sim.model.density.kernel import compile_density
from sim.posterior.fit import sample_buffer, sample_posterior
from sim.sampler.chains import ChainState, Metric, sample_chains, whiten
from sim.sampler.diagnostics import load_statistics
from sim.sampler.trajectory import DIVERGED, STEPS, measure_curvature

_pointer = types.CPointer(types.double)
SIGNATURE = types.int64(types.uint64, _pointer, _pointer, _pointer, types.voidptr)


@numba.cfunc(SIGNATURE)
def normal(n, x_, grad_, value_, precision_):
    """Give a normal law with the precision matrix of the buffer."""
    x, grad = numba.carray(x_, (n,)), numba.carray(grad_, (n,))
    precision = numba.carray(precision_, (n, n), np.float64)
    total = 0.0
    for i in range(n):
        grad[i] = 0.0
        for j in range(n):
            grad[i] -= precision[i, j] * x[j]
        total += 0.5 * x[i] * grad[i]
    numba.carray(value_, (1,))[0] = total
    return 0


@numba.cfunc(SIGNATURE)
def student(n, x_, grad_, value_, _buffer):
    """Give independent Student t laws with five degrees of freedom."""
    x, grad = numba.carray(x_, (n,)), numba.carray(grad_, (n,))
    total = 0.0
    for i in range(n):
        total -= 3 * math.log1p(x[i] * x[i] / 5)
        grad[i] = -6 * x[i] / (5 + x[i] * x[i])
    numba.carray(value_, (1,))[0] = total
    return 0


@numba.cfunc(SIGNATURE)
def walled(n, x_, grad_, value_, _buffer):
    """Give a standard normal law with a wall that no gradient tells of."""
    x, grad = numba.carray(x_, (n,)), numba.carray(grad_, (n,))
    total = 0.0
    for i in range(n):
        total -= 0.5 * x[i] * x[i]
        grad[i] = -x[i]
    numba.carray(value_, (1,))[0] = total if x[0] < 1 else -np.inf
    return 0


def sample(density, n, buffer=None, **settings):
    given = {"chains": 4, "tune": 400, "draws": 1_000, "target_accept": 0.8, **settings}
    data = np.zeros(1) if buffer is None else np.ascontiguousarray(buffer).ravel()
    return sample_chains(density, data, lambda rng: rng.uniform(-0.5, 0.5, n), given.pop("seed", 1), **given)[0]


def mcse(values, method):
    return float(load_statistics().mcse(values, chain_axis=0, draw_axis=1, method=method))


@pytest.mark.parametrize("n", [1, 12, 60])
def test_a_correlated_normal_law_is_sampled(n):
    """Mean and sd of every unknown, and of a sum that the correlation makes, within 4.5 standard errors."""
    rng = np.random.default_rng(n)
    root = np.geomspace(0.01, 100, n)[:, None] * (np.tril(rng.normal(size=(n, n))) / math.sqrt(n) + np.eye(n))
    covariance = root @ root.T
    moves = sample(normal, n, np.ascontiguousarray(np.linalg.inv(covariance)))
    assert moves.stats[..., DIVERGED].sum() == 0
    for direction in (*np.eye(n), np.ones(n)):
        draws, sd = moves.draws @ direction, math.sqrt(direction @ covariance @ direction)
        assert abs(draws.mean()) < 4.5 * mcse(draws, "mean")
        assert abs(draws.std() - sd) < 4.5 * mcse(draws, "sd")


def test_tails_are_sampled():
    """Quantiles of a heavy-tailed law, far out on both sides, within 4 standard errors."""
    draws = sample(student, 3, draws=4_000).draws[..., 1]
    for probability in (0.01, 0.25, 0.5, 0.75, 0.99):
        error = float(load_statistics().mcse(draws, chain_axis=0, draw_axis=1, method="quantile", prob=probability))
        assert abs(np.quantile(draws, probability) - stats.t(5).ppf(probability)) < 4 * error


def test_the_steps_are_few_where_the_metric_fits():
    """A normal law of sixty unknowns that vary by four orders of magnitude takes the steps of a round one."""
    scales = np.geomspace(0.01, 100, 60)
    rough = sample(normal, 60, np.diag(scales**-2))
    round_one = sample(normal, 60, np.eye(60))
    assert rough.stats[..., STEPS].mean() < 1.5 * round_one.stats[..., STEPS].mean()


def test_divergences_are_counted():
    moves = sample(walled, 2)
    assert moves.stats[..., DIVERGED].sum() > 0
    assert (moves.draws[..., 0] < 1).all()


def test_chains_go_on_with_what_they_have_learned():
    """After an early end a wildly scaled law is sampled with the metric of before and no tuning but of the step."""
    scales = np.geomspace(0.01, 100, 20)
    precision = np.diag(scales**-2)
    settings = {"chains": 4, "target_accept": 0.8}
    start = np.zeros(20)
    _, state = sample_chains(normal, precision.ravel(), lambda _: start, 1, tune=300, draws=1, **settings)
    moves, _ = sample_chains(
        normal, precision.ravel(), lambda _: start, 1, tune=30, draws=500, resume_from=state, **settings
    )
    assert moves.stats[..., STEPS].mean() < 16
    for place, scale in enumerate(scales):
        draws = moves.draws[..., place]
        assert abs(draws.mean()) < 4.5 * mcse(draws, "mean")
        assert abs(draws.std() - scale) < 4.5 * mcse(draws, "sd")


def test_chains_go_on_in_part_of_their_unknowns():
    """The margin of a normal law, and an unknown that was not there: with the metric of the rest, at once."""
    whole = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 4.0]])
    settings = {"chains": 4, "target_accept": 0.9}
    _, state = sample_chains(
        normal, np.linalg.inv(whole).ravel(), lambda rng: rng.normal(size=3), 1, tune=300, draws=200, **settings
    )
    carried = state.carry([2, None, 0], np.array([7.0, 8.0, 9.0]))
    np.testing.assert_array_equal(carried.x[:, [0, 2]], state.x[:, [2, 0]])
    assert (carried.x[:, 1] == 8.0).all()
    np.testing.assert_array_equal(
        carried.metric.matrix[np.ix_([0, 2], [0, 2])], state.metric.matrix[np.ix_([2, 0], [2, 0])]
    )
    np.testing.assert_array_equal(carried.metric.matrix[1], [0.0, 1.0, 0.0])
    part = np.array([[4.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    moves, _ = sample_chains(
        normal, np.linalg.inv(part).ravel(), np.zeros, 1, tune=50, draws=2_000, resume_from=carried, **settings
    )
    np.testing.assert_allclose(np.cov(moves.draws.reshape(-1, 3).T), part, atol=0.25)
    large = ChainState(state.x, Metric(np.ones(3), np.zeros((0, 0)), np.zeros((0, 0))), 0.0)
    assert large.carry([0, 1], np.zeros(2)) is None


def test_a_metric_that_is_borrowed_is_learned_anew():
    """Of a law whose scales are turned about; one of the chains' own is kept."""
    scales = np.geomspace(0.01, 100, 20)
    settings = {"chains": 4, "target_accept": 0.8}
    _, state = sample_chains(
        normal, np.diag(scales**-2).ravel(), lambda _: np.zeros(20), 1, tune=300, draws=1, **settings
    )
    turned = np.diag(scales[::-1] ** -2.0).ravel()
    lent = state.carry(list(range(20)), np.zeros(20))
    begun = replace(lent, x=np.ascontiguousarray(lent.x[:, ::-1]))
    moves, found = sample_chains(normal, turned, np.zeros, 1, tune=100, draws=300, resume_from=begun, **settings)
    assert moves.stats[..., STEPS].mean() < 16
    np.testing.assert_allclose(np.sqrt(np.diag(found.metric.matrix)), scales[::-1], rtol=0.5)
    own = replace(begun, is_borrowed=False)
    kept = sample_chains(normal, turned, np.zeros, 1, tune=5, draws=1, resume_from=own, **settings)[1]
    assert np.array_equal(kept.metric.matrix, state.metric.matrix)


def test_chains_that_are_resumed_again_have_other_random_numbers():
    """Else what they draw the third time would follow the second. Without tuning they keep their step."""
    settings = {"chains": 4, "target_accept": 0.8, "draws": 20}
    _, state = sample_chains(student, np.zeros(1), lambda _: np.zeros(4), 1, tune=100, **settings)
    first, later = sample_chains(student, np.zeros(1), np.zeros, 1, tune=0, resume_from=state, **settings)
    again = replace(later, x=state.x)
    second, _ = sample_chains(student, np.zeros(1), np.zeros, 1, tune=0, resume_from=again, **settings)
    assert later.log_step == pytest.approx(state.log_step)
    assert not np.isclose(first.draws, second.draws).any()


def test_chains_that_are_resumed_leave_what_they_began_from():
    """So that many fits begin at the end of one, and none where another has ended."""
    settings = {"chains": 4, "target_accept": 0.8, "draws": 20}
    _, state = sample_chains(student, np.zeros(1), lambda _: np.zeros(4), 1, tune=100, **settings)
    began = state.x.copy()
    first, second = (
        sample_chains(student, np.zeros(1), np.zeros, 1, tune=20, resume_from=state, **settings)[0] for _ in range(2)
    )
    assert np.array_equal(state.x, began)
    assert np.array_equal(first.draws, second.draws)


def test_draws_follow_from_the_seed_alone(monkeypatch):
    """The number of threads changes nothing; another seed does."""
    first = sample(student, 4, tune=100, draws=50)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert np.array_equal(first.draws, sample(student, 4, tune=100, draws=50).draws)
    assert not np.array_equal(first.draws, sample(student, 4, tune=100, draws=50, seed=2).draws)


def test_progress_ends_with_the_last_iteration():
    told = []
    sample(student, 2, tune=150, draws=230, report=lambda done, total: told.append((done, total)))
    assert told[-1] == (4 * 380, 4 * 380)
    assert told == sorted(told)


def test_the_metric_is_the_covariance_of_a_normal_law():
    """Draws and curvature of a normal law give back its covariance; without draws the curvature does alone."""
    rng = np.random.default_rng(3)
    root = np.tril(rng.normal(size=(5, 5))) + 2 * np.eye(5)
    covariance = root @ root.T
    x = rng.multivariate_normal(np.zeros(5), covariance, size=20_000)
    for draws, tolerance in ((x, 0.02), (x[:0], 1e-10)):
        precision = np.linalg.inv(covariance)
        found = whiten(draws, -draws @ precision, precision)
        assert np.allclose(found, covariance, rtol=0, atol=tolerance * covariance.max())


def test_negative_curvature_leaves_a_metric():
    found = whiten(np.zeros((0, 2)), np.zeros((0, 2)), np.diag([-4.0, 1.0]))
    assert np.allclose(found, np.diag([0.25, 1.0]))


def test_the_curvature_is_that_of_the_density(kursk, rng):
    """Twice the curvature's quadratic form is the second difference of the log density of Kursk."""
    x, found = rng.normal(0, 0.3, count_unknowns(kursk)), np.zeros((count_unknowns(kursk),) * 2)
    measure_curvature(compile_density(), pack_design(kursk), x, 1e-4, found)
    for _ in range(5):
        way = 1e-3 * rng.normal(size=len(x))
        values = [evaluate_density(kursk, x + sign * way)[0] for sign in (-1, 0, 1)]
        assert way @ found @ way == pytest.approx(2 * values[1] - values[0] - values[2], rel=1e-2, abs=1e-8)


def test_a_start_that_is_impossible_is_refused(kursk):
    size = count_unknowns(kursk)
    with pytest.raises(InputError, match="no starting point with a finite density"):
        sample_buffer(_poison(kursk), np.zeros(size), "kursk", 1, draws=1, tune=10, target_accept=0.8, quiet=True)


def _poison(design):
    """Return the design's buffer with every prior's first argument not a number."""
    buffer = pack_design(design)
    starts = buffer.view(np.int64)
    buffer[starts[Field.ARGUMENTS] : starts[Field.ARGUMENTS + 1]] = np.nan
    return buffer


def test_the_posterior_is_that_of_another_sampler(kursk):
    """Medians and outer quantiles of every unknown of Kursk agree with nutpie's within Monte Carlo error."""
    theirs = _sample_with_nutpie(kursk)
    ours = sample_posterior(kursk, 3, draws=1_500, tune=300, target_accept=0.95, quiet=True)
    mine, other = ours.unknowns["theta"], constrain_draws(kursk, theirs)["theta"]
    statistics = load_statistics()
    worst = 0.0
    for place in range(mine.shape[2]):
        for probability in (0.05, 0.5, 0.95):
            pair = [draws[..., place] for draws in (mine, other)]
            if np.ptp(pair[0]) == 0:
                continue
            errors = [
                float(statistics.mcse(each, chain_axis=0, draw_axis=1, method="quantile", prob=probability))
                for each in pair
            ]
            gap = np.quantile(pair[0], probability) - np.quantile(pair[1], probability)
            worst = max(worst, abs(gap) / math.hypot(*errors))
    assert worst < 5  # of some two hundred comparisons


def _sample_with_nutpie(design):
    pytest.importorskip("nutpie", reason="nutpie is not installed: its draws are not compared")
    import nutpie
    import pandas as pd
    from nutpie.compile_pymc import CompiledPyMCModel

    size, buffer = count_unknowns(design), pack_design(design)
    pointer = types.CPointer(types.double)

    @numba.cfunc(types.int64(types.uint64, types.uint64, pointer, pointer, types.voidptr))
    def copy(n, _m, x_, out_, _buffer):
        x, out = numba.carray(x_, (n,)), numba.carray(out_, (n,))
        for k in range(n):
            out[k] = x[k]
        return 0

    compiled = CompiledPyMCModel(
        _n_dim=size,
        dims={"x": ("unknown",)},
        _coords={"unknown": pd.RangeIndex(size), "unconstrained_parameter": pd.RangeIndex(size)},
        _shapes={"x": (size,)},
        compiled_logp_func=compile_density(),
        compiled_expand_func=copy,
        initial_point_func=lambda seed: np.random.default_rng(seed).uniform(-1, 1, size),
        shared_data={},
        shared_var_keys={},
        user_data=buffer,
        n_expanded=size,
        shape_info=(["x"], [slice(0, size)], [(size,)]),
        logp_func=None,
        expand_func=None,
        reparameterized_names=[],
    )
    trace = nutpie.sample(
        compiled, draws=1_200, tune=600, chains=4, seed=1, target_accept=0.95, adaptation="low_rank",
        progress_bar=False, save_warmup=False,
    )  # fmt: skip
    return np.asarray(trace["posterior"]["x"])
