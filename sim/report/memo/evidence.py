"""The evidence in a memo: what has changed, every estimate, the path with its claims, where the uncertainty is."""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.summary import list_distinct
from sim.report.labels import name_count, name_row, tell_forces_apart
from sim.report.memo.asking import tabulate_chances
from sim.report.memo.blocks import Block, Material, Points, Table, Text, show_figures
from sim.report.memo.page_one import HEADER, MAX_EVENTS, choose_rows, judge_threshold, tabulate_estimates
from sim.report.notes import list_remarks
from sim.report.table import list_derived
from sim.words import show_day

MAX_REPORTS = 7  # that might come next, of a force
LEAST_SHARE = 0.005  # of the variance, that is told
LEFT = "Prior's variance left: how much of what was open before any claim still is."
MEANINGS = {
    "path": "Path: what was lost between the days that claims speak of and this one.",
    "split of the losses": "Split of the losses: how many of them were killed, wounded and so on.",
    "size": "Size: how many were sent.",
}
PATHS = "Losses over time: medians, 50% and 90% intervals, and the claims"


def compose_change(material: Material) -> Iterator[Block]:
    """Yield what has changed since an earlier run, where one was named."""
    if material.change:
        yield Points(material.change)


def compose_evidence(material: Material) -> Iterator[Block]:
    """Yield what every report must say, what page one had no room for, and where the uncertainty comes from."""
    result, of = material.result, tell_forces_apart(material.result.forces)
    yield from (Text(note, "note") for note in list_remarks(result))
    events = result.exceedance[MAX_EVENTS:]
    if events:
        yield Points(tuple(f"{judge_threshold(entry, material.scale, of[entry.force])}." for entry in events))
    yield from show_figures(result, "losses-over-time", PATHS, 0.92)
    day, first = f"by {show_day(result.as_of)}", choose_rows(result)
    further = [entry for entry in list_distinct(result) if entry not in first]
    if further:
        yield tabulate_estimates(result, further, f"Further estimates {day}")
    if result.used_claims:
        yield tabulate_chances(result)
    derived = tuple(list_derived(result, brief=True))
    if derived:
        yield Table(f"Derived quantities {day}", ("Derived", *HEADER), derived, "lrrr")
    yield from _tabulate_variance(material)
    yield from _tabulate_reports(material)


def _tabulate_variance(material: Material) -> Iterator[Block]:
    """Yield the shares of the variance."""
    result, of = material.result, tell_forces_apart(material.result.forces)
    shares = [(name, share) for entry in result.variance for name, share in entry.shares.items()]
    names = tuple(dict.fromkeys(name for name, share in shares if share >= LEAST_SHARE))
    if not names:
        return
    priors = {(entry.force, entry.quantity): entry.prior_share for entry in result.estimates}
    rows = tuple(
        (
            name_row(entry.quantity, of[entry.force]),
            *(f"{entry.shares.get(name, 0.0):.0%}" for name in names),
            f"{priors[entry.force, entry.quantity]:.0%}",
        )
        for entry in result.variance
    )
    yield Text(" ".join([LEFT, *(MEANINGS[name] for name in names if name in MEANINGS)]))
    header = ("Count", *(name.capitalize() for name in names), "Prior's variance left")
    yield Table("Where the uncertainty comes from: shares of the variance", header, rows, "l" + "r" * (len(names) + 1))


def _tabulate_reports(material: Material) -> Iterator[Block]:
    """Yield what the next report would be worth, for each force."""
    result, of = material.result, tell_forces_apart(material.result.forces)
    for force in dict.fromkeys(entry.force for entry in result.next_reports):
        reports = [entry for entry in result.next_reports if entry.force == force]
        rows = tuple((each.label, f"{1 - each.width_ratio:.0%} narrower") for each in reports[:MAX_REPORTS])
        what = name_count(reports[0].quantity, of[force])
        caption = f"What one more report on the {what} would be expected to bring"
        yield Table(caption, ("Report", "90% interval"), rows, "lr")
