"""The engine against PyTorch on PyTorch's own samples of its operators (OpInfo), outputs and gradients.

OURS says how each of PyTorch's operators is called on the engine. A sample is compared in float64: every output, and
the gradient of every input under a fixed random upstream gradient. What the engine does not take is left out, by LeftOut
with a reason. The suite runs SELECTION; benchmarks/opinfo.py runs all of OURS.
"""

import inspect
import math
import operator
import warnings
from collections import Counter
from functools import reduce
from itertools import islice

import numpy as np
import pytest

from groundup.grad import arrange, ops
from groundup.grad.tensor import Tensor

TOLERANCE = 1e-9
NO_AXES = "an axis of an array without axes"
SELECTION = ["sigmoid", "pow", "maximum", "matmul", "einsum", "prod", "std", "logsumexp", "log_softmax", "cumprod"]
SELECTION += ["gather", "__getitem__", "cat", "nn.functional.pad.reflect"]


class LeftOut(Exception):
    """This sample asks for something that the engine does not do; the message says what."""


def only(condition, reason):
    if not condition:
        raise LeftOut(reason)


# ---- How PyTorch's operators are called on the engine. Arguments keep PyTorch's order; dim is axis, keepdim keepdims


def softplus(x, beta=1, threshold=20):
    return ops.where(x.data * beta > threshold, x, ops.softplus(x * beta) / beta)


def logit(x, eps=None):
    x = x if eps is None else ops.clip(x, eps, 1 - eps)
    return x.log() - ops.log1p(-x)


def clamp(x, low=None, high=None):
    x = x if low is None else ops.maximum(x, low)
    return x if high is None else ops.minimum(x, high)


def glu(x, axis=-1):
    a, b = chunk(x, 2, axis)
    return a * ops.sigmoid(b)


def matrix_power(x, n):
    only(n >= 0, "an inverse")
    y = arrange.broadcast_to(Tensor(np.eye(x.shape[-1])), x.shape)
    for _ in range(n):
        y = y @ x
    return y


def addmm(x, a, b, alpha=1, beta=1):
    return beta * x + alpha * (a @ b)


def bilinear(x, z, W, b=None):
    y = arrange.einsum("...i,kij,...j->...k", x, W, z)
    return y if b is None else y + b


def kron(a, b):
    return arrange.einsum("ij,kl->ikjl", a, b).reshape(a.shape[0] * b.shape[0], -1)


def inner(a, b):
    return a * b if a.ndim == 0 or b.ndim == 0 else a @ b.T


def tensordot(a, b, axis):
    left, right = axis if isinstance(axis, tuple) else (range(a.ndim - axis, a.ndim), range(axis))
    letters = "abcdefgh"[: a.ndim]
    others = list("stuvwxyz"[: b.ndim])
    for i, j in zip(left, right):
        others[j] = letters[i]
    return arrange.einsum(f"{letters},{''.join(others)}->{''.join(sorted({*letters} ^ {*others}))}", a, b)


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    only(dropout_p == 0, "dropout is random")
    only(not enable_gqa, "heads in groups")
    scores = q @ arrange.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    allowed = np.tril(np.ones(scores.shape[-2:], bool)) if is_causal else True
    if isinstance(attn_mask, Tensor):
        scores = scores + attn_mask
    elif attn_mask is not None:
        allowed = attn_mask
    return ops.softmax(ops.where(allowed, scores, -np.inf)) @ v


def variance(function, with_mean=False):
    def call(x, axis=None, unbiased=True, keepdims=False, correction=1):
        if isinstance(axis, bool):
            axis, unbiased = None, axis
        correction = 1 if correction is None else correction
        y = function(x, axis if axis != () else None, correction if unbiased else 0, keepdims)
        return (y, x.mean(axis, keepdims)) if with_mean else y

    return call


def vector_norm(x, ord=2, axis=None, keepdims=False):
    axis = tuple(axis) if isinstance(axis, list) else axis
    only(ord != 0 and not isinstance(ord, str), f"a norm of order {ord}")
    if ord == 2:
        return ops.norm(x, axis, keepdims)
    size = ops.absolute(x)
    if math.isinf(ord):
        return size.max(axis, keepdims) if ord > 0 else ops.amin(size, axis, keepdims)
    return (size**ord).sum(axis, keepdims) ** (1 / ord)


def normalize(x, p=2, axis=1, eps=1e-12):
    return x / ops.clip(vector_norm(x, p, axis, keepdims=True), eps)


