"""The model once more, day by day and claim by claim, in plain numpy and scipy: slow, and meant to be read.

It shares with the package the typed records of case, claims and priors, which rows are used and whose they are, and
nothing of the mathematics: what a row says is read by `plain_rows`.
"""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise

import numpy as np
from plain_rows import of_known, read_rows, split, times, wording_of
from scipy import integrate, special, stats

LAWS = {
    "Normal": lambda a: stats.norm(a["mu"], a["sigma"]),
    "LogNormal": lambda a: stats.lognorm(a["sigma"], scale=math.exp(a["mu"])),
    "HalfNormal": lambda a: stats.halfnorm(scale=a["sigma"]),
    "HalfCauchy": lambda a: stats.halfcauchy(scale=a["beta"]),
    "Beta": lambda a: stats.beta(a["alpha"], a["beta"]),
    "Uniform": lambda a: stats.uniform(a["lower"], a["upper"] - a["lower"]),
    "Exponential": lambda a: stats.expon(scale=1 / a["lam"]),
    "Gamma": lambda a: stats.gamma(a["alpha"], scale=1 / a["beta"]),
    "StudentT": lambda a: stats.t(a["nu"], a["mu"], a["sigma"]),
}
PEOPLE = ("killed", "wounded", "captured", "missing")


def log_prior(prior, value):
    """Log density of a parameter on the scale that the sampler moves on: its law times the change of scale."""
    if prior.dist == "LogitNormal":
        return stats.norm(prior.mu, prior.sigma).logpdf(special.logit(value))
    density = LAWS[prior.dist](prior.arguments).logpdf(value)
    if prior.dist in ("Normal", "StudentT"):
        return density
    if prior.dist in ("Beta", "Uniform"):
        low, high = (prior.lower, prior.upper) if prior.dist == "Uniform" else (0.0, 1.0)
        return density + math.log((value - low) * (high - value) / (high - low))
    return density + math.log(value)


def joint_density(items, values, table):
    """Log density of the parameters of a joint prior, as of the standard normals that they are made of."""
    if not items:
        return 0.0
    to_normal = {"Normal": float, "LogNormal": math.log, "LogitNormal": special.logit}
    names = [item.name for item in items]
    keys = [key for name in names for key in table.keys if sorted(name.split(".")) == sorted(key.split("."))]
    mean, covariance = table.select(keys)
    point = [to_normal[item.prior.dist](values[item.name]) for item in items]
    return stats.multivariate_normal(mean, covariance).logpdf(point) + np.linalg.slogdet(covariance)[1] / 2


def log_gamma(a, u):
    """Log of a variable with the law Gamma(a), as a function of an unknown that is nearly standard."""
    v = u / (1 + a) ** 0.25
    return math.log1p(a) + v - np.logaddexp(0, -2 * (v + 6)) / (2 * a)


