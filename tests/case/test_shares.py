"""Shares of known numbers, and ratios of two: how they are read, and when they are used."""

from __future__ import annotations

import math

import pytest
from evidence import claim_of, weigh

from sim.case.observations import observe_claim


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ({"value": 0.3, "digits": 1}, 75, 105),
        ({"value": 0.5, "digits": 1, "qualifier": "exact"}, 135, 165),
        ({"value": 0.25, "digits": 2}, 73.5, 76.5),
    ],
)
def test_a_share_of_a_known_number_is_a_count_as_round_as_it(said, low, high):
    found = observe_claim(claim_of(unit="share", of="300", **said), "s")
    assert (found.form, found.whole) == ("cell", "")
    assert math.exp(found.lower) == pytest.approx(low)
    assert math.exp(found.upper) == pytest.approx(high)


def test_a_share_of_a_known_number_keeps_its_wording():
    """Without digits it is not rounded, however the count would be read: a third of 300 is no 95 to 105."""
    third = observe_claim(claim_of(unit="share", of="300", value=0.333), "s")
    assert (third.form, third.point, third.extra_sd) == ("density", pytest.approx(math.log(99.9)), 0.0)
    most = observe_claim(claim_of(unit="share", of="300", value=0.5, qualifier="at_most"), "s")
    assert (most.form, most.point) == ("bound", pytest.approx(math.log(150)))
    assert observe_claim(claim_of(unit="share", of="300", value=1, qualifier="at_most"), "s") is None
    span = observe_claim(claim_of(unit="share", of="300", low=0.25, high=0.5, qualifier="range"), "s")
    counts = observe_claim(claim_of(low=75, high=150, qualifier="range"), "s")
    assert (span.point, span.extra_sd) == (pytest.approx(counts.point), pytest.approx(counts.extra_sd))
    assert observe_claim(claim_of(unit="share", of="300", value=0), "s").upper == pytest.approx(math.log(0.5))


def test_shares_of_two_numbers_are_no_duplicates(write):
    third = {"value": 0.333, "unit": "share", "as_of": "2024-02-01"}
    evidence = weigh(write, [{**third, "of": "300"}, {**third, "of": "600"}, {**third, "of": "300.0"}])
    assert evidence.unused == {"c2": "duplicates c0"}


def test_a_share_of_a_known_number_is_one_of_the_counts_of_its_statement(write):
    """It is the part of a total beside it, as that count would be."""
    total = {"value": 400, "quantity": "casualties", "statement": "a"}
    parts = [
        weigh(write, [total, {**part, "statement": "a"}]).observations[1]
        for part in ({"value": 0.25, "unit": "share", "of": "400"}, {"value": 100, "log_sd": 1e-9})
    ]
    assert parts[0].whole == parts[1].whole == "casualties"
    assert parts[0].point == pytest.approx(parts[1].point)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ({"value": 3}, 2.5, 3.5),
        ({"value": 1}, 0.5, 1.5),
        ({"value": 10}, 9.5, 10.5),
        ({"value": 10, "digits": 1}, 5, 15),
        ({"value": 3, "digits": 2}, 2.95, 3.05),
        ({"value": 0.5, "digits": 1}, 0.45, 0.55),
    ],
)
def test_a_ratio_is_rounded_as_a_number_is(said, low, high):
    found = observe_claim(claim_of(unit="ratio", of="wounded", **said), "s")
    assert (found.form, found.whole, found.is_share) == ("cell", "wounded", False)
    assert math.exp(found.lower) == pytest.approx(low)
    assert math.exp(found.upper) == pytest.approx(high)


def test_a_ratio_beside_both_its_numbers_is_not_used(write):
    rows = [{"value": 300}, {"value": 100, "quantity": "wounded"}, {"value": 3, "unit": "ratio", "of": "wounded"}]
    said = [{**row, "statement": "a"} for row in rows]
    assert weigh(write, said).unused == {"c2": "is the ratio of two numbers in its statement"}
    assert not weigh(write, [said[0], said[2]]).unused
    assert not weigh(write, [said[0], said[1], rows[2]]).unused


def test_a_ratio_and_a_share_of_one_number_are_no_duplicates(write):
    said = {"value": 0.2, "of": "casualties", "as_of": "2024-02-01"}
    assert not weigh(write, [{**said, "unit": "share"}, {**said, "unit": "ratio"}]).unused


@pytest.mark.parametrize(("ratio", "denied"), [({"source": "foe"}, math.inf), ({"source": "own"}, math.log(0.5))])
def test_a_ratio_counts_some_of_both_its_numbers(ratio, denied, write):
    """Who says that there was none denies it; who says both counts them."""
    rows = [
        {"value": 0, "quantity": "wounded", "qualifier": "exact"},
        {"value": 3, "unit": "ratio", "of": "wounded", **ratio},
    ]
    assert weigh(write, rows).observations[0].upper == pytest.approx(denied)
