"""Forward: truths from the prior or a posterior, and the claims that each source would make of them.

A simulated claim keeps its row's source, date, wording, statement and digits; only its number is new. Rounding cuts the
numbers into cells that do not overlap, so that a simulated world is exactly one that the likelihood describes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.evidence import Evidence
from sim.case.observations import NARROW, Observation, rounding_unit, unit_of
from sim.contract.values import round_figures
from sim.model.arrays import NUMPY
from sim.model.claims.layout import lay_out_beliefs
from sim.model.claims.series import list_remembered
from sim.model.design import Design, sample_prior, trace_state
from sim.model.losses.picks import weigh_picks
from sim.model.parameters import remember_sources
from sim.posterior.sample import Sample, choose_readings
from sim.posterior.saying import say_in_turn

Floats = NDArray[np.float64]
PICKED, LEAST_PICKED = 20, 2_000  # worlds of the prior for each that is kept where days are picked, and besides


@dataclass(frozen=True)
class World:
    """One simulated world.

    Attributes
    ----------
    truth : Sample
        Its unknowns, as a sample of a single draw.
    observations : tuple of Observation
        What the sources said, row for row of the design's evidence.
    """

    truth: Sample
    observations: tuple[Observation, ...]


def simulate_worlds(design: Design, rng: np.random.Generator, count: int, truths: Sample | None = None) -> list[World]:
    """Draw worlds from the prior, or from given truths, and the claims that the sources would make in them.

    Parameters
    ----------
    design : Design
    rng : numpy.random.Generator
    count : int
    truths : Sample, optional
        For example of a posterior; worlds take its draws at random. Default: the prior.
    """
    if truths is None:
        unknowns = _draw_told(design, rng, count)
        prior = np.tile([reading.weight for reading in design.beliefs.readings], (count, 1))
        readings = choose_readings(design, prior, rng)
    else:
        chosen = rng.integers(len(truths.unknowns["theta"]), size=count)
        unknowns = {name: values[chosen] for name, values in truths.unknowns.items()}
        readings = truths.readings[chosen]
    unknowns["statement"] = draw_statements(design, unknowns["theta"], rng)
    sample = Sample(design, unknowns, 0, readings)
    said = say_in_turn(sample, rng, round_observation)
    worlds = []
    for number in range(count):
        only = slice(number, number + 1)
        truth = Sample(design, {name: values[only] for name, values in unknowns.items()}, number, readings[only])
        observations = tuple(
            round_observation(item, float(said[item.claim.id][number])) for item in design.evidence.observations
        )
        worlds.append(World(truth, observations))
    return worlds


def _draw_told(design: Design, rng: np.random.Generator, count: int) -> dict[str, Floats]:
    """Draw unknowns of worlds in which just the days that are told of were picked, and no surrender is left out.

    That they were is likelier the more was lost on them: of PICKED times as many worlds of the prior those are kept
    that this weight chooses.
    """
    if not design.picks.has_terms:
        return sample_prior(design, rng, count)
    many = sample_prior(design, rng, PICKED * count + LEAST_PICKED)
    state = trace_state(design, many)
    weight = np.exp(weigh_picks(NUMPY, design.picks, state.reshape(len(state), -1), many["theta"]))
    chosen = rng.choice(len(weight), size=count, p=weight / weight.sum())
    return {name: values[chosen] for name, values in many.items()}


def draw_statements(design: Design, theta: Floats, rng: np.random.Generator) -> Floats:
    """Draw the errors of statements, in units of their noise: contaminated normal; shape (draws, statements)."""
    shape = (len(theta), design.beliefs.statements)
    outlier = rng.uniform(size=shape) < theta[:, design.beliefs.outlier_probability, None]
    factor = np.where(outlier, theta[:, design.beliefs.outlier_factor, None], 1.0)
    return np.asarray(factor * rng.standard_normal(shape))


def round_observation(item: Observation, said: float) -> Observation:
    """Return the observation of a number `said` on the row's scale, in the row's wording and with its digits."""
    if not math.isfinite(said):  # beyond what a number can hold
        return replace(item, form="density", point=said, lower=math.nan, upper=math.nan)
    if item.form != "cell" and not item.log_width:
        return replace(item, point=said)
    width = item.upper - item.lower
    if item.whole or (item.claim.unit == "share" and math.isfinite(width)):
        # The cells of a share or a ratio: steps of the row's own width on its scale.
        if not math.isfinite(width):
            return replace(item, form="density", point=said, lower=math.nan, upper=math.nan)
        lower = math.floor(said / width) * width
        return replace(item, form="cell", lower=lower, upper=lower + width)
    return _cell_of(item, *round_count(said, keep_digits(item)))


def _cell_of(item: Observation, lower: float, upper: float) -> Observation:
    if upper - lower < NARROW:
        width = math.log(upper - lower)
        return replace(item, form="density", point=(lower + upper) / 2, lower=math.nan, upper=math.nan, log_width=width)
    return replace(item, form="cell", lower=lower, upper=upper, point=math.nan, log_width=0.0)


def keep_digits(item: Observation) -> int | None:
    """Return the significant digits of a row's number; None where it was given to the unit."""
    unit = rounding_unit(item.claim)
    value = item.claim.value
    if unit is None or not value or unit <= 1:
        return None
    return math.floor(math.log10(value)) + 1 - round(math.log10(unit))


