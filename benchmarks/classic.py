"""Fit, predict and peak memory of `classic` beside scikit-learn's: the same data, one thread each.

    python benchmarks/classic.py               all tasks, and the geometric means
    python benchmarks/classic.py ridge tree    those whose name holds one of the words

Times are medians over turns that the two take one after the other (timing.py); the ratio is taken within each turn. Peak
memory is what the resident set grew by during `fit`, each in a process of its own. Before anything is timed, both have to agree.
"""

import copy
import json
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy starts its threads

import math
import statistics
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from timing import interleave

TASKS = {}  # name -> a function of no arguments that makes the Task
SLOWEST, MOST_MEMORY = 3.0, 1.5  # the goals: no task above these ratios
REASONS = {  # what is above a goal, by the beginning of the task's name, and why
    ("KNeighborsClassifier tree", "time"): "the tree is walked in Python, a node at a time for all queries together;"
    " scikit-learn's is compiled and walks a query at a time",
    ("Tree", "memory"): "columns of X, and the order of all features, are held while the tree grows, 16 bytes an entry;"
    " scikit-learn sorts one feature of one node at a time. The whole is some 5 MB for 10,000 x 20",
    ("RandomForest", "memory"): "the same orders and columns, and the bootstrap counts of all trees",
    (
        "RandomForest",
        "time",
    ): "a hundred trees' leaves are looked up a level at a time in NumPy, each level a pass over all samples",
    ("GradientBoosting", "memory"): "as a tree's, and the order of all features is kept for all rounds",
    (
        "HistGradientBoosting",
        "memory",
    ): "bins are gathered in blocks with positions of 8 bytes, and sums are complex numbers of 16;"
    " scikit-learn adds bytes to sums of 8 in place",
    (
        "HistGradientBoosting",
        "time",
    ): "a histogram is one pass of np.add.at over all features of a leaf's rows, with the gradients"
    " repeated for each; compiled code adds in place",
    ("SVC", "memory"): "the rows of the kernel matrix that are kept are float64, scikit-learn's float32",
}


@dataclass
class Task:
    """Two estimators and the data for them. y None: without targets. agree(ours, theirs, X_new) raises if they differ."""

    ours: Any
    theirs: Any
    X: Any
    y: Any
    agree: Any
    X_new: Any = None  # for predict; None for X
    predict: str = "predict"  # the method timed, None for none


def task(name):
    """Marks a function that makes a Task."""

    def keep(make):
        TASKS[name] = make
        return make

    return keep


def same(*attributes, atol=1e-6):
    """An `agree` that compares what was learned."""

    def agree(ours, theirs, X_new):
        for name in attributes:
            a, b = np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name))
            np.testing.assert_allclose(np.squeeze(a), np.squeeze(b), atol=atol, rtol=atol, err_msg=name)

    return agree


def scores_within(margin, y_new):
    """An `agree` for what rests on random draws: scores on new data that lie within a margin."""

    def agree(ours, theirs, X_new):
        a, b = ours.score(X_new, y_new), theirs.score(X_new, y_new)
        assert abs(a - b) <= margin, (a, b)

    return agree


def regression_data(n=10_000, p=50):
    """The data of the linear tasks: 20 informative columns, noise of standard deviation 10."""
    from sklearn.datasets import make_regression

    return make_regression(n, p, n_informative=min(20, p), noise=10, random_state=0)


def classification_data(n=10_000, p=20, **options):
    """Two classes, ten informative columns."""
    from sklearn.datasets import make_classification

    return make_classification(n, p, n_informative=min(10, p), random_state=0, **options)


# ------------------------------------------------------------------------------------------------------- the tasks


@task("LinearRegression 10000x50")
def _():
    from sklearn.linear_model import LinearRegression as Theirs

    from groundup.classic.linear import LinearRegression

    return Task(LinearRegression(), Theirs(), *regression_data(), same("coef_", "intercept_"))


@task("Ridge 10000x50")
def _():
    from sklearn.linear_model import Ridge as Theirs

    from groundup.classic.linear import Ridge

    return Task(Ridge(), Theirs(), *regression_data(), same("coef_", "intercept_"))


