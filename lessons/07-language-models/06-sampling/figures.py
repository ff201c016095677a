"""The figures of lesson 7.6."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from groundup.course.figures import INK
from groundup.nets.speculative import verify

COLD, WARM, THIRD = "#2b7a9e", "#a8402a", "#6b8e23"


def _heated(p, temperature):
    """Probabilities to the power of 1 / temperature, made to sum to 1."""
    weight = p ** (1 / temperature)
    return weight / weight.sum()


def temperatures():
    """Left: three tokens at three temperatures. Right: their entropy against the temperature."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.9), gridspec_kw={"wspace": 0.28})
    p = np.array([0.6, 0.3, 0.1])
    for i, (T, colour) in enumerate(((0.5, COLD), (1.0, THIRD), (2.0, WARM))):
        left.bar(np.arange(3) + 0.26 * (i - 1), _heated(p, T), width=0.24, color=colour, label=f"T = {T:g}")
    left.set_xticks(range(3), ["first", "second", "third"])
    left.set_ylabel("probability")
    left.legend()
    T = np.geomspace(0.05, 20, 300)
    q = np.array([_heated(p, t) for t in T])
    right.semilogx(T, -(q * np.log(q)).sum(axis=1), color=COLD, lw=1.8)
    right.axhline(np.log(3), color=INK, lw=0.7, ls=":")
    right.text(0.055, np.log(3) - 0.08, "ln 3", color=INK, fontsize=9)
    right.plot([1], [-(p * np.log(p)).sum()], "o", color=THIRD, ms=5)
    right.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    right.set_xlabel("temperature")
    right.set_ylabel("entropy, nats")
    return figure


def tails():
    """What a nucleus and a bar at a share of the best keep, where a model is sure and where it is not."""
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 2.9), gridspec_kw={"wspace": 0.28})
    sure = np.concatenate([[0.62, 0.13], np.full(25, 0.01)])
    unsure = 0.12 * 0.86 ** np.arange(27)
    for axes, p, title in zip(panels, (sure, unsure / unsure.sum()), ("sure, with a long tail", "unsure")):
        nucleus = np.cumsum(p) - p < 0.9 - 1e-9
        axes.bar(np.arange(len(p))[nucleus], p[nucleus], color=COLD, width=0.8, label="in the nucleus")
        axes.bar(np.arange(len(p))[~nucleus], p[~nucleus], fill=False, edgecolor=COLD, lw=0.8, width=0.8, label="not")
        axes.axhline(0.1 * p.max(), color=WARM, lw=1.3, ls="--", label="min-p's bar")
        kept = f"top-p 0.9 keeps {nucleus.sum()}, min-p 0.1 keeps {(p >= 0.1 * p.max()).sum()}"
        axes.set_title(f"{title}:\n{kept}", fontsize=9)
        axes.set_xlabel("tokens, by probability")
        axes.set_yscale("log")
    panels[0].set_ylabel("probability")
    panels[1].legend(loc="upper right")
    return figure


def speculation():
    """Left: two distributions, their overlap, and what is missing. Right: tokens a pass against how often a guess is kept."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.0), gridspec_kw={"wspace": 0.28})
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    places = np.arange(3)
    left.bar(places, np.minimum(p, q), width=0.6, color=THIRD, label="kept, min(p, q)")
    left.bar(places, np.maximum(p - q, 0), bottom=np.minimum(p, q), width=0.6, color=COLD, label="missing, p - q")
    more = q > p
    left.bar(
        places[more],
        (q - p)[more],
        bottom=p[more],
        width=0.6,
        fill=False,
        edgecolor=WARM,
        ls="--",
        label="rejected, q - p",
    )
    left.set_xticks(places, ["first", "second", "third"])
    left.set_ylim(0, 0.95)
    left.set_ylabel("probability")
    left.legend(loc="upper center", ncols=1)
    rates = np.linspace(0.0, 0.99, 100)
    generator = torch.Generator().manual_seed(0)
    for k, colour in ((1, INK), (2, COLD), (4, THIRD), (8, WARM)):
        right.plot(rates, (1 - rates ** (k + 1)) / (1 - rates), color=colour, lw=1.4, label=f"k = {k}")
        for rate in (0.2, 0.4, 0.6, 0.8, 0.9):  # p and q that overlap by so much, 4,000 times
            first, second = torch.tensor([1.0, 0.0]), torch.tensor([rate, 1 - rate])
            rows = first.expand(4000, k + 1, 2), second.expand(4000, k, 2)
            proposed = torch.multinomial(second, 4000 * k, replacement=True, generator=generator).view(4000, k)
            accepted, _ = verify(*rows, proposed, generator)
            right.plot([rate], [1 + float(accepted.double().mean())], "o", color=colour, ms=3.5)
    right.set_xlabel("share of guesses that are kept")
    right.set_ylabel("tokens a pass")
    right.legend()
    return figure
