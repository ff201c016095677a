"""The figures of lesson 7.7."""

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from groundup.course.figures import INK
from groundup.nets.counts import parts
from groundup.nets.gpt2 import SIZES, sized

COLD, WARM, THIRD = "#2b7a9e", "#a8402a", "#6b8e23"


def shares():
    """Which share of the parameters is where, in the four sizes."""
    figure, axes = plt.subplots(figsize=(6.2, 2.6))
    for row, name in enumerate(SIZES):
        found = parts(sized(name))
        total, left = sum(found.values()), 0.0
        groups = (("tables", "tokens", "positions"), ("attention", "attention"), ("MLP", "mlp"))
        for (label, *names), colour in zip(groups, (THIRD, COLD, WARM)):
            share = sum(found[n] for n in names) / total
            axes.barh(row, share, left=left, color=colour, height=0.62, label=label if row == 0 else None)
            axes.text(left + share / 2, row, f"{share:.0%}", ha="center", va="center", color="white", fontsize=9)
            left += share
    axes.set_yticks(range(len(SIZES)), [f"{n}, {sum(parts(sized(n)).values()) / 1e6:,.0f} M" for n in SIZES])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the parameters")
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3)
    return figure


def bends():
    """The tanh form of GELU less the exact one."""
    figure, axes = plt.subplots(figsize=(6.2, 2.6))
    x = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    axes.plot(x, 1e4 * (F.gelu(x, approximate="tanh") - F.gelu(x)), color=COLD)
    axes.axhline(0, color=INK, lw=0.7)
    axes.set_xlabel("x")
    axes.set_ylabel("difference, $10^{-4}$")
    return figure
