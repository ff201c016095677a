"""The perceptron with the intercept as the first of the weights, and predictions by sign."""

import numpy as np


class Perceptron:
    def __init__(self, epochs=100):
        self.epochs = epochs

    def fit(self, X, y):
        if set(np.unique(y).tolist()) - {-1, 1}:
            raise ValueError("labels must be -1 or +1")
        signed = np.column_stack([np.ones(len(y)), X]) * np.reshape(y, (-1, 1))  # a sample is right if v . row > 0
        v = np.zeros(signed.shape[1])
        self.mistakes_ = []
        while len(self.mistakes_) < self.epochs and 0 not in self.mistakes_:
            count = 0
            for row in signed:
                if not v.dot(row) > 0:
                    v += row
                    count += 1
            self.mistakes_.append(count)
        self.coef_, self.intercept_ = v[1:], v[0]
        return self

    def predict(self, X):
        return 2 * (np.dot(X, self.coef_) > -self.intercept_).astype(int) - 1
