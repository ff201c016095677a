"""How a failing case is seen: the drawing that fits its data, beside the numbers. None where the numbers say it all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup

from ...course.showing.verdict_parts import is_array, is_whole
from ..drawing.boundary import boundary, key, key_entry, series
from ..drawing.heat import LONGEST, heat, is_small, scale_of
from ..drawing.picture import image
from ..drawing.plane import Plane
from ..drawing.scales import span
from ..drawing.svg import element
from . import autograd
from .texts import rows, visible
from .values import as_array, wrong_entries

Array = Any
ANSWERS = re.compile(r"\['(?:predict\w*|class\w*|labels)'\]\[(\d+)\]")  # lists with an answer for each sample
WIDTH, HEIGHT = 420, 240
LABELS = 6  # classes that a drawing can tell apart
MOST = 200  # samples in a drawing
FEWEST, WORTH = 3, 8  # samples that make a drawing worth its place: with wrong ones to point at, and without
SIDE = 5  # pixels of an image at least: below that, numbers are clearer


def seen(c: dict[str, Any]) -> Markup | None:
    """The first drawing that fits. Whatever a learner's code gave back, it never raises."""
    if not isinstance(c["case"], dict):
        return None
    for drawing in DRAWINGS:
        try:
            drawn = drawing(c)
        except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError, RecursionError):
            continue  # not of the form this drawing reads
        if drawn is not None:
            return drawn
    return None


def tokens(c: dict[str, Any]) -> Markup | None:
    """Ids of byte pairs as the texts that they stand for."""
    merges = c["case"].get("merges")
    if not (is_array(merges) and is_whole(merges) and is_array(c["expected"]) and is_array(c["got"])):
        return None
    right, wrong = as_array(c["expected"]), as_array(c["got"])
    if right.ndim != 1 or wrong.ndim != 1 or {right.dtype.kind, wrong.dtype.kind} != {"i"}:
        return None
    from ...text.bpe import BPE

    tokenizer = BPE([(int(a), int(b)) for a, b in as_array(merges)])

    def read(ids: Array) -> list[str]:
        known = [i for i in ids.tolist() if 0 <= i < tokenizer.vocab_size]
        texts = [tokenizer.token_bytes(i).decode("utf-8", "backslashreplace") for i in known]
        return texts if len(texts) == len(ids) else []

    expected, got = read(right), read(wrong)
    if not expected or not got:
        return None
    sides = rows(expected, got)
    return _two("expected, as text", sides[0], "yours, as text", sides[1])


def images(c: dict[str, Any]) -> Markup | None:
    """Images given, expected and yours, as pixels on one scale."""
    given = next((v for name, v in c["case"].items() if name in ("images", "image", "faces") and is_array(v)), None)
    if given is None or not is_whole(given) or as_array(given).ndim not in (3, 4):
        return None
    array = as_array(given)
    if min(array.shape[1:3]) < SIDE:
        return None
    if array.ndim == 4 and array.shape[3] == 3:
        array = np.moveaxis(array, 3, 1)
    columns = [("the images given", image(array, "the images given"))]
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is not None and mask.ndim == 3 and mask.shape[1:] == array.shape[-2:]:
        right, wrong = as_array(c["expected"]), as_array(c["got"])
        scale = scale_of(right, array)
        columns = [("given", image(array, "given", scale=scale))]
        columns.append(("expected", image(right, "expected", wrong=c["index"], scale=scale)))
        columns.append(
            ("yours", image(wrong, "yours, the first wrong pixel in a frame", wrong=c["index"], scale=scale))
        )
    return element("div", *(_headed(title, drawn) for title, drawn in columns), class_="beside")


def curve(c: dict[str, Any]) -> Markup | None:
    """Two long rows of numbers as lines, from the first wrong entry on."""
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is None or mask.ndim != 1 or len(mask) <= LONGEST:
        return None
    right, wrong = as_array(c["expected"]), as_array(c["got"])
    if right.dtype.kind != "f" or wrong.dtype.kind != "f" or not np.isfinite(right).any():
        return None
    plane = Plane(WIDTH, HEIGHT, (0, len(mask) - 1), span([right, np.clip(wrong, *span(right, 2))]), x_label="entry")
    steps = np.arange(len(mask))
    plane.axes().line(steps, right, "s1").line(steps, wrong, "s2").dots(steps[mask], wrong[mask], "miss", 4)
    label = f"expected and yours, entry by entry; the first wrong one is {c['index'][0]}"
    entries = key_entry("s1", "expected", True), key_entry("s2", "yours", True), key_entry("miss", "wrong")
    return element("div", plane.svg(label), element("p", *entries, class_="key"))


def samples(c: dict[str, Any]) -> Markup | None:
    """Samples in the plane with their classes, the wrongly answered ones crossed."""
    X, y = _samples(c["case"])
    if X is None or X.shape[1] != 2 or y is None or len(set(y)) > LABELS or not _are_labels(y):
        return None
    asked, wrong = _asked(c, X)
    if not wrong and (c["verdict"] == "raised" or len(X) < WORTH):
        return None  # nothing to point at
    if asked is X:
        return boundary(X, np.array(y, object), _said(X, wrong), wrong=wrong)
    known = list(dict.fromkeys(sorted(y, key=str)))
    both = np.concatenate([X, asked])
    plane = Plane(340, 260, span(both[:, 0], 0.12), span(both[:, 1], 0.12), x_label="x₀", y_label="x₁").axes()
    plane.dots(X[:, 0], X[:, 1], [f"{series(one, known)} faint" for one in y], 4)
    plane.dots(asked[:, 0], asked[:, 1], "ink hollow", 4)
    plane.dots(asked[wrong, 0], asked[wrong, 1], "miss", 7)
    keys = element("div", key(known, crossed=bool(wrong)), _key(("ink hollow", "asked about")), class_="keys")
    return element("div", plane.svg(_said(asked, wrong)), keys)


