"""What a memo says, as sections of blocks: so that its numbers are the same in every format.

A section is added as one function, from a `Material` to blocks, and one line in `SECTIONS`; one without blocks is left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import Result
from sim.report.memo.answer import compose_bottom_line, compose_change, compose_estimates
from sim.report.memo.basis import (
    compose_limits,
    compose_method,
    compose_provenance,
    compose_robustness,
    compose_uncertainty,
)
from sim.report.memo.blocks import Block, Material, Memo, Section
from sim.report.memo.claims import compose_notes, compose_sources, compose_unused_claims, compose_used_claims
from sim.report.memo.numbers import list_numbers

SECTIONS: dict[str, Callable[[Material], Iterable[Block]]] = {
    "Bottom line": compose_bottom_line,
    "Change since the last memo": compose_change,
    "Estimates": compose_estimates,
    "What each source is worth": compose_sources,
    "How robust the answer is": compose_robustness,
    "Where the uncertainty comes from": compose_uncertainty,
    "What is not known": compose_limits,
    "Method": compose_method,
    "Claims used": compose_used_claims,
    "Claims not used": compose_unused_claims,
    "Notes on the claims": compose_notes,
    "Provenance": compose_provenance,
}


def compose_memo(
    result: Result,
    *,
    scale: str = "icd203",
    sensitivity: Sensitivity | None = None,
    change: Iterable[str] = (),
    manifest: Manifest | None = None,
) -> Memo:
    """Return the memo of a run (see `sim.report.memo.blocks.Material` for what it is written from)."""
    material = Material(result, scale, sensitivity, tuple(change), manifest)
    sections = (Section(title, tuple(compose(material))) for title, compose in SECTIONS.items())
    kept = tuple(section for section in sections if section.blocks)
    return Memo(result.title, result.as_of, result.trusted, kept, numbers=list_numbers(result))
