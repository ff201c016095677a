"""PyTorch's clipping, scores and saved files behind the lesson's names."""

import os
from dataclasses import asdict, dataclass, field

import numpy as np
import torch


@dataclass
class History:
    losses: list = field(default_factory=list)
    accuracy: list = field(default_factory=list)
    best: int = 0
    epochs: int = 0


def accuracy(model, X, y, size=1000):
    parts = zip(torch.tensor(X).split(size), torch.tensor(y).split(size))
    return sum((torch.tensor(model.predict(a.numpy())) == b).sum().item() for a, b in parts) / len(X)


def train_epoch(model, optimiser, loader, number, *, schedule=None, clip=None, augment=None, watch=None):
    losses = []
    for i, (X, y) in enumerate(loader.epoch(number)):
        step = number * len(loader) + i
        X = X if augment is None else augment(X, np.random.default_rng([loader.seed, step, 1]))
        loss, grads = model.loss_and_grads(X, y)
        if not torch.isfinite(torch.tensor(loss)):
            raise FloatingPointError(step)
        if clip is not None:
            leaves = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.from_numpy(g).dtype)) for g in grads]
            for leaf, g in zip(leaves, grads):
                leaf.grad = torch.from_numpy(g)
            torch.nn.utils.clip_grad_norm_(leaves, clip)
        optimiser.lr = optimiser.lr if schedule is None else schedule(step)
        optimiser.step(grads)
        losses.append(float(loss))
        if watch is not None:
            watch(step, float(loss))
    return losses


def fit(model, optimiser, loader, epochs, *, valid=None, patience=None, checkpoint=None, **options):
    if patience is not None and (valid is None or patience < 1):
        raise ValueError("patience")
    history, kept = History(), [torch.tensor(a) for a in tensors(model)]
    if checkpoint is not None and os.path.exists(checkpoint):
        history, kept = load(checkpoint, model, optimiser)
    for number in range(history.epochs, epochs):
        if patience is not None and number >= history.best + patience:
            break
        history.losses.extend(train_epoch(model, optimiser, loader, number, **options))
        history.epochs = number + 1
        score = None if valid is None else accuracy(model, *valid)
        if score is None or all(score > before for before in history.accuracy):
            history.best, kept = number + 1, [torch.tensor(a) for a in tensors(model)]
        if score is not None:
            history.accuracy.append(score)
        if checkpoint is not None:
            save(checkpoint, model, optimiser, history, kept)
    for a, b in zip(tensors(model), kept):
        a[...] = np.asarray(b)
    return history


def tensors(model):
    return [*model.params, *getattr(model, "buffers", [])]


def save(path, model, optimiser, history, kept):
    content = {
        "model": [torch.tensor(a) for a in tensors(model)],
        "kept": [torch.as_tensor(a) for a in kept],
        "optimiser": {k: torch.as_tensor(v) for k, v in optimiser.state().items()},
        "history": asdict(history),
        "generators": [g.bit_generator.state for g in getattr(model, "generators", [])],
    }
    aside = f"{path}.new"
    try:
        with open(aside, "wb") as file:
            torch.save(content, file)
    except RuntimeError as problem:  # what torch makes of a disk that is full
        raise OSError(str(problem)) from problem
    os.replace(aside, path)


def load(path, model, optimiser):
    content = torch.load(path, weights_only=True)
    if [a.shape for a in content["model"]] != [a.shape for a in tensors(model)]:
        raise ValueError("another model's")
    optimiser.load({k: v.numpy() for k, v in content["optimiser"].items()})
    for a, b in zip(tensors(model), content["model"]):
        a[...] = b.numpy()
    for g, state in zip(getattr(model, "generators", []), content["generators"]):
        g.bit_generator.state = state
    return History(**content["history"]), [a.numpy() for a in content["kept"]]
