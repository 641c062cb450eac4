"""A real Dask cluster on this machine: the same results as here, whatever dies; refusals are one line, and soon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL

import pytest
from program import call
from records import write_record
from small_cases import CASES
from sums import make_sums

from sim.calibration.forecast import forecast_wars
from sim.calibration.record import read_record
from sim.calibration.sbc import report_calibration, run_replicates
from sim.case.priors import read_priors
from sim.errors import InputError, refuse
from sim.posterior.fit import prepare_density
from sim.robustness.sensitivity import examine_case
from sim.system.cluster import find_versions, open_cluster
from sim.system.store import Store
from sim.system.tasks import finish_tasks

pytest.importorskip("distributed", reason="distributed is not installed")

# A task whose worker was killed is given to one other.
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


@contextmanager
def start(kind: str, folder: Path, *options: object, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *map(str, options)]
    environment = {**os.environ, **SETTINGS, **settings}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=DEVNULL, stderr=DEVNULL) as program:
        try:
            yield program
        finally:
            program.terminate()


class Cluster:
    """A scheduler on loopback, and workers that are started when they are asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack, self.file = folder, stack, folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", 0, "--scheduler-file", self.file)
        self.scheduler = stack.enter_context(start("scheduler", folder, *options))
        until = time.monotonic() + 30
        while not self.file.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text(encoding="utf-8"))["address"]

    def hire(self, count: int, *, nanny: bool = False, **settings: str) -> None:
        """Start worker processes of one thread each, and wait until they are there; with a nanny they are replaced."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            wanted = len(client.nthreads()) + count
            options = ("--host", "127.0.0.1", "--nworkers", count, "--nthreads", 1, "--memory-limit", 0)
            options += () if nanny else ("--no-nanny",)
            self.stack.enter_context(start("worker", self.folder, self.address, *options, **settings))
            client.wait_for_workers(wanted, timeout=60)


@pytest.fixture
def cluster(tmp_path):
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return the address of a cluster of two workers."""
    with ExitStack() as stack:
        started = Cluster(tmp_path_factory.mktemp("cluster"), stack)
        started.hire(2, nanny=True)
        yield started.address


@pytest.fixture
def client(two):
    with open_cluster(two) as found:
        yield found


def test_replicates_are_those_of_one_process_and_each_worker_compiles_once(client, design, tmp_path):
    laid = design(*CASES["sign"])
    found = list(run_replicates(laid, 8, 1, store=tmp_path / "sbc.jsonl", client=client))
    assert sorted(found, key=lambda each: each.seed) == list(run_replicates(laid, 8, 1))
    assert len((tmp_path / "sbc.jsonl").read_text(encoding="utf-8").splitlines()) == 8
    asked = client.run(prepare_density.cache_info)
    assert [info.misses for info in asked.values()] == [1, 1]
    assert sum(info.hits + info.misses for info in asked.values()) >= 8


def test_wars_are_forecast_as_in_one_process(client, tmp_path):
    record, priors, base = read_record(*write_record(tmp_path)), read_priors("default"), read_priors("vague")
    there, here = (forecast_wars(record, priors, base, 1, **who) for who in ({"client": client}, {"jobs": 1}))
    assert [each.quantiles.tolist() for each in there] == [each.quantiles.tolist() for each in here]


def test_variants_are_those_of_one_process(client, design):
    """The base is fitted here and the variants there: an echo moves nothing, wherever it is fitted."""
    laid = design(*CASES["sign"])
    there, here = (examine_case(laid, 1, **who) for who in ({"client": client}, {"jobs": 1}))
    assert there == here
    (echo,) = (each for each in there.scenarios if each.kind == "echo")
    assert echo.shift_sd == 0


def test_a_killed_worker_loses_nothing(client, tmp_path):
    mark, store = tmp_path / "mark", Store(tmp_path / "done.jsonl", "k", "task")
    here = dict(finish_tasks(make_sums(), range(8)))
    assert dict(finish_tasks(make_sums(mark), range(8), client=client, store=store)) == here
    assert mark.exists()
    assert store.begin(resume=True) == here


def test_a_task_that_kills_its_workers_is_told_of(client, tmp_path):
    with pytest.raises(InputError, match=r"truetoll-.*-2: .* killed time and again, .* --resume"):
        list(finish_tasks(make_sums(tmp_path / "mark", kills=9), range(6), client=client))


