"""Letters that the figures' own font lacks: another font of the machine has them, or they are transliterated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from sim.contract.summary import Result
from sim.report.labels import raise_first

BASE = "DejaVu Sans"
MOST_FONTS = 400  # looked into for letters that are missing
MOST_TAKEN = 8
TRANSLITERATED = "Names in letters that no font of this machine has are transliterated."
_PREFERRED = ("noto sans", "noto", "source han", "sans", "")


def find_missing(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Return the families that texts need beside the base, and the letters that none has."""
    base = _read_letters(font_manager.findfont(BASE))
    wanted = {letter for text in texts for letter in text if letter.isprintable() and not letter.isspace()}
    missing = {letter for letter in wanted if ord(letter) not in base}
    families = list(_take_fonts(missing)) if missing else []
    if missing and add_new_fonts():
        families += [name for name in _take_fonts(missing) if name not in families]
    return families[:MOST_TAKEN], missing


def _take_fonts(missing: set[str]) -> Iterator[str]:
    """Yield fonts that have letters which are missing, and take these out of `missing`."""
    for name, path in _list_fonts():
        letters = _read_letters(path)
        found = {letter for letter in missing if ord(letter) in letters}
        if found:
            missing -= found
            yield name
        if not missing:
            return


@cache
def add_new_fonts() -> bool:
    """Make fonts known that came to the machine since matplotlib last looked; return whether there are any."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    new = [path for path in font_manager.findSystemFonts() if path not in known]
    for path in new:
        with suppress(Exception):  # a font of the machine's that cannot be read is none
            font_manager.fontManager.addfont(path)
    return bool(new)


def _list_fonts() -> list[tuple[str, str]]:
    """Return the upright fonts of ordinary weight of the machine, those made for many scripts first."""
    found = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in (400, "normal", "regular")
        and entry.name != BASE
        and "last resort" not in entry.name.casefold()  # it has a box for every letter
    }

    def rank(item: tuple[str, str]) -> tuple[int, str]:
        name = item[0].casefold()
        return next(number for number, part in enumerate(_PREFERRED) if part in name), name

    return sorted(found.items(), key=rank)[:MOST_FONTS]


@lru_cache(maxsize=MOST_FONTS)
def _read_letters(path: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(Path(path)).get_charmap())
    except (OSError, RuntimeError):  # a font of the machine's that cannot be read has no letters
        return frozenset()


def transliterate(result: Result, missing: set[str]) -> Result:
    """Return a summary whose names are in letters that can be drawn."""
    if not missing:
        return result
    return replace(
        result,
        title=spell(result.title, missing),
        forces=tuple(replace(entry, label=spell(entry.label, missing)) for entry in result.forces),
        sources=tuple(replace(entry, label=spell(entry.label, missing)) for entry in result.sources),
    )


def spell(text: str, missing: set[str]) -> str:
    """Return text with the letters that are missing spelt in Latin ones."""
    if not missing.intersection(text):
        return text
    from anyascii import anyascii

    words = []
    for word in text.split(" "):
        spelt = "".join(anyascii(letter).lower() if letter in missing else letter for letter in word)
        words.append(spelt if spelt == word else raise_first(spelt))
    return re.sub(r" +", " ", " ".join(words)).strip(" ") or "?"


def list_names(result: Result) -> list[str]:
    """Return the names that figures of a run show."""
    return [result.title, *(entry.label for entry in result.forces), *(entry.label for entry in result.sources)]
