"""Lesson 2.7 by the parts of scikit-learn's histogram boosting: its builder of histograms, its splitter, its grower."""

import os

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower
from sklearn.ensemble._hist_gradient_boosting.splitting import Splitter, compute_node_value

MIN_HESSIAN = 1e-3
ROUNDING = 1e-14

os.environ["OMP_NUM_THREADS"] = "1"  # or it counts the cores, in files that the sandbox does not show


def histogram(codes, gradient, hessian, n_bins):
    edges = np.arange(n_bins + 1) - 0.5
    return np.array(
        [
            [np.histogram(column, edges, weights=w)[0] for column in codes.T]
            for w in (gradient, hessian, np.ones(len(codes)))
        ]
    )


def leaf_weight(G, H, l2_regularization=0.0):
    values = [
        compute_node_value(g, h, -np.inf, np.inf, l2_regularization) if h + l2_regularization > 0 else 0.0
        for g, h in zip(np.ravel(G), np.ravel(H))
    ]
    return np.reshape(values, np.shape(G))


def split_gain(G_left, H_left, G_right, H_right, l2_regularization=0.0, gamma=0.0):
    def saved(G, H):
        return -G * compute_node_value(G, H, -np.inf, np.inf, l2_regularization) / 2

    return saved(G_left, H_left) + saved(G_right, H_right) - saved(G_left + G_right, H_left + H_right) - gamma


def best_split(
    sums, l2_regularization=0.0, gamma=0.0, min_samples_leaf=1, monotonic_cst=None, bounds=(-np.inf, np.inf)
):
    p, n_bins = sums.shape[1:]
    G, H, n = sums[:, 0].sum(axis=1)
    table = np.zeros((p, n_bins), dtype=[("g", "<f8"), ("h", "<f8"), ("n", "<u4")])
    table["g"], table["h"], table["n"] = sums
    missing = sums[2, :, -1] > 0
    splitter = Splitter(
        X_binned=np.zeros((1, p), dtype=np.uint8, order="F"),
        n_bins_non_missing=np.full(p, n_bins - 1, dtype=np.uint32),
        missing_values_bin_idx=n_bins - 1,
        has_missing_values=missing.astype(np.uint8),
        is_categorical=np.zeros(p, dtype=np.uint8),
        monotonic_cst=np.zeros(p, dtype=np.int8),
        l2_regularization=l2_regularization,
        min_hessian_to_split=MIN_HESSIAN,
        min_samples_leaf=min_samples_leaf,
        min_gain_to_split=2 * gamma + 1e-12,
        hessians_are_constant=False,
    )
    value = compute_node_value(G, H, -np.inf, np.inf, l2_regularization)
    found = splitter.find_node_split(int(n), table, G, H, value)
    if found.gain <= 0:
        return None
    side = (
        bool(found.missing_go_to_left) if missing[found.feature_idx] else found.n_samples_left > found.n_samples_right
    )
    b = found.bin_idx
    while found.missing_go_to_left and b > 0 and sums[2, found.feature_idx, b] == 0:
        b -= 1  # of cuts beside empty bins scikit-learn takes the last if NaN goes left
    return found.gain / 2 - gamma, found.feature_idx, b, side


class _Grower(TreeGrower):
    """Theirs takes the root's step to be 0, since in a booster its gradients add up to about that, and its gain so much larger."""

    def _initialize_root(self):
        super()._initialize_root()
        self.root.value = -self.root.sum_gradients / (self.root.sum_hessians + self.l2_regularization)

    def _compute_best_split_and_push(self, node):
        if node is self.root:
            node.value = -node.sum_gradients / (node.sum_hessians + self.l2_regularization)
        super()._compute_best_split_and_push(node)


class HistTree:
    def __init__(
        self,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        l2_regularization=0.0,
        gamma=0.0,
        max_features=1.0,
        monotonic_cst=None,
        random_state=None,
    ):
        self.options = dict(
            max_leaf_nodes=max_leaf_nodes,
            max_depth=max_depth,
            min_samples_leaf=min_samples_leaf,
            l2_regularization=l2_regularization,
            min_gain_to_split=2 * gamma,
        )

    def fit(self, codes, gradient, hessian, n_bins, rows=None):
        X = np.asfortranarray(codes, dtype=np.uint8)
        grower = _Grower(
            X,
            gradient.astype(np.float32),
            hessian.astype(np.float32),
            n_bins=n_bins,
            has_missing_values=np.equal(X, n_bins - 1).any(axis=0),
            **self.options,
        )
        grower.grow()
        edges = [np.arange(n_bins - 1.0)] * X.shape[1]
        self._tree, self._n_bins = grower.make_predictor(edges), n_bins
        return self

    def predict(self, codes):
        return self._tree.predict_binned(np.ascontiguousarray(codes, dtype=np.uint8), self._n_bins - 1, 1)
