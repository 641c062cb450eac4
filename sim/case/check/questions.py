"""What a careful reader would ask of days, totals, ends, lists, surrenders and names before the program answers.

Each question has the row, the numbers, and what to write if the answer is no. None of them needs a sample.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from sim.case.case import PERSONNEL, Case
from sim.case.check.warning import Warning, name_row  # noqa: A004
from sim.case.claims import Claim
from sim.case.evidence import Evidence
from sim.errors import quote_value

FALL = 0.05  # of a running total, beyond which it is asked about
SHORT_DAYS = 31  # of a war that may have been one event
LATE_DAYS = 180  # after the end, from which an exact number of the own side may be a register
PACE = 5.0  # times the latest total that a war of such days as are told of would have
FEW = 30.0  # times fewer than the totals grow by in as many days, that a number of single days may be
PLACE = re.compile(
    r"\b(hospital|morgue|cemetery|mass grave|village|town of|district|sector|checkpoint|outpost)\b", re.IGNORECASE
)
CIVILIANS = re.compile(
    r"\b(civilians?|population|inhabitants|residents|villagers|townspeople|passengers|worshippers|demonstrators|"
    r"refugees|hostages|people|children|journalists)\b(?!['’])",
    re.IGNORECASE,
)
TIED = ("killed", "wounded")
EVENT_DAYS = 3  # an event that lasts no longer has first hours
FIRST_DAYS = 1  # after its end, of which a number is of the first hours
OUTGROWN = 1.5  # times a number of the first hours that a later one is
CHECKED = "checked:"  # with which a note begins that answers what is asked of its row
# Kinds of questions that a wrong answer hangs on: they stand in the memo, and lower its confidence.
DECIDING = ("fall", "days", "end", "first hours", "part", "missing", "size")
BEYOND = 1.5  # times those sent that a loss may be


def ask_questions(case: Case, evidence: Evidence) -> tuple[Iterator[Warning], ...]:
    """Return the questions of each kind, without those of rows whose note begins with "checked:"."""
    used = [item.claim for item in evidence.observations]
    claims = [item.claim for item in evidence.observations if not item.whole]
    answered = tuple(name_row(claim) for claim in used if claim.note.lower().startswith(CHECKED))
    questions = (
        _ask_of_falls(claims),
        _ask_of_days(case, claims),
        _ask_of_places(case, claims),
        _ask_of_parts(claims),
        _ask_of_first_hours(case, claims),
        _ask_of_missing(case, claims),
        _ask_of_ends(case),
        _ask_of_short_events(case, claims),
        _ask_of_registers(case, claims),
        _ask_of_sizes(case, claims),
        _ask_of_wholes(case, used),
        _ask_of_outcomes(case, claims, evidence),
        _ask_of_victims(case),
        _ask_of_names(case),
    )
    return tuple((each for each in kind if not each.where.startswith(answered)) for kind in questions)


def list_unanswered(case: Case, evidence: Evidence) -> list[Warning]:
    """Return the questions about rows that decide the answer, and that nobody has answered."""
    return [each for kind in ask_questions(case, evidence) for each in kind if each.kind in DECIDING]


def _ask_of_falls(claims: list[Claim]) -> Iterator[Warning]:
    """Ask of a running total that falls; that of the missing does as they are found."""
    series: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        is_total = claim.measure == "cumulative" and claim.wording.sign == 0 and not claim.wording.lists
        if is_total and claim.quantity not in ("missing", "deployed") and claim.central is not None:
            series[claim.source, claim.force, claim.quantity].append(claim)
    for told in series.values():
        highest: Claim | None = None
        for claim in sorted(told, key=lambda each: (each.as_of, each.published)):
            if highest is not None and _number(claim) < (1 - FALL) * _number(highest) and claim.as_of > highest.as_of:
                said = f"says {_say(claim)} by {claim.as_of}, its source said {_say(highest)} in"
                text = (
                    f"{said} {name_row(highest)}: is it of some days (measure interval), of a part, or a correction "
                    f"(replaces)?"
                )
                yield Warning("fall", name_row(claim), text)
            elif highest is None or _number(claim) > _number(highest):
                highest = claim


def _ask_of_days(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask where the days that are told of add up to more than a later total, or would, were all days like them."""
    by_topic: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.quantity != "deployed" and claim.central is not None:
            by_topic[claim.force, claim.quantity].append(claim)
    for told in by_topic.values():
        totals = [claim for claim in told if claim.measure == "cumulative" and claim.wording.sign <= 0]
        days = [claim for claim in told if claim.measure == "interval"]
        if not totals or not days:
            continue
        last = max(totals, key=lambda claim: (claim.as_of, _number(claim)))
        spells = _join_spells([claim for claim in days if claim.as_of <= last.as_of])
        lost, count = sum(spells.values()), sum((until - since).days + 1 for since, until in spells)
        length = (last.as_of - case.start).days + 1
        if not count:
            continue
        where = f"{name_row(days[0])} and {len(days) - 1} more" if len(days) > 1 else name_row(days[0])
        if lost > _number(last):
            text = f"add up to {lost:.10g}, more than the {_say(last)} of {name_row(last)}: are they totals so far?"
            yield Warning("days", where, text)
        elif count < length / 2 and lost / count * length > PACE * max(_number(last), 1.0):
            text = (
                f"{count} of {length} days with {lost:.10g}: all days like them would make "
                f"{lost / count * length:,.0f}, {name_row(last)} says {_say(last)}: were they told because they "
                f"were bad? They are read as if they may have been"
            )
            yield Warning("days", where, text)


