"""Checkpoints of lesson 2.6: bootstraps, trees on draws of samples and features, votes, out-of-bag, importances."""

import numpy as np

from groundup.course import checkpoint


def draw_table(draw, n, p):
    """X (n, p) of distinct values that are exact in float32, so that every split has one best threshold."""
    return np.stack([draw.permutation(n) for _ in range(p)], axis=1) / 4.0 + draw.choice([0.0, 2.0])


def draw_classes(draw, n, c=3):
    return np.concatenate([np.arange(c), draw.integers(0, c - 1, n - c)])


def trees_of(module, kind, depth):
    return getattr(module, kind)(max_depth=depth, random_state=0)


# ----------------------------------------------------------------------------------------------------- the bootstrap


@checkpoint("A bootstrap counts n draws with replacement, from the generator it is given", atol=0.0)
def bootstrap_counts(lib, n, size, seed):
    return lib.classic.forest.bootstrap_counts(n, size, np.random.default_rng(seed))


@bootstrap_counts.cases
def _(draw):
    n = draw.integer(1, 12)
    return dict(n=n, size=draw.choice([n, n, draw.integer(1, 12)]), seed=draw.integer(0, 10**6))


@bootstrap_counts.edges
def _():
    return [dict(n=1, size=1, seed=0), dict(n=5, size=5, seed=0), dict(n=4, size=9, seed=1)]


@bootstrap_counts.oracle
def _(n, size, seed):
    rows = np.random.default_rng(seed).integers(0, n, size)
    return np.array([int(np.sum(rows == i)) for i in range(n)])


# ---------------------------------------------------------------------------------------------- the same draws, the same trees


@checkpoint("On the same bootstraps each tree predicts as scikit-learn's, and so does their mean", atol=1e-9, count=12)
def same_trees(lib, X, y, counts, X_new, depth):
    tree = trees_of(lib.classic.tree, "DecisionTreeClassifier", depth)
    trees = lib.classic.forest.grow_trees(tree, X, y, counts, np.arange(len(counts)))
    return {
        "each": [grown.predict_proba(X_new) for grown in trees],
        "mean": lib.classic.forest.mean_prediction(trees, X_new),
        "seeds": [grown.random_state for grown in trees],
    }


def draw_forest(draw):
    n, p = draw.integer(6, 12), 1
    generator = np.random.default_rng(draw.seed())
    counts = np.stack([np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(draw.integer(1, 4))])
    X = draw_table(draw, n, p)
    return dict(X=X, y=draw_classes(draw, n), counts=counts, X_new=X + 0.01, depth=None)


@same_trees.cases
def _(draw):
    return draw_forest(draw)


@same_trees.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 2])
    return [
        dict(X=X, y=y, counts=np.ones((1, 4), dtype=np.int64), X_new=X, depth=1),
        dict(X=X, y=y, counts=np.array([[2, 0, 1, 1], [1, 3, 0, 0]]), X_new=X, depth=None),
    ]


@same_trees.oracle
def _(X, y, counts, X_new, depth):
    from sklearn.tree import DecisionTreeClassifier

    each = [
        DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y, sample_weight=c).predict_proba(X_new)
        for c in counts
    ]
    return {"each": each, "mean": np.mean(each, axis=0), "seeds": list(range(len(counts)))}


@checkpoint(
    "On the same draws of samples and features each estimator and the vote are scikit-learn's", atol=1e-9, count=12
)
def same_draws(lib, X, y, rows, columns, X_new, c):
    module = lib.classic.bagging
    tree = trees_of(lib.classic.tree, "DecisionTreeClassifier", None)
    fitted = module.fit_on_draws(tree, X, y, rows, columns)
    return {
        "each": [one.predict_proba(X_new[:, column]) for one, column in zip(fitted, columns)],
        "mean": module.mean_probabilities(fitted, columns, X_new, c),
    }


