"""A run that was cut off goes on under its name; several seeds say something together; a model's text is printed."""

import os
import signal

import pytest


@pytest.mark.parametrize("end", ["interrupted", "failed"])
def test_a_run_that_was_cut_off_goes_on_and_no_step_is_there_twice(lab, monkeypatch, end):
    monkeypatch.setenv({"interrupted": "STOP_AT", "failed": "FAIL_AT"}[end], "17")
    if end == "failed":
        with pytest.raises(RuntimeError):
            lab("run", "counting")
    else:
        assert lab("run", "counting")[0] == 130
    monkeypatch.delenv({"interrupted": "STOP_AT", "failed": "FAIL_AT"}[end])
    status, out, err = lab("run", "counting", "--resume")
    assert status == 0 and "counting-1 goes on: attempt 2" in out, out + err
    with lab.records() as kept:
        [row] = kept.runs()
        assert row.status == "finished" and row.result["val_loss"] > 0
        assert [step for _, step, _, _ in kept.metrics(row.id, "loss")] == list(range(30))
        attempts = dict((step, value) for _, step, _, value in kept.metrics(row.id, "attempt"))
        assert attempts == {step: 1 + (step >= 10) for step in range(30)}
        assert [(a.status, a.resumed_at) for a in kept.attempts(row.id)] == [(end, None), ("finished", 10)]
        assert row.seconds == pytest.approx(sum(a.seconds for a in kept.attempts(row.id)))
    assert "attempt 2, after one that was " + end + ": went on from step 10" in lab("runs", "counting-1")[1]


def test_a_run_that_was_killed_goes_on_where_its_checkpoint_is(lab):
    victim = lab.launch("run", "counting", HANG_AT="23")
    while "waiting" not in (line := victim.stdout.readline()):
        assert line, victim.stderr.read()
    status, _, err = lab("run", "counting", "--resume")
    assert status == 2 and "no run of counting with these values was cut off" in err
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    found = lab.object("run", "counting", "--resume")
    assert (found["run"], found["status"], found["attempts"]) == ("counting-1", "finished", 2)
    with lab.records() as kept:
        assert [step for _, step, _, _ in kept.metrics(1, "loss")] == list(range(30))
        assert [a.status for a in kept.attempts(1)] == ["killed", "finished"]


def test_only_a_run_of_the_same_values_goes_on_and_the_difference_is_said(lab, monkeypatch):
    monkeypatch.setenv("STOP_AT", "12")
    lab("run", "counting", "--set", "width=8")
    monkeypatch.delenv("STOP_AT")
    status, _, err = lab("run", "counting", "--resume")
    assert status == 2 and "counting-1 was, with width=8, doubled=16" in err and err.count("\n") == 1
    assert lab("run", "counting", "--resume", "--set", "width=8")[0] == 0


def test_a_run_goes_on_by_its_own_name_or_number_with_the_values_that_it_had(lab, monkeypatch):
    monkeypatch.setenv("STOP_AT", "12")
    for width in (8, 9):
        lab("run", "counting", "--set", f"width={width}", "--seed", "4")
    monkeypatch.delenv("STOP_AT")
    status, _, err = lab("run", "counting-1", "--resume", "--set", "width=9")
    assert status == 2 and "counting-1 goes on with its own values" in err and err.count("\n") == 1
    assert lab.object("run", "1", "--resume")["config"]["width"] == 8
    assert lab.object("run", "counting-2", "--resume")["attempts"] == 2
    status, _, err = lab("run", "counting-2", "--resume")
    assert status == 2 and "counting-2 is finished" in err
    status, _, err = lab("run", "countin", "--resume")
    assert status == 2 and "did you mean counting?" in err


def test_an_experiment_without_checkpoints_says_that_it_cannot_go_on(lab):
    status, _, err = lab("run", "moons", "--resume")
    assert status == 2 and "moons cannot go on where it stopped" in err and err.count("\n") == 1


def test_checkpoints_are_hashed_when_the_run_ends_and_not_before(lab, monkeypatch):
    monkeypatch.setenv("FAIL_AT", "15")
    with pytest.raises(RuntimeError):
        lab("run", "counting")
    monkeypatch.delenv("FAIL_AT")
    lab("run", "counting", "--resume")
    with lab.records() as kept:
        assert set(kept.artifacts(1)) == {f"checkpoints/{n:06}.json" for n in (10, 20, 30)} | {"done.json"}


