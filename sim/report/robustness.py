"""What a sensitivity report says, in sentences: for the terminal, its own page, and the memo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.contract.sensitivity import Scenario, Sensitivity, find_count
from sim.report.labels import name_count, name_group
from sim.words import escape_cell, show_count, show_number, show_share

MATTERS = 1 / 3  # of the posterior's standard deviation, from which a shift is told
SENSITIVE = 0.05  # of ArviZ's power-scaling sensitivity, from which a prior is said to matter
GOOD_K = 0.7  # above which importance sampling is not to be trusted
CONFLICT = 0.05  # of the p-value after Holm's correction
MOST = 4  # exceptions named one by one
MOST_SHOWN = 90  # scenarios in a figure or a table
_NONE = {
    "leave_source_out": "No single source moves {what} by more than a third of its uncertainty",
    "leave_claim_out": "No single claim does",
    "leave_part_out": "No half of the claims in time, and no kind of claim, does",
    "structure": "No other form of the model does",
    "prior_set": "No other shipped prior set moves it by as much",
    "wording": "No other reading of a wording does",
    "role": "No other reading of a role does",
    "lull": "No lull, dropped, does",
}


def tell_robustness(report: Sensitivity) -> list[str]:
    """Return the verdict in words: what moves the headline of each force, and what does not."""
    forces = list_forces(report)
    found = []
    if not report.base.trusted:
        found.append("The case as it stands did not converge: its shifts are NOT TO BE TRUSTED.")
    for force in forces:
        view = look_at(report, force)
        if view:
            found += _tell_shifts(view, force if len(forces) > 1 else "")
    found += [*_tell_conflict(report, several=len(forces) > 1), *_tell_doubts(report)]
    return found


def list_forces(report: Sensitivity) -> list[str]:
    """Return the forces whose counts the report has."""
    return list(dict.fromkeys(entry.force for entry in report.base.quantities))


def look_at(report: Sensitivity, force: str) -> Sensitivity | None:
    """Return the report with the first headline of another force leading its scenarios; none where it has none."""
    quantity = next((each.quantity for each in report.headlines if each.force == force), None)
    if quantity is None:
        return None
    scenarios = tuple(lead_scenario(scenario, force, quantity) for scenario in report.scenarios)
    return replace(report, force=force, headline=quantity, scenarios=scenarios)


def lead_scenario(scenario: Scenario, force: str, quantity: str) -> Scenario:
    """Return a scenario led by what became of a count."""
    first = find_count(scenario.quantities, force, quantity)
    return replace(
        scenario,
        median=first.median,
        intervals=first.intervals,
        shift_sd=first.shift_sd,
        shift_mcse=first.shift_mcse,
        width_ratio=first.width_ratio,
    )


def find_base(report: Sensitivity) -> Scenario:
    """Return the case as it stands, in the form of a scenario led by the headline."""
    first = find_count(report.base.quantities, report.force, report.headline)
    return Scenario(
        kind="base",
        what="",
        label="the case as it stands",
        median=first.median,
        intervals=first.intervals,
        shift_sd=0.0,
        shift_mcse=0.0,
        width_ratio=1.0,
        how=report.base.how,
        k=report.base.k,
        trusted=report.base.trusted,
        quantities=(),
    )


def name_headline(report: Sensitivity) -> str:
    """Return the headline's name in words."""
    return name_count(report.headline, report.force if len(list_forces(report)) > 1 else "")


def _tell_shifts(report: Sensitivity, of: str) -> Iterator[str]:
    what = f"the number {name_count(report.headline, of)}"
    for kind, none in _NONE.items():
        entries = [each for each in report.scenarios if each.kind == kind and each.trusted]
        if entries:
            moved = sorted((each for each in entries if is_moved(each)), key=lambda each: -abs(each.shift_sd))
            exceptions = f", but for {_list_exceptions(moved)}" if moved else ""
            yield f"{none.format(what=what)}{exceptions}."
    yield from _tell_copies(report)
    yield from _tell_priors(report)


def _tell_doubts(report: Sensitivity) -> Iterator[str]:
    """Say what could not be judged: fits that did not converge, and weights that cannot be trusted."""
    doubtful = [each for each in report.scenarios if not each.trusted]
    for what, weighed in (("did not converge", False), (f"have importance weights with k above {GOOD_K}", True)):
        labels = [each.label for each in doubtful if (each.k is not None) == weighed]
        if labels:
            more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
            yield f"Not judged, as they {what}: {'; '.join(labels[:MOST])}{more}."


def list_shown(report: Sensitivity) -> list[Scenario]:
    """Return the scenarios that a page has room for: of many, those that move the headline most."""
    scenarios = list(report.scenarios)
    if len(scenarios) <= MOST_SHOWN:
        return scenarios
    least = sorted((abs(each.shift_sd) for each in scenarios), reverse=True)[MOST_SHOWN - 1]
    return [each for each in scenarios if abs(each.shift_sd) >= least][:MOST_SHOWN]


