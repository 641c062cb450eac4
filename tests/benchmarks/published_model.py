"""The model of Radford et al. 2023 (doi 10.1073/pnas.2307372120) in PyMC, to set ours beside it on its own data.

It is written from the equations of the paper's replication archive: of each type of loss (a category of one country)
the log of what is lost in a day is an intercept, a slope and a cubic spline, whose coefficients are correlated between
types; a source has a bias for each country and type, and one for minima and maxima. A count of one day is Poisson, a
running total negative binomial. Every other prior is a standard normal, or its half.

    log n[t, d] = a[t] + m[t] d / 365 + sum_k sigma[t] (L R)[t, k] B[k, d],    N[t, d] = sum of n[t, e] over e <= d
    y ~ NegBinomial(N exp(bias), phi[t]) or Poisson(n exp(bias))
    bias = tau c[s, country] + tau[s, country] e[s, t] + low[s] minimum + high[s] maximum
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy.interpolate import BSpline

COUNTRIES = 2
LKJ = 2.0
YEAR = 365.0


@dataclass(frozen=True)
class Reports:
    """Reports of losses, one an element: type, source, day (from 0), number, whether of one day, a minimum, a maximum.

    `country` is that of each type, `days` how many days there are.
    """

    kind: NDArray[np.int64]
    source: NDArray[np.int64]
    day: NDArray[np.int64]
    number: NDArray[np.float64]
    daily: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    country: NDArray[np.int64]
    kinds: tuple[str, ...]
    sources: tuple[str, ...]
    days: int


def read_reports(table: Path) -> Reports:
    """Return the published table, a report for each row, in its order."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = sorted({row["loss_type"] for row in rows})
    sources = sorted({row["claim_source"] for row in rows})
    countries = sorted({row["loss_country"] for row in rows})
    where = {row["loss_type"]: countries.index(row["loss_country"]) for row in rows}
    return Reports(
        kind=np.array([kinds.index(row["loss_type"]) for row in rows]),
        source=np.array([sources.index(row["claim_source"]) for row in rows]),
        day=np.array([int(row["days"]) - 1 for row in rows]),
        number=np.array([float(row["loss_count"]) for row in rows]),
        daily=np.array([row["time_frame"] == "Day" for row in rows]),
        low=np.array([float(row["minimum"]) for row in rows]),
        high=np.array([float(row["maximum"]) for row in rows]),
        country=np.array([where[kind] for kind in kinds]),
        kinds=tuple(kinds),
        sources=tuple(sources),
        days=max(int(row["days"]) for row in rows),
    )


def make_splines(days: int, knots: int) -> NDArray[np.float64]:
    """Return cubic B-splines at each day, shape (knots + 2, days), with knots spread evenly over the days."""
    at = np.linspace(1, days, knots)
    padded = np.concatenate([np.repeat(at[0], 3), at, np.repeat(at[-1], 3)])
    return np.asarray(BSpline.design_matrix(np.arange(1.0, days + 1), padded, 3).toarray().T)


def concentrations(kinds: int) -> NDArray[np.float64]:
    """Return the shape of the Beta of each column's partial correlations that makes LKJ(2) of them.

    Lewandowski, Kurowicka and Joe 2009 (doi 10.1016/j.jmva.2009.04.008), section 2.4.
    """
    return LKJ + (kinds - 2 - np.arange(kinds)) / 2


def build_published(reports: Reports, knots: int) -> pm.Model:
    """Return the model of the reports."""
    kinds, sources, splines = len(reports.kinds), len(reports.sources), make_splines(reports.days, knots)
    below, left = np.tril_indices(kinds, -1)
    with pm.Model() as model:
        sigma = pm.HalfNormal("sigma", 1, shape=kinds)
        phi_mu, phi_sd = pm.Normal("phi_mu"), pm.HalfNormal("phi_sd")
        phi = pt.exp(-(phi_mu + phi_sd * pm.Normal("phi_offset", shape=kinds)))
        bias_sd = pm.HalfNormal("bias_sd")
        source_sd = pm.HalfNormal("source_sd", shape=(sources, COUNTRIES))
        of_source = pm.Normal("bias_source", shape=(sources, COUNTRIES))
        of_kind = pm.Normal("bias_kind", shape=(kinds, sources))
        ends = {}
        for end in ("low", "high"):
            mean, spread = pm.Normal(f"{end}_mu"), pm.HalfNormal(f"{end}_sd")
            ends[end] = mean + spread * pm.Normal(f"{end}_offset", shape=sources)
        start_mu, start_sd = pm.Normal("start_mu"), pm.HalfNormal("start_sd")
        start = start_mu + start_sd * pm.Normal("start_offset", shape=kinds)
        slope_mu, slope_sd = pm.Normal("slope_mu"), pm.HalfNormal("slope_sd")
        slope = slope_mu + slope_sd * pm.Normal("slope_offset", shape=kinds)
        raw = pm.Normal("raw", shape=(kinds, len(splines)))
        partial = pm.Beta("partial", *2 * (concentrations(kinds)[left],), shape=len(left))

        z = pt.set_subtensor(pt.zeros((kinds, kinds))[below, left], 2 * partial - 1)
        passed = pt.cumprod(pt.sqrt(1 - z**2), axis=1)
        rest = pt.concatenate([pt.ones((kinds, 1)), passed[:, :-1]], axis=1)
        root = pt.tril(z, -1) * rest + pt.diag(pt.diagonal(rest))

        rate = start[:, None] + slope[:, None] * np.arange(1, reports.days + 1) / YEAR
        rate += sigma[:, None] * (root @ raw) @ splines
        total = pt.log(pt.cumsum(pt.exp(rate), axis=1))
        s, k, d = reports.source, reports.kind, reports.day
        bias = bias_sd * of_source[s, reports.country[k]] + source_sd[s, reports.country[k]] * of_kind[k, s]
        bias += ends["low"][s] * reports.low + ends["high"][s] * reports.high
        one = reports.daily
        pm.Poisson("of_a_day", pt.exp(rate[k[one], d[one]] + bias[one]), observed=reports.number[one])
        mean = pt.exp(total[k[~one], d[~one]] + bias[~one])
        pm.NegativeBinomial("so_far", mu=mean, alpha=phi[k[~one]], observed=reports.number[~one])
    return model
