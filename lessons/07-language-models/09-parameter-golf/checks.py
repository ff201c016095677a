"""What is asked of lesson 7.9: weights in a few bits, zero kept; a file that is short, the same each time, and never
wrong in silence."""

import math

import numpy as np
import torch

from groundup.course import checkpoint


def scale_of(row, bits):
    """max |w| / top as the next float16 that is not below it; by its bit pattern."""
    exact = max((abs(float(w)) for w in row), default=0.0) / (2 ** (bits - 1) - 1)
    half = np.array(exact).astype(np.float16)
    if float(half) < exact:
        half = (half.reshape(1).view(np.uint16) + np.uint16(1)).view(np.float16)[0]
    return np.float16(half)


def coded(weight, bits):
    """Codes and scales, one number after the other."""
    scales = np.array([scale_of(row, bits) for row in weight], dtype=np.float16)
    codes = [[round(float(w) / float(s)) if s else 0 for w in row] for row, s in zip(weight, scales)]
    return np.array(codes, dtype=np.int8).reshape(weight.shape), scales


def back(weight, bits):
    codes, scales = coded(weight, bits)
    return codes.astype(np.float32) * scales.astype(np.float32)[:, None]


def draw_weight(draw, rows, columns):
    """Rows of different sizes, some of zeros, some with an outlier or with halves of a scale."""
    weight = draw.normal(rows, columns) * draw.choice([1.0, 0.02, 1e-6, 300.0])
    for row in range(rows):
        way = draw.integer(0, 5)
        if way == 1:
            weight[row] = 0.0
        elif way == 2:
            weight[row, draw.integer(0, columns - 1)] *= 50.0
        elif way == 3:
            weight[row] = 0.5 * draw.integers(-14, 14, columns)
            weight[row, 0] = 7.0
    return weight.astype(np.float32)


# ------------------------------------------------------------------------------------------------- a few bits


@checkpoint("Rows become codes and scales: symmetric, zero exact, nothing cut off", count=40, atol=0.0)
def quantised(lib, weight, bits):
    artifact = lib.nets.artifact
    try:
        codes, scales = artifact.quantise(weight, bits)
    except ValueError:
        return "ValueError"
    return {
        "codes": codes,
        "scales": scales.view(np.uint16),
        "type": str(scales.dtype),
        "back": artifact.dequantise(codes, scales),
    }


@quantised.cases
def _(draw):
    weight = draw_weight(draw, draw.integer(1, 4), draw.integer(1, 6))
    if draw.boolean(0.1):
        weight[0, 0] = draw.choice([np.nan, np.inf, -np.inf])
    return dict(weight=weight, bits=draw.choice([4, 6, 8, 2, 3, 5, 7]))


@quantised.edges
def _():
    one = np.array([[1.0, -1.0, 0.0, 0.5]], dtype=np.float32)
    return [
        dict(weight=np.array([[7.0, 3.0, -2.5, 0.5]], dtype=np.float32), bits=4),
        dict(weight=one, bits=2),
        dict(weight=np.zeros((2, 3), dtype=np.float32), bits=4),
        dict(weight=np.zeros((0, 3), dtype=np.float32), bits=4),
        dict(weight=np.array([[1e-9, -3e-9], [1.0, 2.0]], dtype=np.float32), bits=8),
        dict(weight=np.array([[3e38, 1.0]], dtype=np.float32), bits=8),
        dict(weight=np.array([[np.nan, 1.0]], dtype=np.float32), bits=8),
        dict(weight=one, bits=1),
        dict(weight=one, bits=9),
    ]


@quantised.oracle
def _(weight, bits):
    if not 2 <= bits <= 8 or not np.isfinite(weight).all():
        return "ValueError"
    if weight.size and np.abs(weight.astype(float)).max() / (2 ** (bits - 1) - 1) > 65504.0:
        return "ValueError"
    codes, scales = coded(weight, bits)
    return {"codes": codes, "scales": scales.view(np.uint16), "type": "float16", "back": back(weight, bits)}


@checkpoint("Codes are packed highest bit first, and unpacked again", count=40)
def packed(lib, codes, bits, count):
    artifact = lib.nets.artifact
    try:
        data = artifact.pack_bits(codes, bits)
        again = artifact.unpack_bits(data, bits, count)
    except ValueError:
        return "ValueError"
    return {"data": list(data), "again": again, "type": str(again.dtype)}