@task("PCA 5000x200")
def _():
    from sklearn.decomposition import PCA as Theirs

    from groundup.classic.decomposition import PCA

    X = np.random.default_rng(0).normal(size=(5000, 200)) * np.linspace(1, 3, 200)
    return Task(PCA(), Theirs(), X, None, same("explained_variance_", "mean_"), predict="transform")


@task("PCA 5000x200, full")
def _():
    from sklearn.decomposition import PCA as Theirs

    from groundup.classic.decomposition import PCA

    X = np.random.default_rng(0).normal(size=(5000, 200)) * np.linspace(1, 3, 200)
    options = {"svd_solver": "full"}
    return Task(PCA(**options), Theirs(**options), X, None, same("explained_variance_", "mean_"), predict="transform")


@dataclass
class Metric:
    """A metric as an estimator whose `fit` computes it: X are scores or predicted classes, y what is true."""

    function: Any

    def fit(self, X, y):
        self.value_ = self.function(y, X)
        return self


def metric_data(classes, n=1_000_000):
    """True and predicted classes, of which seven in ten agree."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    return np.where(rng.random(n) < 0.7, y, rng.integers(0, classes, n)), y


@task("roc_auc_score 1000000")
def _():
    from sklearn.metrics import roc_auc_score as theirs

    from groundup.classic.ranking import roc_auc_score

    _, y = metric_data(2)
    score = np.random.default_rng(1).standard_normal(len(y)) + y
    return Task(Metric(roc_auc_score), Metric(theirs), score, y, same("value_", atol=1e-12), predict=None)


@task("confusion_matrix 1000000, 10 classes")
def _():
    from sklearn.metrics import confusion_matrix as theirs

    from groundup.classic.metrics import confusion_matrix

    data = metric_data(10)
    return Task(Metric(confusion_matrix), Metric(theirs), *data, same("value_", atol=0), predict=None)


def equal_log_odds(margin):
    """An `agree` for searches that end near the minimum: log-odds that differ by no more than a margin of their spread."""

    def agree(ours, theirs, X_new):
        a, b = ours.decision_function(X_new), theirs.decision_function(X_new)
        assert np.abs(a - b).max() <= margin * b.std(), np.abs(a - b).max() / b.std()

    return agree


def logistic_task(margin, theirs, n_classes=2, **options):
    """The same penalty and tolerance for both; `theirs` are the options that differ in scikit-learn's."""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression as Theirs

    from groundup.classic.logistic import LogisticRegression

    p, informative = (50, 20) if n_classes == 2 else (20, 10)
    X, y = make_classification(10_000, p, n_informative=informative, n_classes=n_classes, random_state=0)
    return Task(LogisticRegression(**options), Theirs(**(options | theirs)), X, y, equal_log_odds(margin))


@task("Logistic L-BFGS 10000x50")
def _():
    return logistic_task(1e-3, {})


@task("Logistic Newton 10000x50")
def _():
    return logistic_task(1e-6, {}, solver="newton-cholesky")


@task("Logistic L1 10000x50")
def _():
    return logistic_task(1e-3, {"solver": "saga"}, solver="newton-cd", l1_ratio=1.0, C=0.01)


@task("Logistic elastic net 10000x50")
def _():
    return logistic_task(1e-3, {"solver": "saga"}, solver="newton-cd", l1_ratio=0.5, C=0.01)


@task("Logistic multinomial L-BFGS 10000x20, 5 classes")
def _():
    return logistic_task(1e-3, {}, n_classes=5)


@task("Logistic multinomial Newton 10000x20, 5 classes")
def _():
    return logistic_task(1e-6, {}, n_classes=5, solver="newton-cholesky")


def clustering(kind, theirs, agree, **options):
    """Both on eight overlapping clouds of 20,000 samples in 16 columns, from the same random numbers and so from the same beginnings."""
    from sklearn.datasets import make_blobs

    class Ours(kind):
        def fit(self, X, y=None):
            self.random_state = np.random.RandomState(0)  # what 0 is to scikit-learn
            return super().fit(X)

    X, _ = make_blobs(20_000, 16, centers=8, cluster_std=5.0, random_state=0)
    return Task(Ours(8, **options), theirs(8, random_state=0, **options), X, None, agree)


@task("KMeans(8) 20000x16, n_init 1")
def _():
    from sklearn.cluster import KMeans as Theirs

    from groundup.classic.cluster import KMeans

    return clustering(KMeans, Theirs, same("cluster_centers_", "inertia_", "n_iter_"), n_init=1)


