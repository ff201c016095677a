"""A framework of one's own: modules that hold parameters, on any engine that keeps the contract of tensor.py.

A module is a function with parameters inside, and a module may be made of modules. Everything else follows from one rule: what a
module owns are its attributes, and what stands in those that are lists or tuples. A Parameter is learned, an ndarray is a buffer
(kept, not learned), a Module is a part. So the names in a state dict are the paths to them: "hidden.weight", "layers.0.bias".

The interface is that of torch.nn (Paszke et al., PyTorch, 2019, section 4.1); linear weights are (n_in, n_out) here, as in the
other phases. Weights are drawn as He, Zhang, Ren and Sun say (Delving Deep into Rectifiers, 2015, section 2.2).
"""

import math

import numpy as np

from . import fused
from .tensor import Tensor, no_grad


class Parameter(Tensor):
    """A Tensor that is learned: a leaf that requires a gradient. An array of floats is taken as it is, not copied."""

    __slots__ = ()

    def __init__(self, data):
        """data: an array of floats."""
        super().__init__(data, requires_grad=True)


class Module:
    """What has parameters, and a `forward`. training: whether it is being trained (True at first); see train and eval."""

    training = True

    def forward(self, *inputs):  # given
        """The function that the module is; a subclass has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs):
        """forward(*inputs)"""
        return self.forward(*inputs)

    def parts(self):
        """The modules that this one owns, by name, in the order of the attributes: "hidden", or "layers.0" in a list."""
        return {name: value for name, value in self._owned() if isinstance(value, Module)}

    def named(self, kind):
        """What is of a kind (a class, as Parameter or np.ndarray) in this module and in its parts: path -> the object itself.

        A module's own come before those of its parts; "hidden.weight" is the weight of the part "hidden". An object that is met
        again on another path is left out, so that a weight that two parts share is learned once.
        """
        found = {name: value for name, value in self._owned() if isinstance(value, kind)}
        for name, part in self.parts().items():
            found |= {f"{name}.{inner}": value for inner, value in part.named(kind).items()}
        first = {}  # id -> the path on which it was met first
        for path, value in found.items():
            first.setdefault(id(value), path)
        return {path: value for path, value in found.items() if first[id(value)] == path}

    def parameters(self):
        """The Parameters, each once: a list, in the order of `named`."""
        return list(self.named(Parameter).values())

    def zero_grad(self):
        """Forgets the gradient of every parameter."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def train(self, mode=True):
        """Sets training, here and in all parts. Returns self."""
        self.training = mode
        for part in self.parts().values():
            part.train(mode)
        return self

    def eval(self):
        """train(False): dropout lets everything through, batch norm uses its running statistics."""
        return self.train(False)

    def state_dict(self):
        """All that has been learned and kept: path -> a copy of the array, parameters first, then buffers."""
        return {path: array.copy() for path, array in self._arrays().items()}

    def load_state_dict(self, state):
        """Takes over a state dict: the arrays are copied into those that are here, which stay the same objects.

        KeyError where a name is missing or unknown, ValueError where a shape differs, TypeError where a kind of number does
        (floats do not go into a buffer of integers); then nothing has changed.
        """
        arrays, given = self._arrays(), {}
        if arrays.keys() != state.keys():
            missing, unknown = sorted(arrays.keys() - state.keys()), sorted(state.keys() - arrays.keys())
            raise KeyError(f"the state dict does not fit: missing {missing}, unknown {unknown}")
        for path, array in arrays.items():
            value = np.asarray(state[path])
            if value.shape != array.shape:
                raise ValueError(f"{path} has shape {array.shape} here, and {value.shape} in the state dict")
            given[path] = value.astype(array.dtype, casting="same_kind")  # a copy: all are made before one is written
        for path, array in arrays.items():
            np.copyto(array, given[path])

    def _owned(self):
        """Pairs of a name and what it stands for: the attributes, and the entries of lists and tuples as "name.0"."""
        for name, value in vars(self).items():
            if isinstance(value, list | tuple):
                yield from ((f"{name}.{i}", entry) for i, entry in enumerate(value))
            else:
                yield name, value

    def _arrays(self):
        """path -> the array itself, of parameters and then of buffers."""
        learned = {path: parameter.data for path, parameter in self.named(Parameter).items()}
        return learned | self.named(np.ndarray)


class Sequential(Module):
    """Modules one after the other. Their names are "0", "1", ...: as parts they are attributes of this one."""

    def __init__(self, *modules):
        """modules: each takes what the one before returns. TypeError for what is no Module, which would be left out in silence."""
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(f"entry {i} is no Module, but a {type(module).__name__}")
            setattr(self, str(i), module)

    def forward(self, x):
        """x through all of them."""
        for module in self.parts().values():
            x = module(x)
        return x


class Linear(Module):
    """x (..., n_in) -> xW + b (..., n_out).

    weight: Parameter (n_in, n_out), drawn normal with variance 2 / n_in. bias: Parameter (n_out,), zeros; or None.
    generator: a numpy.random.Generator. dtype: of both.
    """

    def __init__(self, n_in, n_out, generator, bias=True, dtype=np.float32):
        """Draws the weights."""
        self.weight = Parameter(_he(generator, (n_in, n_out), n_in, dtype))
        self.bias = Parameter(np.zeros(n_out, dtype)) if bias else None

    def forward(self, x):
        """x (..., n_in) -> (..., n_out)"""
        return x @ self.weight if self.bias is None else fused.affine(x, self.weight, self.bias)


