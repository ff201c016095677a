"""Trees of second order on binned features: what a leaf is worth, which split gains most, and the tree that follows.

Near the raw predictions the loss of a sample is a parabola in its step w: l + g w + h w^2 / 2, where g and h are its first and
second derivative. The samples of a leaf share one w, which costs G w + (H + lambda) w^2 / 2, with G and H the sums of g and h
and lambda a price on large steps. The best w is -G / (H + lambda), and it saves G^2 / (H + lambda) / 2: leaves and splits both
follow from two sums. Since only sums matter, a feature may be cut into bins once for all; then a split needs what is in
each bin, a histogram, and not the samples in their order.

Chen and Guestrin, XGBoost: a scalable tree boosting system (2016), sections 2.2, 2.3 and 3.4. Ke et al., LightGBM: a highly
efficient gradient boosting decision tree (2017), section 2.
"""

import heapq
from typing import NamedTuple

import numpy as np

from .leaves import reached_leaves
from .validation import check_generator

MIN_HESSIAN = 1e-3  # a child whose hessians add up to less is none: its step would be the quotient of two small numbers
_BLOCK = 1 << 14  # places that one pass looks up
ROUNDING = 1e-14  # a gain below this share of what the children save is what rounding leaves of none


class Split(NamedTuple):  # given
    """Codes up to `bin` of a feature go left, and NaN goes left if missing_left; gain is what the split saves."""

    gain: float
    feature: int
    bin: int
    missing_left: bool


def histogram(codes, gradient, hessian, n_bins):
    """What is in each bin of each feature: codes (m, p) of integers from 0 to n_bins - 1, gradient (m,), hessian (m,)
    -> (3, p, n_bins), float64: the sum of the gradients, the sum of the hessians, and the number of samples.
    """
    places = codes + n_bins * np.arange(codes.shape[1])  # in p histograms that lie one behind the other
    sums, counts = _count(places, np.arange(len(codes)), gradient + 1j * hessian, n_bins)
    return np.array([sums.real, sums.imag, counts])


