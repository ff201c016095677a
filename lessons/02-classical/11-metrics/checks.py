"""What is asked of lesson 2.11: rates of classes, curves of scores, losses of probabilities, errors of numbers.

Most oracles are the definitions themselves, written as loops over samples and thresholds. That they agree with
scikit-learn's is tested by its adapter, which has to pass too.
"""

import math
import warnings
from itertools import combinations, pairwise

import numpy as np

from groundup.course import checkpoint

NAN = float("nan")


def draw_classes(draw, weighted=False):
    """Two lists of a few classes, integers or words, and labels of which some need not occur."""
    k = draw.integer(1, 4)
    n = draw.integer(1, 10)
    names = draw.choice([[0, 1, 2, 3, 4], ["ant", "bee", "cow", "dog", "elk"], [-1, 1, 5, 7, 30]])
    y_true = [names[i] for i in draw.integers(0, k - 1, n)]
    y_pred = [names[i] for i in draw.integers(0, k, n)]
    labels = None
    if draw.boolean():
        labels = [names[i] for i in draw.permutation(5)[: draw.integer(1, 5)]]
        if not set(labels) & set(y_true):
            labels.append(y_true[0])
    case = dict(y_true=y_true, y_pred=y_pred, labels=labels)
    return case | (dict(sample_weight=draw.integers(1, 8, n) / 4) if weighted else {})


def class_edges():
    return [
        dict(y_true=[0, 1, 1], y_pred=[0, 0, 1], labels=None),
        dict(y_true=[0, 0, 0, 0], y_pred=[0, 0, 0, 0], labels=[0, 1]),
        dict(y_true=[0, 1, 2, 2], y_pred=[0, 2, 1, 1], labels=None),
        dict(y_true=[0, 0, 1], y_pred=[0, 2, 1], labels=[1, 3, 0]),
        dict(y_true=["cow", "ant", "cow"], y_pred=["cow", "bee", "ant"], labels=["cow", "ant"]),
    ]


def draw_scores(draw, both=False):
    """Labels 0 and 1 and scores on a coarse grid, so that many are equal; with `both` each class is there."""
    n = draw.integer(2, 10)
    y_true = draw.integers(0, 1, n)
    if both or draw.boolean(0.8):
        y_true[:2] = [0, 1]
    y_score = draw.integers(0, draw.choice([3, 8, 1]), n) / 8
    return dict(y_true=y_true, y_score=y_score if draw.boolean(0.7) else draw.normal(n))


def score_edges(both=False):
    edges = [
        dict(y_true=np.array([0, 1]), y_score=np.array([0.25, 0.75])),
        dict(y_true=np.array([1, 0]), y_score=np.array([0.5, 0.5])),
        dict(y_true=np.array([0, 1]), y_score=np.array([0.5, 0.5])),
        dict(y_true=np.array([1, 0, 1, 0, 0]), y_score=np.array([0.9, 0.8, 0.6, 0.4, 0.3])),
        dict(y_true=np.array([0, 1, 0, 1, 1]), y_score=np.array([0.5, 0.5, 0.5, 0.75, 0.25])),
    ]
    alone = [
        dict(y_true=np.array([1, 1]), y_score=np.array([0.5, 0.25])),
        dict(y_true=np.zeros(3, dtype=int), y_score=np.arange(3) / 4),
    ]
    return edges if both else edges + alone


def tell(case):
    """A case as the call that a person would write."""
    return ", ".join(
        f"{k}={v.tolist() if isinstance(v, np.ndarray) else v!r}" for k, v in case.items() if v is not None
    )


