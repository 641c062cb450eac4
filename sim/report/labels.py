"""Names in words, of forces, sources and counts, and the colours of sources: each said in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sim.case.case import DEFAULT_TOTALS, PERSONNEL, STATES
from sim.case.wordings import read_known_whole, split_whole
from sim.contract.summary import JudgedClaim, NamedForce, Result
from sim.words import show_given

# Okabe and Ito's colours without the yellow, which is too pale for marks on white; then those that lie furthest from
# all before them, in OKLab as most people see it and as who sees no red or no green does.
PALETTE = (
    "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#73003A", "#4E1586", "#8976EB",
    "#295E10", "#96B081", "#BB3446", "#65435C", "#5940B1", "#642901", "#F283DA", "#2E3A63", "#8B8344", "#9C698F",
)  # fmt: skip
OTHERS = "#6b6b6b"  # of sources beyond the palette
MOST_SOURCES = 20  # of a force, in a figure and in the text; an annex has them all

_BIAS = re.compile(r"bias of (\w+) on (\w+)\.(\w+)")
_COUNT = re.compile(r"\b(\w+)\.(\w+)\b")


def label_sources(result: Result) -> dict[str, str]:
    """Return the name in words of each source; those of one name are told apart by their keys."""
    times = Counter(entry.label for entry in result.sources)
    return {
        entry.source: entry.label if times[entry.label] == 1 else f"{entry.label} [{entry.source}]"
        for entry in result.sources
    }


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


def name_number(quantity: str) -> str:
    """Return what a count is a number of, in words: the number killed, the number of tanks."""
    name = name_count(quantity)
    return f"number {name}" if quantity in (*PERSONNEL, *STATES) else f"number of {name}"


def name_unit(quantities: Iterable[str]) -> str:
    """Return what counts are counts of."""
    people = {quantity in (*PERSONNEL, *STATES, *DEFAULT_TOTALS) for quantity in quantities}
    return "Persons or items" if len(people) > 1 else "Persons" if True in people else "Items"


def name_row(quantity: str, of: str = "") -> str:
    """Return a count's name in words as the head of a row, after its force where that is given."""
    return f"{of}: {name_count(quantity)}" if of else name_count(quantity)


def name_whole(claim: JudgedClaim, of: Mapping[str, str]) -> str:
    """Return what a claim's share or ratio is of, in words to be put behind its quantity; nothing for a count."""
    known = read_known_whole(claim.unit, claim.of)
    if known is not None:
        return f" as a share of {show_given(known)}"
    force, quantity = split_whole(claim.unit, claim.of, claim.force)
    if not quantity:
        return ""
    other = of.get(force, force) if force != claim.force else ""
    return f" as a {claim.unit} {'of' if claim.unit == 'share' else 'to'} {name_count(quantity, other)}"


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


def choose_sources(result: Result, force: str) -> list[str]:
    """Return the sources of a force that a figure and the text show: those that say most."""
    biased = {entry.source for entry in result.bias if entry.force == force}
    return [source for source in weigh_sources(result, force) if source in biased][:MOST_SOURCES]


def weigh_sources(result: Result, force: str) -> dict[str, tuple[int, int, float]]:
    """Return how much each source that speaks of a force says: most first.

    The count of its claims that are used, that of all it said, and how much of the prior's uncertainty on its bias the
    claims have taken away.
    """
    of = [claim for claim in result.claims if claim.force == force]
    used, told = Counter(claim.owner for claim in of if claim.used), Counter(claim.source for claim in of)
    left: dict[str, float] = {}
    for entry in result.bias:
        if entry.force == force:
            left[entry.source] = min(entry.prior_share, left.get(entry.source, 1.0))
    weights = {key: (used[key], told[key], 1 - left.get(key, 1.0)) for key in [*told, *(left.keys() - told.keys())]}
    return dict(sorted(weights.items(), key=lambda item: (item[1], item[0]), reverse=True))


def colour_sources(result: Result) -> dict[str, str]:
    """Return the colour that each source has in all figures of a run.

    Those that say most of any force have one of their own; beyond the palette sources share a grey.
    """
    ranks: dict[str, int] = {}
    for entry in result.forces:
        for rank, key in enumerate(weigh_sources(result, entry.force)):
            ranks[key] = min(rank, ranks.get(key, rank))
    ordered = sorted(ranks, key=lambda key: ranks[key])
    return {key: PALETTE[number] if number < len(PALETTE) else OTHERS for number, key in enumerate(ordered)}
