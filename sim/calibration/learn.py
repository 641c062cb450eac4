"""Learning priors from the track record: every past war at once, with the likelihood that a run uses.

The unknowns that wars share are jointly normal on their own scales before the record is looked at (the prior set
`vague`), and are reported so after it. Each case of the record keeps its own losses and path; its truth is one more
observation, of a source without bias. Cases of one war share the effects of roles and sources in it.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.calibration.hindcasts import Hindcast
from sim.calibration.record import Record
from sim.calibration.truths import Truth
from sim.case.claims import Claim
from sim.case.families import JointPrior, Prior
from sim.case.observations import Observation
from sim.case.priors import PriorSet, read_priors
from sim.errors import refuse
from sim.model.buffer import find_middle, list_free, name_slots, pack_design, pack_many
from sim.model.claims.rows import ESTABLISHED
from sim.model.design import Design, design_model
from sim.model.parameters import Joint
from sim.posterior.fit import Effort, sample_buffer
from sim.sampler.chains import ChainState
from sim.sampler.diagnostics import judge_draws
from sim.system.writing import replace_files

Floats = NDArray[np.float64]

MIN_TRUTH_SD = 0.02  # of a truth given as one number, on the log scale: registers err too
UNIT_SD = 1 / math.sqrt(12)  # of what rounds to a whole number
BRIEF, BRIEF_CHAINS = Effort(1_200, 500, 0.9), 2  # for a forecast of a war that is left out
THOROUGH = Effort(2_500, 500, 0.95)  # of all wars at once, to compare with


@dataclass(frozen=True)
class Diagnostics:
    """How well the keys that were learned are computed; `steps` is the mean of a draw, `unknowns` counts all."""

    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    divergences: int
    steps: float
    unknowns: int
    trusted: bool


@dataclass(frozen=True)
class Learned:
    """What the track record taught.

    Attributes
    ----------
    keys : tuple of str
        The keys of the prior set.
    draws : ndarray, shape (chains, draws, keys)
        On the normal scale of each key.
    diagnostics : Diagnostics
    """

    keys: tuple[str, ...]
    draws: Floats
    diagnostics: Diagnostics

    @property
    def mean(self) -> Floats:
        """The posterior mean, shape (keys,)."""
        return np.asarray(self.draws.reshape(-1, len(self.keys)).mean(axis=0))

    @property
    def covariance(self) -> Floats:
        """The posterior covariance, shape (keys, keys)."""
        return np.atleast_2d(np.cov(self.draws.reshape(-1, len(self.keys)).T))


def observe_truth(truth: Truth, start: dt.date) -> Observation:
    """Return a truth as an observation: normal on the log scale with the mean and sd of its triangular law.

    Its sd is at least MIN_TRUTH_SD, and that of the unit that it was counted in. `start` is that of its case.
    """
    later = truth.start > start and truth.quantity != "deployed"
    claim = Claim.model_validate(
        {
            "id": f"truth-{truth.row}",
            "source": ESTABLISHED,
            "force": truth.key,
            "quantity": truth.quantity,
            "measure": "stock" if truth.quantity == "deployed" else "interval" if later else "cumulative",
            "since": truth.start if later else None,
            "as_of": truth.day,
            "published": truth.day,
            "value": truth.value,
        }
    )
    mean, sd = truth.log_moments()
    floor = max(MIN_TRUTH_SD, UNIT_SD / max(truth.value, 1.0))
    return Observation(claim, ESTABLISHED, "", "density", mean, math.nan, math.nan, extra_sd=max(sd, floor))


def design_hindcast(hindcast: Hindcast, priors: PriorSet) -> Design:
    """Lay out a case of the record with its truths among the observations; shared parameters are not joint in it.

    Truths of zero are left out. Whoever claims losses where there were none exaggerates by no factor; read as one, two
    such cases would set the scales of all the others.
    """
    truths = tuple(observe_truth(truth, hindcast.case.start) for truth in hindcast.truths if not truth.is_zero)
    return design_model(hindcast.case, replace(priors, joint=None), established=truths)


@dataclass(frozen=True)
class Assembly:
    """Several designs that share parameters, as one density.

    Attributes
    ----------
    designs : tuple of Design
    joint : JointPrior
        The prior of what is shared.
    slots : tuple of ndarray
        Where each element of each design's unconstrained vector stands in the whole.
    middle : ndarray, shape (n,)
        The whole about which chains start.
    buffer : ndarray
        For `sim.model.density.kernel.log_density_many`.
    names : tuple of tuple of str
        What each element of the whole is: the same name in two assemblies is the same unknown.
    """

    designs: tuple[Design, ...]
    joint: JointPrior
    names: tuple[tuple[str, ...], ...]
    slots: tuple[NDArray[np.int64], ...]
    counts: tuple[Floats, ...]
    middle: Floats
    buffer: Floats

    @property
    def size(self) -> int:
        """The length of the whole."""
        return len(self.middle)


def assemble(designs: Sequence[tuple[Design, str]], joint: JointPrior) -> Assembly:
    """Join designs, each with the name of its war, by the keys of `joint` and the effects of roles and sources.

    An effect is one of its war: of (war, force, role, class of outcomes), of (war, source, class), of (war, source,
    force, outcome).
    """
    slot_of: dict[tuple[str, ...], int] = {(key,): slot for slot, key in enumerate(joint.keys)}
    slots, counts = [], []
    for design, war in designs:
        own, counted = [], []
        keys = {free: design.parameters.items[p].key for free, p in enumerate(list_free(design.parameters))}
        for number, name in enumerate(name_slots(design)):
            key: tuple[str, ...] = (design.case.name, *name)
            if name[0].startswith("effect."):
                key = (war, *name)
            elif keys.get(number) in joint.keys:
                key = (keys[number],)
            counted.append(float(key not in slot_of))
            own.append(slot_of.setdefault(key, len(slot_of)))
        slots.append(np.array(own, dtype=np.int64))
        counts.append(np.array(counted))
    shared = Joint((), np.array(joint.mean), np.linalg.cholesky(np.array(joint.covariance)))
    pieces = [
        (pack_design(design, count), slot) for (design, _), slot, count in zip(designs, slots, counts, strict=True)
    ]
    middle = np.zeros(len(slot_of))
    for (design, _), slot, count in zip(designs, slots, counts, strict=True):
        middle[slot[count > 0]] = find_middle(design)[count > 0]
    return Assembly(
        designs=tuple(design for design, _ in designs),
        joint=joint,
        names=tuple(slot_of),
        slots=tuple(slots),
        counts=tuple(counts),
        middle=middle,
        buffer=pack_many(shared, pieces),
    )


def learn_priors(
    hindcasts: Iterable[Hindcast],
    base: PriorSet,
    seed: int,
    effort: Effort = BRIEF,
    *,
    chains: int = BRIEF_CHAINS,
    quiet: bool = False,
    begin: Callable[[Assembly], ChainState] | None = None,
) -> Learned:
    """Learn the joint prior of a set from cases with known outcomes, all in one density.

    Parameters
    ----------
    hindcasts : iterable of Hindcast
    base : PriorSet
        What is believed before; it must have a joint prior, whose keys are learned.
    seed : int
    effort : Effort
        How long the chains run.
    chains : int
    quiet : bool
        Show no progress.
    begin : callable, optional
        From the density to where the chains begin; without it about the middle of the priors, which with many wars is
        far from where the mass is (see `sim.calibration.bywar.at_once`).

    Returns
    -------
    Learned
    """
    if base.joint is None:
        raise refuse(base.name, "joint", "is missing", "start from a set with a joint prior, such as vague")
    known = [item for item in hindcasts if any(not truth.is_zero for truth in item.truths)]
    if not known:
        raise refuse("the table", "", "holds no established loss to learn from", "give other wars, or a prior set")
    assembly = assemble([(design_hindcast(item, base), item.war) for item in known], base.joint)
    draws = sample_buffer(
        assembly.buffer, assembly.middle, "the track record", seed, **asdict(effort), chains=chains, quiet=quiet,
        resume_from=begin(assembly) if begin else None,
    )  # fmt: skip
    shared = len(base.joint.keys)
    root = np.linalg.cholesky(np.array(base.joint.covariance))
    values = np.array(base.joint.mean) + draws.x[..., :shared] @ root.T
    verdict = judge_draws({key: values[..., column] for column, key in enumerate(base.joint.keys)}, draws.divergences)
    diagnostics = Diagnostics(
        max_rhat=verdict.max_rhat,
        min_ess_bulk=verdict.min_ess_bulk,
        min_ess_tail=verdict.min_ess_tail,
        divergences=draws.divergences,
        steps=draws.steps,
        unknowns=assembly.size,
        trusted=verdict.trusted,
    )
    return Learned(base.joint.keys, values, diagnostics)


def seed_of(seed: int, name: str) -> int:
    """Return the seed of a task, which follows from its name alone and not from who runs it when."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0] % 2**31)


