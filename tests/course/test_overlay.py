"""`mine` is what is built, and the reference for the rest: in checks, in scripts, in runs."""

import subprocess
import sys

import pytest

from groundup.course.checking.session import Session
from groundup.course.holes.library import assemble, reference_text
from groundup.course.lessons.blocks import library_of
from groundup.course.lessons.lesson import find
from groundup.course.overlay import Library, Overlay, from_sources
from groundup.course.workspace.workspace import make_workspace

MARK = "\nMARK = 'mine'\n"


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "my space")


def put(workspace, path, text):
    target = workspace.path_of(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_without_a_workspace_mine_is_the_reference():
    with library_of(None):
        from mine.grad.value import Value

        assert Value.__module__ == "mine.grad.value"
        a = Value(3.0)
        (a * a).backward()
        assert a.grad == 6.0


def test_what_is_built_stands_in_for_the_reference_inside_the_references_own_code(workspace):
    put(workspace, "grad/tensor.py", reference_text("grad.tensor") + MARK)
    with library_of(workspace.root):
        lib = Library("mine")
        assert lib.grad.mlp.Tensor is lib.grad.tensor.Tensor
        assert lib.grad.tensor.MARK == "mine"
        assert not hasattr(lib.grad.value, "MARK")


def test_a_plain_script_in_the_workspace_runs_on_mine(workspace):
    put(workspace, "grad/value.py", reference_text("grad.value") + MARK)
    (workspace.root / "script.py").write_text(
        "from mine.grad.value import MARK, Value\n"
        "from mine.grad.mlp import MLP\n"
        "import mine.grad.tensor as tensor\n"
        "print(MARK, Value(2.0).data, MLP.__module__, tensor.__file__ or tensor.__spec__.origin)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=workspace.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mine 2.0 mine.grad.mlp ")


def test_a_run_on_mine_uses_the_learners_engine(groundup):
    groundup("start", "--yes")
    path = groundup.here / "workspace/mine/grad/tensor.py"
    path.parent.mkdir(parents=True)
    path.write_text(reference_text("grad.tensor") + "\nprint('my own engine')\n")
    run = groundup("run", "two-moons", "--mine", "--set", "steps=5")
    assert "my own engine" in run.stdout
    assert "my own engine" not in groundup("run", "two-moons", "--set", "steps=5").stdout


def test_an_earlier_file_counts_only_if_it_has_passed_as_it_now_stands(workspace):
    with Session(workspace.root) as session:
        source = reference_text("grad.tensor")
        put(workspace, "grad/tensor.py", source)
        for path in find("1.7").builds:
            put(workspace, path, reference_text(path.removesuffix(".py").replace("/", ".")))

        unproven = session.answer({"do": "check", "lesson": "1.7", "seed": 1})[0]["verdict"]
        assert unproven["reference"] == ["mine/grad/tensor.py"] and unproven["mine"] == []

        assert session.answer({"do": "check", "lesson": "1.4", "seed": 1})[0]["verdict"]["passed"]
        proven = session.answer({"do": "check", "lesson": "1.7", "seed": 1})[0]["verdict"]
        assert proven["mine"] == ["mine/grad/tensor.py"] and proven["passed"]

        put(workspace, "grad/tensor.py", source.replace("class Tensor", "class Tensr"))
        broken = session.answer({"do": "check", "lesson": "1.7", "seed": 1})[0]["verdict"]
        assert broken["passed"] and broken["reference"] == ["mine/grad/tensor.py"]


def test_the_lessons_own_reference_is_never_sent_along():
    sources = assemble(["grad.mlp"], {}, frozenset({"grad.tensor"}))
    assert "grad.mlp" in sources and "grad.tensor" not in sources


def test_the_closure_of_imports_is_found():
    own = {"a.one": ("a", "from .two import x\nfrom . import three\nfrom mine.grad.value import Value\n")}
    assert {"a.one", "grad", "grad.value"} <= set(assemble(["a.one"], own, frozenset()))


def test_an_overlay_in_memory_imports_and_leaves():
    overlay = Overlay(
        "floating", from_sources({"a.b": ("b.py", "from .c import x"), "a.c": ("c.py", "x = 7")})
    ).install()
    try:
        assert Library("floating").a.b.x == 7
        with pytest.raises(ImportError):
            Library("floating").a.nothing  # noqa: B018
    finally:
        overlay.remove()
    assert not [name for name in sys.modules if name.startswith("floating")]
