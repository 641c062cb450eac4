"""Back-testing through time: what the claims published by the end of each quarter of a long war said of it.

At each quarter's end the model sees only what had been published, and estimates the losses to date; the estimate is
compared with what is now established, read between its dates on the log scale.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.calibration.bywar.passes import learn_sites
from sim.calibration.forecast import OF_FORECASTS
from sim.calibration.hindcasts import BINS, update_odds
from sim.calibration.learn import seed_of, update_priors
from sim.calibration.record import read_shipped_record
from sim.calibration.scores import LEVELS, Established, score_draws
from sim.calibration.truths import Truth, spell_key
from sim.case.case import Case
from sim.case.priors import PriorSet, read_priors
from sim.errors import refuse
from sim.model.design import design_model
from sim.posterior.sample import Sample
from sim.posterior.verdict import Fit, fit_design
from sim.system.store import Entry
from sim.system.tables import read_rows
from sim.system.tasks import TaskOptions, gather_results

Key = tuple[str, str]  # force and quantity
Series = Mapping[Key, Sequence[Truth]]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Edges = Annotated[list[Finite], Field(min_length=2, max_length=2)]
LIMITS = ("estimate", "ci_lower", "ci_upper", "pi_low", "pi_high")  # of the newspaper's curve


@dataclass(frozen=True)
class QuarterRow:
    """What was estimated of a quantity at a quarter's end, beside what is established now, as the report has it."""

    force: str
    quantity: str
    day: str
    truth_low: float
    truth: float
    truth_high: float
    median: float
    intervals: dict[str, list[float]]
    covered: dict[str, float]
    log_width_90: float
    crps: float


@dataclass(frozen=True)
class Quarter:
    """The rows of a quarter, and whether its fit can be trusted."""

    trusted: bool
    rows: tuple[QuarterRow, ...]


def learn_without(wars: set[str], base: PriorSet, seed: int, **options: Unpack[TaskOptions]) -> PriorSet:
    """Return priors learned from the shipped record without some wars."""
    record = read_shipped_record()
    if not wars & set(record.wars):
        names = ", ".join(sorted(wars))
        raise refuse(
            "--through-time", "", f"no war of the record is called {names}", "spell its group so, or give --prior"
        )
    others = [item for item in record.hindcasts if item.war not in wars]
    learned = learn_sites(others, base, seed, **options)
    return update_odds(update_priors(base, learned, f"without {', '.join(sorted(wars))}"), others, base)


def match_truths(case: Case, truths: Iterable[Truth]) -> dict[Key, list[Truth]]:
    """Return the truths of cumulative losses of a case's forces since its start, by force and quantity, by day.

    A truth's force is that of the case with the same key, or the same label.
    """
    keys = {key: key for key in case.forces}
    keys |= {spell_key(case.label_force(key)): key for key in case.forces}
    found: dict[Key, list[Truth]] = {}
    for truth in sorted(truths, key=lambda truth: truth.day):
        force = keys.get(truth.key)
        if force and truth.start == case.start and truth.tier != "D" and truth.quantity in case.quantities_of(force):
            found.setdefault((force, truth.quantity), []).append(truth)
    return {key: series for key, series in found.items() if len(series) > 1}


def establish(series: Sequence[Truth], day: dt.date) -> Established:
    """Return what is established on a day between the first and the last of a series: each edge on the log scale."""
    days = [truth.day.toordinal() for truth in series]
    edges = [
        float(np.exp(np.interp(day.toordinal(), days, np.log([max(getattr(truth, name), 0.5) for truth in series]))))
        for name in ("low", "value", "high")
    ]
    return Established(*edges)


