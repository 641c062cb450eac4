"""A run from case to folder: its numbers, its contract, its files."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from examples import CASE, ONE_DAY, ONE_DAY_ROWS, UNBOUNDED, UNBOUNDED_ROWS

import sim
from sim.case.folder import read_case, write_case
from sim.case.priors import read_priors
from sim.errors import InputError
from sim.model.design import design_model
from sim.posterior.fit import Effort
from sim.runs.run import run_case, write_run
from sim.runs.verify import drop_timings


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
    known = run_once("kursk", seed=1, known_by=dt.date(2024, 12, 31))
    assert known.verdict.trusted, known.verdict.reasons
    assert not any(claim.used for claim in known.result.claims if claim.published > "2024-12-31")
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
    attempts = run.result.diagnostics.attempts  # a fifth one where chains all but agree after four
    assert attempts in (4, 5)
    assert run.drawn.shape == (4, 60 * 2 ** (attempts - 1))
    known = {(e.force, e.quantity): e for e in kursk_run.result.estimates}
    for entry in run.result.estimates:
        assert entry.median == pytest.approx(known[entry.force, entry.quantity].median, rel=0.25)


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
