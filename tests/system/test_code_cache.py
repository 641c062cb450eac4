"""Machine code is kept on disk, and compiled anew where that cannot be done."""

from __future__ import annotations

import importlib

import numba
import pytest
from numba import types
from numba.core.caching import CacheImpl

from sim.system.code_cache import compile_callback, compile_function


@pytest.fixture
def twice(tmp_path, monkeypatch):
    """Return a function of a file of its own, whose machine code goes to a folder of its own."""
    name = tmp_path.name  # another for each test, by which numba finds the function again
    (tmp_path / f"{name}.py").write_text("def twice(x):\n    return 2 * x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module(name)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    return module.twice


def use(function):
    """Compile a function in both ways, use it, and return how often it came from the disk."""
    called, back = compile_function(function), compile_callback(function, types.double(types.double))
    assert (called(3), back.ctypes(3.0)) == (6, 6.0)
    return sum(called.stats.cache_hits.values()) + back.cache_hits


def test_machine_code_is_kept(twice):
    assert [use(twice), use(twice)] == [0, 2]


def test_it_is_renewed_when_another_file_of_the_folder_changes(twice, tmp_path):
    """The functions that a compiled one calls may stand there."""
    assert [use(twice), use(twice)] == [0, 2]
    (tmp_path / "called.py").write_text("THREE = 3\n", encoding="utf-8")
    assert [use(twice), use(twice)] == [0, 2]
    (tmp_path / "called.py").write_text("THREE = 4\n", encoding="utf-8")
    assert [use(twice), use(twice)] == [0, 2]


def test_a_damaged_file_is_compiled_anew(twice, tmp_path):
    for ending in ("nbi", "nbc"):
        use(twice)
        files = list((tmp_path / "kept").rglob(f"*.{ending}"))
        assert files
        for path in files:
            path.write_bytes(path.read_bytes()[:20])
        assert use(twice) == 0
        assert use(twice) == 2


def test_a_place_that_cannot_be_written_is_gone_without(twice, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("numba.core.caching.IndexDataCacheFile.save", refuse)
        assert [use(twice), use(twice)] == [0, 0]
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert use(twice) == 0
