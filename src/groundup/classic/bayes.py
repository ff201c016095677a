"""Bayes: turning a probability round, and naive Bayes in log space.

P(class | x) is P(x | class) P(class), divided by the sum of that over all classes. Naive Bayes takes P(x | class) to be a
product over the features, as if they were independent within a class, so that each can be counted by itself. A product of a
thousand small numbers is 0 in floats; a sum of a thousand logarithms is not. So everything here is a logarithm until the end.

The same rule with weights in the place of classes makes a penalty out of a prior: ridge is the most probable w under a normal
prior. Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 6.6.3; Murphy, Probabilistic Machine
Learning: An Introduction (2022), sections 4.5, 9.3 and 11.3; Manning, Raghavan and Schütze, Introduction to Information
Retrieval (2008), chapter 13.
"""

import numpy as np

from .estimator import Classifier
from .linear import solve_cholesky
from .validation import check_array, check_labelled, check_new, check_number, check_weights, encode_labels


def normalize_log(joint):
    """From log P(x, class) to log P(class | x): subtracts from each row the log of the sum of its exponentials.

    joint (n, k), any finite numbers, or -inf for what cannot be, though not in a whole row -> (n, k), whose exponentials
    sum to 1 in each row. No overflow and no underflow: at -10,000 and -10,001 the answer is -0.313 and -1.313.
    """
    top = joint.max(axis=1, keepdims=True)  # (n, 1)
    shifted = joint - top
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def smoothed_frequencies(counts, alpha):
    """How probable each of m things is, after each was seen so often: (count + alpha) / (their sum over the row).

    It is the mean of the posterior under a symmetric Dirichlet prior, alpha > 0 things of each kind seen in advance.
    counts (k, m), each row one of k sources, alpha a float -> (k, m), rows that sum to 1. Murphy, section 4.6.3.
    """
    counts = counts + alpha
    return counts / counts.sum(axis=1, keepdims=True)


def class_moments(X, codes, k, weights=None):
    """The mean and the variance of each feature in each class.

    X (n, p), codes (n,) of integers 0..k-1, weights (n,) >= 0 or None for 1 each -> the weight in each class (k,), means
    (k, p), variances (k, p). A variance is the weighted mean of (x - mean)^2: divided by n, not by n - 1. A class without
    weight has zeros. Means first and then squares of differences: where x is far from 0, the mean of x^2 minus the square of
    the mean keeps no digit.
    """
    weights = np.ones(len(X)) if weights is None else weights
    total = np.bincount(codes, weights, minlength=k)
    means, variances = np.zeros((k, X.shape[1])), np.zeros((k, X.shape[1]))
    for c in np.flatnonzero(total):
        rows = np.flatnonzero(codes == c) if k > 1 else slice(None)
        share, samples = weights[rows] / total[c], X[rows]
        means[c] = share @ samples
        apart = samples - means[c]
        variances[c] = share @ np.square(apart, out=apart)
    return total, means, variances


def gaussian_log_density(X, means, variances):
    """The log density of each sample in each class, the features independent and normal: the sum over the features of
    -(log(2 pi variance) + (x - mean)^2 / variance) / 2.

    X (n, p), means (k, p), variances (k, p) > 0 -> (n, k)
    """
    at_mean = -0.5 * np.log(2.0 * np.pi * variances).sum(axis=1)  # (k,)
    distance = np.empty((len(X), len(means)))
    for c, (mean, variance) in enumerate(zip(means, variances)):
        apart = X - mean
        distance[:, c] = np.square(apart, out=apart) @ (1.0 / variance)
    return at_mean - 0.5 * distance


