"""What would change the answer: each variant is what a user would get by changing the case, and is told in words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from examples import CASE, ONE_DAY, RICH_ROWS, UNBOUNDED, format_claims
from fuzzing import run_here
from scipy import stats

from sim.contract.check import dump_record, parse_sensitivity
from sim.model.buffer import count_unknowns, name_slots
from sim.model.design import sample_prior
from sim.posterior.fit import Effort
from sim.posterior.sample import Sample
from sim.posterior.verdict import Ladder, choose_ladder, fit_design
from sim.report.robustness import list_shown, tell_robustness
from sim.robustness.conflict import adjust_holm, compare_groups
from sim.robustness.counts import QUANTILES, CountSummary, FitSummary, quantiles_of
from sim.robustness.power_scaling import GROUPS, log_prior, scale_priors
from sim.robustness.sensitivity import examine_case
from sim.robustness.variants import build_variant, list_variants, without_source
from sim.sampler.diagnostics import OF_INTERVALS
from sim.system.tasks import finish_tasks

TOML = CASE.replace("[sources.own]", "NEVER").replace(
    "NEVER", '[sources.ally]\nrole = "ally_of_adversary"\n[sources.own]'
)
LULL = 'bounded = true\nlulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]'
ROWS = [
    {"value": 300, "as_of": "2024-02-01"},
    {"qualifier": "at_least", "value": 900, "source": "foe", "quantity": "casualties"},
    {"qualifier": "range", "low": 4000, "high": 6000, "quantity": "deployed", "source": "ally", "measure": "stock"},
    {"value": 250, "source": "ally"},
    {"value": 700, "source": "mixed", "quantity": "wounded"},
    {"id": "quiet", "source": "foe", "quantity": "losses", "exclude": "enters as a lull"},
]

BRIEF = Ladder((Effort(400, 300, 0.95),), OF_INTERVALS)
REPORTED = [row for row in ROWS if row.get("source") != "mixed"]  # fewer sources, fewer fits


@pytest.fixture
def variants(monkeypatch):
    """Return a function that leaves of a case's variants those of some kinds: a report of all takes fifty fits."""

    def leave(*kinds):
        monkeypatch.setattr(
            "sim.robustness.sensitivity.list_variants", lambda d: [v for v in list_variants(d) if v.kind in kinds]
        )

    return leave


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return a report as the command writes it, and its folder; its chains are short, as it takes fifty fits."""
    place = tmp_path_factory.mktemp("sensitivity")
    (place / "case").mkdir()
    (place / "case" / "case.toml").write_text(TOML.replace("bounded = true", LULL), encoding="utf-8")
    (place / "case" / "claims.csv").write_text(format_claims(REPORTED), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.robustness.sensitivity.choose_ladder", lambda _: BRIEF)
        status, out, told = run_here(
            ["sensitivity", f"{place}/case", "--json", "--jobs", "1", "--results", f"{place}/results"], 600
        )
    assert status in (0, 4), told
    (folder,) = (path for path in (place / "results" / "case").iterdir() if path.is_dir())
    return json.loads(out), folder


def test_every_kind_of_the_contract_is_there(report):
    found, folder = report
    assert found["headline"] == "killed"
    kinds = {each["kind"] for each in found["scenarios"]}
    assert kinds == {
        "leave_source_out", "leave_claim_out", "leave_part_out", "structure", "duplicate_source", "prior_power",
        "prior_set", "wording", "role", "lull", "echo",
    }  # fmt: skip
    for each in found["scenarios"]:
        assert {"median", "intervals", "shift_sd", "how", "trusted"} <= each.keys()
    names = {path.name for path in folder.iterdir()}
    assert names == {"sensitivity.json", "sensitivity.csv", "sensitivity.md", "figures"}
    assert {path.name for path in (folder / "figures").glob("*.png")} == {"variants.png", "conflict.png"}
    assert json.loads((folder / "sensitivity.json").read_text(encoding="utf-8")) == found


def test_marked_echoes_move_nothing_and_unmarked_copies_narrow(report):
    scenarios = report[0]["scenarios"]
    (echo,) = (each for each in scenarios if each["kind"] == "echo")
    base = next(each for each in report[0]["base"]["quantities"] if each["quantity"] == "killed")
    assert (echo["median"], echo["intervals"], echo["shift_sd"]) == (base["median"], base["intervals"], 0)
    copies = {each["what"]: each for each in scenarios if each["kind"] == "duplicate_source"}
    # Two copies narrow by less than the Monte Carlo error of a width.
    assert copies["ally x5"]["width_ratio"] < min(copies["ally x2"]["width_ratio"], 1)


def test_the_shift_is_of_the_median_of_the_log_in_standard_deviations(report):
    base = next(each for each in report[0]["base"]["quantities"] if each["quantity"] == "killed")
    for each in report[0]["scenarios"]:
        moved = np.log(each["median"] + 0.5) - np.log(base["median"] + 0.5)
        assert each["shift_sd"] == pytest.approx(moved / base["log_sd"], rel=0.005, abs=0.02)  # of three figures


def test_a_source_left_out_is_a_case_without_its_rows(design, report):
    """Its lull goes with it. The program's figure is that of a case that never had the source's claims."""
    laid = design([row for row in REPORTED if row.get("source") != "foe"], TOML)
    _, sample, verdict, _ = fit_design(laid, 5, choose_ladder(laid))
    assert verdict.trusted
    values = sample.headline["x", "killed"]
    (told,) = (each for each in report[0]["scenarios"] if (each["kind"], each["what"]) == ("leave_source_out", "foe"))
    sd = np.std(np.log(values + 0.5))
    apart = np.log(np.median(values)) - np.log(told["median"])
    assert abs(apart) < 5 * told["shift_mcse"] * sd
    full = design(REPORTED, TOML.replace("bounded = true", LULL))
    assert full.case.forces["x"].lulls
    assert not without_source(full, "foe").case.forces["x"].lulls


def test_claims_left_out_by_reweighting_agree_with_refits(design, variants, monkeypatch):
    """A claim left out by importance sampling gives what a refit gives, where k is small."""
    laid = design(RICH_ROWS, CASE)
    variants("leave_claim_out")
    with monkeypatch.context() as patch:
        patch.setattr("sim.robustness.sensitivity.reweigh_claims", lambda *_: iter(()))
        refitted = examine_case(laid, 1, jobs=2)
    reweighed = examine_case(laid, 1, jobs=2)
    pairs = [(one, two) for one, two in zip(refitted.scenarios, reweighed.scenarios, strict=True) if two.how == "psis"]
    assert len(pairs) > 5
    assert all(two.k <= 0.7 for _, two in pairs)
    for one, two in pairs:
        assert one.what == two.what
        # Smoothed weights have a smaller effective size than the draws of a refit: twice its Monte Carlo error.
        assert one.shift_sd == pytest.approx(two.shift_sd, abs=5 * 2 * one.shift_mcse)


def test_what_is_finished_is_kept(design, variants, tmp_path, monkeypatch):
    laid = design(ROWS[:2], TOML)
    variants("leave_source_out", "prior_set", "echo")
    store = tmp_path / "fits.jsonl"
    first = examine_case(laid, 1, store=store)
    monkeypatch.setattr("sim.robustness.sensitivity.fit_task", lambda *_: pytest.fail("fitted again"))
    assert examine_case(laid, 1, store=store, resume=True) == first
    monkeypatch.setattr("sim.system.tasks.finish_tasks", lambda *a, **k: reversed(list(finish_tasks(*a, **k))))
    assert examine_case(laid, 1, store=store, resume=True) == first  # whatever was finished first


def test_readings_of_words_are_what_they_say(design):
    laid = design(RICH_ROWS, CASE)
    variants = {variant.what: variant for variant in list_variants(laid) if variant.kind == "wording"}
    bound = build_variant(laid, variants["at_least as a hard bound"]).evidence.observations[2]
    assert (bound.form, bound.lower, bound.upper) == ("cell", pytest.approx(np.log(900)), np.inf)
    wide, narrow = (build_variant(laid, variants[f"range as {s}"]).evidence.observations[4] for s in ("50%", "95%"))
    for item, z in ((wide, stats.norm.ppf(0.75)), (narrow, stats.norm.ppf(0.975))):
        assert item.extra_sd == pytest.approx(np.log(6000 / 4000) / 2 / z)


def test_roles_that_can_be_read_otherwise_are(design):
    laid = design(ROWS[:-1], TOML)
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


def test_the_density_of_a_group_of_priors(design):
    """Over all groups it adds up to that of all priors; of a joint prior, to those of the groups' marginals."""
    laid = design(RICH_ROWS, CASE)
    theta = laid.parameters.sample(np.random.default_rng(1), 50)
    total = sum(part for group in GROUPS if (part := log_prior(laid, theta, group)) is not None)
    known = np.zeros(50)
    for place, item in enumerate(laid.parameters.items):
        if item.prior.dist and place not in laid.parameters.joint.positions:
            law, x = item.prior, theta[:, place]
            if law.dist == "Normal":
                known += stats.norm.logpdf(x, law.mu, law.sigma)
            elif law.dist == "LogNormal":
                known += stats.norm.logpdf(np.log(x), law.mu, law.sigma)
            elif law.dist == "LogitNormal":
                known += stats.norm.logpdf(np.log(x / (1 - x)), law.mu, law.sigma)
            elif law.dist == "Beta":
                known += stats.beta.logpdf(x, law.alpha, law.beta)
            else:
                known += stats.halfnorm.logpdf(x, scale=law.sigma)
    tied = laid.parameters.joint.positions
    normal = np.column_stack([_on_normal_scale(laid.parameters.items[place].prior, theta[:, place]) for place in tied])
    blocks = [
        [p for p in tied if laid.parameters.items[p].variable.split(".")[0] in heads] for heads in GROUPS.values()
    ]
    covariance = laid.parameters.joint.root @ laid.parameters.joint.root.T
    for block in filter(None, blocks):
        at = [tied.index(place) for place in block]
        law = stats.multivariate_normal(laid.parameters.joint.mean[at], covariance[np.ix_(at, at)])
        known += law.logpdf(normal[:, at])
    np.testing.assert_allclose(total, known)


