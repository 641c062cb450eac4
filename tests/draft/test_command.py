"""`truetoll draft`: rows to standard output, into a case, and the walk through them, which loses nothing."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from sim.case.folder import read_case
from sim.cli.app import app
from sim.draft.drafts import EXCLUDE
from sim.draft.reviewing import review_drafts

ARTICLE = """Shelling kills soldiers

March 12, 2031

The Ardanian defence ministry said that 14 soldiers were killed and 35 wounded on Tuesday.

Western officials put the number of dead at between 2,000 and 2,500 since the war began.
"""


@pytest.fixture
def article(tmp_path):
    file = tmp_path / "article.txt"
    file.write_text(ARTICLE, encoding="utf-8")
    return file


def call(*arguments, stdin=None):
    done = CliRunner().invoke(app, ["draft", *map(str, arguments)], input=stdin)
    return done.exit_code, done.stdout, done.stderr


def read_rows(folder):
    return list(csv.DictReader(io.StringIO((folder / "claims.csv").read_text(encoding="utf-8"))))


def answer(folder, *lines):
    """Walk through the rows of a case with these answers; return the counts and what was shown."""
    told = []
    lines = iter(lines)
    counts = review_drafts(folder, lambda: next(lines, None), lambda line, _: told.append(line))
    return counts, told


def test_rows_are_shown_as_csv_and_as_json(article):
    status, out, _ = call(article)
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["quantity"] for row in rows] == ["killed", "wounded", "killed"]
    assert {row["exclude"] for row in rows} == {EXCLUDE}
    status, out, _ = call("-", "--json", stdin=ARTICLE)
    told = json.loads(out)["rows"]
    assert [row["id"] for row in told] == [row["id"] for row in rows]
    start, end = told[0]["marks"][0]
    assert told[0]["text"][start:end] == told[0]["phrase"] == rows[0]["phrase"]


def test_a_case_is_made_whose_rows_are_all_excluded(article, tmp_path):
    status, _, err = call(article, "--into", tmp_path / "case")
    assert status == 0, err
    case = read_case(tmp_path / "case")
    assert len(case.claims) == 3
    assert all(claim.exclude == EXCLUDE for claim in case.claims)
    assert all(len(source.role) == 5 for source in case.sources.values())


def test_rows_are_added_once_to_a_case_that_is_there(article, tmp_path):
    folder = tmp_path / "case"
    CliRunner().invoke(app, ["new", str(folder)])
    before = read_rows(folder)
    for added in (3, 0):
        status, _, err = call(article, "--into", folder)
        assert status == 0, err
        assert f"{added} rows entered" in err
    rows = read_rows(folder)
    assert [{name: row[name] for name in before[0]} for row in rows[: len(before)]] == before
    assert len(rows) == len(before) + 3
    assert "ardanian_defence_ministry" in read_case(folder).sources


def test_a_source_of_the_case_is_known_by_its_label(article, tmp_path):
    folder = tmp_path / "case"
    call(article, "--into", folder)
    text = (folder / "case.toml").read_text(encoding="utf-8").replace("[sources.western_officials]", "[sources.west]")
    rows = (folder / "claims.csv").read_text(encoding="utf-8").replace("western_officials", "west")
    (folder / "case.toml").write_text(text, encoding="utf-8")
    (folder / "claims.csv").write_text(rows.splitlines()[0] + "\n", encoding="utf-8")
    (folder / "draft.json").unlink()
    call(article, "--into", folder)
    assert [row["source"] for row in read_rows(folder)][-1] == "west"


def test_a_review_keeps_mends_drops_and_goes_on_where_it_stopped(article, tmp_path):
    folder = tmp_path / "case"
    call(article, "--into", folder)
    counts, told = answer(folder, "m value=15", "k", "q")
    assert counts == (1, 0, 2)
    assert "The Ardanian defence ministry said that 14 soldiers were killed and 35 wounded on Tuesday." in told
    first = read_rows(folder)[0]
    assert (first["value"], first["exclude"]) == ("15", "")
    counts, _ = answer(folder, "d of another war", "n")
    assert counts == (0, 1, 1)
    assert [row["exclude"] for row in read_rows(folder)] == ["", "of another war", EXCLUDE]
    call(article, "--into", folder)
    assert len(read_rows(folder)) == 3


@pytest.mark.parametrize("line", ["m source=nobody", "m value=many", "m colour=red", "m published=yesterday", "m"])
def test_what_cannot_stand_is_not_written(line, article, tmp_path):
    folder = tmp_path / "case"
    call(article, "--into", folder)
    before = (folder / "claims.csv").read_bytes()
    answer(folder, line, "k" if line in ("m value=many", "m published=yesterday") else "q", "q")
    after = read_rows(folder)
    read_case(folder)
    assert (folder / "claims.csv").read_bytes() == before or after[0]["exclude"] == ""


def test_a_review_without_articles_asks_on_the_terminal(article, tmp_path):
    folder = tmp_path / "case"
    call(article, "--into", folder)
    status, _, err = call("--into", folder, "--review", stdin="k\nd\nk\n")
    assert status == 0
    assert "2 kept, 1 dropped, 0 still to confirm" in err
    assert "[dead at between 2,000 and 2,500]" in err


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("Nothing happened.", [], "says no number of losses"),
        ("The army lost 14 soldiers.", ["--into", "CASE"], "says no day of its own; give --published"),
        ("The army lost 14 soldiers.", ["--review"], "has no case to walk through"),
        ("The army lost 14 soldiers.", ["--language", "klingon"], "has no table"),
        ("The army lost 14 soldiers.", ["--published", "soon"], "is not a day"),
    ],
)
def test_what_cannot_be_drafted_is_told_in_one_line_and_nothing_is_written(text, options, problem, tmp_path):
    file = tmp_path / "article.txt"
    file.write_text(text, encoding="utf-8")
    status, out, err = call(file, "--quiet", *[str(tmp_path / "case") if each == "CASE" else each for each in options])
    assert (status, out) == (3, "")
    assert problem in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "case").exists()


def test_all_articles_are_refused_at_once(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("Nothing happened.", encoding="utf-8")
    _, _, err = call(tmp_path / "a", tmp_path / "b", "--quiet")
    assert [line.split(":")[0] for line in err.splitlines()] == ["a", "b"]


@pytest.mark.parametrize(
    "kept",
    ["[]", "7", '{"rows": []}', '{"rows": {"a": 1}}', '{"rows": {"a": {"text": 1}}}', '{"rows": {"a": {"marks": 1}}}',
     '{"rows": {"a": {"marks": [[0, "x"]]}}}', '{"rows": {"a": {"marks": [[0, 1e300]]}}}'],
)  # fmt: skip
def test_sentences_of_another_shape_are_refused_in_one_line(kept, article, tmp_path):
    assert call(article, "--into", tmp_path / "case")[0] == 0
    (tmp_path / "case" / "draft.json").write_text(kept, encoding="utf-8")
    before = (tmp_path / "case" / "claims.csv").read_bytes()
    (tmp_path / "other.txt").write_text(ARTICLE.replace("14", "15"), encoding="utf-8")
    for words in (("--review",), (tmp_path / "other.txt",)):
        status, _, told = call("--into", tmp_path / "case", *words, stdin="k\n")
        assert (status, len(told.splitlines())) == (3, 1)
        assert "is not what truetoll draft keeps" in told
    assert (tmp_path / "case" / "claims.csv").read_bytes() == before


def test_an_article_without_a_day_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("The army lost 14 soldiers.", encoding="utf-8")
    status, _, told = call(tmp_path / "a.txt", "--into", tmp_path / "case")
    assert (status, told.splitlines()) == (3, ["a.txt: says no day of its own; give --published YYYY-MM-DD"])
