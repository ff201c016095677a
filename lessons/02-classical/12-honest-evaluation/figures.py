"""The figures of lesson 2.12."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.crossval import learning_curve
from groundup.classic.estimator import Transformer
from groundup.classic.folds import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
from groundup.classic.linear import LinearRegression, solve_least_squares
from groundup.classic.pipeline import make_pipeline
from groundup.classic.prepare import StandardScaler
from groundup.course.figures import INK

TEST, TRAIN = "#a8402a", "#2b7a9e"
NOISE = 0.3


def who_tests_whom():
    """Training and test rows of four kinds of folds."""
    n = 20
    y = np.array([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0])
    groups = np.repeat([0, 1, 2, 3, 4, 5], [4, 2, 5, 3, 4, 2])
    kinds = [KFold(4), StratifiedKFold(4), GroupKFold(4), TimeSeriesSplit(4)]
    labels = [None, y, groups, None]
    figure, all_axes = plt.subplots(2, 2, figsize=(6.4, 3.6), sharex=True)
    for axes, kind, label in zip(all_axes.flat, kinds, labels):
        for fold, (train, test) in enumerate(kind.split(np.zeros((n, 1)), y, groups)):
            axes.scatter(train, np.full(len(train), fold), marker="s", s=38, color=TRAIN, alpha=0.35, lw=0)
            axes.scatter(test, np.full(len(test), fold), marker="s", s=38, color=TEST, lw=0)
        for row, value in enumerate(label if label is not None else []):
            axes.text(row, 4.05, "abcdef"[value], ha="center", va="center", fontsize=7, color=INK)
        axes.set_title(type(kind).__name__, fontsize=9)
        axes.set_ylim(4.6, -0.6)
        axes.set_yticks(range(4))
        axes.set_xticks([])
    for axes in all_axes[:, 0]:
        axes.set_ylabel("fold")
    for axes in all_axes[1]:
        axes.set_xlabel("row")
    figure.text(0.36, 0.01, "test", color=TEST, ha="right")
    figure.text(0.40, 0.01, "training", color=TRAIN)
    figure.text(0.56, 0.01, "a, b, ...: class or group", color=INK)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    return figure


def what_the_error_is_made_of():
    """Noise, squared bias and variance against the degree of a polynomial."""
    rng = np.random.default_rng(0)
    x, new = np.linspace(0, 1, 15), np.linspace(0, 1, 101)
    draws = _truth(x)[:, None] + NOISE * rng.standard_normal((15, 2000))
    degrees, bias2, variance = np.arange(10), [], []
    for degree in degrees:
        said = np.vander(new, degree + 1) @ solve_least_squares(np.vander(x, degree + 1), draws)[0]
        bias2.append(np.mean((said.mean(axis=1) - _truth(new)) ** 2))
        variance.append(np.mean(said.var(axis=1)))
    noise, bias2, variance = np.full(10, NOISE**2), np.array(bias2), np.array(variance)
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    axes.bar(degrees, noise, color=INK, alpha=0.35, width=0.7)
    axes.bar(degrees, bias2, bottom=noise, color=TRAIN, width=0.7)
    axes.bar(degrees, variance, bottom=noise + bias2, color=TEST, width=0.7)
    axes.text(2.55, 0.28, "squared bias", color=TRAIN)
    axes.text(6.6, 0.20, "variance", color=TEST)
    axes.text(9.5, 0.035, "noise", color=INK, ha="left")
    axes.set_xticks(degrees)
    axes.set_xlim(-0.6, 10.6)
    axes.set_xlabel("degree")
    axes.set_ylabel("squared error on fresh draws")
    return figure


def two_learning_curves():
    """Training and test error of a line and of degree 9 against the number of rows."""
    rng = np.random.default_rng(0)
    X = rng.random((400, 1))
    y = _truth(X[:, 0]) + NOISE * rng.standard_normal(400)
    figure, both = plt.subplots(1, 2, figsize=(6.4, 2.8), sharey=True)
    for axes, degree in zip(both, (1, 9)):
        model = make_pipeline(_Powers(degree), StandardScaler(), LinearRegression())
        sizes = [15, 20, 25, 30, 40, 60, 80, 120, 160, 240, 320]
        n, train, test = learning_curve(model, X, y, train_sizes=sizes, scoring="neg_mean_squared_error", cv=5)
        axes.axhline(NOISE**2, color=INK, lw=0.8, ls=":")
        axes.plot(n, -train.mean(axis=1), color=TRAIN, lw=2)
        axes.plot(n, -test.mean(axis=1), color=TEST, lw=2)
        axes.set_title("a line" if degree == 1 else "degree 9", fontsize=9)
        axes.set_ylim(0, 0.6)
        axes.set_xlabel("rows fitted to")
    both[0].text(120, 0.33, "test", color=TEST)
    both[0].text(120, 0.22, "training", color=TRAIN)
    both[0].text(200, 0.05, "noise", color=INK)
    both[1].text(55, 0.16, "test", color=TEST)
    both[1].text(120, 0.04, "training", color=TRAIN)
    both[0].set_ylabel("mean squared error")
    figure.tight_layout()
    return figure


def _truth(x):
    return np.sin(2 * np.pi * x)


class _Powers(Transformer):
    def __init__(self, degree=1):
        self.degree = degree

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X ** np.arange(1, self.degree + 1)
