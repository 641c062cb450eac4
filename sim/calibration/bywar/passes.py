"""Passes over all wars until their sites no longer move, and what is believed then with and without each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Unpack, cast

import numpy as np

from sim.calibration.bywar.belief import Belief, Floats, Site, leave_out
from sim.calibration.bywar.fit import APART, SiteFit, fit_as_entry, read_site
from sim.calibration.hindcasts import Hindcast
from sim.case.families import JointPrior
from sim.case.priors import PriorSet
from sim.errors import refuse
from sim.posterior.fit import Effort
from sim.system.tasks import TaskOptions, gather_results

FIRST = Effort(300, 300, 0.9)  # where little is known, a war's posterior is wide and bent
LATER = Effort(400, 750, 0.9)
STAGES = 5  # of the first pass: small wars first, so that the large ones meet what these have taught
PASSES = (6, 8)  # after it, at least and at most; sites are means over all of them
MOVED = 0.2  # posterior sds that a mean may move by in the last pass
ODD = -0.1  # an eigenvalue of a site, over what is believed of that direction, that is no noise


@dataclass(frozen=True)
class SiteDiagnostics:
    """How well sites were learned.

    Attributes
    ----------
    passes : int
        After the first.
    moved : float
        The largest move of a posterior mean in the last of them, in posterior sds.
    error : float, optional
        The largest Monte Carlo error of a mean, in posterior sds: of the Newton steps that the passes ask for.
    apart : int
        Wars whose chains still disagreed after a longer try.
    improper : int
        How often what is believed, or the cavity of a war, knew too little of some direction to be a law as it stood.
    odd : int
        Sites that tell less than nothing of some direction, by more than noise does: a war that the model of the others
        does not fit widens what is believed.
    divergences : int
        Of the last pass.
    trusted : bool
    """

    passes: int
    moved: float
    error: float | None
    apart: int
    improper: int
    odd: int
    divergences: int
    trusted: bool


@dataclass(frozen=True)
class Rest:
    """What is believed of some keys when wars are left out."""

    keys: tuple[str, ...]
    belief: Belief

    @property
    def mean(self) -> Floats:
        """The mean, shape (keys,)."""
        return self.belief.mean

    @property
    def covariance(self) -> Floats:
        """The covariance, shape (keys, keys)."""
        return self.belief.covariance


@dataclass(frozen=True)
class LearnedSites:
    """What many wars taught: the prior, the site of each war, and how well they were learned."""

    keys: tuple[str, ...]
    prior: Belief
    sites: Mapping[str, Site]
    diagnostics: SiteDiagnostics

    @property
    def belief(self) -> Belief:
        """What is believed after all wars."""
        return self.prior.add(self.sites.values()).make_proper(self.prior)[0]

    @property
    def mean(self) -> Floats:
        """The mean of what is believed, shape (keys,)."""
        return self.belief.mean

    @property
    def covariance(self) -> Floats:
        """The covariance of what is believed, shape (keys, keys)."""
        return self.belief.covariance

    def without(self, *wars: str) -> Rest:
        """Return what is believed without some wars: their cavity. One that has taught nothing takes nothing away."""
        rest = self.prior.add(site for war, site in self.sites.items() if war not in wars)
        return Rest(self.keys, rest.make_proper(self.prior)[0])

    def rank_influence(self) -> list[tuple[str, float]]:
        """Return the wars with the divergence of what is believed with them from that without, the largest first."""
        found = [(war, self.belief.diverge(self.without(war).belief)) for war in self.sites]
        return sorted(found, key=lambda each: -each[1])


def learn_sites(
    hindcasts: Iterable[Hindcast],
    base: PriorSet,
    seed: int,
    *,
    known: Mapping[str, Site] | None = None,
    passes: tuple[int, int] = PASSES,
    **options: Unpack[TaskOptions],
) -> LearnedSites:
    """Learn what wars share, one war at a time.

    Parameters
    ----------
    hindcasts : iterable of Hindcast
    base : PriorSet
        What is believed before; it must have a joint prior, whose keys are learned.
    seed : int
    known : mapping of str to Site, optional
        Sites of wars that have been learned from before and have not changed: the first pass is of the others alone.
    passes : (int, int)
        After the first: at least, and at most while the means move.
    **options
        See `sim.system.tasks.TaskOptions`; `store` and `resume` are not used.
    """
    learner, sites = _begin_to_learn(hindcasts, base, seed, known, options)
    return learner.settle(sites, passes)


def find_cavities(
    hindcasts: Iterable[Hindcast],
    base: PriorSet,
    seed: int,
    *,
    known: Mapping[str, Site] | None = None,
    **options: Unpack[TaskOptions],
) -> tuple[Belief, dict[str, Belief]]:
    """Return what is believed of all wars, and the cavity of each, after a first pass alone: see `learn_sites`."""
    learner, sites = _begin_to_learn(hindcasts, base, seed, known, options)
    belief = learner.believe(sites)
    return belief, {war: leave_out(belief, site, learner.prior) for war, site in sites.items()}


def _begin_to_learn(
    hindcasts: Iterable[Hindcast],
    base: PriorSet,
    seed: int,
    known: Mapping[str, Site] | None,
    options: TaskOptions,
) -> tuple[_Learner, dict[str, Site]]:
    """Return what learns, and first sites of all wars."""
    if base.joint is None:
        raise refuse(base.name, "joint", "is missing", "start from a set with a joint prior, such as vague")
    wars = group_wars(hindcasts)
    if not wars:
        raise refuse("the table", "", "holds no established loss to learn from", "give other wars, or a prior set")
    chosen: TaskOptions = {"jobs": options.get("jobs", 1), "client": options.get("client")}
    chosen["quiet"] = options.get("quiet", True)
    learner = _Learner(wars, base, seed, chosen)
    return learner, learner.begin({war: site for war, site in (known or {}).items() if war in wars})


def group_wars(hindcasts: Iterable[Hindcast]) -> dict[str, list[Hindcast]]:
    """Return the cases with an established loss by war, those wars first of which least was said."""
    found: dict[str, list[Hindcast]] = {}
    for item in hindcasts:
        if any(not truth.is_zero for truth in item.truths):
            found.setdefault(item.war, []).append(item)
    size = {war: sum(len(item.case.claims) for item in items) for war, items in found.items()}
    return dict(sorted(found.items(), key=lambda each: (size[each[0]], each[0])))


def _cut_stages(wars: Sequence[str]) -> Iterator[list[str]]:
    """Yield the wars in stages."""
    step = max(math.ceil(len(wars) / STAGES), 2)
    yield from (list(wars[first : first + step]) for first in range(0, len(wars), step))


@dataclass(frozen=True)
class _Learner:
    """The wars to learn from, and how it is done."""

    wars: Mapping[str, list[Hindcast]]
    base: PriorSet
    seed: int
    options: TaskOptions

    @cached_property
    def prior(self) -> Belief:
        return Belief.of(cast(JointPrior, self.base.joint))  # learn_sites has looked

    @cached_property
    def nothing(self) -> Site:
        return Site(np.zeros_like(self.prior.precision), np.zeros_like(self.prior.shift))

    def begin(self, sites: dict[str, Site]) -> dict[str, Site]:
        """Return first sites of the wars that have none, the small ones first."""
        for stage in _cut_stages([war for war in self.wars if war not in sites]):
            found = self.measure(stage, sites, FIRST, 0)
            sites = {**sites, **{war: fit.site for war, fit in found.items()}}
        return sites

    def settle(self, sites: dict[str, Site], passes: tuple[int, int]) -> LearnedSites:
        """Measure all sites again and again, and return their means over all passes once these no longer move.

        The first pass counts as each other one: from narrow cavities the curvature of a site is noisy, and the sum of
        ninety of one pass alone need not be that of any law.
        """
        (least, most), moved, number = passes, math.inf, 0
        fits: dict[str, SiteFit] = {}
        alone: list[list[Site]] = []
        while number < least or (moved > MOVED and number < most):
            number += 1
            before = self.believe(sites)
            fits = self.measure(list(self.wars), sites, LATER, number)
            sites = {war: sites[war].blend(fit.site, 1 / (number + 1)) for war, fit in fits.items()}
            belief = self.believe(sites)
            moved = float(np.max(np.abs(belief.mean - before.mean) / np.sqrt(np.diag(belief.covariance))))
            alone.append([fit.site for fit in fits.values()])
        keys = self.base.joint.keys if self.base.joint else ()
        return LearnedSites(keys, self.prior, sites, self.judge(sites, fits, moved, alone))

    def measure(
        self, wars: Sequence[str], sites: Mapping[str, Site], effort: Effort, number: int
    ) -> dict[str, SiteFit]:
        """Measure the sites of some wars, each in the cavity that the others leave it; the large ones first."""
        belief = self.prior.add(sites.values())
        cavities = {war: leave_out(belief, sites.get(war, self.nothing), self.prior) for war in wars}
        work = partial(fit_as_entry, self.wars, self.base, cavities, self.seed + number, effort)
        order = wars[::-1]
        found = dict(gather_results(work, order, read_site, depends_on=(), label="war", plural="wars", **self.options))
        return {war: found[war] for war in wars}  # in one order, whichever was finished first: sums follow it

    def believe(self, sites: Mapping[str, Site]) -> Belief:
        """Return what is believed with some sites."""
        return self.prior.add(sites.values()).make_proper(self.prior)[0]

    def judge(
        self, sites: Mapping[str, Site], fits: Mapping[str, SiteFit], moved: float, alone: Sequence[Sequence[Site]]
    ) -> SiteDiagnostics:
        """Return the diagnostics; `alone` are the sites of each pass by itself."""
        whole, belief = self.prior.add(sites.values()), self.believe(sites)
        root = np.linalg.cholesky(belief.covariance)
        apart = sum(fit.apart > APART for fit in fits.values())
        rests = [whole, *(whole.add([Site(-site.precision, -site.shift)]) for site in sites.values())]
        improper = sum(rest.make_proper(self.prior)[1] for rest in rests)
        steps = np.array([self.step(each, belief) for each in alone]) / np.sqrt(np.diag(belief.covariance))
        error = np.max(steps.std(axis=0, ddof=1)) / math.sqrt(len(steps)) if len(steps) > 1 else None
        return SiteDiagnostics(
            passes=len(alone),
            moved=moved,
            error=None if error is None else float(error),
            apart=apart,
            improper=improper,
            odd=sum(bool(np.linalg.eigvalsh(root.T @ site.precision @ root)[0] < ODD) for site in sites.values()),
            divergences=sum(fit.divergences for fit in fits.values()),
            trusted=moved <= MOVED and apart <= max(0.02 * len(sites), 1),
        )

    def step(self, sites: Sequence[Site], belief: Belief) -> Floats:
        """Return by how much the mean of a belief would move for the slopes that some sites have at it."""
        slope = self.prior.shift - self.prior.precision @ belief.mean
        slope = slope + sum(site.shift - site.precision @ belief.mean for site in sites)
        return np.asarray(belief.covariance @ slope)
