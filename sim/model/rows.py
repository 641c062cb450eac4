"""The rows of the likelihood: which observation, read in which role, speaks of which parts of the state.

A row is one observation under one reading of its source's role. Behind the observations stand the rows that are priors:
where a statement gives several numbers they share an error, whose scale is the noise of the role, so that its prior
depends on the reading as a claim's likelihood does, and is averaged over readings with it.

Everything here is indices and constants; what they are used for is in `sim.model.beliefs`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, ROLES, Case
from sim.case.evidence import Evidence
from sim.case.observations import REGISTER, Observation
from sim.case.timeline import Timeline
from sim.model.density.codes import Form, Link
from sim.model.losses.layout import StateLayout
from sim.model.parameters import Parameters
from sim.model.series import find_point, leave_statements, link_series, measure_rounding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PART_SD = 0.1  # rows of one statement differ from their common error by this much, on the log scale
LOUD = 10  # counts of an outcome by one source from which its total is sampled as that source sees it
ESTABLISHED = "=established"  # the "source" and "role" of what is known by now, without bias or noise: no key can be it
# What each form of an observation is to the likelihood.
FORMS = {"density": Form.DENSITY, "cell": Form.CELL, "bound": Form.WORDED}
LEAST_BELIEF, LEAST_NUMBER = 0.05, 1e-300  # where some days may be without losses, and otherwise
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
    place : int
        Of the observation among all of them.
    """

    observation: Observation | None
    reading: int
    statement: int
    place: int = -1

    @property
    def is_prior(self) -> bool:
        """Whether this is no claim, but the prior of a statement's error."""
        return self.observation is None

    @property
    def form(self) -> str:
        """The form of the observation; an error has a density."""
        return self.observation.form if self.observation else "density"


@dataclass(frozen=True)
class BeliefLayout:
    """Indices and constants of beliefs and rows. T bias terms, R rows, P parts of a total at most, Q statements.

    A position of -1 means "none".

    Attributes
    ----------
    readings : tuple of Reading
    rows : tuple of Row
        The observations, and behind them the priors of statements' errors.
    term_keys : tuple, length T
        The bias terms: the distinct (source, force, role, outcome, kind), where a kind is "counted" what was found,
        which no role plays up or down, or a "register", which nobody does.
    role : ndarray of int, shape (T,)
        The role's mean in theta.
    in_war, source, source_outcome : ndarrays of int, shape (T,)
        Positions among the effects.
    effects : dict of str to tuple
        What each effect belongs to, by its kind.
    numerator, denominator : Parts
        What the rows sum, and the wholes of those that are shares.
    is_share, is_capped, contaminated, is_prior : ndarrays of bool, shape (R,)
        Whether a row is a share; one that must be held below 1; has outliers; is the prior of an error.
    statement : ndarray of int, shape (R,)
    reference_noise : ndarray of int, shape (Q,)
        The noise in theta that a statement's error is told in.
    noise : ndarray of int, shape (R,), and own_sd, shape (R,)
        The noise in theta, and what the source itself gave, on the row's scale.
    form : ndarray of int, shape (R,)
        See `sim.model.density.codes.Form`.
    lower, upper, point, log_width : ndarrays, shape (R,)
        The cell's edges, or the number said, and what is added to its log likelihood.
    sign, wording : ndarrays, shape (R,)
        Which way a wording leans, and its mean in theta.
    link, successor, fresh : ndarrays of int, shape (R,)
        How a row hangs on the one that follows it in its source's series (see `sim.model.density.codes.Link`), which
        that is, and the source's fresh error in theta.
    next_point, next_sd : ndarrays, shape (R,)
        What was said there, and the error that the source itself gave there, with its rounding.
    is_carried : ndarray of bool, shape (R,)
        Whether a count of those found falls short of the whole as its successor does.
    least : float
        What is added to every belief, in persons: of a day that may be without losses its log is not asked for.
    in_reading : ndarray, shape (readings, R)
    mixtures : tuple of tuple of int
        The readings of each source that has several towards a force.
    outlier_probability, outlier_factor, outlier_source, renewal, slip : int
        In theta, as `scales`: of the effects in the order of `effects`.
    """

    readings: tuple[Reading, ...]
    rows: tuple[Row, ...]
    term_keys: tuple[tuple[str, str, str, str, str], ...]
    role: Ints
    in_war: Ints
    source: Ints
    source_outcome: Ints
    effects: dict[str, tuple[tuple[str, ...], ...]]
    numerator: Parts
    denominator: Parts
    is_share: NDArray[np.bool_]
    is_capped: NDArray[np.bool_]
    statement: Ints
    noise: Ints
    own_sd: Floats
    contaminated: NDArray[np.bool_]
    reference_noise: Ints
    is_prior: NDArray[np.bool_]
    form: Ints
    lower: Floats
    upper: Floats
    point: Floats
    log_width: Floats
    sign: Floats
    wording: Ints
    link: Ints
    successor: Ints
    fresh: Ints
    next_point: Floats
    next_sd: Floats
    is_carried: NDArray[np.bool_]
    least: float
    in_reading: Floats
    mixtures: tuple[tuple[int, ...], ...]
    outlier_probability: int
    outlier_factor: int
    outlier_source: int
    renewal: int
    slip: int
    scales: tuple[int, int, int]

    @property
    def latents(self) -> int:
        """The number of standard normals behind the effects of roles in this war, sources, and sources by outcome."""
        return sum(len(names) for names in self.effects.values())

    @property
    def source_latents(self) -> tuple[int, int]:
        """The first of the effects of sources among the latents, and one past the last."""
        first = len(self.effects["role_in_war"])
        return first, first + len(self.effects["source"])

    @property
    def statements(self) -> int:
        """The number of statements whose rows share an error."""
        return len(self.reference_noise)


