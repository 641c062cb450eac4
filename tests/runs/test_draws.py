"""The draws of a run as others read them: named, with coordinates, whole where a source speaks of one thing alone."""

from __future__ import annotations

import numpy as np
import pytest
from examples import CASE, ONE_DAY

from sim.model.design import sample_prior
from sim.posterior.fit import Draws
from sim.posterior.sample import draw_prior, take_posterior, thin_sample
from sim.posterior.summary import describe_claims
from sim.runs.draws import make_datatree, write_draws

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


def test_the_draws_open_in_arviz_under_the_priors_names(kursk_folder, kursk_run):
    import xarray as xr

    with xr.open_datatree(kursk_folder / "posterior.nc", engine="h5netcdf") as tree:
        draws = tree["posterior"].to_dataset().load()
    names = {"total", "scale.source", "new_source", "noise", "role.losses", "share", "wave.size", "lull", "count"}
    assert names <= set(draws)
    counts = {
        name: draws["count"].sel(force="dprk", quantity=name)
        for name in ("killed", "wounded", "casualties", "losses", "deployed")
    }
    assert bool((counts["killed"] + counts["wounded"] == counts["casualties"]).all())
    assert bool((counts["losses"] <= counts["deployed"]).all())
    total = np.exp(draws["total"].sel(force="dprk", outcome="killed"))
    assert float(np.abs(total - counts["killed"]).max()) <= 0.5 + 1e-6
    median = next(e.median for e in kursk_run.result.estimates if e.quantity == "killed")
    assert float(counts["killed"].median()) == pytest.approx(median, rel=1e-5)


def test_what_many_claims_would_have_said_again_is_thinned(kursk_run, monkeypatch):
    """The draws of claims are fewer where they would not fit; what is told of the claims hardly moves."""
    monkeypatch.setattr("sim.posterior.sample.SAID_NUMBERS", 500 * 16)
    thin = thin_sample(kursk_run.sample)
    assert len(thin.unknowns["theta"]) == 500
    for told, full in zip(describe_claims(kursk_run.sample), kursk_run.result.claims, strict=True):
        assert (told.expected is None) == (full.expected is None)
        if full.expected:
            assert told.expected == pytest.approx(full.expected, rel=0.3)


def test_the_draws_are_the_same_in_every_format(kursk_run, kursk_folder):
    """CSV, Parquet and NetCDF hold the same draws, and the percentiles of the summary are theirs."""
    import arviz as az
    import pandas as pd

    table = pd.read_csv(kursk_folder / "draws.csv", index_col="draw")
    parquet = pd.read_parquet(kursk_folder / "draws.parquet")
    pd.testing.assert_frame_equal(table, parquet, rtol=1e-5)
    tree = az.from_netcdf(kursk_folder / "posterior.nc")
    count = tree["posterior"]["count"].sel(force="dprk", quantity="killed").to_numpy().ravel()
    np.testing.assert_array_equal(table["killed"], count)
    assert (table["killed"] + table["wounded"] == table["casualties"]).all()
    row = kursk_run.summary.loc[("dprk", "killed")]
    for percent in (1, 50, 99):
        assert row[f"p{percent}"] == pytest.approx(np.percentile(count, percent), rel=1e-5)


def test_draws_beyond_whole_numbers_stay_numbers(design, tmp_path):
    import pandas as pd

    laid = design([], ONE_DAY + '[priors]\n"total.killed" = { dist = "Normal", mu = 45, sigma = 1 }\n')
    write_draws(draw_prior(laid, 1), tmp_path)
    assert pd.read_csv(tmp_path / "draws.csv")["killed"].min() > 0
