"""The first page of a memo: the answer, what has changed, and the estimates."""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.summary import Exceedance
from sim.report.confidence import judge_confidence
from sim.report.labels import label_forces, name_count
from sim.report.memo.blocks import Block, Material, Points, Table, Text, show_figures
from sim.report.table import list_derived, list_estimates, list_headline, list_notes
from sim.words import say_probability, show_count, show_given, show_probability

MAX_LINES = 7  # of the table on page one
_HEADER = ("Quantity", "Median", "50% credible interval", "90% credible interval")
_PERSONS = ("killed", "wounded", "captured", "missing", "deployed")


def compose_bottom_line(material: Material) -> Iterator[Block]:
    """Yield the headline, the thresholds, confidence and why, and what every report must say."""
    result, points, forces = material.result, [], label_forces(material.result)
    of = dict.fromkeys(forces, "") if len(forces) == 1 else forces
    for entry in list_headline(result):
        low, high = (show_count(edge) for edge in entry.intervals["0.9"])
        name = name_count(entry.quantity.capitalize(), of[entry.force])
        points.append(f"{name}: {show_count(entry.median)}, with 90% probability between {low} and {high}.")
    for threshold in result.exceedance:
        force = f" ({of[threshold.force]})" if of[threshold.force] else ""
        points.append(f"{judge_threshold(threshold, material.scale)}{force}.")
    yield Points(tuple(points))
    confidence, why = judge_confidence(result)
    yield Text(f"Confidence in these figures is {confidence}: {why}.")
    yield from (Text(note, "note") for note in list_notes(result))


def judge_threshold(entry: Exceedance, scale: str = "icd203") -> str:
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
    event = f"{more} were {name}" if entry.quantity in _PERSONS else f"there were {more} {name}"
    return f"{opening} that {event}"


def compose_change(material: Material) -> Iterator[Block]:
    """Yield what has changed since an earlier run, where one was named."""
    if material.change:
        yield Points(material.change)


def compose_estimates(material: Material) -> Iterator[Block]:
    """Yield the tables of counts and derived quantities, and two figures."""
    result = material.result
    lines, derived = tuple(list_estimates(result)), tuple(list_derived(result))
    day = f"as of {result.as_of}"
    yield Table(f"Estimates {day}", _HEADER, lines[:MAX_LINES], "lrrr")
    dots = "Each dot is 5% of the probability; lines: 50% and 90% credible intervals"
    yield from show_figures(result, "headline", dots, 0.94)
    if lines[MAX_LINES:]:
        yield Table(f"Further estimates {day}", _HEADER, lines[MAX_LINES:], "lrrr")
    if derived:
        yield Table(f"Derived quantities {day}", ("Derived", *_HEADER[1:]), derived, "lrrr")
    paths = "Losses over time: medians, 50% and 90% intervals, and the claims"
    yield from show_figures(result, "losses-over-time", paths, 0.92)
