"""What a memo says, as sections of blocks: so that its numbers are the same in every format.

A section is added as one function, from a `Material` to blocks, and one line in `SECTIONS`; one without blocks is left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.contract.manifest import Manifest
from sim.contract.sensitivity import Sensitivity
from sim.contract.summary import MemoHead, Result
from sim.report.finding import write_title
from sim.report.memo.asking import compose_asking
from sim.report.memo.basis import (
    compose_limits,
    compose_method,
    compose_provenance,
    compose_robustness,
    compose_variants,
)
from sim.report.memo.blocks import Block, Material, Memo, Section
from sim.report.memo.claims import compose_all_sources, compose_sources, compose_unused_claims, compose_used_claims
from sim.report.memo.evidence import compose_change, compose_evidence
from sim.report.memo.numbers import list_numbers
from sim.report.memo.page_one import compose_page_one
from sim.words import show_day

PAGE_ONE = ""  # its title: the finding stands over it

SECTIONS: dict[str, Callable[[Material], Iterable[Block]]] = {
    PAGE_ONE: compose_page_one,
    "Change since the last memo": compose_change,
    "The evidence": compose_evidence,
    "What each source is worth": compose_sources,
    "How robust the answer is": compose_robustness,
    "What is not known": compose_limits,
    "Method": compose_method,
    "Annex: every source": compose_all_sources,
    "Annex: claims used": compose_used_claims,
    "Annex: claims not used": compose_unused_claims,
    "Annex: every variant": compose_variants,
    "Annex: provenance": compose_provenance,
}


def compose_memo(
    result: Result,
    *,
    scale: str = "icd203",
    sensitivity: Sensitivity | None = None,
    change: Iterable[str] = (),
    manifest: Manifest | None = None,
    brief: bool = False,
) -> Memo:
    """Return the memo of a run (see `sim.report.memo.blocks.Material` for what it is written from), or its page one."""
    material = Material(result, scale, sensitivity, tuple(change), manifest)
    wanted = [PAGE_ONE] if brief else list(SECTIONS)
    sections = (Section(title, tuple(SECTIONS[title](material))) for title in wanted)
    head = result.memo or MemoHead()
    date = head.date or (manifest.written[:10] if manifest else "")
    signed = (head.author, head.institution, date and f"Dated {show_day(date)}")
    byline = (
        f"As of {show_day(result.as_of)}", *signed, head.distribution and f"Distribution: {head.distribution}",
    )  # fmt: skip
    return Memo(
        title=write_title(result),
        as_of=result.as_of,
        trusted=result.trusted,
        sections=tuple(section for section in sections if section.blocks),
        subject=result.title,
        author=head.author,
        byline=tuple(part for part in byline if part),
        classification=head.classification,
        numbers=list_numbers(result),
        asking=compose_asking(material),
    )
