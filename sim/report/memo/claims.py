"""Sources and claims in a memo: what each source is worth, and every claim as it was worded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from sim.case.case import Role
from sim.contract.summary import Bias, JudgedClaim, Reading
from sim.report.labels import (
    choose_sources,
    label_sources,
    name_count,
    name_row,
    name_whole,
    sort_naturally,
    tell_forces_apart,
)
from sim.report.memo.blocks import Block, Link, Material, Points, Table, Text, show_figures
from sim.report.robustness import list_forces, look_at
from sim.words import (
    show_count,
    show_day,
    show_factor,
    show_given_in,
    show_in,
    show_probability,
    show_share,
    show_signed,
)

_ID = re.compile(r"[A-Za-z][\w.]*[-_][\w.-]*\w")
LONG = ("Wording", "Where it was read")
ROLES = {
    "own": "its own side",
    "ally_of_own": "ally of its side",
    "adversary": "adversary",
    "ally_of_adversary": "ally of its adversary",
    "independent": "independent",
}


def compose_sources(material: Material) -> Iterator[Block]:
    """Yield what each source makes of the truth, and how its role can be read."""
    result, labels = material.result, label_sources(material.result)
    if not result.bias:
        yield Text("No source has a claim that can be used.")
        return
    yield Text(
        "A source's bias is what it makes of the truth: 1 is none, 2 says twice the losses. Where the prior's share is "
        "high, its claims have told little about it, and the figure is what such sources did in other wars."
    )
    of, shown = tell_forces_apart(result.forces), _list_shown(material)
    few = [entry for entry in result.bias if (entry.force, entry.source) in shown]
    more = "" if len(few) == len(result.bias) else ": those that speak most; an annex has all"
    yield _tabulate_sources(material, few, more)
    if result.readings:
        yield Text("Some roles can be read in more than one way:")
        yield Points(tuple(_tell_reading(reading, labels[reading.source], of) for reading in result.readings))
    caption = "What each source makes of the truth: median, 50% and 90% credible intervals"
    yield from show_figures(result, "biases", caption)


def compose_all_sources(material: Material) -> Iterator[Block]:
    """Yield every source, where there are more than the text shows."""
    shown = _list_shown(material)
    if any((entry.force, entry.source) not in shown for entry in material.result.bias):
        yield _tabulate_sources(material, material.result.bias)


def _list_shown(material: Material) -> set[tuple[str, str]]:
    forces = [entry.force for entry in material.result.forces]
    return {(force, source) for force in forces for source in choose_sources(material.result, force)}


def _tabulate_sources(material: Material, entries: Sequence[Bias], more: str = "") -> Table:
    result, labels = material.result, label_sources(material.result)
    sources = {entry.source: entry for entry in result.sources}
    of = tell_forces_apart(result.forces)
    rows = []
    for entry in sorted(entries, key=lambda entry: (sort_naturally(labels[entry.source]), entry.source)):
        source = sources[entry.source]
        low, high = entry.intervals["0.9"]
        role = show_roles(source.roles[entry.force]) + (f", rated {source.rating}" if source.rating else "")
        rows.append(
            (
                labels[entry.source], role, name_row(entry.quantity, of[entry.force]), show_factor(entry.median),
                f"{show_factor(low)} to {show_factor(high)}", show_share(entry.prior_share),
            )
        )  # fmt: skip
    header = ("Source", "Role", "Speaks of", "Bias", "90% interval", "Prior's share")
    return Table(f"What each source makes of the truth{more}", header, tuple(rows), "lllrrr", grouped=True)


def _tell_reading(reading: Reading, label: str, of: dict[str, str]) -> str:
    chance = f"probability {show_probability(reading.probability)} after the claims"
    medians = []
    for name, value in reading.medians.items():
        force, quantity = name.split(".")
        if quantity in ("killed", "casualties"):
            medians.append(f"; {name_count(quantity, of[force])} {show_count(value, 2)}")
    towards = f" of {of[reading.force]}" if of[reading.force] else ""
    return f"{label} as {show_roles((reading.role,))}{towards}: {chance}{''.join(medians)}."


def compose_used_claims(material: Material) -> Iterator[Block]:
    """Yield the claims that the answer rests on, beside what was expected, and each one's pull where it is known."""
    labels, of = label_sources(material.result), tell_forces_apart(material.result.forces)
    known = {claim.id: claim for claim in material.result.claims}
    pulls, report = _list_pulls(material), material.sensitivity
    forecasts = {each.claim: each.off_by for each in report.forecasts} if report else {}
    rows = []
    for claim in material.result.claims:
        if not claim.used:
            continue
        beside = claim.standardised or 0.0
        told = (
            show_signed(forecasts[claim.id]) if claim.id in forecasts else f"{show_signed(beside)}*" * bool(forecasts)
        )
        off = ("–", "denies") if claim.denies else (show_expected(claim), told or show_signed(beside))
        said = (_show_source(claim, labels), _show_claim(claim, of), _show_days(claim))
        pull = (pulls.get(claim.id, "–"),) if pulls else ()
        rows.append((*said, *off, *pull, _show_wording(claim, known, labels), _show_report(claim)))
    header = (
        "Source",
        "Said",
        "As of",
        "Expected",
        "Off\N{NO-BREAK SPACE}by (sd)",
        *["Pull (sd)"] * bool(pulls),
        *LONG,
    )
    align = f"lllrr{'r' * bool(pulls)}ll"
    if rows:
        yield Text(
            "Expected: what the source was expected to say. Off by: how far the claim is off that, in standard "
            "deviations (sd)"
            + (
                ", as forecast without it; with an asterisk, beside a fit that it took part in. Pull: by how many "
                "standard deviations it moves the answer."
                if forecasts
                else "."
            )
        )
    table = Table("Claims that the answer rests on", header, tuple(rows), align, under=len(LONG))
    yield table.drop_empty() if rows else Text("No claim could be used.")


