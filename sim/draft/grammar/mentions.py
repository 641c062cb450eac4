"""A number in a sentence: whether it counts anything, and the words that say how it is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.draft.grammar.language import Language
from sim.draft.grammar.tokens import Token


@dataclass(frozen=True)
class Mention:
    """A number in a sentence.

    Attributes
    ----------
    start, end : int
        Its tokens, those of its wording too.
    first, after : int
        The tokens of the number alone.
    low, value, high : float or None
    share : bool
        Whether it is a share of something.
    qualifier : str
        By the words before or after it; empty where there is none.
    wording : str
        Those words.
    vague : str
        "dozens": a word without a number.
    single : bool
        Whether it is "a" or "an": of one person or thing.
    """

    start: int
    end: int
    first: int
    after: int
    low: float | None = None
    value: float | None = None
    high: float | None = None
    share: bool = False
    qualifier: str = ""
    wording: str = ""
    vague: str = ""
    single: bool = False


class Wording:
    """The words around a number; `taken` are the tokens that name days."""

    def __init__(self, tokens: Sequence[Token], language: Language, taken: set[int]) -> None:
        self.tokens, self.taken, self.language = tokens, taken, language
        self.grammar = language.words["grammar"]
        self.units: dict[str, int] = language.words["numbers"]["units"]

    def word(self, index: int) -> str:
        """Return a word in small letters; nothing where there is none, or where it names a day."""
        return self.tokens[index].lower if 0 <= index < len(self.tokens) and index not in self.taken else ""

    def is_no_count(self, mention: Mention) -> bool:
        """Whether a number is money, a measure, a designation, an age, or an item's number."""
        before, after = self.word(mention.first - 1), self.word(mention.after)
        if before in self.grammar["money"] or after in self.grammar["money"] or after in self.grammar["measures"]:
            return True
        if after == "-" and self.word(mention.after + 1).startswith(tuple(self.grammar["measure_stems"])):
            return True
        if before in self.grammar["designations"] or (
            before == "." and self.word(mention.first - 2) in self.grammar["designations"]
        ):
            return True
        if mention.share and self._tells_change(mention.first):
            return True
        if mention.single or mention.vague or mention.share:
            return False
        if (
            before in self.grammar["year_articles"]
            and re.fullmatch(r"(?:1[89]|20)\d\d", self.word(mention.first))
            and self._names_year(after)
        ):
            return True  # "the 2022 invasion"
        if self._is_ordinal(mention.after):
            return True
        if mention.first == 0 and after in (".", ")", "/") and self.word(mention.after + 1)[:1].isalpha():
            return True  # the number of an item
        if before in self.grammar["ages"] or (
            before in self.grammar["of"] and self.word(mention.first - 2) in self.grammar["ages"]
        ):
            return True
        return before == "+" or (before == "/" and after == "/")

    def _tells_change(self, index: int) -> bool:
        """Whether a share says how something changed: "an increase of 40 per cent"."""
        changes = self.language.words["readings"]["changes"]
        return any(" ".join(self.word(n) for n in range(index - length, index)) in changes for length in (1, 2))

    def _is_ordinal(self, after: int) -> bool:
        """Whether what ends an ordinal touches the digits before it: "24th"; "24." only before what it can count."""
        token = self.tokens[after] if after < len(self.tokens) else None
        script, days = self.language.words["script"], self.language.words["days"]
        if token is None or token.lower not in script["ordinals"] or token.start != self.tokens[after - 1].end:
            return False
        follows = self.tokens[after + 1].lower if after + 1 < len(self.tokens) else ""
        return token.text[0].isalpha() or follows in days["months"] or follows in script["ordinal_nouns"]

    def _names_year(self, after: str) -> bool:
        persons = self.language.words["persons"]
        return after.isalpha() and after not in {
            *persons["military"],
            *persons["civilian"],
            *self.grammar["prepositions"],
        }

    def word_number(self, mention: Mention) -> Mention:
        """Add the qualifier that the words before or after a number make."""
        language, index = self.language, mention.first
        qualifier, words, start = mention.qualifier, "", mention.first
        if mention.single:
            return mention
        if self.word(index - 1) in self.grammar["number_articles"] and self.word(index - 2):
            index -= 1  # "more than a dozen" is one number; "at least the 300" is seldom said
        for _ in range(3):
            found = language.before.match_before(self.tokens, index, 5)
            opener = self.word(index - 1) in language.words["numbers"]["ranges"]["opened"]
            if found is None and not (opener and mention.qualifier == "range"):
                break
            if found is not None:
                if not qualifier or (qualifier == "about" and found.label != "about"):
                    qualifier = found.label
                start, index = found.start, found.start
                words = words or self._text(found.start, found.end)
            else:
                start = index = index - 1
        after, end = (
            language.after.match_at(self.tokens, mention.after) if mention.after < len(self.tokens) else None,
            mention.after,
        )
        if after and (after.end >= len(self.tokens) or self.word(after.end) not in self.units):
            qualifier, words, end = qualifier or after.label, words or self._text(after.start, after.end), after.end
        if mention.vague and qualifier in ("", "about"):
            qualifier = "range"
        if mention.vague and qualifier == "at_least":
            mention = replace(mention, value=mention.low, low=None, high=None)
        elif mention.vague and qualifier == "at_most":
            mention = replace(mention, value=mention.high, low=None, high=None)
        if mention.qualifier == "range":
            qualifier = "range"
        return replace(mention, start=min(start, mention.first), end=end, qualifier=qualifier, wording=words)

    def _text(self, start: int, end: int) -> str:
        return " ".join(token.lower for token in self.tokens[start:end])
