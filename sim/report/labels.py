"""Names in words, of forces, sources and counts, and the colours of sources: each said in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.contract.summary import NamedForce, Result

# Okabe and Ito's colours without the yellow, which is too pale for marks on white.
PALETTE = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
OTHERS = "#6b6b6b"  # of sources beyond the palette

_BIAS = re.compile(r"bias of (\w+) on (\w+)\.(\w+)")
_COUNT = re.compile(r"\b(\w+)\.(\w+)\b")


def label_forces(result: Result) -> dict[str, str]:
    """Return the name in words of each force."""
    return {entry.force: entry.label for entry in result.forces}


def label_sources(result: Result) -> dict[str, str]:
    """Return the name in words of each source."""
    return {entry.source: entry.label for entry in result.sources}


def tell_forces_apart(forces: Sequence[NamedForce]) -> dict[str, str]:
    """Return what a number must be given to say whose it is: each force's name, or nothing where there is one force.

    Two forces of one name are told apart by their keys.
    """
    if len(forces) == 1:
        return {forces[0].force: ""}
    labels = [entry.label for entry in forces]
    return {
        entry.force: entry.label if labels.count(entry.label) == 1 else f"{entry.label} [{entry.force}]"
        for entry in forces
    }


def name_count(quantity: str, of: str = "") -> str:
    """Return a count's name in words, with its force in brackets where that is given."""
    return quantity.replace("_", " ") + (f" ({of})" if of else "")


def name_row(quantity: str, of: str = "") -> str:
    """Return a count's name in words as the head of a row, after its force where that is given."""
    return f"{of}: {name_count(quantity)}" if of else name_count(quantity)


def name_counts(counts: Sequence[tuple[str, str]], of: dict[str, str]) -> str:
    """Return counts (force, quantity) as a list, force after force."""
    by_force: dict[str, dict[str, None]] = {}
    for force, quantity in counts:
        by_force.setdefault(force, {})[name_count(quantity)] = None
    told = [(of.get(force, force), ", ".join(names)) for force, names in by_force.items()]
    return "; ".join(f"{names} of {label}" if label else names for label, names in told)


def name_group(group: str) -> str:
    """Return a group of sources, named by its roles, in words."""
    words = {"own": "own side", "ally_of_own": "own side's allies", "ally_of_adversary": "adversary's allies"}
    return " / ".join(words.get(role, role) for role in group.split(" or "))


def name_unknown(text: str, result: Result) -> str:
    """Return a reason that names an unknown by its keys with the names in words in their place."""
    sources, of = label_sources(result), tell_forces_apart(result.forces)

    def tell_bias(found: re.Match[str]) -> str:
        source, force, quantity = found.groups()
        return f"the bias of {sources.get(source, source)} on {name_count(quantity, of.get(force, force))}"

    def tell_count(found: re.Match[str]) -> str:
        force, quantity = found.groups()
        return name_count(quantity, of[force]) if force in of else found[0]

    return _COUNT.sub(tell_count, _BIAS.sub(tell_bias, text))


def lower_first(text: str) -> str:
    """Return a label as a row's name; a first word that is a name, by its 's or its capitals, keeps them."""
    word = text.partition(" ")[0]
    plain = word[:1].isupper() and word[1:].islower() and not word.endswith("'s")
    return text[:1].lower() + text[1:] if plain else text


def raise_first(text: str) -> str:
    """Return text that begins with a capital."""
    return text[:1].upper() + text[1:]


def sort_naturally(text: str) -> list[tuple[int, str]]:
    """Return what text is sorted by, so that 2 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part.casefold()) for part in re.split(r"(\d+)", text)]


def colour_sources(result: Result) -> dict[str, str]:
    """Return the colour that each source has in all figures of a run.

    Those that speak most have one of their own; beyond the palette sources share a grey.
    """
    spoken: dict[str, int] = {}
    for claim in result.claims:
        spoken[claim.source] = spoken.get(claim.source, 0) + (1000 if claim.used else 1)
    ordered = sorted(spoken, key=lambda key: -spoken[key])
    return {key: PALETTE[number] if number < len(PALETTE) else OTHERS for number, key in enumerate(ordered)}
