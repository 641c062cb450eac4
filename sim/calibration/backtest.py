"""Back-testing: how forecasts of wars whose losses are now known did, beside those of simple rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.calibration import baselines
from sim.calibration.baselines import LEARNT, NAMES, Said, Taught, teach
from sim.calibration.forecast import Forecast
from sim.calibration.hindcasts import Hindcast
from sim.calibration.record import Record, read_record
from sim.calibration.scores import Score, compare, score_draws, summarise
from sim.calibration.strata import ScoredTruth, count_pits, rate_words, report_strata, score_zeros
from sim.calibration.truths import Truth
from sim.case.evidence import IS_SUM, weigh_claims
from sim.case.observations import RANGE_SPAN
from sim.case.priors import PriorSet
from sim.errors import InputError

NOTHING = {"n": 0, "wars": 0, "coverage": {}, "coverage_band": {}}  # a table of truths of zero has nothing to score


def list_said(hindcast: Hindcast, truth: Truth) -> Said:
    """Return what simple rules make use of: the counts claimed of the truth's own quantity, whatever their day."""
    evidence = weigh_claims(hindcast.case)
    first = min(each.start for each in hindcast.truths if each.key == truth.key)
    used = [
        claim
        for claim in hindcast.case.claims
        if evidence.unused.get(claim.id, IS_SUM) == IS_SUM
        and (claim.force, claim.quantity, claim.unit) == (truth.key, truth.quantity, "count")
        and (claim.measure != "interval" or claim.since == first != hindcast.case.start)
    ]
    spans = [
        np.log(max(claim.high or 0.0, 0.5) / max(claim.low or 0.0, 0.5)) / RANGE_SPAN
        if claim.wording.law == "range"
        else 0.0
        for claim in used
    ]
    roles = [hindcast.case.sources[claim.source].roles_towards(truth.key) for claim in used]
    return Said(
        log_claims=np.log(np.array([claim.central or 0.0 for claim in used]) + 0.5),
        own_sd=np.array(spans, dtype=float),
        independent=np.array(["independent" in role for role in roles], dtype=bool),
        sources=tuple(claim.source for claim in used),
        sides=tuple(_name_side(role) for role in roles),
        victims=truth.kind,
    )


def _name_side(roles: tuple[str, ...]) -> str:
    return roles[0] if roles in (("own",), ("adversary",)) else "other"


def list_scored_truths(record: Record) -> list[ScoredTruth]:
    """Return the scored truths of a record: those that are not zero."""
    return [
        ScoredTruth(item, truth, list_said(item, truth))
        for item in record.hindcasts
        for truth in item.truths
        if not truth.is_zero
    ]


def score_baseline(name: str, rows: Sequence[ScoredTruth], reference: Sequence[ScoredTruth] | None) -> list[Score]:
    """Score a simple rule; what it must learn, it learns from other wars, or from a reference table."""
    found = []
    taught: dict[str, Taught] = {}
    for row in rows:
        war = "" if reference else row.hindcast.war
        if name in LEARNT and war not in taught:
            others = reference or [other for other in rows if other.hindcast.war != war]
            taught[war] = teach(name, [other.said for other in others], [other.truth.established for other in others])
        draws = baselines.forecast(name, row.said, taught.get(war))
        found.append(score_draws(row.truth.established, draws))
    return found


def find_reference(priors: PriorSet | None) -> Record | None:
    """Return the table that a prior set was learned from, where it is at hand and still the same."""
    if priors is None or priors.path is None or "path" not in priors.learned_from:
        return None
    folder = priors.path.parent / priors.learned_from["path"]
    try:
        record = read_record(folder / "claims.csv", folder / "truth.csv")
    except InputError:
        return None
    return record if record.sha256 == priors.learned_from["sha256"] else None


def report_backtest(
    record: Record, forecasts: Sequence[Forecast], seed: int, reference: Record | None = None
) -> dict[str, Any]:
    """Return the report of `truetoll backtest` (see docs/formats.md)."""
    by_key = {(each.case, each.force, each.quantity, each.day): each for each in forecasts}
    rows = list_scored_truths(record)
    wars = [row.hindcast.war for row in rows]
    mine = [by_key[_key_of(row.truth)] for row in rows]
    scores = [score_draws(row.truth.established, each.quantiles) for row, each in zip(rows, mine, strict=True)]
    learned_on = list_scored_truths(reference) if reference else None
    simple = {name: score_baseline(name, rows, learned_on) for name in NAMES}
    zeros = [truth for item in record.hindcasts for truth in item.truths if truth.is_zero]
    return {
        "schema": 1,
        **(summarise(scores, wars, np.random.default_rng(seed)) if rows else NOTHING),
        "untrusted_fits": sum(not each.trusted for each in forecasts),
        "fits": len({each.case for each in forecasts}),
        "rows": [_describe_truth(row, score) for row, score in zip(rows, scores, strict=True)],
        "fabricated": [_describe_zero(truth, by_key[_key_of(truth)]) for truth in zeros],
        **report_strata(rows, scores, simple, seed),
        "pit_histogram": count_pits(scores),
        "words": rate_words([row.truth.established for row in rows], [each.quantiles for each in mine], wars),
        "zero_log_score": score_zeros(
            [(truth, by_key[_key_of(truth)].p_zero) for item in record.hindcasts for truth in item.truths]
        ),
        "baselines": {
            name: {
                **summarise(found, wars, np.random.default_rng(seed)),
                **compare(scores, found, wars, np.random.default_rng(seed)),
            }
            for name, found in simple.items()
            if rows
        },
        "spread_chosen_on": _tell_reference(record, reference),
        "skipped": list(record.skipped),
    }


def _tell_reference(record: Record, reference: Record | None) -> str:
    """Return in words where the simple rules have their spread from."""
    if reference is None:
        return "the other wars of the table"
    same = reference.sha256 == record.sha256
    return "this table itself, from which the prior set was learned" if same else "the table of the prior set"


def _key_of(truth: Truth) -> tuple[str, str, str, str]:
    return truth.case, truth.force, truth.quantity, truth.day.isoformat()


def _describe_truth(row: ScoredTruth, score: Score) -> dict[str, object]:
    truth = row.truth
    return {
        "case": truth.case,
        "group": row.hindcast.war,
        "tier": truth.tier,
        "force": truth.force,
        "quantity": truth.quantity,
        "truth": truth.value,
        "truth_low": truth.low,
        "truth_high": truth.high,
        "median": score.median,
        "intervals": {str(level): list(edges) for level, edges in score.intervals.items()},
        "interval_score_90": score.interval_score_90,
        "crps": score.crps,
    }


def _describe_zero(truth: Truth, forecast: Forecast) -> dict[str, object]:
    return {
        "case": truth.case,
        "force": truth.force,
        "quantity": truth.quantity,
        "p_zero": forecast.p_zero,
        "median": float(np.median(forecast.quantiles)),
    }
