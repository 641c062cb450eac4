"""Which claims are evidence, and of what: echoes, revisions and statements resolved into observations.

Repeating is not confirming: a row that repeats another is shown and not used. What was said in one breath shares one
error, a total beside all its parts says nothing more than they, and a part beside its total is a share of it. Numbers
of several places that a source gives for the same days add up to that of one larger place.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sim.case.case import PERSONNEL, Case
from sim.case.claims import Claim
from sim.case.observations import Observation, observe_claim, observe_part

IS_SUM = "is the sum of the parts in its statement"
IS_RATIO = "is the ratio of two numbers in its statement"
RETURNS = dt.timedelta(days=7)  # by which a zero may close before the day of what it denies


@dataclass(frozen=True)
class Evidence:
    """What the claims of a case amount to.

    Attributes
    ----------
    observations : tuple of Observation
        One for each used row, in the order of the rows.
    unused : dict of str to str
        Why a row is not used, by its id.
    hidden : tuple of str
        The ids of the rows published later than `known_by`.
    """

    observations: tuple[Observation, ...]
    unused: dict[str, str]
    hidden: tuple[str, ...] = ()


def weigh_claims(case: Case, known_by: dt.date | None = None) -> Evidence:
    """Resolve the claims of a case into observations.

    Parameters
    ----------
    case : Case
    known_by : date, optional
        Claims published later are left out before anything else is resolved: what they replaced stands again.
    """
    case = read_as_of_end(case)
    known = [claim for claim in case.claims if known_by is None or claim.published <= known_by]
    hidden = tuple(claim.id for claim in case.claims if known_by is not None and claim.published > known_by)
    unused = {claim.id: claim.exclude for claim in known if claim.exclude}
    _drop_replaced(known, unused)
    _drop_found_again(known, unused)
    sources = _drop_echoes(case, known, unused)
    used = [claim for claim in known if claim.id not in unused]
    used = [claim for claim in used if not _is_surely_zero(case, claim, unused)]
    observations = set_denials(case, _observe(case, _join_places(used, sources, unused), sources, unused))
    unused |= dict.fromkeys(hidden, f"published after {known_by}")
    return Evidence(observations, unused, hidden)


def read_as_of_end(case: Case) -> Case:
    """Return the case with claims of later days read as of the war's `end`: losses end there, so nothing was added."""
    if case.file.end is None or all(claim.as_of <= case.end for claim in case.claims):
        return case
    claims = tuple(claim.model_copy(update={"as_of": min(claim.as_of, case.end)}) for claim in case.claims)
    return case.model_copy(update={"claims": claims})


def _drop_found_again(claims: Sequence[Claim], unused: dict[str, str]) -> None:
    """Mark the figures of missing persons that their own source lowered later: who was found is missing no more."""
    series: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.quantity == "missing" and claim.is_count and claim.measure != "interval" and claim.id not in unused:
            series[claim.source, claim.force].append(claim)
    for each in series.values():
        lowest = math.inf
        for claim in sorted(each, key=lambda claim: (claim.as_of, claim.published), reverse=True):
            if (claim.central or 0) > lowest:
                unused[claim.id] = "those missing were found since"
            lowest = min(lowest, claim.central or 0)


def _is_surely_zero(case: Case, claim: Claim, unused: dict[str, str]) -> bool:
    """Mark a claim about a time at which nothing can have been lost or sent: it is true whatever the parameters."""
    for key, quantity in claim.topics:
        force, is_size = case.forces[key], quantity == "deployed"
        waits = is_size or (force.bounded and any(part in PERSONNEL for part in case.parts_of(key, quantity)))
        first = claim.first_day_of(quantity) if is_size else None
        if waits and not any(
            wave.start <= claim.as_of and (first is None or wave.end >= first) for wave in force.waves
        ):
            unused[claim.id] = "says nothing: no wave had arrived by then"
            return True
    return False


