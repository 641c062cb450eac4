"""The package's density against a second implementation, written day by day for reading."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from examples import (
    CALENDAR_ROWS,
    CASE,
    DAY_ROWS,
    LEARNED,
    LIST_ROWS,
    LOUD_ROWS,
    ONE_DAY,
    ONE_DAY_ROWS,
    OPEN,
    PLACE_ROWS,
    RICH_ROWS,
    SERIES_ROWS,
    SILENT_ROWS,
    TWO_WAVES,
    UNBOUNDED,
    UNBOUNDED_ROWS,
    WAVE_DAYS,
    Row,
)  # fmt: skip
from kinds import FAMILIES, MEMORY
from kinds import KINDS as EVERY_KIND
from plain import PlainModel, joint_density, log_density
from plain_rows import read_rows

from sim.model.buffer import constrain_draws, count_unknowns, evaluate_density

MISSING = CASE.replace('"captured"]', '"captured", "missing"]')
SAID: list[Row] = [
    {"value": 10_000, "quantity": "deployed", "source": "foe", "measure": "stock"},
    {"value": 1_000, "qualifier": "about"},
    {"value": 3_000, "quantity": "casualties", "source": "foe"},
    {"value": 40, "quantity": "missing", "source": "foe"},
    {"qualifier": "at_most", "value": 90, "quantity": "missing", "source": "mixed"},
    {"value": 12.5, "quantity": "captured", "digits": 2},
    {"value": 0.04, "quantity": "captured", "unit": "share", "of": "losses", "source": "foe"},
    {"value": 1, "quantity": "losses", "unit": "share", "of": "deployed", "qualifier": "about", "source": "mixed"},
    {"qualifier": "range", "low": 0, "high": 0, "quantity": "captured", "as_of": "2024-01-05", "source": "foe"},
    {"value": 2_000, "quantity": "casualties", "statement": "u", "source": "own", "as_of": "2024-03-01"},
    {"qualifier": "range", "low": 300, "high": 500, "statement": "u", "source": "own", "as_of": "2024-03-01"},
    {"value": 1_234_567, "qualifier": "exact", "quantity": "wounded", "source": "mixed", "as_of": "2024-03-02"},
]  # fmt: skip
# Of the whole, by the sources of PLACE_ROWS and later: a number of one place is none of their series.
AFTER_PLACES = [
    {"force": "b", "source": "foe", "value": 40, "measure": "interval", "since": "2024-03-04", "as_of": "2024-03-06"},
    {"force": "b", "source": "own", "value": 60, "as_of": "2024-03-20"},
]
KINDS = {
    "bounded": (RICH_ROWS, CASE),
    "missing": (SAID, MISSING),
    "unbounded": (UNBOUNDED_ROWS, UNBOUNDED),
    "one day": (ONE_DAY_ROWS, ONE_DAY),
    "a list of names": (LIST_ROWS, ONE_DAY),
    "lists alone": EVERY_KIND["lists alone"],
    "joint": (RICH_ROWS, CASE, LEARNED),
    "loud": (LOUD_ROWS, UNBOUNDED),
    "series": (SERIES_ROWS, MEMORY),
    "series in two roles": (SERIES_ROWS, CASE),
    "days": (DAY_ROWS, UNBOUNDED),
    "days and a forecast": (DAY_ROWS, OPEN, "", None, dt.date(2024, 5, 10)),
    "calendar": (CALENDAR_ROWS, UNBOUNDED),
    "silence": (SILENT_ROWS, UNBOUNDED),
    "places": ([*PLACE_ROWS, *AFTER_PLACES], UNBOUNDED),
    "two waves": ([*RICH_ROWS, *WAVE_DAYS], TWO_WAVES),
    "families": (RICH_ROWS, FAMILIES),
    "first reports": EVERY_KIND["first reports"],
    "events": EVERY_KIND["events"],
    "ratios": EVERY_KIND["ratios"],
    "shares of known numbers": EVERY_KIND["shares of known numbers"],
}


def plain_density(laid, x):
    """Name what stands at a point of the unconstrained vector, and hand it to the plain model."""
    unknowns = constrain_draws(laid, x)
    values = dict(zip([item.name for item in laid.parameters.items], unknowns["theta"], strict=True))
    walks = dict(zip(laid.state.forces, unknowns["walk"].reshape(len(laid.state.forces), -1), strict=True))
    keys = [(kind, *key) for kind, names in laid.beliefs.effects.items() for key in names]
    effects = dict(zip(keys, unknowns["effects"], strict=True))
    errors = {}
    names = list(dict.fromkeys(item.statement for item in laid.evidence.observations if item.statement))
    for name, error in zip(names, unknowns["statement"], strict=True):
        first = next(item for item in laid.evidence.observations if item.statement == name)
        # The unit is the noise of the first reading, in the order of sources and forces, of those that speak in it.
        pairs = sorted(
            {(item.source, item.claim.force) for item in laid.evidence.observations if item.statement == name}
        )
        roles = laid.case.sources[first.source].roles_towards(pairs[0][1])
        errors[name] = {"error": error, "roles": roles, "first": (first.source, first.claim.force)}
    bursts = {
        laid.state.series[burst.series]: unknowns["burst"][burst.first : burst.first + burst.count]
        for burst in laid.state.bursts
    }
    model = PlainModel(laid, values, walks, effects, errors, bursts)
    joint = [laid.parameters.items[position] for position in laid.parameters.joint.positions]
    priors = [(item, values[item.name]) for item in laid.parameters.items if item not in joint]
    table = laid.priors.joint if joint else None
    return joint_density(joint, values, table) + log_density(laid, model, priors, walks, effects, errors)


def draw_point(laid, rng):
    """Draw a point near the middle of the prior: far from it the claims' likelihood underflows in plain arithmetic."""
    x = rng.normal(0, 0.3, count_unknowns(laid))
    joint = [laid.parameters.items[position] for position in laid.parameters.joint.positions]
    for place, item in enumerate([item for item in laid.parameters.items if item.prior.dist]):
        x[place] += 0.0 if item in joint else item.prior.mu or 0.0
    return x


