"""What `check` asks of days, totals, ends, lists, surrenders and names."""

from __future__ import annotations

import pytest
from examples import CASE, UNBOUNDED

from sim.case.check import MOST_SHOWN, Report, check_case
from sim.case.check.warning import Warning  # noqa: A004

OPEN = UNBOUNDED.replace("end = 2024-03-31\n", "").replace(
    'lulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]\n', ""
)


def ask(write, rows, toml=OPEN):
    """Return the questions about rows of force a, without those on sources and echoes."""
    report = check_case(str(write([{"force": "a", **row} for row in rows], toml)))
    kinds = ("part", "fall", "days", "end", "register", "size", "contradiction")
    return [f"{each.kind}: {each.where}: {each.text}" for each in report.warnings if each.kind in kinds]


DAY = {"measure": "interval", "since": "2024-02-09", "as_of": "2024-02-09"}
TOTAL = {"value": 200, "as_of": "2024-03-31", "qualifier": "exact"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"value": 200, "as_of": "2024-03-01"}, {"value": 40, "as_of": "2024-03-20"}], "fall: row 3 (c1): says 40"),
        ([{"value": 200, "as_of": "2024-03-01"}, {"value": 0, "as_of": "2024-03-20"}], "fall: row 3 (c1): says 0"),
        ([TOTAL, {"value": 300, **DAY}], "days: row 3 (c1): add up to 300, more than the 200"),
        ([TOTAL, {"value": 60, **DAY}], "days: row 3 (c1): 1 of 91 days with 60"),
        (
            [TOTAL, {"value": 4, "phrase": "4 at the village of Old", **DAY}],
            "part: row 3 (c1): its phrase names a village",
        ),
        (
            [{**TOTAL, "value": 9100}, {"value": 3, "source": "foe", **DAY}],
            "part: row 3 (c1): says 3 in a day, in which row 2 (c0) would have some 100",
        ),
        ([{"value": 20, "as_of": "2024-01-03", "published": "2024-01-03"}], "end: row 2 (c0): is read as of the day"),
    ],
)
def test_a_careful_reader_asks_once(rows, said, write):
    (found,) = ask(write, rows)
    assert found.startswith(said)


@pytest.mark.parametrize(
    "rows",
    [
        [{"value": 100, "as_of": "2024-02-01"}, {"value": 98, "as_of": "2024-02-20"}],  # rounded
        [{"value": 10, "as_of": "2024-01-02"}, {"value": 60, "as_of": "2024-01-03", "source": "foe"}],  # it grows
        [TOTAL, {"value": 4, **DAY}],
        [{**TOTAL, "value": 9100}, {"value": 3, "source": "foe", **DAY, "part": "Old"}],
        [{"value": 100, "as_of": "2024-02-01"}, {"value": 50, "as_of": "2024-02-20", "qualifier": "at_least"}],
    ],
)
def test_a_careful_reader_does_not_ask(rows, write):
    assert ask(write, rows) == []


def test_of_a_day_that_several_tell_of_the_least_is_added_up(write):
    """And spells that overlap are not added: 60 of these 200, whatever else was said of them."""
    rows = [TOTAL, {"value": 60, **DAY}, {"value": 300, "source": "foe", **DAY}]
    (found,) = [each for each in ask(write, rows) if each.startswith("days")]
    assert "1 of 91 days with 60" in found
    rows.append({"value": 190, "measure": "interval", "since": "2024-02-08", "as_of": "2024-02-09"})
    (found,) = [each for each in ask(write, rows) if each.startswith("days")]
    assert "2 of 91 days with 190" in found


def test_a_day_after_the_end_is_asked_about_where_a_row_says_it(write):
    """One that is the day of publication alone is read as of the end without a word."""
    toml = OPEN.replace("start = 2024-01-01\n", "start = 2024-01-01\nend = 2024-03-31\n")
    rows = [
        {"value": 20, "as_of": "2024-04-10", "published": "2024-04-20"},
        {"value": 21, "as_of": "2024-04-20", "published": "2024-04-20", "source": "foe"},
    ]
    (found,) = ask(write, rows, toml)
    assert found.startswith("end: row 2 (c0): speaks of 2024-04-10, after end (2024-03-31)")


def test_a_list_of_the_own_side_long_after_the_end_is_asked_about(write):
    rows = [{"value": 255, "published": "2025-03-01", "as_of": "2024-03-31", "qualifier": "exact"}]
    toml = OPEN.replace("start = 2024-01-01\n", "start = 2024-01-01\nend = 2024-03-31\n")
    (found,) = ask(write, rows, toml)
    assert found.startswith("register: row 2 (c0): is exact, by the own side, 335 days after the end")


def test_more_lost_than_were_sent_is_asked_about(write):
    rows = [{"force": "x", "value": 9_000, "as_of": "2024-03-31"}]
    (found,) = ask(write, rows, CASE)
    assert found.startswith("size: row 2 (c0): says 9000 of a force of which 5000 were sent")


