"""The shipped cases: every claim of the articles is a row that leads back to its article."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.check import check_case
from sim.read import list_shipped_cases, read_case

SEEDS = Path(__file__).parent.parent.parent / "shared" / "seeds"

# What the articles say, as (quantity, numbers, source): each must be a row of the case.
SAID = [
    ("deployed", {11_000}, "diplomat"),
    ("deployed", {10_000, 12_000}, "unattributed"),
    ("deployed", {11_000, 12_000}, "nis"),
    ("deployed", {3_000}, "nis"),
    ("casualties", {3_000}, "ukraine"),
    ("casualties", {3_000}, "nis"),
    ("casualties", {1_000}, "nis"),
    ("killed", {300}, "nis"),
    ("wounded", {2_700}, "nis"),
    ("casualties", {4_000}, "nis"),
    ("casualties", {4_700}, "nis"),
    ("killed", {600}, "nis"),
    ("wounded", {2_000}, "nis"),
    ("casualties", {0.333, 0.5}, "csis"),
    ("killed", {1_000}, "csis"),
    ("captured", {1}, "nis"),
    ("captured", {2}, "ukraine"),
    ("deployed", {15_000}, "nis"),
]


def numbers(claim):
    return {number for number in claim.number if number is not None}


@pytest.mark.parametrize(("quantity", "said", "source"), SAID)
def test_what_the_articles_say_is_a_row(quantity, said, source):
    rows = read_case("kursk").claims
    assert any((row.quantity, numbers(row), row.source) == (quantity, said, source) for row in rows)


@pytest.mark.parametrize("case", list_shipped_cases())
def test_every_row_has_wording_and_report(case):
    rows = read_case(case).claims
    assert all(row.phrase and row.report and row.note for row in rows)
    assert case != "kursk" or len(rows) >= 22


def test_every_phrase_stands_in_its_article():
    if not SEEDS.is_dir():
        pytest.skip("the five articles are not beside the project (../shared/seeds)")
    texts = {path.stem: " ".join(path.read_text(encoding="utf-8").split()).lower() for path in SEEDS.glob("*.txt")}
    for case in list_shipped_cases():
        for row in read_case(case).claims:
            text = next(text for stem, text in texts.items() if stem in row.report)
            for piece in row.phrase.lower().split(" ... "):
                assert piece in text.replace("’", "'").replace("–", "-"), (row.id, piece)


def test_no_row_is_used_twice():
    """Of the two that one article counts as two estimates neither is news; the labourers are not troops."""
    report = check_case("kursk")
    assert report.used == 14
    kinds = {warning.kind for warning in report.warnings}
    assert {"slip", "date", "excluded"} <= kinds
    assert not {"duplicate", "echo", "empty"} & kinds


def test_vietnam_is_two_small_counts():
    case = read_case("vietnam")
    assert {(row.source, row.value) for row in case.claims if row.quantity == "killed"} == {
        ("vietnam", 14),
        ("dprk", 27),
    }
    assert (case.sources["vietnam"].role, case.sources["dprk"].role) == (("ally_of_own",), ("own",))
