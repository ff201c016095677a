"""The API of classic/metrics.py is scikit-learn's."""

import numpy as np
import sklearn.metrics
from sklearn.exceptions import UndefinedMetricWarning  # noqa: F401
from sklearn.metrics import (  # noqa: F401
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    fbeta_score,
    matthews_corrcoef,
    mean_absolute_error,
    mean_squared_error,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from sklearn.utils import check_consistent_length


def check_labels(y_true, y_pred):
    check_consistent_length(y_true, y_pred)
    return np.ravel(y_true), np.ravel(y_pred)


def r2_score(y_true, y_pred, **options):
    """Theirs is undefined for one sample: two equal ones say what ours says of one."""
    if len(y_true) == 1:
        y_true, y_pred = np.repeat(y_true, 2, axis=0), np.repeat(y_pred, 2, axis=0)
        options.pop("sample_weight", None)
    return sklearn.metrics.r2_score(y_true, y_pred, **options)
