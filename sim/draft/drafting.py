"""From an article to rows of `claims.csv`, each with what was read, from which words, and how surely."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sim.draft.articles import Article
from sim.draft.dating import choose_days
from sim.draft.drafts import EXCLUDE, UNATTRIBUTED, Draft, Said
from sim.draft.echoes import join_statements, mark_echoes, name_all
from sim.draft.grammar.days import find_spells
from sim.draft.grammar.language import Language
from sim.draft.grammar.numbers import find_numbers
from sim.draft.grammar.quantities import QuantityReader
from sim.draft.grammar.readings import Reading
from sim.draft.grammar.sentences import Sentence, split_sentences
from sim.draft.grammar.speakers import Attribution, Speaker, Speakers, choose_speaker
from sim.draft.grammar.spells import Spell
from sim.draft.heads import find_author, find_names
from sim.draft.phrasing import find_force, mark_words, quote_phrase
from sim.errors import refuse

LEADS = 6  # sentences, up to which a line without an end is a headline
MAX_DRAFTS = 2_000  # rows of one article: beyond, it is a table


def draft_rows(article: Article, language: Language, published: dt.date | None = None) -> list[Draft]:
    """Draft rows from an article.

    Parameters
    ----------
    article : Article
    language : Language
    published : date, optional
        The article's day, in place of what it says itself.

    Returns
    -------
    list of Draft
        In the article's order; a number that counts neither losses nor those sent has none.

    Raises
    ------
    InputError
        Where it has more rows than an article has.
    """
    day = published or article.published
    author = find_author(article.text, language)
    speakers = Speakers(language, author, names=find_names(article.text, language))
    drafts: list[Draft] = []
    for said in _read_sentences(article, language, day, speakers):
        drafts += _make_drafts(said, article, day, author, language)
        if len(drafts) > MAX_DRAFTS:
            problem = f"says more than {MAX_DRAFTS:,} numbers, as a table does"
            raise refuse(article.file, "", problem, "give one article at a time, or truetoll import table")
    return mark_echoes(name_all(join_statements(drafts), day))


def _read_sentences(article: Article, language: Language, day: dt.date | None, speakers: Speakers) -> Iterator[Said]:
    before: Reading | None = None
    turn, asked = -1, ""  # what the speech before spoke of, and asked for
    before_spells: list[Spell] = []
    singles: set[str] = set()
    standing: list[Spell] = []  # days that a sentence began with, of which those after it are too
    since = 0  # its paragraph
    sentences = list(split_sentences(article.text, language))
    for index, sentence in enumerate(sentences):
        spells = find_spells(sentence.tokens, language, day)
        mentions = find_numbers(sentence.tokens, language, spells)
        taken = {n for mention in mentions if not mention.single for n in range(mention.first, mention.after)}
        last, paragraph = speakers.last, speakers.last_paragraph
        dated = {n for spell in spells for n in range(spell.start, spell.end)}
        attributions = speakers.read(sentence, taken, dated)
        own = _drop_stamp(sentence, spells, day)
        standing = (
            standing if _stands(standing, since == sentence.paragraph, sentence, own, attributions, speakers) else []
        )
        if own:
            standing, since = _lead_in(own, attributions, told=bool(mentions)), sentence.paragraph
        if sentence.turn:
            last, paragraph = speakers.voice, sentence.paragraph
        if not mentions:
            outcomes = {found.label for found in language.outcomes.find_all(sentence.tokens)}
            if sentence.turn and sentence.text.endswith("?") and len(outcomes) == 1:
                turn, asked = sentence.turn, outcomes.pop()
            continue
        answers = asked if 0 < turn == sentence.turn - 1 else ""
        readings = QuantityReader(sentence, mentions, spells, language, before, answers=answers).read_all()
        near = _list_spells(sentence, own, language, day) or standing
        if not near and paragraph == sentence.paragraph and _goes_on(sentence, language):
            near = _place_before(before_spells)
        before_spells = near
        for reading in readings:
            if reading.mention.single and not reading.equipment:
                if reading.quantity in singles:
                    continue
                singles.add(reading.quantity)
            if reading.planned or reading.denied:
                continue
            governing = choose_speaker(attributions, reading.mention.start)
            told = governing.speakers if governing else _find_closing(sentences, index, speakers, language)
            told = told[:1] if reading.quantity == "deployed" else told
            carried = not told and last is not None and paragraph == sentence.paragraph
            for speaker in told or ((last,) if carried else (None,)):
                yield Said(sentence, reading, speaker, carried, tuple(near), tuple(attributions))
        if readings:
            before, turn = readings[-1], sentence.turn
            asked = "" if before.equipment else before.quantity


def _find_closing(
    sentences: Sequence[Sentence], index: int, speakers: Speakers, language: Language
) -> tuple[Speaker, ...]:
    """Return who is told at the end of a quotation that begins in a sentence and goes on in those after it."""
    opened = sentences[index]
    after = sentences[index + 1] if index + 1 < len(sentences) else None
    if after is not None and after.paragraph == opened.paragraph and language.back.match_at(after.tokens, 0):
        return next((each.speakers for each in speakers.foresee(after)), ())  # "That is according to the army."
    if not re.search(r"[“][^”]*$|^[^\"]*\"[^\"]*$", opened.text):
        return ()
    for later in sentences[index + 1 : index + 4]:
        if later.paragraph != opened.paragraph:
            break
        if "”" in later.text or '"' in later.text:
            trailing = (each for each in speakers.foresee(later) if each.trails)
            return next((each.speakers for each in trailing), ())
    return ()


def _list_spells(sentence: Sentence, spells: list[Spell], language: Language, day: dt.date | None) -> list[Spell]:
    """Return the days of a sentence, or where it is the item of a list and names none, those of the line before it."""
    if spells or not sentence.lead:
        return spells
    tokens = language.split(sentence.lead)
    return _place_before(find_spells(tokens, language, day))


def _drop_stamp(sentence: Sentence, spells: list[Spell], day: dt.date | None) -> list[Spell]:
    """Return the days of a sentence without the article's own, where it stands before a mark: "KESH, 20 May 2031 -"."""
    first = spells[0] if spells else None
    if first is None or not first.first == first.last == day or first.start > 4:
        return spells
    rest = {token.text for token in sentence.tokens[first.end : first.end + 4]}
    dated = any(token.text[0].isdigit() for token in sentence.tokens[first.start : first.end])
    return spells[1:] if dated and rest & {"-", "–", "—", ":"} else spells


