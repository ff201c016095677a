"""Several steps as one estimator: one after the other, or side by side on columns of their own.

Who refits a model has to refit its preparation with it, or the rows that judge the model have a say in it. A pipeline makes
that the only thing one can do: steps and model have one `fit`, and whoever clones the pipeline starts all of them afresh.

Buitinck et al., API design for machine learning software (2013), section 3.
"""

from functools import wraps

import numpy as np

from .estimator import Estimator, Transformer, clone
from .prepare import GapTransformer
from .validation import check_array, check_choice, check_new, check_X


class ColumnTransformer(GapTransformer):
    """Some columns to one transformer, some to another, the results side by side.

    Parameters: transformers, a list of (name, transformer, columns), where columns are a list of places or of a table's
    names, a slice or a mask, and the transformer may be "drop" or "passthrough"; remainder, "drop" or "passthrough", what
    becomes of columns that nobody names: passed, they come last.
    Learns: transformers_, the same list with fitted copies, and with the remainder if it has columns.
    """

    def __init__(self, transformers, remainder="drop"):
        """Stores the parameters, and nothing else."""
        self.transformers = transformers
        self.remainder = remainder

    def fit(self, X, y=None):
        """X (n, p) of numbers or words, y (n,) or None for the transformers -> self."""
        check_choice("remainder", self.remainder, ("drop", "passthrough"))
        X = check_X(self, X, allow_nan=True, numeric=False)
        parts = [(name, each, self._places(columns)) for name, each, columns in self.transformers]
        named = {j for _, _, places in parts for j in places.tolist()}
        rest = np.array([j for j in range(X.shape[1]) if j not in named], dtype=np.int64)
        if len(rest):
            parts.append(("remainder", self.remainder, rest))
        self.transformers_ = [
            (name, each if isinstance(each, str) else clone(each).fit(X[:, places], y), places)
            for name, each, places in parts
        ]
        return self

    def transform(self, X):
        """X (m, p) -> (m, q), float64, in the order of the list."""
        X = check_new(self, X, allow_nan=True, numeric=False)
        parts = [np.zeros((len(X), 0))]
        for _, each, places in self.transformers_:
            if not isinstance(each, str):
                part = each.transform(X[:, places])
                parts.append(part.toarray() if hasattr(part, "toarray") else part)
            elif each == "passthrough":
                parts.append(check_array(X[:, places], allow_nan=True))
        return np.concatenate(parts, axis=1, dtype=np.float64)

    def get_params(self, deep=True):
        """The parameters by name; deep: also each transformer by its name, and its parameters as name__parameter."""
        return _with_named(super().get_params(deep=False), self.transformers, deep)

    def set_params(self, **params):
        """Sets parameters by name: transformers, remainder, a transformer, or name__parameter. Returns self."""
        return _set_named(self, "transformers", params)

    def _places(self, columns):
        if np.ndim(columns) == 0 and not isinstance(columns, slice):
            columns = [columns]
        if not isinstance(columns, slice) and len(columns) and isinstance(columns[0], str):
            names = getattr(self, "feature_names_in_", np.array([], dtype=object)).tolist()
            columns = [names.index(name) for name in columns]
        if not isinstance(columns, slice):
            columns = np.asarray(columns, dtype=None if len(columns) else np.int64)
            if columns.dtype.kind not in "iub":
                raise ValueError(f"columns are places, names, a slice or a mask; got {columns!r}")
        return np.arange(self.n_features_in_)[columns]


_LAST = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score", "transform", "fit_transform")


