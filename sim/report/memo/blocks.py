"""What a memo is made of: sections of blocks, whose text is plain: each format makes it harmless in its own way.

A block's `kind` is what templates tell it by: `text`, `note`, `equation`, `points`, `terms`, `table`, `figure`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import Result
from sim.report.labels import tell_forces_apart
from sim.report.memo.asked import Asking
from sim.report.memo.numbers import Shown

LONG = 400  # letters of a text that may stand apart from the table after it


@dataclass(frozen=True)
class Text:
    """A paragraph; a note stands apart, an equation is set as one."""

    text: str
    kind: Literal["text", "note", "equation"] = "text"

    def leads_in(self, after: object) -> bool:
        """Return whether it stays on the page of the block after it."""
        return self.kind == "text" and (self.text.endswith(":") or (isinstance(after, Table) and len(self.text) < LONG))


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: Literal["points"] = "points"


@dataclass(frozen=True)
class Terms:
    """A list of terms, each with what is said of it."""

    items: tuple[tuple[str, str], ...]
    kind: Literal["terms"] = "terms"


@dataclass(frozen=True)
class Link:
    """A cell that leads to an address of the web; a format without links shows both."""

    text: str
    url: str

    def __str__(self) -> str:
        """Return text and address."""
        return f"{self.text}: {self.url}"


@dataclass(frozen=True)
class Table:
    """A table with its caption; `align` has l or r for each column.

    Of a `grouped` one the rows of one first cell stand together, and a page shows it once. The last columns, so many as
    are `under`, have long texts: on paper they stand under their row, over its whole width.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | Link, ...], ...]
    align: str
    grouped: bool = False
    under: int = 0
    kind: Literal["table"] = "table"

    def show_rows(self) -> Iterator[tuple[str | Link, ...]]:
        """Yield the rows as they are shown: the first cell of a group once."""
        before: str | Link = ""
        for row in self.rows:
            again = self.grouped and row[0] == before
            before = row[0]
            yield ("", *row[1:]) if again else row

    def drop_empty(self) -> Table:
        """Return the table without the columns that say nothing in any row."""
        every = len(self.header)
        kept = [index for index in range(every) if any(str(row[index]) for row in self.rows)]
        return replace(
            self,
            header=tuple(self.header[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in self.rows),
            align="".join(self.align[index] for index in kept),
            under=sum(index >= every - self.under for index in kept),
        )

    def fold(self) -> tuple[Table, tuple[tuple[tuple[str, str | Link], ...], ...]]:
        """Return the table without the columns that stand under their rows, and what these say with their heads."""
        kept = len(self.header) - self.under
        rows = tuple(row[:kept] for row in self.rows)
        told = tuple(
            tuple((name, text) for name, text in zip(self.header[kept:], row[kept:], strict=True) if str(text))
            for row in self.rows
        )
        return replace(self, header=self.header[:kept], rows=rows, align=self.align[:kept], under=0), told


@dataclass(frozen=True)
class Picture:
    """A file of the run's figures, `share` of the page wide; one that is not in the folder is left out."""

    file: str
    caption: str
    share: float = 1.0
    kind: Literal["figure"] = "figure"


Block = Text | Points | Terms | Table | Picture


@dataclass(frozen=True)
class Section:
    """A section, under its title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Memo:
    """A memo, whatever it is written in.

    Attributes
    ----------
    title : str
        The finding.
    subject : str
        The case's title.
    author : str
    byline : tuple of str
        The day that it speaks of, author, institution and date.
    classification : str
        Empty where the case gives none.
    asking : Asking, optional
        What the HTML page can be asked.
    numbers : tuple of Shown
        What templates take by name.
    sections : tuple of Section
        The first, without a title, is page one.
    """

    title: str
    as_of: str
    trusted: bool
    sections: tuple[Section, ...]
    numbers: tuple[Shown, ...] = ()
    subject: str = ""
    author: str = ""
    byline: tuple[str, ...] = ()
    classification: str = ""
    asking: Asking | None = None


@dataclass(frozen=True)
class Material:
    """What a memo is written from.

    Attributes
    ----------
    result : Result
        Of the run.
    scale : {"icd203", "phia", "ipcc"}
        Whose words for probabilities.
    sensitivity : Sensitivity, optional
        A report of the same inputs.
    change : tuple of str
        What has changed since an earlier run, in sentences.
    manifest : Manifest, optional
        Of the run.
    """

    result: Result
    scale: str = "icd203"
    sensitivity: Sensitivity | None = None
    change: tuple[str, ...] = ()
    manifest: Manifest | None = None


def show_command(material: Material, name: str) -> str:
    """Return the command that does more with the case of a memo, as it can be pasted."""
    case = material.result.case
    given = material.manifest.command[2:] if material.manifest else ()
    return f"truetoll {name} {shlex.quote(next((part for part in given if Path(part).name == case), case))}"


def show_figures(result: Result, name: str, caption: str, share: float = 1.0) -> Iterator[Picture]:
    """Yield a figure of each force."""
    for force, of in tell_forces_apart(result.forces).items():
        yield (
            Picture(f"{name}-{force}.png", f"{caption} ({of})", share) if of else Picture(f"{name}.png", caption, share)
        )
