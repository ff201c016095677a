"""The metrics of GLUE, nine tasks of understanding sentences, and the one number they are summed up in.

Wang et al., GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding (2018), table 1 and
section 3. Where a quotient is 0 / 0 the official scripts inherit what scikit-learn and SciPy do, and so does this file.
"""

from collections.abc import Callable, Mapping

import numpy as np

TASKS = {  # task: (kind of label, its metrics)
    "cola": ("class", ("matthews",)),
    "sst2": ("class", ("accuracy",)),
    "mrpc": ("class", ("accuracy", "f1")),
    "stsb": ("number", ("pearson", "spearman")),
    "qqp": ("class", ("accuracy", "f1")),
    "mnli": ("class", ("accuracy",)),  # mnli is scored on its matched half
    "mnli-mm": ("class", ("accuracy",)),  # and on its mismatched one
    "qnli": ("class", ("accuracy",)),
    "rte": ("class", ("accuracy",)),
    "wnli": ("class", ("accuracy",)),
}


def accuracy(predicted, labels) -> float:
    """The share of equal entries: predicted (n,), labels (n,) -> float in [0, 1]. ValueError as for all metrics here:
    for nothing, and for lengths that differ."""
    predicted, labels = _both(predicted, labels)
    return float((predicted == labels).mean())


def f1(predicted, labels) -> float:
    """The harmonic mean of precision and recall of class 1: 2 tp / (2 tp + fp + fn), and 0 where that is 0 / 0."""
    predicted, labels = _both(predicted, labels)
    right = np.sum((predicted == 1) & (labels == 1))
    said, true = np.sum(predicted == 1), np.sum(labels == 1)
    return float(2 * right / (said + true)) if said + true else 0.0


def matthews(predicted, labels) -> float:
    """Matthews' correlation of two lists of classes, of any number of classes: float in [-1, 1], 0 where either is
    constant.

    The covariance of the two, each sample a row of zeros with a one at its class, over the root of the product of the
    variances: Gorodkin (2004). Of two classes it is (tp tn - fp fn) / sqrt((tp+fp)(tp+fn)(tn+fp)(tn+fn)).
    """
    predicted, labels = _both(predicted, labels)
    classes = np.union1d(predicted, labels)
    said = np.array([np.sum(predicted == c) for c in classes], dtype=float)  # (k,)
    true = np.array([np.sum(labels == c) for c in classes], dtype=float)
    n, right = len(labels), np.sum(predicted == labels)
    spread = (n * n - said @ said) * (n * n - true @ true)
    return float((n * right - said @ true) / np.sqrt(spread)) if spread else 0.0


def pearson(predicted, labels) -> float:
    """The correlation of two lists of numbers: float in [-1, 1], NaN where either is constant or shorter than two."""
    x, y = (values.astype(float) for values in _both(predicted, labels))
    if len(x) < 2 or np.all(x == x[0]) or np.all(y == y[0]):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()  # first the means, so that a large offset costs no digits
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    return float(np.clip(x @ y, -1.0, 1.0))


def spearman(predicted, labels) -> float:
    """Pearson's correlation of the ranks. Equal numbers share the mean of the ranks they take up."""
    x, y = _both(predicted, labels)
    return pearson(_ranks(x), _ranks(y))


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": accuracy,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
}


def score(task: str, predicted, labels) -> dict[str, float]:
    """The official metrics of a task: {name: value}. ValueError for a task that is not one."""
    if task not in TASKS:
        raise ValueError(f"{task!r} is not a task of GLUE: {', '.join(TASKS)}")
    return {name: METRICS[name](predicted, labels) for name in TASKS[task][1]}


def total(scores: Mapping[str, Mapping[str, float]]) -> float:
    """GLUE's single number, 0 to 100: the unweighted mean over tasks, where a task with two metrics counts as their
    mean.

    scores: {task: what `score` gave}. The two halves of MNLI are one task, whose value is the mean of those that are
    there. ValueError for no task, and for a name that is not one.
    """
    values: dict[str, list[float]] = {}
    for task, found in scores.items():
        if task not in TASKS:
            raise ValueError(f"{task!r} is not a task of GLUE: {', '.join(TASKS)}")
        values.setdefault(task.removesuffix("-mm"), []).append(float(np.mean(list(found.values()))))
    if not values:
        raise ValueError("there is no task to take the mean of")
    return 100.0 * float(np.mean([np.mean(halves) for halves in values.values()]))


def _both(predicted, labels):
    """Two arrays (n,), n >= 1."""
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.ndim != 1 or predicted.shape != labels.shape or not len(labels):
        raise ValueError(f"one prediction for each label is needed, not {predicted.shape} for {labels.shape}")
    return predicted, labels


def _ranks(values):
    """1 for the smallest; equal values share the mean of their ranks: (n,) -> (n,) float."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)  # the rank of the last of each group
    return (last - (count - 1) / 2)[place]
