"""GLUE's metrics by counting pairs."""

import math

import numpy as np

TASKS = {
    "cola": ("class", ("matthews",)),
    "stsb": ("number", ("pearson", "spearman")),
    "mrpc": ("class", ("accuracy", "f1")),
    "qqp": ("class", ("accuracy", "f1")),
    **{task: ("class", ("accuracy",)) for task in ("sst2", "mnli", "mnli-mm", "qnli", "rte", "wnli")},
}


def checked(predicted, labels):
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.size == 0 or predicted.shape != labels.shape:
        raise ValueError("one prediction for each label")
    return predicted, labels


def accuracy(predicted, labels):
    predicted, labels = checked(predicted, labels)
    return sum(p == t for p, t in zip(predicted.tolist(), labels.tolist())) / len(labels)


def f1(predicted, labels):
    predicted, labels = checked(predicted, labels)
    pairs = list(zip(predicted.tolist(), labels.tolist()))
    tp = sum(p == 1 and t == 1 for p, t in pairs)
    if tp == 0:
        return 0.0
    precision, recall = tp / sum(p == 1 for p, _ in pairs), tp / sum(t == 1 for _, t in pairs)
    return 2 * precision * recall / (precision + recall)


def matthews(predicted, labels):
    predicted, labels = checked(predicted, labels)
    classes = sorted({*predicted.tolist(), *labels.tolist()})
    P = np.array([[p == c for c in classes] for p in predicted], dtype=float)
    T = np.array([[t == c for c in classes] for t in labels], dtype=float)
    P, T = P - P.mean(axis=0), T - T.mean(axis=0)
    if np.all(P == 0) or np.all(T == 0):
        return 0.0
    return float(np.sum(P * T) / math.sqrt(np.sum(P * P) * np.sum(T * T)))


def pearson(predicted, labels):
    x, y = (v.astype(np.longdouble) for v in checked(predicted, labels))
    if len(x) < 2 or len(set(x.tolist())) == 1 or len(set(y.tolist())) == 1:
        return float("nan")
    x, y = x - np.mean(x), y - np.mean(y)
    return float(min(1.0, max(-1.0, np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))))


def spearman(predicted, labels):
    def ranks(v):  # how many are smaller, and half of those that are equal
        return (v[None] < v[:, None]).sum(axis=1) + 0.5 * ((v[None] == v[:, None]).sum(axis=1) + 1)

    x, y = checked(predicted, labels)
    return pearson(ranks(x), ranks(y))


def score(task, predicted, labels):
    if task not in TASKS:
        raise ValueError(task)
    return {name: globals()[name](predicted, labels) for name in TASKS[task][1]}


def total(scores):
    if not scores or set(scores) - set(TASKS):
        raise ValueError("no task, or none of GLUE's")
    means = {task: math.fsum(found.values()) / len(found) for task, found in scores.items()}
    halves = [means.pop(task) for task in ("mnli", "mnli-mm") if task in means]
    values = [*means.values(), *([sum(halves) / len(halves)] if halves else [])]
    return 100 * math.fsum(values) / len(values)
