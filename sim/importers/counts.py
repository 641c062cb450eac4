"""What a cell of somebody's table counts: its numbers, how they are worded, and the words that say of what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sim.system.sheets.cells import CellReader

_FOOTNOTE = re.compile(r"\[[^\]]{0,40}\]|\((?:est|estimate|claim)[^)]{0,200}\)", re.IGNORECASE)
_NUMBER = r"(?:\d++(?:\.\d++)?[eE]\+?\d+\b|\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
_CELL = re.compile(
    r"(?P<word>[~≈<>≥≤+]|\bc\.|\b(?:up to|at least|more than|over|about|around))?\s*"
    rf"(?P<low>{_NUMBER})(?:\s*(?:[-–—]|to)\s*(?P<high>{_NUMBER}))?"
    r"(?:\s*(?:(?P<unit>thousand|million|lakh|crore|[km])\b|(?P<sign>[千万萬億亿])))?(?P<plus>\+)?",
    re.IGNORECASE,
)
_UNITS = {
    "": 1, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "lakh": 1e5, "crore": 1e7, "千": 1e3, "万": 1e4,
    "萬": 1e4, "億": 1e8, "亿": 1e8,
}  # fmt: skip
# What a header may say of all that stands below it: "Killed (x10,000)", "in thousands", "('000s)", "万".
_MANY = {"hundred": 1e2, "thousand": 1e3, "ten thousand": 1e4, "million": 1e6, "lakh": 1e5, "crore": 1e7}
_UNIT = re.compile(
    r"\(?(?:(?<![a-z])[×x*]\s?(?P<times>1[0,. ]*0)\b"
    r"|\bin (?P<tens>tens of |ten )?(?P<in>[a-z]+?)s?\b"
    r"|\((?P<alone>hundred|ten thousand|thousand|million|lakh|crore)s?\)"
    r"|(?:\bin |\(|\bunits of )(?P<of>1[0,. ]*000)['’]?s?\b"
    r"|['’(](?P<zeros>000)['’]?s?\b|(?P<sign>[千万萬億亿]))\)?",
    re.IGNORECASE,
)
_WORDS = {
    "~": "about", "≈": "about", "c.": "about", "about": "about", "around": "about", ">": "at_least", "≥": "at_least",
    "at least": "at_least", "more than": "at_least", "over": "at_least", "+": "at_least",
    "<": "at_most", "≤": "at_most", "up to": "at_most",
}  # fmt: skip


def show_decimal(cells: Iterable[str]) -> str | None:
    """Return the decimal mark of a table of persons, by what no fraction has: the same three digits behind each mark.

    Three numbers that part by one mark alone, each before three digits, are thousands: 5,937 and 50,000 and 17,500.
    """
    parted = {
        (found[1], found[0]) for text in cells for found in re.finditer(r"(?<!\d)\d++([.,])\d++(?:[.,]\d++)*+", text)
    }
    marks = {mark for mark, _ in parted}
    if (
        len(parted) < 3
        or len(marks) != 1
        or any(re.split("[.,]", text)[1:] != re.findall(r"(?<=[.,])\d{3}(?!\d)", text) for _, text in parted)
    ):
        return None
    return "." if marks == {","} else ","


def find_unit(header: str) -> tuple[float, str]:
    """Return how many a column counts as one, by its name, and the name without that; 1 where it says nothing."""
    for found in _UNIT.finditer(header):
        digits, word = found["times"] or found["of"], (found["in"] or found["alone"] or "").lower()
        unit = _MANY.get(f"ten {word}" if found["tens"] else word, _UNITS.get(found["sign"] or "", 1.0))
        unit = 1e3 if found["zeros"] else float(re.sub(r"\D", "", digits)) if digits else unit
        if unit > 1:
            return unit, f"{header[: found.start()]} {header[found.end() :]}".strip(" ,()")
    return 1.0, header


def is_count(text: str) -> bool:
    """Whether a cell is a count, and says no more than how it is meant."""
    return _CELL.fullmatch(strip_notes(text)) is not None


def strip_notes(text: str) -> str:
    """Return a cell without its footnotes."""
    return _FOOTNOTE.sub("", text).strip()


def split_cell(text: str) -> list[tuple[str, str]]:
    """Return the numbers of a cell, each with the words that say of what: those behind it, or all before it."""
    matches = list(_CELL.finditer(text))
    if len(matches) < 2:
        return [(text, text)]
    ends = [*(match.start() for match in matches[1:]), len(text)]
    starts = [0, *(match.end() for match in matches[:-1])]
    before, behind = text[: matches[0].start()], text[matches[-1].end() :]
    first = re.search(r"[^\W\d]", before) and not re.search(r"[^\W\d]", behind)  # "killed: 10, wounded: 20"
    return [
        (text[start : match.start()] if first else text[match.end() : end], match[0])
        for match, start, end in zip(matches, starts, ends, strict=True)
    ]


def read_numbers(
    texts: dict[str, str], reader: CellReader, qualifier: str, scales: dict[str, float]
) -> dict[str, Any] | str:
    """Return the cells that say a number, or why there is none; `scales` is the unit of each, where it is not 1."""
    out: dict[str, Any] = {}
    for name, text in texts.items():
        if not text:
            continue
        cell = _CELL.search(strip_notes(text))
        if cell is None:
            return "a number cannot be read"
        unit = _UNITS[(cell["unit"] or cell["sign"] or "").lower()] * scales.get(name, 1.0)
        try:
            number = _parse_number(cell["low"], reader, unit)
            most = _parse_number(cell["high"] or cell["low"], reader, unit)
        except ValueError:  # 2,037,8
            return "a number cannot be read"
        if cell["high"] and name == "value":
            return {"qualifier": "range", "low": number, "high": most}
        word = _WORDS.get((cell["word"] or cell["plus"] or "").lower(), "")
        out |= {name: number, **({"qualifier": word} if word and name == "value" else {})}
    if not out:
        return "has no number"
    if "low" in out and "high" in out:
        if out["low"] > out["high"]:
            return "its low is above its high"
        if out["low"] == out["high"]:
            out = {"value": out["low"]}
        else:
            return {**out, "qualifier": "range"}
    if "value" not in out:
        name = next(iter(out))
        return {"value": out[name], "qualifier": "at_least" if name == "low" else "at_most"}
    return {"value": out["value"], "qualifier": out.get("qualifier") or qualifier or "about"}


def _parse_number(text: str, reader: CellReader, unit: float) -> float:
    return round(float(reader.read("value", text, share=unit > 1)) * unit, 6)


def guess_count(text: str) -> float:
    """Return the first number of a cell, to say of how many something is left out."""
    found = re.search(_NUMBER, text)
    return float(re.sub(r"[^\d]", "", re.sub(r"[.,]\d{1,2}$", "", found[0]))) if found else 0.0
