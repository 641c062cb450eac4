"""The installed command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import nullcontext

import pytest
from program import PROGRAM, call, call_here
from strangers import lay_modules

import sim


def test_help_tells_every_command():
    done = call("--help")
    assert done.returncode == 0
    for command in ("run", "check", "new", "memo", "plot", "priors", "sensitivity"):
        assert command in done.stdout
        assert "Example" in call_here(command, "--help").stdout


def test_the_version_is_told_alone():
    done = call("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"truetoll {sim.__version__}\n", "")


def test_new_check_run_memo_plot(tmp_path):
    """The case that `new` writes passes `check`, runs with a good verdict, and can be drawn again.

    In a working folder full of modules, of which no process runs any.
    """
    list_run = lay_modules(tmp_path, tmp_path.with_name(f"{tmp_path.name}-marks"))
    assert call("new", "mine", cwd=tmp_path).returncode == 0
    checked = call_here("check", "./mine", "--json", cwd=tmp_path)
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["used"] == 5
    done = call("run", "./mine", "--json", "--seed", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["trusted"]
    assert result["seed"] == 2
    (folder,) = (tmp_path / "results" / "mine").iterdir()
    (folder / "memo.md").unlink()
    (folder / "figures" / "claims.png").unlink()
    assert call_here("memo", folder).returncode == 0
    assert call_here("plot", folder, "--format", "png").returncode == 0
    assert (folder / "memo.md").is_file()
    assert (folder / "figures" / "claims.png").is_file()
    assert list_run() == []


def test_a_run_prints_its_table_and_where_it_is(tmp_path, run_once, monkeypatch):
    monkeypatch.setattr("sim.runs.run.run_case", run_once)
    monkeypatch.setattr("sim.system.figure_process.start_figure_process", nullcontext)
    monkeypatch.setattr("sim.report.plots.draw_figures", lambda *_: [])  # of no account for what is printed
    done = call_here("run", "kursk", "--results", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "90% interval" in done.stdout
    assert "Not identified" in done.stdout
    assert "Written to" in done.stderr
    assert "Written to" not in done.stdout
    assert "sampling" not in done.stderr  # the progress display is quiet where there is no terminal


def test_check_points_at_the_slips_of_the_articles():
    done = call_here("check", "kursk")
    assert done.returncode == 0
    for text in ("early 2023", "Kharkiv", "labourers", "Ukraine and South Korea", "names 2023"):
        assert text in done.stdout, text


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("run", "nowhere"), 3, "no shipped case is called 'nowhere'"),
        (("run", "./nowhere"), 3, "is missing"),
        (("run", "kursk", "--as-of", "tomorrow"), 3, "YYYY-MM-DD"),
        (("run", "kursk", "--prior", "nice"), 3, "no prior set is called 'nice'"),
        (("check", "nowhere"), 3, "use one of kursk, vietnam"),
        (("memo", "nowhere"), 3, "cannot be read"),
        (("priors", "show", "nice"), 3, "use one of default"),
        (("run",), 2, "Missing argument"),
        (("run", "kursk", "--seed", "-1"), 2, "seed"),
        (("fly",), 2, "No such command"),
        (("check", "kursk", "--seed", "1"), 2, "No such option"),
        (("priors", "list", "--quiet"), 2, "No such option"),
        (("simulate", "kursk", "--n", "0"), 3, "--n: 0 is outside 1 to 100,000"),
        (("sbc", "kursk", "--n", "2000000"), 3, "--n: 2000000 is outside 1 to 1,000,000"),
    ],
)
def test_bad_calls_get_a_line_and_a_status(arguments, status, text, tmp_path):
    done = call_here(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_prints_no_notes(tmp_path):
    done = call_here("new", tmp_path / "case", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = call_here("check", f"{tmp_path}/case", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_new_does_not_touch_what_is_there(tmp_path):
    done = call_here("new", tmp_path)
    assert done.returncode == 3
    assert "exists already" in done.stderr
    done = call_here("new", tmp_path / "case", "--like", "naval")
    assert done.returncode == 3
    assert "'naval' is no kind of case" in done.stderr


def test_a_damaged_run_is_refused(tmp_path):
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    assert call_here("memo", tmp_path).returncode == 3
    keys = ["case", "title", "as_of", "known_by", "prior", "forces", "sources", "trusted", "diagnostics", "estimates"]
    keys += ["exceedance", "bias", "readings", "claims", "derived", "used_claims", "paths"]
    for hollow in ([], {}, 3):
        (tmp_path / "summary.json").write_text(
            json.dumps({"schema": 1, **dict.fromkeys(keys, hollow)}), encoding="utf-8"
        )
        for command in ("memo", "plot"):
            done = call_here(command, tmp_path)
            assert done.returncode == 3, (command, hollow, done.stderr)
            assert "Traceback" not in done.stderr
    (tmp_path / "summary.json").write_text('{"schema": 2}', encoding="utf-8")
    done = call_here("plot", tmp_path)
    assert done.returncode == 3
    assert "schema" in done.stderr


def test_priors_are_shown_with_their_reasons():
    done = call_here("priors", "show", "default")
    assert done.returncode == 0
    assert "wounded_per_killed ~ Normal" in done.stdout
    assert "the record narrowed it by" in done.stdout
    listed = json.loads(call_here("priors", "list", "--json").stdout)
    assert {entry["name"] for entry in listed} >= {"default", "sceptical", "flat"}


def test_json_stays_json_where_a_terminal_lacks_letters(tmp_path):
    """A letter beyond ASCII, and a sign of two halves, are written out as JSON has them."""
    claims = "id,source,quantity,published,value\n\U0001f4a3\u00e9,a,killed,2024-05-20,1\n"
    assert call("new", "mine", cwd=tmp_path).returncode == 0
    (tmp_path / "mine" / "claims.csv").write_text(claims, encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    order = [PROGRAM, "check", "./mine", "--json"]
    done = subprocess.run(order, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 3
    assert json.loads(done.stdout.decode("ascii"))["faults"]
    assert call("new", "b\u00e9\U0001f4a3", cwd=tmp_path).returncode == 0
    order = [PROGRAM, "check", "./b\u00e9\U0001f4a3", "--json"]
    done = subprocess.run(order, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert json.loads(done.stdout.decode("ascii"))["case"] == "b\u00e9\U0001f4a3"
