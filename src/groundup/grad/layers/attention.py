"""Attention by hand: a layer that reads many rows at once, and chooses by their content what it reads.

Each query is compared with every key by their inner product. Softmax makes shares of the comparisons, and the result is
the values in these shares. Nothing in it depends on where a row stands: permute keys and values alike, and the result is
the same.

Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and Translate (2014). The inner product
and its scale: Vaswani and others, Attention Is All You Need (2017), section 3.2.1.
"""

import math

import numpy as np

from .dense import softmax_backward, softmax_forward


def attention_forward(q, k, v, mask=None):
    """softmax(q k^T / sqrt(d)) v, the softmax along each query's row of comparisons.

    q (..., t, d), t queries; k (..., s, d), s keys; v (..., s, e), their values; the axes in front are the same for all
    three, or absent. mask: None, or booleans (..., t, s), or of a shape that broadcasts to it: True where a query may
    look. Returns y (..., t, e) and a cache. A query that may look nowhere gets zeros, and sends no gradient.

    With the identity (s, s) for v, y is the shares themselves.
    """
    scale = 1.0 / math.sqrt(q.shape[-1])
    scores = (q @ k.mT) * scale  # (..., t, s)
    seen = None
    if mask is not None:
        seen = mask.any(axis=-1, keepdims=True)  # (..., t, 1)
        scores = np.where(mask | ~seen, scores, -np.inf)  # e^-inf is 0; a row of nothing else would be 0 / 0
    shares, of_softmax = softmax_forward(scores)
    if seen is not None:
        shares = shares * seen
    return shares @ v, (q, k, v, shares, of_softmax, seen, scale)


def attention_backward(dy, cache):
    """dq, dk, dv, each of the shape of its array, from dy (..., t, e)."""
    q, k, v, shares, of_softmax, seen, scale = cache
    dshares = dy @ v.mT  # (..., t, s)
    if seen is not None:
        dshares = dshares * seen
    dscores = softmax_backward(dshares, of_softmax) * scale
    return dscores @ k, dscores.mT @ q, shares.mT @ dy
