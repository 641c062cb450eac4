"""A case of the record: the claims that were made of a past war, as a case of its own whose outcome is known."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from sim.calibration.truths import Name, Quantity, Truth, spell_key
from sim.case.case import DEFAULT_TOTALS, DEFAULT_WAVE, PERSONNEL, ROLES, Case, CaseFile, Role
from sim.case.claims import Claim
from sim.case.evidence import weigh_claims
from sim.case.families import Prior
from sim.case.prior_keys import NOTHING_TERMS
from sim.case.priors import Institution, PriorSet
from sim.model.claims.invented import find_doubtful, learn_odds

BINS = 12  # of the path of a case of the table, whose bins are at least a week long
MAX_DELAY = dt.timedelta(days=366)  # a claim published later than this after its day is hindsight
LATE = "published more than a year after"
OUTSIDE = "speaks of other days than those of the losses that are known"
TWO_FORCES = "is a ratio of two forces, and has a role towards one"
OURS = (LATE, OUTSIDE, TWO_FORCES)  # why rows are left out that nobody excluded


def _parse_role(value: Any) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise PydanticCustomError("role", f"is not a role; use {', '.join(ROLES)}")


class RecordedClaim(Claim):
    """A row of a table of many cases: a claim with its case, and the role of its source in it."""

    case: Name
    quantity: Quantity
    role: Annotated[Role, BeforeValidator(_parse_role)]


@dataclass(frozen=True)
class Hindcast:
    """One case of the table: the claims as a case of its own, and what is established of it."""

    case: Case
    war: str
    truths: tuple[Truth, ...]


def build_case(
    name: str,
    truths: Sequence[Truth],
    table: Sequence[RecordedClaim],
    source_of: Mapping[str, str],
    institutions: Mapping[str, Institution] | None = None,
) -> tuple[Case, list[str]]:
    """Return a case of the table, and what was left out of it.

    `source_of` has the rows of other cases too; `institutions` is the table of sources.
    """
    spans: dict[str, tuple[dt.date, dt.date]] = {}
    for truth in truths:
        first, last = spans.get(truth.key, (truth.start, truth.end))
        spans[truth.key] = min(first, truth.start), max(last, truth.end)
    start, end = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
    only = truths[0].force if len(spans) == 1 else ""
    rows = [row.model_copy(update={"force": row.force or only}) for row in table]
    used: list[RecordedClaim] = []
    left_out: list[str] = []
    for row in rows:
        if row.force and spell_key(row.force) in spans:
            used.append(row)
        else:
            left_out.append(f"{row.id}: speaks of {row.force or 'no force'}, of which no truth is known")
    kept = {row.id for row in used}
    claims = [_fit_claim(row, start, spans[spell_key(row.force)], kept, source_of) for row in used]
    left_out += [f"{claim.id}: {claim.exclude}" for claim in claims if claim.exclude]
    file = CaseFile.model_validate(
        {
            "schema": 1,
            "title": name,
            "start": start,
            "end": end,
            "bin_days": max(7, math.ceil(((end - start).days + 1) / BINS)),
            "forces": {key: _describe_force(key, truths, claims, start) for key in spans},
            "sources": _list_sources(used, claims, kept, list(spans), institutions or {}),
        }
    )
    return Case(name=name, folder=Path(name), file=file, claims=tuple(claims)), left_out


def _describe_force(key: str, truths: Sequence[Truth], claims: Sequence[Claim], start: dt.date) -> dict[str, object]:
    own = [truth for truth in truths if truth.key == key]
    sized = any(truth.quantity == "deployed" for truth in own)
    wave = {**DEFAULT_WAVE, "from": start, "to": start}
    return {
        "label": own[0].force,
        "outcomes": _list_outcomes(key, own, claims),
        "victims": _name_victims(own),
        "waves": [wave] if sized else [],
    }


def _name_victims(truths: Sequence[Truth]) -> str:
    """Return whose dead the truths of a force are, aside from equipment: mixed where they differ."""
    named = {truth.victims for truth in truths} - {"equipment", ""}
    return named.pop() if len(named) == 1 else "mixed" if named else "military"


def _list_sources(
    rows: Sequence[RecordedClaim],
    claims: Sequence[Claim],
    kept: set[str],
    forces: Sequence[str],
    institutions: Mapping[str, Institution],
) -> dict[str, dict[str, object]]:
    """Return the sources with their roles towards each force: as their own rows say, or those that repeat them.

    What an excluded row says of a role counts only where no other row does. A source that speaks of other forces alone
    has the same role towards all.
    """
    ranked: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    labels: dict[str, str] = {}
    for row, claim in zip(rows, claims, strict=True):
        ranked[claim.source][claim.force].append((int(bool(claim.exclude)), row.role))
        labels.setdefault(claim.source, row.source)
        if claim.origin and claim.origin not in kept:
            ranked[claim.origin][claim.force].append((2, row.role))
            labels.setdefault(claim.origin, row.origin)
    found: dict[str, dict[str, object]] = {}
    for key, by_force in sorted(ranked.items()):
        roles = {}
        for force in forces:
            said = by_force.get(force) or next(iter(by_force.values()))
            best = min(rank for rank, _ in said)
            roles[force] = list(dict.fromkeys(role for rank, role in said if rank == best))
        found[key] = {"label": labels[key], "role": roles, **_describe_institution(institutions.get(key))}
    return found


def _describe_institution(known: Institution | None) -> dict[str, object]:
    if known is None:
        return {}
    return {"label": known.label, "institution": known.source, "body": known.body, "state": known.state}


def _fit_claim(
    row: RecordedClaim, start: dt.date, span: tuple[dt.date, dt.date], kept: set[str], source_of: Mapping[str, str]
) -> Claim:
    """Return a row as a claim of its case: dated within the losses of its force, and left out where it is hindsight.

    A row that repeats one outside the case counts for that one's source. What is claimed since the losses of the force
    began is an interval, where those of another force of the case began earlier.
    """
    data = row.model_dump(exclude={"case", "role"})
    data |= {"source": spell_key(row.source), "force": spell_key(row.force)}
    data["of"] = spell_key(row.whole) if row.whole and row.of else row.of
    if row.origin and row.origin not in kept:
        data["origin"] = spell_key(source_of.get(row.origin, row.origin))
    if row.replaces not in kept:
        data["replaces"] = ""
    first, last = span
    if not row.exclude and row.whole_force != row.force:
        data["exclude"] = TWO_FORCES
    elif not row.exclude and row.published - max(row.as_of, last) > MAX_DELAY:
        data["exclude"] = LATE
    elif not row.exclude and row.quantity != "deployed" and (row.as_of < first or (row.since or first) > last):
        data["exclude"] = OUTSIDE
    if not data["exclude"]:
        data["as_of"] = max(min(row.as_of, last), first)
        data["published"] = max(row.published, data["as_of"])
        if row.measure == "interval" and row.since is not None:
            data["since"] = min(max(row.since, first), data["as_of"])
        elif row.measure == "cumulative" and row.quantity != "deployed" and first > start:
            data |= {"measure": "interval", "since": first}
    return Claim.model_validate(data)


def _list_outcomes(force: str, truths: Iterable[Truth], rows: Iterable[Claim]) -> list[str]:
    """Return the base outcomes of a force: those that its truths and claims name, totals by their parts."""
    named = {truth.quantity for truth in truths}
    for row in rows:
        if row.force == force and not row.exclude:
            named |= {row.quantity, row.whole} - {""}
    base = {part for quantity in named for part in DEFAULT_TOTALS.get(quantity, (quantity,))} - {"deployed"}
    return [*(name for name in PERSONNEL if name in base), *sorted(base - set(PERSONNEL))] or ["killed"]


def update_odds(priors: PriorSet, hindcasts: Iterable[Hindcast], base: PriorSet) -> PriorSet:
    """Return the prior set with the odds that there was nothing behind a claim as past wars teach them.

    Parameters
    ----------
    priors : PriorSet
    hindcasts : iterable of Hindcast
    base : PriorSet
        What is believed before: normal priors of `nothing.<term>`.
    """
    before = {term: base.get(f"nothing.{term}") for term in NOTHING_TERMS}
    if any(prior.dist != "Normal" for prior in before.values()):
        return priors
    seen = [
        (doubtful[truth.key, truth.quantity].terms, truth.is_zero)
        for item in hindcasts
        for doubtful in [find_doubtful(item.case, weigh_claims(item.case))]
        for truth in item.truths
        if (truth.key, truth.quantity) in doubtful
    ]
    found = learn_odds(seen, {term: (prior.mu or 0.0, prior.sigma or 1.0) for term, prior in before.items()})
    none = sum(nothing for _, nothing in seen)
    learned = {
        f"nothing.{term}": Prior(
            dist="Normal", mu=float(f"{mean:.6g}"), sigma=float(f"{sd:.6g}"), why=before[term].why,
            source=f"{len(seen)} outcomes of past wars that are claimed and not admitted, {none} of them nothing",
        )
        for term, (mean, sd) in found.items()
    }  # fmt: skip
    return replace(priors, priors={**priors.priors, **learned})
