"""How well `truetoll draft` reads, beside a careful reader; `make draft-score` writes the table of docs/draft.md.

Sets of texts: the five articles of the shipped cases, whose rows were written long before; texts written for this
suite by which the rules were mended; texts held out, whose score no rule was changed for; and texts in German.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sim.draft.articles import read_article
from sim.draft.drafting import draft_rows
from sim.draft.drafts import Draft
from sim.draft.grammar.language import list_languages, read_language

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "draft" / "articles"
SEEDS = Path(os.environ.get("SEEDS", ROOT.parent / "shared" / "seeds"))
CASES = ROOT / "sim" / "cases"
PAGE = ROOT / "docs" / "draft.md"
BEGIN, END = "<!-- draft-score -->", "<!-- end -->"


@dataclass
class Score:
    """Counts over the texts of a set; `told` counts the gold rows that say a source, or a day."""

    texts: int = 0
    gold: int = 0
    drafted: int = 0
    found: int = 0
    qualifier: int = 0
    quantity: int = 0
    source: int = 0
    sourced: int = 0
    day: int = 0
    dated: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Score)))


def read_gold(name: str) -> dict[str, list[dict[str, str]]]:
    """Return the rows of a careful reader by article."""
    out: dict[str, list[dict[str, str]]] = {}
    with (OWN / name).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            out.setdefault(row["article"], []).append(row)
    return out


def read_seed_gold() -> dict[str, list[dict[str, str]]]:
    """Return the rows with a number of the shipped cases, by article; their sources' keys are the cases' own."""
    out: dict[str, list[dict[str, str]]] = {}
    for case in ("kursk", "vietnam"):
        with (CASES / case / "claims.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                article = re.search(r"article (\w+)\)", row["report"])
                if article and any(row.get(name) for name in ("low", "value", "high")):
                    out.setdefault(article[1], []).append(row)
    return out


def score_article(path: Path, gold: list[dict[str, str]], published: Any = None) -> tuple[Score, list[str]]:
    """Return the score of one text, and a line for each row that was missed, wrong, or too much."""
    spoken = path.stem.partition("-")[0]
    language = read_language(spoken if spoken in list_languages() else "english")
    drafts = draft_rows(read_article(path, language), language, published)
    score = Score(1, len(gold), len(drafts))
    told: list[str] = []
    free = list(drafts)
    for row in sorted(gold, key=lambda each: not _numbers(each)[1]):
        match = _choose(row, free)
        if match is None:
            told.append(f"missed: {_describe(row)}")
            continue
        free.remove(match)
        cells = match.cells
        score.found += 1
        for name in ("qualifier", "quantity"):
            right = (row[name] or "about") == cells[name]
            setattr(score, name, getattr(score, name) + right)
            if not right:
                told.append(f"{name}: {row[name]}, read as {cells[name]}: {_describe(row)}")
        if "phrase" in row and "article" in row and row["source"]:
            score.sourced += 1
            right = _same_source(row["source"], match)
            score.source += right
            told += [] if right else [f"source: {row['source']}, read as {cells['source']}: {_describe(row)}"]
        if "article" in row and (row["as_of"] or row["since"]):
            score.dated += 1
            said = [
                str(cells.get(name) or (cells.get("published") if name == "as_of" else "") or "")
                for name in ("since", "as_of")
            ]
            right = said == [row["since"], row["as_of"] or str(cells.get("published"))]
            score.day += right
            told += (
                [] if right else [f"day: {row['since']}..{row['as_of']}, read as {'..'.join(said)}: {_describe(row)}"]
            )
    told += [f"too much: s{each.sentence} {each.cells['quantity']} {each.cells['phrase']!r}" for each in free]
    return score, told


def _numbers(row: dict[str, Any]) -> tuple[Any, ...]:
    share = row.get("unit") == "share"
    return (
        share,
        *(
            round(float(row[name]), 2 if share else 6) if row.get(name) not in (None, "") else None
            for name in ("low", "value", "high")
        ),
    )


def _choose(row: dict[str, str], free: list[Draft]) -> Draft | None:
    """Return the drafted row of the same number: that of the same quantity and wording before others."""
    same = [
        each
        for each in free
        if _numbers(each.cells) == _numbers(row)
        or (row["qualifier"] == "range" and each.cells["qualifier"] == "range" and _near(row, each))
    ]
    ranked = sorted(
        same,
        key=lambda each: (
            each.cells["quantity"] != row["quantity"], each.cells["qualifier"] != row["qualifier"],
            not _same_source(row["source"], each), each.sentence,
        ),
    )  # fmt: skip
    return ranked[0] if ranked else None


def _near(row: dict[str, str], draft: Draft) -> bool:
    """Whether both are ranges of about the same ends: "dozens" is as wide as its reader would defend."""
    mine, theirs = _numbers(row), _numbers(draft.cells)
    return mine[0] == theirs[0] and all(
        a and b and 0.5 <= a / b <= 2 for a, b in ((mine[1], theirs[1]), (mine[3], theirs[3]))
    )


def _same_source(gold: str, draft: Draft) -> bool:
    said = f"{draft.label} {draft.cells['source']} {draft.cells.get('speaker', '')}".lower().replace("_", " ")
    return all(word.lower()[:5] in said for word in gold.split())


def _describe(row: dict[str, str]) -> str:
    numbers = " to ".join(row[name] for name in ("low", "value", "high") if row.get(name))
    return f"{row['quantity']} {numbers} {row.get('phrase', '')!r}"


def score_all(*, verbose: Iterable[str] = ()) -> dict[str, Score]:
    """Return the scores of the sets; the seeds are left out where they are not."""
    sets = {name: read_gold(f"gold-{name}.csv") for name in ("tuning", "held", "german")}
    if SEEDS.is_dir():
        sets = {"seeds": read_seed_gold(), **sets}
    out: dict[str, Score] = {}
    for name, gold in sets.items():
        total = Score()
        for article, rows in sorted(gold.items()):
            score, told = score_article((SEEDS if name == "seeds" else OWN) / f"{article}.txt", rows)
            total += score
            if name in verbose:
                sys.stdout.write("\n  ".join([article, *told]) + "\n")
        out[name] = total
    return out


TITLES = {
    "seeds": "the five articles of the shipped cases",
    "tuning": "twenty-seven texts by which the rules were mended",
    "held": "six texts held out",
    "german": "seven texts in German",
}


def show_scores(scores: dict[str, Score]) -> str:
    """Return the table of docs/draft.md."""
    lines = [
        "| texts | numbers in them | found | rightly drafted | wording | quantity | source | days |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, score in scores.items():
        parts = [
            (score.found, score.gold),
            (score.found, score.drafted),
            (score.qualifier, score.found),
            (score.quantity, score.found),
            (score.source, score.sourced),
            (score.day, score.dated),
        ]
        lines.append(
            f"| {TITLES[name]} | {score.gold} | " + " | ".join(f"{a / b:.2f}" if b else "–" for a, b in parts) + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the table, or with names of sets show what was missed."""
    names = sys.argv[1:]
    scores = score_all(verbose=names)
    table = show_scores(scores)
    sys.stdout.write(table + "\n")
    if not names:
        text = PAGE.read_text(encoding="utf-8")
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
