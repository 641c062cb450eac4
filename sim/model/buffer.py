"""A design packed into the buffer that `sim.model.density` reads, and its draws unpacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL
from sim.case.priors import ARGUMENTS, Prior
from sim.model.arrays import NUMPY
from sim.model.beliefs import CAP, FLOOR_SD, bias_terms
from sim.model.density import FAMILIES, FIELDS, FLOATS, log_density
from sim.model.design import Design
from sim.model.parameters import Joint, Parameters
from sim.model.rows import Parts

FORMS = {"density": 0, "cell": 1, "at_least": 2, "at_most": 2, "counted": 2}

Floats = NDArray[np.float64]


def list_free(parameters: Parameters) -> list[int]:
    """Return the positions in theta of the parameters that are not fixed: one slot of the vector each."""
    return [position for position, item in enumerate(parameters.items) if item.prior.dist is not None]


def count_unknowns(design: Design) -> int:
    """Return the length of the unconstrained vector: free parameters, walk, effects, statements."""
    free = len(list_free(design.parameters))
    return free + design.state.walks + design.beliefs.latents + design.beliefs.statements


def pack_design(design: Design, counts: Floats | None = None) -> Floats:
    """Return the design as one buffer for `log_density`.

    `counts` is 1 for each free parameter and latent whose prior this design counts, the default, and else 0; with it
    no effect is centred.
    """
    fields = _list_fields(design)
    if counts is not None:
        fields["counts"], fields["centred"] = counts, np.full(design.beliefs.latents, -1)
    return _join_fields([_as_slots(fields[name], name in FLOATS) for name in FIELDS])


def _as_slots(values: Any, is_float: bool) -> Floats:
    array = np.ascontiguousarray(np.ravel(values), dtype=np.float64 if is_float else np.int64)
    return np.asarray(array.view(np.float64))


def _join_fields(arrays: Sequence[Floats]) -> Floats:
    """Return the arrays end to end behind the places where each starts, and where the last ends."""
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
    fields = [
        _as_slots(joint.mean, True),
        _as_slots(joint.root, True),
        _as_slots(starts, False),
        _as_slots([len(slots) for _, slots in pieces], False),
        _as_slots(np.concatenate([slots for _, slots in pieces]), False),
        np.concatenate([buffer for buffer, _ in pieces]),
    ]
    return _join_fields(fields)


def name_slots(design: Design) -> list[tuple[str, ...]]:
    """Return what stands at each place of the unconstrained vector: a parameter, walk, effect or statement."""
    free = [
        (design.parameters.items[p].variable, *(label for _, label in design.parameters.items[p].place))
        for p in list_free(design.parameters)
    ]
    walk = [("walk", str(number)) for number in range(design.state.walks)]
    effects = [(f"effect.{kind}", *key) for kind, names in design.beliefs.effects.items() for key in names]
    return [*free, *walk, *effects, *(("statement", str(number)) for number in range(design.beliefs.statements))]


def _list_fields(design: Design) -> dict[str, Any]:
    state, beliefs, parameters = design.state, design.beliefs, design.parameters
    rows = beliefs.rows
    forces, sized = list(state.forces), list(state.sized)
    mixed = {number: place for place, group in enumerate(beliefs.mixtures) for number in group}
    joint, free = parameters.joint, list_free(parameters)
    arguments = np.zeros((len(parameters), 3))
    for position, item in enumerate(parameters.items):
        given = [item.prior.arguments[name] for name in ARGUMENTS[item.prior.dist]] if item.prior.dist else []
        values = given if item.prior.dist else [float(item.prior.fixed or 0.0)]
        arguments[position, : len(values)] = values
    sizes = [
        len(parameters), state.walks, beliefs.latents, beliefs.statements, len(forces), len(state.days),
        len(state.root_days), -1 if state.step is None else state.step, len(state.bounded), len(state.personnel),
        len(state.free), len(state.waves), len(sized), len(beliefs.term_keys), len(rows),
        len(beliefs.readings), len(beliefs.mixtures), beliefs.outlier_probability, beliefs.outlier_factor,
        *beliefs.scales, beliefs.outlier_source, *beliefs.source_latents,
    ]  # fmt: skip
    parts = {
        **_flatten_parts("top", beliefs.numerator),
        **_flatten_parts("whole", beliefs.denominator),
    }
    return {
        **{name: getattr(state, name) for name in FIELDS if hasattr(state, name)},
        **{name: getattr(beliefs, name) for name in FIELDS if hasattr(beliefs, name)},
        **parts,
        "sizes": sizes,
        "family": [FAMILIES.index(item.prior.dist or "") for item in parameters.items],
        "arguments": arguments,
        "bounded_force": [forces.index(key) for key in state.bounded],
        "bounded_sized": [sized.index(key) for key in state.bounded],
        "personnel": [PERSONNEL.index(name) for name in state.personnel],
        "free_force": [forces.index(key) for key, _ in state.free],
        "share": state.share,
        "form": [FORMS[row.observation.form] if row.observation else 0 for row in rows],
        "reading": [row.reading for row in rows],
        "group": [mixed.get(number, -1) for number in range(len(beliefs.readings))],
        "log_weight": [math.log(reading.weight) for reading in beliefs.readings],
        "is_prior": [row.observation is None for row in rows],
        "constants": [CAP, FLOOR_SD],
        "joint": [free.index(position) for position in joint.positions],
        "joint_mean": joint.mean,
        "joint_root": joint.root,
        "apparent": design.apparent,
        "centred": design.centred,
        "counts": np.ones(count_unknowns(design)),
    }


def _flatten_parts(name: str, parts: Parts) -> dict[str, Any]:
    """Return the parts of all rows end to end, and where each row's start."""
    real = parts.mask > 0
    return {
        f"{name}_start": np.cumsum([0, *real.sum(axis=1)]),
        **{f"{name}_{column}": getattr(parts, column)[real] for column in ("term", "until", "since")},
    }


