"""Sites kept in a file, each with a hash of what it follows from: a new war is added without beginning anew."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calibration.bywar.belief import Belief, Floats, Site
from sim.calibration.bywar.passes import PASSES, LearnedSites, SiteDiagnostics, group_wars, learn_sites
from sim.calibration.hindcasts import Hindcast
from sim.case.priors import PriorSet
from sim.errors import refuse
from sim.system.reading import read_text
from sim.system.store import hash_parts
from sim.system.tasks import TaskOptions
from sim.system.writing import write_file

MOST = 1e6  # of an entry of a site, in prior sds: what a war says is never a thousand times what was known before


class _KeptSite(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    of: str
    precision: list[list[float]]
    shift: list[float]


class _KeptSites(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    schema_: Literal[1] = Field(alias="schema")
    keys: list[str]
    sites: dict[str, _KeptSite]
    diagnostics: SiteDiagnostics


def hash_wars(hindcasts: Sequence[Hindcast], base: PriorSet) -> dict[str, str]:
    """Return a hash of all that the site of each war follows from: its cases, its truths, and the prior set."""
    return {
        war: hash_parts([base.sha256, *(part for item in items for part in _tell_parts(item))])
        for war, items in group_wars(hindcasts).items()
    }


def _tell_parts(item: Hindcast) -> list[str]:
    claims = [claim.model_dump_json(exclude={"row"}) for claim in item.case.claims]
    return [
        item.case.file.model_dump_json(),
        *claims,
        *(truth.model_dump_json(exclude={"row"}) for truth in item.truths),
    ]


def write_sites(learned: LearnedSites, path: Path, hashes: Mapping[str, str]) -> None:
    """Write sites with the hashes of their wars, whole or not at all."""
    kept = {
        "schema": 1,
        "keys": list(learned.keys),
        "sites": {
            war: {"of": hashes[war], "precision": _round(site.precision), "shift": _round(site.shift)}
            for war, site in learned.sites.items()
        },
        "diagnostics": asdict(learned.diagnostics),
    }
    write_file(path, json.dumps(kept) + "\n")


def _round(values: Floats) -> list[Any]:
    """Return numbers to seven digits: a site is known to two."""
    return list(np.vectorize(lambda value: float(f"{value:.7g}"))(values).tolist())


def read_sites(path: Path, base: PriorSet, hashes: Mapping[str, str]) -> tuple[dict[str, Site], LearnedSites | None]:
    """Read the sites of those wars that are still what they were.

    Parameters
    ----------
    path : Path
        Of a file that `write_sites` wrote; none need be there.
    base : PriorSet
    hashes : mapping of str to str
        Of the wars that there are now.

    Returns
    -------
    sites : dict of str to Site
    whole : LearnedSites or None
        Where the file holds these wars and no others: nothing is left to learn.

    Raises
    ------
    InputError
        Where the file is another, or damaged.
    """
    if not os.path.lexists(path) or base.joint is None:
        return {}, None
    fault = refuse(str(path), "", "does not hold sites that were learned", "give another file, or remove it")
    text = read_text(path)
    try:
        kept = _KeptSites.model_validate_json(text)
        sites = {war: Site(np.array(each.precision), np.array(each.shift)) for war, each in kept.sites.items()}
    except (ValidationError, ValueError):
        raise fault from None
    size = len(base.joint.keys)
    if tuple(kept.keys) != base.joint.keys or any(
        site.precision.shape != (size, size) or site.shift.shape != (size,) for site in sites.values()
    ):
        return {}, None
    prior = Belief.of(base.joint)
    if not all(_is_sane(site, prior) for site in sites.values()):
        raise fault
    same = {war: site for war, site in sites.items() if hashes.get(war) == kept.sites[war].of}
    is_whole = same.keys() == sites.keys() == hashes.keys()
    learned = LearnedSites(base.joint.keys, prior, same, kept.diagnostics) if is_whole else None
    return same, learned


def _is_sane(site: Site, prior: Belief) -> bool:
    """Whether a site is one that a war can have: symmetric, and not out of all proportion to what was known before."""
    root = np.linalg.cholesky(prior.covariance)
    with np.errstate(over="ignore", invalid="ignore"):
        entries = np.abs([*root.T @ site.precision @ root, root.T @ site.shift])
    return bool(np.allclose(site.precision, site.precision.T) and np.all(entries < MOST))


def learn_kept(
    hindcasts: Sequence[Hindcast],
    base: PriorSet,
    seed: int,
    path: Path,
    passes: tuple[int, int] = PASSES,
    *,
    anew: bool = False,
    **options: Unpack[TaskOptions],
) -> LearnedSites:
    """Learn what a file does not hold yet, and keep it there: see `learn_sites`, and `read_sites`.

    `anew`: learn all, whatever it holds; that stays until there is something in its place.
    """
    hashes = hash_wars(hindcasts, base)
    known, whole = ({}, None) if anew else read_sites(path, base, hashes)
    if whole is not None:
        return whole
    learned = learn_sites(hindcasts, base, seed, known=known, passes=passes, **options)
    write_sites(learned, path, hashes)
    return read_sites(path, base, hashes)[1] or learned  # to the digits that are kept
