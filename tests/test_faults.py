"""Faults at a few random moments; `make test-full` does three times as many, and `make faults` 200."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest
from faults import FAULTS, draw_moments, strike_all


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_nothing_is_half_written_and_commands_go_on(full, tmp_path, monkeypatch):
    """Of every fault and command some: the folder, what was there, the one line, what still runs, and the result.

    What is struck is a process; what goes on afterwards is one in `make test-full`.
    """
    verbs = ("run", "sbc", "backtest") if full else ("run", "sbc")
    moments = draw_moments(len(FAULTS) * len(verbs), 5, verbs)
    if not full:  # a command for each fault, in turn
        moments = [moments[n * len(verbs) + n % len(verbs)] for n in range(len(FAULTS))]
    assert {moment.fault for moment in moments} == set(FAULTS)
    assert {moment.verb for moment in moments} == set(verbs)
    if not full:  # what this process draws, no other need draw
        monkeypatch.setattr("sim.system.figure_process.start_figure_process", nullcontext)
    counts, wrong = strike_all(moments, tmp_path, at_once=2 if full else 1, here=not full)
    assert not wrong, "\n".join(wrong)
    assert counts.total() == len(moments)
