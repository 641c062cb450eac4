"""The code of `truetoll draft` knows no language: what it knows of one stands in its table, and a second is a file."""

from __future__ import annotations

import ast
import datetime as dt
import re
import string
import tomllib
from pathlib import Path

import pytest
from draft_score import OWN, score_all
from drafts import say_row

import sim.draft
from sim.draft.articles import Article, read_article
from sim.draft.drafting import draft_rows
from sim.draft.grammar.language import list_languages, make_language, read_language
from sim.errors import InputError

ROOM = Path(sim.draft.__file__).parent
READERS = [*sorted((ROOM / "grammar").glob("*.py")), *(ROOM / f"{name}.py" for name in ("dating", "heads", "phrasing"))]
TEXTS = sorted(path.stem for path in OWN.glob("*.txt") if not path.stem.startswith("german"))
# The contract's own words and those by which the code names its kinds; none of them is looked for in a text.
LABELS = {
    "toml", "killed", "wounded", "captured", "missing", "casualties", "losses", "deployed", "about", "exact", "range",
    "at_least", "at_most", "person", "named", "outcome", "equipment", "bare", "foreign", "dated", "onward", "upto",
    "span", "stock", "interval", "past",
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
    "parts",
    "lengths",
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


def _list_keys_of(table, name=""):
    """Return the keys of a table that the code asks for; those of its words are its own."""
    out = set()
    for key, each in table.items():
        if key in ("countries", "institutions"):
            continue
        out.add(f"{name}.{key}")
        if isinstance(each, dict) and key not in TIMED:
            out |= _list_keys_of(each, f"{name}.{key}")
    return out


@pytest.mark.parametrize("name", list_languages())
def test_every_table_has_the_same_keys(name):
    english = _list_keys_of(read_language("english").words)
    assert _list_keys_of(read_language(name).words) == english


@pytest.mark.parametrize("name", list_languages())
def test_a_word_stands_for_one_outcome(name):
    words = [word for each in read_language(name).words["outcomes"].values() for word in each]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Zwischen 10.000 und 12.000 Soldaten wurden getötet.", ["killed range 10000 12000"]),
        ("Siebenundzwanzig Soldaten starben.", ["killed exact 27"]),
        ("Zweihundertsechs Soldaten starben.", ["killed exact 206"]),
        ("Mehr als 1,2 Millionen Soldaten wurden verwundet.", ["wounded at_least 1.2e+06"]),
        ("Ein halbes Dutzend Soldaten wurde verletzt.", ["wounded exact 6"]),
        ("Dutzende Soldaten sind gefallen.", ["killed range 20 90"]),
        ("Es gab 14 Tote und 31 Verletzte.", ["killed exact 14", "wounded exact 31"]),
        ("Die Zahl der Toten stieg von 12 auf 17.", ["killed exact 17"]),
        ("Der Angriff tötete 14 Soldaten und verletzte 31.", ["killed exact 14", "wounded exact 31"]),
        ("Die Armee verlor zwölf Panzer und zwei Hubschrauber.", ["tanks exact 12", "helicopters exact 2"]),
        ("Soldaten der 47. Brigade kämpften am 3. Mai bei der Höhe 112.", []),
    ],
)
def test_german_is_read_by_its_table(text, rows):
    german = read_language("german")
    drafts = draft_rows(Article("x.txt", text, published=dt.date(2025, 1, 15)), german)
    assert [say_row(draft.cells) for draft in drafts] == rows


@pytest.mark.parametrize(
    ("text", "source", "as_of"),
    [
        ("Am Dienstag teilte die Armee mit, dass 14 Soldaten gefallen seien.", "armee", dt.date(2025, 1, 14)),
        ("Dem Ministerium zufolge starben bis zum 3. Januar 14 Soldaten.", "ministerium", dt.date(2025, 1, 3)),
        ("Bis zum 3.1.2025 haben Forscher 14 Gefallene erfasst.", "forscher", dt.date(2025, 1, 3)),
        ("14 Soldaten starben, wie die Luftwaffe mitteilte.", "luftwaff", None),
        ("14 Soldaten starben. Das teilte die Polizei mit.", "polizei", None),
    ],
)
def test_who_says_so_in_german_may_stand_behind_the_verb(text, source, as_of):
    (draft,) = draft_rows(Article("x.txt", text, published=dt.date(2025, 1, 15)), read_language("german"))
    assert (draft.cells["source"], draft.cells.get("as_of")) == (source, as_of)


def test_the_german_texts_are_read_as_promised():
    score = score_all()["german"]
    assert score.gold >= 50
    assert min(score.found / score.gold, score.qualifier / score.found, score.quantity / score.found) >= 0.9


@pytest.mark.parametrize("path", sorted(OWN.glob("*.txt")), ids=lambda path: path.stem)
def test_the_language_is_told_by_the_commonest_words(path):
    assert read_article(path).language == ("german" if path.stem.startswith("german") else "english")


FRENCH = """Le ministère de la Défense a annoncé mardi que quatorze soldats ont été tués et trente blessés
dans une attaque contre une caserne. Selon les autorités, les pertes depuis le début sont de 4 850 hommes."""


def test_a_text_of_no_known_language_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(FRENCH, encoding="utf-8")
    with pytest.raises(InputError, match="neither English nor German; give --language"):
        read_article(tmp_path / "a.txt")
    assert read_article(tmp_path / "a.txt", read_language("english")).language == "english"