@same_draws.cases
def _(draw):
    n, p, t = draw.integer(5, 10), draw.integer(1, 3), draw.integer(1, 3)
    generator = np.random.default_rng(draw.seed())
    X = draw_table(draw, n, p)
    return dict(
        X=X,
        y=draw_classes(draw, n),
        rows=[generator.integers(0, n, n) for _ in range(t)],
        columns=[generator.choice(p, 1) for _ in range(t)],
        X_new=X[:3] + 0.01,
        c=3,
    )


@same_draws.edges
def _():
    X, y = np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 0.0], [3.0, 1.0]]), np.array([0, 1, 1, 2])
    return [
        dict(X=X, y=y, rows=[np.array([0, 1, 1, 3])], columns=[np.array([0])], X_new=X, c=3),
        dict(
            X=X, y=y, rows=[np.array([2, 2, 3]), np.array([0, 1])], columns=[np.array([1]), np.array([0])], X_new=X, c=3
        ),
    ]


@same_draws.oracle
def _(X, y, rows, columns, X_new, c):
    from sklearn.tree import DecisionTreeClassifier

    each, total = [], np.zeros((len(X_new), c))
    for row, column in zip(rows, columns):
        tree = DecisionTreeClassifier(random_state=0).fit(X[row][:, column], y[row])
        each.append(tree.predict_proba(X_new[:, column]))
        total[:, tree.classes_] += each[-1]
    return {"each": each, "mean": total / len(rows)}


# ------------------------------------------------------------------------------------------------------- out of bag


@checkpoint("Out of bag: each sample by the trees that have not seen it, NaN where all have", atol=1e-9, count=15)
def out_of_bag(lib, X, y, counts):
    tree = trees_of(lib.classic.tree, "DecisionTreeRegressor", 2)
    trees = [type(tree)(max_depth=2).fit(X, y, sample_weight=count) for count in counts]
    mean = lib.classic.forest.out_of_bag(trees, counts, X)
    return {"known": ~np.isnan(mean), "mean": np.nan_to_num(mean)}


@out_of_bag.cases
def _(draw):
    case = draw_forest(draw)
    return dict(X=case["X"], y=draw.normal(len(case["X"])), counts=case["counts"])


@out_of_bag.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 4.0, 9.0])
    return [
        dict(X=X, y=y, counts=np.array([[1, 1, 1, 1]])),
        dict(X=X, y=y, counts=np.array([[2, 0, 1, 1], [1, 0, 0, 3]])),
        dict(X=X, y=y, counts=np.array([[0, 2, 2, 0], [2, 0, 1, 1], [1, 1, 2, 0]])),
    ]


@out_of_bag.oracle
def _(X, y, counts):
    from sklearn.tree import DecisionTreeRegressor

    trees = [DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, y, sample_weight=c) for c in counts]
    mean = np.zeros(len(X))
    for i in range(len(X)):
        said = [tree.predict(X[i : i + 1])[0] for tree, count in zip(trees, counts) if count[i] == 0]
        mean[i] = np.mean(said) if said else 0.0
    return {"known": (counts == 0).any(axis=0), "mean": mean}


# -------------------------------------------------------------------------------------------------------- the forests


@checkpoint("A forest that draws nothing is scikit-learn's tree, and its classes have their names", atol=1e-9, count=10)
def without_chance(lib, X, y, numbers, X_new):
    forest = lib.classic.forest
    classifier = forest.RandomForestClassifier(3, bootstrap=False, max_features=None, random_state=0).fit(
        X, np.array(y)
    )
    regressor = forest.RandomForestRegressor(2, bootstrap=False, max_depth=2, random_state=0).fit(X, numbers)
    return {
        "shares": classifier.predict_proba(X_new),
        "classes": classifier.predict(X_new).tolist(),
        "numbers": regressor.predict(X_new),
        "trees": [len(classifier.estimators_), len(regressor.estimators_)],
        "importances": regressor.feature_importances_,
    }


@without_chance.cases
def _(draw):
    n = draw.integer(6, 12)
    names = draw.choice([[0, 1, 2], [7, 3, 5], ["c", "a", "b"]])
    X = draw_table(draw, n, 1)
    numbers = draw.normal(n)  # no two cuts of such take the same from the variance
    return dict(X=X, y=[names[i] for i in draw_classes(draw, n)], numbers=numbers, X_new=X + 0.01)


