"""What is asked of lesson 3.7: recurrent layers and attention that equal PyTorch's in float64, and a captioner that works."""

import numpy as np

from groundup.course import checkpoint

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def printed(x):
    return np.array2string(np.asarray(x), separator=", ")


def shapes_of(arrays):
    return "\n".join(f"{name} = {printed(x)}  # {np.shape(x)}" for name, x in arrays.items() if np.ndim(x))


# ------------------------------------------------------------------------------------------------------ by PyTorch


def net_in_torch(kind, Wx, Wh, b, bh=None):
    """PyTorch's layer with our weights, which are its weights transposed. Its second bias is 0 where we have one."""
    import torch

    net = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](
        *Wx.shape[:1], len(Wh), batch_first=True
    )
    given = (Wx.T, Wh.T, b, np.zeros_like(b) if bh is None else bh)
    for parameter, value in zip(net.parameters(), given):
        parameter.data = torch.tensor(value)
    return net


def leaf(x):
    import torch

    return torch.tensor(x, requires_grad=True)


def sequence_in_torch(kind, arrays, dh, dc=None):
    """States after every step, the last cell, and the gradients in the order of our backward."""
    import torch

    x, h0 = leaf(arrays["x"]), leaf(arrays["h0"])
    net = net_in_torch(kind, *(arrays[name] for name in ("Wx", "Wh", "b", "bh") if name in arrays))
    if kind == "lstm":
        c0 = leaf(arrays["c0"])
        h, (_, c) = net(x, (h0[None], c0[None]))
        outside = [torch.tensor(dh), torch.zeros_like(c) if dc is None else torch.tensor(dc)[None]]
        torch.autograd.backward([h, c], outside)
        states = [h0.grad.numpy(), c0.grad.numpy()]
    else:
        h, _ = net(x, h0[None])
        h.backward(torch.tensor(dh))
        states = [h0.grad.numpy()]
    Wx, Wh, b, bh = (parameter.grad.numpy() for parameter in net.parameters())
    biases = [b, bh] if kind == "gru" else [b]
    cell = c[0].detach().numpy() if kind == "lstm" else None
    return h.detach().numpy(), cell, [x.grad.numpy(), *states, Wx.T, Wh.T, *biases]


def draw_sequence(draw, kind):
    """The arrays of a layer's forward."""
    n, t, m = draw.integer(1, 3), draw.integer(1, 6), draw.integer(1, 3)
    d = m if draw.boolean(0.4) else draw.integer(1, 3)
    return sequence(kind, n, t, d, m, draw.normal)


def sequence(kind, n, t, d, m, numbers):
    k = GATES[kind]
    arrays = {"x": numbers(n, t, d), "h0": numbers(n, m)}
    if kind == "lstm":
        arrays["c0"] = numbers(n, m)
    arrays |= {"Wx": numbers(d, k * m), "Wh": numbers(m, k * m), "b": numbers(k * m)}
    if kind == "gru":
        arrays["bh"] = numbers(k * m)
    return arrays


def sequence_edges(kind):
    """The smallest; oblong and square; longer than any chunk; and one in which every gate is shut or open for good."""
    rng = np.random.default_rng(0)

    def round_numbers(*shape):
        return rng.integers(-4, 5, shape) / 4

    sizes = [(1, 1, 1, 1), (1, 2, 1, 1), (2, 3, 2, 2), (2, 2, 3, 1), (1, 12, 1, 2)]
    cases = [sequence(kind, *size, round_numbers) for size in sizes]
    extreme = sequence(kind, 2, 3, 2, 2, round_numbers)
    return [*cases, {**extreme, "x": 2000.0 * rng.choice([-1.0, 1.0], (2, 3, 2))}]


def outside(arrays, rng):
    """Gradients that come from outside: to all states, to the first alone, to the last alone."""
    n, t, _ = arrays["x"].shape
    dh = rng.integers(-4, 5, (n, t, arrays["h0"].shape[1])) / 2
    first, last = np.zeros_like(dh), np.zeros_like(dh)
    first[:, 0], last[:, -1] = 1.0, 1.0
    return [dh, first, last]


# ------------------------------------------------------------------------------------------------------- embedding


@checkpoint("Rows are looked up, and a row that is looked up twice has both gradients", atol=1e-12, count=10, seconds=6)
def embedding(lib, ids, table, dy):
    layer = lib.grad.layers.recurrent
    y, cache = layer.embedding_forward(ids, table)
    return {"y": y, "dtable": layer.embedding_backward(dy, cache)}


