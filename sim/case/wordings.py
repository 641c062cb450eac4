"""Wordings: how a number was put. One record each, which is all that the program knows of it.

A new wording of one of these laws is an entry of `WORDINGS`, and where it is a bound its prior `wording.NAME` in the
default set. A law of its own is a form of the likelihood besides: see `sim.model.beliefs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Law = Literal["number", "range", "bound"]
Unit = Literal["count", "share", "ratio"]
NUMBER = re.compile(r"[+-]?(\d++\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Wording:
    """What a wording says of the number that a source means, and how it is shown.

    Attributes
    ----------
    name : str
        As in the column `qualifier` of `claims.csv`.
    law : {"number", "range", "bound"}
        The number up to its rounding; the source's own 80% interval; or a bound, from which the number that the source
        means is off by the parameter `wording.NAME` on average, on the log scale.
    sign : {-1, 0, 1}
        Of a bound: 1 where the number meant lies above what was said, -1 where it lies below. So a bound at the very
        end of the scale, at least none or at most all, says nothing, and `check` takes two numbers for no contradiction
        where a bound leaves room for both.
    rounds_zeros : bool
        Whether the zeros at the end of a number are rounding, where its digits are not told.
    finds : bool
        Whether what was found is counted: no role plays that up or down.
    lists : bool
        Whether it is a closed list: nobody plays that up or down, and its noise is its own, `wording.NAME`.
    label : str
        In words: in legends, and in the names of other readings.
    before : str
        What stands before the number in a memo.
    symbol : str
        What stands before the number in a figure.
    mark, pointer : str
        The marks of matplotlib: in the figure of losses over time, and in that of the claims.
    """

    name: str
    law: Law = "number"
    sign: Literal[-1, 0, 1] = 0
    rounds_zeros: bool = True
    finds: bool = False
    lists: bool = False
    label: str = ""
    before: str = ""
    symbol: str = ""
    mark: str = "o"
    pointer: str = "o"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it needs."""
        return ("low", "high") if self.law == "range" else ("value",)

    @property
    def prior(self) -> str:
        """The key of its parameter in a prior set; empty for what has none."""
        return f"wording.{self.name}" if self.law == "bound" or self.lists else ""


_ALL = (
    Wording("exact", rounds_zeros=False, label="about, exact"),
    Wording("about", label="about, exact", before="about "),
    Wording("at_least", "bound", 1, label="at least", before="at least ", symbol="≥ ", mark="^", pointer=">"),
    Wording("at_most", "bound", -1, label="at most", before="at most ", symbol="≤ ", mark="v", pointer="<"),
    Wording("range", "range", label="range", mark="_", pointer="|"),
    Wording(
        "counted", "bound", 1, finds=True,
        label="counted so far", before="counted: ", symbol="≥ ", mark="s", pointer=">",
    ),
    Wording(
        "register", rounds_zeros=False, lists=True,
        label="list of names", before="by a closed list: ", mark="D", pointer="D",
    ),
)  # fmt: skip
WORDINGS: dict[str, Wording] = {wording.name: wording for wording in _ALL}
# What a number of one place says of the whole: that it is as large, and how much larger nobody knows.
PART = Wording("part", "bound", 1, label="of a part", symbol="≥ ", mark="^", pointer=">")


def list_with_priors() -> list[Wording]:
    """Return the wordings that have a parameter."""
    return [wording for wording in (*WORDINGS.values(), PART) if wording.prior]


def list_bounds() -> list[Wording]:
    """Return the wordings that are bounds."""
    return [wording for wording in WORDINGS.values() if wording.law == "bound"]


def read_known_whole(unit: Unit, of: str) -> float | None:
    """Return how many there were of which a share is told; None for a share of what is not known, and for no share."""
    return float(of) if unit == "share" and NUMBER.fullmatch(of) else None


def split_whole(unit: Unit, of: str, force: str) -> tuple[str, str]:
    """Return force and quantity that a share or a ratio of a force is of; no quantity for what is a count."""
    if unit == "ratio":
        other, _, quantity = of.rpartition(".")
        return other or force, quantity
    is_count = unit == "count" or read_known_whole(unit, of) is not None
    return force, "" if is_count else of or "deployed"
