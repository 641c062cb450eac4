"""Simulation-based calibration: fit claims made by the model itself, and see where the truth ranks among the draws.

If the draws are of the posterior of the model that made the claims, the rank of the truth among them is uniform
(Talts et al. 2018, arXiv 1804.06788). Uniform ranks show that the computation is right, not that the model is.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import refuse
from sim.model.design import Design
from sim.posterior.fit import Draws, sample_posterior
from sim.posterior.sample import Sample, by_chain, take_posterior
from sim.posterior.simulate import observe_world, simulate_worlds
from sim.sampler.diagnostics import judge_draws, load_statistics
from sim.system.progress import show_steps
from sim.system.store import Entry, Store
from sim.system.tasks import finish_tasks

RANKS = 99  # draws that the truth is ranked among, after thinning
FIT: dict[str, Any] = {"draws": 250, "tune": 400, "target_accept": 0.9}
LONGER: dict[str, Any] = {"draws": 1_500, "tune": 400, "target_accept": 0.98}
MAX_RHAT = 1.05  # of the counts: ranks ask for less than intervals do
FALSE_ALARM = 0.01  # of the whole report, however many quantities it has

Floats = NDArray[np.float64]
Fitter = Callable[[Design, int], Draws]


@dataclass(frozen=True)
class Replicate:
    """One simulated world: where its truth ranks, as a fraction, by quantity, and whether its draws are good."""

    seed: int
    fractions: dict[str, float]
    trusted: bool


def track_quantities(sample: Sample) -> dict[str, Floats]:
    """Return what is ranked: counts on the headline day, the biases of roles and sources, the scales."""
    design = sample.design
    found = {f"{force}.{quantity}": sample.count(force, quantity) for force, quantity in sample.headline}
    found = {name.partition(".")[2] if len(design.case.forces) == 1 else name: v for name, v in found.items()}
    for position, item in enumerate(design.parameters.items):
        if item.prior.dist and item.variable.startswith(("role.losses", "scale.", "noise", "wording.", "outlier.")):
            found[item.name] = sample.unknowns["theta"][:, position]
    for (source, force, quantity), values in sample.biases.items():
        found[f"bias.{source}.{force}.{quantity}"] = values
    return found


def run_replicate(design: Design, seed: int, fit: Fitter | None = None) -> Replicate:
    """Simulate one world, fit its claims, and rank its truth.

    Parameters
    ----------
    design : Design
    seed : int
        Of the world; the fit's follows from it.
    fit : callable, optional
        From a design and a seed to draws; default `sim.posterior.fit.sample_posterior` with short chains.
    """
    rng = np.random.default_rng([design.case.start.toordinal(), seed])
    (world,) = simulate_worlds(design, rng, 1)
    observed = observe_world(design, world.observations)
    chain_seed = int(rng.integers(2**31))
    posterior, chains = _fit_quantities(observed, (fit or fit_short)(observed, chain_seed), seed)
    trusted = _mix_well(posterior, chains)
    if fit is None and not trusted:
        again = sample_posterior(observed, chain_seed, quiet=True, **LONGER)
        posterior, chains = _fit_quantities(observed, again, seed)
        trusted = _mix_well(posterior, chains)
    truth = track_quantities(world.truth)
    fractions = {}
    for name, values in _thin(posterior, chains).items():
        below = np.sum(values < truth[name][0]) + rng.uniform() * np.sum(values == truth[name][0])
        # The rank is a whole number; a uniform jitter makes its fraction continuous.
        fractions[name] = float((below + rng.uniform()) / (len(values) + 1))
    return Replicate(seed, fractions, trusted)


def _fit_quantities(design: Design, draws: Draws, seed: int) -> tuple[dict[str, Floats], int]:
    return track_quantities(take_posterior(design, draws, seed)), draws.shape[0]


def _mix_well(quantities: dict[str, Floats], chains: int) -> bool:
    counts = {name: by_chain(values, chains) for name, values in quantities.items() if "." not in name}
    return judge_draws(counts, 0).max_rhat < MAX_RHAT


def fit_short(design: Design, seed: int) -> Draws:
    """Sample the posterior with short chains: ranks need few draws."""
    return sample_posterior(design, seed, quiet=True, **FIT)


def _thin(quantities: dict[str, Floats], chains: int) -> dict[str, Floats]:
    """Thin the draws to at most RANKS, spread evenly and no more than the smallest effective sample size allows."""
    statistics = load_statistics()
    total = len(next(iter(quantities.values())))
    sizes = [
        float(statistics.ess(by_chain(values, chains), chain_axis=0, draw_axis=1, method="bulk"))
        for values in quantities.values()
        if np.ptp(values) > 0
    ]
    kept = int(np.clip(min(sizes, default=total), 20, RANKS))
    places = np.linspace(0, total - 1, kept).round().astype(int)
    return {name: values[places] for name, values in quantities.items()}


def run_replicates(
    design: Design,
    count: int,
    seed: int,
    store: Path | None = None,
    resume: bool = False,
    fit: Fitter | None = None,
    *,
    jobs: int = 1,
    client: Any = None,
) -> Iterator[Replicate]:
    """Yield replicates as they are finished, keeping each in `store`.

    Parameters
    ----------
    design : Design
    count : int
        At least 1.
    seed : int
        The replicates' seeds follow from it, so that a run can be continued.
    store : Path, optional
        A file of one line of JSON each.
    resume : bool
        Take the trusted replicates that `store` holds of this design and seed, and go on from there.
    jobs, client
        Who runs them (see `sim.system.tasks.finish_tasks`).
    """
    if count < 1:
        raise refuse("--n", "", f"{count} replicates are none", "give 1 or more")
    places = range(seed * 1_000_000, seed * 1_000_000 + count)
    kept = None if store is None else Store(store, fingerprint(design), "seed")
    work = partial(_run_as_entry, design, fit)
    for place, entry in finish_tasks(work, places, store=kept, resume=resume, jobs=jobs, client=client):
        yield Replicate(place, entry["fractions"], entry["trusted"])


def _run_as_entry(design: Design, fit: Fitter | None, seed: int) -> Entry:
    replicate = run_replicate(design, seed, fit)
    return {"trusted": replicate.trusted, "fractions": replicate.fractions}


def fingerprint(design: Design) -> str:
    """Return a hash of what the replicates depend on: case, priors and the settings of the fit."""
    text = json.dumps([design.case.file.model_dump(mode="json"), FIT, RANKS], sort_keys=True, default=str)
    text += "".join(claim.model_dump_json() for claim in design.case.claims)
    text += "".join(f"{item.name} {item.prior}" for item in design.parameters.items) + design.priors.sha256
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def judge_uniformity(fractions: Floats) -> float:
    """Return the p-value of a test that ranks are uniform (ArviZ's pointwise test with Cauchy combination)."""
    p_value = load_statistics().uniformity_test(np.asarray(fractions), method="pot_c")[0]
    return float(np.clip(p_value, 0.0, 1.0))


def report_calibration(replicates: list[Replicate], seconds: float) -> dict[str, Any]:
    """Return the report: for each quantity the p-value of uniform ranks, and what alarms after correction.

    A quantity alarms when its p-value is below FALSE_ALARM over the number of quantities (Bonferroni), so the whole
    report raises a false alarm at most once in a hundred.
    """
    names = list(replicates[0].fractions)
    tested = {name: judge_uniformity(np.array([each.fractions[name] for each in replicates])) for name in names}
    limit = FALSE_ALARM / len(names)
    return {
        "schema": 1,
        "n": len(replicates),
        "seconds": round(seconds, 1),
        "false_alarm": FALSE_ALARM,
        "limit": limit,
        "alarms": [name for name in names if tested[name] < limit],
        "untrusted_fits": sum(not each.trusted for each in replicates),
        "quantities": [{"name": name, "p_uniform": float(f"{tested[name]:.4g}")} for name in names],
    }


def calibrate(
    design: Design,
    count: int,
    seed: int,
    store: Path | None = None,
    resume: bool = False,
    quiet: bool = True,
    *,
    jobs: int = 1,
    client: Any = None,
) -> tuple[dict[str, Any], list[Replicate]]:
    """Run simulation-based calibration of a design; return its report and the replicates."""
    started = time.perf_counter()
    replicates = []
    with show_steps("replicates", count, quiet) as advance:
        for replicate in run_replicates(design, count, seed, store, resume, jobs=jobs, client=client):
            replicates.append(replicate)
            advance()
    replicates.sort(key=lambda each: each.seed)
    return report_calibration(replicates, time.perf_counter() - started), replicates
