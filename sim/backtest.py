"""Back-testing: forecasts of wars whose losses are now known, scored beside simple rules.

Each war is forecast by priors that never saw it: those learned from the other wars, or a set that stands as it is.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import baselines
from sim.baselines import CENTRES, NAMES, Said, choose_spread
from sim.diagnostics import judge_draws
from sim.errors import InputError
from sim.evidence import RANGE_SPAN, weigh_claims
from sim.fit import sample_posterior, show_steps
from sim.learn import FIT as LEARNING
from sim.learn import learn_priors, update_priors
from sim.model import design_model
from sim.posterior import by_chain, take_posterior
from sim.priors import PriorSet
from sim.record import Hindcast, Record, Truth, read_record
from sim.scores import Score, compare, score_draws, summarise

Floats = NDArray[np.float64]

FIT: dict[str, Any] = {"draws": 500, "tune": 600, "target_accept": 0.95}
MAX_RHAT = 1.02  # of the forecast counts; beyond it a case is fitted again as a run would fit it
KEPT = 1_000  # quantiles of each forecast


@dataclass(frozen=True)
class Forecast:
    """A forecast of one truth.

    Attributes
    ----------
    case, force, quantity : str
    quantiles : ndarray, shape (KEPT,)
        Of the count, at the middles of equal probabilities.
    p_zero : float
        The probability that nothing was lost.
    trusted : bool
        Whether the chains agree.
    """

    case: str
    force: str
    quantity: str
    quantiles: Floats
    p_zero: float
    trusted: bool


def forecast_case(hindcast: Hindcast, priors: PriorSet, seed: int) -> list[Forecast]:
    """Forecast the truths of a case from its claims."""
    days = [truth.day for truth in hindcast.truths]
    design = design_model(hindcast.case, priors, as_of=max(days), days=days)
    own_seed = seed_of(seed, hindcast.case.name)
    settings = FIT
    while True:
        draws = sample_posterior(design, own_seed, quiet=True, **settings)
        sample = take_posterior(design, draws, own_seed)
        counts = [sample.count(truth.force, truth.quantity, truth.day) for truth in hindcast.truths]
        tested = {str(number): by_chain(np.log(values + 0.5), draws.shape[0]) for number, values in enumerate(counts)}
        trusted = judge_draws(tested, 0).max_rhat < MAX_RHAT
        if trusted or not settings:
            break
        settings = {}
    middles = (np.arange(KEPT) + 0.5) / KEPT
    return [
        Forecast(
            hindcast.case.name,
            truth.force,
            truth.quantity,
            np.rint(np.quantile(values, middles)),
            float(np.mean(values < 0.5)),
            trusted,
        )
        for truth, values in zip(hindcast.truths, counts, strict=True)
    ]


def seed_of(seed: int, name: str) -> int:
    """Return the seed of a task, which follows from its name alone and not from who runs it when."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0] % 2**31)


def forecast_war(
    record: Record, war: str, prior: PriorSet | None, base: PriorSet, seed: int, learning: dict[str, Any]
) -> list[Forecast]:
    """Forecast the cases of one war; without a prior set, by priors learned from the other wars."""
    if prior is None:
        others = [item for item in record.hindcasts if item.war != war]
        learned = learn_priors(others, base, seed_of(seed, war), quiet=True, **learning)
        prior = update_priors(base, learned, f"without {war}", "")
    own = [item for item in record.hindcasts if item.war == war]
    return [each for item in own for each in forecast_case(item, prior, seed)]


def run_tasks(
    record: Record,
    prior: PriorSet | None,
    base: PriorSet,
    seed: int,
    *,
    jobs: int = 2,
    store: Path | None = None,
    resume: bool = False,
    quiet: bool = True,
    learning: dict[str, Any] | None = None,
) -> list[Forecast]:
    """Forecast every war, several at once, keeping each in `store` as it is finished."""
    from joblib import Parallel, delayed

    settings = {**LEARNING, **(learning or {})}
    key = fingerprint(record, prior or base, seed, settings if prior is None else {})
    kept = dict(_read_store(store, key)) if store is not None and resume else {}
    if store is not None:
        store.parent.mkdir(parents=True, exist_ok=True)
        if not resume:
            store.write_text("", encoding="utf-8")
    wars = [war for war in record.wars if war not in kept]

    def work(war: str) -> tuple[str, list[Forecast]]:
        return war, forecast_war(record, war, prior, base, seed, settings)

    with show_steps("wars", len(wars), quiet) as advance:
        for war, found in Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(work)(war) for war in wars):
            kept[war] = found
            if store is not None:
                with store.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "war": war, "forecasts": [_to_json(each) for each in found]}))
                    file.write("\n")
            advance()
    return [each for war in record.wars for each in kept[war]]