def _on_normal_scale(prior, values):
    return {"LogNormal": np.log, "LogitNormal": lambda x: np.log(x / (1 - x))}.get(prior.dist, np.asarray)(values)


def test_power_scaling_a_normal_prior_is_conjugate(design):
    """With no claims the posterior is the prior: to the power of alpha a normal law has its variance over alpha."""
    laid = design([], CASE)
    sample = Sample(laid, sample_prior(laid, np.random.default_rng(2), 20_000), 1)
    place = next(p for p, item in enumerate(laid.parameters.items) if item.variable == "wave.size")
    prior, theta = laid.parameters.items[place].prior, sample.unknowns["theta"][:, place]
    scaled, _ = scale_priors(sample, 4, [("x", "killed")])
    told = {(group, alpha): (log_weights, k) for group, alpha, log_weights, k in scaled}
    for alpha in (0.8, 1.25):
        log_weights, k = told["how many were lost, or sent", alpha]
        points = quantiles_of(theta, np.array([0.05, 0.5, 0.95]), np.exp(log_weights))
        known = stats.norm.ppf([0.05, 0.5, 0.95], prior.mu, prior.sigma / np.sqrt(alpha))
        np.testing.assert_allclose(points, known, atol=0.03)
        assert k < 0.7


def test_groups_that_contradict_each_other_are_found():
    """Two exact laws apart by four standard deviations of their difference give that p-value."""
    logs = [stats.norm.ppf(QUANTILES, mean, 1.0) for mean in (7.0, 7.0 + 4 * np.sqrt(2))]
    keys, topics = {("x", "killed"): ("killed",)}, {group: {("x", "killed")} for group in ("own", "adversary")}
    known = {"force": "x", "quantity": "killed", "median": 1.0, "log_sd": 1.0, "intervals": {}, "log_mcse": 0.01}
    counts = [CountSummary(**known, log_quantiles=each.tolist()) for each in logs]
    fits = [FitSummary(True, "refit", None, [count]) for count in counts]
    (found,) = compare_groups({"own": fits[0], "adversary": fits[1]}, keys, topics)
    assert found.factor == pytest.approx(np.exp(-4 * np.sqrt(2)), rel=0.05)
    assert found.p == pytest.approx(2 * stats.norm.sf(4), abs=2e-4)
    (same,) = compare_groups({"own": fits[0], "adversary": fits[0]}, keys, topics)
    assert same.p == pytest.approx(1, abs=0.02)
    assert compare_groups({"own": fits[0], "adversary": fits[1]}, keys, {**topics, "own": set()}) == ()  # it is silent


