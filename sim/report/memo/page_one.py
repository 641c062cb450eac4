"""Page one of a memo, in the order in which a reader asks: what, why not the official figure, how sure, what else."""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.summary import Estimate, Exceedance, Result
from sim.report.confidence import judge_confidence
from sim.report.finding import choose_lead, name_forces
from sim.report.labels import name_count, name_row, tell_forces_apart
from sim.report.memo.blocks import Block, Material, Picture, Table, Terms, Text, show_command
from sim.report.notes import MOST, list_openings
from sim.report.official import tell_official
from sim.report.robustness import tell_pivot
from sim.report.table import list_distinct, list_headline, show_estimate, show_range
from sim.words import join_words, say_probability, show_day, show_given, show_probability

MAX_LINES = 7  # of the table
MAX_EVENTS = 2  # thresholds in the second sentence
HEADER = ("Median", "50% credible interval", "90% credible interval")
DOTS = "Each dot is 5% of the probability; thick line: 50% credible interval; thin line: 90%; tick: median"
PERSONS = ("killed", "wounded", "captured", "missing", "deployed")


def compose_page_one(material: Material) -> Iterator[Block]:
    """Yield what comes first, two sentences, a figure, a table, and the four answers."""
    result = material.result
    yield from (Text(line, "note") for line in list_openings(result))
    yield Text(f"{_say_estimates(result)} {_say_odds(result, material.scale)}")
    yield Picture("headline.png", DOTS)
    yield _tabulate(result)
    yield Terms(tuple(_answer(material)))


def _say_estimates(result: Result) -> str:
    forces = name_forces(result)
    if len(forces) == 1:
        entries = list_headline(result)[:2]
        named = [_name_lost(entry) for entry in entries]
    else:
        entries = [entry for entry in (choose_lead(result, force) for force in forces) if entry is not None][:3]
        named = [f"{_name_lost(entry)} of {forces[entry.force]}" for entry in entries]
    told = [
        f"the {name} at {show_estimate(entry)} ({'90% interval: ' if not number else ''}{show_range(entry)})"
        for number, (name, entry) in enumerate(zip(named, entries, strict=True))
    ]
    return f"By {show_day(result.as_of)} we put {join_words(told)}." if told else ""


def _name_lost(entry: Estimate) -> str:
    name = name_count(entry.quantity)
    people = entry.quantity in (*PERSONS, "casualties", "losses", "standing") or entry.parts != (entry.quantity,)
    return name if people else f"{name} lost"


def _say_odds(result: Result, scale: str) -> str:
    """Return the first thresholds in one sentence; without one, what the odds are even on."""
    of = tell_forces_apart(result.forces)
    events = [judge_threshold(entry, scale, of[entry.force]) for entry in result.exceedance[:MAX_EVENTS]]
    if events:
        return f"{'; '.join([events[0], *(event[:1].lower() + event[1:] for event in events[1:])])}."
    entry = next(iter(list_headline(result)), None)
    if entry is None:
        return ""
    whose = f" ({of[entry.force]})" if of[entry.force] else ""
    return f"The odds are even that it is {show_range(entry, '0.5')} {name_count(entry.quantity)}{whose}."


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
    of, rows, before = tell_forces_apart(result.forces), [], ""
    for entry in entries:
        cells = (name_count(entry.quantity), show_estimate(entry), show_range(entry, "0.5"), show_range(entry))
        name, before = "" if of[entry.force] == before else of[entry.force], of[entry.force]
        rows.append((name, *cells) if len(of) > 1 else cells)
    head, align = (("Force", "Count"), "llrrr") if len(of) > 1 else (("Count",), "lrrr")
    return Table(caption, (*head, *HEADER), tuple(rows), align)


def _tabulate(result: Result) -> Table:
    return tabulate_estimates(result, choose_rows(result), f"Estimates by {show_day(result.as_of)}")


def _answer(material: Material) -> Iterator[tuple[str, str]]:
    result = material.result
    official = tell_official(result)
    if official:
        yield f"Why not the official figure{'s' if len(official) > 1 else ''}", " ".join(official)
    level, why = judge_confidence(result, material.sensitivity)
    yield "How sure", f"Confidence in these figures is {level}: {why}."
    yield "What would change it", " ".join(_tell_change(material))
    yield "Above all", _choose_caveat(result)


def _tell_change(material: Material) -> Iterator[str]:
    result, report = material.result, material.sensitivity
    if report is None:
        yield f"What it hangs on was not examined ({show_command(material, 'sensitivity')})."
    else:
        yield from tell_pivot(report)
    best = min(result.next_reports, key=lambda entry: entry.width_ratio, default=None)
    if best is not None and best.width_ratio < 0.995:
        count = name_row(best.quantity, tell_forces_apart(result.forces)[best.force])
        label = best.label.replace(", once more", " speaking once more").replace(", not heard yet", "")
        yield (
            f"Of one more report, {label} would tell most: the 90% interval ({count}) "
            f"would be {1 - best.width_ratio:.0%} narrower."
        )


def _choose_caveat(result: Result) -> str:
    """Return the caveat that matters most, in one line."""
    headline = list_headline(result)
    if not result.used_claims:
        return "No claim could be used, so the figures say what wars are like, and nothing of this one."
    if any(entry.prior_share > MOST for entry in headline):
        return "More than half of what is said here is the prior's: what other wars were like, not what was claimed."
    if any(entry.bias_share > MOST for entry in headline):
        return (
            "Most of the uncertainty is how far each source shades the truth, and that is known from other wars, "
            "hardly from these claims."
        )
    return "If all sources err in the same way, their claims cannot show it."
