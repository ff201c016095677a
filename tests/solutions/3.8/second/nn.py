"""The framework by another route: one walk with a stack, and layers put together from the engine's elementary operations."""

import numpy as np

from . import ops
from .tensor import Tensor, no_grad, operation


class Parameter(Tensor):
    def __init__(self, data):
        Tensor.__init__(self, data, requires_grad=True)


class Module:
    training = True

    def forward(self, *inputs):
        raise NotImplementedError

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def parts(self):
        return {name: x for name, x in entries(self) if isinstance(x, Module)}

    def named(self, kind):
        result, stack = {}, [("", self)]
        while stack:
            prefix, module = stack.pop()
            inner = []
            for name, x in entries(module):
                if isinstance(x, kind) and not any(x is y for y in result.values()):
                    result[prefix + name] = x
                if isinstance(x, Module):
                    inner.append((prefix + name + ".", x))
            stack += inner[::-1]
        return result

    def parameters(self):
        return [*self.named(Parameter).values()]

    def zero_grad(self):
        for p in self.named(Parameter).values():
            p.grad = None

    def train(self, mode=True):
        for module in [self, *self.named(Module).values()]:
            module.training = mode
        return self

    def eval(self):
        self.train(mode=False)
        return self

    def state_dict(self):
        state = {}
        for path, p in self.named(Parameter).items():
            state[path] = np.array(p.data)
        for path, buffer in self.named(np.ndarray).items():
            state[path] = np.array(buffer)
        return state

    def load_state_dict(self, state):
        targets = [(path, p.data) for path, p in self.named(Parameter).items()]
        targets += list(self.named(np.ndarray).items())
        if sorted(path for path, _ in targets) != sorted(state):
            raise KeyError("other names")
        values = []
        for path, array in targets:
            value = np.array(state[path])
            if value.shape != array.shape:
                raise ValueError(path)
            if not np.can_cast(value.dtype, array.dtype, "same_kind"):
                raise TypeError(path)
            values.append(value)
        for (_, array), value in zip(targets, values):
            array[...] = value


def entries(module):
    found = []
    for name, x in module.__dict__.items():
        if isinstance(x, (list, tuple)):
            found += [(f"{name}.{i}", x[i]) for i in range(len(x))]
        else:
            found.append((name, x))
    return found


class Sequential(Module):
    def __init__(self, *modules):
        if not all(isinstance(m, Module) for m in modules):
            raise TypeError("modules only")
        self.__dict__.update({str(i): m for i, m in enumerate(modules)})

    def forward(self, x):
        i = 0
        while hasattr(self, str(i)):
            x = getattr(self, str(i))(x)
            i += 1
        return x


class Linear(Module):
    def __init__(self, n_in, n_out, generator, bias=True, dtype=np.float32):
        self.weight = Parameter(generator.normal(0.0, (2 / n_in) ** 0.5, (n_in, n_out)).astype(dtype))
        self.bias = None
        if bias:
            self.bias = Parameter(np.zeros((n_out,), dtype=dtype))

    def forward(self, x):
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


def pair(value):
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def windows(x, size, stride, padding, dilation, value):
    """Pixel (i, j) of every window at once, for each (i, j)."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (size, stride, padding, dilation))
    n, c, h, w = x.shape
    framed = np.full((n, c, h + 2 * ph, w + 2 * pw), value, x.dtype)
    framed[:, :, ph : ph + h, pw : pw + w] = x.data
    x = operation(framed, (x, lambda g: g[:, :, ph : ph + h, pw : pw + w]))
    down, across = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1, (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    for i in range(kh):
        for j in range(kw):
            yield (
                i,
                j,
                x[:, :, i * dh : i * dh + sh * (down - 1) + 1 : sh, j * dw : j * dw + sw * (across - 1) + 1 : sw],
            )


class Conv2d(Module):
    def __init__(
        self, c_in, c_out, size, generator, stride=1, padding=0, dilation=1, groups=1, bias=True, dtype=np.float32
    ):
        kh, kw = self.size = pair(size)
        fan_in = c_in // groups * kh * kw
        self.weight = Parameter(
            (generator.standard_normal((c_out, c_in // groups, kh, kw)) * (2 / fan_in) ** 0.5).astype(dtype)
        )
        self.bias = Parameter(np.zeros(c_out, dtype)) if bias else None
        self.options = {"stride": stride, "padding": padding, "dilation": dilation}
        self.groups = groups

    def forward(self, x):
        m, g, y = self.weight.shape[0], self.groups, 0.0
        for i, j, pixels in windows(x, self.size, **self.options, value=0.0):
            n, c, h, w = pixels.shape
            W = self.weight[:, :, i, j].reshape(1, g, m // g, c // g)
            y = y + (W @ pixels.reshape(n, g, c // g, h * w)).reshape(n, m, h, w)
        return y if self.bias is None else y + self.bias.reshape(m, 1, 1)


class BatchNorm(Module):
    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        self.gamma = Parameter(np.ones(channels, dtype))
        self.beta = Parameter(np.zeros(channels, dtype))
        self.running_mean = np.zeros(channels, dtype)
        self.running_var = np.ones(channels, dtype)
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        axes = (0, *range(2, x.ndim))
        wide = [1] * x.ndim
        wide[1] = -1
        mean, var = self.running_mean.reshape(wide), self.running_var.reshape(wide)
        if self.training:
            mean = x.mean(axis=axes, keepdims=True)
            var = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
            m = self.momentum
            self.running_mean[...] = (1 - m) * self.running_mean + m * x.data.mean(axis=axes)
            self.running_var[...] = (1 - m) * self.running_var + m * x.data.var(axis=axes, ddof=1)
        scale = (var + self.eps) ** -0.5
        return (x - mean) * scale * self.gamma.reshape(wide) + self.beta.reshape(wide)


class Dropout(Module):
    def __init__(self, rate, generator):
        self.rate = rate
        self.generator = generator

    def forward(self, x):
        if not self.training:
            return x
        mask = self.generator.random(x.shape) >= self.rate
        return x * (mask / (1 - self.rate)).astype(x.dtype)


class ReLU(Module):
    def forward(self, x):
        return x * (x.data > 0)


class Flatten(Module):
    def forward(self, x):
        return x.reshape(len(x), -1)


class MaxPool2d(Module):
    def __init__(self, size, stride=None, padding=0):
        self.size, self.padding = size, padding
        self.stride = stride if stride is not None else size

    def forward(self, x):
        y = None
        for _, _, pixels in windows(x, self.size, self.stride, self.padding, 1, -np.inf):
            y = pixels if y is None else ops.maximum(y, pixels)
        return y


class Trainable:
    def __init__(self, module, loss):
        self.module = module
        self.loss = loss

    params = property(lambda self: [p.data for p in self.module.named(Parameter).values()])
    buffers = property(lambda self: [*self.module.named(np.ndarray).values()])
    generators = property(lambda self: [*self.module.named(np.random.Generator).values()])

    def loss_and_grads(self, X, y):
        self.module.train()
        self.module.zero_grad()
        loss = self.loss(self._scores(X), y)
        loss.backward()
        grads = []
        for p in self.module.parameters():
            grads.append(np.zeros(p.shape, p.dtype) if p.grad is None else p.grad.copy())
        return float(loss.data), grads

    def predict(self, X):
        self.module.eval()
        with no_grad():
            scores = self._scores(X).data
        return np.argmax(scores, axis=-1)

    def _scores(self, X):
        return self.module(X if np.issubdtype(X.dtype, np.integer) else Tensor(X))
