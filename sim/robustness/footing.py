"""What variants are judged from: draws of the case as it stands, and more of them than a run reports."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from sim.model.buffer import constrain_draws, pack_design
from sim.model.design import Design
from sim.posterior.fit import Draws, Effort, list_densities, sample_posterior
from sim.posterior.sample import Sample, take_posterior
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import Quantities, judge_sample
from sim.robustness.counts import Floats
from sim.robustness.reweighing import OF_SHIFTS, carries
from sim.sampler.chains import ChainState, make_metric

MORE_REFUSED = 1.5  # times what the steps of a run may be refused, those of more draws may


@dataclass(frozen=True)
class Footing:
    """The case as it stands, fitted.

    Attributes
    ----------
    design : Design
    x : ndarray, shape (chains, draws, n)
        Draws of the unconstrained vector.
    densities : ndarray, shape (chains x draws,)
        Their log densities.
    chain_state : ChainState
    efficiency : float
        Effective draws for each draw, of the count of the report's lead that has fewest.
    """

    design: Design
    x: Floats
    densities: Floats
    chain_state: ChainState
    efficiency: float

    @property
    def effective(self) -> float:
        """How many draws are effective, of the count that has fewest."""
        return self.efficiency * len(self.densities)

    @property
    def needed(self) -> float:
        """How many draws of equal weight are as good as the fewest of a fit that is trusted."""
        return OF_SHIFTS.min_ess / self.efficiency

    def carries(self, log_weights: Floats, k: float) -> bool:
        """Whether its draws, weighed so, tell as much as a fit that is trusted."""
        return carries(log_weights, k, self.efficiency)


def list_leading(sample: Sample) -> Quantities:
    """Return what a variant is judged by: the counts that the report leads with; others have their errors beside."""
    return {f"{force}.{quantity}": sample.headline[force, quantity] for force, quantity in choose_keys(sample)}


def stand_on(design: Design, draws: Draws, sample: Sample) -> Footing:
    """Return what variants are judged from, of draws of the case as it stands."""
    if draws.x is None or draws.chain_state is None:
        raise TypeError("variants are judged from draws of our own sampler")
    verdict = judge_sample(sample, draws, OF_SHIFTS, list_leading)
    count = draws.x.shape[0] * draws.x.shape[1]
    efficiency = min(verdict.min_ess_bulk, verdict.min_ess_tail, count) / count
    densities = list_densities(pack_design(design), draws.x.reshape(count, -1))
    return Footing(design, draws.x, densities, draws.chain_state, efficiency)


def thin_footing(footing: Footing, seed: int, most: int) -> Footing:
    """Return every k-th draw where each chain has more than `most`: of many, neighbours tell much the same.

    A variant takes as long to weigh as there are draws, each time that they are moved.
    """
    every = math.ceil(footing.x.shape[1] / most)
    if every == 1:
        return footing
    design, x = footing.design, np.ascontiguousarray(footing.x[:, ::every])
    draws = Draws(constrain_draws(design, x), 0, 0.0, {}, footing.chain_state, x)
    return stand_on(design, draws, take_posterior(design, draws, seed))


def draw_more(footing: Footing, seed: int, first: Effort) -> Footing:
    """Return draws of which more are effective: half of them the base's, half of its chains moved on.

    The latter have the covariance of the former for a metric, and larger steps. Where a transition diverges, or no more
    draws are effective, the base's stand. A case that took more than one attempt has many: every k-th of them.
    `first` is the effort with which the case is sampled at first.
    """
    design, x, state = footing.design, footing.x, footing.chain_state
    if x.shape[1] > first.draws:
        return thin_footing(footing, seed, first.draws)
    if not len(state.metric.matrix):  # of a large case, whose draws cost as much as a few variants
        return footing
    accepted = 1 - MORE_REFUSED * (1 - first.target_accept)
    effort = replace(first, tune=first.tune // 5, target_accept=accepted)
    begun = replace(state, metric=make_metric(np.cov(x.reshape(-1, x.shape[-1]).T)))
    more = sample_posterior(design, seed, **asdict(effort), quiet=True, resume_from=begun)
    if more.x is None or more.divergences:
        return footing
    every = math.ceil(2 * x.shape[1] / first.draws)
    both = np.concatenate([x[:, ::every], more.x[:, ::2]], axis=1)
    draws = Draws(constrain_draws(design, both), 0, more.steps, {}, state, both)
    found = stand_on(design, draws, take_posterior(design, draws, seed))
    return found if found.effective > footing.effective else footing
