"""A design packed into the buffer that `sim.model.density` reads, and its draws unpacked."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL
from sim.model.arrays import NUMPY
from sim.model.beliefs import CAP, FLOOR_SD, bias_terms
from sim.model.claims.layout import BeliefLayout, Parts
from sim.model.claims.series import leave_statements
from sim.model.density.codes import FLOATS, SHARED_FLOATS, Common, Constant, Family, Field, Form, SharedField, Size
from sim.model.density.kernel import compile_density
from sim.model.design import Design
from sim.model.losses.bursts import LEAST_SIZE, LEAST_TOTAL, Burst
from sim.model.losses.layout import StateLayout
from sim.model.losses.picks import LEAST_LEFT, LEAST_SENT, PickLayout
from sim.model.parameters import Joint, Parameters

Floats = NDArray[np.float64]
_CONSTANTS = {
    Constant.CAP: CAP,
    Constant.FLOOR_SD: FLOOR_SD,
    Constant.LEAST_SIZE: LEAST_SIZE,
    Constant.LEAST_TOTAL: LEAST_TOTAL,
    Constant.LEAST_SENT: LEAST_SENT,
    Constant.LEAST_LEFT: LEAST_LEFT,
}


def list_free(parameters: Parameters) -> list[int]:
    """Return the positions in theta of the parameters that are not fixed: one slot of the vector each."""
    return [position for position, item in enumerate(parameters.items) if item.prior.dist is not None]


def count_unknowns(design: Design) -> int:
    """Return the length of the unconstrained vector: free parameters, walk, effects, statements, bursts."""
    free = len(list_free(design.parameters))
    return free + design.state.walks + design.beliefs.latents + design.beliefs.statements + design.state.burst_count


def pack_design(design: Design, counts: Floats | None = None) -> Floats:
    """Return the design as one buffer for `log_density`.

    `counts` is 1 for each free parameter and latent whose prior this design counts, the default, and else 0; with it
    no effect is centred.
    """
    constants = _CONSTANTS | {Constant.LEAST_BELIEF: design.beliefs.least}
    fields = {
        Field.SIZES: [_list_sizes(design)[size] for size in Size],
        Field.COMMON: [_list_common(design)[common] for common in Common],
        Field.CONSTANTS: [constants[constant] for constant in Constant],
        **_list_parameters(design),
        **_list_state(design.state),
        **_list_bursts(design.state.bursts),
        **_list_picks(design.picks),
        **_list_rows(design.beliefs),
    }
    if counts is not None:
        fields[Field.COUNTS], fields[Field.CENTRED] = counts, np.full(design.beliefs.latents, -1)
    return _join_fields([_as_slots(fields[field], field in FLOATS) for field in Field])


def _as_slots(values: Any, is_float: bool) -> Floats:
    array = np.ascontiguousarray(np.ravel(values), dtype=np.float64 if is_float else np.int64)
    return np.asarray(array.view(np.float64))


def _join_fields(arrays: Sequence[Floats]) -> Floats:
    """Return the arrays end to end, behind the offsets at which each begins and the last ends."""
    ends = len(arrays) + 1 + np.cumsum([0, *(len(array) for array in arrays)])
    return np.concatenate([ends.astype(np.int64).view(np.float64), *arrays])


def pack_many(joint: Joint, pieces: Sequence[tuple[Floats, NDArray[np.int64]]]) -> Floats:
    """Return several designs as one buffer for `log_density_many`.

    Parameters
    ----------
    joint : Joint
        The shared parameters, which come first in the unconstrained vector; its positions are not used.
    pieces : sequence of (buffer, slots)
        Each design's buffer, and where each element of its unconstrained vector stands in the whole.
    """
    starts = np.cumsum([0, *(len(buffer) for buffer, _ in pieces)])
    fields = {
        SharedField.MEAN: joint.mean,
        SharedField.ROOT: joint.root,
        SharedField.STARTS: starts,
        SharedField.LENGTHS: [len(slots) for _, slots in pieces],
        SharedField.SLOTS: np.concatenate([slots for _, slots in pieces]),
        SharedField.BUFFERS: np.concatenate([buffer for buffer, _ in pieces]),
    }
    return _join_fields([_as_slots(fields[field], field in SHARED_FLOATS) for field in SharedField])


def name_slots(design: Design) -> list[tuple[str, ...]]:
    """Return what each element of the unconstrained vector is: a parameter, walk, effect, statement or burst.

    In another design the same name has the same meaning: a step of the walk by how many there are, a burst by its days.
    """
    free = [
        (design.parameters.items[p].variable, *(label for _, label in design.parameters.items[p].coords))
        for p in list_free(design.parameters)
    ]
    walk = [("walk", str(number), str(design.state.walks)) for number in range(design.state.walks)]
    effects = [(f"effect.{kind}", *key) for kind, names in design.beliefs.effects.items() for key in names]
    spoken = leave_statements(design.evidence.observations)
    named = dict.fromkeys(item.statement for item in spoken if item.statement)
    statements = [("statement", name) for name in named]
    bursts = [
        ("burst", *design.state.series[burst.series], *map(str, design.timeline.cuts[burst.cuts[n : n + 2]]))
        for burst in design.state.bursts
        for n in range(burst.count)
    ]
    return [*free, *walk, *effects, *statements, *bursts]


def _list_sizes(design: Design) -> dict[Size, int]:
    state, beliefs = design.state, design.beliefs
    return {
        Size.PARAMETERS: len(design.parameters),
        Size.WALKS: state.walks,
        Size.EFFECTS: beliefs.latents,
        Size.STATEMENTS: beliefs.statements,
        Size.BURSTS: state.burst_count,
        Size.BURST_ROWS: len(state.bursts),
        Size.END: state.end,
        Size.PICKS: len(design.picks.spells),
        Size.FORCES: len(state.forces),
        Size.SEGMENTS: len(state.days),
        Size.STEPS: len(state.root_days),
        Size.BOUNDED: len(state.bounded),
        Size.PERSONNEL: len(state.personnel),
        Size.FREE: len(state.free),
        Size.SIZED: len(state.sized),
        Size.TERMS: len(beliefs.term_keys),
        Size.ROWS: len(beliefs.rows),
        Size.READINGS: len(beliefs.readings),
        Size.MIXTURES: len(beliefs.mixtures),
        Size.WIDE_EFFECTS: beliefs.wide_latents,
    }


def _list_common(design: Design) -> dict[Common, int]:
    beliefs, step = design.beliefs, design.state.step
    return {
        Common.PATH_STEP: -1 if step is None else step,
        Common.PICK_BY_SIZE: design.picks.by_size,
        Common.SURRENDER_TOLD: design.picks.told,
        Common.OUTLIER_PROBABILITY: beliefs.outlier_probability,
        Common.OUTLIER_FACTOR: beliefs.outlier_factor,
        Common.OUTLIER_SOURCE: beliefs.outlier_source,
        Common.RENEWAL: beliefs.renewal,
        Common.SLIP: beliefs.slip,
        Common.FIRST_REPORT: beliefs.first_report,
        Common.SCALE_ROLE_IN_WAR: beliefs.scales[0],
        Common.SCALE_SOURCE: beliefs.scales[1],
        Common.SCALE_SOURCE_OUTCOME: beliefs.scales[2],
    }


def _list_parameters(design: Design) -> dict[Field, Any]:
    parameters, joint, free = design.parameters, design.parameters.joint, list_free(design.parameters)
    arguments = np.zeros((len(parameters), 3))
    for position, item in enumerate(parameters.items):
        values = list(item.prior.arguments.values()) if item.prior.dist else [float(item.prior.fixed or 0.0)]
        arguments[position, : len(values)] = values
    return {
        Field.FAMILY: [Family[item.prior.dist or "Fixed"] for item in parameters.items],
        Field.ARGUMENTS: arguments,
        Field.JOINT: [free.index(position) for position in joint.positions],
        Field.JOINT_MEAN: joint.mean,
        Field.JOINT_ROOT: joint.root,
        Field.APPARENT: design.apparent,
        Field.CENTRED: design.centred,
        Field.COUNTS: np.ones(count_unknowns(design)),
    }


def _list_state(state: StateLayout) -> dict[Field, Any]:
    forces, sized = list(state.forces), list(state.sized)
    return {
        Field.BIN: state.bin,
        Field.DAYS: state.days,
        Field.POSITION: state.position,
        Field.INSIDE: state.inside,
        Field.ROOT_DAYS: state.root_days,
        Field.LULLS: state.lulls,
        Field.LULL_COVER: state.lull_cover,
        Field.WAVES: state.waves,
        Field.ARRIVALS: state.arrivals,
        Field.BOUNDED_FORCE: [forces.index(key) for key in state.bounded],
        Field.BOUNDED_SIZED: [sized.index(key) for key in state.bounded],
        Field.SHARE: state.share,
        Field.RATIO: state.ratio,
        Field.CAPTURED: state.captured,
        Field.MISSING: state.missing,
        Field.HAS: state.has,
        Field.BOUNDED_TILT: state.bounded_tilt,
        Field.PERSONNEL: [PERSONNEL.index(name) for name in state.personnel],
        Field.FREE_FORCE: [forces.index(key) for key, _ in state.free],
        Field.FREE_TOTAL: state.free_total,
        Field.FREE_RATIO: state.free_ratio,
        Field.FREE_TILT: state.free_tilt,
        Field.CAPPED: state.capped,
    }


def _list_bursts(bursts: Sequence[Burst]) -> dict[Field, Any]:
    return {
        Field.BURST_SERIES: [burst.series for burst in bursts],
        Field.BURST_SIZE: [burst.size for burst in bursts],
        Field.BURST_INSIDE: [burst.inside for burst in bursts],
        Field.BURST_START: np.cumsum([0, *(burst.count for burst in bursts)]),
        Field.BURST_SINCE: [cut for burst in bursts for cut in burst.cuts[:-1]],
        Field.BURST_EVENTS: [number for burst in bursts for number in burst.events],
        Field.BURST_UNTIL: [cut for burst in bursts for cut in burst.cuts[1:]],
    }


def _list_picks(picks: PickLayout) -> dict[Field, Any]:
    return {
        Field.PICK_SHARE: [one.days_share for one in picks.spells],
        Field.PICK_TIMES: [one.times for one in picks.spells],
        Field.PICK_START: np.cumsum([0, *(len(parts) for parts in picks.until)]),
        Field.PICK_UNTIL: [index for parts in picks.until for index in parts],
        Field.PICK_SINCE: [index for parts in picks.since for index in parts],
        Field.PICK_TOTAL: [index for parts in picks.total for index in parts],
        Field.SILENCE: picks.silences,
    }


AS_LAID_OUT = (  # the fields of rows and bias terms that the layout has under the same names
    Field.ROLE, Field.SPREAD, Field.IN_WAR, Field.SOURCE, Field.SOURCE_OUTCOME, Field.IS_SHARE, Field.IS_CAPPED,
    Field.FORM, Field.POINT, Field.LOWER, Field.UPPER, Field.LOG_WIDTH, Field.WORDING, Field.SIGN, Field.NOISE,
    Field.EARLY, Field.OWN_SD, Field.CONTAMINATED, Field.IS_PRIOR, Field.LINK, Field.SUCCESSOR, Field.NEXT_POINT,
    Field.NEXT_SD, Field.FRESH, Field.STATEMENT, Field.REFERENCE_NOISE,
)  # fmt: skip


def _list_rows(beliefs: BeliefLayout) -> dict[Field, Any]:
    mixture_of = {reading: number for number, group in enumerate(beliefs.mixtures) for reading in group}
    top, whole = _flatten_parts(beliefs.numerator), _flatten_parts(beliefs.denominator)
    return {
        **{field: getattr(beliefs, field.name.lower()) for field in AS_LAID_OUT},
        **dict(zip((Field.TOP_START, Field.TOP_TERM, Field.TOP_UNTIL, Field.TOP_SINCE), top, strict=True)),
        **dict(zip((Field.WHOLE_START, Field.WHOLE_TERM, Field.WHOLE_UNTIL, Field.WHOLE_SINCE), whole, strict=True)),
        Field.CORE_FORM: np.where(beliefs.is_carried, Form.DENSITY, beliefs.form),
        Field.READING: [row.reading for row in beliefs.rows],
        Field.GROUP: [mixture_of.get(reading, -1) for reading in range(len(beliefs.readings))],
        Field.LOG_WEIGHT: [math.log(reading.weight) for reading in beliefs.readings],
    }


def _flatten_parts(parts: Parts) -> tuple[Any, ...]:
    """Return where each row's parts start, and the terms and spans of the parts of all rows end to end."""
    real = parts.mask > 0
    return np.cumsum([0, *real.sum(axis=1)]), parts.term[real], parts.until[real], parts.since[real]


