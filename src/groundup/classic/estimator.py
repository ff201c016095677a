"""The contract of an estimator: its parameters, its score, and how it introduces itself to scikit-learn.

A constructor stores its arguments under their own names, and does nothing else. What `fit` learns ends in an underscore.
That is all it takes to copy an estimator unfitted (`clone`), to search over its parameters, and to put it into anybody's
pipeline. Buitinck et al., API design for machine learning software (2013), arXiv:1309.0238.
"""

import copy
import inspect

import numpy as np

from .metrics import accuracy_score, r2_score


class Estimator:
    """Anything with parameters and a `fit`."""

    def get_params(self, deep=True):
        """The parameters by name. deep: also those of an estimator among them, as outer__inner."""
        params = {}
        for name in _parameter_names(type(self)):
            value = params[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                params.update((f"{name}__{inner}", v) for inner, v in value.get_params().items())
        return params

    def set_params(self, **params):
        """Sets parameters by name, also outer__inner. Returns self. Raises ValueError for a name that is no parameter."""
        valid = self.get_params(deep=False)
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if outer not in valid:
                raise ValueError(
                    f"Invalid parameter {outer!r} for estimator {self!r}. Valid parameters are: {sorted(valid)}."
                )
            if inner:
                valid[outer].set_params(**{inner: value})
            else:
                setattr(self, name, value)
                valid[name] = value
        return self

    def __repr__(self):
        """The call that makes this estimator; parameters that have their default are left out."""
        defaults = inspect.signature(type(self).__init__).parameters
        changed = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if repr(value) != repr(defaults[name].default)
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_tags__(self):
        """What scikit-learn asks of an estimator that it is handed; only scikit-learn calls this, so it is there."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags())


class Regressor(Estimator):
    """An estimator that predicts numbers."""

    def score(self, X, y, sample_weight=None):
        """The coefficient of determination, `metrics.r2_score`: 1 at best, 0 for what the mean of y is worth.

        X (n, p), y (n,) or (n, k), sample_weight (n,) or None -> float, averaged over columns.
        """
        return r2_score(y, self.predict(X), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        from sklearn.utils import RegressorTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.regressor_tags, tags.target_tags.required = "regressor", RegressorTags(), True
        return tags


class Classifier(Estimator):
    """An estimator that predicts classes; after `fit` it has classes_, in ascending order."""

    def score(self, X, y, sample_weight=None):
        """The accuracy, `metrics.accuracy_score`: which share of the weight is on samples whose class is predicted.

        X (n, p), y (n,), sample_weight (n,) or None -> float in [0, 1].
        """
        return accuracy_score(np.ravel(y), self.predict(X), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags, tags.target_tags.required = "classifier", ClassifierTags(), True
        return tags


class Transformer(Estimator):
    """An estimator that turns samples into other samples."""

    def fit_transform(self, X, y=None, **fit_params):
        """fit(X, y), then transform(X): X (n, p) -> (n, q)"""
        return self.fit(X, y, **fit_params).transform(X)

    def __sklearn_tags__(self):
        from sklearn.utils import TransformerTags

        tags = super().__sklearn_tags__()
        tags.transformer_tags = TransformerTags()
        return tags


class Clusterer(Estimator):
    """An estimator that finds groups; after `fit` it has labels_ (n,)."""

    def fit_predict(self, X, y=None, **fit_params):
        """fit(X), then the group of each sample: X (n, p) -> (n,) of integers. y is there for pipelines, and ignored."""
        return self.fit(X, **fit_params).labels_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "clusterer"
        return tags


def clone(estimator):
    """A new estimator with the same parameters, copied, and nothing learned. Works for any that has get_params."""
    if isinstance(estimator, (list, tuple, set)):
        return type(estimator)(clone(each) for each in estimator)
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return copy.deepcopy(estimator)
    params = {name: clone(value) for name, value in estimator.get_params(deep=False).items()}
    return type(estimator)(**params)


def _parameter_names(kind):
    """The names of the constructor's parameters, in order; an estimator without a constructor has none."""
    if kind.__init__ is object.__init__:
        return []
    return [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
