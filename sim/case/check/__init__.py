"""Warnings about a case that is well formed: what a careful reader of its claims would ask."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import Case
from sim.case.check.questions import ask_questions
from sim.case.check.warning import Warning, name_row  # noqa: A004
from sim.case.claims import Claim
from sim.case.evidence import Evidence, weigh_claims
from sim.case.folder import read_case, read_case_priors
from sim.case.timeline import effective_bin_days
from sim.errors import quote_value
from sim.system.sheets.cells import Dates

NEAR_DAYS = 31
FAR_FACTOR = 3.0
EARLY = 7  # days from the start in which totals grow by any factor
MOST_NEAR = 30  # rows after each, of one number within NEAR_DAYS, that it is compared with
MAX_COMPARED = 50_000_000  # pairs of one topic
MOST_TOLD = 1_000  # warnings of one reason
MOST_SHOWN = 20  # of one kind, on a terminal
FEW = 10  # a smaller number is said by two sources without either repeating the other
MANY = 5  # rows excluded for one reason, beyond which they are told together
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")


@dataclass(frozen=True)
class Report:
    """What `check` found in a case that may be run."""

    case: str
    claims: int
    used: int
    warnings: tuple[Warning, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        warnings = [{"kind": w.kind, "where": w.where, "text": w.text} for w in self.warnings]
        return {"schema": 1, "case": self.case, "claims": self.claims, "used": self.used, "warnings": warnings}

    def list_lines(self) -> list[str]:
        """Return the warnings as lines for a reader: of one kind MOST_SHOWN and a count of the rest."""
        found: list[str] = []
        for kind, same in groupby(self.warnings, key=lambda warning: warning.kind):
            shown = list(same)
            found += map(str, shown[:MOST_SHOWN])
            if len(shown) > MOST_SHOWN:
                found.append(f"{kind}: {len(shown) - MOST_SHOWN} more of this kind; --json lists them")
        return found

    def tell_counts(self) -> str:
        """Return one line: how many claims there are, how many are used, how many warnings."""
        return f"{self.case}: {self.claims} claims, {self.used} used, {len(self.warnings)} warnings, no faults"


def check_case(argument: str | Path | Case, dates: Dates | None = None) -> Report:
    """Read a case, or take one that was read, and list what a careful reader would ask.

    Raises
    ------
    InputError
        Where it breaks a rule.

    Examples
    --------
    >>> report = sim.check_case("kursk")
    >>> [str(warning) for warning in report.warnings]
    """
    case = argument if isinstance(argument, Case) else read_case(argument, dates)
    read_case_priors(case)
    evidence = weigh_claims(case)
    found = (
        _tell_reading(case),
        _point_at_slips(case),
        _find_odd_years(case),
        _find_unmarked_echoes(evidence),
        _find_contradictions(case, evidence),
        _find_duplicates(evidence),
        _find_late_origins(case),
        _tell_exclusions(case),
        _check_structure(case, evidence),
        *ask_questions(case, evidence),
    )
    warnings = [warning for each in found for warning in _tell_first(each)]
    return Report(case.name, len(case.claims), len(evidence.observations), tuple(warnings))


def _tell_first(warnings: Iterator[Warning]) -> Iterator[Warning]:
    """Return the first warnings of one reason, and a word where there are more."""
    yield from islice(warnings, MOST_TOLD)
    more = next(warnings, None)
    if more is not None:
        yield Warning(more.kind, "claims.csv", f"there are more than {MOST_TOLD} of these; the others are not told")


def _tell_reading(case: Case) -> Iterator[Warning]:
    """Say what was assumed in reading the file of claims, and point at counts that have a fraction."""
    if case.remarks:
        yield Warning("table", case.claims_file, "; ".join(case.remarks))
    for claim in case.claims:
        broken = [number for number in claim.number if number is not None and not number.is_integer()]
        if broken and claim.unit == "count" and claim.log_sd is None and not claim.exclude:
            text = f"{broken[0]:.10g} is no whole number: is {broken[0] * 1000:.10g} meant, or a share?"
            yield Warning("fraction", name_row(claim), text)


def _point_at_slips(case: Case) -> Iterator[Warning]:
    """Repeat what a note marks as a slip of the text, corrected in the row."""
    for claim in case.claims:
        if claim.note.lower().startswith("slip:"):
            yield Warning("slip", name_row(claim), f"{quote_value(claim.phrase, 90)}: {claim.note[5:].strip()}")


def _find_odd_years(case: Case) -> Iterator[Warning]:
    """Point at a phrase that names a year in which the case had not begun, or that had not come when it was said.

    What a claim of the case counts is no year: "more than 2000 dead".
    """
    counted = {number for claim in case.claims for number in (*claim.number, claim.known_whole)}
    for claim in case.claims:
        for year in dict.fromkeys(map(int, _YEAR.findall(claim.phrase))):
            if year not in counted and not case.start.year <= year <= claim.published.year:
                text = f"the phrase names {year}, outside {case.start.year} to {claim.published.year}"
                yield Warning("date", name_row(claim), text)


def _find_unmarked_echoes(evidence: Evidence) -> Iterator[Warning]:
    """Point at the same number said by two sources within a month, where neither is marked as repeating the other."""
    first_pairs: dict[tuple[object, ...], tuple[Claim, Claim]] = {}
    count: Counter[tuple[object, ...]] = Counter()
    for first, second in _pair_neighbours(evidence, lambda claim: (*_topic(claim), claim.number)):
        if first.source != second.source and (first.unit == "share" or (first.central or FEW) >= FEW):
            key: tuple[object, ...] = (_topic(first), *sorted((first.source, second.source)))
            first_pairs.setdefault(key, (first, second))
            count[key] += 1
    for pair, (first, second) in first_pairs.items():
        more = f" ({count[pair]} such pairs of {first.source} and {second.source})" if count[pair] > 1 else ""
        text = f"says the same number as {name_row(first)}{more}; if it repeats it, put its id into origin"
        yield Warning("echo", name_row(second), text)


def _pair_neighbours(evidence: Evidence, key: Callable[[Claim], tuple[object, ...]]) -> Iterator[tuple[Claim, Claim]]:
    """Return the pairs of used claims of one key whose days are no more than NEAR_DAYS apart."""
    for claims in _group_claims(evidence, key):
        for number, first in enumerate(claims):
            for second in islice(claims, number + 1, number + 1 + MOST_NEAR):
                if (second.as_of - first.as_of).days > NEAR_DAYS:
                    break
                yield first, second


def _group_claims(evidence: Evidence, key: Callable[[Claim], tuple[object, ...]]) -> Iterable[list[Claim]]:
    """Return the used claims of each key by their days; of one day they stay in the order of the rows."""
    groups: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for item in evidence.observations:
        groups[key(item.claim)].append(item.claim)
    for claims in groups.values():
        claims.sort(key=lambda claim: claim.as_of)
    return groups.values()


def _topic(claim: Claim) -> tuple[object, ...]:
    return claim.topics, claim.unit == "ratio", claim.measure, claim.part


def _find_contradictions(case: Case, evidence: Evidence) -> Iterator[Warning]:
    """Point at numbers of one quantity far apart; of each two sources at the worst pair. Spells are compared alike."""
    for claims in _group_claims(evidence, _topic):
        said = [claim for claim in claims if claim.central]
        for count, one, other in _find_worst_pairs(case.start, said):
            low, high = sorted((one, other), key=lambda claim: claim.central or 0.0)
            factor = (high.central or 0.0) / (low.central or 1.0)
            more = f", the worst of {count} such pairs of {high.source} and {low.source}" if count > 1 else ""
            text = f"says {factor:.1f} times {name_row(low)} within {NEAR_DAYS} days{more}"
            yield Warning("contradiction", name_row(high), text)


def _find_worst_pairs(start: dt.date, claims: list[Claim]) -> Iterator[tuple[int, Claim, Claim]]:
    """Return of each two sources how many pairs contradict each other, and the worst; `claims` are of one topic.

    Each row is compared with those after it, the nearest first; with all within NEAR_DAYS, unless they are very many.
    """
    days = np.array([claim.as_of.toordinal() for claim in claims])
    said = np.array([claim.central or 0.0 for claim in claims])
    spells = _number_apart([(c.since, c.as_of) if c.measure == "interval" else None for c in claims])
    sources = _number_apart([claim.source for claim in claims])
    sign = np.array([claim.wording.sign for claim in claims])
    age = np.array([max((claim.as_of - start).days, 0) + 1 for claim in claims])
    is_total = np.array([claim.measure == "cumulative" for claim in claims], dtype=bool)
    width = int(sources.max(initial=0)) + 1
    counts, worst, pairs = np.zeros(width**2, dtype=int), np.zeros(width**2), np.zeros((width**2, 2), dtype=int)
    for step in range(1, min(len(claims), 2 + MAX_COMPARED // max(len(claims), 1))):
        near = np.flatnonzero(days[step:] - days[:-step] <= NEAR_DAYS)
        if not near.size:
            break
        low = np.where(said[near] <= said[near + step], near, near + step)
        high = 2 * near + step - low
        kept = (said[high] >= FAR_FACTOR * said[low]) & (spells[near] == spells[near + step])
        kept &= ~(is_total[low] & (days[high] > days[low]) & (said[high] < _grow(age[low], age[high]) * said[low]))
        kept &= ~(is_total[low] & (days[high] != days[low]) & (sources[high] == sources[low]))  # asked of as a fall
        kept &= (sign[low] <= 0) & (sign[high] >= 0)  # what a bound leaves room for is no contradiction
        first, factor = near[kept], (said[high] / said[low])[kept]
        ends = np.sort(np.stack([sources[first], sources[first + step]]), axis=0)
        code = ends[0] * width + ends[1]
        np.add.at(counts, code, 1)
        better = np.flatnonzero(factor > worst[code])
        better = better[np.argsort(factor[better], kind="stable")]  # of one code the last, and largest, stays
        worst[code[better]] = factor[better]
        pairs[code[better]] = np.stack([first[better], first[better] + step], axis=1)
    for code in np.argsort(-worst, kind="stable")[: min(np.count_nonzero(counts), MOST_TOLD + 1)]:
        one, other = (claims[index] for index in pairs[code])
        yield int(counts[code]), one, other


def _grow(age: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the factor by which a running total may grow from one age in days to a later one.

    In the first week by any; then by the cube, eightfold from the tenth day to the twentieth.
    """
    return np.where(age <= EARLY, np.inf, (later / age) ** 3)