def describe_record(record: Record) -> str:
    """Return in words what a set was learned from, and what that does to it."""
    count = sum(not truth.is_zero for item in record.hindcasts for truth in item.truths)
    return (
        f"Learned with the likelihood of `truetoll run` from {count} established losses in {len(record.wars)} past "
        "wars, jointly, with the uncertainty that so few wars leave. The wars are those that people wrote about, so "
        "exaggeration is over-represented. Left out by war, 90% intervals held nine in ten; least of soldiers and "
        "civilians counted together, of civilians and of campaigns: some eight in ten."
    )


class NormalLaw(Protocol):
    """What was learned of some keys, jointly normal on their own scales."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the prior set."""

    @property
    def mean(self) -> Floats:
        """Shape (keys,)."""

    @property
    def covariance(self) -> Floats:
        """Shape (keys, keys)."""


def update_priors(base: PriorSet, learned: NormalLaw, name: str, note: str = "", source: str = "") -> PriorSet:
    """Return the prior set with what was learned in place of its joint prior."""
    mean, covariance = (
        np.vectorize(lambda value: float(f"{value:.6g}"))(a) for a in (learned.mean, learned.covariance)
    )
    joint = JointPrior(keys=learned.keys, mean=tuple(mean), covariance=tuple(map(tuple, covariance)))
    priors = dict(base.priors)
    for column, key in enumerate(joint.keys):
        before = base.priors[key]
        priors[key] = Prior(
            dist=before.dist,
            mu=joint.mean[column],
            sigma=float(f"{math.sqrt(joint.covariance[column][column]):.6g}"),
            source=source,
            why=_tell_learned(key, joint.mean[column], math.sqrt(joint.covariance[column][column]), before),
        )
    return PriorSet(name=name, note=note, priors=priors, joint=joint)


