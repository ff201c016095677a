"""Convolution and pooling: one small set of weights at every place of an image.

A window of kh by kw pixels moves over the image. Convolution takes the same weighted sum in each of its positions,
pooling the largest or the mean. Like every library for networks, this one slides the kernel as it is, without flipping
it: what mathematics calls a cross-correlation.

Laid out as the columns of a matrix, the windows turn a convolution into a matrix product (im2col). No loop visits them
one by one: pixel (i, j) of all windows at once is a slice of the image, and there are only kh * kw of those.

Sizes, strides, paddings and dilations are a number, or a pair (down, across). A window that would not fit whole is left
out, so the last rows and columns may not be covered; their gradient is 0.

Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016). Chellapilla, Puri and Simard, High
performance convolutional neural networks for document processing (2006), section 3.1: the matrix of windows.
"""

import numpy as np

CACHE = 2**21  # bytes of columns made at a time


def output_size(length, size, stride=1, padding=0, dilation=1):
    """How many windows fit along one axis (int): floor((length + 2 padding - dilation (size - 1) - 1) / stride) + 1.

    length: pixels. size: pixels of a window. stride: from one window to the next, >= 1. padding: pixels added at either
    end, >= 0. dilation: from one pixel of a window to its next, >= 1. All are ints, along this axis.
    Raises ValueError where not one window fits.
    """
    room = length + 2 * padding - dilation * (size - 1) - 1  # how far the first window can move
    if room < 0:
        raise ValueError(
            f"a window that spans {dilation * (size - 1) + 1} does not fit into {length + 2 * padding} pixels"
        )
    return room // stride + 1


def unfold(x, size, stride=1, padding=0, dilation=1):
    """The windows of images as columns (im2col): x (n, c, h, w) -> (n, c kh kw, h' w').

    size: of a window, kh and kw. h' and w' are output_size's. The padding is zeros. A column holds one window, channel by
    channel, each row by row, and the columns stand in the order of the windows, row by row: as PyTorch's unfold. By
    loops, with P the padded x, stride (sh, sw) and dilation (dh, dw):

        for each a < c, i < kh, j < kw, p < h', q < w':
            columns[:, (a * kh + i) * kw + j, p * w' + q] = P[:, a, p * sh + i * dh, q * sw + j * dw]

    May be a view of x. Raises ValueError where no window fits.
    """
    n, c = x.shape[:2]
    if _every_pixel(size, stride, padding):
        return x.reshape(n, c, -1)  # nothing to copy
    P = _pad(x, padding, 0.0)
    down, across, (h, w) = _places(P.shape, size, stride, dilation)
    # Across first, then down: kw + kh copies and not kw * kh, and those down are of long runs
    strips = np.empty((n, c, len(across), P.shape[2], w), x.dtype)
    for j, columns in enumerate(across):
        strips[:, :, j] = P[:, :, :, columns]
    windows = np.empty((n, c, len(down), len(across), h, w), x.dtype)
    for i, rows in enumerate(down):
        windows[:, :, i] = strips[:, :, :, rows]
    return windows.reshape(n, c * len(down) * len(across), h * w)


def fold(columns, shape, size, stride=1, padding=0, dilation=1):
    """Every entry of the columns added to the pixel that it came from (col2im): the transpose of unfold.

    columns: (n, c kh kw, h' w'), as unfold gives them. shape: of the images, (n, c, h, w), without padding. size, stride,
    padding, dilation: as in unfold. Returns an array of that shape, in the dtype of columns. A pixel in several windows
    gets the sum, one in none gets 0, and what belongs to the padding is dropped. May be a view of columns.
    """
    if _every_pixel(size, stride, padding):
        return columns.reshape(shape)
    n, c = shape[:2]
    P = np.zeros(_padded_shape(shape, padding), columns.dtype)
    down, across, (h, w) = _places(P.shape, size, stride, dilation)
    windows = columns.reshape(n, c, len(down), len(across), h, w)
    strips = np.zeros((n, c, len(across), P.shape[2], w), columns.dtype)
    for i, rows in enumerate(down):
        strips[:, :, :, rows] += windows[:, :, i]
    for j, columns in enumerate(across):
        P[:, :, :, columns] += strips[:, :, j]
    return _unpad(P, shape, padding)


