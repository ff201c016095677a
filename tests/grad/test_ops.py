"""The completed engine: rules against differences and on other engines, kinks and extremes, einsum against PyTorch."""

import ast
import gc
import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.holes.library import reference_text
from groundup.course.overlay import Library, Overlay, from_sources
from groundup.grad import arrange, ops, tensor
from groundup.grad.check import gradient_check
from groundup.grad.tensor import Tensor

ROOT = Path(__file__).parents[2]
TABLE = np.random.default_rng(7).uniform(0.5, 2.0, (3, 4))
IDS = np.array([[0, 2, 0], [1, 1, 2]])
OPERATIONS = {  # of (the functions, a Tensor (3, 4) of numbers from 0.5 to 2, no two equal)
    "absolute": lambda o, a: o.absolute(a - 1.2),
    "sqrt": lambda o, a: o.sqrt(a),
    "sin": lambda o, a: o.sin(a),
    "cos": lambda o, a: o.cos(a),
    "tan": lambda o, a: o.tan(a / 2),
    "arctan": lambda o, a: o.arctan(a - 1.2),
    "expm1": lambda o, a: o.expm1(a),
    "log1p": lambda o, a: o.log1p(a),
    "erf": lambda o, a: o.erf(a - 1.2),
    "sigmoid": lambda o, a: o.sigmoid(a - 1.2),
    "softplus": lambda o, a: o.softplus(a - 1.2),
    "silu": lambda o, a: o.silu(a - 1.2),
    "gelu": lambda o, a: o.gelu(a - 1.2) + o.gelu(a, "tanh"),
    "elu": lambda o, a: o.elu(a - 1.2) + o.elu(a - 1.2, 0.3),
    "leaky_relu": lambda o, a: o.leaky_relu(a - 1.2) + o.leaky_relu(1.2 - a, 0.3),
    "clip": lambda o, a: o.clip(a, 0.7, 1.3) + o.clip(a, high=0.9) + o.clip(a, 1.8),
    "maximum": lambda o, a: o.maximum(a, 1.2) * o.maximum(a[:1], a),
    "minimum": lambda o, a: o.minimum(1.2, a) * o.minimum(a[:, :1], a),
    "where": lambda o, a: o.where(TABLE > 1, a * a, 3) + o.where(TABLE[0] > 1, a[0], a),
    "power": lambda o, a: o.power(a, a[:1]) + o.power(a, 3) + o.power(2.0, a),
    "logaddexp": lambda o, a: o.logaddexp(a, -3 * a[:, :1]) + o.logaddexp(0.0, a),
    "amin": lambda o, a: o.amin(a) * o.amin(a, 0) + o.amin(a, (0, 1), keepdims=True),
    "prod": lambda o, a: o.prod(a) * o.prod(a, 0) + o.prod(a, (0, -1), keepdims=True),
    "prod of a middle axis": lambda o, a: o.prod(a.reshape(3, 2, 2), 1, keepdims=True) * o.prod(a.reshape(3, 2, 2), (2, 0))[:, None],
    "norm": lambda o, a: o.norm(a) * o.norm(a, 0) + o.norm(a, (0, 1), keepdims=True),
    "var": lambda o, a: o.var(a) * o.var(a, 0) + o.var(a, (0, 1), 1, keepdims=True),
    "std": lambda o, a: o.std(a) * o.std(a, -1, 1)[:, None] + o.std(a, (0, 1), 0.5, keepdims=True),
    "logsumexp": lambda o, a: o.logsumexp(a, None) * o.logsumexp(a, 0) + o.logsumexp(a, (0, 1), keepdims=True),
    "softmax": lambda o, a: o.softmax(a) * o.softmax(a, 0) + o.softmax(a, (0, 1)),
    "log_softmax": lambda o, a: o.log_softmax(a) * o.log_softmax(a, 0) + o.log_softmax(a, (0, 1)),
    "cumsum": lambda o, a: o.cumsum(a) * o.cumsum(a, 0),
    "cumprod": lambda o, a: o.cumprod(a) * o.cumprod(a, 0),
    "concatenate": lambda o, a: o.concatenate([a, a * a, -a[:1]]) [:, :2] @ o.concatenate([a[:2], a[1:]], -1)[:, :5],
    "stack": lambda o, a: o.stack([a, a * a, -a]) * o.stack([a, a, a * a], -1).transpose(2, 0, 1),
    "split": lambda o, a: o.split(a, 2, 1)[1] * o.split(a, [1, 3], -1)[1],
    "unstack": lambda o, a: o.unstack(a)[2] * o.unstack(a, 1)[0][0],
    "take": lambda o, a: o.take(a, IDS) * o.take(a, 1, -1)[:, None],
    "take_along_axis": lambda o, a: o.take_along_axis(a, IDS.T, 1) * o.take_along_axis(a, IDS[:, :1], 0)[:, :2].sum(),
    "arrange": lambda o, a: o.arrange(a, lambda p: np.repeat(p, 2, 0)) * o.arrange(a, lambda p: np.tile(p, (2, 1))),
    "pad": lambda o, a: o.pad(a, ((1, 0), (0, 2)), value=3.0) * o.pad(a * a, ((0, 1), (1, 1)), "reflect"),
    "flip": lambda o, a: o.flip(a) * o.flip(a, 0) + o.flip(a, (0, -1)),
    "roll": lambda o, a: o.roll(a, 5) * o.roll(a, 2, 0) + o.roll(a, (1, -1), (0, 1)),
    "swapaxes": lambda o, a: o.swapaxes(a, 0, -1) @ a,
    "moveaxis": lambda o, a: o.moveaxis(a.reshape(3, 2, 2), 0, -1)[0] @ a,
    "expand_dims": lambda o, a: o.expand_dims(a, 1) * o.expand_dims(a, (0, -1)).sum(),
    "squeeze": lambda o, a: o.squeeze(a[:1]) * o.squeeze(a[:, None], 1),
    "broadcast_to": lambda o, a: o.broadcast_to(a[:, None], (2, 3, 2, 4)) * TABLE[:, None],
    "tril": lambda o, a: o.tril(a) * o.tril(a, 1),
    "triu": lambda o, a: o.triu(a) + o.triu(a, -1),
    "einsum": lambda o, a: o.einsum("ij,kj,j->ik", a, a, a[0]) * o.einsum("ii->i", a[:, :3]) + o.einsum("ij->", a),
}  # fmt: skip
FUNCTIONS = SimpleNamespace(**{k: v for m in (ops, arrange) for k, v in vars(m).items() if inspect.isfunction(v)})


