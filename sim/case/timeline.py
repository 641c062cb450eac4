"""The days of a case cut into segments, on each of which rates and arrivals are constant.

Bins come from start, end and `bin_days` alone, never from the claims: the prior of the path must not depend on who
speaks when. Within a bin the rate is constant, so cutting it further at the days that are asked about is exact.

A day's losses are counted by its evening: `start` itself is the first day with losses, and the cumulative curve is zero
the evening before.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.case.case import MAX_BINS, Case

MAX_BINS_BEYOND = 400


@dataclass(frozen=True)
class Timeline:
    """Segments of the days of a case.

    Attributes
    ----------
    start, end : date
        First and last day of the path.
    cuts : ndarray of int, shape (segments + 1,)
        Evenings that bound the segments, in days since the evening before `start`.
    days : ndarray, shape (segments,)
        Length of each segment in days.
    bin : ndarray of int, shape (segments,)
        The bin of the log-rate walk that each segment lies in.
    bin_days : ndarray, shape (bins,)
        Length of each bin in days; those past `end` follow those before it.
    inside : ndarray of bool, shape (segments,)
        Whether the segment is at or before `end`.
    position : ndarray, shape (segments,)
        The middle of each segment's bin, from -1/2 at `start` to 1/2 at `end`, and 1/2 after it.
    """

    start: dt.date
    end: dt.date
    cuts: NDArray[np.int64]
    days: NDArray[np.float64]
    bin: NDArray[np.int64]
    bin_days: NDArray[np.float64]
    inside: NDArray[np.bool_]
    position: NDArray[np.float64]

    @property
    def has_path(self) -> bool:
        """False where everything happened on one day."""
        return self.end > self.start or len(self.bin_days) > 1

    def evening(self, day: dt.date) -> int:
        """Return the index in `cuts` of a day's evening."""
        return int(np.searchsorted(self.cuts, offset(self.start, day)))

    def morning(self, day: dt.date) -> int:
        """Return the index in `cuts` of the evening before a day."""
        return int(np.searchsorted(self.cuts, offset(self.start, day) - 1))

    def cover(self, first: dt.date, last: dt.date) -> NDArray[np.float64]:
        """Return 1 for the segments that lie within first..last, else 0; both must have been given to `cut_days`."""
        low, high = offset(self.start, first) - 1, offset(self.start, last)
        return ((self.cuts[:-1] >= low) & (self.cuts[1:] <= high)).astype(float)


def offset(start: dt.date, day: dt.date) -> int:
    """Return a day's evening, in days since the evening before `start`."""
    return (day - start).days + 1


def cut_days(case: Case, days: Iterable[dt.date], spells: Iterable[tuple[dt.date, dt.date]]) -> Timeline:
    """Cut the days of a case into segments.

    Parameters
    ----------
    case : Case
    days : iterable of date
        Days whose evenings must be cuts.
    spells : iterable of (date, date)
        Waves and lulls: the evening before the first day and that of the last must be cuts.
    """
    evenings = {offset(case.start, day) for day in days}
    for first, last in spells:
        evenings |= {offset(case.start, first) - 1, offset(case.start, last)}
    length = offset(case.start, case.end)
    last_evening = max([length, *evenings])
    edges = _cut_bins(length, last_evening, effective_bin_days(case))
    cuts = np.array(sorted({*edges, *(evening for evening in evenings if evening >= 0)}), dtype=np.int64)
    bins = np.searchsorted(edges, (cuts[:-1] + cuts[1:]) / 2) - 1
    middles = (edges[:-1] + edges[1:]) / 2
    return Timeline(
        start=case.start,
        end=case.end,
        cuts=cuts,
        days=np.diff(cuts).astype(float),
        bin=bins,
        bin_days=np.diff(edges).astype(float),
        inside=cuts[1:] <= length,
        position=(np.clip(middles / length, 0, 1) - 0.5)[bins],
    )


def effective_bin_days(case: Case) -> int:
    """Return `bin_days`, widened where the path would have more than 60 bins."""
    return max(case.file.bin_days, math.ceil(offset(case.start, case.end) / MAX_BINS))


def _cut_bins(length: int, last: int, width: int) -> NDArray[np.int64]:
    inside = [*range(0, length, width), length]
    beyond_width = max(width, math.ceil((last - length) / MAX_BINS_BEYOND))
    beyond = list(range(length + beyond_width, last + beyond_width, beyond_width)) if last > length else []
    return np.array([*inside, *beyond], dtype=np.int64)