def is_moved(scenario: Scenario) -> bool:
    """Return whether a scenario moves the headline by more than a third of its uncertainty."""
    return bool(abs(scenario.shift_sd) > MATTERS)


def _list_exceptions(moved: list[Scenario]) -> str:
    told = []
    for each in moved[:MOST]:
        low, high = (show_count(edge) for edge in each.intervals["0.9"])
        figures = f"{low} to {high}; {each.shift_sd:+.1f} standard deviations"
        told.append(f"{each.label.removeprefix('without ')}: {show_count(each.median)} ({figures})")
    more = len(moved) - MOST
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _tell_copies(report: Sensitivity) -> Iterator[str]:
    copies = [each for each in report.scenarios if each.kind == "duplicate_source"]
    if copies:
        worst = max(copies, key=lambda each: abs(each.shift_sd))
        narrowest = min(copies, key=lambda each: each.width_ratio)
        yield (
            f"Repeating is not confirming: an echo that nobody marked would count as news ({worst.label}: "
            f"{worst.shift_sd:+.1f} standard deviations; {narrowest.label}: the 90% interval "
            f"{show_share(narrowest.width_ratio)} as wide on the log scale)."
        )
    for echo in (each for each in report.scenarios if each.kind == "echo"):
        same = echo.shift_sd == 0 and echo.width_ratio == 1
        yield f"Every claim repeated and marked as an echo {'moves nothing' if same else 'moves it: A DEFECT'}."


def _tell_priors(report: Sensitivity) -> Iterator[str]:
    key = (report.force, report.headline)
    of = [each for each in report.priors if (each.force, each.quantity) == key]
    strong = sorted((each for each in of if each.psense >= SENSITIVE), key=lambda each: -each.psense)
    if strong:
        yield (
            "Priors that matter by power-scaling (sensitivity from .05): "
            f"{_join([f'{each.group} ({show_number(each.psense, 2)})' for each in strong])}."
        )
    elif of:
        yield "No group of priors matters by power-scaling (all sensitivities below .05)."


def _tell_conflict(report: Sensitivity, *, several: bool) -> Iterator[str]:
    entries = [each for each in report.conflict if each.trusted]
    if not report.groups:
        yield "The sources that are used do not stand in two roles: no group of them can be set against another."
        return
    if not entries:
        yield "No two groups of sources speak of the same count: none can be set against another."
        return
    apart = [each for each in entries if each.p_adjusted < CONFLICT]
    for each in apart:
        count, factor = name_count(each.quantity, each.force if several else ""), show_number(each.factor, 2)
        yield (
            f"Sources conflict: {name_group(each.first)} over {name_group(each.second)}, {count} by a factor of "
            f"{factor} (p {show_number(each.p_adjusted, 2)} after Holm's correction)."
        )
    if not apart:
        least = min(each.p_adjusted for each in entries)
        yield (
            f"No two groups of sources conflict beyond what their biases in past wars allow (smallest of "
            f"{entries[0].tests} p-values after Holm's correction: {show_number(least, 2)})."
        )


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def render_page(report: Sensitivity) -> str:
    """Return the report as one page of Markdown: the verdict, then every scenario."""
    what, base = name_headline(report), find_base(report)
    low, high = base.intervals["0.9"]
    lines = [
        f"# {escape_cell(report.title)}: what would change the answer",
        "",
        f"The number {what} by {report.as_of} is {show_count(base.median)}, with 90% probability between "
        f"{show_count(low)} and {show_count(high)}. Under {len(report.scenarios)} variants:",
        "",
        *(f"- {escape_cell(sentence)}" for sentence in tell_robustness(report)),
        "",
        f"| Variant | {what[:1].upper()}{what[1:]}, median | 90% credible interval | Shift (sd) | How |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for each in list_shown(report):
        low, high = each.intervals["0.9"]
        how = each.how if each.k is None else f"{each.how}, k {show_number(each.k, 2)}"
        cells = [escape_cell(each.label), show_count(each.median), f"{show_count(low)} to {show_count(high)}"]
        lines.append(f"| {' | '.join(cells)} | {each.shift_sd:+.2f} | {how} |")
    lines += ["", "![Every variant, ordered](figures/variants.png)", ""]
    if report.conflict:
        lines += ["![Who disagrees with whom](figures/conflict.png)", ""]
    return "\n".join(lines)


def show_sensitivity(report: Sensitivity) -> str:
    """Return the verdict as text for the terminal."""
    return "\n".join([f"{report.title}, as of {report.as_of}", "", *tell_robustness(report)])