@embedding.cases
def _(draw):
    v, d = draw.integer(1, 5), draw.integer(1, 3)
    ids = draw.integers(0, v - 1, *draw.shape((1, 2), (1, 4)))
    return dict(ids=ids, table=draw.normal(v, d), dy=draw.normal(*ids.shape, d))


@embedding.edges
def _():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    twice = np.array([1, 0, 1])
    return [
        dict(ids=np.array([2]), table=table, dy=np.array([[1.0, -1.0]])),
        dict(ids=twice, table=table, dy=np.array([[1.0, 0.0], [5.0, 5.0], [2.0, 3.0]])),
        dict(ids=np.array([[2, 2], [2, 2]]), table=table, dy=np.ones((2, 2, 2))),
    ]


@embedding.oracle
def _(ids, table, dy):
    import torch

    rows = leaf(table)
    y = torch.nn.functional.embedding(torch.tensor(ids), rows)
    y.backward(torch.tensor(dy))
    return {"y": y.detach().numpy(), "dtable": rows.grad.numpy()}


# ------------------------------------------------------------------------------------------------- a tanh network


@checkpoint("One step of the tanh network, forward and back, equals PyTorch's", atol=1e-10, count=10, seconds=6)
def rnn_step(lib, x, h, Wx, Wh, b, dh):
    layer = lib.grad.layers.recurrent
    after, cache = layer.rnn_step_forward(x, h, Wx, Wh, b)
    return {"after": after, "gradients": list(layer.rnn_step_backward(dh, cache))}


@rnn_step.cases
def _(draw):
    n, d, m = draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)
    return dict(
        x=draw.normal(n, d),
        h=draw.normal(n, m),
        Wx=draw.normal(d, m),
        Wh=draw.normal(m, m),
        b=draw.normal(m),
        dh=draw.normal(n, m),
    )


@rnn_step.edges
def _():
    one = np.array([[1.0]])
    W = np.array([[0.0, 1.0], [0.5, 0.0]])
    square = dict(x=W - 1, h=W, Wx=W, Wh=W + 0.25, b=np.array([0.0, -0.5]), dh=np.array([[1.0, 0.0], [2.0, -1.0]]))
    return [dict(x=0 * one, h=one, Wx=one, Wh=one / 2, b=np.zeros(1), dh=one), square]


@rnn_step.oracle
def _(x, h, Wx, Wh, b, dh):
    import torch

    leaves = [leaf(a) for a in (x, h, Wx, Wh, b)]
    x, h, Wx, Wh, b = leaves
    after = torch.tanh(x @ Wx + h @ Wh + b)
    after.backward(torch.tensor(dh))
    return {"after": after.detach().numpy(), "gradients": [a.grad.numpy() for a in leaves]}


@checkpoint(
    "All steps of the tanh network, and the gradients of everything through time", atol=1e-10, count=10, seconds=6
)
def rnn(lib, x, h0, Wx, Wh, b, dh):
    layer = lib.grad.layers.recurrent
    h, cache = layer.rnn_forward(x, h0, Wx, Wh, b)
    once, again = layer.rnn_backward(dh, cache), layer.rnn_backward(dh, cache)
    return {"h": h, "gradients": list(once), "a second time": list(again)}


@rnn.cases
def _(draw):
    arrays = draw_sequence(draw, "rnn")
    return arrays | {"dh": draw.normal(*arrays["x"].shape[:2], arrays["h0"].shape[1])}


@rnn.edges
def _():
    rng = np.random.default_rng(1)
    return [arrays | {"dh": dh} for arrays in sequence_edges("rnn") for dh in outside(arrays, rng)]


@rnn.oracle
def _(dh, **arrays):
    h, _, gradients = sequence_in_torch("rnn", arrays, dh)
    return {"h": h, "gradients": gradients, "a second time": gradients}


# ----------------------------------------------------------------------------------------------------- LSTM and GRU


@checkpoint("States and last cell of the LSTM equal PyTorch's", atol=1e-10, count=10, seconds=6)
def lstm_states(lib, x, h0, c0, Wx, Wh, b):
    (h, c), _ = lib.grad.layers.recurrent.lstm_forward(x, h0, c0, Wx, Wh, b)
    return {"h": h, "c": c}


@lstm_states.cases
def _(draw):
    return draw_sequence(draw, "lstm")


@lstm_states.edges
def _():
    return sequence_edges("lstm")


