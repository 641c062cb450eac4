"""The track record: claims of past wars beside what is established now, read as cases with known outcomes.

Each case of the table becomes a `Case` whose forces are those that a truth is known of. Nothing that a source said
later than the table allows, or of another force, is used; what was left out is listed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sim.calibration.scores import Established
from sim.case.case import DEFAULT_TOTALS, DEFAULT_WAVE, MAX_DAYS, MAX_FORCES, PERSONNEL, ROLES, Case, CaseFile, Role
from sim.case.claims import MAX_NUMBER, Claim, Day, Number, parse_claims
from sim.case.evidence import weigh_claims
from sim.case.rules import find_faults
from sim.errors import Fault, InputError, describe_error, quote_value
from sim.system.reading import read_text
from sim.system.tables import parse_records

Tier = Literal["A", "B", "C", "D"]
BINS = 12  # of the path of a case of the table, whose bins are at least a week long
MAX_DELAY = dt.timedelta(days=366)  # a claim published later than this after its day is hindsight
LATE = "published more than a year after"
OUTSIDE = "speaks of other days than those of the losses that are known"
OURS = (LATE, OUTSIDE)  # why rows are left out that nobody excluded
MAX_KEY = 60
MAX_CASES = 2_000


def _parse_role(value: Any) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise PydanticCustomError("role", f"is not a role; use {', '.join(ROLES)}")


def _parse_name(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise PydanticCustomError("name", "is not a name; write up to 200 characters")
    return value.strip()


def _parse_quantity(value: Any) -> Any:
    return spell_key(value) if isinstance(value, str) and value else value


def _parse_count(value: Any) -> Any:
    number = _number(value)
    if number > MAX_NUMBER:
        raise PydanticCustomError("size", f"is no count of persons or items; keep it up to {MAX_NUMBER:g}")
    return number


_number = TypeAdapter(Number).validate_python
Name = Annotated[str, BeforeValidator(_parse_name)]
Quantity = Annotated[str, BeforeValidator(_parse_quantity)]
Count = Annotated[float, BeforeValidator(_parse_count)]


def spell_key(name: str) -> str:
    """Spell a name as a key: "UK MoD" as uk_mod; a name without Latin letters by its check sum."""
    key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not key or not name.isascii() or len(key) > MAX_KEY:
        key = f"{key[: MAX_KEY - 12]}_{zlib.crc32(name.encode()):08x}".strip("_")
    return key if key[0].isalpha() else f"n_{key}"


class RecordedClaim(Claim):
    """A row of a table of many cases: a claim with its case, and the role of its source in it."""

    case: Name
    quantity: Quantity
    of: Quantity = ""
    role: Annotated[Role, BeforeValidator(_parse_role)]


class Truth(BaseModel):
    """What is established of one quantity of a force: a triangular law over low..high with its mode at `value`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Name
    group: Name
    tier: Tier
    force: Name
    population: str = ""
    quantity: Quantity
    start: Day
    end: Day
    as_of: Day
    low: Count
    value: Count
    high: Count
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
        if (max(self.end, self.as_of) - self.start).days > MAX_DAYS:
            raise PydanticCustomError("long", f"has days more than {MAX_DAYS} after its start; mend them")
        return self

    @property
    def day(self) -> dt.date:
        """The day that the truth is taken on: as_of, or the last day of the losses where that is earlier."""
        return min(self.as_of, self.end)

    @property
    def key(self) -> str:
        """The force as a key of its case."""
        return spell_key(self.force)

    @property
    def is_zero(self) -> bool:
        """Whether nothing was lost: whoever claimed a loss made it up."""
        return self.value == 0

    @property
    def established(self) -> Established:
        """The triangular law."""
        return Established(self.low, self.value, self.high)

    def log_moments(self) -> tuple[float, float]:
        """Return mean and standard deviation of the law of the log count; a count below one half is taken as that."""
        logs = np.log(np.maximum(self.established.points(200), 0.5))
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
    known, more, _ = parse_records(texts[1], truths.name, Truth)
    faults += [*more, *_check_truths(known, truths.name)]
    cases = {truth.case for truth in known}
    for row in rows:
        if row.case not in cases:
            problem = f"{quote_value(row.case)} has no truth, and so no group"
            faults.append(Fault(claims.name, f"row {row.row}, column case", problem, f"add it to {truths.name}"))
    if faults:
        raise InputError(faults)
    skipped = [
        f"{truth.case}, {truth.force}, {truth.quantity}: tier D is not scored" for truth in known if truth.tier == "D"
    ]
    scored: dict[str, list[Truth]] = defaultdict(list)
    spoken_of: dict[str, list[RecordedClaim]] = defaultdict(list)
    for truth in known:
        if truth.tier != "D":
            scored[truth.case].append(truth)
    for row in rows:
        spoken_of[row.case].append(row)
    source_of = {row.id: row.source for row in rows}
    hindcasts = []
    for name, used in scored.items():
        try:
            case, left_out = _build_case(name, used, spoken_of[name], source_of)
        except ValidationError as error:  # more outcomes or sources than a case may have
            faults += [describe_error(item, truths.name, f"{name}, ") for item in error.errors(include_url=False)]
            continue
        skipped += left_out
        found = find_faults(case)
        faults += [Fault(claims.name, fault.where, f"{fault.problem} ({name})", fault.remedy) for fault in found]
        kept = () if found else _keep_spoken(case, used, truths.name, skipped, faults)
        if kept:
            hindcasts.append(Hindcast(case, used[0].group, kept))
    if faults:
        raise InputError(faults)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return Record(tuple(hindcasts), tuple(skipped), digest)


