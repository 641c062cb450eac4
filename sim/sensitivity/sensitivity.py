"""How the answer would move: every variant of a case fitted, beside what reweighting the draws of the base tells.

A variant is refitted, as a change of the claims alters the posterior by more than reweighting carries. Where the case
is so large that a refit takes minutes, single claims are left out by Pareto-smoothed importance sampling instead
(Vehtari et al. 2024, arXiv 1507.02646), if its k is small; else it is refitted too. Priors are scaled by powers
(Kallioinen et al. 2024, doi 10.1007/s11222-023-10366-5). Which was done is said of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sim.case.case import STATES
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.model.buffer import count_unknowns
from sim.model.design import Design
from sim.posterior.fit import MANY_UNKNOWNS, choose_effort
from sim.posterior.sample import Sample, by_chain
from sim.posterior.summary import LEVELS, choose_keys, intervals, plain
from sim.posterior.verdict import fit_design
from sim.report.robustness import GOOD_K
from sim.runs.folder import SENSITIVITY
from sim.sampler.diagnostics import mcse_quantile, smooth_weights
from sim.sensitivity.conflict import compare_groups, list_groups, list_topics, only_group
from sim.sensitivity.power_scaling import scale_priors
from sim.sensitivity.variants import Variant, build_variant, list_variants
from sim.system.progress import show_steps
from sim.system.store import Entry, Store
from sim.system.tasks import finish_tasks
from sim.system.writing import build_folder, format_json

SCHEMA = 1
QUANTILES = np.linspace(0.0025, 0.9975, 200)  # of the log of each count, kept of every fit
BASE = "base"
MOST_REFITS = 20  # of single claims of a large case

Key = tuple[str, str]
Floats = NDArray[np.float64]


def examine_case(
    design: Design,
    seed: int,
    *,
    store: Path | None = None,
    resume: bool = False,
    jobs: int = 1,
    client: Any = None,
    quiet: bool = True,
) -> dict[str, Any]:
    """Fit every variant of a case, and return the report.

    Parameters
    ----------
    design : Design
        Of the case as it stands.
    seed : int
        All fits have it, so that a variant that changes nothing gives the same draws.
    store : Path, optional
        Where finished fits are kept.
    resume, jobs, client
        See `sim.system.tasks.finish_tasks`.
    quiet : bool
        Show no progress.

    Returns
    -------
    dict
        As `docs/formats.md` has it: `shift_sd` is the change of the median of log C in units of the base posterior's
        standard deviation of log C.
    """
    with threadpool_limits(1, user_api="blas"):  # as the workers have it: what changes nothing gives the same draws
        draws, sample, verdict, _ = fit_design(design, seed, choose_effort(design), quiet=quiet)
    chains = draws.shape[0]
    base = {"trusted": verdict.trusted, "how": "fit", "k": None, **describe_counts(sample, chains)}
    done: dict[str, Entry] = {}
    variants = list_variants(design)
    if count_unknowns(design) >= MANY_UNKNOWNS:
        done = {variant.task: entry for variant, entry in _reweigh(sample, chains, variants)}
    tasks = [variant.task for variant in variants if variant.task not in done]
    tasks += [f"group: {name}" for name in list_groups(design)]
    kept = None if store is None else Store(store, f"{design.fingerprint}-{seed}", "variant")
    with show_steps("variants", len(tasks), quiet) as advance:
        work = partial(fit_task, design, seed)
        for task, entry in finish_tasks(work, tasks, store=kept, resume=resume, jobs=jobs, client=client):
            done[task] = entry
            advance()
    return _report(design, seed, base, sample, chains, variants, done)


def fit_task(design: Design, seed: int, task: str) -> Entry:
    """Fit a variant, or the claims of one group alone, by the name of its task."""
    kind, _, what = task.partition(": ")
    varied = only_group(design, what) if kind == "group" else build_variant(design, Variant(kind, what, ""))
    draws, sample, verdict, _ = fit_design(varied, seed, choose_effort(varied), quiet=True)
    return {"trusted": verdict.trusted, "how": "refit", "k": None, **describe_counts(sample, draws.shape[0])}


def describe_counts(sample: Sample, chains: int, log_weights: Floats | None = None) -> dict[str, Any]:
    """Return of each count of the headline its median, intervals, and the quantiles of its log."""
    weights = None if log_weights is None else np.exp(log_weights - log_weights.max())
    found = []
    for (force, quantity), values in sample.headline.items():
        logs = np.log(values + 0.5)
        points = quantiles_of(logs, QUANTILES, weights)
        count = np.exp(points) - 0.5
        entry: dict[str, Any] = {
            "force": force,
            "quantity": quantity,
            "log_quantiles": [plain(point) for point in points],
        }
        middle = np.exp(quantiles_of(logs, np.array([0.5]), weights)[0]) - 0.5
        entry |= {"median": plain(max(middle, 0.0)), "log_sd": plain(_spread(logs, weights))}
        entry["log_mcse"] = plain(mcse_quantile(by_chain(logs, chains)), 3) if weights is None else None
        entry["intervals"] = intervals(values) if weights is None else _intervals_of(points, count)
        found.append(entry)
    return {"quantities": found}


def quantiles_of(values: Floats, shares: Floats, weights: Floats | None) -> Floats:
    """Return quantiles of draws, weighted where weights are given."""
    if weights is None:
        return np.asarray(np.quantile(values, shares))
    order = np.argsort(values)
    mass = np.cumsum(weights[order])
    return np.asarray(np.interp(shares * mass[-1], mass - weights[order] / 2, values[order]))


def _intervals_of(_: Floats, count: Floats) -> dict[str, list[float]]:
    shares = {str(level): ((1 - level) / 2, (1 + level) / 2) for level in LEVELS}
    return {
        level: [plain(max(float(np.interp(edge, QUANTILES, count)), 0.0)) for edge in edges]
        for level, edges in shares.items()
    }


def _spread(logs: Floats, weights: Floats | None) -> float:
    mean = np.average(logs, weights=weights)
    return float(np.sqrt(np.average((logs - mean) ** 2, weights=weights)))


def _reweigh(sample: Sample, chains: int, variants: Sequence[Variant]) -> Iterator[tuple[Variant, Entry]]:
    """Yield the variants that leave out claims, with importance weights that can be trusted.

    Of single claims whose weights cannot be trusted the MOST_REFITS with the largest k are left for refits; the others
    are told as they are, marked.
    """
    by_claim = _contributions(sample)
    doubtful: list[tuple[float, Variant, Floats]] = []
    for variant in variants:
        if variant.kind != "leave_claim_out":
            continue
        log_weights, k = smooth_weights(-by_claim[variant.what])
        if k <= GOOD_K:
            yield variant, _weigh(sample, chains, log_weights, k)
        else:
            doubtful.append((k, variant, log_weights))
    doubtful.sort(key=lambda each: -each[0])
    for k, variant, log_weights in doubtful[MOST_REFITS:]:
        yield variant, _weigh(sample, chains, log_weights, k)


def _weigh(sample: Sample, chains: int, log_weights: Floats, k: float) -> Entry:
    told = describe_counts(sample, chains, log_weights)
    return {"trusted": k <= GOOD_K, "how": "psis", "k": plain(k, 3), **told}


def _contributions(sample: Sample) -> dict[str, Floats]:
    """Return what each claim adds to the log likelihood of each draw, shape (draws,).

    A claim whose source's role has several readings adds what the mean over them gains by it.
    """
    beliefs, unknowns = sample.design.beliefs, sample.unknowns
    at = [unknowns[name] for name in ("theta", "effects", "statement")]
    rows = map_draws(
        lambda block: row_log_likelihoods(NUMPY, beliefs, sample.flat_state[block], *(each[block] for each in at)),
        len(at[0]),
    )
    mixed = {number for group in beliefs.mixtures for number in group}
    whole = join_readings(NUMPY, beliefs, rows) if mixed else np.zeros(len(rows))
    found: dict[str, Floats] = {}
    for number, row in enumerate(beliefs.rows):
        if row.observation is None or row.observation.claim.id in found:
            continue
        claim = row.observation.claim.id
        if row.reading not in mixed:
            found[claim] = rows[:, number]
            continue
        without = rows.copy()
        for other, same in enumerate(beliefs.rows):
            if same.observation is not None and same.observation.claim.id == claim:
                without[:, other] = 0.0
        found[claim] = whole - join_readings(NUMPY, beliefs, without)
    return found


def _report(
    design: Design,
    seed: int,
    base: Entry,
    sample: Sample,
    chains: int,
    variants: Sequence[Variant],
    done: dict[str, Entry],
) -> dict[str, Any]:
    keys = choose_keys(sample)
    headline = keys[0]
    scenarios = [_tell(variant.kind, variant.what, variant.label, done[variant.task], base) for variant in variants]
    powers, priors = scale_priors(sample, chains, keys)
    for group, alpha, log_weights, k in powers:
        told = describe_counts(sample, chains, log_weights)
        entry = {"trusted": k <= GOOD_K, "how": "power-scaled", "k": plain(k, 3), **told}
        label = f"{group}: prior {'weakened' if alpha < 1 else 'strengthened'} (power {alpha:g})"
        scenarios.append(_tell("prior_power", f"{group}^{alpha:g}", label, entry, base))
    alone = {name: done[f"group: {name}"] for name in list_groups(design)}  # not in the order in which they finished
    return {
        "schema": SCHEMA,
        "case": design.case.name,
        "title": design.case.title,
        "as_of": design.as_of.isoformat(),
        "seed": seed,
        "force": headline[0],
        "headline": headline[1],
        "headlines": [{"force": force, "quantity": quantity} for force, quantity in keys],
        "inputs": design.fingerprint,
        "base": {**base, "quantities": [_shown(entry) for entry in base["quantities"]]},
        "scenarios": [_lead(scenario, headline) for scenario in scenarios],
        "priors": priors,
        "groups": sorted(list_groups(design)),
        "conflict": compare_groups(alone, {key: _list_parts(design, *key) for key in keys}, list_topics(design)),
        "fits": 1 + sum(entry["how"] == "refit" for entry in done.values()),
        "untrusted_fits": sum(not entry["trusted"] for entry in (base, *done.values()) if entry["how"] != "psis"),
    }


def _list_parts(design: Design, force: str, quantity: str) -> tuple[str, ...]:
    return (quantity,) if quantity in STATES else design.case.parts_of(force, quantity)


def _tell(kind: str, what: str, label: str, entry: Entry, base: Entry) -> dict[str, Any]:
    """Return a scenario: what became of each count, and its shift in units of the base posterior's deviation."""
    quantities = []
    for was, now in zip(base["quantities"], entry["quantities"], strict=True):
        middles = [float(np.interp(0.5, QUANTILES, each["log_quantiles"])) for each in (was, now)]
        scale = was["log_sd"] or 1.0
        widths = [each["log_quantiles"][-10] - each["log_quantiles"][9] for each in (was, now)]  # .05 to .95
        quantities.append(
            {
                **_shown(now),
                "shift_sd": plain((middles[1] - middles[0]) / scale, 3) if was["log_sd"] else 0.0,
                "shift_mcse": plain(np.hypot(was["log_mcse"], now["log_mcse"] or was["log_mcse"]) / scale, 2),
                "width_ratio": plain(widths[1] / widths[0], 3) if widths[0] else 1.0,
            }
        )
    return {
        "kind": kind,
        "what": what,
        "label": label,
        "how": entry["how"],
        "k": entry["k"],
        "trusted": entry["trusted"],
        "quantities": quantities,
    }


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("log_quantiles", "log_mcse")}


