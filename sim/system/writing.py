"""Files and folders that appear whole or not at all; all that the program writes is written through here or a `Store`.

A draft is a hidden folder beside the path that it will have. Its owner holds a lock on it, which the system takes back
when the owner ends, however it ends: a draft that nobody holds is swept up by whoever writes there next. Where the
system has a path to a descriptor (Linux) a draft is filled through that, so that nothing is written through a link that
takes its place meanwhile; everywhere such a swap is noticed before the draft gets its name.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from sim.errors import InputError, refuse
from sim.system.signals import note_kept, tell_kept, tidying

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: drafts are made and renamed as elsewhere, and none is swept up
    flock = None  # type: ignore[assignment]

PREFIX = ".unfinished-"
DRAFT = re.compile(re.escape(PREFIX) + "[0-9a-z_]{8}")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FOLDER = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
SWEEP = 2.0  # seconds, after which no further draft is swept up
Draft = tuple[Path, list[Path]]


@dataclass(frozen=True)
class _Draft:
    """A draft: the path that it is filled by, its own path, and its open descriptor (-1 where there is none)."""

    inner: Path
    path: Path
    held: int

    def is_there(self, path: Path | None = None) -> bool:
        """Whether a path, by default its own, is still that of the draft."""
        try:
            return self.held < 0 or os.path.samestat(os.lstat(path or self.path), os.fstat(self.held))
        except OSError:
            return False

    def check(self, path: Path | None = None) -> None:
        """Refuse to go on where something else has taken the place of the draft."""
        if not self.is_there(path):
            raise OSError(errno.ESTALE, "it was taken away, or swapped for another, while it was written")


@contextmanager
def build_folder(parent: Path, name: str) -> Iterator[Draft]:
    """Yield a new folder to fill, and rename it to `parent/name` when the block ends without an error.

    Where the name is taken it gets a number. The second thing yielded is a list that holds the final path after the
    block. Drafts that the dead have left beside `parent` are swept up too: they are of other cases.
    """
    final: list[Path] = []
    with _explained(parent):
        for other in _list_folders(parent.parent):
            sweep_drafts(other)
        with _draft_in(parent) as draft:
            yield draft.inner, final
            final.append(_settle(draft, [parent / (name if n == 1 else f"{name}-{n}") for n in range(1, 1_000)]))


@contextmanager
def build_new(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, and rename it to `folder`, which must not exist, when the block ends without an error."""
    taken = refuse(str(folder), "", "exists already", "give the path of a new folder")
    if os.path.lexists(folder):
        raise taken
    with _explained(folder), _draft_in(folder.parent) as draft:
        yield draft.inner
        try:
            _settle(draft, [folder])
        except FileExistsError:
            raise taken from None


@contextmanager
def replace_files(folder: Path, *, straight: bool = False) -> Iterator[Path]:
    """Yield a folder to put files into, and move each to `folder` in one step when the block ends without an error.

    `straight`: `folder` may be no link, nor become one meanwhile.
    """
    with _explained(folder), _pinned(folder, straight=straight) as pinned, _draft_in(pinned) as draft:
        yield draft.inner
        draft.check()
        _sync(draft.inner)
        for file in sorted(draft.inner.iterdir()):
            os.replace(file, pinned / file.name)  # noqa: PTH105 - in one step, over what was there
            target = folder / file.name
            note_kept(str(target), partial("{} is written".format, target))
        _sync_entry(pinned)


@contextmanager
def open_scratch() -> Iterator[Path]:
    """Yield a folder for what nobody keeps: a draft, among the system's temporary files, that gets no name."""
    with _draft_in(Path(tempfile.gettempdir()), mode=0o700) as draft:
        yield draft.path


@contextmanager
def removing_temporary_files() -> Iterator[None]:
    """Have what a library leaves among the temporary files during a block removed at its end: PyTensor's own source."""
    with open_scratch() as scratch:
        before, tempfile.tempdir = tempfile.tempdir, str(scratch)
        try:
            yield
        finally:
            tempfile.tempdir = before


def try_folder(folder: Path) -> None:
    """Refuse a folder that no file can be put into, before what takes long is begun."""
    with replace_files(folder):
        pass


@contextmanager
def _pinned(folder: Path, *, straight: bool) -> Iterator[Path]:
    """Yield a path that leads to a folder whatever takes its place; the folder's own where the system has none."""
    folder.mkdir(parents=True, exist_ok=True)
    if straight and (folder.is_symlink() or folder.is_junction()):
        raise refuse(str(folder), "", "is a link to another place", "take it away")
    if flock is None:
        yield folder
        return
    held = os.open(folder, FOLDER if straight else os.O_RDONLY)
    try:
        yield _find_inner(folder, held)
    finally:
        os.close(held)


