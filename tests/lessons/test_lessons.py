"""Every lesson, by the rules of the author's check; and right solutions written otherwise, which must pass."""

import ast
from pathlib import Path

import pytest

from groundup.course.authoring.author import SEEDS, check_lesson
from groundup.course.holes.library import ROOT, Submission
from groundup.course.lessons.lesson import check_together, find, find_all

LESSONS = [lesson.section_id for lesson in find_all()]
SOLUTIONS = Path(__file__).parents[1] / "solutions"
LIBRARY = ("grad", "classic", "drills", "text", "nets", "train")


@pytest.mark.parametrize("section_id", LESSONS)
def test_a_lesson_keeps_every_rule(section_id, judge):
    lesson = find(section_id)
    naming = lesson.phase == 1
    report = check_lesson(lesson.folder, judge, seeds=SEEDS[-1:], naming=naming)
    assert_named(report) if naming else assert_rejected(report)


@pytest.mark.thorough
@pytest.mark.parametrize("section_id", [lesson.section_id for lesson in find_all() if lesson.phase > 1])
def test_every_fault_of_a_lesson_is_named(section_id, judge):
    assert_named(check_lesson(find(section_id).folder, judge, seeds=SEEDS[-1:]))


def assert_rejected(report):
    print(f"{report.lesson.section_id}: {report.faults} faults, {report.kill_score:.0%} rejected", *report.unrun)
    assert [p for p in report.problems if "is not named" not in p] == []
    assert report.kill_score == 1.0


def assert_named(report):
    assert_rejected(report)
    assert report.named >= 0.95 * report.faults, report.problems


def solutions():
    for folder in sorted(SOLUTIONS.iterdir()):
        for path in sorted(folder.iterdir()):
            if path.suffix == ".py" or (path.is_dir() and not path.name.startswith("_")):
                later = path.stem.startswith("adapter") and not folder.name.startswith(
                    "1."
                )  # `make peers` has those anyway
                marks = pytest.mark.thorough if later else ()
                yield pytest.param(folder.name, path, id=f"{folder.name}-{path.stem}", marks=marks)


@pytest.mark.parametrize(("section_id", "path"), list(solutions()))
def test_a_right_solution_written_otherwise_passes(section_id, path, judge):
    lesson = find(section_id)
    files = {b: path if path.is_file() else path / Path(b).name for b in lesson.builds}
    submission = Submission({b: p.read_bytes() for b, p in files.items()}, any_imports=path.stem.startswith("adapter"))
    verdict = judge.check(lesson, submission, long=False)  # trained to the end by `make peers`
    assert verdict.passed, [(c.name, c.verdict, c.says, c.case) for c in verdict.checkpoints if not c.passed]


@pytest.mark.parametrize("section_id", LESSONS)
def test_a_lesson_has_a_second_solution(section_id):
    assert any((SOLUTIONS / section_id).glob("second*")), section_id


def test_ids_files_and_what_lessons_lean_on_agree():
    check_together(find_all())


@pytest.mark.parametrize(("phase", "first", "last"), [(1, 0, 7), (2, 1, 13), (3, 1, 8), (7, 1, 9)])
def test_a_phase_is_whole(phase, first, last):
    assert [lesson.section_id for lesson in find_all() if lesson.phase == phase] == [
        f"{phase}.{i}" for i in range(first, last + 1)
    ]


@pytest.mark.parametrize(
    "path", sorted(p for floor in LIBRARY for p in (ROOT / floor).rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_library_imports_its_own_parts_relatively(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").split(".")[0] != "groundup", f"line {node.lineno}"
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "groundup" for alias in node.names), f"line {node.lineno}"
