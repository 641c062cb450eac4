"""From the draws of the case as it stands to those of a variant: weighed, or as where the variant's chains begin.

The draws are weighed by the variant's density over the base's. Where that does not carry they are first moved to the
weighted mean and spread, again and again while that helps (Paananen et al. 2021, doi 10.1007/s11222-020-09982-2), but
along those directions alone in which the ratio of the densities varies most: so few have a mean and a covariance that
few effective draws can tell, and what does not depend on the ratio stays as it is. Unknowns that the variant lacks
stand, given the others, as in the base's draws: a normal law about a linear regression, which the weights need not be
told of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model.buffer import constrain_draws, find_middle, name_slots, pack_design
from sim.model.design import Design
from sim.posterior.fit import Draws, list_densities, list_gradients
from sim.posterior.sample import Sample, take_posterior
from sim.report.robustness import GOOD_K
from sim.robustness.counts import Floats
from sim.robustness.footing import Footing
from sim.sampler.chains import ChainState
from sim.sampler.diagnostics import count_weighted, smooth_weights

ALIKE = 0.7  # of the unknowns, that a variant must share with the base to begin where its chains ended
DIRECTIONS = 3  # along which draws are moved
SLOPES = 400  # draws whose slopes tell the directions
HOPE = 0.2  # of the effective draws that are needed, with fewer of which no move is tried
MOST_MOVES = 3  # of the draws towards the weighted ones
SHRINK = 10  # draws by whose weight, for each direction, the covariance stays as it was
GAIN = 1.1  # the factor of effective draws below which a move is the last
LEAST_POSSIBLE = 0.5  # of the draws: where fewer can be in the variant nothing is weighed
IMPOSSIBLE = -1_000.0  # log weight of a draw that cannot be in it


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


@dataclass(frozen=True)
class Ratio:
    """A variant's density beside the base's, on the base's unknowns: those that it lacks as they are given the others.

    Attributes
    ----------
    here, rest : ndarray of int
        Where the unknowns of the variant stand among the base's, and where those that it lacks.
    base, varied : ndarray
        What the densities read.
    regression : ndarray, shape (1 + here, rest)
        Of the unknowns that it lacks on a constant and the others.
    precision : ndarray, shape (rest, rest)
        Of their errors.
    """

    here: NDArray[np.int64]
    rest: NDArray[np.int64]
    base: Floats
    varied: Floats
    regression: Floats
    precision: Floats

    def _miss(self, x: Floats) -> Floats:
        return np.asarray(x[:, self.rest] - self.regression[0] - x[:, self.here] @ self.regression[1:])

    def list_densities(self, x: Floats) -> Floats:
        """Return the variant's log densities at points, shape (points,), up to a constant."""
        errors = self._miss(x)
        given = 0.5 * ((errors @ self.precision) * errors).sum(axis=1)
        return np.asarray(list_densities(self.varied, x[:, self.here]) - given)

    def list_slopes(self, x: Floats) -> Floats:
        """Return the gradients of the log of the ratio at points, shape (points, n)."""
        found = -list_gradients(self.base, x)
        pull = self._miss(x) @ self.precision
        found[:, self.here] += list_gradients(self.varied, x[:, self.here]) + pull @ self.regression[1:].T
        found[:, self.rest] -= pull
        return found


def weigh_draws(base: Footing, varied: Design) -> Weighed | None:
    """Weigh the base's draws for a variant; None where that has unknowns which the base lacks."""
    x = base.x.reshape(-1, base.x.shape[-1])
    ratio = compare_densities(base.design, varied, x)
    if ratio is None:
        return None
    return match_moments(x, base.densities, ratio.list_densities, ratio.list_slopes, base.needed)


def compare_densities(design: Design, varied: Design, x: Floats) -> Ratio | None:
    """Return a variant's density beside the base's, of draws; None where it has unknowns which the base lacks."""
    indices = [index for index in _place_slots(design, varied) if index is not None]
    if len(indices) < len(name_slots(varied)):
        return None
    here = np.array(indices)
    rest = np.setdiff1d(np.arange(x.shape[1]), here)
    regressors = np.column_stack([np.ones(len(x)), x[:, here]])
    regression = np.linalg.lstsq(regressors, x[:, rest], rcond=None)[0]
    errors = x[:, rest] - regressors @ regression
    precision = np.linalg.pinv(np.atleast_2d(np.cov(errors.T))) if len(rest) else np.zeros((0, 0))
    return Ratio(here, rest, pack_design(design), pack_design(varied), regression, precision)


