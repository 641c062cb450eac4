"""Claims: one row of `claims.csv` each, read with every fault of the file listed at once."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sim.case.wordings import WORDINGS, Wording
from sim.errors import FIRST_YEAR, LAST_YEAR, MAX_FAULTS, Fault, InputError, describe_error, quote_value, take_name
from sim.system.reading import read_text, refuse_controls, split_rows

MAX_NUMBER = 1e15
REQUIRED_COLUMNS = ("id", "source", "quantity", "published")

Qualifier = Annotated[str, BeforeValidator(take_name(WORDINGS))]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*", re.ASCII)


def _parse_day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return check_year(value)
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return check_year(day)
    raise PydanticCustomError("day", "is not a day; write it as YYYY-MM-DD")


def check_year(day: dt.date) -> dt.date:
    """Refuse a day that no case can be about."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("year", f"is out of reach; keep to the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _parse_number(value: Any) -> float:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise PydanticCustomError("number", "is not a number; write digits with a decimal point, no separators")
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise PydanticCustomError("finite", "is not a finite number; write the figure that was said")
    if value < 0:
        raise PydanticCustomError("sign", "is negative; losses are counted from zero up")
    return abs(float(value))


def _parse_id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value) or len(value) > 100:
        raise PydanticCustomError("id", "is not an id; use letters, digits, - _ . : + and start with a letter or digit")
    return value


Day = Annotated[dt.date, BeforeValidator(_parse_day)]
Number = Annotated[float, BeforeValidator(_parse_number)]
Id = Annotated[str, BeforeValidator(_parse_id)]


