"""The PyMC model: the density that the kernel computes, in variables that a person can name, change and draw from."""

from __future__ import annotations

import numpy as np
import pytest
from kinds import KINDS

from sim.model.buffer import constrain_draws, count_unknowns, evaluate_density
from sim.model.pymc_model import build_model, locate_parameters
from sim.posterior.engines import gather_unknowns

# The rows of "bounded" with other priors; test_plain.py has all kinds.
OF_FULL = ("families", "far off", "joint")


def value_slots(laid, model):
    """Return where each value variable of PyMC stands in the unconstrained vector."""
    items = laid.parameters.items
    free = [position for position, item in enumerate(items) if item.prior.dist]
    names: dict[str, list[int]] = {}
    for position, (name, _) in enumerate(locate_parameters(laid)):
        if position in free:
            names.setdefault(name, []).append(free.index(position))
    names["shared"] = [free.index(position) for position in laid.parameters.joint.positions]
    end = len(free)
    effects = laid.beliefs.effects
    sizes = {
        "walk": laid.state.walks,
        "role_in_war": len(effects["role_in_war"]),
        "source_effect": len(effects["source"]),
        "source_outcome": len(effects["source_outcome"]),
        "statement": laid.beliefs.statements,
        "burst": laid.state.burst_count,
    }
    for name, size in sizes.items():
        names[name] = list(range(end, end + size))
        end += size
    assert end == count_unknowns(laid)
    return [np.array(names[model.values_to_rvs[value].name]) for value in model.value_vars]


@pytest.mark.parametrize("kind", KINDS)
def test_fast_density_is_pymcs(kind, design, rng, full):
    """Density and gradient of the compiled code equal PyMC's at random points of every kind of case.

    The gradients in make test-full: `test_model.py` holds that of every kind to be a difference of these densities, and
    to build PyMC's takes more than all else.
    """
    import pytensor

    if kind in OF_FULL and not full:
        pytest.skip("half a minute of building a graph: in make test-full")
    laid = design(*KINDS[kind])
    with pytensor.config.change_flags(traceback__limit=0):  # which takes half the time of building a graph
        model = build_model(laid)
        slopes = [model.dlogp()] if full else []
        outputs = [*model.logp(sum=False), *slopes]
        # Python adds up no more than 32 numbers at once.
        mode = pytensor.compile.mode.get_mode("FAST_COMPILE").excluding("local_add_canonizer")
        function = pytensor.function(model.value_vars, outputs, mode=mode)
    slots = value_slots(laid, model)
    sizes = model.eval_rv_shapes()
    shapes = [sizes[model.values_to_rvs[variable].name] for variable in model.value_vars]
    for _ in range(4):
        x = rng.normal(0, 0.5, count_unknowns(laid))
        value, gradient = evaluate_density(laid, x)
        found = function(*[x[slot].reshape(shape) for slot, shape in zip(slots, shapes, strict=True)])
        terms = found[: len(found) - len(slopes)]
        assert value == pytest.approx(sum(float(np.sum(term)) for term in terms), rel=1e-9, abs=1e-8)
        for slope in found[len(terms) :]:
            np.testing.assert_allclose(gradient[np.concatenate(slots)], slope, rtol=1e-7, atol=1e-7)


def test_every_term_has_a_name_and_labels(kursk):
    """A reader finds parameters under the prior set's names, effects by source, claims by their id."""
    model = build_model(kursk)
    assert {"force", "outcome", "source", "role", "claim", "bin"} <= set(model.coords)
    assert set(model.coords["source"]) == set(kursk.case.sources)
    used = {item.claim.id for item in kursk.evidence.observations}
    assert set(model.coords["claim"]) <= used
    names = {variable.name for variable in model.free_RVs} | {variable.name for variable in model.deterministics}
    assert {name for name, _ in locate_parameters(kursk) if name} <= names
    assert {"walk", "source_effect", "bias", "expected", "cumulative", "log_rate"} <= names
    mixed = {reading for group in kursk.beliefs.mixtures for reading in group}
    said = (["days_told"] if kursk.picks.has_terms else []) + (["claims_in_several_roles"] if mixed else [])
    assert [potential.name for potential in model.potentials] == said


@pytest.mark.filterwarnings("ignore:The effect of Potentials", "ignore:Numba will use object mode")
def test_claims_are_drawn_again_from_the_prior(kursk, full):
    """Every claim of a source with one role is an observed variable with a law: it can be simulated."""
    import pymc as pm
    from pytensor.compile.mode import Mode

    fast = {} if full else {"mode": Mode(linker="py", optimizer=None)}  # to compile for 20 draws takes two minutes
    with build_model(kursk) as model:
        drawn = pm.sample_prior_predictive(20, random_seed=1, compile_kwargs=fast)["prior_predictive"]
    assert {variable.name for variable in model.observed_RVs} == set(drawn.data_vars)
    assert all(np.isfinite(values).all() and values.std() > 0 for values in drawn.data_vars.values())


def test_unknowns_are_read_back_from_a_trace(kursk, rng):
    """What another sampler draws becomes the unknowns that our own draws, element by element."""
    x = rng.normal(0, 0.3, (2, 3, count_unknowns(kursk)))
    known = constrain_draws(kursk, x)
    beliefs = kursk.beliefs
    held: dict[str, list[int]] = {}
    for position, (name, _) in enumerate(locate_parameters(kursk)):
        held.setdefault(name, []).append(position)
    trace = {name: known["theta"][..., positions] for name, positions in held.items()}
    trace |= {
        name: known["theta"][..., position]
        for position, (name, index) in enumerate(locate_parameters(kursk))
        if index is None
    }
    ends = np.cumsum([0, *(len(keys) for keys in beliefs.effects.values())])
    for number, name in enumerate(("role_in_war", "source_effect", "source_outcome")):
        trace[name] = known["effects"][..., ends[number] : ends[number + 1]]
    trace |= {"walk": known["walk"].reshape(2, 3, len(kursk.state.forces), -1), "statement": known["statement"]}
    trace["burst"] = known["burst"]
    found = gather_unknowns(kursk, trace)
    assert all(np.array_equal(found[name], known[name]) for name in known)
