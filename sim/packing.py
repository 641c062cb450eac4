"""A design packed into the buffer that `sim.kernel` reads, and its draws unpacked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.beliefs import CAP, FLOOR_SD
from sim.case import PERSONNEL
from sim.kernel import FAMILIES, FIELDS, FLOATS, log_density
from sim.model import Design
from sim.priors import ARGUMENTS

FORMS = {"density": 0, "cell": 1, "at_least": 2, "at_most": 2, "counted": 2}

Floats = NDArray[np.float64]


def count_unknowns(design: Design) -> int:
    """Return the length of the unconstrained vector: free parameters, walk, effects, statements."""
    free = sum(item.prior.dist is not None for item in design.parameters.items)
    return free + design.state.walks + design.beliefs.latents + design.beliefs.statements


def pack_design(design: Design) -> Floats:
    """Return the design as one buffer for `log_density`."""
    fields = _list_fields(design)
    arrays = []
    for name in FIELDS:
        array = np.ravel(fields[name])
        kind = np.float64 if name in FLOATS else np.int64
        arrays.append(np.ascontiguousarray(array, dtype=kind).view(np.float64))
    ends = len(FIELDS) + 1 + np.cumsum([0, *(len(array) for array in arrays)])
    return np.concatenate([ends.astype(np.int64).view(np.float64), *arrays])


def _list_fields(design: Design) -> dict[str, Any]:
    state, beliefs, parameters = design.state, design.beliefs, design.parameters
    rows = beliefs.rows
    forces, sized = list(state.forces), list(state.sized)
    mixed = {number: place for place, group in enumerate(beliefs.mixtures) for number in group}
    arguments = np.zeros((len(parameters), 3))
    for position, item in enumerate(parameters.items):
        given = [item.prior.arguments[name] for name in ARGUMENTS[item.prior.dist]] if item.prior.dist else []
        values = given if item.prior.dist else [float(item.prior.fixed or 0.0)]
        arguments[position, : len(values)] = values
    sizes = [
        len(parameters), state.walks, beliefs.latents, beliefs.statements, len(forces), len(state.days),
        len(state.root_days), -1 if state.step is None else state.step, len(state.bounded), len(state.personnel),
        len(state.free), len(state.waves), len(sized), len(beliefs.term_keys), len(rows),
        beliefs.numerator.term.shape[1], beliefs.denominator.term.shape[1], len(beliefs.readings),
        len(beliefs.mixtures), beliefs.outlier_probability, beliefs.outlier_factor, *beliefs.scales,
    ]  # fmt: skip
    parts = {
        f"{name}_{column}": getattr(each, column)
        for name, each in (("top", beliefs.numerator), ("whole", beliefs.denominator))
        for column in ("term", "until", "since", "mask")
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
    theta = np.empty((*x.shape[:-1], len(design.parameters)))
    free = 0
    for position, item in enumerate(design.parameters.items):
        if item.prior.dist is None:
            theta[..., position] = item.prior.fixed
            continue
        column = x[..., free]
        free += 1
        if item.prior.dist in ("Normal", "StudentT"):
            theta[..., position] = column
        elif item.prior.dist in ("Beta", "Uniform"):
            low, high = item.prior.lower or 0.0, 1.0 if item.prior.upper is None else item.prior.upper
            theta[..., position] = low + (high - low) / (1 + np.exp(-column))
        else:
            theta[..., position] = np.exp(column)
    ends = free + np.cumsum([0, design.state.walks, design.beliefs.latents, design.beliefs.statements])
    found = {name: x[..., ends[k] : ends[k + 1]] for k, name in enumerate(("walk", "effects", "statement"))}
    return {"theta": theta, **found}