@pytest.mark.parametrize("kind", ["bounded", "loud"])
def test_centred_effects_change_the_scale_alone(kind, design, rng, monkeypatch):
    """Where effects are sampled times their scales, the density is that of the standard normals by the scales."""
    monkeypatch.setattr("sim.model.design.MANY_CLAIMS", 3)
    laid = design(*KINDS[kind])
    own = laid.centred[laid.centred >= 0]
    assert 0 < len(own) < laid.beliefs.latents
    x = draw_point(laid, rng)
    scales = constrain_draws(laid, x)["theta"][own]
    assert evaluate_density(laid, x)[0] == pytest.approx(plain_density(laid, x) - np.log(scales).sum(), rel=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_say_what_the_plain_reading_finds(kind, design):
    """Forms, points, edges, widths and wholes, each by itself: in a density one might make up for another."""
    laid = design(*KINDS[kind])
    for row, item in zip(read_rows(laid), laid.evidence.observations, strict=True):
        assert (row.form, row.whole, row.statement) == (item.form, item.whole, item.statement), item.claim
        names = ("lower", "upper") if row.form == "cell" else ("point", "log_width")
        for name in (*names, "extra_sd"):
            assert getattr(row, name) == pytest.approx(getattr(item, name), rel=1e-12, abs=1e-12), (name, item.claim)


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_is_that_of_the_plain_model(kind, design, rng):
    laid = design(*KINDS[kind])
    for _ in range(3):
        x = draw_point(laid, rng)
        assert evaluate_density(laid, x)[0] == pytest.approx(plain_density(laid, x), rel=1e-8, abs=1e-8)


def test_the_density_of_kursk_is_that_of_the_plain_model(kursk, rng):
    x = draw_point(kursk, rng)
    assert evaluate_density(kursk, x)[0] == pytest.approx(plain_density(kursk, x), rel=1e-8, abs=1e-8)
