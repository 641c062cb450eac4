"""Cutting a text into words, numbers and marks, by how a language writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

SPACES = ("\u00a0", "\u202f")  # between the thousands of a number, in any language
_ANY = re.compile(r"\w+|\S")


class Token(NamedTuple):
    """A word, a number or a mark of punctuation: as written, in small letters, and where it stands in the text."""

    text: str
    lower: str
    start: int
    end: int


class Script:
    """How a language writes numbers and words; of the table `[script]`."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        point = re.escape(str(table["decimal"]))
        thousands = "".join(map(re.escape, (*table["thousands"], *SPACES)))
        endings = "|".join(re.escape(each).replace("'", "['’]") for each in table["possessives"])
        self.possessive = rf"(?:{endings})\b" if endings else "(?!)"
        # A number with its separators, a possessive apart, a word with its hyphens, any other mark alone.
        self._token = re.compile(
            rf"\d{{1,3}}(?:[{thousands}]\d{{3}})+(?![\d])(?:{point}\d+)?|\d+(?:{point}\d+)?"
            rf"|(?:[A-Za-z]\.){{2,}}|{self.possessive}"
            rf"|[^\W\d_](?:[\w]|[-‑](?=[^\W\d_])|[-‑](?=\d)|(?!{self.possessive})['’](?=[^\W\d_]))*"
            r"|\S"
        )
        self._thousands = re.compile(f"[{thousands}]")
        self._decimal = str(table["decimal"])
        self._joined = bool(table["compounds"])
        self._endings = tuple(table["case_endings"])

    def stem(self, word: str) -> str:
        """Return a word without the ending of a case: "Ministeriums" is "Ministerium"."""
        ending = next((each for each in self._endings if word.endswith(each) and len(word) - len(each) > 4), "")
        return word.removesuffix(ending)

    def is_kind(self, word: str, kind: str) -> bool:
        """Whether a word is of a kind: itself, or where words are joined its last part, "Verteidigungsministerium"."""
        stem = self.stem(word)
        return kind in (word, stem) or (self._joined and stem.endswith(kind))

    def split(self, text: str, offset: int = 0) -> list[Token]:
        """Return the tokens of a text, `offset` added to where they stand."""
        return [
            Token(found[0], found[0].lower().replace("’", "'"), found.start() + offset, found.end() + offset)
            for found in self._token.finditer(text)
        ]

    def plain_number(self, digits: str) -> str:
        """Return a number without what parts its thousands, and with a decimal point."""
        return self._thousands.sub("", digits).replace(self._decimal, ".")

    def drop_possessives(self, text: str) -> str:
        """Return a text without its possessive endings."""
        return re.sub(rf"\s?{self.possessive}", "", text)

    def join_possessives(self, text: str) -> str:
        """Return a text of tokens whose possessive endings stand at their words again."""
        return re.sub(rf"\s+(?={self.possessive})", "", text)


def count_tokens(text: str, most: int) -> int:
    """Return how many words, numbers and marks a text has; of those beyond `most` one is counted."""
    return sum(1 for _ in islice(_ANY.finditer(text), most + 1))
