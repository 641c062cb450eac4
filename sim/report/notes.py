"""What must be said beside the figures: before them where it decides whether to read on, else after them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from sim.contract.summary import Estimate, JudgedClaim, Result, list_distinct
from sim.report.labels import label_sources, name_counts, name_unknown, tell_forces_apart
from sim.words import show_given_in, show_given_share

DOUBT = 0.05  # a probability that there was none, from which it is told
MOST = 0.5  # of the prior's variance left, or of the variance that biases explain


def list_openings(result: Result) -> list[str]:
    """Return what is said before any figure: that they are not to be trusted, a forecast, or the prior's.

    The order is that of weight.
    """
    return [*_tell_distrust(result), *_tell_reach(result)]


def _tell_distrust(result: Result) -> Iterator[str]:
    if not result.trusted:
        reasons = "; ".join(name_unknown(reason, result) for reason in result.diagnostics.reasons)
        yield f"NOT TO BE TRUSTED: the sampler did not converge ({reasons}). {advise(result)}"


def advise(result: Result) -> str:
    """Return what to do about draws that are not to be trusted: which claim, which prior, how many draws."""
    used = [claim for claim in result.claims if claim.used and claim.standardised is not None]
    worst = max(used, key=lambda claim: abs(claim.standardised or 0.0), default=None)
    steps = [f"Draw more (--draws {4 * result.diagnostics.draws})"]
    if worst is not None:
        said = show_given_in(worst.said[0], worst.unit)
        steps.append(
            f"look at the claim furthest from what the model expects ({label_sources(result)[worst.owner]}: {said}, "
            f"row {worst.id})"
        )
    wide = next((reason for reason in result.diagnostics.reasons if "bias of" in reason), "")
    if wide:
        steps.append("see whether the role of the source named here is right, or narrow its prior")
    return f"{', or '.join(steps)}."


def _tell_reach(result: Result) -> Iterator[str]:
    """Say where the day asked for is outside those that anybody spoke of."""
    used = [claim for claim in result.claims if claim.used]
    if not used:
        yield "There are no usable claims: these figures are the prior's."
        return
    first, last = min(map(_begin, used)), max(claim.as_of for claim in used)
    if result.as_of < first:
        yield f"These figures are the prior's: the first claim that is used speaks of {first}, after {result.as_of}."
    elif result.ongoing and result.as_of > last:
        days = (dt.date.fromisoformat(result.as_of) - dt.date.fromisoformat(last)).days
        yield (
            f"A forecast: no claim that is used speaks of a day after {last}, and {result.as_of} is {days} "
            f"day{'' if days == 1 else 's'} later."
        )


def _begin(claim: JudgedClaim) -> str:
    """Return the first day that a claim says something of."""
    return claim.since or claim.as_of


def list_notes(result: Result) -> list[str]:
    """Return the sentences that every report carries: what is not identified, and what is mostly prior."""
    known, remarks, limits = int(bool(result.known_by)), list_remarks(result), list_limits(result)
    return [*remarks[:known], *limits[:1], *remarks[known:], *limits[1:]]


def list_remarks(result: Result) -> list[str]:
    """Return what must be said of these figures."""
    notes = [f"Only claims published by {result.known_by} are used."] if result.known_by else []
    driven = _list_counts(result, lambda entry: entry.prior_share > MOST)
    if result.used_claims and driven:
        notes.append(f"Driven by the prior more than by the claims: {driven}.")
    doubtful = [entry for entry in result.estimates if entry.p_zero >= DOUBT and entry.parts == (entry.quantity,)]
    if result.used_claims and doubtful:
        of = tell_forces_apart(result.forces)
        each = "; ".join(
            f"{name_counts([(entry.force, entry.quantity)], of)} {show_given_share(round(entry.p_zero, 2))}"
            for entry in doubtful
        )
        notes.append(f"There may have been none at all; the probability of that: {each}.")
    biased = _list_counts(result, lambda entry: entry.bias_share > MOST)
    if biased and result.used_claims:
        notes.append(
            f"If the sources' biases were known, more than half of the uncertainty in these would go: {biased}."
        )
    if result.questions:
        first = result.questions[0]
        more = f" ({len(result.questions)} in all; `truetoll check` lists them)" if len(result.questions) > 1 else ""
        notes.append(f"A question that nobody has answered{more}: {first.where} {first.text}.".replace("?.", "?"))
    if result.diagnostics.attempts > 1:
        notes.append("The first sampling did not converge; these are the draws of a longer one.")
    if result.prior.provisional:
        notes.append(f"The prior set “{result.prior.name}” is provisional.")
    return notes


def list_limits(result: Result) -> list[str]:
    """Return what no claims can tell, and how the priors fared that were learned."""
    limits = ["Not identified: a bias that all sources share. It comes from the prior, not from these claims."]
    if result.prior.learned:
        limits.append(
            "The priors on bias were learned from past wars that people wrote about, so they expect exaggeration. "
            "Left out one war at a time, their 90% intervals held nine in ten losses: more of soldiers, and fewer, "
            "some eight in ten, of civilians and of campaigns."
        )
    return limits


def _list_counts(result: Result, holds: Callable[[Estimate], bool]) -> str:
    """Return the counts that something holds of in words, without totals that no table shows."""
    shown = [entry for entry in list_distinct(result) if holds(entry)]
    return name_counts([(entry.force, entry.quantity) for entry in shown], tell_forces_apart(result.forces))