def _number_apart(values: Sequence[object]) -> NDArray[np.int64]:
    """Return a whole number for each value, the same for equal ones."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _find_duplicates(evidence: Evidence) -> Iterator[Warning]:
    for claim_id, why in evidence.unused.items():
        if why.startswith("duplicates "):
            yield Warning("duplicate", claim_id, f"{why}; it is used once")


def _find_late_origins(case: Case) -> Iterator[Warning]:
    """Point at a row that repeats one published later, and at a statement that spans sources."""
    by_id = {claim.id: claim for claim in case.claims}
    for claim in case.claims:
        first = by_id.get(claim.origin)
        if first is not None and first.published > claim.published:
            yield Warning(
                "origin", name_row(claim), f"repeats {first.id}, which was published later ({first.published})"
            )
    speakers: dict[str, set[str]] = {}
    for claim in case.claims:
        if claim.statement and not claim.exclude:
            speakers.setdefault(claim.statement, set()).add(claim.source)
    for statement, sources in speakers.items():
        if len(sources) > 1:
            text = f"is shared by {', '.join(sorted(sources))}; each source's rows count as a statement of its own"
            yield Warning("statement", f"statement {quote_value(statement)}", text)


def _tell_exclusions(case: Case) -> Iterator[Warning]:
    """Say why rows are excluded; where one reason is given for many, but for the row that it names, once."""
    reasons: dict[str, list[Claim]] = defaultdict(list)
    ids = {claim.id for claim in case.claims}
    for claim in case.claims:
        if claim.exclude:
            reasons[" ".join("..." if word in ids else word for word in claim.exclude.split())].append(claim)
    for reason, claims in reasons.items():
        if len(claims) > MANY:
            yield Warning("excluded", f"{len(claims)} rows, the first {name_row(claims[0])}", reason)
        else:
            yield from (Warning("excluded", name_row(claim), claim.exclude) for claim in claims)


def _check_structure(case: Case, evidence: Evidence) -> Iterator[Warning]:
    if not evidence.observations:
        yield Warning("empty", case.claims_file, "has no usable claim: the posterior is the prior")
    if effective_bin_days(case) != case.file.bin_days:
        text = f"{case.file.bin_days} makes more than 60 bins; {effective_bin_days(case)} is used"
        yield Warning("bins", "case.toml, bin_days", text)
    speaking = {claim.source for claim in case.claims} | {claim.origin for claim in case.claims}
    for key in case.sources:
        if key not in speaking:
            yield Warning("source", f"case.toml, sources.{key}", "makes no claim")
    yield from _check_sums(case)


def _check_sums(case: Case) -> Iterator[Warning]:
    """Point at totals that are not the sum of the parts said in the same breath."""
    breaths: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for claim in case.claims:
        if claim.statement and claim.central and claim.is_count:
            breaths[claim.statement][claim.quantity] += claim.central
    for total in case.claims:
        if not total.statement or not total.is_count or not total.central or total.quantity == "deployed":
            continue
        parts, said = case.parts_of(total.force, total.quantity), breaths[total.statement]
        if len(parts) > 1 and all(part in said for part in parts):
            sum_of_parts = sum(said[part] for part in parts)
            if abs(sum_of_parts - total.central) > 0.1 * total.central:
                yield Warning(
                    "sum", name_row(total), f"says {total.central:.10g}, its parts add up to {sum_of_parts:.10g}"
                )