def test_holms_correction():
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([0.9]) == [0.9]


def test_the_verdict_names_what_moves_and_what_does_not(report):
    found = report[0]
    told = " ".join(_tell(found))
    for each in found["scenarios"]:
        if each["kind"] == "leave_source_out":
            assert (each["label"] in told) == (abs(each["shift_sd"]) > 1 / 3)
    assert "marked as an echo moves nothing" in told
    still = [_shift(each, 0.0) for each in found["scenarios"]]
    assert "these move" not in " ".join(_tell({**found, "scenarios": still}))
    loud = [_shift(each, 0.5) if each["kind"] == "echo" else each for each in found["scenarios"]]
    assert "DEFECT" in " ".join(_tell({**found, "scenarios": loud}))


def _tell(found):
    """Return the verdict on a report as it is read from a file."""
    return tell_robustness(parse_sensitivity(json.loads(json.dumps(found)), "sensitivity.json"))


def _shift(scenario, shift):
    return {**scenario, "quantities": [{**entry, "shift_sd": shift} for entry in scenario["quantities"]]}


def test_a_source_alone_leaves_nothing_to_compare(design, variants):
    laid = design([{"value": 300}], CASE)
    variants("leave_claim_out", "echo")
    report = examine_case(replace(laid), 1)
    assert report.conflict == ()
    assert "do not stand in two roles" in " ".join(tell_robustness(report))


