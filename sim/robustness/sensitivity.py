"""How the answer would move: every variant of a case fitted, beside what reweighting the draws of the base tells.

A variant is refitted, as a change of the claims alters the posterior by more than reweighting carries. Where the case
is so large that a refit takes minutes, single claims are left out by Pareto-smoothed importance sampling instead
(Vehtari et al. 2024, arXiv 1507.02646), if its k is small; else it is refitted too. Priors are scaled by powers
(Kallioinen et al. 2024, doi 10.1007/s11222-023-10366-5). Which was done is said of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Unpack

from threadpoolctl import threadpool_limits

from sim.contract.sensitivity import Base, Headline, Sensitivity
from sim.model.buffer import count_unknowns
from sim.model.design import Design
from sim.posterior.fit import MANY_UNKNOWNS
from sim.posterior.sample import Sample
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import choose_ladder, fit_design
from sim.robustness.conflict import compare_groups, list_groups, list_topics, only_group
from sim.robustness.counts import FitSummary, KeptFit, describe_counts, has_counts, read_fit
from sim.robustness.power_scaling import scale_priors
from sim.robustness.reweighing import reweigh_claims, summarise_weighted
from sim.robustness.scenarios import compare_fits
from sim.robustness.variants import Variant, build_variant, list_variants
from sim.system.store import Entry
from sim.system.tasks import TaskOptions, gather_results

GROUP = "group"  # the kind of a task that fits the claims of one group of sources alone


def examine_case(design: Design, seed: int, **options: Unpack[TaskOptions]) -> Sensitivity:
    """Fit every variant of a case, and return the report.

    Parameters
    ----------
    design : Design
        Of the case as it stands.
    seed : int
        All fits have it, so that a variant that changes nothing gives the same draws.
    **options
        See `sim.system.tasks.TaskOptions`.

    Returns
    -------
    Sensitivity
        As `docs/formats.md` has it: `shift_sd` is the change of the median of log C in units of the base posterior's
        standard deviation of log C.
    """
    with threadpool_limits(1, user_api="blas"):  # as the workers have it: what changes nothing gives the same draws
        fit = fit_design(design, seed, choose_ladder(design), quiet=options.get("quiet", True))
    sample, chains = fit.sample, fit.draws.shape[0]
    base = FitSummary(fit.verdict.trusted, "fit", None, describe_counts(sample, chains))
    variants = list_variants(design)
    done: dict[str, FitSummary] = {}
    if count_unknowns(design) >= MANY_UNKNOWNS:
        done = {variant.task: summary for variant, summary in reweigh_claims(sample, chains, variants)}
    tasks = [variant.task for variant in variants if variant.task not in done]
    tasks += [f"{GROUP}: {name}" for name in list_groups(design)]
    done |= gather_results(
        partial(fit_task, design, seed),
        tasks,
        _read_entry,
        depends_on=(design.fingerprint, str(seed)),
        label="variant",
        plural="variants",
        shape=KeptFit,
        fits=partial(has_counts, base),
        **options,
    )
    return _report(design, seed, base, sample, chains, variants, done)


def fit_task(design: Design, seed: int, task: str) -> Entry:
    """Fit a variant, or the claims of one group alone, by the name of its task."""
    kind, _, what = task.partition(": ")
    varied = only_group(design, what) if kind == GROUP else build_variant(design, Variant(kind, what, ""))
    fit = fit_design(varied, seed, choose_ladder(varied))
    counts = describe_counts(fit.sample, fit.draws.shape[0])
    return asdict(FitSummary(fit.verdict.trusted, "refit", None, counts))


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
) -> Sensitivity:
    keys = choose_keys(sample)
    force, headline = keys[0]
    scenarios = [compare_fits(each.kind, each.what, each.label, done[each.task], base, keys[0]) for each in variants]
    scaled, priors = scale_priors(sample, chains, keys)
    for group, power, log_weights, k in scaled:
        label = f"{group}: prior {'weakened' if power < 1 else 'strengthened'} (power {power:g})"
        fit = summarise_weighted(sample, chains, log_weights, k, "power-scaled")
        scenarios.append(compare_fits("prior_power", f"{group}^{power:g}", label, fit, base, keys[0]))
    alone = {name: done[f"{GROUP}: {name}"] for name in list_groups(design)}  # not in the order in which they finished
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
    )
