"""A case of every kind that the model knows: rows of claims, `case.toml`, and a prior set of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
from examples import (
    CALENDAR_ROWS,
    CASE,
    DAY_ROWS,
    EARLY_ROWS,
    KNOWN_ROWS,
    LEARNED,
    LIST_ROWS,
    ONE_DAY,
    ONE_DAY_ROWS,
    OPEN,
    PLACE_ROWS,
    RATIO_ROWS,
    RICH_ROWS,
    SERIES_ROWS,
    SILENT_ROWS,
    TWO_WAVES,
    UNBOUNDED,
    UNBOUNDED_ROWS,
    WAVE_DAYS,
)

FAMILIES = (
    CASE
    + """
[priors]
"scale.source" = { dist = "HalfNormal", sigma = 0.5 }
"scale.source_outcome" = { dist = "HalfCauchy", beta = 0.3 }
"scale.role_in_war" = { dist = "Gamma", alpha = 2, beta = 4 }
"noise.own" = { dist = "Exponential", lam = 2 }
"noise.adversary" = { fixed = 0.3 }
"outlier.probability" = { dist = "Uniform", lower = 0.01, upper = 0.3 }
"outlier.factor" = { dist = "LogNormal", mu = 1.6, sigma = 0.2 }
"outlier.source" = { dist = "LogitNormal", mu = -2, sigma = 0.5 }
"role.own.losses" = { dist = "StudentT", nu = 4, mu = -0.3, sigma = 0.4 }
"""
)

# Without outliers and with little noise, most points are impossible but for the least of probabilities.
FAR_OFF = (
    CASE
    + """
[priors]
"outlier.probability" = { fixed = 0 }
"outlier.source" = { fixed = 0 }
"noise.own" = { fixed = 0.02 }
"noise.adversary" = { fixed = 0.02 }
"""
)

EVENTS = 'events = [{ on = 2024-02-10, outcome = "killed" }, { on = 2024-02-10, outcome = "killed" }]\n'

# What is fixed about the memory of sources, as parameters.
MEMORY = (
    CASE.replace('role = ["own", "independent"]', 'role = "independent"')
    + """
[priors]
"memory.renewal" = { dist = "Beta", alpha = 2, beta = 20 }
"memory.statement" = { dist = "LogNormal", mu = -3, sigma = 0.5 }
"""
)

KINDS = {
    "bounded": (RICH_ROWS, CASE),
    "families": (RICH_ROWS, FAMILIES),
    "far off": (RICH_ROWS, FAR_OFF),
    "unbounded": (UNBOUNDED_ROWS, UNBOUNDED),
    "one day": (ONE_DAY_ROWS, ONE_DAY),
    "first reports": (EARLY_ROWS, ONE_DAY + '[sources.press]\nrole = "independent"\n'),
    "a list of names": (LIST_ROWS, ONE_DAY),
    "lists alone": ([{**LIST_ROWS[-1], "value": value} for value in (17, 19)], ONE_DAY),  # so that nothing has effects
    "joint": (RICH_ROWS, CASE, LEARNED),
    "series": (SERIES_ROWS, MEMORY),
    "ratios": (RATIO_ROWS, UNBOUNDED),
    "shares of known numbers": (KNOWN_ROWS, UNBOUNDED),
    "no claims": ([], CASE),
    "days": (DAY_ROWS, UNBOUNDED),
    "days and a forecast": (DAY_ROWS, OPEN, "", None, dt.date(2024, 5, 10)),
    "events": (DAY_ROWS, UNBOUNDED.replace('outcomes = ["killed"', EVENTS + 'outcomes = ["killed"', 1)),
    "calendar": (CALENDAR_ROWS, UNBOUNDED),
    "places": (PLACE_ROWS, UNBOUNDED),
    "silence": (SILENT_ROWS, UNBOUNDED),
    "two waves": ([*RICH_ROWS, *WAVE_DAYS], TWO_WAVES),
}


def smooth(laid):
    """Return a design with its losses on the path of bins: no bursts about it."""
    return replace(laid, state=replace(laid.state, bursts=(), capped=np.zeros(len(laid.state.bounded), dtype=bool)))
