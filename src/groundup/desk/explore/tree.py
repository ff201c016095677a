"""A decision tree, split by split (2.5): on the samples it was grown on it only gets better, on others it does not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from ..drawing.svg import element
from .explorable import Drawn, Explorable, Slider, Steps, Values, arrays, panels, scatter

SPLITS = 60
BOX = (-2.2, 2.2)
_grown: dict[tuple[float, int], Any] = {}


def labelled_points(noise: float, seed: int, n: int) -> Any:
    """Points in a square, class 1 inside a ring that is not quite round; a share of the labels is turned."""
    generator = np.random.default_rng(seed)
    X = generator.uniform(-2, 2, (n, 2))
    inside = np.hypot(X[:, 0], 1.3 * X[:, 1] - 0.4 * np.sin(2 * X[:, 0])) < 1.35
    return X, (inside ^ (generator.random(n) < noise)).astype(np.int64)


def compute(lib: Any, *, splits: int, noise: float, leaf: int) -> dict[str, Any]:
    """The tree of so many splits, the split before it, and the share of mistakes of all sizes, on its samples and on new ones."""
    X, y = labelled_points(noise, 5, 160)
    new_X, new_y = labelled_points(noise, 6, 1000)

    if (noise, leaf) not in _grown:
        whole = lib.classic.tree.DecisionTreeClassifier(min_samples_leaf=leaf).fit(X, y).tree_
        most = min(int(whole.n_leaves), SPLITS + 1)
        trees = [lib.classic.pruning.prune_to_leaves(whole, leaves) for leaves in range(1, most + 1)]
        wrong = [
            [np.mean(np.argmax(t.value[t.apply(A)], axis=1) != a) for t in trees] for A, a in ((X, y), (new_X, new_y))
        ]
        _grown[noise, leaf] = trees, np.array(wrong, dtype=float)
    trees, (seen, new) = _grown[noise, leaf]
    at = min(splits, len(trees) - 1)
    regions = {"regions": leaf_boxes(trees[at]), "before": leaf_boxes(trees[max(at - 1, 0)])}
    return {"X": X, "y": y, "seen": seen, "new": new, **regions}


def leaf_boxes(tree: Any) -> Any:
    """For each leaf left, right, bottom, top, and its share of class 1: (leaves, 5)."""
    boxes, waiting = [], [(0, [*BOX, *BOX])]
    while waiting:
        node, box = waiting.pop()
        if tree.children_left[node] < 0:
            boxes.append([*box, float(tree.value[node][1])])
            continue
        asked, cut = 2 * int(tree.feature[node]), float(tree.threshold[node])
        left, right = list(box), list(box)
        left[asked + 1], right[asked] = cut, cut
        waiting += [(int(tree.children_left[node]), left), (int(tree.children_right[node]), right)]
    return np.array(boxes)


def draw(values: Values, found: Values) -> Drawn:
    """The leaves as rectangles, the newest split marked, and the mistakes by the number of splits."""
    X, y, seen, new, regions, before = arrays(found, "X", "y", "seen", "new", "regions", "before")
    last = len(seen) - 1
    splits = min(values["splits"], last)
    best = int(np.argmin(new))
    says = (
        f"{splits} splits, {splits + 1} leaves: {seen[splits]:.1%} wrong on the {len(y)} samples it was grown on, {new[splits]:.1%} "
        f"on 1,000 new ones. The least on new ones is {new[best]:.1%}, after {best} splits; after all {last} it is {new[last]:.1%}."
    )
    plane = Plane(420, 400, x=BOX, y=BOX, x_label="feature 0", y_label="feature 1")
    for left, right, bottom, top, share in regions.tolist():
        (x0, x1), (y1, y0) = plane.across([left, right]), plane.down([bottom, top])
        look = "s2" if share > 0.5 else "s1"
        box = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
        plane.add(element("rect", **box, class_=f"area {look}"), element("rect", **box, class_="leaf"))
    plane.axes(grid=False)
    new_boxes = [box for box in regions[:, :4].tolist() if box not in before[:, :4].tolist()]
    if splits and len(new_boxes) == 2:
        (a_left, a_right, a_bottom, a_top), (b_left, _, b_bottom, b_top) = new_boxes
        if (a_bottom, a_top) == (b_bottom, b_top):
            cut = max(a_left, b_left)
            plane.segments(cut, a_bottom, cut, a_top, "miss thick solid")
        else:
            cut = max(a_bottom, b_bottom)
            plane.segments(a_left, cut, a_right, cut, "miss thick solid")
    for label in (0, 1):
        scatter(plane, X[y == label], f"s{label + 1}", 3)
    chart = Plane(420, 400, x=(0, max(last, 2)), y=(0, 0.5), x_label="splits", y_label="share of mistakes").axes()
    steps = np.arange(last + 1)
    chart.line(steps, seen, "s1").line(steps, new, "s2 solid")
    chart.dots([splits, splits], [seen[splits], new[splits]], "here ring", radius=5)
    middle = int(0.6 * last)
    chart.text(middle, float(new[middle]), "new samples", "s2", dy=-12).text(
        middle, float(seen[middle]), "its own samples", "s1", "start", dy=-10
    )
    rows: list[tuple[Any, ...]] = [("splits", "wrong on its own", "wrong on new ones")]
    rows += [(i, f"{a:.3f}", f"{b:.3f}") for i, (a, b) in enumerate(zip(seen, new))]
    where = f"{len(y)} points of two classes in a square that is cut into {splits + 1} rectangles"
    return Drawn(panels(plane.svg(where), chart.svg(says)), rows, says, last)


EXPLORABLE = Explorable(
    name="tree",
    title="A tree, split by split",
    lesson="2.5",
    proves="No split adds a mistake on the samples that it was chosen by. On new ones there is a size beyond which mistakes come back.",
    controls=(
        Steps("splits", 0, SPLITS, 5),
        Slider("noise", 0.0, 0.3, 0.15, step=0.05, label="share of wrong labels"),
        Slider("leaf", 1, 20, 1, step=1, label="samples a leaf needs"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/splitting.py", "classic/growing.py", "classic/pruning.py", "classic/tree.py"),
)
