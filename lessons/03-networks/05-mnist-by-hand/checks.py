"""What is asked of lesson 3.5: the order of the data, the loop, when it stops, how it goes on; and 98 % of MNIST.

The truths are plain loops, written here once more, over models whose whole path is known.
"""

import tempfile
import zipfile
from pathlib import Path

import numpy as np

from groundup.course import checkpoint

# ------------------------------------------------------------------------------------------------ models to be trained


class Line:
    """Scores X w + b, and half the mean squared error. It counts its steps in a buffer, and draws noise if it may.

    What it predicts is as often right as the script says, by epoch, on rows whose first column counts from 0 to 9 and
    whose class is 0.
    """

    def __init__(self, w, script=(), batches=1, noise=None, dtype=np.float64):
        self.params = [np.array(w, dtype), np.zeros(1, dtype)]
        self.buffers = [np.zeros(1)]
        self.generators = [] if noise is None else [np.random.default_rng(noise)]
        self.script, self.batches = script, batches

    def loss_and_grads(self, X, y):
        self.buffers[0] += 1
        w, b = self.params
        r = X @ w + b - y  # (n,)
        for generator in self.generators:
            r = r + generator.standard_normal(len(r))
        return 0.5 * float(np.mean(r * r)), [X.T @ r / len(r), np.array([np.mean(r)])]

    def predict(self, X):
        epoch = int(self.buffers[0][0]) // self.batches
        right = self.script[min(epoch, len(self.script)) - 1]
        return np.where(X[:, 0] < right, 0, 1)


class Momentum:
    """u <- momentum u + g, w <- w - lr u. It notes the rate of each step."""

    def __init__(self, params, lr, momentum=0.0):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.u = [np.zeros_like(p) for p in params]
        self.rates = []

    def step(self, grads):
        self.rates.append(float(self.lr))
        for p, u, g in zip(self.params, self.u, grads):
            u *= self.momentum
            u += g
            p -= self.lr * u

    def state(self):
        return {"lr": self.lr, "steps": len(self.rates), **{f"momentum.{i}": u.copy() for i, u in enumerate(self.u)}}

    def load(self, state):
        self.lr, self.rates = float(state["lr"]), [0.0] * int(state["steps"])
        for i, u in enumerate(self.u):
            np.copyto(u, state[f"momentum.{i}"])


class Interrupted(Exception):
    """Whoever watches has seen enough."""


def held_out():
    """Ten rows that count, and their class."""
    return np.arange(10.0)[:, None], np.zeros(10, int)


def by_hand(X, y, w, size, seed, epochs, rates, momentum=0.0, clip=None, jitter=False, noise=None):
    """The path of a Line under Momentum, in order: (step, epoch, loss before the step, w and b after it)."""
    w, b, n = w.copy(), 0.0, len(X)
    u, v = np.zeros(len(w)), 0.0
    batches = (n + size - 1) // size
    own = None if noise is None else np.random.default_rng(noise)
    for epoch in epochs:
        shuffled = np.random.default_rng([seed, epoch]).permutation(n)
        for i in range(batches):
            step = epoch * batches + i
            some = shuffled[i * size : (i + 1) * size]
            Xs, ys = X[some], y[some]
            if jitter:
                Xs = Xs + np.random.default_rng([seed, step, 1]).standard_normal(Xs.shape)
            error = (Xs * w).sum(axis=1) + b - ys
            if own is not None:
                error = error + own.standard_normal(len(some))
            loss = float((error**2).mean() / 2)
            dw, db = (Xs * error[:, None]).mean(axis=0), float(error.mean())
            length = np.sqrt((dw**2).sum() + db**2)
            if clip is not None and length > clip:
                dw, db = dw * clip / (length + 1e-6), db * clip / (length + 1e-6)
            u, v = momentum * u + dw, momentum * v + db
            w, b = w - rates(step) * u, b - rates(step) * v
            yield step, epoch, loss, w, b


def stopped(script, patience):
    """How many epochs are run, and which is the best, counted from 1."""
    best = 1
    for epoch in range(1, len(script) + 1):
        if script[epoch - 1] > script[best - 1]:
            best = epoch
        if epoch - best == patience:
            return epoch, best
    return len(script), best


def draw_line(draw):
    """Samples of a line, the size of a batch and a seed."""
    n, d = draw.integer(1, 9), draw.integer(1, 2)
    return dict(X=draw.normal(n, d), y=draw.normal(n), w=draw.normal(d), size=draw.integer(1, 4), seed=draw.seed())


def falling(step):
    """A rate that is another at each step."""
    return 0.3 / (2.0 + step)


def small_line():
    X, y = np.array([[1.0], [2.0], [-1.0], [0.5], [3.0]]), np.array([2.0, 1.0, 0.0, -1.0, 4.0])
    return dict(X=X, y=y, w=np.array([0.5]), size=2, seed=3)


