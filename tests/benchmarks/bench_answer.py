"""Wall time of the first answer, from the shell to the folder, beside other samplers of the same PyMC model.

`python tests/benchmarks/bench_answer.py [REPEATS]`, on a quiet machine. The others build the model of Kursk with PyMC
and draw as many draws as `truetoll run kursk` does, at the same acceptance; figures, memo and folder are ours alone.
"First" is with empty caches of compiled code, "later" the median of repeats. Prints JSON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("truetoll")
SAMPLERS = {"PyMC with nutpie": "nutpie", "PyMC's own NUTS": "pymc", "PyMC with numpyro": "numpyro"}


def sample_plainly(sampler: str) -> None:
    """Draw from the PyMC model of Kursk with one of PyMC's samplers."""
    import pymc as pm

    from sim.case.folder import find_case, read_case
    from sim.case.priors import read_priors
    from sim.model.design import design_model
    from sim.model.pymc_model import build_model

    case = read_case(find_case("kursk"))
    with build_model(design_model(case, read_priors(case.file.prior))):
        pm.sample(
            1_000, tune=1_000, chains=4, cores=2, nuts_sampler=sampler, target_accept=0.98, random_seed=1,
            progressbar=False, compute_convergence_checks=False,
        )  # fmt: skip


def time_command(command: list[str], repeats: int) -> dict[str, object]:
    """Return the seconds of a command with empty caches, and of later ones."""
    with tempfile.TemporaryDirectory() as place:
        flags = f"base_compiledir={place}/pytensor"
        environment = {**os.environ, "NUMBA_CACHE_DIR": f"{place}/numba", "PYTENSOR_FLAGS": flags}
        seconds = []
        for _ in range(1 + repeats):
            started = time.perf_counter()
            subprocess.run(command, check=True, cwd=place, env=environment, stdout=subprocess.DEVNULL)
            seconds.append(round(time.perf_counter() - started, 2))
    return {"first": seconds[0], "later": statistics.median(seconds[1:]), "all": seconds}


def main(repeats: int) -> None:
    """Time every way in turn."""
    found = {"truetoll run kursk": time_command([str(PROGRAM), "run", "kursk", "--quiet"], repeats)}
    for label, sampler in SAMPLERS.items():
        if importlib.util.find_spec(sampler) is None:
            sys.stderr.write(f"{sampler} is not installed here, and is left out\n")
            continue
        found[label] = time_command([sys.executable, str(HERE / "bench_answer.py"), "--plain", sampler], repeats)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if "--plain" in sys.argv:
        sample_plainly(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
