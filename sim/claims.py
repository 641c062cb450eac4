"""Claims: one row of `claims.csv` each, read with every fault of the file listed at once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sim.errors import Fault, InputError, quote_value, refuse

MAX_BYTES = 50_000_000
REQUIRED_COLUMNS = ("id", "source", "quantity", "published")

Qualifier = Literal["exact", "about", "at_least", "at_most", "range", "counted"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*", re.ASCII)


def _parse_day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "is not a day; write it as YYYY-MM-DD")


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
    log_sd: Number | None = None
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

    @model_validator(mode="after")
    def _check_row(self) -> Self:
        if self.since is not None and self.since > self.as_of:
            raise _fault("since", self.since, "is after as_of", "give the first day of the interval")
        if self.measure == "interval" and self.since is None:
            raise _fault("since", "", "is empty though the measure is interval", "give the first day of the interval")
        if self.measure != "interval" and self.since is not None:
            raise _fault("since", self.since, f"is given though the measure is {self.measure}", "use measure interval")
        if self.measure == "stock" and self.quantity != "deployed":
            raise _fault("measure", "stock", "is for the quantity deployed alone", "use cumulative or interval")
        if self.unit == "count" and self.of:
            raise _fault("of", self.of, "is given for a count", "use unit share, or leave it empty")
        if self.log_sd == 0:
            raise _fault("log_sd", 0, "is zero", "leave it empty where the source gave no standard error")
        if not self.exclude:
            self._check_numbers()
        return self

    def _check_numbers(self) -> None:
        wanted = ("low", "high") if self.qualifier == "range" else ("value",)
        for column in ("low", "value", "high"):
            number = getattr(self, column)
            if number is None and column in wanted:
                remedy = f"the qualifier {self.qualifier} needs {' and '.join(wanted)}"
                raise _fault(column, "", "is empty", remedy)
            if number is not None and column not in wanted and self.qualifier != "range":
                raise _fault(column, number, f"is given though the qualifier is {self.qualifier}", "use range or value")
            if number is not None and self.unit == "share" and number > 1:
                raise _fault(column, number, "is above 1 though the unit is share", "write 33% as 0.33")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise _fault("low", self.low, f"is above high ({self.high:g})", "swap them")

    @property
    def central(self) -> float | None:
        """The number said; of a range, the root of low times high; None where the row has no number."""
        if self.qualifier == "range" and self.low is not None and self.high is not None:
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


def _fault(column: str, value: object, problem: str, remedy: str) -> PydanticCustomError:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return PydanticCustomError(
        "row", "{problem}; {remedy}", {"column": column, "value": shown, "problem": problem, "remedy": remedy}
    )


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
    claims, faults = parse_claims(read_text(path), path.name)
    if faults:
        raise InputError(faults)
    return claims


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, or refuse it in one line."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise refuse(path.name, "", f"is larger than {MAX_BYTES // 1_000_000} MB", "split the case")
        raw = path.read_bytes()
    except OSError as error:
        raise refuse(str(path), "", f"cannot be read ({error.strerror})", "give the path of a file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(path.name, f"line {line}", "is not UTF-8", "save the file as UTF-8") from None
    if "\0" in text:
        raise refuse(
            path.name, f"line {text[: text.index(chr(0))].count(chr(10)) + 1}", "holds a NUL byte", "save it as text"
        )
    return text


def parse_claims(text: str, file: str) -> tuple[list[Claim], list[Fault]]:
    """Parse the text of a claims file into claims and faults (see `read_claims`)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    claims: list[Claim] = []
    faults: list[Fault] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        faults += _check_header(header, file)
        if faults:
            return [], faults
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _parse_row(header, cells, reader.line_num, file, claims, faults)
    except csv.Error as error:
        problem = f"is not CSV ({error})"
        faults.append(Fault(file, f"line {reader.line_num}", problem, "quote cells that hold commas or quotes"))
    return claims, faults


def _check_header(header: list[str], file: str) -> Iterable[Fault]:
    columns = [name for name in Claim.model_fields if name != "row"]
    if not header:
        yield Fault(file, "row 1", "has no header", f"name the columns: {', '.join(REQUIRED_COLUMNS)} and others")
        return
    for name in dict.fromkeys(header):
        if name not in columns:
            remedy = "use commas between columns" if ";" in name else f"use {', '.join(columns)}"
            yield Fault(file, "row 1", f"has an unknown column {quote_value(name)}", remedy)
        elif header.count(name) > 1:
            yield Fault(file, "row 1", f"has the column {quote_value(name)} twice", "keep one")
    for name in REQUIRED_COLUMNS:
        if name not in header:
            yield Fault(file, "row 1", f"lacks the column '{name}'", "add it")


def _parse_row(
    header: list[str], cells: list[str], row: int, file: str, claims: list[Claim], faults: list[Fault]
) -> None:
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header has {len(header)}"
        faults.append(Fault(file, f"row {row}", problem, "quote cells that hold commas"))
        return
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    try:
        claims.append(Claim.model_validate({**given, "row": row}))
    except ValidationError as error:
        faults += [describe_error(item, file, f"row {row}, column ") for item in _drop_consequences(error)]


def _drop_consequences(error: ValidationError) -> list[Any]:
    """Leave out the fault of a defaulted as_of where `published` itself is at fault."""
    items: list[Any] = error.errors(include_url=False)
    bad = {item["loc"][0] for item in items if item["loc"]}
    repeated = {"published", "as_of"} <= bad
    return [item for item in items if not (repeated and item["loc"] and item["loc"][0] == "as_of")]


def describe_error(item: Any, file: str, prefix: str) -> Fault:
    """Turn an error of pydantic into a fault."""
    context = item.get("ctx") or {}
    if "problem" in context:
        shown = f"{quote_value(context['value'])} " if context["value"] else ""
        return Fault(file, f"{prefix}{context['column']}", f"{shown}{context['problem']}", context["remedy"])
    where = prefix + ".".join(str(part) for part in item["loc"])
    kind, message = item["type"], str(item["msg"])
    if kind == "missing":
        return Fault(file, where, "is missing", "give a value")
    if kind == "extra_forbidden":
        return Fault(file, where, "is not a known key", "remove it, or see docs/formats.md for the keys")
    if kind == "literal_error":
        return Fault(
            file, where, f"{quote_value(item['input'])} is not allowed", f"use {context.get('expected', message)}"
        )
    problem, _, remedy = message.removeprefix("Value error, ").partition("; ")
    lowered = (
        problem if problem.startswith(("is ", "has ", "lacks ")) else f"is refused: {problem[:1].lower()}{problem[1:]}"
    )
    return Fault(file, where, f"{quote_value(item['input'])} {lowered}", remedy or "see docs/formats.md")
