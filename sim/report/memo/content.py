"""What a memo says, as sections of blocks, whatever it is written in: so that its numbers are the same in every format.

A block is a mapping with a `kind`: `text`, `points`, `note`, `equation`, `table`, `figure`. All its text is plain: each
format makes it harmless in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.case.wordings import WORDINGS
from sim.report.confidence import RULE, judge_confidence
from sim.report.robustness import tell_robustness
from sim.report.table import label_forces, list_derived, list_estimates, list_headline, list_notes
from sim.words import (
    SCALES,
    say_probability,
    show_count,
    show_given,
    show_given_share,
    show_number,
    show_probability,
    show_share,
)

Block = dict[str, Any]
MAX_LINES = 7  # of the table on page one
LEAST_SHARE = 0.005  # of the variance, that is told
STRAINED = 1.5  # standard deviations, from which a claim is said to be off
ROLES = {
    "own": "its own side",
    "ally_of_own": "ally of its side",
    "adversary": "adversary",
    "ally_of_adversary": "ally of its adversary",
    "independent": "independent",
}
_PERSONS = ("killed", "wounded", "captured", "missing", "deployed")
EQUATION = "log(said) = log(true count) + bias(role, war, source, source and quantity) + noise + wording"


def compose_memo(
    result: dict[str, Any],
    *,
    scale: str = "icd203",
    sensitivity: dict[str, Any] | None = None,
    change: list[str] | None = None,
    manifest: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the memo of a run: its title, its day, and its sections.

    Parameters
    ----------
    result : dict
        The contents of `summary.json`.
    scale : {"icd203", "phia", "ipcc"}
        Whose words for probabilities.
    sensitivity : dict, optional
        A sensitivity report of the same inputs.
    change : list of str, optional
        What has changed since an earlier run, in sentences.
    manifest : dict, optional
        The contents of `manifest.json`.
    """
    labels = {entry["source"]: entry["label"] for entry in result["sources"]}
    several = len(result["forces"]) > 1
    sections = [
        ("Bottom line", list(_answer(result, scale, several=several))),
        ("Change since the last memo", [{"kind": "points", "items": change}] if change else []),
        ("Estimates", list(_estimate(result))),
        ("What each source is worth", list(_weigh(result, labels))),
        ("How robust the answer is", list(_test(result, sensitivity))),
        ("Where the uncertainty comes from", list(_explain(result))),
        ("What is not known", list(_admit(result, labels))),
        ("Method", list(_describe_method(result, scale))),
        ("Claims used", [_tabulate_used(result, labels)]),
        ("Claims not used", [_tabulate_unused(result, labels)]),
        ("Notes on the claims", list(_note(result))),
        ("Provenance", list(_trace(result, manifest))),
    ]
    return {
        "title": result["title"],
        "as_of": result["as_of"],
        "trusted": result["trusted"],
        "sections": [{"title": title, "blocks": blocks} for title, blocks in sections if blocks],
    }


def _words(text: str) -> str:
    return text.replace("_", " ")


def _answer(result: dict[str, Any], scale: str, *, several: bool) -> Iterator[Block]:
    points, forces = [], label_forces(result)
    for entry in list_headline(result):
        low, high = (show_count(edge) for edge in entry["intervals"]["0.9"])
        force = f" ({forces[entry['force']]})" if several else ""
        name = _words(entry["quantity"]).capitalize()
        points.append(f"{name}{force}: {show_count(entry['median'])}, with 90% probability between {low} and {high}.")
    for entry in result["exceedance"]:
        force = f" ({forces[entry['force']]})" if several else ""
        points.append(f"{judge_threshold(entry, scale)}{force}.")
    yield {"kind": "points", "items": points}
    confidence, why = judge_confidence(result)
    yield {"kind": "text", "text": f"Confidence in these figures is {confidence}: {why}."}
    yield from ({"kind": "note", "text": note} for note in list_notes(result))


