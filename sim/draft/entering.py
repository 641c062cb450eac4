"""Drafted rows entered into a case: its claims.csv, the sources that it does not know yet, and the sentences.

The sentences stand in `draft.json`, so that a review can go on without the articles.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.case.case import MAX_LABEL, PERSONNEL, ROLES, Case
from sim.case.claims import Claim, list_columns
from sim.case.folder import find_claims, read_case
from sim.draft.articles import Article
from sim.draft.drafts import Draft
from sim.errors import refuse
from sim.system.reading import is_file, read_json, read_text
from sim.system.sheets.grids import Grid, read_grid
from sim.system.writing import build_new, format_json, replace_files

CASE, CLAIMS, SENTENCES = "case.toml", "claims.csv", "draft.json"
UNNAMED = "force"
COLUMNS = tuple(name for name in Claim.model_fields if name != "row")
_ANY_ROLE = "[" + ", ".join(f'"{role}"' for role in ROLES) + "]"


def format_rows(drafts: Iterable[Draft], columns: Sequence[str] | None = None) -> str:
    """Return drafted rows as CSV, with the columns that any of them fills."""
    drafts = list(drafts)
    if columns is None:
        columns = [name for name in COLUMNS if any(name in draft.cells for draft in drafts)]
    return write_rows([list(columns), *([_show_cell(draft.cells.get(name)) for name in columns] for draft in drafts)])


def write_rows(rows: Iterable[Sequence[str]], separator: str = ",") -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _show_cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def describe_drafts(drafts: Iterable[Draft]) -> list[dict[str, Any]]:
    """Return drafted rows as JSON holds them, with the sentence of each, the words that decided, and the confidence."""
    return [
        {
            **{name: str(cell) if isinstance(cell, dt.date) else cell for name, cell in draft.cells.items()},
            "sentence": draft.sentence, "text": draft.text, "marks": [list(mark) for mark in draft.marks],
            "confidence": draft.confidence,
        }
        for draft in drafts
    ]  # fmt: skip


def enter_drafts(articles: Sequence[tuple[Article, Sequence[Draft]]], folder: Path) -> tuple[list[Path], int, int]:
    """Enter drafted rows into a case, which is made where there is none.

    Parameters
    ----------
    articles : sequence of (Article, sequence of Draft)
    folder : Path
        Of the case. Its files are replaced in one step, or not at all.

    Returns
    -------
    written : list of Path
    entered : int
        Rows.
    known : int
        Rows that are there already, of the same report: they are not entered again.

    Raises
    ------
    InputError
        Where a row has no day of publication, or the case has faults.
    """
    for article, _ in articles:
        if article.published is None:
            raise refuse(article.file, "", "says no day of its own", "give --published YYYY-MM-DD")
    if not folder.exists():
        drafts = _tell_apart([draft for _, rows in articles for draft in rows], set())
        with build_new(folder) as draft_folder:
            forces = _name_forces(drafts)
            drafts = [_place_force(draft, forces) for draft in drafts]
            _write(draft_folder / CASE, _format_case(articles, drafts, forces))
            _write(draft_folder / CLAIMS, format_rows(drafts))
            _write(draft_folder / SENTENCES, format_json(_describe_sentences({}, drafts)))
            read_case(draft_folder)
        return [folder], len(drafts), 0
    if not is_file(folder / CASE) or not is_file(find_claims(folder)):
        raise refuse(str(folder), "", f"holds no {CASE} and {CLAIMS}", "give a case's folder, or a new one")
    return _add_to_case(articles, folder)


def _add_to_case(articles: Sequence[tuple[Article, Sequence[Draft]]], folder: Path) -> tuple[list[Path], int, int]:
    case = read_case(folder)
    every = [draft for _, rows in articles for draft in rows]
    fresh = _leave_known(every, Counter((claim.report, claim.phrase) for claim in case.claims))
    fresh = [_place_force(draft, _list_forces(case)) for draft in fresh]
    renamed = [_place_source(draft, case) for draft in fresh]
    drafts = _tell_apart(renamed, {claim.id for claim in case.claims})
    unknown = {draft.cells["source"]: draft.label for draft in drafts if draft.cells["source"] not in case.sources}
    with replace_files(folder) as draft_folder:
        _write(draft_folder / CLAIMS, _append_rows(read_rows(folder), drafts))
        text = read_text(folder / CASE, inside=folder)
        _write(
            draft_folder / CASE,
            text.rstrip("\n") + "\n" + "".join(map(_format_source, unknown.items())) if unknown else text,
        )
        known = read_sentences(folder)
        _write(draft_folder / SENTENCES, format_json(_describe_sentences(known, drafts)))
        read_case(draft_folder)
    written = [folder / CLAIMS, *([folder / CASE] if unknown else []), folder / SENTENCES]
    return written, len(drafts), len(every) - len(drafts)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _leave_known(drafts: Sequence[Draft], known: Counter[tuple[str, str]]) -> list[Draft]:
    """Return the rows that are not there yet: the same words of the same report are, however they were mended."""
    fresh = []
    for draft in drafts:
        words = draft.cells.get("report", ""), draft.cells["phrase"]
        if known[words] > 0:
            known[words] -= 1
        else:
            fresh.append(draft)
    return fresh


def read_rows(folder: Path) -> Grid:
    """Return the rows of claims.csv as they stand, however it was saved.

    Raises
    ------
    InputError
        Where the claims stand in a workbook, into which nothing is written.
    """
    path = find_claims(folder)
    if path.name != CLAIMS:
        raise refuse(path.name, "", "is a workbook, into which no rows are entered", f"save it as {CLAIMS}")
    return read_grid(path, list_columns(), inside=folder)


def read_sentences(folder: Path) -> dict[str, Any]:
    """Return what is kept of the sentences of drafted rows, by id; nothing where no file keeps any.

    Raises
    ------
    InputError
        Where the file holds something else.
    """
    path = folder / SENTENCES
    if not is_file(path):
        return {}
    kept = read_json(path, inside=folder)
    rows = kept.get("rows", {}) if isinstance(kept, dict) else None
    for key, row in rows.items() if isinstance(rows, dict) else [("", None)]:
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text", ""), str)
            or not _are_marks(row.get("marks", []))
        ):
            where = f"rows.{key}" if key else "rows"
            raise refuse(str(path), where, "is not what truetoll draft keeps of a sentence", "take the file away")
    return dict(rows or {})


def _are_marks(value: Any) -> bool:
    """Whether a value is a list of pairs of offsets in a text."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(end) is int and 0 <= end < 10**7 for end in pair)
        for pair in value
    )


