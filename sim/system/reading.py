"""Reading what a user gives: a plain file of a stated size, as text, TOML or JSON of a sane shape, or not at all.

The limits are told in `docs/formats.md`. Within them no input takes more than seconds, or more than some 700 MB; a
table that was packed takes up to 1.5 GB. What lies in the folder of a run or a case may come from a stranger: it is
read `inside` that folder, where no link is followed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import tomllib
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim.errors import MAX_WHERE, quote_value, refuse

MAX_TABLE = 50_000_000  # bytes of a CSV file
MAX_JSON = 30_000_000  # bytes of a file of a run
MAX_ROWS = 100_000  # of a table
MAX_COLUMNS = 1_000
MAX_TOML = 1_000_000  # bytes: the parser is slow, and nobody writes as much by hand
MAX_NESTING = 20  # tables and lists within each other
MAX_PARTS = 20  # of a dotted key
LARGEST = 1e300  # of a number, so that it can be reckoned with
# Control characters, halves of characters, and what XML, and so a picture as SVG, may not hold.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
# The parser's time grows with the square of the parts of a dotted key.
_LONG_KEY = re.compile(rf"(?<![\\A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_PARTS},}}")


def read_text(path: Path, limit: int = MAX_TABLE, inside: Path | None = None) -> str:
    """Return the text of a UTF-8 file (a byte-order mark is left out), or refuse it in one line."""
    return decode_text(read_bytes(path, limit, inside), path.name)


def decode_text(raw: bytes, file: str) -> str:
    """Return the text of a UTF-8 file's bytes (a byte-order mark is left out), or refuse them in one line."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(file, f"line {line}", "is not UTF-8", "save the file as UTF-8") from None
    if "\0" in text:
        raise refuse(file, f"line {count_lines(text, text.index(chr(0)))}", "holds a NUL byte", "save it as text")
    return text


SMALL = 65_536  # bytes that are read of any file, whatever the system says of its size


