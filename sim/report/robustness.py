"""What a sensitivity report says, in sentences: for the terminal, its own page, and the memo.

First what everything hangs on, of choices that somebody could make; then the pull of each source and claim; then the
rest. Copies that nobody made are a warning about unmarked echoes, and never what the answer hangs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.contract.sensitivity import Scenario, Sensitivity, find_count
from sim.contract.summary import NamedForce
from sim.report.labels import name_count, name_group, name_row, raise_first, tell_forces_apart
from sim.words import choose_digits, escape_cell, join_words, show_count, show_number, show_share, show_signed

MATTERS = 1 / 3  # of the posterior's standard deviation, from which a shift is told
DECIDES = 1.0  # of it, from which everything hangs on a choice
SENSITIVE = 0.05  # of ArviZ's power-scaling sensitivity, from which a prior is said to matter
GOOD_K = 0.7  # above which importance sampling is not to be trusted
CONFLICT = 0.05  # of the p-value after Holm's correction
MOST = 4  # exceptions named one by one
MOST_SHOWN = 90  # scenarios in a figure or a table
LEFT_OUT = ("leave_source_out", "leave_claim_out", "leave_part_out")
_CHOICES = {  # that somebody could make: what many of a kind are called, and one that does nothing
    "leave_source_out": ("sources left out", "source left out"),
    "leave_claim_out": ("claims left out", "claim left out"),
    "leave_part_out": ("halves and kinds of the claims left out", "half or kind of the claims left out"),
    "structure": ("other forms of the model", "other form of the model"),
    "prior_set": ("other shipped prior sets", "other shipped prior set"),
    "wording": ("other readings of wordings", "other reading of a wording"),
    "role": ("other readings of roles", "other reading of a role"),
    "lull": ("lulls dropped", "lull dropped"),
}
_DECIDED = {
    "structure": "the form of the model",
    "prior_set": "the choice of priors",
    "wording": "how a wording is read",
    "role": "how a role is read",
    "lull": "whether there was a lull",
}


def tell_robustness(report: Sensitivity, tabled: tuple[str, ...] = ()) -> list[str]:
    """Return the verdict in words: what moves the headline of each force, and what does not.

    Parameters
    ----------
    report : Sensitivity
    tabled : tuple of str
        Kinds of variants whose largest shifts a table beside it shows.
    """
    found = []
    if not report.base.trusted:
        found.append("The case as it stands did not converge: its shifts are NOT TO BE TRUSTED.")
    found += tell_pivot(report)
    for force in list_forces(report):
        view = look_at(report, force)
        if view:
            found += _tell_shifts(view, tabled)
    return list(dict.fromkeys([*found, *_tell_conflict(report), *_tell_doubts(report)]))


def tell_pivot(report: Sensitivity) -> list[str]:
    """Return for each force what its answer hangs on, and by how much: of what somebody could hold."""
    views = (look_at(report, force) for force in list_forces(report))
    return [text for view in views if view for text in _tell_pivot(view)]


def _find_pivot(report: Sensitivity) -> Scenario | None:
    """Return the scenario that moves the headline most, of those that somebody could hold."""
    entries = [each for each in report.scenarios if each.kind in _CHOICES and each.trusted]
    return max(entries, key=lambda each: abs(each.shift_sd), default=None)


def name_pivot(report: Sensitivity) -> str:
    """Return what the headline hangs on in a line: for a title."""
    first, of = _find_pivot(report), tell_apart(report)[report.force]
    if first is None or not is_moved(first):
        return f"No one choice moves the number {name_count(report.headline, of)} by much"
    opening = "Everything" if abs(first.shift_sd) > DECIDES else "Most"
    return f"{opening} hangs on {_name_choice(first)[0]} ({name_row(report.headline, of)})"


def _tell_pivot(report: Sensitivity) -> Iterator[str]:
    first = _find_pivot(report)
    if first is None:
        return
    base, count = find_base(report), name_headline(report)
    choice, otherwise = _name_choice(first)
    numbers = f"{show_scenario(first)} {otherwise}, {show_scenario(base)} as it stands"
    if is_moved(first):
        yield f"{name_pivot(report)}: {numbers}."
    else:
        yield (
            f"Nothing that somebody could choose otherwise moves the number {count} by more than a third of its "
            f"uncertainty; {choice} moves it most: {numbers}."
        )


def _name_choice(scenario: Scenario) -> tuple[str, str]:
    """Return what a scenario decides, and how its other side is told."""
    what = scenario.label.removeprefix("without ")
    if scenario.kind in LEFT_OUT:
        return f"whether {what} {'are' if scenario.kind == 'leave_part_out' else 'is'} believed", "without"
    return _DECIDED[scenario.kind], f"with {what}"


def show_scenario(scenario: Scenario) -> str:
    """Return what a count would be, with its 90% interval."""
    digits = choose_digits(scenario.intervals["0.9"])
    low, high = (show_count(edge, digits) for edge in scenario.intervals["0.9"])
    return f"{show_count(scenario.median, digits)} ({low} to {high})"


def list_forces(report: Sensitivity) -> list[str]:
    """Return the forces whose counts the report has."""
    return list(dict.fromkeys(entry.force for entry in report.base.quantities))


def tell_apart(report: Sensitivity) -> dict[str, str]:
    """Return what a number must be given to say whose it is; nothing where there is one force."""
    named = {entry.force: entry for entry in report.forces}
    keys = list_forces(report)
    return tell_forces_apart([named.get(key) or NamedForce(force=key, label=key) for key in keys])


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
    return name_count(report.headline, tell_apart(report)[report.force])


def _tell_shifts(report: Sensitivity, tabled: tuple[str, ...]) -> Iterator[str]:
    """Say of the number of a force what moves it, kind by kind, and then what does not."""
    what, still = f"the number {name_headline(report)}", []
    for kind, (many, one) in _CHOICES.items():
        entries = [each for each in report.scenarios if each.kind == kind and each.trusted]
        moved = sorted((each for each in entries if is_moved(each)), key=lambda each: -abs(each.shift_sd))
        if moved and kind in tabled:
            continue
        if moved:
            yield f"Of {many}, these move {what} by more than a third of its uncertainty: {_list_moved(moved)}."
        elif entries:
            still.append(one)
    if still:
        yield f"{raise_first(join_words([f'no {each}' for each in still]))} moves {what} by that much."
    yield from _tell_copies(report)
    yield from _tell_priors(report)


def _list_moved(moved: list[Scenario]) -> str:
    told = [
        f"{each.label}: {show_scenario(each)}, {show_signed(each.shift_sd)} standard deviations"
        for each in moved[:MOST]
    ]
    more = len(moved) - MOST
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _tell_doubts(report: Sensitivity) -> Iterator[str]:
    """Say what could not be judged: fits that did not converge, and weights that cannot be trusted."""
    doubtful = [each for each in report.scenarios if not each.trusted]
    for what, weighed in (("did not converge", False), (f"have importance weights with k above {GOOD_K}", True)):
        labels = [each.label for each in doubtful if (each.k is not None) == weighed]
        if labels:
            more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
            yield f"Not judged, as they {what}: {'; '.join(labels[:MOST])}{more}."


def count_failed(report: Sensitivity) -> int:
    """Return how many fits failed of the case and of readings that somebody could hold: not of copies nobody made."""
    fitted = [each for each in report.scenarios if each.kind in _CHOICES and each.how == "refit"]
    return sum(not each.trusted for each in fitted) + (not report.base.trusted)


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


def _tell_copies(report: Sensitivity) -> Iterator[str]:
    what = name_headline(report)
    copies = [each for each in report.scenarios if each.kind == "duplicate_source" and each.trusted]
    if copies:
        worst = max(copies, key=lambda each: abs(each.shift_sd))
        narrowest = min(copies, key=lambda each: each.width_ratio)
        also = ", and" if narrowest is worst else f"; {narrowest.label}:"
        yield (
            f"A warning, not a reading: an echo that nobody marked would count as news of the number {what} "
            f"({worst.label}: {show_signed(worst.shift_sd)} standard deviations{also} the 90% interval "
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
            f"Priors that matter to the number {name_headline(report)} by power-scaling (sensitivity from .05): "
            f"{join_words([f'{each.group} ({show_number(each.psense, 2)})' for each in strong])}."
        )
    elif of:
        what = name_headline(report)
        yield f"No group of priors matters to the number {what} by power-scaling (all sensitivities below .05)."


def list_conflicts(report: Sensitivity) -> list[str]:
    """Return which groups of sources contradict each other, in words."""
    of = tell_apart(report)
    return [
        f"{name_group(each.first)} over {name_group(each.second)}, {name_count(each.quantity, of[each.force])} by a "
        f"factor of {show_number(each.factor, 2)} (p {show_number(each.p_adjusted, 2)} after Holm's correction)"
        for each in report.conflict
        if each.trusted and each.p_adjusted < CONFLICT
    ]


def _tell_conflict(report: Sensitivity) -> Iterator[str]:
    entries = [each for each in report.conflict if each.trusted]
    if all(each.kind in (*LEFT_OUT, "prior_power") for each in report.scenarios):  # of `--quick`
        yield "Groups of sources were not set against each other: nothing was fitted anew."
        return
    if not report.groups:
        yield "The sources that are used do not stand in two roles: no group of them can be set against another."
        return
    if not entries:
        yield "No two groups of sources speak of the same count: none can be set against another."
        return
    apart = list_conflicts(report)
    yield from (f"Sources conflict: {each}." for each in apart)
    if not apart:
        least = min(each.p_adjusted for each in entries)
        yield (
            f"No two groups of sources conflict beyond what their biases in past wars allow (smallest of "
            f"{entries[0].tests} p-values after Holm's correction: {show_number(least, 2)})."
        )


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
        lines.append(f"| {' | '.join(cells)} | {show_signed(each.shift_sd, 2)} | {how} |")
    lines += ["", "![Every variant, ordered](figures/variants.png)", ""]
    if report.conflict:
        lines += ["![Who disagrees with whom](figures/conflict.png)", ""]
    return "\n".join(lines)


def show_sensitivity(report: Sensitivity) -> str:
    """Return the verdict as text for the terminal."""
    return "\n".join([f"{report.title}, as of {report.as_of}", "", *tell_robustness(report)])
