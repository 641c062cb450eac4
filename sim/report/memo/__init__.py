"""The memo in four formats: one content, rendered by templates that an institution can replace.

`content` lists the sections, which `answer`, `claims` and `basis` write as `blocks`; `pages` sets them as Markdown,
HTML and PDF (by typst) from the templates `memo.md.j2`, `memo.html.j2`, `memo.typ.j2`, and `word` as DOCX. For typst,
and with a template of the user's, who may have it from a stranger, pages are set in a confined process.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sim.contract.check import adapt
from sim.report.memo.blocks import Block, Link, Memo, Picture, Points, Section, Table, Terms
from sim.report.memo.content import compose_memo
from sim.report.memo.pages import render_template, set_page
from sim.report.memo.pictures import read_pictures
from sim.report.memo.spelling import spell_memo
from sim.system.confinement import run_confined
from sim.system.writing import open_scratch, replace_files

FORMATS = ("md", "html", "docx", "pdf")
MOST_ROWS, MOST_TEXT = 1_000, 5_000  # rows of a table, characters of a cell or point, in DOCX and PDF
_TEMPLATES = {"md": "memo.md.j2", "html": "memo.html.j2", "docx": "memo.docx", "pdf": "memo.typ.j2"}

__all__ = ["FORMATS", "compose_memo", "render_memo", "write_memo"]


def write_memo(
    memo: Memo,
    folder: Path,
    formats: Sequence[str] = ("md",),
    templates: Path | None = None,
    out: Path | None = None,
) -> list[Path]:
    """Write a memo in some formats: all of them or, where one fails, none.

    Parameters
    ----------
    memo : Memo
        From `compose_memo`.
    folder : Path
        Of the run; its figures are in `figures`.
    formats : sequence of {"md", "html", "docx", "pdf"}
    templates : Path, optional
        A folder whose `memo.md.j2`, `memo.html.j2`, `memo.typ.j2` or `memo.docx` stand for ours, or a DOCX file.
    out : Path, optional
        Where the one format goes, in place of `folder`.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        Where a template fails, or a format does.
    """
    pictures = read_pictures(folder, list_pictures(memo))
    pages = {name: _set_page(memo, name, pictures, templates) for name in formats}
    if out is not None:
        (page,) = pages.values()
        with replace_files(out.parent) as draft:
            (draft / out.name).write_bytes(_lead_to(page, folder, out) if formats[0] == "md" else page)
        return [out]
    with replace_files(folder) as draft:
        for name, page in pages.items():
            (draft / f"memo.{name}").write_bytes(page)
    return [folder / f"memo.{name}" for name in pages]


def _lead_to(page: bytes, folder: Path, out: Path) -> bytes:
    """Return a page of Markdown whose figures stay in the folder of the run."""
    away = quote(os.path.relpath(folder.resolve() / "figures", out.parent.resolve()).replace(os.sep, "/"))
    return page.replace(b"](figures/", f"]({away}/".encode())


def list_pictures(memo: Memo) -> list[str]:
    """Return the file names of the figures that a memo shows."""
    return [block.file for section in memo.sections for block in section.blocks if isinstance(block, Picture)]


def _set_page(memo: Memo, form: str, pictures: dict[str, bytes], templates: Path | None) -> bytes:
    memo = _shorten(memo) if form in ("docx", "pdf") else memo
    memo = spell_memo(memo) if form == "pdf" else memo
    if templates is not None and templates.is_file() and form != "docx":
        templates = None  # a single document stands for ours in its own format
    if templates is None and form != "pdf":
        return set_page(memo, form, pictures)
    request: dict[str, Any] = {"memo": adapt(Memo).dump_python(memo, mode="json"), "format": form}
    request["templates"] = None if templates is None else str(templates.absolute())
    request["pictures"] = {name: base64.b64encode(content).decode() for name, content in pictures.items()}
    with open_scratch() as scratch:
        (scratch / "figures").mkdir()
        for name, content in pictures.items() if form == "pdf" else ():
            (scratch / "figures" / name).write_bytes(content)
        folder = templates is None or templates.is_dir()
        file = str((templates or Path()) / _TEMPLATES[form]) if folder else str(templates)
        remedy = f"mend the template, or leave out {'--template' if templates else form}"
        return run_confined("sim.report.memo", json.dumps(request).encode(), scratch, file, remedy)


def _shorten(memo: Memo) -> Memo:
    """Return a memo without what takes minutes and gigabytes to set, in pages that nobody turns."""
    sections = (Section(section.title, tuple(map(_shorten_block, section.blocks))) for section in memo.sections)
    return replace(memo, sections=tuple(sections))


def _shorten_block(block: Block) -> Block:
    if isinstance(block, Points):
        return replace(block, items=tuple(map(_cut, block.items[:MOST_ROWS])))
    if isinstance(block, Terms):
        return replace(block, items=tuple((term, _cut(text)) for term, text in block.items))
    if isinstance(block, Table):
        count, rows = len(block.rows), tuple(tuple(map(_cut_cell, row)) for row in block.rows[:MOST_ROWS])
        more = f" (the first {MOST_ROWS} of {count}; all are in memo.md)" if count > MOST_ROWS else ""
        return replace(block, rows=rows, caption=block.caption + more)
    return block


def _cut_cell(cell: str | Link) -> str | Link:
    return replace(cell, text=_cut(cell.text)) if isinstance(cell, Link) else _cut(cell)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def render_memo(memo: Memo, name: str = "md", pictures: Mapping[str, bytes] | None = None) -> str:
    """Return a memo as Markdown, HTML, or typst's source, by our own templates.

    A figure that is not among `pictures` is left out; without those Markdown points at all figures.
    """
    if pictures is None:
        pictures = dict.fromkeys(list_pictures(memo) if name == "md" else [], b"")
    return render_template(memo, name, pictures)
