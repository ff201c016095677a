"""The figures of lesson 7.3."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.train import order

COLD, WARM = "#2b7a9e", "#a8402a"


def at_work():
    """The share of a card at work against the loader's time, for a step of 20 ms: one after the other, and side by side."""
    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    step, load = 20.0, np.logspace(-1.5, 3, 300)
    axes.plot(load, 100 * step / (step + load), color=WARM, lw=1.8, label="one after the other")
    axes.plot(
        load, 100 * np.minimum(1.0, step / np.maximum(load, step)), color=COLD, lw=1.8, label="in another process"
    )
    for at, name in ((0.4, "0.4 ms: 98 %"), (180.0, "180 ms: 10 %")):
        share = 100 * step / (step + at)
        axes.plot([at], [share], "o", color=WARM, ms=5)
        axes.annotate(
            name, (at, share), (-60, -18) if at < 1 else (6, 8), textcoords="offset points", color=INK, fontsize=9
        )
    axes.set_xscale("log")
    axes.set_ylim(0, 108)
    axes.set_xlabel("the loader's time for a batch (ms); the step itself takes 20 ms")
    axes.set_ylabel("card at work (%)")
    axes.legend(loc="lower left")
    return figure


def rounds():
    """A table of 32 x 32 numbers after 0, 1, 2, 4 and 16 rounds, coloured by how far from the middle each number began."""
    figure, panels = plt.subplots(1, 5, figsize=(9.0, 2.2))
    side = 32
    rows, columns = np.divmod(np.arange(side * side), side)
    keys = [order.mix(np.uint64(7 + r)) for r in range(16)]
    shown = {0: "no round", 1: "1", 2: "2", 4: "4", 16: "16"}
    far = np.hypot(rows - (side - 1) / 2, columns - (side - 1) / 2)
    row, column = rows.copy(), columns.copy()
    for done in range(17):
        if done in shown:
            panel = panels[list(shown).index(done)]
            table = np.empty((side, side))
            table[row, column] = far
            panel.imshow(table, cmap="viridis")
            panel.set_title(shown[done], fontsize=10)
            panel.set_xticks([])
            panel.set_yticks([])
        if done == 16:
            break
        moving = column if done % 2 else row
        turn = (order.mix(moving.astype(np.uint64) ^ keys[done]) % np.uint64(side)).astype(np.int64)
        if done % 2:
            row = (row + turn) % side
        else:
            column = (column + turn) % side
    return figure
