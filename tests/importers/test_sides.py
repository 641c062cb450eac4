"""Tables with a column for each side of a war are read by a map, and guessed, as articles and trackers have them."""

from __future__ import annotations

import pytest

from sim.case.folder import read_case
from sim.errors import InputError
from sim.importers import import_any

NAMED = """Source,As of,Northland killed,Northland wounded,Southland killed,Southland POW[2],Children killed
Army,1 May 2024,"2,500+",~5000,310,20,7
Ministry,2 May 2024,2600,,320,"2,037,8",8
"""
TRACKER = """timestamp,day,north_military_killed,north_total_killed,south_killed,other_killed,source
2024-05-01T18:00:00Z,1,,700,3,4,Radio
2024-05-02T18:00:00Z,2,150,,4,5,Red Crescent
"""
ACROSS = """,Northland[a],Southland and allies,Total
Killed,"2,906","3,825","6,731"
Prisoners of war,14,60+,74+
"""
BATTLES = """Battle,Date,North casualties,South casualties,Victor
Bridge,21 July 2024,"1,982[3]","2,896",North
Ford,1–3 August 2024,"2,300–2,800","2,304[5]",South
"""
TWO_HEADS = """As of,Northland[1],,Southland,
,Killed,Wounded,Killed,Wounded
1 May 2024,"2,500+",5000,310,
"""
TOLD = """Battle,Date,Casualties of the north,Casualties of the south
Bridge,3 May 2024,"212 killed, 700 wounded","300+ killed, ~45 captured"
Ford,9 May 2024,10 killed,unknown
"""


def bring(folder, text, chosen=None, as_of=None):
    """Import a table; return its claims as (force, quantity, qualifier, number), and its case."""
    (folder / "table.csv").write_text(text, encoding="utf-8")
    case = read_case(import_any(folder / "table.csv", folder / "case", chosen, as_of=as_of))
    rows = [(each.force, each.quantity, each.qualifier, each.value or (each.low, each.high)) for each in case.claims]
    return rows, case


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            NAMED,
            [
                ("northland", "killed", "at_least", 2500), ("northland", "wounded", "about", 5000),
                ("southland", "killed", "about", 310), ("southland", "captured", "about", 20),
                ("northland", "killed", "about", 2600), ("southland", "killed", "about", 320),
            ],
        ),
        (
            TRACKER,
            [
                ("north", "killed", "about", 700), ("south", "killed", "about", 3),
                ("north_military", "killed", "about", 150), ("south", "killed", "about", 4),
            ],
        ),
        (
            BATTLES,
            [
                ("north", "casualties", "counted", 4532), ("south", "casualties", "counted", 5200),
            ],
        ),
        (
            TWO_HEADS,
            [
                ("northland", "killed", "at_least", 2500), ("northland", "wounded", "about", 5000),
                ("southland", "killed", "about", 310),
            ],
        ),
    ],
)  # fmt: skip
def test_columns_of_sides_are_guessed_and_the_map_reads_them_again(text, expected, tmp_path):
    """Children are a part, and others a rest: neither is a side. What is no number is left out."""
    rows, case = bring(tmp_path, text)
    assert rows == expected
    again = import_any(tmp_path / "table.csv", tmp_path / "again", str(tmp_path / "case" / "map.toml"))
    assert read_case(again).claims == case.claims


def test_a_row_for_each_quantity_and_a_column_for_each_side(tmp_path):
    rows, case = bring(tmp_path, ACROSS, as_of="2024-05-31")
    assert rows == [
        ("northland", "killed", "about", 2906),
        ("southland_and_allies", "killed", "about", 3825),
        ("northland", "captured", "about", 14),
        ("southland_and_allies", "captured", "at_least", 60),
    ]
    assert [force.label for force in case.file.forces.values()] == ["Northland", "Southland and allies"]


