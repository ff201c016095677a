"""Chances on sympy.stats' finite random variables, and NumPy's multinomial for draws."""

from fractions import Fraction

import numpy as np
from sympy import Rational
from sympy.stats import FiniteRV, density


def _rv(distribution, name="X"):
    return FiniteRV(name, {o: Rational(p.numerator, p.denominator) for o, p in distribution.items()})


def evenly(outcomes):
    outcomes = list(outcomes)
    return {outcome: Fraction(1, len(outcomes)) for outcome in outcomes}


def probability(distribution, event):
    return sum((p for outcome, p in distribution.items() if event(outcome)), start=Fraction(0))


def given(distribution, event):
    total = probability(distribution, event)
    if total == 0:
        raise ValueError("never")
    return {outcome: p / total for outcome, p in distribution.items() if event(outcome)}


def combined(first, second, how):
    found = {}
    for a in first:
        for b in second:
            found[how(a, b)] = found.get(how(a, b), 0) + first[a] * second[b]
    return found


def sum_of(distribution, n):
    low = min(distribution)
    coefficients = [distribution.get(low + i, Fraction(0)) for i in range(max(distribution) - low + 1)]
    product = np.array([Fraction(1)], dtype=object)
    for _ in range(n):
        product = np.convolve(product, np.array(coefficients, dtype=object))
    return {n * low + i: p for i, p in enumerate(product) if p}


def mean(distribution):
    return _fraction(sum(o * p for o, p in density(_rv(distribution)).items()))


def variance(distribution):
    table = density(_rv(distribution))
    middle = sum(o * p for o, p in table.items())
    return _fraction(sum(p * (o - middle) ** 2 for o, p in table.items()))


def _fraction(x):
    return Fraction(int(x.p), int(x.q))


def posterior(prior, likelihood, observations):
    weights = {
        h: p * np.prod([likelihood[h].get(o, Fraction(0)) for o in observations] or [Fraction(1)])
        for h, p in prior.items()
    }
    total = sum(weights.values())
    if total == 0:
        raise ValueError("ruled out")
    return {h: w / total for h, w in weights.items() if w}


def simulated(distribution, n, rng):
    outcomes = list(distribution)
    counts = rng.multinomial(n, [float(distribution[o]) for o in outcomes])
    return {o: float(c / n) for o, c in zip(outcomes, counts) if c}
