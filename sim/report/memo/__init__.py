"""The memo in four formats: one content, rendered by templates that an institution can replace.

`content` lists the sections, which `answer`, `claims` and `basis` write as `blocks`; `word` writes DOCX; Markdown, HTML
and PDF (by typst) come from the templates `memo.md.j2`, `memo.html.j2`, `memo.typ.j2`.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
)
from jinja2.sandbox import SandboxedEnvironment

from sim.errors import refuse
from sim.report.memo.blocks import Block, Memo, Picture, Points, Section, Table
from sim.report.memo.content import compose_memo
from sim.system.writing import replace_files
from sim.words import escape_cell

FORMATS = ("md", "html", "docx", "pdf")
MOST_ROWS, MOST_TEXT = 1_000, 5_000  # rows of a table, characters of a cell or point, in DOCX and PDF

__all__ = ["FORMATS", "compose_memo", "render_memo", "write_memo"]


def write_memo(memo: Memo, folder: Path, formats: Sequence[str] = ("md",), templates: Path | None = None) -> list[Path]:
    """Write a memo in some formats: all of them or, where one fails, none.

    Parameters
    ----------
    memo : Memo
        From `compose_memo`.
    folder : Path
        Of the run; its figures are in `figures`.
    formats : sequence of {"md", "html", "docx", "pdf"}
    templates : Path, optional
        A folder whose `memo.md.j2`, `memo.html.j2`, `memo.typ.j2` or `memo.docx` stand for ours.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        Where a template fails, or a format does.
    """
    pages = {name: _render(memo, name, folder, templates) for name in formats}
    with replace_files(folder) as draft:
        for name, page in pages.items():
            (draft / f"memo.{name}").write_bytes(page)
    return [folder / f"memo.{name}" for name in pages]


def _render(memo: Memo, name: str, folder: Path, templates: Path | None) -> bytes:
    if name == "docx":
        from sim.report.memo.word import write_docx

        return write_docx(_shorten(memo), folder / "figures", templates)
    if name == "pdf":
        return _compile_pdf(render_memo(_shorten(memo), "typ", folder, templates), folder)
    return render_memo(memo, name, folder, templates).encode()


def _shorten(memo: Memo) -> Memo:
    """Return a memo without what takes minutes and gigabytes to set, in pages that nobody turns."""
    sections = (Section(section.title, tuple(map(_shorten_block, section.blocks))) for section in memo.sections)
    return replace(memo, sections=tuple(sections))


def _shorten_block(block: Block) -> Block:
    if isinstance(block, Points):
        return replace(block, items=tuple(map(_cut, block.items[:MOST_ROWS])))
    if isinstance(block, Table):
        count, rows = len(block.rows), tuple(tuple(map(_cut, row)) for row in block.rows[:MOST_ROWS])
        more = f" (the first {MOST_ROWS} of {count}; all are in memo.md)" if count > MOST_ROWS else ""
        return replace(block, rows=rows, caption=block.caption + more)
    return block


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def render_memo(memo: Memo, name: str = "md", folder: Path | None = None, templates: Path | None = None) -> str:
    """Return a memo as Markdown, HTML, or typst's source.

    `folder` is the run's: a figure that is not in it is left out. Without it Markdown points at all of them.
    """
    ours: BaseLoader = PackageLoader("sim.report.memo")
    environment = SandboxedEnvironment(  # a template from elsewhere formats, and runs nothing
        loader=ChoiceLoader([FileSystemLoader(templates), ours]) if templates else ours,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=name == "html",
    )
    environment.filters.update(cell=escape_cell, typst=quote_typst, data=_embed)
    figures = None if folder is None else folder / "figures"
    shown = replace(memo, sections=tuple(_with_figures(section, figures) for section in memo.sections))
    template = f"memo.{name}.j2"
    try:
        return environment.get_template(template).render(memo=shown, figures=figures)
    except (TemplateError, TypeError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{templates or 'sim/report/memo/templates'}/{template}" + (f", line {line}" if line else "")
        raise refuse(where, "", f"fails ({error})", "mend the template, or leave out --template") from error


def _with_figures(section: Section, figures: Path | None) -> Section:
    """Leave out the figures that are not in the folder."""
    kept = tuple(
        block
        for block in section.blocks
        if not isinstance(block, Picture) or figures is None or (figures / block.file).is_file()
    )
    return replace(section, blocks=kept)


def quote_typst(text: object) -> str:
    """Return text as a string literal of typst, of which nothing is taken for markup."""
    return json.dumps(" ".join(str(text).split()), ensure_ascii=False).replace("\\/", "/")


def _embed(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _compile_pdf(source: str, folder: Path) -> bytes:
    import typst

    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "memo.typ"
        page.write_text(source, encoding="utf-8")
        figures = folder / "figures"
        if figures.is_dir():
            (Path(scratch) / "figures").symlink_to(figures.resolve())
        remedy = "mend the template, or leave out pdf"
        try:
            pages, warnings = typst.compile_with_warnings(str(page), root=scratch)
        except (RuntimeError, OSError) as error:
            raise refuse("memo.typ.j2", "", f"fails ({' '.join(str(error).split())[:200]})", remedy) from error
    missing = [warning.message for warning in warnings if "font" in warning.message]
    if missing:
        raise refuse("memo.typ.j2", "", f"asks for a font that is missing ({missing[0]})", remedy)
    return bytes(pages)
