"""A warning: something to look at in a case, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from sim.case.claims import Claim
from sim.errors import put_on_line


@dataclass(frozen=True)
class Warning:  # noqa: A001 - the word of the command's reader
    """Something to look at in a case, and where it stands."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        """Return the warning as one line."""
        return put_on_line(f"{self.kind}: {self.where}: {self.text}")


def name_row(claim: Claim) -> str:
    """Return how a warning names a row."""
    return f"row {claim.row} ({claim.id})"