class Pipeline(Estimator):
    """Transformers, and an estimator at the end, as one estimator.

    Parameters: steps, a list of (name, estimator); "passthrough" is a step that does nothing. fit fits each step to what the
    one before makes of its data; the steps themselves are fitted, not copies.

    predict, predict_proba, decision_function, score, transform and fit_transform are there if the last step can do it: X
    goes through the others first. inverse_transform is there if all can: from the last to the first. classes_ is the last step's; n_features_in_ and feature_names_in_ are the first's.
    """

    def __init__(self, steps):
        """Stores the parameter, and nothing else."""
        self.steps = steps

    def fit(self, X, y=None, **params):
        """X (n, p), y (n,) or None, and arguments for a step's fit as name__argument -> self.

        Raises ValueError for names that are taken twice, hold two underscores in a row, or are a parameter's, and for
        arguments of no step; TypeError for a step that has no fit, or, before the last, no transform.
        """
        self._check_steps()
        own = {name: {} for name, _ in self.steps}
        for key, value in params.items():
            name, _, argument = key.partition("__")
            if name not in own or not argument:
                raise ValueError(
                    f"Pipeline.fit does not accept the {key} parameter: it takes arguments as name__argument"
                )
            own[name][argument] = value
        for name, step in self.steps[:-1]:
            if step != "passthrough":
                X = step.fit(X, y, **own[name]).transform(X)
        name, last = self.steps[-1]
        if last != "passthrough":
            last.fit(X, y, **own[name])
        return self

    @property
    def named_steps(self):
        """The steps by name, a dictionary."""
        return dict(self.steps)

    def __len__(self):
        """How many steps."""
        return len(self.steps)

    def __getitem__(self, which):
        """A step by its name or place; for a slice a pipeline of those steps, the same and not copies."""
        if isinstance(which, slice):
            return type(self)(self.steps[which])
        return self.named_steps[which] if isinstance(which, str) else self.steps[which][1]

    def get_params(self, deep=True):
        """The parameters by name; deep: also each step by its name, and its parameters as name__parameter."""
        return _with_named(super().get_params(deep=False), self.steps, deep)

    def set_params(self, **params):
        """Sets parameters by name: steps, a step, or name__parameter. Returns self. ValueError for a name that is no parameter."""
        return _set_named(self, "steps", params)

    def __getattr__(self, name):
        """What the last step can do, the pipeline can; AttributeError for what it can not."""
        if name in ("n_features_in_", "feature_names_in_"):
            return getattr(self.steps[0][1], name)
        if name == "classes_":
            return self.steps[-1][1].classes_
        if name == "inverse_transform":
            return self._back([getattr(step, name) for _, step in reversed(self.steps) if step != "passthrough"])
        if name not in _LAST:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        last = self.steps[-1][1]
        if last == "passthrough" and name.endswith("transform"):
            last = _Nothing()
        method = getattr(last, name)
        if name == "fit_transform":
            return lambda X, y=None, **params: self.fit(X, y, **params).transform(X)

        @wraps(method)
        def through(X, *rest, **params):
            return method(self._through(X), *rest, **params)

        return through

    def _back(self, inverses):
        def inverse_transform(X):
            for inverse in inverses:
                X = inverse(X)
            return X

        return inverse_transform

    def _through(self, X):
        for _, step in self.steps[:-1]:
            X = X if step == "passthrough" else step.transform(X)
        return X

    def _check_steps(self):
        names = [name for name, _ in self.steps]
        for name in names:
            if names.count(name) > 1 or "__" in name or name == "steps":
                raise ValueError(
                    f"a step's name should be its own, without '__', and not that of a parameter; got {names}"
                )
        for name, step in self.steps:
            if step != "passthrough" and not hasattr(step, "fit"):
                raise TypeError(f"All steps should implement fit or be 'passthrough'; {name!r} is {step!r}")
        for name, step in self.steps[:-1]:
            if step != "passthrough" and not hasattr(step, "transform"):
                raise TypeError(f"All steps before the last should implement fit and transform; {name!r} is {step!r}")

    def __sklearn_tags__(self):
        """Those of the last step that does something."""
        return [step for _, step in self.steps if step != "passthrough"][-1].__sklearn_tags__()

    def __sklearn_is_fitted__(self):
        """Whether the last step that does something has learned."""
        steps = [step for _, step in self.steps if step != "passthrough"]
        return not steps or any(name.endswith("_") for name in vars(steps[-1]))


def make_pipeline(*steps):
    """A pipeline whose steps are named after their classes, in small letters; of several of one class the first is name-1."""
    names = [step if isinstance(step, str) else type(step).__name__.lower() for step in steps]
    numbered = [f"{n}-{names[: i + 1].count(n)}" if names.count(n) > 1 else n for i, n in enumerate(names)]
    return Pipeline(list(zip(numbered, steps)))


class _Nothing(Transformer):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def _with_named(params, named, deep):
    """Parameters, and those of named estimators: entries (name, estimator, ...)."""
    for name, each, *_ in named if deep and isinstance(named, (list, tuple)) else []:
        params[name] = each
        if hasattr(each, "get_params") and not isinstance(each, type):
            params |= {f"{name}__{inner}": value for inner, value in each.get_params().items()}
    return params


def _set_named(estimator, attribute, params):
    """Sets an estimator's own parameters first, then entries of the list it holds under `attribute`, then theirs."""
    own = Estimator.get_params(estimator, deep=False)
    for key, value in sorted(params.items(), key=lambda item: (item[0] != attribute, item[0].count("__"))):
        name, _, inner = key.partition("__")
        if key in own:
            setattr(estimator, key, value)
            continue
        named = list(getattr(estimator, attribute))
        place = next((i for i, entry in enumerate(named) if entry[0] == name), None)
        if place is None:
            valid = sorted([*own, *(entry[0] for entry in named)])
            raise ValueError(f"Invalid parameter {name!r} for estimator {estimator!r}. Valid parameters are: {valid}.")
        elif inner:
            named[place][1].set_params(**{inner: value})
        else:
            named[place] = (name, value, *named[place][2:])
            setattr(estimator, attribute, named)
    return estimator
