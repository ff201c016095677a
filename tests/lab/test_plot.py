"""Curves: what smoothing and a band over seeds compute, and that every picture draws."""

import numpy as np
import pytest

from groundup.lab import plot


def test_smoothing_is_a_weighted_mean_of_the_past_that_does_not_start_at_zero():
    values = np.random.default_rng(0).normal(3.0, 1.0, 40)
    for weight in (0.0, 0.5, 0.95):
        slow = [np.average(values[: i + 1], weights=weight ** np.arange(i, -1, -1)) for i in range(40)]
        assert plot.smoothed(values, weight) == pytest.approx(slow)
    assert plot.smoothed([np.nan, 1.0, np.nan, 3.0], 0.5)[2:] == pytest.approx([1.0, 7 / 3])
    with pytest.raises(ValueError, match="a smoothing weight"):
        plot.smoothed([1.0], 1.0)


def test_a_band_is_read_where_every_seed_goes_and_between_steps():
    steps, mean, low, high = plot.band([([0, 10, 20], [0.0, 1.0, 2.0]), ([5, 15], [3.0, 5.0])])
    assert list(steps) == [10] and (mean[0], low[0], high[0]) == (2.5, 1.0, 4.0)


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: plot.bands({"loss": {"a": [([0, 1], [2.0, 1.0])] * 2, "b": [([0, 1], [3.0, 1.0])]}, "acc": {"a": [([0, 1], [0, 1])]}}),
        lambda: plot.attention(np.tril(np.full((3, 4, 4), 0.25)), list("abcd")),
        lambda: plot.attention(np.eye(5)[None]),
        lambda: plot.samples([(100, "ROMEO: $5\n\nO that"), (2000, "word " * 80)]),
        lambda: plot.importance({"optim.rate": 0.8, "width": 0.2}),
        lambda: plot.trials({"rate": [0.1, 0.2], "width": [1, 2]}, [0.5, 0.4], "val_loss", ["rate"]),
    ],
)  # fmt: skip
def test_every_picture_draws(drawn, tmp_path):
    path = plot.save(drawn(), tmp_path / "picture.png")
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
