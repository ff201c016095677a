"""Recurrent layers by hand: a state goes from step to step, and its gradient comes back the same way.

A recurrent layer reads a sequence in order. Its state is a function of the state before and of what stands at this step,
with the same weights at every step. Unrolled in time it is a deep network in which all layers share their weights: the
gradient of the state is carried from the last step to the first, and that of the weights is a sum over the steps.

Everything here is x (n, t, d): n sequences, t steps, d features; m is the width of the state. x and the weights have one
dtype, float32 or float64, and so has what comes out. A backward returns its gradients in the order of the forward's
arrays, and changes neither what it is given nor the cache: called again it says the same.

Elman, Finding Structure in Time (1990). Werbos, Backpropagation Through Time (1990). Hochreiter and Schmidhuber, Long
Short-Term Memory (1997), with the forget gate of Gers, Schmidhuber and Cummins (2000). Cho and others, Learning Phrase
Representations using RNN Encoder-Decoder (2014).
"""

import numpy as np

from .dense import affine_backward, affine_forward

# ------------------------------------------------------------------------------------------------------- embedding


def embedding_forward(ids, table):
    """A row of the table for every id.

    ids: integers of any shape, each from 0 to v - 1. table (v, d). Returns y, of the shape of ids and d behind, and a
    cache. Raises IndexError for an id below 0 or above v - 1: a row counted from the end is nobody's word.
    """
    ids = np.asarray(ids)
    if ids.size and not 0 <= ids.min() <= ids.max() < len(table):
        raise IndexError(f"ids go from {ids.min()} to {ids.max()}, and the table has {len(table)} rows")
    return table[ids], (ids, table.shape)


def embedding_backward(dy, cache):
    """dtable (v, d) from dy, which has y's shape. A row looked up several times has the sum of its gradients."""
    ids, shape = cache
    dtable = np.zeros(shape, dtype=dy.dtype)
    if ids.size:
        order = np.argsort(ids, axis=None, kind="stable")
        rows, starts = np.unique(ids.ravel()[order], return_index=True)
        # sorted, each id's gradients lie together: where ids repeat, a fifth of the time of numpy.add.at
        dtable[rows] = np.add.reduceat(dy.reshape(-1, shape[1])[order], starts)
    return dtable


# -------------------------------------------------------------------------------------------------- a tanh network


def rnn_step_forward(x, h, Wx, Wh, b):
    """One step: tanh(x Wx + h Wh + b).

    x (n, d), h (n, m), the state before; Wx (d, m), Wh (m, m), b (m,). Returns the state after, (n, m), and a cache.
    """
    after = np.tanh(x @ Wx + h @ Wh + b)
    return after, (x, h, after, Wx, Wh)


def rnn_step_backward(dh, cache):
    """dx (n, d), dh of the state before (n, m), dWx, dWh, db from dh (n, m), the gradient of the state after."""
    x, before, after, Wx, Wh = cache
    dz = dh * (1.0 - after * after)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, before.T @ dz, dz.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    """All steps: h[s] = tanh(x[s] Wx + h[s - 1] Wh + b), beginning with h0.

    x (n, t, d), h0 (n, m), Wx (d, m), Wh (m, m), b (m,). Returns h (n, t, m), the state after each step, and a cache.
    """
    z, into = affine_forward(_steps_first(x), Wx, b)  # (t, n, m), one product for all steps
    h = _states(z, h0)
    for s in range(len(z)):
        np.tanh(z[s] + h[s] @ Wh, out=h[s + 1])
    return _sequences_first(h[1:]), (into, h, Wh)


def rnn_backward(dh, cache):
    """dx, dh0, dWx, dWh, db from dh (n, t, m).

    dh[:, s] is what comes to the state after step s from outside, from a layer above or a loss. What comes to it from
    the steps after it is found here.
    """
    into, h, Wh = cache
    slope = 1.0 - h[1:] * h[1:]
    dz = np.empty_like(slope)  # (t, n, m), the gradient of what goes into tanh
    carried = np.zeros_like(h[0])  # from the step after
    for s in reversed(range(len(dz))):
        np.multiply(dh[:, s] + carried, slope[s], out=dz[s])
        carried = dz[s] @ Wh.T
    dx, dWx, db = affine_backward(dz, into)
    return _sequences_first(dx), carried, dWx, _summed_products(h[:-1], dz), db


