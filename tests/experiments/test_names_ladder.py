"""The ladder's data and rungs: what is a name's next character, and how far back a rung sees."""

import math

import pytest
import torch

from groundup.data.catalogue import DataError
from groundup.experiments.names_ladder import LETTERS, Bigram, Window, padded, splits


def test_a_names_characters_follow_each_other_and_its_end_is_one():
    x, y = padded(["ab", "c"])
    assert ["".join(LETTERS[i] for i in row) for row in x.tolist()] == [".ab", ".c."]
    assert y.tolist() == [[1, 2, 0], [3, 0, -1]]


def test_every_name_is_in_one_split_and_the_splits_never_change():
    try:
        parts = splits()
    except DataError as problem:
        pytest.skip(f"the names cannot be had: {problem}")
    assert [len(part) for part in parts] == [23_595, 2_949, 2_950]
    assert len(set().union(*parts)) == 29_494
    assert splits()[2][:5] == parts[2][:5]


@pytest.mark.parametrize("normed", [False, True])
def test_a_window_sees_so_many_characters_and_no_more(normed):
    torch.manual_seed(0)
    model = Window(12, 3, 4, 8, 2, normed).eval()
    ids = torch.randint(1, 27, (1, 10))
    with torch.no_grad():
        before, other = model(ids), ids.clone()
        other[0, 4] = 0
        changed = (model(other) != before).any(dim=-1)[0].tolist()
    assert changed == [4 <= t <= 6 for t in range(10)]


def test_the_loss_is_the_mean_over_what_is_there_to_predict():
    x, y = padded(["ab", "c"])
    assert Bigram(3)(x, y).item() == pytest.approx(math.log(27))
    model = Window(3, 2, 4, 8, 1, normed=False)
    losses = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none")
    assert model(x, y).item() == pytest.approx(losses[y.flatten() >= 0].mean().item(), abs=1e-6)
