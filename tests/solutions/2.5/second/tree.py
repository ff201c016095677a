"""Both estimators from one function that fits."""

import numpy as np

from .estimator import Classifier, Estimator, Regressor, clone
from .growing import grow
from .pruning import cost_complexity_path, prune, prune_to_leaves
from .validation import check_generator, check_labelled, check_new, check_weights, check_Xy


class DecisionTree(Estimator):
    def __init__(
        self,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
    ):
        for name, value in list(locals().items()):
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def apply(self, X):
        return self.tree_.apply(check_new(self, X))

    def get_depth(self):
        return self.tree_.max_depth

    def get_n_leaves(self):
        return self.tree_.n_leaves

    @property
    def feature_importances_(self):
        return self.tree_.importances(self.n_features_in_)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        return cost_complexity_path(clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight).tree_)

    def _fit(self, X, targets, sample_weight):
        p, wanted = X.shape[1], self.max_features
        if wanted == "sqrt":
            wanted = int(p**0.5)
        elif wanted == "log2":
            wanted = int(np.log2(p))
        elif isinstance(wanted, float):
            wanted = int(wanted * p)
        self.max_features_ = p if wanted is None else min(max(wanted, 1), p)
        tree = grow(
            X,
            targets,
            check_weights(sample_weight, len(X)),
            {"log_loss": "entropy"}.get(self.criterion, self.criterion),
            self.max_depth,
            self.min_samples_split,
            self.min_samples_leaf,
            self.min_impurity_decrease,
            None if self.max_features_ == p else self.max_features_,
            check_generator(self.random_state),
        )
        if self.max_leaf_nodes:
            tree = prune_to_leaves(tree, self.max_leaf_nodes)
        self.tree_ = prune(tree, self.ccp_alpha) if self.ccp_alpha else tree
        return self


class DecisionTreeClassifier(Classifier, DecisionTree):
    def fit(self, X, y, sample_weight=None, order=None):
        X, self.classes_, codes = check_labelled(self, X, y)
        self.n_classes_ = len(self.classes_)
        return self._fit(X, np.eye(self.n_classes_)[:, codes], sample_weight)

    def predict_proba(self, X):
        return np.stack([self.tree_.value[leaf] for leaf in self.apply(X)])

    def predict(self, X):
        return np.array([self.classes_[list(row).index(max(row))] for row in self.predict_proba(X)])


class DecisionTreeRegressor(Regressor, DecisionTree):
    def __init__(
        self,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
    ):
        for name, value in list(locals().items()):
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def fit(self, X, y, sample_weight=None, order=None):
        X, y = check_Xy(self, X, y)
        return self._fit(X, y[None], sample_weight)

    def predict(self, X):
        return np.array([self.tree_.value[leaf][0] for leaf in self.apply(X)])