class Claim(BaseModel):
    """What one source said of one quantity of one force.

    The fields are the columns of `claims.csv`; their meaning is in `docs/formats.md`. `as_of` defaults to `published`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    source: str
    speaker: str = ""
    force: str = ""
    quantity: str
    measure: Literal["cumulative", "interval", "stock"] = "cumulative"
    as_of: Day
    since: Day | None = None
    published: Day
    qualifier: Qualifier = "about"
    low: Number | None = None
    value: Number | None = None
    high: Number | None = None
    unit: Literal["count", "share"] = "count"
    of: str = ""
    digits: Annotated[int, Field(ge=1, le=15)] | None = None
    log_sd: Annotated[float, BeforeValidator(_parse_number), Field(le=1e12)] | None = None
    statement: str = ""
    replaces: str = ""
    origin: str = ""
    report: str = ""
    url: str = ""
    phrase: str = ""
    note: str = ""
    exclude: str = ""
    row: int = 0

    @model_validator(mode="before")
    @classmethod
    def _default_as_of(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {"as_of": data.get("published"), **data}

    @property
    def wording(self) -> Wording:
        """What its qualifier means."""
        return WORDINGS[self.qualifier]

    @property
    def central(self) -> float | None:
        """The number said; of a range, the root of low times high; None where the row has no number."""
        if self.wording.law == "range" and self.low is not None and self.high is not None:
            return math.sqrt(self.low * self.high)
        return self.value

    @property
    def whole(self) -> str:
        """The quantity that a share is of; empty for a count."""
        return (self.of or "deployed") if self.unit == "share" else ""

    @property
    def speaks_of_size(self) -> bool:
        """Whether the claim speaks of the size of the force: of `deployed`, or of a share of it."""
        return "deployed" in (self.quantity, self.whole)

    @property
    def number(self) -> tuple[float | None, float | None, float | None]:
        """The triple (low, value, high), as said."""
        return self.low, self.value, self.high


RowFault = tuple[str, object, str, str]  # column, value, problem, remedy


def check_row(claim: Claim) -> Iterator[RowFault]:
    """Return every breach of the rules that a row can keep by itself."""
    if claim.since is not None and claim.since > claim.as_of:
        yield "since", claim.since, "is after as_of", "give the first day of the interval"
    if claim.measure == "interval" and claim.since is None:
        yield "since", "", "is empty though the measure is interval", "give the first day of the interval"
    if claim.measure != "interval" and claim.since is not None:
        yield "since", claim.since, f"is given though the measure is {claim.measure}", "use measure interval"
    if claim.measure == "stock" and claim.quantity != "deployed":
        yield "measure", "stock", "is for the quantity deployed alone", "use cumulative or interval"
    if claim.unit == "count" and claim.of:
        yield "of", claim.of, "is given for a count", "use unit share, or leave it empty"
    if claim.log_sd == 0:
        yield "log_sd", 0.0, "is zero", "leave it empty where the source gave no standard error"
    if not claim.exclude:
        yield from _check_numbers(claim)


def _check_numbers(claim: Claim) -> Iterator[RowFault]:
    wanted = claim.wording.columns
    for column in ("low", "value", "high"):
        number = getattr(claim, column)
        if number is None:
            if column in wanted:
                yield column, "", "is empty", f"the qualifier {claim.qualifier} needs {' and '.join(wanted)}"
            continue
        if column not in wanted and claim.wording.law != "range":
            yield column, number, f"is given though the qualifier is {claim.qualifier}", "use range or value"
        if claim.unit == "share" and number > 1:
            yield column, number, "is above 1 though the unit is share", "write 33% as 0.33"
        if number > MAX_NUMBER or 0 < number < 1 / MAX_NUMBER**6:
            yield column, number, "is no count of persons or items", f"keep it at zero, or up to {MAX_NUMBER:g}"
    if claim.low is not None and claim.high is not None and claim.low > claim.high:
        yield "low", claim.low, f"is above high ({claim.high:g})", "swap them"


def read_claims(path: Path) -> list[Claim]:
    """Read `claims.csv`.

    Parameters
    ----------
    path : Path
        The file: UTF-8 (a byte-order mark is allowed), comma-separated, with a header.

    Returns
    -------
    list of Claim
        In the file's order, excluded rows too; each knows its row number (the header is row 1).

    Raises
    ------
    InputError
        With every fault of the file.
    """
    claims, faults, _ = parse_claims(read_text(path), path.name, Claim)
    if faults:
        raise InputError(faults)
    return claims


def parse_claims[C: Claim](
    text: str, file: str, kind: type[C], force: str = ""
) -> tuple[list[C], list[Fault], set[str]]:
    """Parse the text of a claims file.

    Parameters
    ----------
    text, file : str
        The text, and the file's name for messages.
    kind : type of Claim
        Whose fields are the columns; those without a default are required.
    force : str
        Of rows that name none.

    Returns
    -------
    claims : list of Claim
        The rows without a fault of their own.
    faults : list of Fault
    unread : set of str
        The ids of the other rows, as written: those that refer to them are not at fault.
    """
    required = _list_required(kind)
    claims: list[C] = []
    faults: list[Fault] = []
    unread: set[str] = set()
    try:
        refuse_controls(text, file)
        rows = split_rows(text, file)
        header = [name.strip() for name in next(rows, (1, []))[1]]
        faults += _check_header(header, file, kind)
        known = [name if name in kind.model_fields else "" for name in header]
        for row, cells in rows if required <= set(header) else ():
            parsed = _parse_row(known, cells, row, file, kind, force)
            if not isinstance(parsed, list):
                claims.append(parsed)
                continue
            faults += parsed
            unread |= {cell.strip() for name, cell in zip(header, cells, strict=False) if name == "id"}
            if len(faults) > MAX_FAULTS:
                break
    except InputError as error:
        faults += error.faults
    if len(faults) > MAX_FAULTS:
        raise InputError(faults)
    return claims, faults, unread


def _list_required(kind: type[Claim]) -> set[str]:
    return {*REQUIRED_COLUMNS, *(name for name, field in kind.model_fields.items() if field.is_required())} - {"as_of"}


def _check_header(header: list[str], file: str, kind: type[Claim]) -> Iterable[Fault]:
    columns = [name for name in kind.model_fields if name != "row"]
    if not header:
        yield Fault(file, "row 1", "has no header", f"name the columns: {', '.join(REQUIRED_COLUMNS)} and others")
        return
    for name in dict.fromkeys(header):
        if name not in columns:
            remedy = "use commas between columns" if ";" in name else f"use {', '.join(columns)}"
            yield Fault(file, "row 1", f"has an unknown column {quote_value(name)}", remedy)
        elif header.count(name) > 1:
            yield Fault(file, "row 1", f"has the column {quote_value(name)} twice", "keep one")
    for name in columns:
        if name in _list_required(kind) - set(header):
            yield Fault(file, "row 1", f"lacks the column '{name}'", "add it")


def _parse_row[C: Claim](
    header: list[str], cells: list[str], row: int, file: str, kind: type[C], force: str
) -> C | list[Fault]:
    """Return the claim of a row, or its faults; columns that are not known, and have no name, were reported already."""
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header has {len(header)}"
        return [Fault(file, f"row {row}", problem, "quote cells that hold commas")]
    given = {name: text for name, cell in zip(header, cells, strict=True) if name and (text := cell.strip())}
    try:
        claim = kind.model_validate({"force": force, **given, "row": row})
    except ValidationError as error:
        return [describe_error(item, file, f"row {row}, column ") for item in _drop_consequences(error)]
    return [
        Fault(file, f"row {row}, column {column}", f"{_show_value(value)}{problem}", remedy)
        for column, value, problem, remedy in check_row(claim)
    ] or claim


def _show_value(value: object) -> str:
    if value == "":
        return ""
    return f"{quote_value(f'{value:g}' if isinstance(value, float) else str(value))} "


def _drop_consequences(error: ValidationError) -> list[Any]:
    """Leave out the fault of a defaulted as_of where `published` itself is at fault."""
    items: list[Any] = error.errors(include_url=False)
    bad = {item["loc"][0] for item in items if item["loc"]}
    repeated = {"published", "as_of"} <= bad
    return [item for item in items if not (repeated and item["loc"] and item["loc"][0] == "as_of")]
