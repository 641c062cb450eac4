"""The unknowns of a run's draws, in a file that can be read again whoever made it: `unknowns.npy`.

A format of pointers, as NetCDF is, can lead a reader to other files, in circles, or to terabytes. This one is a table
of numbers whose size says all: a row for each draw, a column for each parameter, step of a path, effect, and burst.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import refuse
from sim.model.design import Design
from sim.posterior.sample import Sample
from sim.runs.folder import UNKNOWNS, read_manifest
from sim.system.reading import read_bytes

PARTS = ("theta", "walk", "effects", "burst")
MAX_UNKNOWNS = 400_000_000  # bytes
HEADER = 128  # bytes of numpy's header of a table
Floats = NDArray[np.float64]


def write_unknowns(sample: Sample, folder: Path) -> dict[str, str]:
    """Write `unknowns.npy`; return what the manifest must tell of it: its hash, and that of what its columns are."""
    table = np.hstack([sample.unknowns[part] for part in PARTS])
    content = io.BytesIO()
    np.save(content, np.ascontiguousarray(table, dtype="<f8"), allow_pickle=False)
    (folder / UNKNOWNS).write_bytes(content.getvalue())
    return {
        UNKNOWNS: hashlib.sha256(content.getbuffer()).hexdigest(),
        f"{UNKNOWNS} columns": hash_columns(sample.design),
    }


def hash_columns(design: Design) -> str:
    """Return the sha256 of the names of the columns, in their order."""
    return hashlib.sha256("\n".join(_name_columns(design)).encode()).hexdigest()


def _name_columns(design: Design) -> Iterator[str]:
    yield from (item.name for item in design.parameters.items)
    yield from (f"walk {number}" for number in range(design.state.walks))
    for kind, keys in design.beliefs.effects.items():
        yield from (" ".join((kind, *key)) for key in keys)
    for burst in design.state.bursts:
        yield from (f"burst {burst.series} {cut}" for cut in burst.cuts[1:])


def read_sample(folder: Path, design: Design) -> Sample:
    """Return the sample of a run's folder, laid out as `design`.

    Raises
    ------
    InputError
        Where the draws are missing, or are of another case.
    """
    path, manifest = folder / UNKNOWNS, read_manifest(folder)
    outputs = {} if manifest is None else manifest.outputs
    content = read_bytes(path, MAX_UNKNOWNS, inside=folder)
    if outputs.get(UNKNOWNS) != hashlib.sha256(content).hexdigest():
        raise refuse(str(path), "", "is not the file that manifest.json tells of", "run the case again")
    widths = len(design.parameters), design.state.walks, design.beliefs.latents, design.state.burst_count
    if outputs.get(f"{UNKNOWNS} columns") != hash_columns(design):
        raise refuse(str(path), "", "is of another case or prior", "give a run of this case")
    table = _parse_table(content, sum(widths))
    if table is None or not len(table) or not np.isfinite(table).all():
        raise refuse(str(path), "", "has no draws, or some that are not finite", "run the case again")
    parts = np.split(table, np.cumsum(widths)[:-1], axis=1)
    return Sample(design, dict(zip(PARTS, map(np.ascontiguousarray, parts), strict=True)), 1)


def _parse_table(content: bytes, width: int) -> Floats | None:
    """Return the table of a file of numpy's, whose header must be the one that its size asks for."""
    rows, rest = divmod(len(content) - HEADER, 8 * width)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (rows, width)})
    if rows < 0 or rest or content[:HEADER] != head.getvalue():
        return None
    return np.frombuffer(content, dtype="<f8", offset=HEADER).reshape(rows, width)
