"""The records of what a run says are what its files hold, and nothing else gets past them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from fuzzing import make_report, trim_result
from summaries import as_json

from sim.case.claims import Claim
from sim.contract.check import dump_record, parse_manifest, parse_result, parse_sensitivity
from sim.contract.summary import JudgedClaim, choose_leading
from sim.errors import InputError
from sim.system.writing import format_json

REFERENCE = Path(__file__).parents[2] / "results" / "kursk" / "reference"


@pytest.mark.parametrize(("name", "parse"), [("summary.json", parse_result), ("manifest.json", parse_manifest)])
def test_what_is_read_is_written_again_byte_for_byte(name, parse):
    text = (REFERENCE / name).read_text(encoding="utf-8")
    assert format_json(dump_record(parse(json.loads(text), name))) == text


def test_what_is_written_is_read_as_the_same_record(kursk_run):
    assert parse_result(as_json(kursk_run.result), "summary.json") == kursk_run.result


def test_every_column_of_a_claim_is_kept():
    assert set(Claim.model_fields) - {"row"} < {field.name for field in fields(JudgedClaim)}


def _set(path, value):
    def change(data):
        *way, last = path
        for step in way:
            data = data[step]
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_set(["estimates", 0, "median"], "622"), "estimates.0.median: is damaged: '622' is refused"),
        (_set(["trusted"], 1), "trusted: is damaged"),
        (_set(["seed"], 1.0), "seed: is damaged"),
        (_set(["estimates", 0, "intervals", "0.9"], [2, 1]), "is out of order"),
        (lambda data: data["estimates"][0]["intervals"].pop("0.8"), "lacks an interval"),
        (lambda data: data["estimates"][0].pop("log_mean"), "estimates.0.log_mean: is damaged: is missing"),
        (lambda data: data["paths"][0]["median"].pop(), "curves of another length"),
        (lambda data: data["paths"][0]["days"].reverse(), "days out of order"),
        (_set(["bias", 0, "source"], "nobody"), "bias.0: is damaged: has no role there"),
        (_set(["claims", 0, "owner"], "nobody"), "'nobody' is no source"),
        (_set(["derived", 0, "median"], None), "is undefined in part"),
        (_set(["schema"], 2), "schema: is not 1"),
    ],
)
def test_what_is_damaged_is_refused_in_one_line(change, told, kursk_run):
    data = as_json(kursk_run.result)
    change(data)
    with pytest.raises(InputError) as caught:
        parse_result(data, "summary.json")
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_sensitivity_report_has_its_headlines_in_every_fit(kursk_run):
    report = make_report(trim_result(as_json(kursk_run.result)))
    parse_sensitivity(report, "sensitivity.json")
    whole = report["scenarios"][1]["quantities"]
    report["scenarios"][1] = {**report["scenarios"][1], "quantities": whole[1:]}
    with pytest.raises(InputError, match="lacks a headline"):
        parse_sensitivity(report, "sensitivity.json")


def test_the_counts_that_lead_are_the_killed_and_the_casualties_or_what_there_is():
    x = {("x", "killed"): ("killed",), ("x", "losses"): ("killed",), ("x", "deployed"): ("deployed",)}
    assert choose_leading(x) == [("x", "killed")]
    y = {
        ("y", "tanks"): ("tanks",),
        ("y", "losses"): ("tanks",),
        ("y", "guns"): ("guns",),
        ("y", "planes"): ("planes",),
    }
    assert choose_leading(y) == [("y", "tanks"), ("y", "guns")]