class Conv2d(Module):
    """x (n, c_in, h, w) -> (n, c_out, h', w'): a convolution, see layers/conv.py.

    weight: Parameter (c_out, c_in // groups, kh, kw), drawn normal with variance 2 / (c_in // groups * kh * kw). bias: Parameter
    (c_out,), zeros; or None. size: of the kernel, a number or a pair.
    """

    def __init__(
        self, c_in, c_out, size, generator, stride=1, padding=0, dilation=1, groups=1, bias=True, dtype=np.float32
    ):
        """Draws the weights."""
        kh, kw = (size, size) if isinstance(size, int) else size
        shape = (c_out, c_in // groups, kh, kw)
        self.weight = Parameter(_he(generator, shape, math.prod(shape[1:]), dtype))
        self.bias = Parameter(np.zeros(c_out, dtype)) if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x):
        """x (n, c_in, h, w) -> (n, c_out, h', w')"""
        return fused.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class BatchNorm(Module):
    """x (n, c) or (n, c, ...) -> the same shape: every channel with mean 0 and variance 1, then scaled and shifted.

    gamma, beta: Parameters (c,), ones and zeros. running_mean, running_var: buffers (c,), zeros and ones, which follow the
    batches with the given momentum in training, and stand for them in evaluation. They are updated in place. See layers/norm.py.
    """

    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        """Nothing is drawn."""
        self.gamma, self.beta = Parameter(np.ones(channels, dtype)), Parameter(np.zeros(channels, dtype))
        self.running_mean, self.running_var = np.zeros(channels, dtype), np.ones(channels, dtype)
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        """x (n, c, ...) -> the same shape"""
        running = {"mean": self.running_mean, "var": self.running_var}
        return fused.batch_norm(x, self.gamma, self.beta, running, self.training, self.momentum, self.eps)


class Dropout(Module):
    """In training each entry is 0 with probability rate, and the others are divided by 1 - rate; in evaluation nothing happens.

    generator: a numpy.random.Generator. In training each call draws anew, and keeps an entry where generator.random(x.shape)
    is at least rate; in evaluation nothing is drawn.
    """

    def __init__(self, rate, generator):
        """Keeps both."""
        self.rate, self.generator = rate, generator

    def forward(self, x):
        """x of any shape -> the same shape"""
        return fused.dropout(x, self.rate, self.generator, self.training)


class ReLU(Module):
    """x where it is positive, else 0."""

    def forward(self, x):
        """x of any shape -> the same shape"""
        return x.relu()


class Flatten(Module):
    """x (n, ...) -> (n, all the rest)."""

    def forward(self, x):
        """x (n, ...) -> (n, d)"""
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class MaxPool2d(Module):
    """The largest pixel of every window: x (n, c, h, w) -> (n, c, h', w'). stride: size, unless given."""

    def __init__(self, size, stride=None, padding=0):
        """Keeps them."""
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, x):
        """x (n, c, h, w) -> (n, c, h', w')"""
        return fused.max_pool2d(x, self.size, self.stride, self.padding)


class Trainable:
    """A module and a loss, as the training loop (fit.py) and the optimisers want them: arrays in, arrays out.

    loss: a function (scores, y) -> Tensor of shape (). params: the arrays of module.parameters(), which optimisers change in
    place. buffers: the module's, likewise. generators: those that dropout draws from, which a checkpoint has to keep.

    X, of floats, goes into the module as a Tensor. X of integers goes in as it is: an embedding takes its ids so.
    """

    def __init__(self, module, loss):
        """Keeps both."""
        self.module, self.loss = module, loss
        self.params = [parameter.data for parameter in module.parameters()]
        self.buffers = list(module.named(np.ndarray).values())
        self.generators = list(module.named(np.random.Generator).values())

    def loss_and_grads(self, X, y):
        """X an array, y as the loss wants it -> the loss (float), the gradients as params, new arrays. The module is set to train.

        A parameter that the loss does not depend on has a gradient of zeros.
        """
        self.module.train().zero_grad()
        loss = self.loss(self.module(_entering(X)), y)
        loss.backward()
        parameters = self.module.parameters()
        return loss.item(), [np.zeros_like(p.data) if p.grad is None else p.grad for p in parameters]

    def predict(self, X):
        """X (n, ...) -> the class of the largest score (n,). The module is set to evaluate, and no graph is kept."""
        self.module.eval()
        with no_grad():
            return self.module(_entering(X)).data.argmax(axis=1)


def _entering(X):
    """What a module is given for an array."""
    X = np.asarray(X)
    return Tensor(X) if X.dtype.kind == "f" else X


def _he(generator, shape, fan_in, dtype):
    """Normal with variance 2 / fan_in, which relu halves again."""
    return (generator.standard_normal(shape) * math.sqrt(2 / fan_in)).astype(dtype)
