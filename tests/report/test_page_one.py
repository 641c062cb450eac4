"""Page one: the finding, what comes before it, the official figure beside it, and whose each number is."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest
from summaries import edit_result

from sim.report.confidence import judge_confidence
from sim.report.finding import write_title
from sim.report.labels import lower_first, name_unknown, sort_naturally, tell_forces_apart
from sim.report.memo import compose_memo, render_memo
from sim.report.memo.page_one import MAX_LINES, choose_rows
from sim.report.notes import list_notes, list_openings
from sim.report.official import has_official, tell_official
from sim.report.table import choose_derived_digits, list_headline, show_estimate, show_range, show_text
from sim.words import choose_digits, show_count, show_signed


@pytest.fixture(scope="module")
def two(kursk_run):
    """Return the summary of Kursk with the same force a second time, under another name."""

    def double(data):
        data["forces"].append({"force": "south", "label": "Southern army"})
        for name in ("estimates", "exceedance", "bias", "variance", "next_reports", "claims", "paths"):
            data[name] += [{**entry, "force": "south"} for entry in data[name]]
        for claim in data["claims"][len(data["claims"]) // 2 :]:
            claim["id"] += "-south"
        for source in data["sources"]:
            source["roles"]["south"] = next(iter(source["roles"].values()))

    return edit_result(kursk_run.result, double)


def own_total(result, value, *, as_of=None, prior_median=0.4):
    """Return the summary with its last used running total of the killed told by the own side."""

    def change(data):
        claim = [
            each for each in data["claims"]
            if each["used"] and each["quantity"] == "killed" and each["measure"] == "cumulative"
        ][-1]  # fmt: skip
        claim |= {"value": value, "qualifier": "exact", "as_of": as_of or data["as_of"], "published": data["as_of"]}
        for source in data["sources"]:
            if source["source"] == claim["owner"]:
                source |= {"label": "Its ministry", "roles": {key: ["own"] for key in source["roles"]}}
        for bias in data["bias"]:
            if (bias["source"], bias["quantity"]) == (claim["owner"], "killed"):
                bias["prior_median"] = prior_median

    return edit_result(result, change)


def test_the_title_is_the_finding(kursk_run, two):
    killed = next(entry for entry in kursk_run.result.estimates if entry.quantity == "killed")
    assert write_title(kursk_run.result) == f"North Korean troops probably lost {show_range(killed)} dead"
    assert "Southern army" in write_title(two)
    assert write_title(replace(kursk_run.result, trusted=False)).startswith("Not to be trusted: ")


def test_a_title_calls_nothing_probable_that_may_be_anything(kursk_run):
    def widen(data):
        killed = next(entry for entry in data["estimates"] if entry["quantity"] == "killed")
        killed["intervals"]["0.9"] = [9, 47_000]

    wide = edit_result(kursk_run.result, widen)
    assert write_title(wide) == "North Korean troops may have lost anything from 9 to 47,000 dead"


def test_people_who_have_no_army_do_not_lose_their_dead(kursk_run):
    killed = next(entry for entry in kursk_run.result.estimates if entry.quantity == "killed")
    people = edit_result(kursk_run.result, lambda data: data["forces"][0].update(victims="civilians"))
    assert write_title(people) == f"North Korean troops: probably {show_range(killed)} were killed"
    assert edit_result(people, lambda _: None) == people  # written, and read again


def test_a_bound_neither_contradicts_nor_agrees(kursk_run):
    """At least 12 leaves room for 600, and is no further source of a number; about 12 is far apart from it."""

    def say(*told):
        def change(data):
            used = [each for each in data["claims"] if each["used"] and each["quantity"] == "killed"]
            model, sources = used[0], [entry["source"] for entry in data["sources"]]
            data["questions"], data["claims"] = [], [
                {**model, "id": f"c{n}", "source": sources[n], "owner": sources[n], "qualifier": wording,
                 "value": value, "low": None, "high": None, "measure": "cumulative", "as_of": data["as_of"],
                 "standardised": 0.0}
                for n, (wording, value) in enumerate(told)
            ]  # fmt: skip
            data["readings"], data["lulls"] = [], data.get("lulls", [])
            for entry in data["estimates"]:
                entry["bias_share"], entry["prior_share"] = 0.0, 0.0

        return judge_confidence(edit_result(kursk_run.result, change))[1]

    assert "only 2 sources say more than a bound" in say(
        ("about", 600), ("about", 500), ("at_least", 12), ("counted", 14)
    )
    assert "a factor of" not in say(("about", 600), ("about", 500), ("at_least", 12), ("counted", 14))
    assert "a factor of 50 apart" in say(("about", 600), ("about", 500), ("about", 12), ("counted", 14))
    assert "a factor of" not in say(("about", 600), ("about", 500), ("at_most", 6000), ("about", 700))


def test_many_sources_are_in_an_annex_and_those_that_speak_most_in_the_text(kursk_run, monkeypatch):
    def list_rows(memo, title):
        section = next((each for each in memo.sections if each.title == title), None)
        return [row for block in section.blocks if hasattr(block, "rows") for row in block.rows] if section else []

    whole = compose_memo(kursk_run.result)
    every = list_rows(whole, "What each source is worth")
    assert not list_rows(whole, "Annex: every source")
    monkeypatch.setattr("sim.report.labels.MOST_SOURCES", 2)
    parted = compose_memo(kursk_run.result)
    assert list_rows(parted, "Annex: every source") == every
    shown = list_rows(parted, "What each source is worth")
    assert len({row[0] for row in shown}) == 2
    assert set(shown) < set(every)


def test_page_one_alone_is_the_start_of_the_memo(kursk_run):
    memo = compose_memo(kursk_run.result)
    brief = compose_memo(kursk_run.result, brief=True)
    assert brief.sections == memo.sections[:1]
    assert render_memo(memo).startswith(render_memo(brief).rstrip())


def test_the_case_says_who_signs(kursk_run):
    head = {
        "author": "A. Analyst", "institution": "An Institute", "date": "2025-05-02", "classification": "Secret",
        "distribution": "Staff alone",
    }  # fmt: skip
    told = render_memo(compose_memo(edit_result(kursk_run.result, lambda data: data.update(memo=head))))
    for text in ("A. Analyst", "An Institute", "2 May 2025", "Secret", "Distribution: Staff alone"):
        assert text in told.split("## ")[0]


def test_the_case_says_which_counts_lead(kursk_run, two):
    """In the title and the first sentence; of a force that it does not name they are chosen as ever."""
    led = edit_result(kursk_run.result, lambda data: data.update(memo={"headline": ["wounded", "killed"]}))
    assert [entry.quantity for entry in list_headline(led)] == ["wounded", "killed"]
    page = render_memo(compose_memo(led, brief=True))
    assert "wounded" in page.splitlines()[0]
    assert re.search(r"Our best estimates? [^.]* wounded [^.]* killed", page)
    south = edit_result(two, lambda data: data.update(memo={"headline": ["south.casualties"]}))
    first = list_headline(south)[0]
    assert (first.force, first.quantity) == ("south", "casualties")
    assert list_headline(south)[1:] == [entry for entry in list_headline(two) if entry.force != "south"]


def test_the_table_has_seven_rows_of_every_force(two):
    rows = choose_rows(two)
    assert len(rows) == MAX_LINES
    assert {entry.force for entry in rows} == {entry.force for entry in two.forces}
    assert [entry.force for entry in rows] == sorted((entry.force for entry in rows), key=lambda key: key == "south")


def test_every_number_knows_its_force(two):
    """On the terminal and in the memo, wherever a count is named, so is its force."""
    text = show_text(two)
    for line in text.splitlines():
        if line.startswith("More than"):
            assert "North Korean troops" in line or "Southern army" in line
    memo = render_memo(compose_memo(two))
    for line in memo.splitlines():
        if line.startswith("|") and "killed" in line and "Count" not in line and "per hundred" not in line:
            assert "North Korean troops" in line or "Southern army" in line or line.startswith("|  |"), line
    assert "of Southern army" in list_notes(two)[1]


def test_forces_of_one_name_are_told_apart(two):
    same = edit_result(two, lambda data: data["forces"][1].update(label=data["forces"][0]["label"]))
    assert len(set(tell_forces_apart(same.forces).values())) == 2


def test_what_decides_whether_to_read_on_comes_first(kursk_run):
    result = kursk_run.result
    assert list_openings(result) == []
    broken = edit_result(
        result,
        lambda data: data.update(trusted=False) or data["diagnostics"].update(reasons=["R-hat of x is 1.1"]),
    )
    (told,) = list_openings(broken)
    assert told.startswith("NOT TO BE TRUSTED")
    assert "--draws" in told
    assert show_text(broken).splitlines()[2] == told
    assert compose_memo(broken).sections[0].blocks[0].text == told


def test_a_day_after_the_last_claim_of_an_open_war_is_a_forecast(kursk_run):
    open_war = edit_result(kursk_run.result, lambda data: data.update(ongoing=True, as_of="2025-07-01"))
    (told,) = list_openings(open_war)
    assert told.startswith("A forecast: ")
    assert "62 days later" in told
    assert show_text(open_war).splitlines()[2] == told
    assert list_openings(replace(open_war, ongoing=False)) == []  # a war that is over gains nothing
    early = replace(open_war, as_of="2024-11-02")
    assert list_openings(early)[0].startswith("These figures are the prior's")


def test_the_official_figure_stands_beside_ours(kursk_run):
    """With the reason in numbers: what such a side told in past wars, and what the other claims add."""
    killed = next(entry for entry in kursk_run.result.estimates if entry.quantity == "killed")
    (told,) = tell_official(own_total(kursk_run.result, 100))
    assert told.startswith("Officially 100 killed by ")
    assert f"we say {show_estimate(killed)}" in told
    assert "40% of its losses" in told
    assert f"100 alone means some 250; the other claims raise this to {show_count(killed.median, 2)}" in told
    (same,) = tell_official(own_total(kursk_run.result, killed.median))
    assert "about the same" in same
    assert "past wars" not in same
    (none,) = tell_official(kursk_run.result)
    assert none.startswith("The side that lost them has told no total.")


def test_the_latest_number_of_one_source_has_its_reason_in_numbers(kursk_run):
    """What such sources told in past wars, and what the other claims make of it: the two lead to our number."""
    result = kursk_run.result
    killed = next(entry for entry in result.estimates if entry.quantity == "killed")

    def set_prior(data):
        for bias in data["bias"]:
            bias["prior_median"] = 2.0

    (told,) = tell_official(edit_result(result, set_prior))
    assert "about 600 killed by" in told
    assert told.endswith(
        "In past wars, such a source told 2.0 times the truth, so that 600 alone means some 300; the other claims "
        f"raise this to {show_estimate(killed)}."
    )


@pytest.mark.parametrize(
    ("qualifier", "why"),
    [("at_most", "It says only that there were no more."), ("at_least", "It says only that there were no fewer."),
     ("counted", "It counts those found by then.")],
)  # fmt: skip
def test_a_bound_means_no_number_of_its_own(kursk_run, qualifier, why):
    def reword(data):
        for claim in data["claims"]:
            if claim["quantity"] == "killed" and claim["value"] == 100:
                claim["qualifier"] = qualifier

    (told,) = tell_official(edit_result(own_total(kursk_run.result, 100), reword))
    assert told.endswith(why)
    assert "means some" not in told


def test_an_explanation_has_as_many_figures_as_the_estimate_beside_it(kursk_run):
    def narrow(data):
        killed = next(entry for entry in data["estimates"] if entry["quantity"] == "killed")
        killed["median"], killed["intervals"]["0.9"] = 216, [136, 351]

    (told,) = tell_official(own_total(edit_result(kursk_run.result, narrow), 100))
    assert "we say 216" in told
    assert told.endswith("lower this to 216.")


def test_of_several_forces_each_best_estimate_says_whose_it_is(two):
    text = compose_memo(two).sections[0].blocks[0].text
    killed = show_estimate(next(entry for entry in two.estimates if entry.quantity == "killed"))
    assert text.startswith(f"Our best estimates are {killed} killed of North Korean troops (nine chances in ten: ")
    assert f"and {killed} killed of Southern army (" in text


def test_a_total_that_adds_up_the_same_as_another_is_told_once(kursk_run):
    """Where nobody was captured that one counts, losses are casualties: in no table, no note, no figure."""

    def drop(data):
        data["estimates"] = [each for each in data["estimates"] if each["quantity"] != "captured"]
        for entry in data["estimates"]:
            entry["parts"] = ["killed", "wounded"] if entry["quantity"] in ("casualties", "losses") else entry["parts"]
            entry["prior_share"] = 0.9

    result = edit_result(kursk_run.result, drop)
    assert "losses" in show_text(kursk_run.result)
    assert not [line for line in show_text(result).splitlines() if line.startswith("losses")]
    (driven,) = (note for note in list_notes(result) if note.startswith("Driven by the prior"))
    assert "casualties" in driven
    assert "losses" not in driven


def test_no_row_is_named_by_an_id_that_no_table_shows(kursk_run):
    """In reasons, in notes, and in what the marks of the HTML page say."""
    result = kursk_run.result
    used = next(claim for claim in result.claims if claim.used)

    def point(data):
        last = next(each for each in data["claims"] if not each["used"])
        last |= {"exclude": f"the same as {used.id}", "why_not": f"the same as {used.id}", "note": f"see {used.id}."}
        for each in data["claims"]:
            if not each["used"] and each["why_not"].startswith("repeats"):
                each["why_not"] = f"repeats {used.id}"

    pointed = edit_result(result, point)
    page = render_memo(compose_memo(pointed), "html")
    assert "the same as Unattributed estimates in the press: 10,000 to 12,000, 15" in page
    assert "Note: see Unattributed estimates in the press: 10,000 to 12,000, 15" in page
    assert not [claim.id for claim in result.claims if claim.id in page]


def test_where_no_official_figure_is_the_latest_numbers_stand(kursk_run, two):
    """Of several on one day the lowest and the highest, with what their sources are judged to make of the truth."""
    result = kursk_run.result
    last = max(claim.as_of for claim in result.claims if claim.used and claim.quantity == "killed")

    def add(data):
        used = [each for each in data["claims"] if each["used"] and each["quantity"] == "killed"]
        claim = next(each for each in used if each["as_of"] == last)
        biases = [each["source"] for each in data["bias"] if each["quantity"] == "killed"]
        other = next(source for source in biases if source != claim["owner"])
        new = {"id": "other", "source": other, "owner": other, "value": 5000, "qualifier": "exact"}
        data["claims"].append({**claim, **new})

    (told,) = tell_official(edit_result(result, add))
    assert "The latest numbers told of the killed are about 600 (" in told
    assert " and 5,000 (" in told
    assert "times the truth" in told
    assert not has_official(result)
    assert [text.split(" has told")[0] for text in tell_official(two)] == [
        "The own side of North Korean troops", "The own side of Southern army",
    ]  # fmt: skip


def test_without_thresholds_a_round_number_is_asked_about(kursk_run):
    bare = replace(kursk_run.result, exceedance=())
    text = compose_memo(bare).sections[0].blocks[0].text
    found = re.search(r"\((\d+)%\) that more than ([\d,]+) were killed", text)
    assert found, text
    killed = next(entry for entry in bare.estimates if entry.quantity == "killed")
    above = float(found[2].replace(",", ""))
    assert sum(point > above for point in killed.percentiles) == int(found[1])
    assert 5 <= int(found[1]) <= 25


def test_the_caveat_says_what_the_rest_does_not(kursk_run):
    """The line on confidence and the caveat are two things, whatever is wrong."""

    def set_apart(data):
        for claim in data["claims"]:
            if claim["used"]:
                claim["standardised"] = 1.2 if claim["measure"] == "interval" else -1.2

    caveats = set()
    for result in (kursk_run.result, edit_result(kursk_run.result, set_apart)):
        answers = dict(compose_memo(result).sections[0].blocks[-1].items)
        assert answers["Bear in mind"] not in answers["How sure"]
        caveats.add(answers["Bear in mind"])
    assert len(caveats) == 2


def test_an_official_figure_of_an_earlier_day_is_set_beside_that_day(kursk_run):
    (told,) = tell_official(own_total(kursk_run.result, 100, as_of="2024-12-31"))
    assert "for that day" in told
    assert "by now" in told


def test_our_number_of_an_earlier_day_is_that_of_the_last_evening_that_the_path_knows(kursk_run):
    (path,) = (each for each in kursk_run.result.paths if each.quantity == "killed")
    tried = 0
    for day, after, median in zip(path.days, path.days[1:], path.median, strict=False):
        eve = (dt.date.fromisoformat(after) - dt.timedelta(days=1)).isoformat()
        for asked in {day, eve}:
            (told,) = tell_official(own_total(kursk_run.result, 1, as_of=asked))
            if told.startswith("Officially 1 ") and "for that day" in told:
                assert f"we say {show_count(median, 2)} for that day" in told
                tried += 1
    assert tried > 1


def test_claims_that_contradict_each_other_lower_the_confidence(kursk_run):
    def set_apart(data):
        for claim in data["claims"]:
            if claim["used"]:
                claim["standardised"] = 1.2 if claim["measure"] == "interval" else -1.2

    level, why = judge_confidence(edit_result(kursk_run.result, set_apart))
    assert level == "low"
    assert "counts of days or spells say far more than running totals allow" in why


def two_totals(result, *, first, measure="cumulative"):
    """Return the summary with two used claims alone: 100 killed, and a thousand, of a first day and of the last."""

    def change(data):
        used = [each for each in data["claims"] if each["used"] and each["quantity"] == "killed"]
        totals = [each for each in used if each["measure"] == "cumulative"]
        pair = [totals[0], next(each for each in totals if each["owner"] != totals[0]["owner"])]
        data["claims"] = [
            {**each, "value": value, "qualifier": "exact", "as_of": day, "published": day, "low": None, "high": None}
            for each, value, day in zip(pair, (100, 1_000), (first, data["as_of"]), strict=True)
        ]
        data["claims"][1] |= {"measure": measure, "since": first if measure == "interval" else None}

    return edit_result(result, change)


def test_numbers_of_days_long_apart_do_not_contradict_each_other(kursk_run):
    for first, told in (("2025-04-20", True), ("2024-12-20", False)):
        _, why = judge_confidence(two_totals(kursk_run.result, first=first))
        assert ("the latest numbers of the killed lie a factor of 10 apart" in why) == told, why


def test_low_confidence_tells_of_numbers_far_apart_too(kursk_run, two):
    """Ten by one, a hundred thousand by another: who reads that much is the prior's should know why."""

    def doubt(data):
        for entry in data["estimates"]:
            entry["prior_share"] = 0.9

    level, why = judge_confidence(edit_result(two_totals(kursk_run.result, first="2025-04-20"), doubt))
    assert level == "low"
    assert why.endswith("much of the answer is the prior's; the latest numbers of the killed lie a factor of 10 apart")
    assert "(North Korean troops) lie a factor of" in judge_confidence(two_totals(two, first="2025-04-20"))[1]


