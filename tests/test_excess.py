"""What is too much for arithmetic, the stack or the memory: one line, and never a run that cannot be read again."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from examples import ONE_DAY
from program import PROGRAM
from strangers import accept, refuse, run_fit

import sim
from sim.calibration.learn import BRIEF
from sim.posterior.verdict import Ladder
from sim.runs.run import _load_ahead
from sim.sampler.diagnostics import OF_INTERVALS

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited where Linux does it")
ABSURD = {
    "no noise": '[priors]\n"noise.own" = { fixed = 0 }\n"noise.adversary" = { fixed = 0 }\n',
    "a fixed total": '[priors]\n"total.killed" = { fixed = 100 }\n',
    "no tails": '[priors]\n"role.own.losses" = { dist = "StudentT", nu = 1e-6, mu = 0, sigma = 1 }\n',
    "a wide scale": '[priors]\n"scale.source" = { fixed = 100 }\n',
    "a long product": '[[derived]]\nname = "much"\nexpr = "-killed * 1e300"\n',
    "a steep power": '[[derived]]\nname = "much"\nexpr = "killed ** 99 * 1e299"\n',
}


def _caused(error):
    """Return the error that Python makes of one that its own code overlooked."""
    overlooked = SystemError("a function returned a result with an exception set")
    overlooked.__cause__ = error
    return overlooked


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as the program does: the lines that it prints are told
@pytest.mark.parametrize("name", ABSURD)
def test_absurd_numbers_are_refused_or_can_be_read_again(name, write, tmp_path, monkeypatch):
    """No traceback; and what a run has written, the memo takes. One attempt: longer ones end as badly."""
    monkeypatch.setattr("sim.runs.run.choose_ladder", lambda *_: Ladder((BRIEF,), OF_INTERVALS))
    monkeypatch.setattr("sim.system.figure_process.start_figure_process", nullcontext)  # they are drawn here
    folder = write([{"value": 14}, {"value": 30, "source": "foe"}], f"{ONE_DAY}{ABSURD[name]}")
    status, told = run_fit("run", folder, "--results", tmp_path / "results", "--quiet")
    assert status in (0, 3, 4), told
    for run in (tmp_path / "results" / "case").glob("*"):
        accept("memo", run, "--format", "md")
    assert status == 3 or list((tmp_path / "results" / "case").glob("*"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError("maximum recursion depth exceeded"), "nested too deep"),
        (_caused(MemoryError("Unable to allocate 8 bytes")), "needs more memory than there is (Unable to allocate 8"),
        (MemoryError("Unable to allocate 2.9 TiB for an array"), "needs more memory than there is (Unable to allocate"),
        (ZeroDivisionError("float division by zero"), "numbers that cannot be reckoned with"),
        (np.linalg.LinAlgError("SVD did not converge"), "numbers that cannot be reckoned with"),
        (type("PanicException", (BaseException,), {})("index out of bounds"), "broke a library"),
    ],
)
def test_what_is_too_much_is_one_line(error, told, monkeypatch):
    def break_down(*_, **__):
        raise error

    monkeypatch.setattr("sim.case.check.check_case", break_down)
    refuse(told, "check", "kursk")


@linux
def test_want_of_memory_is_told_in_one_line():
    """The system's own refusal, wherever it strikes: while libraries are loaded, or in the middle of the work."""
    found = []
    for limit in range(150_000, 1_000_000, 25_000):
        order = ["sh", "-c", 'ulimit -v $1; exec "$0" check kursk', PROGRAM, str(limit)]
        done = subprocess.run(order, capture_output=True, text=True, check=False, timeout=300)
        found.append((done.returncode, len(done.stderr.splitlines())))
        if done.returncode == 0:
            break
        assert found[-1] in {(3, 1), (1, 1)}, done.stderr
    assert found[-1] == (0, 1)
    assert (3, 1) in found


def test_the_run_says_what_fails_where_it_is_needed(monkeypatch):
    """What is loaded ahead, in a thread, fails there without a word."""
    monkeypatch.setattr("sim.runs.run.load_statistics", lambda: 1 / 0)
    _load_ahead()


@linux
def test_a_kernel_that_the_processor_lacks_is_told_in_one_line():
    """Whether or not this one has it: no silent death, and nothing but a result or a line."""
    for kernel in ("SkylakeX", "nonsense"):
        words = [PROGRAM, "simulate", "vietnam", "--n", "5", "--json"]
        environment = {**os.environ, "OPENBLAS_CORETYPE": kernel}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode in (0, 3), (kernel, done.returncode, done.stderr)
        assert bool(done.stdout) == (done.returncode == 0)
        assert len(done.stderr.splitlines()) <= 1


def test_a_case_of_thousands_of_counts_is_refused(write):
    outcomes = ", ".join(f'"kind_{number}"' for number in range(60))
    forces = "".join(f"[forces.f{number}]\noutcomes = [{outcomes}]\n" for number in range(50))
    toml = f'schema = 1\nstart = 2024-01-01\n{forces}[sources.own]\nrole = "own"\n'
    refuse(
        "3000 outcomes, more than 300", "check", f"{write([{'force': 'f0', 'quantity': 'kind_0', 'value': 5}], toml)}/"
    )


def test_nothing_rests_on_assertions():
    """`python -O` takes them out."""
    root = Path(sim.__file__).parent
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)], path
