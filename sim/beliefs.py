r"""What each source believes of the state, and how likely what it said is.

Of a base outcome a source believes :math:`B_k = C_k e^{b}`, with

    b = role mean + role in this war + source + source by outcome;

of a total the sum of its parts' beliefs, of a share the quotient of two beliefs. The number of captured and of those
deployed is no loss that a side would play down or up: they have role means of their own, and neither the role's effect
in this war nor the source's on losses. Counts of those found (`counted`) carry no effect of the role.

Where a source's role can be read in several ways, its claims on a force are as likely as the mean over the readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case import ROLES, Case
from sim.evidence import Evidence, Observation
from sim.likelihood import NEVER, log_cell, log_density, log_understated, mix_components
from sim.parameters import Parameters
from sim.state import StateDesign, pick, softplus
from sim.timeline import Timeline

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PART_SD = 0.1  # rows of one statement differ from their common error by this much, on the log scale
FLOOR_SD = 1e-12  # so that a noise fixed at zero leaves the standard error that the source gave
CAP = 8.0  # how sharply a share is held below 1
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
    """One observation under one reading; without an observation, the prior of a statement's common error."""

    observation: Observation | None
    reading: int
    statement: int


@dataclass(frozen=True)
class BeliefDesign:
    """Indices and constants of beliefs and rows. T bias terms, R rows, P parts of a total at most.

    The bias terms are the distinct (source, force, role, outcome, counted); `term_keys` names them. A position of -1
    means "none".
    """

    readings: tuple[Reading, ...]
    rows: tuple[Row, ...]
    term_keys: tuple[tuple[str, str, str, str, bool], ...]
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
    cell: Ints
    density: Ints
    worded: Ints
    lower: Floats
    upper: Floats
    point: Floats
    log_width: Floats
    sign: Floats
    wording: Ints
    in_reading: Floats
    mixtures: tuple[tuple[int, ...], ...]
    outlier_probability: int
    outlier_factor: int
    scales: tuple[int, int, int]

    @property
    def latents(self) -> int:
        """The number of standard normals behind the effects of roles in this war, sources, and sources by outcome."""
        return sum(len(names) for names in self.effects.values())

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
    """Return the roles of the sources that speak, in the order of `sim.case.ROLES`."""
    found = {
        role for item in evidence.observations for role in case.sources[item.source].roles_towards(item.claim.force)
    }
    return [role for role in ROLES if role in found]


def list_readings(case: Case, observations: Iterable[Observation]) -> tuple[Reading, ...]:
    """Return every reading of every source's role towards every force that it speaks of."""
    pairs = dict.fromkeys((item.source, item.claim.force) for item in observations)
    return tuple(
        Reading(source, force, role, 1 / len(roles))
        for source, force in sorted(pairs)
        for roles in [case.sources[source].roles_towards(force)]
        for role in roles
    )


