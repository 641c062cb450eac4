r"""Picks: which days are told is no accident.

A chronicler who tells of single days picks them at random, or because they were bad: with the probability pi
(`pick.by_size`) in proportion to what was lost. The days that all sources tell of, of one quantity of a force, are
joined to spells where they touch. A spell of n days in a war of N, that holds the share s of the losses, has one term,

.. math:: \log\{1 - \pi + \pi\, s N / n\},

the probability that this spell is picked over that of a pick at random. Four sources that tell of one day are one pick;
a calendar of the whole war is one spell whose term is zero.

And that a force gave up is told. With s the share of a bounded force that was taken after the last day for which
prisoners are told, and by the last on which anybody wrote of its losses, the term is

.. math:: h \log(1 - s),

h being `surrender.told`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, SILENCE, Case
from sim.case.claims import Claim
from sim.case.observations import Observation
from sim.case.timeline import Timeline
from sim.model.parameters import Parameters

Ints = NDArray[np.int64]

MAX_TIMES = 5  # that reports count as picks of the time before a silence
LEAST_SENT, LEAST_LEFT = 1e-6, 1e-12  # persons; the share of a force that is left


@dataclass(frozen=True)
class Pick:
    """A spell of days that was told of, so many times: a force and quantity, its first and last cut in the timeline."""

    force: str
    quantity: str
    since: int
    until: int
    days_share: float
    times: int = 1


@dataclass(frozen=True)
class Silence:
    """The time in which nobody speaks of a force's prisoners: after which day, if any is told, and to which day."""

    force: str
    since: dt.date | None
    until: dt.date


@dataclass(frozen=True)
class PickLayout:
    """The spells and silences of a case, and where their parts stand in the flat state.

    Attributes
    ----------
    by_size, told : int
        Positions in theta of pi and h, -1 where there is no spell, or no silence.
    spells : tuple of Pick
    until, since, total : tuples of ndarrays of int
        Of each spell the positions of its parts at its evening, at its morning, and at the end.
    silences : ndarray of int, shape (silences, 3)
        Of each the positions of the captured at its last cut and at its first, and of those sent at its last.
    """

    by_size: int
    told: int
    spells: tuple[Pick, ...]
    until: tuple[Ints, ...]
    since: tuple[Ints, ...]
    total: tuple[Ints, ...]
    silences: Ints

    @property
    def has_terms(self) -> bool:
        """Whether the days that are told, or that are not, tell anything."""
        return bool(self.spells) or bool(len(self.silences))


def find_picks(case: Case, observations: Iterable[Observation], timeline: Timeline, unpicked: str) -> list[Pick]:
    """Return the spells of days that are told of; the source `unpicked` picks none."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for item in observations:
        claim = item.claim
        is_told = claim.measure == "interval" and not (item.whole or claim.part) and item.source != unpicked
        if claim.since is None or not is_told or claim.quantity == "deployed":
            continue
        first, last = timeline.morning(claim.since), timeline.evening(min(claim.as_of, case.end))
        if first < last:
            spans.setdefault((claim.force, claim.quantity), []).append((first, last))
    end, found = timeline.evening(case.end), []
    for (force, quantity), each in spans.items():
        for first, last in _join_spans(each):
            share = float((timeline.cuts[last] - timeline.cuts[first]) / timeline.cuts[end])
            if share < 1:
                found.append(Pick(force, quantity, first, last, share))
    return found


def pick_told_part(case: Case, observations: Iterable[Observation], timeline: Timeline) -> list[Pick]:
    """Return the part of the war before each silence after it, as often as somebody spoke, five times at most.

    Of each force the quantity is taken of which most is said.
    """
    said: dict[str, dict[str, set[tuple[str, dt.date]]]] = {}
    for item in observations:
        if item.claim.quantity != "deployed" and not item.whole:
            by_quantity = said.setdefault(item.claim.force, {})
            by_quantity.setdefault(item.claim.quantity, set()).add((item.source, item.claim.as_of))
    found = []
    for force, spoken in said.items():
        for lull in case.forces[force].lulls:
            if lull.claim == SILENCE:
                quantity = max(spoken, key=lambda name: len(spoken[name]))
                last = timeline.morning(lull.start)
                share = float(timeline.cuts[last] / timeline.cuts[timeline.evening(case.end)])
                found.append(Pick(force, quantity, 0, last, share, min(len(spoken[quantity]), MAX_TIMES)))
    return found


def find_silences(case: Case, observations: Iterable[Observation]) -> list[Silence]:
    """Return the silences on prisoners of the bounded forces of whose losses somebody speaks.

    A silence lasts from the last day for which prisoners are told to the last on which anybody wrote of losses.
    """
    said: dict[str, list[tuple[str, Claim]]] = {}
    for force, quantity, claim in ((*topic, item.claim) for item in observations for topic in item.claim.told):
        if quantity != "deployed":
            said.setdefault(force, []).append((quantity, claim))
    found = []
    for force, told in said.items():
        people = [name for name in case.forces[force].outcomes if name in PERSONNEL]
        known = max((claim.as_of for quantity, claim in told if quantity == "captured"), default=None)
        until = min(max(max(claim.as_of, claim.published) for _, claim in told), case.end)
        is_silent = until >= case.start if known is None else known < until
        if case.forces[force].bounded and "captured" in people and len(people) > 1 and is_silent:
            found.append(Silence(force, known, until))
    return found


def _join_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def lay_out_picks(
    case: Case,
    spells: Iterable[Pick],
    silences: Iterable[Silence],
    timeline: Timeline,
    series: list[tuple[str, str]],
    parameters: Parameters,
) -> PickLayout:
    """Lay out spells and silences; `series` are those of the state."""
    spells, width, end = tuple(spells), len(timeline.cuts), timeline.evening(case.end)
    bases = [
        np.array([series.index((one.force, part)) for part in case.parts_of(one.force, one.quantity)], dtype=np.int64)
        * width
        for one in spells
    ]
    unsaid = []
    for one in silences:
        taken, sent = (series.index((one.force, name)) * width for name in ("captured", "deployed"))
        since, until = timeline.evening(one.since) if one.since else 0, timeline.evening(one.until)
        unsaid.append((taken + until, taken + since, sent + until))
    return PickLayout(
        by_size=parameters.index("pick.by_size") if spells else -1,
        told=parameters.index("surrender.told") if unsaid else -1,
        spells=spells,
        until=tuple(base + one.until for base, one in zip(bases, spells, strict=True)),
        since=tuple(base + one.since for base, one in zip(bases, spells, strict=True)),
        total=tuple(base + end for base in bases),
        silences=np.array(unsaid, dtype=np.int64).reshape(-1, 3),
    )


def weigh_picks(xp: Any, layout: PickLayout, state: Any, theta: Any) -> Any:
    """Return the log of how much likelier than at random the days were told of as they are; `state` is flat."""
    total = theta[..., 0] * 0.0
    for one, until, since, end in zip(layout.spells, layout.until, layout.since, layout.total, strict=True):
        pi = theta[..., layout.by_size]
        lost = xp.sum(xp.take(state, until, axis=-1) - xp.take(state, since, axis=-1), axis=-1)
        share = lost / xp.sum(xp.take(state, end, axis=-1), axis=-1)
        total = total + one.times * xp.log(1 - pi + pi * share / one.days_share)
    for until, since, sent in layout.silences:
        share = (state[..., until] - state[..., since]) / xp.maximum(state[..., sent], LEAST_SENT)
        total = total + theta[..., layout.told] * xp.log(xp.maximum(1 - share, LEAST_LEFT))
    return total