def test_what_a_task_raises_is_told_as_here(client):
    def work(task):
        raise refuse("claims.csv", f"row {task}", "is wrong", "mend it")

    with pytest.raises(InputError, match=r"^claims.csv, row 7: is wrong; mend it$"):
        list(finish_tasks(work, [7], client=client))


def test_an_interruption_leaves_nothing_on_the_cluster(client):
    def work(task):
        time.sleep(0.05)
        return {"task": task}

    running = finish_tasks(work, range(1_000), client=client)
    next(running)
    held = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    assert held <= 5  # two for each worker, and the one that is finished
    running.close()
    until = time.monotonic() + 10
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_command_line_on_a_cluster(two, write, design, tmp_path):
    done = call("sbc", write(*CASES["sign"]), "--n", 6, "--dask", two, "--json", "--results", tmp_path / "results")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    here = report_calibration(list(run_replicates(design(*CASES["sign"]), 6, 1)), 0.0)
    assert {**json.loads(done.stdout), "seconds": 0.0} == here


def refuse_soon(address: str, text: str, cwd: Path) -> None:
    started = time.monotonic()
    done = call("sbc", "kursk", "--n", 2, "--dask", address, cwd=cwd)
    assert time.monotonic() - started < 28  # for itself Dask waits 30 s; a busy machine takes some to load it
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1), done.stderr
    assert text in done.stderr
    assert not (cwd / "results").exists()


def test_a_wrong_address_is_refused(tmp_path):
    refuse_soon("tcp://127.0.0.1:1", "no Dask scheduler answers there (within 3 seconds); start one", tmp_path)
    refuse_soon("nonsense", "no Dask scheduler answers there (missing port", tmp_path)


def test_a_port_that_stays_silent_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        refuse_soon(f"tcp://127.0.0.1:{server.getsockname()[1]}", "answers there (within 3 seconds)", tmp_path)


@pytest.fixture
def other(tmp_path):
    """Return a folder from which Python takes truetoll for another version."""
    folder = tmp_path / "other"
    (folder / "truetoll-0.0.9.dist-info").mkdir(parents=True)
    (folder / "truetoll-0.0.9.dist-info" / "METADATA").write_text("Name: truetoll\nVersion: 0.0.9\n", encoding="utf-8")
    return folder


def test_no_worker_or_one_of_another_version_is_refused(cluster, other, tmp_path):
    refuse_soon(cluster.address, "has no worker; start some with `dask worker ADDRESS`", tmp_path)
    cluster.hire(1, PYTHONPATH=str(other))
    own = find_versions()["truetoll"]
    refuse_soon(cluster.address, f"has truetoll 0.0.9, and this command {own}: results may differ; install", tmp_path)


def test_a_worker_without_truetoll_is_refused(cluster, tmp_path):
    (tmp_path / "sim.py").write_text("raise ModuleNotFoundError('No module named sim')\n", encoding="utf-8")
    cluster.hire(1, PYTHONPATH=str(tmp_path))
    refuse_soon(cluster.address, "lacks truetoll", tmp_path)


def test_a_worker_of_another_version_that_comes_later_is_refused(cluster, other):
    cluster.hire(1)
    with open_cluster(cluster.address) as client:
        running = finish_tasks(make_sums(), range(10_000), client=client)
        next(running)
        cluster.hire(1, PYTHONPATH=str(other))
        with pytest.raises(InputError, match=r"a worker on .* has truetoll 0.0.9"):
            list(running)


def test_a_cluster_that_has_lost_its_workers_is_not_waited_for(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("sim.system.cluster.PATIENCE", 1.0)
    cluster.hire(1)
    with open_cluster(cluster.address) as client, pytest.raises(InputError, match="has had no worker for 1 seconds"):
        list(finish_tasks(make_sums(tmp_path / "mark"), range(6), client=client))


def test_a_scheduler_that_is_lost_is_told_of(cluster, tmp_path):
    cluster.hire(1)
    store = Store(tmp_path / "done.jsonl", "k", "task")
    with open_cluster(cluster.address) as client:
        running = finish_tasks(make_sums(), range(10_000), client=client, store=store)
        first = dict([next(running)])
        cluster.scheduler.kill()
        with pytest.raises(InputError, match=r"the scheduler was lost.* go on with --resume"):
            list(running)
    assert first.items() <= store.begin(resume=True).items()
