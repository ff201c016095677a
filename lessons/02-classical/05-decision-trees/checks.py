"""What is asked of lesson 2.5: impurities, best splits, whole trees that equal scikit-learn's, and pruning."""

from itertools import pairwise

import numpy as np

from groundup.course import checkpoint

ARRAYS = ("children_left", "children_right", "feature", "threshold", "value", "impurity", "n_node_samples")
EQUAL = 1e-10  # gains closer than this share of the node's impurity are equal, as the library's TIE


def strict():
    """Floating-point warnings become errors."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


# --------------------------------------------------------------------------- a slow tree, straight from the definitions


def columns_of(y, criterion):
    """The targets as columns (c, n): a column of indicators for each class, or the numbers."""
    return y[None] if criterion == "squared_error" else (y == np.arange(y.max() + 1)[:, None]).astype(float)


def impurity_of(T, w, criterion):
    """Of targets T (c, n) with weights w (n,)."""
    mean = T @ w / w.sum()
    if criterion == "squared_error":
        return float(np.sum((T - mean[:, None]) ** 2 @ w) / w.sum())
    return float(
        np.sum(mean * (1 - mean)) if criterion == "gini" else -np.sum(mean[mean > 0] * np.log2(mean[mean > 0]))
    )


def candidate_splits(X, T, w, criterion, min_samples_leaf):
    """Every split that is allowed, by feature and then by threshold: (feature, low, high, gain)."""
    whole, found = impurity_of(T, w, criterion), []
    for f in range(X.shape[1]):
        values = np.unique(X[:, f])
        for low, high in pairwise(values):
            left = X[:, f] <= low
            if min(left.sum(), (~left).sum()) >= min_samples_leaf:
                sides = sum(w[s].sum() * impurity_of(T[:, s], w[s], criterion) for s in (left, ~left))
                found.append((f, low, high, whole - sides / w.sum()))
    return found


def slow_tree(X, T, w, criterion, max_depth=None, min_samples_leaf=1):
    """The arrays of the tree, depth first; of equal gains the first."""
    rows = []

    def node(here, depth):
        t, impurity = len(rows), impurity_of(T[:, here], w[here], criterion)
        rows.append([-1, -1, -2, -2.0, T[:, here] @ w[here] / w[here].sum(), impurity, len(here)])
        splits = candidate_splits(X[here], T[:, here], w[here], criterion, min_samples_leaf)
        if depth == max_depth or impurity < 1e-14 or not splits:
            return t
        top = max(gain for *_, gain in splits)
        feature, low, high, _ = next(s for s in splits if s[3] >= top - EQUAL * impurity)
        left = X[here, feature] <= low
        rows[t][2:4] = feature, (low + high) / 2
        rows[t][0] = node(here[left], depth + 1)
        rows[t][1] = node(here[~left], depth + 1)
        return t

    node(np.arange(len(X)), 0)
    return {name: np.array(column) for name, column in zip(ARRAYS, zip(*rows))}


def depth_without_rivals(X, T, criterion, deepest=4, min_samples_leaf=1):
    """Down to which depth each node has one best split and no other as good. X (n, p) without a value twice, T (c, n)."""
    level = [np.arange(len(X))]
    for depth in range(deepest):
        below = []
        for here in level:
            n = len(here)
            if n < 2 * min_samples_leaf or np.all(T[:, here] == T[:, here[:1]]):
                continue
            order = here[np.argsort(X[here], axis=0)]  # (n, p)
            left = np.cumsum(T[:, order], axis=1)[:, min_samples_leaf - 1 : n - min_samples_leaf]  # (c, cuts, p)
            right = T[:, here].sum(axis=1)[:, None, None] - left
            behind = np.arange(min_samples_leaf, n - min_samples_leaf + 1)[:, None]
            if criterion == "entropy":
                sides = sum(
                    (side * np.log2(np.maximum(side, 1e-300) / k)).sum(axis=0)
                    for side, k in ((left, behind), (right, n - behind))
                )
            else:
                sides = (left**2).sum(axis=0) / behind + (right**2).sum(axis=0) / (n - behind)
            if np.sum(sides > sides.max() - 1e-7 * (1 + abs(sides.max()))) > 1:
                return depth
            cut, feature = np.unravel_index(sides.argmax(), sides.shape)
            below += [order[: cut + min_samples_leaf, feature], order[cut + min_samples_leaf :, feature]]
        level = below
    return deepest


def arrays_of(tree):
    """What is compared of a tree; what ought to be whole numbers may come in any type."""
    whole = ("children_left", "children_right", "feature", "n_node_samples")
    return {n: np.asarray(getattr(tree, n)).astype(np.int64 if n in whole else np.float64) for n in ARRAYS}


def draw_unique(draw, criterion, n=20, p=3, **rules):
    """A problem in which, down to max_depth, no split has a rival; its numbers are exact in float32 too."""
    seed = draw.seed()
    for turn in range(100):
        rng = np.random.default_rng([seed, turn])
        X = np.argsort(rng.random((n, p)), axis=0) / 4.0  # no value twice
        score = X[:, 0] / n + rng.standard_normal(n)
        y = np.round(16 * score) if criterion == "squared_error" else np.digitize(score, [-0.4, 0.5])
        y = y if criterion == "squared_error" else np.unique(y, return_inverse=True)[1]
        depth = depth_without_rivals(X, columns_of(y, criterion), criterion, **rules)
        if depth > 0:
            return dict(X=X, y=y, max_depth=depth)
    raise AssertionError("a hundred problems with rivals at the root")


def sklearn_tree(X, y, criterion, **options):
    """scikit-learn's tree, as arrays_of gives it."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if criterion == "squared_error" else DecisionTreeClassifier
    model = kind(criterion=criterion, random_state=0, **options).fit(X, y)
    return {**arrays_of(model.tree_), "value": model.tree_.value[:, 0, :]}, model


