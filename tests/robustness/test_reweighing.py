"""What claims add to the likelihood of a draw is the model's likelihood with them, less that of the model without."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from examples import CASE, ONE_DAY, UNBOUNDED

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.arrays import NUMPY
from sim.model.density.codes import Link
from sim.model.design import design_model, log_likelihood, sample_prior
from sim.posterior.sample import Sample
from sim.robustness.reweighing import _list_contributions, forecast_claims
from sim.robustness.variants import Variant, list_left_out

# Totals of one source, between those of another on the same days, and days that are told of one by one.
TOTALS = [("2024-01-20", 100), ("2024-01-28", 150), ("2024-02-10", 220), ("2024-03-01", 260)]
SINGLE = [("2024-01-14", 9), ("2024-01-15", 22), ("2024-02-20", 17), ("2024-02-21", 30)]


def tell(name, source, day, value, **more):
    return {"id": name, "force": "b", "source": source, "as_of": day, "value": value, **more}


ROWS = [
    *(tell(f"t{n}", "own", day, value) for n, (day, value) in enumerate(TOTALS)),
    *(tell(f"u{n}", "foe", day, value // 2) for n, (day, value) in enumerate(TOTALS)),
    *(tell(f"d{n}", "mixed", day, value, measure="interval", since=day) for n, (day, value) in enumerate(SINGLE)),
    tell("late", "mixed", "2024-03-01", 240),
    tell("a0", "own", "2024-03-01", 500, force="a"),
    tell("r", "own", "2024-03-01", 0.5, unit="ratio", of="a.killed"),
    {"id": "quiet", "force": "a", "exclude": "enters as a lull"},
]
DAYS = [
    dt.date(2024, month, day) for month, day in ((1, 13), (1, 14), (1, 15), (2, 19), (2, 20), (2, 21))
]  # cut in any case


def lay_out(folder):
    return design_model(read_case(folder), read_priors("default"), days=DAYS)


@pytest.mark.parametrize(
    "left_out",
    [
        {"t1"},
        {"t1", "t2"},
        {"t3"},
        {"t2", "t3", "u0"},
        {"d0"},
        {"d1"},
        {"d0", "d1"},
        {"d2", "t0", "late"},
        {"r"},
        {"r", "t3"},
    ],
    ids=lambda names: " ".join(sorted(names)),
)
def test_claims_add_what_the_model_without_them_lacks(left_out, write):
    """Totals that others are read given, days of a spell, both, and a ratio to another force."""
    whole = lay_out(write(ROWS, UNBOUNDED))
    less = lay_out(write([row for row in ROWS if row["id"] not in left_out], UNBOUNDED, name="less"))
    assert Link.TOTAL in whole.beliefs.link
    assert whole.picks.spells
    assert [item.name for item in less.parameters.items] == [item.name for item in whole.parameters.items]
    assert less.beliefs.effects == whole.beliefs.effects
    drawn = sample_prior(whole, np.random.default_rng(1), 50)
    drawn["statement"] = np.zeros((50, 0))
    with_them, without = (
        log_likelihood(NUMPY, laid, *(drawn[name] for name in ("theta", "walk", "effects", "statement", "burst")))
        for laid in (whole, less)
    )
    found = _list_contributions(Sample(whole, drawn, 1), {"these": frozenset(left_out)})["these"]
    np.testing.assert_allclose(found, with_them - without, rtol=1e-8, atol=1e-8)


FIRST = [
    {"id": "f0", "value": 14, "as_of": "2024-01-01", "published": "2024-01-01"},
    {"id": "f1", "value": 20, "as_of": "2024-01-01", "published": "2024-01-02"},
    {"id": "g0", "value": 25, "as_of": "2024-01-01", "published": "2024-01-03", "source": "foe"},
    {"id": "f2", "value": 31, "as_of": "2024-01-01", "published": "2024-01-09", "qualifier": "at_least"},
]


@pytest.mark.parametrize("left_out", [("f2",), ("f2", "g0"), ("f1",), ("g0",), ("f0",)], ids=" ".join)
def test_what_nobody_follows_any_more_is_early_no_more(left_out, write):
    whole = design_model(read_case(write(FIRST, ONE_DAY)), read_priors("default"))
    rows = [row for row in FIRST if row["id"] not in left_out]
    less = design_model(read_case(write(rows, ONE_DAY, name="less")), read_priors("default"))
    drawn = sample_prior(whole, np.random.default_rng(1), 50)
    drawn["statement"] = np.zeros((50, 0))
    shared = [[item.name for item in laid.parameters.items] for laid in (whole, less)]
    columns = [shared[0].index(name) for name in shared[1]]
    with_them = log_likelihood(NUMPY, whole, *(drawn[n] for n in ("theta", "walk", "effects", "statement", "burst")))
    at = [position for position, key in enumerate(_name_effects(whole)) if key in _name_effects(less)]
    without = log_likelihood(
        NUMPY, less, drawn["theta"][:, columns], drawn["walk"], drawn["effects"][:, at], drawn["statement"],
        drawn["burst"],
    )  # fmt: skip
    found = _list_contributions(Sample(whole, drawn, 1), {"these": frozenset(left_out)})["these"]
    np.testing.assert_allclose(found, with_them - without, rtol=1e-8, atol=1e-8)


def _name_effects(laid):
    return [(kind, *key) for kind, keys in laid.beliefs.effects.items() for key in keys]


SOLDIERS = CASE.replace("2024-03-31", "2024-12-31")  # so that the war outlasts what is told of it
SPOKEN = [
    {"id": "early", "force": "x", "source": "own", "as_of": "2024-02-01", "value": 300},
    {"id": "taken", "force": "x", "source": "foe", "as_of": "2024-02-01", "quantity": "captured", "value": 40},
    {"id": "last", "force": "x", "source": "foe", "as_of": "2024-03-20", "value": 900},
    {"id": "again", "force": "x", "source": "own", "as_of": "2024-02-01", "value": 310},
]


@pytest.mark.parametrize(("claim", "is_fitted_anew"), [("again", False), ("taken", True), ("last", True)])
def test_without_whom_silence_begins_elsewhere_is_fitted_anew(claim, is_fitted_anew, write):
    """Weights say nothing of a model with another lull, or with prisoners that nobody speaks of."""
    laid = design_model(read_case(write(SPOKEN, SOLDIERS)), read_priors("default"))
    assert (list_left_out(laid, Variant("leave_claim_out", claim, "")) is None) == is_fitted_anew


def test_a_claim_is_forecast_without_which_nobody_would_speak_of_prisoners(write):
    """The one who tells of them on the last day leaves no silence; a day that is told of is weighed without him too."""
    day = {"measure": "interval", "since": "2024-02-10", "as_of": "2024-02-10", "published": "2024-02-11"}
    told = {"quantity": "captured", "as_of": "2024-03-31", "published": "2024-03-31"}
    rows = [
        {"id": "day", "force": "x", "source": "own", "value": 30, **day},
        {"id": "taken", "force": "x", "source": "foe", "value": 40, **told},
        {"id": "total", "force": "x", "source": "foe", "as_of": "2024-03-01", "value": 500},
    ]
    laid = design_model(read_case(write(rows, CASE)), read_priors("default"))
    assert laid.picks.told < 0
    assert laid.picks.spells
    sample = Sample(laid, sample_prior(laid, np.random.default_rng(1), 400) | {"statement": np.zeros((400, 0))}, 1)
    assert {each.claim for each in forecast_claims(sample)} <= {"day", "taken", "total"}
