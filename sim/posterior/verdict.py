"""Whether draws can be trusted, and fitting longer where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.model.buffer import count_unknowns
from sim.model.design import Design
from sim.posterior.engines import OWN_SAMPLER, Engine, sample_with
from sim.posterior.fit import MANY_UNKNOWNS, NEARLY, Draws, Effort, choose_effort, sample_posterior
from sim.posterior.sample import Sample, by_chain, take_posterior
from sim.sampler.chains import ChainState
from sim.sampler.diagnostics import OF_INTERVALS, Limits, Verdict, judge_draws

SURE = 4  # attempts at a case
CLOSE = 1.03  # R-hat below which more draws alone are wanted
Quantities = Mapping[str, NDArray[np.float64]]  # of one axis, chains put end to end


@dataclass(frozen=True)
class Ladder:
    """How hard a fit is tried, attempt after attempt, until its draws are good.

    Attributes
    ----------
    efforts : tuple of Effort
        Of each attempt. The last one stands, good or not.
    limits : Limits
        What good draws keep.
    retune : int, optional
        Takes the place of a later effort's tuning where chains all but agree: they go on from where they stand, and
        tune their step alone. Where no more diverged than may they keep their step and their draws, and fill these up
        to as many as the effort asks for. Without it each attempt begins anew.
    sure : int, optional
        Attempts after which chains that do not all but agree, or that diverged, are tried no more.
    """

    efforts: tuple[Effort, ...]
    limits: Limits
    retune: int | None = None
    sure: int | None = None


class Fit(NamedTuple):
    """A design that was fitted: its draws, what they say, whether to trust them, and after how many attempts."""

    draws: Draws
    sample: Sample
    verdict: Verdict
    attempts: int


def choose_ladder(design: Design, draws: int | None = None) -> Ladder:
    """Return how a case is fitted for its intervals: by its size at first, then longer with smaller steps, three times.

    The first attempt is cheap, and good for most cases. What claims leave two answers to is crossed seldom, and asks
    for draws more than for steps: of a small case whose chains all but agree then, for twice as many once more.

    `draws` takes the place of those of the first attempt.
    """
    first = choose_effort(design)
    efforts = [first if draws is None else replace(first, draws=draws)]
    for _ in range(SURE if count_unknowns(design) < MANY_UNKNOWNS else SURE - 1):
        last = efforts[-1]
        efforts.append(Effort(2 * last.draws, 4 * first.tune, 1 - (1 - last.target_accept) / 5))
    return Ladder(tuple(efforts), OF_INTERVALS, retune=first.tune // 4, sure=SURE)


def fit_until_good[T](
    efforts: Sequence[Effort], fit: Callable[[Effort, T | None], T], is_good: Callable[[T], bool]
) -> T:
    """Fit with one effort after another until the result is good; the last stands, good or not.

    Parameters
    ----------
    efforts : sequence of Effort
        At least one.
    fit : callable
        From an effort, and the result of the attempt before if there was one, to a result.
    is_good : callable
    """
    found = fit(efforts[0], None)
    for effort in efforts[1:]:
        if is_good(found):
            break
        found = fit(effort, found)
    return found


def list_reported(sample: Sample) -> Quantities:
    """Return the draws of every reported quantity, as it is reported: counts of whole persons, biases, derived ones."""
    found = {f"{force}.{quantity}": values for (force, quantity), values in sample.headline.items()}
    for (source, force, quantity), values in sample.biases.items():
        found[f"bias of {source} on {force}.{quantity}"] = values
    for name, values in sample.derived.items():
        if np.isfinite(values).all():  # one that divides by zero in some draws says so in its own entry
            found[name] = np.array(values)
    return found


def judge_sample(
    sample: Sample, draws: Draws, limits: Limits = OF_INTERVALS, judged: Callable[[Sample], Quantities] = list_reported
) -> Verdict:
    """Judge draws by some quantities: by default all that a run reports."""
    chains = draws.shape[0]
    quantities = {name: by_chain(values, chains) for name, values in judged(sample).items()}
    return judge_draws(quantities, draws.divergences, limits)


def fit_design(
    design: Design,
    seed: int,
    ladder: Ladder,
    judged: Callable[[Sample], Quantities] = list_reported,
    *,
    sampler: Engine = OWN_SAMPLER,
    quiet: bool = True,
    resume_from: ChainState | None = None,
) -> Fit:
    """Sample the posterior of a design, longer where the verdict is bad.

    Parameters
    ----------
    design : Design
    seed : int
        Of every attempt.
    ladder : Ladder
    judged : callable
        From a sample to the quantities that are judged.
    sampler : {"kernel", "nutpie", "pymc"}
        What draws: see `sim.posterior.engines`.
    quiet : bool
        Show no progress.
    resume_from : ChainState, optional
        Chains of a design much like this one, where the first attempt begins.
    """

    def attempt(effort: Effort, before: Fit | None) -> Fit:
        start, kept = None if before else resume_from, None
        if before and ladder.retune and before.verdict.max_rhat < NEARLY:
            effort, start = replace(effort, tune=ladder.retune), before.draws.chain_state
            if start and (ladder.limits.may_diverge or not before.draws.divergences):
                kept = before.draws
                effort = replace(effort, tune=0, draws=max(effort.draws - kept.shape[1], 1))
        if sampler == OWN_SAMPLER:
            draws = sample_posterior(design, seed, **asdict(effort), quiet=quiet, resume_from=start)
        else:
            draws = sample_with(sampler, design, seed, **asdict(effort), quiet=quiet)
        draws = kept.join(draws) if kept else draws
        sample = take_posterior(design, draws, seed)
        verdict = judge_sample(sample, draws, ladder.limits, judged)
        return Fit(draws, sample, verdict, before.attempts + 1 if before else 1)

    def is_enough(fit: Fit) -> bool:
        is_close = fit.verdict.max_rhat < CLOSE and not fit.draws.divergences
        is_hopeless = ladder.sure is not None and fit.attempts >= ladder.sure and not is_close
        return fit.verdict.trusted or is_hopeless

    return fit_until_good(ladder.efforts, attempt, is_enough)
