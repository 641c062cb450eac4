"""What is added in one place is known everywhere: CONTRIBUTING.md says in which."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from examples import ONE_DAY

from sim.case.check import check_case
from sim.case.wordings import WORDINGS, Wording
from sim.contract.check import parse_result
from sim.errors import InputError
from sim.report.memo import render_memo
from sim.report.memo.content import compose_memo
from sim.report.plots.forests import plot_claims
from sim.runs.run import run_case, write_run

NEARLY = Wording("nearly", "bound", -1, label="nearly", before="nearly ", symbol="≲ ", mark="v", pointer="<")
PRIOR = """
schema = 1
name = "mine"
["wording.nearly"]
dist = "HalfNormal"
sigma = 0.2
"""
ROWS = [
    {"value": 610, "as_of": "2024-01-01", "source": "foe"},
    {"value": 900, "as_of": "2024-01-01", "source": "own", "qualifier": "nearly"},
]


@pytest.fixture
def case(write):
    """Return a case with a wording that the program does not have, and a prior set that does."""
    folder = write(ROWS, f'prior = "mine.toml"\n{ONE_DAY}')
    (folder / "mine.toml").write_text(PRIOR, encoding="utf-8")
    return folder


def test_a_wording_is_added_by_its_record_and_its_prior_alone(case, monkeypatch, tmp_path):
    """From the row that is read, through the fit, to the memo and the figures."""
    with pytest.raises(InputError, match=r"row 3, column qualifier: 'nearly' is not allowed; use 'exact', "):
        check_case(f"{case}/")
    monkeypatch.setitem(WORDINGS, NEARLY.name, NEARLY)
    assert check_case(f"{case}/").used == 2
    run = run_case(case)
    (item,) = [item for item in run.design.evidence.observations if item.claim.qualifier == "nearly"]
    assert (item.form, item.bound) == ("bound", NEARLY)
    assert 0 < float(run.posterior.posterior["wording.nearly"].mean()) < 0.5
    folder = write_run(run, tmp_path / "results")
    result = parse_result(json.loads((folder / "summary.json").read_text(encoding="utf-8")), "summary.json")
    assert [claim.qualifier for claim in result.claims] == ["about", "nearly"]
    assert "nearly 900" in render_memo(compose_memo(result))
    figure = plot_claims(run.result, "x")
    assert any(text.get_text() == "≲ 900" for text in figure.canvas.findobj(lambda artist: hasattr(artist, "get_text")))
    assert (folder / "figures" / "claims.svg").is_file()


def test_the_files_that_contributing_names_are_there():
    """And every name beside them in capitals is a registry of one of these files."""
    root = Path(__file__).parent.parent
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a thing")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:sim|tests|docs|priors)/[\w./]+)`", text)
    paths = {root / name for name in named if "NAME" not in name}
    assert len(paths) > 20
    assert not [path for path in paths if not path.exists()]
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths if path.suffix == ".py")
    for name in re.findall(r"`([A-Z_]{4,})`", text):
        assert re.search(rf"^{name}\b", code, re.MULTILINE), name


def test_a_wording_without_its_prior_is_refused(case, monkeypatch):
    (case / "mine.toml").write_text('schema = 1\nname = "mine"\n', encoding="utf-8")
    monkeypatch.setitem(WORDINGS, NEARLY.name, NEARLY)
    with pytest.raises(InputError, match=r"wording\.nearly: is not in the prior set; add it"):
        run_case(case)