@dataclass(frozen=True)
class Parts:
    """The sums that rows speak of, shape (R, P): of each part a bias term, and two positions in the flat state."""

    term: Ints
    until: Ints
    since: Ints
    mask: Floats


def roles_of(case: Case, evidence: Evidence) -> list[str]:
    """Return the roles of the sources that speak, in the order of `sim.case.case.ROLES`."""
    found = {role for item in evidence.observations for role in _roles_towards(case, item.source, item.claim.force)}
    return [role for role in ROLES if role in found]


def _roles_towards(case: Case, source: str, force: str) -> tuple[str, ...]:
    return (ESTABLISHED,) if source == ESTABLISHED else case.sources[source].roles_towards(force)


def list_readings(case: Case, observations: Iterable[Observation]) -> tuple[Reading, ...]:
    """Return every reading of every source's role towards every force that it speaks of."""
    pairs = dict.fromkeys((item.source, item.claim.force) for item in observations)
    return tuple(
        Reading(source, force, role, 1 / len(roles))
        for source, force in sorted(pairs)
        for roles in [_roles_towards(case, source, force)]
        for role in roles
    )


def lay_out_beliefs(
    case: Case, evidence: Evidence, timeline: Timeline, state: StateLayout, parameters: Parameters
) -> BeliefLayout:
    """Lay out the beliefs and the rows of the likelihood."""
    observations = leave_statements(evidence.observations)
    readings = list_readings(case, observations)
    statements = list(dict.fromkeys(item.statement for item in observations if item.statement))
    rows = _list_rows(observations, readings, statements)
    links, after = _link_rows(rows, link_series(observations))
    followers = [rows[number].observation if number >= 0 else None for number in after]
    builder = _PartsBuilder(case, timeline, state)
    shape = [builder.describe(row, readings[row.reading]) for row in rows]
    numerator = builder.pack([parts for parts, _ in shape])
    denominator = builder.pack([whole for _, whole in shape])
    keys = tuple(builder.terms)
    spoken = {key: None for key in keys if key[0] != ESTABLISHED and key[4] != REGISTER}
    losses = [
        (source, force, role, class_of(outcome)) for source, force, role, outcome, _ in spoken if is_loss(outcome)
    ]
    effects = {
        "role_in_war": tuple(sorted({key[1:] for key in losses})),
        "source": tuple(sorted({(source, group) for source, _, _, group in losses})),
        "source_outcome": tuple(sorted({(source, force, outcome) for source, force, _, outcome, _ in spoken})),
    }
    offsets = np.cumsum([0, *(len(names) for names in effects.values())])
    has_bias = [key in spoken for key in keys]
    on_losses = [biased and is_loss(key[3]) for key, biased in zip(keys, has_bias, strict=True)]
    has_role = [biased and not key[4] for key, biased in zip(keys, has_bias, strict=True)]
    forms = [row.form for row in rows]
    observed = [row.observation for row in rows]
    bounds = [item.bound if item else None for item in observed]
    return BeliefLayout(
        readings=readings,
        rows=tuple(rows),
        term_keys=keys,
        role=_ints(
            parameters.index(f"role.{kind_of(outcome)}", role) if use else -1
            for (_, _, role, outcome, _), use in zip(keys, has_role, strict=True)
        ),
        in_war=_ints(
            offsets[0] + effects["role_in_war"].index((force, role, class_of(outcome))) if use and loss else -1
            for (_, force, role, outcome, _), use, loss in zip(keys, has_role, on_losses, strict=True)
        ),
        source=_ints(
            offsets[1] + effects["source"].index((source, class_of(outcome))) if loss else -1
            for (source, _, _, outcome, _), loss in zip(keys, on_losses, strict=True)
        ),
        source_outcome=_ints(
            offsets[2] + effects["source_outcome"].index((source, force, outcome)) if biased else -1
            for (source, force, _, outcome, _), biased in zip(keys, has_bias, strict=True)
        ),
        effects=effects,
        numerator=numerator,
        denominator=denominator,
        is_share=np.array([bool(item and item.whole) for item in observed], dtype=bool),
        is_capped=np.array([bool(item and item.whole) and not _is_nested(case, item) for item in observed], dtype=bool),
        statement=_ints(row.statement for row in rows),
        noise=_ints(_find_noise(row, readings, parameters) for row in rows),
        own_sd=np.array([_own_sd(row) for row in rows], dtype=float),
        contaminated=np.array([_is_contaminated(row) for row in rows], dtype=bool),
        reference_noise=_ints(parameters.index("noise", readings[number].role) for number in _find_first(rows)),
        is_prior=np.array([row.is_prior for row in rows], dtype=bool),
        form=_ints(FORMS[form] for form in forms),
        lower=np.array([_edge(item, "lower") for item in observed], dtype=float),
        upper=np.array([_edge(item, "upper") for item in observed], dtype=float),
        point=np.array([item.point if item and item.form != "cell" else 0.0 for item in observed], dtype=float),
        log_width=np.array([item.log_width if item else 0.0 for item in observed], dtype=float),
        sign=np.array([float(bound.sign) if bound else 1.0 for bound in bounds]),
        wording=_ints(parameters.index(bound.prior) if bound else -1 for bound in bounds),
        link=_ints(links),
        successor=_ints(after),
        fresh=_ints(parameters.index("memory.fresh", item.source) if item else -1 for item in followers),
        next_point=np.array([find_point(item) if item else 0.0 for item in followers], dtype=float),
        next_sd=np.array([find_next_sd(item) if item else 0.0 for item in followers], dtype=float),
        is_carried=np.array(
            [bool(item and link and item.is_count_of_found) for item, link in zip(observed, links, strict=True)],
            dtype=bool,
        ),
        least=LEAST_BELIEF if state.bursts else LEAST_NUMBER,
        in_reading=np.equal.outer(np.arange(len(readings)), [row.reading for row in rows]).astype(float),
        mixtures=_group_mixtures(readings),
        outlier_probability=parameters.index("outlier.probability"),
        outlier_factor=parameters.index("outlier.factor"),
        outlier_source=parameters.index("outlier.source"),
        renewal=parameters.index("memory.renewal"),
        slip=parameters.index("memory.statement"),
        scales=(
            parameters.index("scale.role_in_war"),
            parameters.index("scale.source"),
            parameters.index("scale.source_outcome"),
        ),
    )


