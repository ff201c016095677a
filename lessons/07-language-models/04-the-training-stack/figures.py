"""The figures of lesson 7.4."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.train.schedules import NAMES, scheduled

COLD, WARM, THIRD, GREY = "#2b7a9e", "#a8402a", "#6b8e23", "#8a8a8a"


def rates():
    """Each schedule against progress, with a warm-up of a tenth."""
    figure, axes = plt.subplots(figsize=(6.2, 3.0))
    progress = np.linspace(0.0, 1.0, 401)
    for name, colour in zip(NAMES, (GREY, THIRD, WARM, COLD)):
        share = [scheduled(name, p, warmup=0.1, decay=0.5) for p in progress]
        axes.plot(progress, share, color=colour, lw=1.8, label=name)
    axes.set_xlabel("progress")
    axes.set_ylabel("share of the peak rate")
    axes.set_ylim(0.0, 1.08)
    axes.legend(loc="lower left", bbox_to_anchor=(0.12, 0.0))
    return figure


def moments():
    """Two ways to save, in time: in which of the moments of each a crash leaves a checkpoint that can be loaded."""
    figure, panels = plt.subplots(2, 1, figsize=(7.4, 3.4), sharex=True)
    ways = (
        (
            "written over",
            [(0, 2, "old", COLD), (2, 7, "nothing", WARM), (7, 10, "new", THIRD)],
            ["", "open", "", "close"],
            (0, 2, 4, 7),
        ),
        (
            "written aside",
            [(0, 7.5, "old", COLD), (7.5, 9, "old and new", THIRD), (9, 10, "new", THIRD)],
            ["write, sync", "manifest", "rename", "delete old"],
            (2, 5.5, 7.5, 9),
        ),
    )
    for axes, (title, spans, marks, times) in zip(panels, ways):
        for begin, end, text, colour in spans:
            axes.barh(0, end - begin, left=begin, height=0.5, color=colour, alpha=0.85, edgecolor="none")
            axes.text((begin + end) / 2, 0, text, ha="center", va="center", color="white", fontsize=9)
        for mark, time in zip(marks, times):
            if mark:
                axes.plot([time, time], [-0.25, 0.42], color=INK, lw=0.9)
                axes.text(time, 0.46, mark, ha="center", va="bottom", color=INK, fontsize=9)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        axes.set_ylim(-0.3, 0.75)
        axes.set_yticks([])
        axes.set_xticks([])
        for side in axes.spines.values():
            side.set_visible(False)
    panels[1].set_xlabel("time; in each bar, what a crash at that moment leaves to resume from")
    return figure
