"""A run from case to folder: its numbers, its contract, its files."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from examples import CASE, ONE_DAY, ONE_DAY_ROWS, UNBOUNDED, UNBOUNDED_ROWS
from summaries import edit_result

import sim
from sim.case.folder import read_case, write_case
from sim.case.priors import read_priors
from sim.errors import InputError
from sim.model.design import design_model
from sim.posterior.fit import Effort
from sim.posterior.sample import draw_prior, thin_sample
from sim.posterior.summary import describe_claims
from sim.report.memo import FORMATS, render_memo
from sim.report.memo.content import compose_memo
from sim.report.plots import draw_figures
from sim.runs.draws import write_draws
from sim.runs.folder import ASKED, FILES
from sim.runs.run import LIBRARIES, run_case, write_run
from sim.runs.verify import drop_timings
from sim.system.figure_process import start_figure_process
from sim.system.writing import build_folder
from sim.words import escape_cell, show_probability


def test_the_kursk_verdict_is_good(kursk_run):
    assert kursk_run.verdict.trusted, kursk_run.verdict.reasons
    assert kursk_run.result.trusted is True


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (3, 4, 5))])
@pytest.mark.parametrize("case", ["kursk", "vietnam", "new"])
def test_the_verdict_is_good_with_every_seed(case, seed, run_once, tmp_path):
    """Two seeds here; five with `make test-full`."""
    if case == "new":
        write_case(tmp_path / "new")
    run = run_once(tmp_path / "new" if case == "new" else case, seed=seed)
    assert run.verdict.trusted, run.verdict.reasons


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
    assert stems == {"losses-over-time", "estimates", "headline", "prior-posterior", "biases", "claims"}
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


def test_the_draws_open_in_arviz_under_the_priors_names(kursk_folder, kursk_run):
    import xarray as xr

    with xr.open_datatree(kursk_folder / "posterior.nc", engine="h5netcdf") as tree:
        draws = tree["posterior"].to_dataset().load()
    names = {"total", "scale.source", "new_source", "noise", "role.losses", "share", "wave.size", "lull", "count"}
    assert names <= set(draws)
    counts = {
        name: draws["count"].sel(force="dprk", quantity=name)
        for name in ("killed", "wounded", "casualties", "losses", "deployed")
    }
    assert bool((counts["killed"] + counts["wounded"] == counts["casualties"]).all())
    assert bool((counts["losses"] <= counts["deployed"]).all())
    total = np.exp(draws["total"].sel(force="dprk", outcome="killed"))
    assert float(np.abs(total - counts["killed"]).max()) <= 0.5 + 1e-6
    median = next(e.median for e in kursk_run.result.estimates if e.quantity == "killed")
    assert float(counts["killed"].median()) == pytest.approx(median, rel=1e-5)


def test_the_run_shows_itself(kursk_run):
    assert "casualty rate" in repr(kursk_run)
    assert "Not identified" in repr(kursk_run)
    assert "<table>" in kursk_run._repr_html_()
    assert kursk_run.summary.loc[("dprk", "killed"), "median"] > 0
    assert "posterior" in kursk_run.posterior.children


def test_the_same_seed_gives_the_same_numbers(run_once):
    first, second = run_once("vietnam", seed=1).result, sim.run("vietnam", seed=1).result
    assert drop_timings(first) == drop_timings(second)
    assert run_once("vietnam", seed=2).result.estimates != first.estimates


def test_no_claims_report_the_prior(write):
    run = run_case(write([]), seed=1)
    assert run.verdict.trusted, run.verdict.reasons
    assert "these figures are the prior" in repr(run)
    for entry in run.result.estimates:
        prior = np.log(run.prior.headline["x", entry.quantity] + 0.5)
        assert entry.log_mean == pytest.approx(float(np.mean(prior)), abs=0.15)


def test_earlier_is_less_and_later_is_more_and_less_certain(write):
    toml = CASE.replace("end = 2024-03-31\nas_of = 2024-03-31\n", "")  # a war that goes on
    rows = [{"value": 300, "as_of": "2024-02-15"}, {"value": 700, "source": "foe", "as_of": "2024-03-31"}]
    folder = write(rows, toml)
    runs = [run_case(folder, seed=1, as_of=dt.date(2024, *day)) for day in ((1, 31), (3, 31), (6, 15))]
    assert all(run.verdict.trusted for run in runs), [run.verdict.reasons for run in runs]
    early, now, later = (next(e for e in run.result.estimates if e.quantity == "killed") for run in runs)
    assert early.median < now.median < later.median
    assert later.log_sd > now.log_sd


def test_what_is_published_later_is_not_known(run_once):
    known = run_once("kursk", seed=1, known_by=dt.date(2025, 1, 31))
    assert known.verdict.trusted, known.verdict.reasons
    assert not any(claim.used for claim in known.result.claims if claim.published > "2025-01-31")
    assert any(claim.used for claim in known.result.claims)


def test_a_day_before_the_start_is_refused():
    with pytest.raises(InputError, match="before the start"):
        run_case("kursk", as_of=dt.date(2024, 1, 1))


@pytest.mark.parametrize(("rows", "toml"), [(UNBOUNDED_ROWS, UNBOUNDED), (ONE_DAY_ROWS, ONE_DAY)])
def test_other_kinds_of_case_run_to_the_end(rows, toml, write, tmp_path):
    run = run_case(write(rows, toml), seed=1)
    place = write_run(run, tmp_path / "results")
    assert (place / "memo.md").is_file()
    assert run.verdict.max_rhat < 1.02


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


LATE = CASE.replace("from = 2024-01-01", "from = 2024-02-10").replace("to = 2024-01-20", "to = 2024-02-20")


def test_a_headline_before_anybody_arrived_is_zero(write, tmp_path):
    run = run_case(write([{"value": 300, "quantity": "casualties"}], LATE), seed=1, as_of=dt.date(2024, 2, 1))
    assert all(entry.median == 0 for entry in run.result.estimates)
    assert (write_run(run, tmp_path) / "summary.json").is_file()


def test_a_case_without_a_starting_point_is_refused(write, monkeypatch):
    """None is left to be tried: since the model floors what it believes, no case is known without one."""
    monkeypatch.setattr("sim.posterior.fit.MAX_STARTS", 0)
    with pytest.raises(InputError, match="no starting point with a finite density"):
        run_case(write([{"value": 300}]), seed=1)


def test_a_day_too_far_ahead_is_refused():
    with pytest.raises(InputError, match="days after the start"):
        run_case("vietnam", as_of=dt.date(9999, 12, 31))


def test_what_is_not_yet_known_neither_counts_nor_lulls():
    case = read_case("kursk")
    priors = read_priors("default")
    early = design_model(case, priors, known_by=dt.date(2025, 1, 1))
    assert not early.case.forces["dprk"].lulls
    assert design_model(case, priors).case.forces["dprk"].lulls


def test_a_total_of_another_meaning_leaves_standing_alone(write):
    toml = CASE + '\n[totals]\nlosses = ["killed"]\n'
    run = run_case(write([{"value": 300}], toml), seed=1)
    draws = run.sample.headline
    gone = sum(draws["x", name] for name in ("killed", "wounded", "captured"))
    np.testing.assert_array_equal(gone + draws["x", "standing"], draws["x", "deployed"])


def test_a_run_says_what_it_does_not_know_yet():
    run = run_case("vietnam", seed=1, known_by=dt.date(2000, 1, 1))
    assert "Only claims published by 2000-01-01" in repr(run)
    assert run.result.known_by == "2000-01-01"
    assert run.result.used_claims == 0


def test_a_bad_verdict_is_followed_by_more_tries(kursk_run, monkeypatch):
    """Chains cut short go on from where they stand, with smaller steps, and the summary tells of all attempts."""
    monkeypatch.setattr("sim.posterior.verdict.choose_effort", lambda _: Effort(60, 200, 0.9))
    run = run_case("kursk", seed=1)
    assert run.result.diagnostics.attempts == 3
    assert run.drawn.shape == (4, 360)
    known = {(e.force, e.quantity): e for e in kursk_run.result.estimates}
    for entry in run.result.estimates:
        assert entry.median == pytest.approx(known[entry.force, entry.quantity].median, rel=0.25)


def test_what_many_claims_would_have_said_again_is_thinned(kursk_run, monkeypatch):
    """The draws of claims are fewer where they would not fit; what is told of the claims hardly moves."""
    monkeypatch.setattr("sim.posterior.sample.SAID_NUMBERS", 500 * 16)
    thin = thin_sample(kursk_run.sample)
    assert len(thin.unknowns["theta"]) == 500
    for told, full in zip(describe_claims(kursk_run.sample), kursk_run.result.claims, strict=True):
        assert (told.expected is None) == (full.expected is None)
        if full.expected:
            assert told.expected == pytest.approx(full.expected, rel=0.3)


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


def test_the_draws_are_the_same_in_every_format(kursk_run, kursk_folder):
    """CSV, Parquet and NetCDF hold the same draws, and the percentiles of the summary are theirs."""
    import arviz as az
    import pandas as pd

    table = pd.read_csv(kursk_folder / "draws.csv", index_col="draw")
    parquet = pd.read_parquet(kursk_folder / "draws.parquet")
    pd.testing.assert_frame_equal(table, parquet, rtol=1e-5)
    tree = az.from_netcdf(kursk_folder / "posterior.nc")
    count = tree["posterior"]["count"].sel(force="dprk", quantity="killed").to_numpy().ravel()
    np.testing.assert_array_equal(table["killed"], count)
    assert (table["killed"] + table["wounded"] == table["casualties"]).all()
    row = kursk_run.summary.loc[("dprk", "killed")]
    for percent in (1, 50, 99):
        assert row[f"p{percent}"] == pytest.approx(np.percentile(count, percent), rel=1e-5)


def test_figures_are_drawn_as_pdf_too(kursk_run, tmp_path):
    (first, *_) = draw_figures(kursk_run.result, tmp_path, {"headline"}, ("pdf", "png"))
    assert first.read_bytes().startswith(b"%PDF")
    assert (tmp_path / "headline.png").is_file()


def test_draws_beyond_whole_numbers_stay_numbers(design, tmp_path):
    import pandas as pd

    laid = design([], ONE_DAY + '[priors]\n"total.killed" = { dist = "Normal", mu = 45, sigma = 1 }\n')
    write_draws(draw_prior(laid, 1), tmp_path)
    assert pd.read_csv(tmp_path / "draws.csv")["killed"].min() > 0


def test_a_forecast_as_long_as_the_war_is_refused(write):
    """One to the day after the last that the war has lasted as long again is not; nor any day of a war that is over."""
    rows = [{"value": 300, "force": "a", "as_of": "2024-01-10", "published": "2024-01-10"}]
    over = UNBOUNDED.replace('lulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]\n', "")
    going_on = over.replace("end = 2024-03-31\n", "")
    case, over = (read_case(write(rows, toml, name=name)) for toml, name in ((going_on, "open"), (over, "over")))
    priors = read_priors("default")
    assert design_model(case, priors, as_of=dt.date(2024, 1, 20)).as_of == dt.date(2024, 1, 20)
    with pytest.raises(InputError, match="2024-01-21 is further off the last day that is told of, 2024-01-10"):
        design_model(case, priors, as_of=dt.date(2024, 1, 21))
    assert design_model(over, priors, as_of=dt.date(2024, 3, 31)).as_of == dt.date(2024, 3, 31)
