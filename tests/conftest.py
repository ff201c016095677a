"""What every test may lean on: one BLAS thread, a judge that is warm for the whole run, a workspace of one's own."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import subprocess  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

from groundup.course.holes.library import reference_text  # noqa: E402
from groundup.course.judging.judge import Judge  # noqa: E402
from groundup.course.lessons.lesson import find  # noqa: E402

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"  # datasets beside the checkout, where there are some
if SHARED.is_dir():
    os.environ.setdefault("GROUNDUP_DATA", str(SHARED))


@pytest.fixture(scope="session")
def judge():
    """A judge that stays warm for the whole run."""
    with Judge() as court:
        yield court


@pytest.fixture(scope="session")
def engine():
    """Lesson 1.3, the one most tests are made with."""
    return find("1.3")


@pytest.fixture(scope="session")
def value_source():
    """The reference's source of grad/value.py."""
    return reference_text("grad.value")


@pytest.fixture
def groundup(tmp_path, monkeypatch):
    """Runs the command in a folder of the test's own, and ends the judge that it may have started."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    here = tmp_path / "here"
    here.mkdir()
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path), "NO_COLOR": "1"}
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    def run(*arguments, cwd=None, **options):
        command = [sys.executable, "-m", "groundup", *map(str, arguments)]
        options = {"capture_output": True, "text": True, "timeout": 120, "env": environment, **options}
        return subprocess.run(command, cwd=cwd or here, **options)

    run.here, run.environment = here, environment
    yield run
    if any(here.rglob("groundup.toml")):
        for config in here.rglob("groundup.toml"):
            run("judge", "--stop", cwd=config.parent)
