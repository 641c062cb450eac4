"""From a sample of the posterior to `summary.json`: estimates, exceedance, biases, claims, derived quantities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sim.case.case import STATES, Case, Derived, Role, Threshold
from sim.case.check.questions import list_unanswered
from sim.case.evidence import read_as_of_end
from sim.case.observations import Observation
from sim.contract.summary import (
    CURVES,
    Bias,
    CountPath,
    DerivedEstimate,
    Diagnostics,
    Estimate,
    Exceedance,
    JudgedClaim,
    MemoHead,
    NamedForce,
    NamedSource,
    Priors,
    Question,
    Reading,
    Result,
    Variance,
    choose_leading,
)
from sim.contract.values import DOTS, LEVELS, MAX_ENTRIES, PERCENTS, round_figures
from sim.model.design import Design
from sim.posterior.fit import Draws
from sim.posterior.next_report import value_reports
from sim.posterior.sample import Sample, by_chain, thin_sample
from sim.posterior.variance import realise_errors, share_variance
from sim.sampler.diagnostics import Verdict, mcse_quantile
from sim.words import say_probability

# The mean of a count is given only where hardly any draw is so far out that it alone moves the mean.
FAR, FAR_PROBABILITY = 100, 1e-4

Floats = NDArray[np.float64]
Key = tuple[str, str]


def summarise(sample: Sample, prior: Sample, draws: Draws, verdict: Verdict, seed: int, attempts: int = 1) -> Result:
    """Return the contents of `summary.json` (see `docs/formats.md`).

    Parameters
    ----------
    sample, prior : Sample
        Of the posterior and of the prior of one design.
    draws : Draws
    verdict : Verdict
    seed : int
    attempts : int
        How often the posterior was sampled until the verdict was good, or given up.
    """
    design, case, leading = sample.design, sample.design.case, choose_keys(sample)
    errors = realise_errors(thin_sample(sample)) if len(design.evidence.observations) else {}
    first = {force: (force, quantity) for force, quantity in reversed(leading)}
    return Result(
        case=case.name,
        title=case.title,
        as_of=design.as_of.isoformat(),
        known_by=None if design.known_by is None else design.known_by.isoformat(),
        seed=seed,
        inputs=design.fingerprint,
        prior=_describe_priors(design),
        forces=tuple(
            NamedForce(force=key, label=case.label_force(key), victims=each.victims)
            for key, each in case.forces.items()
        ),
        sources=tuple(_describe_source(case, key) for key in case.sources),
        trusted=verdict.trusted,
        diagnostics=_describe_draws(draws, verdict, attempts),
        estimates=tuple(_estimate(sample, prior, draws.shape[0], *key) for key in sample.headline),
        exceedance=tuple(_exceed(sample, threshold) for threshold in case.file.thresholds),
        bias=tuple(_describe_bias(sample, prior, key) for key in sample.biases),
        variance=tuple(_describe_variance(thin_sample(sample), errors, key) for key in leading),
        next_reports=tuple(
            report for force in case.forces if force in first for report in value_reports(sample, *first[force])
        ),
        readings=tuple(_describe_readings(sample)),
        claims=tuple(describe_claims(sample)),
        derived=tuple(_describe_derived(sample.derived[item.name], item) for item in case.file.derived),
        used_claims=len(design.evidence.observations),
        paths=tuple(_describe_path(sample, *key) for key in sample.headline),
        ongoing=case.file.end is None,
        memo=_describe_memo(case),
        questions=tuple(
            Question(kind=each.kind, where=each.where, text=each.text)
            for each in list_unanswered(case, design.evidence)[:MAX_ENTRIES]
        ),
    )


def choose_keys(sample: Sample) -> list[Key]:
    """Return the counts that the report leads with (see `sim.contract.summary.choose_leading`)."""
    return choose_leading({key: sample.design.case.parts_of(*key) for key in sample.headline})


def intervals(values: Floats, digits: int = 6) -> dict[str, tuple[float, float]]:
    """Return the equal-tailed intervals of draws at each level."""
    ends = np.quantile(values, [[(1 - level) / 2, (1 + level) / 2] for level in LEVELS])
    return {
        str(level): (round_figures(low, digits), round_figures(high, digits))
        for level, (low, high) in zip(LEVELS, ends, strict=True)
    }


def _describe_priors(design: Design) -> Priors:
    return Priors(
        name=design.priors.name,
        provisional=design.priors.provisional,
        learned=bool(design.priors.learned_from),
        borrowed=tuple(design.priors.borrowed),
        overrides=tuple(design.priors.overrides),
    )


def _describe_memo(case: Case) -> MemoHead | None:
    table = case.file.memo
    return None if table is None else MemoHead(**table.model_dump(mode="json"))


def _describe_draws(draws: Draws, verdict: Verdict, attempts: int) -> Diagnostics:
    return Diagnostics(
        max_rhat=round(verdict.max_rhat, 5),
        min_ess_bulk=round(verdict.min_ess_bulk, 1) if np.isfinite(verdict.min_ess_bulk) else None,
        min_ess_tail=round(verdict.min_ess_tail, 1) if np.isfinite(verdict.min_ess_tail) else None,
        divergences=verdict.divergences,
        worst=verdict.worst,
        reasons=verdict.reasons,
        chains=draws.shape[0],
        draws=draws.shape[1],
        attempts=attempts,
        seconds={stage: round(value, 3) for stage, value in draws.seconds.items()},
    )


def _estimate(sample: Sample, prior: Sample, chains: int, force: str, quantity: str) -> Estimate:
    values, before = sample.headline[force, quantity], prior.headline[force, quantity]
    log_values, log_prior = np.log(values + 0.5), np.log(before + 0.5)
    median = float(np.median(values))
    stable = float(np.mean(values > FAR * max(median, 1.0))) <= FAR_PROBABILITY
    errors = [round_figures(mcse_quantile(by_chain(values, chains), edge), 3) for edge in (0.05, 0.95)]
    return Estimate(
        force=force,
        quantity=quantity,
        parts=() if quantity in STATES else sample.design.case.parts_of(force, quantity),
        as_of=sample.design.as_of.isoformat(),
        median=round_figures(median),
        mean=round_figures(np.mean(values)) if stable else None,
        sd=round_figures(np.std(values, ddof=1)) if stable else None,
        log_mean=round_figures(np.mean(log_values)),
        log_sd=round_figures(np.std(log_values, ddof=1)),
        mcse_median=round_figures(mcse_quantile(by_chain(values, chains)), 3),
        mcse_interval_90=(errors[0], errors[1]),
        intervals=intervals(values),
        prior_median=round_figures(np.median(before)),
        prior_intervals=intervals(before),
        prior_share=_share_left(float(np.std(log_values)) ** 2, float(np.std(log_prior)) ** 2),
        bias_share=round_figures(_explain_by_bias(sample, force, log_values), 3),
        percentiles=tuple(map(round_figures, np.percentile(values, PERCENTS))),
        dots=tuple(map(round_figures, np.quantile(values, (np.arange(DOTS) + 0.5) / DOTS))),
        p_zero=round_figures(np.mean(values < 0.5), 3),
    )


def _share_left(variance: float, before: float) -> float:
    """Return the share of a prior variance that is left."""
    return round_figures(min(1.0, variance / before) if before > 0 else 1.0, 3)


def _explain_by_bias(sample: Sample, force: str, log_values: Floats) -> float:
    """Return the share of the variance of a log count that the sources' biases explain (R^2 of a linear regression).

    To first order this is what knowing every source's bias would take away.
    """
    columns = [values for (_, of, _), values in sample.biases.items() if of == force and np.ptp(values) > 0]
    if not columns or np.ptp(log_values) == 0:
        return 0.0
    design = np.column_stack([np.ones_like(log_values), *columns])
    rest = log_values - design @ np.linalg.lstsq(design, log_values)[0]
    return float(np.clip(1 - np.var(rest) / np.var(log_values), 0, 1))


def _describe_variance(sample: Sample, errors: dict[Key, Floats], key: Key) -> Variance:
    shares = {name: round_figures(share, 3) for name, share in share_variance(sample, errors, key).items()}
    return Variance(force=key[0], quantity=key[1], shares=shares)


def _describe_source(case: Case, key: str) -> NamedSource:
    source = case.sources[key]
    roles = {force: source.roles_towards(force) for force in case.forces}
    return NamedSource(source=key, label=case.label_source(key), roles=roles, rating=source.rating)


def _describe_path(sample: Sample, force: str, quantity: str) -> CountPath:
    """Return the median and the 50% and 90% intervals of the cumulative count on each evening that the model knows."""
    values = sample.cumulate(force, quantity)[:, 1:]
    start = sample.design.case.start
    days = tuple((start + dt.timedelta(days=int(cut) - 1)).isoformat() for cut in sample.design.timeline.cuts[1:])
    bands = np.quantile(values, list(CURVES.values()), axis=0)
    curves = {name: tuple(map(round_figures, band)) for name, band in zip(CURVES, bands, strict=True)}
    return CountPath(force=force, quantity=quantity, days=days, **curves)


def _exceed(sample: Sample, threshold: Threshold) -> Exceedance:
    force = threshold.force or next(iter(sample.design.case.forces))
    probability = float(np.mean(sample.headline[force, threshold.quantity] > threshold.above))
    return Exceedance(
        force=force,
        quantity=threshold.quantity,
        above=threshold.above,
        probability=round_figures(probability, 4),
        words=say_probability(probability),
    )


def _describe_bias(sample: Sample, prior: Sample, key: tuple[str, str, str]) -> Bias:
    source, force, quantity = key
    values = sample.biases[key]
    return Bias(
        source=source,
        force=force,
        quantity=quantity,
        median=round_figures(np.exp(np.median(values))),
        intervals=intervals(np.exp(values)),
        prior_share=_share_left(float(np.var(values)), float(np.var(prior.biases[key]))),
        prior_median=round_figures(np.exp(np.median(prior.biases[key]))),
    )


def _describe_readings(sample: Sample) -> Iterator[Reading]:
    """Say, where a role can be read in several ways, how likely each is and what it would make of the headline."""
    beliefs = sample.design.beliefs
    for number in (number for group in beliefs.mixtures for number in group):
        reading, weight = beliefs.readings[number], sample.reading_weights[:, number]
        yield Reading(
            source=reading.source,
            force=reading.force,
            role=cast("Role", reading.role),  # what is established is read in one way
            prior=reading.weight,
            probability=round_figures(np.mean(weight), 4),
            medians={
                f"{force}.{quantity}": round_figures(weighted_median(values, weight))
                for (force, quantity), values in sample.headline.items()
            },
        )


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the median of draws under weights."""
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def describe_claims(sample: Sample) -> Iterator[JudgedClaim]:
    """Yield for each row whether it is used, and what its source was expected to say."""
    sample = thin_sample(sample)
    design = sample.design
    observed = {item.claim.id: item for item in design.evidence.observations}
    for claim in read_as_of_end(design.case).claims:
        item = observed.get(claim.id)
        judged = JudgedClaim(
            **claim.model_dump(mode="json", exclude={"row"}),
            used=item is not None,
            denies=item is not None and item.denies,
            owner=claim.source if item is None else item.source,
            why_not=design.evidence.unused.get(claim.id),
        )
        yield judged if item is None or item.denies else _expect_claim(judged, item, predict_number(sample, item))


