"""Leaving out single claims of a large case without fitting it again: Pareto-smoothed importance sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sim.contract.values import round_figures
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.posterior.sample import Sample
from sim.report.robustness import GOOD_K
from sim.robustness.counts import FitSummary, Floats, describe_counts
from sim.robustness.variants import Variant
from sim.sampler.diagnostics import smooth_weights

MOST_REFITS = 20  # of single claims of a large case


def reweigh_claims(sample: Sample, chains: int, variants: Sequence[Variant]) -> Iterator[tuple[Variant, FitSummary]]:
    """Yield the variants that leave out claims, with importance weights that can be trusted.

    Of single claims whose weights cannot be trusted the MOST_REFITS with the largest k are left for refits; the others
    are told as they are, marked.
    """
    by_claim = _list_contributions(sample)
    doubtful: list[tuple[float, Variant, Floats]] = []
    for variant in variants:
        if variant.kind != "leave_claim_out":
            continue
        log_weights, k = smooth_weights(-by_claim[variant.what])
        if k <= GOOD_K:
            yield variant, summarise_weighted(sample, chains, log_weights, k, "psis")
        else:
            doubtful.append((k, variant, log_weights))
    doubtful.sort(key=lambda each: -each[0])
    for k, variant, log_weights in doubtful[MOST_REFITS:]:
        yield variant, summarise_weighted(sample, chains, log_weights, k, "psis")


def summarise_weighted(sample: Sample, chains: int, log_weights: Floats, k: float, how: str) -> FitSummary:
    """Return what weighted draws say; they are trusted where Pareto's k is small."""
    return FitSummary(k <= GOOD_K, how, round_figures(k, 3), describe_counts(sample, chains, log_weights))


def _list_contributions(sample: Sample) -> dict[str, Floats]:
    """Return what each claim adds to the log likelihood of each draw, shape (draws,).

    A claim whose source's role has several readings adds what the mean over them gains by it.
    """
    beliefs, unknowns = sample.design.beliefs, sample.unknowns
    at = [unknowns[name] for name in ("theta", "effects", "statement")]
    rows = map_draws(
        lambda block: row_log_likelihoods(NUMPY, beliefs, sample.flat_state[block], *(each[block] for each in at)),
        len(at[0]),
    )
    mixed = {number for group in beliefs.mixtures for number in group}
    whole = join_readings(NUMPY, beliefs, rows) if mixed else np.zeros(len(rows))
    found: dict[str, Floats] = {}
    for number, row in enumerate(beliefs.rows):
        if row.observation is None or row.observation.claim.id in found:
            continue
        claim = row.observation.claim.id
        if row.reading not in mixed:
            found[claim] = rows[:, number]
            continue
        without = rows.copy()
        for other, same in enumerate(beliefs.rows):
            if same.observation is not None and same.observation.claim.id == claim:
                without[:, other] = 0.0
        found[claim] = whole - join_readings(NUMPY, beliefs, without)
    return found
