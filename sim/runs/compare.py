"""What changed between two runs: their inputs, and each headline beyond Monte Carlo error or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sim.runs.folder import read_manifest, read_result
from sim.words import show_count

ERRORS = 4.0  # Monte Carlo standard errors, beyond which a median has moved
_FIELDS = (
    "source", "force", "quantity", "measure", "as_of", "since", "published", "qualifier", "low", "value", "high",
    "unit", "of", "digits", "log_sd", "statement", "replaces", "origin", "exclude", "used",
)  # fmt: skip


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Return what differs between the runs in two folders.

    Parameters
    ----------
    first, second : Path
        The earlier and the later run.

    Returns
    -------
    dict
        `inputs` (claims added, removed and changed; priors, days, seeds, versions), and `headlines`: of each count in
        both runs both medians, `shift_sd` (the change of log C + 1/2, in posterior standard deviations of the first),
        `shift_mcse` and `beyond_error`, whether it is more than four times that.

    Raises
    ------
    InputError
        Where a folder holds no run, or a damaged one.
    """
    was, now = read_result(first), read_result(second)
    return {
        "schema": 1,
        "first": {"run": str(first), "case": was["case"], "as_of": was["as_of"]},
        "second": {"run": str(second), "case": now["case"], "as_of": now["as_of"]},
        "inputs": _compare_inputs(was, now, read_manifest(first), read_manifest(second)),
        "untrusted": [name for name, result in (("first", was), ("second", now)) if not result["trusted"]],
        "headlines": list(_compare_headlines(was, now)),
        "not_compared": _list_apart(was, now),
    }


def _list_apart(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the counts that only one of the runs has."""
    first, second = ({f"{each['force']}.{each['quantity']}" for each in run["estimates"]} for run in (was, now))
    return sorted(first ^ second)


def _compare_inputs(
    was: dict[str, Any], now: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> dict[str, Any]:
    before, after = ({claim["id"]: claim for claim in result["claims"]} for result in (was, now))
    changed = {}
    for key in before.keys() & after.keys():
        fields = [name for name in _FIELDS if before[key].get(name) != after[key].get(name)]
        if fields:
            changed[key] = {name: [before[key].get(name), after[key].get(name)] for name in fields}
    settings: dict[str, Any] = {}
    for name in ("case", "as_of", "known_by", "seed"):
        if was[name] != now[name]:
            settings[name] = [was[name], now[name]]
    if was["prior"] != now["prior"]:
        settings["prior"] = [_name_prior(result["prior"]) for result in (was, now)]
    for kind in ("inputs", "versions"):
        one, two = old.get(kind, {}), new.get(kind, {})
        for name in sorted(one.keys() | two.keys()):
            if one.get(name) != two.get(name):
                settings[f"{kind[:-1]} {name}"] = [one.get(name), two.get(name)]
    return {
        "claims_added": sorted(after.keys() - before.keys()),
        "claims_removed": sorted(before.keys() - after.keys()),
        "claims_changed": dict(sorted(changed.items())),
        "settings": settings,
    }


def _name_prior(prior: dict[str, Any]) -> str:
    return ", with its own ".join([prior["name"], *([", ".join(prior["overrides"])] if prior["overrides"] else [])])


def _compare_headlines(was: dict[str, Any], now: dict[str, Any]) -> Iterator[dict[str, Any]]:
    later = {(entry["force"], entry["quantity"]): entry for entry in now["estimates"]}
    for entry in was["estimates"]:
        other = later.get((entry["force"], entry["quantity"]))
        if other is None:
            continue
        moved = np.log(other["median"] + 0.5) - np.log(entry["median"] + 0.5)
        errors = [each["mcse_median"] / (each["median"] + 0.5) for each in (entry, other)]
        error, scale = float(np.hypot(*errors)), entry["log_sd"] or 1.0
        yield {
            "force": entry["force"],
            "quantity": entry["quantity"],
            "medians": [entry["median"], other["median"]],
            "intervals_90": [entry["intervals"]["0.9"], other["intervals"]["0.9"]],
            "shift_sd": float(f"{moved / scale:.3g}"),
            "shift_mcse": float(f"{error / scale:.2g}"),
            "beyond_error": bool(abs(moved) > ERRORS * error),
        }


def largest_shift(report: dict[str, Any]) -> float:
    """Return the largest shift of a count, in standard deviations; infinite where a count is in one run alone."""
    if report["not_compared"] or not report["headlines"]:
        return float("inf")
    return max(abs(float(entry["shift_sd"])) for entry in report["headlines"])


def tell_change(report: dict[str, Any]) -> list[str]:
    """Return what changed, in sentences."""
    inputs, found = report["inputs"], []
    for name, word in (("claims_added", "new"), ("claims_removed", "gone"), ("claims_changed", "changed")):
        ids = list(inputs[name])
        if ids:
            more = f" and {len(ids) - 6} more" if len(ids) > 6 else ""
            found.append(f"Claims {word}: {', '.join(ids[:6])}{more}.")
    for name, (one, two) in inputs["settings"].items():
        found.append(f"{name.replace('_', ' ').capitalize()}: {_short(one)} before, {_short(two)} now.")
    if not found:
        found.append("No input differs.")
    found += [f"The {name} run is NOT TO BE TRUSTED: it did not converge." for name in report["untrusted"]]
    if report["not_compared"]:
        found.append(f"In one of the runs alone: {', '.join(report['not_compared'])}.")
    several = len({entry["force"] for entry in report["headlines"]}) > 1
    for entry in report["headlines"]:
        one, two = (show_count(value) for value in entry["medians"])
        name = entry["quantity"].replace("_", " ").capitalize() + (f" ({entry['force']})" if several else "")
        error = "" if entry["beyond_error"] else ", within Monte Carlo error"
        found.append(f"{name}: {one} before, {two} now ({entry['shift_sd']:+.2f} standard deviations{error}).")
    return found


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:12]}…"
