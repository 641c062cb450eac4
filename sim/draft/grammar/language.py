"""The table of a language: words for numbers, wordings, outcomes, speakers and days, as phrases to find in tokens."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple

from sim.errors import quote_value, refuse

# A number with its separators; a word with its hyphens and apostrophes; a possessive apart; any other mark alone.
_TOKEN = re.compile(
    r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?![\d])(?:\.\d+)?|\d+(?:\.\d+)?"
    r"|(?:[A-Za-z]\.){2,}|['’]s\b|[^\W\d_](?:[\w]|[-‑](?=[^\W\d_])|[-‑](?=\d)|['’](?!s\b)(?=[^\W\d_]))*"
    r"|\S"
)


class Token(NamedTuple):
    """A word, a number or a mark of punctuation: as written, in small letters, and where it stands in the text."""

    text: str
    lower: str
    start: int
    end: int


class Found(NamedTuple):
    """A phrase of a table in a sentence: the tokens from `start` up to `end`, and what it stands for."""

    start: int
    end: int
    label: str


class Phrases:
    """Phrases by their first word, each with a label; the longest that stands at a place is found."""

    def __init__(self, table: Mapping[str, Iterable[str]] | Iterable[str]) -> None:
        self._first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        named = table.items() if isinstance(table, Mapping) else (("", table),)
        for label, phrases in named:
            for phrase in phrases:
                words = tuple(token.lower for token in split_tokens(phrase))
                self._first.setdefault(words[0], []).append((words, label))
        for known in self._first.values():
            known.sort(key=lambda item: -len(item[0]))

    def match_at(self, tokens: Sequence[Token], index: int) -> Found | None:
        """Return the longest phrase that begins at a token."""
        for words, label in self._first.get(tokens[index].lower, ()):
            if all(index + n < len(tokens) and tokens[index + n].lower == word for n, word in enumerate(words)):
                return Found(index, index + len(words), label)
        return None

    def match_before(self, tokens: Sequence[Token], index: int, longest: int = 5) -> Found | None:
        """Return the longest phrase that ends just before a token."""
        for start in range(max(0, index - longest), index):
            found = self.match_at(tokens, start)
            if found and found.end == index:
                return found
        return None

    def find_all(self, tokens: Sequence[Token]) -> Iterator[Found]:
        """Yield the phrases of a sentence from left to right, none within another."""
        index = 0
        while index < len(tokens):
            found = self.match_at(tokens, index)
            if found:
                yield found
            index = found.end if found else index + 1

    def stands_in(self, tokens: Sequence[Token]) -> bool:
        """Whether any of the phrases stands among some tokens."""
        return next(self.find_all(tokens), None) is not None


def split_tokens(text: str, offset: int = 0) -> list[Token]:
    """Return the tokens of a text, `offset` added to where they stand."""
    return [
        Token(found[0], found[0].lower().replace("’", "'"), found.start() + offset, found.end() + offset)
        for found in _TOKEN.finditer(text)
    ]


def count_tokens(text: str, most: int) -> int:
    """Return how many tokens a text has; of those beyond `most` one is counted."""
    return sum(1 for _ in islice(_TOKEN.finditer(text), most + 1))


@dataclass(frozen=True)
class Language:
    """The tables of one language; `words` holds the rest of the file as it stands."""

    words: dict[str, Any]
    before: Phrases
    after: Phrases
    found: Phrases
    outcomes: Phrases
    equipment: Phrases
    equipment_lost: Phrases
    speech: Phrases
    according: Phrases
    by: Phrases
    bodies: Phrases
    offices: Phrases
    countries: Phrases
    institutions: Phrases

    def set_of(self, table: str, name: str) -> frozenset[str]:
        """Return a list of the file as a set."""
        return frozenset(self.words[table][name])


@cache
def read_language(name: str = "english") -> Language:
    """Read the table of a language that comes with the program."""
    file = files("sim") / "draft" / f"{name}.toml"
    if not name.isalpha() or not file.is_file():
        raise refuse("--language", "", f"{quote_value(name)} has no table", "use english")
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    readings, speech = words["readings"], words["speech"]
    return Language(
        words=words,
        before=Phrases(words["wording"]["before"]),
        after=Phrases(words["wording"]["after"]),
        found=Phrases(words["wording"]["found"]),
        outcomes=Phrases(words["outcomes"]),
        equipment=Phrases(words["equipment"]),
        equipment_lost=Phrases(readings["equipment"]["lost"]),
        speech=Phrases(speech["verbs"]),
        according=Phrases(speech["according"]),
        by=Phrases(speech["by"]),
        bodies=Phrases(speech["bodies"]),
        offices=Phrases(speech["persons"]),
        countries=Phrases(words["countries"]),
        institutions=Phrases(words["institutions"]),
    )
