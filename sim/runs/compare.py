"""What changed between two runs: their inputs, and each headline beyond Monte Carlo error or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.contract.manifest import Manifest
from sim.contract.summary import Result
from sim.contract.values import SCHEMA, round_figures
from sim.report.labels import name_count, tell_forces_apart
from sim.runs.folder import read_manifest, read_result
from sim.words import show_count, show_signed

ERRORS = 4.0  # Monte Carlo standard errors, beyond which a median has moved
LEAST_SD = 1e-9  # of a count that is known: what is divided by less is no number
FIELDS = (
    "source", "force", "quantity", "measure", "as_of", "since", "published", "qualifier", "low", "value", "high",
    "unit", "of", "digits", "log_sd", "statement", "replaces", "origin", "exclude", "used",
)  # fmt: skip

Value = str | float | None
Change = tuple[Value, Value]  # before, now


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One of two runs."""

    run: str
    case: str
    as_of: str


@dataclass(frozen=True, kw_only=True)
class InputChanges:
    """Claims by their id; of those changed the fields, and of settings and versions, what was and what is."""

    claims_added: tuple[str, ...]
    claims_removed: tuple[str, ...]
    claims_changed: dict[str, dict[str, Change]]
    settings: dict[str, Change]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A count in both runs.

    `shift_sd` is the change of log C + 1/2, in posterior standard deviations of the first run, `shift_mcse` its Monte
    Carlo standard error, and `beyond_error` whether it is more than four times that.
    """

    force: str
    quantity: str
    medians: tuple[float, float]
    intervals_90: tuple[tuple[float, float], tuple[float, float]]
    shift_sd: float
    shift_mcse: float
    beyond_error: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What differs between two runs; `untrusted` names those that did not converge, `forces` the forces in words.

    With one force its name is empty: a count needs none.
    """

    schema: int = SCHEMA
    first: ComparedRun
    second: ComparedRun
    inputs: InputChanges
    untrusted: tuple[str, ...]
    headlines: tuple[Shift, ...]
    not_compared: tuple[str, ...]
    forces: dict[str, str]


def compare_runs(first: Path, second: Path) -> Comparison:
    """Return what differs between the runs in two folders.

    Parameters
    ----------
    first, second : Path
        The earlier and the later run.

    Raises
    ------
    InputError
        Where a folder holds no run, or a damaged one.
    """
    was, now = read_result(first), read_result(second)
    return Comparison(
        first=ComparedRun(run=str(first), case=was.case, as_of=was.as_of),
        second=ComparedRun(run=str(second), case=now.case, as_of=now.as_of),
        inputs=_compare_inputs(was, now, read_manifest(first), read_manifest(second)),
        untrusted=tuple(name for name, result in (("first", was), ("second", now)) if not result.trusted),
        headlines=tuple(_compare_headlines(was, now)),
        not_compared=_list_apart(was, now),
        forces={**tell_forces_apart(was.forces), **tell_forces_apart(now.forces)},
    )


def _list_apart(was: Result, now: Result) -> tuple[str, ...]:
    """Return the counts that only one of the runs has."""
    first, second = ({f"{each.force}.{each.quantity}" for each in run.estimates} for run in (was, now))
    return tuple(sorted(first ^ second))


def _compare_inputs(was: Result, now: Result, old: Manifest | None, new: Manifest | None) -> InputChanges:
    before, after = ({claim.id: claim for claim in result.claims} for result in (was, now))
    changed = {}
    for key in sorted(before.keys() & after.keys()):
        fields = _list_changes(*({name: getattr(claims[key], name) for name in FIELDS} for claims in (before, after)))
        if fields:
            changed[key] = fields
    settings = _list_changes(*(_list_settings(result) for result in (was, now)))
    for kind in ("inputs", "versions"):
        one, two = ({} if each is None else getattr(each, kind) for each in (old, new))
        changes = _list_changes(one, two)
        settings |= {f"{kind[:-1]} {name}": changes[name] for name in sorted(changes)}
    return InputChanges(
        claims_added=tuple(sorted(after.keys() - before.keys())),
        claims_removed=tuple(sorted(before.keys() - after.keys())),
        claims_changed=changed,
        settings=settings,
    )


def _list_changes(was: Mapping[str, Value], now: Mapping[str, Value]) -> dict[str, Change]:
    """Return what is not the same in two mappings, in the first one's order; None where one lacks a key."""
    names = dict.fromkeys([*was, *now])
    return {name: (was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)}


def _list_settings(result: Result) -> dict[str, Value]:
    prior = result.prior
    name = ", with its own ".join([prior.name, *([", ".join(prior.overrides)] if prior.overrides else [])])
    days = {"case": result.case, "as_of": result.as_of, "known_by": result.known_by}
    return {**days, "seed": result.seed, "prior": name}


def _compare_headlines(was: Result, now: Result) -> Iterator[Shift]:
    later = {(entry.force, entry.quantity): entry for entry in now.estimates}
    for entry in was.estimates:
        other = later.get((entry.force, entry.quantity))
        if other is None:
            continue
        moved = float(np.log(other.median + 0.5) - np.log(entry.median + 0.5))
        first, second = (each.mcse_median / (each.median + 0.5) for each in (entry, other))
        error, scale = float(np.hypot(first, second)), entry.log_sd if entry.log_sd > LEAST_SD else 1.0
        yield Shift(
            force=entry.force,
            quantity=entry.quantity,
            medians=(entry.median, other.median),
            intervals_90=(entry.intervals["0.9"], other.intervals["0.9"]),
            shift_sd=round_figures(moved / scale, 3),
            shift_mcse=round_figures(error / scale, 2),
            beyond_error=abs(moved) > ERRORS * error,
        )


def largest_shift(report: Comparison) -> float:
    """Return the largest shift of a count, in standard deviations; infinite where a count is in one run alone."""
    if report.not_compared or not report.headlines:
        return float("inf")
    return max(abs(entry.shift_sd) for entry in report.headlines)


def tell_change(report: Comparison) -> list[str]:
    """Return what changed, in sentences."""
    inputs, found = report.inputs, []
    claims = {"new": inputs.claims_added, "gone": inputs.claims_removed, "changed": tuple(inputs.claims_changed)}
    for word, ids in claims.items():
        if ids:
            more = f" and {len(ids) - 6} more" if len(ids) > 6 else ""
            found.append(f"Claims {word}: {', '.join(ids[:6])}{more}.")
    for name, (one, two) in inputs.settings.items():
        found.append(f"{name.replace('_', ' ').capitalize()}: {_short(one)} before, {_short(two)} now.")
    if not found:
        found.append("No input differs.")
    found += [f"The {name} run is NOT TO BE TRUSTED: it did not converge." for name in report.untrusted]
    if report.not_compared:
        found.append(f"In one of the runs alone: {', '.join(_name_keys(report))}.")
    for entry in report.headlines:
        one, two = map(show_count, entry.medians)
        name = name_count(entry.quantity.capitalize(), report.forces.get(entry.force, entry.force))
        error = "" if entry.beyond_error else ", within Monte Carlo error"
        found.append(f"{name}: {one} before, {two} now ({show_signed(entry.shift_sd, 2)} standard deviations{error}).")
    return found


def _name_keys(report: Comparison) -> Iterator[str]:
    for key in report.not_compared:
        force, _, quantity = key.partition(".")
        yield name_count(quantity, report.forces.get(force, force))


def _short(value: Value) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:12]}…"
