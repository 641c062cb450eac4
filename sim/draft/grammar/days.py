"""Days in a sentence: which tokens speak of one, and which day it is, by the day of the article."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from sim.draft.grammar.language import Language
from sim.draft.grammar.spells import Spell, join_spells, month_before, month_span
from sim.draft.grammar.tokens import Token

YEARS = range(1900, 2100)
NAMED = ("today", "yesterday", "last_week", "last_month", "this_month", "last_year", "this_year")
_CLOCK = re.compile(r"\s*(?:[01]?\d|2[0-4])[.:][0-5]\d\b")


def find_spells(tokens: Sequence[Token], language: Language, published: dt.date | None) -> list[Spell]:
    """Return the days that a sentence names, from left to right; what a day is made of is no number."""
    finder = _Finder(tokens, language, published)
    spells: list[Spell] = []
    index = 0
    while index < len(tokens):
        spell = finder.match_at(index)
        if spell:
            spells.append(spell)
        index = spell.end if spell else index + 1
    return join_spells([finder.relate(spell) for spell in spells], tokens, language)


class _Finder:
    def __init__(self, tokens: Sequence[Token], language: Language, published: dt.date | None) -> None:
        self.tokens, self.published = tokens, published
        self.days = days = language.words["days"]
        named = {name: days[name] for name in NAMED}
        past = {f"past {length} {phrase}": [phrase] for phrase, length in days["past"].items()}
        self.months: dict[str, int] = days["months"]
        self.phrases = language.look_up("days", named | past)
        self.parts = language.look_up("parts", {name: [name] for name in days["parts"]})
        self.by, self.since = language.look_up("by", days["by"]), language.look_up("since", days["since"])
        self.ordinals: list[str] = language.words["script"]["ordinals"]
        self.units: dict[str, int] = language.words["numbers"]["units"]
        self.clock = {word.lower() for word in days["clock"]}
        self.percent: list[str] = language.words["numbers"]["percent"]

    def word(self, index: int) -> str:
        return self.tokens[index].lower if 0 <= index < len(self.tokens) else ""

    def match_at(self, index: int) -> Spell | None:
        """Return the day, the month or the year that begins at a token."""
        return (
            self._match_clock(index) or self._match_iso(index) or self._match_numeric(index)
            or self._match_day_first(index) or self._match_month(index)
            or self._match_back(index) or self._match_words(index) or self._match_year(index)
        )  # fmt: skip

    def _match_clock(self, index: int) -> Spell | None:
        """Return the span of a time of the day, at the head of a sentence or with a colon: it names no day."""
        token = self.tokens[index]
        text = "".join(each.text for each in self.tokens[index : index + 3])
        if _CLOCK.fullmatch(text) and self.word(index + 1) == ":":
            end = index + 3
            while self.word(end) in self.clock:
                end += 1
            return Spell(index, end, None, None)
        if index == 0 and _CLOCK.fullmatch(token.text):
            return Spell(index, index + 1, None, None)
        return None

    def _number(self, index: int, top: int) -> int | None:
        text = self.word(index)
        ordinal = next((each for each in self.ordinals if text.endswith(each)), "")
        text = text.removesuffix(ordinal)
        number = int(text) if re.fullmatch(r"\d{1,4}", text, re.ASCII) else None
        return number if number is not None and 1 <= number <= top else None

    def _match_iso(self, index: int) -> Spell | None:
        text = "".join(each.text for each in self.tokens[index : index + 5])
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return None
        return self._spell(index, index + 5, int(text[:4]), int(text[5:7]), int(text[8:]))

    def _match_day_first(self, index: int, *, ahead: bool = True) -> Spell | None:
        """24 February 2031; 24th of February; 24 and 31 March; 24-31 March."""
        day = self._number(index, 31)
        if day is None:
            return None
        after = index + (2 if self.word(index + 1) in self.ordinals else 1)
        until, stop = self._until(after)
        stop += bool(until) and self.word(stop) in self.ordinals
        stop += self.word(stop) in self.days["day_of"]
        month = self._month(stop)
        if month is None:
            return None
        year, end = self._year(stop + 1)
        year = year or (self._year_ahead(end, month, day) if ahead else None)
        spell = self._spell(index, end, year, month, until or day)
        if until and spell.last:
            first = self._make(spell.last.year, month, day)
            return replace(spell, first=first, relation="span")
        return spell

    def _year_ahead(self, index: int, month: int, day: int) -> int | None:
        """Return the year that the other end of a span says: "between 1 July and 31 December 2035"."""
        at = index + 1
        while self.word(index) in self.days["until"] and self.word(at) in self.days["fillers"]:
            at += 1
        other = self._match_day_first(at, ahead=False) if self.word(index) in self.days["until"] else None
        if other is None or other.last is None:
            return None
        return other.last.year - ((month, day) > (other.last.month, other.last.day))

    def _until(self, index: int) -> tuple[int | None, int]:
        """Return the day up to which a span goes, and the token after it: "24 to 31", "24. bis zum 31."."""
        if self.word(index) not in self.days["until"]:
            return None, index
        at = index + 1
        while self.word(at) in self.days["fillers"]:
            at += 1
        day = self._number(at, 31)
        return (day, at + 1) if day else (None, index)

    def _match_numeric(self, index: int) -> Spell | None:
        """3.4.2031, in the order of the language."""
        order = self.days["numeric"]
        text = "".join(each.text for each in self.tokens[index : index + 5])
        found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
        if not order or found is None:
            return None
        parts = {name: int(found[n + 1]) for n, name in enumerate(order)}
        return self._spell(index, index + 5, parts["year"], parts["month"], parts["day"])

    def _month(self, index: int) -> int | None:
        token = self.tokens[index] if index < len(self.tokens) else None
        if token is None or not token.text[0].isupper():
            return None
        return self.months.get(token.lower)

    def _match_month(self, index: int) -> Spell | None:
        """January 20, 2025; March 2025; mid-January; in March."""
        token = self.tokens[index]
        part, dash, name = token.lower.partition("-")
        if dash and part in self.days["thirds"]:
            if name in self.months:
                year, end = self._year(index + 1)
                return self._month_spell(index, end, year, self.months[name], part)
            return (
                self._year_spell(index, index + 1, int(name), part) if name.isdigit() and int(name) in YEARS else None
            )
        month = self._month(index)
        if month is None:
            return None
        after = index + (2 if self.word(index + 1) == "." else 1)
        day = self._number(after, 31)
        if day is not None and self.word(after + 1) not in self.percent:
            year, end = self._year(after + 1)
            return self._spell(index, end, year, month, day)
        year, end = self._year(after)
        doubtful = index == 0 and year is None and token.lower in self.days["doubtful_months"]
        if doubtful and self.word(1) not in self.days["month_verbs"]:
            return None
        whole = self.parts.match_before(self.tokens, index)
        if whole is not None:
            return self._month_part(whole.start, end, year, month, self.days["parts"][whole.label])
        part = next(
            (
                word
                for word in (self.word(index - 1), self.word(index - 2), self.word(index - 3))
                if word in self.days["thirds"]
            ),
            "",
        )
        return self._month_spell(index, end, year, month, part)

    def _year(self, index: int) -> tuple[int | None, int]:
        at = index + 1 if self.word(index) == "," else index
        text = self.word(at)
        if re.fullmatch(r"\d{4}", text, re.ASCII) and int(text) in YEARS:
            return int(text), at + 1
        return None, index

    def _match_words(self, index: int) -> Spell | None:
        found, today = self.phrases.match_at(self.tokens, index), self.published
        weekday = self.days["weekdays"].get(self.word(index))
        if weekday is not None and self.tokens[index].text[0].isupper():
            day = None if today is None else today - dt.timedelta(days=(today.weekday() - weekday) % 7)
            return Spell(index, index + 1, day, day)
        if found is None or self.word(found.end) in self.days["no_day_before"]:
            return None
        if today is None:
            return Spell(index, found.end, None, None, rough=True)
        name, _, span = found.label.partition(" ")
        if name == "past":
            return Spell(index, found.end, today - dt.timedelta(days=int(span.partition(" ")[0])), today, "span")
        first, last = {
            "today": (today, today),
            "yesterday": (today - dt.timedelta(days=1),) * 2,
            "last_week": (
                today - dt.timedelta(days=today.weekday() + 7),
                today - dt.timedelta(days=today.weekday() + 1),
            ),
            "last_month": month_span(*month_before(today)),
            "this_month": (today.replace(day=1), today),
            "last_year": (dt.date(today.year - 1, 1, 1), dt.date(today.year - 1, 12, 31)),
            "this_year": (dt.date(today.year, 1, 1), today),
        }[name]
        return Spell(index, found.end, first, last, rough=first != last)

    def _match_back(self, index: int) -> Spell | None:
        """Return the days of "the past 48 hours", "the last two weeks"."""
        if self.word(index) not in self.days["back"]:
            return None
        word, length = self.word(index + 1), self.days["lengths"].get(self.word(index + 2))
        count = int(word) if re.fullmatch(r"\d{1,3}", word, re.ASCII) else self.units.get(word)
        if not count or length is None:
            return None
        if self.published is None:
            return Spell(index, index + 3, None, None, rough=True)
        first = self.published - dt.timedelta(days=max(1, round(count * length)))
        return Spell(index, index + 3, first, self.published, "span")

    def _match_year(self, index: int) -> Spell | None:
        """Return a year, after a word that leads one in; a decade."""
        text, before = self.word(index), self.word(index - 1)
        if re.fullmatch(r"(?:1[5-9]|20)\d\d", text, re.ASCII):
            ends = self.days["decade_ends"]
            if self.word(index + 1) in ends or (self.word(index + 1) == "’" and self.word(index + 2) in ends):
                return Spell(index, index + 2, None, None)
            follows, leads = self.word(index + 1), self.days["year_leads"]
            if before in leads and (not follows or not follows.isalpha() or follows in self.days["after_year"]):
                return self._year_spell(index, index + 1, int(text), before)
        return None

    def _spell(self, start: int, end: int, year: int | None, month: int, day: int) -> Spell:
        made = self._make(year, month, day)
        return Spell(start, end, made, made)

    def _make(self, year: int | None, month: int, day: int) -> dt.date | None:
        """Return a day; without a year, the last such day that the article can speak of."""
        try:
            if year is not None:
                return dt.date(year, month, day)
            if self.published is None:
                return None
            made = dt.date(self.published.year, month, day)
            return made if made <= self.published + dt.timedelta(days=31) else made.replace(year=made.year - 1)
        except ValueError:
            return None

    def _month_spell(self, start: int, end: int, year: int | None, month: int, part: str) -> Spell:
        if year is None and self.published is not None:
            year = self.published.year - (month > self.published.month)
        if year is None:
            return Spell(start, end, None, None, rough=True)
        first, last = month_span(year, month)
        if part:
            third = self.days["thirds"][part]
            first = first.replace(day=(1, 11, 21)[third])
            last = last if third == 2 else last.replace(day=(10, 20)[third])
            if part in self.days["ends"]:
                first = last
        return Spell(start, end, first, last, rough=True)

    def _month_part(self, start: int, end: int, year: int | None, month: int, days: Sequence[int]) -> Spell:
        """Return the days of a month that a phrase names: "the last week of October"."""
        whole = self._month_spell(start, end, year, month, "")
        if whole.first is None or whole.last is None:
            return whole
        after = whole.last + dt.timedelta(days=1)
        first, last = (
            (whole.first + dt.timedelta(days=day - 1)) if day > 0 else (after + dt.timedelta(days=day)) for day in days
        )
        return Spell(start, end, first, last, "span")

    def _year_spell(self, start: int, end: int, year: int, part: str) -> Spell:
        third = self.days["thirds"].get(part)
        if third is None:
            return Spell(start, end, dt.date(year, 1, 1), dt.date(year, 12, 31), rough=True)
        edges = ((1, 1, 3, 31), (5, 1, 8, 31), (10, 1, 12, 31))[third]
        return Spell(start, end, dt.date(year, edges[0], edges[1]), dt.date(year, edges[2], edges[3]), rough=True)

    def relate(self, spell: Spell) -> Spell:
        """Add how the sentence speaks of the days: since them, by them, or on them."""
        before = spell.start
        while spell.relation == "dated":
            for phrases, relation in ((self.by, "upto"), (self.since, "onward")):
                if phrases.match_before(self.tokens, before, 3):
                    return replace(spell, relation=relation)
            if self.word(before - 1) not in (*self.days["leads"], *self.days["thirds"]):
                break
            before -= 1
        since = self.days["since_event"]
        clause = [self.word(n) for n in range(max(0, before - 6), before)]
        begun = set(self.days["begun"]) & {*clause[-2:]} and not {*since}.isdisjoint(clause)
        clause = [self.word(n) for n in range(max(0, spell.start - 16), spell.start)]  # "since the invasion on May 2"
        first = next((n for n, word in enumerate(clause) if word in since), None)
        told = "." if first is None else "".join(clause[first + 1 :])
        linked = bool(clause) and clause[-1] in self.days["event_links"]
        named = linked and re.fullmatch(r"[^\W\d]+(?:['’-][^\W\d]*)*", told)
        return replace(spell, relation="onward") if (begun or named) and spell.relation == "dated" else spell
