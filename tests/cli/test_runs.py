"""`run`, `runs` and `claims` as somebody types them."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path


def last_object(done):
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_a_run_ends_with_its_claims_and_is_listed(groundup):
    done = groundup("run", "two-moons", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    found = last_object(done)
    assert (found["schema"], found["recipe"], found["seed"], found["status"]) == (1, "two-moons", 3, "finished")
    [claim] = found["claims"]
    assert claim == {
        "name": "test_accuracy",
        "bar": ">= 0.99",
        "value": found["metrics"]["test_accuracy"],
        "kept": True,
    }
    assert "seed=3" in done.stdout and "Expect" in done.stdout
    listed = groundup("runs")
    assert found["run"] in listed.stdout and "finished" in listed.stdout
    assert last_object(groundup("runs", found["run"], "--json")) == found
    assert "model.npz" in groundup("runs", found["run"]).stdout


def test_a_claim_that_is_not_kept_is_said_and_is_the_exit_status(groundup):
    done = groundup("run", "two-moons", "--set", "steps=1", "--json")
    assert done.returncode == 1
    assert "NOT kept: test_accuracy >= 0.99" in done.stdout and not last_object(done)["claims"][0]["kept"]


def test_what_cannot_be_set_or_found_is_one_line(groundup):
    for arguments, said in [
        (["run", "two-mons"], "did you mean two-moons"),
        (["run", "two-moons", "--set", "step=3"], "did you mean steps"),
        (["runs", "two-moons-9"], "there is no run 'two-moons-9'"),
        (["claims", "nothing"], "there is no recipe 'nothing'"),
    ]:
        done = groundup(*arguments)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_claims_are_measured_once_for_the_same_sources_and_values(groundup):
    first = groundup("claims", "two-moons", "--json")
    assert first.returncode == 0, first.stderr
    assert "running two-moons" in first.stderr
    second = groundup("claims", "two-moons", "--json")
    assert second.returncode == 0 and "running" not in second.stderr
    assert last_object(first) == last_object(second)


def test_ctrl_c_keeps_what_there_is(groundup):
    command = [sys.executable, "-m", "groundup", "run", "two-moons", "--set", "steps=1000000"]
    going = subprocess.Popen(
        command, cwd=groundup.here, env=groundup.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert going.stdout.readline()  # the title: the run begins
    deadline = time.monotonic() + 30
    while "running" not in groundup("runs").stdout:
        assert time.monotonic() < deadline
    going.send_signal(signal.SIGINT)
    out, _ = going.communicate(timeout=60)
    assert going.returncode == 130 and "interrupted" in out
    assert "interrupted" in groundup("runs").stdout


def test_the_documentation_names_what_the_object_holds(groundup):
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text().partition("## A run\n")[2]
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    example = json.loads(re.search(r"```json\n(.*?)```", page, flags=re.DOTALL)[1])
    found = last_object(groundup("run", "two-moons", "--set", "steps=1", "--json"))
    assert set(example) == set(found) and set(found["claims"][0]) == set(example["claims"][0])
    assert named == set(found) - {"schema", "recipe", "seed"}