def printed(x):
    return np.array2string(np.asarray(x), separator=", ")


# ------------------------------------------------------------------------------------------------------------- the data


@checkpoint("The order of an epoch follows from seed and epoch alone", atol=0.0, count=10)
def epoch_order(lib, n, seed, epoch):
    order = lib.grad.data.order
    first, other, again = order(n, seed, epoch), order(n, seed, epoch + 1), order(n, seed, epoch)
    return {"this": first, "the next": other, "this again": again}


@epoch_order.cases
def _(draw):
    return dict(n=draw.integer(1, 9), seed=draw.seed(), epoch=draw.integer(0, 20))


@epoch_order.edges
def _():
    return [dict(n=1, seed=0, epoch=0), dict(n=5, seed=0, epoch=0), dict(n=7, seed=1, epoch=0)]


@epoch_order.oracle
def _(n, seed, epoch):
    this, other = (np.random.default_rng([seed, e]).permutation(n) for e in (epoch, epoch + 1))
    return {"this": this, "the next": other, "this again": this}


@checkpoint("Batches: every sample once an epoch, arrays in step, and copies", atol=0.0, count=12)
def batches(lib, images, labels, size, seed, shuffle, drop_last):
    loader = lib.grad.data.Loader(images, labels, size=size, seed=seed, shuffle=shuffle, drop_last=drop_last)
    seen = []
    for number in (0, 1, 2, 1):
        epoch = []
        for X, y in loader.epoch(number):
            epoch.append([X.copy(), y.copy()])
            X[...], y[...] = -1.0, -1  # whoever gets a batch may write into it
        seen.append(epoch)
    return {"batches": len(loader), "epochs": seen}


@batches.cases
def _(draw):
    n = draw.integer(1, 9)
    return dict(
        images=draw.normal(n, 2, 2),
        labels=draw.integers(0, 9, n),
        size=draw.integer(1, 4),
        seed=draw.seed(),
        shuffle=draw.boolean(0.7),
        drop_last=draw.boolean(0.3),
    )


@batches.edges
def _():
    images, labels = np.arange(5.0)[:, None], np.arange(5)
    return [
        dict(images=images, labels=labels, size=2, seed=0, shuffle=shuffle, drop_last=drop_last)
        for shuffle in (False, True)
        for drop_last in (False, True)
    ] + [
        dict(images=images[:1], labels=labels[:1], size=3, seed=0, shuffle=True, drop_last=False),
        dict(images=images[:4], labels=labels[:4], size=2, seed=0, shuffle=True, drop_last=False),
        dict(images=images[:2], labels=labels[:2], size=3, seed=0, shuffle=True, drop_last=True),
    ]


@batches.oracle
def _(images, labels, size, seed, shuffle, drop_last):
    n, epochs = len(images), []
    for number in (0, 1, 2, 1):
        rows = list(range(n))
        if shuffle:
            rows = np.random.default_rng([seed, number]).permutation(n).tolist()
        parts = [rows[i : i + size] for i in range(0, n, size)]
        if drop_last:
            parts = [part for part in parts if len(part) == size]
        epochs.append([[images[part], labels[part]] for part in parts])
    return {"batches": len(epochs[0]), "epochs": epochs}


@checkpoint("Rows held out: as many as asked for, none twice, all accounted for", atol=0.0, count=12)
def hold_out(lib, n, share, seed):
    train, valid = lib.grad.data.hold_out(n, share, np.random.default_rng(seed))
    return {"train": train, "valid": valid}


@hold_out.cases
def _(draw):
    n = draw.integer(2, 12)
    return dict(n=n, share=draw.uniform(0.01, 0.9) * (n - 1) / n, seed=draw.seed())


@hold_out.edges
def _():
    return [dict(n=2, share=0.1, seed=0), dict(n=10, share=0.2, seed=0), dict(n=7, share=0.5, seed=1)]


@hold_out.oracle
def _(n, share, seed):
    shuffled = np.random.default_rng(seed).permutation(n).tolist()
    held = max(1, round(share * n))
    return {"train": np.array(sorted(shuffled[held:])), "valid": np.array(sorted(shuffled[:held]))}


@checkpoint("Mean and deviation of the pixels, whatever their dtype", atol=1e-12, rtol=1e-9, count=12)
def pixel_scale(lib, images):
    mean, deviation = lib.grad.data.pixel_scale(images)
    return {"mean": mean, "deviation": deviation}


@pixel_scale.cases
def _(draw):
    shape = (draw.integer(1, 6), draw.integer(1, 4), draw.integer(1, 4))
    if draw.boolean():
        return dict(images=draw.integers(0, 255, *shape).astype(np.uint8))
    offset = draw.choice([0.0, 1.0, 1e4])
    return dict(images=(draw.normal(*shape) + offset).astype(draw.choice([np.float64, np.float32])))


