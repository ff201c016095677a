"""Lesson 2.7 written another way: nested dictionaries, each histogram counted anew, every split tried in a loop."""

import numpy as np

from .validation import check_generator

MIN_HESSIAN = 1e-3
ROUNDING = 1e-14


def histogram(codes, gradient, hessian, n_bins):
    sums = np.zeros((3, codes.shape[1], n_bins))
    for j in range(codes.shape[1]):
        np.add.at(sums[0, j], codes[:, j], gradient)
        np.add.at(sums[1, j], codes[:, j], hessian)
        np.add.at(sums[2, j], codes[:, j], 1)
    return sums


def leaf_weight(G, H, l2_regularization=0.0):
    G, H = np.asarray(G, dtype=float), np.asarray(H, dtype=float) + l2_regularization
    return np.divide(-G, H, out=np.zeros(np.broadcast(G, H).shape), where=H != 0)[()]


def split_gain(G_left, H_left, G_right, H_right, l2_regularization=0.0, gamma=0.0):
    def cost(G, H):
        w = -G / (H + l2_regularization)
        return G * w + (H + l2_regularization) * w * w / 2

    return cost(G_left + G_right, H_left + H_right) - cost(G_left, H_left) - cost(G_right, H_right) - gamma


def best_split(
    sums, l2_regularization=0.0, gamma=0.0, min_samples_leaf=1, monotonic_cst=None, bounds=(-np.inf, np.inf)
):
    best, which = 0.0, None
    everything, lam = sums[:, 0].sum(axis=1), l2_regularization

    def step(s):
        return np.clip(leaf_weight(s[0], s[1], lam), *bounds)

    def cost(s):
        return s[0] * step(s) + (s[1] + lam) * step(s) ** 2 / 2

    for feature in range(sums.shape[1]):
        numbers, nan = sums[:, feature, :-1], sums[:, feature, -1:]
        for nan_left in [False, True] if nan[2] > 0 else [False]:
            left = np.add.accumulate(numbers, axis=1) + nan_left * nan
            right = everything[:, None] - left
            counts = np.minimum(left, right)
            fine = (counts[2] >= max(min_samples_leaf, 1)) & (counts[1] >= MIN_HESSIAN)
            if monotonic_cst is not None:
                fine &= monotonic_cst[feature] * (step(right) - step(left)) >= 0
            gain = np.where(fine, cost(everything) - cost(left) - cost(right) - gamma, -np.inf)
            b = int(np.flatnonzero(gain >= gain.max() - 1e-12 * abs(gain.max()))[0])
            if gain[b] > best + 1e-12 * abs(cost(left)[b] + cost(right)[b]):
                side = nan_left if nan[2] > 0 else bool(left[2, b] > right[2, b])
                best, which = gain[b], (float(gain[b]), feature, b, side)
    return which


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
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.gamma = gamma
        self.max_features = max_features
        self.monotonic_cst = monotonic_cst
        self.random_state = random_state

    def fit(self, codes, gradient, hessian, n_bins, rows=None):
        rng = check_generator(self.random_state)
        p = codes.shape[1]
        few = max(1, int(self.max_features * p))
        self.n_bins_ = n_bins

        def leaf(rows, depth, low, high):
            g, h = gradient[rows], hessian[rows]
            value = float(np.clip(leaf_weight(g.sum(), h.sum(), self.l2_regularization), low, high))
            made = {"rows": rows, "depth": depth, "value": value, "split": None, "bounds": (low, high)}
            if len(rows) >= 2 * self.min_samples_leaf and depth != self.max_depth:
                features = np.arange(p) if few == p else np.sort(rng.choice(p, few, replace=False))
                cst = None if self.monotonic_cst is None else np.asarray(self.monotonic_cst)[features]
                sums = histogram(codes[rows][:, features], g, h, n_bins)
                made["split"] = best_split(
                    sums, self.l2_regularization, self.gamma, self.min_samples_leaf, cst, (low, high)
                )
                made["features"] = features
            return made

        self._root = leaf(np.arange(len(codes)) if rows is None else rows, 0, -np.inf, np.inf)
        leaves = [self._root]
        while self.max_leaf_nodes is None or len(leaves) < self.max_leaf_nodes:
            open_ = [each for each in leaves if each["split"]]
            if not open_:
                break
            node = max(open_, key=lambda each: each["split"][0])
            leaves = [each for each in leaves if each is not node]
            _, f, b, nan_left = node["split"]
            f = int(node["features"][f])
            node["test"] = (f, b, nan_left)
            left = self._left(codes[node["rows"], f], b, nan_left)
            (low, high), bounds = node["bounds"], [node["bounds"]] * 2
            direction = 0 if self.monotonic_cst is None else self.monotonic_cst[f]
            if direction:
                ends = []
                for side in (left, ~left):
                    rows = node["rows"][side]
                    w = leaf_weight(gradient[rows].sum(), hessian[rows].sum(), self.l2_regularization)
                    ends.append(float(np.clip(w, low, high)))
                middle = sum(ends) / 2
                bounds = [(low, middle), (middle, high)] if direction > 0 else [(middle, high), (low, middle)]
            node["children"] = [
                leaf(node["rows"][side], node["depth"] + 1, *bound) for side, bound in zip((left, ~left), bounds)
            ]
            leaves += node["children"]
        return self

    def _left(self, column, b, nan_left):
        return np.where(column == self.n_bins_ - 1, nan_left, column <= b)

    def predict(self, codes):
        def walk(row):
            node = self._root
            while "children" in node:
                f, b, nan_left = node["test"]
                node = node["children"][0 if self._left(row[f], b, nan_left) else 1]
            return node["value"]

        ways, place = np.unique(codes, axis=0, return_inverse=True)
        return np.array([walk(row) for row in ways])[place.ravel()]
