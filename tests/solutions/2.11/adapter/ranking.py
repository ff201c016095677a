"""The API of classic/ranking.py on scikit-learn and SciPy."""

import numpy as np
from scipy.stats import mannwhitneyu, rankdata
from sklearn.metrics import (  # noqa: F401
    auc,
    average_precision_score,
    confusion_matrix_at_thresholds,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

average_ranks = rankdata


def is_positive(y_true, pos_label=None):
    return np.ravel(y_true) == (1 if pos_label is None else pos_label)


def auc_by_pairs(y_true, y_score):
    a, b = np.meshgrid(y_score[y_true == 1], y_score[y_true == 0])
    return float(np.heaviside(a - b, 0.5).mean())


def auc_by_ranks(y_true, y_score):
    U = mannwhitneyu(y_score[y_true == 1], y_score[y_true == 0], method="asymptotic").statistic
    return float(U / (np.sum(y_true == 1) * np.sum(y_true == 0)))