def point():
    return np.random.default_rng(3).permutation(np.linspace(0.5, 2.0, 12)).reshape(3, 4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients_of_every_operation_agree_with_central_differences(name):
    a = Tensor(point(), requires_grad=True)
    y = OPERATIONS[name](FUNCTIONS, a)
    upstream = np.random.default_rng(4).standard_normal(y.shape)
    y.backward(upstream)
    found = gradient_check(
        lambda x: float((OPERATIONS[name](FUNCTIONS, Tensor(x)).data * upstream).sum()), a.grad, a.data, tolerance=1e-7
    )
    assert found.passed, found


def test_every_public_function_has_its_row():
    public = {
        name for name, f in vars(FUNCTIONS).items() if f.__module__.startswith("groundup.grad") and name[0] != "_"
    }
    assert public - {*OPERATIONS, "as_tensors", "operation"} == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_float32_stays_float32(name):
    before = TABLE.dtype
    a = Tensor(point().astype(np.float32), requires_grad=True)
    y = OPERATIONS[name](FUNCTIONS, a)
    rules_give = [np.asarray(rule(np.ones(y.shape, np.float32))).dtype for _, rule in y._links]
    y.backward(np.ones(y.shape))
    assert before == np.float64 and a.grad.dtype == np.float32
    if name != "broadcast_to":  # which has an array of float64 in it
        assert {y.dtype, *rules_give} == {np.dtype(np.float32)}


@pytest.fixture(scope="module", params=["second", "adapter"])
def another_engine(request):
    """The functions on an engine that was written differently, or on PyTorch's."""
    if request.param == "adapter":
        pytest.importorskip("torch")
    path = ROOT / "tests" / "solutions" / "1.4" / f"{request.param}.py"
    given = ["grad.ops", "grad.arrange", "grad.layers.dense"]
    sources = {name: (name, reference_text(name)) for name in given} | {"grad.tensor": (str(path), path.read_text())}
    overlay = Overlay("another", from_sources(sources)).install()
    lib = Library("another").grad
    yield SimpleNamespace(**vars(lib.ops) | vars(lib.arrange)), lib.tensor.Tensor
    overlay.remove()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_engine_of_ones_own_gives_the_same(another_engine, name):
    functions, Own = another_engine
    a, b = Tensor(point(), requires_grad=True), Own(point(), requires_grad=True)
    y, z = OPERATIONS[name](FUNCTIONS, a), OPERATIONS[name](functions, b)
    np.testing.assert_allclose(z.data, y.data, rtol=1e-12)
    upstream = np.random.default_rng(4).standard_normal(y.shape)
    y.backward(upstream)
    z.backward(upstream)
    np.testing.assert_allclose(b.grad, a.grad, rtol=1e-10, atol=1e-12)


def test_only_the_engines_contract_is_used():
    for module in (ops, arrange):
        tree = ast.parse(inspect.getsource(module))
        taken = {
            a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "tensor" for a in n.names
        }
        assert taken <= {"Tensor", "operation"}
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr.startswith("_")]


