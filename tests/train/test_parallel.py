"""Several processes: they compute what one would, their checkpoints are read by any number of them, and they end when one does."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from groundup.train import checkpoint, parallel, resharding

from . import ranks as program

# float64, and sums of eight terms in another order: a few times 1e-16, which six steps hardly enlarge
SAME = dict(rtol=1e-12, atol=1e-14)


def environment():
    source = str(Path(parallel.__file__).parents[2])
    quiet = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0"}
    return {**os.environ, **quiet, "PYTHONPATH": source}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What ranks.py left: two processes, then one, then four."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, program.__file__, "equal", str(folder), str(free_port())]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def one():
    """The same six steps in this process."""
    ranks = parallel.Alone()
    model, optimizer = program.build(ranks)
    losses = program.train(ranks, model, optimizer, 0, program.STEPS)
    return program.outcome(ranks, model, optimizer, losses)


def assert_same(found, truth, names=None):
    for name in names or truth:
        np.testing.assert_allclose(found[name].numpy(), truth[name].numpy(), **SAME, err_msg=name)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["copies", "shards"])
def test_two_processes_compute_what_one_does(folder, one, kind):
    assert_same(load_file(folder / f"{kind}.safetensors"), one)


@pytest.mark.parametrize("end", ["copies-alone-1", "shards-alone-1", "shards-copies-2", "shards-shards-4"])
def test_a_checkpoint_of_two_processes_is_resumed_by_any_number(folder, one, end):
    found = load_file(folder / f"{end}.safetensors")
    assert_same(found, {**one, "losses": one["losses"][program.HALF :]})


@pytest.mark.parametrize("kind", ["copies", "shards"])
def test_sums_means_and_flags_are_those_of_all_processes(folder, kind):
    assert load_file(folder / f"{kind}.safetensors")["total"].tolist() == [3.0, 0.5, 1.0]


@pytest.mark.parametrize("kind", ["copies", "shards"])
def test_a_full_state_loaded_again_is_the_same_bit_for_bit(folder, kind):
    assert load_file(folder / f"{kind}.safetensors")["back"].all()


def test_gradients_stay_at_home_until_the_last_micro_batch(folder):
    x, y = program.batch(0)
    for rank in range(2):
        torch.manual_seed(0)
        model = program.Net()
        model(x[0][rank::2], y[0][rank::2]).backward()
        truth = {name: p.grad for name, p in model.named_parameters()}
        assert_same(load_file(folder / f"local-{rank}.safetensors"), truth)


def test_no_pickle_is_in_a_sharded_checkpoint(folder):
    kinds = {path.suffix for path in (folder / "shards.half").iterdir()}
    assert kinds == {".safetensors", ".json"}


def test_who_loses_another_process_ends_and_says_so(folder):
    assert "rank 0 has lost another process" in (folder / "bereft.txt").read_text()
    assert (folder / "bereft.code").read_text() == "bereft failed"


@pytest.mark.timeout(240)
def test_a_run_that_torchrun_restarts_ends_as_the_unbroken_one(folder, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", "2", "--max-restarts", "1", program.__file__, "train", str(tmp_path)]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "rank 1 has lost its disk" in ended.stderr
    began, step, loss = (tmp_path / "done.txt").read_text().split()
    _, whole_step, whole_loss = (folder / "done.txt").read_text().split()
    assert (began, step, loss) == ("5", whole_step, whole_loss)  # from the checkpoint of step 4
    ours, theirs = (checkpoint.load(checkpoint.latest(where / "run"))[1] for where in (tmp_path, folder))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_port_in_use_is_one_clear_error(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for name, value in dict(RANK=0, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port).items():
            monkeypatch.setenv(name, str(value))
        with pytest.raises(parallel.ParallelError, match=f"port {port} is in use"):
            parallel.start("copies", timeout=10)


def test_an_incomplete_environment_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(parallel.ParallelError, match=r"RANK.*torchrun"):
        parallel.start()
    with pytest.raises(parallel.ParallelError, match="each would train alone"):
        parallel.start("alone")
    with pytest.raises(ValueError, match="ddp"):
        parallel.start("ddp")


def test_alone_is_the_identity(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with parallel.start() as ranks:
        model = program.Net()
        assert ranks.wrap(model) is model and ranks.bare(model) is model
        assert (ranks.rank, ranks.world, ranks.is_main) == (0, 1, True)
        assert (ranks.total(3), ranks.mean(3), ranks.any(0), ranks.any(1)) == (3.0, 3.0, False, True)


def test_a_checkpoint_of_another_model_or_none_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="no complete checkpoint"):
        resharding.load_shards(tmp_path, program.Net())
    other = torch.nn.Linear(3, 3)
    with pytest.raises(ValueError, match="no checkpoint of this model"):
        resharding.load_shards(folder / "shards.half", other)


def test_saving_over_a_checkpoint_leaves_one_and_no_rests(tmp_path):
    model = program.Net()
    optimizer = torch.optim.AdamW(model.parameters())
    for step in (1, 2):
        resharding.save_shards(tmp_path / "last", model, optimizer, {"step": step})
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
    assert resharding.load_shards(tmp_path / "last", model, optimizer) == {"step": 2}
