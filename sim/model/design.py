"""The model of a case: priors, state, beliefs and claims joined, as a design of arrays and as a PyMC model."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import MAX_DAYS, SILENCE, Case, Lull
from sim.case.evidence import Evidence, weigh_claims
from sim.case.observations import Observation
from sim.case.priors import PriorSet
from sim.case.timeline import Timeline, cut_days
from sim.errors import refuse
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.model.claims.counting import count_claims, find_loudest
from sim.model.claims.layout import BeliefLayout, lay_out_beliefs
from sim.model.claims.rows import ESTABLISHED, find_spoken
from sim.model.claims.series import leave_statements, list_remembered
from sim.model.losses.bursts import cut_bursts, draw_bursts, log_burst_density
from sim.model.losses.layout import StateLayout, lay_out_state
from sim.model.losses.picks import PickLayout, find_picks, find_silences, lay_out_picks, pick_told_part, weigh_picks
from sim.model.parameters import Parameters, lay_out_parameters, remember_sources
from sim.model.state import run_state, size_intervals

MANY_CLAIMS = 100  # of an effect, from which it is sampled on its own scale


@dataclass(frozen=True)
class Design:
    """Everything that the model of a case is made of, as typed records and arrays.

    The unknowns are `theta` (parameters), `walk` and `effects` (standard normals), `statement` (errors in units of
    their noise, whose prior is among the rows of the likelihood) and `burst` (see `sim.model.losses.bursts`).
    """

    case: Case
    priors: PriorSet
    evidence: Evidence
    timeline: Timeline
    parameters: Parameters
    state: StateLayout
    picks: PickLayout
    beliefs: BeliefLayout
    as_of: dt.date
    known_by: dt.date | None = None

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what the posterior depends on: case, claims, priors and days."""
        text = json.dumps(
            [self.case.file.model_dump(mode="json"), self.as_of, self.known_by], sort_keys=True, default=str
        )
        text += "".join(claim.model_dump_json() for claim in self.case.claims)
        return hashlib.sha256((text + self.priors.sha256 + self.priors.name).encode()).hexdigest()[:16]

    @cached_property
    def apparent(self) -> NDArray[np.int64]:
        """For each parameter that is a total: the bias term of the source that it is sampled through; -1 for none.

        Where one source speaks often of an outcome, the total times that source's bias is known well, and neither
        alone: a ridge that the sampler need not climb when it moves on the product.
        """
        terms = np.full(len(self.parameters), -1, dtype=np.int64)
        heard = find_loudest(self.beliefs)
        for position, item in enumerate(self.parameters.items):
            coords = dict(item.coords)
            if item.variable == "total" and item.prior.family and item.prior.family.support == "real":
                terms[position] = heard.get((coords["force"], coords["outcome"]), -1)
        return terms

    @cached_property
    def centred(self) -> NDArray[np.int64]:
        """For each effect the position of its scale, if it is sampled times that; -1 where as a standard normal.

        An effect of which many claims speak is known as such, not as the product of a standard normal and a scale: as
        two unknowns it would be a curved ridge (Papaspiliopoulos et al. 2007, doi 10.1214/088342307000000014). Those of
        a source on one outcome stay standard normals: there are so many that their scale is known well.
        """
        blocks = zip(self.beliefs.effects.items(), self.beliefs.scales, strict=True)
        scales = [-1 if kind == "source_outcome" else scale for (kind, names), scale in blocks for _ in names]
        found = [
            scale if claims >= MANY_CLAIMS and scale >= 0 and self.parameters.items[scale].prior.dist else -1
            for claims, scale in zip(count_claims(self.beliefs), scales, strict=True)
        ]
        return np.array(found, dtype=np.int64)


def design_model(
    case: Case,
    priors: PriorSet,
    as_of: dt.date | None = None,
    known_by: dt.date | None = None,
    established: Sequence[Observation] = (),
    days: Iterable[dt.date] = (),
) -> Design:
    """Lay out the model of a case.

    Parameters
    ----------
    case : Case
    priors : PriorSet
    as_of : date, optional
        The day of the headline; all claims are used whatever it is. Default: the case's.
    known_by : date, optional
        Claims published later are left out.
    established : sequence of Observation, optional
        What is known by now, of the source `sim.model.claims.rows.ESTABLISHED`: it speaks of the state without bias or
        noise.
    days : iterable of date, optional
        Other days whose state will be asked for.
    """
    day = as_of or case.as_of
    if (day - case.start).days > MAX_DAYS:
        raise refuse("--as-of", "", f"{day} is more than {MAX_DAYS} days after the start", "give an earlier day")
    evidence = weigh_claims(case, known_by)
    _refuse_far_forecast(case, evidence, day)
    evidence = replace(evidence, observations=leave_statements((*evidence.observations, *established)))
    case = _fall_silent(_forget_lulls(case, evidence), evidence, known_by)
    unsaid = find_silences(case, evidence.observations)
    days = (day, *days, *(one.until for one in unsaid))
    asked = {case.end, *days, *(item.claim.as_of for item in evidence.observations)}
    starts = {item.claim.since - dt.timedelta(days=1) for item in evidence.observations if item.claim.since is not None}
    events = {event.on for force in case.forces.values() for event in force.events}
    asked |= events
    starts |= {day - dt.timedelta(days=1) for day in events}
    spells = [
        (spell.start, spell.end)
        for force in case.forces.values()
        for group in (force.waves, force.lulls)
        for spell in group
    ]
    timeline = cut_days(case, asked | starts, spells)
    cuts = cut_bursts(case, evidence.observations, timeline, days)
    told = find_picks(case, evidence.observations, timeline, ESTABLISHED)
    told += pick_told_part(case, evidence.observations, timeline)
    spoken = find_spoken(case, evidence)
    parameters = lay_out_parameters(case, priors, spoken, timeline.has_path, cuts, bool(told), bool(unsaid))
    parameters = remember_sources(parameters, priors, list_remembered(evidence.observations))
    state = lay_out_state(case, timeline, parameters, cuts)
    picks = lay_out_picks(case, told, unsaid, timeline, state.series, parameters)
    beliefs = lay_out_beliefs(case, evidence, timeline, state, parameters)
    return Design(case, priors, evidence, timeline, parameters, state, picks, beliefs, day, known_by)