@pixel_scale.edges
def _():
    return [
        dict(images=np.array([[[0, 255]], [[255, 0]]], np.uint8)),
        dict(images=np.full((3, 2, 2), 7, np.uint8)),
        dict(images=np.array([[[1e8]], [[1e8 + 2.0]]])),
        dict(images=np.arange(2400).reshape(1200, 1, 2).astype(np.uint16)),
    ]


@pixel_scale.oracle
def _(images):
    from fractions import Fraction

    values = [Fraction(float(x)) for x in images.ravel().tolist()]
    mean = sum(values) / len(values)
    variance = sum((x - mean) ** 2 for x in values) / len(values)
    return {"mean": float(mean), "deviation": float(variance) ** 0.5 if variance else 1.0}


@checkpoint("Images as rows, on the scale that is given, float32, and the images untouched", atol=1e-5, count=10)
def as_features(lib, images, mean, deviation):
    return lib.grad.data.as_features(images, mean, deviation)


@as_features.cases
def _(draw):
    shape = (draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4))
    if draw.boolean():
        return dict(
            images=draw.integers(0, 255, *shape).astype(np.uint8),
            mean=draw.uniform(20, 60),
            deviation=draw.uniform(50, 90),
        )
    dtype = draw.choice([np.float32, np.float64])
    return dict(images=draw.normal(*shape).astype(dtype), mean=draw.normal(), deviation=draw.uniform(0.5, 2))


@as_features.edges
def _():
    image = np.array([[[0, 1, 2], [3, 4, 5]], [[9, 9, 9], [0, 0, 0]]])
    return [
        dict(images=image.astype(np.uint8), mean=1.0, deviation=2.0),
        dict(images=image.astype(np.float32), mean=1.0, deviation=2.0),
    ]


@as_features.oracle
def _(images, mean, deviation):
    rows = [[(float(pixel) - mean) / deviation for line in image for pixel in line] for image in images]
    return np.array(rows, np.float32)


# ---------------------------------------------------------------------------------------------------- one picture, many


@checkpoint("A warp equals SciPy's affine transform with linear interpolation", atol=2e-4, rtol=1e-5, count=14)
def warp(lib, images, matrices, shifts):
    return lib.grad.data.warp(images, matrices, shifts)


@warp.cases
def _(draw):
    n, h = draw.integer(1, 3), draw.integer(1, 7)
    w = h if draw.boolean(0.3) else draw.integer(1, 7)
    if draw.boolean(0.3):
        images = draw.integers(0, 9, n, h, w).astype(np.uint8)
    else:
        images = draw.normal(n, h, w).astype(draw.choice([np.float64, np.float32]))
    matrices = np.eye(2) + draw.uniform(-0.9, 0.9, n, 2, 2)
    return dict(images=images, matrices=matrices, shifts=draw.uniform(-3, 3, n, 2))


@warp.edges
def _():
    one = np.arange(1.0, 13.0).reshape(1, 3, 4)
    same, turn = np.eye(2)[None], np.array([[[0.0, -1.0], [1.0, 0.0]]])
    digits = np.random.default_rng(0).integers(0, 10, (20, 28, 28)).astype(np.float32)
    angles = np.linspace(-3, 3, 20)
    turns = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])
    return [
        dict(images=one, matrices=same, shifts=np.zeros((1, 2))),
        dict(images=one, matrices=same, shifts=np.array([[1.0, 0.0]])),
        dict(images=one, matrices=same, shifts=np.array([[0.0, 0.25]])),
        dict(images=one, matrices=same, shifts=np.array([[-0.5, 2.0]])),
        dict(images=one[:, :, :3], matrices=turn, shifts=np.zeros((1, 2))),
        dict(images=one, matrices=0.5 * same, shifts=np.zeros((1, 2))),
        dict(images=one, matrices=np.array([[[1.0, 0.5], [0.0, 1.0]]]), shifts=np.zeros((1, 2))),
        dict(images=one, matrices=same, shifts=np.array([[1e6, 0.0]])),
        dict(images=digits, matrices=turns, shifts=np.linspace(-2, 2, 40).reshape(20, 2)),
    ]


@warp.oracle
def _(images, matrices, shifts):
    from scipy.ndimage import affine_transform

    centre = (np.array(images.shape[1:]) - 1) / 2
    warped = [
        affine_transform(image.astype(float), m, offset=centre + s - m @ centre, order=1, mode="grid-constant")
        for image, m, s in zip(images, matrices, shifts)
    ]
    return np.array(warped, np.float32)


@warp.shown
def _(images, matrices, shifts):
    if images.size > 100:
        return f"{len(images)} images of {images.shape[1]} by {images.shape[2]}"
    return f"images = {printed(images)}\nmatrices = {printed(matrices)}\nshifts = {printed(shifts)}"