@without_chance.oracle
def _(X, y, numbers, X_new):
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = DecisionTreeClassifier(random_state=0).fit(X, np.array(y))
    regressor = DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, numbers)
    return {
        "shares": tree.predict_proba(X_new),
        "classes": tree.predict(X_new).tolist(),
        "numbers": regressor.predict(X_new),
        "trees": [3, 2],
        "importances": regressor.feature_importances_,
    }


@checkpoint("The same seed gives the same forest, 0 included, and nobody else's draws change", count=0)
def repeatable(lib, X, y, seed):
    kind = lib.classic.forest.RandomForestClassifier
    np.random.seed(12345)
    before = np.random.get_state()[1].copy()
    one, two, other = (kind(3, random_state=s).fit(X, y).predict_proba(X) for s in (seed, seed, seed + 1))
    return {
        "same": bool((one == two).all()),
        "another seed, another forest": bool((one != other).any()),
        "global generator untouched": bool((np.random.get_state()[1] == before).all()),
    }


@repeatable.edges
def _():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), rng.integers(0, 2, 20)
    return [dict(X=X, y=y, seed=0), dict(X=X, y=y, seed=5)]


@repeatable.oracle
def _(X, y, seed):
    return {"same": True, "another seed, another forest": True, "global generator untouched": True}


@checkpoint("Each split draws its own features: a tree that may choose one of six uses most of them", count=0)
def features_per_split(lib, X, y):
    model = lib.classic.forest.RandomForestClassifier(12, max_features=1, bootstrap=False, random_state=1).fit(X, y)
    used = [sorted(set(tree.tree_.feature[tree.tree_.feature >= 0].tolist())) for tree in model.estimators_]
    return {
        "fewest features in a tree": min(len(u) for u in used),
        "roots": [int(t.tree_.feature[0]) for t in model.estimators_],
    }


@features_per_split.edges
def _():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(120, 6))
    return [dict(X=X, y=rng.integers(0, 2, 120))]


@features_per_split.accepts
def _(got, X, y):
    if got["fewest features in a tree"] < 5:
        return f"a tree of dozens of splits, each free to draw any of six features, uses {got['fewest features in a tree']}"
    if len(set(got["roots"])) < 2:
        return "all twelve trees ask the same feature first: they were not drawn one by one"  # by chance 1 in 6^11
    return True


@checkpoint("Out-of-bag predictions and score follow from the trees and their bootstraps", atol=1e-9, count=0)
def oob_score(lib, X, y, seed):
    model = lib.classic.forest.RandomForestClassifier(15, oob_score=True, random_state=seed).fit(X, y)
    oob = model.oob_decision_function_
    known = ~np.isnan(oob[:, 0])
    right = float(np.mean(model.classes_[oob[known].argmax(axis=1)] == y[known]))
    training = float(np.mean(model.predict(X) == y))
    return {
        "score": model.oob_score_ - right,
        "sums": float(np.abs(oob[known].sum(axis=1) - 1).max()),
        "known": float(known.mean()),
        "optimism of the training score": training - model.oob_score_,
    }


@oob_score.edges
def _():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 3))
    y = np.where(rng.random(40) < 0.3, rng.integers(0, 2, 40), (X[:, 0] > 0).astype(int))
    return [dict(X=X, y=y + 4, seed=0)]


@oob_score.accepts
def _(got, X, y, seed):
    if abs(got["score"]) > 1e-12:
        return "oob_score_ is not the accuracy of the out-of-bag predictions"
    if got["sums"] > 1e-9:
        return "out-of-bag probabilities do not sum to 1"
    if got["known"] < 0.95:
        return f"15 trees leave out nearly every sample at least once, and only {got['known']:.0%} have a prediction"
    if got["optimism of the training score"] < 0.05:
        gap = got["optimism of the training score"]
        return (
            f"the out-of-bag score is within {gap:.4f} of the training score: it asks trees that have seen the sample"
        )
    return True


# ------------------------------------------------------------------------------------------------------- importances


