"""How a day's losses scatter about its week: `python tests/benchmarks/day_scatter.py TABLE`, of Radford et al. 2023.

From the running totals of the source that reports daily: the increment from one day to the next, where it is not zero,
over the mean of those within three days, on the log scale, for each category with sixty or more. Prints a line for each
with 1.4826 times the median absolute deviation, and the median of these, which `sim.model.rows.DAY_SD` is. Counts of
one day have no part in it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from published_model import read_reports

SOURCE, NEAR, LEAST = "UA Source", 3, 60


def main(table: Path) -> None:
    """Print the scatter of each category, and the median."""
    reports, found = read_reports(table), []
    for kind, name in enumerate(reports.kinds):
        rows = (reports.kind == kind) & (reports.source == reports.sources.index(SOURCE)) & ~reports.daily
        said = defaultdict(list)
        for day, number in zip(reports.day[rows], reports.number[rows], strict=True):
            said[day].append(number)
        totals = {day: np.median(numbers) for day, numbers in said.items()}
        rise = {day: totals[day] - totals[day - 1] for day in totals if day - 1 in totals}
        logs = []
        for day, number in rise.items():
            week = [rise[other] for other in range(day - NEAR, day + NEAR + 1) if other in rise]
            if len(week) >= 2 * NEAR and np.mean(week) > 0 and number > 0:
                logs.append(np.log(number / np.mean(week)))
        if len(logs) >= LEAST:
            found.append(1.4826 * np.median(np.abs(logs - np.median(logs))))
            sys.stdout.write(f"{name}: {found[-1]:.2f} of {len(logs)} days\n")
    sys.stdout.write(f"median: {np.median(found):.2f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
