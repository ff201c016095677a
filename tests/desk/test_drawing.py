"""Drawings: what stands where in them, what is escaped, and that what they say is what was given."""

import base64
import itertools
import math
import re
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

from groundup.desk.drawing.boundary import boundary
from groundup.desk.drawing.graph import GAP, RADIUS, Edge, Node, draw_graph
from groundup.desk.drawing.heat import OUTLINES, coloured, grid, heat, heat_map, scale_of
from groundup.desk.drawing.markers import MARKERS
from groundup.desk.drawing.picture import image
from groundup.desk.drawing.plane import Plane
from groundup.desk.drawing.png import data_uri, png
from groundup.desk.drawing.scales import axis_ticks, span, tick_text
from groundup.desk.drawing.svg import element, number, picture

HOSTILE = "<script>alert(1)</script>\"'&"
SEEDS = range(20)


def tree(svg):
    return ElementTree.fromstring(str(svg))


def by_class(svg, word):
    return [part for part in tree(svg).iter() if word in part.get("class", "").split()]


def pixels_of(data):
    """What a PNG holds, read by its definition: no filter, one IDAT."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + size
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels = {0: 1, 2: 3, 6: 4}[colour]
    assert (depth, rest) == (8, [0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, channels)


def image_of(svg):
    """The pixels of a drawing's first image."""
    return pixels_of(base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", str(svg))[1]))


# Elements


def test_text_and_attributes_are_escaped_and_markup_is_not_escaped_twice():
    made = element("text", HOSTILE, element("b", "&"), class_=HOSTILE, data_name=HOSTILE)
    root = tree(made)
    assert root.text == root.get("class") == root.get("data-name") == HOSTILE
    assert root.find("b").text == "&" and "<script" not in made


def test_a_style_attribute_is_refused():
    with pytest.raises(ValueError, match="content policy"):
        element("p", style="color: red")


def test_attributes_that_are_absent_or_true():
    assert element("button", hidden=True, title=None, disabled=False) == "<button hidden></button>"


@pytest.mark.parametrize(
    "value, text", [(1, "1"), (1.0, "1"), (1.256, "1.26"), (-0.001, "0"), (1e4, "10000"), ("x", "x")]
)
def test_numbers_have_two_decimals_at_most(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_coordinate_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="no coordinate"):
        element("circle", r=value)


def test_a_picture_says_what_it_shows():
    root = tree(picture(40, 30, HOSTILE, element("g")))
    assert (root.get("role"), root.get("aria-label"), root.get("viewBox")) == ("img", HOSTILE, "0 0 40 30")


# PNG


@pytest.mark.parametrize("seed", SEEDS)
def test_a_png_holds_the_pixels_that_it_was_given(seed):
    rng = np.random.default_rng(seed)
    shape = (*rng.integers(1, 30, 2), *[(), (3,), (4,)][seed % 3])
    pixels = rng.integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(pixels_of(png(pixels)), pixels.reshape(*shape[:2], -1))


def test_numbers_from_0_to_1_become_bytes_and_what_is_beyond_is_cut():
    found = pixels_of(png(np.array([[0, 0.5, 1, 2, -1, np.nan, np.inf]])))
    assert found.ravel().tolist() == [0, 128, 255, 255, 0, 0, 255]


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 2, 2), (2, 2, 3, 1)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ValueError, match="no picture"):
        data_uri(np.zeros(shape))


# Axes


@pytest.mark.parametrize("seed", SEEDS)
def test_ticks_are_round_in_range_evenly_spaced_and_about_as_many_as_asked(seed):
    rng = np.random.default_rng(seed)
    low = rng.normal() * 10.0 ** rng.integers(-6, 7)
    high = low + abs(rng.normal()) * 10.0 ** rng.integers(-6, 7) + abs(low) * 1e-6 + 1e-9
    ticks = np.array(axis_ticks(low, high, False, 6))
    assert 1 <= len(ticks) <= 7 and low - 1e-9 * (high - low) <= ticks[0] and ticks[-1] <= high + 1e-9 * (high - low)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[:1], rtol=1e-6)
    if len(steps):
        first = f"{steps[0]:.0e}"[0]
        assert first in "125"


