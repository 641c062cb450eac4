"""A scenario: what became of each count in a variant of the case, beside the case as it stands."""

from __future__ import annotations

import numpy as np

from sim.contract.sensitivity import Scenario, ShiftedCount, find_count
from sim.contract.values import round_figures
from sim.robustness.counts import CountSummary, FitSummary, Key


def compare_fits(kind: str, what: str, label: str, fit: FitSummary, base: FitSummary, headline: Key) -> Scenario:
    """Return the scenario of a fit, led by what became of the headline."""
    counts = tuple(_shift(was, now) for was, now in zip(base.quantities, fit.quantities, strict=True))
    first = find_count(counts, *headline)
    return Scenario(
        kind=kind,
        what=what,
        label=label,
        median=first.median,
        intervals=first.intervals,
        shift_sd=first.shift_sd,
        shift_mcse=first.shift_mcse,
        width_ratio=first.width_ratio,
        how=fit.how,
        k=fit.k,
        trusted=fit.trusted,
        quantities=counts,
    )


def _shift(was: CountSummary, now: CountSummary) -> ShiftedCount:
    """Return a count of a variant, and how far it moved in units of the base posterior's deviation of log C."""
    middles = [float(np.log(each.median + 0.5)) for each in (was, now)]
    widths = [each.log_quantiles[-10] - each.log_quantiles[9] for each in (was, now)]  # .05 to .95
    scale = was.log_sd or 1.0
    error = was.log_mcse or 0.0
    return ShiftedCount(
        **vars(now.fitted),
        shift_sd=round_figures((middles[1] - middles[0]) / scale, 3) if was.log_sd else 0.0,
        shift_mcse=round_figures(np.hypot(error, now.log_mcse or error) / scale, 2),
        width_ratio=round_figures(widths[1] / widths[0], 3) if widths[0] else 1.0,
    )