def test_what_a_cell_counts_may_be_said_in_it(tmp_path):
    file = tmp_path / "map.toml"
    file.write_text(
        'within = ["quantity"]\n[columns]\nas_of = "Date"\n[wide.north]\n"*" = "Casualties of the north"\n'
        '[wide.south]\n"*" = "Casualties of the south"\n'
        '[values.quantity]\nkilled = "killed"\nwounded = "wounded"\ncaptured = "captured"\n'
    )
    assert bring(tmp_path, TOLD, str(file))[0] == [
        ("north", "killed", "about", 212),
        ("north", "wounded", "about", 700),
        ("south", "killed", "at_least", 300),
        ("south", "captured", "about", 45),
        ("north", "killed", "about", 10),
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[wide.North]\nkilled = "n"', "'North.killed' is neither killed, nor north.killed or north.*"),
        ('[wide.north]\nkilled = "m"', "'m' is no column of table.csv; use when, n"),
        ('[wide]\nkilled = "n"\nwounded = "m"', "the map, wide.wounded: 'm' is no column of table.csv"),
    ],
)
def test_a_column_of_a_side_that_is_not_there_is_refused(table, problem, tmp_path):
    """A misspelt column would else leave out what it counts without a word."""
    (tmp_path / "map.toml").write_text(f'[columns]\nas_of = "when"\n{table}\n')
    with pytest.raises(InputError) as caught:
        bring(tmp_path, "when,n\n2024-05-01,5\n", str(tmp_path / "map.toml"))
    assert problem in str(caught.value)
    assert not (tmp_path / "case").exists()


def test_soldiers_and_civilians_told_apart_are_not_taken_for_the_whole(tmp_path):
    both = "Country,Military deaths,Civilian deaths{}\nNorth,30300,700{}\n"
    with pytest.raises(InputError, match="names no column of a number"):
        bring(tmp_path, both.format("", ""), as_of="2024-05-31")
    rows, _ = bring(tmp_path, both.format(",Total deaths", ",31000"), as_of="2024-05-31")
    assert rows == [("north", "killed", "about", 31000)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # what fell on a day beside the running count
            "report_date,report_source,killed,killed_cum,killed_children_cum,injured_cum\n"
            "2024-05-01,Office,232,232,9,1610\n2024-05-02,Office,138,370,20,1788\n",
            [("unknown", "killed", "about", 232), ("unknown", "wounded", "about", 1610),
             ("unknown", "killed", "about", 370), ("unknown", "wounded", "about", 1788)],
        ),
        (  # wars, which have names too
            "Name,MilFatalities,TotalFatalities,Date\nA war,,100000,2024-05-01\n",
            [("unknown", "killed", "about", 100_000)],
        ),
        (  # a year
            "Entity,Code,Year,Deaths in armed conflicts\nNorth,NOR,2020,836\nNorth,NOR,2021,375\n",
            [("north", "killed", "about", 836), ("north", "killed", "about", 375)],
        ),
        (  # quantities in words of their own
            "Date,Country,Category,Count\n2024-05-01,North,Injured,30\n2024-05-01,North,Tanks,3\n",
            [("north", "wounded", "about", 30), ("north", "tanks", "about", 3)],
        ),
        (  # what a spreadsheet makes of a long number
            "start,end,country,killed\n2024-05-01,2024-05-03,North,2.00E+05\n",
            [("north", "killed", "about", 200_000)],
        ),
    ],
)  # fmt: skip
def test_columns_that_look_like_others_are_told_apart(text, expected, tmp_path):
    rows, case = bring(tmp_path, text)
    assert rows == expected
    spans = {"end": ("2024-05-01", "2024-05-03"), "Year": ("2020-01-01", "2020-12-31")}
    for name, span in spans.items():
        if name in text.splitlines()[0].split(","):
            assert (case.claims[0].measure, str(case.claims[0].since), str(case.claims[0].as_of)) == ("interval", *span)


def test_a_list_of_names_without_days_says_what_it_lacks(tmp_path):
    with pytest.raises(InputError, match="no row has a day: say --as-of 2024-05-31"):
        bring(tmp_path, "Name,Rank\nA,Sgt\nB,Pvt\n")
