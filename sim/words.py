"""Words for probabilities, and numbers in text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

# Bands as (lower, upper, words). Their sources share edges, leave gaps, or overlap. Our rule: a probability in no band
# is said in the words of the nearer one, and one that several hold in those of the narrowest; what is on the edge of
# two belongs to that nearer to even.
_BANDS: dict[str, tuple[tuple[float, float, str], ...]] = {
    "icd203": (
        (0.0, 0.05, "almost no chance"), (0.05, 0.20, "very unlikely"), (0.20, 0.45, "unlikely"),
        (0.45, 0.55, "roughly even chance"), (0.55, 0.80, "likely"), (0.80, 0.95, "very likely"),
        (0.95, 1.0, "almost certain"),
    ),
    "phia": (
        (0.0, 0.05, "remote chance"), (0.10, 0.20, "highly unlikely"), (0.25, 0.35, "unlikely"),
        (0.40, 0.50, "realistic possibility"), (0.55, 0.75, "likely"), (0.80, 0.90, "highly likely"),
        (0.95, 1.0, "almost certain"),
    ),
    "ipcc": (
        (0.0, 0.01, "exceptionally unlikely"), (0.0, 0.05, "extremely unlikely"), (0.0, 0.10, "very unlikely"),
        (0.0, 0.33, "unlikely"), (0.33, 0.66, "about as likely as not"), (0.66, 1.0, "likely"),
        (0.90, 1.0, "very likely"), (0.95, 1.0, "extremely likely"), (0.99, 1.0, "virtually certain"),
    ),
}  # fmt: skip
_RULE = (
    "a probability between two bands has the words of the nearer, one that several bands hold those of the narrowest, "
    "one on an edge those of the band nearer to even; what is beyond 1% and 99% is said as below 1% or above 99%."
)
SCALES = {
    "icd203": f"Intelligence Community Directive 203 (2015), table of paragraph D.6.e.2.a; {_RULE}",
    "phia": f"the Probability Yardstick of the UK's Professional Head of Intelligence Assessment (2019); {_RULE}",
    "ipcc": f"the likelihood scale of the IPCC's guidance note on uncertainties (Mastrandrea et al. 2010); {_RULE}",
}


def say_probability(probability: float, scale: str = "icd203") -> str:
    """Return the words for a probability.

    Parameters
    ----------
    probability : float
        Within 0 to 1.
    scale : {"icd203", "phia", "ipcc"}
        Whose words (see `SCALES`).
    """

    def rank(band: tuple[float, float, str]) -> tuple[float, float]:
        low, high, _ = band
        middle = (low + high) / 2
        outside = max(low - probability, probability - high, 0.0)
        edge = (probability == high and middle < 0.5 and high < 1) or (probability == low and middle > 0.5 and low > 0)
        if outside == 0 and not edge:
            return 0.0, high - low
        return round(max(outside, 1e-9), 12), abs(middle - 0.5)

    return min(_BANDS[scale], key=rank)[2]


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
    if abs(rounded) >= 1e15:
        return f"{rounded:.{digits - 1}e}"
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    return f"{rounded:.{digits}g}"


def show_factor(value: float) -> str:
    """Return a factor to two significant figures, a last zero too: 1.0 and 2.0 beside 0.64."""
    return f"{value:#.2g}" if 0.1 <= value < 9.95 else show_number(value, 2)


def show_given(value: float | None) -> str:
    """Return a number as it was given, with thousands separated: what others said is not rounded."""
    return "–" if value is None else f"{value:,.15g}"


def show_given_share(value: float | None) -> str:
    """Return a share as it was given, as a percentage."""
    return "–" if value is None else f"{100 * value:.10g}%"


def show_given_in(value: float | None, unit: str) -> str:
    """Return a claim's number as it was given, in its unit: a count, a share or a ratio."""
    return show_given_share(value) if unit == "share" else show_given(value)


def show_count(value: float | None, digits: int = 3) -> str:
    """Return a count of persons or items: whole, and to three significant figures."""
    return show_number(value if value is None else float(round(value)), digits)


def choose_digits(interval: tuple[float, float]) -> int:
    """Return how many figures of an estimate carry something: two where its 90% interval is wider than threefold."""
    low, high = interval
    return 2 if high > 3 * max(low, 0.5) else 3


def show_signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign; what rounds to zero is +0, from either side."""
    return f"{value:+z.{digits}f}"


def show_day(day: str, letters: int = 9) -> str:
    """Return a day as people write it, its month in so many letters; its parts do not part at the end of a line."""
    date = dt.date.fromisoformat(day)
    return f"{date.day}\N{NO-BREAK SPACE}{MONTHS[date.month - 1][:letters]}\N{NO-BREAK SPACE}{date.year}"


def join_words(parts: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def show_share(value: float | None) -> str:
    """Return a share as a percentage to two significant figures."""
    return "–" if value is None else f"{show_number(100 * value, 2)}%"


def show_in(value: float | None, unit: str) -> str:
    """Return a number in a claim's unit: a count, whole; a share as a percentage; a ratio to three figures."""
    if unit == "share":
        return show_share(value)
    return show_number(value) if unit == "ratio" else show_count(value)


def escape_cell(text: str) -> str:
    """Return text that stays text in a Markdown table."""
    flat = " ".join(str(text).split())
    for mark in "\\`*_{}[]<>#|~":
        flat = flat.replace(mark, f"\\{mark}")
    return flat.replace("\\<", "&lt;").replace("\\>", "&gt;")
