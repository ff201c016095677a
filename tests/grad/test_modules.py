"""Modules against PyTorch's with the same weights: outputs, gradients of inputs and of weights, running statistics.

OURS says how each of PyTorch's modules is made of ours. `compare` runs the two side by side in float64. The suite has cases
of its own, and PyTorch's samples (ModuleInfo) of SELECTION; benchmarks/modules.py runs all of them. What our modules do not
take is left out, by LeftOut with a reason.
"""

import copy
import math
import warnings
from collections import Counter

import numpy as np
import pytest

from groundup.grad import arrange, losses, modules, nn
from groundup.grad.tensor import Tensor, no_grad

TOLERANCE = 1e-9
F64 = {"dtype": np.float64}
SELECTION = ["Linear", "Conv2d", "BatchNorm1d", "LayerNorm", "GroupNorm", "LSTM", "CrossEntropyLoss"]


class LeftOut(Exception):
    """This sample asks for something that our modules do not do; the message says what."""


def only(condition, reason):
    if not condition:
        raise LeftOut(reason)


# ---- How PyTorch's modules are made of ours. Each function takes PyTorch's module and returns a function of the inputs, our
# ---- module, and for its parameters those of PyTorch's that they are compared with: (Parameter, name, how it is laid out)


def rng():
    return np.random.default_rng(0)


def as_it_is(array):
    return array


def transposed(array):
    return array.T


def with_weights(theirs, module, pairs):
    """Pairs with those that PyTorch's module does not have left out; the others are given its values."""
    own = dict(theirs.named_parameters())
    kept = [(parameter, name, laid) for parameter, name, laid in pairs if name in own]
    for parameter, name, laid in kept:
        parameter.data[...] = laid(own[name].detach().numpy())
    return module, kept


def batched(module, ndim):
    """The module for an input that may come without a batch."""

    def call(x):
        return module(x) if x.ndim == ndim else module(x.reshape(1, *x.shape))[0]

    return call


def linear(theirs):
    module = nn.Linear(theirs.in_features, theirs.out_features, rng(), theirs.bias is not None, **F64)
    return module, *with_weights(
        theirs, module, [(module.weight, "weight", transposed), (module.bias, "bias", as_it_is)]
    )


