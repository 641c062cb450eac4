"""Confidence in the figures, judged from the evidence by a rule that is printed: apart from any probability."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from sim.case.case import Role
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import JudgedClaim, Result
from sim.report.labels import name_count, name_group, tell_forces_apart
from sim.report.robustness import DECIDES, LEFT_OUT, list_conflicts, list_forces, look_at
from sim.words import show_number

FEW, MANY = 2, 4  # sources that speak
MOST = 0.5  # of the prior's variance left, or of the variance that biases explain
APART = 2.0  # a factor between the latest numbers of one count, from which its sources do not agree
NEAR_DAYS = 31
FAR = 2.0  # standard deviations by which a claim may be off, and by which two kinds of claims may stand apart
LEVELS = ("high", "moderate", "low")
RULE = (
    f"low where the draws are not to be trusted, fewer than {FEW} sources speak, or more than half of the prior's "
    f"variance is left in a headline count; else moderate where fewer than {MANY} sources say more than a bound, "
    f"none is independent, a claim is more than {FAR:g} standard deviations off, the latest numbers of one count lie "
    f"more than a factor of {APART:g} apart, more than half of the variance would go if the sources' biases were "
    "known, or the priors are provisional; else high. One level lower where a question about the claims that the "
    "answer may hang on stands unanswered, or where claims contradict each other: two kinds of them, by measure or by "
    f"role, lie more than {FAR:g} standard deviations apart around what was expected, or by the sensitivity report "
    "groups of sources conflict, or one kind of claims left out moves a headline by more than its standard deviation."
)
_KINDS = {"cumulative": "running totals", "interval": "counts of days or spells"}


def judge_confidence(result: Result, sensitivity: Sensitivity | None = None) -> tuple[str, str]:
    """Return low, moderate or high, and the reasons in words.

    Parameters
    ----------
    result : Result
        The contents of `summary.json`.
    sensitivity : Sensitivity, optional
        A report of the same inputs.
    """
    found, reasons = _judge_evidence(result)
    conflicts = [*_tell_questions(result), *find_conflicts(result, sensitivity)]
    if conflicts:
        lower = min(LEVELS.index(found) + 1, len(LEVELS) - 1)
        return LEVELS[lower], "; ".join([*conflicts, *([reasons] if found != "high" else [])])
    return found, reasons


def _judge_evidence(result: Result) -> tuple[str, str]:
    used = [claim for claim in result.claims if claim.used]
    speaking = dict.fromkeys(claim.owner for claim in used)
    roles = {entry.source: entry.roles for entry in result.sources}
    independent = [
        source for source in speaking if all(each == ("independent",) for each in roles[source].values() if each)
    ]
    told = {(entry.force, entry.quantity) for entry in result.variance}
    headline = [entry for entry in result.estimates if (entry.force, entry.quantity) in told]
    low = {
        "the draws are not to be trusted": not result.trusted,
        f"{'only ' if speaking else ''}{_count(len(speaking))} speaks": len(speaking) < FEW,
        "much of the answer is the prior's": any(entry.prior_share > MOST for entry in headline),
    }
    numbers = {claim.owner for claim in used if claim.wording.sign == 0}
    apart = _tell_apart(result, used)
    few = (
        f"only {_count(len(speaking))} speak"
        if len(speaking) < MANY
        else f"only {_count(len(numbers))} say more than a bound"
    )
    moderate = {
        few: len(numbers) < MANY,
        "none of the sources is independent": not independent,
        "some claims are far from what the model expected": any(abs(claim.standardised or 0.0) > FAR for claim in used),
        "most of the uncertainty would go if the sources' biases were known": any(
            entry.bias_share > MOST for entry in headline
        ),
        apart: bool(apart),
        "the priors are provisional": result.prior.provisional,
    }
    for level, reasons in (("low", low), ("moderate", moderate)):
        found = [reason for reason, holds in reasons.items() if holds]
        if found:
            return level, "; ".join([*found, *([apart] if apart and level == "low" else [])])
    return "high", f"{_count(len(speaking))} speak, {len(independent)} of them independent, and they agree"


def _tell_questions(result: Result) -> Iterator[str]:
    count = len(result.questions)
    if count:
        named = ", ".join(dict.fromkeys(each.kind for each in result.questions))
        opening = "a question about the claims stands" if count == 1 else f"{count} questions about the claims stand"
        yield f"{opening} unanswered ({named})"


def _tell_apart(result: Result, used: list[JudgedClaim]) -> str:
    """Return of which count the latest numbers lie furthest apart; nothing where they agree."""
    factors = _measure_apart(used)
    force, quantity = max(factors, key=lambda key: factors[key], default=("", ""))
    if factors.get((force, quantity), 1.0) <= APART:
        return ""
    name, factor = name_count(quantity, tell_forces_apart(result.forces)[force]), factors[force, quantity]
    return f"the latest numbers of the {name} lie a factor of {show_number(factor, 2)} apart"


def _measure_apart(used: list[JudgedClaim]) -> dict[tuple[str, str], float]:
    """Return for each count how far apart the latest totals of its sources are, as a factor: of its last NEAR_DAYS.

    A bound is not apart from what it leaves room for: at least 12 and about 600.
    """
    latest: dict[tuple[str, str], dict[str, JudgedClaim]] = defaultdict(dict)
    for claim in sorted(used, key=lambda each: (each.as_of, each.published)):
        if claim.measure == "cumulative" and claim.unit == "count" and not claim.part and claim.said[0] > 0:
            latest[claim.force, claim.quantity][claim.owner] = claim
    found = {}
    for key, told in latest.items():
        first = max(dt.date.fromisoformat(each.as_of) for each in told.values()) - dt.timedelta(days=NEAR_DAYS)
        near = [each for each in told.values() if dt.date.fromisoformat(each.as_of) >= first]
        numbers = [(float(np.sqrt(each.said[0] * each.said[-1])), each.wording.sign) for each in near]
        lows, highs = ([number for number, sign in numbers if sign != open_end] for open_end in (1, -1))
        found[key] = max(1.0, max(highs, default=1.0) / min(lows, default=math.inf))
    return found


def find_conflicts(result: Result, sensitivity: Sensitivity | None = None) -> Iterator[str]:
    """Yield what kinds of claims contradict each other, in words."""
    used = [claim for claim in result.claims if claim.used and claim.standardised is not None]
    roles = {entry.source: entry.roles for entry in result.sources}
    for force in result.forces:
        of = [claim for claim in used if claim.force == force.force]
        yield from _set_apart(of, lambda claim: _KINDS.get(claim.measure))
        sides = {source: _name_side(each[force.force]) for source, each in roles.items() if force.force in each}
        yield from _set_apart(of, lambda claim, sides=sides: sides.get(claim.owner))  # type: ignore[misc]
    if sensitivity is not None:
        yield from (f"sources conflict: {each}" for each in list_conflicts(sensitivity))
        for key in list_forces(sensitivity):
            view = look_at(sensitivity, key)
            for each in view.scenarios if view else ():
                if each.kind == LEFT_OUT[2] and each.trusted and abs(each.shift_sd) > DECIDES:
                    yield f"{each.label} the answer would be another"


def _set_apart(claims: list[JudgedClaim], name_kind: Callable[[JudgedClaim], str | None]) -> Iterator[str]:
    """Yield the two kinds of claims whose numbers lie furthest to either side of what was expected, if far apart.

    A claim of no kind is passed over.
    """
    kinds: dict[str, list[float]] = defaultdict(list)
    for claim in claims:
        kind = name_kind(claim)
        if kind is not None:
            kinds[kind].append(claim.standardised or 0.0)
    means = sorted((float(np.mean(values)), kind) for kind, values in kinds.items())
    if means and means[-1][0] - means[0][0] > FAR:
        yield f"{means[-1][1]} say far more than {means[0][1]} allow"


def _name_side(roles: tuple[Role, ...]) -> str | None:
    """Return the side of a source; none of one whose role can be read in several ways."""
    if len(roles) != 1:
        return None
    name = name_group(roles[0])
    return name if "allies" in name else f"{name} sources"


def _count(sources: int) -> str:
    return f"{sources or 'no'} source{'' if sources == 1 else 's'}"