def _count(places, rows, pairs, n_bins, counted=True):
    """Of the pairs, gradient + i hessian (n,), the sums over some rows of places (n, p): (p, n_bins), and the counts.

    Complex numbers, since they carry two sums through one pass, in 0.6 of the time of two calls of np.bincount. In blocks,
    so that memory stays small. Without `counted`, None for the counts.
    """
    p = places.shape[1]
    sums, counts = np.zeros(p * n_bins, dtype=np.complex128), np.zeros(p * n_bins, dtype=np.int64)
    for start in range(0, len(rows), max(_BLOCK // p, 1)):
        block = rows[start : start + max(_BLOCK // p, 1)]
        here = places.take(block, axis=0).astype(np.intp).ravel()
        np.add.at(sums, here, np.repeat(pairs.take(block), p))
        if counted:
            counts += np.bincount(here, minlength=p * n_bins)
    return sums.reshape(p, n_bins), counts.reshape(p, n_bins) if counted else None


def leaf_weight(G, H, l2_regularization=0.0):
    """The best step of a leaf, -G / (H + lambda), and 0 where H + lambda is 0: numbers or arrays -> the same shape, float64

    Chen and Guestrin, equation 5.
    """
    H = np.asarray(H, dtype=np.float64) + l2_regularization
    return -G / np.where(H == 0, np.inf, H)


def split_gain(G_left, H_left, G_right, H_right, l2_regularization=0.0, gamma=0.0):
    """What it saves to make one leaf two, at a price of gamma for the leaf: numbers or arrays -> the same shape.

    (G_L^2 / (H_L + lambda) + G_R^2 / (H_R + lambda) - (G_L + G_R)^2 / (H_L + H_R + lambda)) / 2 - gamma. All H are above 0.
    Chen and Guestrin, equation 7.
    """
    children = G_left**2 / (H_left + l2_regularization) + G_right**2 / (H_right + l2_regularization)
    whole = (G_left + G_right) ** 2 / (H_left + H_right + l2_regularization)
    return (children - whole) / 2 - gamma


def best_split(
    sums, l2_regularization=0.0, gamma=0.0, min_samples_leaf=1, monotonic_cst=None, bounds=(-np.inf, np.inf)
):
    """The split of a node that gains most: sums (3, p, n_bins) as by `histogram`, the last bin NaN's -> Split, or None.

    NaN goes to the side where that gains more (Chen and Guestrin, algorithm 3). A node that has no NaN of the feature sends
    later ones to the child with more samples, to the right if both have as many. A split counts if each child has
    min_samples_leaf samples, and hessians that add up to MIN_HESSIAN, and if it gains more than 0 (more than ROUNDING of
    what the children save). Of splits that gain the same the one of the lowest feature is taken, there first those with NaN
    to the right, there the lowest bin.

    monotonic_cst: for each feature 1 if the prediction may only rise with it, -1 if it may only fall, 0 for neither; None
    for 0 each. With it the leaves' steps are cut to bounds (low, high), gains are what the steps so cut save, and a split
    does not count whose left child has a larger step than its right one at 1, or a smaller one at -1.
    """
    running = np.cumsum(sums, axis=2)[:, None]
    return _best_splits(running, l2_regularization, gamma, min_samples_leaf, monotonic_cst, [bounds])[0]


def _best_splits(running, l2, gamma, min_samples_leaf, cst, bounds, barred=None):
    """The same for k nodes at once, from running sums over the bins (q, k, p, n_bins); barred (k, p): where not to split.

    Running sums of gradients come first, then those of hessians, last the counts. If q is 2, the last two are the same.
    """
    total = running[:, :, 0, -1, None, None, None]  # (q, k, 1, 1, 1)
    missing = running[..., -1] - running[..., -2]  # (q, k, p)
    left = running[:, :, :, None]  # (q, k, p, 1, n_bins), NaN to the right
    if missing[-1].any():
        left = np.concatenate([left, left + missing[..., None, None]], axis=3)  # (q, k, p, 2, n_bins), and to the left
    count = left[-1]
    bad = (count < min_samples_leaf) | (total[-1] - min_samples_leaf < count)
    if len(running) > 2:
        bad |= (left[1] < MIN_HESSIAN) | (total[1] - MIN_HESSIAN < left[1])
    if barred is not None:
        bad |= barred[:, :, None, None]
    saved, whole = _savings(left, total, l2, cst, bounds)
    np.copyto(saved, -np.inf, where=bad)
    splits = []
    for i, place in enumerate(saved.reshape(len(saved), -1).argmax(axis=1)):
        feature, missing_left, b = at = np.unravel_index(place, saved.shape[1:])
        gain = (saved[i][at] - whole.flat[i]) / 2 - gamma
        if missing[-1, i, feature] == 0:
            missing_left = count[i][at] > total[-1].flat[i] - count[i][at]
        split = Split(float(gain), int(feature), int(b), bool(missing_left))
        splits.append(split if gain > ROUNDING * saved[i][at] else None)
    return splits


def _savings(left, total, l2, cst, bounds):
    """Twice what both children of each split save, and twice what each node saves as one leaf: left (q, k, p, 1 or 2, n_bins),
    total (q, k, 1, 1, 1) -> (k, p, 1 or 2, n_bins), (k, 1, 1, 1). -inf where a constraint is broken.
    """
    G, H = left[0], left[1]
    with np.errstate(divide="ignore", invalid="ignore"):  # children without samples, which do not count anyway
        if cst is None:
            saved = _most_saved(G, H, l2)
            saved += _most_saved(total[0] - G, total[1] - H, l2)
            return saved, _most_saved(total[0], total[1], l2)
        low, high = np.reshape(bounds, (-1, 2)).T[:, :, None, None, None]  # each (k, 1, 1, 1)
        sides = (G, H), (total[0] - G, total[1] - H), (total[0], total[1])
        steps = [np.clip(leaf_weight(*side, l2), low, high) for side in sides]
        first, second, whole = (_saved(*side, step, l2) for side, step in zip(sides, steps))
        broken = np.asarray(cst)[:, None, None] * (steps[1] - steps[0]) < 0
        return np.where(broken, -np.inf, first + second), whole


def _most_saved(G, H, l2):
    """Twice what a leaf saves by its best step, G^2 / (H + lambda)."""
    saved = G * G
    saved /= H + l2 if l2 else H
    return saved


def _saved(G, H, step, l2):
    """Twice what a leaf saves by any step."""
    return -step * (2 * G + (H + l2) * step)


class HistTree:
    """A tree on binned samples, grown leaf by leaf: of all leaves the one whose split gains most is split next.

    Parameters: max_leaf_nodes, how many leaves at most (int >= 2, None for no limit); max_depth, how many splits between root
    and leaf at most (int >= 1, None for no limit); min_samples_leaf (int >= 1), l2_regularization, gamma and monotonic_cst as
    for `best_split`; max_features, at which share of the features each node may split, max(1, int(share * p)) of them drawn
    anew for each (float in (0, 1]); random_state, for these draws.

    Learns, with an entry for each node, the root first: feature_, bin_ and missing_left_ as in Split, feature -1 in a leaf;
    left_ and right_, the numbers of the children, -1 in a leaf; value_, a leaf's step -G / (H + lambda), 0.0 elsewhere. And
    leaf_ (n,), the leaf that each sample of `fit` is in, -1 for one that was left out.

    Of leaves whose splits gain the same, the one made first is split first; a left child is made before its sibling. The
    children of a split at a constrained feature divide its bounds at the mean of their two steps.
    """

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
        """Stores the parameters, and nothing else."""
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.gamma = gamma
        self.max_features = max_features
        self.monotonic_cst = monotonic_cst
        self.random_state = random_state

    def fit(self, codes, gradient, hessian, n_bins, rows=None):
        """codes (n, p) of integers from 0 to n_bins - 1, the last for NaN; gradient (n,), hessian (n,) >= 0 -> self.

        rows: the samples to grow on, ascending places (m,); None for all n.
        """
        self.n_bins_, self._generator = n_bins, check_generator(self.random_state)
        samples = _Samples(codes, gradient, hessian, n_bins)
        rows = np.arange(len(codes)) if rows is None else rows
        running = samples.running(rows)
        nodes, heap = [_Node(rows, running[:, 0, -1], 0, (-np.inf, np.inf))], []
        self._look_for_splits([0], nodes, running[:, None], heap)
        splits_left = len(rows) if self.max_leaf_nodes is None else self.max_leaf_nodes - 1
        while heap and splits_left:
            node = nodes[heapq.heappop(heap)[1]]
            node.children = [len(nodes), len(nodes) + 1]
            nodes += self._divide(node, samples)
            splits_left -= 1
            if splits_left and any(self._may_split(nodes[place]) for place in node.children):
                self._look_for_splits(node.children, nodes, self._count(node, nodes, samples), heap)
            node.running = None  # its memory goes to the next
            if len(heap) > splits_left:
                heap.sort()
                for _, place in heap[splits_left:]:  # whose turn will never come
                    nodes[place].running = None
                del heap[splits_left:]
        return self._keep(nodes, len(codes))

    def predict(self, codes):
        """The step of the leaf that each sample falls into: codes (m, p) -> (m,)"""

        bins, missing_left = (
            self.bin_.tolist(),
            self.missing_left_.tolist(),
        )  # numbers that leave the codes the bytes they are

        def goes_right(node, rows):
            return ~self._goes_left(codes[:, self.feature_[node]][rows], bins[node], missing_left[node])

        return self.value_.take(reached_leaves(self.left_, self.right_, goes_right, len(codes)))

    def _look_for_splits(self, places, nodes, running, heap):
        """Puts the nodes that have a split into the heap: the largest gain first, then the node that was made first."""
        k, p = running.shape[1:3]
        barred = None
        if self.max_features < 1:
            order = np.argsort(self._generator.random((k, p)), axis=1)
            barred = order >= max(1, int(self.max_features * p))
        limits = self.l2_regularization, self.gamma, self.min_samples_leaf, self.monotonic_cst
        splits = _best_splits(running, *limits, [nodes[place].bounds for place in places], barred)
        for i, place in enumerate(places):
            if splits[i] is not None and self._may_split(nodes[place]):
                nodes[place].split, nodes[place].running = splits[i], running[:, i].copy()  # its sibling's may go
                heapq.heappush(heap, (-splits[i].gain, place))

    def _may_split(self, node):
        return len(node.rows) >= 2 * self.min_samples_leaf and node.depth != self.max_depth

    def _goes_left(self, column, b, missing_left):
        left = column <= b
        return left | (column == self.n_bins_ - 1) if missing_left else left

    def _divide(self, node, samples):
        """The two children of a node."""
        _, feature, b, missing_left = node.split
        left = self._goes_left(samples.columns[feature].take(node.rows), b, missing_left)
        total = node.running[:, feature, b]
        if missing_left:
            total = total + node.running[:, feature, -1] - node.running[:, feature, -2]
        totals, bounds = (total, node.total - total), (node.bounds, node.bounds)
        if self.monotonic_cst is not None and self.monotonic_cst[feature]:
            (low, high), middle = node.bounds, np.mean([self._step(t, node.bounds) for t in totals])
            bounds = ((low, middle), (middle, high))[:: self.monotonic_cst[feature]]
        rows = node.rows[left], node.rows[~left]
        return [_Node(r, t, node.depth + 1, b) for r, t, b in zip(rows, totals, bounds)]

    def _count(self, node, nodes, samples):
        """The running sums of both children, (q, 2, p, n_bins): the smaller is counted, the other's are the node's minus these."""
        rows = [nodes[place].rows for place in node.children]
        small = int(len(rows[1]) < len(rows[0]))
        running = np.empty((len(node.running), 2, *node.running.shape[1:]))
        running[:, small] = samples.running(rows[small])
        np.subtract(node.running, running[:, small], out=running[:, 1 - small])
        return running

    def _step(self, total, bounds):
        return np.clip(leaf_weight(total[0], total[1], self.l2_regularization), *bounds)

    def _keep(self, nodes, n):
        """Writes the nodes down, an array for each thing about them."""
        splits = [node.split if node.children else Split(0.0, -1, -1, False) for node in nodes]
        self.feature_, self.bin_, self.missing_left_ = (np.array([split[i] for split in splits]) for i in (1, 2, 3))
        self.left_, self.right_ = np.array([node.children or [-1, -1] for node in nodes]).T
        totals, bounds = np.array([node.total for node in nodes]), np.array([node.bounds for node in nodes])
        self.value_ = np.where(self.feature_ < 0, self._step(totals.T, bounds.T), 0.0)
        self.leaf_ = np.full(n, -1)
        for place, node in enumerate(nodes):
            if not node.children:
                self.leaf_[node.rows] = place
        return self


class _Node:
    """A node while the tree grows: its samples, their sums (q,), how deep it is, and what its step must lie in."""

    def __init__(self, rows, total, depth, bounds):
        self.rows, self.total, self.depth, self.bounds = rows, total, depth, bounds
        self.split = self.running = self.children = None


class _Samples:
    """What a tree grows on, in the forms that growing wants."""

    def __init__(self, codes, gradient, hessian, n_bins):
        p = codes.shape[1]
        self.n_bins, self.columns = n_bins, np.ascontiguousarray(codes.T)  # (p, n)
        kind = np.min_scalar_type(p * n_bins)  # few bytes: most of the time goes into fetching rows of this array
        places = np.add(codes, n_bins * np.arange(p, dtype=kind), dtype=kind, casting="unsafe")
        self.places = np.ascontiguousarray(places)  # (n, p)
        self.pairs = _rounded(gradient) + 1j * _rounded(hessian)
        self.same = np.all(np.asarray(hessian) == 1)  # then the sum of the hessians is the count, and serves as both

    def running(self, rows):
        """Running sums over the bins of some samples, (2, p, n_bins) or (3, p, n_bins)."""
        sums, counts = _count(self.places, rows, self.pairs, self.n_bins, counted=not self.same)
        sums = np.cumsum(sums, axis=1)
        running = np.empty((2 if self.same else 3, *sums.shape))
        running[0], running[1] = sums.real, sums.imag
        if not self.same:
            running[2] = np.cumsum(counts, axis=1)
        return running


def _rounded(values):
    """To 32 bits: then sums of thousands hardly depend on their order, what ties does tie, and differences are clean.

    Dekker, A floating-point technique for extending the available precision (1971).
    """
    spread = values * (2.0**21 + 1)
    return spread - (spread - values)