def ramps(n, side):
    """Images whose pixels are their row, and images whose pixels are their column, both from the centre."""
    where = np.arange(side, dtype=np.float32) - side // 2
    return np.tile(where[:, None], (n, 1, side)), np.tile(where, (n, side, 1))


@checkpoint("Each image is moved, turned and zoomed by draws of its own, within bounds", count=5, seconds=6)
def augment(lib, seed, shift, turn, zoom):
    function, n, m = lib.grad.data.augment, 60, 8
    rows, columns = ramps(n, 2 * m + 1)  # linear interpolation leaves a ramp a ramp, from which the map can be read
    warped = [function(x, np.random.default_rng(seed), shift=shift, turn=turn, zoom=zoom) for x in (rows, columns)]
    slopes = [[(x[:, m + 2, m] - x[:, m - 2, m]) / 4, (x[:, m, m + 2] - x[:, m, m - 2]) / 4] for x in warped]
    other = function(rows, np.random.default_rng(seed + 1), shift=shift, turn=turn, zoom=zoom)
    small = function(np.ones((2, 3, 4), np.uint8), np.random.default_rng(seed), shift, turn, zoom)
    return {
        "matrices": np.array(slopes, float).transpose(2, 0, 1),  # (n, 2, 2)
        "shifts": np.stack([x[:, m, m] for x in warped], axis=1).astype(float),  # (n, 2)
        "another seed differs by": float(np.abs(other - warped[0]).max()),
        "dtypes": [str(warped[0].dtype), str(small.dtype)],
        "shape": list(small.shape),
    }


@augment.cases
def _(draw):
    kind = draw.choice(["move", "turn", "zoom", "all"])
    return dict(
        seed=draw.seed(),
        shift=draw.uniform(0.5, 2.5) if kind in ("move", "all") else 0.0,
        turn=draw.uniform(2, 20) if kind in ("turn", "all") else 0.0,
        zoom=draw.uniform(0.05, 0.2) if kind in ("zoom", "all") else 0.0,
    )


@augment.edges
def _():
    return [
        dict(seed=0, shift=0.0, turn=0.0, zoom=0.0),
        dict(seed=0, shift=2.0, turn=0.0, zoom=0.0),
        dict(seed=0, shift=0.0, turn=10.0, zoom=0.0),
        dict(seed=0, shift=0.0, turn=0.0, zoom=0.2),
        dict(seed=0, shift=2.0, turn=10.0, zoom=0.1),
    ]


@augment.accepts
def _(got, seed, shift, turn, zoom):
    if got["dtypes"] != ["float32", "float32"] or got["shape"] != [2, 3, 4]:
        return f"Images (2, 3, 4) become float32 of the same shape. Yours: {got['dtypes'][1]}, {got['shape']}."
    m, moves = got["matrices"], got["shifts"]
    factor = 1 / np.sqrt(np.abs(np.linalg.det(m)))  # how much larger the picture has become
    angle = np.rad2deg(np.arctan2(m[:, 1, 0], m[:, 0, 0]))
    rigid = np.stack([m[:, 0, 0] - m[:, 1, 1], m[:, 0, 1] + m[:, 1, 0]])
    if np.abs(rigid).max() > 1e-3:
        return "A turn and a zoom keep right angles right, and both axes equally long. Yours do not."
    loose = 1.5 * (1 + zoom) / (1 - zoom) if turn or zoom else 1.0  # whether the move comes before the turn is free
    spans = [
        ("moved along the rows", moves[:, 0], -shift, shift, loose, "pixels"),
        ("moved along the columns", moves[:, 1], -shift, shift, loose, "pixels"),
        ("turned", angle, -turn, turn, 1.0, "degrees"),
        ("zoomed", factor - 1, -zoom, zoom, 1.0, "of the size"),
    ]
    for what, drawn, low, high, slack, unit in spans:
        if drawn.min() < low * slack - 2e-3 or drawn.max() > high * slack + 2e-3:
            return f"With {high:g} at most, an image is {what} by {max(drawn, key=abs):.3f} {unit}."
        if high and (drawn.min() > 0.5 * low or drawn.max() < 0.5 * high):
            return (
                f"Of 60 images {what} by up to {high:g} {unit} either way, none is {what} beyond {drawn.min():.3f} or "
                f"{drawn.max():.3f}."
            )
        if high and len(np.unique(np.round(drawn, 3))) < 20:
            return f"60 images were {what} by {len(np.unique(np.round(drawn, 3)))} different draws: each has its own."
    if (shift or turn or zoom) and got["another seed differs by"] < 1e-3:
        return "Two generators with different seeds give the same maps: the draws have to come from the generator."
    return True


# --------------------------------------------------------------------------------------------------------------- the loop


