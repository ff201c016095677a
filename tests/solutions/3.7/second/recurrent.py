"""Lesson 3.7 written step by step: a step forward, a step back, and plain loops over them."""

import numpy as np


def sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


def embedding_forward(ids, table):
    ids = np.array(ids)
    if (ids < 0).any() or (ids >= len(table)).any():
        raise IndexError("an id outside the table")
    return np.take(table, ids, axis=0), (ids, len(table))


def embedding_backward(dy, cache):
    ids, rows = cache
    dtable = np.zeros((rows, dy.shape[-1]), dtype=dy.dtype)
    np.add.at(dtable, ids, dy)
    return dtable


def rnn_step_forward(x, h, Wx, Wh, b):
    after = np.tanh(np.hstack([x, h]) @ np.vstack([Wx, Wh]) + b)
    return after, (x, h, Wx, Wh, after)


def rnn_step_backward(dh, cache):
    x, h, Wx, Wh, after = cache
    dz = dh - dh * after**2
    return dz.dot(Wx.T), dz.dot(Wh.T), np.einsum("nd,nm->dm", x, dz), np.einsum("nk,nm->km", h, dz), dz.sum(0)


def lstm_step_forward(x, h, c, Wx, Wh, b):
    zi, zf, zg, zo = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)
    after = f * c + i * g
    return (o * np.tanh(after), after), (x, h, c, Wx, Wh, i, f, g, o, after)


def lstm_step_backward(dh, dc, cache):
    x, h, c, Wx, Wh, i, f, g, o, after = cache
    dc = dc + dh * o * np.cosh(np.clip(after, -300, 300)) ** -2
    dz = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * np.tanh(after) * o * (1 - o)])
    return dz @ Wx.T, dz @ Wh.T, dc * f, x.T @ dz, h.T @ dz, dz.sum(0)


def gru_step_forward(x, h, Wx, Wh, bx, bh):
    ar, az, ag = np.split(x @ Wx + bx, 3, axis=1)
    ur, uz, ug = np.split(h @ Wh + bh, 3, axis=1)
    r, z = sigmoid(ar + ur), sigmoid(az + uz)
    g = np.tanh(ag + r * ug)
    return (1 - z) * g + z * h, (x, h, Wx, Wh, r, z, g, ug)


def gru_step_backward(dh, cache):
    x, h, Wx, Wh, r, z, g, ug = cache
    dag = dh * (1 - z) * (1 - g**2)
    daz = dh * (h - g) * z * (1 - z)
    dar = dag * ug * r * (1 - r)
    da, du = np.hstack([dar, daz, dag]), np.hstack([dar, daz, dag * r])
    return da @ Wx.T, dh * z + du @ Wh.T, x.T @ da, h.T @ du, da.sum(0), du.sum(0)


def rnn_forward(x, h0, Wx, Wh, b):
    h, states, caches = h0, [], []
    for s in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, s], h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


def rnn_backward(dh, cache):
    dx, total, back = [], [0, 0, 0], 0
    for s in range(len(cache) - 1, -1, -1):
        dx_s, back, *weights = rnn_step_backward(dh[:, s] + back, cache[s])
        dx.insert(0, dx_s)
        total = [a + b for a, b in zip(total, weights)]
    return np.stack(dx, axis=1), back, *total


def lstm_forward(x, h0, c0, Wx, Wh, b):
    h, c, states, caches = h0, c0, [], []
    for s in range(x.shape[1]):
        (h, c), cache = lstm_step_forward(x[:, s], h, c, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return (np.stack(states, axis=1), c), caches


def lstm_backward(dh, cache, dc=None):
    dx, total, back, dc = [], [0, 0, 0], 0, (0 if dc is None else dc)
    for s in range(len(cache) - 1, -1, -1):
        dx_s, back, dc, *weights = lstm_step_backward(dh[:, s] + back, dc, cache[s])
        dx.insert(0, dx_s)
        total = [a + b for a, b in zip(total, weights)]
    return np.stack(dx, axis=1), back, dc, *total


def gru_forward(x, h0, Wx, Wh, bx, bh):
    h, states, caches = h0, [], []
    for s in range(x.shape[1]):
        h, cache = gru_step_forward(x[:, s], h, Wx, Wh, bx, bh)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


def gru_backward(dh, cache):
    dx, total, back = [], [0, 0, 0, 0], 0
    for s in range(len(cache) - 1, -1, -1):
        dx_s, back, *weights = gru_step_backward(dh[:, s] + back, cache[s])
        dx.insert(0, dx_s)
        total = [a + b for a, b in zip(total, weights)]
    return np.stack(dx, axis=1), back, *total


def gradient_by_lag(forward, backward, x, states, weights, dh):
    """Every lag by itself: the last k steps as a sequence of their own, begun where the steps before have led."""
    t = x.shape[1]
    norms = [float(np.sqrt(np.sum(dh**2)))]
    for k in range(1, t + 1):
        at = states
        if k < t:
            y, _ = forward(x[:, : t - k], *states, *weights)
            at = (y[0][:, -1], y[1]) if len(states) == 2 else (y[:, -1],)
        _, cache = forward(x[:, t - k :], *at, *weights)
        outside = np.zeros((len(dh), k, dh.shape[1]))
        outside[:, -1] = dh
        norms.append(float(np.sqrt(np.sum(backward(outside, cache)[1] ** 2))))
    return np.array(norms)
