"""The track record: claims of past wars beside what is established now, read as cases with known outcomes.

Each case of the table becomes a `Case` whose forces are those that a truth is known of. Nothing that a source said
later than the table allows, or of another force, is used; what was left out is listed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from sim.calibration.hindcasts import OURS, Hindcast, RecordedClaim, build_case
from sim.calibration.truths import Truth, parse_truths, spell_key
from sim.case.case import Case
from sim.case.claims import parse_claims
from sim.case.evidence import weigh_claims
from sim.case.priors import Institution, find_shipped_record, parse_institutions
from sim.case.rules import find_faults
from sim.errors import Fault, InputError, describe_error, quote_value, refuse
from sim.system.reading import is_file, read_text

SOURCES = "sources.csv"
NEEDED = ("url", "basis", "victims", "event")  # of a truth that is contributed


@dataclass(frozen=True)
class Record:
    """A table of claims and truths.

    Attributes
    ----------
    hindcasts : tuple of Hindcast
        Those with a truth of tier A to C.
    skipped : tuple of str
        What is reported and not used: truths of tier D, and rows that rules of the table leave out.
    sha256 : str
        Of its files, end to end.
    institutions : dict of str to Institution
        Who speaks in it, by key: the table of sources beside the claims, where there is one.
    """

    hindcasts: tuple[Hindcast, ...]
    skipped: tuple[str, ...]
    sha256: str
    institutions: Mapping[str, Institution] = field(default_factory=dict)

    @property
    def wars(self) -> tuple[str, ...]:
        """The wars, in the order of the table."""
        return tuple(dict.fromkeys(item.war for item in self.hindcasts))


def read_shipped_record() -> Record:
    """Read the record of past wars that comes with the program."""
    folder = find_shipped_record()
    return read_record(folder / "claims.csv", folder / "truth.csv")


def read_record(claims: Path, truths: Path) -> Record:
    """Read a table of many cases.

    Parameters
    ----------
    claims, truths : Path
        `claims.csv` with the columns `case` and `role`, and `truth.csv`; `sources.csv` beside the claims is read where
        it is there.

    Raises
    ------
    InputError
        With every fault of the files.
    """
    beside = claims.parent / SOURCES
    texts = [read_text(path) for path in (claims, truths, *([beside] if is_file(beside) else []))]
    rows, faults, _ = parse_claims(texts[0], claims.name, RecordedClaim)
    known, more = parse_truths(texts[1], truths.name)
    institutions, others = parse_institutions(texts[2], SOURCES) if texts[2:] else ({}, [])
    faults += [*more, *others, *_check_cases(rows, known, claims.name, truths.name)]
    faults += _check_sources(rows, institutions, claims.name) if texts[2:] else []
    if faults:
        raise InputError(faults)
    skipped = [
        f"{each.case}, {each.force}, {each.quantity}: tier D is not scored" for each in known if each.tier == "D"
    ]
    scored: dict[str, list[Truth]] = defaultdict(list)
    spoken_of: dict[str, list[RecordedClaim]] = defaultdict(list)
    for truth in known:
        if truth.tier != "D":
            scored[truth.case].append(truth)
    for row in rows:
        spoken_of[row.case].append(row)
    source_of = {row.id: row.source for row in rows}
    hindcasts = []
    for name, used in scored.items():
        try:
            case, left_out = build_case(name, used, spoken_of[name], source_of, institutions)
        except ValidationError as error:  # more outcomes or sources than a case may have
            faults += [describe_error(item, truths.name, f"{name}, ") for item in error.errors(include_url=False)]
            continue
        skipped += left_out
        found = find_faults(case)
        faults += [Fault(claims.name, fault.where, f"{fault.problem} ({name})", fault.remedy) for fault in found]
        kept = () if found else _keep_spoken(case, used, truths.name, skipped, faults)
        if kept:
            hindcasts.append(Hindcast(case, used[0].group, kept))
    if faults:
        raise InputError(faults)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return Record(tuple(hindcasts), tuple(skipped), digest, institutions)


def _check_sources(
    rows: Sequence[RecordedClaim], institutions: Mapping[str, Institution], file: str
) -> Iterator[Fault]:
    """Yield a fault for each source that the table of sources lacks, at its first row."""
    seen: set[str] = set()
    for row in rows:
        key = spell_key(row.source)
        if key not in institutions and key not in seen:
            problem = f"{quote_value(row.source)} is not in {SOURCES}"
            yield Fault(file, f"row {row.row}, column source", problem, f"add {key} to it, with its body and state")
        seen.add(key)


def _check_cases(rows: Sequence[RecordedClaim], known: Sequence[Truth], file: str, truths: str) -> Iterator[Fault]:
    """Yield a fault for each claim of a case that no truth is known of."""
    cases = {truth.case for truth in known}
    for row in rows:
        if row.case not in cases:
            problem = f"{quote_value(row.case)} has no truth, and so no group"
            yield Fault(file, f"row {row.row}, column case", problem, f"add it to {truths}")


def _keep_spoken(
    case: Case, truths: Sequence[Truth], file: str, skipped: list[str], faults: list[Fault]
) -> tuple[Truth, ...]:
    """Return the truths of forces that a usable claim speaks of; add the others to what is skipped or at fault."""
    spoken = {item.claim.force for item in weigh_claims(case).observations}
    late = {claim.force for claim in case.claims if claim.exclude in OURS}
    for truth in truths:
        if truth.key in spoken:
            continue
        if truth.key in late:
            skipped.append(f"{case.name}, {truth.force}, {truth.quantity}: every claim is hindsight or of earlier days")
        else:
            problem = f"has no usable claim on {truth.force} in {case.name}"
            faults.append(Fault(file, f"row {truth.row}", problem, "add one, or set tier D"))
    return tuple(truth for truth in truths if truth.key in spoken)


def list_cases(record: Record) -> list[dict[str, object]]:
    """Return the cases of a record: name, war, days, what is established, and how many claims are used."""
    return [
        {
            "case": item.case.name,
            "war": item.war,
            "start": item.case.start.isoformat(),
            "end": item.case.end.isoformat(),
            "established": [
                {"force": each.force, "quantity": each.quantity, "value": each.value, "tier": each.tier}
                for each in item.truths
            ],
            "claims": sum(not claim.exclude for claim in item.case.claims),
        }
        for item in record.hindcasts
    ]


def find_record_case(record: Record, name: str) -> Case:
    """Return a case of a record as a case to run, without what is established of it."""
    found = {item.case.name: item.case for item in record.hindcasts}
    if name not in found:
        near = get_close_matches(name, found, 3)
        remedy = f"use {', '.join(near)}" if near else "list them with `truetoll record list`"
        raise refuse("case", "", f"no case of the record is called {quote_value(name)}", remedy)
    return found[name].model_copy(update={"is_edited": True})


def review_record(record: Record) -> list[str]:
    """Return what a record lacks before it can be contributed, one line each; the rules are in docs/record.md."""
    lines = []
    for item in record.hindcasts:
        for truth in item.truths:
            where = f"{item.case.name}, {truth.force}, {truth.quantity}"
            lines += [f"{where}: the truth has no {name}" for name in NEEDED if not getattr(truth, name)]
        for claim in item.case.claims:
            if not claim.exclude and not claim.url:
                lines.append(f"{item.case.name}, {claim.id}: has no address; only what was seen on a page is used")
    if not record.institutions:
        lines.append(f"{SOURCES} is missing: source, label, body, state of each source")
    return lines
