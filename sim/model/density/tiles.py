"""The rows of the likelihood weighed, a tile of them at a time.

Each row is a mixture of two errors. The near one of a claim is the noise of its role, and the far one `factor` times as
wide; that of a number which another of its source's follows is what the series carries on, and the far one an error
made anew (see `sim.model.beliefs`, memory). TILE rows stand in columns whose distances the compiler knows, so that it
reckons the masses of eight narrow cells at once: most cells are narrow beside the noise. The rest goes row by row.
"""

from __future__ import annotations

import math
from typing import Any

from sim.model.density.access import constant_of, floats_of, index_of, inner, ints_of, reserve
from sim.model.density.codes import TILE, Common, Constant, Error, Field, Form, Given, Link, Slope
from sim.model.density.memory import set_given
from sim.model.density.terms import LEAST, LEAST_WORDING, NARROW, centre_row, form_term, narrow_cell

_ERROR, _GIVEN = len(Error) * TILE, len(Given) * TILE
TILE_FLOATS = 2 * _ERROR + _GIVEN


@inner
def weigh_rows(
    theta: Any, statement: Any, tops: Any, wholes: Any, log_tops: Any, by_reading: Any, slopes: Any,
    work: Any, floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Add up the log likelihood of the rows of each reading, and fill their slopes (`codes.Slope`)."""
    near, far, given = reserve(work, _ERROR), reserve(work, _ERROR), reserve(work, _GIVEN)
    for k in range(TILE):  # for where a tile has no row
        near[Error.LOWER * TILE + k] = near[Error.UPPER * TILE + k] = 0.0
        far[Error.LOWER * TILE + k] = far[Error.UPPER * TILE + k] = 0.0
        near[Error.VARIANCE * TILE + k] = far[Error.VARIANCE * TILE + k] = 1.0
    for first in range(0, len(tops), TILE):
        rows = min(TILE, len(tops) - first)
        _set_alone(
            first, rows, theta, statement, tops, wholes, log_tops, by_reading, slopes, near, far, given, floats, ints
        )
        set_given(first, rows, theta, tops, log_tops, slopes, near, far, given, floats, ints)
        _weigh_narrow(near)
        _weigh_narrow(far)
        _weigh_others(first, rows, theta, near, far, floats, ints)
        _mix_errors(first, rows, theta, near, far, given, by_reading, slopes, floats, ints)


@inner
def _set_alone(
    first: int, rows: int, theta: Any, statement: Any, tops: Any, wholes: Any, log_tops: Any, by_reading: Any,
    slopes: Any, near: Any, far: Any, given: Any, floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Fill the errors of the rows that nothing follows, their odds, and how they depend on what the rows sum."""
    cap, floor = constant_of(floats, ints, Constant.CAP), constant_of(floats, ints, Constant.FLOOR_SD)
    is_share, is_capped = ints_of(ints, Field.IS_SHARE), ints_of(ints, Field.IS_CAPPED)
    statements, reference = ints_of(ints, Field.STATEMENT), ints_of(ints, Field.REFERENCE_NOISE)
    is_prior, contaminated = ints_of(ints, Field.IS_PRIOR), ints_of(ints, Field.CONTAMINATED)
    noises, reading, links = ints_of(ints, Field.NOISE), ints_of(ints, Field.READING), ints_of(ints, Field.LINK)
    own_sd, point = floats_of(floats, ints, Field.OWN_SD), floats_of(floats, ints, Field.POINT)
    lower, upper = floats_of(floats, ints, Field.LOWER), floats_of(floats, ints, Field.UPPER)
    p, factor = theta[index_of(ints, Common.OUTLIER_PROBABILITY)], theta[index_of(ints, Common.OUTLIER_FACTOR)]
    log_rest, log_odds = math.log1p(-p), math.log(max(p, LEAST))
    for k in range(rows):
        r = first + k
        if links[r] != Link.NONE:
            continue
        centre, d_top, d_whole = centre_row(log_tops[r], wholes[r], is_share[r], is_capped[r], cap)
        slopes[Slope.TOP, r], slopes[Slope.WHOLE, r] = d_top / tops[r], d_whole / wholes[r]
        number = statements[r]
        if number >= 0:
            shared = max(theta[reference[number]], floor)
            centre += (-shared if is_prior[r] else shared) * statement[number]
            if is_prior[r]:
                by_reading[reading[r]] += math.log(shared)
        base, own = max(theta[noises[r]], floor) if noises[r] >= 0 else floor, own_sd[r] * own_sd[r]
        near[Error.VARIANCE * TILE + k], far[Error.VARIANCE * TILE + k] = base * base + own, (factor * base) ** 2 + own
        near[Error.POINT * TILE + k] = far[Error.POINT * TILE + k] = point[r] - centre
        near[Error.LOWER * TILE + k] = far[Error.LOWER * TILE + k] = lower[r] - centre
        near[Error.UPPER * TILE + k] = far[Error.UPPER * TILE + k] = upper[r] - centre
        given[Given.LOG_REST * TILE + k] = log_rest if contaminated[r] else 0.0
        given[Given.LOG_ODDS * TILE + k] = log_odds if contaminated[r] else -math.inf
        given[Given.BASE * TILE + k] = given[Given.VARIANCE_BY_NOISE * TILE + k] = base
        given[Given.MEAN_BY_AFTER * TILE + k] = given[Given.VARIANCE_BY_AFTER * TILE + k] = 0.0
        given[Given.MEAN_BY_FRESH * TILE + k] = given[Given.VARIANCE_BY_FRESH * TILE + k] = 0.0
        given[Given.MEAN_BY_NOISE * TILE + k] = 0.0


@inner
def _weigh_narrow(error: Any) -> None:
    """Fill the mass of the cell of each row, and its derivatives, as if all were narrow."""
    for k in range(TILE):
        sharp = 1 / math.sqrt(error[Error.VARIANCE * TILE + k])
        error[Error.SHARP * TILE + k] = sharp
        lower, upper = error[Error.LOWER * TILE + k] * sharp, error[Error.UPPER * TILE + k] * sharp
        exponent, mass, by_mean, by_sd, width = narrow_cell(lower, upper)
        error[Error.EXPONENT * TILE + k], error[Error.MASS * TILE + k] = exponent, mass
        error[Error.BY_MEAN * TILE + k], error[Error.BY_SD * TILE + k] = by_mean * sharp, by_sd * sharp
        error[Error.WIDTH * TILE + k], error[Error.BY_WORDING * TILE + k] = width, 0.0


@inner
def _weigh_others(first: int, rows: int, theta: Any, near: Any, far: Any, floats: Any, ints: Any) -> None:
    """Fill the same of the rows that have no narrow cell."""
    near_form, far_form = ints_of(ints, Field.CORE_FORM), ints_of(ints, Field.FORM)
    sign, wording = floats_of(floats, ints, Field.SIGN), ints_of(ints, Field.WORDING)
    for k in range(rows):
        r = first + k
        if (
            near_form[r] == far_form[r] == Form.CELL
            and max(near[Error.WIDTH * TILE + k], far[Error.WIDTH * TILE + k]) < NARROW
        ):
            continue
        mean = max(theta[wording[r]], LEAST_WORDING) if far_form[r] == Form.WORDED else 1.0
        for which in range(2):
            error, form = (near, near_form[r]) if which == 0 else (far, far_form[r])
            if form == Form.CELL and error[Error.WIDTH * TILE + k] < NARROW:
                continue
            gaps = error[Error.POINT * TILE + k], error[Error.LOWER * TILE + k], error[Error.UPPER * TILE + k]
            e, f, d_mean, d_sd, d_wording = form_term(form, gaps, sign[r], error[Error.SHARP * TILE + k], mean)
            error[Error.EXPONENT * TILE + k], error[Error.MASS * TILE + k] = e, f
            error[Error.BY_MEAN * TILE + k], error[Error.BY_SD * TILE + k] = d_mean, d_sd
            error[Error.BY_WORDING * TILE + k] = d_wording


@inner
def _mix_errors(
    first: int, rows: int, theta: Any, near: Any, far: Any, given: Any, by_reading: Any, slopes: Any,
    floats: Any, ints: Any,
) -> None:  # fmt: skip
    """Add the log likelihood of each row of a tile to its reading, and fill its slopes."""
    reading, log_width, links = (
        ints_of(ints, Field.READING),
        floats_of(floats, ints, Field.LOG_WIDTH),
        ints_of(ints, Field.LINK),
    )
    contaminated, floor = ints_of(ints, Field.CONTAMINATED), constant_of(floats, ints, Constant.FLOOR_SD)
    p, factor = theta[index_of(ints, Common.OUTLIER_PROBABILITY)], theta[index_of(ints, Common.OUTLIER_FACTOR)]
    renewed, slip = theta[index_of(ints, Common.RENEWAL)], max(theta[index_of(ints, Common.SLIP)], floor)
    per_p, per_rest = 1 / max(p, LEAST), 1 / (1 - p)
    per_renewed, per_kept = 1 / max(renewed, LEAST), 1 / (1 - renewed)
    for k in range(rows):
        r = first + k
        e, f = near[Error.EXPONENT * TILE + k] + given[Given.LOG_REST * TILE + k], near[Error.MASS * TILE + k]
        e2, f2 = far[Error.EXPONENT * TILE + k] + given[Given.LOG_ODDS * TILE + k], far[Error.MASS * TILE + k]
        if e >= e2:  # logs of odds, not factors: a mass of 1e-130 times the least probability is zero
            f2 *= math.exp(e2 - e)
        else:
            f *= math.exp(e - e2)
        both = f + f2
        by_reading[reading[r]] += log_width[r] + max(e, e2) + math.log(both)
        share = 1 / both
        w, w2 = f * share, f2 * share
        by_mean, by_far = w * near[Error.BY_MEAN * TILE + k], w2 * far[Error.BY_MEAN * TILE + k]
        by_variance = w * near[Error.BY_SD * TILE + k] * near[Error.SHARP * TILE + k]
        base = given[Given.BASE * TILE + k]
        widened = w2 * far[Error.BY_SD * TILE + k] * far[Error.SHARP * TILE + k] * factor * base
        by_after = by_variance * given[Given.VARIANCE_BY_AFTER * TILE + k]
        slopes[Slope.BELIEF, r] = by_mean - by_after + by_far
        slopes[Slope.AFTER, r] = by_mean * given[Given.MEAN_BY_AFTER * TILE + k] + by_after
        slopes[Slope.NOISE, r] = (
            by_mean * given[Given.MEAN_BY_NOISE * TILE + k]
            + by_variance * given[Given.VARIANCE_BY_NOISE * TILE + k]
            + widened * factor
        )
        slopes[Slope.FRESH, r] = (
            by_mean * given[Given.MEAN_BY_FRESH * TILE + k] + by_variance * given[Given.VARIANCE_BY_FRESH * TILE + k]
        )
        slopes[Slope.SLIP, r], slopes[Slope.FACTOR, r] = by_variance * slip, widened * base
        slopes[Slope.WORDING, r] = w * near[Error.BY_WORDING * TILE + k] + w2 * far[Error.BY_WORDING * TILE + k]
        is_linked = links[r] != Link.NONE
        slopes[Slope.RENEWAL, r] = w2 * per_renewed - w * per_kept if is_linked else 0.0
        slopes[Slope.PROBABILITY, r] = w2 * per_p - w * per_rest if contaminated[r] and not is_linked else 0.0
