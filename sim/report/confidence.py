"""Confidence in the figures, judged from the evidence by a rule that is printed: apart from any probability."""

from __future__ import annotations

from sim.contract.summary import Result

FEW, MANY = 2, 4  # sources that speak
MOST = 0.5  # of the prior's variance left, or of the variance that biases explain
FAR = 2.0  # standard deviations by which a claim may be off
RULE = (
    f"low where the draws are not to be trusted, fewer than {FEW} sources speak, or more than half of the prior's "
    f"variance is left in a headline count; else moderate where fewer than {MANY} sources speak, none of them "
    f"independent, a claim is more than {FAR:g} standard deviations off, more than half of the variance comes from the "
    "sources' biases, or the priors are provisional; else high."
)


def judge_confidence(result: Result) -> tuple[str, str]:
    """Return low, moderate or high, and the reasons in words.

    Parameters
    ----------
    result : Result
        The contents of `summary.json`.
    """
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
        f"{_count(len(speaking))} speaks": len(speaking) < FEW,
        "much of the answer is the prior's": any(entry.prior_share > MOST for entry in headline),
    }
    moderate = {
        f"only {_count(len(speaking))} speak": len(speaking) < MANY,
        "none of the sources is independent": not independent,
        "some claims are far from what the model expected": any(abs(claim.standardised or 0.0) > FAR for claim in used),
        "most of the uncertainty is the sources' biases": any(entry.bias_share > MOST for entry in headline),
        "the priors are provisional": result.prior.provisional,
    }
    for level, reasons in (("low", low), ("moderate", moderate)):
        found = [reason for reason, holds in reasons.items() if holds]
        if found:
            return level, "; ".join(found)
    return "high", f"{_count(len(speaking))} speak, {len(independent)} of them independent, and they agree"


def _count(sources: int) -> str:
    return f"{sources or 'no'} source{'' if sources == 1 else 's'}"