@checkpoint("Accuracy is the share of all samples, the last short batch as it counts", atol=1e-12, count=8)
def accuracy(lib, predicted, y, size):
    class Repeats:
        def predict(self, X):
            return X[:, 0]

    return {"accuracy": lib.grad.fit.accuracy(Repeats(), predicted[:, None], y, size=size)}


@accuracy.cases
def _(draw):
    n = draw.integer(1, 9)
    return dict(predicted=draw.integers(0, 2, n), y=draw.integers(0, 2, n), size=draw.integer(1, 4))


@accuracy.edges
def _():
    y = np.array([1, 1, 1, 0, 0])
    return [
        dict(predicted=y, y=y, size=2),
        dict(predicted=np.array([1, 1, 0, 0, 1]), y=y, size=4),
        dict(predicted=np.array([0, 0, 0, 0, 1]), y=y, size=3),
    ]


@accuracy.oracle
def _(predicted, y, size):
    return {"accuracy": sum(a == b for a, b in zip(predicted.tolist(), y.tolist())) / len(y)}


@checkpoint(
    "An epoch: losses from before each step, rates by the step, gradients clipped together", atol=1e-10, count=12
)
def one_epoch(lib, X, y, w, size, seed, numbers, scheduled, clip):
    model, seen, losses = Line(w), [], []
    optimiser = Momentum(model.params, 0.1, momentum=0.5)
    loader = lib.grad.data.Loader(X, y, size=size, seed=seed)
    for number in numbers:
        losses += lib.grad.fit.train_epoch(
            model,
            optimiser,
            loader,
            number,
            schedule=falling if scheduled else None,
            clip=clip,
            watch=lambda step, loss: seen.append([step, loss, model.params[0].copy()]),
        )
    return {"losses": losses, "rates": optimiser.rates, "watched": seen, "w": model.params[0], "b": model.params[1]}


@one_epoch.cases
def _(draw):
    return draw_line(draw) | dict(
        numbers=draw.choice([[0], [0, 1], [3, 4]]), scheduled=draw.boolean(), clip=draw.choice([None, 0.2])
    )


@one_epoch.edges
def _():
    return [
        small_line() | dict(numbers=[0], scheduled=False, clip=None),
        small_line() | dict(numbers=[0, 1], scheduled=True, clip=None),
        small_line() | dict(numbers=[0, 1], scheduled=False, clip=0.5),
    ]


@one_epoch.oracle
def _(X, y, w, size, seed, numbers, scheduled, clip):
    rates = falling if scheduled else (lambda step: 0.1)
    path = list(by_hand(X, y, w, size, seed, numbers, rates, momentum=0.5, clip=clip))
    return {
        "losses": [loss for _, _, loss, _, _ in path],
        "rates": [rates(step) for step, *_ in path],
        "watched": [[step, loss, w] for step, _, loss, w, _ in path],
        "w": path[-1][3],
        "b": np.array([path[-1][4]]),
    }


@checkpoint("Augmentation is drawn anew at every step, as a function of the step alone", atol=1e-10, count=8)
def augmented(lib, X, y, w, size, seed, numbers):
    def jitter(X, generator):
        return X + generator.standard_normal(X.shape)

    model, losses = Line(w), []
    loader = lib.grad.data.Loader(X, y, size=size, seed=seed)
    for number in numbers:
        losses += lib.grad.fit.train_epoch(model, Momentum(model.params, 0.1), loader, number, augment=jitter)
    return {"losses": losses, "w": model.params[0]}


@augmented.cases
def _(draw):
    return draw_line(draw) | dict(numbers=draw.choice([[0], [0, 1], [1, 0]]))


@augmented.edges
def _():
    return [small_line() | dict(numbers=[0]), small_line() | dict(numbers=[0, 1])]


@augmented.oracle
def _(X, y, w, size, seed, numbers):
    path = list(by_hand(X, y, w, size, seed, numbers, lambda step: 0.1, jitter=True))
    return {"losses": [loss for _, _, loss, _, _ in path], "w": path[-1][3]}


@checkpoint("A loss that is not finite ends the training before its step", atol=1e-10, count=6)
def not_finite(lib, X, y, w, size, seed, place, value):
    broken = y.copy()
    broken[place] = value
    model, seen = Line(w), []
    optimiser = Momentum(model.params, 0.1)
    loader = lib.grad.data.Loader(X, broken, size=size, seed=seed)
    said = "nothing"
    with np.errstate(all="ignore"):
        try:
            lib.grad.fit.train_epoch(model, optimiser, loader, 0, watch=lambda step, loss: seen.append(step))
        except FloatingPointError:
            said = "FloatingPointError"
    return {"raised": said, "steps taken": seen, "w": model.params[0]}


@not_finite.cases
def _(draw):
    line = draw_line(draw)
    return line | dict(place=draw.integer(0, len(line["y"]) - 1), value=draw.choice([np.inf, -np.inf, np.nan]))