def as_tree(lib, arrays):
    """A Tree of the library from arrays."""
    return lib.classic.growing.Tree(**arrays, weighted_n_node_samples=arrays["n_node_samples"].astype(np.float64))


def draw_tree(draw, most=40):
    """The arrays of a tree that scikit-learn has grown."""
    rng = np.random.default_rng(draw.seed())
    n, p = draw.integer(2, most), draw.integer(1, 3)
    X, numbers = rng.integers(0, 9, (n, p)) / 2.0, rng.standard_normal(n)
    y, criterion = (numbers, "squared_error") if draw.boolean(0.7) else ((numbers > 0).astype(np.int64), "gini")
    return sklearn_tree(X, y, criterion, min_samples_leaf=draw.choice([1, 2]))[0]


# -------------------------------------------------------------------------------------------------------- the impurity


@checkpoint("The Gini index of counts or weights, along the last axis", atol=1e-12)
def gini(lib, counts):
    with strict():
        return lib.classic.splitting.gini(counts)


@gini.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    counts = draw.integers(0, 9, *shape)
    counts[..., 0] += 1
    return dict(counts=counts if draw.boolean(0.7) else counts * draw.uniform(0.1, 2.0))


@gini.edges
def _():
    return [
        dict(counts=np.array([3, 1])),
        dict(counts=np.array([4])),
        dict(counts=np.array([0, 7, 0])),
        dict(counts=np.array([[0.5, 0.5], [2.0, 6.0]])),
        dict(counts=np.array([[0, 0], [1, 1]])),
    ]


@gini.oracle
def _(counts):
    flat = counts.reshape(-1, counts.shape[-1]).tolist()
    p = [[each / sum(row) for each in row] if sum(row) else [] for row in flat]
    found = [sum(a * b for i, a in enumerate(row) for j, b in enumerate(row) if i != j) for row in p]
    return np.array(found, dtype=np.float64).reshape(counts.shape[:-1])


@checkpoint("Entropy in bits, equal to SciPy's, and 0 log 0 is 0 without a warning", atol=1e-12)
def entropy(lib, counts):
    with strict():
        return lib.classic.splitting.entropy(counts)


@entropy.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    counts = draw.integers(0, 5, *shape)
    counts[..., 0] += 1
    return dict(counts=counts if draw.boolean(0.7) else counts * draw.uniform(0.1, 2.0))


@entropy.edges
def _():
    return [
        dict(counts=np.array([1, 1])),
        dict(counts=np.array([4])),
        dict(counts=np.array([0, 7, 0])),
        dict(counts=np.array([[0.5, 0.5], [2.0, 6.0]])),
        dict(counts=np.array([[0, 0], [1, 3]])),
    ]


@entropy.oracle
def _(counts):
    from scipy.stats import entropy

    some = counts.sum(axis=-1, keepdims=True) > 0
    return np.asarray(entropy(np.where(some, counts, 1.0), axis=-1, base=2)) * some[..., 0]


# ---------------------------------------------------------------------------------------------------------- the splits


@checkpoint("A threshold lies halfway, at or above the lower value, below the higher", rtol=1e-15, atol=0.0)
def midpoint(lib, low, high):
    with strict():
        threshold = lib.classic.splitting.midpoint(low, high)
    return {"threshold": threshold, "low <= threshold < high": (low <= threshold) & (threshold < high)}


@midpoint.cases
def _(draw):
    low = draw.uniform(-4.0, 4.0, 3)
    return dict(low=low, high=low + draw.log_uniform(1e-6, 1e6, 3))


@midpoint.edges
def _():
    after = np.nextafter(1.0, 2.0)
    return [
        dict(low=0.0, high=1.0),
        dict(low=-3.0, high=1.0),
        dict(low=1.0, high=float(after)),
        dict(low=float(after), high=float(np.nextafter(after, 2.0))),
        dict(low=np.array([1e308, -1.7e308]), high=np.array([1.7e308, 1.7e308])),
    ]


@midpoint.oracle
def _(low, high):
    from fractions import Fraction

    def between(a, b):
        middle = float((Fraction(a) + Fraction(b)) / 2)
        return middle if middle < b else a

    pairs = zip(np.ravel(low).tolist(), np.ravel(high).tolist())
    threshold = np.array([between(a, b) for a, b in pairs]).reshape(np.shape(low))
    return {"threshold": threshold[()], "low <= threshold < high": np.ones(threshold.shape, dtype=bool)[()]}


