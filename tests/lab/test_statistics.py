"""Intervals, tests and corrections equal scipy's, or the slow definition written out."""

import math

import numpy as np
import pytest
from scipy import stats

from groundup.lab.statistics import (
    bca_interval,
    benjamini_hochberg,
    bonferroni,
    holm,
    mean_and_sd,
    percentile_interval,
    permutation,
    summary,
    t_interval,
    welch,
)

SEEDS = range(6)


def sample(seed, n=None, skewed=False):
    generator = np.random.default_rng(seed)
    n = n or int(generator.integers(2, 12))
    return generator.exponential(2.0, n) if skewed else generator.normal(1.5, 10.0 ** generator.integers(-3, 3), n)


@pytest.mark.parametrize("seed", SEEDS)
def test_mean_spread_and_t_interval_are_scipys(seed):
    values = sample(seed)
    mean, sd = mean_and_sd(values)
    assert (mean, sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)), rel=1e-12)
    for confidence in (0.5, 0.95, 0.99):
        theirs = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=stats.sem(values))
        assert t_interval(values, confidence) == pytest.approx(theirs, rel=1e-9)


def test_of_one_run_there_is_a_mean_and_no_spread():
    one = summary([3.0])
    assert (one.n, one.mean) == (1, 3.0) and math.isnan(one.sd) and math.isnan(one.low) and math.isnan(one.high)
    with pytest.raises(ValueError, match="there are no values"):
        summary([])


@pytest.mark.parametrize("statistic", [np.mean, np.median])
@pytest.mark.parametrize("seed", SEEDS)
def test_bootstrap_intervals_are_scipys_on_the_same_draws(seed, statistic):
    values = sample(seed, n=5 + 3 * seed, skewed=True)
    for ours, method in ((percentile_interval, "percentile"), (bca_interval, "BCa")):
        theirs = stats.bootstrap(
            (values,), statistic, n_resamples=999, method=method, confidence_level=0.9, rng=np.random.default_rng(seed)
        ).confidence_interval
        found = ours(values, statistic, 0.9, 999, np.random.default_rng(seed))
        assert found == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_bca_of_equal_values_has_no_ends():
    assert all(map(math.isnan, bca_interval([2.0, 2.0, 2.0])))


@pytest.mark.parametrize("seed", SEEDS)
def test_welchs_test_is_scipys(seed):
    a, b = sample(seed), sample(seed + 100)
    theirs, ours = stats.ttest_ind(b, a, equal_var=False), welch(a, b)
    assert (ours.t, ours.p, ours.freedom) == pytest.approx((theirs.statistic, theirs.pvalue, theirs.df), rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)), rel=1e-9)


def test_welch_of_values_that_do_not_spread_and_of_too_few():
    assert welch([1.0, 1.0], [2.0, 2.0]).p == 0 and welch([1.0, 1.0], [1.0, 1.0]).p == 1
    with pytest.raises(ValueError, match="two values at least on each side"):
        welch([1.0], [1.0, 2.0])


def difference(x, y, axis=-1):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


@pytest.mark.parametrize(("seed", "n", "m"), [(0, 3, 3), (1, 4, 6), (2, 2, 7), (3, 5, 5), (4, 2, 4)])
def test_the_exact_permutation_test_is_scipys(seed, n, m):
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=n), generator.normal(0.8, size=m)
    theirs = stats.permutation_test((a, b), difference, n_resamples=np.inf, vectorized=True)
    assert permutation(a, b) == pytest.approx(theirs.pvalue, rel=1e-12)
    ties = np.round(a), np.round(b)
    theirs = stats.permutation_test(ties, difference, n_resamples=np.inf, vectorized=True)
    assert permutation(*ties) == pytest.approx(theirs.pvalue, rel=1e-12)


def test_drawn_permutations_are_near_all_of_them_and_never_zero():
    generator = np.random.default_rng(3)
    a, b = generator.normal(size=8), generator.normal(0.9, size=8)
    exact = permutation(a, b, resamples=math.comb(16, 8))
    assert permutation(a, b, resamples=4000, generator=generator) == pytest.approx(exact, abs=0.03)
    assert 0 < permutation(a, b + 100, resamples=500) < 0.01


def test_three_against_three_is_never_surer_than_a_tenth():
    assert permutation([1.0, 1.1, 1.2], [50.0, 51.0, 52.0]) == pytest.approx(0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_corrections_are_their_definitions(seed):
    generator = np.random.default_rng(seed)
    p = generator.uniform(size=generator.integers(1, 15)) ** 3
    m, order = len(p), np.argsort(p)
    assert bonferroni(p) == pytest.approx([min(1, m * each) for each in p])
    slow, before = np.empty(m), 0.0
    for rank, i in enumerate(order):
        before = slow[i] = max(before, min(1, (m - rank) * p[i]))
    assert holm(p) == pytest.approx(slow)
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_holm_rejects_whatever_bonferroni_rejects_and_keeps_its_promise():
    generator = np.random.default_rng(0)
    families = generator.uniform(size=(2000, 6))  # nothing is there to be found
    wrong = {
        name: np.mean([(adjust(p) < 0.05).any() for p in families]) for name, adjust in (("b", bonferroni), ("h", holm))
    }
    assert all(np.all(holm(p) <= bonferroni(p)) for p in families)
    assert wrong["b"] <= wrong["h"] < 0.065
