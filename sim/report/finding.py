"""The finding of a run in one line: for a title."""

from __future__ import annotations

from sim.contract.summary import Estimate, Result
from sim.report.labels import name_count, raise_first, tell_forces_apart
from sim.report.table import list_headline, show_range

MAX_FORCES = 2  # in the title
WIDE = 100  # a factor between the ends of an interval, from which nothing is probable
MOST = 0.5  # the probability of none from which the finding is that there were none
_PHRASES = {
    "killed": "lost {} dead", "wounded": "had {} wounded", "missing": "had {} missing",
    "captured": "lost {} captured", "casualties": "suffered {} casualties", "losses": "suffered {} losses",
}  # fmt: skip
_PEOPLE = {"killed": "{} were killed", "wounded": "{} were wounded", "missing": "{} are missing"}  # who had no army


def write_title(result: Result) -> str:
    """Return the finding in one line: what each force has probably lost."""
    found = [(of, choose_lead(result, force)) for force, of in name_forces(result).items()]
    told = [(of, entry) for of, entry in found if entry is not None]
    if not told:
        return result.title
    parts = []
    people = {force.force for force in result.forces if force.victims != "military"}
    for number, (of, entry) in enumerate(told[:MAX_FORCES]):
        wide = _is_wide(entry)
        said = f"{'anything from ' if wide else ''}{say_range(entry)}"
        if entry.force in people and entry.quantity in _PEOPLE:
            parts.append(f"{of}: {'' if wide else 'probably '}{_PEOPLE[entry.quantity].format(said)}")
            continue
        phrase = _PHRASES.get(entry.quantity, f"lost {{}} {name_count(entry.quantity)}").format(said)
        same = number and entry.quantity == told[0][1].quantity
        parts.append(f"{of} {said if same else phrase if number else f'{"may have" if wide else "probably"} {phrase}'}")
    more = len(told) - MAX_FORCES
    atmost = [show_range(entry).partition(" to ")[2] for _, entry in told[:MAX_FORCES] if entry.p_zero > MOST]
    room = f" (hardly above {' and '.join(filter(None, atmost))})" if any(atmost) else ""
    rest = f"{room}; {more} more force{'' if more == 1 else 's'} in the table" if more > 0 else room
    doubt = "" if result.trusted else "Not to be trusted: "
    return f"{doubt}{raise_first(('; ' if people else ', ').join(parts))}{rest}"


def _is_wide(entry: Estimate) -> bool:
    low, high = entry.intervals["0.9"]
    return entry.p_zero <= MOST and high >= WIDE * max(low, 1.0)


def name_forces(result: Result) -> dict[str, str]:
    """Return the name of each force, as it can begin a sentence."""
    apart = tell_forces_apart(result.forces)
    return {entry.force: apart[entry.force] or entry.label for entry in result.forces}


def choose_lead(result: Result, force: str) -> Estimate | None:
    """Return the count that a force is told by: the first that the case names, else its killed, else the first."""
    entries = [entry for entry in list_headline(result) if entry.force == force]
    if entries and result.memo and result.memo.headline:
        return entries[0]
    return next((entry for entry in entries if entry.quantity == "killed"), entries[0] if entries else None)


def say_range(entry: Estimate) -> str:
    """Return the 90% interval of a count, or the one number that it is; none where that is likelier than any."""
    if entry.p_zero > MOST:
        return "no"
    low, _, high = show_range(entry).partition(" to ")
    return low if low == high else f"{low} to {high}"