def test_ticks_by_powers_of_ten():
    assert axis_ticks(0.05, 2000, True, 6) == [0.1, 1, 10, 100, 1000]
    assert axis_ticks(2, 8, True, 6) == [2, 5]
    assert all(1e-12 <= t <= 1e12 for t in axis_ticks(1e-12, 1e12, True, 5))


def test_a_span_holds_every_finite_value():
    assert span([1, 2, np.nan, np.inf], 0) == (1, 2)
    low, high = span([3.0, 3.0])
    assert low < 3 < high
    assert span([]) == (0, 1) and span([-1, 0], log=True) == (0.1, 1)
    low, high = span([1e-3, 10, -5], log=True)
    assert 0 < low < 1e-3 and high > 10


@pytest.mark.parametrize(
    "value, text", [(0.5, "0.5"), (-2, "−2"), (1e-6, "1e−6"), (2.5e7, "2.5e7"), (0, "0"), (1000, "1000")]
)
def test_how_a_tick_is_written(value, text):
    assert tick_text(value) == text


def test_a_plane_puts_points_where_the_axes_say():
    plane = Plane(200, 100, (0, 10), (0.01, 100), log_y=True)
    width, height = plane.inner
    assert plane.across([0, 5, 10]).tolist() == [0, width / 2, width]
    assert np.allclose(plane.down([100, 1, 0.01]), [0, height / 2, height])
    assert np.isinf(plane.down(0)) and np.isnan(plane.down(-1))


@pytest.mark.parametrize(
    "bounds, log", [((1, 1), False), ((2, 1), False), ((0, 1), True), ((0, math.inf), False), ((math.nan, 1), False)]
)
def test_an_axis_that_is_none_is_refused(bounds, log):
    with pytest.raises(ValueError, match="an axis cannot reach"):
        Plane(100, 100, bounds, (0, 1), log_x=log)


def test_a_line_has_gaps_where_it_is_not_finite_and_nothing_is_drawn_beyond_reach():
    plane = Plane(200, 100, (0, 4), (0, 1)).line([0, 1, 2, 3, 4], [0, 1, np.nan, 1, 1e300], "s2")
    (path,) = by_class(plane.svg("a line"), "line")
    assert path.get("class") == "line s2"
    assert path.get("d").count("M") == 2 and path.get("d").count("L") == 2
    assert all(abs(float(n)) <= 1e5 for n in re.findall(r"-?[\d.]+", path.get("d")))