def judge_threshold(entry: dict[str, Any], scale: str = "icd203") -> str:
    """Return the judgement on a threshold as a sentence, the probability in brackets after its words."""
    words = say_probability(entry["probability"], scale)
    chance = f"{words} ({show_probability(entry['probability'])})"
    if words.endswith("chance"):
        opening = f"There is {'' if words.startswith('almost') else 'a '}{chance}"
    elif words.endswith("possibility"):
        opening = f"It is a {chance}"
    else:
        opening = f"It is {chance}"
    name = _words(entry["quantity"])
    more = f"more than {show_given(entry['above'])}"
    event = f"{more} were {name}" if entry["quantity"] in _PERSONS else f"there were {more} {name}"
    return f"{opening} that {event}"


def _estimate(result: dict[str, Any]) -> Iterator[Block]:
    header = ["Quantity", "Median", "50% credible interval", "90% credible interval"]
    lines = [list(line) for line in list_estimates(result)]
    day = f"as of {result['as_of']}"
    yield _table(f"Estimates {day}", header, lines[:MAX_LINES], "lrrr")
    yield from _draw(
        result, "headline", "Each dot is 5% of the probability; lines: 50% and 90% credible intervals", 0.94
    )
    if lines[MAX_LINES:]:
        yield _table(f"Further estimates {day}", header, lines[MAX_LINES:], "lrrr")
    derived = [list(line) for line in list_derived(result)]
    if derived:
        yield _table(f"Derived quantities {day}", ["Derived", *header[1:]], derived, "lrrr")
    yield from _draw(
        result, "losses-over-time", "Losses over time: medians, 50% and 90% intervals, and the claims", 0.92
    )


def _draw(result: dict[str, Any], name: str, caption: str, share: float = 1.0) -> Iterator[Block]:
    """Return a figure of each force, `share` of the page wide; one that is not in the folder is left out."""
    forces = label_forces(result)
    for force in forces:
        place = name if len(forces) == 1 else f"{name}-{force}"
        label = "" if len(forces) == 1 else f" ({forces[force]})"
        yield {"kind": "figure", "file": f"{place}.png", "caption": f"{caption}{label}", "share": share}


def _table(caption: str, header: list[str], rows: list[list[str]], align: str) -> Block:
    return {"kind": "table", "caption": caption, "header": header, "rows": rows, "align": list(align)}


def _weigh(result: dict[str, Any], labels: dict[str, str]) -> Iterator[Block]:
    if not result["bias"]:
        yield {"kind": "text", "text": "No source has a claim that can be used."}
        return
    yield {
        "kind": "text",
        "text": "A source's bias is what it makes of the truth: 1 is none, 2 says twice the losses. Where the prior's "
        "share is high, its claims have told little about it, and the figure is what such sources did in other wars.",
    }
    sources = {entry["source"]: entry for entry in result["sources"]}
    rows = []
    for entry in result["bias"]:
        source = sources[entry["source"]]
        low, high = entry["intervals"]["0.9"]
        role = show_roles(source["roles"][entry["force"]]) + (f", rated {source['rating']}" if source["rating"] else "")
        rows.append(
            [
                labels[entry["source"]], role, _words(entry["quantity"]), show_number(entry["median"], 2),
                f"{show_number(low, 2)} to {show_number(high, 2)}", show_share(entry["prior_share"]),
            ]
        )  # fmt: skip
    header = ["Source", "Role", "Speaks of", "Bias", "90% credible interval", "Still the prior's"]
    yield _table("What each source makes of the truth", header, rows, "lllrrr")
    points = [
        f"{labels[reading['source']]} as {show_roles([reading['role']])}: probability "
        f"{show_probability(reading['probability'])} after the claims"
        + "".join(
            f"; {name.split('.')[1]} {show_count(value)}"
            for name, value in reading["medians"].items()
            if name.endswith((".killed", ".casualties"))
        )
        + "."
        for reading in result["readings"]
    ]
    if points:
        yield {"kind": "text", "text": "Some roles can be read in more than one way:"}
        yield {"kind": "points", "items": points}
    yield from _draw(result, "biases", "What each source makes of the truth: median, 50% and 90% credible intervals")


