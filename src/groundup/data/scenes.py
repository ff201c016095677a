"""Scenes of coloured shapes, and a sentence that describes each: made, not fetched, and as many as one likes.

An image is a grid of 3 x 3 cells of 8 x 8 pixels. One cell or two of them hold a shape, a little off the middle, of varying size
and shade, and there is noise on everything. The sentence follows from the grid alone:

    a red circle
    a red circle left of a blue square
    a red circle above a blue square
    a red circle above and left of a blue square
    a red circle above and right of a blue square

Of two shapes the one that comes first as one reads, row by row, is named first.
"""

from __future__ import annotations

import numpy as np

GRID, CELL = 3, 8  # cells along a side of the image, pixels along a side of a cell
COLOURS = {"red": (0.85, 0.2, 0.2), "green": (0.2, 0.7, 0.25), "blue": (0.25, 0.35, 0.9), "yellow": (0.9, 0.8, 0.2)}
SHAPES = ("circle", "square", "triangle")
WORDS = ("a", *COLOURS, *SHAPES, "above", "left", "right", "of", "and")  # all that a sentence can contain
SOLO = 0.2  # the share of scenes with a single shape
FINE = 4  # points along a side of a pixel, of which the covered ones are counted


def scenes(n: int, generator: np.random.Generator) -> tuple[np.ndarray, list[list[str]]]:
    """n scenes: images (n, 24, 24, 3), float32 in [0, 1], and for each the list of words that describes it.

    The same state of the generator gives the same scenes.
    """
    images = np.empty((n, GRID, CELL, GRID, CELL, 3))
    images[:] = generator.uniform(0.0, 0.25, (n, 1, 1, 1, 1, 1))  # a dark ground
    cells = generator.permuted(np.tile(np.arange(GRID * GRID), (n, 1)), axis=1)[:, :2]
    cells.sort(axis=1)  # (n, 2), in the order of reading
    both = generator.random(n) >= SOLO
    colour = generator.integers(len(COLOURS), size=(n, 2))
    shape = generator.integers(len(SHAPES), size=(n, 2))
    palette = np.array(list(COLOURS.values()))
    for k, who in ((0, np.arange(n)), (1, np.flatnonzero(both))):
        covered = _coverage(shape[who, k], generator)[..., None]  # (who, 8, 8, 1)
        shade = palette[colour[who, k]] * generator.uniform(0.85, 1.1, (len(who), 1))  # (who, 3)
        row, column = np.divmod(cells[who, k], GRID)
        ground = images[who, row, :, column]  # (who, 8, 8, 3)
        images[who, row, :, column] = ground + covered * (shade[:, None, None] - ground)
    images += generator.normal(0.0, 0.04, images.shape)
    names = [(colours, shapes) for colours in COLOURS for shapes in SHAPES]
    pairs = colour * len(SHAPES) + shape  # (n, 2), an index into names
    captions = [
        _sentence([names[p] for p in pair[: 1 + two]], cell) for pair, cell, two in zip(pairs, cells.tolist(), both)
    ]
    side = GRID * CELL
    return np.clip(images, 0.0, 1.0).reshape(n, side, side, 3).astype(np.float32), captions


def _coverage(shape: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """How much of each pixel of a cell a shape covers: shape (n,), an index into SHAPES -> (n, 8, 8) in [0, 1]"""
    n = len(shape)
    middle = CELL / 2 + generator.uniform(-0.6, 0.6, (n, 2, 1, 1))
    radius = generator.uniform(2.5, 3.2, (n, 1, 1))
    at = (np.arange(CELL * FINE) + 0.5) / FINE
    y, x = at[:, None] - middle[:, 0], at[None, :] - middle[:, 1]  # (n, 32, 1), (n, 1, 32)
    inside = np.where(
        (shape == 0)[:, None, None],
        x**2 + y**2 <= radius**2,
        np.where(
            (shape == 1)[:, None, None],
            np.maximum(np.abs(x), np.abs(y)) <= 0.88 * radius,
            (np.abs(x) <= (y + radius) / 2) & (y <= radius),  # the tip above, the base below
        ),
    )
    return inside.reshape(n, CELL, FINE, CELL, FINE).mean(axis=(2, 4))


def _sentence(shapes: list[tuple[str, str]], cells: list[int]) -> list[str]:
    """The words for one shape, or for two in their cells."""
    words = ["a", *shapes[0]]
    if len(shapes) == 1:
        return words
    (row, column), (row2, column2) = divmod(cells[0], GRID), divmod(cells[1], GRID)
    above = ["above"] if row < row2 else []
    beside = ["left", "of"] if column < column2 else ["right", "of"] if column > column2 else []
    return [*words, *above, *(["and"] if above and beside else []), *beside, "a", *shapes[1]]
