"""A practice project in probability: a calculator for chances that never rounds, and a simulation that checks it.

A *distribution* is a dictionary {outcome: probability} whose probabilities are Fractions above 0 that sum to 1. Outcomes are
numbers or texts. An *event* is a function from an outcome to True or False.

Grinstead and Snell, Introduction to Probability (1997), chapters 1, 4, 6 and 8.
"""

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np


def evenly(outcomes):
    """The distribution in which each of the outcomes, all different, has the same probability: evenly(range(1, 7)) is a die."""
    outcomes = list(outcomes)
    return {outcome: Fraction(1, len(outcomes)) for outcome in outcomes}


def probability(distribution, event):
    """The probability of an event, a Fraction."""
    return sum((p for outcome, p in distribution.items() if event(outcome)), Fraction(0))


def given(distribution, event):
    """The distribution once the event is known to have happened. ValueError if its probability is 0."""
    whole = probability(distribution, event)
    if not whole:
        raise ValueError("an event of probability 0 cannot be known to have happened")
    return {outcome: p / whole for outcome, p in distribution.items() if event(outcome)}


def combined(first, second, how):
    """The distribution of how(a, b), where a comes from the first, b from the second, and they are independent."""
    found = defaultdict(Fraction)
    for a, p in first.items():
        for b, q in second.items():
            found[how(a, b)] += p * q
    return dict(found)


def sum_of(distribution, n):
    """The distribution of the sum of n independent draws, n at least 1; outcomes are numbers."""
    total = distribution
    for _ in range(n - 1):
        total = combined(total, distribution, lambda a, b: a + b)
    return total


def mean(distribution):
    """The expected value of a distribution of numbers, a Fraction where they are whole."""
    return sum(p * outcome for outcome, p in distribution.items())


def variance(distribution):
    """The expected squared distance from the mean, a Fraction where outcomes are whole numbers."""
    middle = mean(distribution)
    return sum(p * (outcome - middle) ** 2 for outcome, p in distribution.items())


def posterior(prior, likelihood, observations):
    """What to believe after independent observations, by Bayes' rule: a distribution over hypotheses.

    prior: a distribution over hypotheses, before. likelihood: {hypothesis: the distribution of one observation if it is true}.
    Hypotheses that have been ruled out are not in the result. ValueError where all have been.
    """
    weights = dict(prior)
    for seen in observations:
        weights = {h: w * likelihood[h][seen] for h, w in weights.items() if seen in likelihood[h]}
    if not weights:
        raise ValueError("no hypothesis allows for what has been observed")
    whole = sum(weights.values())
    return {h: w / whole for h, w in weights.items()}


def simulated(distribution, n, rng):
    """n draws with a NumPy generator -> {outcome: its share of the draws, a float} for the outcomes that came, n at least 1."""
    outcomes = list(distribution)
    draws = rng.choice(len(outcomes), size=n, p=np.array([float(distribution[outcome]) for outcome in outcomes]))
    return {outcomes[i]: count / n for i, count in Counter(draws.tolist()).items()}
