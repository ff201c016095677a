"""`sweep`: values are drawn, bad trials cut short, and a sweep that was killed goes on to as many trials as were asked for."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="a sweep needs Optuna")

RANGE = ("--param", "optim.rate=0.01..1:log")


def test_each_trial_is_a_run_and_the_best_is_found(lab, tmp_path):
    found = lab.object("sweep", "counting", *RANGE, "--param", "width=1..64", "--trials", "12", "--no-prune")
    assert [trial["state"] for trial in found["trials"]] == ["finished"] * 12
    assert found["metric"] == "val_loss" and found["direction"] == "minimise", "as the recipe's first claim has it"
    with lab.records() as kept:
        for trial in found["trials"]:
            row = kept.find(trial["run"])
            assert (
                row.config["optim.rate"] == trial["params"]["optim.rate"] and 0.01 <= trial["params"]["optim.rate"] <= 1
            )
            assert row.config["width"] == trial["params"]["width"] and row.result["val_loss"] == trial["value"]
        drawings = kept.folder / "sweeps" / "counting"
        assert {path.name for path in drawings.iterdir()} == {"importance.png", "trials.png"}
    assert found["best"]["value"] == min(trial["value"] for trial in found["trials"])
    assert sum(found["importance"].values()) == pytest.approx(1)
    assert next(iter(found["importance"])) == "optim.rate", "the law of the experiment"


def test_the_space_may_be_in_the_recipe_and_choices_are_drawn_as_they_are(lab):
    found = lab.object("sweep", "wide", "--trials", "2")
    assert found["space"] == {"optim.rate": "0.01..1:log", "width": "2..64"}
    found = lab.object(
        "sweep", "wide", "--param", "optim.kind=plain,other", "--param", "steps=3..3_0", "--trials", "3", "--name", "b"
    )
    assert {trial["params"]["optim.kind"] for trial in found["trials"]} <= {"plain", "other"}


def test_what_promises_less_than_the_median_is_pruned_without_the_experiment_knowing(lab):
    found = lab.object("sweep", "counting", *RANGE, "--metric", "loss", "--trials", "10", status=1)
    assert {trial["error"] for trial in found["trials"]} == {"loss is none of val_loss, tokens_per_s"}
    (lab.recipes / "logs.toml").write_text('title = "t"\nexperiment = "counting"\n')
    experiment = __import__("sys").modules["groundup.experiments.counting"]
    measured = experiment.evaluate
    try:
        experiment.evaluate = lambda *args: {"loss": measured(*args)["val_loss"]}
        found = lab.object("sweep", "logs", *RANGE, "--metric", "loss", "--trials", "14")
    finally:
        experiment.evaluate = measured
    pruned = [trial for trial in found["trials"] if trial["state"] == "pruned"]
    assert pruned and all(trial["number"] >= 5 for trial in pruned)
    with lab.records() as kept:
        assert all(kept.find(trial["run"]).status == "pruned" for trial in pruned)
        assert all(len(kept.metrics(kept.find(trial["run"]).id, "loss")) < 30 for trial in pruned)


def test_a_sweep_that_was_killed_goes_on_and_its_trial_with_its_run(lab):
    victim = lab.launch("sweep", "counting", *RANGE, "--trials", "4", HANG_AT="14")
    while "waiting" not in (line := victim.stdout.readline()):
        assert line, victim.stderr.read()
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    status, _, err = lab("sweep", "counting", *RANGE, "--trials", "4")
    assert status == 2 and "there is a sweep 'counting' already: --resume goes on with it" in err
    found = lab.object("sweep", "counting", "--trials", "4", "--resume")
    assert [trial["state"] for trial in found["trials"]] == ["failed"] + ["finished"] * 4
    lost, again = found["trials"][:2]
    assert again["params"] == lost["params"] and again["run"] == lost["run"] == "counting-1"
    with lab.records() as kept:
        assert len(kept.attempts(1)) == 2 and len(kept.runs()) == 4
        assert [step for _, step, _, _ in kept.metrics(1, "loss")] == list(range(30))
    more = lab.object("sweep", "counting", "--trials", "6", "--resume")
    assert [trial["state"] for trial in more["trials"]] == ["failed"] + ["finished"] * 6
    drawn = [trial["params"]["optim.rate"] for trial in more["trials"][1:]]
    assert len(set(drawn)) == 6, "a sweep that goes on does not draw the same values again"


def test_ctrl_c_gives_the_trial_back(lab, monkeypatch):
    monkeypatch.setenv("STOP_AT", "14")
    status, _, err = lab("sweep", "counting", *RANGE, "--trials", "2")
    assert status == 130 and "--resume` goes on with it" in err
    monkeypatch.delenv("STOP_AT")
    found = lab.object("sweep", "counting", "--trials", "2", "--resume")
    assert [trial["state"] for trial in found["trials"]] == ["failed", "finished", "finished"]
    assert found["trials"][1]["run"] == "counting-1"


def test_a_trial_that_raises_has_failed_and_the_others_go_on(lab, monkeypatch):
    monkeypatch.setenv("FAIL_AT", "2")
    found = lab.object("sweep", "counting", *RANGE, "--trials", "2", status=1)
    assert {trial["error"] for trial in found["trials"]} == {"RuntimeError: no more memory"} and found["best"] is None


def ended(going):
    out, err = going.communicate(timeout=120)
    assert going.returncode == 0, out + err
    return json.loads(out.strip().splitlines()[-1])


def test_workers_share_the_trials_exactly(lab):
    found = ended(lab.launch("sweep", "counting", *RANGE, "--trials", "7", "--workers", "2", "--json"))
    assert sum(trial["state"] == "finished" for trial in found["trials"]) == 7
    assert len({trial["run"] for trial in found["trials"] if trial["state"] == "finished"}) == 7


def test_what_cannot_be_swept_is_one_line(lab):
    for arguments, said in [
        (["counting"], "counting has no [sweep]"),
        (["counting", "--param", "width"], "write name=values"),
        (["counting", "--param", "wdth=1..3"], "did you mean width"),
        (["counting", "--param", "width=1.5..3"], "width is of type int"),
        (["counting", "--param", "width=3..1"], "from a number to a larger one"),
        (["counting", "--param", "optim.rate=0..1:log"], "a logarithmic range begins above 0"),
        (["counting", "--param", "width=8"], "write low..high"),
        (["counting", *RANGE, "--storage", "sqlite:///x.db"], "a journal file (a path) or in postgresql://"),
        (["counting", *RANGE, "--trials", "0"], "--trials and --workers are 1 or more"),
        (["counting", "--resume"], "there is no sweep 'counting' to go on with"),
        (["counting", *RANGE, "--storage", "postgresql://nobody@127.0.0.1:9/none"], "postgresql://… cannot be used"),
    ]:
        status, _, err = lab("sweep", *arguments)
        assert status == 2 and said in err and err.count("\n") == 1, (arguments, err)


def test_a_sweep_that_goes_on_has_the_same_aim(lab):
    lab("sweep", "counting", *RANGE, "--trials", "1")
    status, _, err = lab("sweep", "counting", "--param", "optim.rate=0.01..2:log", "--trials", "2", "--resume")
    assert status == 2 and "has another space" in err


def test_the_documentation_names_what_the_object_holds(lab):
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)]
    found = lab.object("sweep", "counting", *RANGE, "--trials", "1")
    [example] = [each for each in examples if set(each) == set(found)]
    assert set(example["trials"][0]) == set(found["trials"][0]) and set(example["best"]) == set(found["best"])


@pytest.fixture
def postgres():
    """The URL of a PostgreSQL that runs for this test alone, reached by a socket in a folder."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "/").parent]
    if not (found[-1] / "initdb").exists():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:  # it refuses to run as root
        user = "postgres" if any(each.pw_name == "postgres" for each in pwd.getpwall()) else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    shutil.chown(folder, user)
    options = {
        "user": user,
        "cwd": folder,
        "check": True,
        "capture_output": True,
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"},
    }
    data, log = folder / "data", folder / "log"
    subprocess.run(
        [found[-1] / "initdb", "-D", data, "-U", "groundup", "-A", "trust", "-E", "UTF8", "--no-sync"], **options
    )
    server = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(
        [found[-1] / "pg_ctl", "-D", data, "-l", log, "-o", server, "-w", "start"],
        **{**options, "capture_output": False},
    )
    try:
        yield f"postgresql://groundup@/postgres?host={folder}"
    finally:
        subprocess.run([found[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **options)
        shutil.rmtree(folder)


@pytest.mark.thorough
def test_workers_share_a_postgresql_and_one_that_is_killed_is_replaced(lab, postgres):
    arguments = ("sweep", "counting", *RANGE, "--storage", postgres)
    victim = lab.launch(*arguments, "--trials", "5", HANG_AT="14")
    while "waiting" not in (line := victim.stdout.readline()):
        assert line, victim.stderr.read()
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    found = ended(lab.launch(*arguments, "--trials", "5", "--resume", "--workers", "2", "--json"))
    assert sum(trial["state"] == "finished" for trial in found["trials"]) == 5
    lost, again = found["trials"][:2]
    assert lost["state"] == "failed" and again["params"] == lost["params"] and again["run"] == lost["run"]
