"""scikit-learn behind our signatures."""

import numpy as np
from sklearn import cluster


def mini_batch_step(X, labels, centers, counts, sample_weight=None):
    from sklearn.cluster._k_means_minibatch import _minibatch_update_dense

    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    new, counts = np.array(centers), np.array(counts, dtype=float)
    _minibatch_update_dense(X, weights, centers, new, counts, labels.astype(np.int32), 1)
    return new, counts


class MiniBatchKMeans(cluster.MiniBatchKMeans):
    pass