def test_of_thousands_of_variants_those_that_move_most_are_shown(report):
    found = parse_sensitivity(report[0], "sensitivity.json")
    still = replace(found.scenarios[0], shift_sd=0.0, label="still")
    shown = list_shown(replace(found, scenarios=(*found.scenarios, *[still] * 4000)))
    assert len(shown) == 90
    assert [each for each in found.scenarios if each.shift_sd] == [each for each in shown if each.shift_sd]


def test_names_that_a_case_has_are_not_taken(design):
    """A source called echo keeps its role, and the marked echoes of every claim still change nothing."""
    toml = TOML.replace("[sources.foe]", '[sources.echo]\nrole = "own"\n[sources.foe]')
    laid = design([*ROWS[:2], {"source": "echo", "value": 400}], toml)
    (variant,) = (each for each in list_variants(laid) if each.kind == "echo")
    again = build_variant(laid, variant)
    assert again.case.sources["echo"].roles_towards("x") == ("own",)
    assert [item.claim.id for item in again.evidence.observations] == [o.claim.id for o in laid.evidence.observations]


def test_two_wordings_of_one_number_stay_two_claims_when_they_are_echoed(design):
    rows = [{"value": 6241, "qualifier": "exact"}, {"value": 6241, "qualifier": "at_least"}]
    laid = design(rows, TOML)
    (variant,) = (each for each in list_variants(laid) if each.kind == "echo")
    assert len(laid.evidence.observations) == len(build_variant(laid, variant).evidence.observations) == 2


def test_a_count_that_does_not_vary_has_a_report(design):
    laid = design([{"value": 3}], ONE_DAY + '[priors]\n"total.killed" = { fixed = 3 }\n')
    report = examine_case(laid, 1)
    json.dumps(dump_record(report), allow_nan=False)
    assert all(each.shift_sd == 0 for each in report.scenarios)


def test_each_force_has_its_verdict(design, variants):
    quiet = {"id": "quiet", "source": "foe", "force": "a", "quantity": "losses", "exclude": "enters as a lull"}
    rows = [{"source": "own", "force": "a", "value": 300}, {"source": "foe", "force": "b", "value": 50}, quiet]
    laid = design(rows, UNBOUNDED)
    variants("leave_source_out")
    told = tell_robustness(examine_case(laid, 1, jobs=2))
    for force in ("a", "b"):
        assert any(f"the number killed ({force})" in sentence for sentence in told)


def test_a_base_that_is_not_to_be_trusted_is_told(report):
    found = report[0]
    told = _tell({**found, "base": {**found["base"], "trusted": False}})
    assert "NOT TO BE TRUSTED" in told[0]
    doubtful = [{**each, "trusted": False, "k": 0.9} for each in found["scenarios"]]
    told = " ".join(_tell({**found, "scenarios": doubtful}))
    assert "importance weights" in told
    assert "source left out" not in told


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
