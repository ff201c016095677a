"""The layers on PyTorch's."""

import numpy as np
import torch
from torch.nn import functional as F


def leaves(*arrays):
    return [torch.tensor(a).requires_grad_() for a in arrays]


def refused(call, *arguments):
    try:
        return call(*arguments)
    except RuntimeError as problem:
        raise ValueError(str(problem)) from None


def backward(dy, cache):
    y, inputs = cache
    loss = (
        y * torch.tensor(dy)
    ).sum()  # of a number: with an upstream array the first call imports sympy, half a second
    grads = torch.autograd.grad(loss, inputs, retain_graph=True)
    return tuple(g.numpy() for g in grads)


def batch_norm_forward(x, gamma, beta, running=None, train=True, momentum=0.1, eps=1e-5):
    inputs = leaves(x, gamma, beta)
    if running is None and not train:
        raise ValueError("no running statistics")
    mean, var = (torch.from_numpy(running[name]) if running else None for name in ("mean", "var"))
    if running and not train:
        mean, var = mean.clone(), var.clone()  # the graph remembers them, and the caller may train on
    y = refused(F.batch_norm, inputs[0], mean, var, *inputs[1:], train, momentum, eps)
    return y.detach().numpy(), (y, inputs)


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    inputs = leaves(x, gamma, beta)
    y = F.layer_norm(inputs[0], gamma.shape, *inputs[1:], eps)
    return y.detach().numpy(), (y, inputs)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    inputs = leaves(x, gamma, beta)
    y = refused(F.group_norm, inputs[0], groups, *inputs[1:], eps)
    return y.detach().numpy(), (y, inputs)


batch_norm_backward = layer_norm_backward = group_norm_backward = backward


def dropout_forward(x, rate, generator, train=True):
    if not 0 <= rate < 1:
        raise ValueError("rate")
    (leaf,) = leaves(x)
    if not train:
        return x, (F.dropout(leaf, rate, False) * 1, [leaf])
    y = leaf * torch.tensor(generator.random(x.shape) >= rate) / (1 - rate)
    return y.detach().numpy(), (y, [leaf])


def dropout_backward(dy, cache):
    return np.asarray(backward(dy, cache)[0])
