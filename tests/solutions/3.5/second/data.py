"""Another way: lists and loops, and each warped image from a table of its four neighbours."""

import math

import numpy as np


def order(n, seed, epoch):
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch])))
    return rng.permutation(np.arange(n))


class Loader:
    def __init__(self, *arrays, size, seed=0, shuffle=True, drop_last=False):
        lengths = [len(a) for a in arrays]
        if not lengths or min(lengths) != max(lengths) or size <= 0:
            raise ValueError("arrays of one length, and at least one sample in a batch")
        self._arrays, self._n, self._size = list(arrays), lengths[0], size
        self.seed, self._shuffle, self._drop = seed, shuffle, drop_last

    def __len__(self):
        return sum(1 for _ in self._cuts())

    def _cuts(self):
        for start in range(0, self._n, self._size):
            stop = min(start + self._size, self._n)
            if stop - start == self._size or not self._drop:
                yield start, stop

    def epoch(self, number):
        arrays = self._arrays
        if self._shuffle:
            rows = order(self._n, self.seed, number)
            arrays = [a.take(rows, axis=0) for a in arrays]
        for start, stop in self._cuts():
            yield tuple(a[start:stop].copy() for a in arrays)


def hold_out(n, share, generator):
    count = round(share * n)
    count = 1 if count < 1 else count
    if n - count < 1:
        raise ValueError("nothing is left")
    out = set(generator.permutation(n)[:count].tolist())
    rows = [i for i in range(n) if i not in out]
    return np.array(rows), np.array(sorted(out))


def pixel_scale(images):
    values = np.asarray(images, dtype=np.float64).reshape(-1)
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((values - mean) ** 2) / len(values))
    return mean, deviation or 1.0


def as_features(images, mean, deviation):
    n = images.shape[0]
    return ((images.astype(np.float64) - mean) / deviation).astype(np.float32).reshape(n, -1)


def warp(images, matrices, shifts):
    return np.stack([_one(*each) for each in zip(images, matrices, shifts)])


def _one(image, matrix, shift):
    h, w = image.shape
    image = image.astype(np.float64)
    middle = np.array([h - 1, w - 1]) / 2
    places = np.indices((h, w)).reshape(2, -1).T - middle  # (h w, 2)
    source = places @ np.asarray(matrix, float).T + shift + middle
    low = np.floor(source)
    result = np.zeros(h * w)
    for down in (0, 1):
        for right in (0, 1):
            corner = low + np.array([down, right])
            weight = np.prod(1 - np.abs(source - corner), axis=1)
            inside = np.all((corner >= 0) & (corner <= [h - 1, w - 1]), axis=1)
            rows, columns = corner[inside].astype(int).T
            result[inside] += weight[inside] * image[rows, columns]
    return result.reshape(h, w).astype(np.float32)


def augment(images, generator, shift=2.0, turn=10.0, zoom=0.1):
    matrices, shifts = [], []
    for _ in images:
        angle = math.radians(turn) * (2 * generator.random() - 1)
        factor = 1 + zoom * (2 * generator.random() - 1)
        turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        matrices.append(turned / factor)
        shifts.append(-matrices[-1] @ (shift * (2 * generator.random(2) - 1)))  # moved after it was turned
    return warp(images, np.array(matrices), np.array(shifts))
