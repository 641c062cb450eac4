"""A store of finished tasks: a file of one line of JSON each, which an interrupted run goes on from."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import refuse

Entry = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """A file that finished tasks are appended to.

    Attributes
    ----------
    path : Path
    key : str
        A hash of what the results depend on; lines of another key are passed over.
    label : str
        The field of a line that holds the task: "war", "seed".
    """

    path: Path
    key: str
    label: str

    def begin(self, resume: bool) -> dict[Any, Entry]:
        """Make the file ready and return the entries to go on from, by task.

        Without `resume` what the file held is gone. An entry that says of itself that it is not trusted is done again,
        and so is a line that is no JSON: one that an interruption cut short.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not resume:
                self.path.write_bytes(b"")
                return {}
            content = self.path.read_bytes() if self.path.exists() else b""
            if content and not content.endswith(b"\n"):
                self._write(b"\n")  # the next line must not be glued to one that was cut short
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise refuse(str(self.path), "", what, "give another --results") from None
        kept = {}
        for line in content.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("key") == self.key and self.label in entry:
                task = entry.pop(self.label)
                del entry["key"]
                if entry.get("trusted", True):
                    kept[task] = entry
        return kept

    def append(self, task: Any, entry: Entry) -> None:
        """Add a finished task, as one write of one whole line."""
        line = json.dumps({"key": self.key, self.label: task, **entry}) + "\n"
        try:
            self._write(line.encode())
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise refuse(str(self.path), "", what, "make room, then go on with --resume") from None

    def _write(self, content: bytes) -> None:
        place = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            while content:  # a full disk takes a part, and refuses the rest
                content = content[os.write(place, content) :]
        finally:
            os.close(place)