def _join_places(claims: Sequence[Claim], sources: Mapping[str, str], unused: dict[str, str]) -> list[Claim]:
    """Return the claims with those of several places, by one source for the same days, added up in one of them.

    Of each place the largest number counts.
    """
    groups: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.part:
            groups[sources[claim.id], _topic(claim), claim.measure, claim.since, claim.as_of].append(claim)
    sums: dict[str, Claim] = {}
    for group in groups.values():
        group.sort(key=lambda claim: -(claim.value or 0.0))
        places: dict[str, Claim] = {}
        for claim in group:
            places.setdefault(claim.part, claim)
        first, total = group[0], sum(claim.value or 0.0 for claim in places.values())
        for claim in group[1:]:
            is_added = places[claim.part] is claim
            unused[claim.id] = f"is added to {first.id}" if is_added else "more is told of the same place"
        sums[first.id] = first.model_copy(update={"value": total, "part": ", ".join(places), "statement": ""})
    return [sums.get(claim.id, claim) for claim in claims if not claim.part or claim.id in sums]


def _topic(claim: Claim) -> tuple[str, str]:
    return claim.force, claim.quantity


def _drop_replaced(claims: Sequence[Claim], unused: dict[str, str]) -> None:
    for claim in claims:
        if claim.replaces and not claim.exclude:
            unused.setdefault(claim.replaces, f"replaced by {claim.id}")


def _drop_echoes(case: Case, claims: Sequence[Claim], unused: dict[str, str]) -> dict[str, str]:
    """Mark echoes and exact duplicates; return the source that each row counts for, by the row's id."""
    by_id = {claim.id: claim for claim in case.claims}
    known = {claim.id for claim in claims}
    source = _trace_sources(by_id)
    for claim in claims:
        if claim.origin in known:
            unused.setdefault(claim.id, f"repeats {claim.origin}")
    groups: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    relays: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    own: dict[tuple[object, ...], Claim] = {}
    for claim in claims:
        if claim.id in unused:
            continue
        key = (source[claim.id], *_describe_content(claim))
        if claim.source != source[claim.id]:
            # Outlets change a word in passing: where somebody repeats a source, the number decides, not its wording.
            relays[key].append(claim)
        else:
            groups[(*key, claim.qualifier, claim.measure, claim.since, claim.log_sd)].append(claim)
            own.setdefault(key, claim)
    for group in groups.values():
        _keep_one(group, source, unused)
    for key, group in relays.items():
        _keep_one([own[key], *group] if key in own else group, source, unused)
    return source


def _trace_sources(by_id: Mapping[str, Claim]) -> dict[str, str]:
    """Return the source that each row counts for, by the row's id: who spoke first.

    Where the row that it repeats is not known yet, the row brings the news, as a claim of that source.
    """
    source: dict[str, str] = {}
    for start in by_id.values():
        walk, root = [start], start
        while root.origin in by_id and root.id not in source:  # each row is walked over once
            root = by_id[root.origin]
            walk.append(root)
        first = source.get(root.id) or root.origin or root.source
        source |= dict.fromkeys((claim.id for claim in walk), first)
    return source


def _describe_content(claim: Claim) -> tuple[object, ...]:
    return (claim.unit == "ratio", claim.topics, claim.part, claim.as_of, claim.number)


def _keep_one(group: list[Claim], source: dict[str, str], unused: dict[str, str]) -> None:
    """Of rows that are one claim of one source keep its own row, or else the earliest."""
    keeper = min(group, key=lambda claim: (claim.source != source[claim.id], claim.published, claim.id))
    for claim in group:
        if claim is not keeper:
            unused[claim.id] = f"repeats {keeper.id}" if claim.origin else f"duplicates {keeper.id}"


def _observe(
    case: Case, claims: Sequence[Claim], sources: dict[str, str], unused: dict[str, str]
) -> Iterable[Observation]:
    statements: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        statements[f"{sources[claim.id]}:{claim.statement}" if claim.statement else f"row:{claim.id}"].append(claim)
    observations: dict[str, Observation] = {}
    for rows in statements.values():
        _drop_sums(case, rows, unused)
        kept = [claim for claim in rows if claim.id not in unused]
        totals = _find_totals(case, kept)
        counts = [claim for claim in kept if _shares_error(claim) and totals[claim.id] is None]
        for claim in kept:
            total, source = totals[claim.id], sources[claim.id]
            found = observe_claim(claim, source) if total is None else observe_part(claim, source, total)
            if found is None:
                unused[claim.id] = "says nothing: the true figure cannot lie beyond it"
            elif total is None and claim in counts and len(counts) > 1:
                observations[claim.id] = replace(found, statement=f"{source}:{claim.statement}")
            else:
                observations[claim.id] = found
    return [observations[claim.id] for claim in claims if claim.id in observations]


