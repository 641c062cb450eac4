"""The layout of beliefs and rows: for each row of the likelihood the indices and constants of what it says.

What they are used for is in `sim.model.beliefs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import Case
from sim.case.evidence import Evidence
from sim.case.observations import REGISTER, Observation
from sim.case.prior_keys import OWN_SIDE
from sim.case.timeline import Timeline
from sim.model.claims.earliness import find_earliness
from sim.model.claims.rows import (
    ESTABLISHED,
    FORMS,
    Reading,
    Row,
    class_of,
    find_edge,
    find_first_readings,
    find_next_sd,
    find_noise,
    find_own_sd,
    group_mixtures,
    is_contaminated,
    is_loss,
    is_nested,
    kind_of,
    link_rows,
    list_readings,
    list_rows,
    roles_towards,
)
from sim.model.claims.series import find_point, leave_statements, link_series
from sim.model.losses.layout import StateLayout
from sim.model.parameters import Parameters

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_BELIEF, LEAST_NUMBER = 0.05, 1e-300  # where some days may be without losses, and otherwise


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
    spread : ndarray of int, shape (T,)
        What the effects of the own side are multiplied by, in theta.
    in_war, source, source_outcome : ndarrays of int, shape (T,)
        Positions among the effects.
    effects : dict of str to tuple
        What each effect belongs to, by its kind.
    numerator, denominator : Parts
        What the rows sum, and what those that are shares or ratios are of.
    is_share, is_capped, contaminated, is_prior : ndarrays of bool, shape (R,)
        Whether a row is a share, on the logit scale; one that must be held below 1; has outliers; is the prior of an
        error.
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
    early : ndarray, shape (R,)
        How much of what a row speaks of became known before the last number (see `sim.model.claims.earliness`).
    is_carried : ndarray of bool, shape (R,)
        Whether a count of those found falls short of the whole as its successor does.
    least : float
        What is added to every belief, in persons: of a day that may be without losses its log is not asked for.
    in_reading : ndarray, shape (readings, R)
    mixtures : tuple of tuple of int
        The readings of each source that has several towards a force.
    outlier_probability, outlier_factor, outlier_source, renewal, slip, first_report : int
        In theta, as `scales`: of the effects in the order of `effects`.
    """

    readings: tuple[Reading, ...]
    rows: tuple[Row, ...]
    term_keys: tuple[tuple[str, str, str, str, str], ...]
    role: Ints
    spread: Ints
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
    early: Floats
    is_carried: NDArray[np.bool_]
    least: float
    in_reading: Floats
    mixtures: tuple[tuple[int, ...], ...]
    outlier_probability: int
    outlier_factor: int
    outlier_source: int
    renewal: int
    slip: int
    first_report: int
    scales: tuple[int, int, int]

    @property
    def latents(self) -> int:
        """The number of standard normals behind the effects of roles in this war, sources, and sources by outcome."""
        return sum(len(names) for names in self.effects.values())

    @property
    def wide_latents(self) -> int:
        """How many of the latents, the first, may be wide of the mark: the effects of roles in this war and sources."""
        return len(self.effects["role_in_war"]) + len(self.effects["source"])

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


def lay_out_beliefs(
    case: Case, evidence: Evidence, timeline: Timeline, state: StateLayout, parameters: Parameters
) -> BeliefLayout:
    """Lay out the beliefs and the rows of the likelihood."""
    observations = leave_statements(evidence.observations)
    readings = list_readings(case, observations)
    statements = list(dict.fromkeys(item.statement for item in observations if item.statement))
    rows = list_rows(observations, readings, statements)
    links, after = link_rows(rows, link_series(observations))
    followers = [rows[number].observation if number >= 0 else None for number in after]
    early = find_earliness(case, observations)
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
            parameters.index(f"role.{kind_of(case, force, outcome)}", role) if use else -1
            for (_, force, role, outcome, _), use in zip(keys, has_role, strict=True)
        ),
        spread=_ints(
            parameters.index("spread", role) if biased and loss and role in OWN_SIDE else -1
            for (_, _, role, _, _), biased, loss in zip(keys, has_bias, on_losses, strict=True)
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
        is_share=np.array([bool(item and item.is_share) for item in observed], dtype=bool),
        is_capped=np.array(
            [bool(item and item.is_share) and not is_nested(case, item) for item in observed], dtype=bool
        ),
        statement=_ints(row.statement for row in rows),
        noise=_ints(find_noise(row, readings, parameters) for row in rows),
        own_sd=np.array([find_own_sd(row) for row in rows], dtype=float),
        contaminated=np.array([is_contaminated(row) for row in rows], dtype=bool),
        reference_noise=_ints(parameters.index("noise", readings[number].role) for number in find_first_readings(rows)),
        is_prior=np.array([row.is_prior for row in rows], dtype=bool),
        form=_ints(FORMS[form] for form in forms),
        lower=np.array([find_edge(item, "lower") for item in observed], dtype=float),
        upper=np.array([find_edge(item, "upper") for item in observed], dtype=float),
        point=np.array([item.point if item and item.form != "cell" else 0.0 for item in observed], dtype=float),
        log_width=np.array([item.log_width if item else 0.0 for item in observed], dtype=float),
        sign=np.array([float(bound.sign) if bound else 1.0 for bound in bounds]),
        wording=_ints(parameters.index(bound.prior) if bound else -1 for bound in bounds),
        link=_ints(links),
        successor=_ints(after),
        fresh=_ints(parameters.index("memory.fresh", item.source) if item else -1 for item in followers),
        next_point=np.array([find_point(item) if item else 0.0 for item in followers], dtype=float),
        next_sd=np.array([find_next_sd(item) if item else 0.0 for item in followers], dtype=float),
        early=np.array([early[row.index] if row.index >= 0 else 0.0 for row in rows], dtype=float),
        is_carried=np.array(
            [bool(item and link and item.is_count_of_found) for item, link in zip(observed, links, strict=True)],
            dtype=bool,
        ),
        least=LEAST_BELIEF if state.bursts else LEAST_NUMBER,
        in_reading=np.equal.outer(np.arange(len(readings)), [row.reading for row in rows]).astype(float),
        mixtures=group_mixtures(readings),
        outlier_probability=parameters.index("outlier.probability"),
        outlier_factor=parameters.index("outlier.factor"),
        outlier_source=parameters.index("outlier.source"),
        renewal=parameters.index("memory.renewal"),
        slip=parameters.index("memory.statement"),
        first_report=parameters.index("first_report"),
        scales=(
            parameters.index("scale.role_in_war"),
            parameters.index("scale.source"),
            parameters.index("scale.source_outcome"),
        ),
    )


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
        sums = [
            self._sum(item, reading, *topic, kind) for topic, kind in zip(item.topics, (item.kind, ""), strict=False)
        ]
        return sums[0], sums[1] if item.whole else []

    def _sum(
        self, item: Observation, reading: Reading, force: str, quantity: str, kind: str
    ) -> list[tuple[int, int, int]]:
        claim = item.claim
        until, first = self.timeline.evening(claim.as_of), claim.first_day_of(quantity)
        since = self.timeline.morning(first) if first else 0
        outcomes = ("deployed",) if quantity == "deployed" else self.case.parts_of(force, quantity)
        # Of a ratio's other force a source has one role: `sim.case.rules` sees to it.
        role = reading.role if force == reading.force else roles_towards(self.case, reading.source, force)[0]
        width = len(self.timeline.cuts)
        found = []
        for outcome in outcomes:
            key = (reading.source, force, role, outcome, kind)
            term = self.terms.setdefault(key, len(self.terms))
            base = self.state.locate(force, outcome) * width
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