def round_count(log_count: float, digits: int | None) -> tuple[float, float]:
    """Return the logs of the edges of the cell that a count falls into when it is rounded.

    Parameters
    ----------
    log_count : float
    digits : int or None
        Significant digits kept; None rounds to the unit. Below one half the cell is that of zero.
    """
    if log_count < math.log(0.5):
        return -math.inf, math.log(0.5)
    if log_count > math.log(1e12):
        return log_count - NARROW / 4, log_count + NARROW / 4
    count = math.exp(log_count)
    unit = _unit_at(count, digits)
    rounded = math.floor(count / unit + 0.5) * unit
    # Steps change at powers of ten: the one below a number may be shorter than the one above it.
    below, above = _unit_at(rounded * (1 - 1e-9), digits), _unit_at(rounded, digits)
    return math.log(rounded - below / 2), math.log(rounded + above / 2)


def _unit_at(count: float, digits: int | None) -> float:
    return 1.0 if digits is None else max(unit_of(count, digits), 1.0)


def observe_world(design: Design, observations: Sequence[Observation]) -> Design:
    """Return the design with other observations instead of its own."""
    evidence = Evidence(tuple(observations), design.evidence.unused, design.evidence.hidden)
    parameters = remember_sources(design.parameters, design.priors, list_remembered(observations))
    beliefs = lay_out_beliefs(design.case, evidence, design.timeline, design.state, parameters)
    return replace(design, evidence=evidence, parameters=parameters, beliefs=beliefs)


def tabulate_worlds(design: Design, worlds: Sequence[World]) -> dict[str, Any]:
    """Return truths and claims as data for JSON: headline counts, and each claim's number in its unit."""
    truths: dict[str, list[float | None]] = {}
    claims: dict[str, list[float | None]] = {}
    for world in worlds:
        for (force, quantity), values in world.truth.headline.items():
            count = float(values[0])
            truths.setdefault(f"{force}.{quantity}", []).append(count if math.isfinite(count) else None)
        for item in world.observations:
            claims.setdefault(item.claim.id, []).append(_show_number(item))
    return {"schema": 1, "case": design.case.name, "n": len(worlds), "truths": truths, "claims": claims}


def _show_number(item: Observation) -> float | None:
    """Return the number that an observation stands for, in its unit: the middle of its cell."""
    times = item.claim.known_whole or 1.0
    if item.form == "cell" and not item.whole:
        if item.lower == -math.inf:
            return 0.0
        return round_figures((math.exp(item.lower) + math.exp(item.upper)) / 2 / times)
    middle = (item.lower + item.upper) / 2 if item.form == "cell" else item.point
    if not math.isfinite(middle):
        return None
    return round_figures(1 / (1 + math.exp(-middle)) if item.is_share else math.exp(min(middle, 700)) / times)
