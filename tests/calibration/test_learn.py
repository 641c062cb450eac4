"""Priors are learned from many cases at once: one density made of the cases' own, and what is known comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from records import write_record
from scipy import stats

from sim.calibration.learn import BRIEF, assemble, design_hindcast, learn_priors, update_priors, write_priors
from sim.calibration.record import read_record
from sim.case.priors import read_priors
from sim.model.buffer import evaluate_density, list_free, name_slots
from sim.model.density.kernel import log_density_many
from sim.sampler.diagnostics import load_statistics

TRACK = Path(__file__).parents[2] / "priors" / "track-record"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return read_record(*write_record(tmp_path_factory.mktemp("record")))


@pytest.fixture(scope="module")
def vague():
    return read_priors("vague")


@pytest.fixture(scope="module")
def assembly(record, vague):
    return assemble([(design_hindcast(item, vague), item.war) for item in record.hindcasts], vague.joint)


def evaluate(assembly, x):
    gradient = np.zeros(len(x))
    value = log_density_many(x, gradient, assembly.buffer, assembly.buffer.view(np.int64))
    return value, gradient


def test_the_whole_is_the_sum_of_its_cases(assembly, vague, rng):
    """Each case's own density, less every prior that another has counted already, and the joint prior."""
    x = rng.normal(0, 0.3, assembly.size)
    shared = len(vague.joint.keys)
    mean, covariance = np.array(vague.joint.mean), np.array(vague.joint.covariance)
    u = x.copy()
    u[:shared] = mean + np.linalg.cholesky(covariance) @ x[:shared]
    total = stats.norm.logpdf(x[:shared]).sum()
    seen = set()
    for design, slots in zip(assembly.designs, assembly.slots, strict=True):
        total += evaluate_density(design, u[slots])[0]
        priors = [design.parameters.items[position].prior for position in list_free(design.parameters)]
        for number, slot in enumerate(slots):
            if slot < shared:
                total -= stats.norm.logpdf(u[slot], priors[number].mu, priors[number].sigma)
            elif slot in seen:
                q = design.parameters.index("outlier.source")
                assert name_slots(design)[number][0].startswith("effect.")
                total -= _effect_density(design, number, u[slots], q)
            seen.add(slot)
    assert evaluate(assembly, x)[0] == pytest.approx(total, rel=1e-10)


def _effect_density(design, number, x, q):
    if name_slots(design)[number][0] != "effect.source":
        return stats.norm.logpdf(x[number])
    weight = 1 / (1 + np.exp(-x[list_free(design.parameters).index(q)]))
    z, factor = x[number], design.priors.priors["outlier.factor"].fixed
    return np.log((1 - weight) * stats.norm.pdf(z) + weight * stats.norm.pdf(z, scale=factor))


def test_cases_of_one_war_share_the_effects_of_their_sources(assembly):
    names = [
        dict(zip(slots.tolist(), name_slots(design), strict=True))
        for design, slots in zip(assembly.designs, assembly.slots, strict=True)
    ]
    both = set(names[2]) & set(names[3])
    assert ("effect.source", "v_army") in {names[2][slot] for slot in both}
    assert not {name for name in names[0].values() if name[0].startswith("effect")} & {
        names[0][slot] for slot in set(names[0]) & set(names[1])
    }


def test_the_gradient_is_a_difference_of_densities(assembly, rng):
    x = rng.normal(0, 0.3, assembly.size)
    _, gradient = evaluate(assembly, x)
    for place in range(assembly.size):
        step = np.zeros(assembly.size)
        step[place] = 1e-6
        slope = (evaluate(assembly, x + step)[0] - evaluate(assembly, x - step)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=2e-3)


def test_what_made_the_claims_is_learned(tmp_path, vague, full):
    """One-day wars whose own side halves and whose enemy trebles: both are found, within their uncertainty."""
    rng = np.random.default_rng(5)
    claims, truths = [], []
    for n in range(40 if full else 20):
        truth = round(float(rng.lognormal(6, 1)))
        for source, role, factor in (("us", "own", 0.5), ("them", "adversary", 3.0)):
            said = round(truth * factor * float(rng.lognormal(0, 0.3)))
            claims.append(
                f"c{n},{source}{n},{source}{n},,{role},x,killed,cumulative,,2001-05-01,2001-05-02,exact,,{said},,,,,,,,,"
            )
        truths.append(f"c{n},w{n},A,x,,killed,2001-05-01,2001-05-01,2001-05-01,,{truth},,,")
    effort = BRIEF if full else replace(BRIEF, draws=600, tune=300)
    learned = learn_priors(read_record(*write_record(tmp_path, claims, truths)).hindcasts, vague, 1, effort, quiet=True)
    assert learned.diagnostics.max_rhat < 1.05
    sd = np.sqrt(np.diag(learned.covariance))
    for key, factor in (("role.own.losses", 0.5), ("role.adversary.losses", 3.0)):
        place = learned.keys.index(key)
        assert abs(learned.mean[place] - np.log(factor)) < 3 * sd[place]
        assert sd[place] < 0.2
    path = tmp_path / "learned.toml"
    found = update_priors(vague, learned, "learned", "a note")
    write_priors(found, path, {"path": ".", "sha256": "0"})
    again = read_priors(str(path))
    assert again.joint == found.joint
    assert {key: str(prior) for key, prior in again.priors.items()} == {k: str(p) for k, p in found.priors.items()}
    assert not again.borrowed


def test_the_default_set_is_what_the_record_teaches(vague, full):
    """A short learning of the shipped record agrees with the set, within the Monte Carlo error of both."""
    default = read_priors("default")
    shipped = read_record(TRACK / "claims.csv", TRACK / "truth.csv")
    assert default.learned_from["sha256"] == shipped.sha256
    learned = learn_priors(shipped.hindcasts, vague, 3, replace(BRIEF, draws=800), chains=4 if full else 2, quiet=True)
    assert learned.diagnostics.max_rhat < 1.1
    assert default.joint.keys == learned.keys
    statistics = load_statistics()
    for place, key in enumerate(learned.keys):
        draws = learned.draws[..., place]
        error = float(statistics.mcse(draws, chain_axis=0, draw_axis=1, method="mean"))
        assert abs(draws.mean() - default.joint.mean[place]) < 5 * error, key
        assert draws.std() == pytest.approx(default.priors[key].sigma, rel=0.35), key
    # What was not learned is believed as before.
    others = set(vague.priors) - set(learned.keys)
    assert {key: str(default.priors[key]) for key in others} == {key: str(vague.priors[key]) for key in others}
