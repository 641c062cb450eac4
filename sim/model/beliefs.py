r"""What each source believes of the state, and how likely what it said is.

Of a base outcome a source believes :math:`B_k = C_k e^{b}`, with

    b = role mean + spread of the role (role in this war + source + source by outcome);

of a total the sum of its parts' beliefs, of a share or a ratio the quotient of two beliefs. Of a ratio of two forces
each has the bias of its own: a source may be one side's adversary and the other's own. The effects of a role in this
war and of a source are those on one class of outcomes (`sim.model.claims.rows.class_of`): a gross claim of aircraft
lifts nobody killed. The number of captured, of missing and of those deployed is no loss that a side would play down or
up: they have role means of their own, and neither of these effects. Counts of those found (`counted`) carry no effect
of the role. Of a number of the first days that another follows less is believed to be known yet (see
`sim.model.claims.earliness`).

**Memory.** A number that others of its source's series follow (see `sim.model.claims.series`) is read given the next
one: with c and a the logs of the two beliefs, y' what was said next, s the noise of the role, n the error that the
source gave there, and rho = (1 + eta^2)^(-1/2),

    a running total   mean c + y' - a,             variance (1 - rho^2) s^2 w^2 + n^2, with w = 1 - exp(min(c - a, 0))
    a recount         the same with w = 1
    an interval       mean c + rho g (y' - a),     variance s^2 (1 - rho^2 g), with g = s^2 / (s^2 + n^2)

and besides a slip of its own and the error that the source gave. With the probability of a renewal it is read alone.

Where a source's role can be read in several ways, its claims on a force are as likely as the mean over the readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.claims.layout import BeliefLayout, Parts
from sim.model.density.codes import Form, Link
from sim.model.likelihood import NEVER, log_cell, log_density, log_understated, mix_components
from sim.model.state import pick, softplus

Ints = NDArray[np.int64]

FLOOR_SD = 1e-12  # so that a noise fixed at zero leaves the standard error that the source gave
CAP = 8.0  # how sharply a share is held below 1


def bias_terms(xp: Any, layout: BeliefLayout, theta: Any, effects: Any) -> Any:
    """Return the log bias of each term, shape (..., T).

    Parameters
    ----------
    theta : array, shape (..., parameters)
    effects : array, shape (..., layout.latents)
        Standard normals of the effects of roles in this war, sources, and sources by outcome.
    """
    in_war, source, by_outcome = (theta[..., position : position + 1] for position in layout.scales)
    of_all = (
        in_war * pick(xp, effects, layout.in_war)
        + source * pick(xp, effects, layout.source)
        + by_outcome * pick(xp, effects, layout.source_outcome)
    )
    spread = pick(xp, theta, layout.spread) + np.where(layout.spread < 0, 1.0, 0.0)
    return pick(xp, theta, layout.role) + spread * of_all


def widen_effects(xp: Any, layout: BeliefLayout, theta: Any, effects: Any) -> Any:
    """Return what makes of the standard normal density of effects of roles in this war and sources a contaminated one.

    A source, or all of a role in this war, is wide of the mark with the probability `outlier.source`: the effect is
    then `outlier.factor` times as wide. Gross exaggeration is a property of a source, or of a rumour that many pass on,
    more than of a sentence.
    """
    z = effects[..., : layout.wide_latents]
    q, factor = theta[..., layout.outlier_source, None], theta[..., layout.outlier_factor, None]
    gain = 0.5 * xp.square(z) * (1 - 1 / xp.square(factor)) - xp.log(factor)
    far = xp.maximum(xp.log(xp.maximum(q, 1e-300)), NEVER) + gain
    near = xp.log1p(-q) + 0.0 * z
    top = xp.maximum(near, far)
    return xp.sum(top + xp.log(xp.exp(near - top) + xp.exp(far - top)), axis=-1)


def believe(xp: Any, parts: Parts, state: Any, bias: Any, least: float) -> Any:
    """Return what the source believes of the sum of each row, shape (..., R); 1 for a row without parts.

    `least` is added to it.

    Parameters
    ----------
    state : array, shape (..., state series x cuts)
        `run_state`, flattened.
    bias : array, shape (..., T)
    """
    shape = parts.term.shape
    amount = xp.take(state, parts.until.ravel(), axis=-1) - xp.take(state, parts.since.ravel(), axis=-1)
    biased = amount * xp.exp(xp.take(bias, parts.term.ravel(), axis=-1)) * parts.mask.ravel()
    total = xp.sum(biased.reshape((*biased.shape[:-1], *shape)), axis=-1)
    return total + np.where(parts.mask.sum(axis=1) == 0, 1.0, least)


def expect(xp: Any, layout: BeliefLayout, theta: Any, state: Any, bias: Any) -> Any:
    """Return each row's belief on its own scale, shape (..., R): log of a count or a ratio, logit of a share.

    A share whose parts are among those of its whole is below 1 by itself. Another quotient x, such as the casualties
    of those deployed, whose biases differ, is capped smoothly: (x^-m + 1)^(-1/m), within 2% of x up to .8.
    """
    log_top = xp.log(believe(xp, layout.numerator, state, bias, layout.least))
    if layout.early.any():
        log_top = log_top + theta[..., layout.first_report, None] * layout.early
    if not layout.denominator.mask.any():
        return log_top
    log_ratio = log_top - xp.log(believe(xp, layout.denominator, state, bias, layout.least))
    if not layout.is_share.any():
        return log_ratio
    capped = -softplus(xp, -CAP * log_ratio) / CAP
    log_share = xp.where(layout.is_capped, capped, xp.minimum(log_ratio, -1e-12))
    log_rest = xp.where(layout.is_share, xp.log(-xp.expm1(xp.where(layout.is_share, log_share, -1.0))), 0.0)
    return xp.where(layout.is_share, log_share, log_ratio) - log_rest


def noise_sds(xp: Any, layout: BeliefLayout, theta: Any, factor: Any = 1.0) -> Any:
    """Return the standard deviation of each row's noise on its own scale, shape (..., R).

    `factor` multiplies the noise of the role alone, not the standard error that the source itself gave: so a claim
    whose own error grows without end tells less and less of everything, whether it is an outlier included.
    """
    shared = xp.maximum(pick(xp, theta, layout.noise), FLOOR_SD) * factor
    return xp.sqrt(xp.square(shared) + np.square(layout.own_sd))


def statement_errors(xp: Any, layout: BeliefLayout, theta: Any, statement: Any) -> Any:
    """Return the error that the rows of each statement share: its noise times `statement`; shape (..., statements)."""
    return xp.maximum(xp.take(theta, layout.reference_noise, axis=-1), FLOOR_SD) * statement


@dataclass(frozen=True)
class Noise:
    """The two components of each row's noise, each array of shape (..., R).

    Attributes
    ----------
    core_centre, core_sd : array
        Of the first: where a row is read given its successor, what that tells of it.
    wide_sd : array
        Of the second, about the belief itself.
    probability : array
        Of the second; it counts where a row is contaminated.
    """

    core_centre: Any
    core_sd: Any
    wide_sd: Any
    probability: Any


def mix_noise(xp: Any, layout: BeliefLayout, theta: Any, belief: Any, centre: Any) -> Noise:
    """Return the components of each row's noise.

    Parameters
    ----------
    belief : array, shape (..., R)
        From `expect`.
    centre : array, shape (..., R)
        The same with the errors of statements.
    """
    probability = theta[..., layout.outlier_probability, None]
    core_sd, wide_sd = (noise_sds(xp, layout, theta, k) for k in (1.0, theta[..., layout.outlier_factor, None]))
    linked = np.flatnonzero(layout.link)
    if not len(linked):
        return Noise(centre, core_sd, wide_sd, probability)
    after = layout.successor[linked]
    mean, sd = recall(xp, layout, linked, theta, belief, xp.take(belief, after, axis=-1), layout.next_point[linked])
    is_linked = layout.link != Link.NONE
    where = np.maximum(np.cumsum(is_linked) - 1, 0)
    return Noise(
        xp.where(is_linked, xp.take(mean, where, axis=-1), centre),
        xp.where(is_linked, xp.take(sd, where, axis=-1), core_sd),
        wide_sd,
        xp.where(is_linked, theta[..., layout.renewal, None], probability),
    )


def recall(
    xp: Any, layout: BeliefLayout, rows: Ints, theta: Any, belief: Any, later: Any, said: Any
) -> tuple[Any, Any]:
    """Return mean and sd of what is said in rows, given their successors.

    Parameters
    ----------
    rows : ndarray of int
        Those with successors.
    belief : array, shape (..., R)
    later : array, shape (..., len(rows))
        The beliefs of the successors.
    said : array
        What was said there.
    """
    own = xp.take(belief, rows, axis=-1)
    s = xp.maximum(xp.take(theta, layout.noise[rows], axis=-1), FLOOR_SD)
    slip = xp.maximum(theta[..., layout.slip, None], FLOOR_SD)
    keep = 1 / (1 + xp.square(xp.take(theta, layout.fresh[rows], axis=-1)))  # the square of rho
    next_var, is_interval = np.square(layout.next_sd[rows]), layout.link[rows] == Link.INTERVAL
    added = xp.where(layout.link[rows] == Link.TOTAL, 1 - xp.exp(xp.minimum(own - later, 0.0)), 1.0)
    known = xp.square(s) / (xp.square(s) + next_var)
    mean = own + xp.where(is_interval, xp.sqrt(keep) * known, 1.0) * (said - later)
    fresh = xp.where(is_interval, 1 - keep * known, xp.square(added) * (1 - keep))
    given = np.square(layout.own_sd[rows]) + np.where(is_interval, 0.0, next_var)
    return mean, xp.sqrt(xp.square(s) * fresh + xp.square(slip) + given)


def row_log_likelihoods(xp: Any, layout: BeliefLayout, state: Any, theta: Any, effects: Any, statement: Any) -> Any:
    """Return the log likelihood of each row, shape (..., R); of one that is a prior, the log density of the error.

    Parameters
    ----------
    state : array, shape (..., state series x cuts)
    theta, effects : arrays
        See `bias_terms`.
    statement : array, shape (..., statements)
        The error that a statement's rows share, in units of its noise.
    """
    belief = expect(xp, layout, theta, state, bias_terms(xp, layout, theta, effects))
    centre, log_unit = belief, 0.0
    if layout.statements:
        # A claim is off by its statement's error, and the prior of that error has it as the number said: minus it is
        # zero. The error being told in units of a noise, the log of that is added.
        error = statement_errors(xp, layout, theta, statement)
        centre = centre + np.where(layout.is_prior, -1.0, 1.0) * pick(xp, error, layout.statement)
        unit = pick(xp, theta, np.where(layout.is_prior, layout.reference_noise[layout.statement], -1))
        log_unit = xp.where(layout.is_prior, xp.log(xp.maximum(unit, FLOOR_SD)), 0.0)
    noise = mix_noise(xp, layout, theta, belief, centre)
    log_core = xp.where(layout.contaminated, xp.log1p(-noise.probability), 0.0)
    log_outlier = xp.where(layout.contaminated, xp.maximum(xp.log(xp.maximum(noise.probability, 1e-300)), NEVER), NEVER)
    found, order = [], []
    for form in Form:
        rows = np.flatnonzero(layout.form == form)
        if len(rows):
            core = _say(xp, layout, form, rows, noise.core_centre, noise.core_sd, theta)
            if form == Form.WORDED and layout.is_carried.any():
                plain = _say(xp, layout, Form.DENSITY, rows, noise.core_centre, noise.core_sd, theta)
                core = xp.where(layout.is_carried[rows], plain, core)
            outlier = _say(xp, layout, form, rows, centre, noise.wide_sd, theta)
            weights = (xp.take(log, rows, axis=-1) for log in (log_core, log_outlier))
            found.append(mix_components(xp, core, outlier, *weights))
            order.append(rows)
    in_order = xp.take(xp.concatenate(found, axis=-1), np.argsort(np.concatenate(order)), axis=-1)
    return in_order + layout.log_width + log_unit


def _say(xp: Any, layout: BeliefLayout, form: Form, rows: Ints, centre: Any, scale: Any, theta: Any) -> Any:
    """Return the log likelihood of the rows of one form under one component of the noise."""
    middle, s = xp.take(centre, rows, axis=-1), xp.take(scale, rows, axis=-1)
    if form == Form.CELL:
        return log_cell(xp, layout.lower[rows] - middle, layout.upper[rows] - middle, s)
    gap = layout.point[rows] - middle
    if form == Form.DENSITY:
        return log_density(xp, gap, s)
    mean = xp.maximum(xp.take(theta, layout.wording[rows], axis=-1), 1e-6)
    return log_understated(xp, layout.sign[rows] * gap, s, mean)


def join_readings(xp: Any, layout: BeliefLayout, rows: Any) -> Any:
    """Return the log likelihood of all claims: rows summed within a reading, readings averaged by their weights.

    Parameters
    ----------
    rows : array, shape (..., R)
        From `row_log_likelihoods`.
    """
    if not layout.mixtures:
        return xp.sum(rows, axis=-1)
    by_reading = sum_by_reading(xp, layout, rows)
    mixed = {number for group in layout.mixtures for number in group}
    single = _ints(number for number in range(len(layout.readings)) if number not in mixed)
    total = xp.sum(xp.take(by_reading, single, axis=-1), axis=-1)
    for group in layout.mixtures:
        weighted = xp.take(by_reading, _ints(group), axis=-1) + np.log([layout.readings[n].weight for n in group])
        top = xp.max(weighted, axis=-1, keepdims=True)
        total = total + xp.log(xp.sum(xp.exp(weighted - top), axis=-1)) + top[..., 0]
    return total


def sum_by_reading(xp: Any, layout: BeliefLayout, rows: Any) -> Any:
    """Return the log likelihood of each reading's rows, shape (..., readings)."""
    return xp.sum(rows[..., None, :] * layout.in_reading, axis=-1)


def _ints(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)
