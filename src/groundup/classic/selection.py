"""A search over parameters that does not grade itself.

The best of many scores is the best partly by luck, and the more candidates, the more luck. So what the search reports of its
winner is no estimate of how good it is. That estimate is the cross-validation of the whole search.

Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2nd edition), section 7.10. Cawley and Talbot, On
over-fitting in model selection and subsequent selection bias in performance evaluation (2010).
"""

from itertools import product

import numpy as np

from .crossval import check_scoring, cross_val_score, pairs_of
from .crossval import cross_val_predict as cross_val_predict  # scikit-learn has all of these in one place; here too
from .crossval import learning_curve as learning_curve
from .crossval import validation_curve as validation_curve
from .estimator import Estimator, clone
from .folds import GroupKFold as GroupKFold
from .folds import KFold as KFold
from .folds import StratifiedKFold as StratifiedKFold
from .folds import TimeSeriesSplit as TimeSeriesSplit
from .folds import train_test_split as train_test_split
from .validation import check_fitted


class ParameterGrid:
    """Every combination of some values of some parameters, each a dictionary.

    param_grid: {name: list of values}, or a list of such, one after the other. Within one, names go in ascending order, and
    the last name's value changes fastest. Raises TypeError for values that are no list, ValueError for an empty one.
    """

    def __init__(self, param_grid):
        """Checks the grid, and stores it as a list of dictionaries."""
        self.param_grid = [param_grid] if isinstance(param_grid, dict) else list(param_grid)
        for grid in self.param_grid:
            if not isinstance(grid, dict):
                raise TypeError(f"Parameter grid is not a dict ({grid!r})")
            for name, values in grid.items():
                if isinstance(values, str) or not hasattr(values, "__len__"):
                    raise TypeError(
                        f"Parameter grid for parameter {name!r} needs to be a list or an array, got {values!r}"
                    )
                if len(values) == 0:
                    raise ValueError(
                        f"Parameter grid for parameter {name!r} need a non-empty sequence, got: {values!r}"
                    )

    def __iter__(self):
        """Yields {name: value}."""
        for grid in self.param_grid:
            names = sorted(grid)
            for values in product(*(grid[name] for name in names)):
                yield dict(zip(names, values))

    def __len__(self):
        """How many combinations (int)."""
        return sum(int(np.prod([len(values) for values in grid.values()])) for grid in self.param_grid)


class GridSearchCV(Estimator):
    """Tries every combination of a grid by cross-validation, and fits the best one to all rows.

    Parameters: estimator; param_grid, as ParameterGrid's; scoring, as `check_scoring` takes it; refit, whether the best is
    fitted in the end, or a function cv_results_ -> index of the one to take (such as `one_standard_error`); cv, as
    `check_cv` takes it: all candidates meet the same folds.
    Learns: cv_results_, a dictionary of a list and arrays (c,) over the candidates: "params", "split0_test_score" and so on,
    "mean_test_score" and "std_test_score" over the k folds (divided by k), "rank_test_score" (1 is the best; equal means
    share the smaller rank). best_index_, the first of rank 1; best_params_; best_score_, its mean test score, unless refit is
    a function; best_estimator_, unless refit is False; n_splits_, which is k.

    best_score_ is the largest of many scores, and so flatters: judge the search as a whole by cross_val_score(search, X, y).
    predict, predict_proba, decision_function, transform, classes_ and n_features_in_ are those of best_estimator_.
    """

    def __init__(self, estimator, param_grid, *, scoring=None, refit=True, cv=None):
        """Stores the parameters, and nothing else."""
        self.estimator = estimator
        self.param_grid = param_grid
        self.scoring = scoring
        self.refit = refit
        self.cv = cv

    def fit(self, X, y=None, *, groups=None):
        """X (n, p), y (n,) or None, groups (n,) for the splitter -> self."""
        score = check_scoring(self.estimator, self.scoring)
        pairs = pairs_of(self.estimator, X, y, groups, self.cv)
        params = list(ParameterGrid(self.param_grid))
        candidates = [clone(self.estimator).set_params(**clone(p)) for p in params]
        scores = np.array([cross_val_score(each, X, y, scoring=score, cv=pairs) for each in candidates])  # (c, k)
        mean = scores.mean(axis=1)
        worth = np.where(np.isnan(mean), -np.inf, mean)
        self.n_splits_ = len(pairs)
        self.cv_results_ = {
            "params": params,
            **{f"split{i}_test_score": scores[:, i] for i in range(len(pairs))},
            "mean_test_score": mean,
            "std_test_score": scores.std(axis=1),
            "rank_test_score": 1 + (worth > worth[:, None]).sum(axis=1),
        }
        if callable(self.refit):
            self.best_index_ = self.refit(self.cv_results_)
        else:
            self.best_index_ = int(np.argmax(worth))
            self.best_score_ = float(mean[self.best_index_])
        self.best_params_ = params[self.best_index_]
        if self.refit:
            self.best_estimator_ = clone(candidates[self.best_index_]).fit(X, y)
        return self

    def score(self, X, y=None):
        """The score of best_estimator_ by the same scoring: X (m, p), y (m,) -> float."""
        return check_scoring(self.estimator, self.scoring)(self._best("score"), X, y)

    def __getattr__(self, name):
        """What best_estimator_ can do, the search can; AttributeError for what its estimator could not."""
        if name in ("classes_", "n_features_in_", "feature_names_in_"):
            return getattr(self._best(name), name)
        if name not in ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        getattr(vars(self).get("best_estimator_", self.estimator), name)
        return lambda X: getattr(self._best(name), name)(X)

    def _best(self, wanted):
        check_fitted(self)
        if "best_estimator_" not in vars(self):
            raise AttributeError(
                f"this search has no attribute {wanted!r}: with refit=False no best estimator is fitted"
            )
        return self.best_estimator_

    def __sklearn_tags__(self):
        """Those of its estimator."""
        return self.estimator.__sklearn_tags__()


def one_standard_error(results):
    """The index of the first candidate whose mean test score is at most one standard error below the best.

    The standard error is that of the best candidate's mean, std_test_score / sqrt(k - 1) of k folds. To be handed to
    GridSearchCV as `refit`, with the grid in order from the simplest to the most complex. Hastie et al., section 7.10.1.
    """
    mean, k = (
        results["mean_test_score"],
        sum(name.startswith("split") and name.endswith("test_score") for name in results),
    )
    best = np.argmax(mean)
    return int(np.argmax(mean >= mean[best] - results["std_test_score"][best] / np.sqrt(k - 1)))
