"""The numbers of a memo by name and rounded, for templates: `estimate("killed", "britain").median`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sim.contract.summary import DerivedEstimate, Estimate, Result
from sim.errors import list_some, quote_value, refuse
from sim.report.table import choose_derived_digits, show_value
from sim.words import choose_digits, show_count


@dataclass(frozen=True)
class Shown:
    """A count or a derived quantity as a memo shows it; of an undefined one the texts are empty.

    Attributes
    ----------
    force, quantity : str
        `force` is empty of a derived quantity.
    median, low, high, low_50, high_50 : str
        Rounded; low and high are the ends of the 90% interval.
    """

    force: str
    quantity: str
    median: str
    low: str
    high: str
    low_50: str
    high_50: str

    def __str__(self) -> str:
        """Return the median with its 90% interval."""
        return f"{self.median} ({self.low} to {self.high})"


def list_numbers(result: Result) -> tuple[Shown, ...]:
    """Return every estimate and derived quantity of a result, rounded as on page one."""
    return (*map(_show_estimate, result.estimates), *map(_show_derived, result.derived))


def _show_estimate(entry: Estimate) -> Shown:
    digits = choose_digits(entry.intervals["0.9"])
    texts = (show_count(value, digits) for value in (entry.median, *entry.intervals["0.9"], *entry.intervals["0.5"]))
    return Shown(entry.force, entry.quantity, *texts)


def _show_derived(entry: DerivedEstimate) -> Shown:
    if entry.median is None or entry.intervals is None:
        return Shown("", entry.name, "", "", "", "", "")
    digits = choose_derived_digits(entry.intervals["0.9"])
    values = (entry.median, *entry.intervals["0.9"], *entry.intervals["0.5"])
    return Shown("", entry.name, *(show_value(value, entry.unit, digits) for value in values))


def offer_numbers(numbers: Sequence[Shown], file: str) -> Callable[..., Shown]:
    """Return the function `estimate` of templates; what it does not know it refuses in one line."""

    def estimate(quantity: object, force: object = "") -> Shown:
        found = [each for each in numbers if each.quantity == quantity and force in ("", each.force)]
        if len(found) == 1:
            return found[0]
        asked = f"estimate({quote_value(quantity)}, {quote_value(force)})"
        if found:
            problem = f"{asked} may be of several forces: {list_some([each.force for each in found])}"
            raise refuse(file, "", problem, "name one of them")
        known = list_some(list(dict.fromkeys(each.quantity for each in numbers)))
        raise refuse(file, "", f"{asked} is not among {known}", "name one of them, and a force that has it")

    return estimate
