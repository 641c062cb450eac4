"""The published model on its own table: `python tests/benchmarks/bench_published.py TABLE KNOTS`.

Samples it on the folds of `bench_crossval`, and scores what it forecasts of the same claims in the same way; then on
the whole table, for its totals beside the paper's and for effective draws a second. The authors used 150 knots.
Rows that truetoll does not use (exact duplicates) are left out with the row that they repeat. A fit of which more than
a tenth of the draws diverge is begun anew from other points. Prints a line of JSON for each fit, and the mean scores
of the folds so far; a name of FOLDINGS after the knots runs that alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_crossval import FOLDINGS, FOLDS, average, cut_folds, design_table, pick_scored, score_claim
from published_fit import Fit, fit_reports, forecast, read_draw
from published_model import Reports, make_splines, read_reports

from sim.model.design import Design
from sim.sampler.diagnostics import load_statistics

CHAINS = 2
ROUNDS = (60, 100)
DRAWS = 150
TRIES = 3
STUCK = 0.1 * CHAINS * DRAWS  # divergences


def take(reports: Reports, rows: np.ndarray) -> Reports:
    """Return some of the reports."""
    columns = ("kind", "source", "day", "number", "daily", "low", "high")
    return replace(reports, **{name: getattr(reports, name)[rows] for name in columns})


def fold_reports(design: Design, by_month: bool) -> np.ndarray:
    """Return the fold of each row of the table; -1 where it is never left out."""
    claims = [row.observation.claim for row in design.beliefs.rows]
    folds = cut_folds(design, by_month, np.random.default_rng(1)).tolist()
    of_claim = dict(zip([claim.id for claim in claims], folds, strict=True))
    of_month = {(c.source, c.as_of.year, c.as_of.month): fold for c, fold in zip(claims, folds, strict=True)}
    found = []
    for claim in design.case.claims:
        first = (claim.exclude or "").removeprefix("exact duplicate of ")
        month = (claim.source, claim.as_of.year, claim.as_of.month)
        found.append(of_month.get(month, -1) if by_month else of_claim.get(claim.id, of_claim.get(first, -1)))
    return np.array(found)


def fit_anew(name: str, reports: Reports, knots: int, seed: int) -> Fit:
    """Return a fit, and tell how each try went."""
    for number in range(TRIES):
        started = time.perf_counter()
        fit = fit_reports(reports, knots, seed + 100 * number, CHAINS, list(ROUNDS), DRAWS)
        tell(name, fit, knots, time.perf_counter() - started)
        if fit.divergences <= STUCK:
            break
    return fit


def tell(name: str, fit: Fit, knots: int, seconds: float) -> None:
    """Print how a fit went: R-hat and effective draws of the totals on the last day, their means and 95% intervals."""
    reports = fit.reports
    statistics, splines = load_statistics(), make_splines(reports.days, knots)
    totals = np.array([[np.exp(read_draw(fit, x, splines)[0]).sum(axis=1) for x in chain] for chain in fit.x])
    counts = {}
    for number, kind in enumerate(reports.kinds):
        values = totals[..., number]
        low, high = np.quantile(values, [0.025, 0.975])
        counts[kind] = [round(float(v)) for v in (values.mean(), low, high, statistics.ess(values))]
    worst = max(float(statistics.rhat(totals[..., k])) for k in range(totals.shape[-1]))
    line = {"fit": name, "seconds": seconds, "steps": fit.steps, "divergences": fit.divergences, "rhat": worst}
    sys.stdout.write(json.dumps({**line, "mean, 2.5%, 97.5%, effective draws": counts}) + "\n")
    sys.stdout.flush()


def main(table: Path, knots: int, foldings: Sequence[str]) -> None:
    """Fit the table and each fold, and print the mean scores."""
    reports, design = read_reports(table), design_table(table)
    where = {claim.id: number for number, claim in enumerate(design.case.claims)}
    rows = [row.observation.claim.id for row in design.beliefs.rows]
    scored = np.zeros(len(reports.number), dtype=bool)
    scored[[where[name] for name, used in zip(rows, pick_scored(design), strict=True) if used]] = True
    for kind in foldings:
        folds, scores = fold_reports(design, kind == "source_months"), []
        for fold in range(FOLDS):
            fit = fit_anew(f"{kind} {fold}", take(reports, folds != fold), knots, fold + 1)
            left = np.flatnonzero(scored & (folds == fold))
            drawn, logs = forecast(fit, reports, knots, left, fold)
            for column, row in enumerate(left):
                number, log = reports.number[row], logs[:, column]
                density = float(np.log(np.mean(np.exp(log - log.max()))) + log.max())
                width = np.log((number + 0.5) / (number - 0.5)) if number else 1.0
                values = np.log(np.maximum(drawn[:, column], 0.5))
                said = float(np.log(max(number, 0.5)))
                scores.append(score_claim(values, said, density - np.log(width), daily=bool(reports.daily[row])))
            sys.stdout.write(json.dumps({kind: average(scores), "folds": fold + 1}) + "\n")
            sys.stdout.flush()
    if foldings == FOLDINGS:
        fit_anew("whole", reports, knots, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or FOLDINGS)
