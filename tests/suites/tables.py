"""The pages made from the program itself, docs/commands.md and docs/priors.md: `python tests/suites/tables.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import typer
from scipy import special

from sim.case.families import Prior
from sim.case.priors import PriorSet, list_prior_sets, read_priors
from sim.cli.app import app
from sim.words import show_number

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS_HEAD = """\
# Commands

Made by `make tables` from the program's own help: `truetoll COMMAND --help` says the same. Exit statuses are in
[formats.md](formats.md#exit-status).

Every command takes `--json`; those that draw random numbers take `--seed`, and those that show progress or notes take
`--quiet`."""
PRIORS_HEAD = """\
# Prior sets

Made by `make tables` from `priors/*.toml`; `truetoll priors show NAME` says the same. What each key means is in
[formats.md](formats.md#a-prior-set), how the learned ones were learned in [calibration.md](calibration.md).

The median and the 90% interval are of the parameter itself: where the prior is on a log or logit scale they are led
back from it, so that a bias of 2 says twice the losses. Where a reason gives an interval too, that is of the draws that
were learned, of which the prior is a summary, and may differ a little."""
STRONG = 0.3  # correlations from here on are shown
# From the scale of a key's prior back to what it is about.
BACK: dict[str, Callable[[Any], Any]] = {
    "total": np.exp,
    "share": special.expit,
    "wounded_per_killed": np.exp,
    "role": np.exp,
}


def show_commands() -> str:
    """Return the command reference, from the command line's own declarations."""
    lines = [COMMANDS_HEAD]
    for words, command in _list_commands(typer.main.get_command(app), "truetoll"):
        lines += ["", f"## {words}", "", *_describe_command(words, command)]
    return "\n".join(lines) + "\n"


def _list_commands(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        if child.hidden:
            continue
        if getattr(child, "commands", None):
            yield from _list_commands(child, f"{words} {name}")
        else:
            yield f"{words} {name}", child


def _describe_command(words: str, command: Any) -> Iterator[str]:
    context = command.make_context(words, [], resilient_parsing=True)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    yield f"`{usage.replace('{', '').replace('}', '')}`"
    text, _, example = command.help.partition("Example: ")
    yield from ("", *text.strip().split("\n"))
    yield from ("", "| argument or option | meaning |", "| --- | --- |")
    for parameter in command.get_params(context):
        if parameter.name != "help":
            name, meaning = parameter.get_help_record(context)
            yield f"| `{name}` | {' '.join(meaning.split())} |"
    yield from ("", f"Example: `{example.strip()}`")


def show_priors() -> str:
    """Return the tables of the shipped prior sets."""
    lines = [PRIORS_HEAD]
    for name in ["default", *(name for name in list_prior_sets() if name != "default")]:
        lines += ["", *_describe_set(name, read_priors(name))]
    return "\n".join(lines) + "\n"


def _describe_set(name: str, priors: PriorSet) -> Iterator[str]:
    yield from (f"## {name}", "", " ".join(priors.note.split()))
    if priors.provisional:
        yield from ("", "Provisional: not learned from the track record.")
    if priors.borrowed:
        yield from (
            "",
            f"Its own {len(priors.priors) - len(priors.borrowed)} keys; the rest are those of the default set.",
        )
    yield from ("", "| key, and its prior | median (90% interval) | source and reason |", "| --- | --- | --- |")
    for key, prior in priors.priors.items():
        if key not in priors.borrowed:
            yield f"| `{key}`<br>{_show_law(prior)} | {_show_range(key, prior)} | {_show_reason(prior)} |"
    if priors.joint is not None and not priors.borrowed:
        yield from _describe_joint(priors)


def _show_law(prior: Prior) -> str:
    return str(prior) if prior.dist else f"fixed at {prior}"


def _show_range(key: str, prior: Prior) -> str:
    if prior.fixed is not None:
        return show_number(prior.fixed)
    edges = prior.family.law(prior.arguments).ppf(np.array([0.5, 0.05, 0.95]))
    edges = prior.constrain(edges) if prior.family.normal else edges
    back = BACK.get(key.partition(".")[0], lambda x: x)
    shown = [show_number(float(edge), 2) for edge in back(edges)]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def _show_reason(prior: Prior) -> str:
    place = f"[{prior.source or prior.url}]({prior.url})" if prior.url else prior.source
    return " ".join(f"{place + '.' if place else ''} {prior.why}".split())


def _describe_joint(priors: PriorSet) -> Iterator[str]:
    """Tell which keys are jointly normal, and which of them hang together."""
    keys = priors.joint.keys
    covariance = np.array(priors.joint.covariance)
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    yield from ("", f"Jointly normal, each on its own scale: {', '.join(f'`{key}`' for key in keys)}.")
    if priors.learned_from:
        yield f"Learned from `priors/{priors.learned_from['path']}` (SHA-256 {priors.learned_from['sha256'][:16]})."
    yield from (f"Correlations of {STRONG} and more:", "")
    yield from ("| | | correlation |", "| --- | --- | ---: |")
    for i, first in enumerate(keys):
        for j in range(i):
            if abs(correlation[i, j]) >= STRONG:
                yield f"| `{keys[j]}` | `{first}` | {correlation[i, j]:+.2f} |"


PAGES = {"commands.md": show_commands, "priors.md": show_priors}


if __name__ == "__main__":
    for page, show in PAGES.items():
        (DOCS / page).write_text(show(), encoding="utf-8")