# ----------------------------------------------------------------------------------------------------------- LSTM


def lstm_forward(x, h0, c0, Wx, Wh, b):
    """Long short-term memory: a cell that is kept and added to, and a state that shows some of it.

    With z = x[s] Wx + h[s - 1] Wh + b, cut into four parts of width m, in this order,
      i = sigmoid(z1), f = sigmoid(z2), g = tanh(z3), o = sigmoid(z4),
      c[s] = f c[s - 1] + i g,   h[s] = o tanh(c[s]).
    x (n, t, d), h0 and c0 (n, m), Wx (d, 4 m), Wh (m, 4 m), b (4 m,). Returns (h, c), h (n, t, m) after each step and
    c (n, m) after the last, and a cache: (h, c), cache = lstm_forward(...). With h[:, -1] and c the next piece of a
    long sequence goes on. PyTorch's LSTM has the same order of gates, the matrices transposed, and two biases that
    are added.
    """
    gates, into = affine_forward(_steps_first(x), Wx, b)  # (t, n, 4 m); a step overwrites its own part
    h, c = _states(gates, h0), _states(gates, c0)
    shown = np.empty_like(c[1:])  # tanh of the cell
    half = np.full_like(b, 0.5)  # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2, so that one tanh does all four parts
    _gates(half)[2][:] = 1.0
    rest = 1.0 - half
    for s in range(len(gates)):
        z = h[s] @ Wh
        z += gates[s]
        z *= half
        np.tanh(z, out=z)
        z *= half
        np.add(z, rest, out=gates[s])
        i, f, g, o = _gates(gates[s])
        np.multiply(f, c[s], out=c[s + 1])
        c[s + 1] += i * g
        np.tanh(c[s + 1], out=shown[s])
        np.multiply(o, shown[s], out=h[s + 1])
    return (_sequences_first(h[1:]), c[-1].copy()), (into, h, c, gates, shown, Wh)


def lstm_backward(dh, cache, dc=None):
    """dx, dh0, dc0, dWx, dWh, db from dh (n, t, m), and dc (n, m), the gradient of the last cell, if it has one.

    dh[:, s] is what comes to the state after step s from outside.
    """
    into, h, c, gates, shown, Wh = cache
    dz = np.empty_like(gates)  # (t, n, 4 m), the gradient of what goes into the gates
    carried = np.zeros_like(h[0])
    dc = np.zeros_like(c[0]) if dc is None else dc.copy()
    for s in reversed(range(len(dz))):
        i, f, g, o = _gates(gates[s])
        di, df, dg, do = _gates(dz[s])
        carried += dh[:, s]
        dc += carried * o * (1.0 - shown[s] * shown[s])  # the cell is shown at this step, and kept for the next
        np.multiply(dc * g, i * (1.0 - i), out=di)
        np.multiply(dc * c[s], f * (1.0 - f), out=df)
        np.multiply(dc * i, 1.0 - g * g, out=dg)
        np.multiply(carried * shown[s], o * (1.0 - o), out=do)
        carried = dz[s] @ Wh.T
        dc *= f
    dx, dWx, db = affine_backward(dz, into)
    return _sequences_first(dx), carried, dc, dWx, _summed_products(h[:-1], dz), db


# ------------------------------------------------------------------------------------------------------------ GRU


def gru_forward(x, h0, Wx, Wh, bx, bh):
    """Gated recurrent unit: the state itself is kept in part, and in part replaced.

    With a = x[s] Wx + bx and u = h[s - 1] Wh + bh, each cut into three parts of width m,
      r = sigmoid(a1 + u1), z = sigmoid(a2 + u2), g = tanh(a3 + r u3),
      h[s] = (1 - z) g + z h[s - 1].
    r acts on the product u3, its bias included, as in PyTorch; Cho and others let it act on the state before the product.
    x (n, t, d), h0 (n, m), Wx (d, 3 m), Wh (m, 3 m), bx and bh (3 m,). Returns h (n, t, m) and a cache.
    """
    m = h0.shape[1]
    gates, into = affine_forward(_steps_first(x), Wx, bx)  # (t, n, 3 m); a step overwrites its own part
    h = _states(gates, h0)
    recalled = np.empty_like(h[1:])  # u3
    for s in range(len(gates)):
        u = h[s] @ Wh + bh  # (n, 3 m)
        _, z, g = _parts(gates[s], 3)
        gates[s, :, : 2 * m] += u[:, : 2 * m]
        _sigmoid(gates[s, :, : 2 * m])
        recalled[s] = u[:, 2 * m :]
        g += gates[s, :, :m] * recalled[s]
        np.tanh(g, out=g)
        np.add(g, z * (h[s] - g), out=h[s + 1])
    return _sequences_first(h[1:]), (into, h, gates, recalled, Wh)