@checkpoint("Permutation importance: score before, minus score with one feature shuffled", atol=1e-9, count=10)
def permutation(lib, X, y, n_repeats, seed):
    model = trees_of(lib.classic.tree, "DecisionTreeRegressor", 3).fit(X, y)
    kept = X.copy()
    drop = lib.classic.forest.permutation_importance(model, X, y, n_repeats=n_repeats, random_state=seed)
    return {"drop": drop, "X untouched": bool(np.array_equal(X, kept))}


@permutation.cases
def _(draw):
    n = draw.integer(6, 12)
    return dict(X=draw_table(draw, n, 1), y=draw.normal(n), n_repeats=draw.integer(1, 3), seed=draw.integer(0, 10**6))


@permutation.edges
def _():
    X = np.arange(8.0)[:, None]
    return [dict(X=X, y=X[:, 0] ** 2, n_repeats=2, seed=0)]


@permutation.oracle
def _(X, y, n_repeats, seed):
    from sklearn.tree import DecisionTreeRegressor

    model, rng = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, y), np.random.default_rng(seed)
    drop = np.zeros((X.shape[1], n_repeats))
    for j in range(X.shape[1]):
        for r in range(n_repeats):
            Z = X.copy()
            Z[:, j] = X[rng.permutation(len(X)), j]
            drop[j, r] = model.score(X, y) - model.score(Z, y)
    return {"drop": drop, "X untouched": True}


# ------------------------------------------------------------------------------------------------------------ reach


@checkpoint("On labels that you do not have, within 0.01 of scikit-learn's forests", count=0, seconds=20)
def reach(lib, X, y, X_new):
    kind = lib.classic.forest.RandomForestClassifier
    return [kind(30, random_state=seed).fit(X, y).predict(X_new) for seed in range(2)]


@reach.edges
def _():
    from sklearn.datasets import make_classification

    # From seed to seed a forest's accuracy has a standard deviation of 0.0025 here, and so the mean of two minus that of
    # eight one of 0.0020: 0.01 is five of those. Trees that look at all features fall 0.011 short, five trees 0.014, and
    # thirty trees that draw nothing 0.029.
    X, y = make_classification(1500, 10, n_informative=5, class_sep=2.0, random_state=7)
    return [dict(X=X[:250], y=y[:250], X_new=X[250:], _y_new=y[250:])]


@reach.accepts
def _(got, X, y, X_new, y_new):
    ours, theirs = np.mean([np.mean(p == y_new) for p in got]), scikit_learns(X, y, X_new, y_new)
    return True if ours >= theirs - 0.01 else f"accuracy {ours:.3f}; scikit-learn's forests have {theirs:.3f}"


MEANS = {}  # the same question is asked of every submission


def scikit_learns(X, y, X_new, y_new):
    """The mean accuracy of scikit-learn's forests of thirty trees, over eight seeds."""
    from sklearn.ensemble import RandomForestClassifier

    if len(X) not in MEANS:
        scores = [RandomForestClassifier(30, random_state=s).fit(X, y).score(X_new, y_new) for s in range(8)]
        MEANS[len(X)] = np.mean(scores)
    return MEANS[len(X)]


# ------------------------------------------------------------------------------------------------------------ further


@checkpoint("Bagging averages any estimator", atol=1e-9, stretch=True, count=6)
def any_estimator(lib, X, y, X_new):
    ridge = lib.classic.linear.Ridge()
    model = lib.classic.bagging.BaggingRegressor(ridge, 4, max_samples=0.8, random_state=0).fit(X, y)
    each = [m.predict(X_new[:, c]) for m, c in zip(model.estimators_, model.estimators_features_)]
    return {
        "off": float(np.abs(model.predict(X_new) - np.mean(each, axis=0)).max()),
        "sizes": [len(r) for r in model.estimators_samples_],
    }


@any_estimator.cases
def _(draw):
    n = draw.integer(5, 10)
    return dict(X=draw.normal(n, 2), y=draw.normal(n), X_new=draw.normal(3, 2))


@any_estimator.oracle
def _(X, y, X_new):
    return {"off": 0.0, "sizes": [int(0.8 * len(X))] * 4}