def list_quarters(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the last days of the quarters from `first` to `last`."""
    ends = [
        dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
        for year in range(first.year, last.year + 1)
        for month in (3, 6, 9, 12)
    ]
    return [end for end in ends if first <= end <= last]


def cut_case(case: Case, day: dt.date) -> Case:
    """Return the case with a path that ends on a day; what was published later is left to `known_by`."""
    width = max(7, math.ceil(((day - case.start).days + 1) / (2 * BINS)))
    file = case.file.model_copy(update={"end": day, "as_of": day, "bin_days": width, "derived": (), "thresholds": ()})
    return Case(name=case.name, folder=case.folder, file=file, claims=case.claims)


def forecast_day(case: Case, priors: PriorSet, day: dt.date, seed: int) -> Fit:
    """Fit what had been published by a day, for the losses to that day."""
    design = design_model(cut_case(case, day), priors, known_by=day)
    return fit_design(design, seed_of(seed, str(day)), OF_FORECASTS, _list_logs)


def _list_logs(sample: Sample) -> dict[str, NDArray[np.float64]]:
    return {".".join(key): np.log(values + 0.5) for key, values in sample.headline.items()}


def _forecast_as_entry(case: Case, priors: PriorSet, series: Series, seed: int, day: str) -> Entry:
    """Return what the report says of a quarter: a row for each quantity of which a truth is known on its last day."""
    end = dt.date.fromisoformat(day)
    fit = forecast_day(case, priors, end, seed)
    rows = [
        _describe(key, end, establish(truths, end), fit.sample.headline[key])
        for key, truths in series.items()
        if truths[0].day <= end <= truths[-1].day
    ]
    return {"trusted": fit.verdict.trusted, "rows": [asdict(row) for row in rows]}


def _read_quarter(_: str, entry: Entry) -> Quarter:
    return Quarter(entry["trusted"], tuple(QuarterRow(**row) for row in entry["rows"]))


class _KeptRow(TypedDict):
    force: str
    quantity: str
    day: str
    truth_low: Finite
    truth: Finite
    truth_high: Finite
    median: Finite
    intervals: dict[str, Edges]
    covered: dict[str, Finite]
    log_width_90: Finite
    crps: Finite


class Kept(TypedDict):
    """A quarter as it is kept."""

    trusted: bool
    rows: list[_KeptRow]


def _is_of_day(series: Series, day: Any, entry: Entry) -> bool:
    """Whether kept rows are of the truths of a quarter's day, at every level."""
    wanted = {str(level) for level in LEVELS}
    known = [
        (*key, day) for key, truths in series.items() if truths[0].day.isoformat() <= day <= truths[-1].day.isoformat()
    ]
    found = [(row["force"], row["quantity"], row["day"]) for row in entry["rows"]]
    return found == known and all(row["intervals"].keys() == row["covered"].keys() == wanted for row in entry["rows"])


def _list_dependencies(case: Case, priors: PriorSet, series: Series, seed: int) -> Iterator[str]:
    """Yield what the quarters' rows depend on beside the quarter."""
    yield from (case.file.model_dump_json(), str(seed), f"{OF_FORECASTS} {LEVELS}", repr(priors.joint))
    yield from (claim.model_dump_json() for claim in case.claims)
    yield from (f"{key} {prior.model_dump_json()}" for key, prior in priors.priors.items())
    yield from (f"{key} {truth.model_dump_json()}" for key, truths in series.items() for truth in truths)


def backtest_quarters(
    case: Case, truths: Iterable[Truth], priors: PriorSet | None, seed: int, **options: Unpack[TaskOptions]
) -> dict[str, Any]:
    """Return the report of `truetoll backtest --through-time`: each quarter's estimate beside what is established.

    Parameters
    ----------
    case : Case
    truths : iterable of Truth
        Of its forces, from its start on.
    priors : PriorSet, optional
        Without it, priors learned from the shipped record without this war.
    seed : int
    **options
        See `sim.system.tasks.TaskOptions`.
    """
    series = match_truths(case, truths)
    if not series:
        raise refuse(case.name, "", "has no force of which two truths are known", "give truths of its forces and start")
    if priors is None:
        wars = {truth.group for found in series.values() for truth in found}
        priors = learn_without(wars, read_priors("vague"), seed, **options)
    first = min(found[0].day for found in series.values())
    last = max(found[-1].day for found in series.values())
    days = [day.isoformat() for day in list_quarters(first, last)]
    found = dict(
        gather_results(
            partial(_forecast_as_entry, case, priors, series, seed),
            days,
            _read_quarter,
            depends_on=_list_dependencies(case, priors, series, seed),
            label="day",
            plural="quarters",
            shape=Kept,
            fits=partial(_is_of_day, series),
            **options,
        )
    )
    rows = [row for day in days for row in found[day].rows]
    return {
        "schema": 1,
        "case": case.name,
        "prior": priors.name,
        "n": len(rows),
        "coverage": {str(level): float(np.mean([row.covered[str(level)] for row in rows])) for level in LEVELS},
        "log_width_90": float(np.mean([row.log_width_90 for row in rows])),
        "crps": float(np.mean([row.crps for row in rows])),
        "fits": len(days),
        "untrusted_fits": sum(not quarter.trusted for quarter in found.values()),
        "rows": [asdict(row) for row in rows],
    }


def _describe(key: Key, day: dt.date, truth: Established, draws: NDArray[np.float64]) -> QuarterRow:
    score = score_draws(truth, draws)
    low, high = score.intervals[0.9]
    return QuarterRow(
        force=key[0],
        quantity=key[1],
        day=day.isoformat(),
        truth_low=truth.low,
        truth=truth.value,
        truth_high=truth.high,
        median=score.median,
        intervals={str(level): list(edges) for level, edges in score.intervals.items()},
        covered={str(level): share for level, share in score.covered.items()},
        log_width_90=math.log((high + 0.5) / (low + 0.5)),
        crps=score.crps,
    )


def read_curve(path: Path) -> list[dict[str, str | float]]:
    """Read the newspaper's curve of deaths: day, country, estimate, and the limits of both its intervals."""
    rows: list[dict[str, str | float]] = []
    for _, cells in read_rows(path, ("date", "type", "country", *LIMITS), "the newspaper's curve"):
        try:
            numbers = {name: float(cells[name]) for name in LIMITS}
            day = dt.date.fromisoformat(cells["date"])
        except (KeyError, ValueError):
            continue  # days that the curve does not cover are NA
        if cells["type"] == "deaths" and all(math.isfinite(number) for number in numbers.values()):
            rows.append({"day": day.isoformat(), "country": cells["country"], **numbers})
    return sorted(rows, key=lambda row: str(row["day"]))