@packed.cases
def _(draw):
    bits = draw.integer(2, 8)
    top = 2 ** (bits - 1) - 1
    codes = draw.integers(-top, top, draw.integer(0, 20)).astype(np.int8)
    return dict(codes=codes, bits=bits, count=len(codes) + draw.choice([0, 0, 0, 0, 8, -8]))


@packed.edges
def _():
    return [
        dict(codes=np.array([-7, 7], dtype=np.int8), bits=4, count=2),
        dict(codes=np.array([-31, 0, 31], dtype=np.int8), bits=6, count=3),
        dict(codes=np.array([0], dtype=np.int8), bits=3, count=1),
        dict(codes=np.array([1, -1, 0], dtype=np.int8), bits=2, count=3),
        dict(codes=np.array([8], dtype=np.int8), bits=4, count=1),
        dict(codes=np.array([-8], dtype=np.int8), bits=4, count=1),
        dict(codes=np.array([-128], dtype=np.int8), bits=8, count=1),
        dict(codes=np.zeros(0, dtype=np.int8), bits=5, count=0),
    ]


@packed.oracle
def _(codes, bits, count):
    top = 2 ** (bits - 1) - 1
    if any(abs(int(code)) > top for code in codes) or -(-count * bits // 8) != -(-len(codes) * bits // 8):
        return "ValueError"
    digits = "".join(f"{int(code) + top:0{bits}b}" for code in codes)
    digits += "0" * (-len(digits) % 8)
    data = [int(digits[i : i + 8], 2) for i in range(0, len(digits), 8)]
    again = codes if count == len(codes) else [int(digits[i * bits : (i + 1) * bits], 2) - top for i in range(count)]
    return {"data": data, "again": np.array(again, dtype=np.int8), "type": "int8"}


@checkpoint("Rounded weights pass their gradient on as if they were not", count=14, atol=1e-6)
def through(lib, weight, upstream, bits):
    leaf = torch.from_numpy(weight).requires_grad_()
    out = lib.nets.artifact.straight_through(leaf, bits)
    (out * torch.from_numpy(upstream)).sum().backward()
    return {"out": out.detach().numpy(), "grad": leaf.grad.numpy(), "weight": leaf.detach().numpy()}


@through.cases
def _(draw):
    rows, columns = draw.integer(1, 3), draw.integer(1, 5)
    weight = draw.normal(rows, columns).astype(np.float32)
    return dict(weight=weight, upstream=draw.normal(rows, columns).astype(np.float32), bits=draw.choice([4, 2, 8]))


@through.oracle
def _(weight, upstream, bits):
    return {"out": back(weight, bits), "grad": upstream, "weight": weight}


# ------------------------------------------------------------------------------------------------- the file


def state_of(tensors, tied):
    state = {}
    for name, array, half in tensors:
        tensor = torch.from_numpy(array)
        state[name] = tensor.bfloat16() if half else tensor
    for name, other in tied:
        state[name] = state[other]
    return state


def draw_state(draw):
    """Tensors of all kinds: matrices, tables of three axes, vectors, a counter, a mask; and perhaps a tied one."""
    tensors = []
    for i in range(draw.integer(1, 4)):
        kind = draw.choice(["matrix", "vector", "matrix", "counter", "mask", "cube", "scalar", "half"])
        rows, columns = draw.integer(1, 4), draw.integer(1, 6)
        if kind == "matrix":
            array = draw_weight(draw, rows, columns)
        elif kind == "half":
            array = draw.integers(-8, 8, rows, columns).astype(np.float32)  # exact in bfloat16
        elif kind == "cube":
            array = draw.normal(rows, 2, columns).astype(np.float32)
        elif kind == "vector":
            array = (draw.normal(columns) * draw.choice([1.0, 1e6])).astype(np.float32)
        elif kind == "scalar":
            array = np.array(draw.normal(), dtype=np.float32)
        elif kind == "counter":
            array = draw.integers(-(2**40), 2**40, rows)
        else:
            array = draw.integers(0, 1, rows, columns).astype(bool)
        tensors.append([draw.choice(["blocks.", "tokens.", "head."]) + f"{i}", array, kind == "half"])
    tied = [["zz.tied", tensors[0][0]]] if draw.boolean(0.4) else []
    return tensors, tied


def bits_for(name, bits):
    if isinstance(bits, int):
        return bits
    return bits[max((start for start in bits if name[: len(start)] == start), key=len)]


@checkpoint(
    "What is packed comes back: quantised, exact, or shared, and the bytes are the same each time",
    count=24,
    atol=0.0,
    seconds=4.0,
)
def trips(lib, tensors, tied, bits, meta, files):
    artifact = lib.nets.artifact
    data = artifact.pack(
        state_of(tensors, tied), meta, bits=bits, files={name: text.encode() for name, text in files.items()}
    )
    twice = artifact.pack(
        state_of(tensors, tied), meta, bits=bits, files={name: text.encode() for name, text in files.items()}
    )
    state, told, carried = artifact.unpack(data)
    return {
        "names": list(state),
        "tensors": {name: tensor.numpy() for name, tensor in state.items()},
        "dtypes": {name: str(tensor.dtype) for name, tensor in state.items()},
        "shared": [state[name] is state[other] for name, other in tied],
        "meta": told,
        "files": {name: content.decode() for name, content in carried.items()},
        "begins": data[:5].decode("latin-1"),
        "type": type(data).__name__,
        "same bytes": data == twice,
    }


@trips.cases
def _(draw):
    tensors, tied = draw_state(draw)
    bits = draw.choice([6, 4, 8, {"": 4, "tokens": 8, "tokens.1": 5}, {"": 6, "head": 2}])
    files = {"gpt.py": "x = 1\n" * draw.integer(0, 3)} if draw.boolean() else {}
    return dict(tensors=tensors, tied=tied, bits=bits, meta={"layers": draw.integer(1, 3), "é": None}, files=files)


@trips.edges
def _():
    matrix = np.array([[1.0, -0.5], [0.0, 0.0]], dtype=np.float32)
    empty = np.zeros((0, 3), dtype=np.float32)
    bare = dict(tied=[], bits=4, meta={}, files={})
    return [
        bare | {"tensors": [["w", matrix, False]]},
        bare | {"tensors": [["w", matrix, False]], "tied": [["v", "w"]]},
        bare | {"tensors": [["w", matrix, False], ["v", matrix.copy(), False]], "bits": {"": 4, "v": 2}},
        bare | {"tensors": [["e", empty, False], ["b", np.arange(3.0, dtype=np.float32), False]]},
        bare | {"tensors": [["n", np.array(7), False]], "meta": [1, "x"], "files": {"a": "é", "b": ""}},
    ]


@trips.oracle
def _(tensors, tied, bits, meta, files):
    found = {}
    for name, array, _ in tensors:
        if array.dtype.kind == "f" and array.ndim >= 2:
            flat = array.reshape(len(array), math.prod(array.shape[1:]))
            array = back(flat, bits_for(name, bits)).reshape(array.shape)
        found[name] = array
    for name, other in tied:
        found[name] = found[other]
    kinds = {"f": "torch.float32", "i": "torch.int64", "b": "torch.bool"}
    return {
        "names": list(found),
        "tensors": found,
        "dtypes": {name: kinds[array.dtype.kind] for name, array in found.items()},
        "shared": [True] * len(tied),
        "meta": meta,
        "files": files,
        "begins": "GOLF1",
        "type": "bytes",
        "same bytes": True,
    }


@checkpoint("The file is as short as its codes allow", count=5, seconds=8.0)
def short(lib, seed, kind, bits, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator)
    state = {"w": weight}
    if kind == "zeros":
        state = {"w": 0 * weight}
    elif kind == "outliers":  # a row's largest weight is far from the rest, whose codes are then few
        weight[:, 0] = 40.0
    elif kind == "uniform":
        state = {"w": torch.rand(rows, columns, generator=generator) - 0.5}
    elif kind == "tied":
        state = {"w": weight, "v": weight}
    return len(lib.nets.artifact.pack(state, {}, bits=bits))


@short.cases
def _(draw):
    kind = draw.choice(["uniform", "zeros", "outliers", "normal", "tied"])
    bits = draw.choice([6, 7]) if kind == "outliers" else draw.choice([4, 6, 5, 3])
    return dict(seed=draw.seed(), kind=kind, bits=bits, rows=draw.integer(60, 100), columns=draw.integer(150, 250))


@short.edges
def _():
    size = dict(rows=100, columns=200, seed=0)
    rest = [("uniform", 3), ("uniform", 6), ("zeros", 4), ("outliers", 6), ("normal", 6), ("tied", 4)]
    return [dict(kind=kind, bits=bits, **size) for kind, bits in rest]


@short.accepts
def _(got, seed, kind, bits, rows, columns):
    count, overhead = rows * columns, 2 * rows + 300
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator).numpy()
    if kind == "outliers":
        weight[:, 0] = 40.0
    if kind == "zeros":
        limit = 400.0
    elif kind == "uniform":
        limit = 1.01 * count * bits / 8 + overhead  # the codes are all alike: nothing is to be gained
    else:  # what a code is worth on average, by how often each occurs
        codes, _ = coded(weight, bits)
        shares = np.unique(codes, return_counts=True)[1] / count
        entropy = float(-(shares * np.log2(shares)).sum())
        limit = (1.15 * entropy + 0.15) * count / 8 + overhead
    if not isinstance(got, int):
        return f"the file should be bytes, not {type(got).__name__}"
    return got <= limit or f"{got} bytes for {count} codes of {bits} bits: {limit:.0f} are enough"


