"""Lesson 2.7 by scikit-learn's gradient boosting; the steps by its trees' way of numbering leaves."""

import numpy as np
from scipy import ndimage
from sklearn import ensemble


def newton_steps(leaves, gradient, hessian, n_nodes):
    nodes = np.arange(n_nodes)
    G, H = ndimage.sum_labels(gradient, leaves, nodes), ndimage.sum_labels(hessian, leaves, nodes)
    return np.array([-g / h if h > 1e-150 else 0.0 for g, h in zip(G, H)])


def median_steps(leaves, residual, n_nodes, weights=None):
    found = np.zeros(n_nodes)
    there = np.unique(leaves)
    found[there] = ndimage.median(residual, leaves, there)
    return found


class GradientBoostingRegressor(ensemble.GradientBoostingRegressor):
    pass


class GradientBoostingClassifier(ensemble.GradientBoostingClassifier):
    pass
