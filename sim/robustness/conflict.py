"""Who disagrees with whom: what each group of sources would say alone, compared two by two.

A node split (Marshall and Spiegelhalter 2007, doi 10.1214/07-BA203; Presanis et al. 2013, doi 10.1214/13-STS426): the
count is estimated from each group's claims alone, and the two posteriors are subtracted. Both keep the prior of the
state and of the sources' biases, so that what past wars say of such sources is allowed for, and the test is cautious.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from sim.contract.sensitivity import Conflict
from sim.contract.values import round_figures
from sim.model.design import Design
from sim.robustness.counts import FitSummary, Key
from sim.robustness.variants import keep_observations


def list_groups(design: Design) -> dict[str, list[str]]:
    """Return the sources of each role towards the forces that they speak of; those of several roles by all of them.

    Empty where there are not two: there is nothing to compare.
    """
    found: dict[str, list[str]] = {}
    pairs = sorted({(item.source, item.claim.force) for item in design.evidence.observations})
    for source, force in pairs:
        name = _group_of(design, source, force)
        if source not in found.setdefault(name, []):
            found[name].append(source)
    return found if len(found) > 1 else {}


def only_group(design: Design, group: str) -> Design:
    """Return the design with the claims of one group alone."""
    return keep_observations(design, lambda item: _group_of(design, item.source, item.claim.force) == group)


def _group_of(design: Design, source: str, force: str) -> str:
    return " or ".join(sorted(design.case.sources[source].roles_towards(force)))


def list_topics(design: Design) -> dict[str, set[Key]]:
    """Return the base outcomes, by force, that each group's claims speak of."""
    found: dict[str, set[Key]] = {}
    for item in design.evidence.observations:
        topics = found.setdefault(_group_of(design, item.source, item.claim.force), set())
        for force, quantity in item.topics:
            topics.update((force, part) for part in design.case.parts_of(force, quantity))
    return found


def compare_groups(
    alone: Mapping[str, FitSummary], keys: Mapping[Key, Iterable[str]], topics: Mapping[str, set[Key]]
) -> tuple[Conflict, ...]:
    """Compare what groups say alone of each count, two by two, where the claims of both speak of all its parts.

    Parameters
    ----------
    alone : mapping of str to FitSummary
        Of each group the fit of its claims alone.
    keys : mapping of (force, quantity) to parts
        The counts, with the base outcomes that each is the sum of.
    topics : mapping
        From `list_topics`.
    """
    pairs = [
        (first, second, key)
        for first, second in combinations(alone, 2)
        for key, parts in keys.items()
        # Where one of them is silent about it, its fit is the prior.
        if all({(key[0], part) for part in parts} <= topics.get(name, set()) for name in (first, second))
    ]
    found = [_compare_fits(alone[first], alone[second], key) for first, second, key in pairs]
    adjusted = adjust_holm([p for _, p in found])
    return tuple(
        Conflict(
            first=first,
            second=second,
            force=key[0],
            quantity=key[1],
            factor=round_figures(factors[1], 4),
            interval_90=(round_figures(factors[0], 4), round_figures(factors[2], 4)),
            trusted=alone[first].trusted and alone[second].trusted,
            p=p,
            p_adjusted=round_figures(after, 3),
            tests=len(found),
        )
        for (first, second, key), (factors, p), after in zip(pairs, found, adjusted, strict=True)
    )


def _compare_fits(first: FitSummary, second: FitSummary, key: Key) -> tuple[tuple[float, float, float], float]:
    """Return low, middle and high of the first's count over the second's, and the p-value of no difference."""
    logs = [np.array(fit.find(key).log_quantiles) for fit in (first, second)]
    gaps = (logs[0][:, None] - logs[1][None, :]).ravel()
    above, below = np.mean(gaps > 0) + np.mean(gaps == 0) / 2, np.mean(gaps < 0) + np.mean(gaps == 0) / 2
    low, middle, high = np.exp(np.quantile(gaps, [0.05, 0.5, 0.95]))
    return (float(low), float(middle), float(high)), round_figures(max(2 * min(above, below), 1e-4), 3)


def adjust_holm(values: Sequence[float]) -> list[float]:
    """Return p-values after Holm's step-down correction: the chance of any false alarm stays what it is for one."""
    found, before = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda index: values[index])):
        before = max(before, min(1.0, (len(values) - rank) * values[index]))
        found[index] = before
    return found