@checkpoint("What each cut of a sorted node gains, for every criterion", atol=1e-10, count=24)
def gains(lib, targets, weights, criterion):
    with strict():
        return lib.classic.splitting.split_gains(targets * weights, weights, criterion=criterion)


@gains.cases
def _(draw):
    criterion, m = draw.choice(["squared_error", "gini", "entropy"]), draw.integer(1, 7)
    y = draw.integers(-3, 3, m).astype(float) if criterion == "squared_error" else draw.integers(0, 2, m)
    weights = draw.integers(1, 3, m).astype(float) if draw.boolean(0.4) else np.ones(m)
    return dict(targets=columns_of(y, criterion), weights=weights, criterion=criterion)


@gains.edges
def _():
    y = np.array([1.0, 3.0, 8.0])
    labels = columns_of(np.array([0, 0, 1]), "gini")
    return [
        dict(targets=y[None], weights=np.ones(3), criterion="squared_error"),
        dict(targets=labels, weights=np.ones(3), criterion="gini"),
        dict(targets=labels, weights=np.ones(3), criterion="entropy"),
        dict(targets=labels, weights=np.array([1.0, 1.0, 4.0]), criterion="gini"),
        dict(targets=y[None, :1], weights=np.ones(1), criterion="squared_error"),
    ]


@gains.oracle
def _(targets, weights, criterion):
    return slow_gains(targets, weights, criterion)


def slow_gains(targets, weights, criterion):
    """One cut after the other."""
    whole, out = impurity_of(targets, weights, criterion), np.full(len(weights), -np.inf)
    for i in range(1, len(weights)):
        sides = (np.arange(len(weights)) < i, np.arange(len(weights)) >= i)
        out[i - 1] = whole - sum(
            weights[s].sum() * impurity_of(targets[:, s], weights[s], criterion) for s in sides
        ) / sum(weights)
    return out


@checkpoint("Gains of nodes that lie one after the other, and of several features at once", atol=1e-10, count=15)
def gains_side_by_side(lib, targets, weights, sizes, criterion):
    with strict():
        return lib.classic.splitting.split_gains(targets * weights, weights, sizes, criterion)


@gains_side_by_side.cases
def _(draw):
    criterion = draw.choice(["squared_error", "gini", "entropy"])
    sizes = draw.integers(1, 4, draw.integer(1, 4))
    f, m = draw.integer(1, 3), int(sizes.sum())
    y = draw.integers(-3, 3, f, m).astype(float) if criterion == "squared_error" else draw.integers(0, 1, f, m)
    columns = y[None] if criterion == "squared_error" else np.stack([y == 0, y == 1]).astype(float)
    weights = draw.integers(1, 3, f, m).astype(float) if draw.boolean(0.4) else np.ones(m)
    return dict(targets=columns, weights=weights, sizes=sizes, criterion=criterion)


@gains_side_by_side.edges
def _():
    return [
        dict(
            targets=np.array([[1.0, 3.0, 8.0, 2.0, 2.0]]),
            weights=np.ones(5),
            sizes=np.array([3, 2]),
            criterion="squared_error",
        ),
        dict(
            targets=np.array([[1e6, 3e6, 0.0, 1.0]]),
            weights=np.ones(4),
            sizes=np.array([1, 1, 2]),
            criterion="squared_error",
        ),
    ]


@gains_side_by_side.oracle
def _(targets, weights, sizes, criterion):
    flat = targets.reshape(len(targets), -1, targets.shape[-1])
    w = np.broadcast_to(weights, flat.shape[1:])
    nodes = np.split(np.arange(targets.shape[-1]), np.cumsum(sizes)[:-1])
    out = [np.concatenate([slow_gains(flat[:, f, i], w[f, i], criterion) for i in nodes]) for f in range(len(w))]
    return np.array(out).reshape(targets.shape[1:])


@checkpoint("The best split of all features, the first where several are equal", atol=1e-10, count=24)
def best_split(lib, X, y, sample_weight, criterion, min_samples_leaf):
    with strict():
        split = lib.classic.splitting.best_split(X, y, sample_weight, criterion, min_samples_leaf)
    return "no split" if split is None else dict(zip(("feature", "threshold", "gain"), split))


@best_split.cases
def _(draw):
    criterion, n, p = draw.choice(["squared_error", "gini", "entropy"]), draw.integer(2, 7), draw.integer(1, 3)
    X = draw.integers(0, 5, n, p) / 2.0 if draw.boolean(0.7) else draw.normal(n, p)
    y = draw.integers(-3, 3, n).astype(float) if criterion == "squared_error" else draw.integers(0, 2, n)
    y[0] = y.min() + 1  # not all equal
    y[1] = y[0] - 1
    return dict(
        X=X,
        y=y,
        sample_weight=draw.integers(1, 3, n).astype(float) if draw.boolean(0.3) else None,
        criterion=criterion,
        min_samples_leaf=draw.choice([1, 1, 2]),
    )