def design_beliefs(
    case: Case, evidence: Evidence, timeline: Timeline, state: StateDesign, parameters: Parameters
) -> BeliefDesign:
    """Lay out the beliefs and the rows of the likelihood."""
    readings = list_readings(case, evidence.observations)
    statements = list(dict.fromkeys(item.statement for item in evidence.observations if item.statement))
    rows = _list_rows(evidence.observations, readings, statements)
    builder = _PartsBuilder(case, timeline, state)
    shape = [builder.describe(row, readings[row.reading]) for row in rows]
    numerator = builder.pack([parts for parts, _ in shape])
    denominator = builder.pack([whole for _, whole in shape])
    keys = tuple(builder.terms)
    effects = {
        "role_in_war": tuple(sorted({(force, role) for _, force, role, _, _ in keys})),
        "source": tuple(sorted({(source,) for source, *_ in keys})),
        "source_outcome": tuple(sorted({(source, force, outcome) for source, force, _, outcome, _ in keys})),
    }
    offsets = np.cumsum([0, *(len(names) for names in effects.values())])
    on_losses = [kind_of(outcome) == "losses" for *_, outcome, _ in keys]
    has_role = [not counted for *_, counted in keys]
    forms = [row.observation.form if row.observation else "density" for row in rows]
    observed = [row.observation for row in rows]
    return BeliefDesign(
        readings=readings,
        rows=tuple(rows),
        term_keys=keys,
        role=_ints(
            parameters.index(f"role.{kind_of(outcome)}", role) if use else -1
            for (_, _, role, outcome, _), use in zip(keys, has_role, strict=True)
        ),
        in_war=_ints(
            offsets[0] + effects["role_in_war"].index((force, role)) if use and loss else -1
            for (_, force, role, _, _), use, loss in zip(keys, has_role, on_losses, strict=True)
        ),
        source=_ints(
            offsets[1] + effects["source"].index((source,)) if loss else -1
            for (source, *_), loss in zip(keys, on_losses, strict=True)
        ),
        source_outcome=_ints(
            offsets[2] + effects["source_outcome"].index((source, force, outcome))
            for source, force, _, outcome, _ in keys
        ),
        effects=effects,
        numerator=numerator,
        denominator=denominator,
        is_share=np.array([bool(item and item.whole) for item in observed], dtype=bool),
        is_capped=np.array([bool(item and item.whole) and not _is_nested(case, item) for item in observed], dtype=bool),
        statement=_ints(row.statement for row in rows),
        noise=_ints(_find_noise(row, readings, parameters) for row in rows),
        own_sd=np.array([_own_sd(row) for row in rows], dtype=float),
        contaminated=np.array([not (row.observation and row.statement >= 0) for row in rows], dtype=bool),
        reference_noise=_ints(
            parameters.index("noise", readings[min(row.reading for row in rows if row.statement == number)].role)
            for number in range(len(statements))
        ),
        cell=_where(forms, {"cell"}),
        density=_where(forms, {"density"}),
        worded=_where(forms, {"at_least", "at_most", "counted"}),
        lower=np.array([_edge(item, "lower") for item in observed], dtype=float),
        upper=np.array([_edge(item, "upper") for item in observed], dtype=float),
        point=np.array([item.point if item and item.form != "cell" else 0.0 for item in observed], dtype=float),
        log_width=np.array([item.log_width if item else 0.0 for item in observed], dtype=float),
        sign=np.array([-1.0 if form == "at_most" else 1.0 for form in forms]),
        wording=_ints(
            parameters.index(f"wording.{form}") if form in ("at_least", "at_most", "counted") else -1 for form in forms
        ),
        in_reading=np.array(
            [[float(row.reading == number) for row in rows] for number in range(len(readings))], dtype=float
        ).reshape(len(readings), len(rows)),
        mixtures=_group_mixtures(readings),
        outlier_probability=parameters.index("outlier.probability"),
        outlier_factor=parameters.index("outlier.factor"),
        scales=(
            parameters.index("scale.role_in_war"),
            parameters.index("scale.source"),
            parameters.index("scale.source_outcome"),
        ),
    )


def kind_of(outcome: str) -> str:
    """Return which role mean acts on an outcome: losses, captured or deployed."""
    return outcome if outcome in ("captured", "deployed") else "losses"


def _list_rows(
    observations: Sequence[Observation], readings: Sequence[Reading], statements: Sequence[str]
) -> list[Row]:
    rows = []
    for number, reading in enumerate(readings):
        own = [item for item in observations if (item.source, item.claim.force) == (reading.source, reading.force)]
        rows += [Row(item, number, statements.index(item.statement) if item.statement else -1) for item in own]
    for number, name in enumerate(statements):
        # A statement's error has its prior under each reading of the first force that it speaks of.
        first = next(item for item in observations if item.statement == name)
        for place, reading in enumerate(readings):
            if (reading.source, reading.force) == (first.source, first.claim.force):
                rows.append(Row(None, place, number))
    return rows


def _find_noise(row: Row, readings: Sequence[Reading], parameters: Parameters) -> int:
    """Return the position of a row's noise in theta; -1 where its error is the statement's."""
    if row.observation and row.observation.whole:
        return parameters.index("noise.share")
    if row.observation and row.statement >= 0:
        return -1
    return parameters.index("noise", readings[row.reading].role)


def _own_sd(row: Row) -> float:
    if row.observation is None:
        return 0.0
    return float(np.hypot(row.observation.extra_sd, PART_SD if row.statement >= 0 else 0.0))


def _is_nested(case: Case, item: Observation | None) -> bool:
    """Whether a share's parts are among those of its whole, with the same biases."""
    if item is None or item.whole == "deployed" or item.form == "counted":
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


def _where(forms: Sequence[str], wanted: set[str]) -> Ints:
    return _ints(number for number, form in enumerate(forms) if form in wanted)


