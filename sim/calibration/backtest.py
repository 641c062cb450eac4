"""Back-testing: forecasts of wars whose losses are now known, scored beside simple rules.

Each war is forecast by priors that never saw it: those learned from the other wars, or a set that stands as it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.calibration import baselines
from sim.calibration.baselines import CENTRES, NAMES, Said, choose_spread
from sim.calibration.learn import FIT as LEARNING
from sim.calibration.learn import learn_priors, update_priors
from sim.calibration.record import Hindcast, Record, Truth, read_record
from sim.calibration.scores import Score, compare, score_draws, summarise
from sim.case.evidence import IS_SUM, weigh_claims
from sim.case.observations import RANGE_SPAN
from sim.case.priors import PriorSet
from sim.errors import InputError, refuse
from sim.model.design import design_model
from sim.posterior.fit import sample_posterior
from sim.posterior.sample import Sample, by_chain, take_posterior
from sim.sampler.diagnostics import judge_draws
from sim.system.progress import show_steps
from sim.system.store import Entry, Store
from sim.system.tasks import finish_tasks

Floats = NDArray[np.float64]

MAX_RHAT = 1.02  # of the forecast counts; beyond it a case is fitted again, longer
FITS: tuple[dict[str, Any], ...] = (
    {"draws": 500, "tune": 300, "target_accept": 0.95},
    {"draws": 1_500, "tune": 400, "target_accept": 0.98},
)
MIN_WARS = 2  # so that one can be left out
MAX_RHAT_LEARNED = 1.1  # of what is learned without a war: means of it are used, not its tails
NOTHING = {"n": 0, "wars": 0, "coverage": {}, "coverage_band": {}}  # a table of truths of zero has nothing to score
KEPT = 1_000  # quantiles of each forecast


@dataclass(frozen=True)
class Forecast:
    """A forecast of one truth.

    Attributes
    ----------
    case, force, quantity, day : str
    quantiles : ndarray, shape (KEPT,)
        Of the count, at the middles of equal probabilities.
    p_zero : float
        The probability that nothing was lost.
    trusted : bool
        Whether the chains agree, those of what was learned included.
    """

    case: str
    force: str
    quantity: str
    day: str
    quantiles: Floats
    p_zero: float
    trusted: bool


def forecast_case(hindcast: Hindcast, priors: PriorSet, seed: int) -> list[Forecast]:
    """Forecast the truths of a case from its claims."""
    start = hindcast.case.start
    days = [truth.day for truth in hindcast.truths]
    mornings = [max(truth.start - dt.timedelta(days=1), start) for truth in hindcast.truths]
    design = design_model(hindcast.case, priors, as_of=max(days), days=[*days, *mornings])
    own_seed = seed_of(seed, hindcast.case.name)
    for settings in FITS:
        draws = sample_posterior(design, own_seed, quiet=True, **settings)
        sample = take_posterior(design, draws, own_seed)
        counts = [_count(sample, truth, start) for truth in hindcast.truths]
        tested = {str(number): by_chain(np.log(values + 0.5), draws.shape[0]) for number, values in enumerate(counts)}
        trusted = all(map(_is_finite, tested.values())) and judge_draws(tested, 0).max_rhat < MAX_RHAT
        if trusted:
            break
    middles = (np.arange(KEPT) + 0.5) / KEPT
    return [
        Forecast(
            hindcast.case.name,
            truth.force,
            truth.quantity,
            truth.day.isoformat(),
            np.rint(np.quantile(values, middles)),
            float(np.mean(values < 0.5)),
            trusted,
        )
        for truth, values in zip(hindcast.truths, counts, strict=True)
    ]


def _count(sample: Sample, truth: Truth, start: dt.date) -> Floats:
    """Return the count of a truth's quantity from the truth's first day to its last, shape (draws,)."""
    count = sample.count(truth.key, truth.quantity, truth.day)
    if truth.start > start and truth.quantity != "deployed":
        count = count - sample.count(truth.key, truth.quantity, truth.start - dt.timedelta(days=1))
    return count


def _is_finite(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def seed_of(seed: int, name: str) -> int:
    """Return the seed of a task, which follows from its name alone and not from who runs it when."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0] % 2**31)


