"""The noun that a number counts, and what stands around it in its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.draft.grammar.language import Found, Language
from sim.draft.grammar.mentions import Mention
from sim.draft.grammar.sentences import Sentence
from sim.draft.grammar.spells import Spell

LONGEST_NOUN = 8  # tokens
ACTS = ("killed", "wounded", "captured")  # what is done to somebody


@dataclass(frozen=True)
class Head:
    """What stands after a number: `kind` is person, outcome, equipment, named, bare (nothing), foreign (else)."""

    kind: str
    start: int
    end: int
    label: str = ""
    civilian: bool = False
    partitive: bool = False


class Clause:
    """A sentence with its numbers, its days, and the words for outcomes in it."""

    def __init__(
        self, sentence: Sentence, mentions: Sequence[Mention], spells: Sequence[Spell], language: Language,
    ) -> None:  # fmt: skip
        self.tokens, self.mentions, self.language = sentence.tokens, list(mentions), language
        self.sentence = sentence
        self.days = {index for spell in spells for index in range(spell.start, spell.end)}
        self.outcomes = [found for found in language.outcomes.find_all(self.tokens) if not self._is_name(found)]
        self.lost = list(language.equipment_lost.find_all(self.tokens))
        self._outcome_starts = {found.start: found for found in self.outcomes}
        self.found = list(language.found.find_all(self.tokens))
        self.grammar = {name: frozenset(words) for name, words in language.words["grammar"].items()}
        self.readings = {
            name: frozenset(words) for name, words in language.words["readings"].items() if isinstance(words, list)
        }
        self.linking = self.grammar["joins"] | self.grammar["either"]  # "and", "or"
        self.possessives = frozenset(language.words["script"]["possessives"])
        persons = language.words["persons"]
        self.military, self.civilian = frozenset(persons["military"]), frozenset(persons["civilian"])
        self.wholes = {n for n, mention in enumerate(self.mentions) if self._is_whole(mention)}
        self.asides = {n for n, mention in enumerate(self.mentions) if self._is_aside(mention)}

    def _is_name(self, found: Found) -> bool:
        """Whether a word for an outcome is part of a name: "Dead Sea", and so is no cue."""
        if self.language.words["script"]["capital_nouns"]:
            return False
        token = self.tokens[found.start]
        follows = self.tokens[found.end] if found.end < len(self.tokens) else None
        return bool(
            found.start
            and token.text[0].isupper()
            and follows
            and follows.text[0].isupper()
            and not self.sentence.heading
            and self.tokens[found.start - 1].lower not in (".", "“", '"')
        )

    def word(self, index: int) -> str:
        """Return a word in small letters; nothing beyond the sentence."""
        return self.tokens[index].lower if 0 <= index < len(self.tokens) else ""

    def _is_whole(self, mention: Mention) -> bool:
        """Whether a number is the whole of which another is a part: "out of the initial 11,000", "an army of 5,000"."""
        some, bodies = self.language.words["persons"]["some"], self.language.words["persons"]["bodies"]
        for index in range(mention.start - 1, max(-1, mention.start - 5), -1):
            word = self.word(index)
            if word in self.grammar["of"] and index:
                before = self.word(index - 1)
                near = index == mention.start - 1 and before in bodies and not mention.share
                return before in some or near or any(index in (other.after, other.end) for other in self.mentions)
            if not (word[:1].isalpha() or word in self.possessives) or word in self.grammar["auxiliaries"]:
                return False
        return False

    def _is_aside(self, mention: Mention) -> bool:
        """Whether a number is told in passing, of those before it: "11 people, among them three children, died"."""
        words = [self.word(n) for n in range(max(0, mention.start - 2), mention.start)]
        parts = self.readings["parts"]
        return bool(words) and (words[-1] in parts or " ".join(words) in parts)

    def find_head(self, mention: Mention) -> Head:
        """Return what stands after a number, of the words up to the next verb, comma or number."""
        index = first = mention.end
        partitive = False
        if self.word(index) == "(":  # an aside beside a number says nothing of what is counted
            return Head("bare", index, index)
        for _ in range(LONGEST_NOUN):
            other = self._number_at(index, mention)
            if other is not None and partitive and self.mentions.index(other) in self.wholes:
                first = index = other.end  # "ten of the 38 missiles"
                continue
            if index >= len(self.tokens) or index in self.days or other is not None:
                break
            word = self.word(index)
            if word in self.grammar["of"] and index == first:
                partitive, first = True, index + 1
            elif word in self.grammar["determiners"] and (partitive or index == first) and index <= first + 1:
                first = max(first, index + 1)
            elif word in self.grammar["quotes"]:
                first += index == first
            else:
                head = self._match_noun(index, first, mention, partitive=partitive)
                if head is not None:
                    return head
                if self._is_stop(index, mention):
                    break
            index += 1
        return self._name_rest(first, index, partitive=partitive)

    def _number_at(self, index: int, mention: Mention) -> Mention | None:
        others = (each for each in self.mentions if each.start == index and each is not mention and not each.single)
        return next(others, None)

    def _match_noun(self, index: int, first: int, mention: Mention, *, partitive: bool) -> Head | None:
        """Return the noun at a token, if it is one that can be counted here."""
        word, outcome = self.word(index), self.outcome_at(index)
        if outcome is not None:
            if outcome.label == "deployed" or (
                outcome.label == "losses" and word in self.readings["suffered"] and index > first
            ):
                return None  # a verb: "six villages lost power"
            if index > first and self.is_active(outcome, first):
                return Head("foreign", index, index, partitive=partitive)
            civilian = any(self.word(n) in self.civilian - self.military for n in range(first, index))
            return Head("outcome", index, outcome.end, outcome.label, partitive=partitive, civilian=civilian)
        thing = self.language.equipment.match_at(self.tokens, index)
        if thing is not None and self.word(thing.end) not in self.military:
            return Head("equipment", index, thing.end, thing.label, partitive=partitive)
        if word in self.military | self.civilian and not self._is_compound(index):
            civilian = word in self.civilian and word not in self.military
            lives = next(
                (n for n in (index, index + 2) if self.word(n) in self.readings["lives"]), None
            )  # "5,000 soldiers' lives"
            if lives is not None and self._is_toll(mention):
                return Head("outcome", lives, lives + 1, "killed", civilian=civilian, partitive=partitive)
            return Head("person", index, index + 1, civilian=civilian, partitive=partitive)
        if mention.share and partitive and word in self.language.words["persons"]["bodies"]:
            return Head("person", index, index + 1, partitive=partitive)
        if word in self.readings["named"]:
            return Head("named", index, index + 1, partitive=partitive)
        return Head("bare", index, index + 1, partitive=partitive) if word in self.grammar["stand_ins"] else None

    def _is_toll(self, mention: Mention) -> bool:
        """Whether a number of lives is that of the dead: "a war that has claimed about 5,000 lives"."""
        return any(self.word(n) in self.readings["tolls"] for n in range(max(0, mention.start - 4), mention.start))

    def _name_rest(self, first: int, index: int, *, partitive: bool) -> Head:
        """Return what the words up to a stop are, where none of them is a noun of the table."""
        span = self.tokens[first:index]
        if not span or all(each.lower in self.readings["additive"] | self.grammar["adverbs"] for each in span):
            return Head("bare", first, first, partitive=partitive)
        peoples = tuple(self.grammar["peoples"])
        if all(each.text[0].isupper() for each in span) and span[-1].lower.endswith(peoples):
            return Head("person", first, index, partitive=partitive)  # "3,000 North Koreans"
        return Head("foreign", first, index, partitive=partitive)

    def _is_compound(self, index: int) -> bool:
        """Whether a noun for people only leads another in: "civilian deaths", "air force personnel"."""
        after, word = self.word(index + 1), self.word(index)
        leads = word in self.language.words["persons"]["leads"]
        return leads and (self.outcome_at(index + 1) is not None or after in self.military | self.civilian)

    def _is_stop(self, index: int, mention: Mention) -> bool:
        """Whether a word ends what a number counts: a mark, a verb, a preposition."""
        token, word, grammar = self.tokens[index], self.word(index), self.grammar
        if not token.text[0].isalnum() or word in self.possessives | grammar["prepositions"] or self.outcome_at(index):
            return True
        if mention.single and index == mention.end:
            return False  # "an alleged soldier", though "alleged" is a verb of saying too
        if word in grammar["joins"] and all(self._is_country(n) for n in (index - 1, index + 1)):
            return False
        if word in grammar["joins"] and all(self._is_proper(n) for n in (index - 1, index + 1)):
            return False  # "Russian and Ukrainian soldiers"
        ends = grammar["auxiliaries"] | grammar["conjunctions"]
        if self.language.according.match_at(self.tokens, index) is not None:
            return True
        return word in ends or self.language.speech.match_at(self.tokens, index) is not None

    def _is_country(self, index: int) -> bool:
        return index < len(self.tokens) and self.language.countries.match_at(self.tokens, index) is not None

    def _is_proper(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].text[0].isupper()

    def is_active(self, found: Found, start: int) -> bool:
        """Whether a number of others follows a word as its object: "two strikes killed 14", "gunmen wounded a man"."""
        passive = any(self.word(n) in self.grammar["passive"] for n in range(start, found.start))
        return not passive and found.label in ACTS and any(each.start == found.end for each in self.mentions)

    def outcome_at(self, index: int) -> Found | None:
        """Return the word for an outcome that begins at a token."""
        return self._outcome_starts.get(index)