def test_a_long_line_is_thinned_and_keeps_its_peaks():
    values = np.zeros(100_000)
    values[[12_345, 77_777]] = 1.0, -1.0
    plane = Plane(400, 200, (0, 1e5), (-1, 1)).line(np.arange(100_000), values)
    svg = plane.svg("peaks")
    assert len(svg) < 60_000
    heights = {float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", by_class(svg, "line")[0].get("d"))}
    assert {0.0, number_of(plane.inner[1])} <= heights


def number_of(value):
    return float(number(value))


def test_dots_have_the_marker_of_their_series_and_those_outside_are_not_drawn():
    names = ["s1", "s2", "s3", "s2", "s1"]
    plane = Plane(200, 200, (0, 1), (0, 1)).dots([0.1, 0.2, 0.3, 0.4, 7.0], [0.5] * 5, names)
    drawn = {part.get("class"): part.get("d") for part in by_class(plane.svg("dots"), "dots")}
    assert {name: d.count("M") for name, d in drawn.items()} == {"dots s1": 1, "dots s2": 2, "dots s3": 1}
    shapes = [re.sub(r"-?[\d.]+", "", marker(10, 10, 3)) for marker in MARKERS.values()]
    assert len(set(shapes)) >= 4  # told apart without colour


def test_words_and_pictures_on_a_plane():
    pixels = np.array([[0.0, 1.0], [1.0, 0.0]])
    svg = Plane(200, 100, (0, 2), (0, 2)).axes().image(pixels, (0, 2, 0, 2)).text(1, 1, HOSTILE, "miss").svg("both")
    assert [part.text for part in by_class(svg, "words")] == [HOSTILE]
    assert image_of(svg)[:, :, 0].tolist() == [[0, 255], [255, 0]]


# Heat maps


def test_a_small_array_is_a_table_with_every_number_and_the_wrong_one_said():
    svg = heat(np.array([[1.0, 2.5], [3.0, -4.0]]), [1, 0], "some numbers")
    cells = [["".join(cell.itertext()) for cell in row.iter("td")] for row in tree(svg).iter("tr")]
    assert cells == [["1", "2.5"], ["wrong: 3", "-4"]]
    assert [cell.get("class") for cell in tree(svg).iter("td")] == [None, None, "bad", None]
    assert "style=" not in svg


def test_of_three_dimensions_each_matrix_is_a_table_of_its_own():
    svg = grid(np.arange(12).reshape(2, 2, 3))
    assert len(list(tree(svg).iter("table"))) == 2
    assert [part.text for part in tree(svg).iter("small")] == ["[0]", "[1]"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_line_around_wrong_entries_has_the_length_of_their_edge(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((rng.integers(9, 30), rng.integers(9, 30))) < 0.2
    mask[3, 4] = True
    svg = heat_map(rng.normal(size=mask.shape), mask)
    (outline,) = by_class(svg, "outline")
    cell = float(tree(svg).find(".//image").get("width")) / mask.shape[1]
    horizontal = sum(float(b) - float(a) for a, b in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", outline.get("d")))
    vertical = sum(float(b) - float(a) for a, b in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", outline.get("d")))
    around = np.pad(mask, 1)
    edges = sum(int((np.diff(around.astype(int), axis=axis) != 0).sum()) for axis in (0, 1))
    assert math.isclose((horizontal + vertical) / cell, edges, rel_tol=0.01)


def test_a_mask_like_snow_gets_one_frame():
    mask = np.random.default_rng(0).random((80, 80)) < 0.5
    svg = heat_map(np.ones(mask.shape), mask)
    assert mask.sum() > OUTLINES and [part.tag for part in by_class(svg, "outline")] == ["rect"]
    assert len(svg) < 20_000


def test_colours_are_blue_below_red_above_and_clear_in_the_middle():
    found = coloured(np.array([[-2.0, 0.0, 2.0, np.nan]]), -2, 2)[0].astype(int)
    assert found[0, 2] > found[0, 0] and found[2, 0] > found[2, 2]
    assert found[0, 3] == found[2, 3] == 255 and found[1, 3] < 20
    assert len(set(found[3, :3])) == 1


def test_a_shared_scale_reaches_around_all_arrays():
    assert scale_of(np.array([1.0, 2.0]), np.array([5.0])) == (1, 5)
    assert scale_of(np.array([-1.0, 4.0])) == (-4, 4)
    assert scale_of(np.array([np.nan])) == (0, 1)


def test_of_many_dimensions_the_matrix_with_the_wrong_entry_is_shown():
    array = np.zeros((3, 4, 20, 20))
    array[2, 1] = 1.0
    svg = heat_map(array, [2, 1, 7, 8])
    assert "[2, 1, :, :]" in svg and "row 7, column 8" in svg
    assert np.unique(image_of(svg)[..., 3]).size == 1


# Graphs


def random_graph(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 16))
    nodes = [Node(str(i), "tanh" if i % 4 == 0 else "+", f"{i}.5", "∂ 1") for i in range(count)]
    edges = [
        Edge(str(int(rng.integers(0, i))), str(i), "0.5") for i in range(1, count) for _ in range(rng.integers(1, 3))
    ]
    return nodes, edges


@pytest.mark.parametrize("seed", SEEDS)
def test_arrows_lead_to_the_right_and_no_two_nodes_overlap(seed):
    nodes, edges = random_graph(seed)
    svg = draw_graph(nodes, edges, "a graph")
    boxes = [tuple(float(part.get(k)) for k in ("x", "y", "width", "height")) for part in by_class(svg, "node")]
    assert len(boxes) == len(nodes)
    for a, b in itertools.combinations(boxes, 2):
        assert a[0] + a[2] < b[0] or b[0] + b[2] < a[0] or a[1] + a[3] < b[1] or b[1] + b[3] < a[1]
    x = {node.name: box[0] for node, box in zip(nodes, boxes)}
    assert all(x[e.end] - x[e.start] >= GAP / 2 for e in edges)
    assert len(by_class(svg, "line")) == len(edges)
    assert sum(part.text == "0.5" for part in by_class(svg, "mono")) >= len(edges)


def test_two_arrows_between_the_same_nodes_are_apart():
    svg = draw_graph([Node("a", "a"), Node("y", "+")], [Edge("a", "y", "1"), Edge("a", "y", "2")], "twice")
    first, second = (float(part.get("y")) for part in by_class(svg, "mono"))
    assert abs(first - second) > 12
    assert len({part.get("d") for part in by_class(svg, "line")}) == 2


def test_everything_lies_within_the_picture():
    svg = draw_graph(*random_graph(3), "a graph")
    root = tree(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    left, top = map(float, re.findall(r"-?[\d.]+", root.find("g").get("transform")))
    for part in by_class(svg, "node"):
        assert float(part.get("x")) + left >= 0 and float(part.get("x")) + left + 2 * RADIUS <= width
        assert float(part.get("y")) + top >= 0 and float(part.get("y")) + top + 2 * RADIUS <= height


def test_circles_and_arrows_to_nowhere_are_refused():
    with pytest.raises(ValueError, match="circle"):
        draw_graph([Node("a", "a"), Node("b", "b")], [Edge("a", "b"), Edge("b", "a")], "round")
    with pytest.raises(ValueError, match="not there"):
        draw_graph([Node("a", "a")], [Edge("a", "b")], "nowhere")


# Samples and images


def test_samples_have_the_marker_of_their_class_and_the_key_names_it():
    X, y = np.array([[0, 0], [1, 1], [2, 0.0]]), ["no", HOSTILE, "no"]
    svg = boundary(X, y, "three samples", wrong=[1], regions=np.array([["no", HOSTILE]]))
    drawn = [(part.get("class"), part.get("d").count("M")) for part in by_class(svg, "dots")]
    assert drawn[:3] == [("dots s2", 2), ("dots s1", 1), ("dots miss", 2)]  # a cross is two strokes
    (key,) = by_class(svg, "key")
    assert [part.text or part[0].tail for part in key] == [HOSTILE, "no", "wrong"]
    left, right = image_of(svg)[0]
    assert left.tolist() != right.tolist() and left[3] == right[3] < 128


def test_samples_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="plane"):
        boundary(np.zeros((3, 1)), [0, 1, 0], "no plane")


def test_an_image_is_its_pixels_from_black_to_white():
    svg = image(np.array([[0.0, 5.0], [10.0, 2.5]]), "four pixels")
    assert image_of(svg)[:, :, 0].tolist() == [[0, 128], [255, 64]]


def test_of_a_batch_the_wrong_image_comes_first_and_its_pixel_is_framed():
    batch = np.stack([np.full((6, 6), float(i)) for i in range(5)])
    svg = image(batch, "five", wrong=[3, 1, 2])
    assert np.unique(image_of(svg)).tolist() == [round(255 * 3 / 4)]
    (frame,) = by_class(svg, "outline")
    side = float(frame.get("width"))
    assert (float(frame.get("x")) - 2, float(frame.get("y")) - 2) == (2 * side, side)


def test_colours_may_stand_first_or_last():
    first, last = np.zeros((2, 3, 6, 6)), np.zeros((6, 6, 3))
    first[:, 0], last[:, :, 0] = 1, 1
    for array in (first, last):
        assert image_of(image(array, "red"))[0, 0].tolist() == [255, 0, 0]
    with pytest.raises(ValueError, match="no image"):
        image(np.zeros((1, 2, 3, 4, 5)), "too many axes")