def forecast_war(
    record: Record, war: str, prior: PriorSet | None, base: PriorSet, seed: int, learning: dict[str, Any]
) -> list[Forecast]:
    """Forecast the cases of one war; without a prior set, by priors learned from the other wars.

    Learning that does not mix is repeated with longer chains; if that does not either, its forecasts are not trusted.
    """
    mixed = True
    if prior is None:
        others = [item for item in record.hindcasts if item.war != war]
        learned = learn_priors(others, base, seed_of(seed, war), quiet=True, **learning)
        if learned.diagnostics["max_rhat"] > MAX_RHAT_LEARNED:
            longer = {**learning, "draws": 3 * learning["draws"], "tune": 2 * learning["tune"]}
            learned = learn_priors(others, base, seed_of(seed + 1, war), quiet=True, **longer)
        mixed = learned.diagnostics["max_rhat"] <= MAX_RHAT_LEARNED
        prior = update_priors(base, learned, f"without {war}", "")
    own = [item for item in record.hindcasts if item.war == war]
    found = [each for item in own for each in forecast_case(item, prior, seed)]
    return [replace(each, trusted=each.trusted and mixed) for each in found]


def run_tasks(
    record: Record,
    prior: PriorSet | None,
    base: PriorSet,
    seed: int,
    *,
    jobs: int = 2,
    client: Any = None,
    store: Path | None = None,
    resume: bool = False,
    quiet: bool = True,
    learning: dict[str, Any] | None = None,
) -> list[Forecast]:
    """Forecast every war, and keep each in `store`; `jobs`, `client`: see `sim.system.tasks.finish_tasks`."""
    settings = {**LEARNING, **(learning or {})}
    if prior is None and len(record.wars) < MIN_WARS:
        raise refuse("the table", "", f"{len(record.wars)} war leaves none to learn from", "give --prior NAME")
    key = fingerprint(record, prior or base, seed, settings if prior is None else {})
    kept = None if store is None else Store(store, key, "war")
    work = partial(_forecast_as_entry, record, prior, base, seed, settings)
    found: dict[str, list[Forecast]] = {}
    with show_steps("wars", len(record.wars), quiet) as advance:
        for war, entry in finish_tasks(work, record.wars, store=kept, resume=resume, jobs=jobs, client=client):
            found[war] = [Forecast(**{**each, "quantiles": np.array(each["quantiles"])}) for each in entry["forecasts"]]
            advance()
    return [each for war in record.wars for each in found[war]]


def _forecast_as_entry(
    record: Record, prior: PriorSet | None, base: PriorSet, seed: int, settings: dict[str, Any], war: str
) -> Entry:
    found = forecast_war(record, war, prior, base, seed, settings)
    return {"forecasts": [{**each.__dict__, "quantiles": each.quantiles.tolist()} for each in found]}


def fingerprint(record: Record, priors: PriorSet, seed: int, settings: dict[str, Any]) -> str:
    """Return a hash of what the forecasts depend on."""
    parts = [record.sha256, priors.sha256, priors.name, str(seed), json.dumps([settings, FITS], sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
    )


@dataclass(frozen=True)
class ScoredTruth:
    """A truth that is not zero, with its war, what was said of it, and the forecast's score."""

    hindcast: Hindcast
    truth: Truth
    said: Said
    score: Score | None = None


def list_scored_truths(record: Record) -> list[ScoredTruth]:
    """Return the scored truths of a record: those that are not zero."""
    return [
        ScoredTruth(item, truth, list_said(item, truth))
        for item in record.hindcasts
        for truth in item.truths
        if not truth.is_zero
    ]


def score_baseline(name: str, rows: Sequence[ScoredTruth], reference: Sequence[ScoredTruth] | None) -> list[Score]:
    """Score a simple rule; its spread, where it needs one, is chosen on other wars, or on a reference table."""
    found, spreads = [], {}
    for row in rows:
        war = row.hindcast.war
        if name in CENTRES and war not in spreads:
            others = reference or [other for other in rows if other.hindcast.war != war]
            spreads[war] = choose_spread(
                [other.said for other in others],
                [other.truth.established for other in others],
                centre=CENTRES[name],
            )
        draws = baselines.forecast(name, row.said, spreads.get(war, baselines.SINGLE_SD))
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
    return {
        "schema": 1,
        **(summarise(scores, wars, np.random.default_rng(seed)) if rows else NOTHING),
        "untrusted_fits": sum(not each.trusted for each in forecasts),
        "fits": len({each.case for each in forecasts}),
        "rows": [_describe_truth(row, score) for row, score in zip(rows, scores, strict=True)],
        "fabricated": [
            {
                "case": truth.case,
                "force": truth.force,
                "quantity": truth.quantity,
                "p_zero": by_key[_key_of(truth)].p_zero,
                "median": float(np.median(by_key[_key_of(truth)].quantiles)),
            }
            for item in record.hindcasts
            for truth in item.truths
            if truth.is_zero
        ],
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


def _describe_truth(row: ScoredTruth, score: Score) -> dict[str, Any]:
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
