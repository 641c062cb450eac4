"""The published table of Radford et al. 2023 as a case: rows, duplicates, slips; it stands beside the project."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from sim.case.check import check_case
from sim.case.folder import read_case
from sim.importers import import_table, read_table
from sim.importers.radford import (
    CATEGORIES,
    NOT_OF_A_DAY,
    SLIPS,
    START,
    TOO_HIGH,
    TOO_LOW,
)

SHARED = Path(__file__).parents[3] / "shared" / "data" / "radford" / "replication-data-pnas.csv"


@pytest.fixture(scope="module")
def table():
    """Return the rows of the real table as its own text."""
    if not SHARED.is_file():
        pytest.skip("the table is not beside the project (../shared/data/radford/replication-data-pnas.csv)")
    with SHARED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def case(table, tmp_path_factory):
    """Return the case of the real table, written and read back."""
    assert table
    return read_case(import_table("radford", SHARED, tmp_path_factory.mktemp("radford") / "case"))


def test_every_row_of_the_real_table_is_a_claim_with_its_number(table, case):
    assert len(table) == len(case.claims) == 4609
    for row, claim in zip(table, case.claims, strict=True):
        assert claim.value == float(row["loss_count"])
        assert claim.as_of == claim.published == START + dt.timedelta(days=int(row["days"]) - 1)
        assert claim.measure == {"Cumulative": "cumulative", "Day": "interval"}[row["time_frame"]]
        assert claim.speaker == row["claim_source"]
        assert claim.quantity == CATEGORIES[row["category"]]


def test_the_columns_that_are_not_read_say_nothing_else(table):
    for row in table:
        assert row["loss_type"] == f"{row['category']}-{row['loss_country']}"
        assert row["source_target"] == f"{row['claim_source']}-{row['loss_country']}"


def test_the_counts_of_the_real_table(case):
    claims = case.claims
    assert Counter(claim.measure for claim in claims) == {"cumulative": 4447, "interval": 162}
    assert Counter(claim.qualifier for claim in claims) == {"about": 4385, "at_least": 173, "at_most": 51}
    assert Counter(claim.source for claim in claims) == {
        "ua": 3858, "ru": 247, "osi": 169, "other": 154, "un": 78, "us": 71, "gb": 32,
    }  # fmt: skip
    assert Counter(claim.force for claim in claims) == {"russia": 4161, "ukraine": 355, "ukraine_civilians": 93}
    days = {claim.as_of for claim in claims}
    assert (len(days), min(days), max(days)) == (342, dt.date(2022, 2, 24), dt.date(2023, 2, 23))
    assert {key: len(force.outcomes) for key, force in case.forces.items()} == {
        "russia": 12, "ukraine": 11, "ukraine_civilians": 2,
    }  # fmt: skip


def test_the_numbers_in_scientific_notation(case, table):
    """No number of the table is a plain 100000 or 200000: R wrote every one of them so."""
    notes = Counter(claim.note for claim in case.claims if claim.note)
    assert notes == {"the table writes 1e+05": 18, "the table writes 2e+05": 9}
    assert {claim.value for claim in case.claims if claim.note} == {100_000, 200_000}
    assert not any(row["loss_count"] in ("100000", "200000") for row in table)
    assert all(claim.digits is None for claim in case.claims)


def test_the_duplicates_and_slips_of_the_real_table(case):
    """252 rows repeat another; each names a row that is itself no repeat and says the same."""
    by_id = {claim.id: claim for claim in case.claims}
    repeats = [claim for claim in case.claims if claim.exclude.startswith("exact duplicate of ")]
    assert len(repeats) == 252
    for claim in repeats:
        first = by_id[claim.exclude.removeprefix("exact duplicate of ")]
        assert not first.exclude.startswith("exact")
        same = {"id", "report", "row", "exclude"}
        assert claim.model_dump(exclude=same) == first.model_dump(exclude=same)
    slips = Counter(claim.exclude for claim in case.claims if claim.exclude.startswith("slip"))
    assert slips == {TOO_LOW: 14, TOO_HIGH: 7, NOT_OF_A_DAY: 3, **Counter(SLIPS.values())}
    assert sum(not claim.exclude for claim in case.claims) == 4609 - 252 - 40


def test_the_known_slips_are_what_their_reasons_say(table):
    """The counts of day 87 fit 21 September and no day near; the others are said of another thing on the same day."""

    def list_counts(day, source, country, category):
        return {
            int(float(row["loss_count"]))
            for row in table
            if (row["claim_source"], row["loss_country"], row["category"]) == (source, country, category)
            and row["days"] == str(day)
            and (row["time_frame"], row["minimum"], row["maximum"]) == ("Cumulative", "0", "0")
        }

    for (source, country, category, day, count), reason in SLIPS.items():
        assert count in list_counts(day, source, country, category), category
        if "21 September" in reason:
            assert max(list_counts(209, source, country, category)) <= count
            assert count <= max(list_counts(215, source, country, category)), category
        elif "other side" in reason:
            other = {"Russia": "Ukraine", "Ukraine": "Russia"}[country]
            assert count in list_counts(day, source, other, category)
        else:
            assert any(count in list_counts(day, source, country, other) for other in set(CATEGORIES) - {category})


def test_the_case_of_the_real_table_passes_check(case):
    report = check_case(f"{case.folder}/")
    assert (report.claims, report.used) == (4609, 4317)
    assert {warning.kind for warning in report.warnings} <= {"excluded", "echo", "contradiction", "fall", "days"}
    places = [warning.where for warning in report.warnings if warning.kind == "excluded"]
    told = [int(place.split()[0]) if " rows, the first " in place else 1 for place in places]
    assert (sum(told), len(told)) == (292, 12)


def test_the_case_of_the_real_table_reads_back_as_it_was_made(case):
    imported = read_table("radford", SHARED)
    assert imported.left_out == ()
    assert case.file == imported.case
    assert case.claims == tuple(claim.model_copy(update={"row": at + 2}) for at, claim in enumerate(imported.claims))
    assert case.file.totals == {
        "tanks_and_armoured_vehicles": ("tanks", "armoured_vehicles"),
        "aircraft": ("jets", "helicopters"),
    }
