"""Rows among each other: those of one statement, their ids, and those that repeat another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sim.draft.drafts import UNATTRIBUTED, Draft

MAX_ALIKE = 50  # rows of one number, that are looked through for an echo


def join_statements(drafts: Sequence[Draft]) -> list[Draft]:
    """Give one statement to what a source says of one time in one sentence, where it speaks of several quantities."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for n, draft in enumerate(drafts):
        cells = draft.cells
        key = (draft.sentence, cells["source"], cells.get("force", ""), cells.get("since"), cells.get("as_of"))
        groups.setdefault(key, []).append(n)
    out = list(drafts)
    for (sentence, source, *_), members in groups.items():
        quantities = {drafts[n].cells["quantity"] for n in members}
        if len(members) > 1 and len(quantities) > 1:
            for n in members:
                out[n] = replace(out[n], cells={**out[n].cells, "statement": f"{source}-s{sentence}"})
    return out


def name_all(drafts: Sequence[Draft], day: dt.date | None) -> list[Draft]:
    """Give each row an id: the source, the day of the article, the quantity."""
    taken: dict[str, int] = {}
    out = []
    for draft in drafts:
        base = f"{draft.cells['source']}-{day or 'undated'}-{draft.cells['quantity']}"[:80]
        taken[base] = taken.get(base, 0) + 1
        name = base if taken[base] == 1 else f"{base}-{taken[base]}"
        cells = {"id": name, **draft.cells}
        out.append(replace(draft, cells=cells))
    return out


def mark_echoes(drafts: Sequence[Draft]) -> list[Draft]:
    """Let a row repeat another of the article that says the same: of the same source, or where nobody is named."""
    same: dict[tuple[Any, ...], list[int]] = {}
    for n, draft in enumerate(drafts):
        for number in _list_numbers(draft):
            same.setdefault((draft.cells["quantity"], draft.cells.get("unit"), number), []).append(n)
    origins: dict[int, int] = {}
    for n, draft in enumerate(drafts):
        least = min(_list_numbers(draft), default=0.0)
        others = same.get((draft.cells["quantity"], draft.cells.get("unit"), least), [])[:MAX_ALIKE]
        alike = (m for m in others if m != n and _repeats(draft, drafts[m], later=m < n))
        first = next((m for m in alike if m not in origins), None)
        if first is not None:
            origins[n] = first
    return [
        replace(draft, cells={**draft.cells, "origin": drafts[origins[n]].cells["id"]}) if n in origins else draft
        for n, draft in enumerate(drafts)
    ]


def _list_numbers(draft: Draft) -> set[float]:
    return {float(draft.cells[name]) for name in ("low", "value", "high") if name in draft.cells}


def _repeats(draft: Draft, other: Draft, *, later: bool) -> bool:
    mine, theirs = draft.cells, other.cells
    if mine.get("force") and theirs.get("force") and mine["force"] != theirs["force"]:
        return False
    numbers = _list_numbers(draft)
    if not numbers <= _list_numbers(other) or (mine.get("since") and mine.get("since") != theirs.get("since")):
        return False
    if max(numbers, default=0.0) in (0.0, 1.0):
        return False  # one person, or none, may be another
    if mine["source"] == theirs["source"]:
        return draft.heading if draft.heading != other.heading else later
    return bool(mine["source"] == UNATTRIBUTED != theirs["source"])
