"""How early a source's last word was: one of the first days, beside one said later, lacks what was found between.

A number tells what was known by the day on which it was said. Of the losses of a day the share exp(-t / `FINDING`) is
not yet known t days after; a source's last running total falls short of a later one, by whomever, by `first_report` (a
log factor, learned) times the share of its losses that became known between the two. The last of all stands as it is:
how far it falls short is the bias of its source, and one that stands alone tells nothing of it. What a source has
mended itself its memory knows (see `sim.model.claims.series`): its earlier numbers are as early as its last one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.case.case import Case
from sim.case.observations import Observation

FINDING = 3.0  # days in which all but 1 / e of a day's losses become known


def find_earliness(case: Case, observations: Sequence[Observation]) -> NDArray[np.float64]:
    """Return how much of what a source's last word speaks of became known after it: between 0 and 1 for each number.

    Parameters
    ----------
    case : Case
    observations : sequence of Observation
    """
    newest: dict[tuple[str, str], dt.date] = {}
    words: dict[tuple[str, ...], Observation] = {}
    growing = [item for item in observations if _grows(item)]
    for item in sorted(growing, key=lambda item: (item.claim.as_of, item.claim.published, item.claim.id)):
        key = item.claim.force, item.claim.quantity
        newest[key] = max(item.claim.published, newest.get(key, item.claim.published))
        words[item.source, item.kind, *key] = item
    weights = {key: _weigh(case, item, newest[item.claim.force, item.claim.quantity]) for key, item in words.items()}
    return np.array(
        [
            weights[item.source, item.kind, item.claim.force, item.claim.quantity] if _grows(item) else 0.0
            for item in observations
        ],
        dtype=float,
    )


def _grows(item: Observation) -> bool:
    """Whether a number is a running total that may grow as more is found."""
    claim = item.claim
    is_total = claim.measure == "cumulative" and not (item.whole or claim.part or claim.wording.lists)
    return is_total and claim.quantity != "deployed" and not item.source.startswith("=") and bool(claim.central)


def _weigh(case: Case, item: Observation, newest: dt.date) -> float:
    """Return the mean over the days of a total of exp(-age then / FINDING) - exp(-age at the newest / FINDING)."""
    claim, day = item.claim, math.exp(-1 / FINDING)
    until = max(min(claim.as_of, case.end), case.start)
    days = (until - case.start).days + 1
    age = max((claim.published - until).days, 0)
    unknown = math.exp(-age / FINDING) * (1 - day**days) / (1 - day) / days
    return unknown * -math.expm1(-(newest - claim.published).days / FINDING)