@lstm_states.oracle
def _(**arrays):
    h, c, _ = sequence_in_torch("lstm", arrays, np.zeros((*arrays["x"].shape[:2], arrays["h0"].shape[1])))
    return {"h": h, "c": c}


@checkpoint(
    "Gradients through the LSTM, those of both first states and of the last cell", atol=1e-10, count=10, seconds=6
)
def lstm_gradients(lib, x, h0, c0, Wx, Wh, b, dh, dc):
    layer = lib.grad.layers.recurrent
    _, cache = layer.lstm_forward(x, h0, c0, Wx, Wh, b)
    once, again = layer.lstm_backward(dh, cache, dc), layer.lstm_backward(dh, cache, dc)
    return {"gradients": list(once), "a second time": list(again)}


@lstm_gradients.cases
def _(draw):
    arrays = draw_sequence(draw, "lstm")
    n, m = arrays["h0"].shape
    dc = draw.normal(n, m) if draw.boolean(0.6) else None
    return arrays | {"dh": draw.normal(n, arrays["x"].shape[1], m), "dc": dc}


@lstm_gradients.edges
def _():
    rng = np.random.default_rng(2)
    cases = []
    for arrays in sequence_edges("lstm"):
        for dh in outside(arrays, rng):
            cases.append(arrays | {"dh": dh, "dc": None})
        cases.append(arrays | {"dh": np.zeros_like(dh), "dc": np.ones_like(arrays["c0"])})
    return cases


@lstm_gradients.oracle
def _(dh, dc, **arrays):
    _, _, gradients = sequence_in_torch("lstm", arrays, dh, dc)
    return {"gradients": gradients, "a second time": gradients}


@checkpoint("States of the GRU equal PyTorch's", atol=1e-10, count=10, seconds=6)
def gru_states(lib, x, h0, Wx, Wh, b, bh):
    h, _ = lib.grad.layers.recurrent.gru_forward(x, h0, Wx, Wh, b, bh)
    return h


@gru_states.cases
def _(draw):
    return draw_sequence(draw, "gru")


@gru_states.edges
def _():
    return sequence_edges("gru")


@gru_states.oracle
def _(**arrays):
    return sequence_in_torch("gru", arrays, np.zeros((*arrays["x"].shape[:2], arrays["h0"].shape[1])))[0]


@checkpoint("Gradients through the GRU, each bias by itself", atol=1e-10, count=10, seconds=6)
def gru_gradients(lib, x, h0, Wx, Wh, b, bh, dh):
    layer = lib.grad.layers.recurrent
    _, cache = layer.gru_forward(x, h0, Wx, Wh, b, bh)
    once, again = layer.gru_backward(dh, cache), layer.gru_backward(dh, cache)
    return {"gradients": list(once), "a second time": list(again)}


@gru_gradients.cases
def _(draw):
    arrays = draw_sequence(draw, "gru")
    return arrays | {"dh": draw.normal(*arrays["x"].shape[:2], arrays["h0"].shape[1])}


@gru_gradients.edges
def _():
    rng = np.random.default_rng(3)
    return [arrays | {"dh": dh} for arrays in sequence_edges("gru") for dh in outside(arrays, rng)]


@gru_gradients.oracle
def _(dh, **arrays):
    _, _, gradients = sequence_in_torch("gru", arrays, dh)
    return {"gradients": gradients, "a second time": gradients}


@checkpoint("The gradient against lag: as PyTorch's, taken apart step by step", atol=1e-10, count=8, seconds=6)
def lag(lib, kind, x, states, weights, dh):
    layer = lib.grad.layers.recurrent
    forward, backward = getattr(layer, f"{kind}_forward"), getattr(layer, f"{kind}_backward")
    return layer.gradient_by_lag(forward, backward, x, tuple(states), tuple(weights), dh)


def lag_case(kind, arrays, dh):
    names = [name for name in ("h0", "c0") if name in arrays]
    weights = [arrays[name] for name in ("Wx", "Wh", "b", "bh") if name in arrays]
    return dict(kind=kind, x=arrays["x"], states=[arrays[name] for name in names], weights=weights, dh=dh)


@lag.cases
def _(draw):
    kind = draw.choice(["rnn", "lstm", "gru"])
    arrays = draw_sequence(draw, kind)
    return lag_case(kind, arrays, draw.normal(*arrays["h0"].shape))


@lag.edges
def _():
    cases = []
    for kind in GATES:
        for arrays in sequence_edges(kind)[:-1]:
            cases.append(lag_case(kind, arrays, np.ones_like(arrays["h0"])))
    return cases


