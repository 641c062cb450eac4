"""What is established of the losses of past wars, and the table of it."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from sim.calibration.scores import Established
from sim.case.case import DEFAULT_TOTALS, MAX_DAYS, MAX_FORCES, PERSONNEL, STATES
from sim.case.claims import MAX_NUMBER, Day, Number
from sim.errors import Fault, InputError, quote_value
from sim.system.reading import read_text
from sim.system.tables import parse_records

Tier = Literal["A", "B", "C", "D"]
Dead = Literal["military", "civilians", "mixed", "equipment", ""]
Event = Literal["battle", "strike", "attack", "sinking", "campaign", "war", ""]
MAX_KEY = 60
MAX_CASES = 2_000


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
    victims: Dead = ""
    event: Event = ""
    row: int = 0

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Mapping[str, object]) -> Mapping[str, object]:
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
                "order", f"has {self.low:.10g}, {self.value:.10g}, {self.high:.10g}; sort low, value, high"
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
    def kind(self) -> str:
        """Whose losses they are: as the table says, else equipment by its outcome, and military."""
        is_of_people = self.quantity in (*PERSONNEL, *DEFAULT_TOTALS, *STATES)
        return self.victims or ("military" if is_of_people else "equipment")

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


def read_truths(path: Path) -> list[Truth]:
    """Read a table of truths alone."""
    truths, faults = parse_truths(read_text(path), path.name)
    if faults:
        raise InputError(faults)
    return truths


def parse_truths(text: str, file: str) -> tuple[list[Truth], list[Fault]]:
    """Return the truths of a table that are without a fault of their own, and all faults; `file` is its name."""
    truths, faults, _ = parse_records(text, file, Truth)
    return truths, [*faults, *_check_table(truths, file)]


def _check_table(truths: Sequence[Truth], file: str) -> Iterator[Fault]:
    """Yield what is wrong between truths: two of the same, a case in two wars, too many cases or forces."""
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
