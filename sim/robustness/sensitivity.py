"""How the answer would move: every variant of a case fitted, beside what reweighting the draws of the base tells.

Claims are left out, one or many, by Pareto-smoothed importance sampling (Vehtari et al. 2024, arXiv 1507.02646) where
its k is small. Any other variant is refitted, from where the chains of the base ended if it has the same unknowns.
Priors are scaled by powers (Kallioinen et al. 2024, doi 10.1007/s11222-023-10366-5). Which was done is said of each.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Unpack

from sim.contract.sensitivity import Base, Headline, Sensitivity
from sim.contract.summary import NamedForce
from sim.model.buffer import count_unknowns, find_middle, name_slots
from sim.model.design import Design
from sim.posterior.fit import MANY_UNKNOWNS
from sim.posterior.sample import Sample
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import Quantities, choose_ladder, fit_design, list_reported
from sim.report.robustness import LEFT_OUT
from sim.robustness.conflict import compare_groups, list_groups, list_topics, only_group
from sim.robustness.counts import FitSummary, KeptFit, describe_counts, has_counts, read_fit
from sim.robustness.power_scaling import scale_priors
from sim.robustness.reweighing import MOST_REFITS, forecast_claims, reweigh_claims, summarise_weighted
from sim.robustness.scenarios import compare_fits
from sim.robustness.variants import Variant, build_variant, list_variants
from sim.sampler.chains import ChainState
from sim.sampler.diagnostics import Limits
from sim.system.progress import tell_step
from sim.system.store import Entry
from sim.system.tasks import TaskOptions, gather_results

GROUP = "group"  # the kind of a task that fits the claims of one group of sources alone
ECHO = "echo: "
OF_SHIFTS = Limits(
    max_rhat=1.02, min_ess=200, may_diverge=False
)  # of a variant, whose shifts are told with their errors
ALIKE = 0.7  # of the unknowns, that a variant must share with the base to begin where its chains ended
SHARE = 0.9  # of the seconds of the first fit, that one of a variant takes


def examine_case(design: Design, seed: int, *, quick: bool = False, **options: Unpack[TaskOptions]) -> Sensitivity:
    """Fit every variant of a case, or reweight the draws of the base where these carry it; return the report.

    Parameters
    ----------
    design : Design
        Of the case as it stands.
    seed : int
        All fits have it, so that a variant that changes nothing gives the same draws.
    quick : bool
        Reweight alone, and fit nothing but the case as it stands: what is left out, and priors. What importance
        sampling cannot carry is told as not judged.
    **options
        See `sim.system.tasks.TaskOptions`.

    Returns
    -------
    Sensitivity
        As `docs/formats.md` has it: `shift_sd` is the change of the median of log C in units of the base posterior's
        standard deviation of log C.
    """
    quiet, started = options.get("quiet", True), time.perf_counter()
    fit = fit_design(design, seed, choose_ladder(design), quiet=quiet)  # as a run fits it, to the last digit
    took = time.perf_counter() - started
    sample, chains = fit.sample, fit.draws.shape[0]
    base = FitSummary(fit.verdict.trusted, "fit", None, describe_counts(sample, chains))
    variants = [each for each in list_variants(design) if not quick or each.kind in LEFT_OUT]
    large = count_unknowns(design) >= MANY_UNKNOWNS
    refits = 0 if quick else MOST_REFITS if large else len(variants)
    done = {variant.task: found for variant, found in reweigh_claims(sample, chains, variants, refits)}
    variants = [each for each in variants if not quick or each.task in done]
    tasks = [variant.task for variant in variants if variant.task not in done]
    here = [task for task in tasks if task.startswith(ECHO)]  # what changes nothing is fitted where the base was
    done |= {task: read_fit(_fit_variant(design, seed, None, task)) for task in here}
    tasks = [task for task in tasks if task not in here]
    groups = [] if quick else list(list_groups(design))
    tasks += [f"{GROUP}: {name}" for name in groups]
    share = took * SHARE * len(tasks) / max(options.get("jobs", 1), 1)
    tell_step(
        f"{len(done)} variants by reweighting, {len(tasks)} to fit: about {share:.0f} s", quiet=quiet or not tasks
    )
    done |= gather_results(
        partial(fit_task, design, seed, fit.draws.chain_state),
        tasks,
        _read_entry,
        depends_on=(design.fingerprint, str(seed)),
        label="variant",
        plural="variants",
        shape=KeptFit,
        fits=partial(has_counts, base),
        **options,
    )
    return _report(design, seed, base, sample, chains, variants, done, groups)


def fit_task(design: Design, seed: int, start: ChainState | None, task: str) -> Entry:
    """Fit a variant, or the claims of one group alone, by the name of its task."""
    return _fit_variant(design, seed, start, task)


def _fit_variant(design: Design, seed: int, start: ChainState | None, task: str) -> Entry:
    """Return a fitted variant.

    One that shares most unknowns with the base begins where its chains ended, with their metric. An echo, which must
    change nothing, is fitted as the base was.
    """
    kind, _, what = task.partition(": ")
    varied = only_group(design, what) if kind == GROUP else build_variant(design, Variant(kind, what, ""))
    ladder = choose_ladder(varied)
    if not task.startswith(ECHO):
        first, start = ladder.efforts[0], start and _carry_chains(start, design, varied)
        light = replace(first, draws=first.draws // 2, tune=first.tune // 3 if start else first.tune)
        ladder = replace(ladder, efforts=(light, *ladder.efforts), limits=OF_SHIFTS)
    judged = list_reported if task.startswith(ECHO) else _list_leading
    fit = fit_design(varied, seed, ladder, judged, resume_from=start)
    counts = describe_counts(fit.sample, fit.draws.shape[0])
    return asdict(FitSummary(fit.verdict.trusted, "refit", None, counts))


def _list_leading(sample: Sample) -> Quantities:
    """Return what a variant is judged by: the counts that the report leads with; others have their errors beside."""
    return {f"{force}.{quantity}": sample.count(force, quantity) for force, quantity in choose_keys(sample)}


def _carry_chains(start: ChainState, design: Design, varied: Design) -> ChainState | None:
    """Return where the chains of the base ended, in the unknowns of a variant; None where too few are common."""
    base = {name: place for place, name in enumerate(name_slots(design))}
    places = [base.get(name) for name in name_slots(varied)]
    if sum(place is not None for place in places) < ALIKE * max(len(base), len(places)):
        return None
    return start if places == list(range(len(base))) else start.carry(places, find_middle(varied))


def _read_entry(_: str, entry: Entry) -> FitSummary:
    return read_fit(entry)


def _report(
    design: Design,
    seed: int,
    base: FitSummary,
    sample: Sample,
    chains: int,
    variants: Sequence[Variant],
    done: Mapping[str, FitSummary],
    groups: Sequence[str],
) -> Sensitivity:
    keys = choose_keys(sample)
    force, headline = keys[0]
    scenarios = [compare_fits(each.kind, each.what, each.label, done[each.task], base, keys[0]) for each in variants]
    scaled, priors = scale_priors(sample, chains, keys)
    for group, power, log_weights, k in scaled:
        label = f"{group}: prior {'weakened' if power < 1 else 'strengthened'} (power {power:g})"
        fit = summarise_weighted(sample, chains, log_weights, k, "power-scaled")
        scenarios.append(compare_fits("prior_power", f"{group}^{power:g}", label, fit, base, keys[0]))
    alone = {name: done[f"{GROUP}: {name}"] for name in groups}  # not in the order in which they finished
    fitted = (base, *(each for each in done.values() if each.how != "psis"))
    return Sensitivity(
        case=design.case.name,
        title=design.case.title,
        as_of=design.as_of.isoformat(),
        seed=seed,
        force=force,
        headline=headline,
        headlines=tuple(Headline(force=of, quantity=quantity) for of, quantity in keys),
        inputs=design.fingerprint,
        base=Base(
            trusted=base.trusted, how=base.how, k=base.k, quantities=tuple(each.fitted for each in base.quantities)
        ),
        scenarios=tuple(scenarios),
        priors=tuple(priors),
        groups=tuple(sorted(list_groups(design))),
        conflict=compare_groups(alone, {key: design.case.parts_of(*key) for key in keys}, list_topics(design)),
        fits=len(fitted),
        untrusted_fits=sum(not each.trusted for each in fitted),
        forecasts=tuple(forecast_claims(sample)),
        forces=tuple(NamedForce(force=of, label=design.case.label_force(of)) for of in design.case.forces),
    )
