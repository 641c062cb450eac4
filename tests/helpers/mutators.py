"""Breaking files: bytes, words, rows and trees of valid inputs, with values that have broken programs before."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import lzma
import random
import re
import tomllib
import zipfile
import zlib
from typing import Any

NASTY: tuple[str, ...] = (
    "", "0", "-0", "-1", "1e400", "-1e400", "1e300", "1e308", "1e-320", "nan", "inf", "-inf", "NaN", "Infinity",
    "9" * 400, "9" * 5_000, "0x10", "1_000", "1,5", "3 000", "\uff11\uff12", "\u0661\u0662", "33%", "1/2", "true",
    "None", "null", "9**9**9", "(" * 500, "1" + "+1" * 600, "-" * 400 + "1", "2**" * 60 + "1",
    "__import__('os')", "exp", "log(0)",
    "0001-01-01", "9999-12-31", "2024-02-30", "31.03.2024", "3/31/24", "45382", "2024-W01-1", "2024-03-31T00:00:00Z",
    "2024-03-31", "\x00", "\x1b[2J\x1b]0;x\x07", "\x9b31m", "\u202e\u2066abc", "\u200f", "\u2028", "\x85", "\ufeff",
    "\ud800",
    "../../x", "/etc/passwd", "a/b", "C:\\x", "..", ".", "-rf", "CON", "x" * 300, "y" * 140_000, "é" * 70, "\U0001f4a3",
    "=1+1", "@SUM(A1)", "'", '"', '"""', "\\", "\\u0000", ";", "\t", "\r", "\n", "\r\n", ",", ",,,,", "{", "}", "[",
    "]", "[[[[", "{{7*7}}", "{% x %}", "#", "$(id)", "%s%n", "<script>", "&#0;", "own", "killed", "deployed",
    "standing", "range", "at_least", "share", "interval", "dprk", "standing.killed", "dist", "fixed", "Normal",
    "casualties",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9_.+-]+|\"[^\"\n]*\"|[^\sA-Za-z0-9]")
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, -(2**63), 10**400, 0.0, -0.0, 1e308, 1e-308, -1e100, 0.5, 1e16, float("nan"),
    float("inf"), "", "x", [], {}, [[]], [0], [1, 0], [None], {"a": 1}, {"": {}}, [[[[[[]]]]]],
)  # fmt: skip


# Short pieces that programs look for: many times over, they show what takes time with the square of a length.
PIECES: tuple[str, ...] = (
    "9", "1,", "1.", "1 ", "(est", "(", "[", '"', "'", " ", "\t", "a ", "A-", "A ", "to ", "- ", "-", "+", "\u00a0",
    "é", "<!---->", "<c ", "<f ", '<c r="A1" ', "<p>", "a\n", "A\n", "a:\n", "A. ", "Mr. ", "5/", "5 killed ", "[[",
)  # fmt: skip


