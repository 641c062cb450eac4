"""How many claims speak of an outcome or an effect: where they are many, the sampler moves on what they speak of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.model.claims.layout import BeliefLayout
from sim.model.density.codes import Link

Ints = NDArray[np.int64]

LOUD = 10  # counts of an outcome by one source from which its total is sampled as that source sees it


def find_loudest(layout: BeliefLayout) -> dict[tuple[str, str], int]:
    """Return by force and outcome the bias term of the source that counts it most often, at least LOUD times.

    What others of its series follow tells of the path, not of the level, and is not counted.
    """
    times: dict[int, int] = {}
    is_count = layout.denominator.mask.sum(axis=1) == 0
    for row, (item, parts) in enumerate(zip(layout.rows, layout.numerator.mask.sum(axis=1), strict=True)):
        if not item.is_prior and parts == 1 and is_count[row] and not layout.link[row]:
            term = int(layout.numerator.term[row, 0])
            times[term] = times.get(term, 0) + 1
    found: dict[tuple[str, str], int] = {}
    for term in sorted(times, key=lambda term: times[term]):
        _, force, _, outcome, kind = layout.term_keys[term]
        if times[term] >= LOUD and not kind:
            found[force, outcome] = term
    return found


def count_claims(layout: BeliefLayout) -> Ints:
    """Return how many claims speak of each of the effects (see `BeliefLayout.latents`), the last of a series alone."""
    said = np.zeros(len(layout.term_keys), dtype=np.int64)
    alone = layout.link[:, None] == Link.NONE
    for parts in (layout.numerator, layout.denominator):
        np.add.at(said, parts.term, (parts.mask > 0) & alone)
    found = np.zeros(layout.latents, dtype=np.int64)
    for effect in (layout.in_war, layout.source, layout.source_outcome):
        np.add.at(found, effect[effect >= 0], said[effect >= 0])
    return found
