"""How a case is fitted again where its draws are not good: from where the chains stand, or anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import CASE

from sim.posterior import verdict
from sim.posterior.fit import Effort
from sim.posterior.verdict import Ladder, choose_ladder, fit_design
from sim.sampler.diagnostics import OF_INTERVALS, Limits

NEVER = Limits(OF_INTERVALS.max_rhat, 1e9, may_diverge=False)


@pytest.fixture
def begun(monkeypatch):
    """Return the list of what each attempt begins from, how long it tunes, and where its chains end."""
    return _record(monkeypatch, divergences=1)


@pytest.fixture
def begun_well(monkeypatch):
    """Return the same, of attempts that do not diverge."""
    return _record(monkeypatch, divergences=0)


def _record(monkeypatch, divergences):
    told, real = [], verdict.sample_posterior

    def sample(*arguments, resume_from, **effort):
        draws = replace(real(*arguments, resume_from=resume_from, **effort), divergences=divergences)
        told.append((resume_from, effort["tune"], draws))
        return draws

    monkeypatch.setattr(verdict, "sample_posterior", sample)
    monkeypatch.setattr(verdict, "NEARLY", 1e9)
    return told


LADDER = Ladder((Effort(20, 40, 0.9), Effort(30, 50, 0.9), Effort(45, 60, 0.9)), NEVER, retune=7)


def test_chains_that_diverge_go_on_with_another_step(design, begun):
    laid = design([{"value": 300}], CASE)
    base = fit_design(laid, 1, LADDER)
    assert base.attempts == 3
    assert [(tune, draws.shape) for _, tune, draws in begun] == [(40, (4, 20)), (7, (4, 30)), (7, (4, 45))]
    starts = [None, begun[0][2].chain_state, begun[1][2].chain_state]
    assert [id(start) for start, _, _ in begun] == list(map(id, starts))
    assert base.draws is begun[2][2]


def test_chains_that_do_not_diverge_keep_their_draws_and_their_step(design, begun_well):
    laid = design([{"value": 300}], CASE)
    base = fit_design(laid, 1, LADDER)
    assert [(tune, draws.shape) for _, tune, draws in begun_well] == [(40, (4, 20)), (0, (4, 10)), (0, (4, 15))]
    assert base.draws.shape == (4, 45)
    assert np.array_equal(base.draws.x, np.concatenate([draws.x for _, _, draws in begun_well], axis=1))
    for name, values in base.draws.unknowns.items():
        parts = [draws.unknowns[name] for _, _, draws in begun_well]
        assert np.array_equal(values, np.concatenate(parts, axis=1))
    steps = [draws.chain_state.log_step for _, _, draws in begun_well]
    assert steps == pytest.approx([steps[0]] * 3)


def test_the_attempts_of_a_run_are_longer_with_smaller_steps(design):
    efforts = choose_ladder(design([{"value": 300}], CASE)).efforts
    assert [each.draws for each in efforts] == [1_000, 2_000, 4_000, 8_000, 16_000]
    assert [1 - each.target_accept for each in efforts] == pytest.approx([0.05, 0.01, 0.002, 0.0004, 0.00008])


def test_after_so_many_attempts_only_chains_that_all_but_agree_go_on(design, begun_well, monkeypatch):
    laid = design([{"value": 300}], CASE)
    sure = replace(LADDER, sure=2)
    monkeypatch.setattr(verdict, "CLOSE", 1e9)
    assert fit_design(laid, 1, sure).attempts == len(begun_well) == 3
    monkeypatch.setattr(verdict, "CLOSE", 0.9)
    assert fit_design(laid, 1, sure).attempts == 2


def test_after_so_many_attempts_chains_that_diverge_end(design, begun, monkeypatch):
    monkeypatch.setattr(verdict, "CLOSE", 1e9)
    assert fit_design(design([{"value": 300}], CASE), 1, replace(LADDER, sure=2)).attempts == len(begun) == 2


def test_a_large_case_has_no_fifth_attempt(design, monkeypatch):
    monkeypatch.setattr(verdict, "count_unknowns", lambda _: verdict.MANY_UNKNOWNS)
    assert len(choose_ladder(design([{"value": 300}], CASE)).efforts) == 4