@lag.oracle
def _(kind, x, states, weights, dh):
    import torch

    net = net_in_torch(kind, *weights)
    h, c = leaf(states[0])[None], torch.tensor(states[-1])[None]
    trail = [h]
    for s in range(x.shape[1]):
        step = torch.tensor(x[:, s : s + 1])
        if kind == "lstm":
            _, (h, c) = net(step, (h, c))
        else:
            _, h = net(step, h)
        trail.append(h)
    gradients = torch.autograd.grad(trail[-1], trail, torch.tensor(dh)[None])
    return np.array([float(g.norm()) for g in reversed(gradients)])


# ------------------------------------------------------------------------------------------------------- attention


@checkpoint("Attention and its gradients equal PyTorch's, masked or not", atol=1e-10, count=14, seconds=6)
def attention(lib, q, k, v, mask, dy):
    layer = lib.grad.layers.attention
    y, cache = layer.attention_forward(q, k, v, mask)
    once, again = layer.attention_backward(dy, cache), layer.attention_backward(dy, cache)
    return {"y": y, "gradients": list(once), "a second time": list(again)}


@attention.cases
def _(draw):
    front = draw.shape((0, 2), (1, 2))
    t, d, e = draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 3)
    s = t if draw.boolean(0.4) else draw.integer(1, 4)
    mask = draw.choice([None, "all", "steps", "queries"])
    if mask == "all":
        mask = draw.uniform(0.0, 1.0, *front, t, s) < 0.6
    elif mask == "steps":
        mask = np.tril(np.ones((t, s), dtype=bool))
    elif mask == "queries":
        mask = draw.uniform(0.0, 1.0, t, 1) < 0.6
    size = draw.choice([1.0, 1.0, 30.0])
    return dict(
        q=size * draw.normal(*front, t, d),
        k=draw.normal(*front, s, d),
        v=draw.normal(*front, s, e),
        mask=mask,
        dy=draw.normal(*front, t, e),
    )


@attention.edges
def _():
    q, k = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0], [2.0, 0.0]])
    v, dy = np.array([[1.0], [2.0], [5.0]]), np.array([[1.0], [-1.0], [2.0]])
    rows = np.array([[True, False, True], [False, False, False], [True, True, True]])
    huge = dict(q=1e3 * q, k=1e3 * k, v=v, mask=None, dy=dy)
    return [
        dict(q=q[:1, :1], k=k[:1, :1], v=v[:1], mask=None, dy=dy[:1]),
        dict(q=q, k=k, v=v, mask=None, dy=dy),
        dict(q=q, k=k, v=v, mask=np.tril(np.ones((3, 3), dtype=bool)), dy=dy),
        dict(q=q, k=k, v=v, mask=rows, dy=dy),
        dict(q=q, k=k[:2], v=v[:2], mask=np.array([True, False]), dy=dy),
        huge,
    ]


@attention.oracle
def _(q, k, v, mask, dy):
    import torch

    leaves = [leaf(a) for a in (q, k, v)]
    scores = leaves[0] @ leaves[1].mT / np.sqrt(q.shape[-1])
    if mask is None:
        y = torch.nn.functional.scaled_dot_product_attention(*leaves)
    else:  # a row that may look nowhere is NaN in some versions of PyTorch: there the softmax is kept finite, and nothing read
        allowed = torch.tensor(mask).broadcast_to(scores.shape)
        seen = allowed.any(dim=-1, keepdim=True)
        bias = torch.zeros_like(scores).masked_fill(~(allowed | ~seen), -torch.inf)
        y = torch.nn.functional.scaled_dot_product_attention(*leaves, attn_mask=bias) * seen
    y.backward(torch.tensor(dy))
    gradients = [a.grad.numpy() for a in leaves]
    return {"y": y.detach().numpy(), "gradients": gradients, "a second time": gradients}


# ------------------------------------------------------------------------------------------------------ the captioner


@checkpoint("Captions to ids and back, and images to cells", count=10, seconds=6)
def ids_and_cells(lib, captions, words, images, side):
    module = lib.grad.captioner
    ids = module.encode(captions, words)
    spoilt = np.where(ids == module.PAD, module.FIRST, ids)  # whatever comes after the end does not count
    return {"ids": ids, "back": module.decode(spoilt, words), "cells": module.cut(images, side)}


