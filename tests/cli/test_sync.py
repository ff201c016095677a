"""`sync` as somebody types it."""

import signal

import pytest

pytest.importorskip("tensorboard", reason="TensorBoard is not installed")


def scalars(folder, tag):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return [event.step for event in read.Scalars(tag)] if tag in read.Tags()["scalars"] else []


def test_all_runs_are_sent_or_those_that_are_named_and_then_nothing(lab, tmp_path):
    lab("run", "counting")
    lab("run", "moons")
    status, out, err = lab("sync", "counting", "--to", "tensorboard", "events")
    assert status == 0 and out.startswith("counting-1: 60 metrics to tensorboard"), err
    assert "moons" not in out and scalars(tmp_path / "events" / "counting-1", "loss") == list(range(30))
    assert lab("sync", "--to", "tensorboard", "events")[1].startswith("moons-2: 5 metrics")
    assert lab("sync", "--to", "tensorboard", "events") == (0, "", "")


def test_what_cannot_be_sent_is_one_line(lab):
    lab("run", "moons")
    for arguments, said in [
        (["--to", "mail", "me"], "there is no sink 'mail': it is one of mlflow, tensorboard, wandb"),
        (["--to", "tensorboard"], "--to"),
        (["nothing", "--to", "tensorboard", "events"], "there is no run 'nothing'"),
        (["--to", "tensorboard", "/proc/events"], "cannot be written"),
    ]:
        status, _, err = lab("sync", *arguments)
        assert status == 2 and said in err and err.count("\n") == 1, (arguments, err)


def test_a_run_that_goes_on_is_followed_and_ctrl_c_ends_it(lab, tmp_path):
    victim = lab.launch("run", "counting", HANG_AT="14")
    while "waiting" not in (line := victim.stdout.readline()):
        assert line, victim.stderr.read()
    follower = lab.launch("sync", "--to", "tensorboard", "events", "--follow")
    assert "following" in follower.stdout.readline()
    assert "counting-1: 30 metrics" in follower.stdout.readline()
    assert scalars(tmp_path / "events" / "counting-1", "loss") == list(range(15))
    victim.communicate("")
    assert victim.returncode == 0
    assert "counting-1: 30 metrics" in follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    follower.communicate(timeout=60)
    assert follower.returncode == 130
    lab("sync", "--to", "tensorboard", "events")
    assert scalars(tmp_path / "events" / "counting-1", "loss") == list(range(30))
    assert scalars(tmp_path / "events" / "counting-1", "final/val_loss") == [29]
