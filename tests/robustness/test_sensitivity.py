"""What would change the answer: each variant is what a user would get by changing the case, and is told in words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from examples import ALLY, ALLY_ROWS, CASE, ONE_DAY, RICH_ROWS, UNBOUNDED, format_claims
from fuzzing import run_here

from sim.contract.check import dump_record, parse_sensitivity
from sim.posterior.fit import Effort
from sim.posterior.verdict import Ladder, choose_ladder, fit_design
from sim.report.robustness import _DECIDED, LEFT_OUT, list_shown, tell_robustness
from sim.robustness.sensitivity import WORTH, _lay_out, examine_case
from sim.robustness.variants import COPIES, list_variants, without_source
from sim.sampler.diagnostics import OF_INTERVALS
from sim.system.tasks import finish_tasks

LULL = 'bounded = true\nlulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]'
BRIEF = Ladder((Effort(400, 300, 0.95),), OF_INTERVALS)
REPORTED = [row for row in ALLY_ROWS if row.get("source") != "mixed"]  # fewer sources, fewer fits


@pytest.fixture
def variants(monkeypatch):
    """Return a function that leaves of a case's variants those of some kinds: a report of all takes fifty fits."""

    def leave(*kinds):
        monkeypatch.setattr(
            "sim.robustness.sensitivity.list_variants", lambda d: [v for v in list_variants(d) if v.kind in kinds]
        )

    return leave


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return a report as the command writes it, and its folder; its chains are short, as it takes fifty fits."""
    place = tmp_path_factory.mktemp("sensitivity")
    (place / "case").mkdir()
    (place / "case" / "case.toml").write_text(ALLY.replace("bounded = true", LULL), encoding="utf-8")
    (place / "case" / "claims.csv").write_text(format_claims(REPORTED), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.robustness.sensitivity.choose_ladder", lambda _: BRIEF)
        status, out, told = run_here(
            ["sensitivity", f"{place}/case", "--json", "--jobs", "1", "--results", f"{place}/results"], 600
        )
    assert status in (0, 4), told
    (folder,) = (path for path in (place / "results" / "case").iterdir() if path.is_dir())
    return json.loads(out), folder


def test_every_kind_of_the_contract_is_there(report):
    found, folder = report
    assert found["headline"] == "killed"
    kinds = {each["kind"] for each in found["scenarios"]}
    assert kinds == {
        "leave_source_out", "leave_claim_out", "leave_part_out", "structure", "duplicate_source", "prior_power",
        "prior_set", "wording", "role", "lull", "echo",
    }  # fmt: skip
    for each in found["scenarios"]:
        assert {"median", "intervals", "shift_sd", "how", "trusted"} <= each.keys()
    names = {path.name for path in folder.iterdir()}
    assert names == {"sensitivity.json", "sensitivity.csv", "sensitivity.md", "figures"}
    assert {path.name for path in (folder / "figures").glob("*.png")} == {"variants.png", "conflict.png"}
    assert json.loads((folder / "sensitivity.json").read_text(encoding="utf-8")) == found


def test_marked_echoes_move_nothing_and_unmarked_copies_narrow(report):
    scenarios = report[0]["scenarios"]
    (echo,) = (each for each in scenarios if each["kind"] == "echo")
    base = next(each for each in report[0]["base"]["quantities"] if each["quantity"] == "killed")
    assert (echo["median"], echo["intervals"], echo["shift_sd"]) == (base["median"], base["intervals"], 0)
    copies = {each["what"]: each for each in scenarios if each["kind"] == "duplicate_source"}
    assert copies["ally x5"]["width_ratio"] < 1


@pytest.mark.slow
def test_more_copies_narrow_more(design):
    """Long fits: two copies narrow by a tenth, five by a seventh, each known to a hundredth."""
    laid = design(REPORTED, ALLY)
    copies = {each.what: each.task for each in list_variants(laid) if each.kind == "duplicate_source"}
    widths = []
    for varied in (laid, _lay_out(laid, copies["ally x2"]), _lay_out(laid, copies["ally x5"])):
        fit = fit_design(varied, 1, choose_ladder(varied, 4_000))
        low, high = np.quantile(np.log(fit.sample.headline["x", "killed"] + 0.5), [0.05, 0.95])
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


def test_the_shift_is_of_the_median_of_the_log_in_standard_deviations(report):
    base = next(each for each in report[0]["base"]["quantities"] if each["quantity"] == "killed")
    for each in report[0]["scenarios"]:
        moved = np.log(each["median"] + 0.5) - np.log(base["median"] + 0.5)
        assert each["shift_sd"] == pytest.approx(moved / base["log_sd"], rel=0.005, abs=0.02)  # of three figures


def test_a_source_left_out_is_a_case_without_its_rows(design, report):
    """Its lull goes with it. The program's figure is that of a case that never had the source's claims."""
    laid = design([row for row in REPORTED if row.get("source") != "foe"], ALLY)
    _, sample, verdict, _ = fit_design(laid, 5, choose_ladder(laid))
    assert verdict.trusted
    values = sample.headline["x", "killed"]
    (told,) = (each for each in report[0]["scenarios"] if (each["kind"], each["what"]) == ("leave_source_out", "foe"))
    sd = np.std(np.log(values + 0.5))
    apart = np.log(np.median(values)) - np.log(told["median"])
    assert abs(apart) < 5 * told["shift_mcse"] * sd
    full = design(REPORTED, ALLY.replace("bounded = true", LULL))
    assert full.case.forces["x"].lulls
    assert not without_source(full, "foe").case.forces["x"].lulls


@pytest.mark.slow  # `test_bridging` holds the same of single claims
def test_claims_left_out_by_reweighting_agree_with_refits(design, variants, monkeypatch):
    """A claim left out by importance sampling gives what a refit gives, where k is small."""
    laid = design(RICH_ROWS[:8], CASE)
    variants("leave_claim_out")
    with monkeypatch.context() as patch:
        patch.setattr("sim.robustness.sensitivity.reweigh_claims", lambda *_: iter(()))
        refitted = examine_case(laid, 1, jobs=2)
    reweighed = examine_case(laid, 1, jobs=2)
    pairs = [(one, two) for one, two in zip(refitted.scenarios, reweighed.scenarios, strict=True) if two.how == "psis"]
    assert len(pairs) > 5
    assert all(two.k <= 0.7 for _, two in pairs)
    for one, two in pairs:
        assert one.what == two.what
        # Smoothed weights have a smaller effective size than the draws of a refit: twice its Monte Carlo error.
        assert one.shift_sd == pytest.approx(two.shift_sd, abs=5 * 2 * one.shift_mcse)


def test_how_long_it_takes_is_told_by_the_draws_and_not_by_the_compiler(design, variants, monkeypatch):
    """A first fit that was compiled for, or begun anew, says no more of a variant than how fast its draws were."""
    laid, told = design(REPORTED[:3], ALLY), []
    variants("duplicate_source")

    def fit_slowly(*arguments, **options):
        fit = fit_design(*arguments, **options)
        return fit._replace(draws=replace(fit.draws, seconds={"compile": 1e6, "sample": fit.draws.shape[1] / 100}))

    with monkeypatch.context() as patch:
        patch.setattr("sim.robustness.sensitivity.fit_design", fit_slowly)
        patch.setattr("sim.robustness.sensitivity.list_groups", lambda _: {})
        patch.setattr("sim.robustness.sensitivity.fit_task", lambda *_: pytest.fail("asked to fit"))
        patch.setattr("sim.robustness.sensitivity.gather_results", lambda *_, **__: iter(()))
        patch.setattr("sim.robustness.sensitivity.tell_step", lambda text, **_: told.append(text))
        with pytest.raises(KeyError):  # of what was not fitted
            examine_case(laid, 1)
    speakers = {row.get("source", "own") for row in REPORTED[:3]}
    fits = len(COPIES) * len(speakers)
    assert told == [f"0 variants judged, {fits} to fit: about {fits * WORTH / 100:.0f} s"]


def test_what_is_finished_is_kept(design, variants, tmp_path, monkeypatch):
    laid = design(ALLY_ROWS[:2], ALLY)
    variants("leave_source_out", "prior_set", "echo")
    monkeypatch.setattr("sim.robustness.sensitivity.choose_ladder", lambda _: BRIEF)
    store = tmp_path / "fits.jsonl"
    first = examine_case(laid, 1, store=store)
    monkeypatch.setattr("sim.robustness.sensitivity.fit_task", lambda *_: pytest.fail("fitted again"))
    assert examine_case(laid, 1, store=store, resume=True) == first
    monkeypatch.setattr("sim.system.tasks.finish_tasks", lambda *a, **k: reversed(list(finish_tasks(*a, **k))))
    assert examine_case(laid, 1, store=store, resume=True) == first  # whatever was finished first


def test_the_verdict_names_what_moves_and_what_does_not(report):
    found = report[0]
    told = " ".join(_tell(found))
    for each in found["scenarios"]:
        if each["kind"] == "leave_source_out":
            assert (each["label"] in told) == (abs(each["shift_sd"]) > 1 / 3)
    assert "marked as an echo moves nothing" in told
    still = [_shift(each, 0.0) for each in found["scenarios"]]
    assert "these move" not in " ".join(_tell({**found, "scenarios": still}))
    loud = [_shift(each, 0.5) if each["kind"] == "echo" else each for each in found["scenarios"]]
    assert "DEFECT" in " ".join(_tell({**found, "scenarios": loud}))


def test_a_verdict_says_of_which_number_it_speaks_and_nothing_twice(report):
    told = _tell(report[0])
    assert len(told) == len(set(told))
    of = [each for each in told if each.startswith(("A warning", "Priors that matter", "No group of priors"))]
    assert len(of) == 2
    assert all("the number killed" in each for each in of)


def test_a_choice_is_told_by_what_is_chosen(report):
    """Of every kind that somebody could hold otherwise, each the one that moves the number most."""
    found = {kind: next((each for each in report[0]["scenarios"] if each["kind"] == kind), None) for kind in _DECIDED}
    for kind, scenario in found.items():
        if scenario is not None:
            moved = {**_shift(scenario, 2.0), "trusted": True}
            (told,) = (each for each in _tell({**report[0], "scenarios": [moved]}) if "hangs on" in each)
            assert told.startswith(f"Everything hangs on {_DECIDED[kind]} (killed): "), told
            assert f" with {scenario['label']}, " in told
    assert any(found.values())
    kinds = ("structure", "role", "lull")
    still = [{**report[0]["scenarios"][0], "kind": kind, "trusted": True} for kind in kinds]
    (told,) = (
        each for each in _tell({**report[0], "scenarios": [_shift(each, 0.0) for each in still]}) if "by that" in each
    )
    assert told.startswith(
        "No other form of the model, no other reading of a role and no lull dropped moves the number"
    )


def _tell(found):
    """Return the verdict on a report as it is read from a file."""
    return tell_robustness(parse_sensitivity(json.loads(json.dumps(found)), "sensitivity.json"))


def _shift(scenario, shift):
    return {**scenario, "quantities": [{**entry, "shift_sd": shift} for entry in scenario["quantities"]]}


def test_a_source_alone_leaves_nothing_to_compare(design, variants):
    laid = design([{"value": 300}], CASE)
    variants("leave_claim_out", "echo")
    report = examine_case(replace(laid), 1)
    assert report.conflict == ()
    assert "do not stand in two roles" in " ".join(tell_robustness(report))


def test_a_whole_look_that_needed_no_fit_is_no_quick_one(report):
    """Where weights carried every variant one fit was made too: why no groups were compared is then another reason."""
    found = {**report[0], "fits": 1, "groups": [], "conflict": []}
    assert "do not stand in two roles" in " ".join(_tell(found))
    left_out = [each for each in found["scenarios"] if each["kind"] in (*LEFT_OUT, "prior_power")]
    assert "nothing was fitted anew" in " ".join(_tell({**found, "scenarios": left_out}))


def test_of_thousands_of_variants_those_that_move_most_are_shown(report):
    found = parse_sensitivity(report[0], "sensitivity.json")
    still = replace(found.scenarios[0], shift_sd=0.0, label="still")
    shown = list_shown(replace(found, scenarios=(*found.scenarios, *[still] * 4000)))
    assert len(shown) == 90
    assert [each for each in found.scenarios if each.shift_sd] == [each for each in shown if each.shift_sd]


def test_a_count_that_does_not_vary_has_a_report(design):
    laid = design([{"value": 3}], ONE_DAY + '[priors]\n"total.killed" = { fixed = 3 }\n')
    report = examine_case(laid, 1)
    json.dumps(dump_record(report), allow_nan=False)
    assert all(each.shift_sd == 0 for each in report.scenarios)


def test_each_force_has_its_verdict(design, variants):
    quiet = {"id": "quiet", "source": "foe", "force": "a", "quantity": "losses", "exclude": "enters as a lull"}
    rows = [{"source": "own", "force": "a", "value": 300}, {"source": "foe", "force": "b", "value": 50}, quiet]
    laid = design(rows, UNBOUNDED)
    variants("leave_source_out")
    told = tell_robustness(examine_case(laid, 1, jobs=2))
    for force in ("a", "b"):
        assert any(f"the number killed ({force})" in sentence for sentence in told)


def test_a_base_that_is_not_to_be_trusted_is_told(report):
    found = report[0]
    told = _tell({**found, "base": {**found["base"], "trusted": False}})
    assert "NOT TO BE TRUSTED" in told[0]
    doubtful = [{**each, "trusted": False, "k": 0.9} for each in found["scenarios"]]
    told = " ".join(_tell({**found, "scenarios": doubtful}))
    assert "importance weights" in told
    assert "source left out" not in told
