"""How far sources were from the truth in past wars: their factors, by who spoke, of whose losses.

A factor is (claim + 1/2) / (truth + 1/2), of the last number that a source gave of an established loss as it stood at
its end. Numbers told of earlier days, shares, echoes and what is excluded do not count; nor do losses of zero, which no
factor leads to.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.calibration.hindcasts import Hindcast
from sim.calibration.record import Record
from sim.calibration.truths import Truth
from sim.case.case import ROLES
from sim.case.evidence import IS_SUM, weigh_claims
from sim.case.priors import PriorSet
from sim.errors import Fault, InputError, list_some, refuse

LEVELS = (0.5, 0.9)
RESAMPLES = 2_000  # of the wars, for the uncertainty of a median
LEAST_WARS = 5  # for that uncertainty: of fewer it would be a pretence
SOLDIERS, THINGS = "military", "equipment"
VICTIMS = (SOLDIERS, "civilians", "mixed", THINGS)


@dataclass(frozen=True)
class PastClaim:
    """What a source said of one established loss, its last number, and what is known."""

    war: str
    case: str
    force: str
    quantity: str
    victims: str
    source: str
    label: str
    body: str
    state: str
    role: str
    day: str
    wording: str
    claimed: float
    truth: float
    factor: float


def list_past(record: Record) -> list[PastClaim]:
    """Return what each source said of each established loss, as it stood at its end."""
    return [each for item in record.hindcasts for truth in item.truths for each in _list_of(item, truth)]


def _list_of(item: Hindcast, truth: Truth) -> Iterator[PastClaim]:
    if truth.is_zero:
        return
    evidence = weigh_claims(item.case)
    since = truth.start if truth.start > item.case.start and truth.quantity != "deployed" else None
    last = {}
    for claim in sorted(item.case.claims, key=lambda row: row.published):
        if (
            evidence.unused.get(claim.id, IS_SUM) == IS_SUM
            and (claim.force, claim.quantity, claim.unit, claim.as_of)
            == (truth.key, truth.quantity, "count", truth.day)
            and claim.since in (since, None)
            and claim.central is not None
        ):
            last[claim.source] = claim
    for key, claim in last.items():
        source, said = item.case.sources[key], claim.central or 0.0
        yield PastClaim(
            war=item.war,
            case=item.case.name,
            force=truth.force,
            quantity=truth.quantity,
            victims=truth.kind,
            source=key,
            label=item.case.label_source(key),
            body=source.body or "",
            state=source.state or "",
            role=" or ".join(source.roles_towards(claim.force)),
            day=claim.published.isoformat(),
            wording=claim.qualifier,
            claimed=said,
            truth=truth.value,
            factor=(said + 0.5) / (truth.value + 0.5),
        )


FILTERS: dict[str, Callable[[PastClaim], str]] = {
    "source": lambda each: each.source,
    "role": lambda each: each.role,
    "victims": lambda each: each.victims,
    "body": lambda each: each.body,
    "state": lambda each: each.state,
}


def choose_past(claims: Sequence[PastClaim], wanted: Mapping[str, str | None]) -> list[PastClaim]:
    """Return the claims that are as wanted, by the names of FILTERS.

    Raises
    ------
    InputError
        With a line for each value that no claim of the record has.
    """
    faults: list[Fault] = []
    for name, value in wanted.items():
        known = [key for key, _ in Counter(FILTERS[name](each) for each in claims).most_common() if key]
        if value is not None and value not in known:
            faults += refuse(f"--{name}", "", f"{value} is in no claim of the record", f"use {list_some(known)}").faults
    if faults:
        raise InputError(faults)
    return [
        each for each in claims if all(value is None or FILTERS[name](each) == value for name, value in wanted.items())
    ]


@dataclass(frozen=True)
class Group:
    """Claims of one kind, summed up.

    Attributes
    ----------
    name : tuple of str
        What they have in common.
    claims, wars : int
    median : float
        Of the factors.
    intervals : dict of str to (float, float)
        Their central 50 and 90%: between which such claims lay.
    median_90 : (float, float) or None
        The central 90% of the median when wars are drawn anew; None of fewer than LEAST_WARS.
    """

    name: tuple[str, ...]
    claims: int
    wars: int
    median: float
    intervals: dict[str, tuple[float, float]]
    median_90: tuple[float, float] | None


def sum_up(claims: Iterable[PastClaim], by: Sequence[str], seed: int = 1) -> list[Group]:
    """Return the claims summed up by some of FILTERS: in the order of role and victims, else the largest first."""
    members: dict[tuple[str, ...], list[PastClaim]] = defaultdict(list)
    for each in claims:
        members[tuple(FILTERS[name](each) for name in by)].append(each)
    groups = [_sum_group(name, own, seed) for name, own in members.items()]
    order = {name: index for index, name in enumerate((*ROLES, *VICTIMS))}
    if set(by) <= {"role", "victims"}:
        return sorted(groups, key=lambda group: [order.get(part, len(order)) for part in group.name])
    return sorted(groups, key=lambda group: (-group.claims, group.name))


def _sum_group(name: tuple[str, ...], claims: Sequence[PastClaim], seed: int) -> Group:
    logs = np.log([each.factor for each in claims])
    wars = list(dict.fromkeys(each.war for each in claims))
    edges = {level: np.exp(np.quantile(logs, [(1 - level) / 2, (1 + level) / 2])) for level in LEVELS}
    return Group(
        name=name,
        claims=len(claims),
        wars=len(wars),
        median=float(np.exp(np.median(logs))),
        intervals={str(level): (float(low), float(high)) for level, (low, high) in edges.items()},
        median_90=_resample(logs, [each.war for each in claims], wars, seed) if len(wars) >= LEAST_WARS else None,
    )


def _resample(logs: Any, war_of: Sequence[str], wars: Sequence[str], seed: int) -> tuple[float, float]:
    """Return the central 90% of the median over wars drawn anew with replacement."""
    rng = np.random.default_rng(seed)
    own = {war: logs[[other == war for other in war_of]] for war in wars}
    picks = rng.integers(len(wars), size=(RESAMPLES, len(wars)))
    medians = [np.median(np.concatenate([own[wars[pick]] for pick in row])) for row in picks]
    low, high = np.exp(np.quantile(medians, [0.05, 0.95]))
    return float(low), float(high)


def find_learned(priors: PriorSet, role: str, victims: str) -> dict[str, Any] | None:
    """Return what a prior set has learned of a role on such victims: the median of its multiplier, and 90%.

    None where the role or the victims are not one alone.
    """
    kind = {"military": "losses", "equipment": "losses", "civilians": "civilians", "mixed": "civilians"}.get(victims)
    prior = priors.priors.get(f"role.{role}.{kind}")
    if prior is None or prior.mu is None or prior.sigma is None:
        return None
    low, middle, high = (math.exp(prior.mu + z * prior.sigma) for z in (-1.6449, 0.0, 1.6449))
    return {"median": middle, "interval_90": [low, high]}


def report_past(
    claims: Sequence[PastClaim], wanted: Mapping[str, str | None], by: Sequence[str], priors: PriorSet
) -> dict[str, Any]:
    """Return the report of `truetoll record sources` (see docs/formats.md)."""
    groups = []
    for group in sum_up(claims, by):
        parts = dict(zip(by, group.name, strict=True))
        role, victims = (parts.get(name) or wanted.get(name) or "" for name in ("role", "victims"))
        groups.append({**parts, **asdict(group), "learned": find_learned(priors, role, victims)})
    for entry in groups:
        del entry["name"]
    return {
        "schema": 1,
        "chosen": {name: value for name, value in wanted.items() if value is not None},
        "by": list(by),
        "priors": priors.name,
        "groups": groups,
        "claims": [asdict(each) for each in claims],
    }
