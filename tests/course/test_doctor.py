"""The doctor: it looks at the real machine, never hangs on PyTorch, and has a command for what is not there."""

import json
import os
import stat
import subprocess
import sys
import time

import pytest

from groundup.course.workspace import doctor
from groundup.course.workspace.devices import Torch, torch_here
from groundup.course.workspace.doctor import Finding, as_object, findings, judge_torch
from groundup.course.workspace.editors import debugging_editors

LOOKED_AT = [
    "Python",
    "environment",
    "numpy",
    "matplotlib",
    "tqdm",
    "PyTorch",
    "Jupyter",
    "regex",
    "optuna",
    "git",
    "editor",
]
LOOKED_AT += ["disk", "sandbox", "resource limits", "death with the parent", "files", "system calls"]


def by_name(found):
    return {finding.name.strip(): finding for finding in found}


def program(folder, name):
    """An executable of this name on the path's only folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_it_looks_at_everything_here_and_what_is_not_good_has_its_one_command(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = findings()
    assert [finding.name.strip() for finding in found] == LOOKED_AT
    assert all(finding.good or finding.mend for finding in found)
    assert all("\n" not in finding.mend and finding.says for finding in found)
    torch = by_name(found)["PyTorch"]
    assert torch.good and "torch" not in torch.mend


def test_pytorch_is_asked_in_another_process():
    script = (
        "import sys; from groundup.course.workspace.doctor import findings; findings(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr


def test_pytorch_here_says_its_version_and_devices():
    import torch

    here = torch_here()
    assert here.version == torch.__version__ and here.problem == "" and here.threads >= 1
    assert len(here.devices) >= (torch.cuda.device_count() if torch.cuda.is_available() else 0)


@pytest.mark.parametrize(
    "script, said",
    [
        ("import time; time.sleep(600)", "longer than 0.5 s"),
        ("import os; os._exit(9)", "status 9"),
        ("raise OSError('libcudart.so.12: cannot open shared object file')", "libcudart"),
        ("print('no JSON')", "status 0"),
        ("print('[1]')", "status 0"),
    ],
)
def test_a_pytorch_that_hangs_or_breaks_is_said_and_mended(script, said):
    begun = time.monotonic()
    here = torch_here([sys.executable, "-c", script], deadline=0.5 if "sleep" in script else 60)
    assert said in here.problem and time.monotonic() - begun < 60
    finding = judge_torch(here, nvidia=False)
    assert not finding.good and said in finding.says and finding.mend.startswith("pip install")


def test_a_gpu_that_pytorch_does_not_see_is_said():
    alone = Torch("2.9.0+cpu", (), 4)
    assert judge_torch(alone, nvidia=False).good
    finding = judge_torch(alone, nvidia=True)
    assert not finding.good and "does not see" in finding.says and "download.pytorch.org" in finding.mend
    assert judge_torch(Torch("2.9.0", ("H100, 80 GiB",), 4), nvidia=True).says == "2.9.0, on H100, 80 GiB"


def test_what_is_missing_from_the_path_is_mended_by_the_manager_that_is_there(tmp_path, monkeypatch):
    path = tmp_path / "bin"
    monkeypatch.setenv("PATH", str(path))
    assert doctor._git() == Finding("git", False, "not installed: what you pass is not committed", "install git")
    program(path, "dnf")
    assert doctor._git().mend == "sudo dnf install git"
    program(path, "git")
    assert doctor._git().good


def test_editors_that_can_debug_are_found_on_the_path_and_by_their_plugins(tmp_path, monkeypatch):
    path, home = tmp_path / "bin", tmp_path / "home"
    monkeypatch.setenv("PATH", str(path))
    home.mkdir()
    assert debugging_editors(home) == []
    for name in ("vim", "nvim", "emacs", "nano"):
        program(path, name)
    assert debugging_editors(home) == []  # they edit
    (home / ".vim/pack/plugins/start/vimspector").mkdir(parents=True)
    (home / ".local/share/nvim/lazy/nvim-dap").mkdir(parents=True)
    (home / ".emacs.d/elpa/dape-0.24").mkdir(parents=True)
    program(path, "code")
    program(path, "pycharm.sh")
    program(path, "charm")
    assert debugging_editors(home) == [
        "VS Code", "PyCharm", "nvim with nvim-dap", "vim with vimspector", "emacs with dape",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "environment, inside, good",
    [({}, True, True), ({}, False, False), ({"CONDA_DEFAULT_ENV": "ml"}, False, True), ({"CONDA_DEFAULT_ENV": "base"}, False, False)],
)  # fmt: skip
def test_an_environment_is_a_virtual_one_or_one_of_condas(environment, inside, good):
    finding = doctor._environment(environment, inside)
    assert finding.good == good and bool(finding.mend) != good


def test_an_old_python_is_needed_and_not_good():
    finding = doctor._python((3, 9, 18))
    assert finding.needed and not finding.good and finding.mend
    assert not as_object([finding])["ready"]


def test_a_sandbox_that_was_chosen_wrongly_or_weaker_is_mended_by_unsetting_it(monkeypatch):
    monkeypatch.setenv("GROUNDUP_SANDBOX", "none")
    found = by_name(doctor._sandbox())
    assert found["sandbox"].needed and not found["sandbox"].good and found["sandbox"].mend == "unset GROUNDUP_SANDBOX"
    monkeypatch.setenv("GROUNDUP_SANDBOX", "spawn")
    found = by_name(doctor._sandbox())
    assert found["sandbox"].good and found["files"].mend == found["system calls"].mend == "unset GROUNDUP_SANDBOX"


def test_as_json_in_a_workspace_it_reads_the_store_too(groundup):
    assert groundup("start", "--yes").returncode == 0
    done = groundup("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["schema"] == 1 and found["ready"]
    assert [each["name"] for each in found["findings"]] == [*LOOKED_AT, "store"]
    assert all(set(each) == {"name", "good", "says", "mend", "needed"} for each in found["findings"])
    database = groundup.here / "workspace/.groundup/progress.db"
    for rest in database.parent.glob("progress.db-*"):
        rest.unlink()
    with database.open("r+b") as file:
        file.seek(os.path.getsize(database) // 2)
        file.write(b"\xff" * 4096)
    done = groundup("doctor")
    assert done.returncode == 1 and "✗ store" in done.stdout
