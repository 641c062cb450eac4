"""Normal laws of the shared parameters, and the site of a war, by precision and shift (precision times mean)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.case.families import JointPrior

Floats = NDArray[np.float64]

LEAST_SHARE = 0.5  # of the prior's precision that is kept in every direction: no war makes us know less by more


@dataclass(frozen=True)
class Site:
    """What one war tells of the shared parameters: precision L, shape (k, k), and shift h, shape (k,)."""

    precision: Floats
    shift: Floats

    def blend(self, other: Site, share: float) -> Site:
        """Return the site moved towards another by a share of the way."""
        return Site(
            self.precision + share * (other.precision - self.precision),
            self.shift + share * (other.shift - self.shift),
        )

    def spread(self, keys: NDArray[np.int64], size: int) -> Site:
        """Return a site of some parameters as one of all `size`, of the others of which it says nothing."""
        whole, shifts = np.zeros((size, size)), np.zeros(size)
        whole[np.ix_(keys, keys)] = self.precision
        shifts[keys] = self.shift
        return Site(whole, shifts)


@dataclass(frozen=True)
class Belief:
    """A normal law of the shared parameters, by its precision and shift (precision times mean)."""

    precision: Floats
    shift: Floats

    @classmethod
    def of(cls, joint: JointPrior) -> Belief:
        """Return that of a joint prior."""
        precision = np.linalg.inv(np.array(joint.covariance))
        return cls(precision, precision @ np.array(joint.mean))

    def add(self, sites: Iterable[Site]) -> Belief:
        """Return the law with what some wars tell."""
        listed = list(sites)
        return Belief(
            self.precision + sum((site.precision for site in listed), np.zeros_like(self.precision)),
            self.shift + sum((site.shift for site in listed), np.zeros_like(self.shift)),
        )

    @cached_property
    def covariance(self) -> Floats:
        """The covariance, shape (k, k)."""
        found = np.linalg.inv(self.precision)
        return np.asarray((found + found.T) / 2)

    @property
    def mean(self) -> Floats:
        """The mean, shape (k,)."""
        return np.asarray(self.covariance @ self.shift)

    def make_proper(self, prior: Belief) -> tuple[Belief, bool]:
        """Return the law with LEAST_SHARE of the prior's precision in every direction, and whether it lacked that.

        The sum of noisy sites may say of a direction of which the record knows nothing that less is known than before.
        """
        root = np.linalg.cholesky(prior.covariance)
        values, vectors = np.linalg.eigh(root.T @ self.precision @ root)
        if values[0] >= LEAST_SHARE:
            return self, False
        back = np.linalg.inv(root).T @ vectors
        return Belief((back * np.maximum(values, LEAST_SHARE)) @ back.T, self.shift), True

    def diverge(self, other: Belief) -> float:
        """Return the Kullback-Leibler divergence of another law from this one, in nats."""
        change = self.mean - other.mean
        ratio = other.precision @ self.covariance
        _, log_ratio = np.linalg.slogdet(ratio)
        return float((np.trace(ratio) - log_ratio - len(change) + change @ other.precision @ change) / 2)


def leave_out(belief: Belief, site: Site, prior: Belief) -> Belief:
    """Return what is believed without a war: a law, which `Belief.make_proper` sees to."""
    return belief.add([Site(-site.precision, -site.shift)]).make_proper(prior)[0]
