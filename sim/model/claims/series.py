"""What one source says of one thing again and again: which of its numbers is read given which.

The running totals of a source repeat each other's errors, and so do its counts of days. So each number of a series is
read given the one that follows it (see `sim.model.beliefs`), and the last one alone as any claim is. A number that has
others behind it leaves its statement: its error is theirs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sim.case.observations import Observation
from sim.model.density.codes import Link


def order_series(observations: Sequence[Observation]) -> list[list[int]]:
    """Return the series of two or more numbers, each as places among the observations in the order of time."""
    found: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, item in enumerate(observations):
        claim = item.claim
        # What is established comes from no source, a share of a total or a number of one place is no running total, a
        # closed list does not grow.
        if not (item.whole or item.source.startswith("=") or claim.wording.lists or claim.part):
            found[item.source, claim.force, claim.quantity, claim.measure, item.kind].append(index)

    def when(index: int) -> tuple[object, ...]:
        claim = observations[index].claim
        return claim.as_of, claim.published, claim.since or claim.as_of, claim.id

    return [sorted(places, key=when) for places in found.values() if len(places) > 1]


def link_series(observations: Sequence[Observation]) -> list[tuple[int, Link] | None]:
    """Return for each observation the index of the one that it is read given, and how; None where it stands alone.

    A zero tells no error of its source: what is before it looks at the next number that is none.
    """
    found: list[tuple[int, Link] | None] = [None] * len(observations)
    for series in order_series(observations):
        after = -1
        for index in reversed(series):
            if after >= 0:
                found[index] = after, find_link(observations[index], observations[after])
            if tells_error(observations[index]):
                after = index
    return found


def find_link(item: Observation, after: Observation) -> Link:
    """Return how a number of a series hangs on one that follows it."""
    if item.claim.measure == "interval":
        return Link.INTERVAL
    return Link.RECOUNT if item.claim.as_of == after.claim.as_of else Link.TOTAL


def tells_error(item: Observation) -> bool:
    """Whether the number tells by which factor its source is off: not a zero, nor one beyond all numbers."""
    return math.isfinite(find_point(item))


def find_point(item: Observation) -> float:
    """Return the log of the number said: of a rounded one that of its cell's middle; minus infinity for zero."""
    if item.form != "cell":
        return item.point
    if item.lower == -math.inf:
        return item.upper - math.log(2) if item.upper > 0 else -math.inf
    return math.log((math.exp(item.lower) + math.exp(item.upper)) / 2)


def measure_rounding(item: Observation) -> float:
    """Return the standard deviation of what rounding took off a number, on the log scale."""
    if item.form != "cell":
        return 0.0
    return (item.upper - item.lower) / math.sqrt(12) if math.isfinite(item.lower) else 1.0


def leave_statements(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return the observations without the statements of numbers that others of their series follow.

    Of a statement of which one number is left, that one is by itself.
    """
    followed = {index for series in order_series(observations) for index in series[:-1]}
    left: dict[str, int] = defaultdict(int)
    for index, item in enumerate(observations):
        left[item.statement] += index not in followed
    return tuple(
        replace(item, statement="") if item.statement and (index in followed or left[item.statement] < 2) else item
        for index, item in enumerate(observations)
    )


def list_remembered(observations: Sequence[Observation]) -> list[str]:
    """Return the sources that speak in a series."""
    return sorted({observations[series[0]].source for series in order_series(observations)})
