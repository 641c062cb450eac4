"""Plant one fault at a time in a copy of the package, and say which test notices it (`make mutants`).

Every fault of the list went unnoticed once, or could: a fault that is found in the code, or thought of, is added here
with the test that fails on it. A text that is no longer in its file is told as a fault of this list.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("sim", "tests", "priors", "docs", "pyproject.toml", "README.md")
PLANTED = "tests/test_planted.py"
PLAIN = "tests/model/test_plain.py"
MODEL = "tests/model/test_model.py"
RATIOS = "tests/model/test_ratios.py"
INVENTED = "tests/model/test_invented.py"
EARLY = "tests/model/test_earliness.py"
REWEIGHING = "tests/robustness/test_reweighing.py"
STRANGERS = "tests/test_strangers.py"
FOLDER = "tests/runs/test_folder.py"
PAGE_ONE = "tests/report/test_page_one.py"
PAST = "tests/calibration/test_past.py"
LENGTHS = "tests/test_lengths.py"


@dataclass(frozen=True)
class Planted:
    """A fault: what it is, the text that makes it in a file of the package, and the test that must fail on it."""

    name: str
    file: str
    old: str
    new: str
    test: str


FAULTS = (
    Planted(
        "simple rules of the back-test see the left-out war", "calibration/backtest.py",
        "others = reference or [other for other in rows if other.hindcast.war != war]",
        "others = reference or list(rows)",
        f"{PLANTED}::test_simple_rules_choose_their_spread_without_the_war_that_they_forecast",
    ),
    Planted(
        "the back-test leaves out only the first case of a war", "calibration/forecast.py",
        "others = [item for item in record.hindcasts if item.war != war]",
        "others = [i for i in record.hindcasts if i is not next(j for j in record.hindcasts if j.war == war)]",
        f"{PLANTED}::test_a_war_of_several_cases_is_left_out_whole",
    ),
    Planted(
        "the odds of nothing saw the left-out war", "calibration/forecast.py",
        "found = update_odds(found, [item for item in record.hindcasts if item.war != war], base)",
        "found = update_odds(found, record.hindcasts, base)",
        f"{PLANTED}::test_the_odds_of_nothing_never_saw_the_left_out_war",
    ),
    Planted(
        "a denial is read as a number", "case/evidence.py",
        "edge = math.inf if _is_none(item) and _denies(case, item, counts) else math.log(0.5)",
        "edge = math.log(0.5)",
        f"{EARLY}::test_a_zero_denies_what_others_count",
    ),
    Planted(
        "a source that counts some denies them too", "case/evidence.py",
        "    if any(other.source == item.source for other in against):\n        return False\n",
        "",
        f"{EARLY}::test_a_zero_denies_what_others_count",
    ),
    Planted(
        "a last word is early though nobody spoke after it", "model/claims/earliness.py",
        "return unknown * -math.expm1(-(newest - claim.published).days / FINDING)",
        "return unknown",
        f"{EARLY}::test_what_stands_alone_or_comes_last_is_not_early",
    ),
    Planted(
        "weights forget that a claim left out made others early", "robustness/reweighing.py",
        "if n not in of and (after in of or moved[n] or moved[int(after)])",
        "if n not in of and after in of",
        f"{REWEIGHING}::test_what_nobody_follows_any_more_is_early_no_more",
    ),
    Planted(
        "the workspace of the density is counted too small", "model/density/kernel.py",
        "(_SLOPES + 4) * rows", "(_SLOPES + 3) * rows",
        f"{PLAIN}::test_centred_effects_change_the_scale_alone[bounded]",
    ),
    Planted(
        "a narrow cell's series has a wrong term", "model/density/terms.py",
        "q6 = q4 * q * (1 / 42)", "q6 = q4 * q * (1 / 72)",
        "tests/model/test_likelihood.py::test_compiled_terms_and_their_derivatives",
    ),
    Planted(
        "a number made anew has the noise of one that is carried on", "model/density/memory.py",
        "far[Error.VARIANCE * TILE + k] = (factor * base) ** 2 + own",
        "far[Error.VARIANCE * TILE + k] = base**2 + own",
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model",
    ),
    Planted(
        "half of the metric's other half is forgotten", "sampler/trajectory.py",
        "v[i] = first + metric[i, i] * one + metric[i + 1, i] * two", "v[i] = first + metric[i, i] * one",
        "tests/sampler/test_chains.py::test_the_posterior_is_that_of_another_sampler",
    ),
    Planted(
        "a look that needed no fit is taken for a quick one", "report/robustness.py",
        'if all(each.kind in (*LEFT_OUT, "prior_power") for each in report.scenarios):', "if report.fits == 1:",
        "tests/robustness/test_sensitivity.py::test_a_whole_look_that_needed_no_fit_is_no_quick_one",
    ),
    Planted(
        "the kernel forgets declared events", "model/density/bursts.py",
        "size = kappa * saved[SavedBurst.MASS, i] + events[i]",
        "size = kappa * saved[SavedBurst.MASS, i] + 0 * events[i]",
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model",
    ),
    Planted(
        "a total that is admitted admits no part", "model/claims/invented.py",
        "case.parts_of(force, quantity) if quantity and quantity", "(quantity,) if quantity and quantity",
        f"{INVENTED}::test_a_total_that_is_admitted_admits_its_parts",
    ),
    Planted(
        "inventions count as often as they are in the record", "model/claims/invented.py",
        "np.where(sign > 0, SELECTED, 1.0)", "np.where(sign > 0, 1.0, 1.0)",
        f"{INVENTED}::test_odds_are_learned_as_by_quadrature",
    ),
    Planted(
        "what is claimed may be none without being nothing", "posterior/sample.py",
        "np.maximum(state[:, *place], 1.0)", "np.maximum(state[:, *place], 0.0)",
        f"{INVENTED}::test_a_loss_that_is_claimed_is_one_at_least_from_its_day_on",
    ),
    Planted(
        "the missing are never found", "model/claims/invented.py",
        'least < 1 or claim.quantity == "missing":', "least < 1:",
        f"{INVENTED}::test_what_is_admitted_or_has_odds_of_nothing_was_else_one_at_least",
    ),
    Planted(
        "the band takes counts for numbers without gaps", "calibration/scores.py",
        "ndtri((1 + np.asarray(mass[level])) / 2)", "ndtri((1 + level) / 2)",
        "tests/calibration/test_scores.py::test_the_band_holds_a_forecaster_of_small_counts",
    ),
    Planted(
        "chains of all wars begin at the values of other unknowns", "calibration/bywar/at_once.py",
        "slots = [slot_of[name] for name in names]", "slots = sorted((slot_of[name] for name in names), reverse=True)",
        "tests/calibration/test_bywar.py::test_chains_of_all_wars_begin_where_those_of_each_alone_have_ended",
    ),
    Planted(
        "what sources believe is nothing where nothing was lost", "posterior/sample.py",
        "return self.claimed_state.reshape(len(self.claimed_state), -1)",
        "return self.state.reshape(len(self.state), -1)",
        f"{INVENTED}::test_where_nothing_was_lost_nothing_is_counted_and_sources_still_err",
    ),
    Planted(
        "the spread of the own side acts on prisoners too", "model/claims/layout.py",
        "if biased and loss and role in OWN_SIDE", "if biased and role in OWN_SIDE",
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model[missing]",
    ),
    Planted(
        "no role is wide of the mark in a war", "model/buffer.py",
        "Size.WIDE_EFFECTS: beliefs.wide_latents", "Size.WIDE_EFFECTS: 0",
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model[one day]",
    ),
    Planted(
        "only sources are drawn wide of the mark", "model/design.py",
        "wide = design.beliefs.wide_latents", "wide = 0",
        "tests/model/test_model.py::test_roles_in_a_war_and_sources_are_drawn_as_wide_as_the_law_has_them",
    ),
    Planted(
        "a reading's posterior is its prior", "posterior/summary.py",
        "probability=round_figures(np.mean(weight), 4)", "probability=round_figures(reading.weight, 4)",
        f"{PLANTED}::test_readings_have_the_posterior_of_a_mixture_of_normal_laws",
    ),
    Planted(
        "a count's prior_share is one of standard deviations", "posterior/summary.py",
        "_share_left(float(np.std(log_values)) ** 2, float(np.std(log_prior)) ** 2)",
        "_share_left(float(np.std(log_values)), float(np.std(log_prior)))",
        f"{PLANTED}::test_what_is_left_of_the_prior_is_told_as_a_variance",
    ),
    Planted(
        "a bias's prior_share is one of standard deviations", "posterior/summary.py",
        "_share_left(float(np.var(values)), float(np.var(prior.biases[key])))",
        "_share_left(float(np.std(values)), float(np.std(prior.biases[key])))",
        f"{PLANTED}::test_what_is_left_of_the_prior_is_told_as_a_variance",
    ),
    Planted(
        "rows are simulated without outliers", "posterior/saying.py",
        "outlier = (rng.uniform(size=centre.shape) < noise.probability) & layout.contaminated",
        "outlier = np.zeros(centre.shape, dtype=bool)",
        f"{PLANTED}::test_simulated_sources_err_far_as_often_as_the_model_says[]",
    ),
    Planted(
        "statements are simulated without outliers", "posterior/simulate.py",
        "factor = np.where(outlier,", "factor = np.where(outlier & ~outlier,",
        f"{PLANTED}::test_simulated_sources_err_far_as_often_as_the_model_says[s]",
    ),
    Planted(
        "missing and captured are swapped for a bounded force", "model/losses/layout.py",
        'captured=_ints(find("captured_share", key) for key in bounded),\n'
        '        missing=_ints(find("missing_share", key) for key in bounded),',
        'captured=_ints(find("missing_share", key) for key in bounded),\n'
        '        missing=_ints(find("captured_share", key) for key in bounded),',
        f"{PLANTED}::test_missing_and_captured_are_not_each_other",
    ),
    Planted(
        "the same, by the plain model", "model/losses/layout.py",
        'captured=_ints(find("captured_share", key) for key in bounded),\n'
        '        missing=_ints(find("missing_share", key) for key in bounded),',
        'captured=_ints(find("missing_share", key) for key in bounded),\n'
        '        missing=_ints(find("captured_share", key) for key in bounded),',
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model[missing]",
    ),
    Planted(
        "intervals take the draw below", "posterior/summary.py",
        "(1 + level) / 2] for level in LEVELS])",
        '(1 + level) / 2] for level in LEVELS], method="lower")',
        f"{PLANTED}::test_edges_of_intervals_lie_between_the_draws_in_proportion",
    ),
    Planted(
        "the band takes rows for independent", "calibration/scores.py",
        "correlation = estimate_correlation(pits, wars)", "correlation = 0.0",
        f"{PLANTED}::test_the_band_widens_with_the_correlation_within_wars",
    ),
    Planted(
        "compare() prints 50% as 80%", "calibration/scores.py",
        "np.quantile(_resample_wars(difference, wars, rng), [0.1, 0.9]",
        "np.quantile(_resample_wars(difference, wars, rng), [0.25, 0.75]",
        f"{PLANTED}::test_the_interval_of_a_difference_is_one_of_80_percent",
    ),
    Planted(
        "Banzhaf's weights for Shapley's", "posterior/variance.py",
        "weight = 1 / (len(names) * math.comb(len(others), size))", "weight = 0.5 ** len(others)",
        f"{PLANTED}::test_three_copies_of_one_variable_have_a_third_each",
    ),
    Planted(
        "the learned covariance is halved", "calibration/learn.py",
        "np.atleast_2d(np.cov(self.draws.reshape(-1, len(self.keys)).T))",
        "np.atleast_2d(np.cov(self.draws.reshape(-1, len(self.keys)).T)) / 2",
        f"{PLANTED}::test_what_is_learned_is_the_covariance_of_all_chains",
    ),
    Planted(
        "the learned covariance is that of one chain", "calibration/learn.py",
        "np.atleast_2d(np.cov(self.draws.reshape(-1, len(self.keys)).T))", "np.atleast_2d(np.cov(self.draws[0].T))",
        f"{PLANTED}::test_what_is_learned_is_the_covariance_of_all_chains",
    ),
    Planted(
        "coverage by war is that by row", "calibration/scores.py",
        "by_war = _average_wars(table, wars).mean(axis=0)", "by_war = table.mean(axis=0)",
        f"{PLANTED}::test_coverage_is_a_mean_over_rows_and_over_wars",
    ),
    Planted(
        "a cell is one unit too wide", "case/observations.py",
        "return _cell(base, lower, math.log(value + unit / 2))",
        "return _cell(base, lower, math.log(value + 1.5 * unit))",
        f"{PLAIN}::test_rows_say_what_the_plain_reading_finds[missing]",
    ),
    Planted(
        "a share is of the losses where it says of those sent", "case/wordings.py",
        'of or "deployed"', 'of or "losses"',
        f"{PLAIN}::test_rows_say_what_the_plain_reading_finds[bounded]",
    ),
    Planted(
        "a ratio has the noise of shares", "model/claims/rows.py",
        "if row.observation and row.observation.is_share:", "if row.observation and row.observation.whole:",
        f"{PLAIN}::test_the_density_is_that_of_the_plain_model[ratios]",
    ),
    Planted(
        "a source has one role towards both sides of a ratio", "model/claims/layout.py",
        "role = reading.role if force == reading.force else roles_towards(self.case, reading.source, force)[0]",
        "role = reading.role",
        f"{RATIOS}::test_a_source_has_the_bias_of_each_side",
    ),
    Planted(
        "the way back forgets what a ratio is of", "model/density/terms.py",
        "return ratio, 1.0, -1.0", "return ratio, 1.0, 0.0",
        f"{MODEL}::test_gradient_is_a_difference_of_densities[ratios-3]",
    ),
    Planted(
        "a share of a known number is as round as its count", "case/observations.py",
        "    if claim.known_whole is not None:\n        return None\n", "",
        f"{PLAIN}::test_rows_say_what_the_plain_reading_finds[shares of known numbers]",
    ),
    Planted(
        "a range is read as a central 90%", "case/observations.py",
        "RANGE_SPAN = 2 * 1.2815515655446004", "RANGE_SPAN = 2 * 1.6448536269514722",
        f"{PLAIN}::test_rows_say_what_the_plain_reading_finds[bounded]",
    ),
    Planted(
        "links are followed", "system/reading.py",
        '_STRAIGHT = getattr(os, "O_NOFOLLOW", 0)', "_STRAIGHT = 0",
        f"{STRANGERS}::test_no_file_of_a_case_is_read_through_a_link",
    ),
    Planted(
        "a file is read before its size is looked at", "system/reading.py",
        "if found.st_size <= limit else None", "if found.st_size <= 10**9 else file.read()",
        "tests/system/test_store.py::test_a_store_of_another_size_is_refused",
    ),
    Planted(
        "a case's prior may lie anywhere", "case/priors.py",
        'Path(name).is_absolute() or ".." in Path(name).parts', "False",
        f"{STRANGERS}::test_a_case_names_priors_in_its_own_folder",
    ),
    Planted(
        "a draft that was swapped is not noticed", "system/writing.py",
        "if not self.is_there(path):", "if not self.is_there(path) and False:",
        "tests/system/test_writing.py::test_nothing_is_written_through_a_link_that_takes_the_place_of_a_draft",
    ),
    Planted(
        "a store's lines are not checked", "system/store.py",
        "entry = self._check(task, entry, number)", "pass",
        "tests/system/test_store.py::test_a_line_that_is_not_ours_is_refused_with_its_number",
    ),
    Planted(
        "the latest run is the last by name", "runs/folder.py",
        "key=lambda run: ((run / MANIFEST).stat().st_mtime_ns, run.name)", "key=lambda run: run.name",
        f"{FOLDER}::test_the_latest_run_is_the_one_that_was_written_last",
    ),
    Planted(
        "a sensitivity report of other inputs is the run's", "runs/folder.py",
        'report.get("inputs") == result.inputs', "True",
        f"{FOLDER}::test_a_report_of_other_inputs_is_not_that_of_the_run",
    ),
    Planted(
        "a shift is held against the error of the first run alone", "runs/compare.py",
        "error, scale = float(np.hypot(first, second)),", "error, scale = float(first),",
        f"{FOLDER}::test_a_shift_is_held_against_the_errors_of_both_runs",
    ),
    Planted(
        "a repeated run may have more counts than it had", "runs/verify.py",
        "for second in later.values():", "for second in ():",
        "tests/runs/test_verify.py::test_numbers_stand_within_monte_carlo_error",
    ),
    Planted(
        "keys may hold what steers a terminal", "system/reading.py",
        "if key is not None:\n", "if key is None:\n",
        "tests/system/test_reading.py::test_what_steers_a_terminal_is_refused_in_keys_and_in_values",
    ),
    Planted(
        "days of a path may stand in any order", "contract/check.py",
        "if list(path.days) != sorted(set(path.days)):", "if set(path.days) != set(path.days):",
        "tests/contract/test_records.py::test_what_is_damaged_is_refused_in_one_line",
    ),
    Planted(
        "a sensitivity report may lack its headline", "contract/check.py",
        "if not {*names, (found.force, found.headline)} <= {", "if {*names, (found.force, found.headline)} < {",
        "tests/contract/test_records.py::test_a_sensitivity_report_has_its_headlines_in_every_fit",
    ),
    Planted(
        "a low end of zero is read as one", "importers/ucdp.py",
        "max(low, 0.5)", "max(low, 1.0)", "tests/importers/test_ucdp.py::test_a_low_end_of_zero_is_read_as_one_half",
    ),
    Planted(
        "chains that diverged are drawn on after the last sure attempt", "posterior/verdict.py",
        "fit.verdict.max_rhat < CLOSE and not fit.draws.divergences", "fit.verdict.max_rhat < CLOSE",
        "tests/posterior/test_ladder.py::test_after_so_many_attempts_chains_that_diverge_end",
    ),
    Planted(
        "a force called as a key is told the keys of another table", "errors.py",
        "                next(parts, None)  # which of them", "                pass",
        "tests/case/test_claims.py::test_a_bad_case_file_is_refused",
    ),
    Planted(
        "sites may be out of all proportion", "calibration/bywar/kept.py",
        "np.all(entries < MOST)", "np.all(entries < np.inf)",
        "tests/calibration/test_bywar.py::test_sites_that_no_war_can_have_are_refused",
    ),
    Planted(
        "a field of a template may have another say what it is", "report/memo/word_package.py",
        'return found[1] if found else ""', 'return found[1] if found else "="',
        "tests/report/test_docx_templates.py::test_a_docx_template_brings_text_and_styles_alone",
    ),
    Planted(
        "an official figure is set beside our number of an earlier evening", "report/official.py",
        "max(bisect_right(path.days, day) - 1, 0)", "max(bisect_right(path.days, day) - 2, 0)",
        f"{PAGE_ONE}::test_our_number_of_an_earlier_day_is_that_of_the_last_evening_that_the_path_knows",
    ),
    Planted(
        "the 90% of a median of past wars are its 50%", "calibration/past.py",
        "np.quantile(medians, [0.05, 0.95])", "np.quantile(medians, [0.25, 0.75])",
        f"{PAST}::test_a_median_is_as_sure_as_the_wars_are_many",
    ),
    Planted(
        "a number of fewer days is held against the truth of all", "calibration/past.py",
        "            and claim.since in (since, None)\n", "",
        f"{PAST}::test_a_factor_is_of_the_last_number_of_a_source_as_of_the_end",
    ),
    Planted(
        "the errors of the 90% edges are those of the 50% edges", "posterior/summary.py",
        "for edge in (0.05, 0.95)]", "for edge in (0.25, 0.75)]",
        f"{PLANTED}::test_a_count_is_told_with_the_errors_of_its_own_edges_and_what_biases_explain",
    ),
    Planted(
        "what biases explain is a share of standard deviations", "posterior/summary.py",
        "1 - np.var(rest) / np.var(log_values)", "1 - np.std(rest) / np.std(log_values)",
        f"{PLANTED}::test_a_count_is_told_with_the_errors_of_its_own_edges_and_what_biases_explain",
    ),
    Planted(
        "how far a claim is off is told in variances", "posterior/summary.py",
        "np.std(logs, ddof=1), 4)", "np.var(logs, ddof=1), 4)",
        f"{PLANTED}::test_how_far_a_claim_is_off_is_told_in_standard_deviations_of_what_was_expected",
    ),
    Planted(
        "the next report is never an outlier", "posterior/next_report.py",
        "np.asarray(sd * np.where(outlier, theta[:, at.outlier_factor], 1.0) * rng", "np.asarray(sd * rng",
        f"{PLANTED}::test_the_next_report_may_be_an_outlier_as_often_as_the_model_says",
    ),
    Planted(
        "numbers of days long apart contradict each other", "report/confidence.py",
        "near = [each for each in told.values() if dt.date.fromisoformat(each.as_of) >= first]",
        "near = list(told.values())",
        f"{PAGE_ONE}::test_numbers_of_days_long_apart_do_not_contradict_each_other",
    ),
    Planted(
        "a number of some days is a latest total", "report/official.py",
        'and claim.measure != "interval" and claim.unit', "and claim.unit",
        f"{PAGE_ONE}::test_a_number_of_some_days_is_no_latest_total",
    ),
    Planted(
        "a million has two readings where it has a point", "importers/counts.py", "share=unit > 1", "share=False",
        "tests/importers/test_mapped.py::test_of_millions_and_thousands_a_point_is_decimal",
    ),
    Planted(
        "processes are started with the working folder on their path", "system/children.py",
        'return [sys.executable, "-P", *words]', "return [sys.executable, *words]",
        f"{STRANGERS}::test_a_process_that_is_started_finds_no_module_in_the_working_folder",
    ),
    Planted(
        "libraries start processes with the working folder on their path", "cli/start.py",
        'os.environ["PYTHONSAFEPATH"] = "1"', "pass",
        f"{STRANGERS}::test_no_module_in_the_working_folder_is_run",
    ),
    Planted(
        "an interruption leaves what was scratched", "system/writing.py",
        "with _draft_in(Path(tempfile.gettempdir()), mode=0o700) as draft:\n        yield draft.path",
        "with tempfile.TemporaryDirectory() as folder:\n        yield Path(folder)",
        "tests/system/test_writing.py::test_what_is_scratched_is_ones_own_and_does_not_outlive_its_owner",
    ),
    Planted(
        "a page is searched for what leads elsewhere as a parser sees it", "report/memo/pages.py",
        'object|embed|portal)(?=[\\s/>])"', 'object|embed|portal)(?=\\s)(?![^<]*</style>)"',
        f"{STRANGERS}::test_a_users_template_asks_the_network_for_nothing",
    ),
    Planted(
        "comments before a page are divided among each other in all ways", "draft/articles.py",
        'rb"\\s*+(?:<!--(?:(?!-->).)*+-->\\s*+)*+<', 'rb"\\s*(?:<!--.*?-->\\s*)*<',
        f"{LENGTHS}::test_an_article_takes_time_with_its_length[comments without an end]",
    ),
    Planted(
        "a name may be as long as a text", "draft/heads.py",
        "[\\w-]{{1,100}}+", "[\\w-]+", f"{LENGTHS}::test_an_article_takes_time_with_its_length[a word of hyphens]",
    ),
    Planted(
        "digits are parted in all ways", "case/wordings.py",
        'NUMBER = re.compile(r"[+-]?(\\d++', 'NUMBER = re.compile(r"[+-]?(\\d+',
        f"{LENGTHS}::test_a_cell_takes_time_with_its_length[digits for a number]",
    ),
    Planted(
        "a day is looked for from each letter of a cell", "importers/mapped.py",
        'r"\\A.*(?:', 'r".*(?:', f"{LENGTHS}::test_a_cell_takes_time_with_its_length[words for a day]",
    ),
    Planted(
        "a workbook is looked through in the program itself", "system/sheets/workbooks.py",
        "    made = json.loads(run_confined(", "    from sim.system.sheets.inspection import inspect_workbook\n"
        "    inspect_workbook(raw)\n    made = json.loads(run_confined(",
        f"{LENGTHS}::test_a_workbook_is_looked_through_where_time_is_limited",
    ),
    Planted(
        "of a key that is there twice the last value is taken", "system/reading.py",
        ", object_pairs_hook=_refuse_twice", "", f"{LENGTHS}::test_a_key_that_is_there_twice_is_told",
    ),
    Planted(
        "a shift is divided by whatever deviation is told", "runs/compare.py",
        "entry.log_sd if entry.log_sd > LEAST_SD else 1.0", "entry.log_sd or 1.0",
        f"{LENGTHS}::test_no_shift_of_a_count_is_infinite",
    ),
    Planted(
        "a case from Python may be named after a path", "case/folder.py",
        "if not isinstance(name, str) or not _NAME.fullmatch(name):", "if not isinstance(name, str):",
        f"{LENGTHS}::test_no_value_from_python_is_another_error",
    ),
    Planted(
        "a letter that a terminal lacks is written out as Python does", "cli/app.py",
        'stream.reconfigure(errors="write-out")', 'stream.reconfigure(errors="backslashreplace")',
        "tests/cli/test_cli.py::test_json_stays_json_where_a_terminal_lacks_letters",
    ),
    Planted(
        "lines of a store may be of any length", "system/store.py",
        "if len(line) > MAX_JSON:", "if len(line) > MAX_STORE:",
        "tests/system/test_store.py::test_a_line_of_a_store_is_no_longer_than_a_file_of_json",
    ),
    Planted(
        "drafts are swept up however long it takes", "system/writing.py",
        "if time.monotonic() > end:", "if False:",
        "tests/system/test_writing.py::test_drafts_that_nobody_can_remove_do_not_hold_a_command_up",
    ),
    Planted(
        "a repeated run may say anything of its inputs", "runs/verify.py",
        "stands=not (moved or otherwise)", "stands=not moved",
        "tests/runs/test_verify.py::test_words_and_probabilities_stand_with_the_numbers",
    ),
    Planted(
        "a picture may have more behind its end", "report/memo/pictures.py",
        'return "something follows it" if offset < len(content) else None', "return None",
        f"{STRANGERS}::test_a_picture_is_one_to_the_last_byte",
    ),
    Planted(
        "a confined process may write files", "system/confinement.py",
        '"RLIMIT_FSIZE": 0, ', "", f"{STRANGERS}::test_a_confined_process_has_the_limits_that_are_said",
    ),
    Planted(
        "a confined process may take any memory", "system/confinement.py",
        '"RLIMIT_AS": MAX_MEMORY, ', "", f"{STRANGERS}::test_a_confined_process_has_the_limits_that_are_said",
    ),
    Planted(
        "text of a table of numbers may be a formula", "report/table.py",
        'value.startswith(("=", "+", "-", "@", "\\t", "\\r"))', 'value.startswith(("+", "-", "@"))',
        "tests/runs/test_written.py::test_hostile_text_stays_text_in_figures",
    ),
    Planted(
        "a table's text is not looked at for what steers a terminal", "system/sheets/grids.py",
        "    refuse_controls(text, file)\n", "",
        "tests/system/test_reading.py::test_what_steers_a_terminal_is_refused_in_every_cell_of_a_table",
    ),
)  # fmt: skip


def find_faults_of_list(root: Path = ROOT) -> list[str]:
    """Return what is amiss with the list: a text that is not in its file once, or a test that is not there."""
    found = []
    for fault in FAULTS:
        count = (root / "sim" / fault.file).read_text(encoding="utf-8").count(fault.old)
        if count != 1:
            found.append(f"{fault.name}: its text is {count} times in sim/{fault.file}")
        file, _, test = fault.test.partition("::")
        if f"def {re.sub(r'\[.*', '', test)}(" not in (root / file).read_text(encoding="utf-8"):
            found.append(f"{fault.name}: there is no {fault.test}")
    return found


def plant(fault: Planted, copy: Path) -> str:
    """Plant a fault in a copy of the tree, run its test, take it out again; return what came of it."""
    path = copy / "sim" / fault.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(fault.old, fault.new), encoding="utf-8")
    try:
        order = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", fault.test]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        done = subprocess.run(order, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode == 1:
        return f"noticed by {fault.test}"
    return "NOT NOTICED" if done.returncode == 0 else f"NOT TRIED: pytest ends with {done.returncode}"


def main() -> int:
    """Plant the faults whose names hold a word; return 1 where one is not noticed."""
    parser = argparse.ArgumentParser(description="plant faults, and say which test notices")
    parser.add_argument("word", nargs="?", default="", help="only faults whose name holds it")
    chosen = [fault for fault in FAULTS if parser.parse_args().word in fault.name]
    amiss = find_faults_of_list()
    for line in amiss:
        sys.stdout.write(f"{line}\n")
    with tempfile.TemporaryDirectory() as place:
        for name in COPIED:
            source = ROOT / name
            copy = Path(place) / name
            shutil.copytree(source, copy) if source.is_dir() else shutil.copy2(source, copy)
        results = []
        for fault in chosen:
            started = time.perf_counter()
            results.append(plant(fault, Path(place)))
            sys.stdout.write(f"{fault.name}: {results[-1]} ({time.perf_counter() - started:.0f} s)\n")
            sys.stdout.flush()
    noticed = sum(result.startswith("noticed") for result in results)
    sys.stdout.write(f"{noticed} of {len(results)} faults are noticed\n")
    return int(bool(amiss) or noticed < len(results))


if __name__ == "__main__":
    sys.exit(main())
