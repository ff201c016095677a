"""The figures of lesson 1.6."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.logit import sigmoid
from groundup.course.figures import INK

GOOD, BAD = "#2b7a9e", "#a8402a"


def slopes():
    """d loss / dz of cross-entropy and of squared error for a sample of class 1."""
    z = np.linspace(-10, 6, 400)
    p = sigmoid(z)
    figure, axes = plt.subplots(figsize=(6.0, 2.8))
    axes.axhline(0.0, color=INK, lw=0.6)
    axes.axvline(0.0, color=INK, lw=0.6, ls=":")
    axes.plot(z, p - 1, color=GOOD, lw=2)
    axes.plot(z, 2 * (p - 1) * p * (1 - p), color=BAD, lw=2)
    axes.text(-9.8, -0.9, "cross-entropy: p - 1", color=GOOD)
    axes.text(-9.8, -0.36, "squared error: 2 (p - 1) p (1 - p)", color=BAD)
    axes.text(-5.0, 0.07, "mistake", color=INK, ha="center")
    axes.text(3.0, 0.07, "right", color=INK, ha="center")
    axes.set_ylim(-1.08, 0.22)
    axes.set_xlabel("z, the log-odds given to the right answer")
    axes.set_ylabel("slope of the loss")
    return figure
