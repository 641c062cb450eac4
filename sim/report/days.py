"""Days for the ticks of an axis, and what stands under them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sim.words import MONTHS


def choose_days(first: dt.date, last: dt.date, most: int = 8) -> list[dt.date]:
    """Return days for ticks: of equal steps of days, months or years, at most so many."""
    length = (last - first).days
    for step in (1, 2, 5, 10):
        if length / step < most and length < 60:
            return [first + dt.timedelta(days=number) for number in range(0, length + 1, step)]
    months = [
        dt.date(year, month, 1)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if first <= dt.date(year, month, 1) <= last
    ]
    for step in (1, 2, 3, 6):
        kept = [day for day in months if (day.month - 1) % step == 0]
        if len(kept) <= most:
            return kept or [first]
    years = [day for day in months if day.month == 1]
    return years[:: -(-len(years) // most)]


def name_days(days: Sequence[dt.date], between: str = "\n") -> list[str]:
    """Return what stands under each tick: day, month or year; the first, and the first of a year, say that too."""
    whole = all(day.month == day.day == 1 for day in days)
    texts, before = [], 0
    for day in days:
        month = MONTHS[day.month - 1][:3]
        name = str(day.year) if whole else month if day.day == 1 and days[0].day == 1 else f"{day.day} {month}"
        texts.append(f"{name}{between}{day.year}" if day.year != before and not whole else name)
        before = day.year
    return texts
