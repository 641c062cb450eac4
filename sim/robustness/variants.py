"""What else a case could mean: the variants of its claims, roles, wordings and priors that `sensitivity` fits.

A variant is named by its kind and by what varies; its design follows from the base design and that name alone, so that
any process can lay it out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.case.case import SILENCE, Case, Source
from sim.case.claims import Claim
from sim.case.evidence import set_denials
from sim.case.families import Prior
from sim.case.observations import RANGE_SPAN, Observation
from sim.case.priors import PriorSet, list_prior_sets, read_priors
from sim.case.timeline import effective_bin_days
from sim.case.wordings import list_bounds
from sim.model.design import Design, design_model
from sim.model.losses.picks import find_silences
from sim.posterior.simulate import observe_world
from sim.words import show_day

COPIES = (2, 5)
SPANS = {"50%": 0.6744897501960817, "95%": 1.959963984540054}  # what a range may be instead of an 80% interval
PRINCIPALS = {"ally_of_own": "own", "ally_of_adversary": "adversary"}
NO_OUTLIERS = "no outliers"
BOUND, NUMBER = "as a hard bound", "as the number itself"


@dataclass(frozen=True)
class Variant:
    """A variant by name: `kind` is that of the contract, `what` what varies, `label` the same in words."""

    kind: str
    what: str
    label: str

    @property
    def task(self) -> str:
        """The name by which its result is kept."""
        return f"{self.kind}: {self.what}"


def list_variants(design: Design) -> list[Variant]:
    """Return every variant that a case has, in the order of their kinds."""
    return [variant for kind in _KINDS for variant in _KINDS[kind][0](design)]


def build_variant(design: Design, variant: Variant) -> Design:
    """Return the design of a variant of a base design."""
    return _KINDS[variant.kind][1](design, variant.what)


def keep_observations(design: Design, keep: Callable[[Observation], bool]) -> Design:
    """Return the design with a part of its observations; nothing else changes."""
    return observe_world(design, set_denials(design.case, filter(keep, design.evidence.observations)))


def list_speakers(design: Design) -> list[str]:
    """Return the sources whose claims are used, in the order in which they first speak."""
    return list(dict.fromkeys(item.source for item in design.evidence.observations))


def without_source(design: Design, source: str) -> Design:
    """Return the design without what a source claims, and without the lulls that rest on its reports."""
    reports = {claim.id for claim in design.case.claims if claim.source == source}
    case = _drop_lulls(design.case, lambda _, lull: lull.claim in reports)
    return keep_observations(_redesign(design, case), lambda item: item.source != source)


def _redesign(design: Design, case: Case, priors: PriorSet | None = None) -> Design:
    return design_model(case, priors or design.priors, as_of=design.as_of, known_by=design.known_by)


def _change_file(case: Case, claims: Iterable[Claim] | None = None, **fields: Any) -> Case:
    file = case.file.model_copy(update=fields)
    return Case(name=case.name, folder=case.folder, file=file, claims=tuple(claims or case.claims))


def _drop_lulls(case: Case, drop: Callable[[str, Any], bool]) -> Case:
    forces = {
        key: force.model_copy(update={"lulls": tuple(lull for lull in force.lulls if not drop(key, lull))})
        for key, force in case.file.forces.items()
    }
    return _change_file(case, forces=forces)


def list_left_out(design: Design, variant: Variant) -> frozenset[str] | None:
    """Return the claims that a variant leaves out; None where it changes more, as a lull that goes with them."""
    found = _list_claims_left_out(design, variant)
    reports = {claim.id for claim in design.case.claims if claim.source == variant.what}
    if any(lull.claim in reports for force in design.case.forces.values() for lull in force.lulls):
        return None
    return found if _find_unsaid(design, found) == _find_unsaid(design, frozenset()) else None


def _list_claims_left_out(design: Design, variant: Variant) -> frozenset[str]:
    observations = design.evidence.observations
    if variant.kind == "leave_claim_out":
        return frozenset({variant.what})
    if variant.kind == "leave_part_out":
        return frozenset(_cut_parts(observations)[variant.what])
    return frozenset(item.claim.id for item in observations if item.source == variant.what)


def _find_unsaid(design: Design, claims: frozenset[str]) -> tuple[object, ...]:
    """Return what nobody speaks of without some claims: since when of whose prisoners, and the last words of forces."""
    kept = [item for item in design.evidence.observations if item.claim.id not in claims]
    last: dict[str, dt.date] = {}
    for force, day in ((force, item.claim.as_of) for item in kept for force, _ in item.claim.told):
        last[force] = max(day, last.get(force, day))
    silent = [
        (key, last.get(key))
        for key, force in design.case.forces.items()
        if any(lull.claim == SILENCE for lull in force.lulls)
    ]
    return (*find_silences(design.case, kept), *silent)


def find_free(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken yet."""
    while name in taken:
        name += "_"
    return name