def _find_inner(folder: Path, held: int) -> Path:
    """Return a path through a descriptor, which this process and those that it starts can take; else the folder's."""
    inner = Path(f"/proc/{os.getpid()}/fd/{held}")
    with suppress(OSError):
        if held >= 0 and os.path.samestat(inner.stat(), os.fstat(held)):
            return inner
    return folder


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, over what was there."""
    with replace_files(path.parent) as draft:
        (draft / path.name).write_bytes(content if isinstance(content, bytes) else content.encode())


def format_json(content: Any) -> str:
    """Return the text of what JSON holds, as it stands in a run's folder."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def tell_reason(error: OSError) -> str:
    """Return in words why a file could not be written; libraries' own errors have no number."""
    return error.strerror or " ".join(str(error).split())[:100] or type(error).__name__


def choose_remedy(error: OSError) -> str:
    """Return what to do about a file that could not be written."""
    if error.errno in FULL:
        return "make room"
    return "it was removed meanwhile" if error.errno == errno.ENOENT else "give another path, or mend this one"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain(path, error) from error


def explain(path: Path, error: OSError) -> InputError:
    """Return the refusal of a path that could not be written, with what is kept."""
    return refuse(str(path), "", f"cannot be written ({tell_reason(error)})", f"{choose_remedy(error)}; {tell_kept()}")


def take_lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed or this process ends; return whether another holds it.

    Where the file system knows no locks nobody holds one.
    """
    if flock is None:
        return True
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def sweep_drafts(folder: Path) -> None:
    """Remove the drafts in a folder whose owners are dead; some may be none that anybody can remove."""
    if flock is None:
        return
    end = time.monotonic() + SWEEP
    with suppress(OSError):
        for name in filter(DRAFT.fullmatch, os.listdir(folder)):  # noqa: PTH208 - quick where a folder holds many
            if time.monotonic() > end:
                return
            with suppress(OSError):
                descriptor = os.open(folder / name, FOLDER)
                try:
                    flock(descriptor, LOCK_EX | LOCK_NB)
                    _clear(folder / name)
                finally:
                    os.close(descriptor)


@contextmanager
def _draft_in(parent: Path, mode: int = 0o777) -> Iterator[_Draft]:
    parent.mkdir(parents=True, exist_ok=True)
    sweep_drafts(parent)
    draft = parent / f"{PREFIX}{token_hex(4)}"
    with tidying(partial(_clear, draft)):
        held = -1
        try:
            held = _make_held(draft, mode)
            yield _Draft(_find_inner(draft, held), draft, held)
        except BaseException:
            _empty(draft, held)
            raise
        finally:
            _clear(draft)
            if held >= 0:
                os.close(held)


def _make_held(draft: Path, mode: int) -> int:
    """Make a draft and lock it; one that was swept up before it could be locked is made again."""
    while True:
        draft.mkdir(mode, exist_ok=True)
        if flock is None:
            return -1
        with suppress(FileNotFoundError):
            descriptor = os.open(draft, FOLDER)
            if take_lock(descriptor) and draft.exists() and os.path.samestat(os.fstat(descriptor), draft.stat()):
                return descriptor
            os.close(descriptor)


def _clear(draft: Path) -> None:
    """Remove a draft; who was just killed may be in the middle of a last file."""
    for _ in range(50):
        if draft.is_dir() and not draft.is_symlink():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            with suppress(OSError):
                draft.unlink()
        if not os.path.lexists(draft):
            return
        time.sleep(0.02)


def _empty(draft: Path, held: int) -> None:
    """Remove what is in a failed draft, wherever somebody has moved it."""
    inner = _find_inner(draft, held)
    with suppress(OSError):
        for path in [] if inner == draft else list(inner.iterdir()):
            _clear(path)


def _settle(draft: _Draft, paths: list[Path]) -> Path:
    """Rename a finished folder to the first of some paths that is free."""
    _sync(draft.inner)
    draft.check()
    for path in paths:
        if os.path.lexists(path):
            continue
        try:
            os.rename(draft.path, path)  # noqa: PTH104 - fails where another run took the name meanwhile, and is atomic
        except OSError:
            if os.path.lexists(path):
                continue
            raise
        draft.check(path)
        note_kept(str(path), partial("{} is whole".format, path))
        _sync_entry(path.parent)
        return path
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(paths[-1]))


def _list_folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    return []


def _sync(folder: Path) -> None:
    """Have what a folder holds on the disk before its name says that it is there."""
    for path in (*folder.rglob("*"), folder):
        if path.is_file():
            descriptor = os.open(path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        else:
            _sync_entry(path)


def _sync_entry(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
