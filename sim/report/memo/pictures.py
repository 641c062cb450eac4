"""The figures of a run that a memo embeds: files in the run's own folder, and pictures to the last byte."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

from sim.errors import refuse
from sim.system.reading import read_bytes

MAX_PICTURE, MAX_PICTURES = 20_000_000, 100_000_000  # bytes of one, and of all of a memo
MAX_PIXELS = 50_000_000
_SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", b"IEND"
_EDGES = 12  # bytes of a chunk beside its content: length, kind, checksum


def read_pictures(run: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the figures of a run's folder by file name; one that is not there is left out.

    Raises
    ------
    InputError
        Where one is a link, no plain file, too large, or no PNG.
    """
    found: dict[str, bytes] = {}
    for name in names:
        path = run / "figures" / name
        if os.path.lexists(path):
            found[name] = read_bytes(path, MAX_PICTURE, inside=run)
            problem = find_fault(found[name])
            if problem:
                raise refuse(str(path), "", f"is no readable image ({problem})", "draw it again: truetoll plot")
            if sum(map(len, found.values())) > MAX_PICTURES:
                raise refuse(str(path.parent), "", f"holds more than {MAX_PICTURES // 1_000_000} MB", "draw them again")
    return found


def find_fault(content: bytes) -> str | None:
    """Return what keeps bytes from being one whole PNG of a sane size; None where they are."""
    if content[:8] != _SIGNATURE or content[12:16] != b"IHDR" or len(content) < 33:
        return "it is no PNG"
    width, height = struct.unpack(">II", content[16:24])
    if not 0 < width * height <= MAX_PIXELS:
        return f"it is {width} by {height} pixels"
    offset, kind = len(_SIGNATURE), b""
    while kind != _END:
        if offset + _EDGES > len(content):
            return "it ends early"
        length, kind = struct.unpack(">I4s", content[offset : offset + 8])
        end = offset + _EDGES + length
        if content[end - 4 : end] != struct.pack(">I", zlib.crc32(content[offset + 4 : end - 4])):
            return "it is damaged"
        offset = end
    return "something follows it" if offset < len(content) else None
