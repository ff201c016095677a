"""Trees: every node's split against all splits tried one by one, whole trees against scikit-learn's, and what breaks trees."""

import math
import pickle
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from sklearn import tree as theirs
from sklearn.datasets import make_classification

from groundup.classic.growing import Tree, grow, partition
from groundup.classic.pruning import collapse, cost_complexity_path, prune, prune_to_leaves
from groundup.classic.splitting import best_split, entropy, gini, midpoint, presort, split_gains
from groundup.classic.tree import DecisionTreeClassifier, DecisionTreeRegressor

SEEDS = range(8)


# ----------------------------------------------------------------------------------------- a slow, separate definition


def impurity_of(y, w, criterion):
    """Straight from the definition, in Python's own floats."""
    total = math.fsum(w)
    if criterion == "squared_error":
        mean = math.fsum(a * b for a, b in zip(w, y)) / total
        return math.fsum(a * (b - mean) ** 2 for a, b in zip(w, y)) / total
    weight = Counter()
    for label, each in zip(y, w):
        weight[label] += each
    p = [each / total for each in weight.values()]
    return 1 - sum(x * x for x in p) if criterion == "gini" else -sum(x * math.log2(x) for x in p)


def all_gains(X, y, w, criterion, min_samples_leaf=1):
    """{(feature, low, high): gain} of every split between neighbouring values."""
    whole, total = impurity_of(y, w, criterion), math.fsum(w)
    gains = {}
    for f in range(X.shape[1]):
        values = np.unique(X[:, f])
        for low, high in pairwise(values):
            left = X[:, f] <= low
            if min(left.sum(), (~left).sum()) < min_samples_leaf:
                continue
            sides = sum(math.fsum(w[s]) * impurity_of(y[s], w[s], criterion) for s in (left, ~left))
            gains[f, low, high] = whole - sides / total
    return gains


def draw(seed, n=60, p=3, classes=3, distinct=False):
    """X that float32 holds exactly, classes and numbers for y, weights."""
    rng = np.random.default_rng(seed)
    X = (
        rng.standard_normal((n, p)).astype(np.float32).astype(np.float64)
        if distinct
        else rng.integers(0, 12, (n, p)) / 4
    )
    score = X[:, 0] + (X[:, 1] > 0.5) + 0.5 * rng.standard_normal(n)
    labels = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    return X, labels, np.round(score, 3), rng.integers(1, 4, n).astype(float)


def samples_of(tree, X):
    """For each node the rows of X that come by."""
    rows = {0: np.arange(len(X))}
    for t in range(tree.node_count):
        if tree.children_left[t] >= 0:
            left = X[rows[t], tree.feature[t]] <= tree.threshold[t]
            rows[tree.children_left[t]], rows[tree.children_right[t]] = rows[t][left], rows[t][~left]
    return rows


