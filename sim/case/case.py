"""A case: its forces, waves, sources, totals and claims, as typed records."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from sim.case.claims import Claim, Id, check_year, read_frame, take_day
from sim.case.families import Prior
from sim.errors import InputError, describe_errors, quote_value, refuse
from sim.system.reading import FORBIDDEN
from sim.system.sheets.cells import Dates

if TYPE_CHECKING:
    import pandas as pd

PERSONNEL = ("killed", "wounded", "captured", "missing")
DEFAULT_TOTALS = {"casualties": ("killed", "wounded"), "losses": PERSONNEL}
STATES = ("deployed", "standing")
DEFAULT_WAVE = {"name": "all", "median": 10_000, "log_sd": 3.45}  # of a force that may be of any size, on its first day
MAX_BINS = 60
MAX_DAYS = 40_000
# Of a kind in one case: more is a mistake, or a hostile file, and takes long to say of every claim.
MAX_FORCES, MAX_SOURCES, MAX_LISTED = 50, 2_000, 100
MAX_LABEL = 300  # characters of what stands in figures and in the heads of tables

Role = Literal["own", "ally_of_own", "adversary", "ally_of_adversary", "independent"]
ROLES: tuple[Role, ...] = ("own", "ally_of_own", "adversary", "ally_of_adversary", "independent")
Victims = Literal["military", "civilians", "mixed"]
Body = Literal["government", "military", "local", "armed_group", "press", "ngo_un", "expert"]


def _parse_key(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", value):
        raise PydanticCustomError("key", "is not a key; use small letters, digits and _, and start with a letter")
    return value


def _parse_toml_day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return check_year(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        with suppress(ValueError):
            return check_year(dt.date.fromisoformat(value))
    raise PydanticCustomError("day", "is not a day; write it as 2024-11-01")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _check_distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise PydanticCustomError("distinct", "names a thing twice; name it once")
    return value


def _check_text(value: str) -> str:
    if FORBIDDEN.search(value):
        raise PydanticCustomError("text", "holds a control character; take it out")
    return value


Key = Annotated[str, BeforeValidator(_parse_key)]
Day = Annotated[dt.date, BeforeValidator(_parse_toml_day)]
Keys = Annotated[tuple[Key, ...], AfterValidator(_check_distinct), Field(max_length=MAX_LISTED)]
Label = Annotated[str, Field(max_length=MAX_LABEL), AfterValidator(_check_text)]
Roles = Annotated[tuple[Role, ...], BeforeValidator(_listed), AfterValidator(_check_distinct), Field(min_length=1)]
Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Wave(_Record):
    """A body of troops sent: size LogNormal(log `median`, `log_sd`), arriving evenly over `start` to `end`."""

    name: Key
    start: Day = Field(alias="from")
    end: Day = Field(alias="to")
    median: Positive
    log_sd: Annotated[float, Field(gt=0, le=10)]


SILENCE = "=silence"  # the report of the lull after the last day that anybody speaks of: no row can have that name


class Lull(_Record):
    """Days of little fighting, by a named report: a row of `claims.csv` that is excluded as a claim."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")
    claim: Id


class Event(_Record):
    """A day on which more may have been lost of an outcome than its length gives."""

    on: Day
    outcome: Key


class Force(_Record):
    """A force that suffers losses: its outcomes, whose they are, and where `bounded`, the waves that bound them."""

    label: Label = ""
    outcomes: Annotated[Keys, Field(min_length=1)]
    victims: Victims = "military"
    bounded: bool = False
    waves: Annotated[tuple[Wave, ...], Field(max_length=MAX_LISTED)] = ()
    lulls: Annotated[tuple[Lull, ...], Field(max_length=MAX_LISTED)] = ()
    events: Annotated[tuple[Event, ...], Field(max_length=MAX_LISTED)] = ()


class Source(_Record):
    """Who makes estimates; `role` is a belligerency, a list of equally likely ones, or one of these by force.

    `institution` is a key of the record's table of sources, which gives body and state where they are left out.
    """

    label: Label = ""
    role: Roles | dict[Key, Roles]
    institution: Key | None = None
    body: Body | None = None
    state: Key | None = None
    rating: Label = ""

    def roles_towards(self, force: str) -> tuple[Role, ...]:
        """Return the possible roles towards a force; empty where none is given."""
        return self.role.get(force, ()) if isinstance(self.role, dict) else self.role


