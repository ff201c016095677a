"""The functions of lesson 3.6 on PyTorch's."""

import numpy as np
import torch
from torch.nn import functional

CACHE = 2**21


def _leaf(x):
    return torch.tensor(np.array(x), requires_grad=True)


def _forward(function, *arrays):
    """The value, and what backward needs: the graph."""
    leaves = [_leaf(x) for x in arrays]
    try:
        y = function(*leaves)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    return y.detach().numpy().copy(), (y, leaves)


def _backward(dy, graph):
    y, leaves = graph
    return [g.numpy() for g in torch.autograd.grad(y, leaves, torch.tensor(np.array(dy)), retain_graph=True)]


def output_size(length, size, stride=1, padding=0, dilation=1):
    line, kernel = torch.zeros(1, 1, length), torch.zeros(1, 1, size)
    try:
        return functional.conv1d(line, kernel, stride=stride, padding=padding, dilation=dilation).shape[-1]
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def unfold(x, size, stride=1, padding=0, dilation=1):
    return _forward(lambda t: functional.unfold(t, size, dilation, padding, stride), x)[0]


def fold(columns, shape, size, stride=1, padding=0, dilation=1):
    return _forward(lambda t: functional.fold(t, shape[2:], size, dilation, padding, stride), columns)[0]


def conv2d_forward(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    arrays = (x, W) if b is None else (x, W, b)
    y, graph = _forward(
        lambda *leaves: functional.conv2d(
            *leaves[:2], leaves[2] if b is not None else None, stride, padding, dilation, groups
        ),
        *arrays,
    )
    return y, graph


def conv2d_backward(dy, cache):
    dx, dW, *db = _backward(dy, cache)
    return dx, dW, db[0] if db else None


def max_pool2d_forward(x, size, stride=None, padding=0):
    return _forward(lambda t: functional.max_pool2d(t, size, stride, padding), x)


def max_pool2d_backward(dy, cache):
    return _backward(dy, cache)[0]


def avg_pool2d_forward(x, size, stride=None, padding=0):
    return _forward(lambda t: functional.avg_pool2d(t, size, stride, padding), x)


def avg_pool2d_backward(dy, cache):
    return _backward(dy, cache)[0]
