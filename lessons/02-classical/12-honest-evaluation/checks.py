"""What is asked of lesson 2.12: scikit-learn's folds and fold scores, transformers that learn from training rows only, and
a detector that finds every leak that was planted, and none where there is none."""

import numpy as np

from groundup.course import checkpoint


def splits(splitter, n, y=None, groups=None):
    """What a splitter yields for n rows, as lists of arrays."""
    return [{"train": train, "test": test} for train, test in splitter.split(np.zeros((n, 1)), y, groups)]


def draw_classes(draw, n, k):
    """Labels (n,) of which some class has at least k: integers, or words (as a list)."""
    y = draw.integers(0, draw.integer(1, 3), n)
    y[draw.permutation(n)[:k]] = 1
    return y if draw.boolean() else [("owl", "ant", "cat", "bee")[c] for c in y]


def with_gaps(draw, X, share):
    """The same numbers, some of them missing; no column is missing whole."""
    gaps = draw.uniform(0.0, 1.0, *X.shape) < share
    gaps[draw.integer(0, len(X) - 1)] = False
    return np.where(gaps, np.nan, X)


# ------------------------------------------------------------------------------------------------------------- folds


@checkpoint("KFold: every row is tested once, also those that are left over; the folds are scikit-learn's")
def k_folds(lib, n, k):
    return splits(lib.classic.folds.KFold(k), n)


@k_folds.cases
def _(draw):
    k = draw.integer(2, 6)
    return dict(n=draw.integer(k, 30), k=k)


@k_folds.edges
def _():
    return [dict(n=2, k=2), dict(n=5, k=2), dict(n=4, k=4), dict(n=11, k=3)]


@k_folds.oracle
def _(n, k):
    from sklearn.model_selection import KFold

    return splits(KFold(k), n)


@checkpoint("StratifiedKFold gives every fold its share of every class, in scikit-learn's order")
def stratified(lib, y, k):
    return splits(lib.classic.folds.StratifiedKFold(k), len(y), y)


@stratified.cases
def _(draw):
    k = draw.integer(2, 5)
    return dict(y=draw_classes(draw, draw.integer(2 * k, 24), k), k=k)


@stratified.edges
def _():
    return [
        dict(y=np.array([0, 0, 1, 1]), k=2),
        dict(y=np.array([1, 1, 1, 0, 0, 0, 0, 0]), k=3),
        dict(y=["b", "a", "b", "a", "b", "c", "c"], k=2),
        dict(y=np.array([5, 5, 5]), k=3),
    ]


@stratified.oracle
def _(y, k):
    import warnings

    from sklearn.model_selection import StratifiedKFold

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with fewer rows than folds
        return splits(StratifiedKFold(k), len(y), y)


@checkpoint("GroupKFold divides no group, and balances the folds as scikit-learn does")
def grouped(lib, groups, k):
    return splits(lib.classic.folds.GroupKFold(k), len(groups), None, groups)


@grouped.cases
def _(draw):
    k, n = draw.integer(2, 4), draw.integer(6, 24)
    groups = draw.integers(0, draw.integer(k, 9), n)
    groups[draw.permutation(n)[:k]] = np.arange(k)  # at least k groups
    return dict(groups=groups, k=k)


@grouped.edges
def _():
    return [
        dict(groups=np.array([0, 1]), k=2),
        dict(groups=np.array([3, 3, 1, 2, 3, 1]), k=2),
        dict(groups=np.array([0, 0, 1, 1, 2, 2, 3]), k=3),
    ]


@grouped.oracle
def _(groups, k):
    from sklearn.model_selection import GroupKFold

    return splits(GroupKFold(k), len(groups), None, groups)


@checkpoint("TimeSeriesSplit tests on what comes after the training; the folds are scikit-learn's")
def ordered(lib, n, k, options):
    return splits(lib.classic.folds.TimeSeriesSplit(k, **options), n)


@ordered.cases
def _(draw):
    k = draw.integer(2, 4)
    options = {}
    if draw.boolean():
        options["gap"] = draw.integer(1, 3)
    if draw.boolean():
        options["test_size"] = draw.integer(1, 3)
    if draw.boolean():
        options["max_train_size"] = draw.integer(1, 6)
    gap, size = options.get("gap", 0), options.get("test_size")
    least = (gap + 1) * (k + 1) if size is None else k * size + gap + 1  # so that every training has a row
    return dict(n=draw.integer(least, 26), k=k, options=options)


@ordered.edges
def _():
    return [
        dict(n=3, k=2, options={}),
        dict(n=11, k=3, options={}),
        dict(n=10, k=2, options={"gap": 2}),
        dict(n=10, k=2, options={"max_train_size": 3}),
    ]


@ordered.oracle
def _(n, k, options):
    from sklearn.model_selection import TimeSeriesSplit

    return splits(TimeSeriesSplit(k, **options), n)


# ------------------------------------------------------------------------------------------------------------ at random


@checkpoint("What is shuffled is still a partition, keeps its classes, and comes again from the same seed", count=15)
def shuffled(lib, y, k, seed):
    folds, n = lib.classic.folds, len(y)
    return {
        "rows": splits(folds.KFold(k, shuffle=True, random_state=seed), n),
        "again": splits(folds.KFold(k, shuffle=True, random_state=seed), n),
        "classes": splits(folds.StratifiedKFold(k, shuffle=True, random_state=seed), n, y),
    }