def _expect_claim(judged: JudgedClaim, item: Observation, repeated: Floats) -> JudgedClaim:
    """Return a used claim beside draws of what its source would have said again."""
    logs = np.log(np.maximum(repeated, 1e-300))
    said = weigh_said(item)
    return replace(
        judged,
        expected=round_figures(np.median(repeated)),
        expected_intervals=intervals(repeated),
        # Of a total's part both are shares, so the total that was said cancels.
        standardised=round_figures((np.log(said) - np.median(logs)) / np.std(logs, ddof=1), 4),
    )


def predict_number(sample: Sample, item: Observation) -> Floats:
    """Return what the claim's source would have said again, in the claim's unit, shape (draws,)."""
    values = sample.said[item.claim.id]
    if not item.is_share:
        return np.exp(np.clip(values, -700, 700)) / (item.claim.known_whole or 1.0)
    share = 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    return share if item.claim.unit == "share" else share * sample.wholes[item.claim.id]


def weigh_said(item: Observation) -> float:
    """Return the number that was said, in the claim's unit; of none what that may still be rounded from."""
    claim, said = item.claim, item.claim.central or 0.0
    if claim.is_count:
        return max(said, 0.5) / (claim.known_whole or 1.0)
    return max(said, 0.0025) if claim.unit == "share" else said


def _describe_derived(values: Floats, derived: Derived) -> DerivedEstimate:
    finite = values[np.isfinite(values)]
    usable = len(finite) > 0
    return DerivedEstimate(
        name=derived.name,
        label=derived.label or derived.name.replace("_", " "),
        unit=derived.unit,
        expr=derived.expr,
        median=round_figures(np.median(finite)) if usable else None,
        intervals=intervals(finite) if usable else None,
        percentiles=tuple(map(round_figures, np.percentile(finite, PERCENTS))) if usable else None,
        undefined=round_figures(1 - len(finite) / len(values), 3),
    )
