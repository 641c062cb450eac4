"""Whether a finished run stands: it is made again from what its folder keeps, and compared with what it says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sim.contract.check import dump_record
from sim.contract.manifest import Manifest
from sim.contract.summary import Estimate, Result
from sim.contract.values import SCHEMA
from sim.errors import refuse
from sim.runs.compare import ERRORS, FIELDS
from sim.runs.folder import MANIFEST, SUMMARY, read_manifest, read_result
from sim.runs.inputs import open_inputs
from sim.runs.run import describe_platform, find_versions, fit_case
from sim.system.reading import read_json
from sim.words import say_probability

LEAST_SHIFT = 0.005  # of a probability that every draw, or none, is on one side of
GIVEN = (*FIELDS, "speaker", "report", "url", "phrase", "note", "part")  # of a claim, by its row
EDGES = ("median", "lower edge of the 90% interval", "upper edge of the 90% interval")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A number that is not where it was; None where one of the runs lacks the count."""

    force: str
    quantity: str
    what: str
    was: float | None
    now: float | None


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether a run stands.

    Attributes
    ----------
    identical : bool
        Whether the summary is the same but for timings.
    stands : bool
        Whether it is that, or every median, 90% interval and probability of a threshold is where it was within four
        Monte Carlo standard errors, and all that follows from the inputs alone is as they have it.
    moved : tuple of Moved
        The numbers that are not.
    otherwise : tuple of str
        What is said otherwise than by the inputs, or than by its own number, in words.
    differs : tuple of str
        The versions and the platform that are others now.
    """

    schema: int = SCHEMA
    run: str = ""
    identical: bool
    stands: bool
    moved: tuple[Moved, ...]
    otherwise: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


def verify_run(folder: Path, *, quiet: bool = True) -> Verification:
    """Make a run again from its folder, write nothing, and return whether it stands.

    Parameters
    ----------
    folder : Path
        Of the run.
    quiet : bool
        Show no progress.

    Raises
    ------
    InputError
        Where the folder does not hold what the run was made from.
    """
    was, manifest = read_result(folder), read_manifest(folder)
    if manifest is None or manifest.seed >= 2**31:
        what = "is missing" if manifest is None else f"has a seed of {manifest.seed}"
        raise refuse(str(folder / MANIFEST), "", what, "run the case again")
    asked = manifest.settings
    as_of, known_by = (None if day is None else dt.date.fromisoformat(day) for day in (asked.as_of, asked.known_by))
    with open_inputs(folder, manifest) as (case, priors):
        run = fit_case(
            case,
            priors,
            seed=manifest.seed,
            as_of=as_of,
            known_by=known_by,
            draws=asked.draws,
            sampler=asked.sampler,
            quiet=quiet,
        )
    verdict = judge_repeat(was, run.result)
    # What stands in the file beside a summary is not read, and is not the run's either.
    alone = json.dumps(read_json(folder / SUMMARY, inside=folder)) == json.dumps(dump_record(was))
    differs = tuple(list_differences(manifest))
    return replace(verdict, run=str(folder), identical=verdict.identical and alone, differs=differs)


def judge_repeat(was: Result, now: Result) -> Verification:
    """Return whether two summaries of the same inputs are `identical`, whether the first `stands`, and what `moved`."""
    identical = drop_timings(was) == drop_timings(now)
    if identical:
        return Verification(identical=True, stands=True, moved=())
    moved, otherwise = (*_list_moved(was, now), *_list_exceeded(was, now)), tuple(_list_otherwise(was, now))
    return Verification(identical=False, stands=not (moved or otherwise), moved=moved, otherwise=otherwise)


def drop_timings(result: Result) -> str:
    """Return a summary as it is written, without the seconds that it took."""
    timeless = replace(result, diagnostics=replace(result.diagnostics, seconds={}))
    return json.dumps(dump_record(timeless), ensure_ascii=False)


def _list_moved(was: Result, now: Result) -> Iterator[Moved]:
    """Yield what is further from where it was than four Monte Carlo standard errors of the difference."""
    later = {(entry.force, entry.quantity): entry for entry in now.estimates}
    for first in was.estimates:
        force, quantity = first.force, first.quantity
        second = later.pop((force, quantity), None)
        pairs = [] if second is None else zip(EDGES, _measure(first), _measure(second), strict=True)
        for what, (one, error), (two, other_error) in pairs:
            # Counts are whole numbers: an edge that lies between two of them jumps by one.
            if abs(two - one) > ERRORS * np.hypot(error, other_error) + 1:
                yield Moved(force=force, quantity=quantity, what=what, was=one, now=two)
        if second is None:
            yield Moved(force=force, quantity=quantity, what="it", was=first.median, now=None)
    for second in later.values():
        yield Moved(force=second.force, quantity=second.quantity, what="it", was=None, now=second.median)


def _list_exceeded(was: Result, now: Result) -> Iterator[Moved]:
    """Yield the probabilities of thresholds that are further from where they were than that."""
    later = {(entry.force, entry.quantity, entry.above): entry.probability for entry in now.exceedance}
    draws = [max(result.diagnostics.min_ess_bulk or 1.0, 1.0) for result in (was, now)]
    for entry in was.exceedance:
        found = later.get((entry.force, entry.quantity, entry.above))
        errors = [np.sqrt(p * (1 - p) / n) for p, n in zip((entry.probability, found or 0.0), draws, strict=True)]
        if found is None or abs(found - entry.probability) > ERRORS * np.hypot(*errors) + LEAST_SHIFT:
            what = f"the probability of more than {entry.above:,g}"
            yield Moved(force=entry.force, quantity=entry.quantity, what=what, was=entry.probability, now=found)


def _list_otherwise(was: Result, now: Result) -> Iterator[str]:
    """Yield what a summary says otherwise than its inputs do, and words that are not those of their number."""
    one, two = (_list_given(result) for result in (was, now))
    yield from (what for what in dict.fromkeys((*one, *two)) if one.get(what) != two.get(what))
    for entry in was.exceedance:
        if entry.words != say_probability(entry.probability):
            yield f"the word for more than {entry.above:,g} {entry.quantity}"


def _list_given(result: Result) -> dict[str, object]:
    """Return what of a summary follows from the inputs and the options of the run, by a name for it."""
    found: dict[str, object] = {
        "the title": result.title, "the day": result.as_of, "the day by which claims are known": result.known_by,
        "who signs": result.memo, "the name of the prior set": result.prior.name,
    }  # fmt: skip
    found |= {f"force {force.force}": force.label for force in result.forces}
    found["the thresholds"] = {(entry.force, entry.quantity, entry.above) for entry in result.exceedance}
    found |= {f"source {source.source}": (source.label, source.roles) for source in result.sources}
    return found | {f"claim {claim.id}": [getattr(claim, name) for name in GIVEN] for claim in result.claims}


def _measure(entry: Estimate) -> list[tuple[float, float]]:
    """Return the median and the edges of the 90% interval, each with its Monte Carlo standard error."""
    return [(entry.median, entry.mcse_median), *zip(entry.intervals["0.9"], entry.mcse_interval_90, strict=True)]


def list_differences(manifest: Manifest) -> Iterator[str]:
    """Yield what took part in a run and is of another version now, and the platform if it is another, in words."""
    here = find_versions(manifest.versions)
    for name, was in sorted(manifest.versions.items()):
        if here.get(name) != was:
            yield f"{name} {was} then, {here.get(name, 'none')} now"
    if manifest.platform != describe_platform():
        yield f"{manifest.platform} then, {describe_platform()} now"


def tell_verdict(report: Verification) -> list[str]:
    """Return the verdict in sentences."""
    if report.identical:
        found = ["The run stands: repeated, it gives the same summary byte for byte, timings apart."]
    elif report.stands:
        found = ["The run stands within Monte Carlo error: every median, 90% interval and probability is where it was."]
    else:
        found = ["The run DOES NOT STAND: repeated, it gives other numbers."]
    found += [f"It says {what} otherwise than what it was made from." for what in report.otherwise]
    for entry in report.moved:
        one, two = ("none" if value is None else f"{value:,g}" for value in (entry.was, entry.now))
        found.append(f"{entry.force}.{entry.quantity}: {entry.what} was {one} and is {two}.")
    if report.differs:
        found.append(f"Other than then: {'; '.join(report.differs)}.")
    return found
