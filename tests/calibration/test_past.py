"""The record of past wars: how far sources were from the truth, the table of sources, and what a contribution lacks."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from program import call_here
from records import CLAIMS, TRUTHS, WARS, write_record

from sim.calibration.past import choose_past, find_learned, list_past, report_past, sum_up
from sim.calibration.record import find_record_case, list_cases, read_record, read_shipped_record, review_record
from sim.case.folder import format_case_file, format_claims, read_case
from sim.case.priors import read_priors
from sim.errors import InputError
from sim.report.plots.past import draw_past

SOURCES = [
    "x_army,X Army,military,x",
    "y_army,Y Army,military,y",
    "z_army,Z Army,military,z",
    "w_army,W Army,military,w",
    "v_army,V Army,military,v",
    "v_side,V Radio,press,v",
]


@pytest.fixture
def folder(tmp_path):
    write_record(tmp_path)
    (tmp_path / "sources.csv").write_text("\n".join(["source,label,body,state", *SOURCES]), encoding="utf-8")
    return tmp_path


def read(folder):
    return read_record(folder / "claims.csv", folder / "truth.csv")


@pytest.fixture(scope="module")
def shipped():
    return read_shipped_record()


def test_a_factor_is_of_the_last_number_of_a_source_as_of_the_end(tmp_path):
    """A first number is superseded; an echo, a number of an earlier day or of fewer days, and a zero do not count."""
    claims = [
        *WARS["claims"],
        "a,a3,y_army,,adversary,x,killed,cumulative,,2001-05-01,2001-05-09,about,,400,,,,,,,,,",
        "a,a4,paper,,independent,x,killed,cumulative,,2001-05-01,2001-05-09,about,,400,,,,,a3,,,,",
        "b,b4,w_army,,adversary,z,killed,interval,2002-04-01,2002-04-30,2002-05-20,exact,,300,,,,,,,,,",
    ]
    found = {(each.case, each.source): each.factor for each in list_past(read_record(*write_record(tmp_path, claims)))}
    assert found == {
        ("a", "x_army"): pytest.approx(52.5 / 100.5),
        ("a", "y_army"): pytest.approx(400.5 / 100.5),
        ("b", "w_army"): pytest.approx((math.sqrt(1500 * 2500) + 0.5) / 1000.5),
        ("c", "v_army"): pytest.approx(40.5 / 20.5),
        ("c", "v_side"): pytest.approx(9.5 / 20.5),
    }


def test_groups_are_medians_and_quantiles_of_their_claims(folder):
    past = list_past(read(folder))
    groups = {group.name: group for group in sum_up(past, ["role"])}
    factors = [each.factor for each in past if each.role == "adversary"]
    found = groups["adversary",]
    assert (found.claims, found.wars) == (3, 3)
    assert found.median == pytest.approx(np.median(factors))
    assert found.intervals["0.9"] == pytest.approx(tuple(np.exp(np.quantile(np.log(factors), [0.05, 0.95]))))
    assert found.median_90 is None  # three wars are too few


def test_a_median_is_as_sure_as_the_wars_are_many(folder):
    """Of seven wars with the factors 1 to 7 the median of seven drawn anew is 2 to 6: (1/7)-ths of a binomial law.

    However many claims one war has, it is drawn as often as each other one.
    """
    claim = list_past(read(folder))[0]
    wars = [replace(claim, war=f"w{n}", factor=float(n)) for n in range(1, 8)]
    (found,) = sum_up(wars, ["role"])
    assert found.median_90 == pytest.approx((2, 6))
    (found,) = sum_up([*wars, *[wars[-1]] * 50], ["role"])
    assert found.median == pytest.approx(7)
    assert found.median_90[0] < 4


def test_what_no_claim_has_is_refused_all_at_once(folder):
    past = list_past(read(folder))
    with pytest.raises(InputError) as caught:
        choose_past(past, {"role": "friend", "state": "atlantis", "victims": None})
    assert len(caught.value.faults) == 2
    assert {each.source for each in choose_past(past, {"body": "press"})} == {"v_side"}


def test_sources_have_the_body_and_state_of_the_table_beside_the_claims(folder):
    record = read(folder)
    source = next(item.case.sources["v_side"] for item in record.hindcasts if item.case.name == "c")
    assert (source.label, source.institution, source.body, source.state) == ("V Radio", "v_side", "press", "v")
    assert record.sha256 != read_record(*write_record(folder / "without")).sha256


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("press", "radio", "'radio' is not allowed"),
        ("v_side,V Radio,press,v", "x_army,X,press,x", "is in row 2 too"),
        ("v_side,V Radio,press,v", "other,X,press,x", "'v_side' is not in sources.csv"),
        ("V Radio,press,v", "V Radio,press,Great Britain", "is not a key"),
    ],
)
def test_a_fault_of_the_table_of_sources_is_told_in_one_line(folder, old, new, message):
    path = folder / "sources.csv"
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read(folder)


def test_a_truth_says_whose_dead_and_in_what_event(tmp_path):
    claims, truths = write_record(tmp_path, truths=[f"{row},civilians,attack" for row in WARS["truths"]])
    truths.write_text(truths.read_text("utf-8").replace(TRUTHS, f"{TRUTHS},victims,event"), encoding="utf-8")
    item = read_record(claims, truths).hindcasts[0]
    assert (item.truths[0].kind, item.truths[0].event, item.case.forces["x"].victims) == (
        "civilians",
        "attack",
        "civilians",
    )
    truths.write_text(truths.read_text("utf-8").replace("civilians,attack", "people,riot", 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_record(claims, truths)
    assert [fault.where for fault in caught.value.faults][:2] == ["row 2, column victims", "row 2, column event"]


def test_without_the_column_equipment_is_told_by_its_outcome(folder):
    kinds = {truth.quantity: truth.kind for item in read(folder).hindcasts for truth in item.truths}
    assert kinds == {"killed": "military", "aircraft": "equipment"}


def test_a_contribution_lacks_what_is_listed(folder, shipped):
    lines = review_record(read(folder))
    assert "a, a1: has no address; only what was seen on a page is used" in lines
    assert "b, z, killed: the truth has no event" in lines
    assert review_record(shipped) == []


def test_the_shipped_record_is_whole(shipped):
    truths = [truth for item in shipped.hindcasts for truth in item.truths]
    assert (len(shipped.wars), len(truths), sum(truth.is_zero for truth in truths)) == (87, 451, 21)
    assert all(truth.victims and truth.event for truth in truths)
    assert len(list_cases(shipped)) == len(shipped.hindcasts)


def test_a_case_of_the_record_reads_as_it_is_written(shipped, tmp_path):
    """What a run keeps of it reads again as the same case; what is established of it is not there."""
    case = find_record_case(shipped, "debaltseve2015")
    (tmp_path / "case.toml").write_text(format_case_file(case.file), encoding="utf-8")
    (tmp_path / "claims.csv").write_text(format_claims(case.claims), encoding="utf-8")
    again = read_case(tmp_path)
    assert again.file == case.file
    assert [claim.model_copy(update={"row": 0}) for claim in again.claims] == [
        claim.model_copy(update={"row": 0}) for claim in case.claims
    ]
    with pytest.raises(InputError, match="use debaltseve2015"):
        find_record_case(shipped, "debaltseve")


def test_the_report_says_what_was_learned_of_a_role_and_is_drawn(folder):
    default = read_priors("default")
    past = list_past(read(folder))
    report = report_past(past, {"role": None}, ["role", "victims"], default)
    assert report["groups"][0]["learned"]["median"] == pytest.approx(math.exp(default.priors["role.own.losses"].mu))
    figure = draw_past(report)
    assert figure is not None
    assert [row["median"] for row in figure.rows] == [group["median"] for group in report["groups"]]
    for victims, kind in (("military", "losses"), ("mixed", "civilians"), ("equipment", "losses")):
        median = math.exp(default.priors[f"role.adversary.{kind}"].mu)
        assert find_learned(default, "adversary", victims)["median"] == pytest.approx(median)
    assert find_learned(default, "own or adversary", "military") is None
    assert find_learned(default, "own", "") is None
    assert draw_past({**report, "groups": []}) is None
    json.dumps(report, allow_nan=False)


def test_the_record_on_the_command_line(tmp_path):
    shown = call_here("record", "sources", "--role", "adversary", "--json", "--quiet", "--results", tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert {group["victims"] for group in json.loads(shown.stdout)["groups"]} >= {"military", "civilians"}
    assert (tmp_path / "record" / "sources-adversary.png").is_file()
    wrong = call_here("record", "sources", "--by", "colour")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (3, 1)
    own = tmp_path / "own"
    write_record(own, [CLAIMS.replace("case", "a")[:1]])
    refused = call_here("record", "check", own / "claims.csv", own / "truth.csv")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert call_here("run", "record:nowhere").returncode == 3
