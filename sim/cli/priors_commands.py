"""Commands about prior sets: list, show, fit."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.console import DONE, NOT_TRUSTED, guarded, say, show
from sim.cli.options import ClaimsArgument, JsonOption, QuietOption, SeedOption, TruthArgument
from sim.errors import refuse


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
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Learn a prior set from a table of past wars with their truths.

    Example: truetoll priors fit claims.csv truth.csv --out learned.toml
    """
    from sim.calibration.learn import THOROUGH, describe_record, learn_priors, update_priors, write_priors
    from sim.calibration.record import read_record
    from sim.case.priors import read_priors
    from sim.posterior.fit import CHAINS

    if out.suffix != ".toml" or not out.parent.is_dir():
        raise refuse(
            "--out", "", f"{out} is not a .toml file in a folder that exists", "give a name such as learned.toml"
        )
    record, start = read_record(claims, truth), read_priors(base)
    learned = learn_priors(record.hindcasts, start, seed, THOROUGH, chains=CHAINS, quiet=quiet)
    note = describe_record(record)
    found = update_priors(start, learned, out.stem, note, source=f"truetoll priors fit, {len(record.wars)} past wars")
    path = os.path.relpath(claims.resolve().parent, out.resolve().parent)
    write_priors(found, out, {"path": path, "sha256": record.sha256})
    report = {"schema": 1, "written": str(out), "wars": len(record.wars), "keys": len(learned.keys)}
    report |= {"diagnostics": asdict(learned.diagnostics)}
    show(json.dumps(report) if as_json else f"Learned {len(learned.keys)} parameters from {len(record.wars)} wars.")
    say(f"Written to {out}: {asdict(learned.diagnostics)}", quiet=quiet)
    return DONE if learned.diagnostics.trusted else NOT_TRUSTED
