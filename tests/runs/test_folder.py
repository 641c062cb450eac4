"""Which run is meant by a word, and what lies beside a run: another's report is not its own."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from types import SimpleNamespace

from sim.runs import compare, folder
from sim.runs.folder import MANIFEST, SUMMARY, find_run, find_sensitivity


def test_the_latest_run_is_the_one_that_was_written_last(tmp_path):
    """Whatever its name: that of another case, or one whose clock ran ahead, comes later in the alphabet."""
    for name, written in (("a/20250101-000000-seed1", 300), ("a/20990101-000000-seed1", 100), ("z/20250101-1", 200)):
        (tmp_path / name).mkdir(parents=True)
        for file in (SUMMARY, MANIFEST):
            (tmp_path / name / file).write_text("{}", encoding="utf-8")
            os.utime(tmp_path / name / file, (written, written))
    (tmp_path / "z" / "half").mkdir()
    (tmp_path / "z" / "half" / SUMMARY).write_text("{}", encoding="utf-8")  # without a manifest it is no whole run
    assert find_run("latest", tmp_path) == tmp_path / "a" / "20250101-000000-seed1"


def test_a_report_of_other_inputs_is_not_that_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "parse_sensitivity", lambda report, _: report)
    (tmp_path / "run").mkdir()
    for name, inputs in (("sensitivity-1", "a"), ("sensitivity-2", "a"), ("sensitivity-3", "b")):
        (tmp_path / name).mkdir()
        text = json.dumps({"schema": 1, "inputs": inputs})
        (tmp_path / name / "sensitivity.json").write_text(text, encoding="utf-8")
    found, report = find_sensitivity(tmp_path / "run", SimpleNamespace(inputs="a"))
    assert (found.name, report["inputs"]) == ("sensitivity-2", "a")
    assert find_sensitivity(tmp_path / "run", SimpleNamespace(inputs="c")) == (None, None)


def test_a_shift_is_held_against_the_errors_of_both_runs(kursk_run):
    """Of which either may be the larger."""
    killed = kursk_run.result.estimates[0]
    for errors in ((1.0, 30.0), (30.0, 1.0)):
        entries = [
            replace(killed, median=500.0 + 40 * number, mcse_median=error) for number, error in enumerate(errors)
        ]
        results = [SimpleNamespace(estimates=(entry,)) for entry in entries]
        (shift,) = compare._compare_headlines(*results)
        assert not shift.beyond_error
    quiet = [SimpleNamespace(estimates=(replace(entry, mcse_median=1.0),)) for entry in entries]
    (shift,) = compare._compare_headlines(*quiet)
    assert shift.beyond_error
