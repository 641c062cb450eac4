"""Numbers of things, tanks and ships and aircraft, of which only what was lost is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.draft.grammar.cues import FAR, Cue
from sim.draft.grammar.language import Phrases
from sim.draft.grammar.mentions import Mention
from sim.draft.grammar.nouns import Head
from sim.draft.grammar.readings import Reading, ReadingMarker

INHERITED = 14  # the cost of what is said of the number before


class ThingReader(ReadingMarker):
    """Reads the numbers of things of one sentence."""

    def _list_before(self, reading: Reading, waiting: Sequence[int]) -> list[tuple[int, Reading]]:
        """Return the items of a list whose verb stands at its end: "12 tanks, 9 boats and 4 jets were destroyed"."""
        out: list[tuple[int, Reading]] = []
        start = reading.mention.start
        for n in reversed(waiting):
            before, head = self.mentions[n], self.find_head(self.mentions[n])
            between = {self.word(index) for index in range(head.end, start)}
            if head.kind != "equipment" or reading.inherited or not between <= self.grammar["joins"] | {","}:
                break
            told = replace(reading, mention=before, quantity=head.label, head=(head.start, head.end), inherited=True)
            out.insert(0, (n, told))
            start = before.start
        return out

    def _find_thing(self, cue: Cue) -> str | None:
        """Return the equipment whose losses a word speaks of: "the highest tank losses, 428 in all"."""
        matches = (self.language.equipment.match_at(self.tokens, n) for n in range(max(0, cue.start - 3), cue.start))
        found = next((each for each in matches if each is not None and each.end == cue.start), None)
        return found.label if found is not None and cue.quantity == "losses" else None

    def _read_equipment(self, number: int, mention: Mention, head: Head, last: Reading | None) -> Reading | None:
        bounds = self.bounds(number, both=True)
        costs = []
        for found in self.lost:
            if mention.end <= found.start and found.end <= head.start:
                costs.append((0.0, found.start))
            elif head.end <= found.start < bounds[1]:
                costs.append((self.distance(head.end, found.start), found.start))
            elif bounds[0] <= found.start and found.end <= mention.start:
                costs.append((self.distance(found.end, mention.start), found.start))
        spoiled = [n for n in range(bounds[0], bounds[1]) if self.word(n) in self.readings["damaged"]]
        cost, index = min(costs, default=(FAR + 1.0, mention.first))
        if any(min(abs(n - mention.start), abs(n - head.end)) <= cost for n in spoiled):
            return None
        linked = last is not None and (last.equipment or self._is_linked(mention)) and self._gap(mention) <= 12
        if cost > FAR and linked and last is not None and last.quantity not in ("deployed",):
            return replace(self._make(mention, head.label, INHERITED, index, head), equipment=True, inherited=True)
        if cost > FAR and self._lead_tells(self.language.equipment_lost):
            return replace(self._make(mention, head.label, 8.0, index, head), equipment=True)
        if cost > FAR and any(
            found.label for found in self.found if found.end <= mention.first and mention.first - found.end <= 4
        ):
            return replace(self._make(mention, head.label, 8.0, index, head), equipment=True)
        return None if cost > FAR else replace(self._make(mention, head.label, cost, index, head), equipment=True)

    def _lead_tells(self, phrases: object) -> bool:
        lead = self.language.split(self.sentence.lead)
        return isinstance(phrases, Phrases) and phrases.stands_in(lead)

    def _is_linked(self, mention: Mention) -> bool:
        """Whether a number goes on where the one before it stopped: after a comma, "and", "including", "or"."""
        index = mention.start
        while self.word(index - 1) in self.readings["additive"] | {
            *self.language.words["numbers"]["one"]
        }:  # "as well as a further 300"
            index -= 1
        ends = {" ".join(self.word(n) for n in range(index - length, index)) for length in (1, 2, 3)}
        return bool(ends & (self.readings["links"] | self.readings["parts"])) or any(
            self.word(n) in self.readings["parts"] for n in range(max(0, mention.start - 2), mention.start)
        )

    def _gap(self, mention: Mention) -> int:
        ends = [other.end for other in self.mentions if other.end <= mention.start and not other.single]
        return mention.start - max(ends, default=-100)

    def _make(self, mention: Mention, quantity: str, cost: float, cue: int, head: Head) -> Reading:
        return Reading(mention, quantity, cost, self.word(cue), cue, (head.start, head.end), civilian=head.civilian)
