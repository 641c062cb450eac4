"""The records of what an HTML memo can be asked: numbers and text alone, which the page draws."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A count that any threshold can be asked of: its percentiles 1 to 99."""

    name: str
    points: tuple[float, ...]


@dataclass(frozen=True)
class Without:
    """What the answer would be without a source: the same counts, in words."""

    label: str
    told: tuple[str, ...]


@dataclass(frozen=True)
class Mark:
    """A claim on a panel: where it stands, in the colour that its source has in the figures, and what it says.

    A range reaches as far up as down from its middle.
    """

    x: float
    y: float
    shape: str
    used: bool
    label: str
    colour: str
    reach: float


@dataclass(frozen=True)
class Bar:
    """A claim on single days or a spell: where its bar stands, and what it says."""

    x: float
    y: float
    width: float
    height: float
    used: bool
    label: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """The path of a count with its claims: lines as points of an SVG of 640 by `height`, and ticks with their numbers.

    Under the path stand bars of what was said of single days or spells, where anybody did; `most` is the number at the
    height of the highest of them.
    """

    name: str
    height: float
    wide: str
    narrow: str
    median: str
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...]
    most: str


@dataclass(frozen=True)
class Asking:
    """All that a memo can be asked; `words` has those of each whole percentage, from 0 to 100."""

    counts: tuple[Asked, ...]
    words: tuple[str, ...]
    headlines: tuple[str, ...]
    without: tuple[Without, ...]
    panels: tuple[Panel, ...]
