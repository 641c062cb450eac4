"""What is written appears whole or not at all, and only what is ours is touched."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program import PROGRAM, call
from small_cases import CASES

from sim.errors import InputError
from sim.system.signals import tell_kept
from sim.system.store import Store
from sim.system.writing import build_folder, build_new, open_scratch, replace_files, sweep_drafts, write_file

HOLD = """
import sys
from pathlib import Path
from sim.system.writing import build_folder
with build_folder(Path(sys.argv[1]), "run") as (draft, _):
    (draft / "half").write_text("x")
    print(draft.resolve().name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path):
    """Start a process that holds a draft; return it with the draft."""
    order = [sys.executable, "-c", HOLD, tmp_path / "case"]
    with subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield program, tmp_path / "case" / program.stdout.readline().strip()
        program.kill()


def test_a_draft_is_swept_up_when_its_owner_is_dead_and_not_before(owner):
    program, draft = owner
    with build_folder(draft.parent, "other"):
        pass
    assert (draft / "half").is_file()
    program.kill()
    program.wait()
    with build_folder(draft.parent.parent / "another", "run"):
        pass
    assert not draft.exists()
    assert (draft.parent / "other").is_dir()


SCRATCH = """
import sys
from sim.system.signals import install_signal_handlers
from sim.system.writing import open_scratch
install_signal_handlers()
with open_scratch() as folder:
    (folder / "half").write_text("x")
    print(oct(folder.stat().st_mode & 0o777), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_scratched_is_ones_own_and_does_not_outlive_its_owner(number, tmp_path, monkeypatch):
    """An interruption removes it; of who is killed the next one does."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    order = [sys.executable, "-c", SCRATCH]
    with subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as program:
        assert program.stdout.readline() == "0o700\n"
        program.send_signal(number)
        program.wait()
    assert len(list(tmp_path.iterdir())) == (number == signal.SIGKILL)
    with open_scratch() as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_is_not_swept_up(tmp_path):
    """Names that another may have given, and what a link leads to."""
    for name in (".unfinished", ".unfinished-novel", "x.unfinished-01234567"):
        (tmp_path / name).mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / ".unfinished-0123abcd").symlink_to(tmp_path / "precious")
    before = sorted(tmp_path.iterdir())
    sweep_drafts(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="drafts are filled through their descriptors on Linux")
@pytest.mark.parametrize("build", [build_folder, build_new, replace_files])
def test_nothing_is_written_through_a_link_that_takes_the_place_of_a_draft(build, tmp_path):
    outside, results = tmp_path / "outside", tmp_path / "results"
    outside.mkdir()
    place = {build_folder: (results, "run"), build_new: (results / "run",), replace_files: (results,)}[build]

    def write():
        with build(*place) as found:
            inner = found[0] if build is build_folder else found
            (draft,) = results.iterdir()
            draft.rename(results / "taken")
            draft.symlink_to(outside)
            (inner / "figures").mkdir()
            (inner / "figures" / "file").write_text("ours")

    with pytest.raises(InputError, match=r"cannot be written \(it was taken away, or swapped") as caught:
        write()
    assert len(str(caught.value).splitlines()) == 1
    assert list(outside.iterdir()) == []
    assert [(path.name, list(path.iterdir())) for path in results.iterdir()] == [("taken", [])]


def test_a_folder_that_became_a_link_gets_no_files(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "figures").symlink_to(tmp_path / "outside")
    with (
        pytest.raises(InputError, match="is a link to another place"),
        replace_files(tmp_path / "figures", straight=True),
    ):
        pass
    assert list((tmp_path / "outside").iterdir()) == []


def test_two_folders_of_one_name_are_both_whole(tmp_path):
    with build_folder(tmp_path, "run") as (first, one), build_folder(tmp_path, "run") as (second, two):
        (first / "file").write_text("first")
        (second / "file").write_text("second")
    assert {(place[0] / "file").read_text() for place in (one, two)} == {"first", "second"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2"]


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path):
    folder = tmp_path / "case"

    def write():
        with build_new(folder) as draft:
            (draft / "file").write_text("ours")
            folder.mkdir()

    with pytest.raises(InputError, match="exists already"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
    assert list(folder.iterdir()) == []


def test_files_are_replaced_when_all_are_there(tmp_path):
    write_file(tmp_path / "a", "old")

    def write(fail):
        with replace_files(tmp_path) as draft:
            (draft / "a").write_text("new")
            (draft / "b").write_text("new")
            if fail:
                raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(InputError, match=r"cannot be written \(Input/output error\); .*"):
        write(fail=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
    write(fail=False)
    assert sorted((path.name, path.read_text()) for path in tmp_path.iterdir()) == [("a", "new"), ("b", "new")]


def test_a_store_is_one_runs_alone_as_long_as_that_lives(tmp_path):
    store = Store(tmp_path / "done.jsonl", "k", "task")
    with (
        store.hold(),
        pytest.raises(InputError, match="another run is writing to it; wait until that ends"),
        Store(store.path, "k", "task").hold(),
    ):
        pass
    with store.hold():
        store.append(1, {})
        assert f"1 finished result is kept in {store.path}, from which --resume goes on" in tell_kept()


def test_what_a_store_held_is_there_until_there_is_something_in_its_place(tmp_path):
    store = Store(tmp_path / "done.jsonl", "k", "task")
    store.append(1, {"x": 1})
    before = store.path.read_bytes()
    assert store.begin(resume=False) == {}
    assert store.path.read_bytes() == before
    store.append(2, {"x": 2}, anew=True)
    assert store.begin(resume=True) == {2: {"x": 2}}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("order", [["priors", "show", "default"], ["--help"]])
def test_standard_output_that_is_full_is_told_in_one_line(order):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([PROGRAM, *order], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode in (1, 3)
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("order", [["priors", "show", "default"], ["--help"], ["check", "kursk"]])
def test_a_reader_who_has_had_enough_is_no_fault(order):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PROGRAM, *order], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_notes_do_not_go_where_results_go_when_standard_error_is_closed():
    order = ["sh", "-c", 'exec "$0" run nowhere 2>&-', PROGRAM]
    done = subprocess.run(order, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("files", [6, 8, 16])
def test_too_many_open_files_are_told_in_one_line(write, tmp_path, files):
    """Whoever stumbles over it: the loading of a library, the program, or joblib as it starts a process."""
    order = ["sh", "-c", f'ulimit -n {files}; exec "$0" sbc "$1" --n 2 --jobs 2', PROGRAM, write(*CASES["sign"])]
    done = subprocess.run(order, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode in (1, 3)
    assert len(done.stderr.splitlines()) == 1
    assert "Too many open files" in done.stderr


def test_a_new_case_is_not_half_written(tmp_path):
    (tmp_path / "file").touch()
    done = call("new", tmp_path / "file" / "case")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_drafts_that_nobody_can_remove_do_not_hold_a_command_up(tmp_path, monkeypatch):
    """A stranger's folder may hold thousands, within folders that may not be written to; each is tried for a second."""
    monkeypatch.setattr("sim.system.writing.SWEEP", 0.1)
    monkeypatch.setattr("sim.system.writing.shutil.rmtree", lambda *_, **__: None)
    for number in range(12):
        (tmp_path / f".unfinished-{number:08}").mkdir()
    started = time.monotonic()
    sweep_drafts(tmp_path)
    assert time.monotonic() - started < 6
