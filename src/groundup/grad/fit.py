"""Training: the loop around a gradient, what it watches, when it stops, and how it goes on after it was broken off.

What is trained has `params`, a list of arrays; `loss_and_grads(X, y)`, a number and a list of arrays; `predict(X)`. A network
by hand has them, and so has one on an engine. The loop asks for nothing else, and reads as the algorithm.

Early stopping: Prechelt, Early Stopping, But When? (1998).
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from .optim import clip_by_global_norm


@dataclass
class History:
    """What a training saw. losses: of every step, before it was taken; accuracy: on the held-out samples after each epoch
    (empty without them); best: the epoch, from 1, whose parameters are kept; epochs: how many were run.
    """

    losses: list = field(default_factory=list)
    accuracy: list = field(default_factory=list)
    best: int = 0
    epochs: int = 0


def accuracy(model, X, y, size=1000):
    """The share of samples whose class is predicted: X (n, ...), y (n,) -> float. In batches of `size`, to spare memory."""
    right = sum(int(np.sum(model.predict(X[i : i + size]) == y[i : i + size])) for i in range(0, len(X), size))
    return right / len(X)


def train_epoch(model, optimiser, loader, number, *, schedule=None, clip=None, augment=None, watch=None):
    """One epoch, number from 0: a step for each batch of loader.epoch(number) -> the losses, a list of floats.

    schedule: a function of the step, counted from 0 over all epochs, that gives the rate; None to leave it alone. clip: the
    largest global norm of a gradient, None for any. augment: a function (X, generator) -> X, whose generator is
    default_rng([loader.seed, step]), so that it depends on the step alone. watch: called with (step, loss) after each.
    Raises FloatingPointError at a loss that is not finite, before the step is taken: nothing that comes after would mean
    anything.
    """
    losses = []
    for step, (X, y) in enumerate(loader.epoch(number), start=number * len(loader)):
        if augment is not None:
            X = augment(X, np.random.default_rng([loader.seed, step]))
        if schedule is not None:
            optimiser.lr = schedule(step)
        loss, grads = model.loss_and_grads(X, y)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {step}: the rate may be too high, or the data not finite"
            )
        if clip is not None:
            clip_by_global_norm(grads, clip)
        optimiser.step(grads)
        losses.append(float(loss))
        if watch is not None:
            watch(step, losses[-1])
    return losses


def fit(
    model,
    optimiser,
    loader,
    epochs,
    *,
    valid=None,
    patience=None,
    checkpoint=None,
    schedule=None,
    clip=None,
    augment=None,
    watch=None,
):
    """Trains for some epochs -> History. The model's parameters are changed in place.

    valid: (X, y) held out, on which `accuracy` is measured after each epoch. With them the parameters of the best epoch are
    put back at the end; of equally good epochs the first is the best. patience: stop when so many epochs in a row were no
    better than the best; ValueError without valid. checkpoint: a path, at which all that the rest depends on is saved after
    each epoch. Where that file exists, training goes on after the epoch that it holds, and what comes out is what would have
    come out, bit for bit. schedule, clip, augment, watch: see train_epoch.
    """
    if patience is not None and valid is None:
        raise ValueError("patience needs held-out samples to be impatient about: pass valid")
    history, kept = History(), [p.copy() for p in model.params]
    if checkpoint is not None and Path(checkpoint).exists():
        history, kept = load(checkpoint, model, optimiser)
    for number in range(history.epochs, epochs):
        if patience is not None and number - history.best >= patience:
            break
        history.losses += train_epoch(
            model, optimiser, loader, number, schedule=schedule, clip=clip, augment=augment, watch=watch
        )
        history.epochs = number + 1
        if valid is not None:
            history.accuracy.append(accuracy(model, *valid))
        if valid is None or history.accuracy[-1] > max(history.accuracy[:-1], default=-1.0):
            history.best = number + 1
            for old, new in zip(kept, model.params):
                np.copyto(old, new)
        if checkpoint is not None:
            save(checkpoint, model, optimiser, history, kept)
    for parameter, best in zip(model.params, kept):
        np.copyto(parameter, best)
    return history


def save(path, model, optimiser, history, kept):
    """All that the rest of a training depends on, in one .npz file, without pickle.

    Written beside, on the disk, and then renamed: whoever is killed has the old file or the new one. A model's `generator`
    (numpy.random.Generator) and `buffers` (a list of arrays) belong to it, if it has them.
    """
    arrays = {f"param.{i}": p for i, p in enumerate(model.params)}
    arrays |= {f"kept.{i}": p for i, p in enumerate(kept)}
    arrays |= {f"buffer.{i}": b for i, b in enumerate(getattr(model, "buffers", []))}
    arrays |= {f"optimiser.{name}": value for name, value in optimiser.state().items()}
    generator = getattr(model, "generator", None)
    told = {"history": asdict(history), "generator": None if generator is None else generator.bit_generator.state}
    part = Path(f"{path}.part")
    with open(part, "wb") as file:
        np.savez(file, told=np.array(json.dumps(told)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def load(path, model, optimiser):
    """What `save` has saved, put into model and optimiser -> history, kept. ValueError for another model's file."""
    with np.load(path, allow_pickle=False) as file:
        saved = dict(file)
    told = json.loads(str(saved["told"]))

    def take(name, into):
        found = [saved[key] for key in (f"{name}.{i}" for i in range(len(into))) if key in saved]
        if [a.shape for a in found] != [a.shape for a in into]:
            raise ValueError(f"{path} belongs to another model: its {name} arrays have other shapes")
        for old, new in zip(into, found):
            np.copyto(old, new)

    kept = [np.empty_like(p) for p in model.params]
    take("kept", kept)
    take("param", model.params)
    take("buffer", getattr(model, "buffers", []))
    start = "optimiser."
    optimiser.load({key.removeprefix(start): value for key, value in saved.items() if key.startswith(start)})
    if told["generator"] is not None:
        model.generator.bit_generator.state = told["generator"]
    return History(**told["history"]), kept
