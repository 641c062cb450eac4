"""The notebook of the pages runs from its first cell to its last."""

from __future__ import annotations

import json
from pathlib import Path

NOTEBOOK = Path(__file__).parent.parent / "docs" / "python.ipynb"


def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    known: dict[str, object] = {}
    for text in code:
        exec(compile(text, NOTEBOOK.name, "exec"), known)  # noqa: S102 - our own page
    assert {"case", "run", "more", "tree"} <= set(known)
    assert all(not cell.get("outputs") for cell in cells), "outputs would grow old"
