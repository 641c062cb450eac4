"""Where forecasts did well and where not: scores by kind of row, ranks of the truths, words, and losses of zero."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.calibration.baselines import Said
from sim.calibration.hindcasts import Hindcast
from sim.calibration.scores import Established, Score, Vector, compare, summarise
from sim.calibration.truths import Truth
from sim.words import say_probability

PIT_BINS = 10
THRESHOLDS = tuple(float(each) for each in 10.0 ** np.arange(6))  # whose exceedance is put in words: 1 to 100,000
KEPT_PER_CENT = (0.01, 0.99)  # what is nearly certain either way says nothing of the words
LEAST_P = 1 / 2_000  # that a forecast of some thousand draws can speak of
MANY_CLAIMS = 6


@dataclass(frozen=True)
class ScoredTruth:
    """A truth that is not zero, with its war, and what was said of it."""

    hindcast: Hindcast
    truth: Truth
    said: Said


def _name_size(row: ScoredTruth) -> str:
    decade = max(math.floor(math.log10(max(row.truth.value, 1)) + 1e-9), 0)
    return f"{10**decade:,} to {10 ** (decade + 1):,}"


def _name_claims(row: ScoredTruth) -> str:
    count = row.said.log_claims.size
    return f"{MANY_CLAIMS} or more" if count >= MANY_CLAIMS else "3 to 5" if count >= 3 else str(count)


def _name_body(row: ScoredTruth) -> str:
    """Return the body of the source with most claims; of several, that which comes first."""
    if not row.said.sources:
        return "none"
    source, _ = Counter(row.said.sources).most_common(1)[0]
    return row.hindcast.case.sources[source].body or "unknown"


STRATA: dict[str, Callable[[ScoredTruth], str]] = {
    "victims": lambda row: row.truth.kind,
    "quantity": lambda row: row.truth.quantity,
    "event": lambda row: row.truth.event or "unknown",
    "size": _name_size,
    "decade": lambda row: f"{row.truth.day.year // 10 * 10}s",
    "claims": _name_claims,
    "body": _name_body,
}


def report_strata(
    rows: Sequence[ScoredTruth], scores: Sequence[Score], simple: Mapping[str, Sequence[Score]], seed: int
) -> dict[str, Any]:
    """Return the scores of rows of each kind, and their difference to the simple rule that is best over all rows.

    Returns
    -------
    dict
        `best_rule`, by CRPS over all rows, and `strata`: by kind and name what `summarise` and `compare` return.
        Rows of few wars tell little, and of forty strata some lie outside their band by chance.
    """
    if not rows:
        return {"best_rule": None, "strata": {}}
    best = min(simple, key=lambda name: float(np.mean([score.crps for score in simple[name]])))
    found: dict[str, dict[str, Any]] = {}
    for kind, name_of in STRATA.items():
        members: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            members[name_of(row)].append(number)
        found[kind] = {
            name: _score_stratum(members[name], rows, scores, simple[best], seed) for name in sorted(members, key=_sort)
        }
    return {"best_rule": best, "strata": found}


def _sort(name: str) -> tuple[float, str]:
    """Return what puts names that begin with a number in its order."""
    digits = "".join(letter for letter in name.split(" ", maxsplit=1)[0] if letter.isdigit())
    return float(digits or -1), name


def _score_stratum(
    numbers: Sequence[int], rows: Sequence[ScoredTruth], ours: Sequence[Score], theirs: Sequence[Score], seed: int
) -> dict[str, Any]:
    wars = [rows[number].hindcast.war for number in numbers]
    own, other = [ours[number] for number in numbers], [theirs[number] for number in numbers]
    return {
        **summarise(own, wars, np.random.default_rng(seed)),
        **compare(own, other, wars, np.random.default_rng(seed)),
        "median_log_error": float(
            np.median([
                math.log(score.median + 0.5) - math.log(rows[number].truth.value + 0.5)
                for score, number in zip(own, numbers, strict=True)
            ])
        ),
    }  # fmt: skip


def count_pits(scores: Sequence[Score]) -> list[int]:
    """Return how many truths have their rank in each tenth of the forecast; alike in all where it is calibrated."""
    counts, _ = np.histogram([score.pit for score in scores], PIT_BINS, (0, 1))
    return [int(count) for count in counts]


def rate_words(
    truths: Sequence[Established], forecasts: Sequence[Vector], wars: Sequence[str], scale: str = "icd203"
) -> list[dict[str, Any]]:
    """Return how often what was put in words came true, over exceedances of THRESHOLDS.

    Parameters
    ----------
    truths, forecasts, wars : sequence
        Of each row: what is established, quantiles of the forecast, and the war.
    scale : str
        Whose words.

    Returns
    -------
    list of dict
        By rising probability: `words`, `n` exceedances in `wars` wars, the mean `probability` that was stated, and
        `right`, the share that came true. Several thresholds of one row are not independent.
    """
    low, high = KEPT_PER_CENT
    said: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for truth, forecast, war in zip(truths, forecasts, wars, strict=True):
        for above in THRESHOLDS:
            stated = float(np.mean(forecast > above))
            if low <= stated <= high:
                said[say_probability(stated, scale)].append((stated, 1 - truth.cdf(above), war))
    found = [
        {
            "words": words,
            "n": len(each),
            "wars": len({war for *_, war in each}),
            "probability": float(np.mean([stated for stated, *_ in each])),
            "right": float(np.mean([came for _, came, _ in each])),
        }
        for words, each in said.items()
    ]
    return sorted(found, key=lambda entry: float(entry["probability"]))


def score_zeros(stated: Sequence[tuple[Truth, float]]) -> dict[str, float]:
    """Return how well forecasts told invented losses from real ones: the log score, and the mean P(0) of either.

    The log score is the mean of log P(zero) where nothing was lost, and of log(1 - P(zero)) elsewhere, over all rows;
    0 is the best. A probability of none is taken as LEAST_P.
    """
    made_up = [p for truth, p in stated if truth.is_zero]
    small = [p for truth, p in stated if not truth.is_zero and truth.value < 10]
    logs = [math.log(max(p if truth.is_zero else 1 - p, LEAST_P)) for truth, p in stated]
    return {
        "log_score": float(np.mean(logs)) if logs else 0.0,
        "invented": len(made_up),
        "p_zero_of_invented": float(np.mean(made_up)) if made_up else 0.0,
        "real_below_10": len(small),
        "p_zero_of_real_below_10": float(np.mean(small)) if small else 0.0,
    }
