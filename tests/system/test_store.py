"""A store of finished tasks is read line by line, and each line is one that this program writes, or refused."""

from __future__ import annotations

import json
import tracemalloc
from typing import TypedDict

import pytest
from small_cases import CASES
from strangers import make_sparse, run_fit

from sim.errors import InputError
from sim.system.store import Store


class Numbers(TypedDict):
    """An entry of a store."""

    trusted: bool
    x: float


LINES = {
    "a list for its task": '{"key": "k", "task": [1], "trusted": true, "x": 1}',
    "a table for its task": '{"key": "k", "task": {"a": 1}, "trusted": true, "x": 1}',
    "no task": '{"key": "k", "trusted": true, "x": 1}',
    "truth for its task": '{"key": "k", "task": true, "trusted": true, "x": 1}',
    "another type": '{"key": "k", "task": 2, "trusted": true, "x": "1"}',
    "too little": '{"key": "k", "task": 2, "trusted": true}',
    "too deep": '{"key": "k", "task": 2, "trusted": true, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "no table": "[1, 2]",
    "no JSON": "hello",
    "a key of another type": '{"key": 1, "task": 2}',
    "what does not fit": '{"key": "k", "task": 3, "trusted": true, "x": -1}',
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_not_ours_is_refused_with_its_number(name, tmp_path):
    store = Store(tmp_path / "done.jsonl", "k", "task", Numbers, lambda _, entry: entry["x"] >= 0)
    store.append(1, {"trusted": True, "x": 1.0})
    whole = store.path.read_bytes()
    store.path.write_bytes(whole + b'{"key": "another", "day": [1]}\n' + whole[: len(whole) // 2])
    assert store.begin(resume=True) == {1: {"trusted": True, "x": 1.0}}  # of another run, and cut short: passed over
    store.path.write_bytes(store.path.read_bytes() + LINES[name].encode() + b"\n")
    with pytest.raises(InputError, match=r"done\.jsonl, line 4: ") as caught:
        store.begin(resume=True)
    assert len(str(caught.value).splitlines()) == 1
    assert store.begin(resume=False) == {}


def test_a_store_of_another_size_is_refused(tmp_path):
    store = Store(tmp_path / "done.jsonl", "k", "task")
    make_sparse(store.path)
    with pytest.raises(InputError, match="is larger than"):
        store.begin(resume=True)


def test_a_line_of_a_store_is_no_longer_than_a_file_of_json(tmp_path, monkeypatch):
    """Of forty million bytes of empty tables the parser makes gigabytes."""
    monkeypatch.setattr("sim.system.store.MAX_JSON", 1_000)
    store = Store(tmp_path / "done.jsonl", "k", "task")
    store.path.write_bytes(b'{"key": "k", "task": 1, "x": [' + b"{}," * 400 + b"{}]}\n")
    with pytest.raises(InputError, match="line 1: is longer"):
        store.begin(resume=True)


def test_a_store_of_blank_lines_takes_no_more_memory_than_its_size(tmp_path):
    store = Store(tmp_path / "done.jsonl", "k", "task")
    store.path.write_bytes(b"\n" * 3_000_000)
    tracemalloc.start()
    try:
        assert store.begin(resume=True) == {}
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


def test_hostile_lines_end_no_study_in_a_traceback(write, tmp_path):
    """The stores of `sbc`, with the right key: a task, ranks and names of another kind."""
    folder, path = write(*CASES["sign"]), tmp_path / "results" / "case" / "sbc-seed1.jsonl"
    words = ["sbc", f"{folder}/", "--n", "2", "--jobs", "1", "--results", tmp_path / "results", "--resume", "--quiet"]
    assert run_fit(*words)[0] in (0, 4)
    kept = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    for change in ({"seed": [1]}, {"fractions": {}}, {"fractions": {"x": 0.5}}, {"trusted": "yes"}):
        path.write_text(json.dumps({**kept, **change}) + "\n", encoding="utf-8")
        status, told = run_fit(*words)
        assert (status, len(told.splitlines())) == (3, 1)
        assert "line 1" in told
