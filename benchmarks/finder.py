"""How near the range test comes to the best rate, on three models; the truth is a grid of rates, each trained in full.

    python benchmarks/finder.py            all three, some minutes
    python benchmarks/finder.py digits     one of: digits, characters, images

The best rate is where the training loss, over the last tenth of STEPS steps with the rate falling linearly to 0, is lowest: the mean of
two seeds, on a grid of factor 1.8, between its points a parabola. It depends on the length of the run and on its schedule: "within a
factor of 3" is what one can ask. The range test sees training alone; the best rate on held-out data is printed beside it.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads

import math
import sys
import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from groundup.data import loading
from groundup.nets.gpt import GPT, GPTConfig
from groundup.text.chars import Chars
from groundup.train.data import Batches
from groundup.train.finder import find

STEPS, SEEDS, FACTOR, BAR = 300, 2, 10**0.25, 3.0


class Task:
    """A model, its optimiser, its batches, and a held-out loss. grid: rates to try."""

    def __init__(self, name, build, optimizer, batch, held_out, grid):
        self.name, self.build, self.optimizer, self.batch, self.held_out = name, build, optimizer, batch, held_out
        self.grid = grid

    def loss(self, model, parts):
        x, y = parts
        return model(x, y) if isinstance(model, GPT) else nn.functional.cross_entropy(model(x), y)

    def losses(self, model, begin):
        """The loss on the i-th batch after `begin`, as a function of i."""
        return lambda i: self.loss(model, self.batch(begin + i))

    def trained(self, rate, seed, steps=STEPS):
        torch.manual_seed(seed)
        model = self.build()
        optimizer, late = self.optimizer(model.parameters(), rate), []
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
            loss = self.loss(model, self.batch(step + steps * seed))
            if not torch.isfinite(loss):
                return math.inf, math.inf
            if step >= 0.9 * steps:
                late.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            return float(np.mean(late)), float(self.loss(model.eval(), self.held_out))


def digits_task():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = torch.tensor(X[order] / 16, dtype=torch.float32), torch.tensor(y[order])

    def batch(step):
        rows = np.random.default_rng([1, step]).integers(0, 1400, 64)
        return X[rows], y[rows]

    return Task(
        "digits",
        lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
        lambda params, rate: torch.optim.SGD(params, lr=rate, momentum=0.9),
        batch,
        (X[1400:], y[1400:]),
        (1e-3, 3.0),
    )


def characters_task():
    text = loading.tinyshakespeare()
    ids = Chars.of(text).encode(text)
    batches = Batches(ids[:900_000], 32, 8, seed=0)
    held = Batches(ids[1_000_000:1_010_000], 32, 400).full()
    config = GPTConfig(vocab_size=int(ids.max()) + 1, context=32, layers=2, heads=2, width=64)

    def batch(step):
        x, y = batches.at(step)
        return x[0], y[0]

    return Task(
        "characters",
        lambda: GPT(config),
        lambda params, rate: torch.optim.AdamW(params, lr=rate, betas=(0.9, 0.95)),
        batch,
        next(iter(held)),
        (3e-4, 0.3),
    )


def images_task():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = torch.tensor(X[order] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(y[order])

    def batch(step):
        rows = np.random.default_rng([2, step]).integers(0, 1400, 32)
        return X[rows], y[rows]

    def build():
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    return Task(
        "images",
        build,
        lambda params, rate: torch.optim.AdamW(params, lr=rate),
        batch,
        (X[1400:], y[1400:]),
        (1e-4, 0.3),
    )


def swept(task):
    """-> the grid of rates, and for each the loss in training and on held-out data: (n,), (2, n)."""
    low, high = task.grid
    rates = low * FACTOR ** np.arange(int(math.log(high / low) / math.log(FACTOR)) + 1)
    losses = [np.mean([task.trained(rate, seed) for seed in range(SEEDS)], axis=0) for rate in rates]
    return rates, np.array(losses).T


def best_of(rates, losses):
    """The lowest point of a parabola through the lowest three, in the logarithms of rate and loss."""
    at = int(np.argmin(losses))
    if at in (0, len(rates) - 1) or not np.isfinite(losses[at - 1 : at + 2]).all():
        return float(rates[at])
    left, middle, right = np.log(losses[at - 1 : at + 2])
    return float(rates[at] * FACTOR ** (0.5 * (left - right) / max(left - 2 * middle + right, 1e-12)))


def main():
    missed = 0
    for task in (digits_task, characters_task, images_task):
        task = task()
        if sys.argv[1:] and task.name not in sys.argv[1:]:
            continue
        begun = time.perf_counter()
        rates, losses = swept(task)
        best, unseen = (best_of(rates, row) for row in losses)
        took = time.perf_counter() - begun
        print(f"{task.name}: the best rate is {best:.2g} in training, {unseen:.2g} on held-out data ({took:.0f} s)")
        print("   " + "  ".join(f"{rate:.1e}: {a:.3f} {b:.3f}" for rate, a, b in zip(rates, *losses)))
        found = []
        begun = time.perf_counter()
        for seed in range(3):
            torch.manual_seed(100 + seed)
            model = task.build()
            optimizer = task.optimizer(model.parameters(), 1e-3)
            found.append(find(model, optimizer, task.losses(model, 1000 * seed), seed=seed).suggestion)
        off, off_unseen = (max(max(rate / truth, truth / rate) for rate in found) for truth in (best, unseen))
        missed += off > BAR
        each = (time.perf_counter() - begun) / 3
        print(f"   suggested {', '.join(f'{rate:.2g}' for rate in found)} ({each:.1f} s each)")
        print(f"   off by {off:.1f} from the best in training, by {off_unseen:.1f} from the best on held-out data")
    print("all within a factor of 3" if not missed else f"{missed} beyond a factor of 3")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
