"""What a memo's answer rests on: robustness, where the uncertainty comes from, limits, method, provenance."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from sim.contract.sensitivity import Scenario, Sensitivity
from sim.contract.summary import Result
from sim.report.confidence import RULE
from sim.report.labels import label_sources, name_row, name_whole, raise_first, tell_forces_apart
from sim.report.memo.blocks import Block, Material, Points, Table, Text, show_command
from sim.report.memo.claims import show_expected, show_owner, show_said
from sim.report.notes import list_limits
from sim.report.robustness import (
    LEFT_OUT,
    find_base,
    list_forces,
    list_shown,
    look_at,
    name_headline,
    tell_pivot,
    tell_robustness,
)
from sim.words import SCALES, choose_digits, show_count, show_day, show_number, show_share, show_signed

MOST_PULLS = 6  # sources, and claims, in the tables of pulls
PULLS = ("Median without it", "90% interval", "Pull (sd)", "Weight")
PULL = (
    "Pull: by how many standard deviations it moves the answer, up (+) or down. Weight: how much of the precision is "
    "lost without it."
)
HOW = {"refit": "fitted anew", "psis": "reweighted", "power-scaled": "reweighted", "same": "the same model"}
STRAINED = 1.5  # standard deviations, from which a claim is said to be off
EQUATION = "log(said) = log(true count) + bias(role, war, source, source and quantity) + noise + wording"


def compose_robustness(material: Material) -> Iterator[Block]:
    """Yield what a sensitivity report of the same inputs says, or that there is none."""
    report = material.sensitivity
    if report is None:
        advice = show_command(material, "sensitivity")
        yield Text(f"Not examined: there is no sensitivity report of these inputs ({advice} makes one).")
        return
    first, rest = tell_pivot(report), tell_robustness(report, LEFT_OUT[:2])
    yield Points(tuple(first))
    yield Text(PULL)
    for force in list_forces(report):
        view = look_at(report, force)
        yield from _tabulate_pulls(view) if view else ()
    yield Text(f"Under {len(report.scenarios)} variants, fitted anew or reweighted:")
    yield Points(tuple(each for each in rest if each not in first))


def _tabulate_pulls(report: Sensitivity) -> Iterator[Block]:
    """Yield what the headline of a force would be without each source, and without the claims that pull most."""
    parts = (("leave_source_out", "source"), ("leave_claim_out", "claim"))
    for kind, word in parts:
        entries = [each for each in report.scenarios if each.kind == kind]
        told = sorted(entries, key=lambda each: -abs(each.shift_sd))[:MOST_PULLS]
        rows = tuple(
            (
                each.label.removeprefix("without "), *_show_numbers(each),
                show_signed(-each.shift_sd) + ("" if each.trusted else ", not judged"), f"{weigh(each):.0%}",
            )
            for each in told
        )  # fmt: skip
        more = f", the {len(told)} of {len(entries)} that pull most" if len(entries) > len(told) else ""
        caption = f"{raise_first(name_headline(report))} without each {word}{more}"
        yield Table(caption, (word.capitalize(), *PULLS), rows, "lrrrr")
    base = find_base(report)
    yield Text(f"{raise_first(name_headline(report))} with all of them: {' ('.join(_show_numbers(base))}).")


def _show_numbers(scenario: Scenario) -> tuple[str, str]:
    digits = choose_digits(scenario.intervals["0.9"])
    low, high = (show_count(edge, digits) for edge in scenario.intervals["0.9"])
    return show_count(scenario.median, digits), f"{low} to {high}"


def weigh(scenario: Scenario) -> float:
    """Return the share of the precision of the log that is lost with what a scenario leaves out; zero for none."""
    return max(0.0, 1 - 1 / max(scenario.width_ratio, 1e-6) ** 2)


def compose_variants(material: Material) -> Iterator[Block]:
    """Yield every variant of the sensitivity report."""
    report = material.sensitivity
    for force in list_forces(report) if report else ():
        view = look_at(report, force) if report else None
        if view is None:
            continue
        rows = tuple(
            (each.label, *_show_numbers(each), show_signed(each.shift_sd, 2), HOW.get(each.how, each.how))
            for each in list_shown(view)
        )
        caption = f"{raise_first(name_headline(view))} under every variant; copies are a warning, made by nobody"
        yield Table(caption, ("Variant", "Median", "90% interval", "Shift (sd)", "How"), rows, "lrrrl")


def compose_limits(material: Material) -> Iterator[Block]:
    """Yield what the claims cannot tell, the claims that are off, and what has no value in some draws."""
    result, labels = material.result, label_sources(material.result)
    of = tell_forces_apart(result.forces)
    points = list_limits(result)
    points += [f"Asked, and not answered: {each.where} {each.text}.".replace("?.", "?") for each in result.questions]
    for claim in result.claims:
        if claim.standardised is not None and abs(claim.standardised) > STRAINED:
            topic = name_row(claim.quantity, of[claim.force]) + name_whole(claim, of)
            points.append(
                f"{show_owner(claim, labels)} said {show_said(claim)} ({topic}, "
                f"{show_day(claim.as_of)}) where the model expected {show_expected(claim)}: the claim is "
                f"{show_number(abs(claim.standardised), 2)} standard deviations off."
            )
    points += [
        f"{entry.label} is undefined in {show_share(entry.undefined)} of the draws."
        for entry in result.derived
        if entry.undefined
    ]
    yield Points(tuple(points))


def compose_method(material: Material) -> Iterator[Block]:
    """Yield the model in a sentence, how it was sampled, and whose words are used."""
    yield Text(
        "Each claim is the source's belief, blurred by noise, wording and rounding; the belief is the truth times the "
        "source's bias:"
    )
    yield Text(EQUATION, "equation")
    found = material.result.diagnostics
    sizes = [size for size in (found.min_ess_bulk, found.min_ess_tail) if size]
    effective = f"; smallest effective sample size {show_number(min(sizes))}" if sizes else ""
    yield Text(
        f"{_describe_model(material.result)}A claim that repeats another counts once. Intervals are equal-tailed "
        "credible intervals of a Bayesian model with the prior set "
        f"“{material.result.prior.name}”, sampled with {found.chains} chains of {found.draws} draws "
        f"(largest R-hat {found.max_rhat:.3f}, 1 where chains agree{effective}; {found.divergences} divergences)."
    )
    yield Text(f"Words for probabilities: {SCALES[material.scale]}")
    yield Text(f"Confidence: {RULE}")


def _describe_model(result: Result) -> str:
    """Return what the counts of this case have to do with each other: that they add up, that a force bounds them."""
    totals = any(len(entry.parts) > 1 for entry in result.estimates)
    bounded = any(entry.quantity == "deployed" for entry in result.estimates)
    told = ["outcomes add up to their totals"] * totals + ["losses never exceed those sent"] * bounded
    return f"{raise_first(' and '.join(told))}. " if told else ""


def compose_provenance(material: Material) -> Iterator[Block]:
    """Yield what the figures were made from."""
    result, manifest = material.result, material.manifest
    rows = [("Seed", str(result.seed)), ("Inputs", result.inputs)]
    if manifest:
        rows = [("Command", shlex.join(manifest.command)), ("Seed", str(manifest.seed))]
        rows += [(name, f"sha256 {digest}") for name, digest in manifest.inputs.items()]
        rows.append(("Versions", ", ".join(f"{name} {number}" for name, number in manifest.versions.items())))
    yield Table("What the figures were made from", ("What", "Value"), tuple(rows), "ll")
