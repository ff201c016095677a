"""The package of a portfolio: a wheel that installs alone, and how many known faults the learner's tests notice."""

import io
import json
import subprocess
import sys
import venv
import zipfile
from dataclasses import replace

import pytest

from groundup.course import courses
from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find
from groundup.course.packs import opening
from groundup.course.packs.writing import new_lesson, new_pack
from groundup.course.workspace.workspace import Config, WorkspaceError, make_workspace
from groundup.desk.portfolio import building
from groundup.desk.portfolio.killing import Bench, kill_score
from groundup.desk.portfolio.packaging import make_package
from groundup.desk.portfolio.timing import libraries
from groundup.desk.portfolio.trial import by_hand
from groundup.desk.portfolio.wheel import wheel

from . import simulated
from .simulated import BERLIN
from .validator import complaints

TESTS = b"""
from mine.grad.value import Value


def test_a_value_used_twice():
    a = Value(3.0)
    (a * a + a).backward()
    assert a.grad == 7.0


def test_a_power():
    a = Value(2.0)
    (a**3).backward()
    assert abs(a.grad - 12) < 1e-12
"""
OTHERWISE = "from __future__ import annotations\nclass Value:\n    pass\n"


@pytest.fixture
def workspace(tmp_path):
    made = make_workspace(tmp_path / "Ada's work")
    (made.root / "tests").mkdir()
    (made.root / "tests" / "test_value.py").write_bytes(TESTS)
    return made


def few_faults(tmp_path, count):
    """Lesson 1.3 with its first faults alone."""
    folder = tmp_path / "lesson"
    folder.mkdir()
    tables = (find("1.3").folder / "faults.toml").read_text().split("[[fault]]")[1 : count + 1]
    (folder / "faults.toml").write_text("".join(f"[[fault]]{table}" for table in tables))
    return replace(find("1.3"), folder=folder)


def test_the_score_equals_a_count_by_hand(tmp_path):
    lesson, text = few_faults(tmp_path, 4), reference_text("grad.value")
    score = kill_score([lesson], {"grad.value": text}, {"test_value.py": TESTS})
    expected = {}
    for fault in load_faults(lesson, {"grad/value.py": text}):
        folder = tmp_path / fault.name.replace(" ", "-")
        (folder / "mine" / "grad").mkdir(parents=True)
        (folder / "mine" / "grad" / "value.py").write_text(fault.apply(text))
        (folder / "try.py").write_text(TESTS.decode() + "\ntest_a_value_used_twice()\ntest_a_power()\n")
        done = subprocess.run([sys.executable, "try.py"], cwd=folder, capture_output=True, timeout=60)
        expected[fault.name] = done.returncode != 0
    assert {each.fault: each.killed for each in score.faults} == expected
    assert (score.killed, score.tried) == (sum(expected.values()), 4) and 0 < score.killed < 4
    assert {each.where for each in score.faults} == {"mine"}


def test_a_fault_that_does_not_fit_goes_into_the_references_file(tmp_path):
    lesson, text = few_faults(tmp_path, 2), reference_text("grad.value")
    mine = text.replace("operand", "parent")
    score = kill_score([lesson], {"grad.value": mine}, {"test_value.py": TESTS})
    assert [each.where for each in score.faults] == ["reference", "reference"] and score.faults[0].killed


def test_tests_that_fail_anyway_say_nothing(tmp_path):
    score = kill_score([few_faults(tmp_path, 2)], {"grad.value": OTHERWISE}, {"test_value.py": TESTS})
    assert score.faults == () and score.broken == ("1.3",)


def test_what_no_test_reaches_is_said(tmp_path):
    own = {"grad.value": reference_text("grad.value"), "grad.check": reference_text("grad.check")}
    for tests in ({}, {"notes.py": TESTS}, {"test_other.py": b"from mine.grad import check\n"}):
        score = kill_score([few_faults(fresh(tmp_path), 2)], own, tests)
        assert score.untested == ("1.3",) and score.tried == 0


def fresh(tmp_path):
    """A new folder."""
    made = tmp_path / str(len(list(tmp_path.iterdir())))
    made.mkdir()
    return made


def test_tests_are_held_in_and_ended(tmp_path):
    (tmp_path / "secret.txt").write_text("of value")
    text, victim = reference_text("grad.value"), tmp_path / "victim.txt"
    escaping = f"import mine.grad.value\ndef test_it():\n    open({str(victim)!r}, 'w').write('x')\n"
    assert not Bench({"grad.value": text}, {"test_a.py": escaping.encode()}, ["test_a.py"]).passes()
    assert not victim.exists()
    bench = Bench(
        {"grad.value": text},
        {"test_a.py": b"import mine.grad.value\ndef test_it():\n    while True: pass\n"},
        ["test_a.py"],
    )
    bench._deadline = 2.0
    assert not bench.passes()


def test_the_wheel_installs_alone_and_imports(workspace, tmp_path):
    simulated.passed(workspace.root, [find("1.3"), find("1.5")])
    (workspace.root / "mine" / "own").mkdir()
    (workspace.root / "mine" / "own" / "thing.py").write_text("from ..grad.value import Value\n\nTWO = Value(2.0)\n")
    (workspace.root / "mine" / "grad").mkdir()
    (workspace.root / "mine" / "grad" / "value.py").write_text("half way")
    package = make_package(workspace, "")
    assert package.name == "ada-s-work" and package.version == "0.2.2" and "own.thing" in package.mine
    assert make_package(workspace, "").data == package.data, "the same files make the same wheel"
    path = tmp_path / package.wheel
    path.write_bytes(package.data)
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        str(path),
    ]
    installed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert installed.returncode == 0, installed.stderr
    code = "import mine, mine.tests.test_value as t; from mine.own.thing import TWO; t.test_a_power(); print(TWO.data, sorted(mine.MINE))"
    said = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert said.stdout.startswith("2.0 ['classic.descent', 'grad.value', 'own.thing']"), said.stderr


