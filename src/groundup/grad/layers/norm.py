"""Normalisation and dropout: layers that hold activations to a scale, and one that makes them unreliable on purpose.

Batch, layer and group norm are one computation over different axes. They subtract a mean, divide by a standard deviation
and give back a scale gamma and a shift beta that are learnt:

    xhat = (x - mean) / sqrt(var + eps),  y = gamma * xhat + beta

Over which numbers mean and var are taken is the whole difference. For images x (n, c, h, w): batch norm, over n, h, w for
every channel; group norm, over h, w and the channels of a group for every image; layer norm, over the last axis.

Ioffe and Szegedy, Batch Normalization (2015), section 3, algorithms 1 and 2. Ba, Kiros and Hinton, Layer Normalization
(2016), section 3. Wu and He, Group Normalization (2018), section 3. Srivastava et al., Dropout (2014), section 10 for the
scaling used here. Conventions are those of PyTorch.
"""

import numpy as np


def batch_norm_forward(x, gamma, beta, running=None, train=True, momentum=0.1, eps=1e-5):
    """Every channel with mean 0 and variance 1 over the batch, then scaled and shifted: -> y, cache.

    x: (n, c) or (n, c, ...), images (n, c, h, w); gamma, beta: (c,). y has the shape and dtype of x.
    train: with the mean and variance of this batch, over all axes but the second; the variance is the mean of
        (x - mean)^2, divided by how many and not by one fewer. Without train: with running's, and nothing is updated.
    running: a dictionary that the caller keeps, of two arrays "mean" and "var" (c,) in the dtype of x, as
        {"mean": np.zeros(c), "var": np.ones(c)}; or None. In training both arrays are updated *in place*,

            mean <- (1 - momentum) mean + momentum * (mean of the batch)

        and var likewise, from the unbiased variance of the batch, which is divided by one fewer.
    momentum: the share of the new batch in the running statistics, from 0 to 1. eps: > 0, added to the variance.

    Raises ValueError in training where a channel has fewer than two numbers, and without train where running is None.
    """
    axes = _all_but(1, x)
    if train:
        m = x.size // gamma.size  # numbers in a channel
        if m < 2:
            raise ValueError("batch norm cannot train on one number a channel: it has no variance")
        xhat, mean, var, std = _standardize(x, axes, eps)
        if running is not None:
            unbiased = var * (m / (m - 1))
            running["mean"] += momentum * (mean.ravel() - running["mean"])
            running["var"] += momentum * (unbiased.ravel() - running["var"])
    else:
        if running is None:
            raise ValueError("batch norm needs running statistics when it does not train")
        std = np.sqrt(_along(1, running["var"], x) + eps)
        xhat = (x - _along(1, running["mean"], x)) / std
    y = _along(1, gamma, x) * xhat + _along(1, beta, x)
    return y, (xhat, std, gamma, train)


def batch_norm_backward(dy, cache):
    """dy, of the shape of y -> dx, dgamma (c,), dbeta (c,).

    In training every x moves the mean and the variance of its channel, and dx has what comes back on these paths. Without,
    they are constants. Ioffe and Szegedy, section 3.
    """
    xhat, std, gamma, train = cache
    axes = _all_but(1, dy)
    dxhat = dy * _along(1, gamma, dy)
    dx = _standardize_backward(dxhat, xhat, std, axes) if train else dxhat / std
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    """Every row with mean 0 and variance 1 over the last axis, then scaled and shifted: -> y, cache.

    x: (..., d); gamma, beta: (d,). y has the shape and dtype of x. eps: > 0, added to the variance. The same in training
    and after: a row does not see the others.
    """
    xhat, _, _, std = _standardize(x, (-1,), eps)
    return gamma * xhat + beta, (xhat, std, gamma)


def layer_norm_backward(dy, cache):
    """dy (..., d) -> dx (..., d), dgamma (d,), dbeta (d,)."""
    xhat, std, gamma = cache
    dx = _standardize_backward(dy * gamma, xhat, std, (-1,))
    rows = tuple(range(dy.ndim - 1))
    return dx, (dy * xhat).sum(axis=rows), dy.sum(axis=rows)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    """Every group of channels of every sample with mean 0 and variance 1, then scaled and shifted: -> y, cache.

    x: (n, c) or (n, c, ...); gamma, beta: (c,), each channel has its own. groups: into how many groups of neighbouring
    channels c is divided (int); with 1, all of a sample is one group, with c, each channel of a sample is its own.
    eps: > 0, added to the variance. y has the shape and dtype of x. Raises ValueError where groups does not divide c.
    """
    n, c = x.shape[:2]
    if groups < 1 or c % groups:
        raise ValueError(f"{c} channels cannot be divided into {groups} groups")
    xhat, _, _, std = _standardize(x.reshape(n, groups, -1), (2,), eps)  # (n, groups, c // groups * h * w)
    xhat = xhat.reshape(x.shape)
    return _along(1, gamma, x) * xhat + _along(1, beta, x), (xhat, std, gamma)


def group_norm_backward(dy, cache):
    """dy, of the shape of y -> dx, dgamma (c,), dbeta (c,)."""
    xhat, std, gamma = cache
    grouped = (*std.shape[:2], -1)  # (n, groups, c // groups * h * w)
    dxhat = dy * _along(1, gamma, dy)
    dx = _standardize_backward(dxhat.reshape(grouped), xhat.reshape(grouped), std, (2,)).reshape(dy.shape)
    axes = _all_but(1, dy)
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def dropout_forward(x, rate, generator, train=True):
    """Elements set to 0, each by itself with probability rate, and the others divided by 1 - rate: -> y, cache.

    x: of any shape. rate: 0 <= rate < 1. generator: a numpy.random.Generator. An element is kept where its number in
    generator.random(x.shape) is at least rate, so that one seed gives one mask, whoever draws it. Without train y is x,
    and nothing is drawn. y has the shape and dtype of x. Raises ValueError for any other rate.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate is at least 0 and below 1, not {rate}")
    if not train:
        return x, (None,)
    kept = generator.random(x.shape) >= rate
    scale = kept.astype(x.dtype) / (1 - rate)  # 0 or 1 / (1 - rate)
    return x * scale, (scale,)


def dropout_backward(dy, cache):
    """dy -> dx, both of the shape of x: through the mask of the forward pass, which the cache holds."""
    (scale,) = cache
    return dy if scale is None else dy * scale


def _standardize(x, axes, eps):
    """xhat as x; mean, var, std with the axes kept at length 1."""
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean  # first: far from 0 the mean of x^2 less mean^2 has no digits left
    var = np.mean(centred * centred, axis=axes, keepdims=True)
    std = np.sqrt(var + eps)
    return centred / std, mean, var, std


def _standardize_backward(dxhat, xhat, std, axes):
    """dxhat without its part along the ones and its part along xhat, over std: what the mean and the variance take away."""
    along_ones = dxhat.mean(axis=axes, keepdims=True)
    along_xhat = (dxhat * xhat).mean(axis=axes, keepdims=True)
    return (dxhat - along_ones - xhat * along_xhat) / std


def _all_but(axis, x):
    """The other axes of x."""
    return tuple(i for i in range(x.ndim) if i != axis)


def _along(axis, v, x):
    """v (c,) with axes of length 1 around it, to broadcast along one axis of x."""
    return v.reshape(*(-1 if i == axis else 1 for i in range(x.ndim)))
