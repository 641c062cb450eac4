"""The track record: claims of past wars beside what is established now, read as cases with known outcomes.

Each case of the table becomes a `Case` whose forces are those that a truth is known of. Nothing that a source said
later than the table allows, or of another force, is used; what was left out is listed.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sim.case import DEFAULT_TOTALS, PERSONNEL, ROLES, Case, CaseFile, Role
from sim.claims import Claim, Day, Number, describe_error, parse_claims, read_text
from sim.errors import Fault, InputError, quote_value
from sim.evidence import weigh_claims
from sim.rules import find_faults
from sim.scores import Established

Tier = Literal["A", "B", "C", "D"]
BINS = 12  # of the path of a case of the table, whose bins are at least a week long
MAX_DELAY = dt.timedelta(days=366)  # a claim published later than this after its day is hindsight
_NO_LOSS = {"standing"}
_WAVE = {"name": "all", "median": 10_000, "log_sd": 3.45}
LATE = "published more than a year after"


def _parse_role(value: Any) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise PydanticCustomError("role", f"is not a role; use {', '.join(ROLES)}")


def _parse_key(value: Any) -> Any:
    """Spell a name as a key, the same in every row: "UK MoD" as uk_mod."""
    if not isinstance(value, str):
        return value
    key = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")[:60]
    if not key:
        raise PydanticCustomError("key", "is not a name; use letters and digits")
    return key if key[0].isalpha() else f"n_{key}"[:60]


Key = Annotated[str, BeforeValidator(_parse_key)]


class RecordedClaim(Claim):
    """A row of a table of many cases: a claim with its case, and the role of its source in it."""

    case: Key
    source: Key
    force: Key
    quantity: Key
    role: Annotated[Role, BeforeValidator(_parse_role)]


class Truth(BaseModel):
    """What is established of one quantity of a force: a triangular law over low..high with its mode at `value`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Key
    group: Key
    tier: Tier
    force: Key
    population: str = ""
    quantity: Key
    start: Day
    end: Day
    as_of: Day
    low: Number
    value: Number
    high: Number
    basis: str = ""
    url: str = ""
    row: int = 0

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: dict[str, Any]) -> dict[str, Any]:
        low, value, high = (data.get(name) for name in ("low", "value", "high"))
        if value is None and (low is None or high is None):
            raise PydanticCustomError("edges", "lacks value, and low or high; give the value or both edges")
        filled = {"low": value if low is None else low, "high": value if high is None else high}
        if value is None:
            try:
                filled["value"] = str((float(str(low)) + float(str(high))) / 2)
            except ValueError:
                filled["value"] = low
        return {**data, **filled}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise PydanticCustomError(
                "order", f"has {self.low:g}, {self.value:g}, {self.high:g}; sort low, value, high"
            )
        if not self.start <= self.end or self.as_of < self.start:
            raise PydanticCustomError("days", "has its days out of order; start, then end, and as_of from start on")
        return self

    @property
    def day(self) -> dt.date:
        """The day that the truth is taken on: as_of, or the last day of the losses where that is earlier."""
        return min(self.as_of, self.end)

    @property
    def is_zero(self) -> bool:
        """Whether nothing was lost: whoever claimed a loss made it up."""
        return self.value == 0

    @property
    def established(self) -> Established:
        """The triangular law."""
        return Established(self.low, self.value, self.high)

    def log_moments(self) -> tuple[float, float]:
        """Return mean and standard deviation of the law of log(count + 1/2)."""
        logs = np.log(self.established.points(200) + 0.5)
        return float(logs.mean()), float(logs.std())


@dataclass(frozen=True)
class Hindcast:
    """One case of the table: the claims as a case of its own, and what is established of it."""

    case: Case
    war: str
    truths: tuple[Truth, ...]


@dataclass(frozen=True)
class Record:
    """A table of claims and truths.

    Attributes
    ----------
    hindcasts : tuple of Hindcast
        Those with a truth of tier A to C.
    skipped : tuple of str
        What is reported and not used: truths of tier D, and rows that rules of the table leave out.
    sha256 : str
        Of both files.
    """

    hindcasts: tuple[Hindcast, ...]
    skipped: tuple[str, ...]
    sha256: str

    @property
    def wars(self) -> tuple[str, ...]:
        """The wars, in the order of the table."""
        return tuple(dict.fromkeys(item.war for item in self.hindcasts))


