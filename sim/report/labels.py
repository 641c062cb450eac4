"""Names in words: of forces, sources and counts, each said in one place."""

from __future__ import annotations

from sim.contract.summary import Result


def label_forces(result: Result) -> dict[str, str]:
    """Return the name in words of each force."""
    return {entry.force: entry.label for entry in result.forces}


def label_sources(result: Result) -> dict[str, str]:
    """Return the name in words of each source."""
    return {entry.source: entry.label for entry in result.sources}


def name_count(quantity: str, of: str = "") -> str:
    """Return a count's name in words, with its force in brackets where that is given."""
    return quantity.replace("_", " ") + (f" ({of})" if of else "")


def name_group(group: str) -> str:
    """Return a group of sources, named by its roles, in words."""
    words = {"own": "own side", "ally_of_own": "own side's allies", "ally_of_adversary": "adversary's allies"}
    return " / ".join(words.get(role, role) for role in group.split(" or "))
