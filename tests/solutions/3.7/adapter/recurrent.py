"""Lesson 3.7 by PyTorch: its recurrent layers, and autograd for the gradients."""

import numpy as np
import torch


def leaves_of(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def embedding_forward(ids, table):
    (rows,) = leaves_of(table)
    if np.size(ids) and np.min(ids) < 0:
        raise IndexError("a negative id")
    y = torch.nn.functional.embedding(torch.tensor(ids), rows)
    return y.detach().numpy().copy(), ([y], [rows])


def gradients(outside, cache):
    outputs, leaves = cache
    given = [torch.tensor(g, dtype=y.dtype) for y, g in zip(outputs, outside)]
    found = torch.autograd.grad(outputs[: len(given)], leaves, given, retain_graph=True)
    return tuple(g.numpy().copy() for g in found)


def embedding_backward(dy, cache):
    return gradients([dy], cache)[0]


def rnn_step_forward(x, h, Wx, Wh, b):
    leaves = leaves_of(x, h, Wx, Wh, b)
    x, h, Wx, Wh, b = leaves
    after = torch.nn.functional.linear(x, Wx.T, b).add(h @ Wh).tanh()
    return after.detach().numpy().copy(), ([after], leaves)


def rnn_step_backward(dh, cache):
    return gradients([dh], cache)


def rnn_forward(x, h0, Wx, Wh, b):
    leaves = leaves_of(x, h0, Wx, Wh, b)
    x, h0, Wx, Wh, b = leaves
    h, _ = torch.rnn_tanh(x, h0[None], [Wx.T, Wh.T, b, torch.zeros_like(b)], True, 1, 0.0, False, False, True)
    return h.detach().numpy().copy(), ([h], leaves)


def rnn_backward(dh, cache):
    return gradients([dh], cache)


def lstm_forward(x, h0, c0, Wx, Wh, b):
    leaves = leaves_of(x, h0, c0, Wx, Wh, b)
    x, h0, c0, Wx, Wh, b = leaves
    weights = [Wx.T, Wh.T, b, torch.zeros_like(b)]
    h, _, c = torch.lstm(x, (h0[None], c0[None]), weights, True, 1, 0.0, False, False, True)
    return (h.detach().numpy().copy(), c[0].detach().numpy().copy()), ([h, c[0]], leaves)


def lstm_backward(dh, cache, dc=None):
    return gradients([dh] if dc is None else [dh, dc], cache)


def gru_forward(x, h0, Wx, Wh, bx, bh):
    leaves = leaves_of(x, h0, Wx, Wh, bx, bh)
    x, h0, Wx, Wh, bx, bh = leaves
    h, _ = torch.gru(x, h0[None], [Wx.T, Wh.T, bx, bh], True, 1, 0.0, False, False, True)
    return h.detach().numpy().copy(), ([h], leaves)


def gru_backward(dh, cache):
    return gradients([dh], cache)


def gradient_by_lag(forward, backward, x, states, weights, dh):
    caches = []
    for s in range(x.shape[1]):
        y, cache = forward(x[:, [s]], *states, *weights)
        states = (y[0][:, 0], y[1]) if isinstance(y, tuple) else (y[:, 0],)
        caches.append(cache)
    norms, dc = [np.sqrt((dh**2).sum())], None
    while caches:
        if len(states) == 2:
            _, dh, dc, *_ = backward(dh[:, None], caches.pop(), dc)
        else:
            _, dh, *_ = backward(dh[:, None], caches.pop())
        norms.append(np.sqrt((dh**2).sum()))
    return np.array(norms)
