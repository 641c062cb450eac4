"""Losses that may be none at all: who says that there were any, who that there were none, and how often that was so.

Whoever claims losses where there were none exaggerates by no factor. Of an outcome that its own side admits nothing of,
and that others claim, the log odds that nothing was lost are

    claimed + size log10(largest claim / 10) + accuser (accusers - 1)
            + bystander, where somebody claims it who is of neither side
            + denied, where its own side, or somebody who is of neither, says zero.

Where it was not nothing, such an outcome was one at least, however near to none the size of it is drawn: the odds are
all that speaks for none. So was what its own side admits.

It is what claims look like that is learned, not what a total may be: the prior of totals is so wide that it would
always make nothing the better explanation (Bartlett 1957, doi 10.1093/biomet/44.3-4.533).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from sim.case.case import Case
from sim.case.evidence import RETURNS, Evidence
from sim.case.observations import Observation
from sim.case.prior_keys import NOTHING_TERMS as TERMS
from sim.case.priors import PriorSet
from sim.model.claims.rows import is_loss

Floats = NDArray[np.float64]

ACCUSERS = frozenset({"adversary", "ally_of_adversary"})
OWN_SIDE = frozenset({"own", "ally_of_own"})
SIZE = 10.0  # of a claim whose odds are those of `claimed`
LEAST = 0.01  # a probability below this is none
# Inventions are in a record because they were exposed, oftener than they are in wars: each counts a quarter.
SELECTED = 0.25


@dataclass(frozen=True)
class Witnesses:
    """Who speaks of an outcome that is claimed and not admitted.

    Attributes
    ----------
    accusers : frozenset of str
        Sources of the adversary's side that say it was more than none.
    largest : float
        The largest number said by these, or by bystanders.
    bystander, denied : bool
        Whether somebody of neither side says so; whether its own side, or somebody of neither, says that it was none.
    """

    accusers: frozenset[str]
    largest: float
    bystander: bool
    denied: bool

    @property
    def terms(self) -> Floats:
        """What the coefficients are multiplied by, in the order of `TERMS`."""
        size = math.log10(max(self.largest, 1.0) / SIZE)
        return np.array([1.0, size, max(len(self.accusers) - 1, 0), self.bystander, self.denied], dtype=float)


def find_doubtful(case: Case, evidence: Evidence) -> dict[tuple[str, str], Witnesses]:
    """Return the outcomes of forces that are claimed and not admitted.

    Who speaks of a total speaks of its parts: a side that admits casualties admits killed and wounded. What those of
    neither side claim by themselves, prisoners, who are shown, and the missing, who are on a list, are doubtful where
    somebody denies them.
    """
    heard: dict[tuple[str, str], list[Observation]] = {}
    for item in evidence.observations:
        for force, quantity in item.topics:
            for outcome in case.parts_of(force, quantity) if quantity and quantity != "deployed" else ():
                heard.setdefault((force, outcome), []).append(item)
    found = {key: _weigh_words(case, key[0], items) for key, items in heard.items()}
    return {key: each for key, each in found.items() if each and (each.denied or (each.accusers and is_loss(key[1])))}


def _weigh_words(case: Case, force: str, items: Sequence[Observation]) -> Witnesses | None:
    """Return who claims an outcome of a force and who denies it; None where nobody claims it, or its own side does.

    An upper bound above zero says nothing. A zero denies what is claimed for the same day or an earlier one, or for
    one so soon after that a return had just closed, if its source never says another number; one of some days denies
    nothing.
    """
    claims = [item for item in items if _largest(item) and (item.claim.wording.sign >= 0 or item.form != "bound")]
    roles = {item.source: set(case.sources[item.source].roles_towards(force)) for item in items
             if item.source in case.sources}  # fmt: skip
    claiming = {item.source for item in claims}
    if not claims or any(roles.get(source, OWN_SIDE) & OWN_SIDE for source in claiming):
        return None
    accusers = frozenset(source for source in claiming if roles[source] <= ACCUSERS)
    first = min(item.claim.as_of for item in claims) - RETURNS
    denied = any(
        not _largest(item) and item.claim.measure == "cumulative" and item.claim.as_of >= first
        and item.source not in claiming and not roles.get(item.source, set()) <= ACCUSERS
        for item in items
    )  # fmt: skip
    largest = max((_largest(item) for item in claims if item.claim.is_count), default=0.0)
    return Witnesses(accusers, largest, bool(claiming - accusers), denied)


def find_claimed(case: Case, evidence: Evidence) -> dict[tuple[str, str], dt.date]:
    """Return from which day on there was a loss at all unless it was nothing, by force and outcome.

    Its own side admits it, or somebody claims it of an outcome that has odds of nothing. An upper bound says no such
    thing, a total says it of none of its parts, and the missing may all be found; whoever says later that there was
    none has taken it back.
    """
    doubtful = find_doubtful(case, evidence)
    none = {
        (item.source, item.claim.force, item.claim.quantity): item.claim.as_of
        for item in sorted(evidence.observations, key=lambda item: item.claim.as_of)
        if not _largest(item) and item.claim.measure == "cumulative"
    }
    found: dict[tuple[str, str], dt.date] = {}
    for item in evidence.observations:
        claim, key = item.claim, (item.claim.force, item.claim.quantity)
        least = min((number for number in claim.number if number is not None), default=0.0)
        if not claim.is_count or claim.wording.sign < 0 or least < 1 or claim.quantity == "missing":
            continue
        if claim.quantity not in case.forces[claim.force].outcomes or item.source not in case.sources:
            continue
        is_own = set(case.sources[item.source].roles_towards(claim.force)) <= OWN_SIDE
        taken_back = none.get((item.source, *key), dt.date.min) >= claim.as_of
        if (is_own or key in doubtful) and not taken_back:
            found[key] = min(claim.as_of, found.get(key, claim.as_of))
    return found


def _largest(item: Observation) -> float:
    return max((number for number in item.claim.number if number is not None), default=0.0)


def doubt(
    case: Case, evidence: Evidence, priors: PriorSet, rng: np.random.Generator, draws: int
) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Draw where nothing was lost, by force and outcome, each of shape (draws,): those alone where that may be.

    Outcomes of one force that may be none are none together as far as their odds allow: who invents the dead invents
    the wounded.
    """
    found: dict[tuple[str, str], NDArray[np.bool_]] = {}
    coefficients = np.stack([priors.get(f"nothing.{term}").sample(rng, draws) for term in TERMS], axis=-1)
    uniform = {force: rng.uniform(size=draws) for force in case.forces}
    for (force, outcome), witnesses in find_doubtful(case, evidence).items():
        probability = expit(coefficients @ witnesses.terms)
        if probability.mean() >= LEAST:
            found[force, outcome] = uniform[force] < probability
    return found


