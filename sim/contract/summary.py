"""What `summary.json` holds (see `docs/formats.md`): the fields are its keys, in the order in which it has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from sim.case.case import MAX_FORCES, MAX_SOURCES, Role, Victims
from sim.case.claims import Qualifier
from sim.case.wordings import PART, WORDINGS, Unit, Wording
from sim.contract.values import (
    DOTS,
    SCHEMA,
    Count,
    CountIntervals,
    Day,
    Few,
    Flag,
    Intervals,
    Key,
    Label,
    Number,
    Points,
    Seconds,
    Share,
    Texts,
    Whole,
)
from sim.system.reading import MAX_ROWS

MAX_DAYS_DRAWN = 50_000
CURVES = {"low_90": 0.05, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_90": 0.95}  # quantiles, by field


@dataclass(frozen=True, kw_only=True)
class Priors:
    """The prior set: what it borrowed from the default one, and what the case put in its place."""

    name: str
    provisional: Flag
    learned: Flag
    borrowed: Texts
    overrides: Texts


@dataclass(frozen=True, kw_only=True)
class NamedForce:
    """A force, its name in words, and who they are."""

    force: Key
    label: Label
    victims: Victims = "military"


@dataclass(frozen=True, kw_only=True)
class NamedSource:
    """A source, its name in words, and its possible roles towards each force."""

    source: Key
    label: Label
    roles: dict[Key, tuple[Role, ...]]
    rating: Label


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Whether the draws can be trusted; `attempts` is 2 where the first sampling did not converge."""

    max_rhat: Number
    min_ess_bulk: Number | None
    min_ess_tail: Number | None
    divergences: Whole
    worst: dict[str, str]
    reasons: Texts
    chains: Whole
    draws: Whole
    attempts: Whole
    seconds: Seconds


@dataclass(frozen=True, kw_only=True)
class Question:
    """What `check` asks of a row, and nobody has answered."""

    kind: Label
    where: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A count on the headline's day; `parts` are the base outcomes that it sums, none for the size of a force.

    `p_zero` is the probability that there was none; 0 in runs that were made before it was kept.
    """

    force: Key
    quantity: Key
    parts: tuple[Key, ...]
    as_of: Day
    median: Count
    mean: Count | None
    sd: Count | None
    log_mean: Number
    log_sd: Count
    mcse_median: Count
    mcse_interval_90: tuple[Count, Count]
    intervals: CountIntervals
    prior_median: Count
    prior_intervals: CountIntervals
    prior_share: Share
    bias_share: Share
    percentiles: Points
    dots: Annotated[tuple[Count, ...], Field(min_length=DOTS, max_length=DOTS)]
    p_zero: Share = 0.0


@dataclass(frozen=True, kw_only=True)
class Exceedance:
    """The probability that a count is above a threshold of the case."""

    force: Key
    quantity: Key
    above: Count
    probability: Share
    words: Label


@dataclass(frozen=True, kw_only=True)
class Bias:
    """What a source makes of the truth, as a multiplier; `prior_share` of its prior's variance is left.

    `prior_median` is what such sources made of it in past wars; None in runs that were made before it was kept.
    """

    source: Key
    force: Key
    quantity: Key
    median: Count
    intervals: CountIntervals
    prior_share: Share
    prior_median: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Variance:
    """The shares of the variance of the log of a count."""

    force: Key
    quantity: Key
    shares: Annotated[dict[Label, Number], Field(max_length=50)]


@dataclass(frozen=True, kw_only=True)
class NextReport:
    """What one more report is worth: width of the 90% interval over that of now, gain of the log score in nats."""

    source: str
    label: Label
    force: Key
    quantity: Key
    width_ratio: Number
    log_score_gain: Number


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of a source's role: its probability before and after the claims, and the medians under it."""

    source: Key
    force: Key
    role: Role
    prior: Share
    probability: Share
    medians: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")], Count], Few]


