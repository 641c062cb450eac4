"""What a machine has of a command that is disturbed: its processes, temporary files, and disks that are soon full."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

GONE = 8.0  # seconds within which what a command started must have ended
BLOCK = 4096


def heeds_signals(pid: int) -> bool:
    """Return whether a process has taken SIGTERM upon itself: before that Python is starting, or nothing has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def measure(folder: Path) -> int:
    """Return the bytes that a folder takes of a disk of whole blocks."""
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK if path.is_file() else 0 for path in folder.rglob("*"))


def wait_for_none(mark: str, seconds: float = 0.0) -> list[str]:
    """Wait for all processes of a mark to end, as long at least as their command takes; return those that do not."""
    until = time.monotonic() + max(GONE, seconds)
    while (left := list_marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def list_marked(mark: str) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def find_temporary(results: Path) -> Path:
    """Return the folder of temporary files of the commands that write to a folder of results."""
    return results.with_name(f"{results.name}-temporary")


def judge_temporary(folder: Path, *, drafts: bool = False) -> list[str]:
    """Return what a command has left among its temporary files; `drafts`: what the next sweeps up may be there."""
    left = [path.name for path in folder.iterdir() if not (drafts and path.name.startswith(".unfinished-"))]
    return [f"left among the temporary files: {name}" for name in left]


def mount(folder: Path, size: int) -> None:
    """Mount a small disk."""
    size = max(-(-size // BLOCK), 1) * BLOCK
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)


@cache
def can_mount() -> bool:
    """Return whether this user may mount a disk here."""
    with tempfile.TemporaryDirectory() as place:
        order = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
        if shutil.which("mount") is None or subprocess.run(order, capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", place], check=True)
        return True
