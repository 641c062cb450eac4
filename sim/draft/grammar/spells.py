"""Spans of days that a sentence names, and how two of them are one."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sim.draft.grammar.language import Language
from sim.draft.grammar.tokens import Token


@dataclass(frozen=True)
class Spell:
    """Days that a sentence names: the tokens from `start` up to `end`.

    Attributes
    ----------
    first, last : date or None
        None where the year is told neither here nor by the article.
    relation : {"dated", "onward", "upto", "span"}
        On the day; since it; by it; from one day to another.
    rough : bool
        Whether more than a day is named, and no span: a month, of which a count may be as of its middle.
    """

    start: int
    end: int
    first: dt.date | None
    last: dt.date | None
    relation: str = "dated"
    rough: bool = False


def month_before(day: dt.date) -> tuple[int, int]:
    """Return the year and the month before that of a day."""
    return (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)


def month_span(year: int, month: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a month."""
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def join_spells(spells: list[Spell], tokens: Sequence[Token], language: Language) -> list[Spell]:
    """Join "from A to B" and "between A and B" into one span."""
    days = language.words["days"]
    openers = {*days["between"], *days["since"]}
    out: list[Spell] = []
    for spell in spells:
        before = out[-1] if out else None
        link = [token.lower for token in tokens[before.end : spell.start]] if before else []
        words = [word for word in link if word not in (*days["fillers"], *days["thirds"])]
        opened = before and any(tokens[n].lower in openers for n in range(max(0, before.start - 3), before.start))
        if before and opened and len(words) == 1 and words[0] in days["until"] and before.relation != "span":
            first, last = before.first, spell.last
            if first and last and first > last:
                first = first.replace(year=first.year - 1)
            out[-1] = Spell(before.start, spell.end, first, last, "span")
        else:
            out.append(spell)
    return out