@checkpoint("A budget is kept to the byte, and what weighs most is named", count=8, seconds=4.0)
def budgeted(lib, tensors, short_by):
    artifact = lib.nets.artifact
    state = state_of(tensors, [])
    size = len(artifact.pack(state, {"a": 1}, bits=6))
    try:
        return len(artifact.pack(state, {"a": 1}, bits=6, budget=size - short_by)) <= size - short_by
    except artifact.OverBudget as problem:
        assert isinstance(problem, ValueError)
        heaviest = max(tensors, key=lambda tensor: tensor[1].size)[0]
        return ["over budget", heaviest in str(problem)]


@budgeted.cases
def _(draw):
    sizes = [2, 5, 9]
    tensors = [[f"w{n}", draw.normal(n, n).astype(np.float32), False] for n in sizes[: draw.integer(1, 3)]]
    return dict(tensors=tensors, short_by=draw.integer(0, 3))


@budgeted.edges
def _():
    tensors = [["w", np.eye(3, dtype=np.float32), False]]
    return [dict(tensors=tensors, short_by=0), dict(tensors=tensors, short_by=1), dict(tensors=tensors, short_by=-5)]


@budgeted.oracle
def _(tensors, short_by):
    return True if short_by <= 0 else ["over budget", True]


@checkpoint(
    "A file that is cut, changed or continued is refused, and so is what cannot be stored", count=8, seconds=4.0
)
def refused(lib, rows, columns, places):
    artifact = lib.nets.artifact
    state = {"w": torch.arange(rows * columns, dtype=torch.float32).reshape(rows, columns).cos()}
    data = artifact.pack(state, {"layers": 2}, bits=6)
    harmed = [data[: int(place * len(data))] for place in places]
    for place in places:  # one bit turned, behind the first bytes
        where = 6 + int(place * (len(data) - 6))
        harmed.append(data[:where] + bytes([data[where] ^ 16]) + data[where + 1 :])
    harmed += [data + b"x", b"", b"PACK1" + data[5:], data[:-1]]
    found = []
    right = artifact.unpack(data)
    for number, wrong in enumerate(harmed):
        try:
            read = artifact.unpack(wrong)
            turned = len(places) <= number < 2 * len(places)  # a bit that fills up a byte may say nothing
            same = turned and read.meta == right.meta and torch.equal(read.state["w"], right.state["w"])
            found.append("ValueError" if same else "read")
        except ValueError:
            found.append("ValueError")
    for wrong, bits in (
        ({"w": torch.full((2, 2), torch.nan)}, 6),
        ({"w": torch.tensor([1.0, torch.inf])}, 6),
        ({"w": torch.ones(2, 2)}, {"v": 6}),
        ({"w": torch.ones(2, 2)}, 12),
    ):
        try:
            artifact.pack(wrong, {}, bits=bits)
            found.append("packed")
        except ValueError as problem:
            found.append("w" in str(problem))
    return found


@refused.cases
def _(draw):
    places = [draw.uniform(0.0, 0.999) for _ in range(3)]
    return dict(rows=draw.integer(1, 9), columns=draw.integer(1, 9), places=places)


@refused.oracle
def _(rows, columns, places):
    return ["ValueError"] * (2 * len(places) + 4) + [True] * 4
