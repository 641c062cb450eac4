"""Simulation-based calibration finds planted faults, and finds none where there is none."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from small_cases import CASES, toml_of

from sim.calibration.sbc import FALSE_ALARM, OF_RANKS, judge_uniformity, report_calibration, run_replicates
from sim.errors import InputError
from sim.model.design import Design
from sim.model.parameters import Parameters
from sim.posterior.fit import Effort, sample_posterior
from sim.posterior.simulate import observe_world, simulate_worlds
from sim.posterior.verdict import Ladder

# Replicates for each fault: fewer where it shows at once.
COUNTS = {
    "rounding": 20, "scale": 40, "echo": 60, "sign": 20, "jacobian": 60, "wording": 60, "outlier": 100, "reading": 100,
}  # fmt: skip


def shift_cells(design: Design) -> Design:
    """Read every rounded number as the interval one bin further up."""
    moved = [
        replace(item, lower=item.upper, upper=2 * item.upper - item.lower) if item.form == "cell" else item
        for item in design.evidence.observations
    ]
    return observe_world(design, moved)


def change_prior(design: Design, variable: str, **arguments) -> Design:
    """Fit with another prior of one parameter than the worlds were drawn from."""
    items = tuple(
        replace(item, prior=item.prior.model_copy(update=arguments)) if item.variable == variable else item
        for item in design.parameters.items
    )
    return replace(design, parameters=Parameters(items))


def count_again(design: Design) -> Design:
    """Use what was said four times, as echoes that nobody marked: as four errors, each of which the source gave.

    The same number once more from its own source would say nothing: the source remembers.
    """
    return observe_world(design, [replace(item, extra_sd=item.extra_sd / 2) for item in design.evidence.observations])


def forget_wording(design: Design) -> Design:
    """Read "at least" as the number itself."""
    return observe_world(design, [replace(item, form="density") for item in design.evidence.observations])


MUTANTS = {
    "rounding": shift_cells,
    "scale": lambda design: change_prior(design, "scale.source", mu=-2.6),
    "echo": count_again,
    "sign": lambda design: change_prior(design, "role.losses", mu=-1.5),
    # Without the Jacobian of the logarithm the density of the scale is that of LogNormal(mu - sigma^2, sigma).
    "jacobian": lambda design: change_prior(design, "scale.source", mu=-1.2 - 0.8**2),
    "wording": forget_wording,
    "outlier": lambda design: change_prior(design, "outlier.factor", fixed=1.0),
    "reading": lambda design: change_prior(design, "role.losses", mu=-1.5),
}
SLOW = ("outlier", "reading")  # what `make power` and `make test-full` try
FAULTS = [pytest.param(fault, marks=pytest.mark.slow) if fault in SLOW else fault for fault in MUTANTS]


# A scale that is nearly free takes longer chains and shorter steps.
EFFORTS = {"jacobian": Effort(400, 300, 0.95)}
SHORT = Effort(200, 250, 0.9)


def calibrate(design, count, seed, mutate=None, effort=SHORT):
    def fit(observed, chain_seed, effort):
        fitted = observed if mutate is None else mutate(observed)
        return sample_posterior(fitted, chain_seed, quiet=True, **asdict(effort))

    ladder = Ladder((effort,), OF_RANKS.limits)
    return report_calibration(list(run_replicates(design, count, seed, ladder, fit)), 0.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_raises_the_alarm(fault, design):
    """One seed here; `make power` measures over 20 seeds whether the power is .95 or more."""
    report = calibrate(design(*CASES[fault]), COUNTS[fault], 1, MUTANTS[fault], EFFORTS.get(fault, SHORT))
    assert report["alarms"], report["quantities"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_itself_raises_none(fault, design, full):
    """Of half as many worlds as the fault: an alarm is as rare of few as of many."""
    count = COUNTS[fault] if full else COUNTS[fault] // 2
    report = calibrate(design(*CASES[fault]), count, 1, effort=EFFORTS.get(fault, SHORT))
    assert not report["alarms"], report["quantities"]
    assert report["untrusted_fits"] <= 0.02 * count


@pytest.mark.slow
@pytest.mark.parametrize("fault", MUTANTS)
def test_the_power_is_as_stated(fault, design):
    laid = design(*CASES[fault])
    effort = EFFORTS.get(fault, SHORT)
    found = [bool(calibrate(laid, COUNTS[fault], seed, MUTANTS[fault], effort)["alarms"]) for seed in range(20)]
    assert np.mean(found) >= 0.95, found


def test_the_false_alarm_rate_is_as_stated(rng):
    """Reports of twenty uniform quantities raise an alarm at the stated rate, within its own sampling error."""
    alarms = 0
    for _ in range(400):
        p_values = [judge_uniformity(rng.uniform(size=100)) for _ in range(5)]
        alarms += min(p_values) < 0.05 / 5
    assert alarms / 400 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    assert FALSE_ALARM <= 0.05


def test_an_interrupted_run_goes_on(design, tmp_path):
    laid = design(*CASES["sign"])
    store = tmp_path / "sbc.jsonl"
    whole = list(run_replicates(laid, 4, 3, store=tmp_path / "other.jsonl"))
    started = run_replicates(laid, 4, 3, store=store)
    kept = [next(started), next(started)]
    started.close()
    with store.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut sho\n')
    resumed = list(run_replicates(laid, 4, 3, store=store, resume=True))
    assert resumed[:2] == kept
    assert [each.fractions for each in resumed] == [each.fractions for each in whole]
    whole_lines = [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    assert len(whole_lines) == 4


def test_no_replicates_are_refused(design):
    with pytest.raises(InputError, match="--n: 0 is outside 1 to 1,000,000"):
        list(run_replicates(design(*CASES["sign"]), 0, 1))


MIXTURE = toml_of(1).replace('role = "independent"', 'role = ["independent", "adversary"]')


def test_a_simulated_world_keeps_the_reading_that_its_claims_were_made_under(design):
    """Readings follow their prior, whatever the case's own claims say, and the truth's bias is of the same reading."""
    rows = [{"source": "s0", "published": "2024-01-01", "value": 1_000_000, "qualifier": "exact", "log_sd": 1e-3}]
    laid = design(rows, MIXTURE.replace("NOISE", "0.01"))
    worlds = simulate_worlds(laid, np.random.default_rng(1), 400)
    as_adversary = np.array([bool(world.truth.readings[0, 1]) for world in worlds])
    assert abs(as_adversary.mean() - 0.5) < 4 * 0.5 / 20
    gaps = []
    for world in worlds:
        truth = np.log(world.truth.count("x", "killed")[0]) + world.truth.biases["s0", "x", "killed"][0]
        gaps.append(world.observations[0].point - truth)
    assert np.std(gaps) < 0.1  # the noise alone; under the other reading they would be off by 1.5
