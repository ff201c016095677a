"""The figures of lesson 1.3."""

import matplotlib.pyplot as plt

from groundup.course.figures import INK

BACK = "#a8402a"


def shares():
    """The graph of y = (v + v) v at a = 2, and what flows back along each arrow."""
    figure, axes = plt.subplots(figsize=(6.4, 2.1))
    places = {"a": (0, 0), "v": (2, 0), "w": (4, 0.55), "y": (6, 0)}
    labels = {"a": "a\n2", "v": "v\n4", "w": "w\n8", "y": "y\n32"}
    arrows = [("v", "a", "8", 0.35), ("v", "a", "8", -0.35), ("w", "v", "4", 0.3), ("w", "v", "4", -0.3)]
    counts = {("v", "a"): "16 · 2", ("w", "v"): "4 · 1"}
    for tail, head, _, bend in arrows:
        _arrow(axes, places[tail], places[head], bend, counts[tail, head])
    _arrow(axes, places["y"], places["w"], 0.15, "1 · 4")
    _arrow(axes, places["y"], places["v"], -0.25, "1 · 8")
    for name, (x, y) in places.items():
        axes.text(x, y, labels[name], ha="center", va="center", color=INK, fontsize=10,
                  bbox=dict(boxstyle="circle,pad=0.35", facecolor="none", edgecolor=INK))  # fmt: skip
    for name, gradient in {"y": "1", "w": "4", "v": "16", "a": "64"}.items():
        x, y = places[name]
        axes.text(
            x,
            y + (0.62 if name != "v" else -0.72),
            gradient,
            ha="center",
            va="center",
            color=BACK,
            fontsize=11,
            weight="bold",
        )
    axes.set_xlim(-0.7, 6.7)
    axes.set_ylim(-1.15, 1.3)
    axes.axis("off")
    return figure


def _arrow(axes, tail, head, bend, text):
    axes.annotate(
        "", xy=head, xytext=tail,
        arrowprops=dict(arrowstyle="-|>", color=BACK, lw=1.1, shrinkA=17, shrinkB=17, connectionstyle=f"arc3,rad={bend}"),
    )  # fmt: skip
    (x0, y0), (x1, y1) = tail, head
    dx, dy = x1 - x0, y1 - y0
    axes.text((x0 + x1) / 2 + bend * dy * 0.5, (y0 + y1) / 2 - bend * dx * 0.5 - (0.2 if bend > 0 else -0.2) * (-1 if dx < 0 else 1), text,
              ha="center", va="center", color=BACK, fontsize=8.5)  # fmt: skip


def visits():
    """Visits of a walk over every path, and of one over every value, counted by walking."""

    def by_paths(n):
        return 1 if n == 0 else 1 + 2 * by_paths(n - 1)

    figure, axes = plt.subplots(figsize=(5.2, 2.6))
    n = range(0, 17)
    axes.semilogy(n, [by_paths(k) for k in n], "o-", color=BACK, ms=3.5, label="every path")
    axes.semilogy(n, [k + 1 for k in n], "s-", color=INK, ms=3.5, label="every value")
    axes.set_xlabel("n, how often y = y + y")
    axes.set_ylabel("visits")
    axes.legend()
    return figure
