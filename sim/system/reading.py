"""Reading what a user gives: a plain file of a stated size, as text, TOML or JSON of a sane shape, or not at all.

The limits are told in `docs/formats.md`. Within them no input takes more than seconds, or more than some 500 MB.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from sim.errors import MAX_WHERE, quote_value, refuse

MAX_TABLE = 50_000_000  # bytes of a CSV file
MAX_JSON = 30_000_000  # bytes of a file of a run
MAX_TOML = 1_000_000  # bytes: the parser is slow, and nobody writes as much by hand
MAX_NESTING = 20  # tables and lists within each other
MAX_PARTS = 20  # of a dotted key
LARGEST = 1e300  # of a number, so that it can be reckoned with
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
# The parser's time grows with the square of the parts of a dotted key.
_LONG_KEY = re.compile(rf"(?<![\\A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_PARTS},}}")


def read_text(path: Path, limit: int = MAX_TABLE) -> str:
    """Return the text of a UTF-8 file (a byte-order mark is left out), or refuse it in one line."""
    raw = read_bytes(path, limit)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(path.name, f"line {line}", "is not UTF-8", "save the file as UTF-8") from None
    if "\0" in text:
        raise refuse(path.name, f"line {_count_lines(text, text.index(chr(0)))}", "holds a NUL byte", "save it as text")
    return text


def read_bytes(path: Path, limit: int) -> bytes:
    """Return what is in a file; a pipe or a device is refused, not waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor that does not wait
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise refuse(str(path), "", "is no plain file", "give the path of a file")
            raw = file.read(limit + 1)
    except OSError as error:
        raise refuse(str(path), "", f"cannot be read ({error.strerror})", "give the path of a file") from None
    except ValueError as error:  # a NUL byte in the path
        raise refuse(str(path), "", f"is no path ({error})", "give the path of a file") from None
    if len(raw) > limit:
        raise refuse(path.name, "", f"is larger than {limit // 1_000_000} MB", "split it")
    return raw


def is_file(path: Path) -> bool:
    """Whether there is a plain file; False too where the path itself is impossible."""
    return os.path.isfile(path)  # noqa: PTH113 - of pathlib's, a name that is too long is an error


def hash_file(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _count_lines(text: str, end: int) -> int:
    return text.count("\n", 0, end) + 1


def refuse_controls(text: str, file: str) -> None:
    """Refuse text with a character that steers a terminal or a printer."""
    found = FORBIDDEN.search(text)
    if found:
        where = f"line {_count_lines(text, found.start())}"
        raise refuse(file, where, f"holds the control character {quote_value(found[0])}", "take it out")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a TOML file, and its text."""
    text = read_text(path, MAX_TOML)
    long = _LONG_KEY.search(text)
    if long:
        where = f"line {_count_lines(text, long.start())}"
        raise refuse(path.name, where, f"has a key of more than {MAX_PARTS} parts", "mend it there")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of a number of thousands of digits too
        raise refuse(path.name, "", f"is not TOML ({_tell(error)})", "mend it there") from None
    _check_tree(data, path.name, "mend it there")
    return data, text


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that the program wrote."""
    text = read_text(path, MAX_JSON)
    remedy = "run the case again"
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise refuse(str(path), "", f"is damaged ({_tell(error)})", remedy) from None
    _check_tree(data, str(path), remedy)
    return data


def _tell(error: Exception) -> str:
    """Return a parser's message without its advice to who wrote the program."""
    return str(error).partition(";")[0]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


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
