"""What sources would say again: of the claims as they are, and of made-up worlds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.case.observations import Observation
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import expect, mix_noise, recall, statement_errors
from sim.model.claims.layout import BeliefLayout
from sim.model.claims.rows import find_next_sd
from sim.model.claims.series import find_link, find_point, order_series, tells_error
from sim.model.density.codes import Link
from sim.model.design import Design

if TYPE_CHECKING:
    from sim.posterior.sample import Sample

Floats = NDArray[np.float64]


def say_again(sample: Sample, rng: np.random.Generator) -> dict[str, Floats]:
    """Return what the source of each used claim says in each draw, before rounding, on the row's scale.

    A claim that others of its series follow is said again given the next one as it is.
    """
    return join_rows(sample, map_draws(lambda block: _repeat_rows(sample, block, rng), len(sample.unknowns["theta"])))


def join_rows(sample: Sample, repeated: Floats) -> dict[str, Floats]:
    """Return by claim what was said in its row, given for each draw and row."""
    layout = sample.design.beliefs
    found: dict[str, Floats] = {}
    for number, row in enumerate(layout.rows):
        if row.observation is not None:
            key, said = row.observation.claim.id, repeated[:, number]
            # Of a source whose role has several readings, the row of the reading that holds in the draw.
            found[key] = np.where(sample.readings[:, row.reading], said, found[key]) if key in found else said
    return found


def _repeat_rows(sample: Sample, block: slice, rng: np.random.Generator) -> Floats:
    """Return what is said again in each row, in a block of draws, shape (draws, rows)."""
    layout, theta = sample.design.beliefs, sample.unknowns["theta"][block]
    belief = centre = expect(NUMPY, layout, theta, sample.flat_state[block], sample.terms[block])
    if layout.statements:
        shared = statement_errors(NUMPY, layout, theta, sample.unknowns["statement"][block])
        centre = centre + np.where(layout.contaminated, 0.0, shared[:, np.maximum(layout.statement, 0)])
    noise = mix_noise(NUMPY, layout, theta, belief, centre)
    outlier = (rng.uniform(size=centre.shape) < noise.probability) & layout.contaminated
    middle, sd = np.where(outlier, centre, noise.core_centre), np.where(outlier, noise.wide_sd, noise.core_sd)
    error = sd * rng.standard_normal(centre.shape)
    mean = np.where(layout.wording >= 0, theta[:, np.maximum(layout.wording, 0)], 0.0)
    mean = np.where(layout.is_carried & ~outlier, 0.0, mean)
    return np.asarray(middle + error - mean * rng.exponential(size=centre.shape) * layout.sign)


def say_in_turn(
    sample: Sample, rng: np.random.Generator, settle: Callable[[Observation, float], Observation]
) -> dict[str, Floats]:
    """Return the same of made-up worlds: each series from its last number back, each given what was said after it.

    The law is that of the likelihood: `settle` rounds a number as it is told, and one that is told as zero is passed
    over by those before it.
    """
    design, theta = sample.design, sample.unknowns["theta"]
    layout = design.beliefs
    # As if nothing followed: what is said last in a series, or alone.
    nothing = np.full(len(layout.rows), Link.NONE)
    alone = replace(layout, link=nothing, is_carried=np.zeros(len(nothing), dtype=bool))
    said = _repeat_rows(replace(sample, design=replace(design, beliefs=alone)), slice(None), rng)
    belief = expect(NUMPY, layout, theta, sample.flat_state, sample.terms)
    row_of = {(row.reading, row.index): number for number, row in enumerate(layout.rows) if row.index >= 0}
    observations = design.evidence.observations
    for series in order_series(observations):
        readings = [reading for reading, index in row_of if index == series[-1]]
        for reading, draw in product(readings, range(len(theta))):
            one = slice(draw, draw + 1)
            after: tuple[int, Observation] | None = None
            for index in reversed(series):
                number = row_of[reading, index]
                if after is not None:
                    given = _link_row(design, number, *after)
                    said[draw, number] = _say_given(given, number, theta[one], belief[one], after[0], rng)
                told = settle(observations[index], float(said[draw, number]))
                if tells_error(told):
                    after = number, told
    return join_rows(sample, said)


def _link_row(design: Design, number: int, after: int, told: Observation) -> BeliefLayout:
    """Return the layout in which a row is read given another, whose source said what is told there."""
    layout = design.beliefs
    item = layout.rows[number].observation
    if item is None:
        return layout

    def put(values: Any, value: Any) -> Any:
        changed = values.copy()
        changed[number] = value
        return changed

    return replace(
        layout,
        link=put(layout.link, find_link(item, told)),
        successor=put(layout.successor, after),
        fresh=put(layout.fresh, design.parameters.index("memory.fresh", item.source)),
        next_point=put(layout.next_point, find_point(told)),
        next_sd=put(layout.next_sd, find_next_sd(told)),
        is_carried=put(layout.is_carried, item.is_count_of_found),
    )


def _say_given(
    layout: BeliefLayout, number: int, theta: Floats, belief: Floats, after: int, rng: np.random.Generator
) -> float:
    """Return what is said in a row of one draw, given the row that follows it in its series."""
    rows = np.array([number])
    outlier = rng.uniform() < theta[0, layout.renewal]
    mean, sd = recall(NUMPY, layout, rows, theta, belief, belief[:, [after]], layout.next_point[rows])
    if outlier:
        wide = float(np.hypot(theta[0, layout.outlier_factor] * theta[0, layout.noise[number]], layout.own_sd[number]))
        mean, sd = belief[:, rows], np.array([[wide]])
    said = float(mean[0, 0] + sd[0, 0] * rng.standard_normal())
    if layout.wording[number] >= 0 and (outlier or not layout.is_carried[number]):
        said -= float(theta[0, layout.wording[number]] * rng.exponential() * layout.sign[number])
    return said
