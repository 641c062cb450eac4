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


@pytest.mark.parametrize(
    ("scale", "probability", "words"),
    [
        ("phia", 0.02, "remote chance"), ("phia", 0.07, "remote chance"), ("phia", 0.09, "highly unlikely"),
        ("phia", 0.45, "realistic possibility"), ("phia", 0.53, "likely"), ("phia", 0.97, "almost certain"),
        ("phia", 0.375, "realistic possibility"), ("phia", 0.92, "highly likely"),
        ("ipcc", 0.005, "exceptionally unlikely"), ("ipcc", 0.01, "extremely unlikely"),
        ("ipcc", 0.07, "very unlikely"), ("ipcc", 0.2, "unlikely"),
        ("ipcc", 0.5, "about as likely as not"), ("ipcc", 0.66, "about as likely as not"),
        ("ipcc", 0.8, "likely"), ("ipcc", 0.92, "very likely"), ("ipcc", 0.97, "extremely likely"),
        ("ipcc", 1.0, "virtually certain"),
    ],
)  # fmt: skip
def test_other_scales_have_the_nearer_and_the_narrowest_band(scale, probability, words):
    assert say_probability(probability, scale) == words


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
