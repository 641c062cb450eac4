"""The value of the next report: how much narrower the answer would be if a source spoke once more.

The report is simulated from every draw of the posterior, and the log count is regressed on it: the variance that is
left is the expected posterior variance, without a fit inside a fit (Strong et al. 2015, doi 10.1177/0272989X15575286).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.case.case import STATES
from sim.contract.summary import NextReport
from sim.contract.values import round_figures
from sim.model.claims.rows import ESTABLISHED, class_of, is_loss, kind_of
from sim.posterior.sample import Sample

KNOTS = 7  # of the regression
NEW = {"estimate": "an independent estimate, not heard yet", "count": "an independent count of graves or names"}
Floats = NDArray[np.float64]


def value_reports(sample: Sample, force: str, quantity: str) -> list[NextReport]:
    """Return what each source's next report would be worth, and that of kinds of source not heard yet.

    A report is "about so many on the headline's day", or a count of those found so far.

    Returns
    -------
    list of NextReport
        `width_ratio`: the expected width of the 90% interval on the log scale, over that of now; `log_score_gain`: the
        expected gain of the log score, in nats; the most telling first.
    """
    target, values = np.log(sample.count(force, quantity) + 0.5), sample.headline[force, quantity]
    if quantity in STATES or np.ptp(np.quantile(values, [0.05, 0.95])) == 0:  # nothing to narrow
        return []
    found = []
    for source, label, said in _simulate_reports(sample, force, quantity):
        number = np.log(np.exp(np.clip(said, -700, 700)) + 0.5)  # as it would be told: zero is possible
        left = min(max(expected_variance(target, number) / float(np.var(target)), 1e-6), 1.0)
        found.append(
            NextReport(
                source=source,
                label=label,
                force=force,
                quantity=quantity,
                width_ratio=round_figures(np.sqrt(left), 3),
                log_score_gain=round_figures(abs(0.5 * np.log(left)), 3),
            )
        )
    return sorted(found, key=lambda entry: entry.width_ratio)


def _simulate_reports(sample: Sample, force: str, quantity: str) -> Iterator[tuple[str, str, Floats]]:
    """Yield source, label, and the log of what it would say of the count in each draw."""
    design, rng = sample.design, sample.rng(20)
    truth = np.log(np.maximum(sample.count(force, quantity), 1e-9))
    for source in dict.fromkeys(reading.source for reading in design.beliefs.readings):
        bias = sample.find_bias(source, force, quantity)
        if bias is not None and source != ESTABLISHED:
            noise = np.zeros(len(truth))
            for number, reading in enumerate(design.beliefs.readings):
                if (reading.source, reading.force) == (source, force):
                    noise = np.where(sample.readings[:, number], _draw_noise(sample, reading.role, rng), noise)
            yield source, f"{design.case.label_source(source)}, once more", truth + bias + noise
    for kind, label in NEW.items():
        yield f"new_{kind}", label, truth + _draw_new(sample, kind, force, quantity, rng)


def _draw_noise(sample: Sample, role: str, rng: np.random.Generator) -> Floats:
    theta = sample.unknowns["theta"]
    sd = _draw_parameter(sample, "noise", role, f"noise.{role}", rng)
    at = sample.design.beliefs
    outlier = rng.uniform(size=len(theta)) < theta[:, at.outlier_probability]
    return np.asarray(sd * np.where(outlier, theta[:, at.outlier_factor], 1.0) * rng.standard_normal(len(theta)))


def _draw_parameter(sample: Sample, variable: str, role: str, key: str, rng: np.random.Generator) -> Floats:
    """Return the draws of a role's parameter; of a role that the case does not have, from its prior."""
    for column, item in enumerate(sample.design.parameters.items):
        if item.variable == variable and dict(item.coords).get("role") == role:
            return sample.unknowns["theta"][:, column]
    return sample.design.priors.get(key).sample(rng, len(sample.unknowns["theta"]))


def _draw_new(sample: Sample, kind: str, force: str, quantity: str, rng: np.random.Generator) -> Floats:
    """Return what is between the truth and the number of an independent source that has not been heard yet.

    Its effects are those that the model gives to such a source on such an outcome (see `sim.model.beliefs`).
    """
    theta, beliefs = sample.unknowns["theta"], sample.design.beliefs
    in_war, source, by_outcome = (theta[:, scale] * rng.standard_normal(len(theta)) for scale in beliefs.scales)
    outlying = rng.uniform(size=(2, len(theta))) < theta[:, beliefs.outlier_source]
    in_war, source = np.array([in_war, source]) * np.where(outlying, theta[:, beliefs.outlier_factor], 1.0)
    noise = _draw_noise(sample, "independent", rng)
    part = sample.design.case.parts_of(force, quantity)[0]
    about = kind_of(sample.design.case, force, part)
    if not is_loss(part):
        source = in_war = np.zeros(len(theta))
    if kind == "count":  # of those found: without the effects of roles, and short of the whole
        short = theta[:, sample.design.parameters.index("wording.counted")]
        return np.asarray(source + by_outcome + noise - short * rng.exponential(size=len(theta)))
    role = _draw_parameter(sample, f"role.{about}", "independent", f"role.independent.{about}", rng)
    heard = beliefs.effects["role_in_war"]
    key = force, "independent", class_of(part)
    if key in heard and is_loss(part):  # that effect is known a little in this war
        known = sample.unknowns["effects"][:, heard.index(key)]
        in_war = theta[:, beliefs.scales[0]] * known
    return np.asarray(role + in_war + source + by_outcome + noise)


def expected_variance(target: Floats, said: Floats) -> float:
    """Return E[Var(target | said)] from joint draws: the residual variance of a natural cubic spline regression."""
    z = (said - np.median(said)) / max(float(np.std(said)), 1e-12)
    knots = np.quantile(z, np.linspace(0.05, 0.95, KNOTS))
    cubes = [np.maximum(z - knot, 0) ** 3 for knot in knots]
    last, before = cubes[-1], cubes[-2]
    end = (before - last) / (knots[-1] - knots[-2])
    basis = [np.ones_like(z), z]
    basis += [(cube - last) / (knots[-1] - knot) - end for cube, knot in zip(cubes[:-2], knots[:-2], strict=True)]
    columns = np.column_stack(basis)
    rest = target - columns @ np.linalg.lstsq(columns, target)[0]
    return float(np.sum(rest**2) / (len(target) - columns.shape[1]))
