"""The newspaper's `estimates.csv`: what governments, researchers and lists of names said of the war in Ukraine.

One row is one estimate of one country's `deaths` or `casualties` since the invasion, with a low end, a high end, a
figure, or several of these. A low end alone is read as at_least, a high end alone as at_most; both are a range. The
table was written by hand: numbers with and without separators, days with and without leading zeros, one institution
under several names, notes in the column of addresses, and days that its own addresses contradict.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sim.case.case import MAX_DAYS, MAX_LABEL, ROLES, CaseFile
from sim.case.claims import Claim
from sim.errors import quote_value, refuse
from sim.importers import Imported, choose_bin_days, leave_out, name_apart, read_names
from sim.system.tables import read_rows, tidy_text

START = dt.date(2022, 2, 24)
COLUMNS = ("date", "estimate_low", "estimate_high", "estimate", "type", "source", "source_url", "country")
WARRING = "ignore for chart, data from warring parties"
FORCES = {"russia": "Russian forces", "ukraine": "Ukrainian forces"}


@dataclass(frozen=True)
class Institution:
    """Who makes estimates, and the names that the table has for it (as keys, without what stands in brackets).

    `names` is `list` where its figures are the length of a list of names, and `sample` where it reckons the whole
    from such a list: then a figure is the list's own only if it is given to the last digit.
    """

    label: str
    side: str
    aliases: Sequence[str] = ()
    names: Literal["", "list", "sample"] = ""


NAMES = read_names(__file__)
QUANTITIES: dict[str, str] = NAMES["quantities"]
SIDES: dict[str, list[str]] = NAMES["sides"]
ARTICLES: dict[str, dt.date] = NAMES["articles"]
INSTITUTIONS = {key: Institution(**item) for key, item in NAMES["institutions"].items()}
KEYS: dict[str, str] = {alias: key for key, item in INSTITUTIONS.items() for alias in (key, *item.aliases)}

# The British ministry's update of 7 January 2025 charts mean daily casualties by month "according to Ukrainian General
# Staff reporting"; the table sums them. Its sums begin with 31 x 386, March 2022: the first days of the war are not in.
CHART = "DefenceHQ/status/1876584633103507960"
CHART_FROM = dt.date(2022, 3, 1)
CHART_OF = "ukraine_armed_forces"
# A running count, which its page gives for the day of the page.
DAILY = "mil.gov.ua/news/"

_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ADDRESS_DAY = re.compile(r"/(20\d\d)/(\d{1,2})/(\d{1,2})(?:/|$)", re.ASCII)
_NUMBER = re.compile(r"(?:\d{1,9}|\d{1,3}(?:[,' ]\d{3}){1,2})(?:\.0{1,2})?", re.ASCII)
_NOTHING = {"", "na", "n/a", "nan", "none", "null", "-", "–", "—", "?"}

REMARKS = (
    "Estimates of Russian and Ukrainian losses collected by The Economist (CC BY 4.0), as read by `truetoll import`.",
    "A low end alone is at_least, a high end alone at_most. The table has one day for each row: as_of and published",
    "are both that day, though some figures were published months later. Where an address contradicts it, the day of",
    "the address is taken, and the row's note begins with 'slip:'. The monthly rows of the British ministry are sums",
    "of a chart made from the reports of Ukraine's General Staff, from March 2022 on: they count as the latter's",
    "(column origin); clear that column to read them as the ministry's own.",
)


@dataclass
class _Draft:
    """A row on its way to being a claim."""

    row: int
    source: str
    force: str
    quantity: str
    day: dt.date
    cells: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def used(self) -> bool:
        return not self.reasons


def read_foreign(file: Path) -> Imported:
    """Read the newspaper's `estimates.csv`.

    Returns
    -------
    Imported
        A claim for each row with a day, a country and a type that the case has; the other rows are left out, with a
        line each. A row of a source that is not known here, or without a usable number, is kept and excluded.

    Raises
    ------
    InputError
        Where the file cannot be read, or is another table.
    """
    left_out: list[str] = []
    drafts: list[_Draft] = []
    labels: dict[str, str] = {}
    for row, cells in read_rows(file, COLUMNS, "the newspaper's estimates.csv"):
        draft = _draft_claim(row, cells, labels)
        if isinstance(draft, _Draft):
            draft.cells["report"] = f"{tidy_text(file.name)}, row {row}"
            drafts.append(draft)
        else:
            left_out.append(leave_out(file, row, draft))
    if not drafts:
        raise refuse(file.name, "", "has no row that can be a claim", "give the newspaper's estimates.csv")
    _exclude_repeats(drafts)
    claims = _finish_claims(drafts)
    return Imported(_make_case(claims, labels), claims, tuple(left_out), REMARKS)


def _draft_claim(row: int, cells: dict[str, str], labels: dict[str, str]) -> _Draft | str:
    """Return the draft of a row, or why it cannot be a claim; a new source's label is added to `labels`."""
    lacking = [name for name in COLUMNS if name not in cells]
    if lacking:
        return f"ends before the column {lacking[0]}"
    day = _parse_day(cells["date"])
    if day is None:
        return f"the date {quote_value(cells['date'])} is no day of the war written day first"
    force, quantity = cells["country"].lower(), QUANTITIES.get(cells["type"].lower())
    if force not in FORCES:
        return f"the country {quote_value(cells['country'])} is not {' or '.join(FORCES)}"
    if quantity is None:
        return f"the type {quote_value(cells['type'])} is not deaths, wounded or casualties"
    key = _find_key(cells["source"])
    if not key:
        return "names no source"
    draft = _Draft(row, key, force, quantity, day, {"speaker": cells["source"]})
    labels.setdefault(key, INSTITUTIONS[key].label if key in INSTITUTIONS else cells["source"][:MAX_LABEL])
    if cells.get(WARRING, "").lower() == "yes":
        draft.notes.append("marked by the newspaper as from a warring party")
    _place_address(draft, cells["source_url"])
    _mend_day(draft, cells["date"])
    _word_numbers(draft, cells)
    if draft.day < START:
        draft.reasons.append(f"dated before the invasion of {START}")
    if key not in INSTITUTIONS:
        draft.reasons.append("nobody has told the importer on whose side this source is: give its role in case.toml")
    return draft


