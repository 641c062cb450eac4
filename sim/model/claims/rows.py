"""The rows of the likelihood: which observation, read in which role, speaks of which parts of the state.

A row is one observation under one reading of its source's role. Behind the observations stand the rows that are priors:
where a statement gives several numbers they share an error, whose scale is the noise of the role, so that its prior
depends on the reading as a claim's likelihood does, and is averaged over readings with it.

What they are laid out to is in `sim.model.claims.layout`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, ROLES, Case
from sim.case.evidence import Evidence
from sim.case.observations import Observation
from sim.model.claims.series import measure_rounding
from sim.model.density.codes import Form, Link
from sim.model.parameters import Parameters

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PART_SD = 0.1  # rows of one statement differ from their common error by this much, on the log scale
ESTABLISHED = "=established"  # the "source" and "role" of what is known by now, without bias or noise: no key can be it
# What each form of an observation is to the likelihood.
FORMS = {"density": Form.DENSITY, "cell": Form.CELL, "bound": Form.WORDED}
INFINITE = 1e9  # stands for an infinite edge, in units of the scale of the number said


@dataclass(frozen=True)
class Reading:
    """One source's claims on one force, under one reading of its role."""

    source: str
    force: str
    role: str
    weight: float


@dataclass(frozen=True)
class Row:
    """A row of the likelihood: one observation under one reading; without an observation, the prior of an error.

    Attributes
    ----------
    observation : Observation or None
    reading : int
    statement : int
        The statement whose error the observation shares, -1 for none; or whose error this is the prior of.
    index : int
        Of the observation among all of them.
    """

    observation: Observation | None
    reading: int
    statement: int
    index: int = -1

    @property
    def is_prior(self) -> bool:
        """Whether this is no claim, but the prior of a statement's error."""
        return self.observation is None

    @property
    def form(self) -> str:
        """The form of the observation; an error has a density."""
        return self.observation.form if self.observation else "density"


def find_spoken(case: Case, evidence: Evidence) -> dict[str, set[str]]:
    """Return the roles of the sources that speak, in the order of `sim.case.case.ROLES`, each with what they bias.

    These are kinds of losses (see `kind_of`); what is counted, or a register, has no bias of its role.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for item in evidence.observations:
        for force in dict.fromkeys(force for force, _ in item.topics):
            parts = {part for key, name in item.topics if key == force for part in case.parts_of(force, name)}
            for role in roles_towards(case, item.source, force):
                found[role] |= {kind_of(case, force, part) for part in parts} if not item.kind or item.whole else set()
    return {role: found[role] for role in ROLES if role in found}


def roles_towards(case: Case, source: str, force: str) -> tuple[str, ...]:
    """Return the roles that a source may have towards a force."""
    return (ESTABLISHED,) if source == ESTABLISHED else case.sources[source].roles_towards(force)


def list_readings(case: Case, observations: Iterable[Observation]) -> tuple[Reading, ...]:
    """Return every reading of every source's role towards every force that it speaks of."""
    pairs = dict.fromkeys((item.source, force) for item in observations for force, _ in item.topics)
    return tuple(
        Reading(source, force, role, 1 / len(roles))
        for source, force in sorted(pairs)
        for roles in [roles_towards(case, source, force)]
        for role in roles
    )


def kind_of(case: Case, force: str, outcome: str) -> str:
    """Return which role mean acts on an outcome of a force: that of losses in general, or another.

    Sides lift the other's soldiers more than its civilians; of forces of both, few claims are known, which are as
    those of civilians. The dead are counted, the wounded are found for weeks. The missing are told as the captured
    are: a list of those who are not there.
    """
    if not is_loss(outcome):
        return "deployed" if outcome == "deployed" else "captured"
    if outcome == "wounded":
        return "wounded"
    is_civilian = case.forces[force].victims != "military" and case.is_of_people(outcome)
    return "civilians" if is_civilian else "losses"


def is_loss(outcome: str) -> bool:
    """Whether sides play an outcome down or up."""
    return outcome not in ("captured", "missing", "deployed")


def class_of(outcome: str) -> str:
    """Return what shares the effects of a role in this war, and of a source: the hurt of a force; else each by itself.

    So a gross claim of aircraft lifts nobody killed, and a low one of civilians no fighters.
    """
    return "people" if outcome in PERSONNEL else outcome


