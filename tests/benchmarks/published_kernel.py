"""The density of `published_model` and its gradient in machine code, tested against PyMC.

The unknowns, in this order: of each type of loss u[t, :] = (L R)[t, :], the log of its total as the source sees it that
speaks most of it, the slope's offset, log sigma, the offset of phi and that of each source's bias; what is common to
all; the partial correlations y = atanh z. Positive unknowns are logs. To sample u in place of R costs the determinant
of L for each spline, and leaves the types apart but for a prior near independence: the posterior of thousands of
unknowns is then nearly blocks with a border, and `published_whitening` makes of it what a diagonal metric can follow.
The apparent total in place of the intercept's offset makes an axis of the ridge between total and bias.

A function that ends in `_back` adds to the gradient what its namesake put into the density.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numba
import numpy as np
from numpy.typing import NDArray
from published_model import COUNTRIES, YEAR, Reports, concentrations, make_splines

Floats = NDArray[np.float64]

OFFSETS = 4  # what a type has between its splines and the biases:
TOTAL, SLOPE, LOG_SIGMA, PHI = range(OFFSETS)
COMMON = 11  # what the types have in common but for what is of a source, deviations as logs:
BIAS_SD, LOW, LOW_SD, HIGH, HIGH_SD, PHI_MU, PHI_SD, START, START_SD, SLOPE_MU, SLOPE_SD = range(COMMON)
HEAD = 16  # numbers of the buffer before its first array
WHITE, LENGTH = 6, 8  # where in them it says at which number the whitening begins, and how many there are
KIND, SOURCE, DAY, IS_LOW, IS_HIGH, NUMBER, FACTORIAL = range(7)  # the columns of a report

Data = namedtuple("Data", "kinds bases days sources daily country loudest first splines report shape")
Unknowns = namedtuple("Unknowns", "own common log_sd of_source ends y")  # numba knows these alone

inner = numba.njit(error_model="numpy")


def count_common(sources: int) -> int:
    """Return how many unknowns all types have in common: scales and means, then those of sources."""
    return COMMON + 2 * sources * COUNTRIES + 2 * sources


def find_loudest(reports: Reports) -> NDArray[np.int64]:
    """Return the source that gives most running totals of each type, or most numbers where none gives a total."""
    said = np.zeros((len(reports.kinds), len(reports.sources)))
    np.add.at(said, (reports.kind, reports.source), np.where(reports.daily, 1e-6, 1.0))
    return np.asarray(said.argmax(axis=1))


def pack_reports(reports: Reports, knots: int) -> Floats:
    """Return the buffer that the density reads, counts of one day first, then by type."""
    splines = make_splines(reports.days, knots)
    bases, days = splines.shape
    first = np.minimum((splines != 0).argmax(axis=0), bases - 4)
    values = splines[first[:, None] + np.arange(4), np.arange(days)[:, None]]
    order = np.lexsort((reports.day, reports.source, reports.kind, ~reports.daily))
    factorials = np.array([math.lgamma(y + 1) for y in reports.number])
    columns = [reports.kind, reports.source, reports.day, reports.low, reports.high, reports.number, factorials]
    head = np.zeros(HEAD)
    head[:6] = len(reports.kinds), bases, days, len(reports.sources), len(order), int(reports.daily.sum())
    arrays = [head, reports.country, find_loudest(reports), first, values, np.stack(columns, axis=1)[order]]
    arrays.append(concentrations(len(reports.kinds)))
    buffer = np.concatenate([np.asarray(each, dtype=float).ravel() for each in arrays])
    buffer[LENGTH] = len(buffer)
    return buffer


@inner
def open_buffer(b):
    """Return what `pack_reports` packed."""
    kinds, bases, days, sources, rows, daily = int(b[0]), int(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5])
    a = HEAD + 2 * kinds
    c = a + days
    d = c + 4 * days
    e = d + 7 * rows
    return Data(
        kinds, bases, days, sources, daily, b[HEAD : HEAD + kinds], b[HEAD + kinds : a], b[a:c],
        b[c:d].reshape(days, 4), b[d:e].reshape(rows, 7), b[e : e + kinds],
    )  # fmt: skip


@inner
def part(x, data):
    """Return views of the unknowns, or of their gradient."""
    block = data.bases + OFFSETS + data.sources
    edge, places = data.kinds * block, 2 * data.sources
    a = edge + COMMON
    return Unknowns(
        x[:edge].reshape(data.kinds, block), x[edge:a], x[a : a + places], x[a + places : a + 2 * places],
        x[a + 2 * places : a + 3 * places], x[a + 3 * places :],
    )  # fmt: skip


@inner
def digamma(x):
    """Return the derivative of the log of the gamma function, x > 0 (Abramowitz and Stegun 6.3.5 and 6.3.18)."""
    found = 0.0
    while x < 6.0:
        found -= 1 / x
        x += 1
    r = 1 / (x * x)
    return found + math.log(x) - 0.5 / x - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))))


@inner
def weigh(x, g, is_scale):
    """Return the log density of a standard normal, or of its half with x the log of it, and set its gradient."""
    value = 0.0
    for i in range(len(x)):
        if is_scale[i]:
            square = math.exp(2 * x[i])
            value += x[i] - 0.5 * square
            g[i] = 1 - square
        else:
            value -= 0.5 * x[i] * x[i]
            g[i] = -x[i]
    return value


@inner
def weigh_priors(u, gu, data):
    """Return the log prior of all but splines, intercepts and correlations, and set its gradient."""
    none, scales = np.zeros(len(u.ends), dtype=np.bool_), np.ones(len(u.log_sd), dtype=np.bool_)
    own, common = np.zeros(OFFSETS + data.sources, dtype=np.bool_), np.zeros(COMMON, dtype=np.bool_)
    own[LOG_SIGMA] = True
    for i in (BIAS_SD, LOW_SD, HIGH_SD, PHI_SD, START_SD, SLOPE_SD):
        common[i] = True
    value = weigh(u.common, gu.common, common) + weigh(u.log_sd, gu.log_sd, scales)
    value += weigh(u.of_source, gu.of_source, none) + weigh(u.ends, gu.ends, none)
    for t in range(data.kinds):
        at = data.bases + SLOPE
        value += weigh(u.own[t, at:], gu.own[t, at:], own[SLOPE:])
    return value


@inner
def correlate(y, gy, shape, z, root):
    """Fill partial correlations z and the root L of the correlations; return their log prior, and set its gradient."""
    value, k = 0.0, 0
    for i in range(len(root)):
        rest = 1.0
        for j in range(i):
            z[i, j] = math.tanh(y[k])
            root[i, j] = z[i, j] * rest
            passed = 1 - z[i, j] * z[i, j]
            value += shape[j] * math.log(passed)
            gy[k] = -2 * shape[j] * z[i, j]
            rest *= math.sqrt(passed)
            k += 1
        root[i, i] = rest
    return value


@inner
def weigh_splines(u, gu, data, root, raw, push):
    """Return the log density of the splines u = L R given L, set its gradient, and fill R and its push L^-T R."""
    value, bases = 0.0, data.bases
    for i in range(data.kinds):
        raw[i] = u.own[i, :bases]
        for j in range(i):
            raw[i] -= root[i, j] * raw[j]
        raw[i] /= root[i, i]
        value -= 0.5 * np.sum(raw[i] * raw[i]) + bases * math.log(root[i, i])
    for i in range(data.kinds - 1, -1, -1):
        push[i] = raw[i]
        for j in range(i + 1, data.kinds):
            push[i] -= root[j, i] * push[j]
        push[i] /= root[i, i]
        gu.own[i, :bases] = -push[i]
    return value


@inner
def correlate_back(gy, z, root, raw, push):
    """Hand on to the correlations what the splines' density says of L: push times the transpose of R."""
    k = len(gy)
    for i in range(len(root) - 1, -1, -1):
        k -= i
        rest = root[i, i]
        grest = np.sum(push[i] * raw[i]) - raw.shape[1] / rest
        for j in range(i - 1, -1, -1):
            slope = np.sum(push[i] * raw[j])
            passed = math.sqrt(1 - z[i, j] * z[i, j])
            rest /= passed
            gz = slope * rest - grest * rest * z[i, j] / passed
            grest = slope * z[i, j] + grest * passed
            gy[k + j] += gz * passed * passed


