"""Sentences as the press writes them, and what a careful reader makes of each number in them."""

from __future__ import annotations

import datetime as dt

import pytest
from drafts import say_row
from hypothesis import given
from hypothesis import strategies as st

from sim.draft.articles import Article
from sim.draft.drafting import draft_rows
from sim.draft.drafts import EXCLUDE
from sim.draft.grammar.language import read_language
from sim.errors import InputError

ENGLISH = read_language()
DAY = dt.date(2025, 1, 15)  # a Wednesday


def read(text, day=DAY):
    """Return the cells of the rows drafted from a text."""
    return [draft.cells for draft in draft_rows(Article("x.txt", text, published=day), ENGLISH)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Between 10,000 and 12,000 soldiers were killed.", ["killed range 10000 12000"]),
        ("10,000-12,000 soldiers were killed.", ["killed range 10000 12000"]),
        ("From 1,000 to 3,000 soldiers died.", ["killed range 1000 3000"]),
        ("Between seven and eight thousand soldiers died.", ["killed range 7000 8000"]),
        ("One-third to 50 percent of the force were killed or wounded.", ["casualties range 0.333 0.5 share"]),
        ("Some 300 soldiers have died.", ["killed about 300"]),
        ("Dozens of soldiers were wounded.", ["wounded range 20 90"]),
        ("Several hundred soldiers were captured.", ["captured range 300 900"]),
        ("An estimated 4,700 soldiers have suffered casualties, including approximately 600 deaths.",
         ["casualties about 4700", "killed about 600"]),
        ("At least five soldiers and two policemen were killed.", ["killed at_least 5", "killed at_least 2"]),
        ("Two army soldiers, a policeman and four fighters have died.",
         ["killed exact 2", "killed exact 1", "killed exact 4"]),
        ("Two trucks and four soldiers were hit.", ["vehicles exact 2"]),
        ("“Five rebels and one soldier” were wounded.", ["wounded exact 5", "wounded exact 1"]),
        ("Another soldier was captured.", ["captured exact 1"]),
        ("Two strikes killed 14 people.", ["killed exact 14"]),
        ("Two gunmen have killed a soldier and wounded nine policemen.", ["killed exact 1", "wounded exact 9"]),
        ("Three civilians and three foreigners were wounded.", ["wounded exact 3", "wounded exact 3"]),
        ("The attack left 14 dead and wounded 31.", ["killed exact 14", "wounded exact 31"]),
        ("Three towns were captured.", []),
        ("Nearly half of those killed were volunteers.", []),
        ("He asked for 40,000 soldiers to be sent.", []),
        ("A fire killed three medics.", ["killed exact 3"]),
        ("A badly wounded soldier was found.", ["wounded exact 1"]),
        ("The war has claimed at least 5,000 soldiers' lives.", ["killed at_least 5000"]),
        ("The brigade saved 300 lives.", []),
        ("Casualties are nearing 500,000 Northern and Southern soldiers.", ["casualties about 500000"]),
        ("The whereabouts of 21 soldiers are unknown.", ["missing exact 21"]),
        ("May had the highest tank losses, totaling 48.", ["tanks exact 48"]),
        ("Losses since the start of the 2022 offensive rose to 6,340 soldiers.", ["losses about 6340"]),
        ("Around 700 soldiers died. The figure is made up of 500 regulars as well as a further 200 volunteers.",
         ["killed about 700", "killed about 500", "killed about 200"]),
        ("Two soldiers were killed and nine, including three officers, were wounded.",
         ["killed exact 2", "wounded exact 9", "wounded exact 3"]),
        ("The toll is 700, with three times as many wounded.", ["killed about 700"]),
        ("If 300 soldiers were killed a day, that would be 40,000 dead.", []),
        ("We have lost 64 men, and 211 were wounded.", ["killed exact 64", "wounded exact 211"]),
        ("They lost 64 men.", ["losses exact 64"]),
        ("Residents saw 40 coffins.", ["killed counted 40"]),
        ("Twenty-seven soldiers died.", ["killed exact 27"]),
        ("Two hundred and six soldiers died.", ["killed exact 206"]),
        ("More than 1.2 million soldiers were wounded.", ["wounded at_least 1.2e+06"]),
        ("14 killed and 30 wounded.", ["killed exact 14", "wounded about 30"]),
        ("Shelling killed 14 soldiers and wounded 31.", ["killed exact 14", "wounded exact 31"]),
        ("Up to 400 soldiers surrendered.", ["captured at_most 400"]),
        ("No fewer than 40 soldiers are missing.", ["missing at_least 40"]),
        ("A dozen soldiers were killed.", ["killed exact 12"]),
        ("Half a dozen soldiers were killed.", ["killed exact 6"]),
        ("About 48 200 soldiers were killed.", ["killed about 48200"]),
        ("About one in four soldiers has been killed.", ["killed about 0.25 share"]),
        ("One soldier was killed.", ["killed exact 1"]),
        ("No soldiers were killed.", ["killed exact 0"]),
        ("The toll rose from 12 to 17.", ["killed exact 17"]),
        ("The death toll could reach 300 or more.", ["killed at_least 300"]),
        ("The government has confirmed 96 deaths.", ["killed counted 96"]),
        ("5/ Their ledger lists 867 dead.", ["killed counted 867"]),
        ("The cemetery has 1,126 new graves.", ["killed counted 1126"]),
        ("Three thousand, perhaps more, are dead.", ["killed at_least 3000"]),
        ("Doctors treated 2,115 war-wounded.", ["wounded exact 2115"]),
        ("It evacuated 3,480 people and recovered the bodies of 97.", ["killed counted 97"]),
        ("The bodies of 431 people were exhumed.", ["killed counted 431"]),
        ("Around 2,000 injured soldiers were repatriated.", ["wounded counted 2000"]),
        ("They sent 3,000 soldiers to the front.", ["deployed about 3000"]),
        ("The army lost 12 tanks and two helicopters.", ["tanks exact 12", "helicopters exact 2"]),
        ("It shot down 31 of 38 drones.", ["drones exact 31"]),
        ("At least 11 people, among them three children, died.", ["killed at_least 11", "killed exact 3"]),
        ("412 aircraft, 233 helicopters and 6,118 tanks have been destroyed.",
         ["aircraft exact 412", "helicopters exact 233", "tanks exact 6118"]),
        ("Some 11,500 personnel were killed and seriously wounded.", ["casualties about 11500"]),
        ("The remains of 512 soldiers were repatriated.", ["killed counted 512"]),
        ("They listed a further 96 names.", ["killed counted 96"]),
        ("He spoke of 4,915 \u201cirrecoverable losses\u201d.", ["losses exact 4915"]),
        ("It recovered two bodies, bringing the death toll to eight.", ["killed counted 2", "killed exact 8"]),
        ("3,377 have been wounded, of whom 2,105 were discharged.", ["wounded exact 3377"]),
        ("At least 2,500 \u2013 3,000 soldiers have died.", ["killed range 2500 3000"]),
        ("The bodies of 38 soldiers and six officers were found.", ["killed counted 38", "killed counted 6"]),
        ("The fatalities could be as high as 73.", ["killed at_most 73"]),
        ("Eleven died. The rest were 14 soldiers and two officers.",
         ["killed exact 11", "killed exact 14", "killed exact 2"]),
        ("Six rebels were gunned down.", ["killed exact 6"]),
        ("Eleven soldiers died. Among them were four officers.", ["killed exact 11", "killed exact 4"]),
        ("3,000 of the 11,000 soldiers sent have been killed or wounded.",
         ["casualties about 3000", "deployed about 11000"]),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_worded(text, rows):
    assert [say_row(cells) for cells in read(text)] == rows


@pytest.mark.parametrize(
    "text",
    [
        "Each soldier is paid $2,000 a month.", "The war began in 2022 and has lasted 1,000 days.",
        "He was killed at the age of 24.", "Soldiers of the 47th Brigade died near Hill 112.",
        "At 18:40 two explosions were heard.",
        "They fired 240mm rockets at a distance of 30 km.", "Workers keep 15 percent of their salaries.",
        "Six villages lost power.",
        "The soldiers were killed on 24 February 2022.", "MiG-17 and Su-25 pilots died.",
        "Dolmar denies that 300 soldiers died.", "On average 165 people are killed a day.",
        "An exchange of 60 prisoners is planned for next week.",
        "Supplies included 12 tanks delivered in May.", "Oil rose 2.4 percent. The price is a record.",
    ],
)  # fmt: skip
def test_what_counts_no_loss_is_left_alone(text):
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "source", "speaker"),
    [
        ("The defence ministry said that 14 soldiers died.", "defence_ministry", ""),
        ("Fourteen soldiers died, according to the Syrian Observatory for Human Rights.", "sohr", ""),
        ("Fourteen soldiers died, Governor Ilan Maru wrote.", "governor", "Ilan Maru"),
        ("“We lost 14 soldiers,” said Ukrainian President Volodymyr Zelensky.", "ukraine", "Volodymyr Zelensky"),
        ("Seth Jones, an analyst at the Center for Strategic and International Studies, said 14 soldiers died.",
         "csis", "Seth Jones"),
        ("The National Intelligence Service (NIS) spoke. The NIS says 14 soldiers died.", "nis", ""),
        ("Qarat's army says 14 soldiers died. Another 20 were wounded, it added.", "qarat_army", ""),
        ("14 soldiers have died.", "unattributed", ""),
    ],
)  # fmt: skip
def test_a_number_is_given_to_who_says_it(text, source, speaker):
    for cells in read(text):
        assert (cells["source"], cells.get("speaker", "")) == (source, speaker)


