"""Chances by other means: whole numbers over a common denominator, and draws one after another."""

import itertools
from fractions import Fraction
from functools import reduce


def evenly(outcomes):
    outcomes = tuple(outcomes)
    return dict.fromkeys(outcomes, Fraction(1, len(outcomes)))


def probability(distribution, event):
    total = Fraction()
    for outcome in filter(event, distribution):
        total += distribution[outcome]
    return total


def given(distribution, event):
    left = {outcome: p for outcome, p in distribution.items() if event(outcome)}
    if not left:
        raise ValueError("never happens")
    return _normed(left)


def _normed(weights):
    total = sum(weights.values())
    return {outcome: Fraction(weight) / total for outcome, weight in weights.items() if weight}


def combined(first, second, how):
    weights = {}
    for (a, p), (b, q) in itertools.product(first.items(), second.items()):
        weights[how(a, b)] = weights.get(how(a, b), Fraction()) + p * q
    return weights


def sum_of(distribution, n):
    return reduce(lambda total, one: combined(one, total, lambda a, b: a + b), [distribution] * n)


def mean(distribution):
    return sum((outcome * p for outcome, p in distribution.items()), Fraction())


def variance(distribution):
    squares = combined(distribution, {0: Fraction(1)}, lambda a, _: a * a)
    return mean(squares) - mean(distribution) ** 2


def posterior(prior, likelihood, observations):
    belief = dict(prior)
    for seen in observations:
        belief = {h: p * likelihood[h].get(seen, 0) for h, p in belief.items()}
        if not any(belief.values()):
            raise ValueError("ruled out, all of them")
        belief = _normed(belief)
    return belief


def simulated(distribution, n, rng):
    outcomes = list(distribution)
    ends = list(itertools.accumulate(float(p) for p in distribution.values()))
    counts = dict.fromkeys(outcomes, 0)
    for u in rng.random(n):
        counts[next((o for o, end in zip(outcomes, ends) if u < end), outcomes[-1])] += 1
    return {outcome: count / n for outcome, count in counts.items() if count}
