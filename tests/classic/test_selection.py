"""Folds, scores fold by fold and the search, beside scikit-learn's and by their properties."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn import linear_model, model_selection, neighbors
from sklearn import pipeline as their_pipelines
from sklearn import preprocessing as theirs
from sklearn.base import is_classifier as theirs_is_classifier

from groundup.classic.crossval import (
    SCORERS,
    check_cv,
    cross_val_predict,
    cross_val_score,
    fit_to,
    is_classifier,
    learning_curve,
    training_sizes,
    validation_curve,
)
from groundup.classic.estimator import Classifier, clone
from groundup.classic.folds import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    apportion,
    fold_sizes,
    group_folds,
    split_sizes,
    stratified_folds,
    take,
    train_test_split,
)
from groundup.classic.linear import LinearRegression, Ridge
from groundup.classic.pipeline import make_pipeline
from groundup.classic.prepare import StandardScaler
from groundup.classic.selection import GridSearchCV, ParameterGrid, one_standard_error
from groundup.classic.validation import NotFittedError


class Centroids(Classifier):
    """The class whose mean is nearest; scores are negative distances."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict_proba(self, X):
        closeness = np.exp(-((X[:, None] - self.means_) ** 2).sum(axis=2))
        return closeness / closeness.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def data(seed, n=60, p=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ rng.standard_normal(p) + rng.standard_normal(n)


def outcome(splitter, X, y=None, groups=None):
    """The pairs as lists, or the name of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with fewer rows than folds
        try:
            return [(train.tolist(), test.tolist()) for train, test in splitter.split(X, y, groups)]
        except ValueError:
            return "ValueError"


# ------------------------------------------------------------------------------------------------------------- folds


@pytest.mark.parametrize("seed", range(60))
def test_folds_equal_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(3, 50)), int(rng.integers(2, 7))
    X, groups = np.zeros((n, 1)), rng.integers(0, 8, n)
    y = rng.integers(0, 4, n) if seed % 2 else np.array(["owl", "ant", "cat", "bee"])[rng.integers(0, 4, n)]
    assert outcome(KFold(k), X) == outcome(model_selection.KFold(k), X)
    assert outcome(StratifiedKFold(k), X, y) == outcome(model_selection.StratifiedKFold(k), X, y)
    assert outcome(GroupKFold(k), X, y, groups) == outcome(model_selection.GroupKFold(k), X, y, groups)
    options = dict(
        gap=int(rng.integers(0, 3)),
        test_size=[None, int(rng.integers(1, 5))][seed % 2],
        max_train_size=[None, int(rng.integers(1, 9))][seed // 2 % 2],
    )
    assert outcome(TimeSeriesSplit(k, **options), X) == outcome(model_selection.TimeSeriesSplit(k, **options), X)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_every_row_is_tested_once_and_never_trained_on_in_its_fold(seed, shuffle):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 40))
    X, y = np.zeros((n, 1)), rng.integers(0, 2, n)
    for splitter in (KFold(4, shuffle=shuffle, random_state=seed), StratifiedKFold(3, shuffle=shuffle, random_state=0)):
        pairs = list(splitter.split(X, y))
        assert sorted(np.concatenate([test for _, test in pairs]).tolist()) == list(range(n))
        assert all(sorted([*train, *test]) == list(range(n)) for train, test in pairs)


def test_no_group_is_on_both_sides_and_loads_are_balanced():
    groups = np.random.default_rng(0).integers(0, 30, 400)
    for train, test in GroupKFold(5).split(np.zeros((400, 1)), groups=groups):
        assert not set(groups[train]) & set(groups[test])
        assert abs(len(test) - 80) <= 5


def test_renaming_the_classes_does_not_change_the_folds():
    y = np.random.default_rng(0).integers(0, 3, 40)
    np.testing.assert_array_equal(stratified_folds(y, 4), stratified_folds(np.array(["z", "a", "m"])[y], 4))


def test_fold_sizes_and_group_folds_by_hand():
    np.testing.assert_array_equal(fold_sizes(7, 3), [3, 2, 2])
    np.testing.assert_array_equal(group_folds(["a", "b", "b", "b", "c", "c"], 2), [1, 0, 0, 0, 1, 1])


def test_a_seed_gives_the_same_folds_and_none_gives_others():
    X = np.zeros((30, 1))
    assert outcome(KFold(3, shuffle=True, random_state=1), X) == outcome(KFold(3, shuffle=True, random_state=1), X)
    splitter = KFold(3, shuffle=True)
    assert outcome(splitter, X) != outcome(splitter, X)


@pytest.mark.parametrize("n_splits", [1, 0, -3, 2.5, "3", True])
def test_other_numbers_of_folds_are_refused(n_splits):
    for kind in (KFold, StratifiedKFold, GroupKFold, TimeSeriesSplit):
        with pytest.raises(ValueError, match="n_splits"):
            kind(n_splits)


def test_stratified_folds_need_classes():
    with pytest.raises(ValueError, match="None"):
        list(StratifiedKFold(2).split(np.zeros((4, 1))))
    with pytest.raises(ValueError, match="label type"):
        list(StratifiedKFold(2).split(np.zeros((4, 1)), [0.1, 0.2, 0.3, 0.4]))
    with pytest.warns(UserWarning, match="least populated"):
        list(StratifiedKFold(3).split(np.zeros((5, 1)), [0, 0, 0, 1, 1]))


# ----------------------------------------------------------------------------------------------------- a single split


@pytest.mark.parametrize("seed", range(20))
def test_split_sizes_equal_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    options = [None, float(rng.uniform(0.05, 0.95)), int(rng.integers(1, 12))]
    for test_size in options:
        for train_size in options:
            X = np.arange(n)
            try:
                expected = model_selection.train_test_split(
                    X, shuffle=False, test_size=test_size, train_size=train_size
                )
            except ValueError:
                with pytest.raises(ValueError, match="size"):
                    split_sizes(n, test_size, train_size)
                continue
            parts = train_test_split(X, shuffle=False, test_size=test_size, train_size=train_size)
            for a, b in zip(parts, expected):
                np.testing.assert_array_equal(a, b)


def test_arrays_lists_and_tables_are_split_alike():
    import pandas

    X, words = np.arange(20.0).reshape(10, 2), [f"row {i}" for i in range(10)]
    table = pandas.DataFrame(X, columns=["a", "b"], index=range(100, 110))
    parts = train_test_split(X, words, table, None, random_state=3)
    assert isinstance(parts[2], list) and isinstance(parts[4], pandas.DataFrame) and parts[6] is None
    for side in (0, 1):
        rows = (parts[side][:, 0] / 2).astype(int)
        assert parts[2 + side] == [f"row {i}" for i in rows]
        np.testing.assert_array_equal(parts[4 + side].to_numpy(), X[rows])


@pytest.mark.parametrize("seed", range(10))
def test_a_stratified_split_is_within_one_row_of_every_share(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 60)
    train, test = train_test_split(np.arange(60), test_size=17, random_state=seed, stratify=y)
    counts = np.bincount(y)
    assert np.all(np.abs(np.bincount(y[test], minlength=4) - counts * 17 / 60) < 1)
    assert sorted([*train, *test]) == list(range(60))
    assert not np.all(np.diff(y[train]) >= 0)  # the classes are not one after the other


def test_seats_are_exact_and_go_to_the_largest_remainders():
    np.testing.assert_array_equal(apportion([53, 24, 23], 10), [5, 3, 2])
    np.testing.assert_array_equal(apportion([1, 1, 1], 2), [1, 1, 0])
    huge = np.array([10**12 + 1, 10**12, 10**12 - 1])
    assert apportion(huge, 1000).sum() == 1000


def test_a_split_that_cannot_be_is_refused():
    y = [0, 0, 0, 1]
    with pytest.raises(ValueError, match="inconsistent"):
        train_test_split(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="least populated"):
        train_test_split(y, stratify=y)
    with pytest.raises(ValueError, match="shuffle=False"):
        train_test_split(y, stratify=y, shuffle=False)
    with pytest.raises(ValueError, match="too few"):
        train_test_split(np.zeros(6), test_size=1, stratify=[0, 0, 1, 1, 2, 2])


def test_take_copies():
    X = np.arange(6.0).reshape(3, 2)
    part = take(X, np.arange(3))
    part[:] = 0
    assert X.sum() == 15


# ------------------------------------------------------------------------------------------------ scores fold by fold


def pairs_of_models():
    """Ours and theirs."""
    ours = make_pipeline(StandardScaler(), Ridge(2.0))
    return ours, their_pipelines.make_pipeline(theirs.StandardScaler(), linear_model.Ridge(2.0))


@pytest.mark.parametrize("seed", range(5))
def test_scores_predictions_and_curves_equal_scikit_learns(seed):
    X, y = data(seed)
    ours, twin = pairs_of_models()
    for cv in (3, KFold(4), [(np.arange(30), np.arange(30, 60))], [(np.arange(60) < 40, np.arange(60) >= 40)]):
        expected = model_selection.cross_val_score(twin, X, y, cv=cv)
        np.testing.assert_allclose(cross_val_score(ours, X, y, cv=cv), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(cross_val_predict(ours, X, y), model_selection.cross_val_predict(twin, X, y), atol=1e-12)
    options = dict(train_sizes=[0.2, 0.5, 1.0], cv=4)
    for a, b in zip(learning_curve(ours, X, y, **options), model_selection.learning_curve(twin, X, y, **options)):
        np.testing.assert_allclose(a, b, atol=1e-12)
    options = dict(param_name="ridge__alpha", param_range=np.array([0.1, 10.0, 1e4]), cv=4)
    for a, b in zip(validation_curve(ours, X, y, **options), model_selection.validation_curve(twin, X, y, **options)):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_our_pipeline_in_scikit_learns_folds_and_theirs_in_ours():
    X, y = data(0)
    ours, twin = pairs_of_models()
    expected = model_selection.cross_val_score(twin, X, y)
    np.testing.assert_allclose(model_selection.cross_val_score(ours, X, y), expected, atol=1e-12)
    np.testing.assert_allclose(cross_val_score(twin, X, y), expected, atol=1e-12)
    labels = np.sort(y > 0).astype(int)
    by_theirs = model_selection.cross_val_score(make_pipeline(StandardScaler(), Centroids()), X, labels)
    np.testing.assert_array_equal(cross_val_score(make_pipeline(StandardScaler(), Centroids()), X, labels), by_theirs)


@pytest.mark.parametrize("name", SCORERS)
def test_named_scores_equal_scikit_learns(name):
    X, y = data(1)
    classes = name not in ("r2", "neg_mean_squared_error", "neg_mean_absolute_error")
    model = linear_model.LogisticRegression() if classes else linear_model.Ridge()
    y = (y > 0).astype(int) if classes else y
    expected = model_selection.cross_val_score(model, X, y, scoring=name)
    np.testing.assert_allclose(cross_val_score(model, X, y, scoring=name), expected, atol=1e-12)
    if name == "roc_auc":
        probable = neighbors.KNeighborsClassifier()  # without a decision_function
        expected = model_selection.cross_val_score(probable, X, y, scoring=name)
        np.testing.assert_allclose(cross_val_score(probable, X, y, scoring=name), expected, atol=1e-12)


def test_classifiers_are_known_wherever_they_hide():
    search = GridSearchCV(make_pipeline(StandardScaler(), Centroids()), {})
    for estimator in (
        Centroids(),
        make_pipeline(StandardScaler(), Centroids()),
        search,
        linear_model.LogisticRegression(),
    ):
        assert is_classifier(estimator) and theirs_is_classifier(estimator)
    for estimator in (
        Ridge(),
        make_pipeline(StandardScaler(), Ridge()),
        linear_model.Ridge(),
        GridSearchCV(Ridge(), {}),
    ):
        assert not is_classifier(estimator) and not theirs_is_classifier(estimator)
    assert isinstance(check_cv(3, [0, 1], classifier=True), StratifiedKFold)
    assert type(check_cv(3, [0, 1])) is KFold and check_cv().n_splits == 5


def test_the_estimator_that_is_judged_stays_unfitted_and_the_data_as_they_were():
    X, y = data(2)
    kept = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    model = make_pipeline(StandardScaler(), Ridge())
    cross_val_score(model, X, y)
    GridSearchCV(model, {"ridge__alpha": [1.0, 2.0]}).fit(X, y)
    learning_curve(model, X, y, shuffle=True, random_state=0)
    assert not any(name.endswith("_") for step in model for name in vars(step))
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(y, kept[1])


def test_probabilities_of_a_class_that_a_training_lacks_are_zero():
    X, y = data(3, n=12)[0], np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2])
    found = cross_val_predict(Centroids(), X, y, cv=KFold(4), method="predict_proba")
    assert found.shape == (12, 3)
    np.testing.assert_array_equal(found[9:, 2], 0.0)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_predictions_need_a_partition():
    X, y = data(0)
    for cv in (TimeSeriesSplit(3), [(np.arange(60), np.arange(60)), (np.arange(60), np.arange(3))]):
        with pytest.raises(ValueError, match="partitions"):
            cross_val_predict(Ridge(), X, y, cv=cv)


def test_training_sizes_are_numbers_or_shares():
    np.testing.assert_array_equal(training_sizes([0.5, 0.01, 0.51], 10), [1, 5])
    np.testing.assert_array_equal(training_sizes([3, 10], 10), [3, 10])
    for wrong in ([0.0, 0.5], [1.5], [0, 3], [11]):
        with pytest.raises(ValueError, match="within"):
            training_sizes(wrong, 10)


def test_a_shuffled_learning_curve_sees_every_class_of_sorted_rows():
    X, y = data(0)
    y = np.repeat([0, 1], 30)
    cv = [(np.arange(0, 60, 2), np.arange(1, 60, 2))]
    seen = []

    class Watching(Centroids):
        def fit(self, X, y):
            seen.append(set(y))
            return super().fit(X, y)

    for shuffle in (False, True):
        learning_curve(Watching(), X, y, cv=cv, train_sizes=[10], shuffle=shuffle, random_state=0)
    assert seen == [{0}, {0, 1}]


def test_bad_ways_to_score_are_refused():
    X, y = data(0)
    with pytest.raises(ValueError, match="scoring"):
        cross_val_score(Ridge(), X, y, scoring="goodness")
    with pytest.raises(TypeError, match="score"):
        cross_val_score(StandardScaler(), X)
    with pytest.raises(ValueError, match="empty"):
        cross_val_score(Ridge(), X, y, cv=[])


def test_fit_to_sees_these_rows_only():
    X, y = data(0)
    rows = np.array([5, 1, 30, 8, 2])
    np.testing.assert_array_equal(
        fit_to(rows, LinearRegression(), X, y).coef_, LinearRegression().fit(X[rows], y[rows]).coef_
    )


# --------------------------------------------------------------------------------------------------------- the search


@pytest.mark.parametrize("grid", [{"a": [1, 2], "b": ["x"]}, [{"a": [1]}, {"b": np.arange(3), "a": [0, 5]}], {}])
def test_a_grid_equals_scikit_learns(grid):
    ours, expected = ParameterGrid(grid), model_selection.ParameterGrid(grid)
    assert list(ours) == list(expected) and len(ours) == len(expected)


@pytest.mark.parametrize(
    ("grid", "error"), [({"a": 1}, TypeError), ({"a": "word"}, TypeError), ({"a": []}, ValueError), (["a"], TypeError)]
)
def test_a_grid_holds_lists(grid, error):
    with pytest.raises(error):
        ParameterGrid(grid)


@pytest.mark.parametrize("seed", range(3))
def test_the_search_equals_scikit_learns(seed):
    X, y = data(seed)
    ours, twin = pairs_of_models()
    grid = {"ridge__alpha": [100.0, 1.0, 1.0, 10.0], "standardscaler__with_std": [True, False]}
    a, b = GridSearchCV(ours, grid, cv=4).fit(X, y), model_selection.GridSearchCV(twin, grid, cv=4).fit(X, y)
    assert a.cv_results_["params"] == b.cv_results_["params"] and a.best_params_ == b.best_params_
    for name in a.cv_results_.keys() - {"params"}:
        np.testing.assert_allclose(a.cv_results_[name], b.cv_results_[name], atol=1e-12, err_msg=name)
    np.testing.assert_allclose(a.predict(X), b.predict(X), atol=1e-12)
    assert a.score(X, y) == pytest.approx(b.score(X, y)) and a.best_score_ == pytest.approx(b.best_score_)
    assert a.n_splits_ == 4 and a.best_index_ == b.best_index_


def test_a_search_inside_folds_equals_scikit_learns():
    X, y = data(4)
    grid = {"ridge__alpha": [0.1, 10.0, 1000.0]}
    ours, twin = pairs_of_models()
    nested = cross_val_score(GridSearchCV(ours, grid, cv=3), X, y, cv=4)
    expected = model_selection.cross_val_score(model_selection.GridSearchCV(twin, grid, cv=3), X, y, cv=4)
    np.testing.assert_allclose(nested, expected, atol=1e-12)


def test_all_candidates_meet_the_same_folds():
    X, y = data(0)
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 1.0, 1.0]}, cv=KFold(3, shuffle=True)).fit(X, y)
    assert np.ptp(search.cv_results_["mean_test_score"]) == 0
    np.testing.assert_array_equal(search.cv_results_["rank_test_score"], 1)


def test_a_search_can_do_what_its_estimator_can():
    X, y = data(0)
    regressor, classifier = GridSearchCV(Ridge(), {}), GridSearchCV(Centroids(), {})
    assert hasattr(classifier, "predict_proba") and not hasattr(regressor, "predict_proba")
    with pytest.raises(NotFittedError):
        regressor.predict(X)
    classifier.fit(X, (y > 0).astype(int))
    assert classifier.classes_.tolist() == [0, 1] and pickle.loads(pickle.dumps(classifier)).predict_proba(X).shape == (
        60,
        2,
    )
    unfitted = GridSearchCV(Ridge(), {"alpha": [1.0]}, refit=False).fit(X, y)
    assert unfitted.best_params_ == {"alpha": 1.0} and not hasattr(unfitted, "best_estimator_")
    with pytest.raises(AttributeError, match="refit"):
        unfitted.predict(X)
    assert clone(GridSearchCV(Ridge(3.0), {"alpha": [1.0]})).get_params()["estimator__alpha"] == 3.0


def test_a_candidate_without_a_score_is_never_the_best():
    X, y = data(0)

    def score(fitted, X, y):
        return np.nan if fitted.alpha == 1.0 else -fitted.alpha

    search = GridSearchCV(Ridge(), {"alpha": [1.0, 3.0, 2.0]}, scoring=score).fit(X, y)
    assert search.best_params_ == {"alpha": 2.0}
    np.testing.assert_array_equal(search.cv_results_["rank_test_score"], [3, 2, 1])


def test_the_one_standard_error_rule_takes_the_simplest_that_is_nearly_best():
    X, y = data(5)
    grid = {"alpha": [1e4, 100.0, 10.0, 1.0, 0.1]}  # from the stiffest
    search = GridSearchCV(Ridge(), grid, refit=one_standard_error).fit(X, y)
    best = GridSearchCV(Ridge(), grid).fit(X, y)
    folds = cross_val_score(Ridge(**best.best_params_), X, y)
    limit = folds.mean() - folds.std(ddof=1) / np.sqrt(5)
    means = [cross_val_score(Ridge(alpha), X, y).mean() for alpha in grid["alpha"]]
    assert search.best_index_ == next(i for i, mean in enumerate(means) if mean >= limit) <= best.best_index_
