r"""What each source believes of the state, and how likely what it said is.

Of a base outcome a source believes :math:`B_k = C_k e^{b}`, with

    b = role mean + role in this war + source + source by outcome;

of a total the sum of its parts' beliefs, of a share the quotient of two beliefs. The number of captured and of those
deployed is no loss that a side would play down or up: they have role means of their own, and neither the role's effect
in this war nor the source's on losses. Counts of those found (`counted`) carry no effect of the role.

Where a source's role can be read in several ways, its claims on a force are as likely as the mean over the readings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.likelihood import NEVER, log_cell, log_density, log_understated, mix_components
from sim.model.rows import BeliefDesign, Parts
from sim.model.state import pick, softplus

Ints = NDArray[np.int64]

FLOOR_SD = 1e-12  # so that a noise fixed at zero leaves the standard error that the source gave
CAP = 8.0  # how sharply a share is held below 1


def bias_terms(xp: Any, design: BeliefDesign, theta: Any, effects: Any) -> Any:
    """Return the log bias of each term, shape (..., T).

    Parameters
    ----------
    theta : array, shape (..., parameters)
    effects : array, shape (..., design.latents)
        Standard normals of the effects of roles in this war, sources, and sources by outcome.
    """
    in_war, source, by_outcome = (theta[..., position : position + 1] for position in design.scales)
    return (
        pick(xp, theta, design.role)
        + in_war * pick(xp, effects, design.in_war)
        + source * pick(xp, effects, design.source)
        + by_outcome * pick(xp, effects, design.source_outcome)
    )


def widen_sources(xp: Any, design: BeliefDesign, theta: Any, effects: Any) -> Any:
    """Return what makes of the standard normal density of the effects of sources a contaminated one.

    A source is wide of the mark altogether with the probability `outlier.source`: its effect is then `outlier.factor`
    times as wide. Gross exaggeration is a property of a source more than of a sentence.
    """
    first, last = design.source_latents
    z = effects[..., first:last]
    q, factor = theta[..., design.outlier_source, None], theta[..., design.outlier_factor, None]
    gain = 0.5 * xp.square(z) * (1 - 1 / xp.square(factor)) - xp.log(factor)
    far = xp.maximum(xp.log(xp.maximum(q, 1e-300)), NEVER) + gain
    near = xp.log1p(-q) + 0.0 * z
    top = xp.maximum(near, far)
    return xp.sum(top + xp.log(xp.exp(near - top) + xp.exp(far - top)), axis=-1)


def believe(xp: Any, parts: Parts, state: Any, bias: Any) -> Any:
    """Return what the source believes of the sum of each row, shape (..., R); 1 for a row without parts.

    Parameters
    ----------
    state : array, shape (..., state rows x cuts)
        `run_state`, flattened.
    bias : array, shape (..., T)
    """
    shape = parts.term.shape
    amount = xp.take(state, parts.until.ravel(), axis=-1) - xp.take(state, parts.since.ravel(), axis=-1)
    biased = amount * xp.exp(xp.take(bias, parts.term.ravel(), axis=-1)) * parts.mask.ravel()
    total = xp.sum(biased.reshape((*biased.shape[:-1], *shape)), axis=-1)
    return total + (parts.mask.sum(axis=1) == 0)


def expect(xp: Any, design: BeliefDesign, state: Any, bias: Any) -> Any:
    """Return each row's belief on its own scale, shape (..., R): log of a count, logit of a share.

    A share whose parts are among those of its whole is below 1 by itself. Another quotient x, such as the casualties
    of those deployed, whose biases differ, is capped smoothly: (x^-m + 1)^(-1/m), within 2% of x up to .8.
    """
    top = believe(xp, design.numerator, state, bias)
    if not design.is_share.any():
        return xp.log(top)
    whole = believe(xp, design.denominator, state, bias)
    log_ratio = xp.log(top) - xp.log(whole)
    capped = -softplus(xp, -CAP * log_ratio) / CAP
    log_share = xp.where(design.is_capped, capped, xp.minimum(log_ratio, -1e-12))
    log_rest = xp.where(design.is_share, xp.log(-xp.expm1(xp.where(design.is_share, log_share, -1.0))), 0.0)
    return xp.where(design.is_share, log_share, xp.log(top)) - log_rest


def noise_sds(xp: Any, design: BeliefDesign, theta: Any, factor: Any = 1.0) -> Any:
    """Return the standard deviation of each row's noise on its own scale, shape (..., R).

    `factor` multiplies the noise of the role alone, not the standard error that the source itself gave: so a claim
    whose own error grows without end tells less and less of everything, whether it is an outlier included.
    """
    shared = xp.maximum(pick(xp, theta, design.noise), FLOOR_SD) * factor
    return xp.sqrt(xp.square(shared) + np.square(design.own_sd))


def statement_errors(xp: Any, design: BeliefDesign, theta: Any, statement: Any) -> Any:
    """Return the error that the rows of each statement share: its noise times `statement`; shape (..., statements)."""
    return xp.maximum(xp.take(theta, design.reference_noise, axis=-1), FLOOR_SD) * statement


def row_log_likelihoods(xp: Any, design: BeliefDesign, state: Any, theta: Any, effects: Any, statement: Any) -> Any:
    """Return the log likelihood of each row, shape (..., R), in the order cells, densities, wordings.

    Parameters
    ----------
    state : array, shape (..., state rows x cuts)
    theta, effects : arrays
        See `bias_terms`.
    statement : array, shape (..., statements)
        The error that a statement's rows share, in units of its noise.
    """
    centre = expect(xp, design, state, bias_terms(xp, design, theta, effects))
    jacobian = 0.0
    if design.statements:
        error = statement_errors(xp, design, theta, statement)
        prior_rows = _places(number for number, row in enumerate(design.rows) if row.observation is None)
        sign = np.ones(len(design.rows))
        sign[prior_rows] = -1.0
        # A row is off by the statement's error; the prior row of a statement has that error as the number said.
        centre = centre + sign * pick(xp, error, design.statement)
        noise = xp.maximum(pick(xp, theta, _scatter(prior_rows, design)), FLOOR_SD)
        jacobian = xp.where(_mask(prior_rows, len(design.rows)), xp.log(noise), 0.0)
    probability = theta[..., design.outlier_probability, None]
    log_core = xp.where(design.contaminated, xp.log1p(-probability), 0.0)
    log_outlier = xp.where(design.contaminated, xp.maximum(xp.log(xp.maximum(probability, 1e-300)), NEVER), NEVER)
    scales = [noise_sds(xp, design, theta), noise_sds(xp, design, theta, theta[..., design.outlier_factor, None])]
    pieces = []
    for rows, form in ((design.cell, "cell"), (design.density, "density"), (design.worded, "worded")):
        if len(rows):
            core, outlier = (_form(xp, design, form, rows, centre, scale, theta) for scale in scales)
            pieces.append(
                mix_components(xp, core, outlier, xp.take(log_core, rows, axis=-1), xp.take(log_outlier, rows, axis=-1))
            )
    joined = xp.concatenate(pieces, axis=-1) + design.log_width[order_of(design)]
    return joined + (jacobian if design.statements == 0 else xp.take(jacobian, order_of(design), axis=-1))


def order_of(design: BeliefDesign) -> Ints:
    """Return the row that each element of `row_log_likelihoods` belongs to."""
    return np.concatenate([design.cell, design.density, design.worded])


def _mask(rows: Ints, length: int) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    mask[rows] = True
    return mask


def _scatter(rows: Ints, design: BeliefDesign) -> Ints:
    """Return for each prior row the position in theta of the noise that its statement's error is a multiple of."""
    positions = np.full(len(design.rows), -1, dtype=np.int64)
    positions[rows] = design.reference_noise[design.statement[rows]]
    return positions


