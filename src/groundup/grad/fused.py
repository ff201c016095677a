"""Layers by hand as single operations of the engine: what is slow or unstable as a composition, in one node of the graph.

Every function here is the same three lines: run a forward of `layers/`, and hand its backward to the engine as the rule of all
operands. The engine asks for one operand's gradient at a time, and the backward gives all of them: it is called once a pass, and
what has not been asked for yet is kept until it is.
"""

from .layers import attention as _attention
from .layers import conv, dense, norm, recurrent
from .ops import as_tensors
from .tensor import operation


def fused(y, operands, backward):
    """A Tensor made by a layer: its array y, the Tensors that it depends on, and backward(dy) -> a gradient for each of them."""
    latest, waiting = None, {}  # the last dy, and by operand the gradients that backward gave for it

    def gradient(i):
        def rule(dy):
            nonlocal latest, waiting
            if dy is not latest or i not in waiting:
                latest, waiting = dy, dict(enumerate(backward(dy)))
            return waiting.pop(i)  # the engine's from now on: it may add to it, and it is freed with the pass

        rule.__qualname__ = backward.__qualname__  # written inside the layer, by whose name draw.py calls it
        return rule

    return operation(y, *((x, gradient(i)) for i, x in enumerate(operands)))


def affine(x, W, b):
    """xW + b: x (..., d), W (d, m), b (m,) -> (..., m)."""
    x, W, b = as_tensors(x, W, b)
    y, cache = dense.affine_forward(x.data, W.data, b.data)
    with_dx = x.requires_grad
    return fused(y, (x, W, b), lambda dy: dense.affine_backward(dy, cache, with_dx))


def cross_entropy(scores, labels):
    """The mean cross-entropy of softmax(scores), in nats: scores (n, k), labels (n,) integers -> ()."""
    (scores,) = as_tensors(scores)
    loss, cache = dense.softmax_cross_entropy_forward(scores.data, labels)
    return fused(loss, (scores,), lambda dy: (dense.softmax_cross_entropy_backward(dy, cache),))


def batch_norm(x, gamma, beta, running=None, train=True, momentum=0.1, eps=1e-5):
    """Batch norm: x (n, c) or (n, c, ...), gamma and beta (c,); running, a dict of arrays that is updated in training."""
    x, gamma, beta = as_tensors(x, gamma, beta)
    y, cache = norm.batch_norm_forward(x.data, gamma.data, beta.data, running, train, momentum, eps)
    return fused(y, (x, gamma, beta), lambda dy: norm.batch_norm_backward(dy, cache))


def layer_norm(x, gamma, beta, eps=1e-5):
    """Layer norm over the last axis: x (..., d), gamma and beta (d,)."""
    x, gamma, beta = as_tensors(x, gamma, beta)
    y, cache = norm.layer_norm_forward(x.data, gamma.data, beta.data, eps)
    return fused(y, (x, gamma, beta), lambda dy: norm.layer_norm_backward(dy, cache))


def group_norm(x, gamma, beta, groups, eps=1e-5):
    """Group norm: x (n, c, ...), gamma and beta (c,)."""
    x, gamma, beta = as_tensors(x, gamma, beta)
    y, cache = norm.group_norm_forward(x.data, gamma.data, beta.data, groups, eps)
    return fused(y, (x, gamma, beta), lambda dy: norm.group_norm_backward(dy, cache))


def dropout(x, rate, generator, train=True):
    """Inverted dropout: each entry is 0 with probability rate, the others are divided by 1 - rate; x itself without train."""
    (x,) = as_tensors(x)
    y, cache = norm.dropout_forward(x.data, rate, generator, train)
    return fused(y, (x,), lambda dy: (norm.dropout_backward(dy, cache),))


def conv2d(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution: x (n, c, h, w), W (m, c // groups, kh, kw), b (m,) or None -> (n, m, h', w')."""
    operands = as_tensors(*(t for t in (x, W, b) if t is not None))
    x, W, *bias = (t.data for t in operands)
    y, cache = conv.conv2d_forward(x, W, bias[0] if bias else None, stride, padding, dilation, groups)
    return fused(y, operands, lambda dy: conv.conv2d_backward(dy, cache))


def max_pool2d(x, size, stride=None, padding=0):
    """The largest pixel of every window: x (n, c, h, w) -> (n, c, h', w')."""
    (x,) = as_tensors(x)
    y, cache = conv.max_pool2d_forward(x.data, size, stride, padding)
    return fused(y, (x,), lambda dy: (conv.max_pool2d_backward(dy, cache),))


def avg_pool2d(x, size, stride=None, padding=0):
    """The mean of every window: x (n, c, h, w) -> (n, c, h', w')."""
    (x,) = as_tensors(x)
    y, cache = conv.avg_pool2d_forward(x.data, size, stride, padding)
    return fused(y, (x,), lambda dy: (conv.avg_pool2d_backward(dy, cache),))


def embedding(ids, table):
    """Rows of a table: ids of any shape, integers, table (v, d) -> (*ids.shape, d)."""
    (table,) = as_tensors(table)
    y, cache = recurrent.embedding_forward(ids, table.data)
    return fused(y, (table,), lambda dy: (recurrent.embedding_backward(dy, cache),))


def rnn(x, h0, Wx, Wh, b):
    """A recurrent layer over all steps: x (n, t, d), h0 (n, m), Wx (d, m), Wh (m, m), b (m,) -> h (n, t, m)."""
    operands = as_tensors(x, h0, Wx, Wh, b)
    h, cache = recurrent.rnn_forward(*(t.data for t in operands))
    return fused(h, operands, lambda dh: recurrent.rnn_backward(dh, cache))


def lstm(x, h0, c0, Wx, Wh, b):
    """An LSTM over all steps: x (n, t, d), h0 and c0 (n, m), Wx (d, 4m), Wh (m, 4m), b (4m,) -> h (n, t, m).

    The cell after the last step is not handed out: whoever wants gradients through it takes layers/recurrent.py.
    """
    operands = as_tensors(x, h0, c0, Wx, Wh, b)
    (h, _), cache = recurrent.lstm_forward(*(t.data for t in operands))
    return fused(h, operands, lambda dh: recurrent.lstm_backward(dh, cache))


def gru(x, h0, Wx, Wh, bx, bh):
    """A GRU over all steps: x (n, t, d), h0 (n, m), Wx (d, 3m), Wh (m, 3m), bx and bh (3m,) -> h (n, t, m)."""
    operands = as_tensors(x, h0, Wx, Wh, bx, bh)
    h, cache = recurrent.gru_forward(*(t.data for t in operands))
    return fused(h, operands, lambda dh: recurrent.gru_backward(dh, cache))


def attention(q, k, v, mask=None):
    """Scaled dot-product attention: q (..., t, d), k (..., s, d), v (..., s, e), mask of booleans or None -> (..., t, e)."""
    q, k, v = as_tensors(q, k, v)
    y, cache = _attention.attention_forward(q.data, k.data, v.data, mask)
    return fused(y, (q, k, v), lambda dy: _attention.attention_backward(dy, cache))
