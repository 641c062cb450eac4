"""The memo of the latest run, in a file of its own, with numbers by name in templates."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

from sim.cli.app import app
from sim.errors import InputError
from sim.report.memo.numbers import list_numbers, offer_numbers
from sim.report.table import show_estimate, show_range, show_value

call = CliRunner().invoke


@pytest.fixture(scope="module")
def results(kursk_folder, tmp_path_factory):
    """Return a folder of results with one run."""
    folder = tmp_path_factory.mktemp("work") / "results"
    shutil.copytree(kursk_folder, folder / "kursk" / kursk_folder.name)
    return folder


def test_the_latest_run_is_found_and_its_memo_goes_where_it_is_told(results, tmp_path, monkeypatch):
    monkeypatch.chdir(results.parent)
    (run,) = results.glob("*/*")
    later = run.with_name("20990101-000000-seed1")
    shutil.copytree(run, later)
    done = call(app, ["memo", "latest", "--out", str(tmp_path / "new" / "finding.md"), "--quiet"])
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "new" / "finding.md").read_text(encoding="utf-8")
    figures = [line.partition("](")[2].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert figures
    assert all((tmp_path / "new" / figure).resolve().is_file() for figure in figures)
    assert all((tmp_path / "new" / figure).resolve().parts[-3] == later.name for figure in figures)
    assert call(app, ["memo", str(run), "--out", str(tmp_path / "finding.HTML")]).exit_code == 0
    assert "data:image/png" in (tmp_path / "finding.HTML").read_text(encoding="utf-8")
    done = call(app, ["memo", str(run), "--out", str(tmp_path / "finding.rtf")])
    assert (done.exit_code, "end it in .md, .html, .docx, .pdf" in done.stderr) == (3, True)
    done = call(app, ["memo", str(run), "--out", str(tmp_path / "finding.md"), "--format", "html"])
    assert (done.exit_code, "is no file of the format html" in done.stderr) == (3, True)
    shutil.rmtree(later)
    monkeypatch.chdir(tmp_path)
    done = call(app, ["memo", "latest"])
    assert (done.exit_code, "there is no run in results" in done.stderr) == (3, True)


def test_a_template_gets_the_numbers_by_name(kursk_run, results, tmp_path):
    (run,) = results.glob("*/*")
    (tmp_path / "memo.md.j2").write_text(
        '{{ estimate("killed", "dprk").median }}|{{ estimate("wounded").low }}|{{ estimate("casualty_rate") }}', "utf-8"
    )
    done = call(app, ["memo", str(run), "--template", str(tmp_path), "--out", str(tmp_path / "page.md")])
    assert done.exit_code == 0, done.stderr
    counts = {entry.quantity: entry for entry in kursk_run.result.estimates}
    (rate,) = (entry for entry in kursk_run.result.derived if entry.name == "casualty_rate")
    low, high = rate.intervals["0.9"]
    digits = 2 if high > 3 * low else 3
    rate_told = [show_value(value, rate.unit, digits) for value in (rate.median, low, high)]
    assert (tmp_path / "page.md").read_text(encoding="utf-8").split("|") == [
        show_estimate(counts["killed"]),
        show_range(counts["wounded"]).partition(" to ")[0],
        "{} ({} to {})".format(*rate_told),
    ]
    (tmp_path / "memo.md.j2").write_text('{{ estimate("dead").median }}', "utf-8")
    done = call(app, ["memo", str(run), "--template", str(tmp_path), "--out", str(tmp_path / "none.md")])
    assert (done.exit_code, "estimate('dead', '') is not among killed, wounded" in done.stderr) == (3, True)
    assert not (tmp_path / "none.md").exists()


def test_of_several_forces_a_name_is_wanted(kursk_run):
    numbers = list_numbers(kursk_run.result)
    other = [*numbers, *(type(each)("rok", *list(vars(each).values())[1:]) for each in numbers if each.force)]
    ask = offer_numbers(other, "memo.md.j2")
    assert ask("killed", "rok").force == "rok"
    with pytest.raises(InputError, match="may be of several forces: dprk, rok"):
        ask("killed")
