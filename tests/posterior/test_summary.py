"""What a summary says of the claims of a case."""

from __future__ import annotations

import datetime as dt

import numpy as np
from examples import ONE_DAY

from sim.model.design import sample_prior
from sim.posterior.sample import Sample
from sim.posterior.summary import describe_claims


def test_a_claim_of_a_day_after_the_end_is_told_as_it_is_read(design):
    """So that no page takes a count of next week for one of a day on which the figures were the prior's."""
    laid = design([{"value": 240, "as_of": "2024-03-11", "published": "2024-03-12"}], ONE_DAY)
    sample = Sample(laid, sample_prior(laid, np.random.default_rng(1), 200), 1)
    (told,) = describe_claims(sample)
    assert laid.case.end < dt.date(2024, 3, 11)
    assert (told.as_of, told.published) == (laid.case.end.isoformat(), "2024-03-12")