def _tell_learned(key: str, mean: float, sd: float, before: Prior) -> str:
    """Return in words what was learned of a key: median and 90% interval on its own scale, a bias as a multiplier."""
    edges = mean + sd * np.array([-1.6449, 0.0, 1.6449])
    with np.errstate(over="ignore"):  # of what is out of all proportion, which is refused when it is written
        low, middle, high = np.exp(edges) if key.startswith("role.") else before.constrain(edges)
    what = "Multiplies what was lost by" if key.startswith("role.") else "Median"
    narrower = 1 - sd / float(before.sigma or math.inf)
    return f"{what} {middle:.2f}, 90% {low:.2f} to {high:.2f}; the record narrowed it by {max(narrower, 0):.0%}."


def write_priors(priors: PriorSet, path: Path, learned_from: Mapping[str, str]) -> None:
    """Write a prior set that was learned, whole or not at all: one that cannot be read again is refused."""
    lines = ["schema = 1", f"name = {json.dumps(priors.name)}", f"note = {json.dumps(priors.note)}"]
    lines.append("learned_from = { " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in learned_from.items()) + " }")
    for key, prior in priors.priors.items():
        lines += ["", f"[{json.dumps(key)}]"]
        lines += [
            f"{name} = {json.dumps(value)}"
            for name, value in prior.model_dump(exclude_none=True).items()
            if value != ""
        ]
    joint = priors.joint
    if joint is not None:
        rows = [f"  {json.dumps(list(row))}," for row in joint.covariance]
        keys = [f"  {json.dumps(key)}," for key in joint.keys]
        lines += ["", "[joint]", "keys = [", *keys, "]", f"mean = {json.dumps(list(joint.mean))}"]
        lines += ["covariance = [", *rows, "]"]
    with replace_files(path.parent) as draft:
        (draft / path.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        read_priors(draft / path.name)
