"""The parameters of a case with their priors, laid out as one vector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, SILENCE, Case
from sim.case.families import Prior
from sim.case.prior_keys import list_shared
from sim.case.priors import PriorSet


@dataclass(frozen=True)
class Parameter:
    """A scalar parameter: the variable of `posterior.nc` it is an element of, its coordinates there, and its prior."""

    variable: str
    coords: tuple[tuple[str, str], ...]
    prior: Prior

    @property
    def key(self) -> str:
        """The key of the prior set, of a parameter that all forces share."""
        role = dict(self.coords).get("role", "")
        head, _, tail = self.variable.partition(".")
        return ".".join(part for part in (head, role, tail) if part) if role else self.variable

    @property
    def name(self) -> str:
        """The variable and its coordinates, as one word."""
        return ".".join([self.variable, *(label for _, label in self.coords)])


@dataclass(frozen=True)
class Joint:
    """Parameters that are jointly normal on their unconstrained scales: themselves, their logs, or their logits.

    Attributes
    ----------
    positions : tuple of int
        In theta.
    mean : ndarray, shape (k,)
    root : ndarray, shape (k, k)
        Lower Cholesky factor of the covariance.
    """

    positions: tuple[int, ...]
    mean: NDArray[np.float64]
    root: NDArray[np.float64]


NO_JOINT = Joint((), np.zeros(0), np.zeros((0, 0)))


@dataclass(frozen=True)
class Parameters:
    """The parameter vector `theta` of a case."""

    items: tuple[Parameter, ...]
    joint: Joint = NO_JOINT

    def __len__(self) -> int:
        return len(self.items)

    def index(self, *names: str) -> int:
        """Return the position of the parameter named by a variable and its coordinates."""
        return self._positions[".".join(names)]

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {item.name: position for position, item in enumerate(self.items)}

    def sample(self, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
        """Draw from the prior: an array of shape (draws, parameters)."""
        theta = np.stack([item.prior.sample(rng, draws) for item in self.items], axis=-1)
        normal = self.joint.mean + rng.standard_normal((draws, len(self.joint.positions))) @ self.joint.root.T
        for column, position in enumerate(self.joint.positions):
            theta[:, position] = self.items[position].prior.constrain(normal[:, column])
        return theta


def lay_out_parameters(
    case: Case,
    priors: PriorSet,
    spoken: Mapping[str, Collection[str]],
    has_path: bool,
    bursts: Collection[tuple[str, str]],
    has_picks: bool,
    has_silences: bool,
) -> Parameters:
    """List the parameters that a case has, with the prior of each.

    Parameters
    ----------
    case : Case
    priors : PriorSet
    spoken : mapping of str to collection of str
        The roles that its sources have, each with the kinds of losses that it biases.
    has_path : bool
        Whether losses are spread over more than one day.
    bursts : collection of (str, str)
        The forces' outcomes that have bursts.
    has_picks : bool
        Whether single days are told of.
    has_silences : bool
        Whether those who speak of a force leave out its prisoners.
    """
    items: list[Parameter] = []

    def add(variable: str, prior: Prior, **coords: str) -> None:
        items.append(Parameter(variable, tuple(coords.items()), prior))

    for key, role in list_shared(spoken):
        if has_path or not key.startswith("path."):
            variable = ".".join(part for part in key.split(".") if part != role)
            add(variable, priors.get(key), **({"role": role} if role else {}))
    if has_picks:
        add("pick.by_size", priors.get("pick.by_size"))
    if has_silences:
        add("surrender.told", priors.get("surrender.told"))
    for key in case.forces:
        _lay_out_force(case, key, priors, has_path, items)
    for key, outcome in bursts:
        add("bursts", priors.get(f"bursts.{outcome}", "bursts.default"), force=key, outcome=outcome)
    return Parameters(tuple(items), _join(items, priors))


def remember_sources(parameters: Parameters, priors: PriorSet, sources: Iterable[str]) -> Parameters:
    """Return the parameters with the fresh error of each source that speaks in a series: they come last."""
    known = {item.name for item in parameters.items}
    added = tuple(
        Parameter("memory.fresh", (("source", source),), priors.get("memory.fresh"))
        for source in sources
        if f"memory.fresh.{source}" not in known
    )
    return replace(parameters, items=(*parameters.items, *added)) if added else parameters


def _join(items: Sequence[Parameter], priors: PriorSet) -> Joint:
    """Return the joint prior of those parameters that the set's joint prior names."""
    if priors.joint is None:
        return NO_JOINT
    keys = [item.key for item in items]
    positions = tuple(position for position, key in enumerate(keys) if key in priors.joint.keys)
    if not positions:
        return NO_JOINT
    mean, covariance = priors.joint.select([keys[position] for position in positions])
    return Joint(positions, mean, np.linalg.cholesky(covariance))


def _lay_out_force(case: Case, key: str, priors: PriorSet, has_path: bool, items: list[Parameter]) -> None:
    force = case.forces[key]

    def add(variable: str, prior: Prior, **coords: str) -> None:
        items.append(Parameter(variable, (("force", key), *coords.items()), prior))

    for wave in force.waves:
        size = Prior(dist="Normal", mu=float(np.log(wave.median)), sigma=wave.log_sd, source="case.toml")
        add("wave.size", size, wave=wave.name)
    for number, lull in enumerate(force.lulls):
        if has_path:
            add("lull", priors.get("silence" if lull.claim == SILENCE else "lull"), lull_number=str(number))
    if {"killed", "wounded"} <= set(force.outcomes):
        add("wounded_per_killed", priors.get("wounded_per_killed"))
    if force.bounded:
        add("share", priors.get(f"share.{key}", "share.default"))
        people = [outcome for outcome in force.outcomes if outcome in PERSONNEL]
        if "captured" in people and people != ["captured"]:
            add("captured_share", priors.get("captured_share"))
        if "missing" in people:
            add("missing_share", priors.get("missing_share"))
    for outcome in list_free_outcomes(force.outcomes, force.bounded):
        add("total", priors.get(f"total.{outcome}", "total.default"), outcome=outcome)
    if has_path and len(force.outcomes) > 1:
        for outcome in force.outcomes:
            add("path.tilt", priors.get("path.tilt"), outcome=outcome)


def list_free_outcomes(outcomes: Iterable[str], bounded: bool) -> list[str]:
    """Return the outcomes whose totals have priors of their own.

    Of a bounded force its personnel share its loss; wounded beside killed follow from them by `wounded_per_killed`.
    """
    names = list(outcomes)
    tied = {"wounded"} if "killed" in names else set()
    return [name for name in names if not (bounded and name in PERSONNEL) and name not in tied]
