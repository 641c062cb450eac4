"""Events of UCDP's table become one claim, a count by the last day, which adds up to the table."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from sim.case.check import check_case
from sim.case.folder import read_case
from sim.errors import InputError
from sim.importers import import_table, read_table

HEADER = "id,conflict_name,date_start,date_end,deaths_a,deaths_b,best,high,low"


def write_events(folder, *rows):
    file = folder / "ged.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return file


def make_rows(days):
    return [
        f"{n},Here,{dt.date(2020, 1, 5) + dt.timedelta(days=day)} 00:00:00.000,"
        f"{dt.date(2020, 1, 5) + dt.timedelta(days=day)} 00:00:00.000,1,2,{10 + n},{20 + n},{5 + n}"
        for n, day in enumerate(days)
    ]


@pytest.mark.parametrize("days", [(0,), (0, 3, 6, 7, 90), (0, 10, 30, 31, 3_000)])
def test_the_events_are_one_count_by_their_last_day(days, tmp_path):
    """Low, best and high are sums over events; months between them without an event add nothing."""
    folder = import_table("ucdp", write_events(tmp_path, *make_rows(days)), tmp_path / "case")
    case = read_case(folder)
    (claim,) = case.claims
    start = dt.date(2020, 1, 5)
    assert (claim.measure, claim.qualifier, case.start) == ("cumulative", "counted", start)
    assert claim.as_of == case.end == start + dt.timedelta(days=days[-1])
    count = len(days)
    assert claim.value == sum(10 + n for n in range(count))
    low, high = sum(5 + n for n in range(count)), sum(20 + n for n in range(count))
    assert claim.log_sd == pytest.approx(np.log(high / low) / (2 * 1.28155), rel=1e-3)
    assert not [warning for warning in check_case(f"{folder}/").warnings if warning.kind == "contradiction"]


def test_a_low_end_of_zero_is_read_as_one_half(tmp_path):
    """As that of a range is: of a log there must be something."""
    (claim,) = read_table("ucdp", write_events(tmp_path, "1,Here,2020-01-09,2020-01-09,0,0,4,8,0")).claims
    assert claim.log_sd == pytest.approx(np.log(8 / 0.5) / (2 * 1.28155), rel=1e-3)


def test_events_that_cannot_be_used_are_told(tmp_path):
    rows = [*make_rows((0, 1)), "8,Here,2020-01-09,2020-01-08,0,0,9,9,1", "9,Here,,,0,0,1,1,1"]
    imported = read_table("ucdp", write_events(tmp_path, *rows))
    assert imported.left_out == (
        "1 event left out, which count 1: a day cannot be read (row 5)",
        "1 event left out, which count 9: ends before it began (row 4)",
    )
    with pytest.raises(InputError, match="no event"):
        read_table("ucdp", write_events(tmp_path, rows[-1]))


def test_a_table_without_deaths_is_bounded_by_their_high_end(tmp_path):
    imported = read_table("ucdp", write_events(tmp_path, "1,Here,2020-01-05,2020-01-05,0,0,0,3,0"))
    assert (imported.claims[0].qualifier, imported.claims[0].value) == ("at_most", 3)