def read_record(claims: Path, truths: Path) -> Record:
    """Read a table of many cases.

    Parameters
    ----------
    claims, truths : Path
        `claims.csv` with the columns `case` and `role`, and `truth.csv`.

    Raises
    ------
    InputError
        With every fault of both files.
    """
    texts = read_text(claims), read_text(truths)
    rows, faults, _ = parse_claims(texts[0], claims.name, RecordedClaim)
    known, more = _parse_truths(texts[1], truths.name)
    faults += [*more, *_check_truths(known, truths.name)]
    cases = {truth.case for truth in known}
    for row in rows:
        if row.case not in cases:
            problem = f"{quote_value(row.case)} has no truth, and so no group"
            faults.append(Fault(claims.name, f"row {row.row}, column case", problem, f"add it to {truths.name}"))
    if faults:
        raise InputError(faults)
    hindcasts, skipped = [], [
        f"{truth.case}, {truth.force}, {truth.quantity}: tier D is not scored" for truth in known if truth.tier == "D"
    ]  # fmt: skip
    for name in dict.fromkeys(truth.case for truth in known if truth.tier != "D"):
        used = tuple(truth for truth in known if truth.case == name and truth.tier != "D")
        bad = [truth for truth in used if truth.quantity in _NO_LOSS]
        if bad:
            faults += [
                Fault(
                    truths.name, f"row {truth.row}, column quantity", f"{truth.quantity} is no loss", "name an outcome"
                )
                for truth in bad
            ]
            continue
        case, left_out = _build_case(name, used, rows)
        skipped += left_out
        found = find_faults(case)
        faults += [Fault(claims.name, fault.where, f"{fault.problem} ({name})", fault.remedy) for fault in found]
        if not found:
            faults += list(_check_usable(used, case, truths.name))
        hindcasts.append(Hindcast(case, used[0].group, used))
    if faults:
        raise InputError(faults)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return Record(tuple(hindcasts), tuple(skipped), digest)


def read_truths(path: Path) -> list[Truth]:
    """Read a table of truths alone."""
    truths, faults = _parse_truths(read_text(path), path.name)
    faults += _check_truths(truths, path.name)
    if faults:
        raise InputError(faults)
    return truths


def _parse_truths(text: str, file: str) -> tuple[list[Truth], list[Fault]]:
    faults: list[Fault] = []
    truths: list[Truth] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        wanted = [name for name, field in Truth.model_fields.items() if field.is_required()]
        for name in wanted:
            if name not in header:
                faults.append(Fault(file, "row 1", f"lacks the column '{name}'", "add it"))
        for name in header:
            if name not in Truth.model_fields or name == "row":
                faults.append(Fault(file, "row 1", f"has an unknown column {quote_value(name)}", "remove it"))
        if faults:
            return [], faults
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"row {reader.line_num}"
            if len(cells) != len(header):
                problem = f"has {len(cells)} cells, the header has {len(header)}"
                faults.append(Fault(file, where, problem, "quote cells that hold commas"))
                continue
            given = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
            try:
                truths.append(Truth.model_validate({**given, "row": reader.line_num}))
            except ValidationError as error:
                prefix = f"{where}, "
                faults += [
                    describe_error({**item, "input": given.get("case", "")} if not item["loc"] else item, file, prefix)
                    for item in error.errors(include_url=False)
                ]
    except csv.Error as error:
        faults.append(Fault(file, f"line {reader.line_num}", f"is not CSV ({error})", "quote cells that hold commas"))
    return truths, faults


def _check_truths(truths: Sequence[Truth], file: str) -> Iterator[Fault]:
    seen: dict[tuple[object, ...], int] = {}
    wars: dict[str, str] = {}
    for truth in truths:
        key = (truth.case, truth.force, truth.quantity, truth.as_of)
        if key in seen:
            problem = f"is a second truth of {truth.quantity} of {truth.force} on {truth.as_of} (row {seen[key]})"
            yield Fault(file, f"row {truth.row}", problem, "keep one")
        seen.setdefault(key, truth.row)
        if wars.setdefault(truth.case, truth.group) != truth.group:
            problem = f"{quote_value(truth.group)} is another group than {quote_value(wars[truth.case])} of its case"
            yield Fault(file, f"row {truth.row}, column group", problem, "a case lies in one war")


