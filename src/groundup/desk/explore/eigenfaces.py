"""Faces rebuilt from a few numbers (2.10): what is lost is the variance along the components left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data.catalogue import DataError, Place, find, status
from ..drawing.plane import Plane
from .explorable import Drawn, Explorable, Slider, Steps, Values, arrays, panels
from .numbers import short

MOST = 150
SIDE = 32
_fitted: dict[str, Any] = {}


def read_pictures() -> dict[str, Any]:
    """Olivetti's faces at half their size where they are on this machine, else scikit-learn's digits: (n, side, side), 0 to 1."""
    (_, place), *_ = status([find("olivetti")])
    if place in (Place.MIRROR, Place.CACHE):
        from ...data.loading import olivetti

        try:
            faces = olivetti()[0].reshape(400, SIDE, 2, SIDE, 2).mean(axis=(2, 4))
            return {"pictures": faces.astype(np.float32), "source": "Olivetti faces, 32 by 32"}
        except (DataError, OSError):
            pass  # the digits serve
    from sklearn.datasets import load_digits

    return {"pictures": (load_digits().images[:400] / 16).astype(np.float32), "source": "handwritten digits, 8 by 8"}


def compute(lib: Any, *, kept: int, which: int, pictures: Any, source: str) -> dict[str, Any]:
    """One picture from the first `kept` components of a PCA of all the others, what the next one adds, and the variance explained."""
    n, side = len(pictures), pictures.shape[1]
    X = pictures.reshape(n, -1).astype(float)
    if "model" not in _fitted:
        _fitted["model"] = lib.classic.decomposition.PCA(min(MOST, n - 1, side * side)).fit(X)
    model = _fitted["model"]
    kept = min(kept, model.n_components_)
    Z = model.transform(X)  # (n, components)
    Z[:, kept:] = 0.0
    rebuilt = model.inverse_transform(Z)
    return {
        "source": source, "picture": pictures[which % n], "mean": model.mean_.reshape(side, side),
        "rebuilt": rebuilt[which % n].reshape(side, side), "coordinates": Z[which % n, :kept],
        "components": model.components_[max(0, kept - 5) : max(kept, 1)].reshape(-1, side, side),
        "explained": np.cumsum(model.explained_variance_ratio_),
        "lost": float(((X - rebuilt) ** 2).sum() / ((X - X.mean(axis=0)) ** 2).sum()),
        "lost_here": float(((X - rebuilt)[which % n] ** 2).sum() / ((X - X.mean(axis=0))[which % n] ** 2).sum()),
    }  # fmt: skip


def draw(values: Values, found: Values) -> Drawn:
    """The picture, rebuilt and what is lost; the newest components; the share of the variance by their number."""
    explained, coordinates, picture, rebuilt = arrays(found, "explained", "coordinates", "picture", "rebuilt")
    kept = min(values["kept"], len(explained))
    share = float(explained[kept - 1]) if kept else 0.0
    pixels = picture.size
    enough = next((i + 1 for i, e in enumerate(explained) if e >= 0.9), None)
    says = (
        f"{kept} numbers in place of {pixels}: they keep {share:.1%} of what makes the pictures differ, and {found['lost']:.1%} is lost, "
        f"{found['lost_here']:.1%} of this one."
        + (f" 90% takes {enough} components." if enough else "")
        + f" ({found['source']})"
    )
    strip = Plane(460, 300, x=(0, 6.2), y=(-0.1, 3.8)).bare()
    for i, (name, shown) in enumerate(
        (("the picture", picture), (f"rebuilt from {kept}", rebuilt), ("what is lost", 0.5 + picture - rebuilt))
    ):
        strip.image(shown, (2.1 * i, 2.1 * i + 2, 1.75, 3.75), smooth=True).text(2.1 * i + 1, 1.75, name, "soft", dy=16)
    newest = np.asarray(found["components"], float) if kept else np.zeros((0, 1, 1))
    for i, component in enumerate(newest):
        left, number = 1.25 * i, kept - len(newest) + i + 1
        scale = np.abs(component).max() or 1.0
        strip.image(0.5 + component / (2 * scale), (left, left + 1.15, 0.25, 1.4), smooth=True)
        strip.text(left + 0.575, 0.25, f"{number}: {short(coordinates[number - 1])}", "soft", dy=15)
    if not kept:
        strip.text(0, 0.8, "no component yet: every picture is rebuilt as the mean of all", "soft", "start")
    chart = Plane(
        420, 300, x=(0, len(explained)), y=(0, 1), x_label="components", y_label="share of the variance"
    ).axes()
    chart.line(np.arange(len(explained) + 1), np.concatenate([[0], explained]), "s1 solid").dots(
        [kept], [share], "here ring", radius=6
    )
    rows: list[tuple[Any, ...]] = [("components", "share of the variance kept", "coordinate of this picture")]
    rows += [(i + 1, f"{e:.4f}", short(coordinates[i], 3) if i < kept else "left out") for i, e in enumerate(explained)]
    where = f"{found['source']}, number {values['which']}: the picture, the same rebuilt from {kept} components, the difference, and the newest components"
    return Drawn(
        panels(strip.svg(where), chart.svg(f"{kept} components keep {share:.1%} of the variance")),
        rows,
        says,
        len(explained),
    )


EXPLORABLE = Explorable(
    name="eigenfaces",
    title="A face from a few numbers",
    lesson="2.10",
    proves="What is lost is exactly the variance along the components left out, and the first few hold most of it.",
    controls=(
        Steps("kept", 0, MOST, 20, label="components kept"),
        Slider("which", 0, 399, 0, step=1, label="picture"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/decomposition.py",),
    given=read_pictures,
)