@shuffled.cases
def _(draw):
    k = draw.integer(2, 4)
    y = draw.integers(0, 2, draw.integer(30, 40))
    y[:12] = np.repeat([0, 1, 2], 4)
    return dict(y=y, k=k, seed=draw.seed())


@shuffled.accepts
def _(got, y, k, seed):
    n = len(y)
    for name in ("rows", "classes"):
        tests = [pair["test"] for pair in got[name]]
        if sorted(np.concatenate(tests).tolist()) != list(range(n)):
            return f"{name}: every row should be tested exactly once"
        for pair in got[name]:
            if pair["test"].tolist() != sorted(pair["test"]) or pair["train"].tolist() != sorted(pair["train"]):
                return f"{name}: the rows of a training and of a test should be ascending"
            if set(pair["train"].tolist()) != set(range(n)) - set(pair["test"].tolist()):
                return f"{name}: the training should be all rows but those of the test"
    if [len(pair["test"]) for pair in got["rows"]] != [n // k + (i < n % k) for i in range(k)]:
        return "the folds should have the sizes of the folds that are not shuffled"
    if all(np.ptp(pair["test"]) == len(pair["test"]) - 1 for pair in got["rows"]):
        return "the tests are blocks of consecutive rows: nothing was shuffled"
    if any(not np.array_equal(a["test"], b["test"]) for a, b in zip(got["rows"], got["again"])):
        return "the same seed gave other folds"
    still = stratified.truth(y=y, k=k)
    for a, b in zip(got["classes"], still):
        if np.bincount(y[a["test"]], minlength=3).tolist() != np.bincount(y[b["test"]], minlength=3).tolist():
            return "a fold has other numbers of the classes than without shuffling"
    if all(np.array_equal(a["test"], b["test"]) for a, b in zip(got["classes"], still)):
        return "the stratified folds are those that are not shuffled"
    return True


@checkpoint("train_test_split keeps the rows of all arrays together, at the sizes asked for", count=15)
def single_split(lib, y, options, seeds):
    X = np.arange(len(y))[:, None] * 10.0
    found = []
    for seed in seeds:
        parts = lib.classic.folds.train_test_split(X, y, random_state=seed, **options)
        found.append([part[:, 0] for part in parts[:2]] + list(parts[2:]))
    return found


@single_split.cases
def _(draw):
    n = draw.integer(20, 40)
    y = draw.integers(0, 2, n)
    y[:6] = [0, 0, 1, 1, 2, 2]
    options = {}
    if draw.boolean():
        options["test_size"] = draw.choice([0.3, 7, 0.21])
    if draw.boolean():
        options["train_size"] = draw.choice([0.5, 9])
    if draw.boolean():
        options["stratify"] = y
    elif draw.boolean(0.3):
        options["shuffle"] = False
    seed = draw.integer(0, 999)
    return dict(y=y, options=options, seeds=[seed, seed, seed + 1, seed + 2])


@single_split.edges
def _():
    y = np.array([1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1])  # 4 and 11
    return [
        dict(y=y, options={"shuffle": False}, seeds=[0, 0]),
        dict(y=y, options={}, seeds=[0, 0, 1, 2, 3]),
        dict(
            y=np.repeat([0, 1], 10),
            options={"stratify": np.repeat([0, 1], 10), "test_size": 8},
            seeds=[0, 0, 1, 2, 3, 4],
        ),
    ]


@single_split.accepts
def _(got, y, options, seeds):
    from sklearn.model_selection import train_test_split

    n = len(y)
    sizes = {name: options[name] for name in options if name.endswith("size")}
    truth = train_test_split(np.arange(n), shuffle=False, **sizes)
    for X_train, X_test, y_train, y_test in got:
        rows = [(part / 10).astype(int) for part in (X_train, X_test)]
        if [len(part) for part in rows] != [len(part) for part in truth]:
            return f"expected {len(truth[0])} training and {len(truth[1])} test rows, got {len(rows[0])} and {len(rows[1])}"
        if len(np.unique(np.concatenate(rows))) != len(rows[0]) + len(rows[1]):
            return "a row came twice, or on both sides"
        if not (np.array_equal(y[rows[0]], y_train) and np.array_equal(y[rows[1]], y_test)):
            return "the rows of y are not the rows of X"
        if options.get("shuffle") is False and not all(np.array_equal(a, b) for a, b in zip(rows, truth)):
            return "without shuffle the first rows are the training, and the next the test"
        if "stratify" in options:
            for name, side in (("training", y_train), ("test", y_test)):
                share = np.bincount(y) * len(side) / n
                if np.any(
                    np.abs(np.bincount(side, minlength=len(share)) - share) >= 2
                ):  # largest remainders: 1 or less
                    return f"the {name} has {np.bincount(side)} of the classes, where {share.round(1)} would be their share"
    if not np.array_equal(got[0][1], got[1][1]):
        return "the same seed gave another split"
    if options.get("shuffle", True) and len({tuple(sorted(part[1])) for part in got}) < 2:
        return "all seeds gave the same test"
    return True


# -------------------------------------------------------------------------------------------------------- preparation


@checkpoint(
    "Scalers learn from the rows of fit, divide by n, leave a constant column and the caller's array alone",
    atol=1e-9,
    count=15,
)
def scalers(lib, X, X_new):
    standard = lib.classic.prepare.StandardScaler().fit(X)
    Z = standard.transform(X_new)
    reach = lib.classic.prepare.MinMaxScaler().fit(X)
    return {
        "mean": standard.mean_,
        "scale": standard.scale_,
        "standard": Z,
        "back": standard.inverse_transform(Z),
        "minmax": reach.transform(X_new),
    }


@scalers.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 3)
    X = draw.normal(n, p) * draw.choice([1.0, 100.0]) + draw.choice([0.0, 5.0])
    if draw.boolean(0.3):
        X[:, 0] = X[0, 0]
    if draw.boolean(0.3):
        X = with_gaps(draw, X, 0.3)
    return dict(X=X, X_new=draw.normal(draw.integer(1, 3), p))


