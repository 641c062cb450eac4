"""The track record: claims of past wars beside what is established now, read as cases with known outcomes.

Each case of the table becomes a `Case` whose forces are those that a truth is known of. Nothing that a source said
later than the table allows, or of another force, is used; what was left out is listed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sim.calibration.hindcasts import OURS, Hindcast, RecordedClaim, build_case
from sim.calibration.truths import Truth, parse_truths
from sim.case.case import Case
from sim.case.claims import parse_claims
from sim.case.evidence import weigh_claims
from sim.case.rules import find_faults
from sim.errors import Fault, InputError, describe_error, quote_value
from sim.system.reading import read_text


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
        Of both files.
    """

    hindcasts: tuple[Hindcast, ...]
    skipped: tuple[str, ...]
    sha256: str

    @property
    def wars(self) -> tuple[str, ...]:
        """The wars, in the order of the table."""
        return tuple(dict.fromkeys(item.war for item in self.hindcasts))


def read_record(claims: Path, truths: Path) -> Record:
    """Read a table of many cases.

    Parameters
    ----------
    claims, truths : Path
        `claims.csv` with the columns `case` and `role`, and `truth.csv`.

    Raises
    ------
    InputError
        With every fault of both files.
    """
    texts = read_text(claims), read_text(truths)
    rows, faults, _ = parse_claims(texts[0], claims.name, RecordedClaim)
    known, more = parse_truths(texts[1], truths.name)
    faults += [*more, *_check_cases(rows, known, claims.name, truths.name)]
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
            case, left_out = build_case(name, used, spoken_of[name], source_of)
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
    return Record(tuple(hindcasts), tuple(skipped), digest)


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
