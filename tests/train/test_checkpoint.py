"""Checkpoints: what was saved comes back, what is damaged is not taken, and a full disk spoils nothing."""

import hashlib
import json
import math
import resource
import signal

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from groundup.train import checkpoint
from groundup.train.checkpoint import CheckpointError


def model_of(seed=0, size=5):
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(size, 3, generator=generator)
    return {
        "table": table,
        "head": table,
        "gain": torch.randn(3, generator=generator).bfloat16(),
        "none": torch.zeros(0, 2),
    }


def state_of(seed=0):
    generator = torch.Generator().manual_seed(seed)
    moments = {i: {"step": torch.tensor(3.0), "average": torch.randn(4, generator=generator)} for i in range(3)}
    return {
        "optimizer": {
            "state": moments,
            "param_groups": [{"betas": (0.9, 0.95), "lr": 1e-3, "fused": True, "params": [0, 1]}],
        },
        "numbers": [1, 2.5, math.inf, -0.0, 0.1 + 0.2, None, True, "text/with/slashes", 2**100],
        "generators": {"torch": generator.get_state(), "python": (3, tuple(range(5)), None)},
        "dtypes": [torch.ones(2, dtype=d) for d in checkpoint.NAMES],
        "strided": torch.arange(12).reshape(3, 4).T,
        "scalar": torch.tensor(5, dtype=torch.int64),
        "array": np.arange(4, dtype=np.uint32),
    }


def same(a, b):
    """Whether two trees are equal: types, keys, dtypes and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_what_was_saved_comes_back_to_the_bit(tmp_path):
    path = checkpoint.save(tmp_path, 7, model_of(), state_of())
    step, model, state = checkpoint.load(path)
    assert step == 7 and same(dict(sorted(model.items())), dict(sorted(model_of().items())))
    assert same(state, state_of())
    assert not list(tmp_path.glob(".part*"))


def test_the_files_are_safetensors_that_anyone_reads(tmp_path):
    path = checkpoint.save(tmp_path, 7, model_of(), state_of())
    theirs = load_file(path / "model.safetensors")
    assert torch.equal(theirs["table"], model_of()["table"]) and "head" not in theirs  # one memory, once
    with safe_open(path / "state.safetensors", "np") as file:
        assert np.array_equal(file.get_tensor("/strided"), np.arange(12).reshape(3, 4).T)
    manifest = json.loads((path / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        content = (path / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_the_newest_are_kept_and_the_best(tmp_path):
    for step in (10, 20, 30, 40, 50):
        checkpoint.save(tmp_path, step, model_of(step), state_of(), keep=2)
        if step == 20:
            checkpoint.mark_best(tmp_path, 20, 1.5)
    assert checkpoint.steps(tmp_path) == [20, 40, 50]
    assert checkpoint.best(tmp_path) == (20, 1.5) and checkpoint.latest(tmp_path).name == "step-00000050"
    checkpoint.mark_best(tmp_path, 50, 1.25)
    checkpoint.save(tmp_path, 60, model_of(60), state_of(), keep=1)
    assert checkpoint.steps(tmp_path) == [50, 60]


def test_an_empty_folder_has_no_latest(tmp_path):
    assert checkpoint.latest(tmp_path) is None and checkpoint.latest(tmp_path / "none") is None
    assert checkpoint.best(tmp_path) is None and checkpoint.steps(tmp_path / "none") == []


def test_whatever_byte_is_torn_or_turned_the_one_before_is_taken_and_that_is_said(tmp_path):
    good = checkpoint.save(tmp_path, 1, model_of(1), state_of(1))
    bad = checkpoint.save(tmp_path, 2, model_of(2), state_of(2))
    rng = np.random.default_rng(0)
    for path in sorted(bad.iterdir()):
        whole = path.read_bytes()
        places = {0, 1, 7, len(whole) - 1, *rng.integers(0, len(whole), 12).tolist()}
        for place in places:
            turned = bytearray(whole)
            turned[place] ^= 1 << int(rng.integers(8))
            for content in (whole[:place], bytes(turned), whole[:place] + bytes(len(whole) - place)):
                path.write_bytes(content)
                if path.name == "manifest.json" and _tells_the_same(content, whole):
                    continue
                if content == whole:
                    continue
                with pytest.warns(UserWarning, match="step-00000002 is not whole"):
                    assert checkpoint.latest(tmp_path) == good
                with pytest.raises(CheckpointError, match="not whole"):
                    checkpoint.load(bad)
        path.unlink()
        with pytest.warns(UserWarning, match=r"cannot be read|missing"):
            assert checkpoint.latest(tmp_path) == good
        path.write_bytes(whole)
    assert checkpoint.latest(tmp_path) == bad


def _tells_the_same(content, whole):
    try:
        return json.loads(content)["files"] == json.loads(whole)["files"]
    except (ValueError, KeyError, TypeError):
        return False


def test_a_damaged_one_is_written_again_and_a_sound_one_is_not(tmp_path):
    path = checkpoint.save(tmp_path, 1, model_of(1), state_of())
    checkpoint.save(tmp_path, 1, model_of(2), state_of())
    assert torch.equal(checkpoint.load(path)[1]["table"], model_of(1)["table"])
    (path / "state.json").write_text("{")
    checkpoint.save(tmp_path, 1, model_of(2), state_of())
    assert torch.equal(checkpoint.load(path)[1]["table"], model_of(2)["table"])


def test_what_a_killed_save_left_is_cleared_away_and_never_taken(tmp_path):
    left = tmp_path / ".part-step-00000009"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    assert checkpoint.latest(tmp_path) is None
    checkpoint.save(tmp_path, 3, model_of(), state_of())
    assert not left.exists()


def test_a_full_disk_is_one_error_and_the_last_good_one_stays(tmp_path):
    """A limit on the size of files stands in for the disk: the write fails with an OSError in the same place."""
    good = checkpoint.save(tmp_path, 1, model_of(), state_of())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(
            CheckpointError, match=r"cannot save step 2 .*the last one there is step 1; make room and resume"
        ):
            checkpoint.save(tmp_path, 2, model_of(2, size=10_000), state_of())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert checkpoint.latest(tmp_path) == good and sorted(p.name for p in tmp_path.iterdir()) == ["step-00000001"]
    assert checkpoint.save(tmp_path, 2, model_of(2, size=10_000), state_of()).exists()


def test_a_folder_that_is_a_file_is_one_error(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(CheckpointError, match="there is none before it"):
        checkpoint.save(tmp_path / "runs", 1, model_of(), state_of())


def test_what_no_file_can_hold_is_refused_by_its_place(tmp_path):
    with pytest.raises(TypeError, match="/a/1, which is a set"):
        checkpoint.save(tmp_path, 1, model_of(), {"a": [0, {1, 2}]})
    assert checkpoint.latest(tmp_path) is None
