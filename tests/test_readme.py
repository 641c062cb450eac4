"""The README's commands exist and run, and the files that it points at are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["run", "test"])
def test_its_two_commands_are_targets(target):
    assert f"make {target}" in README
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_its_commands_are_commands_of_the_program():
    from sim.cli.app import app, priors_app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    known |= {f"priors {command.name}" for command in priors_app.registered_commands}
    for command in re.findall(r"(?:`|bin/)truetoll ((?:priors )?[a-z]+)", README):
        assert command in known, command
