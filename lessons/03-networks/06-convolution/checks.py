"""What is asked of lesson 3.6: convolution and pooling, values and gradients as PyTorch's in float64, whatever the windows."""

import numpy as np

from groundup.course import checkpoint


def drawn_windows(draw, largest=3):
    """Size, stride, padding and dilation of a window, each (down, across), and an image's h and w into which it fits."""
    size, stride, padding, dilation, image = [], [], [], [], []
    for _ in range(2):
        k, s, p = draw.integer(1, largest), draw.integer(1, 3), draw.choice([0, 0, 1, 2])
        d = draw.choice([1, 1, 2, 3])
        span = d * (k - 1) + 1
        size.append(k)
        stride.append(s)
        padding.append(p)
        dilation.append(d)
        image.append(max(1, span - 2 * p) + draw.integer(0, 4))
    return tuple(size), tuple(stride), tuple(padding), tuple(dilation), tuple(image)


def drawn_pool(draw):
    """An image's shape, and a pooling of it: size, stride, padding, each (down, across)."""
    size, stride, padding, image = [], [], [], []
    for _ in range(2):
        k = draw.integer(1, 3)
        p = draw.integer(0, k // 2)
        size.append(k)
        stride.append(draw.integer(1, 3))
        padding.append(p)
        image.append(k - 2 * p + draw.integer(0 if k > 2 * p else 1, 4))
    shape = (draw.integer(1, 2), draw.integer(1, 3), *image)
    return shape, dict(size=tuple(size), stride=tuple(stride), padding=tuple(padding))


def count_windows(length, size, stride, padding, dilation):
    """How many windows fit, by walking along."""
    start, count = 0, 0
    while start + dilation * (size - 1) + 1 <= length + 2 * padding:
        start, count = start + stride, count + 1
    return count


def ramp(*shape):
    """Different numbers in no simple order, the same every time: for cases written out by hand."""
    return (np.arange(float(np.prod(shape))) * 7 % 11 - 4).reshape(shape)


def printed(x):
    return np.array2string(np.asarray(x), separator=", ", threshold=200)


def written(call, **arrays):
    """A case as a person would write it: the arrays with their shapes, and the call."""
    lines = [f"{name} = {printed(x)}  # {np.shape(x)}" for name, x in arrays.items() if x is not None]
    return "\n".join([*lines, call])


def options_written(options):
    return "".join(f", {name}={value!r}" for name, value in options.items())


# ------------------------------------------------------------------------------------------------------------ windows


@checkpoint("As many windows as fit whole", atol=0.0, count=16)
def windows_that_fit(lib, length, size, stride, padding, dilation):
    return lib.grad.layers.conv.output_size(length, size, stride, padding, dilation)


@windows_that_fit.cases
def _(draw):
    size, stride, padding, dilation, image = drawn_windows(draw, 4)
    return dict(length=image[0], size=size[0], stride=stride[0], padding=padding[0], dilation=dilation[0])


@windows_that_fit.edges
def _():
    plain = dict(stride=1, padding=0, dilation=1)
    return [
        dict(length=3, size=2, **plain),
        dict(length=1, size=1, **plain),
        dict(length=6, size=3, **plain | dict(stride=2)),
        dict(length=7, size=3, **plain | dict(stride=2, padding=1)),
        dict(length=5, size=3, **plain | dict(dilation=2)),
        dict(length=224, size=7, **plain | dict(stride=2, padding=3)),
    ]


@windows_that_fit.oracle
def _(length, size, stride, padding, dilation):
    return count_windows(length, size, stride, padding, dilation)


@checkpoint("Windows as columns, channel by channel and row by row, equal PyTorch's unfold", atol=0.0, count=14)
def columns_of_windows(lib, x, options):
    return lib.grad.layers.conv.unfold(x, **options)


@columns_of_windows.cases
def _(draw):
    size, stride, padding, dilation, image = drawn_windows(draw)
    x = draw.uniform(-3, 3, draw.integer(1, 2), draw.integer(1, 2), *image)
    return dict(x=x, options=dict(size=size, stride=stride, padding=padding, dilation=dilation))


@columns_of_windows.edges
def _():
    return [
        dict(x=np.array([[[[1.0, 2.0, 4.0]]]]), options=dict(size=(1, 2))),
        dict(x=ramp(1, 1, 3, 3), options=dict(size=2)),
        dict(x=ramp(2, 2, 2, 3), options=dict(size=1)),
        dict(x=ramp(1, 2, 3, 3), options=dict(size=3, padding=1)),
        dict(x=ramp(1, 1, 5, 6), options=dict(size=2, stride=2)),
        dict(x=ramp(1, 1, 5, 5), options=dict(size=2, dilation=3)),
    ]


@columns_of_windows.oracle
def _(x, options):
    import torch

    size, rest = options["size"], {name: value for name, value in options.items() if name != "size"}
    return torch.nn.functional.unfold(torch.tensor(x), size, **rest).numpy()


@columns_of_windows.shown
def _(x, options):
    return written(f"unfold(x{options_written(options)})", x=x)


@checkpoint("Columns added back to the pixels they came from equal PyTorch's fold", atol=1e-10, count=14)
def columns_added_back(lib, columns, shape, options):
    return lib.grad.layers.conv.fold(columns, shape, **options)


@columns_added_back.cases
def _(draw):
    size, stride, padding, dilation, image = drawn_windows(draw)
    n, c = draw.integer(1, 2), draw.integer(1, 2)
    positions = [count_windows(*along) for along in zip(image, size, stride, padding, dilation)]
    columns = draw.uniform(-3, 3, n, c * size[0] * size[1], positions[0] * positions[1])
    options = dict(size=size, stride=stride, padding=padding, dilation=dilation)
    return dict(columns=columns, shape=(n, c, *image), options=options)


@columns_added_back.edges
def _():
    return [
        dict(columns=np.array([[[30.0, 3.0], [-10.0, -1.0]]]), shape=(1, 1, 1, 3), options=dict(size=(1, 2))),
        dict(columns=np.ones((1, 4, 4)), shape=(1, 1, 3, 3), options=dict(size=2)),
        dict(columns=ramp(2, 2, 6), shape=(2, 2, 2, 3), options=dict(size=1)),
        dict(columns=ramp(1, 9, 4), shape=(1, 1, 3, 4), options=dict(size=3, stride=2, padding=1)),
        dict(columns=ramp(1, 4, 6), shape=(1, 1, 5, 6), options=dict(size=2, stride=2)),
    ]


@columns_added_back.oracle
def _(columns, shape, options):
    import torch

    size, rest = options["size"], {name: value for name, value in options.items() if name != "size"}
    return torch.nn.functional.fold(torch.tensor(columns), shape[2:], size, **rest).numpy()


@columns_added_back.shown
def _(columns, shape, options):
    return written(f"fold(columns, {shape}{options_written(options)})", columns=columns)


# -------------------------------------------------------------------------------------------------------- convolution


def drawn_convolution(draw, with_dy):
    """x, W, b or None and the options of a convolution, and where asked an upstream gradient of the result's shape."""
    size, stride, padding, dilation, image = drawn_windows(draw)
    groups = draw.choice([1, 1, 2, 3])
    n, c, m = draw.integer(1, 3), groups * draw.integer(1, 2), groups * draw.integer(1, 2)
    if draw.boolean(0.25):  # numbers for pairs
        size, stride, padding, dilation = (size[0],) * 2, stride[0], padding[0], dilation[0]
        image = (image[0],) * 2
    case = dict(
        x=draw.uniform(-3, 3, n, c, *image),
        W=draw.uniform(-3, 3, m, c // groups, *size),
        b=draw.uniform(-3, 3, m) if draw.boolean(0.7) else None,
        options=dict(stride=stride, padding=padding, dilation=dilation, groups=groups),
    )
    if with_dy:
        case["dy"] = draw.uniform(-3, 3, *result_shape(case["x"], case["W"], case["options"]))
    return case


def result_shape(x, W, options):
    pairs = [np.broadcast_to(options.get(name, value), 2) for name, value in (("stride", 1), ("padding", 0))]
    pairs.append(np.broadcast_to(options.get("dilation", 1), 2))
    return len(x), len(W), *[count_windows(*map(int, along)) for along in zip(x.shape[2:], W.shape[2:], *pairs)]


def convolution_edges(with_dy):
    small = dict(x=np.array([[[[1.0, 2.0, 4.0]]]]), W=np.array([[[[3.0, -1.0]]]]), b=None, options={})
    cases = [
        small,
        dict(x=ramp(1, 1, 3, 3), W=ramp(1, 1, 2, 2), b=np.array([1.0]), options={}),
        dict(x=ramp(2, 1, 3, 3), W=ramp(1, 1, 2, 2), b=None, options={}),
        dict(x=ramp(1, 3, 3, 3), W=ramp(3, 3, 1, 1), b=np.array([1.0, 2.0, 3.0]), options={}),
        dict(x=ramp(1, 1, 3, 3), W=ramp(2, 1, 3, 3), b=None, options=dict(padding=1)),
        dict(x=ramp(1, 1, 6, 6), W=ramp(1, 1, 3, 3), b=None, options=dict(stride=2)),
        dict(x=ramp(1, 1, 5, 5), W=ramp(1, 1, 2, 2), b=None, options=dict(dilation=2)),
        dict(x=ramp(1, 4, 3, 3), W=ramp(2, 2, 2, 2), b=None, options=dict(groups=2)),
        dict(x=ramp(2, 3, 3, 4), W=ramp(3, 1, 2, 2), b=None, options=dict(groups=3)),
        dict(x=ramp(1, 2, 3, 4), W=ramp(4, 1, 2, 2), b=None, options=dict(groups=2)),
        dict(x=ramp(2, 2, 4, 4), W=ramp(2, 2, 1, 3), b=np.zeros(2), options=dict(padding=(0, 1))),
        dict(x=ramp(2, 2, 4, 4), W=ramp(4, 2, 3, 1), b=np.arange(4.0), options=dict(stride=(1, 2))),
    ]
    if with_dy:
        cases = [case | dict(dy=1 + ramp(*result_shape(case["x"], case["W"], case["options"]))) for case in cases]
        cases[0]["dy"] = np.array([[[[10.0, 1.0]]]])
    return cases


def in_torch(x, W, b, options):
    """The operands as leaves, and the result, by PyTorch."""
    import torch

    leaves = [torch.tensor(a, requires_grad=True) for a in (x, W, b) if a is not None]
    bias = None if b is None else leaves[2]
    return leaves, torch.nn.functional.conv2d(leaves[0], leaves[1], bias, **options)


@checkpoint(
    "Convolution with stride, padding, dilation and groups equals PyTorch's, at every pixel", atol=1e-10, count=16
)
def convolution(lib, x, W, b, options):
    return lib.grad.layers.conv.conv2d_forward(x, W, b, **options)[0]


@convolution.cases
def _(draw):
    return drawn_convolution(draw, False)


@convolution.edges
def _():
    return convolution_edges(False)


@convolution.oracle
def _(x, W, b, options):
    return in_torch(x, W, b, options)[1].detach().numpy()


@convolution.shown
def _(x, W, b, options):
    return written(f"conv2d_forward(x, W, b{options_written(options)})", x=x, W=W, b=b)


@checkpoint(
    "Its gradients to image, filters and bias equal PyTorch's, under any upstream gradient",
    atol=1e-10,
    count=20,
    seconds=4,
)
def convolution_gradients(lib, x, W, b, dy, options):
    module = lib.grad.layers.conv
    _, cache = module.conv2d_forward(x, W, b, **options)
    module.conv2d_backward(dy, cache)
    dx, dW, db = module.conv2d_backward(dy, cache)  # a second call finds the cache as the first did
    return {"dW": dW, "db": db, "dx": dx}


@convolution_gradients.cases
def _(draw):
    return drawn_convolution(draw, True)


@convolution_gradients.edges
def _():
    return convolution_edges(True)


@convolution_gradients.oracle
def _(x, W, b, dy, options):
    import torch

    leaves, y = in_torch(x, W, b, options)
    dx, dW, *rest = [g.numpy() for g in torch.autograd.grad(y, leaves, torch.tensor(dy))]
    return {"dW": dW, "db": rest[0] if rest else None, "dx": dx}


@convolution_gradients.shown
def _(x, W, b, dy, options):
    call = f"y, cache = conv2d_forward(x, W, b{options_written(options)})\nconv2d_backward(dy, cache)"
    return written(call, x=x, W=W, b=b, dy=dy)


@checkpoint("Move the picture by whole strides, and the result moves with it", atol=1e-10, count=10)
def moves_along(lib, x, W, b, stride, padding, steps):
    module = lib.grad.layers.conv
    (n, c, h, w), (down, across) = x.shape, (steps[0] * stride, steps[1] * stride)
    results = []
    for top, left in ((0, 0), (down, across)):
        canvas = np.zeros((n, c, h + down + 6, w + across + 6))
        canvas[:, :, top + 1 : top + 1 + h, left + 1 : left + 1 + w] = x
        y = module.conv2d_forward(canvas, W, b, stride=stride, padding=padding)[0]
        results.append([y, module.max_pool2d_forward(y, 2, 1)[0]])
    kept = [y[:, :, : y.shape[2] - steps[0], : y.shape[3] - steps[1]] for y in results[0]]
    moved = [y[:, :, steps[0] :, steps[1] :] for y in results[1]]
    return {"convolution": [kept[0], moved[0]], "pooled": [kept[1], moved[1]]}


@moves_along.cases
def _(draw):
    c, m = draw.integer(1, 2), draw.integer(1, 2)
    return dict(
        x=draw.uniform(1, 3, 1, c, draw.integer(3, 5), draw.integer(3, 5)),
        W=draw.uniform(0.5, 3, m, c, draw.integer(1, 3), draw.integer(1, 3)),
        b=draw.uniform(-3, 3, m),
        stride=draw.integer(1, 2),
        padding=draw.integer(0, 1),
        steps=(draw.integer(0, 2), draw.integer(1, 2)),
    )


@moves_along.accepts
def _(got, x, W, b, stride, padding, steps):
    for name in ("convolution", "pooled"):
        kept, moved = got[name]
        if np.shape(kept) != np.shape(moved) or not np.allclose(kept, moved, rtol=0, atol=1e-10):
            return f"the picture moved by {steps} strides, and the {name} did not move along: {kept} became {moved}"
        if np.ptp(kept) == 0:
            return f"the {name} is the same everywhere, and the picture is not"
    return True


@moves_along.shown
def _(x, W, b, stride, padding, steps):
    call = f"conv2d_forward(x among zeros, W, b, stride={stride}, padding={padding}), moved by {steps} strides"
    return written(call, x=x, W=W, b=b)


# ------------------------------------------------------------------------------------------------------------ pooling


def pooled(module, kind, x, dy, options):
    forward, backward = getattr(module, f"{kind}_pool2d_forward"), getattr(module, f"{kind}_pool2d_backward")
    y, cache = forward(x, **options)
    backward(dy, cache)
    return {"y": y, "dx": backward(dy, cache)}  # a second call finds the cache as the first did


def pooled_in_torch(kind, x, dy, options):
    import torch

    leaf = torch.tensor(x, requires_grad=True)
    size, rest = options["size"], {name: value for name, value in options.items() if name != "size"}
    y = getattr(torch.nn.functional, f"{kind}_pool2d")(leaf, size, **rest)
    return {"y": y.detach().numpy(), "dx": torch.autograd.grad(y, leaf, torch.tensor(dy))[0].numpy()}


def pool_case(draw, x, options):
    windows = zip(x.shape[2:], options["size"], options["stride"], options["padding"])
    y_shape = (*x.shape[:2], *[count_windows(*along, 1) for along in windows])
    return dict(x=x, dy=draw.uniform(-3, 3, *y_shape), options=options)


def pool_written(kind, x, dy, options):
    call = f"y, cache = {kind}_pool2d_forward(x{options_written(options)})\n{kind}_pool2d_backward(dy, cache)"
    return written(call, x=x, dy=dy)


@checkpoint("Max pooling in tiles equals PyTorch's; of equal pixels the first gets the gradient", atol=1e-12, count=12)
def max_pool_tiles(lib, x, dy, options):
    return pooled(lib.grad.layers.conv, "max", x, dy, options)


@max_pool_tiles.cases
def _(draw):
    k, shape = draw.choice([2, 2, 1, 3]), (draw.integer(1, 2), draw.integer(1, 3))
    down, across = draw.integer(1, 3), draw.integer(1, 3)
    image = down * k + draw.integer(0, k - 1), across * k + draw.integer(0, k - 1)  # some rows may be left over
    x = draw.integers(0, 2, *shape, *image) * 1.0 if draw.boolean(0.4) else draw.uniform(-3, 3, *shape, *image)
    return dict(x=x, dy=draw.uniform(-3, 3, *shape, down, across), options=dict(size=k))


@max_pool_tiles.edges
def _():
    x = np.array([[[[1.0, 2.0, 0.0, 0.0], [3.0, 2.0, 0.0, 0.0]]]])
    return [
        dict(x=x, dy=np.array([[[[1.0, 10.0]]]]), options=dict(size=2)),
        dict(x=-x[..., ::-1], dy=np.array([[[[1.0, 10.0]]]]), options=dict(size=2)),
        dict(x=ramp(1, 1, 4, 4), dy=1 + ramp(1, 1, 2, 2), options=dict(size=2)),
        dict(x=ramp(1, 1, 5, 3), dy=1 + ramp(1, 1, 2, 1), options=dict(size=2)),
        dict(x=np.full((1, 2, 4, 4), -1e300), dy=ramp(1, 2, 2, 2), options=dict(size=2)),
    ]


@max_pool_tiles.oracle
def _(x, dy, options):
    return pooled_in_torch("max", x, dy, options)


@max_pool_tiles.shown
def _(x, dy, options):
    return pool_written("max", x, dy, options)


@checkpoint("Max pooling in windows that overlap, with padding, equals PyTorch's", atol=1e-10, count=16)
def max_pool_windows(lib, x, dy, options):
    return pooled(lib.grad.layers.conv, "max", x, dy, options)


@max_pool_windows.cases
def _(draw):
    shape, options = drawn_pool(draw)
    kind = draw.choice(["below zero", "ties", "any"])
    if kind == "ties":
        x = draw.integers(-2, 0, *shape) * 1.0
    else:
        x = draw.uniform(-3, -0.5 if kind == "below zero" else 3, *shape)
    return pool_case(draw, x, options)


@max_pool_windows.edges
def _():
    below = np.array([[[[-1.0, -2.0], [-3.0, -4.0]]]])
    one = dict(stride=(1, 1), padding=(0, 0))
    return [
        dict(x=below, dy=np.ones((1, 1, 3, 3)), options=dict(size=(2, 2), stride=(1, 1), padding=(1, 1))),
        dict(x=ramp(1, 1, 3, 3), dy=1 + ramp(1, 1, 2, 2), options=dict(size=(2, 2), **one)),
        dict(x=ramp(1, 1, 4, 4), dy=1 + ramp(1, 1, 2, 4), options=dict(size=(3, 1), **one)),
        dict(x=-1e300 - 1e299 * ramp(1, 1, 2, 3), dy=np.ones((1, 1, 2, 2)), options=dict(size=2, stride=2, padding=1)),
    ]


@max_pool_windows.oracle
def _(x, dy, options):
    return pooled_in_torch("max", x, dy, options)


@max_pool_windows.shown
def _(x, dy, options):
    return pool_written("max", x, dy, options)


@checkpoint("Average pooling equals PyTorch's, in tiles and overlapping; the padding counts", atol=1e-10, count=16)
def average_pool(lib, x, dy, options):
    return pooled(lib.grad.layers.conv, "avg", x, dy, options)


@average_pool.cases
def _(draw):
    shape, options = drawn_pool(draw)
    return pool_case(draw, draw.uniform(-3, 3, *shape), options)


@average_pool.edges
def _():
    return [
        dict(x=ramp(1, 1, 2, 2), dy=np.ones((1, 1, 1, 1)), options=dict(size=2)),
        dict(x=ramp(1, 1, 3, 3), dy=np.ones((1, 1, 1, 1)), options=dict(size=2)),
        dict(x=ramp(1, 2, 5, 5), dy=1 + ramp(1, 2, 2, 2), options=dict(size=2)),
        dict(x=ramp(1, 1, 3, 3), dy=1 + ramp(1, 1, 2, 2), options=dict(size=2, stride=1)),
        dict(x=ramp(1, 1, 2, 2), dy=1 + ramp(1, 1, 2, 2), options=dict(size=2, padding=1)),
        dict(x=ramp(1, 1, 2, 5), dy=1 + ramp(1, 1, 2, 2), options=dict(size=(1, 3), stride=(1, 2))),
    ]


@average_pool.oracle
def _(x, dy, options):
    return pooled_in_torch("avg", x, dy, options)


@average_pool.shown
def _(x, dy, options):
    return pool_written("avg", x, dy, options)


@checkpoint("float32 stays float32, forward and backward", count=0)
def dtypes(lib, layer, dtype):
    module = lib.grad.layers.conv
    x, W = ramp(1, 2, 4, 4).astype(dtype), ramp(2, 2, 3, 3).astype(dtype)
    if layer == "conv2d":
        y, cache = module.conv2d_forward(x, W, np.ones(2, dtype), padding=1)
        found = [y, *module.conv2d_backward(y, cache)]
    else:
        y, cache = getattr(module, f"{layer}_forward")(x, 2, 1, 1)
        found = [y, getattr(module, f"{layer}_backward")(y, cache)]
    return [str(array.dtype) for array in found]


@dtypes.edges
def _():
    layers = "conv2d", "max_pool2d", "avg_pool2d"
    return [dict(layer=layer, dtype=dtype) for layer in layers for dtype in ("float32", "float64")]


@dtypes.oracle
def _(layer, dtype):
    return [dtype] * (4 if layer == "conv2d" else 2)


# ------------------------------------------------------------------------------------------------------------ further


@checkpoint("A batch of the size that one trains with, forward and backward", atol=1e-10, stretch=True, count=1)
def batch(lib, x, W, b, dy):
    module = lib.grad.layers.conv
    y, cache = module.conv2d_forward(x, W, b, padding=1)
    dx, dW, db = module.conv2d_backward(dy, cache)
    return {"y": y, "dW": dW, "db": db, "dx": dx}


@batch.cases
def _(draw):
    return dict(
        x=draw.normal(16, 8, 20, 20), W=draw.normal(16, 8, 3, 3), b=draw.normal(16), dy=draw.normal(16, 16, 20, 20)
    )


@batch.oracle
def _(x, W, b, dy):
    import torch

    leaves, y = in_torch(x, W, b, dict(padding=1))
    dx, dW, db = [g.numpy() for g in torch.autograd.grad(y, leaves, torch.tensor(dy))]
    return {"y": y.detach().numpy(), "dW": dW, "db": db, "dx": dx}


@batch.shown
def _(x, W, b, dy):
    return "x (16, 8, 20, 20), W (16, 8, 3, 3), padding=1"


MISUSES = {
    "conv2d_forward(x, np.ones((2, 3, 1, 1)))": lambda m, x: m.conv2d_forward(x, np.ones((2, 3, 1, 1))),
    "conv2d_forward(x, np.ones((3, 2, 1, 1)), groups=2)": lambda m, x: m.conv2d_forward(
        x, np.ones((3, 2, 1, 1)), groups=2
    ),
    "conv2d_forward(x, np.ones((3, 4, 1, 1)), np.ones(2))": lambda m, x: m.conv2d_forward(
        x, np.ones((3, 4, 1, 1)), np.ones(2)
    ),
    "conv2d_forward(x, np.ones((1, 4, 6, 6)))": lambda m, x: m.conv2d_forward(x, np.ones((1, 4, 6, 6))),
    "output_size(4, 3, dilation=2)": lambda m, x: m.output_size(4, 3, dilation=2),
    "unfold(x, (2, 6))": lambda m, x: m.unfold(x, (2, 6)),
    "max_pool2d_forward(x, 2, padding=2)": lambda m, x: m.max_pool2d_forward(x, 2, padding=2),
    "avg_pool2d_forward(x, 3, padding=(1, 2))": lambda m, x: m.avg_pool2d_forward(x, 3, padding=(1, 2)),
}


@checkpoint("What does not fit is refused with a ValueError", stretch=True, count=0)
def refused(lib, call):
    try:
        MISUSES[call](lib.grad.layers.conv, np.ones((1, 4, 5, 5)))
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    return [dict(call=call) for call in MISUSES]


@refused.oracle
def _(call):
    return "ValueError"


@refused.shown
def _(call):
    return f"x = np.ones((1, 4, 5, 5))\n{call}"
