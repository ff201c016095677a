"""How a case is drawn: one interface, two engines.

`SeededDraw` fills a batch from a NumPy generator in microseconds. `SearchedDraw` asks Hypothesis for every choice, so
that a failing case can be shrunk to the smallest and roundest one that still fails. Cases are written once, against
the interface.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

T = TypeVar("T")
Floats = NDArray[np.float64]
ONE_BY_ONE = 12  # arrays up to this size are searched element by element; larger ones by shape and seed


class Draw(Protocol):
    """What `cases` may ask for. With no shape a plain number comes back, with one an array of that shape."""

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""

    def boolean(self, p: float = 0.5) -> bool:
        """True with probability p."""

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; put the simplest first."""

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        """Integers from low to high, both included, int64."""

    def normal(self, *shape: int) -> Any:
        """Standard normal, float64."""

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        """Uniform between low and high, float64."""

    def log_uniform(self, low: float, high: float, *shape: int) -> Any:
        """Uniform in the logarithm between low and high (both > 0), float64."""

    def shape(self, dims: tuple[int, int] = (1, 3), sides: tuple[int, int] = (1, 5)) -> tuple[int, ...]:
        """A shape of so many dimensions, each side so long."""

    def permutation(self, n: int) -> NDArray[np.int64]:
        """0..n-1 in some order."""

    def seed(self) -> int:
        """A seed for a generator of the case's own, where an array is too large to draw."""


class SeededDraw:
    """Draws from a NumPy generator."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high + 1))

    def boolean(self, p: float = 0.5) -> bool:
        return bool(self._rng.random() < p)

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self._rng.integers(len(options)))]

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        return self._rng.integers(low, high + 1, shape)

    def normal(self, *shape: int) -> Any:
        return self._rng.standard_normal(shape) if shape else float(self._rng.standard_normal())

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        return self._rng.uniform(low, high, shape) if shape else float(self._rng.uniform(low, high))

    def log_uniform(self, low: float, high: float, *shape: int) -> Any:
        exponent = self.uniform(math.log(low), math.log(high), *shape)
        return np.exp(exponent) if shape else math.exp(exponent)

    def shape(self, dims: tuple[int, int] = (1, 3), sides: tuple[int, int] = (1, 5)) -> tuple[int, ...]:
        return tuple(self.integer(*sides) for _ in range(self.integer(*dims)))

    def permutation(self, n: int) -> NDArray[np.int64]:
        return self._rng.permutation(n).astype(np.int64)

    def seed(self) -> int:
        return self.integer(0, 2**31 - 1)


class SearchedDraw:
    """Draws by Hypothesis, which shrinks towards short arrays of round numbers."""

    def __init__(self, data: DataObject) -> None:
        self._data = data

    def integer(self, low: int, high: int) -> int:
        return self._index(high - low + 1) + low if low >= 0 else self._pick(_round_integers(low, high))

    def boolean(self, p: float = 0.5) -> bool:
        return self._index(2) == 1 if 0 < p < 1 else p >= 1

    def choice(self, options: Sequence[T]) -> T:
        return options[self._index(len(options))]

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        drawn = self._fill(_round_integers(low, high), shape, lambda rng: rng.integers(low, high + 1, shape))
        return np.asarray(drawn, dtype=np.int64)

    def normal(self, *shape: int) -> Any:
        return self._fill(_round_floats(-4.0, 4.0), shape, lambda rng: np.round(rng.standard_normal(shape), 1))

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        return self._fill(_round_floats(low, high), shape, lambda rng: rng.uniform(low, high, shape))

    def log_uniform(self, low: float, high: float, *shape: int) -> Any:
        span = math.log(low), math.log(high)
        return self._fill(_powers_of_ten(low, high), shape, lambda rng: np.exp(rng.uniform(*span, shape)))

    def shape(self, dims: tuple[int, int] = (1, 3), sides: tuple[int, int] = (1, 5)) -> tuple[int, ...]:
        return tuple(self.integer(*sides) for _ in range(self.integer(*dims)))

    def permutation(self, n: int) -> NDArray[np.int64]:
        seed = self._index(64)
        return np.arange(n) if seed == 0 else np.random.default_rng(seed).permutation(n).astype(np.int64)

    def seed(self) -> int:
        return self._index(1024)

    def _index(self, n: int) -> int:
        from hypothesis import strategies

        return int(self._data.draw(strategies.integers(0, n - 1)))

    def _pick(self, table: Sequence[T]) -> T:
        return table[self._index(len(table))]

    def _fill(self, table: Sequence[float], shape: tuple[int, ...], from_generator: Any) -> Any:
        if not shape:
            return self._pick(table)
        size = math.prod(shape)
        if size <= ONE_BY_ONE:
            return np.array([self._pick(table) for _ in range(size)], dtype=np.float64).reshape(shape)
        return from_generator(np.random.default_rng(self._index(1024)))


@lru_cache(maxsize=256)
def _round_integers(low: int, high: int) -> tuple[int, ...]:
    """The integers of a range, simplest first: 1, 2, 3, ..., 0, -1, -2, ...; a wide range keeps its ends."""
    near = [n for n in (*range(1, 10), 0, *range(-1, -10, -1)) if low <= n <= high]
    wide = [low + (high - low) * k // 32 for k in range(33)]
    return tuple(dict.fromkeys(near + wide))


@lru_cache(maxsize=256)
def _round_floats(low: float, high: float) -> tuple[float, ...]:
    """Floats of a range, simplest first: small integers, halves, then steps of a 64th of the range."""
    simple = [1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -3.0, 1.5, 0.0, -0.5, 4.0, -1.5, 2.5, -4.0, 0.25, 0.1, 5.0, 10.0]
    within = [x for x in simple if low <= x <= high]
    steps = [float(f"{low + (high - low) * k / 64:.4g}") for k in range(65)]
    return tuple(dict.fromkeys(within + [min(max(x, low), high) for x in steps]))


@lru_cache(maxsize=256)
def _powers_of_ten(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten in a range, nearest to 1 first, then its ends."""
    exponents = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    powers = sorted((10.0**e for e in exponents), key=lambda x: abs(math.log10(x)))
    return tuple(dict.fromkeys([*powers, low, high]))
