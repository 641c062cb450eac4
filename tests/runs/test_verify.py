"""A run's folder keeps what the run was made from, and `run --verify` says whether the run stands."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from examples import ONE_DAY, ONE_DAY_ROWS, format_claims
from program import call, call_here

from sim.errors import InputError
from sim.posterior.fit import Effort
from sim.posterior.verdict import Ladder
from sim.runs.run import run_case, write_run
from sim.runs.verify import drop_timings, judge_repeat, tell_verdict, verify_run
from sim.sampler.diagnostics import OF_INTERVALS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a small run's folder, whose case and prior set are gone since."""
    case, results = tmp_path_factory.mktemp("inputs") / "case", tmp_path_factory.mktemp("results")
    case.mkdir()
    (case / "case.toml").write_text(f'prior = "mine.toml"\n{ONE_DAY}', encoding="utf-8")
    (case / "claims.csv").write_text(format_claims(ONE_DAY_ROWS), encoding="utf-8")
    shutil.copy(ROOT / "priors" / "flat.toml", case / "mine.toml")
    run = run_case(case, seed=3, draws=1_200, as_of=dt.date(2024, 2, 1), known_by=dt.date(2024, 4, 1))
    place = write_run(run, results)
    shutil.rmtree(case)
    return place


@pytest.fixture
def folder(written, tmp_path):
    """Return a copy of it, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "run"))


def test_a_run_is_made_again_from_its_folder_alone(folder):
    """The summary is the same but for timings, with every option of the run, when the case is gone."""
    report = verify_run(folder)
    assert report.identical
    assert report.stands
    assert report.differs == ()
    assert "byte for byte" in tell_verdict(report)[0]


def test_other_versions_are_named(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["versions"]["numpy"] = "1.0"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert any(line.startswith("numpy 1.0 then") for line in verify_run(folder).differs)


def test_a_summary_that_was_added_to_is_not_the_same(folder):
    """What the program does not read of it stands in the file all the same."""
    result = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    (folder / "summary.json").write_text(json.dumps({**result, "remark": "mine"}), encoding="utf-8")
    report = verify_run(folder)
    assert (report.stands, report.identical) == (True, False)


@pytest.mark.parametrize("name", ["case.toml", "claims.csv", "mine.toml", "priors/default.toml"])
def test_inputs_that_were_changed_are_refused(folder, name):
    path = folder / "inputs" / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="not what the run was made from"):
        verify_run(folder)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        verify_run(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": None},
        {"settings": {}},
        {"settings": {"prior": None, "as_of": "soon", "known_by": None, "draws": None}},
        {"settings": {"prior": None, "as_of": None, "known_by": None, "draws": 10**9}},
        {"seed": -1},
        {"seed": "one"},
        {"case": 3},
        {"inputs": ["case.toml"]},
        {"inputs": {"../summary.json": "0"}},
    ],
)
def test_a_damaged_manifest_is_one_line(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        verify_run(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_numbers_stand_within_monte_carlo_error(kursk_run):
    """A median or an edge may move by what chance moves it, and by no more."""
    first = kursk_run.result
    killed, *others = first.estimates
    moved = replace(killed, median=killed.median + 2 * killed.mcse_median)
    verdict = judge_repeat(first, replace(first, estimates=(moved, *others)))
    assert (verdict.identical, verdict.stands, verdict.moved) == (False, True, ())
    low, high = killed.intervals["0.9"]
    edges = (low, high + 10 * killed.mcse_interval_90[1])
    moved = replace(moved, intervals={**killed.intervals, "0.9": edges})
    verdict = judge_repeat(first, replace(first, estimates=(moved, *others)))
    assert not verdict.stands
    assert [entry.what for entry in verdict.moved] == ["upper edge of the 90% interval"]
    assert judge_repeat(first, replace(first, estimates=tuple(others))).moved[0].now is None
    verdict = judge_repeat(replace(first, estimates=tuple(others)), first)
    assert [(entry.quantity, entry.was) for entry in verdict.moved] == [(killed.quantity, None)]


def test_words_and_probabilities_stand_with_the_numbers(kursk_run):
    """What follows from the inputs is as they have it, and words are those of their own number."""
    first = kursk_run.result
    exceeded, *others = first.exceedance

    def judge(**change):
        return judge_repeat(replace(first, **change), first)

    louder = replace(exceeded, probability=0.9, words="likely")
    (moved,) = judge(exceedance=(louder, *others)).moved
    assert moved.what == f"the probability of more than {exceeded.above:,g}"
    verdict = judge(exceedance=(replace(exceeded, words="almost certain"), *others))
    assert (verdict.moved, len(verdict.otherwise), verdict.stands) == ((), 1, False)
    assert judge(title="Another war").otherwise == ("the title",)
    force = replace(first.forces[0], label="Others")
    assert judge(forces=(force, *first.forces[1:])).otherwise == (f"force {force.force}",)
    claim = replace(first.claims[0], phrase="said otherwise")
    verdict = judge(claims=(claim, *first.claims[1:]))
    assert verdict.otherwise == (f"claim {claim.id}",)
    assert f"It says claim {claim.id} otherwise" in tell_verdict(verdict)[1]
    assert not judge(claims=first.claims[1:]).stands
    assert judge(exceedance=tuple(others)).otherwise == ("the thresholds",)


def test_another_seed_stands_and_another_prior_does_not(run_once):
    """The errors are those of the draws: chance alone raises no alarm, a change of the model does."""
    other = run_once("kursk", seed=2).result
    verdict = judge_repeat(run_once("kursk", seed=1).result, other)
    assert verdict.stands, verdict.moved
    assert not verdict.identical
    assert not judge_repeat(other, run_once("kursk", seed=1, prior="flat").result).stands


def test_the_command_says_so_by_its_status(folder):
    done = call("run", "--verify", folder, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["identical"]
    result = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    result["estimates"][0]["median"] *= 3
    (folder / "summary.json").write_text(json.dumps(result), encoding="utf-8")
    done = call_here("run", "--verify", folder)
    assert done.returncode == 5
    assert "DOES NOT STAND" in done.stdout
    done = call_here("run", "kursk", "--verify", folder)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


BRIEF = Ladder((Effort(60, 200, 0.9),), OF_INTERVALS)


def test_hash_seeds_and_threads_change_nothing(monkeypatch):
    """Another process, in which sets are in another order and chains share one thread, gives the same summary."""
    code = (
        "import os, sys\n"
        "os.cpu_count = lambda: 1\n"
        "import sim.runs.run\n"
        "from sim.posterior.fit import Effort\n"
        "from sim.posterior.verdict import Ladder\n"
        "from sim.runs.verify import drop_timings\n"
        "from sim.sampler.diagnostics import Limits\n"
        f"sim.runs.run.choose_ladder = lambda *_: {BRIEF}\n"
        "print(drop_timings(sim.run('kursk', seed=1).result))\n"
        "print(*{'pymc', 'pytensor', 'arviz'} & sys.modules.keys())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "271"},
    )  # fmt: skip
    summary, others, _ = done.stdout.split("\n")
    monkeypatch.setattr("sim.runs.run.choose_ladder", lambda *_: BRIEF)
    assert summary == drop_timings(run_case("kursk", seed=1).result)
    assert others == "", "the manifest does not tell of a library that took part"


REFERENCE = ROOT / "results" / "kursk" / "reference"


def test_the_reference_run_stands(kursk_run, monkeypatch):
    """What is kept of Kursk is what this version says, within Monte Carlo error; if it is to move, remake it.

    Its inputs are those of the shipped case, byte by byte: to make it again is to make the run of that case.
    """
    asked = []
    monkeypatch.setattr("sim.runs.verify.fit_case", lambda *given, **how: asked.append((*given, how)) or kursk_run)
    report = verify_run(REFERENCE)
    assert report.stands, report.moved
    ((case, _, how),) = asked
    assert case.name == "kursk"
    assert {name: how[name] for name in ("seed", "draws", "as_of", "known_by")} == {
        "seed": 1, "draws": None, "as_of": None, "known_by": None,
    }  # fmt: skip
    kept = REFERENCE / "inputs"
    for name, now in (
        ("case.toml", "sim/cases/kursk/case.toml"),
        ("claims.csv", "sim/cases/kursk/claims.csv"),
        ("priors/default.toml", "priors/default.toml"),
    ):
        assert (kept / name).read_bytes() == (ROOT / now).read_bytes(), f"{name} has gone on: make reference"
