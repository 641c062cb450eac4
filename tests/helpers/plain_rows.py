"""The rows of `claims.csv` read once more, from what they say to the numbers that the plain model takes.

It shares with the package the typed rows, which of them are used, whose they are, and which were said in one breath;
forms, edges, points, widths and wholes are worked out here, by the rules of `docs/model.md`, digit by digit.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

INFINITE = math.inf
BOUNDS = ("at_least", "at_most", "counted", "part")
CENTRAL_80 = 2 * 1.2815515655446004  # standard normals between the tenth and the ninetieth percent
LEAST_SHARE = 0.005  # what a share of none, or of all, may still be rounded from
SMOOTH = 1e-5  # of a number: rounded more finely, its cell is its density times the cell's width


@dataclass
class Row:
    """A used row as the plain model reads it: a cell, a density at a point, or a bound."""

    claim: Any
    source: str
    statement: str
    whole: str = ""
    other: str = ""  # the force that the whole of a ratio is of
    form: str = "density"
    point: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    log_width: float = 0.0
    extra_sd: float = 0.0

    def cell(self, lower, upper):
        self.form, self.lower, self.upper = "cell", lower, upper

    def spread(self, low, high, scale):
        """Take a range for a central 80% on a scale; return the standard deviation."""
        self.point = (scale(low) + scale(high)) / 2
        return (scale(high) - scale(low)) / CENTRAL_80


def logit(share):
    return math.log(share / (1 - share))


def bound(share):
    return min(max(share, LEAST_SHARE), 1 - LEAST_SHARE)


def wording_of(claim):
    """Return the qualifier; of a number of one place that it is one."""
    return "part" if claim.part else claim.qualifier


def said(claim):
    found = math.sqrt(claim.low * claim.high) if claim.qualifier == "range" else claim.value
    return found and found * times(claim)


def times(claim):
    """Return what a share of so many things is multiplied by to be a count of them; 1 for what is none."""
    return float(claim.of) if of_known(claim) else 1.0


def of_known(claim):
    return claim.unit == "share" and claim.of[:1].isdigit()


def split(claim):
    """Return the force and the quantity that a ratio is of."""
    *force, quantity = claim.of.split(".")
    return force[0] if force else claim.force, quantity


def read_rows(design):
    """Return the used rows of a design, in their order."""
    items = design.evidence.observations
    rows = [read_row(design.case, item, [other for other in items if other.source == item.source]) for item in items]
    for row in rows:
        if denies(design.case, row, rows):
            row.upper = INFINITE
    return rows


def denies(case, row, rows):
    """Whether a total of none says that there was nothing of what others alone give a number of, or of parts of it."""
    claim = row.claim
    if said(claim) or row.whole or wording_of(claim) in ("part", "register") or claim.measure != "cumulative":
        return False
    if claim.quantity == "deployed":
        return False
    parts = set(case.parts_of(claim.force, claim.quantity))
    others = []
    for other in rows:
        sides = [(other.claim.force, other.claim.quantity)]
        sides += [split(other.claim)] if other.claim.unit == "ratio" else []
        names = [name for force, name in sides if force == claim.force and name != "deployed"]
        told = said(other.claim) and wording_of(other.claim) != "at_most" and other.claim.quantity != "deployed"
        if told and any(set(case.parts_of(claim.force, name)) <= parts for name in names):
            others.append(other)
    if any(other.source == row.source for other in others):
        return False
    return any(other.claim.as_of <= claim.as_of + dt.timedelta(7) for other in others)


def read_row(case, item, others):
    claim = item.claim
    row = Row(claim, item.source, item.statement, extra_sd=claim.log_sd or 0.0)
    if claim.unit == "ratio":
        row.other, row.whole = split(claim)
        read_count(row, claim)
        return row
    if claim.unit == "share" and not of_known(claim):
        row.whole = claim.of or "deployed"
        read_share(row, claim)
        return row
    read_count(row, claim)
    beside = [other.claim for other in others if claim.statement and other.claim.statement == claim.statement]
    total = find_total(case, claim, beside)
    if total is not None:
        row.whole, row.statement = total.quantity, ""
        read_part(row, claim, said(total))
    return row


def find_total(case, claim, beside):
    """Return the smallest total said beside a count, of the same days, that it is a part of and does not exceed."""
    if claim.quantity == "deployed":
        return None
    own, found = set(case.parts_of(claim.force, claim.quantity)), []
    for other in beside:
        if other.unit == "ratio" or (other.unit == "share" and not of_known(other)):
            continue
        if other.quantity == "deployed" or not said(other):
            continue
        same = (other.force, other.measure, other.since, other.as_of) == (
            claim.force, claim.measure, claim.since, claim.as_of,
        )  # fmt: skip
        parts = set(case.parts_of(other.force, other.quantity))
        if same and own < parts and said(claim) <= said(other):
            found.append((len(parts), other))
    return min(found, key=lambda each: each[0])[1] if found else None


def read_count(row, claim):
    k, least = times(claim), 0.0 if row.other else 0.5
    value = claim.value if claim.value is None else claim.value * k
    if claim.qualifier == "range":
        if claim.high == 0:
            row.cell(-INFINITE, math.log(0.5))
        else:
            width = row.spread(max(claim.low * k, least), max(claim.high * k, least), math.log)
            row.extra_sd = math.hypot(row.extra_sd, width)
    elif value == 0:
        row.cell(-INFINITE, math.log(0.5))
    elif wording_of(claim) in BOUNDS:
        row.form, row.point = "bound", math.log(value)
    else:
        row.point = math.log(value)
        unit = find_unit(claim)
        unit = unit and unit * k
        if unit is not None and unit / value < SMOOTH:
            row.log_width = math.log(unit / value)
        elif unit is not None:
            row.cell(math.log(value - unit / 2) if 2 * value > unit else -INFINITE, math.log(value + unit / 2))


def find_unit(claim):
    """Return what a number was rounded to, by its digits as written; None where it was not rounded."""
    value, whole = claim.value, float(claim.value).is_integer()
    if claim.log_sd is not None or (claim.digits is None and (not whole or claim.unit == "share")):
        return None
    if claim.digits is not None and claim.unit != "count":  # of a ratio, three to one may be meant to the tenth
        return 10.0 ** (1 - claim.digits) * 10.0 ** math.floor(math.log10(value))
    if not whole:
        places = (
            len(str(int(value))) if value >= 1 else -(len(f"{value:.15f}"[2:]) - len(f"{value:.15f}"[2:].lstrip("0")))
        )
        return 10.0 ** (places - claim.digits)
    written = str(int(value))
    zeros = len(written) - len(written.rstrip("0"))
    if claim.digits is not None:
        zeros = max(len(written) - claim.digits, 0)
    elif claim.qualifier in ("exact", "register") or value >= 1e15:
        zeros = 0
    elif written.strip("0") == "1" and zeros:
        zeros -= 1  # 10,000 has two digits that are meant
    return float("1" + "0" * zeros)


def read_share(row, claim):
    value = claim.value
    if claim.qualifier == "range":
        row.extra_sd = math.hypot(row.extra_sd, row.spread(bound(claim.low), bound(claim.high), logit))
        return
    row.extra_sd /= 1 - min(value, 1 - LEAST_SHARE)  # an error of the logarithm, on the logit scale
    row.point = logit(bound(value) if value in (0, 1) else value)
    if wording_of(claim) in BOUNDS and value != 0:
        row.form = "bound"
    elif value == 0:
        row.cell(-INFINITE, logit(LEAST_SHARE))
    elif value == 1:
        row.cell(logit(1 - LEAST_SHARE), INFINITE)
    elif claim.digits is not None and claim.log_sd is None:
        half = 10.0 ** (math.floor(math.log10(value)) + 1 - claim.digits) / 2
        row.cell(*(logit(min(max(edge, 1e-12), 1 - 1e-12)) for edge in (value - half, value + half)))


def read_part(row, claim, whole):
    """Turn a count that was said beside its total into a share of that."""
    if claim.qualifier == "range":
        edges = [max(edge * times(claim), 0.5) / whole for edge in (claim.low, claim.high)]
        edges = [min(edge, 1 - LEAST_SHARE) for edge in edges]
        row.form, row.extra_sd = "density", row.spread(*edges, logit)
    elif row.form == "cell":
        upper = math.exp(row.upper) / whole
        lower = 0.0 if row.lower == -INFINITE else math.exp(row.lower) / whole
        row.cell(logit(min(lower, 1 - 1e-9)) if lower else -INFINITE, logit(upper) if upper < 1 else INFINITE)
    else:
        share = min(said(claim) / whole, 1 - LEAST_SHARE)
        row.point, row.log_width, row.extra_sd = logit(share), 0.0, row.extra_sd / (1 - share)
