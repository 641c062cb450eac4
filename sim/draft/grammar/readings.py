"""What a number is read to count, and what is said of it besides: found, planned, denied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.draft.grammar.cues import CueFinder
from sim.draft.grammar.mentions import Mention


@dataclass(frozen=True)
class Reading:
    """A number, and what it counts.

    Attributes
    ----------
    mention : Mention
    quantity : str
    cost : float
        How far away the word is that decided; 0 beside it.
    cue, cue_at : str, int
        That word, and its token.
    head : tuple of int
        The tokens of what is counted, from the end of the number on.
    inherited : bool
        Whether the quantity is that of a number before it.
    equipment, civilian, found, asked, planned, denied, more : bool
    """

    mention: Mention
    quantity: str
    cost: float
    cue: str
    cue_at: int
    head: tuple[int, int]
    inherited: bool = False
    equipment: bool = False
    civilian: bool = False
    found: bool = False
    asked: bool = False
    planned: bool = False
    denied: bool = False
    more: bool = False


class ReadingMarker(CueFinder):
    """Marks the readings of a sentence."""

    def mark(self, number: int, reading: Reading) -> Reading:
        """Return a reading with what stands around it: found, asked about, planned, denied."""
        mention = reading.mention
        low, high = self.bounds(number)
        near = range(max(low, mention.start - 8), min(high, reading.head[1] + 8))
        words = {self.word(n) for n in near if n not in self.days}
        before = {self.word(n) for n in range(max(0, mention.start - 3), mention.start)}
        between = {self.word(n) for n in range(mention.end, reading.head[1])}
        return replace(
            reading,
            found=self._is_found(reading, high),
            asked=reading.cue in self.readings["asked"],
            planned=bool(words & self.readings["planned"]) and reading.quantity in ("deployed", "captured"),
            denied=self._is_denied(mention) or self._is_undone(reading, high) or self._is_rate(reading),
            more=bool((before | between) & self.readings["more"]) and reading.quantity == "deployed",
        )

    def _is_denied(self, mention: Mention) -> bool:
        """Whether a number is said not to be so, or only supposed: "if 300 fell a day, that would be 130,000"."""
        before = [self.word(n) for n in range(mention.start)]
        clause = " ".join(before[-8:]).rpartition(",")[2]
        supposed = any(f" {words} " in f" {clause} " for words in self.readings["supposed"])
        return supposed or bool({*before} & self.readings["denied"])

    def _is_undone(self, reading: Reading, high: int) -> bool:
        """Whether prisoners, wounded or missing are so no more: "of whom 2,105 have returned to duty"."""
        if reading.quantity not in ("captured", "wounded", "missing") or reading.mention.single:
            return False
        after = " ".join(self.word(n) for n in range(reading.head[1], min(high, reading.head[1] + 6)))
        return any(f" {words} " in f" {after} " for words in self.readings["undone"])

    def _is_rate(self, reading: Reading) -> bool:
        """Whether so many a day are told, and no count: "165 people killed a day"."""
        end = max(reading.head[1], reading.cue_at + 1)
        after = {" ".join(self.word(n) for n in range(end, end + length)) for length in (1, 2)}
        return bool(after & self.readings["rates"])

    def _is_named(self, reading: Reading) -> bool:
        return any(self.word(n) in self.readings["named"] for n in range(*reading.head))

    def _is_found(self, reading: Reading, high: int) -> bool:
        """Whether what is counted was found, named or brought home: said once, it holds for all that follow."""
        mention = reading.mention
        if mention.single:
            return False
        if reading.cue in self.readings["remains"] or self._is_named(reading):
            return True
        if reading.inherited and any(
            self.word(n) in self.readings["remains"] for n in range(mention.start - 6, mention.start)
        ):
            return True  # "the bodies of 38 soldiers and six officers"
        cue = self.outcome_at(reading.cue_at)
        if cue is not None and self.word(cue.end - 1) in self.readings["figures"]:
            return False  # "recovered two bodies, bringing the death toll to eight"
        for found in self.found:
            guessed = any(
                self.word(n) in self.language.words["wording"]["guessed"]
                for n in range(max(0, found.start - 4), found.start)
            )
            if guessed:
                continue
            if self.word(found.start) in self.readings["bare_found"] and mention.start - found.end not in range(4):
                continue
            if (
                found.end <= mention.start
                and mention.start - found.end <= 40
                and not self.is_broken(found.end, mention.start)
            ):
                return True
            if (
                mention.end <= found.start < high
                and found.start - reading.head[1] <= 6
                and self.word(found.start) not in self.readings["found_before"]
            ):
                return True
        return False
