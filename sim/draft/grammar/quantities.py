"""What each number counts: by the noun that it stands before, and the nearest word for an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.draft.grammar.cues import FAR, JOINED, PERSONS, sum_up
from sim.draft.grammar.language import Language
from sim.draft.grammar.mentions import Mention
from sim.draft.grammar.nouns import Head
from sim.draft.grammar.readings import Reading
from sim.draft.grammar.sentences import Sentence
from sim.draft.grammar.spells import Spell
from sim.draft.grammar.things import INHERITED, ThingReader


class QuantityReader(ThingReader):
    """Reads what the numbers of one sentence count.

    `before` is the last reading of the sentences before it; `answers` the quantity that it was asked for.
    """

    def __init__(
        self,
        sentence: Sentence,
        mentions: Sequence[Mention],
        spells: Sequence[Spell],
        language: Language,
        before: Reading | None,
        *,
        answers: str = "",
    ) -> None:
        super().__init__(sentence, mentions, spells, language)
        self.before, self.answers = before, answers

    def read_all(self) -> list[Reading]:
        """Return the readings of those numbers that count losses, or those sent."""
        out: list[Reading] = []
        waiting: list[int] = []  # numbers just before, of which nothing is said yet
        for number, mention in enumerate(self.mentions):
            reading = self._read(number, mention, out[-1] if out else None)
            if reading is None:
                waiting.append(number)
            else:
                out += [self.mark(n, each) for n, each in self._join(number, reading, waiting)]
                waiting = []
        if any(reading.quantity == "wounded" for reading in out):  # "lost 64 men, and 211 were wounded"
            died = [reading.cue in self.readings["suffered"] and reading.quantity == "losses" for reading in out]
            out = [replace(each, quantity="killed") if died[n] else each for n, each in enumerate(out)]
        return out

    def _join(self, number: int, reading: Reading, waiting: Sequence[int]) -> list[tuple[int, Reading]]:
        """Return a reading and those of numbers that share its word: "at least five soldiers and two rebels died"."""
        out = [(number, reading)]
        if reading.equipment:
            return [*self._list_before(reading, waiting), *out]
        if reading.cue_at < reading.head[1] or reading.mention.share:
            return out
        for n in reversed(waiting):
            before, head = self.mentions[n], self.find_head(self.mentions[n])
            between = {self.word(index) for index in range(head.end, out[0][1].mention.start)}
            links = self.grammar["joins"] | {","}
            linked = between & links and not between - links - self.grammar["quotes"]
            near = not before.single or head.start - before.end <= 1
            if head.kind != "person" or not linked or not near or n in self.wholes | self.asides:
                break
            told = replace(out[0][1], mention=before, cost=reading.cost + JOINED, head=(head.start, head.end))
            out.insert(0, (n, replace(told, civilian=head.civilian)))
        first = out[0][1].mention
        if first.wording and first.qualifier != "range":  # "at least" is said of all
            out = [
                (n, each)
                if each.mention.wording or each.mention.qualifier
                else (n, replace(each, mention=replace(each.mention, qualifier=first.qualifier, wording=first.wording)))
                for n, each in out
            ]
        return out

    def _read(self, number: int, mention: Mention, last: Reading | None) -> Reading | None:
        head = self.find_head(mention)
        labelled = self._read_labelled(mention)
        if labelled is not None:
            return labelled
        if mention.single:
            return self._read_single(number, mention, head)
        if mention.value == 0 and not mention.share and head.kind not in ("outcome", "person"):
            return None
        if head.kind == "foreign":
            return self._read_foreign(number, mention, head)
        if self.word(mention.first) in self.language.words["numbers"]["only_one"] and (
            head.partitive or head.kind == "bare"
        ):
            return None
        if head.kind == "named":
            return self._read_named(mention, head)
        if head.kind == "equipment":
            return None if number in self.wholes else self._read_equipment(number, mention, head, last)
        idle = head.kind == "bare" or (head.kind == "outcome" and head.label == "losses")
        if idle and last is not None and last.equipment and self._is_linked(mention) and self._gap(mention) <= 4:
            return replace(self._make(mention, last.quantity, 6.0, mention.first, head), equipment=True, inherited=True)
        if head.kind == "outcome":
            return self._read_outcome(number, mention, head)
        if number in self.wholes and head.kind != "person":
            return None if head.kind == "equipment" else self._make(mention, "deployed", 6.0, mention.first, head)
        return self._read_persons(number, mention, head, last)

    def _read_outcome(self, number: int, mention: Mention, head: Head) -> Reading | None:
        if mention.share and head.partitive:
            return None  # "half of those killed were volunteers"
        quantity = self.merge(head.start)[0] if self.outcome_at(head.start) else head.label
        later = self.scan_right(number, head.end)
        word = self.word(head.start)
        if (
            word in self.readings["prisoners"]
            and later is not None
            and later.cost <= 6
            and later.quantity in ("killed", "wounded", "casualties")
        ):
            return self._make(mention, later.quantity, later.cost, later.start, head)
        if quantity == "losses" and later is not None and later.cost <= 1 and later.quantity in PERSONS:
            quantity = later.quantity
        return self._make(mention, quantity, 0.0 if not head.partitive else 1.0, head.start, head)

    def _read_named(self, mention: Mention, head: Head) -> Reading | None:
        """Names that were found: of the dead, or of those of whom the sentence before spoke."""
        near = [found for found in self.found if found.end <= mention.start and mention.start - found.end <= 4]
        if not near or mention.share:
            return None
        inside = [found.label for found in self.outcomes if found.label in PERSONS]
        before = self.before.quantity if self.before is not None and self.before.quantity in PERSONS else "killed"
        return self._make(mention, inside[0] if inside else before, 4.0, head.start, head)

    def _read_foreign(self, number: int, mention: Mention, head: Head) -> Reading | None:
        """Of nouns that nobody listed only what is said of people: "three miners were killed"."""
        right = self.scan_right(number, head.end)
        passive = right and {self.word(n) for n in range(head.end, right.start)} & self.grammar["passive"]
        if right is None or not passive or right.cost > 1 or right.quantity not in ("killed", "wounded"):
            return None
        return replace(self._make(mention, right.quantity, right.cost, right.start, head), civilian=True)

    def _read_persons(self, number: int, mention: Mention, head: Head, last: Reading | None) -> Reading | None:
        right, left = self.scan_right(number, head.end), self.scan_left(number)
        cues = [cue for cue in (right, left) if cue is not None]
        if mention.share:
            cues = [cue for cue in cues if cue.quantity != "deployed"]
        if number in self.wholes:
            near = next((cue for cue in cues if cue.quantity == "deployed"), None)
            return self._make(
                mention, "deployed", near.cost if near else 6.0, near.start if near else mention.first, head
            )
        near = min(cues, key=lambda cue: cue.cost, default=None)
        thing = self._find_thing(near) if near is left and near is not None and head.kind == "bare" else None
        if thing is not None and near is not None:
            return replace(self._make(mention, thing, near.cost, near.start, head), equipment=True)
        if near is left and left is not None and head.kind == "bare" and left.cost > 3 and self._has_grown(mention):
            near = None  # what has grown is the total that the sentence began with
        inherited = self._inherit(mention, head, last)
        if near is not None and near.cost <= FAR and not (inherited and near.cost > INHERITED):
            if (
                head.kind == "bare"
                and near is left
                and near.cost > 9
                and near.quantity != "deployed"
                and not self._has_figure(mention)
            ):
                near = None
            else:
                return self._make(mention, near.quantity, near.cost, near.start, head)
        if inherited:
            return replace(self._make(mention, inherited, INHERITED, mention.first, head), inherited=True)
        return None

    def _read_single(self, number: int, mention: Mention, head: Head) -> Reading | None:
        """Of "a soldier" only what is said at once: captured, killed, an injured soldier; "an aircraft" lost."""
        if head.kind == "equipment":
            return self._read_equipment(number, mention, head, None) if head.start - mention.end <= 1 else None
        if head.kind == "outcome" and self.word(head.end) not in self.grammar["prepositions"]:
            if any(
                not self.word(n).endswith(tuple(self.grammar["adverb_ends"])) for n in range(mention.end, head.start)
            ):
                return None  # "a fire killed", not "a badly wounded soldier"
            following = range(head.end, min(head.end + 4, len(self.tokens)))
            person = next((n for n in following if self.word(n) in self.military | self.civilian), None)
            if person is not None and all(self.tokens[n].text[0].isalpha() for n in range(head.start, person)):
                return self._make(mention, head.label, 1.0, head.start, head) if head.label in PERSONS else None
            return None
        if (
            head.kind != "person"
            or self.word(head.start).endswith(tuple(self.grammar["plural_ends"]))
            or self.word(head.start) in self.language.words["persons"]["collective"]
        ):
            return None
        left = self.scan_left(number)
        if left is not None and left.cost <= 0.5 and left.quantity in PERSONS:
            return self._make(mention, left.quantity, left.cost, left.start, head)
        right = self.scan_right(number, head.end)
        if right is not None and any(self.word(n) in self.grammar["among"] for n in range(head.end, right.start)):
            return None
        if right is None or right.cost > 7 or right.quantity not in PERSONS:
            return None
        return self._make(mention, right.quantity, right.cost, right.start, head)

    def _read_labelled(self, mention: Mention) -> Reading | None:
        """Of the item of a list whose noun stands before its number: "tanks: 1,034", "personnel: about 48 200"."""
        index = mention.start - 1
        if self.word(index) not in (":", "–", "—", "-", "‒", "=") or index < 1 or mention.single:
            return None
        head = Head("bare", mention.end, mention.end)
        first = 1 if self.word(0) in self.grammar["bullets"] else 0
        label = self.tokens[first:index]
        if not label or len(label) > 8 or any(token.text[0].isdigit() for token in label):
            return None
        for n in range(first, index):
            thing = self.language.equipment.match_at(self.tokens, n)
            if thing and thing.end == index:
                return replace(self._make(mention, thing.label, 1.0, n, head), equipment=True)
        quantities = [found.label for found in self.outcomes if first <= found.start < index]
        if quantities:
            return self._make(mention, sum_up(set(quantities)), 1.0, first, head)
        if any(token.lower in self.military for token in label) and (quantity := self._lead_quantity()):
            return self._make(mention, quantity, 2.0, first, head)
        return None

    def _lead_quantity(self) -> str:
        found = list(self.language.outcomes.find_all(self.language.split(self.sentence.lead)))
        return found[-1].label if found else ""

    def _has_figure(self, mention: Mention) -> bool:
        near = range(max(0, mention.start - 9), mention.start)
        return any(self.word(n) in self.readings["figures"] | self.readings["grew"] for n in near)

    def _has_grown(self, mention: Mention) -> bool:
        wide = any(found.label == "casualties" and found.end <= mention.start for found in self.outcomes)
        return wide and any(
            self.word(n) in self.readings["grew"] for n in range(max(0, mention.start - 4), mention.start)
        )

    def _begins_with_parts(self) -> bool:
        """Whether a sentence goes on with those of the one before it: "Among them were four civilians"."""
        heads = {" ".join(self.word(n) for n in range(length)) for length in (1, 2, 3)}
        return bool(heads & self.readings["parts"])

    def _inherit(self, mention: Mention, head: Head, last: Reading | None) -> str:
        """Return the quantity of the number before, where this one says no other."""
        if last is not None and self._is_linked(mention) and self._gap(mention) <= 12:
            return "" if last.equipment else last.quantity
        if mention.share:
            return ""
        found = any(each.end == mention.start for each in self.found)
        bare = head.kind == "bare" or (head.kind == "person" and not self.outcomes)
        if found and bare and self.before is not None and not self.before.equipment and last is None:
            return self.before.quantity
        if self.answers and head.kind == "bare" and not self.outcomes:
            return self.answers
        if (
            self._begins_with_parts()
            and head.kind in ("person", "bare")
            and not self.outcomes
            and self.before is not None
        ):
            return "" if self.before.equipment else self.before.quantity
        lead = self._lead_quantity()
        if lead and head.kind == "person":
            return lead
        near = {self.word(n) for n in range(max(0, mention.start - 7), mention.start)}
        made_up = head.kind == "person" and near & self.readings["made_up"] and not self.outcomes
        if (head.kind == "bare" or made_up) and not mention.vague and self._has_figure(mention):
            inside = [found for found in self.outcomes if found.end <= mention.start and found.label != "deployed"]
            wide = [found for found in inside if found.label == "casualties"]
            if wide or inside:
                return (wide or inside)[-1].label
            before = last or self.before
            return "" if before is None or before.equipment else before.quantity
        return ""