@task("KMeans(8) 20000x16, n_init 10")
def _():
    from sklearn.cluster import KMeans as Theirs

    from groundup.classic.cluster import KMeans

    return clustering(KMeans, Theirs, same("cluster_centers_", "inertia_"), n_init=10)


@task("MiniBatchKMeans(8) 20000x16, 97 batches")
def _():
    from sklearn.cluster import MiniBatchKMeans as Theirs

    from groundup.classic.minibatch import MiniBatchKMeans

    def agree(ours, theirs, X_new):
        assert ours.n_steps_ == theirs.n_steps_ and abs(ours.inertia_ / theirs.inertia_ - 1) < 0.02

    return clustering(MiniBatchKMeans, Theirs, agree, n_init=1, max_iter=5, max_no_improvement=None)


@task("GaussianMixture(8) 20000x16")
def _():
    from sklearn.mixture import GaussianMixture as Theirs

    from groundup.classic.mixture import GaussianMixture

    return clustering(GaussianMixture, Theirs, same("weights_", "means_", "covariances_", "n_iter_"))


@task("KNeighborsClassifier brute 5000 on 5000x20")
def _():
    from sklearn.neighbors import KNeighborsClassifier as Theirs

    from groundup.classic.neighbors import KNeighborsClassifier

    X, y = classification_data(5000, 20)
    options = {"algorithm": "brute"}
    return Task(KNeighborsClassifier(**options), Theirs(**options, n_jobs=1), X, y, scores_within(0.0, y))


@task("KNeighborsClassifier tree 5000 on 20000x3")
def _():
    from sklearn.neighbors import KNeighborsClassifier as Theirs

    from groundup.classic.neighbors import KNeighborsClassifier

    X = np.random.default_rng(0).normal(size=(20_000, 3))
    y, options = (X.sum(axis=1) > 0).astype(int), {"algorithm": "kd_tree"}
    return Task(KNeighborsClassifier(**options), Theirs(**options), X, y, scores_within(0.0, y[:5000]), X_new=X[:5000])


def by_descent(ours, theirs, *attributes):
    """A task on the regression data; to agree, both are fitted to a gap of 1e-10: at the usual one each ends where it is."""
    X, y = regression_data()

    def agree(ours, theirs, X_new):
        exact = [copy.copy(ours), copy.copy(theirs)]
        for estimator in exact:
            estimator.tol = 1e-10
            estimator.fit(X, y)
        same(*attributes)(*exact, X_new)

    return Task(ours, theirs, X, y, agree, predict="predict" if hasattr(ours, "predict") else None)


class AllAlphas:
    """A function that computes a path, as an estimator."""

    def __init__(self, path):
        self.path, self.tol = path, 1e-4

    def fit(self, X, y):
        self.alphas_, self.coefs_, _ = self.path(X, y, alphas=100, tol=self.tol)
        return self


@task("Lasso 10000x50")
def _():
    from sklearn.linear_model import Lasso as Theirs

    from groundup.classic.lasso import Lasso

    return by_descent(Lasso(), Theirs(), "coef_", "intercept_")


@task("Lasso path (100 alphas) 10000x50")
def _():
    from sklearn.linear_model import lasso_path as theirs

    from groundup.classic.lasso import lasso_path

    return by_descent(AllAlphas(lasso_path), AllAlphas(theirs), "alphas_", "coefs_")


@task("ElasticNet 10000x50")
def _():
    from sklearn.linear_model import ElasticNet as Theirs

    from groundup.classic.lasso import ElasticNet

    return by_descent(ElasticNet(alpha=0.1), Theirs(alpha=0.1), "coef_", "intercept_")


@task("StandardScaler 10000x50")
def _():
    from sklearn.preprocessing import StandardScaler as Theirs

    from groundup.classic.prepare import StandardScaler

    X, _ = regression_data()
    return Task(StandardScaler(), Theirs(), X, None, same("mean_", "scale_"), predict="transform")


