"""A pipeline by recursion: the first step, and the pipeline of the rest."""

from .estimator import Estimator


class Pipeline(Estimator):
    def __init__(self, steps):
        self.steps = steps

    def fit(self, X, y=None):
        (_, first), *rest = self.steps
        first.fit(X, y)
        if rest:
            Pipeline(rest).fit(first.transform(X), y)
        return self

    def _ask(self, what, X, *more):
        (_, first), *rest = self.steps
        if not rest:
            return getattr(first, what)(X, *more)
        return Pipeline(rest)._ask(what, first.transform(X), *more)

    def predict(self, X):
        return self._ask("predict", X)

    def transform(self, X):
        return self._ask("transform", X)

    def score(self, X, y):
        return self._ask("score", X, y)

    def get_params(self, deep=True):
        found = {"steps": self.steps}
        if deep:
            for name, step in self.steps:
                found[name] = step
                for inner, value in step.get_params().items():
                    found[f"{name}__{inner}"] = value
        return found

    def set_params(self, **params):
        for key, value in params.items():
            if key == "steps":
                self.steps = value
            elif "__" in key:
                name, inner = key.split("__", 1)
                dict(self.steps)[name].set_params(**{inner: value})
            else:
                self.steps = [(name, value if name == key else step) for name, step in self.steps]
        return self


def make_pipeline(*steps):
    return Pipeline([(type(step).__name__.lower(), step) for step in steps])