def test_a_number_of_some_days_is_no_latest_total(kursk_run):
    result = two_totals(kursk_run.result, first="2024-12-20", measure="interval")
    (told,) = tell_official(result)
    assert "The latest number told is 100 killed" in told
    assert "1,000" not in told


def test_two_figures_are_given_from_a_threefold_interval_on():
    for interval, digits in (((136.0, 351.0), 3), ((100.0, 301.0), 2)):
        assert choose_digits(interval) == choose_derived_digits(interval) == digits
    assert choose_derived_digits((0.2, 0.5)) == 3
    assert choose_derived_digits((-4.0, 5.0)) == 2
    assert choose_derived_digits((-5.0, -4.0)) == 3


def test_names_read_as_names():
    assert lower_first("UN estimate") == "UN estimate"
    assert lower_first("Pyongyang's income") == "Pyongyang's income"
    assert lower_first("Killed, north per south") == "killed, north per south"
    assert sorted(["a 10", "a 2", "a 1", "a 11"], key=sort_naturally) == ["a 1", "a 2", "a 10", "a 11"]
    assert show_signed(-0.04) == "+0.0"


def test_a_reason_names_unknowns_in_words(kursk_run):
    source = kursk_run.result.sources[0]
    force = kursk_run.result.forces[0].force
    told = name_unknown(f"R-hat of bias of {source.source} on {force}.killed is 1.2", kursk_run.result)
    assert told == f"R-hat of the bias of {source.label} on killed is 1.2"