def test_several_seeds_are_runs_of_their_own_and_say_something_together(lab):
    found = lab.object("run", "counting", "--seeds", "3", "--seed", "5")
    values = [run["metrics"]["val_loss"] for run in found["runs"]]
    assert [run["seed"] for run in found["runs"]] == [5, 6, 7] and len(set(values)) == 3
    spread = found["summary"]["val_loss"]
    assert spread["n"] == 3 and spread["low"] < spread["mean"] < spread["high"]
    assert spread["mean"] == pytest.approx(sum(values) / 3)
    together = [claim for claim in found["claims"] if claim["run"] is None]
    assert [claim["bar"] for claim in together] == ["mean + 2 sd < 0.3 over 3 seeds"] and together[0]["kept"]
    assert together[0]["value"] == pytest.approx(spread["mean"] + 2 * spread["sd"])
    assert len(found["claims"]) == 4


def test_a_claim_over_seeds_that_is_not_kept_is_the_exit_status(lab):
    status, out, _ = lab("run", "counting", "--seeds", "3", "--set", "optim.rate=0.9")
    assert status == 1 and "NOT kept: val_loss mean + 2 sd < 0.3 over 3 seeds" in out
    status, out, _ = lab("run", "counting", "--seeds", "2", "--set", "optim.rate=0.9")
    assert status == 0 and "2 sd" not in out, "two runs do not judge a claim over three"


def test_several_seeds_go_on_with_what_is_there(lab, monkeypatch):
    lab("run", "counting")
    monkeypatch.setenv("STOP_AT", "12")
    assert lab("run", "counting", "--seeds", "3", "--resume")[0] == 130
    monkeypatch.delenv("STOP_AT")
    found = lab.object("run", "counting", "--seeds", "3", "--resume")
    assert [(run["run"], run["attempts"]) for run in found["runs"]] == [
        ("counting-1", 1),
        ("counting-2", 2),
        ("counting-3", 1),
    ]


def test_claims_measures_as_many_seeds_as_they_ask_for(lab):
    status, out, err = lab("claims", "counting")
    assert status == 0 and err.count("running counting") == 3 and "mean + 2 sd < 0.3 over 3 seeds" in out
    found = lab.object("claims", "counting")
    assert [claim["run"] for claim in found["claims"]] == [
        *("counting-1", "counting-2", "counting-3"),
        "counting-1 and 2 more",
    ]


def test_a_sample_is_printed_as_the_experiment_gives_it(lab):
    lab("run", "counting", "--set", "width=5")
    status, out, _ = lab("sample", "counting-1", "--prompt", "-so", "--tokens", "4")
    assert status == 0 and out == "-so 0 5 10 15\n"
    assert lab("sample", "counting")[1] == " 0 5 10\n"


def test_what_cannot_be_sampled_is_one_line(lab, monkeypatch):
    lab("run", "moons")
    monkeypatch.setenv("STOP_AT", "2")
    lab("run", "counting")
    for arguments, said in [
        (["moons"], "moons-1 has nothing to sample from: two_moons makes no text"),
        (["counting"], "counting-2 is interrupted, and has saved nothing to sample from"),
        (["counting", "--min-p", "0.1"], "sampling from counting-2 knows no --min-p"),
        (["nothing"], "there is no run 'nothing'"),
    ]:
        status, _, err = lab("sample", *arguments)
        assert status == 2 and said in err and err.count("\n") == 1


def launch(lab, rank, **environment):
    known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511", "TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2"}
    return lab.launch("run", "counting", **known, RANK=str(rank), **environment)


def test_processes_that_torchrun_starts_have_one_run_and_go_on_with_it_when_they_are_started_again(lab):
    other, first = launch(lab, 1), launch(lab, 0, HANG_AT="14")
    while "waiting" not in (line := first.stdout.readline()):
        assert line, first.stderr.read()
    assert other.communicate(timeout=60) == ("", "") and other.returncode == 0
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    other, first = (launch(lab, rank, TORCHELASTIC_RESTART_COUNT="1", HANG_AT="25") for rank in (1, 0))
    assert "waiting" not in other.communicate("", timeout=60)[0] and other.returncode == 0
    out, err = first.communicate("", timeout=60)
    assert first.returncode == 0 and "counting-1 goes on: attempt 2" in out, err
    with lab.records() as kept:
        [row] = kept.runs()
        assert row.status == "finished" and len(kept.attempts(1)) == 2
        assert [step for _, step, _, _ in kept.metrics(1, "loss")] == list(range(30))