@scalers.edges
def _():
    return [
        dict(X=np.array([[1.0], [2.0], [6.0]]), X_new=np.array([[3.0]])),
        dict(X=np.array([[5.0, 0.1], [5.0, 0.2]]), X_new=np.array([[5.0, 0.3], [6.0, 0.1]])),
        dict(X=np.full((3, 1), 0.1), X_new=np.array([[0.1], [1.1]])),
        dict(X=np.array([[1e8 + 1], [1e8 + 3]]), X_new=np.array([[1e8 + 2]])),
        dict(X=np.array([[1.0], [np.nan], [3.0]]), X_new=np.array([[np.nan], [2.0]])),
    ]


@scalers.oracle
def _(X, X_new):
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    standard, reach = StandardScaler().fit(X), MinMaxScaler().fit(X)
    Z = standard.transform(X_new)
    return {
        "mean": standard.mean_,
        "scale": standard.scale_,
        "standard": Z,
        "back": standard.inverse_transform(Z),
        "minmax": reach.transform(X_new),
    }


@checkpoint("Missing values are filled with what the rows of fit say", atol=1e-12, count=10)
def imputer(lib, X, X_new, strategy):
    model = lib.classic.prepare.SimpleImputer(strategy=strategy).fit(X)
    return {"statistics": model.statistics_, "filled": model.transform(X_new)}


@imputer.cases
def _(draw):
    n, p = draw.integer(2, 7), draw.integer(1, 3)
    X = with_gaps(draw, draw.integers(0, 4, n, p).astype(float), 0.4)
    X_new = with_gaps(draw, draw.normal(draw.integer(2, 4), p), 0.5)
    return dict(X=X, X_new=X_new, strategy=draw.choice(["mean", "median", "most_frequent", "constant"]))


@imputer.edges
def _():
    X = np.array([[1.0, 2.0], [np.nan, 2.0], [4.0, 9.0], [1.0, np.nan]])
    ties = np.array([[3.0], [1.0], [3.0], [1.0], [2.0]])
    return [
        dict(X=X, X_new=np.array([[np.nan, np.nan]]), strategy=strategy) for strategy in ("mean", "median", "constant")
    ] + [
        dict(X=ties, X_new=np.array([[np.nan]]), strategy="most_frequent"),
        dict(X=np.array([[np.nan, 2.0], [np.nan, 4.0]]), X_new=np.array([[1.0, np.nan]]), strategy="mean"),
    ]


@imputer.oracle
def _(X, X_new, strategy):
    import warnings

    from sklearn.impute import SimpleImputer

    model = SimpleImputer(strategy=strategy).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column without a value
        return {"statistics": model.statistics_.astype(float), "filled": model.transform(X_new)}


@checkpoint(
    "One column for each category that fit has seen; another one is an error unless asked to be ignored", count=10
)
def encoder(lib, rows, new_rows, drop, unknown):
    model = lib.classic.prepare.OneHotEncoder(drop=drop, handle_unknown=unknown).fit(rows)
    try:
        return model.transform(new_rows)
    except ValueError:
        return "ValueError"


@encoder.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 3)
    words = draw.boolean()
    values = ["red", "blue", "green", "grey"] if words else [3, 1, 2, 7]
    rows = [[values[i] for i in row] for row in draw.integers(0, 2, n, p)]
    new_rows = [[values[i] for i in row] for row in draw.integers(0, draw.choice([2, 3]), draw.integer(1, 3), p)]
    unknown = draw.choice(["error", "ignore"])
    drop = draw.choice([None, "first", "if_binary"]) if unknown == "error" else None
    return dict(rows=rows, new_rows=new_rows, drop=drop, unknown=unknown)


@encoder.edges
def _():
    rows = [["b", "x"], ["a", "x"], ["c", "y"]]
    return [
        dict(rows=rows, new_rows=[["c", "x"]], drop=None, unknown="error"),
        dict(rows=rows, new_rows=[["d", "x"]], drop=None, unknown="error"),
        dict(rows=rows, new_rows=[["d", "x"]], drop=None, unknown="ignore"),
        dict(rows=rows, new_rows=[["a", "y"]], drop="if_binary", unknown="error"),
        dict(rows=[[10], [9], [10]], new_rows=[[9], [10]], drop=None, unknown="error"),
    ]


