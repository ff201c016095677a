"""Pictures of runs: curves by step, a confusion matrix, the worst mistakes. matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INK, PAPER = "#1f2328", "#faf8f3"
MID = ("#2b7a9e", "#a8402a", "#8a6d1f", "#5b7f3a", "#7a5195", "#6b7280")  # legible on light and on dark paper
STYLE_OF_PLOTS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "savefig.bbox": "tight",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **{name: INK for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")},
    **{name: PAPER for name in ("figure.facecolor", "axes.facecolor", "savefig.facecolor")},
}


def save(figure: Any, path: Path) -> Path:
    """Writes a figure as PNG and closes it."""
    from matplotlib import pyplot

    figure.savefig(path, dpi=144, bbox_inches="tight")
    pyplot.close(figure)
    return path


def curves(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], ylabel: str, log: bool = False) -> Any:
    """Named curves (steps, values) over each other -> a matplotlib figure."""
    figure, axes = _figure((6.4, 3.6))
    for (name, (steps, values)), colour in zip(series.items(), MID * (1 + len(series) // len(MID))):
        axes.plot(steps, values, color=colour, lw=1.4, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)
    if log:
        axes.set_yscale("log")
    if len(series) > 1:
        axes.legend()
    return figure


def confusion(matrix: NDArray[np.int64], classes: Sequence[str]) -> Any:
    """Counts (k, k), what is true in rows, what was said in columns -> a figure. Mistakes give the shade, not the hits."""
    figure, axes = _figure((5.2, 4.8))
    mistakes = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()) * 1.6)
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            if count:
                axes.text(j, i, str(count), ha="center", va="center", fontsize=7, color=INK)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    return figure


def pictures(images: NDArray[Any], captions: Sequence[str], columns: int = 8) -> Any:
    """Grey images (n, h, w) in a grid, a caption above each -> a figure."""
    rows = max(1, -(-len(images) // columns))
    pyplot = _pyplot()
    with pyplot.rc_context(STYLE_OF_PLOTS):
        figure, grid = pyplot.subplots(rows, columns, figsize=(1.05 * columns, 1.3 * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, caption in zip(grid.flat, images, captions):
        axes.imshow(image, cmap="gray_r")
        axes.set_title(caption, fontsize=7, color=INK)
    return figure


def classification(record: Any, images: NDArray[Any], labels: NDArray[np.int64], scores: NDArray[Any]) -> None:
    """Of a run that has logged "loss", kept with it: loss.png by step, confusion.png, and worst.png, the mistakes that were
    made with the most conviction. images (n, h, w), labels (n,) of 0..k-1, scores (n, k), log-odds or log-probabilities.
    """
    logged = record.metrics("loss")
    width = max(1, len(logged) // 200)
    whole = len(logged) // width * width
    steps = [step for step, _ in logged][:whole:width]
    smooth = np.array([loss for _, loss in logged][:whole]).reshape(-1, width).mean(axis=1)
    figure = curves({"loss": (steps, list(smooth))}, "cross-entropy, nats", log=True)
    record.keep(save(figure, record.folder / "loss.png"))

    classes, said = scores.shape[1], scores.argmax(axis=1)
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, said), 1)
    record.keep(save(confusion(matrix, [str(i) for i in range(classes)]), record.folder / "confusion.png"))

    rows = np.arange(len(labels))
    lead = scores[rows, said] - scores[rows, labels]  # log-odds of what was said against what is true
    worst = np.argsort(-lead)[: min(32, np.sum(said != labels))]
    captions = [f"{labels[i]}, said {said[i]}" for i in worst]
    record.keep(save(pictures(images[worst], captions), record.folder / "worst.png"))


def _pyplot() -> Any:
    import matplotlib

    if matplotlib.get_backend().lower() not in ("agg", "module://matplotlib_inline.backend_inline"):
        matplotlib.use("agg")
    from matplotlib import pyplot

    return pyplot


def _figure(size: tuple[float, float]) -> Any:
    pyplot = _pyplot()
    with pyplot.rc_context(STYLE_OF_PLOTS):
        return pyplot.subplots(figsize=size)