@task("OneHotEncoder 10000x8 words")
def _():
    from sklearn.preprocessing import OneHotEncoder as Theirs

    from groundup.classic.prepare import OneHotEncoder

    words = np.array([f"word {i}" for i in range(12)], dtype=object)
    X = words[np.random.default_rng(0).integers(0, 12, (10_000, 8))]

    def agree(ours, theirs, X_new):
        np.testing.assert_array_equal(ours.transform(X_new), theirs.transform(X_new))

    return Task(OneHotEncoder(), Theirs(sparse_output=False), X, None, agree, predict="transform")


@task("GridSearchCV of a pipeline 2000x20")
def _():
    from sklearn.linear_model import Ridge as TheirRidge
    from sklearn.model_selection import GridSearchCV as Theirs
    from sklearn.pipeline import make_pipeline as their_pipeline
    from sklearn.preprocessing import StandardScaler as TheirScaler

    from groundup.classic.linear import Ridge
    from groundup.classic.pipeline import make_pipeline
    from groundup.classic.prepare import StandardScaler
    from groundup.classic.selection import GridSearchCV

    grid = {"ridge__alpha": [0.1, 1.0, 10.0, 100.0]}
    ours = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), grid)
    theirs = Theirs(their_pipeline(TheirScaler(), TheirRidge()), grid)
    return Task(ours, theirs, *regression_data(2000, 20), same("best_score_", "best_index_"))


@task("GradientBoosting(100) 10000x20")
def _():
    from sklearn.ensemble import GradientBoostingClassifier as Theirs

    from groundup.classic.boosting import GradientBoostingClassifier

    X, y = classification_data()

    def agree(ours, theirs, X_new):
        a, b = ours.decision_function(X_new), theirs.decision_function(X_new)
        np.testing.assert_allclose(a, b, atol=1e-6)

    return Task(GradientBoostingClassifier(), Theirs(random_state=0), X, y, agree)


@task("HistGradientBoosting(100) 10000x20")
def _():
    from sklearn.ensemble import HistGradientBoostingClassifier as Theirs

    from groundup.classic.histogram import HistGradientBoostingClassifier

    X, y = classification_data(20_000)
    return Task(
        HistGradientBoostingClassifier(),
        Theirs(),
        X[:10_000],
        y[:10_000],
        scores_within(0.005, y[10_000:]),
        X_new=X[10_000:],
        predict="predict_proba",
    )


def tree_task(kind, **options):
    """One tree, ours and theirs; X_new are the samples that it was grown on."""
    import sklearn.tree

    from groundup.classic import tree

    X, y = classification_data()
    if kind == "DecisionTreeRegressor":
        y = X @ np.random.default_rng(0).standard_normal(X.shape[1])
    theirs = getattr(sklearn.tree, kind)(random_state=0, **options)
    agree = same_predictions(0.995 if kind == "DecisionTreeClassifier" else 0.99)
    return Task(getattr(tree, kind)(**options), theirs, X, y, agree)


def same_predictions(share):
    """An `agree` for trees: theirs draws among splits that are equal, so a few samples may end elsewhere."""

    def agree(ours, theirs, X_new):
        alike = np.isclose(ours.predict(X_new), theirs.predict(X_new), rtol=1e-6)
        assert np.mean(alike) >= share, np.mean(alike)

    return agree


@task("Tree 10000x20 depth 5")
def _():
    return tree_task("DecisionTreeClassifier", max_depth=5)


@task("Tree 10000x20 full")
def _():
    return tree_task("DecisionTreeClassifier")


@task("Tree 10000x20 full, entropy")
def _():
    return tree_task("DecisionTreeClassifier", criterion="entropy")


@task("Tree 10000x20 regression, depth 5")
def _():
    return tree_task("DecisionTreeRegressor", max_depth=5)


@task("Tree 10000x20 regression, full")
def _():
    return tree_task("DecisionTreeRegressor")


@task("RandomForest(100) 5000x20")
def _():
    from sklearn.ensemble import RandomForestClassifier as Theirs

    from groundup.classic.forest import RandomForestClassifier

    X, y = classification_data(10_000, 20)
    kinds = (RandomForestClassifier(random_state=0), Theirs(random_state=0))
    return Task(*kinds, X[:5000], y[:5000], scores_within(0.02, y[5000:]), X_new=X[5000:])


