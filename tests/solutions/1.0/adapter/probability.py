"""The tasks of probability on scipy.stats."""

import numpy as np
from scipy import stats


def at_least_one(p, n):
    return float(stats.binom(n, p).sf(0))


def after_positive(prior, sensitivity, specificity):
    joint = np.array([prior, 1 - prior]) * [sensitivity, 1 - specificity]
    return float(joint[0] / joint.sum())


def moments(values, probabilities):
    mean = np.average(values, weights=probabilities)
    return float(mean), float(np.cov(values, aweights=probabilities, ddof=0))


def conditional(joint, column):
    return stats.rv_discrete(values=(np.arange(len(joint)), joint[:, column] / sum(joint[:, column]))).pk


def independent(joint):
    return bool(np.allclose(joint, stats.contingency.expected_freq(joint), rtol=0, atol=1e-9))


def between(low, high, mean, deviation):
    normal = stats.norm(mean, deviation)
    return float(normal.cdf(high) - normal.cdf(low))


def outcome(probabilities, u):
    return int(np.digitize(u, np.cumsum(probabilities)[:-1]))


def mean_and_error(sample):
    return float(np.mean(sample)), float(stats.sem(sample))
