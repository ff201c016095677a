import numpy as np
from matplotlib import pyplot
from mine.averages import fading_mean, sliding_mean

from groundup.course.figures import INK


def smoothed():
    rng = np.random.default_rng(0)
    days = np.arange(120)
    x = np.where(days < 60, 1.0, 3.0) + rng.normal(size=120)
    figure, axes = pyplot.subplots(figsize=(6.4, 2.9))
    axes.plot(days, x, ".", color=INK, alpha=0.35, markersize=4)
    axes.plot(days[14:], sliding_mean(x, 15), color="#3b7dd8", label="window of 15")
    axes.plot(days, fading_mean(x, 0.875), color="#c8643c", label="decay 0.875")
    axes.set_xlabel("day")
    axes.legend(frameon=False)
    return figure