def _lead_in(spells: list[Spell], attributions: Sequence[Attribution], *, told: bool) -> list[Spell]:
    """Return the days of a sentence that hold for those after it, and are not those of a statement.

    They are those that it begins with, "As of May 3, 14 died", or of one that tells no number, its only day.
    """
    first = spells[0]
    alone = not told and len(spells) == 1 and first.first == first.last and first.relation == "dated"
    leads = (first.start <= 4 or alone) and (first.relation in ("upto", "span") or not attributions)
    return _place_before([first]) if leads and first.first else []


def _stands(
    standing: list[Spell],
    same: bool,
    sentence: Sentence,
    own: list[Spell],
    attributions: Sequence[Attribution],
    speakers: Speakers,
) -> bool:
    """Whether days told before hold on: to the end of the paragraph, and a span of an own bulletin beyond it."""
    words = f" {' '.join(token.lower for token in sentence.tokens)} "
    days = speakers.language.words["days"]
    if own or not standing or any(f" {phrase} " in words for phrase in (*days["total"], *days["open"])):
        return False
    if standing[0].relation == "dated" and attributions:
        return False
    return same or (speakers.author is not None and standing[0].relation == "span" and not attributions)


def _place_before(spells: Sequence[Spell]) -> list[Spell]:
    return [replace(spell, start=-9, end=-9) for spell in spells]


def _goes_on(sentence: Sentence, language: Language) -> bool:
    """Whether a sentence speaks of the time of the one before it: "Of these", "Among the dead", "It also recorded"."""
    words = [token.lower for token in sentence.tokens[:6]]
    readings = language.set_of("readings", "goes_on"), language.set_of("readings", "goes_on_too")
    return bool(readings[0] & {*words[:1]} or readings[1] & {*words}) or any(
        " ".join(words[:length]) in language.words["readings"]["parts"] for length in (1, 2, 3)
    )