class PlainModel:
    """The model of a case at one point: parameters by name, walks by force, effects by what they belong to."""

    def __init__(self, design, parameters, walks, effects, errors, bursts):
        self.case, self.headline, self.observations = design.case, design.as_of, design.evidence.observations
        self.p, self.walks, self.effects, self.errors, self.bursts = parameters, walks, effects, errors, bursts
        self.items, self.tables = read_rows(design), {}

    def day(self, date):
        return (date - self.case.start).days

    def rates(self, force, outcome, days):
        """Relative loss rate of each day, one more than asked for at most; the walk's step is between bins' middles."""
        length, width = self.day(self.case.end) + 1, self.case.file.bin_days
        edges = [*range(0, length, width), length]
        while edges[-1] < days:
            edges.append(edges[-1] + width)
        middles = [(a + b) / 2 for a, b in pairwise(edges)]
        level, levels = 0.0, [0.0]
        for number in range(1, len(middles)):
            gap = math.sqrt(middles[number] - middles[number - 1])
            level += self.p["path.step"] * gap * self.walks[force][number - 1]
            levels.append(level)
        found = []
        for day in range(days):
            place = next(n for n in range(len(middles)) if edges[n] <= day < edges[n + 1])
            log_rate = levels[place]
            for number, lull in enumerate(self.case.forces[force].lulls):
                if self.day(lull.start) <= day <= self.day(lull.end) and length > 1:
                    log_rate -= self.p[f"lull.{force}.{number}"]
            position = min(max(middles[place] / length, 0), 1) - 0.5
            tilt = self.p.get(f"path.tilt.{force}.{outcome}", 0.0)
            found.append((log_rate, tilt * position))
        return found, length

    def arrivals(self, force, days):
        """Arrivals of each day."""
        total = np.zeros(days)
        for wave in self.case.forces[force].waves:
            first, last = self.day(wave.start), self.day(wave.end)
            for day in range(first, min(last + 1, days)):
                total[day] += math.exp(self.p[f"wave.size.{force}.{wave.name}"]) / (last - first + 1)
        return total

    def losses(self, force, outcome, days):
        """Losses of each day of one base outcome."""
        key = (force, outcome, days)
        if key not in self.tables:
            found = self.burst_losses(force, outcome, self.horizon())
            bounded = self.case.forces[force].bounded
            people = [name for name in self.case.forces[force].outcomes if name in PEOPLE]
            if (
                bounded
                and outcome in PEOPLE
                and (any(self.edges(force, name) for name in people) or f"captured_share.{force}" in self.p)
            ):
                end = self.day(self.case.end)
                totals = {name: self.burst_losses(force, name, end + 1).sum() for name in people}
                arrived = np.cumsum(self.arrivals(force, len(found)))
                most = totals[outcome] / sum(totals.values()) * arrived
                most[end] = math.inf  # what all lost together by the end is below those sent already
                found = np.diff(np.minimum(np.cumsum(found), most), prepend=0)
            self.tables[key] = found[:days]
        return self.tables[key]

    def smooth_losses(self, force, outcome):
        key = ("smooth", force, outcome)
        if key not in self.tables:
            bounded = self.case.forces[force].bounded and outcome in PEOPLE
            self.tables[key] = (self.bounded_losses if bounded else self.free_losses)(force, outcome, self.horizon())
        return self.tables[key]

    def horizon(self):
        """How many days the model knows: to the end of the last bin that anything speaks of."""
        length, width = self.day(self.case.end) + 1, self.case.file.bin_days
        spells = [each for force in self.case.forces.values() for each in (*force.waves, *force.lulls)]
        ends = [self.headline, *(item.claim.as_of for item in self.observations), *(each.end for each in spells)]
        while length < max(self.day(day) for day in ends) + 1:
            length += width
        return length

    def edges(self, force, outcome):
        """Return the evenings between which an outcome has bursts; none where there is but one interval."""
        end, last = self.day(self.case.end) + 1, self.horizon()
        found = {0, end, last, self.day(self.headline) + 1}
        found |= {self.day(until) + 1 for each in self.case.forces for _, until in self.silent_times(each)}
        for item in self.observations:
            claim, names = item.claim, [(item.claim.force, item.claim.quantity)]
            if claim.unit == "ratio":
                names.append(split(claim))
            elif item.whole:
                names.append((claim.force, item.whole))
            names = [name for key, name in names if key == force and name != "deployed"]
            if any(outcome in self.case.parts_of(force, name) for name in names):
                found.add(self.day(claim.as_of) + 1)
                found |= {self.day(claim.since)} if claim.since else set()
        found |= {self.day(day) + edge for day in self.events(force, outcome) for edge in (0, 1)}
        return sorted(found) if last > 1 and found != {0, end} else []

    def burst_losses(self, force, outcome, days):
        """Losses of each day: of each interval a share that is gamma about the smooth one."""
        smooth, edges = self.smooth_losses(force, outcome), self.edges(force, outcome)
        if not edges:
            return smooth[:days]
        found = np.zeros(len(smooth))
        sizes, end = self.burst_sizes(force, outcome), self.day(self.case.end) + 1
        logs = [log_gamma(a, u) for a, u in zip(sizes, self.bursts[force, outcome], strict=True)]
        whole = sum(math.exp(x) for x, last in zip(logs, edges[1:], strict=True) if last <= end)
        for x, (first, last) in zip(logs, pairwise(edges), strict=True):
            share = math.exp(x) / (whole if last <= end else self.p[f"bursts.{force}.{outcome}"])
            mass = smooth[first:last].sum()
            found[first:last] = smooth[first:last] / mass * share * smooth[:end].sum() if mass else 0.0
        return found[:days]

    def events(self, force, outcome):
        """Return the days that are declared to have had an event."""
        return [event.on for event in self.case.forces[force].events if event.outcome == outcome]

    def burst_sizes(self, force, outcome):
        smooth, end = self.smooth_losses(force, outcome), self.day(self.case.end) + 1
        kappa = self.p[f"bursts.{force}.{outcome}"]
        eventful = [self.day(day) for day in self.events(force, outcome)]
        found = []
        for first, last in pairwise(self.edges(force, outcome)):
            declared = sum(first <= day < last for day in eventful)
            found.append(max(kappa * smooth[first:last].sum() / smooth[:end].sum() + declared, 1e-7))
        return found

    def burst_density(self):
        """Log density of what stands behind the bursts: a gamma law's, times the change of scale."""
        total = 0.0
        for (force, outcome), each in self.bursts.items():
            for a, u in zip(self.burst_sizes(force, outcome), each, strict=True):
                root = (1 + a) ** 0.25
                slope = (1 + special.expit(-2 * (u / root + 6)) / a) / root
                total += stats.loggamma(a).logpdf(log_gamma(a, u)) + math.log(slope)
        return total

    def picks(self):
        """Log of how much likelier than at random the spells of days were told of, by what was lost on them."""
        told, length, total = {}, self.day(self.case.end) + 1, 0.0
        for item in self.observations:
            claim = item.claim
            if claim.measure == "interval" and not (item.whole or claim.part) and claim.quantity != "deployed":
                days = range(self.day(claim.since), min(self.day(claim.as_of) + 1, length))
                told.setdefault((claim.force, claim.quantity), set()).update(days)
        for (force, quantity), days in told.items():
            lost = sum(self.losses(force, part, length) for part in self.case.parts_of(force, quantity))
            spells = [[]]
            for day in sorted(days):
                if spells[-1] and day > spells[-1][-1] + 1:
                    spells.append([])
                spells[-1].append(day)
            for spell in spells:
                if len(spell) < length:
                    pi, gain = self.p["pick.by_size"], lost[spell].sum() / lost.sum() * length / len(spell)
                    total += math.log(1 - pi + pi * gain)
        total += sum(self.last_word(force) for force in self.case.forces)
        return total + sum(self.silence(force) for force in self.case.forces)

    def last_word(self, force):
        """Log of how much likelier than at random all was said before a silence, of the quantity most told of."""
        said = [item.claim for item in self.observations if item.claim.force == force]
        said = [claim for claim in said if claim.quantity != "deployed" and self.counts(claim)]
        end, length = self.case.file.end, self.day(self.case.end) + 1
        everybody = [claim.as_of for claim, _ in self.words_on(force)]
        if not said or not end or (end - max(everybody)).days <= self.day(max(everybody)) + 1:
            return 0.0
        times = {claim.quantity: set() for claim in said}
        for item in self.observations:
            if item.claim in said:
                times[item.claim.quantity].add((item.source, item.claim.as_of))
        quantity, days = max(times, key=lambda name: len(times[name])), self.day(max(everybody)) + 1
        lost = sum(self.losses(force, part, length) for part in self.case.parts_of(force, quantity))
        pi, gain = self.p["pick.by_size"], lost[:days].sum() / lost.sum() * length / days
        return min(len(times[quantity]), 5) * math.log(1 - pi + pi * gain)

    def counts(self, claim):
        return claim.unit == "count" or of_known(claim)

    def words_on(self, force):
        """Return the claims that bring word of a force, each with what it counts there, or is a ratio to."""
        found = []
        for item in self.observations:
            sides = [(item.claim.force, item.claim.quantity)]
            sides += [split(item.claim)] if item.claim.unit == "ratio" else []
            found += [(item.claim, quantity) for key, quantity in sides if key == force]
        return found

    def silent_times(self, force):
        """Return the last day with word of prisoners, if any, and the last on which anybody wrote; none if the same."""
        said = self.words_on(force)
        spoken = [max(claim.as_of, claim.published) for claim, quantity in said if quantity != "deployed"]
        theirs = [min(claim.as_of, self.case.end) for claim, quantity in said if quantity == "captured"]
        until = min(max(spoken), self.case.end) if spoken else None
        if f"captured_share.{force}" not in self.p or not spoken or (theirs and max(theirs) == until):
            return []
        return [(max(theirs, default=None), until)]

    def silence(self, force):
        """Log of how likely those who write of a force's losses leave out its prisoners since the last word of them."""
        value = 0.0
        for known, until in self.silent_times(force):
            taken, last = np.cumsum(self.losses(force, "captured", self.horizon())), self.day(until)
            share = (taken[last] - (taken[self.day(known)] if known else 0.0)) / self.arrivals(force, last + 1).sum()
            value += self.p["surrender.told"] * math.log(1 - share)
        return value

    def free_losses(self, force, outcome, days):
        rates, length = self.rates(force, outcome, max(days, self.day(self.case.end) + 1))
        weight = np.array([math.exp(log_rate + tilt) for log_rate, tilt in rates])
        outcomes = self.case.forces[force].outcomes
        log_total = self.p.get(f"total.{force}.{outcome}")
        if outcome == "wounded" and "killed" in outcomes:
            log_total = self.p[f"total.{force}.killed"] + self.p[f"wounded_per_killed.{force}"]
        return math.exp(log_total) * weight[:days] / weight[:length].sum()

    def bounded_losses(self, force, outcome, days):
        rates, length = self.rates(force, outcome, max(days, self.day(self.case.end) + 1))
        weight = np.array([math.exp(log_rate) for log_rate, _ in rates])
        hazard_at_end = math.log1p(math.exp(self.p[f"share.{force}"]))
        hazards = hazard_at_end * weight[:days] / weight[:length].sum()
        standing, found = 0.0, []
        for day, arriving in enumerate(self.arrivals(force, days)):
            x = hazards[day]
            stayed = standing * math.exp(-x) + arriving * (-math.expm1(-x) / x if x > 1e-9 else 1 - x / 2)
            found.append(standing + arriving - stayed)
            standing = stayed
        if outcome == "captured" and f"captured_share.{force}" in self.p:
            return self.prisoners(force, np.array(found))
        return np.array([lost * self.share_of(force, outcome, day) for day, lost in enumerate(found)])

    def prisoners(self, force, lost):
        """Those taken on each day: of all who stand at the end a share, in time as the losses are."""
        length = self.day(self.case.end) + 1
        own, _ = self.rates(force, "captured", len(lost))
        weight = np.array([loss * math.exp(tilt) for loss, (_, tilt) in zip(lost, own, strict=True)])
        standing = (self.arrivals(force, len(lost)) - lost)[:length].sum()
        return self.p[f"captured_share.{force}"] * standing * weight / weight[:length].sum()

    def share_of(self, force, outcome, day):
        """Share of an outcome in a day's losses: a stick broken twice, tilted in time."""
        outcomes = [name for name in self.case.forces[force].outcomes if name in PEOPLE]
        missing = self.p[f"missing_share.{force}"] if "missing" in outcomes else 0.0
        hurt = 1 - missing
        ratio = math.exp(self.p.get(f"wounded_per_killed.{force}", 0.0))
        both = "killed" in outcomes and "wounded" in outcomes
        plain = {
            "killed": hurt / (1 + ratio) if both else hurt,
            "wounded": hurt * ratio / (1 + ratio) if both else hurt,
            "captured": float(outcomes == ["captured"]),
            "missing": missing,
        }
        weights = {}
        for name in outcomes:
            own, _ = self.rates(force, name, day + 1)
            weights[name] = plain[name] * math.exp(own[day][1])
        return weights[outcome] / sum(weights.values())

    def count(self, force, outcome, claim):
        """Return what was lost, or sent, in the time that a claim speaks of."""
        days = self.day(claim.as_of) + 1
        series = self.arrivals(force, days) if outcome == "deployed" else self.losses(force, outcome, days)
        first = self.day(claim.since) if claim.measure == "interval" else 0
        if claim.unit == "share" and not self.counts(claim) and outcome == "deployed":
            first = 0
        return float(series[first:].sum())

    def bias(self, source, force, role, outcome, wording):
        if wording == "register":
            return 0.0
        kind = {"missing": "captured", "captured": "captured", "deployed": "deployed"}.get(outcome, "losses")
        if outcome == "wounded":
            kind = "wounded"
        elif kind == "losses" and self.case.forces[force].victims != "military":
            named = [{name, *parts} for name, parts in self.case.file.totals.items() if outcome in parts]
            kind = "civilians" if outcome in PEOPLE or any(each & set(PEOPLE) for each in named) else kind
        group = "people" if outcome in PEOPLE else outcome
        is_loss = kind not in ("captured", "deployed")
        total = self.p["scale.source_outcome"] * self.effects["source_outcome", source, force, outcome]
        if is_loss:
            total += self.p["scale.source"] * self.effects["source", source, group]
            if wording != "counted":
                total += self.p["scale.role_in_war"] * self.effects["role_in_war", force, role, group]
            total *= self.p.get(f"spread.{role}", 1.0)
        return total + (0.0 if wording == "counted" else self.p[f"role.{kind}.{role}"])

    def belief(self, source, claim, role, quantity, wording, force=None):
        force = force or claim.force
        parts = ("deployed",) if quantity == "deployed" else self.case.parts_of(force, quantity)
        total = sum(
            self.count(force, part, claim) * math.exp(self.bias(source, force, role, part, wording)) for part in parts
        )
        return total + (0.05 if self.bursts else 1e-300)

    def centre(self, item, role):
        """Return the belief on the claim's scale: log of a count, logit of a share."""
        claim = item.claim
        counted = wording_of(claim) == "counted"
        top = self.belief(item.source, claim, role, claim.quantity, wording_of(claim))
        if not item.whole:
            return math.log(top) + self.p["first_report"] * self.early(item)
        if item.other:  # what was lost here for each one there, where the source has another role
            there = role
            if item.other != claim.force:
                (there,) = self.case.sources[item.source].roles_towards(item.other)
            return math.log(top) - math.log(self.belief(item.source, claim, there, item.whole, "", item.other))
        whole = self.belief(item.source, claim, role, item.whole, "")
        own = set(self.case.parts_of(claim.force, claim.quantity))
        nested = item.whole != "deployed" and not counted and own < set(self.case.parts_of(claim.force, item.whole))
        share = top / whole
        if not nested:
            share = (share**-8 + 1) ** (-1 / 8)
        return math.log(share) - math.log1p(-share)

    def early(self, item):
        """Share of what its source's last total speaks of that became known between it and the last one of all."""
        same = [each for each in self.items if self.topic(each) == self.topic(item) and each.claim.central]
        if self.topic(item) is None or not item.claim.central:
            return 0.0
        counted = wording_of(item.claim) == "counted"
        own = [
            each.claim for each in same
            if each.source == item.source and (wording_of(each.claim) == "counted") == counted
        ]  # fmt: skip
        claim = max(own, key=lambda claim: (claim.as_of, claim.published, claim.id))
        newest = max(each.claim.published for each in same)
        days = [self.case.start + dt.timedelta(n) for n in range(self.day(min(claim.as_of, self.case.end)) + 1)]
        until = max(days)
        known = [
            math.exp(-((until - day).days + max((said - until).days, 0)) / 3)
            for said in (claim.published, newest) for day in days
        ]  # fmt: skip
        gap = math.exp(-(newest - claim.published).days / 3)
        return sum(known[: len(days)]) / len(days) * (1 - gap)

    def topic(self, item):
        claim = item.claim
        if claim.measure != "cumulative" or item.whole or claim.part or wording_of(claim) == "register":
            return None
        return None if claim.quantity == "deployed" else (claim.force, claim.quantity)

    def given(self, item, after, role):
        """Likelihood of a claim that a later one of its source's series follows: what is known of that one's error."""
        own, later = self.centre(item, role), self.centre(after, role)
        s, fresh = self.p[f"noise.{role}"], self.p[f"memory.fresh.{item.source}"]
        rho2 = 1 / (1 + fresh**2)
        error = number_said(after) - later
        given = math.hypot(after.extra_sd, rounding_sd(after))
        variance = item.extra_sd**2 + self.p["memory.statement"] ** 2
        if item.claim.measure == "interval":
            # Of two normals with correlation, one of which is seen with an error of its own.
            covariance, seen = math.sqrt(rho2) * s**2, s**2 + given**2
            carried = covariance / seen * error
            variance += s**2 - covariance**2 / seen
        else:
            share = 1.0 if after.claim.as_of == item.claim.as_of else max(1 - math.exp(own - later), 0.0)
            carried = error
            variance += (1 - rho2) * (share * s) ** 2 + given**2
        renewed = self.form(item, own, math.hypot(self.p["outlier.factor"] * s, item.extra_sd))
        core = self.form(item, own + carried, math.sqrt(variance), found=False)
        return (1 - self.p["memory.renewal"]) * core + self.p["memory.renewal"] * renewed

    def row(self, item, role, after=None):
        """Likelihood of one claim under one reading of its source's role."""
        if after is not None:
            return self.given(item, after, role)
        centre = self.centre(item, role)
        noise = self.p["noise.share" if item.whole and not item.other else f"noise.{role}"]
        probability, factor = self.p["outlier.probability"], self.p["outlier.factor"]
        if wording_of(item.claim) == "register":
            noise, probability = self.p["wording.register"], 0.0
        if item.statement:
            reference = next(iter(self.errors[item.statement]["roles"]))
            centre += self.p[f"noise.{reference}"] * self.errors[item.statement]["error"]
            noise, probability = 0.1, 0.0
        total = 0.0
        for weight, core in ((1 - probability, noise), (probability, factor * noise)):
            if weight:
                total += weight * self.form(item, centre, math.hypot(core, item.extra_sd))
        return total

    def form(self, item, centre, s, found=True):
        noise = stats.norm(centre, s)
        if wording_of(item.claim) == "counted" and not found:  # it falls short as the next count does
            return float(noise.pdf(item.point))
        if item.form == "cell":
            if item.lower > centre:
                return float(noise.sf(item.lower) - noise.sf(item.upper))
            return float(noise.cdf(item.upper) - noise.cdf(item.lower))
        if item.form == "density":
            return float(noise.pdf(item.point)) * math.exp(item.log_width)
        mean = self.p[f"wording.{wording_of(item.claim)}"]
        sign = -1 if wording_of(item.claim) == "at_most" else 1

        def given(d):
            return noise.pdf(item.point + sign * d) * math.exp(-d / mean) / mean

        peak = min(max(sign * (centre - item.point), 0.0), 40 * mean)
        return integrate.quad(given, 0, 60 * mean + 12 * s, points=[peak], limit=500, epsabs=0, epsrel=1e-11)[0]


