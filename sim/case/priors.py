"""Prior sets: TOML files of named distributions, each with its source and rationale."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from sim.case.case import Body, Key, Label
from sim.case.families import FAMILIES, JointPrior, Prior
from sim.case.prior_keys import check_prior, find_key
from sim.errors import Fault, InputError, describe_error, quote_value, refuse
from sim.system.reading import is_file, read_text, read_toml
from sim.system.tables import parse_records


class Institution(BaseModel):
    """Who has spoken in the wars of a record: a row of its table of sources.

    `state` is whom it speaks for; it is empty for the United Nations, the Red Cross and the like.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Key
    label: Label = ""
    body: Body
    state: Key | None = None
    row: int = 0


@dataclass(frozen=True)
class PriorSet:
    """A prior set.

    Attributes
    ----------
    name, note : str
        As written in the file.
    priors : dict of str to Prior
        By key (see `docs/formats.md`), those taken from the default set included.
    provisional : bool
        True where the set says that its numbers have not been learned from the track record with this likelihood.
    borrowed : tuple of str
        The keys that the set does not give and that were taken from the default set.
    sha256 : str
        Of the file.
    """

    name: str
    note: str
    priors: Mapping[str, Prior]
    provisional: bool = False
    borrowed: tuple[str, ...] = ()
    path: Path | None = None
    sha256: str = ""
    overrides: tuple[str, ...] = field(default=())
    joint: JointPrior | None = None
    learned_from: Mapping[str, str] = field(default_factory=dict)

    def get(self, *keys: str) -> Prior:
        """Return the prior of the first key that the set has."""
        for key in keys:
            if key in self.priors:
                return self.priors[key]
        raise refuse(self.name, keys[0], "is not in the prior set", "add it")


def find_shipped_priors() -> Path:
    """Return the folder of the shipped prior sets and of the record."""
    inside = Path(str(files("sim"))) / "shipped_priors"
    return inside if inside.is_dir() else Path(str(files("sim"))).parent / "priors"


def find_shipped_record() -> Path:
    """Return the folder of the record of past wars."""
    return find_shipped_priors() / "record"


@cache
def read_institutions() -> Mapping[str, Institution]:
    """Return who has spoken in the wars of the record, by key."""
    path = find_shipped_record() / "sources.csv"
    found, faults = parse_institutions(read_text(path), path.name)
    if faults:
        raise InputError(faults)
    return found


def parse_institutions(text: str, file: str) -> tuple[dict[str, Institution], list[Fault]]:
    """Return the institutions of a table of sources by key, and all faults; `file` is its name."""
    rows, faults, _ = parse_records(text, file, Institution)
    found: dict[str, Institution] = {}
    for each in rows:
        if each.source in found:
            problem = f"{quote_value(each.source)} is in row {found[each.source].row} too"
            faults.append(Fault(file, f"row {each.row}, column source", problem, "keep one"))
        found.setdefault(each.source, each)
    return found, faults


def list_prior_sets(shelf: Path | None = None) -> list[str]:
    """Return the names of the prior sets on a shelf, by default the shipped ones."""
    return sorted(path.stem for path in (shelf or find_shipped_priors()).glob("*.toml"))


def read_priors(
    name: str | Path, beside: Path | None = None, overrides: Mapping[str, Any] | None = None, shelf: Path | None = None
) -> PriorSet:
    """Read a prior set.

    Parameters
    ----------
    name : str
        A shipped set's name, or a path (with a slash, or ending in .toml).
    beside : Path, optional
        The folder of the case whose `case.toml` says the name, maybe a stranger's: a path is then of a file in it.
    overrides : mapping, optional
        Single keys that replace those of the set (`[priors]` in case.toml).
    shelf : Path, optional
        The folder of named sets instead of the shipped ones.

    Returns
    -------
    PriorSet
        A key that the set leaves out is taken from the default set, and named in `borrowed`.
    """
    if not isinstance(name, str | Path):
        raise refuse("prior", "", f"{quote_value(name)} is no prior set", "give a name or a path")
    path = _find_prior_set(str(name), beside, shelf or find_shipped_priors())
    data, text = read_toml(path, inside=beside if beside in path.parents else None)
    if data.pop("schema", None) != 1:
        raise refuse(path.name, "schema", "is not 1", "write schema = 1, or use a version of truetoll that reads it")
    head = {key: data.pop(key, "") for key in ("name", "note", "learned_from", "provisional")}
    table = data.pop("joint", None)
    own = _parse_priors(data, path.name)
    changed = _parse_priors(dict(overrides or {}), "case.toml, priors")
    default = None if name == "default" else read_priors("default", shelf=shelf)
    base = dict(default.priors) if default else {}
    joint = _parse_joint(table, own, path.name) if table is not None else None
    if default and default.joint:
        # What is borrowed is borrowed with what the default set knows of it, but not beside a joint prior of its own.
        joint = joint or default.joint.without(own)
    return PriorSet(
        name=str(head["name"] or path.stem),
        note=str(head["note"]),
        priors={**base, **own, **changed},
        provisional=bool(head["provisional"]),
        borrowed=tuple(sorted(set(base) - set(own) - set(changed))),
        path=path,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        overrides=tuple(changed),
        joint=joint.without(changed) if joint else None,
        learned_from=_parse_origin(head["learned_from"], path.name),
    )