def _lead(scenario: dict[str, Any], headline: Key) -> dict[str, Any]:
    """Return a scenario led by what became of the headline."""
    first = next(each for each in scenario["quantities"] if (each["force"], each["quantity"]) == headline)
    names = ("median", "intervals", "shift_sd", "shift_mcse", "width_ratio")
    return {**{name: scenario[name] for name in ("kind", "what", "label")}, **{name: first[name] for name in names},
            **{name: scenario[name] for name in ("how", "k", "trusted", "quantities")}}  # fmt: skip


def write_sensitivity(report: dict[str, Any], results: Path) -> Path:
    """Write the folder of a report: `results/<case>/sensitivity-<time>-seed<seed>/`; return it.

    It holds `sensitivity.json`, `sensitivity.csv` (a row for each scenario and count), `sensitivity.md` (one page) and
    `figures/`. Like a run it appears whole or not at all.
    """
    from sim.report.plots.sensitivity import draw_sensitivity
    from sim.report.robustness import render_page
    from sim.report.table import write_rows

    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    with build_folder(results / report["case"], f"{SENSITIVITY}{stamp}-seed{report['seed']}") as (folder, place):
        (folder / "sensitivity.json").write_text(format_json(report), encoding="utf-8")
        write_rows(folder / "sensitivity.csv", list(_list_rows(report)))
        (folder / "sensitivity.md").write_text(render_page(report), encoding="utf-8")
        (folder / "figures").mkdir()
        draw_sensitivity(report, folder / "figures")
    return place[0]


def _list_rows(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    base = {"kind": BASE, "what": "", "how": "fit", "k": None, "trusted": report["base"]["trusted"]}
    for scenario in ({**base, "quantities": report["base"]["quantities"]}, *report["scenarios"]):
        for entry in scenario["quantities"]:
            row = {name: scenario[name] for name in ("kind", "what", "how", "k", "trusted")}
            row |= {name: entry.get(name) for name in ("force", "quantity", "median", "shift_sd", "width_ratio")}
            for level, (low, high) in entry["intervals"].items():
                row |= {f"low_{level}": low, f"high_{level}": high}
            yield row