def set_denials(case: Case, observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the observations with zeros that deny what others count read as no number; the others as they stand.

    Who says that there was none says whether, and of those that there were nothing of how many: as likely of ten as of
    a thousand. Whether there was any is told by `sim.model.claims.invented`.
    """
    items = tuple(observations)
    counts = [item for item in items if item.claim.central and item.claim.wording.sign >= 0 and _speaks_of_losses(item)]
    found = []
    for item in items:
        edge = math.inf if _is_none(item) and _denies(case, item, counts) else math.log(0.5)
        found.append(replace(item, upper=edge) if _is_none(item) and item.upper != edge else item)
    return tuple(found)


def _speaks_of_losses(item: Observation) -> bool:
    return item.claim.quantity != "deployed"


def _is_none(item: Observation) -> bool:
    claim = item.claim
    return (
        item.form == "cell" and not claim.central and not (item.whole or claim.part or claim.wording.lists)
        and not item.source.startswith("=") and claim.measure == "cumulative" and _speaks_of_losses(item)
    )  # fmt: skip


def _denies(case: Case, item: Observation, counts: Sequence[Observation]) -> bool:
    """Whether a source that never counts any says none of what others count by then, or a return's time later."""
    force, parts = item.claim.force, set(_list_parts(case, item.claim))
    against = [
        other for other in counts
        if any(key == force and set(case.parts_of(key, name)) <= parts for key, name in other.claim.told)
    ]  # fmt: skip
    if any(other.source == item.source for other in against):
        return False
    return any(other.claim.as_of - RETURNS <= item.claim.as_of for other in against)


def _shares_error(claim: Claim) -> bool:
    """Whether a count is off together with others of its statement: "none" is no multiple, a list no estimate."""
    return claim.is_count and bool(claim.central) and not claim.wording.lists


def _scope(claim: Claim) -> tuple[object, ...]:
    return claim.force, *_days(claim)


def _days(claim: Claim) -> tuple[object, ...]:
    return claim.measure, claim.since, claim.as_of


def _drop_sums(case: Case, rows: Sequence[Claim], unused: dict[str, str]) -> None:
    """Mark the totals all of whose parts stand in the same statement, and the ratios of two counts that do."""
    said: dict[tuple[object, ...], set[tuple[str, str]]] = defaultdict(set)
    for claim in rows:
        if claim.is_count:
            said[_days(claim)] |= set(claim.topics)
    for total in rows:
        parts = {(total.force, part) for part in _list_parts(case, total)}
        if len(parts) > 1 and total.is_count and parts <= said[_days(total)]:
            unused[total.id] = IS_SUM
    for claim in rows:
        if claim.unit == "ratio" and set(claim.topics) <= said[_days(claim)]:
            unused[claim.id] = IS_RATIO


def _list_parts(case: Case, claim: Claim) -> frozenset[str]:
    return frozenset(case.parts_of(claim.force, claim.quantity) if claim.quantity != "deployed" else ())


def _find_totals(case: Case, rows: Sequence[Claim]) -> dict[str, Claim | None]:
    """Return for each row of a statement the smallest total in it that the row is a part of, if it is below it."""
    parts = {claim.id: _list_parts(case, claim) for claim in rows}
    wholes: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in rows:
        if claim.is_count and claim.central and len(parts[claim.id]) > 1:
            wholes[_scope(claim)].append(claim)
    for group in wholes.values():
        group.sort(key=lambda claim: len(parts[claim.id]))  # stable: of one size they stay in the order of the rows

    def find(claim: Claim) -> Claim | None:
        own, said = parts[claim.id], claim.central or 0
        if not own or not claim.is_count:
            return None
        above = (each for each in wholes.get(_scope(claim), ()) if said <= (each.central or 0) and own < parts[each.id])
        return next(above, None)

    return {claim.id: find(claim) for claim in rows}