def _list_pulls(material: Material) -> dict[str, str]:
    """Return by how many standard deviations each claim moves the headline of its force."""
    report, pulls = material.sensitivity, dict[str, str]()
    forces = {claim.id: claim.force for claim in material.result.claims}
    for force in list_forces(report) if report else ():
        view = look_at(report, force) if report else None
        for each in view.scenarios if view else ():
            if each.kind == "leave_claim_out" and forces.get(each.what) == force:
                pulls[each.what] = show_signed(-each.shift_sd) if each.trusted else "not judged"
    return pulls


def compose_unused_claims(material: Material) -> Iterator[Block]:
    """Yield the claims that are not used, and why."""
    labels, of = label_sources(material.result), tell_forces_apart(material.result.forces)
    known = {claim.id: claim for claim in material.result.claims}
    rows = tuple(
        (
            _show_source(claim, labels), _show_claim(claim, of), _show_days(claim),
            tell_why(claim, known, labels), _show_wording(claim, known, labels), _show_report(claim),
        )
        for claim in material.result.claims
        if not claim.used
    )  # fmt: skip
    header = ("Source", "Said", "As of", "Why not", *LONG)
    table = Table("Claims that are shown and not used", header, rows, "llllll", under=len(LONG))
    yield table.drop_empty() if rows else Text("Every claim is used." if known else "There are no claims.")


def tell_why(claim: JudgedClaim, known: dict[str, JudgedClaim], labels: dict[str, str]) -> str:
    """Return why a claim is not used; another row is named by what it says, since no table shows its id."""
    why = claim.why_not or ""
    words, _, last = why.rpartition(" ")
    if last in known and words in ("is added to", "replaced by", "repeats", "duplicates") and why != claim.exclude:
        return f"{words} {_point_at(known[last], labels)}"
    return _name_rows(why, known, labels)


def _point_at(claim: JudgedClaim, labels: dict[str, str]) -> str:
    return f"{labels[claim.source]}: {show_said(claim)}, {show_day(claim.as_of, letters=3)}"


def _name_rows(text: str, known: dict[str, JudgedClaim], labels: dict[str, str]) -> str:
    """Return text with what a row says in the place of its id, where that could be no word or number."""

    def tell(found: re.Match[str]) -> str:
        return _point_at(known[found[0]], labels) if found[0] in known else found[0]

    return _ID.sub(tell, text)


def _show_source(claim: JudgedClaim, labels: dict[str, str]) -> str:
    """Return whose claim it is, who relays it, and who spoke."""
    speaker = f" ({claim.speaker})" if claim.speaker else ""
    return f"{show_owner(claim, labels) if claim.used else labels[claim.source]}{speaker}"


def _show_wording(claim: JudgedClaim, known: dict[str, JudgedClaim], labels: dict[str, str]) -> str:
    """Return a claim's words, and what whoever wrote it down noted on it."""
    words, noted = f"“{claim.phrase}”" if claim.phrase else "", _name_rows(claim.note, known, labels)
    note = f"Note: {noted}" if words else noted
    return f"{words} {note}".strip() if claim.note else words


def show_roles(roles: tuple[Role, ...]) -> str:
    """Return roles in words."""
    return " or ".join(ROLES[role] for role in roles)


def show_said(claim: JudgedClaim) -> str:
    """Return a claim's number as it was worded."""
    show = partial(show_given_in, unit=claim.unit)
    wording = claim.wording
    if wording.law == "range" and claim.low is not None:
        return f"{show(claim.low)} to {show(claim.high)}"
    return "no number" if claim.value is None else f"{wording.before}{show(claim.value)}"


def show_owner(claim: JudgedClaim, labels: dict[str, str]) -> str:
    """Return whose claim it is, and who relays it."""
    relay = "" if claim.owner == claim.source else f", as relayed by {labels[claim.source]}"
    return f"{labels[claim.owner]}{relay}"


def show_expected(claim: JudgedClaim) -> str:
    """Return what the model expected the source to say."""
    return show_in(claim.expected, claim.unit)


def _show_claim(claim: JudgedClaim, of: dict[str, str]) -> str:
    """Return what was said, and of what."""
    said, topic = show_said(claim), name_count(claim.quantity, of[claim.force]) + name_whole(claim, of)
    topic += f" ({claim.part})" * bool(claim.part)
    return f"{said} {topic}" if claim.value is not None or claim.low is not None else f"{topic}: {said}"


def _show_report(claim: JudgedClaim) -> str | Link:
    return Link(claim.report or claim.url, claim.url) if claim.url.startswith(("http://", "https://")) else claim.report


def _show_days(claim: JudgedClaim) -> str:
    """Return the days that a claim speaks of, and when it was published, months short: a column is narrow."""
    show = partial(show_day, letters=3)
    days = f"{show(claim.since)} to {show(claim.as_of)}" if claim.since else show(claim.as_of)
    return days if claim.published == claim.as_of else f"{days}, published {show(claim.published)}"
