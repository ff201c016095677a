"""Another way: one loop over steps with the epochs in it, and a checkpoint that is made in memory first."""

import copy
import io
import json
import math
import os
import tempfile
from dataclasses import dataclass, field

import numpy as np


@dataclass
class History:
    losses: list = field(default_factory=list)
    accuracy: list = field(default_factory=list)
    best: int = 0
    epochs: int = 0


def accuracy(model, X, y, size=1000):
    predicted = []
    for start in range(0, len(X), size):
        predicted.extend(np.asarray(model.predict(X[start : start + size])).tolist())
    return float(np.mean([a == b for a, b in zip(predicted, y.tolist())]))


def train_epoch(model, optimiser, loader, number, *, schedule=None, clip=None, augment=None, watch=None):
    first, losses = number * len(loader), []
    for X, y in loader.epoch(number):
        step = first + len(losses)
        if augment:
            X = augment(X, np.random.Generator(np.random.PCG64([loader.seed, step, 1])))
        loss, grads = model.loss_and_grads(X, y)
        if not math.isfinite(loss):
            raise FloatingPointError(f"step {step}: {loss}")
        if clip is not None:
            norm = math.sqrt(math.fsum(float((g.astype(float) ** 2).sum()) for g in grads))
            if norm + 1e-6 > clip:
                grads = [g * (clip / (norm + 1e-6)) for g in grads]
        if schedule:
            optimiser.lr = schedule(step)
        optimiser.step(grads)
        losses.append(float(loss))
        if watch:
            watch(step, float(loss))
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
    if patience is not None:
        if valid is None:
            raise ValueError("what should be waited for")
        if patience <= 0:
            raise ValueError("at least one epoch")
    history, kept = History(), copy.deepcopy(_all(model))
    if checkpoint is not None and os.path.isfile(checkpoint):
        history, kept = load(checkpoint, model, optimiser)
    best = max(history.accuracy) if history.accuracy else float("-inf")
    bored = history.epochs - history.best
    while history.epochs < epochs and (patience is None or bored < patience):
        history.losses.extend(
            train_epoch(
                model,
                optimiser,
                loader,
                history.epochs,
                schedule=schedule,
                clip=clip,
                augment=augment,
                watch=watch,
            )
        )
        history.epochs += 1
        bored += 1
        score = history.epochs if valid is None else accuracy(model, *valid)
        if valid is not None:
            history.accuracy.append(score)
        if score > best:
            best, bored, history.best = score, 0, history.epochs
            kept = copy.deepcopy(_all(model))
        if checkpoint is not None:
            save(checkpoint, model, optimiser, history, kept)
    for mine, theirs in zip(_all(model), kept):
        mine[...] = theirs
    return history


def _all(model):
    return list(model.params) + list(getattr(model, "buffers", []))


def save(path, model, optimiser, history, kept):
    entries = {}
    for letter, arrays in (("m", _all(model)), ("k", kept)):
        for i, array in enumerate(arrays):
            entries[f"{letter}{i:06}"] = array
    for name, value in optimiser.state().items():
        entries["o" + name] = value
    generators = [g.bit_generator.state for g in getattr(model, "generators", [])]
    text = json.dumps([generators, history.losses, history.accuracy, history.best, history.epochs])
    entries["t"] = np.frombuffer(text.encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **entries)
    descriptor, aside = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(buffer.getvalue())
            file.flush()
            os.fsync(descriptor)
        os.rename(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def load(path, model, optimiser):
    with np.load(path) as file:
        entries = {name: file[name] for name in file.files}
    generators, losses, accuracies, best, epochs = json.loads(entries["t"].tobytes())
    now, kept = ([entries[name] for name in sorted(entries) if name[0] == letter] for letter in "mk")
    targets = _all(model)
    if len(now) != len(targets) or any(a.shape != b.shape for a, b in zip(now, targets)):
        raise ValueError("another model's")
    optimiser.load({name[1:]: value for name, value in entries.items() if name[0] == "o"})
    for mine, theirs in zip(targets, now):
        mine[...] = theirs
    for generator, state in zip(getattr(model, "generators", []), generators):
        generator.bit_generator.state = state
    return History(losses, accuracies, best, epochs), kept
