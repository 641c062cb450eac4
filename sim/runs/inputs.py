"""What a run was made from, byte for byte, as it is kept in the run's folder under `inputs/`.

`case.toml`, `claims.csv` and the case's own prior set lie there as they were read; shipped prior sets, the one that was
used and the default one that the rest was taken from, under `priors/`. So a run can be repeated when the case has gone
on, and when a later version ships other priors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sim.case.case import Case
from sim.case.folder import format_case_file, format_claims, read_case
from sim.case.priors import PriorSet, find_shipped_priors, read_priors
from sim.contract.manifest import Manifest
from sim.errors import InputError, refuse
from sim.runs.folder import INPUTS, MANIFEST
from sim.system.reading import MAX_TABLE, MAX_TOML, read_bytes
from sim.system.writing import open_scratch

_PATH = re.compile(r"case\.toml|claims\.(csv|xlsx|ods)|(priors/)?[^/\\]+\.toml")
_CLAIMS = re.compile(r"claims\.(csv|xlsx|ods)")
MAX_FILES = 4  # the case's two, its prior set, and the default one


def gather_inputs(case: Case, priors: PriorSet) -> dict[str, bytes]:
    """Return the files that a case and its prior set were read from, by their path under `inputs/`.

    Of a case that was changed since, they are written anew.
    """
    files, written = {}, {}
    if case.is_edited:
        written = {"case.toml": format_case_file(case.file), "claims.csv": format_claims(case.claims)}
    else:
        files = {name: case.folder / name for name in ("case.toml", case.claims_file)}
    shelf = find_shipped_priors()
    if priors.path is not None:
        is_shipped = priors.path.resolve().parent == shelf.resolve()
        files[f"priors/{priors.path.name}" if is_shipped else priors.path.name] = priors.path
    if priors.borrowed:
        files["priors/default.toml"] = shelf / "default.toml"
    inside = case.folder
    return {name: text.encode() for name, text in written.items()} | {
        name: read_bytes(path, MAX_TABLE, inside if inside in path.parents else None) for name, path in files.items()
    }


def hash_inputs(inputs: Mapping[str, bytes]) -> dict[str, str]:
    """Return the sha256 of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in inputs.items()}


def write_inputs(inputs: Mapping[str, bytes], folder: Path) -> None:
    """Write the files under `inputs/` in a run's folder."""
    for name, content in inputs.items():
        path = folder / INPUTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@contextmanager
def open_inputs(run: Path, manifest: Manifest) -> Iterator[tuple[Case, PriorSet]]:
    """Yield the case and the priors that a run was made from, out of its folder; they can be used within the block.

    What is read is what was hashed: a copy, of which nobody else knows.

    Parameters
    ----------
    run : Path
    manifest : Manifest
        Of the run.

    Raises
    ------
    InputError
        Where the folder does not hold them, or not as the manifest knows them.
    """
    with open_scratch() as scratch:
        folder = scratch / INPUTS
        own = [name for name in _copy_inputs(run, manifest, scratch) if name.endswith(".toml")]
        try:
            case = read_case(folder).model_copy(update={"name": manifest.case})
            own = [name for name in own if name not in ("case.toml", "priors/default.toml")]
            used = (own or ["priors/default.toml"])[0]
            name = Path(used).stem if used.startswith("priors/") else used
            priors = read_priors(name, beside=folder, overrides=case.file.priors, shelf=folder / "priors")
        except InputError as error:
            what = f"cannot be read by this version ({error.faults[0]})"
            raise refuse(str(run / INPUTS), "", what, "run the case again") from None
        yield case, priors


def _copy_inputs(run: Path, manifest: Manifest, scratch: Path) -> list[str]:
    """Write the files that a manifest tells of, as they lie in a run's folder, into another; return their names."""
    known = manifest.inputs
    claims = [name for name in known if _CLAIMS.fullmatch(name)]
    whole = "case.toml" in known and len(claims) == 1 and len(known) <= MAX_FILES
    if not whole or not all(map(_PATH.fullmatch, known)):
        raise refuse(str(run / MANIFEST), "inputs", "does not name the run's files", "run the case again")
    inputs = {}
    for name, sha in known.items():
        path = run / INPUTS / name
        inputs[name] = read_bytes(path, MAX_TABLE if name in claims else MAX_TOML, inside=run)
        if hash_inputs(inputs)[name] != sha:
            raise refuse(str(path), "", "is not what the run was made from", "put back the file, or run the case again")
    write_inputs(inputs, scratch)
    return list(inputs)
