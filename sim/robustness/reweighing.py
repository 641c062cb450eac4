"""Leaving out claims, one or many, without fitting the case again: Pareto-smoothed importance sampling."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.evidence import set_denials
from sim.contract.sensitivity import Forecast
from sim.contract.values import round_figures
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.model.claims.earliness import find_earliness
from sim.model.claims.invented import find_claimed, find_doubtful
from sim.model.claims.layout import BeliefLayout, Parts
from sim.model.claims.rows import ESTABLISHED
from sim.model.claims.series import find_link
from sim.model.density.codes import Link
from sim.model.losses.picks import PickLayout, find_picks, find_silences, lay_out_picks, pick_told_part, weigh_picks
from sim.posterior.sample import Sample
from sim.posterior.summary import predict_number, weigh_said
from sim.report.robustness import GOOD_K, LEFT_OUT
from sim.robustness.counts import FitSummary, Floats, describe_counts, quantiles_of
from sim.robustness.variants import Variant, list_left_out
from sim.sampler.diagnostics import Limits, count_weighted, smooth_weights

Ints = NDArray[np.int64]

OF_ROWS = (  # the fields of a layout that have an element for each row, but for those of what follows it
    "is_share", "is_capped", "statement", "noise", "own_sd", "contaminated", "is_prior", "form", "lower", "upper",
    "point", "log_width", "sign", "wording", "fresh", "early",
)  # fmt: skip
MOST_REFITS = 20  # of single claims of a large case
OF_SHIFTS = Limits(max_rhat=1.02, min_ess=200, may_diverge=False)  # of variants, told with their errors


def reweigh_claims(
    sample: Sample, chains: int, variants: Sequence[Variant], efficiency: float, most_refits: int = MOST_REFITS
) -> Iterator[tuple[Variant, FitSummary]]:
    """Yield the variants that leave out claims, one or many, with importance weights that can be trusted.

    Of those whose weights cannot be trusted, or are so uneven that few effective draws are left, `most_refits` with the
    largest k are left for refits; the others are told as they are, marked where k is large. Where others would be left
    to say that there was any loss, or none, draws are not weighed. `efficiency` is that of the draws, unweighted.
    """
    left_out = {variant.task: variant for variant in variants if variant.kind in LEFT_OUT}
    claims = {task: list_left_out(sample.design, variant) for task, variant in left_out.items()}
    claims = {task: found for task, found in claims.items() if found is None or not _changes_doubts(sample, found)}
    adds = _list_contributions(sample, {task: found for task, found in claims.items() if found is not None})
    doubtful: list[tuple[float, Variant, Floats]] = []
    for task, added in adds.items():
        log_weights, k = smooth_weights(-added)
        if carries(log_weights, k, efficiency):
            yield left_out[task], summarise_weighted(sample, chains, log_weights, k, "psis", efficiency)
        else:
            doubtful.append((k, left_out[task], log_weights))
    doubtful.sort(key=lambda each: -each[0])
    for k, variant, log_weights in doubtful[most_refits:]:
        yield variant, summarise_weighted(sample, chains, log_weights, k, "psis", efficiency)


def forecast_claims(sample: Sample) -> Iterator[Forecast]:
    """Yield how far each claim is off what would be forecast of it without it, where its weights can be trusted.

    A bias that was fitted to a claim does not excuse it so.
    """
    observations = {item.claim.id: item for item in sample.design.evidence.observations}
    for claim, added in _list_contributions(sample, {claim: frozenset({claim}) for claim in observations}).items():
        log_weights, k = smooth_weights(-added)
        if k > GOOD_K or observations[claim].denies:
            continue
        item, weights = observations[claim], np.exp(log_weights - log_weights.max())
        logs = np.log(np.maximum(predict_number(sample, item), 1e-300))
        middle = float(quantiles_of(logs, np.array([0.5]), weights)[0])
        spread = float(np.sqrt(np.average((logs - np.average(logs, weights=weights)) ** 2, weights=weights)))
        said = weigh_said(item)
        if spread > 0:
            off_by = round_figures((float(np.log(said)) - middle) / spread, 3)
            yield Forecast(claim=claim, off_by=off_by, k=round_figures(k, 3))


def carries(log_weights: Floats, k: float, efficiency: float) -> bool:
    """Whether weighted draws tell as much as a fit that is trusted: Pareto's k is small, and enough are effective."""
    return k <= GOOD_K and efficiency * count_weighted(log_weights) > OF_SHIFTS.min_ess


def summarise_weighted(
    sample: Sample, chains: int, log_weights: Floats, k: float, how: str, efficiency: float
) -> FitSummary:
    """Return what weighted draws say; they are trusted where Pareto's k is small."""
    return FitSummary(k <= GOOD_K, how, round_figures(k, 3), describe_counts(sample, chains, log_weights, efficiency))


def _changes_doubts(sample: Sample, claims: frozenset[str]) -> bool:
    """Whether without some claims there would be other odds that nothing was lost, or a denial would deny nothing.

    Or less would be claimed to have been one at least.
    """
    case, evidence = sample.design.case, sample.design.evidence
    kept = tuple(item for item in evidence.observations if item.claim.id not in claims)
    before, after = (
        (find_doubtful(case, each), find_claimed(case, each))
        for each in (evidence, replace(evidence, observations=kept))
    )
    again = set_denials(case, kept)
    return before != after or any(one is not other for one, other in zip(kept, again, strict=True))


