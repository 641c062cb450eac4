"""Doing harm to folders, and running commands on them."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import packages_distributions

import pytest
from fuzzing import run_here

WORDS = "the user's own words"  # which no stranger's file may lead to
HUGE = 300_000_000_000  # bytes, of which none is on the disk
SOON = 60  # seconds, on a machine that others use too


def run_fit(*words):
    """Run a command that fits, held to the contract but for its time; return its exit status and what it says."""
    status, _, told = run_here([*map(str, words)], most_seconds=10 * SOON)
    return status, told


def accept(*words):
    """Run a command, which must do what it is asked."""
    status, _, told = run_here([*map(str, words)])
    assert status == 0, told


def refuse(what, *words):
    """Run a command, which must refuse in one line that says something."""
    status, out, told = run_here([*map(str, words)])
    assert status == 3, out
    assert len(told.splitlines()) == 1
    assert what in told
    assert WORDS not in told


def replace_by_link(path, target):
    """Put a link in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(target)


def lay_modules(folder, marks):
    """Put modules into a folder by the names of all that there are, and return what lists those that were run."""
    marks.mkdir()
    for name in {*sys.stdlib_module_names, *packages_distributions(), "sim"} - {"__main__"}:
        (folder / f"{name}.py").write_text(f"open({str(marks / name)!r}, 'w').close()\nraise ImportError\n", "utf-8")
    return lambda: [path.name for path in marks.iterdir()]


def harm_folder(folder, rng, target):
    """Put a link, a pipe, a folder, a sparse file or nothing in the place of something in a folder."""
    paths = sorted(path for path in folder.rglob("*") if not path.is_symlink())
    path = rng.choice(paths)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    match rng.randrange(6):
        case 0 | 1:
            path.symlink_to(rng.choice((target, target.parent, path, path.parent, "/dev/zero", "/proc/self/environ")))
        case 2:
            os.mkfifo(path)
        case 3:
            path.mkdir()
        case 4:
            make_sparse(path)
    return path


def make_sparse(path, size=HUGE):
    """Put a file of a size in a place, of which nothing is on the disk."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        try:
            file.truncate(size)
        except OSError:
            pytest.skip("this file system has no files of 300 GB")