def likely_none(result, chance):
    """Return the summary with a probability that none were killed, and with the median that goes with it."""

    def change(data):
        for entry in data["estimates"]:
            if entry["quantity"] == "killed":
                entry["p_zero"] = chance

    return edit_result(result, change)


def test_that_there_were_none_is_said_where_it_is_likely(kursk_run):
    (none,) = tell_official(own_total(likely_none(kursk_run.result, 0.7), 0))
    assert "and that there were none with a chance of 70%" in none
    assert write_title(likely_none(kursk_run.result, 0.7)).startswith(
        "North Korean troops probably lost no dead (hardly"
    )
    assert write_title(likely_none(kursk_run.result, 0.3)) == write_title(kursk_run.result)
    page = render_memo(compose_memo(likely_none(kursk_run.result, 0.3)))
    assert "It is unlikely (30%) that there were no killed at all." in page
    assert "There may have been none at all; the probability of that: killed 30%." in page
    assert "none at all" not in render_memo(compose_memo(kursk_run.result))


def test_the_other_claims_do_nothing_where_there_are_none(kursk_run):
    alone = own_total(kursk_run.result, 100)
    kept = [each for each in alone.claims if each.quantity == "killed" and each.said == (100.0,)]
    (told,) = tell_official(replace(alone, claims=tuple(kept)))
    assert "the other claims" not in told
    assert "40% of its losses: 100 means some" in told


def test_numbers_far_apart_and_questions_that_stay_open_lower_confidence(kursk_run):
    def agree(data):
        data["questions"] = []
        for claim in data["claims"]:
            claim["standardised"] = 0.0 if claim["standardised"] is not None else None
        for entry in data["estimates"]:
            entry["bias_share"], entry["prior_share"] = 0.0, 0.0

    calm = edit_result(kursk_run.result, agree)
    _, why = judge_confidence(calm)
    assert "the latest numbers of the " in why or "they agree" in why
    question = {"kind": "first hours", "where": "row 2 (a)", "text": "says 60: is it?"}
    asked = edit_result(calm, lambda data: data.__setitem__("questions", [question]))
    level, reason = judge_confidence(asked)
    assert level != "high"
    assert "a question about the claims stands unanswered (first hours)" in reason
    assert "Asked, and not answered: row 2 (a) says 60: is it?" in render_memo(compose_memo(asked))
    assert any("A question that nobody has answered: row 2 (a) says 60: is it?" in note for note in list_notes(asked))