def _form(xp: Any, design: BeliefDesign, form: str, rows: Ints, centre: Any, scale: Any, theta: Any) -> Any:
    """Return the log likelihood of the rows of one form under one component of the noise."""
    middle, s = xp.take(centre, rows, axis=-1), xp.take(scale, rows, axis=-1)
    if form == "cell":
        return log_cell(xp, design.lower[rows] - middle, design.upper[rows] - middle, s)
    gap = design.point[rows] - middle
    if form == "density":
        return log_density(xp, gap, s)
    mean = xp.maximum(xp.take(theta, design.wording[rows], axis=-1), 1e-6)
    return log_understated(xp, design.sign[rows] * gap, s, mean)


def join_readings(xp: Any, design: BeliefDesign, rows: Any) -> Any:
    """Return the log likelihood of all claims: rows summed within a reading, readings averaged by their weights.

    Parameters
    ----------
    rows : array, shape (R,)
        From `row_log_likelihoods`.
    """
    if not design.mixtures:
        return xp.sum(rows, axis=-1)
    by_reading = sum_by_reading(xp, design, rows)
    mixed = {number for group in design.mixtures for number in group}
    single = _places(number for number in range(len(design.readings)) if number not in mixed)
    total = xp.sum(xp.take(by_reading, single, axis=-1), axis=-1)
    for group in design.mixtures:
        weighted = xp.take(by_reading, _places(group), axis=-1) + np.log([design.readings[n].weight for n in group])
        top = xp.max(weighted, axis=-1, keepdims=True)
        total = total + xp.log(xp.sum(xp.exp(weighted - top), axis=-1)) + top[..., 0]
    return total


def sum_by_reading(xp: Any, design: BeliefDesign, rows: Any) -> Any:
    """Return the log likelihood of each reading's rows, shape (..., readings)."""
    return xp.sum(rows[..., None, :] * design.in_reading[:, order_of(design)], axis=-1)


def _places(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)
