"""Columns of a table: no word is broken, and the most room goes to what is longest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.report.memo.blocks import Table
from sim.report.memo.widths import count_lines, fit_size, loosen, share_width

LONG = "recalled in an article of April, only the month is told: as of its middle, published by its end " * 3


@pytest.mark.parametrize("room", [4.0, 6.5])
def test_long_columns_take_as_many_lines_as_each_other(room):
    table = Table("", ("Said", "Wording", "Report"), (("600 killed", LONG, LONG[:150]),) * 4, "lll")
    short, long, other = share_width(table, room, 8)
    assert short + long + other == pytest.approx(room)
    assert short == pytest.approx(0.8, abs=0.1)  # its text on a line, not a third of the page
    assert len(LONG) / long == pytest.approx(150 / other, rel=0.15)


def test_a_table_that_has_room_is_not_wrapped():
    table = Table("", ("Count", "Median"), (("killed", "620"),), "lr")
    widths = share_width(table, 6.5, 8)
    assert sum(widths) == pytest.approx(6.5)
    assert widths[0] == pytest.approx(widths[1], rel=0.3)


def test_the_name_of_a_file_may_part_and_a_word_may_not():
    assert loosen("no word here - but ukraine-2025-01 in a/b_c") == (
        "no word here - but ukraine-\u200b2025-\u200b01 in a/\u200bb_\u200bc"
    )


def test_heads_are_wrapped_before_what_stands_under_them():
    reports = tuple(
        (f"National Intelligence Service {number}, once more", "13% narrower", "0.14") for number in range(5)
    )
    table = Table("", ("Report", "90% interval", "Gain of the logarithmic score"), reports, "lrr")
    widths = share_width(table, 5.5, 9)
    assert count_lines(table, widths, 9)[1:] == [1] * 5


def test_numbers_are_not_wrapped_beside_long_text():
    numbers = "10,000,000 to 19,000,000"
    table = Table("", ("Claim", "Interval"), ((LONG, numbers),) * 3, "lr")
    widths = share_width(table, 4.0, 9)
    assert count_lines(replace(table, header=("", "Interval"), rows=(("", numbers),)), widths, 9)[1] == 1


def test_a_column_that_says_nothing_is_left_out():
    table = Table("", ("Source", "Wording", "Said"), (("a", "", "100"), ("b", "", "")), "llr")
    assert table.drop_empty() == Table("", ("Source", "Said"), (("a", "100"), ("b", "")), "lr")


def test_what_groups_rows_is_shown_once():
    rows = (("a", "1"), ("a", "2"), ("b", "2"), ("a", "3"))
    table = Table("", ("Source", "Said"), rows, "lr", grouped=True)
    assert [row[0] for row in table.show_rows()] == ["a", "", "b", "a"]
    assert [row[0] for row in replace(table, grouped=False).show_rows()] == ["a", "a", "b", "a"]


def test_a_date_and_a_short_text_stay_on_their_line_beside_a_long_name():
    date, said = "10\u00a0May\u00a02024", "about 1,632 killed"
    names = tuple(
        (f"The Ministry of Defence, Department for Information, Bureau {number}", said, date) for number in range(9)
    )
    table = Table("", ("Source", "Said", "As of"), names, "lll")
    _, short, day = share_width(table, 4.5, 8)
    assert day > 8 * 0.64 / 72 * len(date)  # in DejaVu Sans, the widest of what may stand in for another
    assert count_lines(replace(table, header=("", "Said", "")), [4.5, short, 4.5], 8)[1:] == [1] * 9


@pytest.mark.parametrize("room", [4.2, 4.8, 6.5])
def test_letters_are_small_enough_that_no_word_is_broken(room):
    head = ("Source", "Role", "Speaks of", "Bias", "90% interval", "Share")
    table = Table("", head, (("Institute", "independent", "casualties", "1.1", "0.53 to 1.8", "49%"),), "lllrrr")
    size = fit_size(table, room, 9, 6)
    widths = share_width(table, room, size)
    for cell, width in zip(table.rows[0], widths, strict=True):
        assert 0.65 * size / 72 * max(map(len, cell.split())) <= width
    assert fit_size(table, 6.5, 9, 6) == 9
    assert fit_size(table, 1.0, 9, 6) == 6
