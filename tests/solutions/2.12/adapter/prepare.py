"""The API of classic/prepare.py on scikit-learn, whose encoder is dense if asked, and whose constants are floats if cast."""

import sklearn.impute
import sklearn.preprocessing
from sklearn.preprocessing import MinMaxScaler, StandardScaler

__all__ = ["MinMaxScaler", "OneHotEncoder", "SimpleImputer", "StandardScaler"]


class SimpleImputer(sklearn.impute.SimpleImputer):
    def __init__(self, strategy="mean", fill_value=None):
        super().__init__(strategy=strategy, fill_value=fill_value)

    def fit(self, X, y=None):
        super().fit(X)
        self.statistics_ = self.statistics_.astype(float)
        return self


class OneHotEncoder(sklearn.preprocessing.OneHotEncoder):
    def __init__(self, categories="auto", drop=None, handle_unknown="error"):
        super().__init__(categories=categories, drop=drop, handle_unknown=handle_unknown, sparse_output=False)