def _test(result: dict[str, Any], sensitivity: dict[str, Any] | None) -> Iterator[Block]:
    if sensitivity is None:
        text = f"Not examined: no sensitivity report of these inputs was found (truetoll sensitivity {result['case']})."
        yield {"kind": "text", "text": text}
        return
    count = len(sensitivity["scenarios"])
    yield {"kind": "text", "text": f"The case was fitted anew, or its draws reweighted, under {count} variants."}
    yield {"kind": "points", "items": tell_robustness(sensitivity)}


def _explain(result: dict[str, Any]) -> Iterator[Block]:
    shares = [(name, share) for entry in result["variance"] for name, share in entry["shares"].items()]
    names = list(dict.fromkeys(name for name, share in shares if share >= LEAST_SHARE))
    if names:
        forces = label_forces(result)
        several = len(forces) > 1
        priors = {(entry["force"], entry["quantity"]): entry["prior_share"] for entry in result["estimates"]}
        rows = [
            [
                f"{forces[entry['force']]}: {_words(entry['quantity'])}" if several else _words(entry["quantity"]),
                *(f"{entry['shares'].get(name, 0.0):.0%}" for name in names),
                f"{priors[entry['force'], entry['quantity']]:.0%}",
            ]
            for entry in result["variance"]
        ]
        header = ["Count", *(name.capitalize() for name in names), "Of the prior's variance left"]
        yield _table("Shares of the variance of the log of each count", header, rows, "l" + "r" * (len(names) + 1))
    for force in dict.fromkeys(entry["force"] for entry in result["next_reports"]):
        reports = [entry for entry in result["next_reports"] if entry["force"] == force]
        rows = [
            [each["label"], f"{1 - each['width_ratio']:.0%} narrower", f"{each['log_score_gain']:.2f}"]
            for each in reports[:MAX_LINES]
        ]
        of = f" ({label_forces(result)[force]})" if len(result["forces"]) > 1 else ""
        caption = f"What one more report on {_words(reports[0]['quantity'])}{of} would be expected to bring"
        yield _table(caption, ["Report", "90% interval", "Gain of the log score"], rows, "lrr")


def _admit(result: dict[str, Any], labels: dict[str, str]) -> Iterator[Block]:
    points = [
        "A bias that all sources share cannot be seen in their claims. It comes from the prior, which rests on how "
        "such sources did in other wars; those are the wars that people wrote about, so exaggeration is "
        "over-represented.",
        "Calibration can be shown for the killed and for equipment. Wounded and totals extrapolate it.",
    ]
    for claim in result["claims"]:
        if claim["used"] and abs(claim["standardised"]) > STRAINED:
            points.append(
                f"{show_owner(claim, labels)} said {show_said(claim)} ({_words(claim['quantity'])}, {claim['as_of']}) "
                f"where the model expected {_show_expected(claim)}: the claim is "
                f"{show_number(abs(claim['standardised']), 2)} standard deviations off."
            )
    points += [
        f"{entry['label']} is undefined in {show_share(entry['undefined'])} of the draws."
        for entry in result["derived"]
        if entry["undefined"]
    ]
    yield {"kind": "points", "items": points}


def _describe_method(result: dict[str, Any], scale: str) -> Iterator[Block]:
    yield {
        "kind": "text",
        "text": "Each claim is the source's belief, blurred by noise, wording and rounding; the belief is the truth "
        "times the source's bias:",
    }
    yield {"kind": "equation", "text": EQUATION}
    diagnostics = result["diagnostics"]
    sizes = [size for size in (diagnostics["min_ess_bulk"], diagnostics["min_ess_tail"]) if size]
    effective = f", smallest effective sample size {show_number(min(sizes))}" if sizes else ""
    yield {
        "kind": "text",
        "text": "Killed, wounded and captured add up, and losses never exceed those sent. A claim that repeats another "
        "counts once. Intervals are equal-tailed credible intervals of a Bayesian model with the prior set "
        f"“{result['prior']['name']}”, sampled with {diagnostics['chains']} chains of {diagnostics['draws']} draws "
        f"(largest R-hat {diagnostics['max_rhat']:.3f}{effective}, {diagnostics['divergences']} divergences).",
    }
    yield {"kind": "text", "text": f"Words for probabilities: {SCALES[scale]}"}
    yield {"kind": "text", "text": f"Confidence: {RULE}"}


