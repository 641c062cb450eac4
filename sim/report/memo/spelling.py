"""Letters that no font of the machine has: in PDF, as in the figures, they are transliterated, and a line says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sim.contract.check import adapt
from sim.report.memo.blocks import Memo, Text

FARTHEST = 0x0590  # of the letters that every font of ours has: Latin, Greek, Cyrillic, Armenian
_SIGNS = range(0x2000, 0x2C00)  # dashes, quotation marks, arrows
_KEYS = {"file", "url", "kind", "align"}  # what names or rules, and is not read


def spell_memo(memo: Memo) -> Memo:
    """Return a memo in letters that can be set, with a note on page one where any were transliterated."""
    content = adapt(Memo).dump_python(memo, mode="json")
    rare = {
        letter
        for text in _list_texts(content)
        for letter in text
        if ord(letter) >= FARTHEST and ord(letter) not in _SIGNS
    }
    if not rare:
        return memo
    from sim.report.plots.fonts import TRANSLITERATED, find_missing, spell

    _, missing = find_missing(["".join(rare)])
    if not missing:
        return memo

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return spell(value, missing)
        if isinstance(value, dict):
            return {key: each if key in _KEYS else change(each) for key, each in value.items()}
        return [change(each) for each in value] if isinstance(value, list) else value

    spelt: Memo = adapt(Memo).validate_python(change(content))
    first, *rest = spelt.sections
    noted = replace(first, blocks=(*first.blocks, Text(TRANSLITERATED, "note")))
    return replace(spelt, sections=(noted, *rest))


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from () if key in _KEYS else _list_texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _list_texts(each)
