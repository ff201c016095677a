"""The sandbox's torch profile: a learner's torch code runs in it, on both kinds, and what it may not import it cannot."""

import sys

import numpy as np
import pytest

from groundup.course.sandbox.host import Sandbox, profile_of

KINDS = ["zygote", "spawn"] if sys.platform == "linux" else ["spawn"]
SOURCE = """
import torch

def descended(X, y):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.mse_loss(model(torch.from_numpy(X)), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "threads": torch.get_num_threads()}

def forbidden():
    try:
        import sklearn
    except ImportError as problem:
        return str(problem)
"""
PROBE = "def probe(lib, **case):\n    return lib.nets.small.descended(**case)"
FORBIDDEN = "def probe(lib):\n    return lib.nets.small.forbidden()"


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_trained_on_one_thread_and_other_packages_stay_out(kind):
    pytest.importorskip("torch", reason="the torch extra is not installed")
    assert profile_of(["torch"]) == "torch"
    with Sandbox("torch", kind) as sandbox:
        child = sandbox.child(["torch"])
        sources = {"nets.small": ("mine/nets/small.py", SOURCE)}
        load = {"do": "load", "package": "mine", "sources": sources, "modules": ["nets.small"], "contract": {}}
        assert child.request(load, 20) == {"missing": []}
        rng = np.random.default_rng(0)
        X = rng.normal(size=(16, 3)).astype(np.float32)
        for name, text, case in (("net", PROBE, {"X": X, "y": X[:, :1] ** 2}), ("other", FORBIDDEN, {})):
            child.request({"do": "probe", "name": name, "source": text, "function": "probe"}, 5)
            answer = child.request({"do": "answer", "probe": name, "package": "mine", "cases": [case]}, 20)
            assert "raised" not in answer, answer["raised"]
            if name == "net":
                assert answer["value"]["threads"] == 1
                assert answer["value"]["losses"][-1] < 0.5 * answer["value"]["losses"][0]
            else:
                assert "does not allow" in answer["value"]
        child.close()