@ids_and_cells.cases
def _(draw):
    words = ["a", "red", "blue", "square", "circle"][: draw.integer(1, 5)]
    captions = [[draw.choice(words) for _ in range(draw.integer(0, 4))] for _ in range(draw.integer(1, 3))]
    side = draw.integer(1, 3)
    n, h, w = draw.integer(1, 2), side * draw.integer(1, 3), side * draw.integer(1, 3)
    return dict(captions=captions, words=words, images=draw.integers(0, 9, n, h, w, 3) / 4, side=side)


@ids_and_cells.edges
def _():
    words = ["a", "red", "square"]
    small = np.arange(12.0).reshape(1, 2, 2, 3)
    wide = np.arange(48.0).reshape(1, 2, 8, 3)
    return [
        dict(captions=[["a"]], words=words, images=small, side=2),
        dict(captions=[["a", "red", "square"], [], ["square", "a"]], words=words, images=wide, side=2),
        dict(captions=[["red"], ["a", "red"]], words=words, images=small, side=1),
    ]


@ids_and_cells.oracle
def _(captions, words, images, side):
    longest = max(map(len, captions)) + 2
    rows = [[1, *(3 + words.index(word) for word in caption), 2] for caption in captions]
    ids = np.array([row + [0] * (longest - len(row)) for row in rows])
    _, h, w, _ = images.shape
    corners = [(i, j) for i in range(0, h, side) for j in range(0, w, side)]
    cells = [[image[i : i + side, j : j + side].ravel() for i, j in corners] for image in images]
    return {"ids": ids, "back": captions, "cells": np.array(cells)}


@checkpoint(
    "The loss of a caption counts its words and its end, and nothing that is filling", atol=1e-10, count=10, seconds=6
)
def caption_loss(lib, scores, targets, dloss):
    module = lib.grad.captioner
    loss, cache = module.caption_loss_forward(scores, targets)
    return {"loss": float(loss), "dscores": module.caption_loss_backward(dloss, cache)}


@caption_loss.cases
def _(draw):
    n, t, v = draw.integer(1, 3), draw.integer(1, 4), draw.integer(3, 5)
    targets = draw.integers(1, v - 1, n, t)
    for row in targets:
        row[draw.integer(1, t) :] = 0
    return dict(scores=3 * draw.normal(n, t, v), targets=targets, dloss=draw.choice([1.0, 2.0]))


@caption_loss.edges
def _():
    scores = np.array([[[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]], [[1.0, 1.0, 0.0], [0.0, 0.0, 5.0]]])
    return [
        dict(scores=scores[:1, :1], targets=np.array([[2]]), dloss=1.0),
        dict(scores=scores, targets=np.array([[2, 0], [1, 2]]), dloss=1.0),
        dict(scores=1e3 * scores, targets=np.array([[1, 2], [2, 0]]), dloss=1.0),
    ]


@caption_loss.oracle
def _(scores, targets, dloss):
    import torch

    given = leaf(scores)
    v = scores.shape[-1]
    loss = torch.nn.functional.cross_entropy(given.reshape(-1, v), torch.tensor(targets).reshape(-1), ignore_index=0)
    loss.backward(torch.tensor(dloss, dtype=loss.dtype))
    return {"loss": loss.item(), "dscores": given.grad.numpy()}


def with_params(model, params):
    """A model with parameters written into it."""
    for own, given in zip(model.params, params):
        own[...] = given
    return model


def sizes(words, side, shape, width):
    """The shapes of a captioner's parameters."""
    m, v, p, s = width, 3 + len(words), 3 * side * side, (shape[0] // side) * (shape[1] // side)
    return [(p, m), (m,), (s, m), (s * m, m), (m,), (v, m), (m, 4 * m), (m, 4 * m), (4 * m,), (2 * m, v), (v,)]


def draw_captioner(draw):
    words = ["a", "red", "blue", "square"][: draw.integer(1, 4)]
    side, rows, columns, width = draw.integer(1, 2), draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 3)
    shape = (side * rows, side * columns)
    params = [draw.normal(*size) for size in sizes(words, side, shape, width)]
    images = draw.uniform(0.0, 1.0, draw.integer(1, 3), *shape, 3)
    return dict(words=words, side=side, width=width, params=params, images=images)


def captioner_case(rng, words, side, shape, width, n, size=1.0):
    params = [size * rng.standard_normal(wanted) for wanted in sizes(words, side, shape, width)]
    images = rng.integers(0, 5, (n, *shape, 3)) / 4
    return dict(words=words, side=side, width=width, params=params, images=images)


def captioner_edges():
    rng = np.random.default_rng(5)
    return [
        captioner_case(rng, ["a"], 1, (1, 1), 1, 1),
        captioner_case(rng, ["a", "red"], 1, (1, 2), 2, 1),
        captioner_case(rng, ["a", "red"], 2, (4, 4), 3, 2),
    ]


