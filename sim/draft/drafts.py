"""What is drafted: a row, and before it a number in its sentence with who says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sim.draft.grammar.readings import Reading
from sim.draft.grammar.sentences import Sentence
from sim.draft.grammar.speakers import Attribution, Speaker
from sim.draft.grammar.spells import Spell

EXCLUDE = "draft: not yet confirmed"
UNATTRIBUTED = "unattributed"


@dataclass(frozen=True)
class Draft:
    """A row drafted from an article.

    Attributes
    ----------
    cells : dict
        By column of `claims.csv`; what the text does not tell is not in it.
    sentence : int
        The sentence's number in the article.
    text : str
        The sentence.
    marks : tuple of (int, int)
        Where in it the words stand that decided.
    confidence : float
        0 to 1: how surely it was read, not how true it is.
    label, person : str
        Of the source.
    """

    cells: dict[str, Any]
    sentence: int
    text: str
    marks: tuple[tuple[int, int], ...]
    confidence: float
    label: str = ""
    remarks: tuple[str, ...] = field(default=())
    heading: bool = False


@dataclass(frozen=True)
class Said:
    """A reading in its sentence, with who says it."""

    sentence: Sentence
    reading: Reading
    speaker: Speaker | None
    carried: bool
    spells: tuple[Spell, ...]
    attributions: tuple[Attribution, ...]
