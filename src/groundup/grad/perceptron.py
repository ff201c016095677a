"""The perceptron: a line between two classes, moved only by its mistakes.

The first machine that learnt from examples (1957). It finds a line whenever there is one, after a number of mistakes that
can be bounded beforehand, and it never comes to rest where there is none.

Rosenblatt, The Perceptron: a Probabilistic Model (1958). Novikoff, On Convergence Proofs on Perceptrons (1962).
"""

import numpy as np


class Perceptron:
    """A linear classifier of labels -1 and +1, trained by Rosenblatt's rule.

    From w = 0 and b = 0 it goes through the samples in the order given, epoch after epoch. A sample is a mistake when
    y (w.x + b) <= 0: on the wrong side, or on the line. Then, and only then, w becomes w + y x, and b becomes b + y,
    before the next sample is looked at.

    Parameters: epochs, how often to go through the samples at most (int). An epoch without a mistake is the last.
    Learns: coef_ (p,), intercept_ (float), and mistakes_, a list with the number of mistakes in each epoch, the last
    one included.
    """

    def __init__(self, epochs=100):
        """Stores the parameter, and nothing else."""
        self.epochs = epochs

    def fit(self, X, y):
        """X (n, p), y (n,) of -1 and +1 -> self. Raises ValueError for any other label."""
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
        if not np.isin(y, (-1, 1)).all():
            raise ValueError("the labels are -1 and +1")
        w, b = np.zeros(X.shape[1]), 0.0
        self.mistakes_ = []
        for _ in range(self.epochs):
            mistakes = 0
            for x, label in zip(X, y):
                if label * (w @ x + b) <= 0:
                    w = w + label * x
                    b = b + label
                    mistakes += 1
            self.mistakes_.append(mistakes)
            if mistakes == 0:
                break
        self.coef_, self.intercept_ = w, float(b)
        return self

    def predict(self, X):
        """+1 where w.x + b is above 0, else -1: X (n, p) -> (n,) of integers"""
        return np.where(X @ self.coef_ + self.intercept_ > 0, 1, -1)
