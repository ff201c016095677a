"""Eigenfaces: faces as a mean and a few dozen weights, and who somebody is by the nearest of them.

Turk and Pentland, Eigenfaces for Recognition (1991). Of each person's ten pictures some are learned from, the others asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import loading
from ..lab import plot


@dataclass(frozen=True)
class Config:
    """components, how many axes are kept; train, how many pictures of each person are learned from."""

    seed: int = 0
    components: int = 60
    train: int = 7

    def __post_init__(self) -> None:
        if not 1 <= self.train <= 9:
            raise ValueError(
                f"train is {self.train}: each of the forty people has ten pictures, one at least to be asked"
            )

    @property
    def pictures(self) -> int:
        """How many are learned from: forty people."""
        return 40 * self.train


def split(config: Config) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Faces (n, 4096) and people (n,), to learn from and to be asked."""
    faces, people = loading.olivetti()
    generator = np.random.default_rng(config.seed)
    order = np.concatenate([10 * person + generator.permutation(10) for person in range(40)])
    learned = np.tile(np.arange(10) < config.train, 40)
    flat = faces.reshape(400, -1)
    return flat[order[learned]], people[order[learned]], flat[order[~learned]], people[order[~learned]]


def run(config: Config, record: Any, lib: Any) -> None:
    """Finds the axes, keeps them, and draws them."""
    X, _, asked, _ = split(config)
    pca = lib.classic.decomposition.PCA(n_components=config.components).fit(X)
    for i, share in enumerate(np.cumsum(pca.explained_variance_ratio_), start=1):
        record.log(i, share_of_variance=float(share))
    path = record.folder / "model.npz"
    np.savez(path, mean=pca.mean_, components=pca.components_)
    record.keep(path)
    faces = np.concatenate([pca.mean_[None], pca.components_[:15]]).reshape(-1, 64, 64)
    names = ["the mean", *(f"axis {i}" for i in range(1, len(faces)))]
    record.keep(plot.save(plot.pictures(-faces, names), record.folder / "eigenfaces.png"))
    rebuilt = pca.inverse_transform(pca.transform(asked[:8]))
    pairs = np.concatenate([asked[:8], rebuilt]).reshape(-1, 64, 64)
    captions = ["as it is"] * 8 + [f"{config.components} numbers"] * 8
    record.keep(plot.save(plot.pictures(-pairs, captions), record.folder / "rebuilt.png"))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """From the saved axes: how well unseen faces are rebuilt, and how many are recognised by their nearest neighbour."""
    X, who, asked, truth = split(config)
    with np.load(folder / "model.npz") as saved:
        mean, axes = saved["mean"], saved["components"]
    known, new = (X - mean) @ axes.T, (asked - mean) @ axes.T  # (n, components)
    error = np.mean((mean + new @ axes - asked) ** 2) / np.mean((asked - mean) ** 2)
    model = lib.classic.neighbors.KNeighborsClassifier(n_neighbors=1).fit(known, who)
    return {"recognised": float(model.score(new, truth)), "variance_rebuilt": float(1 - error)}
