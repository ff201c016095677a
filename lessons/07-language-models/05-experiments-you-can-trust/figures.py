"""The figures of lesson 7.5."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats
from sklearn.datasets import load_digits
from torch import nn

from groundup.course.figures import INK
from groundup.train.finder import find
from groundup.train.seeds import seed_everything

COLD, WARM, THIRD = "#2b7a9e", "#a8402a", "#6b8e23"
SEEDS = 24


def _digits():
    X, y = load_digits(return_X_y=True)
    return torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)


def _trained(X, y, seed, dropout, steps=150):
    """The page's program -> its validation loss."""
    seed_everything(seed)
    first, second = nn.Linear(64, 32), nn.Linear(32, 10)
    optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.1, momentum=0.9)
    for _ in range(steps):
        rows = torch.randint(300, (32,))
        h = torch.relu(first(X[rows]))
        if dropout:
            h = h * (torch.rand(h.shape) > dropout) / (1 - dropout)
        loss = nn.functional.cross_entropy(second(h), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return nn.functional.cross_entropy(second(torch.relu(first(X[1000:]))), y[1000:]).item()


def funnel():
    """The estimated cost of dropout from the first n seeds on each side, with its t interval."""
    X, y = _digits()
    without, line = (np.array([_trained(X, y, seed, p) for seed in range(SEEDS)]) for p in (0.0, 0.3))
    counts = np.arange(2, SEEDS + 1)
    middle = np.array([line[:n].mean() - without[:n].mean() for n in counts])
    half = [
        stats.t.ppf(0.975, 2 * n - 2) * np.sqrt((line[:n].var(ddof=1) + without[:n].var(ddof=1)) / n) for n in counts
    ]
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    axes.axhline(0.0, color=INK, lw=0.7, ls=":")
    axes.fill_between(counts, middle - half, middle + half, color=COLD, alpha=0.25, lw=0)
    axes.plot(counts, middle, "o-", color=COLD, ms=3.5, lw=1.4)
    axes.plot([1], [line[0] - without[0]], "o", color=WARM, ms=5)
    axes.annotate("one run", (1, line[0] - without[0]), (1.3, -0.1), color=WARM, fontsize=9)
    axes.set_xlim(0.5, SEEDS + 0.5)
    axes.set_xticks([1, 5, 8, 14, 20, 24])
    axes.set_ylim(-0.18, 0.28)
    axes.set_xlabel("seeds on each side")
    axes.set_ylabel("cost of the line, nats")
    return figure


def rates():
    """The range test of the page's net: losses, smoothed losses, and the suggestion."""
    X, y = _digits()
    seed_everything(1)
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    rows = torch.randint(300, (60, 32))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    found = find(net, optimizer, lambda i: nn.functional.cross_entropy(net(X[rows[i]]), y[rows[i]]))
    figure, axes = plt.subplots(figsize=(6.2, 3.0))
    axes.semilogx(found.rates, found.losses, ".", color=COLD, ms=4, alpha=0.6)
    axes.semilogx(found.rates, found.smoothed, color=COLD, lw=1.8)
    axes.axvline(found.suggestion, color=WARM, lw=1.2, ls="--")
    axes.text(found.suggestion * 0.8, 3.1, "suggestion", color=WARM, fontsize=9, ha="right")
    axes.set_ylim(0, 3.6)
    axes.set_xlabel("rate")
    axes.set_ylabel("cross-entropy, nats")
    return figure


def logs():
    """Three ill runs, made up: the loss of two twins, the gradient's norm, the waiting."""
    rng = np.random.default_rng(5)
    step = np.arange(1, 161)
    clean = 1.5 + 2.4 * np.exp(-step / 35)

    def well():
        norm = np.linspace(1.2, 0.9, 160) * rng.lognormal(0, 0.08, 160)
        return {"loss": clean * rng.normal(1, 0.015, 160), "norm": norm, "wait": rng.uniform(0.01, 0.05, 160)}

    first, second, third = well(), well(), well()
    first["twin"] = np.where(step < 60, first["loss"], clean * rng.normal(1.08, 0.03, 160))
    second["wait"] = 0.04 + 0.55 / (1 + np.exp(-(step - 50) / 5)) * rng.uniform(0.9, 1.1, 160)
    at = [62, 85, 101, 118, 133, 146]
    third["loss"][at] *= rng.uniform(1.4, 2.0, len(at))
    third["norm"] = third["norm"] * np.geomspace(1, 9, 160)
    third["norm"][at] *= 2.0
    figure, panels = plt.subplots(3, 3, figsize=(8.2, 5.2), sharex=True, sharey="col", gridspec_kw={"wspace": 0.3})
    for run, row, name in zip((first, second, third), panels, "ABC"):
        row[0].plot(step, run.get("twin", run["loss"]), color=WARM, lw=2.4, alpha=0.55)
        row[0].plot(step, run["loss"], color=COLD, lw=1.0)
        row[1].plot(step, run["norm"], color=COLD, lw=1.0)
        row[2].plot(step, run["wait"], color=COLD, lw=1.0)
        row[0].set_ylabel(name, rotation=0, labelpad=12, fontsize=12)
    panels[0][1].set_yscale("log")
    panels[0][2].set_ylim(0, 1)
    for axes, title in zip(panels[0], ("loss, of two runs", "norm of the gradient", "share of waiting")):
        axes.set_title(title, fontsize=10)
    for axes in panels[2]:
        axes.set_xlabel("step")
    return figure