@dataclass(frozen=True, kw_only=True)
class JudgedClaim:
    """A row of `claims.csv` (see `sim.case.claims.Claim`), and what became of it.

    `as_of` is as it is read: of a war that is over its last day, where the row has a later one.
    `owner` is whose claim it is, where another relays it. Of a used claim `expected` is the median of what its source
    would have said, in the claim's unit, and `standardised` how many standard deviations the claim is off; of others
    they are None, and `expected_intervals` is not written. A used claim that `denies` what others count is no number,
    and nothing is expected of it.
    """

    id: str
    source: Key
    speaker: str
    force: Key
    quantity: Key
    measure: Literal["cumulative", "interval", "stock"]
    as_of: Day
    since: Day | None
    published: Day
    qualifier: Qualifier
    low: Count | None
    value: Count | None
    high: Count | None
    unit: Unit
    of: str
    digits: Whole | None
    log_sd: Count | None
    part: str = ""
    statement: str
    replaces: str
    origin: str
    report: str
    url: str
    phrase: str
    note: str
    exclude: str
    used: Flag
    owner: Key
    why_not: str | None
    denies: Flag = False
    expected: Count | None = None
    standardised: Number | None = None
    expected_intervals: CountIntervals | None = None

    @property
    def wording(self) -> Wording:
        """What its qualifier means; of a number of one place, that the whole is at least as large."""
        return PART if self.part else WORDINGS[self.qualifier]

    @property
    def said(self) -> tuple[float, ...]:
        """The number said, or of a range both its ends; empty where the row lacks one."""
        columns = WORDINGS[self.qualifier].columns
        known = tuple(number for number in (getattr(self, name) for name in columns) if number is not None)
        return known if len(known) == len(columns) else ()


@dataclass(frozen=True, kw_only=True)
class DerivedEstimate:
    """A derived quantity; `undefined` is the share of draws in which it has no value."""

    name: Key
    label: Label
    unit: Label
    expr: str
    median: Number | None
    intervals: Intervals | None
    percentiles: Points | None
    undefined: Share


Curve = Annotated[tuple[Count, ...], Field(max_length=MAX_DAYS_DRAWN)]


@dataclass(frozen=True, kw_only=True)
class CountPath:
    """The cumulative count by the evening of each day, with its 50% and 90% intervals."""

    force: Key
    quantity: Key
    days: Annotated[tuple[Day, ...], Field(max_length=MAX_DAYS_DRAWN)]
    low_90: Annotated[Curve, Field(alias="low_0.9")]
    low_50: Annotated[Curve, Field(alias="low_0.5")]
    median: Curve
    high_50: Annotated[Curve, Field(alias="high_0.5")]
    high_90: Annotated[Curve, Field(alias="high_0.9")]


@dataclass(frozen=True, kw_only=True)
class MemoHead:
    """What page one of a memo says of itself, as the case's table `memo` gives it."""

    author: Label = ""
    institution: Label = ""
    date: Day | None = None
    classification: Label = ""
    distribution: Label = ""
    headline: Annotated[tuple[Label, ...], Few] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """The contents of `summary.json`: all that figures and memos are made of.

    `ongoing` is written where it is true: the case gives no end of the losses. `memo` is written where the case has it.
    """

    schema: Literal[1] = SCHEMA
    case: str
    title: Label
    as_of: Day
    known_by: Day | None
    seed: Whole
    inputs: str
    prior: Priors
    forces: Annotated[tuple[NamedForce, ...], Field(min_length=1, max_length=MAX_FORCES)]
    sources: Annotated[tuple[NamedSource, ...], Field(max_length=MAX_SOURCES)]
    trusted: Flag
    diagnostics: Diagnostics
    estimates: Annotated[tuple[Estimate, ...], Few]
    exceedance: Annotated[tuple[Exceedance, ...], Few]
    bias: Annotated[tuple[Bias, ...], Few]
    variance: Annotated[tuple[Variance, ...], Few]
    next_reports: Annotated[tuple[NextReport, ...], Few]
    readings: Annotated[tuple[Reading, ...], Few]
    claims: Annotated[tuple[JudgedClaim, ...], Field(max_length=MAX_ROWS)]
    derived: Annotated[tuple[DerivedEstimate, ...], Few]
    used_claims: Whole
    paths: Annotated[tuple[CountPath, ...], Few]
    ongoing: Flag = False
    memo: MemoHead | None = None
    questions: Annotated[tuple[Question, ...], Few] = ()


def is_repetition(quantity: str, parts: Sequence[str]) -> bool:
    """Return whether a count is a total of a single part, which would say the same twice."""
    return len(parts) == 1 and parts[0] != quantity


def list_distinct(result: Result, force: str | None = None) -> list[Estimate]:
    """Return the estimates, of a force or of all, without totals that add up the same as one before them."""
    kept: dict[tuple[str, tuple[str, ...]], Estimate] = {}
    for entry in result.estimates:
        if force is None or entry.force == force:
            kept.setdefault((entry.force, tuple(sorted(entry.parts)) or (entry.quantity,)), entry)
    return list(kept.values())


def choose_leading(counts: Mapping[tuple[str, str], Sequence[str]]) -> list[tuple[str, str]]:
    """Return the counts that are told first: the killed and the casualties of each force, or what there is.

    Parameters
    ----------
    counts : mapping of (force, quantity) to parts
        The base outcomes that each sums.
    """
    distinct = [key for key, parts in counts.items() if not is_repetition(key[1], parts)]
    return [key for key in distinct if key[1] in ("killed", "casualties")] or distinct[:2]
