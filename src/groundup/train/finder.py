"""The learning-rate range test: one short run in which the rate rises from far too small to far too large.

Each step takes the next batch at the next rate. Where the rate is too small the loss stays where it is; then it falls; then the steps
are too long, and it rises again. A good rate for a run lies towards the end of the fall. Smith, Cyclical Learning Rates for
Training Neural Networks (2017), section 3.3, https://arxiv.org/abs/1506.01186. It tells no more than the order of magnitude;
that is most of what there is to know. More steps do not make it better: what a model has learned at the rates below hides what a
rate does to a fresh one (on three models 200 steps came out up to nine times too low, 60 within a factor of 2.5).
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from .seeds import isolated

WIDTH = 0.15  # of the window over which the losses are smoothed, in decades of the rate (one standard deviation)
SHARE = 0.7  # of its whole fall that the loss has made at the suggestion
SOUND = 5  # steps before a divergence is believed


@dataclass(frozen=True)
class Range:
    """What was measured. rates, losses, smoothed: (n,), n <= steps; suggestion: a rate; diverged: whether it ended early."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float
    diverged: bool


def find(model, optimizer, loss_at, *, lowest=1e-6, highest=10.0, steps=60, diverges=2.0, seed=0):
    """The range test of a model under its optimiser -> Range. Afterwards both are as they were, and so are all generators.

    loss_at(i) -> the loss (a 0-d tensor) on the i-th batch. optimizer: torch's, or whatever has `groups`; the rates of
    groups that differ keep their proportion, and the rate of the first one is meant. The rates rise from lowest to highest in equal
    factors. It ends early when a loss is not finite, or above `diverges` times the first one.
    Raises ValueError for rates or steps that cannot be, or when the loss does not fall by more than it scatters.
    """
    if not 0.0 < lowest < highest or steps < 20:
        raise ValueError(f"rates rise from above 0 in at least 20 steps, not from {lowest} to {highest} in {steps}")
    groups = optimizer.groups if hasattr(optimizer, "groups") else optimizer.param_groups
    shares = [group["lr"] / groups[0]["lr"] for group in groups]
    weights, before, training = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict()), model.training
    rates, losses = [], []
    try:
        with isolated(seed):
            model.train()
            for rate in np.geomspace(lowest, highest, steps):
                for group, share in zip(groups, shares):
                    group["lr"] = float(rate) * share
                model.zero_grad()
                loss = loss_at(len(losses))
                rates.append(float(rate))
                losses.append(float(loss.detach()))
                if not math.isfinite(losses[-1]) or (len(losses) > SOUND and losses[-1] > diverges * losses[0]):
                    break
                loss.backward()
                optimizer.step()
    finally:
        model.load_state_dict(weights)
        optimizer.load_state_dict(before)
        model.zero_grad()
        model.train(training)
    rates, losses = np.array(rates), np.array(losses)
    smoothed = smooth(rates, losses)
    return Range(rates, losses, smoothed, suggest(rates, smoothed), len(losses) < steps)


def smooth(rates, losses, width=WIDTH):
    """Losses (n,) as means over their neighbours, weighted by a bell over the decades between two rates. What is not finite is left out."""
    place, fine = np.log10(rates), np.isfinite(losses)
    weight = np.exp(-0.5 * ((place[:, None] - place[None, fine]) / width) ** 2)  # (n, finite)
    return weight @ losses[fine] / weight.sum(axis=1)


def suggest(rates, smoothed):
    """The first rate at which the loss has made SHARE of its fall, from where it began to its lowest. ValueError if it does not fall.

    Not the lowest point, and not a part of its rate: under Adam the loss of a network with normalised layers goes on falling slowly at rates
    that are far too high, since it was trained at all those below.
    """
    lowest = int(np.argmin(smoothed))
    if smoothed[lowest] >= 0.98 * smoothed[0]:
        raise ValueError("the loss falls at no rate: take more steps, or look at what is being trained")
    reached = smoothed <= smoothed[0] - SHARE * (smoothed[0] - smoothed[lowest])
    return float(rates[int(np.argmax(reached))])
