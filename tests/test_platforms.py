"""What is installed, and where it is tried: locks, lower bounds, Pythons and actions say the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def requirements():
    named = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dask"]]
    for text in [*named, *PROJECT["dependency-groups"]["dev"]]:
        yield re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)", text)


def test_every_requirement_has_a_lower_bound():
    assert all(requirements())


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-min.lock"])
def test_a_lock_pins_by_hash_and_names_no_host(name):
    lock = (ROOT / name).read_text(encoding="utf-8")
    assert "http" not in lock
    assert "index-url" not in lock
    pins = [line for line in lock.splitlines() if re.match(r"[a-z].*==", line)]
    assert len(pins) > 50
    assert all(line.endswith("\\") for line in pins)
    assert all(f"{found[1]}==" in lock for found in requirements())


def test_the_oldest_lock_has_the_lower_bounds():
    lock = (ROOT / "requirements-min.lock").read_text(encoding="utf-8")
    for found in requirements():
        assert re.search(rf"^{found[1]}=={re.escape(found[2])}(\.0)*(\.\d{{6}})? ", lock, re.MULTILINE), found[0]


def test_actions_are_pinned_by_hash():
    used = re.findall(r"uses: (.*)", WORKFLOW)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line) for line in used)


def test_the_pythons_are_the_same_everywhere():
    """Those of the package, the Makefile, the README and the workflow."""
    tried = yaml.safe_load(WORKFLOW)["jobs"]["test"]["strategy"]["matrix"]
    assert tried == {
        "os": ["ubuntu-latest", "macos-latest", "windows-latest"],
        "python": ["3.12", "3.13", "3.14"],
    }
    assert PROJECT["project"]["requires-python"] == ">=3.12"
    assert "(3, 12) <= sys.version_info[:2] <= (3, 14)" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "Python 3.12 to 3.14" in (ROOT / "README.md").read_text(encoding="utf-8")
