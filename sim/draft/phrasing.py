"""Of whom a number is, and the few words that decided how it was read."""

from __future__ import annotations

from sim.draft.drafts import Said
from sim.draft.grammar.language import Language
from sim.draft.grammar.readings import Reading
from sim.draft.grammar.sentences import Sentence

MAX_WORDS = 12  # of the phrase


def find_force(said: Said, language: Language) -> str:
    """Return of whom the number is, by the name before the noun; empty where none stands there."""
    tokens, reading = said.sentence.tokens, said.reading
    head = tokens[reading.mention.end : reading.head[1]]
    found = list(language.countries.find_all(head))
    if len([token for token in head if token.text[0].isupper()]) > 1 and any(
        token.lower in language.words["grammar"]["joins"] for token in head
    ):
        return ""  # "Russian and Ukrainian soldiers" are of both
    if found:
        return found[-1].label
    if language.words["script"]["capital_nouns"]:
        return ""  # a capital makes no name
    names = [token for token in head if token.text[0].isupper() and len(token.text) > 2]
    if not names and reading.cue in language.words["readings"]["suffers"]:
        return _find_subject(said, language)
    return language.make_key(" ".join(token.text for token in names)) if names and len(names) <= 2 else ""


def _find_subject(said: Said, language: Language) -> str:
    """Return who suffers, where the verb's subject is a name: "Russia lost", "Lemsk had suffered"."""
    tokens, start, grammar = said.sentence.tokens, said.reading.mention.start, language.words["grammar"]
    verb = next(
        (
            n
            for n in range(start - 1, max(-1, start - 8), -1)
            if tokens[n].lower in language.words["readings"]["suffered"]
        ),
        None,
    )
    if verb is None:
        return ""
    index = verb
    while index and tokens[index - 1].lower in (*grammar["auxiliaries"], *grammar["adverbs"]):
        index -= 1
    found = [
        each for each in language.countries.find_all(tokens[max(0, index - 4) : index]) if each.end == min(index, 4)
    ]
    if found:
        return found[-1].label
    name = tokens[index - 1] if index else None
    return (
        language.make_key(name.text)
        if name and name.text[0].isupper() and name.lower not in grammar["no_names"]
        else ""
    )


def _span(reading: Reading, sentence: Sentence) -> tuple[int, int]:
    mention = reading.mention
    start, end = mention.start, max(reading.head[1], mention.end)
    near = reading.cue_at
    if near < start and start - near <= MAX_WORDS - 2:
        start = near
    elif near >= end and near - end <= MAX_WORDS:
        end = near + 1
    return start, min(end, start + MAX_WORDS, len(sentence.tokens))


def quote_phrase(reading: Reading, sentence: Sentence) -> str:
    """Return the words that decided, a dozen at most, as they stand in the text."""
    start, end = _span(reading, sentence)
    if end <= reading.mention.start:
        start, end = reading.mention.start, min(reading.mention.start + MAX_WORDS, len(sentence.tokens))
    first, last = sentence.tokens[start].start - sentence.start, sentence.tokens[end - 1].end - sentence.start
    return " ".join(sentence.text[first:last].split())


def mark_words(reading: Reading, sentence: Sentence) -> tuple[tuple[int, int], ...]:
    """Return where in the sentence those words stand."""
    start, end = _span(reading, sentence)
    return ((sentence.tokens[start].start - sentence.start, sentence.tokens[end - 1].end - sentence.start),)
