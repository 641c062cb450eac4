"""The summary as tables: for the terminal, a notebook, a spreadsheet."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.contract.summary import DerivedEstimate, Estimate, Result, choose_leading, list_distinct
from sim.contract.values import LEVELS, PERCENTS
from sim.report.labels import lower_first, name_count, name_row, tell_forces_apart
from sim.report.notes import list_notes, list_openings
from sim.words import choose_digits, show_count, show_given, show_number, show_probability, show_share

if TYPE_CHECKING:
    import pandas as pd

HEADER = ("", "median", "50% interval", "90% interval")

Line = tuple[str, str, str, str]
Cell = str | float | None
Row = Mapping[str, Cell]  # of a table of numbers, by column


def list_lines(result: Result) -> Iterator[Line]:
    """Return the headline's rows as text: what, median, 50% and 90% interval; counts, then derived quantities."""
    yield from list_estimates(result)
    yield from list_derived(result)


def list_estimates(result: Result) -> Iterator[Line]:
    """Return the rows of the counts."""
    of = tell_forces_apart(result.forces)
    for entry in list_distinct(result):
        half, most = (_show_interval(entry.intervals[level], "count") for level in ("0.5", "0.9"))
        yield name_row(entry.quantity, of[entry.force]), show_count(entry.median), half, most


def show_estimate(entry: Estimate) -> str:
    """Return the median of an estimate, to two figures where its 90% interval is wider than threefold."""
    return show_count(entry.median, choose_digits(entry.intervals["0.9"]))


def show_range(entry: Estimate, level: str = "0.9") -> str:
    """Return an interval of an estimate, to as many figures as its median."""
    digits = choose_digits(entry.intervals["0.9"])
    low, high = (show_count(edge, digits) for edge in entry.intervals[level])
    return f"{low} to {high}"


def list_derived(result: Result, *, brief: bool = False) -> Iterator[Line]:
    """Return the rows of the derived quantities; if `brief`, to two figures where the interval is wide."""
    for entry in result.derived:
        if entry.median is None or entry.intervals is None:
            yield lower_first(entry.label), "undefined", "", ""
            continue
        digits = choose_derived_digits(entry.intervals["0.9"]) if brief else 3
        half, most = (_show_interval(entry.intervals[level], entry.unit, digits) for level in ("0.5", "0.9"))
        yield lower_first(entry.label), show_value(entry.median, entry.unit, digits), half, most


def choose_derived_digits(interval: tuple[float, float]) -> int:
    """Return how many figures of a derived quantity carry something: two from a threefold 90% interval on."""
    low, high = sorted(map(abs, interval))
    return 2 if min(interval) <= 0 <= max(interval) or high > 3 * low else 3


def list_headline(result: Result) -> list[Estimate]:
    """Return the estimates that are told first: those that the case's table `memo` names, in its order.

    Of a force of which it names none they are chosen (see `sim.contract.summary.choose_leading`).
    """
    told: dict[tuple[str, str], Estimate] = {}
    for name in result.memo.headline if result.memo else ():
        named = (each for each in result.estimates if name in (each.quantity, f"{each.force}.{each.quantity}"))
        told |= {(each.force, each.quantity): each for each in named}
    forces = {force for force, _ in told}
    leading = choose_leading({(entry.force, entry.quantity): entry.parts for entry in result.estimates})
    rest = [each for each in result.estimates if (each.force, each.quantity) in leading and each.force not in forces]
    return [*told.values(), *rest]


def show_value(value: float, unit: str, digits: int = 3) -> str:
    """Return a number in its unit: a count whole, a share as a percentage, the rest to three figures."""
    if unit == "count":
        return show_count(value, digits)
    return show_share(value) if unit == "share" else show_number(value, digits)


def _show_interval(edges: tuple[float, float], unit: str, digits: int = 3) -> str:
    low, high = edges
    return f"{show_value(low, unit, digits)} to {show_value(high, unit, digits)}"