def quietly(function, *args, **kwargs):
    """What it returns; that something is undefined is asked for elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def weights_of(y, sample_weight):
    return [1] * len(y) if sample_weight is None else list(sample_weight)


def four_cells(y_true, y_pred, label, sample_weight=None):
    """tp, fp, fn, tn of one class, sample by sample."""
    cells = [0, 0, 0, 0]
    for t, p, w in zip(y_true, y_pred, weights_of(y_true, sample_weight)):
        cells[{(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}[t == label, p == label]] += w
    return cells


def rates(cells, beta, zero_division):
    """Precision, recall and F of four cells; F from the two rates where both are there."""
    tp, fp, fn, _ = cells
    precision = tp / (tp + fp) if tp + fp else zero_division
    recall = tp / (tp + fn) if tp + fn else zero_division
    b = beta**2
    f = (1 + b) * tp / ((1 + b) * tp + fp + b * fn) if tp + fp + b * fn else zero_division
    return precision, recall, f


def mean_of_defined(values, weights):
    kept = [(v, w) for v, w in zip(values, weights) if not math.isnan(v)]
    if not kept:
        return NAN
    if not sum(w for _, w in kept):
        kept = [(v, 1) for v, _ in kept]
    return sum(v * w for v, w in kept) / sum(w for _, w in kept)


def averaged(y_true, y_pred, labels, average, zero_division, beta=1.0, pos_label=1, sample_weight=None):
    """Precision, recall and F by the definitions of the averages."""
    labels = sorted({*y_true, *y_pred}) if labels is None else labels
    if average == "binary":
        labels = [pos_label]
    cells = [four_cells(y_true, y_pred, label, sample_weight) for label in labels]
    if average == "micro" or average == "binary":
        return list(rates([sum(each) for each in zip(*cells)], beta, zero_division))
    each = zip(*(rates(c, beta, zero_division) for c in cells))
    weights = [c[0] + c[2] if average == "weighted" else 1 for c in cells]
    return [mean_of_defined(values, weights) for values in each]


def sweep(y_true, y_score, sample_weight=None):
    """For each distinct score from the highest down: it, and tn, fp, fn, tp where scores >= it are called positive."""
    rows = []
    for threshold in sorted(set(np.asarray(y_score).tolist()), reverse=True):
        tp, fp, fn, tn = four_cells(
            [bool(y) for y in y_true], [bool(s >= threshold) for s in y_score], True, sample_weight
        )
        rows.append((threshold, tn, fp, fn, tp))
    return np.array(rows, dtype=np.float64).T


def share_of_pairs(positive, score):
    """Which share of pairs of a positive and a negative is in order, ties half."""
    pairs = [(a > b) + (a == b) / 2 for a in score[positive] for b in score[~positive]]
    return float(sum(pairs) / len(pairs))


def sum_of_steps(tps, fps):
    """Average precision from the counts at falling thresholds."""
    return float((np.diff(np.append(0.0, tps)) / tps[-1] * tps / (tps + fps)).sum())


# -------------------------------------------------------------------------------------------------------- counting


@checkpoint(
    "The confusion matrix: truth in rows, labels in the order given, absent ones too, normalised", atol=1e-12, count=12
)
def confusion(lib, y_true, y_pred, labels):
    matrix = lib.classic.metrics.confusion_matrix
    shares = {way: matrix(y_true, y_pred, labels=labels, normalize=way) for way in ("true", "pred", "all")}
    return {"counts": matrix(y_true, y_pred, labels=labels), **shares}


@confusion.cases
def _(draw):
    return draw_classes(draw)


@confusion.edges
def _():
    return class_edges()


@confusion.oracle
def _(y_true, y_pred, labels):
    labels = sorted({*y_true, *y_pred}) if labels is None else labels
    counts = np.array([[sum(t == a and p == b for t, p in zip(y_true, y_pred)) for b in labels] for a in labels])
    with np.errstate(invalid="ignore"):
        shares = {
            "true": counts / counts.sum(axis=1, keepdims=True),
            "pred": counts / counts.sum(axis=0, keepdims=True),
            "all": counts / counts.sum(),
        }
    return {"counts": counts, **{way: np.nan_to_num(share) for way, share in shares.items()}}


@confusion.shown
def _(y_true, y_pred, labels):
    return f"confusion_matrix({tell(dict(y_true=y_true, y_pred=y_pred, labels=labels))})"


@checkpoint("The four cells of each class against the rest: every sample stands in every table", atol=0.0, count=12)
def cells(lib, y_true, y_pred, labels):
    return lib.classic.metrics.multilabel_confusion_matrix(y_true, y_pred, labels=labels) + 0.0  # whole or not


@cells.cases
def _(draw):
    return draw_classes(draw)


@cells.edges
def _():
    return class_edges()


@cells.oracle
def _(y_true, y_pred, labels):
    labels = sorted({*y_true, *y_pred}) if labels is None else labels
    tables = [four_cells(y_true, y_pred, label) for label in labels]
    return np.array([[[tn, fp], [fn, tp]] for tp, fp, fn, tn in tables], dtype=np.float64)


@cells.shown
def _(y_true, y_pred, labels):
    return f"multilabel_confusion_matrix({tell(dict(y_true=y_true, y_pred=y_pred, labels=labels))})"


@checkpoint("Precision, recall, F and support of each class, 0 / 0 as asked", atol=1e-12, count=12)
def each_class(lib, y_true, y_pred, labels, beta, zero_division):
    precision, recall, f, support = lib.classic.metrics.precision_recall_fscore_support(
        y_true, y_pred, labels=labels, beta=beta, zero_division=zero_division
    )
    return {"precision": precision, "recall": recall, "f": f, "support": support + 0.0}


@each_class.cases
def _(draw):
    return draw_classes(draw) | dict(beta=draw.choice([1.0, 2.0, 0.5, 0.0]), zero_division=draw.choice([0.0, 1.0, NAN]))


@each_class.edges
def _():
    edges = [edge | dict(beta=1.0, zero_division=0.0) for edge in class_edges()]
    return [
        *edges,
        class_edges()[3] | dict(beta=2.0, zero_division=NAN),
        class_edges()[0] | dict(beta=math.inf, zero_division=1.0),
    ]


@each_class.oracle
def _(y_true, y_pred, labels, beta, zero_division):
    labels = sorted({*y_true, *y_pred}) if labels is None else labels
    beta = min(beta, 1e9)  # as good as infinity
    tables = [four_cells(y_true, y_pred, label) for label in labels]
    precision, recall, f = np.array([rates(c, beta, zero_division) for c in tables], dtype=np.float64).T
    return {"precision": precision, "recall": recall, "f": f, "support": np.array([c[0] + c[2] + 0.0 for c in tables])}


@checkpoint(
    "Micro, macro and weighted averages; a label that never occurs counts if it was given", atol=1e-12, count=12
)
def averages(lib, y_true, y_pred, labels, zero_division):
    rates = lib.classic.metrics.precision_recall_fscore_support
    return {
        average: list(rates(y_true, y_pred, labels=labels, average=average, zero_division=zero_division))
        for average in ("micro", "macro", "weighted")
    }


@averages.cases
def _(draw):
    return draw_classes(draw) | dict(zero_division=draw.choice([0.0, 1.0, NAN]))


@averages.edges
def _():
    return [edge | dict(zero_division=z) for edge in class_edges() for z in (0.0, NAN)]


@averages.oracle
def _(y_true, y_pred, labels, zero_division):
    return {
        way: [*averaged(y_true, y_pred, labels, way, zero_division), None] for way in ("micro", "macro", "weighted")
    }


@checkpoint("The binary scores are those of the positive class, and F-beta leans to recall", atol=1e-12, count=12)
def binary(lib, y_true, y_pred, pos_label, beta):
    m = lib.classic.metrics
    options = dict(pos_label=pos_label, zero_division=0.0)
    return {
        "precision": m.precision_score(y_true, y_pred, **options),
        "recall": m.recall_score(y_true, y_pred, **options),
        "f1": m.f1_score(y_true, y_pred, **options),
        "fbeta": m.fbeta_score(y_true, y_pred, beta=beta, **options),
    }


@binary.cases
def _(draw):
    n = draw.integer(2, 10)
    names = draw.choice([[0, 1], ["no", "yes"], [-1, 1]])
    y_true, y_pred = ([names[i] for i in draw.integers(0, 1, n)] for _ in range(2))
    y_true[:2] = names  # both classes are there, so that either may be the positive one
    return dict(y_true=y_true, y_pred=y_pred, pos_label=names[draw.choice([1, 0])], beta=draw.choice([2.0, 0.5, 3.0]))


@binary.edges
def _():
    y_true = [1, 1, 1, 0, 0, 0, 0, 0]
    return [
        dict(y_true=y_true, y_pred=[1, 1, 0, 1, 0, 0, 0, 0], pos_label=1, beta=2.0),
        dict(y_true=y_true, y_pred=[1, 0, 0, 0, 0, 0, 0, 0], pos_label=1, beta=2.0),
        dict(y_true=y_true, y_pred=[0] * 8, pos_label=1, beta=2.0),
        dict(y_true=y_true, y_pred=[0] * 8, pos_label=0, beta=0.5),
    ]


@binary.oracle
def _(y_true, y_pred, pos_label, beta):
    one = averaged(y_true, y_pred, None, "binary", 0.0, 1.0, pos_label)
    return dict(zip(("precision", "recall", "f1"), one)) | {
        "fbeta": averaged(y_true, y_pred, None, "binary", 0.0, beta, pos_label)[2]
    }


@checkpoint("Accuracy, balanced accuracy, and the correlation of Matthews", atol=1e-12, count=12)
def whole(lib, y_true, y_pred):
    m = lib.classic.metrics
    return {
        "accuracy": m.accuracy_score(y_true, y_pred),
        "hits": m.accuracy_score(y_true, y_pred, normalize=False),
        "balanced": m.balanced_accuracy_score(y_true, y_pred),
        "matthews": m.matthews_corrcoef(y_true, y_pred),
    }


@whole.cases
def _(draw):
    case = draw_classes(draw)
    return dict(y_true=case["y_true"], y_pred=case["y_pred"])


@whole.edges
def _():
    return [dict(y_true=edge["y_true"], y_pred=edge["y_pred"]) for edge in class_edges()] + [
        dict(y_true=[0] * 9 + [1], y_pred=[0] * 10),
        dict(y_true=[0, 0, 1, 1], y_pred=[1, 1, 0, 0]),
    ]


@whole.oracle
def _(y_true, y_pred):
    hits = sum(t == p for t, p in zip(y_true, y_pred))
    labels = sorted({*y_true, *y_pred})
    recalls = [rates(four_cells(y_true, y_pred, label), 1.0, 0.0)[1] for label in set(y_true)]
    T, P = (np.array([[label == y for label in labels] for y in ys], dtype=float) for ys in (y_true, y_pred))
    T, P = T - T.mean(axis=0), P - P.mean(axis=0)  # indicators, centred: the correlation by its definition
    variances = (T * T).sum() * (P * P).sum()
    return {
        "accuracy": hits / len(y_true),
        "hits": float(hits),
        "balanced": sum(recalls) / len(recalls),
        "matthews": float((T * P).sum() / np.sqrt(variances)) if variances > 0 else 0.0,
    }


# --------------------------------------------------------------------------------------------------------- ranking


@checkpoint("The four cells at each threshold; equal scores pass it together", atol=1e-12, count=12)
def thresholds(lib, y_true, y_score):
    tns, fps, fns, tps, at = lib.classic.ranking.confusion_matrix_at_thresholds(y_true, y_score)
    return {"thresholds": at, "tns": tns, "fps": fps, "fns": fns, "tps": tps}


@thresholds.cases
def _(draw):
    return draw_scores(draw)


@thresholds.edges
def _():
    return score_edges()


@thresholds.oracle
def _(y_true, y_score):
    return dict(zip(("thresholds", "tns", "fps", "fns", "tps"), sweep(y_true, y_score)))


@checkpoint(
    "The ROC curve, from (0, 0) to (1, 1), with and without the points on straight stretches", atol=1e-12, count=12
)
def roc(lib, y_true, y_score):
    curve = lib.classic.ranking.roc_curve
    fpr, tpr, at = quietly(curve, y_true, y_score, drop_intermediate=False)
    fewer = quietly(curve, y_true, y_score)
    return {"fpr": fpr, "tpr": tpr, "thresholds": at, "without": list(fewer)}


@roc.cases
def _(draw):
    return draw_scores(draw)


@roc.edges
def _():
    return score_edges()


@roc.oracle
def _(y_true, y_score):
    at, _, fps, _, tps = sweep(y_true, y_score)
    kept = [
        i
        for i in range(len(at))
        if i in (0, len(at) - 1)
        or (fps[i] - fps[i - 1], tps[i] - tps[i - 1]) != (fps[i + 1] - fps[i], tps[i + 1] - tps[i])
    ]
    fpr, tpr = (c / c[-1] if c[-1] else c + NAN for c in (np.append(0.0, fps), np.append(0.0, tps)))
    at = np.append(np.inf, at)
    few = [0, *(i + 1 for i in kept)]
    return {"fpr": fpr, "tpr": tpr, "thresholds": at, "without": [fpr[few], tpr[few], at[few]]}


@checkpoint(
    "The area three ways: under the curve, by ranks, by pairs, a tie being half; the order of rows has no say",
    atol=1e-12,
    count=12,
)
def area(lib, y_true, y_score):
    r = lib.classic.ranking
    fpr, tpr, _ = r.roc_curve(y_true, y_score)
    return {
        "ranks": r.average_ranks(y_score),
        "by pairs": r.auc_by_pairs(y_true, y_score),
        "by ranks": r.auc_by_ranks(y_true, y_score),
        "of the curve": r.auc(fpr, tpr),
        "score": r.roc_auc_score(y_true, y_score),
        "rows reversed": r.roc_auc_score(y_true[::-1], y_score[::-1]),
    }


@area.cases
def _(draw):
    return draw_scores(draw, both=True)


@area.edges
def _():
    return score_edges(both=True)


@area.oracle
def _(y_true, y_score):
    ranks = [1 + sum(o < s for o in y_score) + (sum(o == s for o in y_score) - 1) / 2 for s in y_score]
    share = share_of_pairs(y_true == 1, y_score)
    ways = ("by pairs", "by ranks", "of the curve", "score", "rows reversed")
    return {"ranks": np.array(ranks), **dict.fromkeys(ways, share)}


@checkpoint("The area under any curve whose x only rises, or only falls", atol=1e-12, count=10)
def any_curve(lib, x, y):
    return [lib.classic.ranking.auc(x, y), lib.classic.ranking.auc(x[::-1], y[::-1])]


@any_curve.cases
def _(draw):
    n = draw.integer(2, 6)
    return dict(x=np.sort(draw.integers(0, 6, n)) / 4, y=draw.normal(n))


@any_curve.edges
def _():
    return [
        dict(x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0])),
        dict(x=np.array([0.0, 0.5, 0.5, 2.0]), y=np.array([1.0, 1.0, 3.0, 0.0])),
    ]


@any_curve.oracle
def _(x, y):
    area = sum((b - a) * (s + t) / 2 for a, b, s, t in zip(x, x[1:], y, y[1:]))
    return [float(area), float(area)]


@checkpoint("Precision against recall, and average precision as a sum of steps", atol=1e-12, count=12)
def precision_recall(lib, y_true, y_score):
    r = lib.classic.ranking
    precision, recall, at = quietly(r.precision_recall_curve, y_true, y_score)
    average = quietly(r.average_precision_score, y_true, y_score)
    return {"precision": precision, "recall": recall, "thresholds": at, "average precision": average}


@precision_recall.cases
def _(draw):
    return draw_scores(draw)


@precision_recall.edges
def _():
    return score_edges()


@precision_recall.oracle
def _(y_true, y_score):
    at, _, fps, _, tps = sweep(y_true, y_score)
    positives = sum(y_true)
    points = [(1.0, 0.0)] + [(tp / (tp + fp), tp / positives if positives else 1.0) for tp, fp in zip(tps, fps)]
    steps = [(r - before) * p for (_, before), (p, r) in pairwise(points)]
    precision, recall = np.array(points[::-1]).T
    return {"precision": precision, "recall": recall, "thresholds": at[::-1], "average precision": float(sum(steps))}


# --------------------------------------------------------------------------------------------------- probabilities


@checkpoint(
    "Log loss in nats: clipped, columns in ascending order of the classes, absent classes named",
    atol=1e-9,
    rtol=1e-6,
    count=12,
)
def log_loss(lib, y_true, y_proba, labels):
    loss = lib.classic.probabilities.log_loss
    return [loss(y_true, y_proba, labels=labels), loss(y_true, y_proba, labels=labels, normalize=False)]


@log_loss.cases
def _(draw):
    k, n = draw.choice([2, 3, 4]), draw.integer(1, 8)
    names = draw.choice([[0, 1, 2, 3], ["ant", "bee", "cow", "dog"]])[:k]
    p = draw.integers(0, 4, n, k) + 0.0
    p[p.sum(axis=1) == 0] = 1.0
    p /= p.sum(axis=1, keepdims=True)
    y_true = [names[i] for i in draw.integers(0, k - 1, n)]
    labels = [names[i] for i in draw.permutation(k)]
    if set(y_true) == set(names) and draw.boolean():
        labels = None
    return dict(y_true=y_true, y_proba=p[:, 1] if k == 2 and draw.boolean() else p, labels=labels)


@log_loss.edges
def _():
    half = np.array([0.5, 0.5])
    return [
        dict(y_true=[0, 1], y_proba=half, labels=None),
        dict(y_true=[0, 1], y_proba=np.array([0.25, 0.25]), labels=None),
        dict(y_true=[1, 1], y_proba=half, labels=[0, 1]),
        dict(y_true=[0, 1], y_proba=np.array([1.0, 0.0]), labels=None),
        dict(y_true=[0, 1], y_proba=np.array([0.0, 1.0]), labels=None),
        dict(y_true=["no", "yes"], y_proba=np.array([[0.75, 0.25], [0.5, 0.5]]), labels=["yes", "no"]),
        dict(y_true=[1, 0], y_proba=np.array([[1.0, 0.0], [0.75, 0.25]], dtype=np.float32), labels=None),
    ]


@log_loss.oracle
def _(y_true, y_proba, labels):
    classes = sorted(set(y_true) if labels is None else labels)
    e = float(np.finfo(y_proba.dtype).eps)
    rows = [[1 - p, p] for p in y_proba.tolist()] if y_proba.ndim == 1 else y_proba.tolist()
    losses = [-math.log(min(max(row[classes.index(y)], e), 1 - e)) for y, row in zip(y_true, rows)]
    return [sum(losses) / len(losses), sum(losses)]


@checkpoint("The Brier score of the positive class", atol=1e-12, count=10)
def brier(lib, y_true, y_proba, pos_label):
    return lib.classic.probabilities.brier_score_loss(y_true, y_proba, pos_label=pos_label)


@brier.cases
def _(draw):
    n = draw.integer(1, 8)
    names = draw.choice([[0, 1], ["no", "yes"]])
    p = draw.integers(0, 8, n) / 8
    return dict(y_true=[names[i] for i in draw.integers(0, 1, n)], y_proba=p, pos_label=names[1])


@brier.edges
def _():
    return [
        dict(y_true=[0, 1], y_proba=np.array([0.25, 0.75]), pos_label=None),
        dict(y_true=[1, 1], y_proba=np.array([1.0, 0.0]), pos_label=None),
        dict(y_true=[0, 0], y_proba=np.array([0.5, 0.25]), pos_label=0),
    ]


@brier.oracle
def _(y_true, y_proba, pos_label):
    pos_label = 1 if pos_label is None else pos_label
    return float(sum((p - (y == pos_label)) ** 2 for y, p in zip(y_true, y_proba)) / len(y_true))


@checkpoint(
    "The calibration curve: bins closed on the right, empty ones left out, uniform or by quantiles",
    atol=1e-12,
    count=12,
)
def calibration(lib, y_true, y_prob, n_bins, strategy):
    p = lib.classic.probabilities
    came, called = p.calibration_curve(y_true, y_prob, n_bins=n_bins, strategy=strategy)
    return {"edges": p.bin_edges(y_prob, n_bins, strategy), "came": came, "called": called}


@calibration.cases
def _(draw):
    # on a grid of sixteenths edges and quantiles are exact in floats, and no rounding puts a sample on another side
    n = draw.integer(1, 10)
    return dict(
        y_true=draw.integers(0, 1, n),
        y_prob=draw.integers(0, 16, n) / 16,
        n_bins=draw.choice([2, 4, 1, 8]),
        strategy=draw.choice(["uniform", "quantile"]),
    )


@calibration.edges
def _():
    y, p = np.array([0, 0, 1, 1]), np.array([0.0, 0.5, 0.75, 1.0])
    return [
        dict(y_true=y, y_prob=p, n_bins=2, strategy="uniform"),
        dict(y_true=y, y_prob=p, n_bins=4, strategy="uniform"),
        dict(y_true=y, y_prob=p, n_bins=2, strategy="quantile"),
        dict(y_true=np.ones(3, dtype=int), y_prob=np.ones(3), n_bins=5, strategy="uniform"),
        dict(y_true=y, y_prob=np.array([0.25, 0.25, 0.25, 0.75]), n_bins=4, strategy="quantile"),
    ]


@calibration.oracle
def _(y_true, y_prob, n_bins, strategy):
    edges = np.arange(n_bins + 1) / n_bins
    if strategy == "quantile":
        place = edges * (len(y_prob) - 1)
        low = np.floor(place).astype(int)
        p = np.sort(y_prob)
        edges = p[low] + (place - low) * (p[np.minimum(low + 1, len(p) - 1)] - p[low])
    bins = {}
    for y, p in zip(y_true.tolist(), y_prob.tolist()):
        bins.setdefault(sum(edge < p for edge in edges[1:-1]), []).append((y, p))
    means = [np.mean(bins[i], axis=0) for i in sorted(bins)]
    return {"edges": edges, "came": np.array([m[0] for m in means]), "called": np.array([m[1] for m in means])}


# --------------------------------------------------------------------------------------------------------- numbers


@checkpoint("Squared error, absolute error and R^2, for one column or several, a constant y too", atol=1e-9, count=12)
def numbers(lib, y_true, y_pred):
    m = lib.classic.metrics
    return {
        "mse": m.mean_squared_error(y_true, y_pred),
        "mae": m.mean_absolute_error(y_true, y_pred),
        "r2": m.r2_score(y_true, y_pred),
        "r2 of the columns": m.r2_score(y_true, y_pred, multioutput="raw_values"),
    }


@numbers.cases
def _(draw):
    n, k = draw.integer(2, 6), draw.integer(1, 3)
    y_true = draw.integers(-8, 8, n, k) / 2
    y_pred = y_true + draw.integers(-4, 4, n, k) / 2
    return dict(y_true=y_true, y_pred=y_pred) if k > 1 else dict(y_true=y_true[:, 0], y_pred=y_pred[:, 0])


@numbers.edges
def _():
    y = np.array([1.0, 2.0, 4.0])
    return [
        dict(y_true=y, y_pred=np.array([1.0, 2.0, 3.0])),
        dict(y_true=y, y_pred=np.full(3, 2.0)),
        dict(y_true=np.full(3, 2.0), y_pred=np.full(3, 2.0)),
        dict(y_true=np.full(3, 2.0), y_pred=y),
        dict(y_true=np.ones(1), y_pred=np.zeros(1)),
        dict(y_true=y, y_pred=y[:, None] + 1.0),
        dict(y_true=y + 1e8, y_pred=y + 1e8 + 1.0),
    ]


@numbers.oracle
def _(y_true, y_pred):
    y_true, y_pred = (y.reshape(len(y), -1) for y in (y_true, y_pred))
    error = y_true - y_pred
    missed, spread = (error**2).sum(axis=0), ((y_true - y_true.mean(axis=0)) ** 2).sum(axis=0)
    r2 = np.array([1 - m / s if s else float(m == 0) for m, s in zip(missed, spread)])
    mse, mae = float(np.mean(error**2)), float(np.mean(np.abs(error)))
    return {"mse": mse, "mae": mae, "r2": float(r2.mean()), "r2 of the columns": r2}


# --------------------------------------------------------------------------------------------------------- weights


@checkpoint("A sample of weight 2 counts as two, in every cell, rate and mean", atol=1e-9, count=10)
def weights_of_classes(lib, y_true, y_pred, labels, sample_weight):
    m = lib.classic.metrics
    options = dict(sample_weight=sample_weight)
    numbers = np.arange(len(y_true)) * 0.5, np.arange(len(y_true))[::-1] ** 2 * 0.25
    return {
        "accuracy": m.accuracy_score(y_true, y_pred, **options),
        "counts": m.confusion_matrix(y_true, y_pred, labels=labels, **options),
        "f": [
            m.f1_score(y_true, y_pred, labels=labels, average=a, zero_division=0.0, **options)
            for a in ("micro", "macro", "weighted")
        ],
        "balanced": m.balanced_accuracy_score(y_true, y_pred, **options),
        "mse": m.mean_squared_error(*numbers, **options),
        "mae": m.mean_absolute_error(*numbers, **options),
        "r2": m.r2_score(*numbers, **options),
    }


@weights_of_classes.cases
def _(draw):
    return draw_classes(draw, weighted=True)


@weights_of_classes.edges
def _():
    return [edge | dict(sample_weight=np.arange(1, len(edge["y_true"]) + 1) / 2) for edge in class_edges()]


@weights_of_classes.oracle
def _(y_true, y_pred, labels, sample_weight):
    w = sample_weight
    hit = np.array([t == p for t, p in zip(y_true, y_pred)])
    names = sorted({*y_true, *y_pred}) if labels is None else labels
    counts = [[sum(w[i] for i in range(len(w)) if (y_true[i], y_pred[i]) == (a, b)) for b in names] for a in names]
    recalls = [rates(four_cells(y_true, y_pred, label, w), 1.0, 0.0)[1] for label in set(y_true)]
    y, z = np.arange(len(w)) * 0.5, np.arange(len(w))[::-1] ** 2 * 0.25
    missed, spread = (w * (y - z) ** 2).sum(), (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
    return {
        "accuracy": float((w * hit).sum() / w.sum()),
        "counts": np.array(counts, dtype=np.float64),
        "f": [averaged(y_true, y_pred, labels, a, 0.0, sample_weight=w)[2] for a in ("micro", "macro", "weighted")],
        "balanced": float(sum(recalls) / len(recalls)),
        "mse": float(missed / w.sum()),
        "mae": float((w * np.abs(y - z)).sum() / w.sum()),
        "r2": float(1 - missed / spread) if spread else float(missed == 0),
    }


@checkpoint(
    "Weights count on the curves and in the losses, and a sample of weight 0 makes no threshold", atol=1e-9, count=10
)
def weights_of_scores(lib, y_true, y_score, sample_weight):
    r, p = lib.classic.ranking, lib.classic.probabilities
    _, fps, _, tps, at = r.confusion_matrix_at_thresholds(y_true, y_score, sample_weight=sample_weight)
    return {
        "cells": [at, fps, tps],
        "area": r.roc_auc_score(y_true, y_score, sample_weight=sample_weight),
        "average precision": r.average_precision_score(y_true, y_score, sample_weight=sample_weight),
        "log loss": p.log_loss(y_true, y_score, sample_weight=sample_weight),
        "brier": p.brier_score_loss(y_true, y_score, sample_weight=sample_weight),
    }


@weights_of_scores.cases
def _(draw):
    n = draw.integer(2, 8)
    y_true, weights = draw.integers(0, 1, n), draw.integers(0, 8, n) / 4
    y_true[:2], weights[:2] = [0, 1], [1.0, 0.5]
    return dict(y_true=y_true, y_score=draw.integers(1, 7, n) / 8, sample_weight=weights)


@weights_of_scores.edges
def _():
    y, score = np.array([0, 1, 0, 1]), np.array([0.25, 0.25, 0.5, 0.75])
    return [
        dict(y_true=y, y_score=score, sample_weight=w)
        for w in (np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    ]


@weights_of_scores.oracle
def _(y_true, y_score, sample_weight):
    seen = sample_weight > 0
    y, s, w = y_true[seen], y_score[seen], sample_weight[seen]
    at, _, fps, _, tps = sweep(y, s, w)
    pairs = [
        (w[i] * w[j], (s[i] > s[j]) + (s[i] == s[j]) / 2) for i in np.flatnonzero(y) for j in np.flatnonzero(y == 0)
    ]
    return {
        "cells": [at, fps, tps],
        "area": float(sum(a * b for a, b in pairs) / sum(a for a, _ in pairs)),
        "average precision": sum_of_steps(tps, fps),
        "log loss": float(-(w * np.log(np.where(y == 1, s, 1 - s))).sum() / w.sum()),
        "brier": float((w * (s - y) ** 2).sum() / w.sum()),
    }


# --------------------------------------------------------------------------------------------------------- further


@checkpoint(
    "Several classes: the area one against the rest and one against one, average precision, Brier",
    atol=1e-9,
    stretch=True,
    count=3,
)
def several(lib, y_true, y_proba):
    r = lib.classic.ranking
    auc = {
        f"{way} {average}": r.roc_auc_score(y_true, y_proba, multi_class=way, average=average)
        for way, average in [
            ("ovr", "macro"),
            ("ovr", "weighted"),
            ("ovr", "micro"),
            ("ovo", "macro"),
            ("ovo", "weighted"),
        ]
    }
    return auc | {
        "average precision": r.average_precision_score(y_true, y_proba, average="weighted"),
        "brier": lib.classic.probabilities.brier_score_loss(y_true, y_proba),
    }


@several.cases
def _(draw):
    k = draw.choice([3, 4])
    n = draw.integer(k, 10)
    p = draw.integers(1, 4, n, k) + 0.0
    y_true = np.append(np.arange(k), draw.integers(0, k - 1, n - k)) if n > k else np.arange(k)
    return dict(y_true=y_true, y_proba=p / p.sum(axis=1, keepdims=True))


@several.edges
def _():
    p = np.array([[2.0, 1, 1], [1, 2, 1], [1, 2, 1], [2, 1, 1], [1, 1, 2]]) / 4
    return [dict(y_true=np.array([0, 1, 2, 1, 2]), y_proba=p)]


@several.oracle
def _(y_true, y_proba):
    k = y_proba.shape[1]
    is_class = y_true[:, None] == np.arange(k)  # (n, k)
    rest = [share_of_pairs(is_class[:, j], y_proba[:, j]) for j in range(k)]
    duels, sizes = [], []
    for a, b in combinations(range(k), 2):
        two = is_class[:, a] | is_class[:, b]
        duels.append(np.mean([share_of_pairs(is_class[two, j], y_proba[two, j]) for j in (a, b)]))
        sizes.append(two.sum())
    precision = []
    for j in range(k):
        _, _, fps, _, tps = sweep(is_class[:, j], y_proba[:, j])
        precision.append(sum_of_steps(tps, fps))
    shares = is_class.mean(axis=0)
    return {
        "ovr macro": float(np.mean(rest)),
        "ovr weighted": float(shares @ rest),
        "ovr micro": share_of_pairs(is_class.ravel(), y_proba.ravel()),
        "ovo macro": float(np.mean(duels)),
        "ovo weighted": float(np.average(duels, weights=sizes)),
        "average precision": float(shares @ precision),
        "brier": float(((y_proba - is_class) ** 2).sum(axis=1).mean()),
    }


@checkpoint("What is undefined is warned of, and what means nothing is refused", stretch=True, count=0)
def refused(lib, what):
    m, r, p = lib.classic.metrics, lib.classic.ranking, lib.classic.probabilities
    call = {
        "precision of no predictions": lambda: m.precision_score([0, 1], [0, 0]),
        "recall of no positives": lambda: m.recall_score([0, 0], [0, 1]),
        "area of one class": lambda: r.roc_auc_score([1, 1], [0.25, 0.5]),
        "rate of no negatives": lambda: r.roc_curve([1, 1], [0.25, 0.5])[1][-1],
        "three classes and one positive": lambda: m.f1_score([0, 1, 2], [0, 1, 2]),
        "a positive class that is none": lambda: m.f1_score(["a", "b"], ["a", "b"]),
        "labels that do not occur": lambda: m.confusion_matrix([0, 1], [0, 1], labels=[2]),
        "a curve that turns": lambda: r.auc([0.0, 1.0, 0.5], [0.0, 1.0, 1.0]),
        "NaN for a score": lambda: r.roc_auc_score([0, 1], [0.5, NAN]),
        "more than certain": lambda: p.log_loss([0, 1], [0.5, 1.5]),
        "less than impossible": lambda: p.calibration_curve([0, 1], [0.5, -0.5]),
        "one class and no labels": lambda: p.log_loss([1, 1], [0.5, 0.5]),
        "three classes and no way": lambda: r.roc_auc_score([0, 1, 2], np.full((3, 3), 1 / 3)),
    }[what]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = float(call())
        except ValueError:
            return "ValueError"
    return [
        value,
        "UndefinedMetricWarning" if any("Undefined" in w.category.__name__ for w in caught) else "no warning",
    ]


ANSWERS = {
    "precision of no predictions": 0.0,
    "recall of no positives": 0.0,
    "area of one class": NAN,
    "rate of no negatives": 1.0,
}
REFUSED = [
    "three classes and one positive",
    "a positive class that is none",
    "labels that do not occur",
    "a curve that turns",
    "NaN for a score",
    "more than certain",
    "less than impossible",
    "one class and no labels",
    "three classes and no way",
]


@refused.edges
def _():
    return [dict(what=name) for name in (*ANSWERS, *REFUSED)]


@refused.oracle
def _(what):
    return [ANSWERS[what], "UndefinedMetricWarning"] if what in ANSWERS else "ValueError"
