"""The loss on a whole split, the same number each time, and nothing about the training changed by having asked.

A sample of the split would be a different question at each step. So all of it is read, in windows that do not overlap, in order.
"""

import contextlib

import torch

from .seeds import isolated
from .step import Precision


@contextlib.contextmanager
def undisturbed(model, seed=0):
    """A context for measuring: evaluation mode, no gradients, and a generator of its own, seeded with seed.

    Afterwards every module is in the mode it was in (a frozen part may have been in evaluation mode before), and the generators of
    all devices are where they were.
    """
    modes = [(module, module.training) for module in model.modules()]
    try:
        with isolated(seed), torch.no_grad():
            model.eval()
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def evaluate(model, pairs, *, tokens=0, precision=None, seed=0, parallel=None):
    """The mean loss in nats a token over pairs x, y (B, T), as a float.

    Every counted target weighs the same, also in a pair where few are counted (a target of -1 is not). tokens: stop after the pair
    with which so many are reached; 0: all. parallel: the sums are taken over all processes. Raises ValueError if there was none.
    """
    device = next(model.parameters()).device
    precision = precision or Precision("float32", device)
    total, count = 0.0, 0
    with undisturbed(model, seed), precision.autocast():
        for x, y in pairs:
            counted = int((y >= 0).sum())
            if counted == 0:
                continue
            total += float(model(x.to(device), y.to(device))) * counted  # its mean is over those that count
            count += counted
            if 0 < tokens <= count:
                break
    if parallel is not None:
        total, count = parallel.total(total), parallel.total(count)
    if count == 0:
        raise ValueError("there is nothing to evaluate: not one target is counted")
    return total / count
