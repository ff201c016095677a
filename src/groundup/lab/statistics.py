"""What several runs say together: mean and spread, intervals, tests, and what many tests at once ask for.

The formulas are written out; distributions and their quantiles are scipy's. Few runs say little: of three seeds against three no
permutation test can be surer than p = 0.1, whatever the numbers are. Efron and Tibshirani, An Introduction to the Bootstrap (1993);
Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks (2021), https://arxiv.org/abs/2103.03098.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array
Statistic = Callable[..., Any]  # of samples along an axis, as np.mean and np.median are

RESAMPLES = 10_000


@dataclass(frozen=True)
class Summary:
    """Of one metric over n runs. sd is divided by n - 1; low and high are the t interval of the mean; NaN for a single run."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class Welch:
    """Welch's test of two means: mean of b less mean of a, its interval, t, the degrees of freedom, p from both sides."""

    difference: float
    low: float
    high: float
    t: float
    freedom: float
    p: float


def mean_and_sd(values: Numbers) -> tuple[float, float]:
    """The mean, and the sample's standard deviation (divided by n - 1): NaN for a single value."""
    sample = _sample(values)
    mean = float(sample.mean())
    if sample.size == 1:
        return mean, math.nan
    return mean, float(np.sqrt(np.sum((sample - mean) ** 2) / (sample.size - 1)))


