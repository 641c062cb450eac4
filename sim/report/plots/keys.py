"""What goes with a panel over time: the key of sources and wordings, the axis of days, and the bars of spells."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from sim.contract.summary import JudgedClaim, Result
from sim.report.days import choose_days, name_days
from sim.report.labels import PALETTE, colour_sources, label_sources
from sim.report.plots.frame import MARGIN, SMALL, WIDTH, Frame, cut_text, measure_text
from sim.report.plots.style import INK, SOFT
from sim.words import show_number

if TYPE_CHECKING:
    from sim.report.plots.losses import Mark

LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
_LINE, _MARK, _GAP = 0.19, 0.16, 0.22  # inches
_LONGEST = 2.75  # inches of a name: two stand in a line
_MOST_FLOWING = 8  # entries that follow each other; more stand in columns
LEAST_BAR, TAGGED_BAR = 0.008, 0.03  # of the axis, that a bar is wide, and one that has a number


@dataclass(frozen=True)
class Key:
    """An entry of a key: a mark, and what it stands for; `x` and `line` say where."""

    label: str
    colour: str
    x: float
    line: int


def number_sources(result: Result, claims: Sequence[JudgedClaim]) -> dict[str, str]:
    """Return the number that each named source has in the key and beside its marks, for whoever sees no colours."""
    colours = colour_sources(result)
    speaking = [source for source in dict.fromkeys(claim.source for claim in claims) if colours[source] in PALETTE]
    return {source: str(number) for number, source in enumerate(speaking, 1)} if len(speaking) > 1 else {}


def list_key(result: Result, claims: Sequence[JudgedClaim]) -> list[Key]:
    """Return the sources that claims come from, laid out in lines; those that share a grey are told together."""
    labels, colours = label_sources(result), colour_sources(result)
    speaking = list(dict.fromkeys(claim.source for claim in claims))
    named = [source for source in speaking if colours[source] in PALETTE]
    others = [source for source in speaking if source not in named]
    numbers = number_sources(result, claims)
    entries = [
        (put_before(numbers.get(source, ""), cut_text(labels[source], _LONGEST, SMALL, lines=1)[0]), colours[source])
        for source in named
    ]
    if len(others) == 1:
        entries.append((cut_text(labels[others[0]], _LONGEST, SMALL, lines=1)[0], SOFT))
    elif others:
        entries.append((f"{len(others)} further sources", SOFT))
    return _lay_out(entries)


def put_before(number: str, name: str) -> str:
    """Return a name after its number, on its left also where the name is written from the right."""
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"{LEFT_TO_RIGHT * turned}{number} {name}".strip()


def _lay_out(entries: Sequence[tuple[str, str]]) -> list[Key]:
    widths = [_MARK + measure_text(label, SMALL) + _GAP for label, _ in entries]
    room = WIDTH - 2 * MARGIN + _GAP
    if len(entries) > _MOST_FLOWING:
        columns = max(int(room / max(widths)), 1)
        lines = -(-len(entries) // columns)
        return [
            Key(label, colour, MARGIN + room / columns * (number // lines), number % lines)
            for number, (label, colour) in enumerate(entries)
        ]
    found, x, line = [], MARGIN, 0
    for (label, colour), width in zip(entries, widths, strict=True):
        if x > MARGIN and x + width > MARGIN + room:
            x, line = MARGIN, line + 1
        found.append(Key(label, colour, x, line))
        x += width
    return found


def measure_key(key: Sequence[Key]) -> float:
    """Return the height of a key of sources, and the line of wordings under it, in inches."""
    return _LINE * (max((entry.line for entry in key), default=-1) + 2) + 0.1


def put_key(frame: Frame, key: Sequence[Key], marks: Sequence[Mark]) -> float:
    """Set the key under the head; return its height."""
    for entry in key:
        _put_entry(frame, entry, "o", entry.colour)
    said = {mark.claim.wording.label: mark.claim.wording for mark in marks}
    lines = max((entry.line for entry in key), default=-1) + 1
    for entry, wording in zip(_lay_out([(label, SOFT) for label in said]), said.values(), strict=True):
        shape = "|" if wording.law == "range" else wording.mark
        _put_entry(frame, Key(entry.label, SOFT, entry.x, lines + entry.line), shape, SOFT)
    return measure_key(key)


def _put_entry(frame: Frame, entry: Key, shape: str, colour: str) -> None:
    above = entry.line * _LINE
    frame.write(entry.label, entry.x + _MARK, above, fontsize=SMALL)
    position = (entry.x + 0.06) / WIDTH, 1 - (frame.top + above + 0.066) / frame.height
    look: dict[str, Any] = {"ms": 9, "mew": 2.2} if shape == "|" else {"ms": 6, "mew": 1.2}
    mark = Line2D([position[0]], [position[1]], marker=shape, color=colour, ls="none", **look)
    mark.set_transform(frame.canvas.transFigure)
    frame.canvas.add_artist(mark)


def list_spells(claims: Sequence[JudgedClaim]) -> list[JudgedClaim]:
    """Return the claims on single days or spells that are used, or repeat one that is."""
    return [
        claim
        for claim in claims
        if claim.measure == "interval" and claim.unit == "count" and claim.since and claim.said and not claim.exclude
    ]


def draw_spells(
    axes: Axes, spells: Sequence[JudgedClaim], colours: Mapping[str, str], numbers: Mapping[str, str]
) -> None:
    """Draw what was said of spells as bars as wide as these, from zero, each with the number of its source."""
    starts = [_number(claim.since or claim.as_of) for claim in spells]
    ends = [_number(claim.as_of) for claim in spells]
    span = max(max(ends) - min(starts), 30.0)
    tagged: list[float] = []
    for claim, start, end in zip(spells, starts, ends, strict=True):
        width = max(end - start, span * LEAST_BAR)
        face = colours[claim.source] if claim.used else "white"
        axes.bar(start, claim.said[-1], width, align="edge", color=(face, 0.45), ec=colours[claim.source], lw=0.8)
        middle, room = start + width / 2, span * TAGGED_BAR
        wide = width > room
        if claim.source in numbers and (wide or all(abs(middle - other) > room for other in tagged)):
            position = middle, claim.said[-1] / 2 if wide else claim.said[-1]
            aside = (0.0, 0.0 if wide else 5.0)  # points, over a bar too narrow for it
            look: dict[str, Any] = {"fontsize": 7.5, "color": INK, "ha": "center", "va": "center"}
            axes.annotate(
                numbers[claim.source], position, aside, textcoords="offset points", annotation_clip=True, **look
            )
            tagged.append(middle)
    axes.set_ylim(0, 1.5 * max(1, *(claim.said[-1] for claim in spells)))
    axes.text(0.008, 0.97, "in these days alone", transform=axes.transAxes, va="top", fontsize=8, color=SOFT)
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show_number(value)))


def _number(day: str) -> float:
    number: Any = mdates.date2num(dt.date.fromisoformat(day))  # type: ignore[no-untyped-call]
    return float(number)


def set_day_axis(axes: Axes, first: str, last: str, *, labels: bool) -> None:
    """Give an axis of days ticks whose first, and the first of each year, say the year."""
    days = choose_days(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    axes.xaxis.set_major_locator(FixedLocator([_number(day.isoformat()) for day in days]))
    axes.tick_params(labelbottom=labels)
    texts = name_days(days)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda _, number: texts[number or 0] if number is not None else ""))