def find_loudest(layout: BeliefLayout) -> dict[tuple[str, str], int]:
    """Return by force and outcome the bias term of the source that counts it most often, at least LOUD times.

    What others of its series follow tells of the path, not of the level, and is not counted.
    """
    times: dict[int, int] = {}
    for row, (item, parts) in enumerate(zip(layout.rows, layout.numerator.mask.sum(axis=1), strict=True)):
        if not item.is_prior and parts == 1 and not layout.is_share[row] and not layout.link[row]:
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


def kind_of(outcome: str) -> str:
    """Return which role mean acts on an outcome: losses, captured or deployed.

    The missing are told as the captured are: a list of those who are not there.
    """
    return {"captured": "captured", "missing": "captured", "deployed": "deployed"}.get(outcome, "losses")


def is_loss(outcome: str) -> bool:
    """Whether sides play an outcome down or up."""
    return kind_of(outcome) == "losses"


def class_of(outcome: str) -> str:
    """Return what shares the effects of a role in this war, and of a source: the hurt of a force; else each by itself.

    So a gross claim of aircraft lifts nobody killed, and a low one of civilians no fighters.
    """
    return "people" if outcome in PERSONNEL else outcome


def _list_rows(
    observations: Sequence[Observation], readings: Sequence[Reading], statements: Sequence[str]
) -> list[Row]:
    numbers = {"": -1, **{name: number for number, name in enumerate(statements)}}
    said: dict[tuple[str, str], list[tuple[int, Observation]]] = defaultdict(list)
    first: dict[str, Observation] = {}
    for place, item in enumerate(observations):
        said[item.source, item.claim.force].append((place, item))
        first.setdefault(item.statement, item)
    rows = [
        Row(item, position, numbers[item.statement], place)
        for position, reading in enumerate(readings)
        for place, item in said[reading.source, reading.force]
    ]
    # A statement's error has its prior under each reading of the first force that it speaks of.
    return rows + [
        Row(None, position, number)
        for number, name in enumerate(statements)
        for position, reading in enumerate(readings)
        if (reading.source, reading.force) == (first[name].source, first[name].claim.force)
    ]


