"""Leaving out single claims of a large case without fitting it again: Pareto-smoothed importance sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contract.values import round_figures
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import join_readings, row_log_likelihoods
from sim.model.density.codes import Link
from sim.model.rows import BeliefLayout, Parts
from sim.model.series import find_link
from sim.posterior.sample import Sample
from sim.report.robustness import GOOD_K
from sim.robustness.counts import FitSummary, Floats, describe_counts
from sim.robustness.variants import Variant
from sim.sampler.diagnostics import smooth_weights

Ints = NDArray[np.int64]
OF_ROWS = (  # the fields of a layout that have an element for each row, but for those of what follows it
    "is_share", "is_capped", "statement", "noise", "own_sd", "contaminated", "is_prior", "form", "lower", "upper",
    "point", "log_width", "sign", "wording", "fresh",
)  # fmt: skip
MOST_REFITS = 20  # of single claims of a large case


def reweigh_claims(sample: Sample, chains: int, variants: Sequence[Variant]) -> Iterator[tuple[Variant, FitSummary]]:
    """Yield the variants that leave out claims, with importance weights that can be trusted.

    Of single claims whose weights cannot be trusted the MOST_REFITS with the largest k are left for refits; the others
    are told as they are, marked.
    """
    by_claim = _list_contributions(sample)
    doubtful: list[tuple[float, Variant, Floats]] = []
    for variant in variants:
        if variant.kind != "leave_claim_out":
            continue
        log_weights, k = smooth_weights(-by_claim[variant.what])
        if k <= GOOD_K:
            yield variant, summarise_weighted(sample, chains, log_weights, k, "psis")
        else:
            doubtful.append((k, variant, log_weights))
    doubtful.sort(key=lambda each: -each[0])
    for k, variant, log_weights in doubtful[MOST_REFITS:]:
        yield variant, summarise_weighted(sample, chains, log_weights, k, "psis")


def summarise_weighted(sample: Sample, chains: int, log_weights: Floats, k: float, how: str) -> FitSummary:
    """Return what weighted draws say; they are trusted where Pareto's k is small."""
    return FitSummary(k <= GOOD_K, how, round_figures(k, 3), describe_counts(sample, chains, log_weights))


def _list_contributions(sample: Sample) -> dict[str, Floats]:
    """Return what each claim adds to the log likelihood of each draw, shape (draws,).

    A claim whose source's role has several readings adds what the mean over them gains by it; one that others of its
    series are read given, what these gain besides: without it they are read given the next one.
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
            readers = np.flatnonzero(beliefs.successor == number)
            found[claim] = rows[:, number]
            if len(readers):
                found[claim] = found[claim] + np.sum(rows[:, readers] - _read_past(sample, number, readers), axis=1)
            continue
        without = _replace_readers(sample, claim, rows)
        for other, same in enumerate(beliefs.rows):
            if same.observation is not None and same.observation.claim.id == claim:
                without[:, other] = 0.0
        found[claim] = whole - join_readings(NUMPY, beliefs, without)
    return found


def _replace_readers(sample: Sample, claim: str, rows: Floats) -> Floats:
    """Return the log likelihood of all rows in which those that are read given a claim are read without it."""
    beliefs, without = sample.design.beliefs, rows.copy()
    for number, row in enumerate(beliefs.rows):
        readers = np.flatnonzero(beliefs.successor == number)
        if row.observation is not None and row.observation.claim.id == claim and len(readers):
            without[:, readers] = _read_past(sample, number, readers)
    return without


def _read_past(sample: Sample, number: int, readers: Ints) -> Floats:
    """Return the log likelihood of rows that are read given one, if they were read given the one after it."""
    unknowns, layout = sample.unknowns, _skip_row(sample.design.beliefs, number, readers)
    at = [unknowns[name] for name in ("theta", "effects", "statement")]
    found = map_draws(
        lambda block: row_log_likelihoods(NUMPY, layout, sample.flat_state[block], *(each[block] for each in at)),
        len(at[0]),
    )
    return np.asarray(found[:, : len(readers)])


def _skip_row(layout: BeliefLayout, number: int, readers: Ints) -> BeliefLayout:
    """Return a layout of the rows that are read given one, as if that one were not: read given the next, or alone.

    The readers are its first rows; their new successor, if any, the last.
    """
    after, item = int(layout.successor[number]), layout.rows[number].observation
    kept = np.array([*readers, after] if after >= 0 else readers)
    link, successor = layout.link[kept], np.full(len(kept), -1)
    link[len(readers) :] = Link.NONE
    later = layout.rows[after].observation
    for place, row in enumerate(readers):
        own = layout.rows[row].observation
        link[place] = find_link(own, later) if after >= 0 and own and later and item else Link.NONE
        successor[place] = len(kept) - 1 if after >= 0 else -1
    changed: dict[str, Any] = {"link": link, "successor": successor}
    changed |= {name: np.full(len(kept), getattr(layout, name)[number]) for name in ("next_point", "next_sd")}
    changed["is_carried"] = layout.is_carried[kept] & (link != Link.NONE)
    changed |= {name: getattr(layout, name)[kept] for name in OF_ROWS}
    changed |= {
        name: Parts(*(getattr(getattr(layout, name), part.name)[kept] for part in fields(Parts)))
        for name in ("numerator", "denominator")
    }
    return replace(layout, rows=tuple(layout.rows[row] for row in kept), **changed)
