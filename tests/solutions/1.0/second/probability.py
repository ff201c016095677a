"""The tasks of probability by other means."""

import bisect
import itertools
import math
import statistics

import numpy as np


def at_least_one(p, n):
    nothing = 1.0
    for _ in range(n):
        nothing *= 1 - p
    return 1 - nothing


def after_positive(prior, sensitivity, specificity):
    ill = np.array([prior, 1 - prior])
    positive = np.array([sensitivity, 1 - specificity])
    return float((ill * positive / (ill @ positive))[0])


def moments(values, probabilities):
    mean = float(np.average(values, weights=probabilities))
    return mean, float(np.average(values**2, weights=probabilities)) - mean**2


def conditional(joint, column):
    return (joint / joint.sum(axis=0, keepdims=True, where=joint >= 0))[:, column]


def independent(joint):
    return bool(np.allclose(joint, np.outer(joint.sum(1), joint.sum(0)), rtol=0, atol=1e-9))


def between(low, high, mean, deviation):
    z = [(x - mean) / deviation / 2**0.5 for x in (low, high)]
    return (math.erfc(z[0]) - math.erfc(z[1])) / 2


def outcome(probabilities, u):
    ends = list(itertools.accumulate(probabilities.tolist()))
    ends[-1] = math.inf
    return bisect.bisect_right(ends, u)


def mean_and_error(sample):
    numbers = sample.tolist()
    return statistics.mean(numbers), (statistics.variance(numbers) / len(numbers)) ** 0.5