def _link_rows(rows: Sequence[Row], links: Sequence[tuple[int, Link] | None]) -> tuple[list[Link], list[int]]:
    """Return for each row its link, and the row of the same reading that it is read given; -1 for none."""
    row_of = {(row.reading, row.place): number for number, row in enumerate(rows) if row.place >= 0}
    kinds, after = [Link.NONE] * len(rows), [-1] * len(rows)
    for number, row in enumerate(rows):
        found = links[row.place] if row.place >= 0 else None
        if found is not None:
            kinds[number], after[number] = found[1], row_of[row.reading, found[0]]
    return kinds, after


def _find_first(rows: Sequence[Row]) -> list[int]:
    """Return the first reading of each statement's rows, in the order of the statements."""
    found: dict[int, int] = {}
    for row in rows:
        if row.statement >= 0:
            found[row.statement] = min(row.reading, found.get(row.statement, row.reading))
    return [found[number] for number in sorted(found)]


def _find_noise(row: Row, readings: Sequence[Reading], parameters: Parameters) -> int:
    """Return the position of a row's noise in theta; -1 where its error is the statement's."""
    if row.observation and row.observation.whole:
        return parameters.index("noise.share")
    if row.observation and row.observation.claim.wording.lists:
        return parameters.index(row.observation.claim.wording.prior)
    if row.observation and (row.statement >= 0 or row.observation.source == ESTABLISHED):
        return -1
    return parameters.index("noise", readings[row.reading].role)


