"""The picture of a graph: what is in it, that it is well-formed, and that nothing lies on anything else."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.grad import arrange, ops
from groundup.grad.draw import draw
from groundup.grad.tensor import Tensor, operation
from groundup.grad.value import Value

SVG = "{http://www.w3.org/2000/svg}"


def parts(svg):
    """Boxes (left, top, right, bottom), texts, and how many lines there are."""
    root = ET.fromstring(svg)
    boxes = [[float(r.get(k)) for k in ("x", "y", "width", "height")] for r in root.iter(SVG + "rect")]
    return (
        [(x, y, x + w, y + h) for x, y, w, h in boxes],
        [t.text for t in root.iter(SVG + "text")],
        len([*root.iter(SVG + "path")]),
    )


def leaf(*shape):
    return Tensor(np.random.default_rng(0).uniform(0.5, 2.0, shape), requires_grad=True)


def test_a_layer_is_drawn_with_its_operations_shapes_and_names():
    W, b = leaf(3, 4), leaf(4)
    loss = ((np.ones((5, 3)) @ W + b).tanh() ** 2).mean()
    boxes, texts, lines = parts(draw(loss, {"W": W, "b": b, "loss": loss}))
    assert {"W", "b", "@", "+", "tanh", "power", "sum", "÷", "loss", "(3, 4)", "(5, 4)", f"{loss.item():.4g}"} <= {
        *texts
    }
    assert len(boxes) == 8 and lines == 7


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda a: a * 2, "×"),
        (lambda a: 2 - a, "−"),
        (lambda a: a[0], "[ ]"),
        (lambda a: a.max(), "max"),
        (lambda a: ops.softmax(a), "softmax"),
        (lambda a: ops.clip(a, 1, 2), "clip"),
        (lambda a: ops.norm(a), "norm"),
        (lambda a: arrange.einsum("ij,ij->i", a, a), "einsum"),
        (lambda a: arrange.concatenate([a, a]), "concatenate"),
        (lambda a: arrange.stack([a]), "stack"),
    ],
)
def test_an_operation_has_the_name_of_the_function_it_was_written_in(function, name):
    assert name in parts(draw(function(leaf(2, 2))))[1]


def test_an_operation_of_ones_own_has_its_name():
    def doubled(x):
        return operation(2 * x.data, (x, lambda g: 2 * g))

    class Rule:
        def __call__(self, g):
            return g

    assert "doubled" in draw(doubled(leaf()))
    assert "Rule" in draw(operation(np.ones(()), (leaf(), Rule())))


def test_an_operand_that_is_used_twice_has_two_lines_and_one_box():
    a = leaf()
    boxes, _, lines = parts(draw(a * a))
    assert (len(boxes), lines) == (2, 2)


def test_what_requires_no_gradient_is_not_drawn():
    boxes, _, _ = parts(draw(leaf(2) * Tensor([1.0, 2.0]) + 3))
    assert len(boxes) == 3


def test_a_leaf_alone_is_a_picture():
    assert parts(draw(leaf(2, 3)))[1:] == (["(2, 3)"], 0)


def test_values_show_numbers_slopes_and_gradients():
    a, b = Value(2.0), Value(-3.0)
    y = a * b + a
    y.backward()
    boxes, texts, lines = parts(draw(y, {"a": a, "b": b}))
    assert (len(boxes), lines) == (4, 4)
    assert sorted(texts) == sorted(
        ["a", "2", "grad -2", "b", "-3", "grad 2", "-6", "grad 1", "-4", "grad 1", "-3", "2", "1", "1"]
    )


def test_names_are_escaped():
    a = leaf()
    assert "a < b & c" in parts(draw(a, {"a < b & c": a}))[1]


def test_it_takes_the_colour_of_the_text_around_it():
    svg = draw(leaf(2) * 2)
    colours = {*re.findall(r'(?:fill|stroke)="([^"]*)"', svg)}
    assert colours == {"currentColor", "none", "#3b82c4"}
    assert "prefers-color-scheme:dark" in svg and "svg:root{" in svg  # of a file only, not of the page it stands in


def test_the_same_graph_gives_the_same_text():
    assert draw(ops.softmax(leaf(3)) * 2) == draw(ops.softmax(leaf(3)) * 2)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=15))
@settings(max_examples=50, deadline=None)
def test_no_box_lies_on_another_and_all_are_inside(choices):
    nodes = [leaf(), leaf(), leaf()]
    for i, j in choices:
        nodes.append(nodes[i % len(nodes)] * nodes[j % len(nodes)])
    svg = draw(nodes[-1])
    boxes, _, _ = parts(svg)
    width, height = (float(ET.fromstring(svg).get(k)) for k in ("width", "height"))
    for left, top, right, bottom in boxes:
        assert left >= 0 and top >= 0 and right <= width + 1 and bottom <= height + 1
    for (a, b, c, d), (e, f, g, h) in combinations(boxes, 2):
        assert c < e or g < a or d < f or h < b


def test_a_long_chain_needs_no_deep_stack():
    y = leaf()
    for _ in range(2000):
        y = -y
    assert len(parts(draw(y))[0]) == 2001
