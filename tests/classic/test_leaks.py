"""The leak detector: what it says of leaks that were planted, and that it is silent where there is none."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn import feature_selection, impute, pipeline, preprocessing

from groundup.classic.leaks import (
    Leak,
    earlier_rows,
    find_leaks,
    index_columns,
    learned_from_all,
    power_alone,
    repeated_rows,
    revealing_columns,
    shared_groups,
)
from groundup.classic.linear import Ridge
from groundup.classic.pipeline import ColumnTransformer, make_pipeline
from groundup.classic.prepare import MinMaxScaler, OneHotEncoder, SimpleImputer, StandardScaler


def clean(seed, n=80, m=30):
    """A split of independent rows, columns continuous, discrete and missing in places, and a target they tell a little of."""
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 7))
    X = rng.standard_normal((n + m, p)) * 10.0 ** rng.integers(-3, 4, p)
    if p > 1:
        X[:, 1] = rng.integers(0, 4, n + m)
    if p > 2:
        X[rng.random(n + m) < 0.2, 2] = np.nan
    score = np.nan_to_num(X / np.nanstd(X, axis=0)) @ rng.uniform(-1, 1, p) + rng.standard_normal(n + m)
    y = [score, score > 0, np.digitize(score, [-1, 1]), np.array(["no", "yes"])[(score > 0).astype(int)]][seed % 4]
    return X, y, n


@pytest.mark.parametrize("seed", range(60))
def test_clean_data_are_acquitted(seed):
    X, y, n = clean(seed)
    rng = np.random.default_rng(seed)
    groups, times = rng.integers(0, 9, len(y)), np.sort(rng.random(len(y)))
    groups[n:] += 9
    for preparation in (make_pipeline(SimpleImputer("median"), StandardScaler()), MinMaxScaler()):
        found = find_leaks(
            X[:n],
            X[n:],
            y[:n],
            y[n:],
            groups=(groups[:n], groups[n:]),
            times=(times[:n], times[n:]),
            preparation=preparation.fit(X[:n]),
        )
        assert found == []


@pytest.mark.parametrize("seed", range(20))
def test_each_planted_leak_is_found(seed):
    X, y, n = clean(seed, n=120)
    rng = np.random.default_rng(seed)
    m = len(X) - n

    def kinds(X, y, **options):
        return {leak.kind: leak for leak in find_leaks(X[:n], X[n:], y[:n], y[n:], **options)}

    doubled = X.copy()
    doubled[n + 3] = X[5]
    assert kinds(doubled, y) == {
        "duplicate": Leak("duplicate", (), (3,), f"1 of {m} test rows also stand in the training")
    }
    _, codes = np.unique(y, return_inverse=True)
    codes = codes / 3  # numbers that are not whole: the ranks of a continuous target would number the rows
    for copy in (codes, -3.1 * codes, codes + 1e-3 * rng.standard_normal(n + m)):
        found = kinds(np.column_stack([copy, X]), y)
        assert set(found) == {"target"} and found["target"].columns == (0,)
    for column in (np.arange(n + m), rng.permutation(n + m), np.cumsum(rng.integers(1, 9, n + m))):
        found = kinds(np.column_stack([X, column]), y)
        assert set(found) == {"index"} and found["index"].columns == (X.shape[1],)
    order = np.argsort(y[:n], kind="stable")
    assert set(kinds(np.concatenate([X[:n][order], X[n:]]), np.concatenate([y[:n][order], y[n:]]))) == {"order"}
    assert set(kinds(X, y, groups=(np.arange(n), np.arange(n - 1, n - 1 + m)))) == {"group"}
    assert kinds(X, y, times=(np.arange(n), np.arange(n - 2, n - 2 + m)))["time"].rows == (0,)
    assert set(kinds(X, y, preparation=make_pipeline(SimpleImputer(), StandardScaler()).fit(X))) == {"preparation"}


# ---------------------------------------------------------------------------------------------------------------- rows


def test_repeated_rows_by_hand():
    train = np.array([[0.0, 1.0], [np.nan, 2.0], [3.0, 4.0]])
    test = np.array([[1.0, 0.0], [-0.0, 1.0], [np.nan, 2.0], [3.0, 4.0 + 1e-12]])
    np.testing.assert_array_equal(repeated_rows(train, test), [1, 2])
    np.testing.assert_array_equal(repeated_rows(train.astype(np.float32), test), [1, 2])
    np.testing.assert_array_equal(repeated_rows(np.asfortranarray(train), test[:1]), [])


def test_groups_and_times_may_be_words_and_dates():
    np.testing.assert_array_equal(shared_groups(["ann", "bob"], ["cid", "bob", "ann"]), [1, 2])
    days = np.array(["2024-03-01", "2024-03-05", "2024-03-05", "2024-03-09"], dtype="datetime64[D]")
    np.testing.assert_array_equal(earlier_rows(days[:2], days[1:]), [])  # the same day is no leak
    np.testing.assert_array_equal(earlier_rows(days[2:], days[:2]), [0, 1])


# -------------------------------------------------------------------------------------------------------------- columns


def slow_power(x, y):
    """The definition, row by row."""
    rank = rankdata(np.unique(y, return_inverse=True)[1])
    values = np.unique(x)
    guess = []
    for i in range(len(x)):
        others = [rank[j] for j in range(len(x)) if x[j] == x[i] and j != i]
        if others:
            guess.append(np.mean(others))
            continue
        place = int(np.flatnonzero(values == x[i])[0])
        beside = [values[k] for k in (place - 1, place + 1) if 0 <= k < len(values)]
        guess.append(np.mean([rank[x == value].mean() for value in beside]))
    return 1 - np.sum((rank - guess) ** 2) / np.sum((rank - rank.mean()) ** 2)


@pytest.mark.parametrize("seed", range(30))
def test_power_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 40))
    x = [rng.standard_normal(n), rng.integers(0, 6, n).astype(float), np.round(rng.standard_normal(n), 1)][seed % 3]
    y = [rng.standard_normal(n), rng.integers(0, 3, n)][seed % 2]
    if len(np.unique(y)) > 1:
        assert power_alone(x, y) == pytest.approx(slow_power(x, y), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_power_asks_for_order_only(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(50), rng.standard_normal(50)
    assert power_alone(np.exp(x), y) == power_alone(x, y) == power_alone(x, 5 * y - 1)
    assert power_alone(-x, y) == pytest.approx(power_alone(x, y), abs=1e-12)


def test_power_by_hand():
    assert power_alone([1.0, 2.0, 3.0, 4.0], ["no", "no", "yes", "yes"]) == pytest.approx(0.5)
    assert power_alone([7.0, 7.0, 1.0, 1.0], [0, 0, 1, 1]) == 1.0
    assert power_alone([1.0, 2.0], [3.0, 3.0]) == 0.0
    assert power_alone([1.0], [3.0]) == 0.0
    assert power_alone(np.ones(4), [0, 0, 1, 1]) < 0  # a row has no say in its own guess
    halves = np.repeat([0, 1], 30)
    assert power_alone(np.arange(60.0), halves) == pytest.approx(1 - 1 / 30)


def test_missing_values_can_give_the_target_away():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    x = np.where(y == 1, np.nan, rng.standard_normal(80))
    np.testing.assert_array_equal(revealing_columns(np.column_stack([rng.standard_normal(80), x]), y), [1])


def test_a_strong_honest_column_is_no_leak():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(500)
    x = y + 0.4 * rng.standard_normal(500)  # correlation 0.93
    assert len(revealing_columns(x[:, None], y)) == 0


def test_columns_that_number_rows_and_columns_that_do_not():
    n = 20
    rising = np.cumsum(np.arange(n) % 3 + 1)
    columns = [
        np.arange(n),
        np.arange(n)[::-1] + 5,
        rising,
        -rising,
        np.roll(rising, 5),
        np.arange(n) // 2,
        np.arange(n) / 2,
    ]
    columns.append(np.full(n, np.nan))
    X = np.column_stack(columns).astype(float)
    np.testing.assert_array_equal(index_columns(X), [0, 1, 2, 3])
    np.testing.assert_array_equal(index_columns(X[:9]), [])
    np.testing.assert_array_equal(index_columns(np.roll(X, -5, axis=0), n_train=10), [0, 1, 2, 3, 4])


# ---------------------------------------------------------------------------------------------------------- preparation


def test_the_step_that_saw_the_test_is_named():
    X, _, n = clean(2)
    everything, training = np.nan_to_num(X), np.nan_to_num(X[:n])
    model = make_pipeline(SimpleImputer("median"), StandardScaler()).fit(training)
    assert learned_from_all(model, training, everything[n:]) == []
    model[1].fit(everything)
    names = learned_from_all(model, training, everything[n:])
    assert names == ["standardscaler.mean_", "standardscaler.scale_", "standardscaler.var_"]


def test_scikit_learns_transformers_are_judged_too():
    X, y, n = clean(0)
    X = np.nan_to_num(X)
    leaky = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()).fit(X)
    assert "standardscaler.mean_" in learned_from_all(leaky, X[:n], X[n:])
    choosing = feature_selection.SelectKBest(feature_selection.f_regression, k=1)
    assert "scores_" in learned_from_all(choosing.fit(X, y), X[:n], X[n:], y[:n], y[n:])
    assert learned_from_all(choosing.fit(X[:n], y[:n]), X[:n], X[n:], y[:n], y[n:]) == []


def test_models_categories_and_columns_apart_are_looked_into():
    rng = np.random.default_rng(0)
    X, y = np.column_stack([rng.integers(0, 3, 40), rng.standard_normal(40)]).astype(float), rng.standard_normal(40)
    X[35:, 0] = 7.0  # only in the test
    encoder = OneHotEncoder().fit(X[:, :1])
    assert learned_from_all(encoder, X[:30, :1], X[30:, :1]) == ["categories_[0]"]
    apart = ColumnTransformer([("word", OneHotEncoder(), [0]), ("number", StandardScaler(), [1])]).fit(X)
    names = learned_from_all(apart, X[:30], X[30:])
    assert any("categories_" in name for name in names) and any("mean_" in name for name in names)
    assert "coef_" in learned_from_all(Ridge().fit(X, y), X[:30], X[30:], y[:30], y[30:])


def test_a_statistic_that_the_training_gives_as_well_proves_nothing():
    X = np.array([[0.0], [10.0], [5.0], [4.0]])
    assert learned_from_all(MinMaxScaler().fit(X), X[:2], X[2:]) == []  # both extremes are in the training


def test_what_is_not_handed_over_is_not_looked_for():
    X, _, n = clean(3)
    assert find_leaks(X[:n], X[n:]) == []
    X = np.random.default_rng(0).standard_normal((20, 2))
    kinds = [leak.kind for leak in find_leaks(X, X)]
    assert kinds == ["duplicate"]


def test_evidence_says_how_much():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2))
    X[:, 1] = rng.permutation(100)
    (leak,) = find_leaks(X[:70], X[70:], X[:70, 0] > 9, X[70:, 0] > 9)
    assert leak.kind == "index" and leak.columns == (1,) and "[1]" in leak.evidence
