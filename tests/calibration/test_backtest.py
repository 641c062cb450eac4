"""Back-tests: forecasts that do not depend on who makes them when, scores beside simple rules, and resuming."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from examples import format_claims
from program import call_here
from records import WARS, write_record

from sim.calibration import forecast
from sim.calibration.backtest import find_reference, list_said, list_scored_truths, report_backtest
from sim.calibration.bywar.belief import Belief
from sim.calibration.bywar.passes import PASSES, LearnedSites
from sim.calibration.forecast import Forecast, LeftOut, forecast_case, forecast_wars
from sim.calibration.learn import learn_priors
from sim.calibration.record import read_record
from sim.calibration.through_time import backtest_quarters, cut_case, establish, list_quarters, match_truths, read_curve
from sim.calibration.truths import read_truths
from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.errors import InputError
from sim.model.design import design_model
from sim.report.past import show_backtest

ROOT = Path(__file__).parents[2]


# One outcome in each war: with a second one a war takes twice as long to learn from.
CLAIMS = [row for row in WARS["claims"] if ",wounded," not in row]


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return read_record(*write_record(tmp_path_factory.mktemp("record"), CLAIMS))


@pytest.fixture(scope="module")
def vague():
    return read_priors("vague")


def forecast_without(record, vague, **options):
    """Forecast the wars without a prior set, each left out by learning anew from the others, in one pass."""
    return forecast_wars(record, None, vague, 1, refit=len(record.wars), passes=(1, 1), **options)


@pytest.fixture(scope="module")
def stored(record, vague, tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "forecasts.jsonl"
    return forecast_without(record, vague, jobs=1, store=store), store


def test_every_truth_is_forecast(record, stored):
    forecasts, _ = stored
    assert {(each.case, each.force, each.quantity) for each in forecasts} == {
        (item.case.name, truth.force, truth.quantity) for item in record.hindcasts for truth in item.truths
    }
    assert all(np.all(np.diff(each.quantiles) >= 0) for each in forecasts)


def test_a_war_is_forecast_without_its_truth(vague, tmp_path, stored):
    """Another truth of a war leaves its forecast where it was, and moves those of the others.

    To the digit, since they are left out by learning anew.
    """
    truths = [WARS["truths"][0].replace("100,100,104", "1000,1000,1004"), *WARS["truths"][1:]]
    other = read_record(*write_record(tmp_path, CLAIMS, truths))
    moved = {each.case: each for each in forecast_without(other, vague, jobs=1)}
    base = {each.case: each for each in stored[0]}
    np.testing.assert_array_equal(moved["a"].quantiles, base["a"].quantiles)
    assert not np.array_equal(moved["b"].quantiles, base["b"].quantiles)


def test_a_war_left_out_by_learning_anew_is_trusted_as_that_learning_is(record, vague, monkeypatch):
    """It has the passes of all that is learned; what settled with the war present says nothing of it."""
    asked = []

    def teach(*, trusted):
        rest = LearnedSites(vague.joint.keys, Belief.of(vague.joint), {}, None)
        return SimpleNamespace(without=rest.without, diagnostics=SimpleNamespace(trusted=trusted))

    def learn_sites(items, _, __, *, passes):
        asked.append(({item.war for item in items}, passes))
        return teach(trusted=False)

    monkeypatch.setattr(forecast, "learn_sites", learn_sites)
    left_out = LeftOut(teach(trusted=True), ("war_a",))
    assert [left_out.learn_without(record, war, vague, 1)[1] for war in ("war_a", "war_b")] == [False, True]
    assert asked == [({"war_b", "war_c"}, PASSES)]


def test_an_interrupted_back_test_goes_on_and_two_workers_forecast_as_one(record, vague, stored):
    """What is whole is kept as it stands; the rest, and the line that was cut short, are forecast as they were."""
    forecasts, store = stored
    first, second, *_ = store.read_text(encoding="utf-8").splitlines()
    kept = json.loads(first)
    marked = kept["forecasts"][0]
    assert marked["p_zero"] != 1
    marked["p_zero"] = 1.0  # as nobody would forecast it again
    store.write_text(f"{json.dumps(kept)}\n{second[:40]}", encoding="utf-8")
    again = forecast_without(record, vague, jobs=2, store=store, resume=True)
    for one, two in zip(forecasts, again, strict=True):
        np.testing.assert_array_equal(one.quantiles, two.quantiles)
        assert two.p_zero == (1 if (one.case, one.quantity) == (marked["case"], marked["quantity"]) else one.p_zero)
    wars = [json.loads(line)["war"] for line in store.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    assert (wars[0], sorted(wars)) == (kept["war"], sorted(record.wars))


def test_the_report_scores_what_was_lost_and_lists_what_was_made_up(record, stored):
    report = report_backtest(record, stored[0], 1)
    assert (report["n"], report["wars"]) == (3, 3)
    assert {row["case"] for row in report["rows"]} == {"a", "b", "c"}
    assert [each["case"] for each in report["fabricated"]] == ["d"]
    assert set(report["baselines"]) >= {"naive_mean", "constant_spread", "random_effects", "linear_pool", "published"}
    assert set(report["baselines"]["naive_mean"]["crps_difference"]) == {"mean", "interval_80"}
    json.dumps(report, allow_nan=False)


def test_a_perfect_forecast_scores_nothing(record):
    forecasts = [
        Forecast(truth.case, truth.force, truth.quantity, truth.day.isoformat(), np.full(1000, truth.value), 0.0, True)
        for item in record.hindcasts
        for truth in item.truths
    ]
    report = report_backtest(record, forecasts, 1)
    rows = {row["case"]: row for row in report["rows"]}
    assert rows["c"]["crps"] == pytest.approx(0, abs=1e-9)
    assert rows["c"]["interval_score_90"] == 0
    assert report["coverage"]["0.9"] > 0.3  # the other two truths are triangles, which a point does not hold


def test_simple_rules_see_the_counts_of_the_truths_own_quantity(record):
    by_name = {item.case.name: item for item in record.hindcasts}
    said = list_said(by_name["b"], by_name["b"].truths[0])
    np.testing.assert_allclose(said.log_claims, np.log([480.5, math.sqrt(1500 * 2500) + 0.5]))
    assert said.own_sd[0] == 0
    assert said.own_sd[1] == pytest.approx(math.log(2500 / 1500) / (2 * 1.2815515655446004))
    assert [row.truth.case for row in list_scored_truths(record)] == ["a", "b", "c"]


def test_simple_rules_see_a_total_whose_parts_are_told_too(tmp_path):
    rows = [
        f"a,a{n},p,,own,x,{quantity},cumulative,,2001-05-01,2001-05-02,exact,,{value},,,s,,,,,,"
        for n, (quantity, value) in enumerate((("killed", 100), ("wounded", 300), ("casualties", 400)))
    ]
    truths = ["a,war_a,A,x,,casualties,2001-05-01,2001-05-01,2001-05-01,,500,,,"]
    (item,) = read_record(*write_record(tmp_path, rows, truths)).hindcasts
    np.testing.assert_allclose(list_said(item, item.truths[0]).log_claims, [np.log(400.5)])


def test_two_truths_of_one_quantity_are_forecast_each_on_its_day(tmp_path):
    truths = [
        "b,war_b,A,z,,killed,2002-03-01,2002-04-30,2002-03-10,,500,,,",
        "b,war_b,A,z,,killed,2002-03-01,2002-04-30,2002-04-30,,1000,,,",
    ]
    record = read_record(*write_record(tmp_path, WARS["claims"][2:5], truths))
    report = report_backtest(record, forecast_wars(record, read_priors("default"), read_priors("vague"), 1, jobs=1), 1)
    first, second = report["rows"]
    assert first["median"] < second["median"]


def test_a_later_truth_is_forecast_from_its_own_first_day(tmp_path):
    """A truth of the second month alone is forecast by an interval, not by all that was lost until then."""
    truths = [
        "b,war_b,A,z,,killed,2002-03-01,2002-04-30,2002-04-30,,1000,,,",
        "b,war_b,A,z,,wounded,2002-04-01,2002-04-30,2002-04-30,,900,,,",
    ]
    row = "b,b9,z_army,,own,z,wounded,interval,2002-04-01,2002-04-30,2002-05-01,exact,,900,,,,,,,,,"
    record = read_record(*write_record(tmp_path, [*WARS["claims"][2:5], row], truths))
    found = {each.quantity: each for each in forecast_case(record.hindcasts[0], read_priors("default"), 1)}
    assert 400 < np.median(found["wounded"].quantiles) < 3000


def test_a_table_of_nothing_but_zeros_has_nothing_to_score_and_is_told(tmp_path):
    record = read_record(*write_record(tmp_path, WARS["claims"][-1:], WARS["truths"][-1:]))
    report = report_backtest(record, forecast_wars(record, read_priors("default"), read_priors("vague"), 1, jobs=1), 1)
    assert (report["n"], report["baselines"]) == (0, {})
    assert "nothing was lost" in show_backtest(report)


def test_what_cannot_be_learned_from_is_refused(tmp_path, vague):
    one = read_record(*write_record(tmp_path, WARS["claims"][:2], WARS["truths"][:1]))
    with pytest.raises(InputError, match="leaves none to learn from"):
        forecast_wars(one, None, vague, 1, jobs=1)
    zero = read_record(*write_record(tmp_path / "zero", WARS["claims"][-1:], WARS["truths"][-1:]))
    with pytest.raises(InputError, match="no established loss"):
        learn_priors(zero.hindcasts, vague, 1, quiet=True)


def test_the_reference_of_a_set_is_the_record_that_it_was_learned_from():
    default = read_priors("default")
    reference = find_reference(default)
    assert reference is not None
    assert reference.sha256 == default.learned_from["sha256"]
    assert find_reference(read_priors("vague")) is None
    assert find_reference(replace(default, learned_from={**default.learned_from, "sha256": "0"})) is None


def test_a_set_as_it_stands_on_the_command_line(tmp_path):
    claims, truths = write_record(tmp_path / "in")
    options = ("--prior", "default", "--jobs", 1, "--json", "--quiet", "--results", tmp_path / "out")
    done = call_here("backtest", claims, truths, *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 3
    (folder,) = (tmp_path / "out" / "backtest").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"backtest.json", "calibration.png", "sharpness.png"}


def test_bad_tables_are_refused_in_one_line(tmp_path):
    claims, truths = write_record(tmp_path, [WARS["claims"][0]])
    done = call_here("backtest", claims, truths)
    assert (done.returncode, done.stdout) == (3, "")
    assert all("has no usable claim" in line for line in done.stderr.splitlines())
    fit = call_here("priors", "fit", claims, tmp_path / "none.csv", "--out", tmp_path / "x.toml")
    assert fit.returncode == 3
    assert len(fit.stderr.splitlines()) == 1


def test_the_forecast_of_a_case_is_that_of_its_design_on_the_truths_day(record):
    (found,) = forecast_case(record.hindcasts[1], read_priors("sceptical"), 3)
    assert found.trusted
    assert 100 < np.median(found.quantiles) < 10_000


LONG = """
schema = 1
start = 2020-01-01
end = 2021-12-31
[forces.x]
label = "Red Forces"
outcomes = ["killed"]
[sources.own]
role = "own"
[sources.foe]
role = "adversary"
"""


@pytest.fixture
def war(tmp_path):
    folder = tmp_path / "long"
    folder.mkdir()
    rows = [{"published": f"2020-{month:02}-20", "value": 100 * month, "source": "foe"} for month in range(1, 13)] + [
        {"published": "2021-06-01", "as_of": "2020-05-01", "value": 77777, "id": "late"}
    ]
    (folder / "case.toml").write_text(LONG, encoding="utf-8")
    (folder / "claims.csv").write_text(format_claims(rows), encoding="utf-8")
    truths = [
        f"l,war,B,red_forces,,killed,2020-01-01,{day},{day},{low},{value},{high},," for day, low, value, high in
        (("2020-03-01", 90, 100, 120), ("2020-12-31", 800, 900, 1100))
    ]  # fmt: skip
    _, path = write_record(tmp_path / "truths", truths=truths)
    return read_case(folder), read_truths(path)


def test_a_quarter_sees_only_what_was_published_by_its_end(war):
    case, _ = war
    day = dt.date(2020, 6, 30)
    cut = cut_case(case, day)
    assert (cut.end, cut.as_of) == (day, day)
    seen = design_model(cut, read_priors("default"), known_by=day).evidence.observations
    assert len(seen) == 6
    assert "late" not in {item.claim.id for item in seen}
    assert list_quarters(dt.date(2020, 3, 1), dt.date(2020, 12, 31)) == [
        dt.date(2020, 3, 31), dt.date(2020, 6, 30), dt.date(2020, 9, 30), dt.date(2020, 12, 31),
    ]  # fmt: skip


def test_what_is_established_is_read_between_its_days(war):
    series = match_truths(*war)["x", "killed"]
    assert establish(series, dt.date(2020, 3, 1)).value == pytest.approx(100)
    middle = establish(series, dt.date(2020, 7, 31))
    assert middle.low < middle.value < middle.high
    assert math.log(middle.value) == pytest.approx(np.interp(152, [0, 305], np.log([100, 900])))


def test_a_war_is_estimated_quarter_by_quarter(war):
    report = backtest_quarters(*war, read_priors("sceptical"), 1, jobs=1)
    assert [row["day"] for row in report["rows"]] == ["2020-03-31", "2020-06-30", "2020-09-30", "2020-12-31"]
    assert all(row["median"] < 3 * row["truth"] for row in report["rows"])
    assert report["untrusted_fits"] == 0


def test_a_case_of_other_forces_than_the_truths_is_refused(war):
    case, truths = war
    with pytest.raises(InputError, match="no war of the record is called war"):
        backtest_quarters(case, truths, None, 1, jobs=1)
    with pytest.raises(InputError, match="no force of which two truths are known"):
        backtest_quarters(case, truths[:1], read_priors("sceptical"), 1, jobs=1)


def test_another_table_is_no_curve(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="give the newspaper's curve"):
        read_curve(path)