def mutate_length(content: bytes, rng: random.Random) -> bytes:
    """Put a short piece, many times over, in the place of a word."""
    text = content.decode("utf-8", "surrogateescape")
    words = list(_WORD.finditer(text))
    piece = rng.choice(PIECES)
    long = piece * (rng.choice((300, 20_000, 100_000)) // len(piece)) + rng.choice(("", "!"))
    found = rng.choice(words) if words and rng.random() < 0.9 else None
    start, end = found.span() if found else (0, 0)
    return f"{text[:start]}{long}{text[end:]}".encode("utf-8", "surrogateescape")


def mutate(content: bytes, rng: random.Random, suffix: str) -> bytes:
    """Return content broken in one way or a few; `suffix` says what it is, such as .toml."""
    if suffix in (".toml", ".csv", ".json", ".txt", ".html", ".j2") and rng.random() < 0.03:
        return mutate_length(content, rng)
    if suffix == ".j2":
        return mutate_template(content, rng)
    if suffix == ".jsonl":
        return rng.choice((mutate_bytes, mutate_words, mutate_line))(content, rng)
    if suffix in (".xlsx", ".ods"):
        return rng.choice((mutate_bytes, mutate_parts, mutate_parts, mutate_parts))(content, rng)
    if suffix in (".html", ".txt", ".pdf"):
        for _ in range(rng.choice((1, 1, 2, 5))):
            content = rng.choice((mutate_bytes, mutate_words, mutate_words))(content, rng)
        return content
    if suffix not in (".toml", ".csv", ".json"):
        return mutate_bytes(content, rng)
    shaped = {".toml": mutate_toml, ".csv": mutate_csv, ".json": mutate_json}[suffix]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        content = rng.choice((mutate_bytes, mutate_words, shaped, shaped))(content, rng)
    return content


# What a template might try, in Jinja's language and in typst's.
HOSTILE: tuple[str, ...] = (
    "{{ 9 ** 9 ** 9 }}", "{{ 'x' * 10 ** 10 }}", "{{ figures.__class__.__mro__ }}", "{{ memo | attr('__init__') }}",
    "{% for a in range(99999) %}{{ a }}{% endfor %}", "{% include '/etc/passwd' %}", "{% include '../x' %}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(0) }}", "{{ memo.sections.append(1) }}", "{{ cycler.__init__ }}",
    "{{ '%s' | format(memo) }}", "{{ '{0.__class__}'.format(memo) }}", "{% import 'x' as x %}", "{{ self }}",
    "{{ " + "(" * 300 + ")" * 300 + " }}", '#read("/etc/passwd")', '#import "@preview/cetz:0.3.4"',
    '#image("../x.png")', "#let f(n) = f(n + 1)\n#f(0)", '#("x" * 1000000000000)', "#panic()", '#include "memo.typ"',
    "\ufffe", "{{", "{%", "#{",
)  # fmt: skip


def mutate_template(content: bytes, rng: random.Random) -> bytes:
    """Put what a stranger might try somewhere between the lines of a template, or break its words."""
    if rng.random() < 0.2:
        return mutate_words(content, rng)
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(HOSTILE) + "\n")
    return "".join(lines).encode("utf-8", "replace")


def mutate_line(content: bytes, rng: random.Random) -> bytes:
    """Change a value in one of the lines of JSON."""
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    lines[place] = mutate_json(lines[place], rng).replace(b"\n", b" ")
    return b"\n".join(lines)


def mutate_parts(content: bytes, rng: random.Random) -> bytes:
    """Change, drop, add or rename a part of a zip, and zip it again; what is no zip has its bytes changed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {info.filename: archive.read(info) for info in archive.infolist() if info.file_size < 1_000_000}
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ):
        return mutate_bytes(content, rng)
    name = rng.choice([*parts, "new.xml"])
    match rng.randrange(12):
        case 0:
            parts.pop(name, None)
        case 1:
            other = ("xl/vbaProject.bin", "content.xml", "xl/workbook.xml", "../../x", "xl/externalLinks/a.xml")
            parts[rng.choice((*other, *parts))] = parts.get(name, b"")
        case 2:
            parts[name] = b" " * rng.choice((1, 100_000, 5_000_000))
        case 3:
            far = rng.choice((b'r="XFD1048576"', b"r='XFD1048576'", b'r = "xfd999999"', b'r="ZZ600000"'))
            parts = {each: re.sub(rb'\br="[A-Z]+\d+"', far, content, count=1) for each, content in parts.items()}
        case _:
            parts[name] = rng.choice((mutate_bytes, mutate_words, mutate_length))(parts.get(name, b""), rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((8, 8, 8, 8, 0, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))) as archive:
        for part, said in parts.items():
            archive.writestr(part, said)
    return out.getvalue()


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert or move bytes."""
    raw = bytearray(content)
    first, last = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
    last = min(last, first + 200)
    match rng.randrange(8):
        case 0:
            for _ in range(rng.choice((1, 1, 4, 30))):
                if raw:
                    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        case 1:
            del raw[first:last]
        case 2:
            raw[first:first] = raw[first:last] * rng.choice((1, 2, 50))
        case 3:
            raw[first:first] = rng.randbytes(rng.choice((1, 2, 8)))
        case 4:
            place = rng.randrange(len(raw) + 1)
            raw[place:place] = raw[first:last]
        case 5:
            del raw[first:]
        case 6:
            raw[first:first] = rng.choice(NASTY).encode("utf-8", "surrogatepass")
        case _:
            raw = bytearray(_recode(bytes(raw), rng))
    return bytes(raw)