def match_moments(
    x: Floats,
    densities: Floats,
    density: Callable[[Floats], Floats],
    slopes: Callable[[Floats], Floats],
    needed: float,
) -> Weighed:
    """Weigh draws for another density, moved where the weights do not suffice, while that makes them more even.

    Where weights leave less than a share of what is needed, no move is known to have made it enough, and none is tried.

    Parameters
    ----------
    x : ndarray, shape (draws, n)
    densities : ndarray, shape (draws,)
        Log density that they were drawn from, up to a constant.
    density : callable
        From points to the log density that they are to stand for, up to a constant.
    slopes : callable
        From points to the gradients of that less the other, shape (points, n).
    needed : float
        How many draws of equal weight would be enough, where Pareto's k is small too.
    """

    def suffices(found: Weighed) -> bool:
        return found.k <= GOOD_K and found.count > needed

    def weigh(moved: Floats) -> Weighed:
        log_ratios = density(moved) - densities  # the volume of an affine move is the same for all draws
        possible = np.isfinite(log_ratios)
        if possible.mean() < LEAST_POSSIBLE:
            return Weighed(moved, np.where(possible, 0.0, IMPOSSIBLE), np.inf)
        log_ratios = np.where(possible, log_ratios, log_ratios[possible].max() + IMPOSSIBLE)
        return Weighed(moved, *smooth_weights(log_ratios))

    best = weigh(x)
    if suffices(best) or np.isinf(best.k) or best.count < HOPE * needed:
        return best
    lift, read = _find_directions(x, slopes)
    for _ in range(MOST_MOVES):
        here = best.x @ read
        aim, spread = _match(here, best.log_weights)
        moved = best.x + ((here - here.mean(axis=0)) @ spread.T + aim - here) @ lift.T
        found = weigh(moved)
        grew = found.count > GAIN * best.count
        if grew or suffices(found):
            best = found
        if not grew or suffices(best):
            break
    return best


def _find_directions(x: Floats, slopes: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Return the directions in which a ratio of densities varies most, and what reads a point along them.

    They are the leading eigenvectors of the mean product of its slopes, where the draws have unit covariance
    (Constantine et al. 2014, doi 10.1137/130916138). Both have the shape (n, directions).
    """
    some = x[:: max(len(x) // SLOPES, 1)]
    root = np.linalg.cholesky(np.atleast_2d(np.cov(x.T)))
    found = slopes(some)
    white = found[np.isfinite(found).all(axis=1)] @ root
    lead = np.linalg.eigh(white.T @ white)[1][:, ::-1][:, :DIRECTIONS]
    return root @ lead, np.linalg.solve(root.T, lead)


def _match(here: Floats, log_weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean of draws, and what gives centred ones the weighted covariance.

    No weight counts for more than as one of a number that is the root of all; the covariance is shrunk to that without
    weights by the weight of ten draws for each direction.
    """
    weights = np.exp(log_weights - log_weights.max())
    weights = np.minimum(weights / weights.sum(), len(weights) ** -0.5)
    weights /= weights.sum()
    aim = weights @ here
    was = np.atleast_2d(np.cov(here.T))
    now = ((here - aim) * weights[:, None]).T @ (here - aim)
    prior = SHRINK * here.shape[1]
    share = prior / (prior + 1 / np.sum(weights**2))
    spread = np.linalg.cholesky(share * was + (1 - share) * now) @ np.linalg.inv(np.linalg.cholesky(was))
    return aim, spread


def sample_weighed(base: Footing, varied: Design, found: Weighed, seed: int) -> Sample:
    """Return the sample of a variant whose draws have weights."""
    chains, count = base.x.shape[:2]
    indices = [index for index in _place_slots(base.design, varied) if index is not None]
    unknowns = constrain_draws(varied, found.x[:, indices].reshape(chains, count, len(indices)))
    return take_posterior(varied, Draws(unknowns, 0, 0.0, {}), seed)


def carry_chains(base: Footing, varied: Design, found: Weighed | None, seed: int) -> ChainState | None:
    """Return where the chains of a variant begin; None where it has too few unknowns in common with the base.

    Where draws have weights the chains begin at some that were drawn by them, each no likelier than as one of a number
    that is the root of all; else where the chains of the base ended.
    """
    indices = _place_slots(base.design, varied)
    if sum(index is not None for index in indices) < ALIKE * max(base.x.shape[-1], len(indices)):
        return None
    begun = _pick_draws(found, len(base.x), seed) if found else None
    return base.chain_state.carry(indices, find_middle(varied), begun)


def _pick_draws(found: Weighed, count: int, seed: int) -> Floats:
    weights = np.exp(found.log_weights - found.log_weights.max())
    weights = np.minimum(weights / weights.sum(), len(weights) ** -0.5)
    rng = np.random.default_rng([seed, 2])
    picked: NDArray[np.int64] = rng.choice(len(weights), count, replace=False, p=weights / weights.sum())
    return found.x[picked]


def _place_slots(design: Design, varied: Design) -> list[int | None]:
    """Return where each unknown of a variant stands among the base's, if it is one of them."""
    known = {name: index for index, name in enumerate(name_slots(design))}
    return [known.get(name) for name in name_slots(varied)]