# --- A row ---


def _make_drafts(
    said: Said, article: Article, day: dt.date | None, author: Speaker | None, language: Language
) -> Iterator[Draft]:
    reading, mention, sentence = said.reading, said.reading.mention, said.sentence
    remarks: list[str] = []
    speaker = said.speaker or author
    source = Speaker(UNATTRIBUTED, "Not said who") if speaker is None else speaker
    qualifier = _choose_qualifier(reading, sentence, language)
    measure, since, as_of, days_sure = choose_days(said, day, remarks, language)
    force = find_force(said, language)
    cells: dict[str, Any] = {
        "source": source.key, "speaker": source.person, "force": force, "quantity": reading.quantity,
        "measure": measure, "since": since, "as_of": as_of, "published": day, "qualifier": qualifier,
        "low": mention.low if qualifier == "range" else None,
        "value": mention.value if qualifier != "range" else None,
        "high": mention.high if qualifier == "range" else None,
        "unit": "share" if mention.share else "", "of": "deployed" if mention.share else "",
        "report": article.report, "url": article.url, "phrase": quote_phrase(reading, sentence), "exclude": EXCLUDE,
    }  # fmt: skip
    if qualifier != "range" and mention.value is None:
        cells["value"] = mention.low
    remarks[:0] = _explain(said, qualifier, source)
    confidence = _weigh(said, source, qualifier, days_sure=days_sure)
    note = f"sentence {sentence.number}; read with confidence {confidence:.2f}; {'; '.join(remarks)}"
    kept = {name: cell for name, cell in cells.items() if cell not in (None, "")}
    yield Draft(
        {**kept, "note": note}, sentence.number, sentence.text, mark_words(reading, sentence), confidence,
        source.label, tuple(remarks), sentence.heading and sentence.number <= LEADS,
    )  # fmt: skip


def _choose_qualifier(reading: Reading, sentence: Sentence, language: Language) -> str:
    """Return the wording: by its words, by what was found, or as docs/claims.md reads a bare number."""
    mention = reading.mention
    if mention.qualifier == "range":
        return "range"
    if reading.found and mention.qualifier in ("", "about", "exact") and not mention.vague and not mention.share:
        return "counted"
    if mention.qualifier:
        return mention.qualifier
    if mention.vague:
        return "range"
    lead = language.split(sentence.lead.rstrip(": "))
    if lead and (found := language.before.match_before(lead, len(lead))):
        return found.label
    if mention.share:
        return "about"
    value = mention.value or 0.0
    return "about" if value >= 20 and value % 10 == 0 else "exact"


def _explain(said: Said, qualifier: str, source: Speaker) -> Iterator[str]:
    reading, mention = said.reading, said.reading.mention
    if mention.vague:
        yield f"'{mention.vague}' is no number: read as {qualifier}, as wide as two to nine of its kind"
    elif mention.wording and qualifier != "range":
        yield f"'{mention.wording}' makes it {qualifier}"
    elif qualifier == "counted":
        yield "found, named or brought home: counted"
    if reading.inherited:
        yield f"that it counts {reading.quantity} is said of the number before it"
    elif reading.cue:
        yield f"'{reading.cue}' makes it {reading.quantity}"
    if reading.asked:
        yield f"'{reading.cue}' may mean the dead alone, or all losses: which?"
    if reading.civilian:
        yield "civilians, or people whose side is not said"
    if said.carried:
        yield "who says so stands in a sentence before"
    if source.key == UNATTRIBUTED:
        yield "who says so is not told"


def _weigh(said: Said, source: Speaker, qualifier: str, *, days_sure: bool) -> float:
    """Return how surely a row was read: each thing that was inferred and not said makes it less so."""
    reading, mention = said.reading, said.reading.mention
    sure = 0.97 - 0.02 * min(reading.cost, 15)
    sure *= 0.75 if reading.inherited else 1.0
    sure *= 1.0 if mention.wording or mention.qualifier or qualifier == "counted" else 0.93
    sure *= 0.6 if source.key == UNATTRIBUTED else 0.8 if said.carried else 1.0
    sure *= 0.8 if reading.asked or mention.single or mention.vague else 1.0
    return round(sure if days_sure else 0.9 * sure, 2)
