"""Who says a number: the speaker of the sentence, the institution that stands behind, and one key for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sim.draft.grammar.attribution import AttributionFinder
from sim.draft.grammar.language import Language
from sim.draft.grammar.sentences import Sentence
from sim.draft.grammar.tokens import Token

_ACRONYM = r"((?:[A-Z][\w’'-]{{0,60}}+\s++(?:(?:{links})\s++)*+){{2,8}})\(([A-Z]{{2,8}})\)"


@dataclass(frozen=True)
class Speaker:
    """Who speaks.

    Attributes
    ----------
    key : str
        The institution, as a key of `[sources]`.
    label : str
        As the article names it.
    person : str
        The person, where one is named.
    """

    key: str
    label: str
    person: str = ""


@dataclass(frozen=True)
class Attribution:
    """Where a sentence says who says so: `start` to `end` are its tokens, `verb` that of saying."""

    start: int
    verb: int
    end: int
    speakers: tuple[Speaker, ...]
    trails: bool  # stands after what was said
    weak: bool = False  # counts, where nobody else is said to speak


@dataclass
class Speakers:
    """Who has spoken in an article so far.

    Attributes
    ----------
    author : Speaker or None
        Whose text it is, where an institution publishes it: "we".
    """

    language: Language
    author: Speaker | None = None
    known: dict[str, Speaker] = field(default_factory=dict)  # by last name, by acronym, by name
    last: Speaker | None = None
    last_paragraph: int = -1
    names: frozenset[str] = frozenset()  # words with a capital within sentences
    voice: Speaker | None = None  # of a transcript, who has the word

    def read(self, sentence: Sentence, indices: Iterable[int], days: Iterable[int] = ()) -> list[Attribution]:
        """Return the attributions of a sentence; those who speak in it are remembered.

        Parameters
        ----------
        sentence : Sentence
        indices : iterable of int
            The tokens that are numbers: no name has one.
        days : iterable of int
            Those that name days.
        """
        if sentence.turn:
            self.voice = self._name_voice(sentence.voice)
            self.last, self.last_paragraph = self.voice, sentence.paragraph
        finder = AttributionFinder(sentence.tokens, self.language, set(indices), self.names, set(days))
        found: list[Attribution] = []
        for start, verb, end, names, trails in finder.find_all():
            speakers = tuple(speaker for name in names if (speaker := self.identify(name)) is not None)
            if speakers:
                self.last = speakers[0]  # "it" is who was named last
                weak = sentence.tokens[verb].lower in self.language.words["speech"]["weak"]
                found.append(Attribution(start, verb, end, speakers, trails, weak))
        self._learn_acronyms(sentence.text)
        if found:
            self.last, self.last_paragraph = found[-1].speakers[0], sentence.paragraph
        return found

    def foresee(self, sentence: Sentence) -> list[Attribution]:
        """Return the attributions of a sentence to come; who speaks in it is not remembered yet."""
        ahead = replace(self, known=dict(self.known))
        return ahead.read(sentence, [n for n, token in enumerate(sentence.tokens) if token.text[0].isdigit()])

    def _name_voice(self, label: str) -> Speaker | None:
        """Return who speaks under a label; nobody where it asks."""
        words = self.language.split(label.title() if label.isupper() else label)
        asks = any(token.lower in self.language.words["speech"]["askers"] for token in words)
        return None if asks else self.identify(words)

    def _learn_acronyms(self, text: str) -> None:
        """Remember "Full Name Of It (FNI)", so that the letters stand for the name."""
        links = "|".join(map(re.escape, self.language.words["grammar"]["name_links"]))
        for match in re.finditer(_ACRONYM.format(links=links), text):
            words = self.language.script.drop_possessives(match[1]).split()
            initials = "".join(word[0] for word in words if word[0].isupper())
            if initials.endswith(match[2]):
                name = strip_name(" ".join(words), self.language)
                speaker = self._name_institution(name)
                self.known[match[2].lower()] = Speaker(speaker.key, speaker.label)

    def identify(self, name: Sequence[Token]) -> Speaker | None:
        """Return who is named; None where nobody is."""
        name = [token for token in name if token.text not in ("'", "’")]  # "the United States' military"
        text = strip_name(" ".join(token.text for token in name), self.language)
        lower = text.lower()
        speech = self.language.words["speech"]
        if not lower or not name:
            return None
        article, _, rest = lower.partition(" ")
        bare = rest.lstrip() if rest and article in self.language.words["grammar"]["name_articles"] else lower
        if bare in speech["self"] or lower in speech["self"] or (rest and article in speech["self"]):
            return self.voice or self.author
        if lower in speech["pronouns"] or bare in speech["institution_pronouns"]:
            return self._recall(bare, text)
        if bare in self.known:
            return self.known[bare]
        articled = name[0].lower in self.language.words["grammar"]["name_articles"]
        if articled and (known := self._recall_body(bare)) is not None:
            return known
        person, rest = self._split_person(name)
        if person and not rest:
            surname = person.split()[-1].lower()
            if surname in self.known:
                return self.known[surname]
        label = strip_name(rest or person, self.language)
        if not label:
            return None
        known = self.known.get(label.lower())
        speaker = known or self._name_institution(label)
        speaker = Speaker(speaker.key, speaker.label, person if rest else "")
        if person:
            self.known[person.split()[-1].lower()] = Speaker(speaker.key, speaker.label, person)
        self.known.setdefault(label.lower(), Speaker(speaker.key, speaker.label))
        return speaker

    def _name_generic(self, text: str, bare: str) -> Speaker | None:
        if bare in self.language.words["speech"]["pronouns"]:
            return None
        speaker = Speaker(self.language.make_key(bare), text)
        self.known.setdefault(bare, speaker)
        return speaker

    def _recall_body(self, bare: str) -> Speaker | None:
        """Return whom "the committee" means: the author, or the last of that kind who was named."""
        if " " in bare or not self.language.bodies.stands_in(self.language.split(bare)):
            return None
        for speaker in (*reversed(self.known.values()), *([self.author] if self.author else [])):
            if any(self.language.script.is_kind(word, bare) for word in speaker.label.lower().split()):
                return speaker
        return None

    def _recall(self, bare: str, text: str) -> Speaker | None:
        """Return whom "he", "the ministry" or "the agency" means: the last who fits; a person is no ministry."""
        kind = bare.rsplit(maxsplit=1)[-1]
        for speaker in reversed(self.known.values()):
            if any(self.language.script.is_kind(word, kind) for word in speaker.label.lower().split()):
                return speaker
        is_body = (
            self.language.bodies.stands_in(self.language.split(bare))
            and kind not in self.language.words["speech"]["persons"]
        )
        words = self.language.split(self.last.label) if self.last else []
        is_office = self.language.offices.stands_in(words) and not self.language.bodies.stands_in(words)
        is_head = kind in self.language.words["speech"]["heads"] and self.last is not None and not self.last.person
        if (
            not (self.last or self.known)
            or is_head
            or (is_body and self.last is not None and (self.last.person or is_office))
        ):
            return self._name_generic(text, bare)
        return self.last or self.author

    def _split_person(self, name: Sequence[Token]) -> tuple[str, str]:
        """Return the person named and the institution: "Qarat's president, Dena Osk"."""
        parts = _split_commas(name)
        offices, bodies = self.language.offices, self.language.bodies
        persons, indices = [], []
        for part in parts:
            texts = [token.text for token in part]
            has_office = offices.stands_in(part)
            has_body = bodies.stands_in(part) or self.language.institutions.stands_in(part)
            capitals = [text for text in texts if text[0].isupper()]
            if (
                not has_office
                and not has_body
                and len(capitals) == len([t for t in texts if t[0].isalnum()])
                and 2 <= len(texts) <= 4
                and not self.language.countries.stands_in(part)
            ):
                persons.append(" ".join(texts))
            else:
                indices.append(part)
        if len(parts) == 1 and not persons:
            person, rest = self._split_title(parts[0])
            return person, rest
        if not persons and indices:
            person, rest = self._split_title(indices[0])
            titled = self._split_title(indices[-1])[0] if not person and len(indices) == 2 else ""
            if titled:  # "the garrison's commander, Major Hana Dorr"
                return titled, self._join(indices[0])
            if person and len(indices) > 1:
                return person, self._join(indices[1]) if not rest or rest.lower() in self.language.words["speech"][
                    "persons"
                ] else rest
            return person, rest
        rest = self._join(indices[0]) if indices else ""
        return (persons[0] if persons else ""), self._find_body(indices[0]) if indices and self._find_body(
            indices[0]
        ) else rest

    def _find_body(self, part: Sequence[Token]) -> str:
        """Return the institution in an office: "director of a department at the Centre for Studies"."""
        found = list(self.language.institutions.find_all(part))
        if found:
            return self._join(part[found[-1].start : found[-1].end])
        for n in range(len(part) - 1, 0, -1):
            if part[n].lower in self.language.words["grammar"]["at"] and n + 1 < len(part):
                articles = self.language.words["grammar"]["name_articles"]
                tail = [token for token in part[n + 1 :] if token.lower not in articles]
                if tail and tail[0].text[0].isupper():
                    return self._join(tail)
        return ""

    def _split_title(self, part: Sequence[Token]) -> tuple[str, str]:
        """Return the name at the end of an office: "Ukrainian President Volodymyr Zelensky", "governor Ilan Maru"."""
        offices = list(self.language.offices.find_all(part))
        if not offices:
            texts = [token.text for token in part if token.text[0].isalnum()]
            bodies = (
                self.language.bodies.stands_in(part)
                or self.language.countries.stands_in(part)
                or self.language.institutions.stands_in(part)
            )
            if not bodies and 1 < len(texts) <= 3 and all(text[0].isupper() for text in texts):
                return " ".join(texts), ""
            return "", self._join(part)
        last = offices[-1]
        tail = [token for token in part[last.end :] if token.lower not in (",",)]
        if (
            tail
            and tail[0].text[0].isupper()
            and all(token.text[0].isupper() or token.text in ("-", ".") for token in tail)
        ):
            return self._join(tail), self._join(part[: last.end])
        return "", self._join(part)

    def _name_institution(self, label: str) -> Speaker:
        """Return the source that a name stands for: a known institution, or a country for those who speak for it."""
        tokens = self.language.split(label)
        known = list(self.language.institutions.find_all(tokens))
        whole = next(
            (found for found in known if found.end - found.start >= len(tokens) - 2), known[-1] if known else None
        )
        if whole is not None:
            return Speaker(whole.label, self._join(tokens[whole.start : whole.end]))
        countries = [found.label for found in self.language.countries.find_all(tokens)]
        rest = [
            token.lower
            for token in tokens
            if not any(
                found.start <= n < found.end
                for n, token_ in enumerate(tokens)
                if token_ is token
                for found in self.language.countries.find_all(tokens)
            )
        ]
        offices = {*self.language.words["speech"]["persons"], *self.language.words["speech"]["ranks"]}
        acronyms = {speaker.key for speaker in self.known.values()}
        if len(set(countries)) == 1:
            if all(word in offices for word in rest):
                return Speaker(countries[0], label)
            for key in acronyms:
                names = self.language.words["institutions"].get(key, [])
                kinds = [kind for kind in self.language.words["speech"]["services"] if kind in rest]
                if (
                    kinds
                    and any(kind in name for kind in kinds for name in names)
                    and any(word in name for word in self.language.words["countries"][countries[0]] for name in names)
                ):
                    return Speaker(key, label)
        return Speaker(self.language.make_key(label), label)

    def _join(self, tokens: Sequence[Token]) -> str:
        return self.language.script.join_possessives(" ".join(token.text for token in tokens)).strip(" ,")


def _split_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.lower in (",", "–", "—"):
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def strip_name(text: str, language: Language) -> str:
    """Return a name without what does not belong to it."""
    text = language.script.join_possessives(text).strip(" ,.:;“”\"'‘’()-–—")
    first, _, rest = text.partition(" ")
    return rest.strip(" ,") if rest and first.lower() in language.words["grammar"]["articles"] else text


def choose_speaker(attributions: Sequence[Attribution], index: int) -> Attribution | None:
    """Return the attribution that governs a number: the last before it, or one that trails what was said."""
    strong = [each for each in attributions if not each.weak]
    if strong and len(strong) < len(attributions):
        return choose_speaker(strong, index) or choose_speaker([each for each in attributions if each.weak], index)
    before = [each for each in attributions if each.verb <= index and not each.trails]
    after = [each for each in attributions if each.start > index and each.trails]
    inside = [each for each in attributions if each.start <= index < each.end]
    if inside:
        return inside[-1]
    if before:
        return before[-1]
    if after:
        return after[0]
    return attributions[0] if len(attributions) == 1 else None
