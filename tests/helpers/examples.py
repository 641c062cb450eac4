"""Small cases of every kind, as the files that a user would write."""

from __future__ import annotations

HEAD = (
    "id,source,force,quantity,published,as_of,since,measure,qualifier,low,value,high,unit,of,digits,log_sd,statement,"
    "replaces,origin,phrase,note,exclude"
)

CASE = """
schema = 1
start = 2024-01-01
end = 2024-03-31
as_of = 2024-03-31
[forces.x]
outcomes = ["killed", "wounded", "captured"]
bounded = true
waves = [{ name = "a", from = 2024-01-01, to = 2024-01-20, median = 5000, log_sd = 0.5 }]
[sources.own]
role = "own"
[sources.foe]
role = "adversary"
[sources.mixed]
role = ["own", "independent"]
[[derived]]
name = "rate"
expr = "losses / deployed"
unit = "share"
[[thresholds]]
quantity = "killed"
above = 100
"""

UNBOUNDED = """
schema = 1
start = 2024-01-01
end = 2024-03-31
[forces.a]
outcomes = ["killed", "wounded", "tanks"]
lulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]
[forces.b]
outcomes = ["killed"]
[sources.own]
role = { a = "own", b = "adversary" }
[sources.foe]
role = { a = "adversary", b = "own" }
[sources.mixed]
role = { a = ["own", "independent"], b = "independent" }
"""

ONE_DAY = """
schema = 1
start = 2024-01-01
end = 2024-01-01
[forces.x]
outcomes = ["killed"]
[sources.own]
role = "own"
[sources.foe]
role = "adversary"
"""

Row = dict[str, object]


def format_claims(rows: list[Row], extra: str = "") -> str:
    """Return the text of a claims file with every column that the tests use."""
    columns = HEAD.split(",") + ([extra] if extra else [])
    lines = [",".join(columns)]
    for number, row in enumerate(rows):
        filled = {"id": f"c{number}", "source": "own", "quantity": "killed", "published": "2024-03-31", **row}
        lines.append(",".join(str(filled.get(column, "")) for column in columns))
    return "\n".join(lines) + "\n"


RICH_ROWS: list[Row] = [
    {"qualifier": "about", "value": 300, "as_of": "2024-02-01"},
    {"qualifier": "exact", "value": 0, "quantity": "captured", "as_of": "2024-01-10"},
    {"qualifier": "at_least", "value": 900, "quantity": "casualties", "source": "foe"},
    {"qualifier": "at_most", "value": 2000, "quantity": "casualties", "source": "mixed"},
    {"qualifier": "range", "low": 4000, "high": 6000, "quantity": "deployed", "source": "foe", "measure": "stock"},
    {"qualifier": "counted", "value": 120, "source": "mixed", "as_of": "2024-03-01"},
    {"qualifier": "range", "low": 0.2, "high": 0.4, "quantity": "losses", "unit": "share", "source": "foe"},
    {"qualifier": "about", "value": 200, "statement": "s", "source": "foe", "as_of": "2024-02-10"},
    {"value": 700, "quantity": "wounded", "statement": "s", "source": "foe", "as_of": "2024-02-10"},
    {"qualifier": "about", "value": 40, "measure": "interval", "since": "2024-02-01", "as_of": "2024-02-14"},
    {"qualifier": "exact", "value": 412, "log_sd": 0.2, "as_of": "2024-03-15"},
    {"qualifier": "about", "value": 1000, "quantity": "casualties", "statement": "t", "source": "mixed"},
    {"qualifier": "about", "value": 150, "statement": "t", "source": "mixed"},
    {"qualifier": "about", "value": 0.1, "digits": 1, "unit": "share", "of": "casualties", "source": "mixed"},
]  # fmt: skip

UNBOUNDED_ROWS: list[Row] = [
    {"force": "a", "value": 500, "as_of": "2024-02-01"},
    {"force": "a", "value": 1500, "quantity": "casualties", "source": "foe", "qualifier": "at_least"},
    {"force": "a", "value": 12, "quantity": "tanks", "source": "mixed", "qualifier": "exact"},
    {"force": "b", "value": 90, "source": "foe"},
    {"force": "b", "value": 200, "source": "mixed", "statement": "m"},
    {"force": "a", "value": 300, "source": "mixed", "statement": "m"},
    {"force": "a", "quantity": "killed", "id": "quiet", "exclude": "enters as a lull"},
]

ONE_DAY_ROWS: list[Row] = [
    {"value": 14, "as_of": "2024-01-01"},
    {"value": 30, "as_of": "2024-01-01", "source": "foe", "qualifier": "at_most"},
]

# A closed list beside estimates; its own error is wide, or a plain density underflows beside it.
LIST_ROWS: list[Row] = [
    *ONE_DAY_ROWS,
    {"value": 17, "as_of": "2024-01-01", "published": "2025-01-01", "qualifier": "register", "log_sd": 0.5},
]

# One source that speaks often of an outcome whose total is free.
LOUD_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    *(
        {"force": "a", "source": "foe", "quantity": "tanks", "value": 3 * n, "as_of": f"2024-03-{n:02}"}
        for n in range(2, 15)
    ),
]  # fmt: skip

LEARNED = """
schema = 1
name = "learned"
"role.own.losses" = { dist = "Normal", mu = -0.4, sigma = 0.5 }
"noise.own" = { dist = "LogNormal", mu = -1, sigma = 0.4 }
"outlier.source" = { dist = "LogitNormal", mu = -2, sigma = 0.6 }
"wording.at_least" = { dist = "LogNormal", mu = -1, sigma = 0.3 }
[joint]
keys = ["role.own.losses", "noise.own", "outlier.source", "wording.at_least"]
mean = [-0.4, -1, -2, -1]
covariance = [[0.25, 0.1, 0, 0.05], [0.1, 0.16, -0.1, 0], [0, -0.1, 0.36, 0], [0.05, 0, 0, 0.09]]
"""
