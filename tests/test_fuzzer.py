"""The suite that fuzzes: what it finds is told and kept."""

from __future__ import annotations

import faulthandler
import signal
from contextlib import redirect_stderr
from types import SimpleNamespace

import fuzz
import pytest
from fuzzing import Heard


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timers")
def test_a_finding_is_not_hidden_by_the_timer_of_the_fuzzer(tmp_path, monkeypatch):
    """What leads the suite sets one that goes on while Python ends, and would strike before the input is kept."""
    found = {}

    def fuzz_once():
        signal.setitimer(signal.ITIMER_REAL, 1_000)
        with pytest.raises(AssertionError, match="a finding"):
            found["try"](b"x")
        found["left"] = signal.getitimer(signal.ITIMER_REAL)[0]
        signal.setitimer(signal.ITIMER_REAL, 0)

    def try_bytes(_):
        raise AssertionError("a finding")

    leader = SimpleNamespace(Setup=lambda _, one, **__: found.update({"try": one}), Fuzz=fuzz_once)
    monkeypatch.setattr(fuzz, "atheris", leader)
    fuzz._lead_by_coverage(SimpleNamespace(names=[], try_bytes=try_bytes), 1, tmp_path)
    assert found["left"] == 0


def test_the_fuzzer_can_say_where_an_input_takes_long(capfd):
    """It asks the standard error for its number, which that of a command that is tried must have."""
    with redirect_stderr(Heard()):
        faulthandler.dump_traceback()
    assert "test_the_fuzzer_can_say" in capfd.readouterr().err
