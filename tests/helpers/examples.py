"""Small cases of every kind, as the files that a user would write."""

from __future__ import annotations

HEAD = (
    "id,source,force,quantity,published,as_of,since,measure,qualifier,low,value,high,unit,of,digits,log_sd,part,"
    "statement,replaces,origin,phrase,note,exclude"
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

OPEN = UNBOUNDED.replace("end = 2024-03-31\n", "")  # a war that goes on

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

# The same with an ally of the adversary's, who can be read as the adversary.
ALLY = CASE.replace("[sources.own]", '[sources.ally]\nrole = "ally_of_adversary"\n[sources.own]')
ALLY_ROWS: list[Row] = [
    {"value": 300, "as_of": "2024-02-01"},
    {"qualifier": "at_least", "value": 900, "source": "foe", "quantity": "casualties"},
    {"qualifier": "range", "low": 4000, "high": 6000, "quantity": "deployed", "source": "ally", "measure": "stock"},
    {"value": 250, "source": "ally"},
    {"value": 700, "source": "mixed", "quantity": "wounded"},
    {"id": "quiet", "source": "foe", "quantity": "losses", "exclude": "enters as a lull"},
]

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

# What is said of a strike on the day, then later by others and by the same, and by somebody who denies it all.
EARLY_ROWS: list[Row] = [
    {"value": 14, "as_of": "2024-01-01", "published": "2024-01-01"},
    {"value": 20, "as_of": "2024-01-01", "published": "2024-01-02"},
    {"value": 31, "as_of": "2024-01-01", "published": "2024-01-09", "qualifier": "at_least"},
    {"value": 12, "as_of": "2024-01-01", "published": "2024-01-01", "source": "foe", "qualifier": "exact"},
    {"value": 0, "as_of": "2024-01-01", "published": "2024-01-01", "source": "press", "qualifier": "exact"},
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

# Series of every kind: running totals that grow, stand still, fall and are told twice of a day, with a zero among them;
# counts of days; a list of names; ranges and bounds; a statement that later ones leave behind; a role of two readings.
SERIES_ROWS: list[Row] = [
    {"value": 100, "as_of": "2024-01-20"},
    {"value": 160, "as_of": "2024-02-01", "statement": "s"},
    {"value": 400, "as_of": "2024-02-01", "statement": "s", "quantity": "wounded"},
    {"qualifier": "exact", "value": 0, "as_of": "2024-02-04"},
    {"value": 160, "as_of": "2024-02-10"},
    {"qualifier": "exact", "value": 149, "as_of": "2024-02-12"},
    {"qualifier": "range", "low": 200, "high": 260, "as_of": "2024-03-01"},
    {"qualifier": "exact", "value": 251, "as_of": "2024-03-01", "log_sd": 0.1, "published": "2024-04-02"},
    {"qualifier": "at_least", "value": 270, "as_of": "2024-03-20"},
    {"qualifier": "exact", "value": 290, "as_of": "2024-03-31", "statement": "t"},
    {"qualifier": "exact", "value": 610, "as_of": "2024-03-31", "statement": "t", "quantity": "wounded"},
    {"qualifier": "exact", "value": 0, "as_of": "2024-03-31", "quantity": "captured", "source": "foe"},
    {"value": 12, "as_of": "2024-02-01", "quantity": "captured", "source": "foe"},
    *(
        {"source": "foe", "value": value, "measure": "interval"}
        | {"since": f"2024-02-{day:02}", "as_of": f"2024-02-{day + 2:02}"}
        for day, value in ((1, 20), (4, 9), (7, 0), (10, 31))
    ),
    *(
        {"source": "mixed", "qualifier": "counted", "value": value, "as_of": f"2024-0{month}-11"}
        for month, value in ((1, 17), (2, 64), (3, 118))
    ),
    *({"source": "mixed", "value": value, "as_of": f"2024-0{month}-15"} for month, value in ((2, 150), (3, 200))),
    {"qualifier": "about", "value": 900, "quantity": "casualties", "source": "foe", "as_of": "2024-03-01"},
    {"qualifier": "at_most", "value": 1100, "quantity": "casualties", "source": "foe", "as_of": "2024-03-21"},
]  # fmt: skip

# Single days, told by several sources, besides running totals; some of a total.
DAY_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    *(
        {"force": "a", "source": source, "value": value, "measure": "interval", "since": day, "as_of": day,
         "published": max(day, "2024-03-31")}
        for source, value, day in (
            ("own", 40, "2024-02-09"), ("foe", 70, "2024-02-09"), ("mixed", 50, "2024-02-09"),
            ("own", 0, "2024-02-10"), ("foe", 9, "2024-03-02"),
        )
    ),
    {"force": "b", "source": "foe", "value": 30, "measure": "interval", "since": "2024-01-05", "as_of": "2024-01-09"},
    {"force": "a", "source": "foe", "quantity": "casualties", "value": 100, "measure": "interval",
     "since": "2024-02-08", "as_of": "2024-02-09"},
]  # fmt: skip

# Every day of February, and then a few of March.
CALENDAR_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    *(
        {"force": "b", "source": "own", "value": (7 * day) % 5, "measure": "interval", "since": date, "as_of": date}
        for day, date in enumerate([*(f"2024-02-{n:02}" for n in range(1, 30)), "2024-03-10", "2024-03-12"])
    ),
]  # fmt: skip