@best_split.edges
def _():
    def case(X, y, criterion="gini", min_samples_leaf=1, sample_weight=None):
        return dict(
            X=np.array(X, dtype=float),
            y=np.array(y),
            sample_weight=sample_weight,
            criterion=criterion,
            min_samples_leaf=min_samples_leaf,
        )

    return [
        case([[0], [1], [2]], [1.0, 3.0, 8.0], "squared_error"),
        case([[0], [1], [2]], [0, 0, 1]),
        case([[5], [5], [5]], [0, 1, 0]),
        case([[1], [1], [2]], [0, 1, 1]),
        case([[1, 0], [1, 0], [2, 0], [2, 1]], [0, 1, 0, 1], "entropy"),
        case([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
        case([[3, 3], [2, 2], [1, 1]], [0, 1, 1]),
        case([[0], [1], [2], [3]], [0, 1, 1, 1], "gini", 2),
        case([[0], [1], [2]], [0, 1, 0], "gini", 2),
        case([[2], [0], [1]], [1e8 + 1, 1e8, 1e8 + 2], "squared_error"),
        case([[0], [1], [2]], [0, 1, 0], "gini", 1, np.array([1.0, 1.0, 5.0])),
    ]


@best_split.oracle
def _(X, y, sample_weight, criterion, min_samples_leaf):
    w, T = np.ones(len(X)) if sample_weight is None else sample_weight, columns_of(y, criterion)
    splits = candidate_splits(X, T, w, criterion, min_samples_leaf)
    if not splits:
        return "no split"
    top = max(gain for *_, gain in splits)
    feature, low, high, gain = next(s for s in splits if s[3] >= top - EQUAL * impurity_of(T, w, criterion))
    return {"feature": feature, "threshold": (low + high) / 2, "gain": gain}


# ------------------------------------------------------------------------------------------------------ from the root on


@checkpoint("Samples find their leaves, and a value at the threshold goes left", count=15)
def leaves(lib, tree, X):
    return np.asarray(as_tree(lib, tree).apply(X)).astype(np.int64)


@leaves.cases
def _(draw):
    tree, m = draw_tree(draw), draw.integer(1, 6)
    X = draw.integers(-1, 18, m, 3) / 4.0  # half of the thresholds are hit exactly
    return dict(tree=tree, X=X)


@leaves.edges
def _():
    stump = {
        "children_left": np.array([1, -1, -1]),
        "children_right": np.array([2, -1, -1]),
        "feature": np.array([1, -2, -2]),
        "threshold": np.array([0.5, -2.0, -2.0]),
        "value": np.zeros((3, 1)),
        "impurity": np.array([1.0, 0.0, 0.0]),
        "n_node_samples": np.array([2, 1, 1]),
    }
    root = {name: column[1:2] for name, column in stump.items()}
    return [
        dict(tree=stump, X=np.array([[9.0, 0.0], [9.0, 0.5], [9.0, 0.6]])),
        dict(tree=root, X=np.array([[0.0], [1.0]])),
    ]


@leaves.oracle
def _(tree, X):
    ends = []
    for x in X:
        t = 0
        while tree["children_left"][t] >= 0:
            t = tree["children_left" if x[tree["feature"][t]] <= tree["threshold"][t] else "children_right"][t]
        ends.append(t)
    return np.array(ends, dtype=np.int64)


@checkpoint("Importances are what each feature's splits took from the impurity, by weight", atol=1e-10, count=10)
def importances(lib, tree):
    return as_tree(lib, tree).importances(3)


@importances.cases
def _(draw):
    return dict(tree=draw_tree(draw))


@importances.edges
def _():
    return [
        dict(
            tree={n: c[:1] for n, c in _chain(2).items()}
            | {"children_left": np.array([-1]), "children_right": np.array([-1])}
        )
    ]


@importances.oracle
def _(tree):
    taken = np.zeros(3)
    for t in np.flatnonzero(tree["children_left"] >= 0):
        children = tree["children_left"][t], tree["children_right"][t]
        held = [tree["n_node_samples"][i] * tree["impurity"][i] for i in (t, *children)]
        taken[tree["feature"][t]] += held[0] - held[1] - held[2]
    return taken / taken.sum() if taken.sum() > 0 else taken


def _chain(n):
    """A tree that splits one sample off at a time."""
    inner = 2 * np.arange(n - 1)
    left, right, feature = (np.full(2 * n - 1, fill) for fill in (-1, -1, -2))
    left[inner], right[inner], feature[inner] = inner + 1, inner + 2, 0
    threshold, size, impurity = np.full(2 * n - 1, -2.0), np.ones(2 * n - 1, dtype=np.int64), np.zeros(2 * n - 1)
    threshold[inner], size[inner] = np.arange(n - 1) + 0.5, n - np.arange(n - 1)
    impurity[inner] = 1.0 + np.arange(n - 1) / n
    return dict(zip(ARRAYS, (left, right, feature, threshold, np.zeros((2 * n - 1, 1)), impurity, size)))


@checkpoint("The classification tree is scikit-learn's, node by node, where splits are unique", atol=1e-10, count=10)
def classifier_tree(lib, X, y, max_depth, criterion):
    model = lib.classic.tree.DecisionTreeClassifier(criterion=criterion, max_depth=max_depth).fit(X, y)
    return arrays_of(model.tree_)


@classifier_tree.cases
def _(draw):
    criterion = draw.choice(["gini", "entropy"])
    return dict(**draw_unique(draw, criterion), criterion=criterion)


@classifier_tree.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    return [
        dict(X=X, y=np.array([0, 0, 1, 1]), max_depth=None, criterion="gini"),
        dict(X=X, y=np.array([2, 0, 0, 1]), max_depth=1, criterion="entropy"),
        dict(X=X[:1], y=np.array([5]), max_depth=None, criterion="gini"),
    ]


@classifier_tree.oracle
def _(X, y, max_depth, criterion):
    return sklearn_tree(X, y, criterion, max_depth=max_depth)[0]


@checkpoint("The regression tree is scikit-learn's, node by node, where splits are unique", atol=1e-10, count=10)
def regressor_tree(lib, X, y, max_depth):
    return arrays_of(lib.classic.tree.DecisionTreeRegressor(max_depth=max_depth).fit(X, y).tree_)


@regressor_tree.cases
def _(draw):
    return draw_unique(draw, "squared_error")


@regressor_tree.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    return [
        dict(X=X[:3], y=np.array([1.0, 3.0, 8.0]), max_depth=1),
        dict(X=X, y=np.array([1.0, 3.0, 8.0, 9.0]), max_depth=None),
        dict(X=X, y=np.full(4, 0.1), max_depth=None),
        dict(X=X[:1], y=np.array([5.0]), max_depth=None),
    ]


@regressor_tree.oracle
def _(X, y, max_depth):
    return sklearn_tree(X, y, "squared_error", max_depth=max_depth)[0]


@checkpoint("With values and gains that repeat, the tree grows to its end and keeps the tie rule", atol=1e-9, count=10)
def full_tree(lib, X, y, criterion, min_samples_leaf):
    kind = "DecisionTreeRegressor" if criterion == "squared_error" else "DecisionTreeClassifier"
    model = getattr(lib.classic.tree, kind)(criterion=criterion, min_samples_leaf=min_samples_leaf).fit(X, y)
    return arrays_of(model.tree_)


@full_tree.cases
def _(draw):
    criterion, n, p = draw.choice(["gini", "entropy", "squared_error"]), draw.integer(2, 12), draw.integer(1, 3)
    y = (
        draw.integers(0, 4, n).astype(float)
        if criterion == "squared_error"
        else np.unique(draw.integers(0, 2, n), return_inverse=True)[1]
    )
    return dict(
        X=draw.integers(0, 4, n, p).astype(float), y=y, criterion=criterion, min_samples_leaf=draw.choice([1, 1, 2])
    )


@full_tree.edges
def _():
    same, crossed = (
        np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]),
        np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    )
    line = np.arange(6.0)[:, None]

    def case(X, y, criterion="gini", min_samples_leaf=1):
        return dict(X=X, y=np.array(y), criterion=criterion, min_samples_leaf=min_samples_leaf)

    return [
        case(same, [0, 1, 1]),
        case(np.vstack([same, [[3.0, 2.0]]]), [0, 1, 1, 0], "entropy"),
        case(crossed, [0, 1, 1, 0]),
        case(crossed, [0.0, 1.0, 1.0, 0.0], "squared_error"),
        case(line, [0, 1, 0, 1, 0, 1]),
        case(line, [0, 0, 0, 1, 1, 0], "gini", 2),
        case(line[:5], [0.0, 0.0, 0.0, 0.0, 9.0], "squared_error", 2),
    ]


