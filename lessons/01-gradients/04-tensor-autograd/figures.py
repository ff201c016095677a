"""The figures of lesson 1.4."""

import matplotlib.pyplot as plt

from groundup.course.figures import INK

BACK = "#a8402a"


def lines():
    """Three linear operations as lines from operands to results: values go right along them, gradients come back."""
    figure, panels = plt.subplots(1, 3, figsize=(7.6, 2.9), gridspec_kw={"wspace": 0.12})
    _panel(
        panels[0],
        "copy: a row of three\nbroadcast to (2, 3)",
        [10, 20, 30],
        [1, 2, 3, 4, 5, 6],
        [(i % 3, i) for i in range(6)],
    )
    _panel(panels[1], "pick:\nx[[0, 2, 2]]", [1, 2, 3], [1, 10, 100], [(0, 0), (2, 1), (2, 2)])
    _panel(panels[2], "add:\nx.sum()", [1, 2, 3], [5], [(0, 0), (1, 0), (2, 0)])
    return figure


def _panel(axes, title, operand, upstream, joined):
    """operand: values on the left. upstream: gradients on the right. joined: (left, right) pairs with a line between."""
    results = [0] * len(upstream)
    gradients = [0] * len(operand)
    for i, j in joined:
        results[j] += operand[i]
        gradients[i] += upstream[j]
    left = [_height(i, len(operand)) for i in range(len(operand))]
    right = [_height(j, len(upstream)) for j in range(len(upstream))]
    for i, j in joined:
        axes.plot([0.17, 0.83], [left[i], right[j]], color=INK, lw=0.8, alpha=0.55)
    for x, heights, values, back, side in ((0, left, operand, gradients, -1), (1, right, results, upstream, 1)):
        for y, value, gradient in zip(heights, values, back):
            axes.text(x, y, str(value), ha="center", va="center", color=INK, fontsize=10)
            axes.text(
                x + 0.3 * side, y, str(gradient), ha="center", va="center", color=BACK, fontsize=10, weight="bold"
            )
    axes.set_title(title, fontsize=9.5, color=INK)
    axes.set_xlim(-0.55, 1.55)
    axes.set_ylim(-0.12, 1.12)
    axes.axis("off")


def _height(i, n):
    """Where entry i of n stands, from the top."""
    return 0.5 if n == 1 else 1 - i / (n - 1)
