"""All wars in one density, sampled from where each war by itself has its mass.

Its thousands of unknowns have most of their mass far from the middle of the priors, where chains that begin there get
stuck: the effects of a war's sources fit together only near what its claims say. So each war is first sampled alone
under its cavity, and the chains begin where these have ended, with the shared parameters at the mean of what all wars
tell. The law that is sampled is not changed by that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Unpack

import numpy as np

from sim.calibration.bywar.belief import Belief, Floats, Site
from sim.calibration.bywar.fit import assemble_war
from sim.calibration.bywar.passes import find_cavities, group_wars
from sim.calibration.hindcasts import Hindcast
from sim.calibration.learn import BRIEF, BRIEF_CHAINS, Assembly, Learned, learn_priors, seed_of
from sim.case.priors import PriorSet
from sim.posterior.fit import Effort, sample_buffer
from sim.sampler.chains import ChainState, make_diagonal
from sim.system.store import Entry
from sim.system.tasks import TaskOptions, gather_results

ALONE = Effort(100, 200, 0.9)  # of each war, to find its mass
FIRST_STEP = 0.05
LEAST_SPREAD = 1e-3

Ends = tuple[list[tuple[str, ...]], Floats, Floats]


def learn_at_once(
    hindcasts: Iterable[Hindcast],
    base: PriorSet,
    seed: int,
    effort: Effort = BRIEF,
    *,
    chains: int = BRIEF_CHAINS,
    known: Mapping[str, Site] | None = None,
    **options: Unpack[TaskOptions],
) -> Learned:
    """Learn what wars share by chains in which all are.

    Parameters
    ----------
    hindcasts : iterable of Hindcast
    base : PriorSet
        What is believed before; it must have a joint prior, whose keys are learned.
    seed : int
    effort : Effort
    chains : int
    known : mapping of str to Site, optional
        Sites of wars that have been learned from: of the others a first one is measured.
    **options
        See `sim.system.tasks.TaskOptions`; of what comes before the chains, which have a thread each.
    """
    items = list(hindcasts)
    belief, cavities = find_cavities(items, base, seed, known=known, **options)
    wars = group_wars(items)
    work = partial(_end_as_entry, wars, base, cavities, seed, chains)
    order = list(wars)[::-1]
    ends = dict(gather_results(work, order, _read_ends, depends_on=(), label="war", plural="wars", **options))

    def begin(assembly: Assembly) -> ChainState:
        return join_ends(assembly, belief, list(ends.values()), chains)

    return learn_priors(items, base, seed, effort, chains=chains, quiet=options.get("quiet", True), begin=begin)


def join_ends(assembly: Assembly, belief: Belief, ends: Sequence[Ends], chains: int) -> ChainState:
    """Return where chains of all wars begin.

    Parameters
    ----------
    assembly : Assembly
        Of all wars.
    belief : Belief
        Of the shared parameters, at whose mean they begin.
    ends : sequence of (names, ends, spread)
        Of the unknowns of each war: what they are, where its chains have ended, shape (chains, m), and their standard
        deviations, shape (m,).
    chains : int
    """
    x, spread = np.tile(assembly.middle, (chains, 1)), np.ones(assembly.size)
    inverse = np.linalg.inv(np.linalg.cholesky(np.array(assembly.joint.covariance)))
    shared = len(assembly.joint.keys)
    x[:, :shared] = inverse @ (belief.mean - np.array(assembly.joint.mean))
    spread[:shared] = np.sqrt(np.diag(inverse @ belief.covariance @ inverse.T))
    slot_of = {name: slot for slot, name in enumerate(assembly.names)}
    for names, ended, scattered in ends:
        slots = [slot_of[name] for name in names]
        x[:, slots], spread[slots] = ended, np.maximum(scattered, LEAST_SPREAD)
    return ChainState(x, make_diagonal(spread), math.log(FIRST_STEP), is_borrowed=True)


def _end_as_entry(
    wars: Mapping[str, list[Hindcast]],
    base: PriorSet,
    cavities: Mapping[str, Belief],
    seed: int,
    chains: int,
    war: str,
) -> Entry:
    """Return where chains of a war alone have ended, as an entry of the task loop."""
    assembly, keys = assemble_war(wars[war], base, cavities[war])
    raw = sample_buffer(
        assembly.buffer, assembly.middle, war, seed_of(seed, war), **asdict(ALONE), chains=chains, quiet=True
    )
    own = raw.x[..., len(keys) :]
    return {
        "names": [list(name) for name in assembly.names[len(keys) :]],
        "ends": own[:, -1].tolist(),
        "spread": own.reshape(-1, own.shape[-1]).std(axis=0).tolist(),
    }


def _read_ends(_: str, entry: Entry) -> Ends:
    names = [tuple(name) for name in entry["names"]]
    return names, np.array(entry["ends"]).reshape(-1, len(names)), np.array(entry["spread"])
