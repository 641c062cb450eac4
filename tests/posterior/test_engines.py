"""Other samplers draw the same posterior from the PyMC model as our own does from machine code."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest
from examples import ONE_DAY, ONE_DAY_ROWS

from sim.errors import InputError
from sim.posterior.engines import check_engine, sample_with
from sim.posterior.fit import sample_posterior
from sim.posterior.sample import by_chain, take_posterior
from sim.sampler.diagnostics import load_statistics

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of libraries, about each other
]
EFFORT = {"draws": 1_000, "tune": 1_000, "target_accept": 0.95}


def log_counts(laid, draws):
    """Return the logs of the counts that are reported, by chain."""
    sample = take_posterior(laid, draws, 1)
    return {key: by_chain(np.log(sample.count(*key) + 0.5), draws.shape[0]) for key in sample.headline}


def hold_equal(laid, engine):
    """Hold means of log counts equal within four Monte Carlo standard errors of their difference."""
    ours = log_counts(laid, sample_posterior(laid, 1, **EFFORT, quiet=True))
    theirs = log_counts(laid, sample_with(engine, laid, 1, **EFFORT))
    statistics = load_statistics()
    for key in ours:
        errors = [
            float(statistics.mcse(each[key], chain_axis=0, draw_axis=1, method="mean")) for each in (ours, theirs)
        ]
        assert abs(ours[key].mean() - theirs[key].mean()) < 4 * np.hypot(*errors), key


@pytest.mark.slow  # a minute, to compile
def test_nutpie_draws_the_same_posterior(design):
    hold_equal(design(ONE_DAY_ROWS, ONE_DAY), "nutpie")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["nutpie", "pymc"])
def test_every_sampler_draws_the_posterior_of_kursk(engine, kursk):
    hold_equal(kursk, engine)


def test_pymc_draws_by_its_own_sampler_and_quietly(design, monkeypatch, tmp_path):
    """Left to choose, `pm.sample` takes nutpie where that is installed; what it leaves in files is removed."""
    import pymc as pm

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    asked = {}

    def stop(**options):
        asked.update(options)
        tempfile.mkstemp()  # as PyTensor keeps its source
        raise InterruptedError

    monkeypatch.setattr(pm, "sample", stop)
    with pytest.raises(InterruptedError):
        sample_with("pymc", design(ONE_DAY_ROWS, ONE_DAY), 1, **EFFORT)
    assert (asked["nuts_sampler"], asked["quiet"], asked["progressbar"]) == ("pymc", True, False)
    assert not [path for path in tmp_path.iterdir() if path.name != "case"]


def test_a_sampler_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(InputError, match="no sampler is called 'stan'; use one of kernel, nutpie, pymc"):
        check_engine("stan")
    monkeypatch.setattr("sim.posterior.engines.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"nutpie is not installed; install it: pip install 'truetoll\[nutpie\]'"):
        check_engine("nutpie")
