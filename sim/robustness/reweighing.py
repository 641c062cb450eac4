"""Leaving out claims, one or many, without fitting the case again: Pareto-smoothed importance sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sim.contract.sensitivity import Forecast
from sim.contract.values import round_figures
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.posterior.sample import Sample
from sim.posterior.summary import predict_number
from sim.report.robustness import GOOD_K, LEFT_OUT
from sim.robustness.counts import FitSummary, Floats, describe_counts, quantiles_of
from sim.robustness.variants import Variant, list_left_out
from sim.sampler.diagnostics import smooth_weights

MOST_REFITS = 20  # of single claims of a large case


def reweigh_claims(
    sample: Sample, chains: int, variants: Sequence[Variant], most_refits: int = MOST_REFITS
) -> Iterator[tuple[Variant, FitSummary]]:
    """Yield the variants that leave out claims, one or many, with importance weights that can be trusted.

    Of those whose weights cannot be trusted `most_refits` with the largest k are left for refits; the others are told
    as they are, marked.
    """
    left_out = {variant.task: variant for variant in variants if variant.kind in LEFT_OUT}
    claims = {task: list_left_out(sample.design, variant) for task, variant in left_out.items()}
    adds = _list_contributions(sample, {task: found for task, found in claims.items() if found is not None})
    doubtful: list[tuple[float, Variant, Floats]] = []
    for task, added in adds.items():
        log_weights, k = smooth_weights(-added)
        if k <= GOOD_K:
            yield left_out[task], summarise_weighted(sample, chains, log_weights, k, "psis")
        else:
            doubtful.append((k, left_out[task], log_weights))
    doubtful.sort(key=lambda each: -each[0])
    for k, variant, log_weights in doubtful[most_refits:]:
        yield variant, summarise_weighted(sample, chains, log_weights, k, "psis")


def forecast_claims(sample: Sample) -> Iterator[Forecast]:
    """Yield how far each claim is off what would be forecast of it without it, where its weights can be trusted.

    A bias that was fitted to a claim does not excuse it so.
    """
    observations = {item.claim.id: item for item in sample.design.evidence.observations}
    for claim, added in _list_contributions(sample, {claim: frozenset({claim}) for claim in observations}).items():
        log_weights, k = smooth_weights(-added)
        if k > GOOD_K:
            continue
        item, weights = observations[claim], np.exp(log_weights - log_weights.max())
        logs = np.log(np.maximum(predict_number(sample, item), 1e-300))
        middle = float(quantiles_of(logs, np.array([0.5]), weights)[0])
        spread = float(np.sqrt(np.average((logs - np.average(logs, weights=weights)) ** 2, weights=weights)))
        said = max(item.claim.central or 0.0, 0.5 if item.claim.unit == "count" else 0.0025)
        if spread > 0:
            off_by = round_figures((float(np.log(said)) - middle) / spread, 3)
            yield Forecast(claim=claim, off_by=off_by, k=round_figures(k, 3))


def summarise_weighted(sample: Sample, chains: int, log_weights: Floats, k: float, how: str) -> FitSummary:
    """Return what weighted draws say; they are trusted where Pareto's k is small."""
    return FitSummary(k <= GOOD_K, how, round_figures(k, 3), describe_counts(sample, chains, log_weights))


def _list_contributions(sample: Sample, parts: Mapping[str, frozenset[str]]) -> dict[str, Floats]:
    """Return what each part of the claims adds to the log likelihood of each draw, shape (draws,).

    Claims whose source's role has several readings add what the mean over them gains by these.
    """
    beliefs, unknowns = sample.design.beliefs, sample.unknowns
    at = [unknowns[name] for name in ("theta", "effects", "statement")]
    rows = map_draws(
        lambda block: row_log_likelihoods(NUMPY, beliefs, sample.flat_state[block], *(each[block] for each in at)),
        len(at[0]),
    )
    mixed = {number for group in beliefs.mixtures for number in group}
    whole = join_readings(NUMPY, beliefs, rows) if mixed else np.zeros(len(rows))
    ids = [None if row.observation is None else row.observation.claim.id for row in beliefs.rows]
    found: dict[str, Floats] = {}
    for name, claims in parts.items():
        of = [number for number, claim in enumerate(ids) if claim in claims]
        if mixed.isdisjoint(beliefs.rows[number].reading for number in of):
            found[name] = np.asarray(rows[:, of].sum(axis=1))
            continue
        without = rows.copy()
        without[:, of] = 0.0
        found[name] = whole - join_readings(NUMPY, beliefs, without)
    return found
