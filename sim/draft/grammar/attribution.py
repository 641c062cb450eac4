"""Where a sentence says who says so: "according to", "X said", "said X", "estimates by X"."""

from __future__ import annotations

from collections.abc import Sequence

from sim.draft.grammar.language import Language, Phrases
from sim.draft.grammar.tokens import Token

LONGEST = 14  # tokens of a name with its office

_STOPS = frozenset('.;:/”"“—–()?!')

# Where it begins, its verb, where it ends; the names; and whether it stands after what was said.
Span = tuple[int, int, int, list[list[Token]], bool]


class AttributionFinder:
    """Finds in one sentence the places where somebody is said to speak."""

    def __init__(
        self, tokens: Sequence[Token], language: Language, numbers: set[int], names: frozenset[str], days: set[int]
    ) -> None:
        self.tokens, self.language, self.names, self.days = list(tokens), language, names, days
        self.numbers = numbers | days  # no name has one
        kinds = (language.countries, language.institutions)  # "the United States" states nothing
        self.named = {n for kind in kinds for each in kind.find_all(tokens) for n in range(each.start, each.end)}
        self.grammar = {name: frozenset(words) for name, words in language.words["grammar"].items()}
        self.verb_second: bool = language.words["script"]["verb_second"]
        self.times = {*language.words["days"]["months"], *language.words["days"]["weekdays"]}
        self.clock = {word.lower() for word in language.words["days"]["clock"]}
        self.speech = language.words["speech"]
        self.pronouns = {*self.speech["pronouns"], *self.speech["self"]}

    def word(self, index: int) -> str:
        """Return a word in small letters; nothing beyond the sentence."""
        return self.tokens[index].lower if 0 <= index < len(self.tokens) else ""

    def find_all(self) -> list[Span]:
        """Return the spans from left to right, none within another."""
        found: list[Span] = []
        used: set[int] = set()
        for kind in (self.language.according, self.language.by):
            for phrase in kind.find_all(self.tokens):
                end = self._name_end(phrase.end)
                own = kind is self.language.by and self.word(phrase.end) in self.grammar["own"]
                ruled = self.word(end - 1) in self.speech["no_speakers"]  # "according to the Conventions"
                if end > phrase.end and not own and not ruled:
                    found.append((phrase.start, phrase.start, end, [self.tokens[phrase.end : end]], phrase.start > 0))
                    used.update(range(phrase.start, end))
        for phrase in self.language.according_after.find_all(self.tokens):
            start = self._name_start(phrase.start)
            if start < phrase.start:
                found.append((start, phrase.start, phrase.end, [self.tokens[start : phrase.start]], start > 0))
                used.update(range(start, phrase.end))
        for verb in self.language.speech.find_all(self.tokens):
            if verb.start in used or verb.start in self.named:
                continue
            span = self._subject(verb.start) or self._inverted(verb.end, verb.start)
            if span and not used & set(range(span[0], span[2])):
                found.append(span)
                used.update(range(span[0], span[2]))
        return sorted(found, key=lambda each: each[1]) or self._find_marked()

    def _find_marked(self) -> list[Span]:
        """Return who speaks by a mark alone, as headlines have it: "Mayor: nine dead", "Nine dead - mayor"."""
        first = self._skip_stamp()
        colon = next((n for n in range(first, min(first + LONGEST, len(self.tokens))) if self.word(n) == ":"), 0)
        end = self._name_end(first) if colon else 0
        if first < end <= colon and self._is_body(self.tokens[first:colon]):
            return [(first, colon, colon + 1, [self.tokens[first:end]], False)]
        last = len(self.tokens) - (self.word(len(self.tokens) - 1) == ".")
        dash = next((n for n in range(last - 1, max(0, last - 6), -1) if self.word(n) in ("–", "—", "-", ":")), 0)
        if dash and self._is_body(self.tokens[dash + 1 : last]):
            return [(dash, dash, last, [self.tokens[dash + 1 : last]], True)]
        return []

    def _skip_stamp(self) -> int:
        """Return where a line begins after its bullet, or after the time of an entry: "14:05 Mayor: nine dead"."""
        if self.word(0) in self.grammar["bullets"]:
            return 1
        index = 0
        while self.word(index)[:1].isdigit() or (index and self.word(index) in self.clock | {":", ".", "–", "-"}):
            index += 1
        return index

    def _is_body(self, name: Sequence[Token]) -> bool:
        """Whether words name who can speak, and neither a loss nor a thing that is counted."""
        language = self.language
        kinds = (language.bodies, language.offices, language.institutions)
        return any(kind.stands_in(name) for kind in kinds) and not any(
            kind.stands_in(name) for kind in (language.outcomes, language.equipment)
        )

    def _name_end(self, start: int) -> int:
        """Return where a name that begins at a token ends: at a comma, a verb, or a number."""
        index = start
        while index < len(self.tokens) and index - start < LONGEST:
            word = self.word(index)
            if index in self.numbers or word in (",", ";", ":", "(", "—", "–", "”", '"', "“"):
                break
            if word == "." and not self._is_short(index):
                break
            worded = self.language.before.match_at(self.tokens, index) if index > start else None
            if worded is not None and worded.end in self.numbers:
                break  # "according to the army at least 14 died"
            inside = word in self.grammar["places"] and index > start and self._names_place(index)
            if word in self.grammar["name_ends"] and not inside:
                break
            if (
                self.language.speech.match_at(self.tokens, index)
                and index > start
                and self.word(index) not in self.speech["nouns"]
            ):
                break
            index += 1
        if (
            self.word(index) == ","
            and index + 1 < len(self.tokens)
            and self.tokens[index + 1].text[0].isupper()
            and self.language.offices.stands_in(self.tokens[start:index])
        ):
            stop = index + 1
            while stop < len(self.tokens) and self.tokens[stop].text[0].isupper() and stop - index < 5:
                stop += 1
            return stop
        if (
            self.word(index) == ","
            and not self.language.bodies.stands_in(self.tokens[start:index])
            and index - start <= 4
        ):
            stop = index + 1
            while stop < len(self.tokens) and self.word(stop) not in (",", ".", ";", "”") and stop - index < LONGEST:
                stop += 1
            if self.language.offices.stands_in(self.tokens[index:stop]) and not any(
                n in self.numbers for n in range(index, stop)
            ):
                return stop
        return index

    def _is_short(self, dot: int) -> bool:
        """Whether a dot ends an abbreviation and no sentence: "Brig. Gen. Ilan Maru"."""
        return dot > 0 and dot + 1 < len(self.tokens) and self.word(dot - 1) in self.grammar["abbreviations"]

    def _names_place(self, index: int) -> bool:
        """Whether a name follows: "officials in Kyiv" is one name."""
        return index + 1 < len(self.tokens) and self.tokens[index + 1].text[0].isupper()

    def _subject(self, verb: int) -> Span | None:
        """Return who stands before a verb of saying."""
        end = verb
        skipped = {*self.grammar["auxiliaries"], *self.grammar["adverbs"]}
        while end > 0 and (
            self.word(end - 1) in skipped
            or end - 1 in self.days  # "the army on Tuesday said"
            or (end in self.days and self.word(end - 1) in self.grammar["prepositions"])
            or self.word(end - 1).endswith(tuple(self.grammar["adverb_ends"]))
        ):
            if self.word(end - 1) in self.grammar["negations"]:
                return None
            end -= 1
        if end < verb and any(n not in self.days and self.word(n) in self.grammar["passive"] for n in range(end, verb)):
            return None  # it is said of them, not by them
        if end and self.word(end - 1) == ")":  # "the Tigers (LTTE) reported"
            end = next((n for n in range(end - 1, max(-1, end - 8), -1) if self.word(n) == "("), end)
        if end and self.word(end - 1) == ",":
            return self._with_aside(end - 1, verb)
        start = self._name_start(end)
        if self.verb_second and self._is_participle(verb):
            return self._subject_of_perfect(verb)
        if self.verb_second and self._leads_in(start, end):
            return None
        if (
            self.word(start - 1) in self.grammar["relatives"]
            and start > 1
            and not any(n in self.numbers for n in range(start, end))
        ):
            end, start = start - 1, self._name_start(start - 1)  # "an official who spoke on condition of ... said"
        return self._bound(start, end, verb)

    def _is_participle(self, verb: int) -> bool:
        """Whether a verb ends the clause that its auxiliary began: "hat 9.187 Gefallene erfasst"."""
        begun = any(self.word(n) in self.grammar["perfect"] for n in range(verb))
        return begun and self.word(verb + 1) in (".", ",", ";", "")

    def _subject_of_perfect(self, verb: int) -> Span | None:
        last = next(n for n in range(verb - 1, -1, -1) if self.word(n) in self.grammar["perfect"])
        start = self._name_start(last)
        if any(self.word(n) in self.grammar["clause_starts"] for n in range(last, verb)):
            return None
        if self._leads_in(start, last):  # "Bis Januar haben Freiwillige 900 Gefallene erfasst"
            start, last = last + 1, self._name_end(last + 1)
        return self._bound(start, last, last)

    def _leads_in(self, start: int, end: int) -> bool:
        """Whether what stands before a verb is no subject, which then follows: "Am Freitag teilte die Armee mit"."""
        leads = self.grammar["prepositions"] | self.grammar["adverbs"] | self.grammar["lead_ins"]
        if self.word(start - 1) in self.grammar["clause_starts"]:
            return False  # "wie die Luftwaffe mitteilte": there the verb ends the clause
        named = [n for n in range(start, end) if self.word(n)[:1].isalpha() and self.word(n) not in self.times]
        return not named or bool({self.word(start - 1), self.word(start)} & leads)

    def _with_aside(self, comma: int, verb: int) -> Span | None:
        """Return the subject before an aside between commas: "Seth Jones, director of a centre, said"."""
        opening = next((n for n in range(comma - 1, max(-1, comma - 22), -1) if self.word(n) == ","), None)
        if opening is None or opening == 0:
            return None
        if self.word(opening + 1) in self.grammar["aside_starts"]:
            start = self._name_start(opening)
            return self._bound(start, opening, verb, stop=comma + 1)
        start = self._name_start(opening)
        if any(n in self.numbers for n in range(opening, comma)):
            return self._bound(start, opening, verb, stop=comma + 1)
        return self._bound(start, comma, verb, stop=comma + 1)

    def _name_start(self, end: int) -> int:
        index = end
        while index > 0 and end - index < LONGEST:
            word = self.word(index - 1)
            if index - 1 in self.numbers or (word in _STOPS and not (word == "." and self._is_short(index - 1))):
                break
            if word == "," and not self._is_title_comma(index - 1, end):
                break
            if word in self.grammar["clause_starts"]:
                break
            if word in self.grammar["joins"] and not self._joins_names(index - 1, end):
                break
            spoken = self.language.speech.match_before(self.tokens, index, 2) and index - 1 not in self.named
            if spoken and word not in self.speech["counts"]:
                break
            index -= 1
        while index < end and (
            self.word(index) in self.grammar["prepositions"] or self.word(index) in self.grammar["lead_ins"]
        ):
            index += 1  # "On the front, Lemsk": what leads in is no part of the name
        return index

    def _is_title_comma(self, comma: int, end: int) -> bool:
        """Whether a comma joins an office and a name: "Qarat's president, Dena Osk"."""
        after = self.tokens[comma + 1 : end]
        before = self.tokens[max(0, comma - 8) : comma]
        if comma == 1 or (before and before[0].lower in self.grammar["vocatives"]):
            return False  # "General, Merrow says"
        named = after and all(token.text[0].isupper() for token in after)
        return bool(named and self.language.offices.stands_in(before) and len(after) <= 4)

    def _joins_names(self, index: int, end: int) -> bool:
        after = self.tokens[index + 1] if index + 1 < end else None
        before = self.tokens[index - 1] if index else None
        kinds = (self.language.bodies, self.language.offices)
        if after and before and all(any(kind.stands_in([each]) for kind in kinds) for each in (before, after)):
            return True  # "officials and residents said"
        return bool(after and before and after.text[0].isupper() and before.text[0].isupper())

    def _inverted(self, start: int, verb: int) -> Span | None:
        """Return who stands after a verb of saying, where what was said stands before it: ", said Jones"."""
        quoted = self.word(verb - 1) in (",", "”", '"', "“", "’", "'")
        if verb == 0 or not (quoted or self.verb_second):
            return None
        end = self._name_end(start)
        span = self._bound(start, end, verb)
        return None if span is None else (verb, verb, end, span[3], quoted)

    def _bound(self, start: int, end: int, verb: int, stop: int | None = None) -> Span | None:
        name = self.tokens[start:end]
        counted = start - 1 in self.numbers and self.word(verb) in self.speech["weak"]  # "1,046 soldiers have given"
        if not name or counted or any(n in self.numbers for n in range(start, end)) or not self._can_speak(name):
            return None
        names = self._split_both(name)
        trails = end < len(self.tokens) and start > 0 and self.word(start - 1) in (",", "”", '"', "“", "’")
        trails = trails and not self._goes_on(verb)
        return start, verb, max(stop or 0, verb + 1), names, trails

    def _goes_on(self, verb: int) -> bool:
        """Whether what was said follows the verb: "said that", "said the", "put the figure at"."""
        rest = self.tokens[verb + 1 :]
        ends = {".", ",", "”", *self.grammar["closings"]}
        return len([token for token in rest if token.text[0].isalnum()]) > 6 and self.word(verb + 1) not in ends

    def _can_speak(self, name: Sequence[Token]) -> bool:
        words = [token.lower for token in name]
        if len(words) <= 3 and any(word in self.pronouns for word in words):
            return True
        first = name[0].start == self.tokens[0].start or self.word(0) in self.grammar["bullets"]
        known = (
            not first
            or name[0].text in self.names
            or self.language.countries.stands_in(name)
            or self.language.institutions.stands_in(name)
            or name[0].text.isupper()
            or any(part[:1].isupper() for part in name[0].text.split("-")[1:])  # "Al-Shabab"
        )
        named = any(token.text[0].isupper() and len(token.text) > 1 for token in name[1:]) or (
            name[0].text[0].isupper() and known and self._is_name(name[0])
        )
        told = words[0] in self.grammar["name_articles"] and words[-1] in self.speech["institution_pronouns"]
        return named or told or self.language.bodies.stands_in(name) or self.language.offices.stands_in(name)

    def _is_name(self, token: Token) -> bool:
        """Whether the first word of a sentence is a name: no word of grammar or of number."""
        grammar = self.grammar
        common = {
            *grammar["prepositions"],
            *grammar["determiners"],
            *grammar["adverbs"],
            *grammar["conjunctions"],
            *grammar["auxiliaries"],
            *self.language.words["persons"]["civilian"],
            *self.language.words["persons"]["military"],
        }
        return token.lower not in common and not self.language.outcomes.stands_in([token])

    def _split_both(self, name: list[Token]) -> list[list[Token]]:
        """Return two names of "Ukraine and South Korea both"; else the one."""
        indices = [n for n, token in enumerate(name) if token.lower in self.grammar["joins"]]
        if len(indices) == 1 and 0 < indices[0] < len(name) - 1:
            rest = name[indices[0] + 1 :]
            first, second = name[: indices[0]], [each for each in rest if each.lower not in self.grammar["both"]]
            countries: Phrases = self.language.countries
            both = [list(countries.find_all(part)) for part in (first, second)]
            if second and all(
                found and found[0].end - found[0].start == len(part)
                for found, part in zip(both, (first, second), strict=True)
            ):
                return [first, second]
        return [name]
