"""Claims left out and forecast: `python tests/benchmarks/bench_crossval.py TABLE`, of Radford et al. 2023.

Five folds, of whole source-months (random rows of a daily series predict each other) and, beside it, of random rows as
that paper's authors drew them. A row that is left out keeps its place in the model with a standard error so large that
it tells nothing. What its source would have said is compared with what it said, on the log scale: coverage of the 95%
interval, continuous ranked probability score, and the log density. Each fold is fitted once (`truetoll run` would fit
again, for ten minutes, where a draw diverges; how many do is told). Prints JSON. A name of FOLDINGS after the table
runs that alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.importers import import_table
from sim.model.arrays import NUMPY, map_draws
from sim.model.beliefs import row_log_likelihoods
from sim.model.design import Design, design_model
from sim.posterior.fit import choose_effort, sample_posterior
from sim.posterior.sample import Sample, take_posterior
from sim.posterior.verdict import judge_sample

FOLDS = 5
FOLDINGS = ("source_months", "random_rows")
SILENT = 1e6  # a standard error on the log scale with which a claim tells nothing


def cut_folds(design: Design, by_month: bool, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each row: all rows of one source and month in one, or each by itself."""
    claims = [row.observation.claim for row in design.beliefs.rows]
    keys = [(c.source, c.as_of.year, c.as_of.month) if by_month else (c.id,) for c in claims]
    names = list(dict.fromkeys(keys))
    fold = dict(zip(names, rng.permutation(np.arange(len(names)) % FOLDS), strict=True))
    return np.array([fold[key] for key in keys])


def silence(design: Design, rows: np.ndarray) -> Design:
    """Return the design with rows that tell nothing."""
    own_sd = np.where(rows, SILENT, design.beliefs.own_sd)
    return replace(design, beliefs=replace(design.beliefs, own_sd=own_sd))


def score_ranks(draws: np.ndarray, said: float) -> float:
    """Return the continuous ranked probability score of draws: E|x - y| - E|x - x'| / 2."""
    ordered, count = np.sort(draws), len(draws)
    spread = np.sum((2 * np.arange(count) - count + 1) * ordered) / count**2
    return float(np.mean(np.abs(ordered - said)) - spread)


def pick_scored(design: Design) -> np.ndarray:
    """Return which rows are scored: those that give a number as it is, and no share."""
    items = [row.observation for row in design.beliefs.rows]
    return np.array([item.form in ("cell", "density") and not item.whole for item in items])


def score_claim(draws: np.ndarray, said: float, density: float, width: float, *, daily: bool) -> dict[str, float]:
    """Return the scores of a claim: draws of its log, its log, the log of its probability, the width of its cell."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "covered": float(low <= said <= high),
        "crps": score_ranks(draws, said),
        "log_score": density - (np.log(width) if np.isfinite(width) else 0.0),
        "daily": float(daily),
    }


def average(scores: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the mean scores of running totals and of counts of one day."""
    found = {}
    for name, wanted in (("cumulative", 0.0), ("daily", 1.0)):
        kept = [row for row in scores if row["daily"] == wanted]
        means = {key: float(np.mean([row[key] for row in kept])) for key in ("covered", "crps", "log_score")}
        found[name] = {"claims": len(kept), **means}
    return found


def score_rows(design: Design, sample: Sample, rows: np.ndarray) -> list[dict[str, float]]:
    """Return the scores of the rows left out that give a number as it is: not at least, at most or a range."""
    beliefs, unknowns = design.beliefs, sample.unknowns
    logs = map_draws(
        lambda block: row_log_likelihoods(
            NUMPY, beliefs, sample.flat_state[block], *(unknowns[n][block] for n in ("theta", "effects", "statement"))
        ),
        len(unknowns["theta"]),
    )  # fmt: skip
    found = []
    for number in np.flatnonzero(rows & pick_scored(design)):
        item = beliefs.rows[number].observation
        said = np.log(max(item.claim.central, 0.5))
        width = item.upper - item.lower if item.form == "cell" else np.exp(item.log_width) if item.log_width else 1.0
        density = np.log(np.mean(np.exp(logs[:, number] - logs[:, number].max()))) + logs[:, number].max()
        draws = sample.said[item.claim.id]
        found.append(score_claim(draws, said, density, width, daily=item.claim.measure == "interval"))
    return found


def design_table(table: Path) -> Design:
    """Return the model of the published table."""
    with tempfile.TemporaryDirectory() as place:
        case = read_case(import_table("radford", table, Path(place) / "war", tell=lambda _: None))
    return design_model(case, read_priors(case.file.prior))


def main(table: Path, foldings: Sequence[str]) -> None:
    """Fit each fold and print the mean scores."""
    whole = design_table(table)
    found: dict[str, Any] = {}
    for kind in foldings:
        folds = cut_folds(whole, kind == "source_months", np.random.default_rng(1))
        scores, divergences, rhats = [], [], []
        for fold in range(FOLDS):
            fitted = silence(whole, folds == fold)
            draws = sample_posterior(fitted, fold + 1, **asdict(choose_effort(fitted)), quiet=True)
            sample = take_posterior(whole, draws, fold)
            scores += score_rows(whole, sample, folds == fold)
            divergences.append(draws.divergences)
            rhats.append(judge_sample(sample, draws).max_rhat)
        found[kind] = {**average(scores), "divergences": divergences, "rhats": rhats}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or FOLDINGS)
