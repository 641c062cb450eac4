"""Who disagrees with whom: what each group of sources would say alone, compared two by two.

A node split (Marshall and Spiegelhalter 2007, doi 10.1214/07-BA203; Presanis et al. 2013, doi 10.1214/13-STS426): the
count is estimated from each group's claims alone, and the two posteriors are subtracted. Both keep the prior of the
state and of the sources' biases, so that what past wars say of such sources is allowed for, and the test is cautious.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sim.case.case import STATES
from sim.model.design import Design
from sim.sensitivity.variants import keep_observations


def list_groups(design: Design) -> dict[str, list[str]]:
    """Return the sources of each role towards the forces that they speak of; those of several roles by all of them.

    Empty where there are not two: there is nothing to compare.
    """
    found: dict[str, list[str]] = {}
    pairs = dict.fromkeys((reading.source, reading.force) for reading in design.beliefs.readings)
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


def list_topics(design: Design) -> dict[str, set[tuple[str, str]]]:
    """Return the base outcomes, by force, that each group's claims speak of."""
    found: dict[str, set[tuple[str, str]]] = {}
    for item in design.evidence.observations:
        force, topics = item.claim.force, found.setdefault(_group_of(design, item.source, item.claim.force), set())
        for quantity in (item.claim.quantity, item.whole):
            if quantity:
                parts = (quantity,) if quantity in STATES else design.case.parts_of(force, quantity)
                topics.update((force, part) for part in parts)
    return found


def compare_groups(
    alone: Mapping[str, Any], keys: Mapping[tuple[str, str], Iterable[str]], topics: Mapping[str, set[tuple[str, str]]]
) -> list[dict[str, Any]]:
    """Compare what groups say alone of each count, two by two, where the claims of both speak of all its parts.

    Parameters
    ----------
    alone : mapping of str to dict
        Of each group the fit of its claims alone, with `log_quantiles` of each count.
    keys : mapping of (force, quantity) to parts
        The counts, with the base outcomes that each is the sum of.
    topics : mapping
        From `list_topics`.

    Returns
    -------
    list of dict
        `factor` is the median of the first's count over the second's, with its 90% interval; `p` the two-sided p-value
        of no difference, `p_adjusted` that after Holm's correction for all `tests` (Holm 1979, Scand. J. Statist. 6).
    """
    found: list[dict[str, Any]] = []
    for first, second in combinations(alone, 2):
        for key, parts in keys.items():
            wanted = {(key[0], part) for part in parts}
            if not all(wanted <= topics.get(name, set()) for name in (first, second)):
                continue  # one of them is silent about it: its fit is the prior
            logs = [_take(alone[name], key) for name in (first, second)]
            gaps = (logs[0][:, None] - logs[1][None, :]).ravel()
            above, below = np.mean(gaps > 0) + np.mean(gaps == 0) / 2, np.mean(gaps < 0) + np.mean(gaps == 0) / 2
            low, middle, high = np.exp(np.quantile(gaps, [0.05, 0.5, 0.95]))
            found.append(
                {
                    "first": first,
                    "second": second,
                    "force": key[0],
                    "quantity": key[1],
                    "factor": float(f"{middle:.4g}"),
                    "interval_90": [float(f"{low:.4g}"), float(f"{high:.4g}")],
                    "trusted": alone[first]["trusted"] and alone[second]["trusted"],
                    "p": float(f"{max(2 * min(above, below), 1e-4):.3g}"),
                }
            )
    for entry, adjusted in zip(found, adjust_holm([float(entry["p"]) for entry in found]), strict=True):
        entry |= {"p_adjusted": float(f"{adjusted:.3g}"), "tests": len(found)}
    return found


def _take(fit: dict[str, Any], key: tuple[str, str]) -> Any:
    entry = next(each for each in fit["quantities"] if (each["force"], each["quantity"]) == key)
    return np.array(entry["log_quantiles"])


def adjust_holm(values: Sequence[float]) -> list[float]:
    """Return p-values after Holm's step-down correction: the chance of any false alarm stays what it is for one."""
    found, before = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        before = max(before, min(1.0, (len(values) - rank) * values[place]))
        found[place] = before
    return found
