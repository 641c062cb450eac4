"""The code of `truetoll draft` knows no language: what it knows of one stands in its table."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest
from draft_score import OWN

import sim.draft
from sim.draft.articles import read_article
from sim.draft.drafting import draft_rows
from sim.draft.grammar.language import make_language, read_language

ROOM = Path(sim.draft.__file__).parent
READERS = [*sorted((ROOM / "grammar").glob("*.py")), *(ROOM / f"{name}.py" for name in ("dating", "heads", "phrasing"))]
TEXTS = sorted(path.stem for path in OWN.glob("*.txt") if not path.stem.startswith("german"))
# The contract's own words and those by which the code names its kinds; none of them is looked for in a text.
LABELS = {
    "toml", "killed", "wounded", "captured", "missing", "casualties", "losses", "deployed", "about", "exact", "range",
    "at_least", "at_most", "person", "outcome", "equipment", "bare", "foreign", "dated", "onward", "upto", "span",
    "stock", "interval", "past",
}  # fmt: skip
SEARCHES = {"startswith", "endswith", "fullmatch", "match", "search", "sub", "compile", "finditer", "index"}

SHIFTED = string.ascii_lowercase[13:] + string.ascii_lowercase[:13]
CIPHER = str.maketrans(string.ascii_letters, SHIFTED + SHIFTED.upper())
TIMED = (
    "units",
    "tens",
    "multipliers",
    "suffixes",
    "fractions",
    "phrases",
    "vague",
    "weekdays",
    "months",
    "past",
    "thirds",
)


def encipher(table, name=""):
    """Return a table with every word in another alphabet's order; the names of its parts stay."""
    if isinstance(table, str):
        return table.translate(CIPHER)
    if isinstance(table, list):
        return [encipher(each) for each in table]
    if isinstance(table, dict):
        return {encipher(key) if name in TIMED else key: encipher(each, key) for key, each in table.items()}
    return table


@pytest.fixture(scope="module")
def english():
    return read_language("english")


@pytest.fixture(scope="module")
def secret():
    words = tomllib.loads((ROOM / "english.toml").read_text(encoding="utf-8"))
    return make_language("secret", {key: encipher(each, key) for key, each in words.items()})


@pytest.mark.parametrize("name", TEXTS)
def test_a_language_with_other_words_is_read_as_well(name, english, secret, tmp_path):
    """Were a word of English in the code, text and table in cipher would be read otherwise than in clear."""
    clear = draft_rows(read_article(OWN / f"{name}.txt", english), english)
    file = tmp_path / f"{name}.txt"
    file.write_text((OWN / f"{name}.txt").read_text(encoding="utf-8").translate(CIPHER), encoding="utf-8")
    coded = draft_rows(read_article(file, secret), secret)
    kept = ("quantity", "qualifier", "low", "value", "high", "unit", "measure", "since", "as_of", "published")
    assert [[row.cells.get(key) for key in kept] for row in coded] == [
        [row.cells.get(key) for key in kept] for row in clear
    ]
    for key in ("source", "force", "phrase", "speaker"):
        for mine, theirs in zip(clear, coded, strict=True):
            said = str(theirs.cells.get(key, "")).removeprefix("source_")
            assert str(mine.cells.get(key, "")).removeprefix("source_") in (said, said.translate(CIPHER))


@pytest.mark.parametrize("file", READERS, ids=lambda file: file.stem)
def test_nothing_that_is_compared_with_a_text_is_a_word(file):
    """Words stand in tables: what the code compares, looks for or matches by a pattern is a label or a mark."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    keys = {id(each) for node in ast.walk(tree) for each in _list_keys(node)}
    looking = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) or _name_call(node) in SEARCHES]
    literals = [each for node in looking for each in ast.walk(node) if isinstance(each, ast.Constant)]
    words = {
        (each.lineno, word)
        for each in literals
        if isinstance(each.value, str) and id(each) not in keys
        for word in _list_words(each.value)
    }
    assert {each for each in words if each[1] not in LABELS} == set()


def _name_call(node):
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _list_keys(node):
    """Return what names a part of a table: `grammar["joins"]`, `set_of("speech", "verbs")`."""
    if isinstance(node, ast.Subscript):
        return [node.slice]
    return node.args if _name_call(node) == "set_of" else []


def _list_words(text):
    plain = re.sub(r"\\[a-zA-Z]|\(\?[a-zA-Z<!=:>]*|\[[^\]]*\]|\{[^}]*\}", " ", text)
    return re.findall(r"[^\W\d_]+(?:_[a-z]+)*", plain)
