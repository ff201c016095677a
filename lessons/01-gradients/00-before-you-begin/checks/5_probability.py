"""Probability: the truth comes from counting, in fractions, and from the statistics of the standard library."""

import itertools
import math
import statistics
from fractions import Fraction

import numpy as np

from groundup.course import checkpoint


@checkpoint("Probability: at least once in n tries", atol=1e-12, count=15)
def tries(lib, p, n):
    return lib.drills.probability.at_least_one(p, n)


@tries.cases
def _(draw):
    return dict(p=draw.choice([0.5, 0.1, 0.25, 1 / 6, 0.0, 1.0]), n=draw.integer(0, 12))


@tries.edges
def _():
    return [dict(p=1 / 6, n=4), dict(p=0.5, n=0), dict(p=1.0, n=3)]


@tries.oracle
def _(p, n):
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(1, n + 1))


@checkpoint("Probability: Bayes' rule, and what a positive test says", atol=1e-12, count=15)
def bayes(lib, prior, sensitivity, specificity):
    return lib.drills.probability.after_positive(prior, sensitivity, specificity)


@bayes.cases
def _(draw):
    rates = [0.5, 0.9, 0.99, 0.75, 1.0]
    return dict(
        prior=draw.choice([0.5, 0.01, 0.1, 0.001]), sensitivity=draw.choice(rates), specificity=draw.choice(rates)
    )


@bayes.edges
def _():
    return [dict(prior=0.01, sensitivity=0.9, specificity=0.95), dict(prior=0.2, sensitivity=0.5, specificity=1.0)]


@bayes.oracle
def _(prior, sensitivity, specificity):
    prior, sensitivity, specificity = Fraction(prior), Fraction(sensitivity), Fraction(specificity)
    joint = {(True, True): prior * sensitivity, (False, True): (1 - prior) * (1 - specificity)}
    return float(joint[True, True] / sum(joint.values()))


@checkpoint("Probability: mean and variance of a random variable", atol=1e-9, count=15)
def random_variables(lib, values, probabilities):
    return lib.drills.probability.moments(values, probabilities)


@random_variables.cases
def _(draw):
    n = draw.integer(1, 5)
    weights = draw.integers(0, 4, n) + (np.arange(n) == 0)
    return dict(values=draw.integers(-4, 6, n).astype(float), probabilities=weights / weights.sum())


@random_variables.edges
def _():
    return [dict(values=np.array([0.0, 1.0]), probabilities=np.array([0.25, 0.75])), dict(values=np.array([7.0]), probabilities=np.array([1.0]))]  # fmt: skip


@random_variables.oracle
def _(values, probabilities):
    first = math.fsum(p * x for x, p in zip(values, probabilities))
    # over pairs of independent copies: Var X = E[(X - Y)^2] / 2
    pairs = itertools.product(zip(values, probabilities), repeat=2)
    return first, math.fsum(p * q * (x - y) ** 2 for (x, p), (y, q) in pairs) / 2


@checkpoint("Probability: conditional, and independent", atol=1e-12, count=15)
def joint_tables(lib, joint, column):
    module = lib.drills.probability
    return {"conditional": module.conditional(joint, column), "independent": module.independent(joint)}


@joint_tables.cases
def _(draw):
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    rows, columns = 1 + draw.integers(0, 3, n), 1 + draw.integers(0, 3, m)
    joint = draw.choice([np.outer(rows, columns), 1 + draw.integers(0, 3, n, m)])
    return dict(joint=joint / joint.sum(), column=draw.integer(0, m - 1))


@joint_tables.edges
def _():
    return [dict(joint=np.array([[0.1, 0.2], [0.3, 0.4]]), column=1), dict(joint=np.array([[0.5, 0.0], [0.0, 0.5]]), column=0), dict(joint=np.array([[0.12, 0.28], [0.18, 0.42]]), column=0)]  # fmt: skip


@joint_tables.oracle
def _(joint, column):
    n, m = joint.shape
    total = math.fsum(joint[:, column])
    marginals = [math.fsum(row) for row in joint], [math.fsum(row) for row in joint.T]
    apart = [abs(joint[i, j] - marginals[0][i] * marginals[1][j]) for i in range(n) for j in range(m)]
    return {"conditional": np.array([x / total for x in joint[:, column]]), "independent": max(apart) <= 1e-9}


@checkpoint("Probability: the normal distribution", atol=1e-9, count=15)
def normal(lib, low, width, mean, deviation):
    return lib.drills.probability.between(low, low + width, mean, deviation)


@normal.cases
def _(draw):
    mean = draw.choice([0.0, 10.0, -3.0])
    return dict(
        low=mean + draw.uniform(-3.0, 2.0),
        width=draw.uniform(0.0, 3.0),
        mean=mean,
        deviation=draw.choice([1.0, 2.0, 0.5]),
    )


@normal.edges
def _():
    return [dict(low=-1.0, width=2.0, mean=0.0, deviation=1.0), dict(low=6.0, width=8.0, mean=10.0, deviation=2.0)]


@normal.oracle
def _(low, width, mean, deviation):
    distribution = statistics.NormalDist(mean, deviation)
    return distribution.cdf(low + width) - distribution.cdf(low)


@checkpoint("Probability: a draw from a distribution, and the error of a mean", atol=1e-9, count=20)
def samples(lib, eighths, u, sample):
    module = lib.drills.probability
    return {"outcome": module.outcome(np.array(eighths) / 8, u), "mean_and_error": module.mean_and_error(sample)}


@samples.cases
def _(draw):
    cuts = sorted(draw.integer(0, 8) for _ in range(draw.integer(0, 4)))
    u = draw.choice([0.0, 0.5, 0.125, 0.25, 0.75, 0.875, draw.uniform(0.0, 0.999)])
    return dict(
        eighths=[float(b - a) for a, b in zip([0, *cuts], [*cuts, 8])], u=u, sample=draw.normal(draw.integer(2, 6))
    )


@samples.edges
def _():
    sample = np.array([1.0, 3.0])
    return [
        dict(eighths=[2.0, 6.0], u=0.25, sample=sample),
        dict(eighths=[0.0, 8.0], u=0.0, sample=sample),
        dict(eighths=[0.8] * 10, u=1 - 2**-53, sample=np.array([2.0, 2.0, 5.0])),  # these ten sum to 1 - 2**-53
    ]


@samples.oracle
def _(eighths, u, sample):
    begins = list(itertools.accumulate(eighths, initial=0.0))
    found = next((i for i, p in enumerate(eighths) if begins[i] <= 8 * u < begins[i] + p), len(eighths) - 1)
    return {
        "outcome": found,
        "mean_and_error": (statistics.fmean(sample), statistics.stdev(sample) / math.sqrt(len(sample))),
    }
