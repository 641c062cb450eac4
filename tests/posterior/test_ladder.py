"""How a case is fitted again where its draws are not good: from where the chains stand, or anew."""

from __future__ import annotations

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
    told, real = [], verdict.sample_posterior

    def sample(*arguments, resume_from, **effort):
        draws = real(*arguments, resume_from=resume_from, **effort)
        told.append((resume_from, effort["tune"], draws.chain_state))
        return draws

    monkeypatch.setattr(verdict, "sample_posterior", sample)
    monkeypatch.setattr(verdict, "NEARLY", 1e9)
    return told


def test_chains_go_on_but_where_they_began_from_another_design(design, begun):
    """What was learned of another design, and failed, is of no use; what was learned here is."""
    laid = design([{"value": 300}], CASE)
    ladder = Ladder((Effort(20, 40, 0.9), Effort(20, 50, 0.9), Effort(20, 60, 0.9)), NEVER, retune=7)
    base = fit_design(laid, 1, ladder)
    assert base.attempts == 3
    assert [tune for _, tune, _ in begun] == [40, 7, 7]
    assert [id(start) for start, _, _ in begun] == list(map(id, (None, begun[0][2], begun[1][2])))
    begun.clear()
    fit_design(laid, 1, ladder, resume_from=base.draws.chain_state)
    assert [tune for _, tune, _ in begun] == [40, 50, 7]
    assert [id(start) for start, _, _ in begun] == list(map(id, (base.draws.chain_state, None, begun[1][2])))


def test_the_attempts_of_a_run_are_longer_with_smaller_steps(design):
    first, longer, closer = choose_ladder(design([{"value": 300}], CASE)).efforts
    assert longer.draws > first.draws
    assert closer.draws > longer.draws
    assert closer.target_accept > longer.target_accept > first.target_accept
