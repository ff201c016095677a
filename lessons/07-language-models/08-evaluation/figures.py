"""The figures of lesson 7.8."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.nets.likelihood import windows

COLD, WARM = "#2b7a9e", "#a8402a"


def losses():
    """Loss per token against characters per token, with lines of equal bits per byte, and the two models of the page."""
    figure, axes = plt.subplots(figsize=(6.2, 3.5))
    length = np.linspace(0.8, 4.6, 50)
    for bits in (1.0, 1.5, 2.0, 2.5):
        axes.plot(length, bits * np.log(2) * length, color=INK, lw=0.8, ls=":")
        axes.text(4.65, bits * np.log(2) * 4.6, f"{bits:g} bits per byte", color=INK, fontsize=8.5, va="center")
    for x, y, name, colour in ((1.0, 1.47, "characters", WARM), (3.3, 4.10, "tokens", COLD)):
        axes.plot([x], [y], "o", color=colour, ms=7)
        axes.annotate(
            f"{name}: {y / x / np.log(2):.2f}",
            (x, y),
            (8, -14) if x > 2 else (-4, 10),
            textcoords="offset points",
            color=colour,
        )
    axes.set_xlim(0.8, 4.6)
    axes.set_ylim(0, 8.2)
    axes.set_xlabel("characters in a token")
    axes.set_ylabel("loss, nats per token")
    figure.subplots_adjust(right=0.8)
    return figure


def panes():
    """Windows over sixteen tokens with a context of six: rows are windows, pale squares given, dark ones scored."""
    figure, panels = plt.subplots(1, 2, figsize=(8.0, 2.9), sharex=True)
    for axes, least in zip(panels, (1, 4)):
        found = windows(range(16), 6, -1, least)
        for row, (given, scored) in enumerate(found):
            for token in given:
                axes.add_patch(plt.Rectangle((token + 0.06, row + 0.1), 0.88, 0.8, color=COLD, alpha=0.25, lw=0))
            for token in scored:
                axes.add_patch(plt.Rectangle((token + 0.06, row + 0.1), 0.88, 0.8, color=COLD, lw=0))
        axes.set_xlim(-1.2, 16.2)
        axes.set_ylim(len(found) + 0.1, -0.1)
        axes.set_yticks(np.arange(len(found)) + 0.5, [str(i + 1) for i in range(len(found))])
        axes.set_xticks(np.arange(0, 16, 5) + 0.5, [str(i) for i in range(0, 16, 5)])
        axes.set_xlabel("token")
        axes.set_title(f"at least {least} before each", fontsize=10, color=INK)
        axes.tick_params(length=0)
    panels[0].set_ylabel("window")
    return figure