def _find_prior_set(name: str, beside: Path | None, shelf: Path) -> Path:
    if "/" in name or "\\" in name or name.endswith(".toml"):
        if beside is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            problem = f"{quote_value(name)} leads out of the case's folder"
            raise refuse("case.toml", "prior", problem, "put the prior set beside case.toml, or name it with --prior")
        path = (beside or Path()) / name
        if not is_file(path):
            where = "beside case.toml" if beside else "that is there"
            raise refuse(name, "", "is missing", f"give the path of a prior set {where}")
        return path
    path = shelf / f"{name}.toml"
    if name not in list_prior_sets(shelf):
        known = ", ".join(list_prior_sets(shelf))
        raise refuse("prior", "", f"no prior set is called {quote_value(name)}", f"use one of {known}, or a path")
    return path


def _parse_priors(data: dict[str, Any], file: str) -> dict[str, Prior]:
    """Flatten nested tables to dotted keys and check each prior."""
    faults: list[Fault] = []
    priors: dict[str, Prior] = {}
    for key, table in _flatten(data, file):
        try:
            prior = Prior.model_validate(table)
        except ValidationError as error:
            faults += [describe_error({**item, "input": key}, file, f"{key} ") for item in error.errors()]
            continue
        problem = check_prior(key, prior)
        if problem:
            faults.append(Fault(file, key, *problem))
        priors[key] = prior
    if faults:
        raise InputError(faults)
    return priors


def _parse_origin(table: Any, file: str) -> dict[str, str]:
    if table == "":
        return {}
    if not isinstance(table, dict) or set(table) != {"path", "sha256"} or not all(map(str, table.values())):
        raise refuse(file, "learned_from", "is not a path with its sha256", "write { path = ..., sha256 = ... }")
    return {name: str(value) for name, value in table.items()}


def _parse_joint(table: Any, own: Mapping[str, Prior], file: str) -> JointPrior:
    """Check the joint prior of a set, and that its margins are the priors beside it."""
    try:
        joint = JointPrior.model_validate(table)
    except ValidationError as error:
        raise InputError(describe_error({**item, "input": "it"}, file, "joint ") for item in error.errors()) from None
    faults = []
    normal = [name for name, family in FAMILIES.items() if family.normal]
    for key, mean, row in zip(joint.keys, joint.mean, joint.covariance, strict=True):
        prior, entry = own.get(key), find_key(key)
        if entry is None or not entry.is_shared:
            faults.append(Fault(file, "joint", f"{quote_value(key)} cannot be in it", "keep to keys that forces share"))
        elif prior is None or prior.family is None or not prior.family.normal:
            faults.append(
                Fault(file, key, f"is in joint and not {', '.join(normal)}", "give its margin as one of these")
            )
        else:
            sigma = float(np.sqrt(row[joint.keys.index(key)]))
            if not np.allclose(list(prior.arguments.values()), [mean, sigma], rtol=1e-3, atol=1e-4):
                problem = f"{prior} is not its margin in joint, mu={mean:.4g}, sigma={sigma:.4g}"
                faults.append(Fault(file, key, problem, "fit the set again, or mend one of them"))
    if faults:
        raise InputError(faults)
    return joint


def _flatten(data: dict[str, Any], file: str, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, value in data.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict) or key.count(".") > 4:
            raise refuse(file, key, "is not a prior", 'write a table such as { dist = "Normal", mu = 0, sigma = 1 }')
        if {"dist", "fixed"} & {k for k, v in value.items() if not isinstance(v, dict)}:
            found.append((key, value))
        else:
            found += _flatten(value, file, f"{key}.")
    return found
