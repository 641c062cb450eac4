"""What one claim says by itself, as one term of the likelihood: a number, the cell it was rounded to, or a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from sim.case.claims import Claim
from sim.case.wordings import Wording

Form = Literal["cell", "density", "bound"]

# A range is the source's own 80% interval: its ends are 2 x 1.2816 standard deviations apart on the log scale.
RANGE_SPAN = 2 * 1.2815515655446004
SHARE_EDGE = 0.005
REGISTER = "register"
# Below this width on the log scale a rounding cell is its density times its width: the difference of two CDFs would
# lose digits, and the error of the midpoint is of the order of the squared width.
NARROW = 1e-5


@dataclass(frozen=True)
class Observation:
    """One term of the likelihood: what one used claim says of one source's belief.

    Attributes
    ----------
    claim : Claim
        The row that carries it.
    source : str
        Whose belief it is: the claim's source, or the source that it repeats.
    whole : str
        The quantity that a share or a ratio is of; empty for a count. Shares live on the logit scale, counts and ratios
        on the log scale.
    form : {"cell", "density", "bound"}
        The form of its likelihood; which bound is told by the claim's wording.
    point : float
        The number said, on its scale.
    lower, upper : float
        Edges of the rounding cell on its scale; for a density `point` with the log of its base measure in `log_width`.
    log_width : float
        What is added to a log density so that a narrow cell keeps the mass of its width.
    extra_sd : float
        Standard deviation, on its scale, that the source itself gave: its `log_sd`, or half the width of its range.
    statement : str
        The id shared by rows of one breath; empty where the row stands alone.
    """

    claim: Claim
    source: str
    whole: str
    form: Form
    point: float
    lower: float
    upper: float
    log_width: float = 0.0
    extra_sd: float = 0.0
    statement: str = ""

    @property
    def is_share(self) -> bool:
        """Whether its scale is the logit: a ratio has no upper end."""
        return bool(self.whole) and self.claim.unit != "ratio"

    @property
    def topics(self) -> tuple[tuple[str, str], ...]:
        """What it speaks of, by force and quantity: what it counts, and of a share or a ratio what that is of."""
        own = (self.claim.force, self.claim.quantity)
        return (own, (self.claim.whole_force, self.whole)) if self.whole else (own,)

    @property
    def bound(self) -> Wording | None:
        """The wording that it is a bound by; None for what is none, or is read as none."""
        return self.claim.wording if self.form == "bound" else None

    @property
    def denies(self) -> bool:
        """Whether it is a zero that denies what others count (see `sim.case.evidence.set_denials`), and no number."""
        return self.form == "cell" and self.lower == -math.inf and self.upper == math.inf

    @property
    def kind(self) -> str:
        """What kind of count it is where no role plays it up or down: "counted", a "register"; else empty."""
        return REGISTER if self.claim.wording.lists else "counted" if self.is_count_of_found else ""

    @property
    def is_count_of_found(self) -> bool:
        """Whether it counts what was found."""
        return self.bound is not None and self.bound.finds


def observe_claim(claim: Claim, source: str) -> Observation | None:
    """Return what a claim says by itself, or None where it says nothing: at least none, at most all."""
    value = claim.central
    if value is None:
        return None
    if claim.wording.sign > 0 and value == 0:
        return None
    if claim.wording.sign < 0 and claim.value == 1 and claim.unit == "share":
        return None
    base = Observation(
        claim, source, claim.whole, "density", math.nan, math.nan, math.nan, extra_sd=claim.log_sd or 0.0
    )
    return _observe_share(base, value) if base.is_share else _observe_count(base, value)


def _observe_count(base: Observation, value: float) -> Observation:
    """Read a count, or a ratio: that is none of persons, so that it may be below one half."""
    claim = base.claim
    if claim.wording.law == "range":
        low, high = _list_ends(claim)
        point, width = (math.log(low) + math.log(high)) / 2, math.log(high / low) / RANGE_SPAN
        if claim.high == 0:
            return _cell(base, -math.inf, math.log(0.5))
        return replace(base, point=point, extra_sd=math.hypot(base.extra_sd, width))
    if value == 0:
        return _cell(base, -math.inf, math.log(0.5))
    if claim.wording.law == "bound":
        return replace(base, form="bound", point=math.log(value))
    unit = rounding_unit(claim)
    if unit is None:
        return replace(base, point=math.log(value))
    if unit / value < NARROW:
        return replace(base, point=math.log(value), log_width=math.log(unit) - math.log(value))
    lower = math.log(value - unit / 2) if value > unit / 2 else -math.inf
    return _cell(base, lower, math.log(value + unit / 2))


def _observe_share(base: Observation, value: float) -> Observation:
    claim = base.claim
    if claim.wording.law == "range":
        low, high = (min(max(edge or 0.0, SHARE_EDGE), 1 - SHARE_EDGE) for edge in (claim.low, claim.high))
        point, width = (_logit(low) + _logit(high)) / 2, (_logit(high) - _logit(low)) / RANGE_SPAN
        return replace(base, point=point, extra_sd=math.hypot(base.extra_sd, width))
    point = _logit(min(max(value, SHARE_EDGE), 1 - SHARE_EDGE)) if value in (0, 1) else _logit(value)
    # What the source gave as an error of the logarithm is larger on the logit scale by 1 / (1 - share).
    base = replace(base, extra_sd=base.extra_sd / (1 - min(value, 1 - SHARE_EDGE)))
    if claim.wording.law == "bound" and value != 0:
        return replace(base, form="bound", point=point)
    if value in (0, 1):
        edges = (-math.inf, _logit(SHARE_EDGE)) if value == 0 else (_logit(1 - SHARE_EDGE), math.inf)
        return _cell(base, *edges)
    if claim.digits is None or claim.log_sd is not None:
        return replace(base, point=point)
    half = unit_of(value, claim.digits) / 2
    return _cell(base, *(_logit(min(max(edge, 1e-12), 1 - 1e-12)) for edge in (value - half, value + half)))


def observe_part(claim: Claim, source: str, total: Claim) -> Observation | None:
    """Read a part said beside its total as a share of it: each of its numbers is divided by the total's centre."""
    whole = total.central
    alone = observe_claim(claim, source)
    if alone is None or not whole:
        return alone
    share = replace(alone, whole=total.quantity)
    if claim.wording.law == "range":
        low, high = (min(edge / whole, 1 - SHARE_EDGE) for edge in _list_ends(claim))
        point, width = (_logit(low) + _logit(high)) / 2, (_logit(high) - _logit(low)) / RANGE_SPAN
        return replace(share, point=point, extra_sd=width)
    if alone.form == "cell":
        top = math.inf if math.exp(alone.upper) >= whole else _logit(math.exp(alone.upper) / whole)
        bottom = -math.inf if alone.lower == -math.inf else _logit(min(math.exp(alone.lower) / whole, 1 - 1e-9))
        return _cell(share, bottom, top)
    said = min(math.exp(alone.point) / whole, 1 - SHARE_EDGE)
    return replace(share, point=_logit(said), extra_sd=alone.extra_sd / (1 - said), log_width=0.0)


