"""Data for training: which samples come when, at what scale, and how one picture becomes many.

The order of an epoch is a function of the seed and the epoch's number, and of nothing else. So a run that was broken off goes
on with the samples that would have come next, and the same seed gives the same run. Augmentation: Simard, Steinkraus and Platt,
Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis (2003), section 2.
"""

import numpy as np


def order(n, seed, epoch):
    """The order of the samples 0..n-1 in an epoch: a permutation (n,), the same for the same n, seed and epoch.

    numpy.random.default_rng([seed, epoch]).permutation(n), so that no epoch repeats another's.
    """
    return np.random.default_rng([seed, epoch]).permutation(n)


class Loader:
    """Batches of arrays that belong together, such as images and labels.

    arrays: each (n, ...), all of one length; ValueError if they differ, or if there are none. size: samples in a batch.
    shuffle: in the order of `order`, or as they lie. drop_last: whether a last batch that is not full is left out.
    """

    def __init__(self, *arrays, size, seed=0, shuffle=True, drop_last=False):
        """Keeps the arrays themselves; batches are copies."""
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
        """The batches of an epoch: tuples of arrays (size, ...), in the order of the arrays; every sample once."""
        n = len(self.arrays[0])
        rows = order(n, self.seed, number) if self.shuffle else np.arange(n)
        for i in range(len(self)):
            batch = rows[i * self.size : (i + 1) * self.size]
            yield tuple(a[batch] for a in self.arrays)


def hold_out(n, share, generator):
    """Rows to train on and rows to hold out: n samples, share in (0, 1) of them held out, rounded, one at least.

    -> two index arrays, ascending, that share no row and together have all; drawn by generator.permutation(n), of which the
    first are held out. ValueError where nothing would be left to train on.
    """
    held = max(1, round(share * n))
    if held >= n:
        raise ValueError(f"holding out {held} of {n} samples leaves none to train on")
    shuffled = generator.permutation(n)
    return np.sort(shuffled[held:]), np.sort(shuffled[:held])


def pixel_scale(images):
    """The mean and the standard deviation of all pixels: images (n, ...) of any real dtype -> two floats.

    Of the training images only: what is learned from the others is a leak. A deviation of 0 is given as 1.
    """
    deviation = float(np.std(images, dtype=np.float64))
    return float(np.mean(images, dtype=np.float64)), deviation if deviation > 0 else 1.0


def as_features(images, mean, deviation):
    """Images (n, h, w) as rows (n, h * w), float32: minus the mean, over the deviation. The images are not changed."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= np.float32(mean)
    rows /= np.float32(deviation)
    return rows


def warp(images, matrices, shifts):
    """Each image seen through an affine map: images (n, h, w), matrices (n, 2, 2), shifts (n, 2) -> (n, h, w) float32.

    What stands at place p of the result, a row and a column counted from the image's centre, is taken from place
    matrix @ p + shift of the image, by bilinear interpolation: the weighted mean of the four pixels around. Outside the image
    there is 0. With the identity and a shift of (1, 0) the image moves up by one.
    """
    n, h, w = images.shape
    rows, columns = np.mgrid[:h, :w].astype(np.float32)  # (h, w)
    centre = np.array([(h - 1) / 2, (w - 1) / 2], np.float32)
    place = np.stack([rows.ravel() - centre[0], columns.ravel() - centre[1]])  # (2, h w)
    source = matrices.astype(np.float32) @ place + shifts.astype(np.float32)[:, :, None]  # (n, 2, h w)
    source += centre[:, None] + 1  # in the image with a frame of zeros around it
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32, copy=False)
    limit = np.array([h + 1, w + 1], np.float32)[:, None]
    np.clip(source, 0, limit, out=source)  # the frame goes on for ever
    corner = np.minimum(source.astype(np.int32), limit.astype(np.int32) - 1)
    part = source - corner  # (n, 2, h w), in [0, 1]: how far from the upper left of the four
    flat = framed.ravel()
    at = corner[:, 0] * (w + 2) + corner[:, 1] + np.arange(n, dtype=np.int32)[:, None] * ((h + 2) * (w + 2))
    down, right = part[:, 0], part[:, 1]
    upper = flat.take(at) * (1 - right) + flat.take(at + 1) * right
    lower = flat.take(at + w + 2) * (1 - right) + flat.take(at + w + 3) * right
    return (upper * (1 - down) + lower * down).reshape(n, h, w)


def augment(images, generator, shift=2.0, turn=10.0, zoom=0.1):
    """Each image moved, turned and zoomed a little, at random: (n, h, w) -> (n, h, w) float32; see `warp`.

    For each image uniform draws: a move of up to `shift` pixels in each direction, a turn of up to `turn` degrees either way,
    a zoom by a factor between 1 - zoom and 1 + zoom. What a digit is called survives these; what it looks like does not.
    """
    n = len(images)
    angle = np.deg2rad(generator.uniform(-turn, turn, n))
    factor = 1 / generator.uniform(1 - zoom, 1 + zoom, n)
    c, s = factor * np.cos(angle), factor * np.sin(angle)
    matrices = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=1)  # (n, 2, 2)
    return warp(images, matrices, generator.uniform(-shift, shift, (n, 2)))
