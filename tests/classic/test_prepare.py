"""Transformers and pipelines, beside scikit-learn's and by their properties."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn import compose, impute, linear_model, pipeline, preprocessing

from groundup.classic.estimator import clone
from groundup.classic.linear import LinearRegression, Ridge
from groundup.classic.pipeline import ColumnTransformer, Pipeline, make_pipeline
from groundup.classic.prepare import (
    MinMaxScaler,
    OneHotEncoder,
    SimpleImputer,
    StandardScaler,
    categories_of,
    category_codes,
    mean_and_variance,
)
from groundup.classic.validation import NotFittedError


def gappy(seed, n=30, p=4, share=0.2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-3, 4, p) + rng.choice([0.0, 1e3], p)
    X[rng.random((n, p)) < share] = np.nan
    return X


def transformers():
    return [StandardScaler(), MinMaxScaler(clip=True), SimpleImputer(), OneHotEncoder(handle_unknown="ignore")]


# ----------------------------------------------------------------------------------------------------------- scalers


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(10))
def test_scalers_equal_scikit_learns(seed, share):
    X, new = gappy(seed, share=share), gappy(seed + 100, share=share)
    pairs = [
        (StandardScaler(), preprocessing.StandardScaler()),
        (StandardScaler(with_mean=False), preprocessing.StandardScaler(with_mean=False)),
        (StandardScaler(with_std=False), preprocessing.StandardScaler(with_std=False)),
        (MinMaxScaler(), preprocessing.MinMaxScaler()),
        (MinMaxScaler((-1, 3), clip=True), preprocessing.MinMaxScaler((-1, 3), clip=True)),
    ]
    for ours, theirs in pairs:
        Z = theirs.fit(X).transform(new)
        np.testing.assert_allclose(ours.fit(X).transform(new), Z, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ours.inverse_transform(Z), theirs.inverse_transform(Z), rtol=1e-9, atol=1e-9)
        for name in ("mean_", "var_", "scale_", "data_min_", "data_range_", "min_"):
            if getattr(theirs, name, None) is not None:
                np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_so_many_rows(seed):
    rng = np.random.default_rng(seed)
    X, weights = gappy(seed), rng.integers(0, 4, 30)
    repeated = StandardScaler().fit(np.repeat(X, weights, axis=0))
    weighted = StandardScaler().fit(X, sample_weight=weights)
    np.testing.assert_allclose(weighted.mean_, repeated.mean_, rtol=1e-12)
    np.testing.assert_allclose(weighted.scale_, repeated.scale_, rtol=1e-9)
    theirs = preprocessing.StandardScaler().fit(X, sample_weight=weights)
    np.testing.assert_allclose(weighted.var_, theirs.var_, rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1e8 + 0.1, 1e-20, 1e300])
@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_a_constant_column_becomes_zeros_and_keeps_its_unit(value, n):
    X = np.full((n, 1), value)
    with np.errstate(over="ignore"):
        scaler = StandardScaler().fit(X)
        assert scaler.scale_[0] == 1.0
        np.testing.assert_allclose(scaler.transform(X), 0.0, atol=abs(value) * 1e-15)
    reach = MinMaxScaler().fit(X)
    np.testing.assert_allclose(reach.transform(X), 0.0, atol=abs(value) * 1e-15)


def test_tiny_and_huge_columns_are_scaled_alike():
    x = np.array([1.0, 2.0, 4.0, 9.0])
    X = np.column_stack([x * 1e-150, x, x * 1e150, x + 1e8])
    for scaler in (StandardScaler(), MinMaxScaler()):
        Z = scaler.fit(X).transform(X)
        np.testing.assert_allclose(Z, Z[:, [1]] * np.ones(4), atol=1e-7)


def test_moments_by_hand():
    X = np.array([[1.0, np.nan], [2.0, np.nan], [6.0, 5.0]])
    mean, variance = mean_and_variance(X)
    np.testing.assert_allclose(mean, [3.0, 5.0])
    np.testing.assert_allclose(variance, [14 / 3, 0.0])
    mean, variance = mean_and_variance(np.full((2, 1), np.nan))
    assert np.isnan(mean[0]) and np.isnan(variance[0])


def test_a_range_that_does_not_rise_is_refused():
    with pytest.raises(ValueError, match="feature range"):
        MinMaxScaler((1, 1)).fit(np.eye(2))


# ------------------------------------------------------------------------------------------------- missing, and words


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("seed", range(6))
def test_an_imputer_equals_scikit_learns(seed, strategy):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (20, 4)).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    if seed % 2:
        X[:, 1] = np.nan
    new = np.where(rng.random((5, 4)) < 0.5, np.nan, 7.5)
    fill_value = 3.5 if strategy == "constant" and seed > 2 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column without a value
        ours = SimpleImputer(strategy=strategy, fill_value=fill_value).fit(X)
        theirs = impute.SimpleImputer(
            strategy=strategy, fill_value=fill_value, keep_empty_features=strategy == "constant"
        )
        np.testing.assert_array_equal(ours.transform(new), theirs.fit(X).transform(new))
        np.testing.assert_array_equal(ours.statistics_, theirs.statistics_.astype(float))


def test_a_column_without_a_value_is_left_out_with_a_warning():
    with pytest.warns(UserWarning, match="without any observed values"):
        assert SimpleImputer().fit([[1.0, np.nan]]).transform([[np.nan, 2.0]]).tolist() == [[1.0]]
    with pytest.raises(ValueError, match="strategy"):
        SimpleImputer("mode").fit(np.eye(2))


WORDS = [["b", "x"], ["a", "x"], ["b", "y"], ["c", "x"]]


@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
@pytest.mark.parametrize(
    "X", [WORDS, np.array(WORDS), np.array(WORDS, dtype=object), np.array([[3, 1], [1, 1], [3, 0]]), [[1.5], [np.nan]]]
)
def test_an_encoder_equals_scikit_learns(X, drop):
    ours = OneHotEncoder(drop=drop).fit(X)
    theirs = preprocessing.OneHotEncoder(drop=drop, sparse_output=False).fit(X)
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))
    assert ours.transform(X).dtype == np.float64
    assert [str(name) for name in ours.get_feature_names_out()] == theirs.get_feature_names_out().tolist()
    for a, b in zip(ours.categories_, theirs.categories_):
        assert [str(v) for v in a] == [str(v) for v in b]


def test_unknown_words_are_errors_unless_ignored():
    with pytest.raises(ValueError, match=r"unknown categories.*'d'.*column 0"):
        OneHotEncoder().fit(WORDS).transform([["d", "x"]])
    assert OneHotEncoder(handle_unknown="ignore").fit(WORDS).transform([["d", "y"]]).tolist() == [[0, 0, 0, 0, 1]]


def test_given_categories_decide_order_and_columns():
    encoder = OneHotEncoder(categories=[["c", "b", "a", "d"], ["y", "x"]]).fit(WORDS)
    assert encoder.transform([["a", "x"]]).tolist() == [[0, 0, 1, 0, 0, 1]]
    with pytest.raises(ValueError, match="unknown categories"):
        OneHotEncoder(categories=[["a", "b"], ["x", "y"]]).fit(WORDS)
    with pytest.raises(ValueError, match="Shape mismatch"):
        OneHotEncoder(categories=[["a", "b", "c"]]).fit(WORDS)


def test_missing_values_are_categories_and_come_last():
    column = np.array(["b", None, "a", np.nan, float("nan"), "b"], dtype=object)
    categories = categories_of(column)
    assert categories.tolist()[:3] == ["a", "b", None] and len(categories) == 4
    np.testing.assert_array_equal(category_codes(column, categories), [1, 2, 0, 3, 3, 1])
    np.testing.assert_array_equal(category_codes(np.array([2.0, np.nan, 9.0]), np.array([2.0, np.nan])), [0, 1, -1])
    with pytest.raises(TypeError, match="string or a number"):
        categories_of(np.array(["a", 1], dtype=object))


# --------------------------------------------------------------------------------------------------- what all keep to


@pytest.mark.parametrize("transformer", transformers(), ids=repr)
def test_no_transformer_changes_what_it_is_given_or_hands_it_back(transformer):
    X = np.asfortranarray(np.round(gappy(0, share=0.1)))
    kept = X.copy()
    X.flags.writeable = False
    Z = transformer.fit_transform(X)
    assert not np.shares_memory(X, Z)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(transformer.transform(X), Z)  # the second time as the first


@pytest.mark.parametrize("transformer", transformers(), ids=repr)
def test_a_row_becomes_the_same_alone_and_in_company(transformer):
    X = np.round(gappy(1, share=0.1))
    Z = transformer.fit(X).transform(X)
    for i in range(len(X)):
        np.testing.assert_array_equal(transformer.transform(X[[i]])[0], Z[i])


@pytest.mark.parametrize("transformer", transformers(), ids=repr)
def test_float32_integers_and_lists_are_taken(transformer):
    X = np.array([[1, 2], [3, 4], [3, 9]])
    expected = transformer.fit(X.astype(float)).transform(X.astype(float))
    for same in (X, X.astype(np.float32), X.tolist()):
        np.testing.assert_allclose(clone(transformer).fit(same).transform(same), expected)


@pytest.mark.parametrize("transformer", transformers(), ids=repr)
def test_what_is_not_fitted_or_of_another_width_is_refused(transformer):
    with pytest.raises(NotFittedError):
        clone(transformer).transform(np.eye(2))
    with pytest.raises(ValueError, match="features"):
        transformer.fit(np.eye(2)).transform(np.eye(3))


# ----------------------------------------------------------------------------------------------------------- pipelines


def fitted_pipelines(seed=0):
    X = gappy(seed)
    y = np.random.default_rng(seed).standard_normal(len(X))
    ours = make_pipeline(SimpleImputer(), StandardScaler(), Ridge(2.0)).fit(X, y)
    theirs = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler(), linear_model.Ridge(2.0))
    return ours, theirs.fit(X, y), X, y


def test_a_pipeline_equals_scikit_learns_and_the_steps_done_by_hand():
    ours, theirs, X, y = fitted_pipelines()
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-10)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y))
    filled = SimpleImputer().fit(X).transform(X)
    scaled = StandardScaler().fit(filled).transform(filled)
    np.testing.assert_array_equal(ours.predict(X), Ridge(2.0).fit(scaled, y).predict(scaled))
    np.testing.assert_array_equal(ours[:-1].transform(X), scaled)
    assert ours.n_features_in_ == 4 and len(ours) == 3 and ours["ridge"] is ours[-1] is ours.named_steps["ridge"]


def test_parameters_are_reached_by_name():
    model = make_pipeline(SimpleImputer(), make_pipeline(StandardScaler(), Ridge()))
    model.set_params(pipeline__ridge__alpha=7.0, simpleimputer__strategy="median")
    assert model.get_params()["pipeline__ridge__alpha"] == 7.0 and model[0].strategy == "median"
    model.set_params(pipeline__ridge=LinearRegression(), simpleimputer="passthrough")
    assert isinstance(model[1][1], LinearRegression) and model[0] == "passthrough"
    for wrong in ("ridge", "pipeline__ridge__beta", "nothing__alpha"):
        with pytest.raises(ValueError, match="Invalid parameter"):
            model.set_params(**{wrong: 1})
    assert repr(make_pipeline(Ridge(2.0))) == "Pipeline(steps=[('ridge', Ridge(alpha=2.0))])"


def test_setting_a_step_leaves_the_list_that_was_handed_over():
    steps = [("scale", StandardScaler()), ("model", Ridge())]
    Pipeline(steps).set_params(scale="passthrough")
    assert isinstance(steps[0][1], StandardScaler)


def test_a_clone_has_steps_of_its_own_and_has_learned_nothing():
    ours, _, X, _ = fitted_pipelines()
    copy = clone(ours)
    assert copy[-1] is not ours[-1]
    with pytest.raises(NotFittedError):
        copy.predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(ours)).predict(X), ours.predict(X))


def test_a_pipeline_can_do_what_its_last_step_can():
    ours, _, X, _ = fitted_pipelines()
    assert hasattr(ours, "predict") and not hasattr(ours, "transform") and not hasattr(ours, "predict_proba")
    scaling = make_pipeline(SimpleImputer(), StandardScaler())
    assert not hasattr(scaling, "predict")
    np.testing.assert_array_equal(scaling.fit_transform(X), scaling.fit(X).transform(X))
    nothing = Pipeline([("a", "passthrough"), ("b", "passthrough")]).fit(X)
    np.testing.assert_array_equal(nothing.transform(X), X)


def test_what_all_steps_can_undo_the_pipeline_can_undo():
    X = np.random.default_rng(0).standard_normal((9, 3))
    scaling = make_pipeline(MinMaxScaler(), StandardScaler()).fit(X)
    np.testing.assert_allclose(scaling.inverse_transform(scaling.transform(X)), X, atol=1e-12)
    assert not hasattr(make_pipeline(SimpleImputer(), StandardScaler()), "inverse_transform")


def test_arguments_of_fit_go_to_the_step_that_is_named():
    _, _, X, y = fitted_pipelines()
    weights = np.random.default_rng(0).uniform(0.1, 2.0, len(X))
    model = make_pipeline(SimpleImputer(), Ridge()).fit(X, y, ridge__sample_weight=weights)
    filled = SimpleImputer().fit(X).transform(X)
    np.testing.assert_array_equal(model[-1].coef_, Ridge().fit(filled, y, sample_weight=weights).coef_)
    for wrong in ("sample_weight", "lasso__sample_weight"):
        with pytest.raises(ValueError, match="name__argument"):
            make_pipeline(Ridge()).fit(filled, y, **{wrong: weights})


def test_names_and_steps_that_cannot_be_are_refused():
    for steps in ([("a", StandardScaler()), ("a", Ridge())], [("a__b", Ridge())], [("steps", Ridge())]):
        with pytest.raises(ValueError, match="name"):
            Pipeline(steps).fit(np.eye(2), [0.0, 1.0])
    with pytest.raises(TypeError, match="transform"):
        make_pipeline(Ridge(), Ridge()).fit(np.eye(2), [0.0, 1.0])
    with pytest.raises(TypeError, match="implement fit"):
        make_pipeline(StandardScaler(), 3).fit(np.eye(2), [0.0, 1.0])
    assert [name for name, _ in make_pipeline(Ridge(), "passthrough", Ridge()).steps] == [
        "ridge-1",
        "passthrough",
        "ridge-2",
    ]


def test_columns_of_a_table_go_their_own_ways_as_scikit_learns_do():
    import pandas

    rng = np.random.default_rng(0)
    table = pandas.DataFrame(
        {"size": rng.standard_normal(12), "town": list("abcabcabcabc"), "age": rng.integers(0, 9, 12)}
    )
    table.loc[3, "size"] = np.nan
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    theirs = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    for remainder in ("drop", "passthrough"):
        for columns, word in ((["size"], ["town"]), ([0], [1])):
            ours = ColumnTransformer([("n", numbers, columns), ("w", OneHotEncoder(), word)], remainder=remainder)
            twin = compose.ColumnTransformer(
                [("n", theirs, columns), ("w", preprocessing.OneHotEncoder(), word)], remainder=remainder
            )
            expected = twin.fit_transform(table)
            np.testing.assert_allclose(ours.fit_transform(table), expected, atol=1e-12)
    assert not hasattr(numbers[0], "statistics_")  # copies were fitted
    ours.set_params(n__simpleimputer__strategy="median", w="drop")
    assert numbers[0].strategy == "median" and ours.fit(table).transform(table).shape == (12, 2)


def test_columns_that_cannot_be_are_refused_and_sparse_parts_become_dense():
    X = np.array([[0, 5.0], [1, 7.0]])
    for wrong in (0.5, [0.5], None):
        with pytest.raises(ValueError, match="columns"):
            ColumnTransformer([("a", "drop", wrong)]).fit(X)
    sparse = ColumnTransformer([("w", preprocessing.OneHotEncoder(), [0])], remainder="passthrough")
    np.testing.assert_array_equal(sparse.fit_transform(X), [[1, 0, 5], [0, 1, 7]])


@pytest.mark.parametrize("columns", [[1, 0], slice(0, 2), np.array([True, True, False]), [-3, -2], 1])
def test_columns_by_place_slice_and_mask(columns):
    X = np.arange(12.0).reshape(4, 3)
    expected = X[:, [columns] if isinstance(columns, int) else columns]
    found = ColumnTransformer([("all", "passthrough", columns)]).fit(X).transform(X)
    np.testing.assert_array_equal(found, expected)
