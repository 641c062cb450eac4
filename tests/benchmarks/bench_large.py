"""A very large war, from the claims to the summary: `python tests/benchmarks/bench_large.py [CLAIMS]`, else 100,000.

The war is made up (`synthetic`), so its losses are known: beside seconds, memory and verdict it says how many of the
forty are within their 90% intervals. Prints JSON, and exits with 1 where the verdict is not good.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_war import describe_run
from synthetic import FORCES, OUTCOMES, write_war

from sim.runs.run import run_case


def main(claims: int) -> int:
    """Make up the war, fit it as `truetoll run` does, and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_war(Path(place) / "war", claims)
        losses = json.loads((folder / "losses.json").read_text(encoding="utf-8"))
        started = time.perf_counter()
        run = run_case(folder, seed=1)
        seconds = time.perf_counter() - started
    inside = []
    for force in FORCES:
        for outcome in OUTCOMES:
            low, high = np.quantile(run.sample.count(force, outcome), [0.05, 0.95])
            inside.append(bool(low <= losses[f"{force}.{outcome}"] <= high))
    found = {
        **describe_run(run, seconds),
        "losses_within_their_90%_intervals": [sum(inside), len(inside)],
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0 if run.verdict.trusted else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