@inner
def find_bias(u, data, t, s):
    """Return the log bias of a source on a type."""
    p = COUNTRIES * s + int(data.country[t])
    effect = u.own[t, data.bases + OFFSETS + s]
    return math.exp(u.common[BIAS_SD]) * u.of_source[p] + math.exp(u.log_sd[p]) * effect


@inner
def find_bias_back(u, gu, data, t, s, push):
    p, at = COUNTRIES * s + int(data.country[t]), data.bases + OFFSETS + s
    bias_sd, source_sd = math.exp(u.common[BIAS_SD]), math.exp(u.log_sd[p])
    gu.common[BIAS_SD] += push * bias_sd * u.of_source[p]
    gu.of_source[p] += push * bias_sd
    gu.log_sd[p] += push * source_sd * u.own[t, at]
    gu.own[t, at] += push * source_sd


@inner
def draw_curve(u, data, t, rate, total):
    """Fill the log of each day's losses and the running totals of a type; return the offset of its intercept."""
    own, bases = u.own[t], data.bases
    sigma = math.exp(own[bases + LOG_SIGMA])
    slope = u.common[SLOPE_MU] + math.exp(u.common[SLOPE_SD]) * own[bases + SLOPE]
    whole = 0.0
    for d in range(data.days):
        f, curve = int(data.first[d]), 0.0
        for c in range(4):
            curve += data.splines[d, c] * own[f + c]
        rate[d] = slope * (d + 1) / YEAR + sigma * curve
        whole += math.exp(rate[d])
    start = own[bases + TOTAL] - find_bias(u, data, t, int(data.loudest[t])) - math.log(whole)
    so_far = 0.0
    for d in range(data.days):
        rate[d] += start
        so_far += math.exp(rate[d])
        total[d] = so_far
    return (start - u.common[START]) / math.exp(u.common[START_SD])