def _is_contaminated(row: Row) -> bool:
    """Whether a row's error may be an outlier's: not that of a statement's part, a list, nor of what is established."""
    item = row.observation
    return item is None or (row.statement < 0 and not item.claim.wording.lists and item.source != ESTABLISHED)


def _own_sd(row: Row) -> float:
    if row.observation is None:
        return 0.0
    part_sd = PART_SD if row.statement >= 0 else 0.0
    return float(np.hypot(row.observation.extra_sd, part_sd))


def find_next_sd(item: Observation) -> float:
    """Return how far what a source said may be from its own error: what it gave, and its rounding."""
    return float(np.hypot(item.extra_sd, measure_rounding(item)))


def _is_nested(case: Case, item: Observation | None) -> bool:
    """Whether a share's parts are among those of its whole, with the same biases."""
    if item is None or item.whole == "deployed" or item.is_count_of_found:
        return False
    claim = item.claim
    return set(case.parts_of(claim.force, claim.quantity)) < set(case.parts_of(claim.force, item.whole))


def _edge(item: Observation | None, name: str) -> float:
    if item is None or item.form != "cell":
        return -1.0 if name == "lower" else 1.0
    return float(np.clip(getattr(item, name), -INFINITE, INFINITE))


def _group_mixtures(readings: Sequence[Reading]) -> tuple[tuple[int, ...], ...]:
    groups: dict[tuple[str, str], list[int]] = {}
    for number, reading in enumerate(readings):
        groups.setdefault((reading.source, reading.force), []).append(number)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _ints(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)


class _PartsBuilder:
    """Collects the bias terms, and the parts that each row's belief sums."""

    def __init__(self, case: Case, timeline: Timeline, state: StateLayout) -> None:
        self.case, self.timeline, self.state = case, timeline, state
        self.terms: dict[tuple[str, str, str, str, str], int] = {}

    def describe(self, row: Row, reading: Reading) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """Return the parts of a row's numerator and denominator: bias term, and two positions in the flat state."""
        item = row.observation
        if item is None:
            return [], []
        top = self._sum(item, reading, item.claim.quantity, item.kind)
        return top, self._sum(item, reading, item.whole, "") if item.whole else []

    def _sum(self, item: Observation, reading: Reading, quantity: str, kind: str) -> list[tuple[int, int, int]]:
        claim = item.claim
        until = self.timeline.evening(claim.as_of)
        # A share of the whole force is a share of those who were sent by that day, whenever they were lost.
        by_interval = claim.measure == "interval" and not (item.whole and quantity == "deployed")
        since = self.timeline.morning(claim.since) if by_interval and claim.since else 0
        outcomes = ("deployed",) if quantity == "deployed" else self.case.parts_of(claim.force, quantity)
        width = len(self.timeline.cuts)
        found = []
        for outcome in outcomes:
            key = (reading.source, reading.force, reading.role, outcome, kind)
            term = self.terms.setdefault(key, len(self.terms))
            base = self.state.locate(claim.force, outcome) * width
            found.append((term, base + until, base + since))
        return found

    def pack(self, lists: list[list[tuple[int, int, int]]]) -> Parts:
        """Pad the parts of all rows to one rectangle."""
        width = max([1, *(len(parts) for parts in lists)])
        padded = np.zeros((len(lists), width, 3), dtype=np.int64)
        mask = np.zeros((len(lists), width))
        for row, parts in enumerate(lists):
            for column, part in enumerate(parts):
                padded[row, column], mask[row, column] = part, 1.0
        return Parts(padded[..., 0], padded[..., 1], padded[..., 2], mask)
