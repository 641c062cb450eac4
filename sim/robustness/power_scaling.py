"""What if a prior were weaker or stronger: power-scaling of each group of priors by importance weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.case.families import Prior
from sim.contract.sensitivity import PriorPower
from sim.contract.values import round_figures
from sim.model.arrays import NUMPY
from sim.model.beliefs import widen_effects
from sim.model.design import Design
from sim.posterior.sample import Sample, by_chain
from sim.robustness.counts import Key
from sim.sampler.diagnostics import smooth_weights

ALPHAS = (0.8, 1.25)
INSIDE = (1e-300, 1 - 1e-16)  # the shares whose density a computer can tell
EFFECTS = "each source's own bias"
GROUPS = {
    "how many were lost, or sent": ("total", "share", "wave"),
    "bias of roles": ("role",),
    "spread of biases": ("scale", "spread"),
    "noise": ("noise",),
    "wording": ("wording",),
    "outliers": ("outlier",),
    "path and lulls": ("path", "lull", "silence"),
    "bursts and memory": ("bursts", "pick", "memory", "surrender"),
    "split of the losses": ("wounded_per_killed", "captured_share", "missing_share"),
}
Floats = NDArray[np.float64]


class Scaled(NamedTuple):
    """A group of priors to a power: the log weights of draws under it, and Pareto's k."""

    group: str
    power: float
    log_weights: Floats
    k: float


def scale_priors(sample: Sample, chains: int, keys: Sequence[Key]) -> tuple[list[Scaled], list[PriorPower]]:
    """Scale each group of priors by powers.

    Parameters
    ----------
    sample : Sample
        Of the posterior.
    chains : int
    keys : sequence of (force, quantity)
        The counts whose sensitivity is told.

    Returns
    -------
    scaled : list of Scaled
    sensitivities : list of PriorPower
        ArviZ's, of the log of each count to each group.
    """
    scaled: list[Scaled] = []
    densities: dict[str, Floats] = {}
    for group in (*GROUPS, EFFECTS):
        density = log_effects(sample) if group == EFFECTS else log_prior(sample.design, sample.unknowns["theta"], group)
        if density is None:
            continue
        densities[group] = density
        for alpha in ALPHAS:
            scaled.append(Scaled(group, alpha, *smooth_weights((alpha - 1) * density)))
    return scaled, _sense(sample, chains, keys, densities)


def _sense(sample: Sample, chains: int, keys: Sequence[Key], densities: dict[str, Floats]) -> list[PriorPower]:
    """Return ArviZ's sensitivity of each count to each group of priors."""
    import xarray as xr
    from arviz_stats import psense  # type: ignore[attr-defined] # without all that draws

    dims = ("chain", "draw")
    logs = {
        f"{force}.{quantity}": (dims, by_chain(np.log(sample.headline[force, quantity] + 0.5), chains))
        for force, quantity in keys
        if np.ptp(sample.headline[force, quantity]) > 0
    }
    priors = {group: (dims, by_chain(density, chains)) for group, density in densities.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(logs), "log_prior": xr.Dataset(priors)})
    found = []
    for group in densities:
        values = psense(tree, group="prior", group_var_names=[group]) if logs else {}  # type: ignore[no-untyped-call]
        for force, quantity in keys:
            name = f"{force}.{quantity}"
            value = float(values[name]) if name in logs else 0.0  # a count that does not vary hangs on nothing
            found.append(PriorPower(group=group, force=force, quantity=quantity, psense=round_figures(value, 3)))
    return found


def log_effects(sample: Sample) -> Floats | None:
    """Return the log density of the effects of roles in this war, sources, and sources by outcome, given scales."""
    beliefs, theta, effects = sample.design.beliefs, sample.unknowns["theta"], sample.unknowns["effects"]
    if not beliefs.latents:
        return None
    return np.asarray(-0.5 * np.sum(effects**2, axis=-1) + widen_effects(NUMPY, beliefs, theta, effects))


def log_prior(design: Design, theta: Floats, group: str) -> Floats | None:
    """Return the log density of a group's priors at draws of theta, shape (draws,); None where it has none.

    Of keys that a joint prior holds it is the density of their joint marginal, so that the prior of the others given
    them stays as it is. Parameters known on a log or logit scale have their density there.
    """
    items, joint = design.parameters.items, design.parameters.joint
    chosen = [
        index for index, item in enumerate(items) if item.prior.dist and item.variable.split(".")[0] in GROUPS[group]
    ]
    if not chosen:
        return None
    total = np.zeros(len(theta))
    tied = [index for index in chosen if index in joint.positions]
    if tied:
        rows = [joint.positions.index(index) for index in tied]
        covariance = (joint.root @ joint.root.T)[np.ix_(rows, rows)]
        values = np.column_stack([_on_scale(items[index].prior, theta[:, index]) for index in tied])
        total += stats.multivariate_normal(joint.mean[rows], covariance, allow_singular=True).logpdf(values)
    for index in chosen:
        if index not in joint.positions:
            prior = items[index].prior
            values = np.clip(theta[:, index], *INSIDE) if prior.dist == "Beta" else theta[:, index]
            total += prior.log_density(values)
    return total


def _on_scale(prior: Prior, values: Floats) -> Floats:
    """Return values on the scale on which the prior is normal, and of another prior as they are."""
    return prior.family.unconstrain(values) if prior.family and prior.family.normal else values