@encoder.oracle
def _(rows, new_rows, drop, unknown):
    from sklearn.preprocessing import OneHotEncoder

    model = OneHotEncoder(drop=drop, handle_unknown=unknown, sparse_output=False).fit(rows)
    try:
        return model.transform(new_rows)
    except ValueError:
        return "ValueError"


# ------------------------------------------------------------------------------------------------- scores fold by fold


def centroids(lib):
    """A small classifier on the contract: the class whose mean is nearest."""

    class Centroids(lib.classic.estimator.Classifier):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.means_ = np.array([X[y == c].mean(axis=0) for c in self.classes_])
            return self

        def predict(self, X):
            return self.classes_[np.argmin(((X[:, None] - self.means_) ** 2).sum(axis=2), axis=1)]

    return Centroids()


def pipeline_of(lib, alpha):
    """Imputer, scaler and model; the model is the classifier for alpha None."""
    prepare = lib.classic.prepare
    model = centroids(lib) if alpha is None else lib.classic.linear.Ridge()
    steps = [("fill", prepare.SimpleImputer()), ("scale", prepare.StandardScaler()), ("model", model)]
    pipeline = lib.classic.pipeline.Pipeline(steps)
    return pipeline if alpha is None else pipeline.set_params(model__alpha=alpha, fill__strategy="median")


def their_pipeline(alpha):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import NearestCentroid
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    model = NearestCentroid() if alpha is None else Ridge()
    pipeline = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler()), ("model", model)])
    return pipeline if alpha is None else pipeline.set_params(model__alpha=alpha, fill__strategy="median")


def draw_table(draw, share=0.1):
    """X (n, p) on different scales, a share of it missing, and a target."""
    n, p, rng = draw.integer(16, 24), draw.integer(1, 3), np.random.default_rng(draw.seed())
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-1, 3, p)
    y = X / X.std(axis=0) @ rng.standard_normal(p) + rng.standard_normal(n)
    gaps = rng.random((n, p)) < 2 * share
    gaps[::2] = False  # every training begins with two rows in a row: each of its columns has a value
    return np.where(gaps, np.nan, X), y


@checkpoint("The fold scores of your pipeline equal those of scikit-learn's to 1e-9, for every kind of folds", count=8)
def fold_scores(lib, X, y, groups, kind, k, alpha):
    cv = {
        "number": k,
        "groups": lib.classic.folds.GroupKFold(k),
        "time": lib.classic.folds.TimeSeriesSplit(k),
    }[kind]
    model = pipeline_of(lib, alpha)
    scores = lib.classic.crossval.cross_val_score(model, X, y, groups=groups, cv=cv)
    return {
        "scores": scores,
        "learned by the estimator itself": [n for n in vars(model.steps[-1][1]) if n.endswith("_")],
    }


@fold_scores.cases
def _(draw):
    alpha = draw.log_uniform(1e-2, 1e2) if draw.boolean(0.7) else None
    X, y = draw_table(draw, 0.1 if alpha else 0.0)  # a filled row may lie just between the means of two classes
    if alpha is None:  # a classifier: its folds are to be stratified
        y = (y > np.median(y)).astype(np.int64)
    kind = "number" if alpha is None else draw.choice(["number", "groups", "time"])
    return dict(X=X, y=y, groups=np.arange(len(y)) // 3, kind=kind, k=draw.integer(2, 4), alpha=alpha)


@fold_scores.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [6.0], [5.0], [9.0]])
    y, groups = np.array([0.0, 1.0, 3.0, 2.0, 5.0, 5.0, 7.0, 9.0]), np.arange(8) // 2
    return [
        dict(X=X, y=y, groups=groups, kind="number", k=2, alpha=1.0),
        dict(X=X, y=np.repeat([0, 1], 4), groups=groups, kind="number", k=2, alpha=None),
    ]


@fold_scores.oracle
def _(X, y, groups, kind, k, alpha):
    from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score

    cv = {"number": k, "groups": GroupKFold(k), "time": TimeSeriesSplit(k)}[kind]
    groups = groups if kind == "groups" else None
    scores = cross_val_score(their_pipeline(alpha), X, y, groups=groups, cv=cv)
    return {"scores": scores, "learned by the estimator itself": []}


@checkpoint("Learning and validation curves equal scikit-learn's, training beside test", count=2)
def curves(lib, X, y, k, sizes, alphas):
    crossval, model = lib.classic.crossval, pipeline_of(lib, 1.0)
    n, train, test = crossval.learning_curve(model, X, y, cv=k, train_sizes=np.array(sizes))
    low, high = crossval.validation_curve(model, X, y, param_name="model__alpha", param_range=alphas, cv=k)
    return {"sizes": n, "train": train, "test": test, "of alpha, train": low, "of alpha, test": high}


@curves.cases
def _(draw):
    X, y = draw_table(draw)
    sizes = draw.choice([[0.5, 1.0], [4, 7], [0.3, 0.31, 0.9]])
    return dict(X=X, y=y, k=draw.integer(2, 3), sizes=sizes, alphas=[0.1, draw.log_uniform(1e-2, 1e2)])


