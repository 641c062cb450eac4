"""The model once more, day by day and claim by claim, in plain numpy and scipy: slow, and meant to be read.

It shares with the package the typed records of case, claims and priors, which rows are used and whose they are, and
nothing of the mathematics: what a row says is read by `plain_rows`.
"""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise

import numpy as np
from plain_rows import read_rows
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


class PlainModel:
    """The model of a case at one point: parameters by name, walks by force, effects by what they belong to."""

    def __init__(self, case, parameters, walks, effects, errors):
        self.case, self.p, self.walks, self.effects, self.errors = case, parameters, walks, effects, errors
        self.tables = {}

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
            bounded = self.case.forces[force].bounded and outcome in PEOPLE
            self.tables[key] = (self.bounded_losses if bounded else self.free_losses)(force, outcome, days)
        return self.tables[key]

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
            found.append((standing + arriving - stayed) * self.share_of(force, outcome, day))
            standing = stayed
        return np.array(found)

    def share_of(self, force, outcome, day):
        """Share of an outcome in a day's losses: a stick broken twice, tilted in time."""
        outcomes = [name for name in self.case.forces[force].outcomes if name in PEOPLE]
        captured = self.p[f"captured_share.{force}"] if "captured" in outcomes else 0.0
        missing = self.p[f"missing_share.{force}"] if "missing" in outcomes else 0.0
        hurt = (1 - captured) * (1 - missing)
        ratio = math.exp(self.p.get(f"wounded_per_killed.{force}", 0.0))
        both = "killed" in outcomes and "wounded" in outcomes
        plain = {
            "killed": hurt / (1 + ratio) if both else hurt,
            "wounded": hurt * ratio / (1 + ratio) if both else hurt,
            "captured": captured,
            "missing": (1 - captured) * missing,
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
        first = self.day(claim.since) if claim.measure == "interval" and claim.unit == "count" else 0
        if claim.measure == "interval" and claim.unit == "share" and outcome != "deployed":
            first = self.day(claim.since)
        return float(series[first:].sum())

    def bias(self, source, force, role, outcome, wording):
        if wording == "register":
            return 0.0
        kind = outcome if outcome in ("captured", "deployed") else "losses"
        total = self.p["scale.source_outcome"] * self.effects["source_outcome", source, force, outcome]
        if kind == "losses":
            total += self.p["scale.source"] * self.effects["source", source]
        if wording != "counted":
            total += self.p[f"role.{kind}.{role}"]
            if kind == "losses":
                total += self.p["scale.role_in_war"] * self.effects["role_in_war", force, role]
        return total

    def belief(self, source, claim, role, quantity, wording):
        parts = ("deployed",) if quantity == "deployed" else self.case.parts_of(claim.force, quantity)
        return sum(
            self.count(claim.force, part, claim) * math.exp(self.bias(source, claim.force, role, part, wording))
            for part in parts
        )

    def centre(self, item, role):
        """Return the belief on the claim's scale: log of a count, logit of a share."""
        claim = item.claim
        counted = claim.qualifier == "counted"
        top = self.belief(item.source, claim, role, claim.quantity, claim.qualifier)
        if not item.whole:
            return math.log(top)
        whole = self.belief(item.source, claim, role, item.whole, "")
        own = set(self.case.parts_of(claim.force, claim.quantity))
        nested = item.whole != "deployed" and not counted and own < set(self.case.parts_of(claim.force, item.whole))
        share = top / whole
        if not nested:
            share = (share**-8 + 1) ** (-1 / 8)
        return math.log(share) - math.log1p(-share)

    def row(self, item, role):
        """Likelihood of one claim under one reading of its source's role."""
        centre = self.centre(item, role)
        noise = self.p["noise.share" if item.whole else f"noise.{role}"]
        probability, factor = self.p["outlier.probability"], self.p["outlier.factor"]
        if item.claim.qualifier == "register":
            noise, probability = self.p["wording.register"], 0.0
        if item.statement:
            reference = next(iter(self.errors[item.statement]["roles"]))
            centre += self.p[f"noise.{reference}"] * self.errors[item.statement]["error"]
            noise, probability = 0.1, 0.0
        total = 0.0
        for weight, core in ((1 - probability, noise), (probability, factor * noise)):
            if weight:
                total += weight * self.form(item, centre, math.hypot(core, item.extra_sd, self.scatter(item)))
        return total

    def scatter(self, item):
        """How far the losses of some days are from the path: .8 for one of very many."""
        since = item.claim.since
        if since is None or item.whole or item.claim.quantity == "deployed":
            return 0.0
        days = len([day for day in self.days() if since <= day <= item.claim.as_of])
        return 0.8 * math.sqrt(1 / days - 1 / len(self.days()))

    def days(self):
        count = (self.case.end - self.case.start).days + 1
        return [self.case.start + dt.timedelta(days=number) for number in range(count)]

    def form(self, item, centre, s):
        noise = stats.norm(centre, s)
        if item.form == "cell":
            if item.lower > centre:
                return float(noise.sf(item.lower) - noise.sf(item.upper))
            return float(noise.cdf(item.upper) - noise.cdf(item.lower))
        if item.form == "density":
            return float(noise.pdf(item.point)) * math.exp(item.log_width)
        mean = self.p[f"wording.{item.claim.qualifier}"]
        sign = -1 if item.claim.qualifier == "at_most" else 1

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
        wide = q if kind == "source" else 0.0
        total += math.log((1 - wide) * stats.norm.pdf(z) + wide * stats.norm.pdf(z, scale=factor))
    groups = {}
    for item in read_rows(design):
        groups.setdefault((item.source, item.claim.force), []).append(item)
    for (source, force), items in groups.items():
        roles = design.case.sources[source].roles_towards(force)
        values = []
        for role in roles:
            value = sum(math.log(model.row(item, role)) for item in items)
            for error in errors.values():
                if (source, force) == error["first"]:
                    value += math.log(statement_prior(model.p, error, role))
            values.append(value)
        total += special.logsumexp(values) - math.log(len(roles))
    return total


def statement_prior(p, error, role):
    """Density of a statement's error, given in units of the noise of its first reading's role."""
    unit = p[f"noise.{error['roles'][0]}"]
    core, far = (stats.norm(0, f * p[f"noise.{role}"]).pdf(error["error"] * unit) for f in (1, p["outlier.factor"]))
    return ((1 - p["outlier.probability"]) * core + p["outlier.probability"] * far) * unit