def learn_odds(
    seen: Sequence[tuple[Floats, bool]], before: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return mean and sd of each coefficient, given outcomes that were doubtful and whether nothing was lost.

    A logistic regression with normal priors, its posterior normal at the mode (Laplace). Where cases were chosen by
    their outcome the slopes stand and the first coefficient moves by the log of how they were chosen (Prentice and Pyke
    1979, doi 10.1093/biomet/66.3.403): inventions have the weight `SELECTED`.

    Parameters
    ----------
    seen : sequence of (ndarray, bool)
        The terms of each (`Witnesses.terms`), and whether nothing was lost.
    before : mapping of str to (float, float)
        Mean and sd of each coefficient, by its term.
    """
    mean, sd = (np.array([before[term][k] for term in TERMS]) for k in (0, 1))
    if not seen:
        return {term: before[term] for term in TERMS}
    terms = np.stack([each for each, _ in seen])
    sign = np.where([nothing for _, nothing in seen], 1.0, -1.0)
    weight = np.where(sign > 0, SELECTED, 1.0)

    def cost(b: Floats) -> float:
        return float(weight @ np.logaddexp(0, -sign * (terms @ b)) + 0.5 * np.sum(((b - mean) / sd) ** 2))

    def slope(b: Floats) -> Floats:
        return np.asarray(-terms.T @ (weight * sign * expit(-sign * (terms @ b))) + (b - mean) / sd**2)

    mode = optimize.minimize(cost, mean, jac=slope, method="BFGS").x
    p = expit(terms @ mode)
    curvature = (terms.T * (weight * p * (1 - p))) @ terms + np.diag(sd**-2)
    spread = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return {term: (float(m), float(s)) for term, m, s in zip(TERMS, mode, spread, strict=True)}