# Numbers of single places, of which two of one source are of the same day.
PLACE_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    {"force": "b", "source": "own", "value": 12, "as_of": "2024-02-20", "part": "hospital", "qualifier": "exact"},
    {"force": "b", "source": "foe", "value": 8, "as_of": "2024-03-03", "since": "2024-03-01", "measure": "interval",
     "part": "north"},
    {"force": "b", "source": "foe", "value": 5, "as_of": "2024-03-03", "since": "2024-03-01", "measure": "interval",
     "part": "south", "qualifier": "counted"},
]  # fmt: skip

# What was lost for each one of another force, or of another outcome of the same, so far and on some days; who makes the
# claim may have two roles towards the force that it is of.
RATIO_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    {"force": "a", "source": "mixed", "value": 3, "unit": "ratio", "of": "b.killed"},
    {"force": "a", "source": "foe", "value": 5.5, "unit": "ratio", "of": "b.killed", "as_of": "2024-02-20"},
    {"force": "b", "source": "own", "value": 2, "digits": 2, "unit": "ratio", "of": "a.casualties"},
    {"force": "a", "source": "own", "qualifier": "at_least", "value": 2, "unit": "ratio", "of": "b.killed"},
    {"force": "b", "source": "foe", "qualifier": "at_most", "value": 0.5, "unit": "ratio", "of": "a.killed",
     "measure": "interval", "since": "2024-02-20", "as_of": "2024-03-05"},
    {"force": "a", "source": "mixed", "qualifier": "range", "low": 0.2, "high": 0.4, "unit": "ratio", "of": "wounded",
     "log_sd": 0.1},
    {"force": "a", "source": "mixed", "qualifier": "exact", "value": 4, "quantity": "wounded", "unit": "ratio",
     "of": "a.killed", "as_of": "2024-02-11"},
    {"force": "a", "source": "foe", "value": 10, "quantity": "deployed", "measure": "stock", "unit": "ratio",
     "of": "b.deployed"},
]  # fmt: skip

# Shares of so many as there were: counts, each as round as its share; in a statement, of days, and of none.
KNOWN_ROWS: list[Row] = [
    *UNBOUNDED_ROWS,
    *(
        {"force": "a", "quantity": "tanks", "unit": "share", "of": "60", "as_of": "2024-03-20"} | said
        for said in (
            {"source": "own", "value": 0.3, "digits": 1},
            {"source": "foe", "value": 0.333},
            {"source": "foe", "value": 0.5, "as_of": "2024-03-28", "qualifier": "at_least"},
            {"source": "mixed", "qualifier": "range", "low": 0, "high": 0.5, "log_sd": 0.2},
            {"source": "mixed", "value": 1, "as_of": "2024-03-29"},
            {"source": "own", "value": 0, "measure": "interval", "since": "2024-03-01", "as_of": "2024-03-02"},
        )
    ),
    {"force": "b", "source": "foe", "unit": "share", "of": "1200.0", "value": 0.25, "statement": "u"},
    {"force": "a", "source": "foe", "unit": "share", "of": "1e4", "value": 0.05, "statement": "u", "digits": 1,
     "qualifier": "counted"},
    {"force": "a", "source": "own", "quantity": "casualties", "value": 0.25, "unit": "share", "of": "8000",
     "statement": "v"},
    {"force": "a", "source": "own", "value": 0.2, "digits": 2, "unit": "share", "of": "2000", "statement": "v"},
]  # fmt: skip

# Nobody speaks of force b after some days of January, though its war ends in March.
SILENT_ROWS: list[Row] = [
    *(row for row in UNBOUNDED_ROWS if row["force"] == "a"),
    {"force": "b", "source": "foe", "value": 30, "as_of": "2024-01-10"},
    {"force": "b", "source": "own", "value": 50, "as_of": "2024-01-12", "qualifier": "exact"},
    {"force": "b", "source": "mixed", "value": 44, "as_of": "2024-01-12"},
]

TWO_WAVES = CASE.replace(
    "log_sd = 0.5 }]",
    'log_sd = 0.5 }, { name = "b", from = 2024-02-05, to = 2024-02-25, median = 2000, log_sd = 0.3 }]',
)
WAVE_DAYS: list[Row] = [
    {"value": value, "source": source, "quantity": quantity, "measure": "interval", "since": since, "as_of": until}
    for value, source, quantity, since, until in (
        (30, "own", "killed", "2024-01-03", "2024-01-03"), (200, "foe", "captured", "2024-01-05", "2024-01-06"),
        (25, "foe", "killed", "2024-02-10", "2024-02-10"), (90, "foe", "casualties", "2024-02-10", "2024-02-11"),
    )
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