def _keep_spoken(
    case: Case, truths: Sequence[Truth], file: str, skipped: list[str], faults: list[Fault]
) -> tuple[Truth, ...]:
    """Return the truths of forces that a usable claim speaks of; add the others to what is skipped or at fault."""
    spoken = {item.claim.force for item in weigh_claims(case).observations}
    late = {claim.force for claim in case.claims if claim.exclude in OURS}
    for truth in truths:
        if truth.key in spoken:
            continue
        if truth.key in late:
            skipped.append(f"{case.name}, {truth.force}, {truth.quantity}: every claim is hindsight or of earlier days")
        else:
            problem = f"has no usable claim on {truth.force} in {case.name}"
            faults.append(Fault(file, f"row {truth.row}", problem, "add one, or set tier D"))
    return tuple(truth for truth in truths if truth.key in spoken)


def read_truths(path: Path) -> list[Truth]:
    """Read a table of truths alone."""
    truths, faults, _ = parse_records(read_text(path), path.name, Truth)
    faults += _check_truths(truths, path.name)
    if faults:
        raise InputError(faults)
    return truths


def _check_truths(truths: Sequence[Truth], file: str) -> Iterator[Fault]:
    seen: dict[tuple[object, ...], int] = {}
    wars: dict[str, str] = {}
    forces: dict[str, set[str]] = defaultdict(set)
    for truth in truths:
        forces[truth.case].add(truth.key)
        key = (truth.case, truth.key, truth.quantity, truth.day)
        if truth.quantity == "standing":
            yield Fault(file, f"row {truth.row}, column quantity", "standing is no loss", "name an outcome or a total")
        if key in seen:
            problem = f"is a second truth of {truth.quantity} of {truth.force} on {truth.day} (row {seen[key]})"
            yield Fault(file, f"row {truth.row}", problem, "keep one")
        seen.setdefault(key, truth.row)
        if wars.setdefault(truth.case, truth.group) != truth.group:
            problem = f"{quote_value(truth.group)} is another group than {quote_value(wars[truth.case])} of its case"
            yield Fault(file, f"row {truth.row}, column group", problem, "a case lies in one war")
    if len(forces) > MAX_CASES:
        yield Fault(file, "", f"has {len(forces)} cases, more than {MAX_CASES}", "split the table")
    for case, keys in forces.items():
        if len(keys) > MAX_FORCES:
            yield Fault(file, quote_value(case), f"has {len(keys)} forces, more than {MAX_FORCES}", "split the case")


