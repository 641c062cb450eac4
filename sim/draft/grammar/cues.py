"""The word that says what became of those counted: the nearest to a number, on either side of it."""

from __future__ import annotations

from dataclasses import dataclass

from sim.draft.grammar.language import Found
from sim.draft.grammar.nouns import Clause

FAR = 24  # the cost of a cue, beyond which it says nothing of a number
REACH = 16  # tokens
COMMA, JOINED = 3, 4  # what it costs to reach beyond a comma, or beyond "and"
PERSONS = ("killed", "wounded", "captured", "missing")


@dataclass(frozen=True)
class Cue:
    """A word for an outcome, with what it costs to reach it from a number."""

    quantity: str
    cost: float
    start: int
    end: int


class CueFinder(Clause):
    """Finds the cues of the numbers of a sentence."""

    def bounds(self, number: int, *, both: bool = False) -> tuple[int, int]:
        """Return the tokens between which a number's cues stand: from the number before it to the one after."""
        others = [
            mention
            for n, mention in enumerate(self.mentions)
            if n != number and not mention.single and (both or n not in self.wholes | self.asides)
        ]
        mention = self.mentions[number]
        low = 0 if both else max((other.end for other in others if other.end <= mention.start), default=0)
        high = min((other.start for other in others if other.start >= mention.end), default=len(self.tokens))
        return low, len(self.tokens) if both else high

    def scan_right(self, number: int, start: int) -> Cue | None:
        """Return the first cue after a number and its noun, up to the next number."""
        _, high = self.bounds(number)
        start = self._pass_aside(start)
        for found in self.outcomes:
            if found.start < start or found.start >= high or found.end > high + 1:
                continue
            cost = self.distance(start, found.start)
            if cost > FAR or found.start - start > REACH or self.is_broken(start, found.start):
                return None
            if any(self.word(n) in self.readings["multiples"] for n in range(start, found.start)):
                return None
            if found.label == "deployed" and (self.mentions[number].share or self._is_told_by_the_way(found, high)):
                continue
            if self._belongs_to_next(found, high) or self.is_active(found, start):
                return None
            quantity, _ = self.merge(found.start, high)
            return Cue(quantity, cost, found.start, found.end)
        return None

    def _pass_aside(self, start: int) -> int:
        """Return where a sentence goes on after an aside: "nine, including three children, were injured"."""
        words = [self.word(n) for n in range(start, start + 3)]
        if words[0] != "," or not {words[1], " ".join(words[1:])} & self.readings["parts"]:
            return start
        return next((n + 1 for n in range(start + 1, start + REACH) if self.word(n) == ","), start)

    def _is_told_by_the_way(self, sent: Found, high: int) -> bool:
        """Whether those sent are told to be so in passing: "the soldiers sent have been killed"."""
        later = (found for found in self.outcomes if sent.end <= found.start < min(high, sent.end + 6))
        loss = next((found for found in later if found.label != "deployed"), None)
        between = range(sent.end, loss.start) if loss is not None else ()
        return any(self.word(n) in self.grammar["auxiliaries"] for n in between)

    def _belongs_to_next(self, found: Found, high: int) -> bool:
        """Whether a cue stands just before the next number: "14 soldiers and wounded 30", "and the bodies of 97"."""
        if high < len(self.tokens) and found.end + 1 == high and self.word(found.end) in self.grammar["of"]:
            return True
        return bool(
            high < len(self.tokens)
            and found.label in PERSONS
            and found.start > 1
            and self.word(found.start - 1) in {",", *self.grammar["joins"], *self.grammar["contrasts"]}
            and all(
                self.word(n) in self.readings["additive"] | self.grammar["determiners"] for n in range(found.end, high)
            )
        )

    def scan_left(self, number: int) -> Cue | None:
        """Return the last cue before a number, down to the number before."""
        mention = self.mentions[number]
        low, _ = self.bounds(number)
        for found in reversed(self.outcomes):
            if found.end > mention.start or found.start < low:
                continue
            cost = 0.5 + self.distance(found.end, mention.start)
            if cost > FAR or mention.start - found.end > REACH or self.is_broken(found.end, mention.start):
                return None
            quantity = self._merge_back(found, low)
            return Cue(quantity, cost, found.start, found.end)
        return None

    def distance(self, start: int, end: int) -> float:
        """Return what it costs to reach from one token to another."""
        cost = 0.0
        for index in range(start, end):
            word = self.word(index)
            if word in (",", "–", "—", "(", ")", ":", "-", ";"):
                cost += COMMA
            elif word in self.linking:
                cost += JOINED
            elif (
                word in self.grammar["adverbs"]
                or word in self.grammar["auxiliaries"]
                or word in self.grammar["determiners"]
            ):
                cost += 0.5
            else:
                cost += 1
        return cost

    def is_broken(self, start: int, end: int) -> bool:
        """Whether a clause ends between two places."""
        for index in range(start, end):
            word = self.word(index)
            if word == ";" or word in self.grammar["breaks"]:
                return True
        return False

    def merge(self, index: int, high: int | None = None) -> tuple[str, int]:
        """Return the quantity of words that are joined, "killed or wounded", and where they end."""
        kinds: set[str] = set()
        end = index
        high = len(self.tokens) if high is None else high
        while True:
            found = self.outcome_at(end)
            if found is None or found.end > high:
                break
            kinds.add(found.label)
            end = found.end
            other = self.outcome_at(end + 1)
            after = self._pass_adverbs(end + 1)
            other = other or self.outcome_at(after)
            if self.word(end) in self.linking | {"/", ","} and other and not self.is_active(other, end):
                end = other.start
            elif (
                self.word(end) in self.linking | {","}
                and self.word(end + 1) in self.linking
                and self.outcome_at(end + 2)
            ):
                end += 2
            else:
                break
        return sum_up(kinds), end

    def _pass_adverbs(self, index: int) -> int:
        """Return the token after adverbs: "killed and seriously wounded"."""
        while self.word(index) in self.grammar["adverbs"] or self.word(index).endswith(
            tuple(self.grammar["adverb_ends"]) or ("\0",)
        ):
            index += 1
        return index

    def _merge_back(self, found: Found, low: int) -> str:
        kinds = {found.label}
        index = found.start
        while self.word(index - 1) in self.linking | {"/", ","} and index - 2 >= low:
            other = next((each for each in self.outcomes if each.end == index - 1), None)
            if other is None or other.label == "deployed" or (low and other.start == low):
                break  # "14 dead and wounded 31": the first is of the number before
            kinds.add(other.label)
            index = other.start
        return sum_up(kinds)


def sum_up(kinds: set[str]) -> str:
    """Return the quantity that several outcomes make together."""
    kinds = kinds - {"deployed"} or kinds
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds <= {"killed", "wounded", "casualties"}:
        return "casualties"
    if "losses" in kinds and len(kinds - {"losses"}) == 1:
        return next(iter(kinds - {"losses"}))
    return "losses"
