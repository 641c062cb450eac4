"""Words for probabilities, by the scale of Intelligence Community Directive 203."""

from __future__ import annotations

# Upper ends. The directive's bands share their edges and say nothing of what is beyond 1% and 99%. Our rule: a shared
# edge belongs to the band nearer to even, and what is beyond the ends is said as below 1% or above 99%.
_BELOW = ((0.05, "almost no chance"), (0.20, "very unlikely"), (0.45, "unlikely"))
_ABOVE = ((0.95, "almost certain"), (0.80, "very likely"), (0.55, "likely"))


def say_probability(probability: float) -> str:
    """Return the words of ICD 203 for a probability.

    Parameters
    ----------
    probability : float
        Within 0 to 1.
    """
    for edge, words in _BELOW:
        if probability < edge:
            return words
    for edge, words in _ABOVE:
        if probability > edge:
            return words
    return "roughly even chance"


def show_probability(probability: float) -> str:
    """Return a probability as a whole percentage, never 0 or 100."""
    if probability < 0.01:
        return "below 1%"
    return "above 99%" if probability > 0.99 else f"{probability:.0%}"


def show_number(value: float | None, digits: int = 3) -> str:
    """Return a number to three significant figures with thousands separated; a dash for none."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return "–"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    return f"{rounded:.{digits}g}"


def show_count(value: float | None) -> str:
    """Return a count of persons or items: whole, and to three significant figures."""
    return show_number(value if value is None else float(round(value)))


def show_share(value: float | None) -> str:
    """Return a share as a percentage to two significant figures."""
    return "–" if value is None else f"{show_number(100 * value, 2)}%"


def escape_cell(text: str) -> str:
    """Return text that stays text in a Markdown table."""
    flat = " ".join(str(text).split())
    for mark in "\\`*_{}[]<>#|~":
        flat = flat.replace(mark, f"\\{mark}")
    return flat.replace("\\<", "&lt;").replace("\\>", "&gt;")
