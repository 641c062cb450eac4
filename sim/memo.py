"""The memo: a page of answer, then the sources, what is not known, and every claim with its address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError

from sim.table import list_derived, list_distinct, list_estimates, list_notes
from sim.words import escape_cell, show_count, show_number, show_probability, show_share

MAX_LINES = 40

_ROLES = {
    "own": "its own side",
    "ally_of_own": "ally of its side",
    "adversary": "adversary",
    "ally_of_adversary": "ally of its adversary",
    "independent": "independent",
}
_WORDING = {
    "at_least": "at least ",
    "at_most": "at most ",
    "about": "about ",
    "exact": "",
    "counted": "counted: ",
    "range": "",
}


def write_memo(result: dict[str, Any], path: Path) -> None:
    """Write the memo of a run as Markdown.

    Parameters
    ----------
    result : dict
        The contents of `summary.json`.
    path : Path
        The file, beside the folder `figures`.

    Raises
    ------
    ValueError
        Where the summary lacks what the memo tells.
    """
    try:
        text = render_memo(result)
    except TemplateError as error:
        raise ValueError(str(error)) from error
    path.write_text(text, encoding="utf-8")


def render_memo(result: dict[str, Any]) -> str:
    """Return the memo of a run as Markdown."""
    environment = Environment(
        loader=PackageLoader("sim"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown: text of claims goes through the filter `cell`
    )
    environment.filters |= {
        "cell": escape_cell,
        "number": show_number,
        "count": show_count,
        "share": show_share,
        "chance": show_probability,
        "said": show_said,
        "roles": show_roles,
        "judgement": judge_threshold,
    }
    labels = {entry["source"]: entry["label"] for entry in result["sources"]}
    used = [claim for claim in result["claims"] if claim["used"]]
    forces = [entry["force"] for entry in result["forces"]]
    return environment.get_template("memo.md.j2").render(
        result=result,
        lines=list(list_estimates(result))[:MAX_LINES],
        derived=list(list_derived(result)),
        notes=list_notes(result),
        labels=labels,
        used=used,
        unused=[claim for claim in result["claims"] if not claim["used"]],
        headline=choose_headline(result),
        worth=weigh_sources(result),
        strained=[claim for claim in used if abs(claim["standardised"]) > 1.5],
        suffixes=[("", forces[0])] if len(forces) == 1 else [(f"-{force}", force) for force in forces],
    )


def choose_headline(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the estimates that the first lines tell: the killed and the casualties of each force, or what there is."""
    distinct = list_distinct(result)
    found = [entry for entry in distinct if entry["quantity"] in ("killed", "casualties")]
    return found or distinct[:2]


def weigh_sources(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return for each source that is used what it speaks of, its bias on that, and how much of it the prior said."""
    sources = {entry["source"]: entry for entry in result["sources"]}
    return [
        {
            **entry,
            "roles": sources[entry["source"]]["roles"][entry["force"]],
            "rating": sources[entry["source"]]["rating"],
        }
        for entry in result["bias"]
    ]


def judge_threshold(entry: dict[str, Any]) -> str:
    """Return the judgement on a threshold as a sentence, the probability in brackets after its words."""
    chance = f"{entry['words']} ({show_probability(entry['probability'])})"
    opening = {"roughly even chance": f"There is a {chance}", "almost no chance": f"There is {chance}"}
    name = escape_cell(entry["quantity"].replace("_", " "))
    event = f"more than {show_number(entry['above'])} "
    event += f"were {name}" if entry["quantity"] in ("killed", "wounded", "captured", "deployed") else name
    if not event.endswith(f"were {name}"):
        event = f"there were {event}"
    return f"{opening.get(entry['words'], f'It is {chance}')} that {event}"


def show_roles(roles: list[str]) -> str:
    """Return roles in words."""
    return " or ".join(_ROLES[role] for role in roles)


def show_said(claim: dict[str, Any]) -> str:
    """Return a claim's number as it was worded."""
    show = show_share if claim["unit"] == "share" else show_number
    if claim["qualifier"] == "range" and claim["low"] is not None:
        return f"{show(claim['low'])} to {show(claim['high'])}"
    return "no number" if claim["value"] is None else f"{_WORDING[claim['qualifier']]}{show(claim['value'])}"
