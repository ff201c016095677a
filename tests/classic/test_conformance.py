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

MADE = {}  # class name -> keyword arguments of its constructor, where the default is too slow or takes an argument

EXPECTED = {}  # class name -> {check: reason}


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
