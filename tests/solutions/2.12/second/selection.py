"""A search that walks the grid by recursion and keeps a table of dictionaries."""

import numpy as np

from .crossval import cross_val_score
from .estimator import Estimator, clone


def _combinations(grid):
    names = sorted(grid)
    if not names:
        return [{}]
    first = names[0]
    rest = {name: grid[name] for name in names[1:]}
    return [{first: value, **more} for value in grid[first] for more in _combinations(rest)]


class GridSearchCV(Estimator):
    def __init__(self, estimator, param_grid, *, scoring=None, refit=True, cv=None):
        self.estimator, self.param_grid = estimator, param_grid
        self.scoring, self.refit, self.cv = scoring, refit, cv

    def fit(self, X, y=None, *, groups=None):
        grids = [self.param_grid] if isinstance(self.param_grid, dict) else self.param_grid
        rows = []
        for params in (p for grid in grids for p in _combinations(grid)):
            model = clone(self.estimator).set_params(**params)
            scores = cross_val_score(model, X, y, groups=groups, scoring=self.scoring, cv=self.cv)
            rows.append((params, np.mean(scores), np.std(scores)))
        means = [mean for _, mean, _ in rows]
        self.cv_results_ = {
            "params": [params for params, _, _ in rows],
            "mean_test_score": np.array(means),
            "std_test_score": np.array([std for _, _, std in rows]),
            "rank_test_score": np.array([sorted(means, reverse=True).index(mean) + 1 for mean in means]),
        }
        self.best_index_ = means.index(max(means))
        self.best_params_, self.best_score_ = rows[self.best_index_][0], means[self.best_index_]
        self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_).fit(X, y)
        return self

    def predict(self, X):
        return self.best_estimator_.predict(X)

    def score(self, X, y=None):
        return self.best_estimator_.score(X, y)