def test_what_has_not_passed_comes_from_the_reference_under_its_licence(workspace):
    simulated.passed(workspace.root, [find("1.7")])
    package = make_package(workspace, "Made.By_me")
    assert package.name == "made-by-me" and package.reference and "grad.mlp" in package.mine
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert any(name.endswith("LICENSE.groundup") for name in names)
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "Requires-Dist: numpy" in metadata and "Requires-Dist: mine" not in metadata


def test_a_package_of_nothing_is_refused(workspace):
    with pytest.raises(WorkspaceError, match="nothing of yours has passed"):
        make_package(workspace, "")


def test_a_record_names_every_file_with_its_hash():
    name, data = wheel("a-b", "1", {"mine/a,b.py": b"x = 1\n"}, "one\nline", "# readme\n")
    assert name == "a_b-1-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        record = archive.read("a_b-1.dist-info/RECORD").decode()
        assert len(record.splitlines()) == len(archive.namelist())
        assert "Summary: one line" in archive.read("a_b-1.dist-info/METADATA").decode()
    assert '"mine/a,b.py",sha256=' in record


def test_the_site_shows_the_package_for_as_long_as_it_is_true(workspace):
    simulated.passed(workspace.root, [find("1.3")], {"grad/value.py": reference_text("grad.value")})
    (workspace.root / "tests" / "test_value.py").write_bytes(b"def test_it(): pass\n")
    made = building.make(workspace, building.Asked(package=True), BERLIN)
    assert (
        made.files[made.package.path] == made.package.data
        and b"No test of mine reaches 1.3" in made.files["package.html"]
    )
    assert building.make(workspace, building.Asked(), BERLIN).files == made.files
    (workspace.root / "tests" / "test_value.py").write_bytes(b"def test_it(): assert True\n")
    later = building.make(workspace, building.Asked(), BERLIN)
    assert (
        later.package is None and "package.html" not in later.files and any("--package" in each for each in later.says)
    )


def test_a_benchmark_is_of_the_files_that_passed(workspace):
    other = reference_text("grad.value") + "\n\nOTHER = True\n"
    simulated.passed(workspace.root, [find("1.3")], {"grad/value.py": other})
    made = building.make(workspace, building.Asked(benchmark=True), BERLIN)
    page = made.files["lessons/1.3.html"].decode()
    assert "In time, against PyTorch" in page and complaints(page) == []
    kept = json.loads((workspace.root / ".groundup" / "benchmarks" / "1.3.json").read_text())
    assert kept["rows"] and all(row["mine"] > 0 and row["theirs"] > 0 and row["cases"] > 0 for row in kept["rows"])
    assert building.make(workspace, building.Asked(), BERLIN).files == made.files
    simulated.passed(workspace.root, [find("1.3")])
    assert b"In time" not in building.make(workspace, building.Asked(), BERLIN).files["lessons/1.3.html"]


def test_what_a_truth_is_computed_by_is_read_from_its_code():
    import numpy as np

    def by_numpy(x):
        return np.linalg.norm(x)

    def by_sklearn(x):
        from sklearn.linear_model import Ridge

        return Ridge().fit(x, x)

    assert libraries(by_numpy) == [] and libraries(by_sklearn) == ["scikit-learn"] and libraries(None) == []


def test_code_that_does_not_run_has_no_benchmark(workspace):
    simulated.passed(workspace.root, [find("1.3")], {"grad/value.py": "while True:\n    raise SystemExit\n"})
    made = building.make(workspace, building.Asked(benchmark=True), BERLIN)
    assert b"In time" not in made.files["lessons/1.3.html"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("def test_a(): pass\n", 0),
        ("def test_a(): assert False\n", 1),
        ("import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.fail()\n", 1),
        ("import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n", 0),
        ("def helper(): pass\n", 5),
        ("import nothing_of_that_name\n", 1),
    ],
)
def test_tests_run_without_pytest_too(tmp_path, text, status):
    path = tmp_path / "test_it.py"
    path.write_text(text)
    assert by_hand([str(path)]) == status


def test_in_a_pack_what_is_not_mine_is_the_packs(tmp_path):
    pack = new_pack(tmp_path / "shop")[0].parent
    with courses.learning(opening.look(pack)):
        new_lesson(opening.look(pack))
    second = pack / "shop_library" / "averages_2.py"
    second.write_text(
        second.read_text().replace(
            "import numpy as np\n", "import numpy as np\n\nfrom .averages import half_life as _\n"
        )
    )
    course = opening.look(pack)
    with courses.learning(course):
        made = make_workspace(tmp_path / "ws", Config(course=str(pack)))
        simulated.passed(made.root, [find("1.2")])
        package = make_package(made, "")
    assert package.mine == ("averages_2",) and package.reference == ("averages",)
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "".join(files.values())
    assert "Of shop (MIT)" in everything and any(name.endswith("LICENSE.shop") for name in files)
    assert "groundup" not in files["mine/__init__.py"] and "LICENSE.groundup" not in everything
