"""What else a case could mean: each variant is what a user would get by changing the case."""

from __future__ import annotations

import numpy as np
import pytest
from examples import ALLY, ALLY_ROWS, CASE, RATIO_ROWS, RICH_ROWS, UNBOUNDED
from scipy import stats

from sim.model.buffer import count_unknowns, name_slots
from sim.robustness.variants import build_variant, list_variants


def test_readings_of_words_are_what_they_say(design):
    laid = design(RICH_ROWS, CASE)
    variants = {variant.what: variant for variant in list_variants(laid) if variant.kind == "wording"}
    bound = build_variant(laid, variants["at_least as a hard bound"]).evidence.observations[2]
    assert (bound.form, bound.lower, bound.upper) == ("cell", pytest.approx(np.log(900)), np.inf)
    wide, narrow = (build_variant(laid, variants[f"range as {s}"]).evidence.observations[4] for s in ("50%", "95%"))
    for item, z in ((wide, stats.norm.ppf(0.75)), (narrow, stats.norm.ppf(0.975))):
        assert item.extra_sd == pytest.approx(np.log(6000 / 4000) / 2 / z)


def test_roles_that_can_be_read_otherwise_are(design):
    laid = design(ALLY_ROWS[:-1], ALLY)
    roles = {variant.what: variant for variant in list_variants(laid) if variant.kind == "role"}
    assert set(roles) == {"ally as adversary", "mixed as own", "mixed as independent"}
    read = build_variant(laid, roles["ally as adversary"])
    assert read.case.sources["ally"].roles_towards("x") == ("adversary",)
    assert not build_variant(laid, roles["mixed as own"]).beliefs.mixtures


def test_parts_of_the_claims_and_forms_of_the_model(design):
    laid = design(RICH_ROWS, CASE)
    variants = {variant.what: variant for variant in list_variants(laid)}
    days = {
        half: [o.claim.as_of for o in build_variant(laid, variants[f"the {half} claims"]).evidence.observations]
        for half in ("earlier", "later")
    }
    assert max(days["later"]) < min(days["earlier"])  # what is left where the later, or the earlier, are left out
    assert len(days["later"]) + len(days["earlier"]) == len(laid.evidence.observations)
    without = build_variant(laid, variants["claims on deployed"])
    assert not any(item.claim.quantity == "deployed" for item in without.evidence.observations)
    plain = build_variant(laid, variants["no outliers"])
    fixed = {item.variable: item.prior.fixed for item in plain.parameters.items if item.variable.startswith("outlier")}
    assert (fixed["outlier.probability"], fixed["outlier.source"]) == (0.0, 0.0)
    longer = build_variant(laid, variants["bins of 14 days"])
    assert longer.state.walks < laid.state.walks


def test_names_that_a_case_has_are_not_taken(design):
    """A source called echo keeps its role, and the marked echoes of every claim still change nothing."""
    toml = ALLY.replace("[sources.foe]", '[sources.echo]\nrole = "own"\n[sources.foe]')
    laid = design([*ALLY_ROWS[:2], {"source": "echo", "value": 400}], toml)
    (variant,) = (each for each in list_variants(laid) if each.kind == "echo")
    again = build_variant(laid, variant)
    assert again.case.sources["echo"].roles_towards("x") == ("own",)
    assert [item.claim.id for item in again.evidence.observations] == [o.claim.id for o in laid.evidence.observations]


def test_two_wordings_of_one_number_stay_two_claims_when_they_are_echoed(design):
    rows = [{"value": 6241, "qualifier": "exact"}, {"value": 6241, "qualifier": "at_least"}]
    laid = design(rows, ALLY)
    (variant,) = (each for each in list_variants(laid) if each.kind == "echo")
    assert len(laid.evidence.observations) == len(build_variant(laid, variant).evidence.observations) == 2


def test_the_unknowns_of_a_variant_have_the_names_of_the_base(kursk):
    """One name each, the same where they are the same: where the chains of a variant begin follows from it."""
    base = name_slots(kursk)
    for variant in list_variants(kursk):
        names = name_slots(build_variant(kursk, variant))
        assert len(names) == len(set(names)) == count_unknowns(build_variant(kursk, variant))
        if variant.kind in ("wording", "prior_set"):
            assert names == base, variant
        if variant.kind == "structure" and "bins" in variant.label:
            assert not {name for name in names if name[0] == "walk"} & set(base)


def test_every_variant_of_ratios_can_be_laid_out(design):
    """Each has a name of its own for every unknown, and a ratio that is left out is told as one."""
    laid = design(RATIO_ROWS, UNBOUNDED)
    variants = list_variants(laid)
    assert sum("“ratio of " in variant.label for variant in variants if variant.kind == "leave_claim_out") == 8
    for variant in variants:
        names = name_slots(build_variant(laid, variant))
        assert len(names) == len(set(names))
