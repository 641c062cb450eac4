"""How the answer would move: every variant of a case fitted, beside what reweighting the draws of the base tells.

Claims are left out, one or many, by Pareto-smoothed importance sampling (Vehtari et al. 2024, arXiv 1507.02646) where
its k is small. For any other variant more draws of the base (`sim.robustness.footing`) are moved and weighed
(`sim.robustness.bridging`), and where that does not carry, it is refitted from these draws and the base's metric.
Variants of one density are judged once. Priors are scaled by powers (Kallioinen et al. 2024, doi
10.1007/s11222-023-10366-5). Which was done is said of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Unpack

from sim.contract.sensitivity import Base, Headline, Sensitivity
from sim.contract.summary import NamedForce
from sim.model.buffer import count_unknowns, name_slots, pack_design
from sim.model.claims.invented import find_doubtful
from sim.model.design import Design
from sim.posterior.fit import MANY_UNKNOWNS
from sim.posterior.sample import Sample
from sim.posterior.summary import choose_keys
from sim.posterior.verdict import Fit, Ladder, choose_ladder, fit_design
from sim.report.robustness import LEFT_OUT
from sim.robustness.bridging import carry_chains, sample_weighed, weigh_draws
from sim.robustness.conflict import compare_groups, list_groups, list_topics, only_group
from sim.robustness.counts import FitSummary, KeptFit, describe_counts, has_counts, read_fit
from sim.robustness.footing import Footing, draw_more, list_leading, stand_on
from sim.robustness.power_scaling import scale_priors
from sim.robustness.reweighing import (
    MOST_REFITS,
    OF_SHIFTS,
    forecast_claims,
    reweigh_claims,
    summarise_weighted,
)
from sim.robustness.scenarios import compare_fits
from sim.robustness.variants import Variant, build_variant, list_variants
from sim.system.progress import tell_step
from sim.system.store import Entry, hash_parts
from sim.system.tasks import TaskOptions, gather_results

GROUP = "group"  # the kind of a task that fits the claims of one group of sources alone
ECHO = "echo: "
WORTH = 350  # draws of each chain of the first fit, whose seconds a variant takes
# Of later attempts at a variant: the draws, and what steps may be refused, as shares of a case's first attempt.
LATER = ((0.3, 0.2), (0.6, 0.05), (1.0, 0.02), (2.0, 0.02))


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
    quiet = options.get("quiet", True)
    ladder = choose_ladder(design)
    fit = fit_design(design, seed, ladder, quiet=quiet)  # as a run fits it, to the last digit
    sample, footing = fit.sample, stand_on(design, fit.draws, fit.sample)
    chains = fit.draws.shape[0]
    base = FitSummary(fit.verdict.trusted, "fit", None, describe_counts(sample, chains))
    variants = [each for each in list_variants(design) if not quick or each.kind in LEFT_OUT]
    large = count_unknowns(design) >= MANY_UNKNOWNS
    refits = 0 if quick else MOST_REFITS if large else len(variants)
    done = {each.task: found for each, found in reweigh_claims(sample, chains, variants, footing.efficiency, refits)}
    variants = [each for each in variants if not quick or each.task in done]
    groups = [] if quick else list(list_groups(design))
    tasks = [variant.task for variant in variants if variant.task not in done]
    tasks += [f"{GROUP}: {name}" for name in groups]
    twins = _find_twins(design, tasks)
    done |= {task: replace(base, how="same") for task, twin in twins.items() if not twin}
    own = [task for task, twin in twins.items() if twin == task]
    here = [task for task in own if task.startswith(ECHO)]  # what changes nothing is fitted where the base was
    done |= {task: read_fit(fit_task(footing, seed, task)) for task in here}
    own = [task for task in own if task not in here]
    wider = draw_more(footing, seed, ladder.efforts[0]) if own else footing
    seconds = WORTH * len(own) * fit.draws.seconds["sample"] / fit.draws.shape[1]
    tell_step(f"{len(done)} variants judged, {len(own)} to fit: about {seconds:.0f} s", quiet=quiet or not own)
    done |= gather_results(
        partial(fit_task, wider, seed),
        own,
        _read_entry,
        depends_on=(design.fingerprint, str(seed)),
        label="variant",
        plural="variants",
        shape=KeptFit,
        fits=partial(has_counts, base),
        **options,
    )
    done |= {task: done[twin] for task, twin in twins.items() if twin}
    return _report(design, seed, base, sample, footing, variants, done, groups)


def _find_twins(design: Design, tasks: Iterable[str]) -> dict[str, str]:
    """Return for each task the first of the same density; for those that change nothing none, an empty text."""
    known = {_hash_design(design): ""}
    return {task: known.setdefault(_hash_design(_lay_out(design, task)), task) for task in tasks}


def _hash_design(design: Design) -> str:
    """Return a hash of all that counts follow from beside the seed: the density, and the odds that nothing was lost."""
    doubtful = find_doubtful(design.case, design.evidence)
    return hash_parts(map(repr, (name_slots(design), pack_design(design).tobytes(), doubtful, design.priors.priors)))


def _lay_out(design: Design, task: str) -> Design:
    """Return the design of a variant, or of the claims of one group alone, by the name of its task."""
    kind, _, what = task.partition(": ")
    return only_group(design, what) if kind == GROUP else build_variant(design, Variant(kind, what, ""))


def fit_task(footing: Footing, seed: int, task: str) -> Entry:
    """Judge a variant by the name of its task: by the base's draws where these carry it, else by a fit from them.

    An echo, which must change nothing, is fitted as the base was.
    """
    varied = _lay_out(footing.design, task)
    ladder = choose_ladder(varied)
    if task.startswith(ECHO):
        return _summarise(fit_design(varied, seed, ladder))
    chains, weighed = len(footing.x), weigh_draws(footing, varied)
    if weighed and footing.carries(weighed.log_weights, weighed.k):
        sample = sample_weighed(footing, varied, weighed, seed)
        told = summarise_weighted(sample, chains, weighed.log_weights, weighed.k, "psis", footing.efficiency)
        return asdict(told)
    start = carry_chains(footing, varied, weighed, seed)
    return _summarise(fit_design(varied, seed, _lighten(ladder, start is not None), list_leading, resume_from=start))


def _lighten(ladder: Ladder, is_begun: bool) -> Ladder:
    """Return how a variant is fitted: with few draws of large steps at first, then with more, or of smaller ones.

    Chains that begin at draws of the base need a fifth of the tuning.
    """
    first, *_ = ladder.efforts
    left = 1 - first.target_accept
    tune = first.tune // 5 if is_begun else first.tune
    efforts = [replace(first, draws=first.draws * 3 // 20, tune=tune, target_accept=1 - 1.5 * left)]
    for share, rejected in LATER:
        efforts.append(replace(first, draws=int(first.draws * share), target_accept=1 - rejected * left))
    return replace(ladder, efforts=tuple(efforts), limits=OF_SHIFTS, retune=first.tune // 7)


def _summarise(fit: Fit) -> Entry:
    counts = describe_counts(fit.sample, fit.draws.shape[0])
    return asdict(FitSummary(fit.verdict.trusted, "refit", None, counts))


def _read_entry(_: str, entry: Entry) -> FitSummary:
    return read_fit(entry)


def _report(
    design: Design,
    seed: int,
    base: FitSummary,
    sample: Sample,
    footing: Footing,
    variants: Sequence[Variant],
    done: Mapping[str, FitSummary],
    groups: Sequence[str],
) -> Sensitivity:
    keys = choose_keys(sample)
    force, headline = keys[0]
    scenarios = [compare_fits(each.kind, each.what, each.label, done[each.task], base, keys[0]) for each in variants]
    chains, efficiency = len(footing.x), footing.efficiency
    scaled, priors = scale_priors(sample, chains, keys)
    for group, power, log_weights, k in scaled:
        label = f"{group}: prior {'weakened' if power < 1 else 'strengthened'} (power {power:g})"
        fit = summarise_weighted(sample, chains, log_weights, k, "power-scaled", efficiency)
        scenarios.append(compare_fits("prior_power", f"{group}^{power:g}", label, fit, base, keys[0]))
    alone = {name: done[f"{GROUP}: {name}"] for name in groups}  # not in the order in which they finished
    fitted = (base, *{id(each): each for each in done.values() if each.how == "refit"}.values())  # twins once
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