def list_rows(observations: Sequence[Observation], readings: Sequence[Reading], statements: Sequence[str]) -> list[Row]:
    """Return the rows: each observation under each reading of its source, and the priors of the statements' errors."""
    numbers = {"": -1, **{name: number for number, name in enumerate(statements)}}
    said: dict[tuple[str, str], list[tuple[int, Observation]]] = defaultdict(list)
    first: dict[str, Observation] = {}
    for index, item in enumerate(observations):
        said[item.source, item.claim.force].append((index, item))
        first.setdefault(item.statement, item)
    rows = [
        Row(item, position, numbers[item.statement], index)
        for position, reading in enumerate(readings)
        for index, item in said[reading.source, reading.force]
    ]
    # A statement's error has its prior under each reading of the first force that it speaks of.
    return rows + [
        Row(None, position, number)
        for number, name in enumerate(statements)
        for position, reading in enumerate(readings)
        if (reading.source, reading.force) == (first[name].source, first[name].claim.force)
    ]


def link_rows(rows: Sequence[Row], links: Sequence[tuple[int, Link] | None]) -> tuple[list[Link], list[int]]:
    """Return for each row its link, and the row of the same reading that it is read given; -1 for none."""
    row_of = {(row.reading, row.index): number for number, row in enumerate(rows) if row.index >= 0}
    kinds, after = [Link.NONE] * len(rows), [-1] * len(rows)
    for number, row in enumerate(rows):
        found = links[row.index] if row.index >= 0 else None
        if found is not None:
            kinds[number], after[number] = found[1], row_of[row.reading, found[0]]
    return kinds, after


def find_first_readings(rows: Sequence[Row]) -> list[int]:
    """Return the first reading of each statement's rows, in the order of the statements."""
    found: dict[int, int] = {}
    for row in rows:
        if row.statement >= 0:
            found[row.statement] = min(row.reading, found.get(row.statement, row.reading))
    return [found[number] for number in sorted(found)]


def find_noise(row: Row, readings: Sequence[Reading], parameters: Parameters) -> int:
    """Return the position of a row's noise in theta; -1 where its error is the statement's."""
    if row.observation and row.observation.is_share:
        return parameters.index("noise.share")
    if row.observation and row.observation.claim.wording.lists:
        return parameters.index(row.observation.claim.wording.prior)
    if row.observation and (row.statement >= 0 or row.observation.source == ESTABLISHED):
        return -1
    return parameters.index("noise", readings[row.reading].role)


def is_contaminated(row: Row) -> bool:
    """Whether a row's error may be an outlier's: not that of a statement's part, a list, nor of what is established."""
    item = row.observation
    return item is None or (row.statement < 0 and not item.claim.wording.lists and item.source != ESTABLISHED)


def find_own_sd(row: Row) -> float:
    """Return the error that a source itself gave, with that of a statement's parts."""
    if row.observation is None:
        return 0.0
    part_sd = PART_SD if row.statement >= 0 else 0.0
    return float(np.hypot(row.observation.extra_sd, part_sd))


def find_next_sd(item: Observation) -> float:
    """Return how far what a source said may be from its own error: what it gave, and its rounding."""
    return float(np.hypot(item.extra_sd, measure_rounding(item)))


def find_edge(item: Observation | None, name: str) -> float:
    """Return an edge of a cell, `lower` or `upper`, in units of the scale of the number said."""
    if item is None or item.form != "cell":
        return -1.0 if name == "lower" else 1.0
    return float(np.clip(getattr(item, name), -INFINITE, INFINITE))


def group_mixtures(readings: Sequence[Reading]) -> tuple[tuple[int, ...], ...]:
    """Return the readings of each source that has several towards a force."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, reading in enumerate(readings):
        groups.setdefault((reading.source, reading.force), []).append(number)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def is_nested(case: Case, item: Observation | None) -> bool:
    """Whether a share's parts are among those of its whole, with the same biases."""
    if item is None or not item.is_share or item.whole == "deployed" or item.is_count_of_found:
        return False
    claim = item.claim
    return set(case.parts_of(claim.force, claim.quantity)) < set(case.parts_of(claim.force, item.whole))
