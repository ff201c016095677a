"""The main job, end to end, with the real command: open, fail, be told, mend, pass, move on."""

import json
import subprocess


def test_from_an_empty_folder_to_a_built_lesson(groundup, value_source):
    assert groundup("start", "--yes").returncode == 0
    workspace = groundup.here / "workspace"
    assert "1.3" in groundup().stdout

    opened = groundup("open", "1.3")
    path = workspace / "mine/grad/value.py"
    assert opened.returncode == 0 and path.is_file() and "mine/grad/value.py" in opened.stdout

    stub = groundup("check")
    assert stub.returncode == 1 and "not written yet" in stub.stdout

    wrong = value_source.replace("operand.grad += slope", "operand.grad = slope")
    path.write_text(wrong)
    told = groundup("check", "1.3")
    assert told.returncode == 1
    assert "gradient overwritten, not accumulated" in told.stdout
    assert "y = a + a" in told.stdout and "2.0" in told.stdout and "1.0" in told.stdout
    assert len(told.stdout.splitlines()) <= 12

    path.write_text(value_source)
    built = groundup("check", "1.3", "--json")
    verdict = json.loads(built.stdout)
    assert built.returncode == 0 and verdict["passed"] and verdict["schema"] == 1
    assert groundup("judge", "--stop").returncode == 0  # a pass is committed once the answer is out

    log = subprocess.run(["git", "log", "--format=%s"], cwd=workspace, capture_output=True, text=True).stdout
    assert "1.3 passed" in log.splitlines()[0]
    assert "next  1.3" not in groundup().stdout