def find_middle(design: Design) -> Floats:
    """Return an unconstrained vector about which chains may start: where the claims are likely to be felt.

    A parameter stands in the middle of its prior, and every interval of the bursts has lost something: of one without
    losses a claim is as unlikely whichever way its unknown moves.
    """
    middle = np.zeros(count_unknowns(design))
    middle[len(middle) - design.state.burst_count :] = 1.0
    for index, position in enumerate(list_free(design.parameters)):
        prior = design.parameters.items[position].prior
        if position in design.parameters.joint.positions or prior.family is None:
            continue
        if prior.family.normal:
            middle[index] = prior.mu or 0.0
        elif prior.dist == "Beta":
            middle[index] = math.log(prior.arguments["alpha"] / prior.arguments["beta"])
    return middle


def evaluate_density(design: Design, x: Floats) -> tuple[float, Floats]:
    """Return the log density at an unconstrained vector, and its gradient."""
    buffer, grad, value = pack_design(design), np.zeros(len(x)), np.full(1, np.nan)
    compile_density().ctypes(len(x), *map(_point_to, (np.ascontiguousarray(x), grad, value)), buffer.ctypes.data)
    return float(value[0]), grad


def _point_to(values: Floats) -> Any:
    return values.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def constrain_draws(design: Design, x: Floats) -> dict[str, Floats]:
    """Return the unknowns of unconstrained draws: `theta`, `walk`, `effects`, `statement`, `burst`.

    Parameters
    ----------
    x : ndarray, shape (..., n)
    """
    items, joint, slots = design.parameters.items, design.parameters.joint, list_free(design.parameters)
    theta = np.empty((*x.shape[:-1], len(items)))
    columns = dict(zip(slots, np.moveaxis(x, -1, 0), strict=False))
    if len(joint.positions):
        standard = np.stack([columns[position] for position in joint.positions], axis=-1)
        mixed = joint.mean + standard @ joint.root.T
        columns |= dict(zip(joint.positions, np.moveaxis(mixed, -1, 0), strict=True))
    for position, item in enumerate(items):
        theta[..., position] = item.prior.fixed if item.prior.dist is None else item.prior.constrain(columns[position])
    sizes = {
        "walk": design.state.walks,
        "effects": design.beliefs.latents,
        "statement": design.beliefs.statements,
        "burst": design.state.burst_count,
    }
    ends = len(slots) + np.cumsum([0, *sizes.values()])
    found = {name: x[..., ends[k] : ends[k + 1]] for k, name in enumerate(sizes)}
    own = np.flatnonzero(design.centred >= 0)
    if len(own):
        found["effects"] = found["effects"].copy()
        found["effects"][..., own] /= theta[..., design.centred[own]]
    seen = np.flatnonzero(design.apparent >= 0)
    if len(seen):
        theta[..., seen] -= bias_terms(NUMPY, design.beliefs, theta, found["effects"])[..., design.apparent[seen]]
    return {"theta": theta, **found}