def _append_rows(grid: Grid, drafts: Sequence[Draft]) -> str:
    """Return a claims file with rows added; where it lacks their columns, with those too."""
    lacking = [name for name in COLUMNS if name not in grid.header and any(name in draft.cells for draft in drafts)]
    header = [*grid.header, *lacking]
    fresh = ([_show_cell(draft.cells.get(name)) for name in header] for draft in drafts)
    rows = [header, *([*cells, *[""] * len(lacking)] for _, cells in grid.rows), *fresh]
    return write_rows(rows, grid.separator)


def _describe_sentences(known: dict[str, Any], drafts: Sequence[Draft]) -> dict[str, Any]:
    rows = {
        draft.cells["id"]: {
            "sentence": draft.sentence, "text": draft.text, "marks": [list(mark) for mark in draft.marks],
            "confidence": draft.confidence,
        }
        for draft in drafts
    }  # fmt: skip
    return {"schema": 1, "rows": {**known, **rows}}


def _tell_apart(drafts: Sequence[Draft], taken: set[str]) -> list[Draft]:
    """Give rows ids, and statements, that no other has; what refers to them follows."""
    names: dict[str, str] = {}
    for draft in drafts:
        for name in (draft.cells["id"], draft.cells.get("statement")):
            if name is not None and name not in names:
                number, free = 1, name
                while free in taken:
                    number += 1
                    free = f"{name}-{number}"
                names[name] = free
                taken.add(free)
    return [
        replace(
            draft,
            cells={
                name: names.get(cell, cell) if name in ("id", "statement", "origin") else cell
                for name, cell in draft.cells.items()
            },
        )
        for draft in drafts
    ]


