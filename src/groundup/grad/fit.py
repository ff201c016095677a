"""Training: the loop around a gradient, what it watches, when it stops, and how it goes on after it was broken off.

What is trained, the model, has `params`, a list of arrays that are changed in place; `loss_and_grads(X, y)`, which returns a
number and a list of arrays; and `predict(X)`. A network by hand has them, and so has one on an engine. It may have two more
lists: `buffers`, arrays that are kept without being learned, such as running means, and `generators`, from which it draws
(numpy.random.Generator, as default_rng makes them). The loop asks for nothing else, and reads as the algorithm.

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
    (empty without them); best: the epoch, counted from 1, whose parameters are kept (0: those of the beginning); epochs: how
    many have been run.
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

    Steps are counted from 0 over all epochs, each of len(loader) batches. schedule: a function of the step that gives the
    rate, which becomes optimiser.lr before the step is taken; None to leave it alone. clip: the largest global norm of the
    gradients, None for any. augment: a function (X, generator) -> X that each batch goes through; the generator is
    numpy.random.default_rng([loader.seed, step, 1]), a function of the step alone, and the 1 tells it from that of the order.
    watch: called with (step, loss) after each step. Raises FloatingPointError at a loss that is not finite, before that step
    is taken: nothing that comes after would mean anything.
    """
    losses = []
    for step, (X, y) in enumerate(loader.epoch(number), start=number * len(loader)):
        if augment is not None:
            X = augment(X, np.random.default_rng([loader.seed, step, 1]))
        if schedule is not None:
            optimiser.lr = schedule(step)
        loss, grads = model.loss_and_grads(X, y)
        if not np.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {step}: too high a rate, or data that are not finite")
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
    """Trains for so many epochs -> History. The model's parameters are changed in place.

    valid: (X, y) held out, on which `accuracy` is measured after each epoch. With them the parameters and buffers of the best
    epoch are put back at the end; of equally good epochs the first is the best. Without them the last is. patience: stop
    when so many epochs in a row were no better than the best before them; ValueError without valid, or below 1. checkpoint:
    a path, at which all that the rest depends on is saved after each epoch. Where that file exists, training goes on after
    the epoch that it holds, and what comes out is what would have come out, bit for bit. schedule, clip, augment, watch: see
    train_epoch.
    """
    if patience is not None and (valid is None or patience < 1):
        raise ValueError("patience is 1 epoch at least, and needs held-out samples: pass valid")
    history, kept = History(), [a.copy() for a in _arrays(model)]
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
            kept = [a.copy() for a in _arrays(model)]
        if checkpoint is not None:
            save(checkpoint, model, optimiser, history, kept)
    _put(kept, _arrays(model))
    return history


def save(path, model, optimiser, history, kept):
    """All that the rest of a training depends on, in one .npz file at `path`, whatever it is called, without pickle.

    That is: the model's params, buffers and generators, optimiser.state() (a flat dict of arrays and numbers), the history,
    and kept: copies of the best epoch's params and then buffers, in one list. Written into a file beside it, onto the disk,
    and only then renamed: whoever is killed, or runs out of space, has the old file or the new one.
    """
    arrays = {f"model.{i}": a for i, a in enumerate(_arrays(model))}
    arrays |= {f"kept.{i}": a for i, a in enumerate(kept)}
    arrays |= {f"optimiser.{name}": value for name, value in optimiser.state().items()}
    states = [generator.bit_generator.state for generator in _generators(model)]
    told = json.dumps({"history": asdict(history), "generators": states})  # a float's repr has all its digits
    part = Path(f"{path}.part")
    with open(part, "wb") as file:
        np.savez(file, told=np.array(told), **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def load(path, model, optimiser):
    """What `save` has saved, put into model and optimiser -> history, kept.

    The model's arrays stay the same objects. ValueError for the file of another model, or of another optimiser; then nothing
    has changed.
    """
    with np.load(path, allow_pickle=False) as file:
        groups = {"model": {}, "kept": {}, "optimiser": {}}
        told = json.loads(str(file["told"]))
        for key in sorted(file.files):
            group, _, name = key.partition(".")
            if group in groups:
                groups[group][name] = file[key]
    now, kept = ([groups[g][str(i)] for i in range(len(groups[g]))] for g in ("model", "kept"))
    shapes = [a.shape for a in _arrays(model)]
    if any([a.shape for a in arrays] != shapes for arrays in (now, kept)) or len(told["generators"]) != len(
        _generators(model)
    ):
        raise ValueError(f"{path} belongs to another model")
    optimiser.load(groups["optimiser"])
    _put(now, _arrays(model))
    for generator, state in zip(_generators(model), told["generators"]):
        generator.bit_generator.state = state
    return History(**told["history"]), kept


def _arrays(model):
    """The arrays that a model is: its params, then its buffers."""
    return [*model.params, *getattr(model, "buffers", [])]


def _generators(model):
    return getattr(model, "generators", [])


def _put(values, arrays):
    """The values into the arrays, in place."""
    for array, value in zip(arrays, values):
        np.copyto(array, value)
