"""From the files to the records and back.

The files may have been edited by anybody: what does not have the records' shape is refused at the border, so that
whoever reads a record need not doubt it. Keys that the records do not know are passed over.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sim.case.wordings import WORDINGS
from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import CURVES, CountPath, JudgedClaim, Result
from sim.contract.values import SCHEMA
from sim.errors import Fault, InputError, describe_error, quote_value, refuse


def parse_result(data: Any, file: str) -> Result:
    """Return the content of a `summary.json`, or refuse it."""
    found = _parse(data, Result, file)
    faults = list(_check_references(found, file))
    if faults:
        raise _tell_damage(file, faults)
    return found


def parse_manifest(data: Any, file: str) -> Manifest:
    """Return the content of a `manifest.json`, or refuse it."""
    return _parse(data, Manifest, file)


def parse_sensitivity(data: Any, file: str) -> Sensitivity:
    """Return the content of a `sensitivity.json`, or refuse it."""
    found = _parse(data, Sensitivity, file)
    names = {(entry.force, entry.quantity) for entry in found.headlines}
    fits = {"base": found.base.quantities, **{each.label: each.quantities for each in found.scenarios}}
    for label, quantities in fits.items():
        if not {*names, (found.force, found.headline)} <= {(entry.force, entry.quantity) for entry in quantities}:
            raise refuse(file, quote_value(label), "is damaged: it lacks a headline", "run the report again")
    return found


def dump_record(record: Result | Manifest | Sensitivity) -> dict[str, Any]:
    """Return a record as JSON has it, key for key in the order of its fields."""
    shape: Any = type(record)
    data: dict[str, Any] = adapt(shape).dump_python(record, by_alias=True, warnings=False)
    for claim in data["claims"] if isinstance(record, Result) else ():
        if claim["expected_intervals"] is None:
            del claim["expected_intervals"]
    for bias in data["bias"] if isinstance(record, Result) else ():
        if bias["prior_median"] is None:
            del bias["prior_median"]
    for force in data["forces"] if isinstance(record, Result) else ():
        if force["victims"] == "military":
            del force["victims"]
    for name in ("ongoing", "memo"):
        if isinstance(record, Result) and not data[name]:
            del data[name]
    return data


@cache
def adapt(shape: Any) -> TypeAdapter[Any]:
    """Return what reads and writes a kind of record; the first time takes a twentieth of a second."""
    return TypeAdapter(shape)


def _parse[Record: (Result, Manifest, Sensitivity)](data: Any, shape: type[Record], file: str) -> Record:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise refuse(file, "schema", f"is not {SCHEMA}", "use the version of truetoll that wrote it")
    kind: Any = shape
    try:
        found: Record = adapt(kind).validate_python(data)
    except ValidationError as error:
        items = error.errors(include_url=False, include_context=False)
        raise _tell_damage(file, [describe_error(item, file, "") for item in items]) from None
    return found


def _tell_damage(file: str, faults: list[Fault]) -> InputError:
    """Return the first of the faults of a file that nobody mends by hand, and how many there are."""
    more = f", and {len(faults) - 1} more faults" if len(faults) > 1 else ""
    return refuse(file, faults[0].where, f"is damaged: {faults[0].problem}{more}", "run the case again")


def _check_references(result: Result, file: str) -> Iterator[Fault]:
    """Find what points at a source, force or count that is not there, and entries that lack what goes with them."""
    forces = {entry.force for entry in result.forces}
    sources = {entry.source: entry.roles for entry in result.sources}
    named: dict[str, Iterator[str]] = {
        name: (entry.force for entry in getattr(result, name))
        for name in ("estimates", "exceedance", "next_reports", "bias", "variance", "readings", "claims", "paths")
    }
    for name, used in named.items():
        for number, force in enumerate(used):
            if force not in forces:
                yield Fault(file, f"{name}.{number}", f"{quote_value(force)} is no force", "")
    pointing: list[tuple[str, Iterable[Iterable[str]]]] = [
        ("bias", ([] if sources.get(e.source, {}).get(e.force) else ["has no role there"] for e in result.bias)),
        ("readings", (_check_known([entry.source], sources) for entry in result.readings)),
        ("claims", ((*_check_known([e.source, e.owner], sources), *_check_claim(e)) for e in result.claims)),
        ("paths", map(_check_path, result.paths)),
        ("derived", (_check_whole(e.median, e.intervals, e.percentiles) for e in result.derived)),
    ]
    for name, told in pointing:
        for number, problems in enumerate(told):
            yield from (Fault(file, f"{name}.{number}", problem, "") for problem in problems)


def _check_known(names: Iterable[str], sources: Container[str]) -> Iterator[str]:
    for name in names:
        if name not in sources:
            yield f"{quote_value(name)} is no source"


def _check_whole(*parts: object) -> Iterator[str]:
    if len({part is None for part in parts}) > 1:
        yield "is undefined in part"


def _check_path(path: CountPath) -> Iterator[str]:
    if {len(getattr(path, name)) for name in CURVES} != {len(path.days)}:
        yield "has curves of another length than its days"
    if list(path.days) != sorted(set(path.days)):
        yield "has its days out of order"


def _check_claim(claim: JudgedClaim) -> Iterator[str]:
    if not claim.used:
        return
    if not claim.said:
        yield f"is used and lacks {' or '.join(WORDINGS[claim.qualifier].columns)}"
    if claim.denies:
        return
    for name in ("expected", "expected_intervals", "standardised"):
        if getattr(claim, name) is None:
            yield f"is used and lacks {name}"
    if claim.expected == 0:
        yield "is used and expected to be zero"
