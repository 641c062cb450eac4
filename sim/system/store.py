"""A store of finished tasks: a file of one line of JSON each, which an interrupted run goes on from.

A store may have been edited, or come from a stranger: each line is checked before it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sim.errors import InputError, describe_error, quote_value, refuse
from sim.system.reading import MAX_JSON, read_bytes
from sim.system.signals import note_kept
from sim.system.writing import choose_remedy, sweep_drafts, take_lock, tell_reason

Entry = dict[str, Any]  # what a line keeps of a task, as JSON holds it
MAX_STORE = 400_000_000  # bytes
_BEGINNING = b'{"key": "'  # of each line that the program writes


def hash_parts(parts: Iterable[str]) -> str:
    """Return the key of results that depend on these texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
    shape : type
        What an entry is, for pydantic: a TypedDict.
    fits : callable, optional
        From a task and its entry, which has that shape, to whether the one can be the result of the other.
    """

    path: Path
    key: str
    label: str
    shape: Any = Entry
    fits: Callable[[Any, Entry], bool] | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other runs from the file during a block, and no longer than this process lives."""
        try:
            descriptor = self._open()
        except OSError as error:
            raise self._refuse(error, "give another --results") from None
        try:
            if not take_lock(descriptor):
                what = "another run is writing to it"
                raise refuse(str(self.path), "", what, "wait until that ends, or give another --results")
            sweep_drafts(self.path.parent)
            note_kept(str(self.path), self._tell_kept)
            yield
        finally:
            os.close(descriptor)

    def begin(self, resume: bool) -> dict[Any, Entry]:
        """Make the file ready and return the entries to go on from, by task.

        Without `resume` there are none, and the first entry replaces what the file held. An entry that says
        of itself that it is not trusted is done again, and so is a line that an interruption cut short.

        Raises
        ------
        InputError
            Where a line is none that this program writes.
        """
        try:
            os.close(self._open())
            content = read_bytes(self.path, MAX_STORE) if resume else b""
            if content and not content.endswith(b"\n"):
                self._write(b"\n")  # the next line must not be glued to one that was cut short
        except OSError as error:
            raise self._refuse(error, "give another --results") from None
        return self._parse(content)

    def _parse(self, content: bytes) -> dict[Any, Entry]:
        kept = {}
        for number, ended in enumerate(io.BytesIO(content), start=1):  # a list of them all may be of gigabytes
            line = ended.removesuffix(b"\n")
            if not line or not (entry := self._parse_line(line, number)):
                continue
            task = entry.pop(self.label, None)
            if entry.pop("key") == self.key:
                entry = self._check(task, entry, number)
                if entry.get("trusted", True):
                    kept[task] = entry
        return kept

    def _parse_line(self, line: bytes, number: int) -> Entry:
        """Return what a line says; nothing where it was cut short."""
        if len(line) > MAX_JSON:
            raise self._refuse_line(number, f"is longer than {MAX_JSON // 1_000_000} MB")
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if line.startswith(_BEGINNING[: len(line)]) and not line.endswith(b"}"):
                return {}
            raise self._refuse_line(number, "is no JSON") from None
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            raise self._refuse_line(number, "has no key")
        return entry

    def _check(self, task: Any, entry: Entry, number: int) -> Entry:
        """Return an entry without what its shape does not know, or refuse it."""
        if not isinstance(task, str | int) or isinstance(task, bool):
            raise self._refuse_line(number, f"has {quote_value(task)} for its {self.label}")
        try:
            found: Entry = self._adapter.validate_python(entry, strict=True)
        except ValidationError as error:
            fault = describe_error(error.errors(include_url=False)[0], "", "")
            raise self._refuse_line(number, f"is damaged at {quote_value(fault.where)}: {fault.problem}") from None
        if self.fits is not None and not self.fits(task, found):
            raise self._refuse_line(number, f"does not fit its {self.label}")
        return found

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.shape)

    def _refuse_line(self, number: int, problem: str) -> InputError:
        return refuse(str(self.path), f"line {number}", problem, "take the line out, or begin anew without --resume")

    def append(self, task: Any, entry: Entry, *, anew: bool = False) -> None:
        """Add a finished task as one whole line; `anew`: instead of all that the file held."""
        line = json.dumps({"key": self.key, self.label: task, **entry}) + "\n"
        try:
            self._write(line.encode(), os.O_TRUNC if anew else 0)
        except OSError as error:
            remedy = f"{choose_remedy(error)}, then go on with --resume; {self._tell_kept()}"
            raise self._refuse(error, remedy) from None

    def clear(self) -> None:
        """Take away all that the file holds."""
        with suppress(OSError):
            self._write(b"", os.O_TRUNC)

    def _tell_kept(self) -> str:
        with suppress(OSError, InputError):
            count = len(self._parse(read_bytes(self.path, MAX_STORE))) if self.path.is_file() else 0
            if count:
                what = "result is" if count == 1 else "results are"
                return f"{count} finished {what} kept in {self.path}, from which --resume goes on"
        return ""

    def _refuse(self, error: OSError, remedy: str) -> InputError:
        return refuse(str(self.path), "", f"cannot be written ({tell_reason(error)})", remedy.rstrip("; "))

    def _open(self, flags: int = 0) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_fifo():  # which would be waited for
            raise refuse(str(self.path), "", "is a pipe", "give another --results")
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | flags, 0o666)

    def _write(self, content: bytes, flags: int = 0) -> None:
        descriptor = self._open(flags)
        try:
            before = os.fstat(descriptor).st_size
            try:
                while content:  # a full disk takes a part, and refuses the rest
                    content = content[os.write(descriptor, content) :]
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
