"""Work for many processes, whose results tell how many threads computed them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np

# Work is made by a function: what is nested goes to the workers by value, and they need not find the tests.


def make_sums(mark: Path | None = None, kills: int = 1):
    """Return work that several threads would sum in another order, and that kills its process for task 2."""

    def work(task):
        if mark is not None and task == 2:
            with mark.open("a+") as file:
                file.seek(0)
                if len(file.read()) < kills:
                    file.write("x")
                    file.flush()
                    os.kill(os.getpid(), signal.SIGKILL)
        values = np.random.default_rng(task).normal(size=(600, 100))
        return {"largest": float(np.linalg.eigvalsh(values.T @ values)[-1])}

    return work
