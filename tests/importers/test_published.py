"""Tables as projects publish them are guessed: minima and maxima, tags, months, lists copied from a page."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sim.case.folder import read_case
from sim.cli.app import app
from sim.importers import import_any
from sim.importers.counts import show_decimal

AIRWARS = """Unique Reference Code,Incident date,Location,Civilians reported killed min,Civilians reported killed max,\
Civilians reported injured min,Civilians reported injured max,Children reported killed min
C1,2017-03-17,Here,105,141,1,14,30
C2,2017-03-20,There,40,150,0,5,1
"""
TAGGED = """Fecha,Gobernacion,Muertos,Heridos,Fuente
#date,#adm1+name,#affected+killed,#affected+injured,#meta+source
2023-10-31,Here,8525,21543,Ministry
2023-11-30,Here,15000,36000,Office
"""
MONTHLY = """Country,Month,Year,Events,Fatalities
#country+name,#date+month,#date+year,#affected+events,#affected+killed
Sudan,April,2024,32,75
Sudan,5,2024,28,61
"""
COPIED = """Losses of the war

Northland - 2,908, of which: destroyed: 1,875, damaged: 118, abandoned: 120, captured: 795

Tanks (2,018, of which destroyed: 1,285, damaged: 108, abandoned: 90, captured: 535)
2 T-62M: (1, destroyed) (2, captured)
Armoured Fighting Vehicles (890, of which destroyed: 590, damaged: 10, abandoned: 30, captured: 260)
"""


def bring(folder, text, day=()):
    """Import a table by a guess; return its claims."""
    file = folder / "table.csv"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "table", str(file), str(folder / "case"), "--guess", *day])
    assert done.exit_code == 0, done.stderr
    return read_case(folder / "case").claims


def test_events_with_a_least_and_a_most_add_up(tmp_path):
    """Each counts by the middle; children are a part of the civilians, and in no row; the map is read again."""
    claims = bring(tmp_path, AIRWARS)
    assert [(claim.quantity, claim.qualifier, claim.value) for claim in claims] == [
        ("killed", "counted", 218),
        ("wounded", "counted", 10),
    ]
    assert all(claim.log_sd for claim in claims)
    again = import_any(tmp_path / "table.csv", tmp_path / "again", str(tmp_path / "case" / "map.toml"))
    assert read_case(again).claims == claims


def test_tags_say_what_a_foreign_header_means_and_are_no_row(tmp_path):
    claims = bring(tmp_path, TAGGED)
    assert [(claim.source, claim.quantity, claim.value) for claim in claims] == [
        ("ministry", "killed", 8525), ("ministry", "wounded", 21543), ("office", "killed", 15000),
        ("office", "wounded", 36000),
    ]  # fmt: skip


def test_counts_by_month_are_intervals(tmp_path):
    claims = bring(tmp_path, MONTHLY)
    assert [(claim.measure, str(claim.since), str(claim.as_of), claim.value) for claim in claims] == [
        ("interval", "2024-04-01", "2024-04-30", 75),
        ("interval", "2024-05-01", "2024-05-31", 61),
    ]


def test_running_totals_are_not_added_up(tmp_path):
    text = (
        "date_of_event,cas_killed_cum,killed_children_cum,source\n2023-11-01,8805,3648,MoH\n2023-11-02,9061,3760,MoH\n"
    )
    assert [(claim.measure, claim.value) for claim in bring(tmp_path, text)] == [
        ("cumulative", 8805),
        ("cumulative", 9061),
    ]


def test_a_list_copied_from_a_page_is_read_by_its_heads(tmp_path):
    claims = bring(tmp_path, COPIED, ["--as-of", "2024-05-01"])
    assert [(claim.source, claim.force, claim.quantity, claim.value) for claim in claims] == [
        ("oryx", "northland", "tanks", 2018),
        ("oryx", "northland", "armoured_vehicles", 890),
    ]


def test_the_day_of_publication_is_a_day(tmp_path):
    claims = bring(tmp_path, "source,quantity,published,value\nA,killed,2024-05-05,12\n")
    assert [str(claim.as_of) for claim in claims] == ["2024-05-05"]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["5,937", "~50,000", "15,500–17,500"], "."),
        (["5.937", "50.000", "1.234.567"], ","),
        (["5,937", "50,000"], None),
        (["5,937", "50,000", "1.234"], None),
        (["5,937", "50,000", "1,23", "7,000"], None),
        (["0.5", "0.25", "1.5"], None),
    ],
)
def test_three_numbers_parted_alike_are_of_thousands(cells, mark):
    assert show_decimal(cells) == mark


@pytest.mark.parametrize("months", [("2014-03", "2022-02"), ("03/2014", "02/2022"), ("2014/3", "2022/2")])
def test_months_of_a_column_are_intervals_of_a_month(months, tmp_path):
    text = "year_month,events,total_deaths,civilian_deaths\n{},1,2,0\n{},262,23397,10952\n".format(*months)
    (tmp_path / "monthly.csv").write_text(text, encoding="utf-8")
    case = read_case(import_any(tmp_path / "monthly.csv", tmp_path / "case", None))
    told = [(claim.measure, str(claim.since), str(claim.as_of), claim.value) for claim in case.claims]
    assert told == [
        ("interval", "2014-03-01", "2014-03-31", 2),
        ("interval", "2022-02-01", "2022-02-28", 23397),
    ]
