"""What is wrong with an input, said in one line: what, where, the value, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


def quote_value(value: object, limit: int = 60) -> str:
    """Return `value` on one line, escaped and cut at `limit` characters, so that no input can forge a message."""
    text = ascii(value) if not isinstance(value, str) else "'" + value.encode("unicode_escape").decode("ascii") + "'"
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input file.

    Attributes
    ----------
    file : str
        The file's name.
    where : str
        The place in it: "row 7, column high", or a key such as "forces.dprk.waves".
    problem, remedy : str
        What is wrong, with the value, and what to do about it.
    """

    file: str
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        place = f"{self.file}, {self.where}" if self.where else self.file
        return " ".join(f"{place}: {self.problem}; {self.remedy}".split())


class InputError(Exception):
    """Input that cannot be used; carries every fault found, and ends the program with exit status 3."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        """Be copied by its faults, not by its text: one that a worker raises is told as one raised here."""
        return type(self), (self.faults,)


def refuse(file: str, where: str, problem: str, remedy: str) -> InputError:
    """Return an InputError of a single fault."""
    return InputError([Fault(file, where, problem, remedy)])