def conv2d(theirs):
    only(theirs.padding_mode == "zeros", "a padding of other pixels")
    padding = theirs.padding
    if isinstance(padding, str):
        spans = [d * (k - 1) for d, k in zip(theirs.dilation, theirs.kernel_size)]
        only(padding == "valid" or not any(span % 2 for span in spans), "more padding on one side")
        padding = tuple(span // 2 if padding == "same" else 0 for span in spans)
    options = {"stride": theirs.stride, "padding": padding, "dilation": theirs.dilation, "groups": theirs.groups}
    biased = theirs.bias is not None
    module = nn.Conv2d(
        theirs.in_channels, theirs.out_channels, theirs.kernel_size, rng(), bias=biased, **options, **F64
    )
    pairs = [(module.weight, "weight", as_it_is), (module.bias, "bias", as_it_is)]
    return batched(module, 4), *with_weights(theirs, module, pairs)


def batch_norm(theirs):
    only(theirs.momentum is not None, "a running average of all batches")
    only(theirs.track_running_stats, "no running statistics")
    module = nn.BatchNorm(theirs.num_features, theirs.momentum, theirs.eps, **F64)
    module.running_mean[...], module.running_var[...] = theirs.running_mean, theirs.running_var

    def call(x):
        only(x.size or not module.training, "a batch of none")
        return module(x)

    return call, *with_weights(theirs, module, affine_pairs(module))


def affine_pairs(module, laid=as_it_is):
    return [(module.gamma, "weight", laid), (module.beta, "bias", laid)]


def layer_norm(theirs):
    width, axes = math.prod(theirs.normalized_shape), len(theirs.normalized_shape)
    module = modules.LayerNorm(width, theirs.eps, **F64)

    def call(x):
        return module(x.reshape(*x.shape[: x.ndim - axes], width)).reshape(x.shape)

    return call, *with_weights(theirs, module, affine_pairs(module, np.ravel))


def group_norm(theirs):
    module = modules.GroupNorm(theirs.num_groups, theirs.num_channels, theirs.eps, **F64)
    return module, *with_weights(theirs, module, affine_pairs(module))


def embedding(theirs):
    only(theirs.padding_idx is None and theirs.max_norm is None, "rows of a kind of their own")
    module = modules.Embedding(theirs.num_embeddings, theirs.embedding_dim, rng(), **F64)
    return module, *with_weights(theirs, module, [(module.table, "weight", as_it_is)])


def max_pool(theirs):
    only(not theirs.return_indices, "indices as well")
    only(not theirs.ceil_mode and theirs.dilation == 1, "windows that reach out, or with gaps")
    module = nn.MaxPool2d(theirs.kernel_size, theirs.stride, theirs.padding)
    return batched(module, 4), module, []


def recurrent(theirs):
    """Layers one on the other, each perhaps beside one that reads backwards: made of single layers of ours."""
    only(getattr(theirs, "nonlinearity", "tanh") == "tanh", "a relu in the recurrence")
    only(not getattr(theirs, "proj_size", 0), "a projection of the state")
    kind = {"RNN": modules.RNN, "LSTM": modules.LSTM, "GRU": modules.GRU}[type(theirs).__name__]
    directions = 2 if theirs.bidirectional else 1
    whole, pairs, suffixes, width = nn.Module(), [], [], theirs.input_size
    whole.layers = []
    for layer in range(theirs.num_layers):
        for suffix in (f"_l{layer}", f"_l{layer}_reverse")[:directions]:
            one = kind(width, theirs.hidden_size, rng(), **F64)
            pairs += [(one.Wx, f"weight_ih{suffix}", transposed), (one.Wh, f"weight_hh{suffix}", transposed)]
            pairs += [(one.b, f"bias_ih{suffix}", as_it_is)]
            pairs += [(one.bh, f"bias_hh{suffix}", as_it_is)] if kind is modules.GRU else []
            whole.layers.append(one)
            suffixes.append(suffix)
        width = directions * theirs.hidden_size
    for parameter in whole.parameters():
        parameter.data[...] = 0
    module, pairs = with_weights(theirs, whole, pairs)
    for one, suffix in zip(whole.layers, suffixes):
        if (
            kind is not modules.GRU and theirs.bias
        ):  # two biases that are added: one of ours, with the gradient of either
            one.b.data[...] += dict(theirs.named_parameters())[f"bias_hh{suffix}"].detach().numpy()

    def call(x):
        swapped = x.ndim == 3 and not theirs.batch_first
        h = x.reshape(1, *x.shape) if x.ndim == 2 else x.transpose(1, 0, 2) if swapped else x  # (n, t, d)
        for layer in range(theirs.num_layers):
            there, *back = whole.layers[layer * directions : (layer + 1) * directions]
            both = [there(h), *(arrange.flip(one(arrange.flip(h, 1)), 1) for one in back)]
            h = arrange.concatenate(both, -1)
        return h[0] if x.ndim == 2 else h.transpose(1, 0, 2) if swapped else h

    return call, module, pairs


def attention(theirs):
    only(
        theirs.in_proj_weight is not None and theirs.bias_k is None, "keys and values of another width, or more of them"
    )
    only(not theirs.add_zero_attn and theirs.dropout == 0, "a place that is empty, or dropout")
    module = modules.MultiHeadAttention(theirs.embed_dim, theirs.num_heads, rng(), **F64)
    pairs = [
        (module.inward.weight, "in_proj_weight", transposed),
        (module.inward.bias, "in_proj_bias", as_it_is),
        (module.outward.weight, "out_proj.weight", transposed),
        (module.outward.bias, "out_proj.bias", as_it_is),
    ]

    def call(q, k, v, key_padding_mask=None, attn_mask=None, need_weights=True, is_causal=False):
        only(q is k and k is v and q.ndim == 3, "other keys than queries, or no batch")
        only(key_padding_mask is None and (attn_mask is None or is_causal), "a mask of one's own")
        module.causal = is_causal
        y = module(q if theirs.batch_first else q.transpose(1, 0, 2))
        return y if theirs.batch_first else y.transpose(1, 0, 2)

    return call, *with_weights(theirs, module, pairs)


def loss(function):
    def make(theirs):
        only(theirs.reduction == "mean", "a loss that is no mean")
        only(
            getattr(theirs, "weight", None) is None and getattr(theirs, "pos_weight", None) is None,
            "weights of entries",
        )
        options = {"delta": theirs.delta} if function is losses.huber else {}
        return lambda output, target: function(output, target, **options), nn.Module(), []

    return make


def cross_entropy(theirs):
    only(theirs.reduction == "mean", "a loss that is no mean")
    only(theirs.ignore_index < 0, "labels to be ignored")
    options = {"smoothing": theirs.label_smoothing, "weights": None if theirs.weight is None else theirs.weight.numpy()}

    def call(scores, labels):
        only(not isinstance(labels, Tensor), "probabilities as labels")
        if scores.ndim == 1:
            return losses.cross_entropy(scores.reshape(1, -1), np.reshape(labels, 1), **options)
        last = arrange.moveaxis(scores, 1, -1)  # (n, ..., k)
        return losses.cross_entropy(last.reshape(-1, scores.shape[1]), np.ravel(labels), **options)

    return call, nn.Module(), []


def plain(make):
    def build(theirs):
        module = make(theirs)
        return module, module, []

    return build


OURS = {
    "Linear": linear,
    "Conv2d": conv2d,
    "BatchNorm1d": batch_norm,
    "BatchNorm2d": batch_norm,
    "LayerNorm": layer_norm,
    "GroupNorm": group_norm,
    "Embedding": embedding,
    "MaxPool2d": max_pool,
    "ReLU": plain(lambda theirs: nn.ReLU()),
    "Tanh": plain(lambda theirs: modules.Tanh()),
    "Sigmoid": plain(lambda theirs: modules.Sigmoid()),
    "GELU": plain(lambda theirs: modules.GELU(theirs.approximate)),
    "Flatten": plain(lambda theirs: nn.Flatten()),
    "Dropout": plain(lambda theirs: nn.Dropout(theirs.p, rng())),  # in evaluation only
    "RNN": recurrent,
    "LSTM": recurrent,
    "GRU": recurrent,
    "MultiheadAttention": attention,
    "MSELoss": loss(losses.mean_squared_error),
    "L1Loss": loss(losses.mean_absolute_error),
    "HuberLoss": loss(losses.huber),
    "BCEWithLogitsLoss": loss(losses.binary_cross_entropy),
    "CrossEntropyLoss": cross_entropy,
}


# ---- The comparison


def compare(theirs, inputs, named=None, training=True):
    """None where PyTorch's module and ours agree on the inputs, else what differs. LeftOut where ours does not take them.

    The weights are drawn anew, so that no norm is put to the test with ones and zeros. theirs is not changed.
    """
    import torch

    theirs, name, named = copy.deepcopy(theirs).train(training), type(theirs).__name__, dict(named or {})
    inputs = [*inputs, named.pop("input")] if "input" in named else inputs
    only(name not in ("RNN", "LSTM", "GRU") or len(inputs) == 1, "a first state")
    with torch.no_grad():
        for i, parameter in enumerate(theirs.parameters()):
            parameter.copy_(torch.tensor(np.random.default_rng(i).uniform(-1, 1, parameter.shape)))
    call, module, pairs = OURS[name](theirs)
    module.train(training)
    leaves = {}  # id of a tensor that requires a gradient -> a leaf of PyTorch's, and ours
    expected = theirs(*(_there(x, leaves) for x in inputs), **named)
    expected = expected[0] if isinstance(expected, tuple) else expected
    y = call(*(_here(x, leaves) for x in inputs), **named)
    if problem := _differs(y.data, expected.detach().numpy()):
        return f"the output: {problem}"
    upstream = np.asarray(np.random.default_rng(9).standard_normal(y.shape))
    own = dict(theirs.named_parameters())
    asked = [(f"input {i}", there, here, as_it_is) for i, (there, here) in enumerate(leaves.values())]
    asked += [(key, own[key], parameter, laid) for parameter, key, laid in pairs]
    wanted = [there for _, there, _, _ in asked]
    grads = torch.autograd.grad(expected, wanted, torch.tensor(upstream), allow_unused=True, materialize_grads=True)
    y.backward(upstream)
    for (what, _, here, laid), grad in zip(asked, grads):
        got = np.zeros(here.shape) if here.grad is None else here.grad
        if problem := _differs(got, laid(grad.numpy())):
            return f"the gradient of {what}: {problem}"
    for what, buffer in module.named(np.ndarray).items():
        if problem := _differs(buffer, getattr(theirs, what).numpy()):
            return f"{what}: {problem}"
    return None


def _there(x, leaves):
    """A tensor of PyTorch's for an input; a leaf of its own where it requires a gradient."""
    import torch

    if not isinstance(x, torch.Tensor) or not x.requires_grad:
        return x
    if id(x) not in leaves:
        leaf = x.detach().clone().requires_grad_()
        leaves[id(x)] = leaf, Tensor(leaf.detach().numpy().copy(), requires_grad=True)
    return leaves[id(x)][0]


def _here(x, leaves):
    """What our module is given: the Tensor of a leaf, a Tensor for floats, an array for all else."""
    import torch

    if id(x) in leaves:
        return leaves[id(x)][1]
    if isinstance(x, torch.Tensor):
        return Tensor(x.numpy()) if x.is_floating_point() else x.numpy()
    return x


def _differs(got, want):
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype} {got.shape}, not {want.dtype} {want.shape}"
    if not np.allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        return f"off by {np.nanmax(np.abs(got - want)):.1e}"
    return None