def fitted(c: dict[str, Any]) -> Markup | None:
    """Samples of one feature with their targets, and what is predicted: the right values and yours."""
    X, y = _samples(c["case"])
    if X is None or X.shape[1] != 1 or y is None or not all(type(v) in (int, float) for v in y):
        return None
    asked, wrong = _asked(c, X)
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is None or mask.shape != (len(asked),):
        return None
    right, mine = as_array(c["expected"]).astype(float), as_array(c["got"]).astype(float)
    if "predict" not in str(c["name"]).lower() and asked is X:
        return None  # an entry a sample, but no prediction
    heights = np.array(y, float)
    shown = np.clip(mine, *span([*heights, *right], 2))
    plane = Plane(
        WIDTH,
        HEIGHT,
        span([*X[:, 0], *asked[:, 0]], 0.1),
        span([*heights, *right, *shown], 0.12),
        x_label="x",
        y_label="y",
    )
    plane.axes().dots(X[:, 0], heights, "s6")
    plane.segments(asked[:, 0], right, asked[:, 0], shown, "miss thin solid")
    plane.dots(asked[:, 0], right, "s1 hollow", 5).dots(asked[:, 0], shown, "s2", 4)
    plane.dots(asked[wrong, 0], shown[wrong], "miss", 6)
    entries = ("s6", "samples"), ("s1 hollow", "expected"), ("s2", "yours"), ("miss", "wrong")
    return element("div", plane.svg(_said(asked, wrong)), _key(*entries))


def difference(c: dict[str, Any]) -> Markup | None:
    """Of arrays too large to be read: yours minus expected."""
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is None or mask.ndim < 2 or is_small(mask.shape):
        return None
    right, wrong = as_array(c["expected"]), as_array(c["got"])
    if right.dtype == object or wrong.dtype == object:
        return None
    with np.errstate(all="ignore"):
        gap = wrong.astype(float) - right.astype(float)
    return _headed("yours − expected", heat(gap, mask, "yours minus expected"))


DRAWINGS: tuple[Callable[[dict[str, Any]], Markup | None], ...] = (
    autograd.graph_of, tokens, images, curve, samples, fitted, difference,
)  # fmt: skip


# -------------------------------------------------------------------------------------------------------- parts


def _samples(case: dict[str, Any]) -> tuple[Array | None, list[Any] | None]:
    """X (n, d) of a case and its labels or targets, where there are any, as many as samples, and not too many."""
    X = case.get("X")
    if not is_array(X) or not is_whole(X) or len(X["shape"]) != 2 or not FEWEST <= X["shape"][0] <= MOST:
        return None, None
    found = next((case[name] for name in ("y", "labels", "codes", "numbers") if name in case), None)
    y = as_array(found).tolist() if is_array(found) and is_whole(found) else found
    samples_of = as_array(X)
    if samples_of.dtype == object or not np.isfinite(samples_of.astype(float)).all():
        return None, None
    if not isinstance(y, list) or len(y) != len(samples_of) or any(isinstance(v, (list, dict)) for v in y):
        return samples_of.astype(float), None
    return samples_of.astype(float), y


def _are_labels(y: list[Any]) -> bool:
    """Whether these are classes and not targets: texts, whole numbers, or the two signs."""
    return all(isinstance(v, (str, bool, int)) for v in y) or set(y) <= {-1.0, 1.0}


def _asked(c: dict[str, Any], X: Array) -> tuple[Array, list[int]]:
    """The samples that the answer is about, and which of them are answered wrongly."""
    new = next((c["case"][name] for name in ("X_new", "queries") if is_array(c["case"].get(name))), None)
    asked = as_array(new).astype(float) if new is not None and is_whole(new) else X
    if asked.ndim != 2 or asked.shape[1] != X.shape[1]:
        asked = X
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is None or not mask.ndim or len(mask) != len(asked):
        return asked, _wrong_item(c, len(asked))
    rows_of = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
    if mask.ndim > 1 and 2 * len(rows_of) > len(mask):
        return asked, []  # several numbers a sample, and most are off: no sample stands out
    return asked, [int(i) for i in rows_of]


def _wrong_item(c: dict[str, Any], count: int) -> list[int]:
    """The sample whose answer in a list differs, by the path to it: ['classes'][3]."""
    found = ANSWERS.fullmatch(str(c.get("path") or ""))
    return [int(found[1])] if found and int(found[1]) < count else []


def _said(asked: Array, wrong: list[int]) -> str:
    which = f"; wrong: {', '.join(map(str, wrong[:8]))}{' …' if len(wrong) > 8 else ''}" if wrong else ""
    return f"{len(asked)} samples{which}"


def _two(left: str, a: Markup, right: str, b: Markup) -> Markup:
    return element("div", _headed(left, a), _headed(right, b), class_="stacked")


def _headed(title: str, drawn: Markup) -> Markup:
    return element("div", element("small", visible(title), class_="heading"), drawn)


def _key(*entries: tuple[str, str]) -> Markup:
    return element("p", *(key_entry(class_, text) for class_, text in entries), class_="key")
