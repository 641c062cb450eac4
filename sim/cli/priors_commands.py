"""Commands about prior sets: list, show, fit."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.console import DONE, NOT_TRUSTED, guarded, say, show
from sim.cli.options import (
    ClaimsArgument,
    DaskOption,
    JobsOption,
    JsonOption,
    QuietOption,
    SeedOption,
    TruthArgument,
)
from sim.errors import refuse
from sim.system.writing import try_folder

if TYPE_CHECKING:
    from sim.calibration.bywar.passes import LearnedSites
    from sim.calibration.learn import Learned
    from sim.calibration.record import Record
    from sim.case.priors import PriorSet
    from sim.system.tasks import TaskOptions


@guarded
def list_priors(as_json: JsonOption = False) -> int:
    """List the prior sets.

    Example: truetoll priors list
    """
    from sim.case.priors import list_prior_sets, read_priors

    sets = [read_priors(name) for name in list_prior_sets()]
    if as_json:
        show(json.dumps([{"name": s.name, "provisional": s.provisional, "note": s.note} for s in sets]))
        return DONE
    for each in sets:
        show(f"{each.name}{' (provisional)' if each.provisional else ''}: {' '.join(each.note.split())}")
    return DONE


@guarded
def show_priors(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A prior set's name, or a path.")],
    as_json: JsonOption = False,
) -> int:
    """Show a prior set: each parameter's distribution, source and rationale.

    Example: truetoll priors show default
    """
    from sim.case.priors import read_priors

    found = read_priors(name)
    if as_json:
        content = {key: prior.model_dump(exclude_none=True) for key, prior in sorted(found.priors.items())}
        show(json.dumps({"name": found.name, "sha256": found.sha256, "priors": content}, ensure_ascii=False))
        return DONE
    show(f"{found.name}: {' '.join(found.note.split())}\n")
    for key, prior in sorted(found.priors.items()):
        taken = " (from the default set)" if key in found.borrowed else ""
        show(f"{key} ~ {prior}{taken}\n    {' '.join([prior.why, prior.source, prior.url]).strip()}")
    return DONE


@guarded
def fit_priors(
    claims: ClaimsArgument,
    truth: TruthArgument,
    out: Annotated[Path, typer.Option(help="Where the prior set is written.")],
    base: Annotated[str, typer.Option(help="What is believed before the table.")] = "vague",
    sites: Annotated[
        Path | None,
        typer.Option(help="A file that keeps what each war taught: only what is new is learned.", show_default=False),
    ] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="All wars in one density, to compare with: slow.")] = False,
    jobs: JobsOption = 2,
    dask: DaskOption = None,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Learn a prior set from a table of past wars with their truths.

    Example: truetoll priors fit claims.csv truth.csv --out learned.toml
    """
    from sim.calibration.hindcasts import update_odds
    from sim.calibration.learn import describe_record, update_priors, write_priors
    from sim.calibration.record import read_record
    from sim.case.priors import read_priors

    if out.suffix != ".toml" or not out.parent.is_dir():
        raise refuse(
            "--out", "", f"{out} is not a .toml file in a folder that exists", "give a name such as learned.toml"
        )
    record, start = read_record(claims, truth), read_priors(base)
    for kept in filter(None, (out, sites)):
        try_folder(kept.parent)
    learned = _learn(record, start, seed, sites, jobs, dask, at_once=at_once, quiet=quiet)
    note, source = describe_record(record), f"truetoll priors fit, {len(record.wars)} past wars"
    found = update_odds(update_priors(start, learned, out.stem, note, source=source), record.hindcasts, start)
    path = os.path.relpath(claims.resolve().parent, out.resolve().parent)
    write_priors(found, out, {"path": path, "sha256": record.sha256})
    report = {"schema": 1, "written": str(out), "wars": len(record.wars), "keys": len(learned.keys)}
    report |= {"diagnostics": asdict(learned.diagnostics)}
    show(json.dumps(report) if as_json else f"Learned {len(learned.keys)} parameters from {len(record.wars)} wars.")
    say(f"Written to {out}: {asdict(learned.diagnostics)}", quiet=quiet)
    return DONE if learned.diagnostics.trusted else NOT_TRUSTED


def _learn(
    record: Record,
    base: PriorSet,
    seed: int,
    sites: Path | None,
    jobs: int,
    dask: str | None,
    *,
    at_once: bool,
    quiet: bool,
) -> Learned | LearnedSites:
    """Learn from a record, one war at a time or all at once."""
    from sim.calibration.bywar.at_once import learn_at_once
    from sim.calibration.bywar.kept import hash_wars, learn_kept, read_sites
    from sim.calibration.bywar.passes import learn_sites
    from sim.calibration.learn import THOROUGH
    from sim.posterior.fit import CHAINS
    from sim.system.cluster import open_cluster

    with open_cluster(dask) as client:
        options: TaskOptions = {"jobs": jobs, "client": client, "quiet": quiet}
        if at_once:
            known = read_sites(sites, base, hash_wars(record.hindcasts, base))[0] if sites else {}
            return learn_at_once(record.hindcasts, base, seed, THOROUGH, chains=CHAINS, known=known, **options)
        if sites is None:
            return learn_sites(record.hindcasts, base, seed, **options)
        return learn_kept(record.hindcasts, base, seed, sites, **options)