class Derived(_Record):
    """A quantity computed draw by draw from others and from uncertain inputs."""

    name: Key
    expr: str
    inputs: Annotated[dict[Key, Prior], Field(max_length=MAX_LISTED)] = {}
    label: Label = ""
    unit: Label = ""


class Threshold(_Record):
    """A figure whose exceedance is reported."""

    force: str = ""
    quantity: str
    above: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class MemoTable(_Record):
    """What page one of the case's memos says of itself."""

    author: Label = ""
    institution: Label = ""
    date: Day | None = None
    classification: Label = ""
    distribution: Label = ""
    headline: Annotated[
        tuple[Label, ...], Field(max_length=MAX_LISTED)
    ] = ()  # what is told first: killed, north.killed


class CaseFile(_Record):
    """The contents of `case.toml` (see `docs/formats.md`)."""

    schema_: Literal[1] = Field(alias="schema")
    title: Label = ""
    memo: Annotated[MemoTable | None, Field(exclude=True)] = None  # who signs, not what is estimated
    start: Day
    end: Day | None = None
    as_of: Day | None = None
    bin_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 7
    prior: str = "default"
    priors: dict[str, Any] = {}
    forces: Annotated[dict[Key, Force], Field(min_length=1, max_length=MAX_FORCES)]
    dates: Annotated[Dates | None, Field(exclude=True)] = None  # how the claims are written, not what they say
    totals: Annotated[dict[Key, Keys], Field(max_length=MAX_LISTED)] = {}
    sources: Annotated[dict[Key, Source], Field(max_length=MAX_SOURCES)] = {}
    derived: Annotated[tuple[Derived, ...], Field(max_length=MAX_LISTED)] = ()
    thresholds: Annotated[tuple[Threshold, ...], Field(max_length=MAX_LISTED)] = ()


