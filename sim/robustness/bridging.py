"""From the draws of the case as it stands to those of a variant: weighed, or as where the variant's chains begin.

The draws are weighed by the variant's density over the base's. Where Pareto's k is large they are first moved and
scaled to the weighted mean and spread, again and again while that helps (Paananen et al. 2021,
doi 10.1007/s11222-020-09982-2). Unknowns that the variant lacks stand, given the others, as in the base's draws: a
normal law about a linear regression, which the weights need not be told of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model.buffer import constrain_draws, find_middle, name_slots, pack_design
from sim.model.design import Design
from sim.posterior.fit import Draws, list_densities
from sim.posterior.sample import Sample, take_posterior
from sim.report.robustness import GOOD_K
from sim.robustness.counts import Floats
from sim.sampler.chains import ChainState
from sim.sampler.diagnostics import count_weighted, smooth_weights

ALIKE = 0.7  # of the unknowns, that a variant must share with the base to begin where its chains ended
MOST_MOVES = 4  # of the draws towards the weighted ones
GAIN = 0.02  # of Pareto's k, below which a move is none
LEAST_POSSIBLE = 0.5  # of the draws: where fewer can be in the variant nothing is weighed
IMPOSSIBLE = -1_000.0  # log weight of a draw that cannot be in it


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


@dataclass(frozen=True)
class Weighed:
    """Draws that stand for a variant: moved ones in the base's unknowns, their log weights, and Pareto's k."""

    x: Floats
    log_weights: Floats
    k: float

    @property
    def count(self) -> float:
        """How many draws of equal weight would be as good (Kish 1965)."""
        return count_weighted(self.log_weights)


def weigh_draws(base: Footing, varied: Design) -> Weighed | None:
    """Weigh the base's draws for a variant; None where that has unknowns which the base lacks."""
    places = _place_slots(base.design, varied)
    if None in places:
        return None
    x = base.x.reshape(-1, base.x.shape[-1])
    density = _extend_density(x, [place for place in places if place is not None], pack_design(varied))
    return match_moments(x, base.densities, density)


def _extend_density(x: Floats, places: Sequence[int], buffer: Floats) -> Callable[[Floats], Floats]:
    """Return the density of a variant on the base's unknowns, those that it lacks as they are given the others."""
    here = np.array(places)
    rest = np.setdiff1d(np.arange(x.shape[1]), here)
    if not len(rest):
        return lambda moved: list_densities(buffer, moved[:, here])

    def regressors(moved: Floats) -> Floats:
        return np.column_stack([np.ones(len(moved)), moved[:, here]])

    slopes = np.linalg.lstsq(regressors(x), x[:, rest], rcond=None)[0]
    errors = x[:, rest] - regressors(x) @ slopes
    precision = np.linalg.pinv(np.atleast_2d(np.cov(errors.T)))

    def density(moved: Floats) -> Floats:
        errors = moved[:, rest] - regressors(moved) @ slopes
        return np.asarray(list_densities(buffer, moved[:, here]) - 0.5 * ((errors @ precision) * errors).sum(axis=1))

    return density


def match_moments(x: Floats, densities: Floats, density: Callable[[Floats], Floats]) -> Weighed:
    """Weigh draws for another density, moved where that makes the weights more even.

    Parameters
    ----------
    x : ndarray, shape (draws, n)
    densities : ndarray, shape (draws,)
        Log density that they were drawn from, up to a constant.
    density : callable
        From points to the log density that they are to stand for, up to a constant.
    """

    def weigh(moved: Floats, stretch: float) -> Weighed:
        log_ratios = density(moved) + stretch - densities
        possible = np.isfinite(log_ratios)
        if possible.mean() < LEAST_POSSIBLE:
            return Weighed(moved, np.where(possible, 0.0, IMPOSSIBLE), np.inf)
        log_ratios = np.where(possible, log_ratios, log_ratios[possible].max() + IMPOSSIBLE)
        return Weighed(moved, *smooth_weights(log_ratios))

    best, stretch = weigh(x, 0.0), 0.0
    for _ in range(MOST_MOVES):
        if best.k <= GOOD_K:
            break
        weights = np.exp(best.log_weights - best.log_weights.max())
        middle, aim = best.x.mean(axis=0), np.average(best.x, axis=0, weights=weights)
        spread = np.average((best.x - aim) ** 2, axis=0, weights=weights)
        scale = np.sqrt(spread / np.maximum(best.x.var(axis=0), 1e-300))
        for factor in (np.ones(x.shape[1]), scale):
            wider = stretch + float(np.log(factor).sum())
            found = weigh(aim + factor * (best.x - middle), wider)
            if found.k < best.k - GAIN:
                best, stretch = found, wider
                break
        else:
            break
    return best


def sample_weighed(base: Footing, varied: Design, found: Weighed, seed: int) -> Sample:
    """Return the sample of a variant whose draws have weights."""
    chains, count = base.x.shape[:2]
    places = [place for place in _place_slots(base.design, varied) if place is not None]
    unknowns = constrain_draws(varied, found.x[:, places].reshape(chains, count, len(places)))
    return take_posterior(varied, Draws(unknowns, 0, 0.0, {}), seed)


def carry_chains(base: Footing, varied: Design, found: Weighed | None, seed: int) -> ChainState | None:
    """Return where the chains of a variant begin; None where it has too few unknowns in common with the base.

    Where draws have weights the chains begin at some that were drawn by them, each no likelier than as one of a number
    that is the root of all; else where the chains of the base ended.
    """
    places = _place_slots(base.design, varied)
    if sum(place is not None for place in places) < ALIKE * max(base.x.shape[-1], len(places)):
        return None
    begun = _pick_draws(found, len(base.x), seed) if found else None
    return base.chain_state.carry(places, find_middle(varied), begun)


def _pick_draws(found: Weighed, count: int, seed: int) -> Floats:
    weights = np.exp(found.log_weights - found.log_weights.max())
    weights = np.minimum(weights / weights.sum(), len(weights) ** -0.5)
    rng = np.random.default_rng([seed, 2])
    picked: NDArray[np.int64] = rng.choice(len(weights), count, replace=False, p=weights / weights.sum())
    return found.x[picked]


def _place_slots(design: Design, varied: Design) -> list[int | None]:
    """Return where each unknown of a variant stands among the base's, if it is one of them."""
    known = {name: place for place, name in enumerate(name_slots(design))}
    return [known.get(name) for name in name_slots(varied)]