def same_tree(ours, sklearns, atol=1e-12):
    for name in ("children_left", "children_right", "feature", "n_node_samples"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(sklearns, name), err_msg=name)
    for name in ("threshold", "impurity", "weighted_n_node_samples"):
        np.testing.assert_allclose(getattr(ours, name), getattr(sklearns, name), atol=atol, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(ours.value, sklearns.value[:, 0, :], atol=atol, rtol=1e-12)


# --------------------------------------------------------------------------------------------------- impurity, splits


def test_impurities_of_shares_and_of_weights():
    assert gini(np.array([3, 1])) == 0.375
    assert entropy(np.array([2.0, 2.0])) == 1.0
    np.testing.assert_allclose(entropy(np.ones((2, 8))), [3.0, 3.0])
    assert gini(np.array([0, 5, 0])) == entropy(np.array([0, 5, 0])) == 0.0
    assert gini(np.zeros(2)) == entropy(np.zeros(2)) == 0.0


@pytest.mark.parametrize(
    "low, high", [(0.0, 1.0), (1.0, np.nextafter(1.0, 2)), (-1e308, 1.7e308), (0.0, 5e-324), (1e308, 1.7e308)]
)
def test_a_midpoint_is_at_least_low_and_below_high(low, high):
    assert low <= midpoint(low, high) < high


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_split_is_the_first_of_the_best_of_all(seed, criterion):
    X, labels, numbers, w = draw(seed, n=25)
    y = numbers if criterion == "squared_error" else labels
    for weights in (None, w, w / 7):
        for least in (1, 4):
            gains = all_gains(X, y, np.ones(len(y)) if weights is None else weights, criterion, least)
            top = max(gains.values())
            f, low, high = next(key for key, gain in gains.items() if gain > top - 1e-11)
            feature, threshold, gain = best_split(X, y, weights, criterion, least)
            assert (feature, threshold) == (f, (low + high) / 2)
            assert gain == pytest.approx(top, abs=1e-11)


def test_no_split_between_equal_values_nor_with_too_few_on_a_side():
    y = np.array([0, 1, 0, 1])
    assert best_split(np.ones((4, 2)), y, criterion="gini") is None
    assert best_split(np.arange(4.0)[:, None], y, criterion="gini", min_samples_leaf=3) is None
    assert best_split(np.array([[0.0], [0.0], [1.0]]), np.array([1.0, 2.0, 3.0]), min_samples_leaf=2) is None


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
def test_gains_of_nodes_side_by_side_are_those_of_each(criterion):
    rng = np.random.default_rng(0)
    sizes = np.array([1, 5, 2, 9])
    weights = rng.integers(1, 5, (2, 17)).astype(float)
    targets = (
        rng.integers(0, 2, (3, 2, 17)) * weights if criterion != "squared_error" else rng.standard_normal((1, 2, 17))
    )
    together = split_gains(targets, weights, sizes, criterion)
    at = np.split(np.arange(17), np.cumsum(sizes)[:-1])
    apart = [split_gains(targets[:, f][:, i], weights[f, i], None, criterion) for f in (0, 1) for i in at]
    np.testing.assert_allclose(together.ravel(), np.concatenate(apart), atol=1e-12)


# ------------------------------------------------------------------------------------------------------------- growing


def test_partition_keeps_the_order_of_each_row():
    rng = np.random.default_rng(0)
    order, side = rng.permuted(np.tile(np.arange(30), (4, 1)), axis=1), rng.integers(-1, 2, 30)
    expected = [[i for which in (0, 1) for i in row if side[i] == which] for row in order]
    np.testing.assert_array_equal(partition(order, side), expected)


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
@pytest.mark.parametrize("seed", SEEDS)
def test_each_node_holds_what_comes_by_and_takes_its_best_split(seed, criterion):
    X, labels, numbers, w = draw(seed)
    y = numbers if criterion == "squared_error" else labels
    kind = DecisionTreeRegressor if criterion == "squared_error" else DecisionTreeClassifier
    model = kind(criterion=criterion, min_samples_leaf=2, max_depth=6).fit(X, y, w)
    tree = model.tree_
    rows = samples_of(tree, X)
    for t in range(tree.node_count):
        here = rows[t]
        assert tree.n_node_samples[t] == len(here)
        assert tree.weighted_n_node_samples[t] == pytest.approx(w[here].sum())
        assert tree.impurity[t] == pytest.approx(impurity_of(y[here], w[here], criterion), abs=1e-12)
        gains = all_gains(X[here], y[here], w[here], criterion, 2)
        if tree.children_left[t] < 0:
            depth_reached = not gains or tree.impurity[t] == 0 or len(here) < 4 or t in deepest(tree)
            assert depth_reached
            assert (tree.children_right[t], tree.feature[t], tree.threshold[t]) == (-1, -2, -2.0)
        else:
            top = max(gains.values())
            chosen = next((f, (a + b) / 2) for (f, a, b), gain in gains.items() if gain > top - 1e-11)
            assert chosen == (tree.feature[t], tree.threshold[t])
    np.testing.assert_array_equal(
        model.apply(X), [next(t for t in rows if i in rows[t] and tree.feature[t] < 0) for i in range(len(X))]
    )


def deepest(tree, depth=6):
    level = [0]
    for _ in range(depth):
        level = [
            child
            for t in level
            if tree.children_left[t] >= 0
            for child in (tree.children_left[t], tree.children_right[t])
        ]
    return level


@pytest.mark.parametrize(
    "options", [{}, {"min_samples_split": 20}, {"min_impurity_decrease": 0.01}, {"max_depth": 3}], ids=str
)
@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
def test_the_tree_is_scikit_learns_where_splits_are_unique(criterion, options):
    compared = 0
    for seed in range(12):
        X, labels, numbers, w = draw(seed, n=200, p=2, distinct=True)
        y = numbers if criterion == "squared_error" else labels
        name = "DecisionTreeRegressor" if criterion == "squared_error" else "DecisionTreeClassifier"
        ours = globals()[name](criterion=criterion, min_samples_leaf=10, **options).fit(X, y, w)
        several = {
            t: getattr(theirs, name)(criterion=criterion, min_samples_leaf=10, random_state=t, **options).fit(X, y, w)
            for t in range(4)
        }
        if len({t.tree_.node_count for t in several.values()}) > 1 or any(
            not np.array_equal(t.tree_.threshold, several[0].tree_.threshold) for t in several.values()
        ):
            continue  # scikit-learn itself has several: it breaks ties at random
        compared += 1
        same_tree(ours.tree_, several[0].tree_)
        np.testing.assert_allclose(ours.feature_importances_, several[0].feature_importances_, atol=1e-12)
        np.testing.assert_array_equal(ours.predict(X), several[0].predict(X)) if criterion != "squared_error" else None
        assert (ours.get_depth(), ours.get_n_leaves()) == (several[0].get_depth(), several[0].get_n_leaves())
    assert compared >= 6  # of 12


def test_a_weight_of_two_is_the_sample_twice_and_of_zero_is_none():
    X, labels, numbers, _ = draw(3, n=80, distinct=True)
    counts = np.random.default_rng(0).integers(0, 4, 80)
    for model, y in ((DecisionTreeClassifier(), labels), (DecisionTreeRegressor(), numbers)):
        weighted = model.fit(X, y, counts).tree_
        repeated = type(model)().fit(np.repeat(X, counts, axis=0), np.repeat(y, counts)).tree_
        for name in ("children_left", "feature", "threshold", "weighted_n_node_samples"):
            np.testing.assert_array_equal(getattr(weighted, name), getattr(repeated, name))
        np.testing.assert_allclose(weighted.value, repeated.value, atol=1e-12)


def test_the_order_of_samples_and_the_unit_of_weights_do_not_matter():
    X, labels, numbers, w = draw(5, n=200)
    mixed = np.random.default_rng(1).permutation(200)
    for model, y in ((DecisionTreeClassifier(criterion="entropy"), labels), (DecisionTreeRegressor(), numbers)):
        first = model.fit(X, y, w).tree_
        for other in (model.fit(X[mixed], y[mixed], w[mixed]).tree_, model.fit(X, y, w * 0.37).tree_):
            np.testing.assert_array_equal(first.threshold, other.threshold)
            np.testing.assert_array_equal(first.feature, other.feature)


def test_a_sort_known_before_changes_nothing():
    X, labels, _, w = draw(6, n=100)
    w[::3] = 0
    a, b = (DecisionTreeClassifier().fit(X, labels, w, order=o).tree_ for o in (None, presort(X)))
    np.testing.assert_array_equal(a.threshold, b.threshold)


# -------------------------------------------------------------------------------------------------- features drawn anew


def test_each_node_chooses_among_features_drawn_without_replacement():
    X, y = np.random.default_rng(0).standard_normal((400, 5)), np.tile([0, 1], 200)
    one = DecisionTreeClassifier(max_features=1, random_state=0).fit(X, y).tree_
    share = np.bincount(one.feature[one.feature >= 0], minlength=5) / np.sum(one.feature >= 0)
    assert np.all(np.abs(share - 0.2) < 0.1)  # pure noise: each feature as often as any
    every = DecisionTreeClassifier(max_features=5, random_state=0).fit(X, y).tree_
    np.testing.assert_array_equal(every.threshold, DecisionTreeClassifier().fit(X, y).tree_.threshold)


def test_with_two_of_three_features_the_best_of_them_is_taken():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    X = np.column_stack([y + 0.1 * rng.random(60), y + 0.6 * rng.random(60) * 2, rng.random(60)])  # best, good, noise
    roots = [
        DecisionTreeClassifier(max_features=2, max_depth=1, random_state=s).fit(X, y).tree_.feature[0]
        for s in range(300)
    ]
    np.testing.assert_allclose(np.bincount(roots, minlength=3) / 300, [2 / 3, 1 / 3, 0], atol=0.09)


def test_drawing_goes_on_where_all_drawn_are_constant():
    X, y = np.zeros((50, 8)), np.tile([0, 1], 25)
    X[:, 6] = y
    for seed in range(20):
        assert DecisionTreeClassifier(max_features=1, random_state=seed).fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize(
    "max_features, number", [(None, 9), (3, 3), (0.5, 4), ("sqrt", 3), ("log2", 3), (0.01, 1), (1.0, 9)]
)
def test_how_many_features(max_features, number):
    X = np.random.default_rng(0).random((20, 9))
    assert DecisionTreeRegressor(max_features=max_features).fit(X, X[:, 0]).max_features_ == number


# ------------------------------------------------------------------------------------------------------------- pruning


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_the_pruning_path_and_the_pruned_trees_are_scikit_learns(name):
    compared = 0
    for seed in SEEDS:
        X, labels, numbers, w = draw(seed, n=150, p=2, distinct=True)
        y = labels if name == "DecisionTreeClassifier" else numbers
        ours = globals()[name](min_samples_leaf=8)
        sklearns = getattr(theirs, name)(min_samples_leaf=8, random_state=0)
        if not np.array_equal(ours.fit(X, y, w).tree_.threshold, sklearns.fit(X, y, w).tree_.threshold):
            continue  # ties: two trees, two paths
        compared += 1
        path, expected = ours.cost_complexity_pruning_path(X, y, w), sklearns.cost_complexity_pruning_path(X, y, w)
        np.testing.assert_allclose(path.ccp_alphas, expected.ccp_alphas, atol=1e-12)
        np.testing.assert_allclose(path.impurities, expected.impurities, atol=1e-12)
        for alpha in path.ccp_alphas[1::4] + 1e-9:
            cut = type(ours)(min_samples_leaf=8, ccp_alpha=alpha).fit(X, y, w).tree_
            same_tree(cut, type(sklearns)(min_samples_leaf=8, ccp_alpha=alpha, random_state=0).fit(X, y, w).tree_)
    assert compared >= 5  # of 8


def test_pruned_at_any_price_the_tree_costs_least_of_all_its_subtrees():
    X, labels, _, _ = draw(2, n=30)
    tree = DecisionTreeClassifier(max_depth=3).fit(X, labels).tree_
    share = tree.impurity * tree.weighted_n_node_samples / tree.weighted_n_node_samples[0]

    def costs(t, alpha):
        """What each way of cutting the subtree of t costs."""
        yield share[t] + alpha
        if tree.children_left[t] >= 0:
            right = list(costs(tree.children_right[t], alpha))
            yield from (a + b for a in costs(tree.children_left[t], alpha) for b in right)

    for alpha in np.linspace(0, 0.2, 41):
        small = prune(tree, alpha)
        leaf = small.children_left < 0
        cost = np.sum((small.impurity * small.weighted_n_node_samples)[leaf]) / len(X) + alpha * leaf.sum()
        assert cost == pytest.approx(min(costs(0, alpha)), abs=1e-12)


@pytest.mark.parametrize("leaves", [2, 3, 7, 12])
def test_the_most_leaves_are_those_of_scikit_learn(leaves):
    X, labels, numbers, w = draw(1, n=150, distinct=True)
    for name, y in (("DecisionTreeClassifier", labels), ("DecisionTreeRegressor", numbers)):
        ours = globals()[name](max_leaf_nodes=leaves, min_samples_leaf=5).fit(X, y, w)
        sklearns = getattr(theirs, name)(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0).fit(X, y, w)
        assert ours.get_n_leaves() == sklearns.get_n_leaves()
        np.testing.assert_allclose(np.sort(ours.tree_.threshold), np.sort(sklearns.tree_.threshold))
        np.testing.assert_allclose(ours.predict(X), sklearns.predict(X), atol=1e-12)


def test_collapse_leaves_the_tree_it_is_given():
    X, labels, _, _ = draw(0)
    tree = DecisionTreeClassifier().fit(X, labels).tree_
    before = pickle.dumps(tree)
    root = collapse(tree, [0, 3, 1])
    assert root.node_count == 1 and root.children_left[0] == -1 and root.feature[0] == -2
    assert pickle.dumps(tree) == before and collapse(tree, []).node_count == tree.node_count
    assert prune_to_leaves(tree, 1).node_count == 1


# -------------------------------------------------------------------------------------------------- what breaks a tree


def test_a_tree_of_six_hundred_levels():
    n = 601
    X, y = np.arange(n, dtype=float)[:, None], np.where(np.arange(n) % 2, 1.0, -1.0) * np.arange(n, 0, -1.0) ** 8
    model = DecisionTreeRegressor().fit(X, y)
    assert (model.get_n_leaves(), model.get_depth()) == (n, n - 1)
    np.testing.assert_array_equal(model.predict(X), y)


def test_a_chain_is_grown_applied_measured_and_pruned_without_recursion():
    n = 5001
    here = np.arange(n, dtype=np.int64)
    nodes = 2 * n - 1
    inner = 2 * here[:-1]  # each has a leaf on its left
    left, right = np.full(nodes, -1), np.full(nodes, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    feature, threshold = np.full(nodes, -2), np.full(nodes, -2.0)
    feature[inner], threshold[inner] = 0, here[:-1] + 0.5
    weight = np.ones(nodes)
    weight[inner] = n - here[:-1]
    impurity = np.zeros(nodes)
    impurity[inner] = 1.0 + here[:-1] / n
    chain = Tree(left, right, feature, threshold, np.zeros((nodes, 1)), impurity, weight.astype(int), weight)
    assert chain.max_depth == n - 1
    np.testing.assert_array_equal(chain.apply(here[:, None].astype(float)), np.append(inner + 1, nodes - 1))
    assert len(cost_complexity_path(chain).nodes) >= 1
    assert prune_to_leaves(chain, n - 1).n_leaves == n - 1


def test_exclusive_or_is_split_though_nothing_is_gained_at_first():
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    for model in (DecisionTreeClassifier(), DecisionTreeClassifier(criterion="entropy"), DecisionTreeRegressor()):
        tree = model.fit(X, y).tree_
        assert tree.feature.tolist() == [0, 1, -2, -2, 1, -2, -2]
        np.testing.assert_array_equal(model.predict(X), y)


def test_the_same_sample_with_two_labels_stays_together():
    X, y = np.array([[1.0, 2.0]] * 3 + [[3.0, 2.0]]), np.array([0, 1, 1, 1])
    model = DecisionTreeClassifier().fit(X, y)
    assert model.get_n_leaves() == 2
    np.testing.assert_allclose(model.predict_proba(X), [[1 / 3, 2 / 3]] * 3 + [[0, 1]])


@pytest.mark.parametrize("y", [np.full(9, 0.1), np.full(9, 1e8 + 0.3), np.full(9, -1e-9)])
def test_equal_targets_are_a_leaf(y):
    model = DecisionTreeRegressor().fit(np.arange(9.0)[:, None], y)
    assert model.tree_.node_count == 1 and model.tree_.impurity[0] == 0 and model.tree_.value[0, 0] == y[0]
    np.testing.assert_array_equal(model.feature_importances_, [0.0])


def test_targets_of_any_scale_and_far_from_zero_are_split_alike():
    X, _, numbers, _ = draw(4, n=100)
    numbers = np.round(numbers * 64)
    expected = DecisionTreeRegressor().fit(X, numbers).tree_
    for scale, shift in ((2.0**-40, 0.0), (2.0**40, 0.0), (1.0, 1e8), (2.0**-300, 0.0)):
        tree = DecisionTreeRegressor().fit(X, scale * numbers + shift).tree_
        np.testing.assert_array_equal(tree.threshold, expected.threshold)


def test_nodes_of_very_different_scale_in_one_level():
    x = np.arange(200.0)
    y = np.where(x < 100, np.where(x < 30, 1e9, 3e9), np.where(x < 150, 1e-3, 2e-3))
    tree = DecisionTreeRegressor().fit(x[:, None], y).tree_
    assert sorted(tree.threshold[tree.feature >= 0]) == [29.5, 99.5, 149.5]


def test_weights_of_very_different_size():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 4)), rng.integers(0, 3, 300)
    w = 10.0 ** rng.uniform(-18, 3, 300)
    for model in (DecisionTreeClassifier(), DecisionTreeClassifier(criterion="entropy"), DecisionTreeRegressor()):
        with np.errstate(all="raise", under="ignore"):
            assert np.all(np.isfinite(model.fit(X, y, w).tree_.threshold))


