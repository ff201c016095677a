"""The probability that the course leans on: eight small tasks, one to four lines each.

Arrays are float64. Probabilities are given as such: they are not negative, and those that make up a distribution sum to 1.

Grinstead and Snell, Introduction to Probability (1997), chapters 1 to 6; Deisenroth, Faisal and Ong, Mathematics for Machine
Learning (2020), chapter 6.
"""

import math

import numpy as np


def at_least_one(p, n):
    """The probability that something which happens with probability p at each try happens in n independent tries, a float."""
    return 1.0 - (1.0 - p) ** n


def after_positive(prior, sensitivity, specificity):
    """The probability, a float, that somebody whose test is positive is ill.

    prior: the share that is ill; sensitivity: P(positive | ill); specificity: P(negative | healthy). The test is positive
    with a probability above 0.
    """
    ill, healthy = prior * sensitivity, (1.0 - prior) * (1.0 - specificity)
    return ill / (ill + healthy)


def moments(values, probabilities):
    """values, probabilities (n,) of a random variable -> (its mean, its variance), floats; the variance is E[(X - mean)^2]."""
    mean = probabilities @ values
    return float(mean), float(probabilities @ (values - mean) ** 2)


def conditional(joint, column):
    """joint (n, m), entry [i, j] being P(X = i and Y = j) -> (n,): P(X = i | Y = column), where P(Y = column) is above 0."""
    return joint[:, column] / joint[:, column].sum()


def independent(joint):
    """joint (n, m) as above -> whether X and Y are independent, a bool: every entry within 1e-9 of P(X = i) P(Y = j)."""
    product = joint.sum(axis=1)[:, None] * joint.sum(axis=0)
    return bool(np.abs(joint - product).max() <= 1e-9)


def between(low, high, mean, deviation):
    """The probability, a float, that a normal variable of this mean and standard deviation (above 0) is from low to high.

    The standard normal's distribution function at z is (1 + erf(z / sqrt 2)) / 2, and math has erf.
    """

    def below(x):
        return (1 + math.erf((x - mean) / (deviation * math.sqrt(2)))) / 2

    return below(high) - below(low)


def outcome(probabilities, u):
    """probabilities (n,), u a number from 0 up to but not including 1 -> the outcome that u stands for, an int.

    Outcome 0 has the stretch from 0 to probabilities[0], outcome 1 the next one of length probabilities[1], and so on; where
    two meet, the number belongs to the upper one. The last has all that is left, also where rounding makes the sum a little
    less than 1. With u drawn evenly, each outcome comes with its own probability.
    """
    return min(int(np.searchsorted(np.cumsum(probabilities), u, side="right")), len(probabilities) - 1)


def mean_and_error(sample):
    """sample (n,), n at least 2 -> (its mean, the standard error of that mean), floats.

    The standard error is s / sqrt(n), where s^2 is the sum of squared deviations divided by n - 1.
    """
    return float(sample.mean()), float(sample.std(ddof=1) / math.sqrt(len(sample)))
