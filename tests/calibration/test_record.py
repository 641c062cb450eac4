"""The track record is read as cases with known outcomes, and what breaks its rules is refused or left out."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pytest
from records import WARS, write_record

from sim.calibration.hindcasts import LATE, OUTSIDE, TWO_FORCES
from sim.calibration.record import read_record
from sim.calibration.truths import read_truths
from sim.case.evidence import weigh_claims
from sim.case.priors import read_priors
from sim.errors import InputError

ROOT = Path(__file__).parents[2]
TRACK = ROOT / "priors" / "record"
SHARED = ROOT.parent / "shared" / "data" / "record"


def test_each_case_becomes_a_case_of_its_own(tmp_path):
    record = read_record(*write_record(tmp_path))
    assert record.wars == ("war_a", "war_b", "war_c")
    by_name = {item.case.name: item for item in record.hindcasts}
    assert by_name["b"].case.file.forces["z"].outcomes == ("killed", "wounded")
    assert by_name["b"].case.end == dt.date(2002, 4, 30)
    assert by_name["c"].case.sources["v_army"].roles_towards("v") == ("adversary",)
    assert by_name["d"].truths[0].is_zero


def test_the_middle_stands_for_a_missing_value_and_the_value_for_missing_edges(tmp_path):
    record = read_record(*write_record(tmp_path))
    truths = {item.case.name: item.truths[0] for item in record.hindcasts}
    assert truths["b"].value == 1000
    assert (truths["c"].low, truths["c"].high) == (20, 20)


def test_the_moments_of_a_truth_are_those_of_its_triangle(tmp_path, rng):
    truth = read_record(*write_record(tmp_path)).hindcasts[1].truths[0]
    draws = np.log(rng.triangular(truth.low, truth.value, truth.high, 200_000))
    mean, sd = truth.log_moments()
    assert mean == pytest.approx(draws.mean(), abs=4 * draws.std() / 447)
    assert sd == pytest.approx(draws.std(), rel=0.01)


def test_a_claim_after_the_end_is_read_as_of_the_end(tmp_path):
    rows = [*WARS["claims"], "b,b9,w_press,,independent,z,killed,cumulative,,2002-06-30,2002-07-01,about,,900,,,,,,,,,"]
    record = read_record(*write_record(tmp_path, rows))
    (claim,) = (claim for item in record.hindcasts for claim in item.case.claims if claim.id == "b9")
    assert claim.as_of == dt.date(2002, 4, 30)


def test_hindsight_is_left_out(tmp_path):
    rows = [*WARS["claims"], "a,a9,z_press,,independent,x,killed,cumulative,,2001-05-01,2004-07-01,about,,99,,,,,,,,,"]
    record = read_record(*write_record(tmp_path, rows))
    assert weigh_claims(record.hindcasts[0].case).unused["a9"] == LATE


def test_a_truth_of_tier_d_is_reported_and_skipped(tmp_path):
    truths = [*WARS["truths"][:3], WARS["truths"][3].replace(",A,", ",D,")]
    record = read_record(*write_record(tmp_path, truths=truths))
    assert [item.case.name for item in record.hindcasts] == ["a", "b", "c"]
    assert any("tier D" in line for line in record.skipped)


def test_a_row_that_repeats_one_outside_its_case_counts_for_that_ones_source(tmp_path):
    """So does one that repeats a force of which no truth is known; what it replaces there is no matter."""
    tail = ",,,,a1,,,,"
    rows = [*WARS["claims"], f"b,b9,w_press,,independent,z,killed,cumulative,,2002-04-30,2002-05-01,about,,70,{tail}"]
    rows += [
        "b,b8,Z. Press-Office,,independent,z,killed,cumulative,,2002-04-30,2002-05-01,about,,70,,,,c1,Some One,,,,"
    ]
    record = read_record(*write_record(tmp_path, rows))
    claims = {claim.id: claim for item in record.hindcasts for claim in item.case.claims}
    assert claims["b9"].origin == "x_army"
    assert (claims["b8"].source, claims["b8"].origin, claims["b8"].replaces) == ("z_press_office", "some_one", "")


def test_an_echo_does_not_lend_its_role_to_whom_it_repeats(tmp_path):
    echo = "a,a9,z_press,,independent,x,killed,cumulative,,2001-05-01,2001-05-02,about,,210,,,,,y_army,,,,"
    record = read_record(*write_record(tmp_path, [*WARS["claims"], echo]))
    assert record.hindcasts[0].case.sources["y_army"].roles_towards("x") == ("adversary",)


def test_each_force_has_days_of_its_own(tmp_path):
    """A claim is read within the losses of its own force, whatever another force of its case still suffered."""
    truths = [
        "a,war_a,A,x,,killed,2001-05-01,2001-05-31,2001-05-31,,100,,,",
        "a,war_a,A,y,,killed,2001-05-10,2001-12-31,2001-12-31,,900,,,",
    ]
    rows = [
        "a,a1,p,,own,x,killed,cumulative,,2001-08-01,2001-08-02,about,,90,,,,,,,,,",
        "a,a2,q,,own,y,killed,cumulative,,2001-08-01,2001-08-02,about,,400,,,,,,,,,",
        "a,a3,q,,own,x,killed,interval,2001-07-01,2001-07-31,2001-08-02,about,,7,,,,,,,,,",
    ]
    record = read_record(*write_record(tmp_path, rows, truths))
    claims = {claim.id: claim for claim in record.hindcasts[0].case.claims}
    assert claims["a1"].as_of == dt.date(2001, 5, 31)
    assert (claims["a2"].measure, claims["a2"].since) == ("interval", dt.date(2001, 5, 10))
    assert claims["a3"].exclude == OUTSIDE
    assert any(line.startswith("a3: speaks of other days") for line in record.skipped)


def test_a_truth_with_nothing_but_hindsight_is_skipped_and_told(tmp_path):
    rows = [row.replace("2003-07-02,2003-07-02", "2003-07-02,2009-07-02") for row in WARS["claims"]]
    record = read_record(*write_record(tmp_path, rows))
    assert "d" not in {item.case.name for item in record.hindcasts}
    assert any("every claim is hindsight" in line for line in record.skipped)


def test_names_are_taken_as_they_are_written(tmp_path):
    """Any script, any spelling; the force may be left out where there is one; what is reported keeps the names."""
    rows = [
        "Battle of X,1,Армия,,own,,killed,cumulative,,2001-05-01,2001-05-02,exact,,52,,,,,,,,,",
        "Battle of X,2,Ärmee,,adversary,,Killed,cumulative,,2001-05-01,2001-05-02,exact,,99,,,,,,,,,",
        "Battle of X,3,Ürmee,,adversary,,killed,cumulative,,2001-05-01,2001-05-02,exact,,99,,,,,Армия,,,,",
    ]
    truths = ["Battle of X,The War,A,Third Army,,killed,2001-05-01,2001-05-01,2001-05-01,,100,,,"]
    (item,) = read_record(*write_record(tmp_path, rows, truths)).hindcasts
    assert (item.truths[0].case, item.truths[0].force, item.truths[0].key) == (
        "Battle of X",
        "Third Army",
        "third_army",
    )
    assert len({claim.source for claim in item.case.claims}) == 3
    assert {claim.quantity for claim in item.case.claims} == {"killed"}
    assert item.case.label_source(item.case.claims[0].source) == "Армия"


def test_the_size_of_a_force_may_be_a_truth_without_a_claim_of_it(tmp_path):
    truths = [*WARS["truths"], "a,war_a,A,x,,deployed,2001-05-01,2001-05-01,2001-05-01,,500,,,"]
    record = read_record(*write_record(tmp_path, truths=truths))
    assert "deployed" in record.hindcasts[0].case.quantities_of("x")


def edit(number, old, new, table="truths"):
    rows = list(WARS[table])
    assert old in rows[number]
    rows[number] = rows[number].replace(old, new)
    return {table: rows}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claims": WARS["claims"][2:]}, "has no usable claim on x in a"),
        (edit(0, ",war_a,", ",,"), "group"),
        ({"claims": [*WARS["claims"], WARS["claims"][0].replace("a,a1", "q,q1")]}, "'q' has no truth, and so no group"),
        (edit(1, ",adversary,", ",enemy,", "claims"), "'enemy' is not a role"),
        ({"truths": [*WARS["truths"], WARS["truths"][0]]}, "is a second truth of killed of x on 2001-05-01"),
        (edit(0, "100,100,104", "110,100,104"), "sort low, value, high"),
        (edit(2, ",20,,", ",,,"), "lacks value, and low or high"),
        (edit(0, ",A,", ",E,"), "'E' is not allowed"),
        (edit(0, "2001-05-01,2001-05-01,2001-05-01", "2001-05-02,2001-05-01,2001-05-01"), "days out of order"),
        (edit(1, "b,war_b", "a,war_b"), "is another group than"),
        (edit(0, ",killed,", ",standing,"), "standing is no loss"),
        (edit(0, "100,100,104", "100,1e300,1e300"), "is no count of persons"),
        (edit(0, "2001-05-01,2001-05-01,2001-05-01", "0001-01-01,2001-05-01,2001-05-01"), "out of reach"),
        ({"truths": [*WARS["truths"], WARS["truths"][0].replace("2001-05-01,100", "2002-05-01,100")]}, "second truth"),
    ],
)
def test_a_breach_is_told_in_one_line(change, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        read_record(*write_record(tmp_path, **change))
    assert all("\n" not in str(fault) for fault in caught.value.faults)


def test_all_faults_are_listed_at_once(tmp_path):
    claims = [WARS["claims"][0].replace(",own,", ",friend,"), *WARS["claims"][1:]]
    truths = [*WARS["truths"], WARS["truths"][1]]
    with pytest.raises(InputError) as caught:
        read_record(*write_record(tmp_path, claims, truths))
    assert len(caught.value.faults) == 2


def test_the_shipped_record_is_the_one_that_the_default_priors_were_learned_from():
    record = read_record(TRACK / "claims.csv", TRACK / "truth.csv")
    assert (len(record.wars), sum(len(item.truths) for item in record.hindcasts)) == (87, 451)
    learned_from = read_priors("default").learned_from
    assert learned_from == {"path": "record", "sha256": record.sha256}
    texts = [(TRACK / name).read_bytes().decode() for name in ("claims.csv", "truth.csv", "sources.csv")]
    assert record.sha256 == hashlib.sha256("\n".join(texts).encode()).hexdigest()


def test_a_truth_in_a_table_of_truths_alone(tmp_path):
    _, path = write_record(tmp_path)
    assert [truth.case for truth in read_truths(path)] == ["a", "b", "c", "d"]


def test_what_differs_from_the_shared_table_says_so():
    if not SHARED.is_dir():
        pytest.skip("the shared table is not beside the project")
    ours = read_record(TRACK / "claims.csv", TRACK / "truth.csv")
    theirs = read_record(SHARED / "claims.csv", SHARED / "truth.csv")
    assert {item.case.name for item in ours.hindcasts} == {item.case.name for item in theirs.hindcasts}
    old = {claim.id: claim for item in theirs.hindcasts for claim in item.case.claims}
    for item in ours.hindcasts:
        for claim in item.case.claims:
            before = old[claim.id].model_copy(update={"row": claim.row, "note": claim.note})
            assert claim == before or "mended" in claim.note


def test_shares_of_known_numbers_and_ratios_are_read_and_one_of_two_forces_is_not_used(tmp_path):
    """A row of the table has the role towards one force alone."""
    claims, truths = write_record(tmp_path)
    head, *rows = claims.read_text(encoding="utf-8").splitlines()
    row = "b,{},w_press,,independent,z,{},cumulative,,2002-04-30,2002-05-01,about,,{},,,,,,,,,"
    more = [
        f"{row.format('b7', 'killed', '0.5')},share,1000",
        f"{row.format('b8', 'killed', '3')},ratio,Lightly Hurt",
        f"{row.format('b9', 'killed', '3')},ratio,y.killed",
    ]
    claims.write_text("\n".join([f"{head},unit,of", *(f"{row},," for row in rows), *more]) + "\n", encoding="utf-8")
    (case,) = (item.case for item in read_record(claims, truths).hindcasts if item.case.name == "b")
    assert case.file.forces["z"].outcomes == ("killed", "wounded", "lightly_hurt")
    by_id = {claim.id: claim for claim in case.claims}
    assert (by_id["b7"].central, by_id["b8"].topics[1]) == (500, ("z", "lightly_hurt"))
    assert weigh_claims(case).unused["b9"] == TWO_FORCES
