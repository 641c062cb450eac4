"""Many tasks at once: the same results whoever does them, and nothing lost that was finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from program import PROGRAM, call
from small_cases import CASES
from sums import make_sums

from sim.calibration.sbc import run_replicates
from sim.errors import InputError, refuse
from sim.system.store import Store
from sim.system.tasks import finish_tasks, gather_results


@pytest.fixture(scope="module")
def sums():
    return dict(finish_tasks(make_sums(), range(6)))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "new" / "done.jsonl", "k", "task")


def test_two_processes_give_the_results_of_one(sums):
    assert dict(finish_tasks(make_sums(), range(6), jobs=2)) == sums


def test_results_come_as_they_are_finished(tmp_path):
    mark = tmp_path / "mark"

    def work(task):
        while task == 0 and not mark.exists():
            time.sleep(0.01)
        if task == 3:
            mark.touch()
        return {}

    order = [task for task, _ in finish_tasks(work, range(4), jobs=2)]
    assert order[:2] == [1, 2]
    assert sorted(order) == [0, 1, 2, 3]


def test_a_killed_worker_loses_nothing(tmp_path, store, sums):
    mark = tmp_path / "mark"
    assert dict(finish_tasks(make_sums(mark), range(6), jobs=2, store=store)) == sums
    assert mark.exists()
    assert store.begin(resume=True) == sums


def test_workers_that_are_killed_time_and_again_are_told_of(tmp_path, store):
    with pytest.raises(InputError, match=r"--jobs 2: workers were killed 4 times in a row, .* --resume"):
        dict(finish_tasks(make_sums(tmp_path / "mark", kills=99), range(6), jobs=2, store=store))
    assert set(store.begin(resume=True)) <= {0, 1, 3, 4, 5}


def test_a_fault_that_a_worker_finds_is_told_as_one_found_here():
    def work(task):
        raise refuse("claims.csv", f"row {task}", "is wrong", "mend it")

    for jobs in (1, 2):
        with pytest.raises(InputError, match=r"^claims.csv, row 7: is wrong; mend it$"):
            list(finish_tasks(work, [7], jobs=jobs))


def test_what_is_kept_is_not_done_again(store):
    asked = []

    def work(task):
        asked.append(task)
        return {"twice": 2 * task}

    running = finish_tasks(work, range(5), store=store)
    assert [next(running), next(running)] == [(0, {"twice": 0}), (1, {"twice": 2})]
    running.close()
    with store.path.open("a", encoding="utf-8") as file:
        file.write('{"key": "other", "task": 2, "twice": 5}\n{"key": "k", "task": 3, "twice": 5, "trusted": false}\n')
        file.write('{"key": "k", "task": 4, "twi')
    asked.clear()
    assert dict(finish_tasks(work, range(5), store=store, resume=True)) == {n: {"twice": 2 * n} for n in range(5)}
    assert asked == [2, 3, 4]
    assert list(finish_tasks(work, [], store=store, resume=True)) == []
    assert set(store.begin(resume=True)) == set(range(5))
    list(finish_tasks(work, [], store=store))
    assert store.path.read_bytes() == b""


def test_results_of_anything_else_are_not_gone_on_from(tmp_path):
    """Another text among those that results depend on makes another key; kept entries are read as new ones are."""
    asked = []

    def work(task):
        asked.append(task)
        return {"twice": (2 * task, task)}

    def gather(*parts):
        found = gather_results(
            work, [1, 2], lambda task, entry: (task, *entry["twice"]), depends_on=parts, label="task", plural="tasks",
            store=tmp_path / "done.jsonl", resume=True,
        )  # fmt: skip
        return dict(found)

    assert gather("case", "priors") == {1: (1, 2, 1), 2: (2, 4, 2)}
    assert asked == [1, 2]
    assert gather("case", "priors") == {1: (1, 2, 1), 2: (2, 4, 2)}
    assert asked == [1, 2]
    gather("case", "other priors")
    assert asked == [1, 2, 1, 2]


@pytest.mark.parametrize("resume", [False, True])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, resume):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written \(.*\); give another --results"):
        Store(tmp_path / "file" / "done.jsonl", "k", "task").begin(resume)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_one_line(write, tmp_path):
    case = write(*CASES["sign"])
    (tmp_path / "results" / "case").mkdir(parents=True)
    (tmp_path / "results" / "case" / "sbc-seed1.jsonl").symlink_to("/dev/full")
    done = call("sbc", case, "--n", 2, "--jobs", 1, "--results", tmp_path / "results")
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written (No space left on device); make room, then go on with --resume" in done.stderr


def test_no_interruption_reaches_a_worker(tmp_path):
    """Ctrl-C goes to all that a terminal runs; one that Python is just starting would say so at length."""
    code = (
        "import signal\nfrom sim.system.tasks import finish_tasks\n"
        "work = lambda _: {'shielded': signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])}\n"
        "print([entry['shielded'] for _, entry in finish_tasks(work, range(2), jobs=2)], work(0)['shielded'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[True, True] False"


def test_an_interruption_leaves_what_is_finished(write, design, tmp_path):
    """Ctrl-C goes to the workers too: all end at once, with one line, and the run goes on from what is kept."""
    place = tmp_path / "results" / "case" / "sbc-seed1.jsonl"
    command = [PROGRAM, "sbc", write(*CASES["sign"]), "--n", "5000", "--jobs", "2", "--results", tmp_path / "results"]
    # A shell has what it runs in the background ignore Ctrl-C, which a process hands down.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, start_new_session=True, preexec_fn=heed, **pipes) as program:  # noqa: PLW1509
        until = time.monotonic() + 60
        while not (place.exists() and place.read_bytes().count(b"\n") > 3):
            assert time.monotonic() < until
            time.sleep(0.05)
        os.killpg(program.pid, signal.SIGINT)
        said, _ = program.communicate(timeout=20)
    kept = [json.loads(line)["seed"] for line in place.read_text(encoding="utf-8").splitlines()]
    line = f"Interrupted (SIGINT): {len(kept)} finished results are kept in {place}, from which --resume goes on\n"
    assert (program.returncode, said.decode()) == (130, line)
    laid, count = design(*CASES["sign"]), max(kept) % 1_000_000 + 2
    resumed = list(run_replicates(laid, count, 1, store=place, resume=True))
    assert [each.seed for each in resumed[: len(kept)]] == sorted(kept)
    assert sorted(resumed, key=lambda each: each.seed) == list(run_replicates(laid, count, 1))
