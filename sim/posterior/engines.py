"""Draws of the PyMC model of a case by other samplers than our own: nutpie, and PyMC itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from sim.errors import is_among, quote_value, refuse
from sim.model.design import Design
from sim.posterior.fit import CHAINS, Draws
from sim.system.writing import removing_temporary_files

Floats = NDArray[np.float64]
Engine = Literal["kernel", "nutpie", "pymc"]
ENGINES: tuple[str, ...] = get_args(Engine)
OWN_SAMPLER: Engine = "kernel"
# The libraries that take part besides, where another sampler draws.
TAKES_PART: dict[Engine, tuple[str, ...]] = {
    "kernel": (),
    "nutpie": ("nutpie", "pymc", "pytensor"),
    "pymc": ("pymc", "pytensor"),
}


def check_engine(name: str) -> Engine:
    """Return a sampler by its name; refuse one that is not known, or not installed.

    Raises
    ------
    InputError
    """
    if not is_among(name, ENGINES):
        raise refuse("--sampler", "", f"no sampler is called {quote_value(name)}", f"use one of {', '.join(ENGINES)}")
    if name == "nutpie" and find_spec("nutpie") is None:
        raise refuse("--sampler", "", "nutpie is not installed", "install it: pip install 'truetoll[nutpie]'")
    return cast("Engine", name)


def sample_with(
    engine: str, design: Design, seed: int, *, draws: int, tune: int, target_accept: float, quiet: bool = True
) -> Draws:
    """Sample the posterior from the PyMC model of a case.

    Parameters
    ----------
    engine : {"nutpie", "pymc"}
    design : Design
    seed, draws, tune, target_accept, quiet
        See `sim.posterior.fit.sample_posterior`. Tuning takes these samplers longer than ours, whose four chains learn
        one metric together: they get at least a thousand iterations of it.

    Returns
    -------
    Draws
        With the same unknowns as our own sampler gives.
    """
    started = time.perf_counter()
    from sim.model.pymc_model import build_model

    model = build_model(design)
    options: dict[str, Any] = {
        "draws": draws, "tune": max(tune, 1_000), "chains": CHAINS, "target_accept": target_accept,
    }  # fmt: skip
    with removing_temporary_files():
        trace, built = _sample(engine, model, seed, options, quiet)
    stats = trace["sample_stats"]
    return Draws(
        unknowns=gather_unknowns(design, trace["posterior"]),
        divergences=int(stats["diverging"].sum()),
        steps=float(stats["n_steps"].mean()),
        seconds={"compile": built - started, "sample": time.perf_counter() - built},
    )


def _sample(engine: str, model: Any, seed: int, options: dict[str, Any], quiet: bool) -> tuple[Any, float]:
    """Return the trace of a model by another sampler, and when that began to draw."""
    if engine == "nutpie":
        import nutpie

        compiled = nutpie.compile_pymc_model(model)
        built = time.perf_counter()
        return nutpie.sample(compiled, **options, seed=seed, progress_bar=not quiet), built
    import pymc as pm

    built = time.perf_counter()
    with model:
        trace = pm.sample(
            **options,
            nuts_sampler="pymc",  # by default it would be nutpie again, where that is installed
            random_seed=seed,
            cores=1,
            progressbar=not quiet,
            quiet=quiet,
            compute_convergence_checks=False,
        )
    return trace, built


def gather_unknowns(design: Design, posterior: Mapping[str, Any]) -> dict[str, Floats]:
    """Return the unknowns of the model from the variables of a trace, each of shape (chains, draws, ...)."""
    from sim.model.pymc_model import locate_parameters

    shape = np.shape(next(iter(posterior.values())))[:2]

    def flat(name: str, size: int) -> Floats:
        return np.asarray(posterior[name], dtype=float).reshape(*shape, size) if size else np.zeros((*shape, 0))

    theta = np.empty((*shape, len(design.parameters)))
    for position, (name, index) in enumerate(locate_parameters(design)):
        if not name:
            theta[..., position] = design.parameters.items[position].prior.fixed
        else:
            theta[..., position] = posterior[name] if index is None else np.asarray(posterior[name])[..., index]
    beliefs = design.beliefs
    names = {"role_in_war": "role_in_war", "source": "source_effect", "source_outcome": "source_outcome"}
    effects = [flat(names[kind], len(keys)) for kind, keys in beliefs.effects.items()]
    return {
        "theta": theta,
        "walk": flat("walk", design.state.walks),
        "effects": np.concatenate(effects, axis=-1),
        "statement": flat("statement", beliefs.statements),
        "burst": flat("burst", design.state.burst_count),
    }