@curves.oracle
def _(X, y, k, sizes, alphas):
    import warnings

    from sklearn.model_selection import learning_curve, validation_curve

    model = their_pipeline(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two shares that are the same number of rows
        n, train, test = learning_curve(model, X, y, cv=k, train_sizes=np.array(sizes))
    low, high = validation_curve(model, X, y, param_name="model__alpha", param_range=alphas, cv=k)
    return {"sizes": n, "train": train, "test": test, "of alpha, train": low, "of alpha, test": high}


@checkpoint("The search ranks a grid as scikit-learn does, and fits its best to all rows", count=2)
def search(lib, X, y, k, grid, X_new):
    model = lib.classic.selection.GridSearchCV(pipeline_of(lib, 1.0), grid, cv=k).fit(X, y)
    return {
        "params": model.cv_results_["params"],
        "mean": model.cv_results_["mean_test_score"],
        "std": model.cv_results_["std_test_score"],
        "rank": model.cv_results_["rank_test_score"],
        "best": model.best_params_,
        "best score": model.best_score_,
        "prediction": model.predict(X_new),
    }


@search.cases
def _(draw):
    X, y = draw_table(draw)
    grid = {
        "model__alpha": [draw.log_uniform(1e-2, 1e-1), draw.log_uniform(1.0, 1e2)],
        "fill__strategy": ["mean", "constant"],
    }
    return dict(X=X, y=y, k=draw.integer(2, 3), grid=grid, X_new=draw.normal(2, X.shape[1]))


@search.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [6.0], [5.0], [9.0]])
    y = np.array([0.0, 1.0, 3.0, 2.0, 5.0, 5.0, 7.0, 9.0])
    return [dict(X=X, y=y, k=2, grid={"model__alpha": [100.0, 1.0, 10.0]}, X_new=np.array([[7.0]]))]


@search.oracle
def _(X, y, k, grid, X_new):
    from sklearn.model_selection import GridSearchCV

    model = GridSearchCV(their_pipeline(1.0), grid, cv=k).fit(X, y)
    return {
        "params": model.cv_results_["params"],
        "mean": model.cv_results_["mean_test_score"],
        "std": model.cv_results_["std_test_score"],
        "rank": model.cv_results_["rank_test_score"],
        "best": model.best_params_,
        "best score": model.best_score_,
        "prediction": model.predict(X_new),
    }


# ------------------------------------------------------------------------------------------------- the leak detector


@checkpoint(
    "Rows on the wrong side are found: repeated ones, those of a group that is in training, those from its past"
)
def rows_across(lib, X_train, X_test, groups_train, groups_test):
    leaks = lib.classic.leaks
    return {
        "repeated": leaks.repeated_rows(X_train, X_test),
        "groups": leaks.shared_groups(groups_train, groups_test),
        "earlier": leaks.earlier_rows(groups_train, groups_test),
    }


@rows_across.cases
def _(draw):
    n, m, p = draw.integer(1, 5), draw.integer(1, 5), draw.integer(1, 2)
    X_train, X_test = draw.integers(0, 3, n, p) / 2.0, draw.integers(0, 3, m, p) / 2.0
    if draw.boolean(0.2):
        X_train[0, 0] = X_test[-1, 0] = np.nan
    return dict(X_train=X_train, X_test=X_test, groups_train=draw.integers(0, 4, n), groups_test=draw.integers(2, 6, m))


@rows_across.edges
def _():
    one = np.array([[1.0, 2.0]])
    return [
        dict(X_train=one, X_test=one, groups_train=np.array([1]), groups_test=np.array([1])),
        dict(X_train=one, X_test=one[:, ::-1], groups_train=np.array([1]), groups_test=np.array([0])),
        dict(
            X_train=np.array([[0.0], [np.nan]]),
            X_test=np.array([[np.nan], [-0.0], [2.0]]),
            groups_train=np.array([5, 3]),
            groups_test=np.array([4, 6, 5]),
        ),
    ]


@rows_across.oracle
def _(X_train, X_test, groups_train, groups_test):
    def equal(a, b):
        return all(u == v or (u != u and v != v) for u, v in zip(a, b))

    known = set(groups_train.tolist())
    return {
        "repeated": np.array([i for i, row in enumerate(X_test) if any(equal(row, r) for r in X_train)], dtype=int),
        "groups": np.array([i for i, g in enumerate(groups_test) if g in known], dtype=int),
        "earlier": np.array([i for i, t in enumerate(groups_test) if any(t < s for s in groups_train)], dtype=int),
    }


@checkpoint("What a column tells alone is measured from the other rows", atol=1e-9)
def power(lib, x, y):
    return lib.classic.leaks.power_alone(x, y)


@power.cases
def _(draw):
    n = draw.integer(2, 12)
    y = draw.normal(n) if draw.boolean() else draw.integers(0, 2, n)
    x = draw.integers(0, 3, n).astype(float) if draw.boolean() else draw.normal(n)
    if draw.boolean(0.2):
        x = np.round(y, 1)
    if draw.boolean(0.2):
        x = np.where(draw.uniform(0.0, 1.0, n) < 0.4, np.nan, x)
    return dict(x=x, y=y if draw.boolean(0.8) else ["abc"[int(c) % 3] for c in y])