def read_bytes(path: Path, limit: int = MAX_TABLE, inside: Path | None = None) -> bytes:
    """Return what is in a file, or refuse it in one line.

    Parameters
    ----------
    path : Path
        A pipe, a device or a folder is refused, not waited for.
    limit : int
        The most bytes; a larger file, sparse ones too, is refused before it is read.
    inside : Path, optional
        A folder above `path`: what is named below it is opened from its own descriptor, and a link there is refused.
    """
    remedy = "give the path of a file" if inside is None else "put the file itself there"
    try:
        with open(_open_file(path, inside), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise refuse(str(path), "", "is no plain file", "give the path of a file")
            most = min(limit, max(found.st_size, SMALL))  # memory is taken for all that is asked for
            raw = file.read(most + 1) if found.st_size <= limit else None
    except OSError as error:
        reason = "it is a link" if _is_through_link(path, inside) else error.strerror
        raise refuse(str(path), "", f"cannot be read ({reason})", remedy) from None
    except ValueError as error:  # a NUL byte in the path
        raise refuse(str(path), "", f"is no path ({error})", "give the path of a file") from None
    if raw is not None and most < len(raw) <= limit:
        raise refuse(path.name, "", "grows while it is read", "wait until it is written")
    if raw is None or len(raw) > limit:
        size = f"{limit // 1_000_000} MB" if limit >= 1_000_000 else f"{limit // 1_000} kB"
        raise refuse(path.name, "", f"is larger than {size}", "split it")
    return raw


_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_STRAIGHT = getattr(os, "O_NOFOLLOW", 0)


def _open_file(path: Path, inside: Path | None) -> int:
    """Return a descriptor of a file; below `inside` no link is followed."""
    if inside is None:
        return os.open(path, _FILE)
    names = path.relative_to(inside).parts
    if not names or ".." in names:
        raise OSError(errno.EINVAL, "it leads out of its folder")
    if os.open not in os.supports_dir_fd:
        return _open_unlinked(inside, names)
    folder = os.open(inside, _FOLDER)
    try:
        for name in names[:-1]:
            above, folder = folder, os.open(name, _FOLDER | _STRAIGHT, dir_fd=folder)
            os.close(above)
        return os.open(names[-1], _FILE | _STRAIGHT, dir_fd=folder)
    finally:
        os.close(folder)


def _is_through_link(path: Path, inside: Path | None) -> bool:
    """Whether one of the names below a folder is a link: the system says of it only that something is amiss."""
    if inside is None or inside not in path.parents:
        return False
    below = (path, *path.parents[: path.parents.index(inside)])
    return any(map(os.path.islink, below))  # of pathlib's, a name that is too long is an error


def _open_unlinked(inside: Path, names: Sequence[str]) -> int:
    """Return a descriptor of a file below a folder where none of the names is a link now: all that Windows can do."""
    path = inside
    for name in names:
        path = path / name
        if path.is_symlink() or path.is_junction():
            raise OSError(errno.ELOOP, "it is a link")
    return os.open(path, _FILE)


def is_file(path: Path) -> bool:
    """Whether there is a plain file; False too where the path itself is impossible."""
    return os.path.isfile(path)  # noqa: PTH113 - of pathlib's, a name that is too long is an error


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False too where the path itself is impossible."""
    return os.path.isdir(path)  # noqa: PTH112 - as of files


def list_parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the parts of a zip, each stored or deflated, as every office program does.

    Raises
    ------
    zipfile.BadZipFile
        Where one is packed otherwise: other methods take memory by the word of the file, and have errors of their own.
    """
    parts = archive.infolist()
    for part in parts:
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{quote_value(part.filename)} is packed by method {part.compress_type}")
    return parts


def hash_file(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_lines(text: str, end: int) -> int:
    """Return the number of the line at an offset of a text."""
    return text.count("\n", 0, end) + 1


def refuse_controls(text: str, file: str) -> None:
    """Refuse text with a character that steers a terminal or a printer."""
    found = FORBIDDEN.search(text)
    if found:
        where = f"line {count_lines(text, found.start())}"
        raise refuse(file, where, f"holds the control character {quote_value(found[0])}", "take it out")


def read_toml(path: Path, inside: Path | None = None) -> tuple[dict[str, Any], str]:
    """Return the content of a TOML file, and its text."""
    text = read_text(path, MAX_TOML, inside)
    long = _LONG_KEY.search(text)
    if long:
        where = f"line {count_lines(text, long.start())}"
        raise refuse(path.name, where, f"has a key of more than {MAX_PARTS} parts", "mend it there")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of a number of thousands of digits too
        raise refuse(path.name, "", f"is not TOML ({_tell(error)})", "mend it there") from None
    _check_tree(data, path.name, "mend it there")
    return data, text


def read_json(path: Path, inside: Path | None = None) -> Any:
    """Return the content of a JSON file that the program wrote."""
    text = read_text(path, MAX_JSON, inside)
    remedy = "run the case again"
    try:
        data = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except (ValueError, RecursionError) as error:
        raise refuse(str(path), "", f"is damaged ({_tell(error)})", remedy) from None
    _check_tree(data, str(path), remedy)
    return data


def _tell(error: Exception) -> str:
    """Return a parser's message without its advice to who wrote the program."""
    return str(error).partition(";")[0]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; of a key that is there twice others may read the other value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{quote_value(name)} is there twice")
    return found


def _check_tree(data: Any, file: str, remedy: str) -> None:
    """Refuse what nests too deep, numbers that cannot be reckoned with, and control characters."""
    level, depth = [("", [data])], 0
    while level:
        if depth > MAX_NESTING:
            raise refuse(file, level[0][0], f"nests deeper than {MAX_NESTING} levels", remedy)
        deeper: list[tuple[str, Any]] = []
        for where, whole in level:
            named = whole.items() if isinstance(whole, dict) else ((None, each) for each in whole)
            for key, value in named:
                if key is not None:
                    _check_leaf(key, f"{where}, a key", file, remedy)
                if not isinstance(value, dict | list):
                    _check_leaf(value, where if key is None else f"{where}.{key}"[:MAX_WHERE], file, remedy)
                elif value:
                    deeper.append((where if key is None else f"{where}.{key}"[:MAX_WHERE].lstrip("."), value))
        level, depth = deeper, depth + 1


def _check_leaf(value: Any, where: str, file: str, remedy: str) -> None:
    if isinstance(value, str):
        found = FORBIDDEN.search(value)
        if found:
            raise refuse(file, where.lstrip("."), f"holds the control character {quote_value(found[0])}", "take it out")
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise refuse(file, where.lstrip("."), "is not a number that can be reckoned with", remedy)
