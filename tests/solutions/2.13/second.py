"""Bayes one sample, one class and one feature at a time, with the standard library's logarithms."""

import math

import numpy as np


def normalize_log(joint):
    rows = []
    for row in joint.tolist():
        total = max(row)
        total += math.log(sum(math.exp(z - total) for z in row))
        rows.append([z - total for z in row])
    return np.array(rows)


def smoothed_frequencies(counts, alpha):
    return np.array([[(c + alpha) / (sum(row) + alpha * len(row)) for c in row] for row in np.asarray(counts).tolist()])


def class_moments(X, codes, k, weights=None):
    weights = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    p = X.shape[1]
    total, means, variances = np.zeros(k), np.zeros((k, p)), np.zeros((k, p))
    for x, c, w in zip(X, codes, weights):  # Welford's update, sample by sample
        if w == 0:
            continue
        total[c] += w
        before = x - means[c]
        means[c] = means[c] + before * (w / total[c])  # the first step is all of the way, to the last digit
        variances[c] += w * before * (x - means[c])
    return total, means, variances / np.where(total > 0, total, 1.0)[:, None]


def gaussian_log_density(X, means, variances):
    def one(x, m, v):
        return -0.5 * (math.log(2 * math.pi) + math.log(v)) - 0.5 * (x - m) * (x - m) / v

    return np.array(
        [[sum(map(one, x, m, v)) for m, v in zip(means.tolist(), variances.tolist())] for x in np.asarray(X).tolist()]
    )


class _Bayes:
    def fit(self, X, y, sample_weight=None):
        self._X = self._y = self._w = None
        return self.partial_fit(X, y, np.unique(y), sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Keeps all batches, and starts again with the whole of them."""
        X, y = np.asarray(X, dtype=float), np.asarray(y)
        if not np.isfinite(X).all():
            raise ValueError("X has to be finite")
        w = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if getattr(self, "_X", None) is None:
            self.classes_ = np.unique(classes)
            self._X, self._y, self._w = X, y, w
        else:
            self._X, self._y, self._w = np.vstack([self._X, X]), np.append(self._y, y), np.append(self._w, w)
        self._codes = np.array([list(self.classes_).index(label) for label in self._y])
        self._learn()
        return self

    def _prior(self, given):
        if given is None:
            return self.class_count_ / sum(self.class_count_)
        if len(given) != len(self.classes_) or abs(sum(given) - 1) > 1e-6:
            raise ValueError("the priors have to be one for each class, and sum to 1")
        return np.array(given, dtype=float)

    def predict_log_proba(self, X):
        return normalize_log(self.predict_joint_log_proba(X))

    def predict_proba(self, X):
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        return np.array([self.classes_[int(np.argmax(row))] for row in self.predict_joint_log_proba(X)])


class GaussianNB(_Bayes):
    def __init__(self, priors=None, var_smoothing=1e-9):
        self.priors, self.var_smoothing = priors, var_smoothing

    def _learn(self):
        self.epsilon_ = float(self.var_smoothing * (max(self._X.var(axis=0)) or 1.0))
        self.class_count_, self.theta_, raw = class_moments(self._X, self._codes, len(self.classes_), self._w)
        self.var_ = raw + self.epsilon_
        self.class_prior_ = self._prior(self.priors)

    def predict_joint_log_proba(self, X):
        return np.log(self.class_prior_) + gaussian_log_density(X, self.theta_, self.var_)


class MultinomialNB(_Bayes):
    def __init__(self, alpha=1.0, fit_prior=True, class_prior=None):
        self.alpha, self.fit_prior, self.class_prior = alpha, fit_prior, class_prior

    def _learn(self):
        if self.alpha <= 0 or (self._X < 0).any():
            raise ValueError("alpha has to be positive, and counts not negative")
        k = len(self.classes_)
        one_hot = self._w[:, None] * np.eye(k)[self._codes]
        self.class_count_ = one_hot.sum(axis=0)
        self.feature_count_ = one_hot.T @ self._X
        self.feature_log_prob_ = np.log(smoothed_frequencies(self.feature_count_, self.alpha))
        given = self.class_prior if self.fit_prior or self.class_prior is not None else [1 / k] * k
        self.class_log_prior_ = np.log(self._prior(given))

    def predict_joint_log_proba(self, X):
        return np.array([self.class_log_prior_ + (self.feature_log_prob_ * x).sum(axis=1) for x in np.asarray(X)])


def log_posterior(X, y, w, b, noise, spread):
    data = sum(((t - x @ w - b) / noise) ** 2 for x, t in zip(X, y))
    return float(-0.5 * data - 0.5 * sum((v / spread) ** 2 for v in w))


def map_weights(X, y, noise, spread):
    """The prior as p further measurements of 0, each of noise `spread`."""
    X_mean, y_mean = X.mean(axis=0), y.mean()
    A = np.vstack([(X - X_mean) / noise, np.eye(X.shape[1]) / spread])
    b = np.append((y - y_mean) / noise, np.zeros(X.shape[1]))
    w = np.linalg.lstsq(A, b, rcond=None)[0]
    return w, float(y_mean - X_mean @ w)
