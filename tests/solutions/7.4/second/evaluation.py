import random
from contextlib import contextmanager

import numpy as np
import torch

from .step import Precision


@contextmanager
def undisturbed(model, seed=0):
    modes = {name: module.training for name, module in model.named_modules()}
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    grad = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    torch.manual_seed(seed)
    model.train(False)
    try:
        yield model
    finally:
        torch.set_grad_enabled(grad)
        for name, module in model.named_modules():
            module.training = modes[name]
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def evaluate(model, pairs, *, tokens=0, precision=None, seed=0, parallel=None):
    sums, counts = [], []
    with undisturbed(model, seed):
        for x, y in pairs:
            n = int((y != -1).sum())
            if n:
                with (precision or Precision()).autocast():
                    sums.append(n * model(x, y).item())
                counts.append(n)
            if tokens and sum(counts) >= tokens:
                break
    if not counts:
        raise ValueError("no targets")
    return sum(sums) / sum(counts)
