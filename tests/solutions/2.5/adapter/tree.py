"""scikit-learn's estimators, grown by our tie rule unless features are drawn."""

import numpy as np
from sklearn import tree as theirs

from .growing import grow, of_theirs
from .pruning import cost_complexity_path, prune


class _Tree:
    def fit(self, X, y, sample_weight=None, order=None):
        super().fit(X, y, sample_weight=sample_weight)
        w = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if self.max_features is None and self.max_leaf_nodes is None:
            rules = {name: getattr(self, name) for name in ("max_depth", "min_samples_split", "min_samples_leaf")}
            rules["min_impurity_decrease"] = self.min_impurity_decrease
            self.ours_ = grow(X, self._targets(y), w, self.criterion, **rules)
        else:
            self.ours_ = of_theirs(self.tree_)
        if self.ccp_alpha:
            self.ours_ = prune(self.ours_, self.ccp_alpha)
        self.tree_ = self.ours_
        return self

    def get_depth(self):
        return self.ours_.max_depth

    def get_n_leaves(self):
        return self.ours_.n_leaves

    @property
    def feature_importances_(self):
        return self.ours_.importances(self.n_features_in_)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        return cost_complexity_path(
            type(self)(**{**self.get_params(), "ccp_alpha": 0.0}).fit(X, y, sample_weight).ours_
        )


class DecisionTreeClassifier(_Tree, theirs.DecisionTreeClassifier):
    def _targets(self, y):
        return (np.asarray(y) == self.classes_[:, None]).astype(float)

    def predict_proba(self, X):
        return self.ours_.value[self.ours_.apply(X)]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class DecisionTreeRegressor(_Tree, theirs.DecisionTreeRegressor):
    def _targets(self, y):
        return np.asarray(y, dtype=float)[None]

    def predict(self, X):
        return self.ours_.value[:, 0][self.ours_.apply(X)]