# --- Sources and forces ---


def _place_source(draft: Draft, case: Case) -> Draft:
    """Use a source of the case where its key or its label is that of the draft's."""
    key, label = draft.cells["source"], draft.label.lower()
    if key in case.sources:
        return draft
    for known, source in case.sources.items():
        name = source.label.lower()
        if name and (name == label or (len(label) > 5 and label in name) or (len(name) > 5 and name in label)):
            return replace(draft, cells={**draft.cells, "source": known})
    return draft


def _list_forces(case: Case) -> dict[str, str]:
    return {key: f"{force.label} {key}".lower().replace("_", " ") for key, force in case.file.forces.items()}


def _place_force(draft: Draft, forces: dict[str, str]) -> Draft:
    """Use the force that the draft names; the only one needs no name; of several, one not told is to be mended."""
    told = str(draft.cells.get("force", "")).replace("_", " ")
    cells = {name: cell for name, cell in draft.cells.items() if name != "force"}
    stem = told[:5]
    found = [key for key, words in forces.items() if told and (key == told.replace(" ", "_") or stem in words)]
    if len(forces) == 1 and (found or not told):
        return replace(draft, cells=cells)
    key = found[0] if found else next(iter(forces))
    if not found:
        who = f"of '{told}', which is no force of the case" if told else "of whom is not told"
        cells["note"] = f"{cells['note']}; {who}: mend the force"
    return replace(draft, cells={**cells, "force": key} if len(forces) > 1 else cells)


def _name_forces(drafts: Sequence[Draft]) -> dict[str, str]:
    named = [str(draft.cells["force"]) for draft in drafts if draft.cells.get("force")]
    return {key: key.replace("_", " ") for key in dict.fromkeys(named)} or {UNNAMED: UNNAMED}


def _format_case(
    articles: Sequence[tuple[Article, Sequence[Draft]]], drafts: Sequence[Draft], forces: dict[str, str]
) -> str:
    """Return a case.toml for drafted rows; what no article tells is said to be open."""
    days = [day for draft in drafts for name in ("since", "as_of", "published") if (day := draft.cells.get(name))]
    quantities = dict.fromkeys(draft.cells["quantity"] for draft in drafts)
    parts = {"casualties": ("killed", "wounded"), "losses": ("killed", "wounded")}
    outcomes = dict.fromkeys(part for name in quantities for part in parts.get(name, (name,)) if name != "deployed")
    ordered = [*(name for name in PERSONNEL if name in outcomes), *(name for name in outcomes if name not in PERSONNEL)]
    title = next((article.title for article, _ in articles if article.title), "A case drafted from articles")
    lines = [
        "# Drafted from articles; every row of claims.csv is excluded until you confirm it (truetoll draft --review).",
        "# No article tells when losses began, on whose side a source stands, or how large a force is: mend these.",
        "schema = 1", f"title  = {_quote(title[:MAX_LABEL])}",
        f"start  = {min(days)}          # the first day that any row names",
    ]  # fmt: skip
    for key, label in forces.items():
        lines += [
            "",
            f"[forces.{key}]",
            f"label    = {_quote(label)}",
            f"outcomes = [{', '.join(map(_quote, ordered or ['killed']))}]",
        ]
    sources = {draft.cells["source"]: draft.label for draft in drafts}
    return "\n".join(lines) + "\n" + "".join(map(_format_source, sources.items()))


def _format_source(item: tuple[str, str]) -> str:
    key, label = item
    told = f"role  = {_ANY_ROLE}   # not told: give the one that it has"
    return f"\n[sources.{key}]\nlabel = {_quote(label[:MAX_LABEL])}\n{told}\n"


def _quote(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False).replace("\x7f", "\\u007f")
