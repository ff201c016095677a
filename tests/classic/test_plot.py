"""What is drawn is what was computed: the numbers are read back from the drawn objects."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import load_iris

from groundup.classic import plot
from groundup.classic.bayes import GaussianNB
from groundup.classic.tree import DecisionTreeClassifier, DecisionTreeRegressor


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def test_a_boundary_shows_each_class_and_lies_between_them():
    X, y = load_iris(return_X_y=True)
    X = X[:, 2:]
    model = GaussianNB().fit(X, y)
    axes = plot.decision_boundary(model, X, y)
    shown = [np.column_stack(line.get_data()) for line in axes.lines]
    assert [len(points) for points in shown] == [50, 50, 50]
    np.testing.assert_array_equal(shown[1], X[y == 1])
    border = next(c for c in axes.collections if c.get_paths()[0].codes is not None and c.get_facecolor().size == 0)
    vertices = np.concatenate([p.vertices for p in border.get_paths()])
    nudged = [model.predict(vertices + step) for step in ([0.1, 0.05], [-0.1, -0.05])]
    assert np.mean(nudged[0] != nudged[1]) > 0.8
    axes.figure.canvas.draw()


def test_a_boundary_needs_two_features():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="two features"):
        plot.decision_boundary(GaussianNB().fit(X, y), X, y)


def test_curves_show_means_and_spread_over_the_folds():
    rng = np.random.default_rng(0)
    sizes, train, test = np.array([10, 20, 40]), rng.random((3, 5)), rng.random((3, 5))
    for axes in (plot.learning_curve(sizes, train, test), plot.validation_curve(sizes, train, test, "alpha")):
        np.testing.assert_allclose(axes.lines[0].get_ydata(), train.mean(axis=1))
        np.testing.assert_allclose(axes.lines[1].get_ydata(), test.mean(axis=1))
        band = axes.collections[1].get_paths()[0].vertices
        assert band[:, 1].max() == pytest.approx((test.mean(axis=1) + test.std(axis=1)).max())


def test_roc_starts_and_ends_in_the_corners():
    axes = plot.roc([0, 0.5, 1], [0, 0.9, 1], label="model")
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [0, 0.9, 1])
    assert axes.get_legend().get_texts()[0].get_text() == "model"


def test_a_path_has_a_line_for_each_coefficient_and_the_price_falls_to_the_right():
    alphas, coefs = np.array([1.0, 0.1, 0.01]), np.arange(6.0).reshape(2, 3)
    axes = plot.path(alphas, coefs, names=["a", "b"])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), coefs[1])
    assert axes.xaxis_inverted() and [t.get_text() for t in axes.texts] == ["a", "b"]


@pytest.mark.parametrize("depth", [1, 3, None])
def test_a_tree_has_a_box_for_each_node_and_no_two_overlap(depth):
    X, y = load_iris(return_X_y=True)
    model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
    axes = plot.tree(model, feature_names=list("abcd"), class_names=["s", "e", "i"])
    assert len(axes.texts) == model.tree_.node_count
    assert len(axes.lines) == model.tree_.node_count - 1
    places = {t.get_position() for t in axes.texts}
    assert len(places) == model.tree_.node_count
    j = model.tree_.feature[0]
    assert any(f"{'abcd'[j]} ≤ {model.tree_.threshold[0]:.4g}\nn = 150" in t.get_text() for t in axes.texts)


def test_a_cut_tree_says_what_it_hides():
    X, y = load_iris(return_X_y=True)
    model = DecisionTreeRegressor().fit(X, y)
    axes = plot.tree(model, max_depth=1)
    shown = [t.get_text() for t in axes.texts]
    hidden = sum(int(text.split("… ")[1].split()[0]) for text in shown if "…" in text)
    assert len(shown) + hidden == model.tree_.node_count


def test_components_are_the_images_in_order():
    images = np.random.default_rng(0).random((7, 4, 5))
    figure = plot.components(images, titles=list("abcdefg"), columns=3)
    assert [a.get_title() for a in figure.axes] == list("abcdefg")
    for axes, image in zip(figure.axes, images):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)
