"""Page one of a memo, in the order in which a reader asks: what, why not the official figure, how sure, what else."""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.summary import Estimate, Exceedance, Result, list_distinct
from sim.report.confidence import find_conflicts, judge_confidence
from sim.report.finding import choose_lead
from sim.report.labels import name_count, tell_forces_apart
from sim.report.memo.blocks import Block, Material, Picture, Table, Terms, Text, show_command
from sim.report.notes import DOUBT, MOST, list_openings
from sim.report.official import has_official, tell_official
from sim.report.robustness import tell_pivot
from sim.report.table import list_headline, show_estimate, show_range
from sim.words import join_words, say_probability, show_day, show_given, show_probability, show_share

MAX_LINES = 7  # of the table
MAX_EVENTS = 2  # thresholds in the second sentence
HEADER = ("Median", "50% interval", "90% interval")
LEAST_SHARE = (5, 25)  # percent: how likely the round number is exceeded that stands in for a threshold
PERSONS = ("killed", "wounded", "captured", "missing", "deployed")


def compose_page_one(material: Material) -> Iterator[Block]:
    """Yield what comes first, two sentences, a figure, a table, and the four answers."""
    result = material.result
    yield from (Text(line, "note") for line in list_openings(result))
    said = _say_estimates(result), _say_none(result, material.scale), _say_odds(result, material.scale)
    yield Text(" ".join(filter(None, said)))
    yield Picture("page-one.png", f"How likely each number is, by {show_day(result.as_of)}")
    yield _tabulate(result)
    yield Terms(tuple(_answer(material)))


def _say_estimates(result: Result) -> str:
    """Return the best estimates in one sentence; what 90% means is said of the first."""
    of = tell_forces_apart(result.forces)
    entries = list_headline(result)[:2]
    if len(of) > 1:
        entries = [entry for entry in (choose_lead(result, force) for force in of) if entry is not None][:3]
    told = [
        f"{show_estimate(entry)} {_name_lost(entry, of[entry.force])} "
        f"({'' if number else 'nine chances in ten: '}{show_range(entry)})"
        for number, entry in enumerate(entries)
    ]
    opening = f"Our best {'estimate is' if len(told) == 1 else 'estimates are'}"
    return f"{opening} {join_words(told)}, by {show_day(result.as_of)}." if told else ""


def _say_none(result: Result, scale: str) -> str:
    """Return how likely it is that there were none at all, where that is worth a word."""
    of = tell_forces_apart(result.forces)
    leading = [entry for entry in list_headline(result) if entry.p_zero >= DOUBT]
    told = [
        f"{say_probability(entry.p_zero, scale)} ({show_share(entry.p_zero)}) that there were no "
        f"{name_count(entry.quantity, of[entry.force])}{'' if _is_people(entry) else ' lost'} at all"
        for entry in leading[:MAX_EVENTS]
    ]
    return f"It is {join_words(told)}." if told else ""


def _name_lost(entry: Estimate, of: str) -> str:
    name = f"{name_count(entry.quantity)}{f' of {of}' if of else ''}"
    return name if _is_people(entry) else f"{name} lost"


def _is_people(entry: Estimate) -> bool:
    return entry.quantity in (*PERSONS, "casualties", "losses", "standing") or entry.parts != (entry.quantity,)


def _say_odds(result: Result, scale: str) -> str:
    """Return the first thresholds in one sentence; without one, a round number that is hardly exceeded."""
    of = tell_forces_apart(result.forces)
    events = [judge_threshold(entry, scale, of[entry.force]) for entry in result.exceedance[:MAX_EVENTS]]
    if not events:
        leads = [choose_lead(result, force.force) for force in result.forces[:MAX_EVENTS]]
        asked = [_choose_threshold(entry, scale) for entry in leads if entry is not None]
        events = [judge_threshold(each, scale, of[each.force]) for each in asked if each is not None]
    return f"{'; '.join([events[0], *(event[:1].lower() + event[1:] for event in events[1:])])}." if events else ""


def _choose_threshold(entry: Estimate, scale: str) -> Exceedance | None:
    """Return the highest round number that is exceeded with a chance of one in twenty to one in four."""
    least, most = LEAST_SHARE
    low, high = entry.percentiles[99 - most], entry.percentiles[99 - least]
    rounds = (step * 10**power / 10 for power in range(16, 0, -1) for step in (80, 60, 50, 40, 30, 25, 20, 15, 10))
    above = next((number for number in rounds if low <= number < high and number.is_integer()), None)
    if above is None:
        return None
    chance = sum(point > above for point in entry.percentiles) / 100
    return Exceedance(
        force=entry.force, quantity=entry.quantity, above=above, probability=chance,
        words=say_probability(chance, scale),
    )  # fmt: skip


