"""The model of a case in PyMC, to be read, changed, extended and sampled.

The same equations as everywhere (`sim.model.state`, `sim.model.beliefs`, `sim.model.likelihood`), over PyTensor. Every
term that has a law is a random variable of its own: parameters by their name in the prior set, the walk of the path,
the bursts about it, the effects of roles and sources, what was said. A `Potential` stands only where PyMC has no law:
claims of a source whose role can be read in several ways are as likely as the mean over the readings, and the days that
are told of are picked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.arrays import PYTENSOR
from sim.model.beliefs import (
    FLOOR_SD,
    bias_terms,
    expect,
    join_readings,
    mix_noise,
    row_log_likelihoods,
    statement_errors,
)
from sim.model.claims.layout import BeliefLayout
from sim.model.claims.rows import INFINITE
from sim.model.density.codes import Form
from sim.model.design import Design
from sim.model.losses.bursts import draw_bursts, log_burst_density
from sim.model.losses.layout import StateLayout
from sim.model.losses.picks import weigh_picks
from sim.model.parameters import Parameter
from sim.model.pymc_laws import LAWS, LEAST, say, say_bound
from sim.model.state import pick, run_state, size_intervals

Ints = NDArray[np.int64]


def build_model(design: Design) -> Any:
    """Return the PyMC model of a case.

    Its free random variables are, in the order of the unconstrained vector of `sim.model.density`:

    - `shared` : standard normals behind the parameters that the prior set knows jointly; each of these is a
      `Deterministic` of its own name;
    - every other parameter under its variable's name, such as `total`, with a dimension of its own (`total_key`);
    - `walk` (force, step), `role_in_war`, `source_effect`, `source_outcome`: standard normals, the effects of
      sources with a wider component;
    - `statement`: errors that the counts of one statement share, in units of their noise;
    - `burst` (an outcome's interval): what its share of the losses is a map of, see `sim.model.losses.bursts`.

    Observed are `said_rounded`, `said_exactly` and `said_as_bound`, on the log scale of counts and ratios and the logit
    scale of shares; their prior and posterior predictive draws are not rounded. `Deterministic`s for reading: each
    joint parameter, `log_rate` (force, bin), `cumulative` (series, day), `bias` (belief: log bias), `expected` (claim:
    what its source believes, on the claim's scale).
    """
    import pymc as pm

    beliefs, state = design.beliefs, design.state
    with pm.Model(coords=_list_coords(design), check_bounds=False) as model:
        theta = _add_parameters(pm, design)
        walk = PYTENSOR.zeros(0)
        if state.walks and state.step is not None:
            walk = pm.Normal("walk", dims=("force", "step")).ravel()
            pm.Deterministic("log_rate", _sum_walk(state, theta[state.step], walk), dims=("force", "bin"))
        effects = _add_effects(pm, beliefs, theta)
        statement = _add_statements(pm, beliefs, theta)
        burst = _add_bursts(pm, state, theta, walk)
        losses = run_state(PYTENSOR, state, theta, walk, burst)
        cumulative = pm.Deterministic("cumulative", losses, dims=("series", "day"))
        if beliefs.rows:
            flat = cumulative.ravel()
            if design.picks.has_terms:
                pm.Potential("days_told", weigh_picks(PYTENSOR, design.picks, flat, theta))
            bias = pm.Deterministic("bias", bias_terms(PYTENSOR, beliefs, theta, effects), dims="belief")
            _add_claims(pm, beliefs, flat, theta, bias, statement)
            if beliefs.mixtures:
                terms = row_log_likelihoods(PYTENSOR, beliefs, flat, theta, effects, statement)
                pm.Potential("claims_in_several_roles", _join_mixed(beliefs, terms))
    return model


def _list_coords(design: Design) -> dict[str, list[str]]:
    beliefs, state = design.beliefs, design.state
    joint = [design.parameters.items[position].name for position in design.parameters.joint.positions]
    role = [dict(item.coords).get("role", "") for item in design.parameters.items]
    coords: dict[str, Iterable[str]] = {
        "force": state.forces,
        "outcome": dict.fromkeys(outcome for _, outcome in state.series),
        "source": design.case.sources,
        "role": dict.fromkeys(filter(None, role)),
        "bin": map(str, range(len(state.root_days) + 1)),
        "step": map(str, range(1, len(state.root_days) + 1)),
        "series": (f"{force} {quantity}" for force, quantity in state.series),
        "day": (_name_day(design, cut) for cut in design.timeline.cuts),
        "belief": (" ".join(filter(None, key)) for key in beliefs.term_keys),
        "statement_id": map(str, range(beliefs.statements)),
        "interval": _name_intervals(design),
        "shared_parameter": joint,
        **_label_parameters(design),
        "claim": _name_claims(beliefs, _list_claims(beliefs)),
        **{f"{kind}_key": (" ".join(name) for name in names) for kind, names in beliefs.effects.items()},
        **{f"claim_{form}": _name_claims(beliefs, rows) for form, rows in _split_forms(beliefs).items()},
    }
    return {name: labels for name, each in coords.items() if (labels := list(each))}


def locate_parameters(design: Design) -> list[tuple[str, int | None]]:
    """Return for each parameter the variable of the PyMC model that holds it, and its place there; "" if it is fixed.

    Those of one variable and one family of priors are one random variable, named after the variable; where it is in
    parts (some joint, fixed, or of another family), after the family too.
    """
    parameters = design.parameters
    kinds: dict[str, list[str]] = {}
    for position, item in enumerate(parameters.items):
        kind = "joint" if position in parameters.joint.positions else item.prior.dist or ""
        kinds.setdefault(item.variable, []).append(kind)
    found: list[tuple[str, int | None]] = []
    counts: dict[str, int] = {}
    for position, item in enumerate(parameters.items):
        if position in parameters.joint.positions:
            found.append((item.name, None))
        elif item.prior.dist is None:
            found.append(("", None))
        else:
            is_whole = len(set(kinds[item.variable])) == 1
            name = item.variable if is_whole else f"{item.variable}.{item.prior.dist}"
            found.append((name, counts.setdefault(name, 0) if item.coords else None))
            counts[name] = counts.get(name, 0) + 1
    return found


def _group_parameters(design: Design) -> dict[str, list[int]]:
    """Return the positions in theta of the parameters of each random variable, those of `shared` apart."""
    groups: dict[str, list[int]] = {}
    for position, (name, _) in enumerate(locate_parameters(design)):
        if name and position not in design.parameters.joint.positions:
            groups.setdefault(name, []).append(position)
    return groups


def _label_parameters(design: Design) -> dict[str, list[str]]:
    """Return the labels of the random variables that hold several parameters: a dimension of each, or the roles."""
    items = design.parameters.items
    return {
        f"{name}_key": [".".join(label for _, label in items[position].coords) for position in positions]
        for name, positions in _group_parameters(design).items()
        if items[positions[0]].coords
    }


def _add_parameters(pm: Any, design: Design) -> Any:
    """Add the priors of all parameters and return `theta`; one that is fixed is a constant."""
    items, joint = design.parameters.items, design.parameters.joint
    held: dict[str, Any] = {}
    if joint.positions:
        mixed = joint.mean + joint.root @ pm.Normal("shared", dims="shared_parameter")
        for number, position in enumerate(joint.positions):
            item = items[position]
            if item.prior.family:
                held[item.name] = pm.Deterministic(item.name, item.prior.family.constrain(PYTENSOR, mixed[number]))
    for name, positions in _group_parameters(design).items():
        held[name] = _add_priors(pm, name, [items[position] for position in positions])
    values = [
        PYTENSOR.as_tensor(float(item.prior.fixed or 0.0))
        if not name
        else held[name]
        if index is None
        else held[name][index]
        for item, (name, index) in zip(items, locate_parameters(design), strict=True)
    ]
    return PYTENSOR.stack(values)


def _add_priors(pm: Any, name: str, items: list[Parameter]) -> Any:
    """Add one random variable of parameters whose priors are of one family."""
    priors, options = [item.prior for item in items], {}
    arguments: dict[str, Any] = dict(priors[0].arguments)
    if items[0].coords:
        arguments = {key: np.array([prior.arguments[key] for prior in priors]) for key in arguments}
        options["dims"] = f"{name}_key"
    if priors[0].family and priors[0].family.transform:
        from pymc.distributions import transforms

        options["default_transform"] = getattr(transforms, priors[0].family.transform)
    return getattr(pm, str(priors[0].dist))(name, **arguments, **options)


def _sum_walk(state: StateLayout, step: Any, walk: Any) -> Any:
    """Return the log rate of losses by force and bin, lulls apart."""
    steps = step * state.root_days * walk.reshape((len(state.forces), -1))
    return PYTENSOR.concatenate([PYTENSOR.zeros((len(state.forces), 1)), PYTENSOR.cumsum(steps, axis=1)], axis=1)


def _add_effects(pm: Any, beliefs: BeliefLayout, theta: Any) -> Any:
    """Add the effects of roles in this war, of sources, and of sources by outcome, in units of their scales.

    A source, or all of a role in this war, is wide of the mark with the probability `outlier.source`, by the factor
    `outlier.factor`.
    """
    if not beliefs.latents:
        return PYTENSOR.zeros(0)
    q, factor = theta[beliefs.outlier_source], theta[beliefs.outlier_factor]
    pieces = []
    for kind, names in beliefs.effects.items():
        if not names:
            continue
        dims = f"{kind}_key"
        if kind == "source_outcome":
            pieces.append(pm.Normal(kind, dims=dims))
        else:
            pieces.append(_add_contaminated(pm, "source_effect" if kind == "source" else kind, q, factor, dims))
    return PYTENSOR.concatenate(pieces)


def _add_contaminated(pm: Any, name: str, probability: Any, factor: Any, dims: str, scale: Any = None) -> Any:
    """Add normals of sd `scale`, 1 by default, that are wider by a factor with a probability."""
    weights = PYTENSOR.stack([1 - probability, PYTENSOR.maximum(probability, LEAST)])
    widths = PYTENSOR.stack([PYTENSOR.ones_like(factor), factor])
    widths = widths if scale is None else scale[:, None] * widths
    return pm.NormalMixture(name, w=weights, mu=0.0, sigma=widths, dims=dims)


def _add_statements(pm: Any, beliefs: BeliefLayout, theta: Any) -> Any:
    """Add the error that the counts of each statement share, in units of its noise; its law is that of any error.

    Where the role, and so the noise, of a statement's source can be read in several ways, its prior is among the claims
    of each reading.
    """
    if not beliefs.statements:
        return PYTENSOR.zeros(0)
    if _has_mixed_statements(beliefs):
        return pm.Flat("statement", dims="statement_id", initval=np.zeros(beliefs.statements))
    p, factor = theta[beliefs.outlier_probability], theta[beliefs.outlier_factor]
    # In units of its first reading's noise, which is not that of its prior where roles differ by force.
    own = {row.statement: beliefs.noise[n] for n, row in enumerate(beliefs.rows) if row.is_prior}
    noise = [theta[np.array(each)] for each in ([own[n] for n in sorted(own)], beliefs.reference_noise)]
    ratio = PYTENSOR.maximum(noise[0], FLOOR_SD) / PYTENSOR.maximum(noise[1], FLOOR_SD)
    return _add_contaminated(pm, "statement", p, factor, "statement_id", ratio)


def _add_bursts(pm: Any, state: StateLayout, theta: Any, walk: Any) -> Any:
    """Add the unknowns behind the bursts: each with the law with which its variable is gamma of the interval's size."""
    if not state.bursts:
        return PYTENSOR.zeros(0)
    return pm.CustomDist(
        "burst",
        size_intervals(PYTENSOR, state, theta, walk),
        logp=lambda value, size: log_burst_density(PYTENSOR, size, value),
        random=_draw_intervals,
        dims="interval",
    )


def _draw_intervals(sizes: Any, rng: np.random.Generator, size: Any = None) -> Any:
    """Draw the unknowns; `size` is the shape that PyMC asks for."""
    return draw_bursts(rng, np.broadcast_to(sizes, np.shape(sizes) if size is None else size))


def _name_intervals(design: Design) -> list[str]:
    names, days = design.state.series, design.timeline.cuts
    return [
        f"{' '.join(names[burst.series])} {_name_day(design, days[since] + 1)} to {_name_day(design, days[until])}"
        for burst in design.state.bursts
        for since, until in zip(burst.cuts[:-1], burst.cuts[1:], strict=True)
    ]


def _name_day(design: Design, evening: int) -> str:
    return str(design.case.start + dt.timedelta(days=int(evening) - 1))


def _add_claims(pm: Any, beliefs: BeliefLayout, flat: Any, theta: Any, bias: Any, statement: Any) -> None:
    """Add what was said by sources with one role, by the form of its likelihood."""
    belief = expected = expect(PYTENSOR, beliefs, theta, flat, bias)
    if beliefs.statements:
        error = statement_errors(PYTENSOR, beliefs, theta, statement)
        expected = expected + pick(PYTENSOR, error, beliefs.statement)
    single = _list_claims(beliefs)
    if not len(single):
        return
    pm.Deterministic("expected", expected[single], dims="claim")
    noise = mix_noise(PYTENSOR, beliefs, theta, belief, expected)
    p = PYTENSOR.maximum(noise.probability, LEAST) * beliefs.contaminated
    for form, rows in _split_forms(beliefs).items():
        centres = [noise.core_centre[rows], expected[rows]]
        common = [*centres, noise.core_sd[rows], noise.wide_sd[rows], p[rows], beliefs.log_width[rows]]
        if form == "rounded":
            said = np.where(beliefs.lower[rows] > -INFINITE, beliefs.lower[rows], beliefs.upper[rows])
            extra = [beliefs.lower[rows] - said, beliefs.upper[rows] - said]
        else:
            said = beliefs.point[rows]
            mean = PYTENSOR.maximum(theta[beliefs.wording[rows]], 1e-6)
            extra = [] if form == "exactly" else [mean, beliefs.sign[rows], beliefs.is_carried[rows].astype(float)]
        pm.CustomDist(
            f"said_{form}", *common, *extra,
            logp=LAWS[form], dist=say_bound if form == "as_bound" else say, observed=said, dims=f"claim_{form}",
        )  # fmt: skip


def _join_mixed(beliefs: BeliefLayout, terms: Any) -> Any:
    """Return the log likelihood of the claims of sources with several roles, and of statements' errors among them."""
    mixed = set(_mixed_rows(beliefs))
    is_flat = _has_mixed_statements(beliefs)
    weight = [float(n in mixed or (is_flat and row.is_prior)) for n, row in enumerate(beliefs.rows)]
    return join_readings(PYTENSOR, beliefs, terms * np.array(weight))


def _mixed_rows(beliefs: BeliefLayout) -> list[int]:
    mixed = {reading for group in beliefs.mixtures for reading in group}
    return [number for number, row in enumerate(beliefs.rows) if row.reading in mixed]


def _has_mixed_statements(beliefs: BeliefLayout) -> bool:
    return any(beliefs.rows[row].is_prior for row in _mixed_rows(beliefs))


def _list_claims(beliefs: BeliefLayout) -> Ints:
    """Return the rows that are claims of sources with one role."""
    mixed = set(_mixed_rows(beliefs))
    found = [n for n, row in enumerate(beliefs.rows) if not row.is_prior and n not in mixed]
    return np.array(found, dtype=np.int64)


def _split_forms(beliefs: BeliefLayout) -> dict[str, Ints]:
    forms = {"rounded": Form.CELL, "exactly": Form.DENSITY, "as_bound": Form.WORDED}
    claims = _list_claims(beliefs)
    found = {name: claims[beliefs.form[claims] == form] for name, form in forms.items()}
    return {form: rows for form, rows in found.items() if len(rows)}


def _name_claims(beliefs: BeliefLayout, rows: Iterable[int]) -> list[str]:
    return [item.claim.id for row in rows if (item := beliefs.rows[row].observation) is not None]