def padded(mode):
    def call(x, widths, _=None, value=None):
        only(min(widths) >= 0, "a negative margin")
        pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[0::2], widths[1::2]))[::-1]
        return arrange.pad(x, pairs, mode, **({} if value is None else {"value": value}))

    return call


def constant_pad(x, widths, value=0.0):
    return padded("constant")(x, widths, None, value)


def gather(x, axis, index):
    only(index.ndim == x.ndim, "an index with other axes than x")
    near = x[tuple(slice(None) if i == axis % x.ndim else slice(n) for i, n in enumerate(index.shape))]
    return arrange.take_along_axis(near, index.astype(int), axis)


def take_along_dim(x, index, axis=None):
    return x.reshape(-1)[index.reshape(-1)] if axis is None else arrange.take_along_axis(x, index, axis)


def masked_select(x, mask):
    x_, mask = np.broadcast_arrays(x.data, mask)
    return arrange.broadcast_to(x, x_.shape)[mask]


def sort(x, axis=-1, descending=False, stable=False):
    only(x.ndim > 0, NO_AXES)
    return arrange.take_along_axis(x, np.argsort(-x.data if descending else x.data, axis), axis)


def topk(x, k, axis=-1, largest=True, sorted=True):
    y = sort(x, axis, largest)
    return y[tuple(slice(k) if i == axis % x.ndim else slice(None) for i in range(x.ndim))]


def select(x, axis, i):
    return arrange.unstack(x, axis)[i]


def slices(x, axis=0, start=None, end=None, step=1):
    return x[(slice(None),) * axis + (slice(start, end, step),)]


def narrow(x, axis, start, length):
    return x[(slice(None),) * (axis % x.ndim) + (slice(start, start + length),)]


def split(x, size, axis=0):
    return arrange.split(
        x, np.cumsum(size)[:-1] if isinstance(size, list | tuple) else range(size, x.shape[axis], size), axis
    )