@not_finite.edges
def _():
    return [small_line() | dict(place=0, value=value) for value in (np.inf, np.nan)]


@not_finite.oracle
def _(X, y, w, size, seed, place, value):
    shuffled = np.random.default_rng([seed, 0]).permutation(len(X)).tolist()
    healthy = shuffled.index(place) // size
    taken = list(by_hand(X, y, w, size, seed, [0], lambda step: 0.1))[:healthy]
    return {
        "raised": "FloatingPointError",
        "steps taken": list(range(healthy)),
        "w": taken[-1][3] if taken else w,
    }


# --------------------------------------------------------------------------------------------------- kept, and continued


def filled(w, u, noise, dtype):
    """A model and an optimiser in the middle of something."""
    model = Line(w, noise=noise, dtype=dtype)
    model.params[1][...], model.buffers[0][...] = 0.5, 7
    optimiser = Momentum(model.params, 0.25, momentum=0.9)
    optimiser.rates = [0.1, 0.2, 0.3]
    np.copyto(optimiser.u[0], u)
    return model, optimiser


@checkpoint("What was saved comes back: model, optimiser, history, the best, and what will be drawn", atol=0.0, count=6)
def saved(lib, w, u, best, losses, noise, single, name):
    fit, dtype = lib.grad.fit, np.float32 if single else np.float64
    model, optimiser = filled(w, u, noise, dtype)
    model.generators[0].random(3)
    history = fit.History(losses=losses, accuracy=[0.25, 0.75, 0.5], best=2, epochs=3)
    other = Line(np.zeros(len(w)), noise=0, dtype=dtype)
    arrays, fresh = [*other.params, *other.buffers], Momentum(other.params, 1.0, momentum=0.9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        fit.save(path, model, optimiser, history, [best.astype(dtype), np.ones(1, dtype), np.array([4.0])])
        found, kept = fit.load(path, other, fresh)
    return {
        "model": [*other.params, *other.buffers],
        "the same arrays": all(a is b for a, b in zip(arrays, [*other.params, *other.buffers])),
        "optimiser": [fresh.lr, len(fresh.rates), *fresh.u],
        "drawn next": other.generators[0].random(3),
        "history": [found.losses, found.accuracy, found.best, found.epochs],
        "kept": list(kept),
    }


@saved.cases
def _(draw):
    d = draw.integer(1, 3)
    return dict(
        w=draw.normal(d),
        u=draw.normal(d),
        best=draw.normal(d),
        losses=draw.log_uniform(1e-9, 1e3, draw.integer(1, 4)).tolist(),
        noise=draw.seed(),
        single=draw.boolean(),
        name=draw.choice(["run.npz", "run"]),
    )


@saved.edges
def _():
    w = np.array([1.0, -2.0])
    return [
        dict(w=w, u=w + 1, best=w + 2, losses=[1.5, 0.1], noise=1, single=False, name=n) for n in ("run.npz", "run")
    ]


@saved.oracle
def _(w, u, best, losses, noise, single, name):
    dtype = np.float32 if single else np.float64
    generator = np.random.default_rng(noise)
    generator.random(3)
    return {
        "model": [w.astype(dtype), np.array([0.5], dtype), np.array([7.0])],
        "the same arrays": True,
        "optimiser": [0.25, 3, u.astype(dtype), np.zeros(1, dtype)],
        "drawn next": generator.random(3),
        "history": [losses, [0.25, 0.75, 0.5], 2, 3],
        "kept": [best.astype(dtype), np.ones(1, dtype), np.array([4.0])],
    }


@checkpoint("A disk that is full leaves the old file whole", atol=0.0, count=0)
def full_disk(lib, w):
    import resource

    fit = lib.grad.fit
    model, optimiser = filled(w, 2 * w, 1, np.float64)
    kept = [*model.params, *model.buffers]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        fit.save(path, model, optimiser, fit.History(best=1, epochs=1), kept)
        model.params[0] += 1
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # bytes that a file may have from now on
        try:
            fit.save(path, model, optimiser, fit.History(best=2, epochs=2), kept)
            said = "nothing"
        except OSError:
            said = "OSError"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        model.params[0][...] = 0
        try:
            history, _ = fit.load(path, model, optimiser)
            epochs = history.epochs
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            epochs = -1
    return {"raised": said, "epochs in the file": epochs, "w": model.params[0]}


@full_disk.edges
def _():
    return [dict(w=np.array([1.0, 2.0])), dict(w=np.linspace(-1, 1, 300))]


@full_disk.oracle
def _(w):
    return {"raised": "OSError", "epochs in the file": 1, "w": w}


@checkpoint("Early stopping puts back the first of the best epochs", atol=1e-10, count=12)
def early_stopping(lib, X, y, w, size, seed, script, epochs, patience, watched):
    loader = lib.grad.data.Loader(X, y, size=size, seed=seed)
    model = Line(w, script, len(loader))
    history = lib.grad.fit.fit(
        model,
        Momentum(model.params, 0.1),
        loader,
        epochs,
        valid=held_out() if watched else None,
        patience=patience if watched else None,
    )
    return {
        "epochs": history.epochs,
        "best": history.best,
        "accuracy": history.accuracy,
        "losses": history.losses,
        "w at the end": model.params[0],
        "steps at the end": float(model.buffers[0][0]),
    }


@early_stopping.cases
def _(draw):
    epochs = draw.integer(1, 7)
    return draw_line(draw) | dict(
        script=draw.integers(0, 4, epochs).tolist(),
        epochs=epochs,
        patience=draw.choice([None, 1, 2, 3]),
        watched=draw.boolean(0.8),
    )


@early_stopping.edges
def _():
    line = small_line()
    return [
        line | dict(script=[1, 5, 3], epochs=3, patience=None, watched=True),
        line | dict(script=[1, 5, 5], epochs=3, patience=None, watched=True),
        line | dict(script=[1, 5, 3], epochs=3, patience=None, watched=False),
        line | dict(script=[5, 3, 3, 3, 9], epochs=5, patience=2, watched=True),
        line | dict(script=[5, 3, 7, 3, 9], epochs=5, patience=2, watched=True),
        line | dict(script=[0, 0, 0, 0, 0], epochs=5, patience=3, watched=True),
        line | dict(script=[1, 2, 3, 4, 5], epochs=5, patience=1, watched=True),
    ]


@early_stopping.oracle
def _(X, y, w, size, seed, script, epochs, patience, watched):
    batches = (len(X) + size - 1) // size
    ends = {}
    losses = []
    for _, epoch, loss, now, _ in by_hand(X, y, w, size, seed, range(epochs), lambda step: 0.1):
        ends[epoch + 1] = now
        losses.append(loss)
    run, best = stopped(script, patience) if watched else (epochs, epochs)
    return {
        "epochs": run,
        "best": best,
        "accuracy": [right / 10 for right in script[:run]] if watched else [],
        "losses": losses[: run * batches],
        "w at the end": ends[best],
        "steps at the end": float(best * batches),
    }


def trained(lib, case, path=None, stop=None):
    """One run of fit on a new model: history, model, the steps it took; or None where it was stopped after a step."""
    taken = []

    def jitter(X, generator):
        return X + generator.standard_normal(X.shape)

    def watch(step, loss):
        taken.append(step)
        if step == stop:
            raise Interrupted

    loader = lib.grad.data.Loader(case["X"], case["y"], size=case["size"], seed=case["seed"])
    model = Line(case["w"], case["script"], len(loader), noise=case["seed"])
    if case["adam"]:
        optimiser = lib.grad.optim.Adam(model.params, lr=0.1)
    else:
        optimiser = Momentum(model.params, 0.1, momentum=0.8)
    options = dict(schedule=falling, augment=jitter, watch=watch, checkpoint=path, patience=case["patience"])
    try:
        history = lib.grad.fit.fit(model, optimiser, loader, len(case["script"]), valid=held_out(), **options)
    except Interrupted:
        return None
    return history, model, taken


def bits(run):
    """All of a run that can be compared."""
    history, model, _ = run
    numbers = [history.losses, history.accuracy, [history.best], [history.epochs]]
    return [np.asarray(x, float).tobytes() for x in (*numbers, *model.params, *model.buffers)]


@checkpoint("A run that is broken off and goes on equals one that is not, bit for bit", atol=1e-9, count=6)
def resumed(lib, X, y, w, size, seed, script, patience, stops, adam):
    case = dict(X=X, y=y, w=w, size=size, seed=seed, script=script, patience=patience, adam=adam)
    whole = trained(lib, case)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        for stop in stops:
            trained(lib, case, path, stop)
        run = trained(lib, case, path)
        again = trained(lib, case, path)
    history, model, taken = run
    answer = {
        "steps after the break": [taken, again[2]],
        "epochs": history.epochs,
        "best": history.best,
        "losses": history.losses,
        "w": model.params[0],
        "equal": bits(run) == bits(whole),
        "equal when nothing is left to do": bits(again) == bits(whole),
    }
    return {key: value for key, value in answer.items() if not adam or key not in ("losses", "w")}


@resumed.cases
def _(draw):
    line = draw_line(draw)
    epochs = draw.integer(1, 5)
    steps = epochs * -(-len(line["X"]) // line["size"])
    return line | dict(
        script=draw.integers(0, 3, epochs).tolist(),
        patience=draw.choice([None, 2]),
        stops=sorted(draw.integers(0, steps - 1, draw.integer(1, 2)).tolist()),
        adam=draw.boolean(0.3),
    )


@resumed.edges
def _():
    line = small_line() | dict(patience=None, adam=False)  # three steps an epoch
    return [
        line | dict(script=[1, 2], stops=[3]),
        line | dict(script=[1, 2, 3, 4], stops=[7]),
        line | dict(script=[5, 1, 2, 3], stops=[6]),
        line | dict(script=[5, 1, 2, 3], stops=[2, 8, 10]),
        line | dict(script=[5, 1, 2, 3], stops=[4], patience=2),
        line | dict(script=[1, 2, 3], stops=[6], adam=True),
    ]


@resumed.oracle
def _(X, y, w, size, seed, script, patience, stops, adam):
    run, best = stopped(script, patience)
    batches = (len(X) + size - 1) // size
    begun = 0  # the epoch after the last one that was whole before a break, as far as it came to that
    for stop in stops:
        begun = max(begun, min(stop // batches, run))
    answer = {
        "steps after the break": [list(range(begun * batches, run * batches)), []],
        "epochs": run,
        "best": best,
        "equal": True,
        "equal when nothing is left to do": True,
    }
    if adam:
        return answer
    path = list(by_hand(X, y, w, size, seed, range(run), falling, momentum=0.8, jitter=True, noise=seed))
    return answer | {
        "losses": [loss for _, _, loss, _, _ in path],
        "w": [now for _, epoch, _, now, _ in path if epoch == best - 1][-1],
    }


# ------------------------------------------------------------------------------------------------------------- further


@checkpoint("What cannot be is refused with a ValueError", stretch=True, count=0)
def refused(lib, what):
    data, fit = lib.grad.data, lib.grad.fit
    x, model = np.zeros((3, 1)), Line(np.zeros(1))
    small, large = Line(np.ones(2)), Line(np.ones(3))
    loader = data.Loader(x, np.zeros(3), size=2)

    def other_model():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            fit.save(path, large, Momentum(large.params, 0.1), fit.History(), [*large.params, *large.buffers])
            fit.load(path, small, Momentum(small.params, 0.1))

    actions = {
        "no arrays": lambda: data.Loader(size=2),
        "arrays of two lengths": lambda: data.Loader(x, np.zeros(2), size=2),
        "a batch of none": lambda: data.Loader(x, size=0),
        "all held out": lambda: data.hold_out(3, 0.9, np.random.default_rng(0)),
        "one sample": lambda: data.hold_out(1, 0.5, np.random.default_rng(0)),
        "patience without held-out samples": lambda: fit.fit(model, Momentum(model.params, 0.1), loader, 1, patience=1),
        "patience of none": lambda: fit.fit(
            model, Momentum(model.params, 0.1), loader, 1, valid=(x, np.zeros(3)), patience=0
        ),
        "the file of another model": other_model,
    }
    try:
        actions[what]()
    except ValueError:
        return [what, "ValueError", small.params[0]]
    return [what, "nothing", small.params[0]]


@refused.edges
def _():
    return [
        dict(what=what)
        for what in (
            "no arrays",
            "arrays of two lengths",
            "a batch of none",
            "all held out",
            "one sample",
            "patience without held-out samples",
            "patience of none",
            "the file of another model",
        )
    ]


@refused.oracle
def _(what):
    return [what, "ValueError", np.ones(2)]


# ------------------------------------------------------------------------------------------------------------ the digits


@checkpoint(
    "More than 98 % of MNIST's 10,000 test digits, whose labels only the judge has", count=0, long=True, seconds=120
)
def mnist(lib, train_images, train_labels, test_images):
    data, epochs = lib.grad.data, 8
    mean, deviation = data.pixel_scale(train_images)
    features = data.as_features(train_images, mean, deviation)
    loader = data.Loader(features, train_labels.astype(np.int64), size=128, seed=0)
    model = lib.grad.network.Network([784, 256, 10], np.random.default_rng(0), dtype=np.float32)
    optimiser = lib.grad.optim.Adam(model.params)
    steps = epochs * len(loader)

    def schedule(step):
        return lib.grad.schedules.one_cycle(step, 3e-3, steps)

    lib.grad.fit.fit(model, optimiser, loader, epochs, schedule=schedule)
    return model.predict(data.as_features(test_images, mean, deviation))


@mnist.edges
def _():
    from groundup.data import loading

    digits = loading.mnist()
    return [
        dict(
            train_images=digits.train_images,
            train_labels=digits.train_labels,
            test_images=digits.test_images,
            _test_labels=digits.test_labels,
        )
    ]


@mnist.accepts
def _(got, train_images, train_labels, test_images, test_labels):
    right = float(np.mean(np.asarray(got).reshape(test_labels.shape) == test_labels))
    return right > 0.98 or f"{right:.2%} of the test digits are named right."


@mnist.shown
def _(train_images, train_labels, test_images):
    return "60,000 digits with their labels, then 10,000 without; eight epochs of 784-256-10 in batches of 128"
