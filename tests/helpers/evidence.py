"""Claims and evidence of a row or two."""

from __future__ import annotations

from sim.case.claims import Claim
from sim.case.evidence import weigh_claims
from sim.case.folder import read_case


def weigh(write, rows, known_by=None):
    """Return the evidence of a case with these rows, as `write` lays it out."""
    return weigh_claims(read_case(write(rows)), known_by)


def claim_of(**fields):
    """Return a claim of killed with these fields."""
    return Claim.model_validate({"id": "a", "source": "s", "quantity": "killed", "published": "2024-01-01", **fields})
