"""Claims left out and forecast: `python tests/benchmarks/bench_crossval.py TABLE`, of Radford et al. 2023.

Five folds, of whole source-months (random rows of a daily series predict each other) and, beside it, of random rows as
that paper's authors drew them. A row that is left out keeps its place in the model with a standard error so large that
it tells nothing. What its source would have said is compared with what it said, on the log scale: coverage of the 95%
interval, continuous ranked probability score, and the log density. Each fold is fitted as `truetoll run` fits, longer
where the draws are not good. Prints JSON. A name of FOLDINGS after the table
runs that alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.importers import import_table
from sim.model.arrays import NUMPY
from sim.model.beliefs import expect, noise_sds, recall
from sim.model.claims.rows import find_next_sd
from sim.model.claims.series import find_link, find_point
from sim.model.density.codes import Link
from sim.model.design import Design, design_model
from sim.posterior.sample import Sample, take_posterior
from sim.posterior.verdict import choose_ladder, fit_design

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


def leave_out(design: Design, rows: np.ndarray) -> Design:
    """Return the design with rows that tell nothing, and are passed over by those of their series before them."""
    layout = design.beliefs
    link, successor, is_carried = layout.link.copy(), layout.successor.copy(), layout.is_carried.copy()
    next_point, next_sd = layout.next_point.copy(), layout.next_sd.copy()
    for row in np.flatnonzero(layout.link != Link.NONE):
        after = layout.successor[row]
        while rows[after] and layout.link[after] != Link.NONE:
            after = layout.successor[after]
        if rows[row] or rows[after]:
            link[row], is_carried[row] = Link.NONE, False
        else:
            item, told = layout.rows[row].observation, layout.rows[after].observation
            link[row], successor[row] = find_link(item, told), after
            next_point[row], next_sd[row] = find_point(told), find_next_sd(told)
    changed = replace(
        layout, link=link, successor=successor, is_carried=is_carried, next_point=next_point, next_sd=next_sd,
        own_sd=np.where(rows, SILENT, layout.own_sd),
    )  # fmt: skip
    return replace(design, beliefs=changed)


class Forecast(NamedTuple):
    """What is said in a row, on the log scale, shape (draws,): one of two normals, the second by a probability."""

    mean: np.ndarray
    sd: np.ndarray
    far: np.ndarray
    far_sd: np.ndarray
    probability: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return a number of each draw."""
        is_far = rng.uniform(size=len(self.mean)) < self.probability
        error = rng.standard_normal(len(self.mean))
        return np.where(is_far, self.far + self.far_sd * error, self.mean + self.sd * error)

    def weigh(self, lower: float, upper: float) -> float:
        """Return the log of the mean density between two edges."""
        near, far = (
            np.diff(ndtr((np.array([lower, upper])[:, None] - mean) / sd), axis=0)[0]
            for mean, sd in ((self.mean, self.sd), (self.far, self.far_sd))
        )
        mass = np.mean((1 - self.probability) * near + self.probability * far)
        return float(np.log(max(mass, 1e-300)) - np.log(upper - lower))


def forecast_rows(design: Design, sample: Sample, rows: np.ndarray, rng: np.random.Generator) -> dict[int, Forecast]:
    """Return what is said in rows that were left out, each given what follows it in its series, as said or forecast."""
    layout, theta = design.beliefs, sample.unknowns["theta"]
    belief = expect(NUMPY, layout, theta, sample.flat_state, sample.terms)
    near_sd, far_sd = (noise_sds(NUMPY, layout, theta, k) for k in (1.0, theta[:, layout.outlier_factor, None]))
    found: dict[int, Forecast] = {}
    said: dict[int, np.ndarray] = {}

    def forecast(row: int) -> np.ndarray:
        mean, sd, probability = belief[:, row], near_sd[:, row], theta[:, layout.outlier_probability]
        if layout.link[row] != Link.NONE:
            after, at = int(layout.successor[row]), np.array([row])
            if rows[after] and after not in said:
                forecast(after)
            told = said[after][:, None] if rows[after] else layout.next_point[at]
            mean, sd = (each[:, 0] for each in recall(NUMPY, layout, at, theta, belief, belief[:, [after]], told))
            probability = theta[:, layout.renewal]
        found[row] = Forecast(mean, sd, belief[:, row], far_sd[:, row], probability)
        said[row] = found[row].draw(rng)
        return said[row]

    for row in np.flatnonzero(rows)[::-1]:
        if row not in said:
            forecast(int(row))
    return found


def score_ranks(draws: np.ndarray, said: float) -> float:
    """Return the continuous ranked probability score of draws: E|x - y| - E|x - x'| / 2."""
    ordered, count = np.sort(draws), len(draws)
    spread = np.sum((2 * np.arange(count) - count + 1) * ordered) / count**2
    return float(np.mean(np.abs(ordered - said)) - spread)


def pick_scored(design: Design) -> np.ndarray:
    """Return which rows are scored: those that give a number as it is, and no share."""
    items = [row.observation for row in design.beliefs.rows]
    return np.array([item.form in ("cell", "density") and not item.whole for item in items])


def score_claim(draws: np.ndarray, said: float, log_score: float, *, daily: bool) -> dict[str, float]:
    """Return the scores of a claim: draws of its log, its log, the log of its density."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "covered": float(low <= said <= high),
        "crps": score_ranks(draws, said),
        "log_score": log_score,
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


def score_rows(design: Design, sample: Sample, rows: np.ndarray, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return the scores of the rows left out that give a number as it is: not at least, at most or a range."""
    forecasts, scored, found = forecast_rows(design, sample, rows, rng), pick_scored(design), []
    for row in np.flatnonzero(rows & scored):
        item, law = design.beliefs.rows[row].observation, forecasts[row]
        said = np.log(max(item.claim.central, 0.5))
        lower, upper = (item.lower, item.upper) if item.form == "cell" else (said - 5e-4, said + 5e-4)
        lower = lower if np.isfinite(lower) else said - 1.0  # of none
        daily = item.claim.measure == "interval"
        found.append(score_claim(law.draw(rng), said, law.weigh(lower, upper), daily=daily))
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
        scores, attempts, rhats = [], [], []
        for fold in range(FOLDS):
            fitted = leave_out(whole, folds == fold)
            fit = fit_design(fitted, fold + 1, choose_ladder(fitted))
            sample = take_posterior(whole, fit.draws, fold)
            scores += score_rows(whole, sample, folds == fold, np.random.default_rng(fold))
            rhats.append(fit.verdict.max_rhat)
            attempts.append(fit.attempts)
        found[kind] = {**average(scores), "attempts": attempts, "rhats": rhats}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or FOLDINGS)
