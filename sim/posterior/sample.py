"""From draws of the unknowns to draws of what is reported: counts, biases, beliefs, derived quantities."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL
from sim.case.expressions import evaluate, parse_expression
from sim.model.arrays import NUMPY
from sim.model.beliefs import (
    bias_terms,
    row_log_likelihoods,
    sum_by_reading,
)
from sim.model.claims.invented import doubt, find_claimed
from sim.model.design import Design, sample_prior, trace_state
from sim.posterior.fit import Draws
from sim.posterior.saying import say_again

Floats = NDArray[np.float64]
ALL_CUTS = slice(None)
# Of the prior are drawn as many as PRIOR_NUMBERS hold the state of, within these bounds.
PRIOR_DRAWS, LEAST_PRIOR_DRAWS, PRIOR_NUMBERS = 8_000, 2_000, 20_000_000
LARGEST_SHOWN = 1e99  # of a derived quantity
SAID_NUMBERS = 40_000_000  # what sources would have said again, over draws and claims


@dataclass(frozen=True)
class Sample:
    """Draws of the unknowns of a design, from the posterior or the prior, with what follows from them.

    Attributes
    ----------
    design : Design
    unknowns : dict of str to ndarray, shape (draws, ...)
    seed : int
        Of the forward Monte Carlo of inputs, wording and noise.
    given_readings : ndarray of bool, shape (draws, readings), optional
        Which reading of each source's role holds, where that is known: in a simulated world.
    doubts : bool
        Whether what is claimed and not admitted may be nothing, and what is claimed is else one at least (see
        `sim.model.claims.invented`).
    """

    design: Design
    unknowns: dict[str, Floats]
    seed: int
    given_readings: NDArray[np.bool_] | None = None
    doubts: bool = False

    @cached_property
    def claimed_state(self) -> Floats:
        """Cumulative counts where there are losses, shape (draws, state series, cuts)."""
        return trace_state(self.design, self.unknowns)

    @cached_property
    def nothing(self) -> dict[tuple[str, str], NDArray[np.bool_]]:
        """Where nothing was lost, by force and outcome, each of shape (draws,): those alone where that may be."""
        if not self.doubts:
            return {}
        design = self.design
        return doubt(design.case, design.evidence, design.priors, self.rng(11), len(self.unknowns["theta"]))

    @cached_property
    def state(self) -> Floats:
        """Cumulative counts, shape (draws, state series, cuts): what is claimed is nothing, or one at least."""
        design, state = self.design, self.claimed_state
        if not self.doubts:
            return state
        claimed = {
            key: (design.state.locate(*key), slice(design.timeline.evening(day), None))
            for key, day in find_claimed(design.case, design.evidence).items()
        }
        low = [place for place in claimed.values() if np.any(state[:, *place] < 1)]
        if not (self.nothing or low):
            return state
        state = state.copy()
        for place in low:
            state[:, *place] = np.maximum(state[:, *place], 1.0)
        for key, nothing in self.nothing.items():
            state[nothing, design.state.locate(*key)] = 0.0
        return state

    def rng(self, purpose: int) -> np.random.Generator:
        """Return a generator of its own for each purpose, so that none depends on what else was asked."""
        return np.random.default_rng([self.seed, purpose])

    def cumulate(self, force: str, quantity: str, cut: int | slice = ALL_CUTS) -> Floats:
        """Return the cumulative count of a quantity at each cut, shape (draws, cuts), or at one, shape (draws,)."""
        case, state = self.design.case, self.design.state
        if quantity == "standing":
            lost = sum(self.state[:, state.locate(force, part), cut] for part in self._personnel(force))
            return np.asarray(np.maximum(self.cumulate(force, "deployed", cut) - lost, 0))
        parts = case.parts_of(force, quantity)
        return np.asarray(sum(self.state[:, state.locate(force, part), cut] for part in parts))

    def _personnel(self, force: str) -> list[str]:
        """Return the outcomes that leave a force: what a total of the case is called does not matter here."""
        return [outcome for outcome in self.design.case.forces[force].outcomes if outcome in PERSONNEL]

    def count(self, force: str, quantity: str, day: dt.date | None = None) -> Floats:
        """Return the count of a quantity at a day's evening, not rounded, shape (draws,)."""
        return self.cumulate(force, quantity, self.design.timeline.evening(day or self.design.as_of))

    @cached_property
    def headline(self) -> dict[tuple[str, str], Floats]:
        """Counts on the headline day as whole numbers that add up, by force and quantity, each of shape (draws,).

        Base outcomes and those standing are rounded; totals are sums of these, so that killed and wounded add up to
        casualties, and losses and standing to deployed, in every draw.
        """
        case = self.design.case
        found: dict[tuple[str, str], Floats] = {}
        for force in case.forces:
            base = {outcome: np.rint(self.count(force, outcome)) for outcome in case.forces[force].outcomes}
            values = dict(base)
            for total in case.totals_of(force):
                values[total] = np.asarray(sum(base[part] for part in case.parts_of(force, total)))
            if case.forces[force].bounded:
                values["standing"] = np.rint(self.count(force, "standing"))
                values["deployed"] = np.asarray(values["standing"] + sum(base[part] for part in self._personnel(force)))
            elif case.forces[force].waves:
                values["deployed"] = np.rint(self.count(force, "deployed"))
            found |= {(force, quantity): values[quantity] for quantity in case.quantities_of(force)}
        return found

    @cached_property
    def derived(self) -> dict[str, Floats]:
        """Derived quantities by name, each of shape (draws,): expressions over counts that are not rounded."""
        case = self.design.case
        single = len(case.forces) == 1
        values: dict[str, Floats] = {}
        for force in case.forces:
            for quantity in case.quantities_of(force):
                count = self.count(force, quantity)
                values[f"{force}.{quantity}"] = count
                if single:
                    values[quantity] = count
        draws = len(self.unknowns["theta"])
        found = {}
        for number, derived in enumerate(case.file.derived):
            rng = self.rng(100 + number)
            inputs = {name: prior.sample(rng, draws) for name, prior in derived.inputs.items()}
            node = parse_expression(derived.expr)
            value = np.broadcast_to(evaluate(node, {**values, **inputs}), (draws,))
            # What no report can show is told as undefined, as a division by zero is.
            found[derived.name] = np.where(np.abs(value) <= LARGEST_SHOWN, value, np.nan)
        return found

    @cached_property
    def terms(self) -> Floats:
        """Log bias of each term of the beliefs, shape (draws, T)."""
        return np.asarray(
            bias_terms(NUMPY, self.design.beliefs, self.unknowns["theta"], self.unknowns["effects"]), dtype=float
        )

    @cached_property
    def flat_state(self) -> Floats:
        """Cumulative counts as the beliefs read them, shape (draws, state series x cuts)."""
        return self.claimed_state.reshape(len(self.claimed_state), -1)

    @cached_property
    def reading_weights(self) -> Floats:
        """Probability of each reading of each source's role given the draw, shape (draws, readings)."""
        layout = self.design.beliefs
        weights = np.ones((len(self.terms), len(layout.readings)))
        if not layout.mixtures:
            return weights
        prior = np.array([reading.weight for reading in layout.readings])
        if "statement" not in self.unknowns:
            return np.asarray(weights * prior)
        rows = row_log_likelihoods(
            NUMPY,
            layout,
            self.flat_state,
            self.unknowns["theta"],
            self.unknowns["effects"],
            self.unknowns["statement"],
        )
        by_reading = sum_by_reading(NUMPY, layout, rows)
        for group in map(list, layout.mixtures):
            score = by_reading[:, group] + np.log(prior[group])
            score = np.exp(score - score.max(axis=1, keepdims=True))
            weights[:, group] = score / score.sum(axis=1, keepdims=True)
        return weights

    @cached_property
    def readings(self) -> NDArray[np.bool_]:
        """Which reading of each source's role holds in each draw, shape (draws, readings)."""
        if self.given_readings is not None:
            return self.given_readings
        return choose_readings(self.design, self.reading_weights, self.rng(10))

    @cached_property
    def biases(self) -> dict[tuple[str, str, str], Floats]:
        """Log bias of each source, by force and quantity that it speaks of, shape (draws,).

        Of a total it is the log of the source's belief over the truth, on the last day that the model knows.
        """
        spoken = dict.fromkeys(
            (item.source, *topic) for item in self.design.evidence.observations for topic in item.topics
        )
        return {key: self._bias_at(*key, -1) for key in spoken}

    def find_bias(self, source: str, force: str, quantity: str) -> Floats | None:
        """Return the log bias of a source on a quantity on the last day, or None where it never spoke of its parts."""
        try:
            return self._bias_at(source, force, quantity, -1)
        except KeyError:
            return None

    def _bias_at(self, source: str, force: str, quantity: str, cut: int) -> Floats:
        """Return the log bias of a source on a quantity at a cut of the timeline."""
        parts = self.design.case.parts_of(force, quantity)
        if len(parts) == 1:
            return self._outcome_biases[source, force, parts[0]]
        truth = np.maximum(self.cumulate(force, quantity, cut), 1e-300)
        counts = {part: self.cumulate(force, part, cut) for part in parts}
        believed = sum(counts[part] * np.exp(self._outcome_biases[source, force, part]) for part in parts)
        return np.asarray(np.log(np.maximum(believed, 1e-300)) - np.log(truth))

    @cached_property
    def _outcome_biases(self) -> dict[tuple[str, str, str], Floats]:
        """Return the log bias by base outcome; a source that only counts those found is shown without its role."""
        layout = self.design.beliefs
        found: dict[tuple[str, str, str], Floats] = {}
        for number, reading in enumerate(layout.readings):
            for term, (source, force, role, outcome, kind) in enumerate(layout.term_keys):
                if (source, force, role) != (reading.source, reading.force, reading.role):
                    continue
                key = (source, force, outcome)
                if kind and (source, force, role, outcome, "") in layout.term_keys:
                    continue
                before = found.get(key, np.zeros(len(self.terms)))
                found[key] = np.where(self.readings[:, number], self.terms[:, term], before)
        return found

    @cached_property
    def said(self) -> dict[str, Floats]:
        """What each used claim's source would have said again, on the row's scale, shape (draws,), by claim."""
        return say_again(self, self.rng(1))

    @cached_property
    def wholes(self) -> dict[str, Floats]:
        """What the source of a part believes the total to be on its day, by claim: to turn its share into a count."""
        found = {}
        for item in self.design.evidence.observations:
            if item.whole and item.claim.unit == "count":
                force, cut = item.claim.force, self.design.timeline.evening(item.claim.as_of)
                bias = self._bias_at(item.source, force, item.whole, cut)
                found[item.claim.id] = np.exp(bias) * self.cumulate(force, item.whole, cut)
        return found


