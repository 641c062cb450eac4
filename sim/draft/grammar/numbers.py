"""Numbers in a sentence: digits and words, ranges, shares, and numbers of no size in particular."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from sim.draft.grammar.language import Language
from sim.draft.grammar.mentions import Mention, Wording
from sim.draft.grammar.spells import Spell
from sim.draft.grammar.tokens import Token

_DIGITS = re.compile(r"\d", re.ASCII)
MAX_VALUE = 1e12
MAX_MENTIONS = 100  # in one sentence: beyond, it is a table


def find_numbers(tokens: Sequence[Token], language: Language, spells: Sequence[Spell] = ()) -> list[Mention]:
    """Return the numbers of a sentence that can be a count or a share, from left to right."""
    taken = {index for spell in spells for index in range(spell.start, spell.end)}
    reader = _Reader(tokens, language, taken)
    mentions: list[Mention] = []
    index = 0
    while index < len(tokens):
        mention = reader.match_at(index)
        if mention is not None and not reader.is_no_count(mention):
            mention = reader.word_number(mention)
            mentions.append(mention)
            if len(mentions) == MAX_MENTIONS:
                break
        index = mention.after if mention is not None else index + 1
    return mentions


@cache
def _compile_parts(parts: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds the parts of a number that is one word, and what such a word is."""
    one = "|".join(map(re.escape, sorted(parts, key=len, reverse=True)))
    return re.compile(one), re.compile(f"(?:{one})+")


