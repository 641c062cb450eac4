"""From a sample of the posterior to `summary.json`: estimates, exceedance, biases, claims, derived quantities."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import STATES, Case
from sim.case.observations import Observation
from sim.posterior.fit import Draws
from sim.posterior.next_report import value_reports
from sim.posterior.sample import Sample, by_chain, thin_sample
from sim.posterior.variance import realise_errors, share_variance
from sim.sampler.diagnostics import Verdict, mcse_quantile
from sim.words import say_probability

SCHEMA = 1
LEVELS = (0.5, 0.8, 0.9, 0.95)
PERCENTS = range(1, 100)
DOTS = (np.arange(20) + 0.5) / 20  # a quantile dotplot: twenty dots, each 5%
# The mean of a count is given only where hardly any draw is so far out that it alone moves the mean.
FAR, FAR_PROBABILITY = 100, 1e-4

Floats = NDArray[np.float64]


def summarise(
    sample: Sample, prior: Sample, draws: Draws, verdict: Verdict, seed: int, attempts: int = 1
) -> dict[str, Any]:
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
    design, keys = sample.design, choose_keys(sample)
    errors = realise_errors(thin_sample(sample)) if len(design.evidence.observations) else {}
    return {
        "schema": SCHEMA,
        "case": design.case.name,
        "title": design.case.title,
        "as_of": design.as_of.isoformat(),
        "known_by": None if design.known_by is None else design.known_by.isoformat(),
        "seed": seed,
        "inputs": design.fingerprint,
        "prior": {
            "name": design.priors.name,
            "provisional": design.priors.provisional,
            "learned": bool(design.priors.learned_from),
            "borrowed": list(design.priors.borrowed),
            "overrides": list(design.priors.overrides),
        },
        "forces": [{"force": key, "label": design.case.label_force(key)} for key in design.case.forces],
        "sources": [_describe_source(design.case, key) for key in design.case.sources],
        "trusted": verdict.trusted,
        "diagnostics": {
            "max_rhat": round(verdict.max_rhat, 5),
            "min_ess_bulk": round(verdict.min_ess_bulk, 1) if np.isfinite(verdict.min_ess_bulk) else None,
            "min_ess_tail": round(verdict.min_ess_tail, 1) if np.isfinite(verdict.min_ess_tail) else None,
            "divergences": verdict.divergences,
            "worst": verdict.worst,
            "reasons": list(verdict.reasons),
            "chains": draws.shape[0],
            "draws": draws.shape[1],
            "attempts": attempts,
            "seconds": {stage: round(value, 3) for stage, value in draws.seconds.items()},
        },
        "estimates": [_estimate(sample, prior, draws.shape[0], force, quantity) for force, quantity in sample.headline],
        "exceedance": [_exceed(sample, threshold) for threshold in design.case.file.thresholds],
        "bias": [_describe_bias(sample, prior, key) for key in sample.biases],
        "variance": [_describe_variance(thin_sample(sample), errors, key) for key in keys],
        "next_reports": [
            report
            for force in design.case.forces
            for key in [key for key in keys if key[0] == force][:1]
            for report in value_reports(sample, *key)
        ],
        "readings": _describe_readings(sample),
        "claims": describe_claims(sample),
        "derived": [_describe_derived(sample, item.name) for item in design.case.file.derived],
        "used_claims": len(design.evidence.observations),
        "paths": [_describe_path(sample, force, quantity) for force, quantity in sample.headline],
    }


def intervals(values: Floats, digits: int = 6) -> dict[str, list[float]]:
    """Return the equal-tailed intervals of draws at each level."""
    return {
        str(level): [plain(edge, digits) for edge in np.quantile(values, [(1 - level) / 2, (1 + level) / 2])]
        for level in LEVELS
    }


def plain(value: float, digits: int = 6) -> float:
    """Round to significant figures, so that the same draws give the same file on any platform."""
    return float(f"{float(value):.{digits}g}")


def _estimate(sample: Sample, prior: Sample, chains: int, force: str, quantity: str) -> dict[str, Any]:
    values = sample.headline[force, quantity]
    log_values, log_prior = (np.log(each.headline[force, quantity] + 0.5) for each in (sample, prior))
    median = float(np.median(values))
    stable = float(np.mean(values > FAR * max(median, 1.0))) <= FAR_PROBABILITY
    prior_sd = float(np.std(log_prior))
    return {
        "force": force,
        "quantity": quantity,
        "parts": list(_list_parts(sample.design.case, force, quantity)),
        "as_of": sample.design.as_of.isoformat(),
        "median": plain(median),
        "mean": plain(np.mean(values)) if stable else None,
        "sd": plain(np.std(values, ddof=1)) if stable else None,
        "log_mean": plain(np.mean(log_values)),
        "log_sd": plain(np.std(log_values, ddof=1)),
        "mcse_median": plain(mcse_quantile(by_chain(values, chains)), 3),
        "mcse_interval_90": [plain(mcse_quantile(by_chain(values, chains), edge), 3) for edge in (0.05, 0.95)],
        "intervals": intervals(values),
        "prior_median": plain(np.median(prior.headline[force, quantity])),
        "prior_intervals": intervals(prior.headline[force, quantity]),
        "prior_share": plain(min(1.0, float(np.std(log_values)) ** 2 / prior_sd**2) if prior_sd > 0 else 1.0, 3),
        "bias_share": plain(_explain_by_bias(sample, force, log_values), 3),
        "percentiles": [plain(value) for value in np.percentile(values, PERCENTS)],
        "dots": [plain(value) for value in np.quantile(values, DOTS)],
    }


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


def _list_parts(case: Case, force: str, quantity: str) -> tuple[str, ...]:
    return () if quantity in STATES else case.parts_of(force, quantity)


def choose_keys(sample: Sample) -> list[tuple[str, str]]:
    """Return the counts that the report leads with: the killed and the casualties of each force, or what there is.

    A total of a single part would say the same twice.
    """
    case, distinct = sample.design.case, []
    for force, quantity in sample.headline:
        parts = () if quantity in STATES else case.parts_of(force, quantity)
        if len(parts) != 1 or parts == (quantity,):
            distinct.append((force, quantity))
    return [key for key in distinct if key[1] in ("killed", "casualties")] or distinct[:2]


def _describe_variance(sample: Sample, errors: dict[tuple[str, str], Floats], key: tuple[str, str]) -> dict[str, Any]:
    shares = {name: plain(share, 3) for name, share in share_variance(sample, errors, key).items()}
    return {"force": key[0], "quantity": key[1], "shares": shares}


def _describe_source(case: Case, key: str) -> dict[str, Any]:
    source = case.sources[key]
    roles = {force: list(source.roles_towards(force)) for force in case.forces}
    return {"source": key, "label": case.label_source(key), "roles": roles, "rating": source.rating}


def _describe_path(sample: Sample, force: str, quantity: str) -> dict[str, Any]:
    """Return the median and the 50% and 90% intervals of the cumulative count on each evening that the model knows."""
    values = sample.trace(force, quantity)[:, 1:]
    start = sample.design.case.start
    days = [(start + dt.timedelta(days=int(cut) - 1)).isoformat() for cut in sample.design.timeline.cuts[1:]]
    bands = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    names = ("low_0.9", "low_0.5", "median", "high_0.5", "high_0.9")
    lines = {name: [plain(value) for value in band] for name, band in zip(names, bands, strict=True)}
    return {"force": force, "quantity": quantity, "days": days, **lines}


def _exceed(sample: Sample, threshold: Any) -> dict[str, Any]:
    force = threshold.force or next(iter(sample.design.case.forces))
    probability = float(np.mean(sample.headline[force, threshold.quantity] > threshold.above))
    return {
        "force": force,
        "quantity": threshold.quantity,
        "above": threshold.above,
        "probability": plain(probability, 4),
        "words": say_probability(probability),
    }


def _describe_bias(sample: Sample, prior: Sample, key: tuple[str, str, str]) -> dict[str, Any]:
    source, force, quantity = key
    values = sample.biases[key]
    before = float(np.var(prior.biases[key]))
    return {
        "source": source,
        "force": force,
        "quantity": quantity,
        "median": plain(np.exp(np.median(values))),
        "intervals": intervals(np.exp(values)),
        "prior_share": plain(min(1.0, float(np.var(values)) / before) if before > 0 else 1.0, 3),
    }


def _describe_readings(sample: Sample) -> list[dict[str, Any]]:
    """Say, where a role can be read in several ways, how likely each is and what it would make of the headline."""
    design = sample.design.beliefs
    found = []
    for group in design.mixtures:
        for place in group:
            reading = design.readings[place]
            weight = sample.reading_weights[:, place]
            medians = {
                f"{force}.{quantity}": plain(weighted_median(values, weight))
                for (force, quantity), values in sample.headline.items()
            }
            found.append(
                {
                    "source": reading.source,
                    "force": reading.force,
                    "role": reading.role,
                    "prior": reading.weight,
                    "probability": plain(np.mean(weight), 4),
                    "medians": medians,
                }
            )
    return found


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the median of draws under weights."""
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def describe_claims(sample: Sample) -> list[dict[str, Any]]:
    """Return for each row whether it is used, and what its source was expected to say."""
    sample = thin_sample(sample)
    design = sample.design
    observed = {item.claim.id: item for item in design.evidence.observations}
    found = []
    for claim in design.case.claims:
        entry: dict[str, Any] = {
            **claim.model_dump(mode="json", exclude={"row"}),
            "used": claim.id in observed,
            "owner": observed[claim.id].source if claim.id in observed else claim.source,
            "why_not": design.evidence.unused.get(claim.id),
            "expected": None,
            "standardised": None,
        }
        if claim.id in observed:
            repeated = predict_number(sample, observed[claim.id])
            logs = np.log(np.maximum(repeated, 1e-300))
            floor = 0.5 if claim.unit == "count" else 0.0025
            said = max(claim.central or 0.0, floor)
            entry["expected"] = plain(np.median(repeated))
            entry["expected_intervals"] = intervals(repeated)
            # Of a total's part both are shares, so the total that was said cancels.
            entry["standardised"] = plain((np.log(said) - np.median(logs)) / np.std(logs, ddof=1), 4)
        found.append(entry)
    return found


def predict_number(sample: Sample, item: Observation) -> Floats:
    """Return what the claim's source would have said again, in the claim's unit, shape (draws,)."""
    values = sample.said[item.claim.id]
    if not item.whole:
        return np.exp(np.clip(values, -700, 700))
    share = 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    return share if item.claim.unit == "share" else share * sample.wholes[item.claim.id]


def _describe_derived(sample: Sample, name: str) -> dict[str, Any]:
    values = sample.derived[name]
    finite = values[np.isfinite(values)]
    derived = next(item for item in sample.design.case.file.derived if item.name == name)
    usable = len(finite) > 0
    return {
        "name": name,
        "label": derived.label or name.replace("_", " "),
        "unit": derived.unit,
        "expr": derived.expr,
        "median": plain(np.median(finite)) if usable else None,
        "intervals": intervals(finite) if usable else None,
        "percentiles": [plain(value) for value in np.percentile(finite, PERCENTS)] if usable else None,
        "undefined": plain(1 - len(finite) / len(values), 3),
    }
