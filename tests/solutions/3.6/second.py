"""Convolution and pooling, window by window: a loop over positions, and sums of products where a window is taken."""

import numpy as np

CACHE = 2**21


def both(value):
    return tuple(int(v) for v in np.broadcast_to(value, 2))


def output_size(length, size, stride=1, padding=0, dilation=1):
    starts = range(-padding, length + padding - dilation * (size - 1), stride)
    if not starts:
        raise ValueError("no window fits")
    return len(starts)


class Windows:
    """The index arrays of every window of a padded image."""

    def __init__(self, image, size, stride=1, padding=0, dilation=1):
        self.image, self.padding = image, both(padding)
        self.counts, self.places = [], []
        for axis in range(2):
            k, s, p, d = (both(v)[axis] for v in (size, stride, padding, dilation))
            count = output_size(image[axis], k, s, p, d)
            self.counts.append(count)
            self.places.append([start * s + d * np.arange(k) for start in range(count)])

    def __iter__(self):
        for p, rows in enumerate(self.places[0]):
            for q, columns in enumerate(self.places[1]):
                yield p, q, (slice(None), slice(None), rows[:, None], columns[None, :])

    def padded(self, x, value=0.0):
        down, across = self.padding
        return np.pad(x, ((0, 0), (0, 0), (down, down), (across, across)), constant_values=value)

    def cut(self, P):
        (down, across), (h, w) = self.padding, self.image
        return np.ascontiguousarray(P[:, :, down : down + h, across : across + w])


def unfold(x, size, stride=1, padding=0, dilation=1):
    windows = Windows(x.shape[2:], size, stride, padding, dilation)
    P = windows.padded(x)
    return np.stack([P[where].reshape(len(x), -1) for _, _, where in windows], axis=2)


def fold(columns, shape, size, stride=1, padding=0, dilation=1):
    windows = Windows(shape[2:], size, stride, padding, dilation)
    P = windows.padded(np.zeros(shape, columns.dtype))
    for position, (_, _, where) in enumerate(windows):
        P[where] += columns[:, :, position].reshape(shape[0], shape[1], *both(size))
    return windows.cut(P)


def conv2d_forward(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    c, (m, each) = x.shape[1], W.shape[:2]
    if c % groups or m % groups or each * groups != c or (b is not None and b.shape != (m,)):
        raise ValueError("filters, channels and biases do not fit")
    windows = Windows(x.shape[2:], W.shape[2:], stride, padding, dilation)
    P = windows.padded(x)
    y = np.zeros((len(x), m, *windows.counts), np.result_type(x, W))
    for p, q, where in windows:
        pixels = P[where]
        for f in range(m):
            first = f // (m // groups) * each
            y[:, f, p, q] = np.einsum("ncij,cij->n", pixels[:, first : first + each], W[f])
    if b is not None:
        y = y + b.reshape(1, m, 1, 1)
    return y, (x, W, b, windows, groups)


def conv2d_backward(dy, cache):
    x, W, b, windows, groups = cache
    m, each = W.shape[:2]
    P = windows.padded(x)
    dP, dW = np.zeros_like(P), np.zeros_like(W)
    for p, q, where in windows:
        pixels, back = P[where], np.zeros_like(P[where])
        for f in range(m):
            first = f // (m // groups) * each
            dW[f] += np.tensordot(dy[:, f, p, q], pixels[:, first : first + each], 1)
            back[:, first : first + each] += dy[:, f, p, q][:, None, None, None] * W[f]
        dP[where] += back
    return windows.cut(dP), dW, None if b is None else np.einsum("nmpq->m", dy)


def _pool(x, size, stride, padding):
    if any(2 * p > k for p, k in zip(both(padding), both(size))):
        raise ValueError("more padding than half a window")
    return Windows(x.shape[2:], size, size if stride is None else stride, padding)


def max_pool2d_forward(x, size, stride=None, padding=0):
    windows = _pool(x, size, stride, padding)
    P = windows.padded(x, -np.inf)
    y = np.empty((*x.shape[:2], *windows.counts), x.dtype)
    for p, q, where in windows:
        y[:, :, p, q] = P[where].max(axis=(2, 3))
    return y, (x, windows)


def max_pool2d_backward(dy, cache):
    x, windows = cache
    P = windows.padded(x, -np.inf)
    dP = np.zeros_like(P)
    for p, q, where in windows:
        pixels = P[where].reshape(*x.shape[:2], -1)
        share = np.where(np.arange(pixels.shape[2]) == pixels.argmax(axis=2)[..., None], dy[:, :, p, q][..., None], 0)
        dP[where] += share.reshape(P[where].shape)
    return windows.cut(dP)


def avg_pool2d_forward(x, size, stride=None, padding=0):
    windows = _pool(x, size, stride, padding)
    P = windows.padded(x)
    y = np.empty((*x.shape[:2], *windows.counts), x.dtype)
    for p, q, where in windows:
        y[:, :, p, q] = P[where].mean(axis=(2, 3))
    return y, (x, windows)


def avg_pool2d_backward(dy, cache):
    x, windows = cache
    dP = windows.padded(np.zeros_like(x))
    for p, q, where in windows:
        dP[where] += dy[:, :, p, q][:, :, None, None] / dP[where][0, 0].size
    return windows.cut(dP)