class _PartsBuilder:
    """Collects the bias terms, and the parts that each row's belief sums."""

    def __init__(self, case: Case, timeline: Timeline, state: StateDesign) -> None:
        self.case, self.timeline, self.state = case, timeline, state
        self.terms: dict[tuple[str, str, str, str, bool], int] = {}

    def describe(self, row: Row, reading: Reading) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """Return the parts of a row's numerator and denominator: bias term, and two positions in the flat state."""
        item = row.observation
        if item is None:
            return [], []
        counted = item.form == "counted"
        top = self._sum(item, reading, item.claim.quantity, counted)
        return top, self._sum(item, reading, item.whole, False) if item.whole else []

    def _sum(self, item: Observation, reading: Reading, quantity: str, counted: bool) -> list[tuple[int, int, int]]:
        claim = item.claim
        until = self.timeline.evening(claim.as_of)
        # A share of the whole force is a share of those who were sent by that day, whenever they were lost.
        by_interval = claim.measure == "interval" and not (item.whole and quantity == "deployed")
        since = self.timeline.morning(claim.since) if by_interval and claim.since else 0
        outcomes = ("deployed",) if quantity == "deployed" else self.case.parts_of(claim.force, quantity)
        width = len(self.timeline.cuts)
        found = []
        for outcome in outcomes:
            key = (reading.source, reading.force, reading.role, outcome, counted)
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


def bias_terms(xp: Any, design: BeliefDesign, theta: Any, effects: Any) -> Any:
    """Return the log bias of each term, shape (..., T).

    Parameters
    ----------
    theta : array, shape (..., parameters)
    effects : array, shape (..., design.latents)
        Standard normals of the effects of roles in this war, sources, and sources by outcome.
    """
    in_war, source, by_outcome = (theta[..., position : position + 1] for position in design.scales)
    return (
        pick(xp, theta, design.role)
        + in_war * pick(xp, effects, design.in_war)
        + source * pick(xp, effects, design.source)
        + by_outcome * pick(xp, effects, design.source_outcome)
    )


def believe(xp: Any, parts: Parts, state: Any, bias: Any) -> Any:
    """Return what the source believes of the sum of each row, shape (..., R); 1 for a row without parts.

    Parameters
    ----------
    state : array, shape (..., state rows x cuts)
        `run_state`, flattened.
    bias : array, shape (..., T)
    """
    shape = parts.term.shape
    amount = xp.take(state, parts.until.ravel(), axis=-1) - xp.take(state, parts.since.ravel(), axis=-1)
    biased = amount * xp.exp(xp.take(bias, parts.term.ravel(), axis=-1)) * parts.mask.ravel()
    total = xp.sum(biased.reshape((*biased.shape[:-1], *shape)), axis=-1)
    return total + (parts.mask.sum(axis=1) == 0)


def expect(xp: Any, design: BeliefDesign, state: Any, bias: Any) -> Any:
    """Return each row's belief on its own scale, shape (..., R): log of a count, logit of a share.

    A share whose parts are among those of its whole is below 1 by itself. Another quotient x, such as the casualties
    of those deployed, whose biases differ, is capped smoothly: (x^-m + 1)^(-1/m), within 2% of x up to .8.
    """
    top = believe(xp, design.numerator, state, bias)
    if not design.is_share.any():
        return xp.log(top)
    whole = believe(xp, design.denominator, state, bias)
    log_ratio = xp.log(top) - xp.log(whole)
    capped = -softplus(xp, -CAP * log_ratio) / CAP
    log_share = xp.where(design.is_capped, capped, xp.minimum(log_ratio, -1e-12))
    log_rest = xp.where(design.is_share, xp.log(-xp.expm1(xp.where(design.is_share, log_share, -1.0))), 0.0)
    return xp.where(design.is_share, log_share, xp.log(top)) - log_rest


def noise_sds(xp: Any, design: BeliefDesign, theta: Any, factor: Any = 1.0) -> Any:
    """Return the standard deviation of each row's noise on its own scale, shape (..., R).

    `factor` multiplies the noise of the role alone, not the standard error that the source itself gave: so a claim
    whose own error grows without end tells less and less of everything, whether it is an outlier included.
    """
    shared = xp.maximum(pick(xp, theta, design.noise), FLOOR_SD) * factor
    return xp.sqrt(xp.square(shared) + np.square(design.own_sd))


def statement_errors(xp: Any, design: BeliefDesign, theta: Any, statement: Any) -> Any:
    """Return the error that the rows of each statement share: its noise times `statement`; shape (..., statements)."""
    return xp.maximum(xp.take(theta, design.reference_noise, axis=-1), FLOOR_SD) * statement


