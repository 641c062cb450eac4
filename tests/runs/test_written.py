"""What a run writes: its folder, figures and memo, whole and the same wherever they are made."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from summaries import edit_result

from sim.errors import InputError
from sim.report.memo import FORMATS, render_memo
from sim.report.memo.content import compose_memo
from sim.report.plots import draw_figures
from sim.runs.folder import ASKED, FILES
from sim.runs.run import LIBRARIES, write_run
from sim.system.figure_process import start_figure_process
from sim.system.writing import build_folder
from sim.words import escape_cell, show_probability


def test_the_summary_keeps_its_contract(kursk_folder):
    result = json.loads((kursk_folder / "summary.json").read_text(encoding="utf-8"))
    assert (result["schema"], result["case"], result["as_of"], result["seed"]) == (1, "kursk", "2025-04-30", 1)
    assert {"max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "seconds"} <= set(result["diagnostics"])
    reported = {entry["quantity"] for entry in result["estimates"]}
    assert reported == {"killed", "wounded", "captured", "casualties", "losses", "deployed", "standing"}
    for entry in result["estimates"]:
        assert {"force", "as_of", "median", "mean", "sd", "log_mean", "log_sd", "mcse_median"} <= set(entry)
        check_intervals(entry["intervals"], entry["median"])
    for entry in result["bias"]:
        assert {"source", "force", "quantity", "prior_share"} <= set(entry)
        check_intervals(entry["intervals"], entry["median"])
        assert 0 <= entry["prior_share"] <= 1
    assert len(result["claims"]) >= 22
    for claim in result["claims"]:
        assert claim["used"] == (claim["why_not"] is None)
        assert claim["used"] == (claim["expected"] is not None) == (claim["standardised"] is not None)
    assert {entry["name"] for entry in result["derived"]} >= {"casualty_rate", "killed_per_hundred_casualties"}
    for entry in result["exceedance"]:
        assert 0 <= entry["probability"] <= 1
        assert entry["words"]


def check_intervals(intervals, median):
    assert list(intervals) == ["0.5", "0.8", "0.9", "0.95"]
    for inner, outer in zip(list(intervals.values())[:-1], list(intervals.values())[1:], strict=True):
        assert outer[0] <= inner[0] <= median <= inner[1] <= outer[1]


def test_the_folder_is_whole(kursk_folder):
    assert {path.name for path in kursk_folder.iterdir()} == {entry.name for entry in FILES}
    stems = {path.stem for path in (kursk_folder / "figures").iterdir()}
    assert stems == {"losses-over-time", "estimates", "headline", "page-one", "prior-posterior", "biases", "claims"}
    for stem in stems:
        assert (kursk_folder / "figures" / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        ET.parse(kursk_folder / "figures" / f"{stem}.svg")  # noqa: S314 - our own figures
        assert len((kursk_folder / "figures" / f"{stem}.csv").read_text(encoding="utf-8").splitlines()) > 3
    manifest = json.loads((kursk_folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["inputs"]) == {"case.toml", "claims.csv", "priors/default.toml"}
    assert set(manifest["versions"]) == {"truetoll", "python", *LIBRARIES}
    assert manifest["command"] == ["truetoll", "run", "kursk"]


def test_the_pages_tell_of_every_file_of_the_folder():
    """In the table of docs/formats.md stand those that are listed in the code, and each has who writes and reads it."""
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    table = page.split("## A run's folder")[1].split("\n## ")[0]
    cells = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    files = [name.rstrip("/") for cell, _ in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(files) == sorted(entry.name for entry in FILES)
    added = next(told for cell, told in cells if "memo.md" in cell)
    assert all(f"`{entry.name}`" in added for entry in ASKED)
    assert {entry.name.removeprefix("memo.") for entry in ASKED} | {"md"} == set(FORMATS)
    for name in {name for entry in (*FILES, *ASKED) for name in (*entry.writers, *entry.readers)}:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_a_failed_run_leaves_nothing(tmp_path):
    def fail():
        with build_folder(tmp_path / "case", "run") as (draft, _):
            (draft / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((tmp_path / "case").iterdir()) == []


def test_no_run_overwrites_another(tmp_path):
    for text in ("first", "second"):
        with build_folder(tmp_path, "run") as (draft, _):
            (draft / "file").write_text(text)
    assert (tmp_path / "run" / "file").read_text() == "first"
    assert (tmp_path / "run-2" / "file").read_text() == "second"


def test_an_unwritable_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), build_folder(tmp_path / "file" / "x", "run"):
        pass


def test_the_memo_says_what_it_must(kursk_run):
    memo = render_memo(compose_memo(kursk_run.result))
    top = memo.split("## The evidence")[0]
    for entry in kursk_run.result.exceedance:
        assert f"{entry.words} ({show_probability(entry.probability)})" in top
    for text in (
        "a bias that all sources share. It comes from the prior",
        "so they expect exaggeration",
        "claims not used",
    ):
        assert text in memo
    for claim in kursk_run.result.claims:
        assert escape_cell(claim.report) in memo
        assert escape_cell(claim.phrase) in memo


HOSTILE = "<script>alert(1)</script>|**x**\n# h [a](javascript:1) =1+1"


def test_hostile_text_stays_text_in_figures(kursk_run, tmp_path):
    def change(data):
        for claim in data["claims"]:
            claim |= {"phrase": HOSTILE, "report": HOSTILE, "id": "=1+1"}
        for source in data["sources"]:
            source["label"] = HOSTILE + "$\\frac{"
        data["title"] = HOSTILE

    draw_figures(edit_result(kursk_run.result, change), tmp_path)
    assert "<script>" not in (tmp_path / "claims.svg").read_text(encoding="utf-8")
    assert "\n=1+1" not in (tmp_path / "claims.csv").read_text(encoding="utf-8")


def test_figures_and_memo_are_written_again_from_the_summary_alone(kursk_folder, tmp_path):
    from sim.report.memo import write_memo
    from sim.runs.folder import read_manifest, read_result

    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(kursk_folder / "summary.json", copy)
    shutil.copy(kursk_folder / "manifest.json", copy)
    draw_figures(read_result(copy), copy / "figures")
    write_memo(compose_memo(read_result(copy), manifest=read_manifest(copy)), copy)
    assert (copy / "memo.md").read_text(encoding="utf-8") == (kursk_folder / "memo.md").read_text(encoding="utf-8")
    assert (copy / "figures" / "claims.svg").read_bytes() == (kursk_folder / "figures" / "claims.svg").read_bytes()


def test_figures_are_drawn_elsewhere_or_here(kursk_run, kursk_folder, tmp_path):
    """A process of its own draws the same figures; where it has died, they are drawn here."""
    with start_figure_process() as drawing:
        elsewhere = write_run(kursk_run, tmp_path, drawing=drawing)
    with start_figure_process() as drawing:
        drawing.process.kill()
        here = write_run(kursk_run, tmp_path, drawing=drawing)
    for path in (kursk_folder / "figures").iterdir():
        for other in (elsewhere, here):
            assert (other / "figures" / path.name).read_bytes() == path.read_bytes(), path.name


def test_figures_are_drawn_as_pdf_too(kursk_run, tmp_path):
    (first, *_) = draw_figures(kursk_run.result, tmp_path, {"headline"}, ("pdf", "png"))
    assert first.read_bytes().startswith(b"%PDF")
    assert (tmp_path / "headline.png").is_file()
