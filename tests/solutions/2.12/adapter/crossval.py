"""The API of classic/crossval.py is scikit-learn's."""

from sklearn.model_selection import cross_val_predict, cross_val_score, learning_curve, validation_curve

__all__ = ["cross_val_predict", "cross_val_score", "learning_curve", "validation_curve"]
