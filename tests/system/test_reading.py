"""What is read of a user's files: keys are looked at as values are."""

from __future__ import annotations

import json

import pytest

from sim.errors import InputError, quote_value
from sim.system.reading import MAX_ROWS, read_json, read_toml
from sim.system.sheets.grids import split_grid


@pytest.mark.parametrize("content", [{"a\x1b[2J": 1}, {"a": [{"\x9b31m": 1}]}, {"a": {"b": "\x07"}}, ["\x00"]])
def test_what_steers_a_terminal_is_refused_in_keys_and_in_values(content, tmp_path):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="holds the control character") as caught:
        read_json(path)
    assert str(caught.value).isprintable()


def test_keys_of_toml_too(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text('[forces."x\\u001b[2J"]\nlabel = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match="holds the control character") as caught:
        read_toml(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("über", "'über'"),
        ("전쟁", "'전쟁'"),
        ("a\\b", "'a\\\\b'"),
        ("a\nb\x1b", "'a\\nb\\x1b'"),
        ("x\u202e", "'x\\u202e'"),
    ],
)
def test_a_message_shows_letters_of_any_script_and_nothing_that_steers(value, shown):
    assert quote_value(value) == shown


def test_what_steers_a_terminal_is_refused_in_every_cell_of_a_table():
    """Of a column too that nobody reads."""
    with pytest.raises(InputError, match=r"t.csv, line 2: holds the control character '\\x1b'"):
        split_grid("day,remark\n2025-01-01,a\x1b[2Jb\n", "t.csv")


def test_a_table_may_have_so_many_rows_and_no_more():
    text = "day\n" + "2025-01-01\n" * MAX_ROWS
    assert len(split_grid(text, "t.csv").rows) == MAX_ROWS
    with pytest.raises(InputError, match=rf"row {MAX_ROWS + 2}: is beyond {MAX_ROWS} rows; split the table"):
        split_grid(f"{text}2025-01-01\n", "t.csv")
