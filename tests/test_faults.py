"""Faults at a few random moments; `make faults` does 200."""

from __future__ import annotations

import sys

import pytest
from faults import draw_moments, strike_all


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_nothing_is_half_written_and_commands_go_on(tmp_path):
    """Twelve moments: the folder, what was there, the one line, what still runs, and the result in the end."""
    counts, wrong = strike_all(draw_moments(12, 5, ("run", "sbc", "backtest")), tmp_path, at_once=2)
    assert not wrong, "\n".join(wrong)
    assert counts.total() == 12
