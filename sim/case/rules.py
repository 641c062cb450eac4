"""The rules that a case must keep as a whole, beyond those of each row: references, days, roles, expressions."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice

from sim.case.case import DEFAULT_TOTALS, MAX_DAYS, STATES, Case
from sim.case.claims import Claim
from sim.case.expressions import FUNCTIONS, ExpressionError, list_names, parse_expression
from sim.errors import MAX_FAULTS, Fault, list_some, quote_value

MAX_BREATH = 100  # rows in one statement
MAX_COUNTS = 300  # outcomes of all forces together: each has a path, and each source a bias on it


def find_faults(case: Case, unread: Iterable[str] = ()) -> list[Fault]:
    """Return every breach of the rules of `docs/formats.md` that spans rows or files.

    Parameters
    ----------
    case : Case
    unread : iterable of str
        Ids of rows that could not be read: others may refer to them.
    """
    ids = {claim.id for claim in case.claims} | set(unread)
    found = chain(
        _check_case(case), _check_forces(case), _check_reports(case), _check_claims(case, ids), _check_cycles(case)
    )
    return list(islice(found, MAX_FAULTS + 1))


def check_institutions(case: Case) -> Iterator[Fault]:
    """Yield a fault for each source whose institution the record does not know."""
    if any(source.institution for source in case.sources.values()):
        from sim.case.priors import read_institutions

        known = read_institutions()
        for key, source in case.sources.items():
            if source.institution and source.institution not in known:
                near = get_close_matches(source.institution, known, 3) or ["us_dod"]
                remedy = f"use a key that `truetoll record sources` lists, such as {', '.join(near)}, or leave it out"
                problem = f"{quote_value(source.institution)} is in no war of the record"
                yield Fault("case.toml", f"sources.{key}.institution", problem, remedy)


def _check_claims(case: Case, ids: set[str]) -> Iterator[Fault]:
    allowed = {"replaces": ids, "origin": ids | set(case.sources)}
    seen: dict[str, int] = {}
    breaths: Counter[str] = Counter()
    for claim in case.claims:
        for column, *rest in _check_claim(case, claim, allowed):
            yield Fault("claims.csv", f"row {claim.row}, column {column}", *rest)
        if claim.id in seen:
            problem = f"{quote_value(claim.id)} is the id of row {seen[claim.id]} too"
            yield Fault("claims.csv", f"row {claim.row}, column id", problem, "give each row an id of its own")
        seen.setdefault(claim.id, claim.row)
        breaths[claim.statement] += 1
        if claim.statement and breaths[claim.statement] == MAX_BREATH + 1:
            problem = f"{quote_value(claim.statement)} holds more than {MAX_BREATH} rows"
            yield Fault("claims.csv", f"row {claim.row}, column statement", problem, "keep to what was said at once")


def _check_case(case: Case) -> Iterator[Fault]:
    file = case.file
    if file.end is not None and file.end < file.start:
        yield Fault("case.toml", "end", f"{file.end} is before start ({file.start})", "mend one of them")
    if file.as_of is not None and file.as_of < file.start:
        yield Fault("case.toml", "as_of", f"{file.as_of} is before start ({file.start})", "mend one of them")
    for where, day in _list_last_days(case):
        if (day - case.start).days > MAX_DAYS:
            problem = f"{day} is more than {MAX_DAYS} days after start ({case.start})"
            yield Fault("case.toml", where, problem, "mend the day, or split the case")
    counts = sum(len(force.outcomes) for force in file.forces.values())
    if counts > MAX_COUNTS:
        yield Fault("case.toml", "forces", f"have {counts} outcomes, more than {MAX_COUNTS}", "split the case")
    known = {outcome for force in file.forces.values() for outcome in force.outcomes}
    for name, parts in file.totals.items():
        for part in parts:
            if part not in known:
                yield Fault("case.toml", f"totals.{name}", f"{quote_value(part)} is no outcome", "name base outcomes")
        if name in STATES or name in known:
            yield Fault("case.toml", f"totals.{name}", "is the name of an outcome or state", "choose another name")
    for key, source in file.sources.items():
        if isinstance(source.role, dict):
            yield from _check_role_table(case, f"sources.{key}.role", set(source.role))


def _check_role_table(case: Case, where: str, given: set[str]) -> Iterator[Fault]:
    known = case.file.forces
    for force in sorted(given - set(known)):
        yield Fault("case.toml", where, f"{quote_value(force)} is no force", f"use {list_some(known)}")
    for force in known:
        if force not in given:
            yield Fault("case.toml", where, f"has no role towards {force}", f"add {force} = a role")


def _list_last_days(case: Case) -> Iterator[tuple[str, dt.date]]:
    yield "end", case.end
    yield "as_of", case.as_of
    for key, force in case.file.forces.items():
        for group in (force.waves, force.lulls):
            yield from ((f"forces.{key}", spell.end) for spell in group)


def _check_forces(case: Case) -> Iterator[Fault]:
    excluded = {claim.id for claim in case.claims if claim.exclude}
    for key, force in case.file.forces.items():
        where = f"forces.{key}"
        for outcome in force.outcomes:
            if outcome in STATES or outcome in DEFAULT_TOTALS:
                problem = f"{quote_value(outcome)} is a total or a state, not a base outcome"
                yield Fault("case.toml", f"{where}.outcomes", problem, "name final states, such as killed, wounded")
        if force.bounded and not case.parts_of(key, "losses"):
            yield Fault("case.toml", f"{where}.bounded", "bounds no personnel outcome", "use bounded = false")
        names = [wave.name for wave in force.waves]
        if len(set(names)) < len(names):
            yield Fault("case.toml", f"{where}.waves", "names a wave twice", "give each a name of its own")
        for kind, spells in (("waves", force.waves), ("lulls", force.lulls)):
            for spell in spells:
                if spell.start > spell.end:
                    yield Fault(
                        "case.toml", f"{where}.{kind}", f"from {spell.start} is after to {spell.end}", "swap them"
                    )
                if spell.start < case.start:
                    problem = f"{spell.start} is before start ({case.start})"
                    yield Fault("case.toml", f"{where}.{kind}", problem, "move start, or the day")
        yield from _check_events(case, key)
        for lull in force.lulls:
            if lull.claim not in excluded:
                problem = f"{quote_value(lull.claim)} is no excluded row of claims.csv"
                yield Fault("case.toml", f"{where}.lulls", problem, "add the report as a row with a reason in exclude")


def _check_events(case: Case, key: str) -> Iterator[Fault]:
    force, where = case.file.forces[key], f"forces.{key}.events"
    for event in force.events:
        if event.outcome not in force.outcomes:
            problem = f"{quote_value(event.outcome)} is no outcome of {key}"
            yield Fault("case.toml", where, problem, f"use one of {list_some(force.outcomes)}")
        if not case.start <= event.on <= case.end:
            problem = f"{event.on} is not between start ({case.start}) and end ({case.end})"
            yield Fault("case.toml", where, problem, "mend the day, or start and end")


def _check_reports(case: Case) -> Iterator[Fault]:
    several = len(case.file.forces) > 1
    names = {f"{force}.{quantity}" for force in case.file.forces for quantity in case.quantities_of(force)}
    if not several:
        names = {name.partition(".")[2] for name in names} | names
    seen: set[str] = set()
    for derived in case.file.derived:
        where = f"derived.{derived.name}"
        if derived.name in seen:
            yield Fault("case.toml", where, "is there twice", "give each a name of its own")
        seen.add(derived.name)
        for name in derived.inputs:
            if name in FUNCTIONS or name in names:
                yield Fault(
                    "case.toml", where, f"the input {quote_value(name)} hides a quantity or function", "rename it"
                )
        try:
            used = list_names(parse_expression(derived.expr))
        except ExpressionError as error:
            yield Fault(
                "case.toml", where, f"the expression {quote_value(derived.expr)} {error}", "see docs/formats.md"
            )
            continue
        for name in sorted(used - names - set(derived.inputs)):
            remedy = f"use an input or one of {list_some(sorted(names))}"
            yield Fault("case.toml", where, f"{quote_value(name)} is unknown", remedy)
    for threshold in case.file.thresholds:
        force = threshold.force or next(iter(case.file.forces))
        if (several and not threshold.force) or force not in case.file.forces:
            problem = f"{quote_value(threshold.force)} is no force"
            yield Fault("case.toml", "thresholds.force", problem, f"use {list_some(case.file.forces)}")
        elif threshold.quantity not in case.quantities_of(force):
            problem = f"{quote_value(threshold.quantity)} is not reported of {force}"
            yield Fault("case.toml", "thresholds.quantity", problem, f"use {list_some(case.quantities_of(force))}")
    told = {f"{force}.{name}" for force in case.file.forces for name in case.quantities_of(force)}
    told |= {name.partition(".")[2] for name in told}
    for name in case.file.memo.headline if case.file.memo else ():
        if name not in told:
            problem = f"{quote_value(name)} is no quantity of the case"
            yield Fault("case.toml", "memo.headline", problem, f"use {list_some(sorted(told))}")


def _check_claim(case: Case, claim: Claim, allowed: Mapping[str, set[str]]) -> Iterator[tuple[str, str, str]]:
    if claim.source not in case.sources:
        known = list_some(case.sources) or "none yet"
        yield (
            "source",
            f"{quote_value(claim.source)} is not in [sources]",
            f"add it to case.toml, or use one of {known}",
        )
    if claim.published < claim.as_of and not claim.exclude:
        yield "published", f"{claim.published} is before as_of ({claim.as_of})", "a claim cannot speak of later days"
    for column, others in allowed.items():
        target = getattr(claim, column)
        if target and (target not in others or target == claim.id):
            key = " or a source's key" if column == "origin" else ""
            yield column, f"{quote_value(target)} is no other row", f"give another row's id{key}"
    replaced = case.find_claim(claim.replaces)
    is_used = replaced is not None and not replaced.exclude  # one that is excluded gives its own reason
    if replaced is not None and is_used and (replaced.force, replaced.quantity) != (claim.force, claim.quantity):
        named = f"{quote_value(claim.replaces)} (row {replaced.row}) is of {replaced.quantity}"
        problem = f"{named}, and this row of {claim.quantity}"
        yield "replaces", problem, "a row corrects one of the same force and quantity; leave it empty"
    if case.file.end and claim.since and claim.since > case.file.end and claim.central != 0 and not claim.exclude:
        yield "since", f"{claim.since} is after end ({case.file.end})", "losses end there: move end, or mend the day"
    if (claim.as_of - case.start).days > MAX_DAYS:
        yield "as_of", f"{claim.as_of} is more than {MAX_DAYS} days after start", "mend the day"
    if claim.force not in case.file.forces:
        yield "force", f"{quote_value(claim.force)} is not in [forces]", f"use one of {list_some(case.file.forces)}"
    elif not claim.exclude:
        yield from _check_used_claim(case, claim)


def _check_used_claim(case: Case, claim: Claim) -> Iterator[tuple[str, str, str]]:
    for column, (key, quantity) in zip(("quantity", "of"), claim.topics, strict=False):
        if key not in case.file.forces:
            yield column, f"{quote_value(key)} is not in [forces]", f"use one of {list_some(case.file.forces)}"
            return
        known = [name for name in case.quantities_of(key) if name != "standing"]
        known += [] if "deployed" in known else ["deployed"]
        if quantity not in known:
            remedy = f"use one of {list_some(known)}"
            remedy += ", or how many there were" if column == "of" and claim.unit == "share" else ""
            yield column, f"{quote_value(quantity)} is no quantity of {key}", remedy
    if claim.topics[1:] == claim.topics[:1]:
        yield "of", "is the quantity itself", f"name what the {claim.unit} is of"
    source = case.sources.get(claim.origin) or case.sources.get(claim.source)
    if claim.whole_force != claim.force and source and len(source.roles_towards(claim.whole_force)) > 1:
        problem = f"{claim.source} has several roles towards {claim.whole_force}"
        yield "of", problem, "a ratio of two forces needs one role towards the second: name one in [sources]"
    if claim.as_of < case.start:
        yield (
            "as_of",
            f"{claim.as_of} is before start ({case.start})",
            "move start, mend the day, or give a reason in exclude",
        )
    if claim.since and claim.since < case.start:
        yield "since", f"{claim.since} is before start ({case.start})", "move start, or mend the day"
    yield from _check_arrivals(case, claim)


def _check_arrivals(case: Case, claim: Claim) -> Iterator[tuple[str, str, str]]:
    """Refuse a number, other than zero, about a time at which the state is zero whatever the parameters."""
    for key in dict.fromkeys(key for key, _ in claim.topics):
        force, is_of_size = case.forces[key], (key, "deployed") in claim.topics
        since = claim.first_day_of("deployed") if is_of_size else None
        arrives = any(wave.start <= claim.as_of and (since is None or wave.end >= since) for wave in force.waves)
        if (is_of_size or force.bounded) and force.waves and not arrives and claim.central != 0:
            problem = f"no wave of {key} has arrived by {claim.as_of}"
            yield "as_of", problem, "mend the day, or the waves in case.toml"


def _check_cycles(case: Case) -> Iterator[Fault]:
    """Refuse rows that, by `origin` or `replaces`, lead back to themselves."""
    for column in ("origin", "replaces"):
        target = {claim.id: getattr(claim, column) for claim in case.claims}
        circling = _find_circling(target)
        for claim in case.claims:
            if claim.id in circling and target[claim.id] != claim.id:
                problem = f"{quote_value(claim.id)} leads back to itself"
                yield Fault("claims.csv", f"row {claim.row}, column {column}", problem, "name who spoke first")


def _find_circling(target: Mapping[str, str]) -> set[str]:
    """Return the ids from which steps lead back to them; each id is walked over once."""
    circling: set[str] = set()
    seen: set[str] = set()
    for start in target:
        walk: dict[str, None] = {}
        step = start
        while step in target and step not in seen and step not in walk:
            walk[step] = None
            step = target[step]
        if step in walk:
            steps = list(walk)
            circling.update(steps[steps.index(step) :])
        seen.update(walk)
    return circling