def test_no_rule_changes_its_gradient_or_keeps_a_cycle():
    gc.collect()
    gc.disable()
    try:
        for function in OPERATIONS.values():
            a = Tensor(point(), requires_grad=True)
            y = function(FUNCTIONS, a)
            g = np.random.default_rng(5).standard_normal(y.shape)
            kept = g.copy()
            y.backward(g)
            np.testing.assert_array_equal(g, kept)
            np.testing.assert_array_equal(a.data, point())
            assert not np.shares_memory(a.grad, g) and not np.shares_memory(a.grad, a.data)
        del y, a
        assert gc.collect() == 0
    finally:
        gc.enable()


# ---- Kinks, ties, zeros


def slopes(function, *arrays, upstream=1.0):
    """The gradients of the sum of a function's result, or under an upstream gradient."""
    leaves = [Tensor(x, requires_grad=True) for x in arrays]
    y = function(*leaves)
    y.backward(np.broadcast_to(upstream, y.shape))
    return [leaf.grad.tolist() for leaf in leaves]


def test_slopes_at_kinks_are_as_the_docstrings_say():
    zero = [0.0]
    assert slopes(ops.absolute, zero) == [[0.0]]
    assert slopes(ops.elu, zero) == [[1.0]]
    assert slopes(lambda x: ops.elu(x, 0.5), zero) == [[0.5]]
    assert slopes(lambda x: ops.leaky_relu(x, 0.25), zero) == [[0.25]]
    assert slopes(lambda x: ops.clip(x, 0, 1), [-1.0, 0.0, 0.5, 1.0, 2.0]) == [[0.0, 1.0, 1.0, 1.0, 0.0]]
    with np.errstate(divide="ignore"):
        assert slopes(ops.sqrt, zero) == [[np.inf]]


def test_equal_operands_share_the_gradient():
    a, b = [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]
    assert slopes(ops.maximum, a, b) == [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]
    assert slopes(ops.minimum, a, b) == [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]
    assert slopes(ops.amin, [[2.0, 1.0, 1.0]]) == [[[0.0, 0.5, 0.5]]]


def test_clip_with_low_above_high_is_high():
    assert ops.clip(Tensor([0.0, 5.0]), 3, 2).data.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("row", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0], [0.0]])
def test_the_slope_of_a_product_is_the_product_of_the_others(row):
    others = [float(np.prod(row[:i] + row[i + 1 :])) for i in range(len(row))]
    assert slopes(ops.prod, row) == [others]
    assert slopes(lambda x: ops.prod(x, 0, keepdims=True), row) == [others]


def test_a_product_too_small_for_a_float_still_has_slopes():
    assert slopes(ops.prod, [1e-200, 1e-200, 1.0]) == [[1e-200, 1e-200, 0.0]]


@pytest.mark.parametrize("row", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0, 5.0], [0.0, 3.0, 0.0, 2.0]])
def test_cumulative_products_have_the_slopes_of_their_differences(row):
    upstream = np.array([1.0, 10.0, 100.0, 1000.0])[: len(row)]
    (got,) = slopes(ops.cumprod, row, upstream=upstream)
    assert gradient_check(lambda x: float(np.cumprod(x) @ upstream), got, np.array(row)).passed


def test_lengths_and_deviations_of_zero_have_the_slope_zero():
    assert slopes(ops.norm, [0.0, 0.0]) == [[0.0, 0.0]]
    assert slopes(lambda x: ops.norm(x, 1), [[0.0, 0.0], [3.0, 4.0]]) == [[[0.0, 0.0], [0.6, 0.8]]]
    assert slopes(ops.std, [2.0, 2.0]) == [[0.0, 0.0]]


