"""The file that leans on nothing: it learns, it looks back only, and it takes nothing from the library."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

from groundup.train import alone


class Clock:
    """It goes on by a second whenever it is read: so a budget in seconds is one in steps."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1.0
        return self.now


@pytest.fixture(scope="module")
def trained():
    following = np.array([3, 5, 0, 6, 1, 2, 4])
    text = [0]
    for _ in range(2000):
        text.append(following[text[-1]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alone, "time", Clock())
        patch.setattr(alone, "CONTEXT", 16)
        model = alone.train(np.array(text), 7, 60.0, seed=1)
    return model, torch.tensor(text[:32]).reshape(2, 16)


def test_it_learns_what_follows(trained):
    model, ids = trained
    with torch.no_grad():
        wrong = (model(ids)[:, :-1].argmax(-1) != ids[:, 1:]).float().mean()
    assert not model.training and wrong < 0.2


def test_no_place_sees_what_comes_after_it(trained):
    model, ids = trained
    other = ids.clone()
    other[:, 9:] = (other[:, 9:] + 1) % 7
    with torch.no_grad():
        a, b = model(ids), model(other)
    torch.testing.assert_close(a[:, :9], b[:, :9])
    assert not torch.allclose(a[:, 9:], b[:, 9:])


def test_it_leans_on_torch_alone():
    tree = ast.parse(Path(alone.__file__).read_text())
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert all(node.level == 0 and node.module.split(".")[0] == "torch" for node in froms)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"math", "time", "torch"}
    assert len(Path(alone.__file__).read_text().splitlines()) <= 130