@power.edges
def _():
    rising = np.arange(6.0)
    return [
        dict(x=rising, y=rising**3),
        dict(x=rising, y=np.array([0, 0, 0, 1, 1, 1])),
        dict(x=np.ones(4), y=np.array([0, 0, 1, 1])),
        dict(x=np.array([1.0, 1.0, 5.0, 5.0]), y=["no", "no", "yes", "yes"]),
        dict(x=rising, y=np.ones(6)),
        dict(x=np.array([2.0]), y=np.array([1])),
    ]


@power.oracle
def _(x, y):
    from scipy.stats import rankdata

    codes = [sorted(set(np.asarray(y).tolist())).index(value) for value in np.asarray(y).tolist()]
    rank = rankdata(codes)
    values = np.unique(x)  # NaN once, and last
    at = [next(i for i, v in enumerate(values) if v == u or (v != v and u != u)) for u in x]
    missed = 0.0
    for i in range(len(x)):
        others = [rank[j] for j in range(len(x)) if at[j] == at[i] and j != i]
        if not others:
            beside = [[rank[j] for j in range(len(x)) if at[j] == at[i] + step] for step in (-1, 1)]
            others = [np.mean(ranks) for ranks in beside if ranks]
        missed += (rank[i] - (np.mean(others) if others else 0.0)) ** 2
    spread = np.sum((rank - rank.mean()) ** 2)
    return float(1 - missed / spread) if spread else 0.0


@checkpoint("Columns that number the rows are found, in order or shuffled, with gaps or without", count=20)
def numbered(lib, X, n_train):
    return lib.classic.leaks.index_columns(X, n_train)


def counted(n, kind):
    """A column of n numbers, and whether it numbers rows of which half are the training's."""
    rising = np.cumsum(1 + np.arange(n) * 7 % 3)
    return {
        "in order": (np.arange(n) + 4, True),
        "shuffled": (np.argsort(np.sin(np.arange(n))) + 1, True),
        "rising": (rising, True),
        "falling": (-rising, True),
        "rising in training": (np.concatenate([rising[: n // 2], np.sort(rising[n // 2 :])[::-1]]), True),
        "repeated": (np.arange(n) // 2, False),
        "gaps, shuffled": (np.argsort(np.sin(np.arange(n))) * 3, False),
        "not whole": (np.arange(n) + 0.5, False),
        "few values": (np.arange(n) % 3, False),
    }[kind]


@numbered.cases
def _(draw):
    kinds = [
        "in order",
        "shuffled",
        "rising",
        "falling",
        "rising in training",
        "repeated",
        "gaps, shuffled",
        "not whole",
    ]
    kinds = [draw.choice([*kinds, "few values"]) for _ in range(draw.integer(1, 4))]
    n = 2 * draw.integer(4, 8)
    columns = [counted(n, kind) for kind in kinds]
    found = [j for j, (_, is_index) in enumerate(columns) if is_index and n >= 10]
    return dict(X=np.column_stack([c for c, _ in columns]).astype(float), n_train=n // 2, _found=found)


@numbered.oracle
def _(X, n_train, found):
    return np.array(found, dtype=np.int64)


@checkpoint("Preparation that was fitted to all rows is found, and which step of a pipeline it was", count=10)
def all_rows(lib, X_train, X_test, leaky):
    prepare, everything = lib.classic.prepare, np.concatenate([X_train, X_test])
    steps = [("fill", prepare.SimpleImputer(strategy="median")), ("scale", prepare.StandardScaler())]
    fitted = lib.classic.pipeline.Pipeline(steps).fit(everything if leaky == "all" else X_train)
    if leaky == "scale":
        steps[1][1].fit(everything)
    names = lib.classic.leaks.learned_from_all(fitted, X_train, X_test)
    return sorted(set(names) & {"fill.statistics_", "scale.mean_", "scale.scale_"})  # whatever else is kept


@all_rows.cases
def _(draw):
    p = draw.integer(1, 3)
    return dict(
        X_train=draw.normal(draw.integer(4, 9), p),
        X_test=draw.normal(draw.integer(2, 5), p),
        leaky=draw.choice(["", "all", "scale"]),
    )


@all_rows.edges
def _():
    X_train, X_test = np.array([[0.0], [1.0], [5.0]]), np.array([[3.0], [2.0]])
    same_median = dict(X_train=X_train, X_test=np.array([[1.0]]), leaky="")
    return [dict(X_train=X_train, X_test=X_test, leaky=leaky) for leaky in ("all", "scale", "")] + [same_median]


@all_rows.oracle
def _(X_train, X_test, leaky):
    together = np.concatenate([X_train, X_test])
    found = []
    if leaky == "all" and not np.array_equal(np.median(X_train, axis=0), np.median(together, axis=0)):
        found.append("fill.statistics_")
    return found + (["scale.mean_", "scale.scale_"] if leaky else [])


KINDS = ["duplicate", "group", "time", "index", "target", "order", "preparation"]


@checkpoint("Every planted leak is found, with its rows or columns; in clean data none is", count=25, seconds=8.0)
def planted(lib, X_train, X_test, y_train, y_test, groups, times, fitted_to):
    rows = {"training": X_train, "all": np.concatenate([X_train, X_test])}[fitted_to]
    leaks = lib.classic.leaks.find_leaks(
        X_train,
        X_test,
        y_train,
        y_test,
        groups=groups,
        times=times,
        preparation=lib.classic.prepare.StandardScaler().fit(rows),
    )
    return [[leak.kind, list(leak.columns), list(leak.rows)] for leak in leaks]


@planted.cases
def _(draw):
    plants = [kind for kind in KINDS if draw.boolean(0.25)] if draw.boolean(0.7) else []
    if "index" in plants:  # a column of numbers tells the order too, and a repeated row would repeat its number
        plants = [kind for kind in plants if kind not in ("order", "duplicate")]
    n, m, p = draw.integer(100, 130), draw.integer(10, 25), draw.integer(1, 4)
    rng = np.random.default_rng(draw.seed())  # numbers that are not round: equal rows are planted ones
    X = rng.standard_normal((n + m, p))
    if p > 1:
        X[:, 0] = rng.integers(0, 3, n + m)
    score = X @ rng.uniform(-1, 1, p) + rng.standard_normal(n + m)
    y = draw.choice([score, (score > 0).astype(np.int64), np.digitize(score, [-1.0, 1.0])])
    wrong = {kind: np.sort(rng.choice(m, draw.integer(1, 4), False)) for kind in ("duplicate", "group", "time")}
    groups, times = rng.integers(0, 10, n + m), np.sort(rng.uniform(0.0, 1.0, n + m))
    groups[n:] += 10
    columns = {}
    if "order" in plants:
        order = np.argsort(y[:n], kind="stable")
        X[:n], y[:n] = X[order], y[order]
    if "duplicate" in plants:
        source = rng.choice(n, len(wrong["duplicate"]), False)
        X[n + wrong["duplicate"]], y[n + wrong["duplicate"]] = X[source], y[source]
    if "group" in plants:
        groups[n + wrong["group"]] = groups[0]
    if "time" in plants:
        times[n + wrong["time"]] = rng.uniform(0.0, 0.999) * times[n - 1]
    if "index" in plants:
        rising = np.cumsum(rng.integers(1, 4, n + m))
        columns["index"] = draw.choice([np.arange(n + m), rng.permutation(n + m) + 1, rising, -rising]).astype(float)
    if "target" in plants:
        copy = draw.choice([y + 0.0, 3.0 - 2.0 * y, np.exp(y / 2.0)])
        if "duplicate" not in plants:
            copy = copy + draw.choice([0.0, 1e-3]) * rng.standard_normal(n + m)
        columns["target"] = copy
    for column in columns.values():
        X = np.column_stack([X, column])
    at = {kind: [p + i] for i, kind in enumerate(columns)}
    return dict(
        X_train=X[:n],
        X_test=X[n:],
        y_train=y[:n],
        y_test=y[n:],
        groups=(groups[:n], groups[n:]),
        times=(times[:n], times[n:]),
        fitted_to="all" if "preparation" in plants else "training",
        _found=[[kind, at.get(kind, []), wrong[kind].tolist() if kind in wrong else []] for kind in plants],
    )


@planted.oracle
def _(X_train, X_test, y_train, y_test, groups, times, fitted_to, found):
    return found


@planted.shown
def _(X_train, X_test, y_train, y_test, groups, times, fitted_to):
    return f"X_train {X_train.shape}, X_test {X_test.shape}, a scaler fitted to {fitted_to} rows"


# ------------------------------------------------------------------------------------------------------------ further


@checkpoint("Predictions fold by fold come back in the order of the rows", count=3)
def predictions(lib, X, y, k):
    folds, crossval = lib.classic.folds, lib.classic.crossval
    one_group_each = folds.GroupKFold(k)
    by_group = crossval.cross_val_predict(pipeline_of(lib, 1.0), X, y, groups=np.arange(len(y)) % 7, cv=one_group_each)
    try:
        crossval.cross_val_predict(pipeline_of(lib, 1.0), X, y, cv=folds.TimeSeriesSplit(2))
    except ValueError:
        return {"by group": by_group, "by time": "ValueError"}


@predictions.cases
def _(draw):
    X, y = draw_table(draw)
    return dict(X=X, y=y, k=draw.integer(2, 4))


@predictions.oracle
def _(X, y, k):
    from sklearn.model_selection import GroupKFold, cross_val_predict

    by_group = cross_val_predict(their_pipeline(1.0), X, y, groups=np.arange(len(y)) % 7, cv=GroupKFold(k))
    return {"by group": by_group, "by time": "ValueError"}


@checkpoint("A table of numbers and words goes through one pipeline, column by column", stretch=True, count=2)
def columns_apart(lib, numbers, words, y, weights, cv):
    prepare, pipeline = lib.classic.prepare, lib.classic.pipeline
    table = np.array([[*row, word] for row, word in zip(numbers.tolist(), words)], dtype=object)
    p = numbers.shape[1]
    apart = pipeline.ColumnTransformer(
        [
            ("number", pipeline.make_pipeline(prepare.SimpleImputer(), prepare.StandardScaler()), list(range(p))),
            ("word", prepare.OneHotEncoder(handle_unknown="ignore"), [p]),
        ]
    )
    model = pipeline.make_pipeline(apart, lib.classic.linear.Ridge())
    model.set_params(columntransformer__number__simpleimputer__strategy="median")
    scores = lib.classic.crossval.cross_val_score(model, table, y, cv=cv)
    weighted = model.fit(table, y, ridge__sample_weight=weights).predict(table)
    return {"columns": apart.fit(table).transform(table), "scores": scores, "weighted": weighted}


@columns_apart.cases
def _(draw):
    X, y = draw_table(draw)
    words = [("red", "blue", "green")[i] for i in draw.integers(0, 2, len(y))]
    return dict(numbers=X, words=words, y=y, weights=draw.uniform(0.1, 2.0, len(y)), cv=3)


@columns_apart.oracle
def _(numbers, words, y, weights, cv):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table = np.array([[*row, word] for row, word in zip(numbers.tolist(), words)], dtype=object)
    p = numbers.shape[1]
    number = make_pipeline(SimpleImputer(), StandardScaler())
    word = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    apart = ColumnTransformer([("number", number, list(range(p))), ("word", word, [p])])
    model = make_pipeline(apart, Ridge())
    model.set_params(columntransformer__number__simpleimputer__strategy="median")
    scores = cross_val_score(model, table, y, cv=cv)
    weighted = model.fit(table, y, ridge__sample_weight=weights).predict(table)
    return {"columns": apart.fit(table).transform(table), "scores": scores, "weighted": weighted}


@checkpoint("The simplest candidate within one standard error of the best is taken", stretch=True, count=15)
def simplest(lib, scores):
    mean, std = scores.mean(axis=1), scores.std(axis=1)
    folds = {f"split{i}_test_score": scores[:, i] for i in range(scores.shape[1])}
    return lib.classic.selection.one_standard_error({**folds, "mean_test_score": mean, "std_test_score": std})


@simplest.cases
def _(draw):
    c, k = draw.integer(2, 5), draw.integer(2, 5)
    return dict(scores=np.sort(draw.normal(c, 1), axis=0) + draw.choice([0.3, 1.0]) * draw.normal(c, k))


@simplest.oracle
def _(scores):
    from scipy.stats import sem

    mean = scores.mean(axis=1)
    best = max(range(len(mean)), key=lambda i: mean[i])
    return next(i for i in range(len(mean)) if mean[i] >= mean[best] - sem(scores[best]))


@checkpoint("A metric is named, or handed over as a function; a loss counts with a minus", stretch=True, count=3)
def scorings(lib, X, y, scoring):
    crossval = lib.classic.crossval
    by_name = crossval.cross_val_score(pipeline_of(lib, 1.0), X, y, cv=2, scoring=scoring)
    own = crossval.cross_val_score(
        pipeline_of(lib, 1.0), X, y, cv=2, scoring=lambda fitted, X, y: -float(np.mean(np.abs(fitted.predict(X) - y)))
    )
    try:
        crossval.cross_val_score(pipeline_of(lib, 1.0), X, y, scoring="goodness")
    except ValueError:
        return {"by name": by_name, "own": own, "unknown name": "ValueError"}


@scorings.cases
def _(draw):
    X, y = draw_table(draw)
    return dict(X=X, y=y, scoring=draw.choice(["neg_mean_squared_error", "r2", "neg_mean_absolute_error"]))


@scorings.oracle
def _(X, y, scoring):
    from sklearn.model_selection import cross_val_score

    by_name = cross_val_score(their_pipeline(1.0), X, y, cv=2, scoring=scoring)
    own = cross_val_score(their_pipeline(1.0), X, y, cv=2, scoring="neg_mean_absolute_error")
    return {"by name": by_name, "own": own, "unknown name": "ValueError"}


@checkpoint("What cannot be split, filled or searched is refused with a ValueError", stretch=True)
def refused(lib, what):
    folds, prepare, selection = lib.classic.folds, lib.classic.prepare, lib.classic.selection
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    attempts = {
        "one fold": lambda: folds.KFold(1),
        "more folds than rows": lambda: list(folds.KFold(7).split(X)),
        "more folds than rows of any class": lambda: list(folds.StratifiedKFold(4).split(X, y)),
        "no groups": lambda: list(folds.GroupKFold(2).split(X, y)),
        "fewer groups than folds": lambda: list(folds.GroupKFold(3).split(X, y, y)),
        "no training left": lambda: list(folds.TimeSeriesSplit(2, test_size=3).split(X)),
        "lengths that differ": lambda: folds.train_test_split(X, y[:5]),
        "a test of all rows": lambda: folds.train_test_split(X, test_size=6),
        "an unknown strategy": lambda: prepare.SimpleImputer(strategy="mode").fit(X),
        "a range that falls": lambda: prepare.MinMaxScaler((1, 0)).fit(X),
        "no values to try": lambda: list(selection.ParameterGrid({"alpha": []})),
    }
    try:
        attempts[what]()
        return "nothing"
    except ValueError:
        return "ValueError"


@refused.edges
def _():
    return [
        dict(what=what)
        for what in (
            "one fold",
            "more folds than rows",
            "more folds than rows of any class",
            "no groups",
            "fewer groups than folds",
            "no training left",
            "lengths that differ",
            "a test of all rows",
            "an unknown strategy",
            "a range that falls",
            "no values to try",
        )
    ]


@refused.oracle
def _(what):
    return "ValueError"
