"""The figures of lesson 1.0."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.drills.analysis import monthly_means

HILL, VALLEY, MERGED = "#a8402a", "#2b7a9e", "#8a6410"


def sentinel():
    """A year of two stations, one reading of -999 among them: its month, kept and set aside."""
    rng = np.random.default_rng(0)
    days = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")
    season = -9.0 * np.cos(2 * np.pi * np.arange(len(days)) / 365)
    records = [
        {"date": str(day), "station": station, "temperature": level + swing + rng.normal(0, 2)}
        for station, level in (("Hill", 6.0), ("Valley", 11.0))
        for day, swing in zip(days, season)
    ]
    broken = {"date": "2024-05-17", "station": "Hill", "temperature": -999.0}
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.7))
    for axis, rows, says in zip(axes, ([*records, broken], records), ("-999 kept", "-999 set aside")):
        for (station, points), colour, marker in zip(monthly_means(rows, "temperature").items(), (HILL, VALLEY), "os"):
            axis.plot([int(month[5:]) for month, _ in points], [mean for _, mean in points], f"{marker}-", color=colour, markersize=3, label=station)  # fmt: skip
        axis.set_title(says, color=INK, fontsize=10)
        axis.set_xlabel("month")
        axis.set_xticks(range(1, 13, 2))
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("mean temperature, °C")
    figure.tight_layout()
    return figure


def branches():
    """The history of the page's example, as git keeps it: each commit points at its parents."""
    figure, axes = plt.subplots(figsize=(7.2, 2.1))
    commits = {
        "First settings": (0, 0.5, INK),
        "A higher rate": (2.4, 1, HILL),
        "A lower rate": (3.4, 0, VALLEY),
        "Merge faster": (5.8, 0.5, MERGED),
    }
    edges = [("A higher rate", "First settings"), ("A lower rate", "First settings"), ("Merge faster", "A higher rate"), ("Merge faster", "A lower rate")]  # fmt: skip
    for child, parent in edges:
        (x, y, _), (to_x, to_y, _) = commits[child], commits[parent]
        arrow = dict(arrowstyle="-|>", color=INK, shrinkA=7, shrinkB=7, linewidth=0.9)
        axes.annotate("", xy=(to_x, to_y), xytext=(x, y), arrowprops=arrow)
    below = {"First settings": "merge base", "A higher rate": "faster", "Merge faster": "main"}
    for name, (x, y, colour) in commits.items():
        axes.plot([x], [y], "o", color=colour, markersize=10)
        axes.text(x, y + 0.2, name, ha="center", color=INK, fontsize=9)
        axes.text(x, y - 0.34, below.get(name, ""), ha="center", color=colour, fontsize=9, style="italic")
    axes.set_xlim(-0.8, 6.6)
    axes.set_ylim(-0.45, 1.4)
    axes.axis("off")
    return figure
