"""The site of one war, measured by draws of its unknowns and gradients at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sim.calibration.bywar.belief import Belief, Floats, Site
from sim.calibration.hindcasts import Hindcast
from sim.calibration.learn import Assembly, assemble, design_hindcast, seed_of
from sim.case.families import JointPrior
from sim.case.priors import PriorSet
from sim.posterior.fit import Effort, list_gradients, sample_buffer
from sim.system.store import Entry

CHAINS = 2
LONGER = Effort(1_500, 800, 0.95)  # where chains disagree
SILENT = 1e-9  # a slope that is nothing but rounding
APART = 0.6  # sds of the cavity that the means of two chains may differ by


@dataclass(frozen=True)
class SiteFit:
    """A site as measured once.

    Attributes
    ----------
    site : Site
    apart : float
        The largest distance of the means of two chains, in sds of the cavity.
    divergences : int
    """

    site: Site
    apart: float
    divergences: int


def regress_slopes(u: Floats, slopes: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Return the precision and shift of a site.

    Parameters
    ----------
    u : ndarray, shape (draws, k)
        Shared parameters.
    slopes : ndarray, shape (draws, k)
        Gradient of log p(y, z | u) by u.
    scores : ndarray, shape (draws, m)
        Its gradient by the war's own unknowns z: of mean zero given u.

    Returns
    -------
    precision : ndarray, shape (k, k)
    shift : ndarray, shape (k,)
        Of the regression of slopes on u, scores beside it: E[slope | u] = shift - precision u.
    """
    regressors = np.hstack([np.ones((len(u), 1)), u, scores])
    found, *_ = np.linalg.lstsq(regressors, slopes, rcond=None)
    precision = -found[1 : u.shape[1] + 1]
    return np.asarray((precision + precision.T) / 2), np.asarray(found[0])


def fit_site(items: Sequence[Hindcast], base: PriorSet, cavity: Belief, seed: int, effort: Effort) -> SiteFit:
    """Measure the site of a war by draws from its cavity times its likelihood.

    Parameters
    ----------
    items : sequence of Hindcast
        The cases of the war.
    base : PriorSet
        The priors of what wars do not share, and the keys of what they do.
    cavity : Belief
        What the other wars have taught.
    seed : int
    effort : Effort
        Of each of two chains; there are at least as many draws as unknowns.
    """
    assembly, keys = assemble_war(items, base, cavity)
    plan = asdict(effort) | {"draws": max(effort.draws, assembly.size)}
    raw = sample_buffer(assembly.buffer, assembly.middle, items[0].war, seed, **plan, chains=CHAINS, quiet=True)
    shared, x = len(keys), raw.x.reshape(-1, assembly.size)
    mean, root = np.array(assembly.joint.mean), np.linalg.cholesky(np.array(assembly.joint.covariance))
    gradients = list_gradients(assembly.buffer, x)
    slopes = (gradients[:, :shared] + x[:, :shared]) @ np.linalg.inv(root)  # by the parameters, without the cavity's
    site = measure_site(x[:, :shared] @ root.T, slopes, gradients[:, shared:], mean)
    apart = float(np.max(np.ptp(raw.x[..., :shared].mean(axis=1), axis=0), initial=0.0))
    return SiteFit(site.spread(keys, len(cavity.mean)), apart, raw.divergences)


def assemble_war(items: Sequence[Hindcast], base: PriorSet, cavity: Belief) -> tuple[Assembly, NDArray[np.int64]]:
    """Return the cases of a war as one density under its cavity, and which shared parameters it speaks of."""
    names = base.joint.keys if base.joint else ()
    designs = [(design_hindcast(item, base), item.war) for item in items]
    spoken = {parameter.key for design, _ in designs for parameter in design.parameters.items}
    keys = np.array([index for index, key in enumerate(names) if key in spoken], dtype=np.int64)
    mean, covariance = cavity.mean[keys], cavity.covariance[np.ix_(keys, keys)]
    own = JointPrior(keys=tuple(names[key] for key in keys), mean=tuple(mean), covariance=tuple(map(tuple, covariance)))
    return assemble(designs, own), keys


def measure_site(away: Floats, slopes: Floats, scores: Floats, mean: Floats) -> Site:
    """Return the site of a war from draws.

    A parameter by which the likelihood has no slope anywhere is one that the war does not speak of: the site says
    nothing of it, and its draws, whose chance would get into the rest, are left out.

    Parameters
    ----------
    away : ndarray, shape (draws, k)
        Shared parameters less `mean`.
    slopes : ndarray, shape (draws, k)
        Gradient of log p(y, z | theta) by them.
    scores : ndarray, shape (draws, m)
        Its gradient by the war's own unknowns.
    mean : ndarray, shape (k,)
    """
    size = len(mean)
    spoken = np.flatnonzero(np.abs(slopes).max(axis=0) > SILENT)
    scale = away[:, spoken].std(axis=0)
    precision, shift = regress_slopes(away[:, spoken] / scale, slopes[:, spoken] * scale, scores)
    precision = precision / np.outer(scale, scale)
    return Site(precision, shift / scale + precision @ mean[spoken]).spread(spoken, size)


def fit_as_entry(
    wars: Mapping[str, list[Hindcast]],
    base: PriorSet,
    cavities: Mapping[str, Belief],
    seed: int,
    effort: Effort,
    war: str,
) -> Entry:
    """Return the site of a war as an entry of the task loop; a second and longer try where chains disagree."""
    own_seed = seed_of(seed, war)
    fit = fit_site(wars[war], base, cavities[war], own_seed, effort)
    if fit.apart > APART:
        fit = fit_site(wars[war], base, cavities[war], own_seed + 1, LONGER)
    return {
        "precision": fit.site.precision.tolist(),
        "shift": fit.site.shift.tolist(),
        "apart": fit.apart,
        "divergences": fit.divergences,
    }


def read_site(_: str, entry: Entry) -> SiteFit:
    """Return the site that an entry holds."""
    site = Site(np.array(entry["precision"]), np.array(entry["shift"]))
    return SiteFit(site, entry["apart"], entry["divergences"])
