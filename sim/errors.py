"""What is wrong with an input, said in one line: what, where, the value, what to do."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeGuard, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_FAULTS = 1_000  # that are listed
MAX_NAMES = 20  # that a remedy lists
MAX_WHERE = 200  # characters
FIRST_YEAR, LAST_YEAR = 1500, 2500  # beyond which reckoning with days, or drawing them, leaves the calendar
# What moves a terminal's cursor, ends a line, or turns the direction of text; the end of a line itself may stand.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def quote_value(value: object, limit: int = 60) -> str:
    """Return `value` on one line, cut at `limit` characters, so that no input can forge a message.

    Letters of any script stand as they are; what does not print, or turns the direction of text, is escaped.
    """
    if isinstance(value, str):
        text = "'" + "".join(map(_show_character, value[: limit + 1])) + "'"
    else:
        text = str(value) if isinstance(value, dt.date) else ascii(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _show_character(char: str) -> str:
    plain = char.isprintable() and char != "\\"
    return char if plain else char.encode("unicode_escape").decode("ascii")


def escape_controls(text: str) -> str:
    """Return text in which characters that steer a terminal are written out, as JSON does: no input can forge lines."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def put_on_line(text: str) -> str:
    """Return text on one line."""
    return escape_controls(" ".join(text.split()))


def list_some(names: Collection[str]) -> str:
    """Return names separated by commas, and how many more there are beyond the first."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(islice(names, MAX_NAMES)) + more


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input file.

    Attributes
    ----------
    file : str
        The file's name.
    where : str
        Where in it: "row 7, column high", or a key such as "forces.dprk.waves".
    problem, remedy : str
        What is wrong, with the value, and what to do about it.
    """

    file: str
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        where = self.where if len(self.where) <= MAX_WHERE else f"{self.where[: MAX_WHERE - 1]}…"
        at = f"{self.file}, {where}" if where else self.file
        return put_on_line(f"{at}: {self.problem}; {self.remedy}")


class InputError(Exception):
    """Input that cannot be used; carries the faults found, and ends the program with exit status 3.

    Beyond MAX_FAULTS it says that there are more.

    Examples
    --------
    >>> try:
    ...     sim.read_case("nowhere")
    ... except sim.InputError as error:
    ...     print(error.faults[0].remedy)
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(islice(faults, MAX_FAULTS + 1))
        if len(self.faults) > MAX_FAULTS:
            more = Fault(self.faults[-1].file, "", f"has more than {MAX_FAULTS} faults", "mend these first")
            self.faults = (*self.faults[:MAX_FAULTS], more)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        """Be copied by its faults, not by its text: one that a worker raises is told as one raised here."""
        return type(self), (self.faults,)


def refuse(file: str, where: str, problem: str, remedy: str) -> InputError:
    """Return an InputError of a single fault."""
    return InputError([Fault(file, where, problem, remedy)])


def take_name(known: Mapping[str, object]) -> Callable[[Any], str]:
    """Return a validator of pydantic that takes the names of a registry, as it stands when it is asked."""

    def take(value: Any) -> str:
        if isinstance(value, str) and value in known:
            return value
        from pydantic_core import PydanticCustomError

        *names, last = map(repr, known)
        expected = f"{', '.join(names)} or {last}"
        raise PydanticCustomError("literal_error", "is not known; use {expected}", {"expected": expected})

    return take


def describe_error(item: Any, file: str, prefix: str) -> Fault:
    """Turn an error of pydantic into a fault."""
    context = item.get("ctx") or {}
    where = prefix + ".".join(str(part) for part in item["loc"])
    kind, message = item["type"], str(item["msg"])
    if kind == "missing":
        return Fault(file, where, "is missing", "give a value")
    if kind == "extra_forbidden":
        known = f"use {', '.join(item['keys'])}" if item.get("keys") else "remove it"
        return Fault(file, where, "is not a known key", f"{known}, or see docs/formats.md for the keys")
    if kind == "literal_error":
        return Fault(
            file, where, f"{quote_value(item['input'])} is not allowed", f"use {context.get('expected', message)}"
        )
    problem, _, remedy = message.removeprefix("Value error, ").partition("; ")
    lowered = (
        problem if problem.startswith(("is ", "has ", "lacks ")) else f"is refused: {problem[:1].lower()}{problem[1:]}"
    )
    return Fault(file, where, f"{quote_value(item['input'])} {lowered}", remedy or "see docs/formats.md")


def describe_errors(error: Any, file: str, record: type[BaseModel]) -> list[Fault]:
    """Turn pydantic's errors of a record into faults, one for each key; one that is not known is told those that are.

    An alternative of a union that was not meant says nothing to the reader.
    """
    kept: dict[tuple[Any, ...], Any] = {}
    for item in error.errors(include_url=False):
        key = tuple(part for part in item["loc"] if not str(part).startswith(("function-", "dict[", "tuple[")))
        kept.setdefault(key[:3] if "role" in key else key, {**item, "loc": key})
    return [describe_error({**item, "keys": _list_keys(record, item["loc"])}, file, "") for item in kept.values()]


def _list_keys(record: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Return the keys of that record, of those within a record, in which a place lies."""
    parts = iter(loc[:-1])
    for part in parts:
        field = next((each for name, each in record.model_fields.items() if part in (name, each.alias)), None)
        inner = _find_record(field.annotation) if field else None
        if field and inner:
            record = inner
            if get_origin(field.annotation) in (dict, tuple, list):
                next(parts, None)  # which of them
    return [field.alias or name for name, field in record.model_fields.items()]


def _find_record(annotation: Any) -> type[BaseModel] | None:
    """Return the record that a type is made of."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_find_record, get_args(annotation))), None)


def is_among(value: object, names: Collection[str]) -> TypeGuard[str]:
    """Whether something that a caller gives is one of some names; what cannot be compared or hashed is none."""
    return isinstance(value, str) and value in names


def take_whole(value: Any, name: str, least: int = 0, most: int = 2**31 - 1) -> int:
    """Return a whole number that a caller gives, or refuse it by its name."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise refuse(name, "", f"{quote_value(value)} is refused", f"give a whole number from {least} to {most}")
    return number