def _refuse_far_forecast(case: Case, evidence: Evidence, day: dt.date) -> None:
    """Refuse a day of a war without an end that is further off the last told of than the war had lasted by then."""
    last = max((item.claim.as_of for item in evidence.observations), default=day)
    if case.file.end is None and (day - last).days > (last - case.start).days + 1:
        problem = f"{day} is further off the last day that is told of, {last}, than the war had lasted by then"
        raise refuse("--as-of", "", problem, "give an earlier day; of a war that is over write end in case.toml")


def _fall_silent(case: Case, evidence: Evidence, known_by: dt.date | None) -> Case:
    """Add to each force of a war that is over the lull after the last day that anybody speaks of, if it is a long one.

    Long is a time in which the war might have gone on for as long again as it was told of. Before `known_by` is over
    nobody can have been silent.
    """
    forces, last = dict(case.file.forces), min(case.end, known_by or case.end)
    for key, force in case.file.forces.items():
        spoken = [item.claim.as_of for item in evidence.observations for told, _ in item.claim.told if told == key]
        lulls = tuple(lull for lull in force.lulls if lull.claim != SILENCE)
        if spoken and case.file.end and (last - max(spoken)).days > (max(spoken) - case.start).days + 1:
            first = max(spoken) + dt.timedelta(days=1)
            lulls = (*lulls, Lull.model_construct(start=first, end=last, claim=SILENCE))
        forces[key] = force.model_copy(update={"lulls": lulls})
    file = case.file.model_copy(update={"forces": forces})
    return Case(name=case.name, folder=case.folder, file=file, claims=case.claims)


def _forget_lulls(case: Case, evidence: Evidence) -> Case:
    """Leave out the lulls whose report was not known yet."""
    if not evidence.hidden:
        return case
    forces = {
        key: force.model_copy(
            update={"lulls": tuple(lull for lull in force.lulls if lull.claim not in evidence.hidden)}
        )
        for key, force in case.file.forces.items()
    }
    file = case.file.model_copy(update={"forces": forces})
    return Case(name=case.name, folder=case.folder, file=file, claims=case.claims)


def log_likelihood(xp: Any, design: Design, theta: Any, walk: Any, effects: Any, statement: Any, burst: Any) -> Any:
    """Return the log likelihood of all claims, and of their days (see `Design` for the unknowns; draws come first)."""
    if not design.evidence.observations:
        return xp.sum(theta[..., :1] * 0.0, axis=-1)
    flat = _flatten_state(run_state(xp, design.state, theta, walk, burst))
    rows = row_log_likelihoods(xp, design.beliefs, flat, theta, effects, statement)
    return join_readings(xp, design.beliefs, rows) + weigh_picks(xp, design.picks, flat, theta)


def log_bursts(xp: Any, design: Design, theta: Any, walk: Any, burst: Any) -> Any:
    """Return the log density of the unknowns behind the bursts."""
    return xp.sum(log_burst_density(xp, size_intervals(xp, design.state, theta, walk), burst), axis=-1)


def _flatten_state(state: Any) -> Any:
    return state.reshape((*state.shape[:-2], state.shape[-2] * state.shape[-1]))


def sample_prior(design: Design, rng: np.random.Generator, draws: int) -> dict[str, NDArray[np.float64]]:
    """Draw the unknowns from the prior: `theta`, `walk`, `effects`, `burst`, each of shape (draws, ...)."""
    theta = design.parameters.sample(rng, draws)
    effects = rng.standard_normal((draws, design.beliefs.latents))
    wide = design.beliefs.wide_latents
    outlying = rng.uniform(size=(draws, wide)) < theta[:, design.beliefs.outlier_source, None]
    effects[:, :wide] *= np.where(outlying, theta[:, design.beliefs.outlier_factor, None], 1.0)
    walk = rng.standard_normal((draws, design.state.walks))
    sizes = map_draws(lambda block: size_intervals(NUMPY, design.state, theta[block], walk[block]), draws)
    return {"theta": theta, "walk": walk, "effects": effects, "burst": draw_bursts(rng, sizes)}


def trace_state(design: Design, unknowns: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the state of each draw, shape (draws, state series, cuts)."""
    at = [unknowns[name] for name in ("theta", "walk", "burst")]
    return map_draws(lambda block: run_state(NUMPY, design.state, *(each[block] for each in at)), len(at[0]))
