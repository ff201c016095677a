"""The API of classic/selection.py is scikit-learn's, but for the rule of one standard error."""

import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid

__all__ = ["GridSearchCV", "ParameterGrid", "one_standard_error"]


def one_standard_error(results):
    k = sum(name.startswith("split") for name in results)
    best = int(np.argmax(results["mean_test_score"]))
    limit = results["mean_test_score"][best] - results["std_test_score"][best] / np.sqrt(k - 1)
    return int(np.flatnonzero(results["mean_test_score"] >= limit)[0])