def chunk(x, n, axis=0):
    return split(x, -(-x.shape[axis] // n), axis)


def tensor_split(x, where, axis=0):
    if not isinstance(where, int):
        return arrange.split(x, where, axis)
    sizes = [len(part) for part in np.array_split(np.arange(x.shape[axis]), where)]
    return split(x, tuple(sizes), axis)


def flatten(x, start_dim=0, end_dim=-1):
    return x.reshape(-1) if start_dim == 0 or x.ndim == 0 else x.reshape(*x.shape[:start_dim], -1)


def unflatten(x, axis, lengths):
    axis = axis % x.ndim
    return x.reshape(*x.shape[:axis], *lengths, *x.shape[axis + 1 :])


def expand(x, shape):
    front = len(shape) - x.ndim
    return arrange.broadcast_to(x, [x.shape[i - front] if n == -1 else n for i, n in enumerate(shape)])


def squeeze(x, axis=None):
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return arrange.squeeze(x, tuple(i for i in axes if x.shape[i] == 1))  # PyTorch passes over longer ones


def diagonal(x, offset=0, dim1=0, dim2=1):
    return arrange.arrange(x, lambda p: np.diagonal(p, offset, dim1, dim2))


def diag(x, offset=0):
    only(x.ndim == 2, "a matrix made from its diagonal")
    return diagonal(x, offset)


def repeat(x, times):
    return arrange.arrange(x, lambda p: np.tile(p, times))


def repeat_interleave(x, repeats, axis=None, output_size=None):
    return arrange.arrange(x, lambda p: np.repeat(p, repeats, axis))


def unfold(x, axis, size, step):
    def windows(p):
        return np.lib.stride_tricks.sliding_window_view(p, size, axis)[
            (slice(None),) * (axis % p.ndim) + (np.s_[::step],)
        ]

    return arrange.arrange(x, windows)


def cat(tensors, axis=0):
    only(len({t.ndim for t in tensors}) == 1, "an empty vector beside arrays with more axes")
    return arrange.concatenate(tensors, axis)


def column_stack(tensors):
    return arrange.concatenate([t if t.ndim > 1 else t.reshape(-1, 1) for t in tensors], 1)


def dstack(tensors):
    return arrange.concatenate([t[None, :, None] if t.ndim == 1 else t[:, :, None] for t in tensors], 2)


OURS = {
    # elementwise, of one
    "abs": ops.absolute,
    "neg": operator.neg,
    "exp": Tensor.exp,
    "exp2": lambda x: (x * math.log(2)).exp(),
    "expm1": ops.expm1,
    "log": Tensor.log,
    "log2": lambda x: x.log() / math.log(2),
    "log10": lambda x: x.log() / math.log(10),
    "log1p": ops.log1p,
    "sqrt": ops.sqrt,
    "rsqrt": lambda x: x**-0.5,
    "square": lambda x: x**2,
    "reciprocal": lambda x: x**-1,
    "sin": ops.sin,
    "cos": ops.cos,
    "tan": ops.tan,
    "atan": ops.arctan,
    "sinh": lambda x: (ops.expm1(x) - ops.expm1(-x)) / 2,
    "cosh": lambda x: (x.exp() + (-x).exp()) / 2,
    "tanh": Tensor.tanh,
    "erf": ops.erf,
    "erfc": lambda x: 1 - ops.erf(x),
    "sigmoid": ops.sigmoid,
    "logit": logit,
    "nn.functional.relu": Tensor.relu,
    "nn.functional.relu6": lambda x: ops.clip(x, 0, 6),
    "nn.functional.leaky_relu": ops.leaky_relu,
    "nn.functional.elu": ops.elu,
    "nn.functional.celu": ops.elu,
    "nn.functional.selu": lambda x: ops.elu(x, 1.6732632423543772) * 1.0507009873554805,
    "nn.functional.silu": ops.silu,
    "nn.functional.gelu": ops.gelu,
    "nn.functional.mish": lambda x: x * ops.softplus(x).tanh(),
    "nn.functional.softplus": softplus,
    "nn.functional.logsigmoid": lambda x: -ops.softplus(-x),
    "nn.functional.softsign": lambda x: x / (1 + ops.absolute(x)),
    "nn.functional.tanhshrink": lambda x: x - x.tanh(),
    "nn.functional.hardtanh": lambda x, min_val=-1, max_val=1: ops.clip(x, min_val, max_val),
    "nn.functional.glu": glu,
    # elementwise, of two or three
    "add": lambda a, b, alpha=1: a + alpha * b,
    "sub": lambda a, b, alpha=1: a - alpha * b,
    "rsub": lambda a, b, alpha=1: b - alpha * a,
    "mul": operator.mul,
    "div.no_rounding_mode": operator.truediv,
    "true_divide": operator.truediv,
    "__radd__": lambda a, b: b + a,
    "__rsub__": lambda a, b: b - a,
    "__rmul__": lambda a, b: b * a,
    "__rdiv__": lambda a, b: b / a,
    "pow": ops.power,
    "float_power": ops.power,
    "__rpow__": lambda a, b: ops.power(b, a),
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "max.binary": ops.maximum,
    "min.binary": ops.minimum,
    "clamp": clamp,
    "clamp_min": ops.maximum,
    "clamp_max": ops.minimum,
    "logaddexp": ops.logaddexp,
    "hypot": lambda a, b: ops.sqrt(a * a + b * b),
    "xlogy": lambda a, b: a * b.log(),
    "lerp": lambda a, b, w: a + w * (b - a),
    "addcmul": lambda x, a, b, value=1: x + value * a * b,
    "addcdiv": lambda x, a, b, value=1: x + value * a / b,
    "where": lambda a, condition, b: ops.where(condition, a, b),
    "masked_fill": lambda x, mask, value: ops.where(mask, value, x),
    # products
    "matmul": operator.matmul,
    "__rmatmul__": lambda a, b: b @ a,
    "mm": operator.matmul,
    "bmm": operator.matmul,
    "mv": operator.matmul,
    "dot": operator.matmul,
    "vdot": operator.matmul,
    "addmm": addmm,
    "addmm.decomposed": addmm,
    "addmv": addmm,
    "baddbmm": addmm,
    "addbmm": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * arrange.einsum("bij,bjk->ik", a, b),
    "addr": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * arrange.einsum("i,j->ij", a, b),
    "outer": lambda a, b: arrange.einsum("i,j->ij", a, b),
    "inner": inner,
    "kron": kron,
    "tensordot": tensordot,
    "einsum": lambda tensors, subscripts: arrange.einsum(subscripts, *tensors),
    "linalg.vecdot": lambda a, b, axis=-1: (a * b).sum(axis),
    "linalg.multi_dot": lambda tensors: reduce(operator.matmul, tensors),
    "linalg.matrix_power": matrix_power,
    "nn.functional.linear": lambda x, W, b=0.0: x @ W.T + b,
    "nn.functional.bilinear": bilinear,
    "nn.functional.scaled_dot_product_attention": attention,
    # reductions
    "sum": Tensor.sum,
    "mean": Tensor.mean,
    "prod": ops.prod,
    "amax": Tensor.max,
    "amin": ops.amin,
    "max.reduction_with_dim": Tensor.max,
    "max.reduction_no_dim": Tensor.max,
    "min.reduction_with_dim": ops.amin,
    "min.reduction_no_dim": ops.amin,
    "aminmax": lambda x, axis=None, keepdims=False: (ops.amin(x, axis, keepdims), x.max(axis, keepdims)),
    "var": variance(ops.var),
    "var.unbiased": variance(ops.var),
    "var_mean": variance(ops.var, with_mean=True),
    "std": variance(ops.std),
    "std.unbiased": variance(ops.std),
    "std_mean": variance(ops.std, with_mean=True),
    "norm": vector_norm,
    "norm.inf": vector_norm,
    "norm.fro": lambda x, p="fro", axis=None: vector_norm(x, 2, axis),
    "linalg.vector_norm": vector_norm,
    "nn.functional.normalize": normalize,
    "dist": lambda a, b, p=2: vector_norm(a - b, p),
    "trace": lambda x: diagonal(x).sum(),
    # softmax and along an axis
    "logsumexp": ops.logsumexp,
    "softmax": ops.softmax,
    "softmax.with_dtype": ops.softmax,
    "log_softmax": ops.log_softmax,
    "log_softmax.with_dtype": ops.log_softmax,
    "nn.functional.softmin": lambda x, axis: ops.softmax(-x, axis),
    "nn.functional.softmin.with_dtype": lambda x, axis: ops.softmax(-x, axis),
    "cumsum": ops.cumsum,
    "cumprod": ops.cumprod,
    # picking
    "__getitem__": Tensor.__getitem__,
    "select": select,
    "slice": slices,
    "narrow": narrow,
    "take": lambda x, index: x.reshape(-1)[index],
    "index_select": lambda x, axis, index: arrange.take(x, index, axis),
    "gather": gather,
    "take_along_dim": take_along_dim,
    "masked_select": masked_select,
    "nn.functional.embedding": lambda table, index: arrange.take(table, index),
    "sort": sort,
    "msort": lambda x: sort(x, 0),
    "topk": topk,
    # joining and splitting
    "cat": cat,
    "stack": arrange.stack,
    "hstack": lambda tensors: cat(tensors, 0 if tensors[0].ndim == 1 else 1),
    "vstack": lambda tensors: cat([t[None] if t.ndim == 1 else t for t in tensors]),
    "dstack": dstack,
    "column_stack": column_stack,
    "unbind": arrange.unstack,
    "split": split,
    "split.list_args": split,
    "split_with_sizes": split,
    "chunk": chunk,
    "tensor_split": tensor_split,
    "hsplit": lambda x, where: tensor_split(x, where, 0 if x.ndim == 1 else 1),
    "vsplit": tensor_split,
    "dsplit": lambda x, where: tensor_split(x, where, 2),
    # moving
    "reshape": Tensor.reshape,
    "reshape_as": lambda x, other: x.reshape(other.shape),
    "view": Tensor.reshape,
    "view_as": lambda x, other: x.reshape(other.shape),
    "ravel": lambda x: x.reshape(-1),
    "flatten": flatten,
    "unflatten": unflatten,
    "permute": Tensor.transpose,
    "transpose": lambda x, axis, other: arrange.swapaxes(x, axis, other),
    "T": lambda x: x.T,
    "t": lambda x: x.T,
    "mT": lambda x: arrange.swapaxes(x, -1, -2),
    "movedim": arrange.moveaxis,
    "squeeze": squeeze,
    "squeeze.multiple": squeeze,
    "unsqueeze": lambda x, place: arrange.expand_dims(x, place),
    "expand": expand,
    "expand_as": lambda x, other: arrange.broadcast_to(x, other.shape),
    "broadcast_to": arrange.broadcast_to,
    "repeat": repeat,
    "tile": repeat,
    "repeat_interleave": repeat_interleave,
    "flip": arrange.flip,
    "fliplr": lambda x: arrange.flip(x, 1),
    "flipud": lambda x: arrange.flip(x, 0),
    "roll": arrange.roll,
    "rot90": lambda x, k=1, axes=(0, 1): arrange.arrange(x, lambda p: np.rot90(p, k, axes)),
    "tril": arrange.tril,
    "triu": arrange.triu,
    "diagonal": diagonal,
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: diagonal(x, offset, dim1, dim2),
    "diag": diag,
    "unfold": unfold,
    "constant_pad_nd": constant_pad,
    "nn.functional.pad.constant": padded("constant"),
    "nn.functional.pad.reflect": padded("reflect"),
    "nn.functional.pad.replicate": padded("edge"),
    "nn.functional.pad.circular": padded("wrap"),
}


# ---- The comparison


def operators():
    """PyTorch's operators by name, a variant behind a dot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return {f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name: op for op in op_db}


def samples(op):
    """The samples of an operator, always the same."""
    import torch

    torch.manual_seed(0)
    yield from op.sample_inputs("cpu", torch.float64, requires_grad=True)


def compare(name, op, sample):
    """None where outputs and gradients are equal, else what differs. LeftOut where the engine does not take the sample."""
    import torch

    made = {}  # id of a tensor of the sample -> (that tensor, ours)
    args = ours_of((sample.input, *sample.args), made)
    words = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}
    kwargs = {words.get(k, k): ours_of(v, made) for k, v in sample.kwargs.items() if k != "dtype"}
    bound = inspect.signature(OURS[name]).bind(*args, **kwargs).arguments
    on_a_number = isinstance(args[0], Tensor) and args[0].ndim == 0 and bound.get("axis") not in (None, ())
    only(not on_a_number, NO_AXES)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = OURS[name](*args, **kwargs)
        theirs = op(sample.input, *sample.args, **sample.kwargs)
    ours = list(ours) if isinstance(ours, list | tuple) else [ours]
    theirs = [theirs] if isinstance(theirs, torch.Tensor) else [t for t in theirs if t.is_floating_point()]
    if len(ours) != len(theirs):
        return f"{len(ours)} outputs, not {len(theirs)}"
    rng = np.random.default_rng(0)
    upstream = [rng.standard_normal(t.shape) for t in theirs]
    for i, (y, t) in enumerate(zip(ours, theirs)):
        if problem := differs(y.data, t.detach().numpy()):
            return f"output {i}: {problem}"
    leaves = [(t, x) for t, x in made.values() if t.requires_grad]
    there = [(t, g) for t, g in zip(theirs, upstream) if t.requires_grad]
    wanted = torch.autograd.grad(
        [t for t, _ in there], [t for t, _ in leaves], [torch.tensor(g) for _, g in there], allow_unused=True
    )
    with np.errstate(all="ignore"):
        for y, g in zip(ours, upstream):
            if y.requires_grad:
                y.backward(g)
    for i, ((_, x), want) in enumerate(zip(leaves, wanted)):
        got, want = (np.zeros(x.shape) if g is None else np.asarray(g) for g in (x.grad, want))
        if problem := differs(got, want):
            return f"gradient {i}: {problem}"
    return None


def ours_of(value, made):
    """What the engine is given for an argument: a Tensor for a tensor of floats, and NumPy's for all else."""
    import torch

    if isinstance(value, torch.Tensor):
        if not value.is_floating_point():
            return value.item() if value.ndim == 0 and value.dtype != torch.bool else value.numpy()
        if id(value) not in made:
            made[id(value)] = value, Tensor(value.detach().numpy(), requires_grad=value.requires_grad)
        return made[id(value)][1]
    if isinstance(value, list | tuple):
        parts = [ours_of(v, made) for v in value]
        return parts if isinstance(value, list) else tuple(parts)
    return value


def differs(got, want):
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype} {got.shape}, not {want.dtype} {want.shape}"
    if not np.allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        return f"off by {np.nanmax(np.abs(got - want)):.1e}"
    return None


def test_outputs_and_gradients_on_pytorchs_samples_are_pytorchs():
    pytest.importorskip("torch")
    pytest.importorskip("expecttest")  # PyTorch's module of samples imports it
    theirs = operators()  # seconds, so all of SELECTION is one test
    compared = Counter()
    for name in SELECTION:
        for sample in islice(samples(theirs[name]), 8):
            try:
                problem = compare(name, theirs[name], sample)
            except LeftOut:
                continue
            assert problem is None, (name, problem, sample)
            compared[name] += 1
    assert {*compared} == {*SELECTION}