def show_roles(roles: list[str]) -> str:
    """Return roles in words."""
    return " or ".join(ROLES[role] for role in roles)


def show_said(claim: dict[str, Any]) -> str:
    """Return a claim's number as it was worded."""
    show = show_given_share if claim["unit"] == "share" else show_given
    wording = WORDINGS[claim["qualifier"]]
    if wording.law == "range" and claim["low"] is not None:
        return f"{show(claim['low'])} to {show(claim['high'])}"
    return "no number" if claim["value"] is None else f"{wording.before}{show(claim['value'])}"


def show_owner(claim: dict[str, Any], labels: dict[str, str]) -> str:
    """Return whose claim it is, and who relays it."""
    relay = "" if claim["owner"] == claim["source"] else f", as relayed by {labels[claim['source']]}"
    return f"{labels[claim['owner']]}{relay}"


def _show_expected(claim: dict[str, Any]) -> str:
    return show_share(claim["expected"]) if claim["unit"] == "share" else show_number(claim["expected"])


def _show_topic(claim: dict[str, Any]) -> str:
    of = f" as a share of {_words(claim['of'] or 'deployed')}" if claim["unit"] == "share" else ""
    return _words(claim["quantity"]) + of


def _show_place(claim: dict[str, Any]) -> str:
    return f"{claim['report']}: {claim['url']}" if claim["url"] else claim["report"]


def _show_day(claim: dict[str, Any]) -> str:
    return f"{claim['since']} to {claim['as_of']}" if claim["since"] else str(claim["as_of"])


def _tabulate_used(result: dict[str, Any], labels: dict[str, str]) -> Block:
    rows = [
        [
            show_owner(claim, labels), show_said(claim), _show_topic(claim), _show_day(claim), claim["phrase"],
            _show_place(claim), _show_expected(claim), f"{claim['standardised']:+.1f}",
        ]
        for claim in result["claims"]
        if claim["used"]
    ]  # fmt: skip
    header = ["Source", "Said", "Of", "As of", "Wording", "Where it was read", "Expected", "Off by (sd)"]
    return _table("Claims that the answer rests on", header, rows, "llllllrr") if rows else _none()


def _tabulate_unused(result: dict[str, Any], labels: dict[str, str]) -> Block:
    rows = [
        [
            labels[claim["source"]], show_said(claim), _show_topic(claim), _show_day(claim), claim["why_not"] or "",
            claim["phrase"], _show_place(claim),
        ]
        for claim in result["claims"]
        if not claim["used"]
    ]  # fmt: skip
    header = ["Source", "Said", "Of", "As of", "Why not", "Wording", "Where it was read"]
    return _table("Claims that are shown and not used", header, rows, "lllllll") if rows else _none()


def _none() -> Block:
    return {"kind": "text", "text": "None."}


def _note(result: dict[str, Any]) -> Iterator[Block]:
    notes = [f"{claim['id']}: {claim['note']}." for claim in result["claims"] if claim["note"]]
    if notes:
        yield {"kind": "points", "items": notes}


def _trace(result: dict[str, Any], manifest: dict[str, Any] | None) -> Iterator[Block]:
    rows = [["Seed", str(result["seed"])], ["Inputs", result["inputs"]]]
    if manifest:
        rows = [["Command", " ".join(manifest["command"])], ["Seed", str(manifest["seed"])]]
        rows += [[name, f"sha256 {digest}"] for name, digest in manifest["inputs"].items()]
        rows.append(["Versions", ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())])
    yield _table("What the figures were made from", ["What", "Value"], rows, "ll")
