"""What the head of an article tells of it: its day, whose own text it is, and which words are names."""

from __future__ import annotations

import datetime as dt
import re

from sim.draft.grammar.days import find_spells
from sim.draft.grammar.language import Language
from sim.draft.grammar.sentences import find_voices
from sim.draft.grammar.speakers import Speaker, Speakers

_HOUR = r"(?<![.\d])\d{{1,2}}[:.]\d\d(?![.\d])(?: ?(?:{words})(?!\w))*,? *"


def find_published(text: str, language: Language) -> dt.date | None:
    """Return the day that the head or the foot of an article names as its own: a line that is a date, or says so."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    labels = language.set_of("days", "published")
    self_words = labels | set(language.words["days"]["weekdays"]) | language.set_of("days", "dateline")
    hour = re.compile(_HOUR.format(words="|".join(map(re.escape, language.words["days"]["clock"]))), re.IGNORECASE)
    found: list[tuple[int, dt.date]] = []
    for line in (*lines[:12], *lines[-3:]):
        head = hour.sub("", line[:90])
        tokens = language.split(head)
        spells = [
            spell for spell in find_spells(tokens, language, None)
            if spell.first and spell.first == spell.last and spell.relation in ("dated", "upto")
        ]  # fmt: skip
        if not spells:
            continue
        spell = spells[-1]
        others = [token for n, token in enumerate(tokens) if not spell.start <= n < spell.end and token.text.isalnum()]
        dashed = any(token.text in ("-", "–", "—", ":") for token in tokens[spell.end : spell.end + 5])
        placed = tokens[0].text.isupper() or (spell.start <= 3 and dashed)
        dateline = bool(re.search(r"\)?\s*[-–—:]\s", line[:90])) and placed
        labelled = any(token.lower in labels for token in tokens[:2]) and len(line) <= 90
        alone = len(line) <= 60 and not [token for token in others if token.lower not in self_words]
        closing = spell.end == len(tokens) and spell.relation == "dated" and "," in line
        stated = (spell.relation == "upto" or closing) and len(line) <= 90 and line[-1] not in ".!?"
        rank = next(
            (
                n
                for n, holds in enumerate((labelled, alone, dateline, len(line) <= 60 and len(others) <= 3, stated))
                if holds
            ),
            None,
        )
        if rank is not None and spell.first:
            found.append((rank, spell.first))
    return min(found, key=lambda each: each[0])[1] if found else None


def find_author(text: str, language: Language) -> Speaker | None:
    """Return the institution whose own text it is: one of its first lines is a name, and no sentence."""
    lines = [line.strip() for line in text.split("\n") if line.strip()][:3]
    if find_voices(text):
        return None  # of a transcript whoever has the word
    heads = [(each, re.split(r": |, ", each)[: 3 if n else 1]) for n, each in enumerate(lines)]
    for line, head in [(line, part) for line, parts in heads for part in parts]:
        tokens = language.split(head)
        words = [token for token in tokens if token.text[0].isalpha() and len(token.text) > 3]
        if (
            not words
            or (len(tokens) < 2 and not language.institutions.stands_in(tokens))
            or len(tokens) > 14
            or line[-1] in ".!?"
            or not language.bodies.stands_in(tokens)
        ):
            continue
        named = language.bodies.match_at(tokens, 0) is not None  # "Committee for Families of the Missing"
        if not named and any(
            kind.stands_in(tokens) for kind in (language.outcomes, language.speech, language.equipment)
        ):
            continue
        of = next(
            (n for n, token in enumerate(tokens) if token.lower in language.words["speech"]["report_links"]),
            len(tokens),
        )
        if tokens[0].lower in language.words["speech"]["report_of"] and of < len(tokens) - 1:
            tokens = tokens[of + 1 :]
            words = [token for token in tokens if token.text[0].isalpha() and len(token.text) > 3]
        if sum(token.text[0].isupper() for token in words) >= 0.8 * len(words) and not any(
            token.lower in language.words["script"]["possessives"] for token in tokens[-1:]
        ):
            return Speakers(language).identify(tokens)
    return None


def find_names(text: str, language: Language) -> frozenset[str]:
    """Return the words that have a capital within a sentence: names, wherever they stand."""
    return frozenset(
        found[1] or found[2]
        for found in re.finditer(
            rf"(?:(?<=[a-z,;] )([A-Z][\w-]+)|\b([A-Z][\w-]{{1,100}}+)(?={language.script.possessive}))", text
        )
    )