def gru_backward(dh, cache):
    """dx, dh0, dWx, dWh, dbx, dbh from dh (n, t, m); dh[:, s] is what comes to the state after step s from outside."""
    into, h, gates, recalled, Wh = cache
    m = h.shape[2]
    da, du = np.empty_like(gates), np.empty_like(gates)  # (t, n, 3 m)
    carried = np.zeros_like(h[0])
    for s in reversed(range(len(gates))):
        r, z, g = _parts(gates[s], 3)
        carried += dh[:, s]
        dr, dz, dg = _parts(da[s], 3)
        np.multiply(carried * (1.0 - z), 1.0 - g * g, out=dg)
        np.multiply(carried * (h[s] - g), z * (1.0 - z), out=dz)
        np.multiply(dg * recalled[s], r * (1.0 - r), out=dr)
        du[s] = da[s]
        du[s, :, 2 * m :] *= r
        carried *= z
        carried += du[s] @ Wh.T
    dx, dWx, dbx = affine_backward(da, into)
    return _sequences_first(dx), carried, dWx, _summed_products(h[:-1], du), dbx, du.sum(axis=(0, 1))


# ---------------------------------------------------------------------------------------------- how far a gradient gets


def gradient_by_lag(forward, backward, x, states, weights, dh):
    """How large the gradient of a state is, by how many steps it lies back from the last.

    forward, backward: those of a layer above. x (n, t, d). states: (h0,), or (h0, c0) for the LSTM; weights: the layer's,
    a tuple. dh (n, m): the gradient of the state after the last step, and no other state has one from outside.
    Returns norms (t + 1,): entry k is the Euclidean norm, over all sequences and units, of the gradient of the state k
    steps before the last. Entry 0 is the norm of dh, and entry t that of the gradient of h0.
    """
    caches = []
    for s in range(x.shape[1]):  # a step at a time, so that the gradient can be looked at in between
        y, cache = forward(x[:, s : s + 1], *states, *weights)
        states = (y[0][:, -1], y[1]) if len(states) == 2 else (y[:, -1],)
        caches.append(cache)
    norms, further = [np.linalg.norm(dh)], ()
    for cache in reversed(caches):
        _, dh, *rest = backward(dh[:, None], cache, *further)
        further = tuple(rest[: len(states) - 1])  # dc of an LSTM
        norms.append(np.linalg.norm(dh))
    return np.array(norms)


# ------------------------------------------------------------------------------------------ what the layers have in common


def _steps_first(x):
    """(n, t, d) -> (t, n, d), a copy: then what belongs to a step lies together."""
    return x.transpose(1, 0, 2).copy()


def _sequences_first(h):
    """(t, n, m) -> (n, t, m), a copy: the caller may write to it, and the cache stays."""
    return h.transpose(1, 0, 2).copy()


def _states(z, start):
    """Room for the state before the first step and after every one, (t + 1, n, m); the first is filled in."""
    states = np.empty((len(z) + 1, *start.shape), dtype=z.dtype)
    states[0] = start
    return states


def _summed_products(a, dz):
    """The sum over the steps of a[s].T @ dz[s], as one product: (t, n, p) and (t, n, q) -> (p, q)"""
    return a.reshape(-1, a.shape[2]).T @ dz.reshape(-1, dz.shape[2])


def _gates(z):
    """The LSTM's four parts, views."""
    i, f, g, o = _parts(z, 4)
    return i, f, g, o


def _parts(z, count):
    """Views of the equal parts of the last axis."""
    m = z.shape[-1] // count
    return [z[..., k * m : (k + 1) * m] for k in range(count)]


def _sigmoid(z):
    """In place, by tanh: sigmoid(z) = (1 + tanh(z / 2)) / 2, which overflows nowhere."""
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5
