"""The API of classic/folds.py is scikit-learn's."""

from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit, train_test_split

__all__ = ["GroupKFold", "KFold", "StratifiedKFold", "TimeSeriesSplit", "train_test_split"]