def test_two_of_one_label_are_pointed_at(write):
    toml = OPEN.replace("[sources.own]", '[sources.own]\nlabel = "Army"').replace(
        "[sources.foe]", '[sources.foe]\nlabel = "Army"'
    )
    (found,) = [
        each for each in check_case(str(write([{"force": "a", "value": 20}], toml))).warnings if each.kind == "label"
    ]
    assert str(found) == "label: case.toml, sources: own, foe have one label, 'Army': name them apart"


@pytest.mark.parametrize(
    ("force", "is_asked"),
    [
        ('[forces.a]\nlabel = "People in the market"', True),
        ("[forces.gaza_civilians]", True),
        ('[forces.a]\nlabel = "Civilians of Gaza"\nvictims = "military"', False),
        ('[forces.a]\nlabel = "Passengers"\nvictims = "civilians"', False),
        ('[forces.a]\nlabel = "People\'s Army"', False),
    ],
)
def test_people_who_may_not_be_soldiers_are_asked_about(force, is_asked, write):
    toml = f'schema = 1\nstart = 2024-01-01\n{force}\noutcomes = ["killed"]\n[sources.own]\nrole = "own"\n'
    report = check_case(str(write([{"value": 20, "as_of": "2024-01-20"}], toml)))
    found = [str(each) for each in report.warnings if each.kind == "victims"]
    assert bool(found) == is_asked
    assert all('victims = "civilians"' in each for each in found)


def test_the_shipped_case_is_asked_nothing_that_it_answers():
    assert not [each for each in check_case("kursk").warnings if each.kind in ("fall", "days", "end", "size")]


def test_an_outcome_of_which_nobody_speaks_is_asked_about(write):
    """Nor one of a bounded force; nor any of a force without a claim."""

    def ask_outcomes(rows, toml):
        report = check_case(str(write(rows, toml)))
        return [f"{each.where}: {each.text}" for each in report.warnings if each.kind == "outcome"]

    tied, found = ask_outcomes([{"force": "a", "value": 200}], OPEN)
    assert tied.startswith("a.wounded: nobody speaks of it: its figure is what is usual")
    assert found.startswith("a.tanks: nobody speaks of it: its figure is the prior's")
    all_told = [{"force": "a", "value": 9, "quantity": quantity} for quantity in ("tanks", "killed", "wounded")]
    assert ask_outcomes(all_told, OPEN) == []
    assert ask_outcomes([{"value": 200}], CASE) == []


ONE_DAY = """
schema = 1
start = 2024-01-10
end = 2024-01-10
[forces.a]
outcomes = ["killed"]
[sources.own]
role = "own"
[sources.press]
role = "independent"
[sources.foe]
role = "adversary"
"""
FIRST = {"source": "press", "value": 60, "as_of": "2024-01-10", "published": "2024-01-10"}
LATER = {"source": "own", "value": 213, "as_of": "2024-01-10", "published": "2024-01-20", "qualifier": "exact"}


def hear(write, rows, kind, toml=ONE_DAY):
    """Return the questions of one kind about rows of force a."""
    report = check_case(str(write([{"force": "a", **row} for row in rows], toml)))
    return [f"{each.where}: {each.text}" for each in report.warnings if each.kind == kind]


@pytest.mark.parametrize("qualifier", ["", "at_least", "exact"])
def test_the_first_hours_number_of_a_source_that_never_spoke_again_is_asked_about(qualifier, write):
    (found,) = hear(write, [{**FIRST, "qualifier": qualifier}, LATER], "first hours")
    assert found.startswith("row 2 (c0): says 60 in the first hours, and its source nothing later; row 3 (c1) says 213")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({"value": "", "low": 100, "high": 300, "qualifier": "range"}, "100 to 300"),
        ({"value": 2_345_678}, "2345678"),
        ({"value": 213.5, "unit": "", "qualifier": "about"}, "213.5"),
    ],
)
def test_a_number_is_told_as_it_was_written(later, said, write):
    """A range by its ends, and millions with all their digits: what stands in the row can be found by it."""
    (found,) = hear(write, [FIRST, {**LATER, **later}], "first hours")
    assert f"row 3 (c1) says {said}: it draws" in found


@pytest.mark.parametrize(
    "rows",
    [
        [FIRST, LATER, {**FIRST, "value": 200, "published": "2024-01-15"}],  # it did speak again
        [{**FIRST, "value": 180}, LATER],  # near the later count
        [{**FIRST, "source": "foe"}, LATER],  # a first number of an adversary is seldom too low
        [{**FIRST, "published": "2024-01-14"}, LATER],
        [FIRST, {**LATER, "published": "2024-01-11"}],  # all of the first hours
    ],
)
def test_other_numbers_are_not_of_the_first_hours(rows, write):
    assert hear(write, rows, "first hours") == []


