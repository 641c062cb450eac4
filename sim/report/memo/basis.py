"""What a memo's answer rests on: robustness, where the uncertainty comes from, limits, method, provenance."""

from __future__ import annotations

from collections.abc import Iterator

from sim.report.confidence import RULE
from sim.report.labels import label_forces, label_sources, name_count
from sim.report.memo.blocks import Block, Material, Points, Table, Text
from sim.report.memo.claims import show_expected, show_owner, show_said
from sim.report.robustness import tell_robustness
from sim.words import SCALES, show_number, show_share

MAX_REPORTS = 7  # that might come next, of a force
LEAST_SHARE = 0.005  # of the variance, that is told
STRAINED = 1.5  # standard deviations, from which a claim is said to be off
EQUATION = "log(said) = log(true count) + bias(role, war, source, source and quantity) + noise + wording"


def compose_robustness(material: Material) -> Iterator[Block]:
    """Yield what a sensitivity report of the same inputs says, or that there is none."""
    report = material.sensitivity
    if report is None:
        advice = f"truetoll sensitivity {material.result.case}"
        yield Text(f"Not examined: no sensitivity report of these inputs was found ({advice}).")
        return
    yield Text(f"The case was fitted anew, or its draws reweighted, under {len(report.scenarios)} variants.")
    yield Points(tuple(tell_robustness(report)))


def compose_uncertainty(material: Material) -> Iterator[Block]:
    """Yield the shares of the variance, and what the next report would be worth."""
    result, forces = material.result, label_forces(material.result)
    shares = [(name, share) for entry in result.variance for name, share in entry.shares.items()]
    names = tuple(dict.fromkeys(name for name, share in shares if share >= LEAST_SHARE))
    several = len(forces) > 1
    if names:
        priors = {(entry.force, entry.quantity): entry.prior_share for entry in result.estimates}
        rows = tuple(
            (
                f"{forces[entry.force]}: {name_count(entry.quantity)}" if several else name_count(entry.quantity),
                *(f"{entry.shares.get(name, 0.0):.0%}" for name in names),
                f"{priors[entry.force, entry.quantity]:.0%}",
            )
            for entry in result.variance
        )
        header = ("Count", *(name.capitalize() for name in names), "Of the prior's variance left")
        yield Table("Shares of the variance of the log of each count", header, rows, "l" + "r" * (len(names) + 1))
    for force in dict.fromkeys(entry.force for entry in result.next_reports):
        reports = [entry for entry in result.next_reports if entry.force == force]
        rows = tuple(
            (each.label, f"{1 - each.width_ratio:.0%} narrower", f"{each.log_score_gain:.2f}")
            for each in reports[:MAX_REPORTS]
        )
        what = name_count(reports[0].quantity, forces[force] if several else "")
        caption = f"What one more report on {what} would be expected to bring"
        yield Table(caption, ("Report", "90% interval", "Gain of the log score"), rows, "lrr")


def compose_limits(material: Material) -> Iterator[Block]:
    """Yield what the claims cannot tell, the claims that are off, and what has no value in some draws."""
    result, labels = material.result, label_sources(material.result)
    points = [
        "A bias that all sources share cannot be seen in their claims. It comes from the prior, which rests on how "
        "such sources did in other wars; those are the wars that people wrote about, so exaggeration is "
        "over-represented.",
        "Calibration can be shown for the killed and for equipment. Wounded and totals extrapolate it.",
    ]
    for claim in result.claims:
        if claim.standardised is not None and abs(claim.standardised) > STRAINED:
            points.append(
                f"{show_owner(claim, labels)} said {show_said(claim)} ({name_count(claim.quantity)}, {claim.as_of}) "
                f"where the model expected {show_expected(claim)}: the claim is "
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
    effective = f", smallest effective sample size {show_number(min(sizes))}" if sizes else ""
    yield Text(
        "Killed, wounded and captured add up, and losses never exceed those sent. A claim that repeats another counts "
        "once. Intervals are equal-tailed credible intervals of a Bayesian model with the prior set "
        f"“{material.result.prior.name}”, sampled with {found.chains} chains of {found.draws} draws "
        f"(largest R-hat {found.max_rhat:.3f}{effective}, {found.divergences} divergences)."
    )
    yield Text(f"Words for probabilities: {SCALES[material.scale]}")
    yield Text(f"Confidence: {RULE}")


def compose_provenance(material: Material) -> Iterator[Block]:
    """Yield what the figures were made from."""
    result, manifest = material.result, material.manifest
    rows = [("Seed", str(result.seed)), ("Inputs", result.inputs)]
    if manifest:
        rows = [("Command", " ".join(manifest.command)), ("Seed", str(manifest.seed))]
        rows += [(name, f"sha256 {digest}") for name, digest in manifest.inputs.items()]
        rows.append(("Versions", ", ".join(f"{name} {number}" for name, number in manifest.versions.items())))
    yield Table("What the figures were made from", ("What", "Value"), tuple(rows), "ll")
