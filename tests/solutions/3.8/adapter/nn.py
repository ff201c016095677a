"""The framework with PyTorch's layers: each is one operation of the engine, whose value and rules PyTorch works out."""

import numpy as np
import torch
from torch.nn import functional

from .ops import as_tensors
from .tensor import Tensor, no_grad, operation


def by_torch(function, *operands):
    """function of the operands, as a Tensor of the engine; operands that are None stay None."""
    tensors = as_tensors(*(x for x in operands if x is not None))
    leaves = [torch.tensor(t.data, requires_grad=True) for t in tensors]
    given = iter(leaves)
    y = function(*(None if x is None else next(given) for x in operands))

    def rule(leaf):
        return lambda g: torch.autograd.grad(y, leaf, torch.tensor(g), retain_graph=True)[0].numpy()

    return operation(y.detach().numpy().copy(), *((t, rule(leaf)) for t, leaf in zip(tensors, leaves)))


class Parameter(Tensor):
    def __init__(self, data):
        super().__init__(data, True)


class Module:
    training = True

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def forward(self, *inputs):
        raise NotImplementedError

    def own(self):
        """(name, object) for what this module owns itself."""
        for name, value in vars(self).items():
            if isinstance(value, list | tuple):
                yield from ((f"{name}.{i}", entry) for i, entry in enumerate(value))
            else:
                yield name, value

    def everything(self):
        """(path, object), a module's own before what its parts have."""
        yield from self.own()
        for name, value in self.own():
            if isinstance(value, Module):
                yield from ((f"{name}.{path}", inner) for path, inner in value.everything())

    def parts(self):
        return {name: value for name, value in self.own() if isinstance(value, Module)}

    def named(self, kind):
        found, seen = {}, set()
        for path, value in self.everything():
            if isinstance(value, kind) and id(value) not in seen:
                seen.add(id(value))
                found[path] = value
        return found

    def parameters(self):
        return list(self.named(Parameter).values())

    def zero_grad(self):
        for p in self.parameters():
            p.zero_grad()

    def train(self, mode=True):
        self.training = mode
        for _, value in list(self.everything()):
            if isinstance(value, Module):
                value.training = mode
        return self

    def eval(self):
        return self.train(False)

    def own_arrays(self):
        return {path: p.data for path, p in self.named(Parameter).items()} | self.named(np.ndarray)

    def state_dict(self):
        return {path: torch.tensor(a).clone().numpy() for path, a in self.own_arrays().items()}

    def load_state_dict(self, state):
        own = self.own_arrays()
        if set(own) != set(state):
            raise KeyError(set(own) ^ set(state))
        for path, a in own.items():
            if a.shape != np.shape(state[path]):
                raise ValueError(path)
            if np.asarray(state[path]).dtype.kind == "f" and a.dtype.kind != "f":
                raise TypeError(path)
        for path, a in own.items():
            torch.from_numpy(a).copy_(torch.tensor(state[path]))


class Sequential(Module):
    def __init__(self, *modules):
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(i)
            setattr(self, str(i), module)

    def forward(self, x):
        for module in self.parts().values():
            x = module(x)
        return x


def he(generator, shape, fan_in, dtype):
    return Parameter(np.asarray(generator.normal(scale=np.sqrt(2 / fan_in), size=shape), dtype))


class Linear(Module):
    def __init__(self, n_in, n_out, generator, bias=True, dtype=np.float32):
        self.weight = he(generator, (n_in, n_out), n_in, dtype)
        self.bias = Parameter(np.zeros(n_out, dtype)) if bias else None

    def forward(self, x):
        return by_torch(lambda x, W, b: functional.linear(x, W.T, b), x, self.weight, self.bias)


class Conv2d(Module):
    def __init__(
        self, c_in, c_out, size, generator, stride=1, padding=0, dilation=1, groups=1, bias=True, dtype=np.float32
    ):
        size = (size, size) if np.ndim(size) == 0 else tuple(size)
        self.weight = he(generator, (c_out, c_in // groups, *size), c_in // groups * size[0] * size[1], dtype)
        self.bias = Parameter(np.zeros(c_out, dtype)) if bias else None
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def forward(self, x):
        return by_torch(lambda x, W, b: functional.conv2d(x, W, b, **self.options), x, self.weight, self.bias)


class BatchNorm(Module):
    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        self.gamma, self.beta = Parameter(np.ones(channels, dtype)), Parameter(np.zeros(channels, dtype))
        self.running_mean, self.running_var = np.zeros(channels, dtype), np.ones(channels, dtype)
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        running = torch.from_numpy(self.running_mean), torch.from_numpy(self.running_var)  # the same memory

        def norm(x, gamma, beta):
            return functional.batch_norm(x, *running, gamma, beta, self.training, self.momentum, self.eps)

        return by_torch(norm, x, self.gamma, self.beta)


class Dropout(Module):
    def __init__(self, rate, generator):
        self.rate, self.generator = rate, generator

    def forward(self, x):
        if not self.training:
            return x
        kept = torch.tensor(self.generator.random(x.shape) >= self.rate)
        return by_torch(lambda x: x * kept / (1 - self.rate), x)


class ReLU(Module):
    def forward(self, x):
        return by_torch(torch.relu, x)


class Flatten(Module):
    def forward(self, x):
        return by_torch(lambda x: torch.flatten(x, 1), x)


class MaxPool2d(Module):
    def __init__(self, size, stride=None, padding=0):
        self.options = (size, stride, padding)

    def forward(self, x):
        return by_torch(lambda x: functional.max_pool2d(x, *self.options), x)


class Trainable:
    def __init__(self, module, loss):
        self.module, self.loss = module, loss
        self.params = [p.data for p in module.parameters()]
        self.buffers = list(module.named(np.ndarray).values())
        self.generators = list(module.named(np.random.Generator).values())

    def loss_and_grads(self, X, y):
        self.module.train().zero_grad()
        loss = self.loss(self.module(given(X)), y)
        loss.backward()
        return loss.item(), [np.zeros_like(p.data) if p.grad is None else p.grad for p in self.module.parameters()]

    def predict(self, X):
        self.module.eval()
        with no_grad():
            return torch.argmax(torch.tensor(self.module(given(X)).data), dim=1).numpy()


def given(X):
    return Tensor(X) if X.dtype.kind == "f" else X