@inner
def draw_curve_back(u, gu, data, t, rate, total, grate, gtotal, offset):
    own, gown, bases = u.own[t], gu.own[t], data.bases
    later, gstart = 0.0, -offset / math.exp(u.common[START_SD])
    gu.common[START] -= gstart
    gu.common[START_SD] += offset * offset - 1
    for d in range(data.days - 1, -1, -1):
        later += gtotal[d]
        grate[d] += later * math.exp(rate[d])
        gstart += grate[d]
    gown[bases + TOTAL] = gstart
    find_bias_back(u, gu, data, t, int(data.loudest[t]), -gstart)
    sigma, gslope, gsigma = math.exp(own[bases + LOG_SIGMA]), 0.0, 0.0
    for d in range(data.days):
        push = grate[d] - gstart * math.exp(rate[d]) / total[-1]
        gslope += push * (d + 1) / YEAR
        f = int(data.first[d])
        for c in range(4):
            gsigma += push * sigma * data.splines[d, c] * own[f + c]
            gown[f + c] += push * sigma * data.splines[d, c]
    slope_sd = math.exp(u.common[SLOPE_SD])
    gu.common[SLOPE_MU] += gslope
    gu.common[SLOPE_SD] += gslope * slope_sd * own[bases + SLOPE]
    gown[bases + SLOPE] += gslope * slope_sd
    gown[bases + LOG_SIGMA] += gsigma


