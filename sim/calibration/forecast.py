"""Forecasts of wars whose losses are now known, by priors that never saw them.

The priors are those learned from the other wars, or a set that stands as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.calibration.bywar.kept import learn_kept
from sim.calibration.bywar.passes import PASSES, LearnedSites, learn_sites
from sim.calibration.hindcasts import Hindcast, update_odds
from sim.calibration.learn import seed_of, update_priors
from sim.calibration.record import Record
from sim.calibration.truths import Truth
from sim.case.priors import PriorSet
from sim.errors import refuse
from sim.model.design import design_model
from sim.posterior.fit import Effort
from sim.posterior.sample import Sample
from sim.posterior.verdict import Ladder, fit_design
from sim.sampler.diagnostics import Limits
from sim.system.store import Entry
from sim.system.tasks import TaskOptions, gather_results

Floats = NDArray[np.float64]

# Judged are the counts that are forecast. With 2,000 draws each the interval score of the record scattered by .03 from
# seed to seed, with 10,000 by .01.
OF_FORECASTS = Ladder((Effort(2_500, 300, 0.95), Effort(5_000, 400, 0.98)), Limits(max_rhat=1.02))
MIN_WARS = 2  # so that one can be left out
KEPT = 1_000  # quantiles of each forecast


@dataclass(frozen=True)
class Forecast:
    """A forecast of one truth.

    Attributes
    ----------
    case, force, quantity, day : str
    quantiles : ndarray, shape (KEPT,)
        Of the count, at the middles of equal probabilities.
    p_zero : float
        The probability that nothing was lost.
    trusted : bool
        Whether the chains agree, those of what was learned included.
    """

    case: str
    force: str
    quantity: str
    day: str
    quantiles: Floats
    p_zero: float
    trusted: bool


class _KeptForecast(TypedDict):
    case: str
    force: str
    quantity: str
    day: str
    quantiles: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=KEPT, max_length=KEPT)]
    p_zero: Annotated[float, Field(ge=0, le=1)]
    trusted: bool


class Kept(TypedDict):
    """The forecasts of a war as they are kept."""

    forecasts: list[_KeptForecast]


def forecast_case(hindcast: Hindcast, priors: PriorSet, seed: int) -> list[Forecast]:
    """Forecast the truths of a case from its claims."""
    start = hindcast.case.start
    days = [truth.day for truth in hindcast.truths]
    mornings = [max(truth.start - dt.timedelta(days=1), start) for truth in hindcast.truths]
    design = design_model(hindcast.case, priors, as_of=max(days), days=[*days, *mornings])

    def count_truths(sample: Sample) -> list[Floats]:
        return [_count(sample, truth, start) for truth in hindcast.truths]

    def list_judged(sample: Sample) -> Mapping[str, Floats]:
        return {str(number): np.log(values + 0.5) for number, values in enumerate(count_truths(sample))}

    fit = fit_design(design, seed_of(seed, hindcast.case.name), OF_FORECASTS, list_judged)
    middles = (np.arange(KEPT) + 0.5) / KEPT
    return [
        Forecast(
            hindcast.case.name,
            truth.force,
            truth.quantity,
            truth.day.isoformat(),
            np.rint(np.quantile(values, middles)),
            float(np.mean(values < 0.5)),
            fit.verdict.trusted,
        )
        for truth, values in zip(hindcast.truths, count_truths(fit.sample), strict=True)
    ]


def _count(sample: Sample, truth: Truth, start: dt.date) -> Floats:
    """Return the count of a truth's quantity from the truth's first day to its last, shape (draws,)."""
    count = sample.count(truth.key, truth.quantity, truth.day)
    if truth.start > start and truth.quantity != "deployed":
        count = count - sample.count(truth.key, truth.quantity, truth.start - dt.timedelta(days=1))
    return count


@dataclass(frozen=True)
class LeftOut:
    """What wars are forecast by that are left out: the sites of all, and the wars for which the others learn anew.

    The cavity of a war is what the sites of the others say; but these were measured with the war present, which bears
    on them a little. Of the most influential wars that little is the most, and they can be left out by brute force.
    """

    learned: LearnedSites
    refitted: tuple[str, ...]
    passes: tuple[int, int] = PASSES

    def learn_without(self, record: Record, war: str, base: PriorSet, seed: int) -> tuple[PriorSet, bool]:
        """Return priors that never saw a war, and whether what was learned had settled."""
        learned = self.learned
        if war in self.refitted:
            others = [item for item in record.hindcasts if item.war != war]
            learned = learn_sites(others, base, seed_of(seed, war), passes=self.passes)
        found = update_priors(base, learned.without(war), f"without {war}")
        found = update_odds(found, [item for item in record.hindcasts if item.war != war], base)
        return found, learned.diagnostics.trusted


def forecast_war(
    record: Record, war: str, prior: PriorSet | None, left_out: LeftOut | None, base: PriorSet, seed: int
) -> list[Forecast]:
    """Forecast the cases of one war; without a prior set, by what the other wars taught.

    What is learned of sites that do not settle gives forecasts that are not trusted. A war without an established loss
    has taught nothing, and is forecast by what all others say.
    """
    settled = True
    if prior is None and left_out is not None:
        prior, settled = left_out.learn_without(record, war, base, seed)
    own = [item for item in record.hindcasts if item.war == war]
    found = [each for item in own for each in forecast_case(item, prior or base, seed)]
    return [replace(each, trusted=each.trusted and settled) for each in found]


def forecast_wars(
    record: Record,
    prior: PriorSet | None,
    base: PriorSet,
    seed: int,
    refit: int = 0,
    passes: tuple[int, int] = PASSES,
    **options: Unpack[TaskOptions],
) -> list[Forecast]:
    """Forecast every war.

    Parameters
    ----------
    record : Record
    prior : PriorSet, optional
        A set that stands as it is; without it each war is forecast by what is learned from the others, which is kept
        beside the store, as `sites.json`.
    base : PriorSet
        What is believed before that.
    seed : int
    refit : int
        For how many wars, those that bear most on what is learned, the others are learned from anew without them.
    passes : (int, int)
        Of all that is learned: see `sim.calibration.bywar.passes.learn_sites`.
    **options
        See `sim.system.tasks.TaskOptions`.
    """
    if prior is None and len(record.wars) < MIN_WARS:
        raise refuse("the table", "", f"{len(record.wars)} war leaves none to learn from", "give --prior NAME")
    left_out = None
    if prior is None:
        learned = _learn(record, base, seed, passes, options)
        left_out = LeftOut(learned, tuple(war for war, _ in learned.rank_influence()[:refit]), passes)
    found = dict(
        gather_results(
            partial(_forecast_as_entry, record, prior, left_out, base, seed),
            record.wars,
            _read_forecasts,
            depends_on=_list_dependencies(record, prior or base, seed, left_out),
            label="war",
            plural="wars",
            shape=Kept,
            fits=partial(_is_of_war, record),
            **options,
        )
    )
    return [each for war in record.wars for each in found[war]]


def _learn(record: Record, base: PriorSet, seed: int, passes: tuple[int, int], options: TaskOptions) -> LearnedSites:
    """Learn from all wars at once; where what is finished is kept, what was learned is kept too, and gone on from."""
    store = options.get("store")
    if store is None:
        return learn_sites(record.hindcasts, base, seed, passes=passes, **options)
    kept = store.with_name("sites.json")
    return learn_kept(record.hindcasts, base, seed, kept, passes, anew=not options.get("resume"), **options)


def _forecast_as_entry(
    record: Record, prior: PriorSet | None, left_out: LeftOut | None, base: PriorSet, seed: int, war: str
) -> Entry:
    found = forecast_war(record, war, prior, left_out, base, seed)
    return {"forecasts": [{**asdict(each), "quantiles": each.quantiles.tolist()} for each in found]}


def _read_forecasts(_: str, entry: Entry) -> list[Forecast]:
    return [Forecast(**{**each, "quantiles": np.array(each["quantiles"])}) for each in entry["forecasts"]]


def _is_of_war(record: Record, war: Any, entry: Entry) -> bool:
    """Whether kept forecasts are of the truths of a war."""
    truths = [
        (item.case.name, truth.force, truth.quantity, truth.day.isoformat())
        for item in record.hindcasts
        if item.war == war
        for truth in item.truths
    ]
    return [(each["case"], each["force"], each["quantity"], each["day"]) for each in entry["forecasts"]] == truths


def _list_dependencies(record: Record, priors: PriorSet, seed: int, left_out: LeftOut | None) -> Iterator[str]:
    """Yield what the forecasts depend on beside the war."""
    yield from (record.sha256, priors.sha256, priors.name, str(seed), str(OF_FORECASTS))
    if left_out is not None:
        yield from (str(left_out.learned.mean.tolist()), str(left_out.refitted), str(left_out.passes))
