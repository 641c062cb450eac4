"""Weaker and stronger priors: densities of their groups, and powers of them."""

from __future__ import annotations

import numpy as np
from examples import CASE, RICH_ROWS
from scipy import stats

from sim.model.design import sample_prior
from sim.posterior.sample import Sample
from sim.robustness.counts import quantiles_of
from sim.robustness.power_scaling import GROUPS, log_prior, scale_priors


def test_the_density_of_a_group_of_priors(design):
    """Over all groups it adds up to that of all priors; of a joint prior, to those of the groups' marginals."""
    laid = design(RICH_ROWS, CASE)
    theta = laid.parameters.sample(np.random.default_rng(1), 50)
    total = sum(part for group in GROUPS if (part := log_prior(laid, theta, group)) is not None)
    known = np.zeros(50)
    for place, item in enumerate(laid.parameters.items):
        if item.prior.dist and place not in laid.parameters.joint.positions:
            law, x = item.prior, theta[:, place]
            if law.dist == "Normal":
                known += stats.norm.logpdf(x, law.mu, law.sigma)
            elif law.dist == "LogNormal":
                known += stats.norm.logpdf(np.log(x), law.mu, law.sigma)
            elif law.dist == "LogitNormal":
                known += stats.norm.logpdf(np.log(x / (1 - x)), law.mu, law.sigma)
            elif law.dist == "Beta":
                known += stats.beta.logpdf(x, law.alpha, law.beta)
            else:
                known += stats.halfnorm.logpdf(x, scale=law.sigma)
    tied = laid.parameters.joint.positions
    normal = np.column_stack([_on_normal_scale(laid.parameters.items[place].prior, theta[:, place]) for place in tied])
    blocks = [
        [p for p in tied if laid.parameters.items[p].variable.split(".")[0] in heads] for heads in GROUPS.values()
    ]
    covariance = laid.parameters.joint.root @ laid.parameters.joint.root.T
    for block in filter(None, blocks):
        at = [tied.index(place) for place in block]
        law = stats.multivariate_normal(laid.parameters.joint.mean[at], covariance[np.ix_(at, at)])
        known += law.logpdf(normal[:, at])
    np.testing.assert_allclose(total, known)


def _on_normal_scale(prior, values):
    return {"LogNormal": np.log, "LogitNormal": lambda x: np.log(x / (1 - x))}.get(prior.dist, np.asarray)(values)


def test_power_scaling_a_normal_prior_is_conjugate(design):
    """With no claims the posterior is the prior: to the power of alpha a normal law has its variance over alpha."""
    laid = design([], CASE)
    sample = Sample(laid, sample_prior(laid, np.random.default_rng(2), 20_000), 1)
    place = next(p for p, item in enumerate(laid.parameters.items) if item.variable == "wave.size")
    prior, theta = laid.parameters.items[place].prior, sample.unknowns["theta"][:, place]
    scaled, _ = scale_priors(sample, 4, [("x", "killed")])
    told = {(group, alpha): (log_weights, k) for group, alpha, log_weights, k in scaled}
    for alpha in (0.8, 1.25):
        log_weights, k = told["how many were lost, or sent", alpha]
        points = quantiles_of(theta, np.array([0.05, 0.5, 0.95]), np.exp(log_weights))
        known = stats.norm.ppf([0.05, 0.5, 0.95], prior.mu, prior.sigma / np.sqrt(alpha))
        np.testing.assert_allclose(points, known, atol=0.03)
        assert k < 0.7
