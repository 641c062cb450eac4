"""Processes of Python that are started: they find this package, and nothing that lies in the working folder.

That folder may be a stranger's case, and Python, left to itself, would look there first for every module.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def order_python(*words: str) -> list[str]:
    """Return the order that starts this Python with some words."""
    return [sys.executable, "-P", *words]


def make_environment() -> dict[str, str]:
    """Return this process's environment, with this package on the path."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}