def _parse_day(text: str) -> dt.date | None:
    match = _DAY.fullmatch(text)
    try:
        day = dt.date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None
    return None if day is None or (day - START).days > MAX_DAYS else day


def _find_key(name: str) -> str:
    """Return the key of a source by its name, without what stands in brackets; empty where there is no name."""
    slug = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\([^)]*\)?", " ", name).lower()).strip("_")
    british = slug.replace("defense", "defence").replace("center", "centre")
    if british in KEYS or not name:
        return KEYS.get(british, "")
    if not name.isascii():  # a name in another script is told apart by its check sum
        slug = f"{slug[:30]}_{zlib.crc32(name.encode()):08x}"
    return slug[:40] if slug[:1].isalpha() else f"source_{slug[:40]}"


def _place_address(draft: _Draft, text: str) -> None:
    """Put the address into `url`, and what else the table says there into the note."""
    if text.lower().startswith(("http://", "https://")):
        url, _, rest = text.partition(" ")
        draft.cells["url"] = url
        if CHART in url and draft.source != CHART_OF and draft.day > CHART_FROM:
            draft.cells |= {"origin": CHART_OF, "measure": "interval", "since": CHART_FROM}
    else:
        rest = text
    if rest.strip("() "):
        draft.notes.append(f"the table says: {rest.strip('() ')}")


def _mend_day(draft: _Draft, written: str) -> None:
    """Take the day of the address where the row is dated after it, or gives a count that is of that very day."""
    url = draft.cells.get("url", "").lower()
    match = _ADDRESS_DAY.search(url)
    day = next((known for part, known in ARTICLES.items() if part in url), None)
    if match:
        try:
            day = dt.date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return
    if day is None or day < START:
        return
    if draft.day > day:
        why = f"the table's day is after that of the article ({day}), which cannot speak of it"
    elif DAILY in url and draft.day < day:
        why = f"a daily count, read as of the day of its page ({day})"
    else:
        return
    draft.day = day
    draft.cells["phrase"] = written
    draft.notes.insert(0, f"slip: {why}")


def _word_numbers(draft: _Draft, cells: dict[str, str]) -> None:
    """Set qualifier and numbers, or why there are none."""
    numbers: dict[str, float | None] = {}
    for name, column in (("low", "estimate_low"), ("value", "estimate"), ("high", "estimate_high")):
        text = cells[column]
        match = _NUMBER.fullmatch(text)
        if match is None and text.lower() not in _NOTHING:
            draft.reasons.append(f"{column} {quote_value(text)} is no number")
            return
        numbers[name] = float(re.sub(r"[,' ]", "", text)) if match else None
    low, value, high = numbers.values()
    given = [number for number in (low, value, high) if number is not None]
    if not given:
        draft.reasons.append("no number")
    elif given != sorted(given):
        draft.reasons.append("low, figure and high are not in order")
        draft.notes.append(f"the table gives {' to '.join(f'{number:.0f}' for number in given)}")
    else:
        _choose_wording(draft, low, value, high)


