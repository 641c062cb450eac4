"""Faults at a few random moments; `make test-full` does twice as many, and `make faults` 200."""

from __future__ import annotations

import sys

import pytest
from faults import draw_moments, strike_all


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_nothing_is_half_written_and_commands_go_on(full, tmp_path):
    """Of every fault and command some: the folder, what was there, the one line, what still runs, and the result."""
    moments = draw_moments(12, 5, ("run", "sbc", "backtest"))[:: 1 if full else 2]
    assert len({moment.fault for moment in moments}) == 4
    assert len({moment.verb for moment in moments}) == 3
    counts, wrong = strike_all(moments, tmp_path, at_once=2)
    assert not wrong, "\n".join(wrong)
    assert counts.total() == len(moments)
