"""What `sensitivity.json` holds: every variant of a case, and what became of each count (see `docs/formats.md`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from sim.case.case import MAX_FORCES
from sim.contract.summary import NamedForce
from sim.contract.values import (
    SCHEMA,
    Count,
    CountEdges,
    CountIntervals,
    Day,
    Few,
    Flag,
    Key,
    Label,
    Number,
    Texts,
    Whole,
)


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A count that the report leads with."""

    force: Key
    quantity: Key


@dataclass(frozen=True, kw_only=True)
class FittedCount(Headline):
    """A count under one fit; `log_sd` is the standard deviation of log(C + 1/2)."""

    median: Count
    log_sd: Count
    intervals: CountIntervals


@dataclass(frozen=True, kw_only=True)
class ShiftedCount(FittedCount):
    """A count under a variant: the change of its median of log C in standard deviations, and that of its width."""

    shift_sd: Number
    shift_mcse: Number
    width_ratio: Number


@dataclass(frozen=True, kw_only=True)
class Base:
    """The case as it stands."""

    trusted: Flag
    how: str
    k: Number | None
    quantities: Annotated[tuple[FittedCount, ...], Few]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A variant, led by what became of the headline; `k` is Pareto's, where draws were reweighted."""

    kind: str
    what: str
    label: str
    median: Count
    intervals: CountIntervals
    shift_sd: Number
    shift_mcse: Number
    width_ratio: Number
    how: str
    k: Number | None
    trusted: Flag
    quantities: Annotated[tuple[ShiftedCount, ...], Few]


@dataclass(frozen=True, kw_only=True)
class PriorPower:
    """ArviZ's power-scaling sensitivity of a count to a group of priors."""

    group: str
    force: Key
    quantity: Key
    psense: Number


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """By what factor two groups of sources differ in what each would say alone, and the p-value of no difference."""

    first: str
    second: str
    force: Key
    quantity: Key
    factor: Count
    interval_90: CountEdges
    trusted: Flag
    p: Number
    p_adjusted: Number
    tests: Whole


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How far a claim is off what was forecast without it, in predictive standard deviations; `k` is Pareto's."""

    claim: str
    off_by: Number
    k: Number


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """The contents of `sensitivity.json`; `force` and `headline` name the count that leads the scenarios."""

    schema: Literal[1] = SCHEMA
    case: str
    title: Label
    as_of: Day
    seed: Whole
    force: Key
    headline: Key
    headlines: Annotated[tuple[Headline, ...], Few]
    inputs: str
    base: Base
    scenarios: Annotated[tuple[Scenario, ...], Few]
    priors: Annotated[tuple[PriorPower, ...], Few]
    groups: Texts
    conflict: Annotated[tuple[Conflict, ...], Few]
    fits: Whole
    untrusted_fits: Whole
    forces: Annotated[tuple[NamedForce, ...], Field(max_length=MAX_FORCES)] = ()
    forecasts: Annotated[tuple[Forecast, ...], Few] = ()


def find_count[Counted: (FittedCount, ShiftedCount)](
    quantities: Iterable[Counted], force: str, quantity: str
) -> Counted:
    """Return what became of one count."""
    return next(each for each in quantities if (each.force, each.quantity) == (force, quantity))