def _recode(content: bytes, rng: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    match rng.randrange(6):
        case 0:
            return b"\xef\xbb\xbf" + content
        case 1:
            return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "cp1252")), "replace")
        case 2:
            return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        case 3:
            return content.replace(b"\n", b"\r")
        case 4:
            return content.replace(b",", b";")
        case _:
            return content.replace(b".", b",")


def mutate_words(content: bytes, rng: random.Random) -> bytes:
    """Put another word of the file, or a nasty one, in the place of words."""
    text = content.decode("utf-8", "surrogateescape")
    words = list(_WORD.finditer(text))
    chosen = rng.sample(words, min(len(words), rng.choice((1, 1, 2, 5))))
    for found in sorted(chosen, key=lambda each: each.start(), reverse=True):
        other = rng.choice(NASTY) if rng.random() < 0.7 else rng.choice(words)[0]
        text = text[: found.start()] + other + text[found.end() :]
    return text.encode("utf-8", "surrogatepass" if "\ud800" in text else "surrogateescape")


def mutate_csv(content: bytes, rng: random.Random) -> bytes:
    """Change cells, rows and columns."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except (ValueError, csv.Error):
        return mutate_bytes(content, rng)
    if not rows:
        return mutate_bytes(content, rng)
    row = rng.choice(rows)
    column = rng.randrange(max(map(len, rows)) or 1)
    match rng.randrange(7):
        case 0 | 1 | 2:
            if row:
                row[rng.randrange(len(row))] = rng.choice(NASTY)
        case 3:
            others = [other[column] for other in rows[1:] if column < len(other)]
            for each in rows[1:]:
                if column < len(each):
                    each[column] = rng.choice([*others, rng.choice(NASTY)])
        case 4:
            rows.insert(rng.randrange(len(rows) + 1), list(rng.choice(rows)))
        case 5:
            for each in rows:
                del each[column : column + 1]
        case _:
            rows.remove(row)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))).writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """Change a value somewhere in the tree."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return mutate_bytes(content, rng)
    text = json.dumps(_change_tree(tree, rng))
    if rng.random() < 0.02:
        text = text.replace("[", "[" * rng.choice((2, 40, 20_000)), 1)
    return text.encode()


def mutate_toml(content: bytes, rng: random.Random) -> bytes:
    """Change a value somewhere in the tree, and write it with all tables in line."""
    try:
        tree = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return mutate_words(content, rng)
    changed = _change_tree(tree, rng)
    if not isinstance(changed, dict):
        return mutate_words(content, rng)
    return "".join(f"{_quote(key)} = {_dump(value)}\n" for key, value in changed.items()).encode("utf-8", "replace")


def _change_tree(tree: Any, rng: random.Random) -> Any:
    """Walk down at random, and change what is found there."""
    if isinstance(tree, dict | list) and tree and rng.random() < 0.85:
        key = rng.choice(list(tree)) if isinstance(tree, dict) else rng.randrange(len(tree))
        match rng.randrange(12):
            case 0:
                del tree[key]
            case 1 if isinstance(tree, list):
                tree.extend([tree[key]] * rng.choice((1, 3, 400)))
            case 1:
                tree[rng.choice(NASTY)] = tree[key]
            case _:
                tree[key] = _change_tree(tree[key], rng)
        return tree
    if isinstance(tree, int | float) and not isinstance(tree, bool) and abs(tree) < 1e18 and rng.random() < 0.7:
        return rng.choice((-tree, tree * 1e9, tree / 1e9, tree * 2, tree / 2, tree + 1, int(tree), 0, str(tree)))
    return rng.choice(
        (rng.choice(_VALUES), rng.choice(NASTY), dt.date(rng.choice((1, 2024, 9999)), 12, 31).isoformat())
    )


def _quote(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")


def _dump(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{ " + ", ".join(f"{_quote(key)} = {_dump(each)}" for key, each in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_dump, value)) + "]"
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return value
        case str():
            return _quote(value)
        case None:
            return '""'
        case _:
            return str(value)