class _Reader(Wording):
    def __init__(self, tokens: Sequence[Token], language: Language, taken: set[int]) -> None:
        super().__init__(tokens, language, taken)
        numbers = language.words["numbers"]
        self.tens: dict[str, int] = numbers["tens"]
        self.multipliers: dict[str, int] = numbers["multipliers"]
        self.suffixes: dict[str, int] = numbers["suffixes"]
        self.fractions: dict[str, float] = numbers["fractions"]
        self.numbers = numbers
        joins = numbers["joins"] if language.words["script"]["compounds"] else []
        parts = (*self.units, *self.tens, *self.multipliers, *joins, *numbers["one"][:1])
        self.compounds = _compile_parts(parts) if joins else None
        self.vague = language.look_up("vague", {name: [name] for name in numbers["vague"]})
        self.phrases = language.look_up("numbers", {name: [name] for name in numbers["phrases"]})
        self.percent = language.look_up("percent", numbers["percent"])
        self.each_in = language.look_up("each_in", numbers["ranges"]["each_in"])

    def match_at(self, index: int) -> Mention | None:
        """Return the number, or the range, that begins at a token."""
        if index in self.taken:
            return None
        first = self._match_one(index)
        if first is None:
            return None
        return self._match_range(first) or first

    def _match_one(self, index: int) -> Mention | None:
        vague = self.vague.match_at(self.tokens, index)
        if vague:
            low, high = self.numbers["vague"][vague.label]
            return Mention(index, vague.end, index, vague.end, low=low, high=high, vague=vague.label)
        fraction = self._match_fraction(index)
        if fraction:
            return fraction
        fixed = self.phrases.match_at(self.tokens, index)
        if fixed:
            return Mention(index, fixed.end, index, fixed.end, value=float(self.numbers["phrases"][fixed.label]))
        parsed = self._parse(index)
        if parsed is None:
            return self._match_none(index) or self._match_single(index)
        value, end = parsed
        percent = self.percent.match_at(self.tokens, end) if end < len(self.tokens) else None
        if percent:
            return Mention(index, percent.end, index, percent.end, value=value / 100, share=True)
        each = self.each_in.match_at(self.tokens, end) if end < len(self.tokens) else None
        if each and value < 10:
            whole = self._parse(each.end) if each.end < len(self.tokens) and each.end not in self.taken else None
            bare = self.tokens[each.start].lower in self.numbers["ranges"]["each_in_any"]
            if whole and whole[0] > value and (bare or whole[0] <= 100) and whole[0] <= 1000:
                return Mention(index, whole[1], index, whole[1], value=value / whole[0], share=True)
        return Mention(index, end, index, end, value=value) if value <= MAX_VALUE else None

    def _match_none(self, index: int) -> Mention | None:
        if self.word(index) in self.numbers["none"]:
            return Mention(index, index + 1, index, index + 1, value=0.0)
        return None

    def _match_single(self, index: int) -> Mention | None:
        if self.word(index) in self.numbers["one"]:
            return Mention(index, index + 1, index, index + 1, value=1.0, single=True)
        return None

    def _match_fraction(self, index: int) -> Mention | None:
        """one-third, a third of, two thirds, half (of, the)."""
        word = self.word(index)
        top, dash, part = word.partition("-")
        if dash and part in self.fractions and top in self.units:
            return self._share(index, index + 1, self.units[top] * self.fractions[part])
        after = self.word(index + 1)
        if word in self.numbers["half"]:
            follows = after in self.numbers["half_of"]
            return self._share(index, index + 1, self.fractions[word]) if follows else None
        counts = self.units.get(word, 1 if word in self.numbers["one"] else 0)
        if counts and after in self.fractions and self.word(index + 2) in self.numbers["part_of"]:
            return self._share(index, index + 2, counts * self.fractions[after])
        return None

    def _share(self, start: int, end: int, value: float) -> Mention:
        rounded = round(value, 3) if value < 0.99 else 1.0
        return Mention(start, end, start, end, value=rounded, share=True)

    def _parse(self, index: int) -> tuple[float, int] | None:
        """Return the value of a number, and the token after it."""
        word = self.word(index)
        if _DIGITS.match(word):
            return self._parse_digits(index)
        if word in self.numbers["one"] and self.word(index + 1) in self.multipliers:
            return self._multiply(1.0, index + 1)
        return self._parse_words(index)

    def _parse_digits(self, index: int) -> tuple[float, int] | None:
        text = self.language.script.plain_number(self.word(index))
        end = index + 1
        if re.fullmatch(r"\d{1,3}", text) and self._stands_free(index):  # 48 200, with the spaces of the press release
            while re.fullmatch(r"\d{3}", self.word(end)) and self.tokens[end].start == self.tokens[end - 1].end + 1:
                text, end = text + self.word(end), end + 1
        try:
            value = float(text)
        except ValueError:
            return None
        after = self.word(end)
        touches = end < len(self.tokens) and self.tokens[end].start == self.tokens[end - 1].end
        if touches and after in self.suffixes and self.tokens[end].text not in self.numbers["no_suffixes"]:
            return value * self.suffixes[after], end + 1
        return self._multiply(value, end) if after in self.multipliers else (value, end)

    def _stands_free(self, index: int) -> bool:
        return self.word(index - 1) not in self.language.words["days"]["months"]

    def _multiply(self, value: float, index: int) -> tuple[float, int]:
        end = index
        while self.word(end) in self.multipliers:
            value, end = value * self.multipliers[self.word(end)], end + 1
        return value, end

    def _parse_words(self, index: int) -> tuple[float, int] | None:
        if self.compounds is not None:
            value = self._parse_compound(self.word(index))
            return None if value is None else self._multiply(value, index + 1)
        total, current, end, seen = 0.0, 0.0, index, False
        while True:
            word = self.word(end)
            ten, dash, unit = word.partition("-")
            if dash and ten in self.tens and unit in self.units:
                current, seen = current + self.tens[ten] + self.units[unit], True
            elif word in self.tens and not current % 100:
                current, seen = current + self.tens[word], True
            elif (
                word in self.units
                and self.units[word]
                and (not current % 10 or not current)
                and not (current % 100 and self.units[word] > 9)
            ):
                if current and current < 20:
                    break
                current, seen = current + self.units[word], True
            elif seen and word in self.multipliers:
                if self.multipliers[word] >= 1000:
                    total, current = total + current * self.multipliers[word], 0.0
                else:
                    current *= self.multipliers[word]
            elif (
                seen
                and word in self.numbers["joins"]
                and self.word(end - 1) in self.multipliers
                and (self.word(end + 1) in self.units or self.word(end + 1) in self.tens or "-" in self.word(end + 1))
                and self._is_joined(end + 1)
            ):
                pass
            else:
                break
            end += 1
        return (total + current, end) if seen else None

    def _parse_compound(self, word: str) -> float | None:
        """Return the value of a number that is one word: "zweihundertsiebenundzwanzig"."""
        if self.compounds is None or word in {*self.numbers["one"], *self.numbers["joins"]}:
            return None
        part_of, whole = self.compounds
        if not whole.fullmatch(word):
            return None
        total = current = 0.0
        for found in part_of.finditer(word):
            part = found[0]
            if part in self.multipliers:
                current = max(current, 1.0) * self.multipliers[part]
                if self.multipliers[part] >= 1000:
                    total, current = total + current, 0.0
            elif part not in self.numbers["joins"]:
                current += self.tens.get(part, self.units.get(part, 1))
        return total + current

    def _is_joined(self, index: int) -> bool:
        """Whether a small number after "and" belongs to the hundreds before it: what follows is no noun of its own."""
        parsed = self._parse_words(index)
        return parsed is not None and parsed[0] < 100

    def _match_range(self, first: Mention) -> Mention | None:
        if first.single or first.vague or first.value is None:
            return None
        ranges = self.numbers["ranges"]
        opened = self._find_opener(first.first)
        link = self.word(first.after)
        allowed = {*ranges["between"], *ranges["changed_to"], *(opened[1:] if opened else ())}
        if link not in allowed:
            return None
        start = first.after + 1
        while self.word(start) in ranges["fillers"]:
            start += 1
        second = self._match_one(start) if start < len(self.tokens) and start not in self.taken else None
        if second is None or second.single or second.vague or second.value is None:
            return None
        low, high = self._same_scale(first, second)
        if low is None or not low < high or (link in ranges["either"] and high > 3 * low):
            return None
        if (
            link in ("-", "–", "—", "‒")
            and self.tokens[first.after].start != self.tokens[first.after - 1].end
            and self.tokens[start].start != self.tokens[first.after].end
            and not second.share
            and not (100 <= low < high <= 5 * low)
        ):
            return None  # a dash with spaces around it parts two things
        changed = opened and opened[0] in ranges["changes"] and self._has_grown(first.first)
        if changed or link in ranges["changed_to"]:
            return replace(second, start=first.first, first=second.first)
        return Mention(
            first.start,
            second.after,
            first.first,
            second.after,
            low=low,
            high=high,
            share=second.share,
            qualifier="range",
        )

    def _same_scale(self, first: Mention, second: Mention) -> tuple[float | None, float]:
        low, high = first.value or 0.0, second.value or 0.0
        if second.share and not first.share:
            low = low / 100
        elif first.share != second.share:
            return None, high
        last = self.word(second.after - 1)
        if last in self.multipliers and self.word(first.after - 1) not in self.multipliers and low < 1000 <= high:
            low *= self.multipliers[last]
        return low, high

    def _find_opener(self, index: int) -> list[str]:
        """Return the word that opens a range before a number, and the one that joins its ends; nothing without one."""
        ranges = self.numbers["ranges"]
        for before in range(index - 1, max(-1, index - 4), -1):
            word = self.word(before)
            opener: list[str] | None = next((pair for pair in ranges["openers"] if pair[0] == word), None)
            if opener is not None:
                return opener
            if word not in ranges["before"]:
                break
        return []

    def _has_grown(self, index: int) -> bool:
        grew = self.language.words["readings"]["grew"]
        return any(self.word(before) in grew for before in range(max(0, index - 6), index))
