"""scikit-learn's own checks of an estimator, on every estimator of `classic`.

The list is not written by hand: every public class of the package that has a `fit` is checked, as its default is, or as
MADE makes it. A check that cannot pass stands in EXPECTED with its reason, and has to fail: once it passes, it must go.
"""

import importlib
import inspect
import pkgutil

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from groundup import classic
from groundup.classic.estimator import Estimator
from groundup.classic.linear import Ridge
from groundup.classic.prepare import StandardScaler

MADE = {  # class name -> keyword arguments of its constructor, where the default is too slow or takes an argument
    "ColumnTransformer": dict(transformers=[("scale", StandardScaler(), [0])], remainder="passthrough"),
    "GradientBoostingClassifier": dict(n_estimators=5),
    "GradientBoostingRegressor": dict(n_estimators=5),
    "RandomForestClassifier": dict(n_estimators=5),
    "RandomForestRegressor": dict(n_estimators=5),
    "GridSearchCV": dict(estimator=Ridge(), param_grid={"alpha": [0.1, 1.0]}, cv=2),
    "HistGradientBoostingClassifier": dict(max_iter=5, min_samples_leaf=1, max_leaf_nodes=8),
    "HistGradientBoostingRegressor": dict(max_iter=5, min_samples_leaf=1, max_leaf_nodes=8),
    "OneHotEncoder": dict(handle_unknown="ignore"),
    "Pipeline": dict(steps=[("scale", StandardScaler()), ("ridge", Ridge())]),
}

EXPECTED = {  # class name -> {check: reason}
    "KMeans": {
        "check_sample_weight_equivalence_on_dense_data": "repeated samples in another order lead to another random beginning;"
        " scikit-learn's own KMeans fails it too"
    },
    "MiniBatchKMeans": {
        "check_sample_weight_equivalence_on_dense_data": "batches are drawn at random, and another X gives others; scikit-learn's"
        " own fails it too"
    },
    "Pipeline": {
        "check_estimators_overwrite_params": "the steps themselves are fitted, as scikit-learn's pipeline does it"
    },
    "RandomForestClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "a bootstrap of repeated samples is another draw than one of weighted"
        " samples; scikit-learn's own fails it too"
    },
    "RandomForestRegressor": {
        "check_sample_weight_equivalence_on_dense_data": "as RandomForestClassifier; scikit-learn's own fails it too"
    },
    "SVC": {
        "check_sample_weight_equivalence_on_dense_data": "gamma='scale' takes the variance of X without weights, as scikit-learn's"
        " own SVC, which fails it too; with a gamma and tol=1e-9 it passes"
    },
    "SVR": {
        "check_sample_weight_equivalence_on_dense_data": "gamma='scale', as SVC; scikit-learn's own SVR fails it too"
    },
}


def estimators():
    """One of each estimator, in the order of their modules."""
    for module in pkgutil.iter_modules(classic.__path__):
        if module.name == "plot":
            continue
        namespace = vars(importlib.import_module(f"groundup.classic.{module.name}"))
        for name, kind in namespace.items():
            own = inspect.isclass(kind) and kind.__module__ == f"groundup.classic.{module.name}"
            if own and issubclass(kind, Estimator) and hasattr(kind, "fit") and not name.startswith("_"):
                yield kind(**MADE.get(name, {}))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    list(estimators()),
    expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}),
    xfail_strict=True,
)
def test_an_estimator_keeps_the_contract(estimator, check):
    check(estimator)
