"""What is installed is whole: the wheel holds the lessons, recipes and tracks, and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from groundup.course.lessons.lesson import lessons_root

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_lesson_recipe_and_track(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for root, name in ((lessons_root(), "_lessons"), (ROOT / "recipes", "_recipes"), (ROOT / "tracks", "_tracks")):
        files = [p.relative_to(root) for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files and {f"groundup/{name}/{path}" for path in files} <= inside


def test_the_wheel_holds_the_whole_desk_as_it_is_here(wheel):
    inside = zipfile.ZipFile(wheel)
    desk = ROOT / "src" / "groundup" / "desk"
    for folder in ("static", "templates", "vendor"):
        files = [p for p in (desk / folder).rglob("*") if p.is_file()]
        assert files
        for path in files:
            assert inside.read(f"groundup/desk/{path.relative_to(desk).as_posix()}") == path.read_bytes(), path


def test_an_installed_wheel_judges_a_file_away_from_the_checkout(wheel, tmp_path, value_source):
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    (tmp_path / "value.py").write_text(value_source)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    where = subprocess.run(
        [sys.executable, "-c", "import groundup; print(groundup.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(installed))
    listed = subprocess.run(
        [sys.executable, "-m", "groundup", "run"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert "two-moons" in listed.stdout, listed.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "groundup", "show", "1.3"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert shown.returncode == 0 and "topological order" in shown.stdout, shown.stderr


def test_the_version_is_quick_to_say_and_imports_nothing_large():
    code = "import sys; from groundup.cli import run; run(['--version']); print([m for m in ('numpy', 'torch', 'sklearn', 'scipy', 'matplotlib', 'cyclopts', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_the_quick_client_imports_nothing_large():
    code = "import sys; import groundup.cli.quick; print([m for m in ('numpy', 'torch', 'sklearn', 'yaml', 'cyclopts', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout
