"""How fit grows with the number of samples n and of features p, beside the order that theory gives.

    python benchmarks/classic_growth.py            all
    python benchmarks/classic_growth.py Ridge      those whose name holds a word

Each estimator is fitted on a grid, three sizes of n at one p and three of p at one n, each the median of five. The exponent is
the slope of log time over log size between the two larger sizes, where what does not grow weighs least; beside it
stands scikit-learn's on the same data. An exponent below the order is a constant cost that still shows.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy starts its threads

import importlib
import math
import statistics
import sys
import time
import warnings

import numpy as np

# name: ours, theirs, options, whether y holds classes (None: no y), base (n, p), order in n, order in p
GRID = {
    "LinearRegression": ("linear", "linear_model", {}, False, (4000, 20), "n", "p^2"),
    "Ridge": ("linear", "linear_model", {}, False, (8000, 40), "n", "p^2"),
    "Lasso": ("lasso", "linear_model", {"alpha": 0.1}, False, (8000, 40), "n", "p^2 (Gram)"),
    "LogisticRegression": ("logistic", "linear_model", {}, True, (4000, 20), "n a step", "p a step"),
    "KNeighborsClassifier": ("neighbors", "neighbors", {"algorithm": "kd_tree"}, True, (4000, 8), "n log n", "p"),
    "DecisionTreeClassifier": ("tree", "tree", {"max_depth": 5}, True, (4000, 10), "n log n", "p"),
    "RandomForestClassifier": ("forest", "ensemble", {"n_estimators": 5}, True, (2000, 10), "n log^2 n", "sqrt p"),
    "HistGradientBoostingClassifier": ("histogram", "ensemble", {"max_iter": 10}, True, (8000, 10), "n", "p"),
    "SVC": ("svm", "svm", {}, True, (500, 10), "n^2 to n^3", "p"),
    "KMeans": ("cluster", "cluster", {"n_clusters": 8, "n_init": 1, "max_iter": 20}, None, (10000, 8), "n", "p"),
    "PCA": ("decomposition", "decomposition", {}, None, (4000, 50), "n", "p^2 to p^3"),
    "GaussianNB": ("bayes", "naive_bayes", {}, True, (20000, 10), "n", "p"),
}


def data(n, p, classes):
    """Samples with a linear rule and noise, and y as asked."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    y = X @ rng.normal(size=p) + rng.normal(size=n)
    return X, (None if classes is None else (y > 0).astype(int) if classes else y)


def seconds(kind, options, X, y):
    """The median of five fits, once warm."""
    times = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*converge.*")
        for turn in range(6):
            start = time.process_time()
            kind(**options).fit(X, y)
            times += [time.process_time() - start] * (turn > 0)
    return statistics.median(times)


def main(words):
    print(f"{'':32}{'ms at n, p':>16}   {'n exponent: ours, theirs; order':42}{'p exponent: ours, theirs; order'}")
    for name, (ours, theirs, options, classes, (n, p), by_n, by_p) in GRID.items():
        if words and not any(word in name for word in words):
            continue
        if name == "KMeans":
            options = {**options, "random_state": 0}
        kinds = [getattr(importlib.import_module(f"groundup.classic.{ours}"), name)]
        kinds.append(getattr(importlib.import_module(f"sklearn.{theirs}"), name))
        answer = []
        for kind in kinds:
            base = seconds(kind, options, *data(2 * n, p, classes))
            wider = seconds(kind, options, *data(2 * n, 2 * p, classes))
            longer = seconds(kind, options, *data(4 * n, p, classes))
            widest = seconds(kind, options, *data(2 * n, 4 * p, classes))
            answer.append((base, math.log2(longer / base), math.log2(widest / wider)))
        (ms, grows_n, grows_p), (_, theirs_n, theirs_p) = answer
        in_n, in_p = f"{grows_n:5.2f} {theirs_n:6.2f}   {by_n}", f"{grows_p:5.2f} {theirs_p:6.2f}   {by_p}"
        print(f"{name:32}{ms * 1e3:8.1f} {2 * n:>6}x{p:<4}{in_n:45}{in_p}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