def fingerprint(record: Record, priors: PriorSet, seed: int, settings: dict[str, Any]) -> str:
    """Return a hash of what the forecasts depend on."""
    parts = [record.sha256, priors.sha256, priors.name, str(seed), json.dumps([settings, FIT], sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _to_json(forecast: Forecast) -> dict[str, Any]:
    return {**forecast.__dict__, "quantiles": forecast.quantiles.tolist()}


def _read_store(store: Path, key: str) -> Iterator[tuple[str, list[Forecast]]]:
    if not store.is_file():
        return
    for line in store.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a line that an interruption cut short
        if entry.get("key") == key:
            yield (
                entry["war"],
                [Forecast(**{**each, "quantiles": np.array(each["quantiles"])}) for each in entry["forecasts"]],
            )


def list_said(hindcast: Hindcast, truth: Truth) -> Said:
    """Return what simple rules make use of: the counts claimed of the truth's own quantity, whatever their day."""
    used = [
        item
        for item in weigh_claims(hindcast.case).observations
        if (item.claim.force, item.claim.quantity, item.claim.unit) == (truth.force, truth.quantity, "count")
        and item.claim.measure != "interval"
    ]
    spans = [
        np.log(max(item.claim.high or 0.0, 0.5) / max(item.claim.low or 0.0, 0.5)) / RANGE_SPAN
        if item.claim.qualifier == "range"
        else 0.0
        for item in used
    ]
    roles = [hindcast.case.sources[item.source].roles_towards(truth.force) for item in used]
    return Said(
        log_claims=np.log(np.array([item.claim.central or 0.0 for item in used]) + 0.5),
        own_sd=np.array(spans, dtype=float),
        independent=np.array(["independent" in role for role in roles], dtype=bool),
        sources=tuple(item.source for item in used),
    )


@dataclass(frozen=True)
class Row:
    """A truth that is not zero, with its war, what was said of it, and the forecast's score."""

    hindcast: Hindcast
    truth: Truth
    said: Said
    score: Score | None = None


def list_rows(record: Record) -> list[Row]:
    """Return the scored truths of a record: those that are not zero."""
    return [
        Row(item, truth, list_said(item, truth))
        for item in record.hindcasts
        for truth in item.truths
        if not truth.is_zero
    ]


def score_baseline(name: str, rows: Sequence[Row], reference: Sequence[Row] | None) -> list[Score]:
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
    by_key = {(each.case, each.force, each.quantity): each for each in forecasts}
    rows = list_rows(record)
    wars = [row.hindcast.war for row in rows]
    mine = [by_key[row.hindcast.case.name, row.truth.force, row.truth.quantity] for row in rows]
    scores = [score_draws(row.truth.established, each.quantiles) for row, each in zip(rows, mine, strict=True)]
    learned_on = list_rows(reference) if reference else None
    simple = {name: score_baseline(name, rows, learned_on) for name in NAMES}
    return {
        "schema": 1,
        **summarise(scores, wars, np.random.default_rng(seed)),
        "untrusted_fits": sum(not each.trusted for each in forecasts),
        "fits": len({each.case for each in forecasts}),
        "rows": [_describe_row(row, score) for row, score in zip(rows, scores, strict=True)],
        "fabricated": [
            {
                "case": item.case.name,
                "force": truth.force,
                "quantity": truth.quantity,
                "p_zero": by_key[item.case.name, truth.force, truth.quantity].p_zero,
                "median": float(np.median(by_key[item.case.name, truth.force, truth.quantity].quantiles)),
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
        },
        "skipped": list(record.skipped),
    }


def _describe_row(row: Row, score: Score) -> dict[str, Any]:
    truth = row.truth
    return {
        "case": row.hindcast.case.name,
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