def row_log_likelihoods(xp: Any, design: BeliefDesign, state: Any, theta: Any, effects: Any, statement: Any) -> Any:
    """Return the log likelihood of each row, shape (..., R), in the order cells, densities, wordings.

    Parameters
    ----------
    state : array, shape (..., state rows x cuts)
    theta, effects : arrays
        See `bias_terms`.
    statement : array, shape (..., statements)
        The error that a statement's rows share, in units of its noise.
    """
    centre = expect(xp, design, state, bias_terms(xp, design, theta, effects))
    jacobian = 0.0
    if design.statements:
        error = statement_errors(xp, design, theta, statement)
        prior_rows = _ints(number for number, row in enumerate(design.rows) if row.observation is None)
        sign = np.ones(len(design.rows))
        sign[prior_rows] = -1.0
        # A row is off by the statement's error; the prior row of a statement has that error as the number said.
        centre = centre + sign * pick(xp, error, design.statement)
        noise = xp.maximum(pick(xp, theta, _scatter(prior_rows, design)), FLOOR_SD)
        jacobian = xp.where(_mask(prior_rows, len(design.rows)), xp.log(noise), 0.0)
    probability = theta[..., design.outlier_probability, None]
    log_core = xp.where(design.contaminated, xp.log1p(-probability), 0.0)
    log_outlier = xp.where(design.contaminated, xp.maximum(xp.log(xp.maximum(probability, 1e-300)), NEVER), NEVER)
    scales = [noise_sds(xp, design, theta), noise_sds(xp, design, theta, theta[..., design.outlier_factor, None])]
    pieces = []
    for rows, form in ((design.cell, "cell"), (design.density, "density"), (design.worded, "worded")):
        if len(rows):
            core, outlier = (_form(xp, design, form, rows, centre, scale, theta) for scale in scales)
            pieces.append(
                mix_components(xp, core, outlier, xp.take(log_core, rows, axis=-1), xp.take(log_outlier, rows, axis=-1))
            )
    joined = xp.concatenate(pieces, axis=-1) + design.log_width[order_of(design)]
    return joined + (jacobian if design.statements == 0 else xp.take(jacobian, order_of(design), axis=-1))


def order_of(design: BeliefDesign) -> Ints:
    """Return the row that each element of `row_log_likelihoods` belongs to."""
    return np.concatenate([design.cell, design.density, design.worded])


def _mask(rows: Ints, length: int) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    mask[rows] = True
    return mask


def _scatter(rows: Ints, design: BeliefDesign) -> Ints:
    """Return for each prior row the position in theta of the noise that its statement's error is a multiple of."""
    positions = np.full(len(design.rows), -1, dtype=np.int64)
    positions[rows] = design.reference_noise[design.statement[rows]]
    return positions


def _form(xp: Any, design: BeliefDesign, form: str, rows: Ints, centre: Any, scale: Any, theta: Any) -> Any:
    """Return the log likelihood of the rows of one form under one component of the noise."""
    middle, s = xp.take(centre, rows, axis=-1), xp.take(scale, rows, axis=-1)
    if form == "cell":
        return log_cell(xp, design.lower[rows] - middle, design.upper[rows] - middle, s)
    gap = design.point[rows] - middle
    if form == "density":
        return log_density(xp, gap, s)
    mean = xp.maximum(xp.take(theta, design.wording[rows], axis=-1), 1e-6)
    return log_understated(xp, design.sign[rows] * gap, s, mean)


def join_readings(xp: Any, design: BeliefDesign, rows: Any) -> Any:
    """Return the log likelihood of all claims: rows summed within a reading, readings averaged by their weights.

    Parameters
    ----------
    rows : array, shape (R,)
        From `row_log_likelihoods`.
    """
    if not design.mixtures:
        return xp.sum(rows, axis=-1)
    by_reading = sum_by_reading(xp, design, rows)
    mixed = {number for group in design.mixtures for number in group}
    single = _ints(number for number in range(len(design.readings)) if number not in mixed)
    total = xp.sum(xp.take(by_reading, single, axis=-1), axis=-1)
    for group in design.mixtures:
        weighted = xp.take(by_reading, _ints(group), axis=-1) + np.log([design.readings[n].weight for n in group])
        top = xp.max(weighted, axis=-1, keepdims=True)
        total = total + xp.log(xp.sum(xp.exp(weighted - top), axis=-1)) + top[..., 0]
    return total


def sum_by_reading(xp: Any, design: BeliefDesign, rows: Any) -> Any:
    """Return the log likelihood of each reading's rows, shape (..., readings)."""
    return xp.sum(rows[..., None, :] * design.in_reading[:, order_of(design)], axis=-1)