@full_tree.oracle
def _(X, y, criterion, min_samples_leaf):
    arrays = slow_tree(X, columns_of(y, criterion), np.ones(len(X)), criterion, min_samples_leaf=min_samples_leaf)
    return arrays_of(type("Arrays", (), arrays))


@checkpoint("Depth, samples and decrease stop the growth where scikit-learn stops", atol=1e-10, count=12)
def stopping(lib, X, y, options):
    model = lib.classic.tree.DecisionTreeRegressor(**options).fit(X, y)
    return {"depth": model.get_depth(), "leaves": model.get_n_leaves(), **arrays_of(model.tree_)}


@stopping.cases
def _(draw):
    rule = draw.choice(["min_samples_split", "min_samples_leaf", "min_impurity_decrease"])
    value = draw.choice([1.0, 10.0, 40.0, 80.0]) if rule == "min_impurity_decrease" else draw.choice([2, 4, 6, 8])
    problem = draw_unique(draw, "squared_error", **({rule: value} if rule == "min_samples_leaf" else {}))
    return dict(X=problem["X"], y=problem["y"], options={"max_depth": problem["max_depth"], rule: value})


@stopping.edges
def _():
    X, y = np.arange(6.0)[:, None], np.array([0.0, 0.0, 1.0, 5.0, 9.0, 9.5])
    rules = [
        {"max_depth": 1},
        {"max_depth": 2},
        {"min_samples_split": 3},
        {"min_samples_split": 4},
        {"min_samples_leaf": 3},
    ]
    return [
        dict(X=X, y=y, options=each)
        for each in [*rules, {"min_impurity_decrease": 0.05}, {"min_impurity_decrease": 100.0}]
    ]


