"""The shipped cases: every claim of the articles is a row that leads back to its article."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import ONE_DAY

from sim.case.check import check_case
from sim.case.folder import list_shipped_cases, read_case
from sim.errors import InputError

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"

# What the articles say, as (quantity, numbers, source): each must be a row of the case.
SAID = [
    ("deployed", {11_000}, "diplomat"),
    ("deployed", {10_000, 12_000}, "unattributed"),
    ("deployed", {11_000, 12_000}, "nis"),
    ("deployed", {3_000}, "nis"),
    ("casualties", {3_000}, "ukraine"),
    ("casualties", {3_000}, "nis"),
    ("casualties", {1_000}, "nis"),
    ("killed", {300}, "nis"),
    ("wounded", {2_700}, "nis"),
    ("casualties", {4_000}, "nis"),
    ("casualties", {4_700}, "nis"),
    ("killed", {600}, "nis"),
    ("wounded", {2_000}, "nis"),
    ("casualties", {0.333, 0.5}, "csis"),
    ("killed", {1_000}, "csis"),
    ("captured", {1}, "nis"),
    ("captured", {2}, "ukraine"),
    ("deployed", {15_000}, "nis"),
]


def numbers(claim):
    return {number for number in claim.number if number is not None}


@pytest.mark.parametrize(("quantity", "said", "source"), SAID)
def test_what_the_articles_say_is_a_row(quantity, said, source):
    rows = read_case("kursk").claims
    assert any((row.quantity, numbers(row), row.source) == (quantity, said, source) for row in rows)


@pytest.mark.parametrize("case", list_shipped_cases())
def test_every_row_has_wording_and_report(case):
    rows = read_case(case).claims
    assert all(row.phrase and row.report and row.note for row in rows)
    assert case != "kursk" or len(rows) >= 22


def test_every_phrase_stands_in_its_article():
    if not SEEDS.is_dir():
        pytest.skip("the five articles are not beside the project (../shared/seeds)")
    texts = {path.stem: " ".join(path.read_text(encoding="utf-8").split()).lower() for path in SEEDS.glob("*.txt")}
    for case in list_shipped_cases():
        for row in read_case(case).claims:
            text = next(text for stem, text in texts.items() if stem in row.report)
            for piece in row.phrase.lower().split(" ... "):
                assert piece in text.replace("’", "'").replace("–", "-"), (row.id, piece)


def test_no_row_is_used_twice():
    """Of the two that one article counts as two estimates neither is news; the labourers are not troops."""
    report = check_case("kursk")
    assert report.used == 14
    kinds = {warning.kind for warning in report.warnings}
    assert {"slip", "date", "excluded"} <= kinds
    assert not {"duplicate", "echo", "empty"} & kinds


def test_vietnam_is_two_small_counts():
    case = read_case("vietnam")
    assert {(row.source, row.value) for row in case.claims if row.quantity == "killed"} == {
        ("vietnam", 14),
        ("dprk", 27),
    }
    assert (case.sources["vietnam"].role, case.sources["dprk"].role) == (("ally_of_own",), ("own",))


def test_check_tells_repeated_contradictions_once(write):
    """Two sources that count daily differ in every pair of their days: one line, with the worst pair and how many."""
    rows = [
        {"id": f"{source}{day}", "source": source, "value": value * day, "as_of": f"2024-02-{day:02}"}
        for day in range(1, 21)
        for source, value in (("own", 10), ("foe", 50))
    ]
    warnings = [each for each in check_case(str(write(rows))).warnings if each.kind == "contradiction"]
    told = {(each.where.split("(")[1], each.text) for each in warnings}
    assert len(told) == 1  # own with foe: that each grows threefold within the month is no contradiction of itself
    assert any(
        "foe20" in where and "100.0 times" in text and "such pairs of foe and own" in text for where, text in told
    )


def test_counts_of_single_days_contradict_only_those_of_the_same_day(write):
    spell = {"measure": "interval", "since": "2024-02-01"}
    rows = [
        {"value": 10, "as_of": "2024-02-01", **spell},
        {"value": 90, "as_of": "2024-02-02", "measure": "interval", "since": "2024-02-02", "source": "foe"},
        {"value": 80, "as_of": "2024-02-01", **spell, "source": "mixed"},
    ]
    warnings = [each for each in check_case(str(write(rows))).warnings if each.kind == "contradiction"]
    assert [each.where for each in warnings] == ["row 4 (c2)"]


def test_check_tells_a_reason_given_for_many_rows_once(write):
    rows = [{"value": 10 + n, "as_of": f"2024-02-{n + 1:02}", "exclude": f"repeats c{n + 1}"} for n in range(9)]
    told = [each for each in check_case(str(write([*rows, {"value": 50}]))).warnings if each.kind == "excluded"]
    assert [each.where for each in told] == ["9 rows, the first row 2 (c0)"]


PAST = """
schema = 1
start = 2024-01-01
[forces.a]
outcomes = ["killed"]
victims = "VICTIMS"
[sources.s]
role = "own"
institution = "INSTITUTION"
body = "BODY"
state = "usa"
"""


def put_past(folder, victims, institution, body):
    text = PAST.replace("VICTIMS", victims).replace("INSTITUTION", institution).replace("BODY", body)
    (folder / "case.toml").write_text(text, encoding="utf-8")
    (folder / "claims.csv").write_text(
        "id,source,quantity,published,value\na,s,killed,2024-01-01,9\n", encoding="utf-8"
    )
    return folder


def test_a_case_says_whose_dead_and_which_institution_speaks(tmp_path):
    case = read_case(put_past(tmp_path, "civilians", "us_dod", "military"))
    assert case.forces["a"].victims == "civilians"
    source = case.sources["s"]
    assert (source.institution, source.body, source.state) == ("us_dod", "military", "usa")


def test_unknown_victims_and_bodies_are_told_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read_case(put_past(tmp_path, "people", "us_dod", "army"))
    assert [fault.where for fault in caught.value.faults] == ["forces.a.victims", "sources.s.body"]


def test_an_institution_that_the_record_does_not_know_is_refused_with_near_ones(tmp_path):
    with pytest.raises(InputError, match="'us_dodd' is in no war of the record"):
        read_case(put_past(tmp_path, "mixed", "us_dodd", "press"))
    case = read_case(put_past(tmp_path, "mixed", "us_dod", "press"))
    with pytest.raises(InputError, match="is in no war of the record"):
        case.with_settings(sources={"s": {"role": "own", "institution": "nobody"}})


def test_an_event_is_of_an_outcome_within_the_war(write):
    """Both faults at once, each with what to do."""
    events = 'events = [{ on = 2024-05-01, outcome = "killed" }, { on = 2024-01-05, outcome = "ships" }]\n'
    folder = write([], ONE_DAY.replace("end = 2024-01-01", "end = 2024-02-01").replace("outcomes", events + "outcomes"))
    with pytest.raises(InputError) as caught:
        read_case(folder)
    said = [str(fault) for fault in caught.value.faults]
    assert len(said) == 2
    assert "2024-05-01 is not between start (2024-01-01) and end (2024-02-01)" in said[0]
    assert "'ships' is no outcome of x" in said[1]
