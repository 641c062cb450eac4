"""The table of a language: words for numbers, wordings, outcomes, speakers and days, as phrases to find in tokens."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from sim.draft.grammar.tokens import Script, Token
from sim.errors import quote_value, refuse

USUAL = "english"
BONES = ("prepositions", "determiners", "auxiliaries", "conjunctions")  # the commonest words of any text
LEAST = 12.0  # in a hundred words of a text of the language: there are 26 to 44, and 0 to 6 in one of another
SHORT = 30  # words, of which it is not told


class Found(NamedTuple):
    """A phrase of a table in a sentence: the tokens from `start` up to `end`, and what it stands for."""

    start: int
    end: int
    label: str


class Phrases:
    """Phrases by their first word, each with a label; the longest that stands at a place is found."""

    def __init__(self, table: Mapping[str, Iterable[str]] | Iterable[str], split: Callable[[str], list[Token]]) -> None:
        self._first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        named = table.items() if isinstance(table, Mapping) else (("", table),)
        for label, phrases in named:
            for phrase in phrases:
                words = tuple(token.lower for token in split(phrase))
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


@dataclass(frozen=True)
class Language:
    """The tables of one language; `words` holds the rest of the file as it stands."""

    name: str
    words: dict[str, Any]
    script: Script
    before: Phrases
    after: Phrases
    found: Phrases
    outcomes: Phrases
    equipment: Phrases
    equipment_lost: Phrases
    speech: Phrases
    according: Phrases
    according_after: Phrases
    by: Phrases
    back: Phrases
    bodies: Phrases
    offices: Phrases
    countries: Phrases
    institutions: Phrases
    indexed: dict[str, Phrases] = field(default_factory=dict)

    def look_up(self, name: str, table: Mapping[str, Iterable[str]] | Iterable[str]) -> Phrases:
        """Return the phrases of a table that is looked for in every sentence; made once."""
        if name not in self.indexed:
            self.indexed[name] = Phrases(table, self.split)
        return self.indexed[name]

    def set_of(self, table: str, name: str) -> frozenset[str]:
        """Return a list of the file as a set."""
        return frozenset(self.words[table][name])

    def split(self, text: str, offset: int = 0) -> list[Token]:
        """Return the tokens of a text, `offset` added to where they stand."""
        return self.script.split(text, offset)

    def make_key(self, label: str) -> str:
        """Return a name as a key of `[sources]`."""
        bare = " ".join(map(self.script.stem, self.script.drop_possessives(label).split()))
        plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
        drops = self.words["grammar"]["key_drops"]
        words = [word for word in re.sub(r"[^a-z0-9]+", " ", plain.lower()).split() if word not in drops]
        key = "_".join(words)[:60].strip("_")
        return key if key[:1].isalpha() else f"source_{key}"[:60].strip("_")


def list_languages() -> list[str]:
    """Return the names of the languages that have a table."""
    return sorted(
        file.name.removesuffix(".toml") for file in (files("sim") / "draft").iterdir() if ".toml" in file.name
    )


@cache
def read_language(name: str = USUAL) -> Language:
    """Read the table of a language that comes with the program."""
    known = list_languages()
    if name not in known:
        raise refuse("--language", "", f"{quote_value(name)} has no table", f"use {' or '.join(known)}")
    return make_language(name, tomllib.loads((files("sim") / "draft" / f"{name}.toml").read_text(encoding="utf-8")))


def find_language(text: str) -> Language | None:
    """Return the language of a text by its commonest words; of a text too short to tell the usual one, else None."""
    words = re.findall(r"[^\W\d_]+", text.lower())[:5_000]
    shares = {name: _share_bones(words, read_language(name)) for name in list_languages()}
    best = max(shares, key=lambda name: (shares[name], name == USUAL))
    if shares[best] >= LEAST:
        return read_language(best)
    return read_language(USUAL) if len(words) < SHORT else None


def _share_bones(words: Sequence[str], language: Language) -> float:
    """Return how many in a hundred words of a text are the prepositions, articles and joins of a language."""
    bones = {word for name in BONES for word in language.words["grammar"][name]}
    return 100 * sum(word in bones for word in words) / max(len(words), 1)


def make_language(name: str, words: dict[str, Any]) -> Language:
    """Return a language by its table."""
    readings, speech, script = words["readings"], words["speech"], Script(words["script"])

    def index(table: Mapping[str, Iterable[str]] | Iterable[str]) -> Phrases:
        return Phrases(table, script.split)

    return Language(
        name=name,
        words=words,
        script=script,
        before=index(words["wording"]["before"]),
        after=index(words["wording"]["after"]),
        found=index(words["wording"]["found"]),
        outcomes=index(words["outcomes"]),
        equipment=index(words["equipment"]),
        equipment_lost=index(readings["equipment"]["lost"]),
        speech=index(speech["verbs"]),
        according=index(speech["according"]),
        according_after=index(speech["according_after"]),
        by=index(speech["by"]),
        back=index(speech["back"]),
        bodies=index(speech["bodies"]),
        offices=index(speech["persons"]),
        countries=index(words["countries"]),
        institutions=index(words["institutions"]),
    )