@pytest.mark.parametrize(
    "make",
    [np.asfortranarray, lambda X: X.astype(np.float32), lambda X: (X * 4).astype(np.int64), list],
    ids=["fortran", "float32", "integers", "list"],
)
def test_input_of_any_kind_is_read_and_not_changed(make):
    X, labels, _, _ = draw(7)
    given = make(X)
    if isinstance(given, np.ndarray):
        given.setflags(write=False)
    labels.setflags(write=False)
    model = DecisionTreeClassifier().fit(given, labels)
    np.testing.assert_array_equal(model.predict(given), DecisionTreeClassifier().fit(X, labels).predict(X))


def test_one_sample_more_features_than_samples_and_columns_twice():
    assert DecisionTreeRegressor().fit([[1.0]], [7.0]).predict([[5.0]]) == 7.0
    X = np.random.default_rng(0).standard_normal((6, 40))
    assert DecisionTreeClassifier().fit(X, list("aabbcc")).score(X, list("aabbcc")) == 1.0
    X, labels, _, _ = draw(2)
    tree = DecisionTreeClassifier().fit(np.hstack([X, X]), labels).tree_
    assert tree.feature.max() < X.shape[1]  # of two equal columns the first


def test_a_value_at_the_threshold_goes_left_and_so_does_its_float32():
    X = np.array([[0.1], [0.3]], dtype=np.float32)
    model = DecisionTreeClassifier().fit(X, [0, 1])
    assert model.predict([[model.tree_.threshold[0]], [np.nextafter(model.tree_.threshold[0], 1)]]).tolist() == [0, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"max_depth": 0},
        {"min_samples_split": 1},
        {"min_samples_leaf": 0},
        {"max_features": 0},
        {"max_features": 1.5},
        {"max_features": "half"},
        {"criterion": "squared_error"},
        {"max_leaf_nodes": 1},
        {"ccp_alpha": -1.0},
        {"min_impurity_decrease": -0.1},
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        DecisionTreeClassifier(**options).fit([[0.0], [1.0]], [0, 1])


def test_grow_is_repeatable_and_pickles():
    X, y = make_classification(300, 8, random_state=0)
    a, b = (DecisionTreeClassifier(max_features="sqrt", random_state=3).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(a.tree_.threshold, pickle.loads(pickle.dumps(b)).tree_.threshold)
    stump = grow(X, y[None].astype(float), np.ones(300), "squared_error", max_depth=1)
    assert stump.node_count == 3