def _choose_wording(draft: _Draft, low: float | None, value: float | None, high: float | None) -> None:
    """Choose the qualifier; of low, value and high at least one is given, and they are in order."""
    names = INSTITUTIONS[draft.source].names if draft.source in INSTITUTIONS and draft.quantity == "killed" else ""
    first = next(number for number in (low, value, high) if number is not None)
    exact = _is_to_the_unit(first if value is None else value)
    if names == "list":
        draft.cells |= {"qualifier": "counted", "value": first}
        if high is not None and high > first:
            draft.notes.append(f"the low end counts names; the high end, {high:.0f}, adds the missing")
    elif low is not None and high is not None and low < high:
        draft.cells |= {"qualifier": "range", "low": low, "value": value, "high": high}
    elif names == "sample" and exact and first != high:
        draft.cells |= {"qualifier": "counted", "value": first}
    elif value is None and low != high:
        draft.cells |= {"qualifier": "at_most" if low is None else "at_least", "value": first}
    else:
        said = first if value is None else value
        draft.cells |= {"qualifier": "exact" if exact else "about", "value": said}
        edges = [f"{name} end {edge:.0f}" for name, edge in (("low", low), ("high", high)) if edge not in (None, said)]
        draft.notes += [f"the table adds a {edge}" for edge in edges]


def _is_to_the_unit(number: float) -> bool:
    """Whether a figure is given to its last digit."""
    return number == 0 or number % 10 != 0


def _exclude_repeats(drafts: list[_Draft]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for draft in drafts:
        if draft.used:
            said = (draft.cells.get(name) for name in ("qualifier", "low", "value", "high", "measure"))
            first = seen.setdefault((draft.source, draft.force, draft.quantity, draft.day, *said), draft.row)
            if first != draft.row:
                draft.reasons.append(f"says the same as row {first} of the table")


def _finish_claims(drafts: list[_Draft]) -> tuple[Claim, ...]:
    """Give ids, and one statement to what a source said at one address of one force on one day."""
    taken: dict[str, int] = {}
    groups: dict[tuple[str, str], list[_Draft]] = {}
    for draft in drafts:
        base = f"{draft.source}-{draft.day}-{draft.force}"
        draft.cells["id"] = name_apart(f"{base}-{draft.quantity}", taken)
        if draft.used:
            groups.setdefault((base, draft.cells.get("url", "")), []).append(draft)
    for (base, _), group in groups.items():
        if len(group) > 1:
            statement = name_apart(base, taken)
            for draft in group:
                draft.cells["statement"] = statement
    return tuple(
        Claim.model_validate(
            {
                **{name: cell for name, cell in draft.cells.items() if cell not in (None, "")},
                "source": draft.source,
                "force": draft.force,
                "quantity": draft.quantity,
                "published": draft.day,
                "note": "; ".join(draft.notes),
                "exclude": "; ".join(draft.reasons),
            }
        )
        for draft in drafts
    )


def _make_case(claims: tuple[Claim, ...], labels: dict[str, str]) -> CaseFile:
    last = max((claim.as_of for claim in claims if not claim.exclude), default=START)
    speaking = {claim.source for claim in claims} | {claim.origin for claim in claims if claim.origin}
    sources: dict[str, Any] = {}
    for key in [*(key for key in INSTITUTIONS if key in speaking), *(key for key in labels if key not in INSTITUTIONS)]:
        item = INSTITUTIONS.get(key)
        if item is None:
            role: Any = ROLES
        elif item.side == "independent":
            role = "independent"
        else:
            role = dict(zip(FORCES, SIDES[item.side], strict=True))
        sources[key] = {"label": item.label if item else labels[key], "role": role}
    return CaseFile.model_validate(
        {
            "schema": 1,
            "title": "Russian and Ukrainian losses since the invasion of 24 February 2022",
            "start": START,
            "as_of": last,
            "bin_days": choose_bin_days(START, last),
            "forces": {key: {"label": label, "outcomes": ["killed", "wounded"]} for key, label in FORCES.items()},
            "sources": sources,
        }
    )
