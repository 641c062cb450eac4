"""Numbers and days as spreadsheets write them: read where there is one reading; of two, both are told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sim.errors import is_among, quote_value, refuse

NUMBERS = ("low", "value", "high", "log_sd")
FREE = ("speaker", "report", "phrase", "note", "exclude")  # what is said there is said as it stands
DAYS = ("as_of", "since", "published")
QUOTES = {"“”", "„“", "„”", "‘’", "‚‘", "«»", "»«", "””", "’’"}
Dates = Literal["day-first", "month-first"]

_PLAIN = re.compile(r"[+-]?(\d++\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EITHER = re.compile(r"[1-9]\d{0,2}([.,])\d{3}", re.ASCII)  # 1.500: one and a half, or fifteen hundred
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*(?:([.,])\d+)?", re.ASCII)
_DECIMAL = re.compile(r"\d*([.,])\d+", re.ASCII)
_SPACES = re.compile(r"(?<=\d)['’ \u00a0\u202f](?=\d{3}(?!\d))")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_TIME = re.compile(
    r"[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?(?:Z| ?[+-]\d\d:?\d\d)?$", re.IGNORECASE | re.ASCII
)
_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
_SHORT = re.compile(r"(?:\d{1,2}[./ -](?:\d{1,2}|[A-Za-zä]{3,9})[./ -])(\d{2})", re.ASCII)  # a year of two digits
_SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?", re.ASCII)  # days since 1899-12-30
_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|\.)?[ -]([A-Za-zä]{3,9})\.?,?[ -](\d{4})"
    r"|([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}))",
    re.ASCII,
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12,
}  # fmt: skip


def check_order(dates: object) -> None:
    """Refuse what names no order of days."""
    if dates is not None and not is_among(dates, ("day-first", "month-first")):
        raise refuse("dates", "", f"{quote_value(dates)} is no order", "use day-first or month-first")


class TwoReadings(Exception):  # noqa: N818 - the word of what it tells
    """A cell that can be read in two ways; `problem` names both, `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


class CellReader:
    """Reads the numbers and days of one table, by what its other cells show of how it is written.

    Parameters
    ----------
    rows : iterable of mapping
        Cells by column.
    separator : str
        Of the table: where columns are separated by semicolons, a comma may be decimal; empty for a sheet.
    dates : {"day-first", "month-first"}, optional
    decimal : {",", "."}, optional
        As the person says.
    """

    def __init__(
        self,
        rows: Iterable[Mapping[str, str]],
        separator: str = ",",
        dates: Dates | None = None,
        decimal: str | None = None,
    ) -> None:
        self.separator, self.dates = separator, dates
        self.assumed: dict[str, None] = {}
        marks: set[str] = set()
        orders: set[Dates] = set()
        for cells in rows:
            for name in NUMBERS:
                marks |= _show_mark(cells.get(name, ""))
            for name in DAYS:
                orders |= _show_order(cells.get(name, ""))
        if separator == ";" and not marks:
            marks = {","}
        self.mark = decimal or (next(iter(marks)) if len(marks) == 1 else "")
        self.order: Dates | None = dates or (next(iter(orders)) if len(orders) == 1 else None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was assumed, a line each."""
        return tuple(self.assumed)

    def read(self, column: str, text: str, *, share: bool = False) -> str:
        """Return a cell as the program writes it; one that it does not know stays as it is.

        Raises
        ------
        TwoReadings
            Where the cell can be read in two ways, and nothing in the table shows which is meant.
        """
        if column not in FREE:
            text = unquote(text)
        if column == "of":  # a number, or the name of a quantity
            return self._read_number(text, whole=True) if text[:1].isdigit() else text
        if column in NUMBERS:
            return self._read_number(text, whole=column != "log_sd" and not share)
        return self._read_day(text) if column in DAYS else text

    def _read_number(self, text: str, *, whole: bool) -> str:
        either = _EITHER.fullmatch(text) if whole else None  # a share or an error is no thousand
        if either:
            return self._read_either(text, either[1])
        if _PLAIN.fullmatch(text):
            return text
        tidy = _SPACES.sub("", text)
        if tidy != text and _PLAIN.fullmatch(tidy):
            self.assumed["spaces or apostrophes part thousands"] = None
            return tidy
        if (
            tidy.endswith("%")
            and (inner := self._read_number(tidy[:-1].strip(), whole=False))
            and _PLAIN.fullmatch(inner)
        ):
            self.assumed["percentages are read as shares: 33% as 0.33"] = None
            return f"{float(inner) / 100:.12g}"
        grouped = _GROUPED.fullmatch(tidy)
        fraction = not whole and grouped and grouped[1] == self.mark and _EITHER.fullmatch(tidy)  # of a share: 1,234
        if grouped and grouped[1] in (".", ",") and grouped[2] != grouped[1] and not fraction:
            self._assume(grouped[1])
            return tidy.replace(grouped[1], "").replace(grouped[2] or ".", ".")
        decimal = _DECIMAL.fullmatch(tidy)
        if decimal and decimal[1] == ",":
            self.assumed["a comma is decimal: 2,5 is two and a half"] = None
            return tidy.replace(",", ".")
        return text

    def _read_either(self, text: str, mark: str) -> str:
        plain, other = text.replace(mark, ""), text.replace(",", ".")
        thousands = self.mark not in ("", mark) or (self.mark == "" and mark == "," and self.separator == ",")
        if thousands:
            self._assume(mark)
            return plain
        broken = f"{float(other):g}"
        problem = f"may be {plain} or {broken}; persons have no fractions"
        raise TwoReadings(problem, f"write {plain} or {broken}{'0' if has_two_readings(broken) else ''}")

    def _assume(self, mark: str) -> None:
        self.assumed[f"a {'comma' if mark == ',' else 'point'} parts thousands: 1{mark}500 is 1500"] = None

    def _read_day(self, given: str) -> str:
        text = _TIME.sub("", given)
        iso = _ISO.fullmatch(text)
        if iso:
            return _make_day(text, iso[1], iso[2], iso[3])
        worded = _WORDS.fullmatch(" ".join(text.split()))
        if worded:
            day, name, year = (worded[1], worded[2], worded[3]) if worded[1] else (worded[5], worded[4], worded[6])
            return _make_day(text, year, str(_MONTHS.get(name[:3].lower(), 0)), day)
        numeric = _DAY.fullmatch(text)
        if not numeric:
            return self._read_rare(text)
        first, mark, second, year = numeric.groups()
        order: Dates | None = self.order
        if order is None and mark == ".":
            order = "day-first"
        if order is None and first != second:
            one, two = _make_day("", year, second, first), _make_day("", year, first, second)
            if one and two:
                remedy = 'write YYYY-MM-DD, or say dates = "day-first" in case.toml (--dates day-first)'
                raise TwoReadings(f"may be {one} or {two}", remedy)
            order = "day-first" if one else "month-first"
        if self.dates is None:
            self.assumed[f"days are written {'day' if order != 'month-first' else 'month'} first"] = None
        return _make_day(text, year, *((first, second) if order == "month-first" else (second, first)))

    def _read_rare(self, text: str) -> str:
        """Read a day that a spreadsheet counts, and ask about a year of two digits; anything else stays as it is."""
        if _SERIAL.fullmatch(text):
            self.assumed["days that are numbers are the spreadsheet's count of them: 45677 is 2025-01-20"] = None
            return (dt.date(1899, 12, 30) + dt.timedelta(days=int(text[:5]))).isoformat()
        short = _SHORT.fullmatch(text)
        if short:
            raise TwoReadings(f"may be of 20{short[1]} or of 19{short[1]}", "write its year with four digits")
        return text


def has_two_readings(text: str) -> bool:
    """Whether a number may have a fraction of three digits, or thousands: 1.500; one zero more says which."""
    return _EITHER.fullmatch(text) is not None


def _show_mark(text: str) -> set[str]:
    """Return the mark that a number shows to be decimal; nothing where it shows none."""
    if has_two_readings(text):
        return set()
    grouped = _GROUPED.fullmatch(_SPACES.sub("", text))
    if grouped and grouped[1] in (".", ","):
        return {"." if grouped[1] == "," else ","}
    decimal = _DECIMAL.fullmatch(text.removesuffix("%").strip())
    return {decimal[1]} if decimal else set()


def _show_order(text: str) -> set[Dates]:
    """Return the order that a day shows: only one of both numbers can be a month."""
    numeric = _DAY.fullmatch(_TIME.sub("", text))
    if not numeric or numeric[2] == ".":
        return set()
    first, second = int(numeric[1]), int(numeric[3])
    if first > 12 >= second:
        return {"day-first"}
    return {"month-first"} if second > 12 >= first else set()


def _make_day(text: str, year: str, month: str, day: str) -> str:
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return text


def list_cells(header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> Iterable[dict[str, str]]:
    """Yield the cells of rows by column, without those that are empty."""
    for _, cells in rows:
        yield {name: text for name, cell in zip(header, cells, strict=False) if name and (text := cell.strip())}


def unquote(cell: str) -> str:
    """Return a cell without the quotes that a word processor turned, where they stand about all of it."""
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] + cell[-1] in QUOTES else cell
