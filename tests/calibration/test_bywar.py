"""Learning one war at a time: exact where all is normal, as all wars at once, and gone on from when a war is added."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from records import write_record

from sim.calibration.bywar import at_once, kept, passes
from sim.calibration.bywar.at_once import learn_at_once
from sim.calibration.bywar.belief import LEAST_SHARE, Belief, Site, leave_out
from sim.calibration.bywar.fit import measure_site, regress_slopes
from sim.calibration.bywar.kept import hash_wars, learn_kept, read_sites
from sim.calibration.bywar.passes import learn_sites
from sim.calibration.forecast import forecast_wars
from sim.calibration.learn import BRIEF, assemble, design_hindcast
from sim.calibration.record import read_record
from sim.case.priors import read_priors
from sim.errors import InputError
from sim.posterior.fit import list_densities


def make_belief(rng, size, scale=1.0):
    root = rng.normal(size=(size, size))
    precision = scale * (root @ root.T + size * np.eye(size))
    return Belief(precision, precision @ rng.normal(size=size))


def make_site(rng, size):
    found = make_belief(rng, size, 0.3)
    return Site(found.precision, found.shift)


def test_a_normal_site_is_found_to_the_digit_from_few_draws(rng):
    """Y = A u + B z + e, all normal: 60 draws of (u, z) give the site that the marginal likelihood has."""
    shared, own, seen, draws = 3, 4, 5, 60
    A, B, y = rng.normal(size=(seen, shared)), rng.normal(size=(seen, own)), rng.normal(size=seen)
    u, z = rng.normal(size=(draws, shared)), rng.normal(size=(draws, own))
    errors = y - u @ A.T - z @ B.T
    precision, shift = regress_slopes(u, errors @ A, errors @ B - z)
    noise = np.linalg.inv(np.eye(seen) + B @ B.T)
    assert precision == pytest.approx(A.T @ noise @ A)
    assert shift == pytest.approx(A.T @ noise @ y)


def test_a_site_is_measured_on_the_parameters_own_scales(rng):
    """The normal case again, far from the origin, with a fourth parameter that the data do not speak of."""
    shared, seen, draws = 3, 5, 60
    A, B, y = rng.normal(size=(seen, shared)), rng.normal(size=(seen, 4)), rng.normal(size=seen)
    mean, scale = np.array([5.0, -2.0, 0.5, 9.0]), np.array([0.1, 3.0, 1.0, 2.0])
    away, z = scale * rng.normal(size=(draws, shared + 1)), rng.normal(size=(draws, 4))
    errors = y - (mean + away)[:, :shared] @ A.T - z @ B.T
    site = measure_site(away, np.hstack([errors @ A, np.zeros((draws, 1))]), errors @ B - z, mean)
    noise = np.linalg.inv(np.eye(seen) + B @ B.T)
    assert site.precision[:shared, :shared] == pytest.approx(A.T @ noise @ A)
    assert site.shift[:shared] == pytest.approx(A.T @ noise @ y)
    assert not site.precision[shared].any()
    assert site.shift[shared] == 0


def test_without_scores_the_same_draws_leave_noise(rng):
    """The control variate earns its place: without it the site is off by more than a tenth."""
    u, z = rng.normal(size=(60, 1)), rng.normal(size=(60, 1))
    errors = 1.0 - u - 2 * z
    plain, _ = regress_slopes(u, errors, np.zeros((60, 0)))
    assert abs(plain[0, 0] - 1 / 5) > 0.1


def test_what_is_added_is_taken_away_again(rng):
    prior, one, two = make_belief(rng, 4), make_site(rng, 4), make_site(rng, 4)
    rest = leave_out(prior.add([one, two]), one, prior)
    assert rest.mean == pytest.approx(prior.add([two]).mean)
    assert rest.covariance == pytest.approx(prior.add([two]).covariance)


def test_a_direction_that_noise_has_emptied_keeps_a_share_of_the_prior(rng):
    """And the other directions, and laws that lack nothing, stay as they are."""
    prior = make_belief(rng, 3)
    root = np.linalg.cholesky(prior.covariance)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    back = np.linalg.inv(root).T @ turn
    broken = Belief((back * [-0.4, 2.0, 3.0]) @ back.T, prior.shift)
    mended, lacked = broken.make_proper(prior)
    assert lacked
    whitened = turn.T @ root.T @ mended.precision @ root @ turn
    assert whitened == pytest.approx(np.diag([LEAST_SHARE, 2.0, 3.0]), abs=1e-9)
    assert prior.make_proper(prior) == (prior, False)


def test_the_divergence_of_two_laws_is_that_of_the_text_books():
    one = Belief(np.array([[4.0]]), np.array([4.0]))  # mean 1, sd .5
    two = Belief(np.array([[1.0]]), np.array([0.0]))  # mean 0, sd 1
    assert one.diverge(two) == pytest.approx(np.log(2) + (0.25 + 1) / 2 - 0.5)
    assert one.diverge(one) == pytest.approx(0)


@pytest.fixture(scope="module")
def vague():
    return read_priors("vague")


def make_wars(count, seed):
    """Return tables of one-day wars whose own side halves and whose adversary trebles, each with its own noise."""
    rng = np.random.default_rng(seed)
    claims, truths = [], []
    for n in range(count):
        truth = round(float(rng.lognormal(6, 1)))
        for source, role, factor, noise in (("us", "own", 0.5, 0.2), ("them", "adversary", 3.0, 0.5)):
            said = round(truth * factor * float(rng.lognormal(0, noise)))
            row = f"{source}{n},,{role},x,killed,cumulative,,2001-05-01,2001-05-02,exact,,{said},,,,,,,,,"
            claims.append(f"c{n},{source}{n},{row}")
        truths.append(f"c{n},w{n:02},A,x,,killed,2001-05-01,2001-05-01,2001-05-01,,{truth},,,")
    return claims, truths


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return read_record(*write_record(tmp_path_factory.mktemp("few"), *make_wars(4, 1))).hindcasts


@pytest.fixture(scope="module")
def briefly(few, vague):
    return learn_sites(few, vague, 1, passes=(1, 1))


def test_one_war_at_a_time_is_as_all_at_once(tmp_path, vague):
    """Means within a third of a posterior sd, sds within a quarter: what a normal law and few draws leave.

    And what made the claims is found.
    """
    record = read_record(*write_record(tmp_path, *make_wars(12, 5)))
    learned = learn_sites(record.hindcasts, vague, 1)
    whole = learn_at_once(record.hindcasts, vague, 1, replace(BRIEF, draws=1_500), known=learned.sites)
    sd = np.sqrt(np.diag(whole.covariance))
    assert np.max(np.abs(learned.mean - whole.mean) / sd) < 0.34
    assert np.sqrt(np.diag(learned.covariance)) / sd == pytest.approx(1, abs=0.25)
    assert learned.diagnostics.trusted
    for key, value in (("role.own.losses", np.log(0.5)), ("role.adversary.losses", np.log(3.0))):
        place = learned.keys.index(key)
        assert abs(learned.mean[place] - value) < 3 * sd[place]
        assert sd[place] < 0.35


def test_chains_of_all_wars_begin_where_those_of_each_alone_have_ended(few, vague, briefly, monkeypatch):
    """Every unknown of every war, under its own name; the shared ones at the mean of what all wars tell."""
    taken, asked = [], []
    real = at_once.join_ends
    monkeypatch.setattr(at_once, "join_ends", lambda *a: taken.append((a, real(*a))) or taken[-1][1])
    monkeypatch.setattr(at_once, "learn_priors", lambda *_, begin, **options: asked.append((begin, options)))
    at_once.learn_at_once(few, vague, 1, chains=3, known=briefly.sites)
    ((begin, options),) = asked
    whole = assemble([(design_hindcast(item, vague), item.war) for item in few], vague.joint)
    state = begin(whole)
    (((_, belief, ends, _), _),) = taken
    shared, root = len(whole.joint.keys), np.linalg.cholesky(np.array(whole.joint.covariance))
    mean = np.array(whole.joint.mean) + state.x[:, :shared] @ root.T
    np.testing.assert_allclose(mean, np.tile(briefly.mean, (3, 1)), atol=1e-8)
    assert belief.mean == pytest.approx(briefly.mean)
    named = [name for names, _, _ in ends for name in names]
    assert sorted(named) == sorted(whole.names[shared:])
    for names, ended, spread in ends:
        slots = [whole.names.index(name) for name in names]
        np.testing.assert_array_equal(state.x[:, slots], ended)
        np.testing.assert_array_equal(state.metric.scale[slots], spread)
        assert len({tuple(row) for row in ended}) == options["chains"]  # each chain has its own
    assert np.isfinite(list_densities(whole.buffer, state.x)).all()


def test_of_what_a_war_does_not_speak_its_site_says_nothing(briefly):
    place = briefly.keys.index("wording.at_least")
    for site in briefly.sites.values():
        assert not site.precision[place].any()
        assert site.shift[place] == 0


def test_a_war_left_out_takes_its_own_site_alone(briefly):
    rest = briefly.without("w00")
    others = [site for war, site in briefly.sites.items() if war != "w00"]
    assert rest.mean == pytest.approx(briefly.prior.add(others).mean)
    assert briefly.without("nowhere").mean == pytest.approx(briefly.mean)
    ranked = briefly.rank_influence()
    assert [value for _, value in ranked] == sorted((value for _, value in ranked), reverse=True)


def test_two_workers_learn_as_one(few, vague, briefly):
    np.testing.assert_array_equal(learn_sites(few, vague, 1, passes=(1, 1), jobs=2).mean, briefly.mean)


def test_only_a_war_that_is_new_is_begun_with(tmp_path, vague, monkeypatch):
    """Two wars are learned and kept; a third is added: the first pass is of it alone. Unchanged, nothing is drawn."""
    claims, truths = make_wars(3, 2)
    two = read_record(*write_record(tmp_path / "two", claims[:4], truths[:2])).hindcasts
    three = read_record(*write_record(tmp_path / "three", claims, truths)).hindcasts
    asked = []
    real = passes.fit_as_entry
    monkeypatch.setattr(passes, "fit_as_entry", lambda *args: asked.append(args[-1]) or real(*args))
    path = tmp_path / "sites.json"
    first = learn_kept(two, vague, 1, path, passes=(1, 1))
    asked.clear()
    assert learn_kept(two, vague, 1, path).mean == pytest.approx(first.mean)
    assert asked == []
    learn_kept(three, vague, 1, path, passes=(1, 1))
    assert asked[0] == "w02"
    assert sorted(asked) == ["w00", "w01", "w02", "w02"]
    assert set(read_sites(path, vague, hash_wars(three, vague))[0]) == {"w00", "w01", "w02"}


def test_sites_of_a_war_that_was_changed_are_not_used(tmp_path, vague, few, briefly):
    path, hashes = tmp_path / "sites.json", hash_wars(few, vague)
    kept.write_sites(briefly, path, hashes)
    same, whole = read_sites(path, vague, hashes)
    assert whole is not None
    assert whole.mean == pytest.approx(briefly.mean)
    other, whole = read_sites(path, vague, {**hashes, "w03": "0"})
    assert (set(same) - set(other), whole) == ({"w03"}, None)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="does not hold sites that were learned"):
        read_sites(path, vague, hashes)


@pytest.mark.parametrize(
    "change",
    [
        lambda site, _: site["precision"][0].__setitem__(1, 5.0),
        lambda site, _: site["precision"][2].__setitem__(2, -1e300),
        lambda site, _: site["precision"][2].__setitem__(2, 1e12),
        lambda site, _: site["shift"].__setitem__(0, 1e30),
        lambda _, diagnostics: diagnostics.__setitem__("moved", float("inf")),
        lambda _, diagnostics: diagnostics.__setitem__("error", float("nan")),
    ],
)
def test_sites_that_no_war_can_have_are_refused(change, tmp_path, vague, few, briefly):
    """Else what they give is no law, or is out of all proportion, and the fault is told of something else."""
    path, hashes = tmp_path / "sites.json", hash_wars(few, vague)
    kept.write_sites(briefly, path, hashes)
    tree = json.loads(path.read_text(encoding="utf-8"))
    change(tree["sites"]["w01"], tree["diagnostics"])
    path.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(InputError, match="does not hold sites that were learned"):
        read_sites(path, vague, hashes)


@pytest.mark.parametrize("resume", [False, True])
def test_sites_of_an_earlier_backtest_stay_until_others_take_their_place(
    resume, tmp_path, vague, few, briefly, monkeypatch
):
    """A back-test that begins anew learns all again; where it is killed meanwhile, what was there is there."""
    path, hashes, asked = tmp_path / "sites.json", hash_wars(few, vague), []
    kept.write_sites(replace(briefly, sites={war: briefly.sites[war] for war in ("w00", "w01")}), path, hashes)
    before = path.read_bytes()

    def die(*_, known, **__):
        asked.append(set(known))
        raise KeyboardInterrupt

    monkeypatch.setattr(kept, "learn_sites", die)
    record = SimpleNamespace(hindcasts=few, wars=tuple(hashes))
    with pytest.raises(KeyboardInterrupt):
        forecast_wars(record, None, vague, 1, store=tmp_path / "forecasts.jsonl", resume=resume)
    assert asked == [{"w00", "w01"} if resume else set()]
    assert path.read_bytes() == before


def test_what_is_no_file_of_sites_is_told_before_anything_is_learned(tmp_path, vague, few, monkeypatch):
    monkeypatch.setattr(kept, "learn_sites", lambda *_, **__: pytest.fail("it learns"))
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path, tmp_path / "loop"):
        with pytest.raises(InputError, match=r"is no plain file|cannot be read"):
            learn_kept(few, vague, 1, path)


def test_a_set_without_a_joint_prior_and_a_table_of_zeros_are_refused(few, vague):
    with pytest.raises(InputError, match="start from a set with a joint prior"):
        learn_sites(few, replace(vague, joint=None), 1)
    with pytest.raises(InputError, match="no established loss"):
        learn_sites([], vague, 1)
