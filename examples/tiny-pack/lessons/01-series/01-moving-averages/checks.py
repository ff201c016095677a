import numpy as np

from groundup.course import checkpoint


@checkpoint("The mean of every window", atol=1e-9)
def sliding(lib, x, window):
    return lib.averages.sliding_mean(x, window)


@sliding.cases
def _(draw):
    n = draw.integer(1, 40)
    return {"x": draw.normal(n), "window": draw.integer(1, n)}


@sliding.edges
def _():
    return [
        {"x": np.array([3.0]), "window": 1},
        {"x": np.array([1.0, 2.0, 4.0]), "window": 2},
        {"x": np.array([1.0, 2.0, 4.0]), "window": 3},
        {"x": np.array([1, 2, 4]), "window": 1},
    ]


@sliding.oracle
def _(x, window):
    return np.lib.stride_tricks.sliding_window_view(x, window).mean(axis=1)


@checkpoint("A window that does not fit is a ValueError")
def fits(lib, n, window):
    try:
        return len(lib.averages.sliding_mean(np.ones(n), window))
    except ValueError:
        return "ValueError"


@fits.edges
def _():
    return [{"n": n, "window": window} for n, window in ((2, 0), (2, 3), (0, 1), (3, -1), (3, 3))]


@fits.oracle
def _(n, window):
    return n - window + 1 if 1 <= window <= n else "ValueError"


@checkpoint("A mean that fades", atol=1e-9)
def fading(lib, x, decay):
    return lib.averages.fading_mean(x, decay, corrected=False)


@fading.cases
def _(draw):
    return {"x": draw.normal(draw.integer(1, 30)), "decay": draw.uniform(0.0, 0.99)}


@fading.edges
def _():
    return [{"x": np.array([1.0]), "decay": 0.5}, {"x": np.array([1.0, 2.0]), "decay": 0.9}]


@fading.oracle
def _(x, decay):
    return np.array([(1 - decay) * _weighted(x[:t], decay) for t in range(1, len(x) + 1)])


@checkpoint("Corrected, it is fair from the first value on", atol=1e-9)
def corrected(lib, x, decay):
    return lib.averages.fading_mean(x, decay)


@corrected.cases
def _(draw):
    return {"x": draw.normal(draw.integer(1, 30)), "decay": draw.uniform(0.0, 0.99)}


@corrected.edges
def _():
    return [{"x": np.array([1.0]), "decay": 0.5}, {"x": np.full(3, 7.0), "decay": 0.9}]


@corrected.oracle
def _(x, decay):
    ones = np.ones(len(x))
    return np.array([_weighted(x[:t], decay) / _weighted(ones[:t], decay) for t in range(1, len(x) + 1)])


def _weighted(x, decay):
    """The sum of x in which the last value counts 1, the one before it decay, the one before that decay squared."""
    return float(x @ decay ** np.arange(len(x) - 1, -1, -1, dtype=float))


@checkpoint("The half-life", atol=1e-9)
def halves(lib, decay):
    return lib.averages.half_life(decay)


@halves.cases
def _(draw):
    return {"decay": draw.uniform(0.05, 0.999)}


@halves.edges
def _():
    return [{"decay": 0.5}, {"decay": 0.25}]


@halves.oracle
def _(decay):
    return float(-1 / np.log2(decay))
