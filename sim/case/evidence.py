"""Which claims are evidence, and of what: echoes, revisions and statements resolved into observations.

Repeating is not confirming: a row that repeats another is shown and not used. What was said in one breath shares one
error, a total beside all its parts says nothing more than they, and a part beside its total is a share of it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sim.case.case import PERSONNEL, Case
from sim.case.claims import Claim
from sim.case.wordings import Wording

Form = Literal["cell", "density", "bound"]

# A range is the source's own 80% interval: its ends are 2 x 1.2816 standard deviations apart on the log scale.
RANGE_SPAN = 2 * 1.2815515655446004
SHARE_EDGE = 0.005
IS_SUM = "is the sum of the parts in its statement"
# Below this width on the log scale a rounding cell is its density times its width: the difference of two CDFs would
# lose digits, and the error of the midpoint is of the order of the squared width.
NARROW = 1e-5


@dataclass(frozen=True)
class Observation:
    """One term of the likelihood: what one used claim says of one source's belief.

    Attributes
    ----------
    claim : Claim
        The row that carries it.
    source : str
        Whose belief it is: the claim's source, or the source that it repeats.
    whole : str
        The quantity that a share is of; empty for a count. Shares live on the logit scale, counts on the log scale.
    form : {"cell", "density", "bound"}
        The form of its likelihood; which bound is told by the claim's wording.
    point : float
        The number said, on its scale.
    lower, upper : float
        Edges of the rounding cell on its scale; for a density `point` with the log of its base measure in `log_width`.
    log_width : float
        What is added to a log density so that a narrow cell keeps the mass of its width.
    extra_sd : float
        Standard deviation, on its scale, that the source itself gave: its `log_sd`, or half the width of its range.
    statement : str
        The id shared by rows of one breath; empty where the row stands alone.
    """

    claim: Claim
    source: str
    whole: str
    form: Form
    point: float
    lower: float
    upper: float
    log_width: float = 0.0
    extra_sd: float = 0.0
    statement: str = ""

    @property
    def bound(self) -> Wording | None:
        """The wording that it is a bound by; None for what is none, or is read as none."""
        return self.claim.wording if self.form == "bound" else None

    @property
    def is_count_of_found(self) -> bool:
        """Whether it counts what was found."""
        return self.bound is not None and self.bound.finds


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
    known = [claim for claim in case.claims if known_by is None or claim.published <= known_by]
    hidden = tuple(claim.id for claim in case.claims if known_by is not None and claim.published > known_by)
    unused = {claim.id: claim.exclude for claim in known if claim.exclude}
    _drop_replaced(known, unused)
    sources = _drop_echoes(case, known, unused)
    used = [claim for claim in known if claim.id not in unused]
    observations = _observe(
        case, [claim for claim in used if not _is_surely_zero(case, claim, unused)], sources, unused
    )
    unused |= dict.fromkeys(hidden, f"published after {known_by}")
    return Evidence(tuple(observations), unused, hidden)


def _is_surely_zero(case: Case, claim: Claim, unused: dict[str, str]) -> bool:
    """Mark a claim about a time at which nothing can have been lost or sent: it is true whatever the parameters."""
    force = case.forces[claim.force]
    waits = claim.speaks_of_size or (force.bounded and any(part in PERSONNEL for part in case.parts_of(*_topic(claim))))
    first = claim.since if claim.measure == "interval" and claim.quantity == "deployed" else None
    if waits and not any(wave.start <= claim.as_of and (first is None or wave.end >= first) for wave in force.waves):
        unused[claim.id] = "says nothing: no wave had arrived by then"
        return True
    return False


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
    return (claim.force, claim.quantity, claim.whole, claim.as_of, claim.number)


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
        counts = [claim for claim in kept if claim.unit == "count" and totals[claim.id] is None]
        for claim in kept:
            total = totals[claim.id]
            observation = (
                observe_claim(claim, sources[claim.id]) if total is None else _observe_part(claim, total, sources)
            )
            if observation is None:
                unused[claim.id] = "says nothing: the true figure cannot lie beyond it"
            elif total is None and claim in counts and len(counts) > 1:
                observations[claim.id] = replace(observation, statement=f"{sources[claim.id]}:{claim.statement}")
            else:
                observations[claim.id] = observation
    return [observations[claim.id] for claim in claims if claim.id in observations]


def _scope(claim: Claim) -> tuple[object, ...]:
    return claim.force, claim.measure, claim.since, claim.as_of


def _drop_sums(case: Case, rows: Sequence[Claim], unused: dict[str, str]) -> None:
    """Mark the totals all of whose parts stand in the same statement."""
    said: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for claim in rows:
        if claim.unit == "count":
            said[_scope(claim)].add(claim.quantity)
    for total in rows:
        parts = _list_parts(case, total)
        if len(parts) > 1 and total.unit == "count" and parts <= said[_scope(total)]:
            unused[total.id] = IS_SUM


def _list_parts(case: Case, claim: Claim) -> frozenset[str]:
    return frozenset(case.parts_of(claim.force, claim.quantity) if claim.quantity != "deployed" else ())


def _find_totals(case: Case, rows: Sequence[Claim]) -> dict[str, Claim | None]:
    """Return for each row of a statement the smallest total in it that the row is a part of, if it is below it."""
    parts = {claim.id: _list_parts(case, claim) for claim in rows}
    wholes: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in rows:
        if claim.unit == "count" and claim.central and len(parts[claim.id]) > 1:
            wholes[_scope(claim)].append(claim)
    for group in wholes.values():
        group.sort(key=lambda claim: len(parts[claim.id]))  # stable: of one size they stay in the order of the rows

    def find(claim: Claim) -> Claim | None:
        own, said = parts[claim.id], claim.central or 0
        if not own or claim.unit != "count":
            return None
        above = (each for each in wholes.get(_scope(claim), ()) if said <= (each.central or 0) and own < parts[each.id])
        return next(above, None)

    return {claim.id: find(claim) for claim in rows}


def observe_claim(claim: Claim, source: str) -> Observation | None:
    """Return what a claim says by itself, or None where it says nothing: at least none, at most all."""
    value = claim.central
    if value is None:
        return None
    if claim.wording.sign > 0 and value == 0:
        return None
    if claim.wording.sign < 0 and value == 1 and claim.unit == "share":
        return None
    base = Observation(
        claim, source, claim.whole, "density", math.nan, math.nan, math.nan, extra_sd=claim.log_sd or 0.0
    )
    return _observe_share(base, value) if claim.unit == "share" else _observe_count(base, value)


def _observe_count(base: Observation, value: float) -> Observation:
    claim = base.claim
    if claim.wording.law == "range":
        low, high = (max(edge or 0.0, 0.5) for edge in (claim.low, claim.high))
        point, width = (math.log(low) + math.log(high)) / 2, math.log(high / low) / RANGE_SPAN
        if claim.high == 0:
            return _cell(base, -math.inf, math.log(0.5))
        return replace(base, point=point, extra_sd=math.hypot(base.extra_sd, width))
    if value == 0:
        return _cell(base, -math.inf, math.log(0.5))
    if claim.wording.law == "bound":
        return replace(base, form="bound", point=math.log(value))
    unit = rounding_unit(claim)
    if unit is None:
        return replace(base, point=math.log(value))
    if unit / value < NARROW:
        return replace(base, point=math.log(value), log_width=math.log(unit) - math.log(value))
    lower = math.log(value - unit / 2) if value > unit / 2 else -math.inf
    return _cell(base, lower, math.log(value + unit / 2))


def _observe_share(base: Observation, value: float) -> Observation:
    claim = base.claim
    if claim.wording.law == "range":
        low, high = (min(max(edge or 0.0, SHARE_EDGE), 1 - SHARE_EDGE) for edge in (claim.low, claim.high))
        point, width = (_logit(low) + _logit(high)) / 2, (_logit(high) - _logit(low)) / RANGE_SPAN
        return replace(base, point=point, extra_sd=math.hypot(base.extra_sd, width))
    point = _logit(min(max(value, SHARE_EDGE), 1 - SHARE_EDGE)) if value in (0, 1) else _logit(value)
    # What the source gave as an error of the logarithm is larger on the logit scale by 1 / (1 - share).
    base = replace(base, extra_sd=base.extra_sd / (1 - min(value, 1 - SHARE_EDGE)))
    if claim.wording.law == "bound" and value != 0:
        return replace(base, form="bound", point=point)
    if value in (0, 1):
        edges = (-math.inf, _logit(SHARE_EDGE)) if value == 0 else (_logit(1 - SHARE_EDGE), math.inf)
        return _cell(base, *edges)
    if claim.digits is None or claim.log_sd is not None:
        return replace(base, point=point)
    half = 10.0 ** (math.floor(math.log10(value)) + 1 - claim.digits) / 2
    return _cell(base, *(_logit(min(max(edge, 1e-12), 1 - 1e-12)) for edge in (value - half, value + half)))


def _observe_part(claim: Claim, total: Claim, sources: dict[str, str]) -> Observation | None:
    """Read a part said beside its total as a share of it: each of its numbers is divided by the total's centre."""
    whole = total.central
    alone = observe_claim(claim, sources[claim.id])
    if alone is None or not whole:
        return alone
    share = replace(alone, whole=total.quantity)
    if claim.wording.law == "range":
        low, high = (min(max(edge or 0.0, 0.5) / whole, 1 - SHARE_EDGE) for edge in (claim.low, claim.high))
        point, width = (_logit(low) + _logit(high)) / 2, (_logit(high) - _logit(low)) / RANGE_SPAN
        return replace(share, point=point, extra_sd=width)
    if alone.form == "cell":
        top = math.inf if math.exp(alone.upper) >= whole else _logit(math.exp(alone.upper) / whole)
        bottom = -math.inf if alone.lower == -math.inf else _logit(min(math.exp(alone.lower) / whole, 1 - 1e-9))
        return _cell(share, bottom, top)
    said = min(math.exp(alone.point) / whole, 1 - SHARE_EDGE)
    return replace(share, point=_logit(said), extra_sd=alone.extra_sd / (1 - said), log_width=0.0)


def _cell(base: Observation, lower: float, upper: float) -> Observation:
    return replace(base, form="cell", lower=lower, upper=upper)


def rounding_unit(claim: Claim) -> float | None:
    """Return the unit that a claimed count was rounded to, or None where it is continuous.

    A count is rounded to the significant digits meant: `digits` where given; all of them for `exact`; for `about` the
    digits before the trailing zeros, but two where that is one and the leading digit is 1 ("10,000" is 9,500 to 10,500,
    "3,000" is 2,500 to 3,500). A number that is not whole, without `digits`, is continuous, and so is one with a
    `log_sd`.
    """
    value = claim.value
    if value is None or value == 0 or claim.log_sd is not None:
        return None
    if claim.digits is None and value != math.floor(value):
        return None
    magnitude = math.floor(math.log10(value)) + 1
    if claim.digits is not None:
        unit = 10.0 ** (magnitude - claim.digits)
        return max(unit, 1.0) if value == math.floor(value) else unit
    if not claim.wording.rounds_zeros or value >= 1e15:
        return 1.0
    text = str(int(value)).rstrip("0")
    digits = 2 if text == "1" else len(text)
    return max(10.0 ** (magnitude - digits), 1.0)


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)
