"""The API of classic/pipeline.py is scikit-learn's."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline

__all__ = ["ColumnTransformer", "Pipeline", "make_pipeline"]
