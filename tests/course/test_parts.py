"""Lesson 1.0's verdict as a self-assessment: a row for each part, and advice where there is a gap."""

from dataclasses import replace

import pytest

from groundup.course.checking.parts import advice, assessment, parts_of
from groundup.course.holes.library import ROOT
from groundup.course.judging.verdicts import CheckpointVerdict, LessonVerdict, Verdict
from groundup.course.lessons.lesson import find, find_all
from groundup.course.lessons.probes import demands

PARTS = ["Python", "Linear algebra", "Calculus", "Probability"]


@pytest.fixture(scope="module")
def lesson():
    return find("1.0")


@pytest.fixture
def verdict(lesson):
    """Everything passed."""
    points = [CheckpointVerdict(name, stretch, Verdict.PASSED) for name, stretch in demands(lesson)]
    return LessonVerdict("1.0", 1, 1.0, points)


def become(verdict, part, how, count=None):
    """The verdict with the first `count` checkpoints of a part ending otherwise."""
    places = [i for i, c in enumerate(verdict.checkpoints) if c.name.startswith(f"{part}:") and not c.stretch]
    points = [replace(c, verdict=how) if i in places[:count] else c for i, c in enumerate(verdict.checkpoints)]
    return replace(verdict, checkpoints=points)


def test_every_checkpoint_belongs_to_one_of_four_parts_and_every_part_has_a_project(lesson):
    names = [name.partition(":")[0] for name, _ in demands(lesson)]
    assert list(dict.fromkeys(names)) == PARTS
    assert {name.partition(":")[0] for name, stretch in demands(lesson) if stretch} == set(PARTS)
    assert all(("practice project" in name) == stretch for name, stretch in demands(lesson))
    for part in PARTS[1:]:
        assert 4 <= sum(name.startswith(f"{part}:") and not stretch for name, stretch in demands(lesson)) <= 8


def test_the_page_has_advice_for_each_part_that_names_a_file_and_lessons(lesson):
    found = advice(lesson)
    assert list(found) == PARTS
    for text in found.values():
        name = text.partition(".py")[0] + ".py"
        assert f"drills/{name}" in lesson.builds and (ROOT / "drills" / name).is_file()
        assert "chapter" in text and "esson" in text


@pytest.mark.parametrize("part", PARTS)
def test_a_part_with_a_gap_gets_its_advice_and_no_other_does(lesson, verdict, part):
    text = assessment(lesson, become(verdict, part, Verdict.WRONG_VALUE, 1))
    assert [line.strip() for line in text.splitlines() if line.lstrip().startswith(part)]
    told = " ".join(text.split())
    for other, says in advice(lesson).items():
        assert (says in told) == (other == part)


def test_in_short_a_gap_has_the_name_of_its_project_and_where_to_read_more(lesson, verdict):
    stretch = [replace(c, verdict=Verdict.MISSING) if c.stretch else c for c in verdict.checkpoints]
    gap = become(replace(verdict, checkpoints=stretch), "Calculus", Verdict.WRONG_VALUE, 1)
    rows = assessment(lesson, gap, advise=False).splitlines()
    assert rows[2] == "  Calculus         5 of 6   to practise: symbolic.py"
    assert rows[3] == "  Probability      6 of 6" and rows[4].endswith("groundup check 1.0 --full") and len(rows) == 5
    untried = assessment(lesson, become(verdict, "Calculus", Verdict.MISSING), advise=False)
    assert "symbolic.py" not in untried and "--full" not in untried


def test_a_file_that_does_not_parse_is_no_gap_in_anything(lesson, verdict):
    points = [replace(c, verdict=Verdict.IMPORT_ERROR, says="SyntaxError") for c in verdict.checkpoints]
    broken = replace(verdict, checkpoints=points)
    assert assessment(lesson, broken) == "" and parts_of(lesson, broken) == ()


def test_what_was_not_begun_is_no_gap_yet(lesson, verdict):
    text = assessment(lesson, become(verdict, "Calculus", Verdict.MISSING))
    assert "not begun" in text and "symbolic.py" not in text
    text = assessment(lesson, become(verdict, "Calculus", Verdict.MISSING, 1))
    assert "not begun" not in text and "symbolic.py" in text


def test_the_counts_are_those_of_the_placement(lesson, verdict):
    spoilt = become(become(verdict, "Calculus", Verdict.WRONG_VALUE, 2), "Python", Verdict.RAISED, 3)
    rows = assessment(lesson, spoilt).splitlines()
    for part in parts_of(lesson, spoilt):
        assert any(row.split()[: len(part.name.split())] == part.name.split() and f"{part.passed} of {part.of}" in row for row in rows)  # fmt: skip


def test_nothing_is_said_once_all_has_passed_or_of_another_lesson(lesson, verdict):
    assert assessment(lesson, verdict) == ""
    stretch = [replace(c, verdict=Verdict.MISSING) if c.stretch else c for c in verdict.checkpoints]
    assert assessment(lesson, replace(verdict, checkpoints=stretch)) == ""
    for other in find_all():
        assert bool(advice(other)) == (other.section_id == "1.0")


def test_check_shows_the_assessment_and_the_mistake_in_a_part_that_was_begun(groundup):
    groundup("start", "ws", "--yes")
    here = groundup.here / "ws"
    assert "1.0 Before you begin" in groundup("next", cwd=here).stdout
    reference = ROOT / "drills" / "calculus.py"
    text = reference.read_text(encoding="utf-8").replace("x = -b / (2 * a)", "x = -b / a")
    (here / "mine" / "drills" / "calculus.py").write_text(text, encoding="utf-8")
    shown = groundup("check", "1.0", cwd=here).stdout
    assert shown.startswith("✗ half of the way to the bottom   mine/drills/calculus.py:")  # and not a hole of Python's
    assert (
        "Calculus         5 of 6   to practise: symbolic.py" in shown and "Probability      0 of 6   not begun" in shown
    )
    told = [groundup("hint", cwd=here).stdout for _ in range(2)]  # first of the file that the verdict is about
    assert told[0].startswith("hint 1 of 9: Calculus (calculus.py)") and told[1].startswith("hint 2 of 9: Classes")
    assert "symbolic.py, a program that knows the rules" in groundup("check", "1.0", "--full", cwd=here).stdout
    assert "assessment" not in groundup("check", "1.0", "--json", cwd=here).stdout