class _NaiveBayes(Classifier):
    """What follows from log P(x, class), which is all that the two kinds differ in."""

    def predict_joint_log_proba(self, X):
        """log P(x, class): X (m, p) -> (m, k), columns as in classes_. Raises NotFittedError; ValueError as `fit`."""
        raise NotImplementedError

    def predict_log_proba(self, X):
        """log P(class | x): X (m, p) -> (m, k)"""
        return normalize_log(self.predict_joint_log_proba(X))

    def predict_proba(self, X):
        """P(class | x): X (m, p) -> (m, k), rows that sum to 1"""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """The most probable class, the first in classes_ of several: X (m, p) -> (m,)"""
        joint = self.predict_joint_log_proba(X)
        return self.classes_[joint.argmax(axis=1)]

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of classes, sample_weight (n,) >= 0 or None for 1 each -> self; what was learned before is gone.

        Raises ValueError for a parameter that cannot be, NaN, or lengths that differ.
        """
        for learned in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, learned)
        return self.partial_fit(X, y, np.unique(np.asarray(y)) if y is not None else None, sample_weight)

    def _batch(self, X, y, classes, sample_weight):
        """The batch checked: X (n, p), codes (n,) into classes_, weights (n,). The first call sets classes_."""
        if hasattr(self, "classes_"):
            X = check_new(self, X)
            _, seen, codes = check_labelled(self, X, y)
        else:
            X, seen, codes = check_labelled(self, X, y)
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit: a batch may not hold all of them"
                )
            self.classes_ = encode_labels(classes, "classes")[0]
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes == {classes} is not the same as on last call to partial_fit: {self.classes_}")
        unknown = np.setdiff1d(seen, self.classes_)
        if len(unknown):
            raise ValueError(f"The target labels {unknown} in y do not exist in the initial classes {self.classes_}")
        return X, np.searchsorted(self.classes_, seen)[codes], check_weights(sample_weight, len(X))


class GaussianNB(_NaiveBayes):
    """Naive Bayes for measurements: within a class each feature is normal.

    Parameters: priors, P(class) in the order of classes_ (k,), or None for the classes' shares of the weight;
    var_smoothing: epsilon_ is this times the largest variance of any feature over all samples, and is added to all variances,
    so that a feature that is constant within a class divides by no zero (if no feature varies, epsilon_ is var_smoothing).
    Learns: classes_ (k,), class_count_ (k,) (the weight of each), class_prior_ (k,), theta_ (k, p) the means, var_ (k, p)
    the variances with epsilon_ added, epsilon_ (float).
    """

    def __init__(self, priors=None, var_smoothing=1e-9):
        """Stores the parameters, and nothing else."""
        self.priors = priors
        self.var_smoothing = var_smoothing

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One more batch, X (n, p), y (n,) -> self. After several batches the estimator is that of one `fit` to all of them.

        classes: all there will be, needed in the first call. Raises ValueError as `fit`, and for a class that is not there.
        Pooled means and variances by Chan, Golub and LeVeque, Algorithms for computing the sample variance (1983).
        """
        check_number("var_smoothing", self.var_smoothing, low=0.0)
        X, codes, weights = self._batch(X, y, classes, sample_weight)
        k = len(self.classes_)
        total, means, variances = class_moments(X, codes, k, weights)
        overall = class_moments(
            X, np.zeros(len(X), dtype=np.int64), 1
        )  # of all samples, whatever their class and weight
        if hasattr(self, "theta_"):
            total, means, variances = _pool(
                (self.class_count_, self.theta_, self.var_ - self.epsilon_), (total, means, variances)
            )
            overall = _pool(self._overall, overall)
        self._overall = overall
        spread = overall[2].max()
        self.epsilon_ = float(self.var_smoothing * (spread if spread > 0 else 1.0))
        self.class_count_, self.theta_, self.var_ = total, means, variances + self.epsilon_
        self.class_prior_ = _priors(self.priors, total)
        return self

    def predict_joint_log_proba(self, X):
        """log P(x, class): X (m, p) -> (m, k), columns as in classes_. Raises NotFittedError; ValueError as `fit`."""
        X = check_new(self, X)
        with np.errstate(divide="ignore"):  # a class of prior 0 has a logarithm of -inf, and is never chosen
            log_prior = np.log(self.class_prior_)
        return log_prior + gaussian_log_density(X, self.theta_, self.var_)