def _list_contributions(sample: Sample, parts: Mapping[str, frozenset[str]]) -> dict[str, Floats]:
    """Return what each part of the claims adds to the log likelihood of each draw, shape (draws,).

    Claims whose source's role has several readings add what the mean over them gains by these; those that others of
    their series are read given, what these gain besides: without them they are read given the next one that is left.
    So does what nobody follows any more, and so is early no more. Which days are told of is another gain.
    """
    beliefs = sample.design.beliefs
    rows = _read_rows(sample, beliefs)
    mixed = {number for group in beliefs.mixtures for number in group}
    whole = join_readings(NUMPY, beliefs, rows) if mixed else np.zeros(len(rows))
    ids = [None if row.observation is None else row.observation.claim.id for row in beliefs.rows]
    found: dict[str, Floats] = {}
    for name, claims in parts.items():
        of = [number for number, claim in enumerate(ids) if claim in claims]
        early = _find_early(sample, claims)
        moved = {-1: False, **dict(enumerate(early != beliefs.early))}
        readers = [
            n for n, after in enumerate(beliefs.successor)
            if n not in of and (after in of or moved[n] or moved[int(after)])
        ]  # fmt: skip
        without = rows.copy()
        without[:, of] = 0.0
        if readers:
            changed = _skip_rows(replace(beliefs, early=early), of, readers)
            without[:, readers] = _read_rows(sample, changed)[:, : len(readers)]
        moving = [*of, *readers]
        if mixed.isdisjoint(beliefs.rows[number].reading for number in moving):
            found[name] = np.asarray((rows - without)[:, moving].sum(axis=1))
        else:
            found[name] = whole - join_readings(NUMPY, beliefs, without)
        if sample.design.picks.spells:
            found[name] = found[name] + _pick_days(sample, frozenset()) - _pick_days(sample, claims)
    return found


def _find_early(sample: Sample, claims: frozenset[str]) -> Floats:
    """Return how early each row was said (see `sim.model.claims.earliness`) without some claims."""
    case, rows = sample.design.case, sample.design.beliefs.rows
    kept = [item for item in sample.design.evidence.observations if item.claim.id not in claims]
    found = {item.claim.id: value for item, value in zip(kept, find_earliness(case, kept), strict=True)}
    return np.array([found.get(row.observation.claim.id, 0.0) if row.observation else 0.0 for row in rows])


def _read_rows(sample: Sample, beliefs: BeliefLayout) -> Floats:
    """Return the log likelihood of each row of a layout, shape (draws, rows)."""
    at = [sample.unknowns[name] for name in ("theta", "effects", "statement")]
    return map_draws(
        lambda block: row_log_likelihoods(NUMPY, beliefs, sample.flat_state[block], *(each[block] for each in at)),
        len(at[0]),
    )


def _pick_days(sample: Sample, claims: frozenset[str]) -> Floats:
    """Return the log of how much likelier than at random the days are told of as they are without some claims."""
    design = sample.design
    kept = [item for item in design.evidence.observations if item.claim.id not in claims]
    told = find_picks(design.case, kept, design.timeline, ESTABLISHED)
    told += pick_told_part(design.case, kept, design.timeline)
    # Of a silence that comes with leaving a claim out alone the draws know no parameter.
    silences = find_silences(design.case, kept) if design.picks.told >= 0 else []
    picks: PickLayout = lay_out_picks(
        design.case, told, silences, design.timeline, design.state.series, design.parameters
    )
    theta = sample.unknowns["theta"]
    return map_draws(lambda block: weigh_picks(NUMPY, picks, sample.flat_state[block], theta[block]), len(theta))


def _skip_rows(layout: BeliefLayout, of: Collection[int], readers: Sequence[int]) -> BeliefLayout:
    """Return a layout of some rows, as if others were not: read given the next that is left in their series, or alone.

    The readers are its first rows; what they are read given then are the last.
    """
    before: dict[int, int] = {}  # of each reader the last row that it passes over; itself where there is none
    for reader in readers:
        number = reader
        while int(layout.successor[number]) in of:
            number = int(layout.successor[number])
        before[reader] = number
    later = {reader: int(layout.successor[number]) for reader, number in before.items()}
    heads = sorted({after for after in later.values() if after >= 0})
    kept = np.array([*readers, *heads])
    link, successor = np.full(len(kept), int(Link.NONE)), np.full(len(kept), -1)
    point, sd = np.zeros(len(kept)), np.zeros(len(kept))
    for index, reader in enumerate(readers):
        after = later[reader]
        own, other = layout.rows[reader].observation, layout.rows[after].observation
        if after >= 0 and own is not None and other is not None:
            link[index], successor[index] = find_link(own, other), len(readers) + heads.index(after)
            point[index], sd[index] = layout.next_point[before[reader]], layout.next_sd[before[reader]]
    changed: dict[str, Any] = {"link": link, "successor": successor, "next_point": point, "next_sd": sd}
    changed["is_carried"] = layout.is_carried[kept] & (link != Link.NONE)
    changed |= {name: getattr(layout, name)[kept] for name in OF_ROWS}
    changed |= {
        name: Parts(*(getattr(getattr(layout, name), part.name)[kept] for part in fields(Parts)))
        for name in ("numerator", "denominator")
    }
    return replace(layout, rows=tuple(layout.rows[row] for row in kept), **changed)
