"""Data for training: which samples come when, at what scale, and how one picture becomes many.

The order of an epoch is a function of the seed and the epoch's number, and of nothing else. So a run that was broken off goes
on with the samples that would have come next, and the same seed gives the same run. Augmentation: Simard, Steinkraus and Platt,
Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis (2003), section 2.
"""

import numpy as np


def order(n, seed, epoch):
    """The order of the samples 0..n-1 in an epoch, counted from 0: a permutation (n,).

    numpy.random.default_rng([seed, epoch]).permutation(n): the same whenever it is asked for, and another in each epoch.
    """
    return np.random.default_rng([seed, epoch]).permutation(n)


class Loader:
    """Batches of arrays that belong together, such as images and labels.

    arrays: each (n, ...), all of one length; ValueError if they differ, or if there are none. size: samples in a batch, >= 1,
    else ValueError. seed, shuffle: whether an epoch goes through the samples as `order` says, or as they lie. drop_last:
    whether a last batch that is not full is left out. The arrays are only read.
    """

    def __init__(self, *arrays, size, seed=0, shuffle=True, drop_last=False):
        """Keeps all of it under these names."""
        if not arrays or len({len(a) for a in arrays}) != 1:
            raise ValueError(f"arrays of one length are needed, not {[len(a) for a in arrays]}")
        if size < 1:
            raise ValueError(f"a batch has one sample at least: size is {size}")
        self.arrays, self.size, self.seed = arrays, size, seed
        self.shuffle, self.drop_last = shuffle, drop_last

    def __len__(self):
        """How many batches an epoch has."""
        n = len(self.arrays[0])
        return n // self.size if self.drop_last else -(-n // self.size)

    def epoch(self, number):
        """The batches of an epoch, number from 0, one after the other: tuples of arrays (size, ...), in the order of `arrays`.

        Every sample comes once, unless it lies in a last batch that is left out. The arrays are copies: whoever gets them
        may write into them.
        """
        n = len(self.arrays[0])
        rows = order(n, self.seed, number) if self.shuffle else np.arange(n)
        for i in range(len(self)):
            batch = rows[i * self.size : (i + 1) * self.size]
            yield tuple(a[batch] for a in self.arrays)


def hold_out(n, share, generator):
    """Rows to train on and rows to hold out, of n samples: round(share * n) of them are held out, but one at least.

    -> two index arrays, each ascending, that share no row and together have all. Those held out are the first of
    generator.permutation(n). ValueError where nothing would be left to train on.
    """
    held = max(1, round(share * n))
    if held >= n:
        raise ValueError(f"holding out {held} of {n} samples leaves none to train on")
    shuffled = generator.permutation(n)
    return np.sort(shuffled[held:]), np.sort(shuffled[:held])


def pixel_scale(images):
    """The mean and the standard deviation of all pixels, divided by how many there are: images (n, ...) -> two floats.

    Worked out in float64, for images of any real dtype. A deviation of 0 is given as 1. To be asked of the training images
    only: what is learned from the others is a leak.
    """
    mean = float(np.mean(images, dtype=np.float64))
    squares = 0.0
    for i in range(0, len(images), 1000):  # float64 of all at once would be large
        squares += float(np.sum((images[i : i + 1000].astype(np.float64) - mean) ** 2))
    deviation = (squares / images.size) ** 0.5
    return mean, deviation if deviation > 0 else 1.0


def as_features(images, mean, deviation):
    """Images (n, h, w) as rows (n, h * w), float32: minus the mean, over the deviation. The images are not changed."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= np.float32(mean)
    rows /= np.float32(deviation)
    return rows


def warp(images, matrices, shifts):
    """Each image seen through an affine map of its own: images (n, h, w), matrices (n, 2, 2), shifts (n, 2) -> (n, h, w) float32.

    A place is a row and a column, counted from the centre of the image, which may lie between pixels. What stands at place p
    of the result is taken from place matrix @ p + shift of the image: the mean of the four pixels around, weighted by how
    near they are in each direction (bilinear interpolation). Pixels outside the image are 0. With the identity and a
    shift of (1, 0) the picture moves up by one.
    """
    n, h, w = images.shape
    result = np.empty((n, h, w), np.float32)
    some = 1 + 2**14 // (h * w + 1)  # images at a time, so that their arrays stay in the cache
    for i in range(0, n, some):
        result[i : i + some] = _warp(images[i : i + some], matrices[i : i + some], shifts[i : i + some])
    return result


def _warp(images, matrices, shifts):
    """What warp does, for a few images."""
    n, h, w = images.shape
    framed = np.zeros((n, h + 2, w + 2), np.float32)  # the frame stands for all the zeros outside
    framed[:, 1:-1, 1:-1] = images
    row, column = _sources(matrices, shifts, h, w)  # (n, h, w) each, in the framed image
    upper = np.minimum(row.astype(np.intp), h)  # of the four pixels around, the upper left one
    left = np.minimum(column.astype(np.intp), w)
    row -= upper.astype(np.float32)  # how far below it the source lies, in [0, 1]
    column -= left.astype(np.float32)
    at = (np.arange(n)[:, None, None] * (h + 2) + upper) * (w + 2) + left
    flat = framed.ravel()
    above = _between(flat.take(at), flat[1:].take(at), column)
    below = _between(flat[w + 2 :].take(at), flat[w + 3 :].take(at), column)
    return _between(above, below, row)


def _sources(matrices, shifts, h, w):
    """Where each pixel is taken from: rows and columns of the framed image, (2, n, h, w) float32, none beyond the frame."""
    centre = np.array([(h - 1) / 2, (w - 1) / 2], np.float32)
    rows = np.arange(h, dtype=np.float32) - centre[0]
    columns = np.arange(w, dtype=np.float32) - centre[1]
    m = matrices.astype(np.float32).transpose(1, 2, 0)[..., None]  # (2, 2, n, 1)
    origin = (shifts.astype(np.float32) + centre + 1).T[..., None]  # (2, n, 1)
    down, across = m[:, 0] * rows + origin, m[:, 1] * columns  # (2, n, h), (2, n, w): small, so there is one large sum
    sources = down[:, :, :, None] + across[:, :, None, :]
    return np.clip(sources, 0, np.array([h + 1, w + 1], np.float32).reshape(2, 1, 1, 1), out=sources)


def _between(a, b, share):
    """From a, share of the way to b: a + share (b - a), in the place of a."""
    b -= a
    b *= share
    a += b
    return a


def augment(images, generator, shift=2.0, turn=10.0, zoom=0.1):
    """Each image moved, turned and zoomed a little, at random: (n, h, w) -> (n, h, w) float32, by `warp`.

    Each image has uniform draws of its own, all from the generator: a move of up to `shift` pixels along either axis, a turn
    by up to `turn` degrees either way, a zoom by a factor between 1 - zoom and 1 + zoom (0 <= zoom < 1; above 1 the picture
    grows). What a digit is called survives these; what it looks like does not. The images are not changed.
    """
    n = len(images)
    angle = np.deg2rad(generator.uniform(-turn, turn, n))
    factor = 1 / generator.uniform(1 - zoom, 1 + zoom, n)  # the map leads back, from the result to the image
    c, s = factor * np.cos(angle), factor * np.sin(angle)
    matrices = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=1)  # (n, 2, 2)
    return warp(images, matrices, generator.uniform(-shift, shift, (n, 2)))