@task("SVC RBF 2000x20")
def _():
    from sklearn.svm import SVC as Theirs

    from groundup.classic.svm import SVC

    def agree(ours, theirs, X_new):
        np.testing.assert_allclose(ours.decision_function(X_new), theirs.decision_function(X_new), atol=5e-3)

    return Task(SVC(), Theirs(), *classification_data(2000), agree)


# ------------------------------------------------------------------------------------------------------ the timing


def fit(estimator, X, y):
    """Fits, and hides no warning but those of iterations cut short on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*converge.*")
        return estimator.fit(X, y)


def measure(name):
    """The ratios of one task: for fit and for predict the median of ours, of theirs, and the ratio's min, median, max."""
    t = TASKS[name]()
    X_new = t.X if t.X_new is None else t.X_new
    ours, theirs = fit(t.ours, t.X, t.y), fit(t.theirs, t.X, t.y)
    t.agree(ours, theirs, X_new)
    rows = {"fit": times({"ours": lambda: fit(ours, t.X, t.y), "theirs": lambda: fit(theirs, t.X, t.y)})}
    if t.predict:
        method = t.predict
        rows["predict"] = times(
            {"ours": lambda: getattr(ours, method)(X_new), "theirs": lambda: getattr(theirs, method)(X_new)}
        )
    return rows


def times(candidates):
    """Medians in milliseconds, and the spread of the ratio."""
    t = interleave(candidates, turns=7, seconds=0.05)
    ratio = [a / b for a, b in zip(t["ours"], t["theirs"])]
    medians = [statistics.median(t[which]) * 1e3 for which in ("ours", "theirs")]
    return [*medians, min(ratio), statistics.median(ratio), max(ratio)]


def peak(name, which):
    """MB that the resident set grew by at most during a fit, in a process of its own; None where the system does not say."""
    command = [sys.executable, __file__, "--peak", name, which]
    large_blocks_apart = os.environ | {
        "MALLOC_MMAP_THRESHOLD_": "65536"
    }  # given back when freed, so that the peak is seen
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=large_blocks_apart)
    return json.loads(done.stdout)


def print_peak(name, which):
    t = TASKS[name]()
    fit(getattr(t, which), t.X[:200], None if t.y is None else t.y[:200])  # imports and first calls are not the fit's
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return print("null")
    clear.write_text("5")  # resets the peak to what is resident now
    before = resident("VmRSS")
    fit(getattr(t, which), t.X, t.y)
    print(json.dumps((resident("VmHWM") - before) / 1024))


def resident(field):
    """A line of /proc/self/status, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main(words):
    names = [name for name in TASKS if not words or any(word.lower() in name.lower() for word in words)]
    print(f"{'':40} {'ms':>9} {'sklearn':>9}   {'ratio: min  median     max':28} {'MB':>7} {'sklearn':>8} {'ratio':>6}")
    medians, above = {"fit": [], "predict": []}, []
    for name in names:
        memory = [peak(name, which) for which in ("ours", "theirs")]
        for what, (ours, theirs, low, median, high) in measure(name).items():
            medians[what].append(median)
            if median > SLOWEST:
                above.append(f"{name}, {what}: {median:.2f} x the time: {reason(name, 'time')}")
            line = f"{name + ', ' + what:40} {ours:9.2f} {theirs:9.2f}   {low:10.2f} {median:7.2f} {high:7.2f}  "
            if what == "fit" and None not in memory:
                ratio = f"{memory[0] / memory[1]:6.2f}" if memory[1] >= 1 else "     -"
                line += f"{memory[0]:7.1f} {memory[1]:8.1f} {ratio}"
                if memory[1] >= 1 and memory[0] > MOST_MEMORY * memory[1]:
                    above.append(f"{name}: {memory[0] / memory[1]:.2f} x the memory: {reason(name, 'memory')}")
            print(line, flush=True)
    for what, ratios in medians.items():
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            print(f"geometric mean of {what} over {len(ratios)} tasks: {mean:.2f}; the worst {max(ratios):.2f}")
    if above:
        print(f"above {SLOWEST:g} x the time or {MOST_MEMORY:g} x the memory, and why:")
    for line in above:
        print(f"- {line}")


def reason(name, what):
    """Why a task is above a goal, where that is known."""
    return next((why for (begins, of), why in REASONS.items() if name.startswith(begins) and of == what), "not known")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        print_peak(*sys.argv[2:])
    else:
        main(sys.argv[1:])