def _label(design: Design, source: str) -> str:
    return design.case.label_source(source)


def _list_sources(design: Design) -> Iterator[Variant]:
    for source in list_speakers(design):
        yield Variant("leave_source_out", source, f"without {_label(design, source)}")


def _list_claims(design: Design) -> Iterator[Variant]:
    for item in design.evidence.observations:
        claim = item.claim
        of = f" of {design.case.label_force(claim.force)}" if len(design.case.forces) > 1 else ""
        kind = "ratio of " if claim.unit == "ratio" else ""
        what = f"{kind}{claim.quantity.replace('_', ' ')}{of}, {show_day(claim.as_of.isoformat())}"
        yield Variant("leave_claim_out", claim.id, f"without “{what}” by {_label(design, item.source)}")


def _without_claim(design: Design, claim: str) -> Design:
    return keep_observations(design, lambda item: item.claim.id != claim)


def _list_parts(design: Design) -> Iterator[Variant]:
    """Return the parts of the claims that can be left out: each half in time, each measure, each quantity."""
    observations = design.evidence.observations
    for name, part in _cut_parts(observations).items():
        if 0 < len(part) < len(observations):
            yield Variant("leave_part_out", name, f"without {name}")


def _cut_parts(observations: Sequence[Observation]) -> dict[str, set[str]]:
    days = sorted(item.claim.as_of for item in observations)
    middle = days[len(days) // 2] if days else None
    parts: dict[str, set[str]] = {}
    for item in observations:
        claim = item.claim
        half = "earlier" if middle and claim.as_of < middle else "later"
        measure = {"cumulative": "running totals", "interval": "counts of a spell", "stock": "counts of those sent"}
        names = (f"the {half} claims", measure[claim.measure], f"claims on {claim.quantity.replace('_', ' ')}")
        for name in names:
            parts.setdefault(name, set()).add(claim.id)
    return parts


def _without_part(design: Design, name: str) -> Design:
    part = _cut_parts(design.evidence.observations)[name]
    return keep_observations(design, lambda item: item.claim.id not in part)


def _list_structures(design: Design) -> Iterator[Variant]:
    """Return other forms of the model: no outliers, and a path of longer or shorter bins."""
    if design.priors.get("outlier.probability").fixed != 0:
        yield Variant("structure", NO_OUTLIERS, "no outliers, of claims or sources")
    if design.timeline.has_path:
        days = effective_bin_days(design.case)
        for other in (2 * days, days // 2):
            case = _change_file(design.case, bin_days=max(other, 1))
            if other and effective_bin_days(case) != days:
                yield Variant("structure", f"bins of {other} days", f"a path in bins of {other} days, not {days}")


def _with_structure(design: Design, what: str) -> Design:
    if what != NO_OUTLIERS:
        return _redesign(design, _change_file(design.case, bin_days=int(what.split()[2])))
    none = {key: Prior(fixed=0.0) for key in ("outlier.probability", "outlier.source")}
    joint = design.priors.joint.without(none) if design.priors.joint else None
    return _redesign(design, design.case, replace(design.priors, priors={**design.priors.priors, **none}, joint=joint))


def _list_sets(design: Design) -> Iterator[Variant]:
    for name in list_prior_sets():
        if name != design.priors.name:
            yield Variant("prior_set", name, f"prior set “{name}”")


def _with_set(design: Design, name: str) -> Design:
    file = design.case.file
    return _redesign(design, design.case, read_priors(name, overrides=file.priors))


def _list_duplicates(design: Design) -> Iterator[Variant]:
    for source in list_speakers(design):
        for times in COPIES:
            yield Variant("duplicate_source", f"{source} x{times}", f"{_label(design, source)} {times} times, unmarked")


def _with_duplicates(design: Design, what: str) -> Design:
    """Return the design in which a source's claims come again under other names, as if they were news."""
    source, _, times = what.rpartition(" x")
    sources, observations = dict(design.case.file.sources), list(design.evidence.observations)
    for number in range(2, int(times) + 1):
        name = find_free(f"{source}_copy_{number}", sources)
        sources[name] = sources[source]
        for item in design.evidence.observations:
            if item.source == source:
                claim = item.claim.model_copy(update={"id": f"{item.claim.id}-copy-{number}", "source": name})
                statement = f"{item.statement}-copy-{number}" if item.statement else ""
                observations.append(replace(item, claim=claim, source=name, statement=statement))
    return observe_world(_redesign(design, _change_file(design.case, sources=sources)), observations)


def _list_echoes(design: Design) -> Iterator[Variant]:
    if design.evidence.observations:
        yield Variant("echo", "every claim", "every claim repeated, and marked as an echo")


def _with_echoes(design: Design, _: str) -> Design:
    case = design.case
    used = {item.claim.id for item in design.evidence.observations}
    last = max(claim.row for claim in case.claims)
    echo, ids = find_free("echo", case.file.sources), {claim.id for claim in case.claims}
    copies = [
        claim.model_copy(
            update={
                "id": find_free(f"{claim.id}-again", ids),
                "source": echo,
                "origin": claim.id,
                "row": last + number,
            }
        )
        for number, claim in enumerate((claim for claim in case.claims if claim.id in used), 1)
    ]
    sources = {**case.file.sources, echo: Source(role=("independent",))}
    return _redesign(design, _change_file(case, [*case.claims, *copies], sources=sources))


def _list_wordings(design: Design) -> Iterator[Variant]:
    said = {item.bound for item in design.evidence.observations}
    for wording in list_bounds():
        if wording in said and not wording.finds:
            for reading in (BOUND, NUMBER):
                yield Variant("wording", f"{wording.name} {reading}", f"“{wording.label}” {reading}")
    if any(item.claim.wording.law == "range" for item in design.evidence.observations):
        for span in SPANS:
            yield Variant("wording", f"range as {span}", f"ranges as {span} intervals")


def _with_wording(design: Design, what: str) -> Design:
    head, _, reading = what.partition(" ")
    read = _read_range if head == "range" else _read_bound
    observations = [read(item, head, reading) for item in design.evidence.observations]
    return observe_world(design, observations)


def _read_bound(item: Observation, name: str, reading: str) -> Observation:
    if item.bound is None or item.bound.name != name:
        return item
    if reading == NUMBER:
        return replace(item, form="density")
    lower, upper = (item.point, math.inf) if item.bound.sign > 0 else (-math.inf, item.point)
    return replace(item, form="cell", lower=lower, upper=upper)


def _read_range(item: Observation, _: str, reading: str) -> Observation:
    if item.claim.wording.law != "range" or item.form != "density":
        return item
    own = item.claim.log_sd or 0.0
    width = math.sqrt(max(item.extra_sd**2 - own**2, 0.0)) * (RANGE_SPAN / 2) / SPANS[reading.removeprefix("as ")]
    return replace(item, extra_sd=math.hypot(own, width))


def _list_roles(design: Design) -> Iterator[Variant]:
    """Return each role that can be read otherwise: one of a list as the only one, an ally as its principal."""
    found: dict[str, None] = {}
    for reading in design.beliefs.readings:
        roles = design.case.sources[reading.source].roles_towards(reading.force)
        for role in roles if len(roles) > 1 else filter(None, (PRINCIPALS.get(roles[0]),)):
            found[f"{reading.source} as {role}"] = None
    for what in found:
        source, _, role = what.rpartition(" as ")
        yield Variant("role", what, f"{_label(design, source)} as {role.replace('_', ' ')}")


def _with_role(design: Design, what: str) -> Design:
    source, _, role = what.rpartition(" as ")
    case, given = design.case, design.case.file.sources[source]
    roles = {force: _read_role(given.roles_towards(force), role) for force in case.forces}
    sources = {**case.file.sources, source: given.model_copy(update={"role": {k: v for k, v in roles.items() if v}})}
    return _redesign(design, _change_file(case, sources=sources))


def _read_role(given: tuple[Any, ...], role: str) -> tuple[Any, ...]:
    fits = role in given if len(given) > 1 else bool(given) and PRINCIPALS.get(given[0]) == role
    return (role,) if fits else given


def _list_lulls(design: Design) -> Iterator[Variant]:
    for force, entry in design.case.forces.items():
        for lull in (each for each in entry.lulls if each.claim != SILENCE):
            yield Variant("lull", f"{force} {lull.start}", f"no lull from {lull.start} to {lull.end}")


def _without_lull(design: Design, what: str) -> Design:
    return _redesign(design, _drop_lulls(design.case, lambda force, lull: f"{force} {lull.start}" == what))


# How each kind lists its variants, and lays out one of them.
_KINDS: dict[str, tuple[Callable[[Design], Iterator[Variant]], Callable[[Design, str], Design]]] = {
    "leave_source_out": (_list_sources, without_source),
    "leave_claim_out": (_list_claims, _without_claim),
    "leave_part_out": (_list_parts, _without_part),
    "structure": (_list_structures, _with_structure),
    "prior_set": (_list_sets, _with_set),
    "wording": (_list_wordings, _with_wording),
    "role": (_list_roles, _with_role),
    "lull": (_list_lulls, _without_lull),
    "duplicate_source": (_list_duplicates, _with_duplicates),
    "echo": (_list_echoes, _with_echoes),
}