def t_interval(values: Numbers, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean: mean ± t sd / sqrt(n). It takes the values as normal; of one value it is NaN."""
    mean, sd = mean_and_sd(values)
    reach = _t_quantile((1 + confidence) / 2, len(values) - 1) * sd / math.sqrt(len(values))
    return mean - reach, mean + reach


def summary(values: Numbers, confidence: float = 0.95) -> Summary:
    """Mean, spread and interval of one metric over several runs."""
    mean, sd = mean_and_sd(values)
    return Summary(len(values), mean, sd, *t_interval(values, confidence))


def percentile_interval(
    values: Numbers,
    statistic: Statistic = np.mean,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    generator: np.random.Generator | None = None,
) -> tuple[float, float]:
    """Bootstrap interval: the middle of what the statistic is on samples drawn from the sample, with replacement."""
    drawn = _bootstrapped(_sample(values), statistic, resamples, generator)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bca_interval(
    values: Numbers,
    statistic: Statistic = np.mean,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    generator: np.random.Generator | None = None,
) -> tuple[float, float]:
    """The bootstrap interval with its bias corrected, and accelerated: BCa (Efron 1987, section 3).

    The bias z0 says how far from the middle of the resamples the statistic itself lies; the acceleration a, from leaving each value
    out in turn, how its spread changes with it. Both move the quantiles that are read off. NaN where all values are equal.
    """
    from scipy.special import ndtr, ndtri

    sample = _sample(values)
    drawn = _bootstrapped(sample, statistic, resamples, generator)
    here = statistic(sample)
    z0 = ndtri((np.mean(drawn < here) + np.mean(drawn <= here)) / 2)
    left_out = np.array([statistic(np.delete(sample, i)) for i in range(sample.size)])  # (n,)
    pull = left_out.mean() - left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        a = np.sum(pull**3) / (6 * np.sum(pull**2) ** 1.5)
        ends = ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
        places = ndtr(z0 + (z0 + ends) / (1 - a * (z0 + ends)))
    if np.isnan(places).any():
        return math.nan, math.nan
    low, high = np.quantile(drawn, places)
    return float(low), float(high)


def welch(a: Numbers, b: Numbers, confidence: float = 0.95) -> Welch:
    """Whether two means differ, without taking the spreads as equal. Welch, Biometrika 34 (1947).

    Needs two values on each side. Where neither side spreads at all, p is 0 if the means differ and 1 if not.
    """
    from scipy.special import stdtr

    if min(len(a), len(b)) < 2:
        raise ValueError("a test of two means needs two values at least on each side")
    (mean_a, sd_a), (mean_b, sd_b) = mean_and_sd(a), mean_and_sd(b)
    share_a, share_b = sd_a**2 / len(a), sd_b**2 / len(b)
    difference, error = mean_b - mean_a, math.sqrt(share_a + share_b)
    if error == 0:
        return Welch(difference, difference, difference, math.nan, math.nan, float(difference == 0))
    freedom = (share_a + share_b) ** 2 / (share_a**2 / (len(a) - 1) + share_b**2 / (len(b) - 1))
    t = difference / error
    reach = _t_quantile((1 + confidence) / 2, freedom) * error
    return Welch(difference, difference - reach, difference + reach, t, freedom, float(2 * stdtr(freedom, -abs(t))))


def permutation(
    a: Numbers, b: Numbers, resamples: int = RESAMPLES, generator: np.random.Generator | None = None
) -> float:
    """p, from both sides, of the difference of means: how often a random division of all the values gives one as far out.

    Every division is tried where there are no more than `resamples` of them; else so many are drawn, and the true one counts as
    one of them, so that p is never 0.
    """
    left, right = _sample(a), _sample(b)
    together, n = np.concatenate([left, right]), left.size
    total = together.sum()

    def differences(chosen: Any) -> Array:  # chosen (divisions, n): which values make the left side
        sums = together[chosen].sum(axis=-1)
        found: Array = (total - sums) / right.size - sums / n
        return found

    seen = float(differences(np.arange(n)))
    exact = math.comb(together.size, n) <= resamples
    if exact:
        tried = differences(np.array(list(itertools.combinations(range(together.size), n))))
    else:
        generator = generator or np.random.default_rng(0)
        order = generator.random((resamples, together.size)).argsort(axis=1)
        tried = differences(order[:, :n])
    slack = 1e-12 * float(np.abs(together).max())  # two sums of the same numbers in another order are the same
    more = [np.count_nonzero(tried >= seen - slack), np.count_nonzero(tried <= seen + slack)]
    one_side = min(more) / len(tried) if exact else (min(more) + 1) / (len(tried) + 1)
    return min(1.0, 2 * float(one_side))


def bonferroni(p: Numbers) -> Array:
    """p values adjusted for their number: times it. At most a share alpha of such families has a false find."""
    values = np.asarray(p, float)
    found: Array = np.minimum(1.0, values * values.size)
    return found


def holm(p: Numbers) -> Array:
    """As Bonferroni's promise, and never weaker: the smallest times m, the next times m - 1, ... and no smaller than the one
    before. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    values = np.asarray(p, float)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    return _unsorted(np.minimum(1.0, stepped), order)


def benjamini_hochberg(p: Numbers) -> Array:
    """Adjusted so that of what is found below alpha a share of alpha at most is false, on average: the k-th smallest times m / k,
    and no larger than the one after. Benjamini and Hochberg, JRSS B 57 (1995).
    """
    values = np.asarray(p, float)
    order = np.argsort(values)
    scaled = values[order] * values.size / np.arange(1, values.size + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _unsorted(np.minimum(1.0, stepped), order)


CORRECTIONS: dict[str, Callable[[Numbers], Array]] = {
    "none": lambda p: np.asarray(p, float),
    "bonferroni": bonferroni,
    "holm": holm,
    "bh": benjamini_hochberg,
}


def _sample(values: Numbers) -> Array:
    sample = np.asarray(values, float)  # (n,)
    if sample.size == 0:
        raise ValueError("there are no values: a mean needs one at least")
    return sample


def _bootstrapped(
    sample: Array, statistic: Statistic, resamples: int, generator: np.random.Generator | None
) -> NDArray[Any]:
    """The statistic of so many samples drawn from the sample."""
    generator = generator or np.random.default_rng(0)
    chosen = generator.integers(0, sample.size, (resamples, sample.size))
    drawn: NDArray[Any] = np.asarray(statistic(sample[chosen], axis=-1))
    return drawn


def _t_quantile(share: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share)) if freedom > 0 else math.nan


def _unsorted(values: Array, order: NDArray[np.intp]) -> Array:
    back = np.empty_like(values)
    back[order] = values
    return back