class MultinomialNB(_NaiveBayes):
    """Naive Bayes for counts, such as the words of a text: within a class each word is drawn with the same probabilities.

    log P(x, class) = log P(class) + sum over features of x_j log P(feature j | class), up to a number that is the same for
    all classes. Parameters: alpha, how often each feature was seen in each class in advance, > 0 (float; at 0 a word never
    seen in a class would forbid the class); fit_prior, whether P(class) is the class's share of the weight, else all are
    equal; class_prior, P(class) in the order of classes_ (k,), or None.
    Learns: classes_ (k,), class_count_ (k,), class_log_prior_ (k,), feature_count_ (k, p), feature_log_prob_ (k, p).
    """

    def __init__(self, alpha=1.0, fit_prior=True, class_prior=None):
        """Stores the parameters, and nothing else."""
        self.alpha = alpha
        self.fit_prior = fit_prior
        self.class_prior = class_prior

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One more batch, X (n, p) >= 0, y (n,) -> self. After several batches the estimator is that of one `fit` to all.

        classes: all there will be, needed in the first call. Raises ValueError as `fit`, and for a class that is not there.
        """
        check_number("alpha", self.alpha, low=0.0, open_low=True)
        X, codes, weights = self._batch(_not_negative(self, X), y, classes, sample_weight)
        k = len(self.classes_)
        total = np.bincount(codes, weights, minlength=k)
        counts = np.stack([weights[codes == c] @ X[codes == c] for c in range(k)])  # (k, p)
        if hasattr(self, "feature_count_"):
            total, counts = self.class_count_ + total, self.feature_count_ + counts
        self.class_count_, self.feature_count_ = total, counts
        self.feature_log_prob_ = np.log(smoothed_frequencies(counts, self.alpha))
        equal = None if self.fit_prior else np.full(k, 1.0 / k)
        with np.errstate(divide="ignore"):
            self.class_log_prior_ = np.log(_priors(equal if self.class_prior is None else self.class_prior, total))
        return self

    def predict_joint_log_proba(self, X):
        """log P(x, class), up to a number a row: X (m, p) -> (m, k), columns as in classes_. Raises NotFittedError."""
        X = check_new(self, X)
        return self.class_log_prior_ + X @ self.feature_log_prob_.T

    def __sklearn_tags__(self):
        """For counts, which are not negative; on measurements that were shifted to be positive it does badly."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = tags.classifier_tags.poor_score = True
        return tags


def log_posterior(X, y, w, b, noise, spread):
    """log P(w, b | X, y), up to a number that does not depend on w and b: what the data say plus what one believed before.

    The data: y = Xw + b + normal noise of standard deviation `noise` > 0. The prior: each w_j normal with mean 0 and
    standard deviation `spread` > 0; every b equally probable. So it is -(sum of (y - Xw - b)^2) / (2 noise^2) -
    (sum of w_j^2) / (2 spread^2). X (n, p), y (n,), w (p,), b a float -> float
    """
    error = y - X @ w - b
    return float(-(error @ error) / (2.0 * noise**2) - (w @ w) / (2.0 * spread**2))


def map_weights(X, y, noise, spread):
    """The w and the b with the largest log_posterior (maximum a posteriori): X (n, p), y (n,) -> w (p,), b a float.

    Its derivative is zero where (X'X / noise^2 + I / spread^2) w = X'y / noise^2, X and y centred. That is ridge regression
    with alpha = noise^2 / spread^2. Murphy, section 11.3.
    """
    X_mean, y_mean = X.mean(axis=0), y.mean()
    Xc, yc = X - X_mean, y - y_mean
    precision = Xc.T @ Xc / noise**2 + np.eye(X.shape[1]) / spread**2  # (p, p)
    w = solve_cholesky(precision, Xc.T @ yc / noise**2)
    return w, float(y_mean - X_mean @ w)


def _pool(a, b):
    """Weight, mean and variance of two groups taken together; each a triple (k,), (k, p), (k, p)."""
    (n, mean, variance), (m, other, other_variance) = a, b
    share = (m / np.where(n + m > 0, n + m, 1.0))[:, None]  # (k, 1): how much of the whole is b
    apart = other - mean
    return n + m, mean + share * apart, (1 - share) * (variance + share * apart**2) + share * other_variance


def _priors(given, total):
    """P(class): as given, if that can be, or the classes' shares of the weight."""
    if given is None:
        return total / total.sum()
    given = np.asarray(given, dtype=np.float64)
    if given.shape != total.shape:
        raise ValueError(f"Number of priors must match number of classes: {given.size} for {len(total)}")
    if np.any(given < 0):
        raise ValueError(f"Priors must be non-negative: {given}")
    if not np.isclose(given.sum(), 1.0):
        raise ValueError(f"The sum of the priors should be 1: it is {given.sum()}")
    return given


def _not_negative(estimator, X):
    """X as it came. Raises ValueError if an entry is below 0."""
    if np.any(check_array(X) < 0):
        raise ValueError(f"Negative values in data passed to {type(estimator).__name__}: X holds counts")
    return X
