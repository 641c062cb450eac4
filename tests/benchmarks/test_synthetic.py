"""The wars that growth is measured on are cases like any other, and follow from their seed."""

from __future__ import annotations

import numpy as np
from benchmarks.synthetic import FORCES, OUTCOMES, write_war

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.buffer import count_unknowns, evaluate_density
from sim.model.claims.counting import count_claims
from sim.model.density.codes import Link
from sim.model.design import design_model


def test_a_made_up_war_is_a_case_of_forty_series(tmp_path):
    folder = write_war(tmp_path / "war", 200)
    case = read_case(folder)
    design = design_model(case, read_priors(case.file.prior, overrides=case.file.priors))
    assert len(design.state.series) == len(FORCES) * len(OUTCOMES) == 40
    assert 190 <= len(design.evidence.observations) <= 200
    said = int((design.beliefs.link == Link.NONE).sum())  # of a series the last alone speaks of the level
    assert 0 < said <= len(design.evidence.observations)
    ends = np.cumsum([len(names) for names in design.beliefs.effects.values()])[:-1]
    for kind, claims in zip(design.beliefs.effects, np.split(count_claims(design.beliefs), ends), strict=True):
        assert claims.sum() == said, kind
    value, grad = evaluate_density(design, np.zeros(count_unknowns(design)))
    assert np.isfinite(value)
    assert np.isfinite(grad).all()


def test_a_made_up_war_follows_from_its_seed(tmp_path):
    texts = [(write_war(tmp_path / str(n), 50, seed) / "claims.csv").read_text() for n, seed in enumerate((1, 1, 2))]
    assert texts[0] == texts[1] != texts[2]
