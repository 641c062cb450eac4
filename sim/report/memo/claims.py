"""Sources and claims in a memo: what each source is worth, and every claim as it was worded."""

from __future__ import annotations

from collections.abc import Iterator

from sim.case.case import Role
from sim.case.wordings import WORDINGS
from sim.contract.summary import JudgedClaim, Reading
from sim.report.labels import label_sources, name_count
from sim.report.memo.blocks import Block, Material, Points, Table, Text, show_figures
from sim.words import show_count, show_given, show_given_share, show_number, show_probability, show_share

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
    sources = {entry.source: entry for entry in result.sources}
    rows = []
    for entry in result.bias:
        source = sources[entry.source]
        low, high = entry.intervals["0.9"]
        role = show_roles(source.roles[entry.force]) + (f", rated {source.rating}" if source.rating else "")
        rows.append(
            (
                source.label, role, name_count(entry.quantity), show_number(entry.median, 2),
                f"{show_number(low, 2)} to {show_number(high, 2)}", show_share(entry.prior_share),
            )
        )  # fmt: skip
    header = ("Source", "Role", "Speaks of", "Bias", "90% credible interval", "Still the prior's")
    yield Table("What each source makes of the truth", header, tuple(rows), "lllrrr")
    if result.readings:
        yield Text("Some roles can be read in more than one way:")
        yield Points(tuple(_tell_reading(reading, labels[reading.source]) for reading in result.readings))
    caption = "What each source makes of the truth: median, 50% and 90% credible intervals"
    yield from show_figures(result, "biases", caption)


def _tell_reading(reading: Reading, label: str) -> str:
    chance = f"probability {show_probability(reading.probability)} after the claims"
    medians = (
        f"; {name.split('.')[1]} {show_count(value)}"
        for name, value in reading.medians.items()
        if name.endswith((".killed", ".casualties"))
    )
    return f"{label} as {show_roles((reading.role,))}: {chance}{''.join(medians)}."


def compose_used_claims(material: Material) -> Iterator[Block]:
    """Yield the claims that the answer rests on, beside what was expected."""
    labels = label_sources(material.result)
    rows = tuple(
        (
            show_owner(claim, labels), show_said(claim), _show_topic(claim), _show_days(claim), claim.phrase,
            _show_report(claim), show_expected(claim), f"{claim.standardised:+.1f}",
        )
        for claim in material.result.claims
        if claim.used
    )  # fmt: skip
    header = ("Source", "Said", "Of", "As of", "Wording", "Where it was read", "Expected", "Off by (sd)")
    yield Table("Claims that the answer rests on", header, rows, "llllllrr") if rows else Text("None.")


def compose_unused_claims(material: Material) -> Iterator[Block]:
    """Yield the claims that are not used, and why."""
    labels = label_sources(material.result)
    rows = tuple(
        (
            labels[claim.source], show_said(claim), _show_topic(claim), _show_days(claim), claim.why_not or "",
            claim.phrase, _show_report(claim),
        )
        for claim in material.result.claims
        if not claim.used
    )  # fmt: skip
    header = ("Source", "Said", "Of", "As of", "Why not", "Wording", "Where it was read")
    yield Table("Claims that are shown and not used", header, rows, "lllllll") if rows else Text("None.")


def compose_notes(material: Material) -> Iterator[Block]:
    """Yield the notes that whoever wrote the claims left on them."""
    notes = tuple(f"{claim.id}: {claim.note}." for claim in material.result.claims if claim.note)
    if notes:
        yield Points(notes)


def show_roles(roles: tuple[Role, ...]) -> str:
    """Return roles in words."""
    return " or ".join(ROLES[role] for role in roles)


def show_said(claim: JudgedClaim) -> str:
    """Return a claim's number as it was worded."""
    show = show_given_share if claim.unit == "share" else show_given
    wording = WORDINGS[claim.qualifier]
    if wording.law == "range" and claim.low is not None:
        return f"{show(claim.low)} to {show(claim.high)}"
    return "no number" if claim.value is None else f"{wording.before}{show(claim.value)}"


def show_owner(claim: JudgedClaim, labels: dict[str, str]) -> str:
    """Return whose claim it is, and who relays it."""
    relay = "" if claim.owner == claim.source else f", as relayed by {labels[claim.source]}"
    return f"{labels[claim.owner]}{relay}"


def show_expected(claim: JudgedClaim) -> str:
    """Return what the model expected the source to say."""
    return show_share(claim.expected) if claim.unit == "share" else show_number(claim.expected)


def _show_topic(claim: JudgedClaim) -> str:
    of = f" as a share of {name_count(claim.of or 'deployed')}" if claim.unit == "share" else ""
    return name_count(claim.quantity) + of


def _show_report(claim: JudgedClaim) -> str:
    return f"{claim.report}: {claim.url}" if claim.url else claim.report


def _show_days(claim: JudgedClaim) -> str:
    return f"{claim.since} to {claim.as_of}" if claim.since else claim.as_of
