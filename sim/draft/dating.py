"""When: the days that a number is of, by what its sentence names and by the article's own day."""

from __future__ import annotations

import datetime as dt

from sim.draft.drafts import Said
from sim.draft.grammar.language import Language
from sim.draft.grammar.mentions import Mention
from sim.draft.grammar.spells import Spell

OLD = 3 * 366  # days before the article, from which on another war is meant


def choose_days(
    said: Said, day: dt.date | None, remarks: list[str], language: Language
) -> tuple[str, dt.date | None, dt.date | None, bool]:
    """Return measure, since, as_of, and whether a day was told."""
    reading, mention = said.reading, said.reading.mention
    stated = [spell for spell in said.spells if _is_of_saying(spell, said, language)]
    others = [spell for spell in said.spells if spell not in stated and (spell.first or spell.rough)]
    told_on = next((_choose_middle(spell, day) for spell in stated if spell.last), None)
    stock = "stock" if reading.quantity == "deployed" else ""
    if not others:
        return stock, None, told_on if told_on and told_on != day else None, bool(told_on)
    spell = min(others, key=lambda each: _spell_distance(each, mention))
    first, last = spell.first, spell.last
    if first is None or last is None:
        remarks.append("the day that it names has no year")
        return stock, None, None, False
    if day is not None and (day - last).days > OLD:
        remarks.append(f"of {last.year}: another war than the article's?")
    if day is not None and last > day:
        last = day
        if first > last:
            return stock, None, told_on, False
    if _is_open(said, spell, language) and spell.relation in ("dated", "onward"):
        return stock, None, told_on, True
    middle = _find_middle(first, last)
    if reading.quantity == "deployed" and not reading.more:
        return (
            "stock",
            None,
            None if spell.relation == "onward" else last if spell.relation != "dated" else middle,
            True,
        )
    if spell.relation == "onward":
        return "interval", first, told_on or day, True
    if spell.relation == "upto":
        return stock, None, last, True
    later = spell.start >= reading.head[1]
    if spell.relation == "dated" and spell.rough and not later and _is_estimate(said, spell, language):
        remarks.append("only the month is told: its middle")
        return stock, None, middle, True
    if spell.relation == "dated" and spell.start >= 0 and _has_grown(said, language):
        return stock, None, told_on, True
    return "interval", first, last, True


def _find_middle(first: dt.date, last: dt.date) -> dt.date:
    whole = first.day == 1 and (last - first).days > 26 and first.month == last.month
    return first.replace(day=15) if whole else first + (last - first) / 2


def _choose_middle(spell: Spell, day: dt.date | None) -> dt.date | None:
    """Return the day of a statement: of a month its middle, unless that month is not over."""
    if spell.first is None or spell.last is None or (day is not None and spell.first != spell.last >= day):
        return day
    return _find_middle(spell.first, spell.last)


def _is_of_saying(spell: Spell, said: Said, language: Language) -> bool:
    """Whether a day is that of the statement: "said on Wednesday"."""
    if spell.start < 0:
        return False
    follows = [token.lower for token in said.sentence.tokens[spell.end : spell.end + 2]]
    if not language.set_of("days", "when").isdisjoint(follows):
        return any(0 <= each.start - spell.end <= 4 for each in said.attributions)
    if spell.relation != "dated":
        return False
    near_by = 10 if spell.first == spell.last else 5
    tokens, losses = said.sentence.tokens, language.set_of("grammar", "said_that")
    for each in said.attributions:
        if spell.end == each.verb:
            return True  # "the army on Tuesday said"
        between = tokens[each.verb + 1 : spell.start]
        if 0 <= spell.start - each.verb <= near_by and not any(token.text[0].isdigit() for token in between):
            near = [token.lower for token in between[-2:]]
            if (
                len(between) <= 4
                or not any(word in losses for word in near[:1])
                or not language.set_of("speech", "aired").isdisjoint(near)
            ):
                return True
    return False


def _spell_distance(spell: Spell, mention: Mention) -> float:
    if spell.start < 0:
        return 0.0
    if spell.start >= mention.end:
        return spell.start - mention.end
    return 5.0 if spell.start <= 2 else 1.5 * (mention.start - spell.end)  # what leads a sentence in is of all of it


def _is_open(said: Said, spell: Spell, language: Language) -> bool:
    """Whether the count runs since the war, or the deployment, began: the case's own start."""
    if spell.start < 0:
        return False
    words = " ".join(token.lower for token in said.sentence.tokens[max(0, spell.start - 8) : spell.start])
    return any(phrase in words for phrase in language.words["days"]["open"])


def _has_grown(said: Said, language: Language) -> bool:
    start = said.reading.mention.start
    return any(
        token.lower in language.words["readings"]["grew"] for token in said.sentence.tokens[max(0, start - 5) : start]
    )


def _is_estimate(said: Said, spell: Spell, language: Language) -> bool:
    """Whether an estimate is told of a month, by a word near it."""
    before = said.sentence.tokens[spell.start - 1].lower if spell.start > 0 else ""
    if before in language.words["days"]["whole"]:
        return False
    near = range(max(0, spell.start - 8), spell.end + 8)
    words = {token.lower for n, token in enumerate(said.sentence.tokens) if n in near}
    return not words.isdisjoint(language.words["readings"]["estimated"])
