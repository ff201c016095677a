"""Where to draw the line (2.11): what a threshold finds, what it alarms, and what the share of the ill does to both."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from .explorable import Drawn, Explorable, Slider, Values, arrays, panels

PEOPLE = 4000
LOW = -4.0
HIGH = 7.0


def normal_scores(n: int) -> Any:
    """The scores of n people as evenly spread as a normal distribution allows: no luck in them."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile((i + 0.5) / n) for i in range(n)])


def compute(lib: Any, *, threshold: float, ill: float, apart: float) -> dict[str, Any]:
    """The four scores of this threshold, the ROC curve and the precision by recall of all thresholds."""
    metrics, ranking = lib.classic.metrics, lib.classic.ranking
    sick = (np.arange(PEOPLE) < round(ill * PEOPLE)).astype(np.int64)
    scores = np.concatenate([normal_scores(int(sick.sum())) + apart, normal_scores(int(PEOPLE - sick.sum()))])
    called = (scores >= threshold).astype(np.int64)
    alarms, hits, _ = ranking.roc_curve(sick, scores)
    precision, recall, _ = ranking.precision_recall_curve(sick, scores)
    keep = np.unique(np.linspace(0, len(precision) - 1, 200).astype(int))
    return {
        "accuracy": float(metrics.accuracy_score(sick, called)),
        "precision": float(metrics.precision_score(sick, called, zero_division=0)),
        "recall": float(metrics.recall_score(sick, called, zero_division=0)),
        "f1": float(metrics.f1_score(sick, called, zero_division=0)),
        "cells": metrics.confusion_matrix(sick, called, labels=[1, 0]),
        "auc": float(ranking.roc_auc_score(sick, scores)),
        "scores": scores, "sick": sick, "alarms": alarms, "hits": hits, "precisions": precision[keep], "recalls": recall[keep],
    }  # fmt: skip


def draw(values: Values, found: Values) -> Drawn:
    """The scores of both groups with the threshold, and the two curves with this threshold's point."""
    cells, scores, sick = arrays(found, "cells", "scores", "sick")
    (caught, missed), (alarmed, left) = cells.astype(int).tolist()
    nobody = 1 - float(np.mean(sick))
    says = (
        f"Of {caught + missed} ill people {caught} are found, recall {found['recall']:.0%}; of {caught + alarmed} alarmed {caught} are ill, "
        f"precision {found['precision']:.0%}, F {found['f1']:.2f}. Accuracy is {found['accuracy']:.1%}, and {nobody:.1%} for alarming "
        f"nobody. The area under the ROC curve is {found['auc']:.3f}, at whatever threshold."
    )
    rows: list[tuple[Any, ...]] = [
        ("", "called ill", "called healthy"),
        ("is ill", caught, missed),
        ("is healthy", alarmed, left),
    ]
    pictures = people(scores, sick, values["threshold"]), curves(found, alarmed / max(alarmed + left, 1))
    return Drawn(panels(*pictures), rows, says)


def people(scores: Any, sick: Any, threshold: float) -> Markup:
    """How many have which score, the healthy and the ill, each as a share of their own."""
    edges = np.linspace(LOW, HIGH, 45)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    plane = Plane(420, 320, x=(LOW, HIGH), y=(0, 0.14), x_label="score", y_label="share of their group").axes()
    for group, look, name, at in ((0, "s1", "healthy", -1.6), (1, "s2", "ill", 5.0)):
        counts = np.histogram(scores[sick == group], edges)[0] / max(int(np.sum(sick == group)), 1)
        plane.area(middle, np.zeros(len(middle)), counts, look).line(middle, counts, look).text(at, 0.115, name, look)
    plane.segments(threshold, 0, threshold, 0.14, "here solid").text(threshold, 0.14, "alarm →", "here", "start", dy=12)
    return plane.svg(
        f"Scores of the healthy and of the ill; from {threshold:g} on there is an alarm; bars are {width:.2f} wide"
    )


def curves(found: Values, alarm: float) -> Markup:
    """Recall against false alarms (ROC), and precision against recall, on the same square."""
    alarms, hits, precisions, recalls = arrays(found, "alarms", "hits", "precisions", "recalls")
    plane = Plane(
        420, 320, x=(0, 1), y=(0, 1), x_label="false alarms, or recall", y_label="recall, or precision"
    ).axes()
    plane.line([0, 1], [0, 1], "soft thin").line(alarms, hits, "s3 solid").line(recalls, precisions, "s4")
    plane.dots([alarm, found["recall"]], [found["recall"], found["precision"]], "here ring", radius=6)
    plane.text(0.62, 0.56, "ROC: recall by false alarms", "s3 halo", dy=-4).text(
        0.62, 0.46, "precision by recall", "s4 halo"
    )
    return plane.svg(f"The ROC curve with area {found['auc']:.3f}, and precision by recall; rings mark this threshold")


EXPLORABLE = Explorable(
    name="threshold",
    title="Where to draw the line",
    lesson="2.11",
    proves="When few are ill, accuracy is best where hardly anybody is alarmed. Their share does not move the ROC curve, and pulls precision down.",
    controls=(
        Slider("threshold", LOW, HIGH, 1.5, step=0.1),
        Slider("ill", 0.005, 0.5, 0.02, log=True, label="share of the ill"),
        Slider("apart", 0.0, 4.0, 2.0, step=0.1, label="how far apart"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/metrics.py", "classic/ranking.py"),
)
