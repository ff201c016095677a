"""Pictures of runs: curves and bands by step, attention, samples, mistakes, sweeps. matplotlib is imported when one is drawn."""

from __future__ import annotations

import textwrap
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


def smoothed(values: Sequence[float], weight: float) -> NDArray[np.float64]:
    """The exponential mean of a curve, weight in [0, 1) the share that the past has, started without a pull to 0; NaN is passed over."""
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight is at least 0 and below 1, not {weight}")
    found, mean, total = np.empty(len(values)), 0.0, 0.0
    for i, value in enumerate(values):
        if np.isfinite(value):
            mean, total = weight * mean + (1 - weight) * value, weight * total + (1 - weight)
        found[i] = mean / total if total else np.nan
    return found


def band(
    curves_of_seeds: Sequence[tuple[Sequence[float], Sequence[float]]], weight: float = 0.0
) -> tuple[Any, Any, Any, Any]:
    """Curves (steps, values) of one thing under several seeds -> steps, mean, lowest, highest, on the steps of the first as far
    as all of them go; each is smoothed first, and read between its steps by a straight line.
    """
    first, last = max(steps[0] for steps, _ in curves_of_seeds), min(steps[-1] for steps, _ in curves_of_seeds)
    grid = np.array([step for step in curves_of_seeds[0][0] if first <= step <= last], float)
    rows = np.array(
        [np.interp(grid, steps, smoothed(values, weight)) for steps, values in curves_of_seeds]
    )  # (seeds, steps)
    return grid, rows.mean(axis=0), rows.min(axis=0), rows.max(axis=0)


def bands(
    panels: Mapping[str, Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]]], weight: float = 0.0
) -> Any:
    """By metric a panel, by group a line: the mean over the group's seeds, in a band from the lowest seed to the highest."""
    figure, grid = _grid(len(panels), columns=min(2, len(panels)), size=(5.2, 3.4))
    for axes, (metric, groups) in zip(grid, panels.items()):
        for (name, seeds), colour in zip(groups.items(), MID * (1 + len(groups) // len(MID))):
            steps, mean, low, high = band(seeds, weight)
            axes.plot(steps, mean, color=colour, lw=1.4, label=f"{name} ({len(seeds)})")
            if len(seeds) > 1:
                axes.fill_between(steps, low, high, color=colour, alpha=0.2, lw=0)
        axes.set_xlabel("step")
        axes.set_ylabel(metric)
    grid[0].legend(frameon=False)
    figure.tight_layout()
    return figure


def attention(weights: NDArray[Any], tokens: Sequence[str] = (), columns: int = 4) -> Any:
    """Attention of one layer, (heads, T, T), who asks in rows, who is looked at in columns -> a panel for each head."""
    figure, grid = _grid(len(weights), min(columns, len(weights)), size=(2.6, 2.6))
    for head, (axes, matrix) in enumerate(zip(grid, weights)):
        axes.imshow(matrix, cmap="Blues", vmin=0, vmax=max(float(np.max(matrix)), 1e-12))
        axes.set_title(f"head {head}", fontsize=8, color=INK)
        places = range(len(tokens))
        axes.set_xticks(places, tokens, fontsize=6, rotation=90)
        axes.set_yticks(places, tokens if head % columns == 0 else [], fontsize=6)
        if not tokens:
            axes.set_xticks([])
            axes.set_yticks([])
    figure.tight_layout()
    return figure


def samples(texts: Sequence[tuple[int, str]], width: int = 88, lines: int = 4) -> Any:
    """What a model wrote at some steps of its training (step, text), one below the other, each cut to so many lines."""
    blocks = [
        (step, [w for line in text.splitlines() for w in textwrap.wrap(line, width) or [""]][:lines])
        for step, text in texts
    ]
    height = sum(len(block) + 1.0 for _, block in blocks)
    figure, axes = _figure((7.2, 0.17 * height + 0.2))
    axes.axis("off")
    axes.set_xlim(0, 1)
    axes.set_ylim(height, 0)
    at = 0.0
    for step, block in blocks:
        axes.text(0.0, at, f"step {step:,}", fontsize=8, color=MID[0], va="top")
        axes.text(
            0.14, at, "\n".join(block).replace("$", r"\$"), fontsize=7.5, family="monospace", va="top", linespacing=1.3
        )
        at += len(block) + 1.0
    return figure


def importance(shares: Mapping[str, float]) -> Any:
    """How much of a metric's spread each parameter of a sweep accounts for, the largest on top."""
    names = sorted(shares, key=lambda name: shares[name])
    figure, axes = _figure((5.6, 0.35 * len(names) + 0.9))
    axes.barh(names, [shares[name] for name in names], color=MID[0])
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the spread")
    return figure


def trials(values: Mapping[str, Sequence[float]], metric: Sequence[float], name: str, log: Sequence[str] = ()) -> Any:
    """Of a sweep: the metric of each trial against each numeric parameter; those in `log` on a logarithmic axis."""
    figure, grid = _grid(len(values), columns=min(3, len(values)), size=(3.2, 2.8))
    for axes, (parameter, drawn) in zip(grid, values.items()):
        axes.scatter(drawn, metric, s=14, color=MID[1])
        axes.set_xlabel(parameter)
        axes.set_ylabel(name)
        if parameter in log:
            axes.set_xscale("log")
    figure.tight_layout()
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


def _grid(count: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure of so many panels, each of a size in inches, and its axes in order."""
    pyplot, rows = _pyplot(), -(-count // columns)
    with pyplot.rc_context(STYLE_OF_PLOTS):
        figure, grid = pyplot.subplots(rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False)
    for axes in list(grid.flat)[count:]:
        axes.axis("off")
    return figure, list(grid.flat)[:count]


def _figure(size: tuple[float, float]) -> Any:
    pyplot = _pyplot()
    with pyplot.rc_context(STYLE_OF_PLOTS):
        return pyplot.subplots(figsize=size)
