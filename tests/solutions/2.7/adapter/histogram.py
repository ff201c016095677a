"""Lesson 2.7 by scikit-learn's histogram boosting; bins by exact quantiles and np.digitize."""

import os
from fractions import Fraction

import numpy as np
from sklearn import ensemble
from sklearn.ensemble._hist_gradient_boosting.binning import _find_binning_thresholds
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting

os.environ["OMP_NUM_THREADS"] = "1"  # or it counts the cores, in files that the sandbox does not show


def bin_edges(x, max_bins=255):
    x = np.sort(x[~np.isnan(x)])
    if len(x) == 0:
        return x
    if len(np.unique(x)) <= max_bins:
        return _find_binning_thresholds(x, max_bins)
    cuts = []
    for k in range(1, max_bins):  # theirs asks whether a float is an integer, and misses some
        place = Fraction(k * len(x), max_bins)
        cuts.append(x[int(place)] if place != int(place) else x[int(place) - 1 : int(place) + 1].mean())
    return np.unique(cuts)


def bin_codes(X, edges):
    columns = [np.digitize(x, cuts, right=True) for x, cuts in zip(X.T, edges)]
    return np.where(np.isnan(X), nan_code(edges), np.column_stack(columns)).astype(np.uint8)


def nan_code(edges):
    return max(map(len, edges)) + 1


def should_stop(losses, n_iter_no_change, tol):
    class Rule:
        pass

    rule = Rule()
    rule.n_iter_no_change, rule.tol = n_iter_no_change, tol
    return bool(BaseHistGradientBoosting._should_stop(rule, [-loss for loss in losses]))


class HistGradientBoostingRegressor(ensemble.HistGradientBoostingRegressor):
    pass


class HistGradientBoostingClassifier(ensemble.HistGradientBoostingClassifier):
    pass