def judge_threshold(entry: Exceedance, scale: str = "icd203", of: str = "") -> str:
    """Return the judgement on a threshold as a sentence, the probability in brackets after its words."""
    words = say_probability(entry.probability, scale)
    chance = f"{words} ({show_probability(entry.probability)})"
    if words.endswith("chance"):
        opening = f"There is {'' if words.startswith('almost') else 'a '}{chance}"
    elif words.endswith("possibility"):
        opening = f"It is a {chance}"
    else:
        opening = f"It is {chance}"
    name, more = name_count(entry.quantity), f"more than {show_given(entry.above)}"
    if entry.quantity in PERSONS:
        event = f"{more}{f' of {of}' if of else ''} were {name}"
    else:
        event = f"there were {more} {name}{f' of {of}' if of else ''}"
    return f"{opening} that {event}"


def choose_rows(result: Result) -> list[Estimate]:
    """Return the estimates of page one's table: what leads first, then the rest, every force in turn."""
    leading, distinct = list_headline(result), list_distinct(result)
    taken: list[Estimate] = []
    for wanted in (leading, distinct):
        queues = {force.force: [each for each in wanted if each.force == force.force] for force in result.forces}
        while any(queues.values()) and len(taken) < MAX_LINES:
            for queue in queues.values():
                entry = queue.pop(0) if queue else None
                if entry is not None and entry not in taken and len(taken) < MAX_LINES:
                    taken.append(entry)
    return [entry for entry in distinct if entry in taken]


def tabulate_estimates(result: Result, entries: list[Estimate], caption: str) -> Table:
    """Return a table of estimates, force after force; a force is named once."""
    of, rows = tell_forces_apart(result.forces), []
    for entry in entries:
        cells = (_name_total(entry), show_estimate(entry), show_range(entry, "0.5"), show_range(entry))
        rows.append((of[entry.force], *cells) if len(of) > 1 else cells)
    head, align = (("Force", "Count"), "llrrr") if len(of) > 1 else (("Count",), "lrrr")
    return Table(caption, (*head, *HEADER), tuple(rows), align, grouped=len(of) > 1)


def _name_total(entry: Estimate) -> str:
    """Return a count's name, of a total with what it adds up."""
    name = name_count(entry.quantity)
    if entry.quantity == "standing":
        return f"{name} (deployed less losses)"
    return f"{name} ({join_words([name_count(part) for part in entry.parts])})" if len(entry.parts) > 1 else name


def _tabulate(result: Result) -> Table:
    return tabulate_estimates(result, choose_rows(result), f"Estimates by {show_day(result.as_of)}")


def _answer(material: Material) -> Iterator[tuple[str, str]]:
    result = material.result
    official = tell_official(result)
    if official:
        told = has_official(result)
        more = "s" if len(official) > 1 else ""
        yield f"{'Why not the official' if told else 'The official'} figure{more}", " ".join(official)
    level, why = judge_confidence(result, material.sensitivity)
    yield "How sure", f"Confidence in these figures is {level}: {why}."
    yield "What would change it", " ".join(_tell_change(material))
    yield "Bear in mind", _choose_caveat(result)


def _tell_change(material: Material) -> Iterator[str]:
    result, report = material.result, material.sensitivity
    if report is not None:
        yield from tell_pivot(report)
    best = min(result.next_reports, key=lambda entry: entry.width_ratio, default=None)
    if best is not None and best.width_ratio < 0.995:
        count = name_count(best.quantity, tell_forces_apart(result.forces)[best.force])
        label = best.label.replace(", once more", " speaking once more").replace(", not heard yet", "")
        yield (
            f"The report that would tell most is {label}: it would narrow the 90% interval of the {count} by "
            f"{1 - best.width_ratio:.0%}."
        )
    if report is None:
        command = show_command(material, "sensitivity")
        yield f"How much hangs on each source and claim has not been examined (by {command})."


def _choose_caveat(result: Result) -> str:
    """Return the caveat that matters most, in one line."""
    headline = list_headline(result)
    if not result.used_claims:
        return "No claim could be used, so the figures say what wars are like, and nothing of this one."
    if any(entry.prior_share > MOST for entry in headline):
        return "More than half of what is said here is the prior's: what other wars were like, not what was claimed."
    if list(find_conflicts(result)):
        return "Where sources contradict each other the truth may lie with one of them, and not between."
    if any(entry.bias_share > MOST for entry in headline):
        return "How far each source shades the truth is known from other wars, hardly from these claims."
    return "If all sources err in the same way, their claims cannot show it."