@stopping.oracle
def _(X, y, options):
    arrays, model = sklearn_tree(X, y, "squared_error", **options)
    return {"depth": int(model.get_depth()), "leaves": int(model.get_n_leaves()), **arrays}


@checkpoint(
    "Predictions: shares of the classes, the first class of equal ones, the mean of numbers", atol=1e-10, count=10
)
def predictions(lib, X, labels, numbers, X_new):
    tree = lib.classic.tree
    classifier = tree.DecisionTreeClassifier(max_depth=1).fit(X, labels)
    regressor = tree.DecisionTreeRegressor(max_depth=1).fit(X, numbers)
    return {
        "shares": classifier.predict_proba(X_new),
        "classes": classifier.predict(X_new),
        "means": regressor.predict(X_new),
    }


@predictions.cases
def _(draw):
    n = draw.integer(3, 9)
    X = draw.permutation(n)[:, None].astype(float)
    labels, numbers = 2 * draw.integers(0, 2, n) - 3, draw.integers(-4, 4, n).astype(float)
    return dict(X=X, labels=labels, numbers=numbers, X_new=draw.integers(-1, 2 * n, 4, 1) / 2.0)


@predictions.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    return [
        dict(
            X=X, labels=np.array([7, 7, 4, 4]), numbers=np.array([1.0, 2.0, 4.0, 9.0]), X_new=np.array([[1.5], [1.6]])
        ),
        dict(X=np.zeros((4, 1)), labels=np.array([9, 3, 9, 3]), numbers=np.array([1.0, 2.0, 4.0, 9.0]), X_new=X[:1]),
    ]


@predictions.oracle
def _(X, labels, numbers, X_new):
    classes, codes = np.unique(labels, return_inverse=True)

    def leaf_values(y, criterion):
        w = np.ones(len(X))
        arrays = slow_tree(X, columns_of(y, criterion), w, criterion, max_depth=1)
        left = X_new[:, 0] <= arrays["threshold"][0]
        at = np.where(left, arrays["children_left"][0], arrays["children_right"][0])
        return arrays["value"][np.maximum(at, 0)]

    shares = leaf_values(codes, "gini")
    return {
        "shares": shares,
        "classes": classes[shares.argmax(axis=1)],
        "means": leaf_values(numbers, "squared_error")[:, 0],
    }


@checkpoint("A sample of weight 2 counts as two, one of weight 0 as none", atol=1e-9, count=10)
def weights(lib, X, y, sample_weight, criterion):
    kind = "DecisionTreeRegressor" if criterion == "squared_error" else "DecisionTreeClassifier"
    tree = getattr(lib.classic.tree, kind)(criterion=criterion).fit(X, y, sample_weight=sample_weight).tree_
    kept = ("children_left", "children_right", "feature", "threshold", "value", "impurity")
    return {
        **{n: arrays_of(tree)[n] for n in kept},
        "weight": np.asarray(tree.weighted_n_node_samples, dtype=np.float64),
    }


@weights.cases
def _(draw):
    criterion, n, p = draw.choice(["gini", "entropy", "squared_error"]), draw.integer(3, 10), draw.integer(1, 2)
    w = draw.integers(0, 3, n).astype(float)
    w[0] += 1
    y = (
        draw.integers(0, 4, n).astype(float)
        if criterion == "squared_error"
        else np.unique(draw.integers(0, 2, n), return_inverse=True)[1]
    )
    return dict(X=draw.integers(0, 6, n, p).astype(float), y=y, sample_weight=w, criterion=criterion)


@weights.edges
def _():
    X, y = np.arange(4.0)[:, None], np.array([0, 1, 0, 1])
    return [
        dict(X=X, y=y, sample_weight=np.array([1.0, 2.0, 1.0, 1.0]), criterion="gini"),
        dict(X=X, y=y, sample_weight=np.array([1.0, 0.0, 2.0, 1.0]), criterion="entropy"),
        dict(
            X=X,
            y=np.array([1.0, 3.0, 8.0, 9.0]),
            sample_weight=np.array([3.0, 1.0, 1.0, 0.0]),
            criterion="squared_error",
        ),
    ]


@weights.oracle
def _(X, y, sample_weight, criterion):
    counts = sample_weight.astype(int)
    T = np.repeat(columns_of(y, criterion), counts, axis=1)
    arrays = slow_tree(np.repeat(X, counts, axis=0), T, np.ones(counts.sum()), criterion)
    found = arrays_of(type("Arrays", (), arrays))
    kept = ("children_left", "children_right", "feature", "threshold", "value", "impurity")
    return {**{n: found[n] for n in kept}, "weight": found["n_node_samples"].astype(np.float64)}