def infos():
    """PyTorch's modules that ours are compared with, and their samples: name -> ModuleInfo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_modules import module_db
    return {info.module_cls.__name__: info for info in module_db if info.module_cls.__name__ in OURS}


def samples(info, training):
    """PyTorch's module with its inputs, for each sample: always the same."""
    import torch

    torch.manual_seed(0)
    given = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
    for sample in given:
        made, inputs = sample.constructor_input, sample.forward_input
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = info.module_cls(*made.args, **made.kwargs).to(torch.float64)
        yield theirs, inputs.args, inputs.kwargs


# ---- What the suite runs


def torch_or_skip():
    return pytest.importorskip("torch", reason="torch is an extra, and is not installed here")


def cases():
    """Of PyTorch's modules in float64, and their inputs."""
    torch = torch_or_skip()
    n, f64 = torch.nn, {"dtype": torch.float64}
    torch.manual_seed(0)

    def x(*shape):
        return torch.randn(*shape, **f64, requires_grad=True)

    batch_first = {"batch_first": True, **f64}
    look = x(3, 6, 8)
    ids, labels = torch.randint(0, 5, (3, 4)), torch.randint(0, 4, (6,))
    return {
        "LayerNorm": (n.LayerNorm(5, **f64), [x(2, 3, 5)]),
        "LayerNorm of one row": (n.LayerNorm(5, eps=1e-2, **f64), [x(5)]),
        "GroupNorm": (n.GroupNorm(2, 6, **f64), [x(3, 6, 4, 5)]),
        "GroupNorm of rows": (n.GroupNorm(3, 6, eps=1e-3, **f64), [x(4, 6)]),
        "Embedding": (n.Embedding(5, 3, **f64), [ids]),
        "Embedding of one": (n.Embedding(5, 3, **f64), [torch.tensor(2)]),
        "RNN": (n.RNN(3, 4, **batch_first), [x(2, 5, 3)]),
        "RNN without biases": (n.RNN(3, 4, bias=False, **batch_first), [x(2, 5, 3)]),
        "LSTM": (n.LSTM(3, 4, **batch_first), [x(2, 5, 3)]),
        "LSTM of one step": (n.LSTM(3, 4, **batch_first), [x(1, 1, 3)]),
        "LSTM in both directions": (n.LSTM(3, 4, num_layers=2, bidirectional=True, **f64), [x(5, 2, 3)]),
        "GRU": (n.GRU(3, 4, **batch_first), [x(2, 5, 3)]),
        "GRU on a GRU": (n.GRU(3, 4, num_layers=2, **batch_first), [x(2, 5, 3)]),
        "attention": (n.MultiheadAttention(8, 2, **batch_first), [look] * 3),
        "attention of one head": (n.MultiheadAttention(8, 1, **batch_first), [look] * 3),
        "causal attention": (
            n.MultiheadAttention(8, 4, **batch_first),
            [look] * 3,
            {"attn_mask": torch.triu(torch.ones(6, 6, dtype=torch.bool), 1), "is_causal": True, "need_weights": False},
        ),
        "GELU": (n.GELU(), [x(3, 4)]),
        "GELU by tanh": (n.GELU("tanh"), [x(3, 4)]),
        "Sigmoid": (n.Sigmoid(), [x(3, 4)]),
        "Tanh": (n.Tanh(), [x(3, 4)]),
        "Flatten": (n.Flatten(), [x(3, 2, 2)]),
        "CrossEntropyLoss": (n.CrossEntropyLoss(torch.tensor([1.0, 2.0, 3.0, 4.0], **f64), label_smoothing=0.1), [x(6, 4), labels]),
    }  # fmt: skip