def draw_ids(draw, n, v):
    """Rows of BEGIN, some words, END, PAD."""
    longest = draw.integer(1, 4)
    ids = np.full((n, longest + 2), 0)
    ids[:, 0] = 1
    for row in ids:
        length = draw.integer(1, longest)
        row[1 : 1 + length] = draw.integers(3, v - 1, length)
        row[1 + length] = 2
    return ids


def model_in_torch(side, params, images):
    """The captioner by PyTorch: features, first state, first cell, and a function from those and ids to scores."""
    import torch

    Wf, bf, P, W0, b0, E, Wx, Wh, b, Wo, bo = params
    n, height, width, _ = images.shape
    cells = (
        images.reshape(n, height // side, side, width // side, side, 3).swapaxes(2, 3).reshape(n, -1, 3 * side * side)
    )
    features = torch.relu(torch.tensor(cells) @ Wf + bf + P)
    c0 = features.flatten(1) @ W0 + b0
    h0 = torch.tanh(c0)

    def say(h, c, ids):
        m = h.shape[1]
        hs = []
        for x in E[torch.tensor(ids)].unbind(1):
            i, f, g, o = (x @ Wx + h @ Wh + b).split(m, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            hs.append(h)
        hs = torch.stack(hs, dim=1)
        read = torch.nn.functional.scaled_dot_product_attention(hs, features, features)
        return torch.cat([hs, read], dim=2) @ Wo + bo, h, c

    return features, h0, c0, say


def loss_in_torch(scores, ids):
    import torch

    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), torch.tensor(ids[:, 1:]).flatten(), ignore_index=0)


@checkpoint("The captioner looks, says, and has PyTorch's gradients of all parameters", atol=1e-9, count=8, seconds=6)
def captioner(lib, words, side, width, params, images, ids):
    module = lib.grad.captioner
    model = module.Captioner(words, side, images.shape[1:3], width, np.random.default_rng(0), dtype=np.float64)
    model = with_params(model, params)
    features, h0, c0, _ = model.look(images)
    scores, h, c, _ = model.say(features, h0, c0, ids[:, :-1])
    loss, grads = model.loss_and_grads(images, ids)
    return {
        "features": features,
        "first": [h0, c0],
        "scores": scores,
        "last": [h, c],
        "loss": float(loss),
        "grads": list(grads),
    }


@captioner.cases
def _(draw):
    case = draw_captioner(draw)
    return case | {"ids": draw_ids(draw, len(case["images"]), 3 + len(case["words"]))}


@captioner.edges
def _():
    ids = [np.array([[1, 3, 2]]), np.array([[1, 4, 3, 2]]), np.array([[1, 3, 4, 3, 2], [1, 4, 2, 0, 0]])]
    return [case | {"ids": one} for case, one in zip(captioner_edges(), ids)]


@captioner.oracle
def _(words, side, width, params, images, ids):
    leaves = [leaf(p) for p in params]
    features, h0, c0, say = model_in_torch(side, leaves, images)
    scores, h, c = say(h0, c0, ids[:, :-1])
    loss = loss_in_torch(scores, ids)
    loss.backward()
    return {
        "features": features.detach().numpy(),
        "first": [h0.detach().numpy(), c0.detach().numpy()],
        "scores": scores.detach().numpy(),
        "last": [h.detach().numpy(), c.detach().numpy()],
        "loss": loss.item(),
        "grads": [p.grad.numpy() for p in leaves],
    }


@checkpoint("Greedily: the best word, then the best after it, up to the end", count=6, seconds=6)
def predict(lib, words, side, width, params, images, longest):
    module = lib.grad.captioner
    model = module.Captioner(words, side, images.shape[1:3], width, np.random.default_rng(0), dtype=np.float64)
    model = with_params(model, params)
    return {"ids": model.predict(images, longest), "captions": model.caption(images)}


@predict.cases
def _(draw):
    return draw_captioner(draw) | {"longest": draw.integer(1, 5)}


@predict.edges
def _():
    cases = [case | {"longest": longest} for case in captioner_edges() for longest in (1, 6)]
    *first, bo = cases[-1]["params"]
    endless, at_once = bo.copy(), bo.copy()
    endless[2], at_once[2] = -50.0, 50.0
    one_by_one = captioner_case(np.random.default_rng(69), ["a", "red"], 1, (1, 2), 3, 3, 2.0)  # they end one by one
    return [
        *cases,
        cases[-1] | {"params": [*first, endless]},
        cases[-1] | {"params": [*first, at_once]},
        one_by_one | {"longest": 6},
    ]


