"""The values that the records are made of, with their limits: days, counts, shares, intervals.

They are strict where JSON has types of its own, so that `"1"` is no number and `1` is no answer to yes or no.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sim.case.case import MAX_LABEL
from sim.case.claims import check_year

SCHEMA: Literal[1] = 1
LEVELS = (0.5, 0.8, 0.9, 0.95)  # of the credible intervals
PERCENTS = range(1, 100)
DOTS = 20  # of a quantile dotplot: each 5%
MAX_ENTRIES = 10_000  # of a list that grows with forces, quantities and sources
_ROUNDED = 1e-6  # by which edges may cross, for the digits that they are written with


def round_figures(value: float, digits: int = 6) -> float:
    """Round to significant figures, so that the same draws give the same file on any platform."""
    return float(f"{float(value):.{digits}g}")


def _check_day(text: str) -> str:
    try:
        check_year(dt.date.fromisoformat(text))
    except ValueError:
        raise PydanticCustomError("day", "is not a day") from None
    return text


def _check_order(edges: tuple[float, float]) -> tuple[float, float]:
    if edges[0] > edges[1] + _ROUNDED * abs(edges[1]):
        raise PydanticCustomError("order", "is out of order")
    return edges


def _check_levels(intervals: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for level in map(str, LEVELS):
        if level not in intervals:
            raise PydanticCustomError("level", "lacks an interval")
    return intervals


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
Label = Annotated[str, Field(max_length=MAX_LABEL)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_check_day)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Number = Annotated[float, Field(strict=True, ge=-1e100, le=1e100)]
Count = Annotated[float, Field(strict=True, ge=0, le=1e100)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Edges = Annotated[tuple[Number, Number], AfterValidator(_check_order)]
CountEdges = Annotated[tuple[Count, Count], AfterValidator(_check_order)]
Intervals = Annotated[dict[str, Edges], AfterValidator(_check_levels)]
CountIntervals = Annotated[dict[str, CountEdges], AfterValidator(_check_levels)]
Points = Annotated[tuple[Number, ...], Field(min_length=len(PERCENTS), max_length=len(PERCENTS))]
Few = Field(max_length=MAX_ENTRIES)
Texts = Annotated[tuple[str, ...], Few]
Seconds = Annotated[dict[str, Number], Few]
