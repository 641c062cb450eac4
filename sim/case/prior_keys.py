"""The parameters that a prior set speaks of: one table of their keys, and what each may take as a value.

A new parameter is a row here, a prior in the default set, and its use in `sim.model`. One that all forces share is laid
out from this table (`sim.model.parameters.lay_out`); one of a force has its condition there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sim.case.case import ROLES
from sim.case.families import FAMILIES, Prior
from sim.case.wordings import list_with_priors
from sim.errors import quote_value

OWN_SIDE = ("own", "ally_of_own")  # whose effects have a spread of their own
KINDS = ("losses", "civilians", "wounded", "captured", "deployed")  # of losses that a role biases
# Of the log odds that there was nothing behind a claim (see `sim.model.claims.invented`).
NOTHING_TERMS = ("claimed", "size", "accuser", "bystander", "denied")
# Of a parameter whose scale is a logarithm, a share or a standard deviation of these: beyond, draws overflow.
LARGEST_MIDDLE, LARGEST_SPREAD = 100.0, 100.0


@dataclass(frozen=True)
class Domain:
    """What a parameter may take as a value: the supports of the families that stay inside, and the bounds."""

    supports: tuple[str, ...]
    low: float
    high: float

    @property
    def families(self) -> list[str]:
        """The names of the families that may be its prior; an interval must itself lie within the bounds."""
        return sorted(name for name, family in FAMILIES.items() if family.support in self.supports)


REAL = Domain(("real", "interval"), -float("inf"), float("inf"))
POSITIVE = Domain(("positive", "unit", "interval"), 0, float("inf"))
UNIT = Domain(("unit", "interval"), 0, 1)


@dataclass(frozen=True)
class PriorKey:
    """A parameter, or one for each role, kind of loss, wording, outcome or force that its key leaves open.

    Attributes
    ----------
    key : str
    domain : Domain
    is_shared : bool
        Whether all forces, and all wars, have it in common; then it may be in a joint prior.
    """

    key: str
    domain: Domain
    is_shared: bool = True


# In this order the model has those that are shared; those of roles role by role.
PRIOR_KEYS = (
    PriorKey("role.<role>.<kind>", REAL),
    PriorKey("noise.<role>", POSITIVE),
    PriorKey("spread.<own side>", POSITIVE),
    PriorKey("noise.share", POSITIVE),
    PriorKey("outlier.probability", UNIT),
    PriorKey("outlier.factor", POSITIVE),
    PriorKey("outlier.source", UNIT),
    PriorKey("scale.role_in_war", POSITIVE),
    PriorKey("scale.source", POSITIVE),
    PriorKey("scale.source_outcome", POSITIVE),
    PriorKey("first_report", REAL),
    PriorKey("wording.<wording>", POSITIVE),
    PriorKey("path.step", POSITIVE),
    PriorKey("memory.renewal", UNIT),
    PriorKey("memory.statement", POSITIVE),
    PriorKey("memory.fresh", POSITIVE, is_shared=False),
    PriorKey("path.tilt", REAL, is_shared=False),
    PriorKey("pick.by_size", UNIT, is_shared=False),
    PriorKey("surrender.told", POSITIVE, is_shared=False),
    PriorKey("bursts.<outcome>", POSITIVE, is_shared=False),
    PriorKey("lull", POSITIVE, is_shared=False),
    PriorKey("silence", POSITIVE, is_shared=False),
    PriorKey("wounded_per_killed", REAL, is_shared=False),
    PriorKey("share.<force>", REAL, is_shared=False),
    PriorKey("captured_share", UNIT, is_shared=False),
    PriorKey("missing_share", UNIT, is_shared=False),
    PriorKey("total.<outcome>", REAL, is_shared=False),
    PriorKey("nothing.<term>", REAL, is_shared=False),
)


def list_shared(spoken: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    """Yield the keys that all forces share, in the model's order, each with the role that it is of; "" for none.

    Of a role only the kinds of losses are there that it is said to speak of.
    """
    shared = [entry.key for entry in PRIOR_KEYS if entry.is_shared]
    for role, kinds in spoken.items():
        own = (filled for key in shared if "<role>" in key for filled in _fill(key, kinds))
        yield from ((key.replace("<role>", role), role) for key in own)
        if role in OWN_SIDE:
            yield from ((key.replace("<own side>", role), role) for key in shared if "<own side>" in key)
    general = (key for key in shared if not {"<role>", "<own side>"} & set(key.split(".")))
    yield from ((filled, "") for key in general for filled in _fill(key, ()))


def _fill(key: str, kinds: Collection[str]) -> Iterator[str]:
    if "<kind>" in key:
        yield from (key.replace("<kind>", kind) for kind in KINDS if kind in kinds)
    elif "<wording>" in key:
        yield from (wording.prior for wording in list_with_priors())
    else:
        yield key


def find_key(key: str) -> PriorKey | None:
    """Return the entry of a key; None of one that is not known."""
    open_parts = {
        "<role>": "|".join(ROLES),
        "<own side>": "|".join(OWN_SIDE),
        "<kind>": "|".join(KINDS),
        "<wording>": "|".join(wording.name for wording in list_with_priors()),
        "<outcome>": "[a-z][a-z0-9_]*",
        "<term>": "|".join(NOTHING_TERMS),
        "<force>": "[a-z][a-z0-9_]*",
    }
    for entry in PRIOR_KEYS:
        parts = (f"({open_parts[part]})" if part in open_parts else re.escape(part) for part in entry.key.split("."))
        if re.fullmatch(r"\.".join(parts), key):
            return entry
    return None


def check_prior(key: str, prior: Prior) -> tuple[str, str] | None:
    """Return what is wrong with a prior of a key, and what to do about it; None where nothing is."""
    entry = find_key(key)
    if entry is None:
        return f"{quote_value(key)} is not a known key", "see docs/formats.md for the keys"
    domain = entry.domain
    if prior.dist and prior.dist not in domain.families:
        return f"{prior.dist} does not fit it", f"use {', '.join(domain.families)}"
    numbers = [number for number in (prior.fixed, prior.lower, prior.upper) if number is not None]
    if any(not domain.low <= number <= domain.high for number in numbers):
        return f"{prior} leaves its range", f"keep it within {domain.low:g} and {domain.high:g}"
    middles = [abs(number) for number in (*numbers, prior.mu or 0.0)]
    spread = prior.family.spread(prior.arguments) if prior.family else 0.0
    if max(middles) > LARGEST_MIDDLE or spread > LARGEST_SPREAD:
        remedy = f"keep it within {LARGEST_MIDDLE:g}, and as wide as {LARGEST_SPREAD:g} at most: it is on a log scale"
        return f"{prior} is out of all proportion", remedy
    return None