@predict.oracle
def _(words, side, width, params, images, longest):
    import torch

    def greedy(longest):
        _, h, c, say = model_in_torch(side, [torch.tensor(p) for p in params], images)
        ids = np.full((len(images), 1), 1)
        while ids.shape[1] <= longest and not (ids == 2).any(axis=1).all():
            scores, h, c = say(h, c, ids[:, -1:])
            scores[:, :, :2] = -torch.inf
            best = scores[:, -1].argmax(dim=1).numpy()
            ids = np.column_stack([ids, np.where((ids == 2).any(axis=1), 0, best)])
        return ids

    captions = [row[1 : row.index(2)] if 2 in row else row[1:] for row in greedy(20).tolist()]
    return {"ids": greedy(longest), "captions": [[words[i - 3] for i in row] for row in captions]}


@checkpoint("The first weights have the shapes and the spread that were asked for", count=4, seconds=6)
def first_weights(lib, words, side, shape, width, seed):
    module = lib.grad.captioner
    made = [module.Captioner(words, side, tuple(shape), width, np.random.default_rng(seed + k)) for k in range(12)]
    together = [np.array(p) for p in zip(*(model.params for model in made))]
    return {
        "shapes": [list(p.shape[1:]) for p in together],
        "dtypes": [str(p.dtype) for p in together],
        "spread": [float(np.sqrt((p.astype(float) ** 2).mean())) for p in together],
        "forget": together[8].mean(axis=0),
        "alike": bool(together[0][0, 0, 0] == together[0][1, 0, 0]),
    }


@first_weights.cases
def _(draw):
    side, rows, columns = draw.integer(2, 4), draw.integer(2, 3), draw.integer(2, 3)
    words = ["a", "red", "blue", "square", "circle"][: draw.integer(1, 5)]
    return dict(
        words=words, side=side, shape=[side * rows, side * columns], width=draw.integer(12, 24), seed=draw.seed()
    )


@first_weights.edges
def _():
    return [dict(words=["a", "red"], side=2, shape=[4, 6], width=12, seed=1)]


@first_weights.accepts
def _(got, words, side, shape, width, seed):
    wanted = sizes(words, side, shape, width)
    if got["shapes"] != [list(size) for size in wanted]:
        return f"params have the shapes {wanted}, and yours {[tuple(size) for size in got['shapes']]}"
    if set(got["dtypes"]) != {"float32"}:
        return "the parameters are float32, unless another dtype is asked for"
    if got["alike"]:
        return "two generators give the same weights: draw them from the one that is given"
    p, _ = wanted[0]
    spread = [(2 / p) ** 0.5, 0, 0.1, wanted[3][0] ** -0.5, 0, 1, width**-0.5, width**-0.5, 0.5, (2 * width) ** -0.5, 0]
    for name, one, has in zip(["Wf", "bf", "P", "W0", "b0", "E", "Wx", "Wh", "b", "Wo", "bo"], spread, got["spread"]):
        if abs(has - one) > 0.2 * one:
            return f"the root mean square of {name} is {has:.3g}, and {one:.3g} was asked for"
    quarters = got["forget"].reshape(4, width)
    if not (np.abs(quarters - np.array([[0.0], [1.0], [0.0], [0.0]])) < 1e-6).all():
        return "b is 1 in the forget gate's quarter, the second, and 0 elsewhere"
    return True


@checkpoint("Training takes the steps that PyTorch's Adam would take", atol=1e-7, count=3, seconds=6)
def training(lib, words, side, width, params, images, ids, steps, size, clip, seed):
    module = lib.grad.captioner
    model = module.Captioner(words, side, images.shape[1:3], width, np.random.default_rng(0), dtype=np.float64)
    model = with_params(model, params)
    generator = np.random.default_rng(seed)
    losses = module.train(model, images, ids, steps, generator, size=size, rate=0.01, clip=clip)
    return {"losses": [float(x) for x in losses], "params": [p.copy() for p in model.params]}


@training.cases
def _(draw):
    case = draw_captioner(draw)
    ids = draw_ids(draw, len(case["images"]), 3 + len(case["words"]))
    return case | dict(
        ids=ids, steps=draw.integer(1, 4), size=draw.integer(1, 3), clip=draw.choice([0.1, 100.0]), seed=draw.seed()
    )


