"""Events of UCDP's table become one claim, a count by the last day, which adds up to the table."""

from __future__ import annotations

import datetime as dt
import zipfile

import numpy as np
import pytest

from sim.case.check import check_case
from sim.case.folder import read_case
from sim.errors import InputError
from sim.importers import import_any, import_table, read_table
from sim.importers.ucdp_order import ORDER

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


def lay_events(folder, order, count=60, seed=3, slips=0):
    """Write events without a header, their columns in an order, and return the sums of best, high and low."""
    random = np.random.default_rng(seed)
    lines, sums = [], np.zeros(3)
    for number in range(count):
        parts = random.poisson((2, 1, 0.5, 0.2))
        best = int(parts.sum())
        high, low = best + int(random.poisson(1)), max(best - int(random.poisson(1)), 0)
        high, best = (best, high) if number < slips else (high, best)
        day = dt.date(2019, 1, 1) + dt.timedelta(days=int(random.integers(300)))
        cells = {
            "id": str(1000 + number), "relid": f"KEN-2019-{number}", "year": "2019", "type_of_violence": "3",
            "conflict_name": "Here", "source_article": f"Reuters, {day}, dead", "source_date": str(day),
            "where_prec": "2", "latitude": "4.05", "longitude": "41.2", "priogrid_gid": "135083", "country_id": "501",
            "date_prec": "1", "date_start": f"{day} 00:00:00.000", "date_end": f"{day} 00:00:00.000",
            **dict(zip(("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown"), map(str, parts), strict=True)),
            "best": str(best), "high": str(high), "low": str(low), "gwnoa": "501", "gwnob": "",
        }  # fmt: skip
        sums += best, max(high, best), min(low, best, high)
        lines.append(",".join(f'"{cells.get(name, "")}"' for name in order))
    file = folder / "ged.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file, sums


DEATHS = ("date_start", "date_end", "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
ORDERS = {
    "the whole dataset": ORDER,
    "low before high": (*ORDER[:44], "best", "low", "high", *ORDER[47:]),
    "without codes": ("id", "year", "conflict_name", "latitude", "longitude", *DEATHS, "best", "high", "low"),
    "version 17": ("id", "relid", "year", "type_of_violence", "conflict_name", "source_article", "source_date",
                   "country_id", "date_prec", *DEATHS, "low", "best", "high", "gwnoa", "gwnob"),
    "from the days on": (*DEATHS, "high", "best", "low"),
}  # fmt: skip


@pytest.mark.parametrize("slips", [0, 1])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_events_without_a_header_are_read_by_what_the_columns_hold(order, slips, tmp_path):
    """Best is the sum of the deaths by side, whatever else stands around it, and one event of 60 has a slip."""
    file, (best, high, low) = lay_events(tmp_path, order, slips=slips)
    imported = read_table("ucdp", file)
    (claim,) = imported.claims
    assert claim.value == best
    assert claim.log_sd == pytest.approx(np.log(high / low) / (2 * 1.28155), rel=1e-3)
    assert any("without a header" in line for line in imported.remarks)


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (("id", "year", *DEATHS[:4], "best", "high", "low"), "has no header, and no columns of days with deaths"),
        (("id", "date_start", "best", "high", "low"), "has no header, and no columns of days with deaths"),
        ((*DEATHS, "best", "high", "low", *DEATHS, "high", "low", "best"), "can be read in 2 ways"),
    ],
)
def test_columns_that_cannot_be_told_are_refused_in_one_line(order, problem, tmp_path):
    with pytest.raises(InputError, match=problem) as caught:
        read_table("ucdp", lay_events(tmp_path, order)[0])
    assert "put the header of its release above the rows" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("beside", ["readme.txt", "__MACOSX/._ged.csv", "codebook/ged.pdf"])
def test_a_zip_may_hold_more_than_its_table(beside, tmp_path):
    table = write_events(tmp_path, *make_rows((0, 3))).read_bytes()
    file = tmp_path / "ged.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/GEDEvent_v24_1.csv", table)
        archive.writestr(beside, b"what stands beside it")
    assert read_table("ucdp", file).claims[0].value == 21
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("other.csv", table)
    with pytest.raises(InputError, match=r"holds 2 tables: folder/GEDEvent_v24_1\.csv, other\.csv; unpack it"):
        read_table("ucdp", file)


@pytest.mark.parametrize(
    "names",
    [
        "date_start,date_end,best,high,low", "DateStart,DateEnd,Best,High,Low",
        "date.start,date.end,best.est,high.est,low.est",
        "Date Start,Date End,Best Est,High Est,Low Est", "DATE_START,DATE_END,BEST_EST,HIGH_EST,LOW_EST",
        "event_date_start,event_date_end,best_estimate,high_estimate,low_estimate",
    ],
)  # fmt: skip
@pytest.mark.parametrize("separator", [",", ";"])
def test_columns_are_known_in_whatever_capitals_and_marks(names, separator, tmp_path):
    file = tmp_path / "ged.csv"
    lines = [f"id,{names}", "1,2020-01-05,2020-01-06,5,8,3", "2,2020-02-05,2020-02-06,2,2,1"]
    file.write_text("\n".join(lines).replace(",", separator) + "\n", encoding="utf-8")
    (claim,) = read_table("ucdp", file).claims
    assert (claim.value, claim.as_of) == (7, dt.date(2020, 2, 6))
    case = import_any(file, tmp_path / "case", None)
    assert (case / "map.toml").read_text().startswith("# The map ucdp")
