"""Whether draws can be trusted, and fitting longer where they cannot."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from sim.model.design import Design
from sim.posterior.fit import NEARLY, Draws, Effort, sample_posterior
from sim.posterior.sample import Sample, by_chain, take_posterior
from sim.sampler.diagnostics import Verdict, judge_draws


def judge_sample(sample: Sample, draws: Draws) -> Verdict:
    """Judge the draws of every reported quantity: counts, biases and derived quantities."""
    chains = draws.shape[0]
    quantities: dict[str, NDArray[np.float64]] = {}
    for force, quantity in sample.headline:
        quantities[f"{force}.{quantity}"] = by_chain(sample.count(force, quantity), chains)
    for (source, force, quantity), values in sample.biases.items():
        quantities[f"bias of {source} on {force}.{quantity}"] = by_chain(values, chains)
    for name, values in sample.derived.items():
        if np.isfinite(values).all():  # one that divides by zero in some draws says so in its own entry
            quantities[name] = by_chain(np.array(values), chains)
    return judge_draws(quantities, draws.divergences)


def fit_design(design: Design, seed: int, effort: Effort, *, quiet: bool = True) -> tuple[Draws, Sample, Verdict, int]:
    """Sample the posterior, once more where the verdict is bad; return draws, sample, verdict, and attempts."""
    drawn, attempts = sample_posterior(design, seed, **asdict(effort), quiet=quiet), 1
    sample = take_posterior(design, drawn, seed)
    verdict = judge_sample(sample, drawn)
    if not verdict.trusted:  # the second verdict stands
        drawn, attempts = try_again(design, seed, drawn, verdict, effort, quiet=quiet), 2
        sample = take_posterior(design, drawn, seed)
        verdict = judge_sample(sample, drawn)
    return drawn, sample, verdict, attempts


def try_again(design: Design, seed: int, first: Draws, verdict: Verdict, effort: Effort, *, quiet: bool) -> Draws:
    """Sample the posterior once more after a bad verdict: with smaller steps, and longer.

    Chains that all but agree go on from where they stand, and tune their step alone; others begin anew.
    """
    draws, accept = 2 * effort.draws, 1 - (1 - effort.target_accept) / 5
    if verdict.max_rhat < NEARLY:
        return sample_posterior(
            design,
            seed,
            draws=draws,
            tune=effort.tune // 4,
            target_accept=accept,
            quiet=quiet,
            resume_from=first.chain_state,
        )
    return sample_posterior(design, seed, draws=draws, tune=4 * effort.tune, target_accept=accept, quiet=quiet)
