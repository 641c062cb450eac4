"""Growth: gradient time and memory of made-up wars of 10 to 100,000 claims: `python tests/benchmarks/bench_growth.py`.

Prints JSON, draws docs/growth.png, and exits with 1 where time or memory grows faster than claims to the power of 1.1
between any two sizes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from bench_war import time_gradient
from synthetic import write_war

from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.buffer import pack_design
from sim.model.design import design_model

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
MOST = 1.1
FIGURE = Path(__file__).parent.parent.parent / "docs" / "growth.png"


def time_check(folder: Path) -> float:
    """Return the seconds of `truetoll check`, from the shell."""
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("truetoll"), "check", folder], check=True, capture_output=True)
    return time.perf_counter() - started


def measure(claims: int) -> None:
    """Print what one size costs, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        case = read_case(write_war(Path(place) / "war", claims))
        design = design_model(case, read_priors(case.file.prior, overrides=case.file.priors))
        found = {
            "claims": claims,
            "gradient_milliseconds": 1e3 * time_gradient(design, max(3, 3_000 // (claims // 10 + 1))),
            "buffer_megabytes": pack_design(design).nbytes / 1e6,
            "seconds_of_check": time_check(case.folder),
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    sys.stdout.write(json.dumps(found) + "\n")


def draw(rows: list[dict[str, float]]) -> None:
    """Draw time and memory against size."""
    from sim.report.plots.style import POSTERIOR, SOFT, make_canvas, put_title, set_count_axis, use_style

    claims = [row["claims"] for row in rows]
    with use_style():
        canvas = make_canvas(3.9)
        put_title(
            canvas,
            "What more claims cost",
            "Wars made up by the model: forty series of losses of four forces over two years, ten sources. Points: "
            "measured; line: in proportion to the claims, through the last point. Log scales.",
        )
        for place, (name, label) in enumerate(
            (("gradient_milliseconds", "Milliseconds of a gradient"), ("buffer_megabytes", "Megabytes that it reads"))
        ):
            axes = canvas.add_axes((0.08 + 0.49 * place, 0.14, 0.4, 0.55))
            values = [row[name] for row in rows]
            axes.plot(claims, values[-1] * np.array(claims) / claims[-1], color=SOFT, lw=0.8)
            axes.plot(claims, values, "o", color=POSTERIOR, ms=5)
            axes.set_title(label)
            set_count_axis(axes, 7, 150_000)
            set_count_axis(axes, min(values) / 2, max(values) * 2, axis="y")
            axes.set_xlabel("claims")
        canvas.savefig(FIGURE, dpi=160)


def main() -> int:
    """Measure every size in turn."""
    rows = [
        json.loads(subprocess.run([sys.executable, __file__, str(size)], check=True, capture_output=True).stdout)
        for size in SIZES
    ]
    draw(rows)
    exponents = {
        name: [
            float(np.log(later[name] / row[name]) / np.log(later["claims"] / row["claims"]))
            for row, later in pairwise(rows)
        ]
        for name in ("gradient_milliseconds", "buffer_megabytes", "peak_megabytes")
    }
    sys.stdout.write(json.dumps({"rows": rows, "exponents": exponents}, indent=1) + "\n")
    return int(max(map(max, exponents.values())) > MOST)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        sys.exit(main())
