"""The draws of a run as others read them: named, with coordinates, whole where a source speaks of one thing alone."""

from __future__ import annotations

import numpy as np
from examples import CASE

from sim.model.design import sample_prior
from sim.posterior.fit import Draws
from sim.posterior.sample import take_posterior
from sim.runs.draws import make_datatree

WAR = """
schema = 1
start = 2024-01-01
end = 2024-03-31
[forces.x]
outcomes = ["killed", "wounded", "captured"]
[forces.people]
outcomes = ["killed"]
victims = "civilians"
[sources.own]
role = { x = "own", people = "independent" }
[sources.foe]
role = { x = "adversary", people = "adversary" }
"""


def test_a_role_has_the_biases_of_what_it_speaks_of(design):
    """Who speaks of prisoners alone has no bias on the dead; elements that are not there are NaN."""
    rows = [
        {"force": "x", "source": "foe", "quantity": "captured", "value": 900},
        {"force": "x", "source": "own", "value": 640},
        {"force": "x", "source": "own", "quantity": "wounded", "value": 1_600},
        {"force": "people", "source": "own", "value": 44},
    ]
    laid = design(rows, WAR)
    unknowns = {**sample_prior(laid, np.random.default_rng(1), 40), "statement": np.zeros((40, 0))}
    draws = Draws({name: each[None] for name, each in unknowns.items()}, 0, 1.0, {})
    found = make_datatree(laid, draws, take_posterior(laid, draws, 1))["posterior"].to_dataset()
    assert list(found.coords["role"].values) == ["own", "adversary", "independent"]
    for kind, role in (("losses", "own"), ("wounded", "own"), ("captured", "adversary"), ("civilians", "independent")):
        held = np.isfinite(found[f"role.{kind}"]).all(("chain", "draw"))
        assert list(held.coords["role"].values[held.values]) == [role]
    assert np.isfinite(found["noise"]).all()


def test_who_counts_a_share_alone_has_a_bias_on_its_whole(design):
    """What is counted has no bias of the role; what it is a share of has."""
    laid = design([{"source": "foe", "value": 0.3, "unit": "share", "qualifier": "counted"}], CASE)
    assert laid.beliefs.is_share.any()
    assert {item.name for item in laid.parameters.items} >= {"role.deployed.adversary", "noise.adversary"}
