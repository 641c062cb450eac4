"""A commented case to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sim.system.writing import build_new

FILES = ("case.toml", "claims.csv")


def write_case(folder: Path) -> None:
    """Write a commented case into a new folder, which appears whole or not at all.

    Raises
    ------
    InputError
        Where the folder exists already, or cannot be made.
    """
    template = files("sim") / "case" / "template"
    with build_new(folder) as draft:
        for name in FILES:
            (draft / name).write_text((template / name).read_text(encoding="utf-8"), encoding="utf-8")