@checkpoint("Features are drawn anew at each node", count=0, seconds=4)
def drawn_features(lib, max_features, seed):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], 10)
    good = np.where(np.arange(20) % 10 < 8, y, 1 - y)
    X = np.column_stack([y + 0.5 * rng.random(20), good + 0.5 * rng.random(20), np.zeros(20)])  # best, good, constant
    DecisionTree = lib.classic.tree.DecisionTreeClassifier
    trees = [DecisionTree(max_features=max_features, random_state=seed + i).fit(X, y).tree_ for i in range(32)]
    asked = [np.asarray(tree.feature) for tree in trees]
    return {
        "root": [int(feature[0]) for feature in asked],
        "both": any(len(np.unique(feature[feature >= 0])) > 1 for feature in asked),
    }


@drawn_features.edges
def _():
    return [dict(max_features="sqrt", seed=0)]


@drawn_features.accepts
def _(got, max_features, seed):
    best, constant = (float(np.mean(np.array(got["root"]) == f)) for f in (0, 2))
    if (
        constant > 0 or abs(best - 0.5) > 0.36
    ):  # four standard deviations; where the constant one is drawn, drawing goes on
        return (
            f"32 trees draw one of three features at the root: the best is asked in {best:.0%}, "
            f"the constant one in {constant:.0%} of them"
        )
    return True if got["both"] else "no tree asks two features: they are drawn once for a whole tree"


# ---------------------------------------------------------------------------------------------------------------- pruning


@checkpoint("The pruning path is scikit-learn's: prices of a leaf, and the impurity that is left", atol=1e-9, count=10)
def path(lib, tree):
    found = lib.classic.pruning.cost_complexity_path(as_tree(lib, tree))
    return merged(found.ccp_alphas, found.impurities)


def merged(alphas, impurities):
    """Steps of the same price as one: in which order they are taken is not compared."""
    alphas, impurities = np.asarray(alphas, dtype=float), np.asarray(impurities, dtype=float)
    last = np.append(np.diff(alphas) > 1e-10, True)
    return {"alphas": alphas[last], "impurities": impurities[last]}


@path.cases
def _(draw):
    return dict(tree=draw_tree(draw, 24))


@path.edges
def _():
    chain = _chain(4)
    chain["impurity"][[0, 2, 4]] = [3.0, 2.0, 1.0]
    return [dict(tree=chain)]


@path.oracle
def _(tree):
    alphas, impurities, _ = slow_path(tree)
    return merged(alphas, impurities)


def slow_path(tree):
    """Cut the weakest link, begin anew: the prices, the impurity left, the leaves of each step."""
    left, right = tree["children_left"].copy(), tree["children_right"]
    cost = tree["impurity"] * tree["n_node_samples"] / tree["n_node_samples"][0]

    def ends(t):
        return [t] if left[t] < 0 else ends(left[t]) + ends(right[t])

    alphas, impurities, leaves = [0.0], [sum(cost[ends(0)])], [ends(0)]
    while left[0] >= 0:
        links = []
        waiting = [0]
        while waiting:
            t = waiting.pop()
            if left[t] >= 0:
                links.append(((cost[t] - sum(cost[ends(t)])) / (len(ends(t)) - 1), t))
                waiting += [left[t], right[t]]
        alpha, t = min(links)
        left[t] = -1
        alphas.append(max(alpha, alphas[-1]))
        impurities.append(sum(cost[ends(0)]))
        leaves.append(ends(0))
    return alphas, impurities, leaves


@checkpoint("At a price the tree is cut as far as pays, and numbered anew", atol=1e-9, count=10)
def pruned(lib, tree, alpha):
    return arrays_of(lib.classic.pruning.prune(as_tree(lib, tree), alpha))


@pruned.cases
def _(draw):
    tree = draw_tree(draw, 24)
    alphas = np.array(slow_path(tree)[0])
    wide = np.flatnonzero(np.diff(alphas) > 1e-6)  # between two steps that are clearly apart
    at = wide[draw.integer(0, len(wide) - 1)] if len(wide) else 0
    return dict(tree=tree, alpha=float(alphas[at : at + 2].mean()) + (0.0 if len(wide) else 1.0))


@pruned.edges
def _():
    chain = _chain(4)
    chain["impurity"][[0, 2, 4]] = [3.0, 2.0, 1.0]
    return [dict(tree=chain, alpha=10.0), dict(tree=chain, alpha=0.3)]


@pruned.oracle
def _(tree, alpha):
    alphas, _, leaves = slow_path(tree)
    ends = set(leaves[max(i for i, price in enumerate(alphas) if price <= alpha)])
    kept, waiting = [], [0]
    while waiting:
        t = waiting.pop()
        kept.append(t)
        waiting += [] if t in ends else [tree["children_right"][t], tree["children_left"][t]]
    out = {name: column[kept] for name, column in tree.items()}
    end = np.array([t in ends for t in kept])
    for child in ("children_left", "children_right"):
        out[child] = np.array([-1 if e else kept.index(c) for c, e in zip(out[child], end)], dtype=np.int64)
    out["feature"], out["threshold"] = np.where(end, -2, out["feature"]), np.where(end, -2.0, out["threshold"])
    return arrays_of(type("Arrays", (), out))


