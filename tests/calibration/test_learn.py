"""Priors are learned from many cases at once: one density made of the cases' own, and what is known comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from records import WARS, write_record
from scipy import stats

from sim.calibration.bywar.fit import fit_site
from sim.calibration.bywar.kept import hash_wars, read_sites
from sim.calibration.bywar.passes import LATER, group_wars
from sim.calibration.hindcasts import update_odds
from sim.calibration.learn import BRIEF, assemble, design_hindcast, learn_priors, update_priors, write_priors
from sim.calibration.record import read_record
from sim.case.prior_keys import NOTHING_TERMS
from sim.case.priors import read_priors
from sim.model.buffer import evaluate_density, list_free, name_slots
from sim.posterior.fit import list_densities, list_gradients

ODDS = {f"nothing.{term}" for term in NOTHING_TERMS}
TRACK = Path(__file__).parents[2] / "priors" / "record"


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
    """Return the density and its gradient at a point, by the machine code that is there already."""
    return list_densities(assembly.buffer, x[None])[0], list_gradients(assembly.buffer, x[None])[0]


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


def test_cases_of_one_war_share_the_effects_of_their_sources(assembly, vague, tmp_path):
    """Those on one class of outcomes: what a source made of aircraft is not what it made of the dead."""
    claims = [*WARS["claims"][:-1], WARS["claims"][-1].replace("killed", "aircraft")]
    truths = [*WARS["truths"][:-1], WARS["truths"][-1].replace("killed", "aircraft")]
    alike = read_record(*write_record(tmp_path, claims, truths))
    of_aircraft = assemble([(design_hindcast(item, vague), item.war) for item in alike.hindcasts], vague.joint)
    for each, is_shared in ((assembly, False), (of_aircraft, True)):
        names = [
            dict(zip(slots.tolist(), name_slots(design), strict=True))
            for design, slots in zip(each.designs, each.slots, strict=True)
        ]
        both = set(names[2]) & set(names[3])
        assert (("effect.source", "v_army") in {names[2][slot][:2] for slot in both}) == is_shared
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


def test_the_default_set_is_what_the_record_teaches(vague):
    """It is the prior and the sites that are kept of all wars; those of some, measured anew, tell what these tell."""
    default, shipped = read_priors("default"), read_record(TRACK / "claims.csv", TRACK / "truth.csv")
    assert default.learned_from["sha256"] == shipped.sha256
    _, kept = read_sites(TRACK / "sites.json", vague, hash_wars(shipped.hindcasts, vague))
    assert kept.diagnostics.trusted
    belief, sd = kept.belief, np.sqrt(np.diag(kept.covariance))
    for place, key in enumerate(kept.keys):
        assert default.joint.mean[place] == pytest.approx(kept.mean[place], abs=1e-5), key
        assert default.priors[key].sigma == pytest.approx(sd[place], rel=1e-5), key
    # What was not learned is believed as before; so are the odds of nothing that the same wars teach.
    taught = update_odds(vague, shipped.hindcasts, vague)
    assert {key: str(default.priors[key]) for key in ODDS} == {key: str(taught.priors[key]) for key in ODDS}
    others = set(vague.priors) - set(kept.keys) - ODDS
    assert {key: str(default.priors[key]) for key in others} == {key: str(vague.priors[key]) for key in others}
    # By how much the slopes of these wars would move the means, by what is kept and as measured now.
    wars, steps = group_wars(shipped.hindcasts), []
    for war in ("mahdist_war", "kosovo1999", "paris2015", "lebanon2006_hezbollah"):
        cavity, site = kept.without(war).belief, kept.sites[war]
        again = fit_site(wars[war], vague, cavity, 5, LATER).site
        slopes = [each.shift - each.precision @ belief.mean for each in (site, again)]
        steps.append(belief.covariance @ (slopes[1] - slopes[0]) / sd)
    assert np.abs(np.sum(steps, axis=0)).max() < 0.5