def test_powers_at_zero():
    assert slopes(ops.power, [0.0, 0.0, 0.0], [0.0, 1.0, 2.0]) == [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert slopes(lambda a: ops.power(a, 3), [-2.0]) == [[12.0]]


def test_what_where_does_not_choose_may_be_made_harmless():
    def log_or_zero(x):
        harmless = ops.where(x.data > 0, x, 1)
        return ops.where(x.data > 0, harmless.log(), 0)

    assert slopes(log_or_zero, [-1.0, 0.0, 2.0]) == [[0.0, 0.0, 0.5]]


# ---- Huge and tiny


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nothing_overflows_at_the_ends(dtype):
    x = np.array([-1e4, -1.0, 0.0, 1.0, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for function in (
            ops.sigmoid,
            ops.softplus,
            ops.silu,
            ops.gelu,
            ops.elu,
            ops.softmax,
            ops.log_softmax,
            ops.logsumexp,
        ):
            a = Tensor(x, requires_grad=True)
            y = function(a)
            y.backward(np.ones_like(y.data))
            assert np.isfinite(y.data).all() and np.isfinite(a.grad).all()
        a, b = Tensor(x, requires_grad=True), Tensor(x[::-1].copy(), requires_grad=True)
        ops.logaddexp(a, b).sum().backward()
        np.testing.assert_allclose(a.grad + b.grad, 1, rtol=1e-6)


def test_far_out_values_are_exact():
    x = Tensor([-700.0, -40.0, 40.0, 1000.0])
    np.testing.assert_allclose(ops.sigmoid(x).data[:2], np.exp(x.data[:2]), rtol=1e-14)
    np.testing.assert_allclose(ops.softplus(x).data, [*np.exp(x.data[:2]), *x.data[2:]], rtol=1e-14)
    assert ops.log_softmax(Tensor([0.0, -1000.0])).data.tolist() == [0.0, -1000.0]
    assert ops.logsumexp(Tensor([-1000.0, -1000.0])).item() == pytest.approx(-1000 + np.log(2), rel=1e-15)


def test_masked_scores_take_no_part():
    x, g = [1.0, -np.inf, 2.0], np.array([1.0, 5.0, 2.0])
    p = np.exp([1.0, -np.inf, 2.0]) / np.exp([1.0, 2.0]).sum()
    np.testing.assert_allclose(ops.softmax(Tensor(x)).data, p)
    np.testing.assert_allclose(slopes(ops.softmax, x, upstream=g), [p * (g - g @ p)])
    np.testing.assert_allclose(slopes(ops.logsumexp, x), [p])


def test_the_sum_of_nothing_is_minus_infinity_without_a_slope():
    nothing = [-np.inf, -np.inf]
    assert ops.logsumexp(Tensor(nothing)).item() == -np.inf
    assert slopes(ops.logsumexp, nothing) == [[0.0, 0.0]]


# ---- Arrangement


def test_splitting_undoes_joining():
    parts = [Tensor(TABLE[:, :1]), Tensor(TABLE[:, 1:]), Tensor(TABLE[:, :2])]
    for part, again in zip(parts, arrange.split(arrange.concatenate(parts, 1), [1, 4], axis=1)):
        np.testing.assert_array_equal(part.data, again.data)
    rows = [Tensor(row) for row in TABLE]
    for axis in (0, 1, -1):
        for row, again in zip(rows, arrange.unstack(arrange.stack(rows, axis), axis)):
            np.testing.assert_array_equal(row.data, again.data)


def test_unequal_parts_are_refused():
    with pytest.raises(ValueError, match="4 elements do not make 3 equal parts"):
        arrange.split(Tensor(TABLE), 3, axis=1)


def test_arrays_and_numbers_take_the_dtype_beside_them():
    a = Tensor(np.ones(2, np.float32), requires_grad=True)
    assert ops.where([True, False], a, 0).dtype == np.float32
    assert ops.maximum(0.5, a).dtype == np.float32
    assert arrange.concatenate([a, [1, 2]]).dtype == np.float32
    assert arrange.concatenate([a, np.ones(2)]).dtype == np.float64


def test_a_word_that_occurs_twice_gets_both_gradients():
    table = Tensor(np.zeros((4, 2)), requires_grad=True)
    arrange.take(table, [[1, 3], [1, 0]]).sum().backward()
    assert table.grad[:, 0].tolist() == [1.0, 2.0, 0.0, 1.0]


MOVES = {
    "take_along_axis": (lambda o, x: o.take_along_axis(x, IDS.T, 1), lambda x: np.take_along_axis(x, IDS.T, 1)),
    "rows of a broadcast index": (lambda o, x: o.take_along_axis(x, [[2, 0, 1, 1]], 0), lambda x: np.take_along_axis(x, np.array([[2, 0, 1, 1]]), 0)),
    "take": (lambda o, x: o.take(x, IDS, 1), lambda x: np.take(x, IDS, 1)),
    "pad": (lambda o, x: o.pad(x, 1, "wrap"), lambda x: np.pad(x, 1, "wrap")),
    "pad with a value": (lambda o, x: o.pad(x, (0, 2), value=7), lambda x: np.pad(x, (0, 2), constant_values=7)),
    "roll": (lambda o, x: o.roll(x, (1, 6), (1, 0)), lambda x: np.roll(x, (1, 6), (1, 0))),
    "moveaxis": (lambda o, x: o.moveaxis(x[None], (0, 1), (-1, 0)), lambda x: np.moveaxis(x[None], (0, 1), (-1, 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_elements_go_where_numpy_puts_them_and_gradients_come_back(name):
    ours, numpys = MOVES[name]
    a = Tensor(point(), requires_grad=True)
    y = ours(arrange, a)
    np.testing.assert_array_equal(y.data, numpys(point()))
    g = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(g)
    constant = numpys(np.zeros((3, 4)))  # of a margin
    assert (g * (y.data - constant)).sum() == pytest.approx((a.grad * point()).sum())  # <g, Mx> = <M'g, x>


# ---- einsum


@st.composite
def summations(draw):
    """Subscripts and shapes of one to three operands, with repeated letters, axes of length 1 and "..." among them."""
    lengths = {c: draw(st.integers(1, 3)) for c in "abcd"}
    dots = draw(st.lists(st.integers(1, 3), max_size=2))
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        term = draw(st.text("abcd", max_size=3))
        shape = [lengths[c] for c in term]
        if dots and draw(st.booleans()):
            place = draw(st.integers(0, len(term)))
            own = [draw(st.sampled_from([1, n])) for n in dots[draw(st.integers(0, len(dots))) :]]
            term, shape = f"{term[:place]}...{term[place:]}", shape[:place] + own + shape[place:]
        terms.append(term)
        shapes.append(shape)
    letters = sorted({*"".join(terms)} - {"."})
    result = "".join(draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))])
    return ",".join(terms) + "->" + ("..." if any("..." in term for term in terms) else "") + result, shapes


@given(summations())
@settings(max_examples=100, deadline=None)
def test_einsum_of_anything_is_pytorchs_and_so_are_its_gradients(case):
    torch = pytest.importorskip("torch")
    subscripts, shapes = case
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    ours, theirs = (
        [make(x) for x in arrays] for make in (lambda x: Tensor(x, True), lambda x: torch.tensor(x, requires_grad=True))
    )
    y, z = arrange.einsum(subscripts, *ours), torch.einsum(subscripts, *theirs)
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-12)
    g = rng.standard_normal(y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("subscripts", ["ij,jk", "ba", "ij,ij", "i...,i", "ii", "bi,aj"])
def test_without_an_arrow_the_result_is_numpys(subscripts):
    arrays = [np.random.default_rng(0).standard_normal((2, 2)) for _ in subscripts.split(",")]
    arrays = [x[0] if t == "i" else x for x, t in zip(arrays, subscripts.split(","))]
    y = arrange.einsum(subscripts, *(Tensor(x) for x in arrays))
    np.testing.assert_allclose(y.data, np.einsum(subscripts, *arrays), atol=1e-12)


def test_a_length_of_one_fits_any_other_as_in_numpy():
    a, b = Tensor(TABLE, requires_grad=True), Tensor(TABLE[:, :1], requires_grad=True)
    arrange.einsum("ij,ij->i", a, b).backward(np.ones(3))
    np.testing.assert_allclose(a.grad, np.broadcast_to(TABLE[:, :1], (3, 4)))
    np.testing.assert_allclose(b.grad, TABLE.sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("subscripts", "says"),
    [
        ("ij,jk->ik", "names 2 operands, and there are 1"),
        ("ijk->i", "names 3 axes"),
        ("i->i", "names 1 axes"),
        ("ij->k", "k"),
    ],
)
def test_subscripts_that_do_not_fit_are_refused(subscripts, says):
    with pytest.raises(ValueError, match=says):
        arrange.einsum(subscripts, Tensor(TABLE))


def test_no_method_of_the_engine_is_here_a_second_time():
    assert not {n for n in vars(FUNCTIONS) if hasattr(tensor.Tensor, n)}
