"""scikit-learn's decompositions in the place of one's own."""

import numpy as np
from sklearn.decomposition import PCA as Theirs
from sklearn.decomposition import IncrementalPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils.extmath import svd_flip


def fix_signs(components):
    kept = np.array(components)
    _, turned = svd_flip(None, kept.copy(), u_based_decision=False)
    return np.where(kept.any(axis=1, keepdims=True), turned, kept)


def principal_axes_by_covariance(X):
    model = Theirs(svd_solver="covariance_eigh").fit(X)
    return model.components_, model.explained_variance_


def principal_axes_by_svd(X):
    model = Theirs(svd_solver="full").fit(X)
    return model.components_, model.explained_variance_


def components_for(variances, share):
    explained = np.cumsum(variances / np.sum(variances))
    return min(int(np.sum(explained <= share)) + 1, len(variances))


def fisher_direction(X, y):
    n = np.array([np.sum(y == 0), np.sum(y == 1)])
    unbiased = (len(X) - 2) / len(X)  # scikit-learn divides the scatter by n
    model = LinearDiscriminantAnalysis(solver="lsqr", priors=n / n.sum()).fit(X, y)
    w = model.coef_[0] * unbiased
    return w, float(w @ model.means_.mean(axis=0))


class PCA(Theirs):
    """The share of the variance needs all of the data's decomposition."""

    def __init__(self, n_components=None, whiten=False, svd_solver="auto"):
        super().__init__(n_components=n_components, whiten=whiten, svd_solver=svd_solver)

    def fit(self, X, y=None):
        if len(X) < 2 or self.n_components == 0:
            raise ValueError("two samples, and one component, are the least")
        return super().fit(X)


__all__ = ["PCA", "IncrementalPCA"]
