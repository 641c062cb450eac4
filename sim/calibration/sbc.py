"""Simulation-based calibration: fit claims made by the model itself, and see where the truth ranks among the draws.

If the draws are of the posterior of the model that made the claims, the rank of the truth among them is uniform
(Talts et al. 2018, arXiv 1804.06788). Uniform ranks show that the computation is right, not that the model is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.errors import refuse
from sim.model.design import Design
from sim.posterior.fit import Draws, Effort, sample_posterior
from sim.posterior.sample import Sample, by_chain, take_posterior
from sim.posterior.simulate import observe_world, simulate_worlds
from sim.posterior.verdict import Ladder, fit_until_good
from sim.sampler.diagnostics import Limits, Verdict, judge_draws, load_statistics
from sim.system.store import Entry
from sim.system.tasks import TaskOptions, gather_results

RANKS = 99  # draws that the truth is ranked among, after thinning
# Ranks need few draws, and ask less of them than intervals do. Judged are the counts.
OF_RANKS = Ladder((Effort(250, 400, 0.9), Effort(1_500, 400, 0.98)), Limits(max_rhat=1.05))
MOST_REPLICATES = 1_000_000  # replicates of one seed
FALSE_ALARM = 0.01  # of the whole report, however many quantities it has

Floats = NDArray[np.float64]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Fitter = Callable[[Design, int, Effort], Draws]


class Kept(TypedDict):
    """A replicate as it is kept."""

    trusted: bool
    fractions: Annotated[dict[str, Fraction], Field(min_length=1)]


@dataclass(frozen=True)
class Replicate:
    """One simulated world: where its truth ranks, as a fraction, by quantity, and whether its draws are good."""

    seed: int
    fractions: dict[str, float]
    trusted: bool


# The parameters that are ranked besides, by the start of their names.
RANKED = ("role.losses", "role.civilians", "role.wounded", "scale.", "spread", "noise", "wording.", "outlier.")


def track_quantities(sample: Sample) -> dict[str, Floats]:
    """Return what is ranked: counts on the headline day, the biases of roles and sources, the scales."""
    design = sample.design
    found = {f"{force}.{quantity}": sample.count(force, quantity) for force, quantity in sample.headline}
    found = {name.partition(".")[2] if len(design.case.forces) == 1 else name: v for name, v in found.items()}
    for position, item in enumerate(design.parameters.items):
        if item.prior.dist and item.variable.startswith(RANKED):
            found[item.name] = sample.unknowns["theta"][:, position]
    for (source, force, quantity), values in sample.biases.items():
        found[f"bias.{source}.{force}.{quantity}"] = values
    return found


def run_replicate(design: Design, seed: int, ladder: Ladder = OF_RANKS, fit: Fitter | None = None) -> Replicate:
    """Simulate one world, fit its claims, and rank its truth.

    Parameters
    ----------
    design : Design
    seed : int
        Of the world; the fit's follows from it.
    ladder : Ladder
        How hard the fit is tried, which is judged by its counts.
    fit : callable, optional
        From a design, a seed and an effort to draws; default `sim.posterior.fit.sample_posterior`.
    """
    rng = np.random.default_rng([design.case.start.toordinal(), seed])
    (world,) = simulate_worlds(design, rng, 1)
    observed = observe_world(design, world.observations)
    chain_seed = int(rng.integers(2**31))

    def attempt(effort: Effort, _: _Ranked | None) -> _Ranked:
        draws = (fit or _sample)(observed, chain_seed, effort)
        quantities, chains = track_quantities(take_posterior(observed, draws, seed, doubts=False)), draws.shape[0]
        counts = {name: by_chain(values, chains) for name, values in quantities.items() if "." not in name}
        return _Ranked(quantities, chains, judge_draws(counts, draws.divergences, ladder.limits))

    found = fit_until_good(ladder.efforts, attempt, lambda ranked: ranked.verdict.trusted)
    truth = track_quantities(world.truth)
    fractions = {}
    for name, values in _thin(found.quantities, found.chains).items():
        below = np.sum(values < truth[name][0]) + rng.uniform() * np.sum(values == truth[name][0])
        # The rank is a whole number; a uniform jitter makes its fraction continuous.
        fractions[name] = float((below + rng.uniform()) / (len(values) + 1))
    return Replicate(seed, fractions, found.verdict.trusted)


@dataclass(frozen=True)
class _Ranked:
    """The draws that a truth is ranked among, by quantity, and whether its counts are good."""

    quantities: dict[str, Floats]
    chains: int
    verdict: Verdict


def _sample(design: Design, seed: int, effort: Effort) -> Draws:
    return sample_posterior(design, seed, **asdict(effort), quiet=True)


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
    chosen = np.linspace(0, total - 1, kept).round().astype(int)
    return {name: values[chosen] for name, values in quantities.items()}


def run_replicates(
    design: Design,
    count: int,
    seed: int,
    ladder: Ladder = OF_RANKS,
    fit: Fitter | None = None,
    **options: Unpack[TaskOptions],
) -> Iterator[Replicate]:
    """Yield replicates as they are finished.

    Parameters
    ----------
    design : Design
    count : int
        1 to MOST_REPLICATES.
    seed : int
        The replicates' seeds follow from it, so that a run can be continued.
    ladder, fit
        See `run_replicate`.
    **options
        See `sim.system.tasks.TaskOptions`.
    """
    if not 1 <= count <= MOST_REPLICATES:
        raise refuse("--n", "", f"{count} is outside 1 to {MOST_REPLICATES:,}", "give a number of replicates within it")
    names = track_quantities(simulate_worlds(design, np.random.default_rng(0), 1)[0].truth).keys()
    found = gather_results(
        partial(_run_as_entry, design, ladder, fit),
        range(seed * MOST_REPLICATES, seed * MOST_REPLICATES + count),
        _read_replicate,
        depends_on=_list_dependencies(design, ladder),
        label="seed",
        plural="replicates",
        shape=Kept,
        fits=lambda _, entry: entry["fractions"].keys() == names,
        **options,
    )
    for _, replicate in found:
        yield replicate


def _run_as_entry(design: Design, ladder: Ladder, fit: Fitter | None, seed: int) -> Entry:
    replicate = run_replicate(design, seed, ladder, fit)
    return {"trusted": replicate.trusted, "fractions": replicate.fractions}


def _read_replicate(seed: int, entry: Entry) -> Replicate:
    return Replicate(seed, entry["fractions"], entry["trusted"])


def _list_dependencies(design: Design, ladder: Ladder) -> Iterator[str]:
    """Yield what replicates depend on beside their seeds: case, priors, and how the fit is tried."""
    yield design.fingerprint
    for item in design.parameters.items:
        yield f"{item.name} {item.prior}"
    yield f"{ladder} {RANKS}"


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
    design: Design, count: int, seed: int, **options: Unpack[TaskOptions]
) -> tuple[dict[str, Any], list[Replicate]]:
    """Run simulation-based calibration of a design; return its report and the replicates (see `run_replicates`)."""
    started = time.perf_counter()
    replicates = sorted(run_replicates(design, count, seed, **options), key=lambda each: each.seed)
    return report_calibration(replicates, time.perf_counter() - started), replicates