def log_density(design, model, priors, walks, effects, errors):
    """Log posterior density: priors, standard normals, and for each source and force the mean over its readings."""
    total = sum(log_prior(item.prior, value) for item, value in priors if item.prior.dist)
    total += stats.norm.logpdf(np.concatenate(list(walks.values()))).sum()
    q, factor = model.p["outlier.source"], model.p["outlier.factor"]
    for (kind, *_), z in effects.items():
        wide = q if kind in ("role_in_war", "source") else 0.0
        total += math.log((1 - wide) * stats.norm.pdf(z) + wide * stats.norm.pdf(z, scale=factor))
    total += model.burst_density() + model.picks()
    groups = {}
    for item in read_rows(design):
        groups.setdefault((item.source, item.claim.force), []).append(item)
    for (source, force), items in groups.items():
        roles = design.case.sources[source].roles_towards(force)
        values = []
        for role in roles:
            value = sum(math.log(model.row(item, role, next_of(item, items))) for item in items)
            for error in errors.values():
                if (source, force) == error["first"]:
                    value += math.log(statement_prior(model.p, error, role))
            values.append(value)
        total += special.logsumexp(values) - math.log(len(roles))
    return total


def next_of(item, items):
    """Return the claim of the same series that follows, zeros passed over."""
    if item.whole or wording_of(item.claim) in ("register", "part"):
        return None

    def series(other):
        return other.claim.quantity, other.claim.measure, wording_of(other.claim) == "counted", other.whole

    def when(other):
        claim = other.claim
        return claim.as_of, claim.published, claim.since or claim.as_of, claim.id

    later = [other for other in items if series(other) == series(item) and when(other) > when(item)]
    later = [
        other
        for other in later
        if (other.claim.low or other.claim.value) and wording_of(other.claim) not in ("register", "part")
    ]
    return min(later, key=when) if later else None


def number_said(item):
    """Return the log of the number; of a range the middle of the logs."""
    claim = item.claim
    number = claim.value or math.sqrt(claim.low * claim.high)
    return math.log(number * times(claim))


def rounding_sd(item):
    return (item.upper - item.lower) / math.sqrt(12) if item.form == "cell" else 0.0


def statement_prior(p, error, role):
    """Density of a statement's error, given in units of the noise of its first reading's role."""
    unit = p[f"noise.{error['roles'][0]}"]
    core, far = (stats.norm(0, f * p[f"noise.{role}"]).pdf(error["error"] * unit) for f in (1, p["outlier.factor"]))
    return ((1 - p["outlier.probability"]) * core + p["outlier.probability"] * far) * unit