def _list_ends(claim: Claim) -> list[float]:
    """Return the ends of a range of counts, of which none is below one half, or of ratios."""
    low, _, high = claim.number
    return [max(edge or 0.0, 0.5 if claim.is_count else 0.0) for edge in (low, high)]


def _cell(base: Observation, lower: float, upper: float) -> Observation:
    return replace(base, form="cell", lower=lower, upper=upper)


def rounding_unit(claim: Claim) -> float | None:
    """Return the unit that a claimed count was rounded to, or None where it is continuous.

    A count is rounded to the significant digits meant: `digits` where given; all of them for `exact`; for `about` the
    digits before the trailing zeros, but two where that is one and the leading digit is 1 ("10,000" is 9,500 to 10,500,
    "3,000" is 2,500 to 3,500). A number that is not whole, without `digits`, is continuous, and so is one with a
    `log_sd`. So is a share of a known number without `digits`; with them they are the share's, and of a ratio they may
    lie below one.
    """
    value = claim.value
    if value is None or value == 0 or claim.log_sd is not None:
        return None
    if claim.unit != "count" and claim.digits is not None:
        return unit_of(value, claim.digits) * (claim.known_whole or 1.0)
    if claim.known_whole is not None:
        return None
    if claim.digits is None and value != math.floor(value):
        return None
    if claim.digits is not None:
        unit = unit_of(value, claim.digits)
        return max(unit, 1.0) if value == math.floor(value) else unit
    if not claim.wording.rounds_zeros or value >= 1e15:
        return 1.0
    text = str(int(value)).rstrip("0")
    digits = 2 if text == "1" else len(text)
    return max(unit_of(value, digits), 1.0)


def unit_of(value: float, digits: int) -> float:
    """Return the unit of the last of a number's significant digits."""
    return float(10.0 ** (math.floor(math.log10(value)) + 1 - digits))


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)