def evaluate_density(design: Design, x: Floats) -> tuple[float, Floats]:
    """Return the log density at an unconstrained vector, and its gradient."""
    buffer = pack_design(design)
    grad = np.zeros(len(x))
    return float(log_density(x, grad, buffer, buffer.view(np.int64))), grad


def constrain_draws(design: Design, x: Floats) -> dict[str, Floats]:
    """Return the unknowns of unconstrained draws: `theta`, `walk`, `effects`, `statement`.

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
        if item.prior.dist is None:
            theta[..., position] = item.prior.fixed
        else:
            theta[..., position] = constrain_values(item.prior, columns[position])
    ends = len(slots) + np.cumsum([0, design.state.walks, design.beliefs.latents, design.beliefs.statements])
    found = {name: x[..., ends[k] : ends[k + 1]] for k, name in enumerate(("walk", "effects", "statement"))}
    own = np.flatnonzero(design.centred >= 0)
    if len(own):
        found["effects"] = found["effects"].copy()
        found["effects"][..., own] /= theta[..., design.centred[own]]
    seen = np.flatnonzero(design.apparent >= 0)
    if len(seen):
        theta[..., seen] -= bias_terms(NUMPY, design.beliefs, theta, found["effects"])[..., design.apparent[seen]]
    return {"theta": theta, **found}


def constrain_values(prior: Prior, values: Floats) -> Floats:
    """Return a parameter's values from those on the unconstrained scale."""
    if prior.dist in ("Normal", "StudentT"):
        return values
    if prior.dist in ("Beta", "Uniform", "LogitNormal"):
        low, high = prior.lower or 0.0, 1.0 if prior.upper is None else prior.upper
        return np.asarray(low + (high - low) / (1 + np.exp(-values)))
    return np.asarray(np.exp(values))