def _ask_of_places(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask once a source whether a number is of one place: by its words, or as it is far below the totals' pace."""
    totals: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        key = (claim.force, claim.quantity)
        if claim.measure == "cumulative" and not claim.part and claim.quantity != "deployed":
            totals[key] = max(totals.get(key, claim), claim, key=lambda each: (each.as_of, _number(each)))
    asked: set[tuple[str, ...]] = set()
    for claim in claims:
        key, match = (claim.force, claim.quantity), PLACE.search(claim.phrase)
        last, text = totals.get(key), ""
        if claim.part or claim.quantity == "deployed" or (claim.source, *key) in asked:
            continue
        if match and match[1].lower() not in f"{claim.force} {case.label_force(claim.force)}".lower().replace("_", " "):
            text = f"its phrase names a {match[1].lower()}"
        elif claim.since is not None and last is not None and last.source != claim.source:
            days = (claim.as_of - claim.since).days + 1
            usual = _number(last) / ((last.as_of - case.start).days + 1) * days
            if usual > FEW * max(_number(claim), 1.0) and claim.wording.sign == 0 and _number(claim) > 0:
                spell = "a day" if days == 1 else f"{days} days"
                text = f"says {_say(claim)} in {spell}, in which {name_row(last)} would have some {usual:,.0f}"
        if text:
            asked.add((claim.source, *key))
            question = f"{text}: is the number of one place or unit? Then name it in the column part"
            yield Warning("part", name_row(claim), question)


def _ask_of_parts(claims: list[Claim]) -> Iterator[Warning]:
    """Ask of a number of one place above what its source says of the whole, by the same day or later."""
    for part in claims:
        for whole in claims if part.part else ():
            same = (whole.source, whole.force, whole.quantity) == (part.source, part.force, part.quantity)
            same = same and not whole.part and whole.measure == "cumulative" and whole.as_of >= part.as_of
            if same and whole.wording.sign <= 0 and _number(part) > _number(whole):
                text = (
                    f"says {_say(part)} of {part.part}, and its source {_say(whole)} of the whole in "
                    f"{name_row(whole)}: is one of them of something else, or a slip?"
                )
                yield Warning("part", name_row(part), text)
                break


def _ask_of_first_hours(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask of the first hours' numbers of a short event, by sources that were never heard again, which others outgrew.

    An adversary's first number is asked of by nobody: it is too high more often than too low.
    """
    end = case.file.end
    if end is None or (end - case.start).days >= EVENT_DAYS:
        return
    told: dict[tuple[str, str], dict[str, Claim]] = defaultdict(dict)
    for claim in claims:
        is_toll = claim.measure == "cumulative" and not claim.part and not claim.wording.lists
        is_toll = is_toll and claim.quantity != "deployed" and claim.wording.sign >= 0
        if is_toll and "adversary" not in case.sources[claim.source].roles_towards(claim.force):
            last = told[claim.force, claim.quantity].get(claim.source)
            if last is None or claim.published >= last.published:
                told[claim.force, claim.quantity][claim.source] = claim
    for latest in told.values():
        grown = [claim for claim in latest.values() if (claim.published - end).days > FIRST_DAYS]
        highest = max(grown, key=_number, default=None)
        for claim in latest.values():
            is_early = (claim.published - end).days <= FIRST_DAYS
            if highest is not None and is_early and 0 < OUTGROWN * _number(claim) <= _number(highest):
                text = (
                    f"says {_say(claim)} in the first hours, and its source nothing later; {name_row(highest)} "
                    f"says {_say(highest)}: it draws the answer down; exclude it if it was a first count"
                )
                yield Warning("first hours", name_row(claim), text)


def _ask_of_missing(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask whether those missing, where they are more than the dead, are among them."""
    for key, force in case.forces.items():
        if not {"killed", "missing"} <= set(force.outcomes):
            continue
        last = {
            quantity: max(told, key=lambda claim: (claim.as_of, claim.published))
            for quantity in ("killed", "missing")
            if (told := [each for each in claims if (each.force, each.quantity) == (key, quantity) and not each.part])
        }
        if len(last) == 2 and _number(last["missing"]) > max(_number(last["killed"]), 1.0):
            text = (
                f"says {_say(last['missing'])} missing, more than the {_say(last['killed'])} killed of "
                f"{name_row(last['killed'])}: they are counted apart from the dead; if they are dead, or were found, "
                f"say so in a row of killed, or in a later one of missing"
            )
            yield Warning("missing", name_row(last["missing"]), text)


def _join_spells(claims: list[Claim]) -> dict[tuple[dt.date, dt.date], float]:
    """Return the least that was said of each spell; of spells that overlap the first alone."""
    least: dict[tuple[dt.date, dt.date], float] = {}
    for claim in claims:
        key = (claim.since or claim.as_of, claim.as_of)
        least[key] = min(least.get(key, _number(claim)), _number(claim))
    kept: dict[tuple[dt.date, dt.date], float] = {}
    for since, until in sorted(least):
        if not kept or since > max(last for _, last in kept):
            kept[since, until] = least[since, until]
    return kept


def _ask_of_ends(case: Case) -> Iterator[Warning]:
    """Ask of claims that speak of days after the end: they are read as of it."""
    if case.file.end is None:
        return
    for claim in case.claims:
        if not claim.exclude and claim.as_of > case.file.end and claim.as_of != claim.published:
            text = f"speaks of {claim.as_of}, after end ({case.file.end}): it is read as of the end; is that right?"
            yield Warning("end", name_row(claim), text)


def _ask_of_short_events(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask whether a war of some days, of which the days of publication are all that is known, is over."""
    days = {claim.as_of for claim in claims}
    if case.file.end is not None or not days or (max(days) - case.start).days > SHORT_DAYS:
        return
    late = [claim for claim in claims if claim.as_of == claim.published and claim.as_of > case.start]
    if late and len(late) == len([claim for claim in claims if claim.as_of > case.start]):
        text = (
            f"is read as of the day on which it was published ({late[0].as_of}): if the event was over before, write "
            f"end in case.toml, or as_of in the row"
        )
        yield Warning("end", name_row(late[0]), text)


def _ask_of_registers(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask whether an exact number that the own side gave long after the end is a closed list."""
    end = case.file.end
    for claim in claims:
        is_own = case.sources[claim.source].roles_towards(claim.force) == ("own",)
        if end and is_own and claim.qualifier == "exact" and (claim.published - end).days > LATE_DAYS:
            text = (
                f"is exact, by the own side, {(claim.published - end).days} days after the end: if it is a closed "
                f"list of names or a final return, its qualifier is register"
            )
            yield Warning("register", name_row(claim), text)


def _ask_of_sizes(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask of a loss above the force that was sent, as the case describes it."""
    for key, force in case.forces.items():
        sent = sum(wave.median for wave in force.waves)
        for claim in claims:
            parts = case.parts_of(key, claim.quantity) if claim.force == key and claim.quantity != "deployed" else ()
            if force.bounded and parts and set(parts) <= set(PERSONNEL) and (claim.central or 0.0) > BEYOND * sent:
                text = f"says {_say(claim)} of a force of which {sent:.10g} were sent: mend waves, or bounded"
                yield Warning("size", name_row(claim), text)


def _ask_of_wholes(case: Case, claims: list[Claim]) -> Iterator[Warning]:
    """Ask of shares of equipment that are read as shares of the people who were sent."""
    for claim in claims:
        parts = case.parts_of(claim.force, claim.quantity)
        things = [part for part in parts if part != "deployed" and not case.is_of_people(part)]
        sends_people = any(case.is_of_people(each) for each in case.forces[claim.force].outcomes)
        if claim.unit == "share" and claim.whole == "deployed" and things and sends_people:
            text = (
                f"is read as {claim.quantity.replace('_', ' ')} for each person sent: a share of equipment is of how "
                f"many there were, so write that number into of, or a count"
            )
            yield Warning("share", name_row(claim), text)


def _ask_of_victims(case: Case) -> Iterator[Warning]:
    """Ask of a force that is named like people who do not fight, and whose victims are not said to be such."""
    for key, force in case.forces.items():
        if CIVILIANS.search(f"{key.replace('_', ' ')} {force.label}") and "victims" not in force.model_fields_set:
            text = 'is read as soldiers, whom the other side exaggerates more: victims = "civilians", or "mixed"?'
            yield Warning("victims", f"case.toml, forces.{key}", text)


def _ask_of_names(case: Case) -> Iterator[Warning]:
    """Point at forces, and at sources, that a reader cannot tell apart."""
    named = {
        "forces": {key: case.label_force(key) for key in case.forces},
        "sources": {key: case.label_source(key) for key in case.sources},
    }
    for table, labels in named.items():
        count = Counter(labels.values())
        for label in (label for label, times in count.items() if times > 1):
            keys = ", ".join(key for key, other in labels.items() if other == label)
            told = f"{keys} have one label, {quote_value(label)}: name them apart"
            yield Warning("label", f"case.toml, {table}", told)


def _ask_of_outcomes(case: Case, claims: list[Claim], evidence: Evidence) -> Iterator[Warning]:
    """Ask of outcomes of which nobody speaks where others of their force are told: they stand in its totals.

    Of killed and wounded one follows from the other, and few are captured of a bounded force where none are told.
    """
    of_ratios = [topic for item in evidence.observations if item.claim.unit == "ratio" for topic in item.topics]
    for key, force in case.forces.items():
        told = [claim.quantity for claim in claims if claim.force == key and claim.quantity != "deployed"]
        said = {part for name in told for part in case.parts_of(key, name)}
        said |= {part for other, name in of_ratios if other == key for part in case.parts_of(key, name)}
        for outcome in force.outcomes if told and not force.bounded else ():
            if outcome in TIED and outcome not in said and said & set(TIED):
                text = "nobody speaks of it: its figure is what is usual beside the killed and wounded; leave it out?"
                yield Warning("outcome", f"{key}.{outcome}", text)
            elif outcome not in said:
                text = "nobody speaks of it: its figure is the prior's, and so is its part in totals; leave it out?"
                yield Warning("outcome", f"{key}.{outcome}", text)


def _number(claim: Claim) -> float:
    return claim.central or 0.0


def _say(claim: Claim) -> str:
    """Return the number of a claim as it was written, a range by its ends."""
    low, _, high = claim.number
    return f"{low:.10g} to {high:.10g}" if claim.wording.law == "range" else f"{_number(claim):.10g}"
