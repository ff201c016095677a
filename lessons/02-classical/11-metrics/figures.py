"""The figures of lesson 2.11."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.probabilities import calibration_curve
from groundup.classic.ranking import precision_recall_curve, roc_curve
from groundup.course.figures import INK

GOOD, BAD, MILD = "#2b7a9e", "#a8402a", "#8a7a3a"


def roc_steps():
    """The staircase of five scores, the column of each negative, and the slope that two equal scores make."""
    y = np.array([1, 0, 1, 0, 0])
    distinct, tied = np.array([0.9, 0.8, 0.6, 0.4, 0.3]), np.array([0.9, 0.8, 0.8, 0.4, 0.3])
    below = [(0.02, -0.065), (0.02, 0.42), (0.36, 0.45), (0.26, 1.04), (0.63, 1.04), (0.96, 1.04)]
    beaten = ["0.8\nbeaten by\n1 of 2", "0.4\nbeaten by\n2 of 2", "0.3\nbeaten by\n2 of 2"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.9), sharey=True)
    _draw_steps(left, y, distinct, below, beaten)
    _draw_steps(right, y, tied, [*below[:2], (0.26, 1.04), *below[4:]], ["0.8\none won,\none tied", *beaten[1:]])
    left.set_ylabel("true positive rate")
    figure.tight_layout()
    return figure


def _draw_steps(axes, y, score, places, words):
    fpr, tpr, thresholds = roc_curve(y, score, drop_intermediate=False)
    axes.fill_between(fpr, tpr, color=MILD, alpha=0.25, lw=0)
    for negative, text in enumerate(words):
        axes.plot([negative / 3] * 2, [0, 0.5 if negative < 1 else 1], color=INK, lw=0.7, ls=":")
        axes.text(negative / 3 + 1 / 6, 0.2, text, color=INK, ha="center", va="center")
    axes.plot(fpr, tpr, color=GOOD, lw=2.2, marker="o", ms=5)
    for threshold, (x, height) in zip(thresholds, places):
        axes.text(x, height, "∞" if np.isinf(threshold) else f"{threshold:.1f}", color=GOOD)
    axes.set_xlim(-0.03, 1.07)
    axes.set_ylim(-0.09, 1.13)
    axes.set_xlabel("false positive rate")


def imbalance():
    """One ROC curve, three curves of precision against recall."""
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], 5000)
    score = rng.normal(2 * y, 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.3))
    for times, colour in [(1, GOOD), (9, MILD), (99, BAD)]:
        precision, recall, _ = precision_recall_curve(y, score, sample_weight=np.where(y == 1, 1, times))
        right.plot(recall, precision, color=colour, lw=1.6)
    fpr, tpr, _ = roc_curve(y, score)
    left.plot(fpr, tpr, color=INK, lw=1.8)
    left.plot([0, 1], [0, 1], color=INK, lw=0.7, ls="--")
    left.text(0.22, 0.8, "50 %, 10 % and 1 %", color=INK)
    left.set_xlabel("false positive rate")
    left.set_ylabel("true positive rate")
    right.text(0.8, 0.93, "50 %", color=GOOD)
    right.text(0.68, 0.62, "10 %", color=MILD)
    right.text(0.45, 0.3, "1 %", color=BAD)
    right.set_ylim(0, 1.05)
    right.set_xlabel("recall")
    right.set_ylabel("precision")
    figure.tight_layout()
    return figure


def calibration():
    """What came against what was called, for log-odds that are true and for 2.5 times as much."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.5, 20_000)
    came = (rng.random(20_000) < 1 / (1 + np.exp(-z))).astype(int)
    figure, axes = plt.subplots(figsize=(4.6, 3.8))
    axes.plot([0, 1], [0, 1], color=INK, lw=0.7, ls="--")
    for factor, colour in [(1.0, GOOD), (2.5, BAD)]:
        share, called = calibration_curve(came, 1 / (1 + np.exp(-factor * z)), n_bins=10)
        axes.plot(called, share, color=colour, lw=1.8, marker="o", ms=4)
    axes.text(0.03, 0.45, "over-confident", color=BAD)
    axes.text(0.66, 0.76, "true", color=GOOD, ha="right")
    axes.set_xlabel("probability that was called")
    axes.set_ylabel("share that came")
    return figure