def choose_readings(design: Design, weights: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which reading of each source's role holds, given their probabilities in each draw."""
    chosen = np.ones(weights.shape, dtype=bool)
    for group in map(list, design.beliefs.mixtures):
        edges = np.cumsum(weights[:, group], axis=1)
        holding = np.minimum((rng.uniform(size=(len(edges), 1)) > edges).sum(axis=1), len(group) - 1)
        chosen[:, group] = holding[:, None] == np.arange(len(group))
    return chosen


def take_posterior(design: Design, draws: Draws, seed: int, doubts: bool = True) -> Sample:
    """Return the sample of the posterior; without `doubts`, given that something was lost wherever it is claimed."""
    return Sample(design, draws.flatten(), seed, doubts=doubts)


def draw_prior(design: Design, seed: int) -> Sample:
    """Return a sample of the prior: PRIOR_DRAWS of a case of common size, fewer of a large one."""
    size = len(design.state.series) * len(design.timeline.cuts)
    draws = min(max(PRIOR_NUMBERS // size, LEAST_PRIOR_DRAWS), PRIOR_DRAWS)
    return Sample(design, sample_prior(design, np.random.default_rng([seed, 7]), draws), seed)


def thin_sample(sample: Sample) -> Sample:
    """Return every k-th draw of a sample whose claims are so many that SAID_NUMBERS would not hold all that is said."""
    step = -(-len(sample.unknowns["theta"]) * len(sample.design.beliefs.rows) // SAID_NUMBERS)
    if step <= 1:
        return sample
    readings = None if sample.given_readings is None else sample.given_readings[::step]
    unknowns = {name: each[::step] for name, each in sample.unknowns.items()}
    return Sample(sample.design, unknowns, sample.seed, readings, sample.doubts)


def by_chain(values: Floats, chains: int) -> Floats:
    """Return flat draws by chain, shape (chains, draws)."""
    return values.reshape(chains, -1)
