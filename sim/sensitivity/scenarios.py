"""A scenario: what became of each count in a variant of the case, beside the case as it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from sim.posterior.summary import plain
from sim.sensitivity.counts import QUANTILES, CountSummary, FitSummary, Key

KEPT_ASIDE = ("log_quantiles", "log_mcse")  # of a count: what the comparison needs, and no reader


@dataclass(frozen=True)
class Shift:
    """How far a count moved.

    Attributes
    ----------
    shift_sd : float
        The change of the median of log C, in units of the base posterior's standard deviation of log C.
    shift_mcse : float
        The Monte Carlo error of that.
    width_ratio : float
        Of the central 90% of log C, to the base's.
    """

    shift_sd: float
    shift_mcse: float
    width_ratio: float


@dataclass(frozen=True)
class Scenario:
    """A variant by its names, how it was computed, and what became of each count in it."""

    kind: str
    what: str
    label: str
    fit: FitSummary
    shifts: tuple[Shift, ...]

    def as_json(self, headline: Key) -> dict[str, object]:
        """Return it as the report has it: led by what became of the headline."""
        (lead,) = (number for number, each in enumerate(self.fit.quantities) if each.key == headline)
        first, shift = self.fit.quantities[lead], self.shifts[lead]
        return {
            "kind": self.kind,
            "what": self.what,
            "label": self.label,
            "median": first.median,
            "intervals": first.intervals,
            **asdict(shift),
            "how": self.fit.how,
            "k": self.fit.k,
            "trusted": self.fit.trusted,
            "quantities": [
                show_count(count) | asdict(moved) for count, moved in zip(self.fit.quantities, self.shifts, strict=True)
            ],
        }


def compare_fits(kind: str, what: str, label: str, fit: FitSummary, base: FitSummary) -> Scenario:
    """Return the scenario of a fit."""
    pairs = zip(base.quantities, fit.quantities, strict=True)
    return Scenario(kind, what, label, fit, tuple(_measure_shift(was, now) for was, now in pairs))


def _measure_shift(was: CountSummary, now: CountSummary) -> Shift:
    middles = [float(np.interp(0.5, QUANTILES, each.log_quantiles)) for each in (was, now)]
    widths = [each.log_quantiles[-10] - each.log_quantiles[9] for each in (was, now)]  # .05 to .95
    scale = was.log_sd or 1.0
    error = was.log_mcse or 0.0
    return Shift(
        shift_sd=plain((middles[1] - middles[0]) / scale, 3) if was.log_sd else 0.0,
        shift_mcse=plain(np.hypot(error, now.log_mcse or error) / scale, 2),
        width_ratio=plain(widths[1] / widths[0], 3) if widths[0] else 1.0,
    )


def show_count(count: CountSummary) -> dict[str, object]:
    """Return a count as the report has it."""
    return {name: value for name, value in asdict(count).items() if name not in KEPT_ASIDE}