def _build_case(
    name: str, truths: Sequence[Truth], table: Sequence[RecordedClaim], source_of: Mapping[str, str]
) -> tuple[Case, list[str]]:
    """Return a case of the table, and what was left out of it; `source_of` has the rows of other cases too."""
    spans: dict[str, tuple[dt.date, dt.date]] = {}
    for truth in truths:
        first, last = spans.get(truth.key, (truth.start, truth.end))
        spans[truth.key] = min(first, truth.start), max(last, truth.end)
    start, end = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
    only = truths[0].force if len(spans) == 1 else ""
    rows = [row.model_copy(update={"force": row.force or only}) for row in table]
    used: list[RecordedClaim] = []
    left_out: list[str] = []
    for row in rows:
        if row.force and spell_key(row.force) in spans:
            used.append(row)
        else:
            left_out.append(f"{row.id}: speaks of {row.force or 'no force'}, of which no truth is known")
    kept = {row.id for row in used}
    claims = [_fit_claim(row, start, spans[spell_key(row.force)], kept, source_of) for row in used]
    left_out += [f"{claim.id}: {claim.exclude}" for claim in claims if claim.exclude]
    file = CaseFile.model_validate(
        {
            "schema": 1,
            "title": name,
            "start": start,
            "end": end,
            "bin_days": max(7, math.ceil(((end - start).days + 1) / BINS)),
            "forces": {key: _describe_force(key, truths, claims, start) for key in spans},
            "sources": _list_sources(used, claims, kept, list(spans)),
        }
    )
    return Case(name=name, folder=Path(name), file=file, claims=tuple(claims)), left_out


def _describe_force(key: str, truths: Sequence[Truth], claims: Sequence[Claim], start: dt.date) -> dict[str, Any]:
    own = [truth for truth in truths if truth.key == key]
    sized = any(truth.quantity == "deployed" for truth in own)
    wave = {**DEFAULT_WAVE, "from": start, "to": start}
    return {
        "label": own[0].force,
        "outcomes": _list_outcomes(key, own, claims),
        "waves": [wave] if sized else [],
    }


def _list_sources(
    rows: Sequence[RecordedClaim], claims: Sequence[Claim], kept: set[str], forces: Sequence[str]
) -> dict[str, Any]:
    """Return the sources with their roles towards each force: as their own rows say, or those that repeat them.

    What an excluded row says of a role counts only where no other row does. A source that speaks of other forces alone
    has the same role towards all.
    """
    ranked: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    labels: dict[str, str] = {}
    for row, claim in zip(rows, claims, strict=True):
        ranked[claim.source][claim.force].append((int(bool(claim.exclude)), row.role))
        labels.setdefault(claim.source, row.source)
        if claim.origin and claim.origin not in kept:
            ranked[claim.origin][claim.force].append((2, row.role))
            labels.setdefault(claim.origin, row.origin)
    found = {}
    for key, by_force in sorted(ranked.items()):
        roles = {}
        for force in forces:
            said = by_force.get(force) or next(iter(by_force.values()))
            best = min(rank for rank, _ in said)
            roles[force] = list(dict.fromkeys(role for rank, role in said if rank == best))
        found[key] = {"label": labels[key], "role": roles}
    return found


def _fit_claim(
    row: RecordedClaim, start: dt.date, span: tuple[dt.date, dt.date], kept: set[str], source_of: Mapping[str, str]
) -> Claim:
    """Return a row as a claim of its case: dated within the losses of its force, and left out where it is hindsight.

    A row that repeats one outside the case counts for that one's source. What is claimed since the losses of the force
    began is an interval, where those of another force of the case began earlier.
    """
    data = row.model_dump(exclude={"case", "role"})
    data |= {"source": spell_key(row.source), "force": spell_key(row.force)}
    if row.origin and row.origin not in kept:
        data["origin"] = spell_key(source_of.get(row.origin, row.origin))
    if row.replaces not in kept:
        data["replaces"] = ""
    first, last = span
    if not row.exclude and row.published - max(row.as_of, last) > MAX_DELAY:
        data["exclude"] = LATE
    elif not row.exclude and row.quantity != "deployed" and (row.as_of < first or (row.since or first) > last):
        data["exclude"] = OUTSIDE
    if not data["exclude"]:
        data["as_of"] = max(min(row.as_of, last), first)
        data["published"] = max(row.published, data["as_of"])
        if row.measure == "interval" and row.since is not None:
            data["since"] = min(max(row.since, first), data["as_of"])
        elif row.measure == "cumulative" and row.quantity != "deployed" and first > start:
            data |= {"measure": "interval", "since": first}
    return Claim.model_validate(data)


def _list_outcomes(force: str, truths: Iterable[Truth], rows: Iterable[Claim]) -> list[str]:
    """Return the base outcomes of a force: those that its truths and claims name, totals by their parts."""
    named = {truth.quantity for truth in truths}
    for row in rows:
        if row.force == force and not row.exclude:
            named |= {row.quantity, row.of} - {""}
    base = {part for quantity in named for part in DEFAULT_TOTALS.get(quantity, (quantity,))} - {"deployed"}
    return [*(name for name in PERSONNEL if name in base), *sorted(base - set(PERSONNEL))] or ["killed"]