def show_text(result: Result) -> str:
    """Return the headline as a compact table, with what must be said beside it."""
    rows = [HEADER, *list_lines(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{result.title}, as of {result.as_of}", "", *(f"{line}\n" for line in list_openings(result))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    of = tell_forces_apart(result.forces)
    for entry in result.exceedance:
        said = f"{entry.words} ({show_probability(entry.probability)})"
        lines.append(f"\nMore than {show_given(entry.above)} {name_count(entry.quantity, of[entry.force])}: {said}.")
    lines += ["", *list_notes(result)]
    return "\n".join(lines)


def show_html(result: Result) -> str:
    """Return the headline as an HTML table for a notebook."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in HEADER)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in list_lines(result)
    )
    caption = html.escape(f"{result.title}, as of {result.as_of}")
    notes = "<br>".join(html.escape(note) for note in (*list_openings(result), *list_notes(result)))
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{notes}</p>"
    )


def list_summary_rows(result: Result) -> list[Row]:
    """Return estimates and derived quantities as flat rows, an interval's ends in columns of their own."""
    rows: list[Row] = []
    for entry in result.estimates:
        head: Row = {"kind": "estimate", "force": entry.force, "quantity": entry.quantity, "as_of": result.as_of}
        moments: Row = {"median": entry.median, "mean": entry.mean, "sd": entry.sd}
        rows.append({**head, **moments, **_spread(entry)})
    for item in result.derived:
        head = {"kind": "derived", "force": "", "quantity": item.name, "as_of": result.as_of}
        rows.append({**head, "median": item.median, "mean": None, "sd": None, **_spread(item)})
    return rows


def _spread(entry: Estimate | DerivedEstimate) -> Row:
    """Return the intervals and percentiles as columns."""
    row: dict[str, Cell] = {}
    for level in map(str, LEVELS):
        row[f"low_{level}"], row[f"high_{level}"] = entry.intervals[level] if entry.intervals else (None, None)
    points = entry.percentiles or [None] * len(PERCENTS)
    return row | {f"p{percent}": point for percent, point in zip(PERCENTS, points, strict=True)}


def write_summary_csv(result: Result, path: Path) -> None:
    """Write estimates and derived quantities as CSV."""
    write_rows(path, list_summary_rows(result))


def tabulate_estimates(result: Result) -> pd.DataFrame:
    """Return estimates and derived quantities as a DataFrame indexed by force and quantity."""
    import pandas as pd

    return pd.DataFrame(list_summary_rows(result)).set_index(["force", "quantity"])


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV; text that a spreadsheet would take for a formula is kept as text."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _as_text(value) for key, value in row.items()} for row in rows)


def _as_text(value: Cell) -> Cell:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def show_worlds(result: dict[str, Any]) -> str:
    """Return simulated truths and claims as a table of their 1%, 50% and 99% points."""
    lines = [f"{result['case']}: {result['n']} simulated worlds", "", f"{'':<44}{'1%':>12}{'50%':>12}{'99%':>12}"]
    for kind in ("truths", "claims"):
        for name, values in result[kind].items():
            known = sorted(value for value in values if value is not None)
            points = [
                known[min(int(share * len(known)), len(known) - 1)] if known else None for share in (0.01, 0.5, 0.99)
            ]
            lines.append(f"{name[:43]:<44}" + "".join(f"{show_number(point):>12}" for point in points))
        lines.append("")
    return "\n".join(lines).rstrip()


def show_calibration(report: dict[str, Any]) -> str:
    """Return a report of simulation-based calibration as a table."""
    lines = [
        f"{report['n']} replicates in {report['seconds']:.0f} s, {report['untrusted_fits']} fits not to be trusted",
        "",
    ]
    lines += [f"{entry['name']:<60}{entry['p_uniform']:>10.3g}" for entry in report["quantities"]]
    told = f"alarm: {', '.join(report['alarms'])}" if report["alarms"] else "no alarm"
    lines += [
        "",
        f"{told} (p below {report['limit']:.2g}; false alarms of the whole report: {report['false_alarm']:.0%})",
    ]
    return "\n".join(lines)