def _check_usable(truths: Iterable[Truth], case: Case, file: str) -> Iterator[Fault]:
    observations = weigh_claims(case).observations
    for truth in truths:
        if not any(item.claim.force == truth.force for item in observations):
            problem = f"has no usable claim on {truth.force} in {truth.case}"
            yield Fault(file, f"row {truth.row}", problem, "add one, or set tier D")


def _build_case(name: str, truths: Sequence[Truth], table: Sequence[RecordedClaim]) -> tuple[Case, list[str]]:
    """Return a case of the table, and what was left out of it."""
    forces = list(dict.fromkeys(truth.force for truth in truths))
    start, end = min(truth.start for truth in truths), max(truth.end for truth in truths)
    rows = [row for row in table if row.case == name]
    used = [row for row in rows if row.force in forces]
    left_out = [f"{row.id}: speaks of {row.force}, of which no truth is known" for row in rows if row not in used]
    source_of = {row.id: row.source for row in table}
    kept = {row.id for row in used}
    claims = [_fit_claim(row, start, end, kept, source_of) for row in used]
    roles: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row, claim in zip(used, claims, strict=True):
        for source in {claim.source, claim.origin} - kept - {""}:
            roles[source][row.force].append(row.role)
    sources = {key: {"role": {force: _roles_of(roles[key], force) for force in forces}} for key in sorted(roles)}
    sized = {truth.force for truth in truths if truth.quantity == "deployed"}
    file = CaseFile.model_validate(
        {
            "schema": 1,
            "title": name,
            "start": start,
            "end": end,
            "bin_days": max(7, math.ceil(((end - start).days + 1) / BINS)),
            "forces": {
                force: {
                    "outcomes": _list_outcomes(force, truths, claims),
                    "waves": [_WAVE | {"from": start, "to": start}],
                }
                if force in sized
                else {"outcomes": _list_outcomes(force, truths, claims)}
                for force in forces
            },
            "sources": sources,
        }
    )
    return Case(name=name, folder=Path(name), file=file, claims=tuple(claims)), left_out


def _roles_of(by_force: dict[str, list[str]], force: str) -> list[str]:
    """Return a source's roles towards a force; where it speaks of other forces alone, any will do."""
    found = by_force.get(force) or next(iter(by_force.values()))
    return list(dict.fromkeys(found))


def _fit_claim(row: RecordedClaim, start: dt.date, end: dt.date, kept: set[str], source_of: Mapping[str, str]) -> Claim:
    """Return a row as a claim of its case: dated within the losses, and left out where it is hindsight.

    A row that repeats one outside the case counts for that one's source.
    """
    data = row.model_dump(exclude={"case", "role"})
    if row.origin and row.origin not in kept:
        data["origin"] = source_of.get(row.origin) or _parse_key(row.origin)
    if row.replaces not in kept:
        data["replaces"] = ""
    if not row.exclude and row.published - max(row.as_of, end) > MAX_DELAY:
        data["exclude"] = LATE
    elif not row.exclude and row.as_of < start and row.quantity != "deployed":
        data["exclude"] = "speaks of days before the losses that are known"
    if not data["exclude"]:
        data["as_of"] = max(min(row.as_of, end), start)
        data["published"] = max(row.published, data["as_of"])
        if row.since is not None:
            data["since"] = min(max(row.since, start), data["as_of"])
    return Claim.model_validate(data)


def _list_outcomes(force: str, truths: Iterable[Truth], rows: Iterable[Claim]) -> list[str]:
    """Return the base outcomes of a force: those that its truths and claims name, totals by their parts."""
    named = {truth.quantity for truth in truths if truth.force == force}
    for row in rows:
        if row.force == force and not row.exclude:
            named |= {row.quantity, row.of} - {""}
    base = {part for quantity in named for part in DEFAULT_TOTALS.get(quantity, (quantity,))} - {"deployed"}
    return [*(name for name in PERSONNEL if name in base), *sorted(base - set(PERSONNEL))] or ["killed"]
