"""Refits of Kursk: each source left out in turn, and replicates: `python tests/benchmarks/bench_refits.py [N]`.

Every refit is of another design, by the machine code of the first. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

import numpy as np

from sim.calibration.sbc import run_replicates
from sim.case.folder import find_case, read_case
from sim.case.priors import read_priors
from sim.model.design import design_model
from sim.posterior.fit import choose_effort, prepare_density, sample_posterior
from sim.posterior.sample import take_posterior
from sim.posterior.verdict import judge_sample


def main(count: int) -> None:
    """Refit without each source that speaks, then time replicates."""
    case = read_case(find_case("kursk"))
    priors = read_priors(case.file.prior)
    whole = design_model(case, priors)
    prepare_density()
    rows = []
    started = time.perf_counter()
    for source in dict.fromkeys(item.source for item in whole.evidence.observations):
        claims = tuple(
            claim.model_copy(update={"exclude": "left out"}) if claim.source == source else claim
            for claim in case.claims
        )
        design = design_model(case.model_copy(update={"claims": claims}), priors)
        draws = sample_posterior(design, 1, **asdict(choose_effort(design)), quiet=True)
        sample = take_posterior(design, draws, 1)
        killed = np.quantile(sample.count("dprk", "killed"), [0.05, 0.5, 0.95]).round()
        rows.append({"without": source, "killed": killed.tolist(), "trusted": judge_sample(sample, draws).trusted})
    left_out = time.perf_counter() - started
    started = time.perf_counter()
    replicates = sum(1 for _ in run_replicates(whole, count, 1, jobs=2))
    seconds = time.perf_counter() - started
    found = {
        "left_out": {"refits": len(rows), "seconds": round(left_out, 1), "rows": rows},
        "replicates": {"count": replicates, "seconds": round(seconds, 1)},
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
