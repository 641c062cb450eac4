"""Claims: one row of `claims.csv` each, read with every fault of the file listed at once."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sim.case.wordings import NUMBER, PART, WORDINGS, Unit, Wording, read_known_whole, split_whole
from sim.errors import FIRST_YEAR, LAST_YEAR, Fault, take_name
from sim.system.sheets.cells import CellReader, Dates, TwoReadings, list_cells
from sim.system.sheets.frames import list_frame_rows, show_cells
from sim.system.sheets.grids import Grid
from sim.system.tables import RowFault, parse_records

MAX_NUMBER = 1e15
TABLE = "claims"  # how faults name a table that is no file
REQUIRED_COLUMNS = ("id", "source", "quantity", "published")

Qualifier = Annotated[str, BeforeValidator(take_name(WORDINGS))]

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


def take_day(value: Any) -> Any:
    """Return a day of pandas or numpy as one of Python's, and one that is missing as None; anything else as it is."""
    if str(value) in ("NaT", "nan"):
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    numpy = type(value).__name__ == "datetime64" and _DAY.match(str(value))
    return dt.date.fromisoformat(numpy[0]) if numpy else value


def check_year(day: dt.date) -> dt.date:
    """Refuse a day that no case can be about."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("year", f"is out of reach; keep to the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _parse_number(value: Any) -> float:
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
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
    unit: Unit = "count"
    of: str = ""
    digits: Annotated[int, Field(ge=1, le=15)] | None = None
    log_sd: Annotated[float, BeforeValidator(_parse_number), Field(le=1e12)] | None = None
    part: str = ""
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
        """What its qualifier means; of a number of one place, that the whole is at least as large."""
        return PART if self.part else WORDINGS[self.qualifier]

    @property
    def central(self) -> float | None:
        """The number said; of a range, the root of low times high; None where the row has no number.

        Of a share of a known number it is how many that are.
        """
        low, value, high = self.number
        if self.wording.law == "range" and low is not None and high is not None:
            return math.sqrt(low * high)
        return value

    @property
    def known_whole(self) -> float | None:
        """How many there were of which it tells a share; None for a share of what is not known, and for no share."""
        return read_known_whole(self.unit, self.of)

    @property
    def is_count(self) -> bool:
        """Whether it tells how many, as a share of a known number does; no share of a quantity, and no ratio."""
        return self.unit == "count" or self.known_whole is not None

    @property
    def whole(self) -> str:
        """The quantity that a share or a ratio is of; empty for a count."""
        return split_whole(self.unit, self.of, self.force)[1]

    @property
    def whole_force(self) -> str:
        """The force of that quantity: of a ratio it may be another."""
        return split_whole(self.unit, self.of, self.force)[0]

    @property
    def topics(self) -> tuple[tuple[str, str], ...]:
        """What it speaks of, by force and quantity: what it counts, and of a share or a ratio what that is of."""
        own = (self.force, self.quantity)
        return (own, (self.whole_force, self.whole)) if self.whole else (own,)

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """The counts that it brings word of: of a share its whole is none."""
        return self.topics if self.unit == "ratio" else self.topics[:1]

    def first_day_of(self, quantity: str) -> dt.date | None:
        """Return the first day of an interval's count of a quantity; None where it is since the start.

        A share of those sent is one of all who were by then.
        """
        is_of_all = self.unit == "share" and bool(self.whole) and quantity == "deployed"
        return self.since if self.measure == "interval" and not is_of_all else None

    @property
    def number(self) -> tuple[float | None, float | None, float | None]:
        """The triple (low, value, high), as said; of a share of a known number how many these are."""
        times = self.known_whole
        if times is None:
            return self.low, self.value, self.high
        low, value, high = (None if each is None else each * times for each in (self.low, self.value, self.high))
        return low, value, high


def check_row(claim: Claim) -> Iterator[RowFault]:
    """Return every breach of the rules that a row can keep by itself."""
    if claim.since is not None and claim.since > claim.as_of:
        yield "since", claim.since, "is after as_of", "give the first day of the interval"
    if claim.measure == "interval" and claim.since is None:
        yield "since", "", "is empty though the measure is interval", "give the first day of the interval"
    if claim.measure != "interval" and claim.since is not None:
        yield "since", claim.since, f"is given though the measure is {claim.measure}", "use measure interval"
    if claim.measure == "stock" and claim.quantity not in ("deployed", "missing"):
        yield "measure", "stock", "is for the deployed and the missing alone", "use cumulative or interval"
    yield from _check_whole(claim)
    if claim.part and (claim.unit != "count" or claim.qualifier in ("range", "at_most", "register")):
        yield "part", claim.part, "is given of a share, range, at_most or register", "give one number counted there"
    if claim.part and claim.quantity == "deployed":
        yield "part", claim.part, "is given of the deployed", "leave it empty, or exclude the row"
    if claim.log_sd == 0:
        yield "log_sd", 0.0, "is zero", "leave it empty where the source gave no standard error"
    if not claim.exclude:
        yield from _check_numbers(claim)


def _check_whole(claim: Claim) -> Iterator[RowFault]:
    """Return what is amiss with what a share or a ratio is of."""
    is_number = NUMBER.fullmatch(claim.of)
    if claim.unit == "count" and claim.of:
        yield "of", claim.of, "is given for a count", "use unit share or ratio, or leave it empty"
    if claim.unit == "share" and is_number and not 0 < float(claim.of) <= MAX_NUMBER:
        yield "of", claim.of, "is no number of things", f"give how many there were, from 1 to {MAX_NUMBER:g}"
    if claim.unit == "ratio" and not claim.of and not claim.exclude:
        yield "of", "", "is empty though the unit is ratio", "name what it is of: wounded, or FORCE.killed"
    if claim.unit == "ratio" and is_number:
        yield "of", claim.of, "is a number though the unit is ratio", "name a quantity, or use unit share"
    if claim.unit == "ratio" and claim.qualifier in ("counted", "register"):
        problem = f"is {claim.qualifier} though the unit is ratio"
        yield "qualifier", claim.qualifier, problem, "enter what each list has as a row of its own"


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
        if claim.unit == "ratio" and number == 0:
            yield (
                column,
                number,
                "is zero though the unit is ratio",
                "write how many there were for each one",
            )
        if number > MAX_NUMBER or 0 < number < 1 / MAX_NUMBER**6:
            yield column, number, "is no count of persons or items", f"keep it at zero, or up to {MAX_NUMBER:g}"
    if claim.low is not None and claim.high is not None and claim.low > claim.high:
        yield "low", claim.low, f"is above high ({claim.high:.10g})", "swap them"


def parse_claims[C: Claim](
    text: str, file: str, kind: type[C], force: str = ""
) -> tuple[list[C], list[Fault], set[str]]:
    """Parse the text of a claims file; `kind` has its columns, `force` is that of rows that name none.

    Returns what `sim.system.tables.parse_records` does.
    """
    return parse_records(text, file, kind, ("as_of",), {"force": force}, check_row)


def list_columns(kind: type[Claim] = Claim) -> list[str]:
    """Return the columns of a claims file."""
    return [name for name in kind.model_fields if name != "row"]


def parse_grid(
    grid: Grid, file: str, force: str = "", dates: Dates | None = None
) -> tuple[list[Claim], list[Fault], set[str], tuple[str, ...]]:
    """Parse a table of claims as people keep them, from a file of CSV or a sheet.

    Parameters
    ----------
    grid : Grid
    file, force : str
        The file's name for messages; the force of rows that name none.
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant.

    Returns
    -------
    claims, faults, unread
        As of `sim.system.tables.parse_records`.
    remarks : tuple of str
        What was assumed in reading the file.
    """
    reader = CellReader(list_cells(grid.header, grid.rows), grid.separator, dates)

    def tidy(cells: dict[str, str]) -> dict[str, str] | list[RowFault]:
        out = dict(cells)
        faults: list[RowFault] = []
        for name, text in cells.items():
            try:
                out[name] = reader.read(name, text, share=cells.get("unit") in ("share", "ratio"))
            except TwoReadings as two:
                faults.append((name, text, two.problem, two.remedy))
        return faults or out

    claims, faults, unread = parse_records(grid, file, Claim, ("as_of",), {"force": force}, check_row, tidy)
    return claims, faults, unread, (*grid.remarks, *reader.remarks)


def read_frame(
    table: Any, force: str = "", known: Sequence[Claim] = (), dates: Dates | None = None
) -> tuple[list[Claim], list[Fault]]:
    """Read claims from a table in memory.

    Parameters
    ----------
    table : DataFrame, or iterable of mapping
        Of pandas, polars or pyarrow; or rows by the columns of `claims.csv`. A row without an `id` is given one.
    force : str
        Of rows that name none.
    known : sequence of Claim
        Those that there are: rows are numbered after them. A DataFrame whose index are whole numbers has its own.
    dates : {"day-first", "month-first"}, optional
        How days such as 03/04/2025 are meant.
    """
    given = (int(claim.id.removeprefix("claim-")) for claim in known if re.fullmatch(r"claim-\d{1,9}", claim.id))
    first = max([len(known) + 1, *given]) + 1 if known else 0
    listed = enumerate(list_frame_rows(table, first, TABLE), first)
    rows = [(number, _name_row(show_cells(cells), count)) for count, (number, cells) in listed]
    header = list(dict.fromkeys(name for _, cells in rows for name in cells))
    if not rows:
        return [], []
    lines = [(number, [cells.get(name, "") for name in header]) for number, cells in rows]
    claims, faults, _, _ = parse_grid(Grid(header, lines, ""), TABLE, force, dates)
    return claims, faults


def _name_row(cells: dict[str, str], number: int) -> dict[str, str]:
    return cells if "id" in cells else {"id": f"claim-{number}", **cells}