@pytest.mark.parametrize(
    ("text", "measure", "since", "as_of"),
    [
        ("The army said on Tuesday that 14 soldiers had died.", None, None, dt.date(2025, 1, 14)),
        ("14 soldiers died on Tuesday, the army said.", "interval", dt.date(2025, 1, 14), dt.date(2025, 1, 14)),
        ("14 soldiers died overnight.", "interval", dt.date(2025, 1, 14), dt.date(2025, 1, 14)),
        ("In December, 14 soldiers died.", "interval", dt.date(2024, 12, 1), dt.date(2024, 12, 31)),
        ("By 10 January 14 soldiers had died.", None, None, dt.date(2025, 1, 10)),
        ("Between 3 and 9 January 14 soldiers died.", "interval", dt.date(2025, 1, 3), dt.date(2025, 1, 9)),
        ("Since 1 November 2024 14 soldiers have died.", "interval", dt.date(2024, 11, 1), DAY),
        ("14 soldiers have died since the war began in 2022.", None, None, None),
        ("In the past 24 hours 14 soldiers died.", "interval", dt.date(2025, 1, 14), DAY),
        ("They sent 3,000 soldiers in December.", "stock", None, dt.date(2024, 12, 15)),
        ("The army said in August that 14 soldiers had died.", None, None, dt.date(2024, 8, 15)),
        ("The army said that 14 soldiers died in August.", "interval", dt.date(2024, 8, 1), dt.date(2024, 8, 31)),
        (
            "Since March, when the minister told parliament that 14 had died, he is silent.",
            None,
            None,
            dt.date(2024, 3, 15),
        ),
        ("14 soldiers died in the last week of October.", "interval", dt.date(2024, 10, 25), dt.date(2024, 10, 31)),
        ("14 soldiers died last year.", "interval", dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
        (
            "Between 1 July and 31 December 2023 14 soldiers died.",
            "interval",
            dt.date(2023, 7, 1),
            dt.date(2023, 12, 31),
        ),
        ("As of 3 January the siege was 20 days old. 14 soldiers had died.", None, None, dt.date(2025, 1, 3)),
        ("On 3 January a clinic was hit. 14 nurses were killed.", "interval", dt.date(2025, 1, 3), dt.date(2025, 1, 3)),
        ("TOREN, 15 January 2025 - 14 soldiers were killed.", None, None, None),
        (
            "Feb 9, 2025 (AFP) - 14 soldiers were killed on Monday.",
            "interval",
            dt.date(2025, 1, 13),
            dt.date(2025, 1, 13),
        ),
        ("14 soldiers died in the past 48 hours.", "interval", dt.date(2025, 1, 13), DAY),
        ("14 soldiers died in the last three weeks.", "interval", dt.date(2024, 12, 25), DAY),
        ("Since the start of the month 14 soldiers have died.", "interval", dt.date(2025, 1, 1), DAY),
        ("The army on Tuesday said 14 soldiers had died.", None, None, dt.date(2025, 1, 14)),
    ],
)
def test_days_are_reckoned_from_the_article_s_own(text, measure, since, as_of):
    (cells,) = read(text)
    assert (cells.get("measure"), cells.get("since"), cells.get("as_of")) == (measure, since, as_of)


def test_nothing_is_told_of_days_where_the_article_has_none():
    (cells,) = read("14 soldiers died on Tuesday.", None)
    assert not {"since", "as_of", "published"} & set(cells)


def test_an_item_of_a_list_is_read_with_the_line_before_it():
    text = (
        "Over the past 24 hours the enemy lost:\n- about 310 personnel killed and wounded;\n- 5 tanks;\n- drones: 21."
    )
    rows = read(text)
    assert [say_row(cells) for cells in rows] == ["casualties about 310", "tanks exact 5", "drones exact 21"]
    assert {cells["since"] for cells in rows} == {dt.date(2025, 1, 14)}


def test_what_is_said_again_is_an_echo_and_what_is_said_at_once_a_statement():
    text = "14 dead, army says\n\nThe army said that 14 soldiers were killed and 35 wounded.\n\nAgain: 14 were killed."
    first, killed, wounded, again = read(text)
    assert killed["statement"] == wounded["statement"]
    assert "statement" not in first
    assert "origin" not in killed
    assert again["origin"] == first["origin"] == killed["id"]


def test_two_who_say_the_same_are_two_rows():
    rows = read("Ukraine and South Korea both have estimated that 3,000 soldiers died.")
    assert [cells["source"] for cells in rows] == ["ukraine", "south_korea"]


def test_lost_is_asked_about():
    (cells,) = read("The army lost 300 soldiers, it said.")
    assert "which?" in cells["note"]


@given(st.text(alphabet=st.sampled_from(list("abkilledsoru 0123456789,.-–%'\"\n()ANot")), max_size=300))
def test_any_text_is_read_and_every_row_is_marked_and_of_the_text(text):
    for draft in draft_rows(Article("x.txt", text), ENGLISH):
        assert draft.cells["exclude"] == EXCLUDE
        assert " ".join(draft.text.split()) in " ".join(text.split())
        assert draft.cells["phrase"] in " ".join(draft.text.split())
        assert 0 <= draft.confidence <= 1


def test_a_table_of_numbers_on_one_line_is_refused_at_once():
    text = " ".join(f"{n} killed," for n in range(200_000))
    with pytest.raises(InputError, match="says more than 2,000 numbers"):
        read(text)


@pytest.mark.parametrize(
    "words", ["The institute said that {} were captured.", "Some {} were captured, estimates by the Institute say."]
)
def test_an_institution_is_not_the_person_who_spoke_before(words):
    first, second = read("“We lost 27 men”, Colonel Ira Mok said. " + words.format("300 soldiers"))
    assert first["speaker"] == "Ira Mok"
    assert (second["source"], second.get("speaker")) == ("institute", None)


SPOKEN = """THE SECRETARY: Good morning. We have lost 64 men, and 211 were wounded.

Q: Mr Secretary, Merrow says that you have lost no fewer than 900 men.

THE SECRETARY: The President told Parliament that 6,120 were killed. I hold 138 of their soldiers as prisoners.

Q: How many of your own are missing?

GEN. HARN: We know of nineteen.

Q: How many men are there?

GEN. HARN: About 8,500."""


def test_in_a_transcript_whoever_has_the_word_says_so():
    """A question's words are nobody's; an answer without a noun counts what it was asked for, or is no row."""
    assert [(cells["source"], say_row(cells)) for cells in read(SPOKEN)] == [
        ("secretary", "killed exact 64"),
        ("secretary", "wounded exact 211"),
        ("merrow", "losses at_least 900"),
        ("president", "killed about 6120"),
        ("secretary", "captured exact 138"),
        ("gen_harn", "missing exact 19"),
    ]


def test_a_list_is_no_transcript():
    rows = read("Losses so far:\nTanks: 12\nAircraft: 3\nHelicopters: 4\nTanks: 13")
    assert [say_row(cells) for cells in rows] == [
        "tanks exact 12", "aircraft exact 3", "helicopters exact 4", "tanks exact 13",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Governor: 14 soldiers killed", "governor"),
        ("14 soldiers killed in raid: ministry", "ministry"),
        ("At least 14 soldiers died. The governor spoke. Al-Shabab claimed it killed 20 soldiers.", "al_shabab"),
        ("The Northern Tigers (NT) reported they had killed 14 soldiers.", "northern_tigers"),
        ("The United States' military has said that 14 soldiers died.", "united_states_military"),
        ("The prosecutor's office has just updated: 14 soldiers killed.", "prosecutor_office"),
        ("14 soldiers killed \u2013 mayor.", "mayor"),
        (
            "Western intelligence published its count when it said that 14 soldiers had been killed.",
            "western_intelligence",
        ),
        ("Updated: 14 soldiers killed", "unattributed"),
    ],
)
def test_a_mark_alone_may_say_who_speaks(text, source):
    assert read(text)[-1]["source"] == source


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("An official who spoke on condition of anonymity said 15 soldiers died.", ["official"]),
        ("The health office reported a count by its staff of 90 deaths.", ["health_office"]),
        ("“We lost 40 men. Another 60 were wounded,” Colonel Ilan Moru said.", ["colonel", "colonel"]),
        ("The mayor said nine people died. The army said 12 soldiers died.", ["mayor", "army"]),
        ("“We lost 40 men.” Another 60 were wounded, the army said.", ["unattributed", "army"]),
        ("Local officials and residents said nine people died.", ["local_officials_and_residents"]),
        ("Fourteen soldiers died. That is according to the army.", ["army"]),
        (
            "The Committee for Peace said nine people died. The committee has counted 60 wounded.",
            ["committee_peace"] * 2,
        ),
        ("The garrison's commander, Major Hana Dorr, said nine people died.", ["garrison_commander"]),
        ("The army on Tuesday said nine people died.", ["army"]),
        ("According to the army at least nine people died.", ["army"]),
        ("1,046 members of the armed forces have given their lives.", ["unattributed"]),
        ("They hold nine prisoners, who are treated according to the Conventions.", ["unattributed"]),
    ],
)
def test_who_says_so_may_stand_behind_an_aside_or_at_the_end_of_a_quotation(text, sources):
    assert [cells["source"] for cells in read(text)] == sources


@pytest.mark.parametrize("event", ["Northland's full-scale invasion in May 2024", "the landing on 2 May 2024"])
def test_a_count_since_something_on_a_day_runs_until_the_article(event):
    cells = read(f"The army said 400 soldiers were killed since {event}.")[0]
    assert (str(cells["since"])[:7], cells.get("as_of", DAY)) == ("2024-05", DAY)


def test_soldiers_of_two_sides_together_are_of_neither():
    rows = read("Casualties near 500,000 Russian and Ukrainian soldiers. Some 300 Russian soldiers were killed.")
    assert [cells.get("force", "") for cells in rows] == ["", "russia"]
