"""Published hierarchies to which the model reduces, and their exact posteriors by quadrature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.integrate import trapezoid


@dataclass(frozen=True)
class Study:
    """Estimates y with standard errors, theta_i ~ N(mu, tau), mu ~ N(0, scale), tau of a half law."""

    y: tuple[float, ...]
    sd: tuple[float, ...]
    mu_sd: float
    tau: tuple[str, float]


STUDIES = {
    # Crins et al. 2014, in the bayesmeta package (Roever 2020, doi 10.18637/jss.v093.i06)
    "crins": Study(
        (-2.309703, -0.459532, -2.302585, -1.757858, -1.258461, -2.417896),
        (0.599476, 0.556396, 0.880341, 0.455869, 0.641996, 1.528811),
        4.0,
        ("HalfNormal", 0.5),
    ),
    # Rubin 1981, to two decimals, in the same paper
    "rubin": Study(
        (28.39, 7.94, -2.75, 6.82, -0.64, 0.63, 18.01, 12.16),
        (14.9, 10.2, 16.3, 11.0, 9.4, 11.4, 10.4, 17.6),
        50.0,
        ("HalfCauchy", 25.0),
    ),
    # Eight schools, in posteriordb
    "schools": Study((28, 8, -3, 7, -1, 1, 18, 12), (15, 10, 16, 11, 9, 11, 10, 18), 5.0, ("HalfCauchy", 5.0)),
    # Crohn's disease, in the RBesT package (Weber et al. 2021, doi 10.18637/jss.v100.i19)
    "crohn": Study(
        (-51, -49, -36, -47, -90, -54),
        tuple(float(88 / np.sqrt(n)) for n in (74, 166, 328, 20, 25, 58)),
        88.0,
        ("HalfNormal", 44.0),
    ),
}

# Figures printed by those sources, to which the quadrature here is held (mu and tau: mean, sd).
PRINTED = {
    "crins": {"mu": (-1.5764, 0.3295), "tau": (0.38106, 0.25937)},
    "rubin": {"mu": (7.986, 4.99576), "tau": (5.884511, 4.869904)},
    "schools": {"mu": (4.3968, 3.3177), "tau": (3.5977, 3.2200)},
    "crohn": {"mu": (-49.8188, 8.5574), "tau": (14.4245, 9.7934)},
}


def solve(study: Study) -> dict[str, tuple[float, float]]:
    """Return the exact posterior mean and sd of mu, tau and a new theta, by quadrature over tau."""
    y, sd = np.array(study.y), np.array(study.sd)
    scale = study.tau[1]
    law = stats.halfnorm(scale=scale) if study.tau[0] == "HalfNormal" else stats.halfcauchy(scale=scale)
    top = scale * (12 if study.tau[0] == "HalfNormal" else 3_000)
    tau = np.concatenate([np.linspace(0, scale, 20_001)[:-1], np.geomspace(scale, top, 60_000)])
    total = sd[:, None] ** 2 + tau**2
    precision = (1 / total).sum(axis=0) + 1 / study.mu_sd**2
    mean = (y[:, None] / total).sum(axis=0) / precision
    log_weight = law.logpdf(tau) - 0.5 * np.log(total).sum(axis=0) - 0.5 * np.log(precision)
    log_weight -= 0.5 * ((y[:, None] ** 2 / total).sum(axis=0) - mean**2 * precision)
    weight = np.exp(log_weight - log_weight.max())
    weight /= trapezoid(weight, tau)

    def average(values):
        return float(trapezoid(weight * values, tau))

    mu = average(mean)
    mu_var = average(1 / precision + mean**2) - mu**2
    tau_mean = average(tau)
    tau_var = average(tau**2) - tau_mean**2
    return {
        "mu": (mu, float(np.sqrt(mu_var))),
        "tau": (tau_mean, float(np.sqrt(tau_var))),
        "theta_new": (mu, float(np.sqrt(average(1 / precision + mean**2 + tau**2) - mu**2))),
    }


def write_study(folder, study: Study) -> None:
    """Write a study as a case and a prior set, as a user would: one claim a source, its own error its only noise."""
    folder.mkdir()
    sources = "".join(f'[sources.s{n}]\nrole = "independent"\n' for n in range(len(study.y)))
    (folder / "case.toml").write_text(
        'schema = 1\nstart = 2000-01-01\nend = 2000-01-01\nprior = "study.toml"\n'
        f'[forces.x]\noutcomes = ["killed"]\n{sources}',
        encoding="utf-8",
    )
    rows = [
        f"c{n},s{n},killed,2000-01-01,exact,{np.exp(y):.15e},{sd:.12g}"
        for n, (y, sd) in enumerate(zip(study.y, study.sd, strict=True))
    ]
    head = "id,source,quantity,published,qualifier,value,log_sd"
    (folder / "claims.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    argument = {"HalfNormal": "sigma", "HalfCauchy": "beta"}[study.tau[0]]
    fixed = ["role.independent.losses", "scale.role_in_war", "scale.source_outcome", "noise.independent"]
    (folder / "study.toml").write_text(
        'schema = 1\nname = "study"\n'
        f'["total.killed"]\ndist = "Normal"\nmu = 0\nsigma = {study.mu_sd}\n'
        f'["scale.source"]\ndist = "{study.tau[0]}"\n{argument} = {study.tau[1]}\n'
        + "".join(f'["{key}"]\nfixed = 0\n' for key in [*fixed, "outlier.probability", "outlier.source"]),
        encoding="utf-8",
    )