@training.edges
def _():
    case = captioner_edges()[-1]
    ids = np.array([[1, 3, 4, 3, 2], [1, 4, 2, 0, 0]])
    return [case | dict(ids=ids, steps=3, size=2, clip=clip, seed=1) for clip in (100.0, 0.1)]


@training.oracle
def _(words, side, width, params, images, ids, steps, size, clip, seed):
    import torch

    leaves = [leaf(p) for p in params]
    adam = torch.optim.Adam(leaves, lr=0.01)
    generator = np.random.default_rng(seed)
    losses = []
    for step in range(steps):
        rows = generator.integers(len(images), size=size)
        _, h0, c0, say = model_in_torch(side, leaves, images[rows])
        loss = loss_in_torch(say(h0, c0, ids[rows, :-1])[0], ids[rows])
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(leaves, clip)
        adam.param_groups[0]["lr"] = 0.01 * (1 - step / steps)
        adam.step()
        losses.append(loss.item())
    return {"losses": losses, "params": [p.detach().numpy() for p in leaves]}


# ------------------------------------------------------------------------------------------------------------- further


@checkpoint(
    "float32 stays float32, and what is no id or no word is refused", stretch=True, count=0, atol=1e-4, seconds=6
)
def further(lib, what):
    layer, module = lib.grad.layers.recurrent, lib.grad.captioner
    try:
        if what in ("an id too large", "a negative id"):
            layer.embedding_forward(np.array([0, 3 if what == "an id too large" else -1]), np.ones((3, 2)))
        elif what == "an unknown word":
            module.encode([["a", "dragon"]], ["a", "red"])
        elif what == "attention":
            x = np.ones((2, 3, 4), dtype=np.float32)
            y, cache = lib.grad.layers.attention.attention_forward(x, x, x, np.tril(np.ones((3, 3), dtype=bool)))
            return [str(a.dtype) for a in (y, *lib.grad.layers.attention.attention_backward(x, cache))]
        else:
            k = {"rnn": 1, "lstm": 4, "gru": 3}[what]
            x, h0 = np.ones((2, 3, 4), dtype=np.float32), np.ones((2, 2), dtype=np.float32)
            first = (h0, h0) if what == "lstm" else (h0,)
            weights = [
                np.ones(size, dtype=np.float32) for size in ((4, 2 * k), (2, 2 * k), *[(2 * k,)] * (1 + (k == 3)))
            ]
            y, cache = getattr(layer, f"{what}_forward")(x, *first, *weights)
            y = y if isinstance(y, tuple) else (y,)
            return [str(a.dtype) for a in (*y, *getattr(layer, f"{what}_backward")(np.ones_like(y[0]), cache))]
    except (IndexError, ValueError) as problem:
        return type(problem).__name__
    return "no error"


@further.edges
def _():
    return [
        dict(what=what)
        for what in ("rnn", "lstm", "gru", "attention", "an id too large", "a negative id", "an unknown word")
    ]


@further.oracle
def _(what):
    arrays = {"rnn": 6, "lstm": 8, "gru": 7, "attention": 4}
    if what in arrays:
        return ["float32"] * arrays[what]
    return "ValueError" if what == "an unknown word" else "IndexError"


# ------------------------------------------------------------------------------------------------------------- it learns


@checkpoint("Trained on 4,000 scenes, it describes 9 of 10 new ones without a mistake", long=True, count=1, seconds=120)
def it_learns(lib, images, captions, words, new_images, seed):
    module = lib.grad.captioner
    generator = np.random.default_rng(seed)
    model = module.Captioner(words, 8, (24, 24), 64, generator)
    module.train(model, images, module.encode(captions, words), 1000, generator)
    return model.caption(new_images)


@it_learns.cases
def _(draw):
    from groundup.data.scenes import WORDS, scenes

    seed = draw.seed()
    generator = np.random.default_rng([3, seed])
    images, captions = scenes(4000, generator)
    new_images, new_captions = scenes(600, generator)
    return dict(
        images=images,
        captions=captions,
        words=list(WORDS),
        new_images=new_images,
        seed=seed,
        _new_captions=new_captions,
    )


@it_learns.accepts
def _(got, images, captions, words, new_images, seed, new_captions):
    if len(got) != len(new_captions):
        return f"{len(new_captions)} images have {len(got)} captions"
    right = sum(list(ours) == theirs for ours, theirs in zip(got, new_captions)) / len(new_captions)
    return right >= 0.9 or f"{right:.1%} of the new scenes are described without a mistake, and 90% are asked for"
