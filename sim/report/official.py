"""“Officially N; we say M, because …”: the own side's latest total beside the answer, the difference in numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from sim.contract.summary import Estimate, JudgedClaim, Result
from sim.report.labels import label_sources, name_count, tell_forces_apart
from sim.report.table import list_headline, show_estimate
from sim.words import choose_digits, join_words, show_count, show_day, show_factor, show_given, show_number, show_share

ALIKE = 1.1  # a factor below which two numbers are the same


def tell_official(result: Result) -> list[str]:
    """Return for each force why its official figure is not ours; of one that has none, the latest numbers told."""
    return [text for force in result.forces for text in _tell_force(result, force.force)]


def has_official(result: Result) -> bool:
    """Return whether the own side of any force has told a total that can be set beside ours."""
    return any(_find_latest(result, entry, own=True) for entry in list_headline(result))


def _tell_force(result: Result, force: str) -> Iterator[str]:
    entries = [entry for entry in list_headline(result) if entry.force == force]
    for entry in entries:
        claims = _find_latest(result, entry, own=True)
        if claims:
            beside = _set_beside(result, entry, claims[-1], "Officially")
            why = _explain(result, entry, claims[-1], "such a side told {} of its losses", show_share)
            yield f"{beside} {why}".rstrip()
            return
    of = tell_forces_apart(result.forces)[force]
    none = f"The own side of {of} has told no total." if of else "The side that lost them has told no total."
    for entry in entries:
        claims = _find_latest(result, entry, own=False)
        if claims:
            yield f"{none} {_tell_latest(result, entry, claims)}"
            return


def _tell_latest(result: Result, entry: Estimate, claims: list[JudgedClaim]) -> str:
    """Return the latest numbers that others told; of several on one day the lowest and the highest."""
    low, *_, high = sorted([*claims, *claims[:1]], key=lambda claim: claim.said[-1])
    of, labels = tell_forces_apart(result.forces)[entry.force], label_sources(result)
    if low.said == high.said:
        told = _set_beside(result, entry, low, "The latest number told is")
        why = _explain(result, entry, low, "such a source told {} times the truth", show_factor)
    else:
        numbers = " and ".join(f"{_show_said(claim)} ({labels[claim.owner]})" for claim in (low, high))
        ours = _show_ours(_read_day(result, entry, low.as_of), entry)
        told = (
            f"The latest numbers told of the {name_count(entry.quantity, of)} are {numbers}, by "
            f"{show_day(low.as_of)}; we say {ours}."
        )
        why = _tell_biases(result, [low, high])
    return f"{told} {why}".rstrip()


def _tell_biases(result: Result, claims: list[JudgedClaim]) -> str:
    """Return what each of the sources is judged to make of the truth: the reason why our number is another."""
    medians = {(each.source, each.force, each.quantity): each.median for each in result.bias}
    labels = label_sources(result)
    told = {
        labels[claim.owner]: show_factor(medians[key])
        for claim in claims
        if (key := (claim.owner, claim.force, claim.quantity)) in medians
    }
    parts = [
        f"{label} {factor} times" if number else f"{label} to tell {factor} times the truth"
        for number, (label, factor) in enumerate(told.items())
    ]
    return f"We judge {join_words(parts)}." if parts else ""


def _find_latest(result: Result, entry: Estimate, *, own: bool) -> list[JudgedClaim]:
    """Return the used running totals of a count that speak of the latest day: the own side's, or anybody's."""
    roles = {source.source: source.roles.get(entry.force, ()) for source in result.sources}
    totals = [
        claim
        for claim in result.claims
        if claim.used and (claim.force, claim.quantity) == (entry.force, entry.quantity)
        and claim.measure != "interval" and claim.unit == "count" and not claim.part
        and (roles[claim.owner] == ("own",) or not own)
    ]  # fmt: skip
    last = max((claim.as_of for claim in totals), default="")
    return sorted((claim for claim in totals if claim.as_of == last), key=lambda claim: claim.published)


def _show_said(claim: JudgedClaim) -> str:
    return f"{claim.wording.before}{' to '.join(map(show_given, claim.said))}"


def _set_beside(result: Result, entry: Estimate, claim: JudgedClaim, opening: str) -> str:
    """Return the claim and our number of its day in one sentence."""
    of, source = tell_forces_apart(result.forces)[entry.force], label_sources(result)[claim.owner]
    said = f"{opening} {_show_said(claim)} {name_count(entry.quantity, of)} by {show_day(claim.as_of)} ({source})"
    ours = _read_day(result, entry, claim.as_of)
    same_day = claim.as_of == result.as_of or not _differ(ours, entry.median)
    if same_day and claim.said[-1] == 0:
        chance = show_share(entry.p_zero)
        return f"{said}; we say {show_estimate(entry)}, and that there were none with a chance of {chance}."
    if same_day:
        return f"{said}; we say {show_estimate(entry)}{_compare(entry.median, claim)}."
    then = f"{_show_ours(ours, entry)} for that day{_compare(ours, claim)}"
    return f"{said}; we say {then}, and {show_estimate(entry)} by now."


def _compare(ours: float, claim: JudgedClaim) -> str:
    theirs = max(claim.said[0], claim.said[-1])
    if len(claim.said) == 2 and claim.said[0] / ALIKE <= ours <= claim.said[1] * ALIKE:
        return ", which is within it"
    if theirs <= 0:
        return ""
    ratio = ours / theirs
    if not _differ(ours, theirs):
        return ", about the same"
    return f", {show_number(ratio, 2)} times as many" if ratio > 1 else f", {show_share(ratio)} of that"


def _explain(result: Result, entry: Estimate, claim: JudgedClaim, phrase: str, show: Callable[[float], str]) -> str:
    """Return how much of the difference is what such a source leaves out or adds, and how much other sources.

    The phrase says what it told in past wars, a number that `show` gives.
    """
    key = (claim.owner, claim.force, claim.quantity)
    bias = next((each for each in result.bias if (each.source, each.force, each.quantity) == key), None)
    theirs = claim.said[-1]
    ours = _read_day(result, entry, claim.as_of)
    ours = ours if _differ(ours, entry.median) else entry.median
    if bias is None or theirs <= 0 or not _differ(ours, theirs):
        return ""
    if claim.wording.law == "bound":  # which means no number that a bias could be taken off
        bound = "says only that there were no fewer" if claim.wording.sign > 0 else "says only that there were no more"
        return "It counts those found by then." if claim.wording.finds else f"It {bound}."
    factor = bias.median if bias.prior_median is None else bias.prior_median
    alone = theirs / max(factor, 1e-9)
    by = "As this source is read" if bias.prior_median is None else "In past wars" if result.prior.learned else None
    opening = f"{by or 'By the prior'}, {phrase.format(show(factor))}"
    if bias.prior_median is None or not _differ(alone, ours):
        return f"{opening}: {show_given(theirs)} means some {_show_ours(alone, entry)}."
    if not _has_others(result, claim):
        return f"{opening}: {show_given(theirs)} means some {_show_ours(ours, entry)}."
    rest = "raise" if ours > alone else "lower"
    return (
        f"{opening}, so that {show_given(theirs)} alone means some {show_count(alone, 2)}; "
        f"the other claims {rest} this to {_show_ours(ours, entry)}."
    )


def _show_ours(count: float, entry: Estimate) -> str:
    """Return a count to as many figures as the estimate that it stands beside."""
    return show_count(count, choose_digits(entry.intervals["0.9"]))


def _has_others(result: Result, claim: JudgedClaim) -> bool:
    """Return whether another claim speaks of the same count, or of a total that it is a part of."""
    wholes = {
        entry.quantity for entry in result.estimates if entry.force == claim.force and claim.quantity in entry.parts
    }
    return any(
        each.used and each.id != claim.id and each.force == claim.force and each.quantity in {claim.quantity, *wholes}
        for each in result.claims
    )


def _differ(one: float, other: float) -> bool:
    high, low = max(one, other), min(one, other)
    return high > ALIKE * low


def _read_day(result: Result, entry: Estimate, day: str) -> float:
    """Return the median of a count on a day; of one outside the path, the headline's."""
    for path in result.paths:
        if (path.force, path.quantity) == (entry.force, entry.quantity) and path.days and day < result.as_of:
            return path.median[max(bisect_right(path.days, day) - 1, 0)]
    return entry.median
