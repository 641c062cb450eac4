"""What a stranger repeats many times takes time with its length, not with the square of it, and no power of it."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from contextlib import suppress

import pytest
from doors import list_doors_of_articles, list_doors_of_tables
from fuzzing import try_input
from sheets import make_xlsx

import sim
from sim.errors import InputError
from sim.system.sheets.workbooks import read_sheets

HEADER = "source,quantity,published,value"
ARTICLES = {
    "comments without an end": "<!---->" * 27 + "x",
    "short lines that are one paragraph": "a\n" * 250_000,
    "a word of hyphens": "A-" * 20_000,
    "words of capitals": f"{'A' * 4_990}. " * 100,
}


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_takes_time_with_its_length(name, tmp_path):
    door = list_doors_of_articles()["page" if name.startswith("comments") else "text"]
    content = ARTICLES[name]
    try_input(door, content.encode(), tmp_path)


CELLS = {
    "digits for a number": ("separated", "value", "9" * 20_000 + "!"),
    "digits for a loss": ("table", "Dead", "9" * 20_000 + "!"),
    "footnotes that do not end": ("table", "Dead", "(est" * 10_000),
    "words for a day": ("table", "Day", "a " * 6_000),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_takes_time_with_its_length(name, tmp_path):
    kind, column, cell = CELLS[name]
    door = list_doors_of_tables()[kind]
    door.lay(tmp_path)
    text = (tmp_path / door.file).read_text(encoding="cp1252" if kind == "separated" else "utf-8")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    rows[1][rows[0].index(column)] = cell
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    assert try_input(door, out.getvalue().encode(), tmp_path) in (0, 3)


def test_a_workbook_is_looked_through_where_time_is_limited():
    """What looks for patterns in its parts can be led to look for days."""
    book = io.BytesIO(make_xlsx([HEADER.split(",")]))
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr("xl/more.xml", b"<c " + b'r="A1" ' * 15_000)
        archive.writestr("xl/others.xml", b"<c " * 20_000 + b"<f " * 20_000)
    started = time.process_time()
    assert read_sheets(book.getvalue(), "claims.xlsx")[0].rows
    assert time.process_time() - started < 0.5  # of this process


def test_a_key_that_is_there_twice_is_told(kursk_folder, tmp_path):
    """Of two values others may read the other one, and what was made again would be held against one alone."""
    from sim.runs.folder import read_result

    text = (kursk_folder / "summary.json").read_text(encoding="utf-8")
    median = json.loads(text)["estimates"][0]["median"]
    (tmp_path / "summary.json").write_text(text.replace('"median": ', f'"median": {median + 1}, "median": ', 1))
    with pytest.raises(InputError, match="'median' is there twice"):
        read_result(tmp_path)


def test_no_shift_of_a_count_is_infinite(kursk_folder, tmp_path):
    """A stranger's standard deviation may be as good as nothing."""
    from sim.runs.compare import compare_runs

    found = json.loads((kursk_folder / "summary.json").read_text(encoding="utf-8"))
    (tmp_path / "summary.json").write_text(json.dumps(found), encoding="utf-8")
    for entry in found["estimates"]:
        entry |= {"log_sd": 1e-320, "mcse_median": 1e-300}
    (tmp_path / "was").mkdir()
    found["estimates"][0]["median"] += 100
    (tmp_path / "was" / "summary.json").write_text(json.dumps(found), encoding="utf-8")
    assert all(abs(shift.shift_sd) < 1e100 for shift in compare_runs(tmp_path / "was", tmp_path).headlines)


ROW = {"source": "m", "quantity": "killed", "published": "2024-05-20", "value": 60}


def test_no_value_from_python_is_another_error(tmp_path):
    """What cannot be compared, hashed, shown or be a path is refused as any input is."""
    import numpy as np
    import pandas as pd

    frame = sim.Case.from_frame
    odd = (pd.NA, np.array([1, 2]), np.array([]), pd.Series([1, 2]), 10**400, [[]], {"a": 1}, "\ud800", "../x")
    for value in odd:
        for column in ("source", "value", "note", "published"):
            _hold(lambda v=value, c=column: frame([{**ROW, c: v}], forces="north", sources={"m": "own"}))
        _hold(lambda v=value: frame([ROW], forces="north", sources={"m": "own"}, dates=v))
        _hold(lambda v=value: frame([ROW], forces=[v], sources={"m": "own"}))
        _hold(lambda v=value: sim.read_case("kursk", dates=v))
        _hold(lambda v=value: sim.run("kursk", sampler=v), must=True)
        _hold(lambda v=value: sim.backtest(tmp_path / "x", tmp_path / "y", prior=v), must=True)
    for name in ("../x", "a/b", "", "..", 5, None, "a\0", "x" * 5_000):
        _hold(lambda v=name: frame([ROW], forces="north", sources={"m": "own"}, name=v), must=True)
    for path in (tmp_path / "a\0b", tmp_path / ("x" * 5_000)):
        _hold(lambda v=path: sim.read_case(v), must=True)


def _hold(call, *, must=False):
    """Call something that may refuse what it is given, in its own way alone."""
    with pytest.raises(InputError) if must else suppress(InputError):
        call()


def test_what_of_a_finished_run_is_asked_by_no_name_is_refused(kursk_run):
    for value in ([], {}, None, 5):
        with pytest.raises(InputError):
            kursk_run.figure(value)
        with pytest.raises(InputError):
            kursk_run.memo(value)
        with pytest.raises(InputError):
            kursk_run.memo("md", words=value)
