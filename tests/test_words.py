"""Words for probabilities, and how numbers are shown."""

from __future__ import annotations

import pytest

from sim.words import say_probability, show_number, show_probability, show_share


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "almost no chance"), (0.03, "almost no chance"), (0.05, "very unlikely"), (0.2, "unlikely"),
        (0.45, "roughly even chance"), (0.5, "roughly even chance"), (0.55, "roughly even chance"), (0.56, "likely"),
        (0.8, "likely"), (0.81, "very likely"), (0.95, "very likely"), (0.97, "almost certain"),
        (1.0, "almost certain"),
    ],
)  # fmt: skip
def test_words_follow_the_directive_and_its_edges_lean_to_even(probability, words):
    assert say_probability(probability) == words


def test_no_chance_is_shown_as_certain():
    assert (show_probability(0.0), show_probability(1.0), show_probability(0.164)) == ("below 1%", "above 99%", "16%")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (4917, "4,920"),
        (14_633_211, "14,600,000"),
        (0.35678, "0.357"),
        (99.96, "100"),
        (12.3, "12.3"),
        (None, "–"),
    ],
)
def test_numbers_have_three_figures(value, text):
    assert show_number(value) == text


def test_shares_have_two():
    assert show_share(0.3567) == "36%"