@inner
def weigh_reports(u, gu, data, rate, total, grate, gtotal):
    """Return the log probability of the reports; set its gradient in the curves, and add that in all else."""
    value, bases, common = 0.0, data.bases, u.common
    low_sd, high_sd, phi_sd = math.exp(common[LOW_SD]), math.exp(common[HIGH_SD]), math.exp(common[PHI_SD])
    phi, gphi = np.empty(data.kinds), np.zeros(data.kinds)
    base, slope = np.empty(data.kinds), np.empty(data.kinds)
    for t in range(data.kinds):
        phi[t] = math.exp(-(common[PHI_MU] + phi_sd * u.own[t, bases + PHI]))
        base[t] = phi[t] * math.log(phi[t]) - math.lgamma(phi[t])
        slope[t] = math.log(phi[t]) + 1 - digamma(phi[t])
    for r in range(len(data.report)):
        row = data.report[r]
        t, s, d, n = int(row[KIND]), int(row[SOURCE]), int(row[DAY]), row[NUMBER]
        eta = find_bias(u, data, t, s)
        eta += row[IS_LOW] * (common[LOW] + low_sd * u.ends[s])
        eta += row[IS_HIGH] * (common[HIGH] + high_sd * u.ends[data.sources + s])
        if r < data.daily:
            eta += rate[t, d]
            push = n - math.exp(eta)
            value += n * eta - math.exp(eta) - row[FACTORIAL]
            grate[t, d] += push
        else:
            eta += math.log(total[t, d])
            mean, f = math.exp(eta), phi[t]
            log_sum = math.log(f + mean)
            push = n - (n + f) * mean / (f + mean)
            value += math.lgamma(n + f) + base[t] + n * eta - (n + f) * log_sum - row[FACTORIAL]
            gphi[t] += digamma(n + f) + slope[t] - log_sum - (n + f) / (f + mean)
            gtotal[t, d] += push / total[t, d]
        find_bias_back(u, gu, data, t, s, push)
        gu.common[LOW] += push * row[IS_LOW]
        gu.common[LOW_SD] += push * row[IS_LOW] * low_sd * u.ends[s]
        gu.ends[s] += push * row[IS_LOW] * low_sd
        gu.common[HIGH] += push * row[IS_HIGH]
        gu.common[HIGH_SD] += push * row[IS_HIGH] * high_sd * u.ends[data.sources + s]
        gu.ends[data.sources + s] += push * row[IS_HIGH] * high_sd
    for t in range(data.kinds):
        push = -gphi[t] * phi[t]
        gu.common[PHI_MU] += push
        gu.common[PHI_SD] += push * phi_sd * u.own[t, bases + PHI]
        gu.own[t, bases + PHI] += push * phi_sd
    return value


@inner
def log_density(x, g, buffer):
    """Return the log density of x but for a constant, and fill g with its gradient."""
    data = open_buffer(buffer)
    u, gu, kinds, days = part(x, data), part(g, data), data.kinds, data.days
    root, z = np.zeros((kinds, kinds)), np.zeros((kinds, kinds))
    raw, push = np.empty((kinds, data.bases)), np.empty((kinds, data.bases))
    rate, total, offset = np.empty((kinds, days)), np.empty((kinds, days)), np.empty(kinds)
    grate, gtotal = np.zeros((kinds, days)), np.zeros((kinds, days))

    value = weigh_priors(u, gu, data) + correlate(u.y, gu.y, data.shape, z, root)
    value += weigh_splines(u, gu, data, root, raw, push)
    correlate_back(gu.y, z, root, raw, push)
    for t in range(kinds):
        offset[t] = draw_curve(u, data, t, rate[t], total[t])
        value -= 0.5 * offset[t] * offset[t] + u.common[START_SD]
    value += weigh_reports(u, gu, data, rate, total, grate, gtotal)
    for t in range(kinds):
        draw_curve_back(u, gu, data, t, rate[t], total[t], grate[t], gtotal[t], offset[t])
    return value
