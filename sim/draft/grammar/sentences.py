"""Cutting a text into paragraphs and sentences, each with where it stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sim.draft.grammar.language import Language
from sim.draft.grammar.tokens import Token

MAX_SENTENCE = 5_000  # characters, beyond which a sentence is cut: it is none
WRAPPED = 120  # characters of the longest line of a text whose lines are wrapped
# Possessive, from the first mark of a run: or a line of nothing but dots takes time with the square of its length.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"”’')\]]*+\s++(?=[\"“‘'(\[]?[A-Z0-9À-ÞЀ-Я])")
_TURN = re.compile(r"((?:[A-Z][\w.'’-]*)(?: [A-Z][\w.'’-]*){0,5}):\s+(?![\d~+])")  # who speaks, in a transcript
_MARK = re.compile(r"\s*(?:\d{1,2}[.)]|[-–—•*·‣▪])\s+")


@dataclass(frozen=True)
class Sentence:
    """A sentence of an article.

    Attributes
    ----------
    number : int
        From 1 up, within the article.
    paragraph : int
        The number of its paragraph, from 0 up.
    start : int
        Where it begins in the article's text.
    text : str
    tokens : tuple of Token
        With places in the article's text.
    lead : str
        Of an item of a list, the line that leads it in.
    heading : bool
        Whether it is a line without an end: a headline, or the head of a list.
    voice : str
        Of a transcript, who speaks, as its label says.
    turn : int
        Of a transcript, the number of the speech.
    """

    number: int
    paragraph: int
    start: int
    text: str
    tokens: tuple[Token, ...]
    lead: str = ""
    heading: bool = False
    voice: str = ""
    turn: int = 0


def join_lines(text: str) -> str:
    """Return a text whose wrapped lines are joined, so that a line is a paragraph."""
    lines = [line.strip() for line in text.splitlines()]
    if not lines or max(map(len, lines)) > WRAPPED:
        return "\n".join(lines)
    longest = max(map(len, lines))
    out: list[str] = []
    before, length = "", 0  # the line before, and how long its paragraph is
    for line in lines:
        broken = before and line and before[-1] not in '.!?:;”"' and not _MARK.match(line)
        joined = broken and (length >= 0.6 * longest or line[0].islower())
        out += [" " if joined else "\n", line]
        before, length = line, length + 1 + len(line) if joined else len(line)
    return "".join(out[1:])


def split_sentences(text: str, language: Language) -> Iterator[Sentence]:
    """Yield the sentences of a text whose lines are paragraphs."""
    short = language.set_of("grammar", "abbreviations")
    number, index, lead, voices = 0, 0, "", find_voices(text)
    voice, turn = "", 0
    for paragraph, whole in enumerate(text.split("\n")):
        label = _TURN.match(whole)
        line = whole
        if label and label[1] in voices:
            voice, turn = label[1], turn + 1
            line = " " * label.end() + whole[label.end() :]
        item = _MARK.match(line)
        if not line.strip():
            lead = lead if lead else ""
        elif not item and not line.rstrip().endswith(";"):
            lead = line.strip() if line.rstrip().endswith(":") else ""
        for start, end in _cut(line, short, language):
            part = line[start:end].strip()
            if not part:
                continue
            begin = index + start + line[start:end].index(part)
            number += 1
            heading = part[-1] not in '.!?…”"’);' and not item
            is_lead = part == lead
            tokens = tuple(language.split(part, begin))
            yield Sentence(number, paragraph, begin, part, tokens, "" if is_lead else lead, heading, voice, turn)
        index += len(line) + 1


def find_voices(text: str) -> frozenset[str]:
    """Return the labels of those who speak in a transcript, each at the beginning of a line; of another text none."""
    labels = Counter(found[1] for line in text.split("\n") if (found := _TURN.match(line)))
    return frozenset(labels) if labels.total() > 3 and max(labels.values()) > 1 else frozenset()


def _cut(line: str, short: frozenset[str], language: Language) -> Iterator[tuple[int, int]]:
    begin = 0
    marked = _MARK.match(line)
    for found in _END.finditer(line, marked.end() if marked else 0):
        word = re.search(r"[\w.]*$", line[max(begin, found.start() - 12) : found.start()])
        last = word[0].lower() if word else ""
        if found[0].startswith(".") and (last in short or (len(last) == 1 and last.isalpha())):
            continue
        if last.isdigit() and _is_ordinal(line, found, language):
            continue
        yield from _limit(begin, found.end())
        begin = found.end()
    yield from _limit(begin, len(line))


def _is_ordinal(line: str, end: re.Match[str], language: Language) -> bool:
    """Whether a dot makes a number an ordinal, and ends nothing: "am 24. Februar"."""
    follows = re.match(r"\w+", line[end.end() :])
    counted = {*language.words["days"]["months"], *language.words["script"]["ordinal_nouns"]}
    return bool(follows and end[0].strip() in language.words["script"]["ordinals"] and follows[0].lower() in counted)


def _limit(start: int, end: int) -> Iterator[tuple[int, int]]:
    for begin in range(start, end, MAX_SENTENCE):
        yield begin, min(end, begin + MAX_SENTENCE)