# ------------------------------------------------------------------------------------------------------- further features


@checkpoint(
    "A tree is pruned in fit, and so many leaves are those with the most to gain", atol=1e-9, count=8, stretch=True
)
def fit_and_prune(lib, X, y, options):
    model = lib.classic.tree.DecisionTreeRegressor(**options).fit(X, y)
    return {"predictions": model.predict(X), "leaves": model.get_n_leaves(), "importances": model.feature_importances_}


@fit_and_prune.cases
def _(draw):
    problem = draw_unique(draw, "squared_error")
    option = draw.choice([{"ccp_alpha": 3.0}, {"ccp_alpha": 20.0}, {"max_leaf_nodes": 3}, {"max_leaf_nodes": 5}])
    return dict(X=problem["X"], y=problem["y"], options={"max_depth": problem["max_depth"], **option})


@fit_and_prune.oracle
def _(X, y, options):
    from sklearn.tree import DecisionTreeRegressor

    model = DecisionTreeRegressor(random_state=0, **options).fit(X, y)
    return {
        "predictions": model.predict(X),
        "leaves": int(model.get_n_leaves()),
        "importances": model.feature_importances_,
    }


@checkpoint("The pruning path of an estimator is that of its unpruned tree", atol=1e-9, count=4, stretch=True)
def path_of_estimator(lib, X, y):
    model = lib.classic.tree.DecisionTreeRegressor(min_samples_leaf=2, ccp_alpha=0.5, max_depth=3)
    found = model.cost_complexity_pruning_path(X, y)
    return {**merged(found.ccp_alphas, found.impurities), "fitted": hasattr(model, "tree_")}


@path_of_estimator.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    n = draw.integer(4, 20)
    return dict(X=rng.permutation(n)[:, None] / 2.0, y=rng.standard_normal(n))


@path_of_estimator.oracle
def _(X, y):
    from sklearn.tree import DecisionTreeRegressor

    found = DecisionTreeRegressor(min_samples_leaf=2, max_depth=3, random_state=0).cost_complexity_pruning_path(X, y)
    return {**merged(found.ccp_alphas, found.impurities), "fitted": False}


@checkpoint("The splits of a level are those of its nodes", atol=1e-9, count=8, stretch=True)
def level(lib, X, y, node, criterion):
    splitting, k = lib.classic.splitting, int(node.max()) + 1
    T, w = columns_of(y, criterion), np.ones(len(y))
    nodes = splitting.measure(T, w, node, k, criterion)
    order = np.stack([np.lexsort((x, node)) for x in X.T])
    found = splitting.best_splits(np.ascontiguousarray(X.T), order, T, w, nodes, criterion)
    return {
        "value": nodes.value,
        "impurity": nodes.impurity,
        "gain": found.gain,
        "threshold": np.where(np.isfinite(found.gain), found.threshold, 0.0),
    }


@level.cases
def _(draw):
    criterion, k = draw.choice(["squared_error", "gini", "entropy"]), draw.integer(1, 3)
    node = np.repeat(np.arange(k), draw.integers(2, 5, k))[::-1].copy()
    y = draw.integers(0, 2, len(node))
    for each in range(k):
        y[np.flatnonzero(node == each)[:2]] = [0, 1]  # no node is pure
    X = draw.integers(0, 4, len(node), draw.integer(1, 2)).astype(float)
    return dict(X=X, y=y.astype(float) if criterion == "squared_error" else y, node=node, criterion=criterion)


@level.oracle
def _(X, y, node, criterion):
    T, w, k = columns_of(y, criterion), np.ones(len(y)), int(node.max()) + 1
    here = [np.flatnonzero(node == each) for each in range(k)]
    impurity = np.array([impurity_of(T[:, i], w[i], criterion) for i in here])
    gain, threshold = np.full(k, -np.inf), np.zeros(k)
    for j, i in enumerate(here):
        splits = candidate_splits(X[i], T[:, i], w[i], criterion, 1)
        if splits:
            gain[j] = max(g for *_, g in splits)
            threshold[j] = next((low + high) / 2 for _, low, high, g in splits if g >= gain[j] - EQUAL * impurity[j])
    return {
        "value": np.array([T[:, i].mean(axis=1) for i in here]),
        "impurity": impurity,
        "gain": gain,
        "threshold": threshold,
    }


@checkpoint("A chain of a thousand questions is walked and pruned", stretch=True, count=0)
def deep(lib, n):
    tree = as_tree(lib, _chain(n))
    return {
        "depth": tree.max_depth,
        "ends": np.asarray(tree.apply(np.arange(float(n))[:, None])),
        "left": lib.classic.pruning.prune(tree, 1e9).node_count,
    }


@deep.edges
def _():
    return [dict(n=1000)]


@deep.oracle
def _(n):
    return {"depth": n - 1, "ends": np.append(2 * np.arange(n - 1) + 1, 2 * n - 2), "left": 1}