def test_a_long_war_has_no_first_hours(write):
    assert hear(write, [FIRST, LATER], "first hours", ONE_DAY.replace("end = 2024-01-10", "end = 2024-02-10")) == []


def test_a_place_above_the_whole_of_its_source_is_asked_about(write):
    part = {"value": 150, "as_of": "2024-02-01", "part": "peacekeepers", "quantity": "wounded"}
    whole = {"value": 52, "as_of": "2024-02-03", "quantity": "wounded"}
    (found,) = hear(write, [part, whole], "part", OPEN)
    assert found.startswith("row 2 (c0): says 150 of peacekeepers, and its source 52 of the whole in row 3 (c1)")
    assert hear(write, [part, {**whole, "value": 520}], "part", OPEN) == []
    assert hear(write, [part, {**whole, "source": "foe"}], "part", OPEN) == []


def test_more_missing_than_dead_are_asked_about(write):
    toml = ONE_DAY.replace('["killed"]', '["killed", "missing"]')
    dead = {**LATER, "value": 23}
    (found,) = hear(write, [dead, {**dead, "quantity": "missing", "value": 6670}], "missing", toml)
    assert found.startswith("row 3 (c1): says 6670 missing, more than the 23 killed of row 2 (c0)")
    assert hear(write, [dead, {**dead, "quantity": "missing", "value": 5}], "missing", toml) == []


def test_a_place_that_is_the_force_is_not_a_part(write):
    toml = ONE_DAY.replace("outcomes", 'label = "People in the hospital"\noutcomes')
    assert hear(write, [{**LATER, "phrase": "213 died in the hospital"}], "part", toml) == []


def test_the_same_small_number_is_no_echo(write):
    ships = {**LATER, "value": 3}
    assert hear(write, [ships, {**ships, "source": "press"}], "echo") == []
    assert len(hear(write, [LATER, {**LATER, "source": "press"}], "echo")) == 1
    parts = [{**LATER, "part": "north"}, {**LATER, "source": "press", "part": "south"}]
    assert hear(write, parts, "echo") == []


def test_what_a_person_has_checked_is_asked_no_more(write):
    rows = [FIRST, LATER]
    assert len(hear(write, rows, "first hours")) == 1
    assert (
        hear(write, [{**FIRST, "note": "checked: the press counted the burned bus alone"}, LATER], "first hours") == []
    )


def test_what_is_counted_is_no_year(write):
    """Of two thousand dead a phrase may say 2000; a year that nobody counts is asked about."""
    rows = [{"value": 2000, "phrase": "more than 2000 dead"}, {"value": 90, "phrase": "90 dead since 1999"}]
    report = check_case(str(write([{"force": "a", "as_of": "2024-03-01", **row} for row in rows], OPEN)))
    assert [each.where for each in report.warnings if each.kind == "date"] == ["row 3 (c1)"]


THINGS = {"quantity": "tanks", "value": 0.5, "unit": "share"}


def test_a_share_of_equipment_among_people_is_asked_about(write):
    """Those sent are people; of so many as there were it is a count, and asked about no more."""

    def ask_of_shares(**row):
        warnings = check_case(str(write([{"force": "a", **THINGS, **row}], OPEN))).warnings
        return [f"{each.where}: {each.text}" for each in warnings if each.kind == "share"]

    (found,) = ask_of_shares()
    assert found.startswith("row 2 (c0): is read as tanks for each person sent")
    assert "write that number into of" in found
    assert not ask_of_shares(of="300")
    assert not ask_of_shares(quantity="killed")
    assert not ask_of_shares(note="checked: one tank for two men")


def test_what_a_ratio_speaks_of_somebody_speaks_of(write):
    rows = [
        {"force": "a", "quantity": "tanks", "value": 40},
        {"force": "b", "value": 90, "source": "foe"},
        {"force": "a", "quantity": "casualties", "value": 3, "unit": "ratio", "of": "b.killed", "source": "foe"},
    ]
    warnings = check_case(str(write(rows, OPEN))).warnings
    assert "outcome" not in {each.kind for each in warnings}
    assert "outcome" in {each.kind for each in check_case(str(write(rows[:2], OPEN, name="less"))).warnings}


def test_of_many_warnings_of_a_kind_a_reader_is_shown_some_and_told_of_the_rest():
    """Sixty sources contradict each other in hundreds of pairs; other kinds are not hidden behind them."""
    many = [Warning("contradiction", f"row {n}", "says more") for n in range(MOST_SHOWN + 5)]
    few = [Warning("size", f"row {n}", "is more than were sent") for n in range(MOST_SHOWN)]
    lines = Report("case", 60, 60, (*many, *few)).list_lines()
    shown = [str(each) for each in many[:MOST_SHOWN]]
    assert lines == [*shown, "contradiction: 5 more of this kind; --json lists them", *map(str, few)]