CASES = [
    "LayerNorm", "LayerNorm of one row", "GroupNorm", "GroupNorm of rows", "Embedding", "Embedding of one", "RNN",
    "RNN without biases", "LSTM", "LSTM of one step", "LSTM in both directions", "GRU", "GRU on a GRU", "attention",
    "attention of one head", "causal attention", "GELU", "GELU by tanh", "Sigmoid", "Tanh", "Flatten", "CrossEntropyLoss",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_with_the_same_weights_a_module_says_what_pytorchs_says(name):
    assert compare(*cases()[name]) is None


def test_every_case_is_run():
    assert list(cases()) == CASES


def test_on_pytorchs_own_samples_outputs_and_gradients_are_pytorchs():
    torch_or_skip()
    pytest.importorskip("expecttest")  # PyTorch's module of samples imports it
    theirs, compared = infos(), Counter()  # seconds, so all of SELECTION is one test
    for name in SELECTION:
        for training in (True, False):
            for made, inputs, named in samples(theirs[name], training):
                try:
                    problem = compare(made, inputs, named, training)
                except LeftOut:
                    continue
                assert problem is None, (name, problem, made)
                compared[name] += 1
    assert {*compared} == {*SELECTION}


def test_a_difference_is_seen():
    torch = torch_or_skip()
    theirs, x = torch.nn.GELU("tanh"), torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert compare(theirs, [x]) is None
    theirs.approximate = "none"
    other = {"tanh": "none", "none": "tanh"}
    wrong = plain(lambda theirs: modules.GELU(other[theirs.approximate]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OURS, "GELU", wrong)
        assert "the output: off by" in compare(theirs, [x])


# ---- Besides


def test_recurrent_layers_begin_as_pytorchs_do():
    for kind, gates in ((modules.RNN, 1), (modules.LSTM, 4), (modules.GRU, 3)):
        module = kind(30, 25, rng())
        assert module.Wx.shape == (30, gates * 25) and module.Wh.shape == (25, gates * 25)
        for parameter in module.parameters():
            assert parameter.dtype == np.float32
            assert np.abs(parameter.data).max() <= 1 / 5 + 1e-6
        assert abs(np.var(module.Wx.data) * 3 * 25 - 1) < 0.2  # of a uniform number between -b and b: b^2 / 3


def test_a_causal_look_does_not_see_what_comes_after():
    module = modules.MultiHeadAttention(6, 3, rng(), causal=True, **F64)
    x = np.random.default_rng(1).standard_normal((2, 5, 6))
    with no_grad():
        before = module(Tensor(x)).data
        x[:, 3:] = 7
        after = module(Tensor(x)).data
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).all()


def test_heads_have_to_divide_the_width():
    with pytest.raises(ValueError, match="4 heads do not divide a width of 6"):
        modules.MultiHeadAttention(6, 4, rng())


@pytest.mark.parametrize(
    ("make", "paths"),
    [
        (lambda: modules.LayerNorm(2), ["gamma", "beta"]),
        (lambda: modules.GroupNorm(1, 2), ["gamma", "beta"]),
        (lambda: modules.Embedding(2, 2, rng()), ["table"]),
        (lambda: modules.LSTM(2, 2, rng()), ["Wx", "Wh", "b"]),
        (lambda: modules.GRU(2, 2, rng()), ["Wx", "Wh", "b", "bh"]),
        (lambda: modules.MultiHeadAttention(2, 1, rng()), ["inward.weight", "inward.bias", "outward.weight", "outward.bias"]),
    ],
)  # fmt: skip
def test_what_is_learned_is_found_in_this_order(make, paths):
    assert list(make().state_dict()) == paths