def conv2d_forward(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Each filter's weighted sum in every window, plus its bias: -> y (n, m, h', w'), cache.

    x: (n, c, h, w), images by channels. W: (m, c // groups, kh, kw), one filter for each of m output channels. b: (m,), or
    None for no bias. The padding is zeros. groups: the channels of x and the filters are cut into that many equal runs,
    and filters of run g see only the channels of run g; groups = c is a depthwise convolution. By loops, with P the padded
    x, stride (sh, sw), dilation (dh, dw), and first the first channel that filter f sees:

        for each image k < n, f < m, p < h', q < w':
            y[k, f, p, q] = b[f] + sum over a, i, j of W[f, a, i, j] * P[k, first + a, p * sh + i * dh, q * sw + j * dw]

    y has the dtype of x and W: float32 stays float32. Raises ValueError where groups does not divide c and m, where a filter
    has not c // groups channels, where b has not m entries, or where no window fits.
    """
    n, c, h, w = x.shape
    m, per_filter, kh, kw = W.shape
    if c % groups or m % groups or per_filter != c // groups:
        raise ValueError(f"in {groups} groups, filters {W.shape} do not fit images of {c} channels")
    if b is not None and b.shape != (m,):
        raise ValueError(f"{m} filters have {m} biases, not an array of shape {b.shape}")
    (sh, sw), (ph, pw), (dh, dw) = _pair(stride), _pair(padding), _pair(dilation)
    h_out, w_out = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)

    filters = W.reshape(groups, m // groups, per_filter * kh * kw)  # (g, m/g, c/g kh kw)
    y = np.empty((n, groups, m // groups, h_out * w_out), np.result_type(x, W))
    for few, columns in _columns(x, W, h_out * w_out, (stride, padding, dilation, groups)):
        np.matmul(filters, columns, out=y[few])
    y = y.reshape(n, m, h_out, w_out)
    if b is not None:
        y += b[:, None, None]
    return y, (x, W, b is not None, (stride, padding, dilation, groups))


def conv2d_backward(dy, cache):
    """dy (n, m, h', w') -> dx, dW, db, shaped as x, W and b; db is None where there was no b.

    dW and db are sums over images and windows. dx is every dy times its filter, added to the pixels of its window.
    """
    x, W, biased, options = cache
    stride, padding, dilation, groups = options
    n, m, h_out, w_out = dy.shape
    per_group = m // groups
    filters = W.reshape(groups, per_group, W[0].size)  # (g, m/g, c/g kh kw)
    G = dy.reshape(n, groups, per_group, h_out * w_out)
    dx, dW = np.empty(x.shape, np.result_type(dy, W)), np.zeros(filters.shape, np.result_type(dy, x))
    for few, columns in _columns(x, W, h_out * w_out, options):
        dW += (G[few] @ columns.mT).sum(axis=0)
        # Depthwise this is a column times a row, which NumPy multiplies four times as fast by broadcasting
        dcolumns = filters.mT * G[few] if per_group == 1 else filters.mT @ G[few]  # (few, g, c/g kh kw, h' w')
        dcolumns = dcolumns.reshape(len(dcolumns), -1, h_out * w_out)
        dx[few] = fold(dcolumns, x[few].shape, W.shape[2:], stride, padding, dilation)
    return dx, dW.reshape(W.shape), dy.sum(axis=(0, 2, 3)) if biased else None


def max_pool2d_forward(x, size, stride=None, padding=0):
    """The largest pixel of every window, each channel by itself: x (n, c, h, w) -> y (n, c, h', w'), cache.

    size: of a window. stride: size unless given, so that windows tile the image; a smaller one makes them overlap. The
    padding is -inf, which is never the largest; ValueError where it is more than half a window, as in PyTorch.
    """
    stride = size if stride is None else stride
    _check_padding(size, padding)
    first, *others = _slices(_pad(x, padding, -np.inf), size, stride)
    y = first.copy()
    winner = np.zeros(y.shape, np.min_scalar_type(len(others)))  # the place in its window of the largest, row by row
    for place, pixels in enumerate(others, 1):
        larger = pixels > y  # not >=: of equal pixels the first stays
        np.maximum(winner, larger * winner.dtype.type(place), out=winner)  # places grow, so the maximum is the latest
        np.maximum(y, pixels, out=y)
    return y, (winner, x.shape, (size, stride, padding))


def max_pool2d_backward(dy, cache):
    """dy (n, c, h', w') -> dx: each goes to the largest pixel of its window, and adds up where windows share that pixel.

    Of several that are equal it goes to the first, row by row, as in PyTorch.
    """
    winner, shape, (size, stride, padding) = cache
    P = np.zeros(_padded_shape(shape, padding), dy.dtype)
    for place, pixels in enumerate(_slices(P, size, stride)):
        pixels += dy * (winner == place)  # a slice is a view: this adds to P
    return _unpad(P, shape, padding)


def avg_pool2d_forward(x, size, stride=None, padding=0):
    """The mean of every window, each channel by itself: x (n, c, h, w) -> y (n, c, h', w'), cache.

    size, stride: as in max_pool2d_forward. The padding is zeros, and they count: every window is divided by kh kw, which is
    PyTorch's default. ValueError where the padding is more than half a window.
    """
    stride = size if stride is None else stride
    _check_padding(size, padding)
    first, *others = _slices(_pad(x, padding, 0.0), size, stride)
    y = first.copy()
    for pixels in others:
        y += pixels
    y /= 1 + len(others)
    return y, (x.shape, (size, stride, padding))


def avg_pool2d_backward(dy, cache):
    """dy (n, c, h', w') -> dx: each is shared equally by the pixels of its window, and adds up where windows overlap."""
    shape, (size, stride, padding) = cache
    P = np.zeros(_padded_shape(shape, padding), dy.dtype)
    slices = _slices(P, size, stride)
    share = dy / len(slices)
    for pixels in slices:
        pixels += share
    return _unpad(P, shape, padding)


def _columns(x, W, count, options):
    """The windows of a few images at a time: pairs of a slice of images and their columns (few, g, c/g kh kw, h' w').

    As many images as fill the processor's cache. All columns together are kh kw times as large as x. To keep them from
    forward to backward is no faster than to copy the pixels twice: steps of training small networks on MNIST took 5 to
    30 % longer.
    """
    stride, padding, dilation, groups = options
    height = x.shape[1] * W.shape[2] * W.shape[3]  # c kh kw
    step = max(1, CACHE // (height * count * x.itemsize))
    for start in range(0, len(x), step):
        few = slice(start, start + step)
        columns = unfold(x[few], W.shape[2:], stride, padding, dilation)
        yield few, columns.reshape(len(columns), groups, height // groups, count)


def _places(shape, size, stride, dilation=1):
    """Where in a padded image entry i of every window stands, along each axis.

    -> kh slices down, kw slices across, and how many windows there are: (h', w').
    """
    found, counts = [], []
    for length, k, s, d in zip(shape[2:], _pair(size), _pair(stride), _pair(dilation)):
        count = output_size(length, k, s, dilation=d)
        found.append([slice(i * d, i * d + s * (count - 1) + 1, s) for i in range(k)])  # first window to last
        counts.append(count)
    return *found, tuple(counts)


def _slices(P, size, stride):
    """Pixel (i, j) of all windows at once, for each (i, j) row by row: kh kw views (n, c, h', w') of a padded image."""
    down, across, _ = _places(P.shape, size, stride)
    return [P[:, :, rows, columns] for rows in down for columns in across]


def _pad(x, padding, value):
    """x (n, c, h, w) in a frame of the value; x itself where the frame has no width."""
    if _pair(padding) == (0, 0):
        return x
    P = np.full(_padded_shape(x.shape, padding), value, x.dtype)
    _unpad(P, x.shape, padding)[...] = x
    return P


def _unpad(P, shape, padding):
    """The image within its frame: a view of the given shape."""
    (ph, pw), (h, w) = _pair(padding), shape[2:]
    return P[:, :, ph : ph + h, pw : pw + w]


def _padded_shape(shape, padding):
    (n, c, h, w), (ph, pw) = shape, _pair(padding)
    return n, c, h + 2 * ph, w + 2 * pw


def _check_padding(size, padding):
    (kh, kw), (ph, pw) = _pair(size), _pair(padding)
    if 2 * ph > kh or 2 * pw > kw:
        raise ValueError(
            f"a padding of {padding} is more than half a window of {size}: some would hold no pixel at all"
        )


def _every_pixel(size, stride, padding):
    """Whether the windows are the pixels themselves, one by one: a 1x1 convolution."""
    return _pair(size) == _pair(stride) == (1, 1) and _pair(padding) == (0, 0)


def _pair(value):
    """A number for both axes, or a number for each: (down, across)."""
    return (value, value) if np.ndim(value) == 0 else tuple(value)
