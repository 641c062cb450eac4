"""What a run's `summary.json` and `manifest.json`, and a sensitivity report, hold as far as they are read again.

They are files that anybody may have edited: what does not have this shape is refused at the border, so that whoever
reads a result behind it need not doubt it. Keys that are not named here may be there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from sim.case.case import MAX_FORCES, MAX_LABEL, MAX_SOURCES, Role
from sim.case.claims import Qualifier, check_year
from sim.case.wordings import WORDINGS
from sim.errors import Fault, InputError, describe_error, quote_value, refuse
from sim.system.tables import MAX_ROWS

MAX_ENTRIES = 10_000  # of a list that grows with forces, quantities and sources
MAX_DAYS_DRAWN = 50_000
CURVES = ("low_0.9", "low_0.5", "median", "high_0.5", "high_0.9")
_ROUNDED = 1e-6  # by which edges may cross, for the digits that they are written with


def _check_day(text: str) -> str:
    try:
        check_year(dt.date.fromisoformat(text))
    except ValueError:
        raise PydanticCustomError("day", "is not a day") from None
    return text


def _check_order(edges: list[float]) -> list[float]:
    if edges[0] > edges[1] + _ROUNDED * abs(edges[1]):
        raise PydanticCustomError("order", "is out of order")
    return edges


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
Label = Annotated[str, Field(max_length=MAX_LABEL)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_check_day)]
Number = Annotated[float, Field(ge=-1e100, le=1e100)]
Count = Annotated[float, Field(ge=0, le=1e100)]
Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0, le=2**53)]
Edges = Annotated[list[Number], Field(min_length=2, max_length=2), AfterValidator(_check_order)]
CountEdges = Annotated[list[Count], Field(min_length=2, max_length=2), AfterValidator(_check_order)]
Points = Annotated[list[Number], Field(min_length=99, max_length=99)]
Few = Field(max_length=MAX_ENTRIES)
Texts = Annotated[list[str], Few]

Intervals = TypedDict("Intervals", {"0.5": Edges, "0.8": Edges, "0.9": Edges, "0.95": Edges})
Counts = TypedDict("Counts", {"0.5": CountEdges, "0.8": CountEdges, "0.9": CountEdges, "0.95": CountEdges})


class _Prior(TypedDict):
    name: str
    provisional: bool
    overrides: Texts
    learned: NotRequired[bool]


class _Force(TypedDict):
    force: Key
    label: Label


class _Source(TypedDict):
    source: Key
    label: Label
    roles: dict[Key, list[Role]]
    rating: Label


class _Diagnostics(TypedDict):
    max_rhat: Number
    min_ess_bulk: Number | None
    min_ess_tail: Number | None
    divergences: Whole
    reasons: Texts
    chains: Whole
    draws: Whole
    attempts: Whole


class _Estimate(TypedDict):
    force: Key
    quantity: Key
    parts: list[Key]
    median: Count
    mean: Count | None
    sd: Count | None
    log_sd: Count
    mcse_median: Count
    intervals: Counts
    prior_median: Count
    prior_intervals: Counts
    prior_share: Share
    bias_share: Share
    percentiles: Points
    dots: Annotated[list[Count], Field(min_length=20, max_length=20)]


class _Exceedance(TypedDict):
    force: Key
    quantity: Key
    above: Count
    probability: Share
    words: Label


class _Bias(TypedDict):
    source: Key
    force: Key
    quantity: Key
    median: Count
    intervals: Counts
    prior_share: Share


class _Variance(TypedDict):
    force: Key
    quantity: Key
    shares: Annotated[dict[Label, Number], Field(max_length=50)]


class _NextReport(TypedDict):
    label: Label
    force: Key
    quantity: Key
    width_ratio: Number
    log_score_gain: Number


class _Reading(TypedDict):
    source: Key
    force: Key
    role: Role
    probability: Share
    medians: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")], Count], Few]


class _Claim(TypedDict):
    id: str
    source: Key
    owner: Key
    force: Key
    quantity: Key
    measure: Literal["cumulative", "interval", "stock"]
    as_of: Day
    since: Day | None
    qualifier: Qualifier
    low: Count | None
    value: Count | None
    high: Count | None
    unit: Literal["count", "share"]
    of: str
    report: str
    url: str
    phrase: str
    note: str
    exclude: str
    used: bool
    why_not: str | None
    expected: Count | None
    expected_intervals: NotRequired[Counts]
    standardised: Number | None


class _Derived(TypedDict):
    name: Key
    label: Label
    unit: Label
    median: Number | None
    intervals: Intervals | None
    percentiles: Points | None
    undefined: Share


_Curve = Annotated[list[Count], Field(max_length=MAX_DAYS_DRAWN)]
_Path = TypedDict(
    "_Path",
    {
        "force": Key, "quantity": Key, "days": Annotated[list[Day], Field(max_length=MAX_DAYS_DRAWN)],
        "low_0.9": _Curve, "low_0.5": _Curve, "median": _Curve, "high_0.5": _Curve, "high_0.9": _Curve,
    },
)  # fmt: skip


class Result(TypedDict):
    """The contents of `summary.json`."""

    schema: Literal[1]
    case: str
    title: Label
    as_of: Day
    known_by: Day | None
    seed: Whole
    inputs: str
    prior: _Prior
    forces: Annotated[list[_Force], Field(min_length=1, max_length=MAX_FORCES)]
    sources: Annotated[list[_Source], Field(max_length=MAX_SOURCES)]
    trusted: bool
    diagnostics: _Diagnostics
    estimates: Annotated[list[_Estimate], Few]
    exceedance: Annotated[list[_Exceedance], Few]
    bias: Annotated[list[_Bias], Few]
    variance: Annotated[list[_Variance], Few]
    next_reports: Annotated[list[_NextReport], Few]
    readings: Annotated[list[_Reading], Few]
    claims: Annotated[list[_Claim], Field(max_length=MAX_ROWS)]
    derived: Annotated[list[_Derived], Few]
    used_claims: Whole
    paths: Annotated[list[_Path], Few]


class Manifest(TypedDict):
    """The contents of `manifest.json`."""

    seed: Whole
    command: Texts
    inputs: Annotated[dict[str, str], Few]
    versions: Annotated[dict[str, str], Few]
    outputs: NotRequired[Annotated[dict[str, str], Few]]


class _Shift(TypedDict):
    force: Key
    quantity: Key
    median: Count
    intervals: Counts
    shift_sd: Number
    width_ratio: Number


class _Scenario(TypedDict):
    kind: str
    label: str
    trusted: bool
    k: Number | None
    quantities: Annotated[list[_Shift], Few]


class _Headline(TypedDict):
    force: Key
    quantity: Key


class _Base(TypedDict):
    trusted: bool
    quantities: Annotated[list[_Headline], Few]


class _Power(TypedDict):
    force: Key
    quantity: Key
    group: str
    psense: Number


class _Conflict(TypedDict):
    first: str
    second: str
    force: Key
    quantity: Key
    factor: Count
    p_adjusted: Number
    tests: Whole
    trusted: bool


class Sensitivity(TypedDict):
    """The contents of `sensitivity.json`, as far as a memo tells it."""

    schema: Literal[1]
    inputs: str
    base: _Base
    headlines: Annotated[list[_Headline], Few]
    scenarios: Annotated[list[_Scenario], Few]
    priors: Annotated[list[_Power], Few]
    conflict: Annotated[list[_Conflict], Few]
    groups: list[Any]


def check_result(data: Any, file: str) -> dict[str, Any]:
    """Return the content of a `summary.json`, or refuse it."""
    found = _check_shape(data, Result, file)
    faults = list(_check_references(found, file))
    if faults:
        raise _tell_damage(file, faults)
    return found


def check_manifest(data: Any, file: str) -> dict[str, Any]:
    """Return the content of a `manifest.json`, or refuse it."""
    return _check_shape(data, Manifest, file)


def check_sensitivity(data: Any, file: str) -> dict[str, Any]:
    """Return the content of a `sensitivity.json`, or refuse it."""
    found = _check_shape(data, Sensitivity, file)
    names = {(entry["force"], entry["quantity"]) for entry in found["headlines"]}
    for scenario in found["scenarios"]:
        if not names <= {(entry["force"], entry["quantity"]) for entry in scenario["quantities"]}:
            raise refuse(
                file, quote_value(scenario["label"]), "is damaged: it lacks a headline", "run the report again"
            )
    return found


def _check_shape(data: Any, shape: Any, file: str) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("schema") != 1:
        raise refuse(file, "schema", "is not 1", "use the version of truetoll that wrote it")
    try:
        _adapt(shape).validate_python(data, strict=True)
    except ValidationError as error:
        items = error.errors(include_url=False, include_context=False)
        raise _tell_damage(file, [describe_error(item, file, "") for item in items]) from None
    return data


def _tell_damage(file: str, faults: list[Fault]) -> InputError:
    """Return the first of the faults of a file that nobody mends by hand, and how many there are."""
    more = f", and {len(faults) - 1} more faults" if len(faults) > 1 else ""
    return refuse(file, faults[0].where, f"is damaged: {faults[0].problem}{more}", "run the case again")


@cache
def _adapt(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _check_references(result: dict[str, Any], file: str) -> Iterator[Fault]:
    """Find what points at a source, force or count that is not there, and entries that lack what goes with them."""
    forces = {entry["force"] for entry in result["forces"]}
    sources = {entry["source"]: entry["roles"] for entry in result["sources"]}
    checks: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
        "estimates": lambda _: (),
        "exceedance": lambda _: (),
        "next_reports": lambda _: (),
        "bias": lambda entry: [] if sources.get(entry["source"], {}).get(entry["force"]) else ["has no role there"],
        "variance": lambda _: (),
        "readings": lambda entry: _check_known(entry, ("source",), sources),
        "claims": lambda entry: chain(_check_known(entry, ("source", "owner"), sources), _check_claim(entry)),
        "paths": _check_path,
    }
    for name, check in checks.items():
        for place, entry in enumerate(result[name]):
            known = [] if entry["force"] in forces else [f"{quote_value(entry['force'])} is no force"]
            yield from (Fault(file, f"{name}.{place}", what, "") for what in (*known, *check(entry)))
    for place, entry in enumerate(result["derived"]):
        if len({entry[name] is None for name in ("median", "intervals", "percentiles")}) > 1:
            yield Fault(file, f"derived.{place}", "is undefined in part", "")


def _check_known(entry: dict[str, Any], names: Iterable[str], sources: Container[str]) -> Iterator[str]:
    for name in names:
        if entry[name] not in sources:
            yield f"{quote_value(entry[name])} is no source"


def _check_path(path: dict[str, Any]) -> Iterator[str]:
    if len({len(path[name]) for name in ("days", *CURVES)}) > 1:
        yield "has curves of another length than its days"
    if path["days"] != sorted(set(path["days"])):
        yield "has its days out of order"


def _check_claim(claim: dict[str, Any]) -> Iterator[str]:
    if not claim["used"]:
        return
    for name in (*WORDINGS[claim["qualifier"]].columns, "expected", "expected_intervals", "standardised"):
        if claim.get(name) is None:
            yield f"is used and lacks {name}"
    if claim["expected"] == 0:
        yield "is used and expected to be zero"