class Case(BaseModel):
    """A case that passed every check: the contents of `case.toml` and its claims.

    Attributes
    ----------
    name : str
        The folder's name.
    folder : Path
        Where it was read from.
    file : CaseFile
        The contents of `case.toml`.
    claims : tuple of Claim
        Every row, those not used too, with `force` filled in.
    claims_file : str
        The name of their file.
    remarks : tuple of str
        What was assumed in reading it.
    is_edited : bool
        Whether it was changed since it was read: what a run of it keeps is then written anew.

    Examples
    --------
    >>> case = sim.read_case("kursk")
    >>> case.without(source="nis").claims
    """

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))

    name: str
    folder: Path
    file: CaseFile
    claims: tuple[Claim, ...]
    claims_file: str = "claims.csv"
    remarks: tuple[str, ...] = ()
    is_edited: bool = False

    def without(self, *, source: str | None = None, claim: str | None = None) -> Case:
        """Return the case without the claims of a source, or without one claim, by its id.

        Raises
        ------
        InputError
            Where nothing is of that source or id, or another row needs what is left out.
        """
        for each in (source, claim):
            if each is not None and not isinstance(each, str):
                raise refuse("case", "", f"{quote_value(each)} is no source or claim", "name one, as text")
        kept = [row for row in self.claims if row.source != source and row.id != claim]
        if len(kept) == len(self.claims):
            raise refuse("claims.csv", "", f"has no row of {quote_value(source or claim)}", "name one that it has")
        return self._edit(claims=tuple(kept))

    @classmethod
    def from_frame(
        cls, claims: pd.DataFrame | Iterable[Mapping[str, Any]], *, forces: Mapping[str, Any] | Iterable[str] | str,
        sources: Mapping[str, Any], **settings: Any,
    ) -> Case:  # fmt: skip
        """Return a case of claims in memory: `sim.case.folder.make_case` says what is taken."""
        from sim.case.folder import make_case

        return make_case(claims, forces=forces, sources=sources, **settings)

    def with_claims(self, rows: pd.DataFrame | Iterable[Mapping[str, Any]]) -> Case:
        """Return the case with more claims: a DataFrame, or mappings by the columns of `claims.csv`.

        Raises
        ------
        InputError
            With every fault of the rows.
        """
        only = next(iter(self.file.forces)) if len(self.file.forces) == 1 else ""
        claims, faults = read_frame(rows, only, self.claims)
        if faults:
            raise InputError(faults)
        return self._edit(claims=(*self.claims, *claims))

    def with_settings(self, **settings: Any) -> Case:
        """Return the case with other entries of `case.toml`, such as `as_of`, `prior` or `sources`.

        Raises
        ------
        InputError
            With every fault of the entries.
        """
        memo = {} if self.file.memo is None else {"memo": self.file.memo.model_dump(exclude_defaults=True)}
        entries = {**memo, **self.file.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)}
        entries |= {name: take_day(value) for name, value in settings.items()}
        try:
            file = CaseFile.model_validate({"schema": 1, **entries})
        except ValidationError as error:
            raise InputError(describe_errors(error, "case.toml", CaseFile)) from None
        return self._edit(file=file)

    def _edit(self, **changes: Any) -> Case:
        from sim.case.rules import check_institutions, find_faults

        edited = Case(**{"name": self.name, "folder": self.folder, "file": self.file, "claims": self.claims, **changes})
        faults = [*find_faults(edited), *check_institutions(edited)]
        if faults:
            raise InputError(faults)
        return edited.model_copy(update={"is_edited": True})

    @property
    def title(self) -> str:
        """The title, or where there is none the name."""
        return self.file.title or self.name

    @property
    def start(self) -> dt.date:
        """The first day on which anything could be lost."""
        return self.file.start

    @cached_property
    def end(self) -> dt.date:
        """The last day of the path: as written, or the later of as_of and the last day that a claim speaks of."""
        return self.file.end or max([self.start, *self._given_days()])

    @cached_property
    def as_of(self) -> dt.date:
        """The day of the headline: as written, or the last day of the path; after a war's `end` it is that."""
        day = self.file.as_of or self.end
        return min(day, self.file.end) if self.file.end else day

    def _given_days(self) -> Iterator[dt.date]:
        if self.file.as_of:
            yield self.file.as_of
        yield from (claim.as_of for claim in self.claims if not claim.exclude)

    @cached_property
    def forces(self) -> dict[str, Force]:
        """The forces, with the default wave where a bounded force, or one whose deployment is claimed, names none."""
        told = [topic for claim in self.claims if not claim.exclude for topic in claim.topics]
        sized = {force for force, quantity in told if quantity == "deployed"}
        wave = Wave.model_validate({**DEFAULT_WAVE, "from": self.start, "to": self.start})
        return {
            key: force.model_copy(update={"waves": (wave,)})
            if not force.waves and (force.bounded or key in sized)
            else force
            for key, force in self.file.forces.items()
        }

    @property
    def sources(self) -> dict[str, Source]:
        """The sources by key."""
        return self.file.sources

    def label_source(self, key: str) -> str:
        """Return a source's name in words."""
        return self.sources[key].label or key.replace("_", " ")

    def label_force(self, key: str) -> str:
        """Return a force's name in words."""
        return self.forces[key].label or key.replace("_", " ")

    def find_claim(self, name: str) -> Claim | None:
        """Return the row of an id; None where there is none."""
        return self._claims_by_id.get(name)

    @cached_property
    def _claims_by_id(self) -> dict[str, Claim]:
        return {claim.id: claim for claim in self.claims}

    def parts_of(self, force: str, quantity: str) -> tuple[str, ...]:
        """Return the base outcomes that a quantity of a force sums; a base outcome, or a size, sums itself."""
        outcomes = self.file.forces[force].outcomes
        if quantity in outcomes or quantity in STATES:
            return (quantity,)
        return tuple(part for part in self._totals.get(quantity, ()) if part in outcomes)

    @cached_property
    def _totals(self) -> dict[str, tuple[str, ...]]:
        own = self.file.totals
        kept = {name: parts for name, parts in DEFAULT_TOTALS.items() if not set(parts) & set(own)}
        return {**kept, **own}

    def is_of_people(self, outcome: str) -> bool:
        """Whether an outcome is one of persons: by its name, or since a total names it among the hurt of a force."""
        named = ({name, *parts} for name, parts in self.file.totals.items() if outcome in parts)
        return outcome in PERSONNEL or any(each & set(PERSONNEL) for each in named)

    def totals_of(self, force: str) -> tuple[str, ...]:
        """Return the totals of a force that have at least one part and are no outcome of its own."""
        outcomes = self.file.forces[force].outcomes
        return tuple(name for name in self._totals if name not in outcomes and self.parts_of(force, name))

    def quantities_of(self, force: str) -> tuple[str, ...]:
        """Return what is reported of a force: outcomes, totals, and where it has waves deployed and standing."""
        return self._quantities[force]

    @cached_property
    def _quantities(self) -> dict[str, tuple[str, ...]]:
        return {
            key: (
                *force.outcomes,
                *self.totals_of(key),
                *(("deployed",) if force.waves else ()),
                *(("standing",) if force.bounded else ()),
            )
            for key, force in self.forces.items()
        }
