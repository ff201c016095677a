"""Normalisation by loops over the sets of numbers that share a mean; each set by the textbook's chain of derivatives."""

import math

import numpy as np


def normalise(values, eps):
    """One flat set of numbers -> normalised, and what its derivative needs."""
    mean = sum(values) / len(values)
    deviations = values - mean
    var = float(deviations @ deviations) / len(values)
    return deviations / math.sqrt(var + eps), (deviations, var + eps), mean, var


def derivative(dxhat, kept):
    """Algorithm 1 of Ioffe and Szegedy, line by line backwards: through var, then mean, then x."""
    deviations, var_eps = kept
    m = len(dxhat)
    dvar = float(dxhat @ deviations) * -0.5 * var_eps**-1.5
    dmean = -float(dxhat.sum()) / math.sqrt(var_eps) + dvar * -2.0 * float(deviations.sum()) / m
    return dxhat / math.sqrt(var_eps) + dvar * 2.0 * deviations / m + dmean / m


def channels(x):
    """The flat indices of each channel of (n, c, ...), in order."""
    numbers = np.arange(x.size).reshape(x.shape)
    return [numbers[:, j].ravel() for j in range(x.shape[1])]


def forward_sets(x, sets, eps):
    flat, xhat, kept = x.ravel(), np.empty(x.size, x.dtype), []
    for indices in sets:
        xhat[indices], saved, mean, var = normalise(flat[indices], eps)
        kept.append((saved, mean, var))
    return xhat, kept


def backward_sets(dxhat, sets, kept):
    dx = np.empty_like(dxhat)
    for indices, (saved, _, _) in zip(sets, kept):
        dx[indices] = derivative(dxhat[indices], saved)
    return dx


def spread(owner, v):
    """The entry of v that belongs to each number."""
    return np.array([v[j] for j in owner], dtype=v.dtype)


def owners(shape, axis):
    """For each number, flat, its place along an axis."""
    return np.indices(shape)[axis].ravel().tolist()


def totals(owner, values, size):
    """Values added up by owner."""
    found = np.zeros(size, values.dtype)
    np.add.at(found, owner, values)
    return found


def batch_norm_forward(x, gamma, beta, running=None, train=True, momentum=0.1, eps=1e-5):
    sets, owner = channels(x), owners(x.shape, 1)
    if train:
        if len(sets[0]) == 1:
            raise ValueError("one number has no variance")
        xhat, kept = forward_sets(x, sets, eps)
        if running is not None:
            for j, (_, mean, var) in enumerate(kept):
                m = len(sets[j])
                running["mean"][j] = (1 - momentum) * running["mean"][j] + momentum * mean
                running["var"][j] = (1 - momentum) * running["var"][j] + momentum * var * m / (m - 1)
        state = ("train", kept)
    else:
        if running is None:
            raise ValueError("no running statistics")
        inverse = 1 / np.sqrt(running["var"] + x.dtype.type(eps))
        xhat = (x.ravel() - spread(owner, running["mean"])) * spread(owner, inverse)
        state = ("eval", inverse)
    y = xhat * spread(owner, gamma) + spread(owner, beta)
    return y.reshape(x.shape), (xhat, gamma.copy(), state)


def batch_norm_backward(dy, cache):
    xhat, gamma, (mode, kept) = cache
    owner, flat = owners(dy.shape, 1), dy.ravel()
    dxhat = flat * spread(owner, gamma)
    dx = backward_sets(dxhat, channels(dy), kept) if mode == "train" else dxhat * spread(owner, kept)
    return dx.reshape(dy.shape), totals(owner, flat * xhat, len(gamma)), totals(owner, flat, len(gamma))


def by_sets(x, gamma, beta, sets, axis, eps):
    owner = owners(x.shape, axis)
    xhat, kept = forward_sets(x, sets, eps)
    return (xhat * spread(owner, gamma) + spread(owner, beta)).reshape(x.shape), (xhat, gamma, kept, sets, owner)


def by_sets_backward(dy, cache):
    xhat, gamma, kept, sets, owner = cache
    flat = dy.ravel()
    dx = backward_sets(flat * spread(owner, gamma), sets, kept).reshape(dy.shape)
    return dx, totals(owner, flat * xhat, len(gamma)), totals(owner, flat, len(gamma))


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    return by_sets(x, gamma, beta, np.arange(x.size).reshape(-1, x.shape[-1]), x.ndim - 1, eps)


def layer_norm_backward(dy, cache):
    return by_sets_backward(dy, cache)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    size, left = divmod(x.shape[1], groups)
    if left:
        raise ValueError("channels left over")
    numbers = np.arange(x.size).reshape(x.shape)
    sets = [sample[k * size : (k + 1) * size].ravel() for sample in numbers for k in range(groups)]
    return by_sets(x, gamma, beta, sets, 1, eps)


def group_norm_backward(dy, cache):
    return by_sets_backward(dy, cache)


def dropout_forward(x, rate, generator, train=True):
    if rate < 0 or rate >= 1:
        raise ValueError("rate")
    if not train:
        return x.copy(), "everything"
    dropped = generator.random(x.shape) < rate
    y = x / (1 - rate)
    y[dropped] = 0
    return y, (dropped, rate)


def dropout_backward(dy, cache):
    if cache == "everything":
        return dy.copy()
    dropped, rate = cache
    return np.where(dropped, dy.dtype.type(0), dy / (1 - rate))
